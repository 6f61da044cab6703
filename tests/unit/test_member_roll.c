/* rpc/members/roll.h: on the contract's code with members that the test puts there, and what is no roll. */
#include "tests/unit/members_states.h"

#include "rpc/members/roll.h"
#include "tests/unit/unit.h"

static set_t s;
#include "tests/unit/members_put.h"

static arena_t arena;
static members_roll_call_t call;
static members_roll_t roll;

/* A world with the contract in it, of WireGuard and without members, whose heartbeats count for 600 seconds. */
static void open_contract(const state_t *state)
{
    begin(&s, "");
    put_state(&s.w.accounts[0], state);
    s.block.env.timestamp = state->answers[0].time;
    arena_init(&arena, 1u << 20);
    memset(&roll, 0, sizeof roll);
}

static void close_contract(void)
{
    arena_free(&arena);
    end(&s);
}

static rc_t look(void)
{
    rc_t rc;
    query_free(s.call);
    s.call = NULL;
    s.block.state_root = world_root(&s.w);
    ck_assert_int_eq(members_roll_query(&s.call, &s.e, &call, &s.config, &A), RC_OK);
    while ((rc = query_step(s.call, &s.e)) == RC_NEED_DATA)
        answer_all(&s);
    return rc ? rc : members_roll_read(&roll, &s.e, &arena, &call);
}

START_TEST(empty_contract_has_an_empty_roll_and_no_key)
{
    open_contract(&states[3]);
    ck_assert_msg(look() == RC_OK, "%s: %s", s.e.field, s.e.text);
    ck_assert_uint_eq(roll.count, 0);
    ck_assert_uint_eq(roll.timeout_s, 600);
    ck_assert(!roll.has_key && !roll.is_announced);
    close_contract();
}
END_TEST

START_TEST(members_come_in_the_order_of_their_tokens)
{
    open_contract(&states[3]);
    const uint64_t now = s.block.env.timestamp;
    put_member(0, 9, true, now - 600);
    put_member(1, 2, true, now - 601);
    put_member(2, 5, false, now);
    put_member(3, 7, true, 0);
    ck_assert_msg(look() == RC_OK, "%s: %s", s.e.field, s.e.text);
    static const struct {
        uint64_t token;
        bool bound, heard;
        const char *endpoint;
    } want[] = { { 2, true, false, "10.0.1.2" },
                 { 5, false, false, "10.0.1.5" },
                 { 7, true, false, "" },
                 { 9, true, true, "10.0.1.9" } };
    ck_assert_uint_eq(roll.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const members_row_t *m = &roll.rows[i];
        ck_assert_uint_eq(m->token, want[i].token);
        ck_assert_uint_eq(m->wallet.b[19], want[i].token);
        ck_assert_uint_eq(m->is_bound, want[i].bound);
        ck_assert_uint_eq(m->network, MEMBERS_WIREGUARD);
        ck_assert_uint_eq(m->ip_index, want[i].token);
        ck_assert(view_eq(m->instance_id, view_str("cafe")));
        ck_assert(view_eq(m->endpoint, view_str(want[i].endpoint)));
        ck_assert_uint_eq(members_is_heard(&roll, m, now), want[i].heard);
    }
    ck_assert(!members_is_heard(&roll, &roll.rows[3], now + 1));
    ck_assert(members_is_heard(&roll, &roll.rows[0], now - 1));
    roll.timeout_s = 0;
    ck_assert(members_is_heard(&roll, &roll.rows[0], now + 100000));
    ck_assert(!members_is_heard(&roll, &roll.rows[1], now) && !members_is_heard(&roll, &roll.rows[2], now));
    close_contract();
}
END_TEST

START_TEST(key_is_named_or_announced)
{
    open_contract(&states[3]);
    put_key(SLOT_PENDING_KEY, 3);
    ck_assert_int_eq(look(), RC_OK);
    ck_assert(!roll.has_key && roll.is_announced);
    put_key(SLOT_CLUSTER_KEY, 2);
    ck_assert_int_eq(look(), RC_OK);
    ck_assert(roll.has_key && roll.key[0] == 2 && roll.key[1] == 7 && roll.key[32] == 9);
    put_key(SLOT_CLUSTER_KEY, 4);
    ck_assert_int_eq(look(), RC_MALFORMED);
    ck_assert_str_eq(s.e.field, "membership.contract");
    close_contract();
}
END_TEST

START_TEST(contract_without_a_roll_is_refused)
{
    open_contract(&states[2]); /* the published one */
    ck_assert_int_eq(look(), RC_REFUSED);
    ck_assert_str_eq(s.e.field, "membership.contract");
    s.w.accounts[0].code_len = 0;
    ck_assert_int_eq(look(), RC_REFUSED);
    close_contract();
}
END_TEST

