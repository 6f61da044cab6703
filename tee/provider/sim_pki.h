/* sim_pki.h - the throw-away certificate hierarchy of the simulated TDX platform, determined by a seed.
 *
 * Spec:   Intel SGX PCK Certificate and CRL profile specification (names replaced)
 * Floor:  6, tee/provider. With sim.c the door to GnuTLS's X.509 writer.
 * Tests:  tests/unit/test_sim.c
 */
#ifndef TEE_PROVIDER_SIM_PKI_H
#define TEE_PROVIDER_SIM_PKI_H

#include "base/bytes.h"
#include "base/crypto/p256.h"
#include "base/rc.h"

#define SIM_CHAIN_MAX 8192u
#define SIM_CERT_MAX 2048u
#define SIM_CPU_SVN_LEN 16u

/* SGX TCB component SVNs of the simulated platform, which are also its CPUSVN. */
extern const uint8_t SIM_CPU_SVN[SIM_CPU_SVN_LEN];

typedef struct {
    uint8_t leaf_secret[P256_SECRET_LEN]; /* PCK key: signs QE reports */
    uint8_t chain[SIM_CHAIN_MAX];         /* PEM: leaf, intermediate, root */
    size_t chain_len;
    uint8_t root[SIM_CERT_MAX]; /* DER */
    size_t root_len;
} sim_pki_t;

/* n bytes of HKDF-SHA256 of the seed for a label. RC_NOMEM. */
NODISCARD rc_t sim_derive(uint8_t *out, size_t n, const uint8_t seed[32], const char *label);

/* Makes the hierarchy: the same bytes for the same seed. out holds nothing useful on failure.
 * RC_NOMEM, RC_BUG: GnuTLS refused; why says so. */
NODISCARD rc_t sim_pki_make(sim_pki_t *out, const char **why, const uint8_t seed[32]);

#endif
