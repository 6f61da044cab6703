/* A log is accepted only with the registers that its visible fields lead to, which are computed here a second time; it is
 * refused with each of them off by one bit, and an identity event is found exactly when it is there once and in time. */
#include <jansson.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/quote/eventlog.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static view_t bytes_of(arena_t *a, const json_t *hex)
{
    size_t n = 0, len = json_string_length(hex);
    uint8_t *p = arena_alloc(a, len / 2 + 1);
    require(p != NULL);
    return hex && len && !hex_decode(p, &n, len / 2, json_string_value(hex), len) ? view_of(p, n) : view_of(NULL, 0);
}

/* What the guest measured for an event of register 3: a text, which it hashed. */
static void measured(uint8_t digest[48], arena_t *a, const json_t *o)
{
    const char *name = json_string_value(json_object_get(o, "event"));
    view_t payload = bytes_of(a, json_object_get(o, "event_payload"));
    if (json_integer_value(json_object_get(o, "version")) != 2) {
        const view_t parts[] = { view_of("\1\0\0\10:", 5), view_str(name ? name : ""), view_str(":"), payload };
        sha384_parts(digest, parts, 4);
        return;
    }
    char *hex = arena_alloc(a, 2 * payload.n + 1);
    require(hex != NULL);
    hex_encode(hex, payload);
    json_t *v2 = json_pack("{s:s, s:s, s:i}", "name", name ? name : "", "payload", hex, "type", 0x08000001);
    char *text = json_dumps(v2, JSON_COMPACT | JSON_SORT_KEYS);
    require(text != NULL);
    const view_t whole = view_str(text);
    sha384_parts(digest, &whole, 1);
    free(text);
    json_decref(v2);
}

/* The registers of a list; what cannot be read counts as nothing, for such a list is refused anyway. */
static void replay(uint8_t regs[4][48], arena_t *a, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        json_int_t imr = json_integer_value(json_object_get(o, "imr"));
        uint8_t digest[48] = { 0 };
        if (imr < 0 || imr > 3)
            continue;
        view_t given = bytes_of(a, json_object_get(o, "digest"));
        if (imr == 3)
            measured(digest, a, o);
        else if (given.n == sizeof digest)
            memcpy(digest, given.p, sizeof digest);
        const view_t parts[] = { view_of(regs[imr], 48), view_of(digest, sizeof digest) };
        sha384_parts(regs[imr], parts, 2);
    }
}

static rc_t verify(eventlog_t *out, arena_t *a, view_t text, uint8_t regs[4][48])
{
    const uint8_t *const rtmr[4] = { regs[0], regs[1], regs[2], regs[3] };
    err_t fault = { 0 };
    eventlog_t before = { NULL, 77, 78 };
    *out = before;
    rc_t rc = eventlog_verify(out, &fault, a, text, rtmr);
    require((rc == RC_OK) == (fault.code == TEE_OK));
    require(!rc || (out->events == before.events && out->count == before.count && out->ready == before.ready));
    return rc;
}

static void check_identity(const eventlog_t *log, arena_t *a, view_t name)
{
    size_t seen = 0, at = 0;
    view_t payload;
    err_t fault;
    for (size_t i = log->count; i-- > 0;)
        if (log->events[i].imr == 3 && view_eq(log->events[i].name, name)) {
            seen++;
            at = i;
        }
    char *text = arena_strdup(a, name);
    require(text != NULL);
    bool found = eventlog_identity(&payload, &fault, log, text) == RC_OK;
    require(found == (seen == 1 && log->ready < log->count && at <= log->ready));
    require(!found || view_eq(payload, log->events[at].payload));
}

static void check_log(const eventlog_t *log, arena_t *a, uint8_t regs[4][48])
{
    uint8_t again[4][48] = { { 0 } };
    require(log->count <= EVENTLOG_EVENTS_MAX && log->ready <= log->count);
    for (size_t i = 0; i < log->count; i++) {
        const event_t *e = &log->events[i];
        const view_t parts[] = { view_of(again[e->imr], 48), view_of(e->digest, 48) };
        sha384_parts(again[e->imr], parts, 2);
        require((e->imr == 3) == (e->type == EVENTLOG_RUNTIME) && (e->imr == 3 || e->payload.n == 0));
        require((e->imr == 3 && view_eq(e->name, view_str("system-ready"))) ? log->ready <= i : log->ready != i);
    }
    require(!memcmp(again, regs, sizeof again));
    for (size_t i = 0; i < log->count && i < 64; i++)
        if (log->events[i].imr == 3)
            check_identity(log, a, log->events[i].name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t regs[4][48] = { { 0 } };
    view_t text = view_of(data, len);
    eventlog_t log;
    arena_t a;
    arena_init(&a, 64u << 20);
    json_t *list = json_loadb((const char *)data, len, 0, NULL);
    replay(regs, &a, list);
    if (verify(&log, &a, text, regs) == RC_OK) {
        check_log(&log, &a, regs);
        for (unsigned i = 0; i < 4; i++) {
            eventlog_t none;
            regs[i][11 * i] ^= 1;
            require(verify(&none, &a, text, regs) != RC_OK);
            regs[i][11 * i] ^= 1;
        }
    }
    json_decref(list);
    arena_free(&a);
    return 0;
}
