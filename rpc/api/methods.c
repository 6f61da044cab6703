#include "rpc/api/methods.h"

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_MAX 1024u /* bytes of an error's message */
#define LIST_MAX (64u << 10)

/* ---- the table ---- */

#define METHOD(name, min, max, wants, round_trips) { #name, api_##name, min, max, wants, round_trips },
const api_method_t API_METHODS[] = {
#include "rpc/api/methods.def"
};
#undef METHOD

const size_t API_METHOD_COUNT = sizeof API_METHODS / sizeof API_METHODS[0];

#define METHOD(name, min, max, wants, round_trips)                                                                     \
    _Static_assert((min) <= (max) && (max) <= API_PARAMS_MAX, #name ": number of parameters");
#include "rpc/api/methods.def"
#undef METHOD

const api_method_t *api_method(view_t name)
{
    for (size_t i = 0; i < API_METHOD_COUNT; i++)
        if (view_eq(name, view_str(API_METHODS[i].name)))
            return &API_METHODS[i];
    return NULL;
}

/* What the answers of a method rest on, in words. */
static const char *bound_of(const api_method_t *m)
{
    if (m->wants & FORWARDS)
        return "forwarded";
    return m->wants & WANTS_STATE ? "proofs" : m->wants & WANTS_HEAD ? "verified head" : "configuration";
}

rc_t api_methods_body(view_t *out, arena_t *a)
{
    jw_t w = jw_of(a, LIST_MAX);
    jw_array(&w, NULL);
    for (size_t i = 0; i < API_METHOD_COUNT; i++) {
        const api_method_t *m = &API_METHODS[i];
        jw_object(&w, NULL);
        jw_str(&w, "name", m->name);
        jw_array(&w, "parameters");
        jw_u64(&w, NULL, m->params_min);
        jw_u64(&w, NULL, m->params_max);
        jw_end(&w);
        jw_str(&w, "bound", bound_of(m));
        jw_u64(&w, "round_trips", m->round_trips);
        jw_end(&w);
    }
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (!w.rc)
        *out = text;
    return w.rc;
}

/* ---- for the functions of methods ---- */

void api_fail(api_call_t *c, int code, const char *fmt, ...)
{
    char text[MESSAGE_MAX];
    va_list ap;
    if (c->error)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->error = code;
    c->message = arena_dup(c->arena, view_str(text));
    if (!c->message.p)
        c->message = view_str("out of memory");
}

void api_ask(api_call_t *c, rc_t rc, const err_t *e, query_t *take_q, api_write_fn write)
{
    if (rc) {
        api_fail(c, rc == RC_NOMEM ? API_INTERNAL : API_FAILED, "%s", e->text);
        return;
    }
    c->query = take_q;
    c->write = write;
}

void api_read(api_call_t *c, ex_read_config_t *read, api_write_fn write)
{
    query_t *q = NULL;
    err_t e;
    if (!read->block || c->error)
        return;
    read->cache = c->world->cache;
    read->proof_slots_max = c->world->proof_slots_max;
    const rc_t rc = ex_read_new(&q, &e, read);
    api_ask(c, rc, &e, q, write);
}

/* ---- blocks ---- */

/* A held block, in the request's arena. */
static const ex_block_t *keep_held(api_call_t *c, const ex_block_t *b)
{
    ex_block_t *copy = arena_alloc(c->arena, sizeof *copy);
    if (copy)
        *copy = *b;
    else
        api_fail(c, API_INTERNAL, "out of memory");
    return copy;
}

static const ex_block_t *by_number(api_call_t *c, uint64_t number)
{
    const api_world_t *w = c->world;
    ex_block_t held;
    if (number == w->latest.env.number)
        return &w->latest;
    if (w->has_finalized && number == w->finalized.env.number)
        return &w->finalized;
    if (number > w->latest.env.number)
        api_fail(c, API_FAILED, "header not found");
    else if (w->held_by_number && w->held_by_number(w->held_ctx, &held, number))
        return keep_held(c, &held);
    else
        api_fail(c, API_PRUNED, "pruned history unavailable");
    return NULL;
}

static const ex_block_t *by_hash(api_call_t *c, const hash32_t *hash)
{
    const api_world_t *w = c->world;
    ex_block_t held;
    if (hash32_eq(hash, &w->latest.block_hash))
        return &w->latest;
    if (w->has_finalized && hash32_eq(hash, &w->finalized.block_hash))
        return &w->finalized;
    if (w->held_by_hash && w->held_by_hash(w->held_ctx, &held, hash))
        return keep_held(c, &held);
    api_fail(c, API_FAILED, "header for hash not found");
    return NULL;
}

static const ex_block_t *by_tag(api_call_t *c, const jo_t *arg)
{
    static const char *const tags[] = { "latest", "safe", "finalized", "earliest", "pending", NULL };
    const api_world_t *w = c->world;
    switch (jo_word(arg, NULL, tags)) {
    case 0: return jo_rc(arg) ? NULL : &w->latest;
    case 1:
    case 2:
        if (w->has_finalized)
            return &w->finalized;
        api_fail(c, API_FAILED, "finalized block not found");
        return NULL;
    case 3: api_fail(c, API_PRUNED, "pruned history unavailable"); return NULL;
    default: api_fail(c, API_FAILED, "pending state is not available"); return NULL;
    }
}

/* EIP-1898. A block that is verified here is canonical, so requireCanonical asks for nothing more. */
static const ex_block_t *by_object(api_call_t *c, const jo_t *arg)
{
    const bool has_hash = jo_has(arg, "blockHash"), has_number = jo_has(arg, "blockNumber");
    bool canonical;
    hash32_t hash;
    jo_opt_bool(arg, &canonical, "requireCanonical");
    if (has_hash == has_number) {
        jo_fail(arg, NULL, RC_MALFORMED, "%s",
                has_hash ? "cannot specify both BlockHash and BlockNumber, choose one or the other"
                         : "must specify either BlockHash or BlockNumber");
        return NULL;
    }
    if (has_hash)
        return jo_hex(arg, hash.b, sizeof hash.b, "blockHash", HEX_0X) && !jo_rc(arg) ? by_hash(c, &hash) : NULL;
    const uint64_t number = jo_quantity(arg, "blockNumber");
    return jo_rc(arg) ? NULL : by_number(c, number);
}

const ex_block_t *api_block(api_call_t *c, const jo_t *arg)
{
    hash32_t hash;
    if (jo_rc(arg) || c->error)
        return NULL;
    if (!jo_has(arg, NULL))
        return &c->world->latest;
    if (jo_kind(arg, NULL) == JO_OBJECT)
        return by_object(c, arg);
    const view_t text = jo_text(arg, NULL, 0, SIZE_MAX);
    if (jo_rc(arg))
        return NULL;
    if (text.n < 2 || text.p[0] != '0' || text.p[1] != 'x')
        return by_tag(c, arg);
    if (text.n == 2 + 2 * sizeof hash.b)
        return jo_hex(arg, hash.b, sizeof hash.b, NULL, HEX_0X) ? by_hash(c, &hash) : NULL;
    const uint64_t number = jo_quantity(arg, NULL);
    return jo_rc(arg) ? NULL : by_number(c, number);
}
