/* Reading accounts, slots and code by proofs, against servers that are honest, lie, or have not everything. */
#include "lightclient/exec/read.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/lies.h"
#include "tests/unit/unit.h"

#define CODE "602a5f5260205ff3"

typedef struct {
    world_t w;
    ex_block_t block;
    ex_read_config_t config;
    query_t *q;
    err_t e; /* of the last failure */
    unsigned rounds;
    bool short_of_memory; /* allocations of the query count, and may fail */
} set_t;

static addr_t A, B, NOBODY;
static hash32_t KEYS[3]; /* 0, 5 and 77, of which A has the first two */

/* A has a code and two slots, B others; NOBODY is not there. */
static void begin(set_t *s)
{
    memset(s, 0, sizeof *s);
    world_init(&s->w);
    A = world_addr(0xa000);
    B = world_addr(0xb000);
    NOBODY = world_addr(0xdead);
    KEYS[0] = world_key(0);
    KEYS[1] = world_key(5);
    KEYS[2] = world_key(77);
    world_add(&s->w, A, CODE);
    world_add(&s->w, B, "");
    s->w.accounts[0].nonce = 9;
    world_set(&s->w.accounts[0], 0, u256_of(1234));
    world_set(&s->w.accounts[0], 5, u256_of(55));
    world_set(&s->w.accounts[1], 0, u256_of(7));
    world_set(&s->w.accounts[1], 5, u256_of(8));
    s->config =
        (ex_read_config_t){ .block = &s->block, .addr = A, .slots = KEYS, .slot_count = LIE_SLOTS, .code = true };
}

static void end(set_t *s)
{
    query_free(s->q);
    world_clear(&s->w);
}

static void start(set_t *s)
{
    query_free(s->q);
    s->q = NULL;
    s->rounds = 0;
    s->block.state_root = world_root(&s->w);
    ck_assert_int_eq(ex_read_new(&s->q, &s->e, &s->config), RC_OK);
}

static rc_t step(set_t *s)
{
    rc_t rc = query_step(s->q, &s->e);
    s->rounds += rc == RC_NEED_DATA;
    return rc;
}

/* Answers need i honestly. */
static rc_t answer(set_t *s, const need_t *need, size_t i)
{
    answer_t a = { .kind = need->kind };
    arena_mark_t mark = arena_mark(&s->w.arena);
    if (need->kind == NEED_CODE)
        a.code = world_code(&s->w, &need->addr);
    else
        a.proof = world_proof(&s->w, &need->addr, need->slots, need->slot_count);
    if (s->short_of_memory)
        count_begin();
    rc_t rc = query_give(s->q, &s->e, i, &a);
    count_end();
    arena_rollback(&s->w.arena, mark);
    return rc;
}

static rc_t answer_all(set_t *s)
{
    const need_t *needs;
    size_t n = query_needs(s->q, &needs);
    rc_t rc = RC_OK;
    for (size_t i = 0; i < n && !rc; i++)
        rc = answer(s, &needs[i], i);
    return rc;
}

/* Reads to the end; the number of batches that it took. */
static unsigned run(set_t *s)
{
    rc_t rc;
    start(s);
    while ((rc = step(s)) == RC_NEED_DATA) {
        ck_assert_ptr_null(ex_read_result(s->q));
        ck_assert_int_eq(answer_all(s), RC_OK);
    }
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), s->e.text);
    return s->rounds;
}

/* What was read is the truth about A. */
static void assert_a(const set_t *s)
{
    const ex_read_result_t *r = ex_read_result(s->q);
    ck_assert_ptr_nonnull(r);
    ck_assert(r->account.exists);
    ck_assert_uint_eq(r->account.nonce, 9);
    ck_assert_uint_eq(r->account.balance.w[0], 1000);
    ck_assert_uint_eq(r->value_count, 2);
    ck_assert_uint_eq(r->values[0].w[0], 1234);
    ck_assert_uint_eq(r->values[1].w[0], 55);
    ck_assert(view_eq(r->code, view_str("\x60\x2a\x5f\x52\x60\x20\x5f\xf3")));
}

static ex_cache_t *cache_new(void)
{
    ex_cache_config_t config = { .bytes_max = 16 << 20, .seed = { 1, 2 } };
    return ex_cache_new(&config);
}

