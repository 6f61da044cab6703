/* sim_faults.h - the plan of a simulated platform: every value that goes into its certificates, lists, documents
 * and quotes.
 *
 * sim_plan_init gives the plan of a genuine platform, which is what tee_simulator_open builds. A test spoils a
 * field of it and names the fault that it expects: fault injection and simulation are one code path. What a plan
 * changes is signed as if it were genuine, except for the bits that flips name, which change after signing.
 *
 * Spec:   tee-facts sections 3, 4, 8 and 10
 * Floor:  3, tee/sim. Built only with the meson option simulator.
 * Tests:  tests/unit/test_sim.c, tests/unit/test_negative_*.c
 */
#ifndef TEE_SIM_SIM_FAULTS_H
#define TEE_SIM_SIM_FAULTS_H

#include "tee/quote/quote.h"
#include "tee/tee.h"

/* Certificates, their keys, and two more keys. */
typedef enum {
    SIM_ROOT,
    SIM_CA,     /* PCK Platform CA */
    SIM_LEAF,   /* PCK certificate */
    SIM_SIGNER, /* TCB signer */
    SIM_CERTS,
    SIM_ATTESTATION = SIM_CERTS, /* random: fresh for each provider, as a QE keeps one */
    SIM_STRANGER,                /* a key that nobody vouches for */
    SIM_KEYS,
    SIM_NOBODY = SIM_KEYS /* where a key identifier may be left out */
} sim_key_t;

typedef enum { SIM_SHA256, SIM_SHA1, SIM_SHA384 } sim_hash_t; /* of an ECDSA signature */
typedef enum { SIM_P256, SIM_P384, SIM_RSA } sim_key_type_t; /* other keys than P-256 are constants that sign nothing */

#define SIM_NO_FLIP (-1)
#define SIM_CHAIN_CERTS_MAX 5u
#define SIM_LEVELS_MAX 6u
#define SIM_MODULES_MAX 3u
#define SIM_EDITS_MAX 3u

typedef struct {
    const char *name, *issuer_name; /* common names; issuer_name NULL: its issuer's */
    sim_key_t issuer;               /* signs */
    sim_key_t authority;            /* named by the authority key identifier */
    bool no_subject_key;            /* no subject key identifier */
    sim_key_type_t key_type;
    sim_hash_t hash;
    bool ca;
    int path_len; /* -1: none */
    bool has_constraints, constraints_critical;
    unsigned usage; /* bits as in CERT_USAGE_* of tee/x509/cert.h; 0: no extension */
    bool usage_critical;
    bool unknown_critical;   /* one more extension, critical, that nobody knows */
    int64_t from, until;     /* Unix seconds */
    const char *crl;         /* distribution point */
    unsigned sgx_extensions; /* how often it carries the SGX extension */
    long flip;               /* bit of the DER */
} sim_cert_plan_t;

/* The SGX extension. */
typedef struct {
    view_t raw; /* n 0: from the fields below */
    uint16_t components[16];
    uint32_t pce_svn;
    uint8_t cpu_svn[16], pce_id[2], fmspc[8];
    size_t fmspc_len;
    size_t trailing; /* zeros behind the sequence */
} sim_sgx_plan_t;

typedef struct {
    bool missing;
    const char *issuer_name; /* NULL: its issuer's */
    sim_key_t issuer, authority;
    sim_hash_t hash;
    int64_t from, until; /* seconds after the day's beginning */
    bool has_number;
    int64_t number;   /* added to the number of the day */
    unsigned revoked; /* bits 1 << SIM_LEAF, ...: certificates of this platform that it lists, */
    unsigned others;  /* and how many of others */
    long flip;
} sim_crl_plan_t;

/* One change of a document's text: the first place. find NULL: none. */
typedef struct {
    const char *find, *replace;
} sim_edit_t;

typedef struct {
    int64_t from, until; /* seconds after the day's beginning */
    uint32_t evaluation_number;
    sim_key_t signer;                     /* signs the document, */
    sim_key_t chain[SIM_CHAIN_CERTS_MAX]; /* and the chain that goes with it */
    size_t chain_count;
    view_t chain_text;               /* n 0: of the certificates above */
    sim_edit_t edits[SIM_EDITS_MAX]; /* before signing */
    sim_edit_t late;                 /* after signing */
} sim_document_plan_t;

