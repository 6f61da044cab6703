#include "base/crypto/hash.h"
#include "base/json.h"
#include "lightclient/exec/receipt.h"
#include "rpc/upstream/jsonrpc.h"
#include "rpc/upstream/lie.h"

#define REQUEST_MAX (256u << 10)

/* ---- execution ---- */

/* The methods that are asked, and what need they are of; the last two forms depend on a parameter. */
static const char *const methods[] = { "eth_getProof",
                                       "eth_getCode",
                                       "debug_getRawHeader",
                                       "eth_getBlockAccessList",
                                       "eth_getBlockByHash",
                                       "eth_getBlockByNumber",
                                       "eth_getBlockReceipts",
                                       "eth_sendRawTransaction",
                                       NULL };
enum { M_PROOF, M_CODE, M_HEAD_BYTES, M_CHANGES, M_BY_HASH, M_BY_NUMBER, M_RECEIPTS, M_SEND };

/* A need, in the hands of who replays it. */
typedef struct {
    need_t need;
    hash32_t expected;
    bool has_expected;
} asked_t;

static void read_slots(need_t *need, arena_t *a, const jo_t *list)
{
    jo_t keys = jo_list(list, NULL, 0, NEED_SLOTS_MAX), key;
    hash32_t *slots = arena_calloc(a, jo_size(&keys), sizeof *slots);
    if (!slots)
        jo_fail(list, NULL, RC_NOMEM, "out of memory");
    need->slots = slots;
    while (slots && jo_next(&keys, &key))
        jo_hex(&key, slots[need->slot_count++].b, 32, NULL, HEX_0X);
}

/* A block by its hash, to which the answer is then held, or by its number. */
static void read_name(asked_t *x, const jo_t *o)
{
    if (jo_kind(o, NULL) != JO_TEXT || jo_text(o, NULL, 0, SIZE_MAX).n != 66) {
        x->need.number = jo_quantity(o, NULL);
        return;
    }
    jo_hex(o, x->need.hash.b, 32, NULL, HEX_0X);
    x->expected = x->need.hash;
    x->has_expected = true;
}

static void read_param(asked_t *x, arena_t *a, const jo_t *o, size_t method, size_t i)
{
    const bool is_addr = method == M_PROOF || method == M_CODE;
    if (is_addr && i == 0)
        jo_hex(o, x->need.addr.b, sizeof x->need.addr.b, NULL, HEX_0X);
    else if (method == M_PROOF && i == 1)
        read_slots(&x->need, a, o);
    else if (is_addr)
        jo_skip(o, NULL); /* the block of the record */
    else if (method == M_SEND)
        x->need.raw = jo_bytes(o, a, NULL, 0, SIZE_MAX, HEX_0X);
    else if (i == 0)
        read_name(x, o);
    else
        x->need.kind = jo_bool(o, NULL) ? NEED_BLOCK : NEED_HEADER;
}

static rc_t read_asked(asked_t *x, err_t *e, arena_t *a, view_t request)
{
    static const need_kind_t kind[] = {
        [M_PROOF] = NEED_PROOF,       [M_CODE] = NEED_CODE,      [M_HEAD_BYTES] = NEED_HEAD_BYTES,
        [M_CHANGES] = NEED_CHANGES,   [M_BY_HASH] = NEED_HEADER, [M_BY_NUMBER] = NEED_HEADER,
        [M_RECEIPTS] = NEED_RECEIPTS, [M_SEND] = NEED_SEND,
    };
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, request, REQUEST_MAX, JO_LENIENT), root = jo_object(&o, NULL);
    const size_t method = jo_word(&root, "method", methods);
    jo_t params = jo_list(&root, "params", 1, 3), param;
    *x = (asked_t){ .need = { .kind = kind[method] } };
    for (size_t i = 0; jo_next(&params, &param); i++)
        read_param(x, a, &param, method, i);
    const rc_t rc = err_under(e, jo_done(&root), "request");
    jo_close(&doc);
    return rc;
}

