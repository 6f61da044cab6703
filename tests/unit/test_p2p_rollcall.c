/* node/p2p/rollcall.h against JSON-RPC servers that answer from the state which the contract really leaves, and lie about
 * it: what is dialled, which key is named, and that no list is never an empty one. */
#include "tests/unit/members_states.h"

#include "node/p2p/rollcall.h"
#include "tests/unit/members_world.h"

#include "tests/unit/members_put.h" /* behind s */

static rollcall_t *r;
static rollcall_list_t list;
static membership_t membership;
static _Atomic unsigned reads;
static bool has_self;
static err_t why;

static uint64_t tell_now(void *ctx)
{
    (void)ctx;
    return now_s;
}

/* The wallet of token 2, as members_put.h makes them. */
static bool tell_self(void *ctx, addr_t *out)
{
    (void)ctx;
    *out = (addr_t){ .b = { [18] = 0xf0, [19] = 2 } };
    return has_self;
}

static void on_read(void *ctx)
{
    (void)ctx;
    reads++;
}

/* Tokens 2, 3 and 4, of which 3 is not bound; this node is 2. */
static void open_rollcall(void)
{
    open_members();
    s.w.accounts[0].slot_count = 0;
    put_state(&s.w.accounts[0], &states[3]);
    s.block.env.timestamp = states[3].answers[0].time;
    now_s = s.block.env.timestamp + 12;
    for (uint8_t i = 0; i < 3; i++)
        put_member(i, (uint8_t)(2 + i), i != 1, s.block.env.timestamp);
    s.block.state_root = world_root(&s.w);
    membership =
        (membership_t){ .is_set = true, .contract = A, .mode = MEMBERS_WIREGUARD, .max_age_s = MAX_AGE_S, .every = 1 };
    const rollcall_config_t config = { .ask = engine,
                                       .chain = &PRAGUE,
                                       .cache = s.config.cache,
                                       .membership = &membership,
                                       .port = 4001,
                                       .now_s = tell_now,
                                       .self = tell_self,
                                       .read = on_read };
    has_self = true;
    r = rollcall_new(&config);
    ck_assert_ptr_nonnull(r);
}

static void close_rollcall(void)
{
    end_engine();
    rollcall_free(r);
    close_members();
}

static void sleep_ms(long ms)
{
    const struct timespec t = { .tv_nsec = ms * 1000000 };
    (void)nanosleep(&t, NULL);
}

/* Turns until a reading has ended. now_ms: when. */
static void read_once(uint64_t now_ms)
{
    const unsigned before = reads;
    (void)rollcall_turn(r, now_ms);
    for (unsigned i = 0; reads == before && i < 2000; i++)
        sleep_ms(10);
    ck_assert_uint_gt(reads, before);
    rollcall_list(r, &list);
}

static muster_do_t muster(bool answers)
{
    static uint64_t at_ms;
    return rollcall_muster(r, &why, answers, false, at_ms += 5000);
}

/* For so many seconds. */
static muster_do_t muster_for(unsigned seconds)
{
    muster_do_t done = MUSTER_WAIT;
    for (unsigned t = 0; t < seconds && done == MUSTER_WAIT; t += 5)
        done = muster(false);
    return done;
}

START_TEST(members_of_a_proven_block_are_dialled_and_the_smallest_founds)
{
    char text[MADDR_TEXT_MAX + 1];
    open_rollcall();
    rollcall_list(r, &list);
    ck_assert(!list.anchor.is_known && list.count == 0);
    ck_assert_int_eq(muster_for(1000), MUSTER_WAIT);
    ck_assert_str_eq(why.text, "the contract's list of members cannot be read yet");
    rollcall_head(r, &s.block);
    read_once(0);
    ck_assert(list.anchor.is_known && !list.anchor.has_key);
    ck_assert_uint_eq(list.count, 1);
    maddr_text(text, &list.peers[0].ways[1]);
    ck_assert_str_eq(text, "/ip4/10.0.1.4/tcp/4001");
    ck_assert_int_eq(muster_for(120), MUSTER_WAIT);
    ck_assert_int_eq(muster_for(5), MUSTER_FOUND);
    ck_assert_int_eq(muster(true), MUSTER_WAIT);
    has_self = false;
    ck_assert_int_eq(muster_for(1000), MUSTER_WAIT);
    rollcall_list(r, &list);
    ck_assert_uint_eq(list.count, 2);
    close_rollcall();
}
END_TEST

