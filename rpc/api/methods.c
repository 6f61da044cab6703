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
        return m->wants & WANTS_STATE ? "forwarded, then proofs" : "forwarded";
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
    const rc_t rc = ex_read_new(&q, &e, read);
    api_ask(c, rc, &e, q, write);
}
