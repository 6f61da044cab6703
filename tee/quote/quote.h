/* quote.h - parser of DCAP quotes: of TDX guests (versions 4 and 5), and of SGX enclaves (version 3). Structure
 * only: no signature is checked here.
 *
 * Spec:   Intel TDX DCAP Quoting Library API (quote format), TDX Module Base spec (TDREPORT), SGX enclave report
 * Floor:  3, tee/quote. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_quote.c, tests/fuzz/fuzz_quote.c, vectors tdx-quotes
 */
#ifndef TEE_QUOTE_QUOTE_H
#define TEE_QUOTE_QUOTE_H

#include "base/bytes.h"
#include "base/rc.h"
#include "tee/fault.h"
#include "tee/tee.h"

#define QUOTE_HEADER_LEN 48u
#define QUOTE_TD10_LEN 584u    /* TD report 1.0 */
#define QUOTE_TD15_LEN 648u    /* TD report 1.5 */
#define QUOTE_ENCLAVE_LEN 384u /* SGX enclave report: that of the quoting enclave (QE) */
#define QUOTE_AUTH_MAX 1024u   /* bytes of QE authentication data */
#define QUOTE_CERTS 3u         /* leaf, intermediate, root */

#define QUOTE_TEE_SGX 0u
#define QUOTE_TEE_TDX 0x81u
#define QUOTE_BODY_ENCLAVE 1u
#define QUOTE_BODY_TD10 2u
#define QUOTE_BODY_TD15 3u

/* What a TD is and what it measured. All fields point into the quote. */
typedef struct {
    const uint8_t *tcb_svn;         /* 16: of the TCB at launch */
    const uint8_t *mr_seam;         /* 48 */
    const uint8_t *mr_signer_seam;  /* 48 */
    const uint8_t *seam_attributes; /* 8 */
    const uint8_t *td_attributes;   /* 8: a little-endian bit set, bit 0 = debug */
    const uint8_t *xfam;            /* 8 */
    const uint8_t *mr_td;           /* 48 */
    const uint8_t *mr_config_id;    /* 48 */
    const uint8_t *mr_owner;        /* 48 */
    const uint8_t *mr_owner_config; /* 48 */
    const uint8_t *rtmr[4];         /* 48 each */
    const uint8_t *report_data;     /* 64 */
    const uint8_t *tcb_svn2;        /* 16: of the TCB that runs now; NULL in a 1.0 report */
    const uint8_t *mr_service_td;   /* 48; NULL in a 1.0 report */
} quote_td_t;

/* An SGX enclave report. */
typedef struct {
    view_t whole;           /* the 384 bytes that the PCK key signs */
    const uint8_t *cpu_svn; /* 16 */
    uint32_t misc_select;
    const uint8_t *attributes; /* 16; byte 0 bit 1 = debug */
    const uint8_t *mr_enclave; /* 32 */
    const uint8_t *mr_signer;  /* 32 */
    uint16_t isv_prod_id;
    uint16_t isv_svn;
    const uint8_t *report_data; /* 64 */
} quote_enclave_t;

/* A parsed quote; every pointer and view lives as long as the input. */
typedef struct {
    unsigned version;               /* 4 or 5; 3 of quote_parse_sgx */
    unsigned body_type;             /* QUOTE_BODY_... */
    view_t used;                    /* the quote without the padding behind it */
    view_t signed_part;             /* header, descriptor (v5) and body: what the attestation key signs */
    const uint8_t *user_data;       /* 20 */
    quote_td_t td;                  /* all NULL of quote_parse_sgx */
    quote_enclave_t enclave;        /* the subject of quote_parse_sgx; else empty */
    const uint8_t *signature;       /* 64: r || s over signed_part */
    const uint8_t *attestation_key; /* 64: x || y; vouched for by qe.report_data */
    quote_enclave_t qe;
    const uint8_t *qe_signature; /* 64: r || s over qe.whole, by the key of certs[0] */
    view_t qe_auth;
    view_t certs[QUOTE_CERTS]; /* PEM blocks with their markers, in the quote's order, which is not checked */
} quote_t;

/* Parses one quote of a TDX guest. Bytes behind its end are allowed only when all are zero.
 *   out    written only on RC_OK
 * Codes E_TRUNCATED to E_LIMIT of fault.def, with their rc. */
NODISCARD rc_t quote_parse(quote_t *out, err_t *e, view_t in);

/* The same for one quote of an SGX enclave, version 3 only: of a key provider, say. */
NODISCARD rc_t quote_parse_sgx(quote_t *out, err_t *e, view_t in);

#endif
