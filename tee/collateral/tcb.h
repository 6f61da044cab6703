/* tcb.h - TCB info and QE identity, and how a platform is graded by them. By Intel's rule, not by that of others.
 *
 * Spec:   Intel PCS API v4 (TCB info v3, enclave identity v2); Intel DCAP quote verification; tee-facts sections 4.2, 6
 * Floor:  3, tee/collateral. Pure; levels in the arena; trees of JSON take heap memory meanwhile.
 * Tests:  tests/unit/test_tcb.c, tests/fuzz/fuzz_tcb_info.c, tests/fuzz/fuzz_qe_identity.c, vectors kind tdx
 */
#ifndef TEE_COLLATERAL_TCB_H
#define TEE_COLLATERAL_TCB_H

#include "base/arena.h"
#include "base/bytes.h"
#include "tee/fault.h"
#include "tee/quote/quote.h"

#define TCB_LEVELS_MAX 256u
#define TCB_MODULES_MAX 32u
#define TCB_ADVISORIES_MAX 64u /* of one level, and of a result */
#define TCB_ADVISORY_LEN_MAX 32u

typedef enum {
    TCB_UP_TO_DATE,
    TCB_SW_HARDENING_NEEDED,
    TCB_CONFIGURATION_NEEDED,
    TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    TCB_OUT_OF_DATE,
    TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    TCB_TD_RELAUNCH_ADVISED,
    TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED,
    TCB_REVOKED,
    TCB_STATUS_COUNT
} tcb_status_t;

/* The names, "UpToDate", ... as Intel spells them, in the order of tcb_status_t, and NULL. */
extern const char *const tcb_status_names[TCB_STATUS_COUNT + 1];

/* One of them; "unknown" for a number that is no status. */
const char *tcb_status_name(tcb_status_t s);

typedef struct {
    uint8_t sgx[16], tdx[16];
    uint16_t pce_svn;
    uint16_t isv_svn; /* of levels of modules and of the QE; the others above then mean nothing */
    int64_t tcb_date; /* Unix seconds */
    tcb_status_t status;
    view_t advisories[TCB_ADVISORIES_MAX]; /* texts, in the arena */
    size_t advisory_count;
} tcb_level_t;

typedef struct {
    uint8_t version; /* of the TDX module: the XX of "TDX_XX" */
    uint8_t mr_signer[48], attributes[8], attributes_mask[8];
    const tcb_level_t *levels; /* sorted by isv_svn, descending */
    size_t level_count;
} tcb_module_t;

typedef struct {
    int64_t issue_date, next_update; /* Unix seconds */
    uint8_t fmspc[6], pce_id[2];
    uint32_t evaluation_number;
    tcb_module_t base_module; /* "tdxModule": for module version 0; no levels */
    const tcb_module_t *modules;
    size_t module_count;
    const tcb_level_t *levels; /* sorted descending by (sgx, pce_svn, tdx); of equal ones the first stays first */
    size_t level_count;
} tcb_info_t;

typedef struct {
    int64_t issue_date, next_update;
    uint32_t evaluation_number;
    uint8_t misc_select[4], misc_select_mask[4]; /* as in memory */
    uint8_t attributes[16], attributes_mask[16];
    uint8_t mr_signer[32];
    uint16_t isv_prod_id;
    const tcb_level_t *levels; /* sorted by isv_svn, descending */
    size_t level_count;
} qe_identity_t;

/* Which TEE a document is of. */
typedef enum {
    TCB_OF_TDX, /* TCB info "TDX", QE identity "TD_QE" */
    TCB_OF_SGX  /* "SGX" without modules and TDX components, "QE" */
} tcb_tee_t;

/* Parse the inner objects. out written only on RC_OK.
 * E_TCB_JSON, E_TCB_ID, E_TCB_COMPONENTS, E_TCB_TIME (dates that do not parse, or end before they begin); E_QEID_JSON,
 * E_QEID_ID, E_QEID_TIME; E_LIMIT, E_NOMEM. */
NODISCARD rc_t tcb_info_parse(tcb_info_t *out, err_t *e, arena_t *a, view_t json, tcb_tee_t tee);
NODISCARD rc_t qe_identity_parse(qe_identity_t *out, err_t *e, arena_t *a, view_t json, tcb_tee_t tee);

/* The grade of a platform. */
typedef struct {
    tcb_status_t status;                   /* of the whole: launch, or that the TD should be relaunched */
    tcb_status_t launch, current;          /* TEE_TCB_SVN and TEE_TCB_SVN2 with platform and QE; 1.0 report: the same */
    tcb_status_t platform, module, qe;     /* the parts of launch */
    bool has_module;                       /* false: SGX, or module version 0, which has no status */
    int64_t tcb_date;                      /* the earliest of the levels of platform, module and QE, of both vectors */
    view_t advisories[TCB_ADVISORIES_MAX]; /* union of platform, module and QE, of both, in order, without duplicates */
    size_t advisory_count;
} tcb_grade_t;

/* Grades the quoting enclave (step 11): *level is the first that its ISVSVN reaches. E_QE_MISC to E_QE_SVN. */
NODISCARD rc_t tcb_grade_qe(const tcb_level_t **level, err_t *e, const qe_identity_t *identity,
                            const quote_enclave_t *qe);

/* Grades platform, module and both with the QE's level (step 13): a TD report 1.5 twice, by the SVNs at launch and by
 * those that run now. A quote of an SGX enclave wants info of SGX, and has no module. out written only on RC_OK.
 * E_MODULE_SIGNER to E_TCB2_ZERO; E_LIMIT: more than TCB_ADVISORIES_MAX advisories together. */
NODISCARD rc_t tcb_grade(tcb_grade_t *out, err_t *e, const tcb_info_t *info, const tcb_level_t *qe_level,
                         const uint8_t components[16], uint16_t pce_svn, const quote_t *quote);

#endif
