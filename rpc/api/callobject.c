#include <stdio.h>

#include "rpc/upstream/json.h"
#include "rpc/upstream/jsonrpc.h"

/* What is being read: the request being filled, and the fields whose meaning depends on others. */
typedef struct {
    ex_request_t q;
    arena_t *arena;
    view_t data, input;
    bool has_data, has_input, has_max_fee, has_tip, has_price;
    u256_t max_fee, tip, price;
} reading_t;

static bool read_to(reading_t *r, const json_t *v)
{
    if (json_is_null(v)) /* as web3.js writes a creation */
        return true;
    r->q.has_to = true;
    return jr_fixed(r->q.to.b, sizeof r->q.to.b, v);
}

static bool read_access_entry(reading_t *r, evm_access_t *out, json_t *entry)
{
    static const char *const names[] = { "address", "storageKeys", NULL };
    const char *unknown;
    const json_t *keys = json_object_get(entry, "storageKeys");
    size_t n = json_array_size(keys);
    if (!json_is_object(entry) || !json_is_array(keys) || !json_only_members(&unknown, entry, names))
        return false;
    hash32_t *slots = arena_alloc(r->arena, n * sizeof *slots);
    if (!slots || !jr_fixed(out->addr.b, sizeof out->addr.b, json_object_get(entry, "address")))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!jr_fixed(slots[i].b, sizeof slots[i].b, json_array_get(keys, i)))
            return false;
    out->keys = slots;
    out->key_count = n;
    return true;
}

static bool read_access_list(reading_t *r, const json_t *v)
{
    size_t n = json_array_size(v);
    evm_access_t *list = json_is_array(v) ? arena_calloc(r->arena, n, sizeof *list) : NULL;
    for (size_t i = 0; list && i < n; i++)
        if (!read_access_entry(r, &list[i], json_array_get(v, i)))
            return false;
    r->q.access = list;
    r->q.access_count = n;
    return list != NULL;
}

static bool read_from(reading_t *r, const json_t *v)
{
    return jr_fixed(r->q.from.b, sizeof r->q.from.b, v);
}
static bool read_gas(reading_t *r, const json_t *v)
{
    return r->q.has_gas = true, jr_u64(&r->q.gas, v);
}
static bool read_price(reading_t *r, const json_t *v)
{
    return r->has_price = true, jr_u256(&r->price, v);
}
static bool read_max_fee(reading_t *r, const json_t *v)
{
    return r->has_max_fee = true, jr_u256(&r->max_fee, v);
}
static bool read_tip(reading_t *r, const json_t *v)
{
    return r->has_tip = true, jr_u256(&r->tip, v);
}
static bool read_value(reading_t *r, const json_t *v)
{
    return jr_u256(&r->q.value, v);
}
static bool read_data(reading_t *r, const json_t *v)
{
    return r->has_data = true, jr_bytes(&r->data, r->arena, v);
}
static bool read_input(reading_t *r, const json_t *v)
{
    return r->has_input = true, jr_bytes(&r->input, r->arena, v);
}
static bool read_chain_id(reading_t *r, const json_t *v)
{
    return r->q.has_chain_id = true, jr_u64(&r->q.chain_id, v);
}

/* Has no influence on a call, but must be well-formed. */
static bool read_ignored(reading_t *r, const json_t *v)
{
    uint64_t x;
    (void)r;
    return jr_u64(&x, v);
}

static const struct {
    const char *name;
    bool (*read)(reading_t *r, const json_t *v);
} fields[] = {
    { "from", read_from },
    { "to", read_to },
    { "gas", read_gas },
    { "gasPrice", read_price },
    { "maxFeePerGas", read_max_fee },
    { "maxPriorityFeePerGas", read_tip },
    { "value", read_value },
    { "data", read_data },
    { "input", read_input },
    { "accessList", read_access_list },
    { "chainId", read_chain_id },
    { "nonce", read_ignored },
    { "type", read_ignored },
};

#define FIELD_COUNT (sizeof fields / sizeof fields[0])

/* Repeats a name from outside: cut, and printable. */
static void say_field(char *why, size_t cap, const char *text, const char *name)
{
    char clean[33];
    size_t n = 0;
    for (; name[n] && n < sizeof clean - 1; n++)
        clean[n] = name[n] >= ' ' && name[n] <= '~' ? name[n] : '.';
    clean[n] = '\0';
    snprintf(why, cap, "%s %s", text, clean);
}

static rc_t read_fields(reading_t *r, char *why, size_t why_cap, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach (object, key, value) {
        size_t i = 0;
        while (i < FIELD_COUNT && strcmp(fields[i].name, key) != 0)
            i++;
        if (i == FIELD_COUNT || !fields[i].read(r, value)) {
            say_field(why, why_cap, i == FIELD_COUNT ? "call object: unknown field" : "call object: bad field", key);
            return RC_MALFORMED;
        }
    }
    return RC_OK;
}

/* Fields that speak of the same thing. NULL when they agree. */
static const char *combine(reading_t *r)
{
    if (r->has_data && r->has_input && !view_eq(r->data, r->input))
        return "call object: data and input differ";
    if (r->has_price && (r->has_max_fee || r->has_tip))
        return "call object: both gasPrice and EIP-1559 fees are given";
    r->q.data = r->has_input ? r->input : r->data;
    r->q.dynamic_fee = r->has_max_fee || r->has_tip;
    r->q.has_gas_price = r->has_price || r->q.dynamic_fee;
    r->q.gas_price = r->has_price ? r->price : r->max_fee;
    r->q.max_priority_fee = r->tip;
    return NULL;
}

rc_t jr_parse_call(ex_request_t *out, arena_t *a, char *why, size_t why_cap, view_t body)
{
    reading_t r = { .arena = a };
    json_t *root = NULL;
    snprintf(why, why_cap, "call object: not JSON within the limits");
    rc_t rc = json_load_strict(&root, body, JR_CALL_MAX);
    if (rc)
        return rc;
    if (json_is_object(root))
        rc = read_fields(&r, why, why_cap, root);
    else {
        snprintf(why, why_cap, "call object: not an object");
        rc = RC_MALFORMED;
    }
    json_decref(root);
    const char *conflict = rc ? NULL : combine(&r);
    if (conflict) {
        snprintf(why, why_cap, "%s", conflict);
        rc = RC_MALFORMED;
    }
    if (rc)
        return rc;
    snprintf(why, why_cap, "%s", "");
    *out = r.q;
    return RC_OK;
}
