#include "tee/verify/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json_tree.h"
#include "tee/x509/date.h"

#ifndef TEE_SIMULATOR
#define TEE_SIMULATOR 0 /* set by meson.build when the simulator is built in */
#endif

#define ARENA_MAX ((size_t)4 << 20)
#define EVENTS_MAX 16u /* required events of one image */
#define NAME_LEN_MAX 128u
#define ROOT_LEN_MAX 4096u
#define SEPT_VE_DISABLE 0x10u /* in byte 3 of the attributes: bit 28 */

/* Alternatives: n bytes each. count 0: nothing is demanded. */
typedef struct {
    view_t values[POLICY_VALUES_MAX];
    size_t count;
} values_t;

typedef struct {
    const char *name;
    values_t values; /* payloads; of key-provider-name: texts */
} event_rule_t;

typedef enum { RTMR3_ZERO, RTMR3_EXACT, RTMR3_EVENTS } rtmr3_mode_t;

typedef struct {
    const char *name;
    values_t mr_td, rtmr[3];
    rtmr3_mode_t rtmr3_mode;
    values_t rtmr3;
    event_rule_t events[EVENTS_MAX];
    size_t event_count;
} image_t;

/* What a TD must equal under same-as-self. */
typedef struct {
    bool known, has_compose_hash;
    uint8_t mr_td[48], rtmr1[48], rtmr2[48], rtmr3[48], attributes[8], xfam[8], compose_hash[32];
} self_t;

struct policy {
    arena_t arena;
    hash32_t digest;
    bool same_as_self;
    /* tcb */
    bool accept[TCB_STATUS_COUNT];
    values_t deny_advisories;
    uint32_t min_eval;
    uint64_t max_age_s; /* 0: none */
    bool has_grace;
    int64_t min_tcb_date; /* when has_grace */
    /* td */
    bool debug, sept_ve_disable, mrservicetd_zero;
    uint8_t zero_mask[8];
    values_t xfam, mr_config_id, mr_owner, mr_owner_config;
    image_t *images;
    size_t image_count;
    values_t self_rtmr0;
    self_t self;
    view_t simulator_root;
};

/* --- reading --- */

typedef struct {
    policy_t *p;
    policy_error_t *e;
    char path[96]; /* of the object that is read, with a dot behind it; empty at the top */
} reader_t;

static rc_t fail(const reader_t *r, rc_t rc, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static rc_t fail(const reader_t *r, rc_t rc, const char *key, const char *fmt, ...)
{
    va_list ap;
    snprintf(r->e->field, sizeof r->e->field, "%.60s%.35s", r->path, key);
    if (!key[0] && r->path[0]) /* the object itself */
        r->e->field[strlen(r->e->field) - 1] = '\0';
    va_start(ap, fmt);
    vsnprintf(r->e->error, sizeof r->e->error, fmt, ap);
    va_end(ap);
    return rc;
}

/* The members of an object: missing and null are the same. */
static const json_t *get(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_null(v) ? NULL : v;
}

static rc_t only(const reader_t *r, const json_t *o, const char *const *names)
{
    const char *unknown;
    if (!json_is_object(o))
        return fail(r, RC_MALFORMED, "", "must be an object");
    return json_only_members(&unknown, (json_t *)(uintptr_t)o, names) ? RC_OK
                                                                      : fail(r, RC_MALFORMED, unknown, "unknown key");
}

static rc_t read_bool(bool *out, const reader_t *r, const json_t *o, const char *key, bool otherwise)
{
    const json_t *v = get(o, key);
    *out = v ? json_is_true(v) : otherwise;
    return !v || json_is_boolean(v) ? RC_OK : fail(r, RC_MALFORMED, key, "must be true or false");
}

static rc_t read_number(uint64_t *out, const reader_t *r, const json_t *o, const char *key, uint64_t max)
{
    const json_t *v = get(o, key);
    *out = 0;
    if (!v)
        return RC_OK;
    if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max)
        return fail(r, RC_MALFORMED, key, "must be a number from 0 to %llu", (unsigned long long)max);
    *out = (uint64_t)json_integer_value(v);
    return RC_OK;
}

