/* Endpoints that can do different things: each is asked for what it has, as far as that is known. */
#include "lightclient/exec/prove.h"
#include "lightclient/mpt/mpt.h"
#include "tests/unit/ask_world.h"

#define CHAIN_HINT                                                                                                     \
    "{\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000a000\",\"storageKeys\":["                   \
    "\"0x0000000000000000000000000000000000000000000000000000000000000000\","                                          \
    "\"0x0000000000000000000000000000000000000000000000000000000000000005\"]}],\"gasUsed\":\"0x5208\"}"

/* sload(sload(0)) is the word: a round for each without a hint. */
static void open_chain(void)
{
    open_world(SLOAD_CHAIN_OR_9);
    world_set(&s.w.accounts[0], 0, u256_of(5));
    world_set(&s.w.accounts[0], 5, u256_of(1234));
    ends[0].words = "the method eth_createAccessList does not exist/is not available";
    ends[1].hint = CHAIN_HINT;
    for (unsigned i = 0; i < 64; i++) /* as a slow one, so that it is waited for on a busy machine, too */
        up_took(upstream, 1, 900, true, clock_monotonic_ms());
}

START_TEST(a_hint_that_the_first_endpoint_does_not_give_is_asked_of_the_second)
{
    open_chain();
    expect_word(1234, 2); /* after the rest, since it is news that the first has none */
    ck_assert_uint_eq(ends[0].hints, 1);
    ck_assert_uint_eq(ends[1].hints, 1);
    ck_assert_uint_eq(ends[1].elements, 1);
    const unsigned before = ends[0].batches;
    expect_word(1234, 2); /* beside it */
    ck_assert_uint_eq(ends[0].hints, 1);
    ck_assert_uint_eq(ends[1].hints, 2);
    ck_assert_uint_eq(ends[1].elements, 2);
    ck_assert_uint_eq(ends[0].batches, before + 2);
    ck_assert_uint_eq(status_of(0).failures + status_of(1).failures, 0);
    close_world();
}
END_TEST

START_TEST(whoever_has_a_hint_is_asked_for_nothing_twice)
{
    open_chain();
    ends[0].hint = CHAIN_HINT;
    expect_word(1234, 2);
    ck_assert_uint_eq(ends[0].batches, 2);
    ck_assert_uint_eq(ends[1].batches, 0);
    close_world();
}
END_TEST

#define WORD(digit) "\"0x000000000000000000000000000000000000000000000000000000000000ab" digit "\""
#define RUBBISH_HINT                                                                                                      \
    "{\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000d000\",\"storageKeys\":[" WORD("01") "," WORD( \
        "02") "," WORD("03") "," WORD("04") "," WORD("05") "," WORD("06") "," WORD("07") "]}],\"gasUsed\":\"0x5208\"}"

START_TEST(who_gives_hints_that_no_call_reads_is_asked_for_none)
{
    open_chain();
    ends[0].hint = RUBBISH_HINT;
    for (unsigned i = 0; i < 4; i++)
        expect_word(1234, 3);
    ck_assert_uint_eq(ends[0].most_keys, 7);
    ends[0].most_keys = 0;
    expect_word(1234, 2);
    ck_assert_uint_eq(ends[0].hints, 4);
    ck_assert_uint_eq(ends[0].most_keys, 2);
    ck_assert_uint_eq(ends[1].hints, 1); /* another one has better ones */
    ck_assert_uint_eq(status_of(0).failures, 0);
    close_world();
}
END_TEST

START_TEST(a_hint_that_is_refused_for_now_is_asked_of_the_second)
{
    open_chain();
    ends[0].refused = "eth_createAccessList";
    ends[0].words = "limit exceeded";
    for (unsigned i = 0; i < 3; i++)
        expect_word(1234, 2);
    ck_assert_uint_eq(ends[0].hints, 3);
    ck_assert_uint_eq(ends[1].hints, 3);
    ck_assert_uint_eq(ends[1].elements, 3);
    close_world();
}
END_TEST

START_TEST(without_a_hint_anywhere_a_call_takes_its_rounds_and_nobody_is_blamed)
{
    open_chain();
    ends[1].hint = NULL;
    ends[1].words = ends[0].words;
    for (unsigned i = 0; i < 3; i++)
        expect_word(1234, 3);
    ck_assert_uint_eq(ends[0].hints, 1);
    ck_assert_uint_eq(ends[1].hints, 1); /* then it is known of both */
    ck_assert_uint_eq(status_of(0).failures + status_of(1).failures, 0);
    close_world();
}
END_TEST

/* It hangs: the rest goes on after the second in which an endpoint that nobody knows should answer. */
START_TEST(a_hint_that_does_not_come_holds_nobody_up)
{
    open_chain();
    ends[1].held = true;
    expect_word(1234, 3);
    ck_assert_uint_eq(status_of(1).lies, 0);
    close_world();
}
END_TEST

