#include "tee/quote/eventlog.h"

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"

#define NAME_MAX_LEN 256u
#define V2_NUMBER "134217729" /* EVENTLOG_RUNTIME in decimal */

static void extend(uint8_t reg[48], const uint8_t digest[48])
{
    const view_t parts[] = { view_of(reg, 48), view_of(digest, 48) };
    sha384_parts(reg, parts, 2);
}

static void digest_v1(uint8_t out[48], view_t name, view_t payload)
{
    static const uint8_t type[4] = { 0x01, 0x00, 0x00, 0x08 }; /* EVENTLOG_RUNTIME, little-endian */
    const view_t parts[] = { view_of(type, 4), view_str(":"), name, view_str(":"), payload };
    sha384_parts(out, parts, 5);
}

void eventlog_extend(uint8_t reg[48], const char *name, view_t payload)
{
    uint8_t digest[48];
    digest_v1(digest, view_str(name), payload);
    extend(reg, digest);
}

/* Printable ASCII without what JSON escapes, and without ':', which would let two pairs of name and payload share a
 * digest. */
static bool is_name(view_t v)
{
    if (!v.n || v.n > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~' || v.p[i] == ':' || v.p[i] == '"' || v.p[i] == '\\')
            return false;
    return true;
}

/* The canonical preimage of version 2 (RFC 8785; the name needs no escapes), compared with the log's. */
static void digest_v2(event_t *ev, arena_t *a, const jo_t *o)
{
    view_t given = jo_bytes(o, a, "preimage", 0, SIZE_MAX, HEX_ANY);
    char *hex = arena_alloc(a, 2 * ev->payload.n + 1);
    if (!hex || jo_rc(o)) {
        jo_fail(o, NULL, RC_NOMEM, "out of memory"); /* unless there is a fault already */
        return;
    }
    hex_encode(hex, ev->payload);
    const view_t parts[] = { view_str("{\"name\":\""), ev->name, view_str("\",\"payload\":\""), view_str(hex),
                             view_str("\",\"type\":" V2_NUMBER "}") };
    bool same = true;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && same; i++) {
        same = given.n >= parts[i].n && view_eq(view_of(given.p, parts[i].n), parts[i]);
        if (same)
            given = view_of(given.p + parts[i].n, given.n - parts[i].n);
    }
    if (!same || given.n)
        jo_fail(o, "preimage", RC_MALFORMED, "is not the canonical form of the event's name and payload");
    sha384_parts(ev->digest, parts, sizeof parts / sizeof parts[0]);
}

/* An event that the guest measured: its digest is recomputed. */
static void read_runtime(event_t *ev, arena_t *a, const jo_t *o)
{
    uint64_t version = 1;
    ev->payload = jo_bytes(o, a, "event_payload", 0, SIZE_MAX, HEX_ANY);
    if (jo_kind(o, "version") != JO_ABSENT)
        version = jo_u64(o, "version", 1, 2);
    if (ev->type != EVENTLOG_RUNTIME)
        jo_fail(o, "event_type", RC_MALFORMED, "is not that of runtime events, in register 3");
    if (!is_name(ev->name))
        jo_fail(o, "event", RC_MALFORMED, "is empty, too long, or has a character that is not allowed");
    if (jo_rc(o))
        return;
    if (version == 1)
        digest_v1(ev->digest, ev->name, ev->payload);
    else
        digest_v2(ev, a, o);
}

static void read_event(event_t *ev, arena_t *a, const jo_t *o)
{
    uint8_t given[48];
    view_t hex = { NULL, 0 };
    ev->imr = (unsigned)jo_u64(o, "imr", 0, 3);
    ev->type = (uint32_t)jo_u64(o, "event_type", 0, UINT32_MAX);
    jo_opt_text(o, &hex, "digest", 0, SIZE_MAX);
    if (hex.n)
        jo_hex(o, given, sizeof given, "digest", HEX_ANY);
    if (jo_kind(o, "event") == JO_TEXT)
        ev->name = jo_text_copy(o, a, "event", 0, SIZE_MAX);
    if (jo_rc(o))
        return;
    if (ev->imr == 3) {
        read_runtime(ev, a, o);
        if (hex.n && memcmp(given, ev->digest, 48) != 0)
            jo_fail(o, "digest", RC_MALFORMED, "is not that of the event's name and payload");
    } else if (ev->type == EVENTLOG_RUNTIME)
        jo_fail(o, "event_type", RC_MALFORMED, "is that of runtime events, in a register of the boot");
    else if (!hex.n)
        jo_fail(o, "digest", RC_MALFORMED, "is missing");
    else
        memcpy(ev->digest, given, 48);
}

static rc_t replay(err_t *e, const event_t *events, size_t count, const uint8_t *const rtmr[4])
{
    uint8_t regs[4][48] = { { 0 } };
    for (size_t i = 0; i < count; i++)
        extend(regs[events[i].imr], events[i].digest);
    for (unsigned i = 0; i < 4; i++)
        if (memcmp(regs[i], rtmr[i], 48) != 0)
            return tee_fail(e, E_EVENTLOG, "the event log does not lead to the quote's registers");
    return RC_OK;
}

/* The list's events, in the arena; ready: where system-ready stands, else their number. */
static event_t *read_all(size_t *n, size_t *ready, arena_t *a, const jo_t *o)
{
    jo_t list = jo_list(o, NULL, 0, EVENTLOG_EVENTS_MAX), item;
    *n = *ready = jo_size(&list);
    event_t *events = arena_calloc(a, *n ? *n : 1, sizeof *events);
    if (!events)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    while (jo_next(&list, &item)) {
        event_t *ev = &events[item.index];
        read_event(ev, a, &item);
        if (*ready == *n && ev->imr == 3 && view_eq(ev->name, view_str("system-ready")))
            *ready = item.index;
    }
    return events;
}

rc_t eventlog_verify(eventlog_t *out, err_t *e, arena_t *a, view_t json, const uint8_t *const rtmr[4])
{
    jo_doc_t doc;
    err_t found;
    size_t n, ready;
    const jo_t o = jo_open(&doc, &found, json, TEE_EVENT_LOG_MAX, JO_LENIENT);
    const event_t *events = read_all(&n, &ready, a, &o);
    rc_t rc = jo_done(&o);
    jo_close(&doc);
    found.code = E_EVENTLOG;
    rc = rc ? tee_fail_json(e, &found) : replay(e, events, n, rtmr);
    if (!rc)
        *out = (eventlog_t){ events, n, ready };
    return rc;
}

rc_t eventlog_identity(view_t *payload, err_t *e, const eventlog_t *log, const char *name)
{
    size_t at = log->count;
    for (size_t i = 0; i < log->count; i++) {
        if (log->events[i].imr != 3 || !view_eq(log->events[i].name, view_str(name)))
            continue;
        if (at < log->count)
            return tee_fail(e, E_EVENTLOG, "the event log has an identity event twice");
        at = i;
    }
    if (at == log->count)
        return tee_fail(e, E_EVENT_REQUIRED, NULL);
    if (log->ready == log->count || at > log->ready)
        return tee_fail(e, E_EVENT_REQUIRED, "a required event does not stand before system-ready");
    *payload = log->events[at].payload;
    return RC_OK;
}
