#include "lightclient/exec/transaction.h"

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "lightclient/rlp/rlp.h"

#define TYPE_MAX 4u
#define FIELDS_MAX 14u
#define SIGNATURE_FIELDS 3u
#define LEGACY_FIELDS 9u
#define LIST_PREFIX_MAX 9u
#define AUTHORIZATION_FIELDS 6u
#define AUTHORIZATION_MAGIC 0x05

/* Fields of each type; the signature is the last three. */
static const uint8_t fields_of[TYPE_MAX + 1] = { LEGACY_FIELDS, 11, 12, 14, 13 };

typedef struct {
    arena_t *arena;
    err_t *e;
    evm_tx_t tx;
    bool any_chain;
    bool signers; /* are to be found */
    ex_signature_t signature;
    ex_signature_t *authorization_signatures;
    uint64_t chain_id; /* the one that is asked for */
    view_t list;       /* payload of the fields' list */
    rlp_item_t f[FIELDS_MAX];
    size_t count;
} decoder_t;

static rc_t fault(const decoder_t *d, rc_t rc, const char *text)
{
    return err_say(d->e, rc, text);
}

/* --- fields --- */

static rc_t get_receiver(decoder_t *d, const rlp_item_t *item)
{
    d->tx.create = !item->is_list && item->payload.n == 0;
    if (!d->tx.create && rlp_fixed(d->tx.to.b, sizeof d->tx.to.b, item))
        return fault(d, RC_MALFORMED, "receiver is no address");
    return RC_OK;
}

/* Nonce up to data: these stand together in every type; the first price field and how many there are differ. */
static rc_t get_common(decoder_t *d, const rlp_item_t *f, size_t prices)
{
    evm_tx_t *tx = &d->tx;
    if (rlp_u64(&tx->nonce, &f[0]))
        return fault(d, RC_MALFORMED, "nonce is no 64-bit number");
    if (prices == 1 && rlp_u256(&tx->gas_price, &f[1]))
        return fault(d, RC_MALFORMED, "gas price is no number");
    if (prices == 2 && rlp_u256(&tx->max_priority_fee, &f[1]))
        return fault(d, RC_MALFORMED, "priority fee is no number");
    if (prices == 2 && rlp_u256(&tx->max_fee, &f[2]))
        return fault(d, RC_MALFORMED, "fee cap is no number");
    f += 1 + prices;
    if (rlp_u64(&tx->gas, &f[0]))
        return fault(d, RC_MALFORMED, "gas limit is no 64-bit number");
    if (get_receiver(d, &f[1]))
        return RC_MALFORMED;
    if (rlp_u256(&tx->value, &f[2]))
        return fault(d, RC_MALFORMED, "value is no number");
    if (f[3].is_list)
        return fault(d, RC_MALFORMED, "data is no string");
    tx->data = f[3].payload;
    return RC_OK;
}

/* A list of 32-byte strings. */
static rc_t get_hashes(const hash32_t **out, size_t *count, arena_t *a, const rlp_item_t *list)
{
    size_t n;
    if (rlp_count(&n, list))
        return RC_MALFORMED;
    hash32_t *hashes = arena_calloc(a, n, sizeof *hashes);
    if (!hashes)
        return RC_NOMEM;
    view_t rest = list->payload;
    for (size_t i = 0; i < n; i++) {
        rlp_item_t item;
        if (rlp_next(&item, &rest) || rlp_fixed(hashes[i].b, sizeof hashes[i].b, &item))
            return RC_MALFORMED;
    }
    *out = hashes;
    *count = n;
    return RC_OK;
}

static rc_t get_access(decoder_t *d, const rlp_item_t *list)
{
    size_t n, parts;
    if (rlp_count(&n, list))
        return fault(d, RC_MALFORMED, "access list is no list");
    evm_access_t *access = arena_calloc(d->arena, n, sizeof *access);
    if (!access)
        return RC_NOMEM;
    view_t rest = list->payload;
    for (size_t i = 0; i < n; i++) {
        rlp_item_t entry, part[2];
        if (rlp_next(&entry, &rest) || !entry.is_list || rlp_split(part, &parts, 2, entry.payload) || parts != 2)
            return fault(d, RC_MALFORMED, "access list entry is no pair");
        if (rlp_fixed(access[i].addr.b, sizeof access[i].addr.b, &part[0]))
            return fault(d, RC_MALFORMED, "access list address has another length");
        rc_t rc = get_hashes(&access[i].keys, &access[i].key_count, d->arena, &part[1]);
        if (rc)
            return fault(d, rc, "access list key has another length");
    }
    d->tx.access = access;
    d->tx.access_count = n;
    return RC_OK;
}

/* --- signatures --- */

/* The signer of a digest; false when there is none, or s is in the upper half (EIP-2). */
static bool recover(addr_t *out, const u256_t *r, const u256_t *s, unsigned parity, const hash32_t *digest)
{
    static const u256_t half_order = { { 0xdfe92f46681b20a0, 0x5d576e7357a4501d, 0xffffffffffffffff,
                                         0x7fffffffffffffff } };
    uint8_t signature[ECDSA_SIG_LEN], key[64];
    u256_to_be32(signature, r);
    u256_to_be32(signature + 32, s);
    if (u256_is_zero(r) || u256_is_zero(s) || u256_lt(&half_order, s) ||
        ecdsa_recover(NULL, key, signature, (int)parity, digest))
        return false;
    ecdsa_address(out, key);
    return true;
}