static rc_t judge_hash(err_t *e, const hash32_t *got, const asked_t *x)
{
    if (!x->has_expected)
        return err_say(e, RC_UNSUPPORTED, "the record does not say which hash it has to have");
    return hash32_eq(got, &x->expected) ? RC_OK : err_say(e, RC_REFUSED, "it has another hash than is proven");
}

static rc_t judge_bytes(err_t *e, view_t bytes, const asked_t *x)
{
    hash32_t got;
    keccak256(&got, bytes);
    return judge_hash(e, &got, x);
}

static rc_t judge_header(err_t *e, const ex_header_t *h, const asked_t *x)
{
    hash32_t got;
    if (hash32_is_zero(&x->need.hash) && h->number != x->need.number)
        return err_say(e, RC_REFUSED, "number is not the requested one");
    ex_header_hash(&got, h);
    return judge_hash(e, &got, x);
}

static rc_t judge_receipts(err_t *e, arena_t *a, const lie_t *lie, const answer_t *answer, const asked_t *x)
{
    ex_header_t header;
    const ex_receipt_t *receipts;
    if (!lie->header.n || !x->has_expected)
        return err_say(e, RC_UNSUPPORTED, "the record does not say of which header they have to be");
    const rc_t rc = ex_header_verify(&header, &x->expected, lie->header);
    if (rc)
        return err_say(e, RC_UNSUPPORTED, "the record's header has not the hash that it names");
    return ex_receipts_verify(&receipts, e, a, &header, answer->receipts, answer->receipt_count);
}

static rc_t judge_proof(err_t *e, arena_t *a, const lie_t *lie, const answer_t *answer, const need_t *need)
{
    mpt_account_t account;
    u256_t *values = arena_calloc(a, need->slot_count, sizeof *values);
    return values ? ex_proof_verify(&account, values, e, &lie->state_root, &need->addr, need->slots, need->slot_count,
                                    &answer->proof)
                  : err_say(e, RC_NOMEM, "out of memory");
}

static rc_t judge_sent(err_t *e, const answer_t *answer, const need_t *need)
{
    hash32_t got;
    keccak256(&got, need->raw);
    return answer->refused || hash32_eq(&got, &answer->hash)
               ? RC_OK
               : err_say(e, RC_REFUSED, "the hash is not the transaction's");
}

static rc_t judge_block(err_t *e, arena_t *a, const answer_t *answer, const asked_t *x)
{
    const rc_t rc = judge_header(e, &answer->block.header, x);
    return rc ? rc : ex_body_verify(e, a, &answer->block);
}

static rc_t judge(err_t *e, arena_t *a, const lie_t *lie, const answer_t *answer, const asked_t *x)
{
    switch (x->need.kind) {
    case NEED_PROOF: return judge_proof(e, a, lie, answer, &x->need);
    case NEED_CODE:
    case NEED_HEAD_BYTES:
    case NEED_CHANGES: return judge_bytes(e, answer->code, x);
    case NEED_HEADER: return judge_header(e, &answer->header, x);
    case NEED_BLOCK: return judge_block(e, a, answer, x);
    case NEED_RECEIPTS: return judge_receipts(e, a, lie, answer, x);
    case NEED_SEND: return judge_sent(e, answer, &x->need);
    case NEED_HINT:
    case NEED_HEAD:
    case NEED_WHERE: break; /* no request is read as one */
    }
    return err_say(e, RC_BUG, "a need of no known kind");
}

