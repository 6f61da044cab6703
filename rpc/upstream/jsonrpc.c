#include "rpc/upstream/jsonrpc.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/hex.h"
#include "rpc/upstream/json.h"

#define MESSAGE_MAX 120 /* characters of an upstream's error message that are repeated */

/* ---- requests ---- */

static void put_text(wr_t *w, const char *s)
{
    wr_bytes(w, s, strlen(s));
}

static void put_hex(wr_t *w, const void *p, size_t n)
{
    char byte[3];
    put_text(w, "\"0x");
    for (size_t i = 0; i < n; i++) {
        hex_encode(byte, view_of((const uint8_t *)p + i, 1));
        wr_bytes(w, byte, 2);
    }
    put_text(w, "\"");
}

static void put_u64(wr_t *w, uint64_t x)
{
    char text[24];
    snprintf(text, sizeof text, "\"0x%llx\"", (unsigned long long)x);
    put_text(w, text);
}

static void put_u256(wr_t *w, const u256_t *x)
{
    char text[80];
    int top = 3;
    while (top > 0 && x->w[top] == 0)
        top--;
    int n = snprintf(text, sizeof text, "\"0x%llx", (unsigned long long)x->w[top]);
    while (top-- > 0)
        n += snprintf(text + n, sizeof text - (size_t)n, "%016llx", (unsigned long long)x->w[top]);
    put_text(w, text);
    put_text(w, "\"");
}

static void put_access(wr_t *w, const evm_access_t *list, size_t count)
{
    put_text(w, ",\"accessList\":[");
    for (size_t i = 0; i < count; i++) {
        put_text(w, i ? ",{\"address\":" : "{\"address\":");
        put_hex(w, list[i].addr.b, sizeof list[i].addr.b);
        put_text(w, ",\"storageKeys\":[");
        for (size_t k = 0; k < list[i].key_count; k++) {
            put_text(w, k ? "," : "");
            put_hex(w, list[i].keys[k].b, sizeof list[i].keys[k].b);
        }
        put_text(w, "]}");
    }
    put_text(w, "]");
}

/* The transaction object as the caller gave it: what was left out is left out here, too. */
static void put_request(wr_t *w, const ex_request_t *q)
{
    put_text(w, "{\"from\":");
    put_hex(w, q->from.b, sizeof q->from.b);
    if (q->has_to) {
        put_text(w, ",\"to\":");
        put_hex(w, q->to.b, sizeof q->to.b);
    }
    if (q->has_gas) {
        put_text(w, ",\"gas\":");
        put_u64(w, q->gas);
    }
    if (q->has_gas_price) {
        put_text(w, q->dynamic_fee ? ",\"maxFeePerGas\":" : ",\"gasPrice\":");
        put_u256(w, &q->gas_price);
    }
    if (q->dynamic_fee) {
        put_text(w, ",\"maxPriorityFeePerGas\":");
        put_u256(w, &q->max_priority_fee);
    }
    if (!u256_is_zero(&q->value)) {
        put_text(w, ",\"value\":");
        put_u256(w, &q->value);
    }
    put_text(w, ",\"data\":");
    put_hex(w, q->data.p, q->data.n);
    if (q->access_count)
        put_access(w, q->access, q->access_count);
    put_text(w, "}");
}

static const char *method_of(need_kind_t kind)
{
    switch (kind) {
    case NEED_HINT: return "eth_createAccessList";
    case NEED_PROOF: return "eth_getProof";
    case NEED_CODE: return "eth_getCode";
    case NEED_HEADER: return "eth_getBlockByNumber";
    }
    return "?";
}

