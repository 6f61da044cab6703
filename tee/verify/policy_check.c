/* policy_check.c - judging a TD by a policy that was read. */
#include <stdarg.h>
#include <stdio.h>

#include "base/hex.h"
#include "base/json.h"
#include "tee/measure/described.h"
#include "tee/verify/policy.h"
#include "tee/verify/rules.h"

#define SEPT_VE_DISABLE 0x10u /* in byte 3 of the attributes: bit 28 */
#define SHOWN_MAX 48u         /* bytes of a value, as hex in an error */

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
    if (s->grade->current == TCB_REVOKED) /* the status is that of the launch */
        return tee_fail(e, E_TCB_STATUS, "the TCB that runs now is revoked");
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
    const jo_t o = jo_open(&doc, NULL, payload, RULES_PAYLOAD_MAX, JO_LENIENT);
    const view_t name = jo_text(&o, "name", 1, RULES_NAME_MAX);
    const bool found = one_of(names, name) && !jo_done(&o);
    jo_close(&doc);
    return found;
}

/* A refusal in words of its own. */
__attribute__((format(printf, 3, 4))) static rc_t refuse(err_t *e, tee_code_t code, const char *fmt, ...)
{
    char text[240];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return tee_fail(e, code, text);
}

/* The first bytes of a value as hex. */
static void show(char out[2 * SHOWN_MAX + 4], view_t value)
{
    const bool whole = value.n <= SHOWN_MAX;
    hex_encode(out, view_of(value.p, whole ? value.n : SHOWN_MAX));
    if (!whole)
        strcat(out, "...");
}

static rc_t check_event(err_t *e, const event_rule_t *rule, const image_t *image, const eventlog_t *log)
{
    const bool provider = !strcmp(rule->name, "key-provider-name");
    char shown[2 * SHOWN_MAX + 4];
    view_t payload;
    rc_t rc = eventlog_identity(&payload, e, log, provider ? "key-provider" : rule->name);
    if (rc)
        return err_before(e, rc, "event %.40s, for image \"%.40s\": ", rule->name, image->name);
    if (provider ? provider_name_is(&rule->values, payload) : one_of(&rule->values, payload))
        return RC_OK;
    show(shown, payload);
    return refuse(e, E_EVENT_REQUIRED, "event %.40s is %s, which image \"%.40s\" does not admit", rule->name, shown,
                  image->name);
}

static rc_t check_events(err_t *e, const image_t *image, const eventlog_t *log)
{
    rc_t rc = RC_OK;
    if (!log)
        return refuse(e, E_EVENT_REQUIRED, "image \"%.40s\" requires events, and no event log came", image->name);
    for (size_t i = 0; !rc && i < image->event_count; i++)
        rc = check_event(e, &image->events[i], image, log);
    return rc;
}

/* --- registers --- */

#define REGISTERS 5u /* MRTD and RTMR0 to RTMR3 */
static const char *const register_names[REGISTERS] = { "MRTD", "RTMR0", "RTMR1", "RTMR2", "RTMR3" };

static const uint8_t *value_of(const quote_td_t *td, unsigned i)
{
    return i ? td->rtmr[i - 1] : td->mr_td;
}

/* Which registers are not as they should be, a bit for each; "what" is whose registers they should be. */
static rc_t refuse_registers(err_t *e, const quote_td_t *td, unsigned differ, const char *what)
{
    char shown[2 * SHOWN_MAX + 4], others[48] = "";
    unsigned first = 0;
    while (!(differ >> first & 1))
        first++;
    for (unsigned i = first + 1; i < REGISTERS; i++)
        if (differ >> i & 1)
            snprintf(others + strlen(others), sizeof others - strlen(others), "%s%s", others[0] ? ", " : "; so do ",
                     register_names[i]);
    show(shown, view_of(value_of(td, first), 48));
    return refuse(e, E_MEASUREMENT, "%s is %s and differs from %s%s", register_names[first], shown, what, others);
}

static unsigned count(unsigned bits)
{
    return (unsigned)__builtin_popcount(bits);
}

/* --- images --- */

#define OTHER_IMAGE (1u << REGISTERS) /* beside the registers: the evidence describes another image, or none */

/* The image that the evidence describes, for entries that name theirs. */
typedef struct {
    bool known;
    described_t image; /* when known; else: */
    err_t fault;
    bool has_acpi; /* what the event log says of the ACPI tables; RTMR0 shows whether it is so */
    uint8_t acpi[MEASURE_ACPI_COUNT][48];
} claimed_t;

static void read_claimed(claimed_t *out, const policy_t *p, const policy_subject_t *s)
{
    bool wanted = false;
    for (size_t i = 0; i < p->image_count; i++)
        wanted = wanted || p->images[i].dstack.is_one;
    out->known = wanted && !described_read(&out->image, &out->fault, s->vm_config);
    out->has_acpi = out->known && s->log && !measure_take_acpi(out->acpi, NULL, s->log);
}

