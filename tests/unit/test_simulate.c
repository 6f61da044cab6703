/* eth_simulateV1: state roots from proofs against those of the whole tries, traced transfers, what is no transaction. */
#include "base/crypto/hash.h"
#include "lightclient/exec/roots.h"
#include "tests/unit/methods_world.h"

#define SIMULATE(params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_simulateV1\",\"params\":[" params "]}"
#define SETS "\"0xac0000000000000000000000000000000000f000\"" /* sets slot calldata[0] to calldata[1] */
#define RICH "\"0xac00000000000000000000000000000000000bad\""
#define SLOTS 24u

static const evm_schedule_row_t cancun_row = { 0, { EVM_CANCUN, 3, 6, 3338477, NULL } };
static const evm_chain_t CANCUN = { 560048, &cancun_row, 1 };

static world_account_t *contract;

static void setup_simulate(void)
{
    setup();
    contract = world_add(&w, world_addr(0xf000), "6020355f3555");
    for (unsigned i = 0; i < SLOTS; i++)
        world_set(contract, i, u256_of(i + 1));
    world_add(&w, world_addr(0xbad), "")->balance = u256_of(1000);
    world.chain = &CANCUN;
    world.latest.state_root = world.finalized.state_root = world_root(&w);
}

/* The sender, who is nobody else, has sent so many transactions. */
static void count_nonce(uint64_t nonce)
{
    static const addr_t nobody;
    world_account_t *a = world_find(&w, &nobody);
    if (!a)
        a = world_add(&w, nobody, "");
    a->nonce = nonce;
    a->balance = u256_of(0);
}

static void expect_root(const char *answer)
{
    char want[100] = "\"stateRoot\":\"0x";
    const hash32_t root = world_root(&w);
    hex_encode(want + strlen(want), view_of(root.b, sizeof root.b));
    ck_assert_msg(strstr(answer, want) != NULL, "%s is not in %.3000s", want, answer);
}

START_TEST(the_state_root_is_that_of_the_whole_state)
{
    for (unsigned i = 0; i < SLOTS; i++)
        for (unsigned value = 0; value < 2; value++) {
            char text[700];
            teardown();
            setup_simulate();
            snprintf(text, sizeof text,
                     SIMULATE("{\"blockStateCalls\":[{\"calls\":[{\"to\":" SETS
                              ",\"data\":\"0x%064x%064x\"}]}]},\"latest\""),
                     i, 77 * value);
            const char *answer = serve(text);
            world_set(contract, i, u256_of(77 * value));
            count_nonce(1);
            expect_root(answer);
        }
}
END_TEST

START_TEST(blocks_follow_each_other)
{
    const char *answer = serve(
        SIMULATE("{\"blockStateCalls\":[{\"calls\":[{\"to\":" SETS ",\"data\":\"" HASH32("00") /**/
                 "0000000000000000000000000000000000000000000000000000000000000005\"}]},{},{\"stateOverrides\":{" RICH
                 ":{\"balance\":\"0x7\"}}}]}"));
    world_set(contract, 0, u256_of(5));
    count_nonce(1);
    expect_root(answer);
    world_find(&w, (addr_t[]){ world_addr(0xbad) })->balance = u256_of(7);
    expect_root(answer);
    for (unsigned i = 1; i <= 3; i++) {
        char number[30];
        snprintf(number, sizeof number, "\"number\":\"0x%x\"", 1000 + i);
        ck_assert_ptr_nonnull(strstr(answer, number));
    }
    ck_assert_uint_le(rounds, 2);
}
END_TEST

START_TEST(excess_blob_gas_goes_on_from_the_base)
{
    world.latest.env.excess_blob_gas = 50000000;
    world.latest.blob_gas_used = 6 * 131072;
    const char *answer = serve(SIMULATE("{\"blockStateCalls\":[{},{}]},\"latest\""));
    const char *first = strstr(answer, "\"excessBlobGas\":\"0x300f080\""); /* 3 blobs over the target, */
    ck_assert_msg(first && strstr(first, "\"excessBlobGas\":\"0x2faf080\""), "%s", answer); /* and 3 below */
}
END_TEST

START_TEST(transfers_are_shown_only_when_asked_for)
{
#define SENDS "{\"blockStateCalls\":[{\"calls\":[{\"from\":" RICH ",\"to\":" NOBODY ",\"value\":\"0x3e8\"}]}]"
    const char *plain = serve(SIMULATE(SENDS "}"));
    ck_assert_ptr_nonnull(strstr(plain, "\"logs\":[]"));
    const char *traced = serve(SIMULATE(SENDS ",\"traceTransfers\":true}"));
    ck_assert_ptr_nonnull(strstr(traced, "\"address\":\"0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\""));
    ck_assert_ptr_nonnull(strstr(traced, "\"logIndex\":\"0x0\""));
    ck_assert(!strncmp(strstr(plain, "\"hash\""), strstr(traced, "\"hash\""), 75)); /* they are in no receipt */
}
END_TEST

