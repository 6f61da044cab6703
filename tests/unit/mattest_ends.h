/* mattest_ends.h - what tests of mutual attestation do with two ends: let them talk, and look at where that led. */
#ifndef TESTS_UNIT_MATTEST_ENDS_H
#define TESTS_UNIT_MATTEST_ENDS_H

#include <stdlib.h>

#include "tee/channel/mattest.h"
#include "tests/unit/mattest_world.h"
#include "tests/unit/unit.h"

static const uint8_t reject_bytes[] = { 0, 0, 0, 2, 4, 0, 0xac }; /* REJECT, E_ATTEST and nothing else */

/* Portions of n bytes until nothing moves any more; n 0: of random size, n SIZE_MAX: whole. */
static inline void run(end_t *a, end_t *b, size_t n)
{
    uint64_t x = 88172645463325252u;
    for (bool moved = true; moved;) {
        end_t *const from[2] = { a, b }, *const to[2] = { b, a };
        moved = false;
        for (int i = 0; i < 2; i++) {
            view_t out = mattest_output(from[i]->m);
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            size_t portion = n ? n : 1 + (size_t)(x % 700);
            if (!out.n)
                continue;
            moved = true;
            portion = portion < out.n ? portion : out.n;
            uint8_t *copy = malloc(portion);
            memcpy(copy, out.p, portion);
            mattest_sent(from[i]->m, portion);
            feed(to[i], view_of(copy, portion));
            free(copy);
        }
    }
}

static inline void assert_attested(const end_t *a, const end_t *b)
{
    ck_assert_msg(mattest_state(a->m) == MATTEST_ATTESTED, "%s: %s", tee_code_name(mattest_fault(a->m)->code),
                  mattest_fault(a->m)->text);
    ck_assert_msg(mattest_state(b->m) == MATTEST_ATTESTED, "%s: %s", tee_code_name(mattest_fault(b->m)->code),
                  mattest_fault(b->m)->text);
}

/* Asks to release the generation of a version. */
static inline rc_t release(const end_t *e, err_t *fault, uint64_t version, int64_t now)
{
    const key_name_t name = { version, { { 0 } }, 0 };
    const mattest_present_t p = present(now);
    key_grant_t grant = { .open = false };
    rc_t rc = mattest_release_key(e->m, &grant, fault, &name, &p, false);
    ck_assert(grant.open == (rc == RC_OK));
    return rc;
}

/* A machine that failed gives nothing: no peer, no key, no report data, and says nothing but what was begun and REJECT. */
static inline void assert_closed(const end_t *e)
{
    static const uint8_t zeros[TEE_REPORT_DATA_LEN];
    uint8_t report_data[TEE_REPORT_DATA_LEN], ex[32] = { 0 };
    err_t fault = { 0 };
    ck_assert_int_eq(mattest_state(e->m), MATTEST_FAILED);
    ck_assert_str_ne(mattest_fault(e->m)->text, "");
    ck_assert_ptr_null(mattest_peer(e->m));
    ck_assert_int_eq(mattest_expires(e->m), 0);
    ck_assert_uint_eq(mattest_rest(e->m), 0);
    ck_assert_ptr_null(mattest_channel(e->m));
    ck_assert_ptr_null(mattest_platform(e->m));
    ck_assert_int_eq(release(e, &fault, 1, NOW), RC_REFUSED);
    ck_assert_uint_eq(fault.code, E_KEY_RELEASE);
    const mattest_present_t p = present(NOW);
    ck_assert_int_eq(mattest_judge(e->m, &fault, &p), RC_REFUSED);
    ck_assert_uint_eq(fault.code, E_STATE);
    ck_assert_int_eq(mattest_exporter(e->m, ex), RC_REFUSED);
    mattest_report_data(e->m, report_data);
    ck_assert_mem_eq(report_data, zeros, sizeof zeros);
    const view_t out = mattest_output(e->m);
    ck_assert_uint_le(out.n, MESSAGES_MAX);
    if (mattest_fault(e->m)->code != E_REJECTED && out.n)
        ck_assert_mem_eq(out.p + out.n - sizeof reject_bytes, reject_bytes, sizeof reject_bytes);
}

static inline void assert_failed(const end_t *e, unsigned code, const char *what, size_t row)
{
    unsigned got = mattest_fault(e->m)->code;
    ck_assert_msg(mattest_state(e->m) == MATTEST_FAILED && got == code, "%s, row %zu: %s, expected %s", what, row,
                  tee_code_name(got), tee_code_name(code));
    assert_closed(e);
}

/* All that an end has to say now. */
static inline size_t drain(uint8_t *out, size_t cap, end_t *e)
{
    view_t v = mattest_output(e->m);
    ck_assert_uint_le(v.n, cap);
    memcpy(out, v.p, v.n);
    mattest_sent(e->m, v.n);
    return v.n;
}

/* Both HELLOs, exporter and EVIDENCE have gone one way: b has a's evidence, a has not b's; b's is in out. */
static inline size_t until_evidence(uint8_t *out, end_t *a, end_t *b)
{
    uint8_t hello[MATTEST_HELLO_LEN], evidence[MESSAGES_MAX];
    ck_assert_uint_eq(drain(hello, sizeof hello, a), MATTEST_HELLO_LEN);
    feed(b, view_of(hello, sizeof hello));
    size_t n = drain(out, MESSAGES_MAX, b);
    feed(a, view_of(out, MATTEST_HELLO_LEN));
    size_t m = drain(evidence, sizeof evidence, a);
    feed(b, view_of(evidence, m));
    return n;
}

#endif
