#include "tee/verify/policy.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/json.h"
#include "tee/measure/measure.h"
#include "tee/verify/rules.h"

#ifndef TEE_SIMULATOR
#define TEE_SIMULATOR 0 /* set by meson.build when the simulator is built in */
#endif

#define ARENA_MAX ((size_t)4 << 20)
#define ROOT_LEN_MAX 4096u
_Static_assert(RULES_VALUES_MAX == POLICY_VALUES_MAX, "what is promised is what is kept");

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

/* "INTEL-SA-" and at least five digits, as Intel writes it: a misspelt one would deny nothing. */
static bool is_advisory(view_t name)
{
    const view_t prefix = view_str("INTEL-SA-");
    if (name.n < prefix.n + 5 || memcmp(name.p, prefix.p, prefix.n) != 0)
        return false;
    for (size_t i = prefix.n; i < name.n; i++)
        if (name.p[i] < '0' || name.p[i] > '9')
            return false;
    return true;
}

static void read_deny(policy_t *p, const jo_t *tcb)
{
    jo_t list, one;
    if (!jo_opt_list(tcb, &list, "deny_advisories", 0, POLICY_VALUES_MAX))
        return;
    while (jo_next(&list, &one)) {
        const view_t name = jo_text_copy(&one, &p->arena, NULL, 1, TCB_ADVISORY_LEN_MAX);
        if (name.n && !is_advisory(name))
            jo_fail(&one, NULL, RC_MALFORMED, "must be INTEL-SA- and at least five digits");
        p->deny_advisories.values[p->deny_advisories.count++] = name;
    }
}

static void read_tcb(policy_t *p, const jo_t *tcb)
{
    uint64_t min_eval = 0;
    read_accept(p, tcb);
    read_deny(p, tcb);
    jo_opt_u64(tcb, &min_eval, "min_eval", 0, UINT32_MAX);
    p->min_eval = (uint32_t)min_eval;
    jo_opt_u64(tcb, &p->max_age_s, "max_age_s", 1, INT32_MAX);
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
        rule->values.values[rule->values.count++] = text ? jo_text_copy(&one, a, NULL, 1, RULES_NAME_MAX)
                                                         : jo_bytes(&one, a, NULL, 0, RULES_PAYLOAD_MAX, HEX_ANY);
}

static void read_require(image_t *image, arena_t *a, const jo_t *rtmr3)
{
    jo_t require = jo_object(rtmr3, "require"), rule;
    if (!jo_size(&require))
        jo_fail(&require, NULL, RC_MALFORMED, "names no event: nothing would be measured");
    if (jo_size(&require) > RULES_EVENTS_MAX)
        jo_fail(&require, NULL, RC_LIMIT, "more than %u events", RULES_EVENTS_MAX);
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

/* "unverified", or the digests of the ACPI tables: loader, RSDP and tables of one shape of machine after the other. */
static void read_acpi(dstack_image_t *d, arena_t *a, const jo_t *o, bool gives_key)
{
    if (!jo_has(o, "acpi"))
        jo_fail(o, "acpi", RC_MALFORMED, "is required: the digests of the ACPI tables that are admitted");
    d->unverified =
        jo_kind(o, "acpi") == JO_TEXT && view_eq(jo_text(o, "acpi", 0, 96), view_str(POLICY_ACPI_UNVERIFIED));
    if (d->unverified && gives_key && !d->aml_confined)
        jo_fail(o, "acpi", RC_REFUSED,
                "\"unverified\" lets a host run code in the kernel of a node that is given the key: list the digests, "
                "or say aml_confined of an image whose kernel confines that code");
    if (d->unverified)
        return;
    if (d->aml_confined)
        jo_fail(o, "aml_confined", RC_MALFORMED, "belongs to acpi \"unverified\"");
    read_values(&d->acpi, a, o, "acpi", 48);
    if (d->acpi.count % MEASURE_ACPI_COUNT)
        jo_fail(o, "acpi", RC_MALFORMED, "must be three digests for each shape of machine: loader, RSDP, tables");
}

static void read_dstack_image(dstack_image_t *d, arena_t *a, const jo_t *o, bool gives_key)
{
    d->is_one = true;
    if (!jo_has(o, "os_image_hash"))
        jo_fail(o, "os_image_hash", RC_MALFORMED, "is required");
    read_values(&d->hash, a, o, "os_image_hash", 32);
    jo_opt_bool(o, &d->aml_confined, "aml_confined");
    read_acpi(d, a, o, gives_key);
}

/* By its registers, or by its name. */
static void read_image(image_t *image, arena_t *a, const jo_t *o, bool gives_key)
{
    static const char *const keys[] = { "mrtd", "rtmr0", "rtmr1", "rtmr2" };
    values_t *const fields[] = { &image->mr_td, &image->rtmr[0], &image->rtmr[1], &image->rtmr[2] };
    jo_t rtmr3, dstack;
    image->name = (const char *)jo_text_copy(o, a, "name", 1, RULES_NAME_MAX).p;
    const bool named = jo_opt_object(o, &dstack, "dstack_image");
    if (named)
        read_dstack_image(&image->dstack, a, &dstack, gives_key);
    for (size_t i = 0; i < 4; i++) {
        if (jo_has(o, keys[i]) == named)
            jo_fail(o, keys[i], RC_MALFORMED, named ? "dstack_image stands in place of it" : "is required");
        if (!named)
            read_values(fields[i], a, o, keys[i], 48);
    }
    if (jo_opt_object(o, &rtmr3, "rtmr3")) /* else all zero */
        read_rtmr3(image, a, &rtmr3);
}

static void read_images(policy_t *p, const jo_t *o, bool gives_key)
{
    jo_t list = jo_list(o, "images", 0, POLICY_IMAGES_MAX), one;
    p->image_count = jo_size(&list);
    p->images = arena_calloc(&p->arena, p->image_count + 1, sizeof *p->images);
    if (!p->images)
        jo_fail(&list, NULL, RC_NOMEM, "out of memory");
    while (jo_next(&list, &one))
        read_image(&p->images[one.index], &p->arena, &one, gives_key);
}

/* Which TDs: those that a list names, or those like ourselves. */
static void read_mode(policy_t *p, const jo_t *o, bool gives_key)
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
        read_images(p, o, gives_key);
}

