/* negative.h - how the negative tests of tee-facts section 8 are written: each case names its number and the code it expects.
 *
 * CASE    a simulated platform (S), spoiled by the statements at its end, which change the plan p
 * REAL    a genuine quote and its collateral (R), spoiled likewise: bytes q[0] to q[n - 1], collateral c, time now
 */
#ifndef TESTS_NEGATIVE_H
#define TESTS_NEGATIVE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "tests/unit/sim_case.h"

#define REAL_CAP 40000u
#define V4_NOW INT64_C(1751000000) /* 2025-06-27: inside the collateral's window */
#define V5_NOW INT64_C(1772707803) /* 2026-03-05 */

static inline void check_case(int number, const char *what, tee_code_t got, tee_code_t want)
{
    ck_assert_msg(got == want, "(%d) %s: %s instead of %s", number, what, tee_code_name(got), tee_code_name(want));
}

#define CASE_AT(number, what, want, now, ...)                                                                          \
    do {                                                                                                               \
        static sim_plan_t p;                                                                                           \
        sim_plan_init(&p);                                                                                             \
        __VA_ARGS__;                                                                                                   \
        check_case(number, what, verify_plan(&p, what, NULL, now), want);                                              \
    } while (0)
#define CASE(number, what, want, ...) CASE_AT(number, what, want, SIM_NOW, __VA_ARGS__)

/* A genuine quote with its collateral, from tests/data/tdx. */
typedef struct {
    arena_t a;
    uint8_t quote[8192];
    size_t n;
    collateral_t collateral;
} real_t;

static inline size_t read_test_data(uint8_t *out, size_t cap, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/tdx/%s", getenv("TEST_DATA"), name);
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "%s", path);
    size_t n = fread(out, 1, cap, in);
    fclose(in);
    return n;
}

/* A file in r's arena. */
static inline view_t test_data(real_t *r, const char *name)
{
    uint8_t *buf = arena_alloc(&r->a, REAL_CAP);
    ck_assert_ptr_nonnull(buf);
    return view_of(buf, read_test_data(buf, REAL_CAP, name));
}

/* The quote of version 4: UpToDate. */
static inline void real_open(real_t *r)
{
    collateral_t *c = &r->collateral;
    err_t fault;
    arena_init(&r->a, 64u << 20);
    *c = (collateral_t){ .root_ca_crl = test_data(r, "root_ca_crl.der"), .pck_crl = test_data(r, "pck_crl.der") };
    r->n = read_test_data(r->quote, sizeof r->quote, "quote.bin");
    c->tcb_info_issuer_chain = c->qe_identity_issuer_chain = test_data(r, "tcb_signing_chain.pem");
    const view_t info = test_data(r, "tcb_info.json"), identity = test_data(r, "qe_identity.json");
    ck_assert_int_eq(collateral_split(&c->tcb_info, c->tcb_info_signature, &fault, info, "tcbInfo"), RC_OK);
    ck_assert_int_eq(collateral_split(&c->qe_identity, c->qe_identity_signature, &fault, identity, "enclaveIdentity"),
                     RC_OK);
}

/* The quote of version 5 with TD report 1.5: below every TCB level. */
static inline void real_open_v5(real_t *r)
{
    err_t fault = { 0 };
    arena_init(&r->a, 64u << 20);
    r->n = read_test_data(r->quote, sizeof r->quote, "v5_quote.bin");
    rc_t rc = collateral_read(&r->collateral, &fault, &r->a, test_data(r, "v5_collateral.json"));
    ck_assert_msg(rc == RC_OK, "%s", fault.text);
}

static inline void real_close(real_t *r)
{
    arena_free(&r->a);
}

/* Verifies a copy of exactly n bytes on the heap, so that a sanitizer sees what reads behind it. */
static inline tee_code_t real_verify(real_t *r, const uint8_t *q, size_t n, const collateral_t *c, int64_t now)
{
    uint8_t *copy = malloc(n ? n : 1);
    ck_assert_ptr_nonnull(copy);
    if (n)
        memcpy(copy, q, n);
    tee_code_t code = verify_quietly(NULL, &r->a, view_of(copy, n), c, CHAIN_INTEL_ROOT, NULL, now);
    free(copy);
    return code;
}

#define REAL(r, number, what, want, ...)                                                                               \
    do {                                                                                                               \
        static uint8_t q[REAL_CAP];                                                                                    \
        size_t n = (r)->n;                                                                                             \
        int64_t now = V4_NOW;                                                                                          \
        collateral_t c = (r)->collateral;                                                                              \
        memset(q, 0, sizeof q);                                                                                        \
        memcpy(q, (r)->quote, n);                                                                                      \
        __VA_ARGS__;                                                                                                   \
        check_case(number, what, real_verify(r, q, n, &c, now), want);                                                 \
    } while (0)

/* Accepts a plan's collateral into a memory that may know newer one. */
static inline tee_code_t remember(rollback_t *memory, const sim_plan_t *plan)
{
    sim_case_t c;
    sim_case_open(&c, plan, "remember");
    tee_code_t code = verify_quietly(NULL, &c.a, c.evidence.quote, &c.collateral, c.p.root, memory, SIM_NOW);
    sim_case_close(&c);
    return code;
}

/* Starts the test program. */
static inline int negative_run(int (*run)(void))
{
    return secret_init() ? EXIT_FAILURE : run();
}

#endif
