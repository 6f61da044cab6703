/* crl.h - reader of X.509 revocation lists, version 2, as Intel's CAs issue them.
 *
 * The entries are read where they lie: a list of a megabyte takes no memory. What a list may not have here: critical
 * extensions (delta and indirect lists), unknown algorithms, times without Z.
 *
 * Spec:   RFC 5280 section 5; Intel SGX PCK Certificate and CRL profile
 * Floor:  3, tee/x509. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_crl.c, tests/unit/test_chain.c, tests/fuzz/fuzz_crl.c (agrees with GnuTLS)
 */
#ifndef TEE_X509_CRL_H
#define TEE_X509_CRL_H

#include "base/arena.h"
#include "tee/fault.h"
#include "tee/x509/der.h"

#define CRL_MAX (1u << 20) /* bytes of a revocation list */
#define CRL_NUMBER_MAX 20u /* bytes of a CRL number */

/* A parsed list; views point into its DER. */
typedef struct {
    der_signed_t parts;
    view_t issuer; /* Name, with tag and length */
    view_t key_id; /* of the authority key identifier; p NULL: none */
    bool has_number;
    uint8_t number[CRL_NUMBER_MAX];   /* big-endian, zero-padded on the left */
    int64_t this_update, next_update; /* Unix seconds */
    view_t entries;                   /* contents of the list of revoked certificates; n 0: none */
} crl_t;

/* Parses one list with every entry; no signature is checked. out written only on RC_OK. E_CRL, E_LIMIT. */
NODISCARD rc_t crl_parse(crl_t *out, err_t *e, view_t der);

/* True when the list names this serial number (big-endian, without leading zeros). */
bool crl_lists(const crl_t *c, view_t serial);

/* DER of a revocation list that is PEM, DER or hex of DER. out is in the arena or in the input.
 * E_CRL, E_LIMIT, E_NOMEM. */
NODISCARD rc_t crl_der(view_t *out, err_t *e, arena_t *a, view_t in);

/* Number of entries. */
size_t crl_count(const crl_t *c);

#endif