/* ... and when it hangs each time, it is asked ever more seldom. */
START_TEST(who_lets_hints_wait_is_asked_for_fewer)
{
    open_chain();
    ends[1].held = true;
    for (unsigned i = 0; i < 6; i++)
        expect_word(1234, 3);
    ck_assert_uint_le(ends[1].most_now, 3);
    ck_assert_uint_eq(status_of(1).failures, 0); /* nobody has to give any */
    close_world();
}
END_TEST

START_TEST(a_hint_is_waited_for_no_longer_than_a_second_however_slow_who_gives_it)
{
    open_chain();
    ends[1].held = true;
    up_took(upstream, 1, 9000, true, clock_system_ms());
    const uint64_t began = clock_monotonic_ms();
    expect_word(1234, 3);
    ck_assert_uint_lt(clock_monotonic_ms() - began, 4000);
    close_world();
}
END_TEST

START_TEST(state_of_an_old_block_is_asked_of_whoever_keeps_it)
{
    open_world(RETURN_42);
    s.block.env.number = 1000;
    expect_word(42, 1);
    ck_assert_uint_eq(ends[1].batches, 0);
    ends[0].refused = "eth_get";
    ends[0].words = "missing trie node 00ab (path ) state 0x00ab is not available";
    s.block.env.number = 800;
    expect_word(42, 1);
    const unsigned before = ends[0].batches;
    ck_assert_uint_eq(before, 2);
    ck_assert_uint_eq(ends[1].batches, 1);
    for (unsigned i = 0; i < 3; i++) {
        s.block.env.number = 700 + i;
        expect_word(42, 1);
    }
    ck_assert_uint_eq(ends[0].batches, before); /* it is known */
    ends[0].refused = NULL;
    s.block.env.number = 900;
    expect_word(42, 1);
    ck_assert_uint_eq(ends[0].batches, before + 1);
    ck_assert_uint_eq(status_of(0).failures, 0); /* an age is no fault */
    ck_assert_uint_eq(ends[1].batches, 4);
    close_world();
}
END_TEST

START_TEST(an_endpoint_alone_that_keeps_no_such_state_says_why)
{
    open_world(RETURN_42);
    close_engine();
    open_engine(url[0], NULL, NULL);
    s.block.env.number = 1000;
    expect_word(42, 1);
    ends[0].refused = "eth_get";
    ends[0].words = "historical state 00ab is not available";
    s.block.env.number = 10;
    ck_assert_int_eq(run_call(), RC_IO);
    ck_assert_msg(strstr(s.e.text, "keeps no state that old") != NULL, "%s", s.e.text);
    ck_assert_uint_eq(status_of(0).failures, 0);
    ends[0].words = "distance to target block exceeds maximum proof window";
    s.block.env.number = 1001; /* now it is no age: it has no state at all */
    ck_assert_int_eq(run_call(), RC_IO);
    ck_assert_uint_eq(status_of(0).unusable, 1);
    close_world();
}
END_TEST

/* Of the newest block it is there a little later, and says nothing of how much is kept. */
START_TEST(state_that_is_not_there_yet_is_waited_for_and_asked_of_another_one)
{
    static const char *const words[] = { "missing trie node 00ab (path ) state 0x00ab is not available",
                                         "World state unavailable", "No state available for block 0x3e8" };
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        for (unsigned alone = 0; alone < 2; alone++) {
            open_world(RETURN_42);
            close_engine();
            open_engine(url[0], alone ? NULL : url[1], NULL);
            ends[0].refused = "eth_get";
            ends[0].words = words[i];
            ends[0].refusing = 3;
            s.block.env.number = 1000;
            expect_word(42, 1);
            ck_assert_uint_eq(status_of(0).late, 1);
            ck_assert_uint_eq(status_of(0).failures, 1);
            ck_assert_uint_eq(ends[0].batches, alone ? 4 : 1);
            ck_assert_uint_eq(ends[1].batches, alone ? 0 : 1);
            up_note_block(upstream, 1002); /* it was the newest, and there is a newer one */
            ends[0].batches = 0;
            ends[0].refusing = 1;
            expect_word(42, 1);
            ck_assert_uint_eq(up_capability(upstream, 0).gap, 0);
            up_note_block(upstream, 1003);
            ends[0].batches = 0;
            ends[0].refusing = 0;
            if (alone)
                ck_assert_int_eq(run_call(), RC_IO); /* at once */
            ck_assert_uint_eq(ends[0].batches, alone);
            close_world();
        }
}
END_TEST