START_TEST(block_is_read_once)
{
    open_rollcall();
    rollcall_head(r, &s.block);
    read_once(0);
    const unsigned first = ends[0].batches + ends[1].batches;
    ck_assert_uint_eq(rollcall_turn(r, 100000), 100000 + ROLLCALL_TURN_MS);
    sleep_ms(100);
    ck_assert(reads && ends[0].batches + ends[1].batches == first);
    close_rollcall();
}
END_TEST

START_TEST(key_that_the_contract_names_is_told)
{
    open_rollcall();
    put_key(SLOT_CLUSTER_KEY, 3);
    s.block.state_root = world_root(&s.w);
    rollcall_head(r, &s.block);
    read_once(0);
    ck_assert(list.anchor.has_key && list.anchor.key[0] == 3 && list.anchor.key[32] == 9);
    ck_assert_int_eq(muster_for(1000), MUSTER_WAIT);
    close_rollcall();
}
END_TEST

START_TEST(who_lies_about_the_list_makes_nobody_found)
{
    static const endpoint_t bad[] = { { .falsified = "a000" }, { .refused = PROOF_OF_A }, { .status = 500 } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        open_rollcall();
        ends[0] = ends[1] = bad[i];
        rollcall_head(r, &s.block);
        read_once(0);
        ck_assert(!list.anchor.is_known && list.count == 0);
        ck_assert_int_eq(muster_for(1000), MUSTER_WAIT);
        ck_assert_msg(strstr(why.text, "cannot be read: execution_rpc["), "%s", why.text);
        ends[0] = ends[1] = (endpoint_t){ .status = 0 };
        const uint64_t later = clock_monotonic_ms() + ROLLCALL_AGAIN_MS;
        ck_assert_uint_le(rollcall_turn(r, later - ROLLCALL_AGAIN_MS), later); /* not yet */
        read_once(later);
        ck_assert(list.anchor.is_known && list.count == 1);
        ck_assert_int_eq(muster_for(125), MUSTER_FOUND);
        close_rollcall();
    }
}
END_TEST

START_TEST(older_list_is_dialled_while_it_is_young_and_nobody_founds_by_it)
{
    open_rollcall();
    rollcall_head(r, &s.block);
    read_once(0);
    ends[0] = ends[1] = (endpoint_t){ .refused = PROOF_OF_A };
    next_block(12, true);
    rollcall_head(r, &s.block);
    read_once(0);
    ck_assert(list.anchor.is_known && list.count == 1);
    ck_assert_int_eq(muster_for(1000), MUSTER_WAIT);
    ck_assert_msg(strstr(why.text, "cannot be read: execution_rpc["), "%s", why.text);
    now_s = s.block.env.timestamp - 12 + MAX_AGE_S;
    rollcall_list(r, &list);
    ck_assert(list.anchor.is_known);
    now_s++;
    rollcall_list(r, &list);
    ck_assert(!list.anchor.is_known && list.count == 0);
    close_rollcall();
}
END_TEST

START_TEST(list_that_nothing_renews_grows_too_old)
{
    open_rollcall();
    rollcall_head(r, &s.block);
    read_once(0);
    now_s = s.block.env.timestamp + MAX_AGE_S + 1;
    rollcall_list(r, &list);
    ck_assert(!list.anchor.is_known && list.count == 0);
    ck_assert_int_eq(muster_for(1000), MUSTER_WAIT);
    ck_assert_msg(strstr(why.text, "s old, more than 1536"), "%s", why.text);
    close_rollcall();
}
END_TEST

START_TEST(contract_without_a_roll_says_so)
{
    open_rollcall();
    s.w.accounts[0].code_len = 0;
    s.block.state_root = world_root(&s.w);
    rollcall_head(r, &s.block);
    read_once(0);
    ck_assert_int_eq(muster_for(1000), MUSTER_WAIT);
    ck_assert_msg(strstr(why.text, "there is no contract with getMembers() and clusterKey()"), "%s", why.text);
    close_rollcall();
}
END_TEST

int main(void)
{
    log_set_level(LOG_ERROR);
    return UNIT_RUN("p2p_rollcall", members_of_a_proven_block_are_dialled_and_the_smallest_founds, block_is_read_once,
                    key_that_the_contract_names_is_told, who_lies_about_the_list_makes_nobody_found,
                    older_list_is_dialled_while_it_is_young_and_nobody_founds_by_it,
                    list_that_nothing_renews_grows_too_old, contract_without_a_roll_says_so);
}
