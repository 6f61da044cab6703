/* tee.h - the interface of a TEE provider: evidence over 64 bytes of report data.
 *
 * Spec:   Intel TDX DCAP quote format v4 and v5 (offsets: tee/quote/quote.h); dstack guest agent API for the log
 * and vm_config
 * Floor:  3, tee. Providers live in tee/provider/ (edge).
 * Tests:  tests/unit/test_tee.c
 */
#ifndef TEE_TEE_H
#define TEE_TEE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define TEE_REPORT_DATA_LEN 64u
#define TEE_SEAL_KEY_LEN 32u
#define TEE_QUOTE_LEN_MAX 32768u      /* bytes of a quote */
#define TEE_EVENT_LOG_MAX (1u << 20)  /* bytes of an event log */
#define TEE_VM_CONFIG_MAX (64u << 10) /* bytes of dstack's VM configuration */

/* How evidence was made; the byte that travels on the wire. */
typedef enum {
#define TEE_KIND(word, type, byte, name, open) type = byte,
#include "tee/kinds.def"
#undef TEE_KIND
} tee_evidence_type_t;

/* "auto", then the words of all kinds, then NULL. */
extern const char *const TEE_WORDS[];

/* Whether a byte of the wire is a type of evidence. */
bool tee_is_type(unsigned byte);

/* "tdx", "dstack-tdx", "simulated": as documents name it; NULL for what is no type. */
const char *tee_type_name(unsigned type);

/* Evidence as a provider gives it: one allocation, owned; tee_evidence_free. */
typedef struct {
    tee_evidence_type_t type;
    uint8_t *buffer;  /* what the views point into */
    view_t quote;     /* without padding */
    view_t event_log; /* JSON; n 0: none */
    view_t vm_config; /* JSON; n 0: none */
} tee_evidence_t;

typedef struct tee_provider tee_provider_t;

struct tee_provider {
    const char *name; /* "simulator", "dstack", "tappd", "configfs-tsm": which one is used, for /attest and the log */
    const char *tee;  /* tee_type_name(type) */
    tee_evidence_type_t type;
    char where[200]; /* which one it is and where, as a sentence for the log */
    bool simulated;  /* every answer says so */
    void *ctx;
    /* Evidence over report_data, whose quote carries exactly it. May take a minute; calls are serialised inside. out
     * written only on RC_OK. RC_IO, RC_TIMEOUT, RC_NOMEM: none; e names the endpoint. */
    rc_t (*get_evidence)(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN]);
    /* How long evidence may take from now on, in milliseconds; 0: as usual. NULL: the provider has no say in it. */
    void (*set_patience)(void *ctx, uint32_t ms);
    /* DER of the trust root of this provider's quotes; n 0: Intel's. Lives as long as the provider. */
    view_t root;
    /* Collateral for its own quotes (flattened JSON, in the arena), valid at now (Unix seconds); NULL: ask a PCS.
     * RC_NOMEM, RC_BUG. */
    rc_t (*get_collateral)(void *ctx, view_t *out, arena_t *a, int64_t now);
    /* A key to seal what this program keeps on disk: the same when it runs here again, and nobody else's; path names
     * its use. NULL: the provider has none. RC_IO, RC_TIMEOUT, RC_NOMEM: none now. */
    rc_t (*seal_key)(void *ctx, uint8_t out[TEE_SEAL_KEY_LEN], err_t *e, const char *path);
    void (*free)(void *ctx);
};

/* Copies the parts into one buffer. RC_NOMEM; RC_LIMIT: a part is longer than its maximum. */
NODISCARD rc_t tee_evidence_make(tee_evidence_t *out, tee_evidence_type_t type, view_t quote, view_t event_log,
                                 view_t vm_config);

/* Frees what tee_evidence_make took; NULL and empty evidence are allowed. */
void tee_evidence_free(tee_evidence_t *evidence);

/* True when the word (one of TEE_WORDS) describes the provider; "auto" describes any. */
bool tee_is(const tee_provider_t *p, const char *word);

/* The prototype's binding: report_data = SHA-256("register" || lower-case hex of pubkey33) || 32 zero bytes. */
void tee_register_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const uint8_t pubkey33[33]);

/* What a quote of GET /v1/attest is over. */
typedef struct {
    tee_evidence_type_t type;
    const uint8_t *nonce;                        /* 32 bytes; NULL: none was asked for, which counts as zeros */
    const uint8_t *cluster_pubkey, *node_pubkey; /* 33 bytes each */
    hash32_t cluster_statement, node_statement;  /* SHA-256 of each (rpc/api/setup_statement.h) */
    hash32_t key_log;                            /* head of the log of the key's hand-overs; zero: there is none yet */
} tee_attest_t;

/* The binding of GET /v1/attest: SHA-512("tee-attest-api/2" || type || 0^3 || nonce || cluster key || node key ||
 * cluster statement || node statement || key log). */
void tee_attest_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const tee_attest_t *bound);

/* The binding of GET /v1/recovery, whose key operators send shares to: SHA-512("kettle-recover/1" || type || 0^3 ||
 * nonce 32 || X25519 key 32 || node key 33). */
void tee_recover_report_data(uint8_t out[TEE_REPORT_DATA_LEN], tee_evidence_type_t type, const uint8_t nonce[32],
                             const uint8_t recovery_key[32], const uint8_t node_pubkey[33]);

/* The binding of RA-TLS: SHA-512("ratls-cert:" || DER SubjectPublicKeyInfo). */
void tee_ratls_report_data(uint8_t out[TEE_REPORT_DATA_LEN], view_t spki_der);

#endif
