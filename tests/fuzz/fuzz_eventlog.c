/* An event log is accepted exactly for the registers that a plain replay of its text gives, and for no others; an identity event is
 * one that stands once, not after system-ready. */
#include <jansson.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/eventlog.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

/* The registers by the rules of version 1, or by what an event's own digest says; no judgement of form. */
static void plain_replay(uint8_t regs[4][48], view_t text)
{
    json_t *list = json_loadb((const char *)text.p, text.n, 0, NULL), *o;
    size_t i;
    json_array_foreach(list, i, o) {
        const char *name = json_string_value(json_object_get(o, "event")), *digest = json_string_value(json_object_get(o, "digest"));
        const char *payload = json_string_value(json_object_get(o, "event_payload"));
        json_int_t imr = json_integer_value(json_object_get(o, "imr"));
        uint8_t bytes[48], *raw = malloc(payload ? strlen(payload) + 1 : 1);
        size_t n = 0;
        if (imr < 0 || imr > 3) {
            free(raw);
            continue;
        }
        if (digest && !hex_decode_exact(bytes, 48, digest, strlen(digest))) {
            const view_t parts[] = { view_of(regs[imr], 48), view_of(bytes, 48) };
            sha384_parts(regs[imr], parts, 2);
        } else if (raw && name && payload && (!*payload || !hex_decode(raw, &n, strlen(payload), payload, strlen(payload))))
            eventlog_extend(regs[imr], name, view_of(raw, n));
        free(raw);
    }
    json_decref(list);
}

static void check_identity(const eventlog_t *log, const event_t *e)
{
    char name[300];
    view_t payload;
    tee_fault_t fault;
    size_t before = 0, all = 0;
    if (e->name.n >= sizeof name || memchr(e->name.p, 0, e->name.n))
        return;
    memcpy(name, e->name.p, e->name.n);
    name[e->name.n] = 0;
    for (size_t i = 0; i < log->count; i++)
        if (log->events[i].imr == 3 && view_eq(log->events[i].name, e->name)) {
            all++;
            before += log->ready < log->count && i <= log->ready;
        }
    require((eventlog_identity(&payload, &fault, log, name) == RC_OK) == (all == 1 && before == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t regs[4][48] = { { 0 } };
    const uint8_t *const rtmr[4] = { regs[0], regs[1], regs[2], regs[3] };
    eventlog_t log;
    tee_fault_t fault = { 0 };
    arena_t a;
    arena_init(&a, 64u << 20);
    const view_t text = view_of(data, len);
    plain_replay(regs, text);
    rc_t rc = eventlog_verify(&log, &fault, &a, text, rtmr);
    require((rc == RC_OK) == (fault.code == TEE_OK));
    if (rc == RC_OK) {
        require(log.count <= EVENTLOG_EVENTS_MAX && log.ready <= log.count);
        for (size_t i = 0; i < log.count && i < 64; i++)
            if (log.events[i].imr == 3)
                check_identity(&log, &log.events[i]);
        size_t bit = len % (4 * 384);
        regs[bit / 384][bit % 384 / 8] ^= (uint8_t)(1u << bit % 8);
        require(eventlog_verify(&log, &fault, &a, text, rtmr) != RC_OK && fault.code == E_EVENTLOG);
    }
    arena_free(&a);
    return 0;
}