START_TEST(account_slots_and_code_are_read_in_one_batch)
{
    set_t s;
    const need_t *needs;
    begin(&s);
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.q, &needs), 2);
    ck_assert_int_eq(needs[0].kind, NEED_PROOF);
    ck_assert_uint_eq(needs[0].slot_count, 2);
    ck_assert_ptr_eq(needs[0].block, &s.block);
    ck_assert_int_eq(needs[1].kind, NEED_CODE);
    ck_assert_int_eq(answer_all(&s), RC_OK);
    ck_assert_int_eq(step(&s), RC_OK);
    assert_a(&s);
    ck_assert_int_eq(step(&s), RC_OK); /* and stays so */
    end(&s);
}
END_TEST

START_TEST(only_what_is_asked_for_is_read)
{
    set_t s;
    const need_t *needs;
    begin(&s);
    s.config.code = false;
    s.config.slot_count = 0;
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.q, &needs), 1);
    ck_assert_int_eq(needs[0].kind, NEED_PROOF);
    ck_assert_int_eq(needs[0].origin, NEED_MET);
    ck_assert_uint_eq(needs[0].slot_count, 0);
    ck_assert_int_eq(answer_all(&s), RC_OK);
    ck_assert_int_eq(step(&s), RC_OK);
    ck_assert_uint_eq(ex_read_result(s.q)->account.nonce, 9);
    ck_assert_uint_eq(ex_read_result(s.q)->code.n, 0);
    end(&s);
}
END_TEST

START_TEST(absent_account_and_slots_are_zero_by_proof)
{
    set_t s;
    begin(&s);
    s.config.slots = &KEYS[1];
    ck_assert_uint_eq(run(&s), 1); /* 5 and 77 */
    ck_assert_uint_eq(ex_read_result(s.q)->values[0].w[0], 55);
    ck_assert(u256_is_zero(&ex_read_result(s.q)->values[1]));
    s.config.addr = NOBODY;
    ck_assert_uint_eq(run(&s), 1);
    const ex_read_result_t *r = ex_read_result(s.q);
    ck_assert(!r->account.exists && r->account.nonce == 0 && u256_is_zero(&r->account.balance));
    ck_assert(hash32_eq(&r->account.code_hash, &KECCAK_EMPTY));
    ck_assert(hash32_eq(&r->account.storage_root, &EMPTY_TRIE_ROOT));
    ck_assert(u256_is_zero(&r->values[0]) && u256_is_zero(&r->values[1]));
    ck_assert_uint_eq(r->code.n, 0);
    end(&s);
}
END_TEST

START_TEST(slot_named_twice_has_its_value_twice)
{
    set_t s;
    begin(&s);
    const hash32_t twice[] = { KEYS[1], KEYS[0], KEYS[1] };
    s.config.slots = twice;
    s.config.slot_count = 3;
    ck_assert_uint_eq(run(&s), 1);
    ck_assert_uint_eq(ex_read_result(s.q)->values[0].w[0], 55);
    ck_assert_uint_eq(ex_read_result(s.q)->values[1].w[0], 1234);
    ck_assert_uint_eq(ex_read_result(s.q)->values[2].w[0], 55);
    end(&s);
}
END_TEST

START_TEST(what_the_cache_has_proven_is_not_asked_for)
{
    set_t s;
    const need_t *needs;
    begin(&s);
    s.config.cache = cache_new();
    ck_assert_uint_eq(run(&s), 1);
    ck_assert_uint_eq(run(&s), 0);
    assert_a(&s);
    s.w.accounts[1].balance = u256_of(77); /* a new block, in which A is what it was */
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.q, &needs), 1); /* no code */
    ck_assert_int_eq(answer_all(&s), RC_OK);
    ck_assert_int_eq(step(&s), RC_OK);
    assert_a(&s);
    s.config.slots = &KEYS[1]; /* one more slot */
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.q, &needs), 1);
    ck_assert_uint_eq(needs[0].slot_count, 1);
    ck_assert(hash32_eq(&needs[0].slots[0], &KEYS[2]));
    ck_assert_int_eq(answer_all(&s), RC_OK);
    ck_assert_int_eq(step(&s), RC_OK);
    ck_assert_uint_eq(ex_read_result(s.q)->values[0].w[0], 55);
    query_free(s.q);
    s.q = NULL;
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

START_TEST(replaced_code_is_asked_for_when_its_hash_is_proven)
{
    set_t s;
    begin(&s);
    s.config.cache = cache_new();
    ck_assert_uint_eq(run(&s), 1);
    s.w.accounts[0].code[1] = 7;
    ck_assert_uint_eq(run(&s), 2);
    ck_assert_uint_eq(ex_read_result(s.q)->code.p[1], 7);
    query_free(s.q);
    s.q = NULL;
    ex_cache_free(s.config.cache);
    end(&s);
}
END_TEST