/* The block is named by its number, which every server takes; the proofs are checked against its state root. */
static void put_need(wr_t *w, size_t id, const need_t *need, const ex_block_t *block, const ex_request_t *q)
{
    char head[96];
    snprintf(head, sizeof head, "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"%s\",\"params\":[", id,
             method_of(need->kind));
    put_text(w, head);
    if (need->kind == NEED_HEADER) {
        put_u64(w, need->number);
        put_text(w, ",false]}");
        return;
    }
    if (need->kind == NEED_HINT)
        put_request(w, q);
    else
        put_hex(w, need->addr.b, sizeof need->addr.b);
    if (need->kind == NEED_PROOF) {
        put_text(w, ",[");
        for (size_t i = 0; i < need->slot_count; i++) {
            put_text(w, i ? "," : "");
            put_hex(w, need->slots[i].b, sizeof need->slots[i].b);
        }
        put_text(w, "]");
    }
    put_text(w, ",");
    put_u64(w, block->env.number);
    put_text(w, "]}");
}

/* At least as many bytes as put_need writes. */
static size_t need_len(const need_t *need, const ex_request_t *q)
{
    size_t n = 256 + need->slot_count * 72;
    if (need->kind == NEED_HINT) {
        n += 1024 + 2 * q->data.n;
        for (size_t i = 0; i < q->access_count; i++)
            n += 96 + 72 * q->access[i].key_count;
    }
    return n;
}

rc_t jr_encode_needs(view_t *out, arena_t *a, const need_t *needs, const bool *answered, size_t count,
                     const ex_block_t *block, const ex_request_t *request)
{
    size_t cap = 2 + count;
    const char *between = "";
    for (size_t i = 0; i < count; i++)
        cap += need_len(&needs[i], request);
    uint8_t *text = arena_alloc(a, cap);
    if (!text)
        return RC_NOMEM;
    wr_t w = wr_of(text, cap);
    put_text(&w, "[");
    for (size_t i = 0; i < count; i++) {
        if (answered && answered[i])
            continue;
        put_text(&w, between);
        put_need(&w, i + 1, &needs[i], block, request);
        between = ",";
    }
    put_text(&w, "]");
    if (w.bad)
        return RC_BUG;
    *out = wr_view(&w);
    return RC_OK;
}

/* ---- answers ---- */

typedef struct {
    query_t *query;
    const need_t *needs;
    size_t first; /* the query's number of needs[0] */
    size_t count;
    bool *answered;
    const json_t **by_id; /* element for need i */
    arena_t arena;        /* of the element at hand */
    char *why;
    size_t why_cap;
} element_t;

__attribute__((format(printf, 3, 4))) static void say(char *why, size_t cap, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, cap, fmt, ap);
    va_end(ap);
}

/* "eth_getProof 0x...: " and a text. */
static rc_t fault(element_t *x, const need_t *need, rc_t rc, const char *text)
{
    char hex[2 * sizeof(addr_t) + 1];
    hex_encode(hex, view_of(need->addr.b, sizeof need->addr.b));
    if (need->kind == NEED_HINT)
        say(x->why, x->why_cap, "%s: %s", method_of(need->kind), text);
    else if (need->kind == NEED_HEADER)
        say(x->why, x->why_cap, "%s %llu: %s", method_of(need->kind), (unsigned long long)need->number, text);
    else
        say(x->why, x->why_cap, "%s 0x%s: %s", method_of(need->kind), hex, text);
    return rc;
}

/* Code and message of an error object; what cannot be printed becomes a dot. */
static void error_text(char *out, size_t cap, const json_t *error)
{
    char message[MESSAGE_MAX + 1];
    const char *m = json_string_value(json_object_get(error, "message"));
    const json_t *code = json_object_get(error, "code");
    size_t n = 0;
    for (; m && m[n] && n < MESSAGE_MAX; n++)
        message[n] = m[n] >= ' ' && m[n] <= '~' ? m[n] : '.';
    message[n] = '\0';
    if (json_is_integer(code))
        say(out, cap, "error %lld: %s", (long long)json_integer_value(code), message);
    else
        say(out, cap, "error: %s", message);
}

