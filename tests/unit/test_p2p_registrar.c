/* node/p2p/registrar.h against a chain that this test plays: blocks every 12 seconds, a contract that takes its four
 * calls, a pool that holds transactions back. */
#include "node/p2p/registrar.h"

#include "tests/unit/unit.h"

#define CAP 100000000000u
#define SLOT_S 12u
#define TIMEOUT_S 600u

/* The chain. */
static struct {
    uint64_t number, time_s, base_fee, least_fee; /* least_fee: below it a transaction stays in the pool */
    members_stand_t stand;
    bool has_instance, is_bound;
    registrar_send_t pool; /* the sender's transaction of the present nonce */
    bool has_pool;
    unsigned mined[MEMBERS_STEPS];
} c;
static registrar_t r;
static err_t e;

static const uint8_t not_bound[4] = { 0x17, 0x94, 0x35, 0xb3 };

static void open_chain(void)
{
    memset(&c, 0, sizeof c);
    c.number = 1000;
    c.time_s = 1700000000;
    c.base_fee = 1000000000;
    c.stand.token = 5;
    c.stand.timeout_s = TIMEOUT_S;
    c.stand.balance = u256_of(1000000000000000000u);
    r = (registrar_t){ .fee_cap = CAP };
}

/* What is proven at the present block. */
static void find_step(void)
{
    c.stand.step = !c.has_instance        ? MEMBERS_REGISTER_INSTANCE
                   : !c.is_bound          ? MEMBERS_BIND
                   : !c.stand.heartbeat_s ? MEMBERS_REGISTER_PEER
                                          : MEMBERS_HEARTBEAT;
}

static registrar_do_t turn(void)
{
    registrar_send_t send = { .nonce = UINT64_MAX };
    find_step();
    const registrar_view_t v = {
        .stand = &c.stand, .block_number = c.number, .block_time_s = c.time_s, .base_fee = u256_of(c.base_fee)
    };
    const registrar_do_t does = registrar_turn(&r, &send, &e, &v);
    if (does != REGISTRAR_SEND)
        return does;
    ck_assert_uint_eq(send.nonce, c.stand.nonce);
    ck_assert_uint_le(send.max_fee, CAP);
    ck_assert_uint_le(send.tip, send.max_fee);
    if (c.has_pool && send.max_fee != c.pool.max_fee) { /* the pool's rule */
        ck_assert_uint_ge(send.max_fee, c.pool.max_fee + c.pool.max_fee / 10);
        ck_assert_uint_ge(send.tip, c.pool.tip + c.pool.tip / 10);
    }
    c.pool = send;
    c.has_pool = true;
    registrar_sent(&r, &send, c.number);
    return does;
}

static void next_block(void)
{
    c.number++;
    c.time_s += SLOT_S;
    if (!c.has_pool || c.pool.max_fee < c.least_fee)
        return;
    c.has_pool = false;
    c.stand.nonce++;
    c.mined[c.pool.step]++;
    c.has_instance |= c.pool.step == MEMBERS_REGISTER_INSTANCE;
    c.is_bound |= c.pool.step == MEMBERS_BIND;
    if (c.pool.step >= MEMBERS_REGISTER_PEER)
        c.stand.heartbeat_s = c.time_s;
}

static void go_on(unsigned blocks)
{
    for (unsigned i = 0; i < blocks; i++) {
        ck_assert_int_ne(turn(), REGISTRAR_STUCK);
        next_block();
    }
}

START_TEST(a_node_registers_in_three_steps_and_then_sends_heartbeats_at_a_third_of_the_timeout)
{
    open_chain();
    go_on(3);
    ck_assert(!r.is_registered); /* as of the block before */
    (void)turn();
    ck_assert(r.is_registered);
    ck_assert_uint_eq(c.mined[MEMBERS_REGISTER_INSTANCE], 1);
    ck_assert_uint_eq(c.mined[MEMBERS_BIND], 1);
    ck_assert_uint_eq(c.mined[MEMBERS_REGISTER_PEER], 1);
    ck_assert_uint_eq(c.mined[MEMBERS_HEARTBEAT], 0);
    const uint64_t heard = c.stand.heartbeat_s;
    while (c.time_s < heard + TIMEOUT_S / 3) {
        ck_assert_int_eq(turn(), REGISTRAR_WAIT);
        next_block();
    }
    ck_assert_int_eq(turn(), REGISTRAR_SEND);
    next_block();
    ck_assert_uint_eq(c.mined[MEMBERS_HEARTBEAT], 1);
    go_on(5 * 3600 / SLOT_S);
    ck_assert_uint_ge(c.mined[MEMBERS_HEARTBEAT], 5 * 3600 / (TIMEOUT_S / 3 + 2 * SLOT_S));
    ck_assert_uint_le(c.mined[MEMBERS_HEARTBEAT], 5 * 3600 / (TIMEOUT_S / 3) + 1);
    ck_assert_uint_eq(c.mined[MEMBERS_REGISTER_PEER], 1);
}
END_TEST

START_TEST(a_contract_without_a_timeout_wants_no_heartbeats)
{
    open_chain();
    c.stand.timeout_s = 0;
    go_on(1000);
    ck_assert_uint_eq(c.mined[MEMBERS_HEARTBEAT], 0);
    ck_assert(r.is_registered);
}
END_TEST

