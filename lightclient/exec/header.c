#include "lightclient/exec/header.h"

#include "base/crypto/hash.h"
#include "lightclient/rlp/rlp.h"

#define TAIL_MAX 8u /* Amsterdam */
#define FIELDS_MAX (EX_HEADER_FIXED + TAIL_MAX)
#define BLOB_GAS 131072u /* EIP-4844: gas of one blob */

const hash32_t EX_NO_OMMERS = { { 0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a, 0xab, 0x85, 0xb5,
                                  0x67, 0xb6, 0xcc, 0xd4, 0x1a, 0xd3, 0x12, 0x45, 0x1b, 0x94, 0x8a,
                                  0x74, 0x13, 0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47 } };

static const uint8_t tails[] = {
    [EVM_BERLIN] = 0,    [EVM_LONDON] = 1, [EVM_PARIS] = 1, [EVM_SHANGHAI] = 2, /* base fee; withdrawals */
    [EVM_CANCUN] = 5,                     /* blob gas, and the parent's beacon root: three at once */
    [EVM_PRAGUE] = 6,    [EVM_OSAKA] = 6, /* requests */
    [EVM_AMSTERDAM] = 8,                  /* block access list, slot */
};
_Static_assert(sizeof tails == EVM_FORKS, "each known fork has its header fields");

unsigned ex_header_tail(evm_fork_t fork)
{
    return (unsigned)fork < EVM_FORKS ? tails[fork] : 0;
}

rc_t ex_blobs_fit(err_t *e, uint64_t blob_gas_used, uint64_t timestamp, const evm_chain_t *chain)
{
    const evm_rules_t *rules = evm_chain_rules(chain, timestamp);
    const uint64_t blobs = blob_gas_used / BLOB_GAS;
    if ((unsigned)rules->fork >= EVM_FORKS || blobs <= rules->blob_max)
        return RC_OK;
    return err_set(
        e, RC_UNSUPPORTED,
        "the execution block has %llu blobs, and by this network's schedule one of its time has at most %llu",
        (unsigned long long)blobs, (unsigned long long)rules->blob_max);
}

rc_t ex_header_fits(err_t *e, const ex_header_t *h, const evm_chain_t *chain)
{
    const evm_fork_t fork = evm_chain_rules(chain, h->timestamp)->fork;
    if ((unsigned)fork >= EVM_FORKS || h->tail == ex_header_tail(fork))
        return ex_blobs_fit(e, h->blob_gas_used, h->timestamp, chain);
    return err_set(e, RC_UNSUPPORTED,
                   "the execution block's header has %u fields, and by this network's schedule one of its time has %u",
                   EX_HEADER_FIXED + h->tail, EX_HEADER_FIXED + ex_header_tail(fork));
}

bool ex_header_tail_known(size_t tail)
{
    size_t f = 0;
    while (f < EVM_FORKS && tails[f] != tail)
        f++;
    return f < EVM_FORKS;
}

static void put_fixed(wr_t *w, const void *p, size_t n)
{
    rlp_put_bytes(w, view_of(p, n));
}

static void put_tail(wr_t *w, const ex_header_t *h)
{
    if (h->tail > 0)
        rlp_put_u256(w, &h->base_fee);
    if (h->tail > 1)
        put_fixed(w, h->withdrawals_root.b, sizeof h->withdrawals_root.b);
    if (h->tail > 2)
        rlp_put_u64(w, h->blob_gas_used);
    if (h->tail > 3)
        rlp_put_u64(w, h->excess_blob_gas);
    if (h->tail > 4)
        put_fixed(w, h->parent_beacon_root.b, sizeof h->parent_beacon_root.b);
    if (h->tail > 5)
        put_fixed(w, h->requests_hash.b, sizeof h->requests_hash.b);
    if (h->tail > 6)
        put_fixed(w, h->block_access_list_hash.b, sizeof h->block_access_list_hash.b);
    if (h->tail > 7)
        rlp_put_u64(w, h->slot_number);
}

void ex_header_encode(wr_t *w, const ex_header_t *h)
{
    size_t began = w->n;
    if (h->extra_data_len > EX_EXTRA_DATA_MAX || !ex_header_tail_known(h->tail)) {
        w->bad = true;
        return;
    }
    put_fixed(w, h->parent_hash.b, sizeof h->parent_hash.b);
    put_fixed(w, h->ommers_hash.b, sizeof h->ommers_hash.b);
    put_fixed(w, h->coinbase.b, sizeof h->coinbase.b);
    put_fixed(w, h->state_root.b, sizeof h->state_root.b);
    put_fixed(w, h->transactions_root.b, sizeof h->transactions_root.b);
    put_fixed(w, h->receipts_root.b, sizeof h->receipts_root.b);
    put_fixed(w, h->logs_bloom, sizeof h->logs_bloom);
    rlp_put_u256(w, &h->difficulty);
    rlp_put_u64(w, h->number);
    rlp_put_u64(w, h->gas_limit);
    rlp_put_u64(w, h->gas_used);
    rlp_put_u64(w, h->timestamp);
    put_fixed(w, h->extra_data, h->extra_data_len);
    put_fixed(w, h->mix_hash.b, sizeof h->mix_hash.b);
    put_fixed(w, h->nonce, sizeof h->nonce);
    put_tail(w, h);
    rlp_wrap_list(w, began);
}