/* The ACPI tables are those of a shape that the entry lists; or any. */
static bool rtmr0_admitted(const dstack_image_t *d, const claimed_t *c, const uint8_t *rtmr0)
{
    if (d->unverified)
        return c->has_acpi && described_rtmr0_is(&c->image, (const uint8_t(*)[48])c->acpi, rtmr0);
    for (size_t i = 0; i + MEASURE_ACPI_COUNT <= d->acpi.count; i += MEASURE_ACPI_COUNT) {
        uint8_t acpi[MEASURE_ACPI_COUNT][48];
        for (size_t k = 0; k < MEASURE_ACPI_COUNT; k++)
            memcpy(acpi[k], d->acpi.values[i + k].p, 48);
        if (described_rtmr0_is(&c->image, (const uint8_t(*)[48])acpi, rtmr0))
            return true;
    }
    return false;
}

/* Of an entry that names its image: registers that are not what that image measures. */
static unsigned described_differs(const dstack_image_t *d, const claimed_t *c, const quote_td_t *td)
{
    const measurement_t *m = &c->image.m;
    if (!c->known || !one_of(&d->hash, view_of(c->image.hash.b, 32)))
        return OTHER_IMAGE | 0xfu;
    unsigned differ = memcmp(td->mr_td, m->mr_td[TDVF_PAGE_BY_PAGE], 48) != 0 &&
                      memcmp(td->mr_td, m->mr_td[TDVF_PAGES_FIRST], 48) != 0;
    differ |= (unsigned)!rtmr0_admitted(d, c, td->rtmr[0]) << 1;
    for (unsigned i = 1; i < 3; i++)
        differ |= (unsigned)(memcmp(td->rtmr[i], m->rtmr[i].value, 48) != 0) << (i + 1);
    return differ;
}

/* Of an entry that lists registers. */
static unsigned listed_differs(const image_t *image, const quote_td_t *td)
{
    unsigned differ = !one_of(&image->mr_td, view_of(td->mr_td, 48));
    for (unsigned i = 0; i < 3; i++)
        differ |= (unsigned)!one_of(&image->rtmr[i], view_of(td->rtmr[i], 48)) << (i + 1);
    return differ;
}

/* Registers that differ from what the image admits; events stand for RTMR3 where it is judged by them. */
static unsigned image_differs(const image_t *image, const claimed_t *c, const quote_td_t *td)
{
    unsigned differ = image->dstack.is_one ? described_differs(&image->dstack, c, td) : listed_differs(image, td);
    if (image->rtmr3_mode == RTMR3_ZERO)
        differ |= (unsigned)!is_zero(td->rtmr[3], 48) << 4;
    if (image->rtmr3_mode == RTMR3_EXACT)
        differ |= (unsigned)!one_of(&image->rtmr3, view_of(td->rtmr[3], 48)) << 4;
    return differ;
}

/* Why the nearest image is not this one. */
static rc_t refuse_image(err_t *e, const image_t *image, const claimed_t *c, const quote_td_t *td)
{
    const unsigned differ = image_differs(image, c, td);
    char what[100], hex[65];
    if (differ & OTHER_IMAGE && !c->known)
        return refuse(e, E_MEASUREMENT, "for image \"%.40s\": vm_config%s%s: %.140s", image->name,
                      c->fault.field[0] ? "." : "", c->fault.field, c->fault.text);
    if (differ & OTHER_IMAGE) {
        hex_encode(hex, view_of(c->image.hash.b, 32));
        return refuse(e, E_MEASUREMENT, "the evidence is of the image with os_image_hash %s, and not of \"%.40s\"", hex,
                      image->name);
    }
    if (differ == 2u && image->dstack.is_one && c->has_acpi &&
        described_rtmr0_is(&c->image, (const uint8_t(*)[48])c->acpi, td->rtmr[0])) {
        show(what, view_of(c->acpi[MEASURE_ACPI_TABLES], 48));
        return refuse(e, E_MEASUREMENT, "image \"%.40s\" does not list these ACPI tables: digest %s", image->name,
                      what);
    }
    snprintf(what, sizeof what, "the nearest image, \"%.40s\"", image->name);
    return refuse_registers(e, td, differ, what);
}

static policy_acpi_t acpi_of(const dstack_image_t *d)
{
    return !d->unverified ? POLICY_ACPI_MEASURED : d->aml_confined ? POLICY_ACPI_CONFINED : POLICY_ACPI_ANY;
}

