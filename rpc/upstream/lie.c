#include "rpc/upstream/lie.h"

#include "base/json.h"
#include "rpc/upstream/beacon.h"
#include "rpc/upstream/jsonrpc.h"

#define VERSION 1u
#define COMMITTEE_MAX ((LC_COMMITTEE_MAX + 1u) * sizeof(bls_pubkey_t))

static const char *const kinds[] = {
    [0] = "none",
    [LC_BOOTSTRAP] = "bootstrap",
    [LC_UPDATE] = "updates",
    [LC_FINALITY] = "finality_update",
    [LC_OPTIMISTIC] = "optimistic_update",
    NULL,
};

static rc_t no_memory(err_t *e)
{
    return err_say(e, RC_NOMEM, "out of memory");
}

/* ---- made ---- */

/* Writes a result into an envelope of its own. */
static rc_t wrap(view_t *out, err_t *e, arena_t *a, view_t result)
{
    jw_t w = jw_of(a, result.n + 64);
    jw_object(&w, NULL);
    jw_str(&w, "jsonrpc", "2.0");
    jw_u64(&w, "id", 1);
    jw_raw(&w, "result", result);
    jw_end(&w);
    *out = jw_done(&w);
    return w.rc ? no_memory(e) : RC_OK;
}

/* The result of the element with that id. */
static rc_t cut_out(lie_t *out, err_t *e, arena_t *a, jo_t *root, uint64_t id)
{
    jo_t element = *root;
    bool found = jo_kind(root, NULL) != JO_LIST;
    while (!found && jo_next(root, &element))
        found = jo_kind(&element, NULL) == JO_OBJECT && jo_kind(&element, "id") == JO_INTEGER &&
                jo_u64(&element, "id", 0, UINT64_MAX) == id;
    if (!found || jo_kind(&element, NULL) != JO_OBJECT || !jo_has(&element, "result"))
        return err_say(e, RC_MALFORMED, "the answer has no such element");
    const view_t result = jo_as_written(&element, a, "result");
    if (!result.p)
        return no_memory(e);
    if (result.n <= LIE_ANSWER_MAX)
        return wrap(&out->answer, e, a, result);
    out->answer_bytes = result.n;
    return RC_OK;
}

/* What the query holds the answer to. */
static rc_t take_expected(lie_t *out, err_t *e, arena_t *a, query_t *q, size_t i)
{
    expected_t x;
    out->has_expected = query_expects(q, &x, i);
    if (!out->has_expected)
        return RC_OK;
    out->expected = x.hash;
    if (!x.header)
        return RC_OK;
    wr_t w = wr_of(arena_alloc(a, EX_HEADER_RLP_MAX), EX_HEADER_RLP_MAX);
    if (!w.p)
        return no_memory(e);
    ex_header_encode(&w, x.header);
    out->header = wr_view(&w);
    return RC_OK;
}

rc_t lie_of_answer(lie_t *out, err_t *e, arena_t *a, query_t *q, size_t i, const need_t *need, uint64_t id, view_t body)
{
    static const cap_form_t usual;
    const ex_block_t *b = need->block;
    jo_doc_t doc;
    *out = (lie_t){ .block_number = b->env.number, .block_hash = b->block_hash, .state_root = b->state_root };
    rc_t rc = take_expected(out, e, a, q, i);
    if (!rc)
        rc = jr_encode(&out->request, e, a, &need, 1, &usual);
    if (rc)
        return rc;
    jo_t root = jo_open(&doc, e, body, JR_BODY_MAX, JO_LENIENT);
    rc = jo_rc(&root);
    if (!rc)
        rc = cut_out(out, e, a, &root, id);
    jo_close(&doc);
    return rc;
}

/* The keys of a committee, and the aggregate one. */
static rc_t copy_committee(view_t *out, arena_t *a, const lc_store_committee_t *c, uint32_t size)
{
    if (!c->known)
        return RC_OK;
    const size_t n = (size_t)size * sizeof c->keys.pubkeys[0];
    uint8_t *p = arena_alloc(a, n + sizeof c->keys.aggregate_pubkey);
    if (!p)
        return RC_NOMEM;
    memcpy(p, c->keys.pubkeys, n);
    memcpy(p + n, &c->keys.aggregate_pubkey, sizeof c->keys.aggregate_pubkey);
    *out = view_of(p, n + sizeof c->keys.aggregate_pubkey);
    return RC_OK;
}

