#include "rpc/api/callobject.h"

#include "rpc/upstream/decode.h"

static void read_fees(ex_request_t *q, const jo_t *o)
{
    u256_t price = u256_of(0), max_fee = u256_of(0);
    const bool has_price = jo_opt_quantity256(o, &price, "gasPrice");
    const bool has_max_fee = jo_opt_quantity256(o, &max_fee, "maxFeePerGas");
    const bool has_tip = jo_opt_quantity256(o, &q->max_priority_fee, "maxPriorityFeePerGas");
    if (has_price && (has_max_fee || has_tip))
        jo_fail(o, NULL, RC_MALFORMED, "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    q->dynamic_fee = has_max_fee || has_tip;
    q->has_gas_price = has_price || q->dynamic_fee;
    q->gas_price = has_price ? price : max_fee;
}

/* Both names are in use, and some clients give both. */
static void read_data(ex_request_t *q, arena_t *a, const jo_t *o)
{
    view_t input = { NULL, 0 };
    const bool has_data = jo_opt_bytes(o, &q->data, a, "data", 0, API_CALL_MAX, HEX_0X);
    if (!jo_opt_bytes(o, &input, a, "input", 0, API_CALL_MAX, HEX_0X))
        return;
    if (has_data && !view_eq(q->data, input))
        jo_fail(
            o, NULL, RC_MALFORMED,
            "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction call data");
    q->data = input;
}

/* What has no influence on a call, but must be well-formed. */
static void read_ignored(const jo_t *o)
{
    static const char *const names[] = { "nonce", "type" };
    uint64_t x;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        jo_opt_quantity(o, &x, names[i]);
}

rc_t api_read_call(ex_request_t *out, arena_t *a, const jo_t *o)
{
    ex_request_t q = { .has_to = false };
    jo_t list;
    jo_opt_hex(o, q.from.b, sizeof q.from.b, "from", HEX_0X);
    q.has_to = jo_opt_hex(o, q.to.b, sizeof q.to.b, "to", HEX_0X);
    q.has_gas = jo_opt_quantity(o, &q.gas, "gas");
    q.has_chain_id = jo_opt_quantity(o, &q.chain_id, "chainId");
    jo_opt_quantity256(o, &q.value, "value");
    read_fees(&q, o);
    read_data(&q, a, o);
    read_ignored(o);
    if (jo_opt_list(o, &list, "accessList", 0, SIZE_MAX) && jr_read_access_list(&q.access, &q.access_count, a, &list))
        return jo_rc(o);
    if (!jo_rc(o))
        *out = q;
    return jo_rc(o);
}

rc_t api_parse_call(ex_request_t *out, err_t *e, arena_t *a, view_t body)
{
    jo_doc_t doc;
    ex_request_t q;
    const jo_t o = jo_open(&doc, e, body, API_CALL_MAX, JO_STRICT);
    rc_t rc = api_read_call(&q, a, &o);
    if (!rc)
        rc = jo_done(&o);
    if (!rc)
        *out = q;
    jo_close(&doc);
    return rc;
}