/* Keccak-256 of prefix bytes, then a list with this payload and, after it, the tail. */
static rc_t hash_list(hash32_t *out, arena_t *a, view_t prefix, view_t payload, view_t tail)
{
    arena_mark_t mark = arena_mark(a);
    size_t room = prefix.n + LIST_PREFIX_MAX + payload.n + tail.n;
    wr_t w = wr_of(arena_alloc(a, room), room);
    if (!w.p)
        return RC_NOMEM;
    wr_bytes(&w, prefix.p, prefix.n);
    rlp_put_list_prefix(&w, payload.n + tail.n);
    wr_bytes(&w, payload.p, payload.n);
    wr_bytes(&w, tail.p, tail.n);
    keccak256(out, wr_view(&w));
    arena_rollback(a, mark);
    return w.bad ? RC_BUG : RC_OK;
}

/* The bytes of the first n items of a split list. */
static view_t first_items(view_t list, const rlp_item_t *items, size_t n)
{
    return view_of(list.p, (size_t)(items[n - 1].whole.p + items[n - 1].whole.n - list.p));
}

static rc_t get_authorization(evm_authorization_t *out, ex_signature_t *sig, decoder_t *d, const rlp_item_t *tuple)
{
    static const uint8_t magic = AUTHORIZATION_MAGIC;
    rlp_item_t f[AUTHORIZATION_FIELDS];
    size_t n;
    uint64_t parity;
    hash32_t digest;
    if (!tuple->is_list || rlp_split(f, &n, AUTHORIZATION_FIELDS, tuple->payload) || n != AUTHORIZATION_FIELDS ||
        rlp_u256(&out->chain_id, &f[0]) || rlp_fixed(out->address.b, sizeof out->address.b, &f[1]) ||
        rlp_u64(&out->nonce, &f[2]) || rlp_u64(&parity, &f[3]) || parity > UINT8_MAX || rlp_u256(&sig->r, &f[4]) ||
        rlp_u256(&sig->s, &f[5]))
        return RC_MALFORMED;
    sig->v = u256_of(parity);
    if (!d->signers)
        return RC_OK;
    rc_t rc = hash_list(&digest, d->arena, view_of(&magic, 1), first_items(tuple->payload, f, 3), view_of(NULL, 0));
    if (!rc)
        out->signer_valid = parity <= 1 && recover(&out->signer, &sig->r, &sig->s, (unsigned)parity, &digest);
    return rc;
}

static rc_t get_authorizations(decoder_t *d, const rlp_item_t *list)
{
    size_t n;
    if (rlp_count(&n, list))
        return fault(d, RC_MALFORMED, "authorizations are no list");
    evm_authorization_t *all = arena_calloc(d->arena, n, sizeof *all);
    d->authorization_signatures = arena_calloc(d->arena, n, sizeof *d->authorization_signatures);
    if (!all || !d->authorization_signatures)
        return RC_NOMEM;
    view_t rest = list->payload;
    for (size_t i = 0; i < n; i++) {
        rlp_item_t tuple;
        rc_t rc = rlp_next(&tuple, &rest);
        if (!rc)
            rc = get_authorization(&all[i], &d->authorization_signatures[i], d, &tuple);
        if (rc)
            return fault(d, rc, "authorization does not parse");
    }
    d->tx.authorizations = all;
    d->tx.authorization_count = n;
    return RC_OK;
}

/* The parity that v of a legacy transaction states; whether it states a chain id is noted. */
static rc_t legacy_parity(decoder_t *d, unsigned *parity, const u256_t *v)
{
    u256_t base = u256_of(d->chain_id), two = u256_of(2), offset = u256_of(35);
    base = u256_mul(&base, &two);
    base = u256_add(&base, &offset);
    u256_t above = u256_sub(v, &base);
    if (u256_fits_u64(v) && (v->w[0] == 27 || v->w[0] == 28)) {
        d->any_chain = true;
        *parity = (unsigned)v->w[0] - 27;
        return RC_OK;
    }
    if (!d->signers && u256_is_zero(v)) { /* nobody signed it */
        d->any_chain = true;
        return RC_OK;
    }
    if (!u256_fits_u64(&above) || above.w[0] > 1)
        return fault(d, RC_REFUSED, "signed for another chain");
    *parity = (unsigned)above.w[0];
    return RC_OK;
}

/* What was signed: the fields before the signature; EIP-155 adds the chain id and two zeros. */
static rc_t signed_digest(decoder_t *d, hash32_t *out)
{
    uint8_t tail_bytes[LIST_PREFIX_MAX + 2];
    wr_t tail = wr_of(tail_bytes, sizeof tail_bytes);
    if (d->tx.type == 0 && !d->any_chain) {
        rlp_put_u64(&tail, d->chain_id);
        rlp_put_u64(&tail, 0);
        rlp_put_u64(&tail, 0);
    }
    return hash_list(out, d->arena, view_of(&d->tx.type, d->tx.type ? 1 : 0),
                     first_items(d->list, d->f, d->count - SIGNATURE_FIELDS), wr_view(&tail));
}

