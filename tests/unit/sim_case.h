/* sim_case.h - one case over the simulated platform: a plan, what it yields, and how verification answers. */
#ifndef TESTS_SIM_CASE_H
#define TESTS_SIM_CASE_H

#include "tee/sim/sim.h"
#include "tee/sim/sim_faults.h"
#include "tee/verify/verify.h"
#include "tests/unit/unit.h"

#define SIM_DAY INT64_C(1768435200) /* 2026-01-15T00:00:00Z */
#define SIM_NOW (SIM_DAY + 43200)

static const uint8_t sim_seed[32] = { 1, 2, 3, 4, 5 };
static const uint8_t sim_report_data[TEE_REPORT_DATA_LEN] = { 0xab, 0xcd };

/* What a platform gave. */
typedef struct {
    tee_provider_t p;
    tee_evidence_t evidence;
    arena_t a;
    view_t container;
    collateral_t collateral;
} sim_case_t;

/* Opens a platform by a plan and takes evidence and collateral of SIM_NOW. */
static inline void sim_case_open(sim_case_t *c, const sim_plan_t *plan, const char *name)
{
    err_t why = { 0 };
    err_t fault = { 0 };
    arena_init(&c->a, 128u << 20);
    ck_assert_msg(sim_open(&c->p, &why, plan, sim_seed) == RC_OK, "%s: %s", name, why.text);
    ck_assert_msg(c->p.get_evidence(c->p.ctx, &c->evidence, &why, sim_report_data) == RC_OK, "%s: %s", name, why.text);
    ck_assert_msg(c->p.get_collateral(c->p.ctx, &c->container, &c->a, SIM_NOW) == RC_OK, "%s: collateral", name);
    ck_assert_msg(collateral_read(&c->collateral, &fault, &c->a, c->container) == RC_OK, "%s: %s", name, fault.text);
}

static inline void sim_case_close(sim_case_t *c)
{
    tee_evidence_free(&c->evidence);
    c->p.free(c->p.ctx);
    arena_free(&c->a);
}

/* By prepared collateral the answer is the same, unless already the preparation is refused. */
static inline void verify_prepared(tee_code_t want, arena_t *a, view_t quote, const collateral_t *collateral,
                                   view_t root, int64_t now)
{
    tee_prepared_t prepared;
    tee_verified_t v;
    err_t fault = { 0 };
    if (tee_prepare(&prepared, &fault, a, collateral, root, now))
        ck_assert_uint_ne(want, TEE_OK);
    else {
        rc_t rc = tee_verify_prepared(&v, NULL, &fault, a, quote, &prepared, now);
        ck_assert_msg((rc ? fault.code : TEE_OK) == want, "prepared: %s instead of %s",
                      tee_code_name(rc ? fault.code : TEE_OK), tee_code_name(want));
    }
}

/* Verifies; on failure checks that nothing was written and a sentence says why. out (NULL is allowed) points into the arena, which
 * is rolled back without it. */
static inline tee_code_t verify_quietly(tee_verified_t *out, arena_t *a, view_t quote, const collateral_t *collateral,
                                        view_t root, rollback_t *memory, int64_t now)
{
    static tee_verified_t v, before; /* large */
    static rollback_t memory_before;
    err_t fault = { 0 };
    arena_mark_t mark = arena_mark(a);
    memset(&before, 0x5a, sizeof before);
    v = before;
    if (memory)
        memory_before = *memory;
    rc_t rc = tee_verify(&v, memory, &fault, a, quote, collateral, root, now);
    if (rc) {
        ck_assert_mem_eq(&v, &before, sizeof v);
        ck_assert_uint_ne(fault.code, TEE_OK);
        ck_assert_str_ne(fault.text, "");
        if (memory)
            ck_assert_mem_eq(memory, &memory_before, sizeof *memory);
    } else
        fault.code = TEE_OK;
    if (!memory && (!rc || fault.code > E_LIMIT)) /* the parser of quotes is the same for both */
        verify_prepared(fault.code, a, quote, collateral, root, now);
    if (out && !rc)
        *out = v;
    if (!out)
        arena_rollback(a, mark);
    return fault.code;
}

static inline tee_code_t sim_case_verify(sim_case_t *c, tee_verified_t *out, int64_t now)
{
    return verify_quietly(out, &c->a, c->evidence.quote, &c->collateral, c->p.root, NULL, now);
}

/* The code of a plan at a time; *grade (NULL is allowed) without its advisories. */
static inline tee_code_t verify_plan(const sim_plan_t *plan, const char *name, tcb_grade_t *grade, int64_t now)
{
    sim_case_t c;
    tee_verified_t v;
    sim_case_open(&c, plan, name);
    tee_code_t code = sim_case_verify(&c, &v, now);
    sim_case_close(&c);
    if (!code && grade) {
        *grade = v.grade;
        memset(grade->advisories, 0, sizeof grade->advisories);
    }
    return code;
}

static inline void expect_code(const char *name, tee_code_t got, tee_code_t want)
{
    ck_assert_msg(got == want, "%s: %s instead of %s", name, tee_code_name(got), tee_code_name(want));
}

#endif
