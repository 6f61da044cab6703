#include "tee/verify/policy.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/json.h"

#ifndef TEE_SIMULATOR
#define TEE_SIMULATOR 0 /* set by meson.build when the simulator is built in */
#endif

#define ARENA_MAX ((size_t)4 << 20)
#define EVENTS_MAX 16u /* required events of one image */
#define NAME_LEN_MAX 128u
#define ROOT_LEN_MAX 4096u
#define PAYLOAD_LEN_MAX 4096u
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
    values_t platforms, deny_advisories;
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

/* Of the alternatives one: exactly n bytes of hex. */
static view_t read_one_hex(arena_t *a, const jo_t *o, size_t n)
{
    uint8_t *b = arena_alloc(a, n);
    if (!b)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    return b && jo_hex(o, b, n, NULL, HEX_ANY) ? view_of(b, n) : view_of(NULL, 0);
}

/* One value of n bytes of hex, or a list of them, which may not be empty; absent: nothing is demanded. */
static void read_values(values_t *out, arena_t *a, const jo_t *o, const char *key, size_t n)
{
    jo_t list, one;
    if (!jo_opt_values(o, &list, key, POLICY_VALUES_MAX))
        return;
    while (jo_next(&list, &one))
        out->values[out->count++] = read_one_hex(a, &one, n);
}

static void read_accept(policy_t *p, const jo_t *tcb)
{
    jo_t list, one;
    if (!jo_opt_list(tcb, &list, "accept", 0, SIZE_MAX)) {
        p->accept[TCB_UP_TO_DATE] = p->accept[TCB_SW_HARDENING_NEEDED] = true;
        return;
    }
    while (jo_next(&list, &one)) {
        const size_t status = jo_word(&one, NULL, tcb_status_names);
        if (status == TCB_REVOKED)
            jo_fail(&one, NULL, RC_REFUSED, "Revoked cannot be accepted");
        p->accept[status] = true;
    }
}

static void read_deny(policy_t *p, const jo_t *tcb)
{
    jo_t list, one;
    if (!jo_opt_list(tcb, &list, "deny_advisories", 0, POLICY_VALUES_MAX))
        return;
    while (jo_next(&list, &one))
        p->deny_advisories.values[p->deny_advisories.count++] =
            jo_text_copy(&one, &p->arena, NULL, 1, TCB_ADVISORY_LEN_MAX);
}

static void read_tcb(policy_t *p, const jo_t *tcb)
{
    uint64_t min_eval = 0;
    read_accept(p, tcb);
    read_deny(p, tcb);
    jo_opt_u64(tcb, &min_eval, "min_eval", 0, UINT32_MAX);
    p->min_eval = (uint32_t)min_eval;
    jo_opt_u64(tcb, &p->max_age_s, "max_age_s", 0, INT32_MAX);
    p->has_grace = jo_opt_time(tcb, &p->min_tcb_date, "min_tcb_date");
}

static void read_td(policy_t *p, const jo_t *td)
{
    values_t mask = { .count = 0 };
    jo_opt_bool(td, &p->debug, "debug");
    if (p->debug && !TEE_SIMULATOR)
        jo_fail(td, "debug", RC_REFUSED, "this build admits no debug TDs");
    jo_opt_bool(td, &p->sept_ve_disable, "sept_ve_disable");
    jo_opt_bool(td, &p->mrservicetd_zero, "mrservicetd_zero");
    read_values(&mask, &p->arena, td, "attributes_zero_mask", 8);
    if (mask.count > 1)
        jo_fail(td, "attributes_zero_mask", RC_MALFORMED, "must be one value");
    if (mask.count && mask.values[0].n)
        memcpy(p->zero_mask, mask.values[0].p, 8);
    read_values(&p->xfam, &p->arena, td, "xfam", 8);
    read_values(&p->mr_config_id, &p->arena, td, "mrconfigid", 48);
    read_values(&p->mr_owner, &p->arena, td, "mrowner", 48);
    read_values(&p->mr_owner_config, &p->arena, td, "mrownerconfig", 48);
}

/* One required event: its name, and the payloads that it may have. */
static void read_event_rule(event_rule_t *rule, arena_t *a, const jo_t *o)
{
    const bool text = !strcmp(o->name, "key-provider-name");
    jo_t list = jo_list(o, NULL, 1, POLICY_VALUES_MAX), one;
    rule->name = arena_strdup(a, view_str(o->name));
    if (!rule->name)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    while (jo_next(&list, &one))
        rule->values.values[rule->values.count++] =
            text ? jo_text_copy(&one, a, NULL, 1, NAME_LEN_MAX) : jo_bytes(&one, a, NULL, 0, PAYLOAD_LEN_MAX, HEX_ANY);
}

static void read_require(image_t *image, arena_t *a, const jo_t *rtmr3)
{
    jo_t require = jo_object(rtmr3, "require"), rule;
    if (!jo_size(&require))
        jo_fail(&require, NULL, RC_MALFORMED, "names no event: nothing would be measured");
    if (jo_size(&require) > EVENTS_MAX)
        jo_fail(&require, NULL, RC_LIMIT, "more than %u events", EVENTS_MAX);
    while (jo_next(&require, &rule))
        read_event_rule(&image->events[image->event_count++], a, &rule);
}

/* A member that only one mode has, and that this one needs. */
static bool belongs(const jo_t *o, const char *key, bool in_mode, const char *mode)
{
    if (jo_has(o, key) != in_mode)
        jo_fail(o, key, RC_MALFORMED, "belongs to mode %s, which needs it", mode);
    jo_skip(o, key);
    return in_mode;
}