static rc_t read_one_hex(view_t *out, const reader_t *r, const char *key, const json_t *v, size_t n)
{
    uint8_t *b = arena_alloc(&r->p->arena, n);
    if (!b)
        return fail(r, RC_NOMEM, key, "out of memory");
    if (!json_is_string(v) || hex_decode_exact(b, n, json_string_value(v), json_string_length(v)))
        return fail(r, RC_MALFORMED, key, "must be %zu bytes of hex, or a list of such", n);
    *out = view_of(b, n);
    return RC_OK;
}

static rc_t read_one_text(view_t *out, const reader_t *r, const char *key, const json_t *v, size_t max)
{
    if (!json_is_string(v) || !json_string_length(v) || json_string_length(v) > max)
        return fail(r, RC_MALFORMED, key, "must be a text of 1 to %zu characters, or a list of such", max);
    *out = view_of(arena_strdup(&r->p->arena, view_of(json_string_value(v), json_string_length(v))),
                   json_string_length(v));
    return out->p ? RC_OK : fail(r, RC_NOMEM, key, "out of memory");
}

/* One value or a list of them, which may not be empty. n: bytes of a hex value; 0: texts of at most max characters. */
static rc_t read_values(values_t *out, const reader_t *r, const json_t *o, const char *key, size_t n, size_t max)
{
    const json_t *v = get(o, key);
    size_t count = json_is_array(v) ? json_array_size(v) : v ? 1 : 0;
    if (json_is_array(v) && !count)
        return fail(r, RC_MALFORMED, key, "the list is empty: nothing could match it");
    if (count > POLICY_VALUES_MAX)
        return fail(r, RC_LIMIT, key, "more than %u values", POLICY_VALUES_MAX);
    for (size_t i = 0; i < count; i++) {
        const json_t *one = json_is_array(v) ? json_array_get(v, i) : v;
        rc_t rc = n ? read_one_hex(&out->values[i], r, key, one, n) : read_one_text(&out->values[i], r, key, one, max);
        if (rc)
            return rc;
    }
    out->count = count;
    return RC_OK;
}

static rc_t read_accept(policy_t *p, const reader_t *r, const json_t *o)
{
    const json_t *list = get(o, "accept");
    if (!list) {
        p->accept[TCB_UP_TO_DATE] = p->accept[TCB_SW_HARDENING_NEEDED] = true;
        return RC_OK;
    }
    if (!json_is_array(list))
        return fail(r, RC_MALFORMED, "accept", "must be a list of TCB statuses");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        tcb_status_t s;
        if (!json_is_string(v) || !tcb_status_of(&s, view_of(json_string_value(v), json_string_length(v))))
            return fail(r, RC_MALFORMED, "accept", "entry %zu is not a TCB status", i);
        if (s == TCB_REVOKED)
            return fail(r, RC_REFUSED, "accept", "Revoked cannot be accepted");
        p->accept[s] = true;
    }
    return RC_OK;
}

static rc_t read_tcb(policy_t *p, reader_t *r, const json_t *o)
{
    static const char *const names[] = { "accept", "deny_advisories", "min_eval", "max_age_s", "min_tcb_date", NULL };
    const json_t *date = get(o, "min_tcb_date");
    uint64_t n = 0;
    snprintf(r->path, sizeof r->path, "tcb.");
    rc_t rc = o ? only(r, o, names) : RC_OK;
    if (!rc)
        rc = read_accept(p, r, o);
    if (!rc && json_array_size(get(o, "deny_advisories")))
        rc = read_values(&p->deny_advisories, r, o, "deny_advisories", 0, TCB_ADVISORY_LEN_MAX);
    else if (!rc && get(o, "deny_advisories") && !json_is_array(get(o, "deny_advisories")))
        rc = fail(r, RC_MALFORMED, "deny_advisories", "must be a list of advisory ids");
    if (!rc)
        rc = read_number(&n, r, o, "min_eval", UINT32_MAX);
    p->min_eval = (uint32_t)n;
    if (!rc)
        rc = read_number(&p->max_age_s, r, o, "max_age_s", INT32_MAX);
    if (!rc && date &&
        (!json_is_string(date) ||
         !date_read(&p->min_tcb_date, view_of(json_string_value(date), json_string_length(date)))))
        rc = fail(r, RC_MALFORMED, "min_tcb_date", "must be a date such as 2025-01-31T00:00:00Z");
    p->has_grace = date != NULL;
    return rc;
}