START_TEST(every_false_field_is_refused_and_the_honest_answer_still_taken)
{
    set_t s;
    begin(&s);
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    for (int x = 0; x < LIES; x++) {
        answer_t a = { .kind = NEED_PROOF, .proof = world_proof(&s.w, &A, KEYS, LIE_SLOTS) };
        lie(&a.proof, x, &s.w, &B);
        rc_t rc = query_give(s.q, &s.e, 0, &a);
        ck_assert_msg(rc_blames_input(rc), "lie %d gave %s", x, rc_name(rc));
        ck_assert_int_eq(s.e.rc, rc);
        ck_assert(s.e.text[0]);
    }
    ck_assert_ptr_null(ex_read_result(s.q));
    ck_assert_int_eq(answer_all(&s), RC_OK);
    ck_assert_int_eq(step(&s), RC_OK);
    assert_a(&s);
    end(&s);
}
END_TEST

START_TEST(absence_of_an_account_that_is_there_is_refused)
{
    set_t s;
    begin(&s);
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    answer_t a = { .kind = NEED_PROOF, .proof = world_proof(&s.w, &NOBODY, KEYS, LIE_SLOTS) };
    a.proof.address = A;
    ck_assert(rc_blames_input(query_give(s.q, &s.e, 0, &a)));
    a.proof.slot_count = 0;
    ck_assert(rc_blames_input(query_give(s.q, &s.e, 0, &a)));
    end(&s);
}
END_TEST

START_TEST(code_that_is_not_the_proven_one_is_never_read)
{
    static const uint8_t other[] = { 0x60, 0x07, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };
    static const uint8_t big[EX_CODE_MAX + 1];
    set_t s;
    const need_t *needs;
    begin(&s);
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    query_needs(s.q, &needs);
    answer_t a = { .kind = NEED_CODE, .code = view_of(other, sizeof other) };
    ck_assert_int_eq(query_give(s.q, &s.e, 1, &a), RC_OK); /* before the proof: nobody knows yet */
    ck_assert_int_eq(answer(&s, &needs[0], 0), RC_OK);
    ck_assert_int_eq(query_give(s.q, &s.e, 1, &a), RC_REFUSED);
    ck_assert_int_eq(query_give(s.q, &s.e, 1, &(answer_t){ .kind = NEED_CODE }), RC_REFUSED);
    a.code = view_of(big, sizeof big);
    ck_assert_int_eq(query_give(s.q, &s.e, 1, &a), RC_LIMIT);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.q, &needs), 1);
    ck_assert_int_eq(needs[0].kind, NEED_CODE);
    ck_assert_int_eq(needs[0].origin, NEED_MET);
    ck_assert_int_eq(answer_all(&s), RC_OK);
    ck_assert_int_eq(step(&s), RC_OK);
    assert_a(&s);
    end(&s);
}
END_TEST

START_TEST(slots_without_an_answer_stand_alone_and_are_never_zero)
{
    set_t s;
    const need_t *needs;
    begin(&s);
    s.config.slot_count = 3;
    s.config.code = false;
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.q, &needs), 1);
    ck_assert_int_eq(needs[0].origin, NEED_NAMED); /* may go without an answer */
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.q, &needs), 4);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(needs[i].origin, NEED_MET);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(needs[i].slot_count, 1);
    ck_assert_uint_eq(needs[3].slot_count, 0);
    ck_assert_int_eq(answer(&s, &needs[0], 0), RC_OK);
    ck_assert_int_eq(answer(&s, &needs[2], 2), RC_OK);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_ptr_null(ex_read_result(s.q));
    ck_assert_uint_eq(query_needs(s.q, &needs), 1);
    ck_assert(hash32_eq(&needs[0].slots[0], &KEYS[1]));
    ck_assert_int_eq(answer_all(&s), RC_OK);
    ck_assert_int_eq(step(&s), RC_OK);
    ck_assert_uint_eq(ex_read_result(s.q)->values[1].w[0], 55);
    end(&s);
}
END_TEST

