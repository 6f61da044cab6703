#include "tests/vectors/upstream.h"

#include <stdlib.h>
#include <string.h>

#include "rpc/upstream/decode.h"
#include "tests/give.h"

/* The answer to one element of a batch. */
static json_t *element(upstream_t *up, const json_t *request)
{
    const char *method = vec_str(request, "method");
    json_t *result = up->result(up->ctx, method, json_object_get(request, "params"));
    json_t *out = json_object();
    json_object_set_new(out, "jsonrpc", json_string("2.0"));
    json_object_set(out, "id", json_object_get(request, "id"));
    if (result)
        json_object_set_new(out, "result", result);
    else
        json_object_set_new(out, "error", json_pack("{s:i,s:s}", "code", -32000, "message", "not recorded"));
    if (!result && strcmp(method, "eth_createAccessList"))
        up->unrecorded++;
    return out;
}

/* Elements in reverse: their order is free. */
static char *batch(upstream_t *up, view_t text)
{
    json_t *requests = json_loadb((const char *)text.p, text.n, 0, NULL), *answers = json_array();
    if (json_is_object(requests)) /* one alone */
        requests = json_pack("[o]", requests);
    for (size_t i = json_array_size(requests); i-- > 0;)
        json_array_append_new(answers, element(up, json_array_get(requests, i)));
    char *out = json_dumps(answers, JSON_COMPACT);
    json_decref(requests);
    json_decref(answers);
    return out;
}

static rc_t round_trip(query_t *call, upstream_t *up, err_t *e)
{
    const need_t *needs;
    view_t text;
    arena_t a;
    size_t count = query_needs(call, &needs), given = 0;
    arena_init(&a, 256u << 20);
    bool *answered = arena_calloc(&a, count, sizeof *answered);
    rc_t rc = give_request(&text, &a, needs, count);
    if (!rc) {
        char *body = batch(up, text);
        rc = give_body(call, answered, e, needs, count, view_str(body));
        free(body);
    }
    for (size_t i = 0; i < count; i++)
        given += answered[i];
    arena_free(&a);
    if (rc == RC_IO && given) /* what is not recorded is mostly what only a guess asked for */
        return RC_OK;
    return rc == RC_IO ? RC_NEED_DATA : rc;
}

rc_t upstream_drive(query_t *call, upstream_t *up, err_t *e)
{
    for (;;) {
        err_clear(e);
        rc_t rc = query_step(call, e);
        if (rc == RC_NEED_DATA)
            rc = round_trip(call, up, e);
        else
            return rc;
        if (rc)
            return rc;
    }
}

rc_t upstream_call(query_t *call, upstream_t *up, char *why, size_t why_cap)
{
    err_t e = { 0 };
    const rc_t rc = upstream_drive(call, up, &e);
    snprintf(why, why_cap, "%s", rc ? e.text : "");
    return rc;
}

/* The same tree as a document of its own. */
static jo_t open_tree(jo_doc_t *doc, err_t *e, char **text, const json_t *tree)
{
    *text = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY);
    return jo_open(doc, e, view_str(*text ? *text : ""), SIZE_MAX, JO_STRICT);
}

static const char *fault_text(const err_t *e)
{
    static char text[400];
    snprintf(text, sizeof text, "%s %s", e->field, e->text);
    return text;
}

const char *upstream_header(ex_header_t *out, const json_t *block)
{
    jo_doc_t doc;
    err_t e;
    char *text;
    const jo_t o = open_tree(&doc, &e, &text, block);
    rc_t rc = jr_read_header(out, &o);
    jo_close(&doc);
    free(text);
    return rc ? fault_text(&e) : NULL;
}

const char *upstream_proof(ex_proof_answer_t *out, arena_t *a, const json_t *result, size_t slots_max)
{
    jo_doc_t doc;
    err_t e;
    char *text;
    const jo_t o = open_tree(&doc, &e, &text, result);
    rc_t rc = jr_read_proof(out, a, &o, slots_max);
    if (!rc)
        rc = jo_done(&o);
    jo_close(&doc);
    free(text);
    return rc ? fault_text(&e) : NULL;
}

static const char *read_differs(const ex_read_result_t *r, const mpt_account_t *account, const u256_t *values)
{
    const mpt_account_t *a = &r->account;
    if (a->exists != account->exists || a->nonce != account->nonce || !u256_eq(&a->balance, &account->balance) ||
        !hash32_eq(&a->code_hash, &account->code_hash) || !hash32_eq(&a->storage_root, &account->storage_root))
        return "the account that was read";
    for (size_t i = 0; i < r->value_count; i++)
        if (!u256_eq(&r->values[i], &values[i]))
            return "a slot that was read";
    return NULL;
}

const char *upstream_read(const ex_block_t *block, const addr_t *addr, const hash32_t *slots, size_t slot_count,
                          const ex_proof_answer_t *proof, const mpt_account_t *account, const u256_t *values)
{
    const ex_read_config_t config = { .block = block, .addr = *addr, .slots = slots, .slot_count = slot_count };
    const char *bad = NULL;
    const need_t *needs;
    query_t *q;
    if (ex_read_new(&q, NULL, &config))
        return "a read that could not begin";
    if (query_step(q, NULL) != RC_NEED_DATA || query_needs(q, &needs) != 1)
        bad = "needs of a read";
    else if (needs[0].slot_count == slot_count) {
        rc_t rc = query_give(q, NULL, 0, &(answer_t){ .kind = NEED_PROOF, .proof = *proof });
        bad = rc || query_step(q, NULL) ? "a read with the proof" : read_differs(ex_read_result(q), account, values);
    }
    query_free(q);
    return bad;
}

bool upstream_block(ex_block_t *out, const json_t *header, uint64_t chain_id)
{
    ex_header_t h;
    memset(out, 0, sizeof *out);
    if (upstream_header(&h, header) || !vec_fixed(out->block_hash.b, 32, json_object_get(header, "hash")))
        return false;
    out->parent_hash = h.parent_hash;
    out->state_root = h.state_root;
    out->env = (evm_block_t){ .number = h.number,
                              .timestamp = h.timestamp,
                              .gas_limit = h.gas_limit,
                              .coinbase = h.coinbase,
                              .prev_randao = h.mix_hash,
                              .base_fee = h.base_fee,
                              .excess_blob_gas = h.excess_blob_gas,
                              .chain_id = chain_id,
                              .slot_number = h.slot_number };
    return ex_header_check(&h, &out->block_hash) == RC_OK;
}
