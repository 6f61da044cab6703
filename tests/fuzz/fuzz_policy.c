/* A policy that reads admits only what its text names: statuses, measurements, debug; and judges alike whatever the order of
 * its keys. Same-as-self admits nothing until "self" is known. One that does not read says why. The subject is made of the first
 * values of the policy itself. */
#include <jansson.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/verify/policy.h"
#include "tests/fuzz/fuzz.h"

#define EVENTS_MAX 17u /* the most that an image may require, and system-ready */

static struct {
    uint8_t attributes[8], xfam[8], regs[8][48]; /* mrtd, rtmr0 to rtmr3, mrconfigid, mrowner, mrownerconfig */
    uint8_t service[48];
    hash32_t platform;
    quote_t quote;
    tcb_grade_t grade;
    event_t events[EVENTS_MAX];
    eventlog_t log;
    policy_subject_t subject;
} s;

static void require(int holds)
{
    if (!holds)
        abort();
}

static const json_t *first(const json_t *v)
{
    return json_is_array(v) ? json_array_get(v, 0) : v;
}

static void take(uint8_t *out, size_t n, const json_t *value)
{
    const json_t *v = first(value);
    if (v && json_is_string(v) && hex_decode_exact(out, n, json_string_value(v), json_string_length(v)))
        memset(out, 0, n);
}

/* A payload that the rule admits. */
static view_t payload_of(arena_t *a, const char *name, const json_t *rule)
{
    const json_t *v = first(rule);
    size_t len = json_string_length(v), n = 0;
    uint8_t *p = arena_alloc(a, len / 2 + 1);
    require(p != NULL);
    if (strcmp(name, "key-provider-name") != 0)
        return v && len && !hex_decode(p, &n, len / 2, json_string_value(v), len) ? view_of(p, n) : view_of(NULL, 0);
    json_t *o = json_pack("{s:o}", "name", json_string(v ? json_string_value(v) : ""));
    char *text = json_dumps(o, JSON_COMPACT);
    view_t copy = arena_dup(a, view_str(text ? text : ""));
    free(text);
    json_decref(o);
    return copy;
}

static void make_log(arena_t *a, const json_t *rules)
{
    const char *name;
    json_t *rule;
    size_t n = 0;
    json_object_foreach ((json_t *)(uintptr_t)rules, name, rule) {
        bool provider = !strcmp(name, "key-provider-name");
        if (n < EVENTS_MAX - 1)
            s.events[n++] = (event_t){ .imr = 3,
                                       .type = EVENTLOG_RUNTIME,
                                       .name = view_str(provider ? "key-provider" : name),
                                       .payload = payload_of(a, name, rule) };
    }
    s.events[n] = (event_t){ .imr = 3, .type = EVENTLOG_RUNTIME, .name = view_str("system-ready") };
    s.log = (eventlog_t){ s.events, n + 1, n };
}

static void make_subject(arena_t *a, const json_t *policy)
{
    static const char *const of_image[] = { "mrtd", "rtmr0", "rtmr1", "rtmr2" };
    static const char *const of_td[] = { "mrconfigid", "mrowner", "mrownerconfig" };
    const json_t *image = json_array_get(json_object_get(policy, "images"), 0), *td = json_object_get(policy, "td");
    const json_t *rtmr3 = json_object_get(image, "rtmr3");
    memset(&s, 0, sizeof s);
    s.attributes[3] = json_is_false(json_object_get(td, "sept_ve_disable")) ? 0 : 0x10;
    for (size_t i = 0; i < 4; i++)
        take(s.regs[i], 48, json_object_get(image, of_image[i]));
    take(s.regs[1], 48, image ? json_object_get(image, "rtmr0") : json_object_get(policy, "self_rtmr0"));
    take(s.regs[4], 48, json_object_get(rtmr3, "value"));
    for (size_t i = 0; i < 3; i++)
        take(s.regs[5 + i], 48, json_object_get(td, of_td[i]));
    take(s.xfam, 8, json_object_get(td, "xfam"));
    make_log(a, json_object_get(rtmr3, "require"));
    s.quote.td = (quote_td_t){ .td_attributes = s.attributes,
                               .xfam = s.xfam,
                               .mr_td = s.regs[0],
                               .rtmr = { s.regs[1], s.regs[2], s.regs[3], s.regs[4] },
                               .mr_config_id = s.regs[5],
                               .mr_owner = s.regs[6],
                               .mr_owner_config = s.regs[7],
                               .mr_service_td = s.service };
    take(s.platform.b, 32, json_object_get(policy, "platforms"));
    s.grade.tcb_date = INT64_MIN; /* before any grace period */
    s.subject = (policy_subject_t){
        .quote = &s.quote, .grade = &s.grade, .log = &s.log, .platform = &s.platform, .evaluation_number = UINT32_MAX
    };
}