typedef struct {
    uint8_t sgx[16];
    uint16_t pce_svn;
    uint8_t tdx[16];
    uint16_t isv_svn; /* of levels of modules and of the QE; the fields above then mean nothing */
    const char *date, *status;
    const char *advisories; /* JSON list; NULL: none */
} sim_level_t;

typedef struct {
    unsigned version;
    sim_level_t levels[SIM_LEVELS_MAX];
    size_t level_count;
} sim_module_plan_t;

/* What the machine measured on its way up: SHA-384 of the text, into one of registers 0 to 2. */
typedef struct {
    unsigned rtmr;
    uint32_t type; /* TCG event type */
    const char *event;
} sim_boot_event_t;

/* Places in the raw parts of a plan. */
enum {
    SIM_HEADER_VERSION = 0,
    SIM_HEADER_USER_DATA = 28,
    SIM_TD_TCB_SVN = 0,
    SIM_TD_MR_SEAM = 16,
    SIM_TD_MR_SIGNER_SEAM = 64,
    SIM_TD_SEAM_ATTRIBUTES = 112,
    SIM_TD_ATTRIBUTES = 120,
    SIM_TD_XFAM = 128,
    SIM_TD_MR_TD = 136,
    SIM_TD_RTMR0 = 328,
    SIM_TD_REPORT_DATA = 520,
    SIM_TD_TCB_SVN2 = 584,
    SIM_TD_MR_SERVICE_TD = 600,
    SIM_QE_MISC_SELECT = 16,
    SIM_QE_ATTRIBUTES = 48,
    SIM_QE_MR_ENCLAVE = 64,
    SIM_QE_MR_SIGNER = 128,
    SIM_QE_PROD_ID = 256,
    SIM_QE_SVN = 258,
    SIM_QE_REPORT_DATA = 320,
};

typedef struct {
    uint8_t header[QUOTE_HEADER_LEN];     /* QE id is filled in */
    uint16_t body_type;                   /* of version 5; QUOTE_BODY_TD15 makes the body 64 bytes longer */
    int64_t body_size;                    /* of version 5; -1: the true one */
    uint8_t td[QUOTE_TD15_LEN];           /* registers and report data are filled in */
    uint8_t qe_report[QUOTE_ENCLAVE_LEN]; /* report data is filled in, */
    uint8_t binding_xor[64];              /* and changed by this */
    size_t auth_len;                      /* QE authentication data: 0, 1, 2, ... */
    sim_key_t signer, qe_signer;
    const uint8_t *signature, *qe_signature; /* 64 bytes instead; NULL: the true ones */
    const uint8_t *attestation_key;          /* 64 bytes instead, vouched for by the QE; NULL: the true one */
    sim_key_t chain[SIM_CHAIN_CERTS_MAX];
    size_t chain_count;
    view_t chain_text; /* n 0: of the certificates above */
    bool chain_nul;    /* a NUL behind the chain, as Intel's own QE writes it */
    size_t padded;     /* zeros up to this length, as Google's machines give them; 0: none */
    long flip;         /* bit of the quote */
} sim_quote_plan_t;

typedef struct {
    sim_cert_plan_t certs[SIM_CERTS];
    sim_sgx_plan_t sgx;
    sim_crl_plan_t root_crl, pck_crl;
    sim_document_plan_t tcb_info, qe_identity;
    sim_level_t levels[SIM_LEVELS_MAX];
    size_t level_count;
    sim_module_plan_t modules[SIM_MODULES_MAX];
    size_t module_count;
    sim_level_t qe_levels[SIM_LEVELS_MAX];
    size_t qe_level_count;
    const sim_boot_event_t *boot;
    size_t boot_count;
    sim_quote_plan_t quote;
} sim_plan_t;

/* The plan of a genuine platform that is UpToDate: quote version 4, TD report 1.0. */
void sim_plan_init(sim_plan_t *out);

/* The same with quote version 5 and TD report 1.5. */
void sim_plan_init_td15(sim_plan_t *out);

/* Opens a provider by a plan, which is copied; what it points to is borrowed. RC_NOMEM, RC_BUG: the plan cannot be
 * followed (an edit finds nothing, a part is too long); e says so. */
NODISCARD rc_t sim_open(tee_provider_t *out, err_t *e, const sim_plan_t *plan, const uint8_t seed[32]);

/* One of the provider's certificates as a PEM block with its line end; in the arena. n 0: no memory. */
view_t sim_cert_pem(const tee_provider_t *p, arena_t *a, sim_key_t which);

#endif