START_TEST(many_slots_are_split_and_too_many_refused)
{
    set_t s;
    static hash32_t keys[EX_READ_SLOTS_MAX + 1];
    const need_t *needs;
    for (unsigned i = 0; i <= EX_READ_SLOTS_MAX; i++)
        keys[i] = world_key(i);
    begin(&s);
    s.config.slots = keys;
    s.config.slot_count = EX_READ_SLOTS_MAX + 1;
    ck_assert_int_eq(ex_read_new(&s.q, &s.e, &s.config), RC_LIMIT);
    ck_assert_ptr_null(s.q);
    ck_assert_ptr_nonnull(strstr(s.e.text, "4097 slots"));
    s.config.slot_count = EX_READ_SLOTS_MAX;
    s.config.code = false;
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.q, &needs), EX_READ_SLOTS_MAX / NEED_SLOTS_MAX);
    s.config.proof_slots_max = 100;
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(s.q, &needs), 41);
    ck_assert_int_eq(answer_all(&s), RC_OK);
    ck_assert_int_eq(step(&s), RC_OK);
    ck_assert_uint_eq(ex_read_result(s.q)->values[5].w[0], 55);
    ck_assert(u256_is_zero(&ex_read_result(s.q)->values[4095]));
    end(&s);
}
END_TEST

START_TEST(rounds_have_an_end)
{
    set_t s;
    begin(&s);
    start(&s);
    for (unsigned i = 0; i < EX_READ_ROUNDS_MAX; i++)
        ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_int_eq(step(&s), RC_LIMIT);
    ck_assert_ptr_nonnull(strstr(s.e.text, "more rounds"));
    const need_t *needs;
    ck_assert_uint_eq(query_needs(s.q, &needs), 0);
    end(&s);
}
END_TEST

START_TEST(answer_to_another_kind_of_need_is_a_bug)
{
    set_t s;
    begin(&s);
    start(&s);
    ck_assert_int_eq(step(&s), RC_NEED_DATA);
    ck_assert_int_eq(query_give(s.q, &s.e, 0, &(answer_t){ .kind = NEED_CODE }), RC_BUG);
    ck_assert_int_eq(query_give(s.q, &s.e, 1, &(answer_t){ .kind = NEED_PROOF }), RC_BUG);
    ck_assert_int_eq(query_give(s.q, &s.e, 1, &(answer_t){ .kind = NEED_HINT }), RC_BUG);
    ck_assert_int_eq(query_give(s.q, &s.e, 2, &(answer_t){ .kind = NEED_CODE }), RC_BUG);
    end(&s);
}
END_TEST

/* One read while allocation number `at` fails, and with all the later ones, too. */
static rc_t run_short(set_t *s, unsigned at, bool all)
{
    rc_t rc = RC_NEED_DATA;
    query_free(s->q);
    s->q = NULL;
    fail_at(at, all);
    count_begin();
    rc_t made = ex_read_new(&s->q, &s->e, &s->config);
    count_end();
    while (!made && rc == RC_NEED_DATA) {
        count_begin();
        rc = step(s);
        count_end();
        if (rc == RC_NEED_DATA && answer_all(s) == RC_NOMEM)
            return RC_NOMEM;
    }
    return made ? made : rc;
}

START_TEST(a_read_that_lacks_memory_ends_so_or_rightly)
{
    set_t s;
    unsigned failed = 0;
    begin(&s);
    s.block.state_root = world_root(&s.w);
    s.short_of_memory = true;
    for (int all = 0; all < 2; all++) {
        for (unsigned at = 0;; at++) {
            rc_t rc = run_short(&s, at, all);
            ck_assert_msg(rc == RC_OK || rc == RC_NOMEM, "allocation %u: %s", at, rc_name(rc));
            if (rc == RC_OK)
                assert_a(&s);
            else {
                ck_assert_int_eq(s.e.rc, RC_NOMEM);
                ck_assert(!s.q || !ex_read_result(s.q));
            }
            failed += rc != RC_OK;
            if (counted() <= at) { /* none failed */
                ck_assert_int_eq(rc, RC_OK);
                break;
            }
        }
    }
    ck_assert_uint_ge(failed, 12);
    end(&s);
}
END_TEST

int main(void)
{
    return UNIT_RUN("read", account_slots_and_code_are_read_in_one_batch, only_what_is_asked_for_is_read,
                    absent_account_and_slots_are_zero_by_proof, slot_named_twice_has_its_value_twice,
                    what_the_cache_has_proven_is_not_asked_for, replaced_code_is_asked_for_when_its_hash_is_proven,
                    every_false_field_is_refused_and_the_honest_answer_still_taken,
                    absence_of_an_account_that_is_there_is_refused, code_that_is_not_the_proven_one_is_never_read,
                    slots_without_an_answer_stand_alone_and_are_never_zero, many_slots_are_split_and_too_many_refused,
                    rounds_have_an_end, answer_to_another_kind_of_need_is_a_bug,
                    a_read_that_lacks_memory_ends_so_or_rightly);
}
