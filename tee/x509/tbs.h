/* tbs.h - the signed part of an X.509 certificate, as far as certificates that name no issuer need it: key, validity,
 * extensions.
 *
 * Spec:   RFC 5280 section 4.1
 * Floor:  3, tee/x509. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_ratls.c, tests/unit/test_tlscert.c, tests/fuzz/fuzz_ratls.c
 */
#ifndef TEE_X509_TBS_H
#define TEE_X509_TBS_H

#include "base/bytes.h"
#include "base/rc.h"

/* Views point into the certificate. */
typedef struct {
    view_t algorithm;              /* of the signature, with tag and length */
    view_t spki;                   /* SubjectPublicKeyInfo, with tag and length */
    int64_t not_before, not_after; /* Unix seconds, both inclusive */
    bool has_unique_id;            /* issuerUniqueID or subjectUniqueID is there */
    rd_t extensions;               /* for tbs_extension */
} tbs_t;

typedef struct {
    view_t oid; /* contents */
    bool critical;
    view_t value; /* contents of extnValue */
} tbs_extension_t;

/* Reads a TBSCertificate of version 3 with extensions, to its end. out written only on RC_OK. RC_MALFORMED. */
NODISCARD rc_t tbs_read(tbs_t *out, view_t tbs);

/* The next extension. RC_NEED_DATA: there is no more; RC_MALFORMED. */
NODISCARD rc_t tbs_extension(tbs_extension_t *out, tbs_t *t);

#endif