static rc_t get_sender(decoder_t *d)
{
    const rlp_item_t *f = &d->f[d->count - SIGNATURE_FIELDS];
    ex_signature_t *sig = &d->signature;
    hash32_t digest;
    unsigned parity = 0;
    if (rlp_u256(&sig->v, &f[0]))
        return fault(d, RC_MALFORMED, "v is no number");
    if (rlp_u256(&sig->r, &f[1]) || rlp_u256(&sig->s, &f[2]))
        return fault(d, RC_MALFORMED, "r or s is no number");
    if (d->tx.type == 0) {
        rc_t rc = legacy_parity(d, &parity, &sig->v);
        if (rc)
            return rc;
    } else if (u256_fits_u64(&sig->v) && sig->v.w[0] <= 1) {
        parity = (unsigned)sig->v.w[0];
    } else {
        return fault(d, RC_REFUSED, "parity is neither 0 nor 1");
    }
    if (!d->signers)
        return RC_OK;
    rc_t rc = signed_digest(d, &digest);
    if (rc)
        return rc;
    return recover(&d->tx.from, &sig->r, &sig->s, parity, &digest) ? RC_OK : fault(d, RC_REFUSED, "nobody signed it");
}

/* --- types --- */

static rc_t get_chain_id(decoder_t *d)
{
    u256_t id, want = u256_of(d->chain_id);
    if (rlp_u256(&id, &d->f[0]))
        return fault(d, RC_MALFORMED, "chain id is no number");
    return u256_eq(&id, &want) ? RC_OK : fault(d, RC_REFUSED, "signed for another chain");
}

static rc_t get_blobs(decoder_t *d, const rlp_item_t *f)
{
    if (rlp_u256(&d->tx.max_blob_fee, &f[0]))
        return fault(d, RC_MALFORMED, "blob fee cap is no number");
    rc_t rc = get_hashes(&d->tx.blob_hashes, &d->tx.blob_count, d->arena, &f[1]);
    return rc ? fault(d, rc, "blob hash has another length") : RC_OK;
}

static rc_t get_fields(decoder_t *d)
{
    const rlp_item_t *f = d->f;
    if (d->tx.type == 0)
        return get_common(d, f, 1);
    size_t prices = d->tx.type == 1 ? 1 : 2;
    rc_t rc = get_common(d, f + 1, prices);
    if (!rc)
        rc = get_access(d, &f[6 + prices]);
    if (!rc && d->tx.type == 3)
        rc = get_blobs(d, f + 9);
    if (!rc && d->tx.type == 4)
        rc = get_authorizations(d, &f[9]);
    return rc ? rc : get_chain_id(d);
}

/* The envelope: a type byte below 0x80, or at once the list of a legacy transaction. */
static rc_t open(decoder_t *d, view_t raw)
{
    rlp_item_t list;
    view_t body = raw;
    if (raw.n && raw.p[0] < 0x80) {
        if (raw.p[0] == 0 || raw.p[0] > TYPE_MAX)
            return fault(d, RC_MALFORMED, "unknown transaction type");
        d->tx.type = raw.p[0];
        body = view_of(raw.p + 1, raw.n - 1);
    }
    if (rlp_decode(&list, body) || !list.is_list)
        return fault(d, RC_MALFORMED, "not one RLP list");
    if (rlp_split(d->f, &d->count, FIELDS_MAX, list.payload) || d->count != fields_of[d->tx.type])
        return fault(d, RC_MALFORMED, "another number of fields");
    d->list = list.payload;
    return RC_OK;
}

static rc_t decode(ex_transaction_t *out, decoder_t *d, view_t raw)
{
    rc_t rc = raw.n <= EX_TRANSACTION_MAX ? open(d, raw) : fault(d, RC_LIMIT, "too long");
    if (!rc)
        rc = get_fields(d);
    if (!rc)
        rc = get_sender(d);
    if (rc)
        return rc == RC_NOMEM ? err_say(d->e, rc, "out of memory") : rc;
    *out = (ex_transaction_t){ .tx = d->tx,
                               .any_chain = d->any_chain,
                               .signature = d->signature,
                               .authorization_signatures = d->authorization_signatures };
    keccak256(&out->hash, raw);
    return RC_OK;
}

rc_t ex_transaction_decode(ex_transaction_t *out, err_t *e, arena_t *a, view_t raw, uint64_t chain_id)
{
    decoder_t d = { .arena = a, .e = e, .chain_id = chain_id, .signers = true };
    return decode(out, &d, raw);
}

rc_t ex_transaction_read(ex_transaction_t *out, err_t *e, arena_t *a, view_t raw, uint64_t chain_id)
{
    decoder_t d = { .arena = a, .e = e, .chain_id = chain_id };
    return decode(out, &d, raw);
}
