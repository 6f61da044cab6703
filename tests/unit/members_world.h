/* members_world.h - the contract of members in the state that it really leaves, on JSON-RPC servers that a test plays: what
 * tests of node/p2p/ begin and end with. Included behind members_states.h. */
#ifndef TESTS_UNIT_MEMBERS_WORLD_H
#define TESTS_UNIT_MEMBERS_WORLD_H

#include "tests/unit/ask_world.h"

#define MAX_AGE_S 1536u

static _Atomic uint64_t now_s;

/* The second state, 12 s old. */
static inline void open_members(void)
{
    read_states();
    open_world("");
    put_state(&s.w.accounts[0], &states[1]);
    s.block.env.timestamp = states[1].answers[0].time;
    s.block.state_root = world_root(&s.w);
    now_s = s.block.env.timestamp + 12;
    s.config.cache = cache_new();
}

/* The engine, before what asks it is freed; then the rest. */
static inline void end_engine(void)
{
    ask_free(engine);
    engine = NULL;
}

static inline void close_members(void)
{
    ex_cache_free(s.config.cache);
    s.config.cache = NULL;
    close_world();
}

/* The next block, seconds later, with the same contract in another state; a server that follows knows it. */
static inline void next_block(uint64_t seconds, bool followed)
{
    world_account_t *other = &s.w.accounts[1];
    const u256_t before = other->balance;
    pthread_mutex_lock(&lock);
    s.block.env.number++;
    s.block.env.timestamp += seconds;
    s.block.block_hash.b[31]++;
    now_s += seconds;
    other->balance = u256_of(s.block.env.number);
    s.block.state_root = world_root(&s.w);
    if (!followed)
        other->balance = before;
    pthread_mutex_unlock(&lock);
}

#endif