/* ---- the form ---- */

#define W 32u
static uint8_t form[64 * W];

static void set(size_t at, uint64_t value)
{
    memset(form + at * W, 0, W - 8);
    store_u64be(form + at * W + W - 8, value);
}

/* Two members with an instance of one letter and no endpoint; its length in words. */
static size_t write_two(void)
{
    static const uint64_t words[] = { 32, 2, 64, 64 + 11 * W };
    memset(form, 0, sizeof form);
    for (size_t i = 0; i < 4; i++)
        set(i, words[i]);
    for (size_t m = 0; m < 2; m++) {
        const uint64_t row[] = { m + 1, 0xf0, 1, 0, 0, 100, 8 * W, 10 * W, 1, 0, 0 };
        for (size_t i = 0; i < 11; i++)
            set(4 + 11 * m + i, row[i]);
        form[(4 + 11 * m + 9) * W] = 'a';
    }
    return 26;
}

static rc_t decode(size_t words)
{
    rc_t rc;
    arena_t a;
    arena_init(&a, 1u << 16);
    rc = members_roll_decode(&roll, &s.e, &a, view_of(form, words * W));
    arena_free(&a);
    return rc;
}

START_TEST(what_is_no_list_of_members_is_refused)
{
    static const struct {
        size_t at;
        uint64_t value;
    } wrong[] = { { 0, 64 },     { 1, 1 },  { 1, 3 },   { 2, 96 }, { 3, 64 },  { 4, 0 },
                  { 4, 2 },      { 15, 1 }, { 6, 2 },   { 7, 2 },  { 8, 256 }, { 10, 9 * W },
                  { 11, 9 * W }, { 12, 0 }, { 12, 33 }, { 14, 1 }, { 25, 1 } };
    const size_t n = write_two();
    ck_assert_msg(decode(n) == RC_OK, "%s", s.e.text);
    ck_assert_uint_eq(roll.count, 2);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_two();
        set(wrong[i].at, wrong[i].value);
        ck_assert_msg(decode(n) == RC_MALFORMED, "row %zu is taken", i);
    }
    write_two();
    form[5 * W] = 1; /* an address of more than 20 bytes */
    ck_assert_int_eq(decode(n), RC_MALFORMED);
    write_two();
    form[4 * W] = 1; /* a token beyond 64 bits */
    ck_assert_int_eq(decode(n), RC_MALFORMED);
    write_two();
    form[13 * W + 1] = 1; /* behind the text */
    ck_assert_int_eq(decode(n), RC_MALFORMED);
    write_two();
    for (size_t cut = 0; cut < n; cut++)
        ck_assert_msg(decode(cut) == RC_MALFORMED, "%zu words are taken", cut);
    ck_assert_int_eq(decode(n + 1), RC_MALFORMED);
    set(1, MEMBERS_MAX + 1);
    ck_assert_int_eq(decode(n), RC_LIMIT);
}
END_TEST

START_TEST(what_is_no_key_is_refused)
{
    bool has = false;
    uint8_t key[MEMBERS_KEY_LEN];
    memset(form, 0, sizeof form);
    set(0, W);
    ck_assert(members_roll_decode_key(&has, key, &s.e, view_of(form, 2 * W)) == RC_OK && !has);
    set(1, 33);
    form[2 * W] = 2;
    ck_assert(members_roll_decode_key(&has, key, &s.e, view_of(form, 4 * W)) == RC_OK && has && key[0] == 2);
    ck_assert_int_eq(members_roll_decode_key(&has, key, &s.e, view_of(form, 3 * W)), RC_MALFORMED);
    ck_assert_int_eq(members_roll_decode_key(&has, key, &s.e, view_of(form, 5 * W)), RC_MALFORMED);
    form[2 * W] = 4;
    ck_assert_int_eq(members_roll_decode_key(&has, key, &s.e, view_of(form, 4 * W)), RC_MALFORMED);
    form[2 * W] = 2;
    set(1, 32);
    ck_assert_int_eq(members_roll_decode_key(&has, key, &s.e, view_of(form, 3 * W)), RC_MALFORMED);
    set(0, 2 * W);
    ck_assert_int_eq(members_roll_decode_key(&has, key, &s.e, view_of(form, 3 * W)), RC_MALFORMED);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("member_roll", read_states, NULL, empty_contract_has_an_empty_roll_and_no_key,
                           members_come_in_the_order_of_their_tokens, key_is_named_or_announced,
                           contract_without_a_roll_is_refused, what_is_no_list_of_members_is_refused,
                           what_is_no_key_is_refused);
}