static rc_t read_td(policy_t *p, reader_t *r, const json_t *o)
{
    static const char *const names[] = { "debug",   "sept_ve_disable", "attributes_zero_mask", "xfam", "mrconfigid",
                                         "mrowner", "mrownerconfig",   "mrservicetd_zero",     NULL };
    static const uint8_t mask[8] = { 0xfe, 0xff, 0xff, 0x2f, 0xff, 0xff, 0xff, 0x7f };
    values_t given = { .count = 0 };
    snprintf(r->path, sizeof r->path, "td.");
    rc_t rc = o ? only(r, o, names) : RC_OK;
    if (!rc)
        rc = read_bool(&p->debug, r, o, "debug", false);
    if (!rc && p->debug && !TEE_SIMULATOR)
        rc = fail(r, RC_REFUSED, "debug", "this build admits no debug TDs");
    if (!rc)
        rc = read_bool(&p->sept_ve_disable, r, o, "sept_ve_disable", true);
    if (!rc)
        rc = read_bool(&p->mrservicetd_zero, r, o, "mrservicetd_zero", true);
    if (!rc)
        rc = read_values(&given, r, o, "attributes_zero_mask", 8, 0);
    if (!rc && given.count > 1)
        rc = fail(r, RC_MALFORMED, "attributes_zero_mask", "must be one value");
    memcpy(p->zero_mask, !rc && given.count ? given.values[0].p : mask, 8);
    if (!rc)
        rc = read_values(&p->xfam, r, o, "xfam", 8, 0);
    if (!rc)
        rc = read_values(&p->mr_config_id, r, o, "mrconfigid", 48, 0);
    if (!rc)
        rc = read_values(&p->mr_owner, r, o, "mrowner", 48, 0);
    return rc ? rc : read_values(&p->mr_owner_config, r, o, "mrownerconfig", 48, 0);
}

static rc_t read_event_rule(event_rule_t *rule, const reader_t *r, const char *name, const json_t *list)
{
    bool text = !strcmp(name, "key-provider-name");
    view_t copy;
    rc_t rc = RC_OK;
    if (!json_is_array(list) || !json_array_size(list) || json_array_size(list) > POLICY_VALUES_MAX)
        return fail(r, RC_MALFORMED, name, "must be a list of 1 to %u values", POLICY_VALUES_MAX);
    rule->name = arena_strdup(&r->p->arena, view_str(name));
    if (!rule->name)
        return fail(r, RC_NOMEM, name, "out of memory");
    for (size_t i = 0; !rc && i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);
        size_t n = json_string_length(v);
        if (text)
            rc = read_one_text(&copy, r, name, v, NAME_LEN_MAX);
        else if (!json_is_string(v) || n % 2 || n > 8192)
            rc = fail(r, RC_MALFORMED, name, "entry %zu is not hex", i);
        else if (!n)
            copy = view_of(NULL, 0);
        else
            rc = read_one_hex(&copy, r, name, v, n / 2 - !strncmp(json_string_value(v), "0x", 2));
        if (!rc)
            rule->values.values[rule->values.count++] = copy;
    }
    return rc;
}