static rc_t replay_answer(err_t *e, arena_t *a, const lie_t *lie)
{
    static const cap_form_t usual;
    asked_t x;
    jr_answer_t said;
    rc_t rc = read_asked(&x, e, a, lie->request);
    if (rc)
        return rc;
    if (!lie->answer.n)
        return err_set(e, RC_UNSUPPORTED, "the answer of %zu bytes was too long to be kept", lie->answer_bytes);
    if (lie->has_expected) {
        x.expected = lie->expected;
        x.has_expected = true;
    }
    const ex_block_t block = { .block_hash = lie->block_hash, .state_root = lie->state_root };
    const need_t *need = &x.need;
    x.need.block = &block;
    rc = jr_decode(&said, e, a, &need, 1, &usual, lie->answer);
    if (rc)
        return rc;
    if (said.rc)
        return err_say(e, said.rc == RC_NOMEM ? RC_NOMEM : RC_MALFORMED, said.why.text);
    if (said.answer.absent)
        return err_say(e, RC_UNSUPPORTED, "the answer is that there is none");
    rc = judge(e, a, lie, &said.answer, &x);
    if (!rc_blames_input(rc) || rc == RC_LIMIT)
        return rc;
    if (e)
        e->rc = RC_REFUSED; /* a proof that cannot be read proves nothing */
    return RC_REFUSED;
}

/* ---- beacon ---- */

/* A committee as it was written; empty: it is not known. */
static rc_t take_committee(lc_store_committee_t *out, err_t *e, view_t keys, uint32_t size)
{
    const size_t n = (size_t)size * sizeof out->keys.pubkeys[0];
    if (!keys.n)
        return RC_OK;
    if (keys.n != n + sizeof out->keys.aggregate_pubkey)
        return err_set(e, RC_MALFORMED, "a committee of this network has %u keys", size);
    memcpy(out->keys.pubkeys, keys.p, n);
    memcpy(&out->keys.aggregate_pubkey, keys.p + n, sizeof out->keys.aggregate_pubkey);
    lc_committee_root(&out->root, &out->keys, size);
    out->known = true;
    return bls_pubkey_decode(&out->aggregate, &out->keys.aggregate_pubkey, true)
               ? err_say(e, RC_MALFORMED, "a committee's aggregate key is not a key")
               : RC_OK;
}

static rc_t replay_bootstrap(err_t *e, arena_t *a, const lie_t *lie, lc_store_t *store, const lc_network_t *net)
{
    lc_bootstrap_t *b = arena_alloc(a, sizeof *b);
    if (!b)
        return err_say(e, RC_NOMEM, "out of memory");
    if (lc_bootstrap_decode(b, net, lie->fork, lie->object))
        return err_say(e, RC_MALFORMED, "the bootstrap is not well-formed");
    return lc_store_init(store, e, net, &lie->checkpoint, b);
}

static rc_t replay_update(err_t *e, arena_t *a, const lie_t *lie, lc_store_t *store, const lc_network_t *net)
{
    lc_verdict_t verdict;
    lc_update_t *u = arena_alloc(a, sizeof *u);
    if (!u)
        return err_say(e, RC_NOMEM, "out of memory");
    store->network = net;
    store->finalized_header.beacon.slot = lie->finalized_slot;
    rc_t rc = take_committee(&store->current_sync_committee, e, lie->committee, net->preset.committee_size);
    if (!rc)
        rc = take_committee(&store->next_sync_committee, e, lie->next_committee, net->preset.committee_size);
    if (rc)
        return rc;
    if (lc_update_decode(u, net, lie->fork, lie->kind, lie->object))
        return err_say(e, RC_MALFORMED, "the update is not well-formed");
    rc = lc_store_check(store, &verdict, e, u, UINT64_MAX); /* the clock comes last: it may have been wrong */
    return rc == RC_REFUSED ? rc : lc_store_check(store, &verdict, e, u, lie->slot);
}

rc_t lie_replay(err_t *e, arena_t *a, const lie_t *lie, const lc_network_t *net)
{
    if (!lie->beacon)
        return replay_answer(e, a, lie);
    lc_store_t *store = arena_calloc(a, 1, sizeof *store);
    if (!store)
        return err_say(e, RC_NOMEM, "out of memory");
    return (lie->kind == LC_BOOTSTRAP ? replay_bootstrap : replay_update)(e, a, lie, store, net);
}
