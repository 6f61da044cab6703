/* tdx, the folder tdx/dstack-event-logs: logs lead to the registers of their quotes and name the app; no change of a log
 * does. Files are .json (what the guest service's GetQuote gives, with what is expected) or .bin (what its Attest gives). */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "tee/quote/eventlog.h"
#include "tee/quote/quote.h"
#include "tee/x509/chain.h"
#include "tests/vectors/vec.h"

#define RECORD_MEMORY_MAX (4u << 20)

/* One recorded answer. */
typedef struct {
    vec_t *v;
    const char *name;
    arena_t a;
    quote_t quote;
    json_t *log; /* list of events */
} record_t;

static void verdict(record_t *r, bool holds, const char *otherwise)
{
    if (holds)
        vec_pass(r->v);
    else
        vec_fail(r->v, r->name, "%s", otherwise);
}

/* --- what a log says --- */

/* TEE_OK when the list leads to the quote's registers. */
static tee_code_t replay(eventlog_t *out, arena_t *a, const record_t *r, const json_t *list)
{
    err_t fault = { 0 };
    char *text = json_dumps(list, JSON_COMPACT);
    rc_t rc = text ? eventlog_verify(out, &fault, a, view_str(text), r->quote.td.rtmr) : RC_NOMEM;
    free(text);
    return rc && !fault.code ? E_NOMEM : fault.code;
}

static view_t identity(const eventlog_t *log, const char *name)
{
    err_t fault;
    view_t payload;
    return eventlog_identity(&payload, &fault, log, name) == RC_OK ? payload : view_of(NULL, 0);
}

/* The bytes of a hex string in the arena. */
static view_t bytes(record_t *r, const json_t *o, const char *key)
{
    return vec_hex(&r->a, vec_str(o, key));
}

/* What dstack's boot measures of the app. An image's hash is what the host said, and no identity: that it equals the VM
 * configuration's, which is the host's word too, is not demanded (in a recorded guest of 0.6 it does not). Of a
 * MRCONFIGID in its first form, that it names the same app. */
static bool names_the_app(record_t *r, const eventlog_t *log)
{
    view_t compose = identity(log, "compose-hash"), provider = identity(log, "key-provider");
    const uint8_t *config_id = r->quote.td.mr_config_id;
    json_t *o;
    if (identity(log, "app-id").n != 20 || compose.n != 32 || identity(log, "instance-id").n != 20)
        return false;
    if (!(o = json_loadb((const char *)provider.p, provider.n, JSON_REJECT_DUPLICATES, NULL)))
        return false;
    bool named = vec_str(o, "name") && vec_str(o, "id");
    json_decref(o);
    return named && (config_id[0] != 1 || view_eq(view_of(config_id + 1, 32), compose));
}

/* --- changes --- */

static bool refused(const record_t *r, const json_t *list)
{
    arena_t a;
    eventlog_t log;
    arena_init(&a, RECORD_MEMORY_MAX);
    tee_code_t code = replay(&log, &a, r, list);
    arena_free(&a);
    return code == E_EVENTLOG;
}

/* The list with another last digit in a hex field of event i. */
static bool refused_with_another_digit(const record_t *r, size_t i, const char *key)
{
    json_t *list = json_deep_copy(r->log), *event = json_array_get(list, i);
    const char *old = vec_str(event, key);
    size_t n = old ? strlen(old) : 0;
    char *text = n ? strdup(old) : NULL;
    bool held = true;
    if (text) {
        text[n - 1] = text[n - 1] == '0' ? '1' : '0';
        json_object_set_new(event, key, json_string(text));
        held = refused(r, list);
    }
    free(text);
    json_decref(list);
    return held;
}

