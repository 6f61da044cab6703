/* A call over 200 contracts of which nothing is known takes two round trips: what it lacks behind the hint is asked for side by
 * side, for there is memory enough for answers of any length that it may have. */
#define WORLD_ACCOUNTS 216u

#include "tests/unit/ask_world.h"

#define CONTRACTS 200u
#define BASE 0x2000u
#define SLOT_7 "6007545f5260205ff3" /* return sload(7) */
/* for (i = 200; i; i--) mem[0..32] = staticcall(BASE + i); return mem[0..32] */
#define CALL_EACH "60c85b60205f5f5f8473ac00000000000000000000000000000000002000015afa50600190038060025760205ff3"

static char hint[CONTRACTS * 160u];

static void add_contracts(void)
{
    size_t n = (size_t)snprintf(hint, sizeof hint, "{\"accessList\":[");
    for (unsigned i = 1; i <= CONTRACTS; i++) {
        world_set(world_add(&s.w, world_addr(BASE + i), SLOT_7), 7, u256_of(i == 1 ? 42 : 1));
        n += (size_t)snprintf(hint + n, sizeof hint - n, "%s{\"address\":\"0xac%038x\",\"storageKeys\":[\"0x%064x\"]}",
                              i > 1 ? "," : "", BASE + i, 7u);
        ck_assert_uint_lt(n, sizeof hint);
    }
    n += (size_t)snprintf(hint + n, sizeof hint - n, "],\"gasUsed\":\"0x5208\"}");
    ck_assert_uint_lt(n, sizeof hint);
}

static unsigned at_once(void)
{
    pthread_mutex_lock(&lock);
    const unsigned n = ends[0].now;
    pthread_mutex_unlock(&lock);
    return n;
}

START_TEST(a_cold_call_over_200_contracts_takes_two_round_trips)
{
    ask_wait_t call;
    open_world(CALL_EACH);
    add_contracts();
    s.block.state_root = world_root(&s.w);
    ends[0].hint = hint;
    ends[0].held = true;
    ends[0].held_from = 4000; /* the hint's own request is shorter */
    close_engine();
    open_engine(url[0], NULL, NULL);
    ask_wait_start(&call, engine, new_call(&s.request), NULL);
    for (unsigned i = 0; i < 3000 && at_once() < 4; i++)
        pause_ms(1);
    const unsigned waiting = at_once(); /* none of them is answered yet: */
    pthread_mutex_lock(&lock);
    ends[0].held = false;
    pthread_mutex_unlock(&lock);
    ck_assert_msg(ask_wait_for(&call) == RC_OK, "%s", call.e.text);
    ck_assert_uint_eq(waiting, 4); /* 200 proofs, and 200 codes */
    ck_assert_uint_eq(ends[0].batches, 1 + 4);
    ck_assert_uint_eq(ends[0].elements, 4 + 2 * CONTRACTS);
    ck_assert_uint_eq(ex_call_rounds(call.query), 2);
    ck_assert_uint_eq(ex_call_result(call.query)->output.p[31], 42);
    query_free(call.query);
    close_world();
}
END_TEST

int main(void)
{
    return UNIT_RUN("ask_wide", a_cold_call_over_200_contracts_takes_two_round_trips);
}