/* Names the field that is not as the specification has it. The text of a key from outside is cut and made printable. */
static rc_t bad_field(element_t *x, const need_t *need, const char *field)
{
    char text[64], name[33];
    size_t n = 0;
    for (; field[n] && n < sizeof name - 1; n++)
        name[n] = field[n] >= ' ' && field[n] <= '~' ? field[n] : '.';
    name[n] = '\0';
    say(text, sizeof text, "bad field %s", name);
    return fault(x, need, RC_MALFORMED, text);
}

static rc_t give(element_t *x, size_t i, const answer_t *answer)
{
    err_t e;
    rc_t rc = query_give(x->query, &e, x->first + i, answer);
    return rc ? fault(x, &x->needs[i], rc, e.text) : RC_OK;
}

static rc_t take_proof(element_t *x, size_t i, json_t *result)
{
    answer_t answer = { .kind = NEED_PROOF };
    const char *field = jr_proof(&answer.proof, &x->arena, result, NEED_SLOTS_MAX);
    return field ? bad_field(x, &x->needs[i], field) : give(x, i, &answer);
}

static rc_t take_code(element_t *x, size_t i, const json_t *result)
{
    answer_t answer = { .kind = NEED_CODE };
    if (json_string_length(result) > 2 * EX_CODE_MAX + 2)
        return fault(x, &x->needs[i], RC_LIMIT, "code is longer than any contract's");
    return jr_bytes(&answer.code, &x->arena, result) ? give(x, i, &answer) : bad_field(x, &x->needs[i], "result");
}

static rc_t take_header(element_t *x, size_t i, const json_t *result)
{
    answer_t answer = { .kind = NEED_HEADER };
    const char *field = "result";
    if (!json_is_object(result) || jr_header(&answer.header, &field, result))
        return bad_field(x, &x->needs[i], field);
    return give(x, i, &answer);
}

static bool read_access(evm_access_t *out, arena_t *a, const json_t *entry)
{
    const json_t *keys = json_object_get(entry, "storageKeys");
    size_t n = json_array_size(keys);
    hash32_t *slots = arena_alloc(a, n * sizeof *slots);
    if (!slots || !json_is_array(keys) || !jr_fixed(out->addr.b, sizeof out->addr.b, json_object_get(entry, "address")))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!jr_fixed(slots[i].b, sizeof slots[i].b, json_array_get(keys, i)))
            return false;
    out->keys = slots;
    out->key_count = n;
    return true;
}

/* A list that does not parse is no hint; so is an error. */
static rc_t take_hint(element_t *x, size_t i, const json_t *result)
{
    const json_t *list = json_object_get(result, "accessList");
    size_t n = json_array_size(list);
    evm_access_t *access = arena_calloc(&x->arena, n, sizeof *access);
    for (size_t k = 0; k < n; k++)
        if (!access || !read_access(&access[k], &x->arena, json_array_get(list, k)))
            n = 0;
    return give(x, i, &(answer_t){ .kind = NEED_HINT, .hint = access, .hint_count = n });
}

/* One element of the batch, for a need that is still open. */
static rc_t take(element_t *x, size_t i)
{
    const need_t *need = &x->needs[i];
    const json_t *error = json_object_get(x->by_id[i], "error");
    json_t *result = json_object_get(x->by_id[i], "result");
    char text[MESSAGE_MAX + 48];
    if (need->kind == NEED_HINT)
        return take_hint(x, i, error ? NULL : result);
    if (error) {
        error_text(text, sizeof text, error);
        return fault(x, need, RC_IO, text);
    }
    if (json_is_null(result))
        return fault(x, need, RC_IO, "the answer is null");
    if (need->kind == NEED_PROOF)
        return take_proof(x, i, result);
    return need->kind == NEED_CODE ? take_code(x, i, result) : take_header(x, i, result);
}

