#include "tee/quote/eventlog.h"

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json_tree.h"

#define NAME_MAX_LEN 256u
#define V2_NUMBER "134217729" /* EVENTLOG_RUNTIME in decimal */

static rc_t bad(err_t *e, const char *why)
{
    return tee_fail(e, E_EVENTLOG, why);
}

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

/* Printable ASCII without what JSON escapes, and without ':', which would let two pairs of name and payload share a digest. */
static bool is_name(view_t v)
{
    if (!v.n || v.n > NAME_MAX_LEN)
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] > '~' || v.p[i] == ':' || v.p[i] == '"' || v.p[i] == '\\')
            return false;
    return true;
}

static view_t text_of(const json_t *value)
{
    return json_is_string(value) ? view_of(json_string_value(value), json_string_length(value)) : view_of(NULL, 0);
}

/* Hex text decoded into the arena. */
static rc_t take_hex(view_t *out, err_t *e, arena_t *a, const json_t *value, const char *why)
{
    view_t text = text_of(value);
    size_t n = 0;
    if (!json_is_string(value))
        return bad(e, why);
    uint8_t *p = arena_alloc(a, text.n / 2 + 1);
    if (!p)
        return tee_fail(e, E_NOMEM, NULL);
    if (text.n && hex_decode(p, &n, text.n / 2, (const char *)text.p, text.n))
        return bad(e, why);
    *out = view_of(p, n);
    return RC_OK;
}

/* The canonical preimage of version 2 (RFC 8785; the name needs no escapes), compared with the log's. */
static rc_t digest_v2(uint8_t out[48], err_t *e, arena_t *a, const event_t *ev, const json_t *preimage)
{
    view_t given;
    rc_t rc = take_hex(&given, e, a, preimage, "an event of version 2 has no preimage in hex");
    if (rc)
        return rc;
    char *hex = arena_alloc(a, 2 * ev->payload.n + 1);
    if (!hex)
        return tee_fail(e, E_NOMEM, NULL);
    hex_encode(hex, ev->payload);
    const view_t parts[] = { view_str("{\"name\":\""), ev->name, view_str("\",\"payload\":\""), view_str(hex),
                             view_str("\",\"type\":" V2_NUMBER "}") };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (given.n < parts[i].n || (parts[i].n && memcmp(given.p, parts[i].p, parts[i].n) != 0))
            return bad(e, "an event's preimage is not the canonical form of its name and payload");
        given = view_of(given.p + parts[i].n, given.n - parts[i].n);
    }
    if (given.n)
        return bad(e, "an event's preimage is not the canonical form of its name and payload");
    sha384_parts(out, parts, sizeof parts / sizeof parts[0]);
    return RC_OK;
}

/* An event that the guest measured: its digest is recomputed. */
static rc_t read_runtime(event_t *ev, err_t *e, arena_t *a, const json_t *o)
{
    const json_t *version = json_object_get(o, "version");
    rc_t rc = take_hex(&ev->payload, e, a, json_object_get(o, "event_payload"), "an event's payload is not hex");
    if (rc)
        return rc;
    if (ev->type != EVENTLOG_RUNTIME)
        return bad(e, "an event of register 3 has another type than runtime events have");
    if (!is_name(ev->name))
        return bad(e, "an event's name is empty, too long, or has a character that is not allowed");
    if (!version || json_integer_value(version) == 1)
        digest_v1(ev->digest, ev->name, ev->payload);
    else if (json_integer_value(version) == 2)
        rc = digest_v2(ev->digest, e, a, ev, json_object_get(o, "preimage"));
    else
        rc = bad(e, "an event's version is not 1 or 2");
    return rc;
}