rc_t lie_of_object(lie_t *out, err_t *e, arena_t *a, const lc_want_t *want, lc_fork_t fork, view_t ssz,
                   const hash32_t *checkpoint, const lc_store_t *store, uint64_t slot)
{
    char path[BN_PATH_MAX], request[BN_PATH_MAX + 4] = "GET ";
    bn_path(path, want);
    memcpy(request + 4, path, strlen(path) + 1);
    *out = (lie_t){ .beacon = true, .kind = want->kind, .fork = fork, .checkpoint = *checkpoint, .slot = slot };
    out->request = arena_dup(a, view_str(request));
    out->object = arena_dup(a, ssz);
    if (!out->request.p || (ssz.n && !out->object.p))
        return no_memory(e);
    if (want->kind == LC_BOOTSTRAP || !store)
        return RC_OK;
    const uint32_t size = store->network->preset.committee_size;
    out->finalized_slot = store->finalized_header.beacon.slot;
    if (copy_committee(&out->committee, a, &store->current_sync_committee, size) ||
        copy_committee(&out->next_committee, a, &store->next_sync_committee, size))
        return no_memory(e);
    return RC_OK;
}

/* ---- written ---- */

static void put_execution(jw_t *w, const lie_t *lie)
{
    jw_object(w, "block");
    jw_quantity(w, "number", lie->block_number);
    jw_hex(w, "hash", view_of(lie->block_hash.b, 32));
    jw_hex(w, "state_root", view_of(lie->state_root.b, 32));
    jw_end(w);
    if (lie->has_expected)
        jw_hex(w, "expected", view_of(lie->expected.b, 32));
    if (lie->header.n)
        jw_hex(w, "header", lie->header);
    jw_raw(w, "request", lie->request);
    if (lie->answer.n) {
        jw_raw(w, "answer", lie->answer);
        return;
    }
    jw_null(w, "answer");
    jw_u64(w, "answer_bytes", lie->answer_bytes);
}

static void put_beacon(jw_t *w, const lie_t *lie)
{
    jw_text(w, "request", lie->request);
    jw_object(w, "object");
    jw_str(w, "kind", kinds[lie->kind]);
    jw_str(w, "fork", lc_fork_name(lie->fork));
    jw_hex(w, "ssz", lie->object);
    jw_end(w);
    if (lie->kind == LC_BOOTSTRAP) {
        jw_hex(w, "checkpoint", view_of(lie->checkpoint.b, 32));
        return;
    }
    jw_object(w, "held_to");
    jw_decimal(w, "slot", lie->slot);
    jw_decimal(w, "finalized_slot", lie->finalized_slot);
    jw_hex(w, "committee", lie->committee);
    if (lie->next_committee.n)
        jw_hex(w, "next_committee", lie->next_committee);
    jw_end(w);
}

rc_t lie_write(view_t *out, err_t *e, arena_t *a, const lie_t *lie)
{
    jw_t w = jw_of(a, LIE_RECORD_MAX);
    jw_object(&w, NULL);
    jw_u64(&w, "kettle_lie", VERSION);
    jw_time(&w, "at", lie->at_s);
    jw_text(&w, "endpoint", lie->endpoint);
    if (lie->endpoint_id.n)
        jw_text(&w, "endpoint_id", lie->endpoint_id);
    jw_text(&w, "network", lie->network);
    jw_text(&w, "reason", lie->reason);
    (lie->beacon ? put_beacon : put_execution)(&w, lie);
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (w.rc)
        return err_set(e, w.rc, "the record of a lie could not be written: %s", rc_name(w.rc));
    *out = text;
    return RC_OK;
}

/* ---- read ---- */

