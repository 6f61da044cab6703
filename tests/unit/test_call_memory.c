/* Calls of a machine that runs out of memory: whichever allocation fails, a call ends with RC_NOMEM or RC_LIMIT or with
 * the right answer, never with another one. */
#include <stdio.h>

#include "tests/unit/call_set.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/unit.h"

/* Gives one answer with the machine armed. */
static rc_t give_armed(set_t *s, const need_t *need, size_t i)
{
    answer_t a = { .kind = need->kind, .hint = s->hints, .hint_count = s->hint_count };
    if (need->kind == NEED_PROOF)
        a.proof = world_proof(&s->w, &need->addr, need->slots, need->slot_count);
    else if (need->kind == NEED_CODE)
        a.code = world_code(&s->w, &need->addr);
    else if (need->kind == NEED_HEADER)
        a.header = s->headers[s->block.env.number - 1 - need->number];
    count_begin();
    rc_t rc = query_give(s->call, &s->e, i, &a);
    count_end();
    return rc;
}

static rc_t give_all(set_t *s)
{
    const need_t *needs;
    size_t n = query_needs(s->call, &needs);
    rc_t rc = RC_OK;
    for (size_t i = 0; i < n && !rc; i++)
        rc = give_armed(s, &needs[i], i);
    return rc;
}

/* One call while allocation number `at` fails, and with all the later ones, too. */
static rc_t run_short(set_t *s, unsigned at, bool all)
{
    rc_t rc = RC_NEED_DATA;
    query_free(s->call);
    s->block.state_root = world_root(&s->w);
    fail_at(at, all);
    count_begin();
    s->call = NULL;
    rc_t made = ex_call_new(&s->call, &s->e, &s->config);
    count_end();
    if (made)
        return made;
    while (rc == RC_NEED_DATA) {
        count_begin();
        rc = query_step(s->call, &s->e);
        count_end();
        ck_assert(rc == RC_OK || rc == RC_NEED_DATA || (s->e.rc == rc && s->e.text[0]));
        if (rc == RC_NEED_DATA) {
            rc_t given = give_all(s);
            rc = given ? given : rc;
        }
    }
    return rc;
}

/* Fails each allocation in turn; how many calls did not come to an end. */
static unsigned fail_each(set_t *s, uint64_t word)
{
    unsigned short_of = 0;
    for (int all = 0; all < 2; all++) {
        for (unsigned at = 0;; at++) {
            ck_assert_uint_lt(at, 2000);
            rc_t rc = run_short(s, at, all);
            if (rc == RC_OK)
                ck_assert_uint_eq(result_word(s), word);
            else
                ck_assert_msg(rc == RC_NOMEM || rc == RC_LIMIT, "allocation %u: %s", at, rc_name(rc));
            short_of += rc != RC_OK;
            if (rc && s->call)
                ck_assert_ptr_null(ex_call_result(s->call));
            if (counted() <= at) { /* all went well */
                ck_assert_int_eq(rc, RC_OK);
                break;
            }
        }
    }
    return short_of;
}

START_TEST(a_call_that_lacks_memory_once_ends_so_or_rightly)
{
    set_t s;
    chain_world(&s);
    hash32_t keys[3] = { world_key(0), world_key(5), world_key(9) };
    s.hints[0] = (evm_access_t){ A, keys, 3 };
    s.hint_count = 1;
    s.config.use_hint = true;
    ck_assert_uint_ge(fail_each(&s, 1234), 4);
    s.config.use_hint = false;
    ck_assert_uint_ge(fail_each(&s, 1234), 4);
    end(&s);
}
END_TEST

START_TEST(without_memory_a_cache_just_knows_less)
{
    set_t s;
    chain_world(&s);
    s.config.use_hint = true;
    for (unsigned warm = 0; warm < 2; warm++)
        for (unsigned at = 0; at < 1000; at++) {
            s.config.cache = cache_new();
            if (warm)
                ck_assert_int_eq(run(&s), RC_OK);
            s.w.accounts[1].balance = u256_of(77 + at);
            rc_t rc = run_short(&s, at, true);
            ck_assert_msg(rc == RC_OK || rc == RC_NOMEM || rc == RC_LIMIT, "%s", rc_name(rc));
            if (rc == RC_OK)
                ck_assert_uint_eq(result_word(&s), 1234);
            ck_assert_int_eq(run(&s), RC_OK); /* and what it knows is right */
            ck_assert_uint_eq(result_word(&s), 1234);
            ex_cache_free(s.config.cache);
            if (counted() <= at)
                break;
            ck_assert_uint_lt(at, 999);
        }
    end(&s);
}
END_TEST