static bool get_extra_data(ex_header_t *h, const rlp_item_t *item)
{
    if (item->payload.n > EX_EXTRA_DATA_MAX || rlp_fixed(h->extra_data, item->payload.n, item))
        return false;
    h->extra_data_len = (uint8_t)item->payload.n;
    return true;
}

static bool get_tail(ex_header_t *h, const rlp_item_t *f, size_t n)
{
    h->tail = (unsigned)n;
    return ex_header_tail_known(n) && (n < 1 || !rlp_u256(&h->base_fee, &f[0])) &&
           (n < 2 || !rlp_fixed(h->withdrawals_root.b, sizeof h->withdrawals_root.b, &f[1])) &&
           (n < 3 || !rlp_u64(&h->blob_gas_used, &f[2])) && (n < 4 || !rlp_u64(&h->excess_blob_gas, &f[3])) &&
           (n < 5 || !rlp_fixed(h->parent_beacon_root.b, sizeof h->parent_beacon_root.b, &f[4])) &&
           (n < 6 || !rlp_fixed(h->requests_hash.b, sizeof h->requests_hash.b, &f[5])) &&
           (n < 7 || !rlp_fixed(h->block_access_list_hash.b, sizeof h->block_access_list_hash.b, &f[6])) &&
           (n < 8 || !rlp_u64(&h->slot_number, &f[7]));
}

static rc_t decode(ex_header_t *h, view_t rlp)
{
    rlp_item_t list, f[FIELDS_MAX];
    size_t n;
    memset(h, 0, sizeof *h);
    if (rlp_decode(&list, rlp) || !list.is_list || rlp_split(f, &n, FIELDS_MAX, list.payload) || n < EX_HEADER_FIXED)
        return RC_MALFORMED;
    bool ok = !rlp_fixed(h->parent_hash.b, sizeof h->parent_hash.b, &f[0]) &&
              !rlp_fixed(h->ommers_hash.b, sizeof h->ommers_hash.b, &f[1]) &&
              !rlp_fixed(h->coinbase.b, sizeof h->coinbase.b, &f[2]) &&
              !rlp_fixed(h->state_root.b, sizeof h->state_root.b, &f[3]) &&
              !rlp_fixed(h->transactions_root.b, sizeof h->transactions_root.b, &f[4]) &&
              !rlp_fixed(h->receipts_root.b, sizeof h->receipts_root.b, &f[5]) &&
              !rlp_fixed(h->logs_bloom, sizeof h->logs_bloom, &f[6]) && !rlp_u256(&h->difficulty, &f[7]) &&
              !rlp_u64(&h->number, &f[8]) && !rlp_u64(&h->gas_limit, &f[9]) && !rlp_u64(&h->gas_used, &f[10]) &&
              !rlp_u64(&h->timestamp, &f[11]) && get_extra_data(h, &f[12]) &&
              !rlp_fixed(h->mix_hash.b, sizeof h->mix_hash.b, &f[13]) &&
              !rlp_fixed(h->nonce, sizeof h->nonce, &f[14]) && get_tail(h, f + EX_HEADER_FIXED, n - EX_HEADER_FIXED);
    return ok ? RC_OK : RC_MALFORMED;
}

rc_t ex_header_verify(ex_header_t *out, const hash32_t *expected, view_t rlp)
{
    ex_header_t h;
    hash32_t got;
    if (rlp.n > EX_HEADER_RLP_MAX)
        return RC_MALFORMED;
    keccak256(&got, rlp);
    if (!hash32_eq(&got, expected))
        return RC_REFUSED;
    rc_t rc = decode(&h, rlp);
    if (!rc)
        *out = h;
    return rc;
}

/* False when h is no header: a field is out of range. */
static bool hash_of(hash32_t *out, const ex_header_t *h)
{
    uint8_t buf[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    ex_header_encode(&w, h);
    keccak256(out, wr_view(&w));
    return !w.bad;
}

rc_t ex_header_check(const ex_header_t *h, const hash32_t *expected)
{
    hash32_t got;
    return hash_of(&got, h) && hash32_eq(&got, expected) ? RC_OK : RC_REFUSED;
}

void ex_header_hash(hash32_t *out, const ex_header_t *h)
{
    if (!hash_of(out, h))
        memset(out, 0, sizeof *out);
}
