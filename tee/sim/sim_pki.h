/* sim_pki.h - keys, certificates and revocation lists of the simulated platform, determined by a plan and a seed.
 *
 * Spec:   Intel SGX PCK Certificate and CRL profile specification (names replaced); RFC 5280
 * Floor:  3, tee/sim.
 * Tests:  tests/unit/test_sim.c (read by GnuTLS)
 */
#ifndef TEE_SIM_SIM_PKI_H
#define TEE_SIM_SIM_PKI_H

#include "base/crypto/p256.h"
#include "tee/sim/sim_faults.h"

#define SIM_CERT_MAX 4096u
#define SIM_CRL_MAX 2048u
#define SIM_KEY_ID_LEN 20u
#define SIM_SERIAL_LEN 20u

typedef struct {
    uint8_t seed[32];
    struct {
        uint8_t secret[P256_SECRET_LEN], public[P256_PUBKEY_LEN];
        uint8_t id[SIM_KEY_ID_LEN]; /* SHA-1 of the public point */
    } keys[SIM_KEYS];
    struct {
        uint8_t serial[SIM_SERIAL_LEN];
        uint8_t der[SIM_CERT_MAX];
        size_t len;
    } certs[SIM_CERTS];
} sim_pki_t;

/* n bytes of HKDF-SHA256 of the seed for a label. RC_NOMEM. */
NODISCARD rc_t sim_derive(uint8_t *out, size_t n, const uint8_t seed[32], const char *label);

/* Makes keys and certificates: the same bytes for the same plan and seed, except for the attestation key. out holds
 * nothing useful on failure. RC_NOMEM, RC_BUG. */
NODISCARD rc_t sim_pki_make(sim_pki_t *out, const sim_plan_t *plan, const uint8_t seed[32]);

/* A revocation list of the day that begins at day (Unix seconds). RC_NOMEM, RC_BUG. */
NODISCARD rc_t sim_crl(wr_t *out, const sim_pki_t *pki, const sim_crl_plan_t *crl, const sim_plan_t *plan, int64_t day);

/* Appends certificates as PEM. */
void sim_pem(wr_t *out, const sim_pki_t *pki, const sim_key_t *chain, size_t count);

/* Flips a bit of v, unless it is SIM_NO_FLIP or behind v's end. */
void sim_flip(uint8_t *p, size_t n, long bit);

#endif