/* Without event i; with it twice; after its successor (when both are of one register and differ). */
static bool refused_in_another_order(const record_t *r, size_t i)
{
    json_t *event = json_array_get(r->log, i), *next = json_array_get(r->log, i + 1);
    json_t *without = json_copy(r->log), *twice = json_copy(r->log), *swapped = json_copy(r->log);
    json_array_remove(without, i);
    json_array_insert(twice, i, event);
    bool held = refused(r, without) && refused(r, twice);
    if (next && json_equal(json_object_get(event, "imr"), json_object_get(next, "imr")) && !json_equal(event, next)) {
        json_array_set(swapped, i, next);
        json_array_set(swapped, i + 1, event);
        held = held && refused(r, swapped);
    }
    json_decref(without);
    json_decref(twice);
    json_decref(swapped);
    return held;
}

static bool every_change_is_refused(const record_t *r)
{
    bool held = true;
    for (size_t i = 0; i < json_array_size(r->log); i++) {
        bool runtime = json_integer_value(json_object_get(json_array_get(r->log, i), "imr")) == 3;
        held = held && refused_in_another_order(r, i) && refused_with_another_digit(r, i, "digest");
        /* nothing vouches for the payload of other events, and nothing reads it */
        held = held && (!runtime || refused_with_another_digit(r, i, "event_payload"));
    }
    return held;
}

/* A guest may leave the digests of its own events out. */
static bool digests_are_recomputed(record_t *r)
{
    eventlog_t log;
    json_t *list = json_deep_copy(r->log);
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *event = json_array_get(list, i);
        if (json_integer_value(json_object_get(event, "imr")) == 3)
            json_object_set_new(event, "digest", json_string(""));
    }
    bool held = replay(&log, &r->a, r, list) == TEE_OK;
    json_decref(list);
    return held;
}

/* The cases of any record. False when there is no verified log to look further at. */
static bool judge(record_t *r, eventlog_t *log, view_t report_data)
{
    tee_code_t code = replay(log, &r->a, r, r->log);
    if (code) {
        vec_fail(r->v, r->name, "%s", tee_code_name(code));
        return false;
    }
    vec_pass(r->v);
    verdict(r, names_the_app(r, log), "the log does not name its app");
    verdict(r, view_eq(report_data, view_of(r->quote.td.report_data, 64)), "report data differs");
    verdict(r, digests_are_recomputed(r), "without digests of runtime events it is refused");
    verdict(r, every_change_is_refused(r), "a changed log is accepted");
    return true;
}

static bool take_quote(record_t *r, view_t in)
{
    err_t fault;
    rc_t rc = quote_parse(&r->quote, &fault, in);
    if (rc)
        vec_fail(r->v, r->name, "%s: %s", tee_code_name(fault.code), fault.text);
    return !rc;
}

/* --- .json --- */

/* A member that is an object or list, or the text of one. */
static json_t *member(const json_t *o, const char *key)
{
    json_t *value = json_object_get(o, key);
    return json_is_string(value) ? json_loads(json_string_value(value), 0, NULL) : json_incref(value);
}

static bool as_expected(record_t *r, const json_t *expected)
{
    const quote_td_t *td = &r->quote.td;
    const json_t *registers = json_object_get(expected, "rtmr");
    uint8_t fmspc[6];
    bool processor_ca;
    err_t fault;
    bool same = chain_platform(fmspc, &processor_ca, &fault, r->quote.certs) == RC_OK &&
                view_eq(bytes(r, expected, "fmspc"), view_of(fmspc, 6)) &&
                view_eq(bytes(r, expected, "mr_td"), view_of(td->mr_td, 48)) &&
                view_eq(bytes(r, expected, "td_attributes"), view_of(td->td_attributes, 8)) &&
                view_eq(bytes(r, expected, "report_data"), view_of(td->report_data, 64)) &&
                json_array_size(registers) == 4;
    for (size_t i = 0; i < 4; i++) {
        view_t want = vec_hex(&r->a, json_string_value(json_array_get(registers, i)));
        same = same && view_eq(want, view_of(td->rtmr[i], 48));
    }
    return same;
}