/* Puts one element of the batch where its id belongs. */
static rc_t place(element_t *x, json_t *element)
{
    static const char *const names[] = { "jsonrpc", "id", "result", "error", NULL };
    const json_t *id = json_object_get(element, "id"), *version = json_object_get(element, "jsonrpc");
    const char *problem = NULL, *unknown;
    json_int_t n = json_integer_value(id);
    if (!json_is_object(element))
        problem = "an element is not an object";
    else if (!json_only_members(&unknown, element, names))
        problem = "an element has an unknown field";
    else if (!version || !json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
        problem = "an element is not JSON-RPC 2.0";
    else if (!json_is_integer(id) || n < 1 || (uint64_t)n > x->count)
        problem = "an element has an id that was not asked for";
    else if (x->by_id[n - 1])
        problem = "two elements have the same id";
    else if (!json_object_get(element, "result") == !json_object_get(element, "error"))
        problem = "an element must have either a result or an error";
    else if (json_object_get(element, "error") && !json_is_object(json_object_get(element, "error")))
        problem = "an element has an error that is not an object";
    if (problem) {
        say(x->why, x->why_cap, "batch: %s", problem);
        return RC_MALFORMED;
    }
    x->by_id[n - 1] = element;
    return RC_OK;
}

/* Sorts the elements by need; needs may be left without one. */
static rc_t place_all(element_t *x, json_t *root)
{
    char text[MESSAGE_MAX + 48];
    rc_t rc = RC_OK;
    if (json_is_object(root)) {
        const json_t *error = json_object_get(root, "error");
        if (json_is_object(error) && (x->count > 1 || !json_is_integer(json_object_get(root, "id")))) {
            error_text(text, sizeof text, error);
            say(x->why, x->why_cap, "the whole batch was refused: %s", text);
            return RC_IO;
        }
        return place(x, root); /* some servers answer a batch of one with the element alone */
    }
    if (json_array_size(root) > x->count) {
        say(x->why, x->why_cap, "batch: more elements than were asked for");
        return RC_MALFORMED;
    }
    for (size_t i = 0; i < json_array_size(root) && !rc; i++)
        rc = place(x, json_array_get(root, i));
    return rc;
}

/* Feeds in an order in which each answer can be judged at once: proofs before codes, headers downwards. */
static rc_t feed(element_t *x)
{
    static const need_kind_t order[] = { NEED_PROOF, NEED_HEADER, NEED_CODE, NEED_HINT };
    char first[256] = "";
    rc_t first_rc = RC_OK;
    for (size_t pass = 0; pass < sizeof order / sizeof order[0]; pass++)
        for (size_t i = 0; i < x->count; i++) {
            if (x->needs[i].kind != order[pass] || x->answered[i])
                continue;
            rc_t rc = x->by_id[i] ? take(x, i) : fault(x, &x->needs[i], RC_MALFORMED, "the batch has no answer to it");
            arena_free(&x->arena);
            x->answered[i] = rc == RC_OK;
            if (rc && !first_rc) {
                first_rc = rc;
                say(first, sizeof first, "%s", x->why);
            }
        }
    say(x->why, x->why_cap, "%s", first);
    return first_rc;
}

rc_t jr_answer_needs(query_t *query, bool *answered, char *why, size_t why_cap, const need_t *needs, size_t count,
                     view_t body)
{
    const need_t *all;
    arena_t list;
    query_needs(query, &all);
    element_t x = { query, needs, (size_t)(needs - all), count, answered, NULL, { 0 }, why, why_cap };
    json_t *root = NULL;
    say(why, why_cap, "%s", "");
    arena_init(&list, count * sizeof(json_t *) + 65536);
    arena_init(&x.arena, 2 * (size_t)JR_BODY_MAX);
    rc_t rc = json_load_strict(&root, body, JR_BODY_MAX);
    if (rc)
        say(why, why_cap, "batch: the answer is not JSON within the limits (%s)", rc_name(rc));
    else {
        x.by_id = arena_calloc(&list, count, sizeof(json_t *));
        rc = x.by_id ? place_all(&x, root) : RC_NOMEM;
    }
    if (!rc)
        rc = feed(&x);
    json_decref(root);
    arena_free(&x.arena);
    arena_free(&list);
    return rc;
}