static ex_cache_t *cache_failing_at(unsigned at)
{
    fail_at(at, false);
    count_begin();
    ex_cache_t *c = cache_new();
    count_end();
    return c;
}

START_TEST(a_cache_is_made_whole_or_not_at_all)
{
    unsigned at = 0;
    ex_cache_t *c;
    while (!(c = cache_failing_at(at))) /* each one of them once */
        ck_assert_uint_eq(counted(), ++at);
    ck_assert_uint_ge(at, 3);
    ex_cache_free(c);
    ex_cache_free(NULL);
}
END_TEST

/* The table grows first at its 65th entry; an entry itself is one allocation, and none when it is put again. */
START_TEST(a_cache_that_cannot_grow_loses_nothing)
{
    enum { ENTRIES = 1100, GROWTH = 64 };
    ex_cache_t *c = cache_new();
    hash32_t root = { { 1 } }, key;
    u256_t value;
    for (unsigned again = 0; again < 2; again++) {
        fail_at(again ? 0 : GROWTH, false);
        count_begin();
        for (unsigned i = 0; i < ENTRIES; i++) {
            key = world_key(i);
            value = u256_of(i + again);
            ex_cache_put_slot(c, &root, &key, &value);
        }
        count_end();
        ck_assert_uint_eq(counted() == 0, again);
        for (unsigned i = 0; i < ENTRIES; i++) {
            key = world_key(i);
            ck_assert(ex_cache_get_slot(c, &value, &root, &key));
            ck_assert_uint_eq(value.w[0], i + again);
        }
    }
    ex_cache_free(c);
}
END_TEST

#define CALLED                                                                                                         \
    "62010000"                                                                                                         \
    "5fa0"                                                                                                             \
    "62010000"                                                                                                         \
    "5ff3" /* log0 and return 65536 bytes */

/* Memory, return data, frames, code, logs, accounts, slots of both kinds, a precompile. Three times something succeeds. */
START_TEST(a_run_that_lacks_memory_anywhere_ends_so)
{
    set_t s;
    char called[41], code[512];
    hash32_t keys[2] = { world_key(0), world_key(1) };
    evm_access_t access[2];
    begin(&s, "");
    hex_encode(called, view_of(B.b, sizeof B.b));
    snprintf(code, sizeof code,
             "6001620fffff53" /* 1 MiB of memory */
             "60015f55"
             "60025f5d" /* sstore(0, 1), tstore(0, 2) */
             "60016020"
             "5fa1"                   /* log1 */
             "67602a5f5360015ff35f52" /* create, of the code 0x2a */
             "600860185ff03b"         /* its size: 1 */
             "5f5f5f5f5f73%s5af1"     /* call B: 1 */
             "3d5f5f3e"               /* its 65536 bytes */
             "5f5f620100005f60045afa" /* identity of as many: 1 */
             "73%s3f50"               /* extcodehash */
             "01015f5260205ff3",      /* return the sum */
             called, called);
    ck_assert_int_eq(hex_decode(s.w.accounts[0].code, &s.w.accounts[0].code_len, 256, code, strlen(code)), RC_OK);
    world_add(&s.w, B, CALLED);
    access[0] = (evm_access_t){ A, keys, 2 };
    access[1] = (evm_access_t){ C, keys, 1 };
    s.request.access = access;
    s.request.access_count = 2;
    ck_assert_uint_ge(fail_each(&s, 3), 40);
    end(&s);
}
END_TEST

int main(void)
{
    return UNIT_RUN("call_memory", a_call_that_lacks_memory_once_ends_so_or_rightly,
                    without_memory_a_cache_just_knows_less, a_cache_is_made_whole_or_not_at_all,
                    a_cache_that_cannot_grow_loses_nothing, a_run_that_lacks_memory_anywhere_ends_so);
}
