/* A policy that is read has its text's digest, and says the same twice; none admits a revoked platform, nor a debug TD without
 * naming debug, nor anything that its list does not. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "tee/policy.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

/* The subject of the corpus: registers of one digit each, and an event. */
static uint8_t regs[6][48], attributes[8], xfam[8], zeros[48];
static const uint8_t compose[] = { 0xc0, 0xff, 0xee };
static event_t events[2];
static eventlog_t eventlog = { events, 2, 1 };
static quote_t quote;
static tcb_grade_t grade;

static void make_subject(policy_subject_t *out)
{
    for (unsigned i = 0; i < 6; i++)
        memset(regs[i], (int)(0x11 * i), 48);
    attributes[0] = 0;
    attributes[3] = 0x10;
    events[0] = (event_t){ .imr = 3, .type = EVENTLOG_RUNTIME, .name = view_str("compose-hash"), .payload = view_of(compose, 3) };
    events[1] = (event_t){ .imr = 3, .type = EVENTLOG_RUNTIME, .name = view_str("system-ready") };
    quote = (quote_t){ .td = { .td_attributes = attributes, .xfam = xfam, .mr_td = regs[1], .mr_config_id = zeros, .mr_owner = zeros,
                               .mr_owner_config = zeros, .rtmr = { regs[2], regs[3], regs[4], regs[5] } } };
    grade = (tcb_grade_t){ .status = TCB_UP_TO_DATE, .has_module = true, .tcb_date = 1700000000 };
    *out = (policy_subject_t){ .quote = &quote, .grade = &grade, .log = &eventlog, .evaluation_number = 17, .issued = 1700000000,
                               .now = 1700000100 };
}

static rc_t judge(const policy_t *p, const policy_subject_t *s)
{
    const char *image = NULL;
    tee_fault_t fault = { 0 };
    rc_t rc = policy_check(p, &image, &fault, s);
    require((rc == RC_OK) == (fault.code == TEE_OK) && (rc == RC_OK) == (image != NULL));
    return rc;
}

static void check(policy_t *p, view_t text)
{
    policy_subject_t s;
    hash32_t digest;
    make_subject(&s);
    sha256(&digest, text);
    require(hash32_eq(&digest, policy_digest(p)));
    rc_t rc = judge(p, &s);
    require(judge(p, &s) == rc);
    grade.status = grade.platform = TCB_REVOKED;
    require(judge(p, &s) != RC_OK);
    make_subject(&s);
    attributes[0] = 1;
    require(judge(p, &s) != RC_OK || memmem(text.p, text.n, "debug", 5) || memchr(text.p, '\\', text.n));
    make_subject(&s);
    regs[1][47] ^= 1; /* a register of 48 bytes that are not all alike is not in a text that admits the subject by chance */
    require(rc != RC_OK || judge(p, &s) != RC_OK || memmem(text.p, text.n, "10", 2));
    make_subject(&s);
    require(policy_set_self(p, &quote, &eventlog) == RC_OK);
    judge(p, &s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    policy_t *p = NULL;
    policy_error_t e = { "", "" };
    const view_t text = view_of(data, len);
    rc_t rc = policy_read(&p, &e, text);
    require((rc == RC_OK) == (p != NULL) && (rc == RC_OK) == !e.error[0]);
    require(memchr(e.field, 0, sizeof e.field) && memchr(e.error, 0, sizeof e.error));
    if (p)
        check(p, text);
    policy_free(p);
    return 0;
}