static void run_json(record_t *r)
{
    eventlog_t log;
    json_t *o = vec_json(r->v, "tdx/dstack-event-logs/%s", r->name);
    r->log = member(o, "event_log");
    if (take_quote(r, bytes(r, o, "quote")) && judge(r, &log, bytes(r, o, "report_data")))
        verdict(r, as_expected(r, json_object_get(o, "expected")), "quote and expectation differ");
    json_decref(o);
}

/* --- .bin: SCALE, version 0 --- */

/* A compact integer of at most four bytes. */
static uint32_t take_compact(rd_t *r)
{
    unsigned first = r->n ? r->p[0] : 3, mode = first & 3;
    r->bad = r->bad || mode == 3;
    return (uint32_t)rd_le(r, mode == 0 ? 1 : mode == 1 ? 2 : 4) >> 2;
}

static view_t take_bytes(rd_t *r)
{
    uint32_t n = take_compact(r);
    return rd_take(r, n);
}

static void set_bytes(record_t *r, json_t *o, const char *key, view_t value)
{
    char *text = arena_alloc(&r->a, 2 * value.n + 1);
    if (!text)
        abort();
    hex_encode(text, value);
    json_object_set_new(o, key, json_string(text));
}

/* The log of the container as the JSON that GetQuote would give. */
static json_t *take_log(record_t *r, rd_t *in)
{
    json_t *list = json_array();
    uint32_t n = take_compact(in);
    for (uint32_t i = 0; i < n && !in->bad; i++) {
        json_t *event = json_object();
        json_object_set_new(event, "imr", json_integer(rd_u32le(in)));
        json_object_set_new(event, "event_type", json_integer(rd_u32le(in)));
        set_bytes(r, event, "digest", take_bytes(in));
        view_t name = take_bytes(in);
        json_object_set_new(event, "event", json_stringn((const char *)name.p, name.n));
        set_bytes(r, event, "event_payload", take_bytes(in));
        json_array_append_new(list, event);
    }
    return list;
}

/* The container's second list: the runtime events alone, without digests. Same as the log's? */
static bool lists_runtime_events(rd_t in, const eventlog_t *log)
{
    uint32_t n = take_compact(&in), found = 0;
    for (size_t i = 0; i < log->count; i++)
        if (log->events[i].imr == 3) {
            view_t name = take_bytes(&in), payload = take_bytes(&in);
            if (!view_eq(name, log->events[i].name) || !view_eq(payload, log->events[i].payload))
                return false;
            found++;
        }
    return found == n && rd_done(&in);
}

static void run_bin(record_t *r)
{
    eventlog_t log;
    rd_t in = rd_of(vec_read(r->v, &r->a, "tdx/dstack-event-logs/%s", r->name));
    uint16_t version = rd_u16le(&in); /* and the kind of quote: TDX */
    view_t quote = take_bytes(&in);
    r->log = take_log(r, &in);
    rd_t runtime = in;
    for (uint32_t n = take_compact(&in); n > 0 && !in.bad; n--) {
        take_bytes(&in);
        take_bytes(&in);
    }
    runtime.n -= in.n;
    view_t report_data = rd_take(&in, 64);
    take_bytes(&in); /* the configuration, which the host gave */
    if (version || !rd_done(&in))
        vec_fail(r->v, r->name, "not a container of version 0");
    else if (take_quote(r, quote) && judge(r, &log, report_data))
        verdict(r, lists_runtime_events(runtime, &log), "the list of runtime events differs from the log");
}

void tdx_logs(vec_t *v)
{
    arena_t a;
    arena_init(&a, 1u << 20);
    char **names = vec_list(v, &a, "tdx/dstack-event-logs");
    for (; names && *names; names++) {
        size_t n = strlen(*names);
        record_t r = { .v = v, .name = *names };
        arena_init(&r.a, RECORD_MEMORY_MAX);
        if (n > 5 && !strcmp(*names + n - 5, ".json"))
            run_json(&r);
        else if (n > 4 && !strcmp(*names + n - 4, ".bin"))
            run_bin(&r);
        else
            vec_fail(v, *names, "neither .json nor .bin");
        json_decref(r.log);
        arena_free(&r.a);
    }
    arena_free(&a);
}