static void read_rtmr3(image_t *image, arena_t *a, const jo_t *rtmr3)
{
    static const char *const modes[] = {
        [RTMR3_ZERO] = "zero", [RTMR3_EXACT] = "exact", [RTMR3_EVENTS] = "events", NULL
    };
    image->rtmr3_mode = (rtmr3_mode_t)jo_word(rtmr3, "mode", modes);
    if (belongs(rtmr3, "value", image->rtmr3_mode == RTMR3_EXACT, "exact"))
        read_values(&image->rtmr3, a, rtmr3, "value", 48);
    if (belongs(rtmr3, "require", image->rtmr3_mode == RTMR3_EVENTS, "events"))
        read_require(image, a, rtmr3);
}

static void read_image(image_t *image, arena_t *a, const jo_t *o)
{
    static const char *const keys[] = { "mrtd", "rtmr0", "rtmr1", "rtmr2" };
    values_t *const fields[] = { &image->mr_td, &image->rtmr[0], &image->rtmr[1], &image->rtmr[2] };
    jo_t rtmr3;
    image->name = (const char *)jo_text_copy(o, a, "name", 1, NAME_LEN_MAX).p;
    for (size_t i = 0; i < 4; i++) {
        if (!jo_has(o, keys[i]))
            jo_fail(o, keys[i], RC_MALFORMED, "is required");
        read_values(fields[i], a, o, keys[i], 48);
    }
    if (jo_opt_object(o, &rtmr3, "rtmr3")) /* else all zero */
        read_rtmr3(image, a, &rtmr3);
}

static void read_images(policy_t *p, const jo_t *o)
{
    jo_t list = jo_list(o, "images", 0, POLICY_IMAGES_MAX), one;
    p->image_count = jo_size(&list);
    p->images = arena_calloc(&p->arena, p->image_count + 1, sizeof *p->images);
    if (!p->images)
        jo_fail(&list, NULL, RC_NOMEM, "out of memory");
    while (jo_next(&list, &one))
        read_image(&p->images[one.index], &p->arena, &one);
}

/* Which TDs: those that a list names, or those like ourselves. */
static void read_mode(policy_t *p, const jo_t *o)
{
    static const char *const modes[] = { "list", "same-as-self", NULL };
    p->same_as_self = jo_word(o, "mode", modes) == 1;
    const char *other = p->same_as_self ? "images" : "self_rtmr0";
    if (jo_has(o, other))
        jo_fail(o, other, RC_MALFORMED, "belongs to mode %s", modes[!p->same_as_self]);
    jo_skip(o, other);
    if (p->same_as_self)
        read_values(&p->self_rtmr0, &p->arena, o, "self_rtmr0", 48);
    else
        read_images(p, o);
}

static void read_policy(policy_t *p, const jo_t *o)
{
    jo_t part;
    if (jo_u64(o, "version", 0, UINT16_MAX) != POLICY_VERSION)
        jo_fail(o, "version", RC_MALFORMED, "must be 1");
    if (!TEE_SIMULATOR && jo_has(o, "simulator_root"))
        jo_fail(o, "simulator_root", RC_REFUSED, "this build admits no simulated evidence");
    jo_opt_bytes(o, &p->simulator_root, &p->arena, "simulator_root", 1, ROOT_LEN_MAX, HEX_ANY);
    read_mode(p, o);
    read_values(&p->platforms, &p->arena, o, "platforms", 32);
    if (jo_opt_object(o, &part, "tcb"))
        read_tcb(p, &part);
    else
        p->accept[TCB_UP_TO_DATE] = p->accept[TCB_SW_HARDENING_NEEDED] = true;
    if (jo_opt_object(o, &part, "td"))
        read_td(p, &part);
}

/* With the rules that hold where the text says nothing. */
static policy_t *policy_new(void)
{
    static const uint8_t mask[8] = { 0xfe, 0xff, 0xff, 0x2f, 0xff, 0xff, 0xff, 0x7f };
    policy_t *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    arena_init(&p->arena, ARENA_MAX);
    p->sept_ve_disable = p->mrservicetd_zero = true;
    memcpy(p->zero_mask, mask, sizeof mask);
    return p;
}

rc_t policy_read(policy_t **out, err_t *e, view_t json)
{
    jo_doc_t doc;
    policy_t *p = policy_new();
    if (!p)
        return err_say(e, RC_NOMEM, "out of memory");
    const jo_t o = jo_open(&doc, e, json, POLICY_MAX, JO_STRICT);
    sha256(&p->digest, json);
    read_policy(p, &o);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (rc) {
        policy_free(p);
        return err_code(e, rc, rc == RC_NOMEM ? E_NOMEM : E_POLICY);
    }
    *out = p;
    return RC_OK;
}

rc_t policy_default(policy_t **out)
{
    return policy_read(out, NULL, view_str(POLICY_DEFAULT));
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

void policy_set_self(policy_t *p, const quote_t *self, const eventlog_t *log)
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
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, NULL, payload, PAYLOAD_LEN_MAX, JO_LENIENT);
    const view_t name = jo_text(&o, "name", 1, NAME_LEN_MAX);
    const bool found = one_of(names, name) && !jo_done(&o);
    jo_close(&doc);
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
    if (p->platforms.count && (!subject->platform || !one_of(&p->platforms, view_of(subject->platform->b, 32))))
        return tee_fail(e, E_PLATFORM, NULL);
    if (!p->same_as_self)
        return check_images(p, image, e, subject);
    rc = check_self(p, e, subject);
    if (!rc)
        *image = "self";
    return rc;
}
