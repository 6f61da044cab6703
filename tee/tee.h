/* tee.h - the interface of a TEE provider: quotes over 64 bytes of report data.
 *
 * Spec:   Intel TDX DCAP quote format v4 and v5 (offsets: tee/quote.h)
 * Floor:  4, tee. Providers live in tee/provider/ (edge).
 * Tests:  tests/unit/test_tee.c
 */
#ifndef TEE_TEE_H
#define TEE_TEE_H

#include "base/bytes.h"
#include "base/rc.h"

#define TEE_REPORT_DATA_LEN 64u
#define TEE_QUOTE_LEN_MAX 32768u

typedef struct tee_provider tee_provider_t;

struct tee_provider {
    const char *name; /* "simulator", "dstack", "tdx" */
    bool simulated;   /* every answer says so */
    void *ctx;
    /* Writes a quote over report_data. out_len written only on RC_OK. RC_IO: no quote, why says so. */
    rc_t (*get_quote)(void *ctx, uint8_t out[TEE_QUOTE_LEN_MAX], size_t *out_len,
                      const uint8_t report_data[TEE_REPORT_DATA_LEN], const char **why);
    void (*free)(void *ctx);
};

/* The simulator (tee-facts section 10): a well-formed TDX v4 quote with valid signatures under a throw-away certificate
 * chain that seed determines; it may be used from several threads. secret_init must have been called. RC_UNSUPPORTED
 * when the build leaves it out (-Dsimulator=disabled). */
NODISCARD rc_t tee_simulator_open(tee_provider_t *out, const uint8_t seed[32], const char **why);

/* The prototype's binding: report_data = SHA-256("register" || lower-case hex of pubkey33) || 32 zero bytes. */
void tee_register_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const uint8_t pubkey33[33]);

#endif