static rc_t read_event(event_t *ev, err_t *e, arena_t *a, const json_t *o)
{
    const json_t *imr = json_object_get(o, "imr"), *type = json_object_get(o, "event_type"),
                 *digest = json_object_get(o, "digest");
    uint8_t given[48];
    view_t hex = text_of(digest);
    if (!json_is_integer(imr) || json_integer_value(imr) < 0 || json_integer_value(imr) > 3)
        return bad(e, "an event's register is not 0 to 3");
    if (!json_is_integer(type) || json_integer_value(type) < 0 || json_integer_value(type) > UINT32_MAX)
        return bad(e, "an event's type is not a number of 32 bits");
    if (digest && !json_is_string(digest))
        return bad(e, "an event's digest is not text");
    if (hex.n && hex_decode_exact(given, sizeof given, (const char *)hex.p, hex.n))
        return bad(e, "an event's digest is not 48 bytes of hex");
    ev->imr = (unsigned)json_integer_value(imr);
    ev->type = (uint32_t)json_integer_value(type);
    view_t name = text_of(json_object_get(o, "event"));
    ev->name = arena_dup(a, name);
    if (name.n && !ev->name.p)
        return tee_fail(e, E_NOMEM, NULL);
    if (ev->imr == 3) {
        rc_t rc = read_runtime(ev, e, a, o);
        if (rc)
            return rc;
        return hex.n && memcmp(given, ev->digest, 48) != 0
                   ? bad(e, "an event's digest is not that of its name and payload")
                   : RC_OK;
    }
    if (ev->type == EVENTLOG_RUNTIME || !hex.n)
        return bad(e, "an event of the boot has the type of a runtime event, or no digest");
    memcpy(ev->digest, given, 48);
    return RC_OK;
}

static rc_t replay(err_t *e, const event_t *events, size_t count, const uint8_t *const rtmr[4])
{
    uint8_t regs[4][48] = { { 0 } };
    for (size_t i = 0; i < count; i++)
        extend(regs[events[i].imr], events[i].digest);
    for (unsigned i = 0; i < 4; i++)
        if (memcmp(regs[i], rtmr[i], 48) != 0)
            return bad(e, "the event log does not lead to the quote's registers");
    return RC_OK;
}

static rc_t read_all(eventlog_t *out, err_t *e, arena_t *a, const json_t *list, const uint8_t *const rtmr[4])
{
    size_t n = json_array_size(list);
    if (!json_is_array(list))
        return bad(e, "the event log is not a list");
    if (n > EVENTLOG_EVENTS_MAX)
        return tee_fail(e, E_LIMIT, "the event log has too many events");
    event_t *events = arena_calloc(a, n ? n : 1, sizeof *events);
    if (!events)
        return tee_fail(e, E_NOMEM, NULL);
    size_t ready = n;
    for (size_t i = 0; i < n; i++) {
        rc_t rc = read_event(&events[i], e, a, json_array_get(list, i));
        if (rc)
            return rc;
        if (ready == n && events[i].imr == 3 && view_eq(events[i].name, view_str("system-ready")))
            ready = i;
    }
    rc_t rc = replay(e, events, n, rtmr);
    if (!rc)
        *out = (eventlog_t){ events, n, ready };
    return rc;
}

rc_t eventlog_verify(eventlog_t *out, err_t *e, arena_t *a, view_t json, const uint8_t *const rtmr[4])
{
    json_t *list;
    rc_t rc = json_load_strict(&list, json, TEE_EVENT_LOG_MAX);
    if (rc)
        return tee_fail(e,
                        rc == RC_NOMEM   ? E_NOMEM
                        : rc == RC_LIMIT ? E_LIMIT
                                         : E_EVENTLOG,
                        rc == RC_MALFORMED ? "the event log is not JSON" : NULL);
    rc = read_all(out, e, a, list, rtmr);
    json_decref(list);
    return rc;
}

rc_t eventlog_identity(view_t *payload, err_t *e, const eventlog_t *log, const char *name)
{
    size_t at = log->count;
    for (size_t i = 0; i < log->count; i++) {
        if (log->events[i].imr != 3 || !view_eq(log->events[i].name, view_str(name)))
            continue;
        if (at < log->count)
            return bad(e, "the event log has an identity event twice");
        at = i;
    }
    if (at == log->count)
        return tee_fail(e, E_EVENT_REQUIRED, NULL);
    if (log->ready == log->count || at > log->ready)
        return tee_fail(e, E_EVENT_REQUIRED, "a required event does not stand before system-ready");
    *payload = log->events[at].payload;
    return RC_OK;
}
