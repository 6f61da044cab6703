/* rpc/members/stand.h on the contract's code: where a member stands, and what the contract would take of it. */
#include "tests/unit/members_states.h"

#include "base/crypto/hash.h"
#include "rpc/members/stand.h"
#include "tests/unit/unit.h"

#define ID "cafe"
#define TOKEN 5u
/* Slots of the storage layout (sdk/solidity/DstackP2PMembership.json). */
enum { WALLET_TO_TOKEN = 1, INSTANCE_TO_TOKEN = 8, TOKEN_TO_INSTANCE = 9, BASE_DOMAIN = 12, SEATS = 21 };

static set_t s;
static arena_t arena;
static members_self_t self;
static members_stand_call_t call;
static members_stand_t stand;

/* A world with the contract in it, without members, whose heartbeats count for 600 seconds; of a gateway or not. */
static void open_contract(const state_t *state)
{
    members_chain_t chain = { .app_id = { 7 } };
    begin(&s, "");
    put_state(&s.w.accounts[0], state);
    s.block.env.timestamp = state->answers[0].time;
    arena_init(&arena, 1u << 16);
    self = (members_self_t){ .contract = A, .sender = FROM, .instance_id = view_str(ID) };
    ck_assert_int_eq(members_calldata(self.data, &s.e, &arena, self.instance_id, &chain), RC_OK);
    memset(&stand, 0, sizeof stand);
}

static void close_contract(void)
{
    arena_free(&arena);
    end(&s);
}

static void put(const uint8_t *key, size_t key_len, uint8_t slot, u256_t value)
{
    uint8_t at[96] = { 0 };
    world_account_t *c = &s.w.accounts[0];
    memcpy(at, key, key_len);
    at[key_len + 31] = slot;
    ck_assert_uint_lt(c->slot_count, WORLD_SLOTS);
    keccak256(&c->slots[c->slot_count].key, view_of(at, key_len + 32));
    c->slots[c->slot_count++].value = value;
}

static void give_token(uint64_t token)
{
    uint8_t key[32] = { 0 };
    memcpy(key + 12, self.sender.b, 20);
    put(key, 32, WALLET_TO_TOKEN, u256_of(token));
}

static void give_instance(uint64_t token)
{
    put((const uint8_t *)ID, sizeof ID - 1, INSTANCE_TO_TOKEN, u256_of(token));
}

/* heartbeat, active, bound: at their places in the seat's slot. */
static void give_seat(uint64_t heartbeat, bool bound)
{
    uint8_t key[32] = { [31] = TOKEN };
    const u256_t seat = { { heartbeat, (uint64_t)1 << 32 | (uint64_t)bound << 40, 0, 0 } };
    put(key, 32, SEATS, seat);
}

static rc_t look(void)
{
    rc_t rc;
    query_free(s.call);
    s.block.state_root = world_root(&s.w);
    ck_assert_int_eq(members_stand_query(&s.call, &s.e, &call, &s.config, &self), RC_OK);
    while ((rc = query_step(s.call, &s.e)) == RC_NEED_DATA)
        answer_all(&s);
    return rc ? rc : members_stand_read(&stand, &s.e, &call);
}

static const char *why(void)
{
    static char text[96];
    return members_revert(text, sizeof text, stand.output);
}

START_TEST(without_a_token_there_is_nothing_to_do)
{
    open_contract(&states[3]);
    ck_assert_msg(look() == RC_OK, "%s: %s", s.e.field, s.e.text);
    ck_assert_uint_eq(stand.token, 0);
    ck_assert_uint_eq(stand.timeout_s, 600);
    ck_assert_uint_eq(stand.nonce, s.w.accounts[1].nonce);
    ck_assert(u256_eq(&stand.balance, &s.w.accounts[1].balance));
    close_contract();
}
END_TEST

START_TEST(token_without_instance_registers_it)
{
    open_contract(&states[3]);
    give_token(TOKEN);
    ck_assert_msg(look() == RC_OK, "%s: %s", s.e.field, s.e.text);
    ck_assert_uint_eq(stand.token, TOKEN);
    ck_assert_int_eq(stand.step, MEMBERS_REGISTER_INSTANCE);
    ck_assert_msg(!stand.is_refused, "%s", why());
    close_contract();
}
END_TEST

START_TEST(instance_of_another_token_is_taken)
{
    open_contract(&states[3]);
    give_token(TOKEN);
    give_instance(4);
    ck_assert_int_eq(look(), RC_OK);
    ck_assert(stand.is_taken);
    close_contract();
}
END_TEST

START_TEST(instance_that_is_not_bound_is_bound_first_and_a_wrong_chain_is_seen_before_it_is_sent)
{
    open_contract(&states[3]);
    give_token(TOKEN);
    give_instance(TOKEN);
    give_seat(0, false);
    ck_assert_int_eq(look(), RC_OK);
    ck_assert_int_eq(stand.step, MEMBERS_BIND);
    ck_assert(stand.is_refused);
    ck_assert_str_eq(why(), "WrongSender");
    close_contract();
}
END_TEST

START_TEST(bound_instance_registers_its_peer)
{
    open_contract(&states[3]);
    give_token(TOKEN);
    give_instance(TOKEN);
    give_seat(0, true);
    ck_assert_int_eq(look(), RC_OK);
    ck_assert_int_eq(stand.step, MEMBERS_REGISTER_PEER);
    ck_assert_msg(!stand.is_refused, "%s", why());
    close_contract();
}
END_TEST

START_TEST(listed_peer_sends_heartbeats)
{
    open_contract(&states[3]);
    const uint64_t heard = s.block.env.timestamp - 100;
    give_token(TOKEN);
    give_instance(TOKEN);
    give_seat(heard, true);
    ck_assert_int_eq(look(), RC_OK);
    ck_assert_uint_eq(stand.heartbeat_s, heard);
    ck_assert_int_eq(stand.step, MEMBERS_HEARTBEAT);
    ck_assert_msg(!stand.is_refused, "%s", why());
    close_contract();
}
END_TEST

START_TEST(contract_of_another_kind_takes_no_registrations)
{
    open_contract(&states[2]); /* the published one, without heartbeats */
    ck_assert_int_eq(look(), RC_REFUSED);
    ck_assert_str_eq(s.e.field, "membership.contract");
    s.w.accounts[0].code_len = 0;
    ck_assert_int_eq(look(), RC_REFUSED);
    close_contract();
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("member_stand", read_states, NULL, without_a_token_there_is_nothing_to_do,
                           token_without_instance_registers_it, instance_of_another_token_is_taken,
                           instance_that_is_not_bound_is_bound_first_and_a_wrong_chain_is_seen_before_it_is_sent,
                           bound_instance_registers_its_peer, listed_peer_sends_heartbeats,
                           contract_of_another_kind_takes_no_registrations);
}