START_TEST(one_transaction_at_a_time_and_a_stuck_one_is_raised_up_to_the_cap)
{
    open_chain();
    c.least_fee = UINT64_MAX; /* none is taken */
    ck_assert_int_eq(turn(), REGISTRAR_SEND);
    ck_assert_uint_eq(c.pool.max_fee, 3000000000u); /* twice the base fee, and the tip */
    uint64_t before = c.pool.max_fee;
    unsigned raised = 0, sent = 1;
    for (unsigned i = 1; i < 100 * REGISTRAR_PATIENCE; i++) {
        next_block();
        const registrar_do_t does = turn();
        ck_assert_int_eq(does, i % REGISTRAR_PATIENCE ? REGISTRAR_WAIT : REGISTRAR_SEND);
        sent += does == REGISTRAR_SEND;
        raised += c.pool.max_fee > before;
        before = c.pool.max_fee;
    }
    ck_assert_uint_eq(r.sends, sent);
    ck_assert_uint_ge(raised, 20);
    ck_assert_uint_gt(c.pool.max_fee, CAP / 10 * 8); /* as near as a replacement comes, then as it was */
    c.least_fee = 0;
    next_block();
    ck_assert_uint_eq(c.mined[MEMBERS_REGISTER_INSTANCE], 1);
    ck_assert_int_eq(turn(), REGISTRAR_SEND);
    ck_assert_int_eq(c.pool.step, MEMBERS_BIND);
    ck_assert_uint_eq(c.pool.max_fee, 3000000000u);
}
END_TEST

START_TEST(a_rising_base_fee_is_followed_and_one_above_the_cap_waits)
{
    open_chain();
    c.least_fee = UINT64_MAX;
    (void)turn();
    c.base_fee = 40000000000u;
    for (unsigned i = 0; i < REGISTRAR_PATIENCE; i++)
        next_block();
    ck_assert_int_eq(turn(), REGISTRAR_SEND);
    ck_assert_uint_eq(c.pool.max_fee, 81000000000u);
    open_chain();
    c.base_fee = CAP;
    ck_assert_int_eq(turn(), REGISTRAR_STUCK);
    ck_assert_ptr_nonnull(strstr(e.text, "fee_cap"));
    c.base_fee = CAP - 1;
    ck_assert_int_eq(turn(), REGISTRAR_SEND);
    ck_assert_uint_eq(c.pool.max_fee, CAP);
}
END_TEST

START_TEST(what_somebody_has_to_do_is_said)
{
    open_chain();
    c.stand.token = 0;
    ck_assert_int_eq(turn(), REGISTRAR_STUCK);
    ck_assert_ptr_nonnull(strstr(e.text, "mint"));
    open_chain();
    c.stand.is_taken = true;
    ck_assert_int_eq(turn(), REGISTRAR_STUCK);
    ck_assert_ptr_nonnull(strstr(e.text, "another token"));
    open_chain();
    c.stand.balance = u256_of((uint64_t)3000000000u * 300000u - 1);
    ck_assert_int_eq(turn(), REGISTRAR_STUCK);
    ck_assert_ptr_nonnull(strstr(e.text, "fund it"));
    c.stand.balance = u256_of((uint64_t)3000000000u * 300000u);
    ck_assert_int_eq(turn(), REGISTRAR_SEND);
    open_chain();
    c.stand.is_refused = true;
    c.stand.output = view_of(not_bound, sizeof not_bound);
    ck_assert_int_eq(turn(), REGISTRAR_STUCK);
    ck_assert_str_eq(e.text, "the contract would refuse registerInstance: NotBound");
}
END_TEST

START_TEST(a_silent_member_is_not_registered_and_a_heartbeat_brings_it_back)
{
    open_chain();
    go_on(4);
    ck_assert(r.is_registered);
    c.time_s = c.stand.heartbeat_s + TIMEOUT_S;
    c.has_pool = false;
    r.is_sent = false;
    ck_assert_int_eq(turn(), REGISTRAR_SEND);
    ck_assert(r.is_registered); /* to the second */
    r.is_sent = false;
    c.time_s++;
    ck_assert_int_eq(turn(), REGISTRAR_SEND);
    ck_assert(!r.is_registered);
    ck_assert_int_eq(c.pool.step, MEMBERS_HEARTBEAT);
    next_block();
    (void)turn();
    ck_assert(r.is_registered);
}
END_TEST

START_TEST(a_chain_that_was_undone_is_begun_anew)
{
    open_chain();
    go_on(2);
    (void)turn();
    ck_assert(r.is_sent);
    c.stand.nonce = 0; /* all three are gone */
    c.has_instance = c.is_bound = c.has_pool = false;
    ck_assert_int_eq(turn(), REGISTRAR_SEND);
    ck_assert_int_eq(c.pool.step, MEMBERS_REGISTER_INSTANCE);
    ck_assert_uint_eq(c.pool.nonce, 0);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "p2p_registrar", a_node_registers_in_three_steps_and_then_sends_heartbeats_at_a_third_of_the_timeout,
        a_contract_without_a_timeout_wants_no_heartbeats,
        one_transaction_at_a_time_and_a_stuck_one_is_raised_up_to_the_cap,
        a_rising_base_fee_is_followed_and_one_above_the_cap_waits, what_somebody_has_to_do_is_said,
        a_silent_member_is_not_registered_and_a_heartbeat_brings_it_back, a_chain_that_was_undone_is_begun_anew);
}