/* The first gives proofs of four slots only. */
static void open_slots(void)
{
    open_world(SLOADS_40);
    for (unsigned i = 1; i <= 40; i++)
        world_set(&s.w.accounts[0], i, u256_of(100 + i));
    s.block.state_root = world_root(&s.w);
    ends[0].keys_max = 4;
}

START_TEST(a_proof_of_many_slots_is_asked_in_pieces_of_whoever_gives_few_and_whole_of_another)
{
    open_slots();
    for (unsigned i = 0; i < 3; i++)
        expect_word(42, 2);
    ck_assert_uint_eq(ends[1].batches, 0);
    ck_assert_uint_eq(status_of(0).failures, 0);
    ends[0].most_keys = 0;
    expect_word(42, 2);
    ck_assert_uint_le(ends[0].most_keys, 4); /* it is known */
    ends[0].status = 500;
    expect_word(42, 2);
    ck_assert_uint_eq(ends[1].most_keys, 39); /* the first that a run met stands alone */
    close_world();
}
END_TEST

START_TEST(an_endpoint_that_gives_larger_proofs_again_is_asked_for_them_after_a_while)
{
    open_slots();
    expect_word(42, 2);
    ends[0].keys_max = 0;
    ends[0].most_keys = 0;
    unsigned calls = 0;
    for (; ends[0].most_keys < 8 && calls < 100; calls++)
        expect_word(42, 2);
    ck_assert_uint_ge(ends[0].most_keys, 8);
    ck_assert_uint_gt(calls, 5); /* slowly */
    ck_assert_uint_eq(ends[1].batches, 0);
    close_world();
}
END_TEST

/* A proof of forty slots, shown. */
static void expect_shown(void)
{
    hash32_t slots[40];
    err_t e = { 0 };
    query_t *q = NULL;
    for (unsigned i = 0; i < 40; i++)
        u256_to_be32(slots[i].b, &(u256_t){ { i + 1 } });
    const ex_prove_config_t c = { .block = &s.block, .addr = s.w.accounts[0].addr, .slots = slots, .slot_count = 40 };
    ck_assert_int_eq(ex_prove_new(&q, &e, &c), RC_OK);
    ck_assert_msg(ask_wait(&q, &e, engine, q) == RC_OK, "%s", e.text);
    const ex_prove_result_t *r = ex_prove_result(q);
    ck_assert_ptr_nonnull(r);
    for (unsigned i = 0; i < 40; i++) {
        u256_t value;
        ck_assert(u256_eq(&r->slots[i].value, &(u256_t){ { 101 + i } }));
        ck_assert_int_eq(mpt_verify_slot(&value, &r->account.storage_root, &slots[i], r->slots[i].proof.nodes,
                                         r->slots[i].proof.count),
                         RC_OK);
        ck_assert(u256_eq(&value, &r->slots[i].value));
    }
    query_free(q);
}

START_TEST(a_shown_proof_is_put_together_from_pieces)
{
    open_slots();
    expect_shown();
    ck_assert_uint_eq(ends[1].batches, 0);
    ck_assert_uint_eq(status_of(0).failures, 0);
    close_world();
}
END_TEST

/* The first gives some of the slots and not the others: the second is asked for these alone. */
START_TEST(a_proof_begun_at_one_endpoint_is_ended_at_another)
{
    open_slots();
    ends[0].keys_max = 20;
    ends[0].refused = "0000028\"]"; /* the piece whose last slot is 40 */
    expect_shown();
    ck_assert_uint_eq(ends[1].most_keys, 20);
    ck_assert_uint_eq(ends[1].batches, 1);
    close_world();
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "ask_able", a_hint_that_the_first_endpoint_does_not_give_is_asked_of_the_second,
        whoever_has_a_hint_is_asked_for_nothing_twice, who_gives_hints_that_no_call_reads_is_asked_for_none,
        a_hint_that_is_refused_for_now_is_asked_of_the_second,
        without_a_hint_anywhere_a_call_takes_its_rounds_and_nobody_is_blamed, a_hint_that_does_not_come_holds_nobody_up,
        who_lets_hints_wait_is_asked_for_fewer, a_hint_is_waited_for_no_longer_than_a_second_however_slow_who_gives_it,
        state_of_an_old_block_is_asked_of_whoever_keeps_it, an_endpoint_alone_that_keeps_no_such_state_says_why,
        state_that_is_not_there_yet_is_waited_for_and_asked_of_another_one,
        a_proof_of_many_slots_is_asked_in_pieces_of_whoever_gives_few_and_whole_of_another,
        an_endpoint_that_gives_larger_proofs_again_is_asked_for_them_after_a_while,
        a_shown_proof_is_put_together_from_pieces, a_proof_begun_at_one_endpoint_is_ended_at_another);
}
