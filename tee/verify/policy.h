/* policy.h - which TDs are admitted: TCB statuses, attributes, measurements, events.
 *
 * An empty list of images admits nothing. Debug TDs and the simulator are admitted only where the policy names them and
 * the build allows it.
 *
 * Spec:   tee-facts section 7; docs/policy.md
 * Floor:  3, tee/verify. Pure; a policy and its lists are on the heap.
 * Tests:  tests/unit/test_policy.c, tests/unit/test_policy_judge.c, tests/fuzz/fuzz_policy.c
 */
#ifndef TEE_VERIFY_POLICY_H
#define TEE_VERIFY_POLICY_H

#include "base/arena.h"
#include "tee/collateral/tcb.h"
#include "tee/quote/eventlog.h"
#include "tee/quote/quote.h"

#define POLICY_MAX (256u << 10) /* bytes of the JSON text */
#define POLICY_VERSION 1u       /* of the form of the text */
#define POLICY_DEFAULT "{\"mode\":\"same-as-self\",\"version\":1}"
#define POLICY_IMAGES_MAX 64u
#define POLICY_VALUES_MAX 64u /* alternatives in one list */
#define POLICY_ACPI_UNVERIFIED "unverified"
#define POLICY_PLATFORMS_MAX 64u
#define POLICY_ROTATE_MIN_S 3600u

typedef struct policy policy_t;

/* Reads a policy of those who give a key or a secret to whom it admits; unknown keys are errors. policy_free.
 *   out  written only on RC_OK
 *   e    field: dotted path, "images[2].mrtd"; empty: the text as a whole. code: E_POLICY, E_NOMEM
 * RC_MALFORMED; RC_REFUSED: well-formed, but nothing that this build admits, or it admits any ACPI tables below a
 * kernel that does not confine their code: a host could take the key; RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t policy_read(policy_t **out, err_t *e, view_t json);

/* The same for consumers, who give nothing: they may admit any ACPI tables, and say so in what they print. */
NODISCARD rc_t policy_read_consumer(policy_t **out, err_t *e, view_t json);

/* NULL is allowed. */
void policy_free(policy_t *p);

/* SHA-256 of the policy's text as it was read. */
const hash32_t *policy_digest(const policy_t *p);

/* POLICY_DEFAULT: mode same-as-self, TCB UpToDate and SWHardeningNeeded. RC_NOMEM. */
NODISCARD rc_t policy_default(policy_t **out);

/* For same-as-self: what "self" is, from our own verified quote and event log (NULL: none). Copied. */
void policy_set_self(policy_t *p, const quote_t *self, const eventlog_t *log);

/* DER of the simulator's root that the policy names ("simulator_root"); n 0: none, and in builds without the simulator
 * a policy that names one is refused by policy_read. */
view_t policy_simulator_root(const policy_t *p);

/* What a node of a cluster holds itself to: on how many distinct platforms its members, itself among them, must run for
 * it to sign; after how many seconds it says that another key is due. 0: the policy does not say. */
uint32_t policy_min_platforms(const policy_t *p);
uint64_t policy_rotate_after_s(const policy_t *p);

/* What a node says of the chain that it follows, and of its setup. */
typedef struct {
    uint64_t chain_id;
    hash32_t genesis_validators_root;
    hash32_t setup_hash; /* SHA-256 of its cluster statement */
} policy_chain_t;

/* That a node which the evidence binds to this says what the policy demands (chain_id, genesis_validators_root,
 * setup_hash; each that is missing: any). E_POLICY_CHAIN, E_POLICY_GENESIS, E_POLICY_SETUP; e names the key. */
NODISCARD rc_t policy_check_chain(const policy_t *p, err_t *e, const policy_chain_t *said);

/* What policy_check judges; tee/verify/verify.h fills it from what it verified. */
typedef struct {
    const quote_t *quote;
    const tcb_grade_t *grade;
    const eventlog_t *log;      /* NULL: none came */
    view_t vm_config;           /* JSON, bound by nothing; n 0: none came */
    const hash32_t *platform;   /* NULL: not known, which a policy that lists platforms refuses */
    uint32_t evaluation_number; /* the lower one of TCB info and QE identity */
    int64_t issued;             /* Unix seconds: the oldest issue date of both and of the PCK revocation list */
    int64_t now;
} policy_subject_t;

/* What vouches for the ACPI tables of a TD, whose code its kernel runs. */
typedef enum {
    POLICY_ACPI_MEASURED, /* RTMR0, as the policy lists it or their digests */
    POLICY_ACPI_CONFINED, /* nothing; the image's kernel confines their code, the policy says */
    POLICY_ACPI_ANY       /* nothing: the host can run code in the guest's kernel */
} policy_acpi_t;

/* What admitted a TD. */
typedef struct {
    const char *image; /* name of the entry that matched ("self" for same-as-self), borrowed from the policy */
    policy_acpi_t acpi;
} policy_match_t;

/* Steps 14 and 15 without the report data and policy_check_chain. out written only on RC_OK. e says of measurements
 * which register is not admitted, its value, and the image that is nearest. Codes E_TCB_STATUS to E_EVENT_REQUIRED,
 * E_COLLATERAL_AGE, E_PLATFORM. */
NODISCARD rc_t policy_check(const policy_t *p, policy_match_t *out, err_t *e, const policy_subject_t *subject);

#endif
