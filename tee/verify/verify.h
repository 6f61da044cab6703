/* verify.h - complete verification of a quote by its collateral, and appraisal of a TD under a policy.
 *
 * Spec:   Intel SGX/TDX DCAP quote verification; tee-facts section 5 (steps 1 to 15)
 * Floor:  3, tee/verify. Pure: time, collateral, trust root and memory are arguments.
 * Tests:  tests/unit/test_verify.c, vectors kind tdx, build/bench quote
 */
#ifndef TEE_VERIFY_VERIFY_H
#define TEE_VERIFY_VERIFY_H

#include "tee/collateral/collateral.h"
#include "tee/collateral/rollback.h"
#include "tee/collateral/tcb.h"
#include "tee/quote/eventlog.h"
#include "tee/verify/policy.h"
#include "tee/x509/chain.h"

/* What verification found. Views point into quote, collateral and arena. */
typedef struct {
    quote_t quote;
    tcb_grade_t grade;
    chain_sgx_t sgx;   /* fmspc, pce_svn, ... */
    hash32_t platform; /* SHA-256 of its PPID, as policies list platforms */
    uint32_t tcb_evaluation_number, qe_evaluation_number;
    int64_t issued;          /* Unix seconds: the oldest issue date of TCB info, QE identity and PCK revocation list */
    int64_t earliest_expiry; /* Unix seconds: of all certificates, lists and documents */
    bool production_root;    /* the trust root was Intel's */
    const tcb_info_t *info;  /* these four are what anti-rollback remembers */
    const qe_identity_t *identity;
    chain_crl_t root_crl, pck_crl;
    policy_acpi_t acpi; /* of tee_appraise alone */
} tee_verified_t;

/* Steps 1 to 13: that the quote is genuine, and how its platform is graded. Says nothing yet of what runs in the TD.
 *   root    DER of the trust root
 *   now     Unix seconds; the later of the clock and the newest verified beacon header
 *   memory  checked, and brought forward after the last check; NULL: none
 * out written only on RC_OK. */
NODISCARD rc_t tee_verify(tee_verified_t *out, rollback_t *memory, err_t *e, arena_t *a, view_t quote,
                          const collateral_t *collateral, view_t root, int64_t now);

/* The same for the quote of an SGX enclave, version 3, with collateral of SGX; what runs in the enclave is told by
 * out->quote.enclave. No policy admits such a quote as a node, and no memory against rollback holds its collateral. */
NODISCARD rc_t tee_verify_sgx(tee_verified_t *out, err_t *e, arena_t *a, view_t quote, const collateral_t *collateral,
                              view_t root, int64_t now);

/* That a quote's signature leads to a root (DER), without a look at the time, at revocation, at the platform's TCB:
 * what can be said of one's own quote before there is any collateral. Codes of parsing, E_PEM to E_CERTKEY, E_QE_SIG,
 * E_QE_BINDING, E_QUOTE_SIG, E_POINT. */
NODISCARD rc_t tee_leads_to(err_t *e, view_t quote, view_t root);

/* Collateral of TDX after all checks that need no quote: for those who verify many quotes by the same collateral. */
typedef struct {
    collateral_t collateral;
    view_t root;
    tcb_info_t info;
    qe_identity_t identity;
    const chain_ca_t *ca; /* of the PCK CRL issuer chain; NULL: none, or not a good one: each quote's own is verified */
    int64_t from, until;  /* Unix seconds: when the checks hold; at other times all is checked anew with each quote */
} tee_prepared_t;

/* Steps 6 to 8, and what of 2 to 5 the collateral alone allows. out written only on RC_OK; it points into the arena and
 * to what the collateral's views show. */
NODISCARD rc_t tee_prepare(tee_prepared_t *out, err_t *e, arena_t *a, const collateral_t *collateral, view_t root,
                           int64_t now);

/* tee_verify by prepared collateral, with the same result; mostly three signatures are left to check. out points into
 * prepared as well. */
NODISCARD rc_t tee_verify_prepared(tee_verified_t *out, rollback_t *memory, err_t *e, arena_t *a, view_t quote,
                                   const tee_prepared_t *prepared, int64_t now);

/* What is to be appraised. */
typedef struct {
    tee_evidence_type_t type;
    view_t quote;
    view_t event_log;  /* n 0: none */
    view_t collateral; /* flattened container */
    view_t
        vm_config; /* n 0: none. For entries that name a dstack image; bound by nothing, and shown by the registers */
} tee_claim_t;

/* Steps 1 to 15: that evidence of this type carries report_data, is genuine, and is of a TD that the policy admits. The
 * trust root is Intel's; for TEE_EVIDENCE_SIMULATED the one that the policy names (E_SIMULATED when it names none).
 *   log     the claim's event log, written only on RC_OK; NULL: not wanted
 *   memory  checked, and brought forward only for evidence that is admitted; NULL: none
 * out written only on RC_OK. */
NODISCARD rc_t tee_appraise(tee_verified_t *out, eventlog_t *log, rollback_t *memory, err_t *e, arena_t *a,
                            const tee_claim_t *claim, const uint8_t report_data[TEE_REPORT_DATA_LEN],
                            const policy_t *policy, int64_t now);

#endif