/* The first image that matches; else the fault of the nearest: of one whose registers match, if there is such. */
static rc_t check_images(const policy_t *p, policy_match_t *out, err_t *e, const policy_subject_t *s)
{
    const quote_td_t *td = &s->quote->td;
    const image_t *nearest = NULL;
    unsigned least = REGISTERS + 2;
    claimed_t c;
    err_t events;
    read_claimed(&c, p, s);
    for (size_t i = 0; i < p->image_count; i++) {
        const image_t *one = &p->images[i];
        const unsigned differ = image_differs(one, &c, td);
        if (!differ && (one->rtmr3_mode != RTMR3_EVENTS || !check_events(&events, one, s->log))) {
            *out = (policy_match_t){ one->name, acpi_of(&one->dstack) };
            return RC_OK;
        }
        if (count(differ) < least) {
            least = count(differ);
            nearest = one;
        }
    }
    if (!nearest)
        return tee_fail(e, E_MEASUREMENT, "the policy lists no image");
    return least ? refuse_image(e, nearest, &c, td) : check_events(e, nearest, s->log);
}

/* RTMR3 differs from node to node where the application is the same. */
static bool same_application(const self_t *self, const policy_subject_t *s)
{
    hash32_t application;
    if (!memcmp(s->quote->td.rtmr[3], self->rtmr[3], 48))
        return true;
    return self->has_application && s->log && rules_application(&application, s->log) &&
           hash32_eq(&application, &self->application);
}

/* What the host gave the TD at its start, and no register measures. */
static rc_t check_given(const policy_t *p, err_t *e, const quote_td_t *td)
{
    if (!p->mr_config_id.count && memcmp(td->mr_config_id, p->self.mr_config_id, 48) != 0)
        return tee_fail(e, E_MEASUREMENT, "MRCONFIGID differs from our own");
    if (!p->mr_owner.count && memcmp(td->mr_owner, p->self.mr_owner, 48) != 0)
        return tee_fail(e, E_MEASUREMENT, "MROWNER differs from our own");
    if (!p->mr_owner_config.count && memcmp(td->mr_owner_config, p->self.mr_owner_config, 48) != 0)
        return tee_fail(e, E_MEASUREMENT, "MROWNERCONFIG differs from our own");
    return RC_OK;
}

static rc_t check_self(const policy_t *p, err_t *e, const policy_subject_t *s)
{
    const quote_td_t *td = &s->quote->td;
    const self_t *self = &p->self;
    if (!self->known)
        return tee_fail(e, E_MEASUREMENT, "our own measurements are not known yet");
    unsigned differ = memcmp(td->mr_td, self->mr_td, 48) != 0;
    for (unsigned i = 0; i < 3; i++)
        differ |= (unsigned)(memcmp(td->rtmr[i], self->rtmr[i], 48) != 0) << (i + 1);
    if (one_of(&p->self_rtmr0, view_of(td->rtmr[0], 48)))
        differ &= ~2u;
    if (!same_application(self, s))
        differ |= 16u;
    if (differ)
        return refuse_registers(e, td, differ, "our own");
    if (memcmp(td->td_attributes, self->attributes, 8) != 0 || memcmp(td->xfam, self->xfam, 8) != 0)
        return tee_fail(e, E_MEASUREMENT, "TD attributes or XFAM differ from our own");
    return check_given(p, e, td);
}

rc_t policy_check(const policy_t *p, policy_match_t *out, err_t *e, const policy_subject_t *subject)
{
    rc_t rc = check_td(p, e, &subject->quote->td);
    if (!rc)
        rc = check_tcb(p, e, subject);
    if (rc)
        return rc;
    if (p->platforms.count && (!subject->platform || !one_of(&p->platforms, view_of(subject->platform->b, 32))))
        return tee_fail(e, E_PLATFORM, NULL);
    if (!p->same_as_self)
        return check_images(p, out, e, subject);
    rc = check_self(p, e, subject);
    if (!rc)
        *out = (policy_match_t){ "self", POLICY_ACPI_MEASURED };
    return rc;
}

rc_t policy_check_chain(const policy_t *p, err_t *e, const policy_chain_t *said)
{
    char shown[2 * SHOWN_MAX + 4];
    if (p->has_chain_id && p->chain_id != said->chain_id)
        return err_code(e,
                        err_in(e, RC_REFUSED, "chain_id", "the policy demands chain id %llu, and this is %llu",
                               (unsigned long long)p->chain_id, (unsigned long long)said->chain_id),
                        E_POLICY_CHAIN);
    if (!admits(&p->genesis_validators_root, said->genesis_validators_root.b, 32)) {
        show(shown, view_of(said->genesis_validators_root.b, 32));
        return err_code(e,
                        err_in(e, RC_REFUSED, "genesis_validators_root", "the policy demands another than 0x%s", shown),
                        E_POLICY_GENESIS);
    }
    if (!admits(&p->setup_hash, said->setup_hash.b, 32)) {
        show(shown, view_of(said->setup_hash.b, 32));
        return err_code(e, err_in(e, RC_REFUSED, "setup_hash", "the policy demands another than 0x%s", shown),
                        E_POLICY_SETUP);
    }
    return RC_OK;
}