static void read_execution(lie_t *out, arena_t *a, const jo_t *o)
{
    const jo_t block = jo_object(o, "block");
    out->block_number = jo_quantity(&block, "number");
    jo_hex(&block, out->block_hash.b, 32, "hash", HEX_0X);
    jo_hex(&block, out->state_root.b, 32, "state_root", HEX_0X);
    out->has_expected = jo_opt_hex(o, out->expected.b, 32, "expected", HEX_0X);
    jo_opt_bytes(o, &out->header, a, "header", 1, EX_HEADER_RLP_MAX, HEX_0X);
    const jo_t request = jo_object(o, "request");
    out->request = jo_as_written(&request, a, NULL);
    if (!jo_has(o, "answer")) {
        jo_skip(o, "answer");
        out->answer_bytes = jo_u64(o, "answer_bytes", LIE_ANSWER_MAX + 1, SIZE_MAX);
        return;
    }
    const jo_t answer = jo_object(o, "answer");
    out->answer = jo_as_written(&answer, a, NULL);
}

static lc_fork_t read_fork(const jo_t *o, const char *key)
{
    const view_t name = jo_text(o, key, 1, LIE_NAME_MAX);
    for (unsigned f = 0; f < LC_FORKS; f++)
        if (view_eq(name, view_str(lc_fork_name((lc_fork_t)f))))
            return (lc_fork_t)f;
    jo_fail(o, key, RC_MALFORMED, "is no fork that this build knows");
    return (lc_fork_t)0;
}

static void read_beacon(lie_t *out, arena_t *a, const jo_t *o)
{
    const jo_t object = jo_object(o, "object");
    out->request = jo_text_copy(o, a, "request", 5, BN_PATH_MAX + 4);
    out->kind = (lc_kind_t)jo_word(&object, "kind", kinds);
    out->fork = read_fork(&object, "fork");
    out->object = jo_bytes(&object, a, "ssz", 0, LC_OBJECT_LEN_MAX, HEX_0X);
    if (out->kind < LC_BOOTSTRAP)
        jo_fail(&object, "kind", RC_MALFORMED, "is no kind of object");
    if (out->kind == LC_BOOTSTRAP) {
        jo_hex(o, out->checkpoint.b, 32, "checkpoint", HEX_0X);
        return;
    }
    const jo_t held = jo_object(o, "held_to");
    out->slot = jo_decimal(&held, "slot", UINT64_MAX);
    out->finalized_slot = jo_decimal(&held, "finalized_slot", UINT64_MAX);
    out->committee = jo_bytes(&held, a, "committee", sizeof(bls_pubkey_t), COMMITTEE_MAX, HEX_0X);
    jo_opt_bytes(&held, &out->next_committee, a, "next_committee", sizeof(bls_pubkey_t), COMMITTEE_MAX, HEX_0X);
}

rc_t lie_read(lie_t *out, err_t *e, arena_t *a, view_t text)
{
    jo_doc_t doc;
    lie_t lie = { .at_s = 0 };
    const jo_t o = jo_open(&doc, e, text, LIE_RECORD_MAX, JO_STRICT);
    const jo_t root = jo_object(&o, NULL);
    if (jo_u64(&root, "kettle_lie", 0, UINT64_MAX) != VERSION)
        jo_fail(&root, "kettle_lie", RC_UNSUPPORTED, "is of another version than %u", VERSION);
    lie.at_s = jo_time(&root, "at");
    lie.endpoint = jo_text_copy(&root, a, "endpoint", 1, LIE_ENDPOINT_MAX);
    if (jo_has(&root, "endpoint_id"))
        lie.endpoint_id = jo_text_copy(&root, a, "endpoint_id", LIE_ID_LEN, LIE_ID_LEN);
    lie.network = jo_text_copy(&root, a, "network", 0, LIE_NAME_MAX);
    lie.reason = jo_text_copy(&root, a, "reason", 0, LIE_REASON_MAX);
    lie.beacon = jo_has(&root, "object");
    (lie.beacon ? read_beacon : read_execution)(&lie, a, &root);
    const rc_t rc = jo_done(&root);
    jo_close(&doc);
    if (!rc)
        *out = lie;
    return rc;
}