static bool admitted(const policy_t *p)
{
    policy_match_t match = { NULL, POLICY_ACPI_MEASURED };
    err_t fault = { 0 };
    rc_t rc = policy_check(p, &match, &fault, &s.subject);
    require((rc == RC_OK) == (match.image != NULL) && (rc == RC_OK) == (fault.code == TEE_OK));
    return rc == RC_OK;
}

static bool admitted_with(const policy_t *p, tcb_status_t status)
{
    s.grade.status = s.grade.platform = status;
    return admitted(p);
}

/* Whether the policy lists the status; without a list, the two of the default. */
static bool listed(const json_t *policy, tcb_status_t status)
{
    const json_t *list = json_object_get(json_object_get(policy, "tcb"), "accept");
    bool found = !json_is_array(list) && status <= TCB_SW_HARDENING_NEEDED;
    for (size_t i = 0; i < json_array_size(list); i++)
        found = found || !strcmp(json_string_value(json_array_get(list, i)), tcb_status_name(status));
    return found && status != TCB_REVOKED;
}

/* Each register in turn gets a value that no policy lists: a hash of the policy itself. */
static void check_measurements(const policy_t *p)
{
    const view_t digest = view_of(policy_digest(p)->b, 32);
    for (size_t i = 0; i < 4; i++) {
        uint8_t was[48];
        memcpy(was, s.regs[i], 48);
        sha384_parts(s.regs[i], &digest, 1);
        require(!admitted(p));
        memcpy(s.regs[i], was, 48);
    }
}

/* Tells a policy of same-as-self, which admits nothing before, that the subject is ourselves. */
static void make_self(policy_t *p)
{
    for (unsigned i = 0; i < TCB_STATUS_COUNT; i++)
        require(!admitted_with(p, (tcb_status_t)i));
    policy_set_self(p, &s.quote, &s.log);
}

static void check_judges(const policy_t *p, const json_t *policy, bool self)
{
    bool any = false;
    for (unsigned i = 0; i < TCB_STATUS_COUNT; i++)
        any = admitted_with(p, (tcb_status_t)i) || any;
    require(!any || self || json_array_size(json_object_get(policy, "images")));
    for (unsigned i = 0; any && i < TCB_STATUS_COUNT; i++) { /* nothing but the status decides */
        bool is = admitted_with(p, (tcb_status_t)i);
        require(is == listed(policy, (tcb_status_t)i));
        if (!is)
            continue;
        check_measurements(p);
        s.attributes[0] = 1;
        require(!admitted(p) || json_is_true(json_object_get(json_object_get(policy, "td"), "debug")));
        s.attributes[0] = 0;
    }
}

/* The same policy with its keys sorted. */
static void check_sorted(const policy_t *p, const json_t *policy, bool self)
{
    policy_t *sorted = NULL;
    err_t e;
    hash32_t digest;
    char *text = json_dumps(policy, JSON_COMPACT | JSON_SORT_KEYS);
    require(text && policy_read(&sorted, &e, view_str(text)) == RC_OK);
    sha256(&digest, view_str(text));
    require(hash32_eq(policy_digest(sorted), &digest));
    require(view_eq(policy_simulator_root(sorted), policy_simulator_root(p)));
    if (self)
        make_self(sorted);
    for (unsigned i = 0; i < TCB_STATUS_COUNT; i++)
        require(admitted_with(sorted, (tcb_status_t)i) == admitted_with(p, (tcb_status_t)i));
    policy_free(sorted);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    policy_t *p = NULL;
    err_t e = { 0 };
    rc_t rc = policy_read(&p, &e, view_of(data, len));
    require((rc == RC_OK) == (p != NULL) && (rc == RC_OK) == !e.text[0]);
    require(memchr(e.field, 0, sizeof e.field) && memchr(e.text, 0, sizeof e.text));
    if (rc) {
        require(rc == RC_MALFORMED || rc == RC_REFUSED || rc == RC_LIMIT);
        return 0;
    }
    arena_t a;
    hash32_t digest;
    json_t *policy = json_loadb((const char *)data, len, 0, NULL);
    arena_init(&a, 8u << 20);
    sha256(&digest, view_of(data, len));
    require(policy && hash32_eq(policy_digest(p), &digest));
    bool self = !strcmp(json_string_value(json_object_get(policy, "mode")), "same-as-self");
    make_subject(&a, policy);
    if (self)
        make_self(p);
    check_judges(p, policy, self);
    check_sorted(p, policy, self);
    json_decref(policy);
    arena_free(&a);
    policy_free(p);
    return 0;
}