/* What members of a cluster hold themselves to. */
static void read_cluster(policy_t *p, const jo_t *o)
{
    uint64_t platforms = 0;
    jo_opt_u64(o, &platforms, "min_platforms", 1, POLICY_PLATFORMS_MAX);
    p->min_platforms = (uint32_t)platforms;
    jo_opt_u64(o, &p->rotate_after_s, "rotate_after_s", POLICY_ROTATE_MIN_S, INT32_MAX);
}

static void read_policy(policy_t *p, const jo_t *o, bool gives_key)
{
    jo_t part;
    if (jo_u64(o, "version", 0, UINT16_MAX) != POLICY_VERSION)
        jo_fail(o, "version", RC_MALFORMED, "must be 1");
    if (!TEE_SIMULATOR && jo_has(o, "simulator_root"))
        jo_fail(o, "simulator_root", RC_REFUSED, "this build admits no simulated evidence");
    jo_opt_bytes(o, &p->simulator_root, &p->arena, "simulator_root", 1, ROOT_LEN_MAX, HEX_ANY);
    read_mode(p, o, gives_key);
    read_values(&p->platforms, &p->arena, o, "platforms", 32);
    if (jo_opt_object(o, &part, "tcb"))
        read_tcb(p, &part);
    else
        p->accept[TCB_UP_TO_DATE] = p->accept[TCB_SW_HARDENING_NEEDED] = true;
    if (jo_opt_object(o, &part, "td"))
        read_td(p, &part);
    p->has_chain_id = jo_opt_u64(o, &p->chain_id, "chain_id", 1, INT64_MAX);
    read_values(&p->genesis_validators_root, &p->arena, o, "genesis_validators_root", 32);
    read_values(&p->setup_hash, &p->arena, o, "setup_hash", 32);
    read_cluster(p, o);
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

static rc_t read_text(policy_t **out, err_t *e, view_t json, bool gives_key)
{
    jo_doc_t doc;
    policy_t *p = policy_new();
    if (!p)
        return err_say(e, RC_NOMEM, "out of memory");
    const jo_t o = jo_open(&doc, e, json, POLICY_MAX, JO_STRICT);
    sha256(&p->digest, json);
    read_policy(p, &o, gives_key);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (rc) {
        policy_free(p);
        return err_code(e, rc, rc == RC_NOMEM ? E_NOMEM : E_POLICY);
    }
    *out = p;
    return RC_OK;
}

rc_t policy_read(policy_t **out, err_t *e, view_t json)
{
    return read_text(out, e, json, true);
}

rc_t policy_read_consumer(policy_t **out, err_t *e, view_t json)
{
    return read_text(out, e, json, false);
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

uint32_t policy_min_platforms(const policy_t *p)
{
    return p->min_platforms;
}

uint64_t policy_rotate_after_s(const policy_t *p)
{
    return p->rotate_after_s;
}

view_t policy_simulator_root(const policy_t *p)
{
    return p->simulator_root;
}

bool rules_application(hash32_t *out, const eventlog_t *log)
{
    static const char *const names[] = { "compose-hash", "app-id", "key-provider" };
    hash32_t hashes[3] = { 0 }; /* zeros: there is no such event */
    view_t parts[3];
    for (size_t i = 0; i < 3; i++) {
        view_t payload = { NULL, 0 };
        err_t fault;
        const rc_t rc = eventlog_identity(&payload, &fault, log, names[i]);
        if (!rc)
            sha256(&hashes[i], payload);
        if ((rc && fault.code != E_EVENT_REQUIRED) || (i == 0 && payload.n != sizeof out->b))
            return false;
        parts[i] = view_of(hashes[i].b, sizeof hashes[i].b);
    }
    sha256_parts(out, parts, 3);
    return true;
}

void policy_set_self(policy_t *p, const quote_t *self, const eventlog_t *log)
{
    self_t s = { .known = true };
    memcpy(s.mr_td, self->td.mr_td, 48);
    for (unsigned i = 0; i < 4; i++)
        memcpy(s.rtmr[i], self->td.rtmr[i], 48);
    memcpy(s.attributes, self->td.td_attributes, 8);
    memcpy(s.xfam, self->td.xfam, 8);
    memcpy(s.mr_config_id, self->td.mr_config_id, 48);
    memcpy(s.mr_owner, self->td.mr_owner, 48);
    memcpy(s.mr_owner_config, self->td.mr_owner_config, 48);
    s.has_application = log && rules_application(&s.application, log);
    p->self = s;
}
