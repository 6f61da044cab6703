/* chain.h - certificate chains and revocation lists of Intel's SGX hierarchy, and the SGX extension of PCK
 * certificates.
 *
 * Spec:   Intel SGX PCK Certificate and CRL profile; RFC 5280 as far as that profile uses it; tee-facts sections 3
 * and 5
 * Floor:  3, tee/x509. The door to GnuTLS's X.509 reader. Time is an argument; GnuTLS takes heap memory.
 * Tests:  tests/unit/test_chain.c, tests/fuzz/fuzz_sgx_extension.c, tests/fuzz/fuzz_crl.c, vectors kind tdx
 */
#ifndef TEE_X509_CHAIN_H
#define TEE_X509_CHAIN_H

#include "base/arena.h"
#include "base/bytes.h"
#include "tee/fault.h"
#include "tee/x509/crl.h"

#define CHAIN_PEM_MAX 16384u /* bytes of a chain as PEM */

/* The SGX extension (OID 1.2.840.113741.1.13.1) of a PCK certificate. */
typedef struct {
    uint8_t ppid[16];       /* privacy-sensitive: never logged */
    uint8_t components[16]; /* SGX TCB component SVNs 1 to 16; equal to cpu_svn, byte by byte */
    uint16_t pce_svn;
    uint8_t cpu_svn[16];
    uint8_t pce_id[2];
    uint8_t fmspc[6];
    uint8_t sgx_type; /* 0 standard, 1 scalable, 2 scalable with integrity */
    bool has_instance_id;
    uint8_t instance_id[16];
} chain_sgx_t;

/* What anti-rollback remembers of a revocation list. */
typedef struct {
    hash32_t issuer;                  /* SHA-256 of the issuer's DER subject public key info */
    uint8_t number[CRL_NUMBER_MAX];   /* crlNumber, big-endian, zero-padded on the left: compare as bytes */
    int64_t this_update, next_update; /* Unix seconds */
} chain_crl_t;

/* A PCK chain that verified. */
typedef struct {
    uint8_t leaf_pubkey[64]; /* x || y */
    chain_sgx_t sgx;
    chain_crl_t root_crl, pck_crl;
    int64_t earliest_expiry; /* Unix seconds: of three certificates and two lists */
} chain_pck_t;

/* A TCB signing chain that verified. */
typedef struct {
    uint8_t pubkey[64];
    int64_t earliest_expiry; /* of both certificates and the root's revocation list */
} chain_signer_t;

/* Intel's SGX root CA, DER: the one production trust root. */
extern const view_t CHAIN_INTEL_ROOT;

/* Parses the value of the SGX extension: strict DER, consumed to its end; each field exactly once. out written only on
 * RC_OK. E_SGXEXT. */
NODISCARD rc_t chain_sgx_parse(chain_sgx_t *out, err_t *e, view_t der);

/* Verifies leaf, intermediate and root of a quote (PEM blocks, in this order) and both revocation lists, by steps 2 to
 * 5 of tee-facts section 5, at the time now (Unix seconds, bounds inclusive).
 *   root               DER of the trust root: byte-equal to the last certificate
 *   root_crl, pck_crl  DER; n 0: E_CRL_MISSING
 * out written only on RC_OK. Codes E_PEM, E_CHAINLEN to E_SGXEXT. */
NODISCARD rc_t chain_verify_pck(chain_pck_t *out, err_t *e, const view_t certs[3], view_t root_crl, view_t pck_crl,
                                view_t root, int64_t now);

/* That leaf and intermediate are issued, one by the other, under the root, without a look at the time or at revocation:
 * for evidence of one's own, of which nobody has to be convinced. leaf_pubkey written only on RC_OK. Codes E_PEM,
 * E_ROOT, E_CHAINORDER to E_CERTKEY. */
NODISCARD rc_t chain_leads_to(uint8_t leaf_pubkey[64], err_t *e, const view_t certs[3], view_t root);

/* The part that the PCK chains of many quotes share: intermediate, root and both revocation lists. */
typedef struct chain_ca chain_ca_t;

/* Verifies this part by steps 2 to 5. *out is in the arena and points into pem and the lists; written only on RC_OK.
 *   pem  intermediate, root */
NODISCARD rc_t chain_verify_ca(const chain_ca_t **out, err_t *e, arena_t *a, view_t pem, view_t root_crl,
                               view_t pck_crl, view_t root, int64_t now);

/* Unix seconds: of both certificates and both lists. */
int64_t chain_ca_expiry(const chain_ca_t *ca);

/* True when the chain (PEM blocks: leaf, intermediate, root) is of this CA, byte for byte. */
bool chain_is_of(const chain_ca_t *ca, const view_t certs[3]);

/* Verifies what chain_verify_pck verifies, for a chain that chain_is_of this CA; the caller knows that the CA's part
 * holds at the time now. */
NODISCARD rc_t chain_verify_leaf(chain_pck_t *out, err_t *e, view_t leaf, const chain_ca_t *ca, int64_t now);

/* Verifies a TCB signing chain (PEM: signer, root; step 6). */
NODISCARD rc_t chain_verify_signer(chain_signer_t *out, err_t *e, view_t pem, view_t root_crl, view_t root,
                                   int64_t now);

/* The platform of a quote's PCK chain, for asking a PCS: FMSPC, and whether the issuer is the Processor CA (else the
 * Platform CA). Nothing is verified. Outputs written only on RC_OK. Codes of parsing. */
NODISCARD rc_t chain_platform(uint8_t fmspc[6], bool *processor_ca, err_t *e, const view_t certs[3]);

#endif