static rc_t read_rtmr3(image_t *image, reader_t *r, const json_t *o)
{
    static const char *const names[] = { "mode", "value", "require", NULL };
    static const char *const modes[] = { "zero", "exact", "events" };
    const char *mode = json_string_value(get(o, "mode")), *key;
    const json_t *require = get(o, "require");
    json_t *list;
    size_t i = 0;
    if (!o)
        return RC_OK; /* all zero */
    rc_t rc = only(r, o, names);
    if (rc)
        return rc;
    while (i < 3 && (!mode || strcmp(mode, modes[i])))
        i++;
    if (i == 3)
        return fail(r, RC_MALFORMED, "mode", "must be zero, exact or events");
    image->rtmr3_mode = (rtmr3_mode_t)i;
    rc = read_values(&image->rtmr3, r, o, "value", 48, 0);
    if (rc)
        return rc;
    if ((image->rtmr3.count > 0) != (image->rtmr3_mode == RTMR3_EXACT))
        return fail(r, RC_MALFORMED, "value", "belongs to mode exact, which needs it");
    if ((require != NULL) != (image->rtmr3_mode == RTMR3_EVENTS) || (require && !json_is_object(require)))
        return fail(r, RC_MALFORMED, "require", "must be an object; it belongs to mode events, which needs it");
    if (require && !json_object_size(require))
        return fail(r, RC_MALFORMED, "require", "names no event: nothing would be measured");
    if (json_object_size(require) > EVENTS_MAX)
        return fail(r, RC_LIMIT, "require", "more than %u events", EVENTS_MAX);
    snprintf(r->path + strlen(r->path), sizeof r->path - strlen(r->path), "require.");
    json_object_foreach ((json_t *)(uintptr_t)require, key, list) {
        rc = read_event_rule(&image->events[image->event_count++], r, key, list);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static rc_t read_image(image_t *image, reader_t *r, const json_t *o, size_t index)
{
    static const char *const names[] = { "name", "mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", NULL };
    static const char *const keys[] = { "mrtd", "rtmr0", "rtmr1", "rtmr2" };
    values_t *const fields[] = { &image->mr_td, &image->rtmr[0], &image->rtmr[1], &image->rtmr[2] };
    view_t name;
    snprintf(r->path, sizeof r->path, "images[%zu].", index);
    rc_t rc = only(r, o, names);
    if (!rc)
        rc = read_one_text(&name, r, "name", get(o, "name"), NAME_LEN_MAX);
    if (rc)
        return rc;
    image->name = (const char *)name.p;
    for (size_t i = 0; i < 4; i++) {
        if (!get(o, keys[i]))
            return fail(r, RC_MALFORMED, keys[i], "is required");
        rc = read_values(fields[i], r, o, keys[i], 48, 0);
        if (rc)
            return rc;
    }
    snprintf(r->path, sizeof r->path, "images[%zu].rtmr3.", index);
    return read_rtmr3(image, r, get(o, "rtmr3"));
}

static rc_t read_images(policy_t *p, reader_t *r, const json_t *list)
{
    size_t n = json_array_size(list);
    if (p->same_as_self)
        return list ? fail(r, RC_MALFORMED, "images", "belongs to mode list") : RC_OK;
    if (!json_is_array(list))
        return fail(r, RC_MALFORMED, "images", "must be a list; an empty one rejects everything");
    if (n > POLICY_IMAGES_MAX)
        return fail(r, RC_LIMIT, "images", "more than %u images", POLICY_IMAGES_MAX);
    p->images = arena_calloc(&p->arena, n ? n : 1, sizeof *p->images);
    if (!p->images)
        return fail(r, RC_NOMEM, "images", "out of memory");
    p->image_count = n;
    for (size_t i = 0; i < n; i++) {
        rc_t rc = read_image(&p->images[i], r, json_array_get(list, i), i);
        if (rc)
            return rc;
    }
    r->path[0] = '\0';
    return RC_OK;
}

static rc_t read_simulator_root(policy_t *p, const reader_t *r, const json_t *v)
{
    size_t n = json_string_length(v) / 2;
    if (!v)
        return RC_OK;
    if (!TEE_SIMULATOR)
        return fail(r, RC_REFUSED, "simulator_root", "this build admits no simulated evidence");
    if (!json_is_string(v) || !n || n > ROOT_LEN_MAX)
        return fail(r, RC_MALFORMED, "simulator_root", "must be the DER of a certificate as hex");
    return read_one_hex(&p->simulator_root, r, "simulator_root", v, n - !strncmp(json_string_value(v), "0x", 2));
}

static rc_t read_top(policy_t *p, reader_t *r, const json_t *o)
{
    static const char *const names[] = {
        "version", "mode", "tcb", "td", "images", "self_rtmr0", "simulator_root", NULL
    };
    const json_t *version = get(o, "version");
    const char *mode = json_string_value(get(o, "mode"));
    rc_t rc = only(r, o, names);
    if (rc)
        return rc;
    if (!json_is_integer(version) || json_integer_value(version) != 1)
        return fail(r, RC_MALFORMED, "version", "must be 1");
    if (!mode || (strcmp(mode, "list") && strcmp(mode, "same-as-self")))
        return fail(r, RC_MALFORMED, "mode", "must be list or same-as-self");
    p->same_as_self = !strcmp(mode, "same-as-self");
    if (!p->same_as_self && get(o, "self_rtmr0"))
        return fail(r, RC_MALFORMED, "self_rtmr0", "belongs to mode same-as-self");
    rc = read_values(&p->self_rtmr0, r, o, "self_rtmr0", 48, 0);
    if (!rc)
        rc = read_simulator_root(p, r, get(o, "simulator_root"));
    if (!rc)
        rc = read_images(p, r, get(o, "images"));
    if (!rc)
        rc = read_tcb(p, r, get(o, "tcb"));
    return rc ? rc : read_td(p, r, get(o, "td"));
}

rc_t policy_read(policy_t **out, policy_error_t *error, view_t json)
{
    reader_t r = { .e = error };
    json_t *o;
    *error = (policy_error_t){ "", "" };
    rc_t rc = json_load_strict(&o, json, POLICY_MAX);
    if (rc)
        return fail(&r, rc, "",
                    rc == RC_LIMIT   ? "the policy is too large"
                    : rc == RC_NOMEM ? "out of memory"
                                     : "the policy is not JSON");
    r.p = calloc(1, sizeof *r.p);
    if (!r.p)
        rc = fail(&r, RC_NOMEM, "", "out of memory");
    else {
        arena_init(&r.p->arena, ARENA_MAX);
        sha256(&r.p->digest, json);
        rc = read_top(r.p, &r, o);
    }
    json_decref(o);
    if (rc) {
        policy_free(r.p);
        return rc;
    }
    *out = r.p;
    return RC_OK;
}

rc_t policy_default(policy_t **out)
{
    policy_error_t e;
    return policy_read(out, &e, view_str("{\"mode\":\"same-as-self\",\"version\":1}"));
}

void policy_free(policy_t *p)
{
    if (!p)
        return;
    arena_free(&p->arena);
    free(p);
}

const hash32_t *policy_digest(const policy_t *p)
{
    return &p->digest;
}

view_t policy_simulator_root(const policy_t *p)
{
    return p->simulator_root;
}

rc_t policy_set_self(policy_t *p, const quote_t *self, const eventlog_t *log)
{
    err_t ignored;
    view_t compose = { NULL, 0 };
    self_t s = { .known = true };
    memcpy(s.mr_td, self->td.mr_td, 48);
    memcpy(s.rtmr1, self->td.rtmr[1], 48);
    memcpy(s.rtmr2, self->td.rtmr[2], 48);
    memcpy(s.rtmr3, self->td.rtmr[3], 48);
    memcpy(s.attributes, self->td.td_attributes, 8);
    memcpy(s.xfam, self->td.xfam, 8);
    if (log && !eventlog_identity(&compose, &ignored, log, "compose-hash") && compose.n == sizeof s.compose_hash) {
        s.has_compose_hash = true;
        memcpy(s.compose_hash, compose.p, compose.n);
    }
    p->self = s;
    return RC_OK;
}

/* --- checking --- */

static bool one_of(const values_t *values, view_t got)
{
    for (size_t i = 0; i < values->count; i++)
        if (view_eq(values->values[i], got))
            return true;
    return false;
}

/* Nothing demanded, or one of the alternatives. */
static bool admits(const values_t *values, const uint8_t *got, size_t n)
{
    return !values->count || one_of(values, view_of(got, n));
}

/* The status after the grace period: only when it comes from the platform's level, whose date is known, alone. */
static tcb_status_t after_grace(const policy_t *p, const tcb_grade_t *g)
{
    if (!p->has_grace || g->tcb_date < p->min_tcb_date || g->status != g->platform || g->module == TCB_OUT_OF_DATE ||
        g->qe == TCB_OUT_OF_DATE)
        return g->status;
    return g->status == TCB_OUT_OF_DATE                        ? TCB_UP_TO_DATE
           : g->status == TCB_OUT_OF_DATE_CONFIGURATION_NEEDED ? TCB_CONFIGURATION_NEEDED
                                                               : g->status;
}

static rc_t check_tcb(const policy_t *p, err_t *e, const policy_subject_t *s)
{
    if (!p->accept[after_grace(p, s->grade)])
        return tee_fail(e, E_TCB_STATUS, NULL);
    for (size_t i = 0; i < s->grade->advisory_count; i++)
        if (one_of(&p->deny_advisories, s->grade->advisories[i]))
            return tee_fail(e, E_ADVISORY, NULL);
    if (s->evaluation_number < p->min_eval)
        return tee_fail(e, E_EVAL_NUMBER, NULL);
    if (p->max_age_s && s->now - s->issued > (int64_t)p->max_age_s)
        return tee_fail(e, E_COLLATERAL_AGE, NULL);
    return RC_OK;
}

static bool is_zero(const uint8_t *b, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= b[i];
    return !any;
}

static rc_t check_td(const policy_t *p, err_t *e, const quote_td_t *td)
{
    uint8_t reserved = 0;
    if (td->td_attributes[0] && !p->debug)
        return tee_fail(e, E_TD_DEBUG, NULL);
    for (unsigned i = 0; i < 8; i++)
        reserved |= td->td_attributes[i] & p->zero_mask[i];
    if (reserved)
        return tee_fail(e, E_TD_RESERVED, NULL);
    if (p->sept_ve_disable && !(td->td_attributes[3] & SEPT_VE_DISABLE))
        return tee_fail(e, E_TD_SEPT, NULL);
    if (p->mrservicetd_zero && td->mr_service_td && !is_zero(td->mr_service_td, 48))
        return tee_fail(e, E_TD_SERVICE, NULL);
    if (!admits(&p->xfam, td->xfam, 8) || !admits(&p->mr_config_id, td->mr_config_id, 48) ||
        !admits(&p->mr_owner, td->mr_owner, 48) || !admits(&p->mr_owner_config, td->mr_owner_config, 48))
        return tee_fail(e, E_TD_FIELD, NULL);
    return RC_OK;
}

/* The name in the payload of the event key-provider: JSON {"name":..., "id":...}. */
static bool provider_name_is(const values_t *names, view_t payload)
{
    json_t *o;
    if (json_load_strict(&o, payload, 4096))
        return false;
    const json_t *name = json_object_get(o, "name");
    bool found = json_is_string(name) && one_of(names, view_of(json_string_value(name), json_string_length(name)));
    json_decref(o);
    return found;
}

static rc_t check_events(err_t *e, const image_t *image, const eventlog_t *log)
{
    if (!log)
        return tee_fail(e, E_EVENT_REQUIRED, "the policy requires events, and no event log came");
    for (size_t i = 0; i < image->event_count; i++) {
        const event_rule_t *rule = &image->events[i];
        bool provider = !strcmp(rule->name, "key-provider-name");
        view_t payload;
        rc_t rc = eventlog_identity(&payload, e, log, provider ? "key-provider" : rule->name);
        if (rc)
            return rc;
        if (provider ? !provider_name_is(&rule->values, payload) : !one_of(&rule->values, payload))
            return tee_fail(e, E_EVENT_REQUIRED, "a required event has another payload than the policy admits");
    }
    return RC_OK;
}

static rc_t check_image(err_t *e, const image_t *image, const policy_subject_t *s)
{
    const quote_td_t *td = &s->quote->td;
    if (!one_of(&image->mr_td, view_of(td->mr_td, 48)))
        return tee_fail(e, E_MEASUREMENT, NULL);
    for (unsigned i = 0; i < 3; i++)
        if (!one_of(&image->rtmr[i], view_of(td->rtmr[i], 48)))
            return tee_fail(e, E_MEASUREMENT, NULL);
    switch (image->rtmr3_mode) {
    case RTMR3_ZERO: return is_zero(td->rtmr[3], 48) ? RC_OK : tee_fail(e, E_MEASUREMENT, NULL);
    case RTMR3_EXACT: return one_of(&image->rtmr3, view_of(td->rtmr[3], 48)) ? RC_OK : tee_fail(e, E_MEASUREMENT, NULL);
    case RTMR3_EVENTS: return check_events(e, image, s->log);
    }
    return tee_fail(e, E_MEASUREMENT, NULL);
}

static rc_t check_self(const policy_t *p, err_t *e, const policy_subject_t *s)
{
    const quote_td_t *td = &s->quote->td;
    const self_t *self = &p->self;
    view_t compose = { NULL, 0 };
    err_t ignored;
    if (!self->known)
        return tee_fail(e, E_MEASUREMENT, "our own measurements are not known yet");
    bool same = !memcmp(td->mr_td, self->mr_td, 48) && !memcmp(td->rtmr[1], self->rtmr1, 48) &&
                !memcmp(td->rtmr[2], self->rtmr2, 48) && !memcmp(td->td_attributes, self->attributes, 8) &&
                !memcmp(td->xfam, self->xfam, 8) && admits(&p->self_rtmr0, td->rtmr[0], 48);
    bool same_app = !memcmp(td->rtmr[3], self->rtmr3, 48);
    if (!same_app && self->has_compose_hash && s->log && !eventlog_identity(&compose, &ignored, s->log, "compose-hash"))
        same_app = view_eq(compose, view_of(self->compose_hash, 32));
    return same && same_app ? RC_OK : tee_fail(e, E_MEASUREMENT, "the measurements are not our own");
}

/* The first image that matches; else the most telling fault: of one whose registers match, if there is such. */
static rc_t check_images(const policy_t *p, const char **image, err_t *e, const policy_subject_t *s)
{
    err_t best;
    rc_t rc = tee_fail(&best, E_MEASUREMENT, NULL);
    for (size_t i = 0; i < p->image_count; i++) {
        err_t f;
        rc_t one = check_image(&f, &p->images[i], s);
        if (!one) {
            *image = p->images[i].name;
            return RC_OK;
        }
        if (f.code != E_MEASUREMENT) {
            best = f;
            rc = one;
        }
    }
    *e = best;
    return rc;
}

rc_t policy_check(const policy_t *p, const char **image, err_t *e, const policy_subject_t *subject)
{
    rc_t rc = check_td(p, e, &subject->quote->td);
    if (!rc)
        rc = check_tcb(p, e, subject);
    if (rc)
        return rc;
    if (!p->same_as_self)
        return check_images(p, image, e, subject);
    rc = check_self(p, e, subject);
    if (!rc)
        *image = "self";
    return rc;
}