START_TEST(what_is_no_transaction_ends_all)
{
    static const row_t rows[] = {
        { SIMULATE("{\"blockStateCalls\":[]}"), ERROR("-32602", "empty input") },
        { SIMULATE("{\"blockStateCalls\":null}"), ERROR("-32602", "empty input") },
        { SIMULATE("{}"), ERROR("-32602", "empty input") },
        { SIMULATE("{\"blockStateCalls\":[{\"blockOverrides\":{\"number\":\"0x3e8\"}}]}"),
          ERROR("-38020", "block numbers must be in order: 1000 <= 1000") },
        { SIMULATE("{\"blockStateCalls\":[{\"blockOverrides\":{\"time\":\"0x1388\"}}]}"),
          ERROR("-38021", "block timestamps must be in order: 5000 <= 5000") },
        { SIMULATE("{\"blockStateCalls\":[{\"blockOverrides\":{\"number\":\"0x4e9\"}}]}"),
          ERROR("-38026", "too many blocks") },
        { SIMULATE("{\"blockStateCalls\":[{\"calls\":[{\"from\":" RICH ",\"to\":" NOBODY ",\"value\":\"0x3e9\"}]}]}"),
          ERROR("-38014", "err: insufficient funds for gas * price + value: address "
                          "0xAc00000000000000000000000000000000000bAd have 1000 want 1001 (supplied gas 30000000)") },
        { SIMULATE("{\"blockStateCalls\":[{\"calls\":[{\"to\":" NOBODY ",\"nonce\":\"0x1\"}]}],\"validation\":true}"),
          ERROR("-38011", "err: nonce too high: address 0x0000000000000000000000000000000000000000, tx: 1 state: 0 "
                          "(supplied gas 30000000)") },
        { SIMULATE("{\"blockStateCalls\":[{\"calls\":[{\"to\":" NOBODY ",\"gas\":\"0x5207\"}]}]}"),
          ERROR("-38013", "err: intrinsic gas too low: have 20999, want 21000 (supplied gas 20999)") },
        { SIMULATE("{\"blockStateCalls\":[{\"calls\":[{\"to\":" NOBODY ",\"gas\":\"0x1c9c381\"}]}]}"),
          ERROR("-38015", "block gas limit reached: remaining: 30000000, required: 30000001") },
    };
    CHECK_ROWS(rows);
}
END_TEST

/* ---- keys that are looked for ---- */

static bool second_time(void *ctx)
{
    unsigned *polls = ctx;
    return ++*polls >= 2;
}

/* A contract of which one slot's way ends beside another one's, five digits deep: when it is removed, that is needed. */
static hash32_t make_deep(const addr_t *addr)
{
    static uint64_t first[1u << 16];
    world_account_t *a = world_add(&w, *addr, "00");
    hash32_t key, hash;
    memset(first, 0, sizeof first);
    for (uint64_t i = (uint64_t)1 << 40;; i++) { /* none of the keys that are tried first */
        key = world_key(i);
        keccak256(&hash, view_of(key.b, sizeof key.b));
        uint64_t *seen = &first[(size_t)hash.b[0] << 8 | hash.b[1]];
        if (*seen) {
            world_set(a, *seen, u256_of(1));
            world_set(a, i, u256_of(1));
            return key;
        }
        *seen = i;
    }
}

START_TEST(the_search_for_a_key_ends_with_the_time_or_the_hashes)
{
    const addr_t addr = world_addr(0xdee9);
    const hash32_t key = make_deep(&addr);
    const evm_slot_t slot = { .key = key };
    const evm_change_t change = { .addr = addr, .slots = &slot, .slot_count = 1 };
    const ex_proof_answer_t proof = world_proof(&w, &addr, &key, 1);
    const uint64_t seed[2] = { 1, 2 };
    const hash32_t root = world_root(&w);
    hash32_t after = root;
    unsigned polls = 0;
    ex_roots_t r;
    err_t e = { .text = "" };
    ck_assert_int_eq(ex_roots_init(&r, &arena, seed), RC_OK);
    ck_assert_int_eq(ex_roots_learn(&r, &proof), RC_OK);
    r.expired = second_time;
    r.expired_ctx = &polls;
    ck_assert_int_eq(ex_roots_apply(&r, &after, &e, &change, 1), RC_TIMEOUT);
    ck_assert_uint_eq(polls, 2);
    ck_assert_uint_lt(r.hashes, 10000);
    ex_roots_clear(&r);
    r.hashes = EX_ROOTS_HASHES_MAX - 10;
    ck_assert_int_eq(ex_roots_apply(&r, &after, &e, &change, 1), RC_REFUSED);
    ck_assert_uint_eq(r.hashes, EX_ROOTS_HASHES_MAX);
    ck_assert_str_eq(e.text, "the state root needs nodes that no proof shows: more than keys are looked for");
    ck_assert_int_eq(ex_roots_apply(&r, &after, &e, &change, 1), RC_REFUSED); /* it is of the request, not of a step */
    ck_assert(hash32_eq(&after, &root));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("simulate", setup_simulate, teardown, the_state_root_is_that_of_the_whole_state,
                           blocks_follow_each_other, excess_blob_gas_goes_on_from_the_base,
                           transfers_are_shown_only_when_asked_for, what_is_no_transaction_ends_all,
                           the_search_for_a_key_ends_with_the_time_or_the_hashes);
}
