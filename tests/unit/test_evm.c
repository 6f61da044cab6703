/* evm: prices, ends of frames, what is asked from the host and what is not, limits. Prices are literals added up from
 * the Yellow Paper's and the EIPs' tables, as the sums show. */
#include <pthread.h>
#include <stdlib.h>

#include "lightclient/evm/code.h"
#include "tests/unit/evm_world.h"
#include "tests/unit/unit.h"

/* --- prices --- */

static const struct {
    const char *name, *code;
    uint64_t gas; /* beyond the 21000 of the transaction, refund not yet taken off */
} prices[] = {
    /* the first two rows do not end with one gas less */
    { "nothing", "", 0 },
    { "static call of identity", "5f5f5f5f600461fffffa", 2 * 4 + 3 + 3 + 100 + 15 },
    { "arithmetic", "6001600201", 3 + 3 + 3 },
    { "modular", "5f5f5f095f5f5f08", 6 + 8 + 6 + 8 },
    { "exponent of two bytes", "61ffff60020a", 3 + 3 + 10 + 50 * 2 },
    { "exponent zero", "5f60020a", 2 + 3 + 10 },
    { "clz", "5f1e", 2 + 5 },
    { "hash of 33 bytes", "60215f20", 3 + 2 + 30 + 6 * 2 + 6 },
    { "one word of memory", "5f5f52", 2 + 2 + 3 + 3 },
    { "1024 words of memory", "5f617fff53", 2 + 3 + 3 + 3 * 1024 + 1024 * 1024 / 512 },
    { "memory is paid once", "5f5f525f51", 2 + 2 + 3 + 3 + 2 + 3 },
    { "call data copy", "60205f5f37", 3 + 2 + 2 + 3 + 3 + 3 },
    { "code copy of 33 bytes", "60215f5f39", 3 + 2 + 2 + 3 + 3 * 2 + 6 },
    { "mcopy", "60205f5f5e", 3 + 2 + 2 + 3 + 3 + 3 },
    { "empty copy at a far place", "5f5f7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff5e",
      2 + 2 + 3 + 3 },
    { "jump", "6003565b", 3 + 8 + 1 },
    { "jumpi taken", "60016005575b", 3 + 3 + 10 + 1 },
    { "sload cold, then warm", "5f545f54", 2 + 2100 + 2 + 100 },
    { "sstore zero to one, cold", "60015f55", 3 + 2 + 2100 + 20000 },
    { "sstore same value", "5f5f55", 2 + 2 + 2100 + 100 },
    { "tload, tstore", "5f5c5f5f5d", 2 + 100 + 2 + 2 + 100 },
    { "balance cold", "607731", 3 + 2600 },
    { "balance of self, sender, coinbase, precompile", "303133314131600131", 102 * 3 + 103 },
    { "selfbalance", "47", 5 },
    { "ext code", "60773b60773f", 3 + 2600 + 3 + 100 },
    { "ext code copy", "60205f5f60773c", 3 + 2 + 2 + 3 + 2600 + 3 + 3 },
    { "block hash", "5f40", 2 + 20 },
    { "one topic, five bytes", "5f60055fa1", 2 + 3 + 2 + 375 * 2 + 8 * 5 + 3 },
    { "call of nobody", "5f5f5f5f5f607761fffff1", 2 * 5 + 3 + 3 + 2600 },
    { "call that makes an account", "5f5f5f5f600160775ff1", 2 * 4 + 3 + 3 + 2 + 2600 + 9000 + 25000 - 2300 },
    { "create of nothing", "5f5f5ff0", 6 + 32000 },
    { "create2 of a word", "5f60205f5ff5", 2 + 3 + 2 + 2 + 32000 + 2 + 6 + 3 },
    { "selfdestruct to self", "30ff", 2 + 5000 },
    { "selfdestruct to nobody", "6077ff", 3 + 5000 + 2600 + 25000 },
};

START_TEST(each_class_of_instruction_costs_what_the_specification_says)
{
    for (size_t i = 0; i < sizeof prices / sizeof prices[0]; i++) {
        arena_t a;
        arena_init(&a, ARENA_LIMIT);
        world_t w = { .balance = u256_of(100) };
        evm_result_t r;
        ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA, prices[i].code, NULL), RC_OK);
        ck_assert_msg(r.status == EVM_SUCCESS, "%s: %s", prices[i].name, evm_halt_name(r.halt));
        ck_assert_msg(r.gas_used == 21000 + prices[i].gas, "%s: %lu", prices[i].name, r.gas_used - 21000);
        arena_free(&a);
    }
}
END_TEST

START_TEST(one_gas_less_than_needed_halts_and_uses_all)
{
    for (size_t i = 2; i < sizeof prices / sizeof prices[0]; i++) {
        arena_t a;
        arena_init(&a, ARENA_LIMIT);
        world_t w = { .balance = u256_of(100), .code = code_of(&a, prices[i].code) };
        evm_result_t r;
        evm_tx_t tx = tx_of(21000 + prices[i].gas - 1);
        ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
        ck_assert_msg(r.status == EVM_HALT && r.halt == EVM_HALT_OUT_OF_GAS, "%s", prices[i].name);
        ck_assert_uint_eq(r.gas_used, tx.gas);
        ck_assert_uint_eq(r.output.n, 0);
        ck_assert_uint_eq(r.log_count, 0);
        arena_free(&a);
    }
}
END_TEST

START_TEST(forks_change_prices_as_their_eips_say)
{
    static const struct {
        const char *name, *code;
        evm_fork_t fork;
        uint64_t gas;
    } rows[] = {
        { "coinbase is cold before EIP-3651", "4131", EVM_PARIS, 2 + 2600 },
        { "and warm after", "4131", EVM_SHANGHAI, 2 + 100 },
        { "init code has no price before EIP-3860", "602060006000f0", EVM_PARIS, 9 + 32000 + 3 },
        { "and two for a word after", "602060006000f0", EVM_SHANGHAI, 9 + 32000 + 3 + 2 },
        { "kzg's address is ordinary before EIP-4844", "600a31", EVM_SHANGHAI, 3 + 2600 },
        { "and warm after", "600a31", EVM_CANCUN, 3 + 100 },
        { "p256's address is ordinary before EIP-7951", "61010031", EVM_PRAGUE, 3 + 2600 },
        { "and warm after", "61010031", EVM_OSAKA, 3 + 100 },
        { "modexp of nothing: EIP-2565", "600060006000600060055afa", EVM_PRAGUE, 3 * 5 + 2 + 100 + 200 },
        { "EIP-7883", "600060006000600060055afa", EVM_OSAKA, 3 * 5 + 2 + 100 + 500 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        arena_t a;
        arena_init(&a, ARENA_LIMIT);
        world_t w = { 0 };
        evm_result_t r;
        ck_assert_int_eq(run(&a, &r, &w, rows[i].fork, rows[i].code, NULL), RC_OK);
        ck_assert_msg(r.status == EVM_SUCCESS, "%s: %s", rows[i].name, evm_halt_name(r.halt));
        ck_assert_msg(r.gas_used == 21000 + rows[i].gas, "%s: %lu", rows[i].name, r.gas_used - 21000);
        arena_free(&a);
    }
}
END_TEST

START_TEST(callee_gets_all_but_a_64th)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { .other_code = code_of(&a, "5a" RETURN_TOP) };
    w.code = code_of(&a, "60205f5f5f5f" OTHER_ADDR "5af15f5160205260206020f3");
    evm_result_t r;
    evm_tx_t tx = tx_of(21000 + 100000);
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    /* 100000 - 16 for the operands - 2600 - 3 for memory = 97381; less its 64th 1521; GAS itself costs 2 */
    ck_assert_uint_eq(r.output.n, 32);
    ck_assert_uint_eq(load_u64be(r.output.p + 24), 97381 - 1521 - 2);
    arena_free(&a);
}
END_TEST

START_TEST(refunds_are_at_most_a_fifth_from_london_and_a_half_before)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r;
    /* zero, one, zero again: 2 * 5 + 22100 + 100, refund 19900 */
    ck_assert_int_eq(run(&a, &r, &w, EVM_BERLIN, "60016000556000600055", NULL), RC_OK);
    uint64_t used = 21000 + 3 * 4 + 22100 + 100;
    ck_assert_uint_eq(r.gas_used, used - 19900);
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA, "60016000556000600055", NULL), RC_OK);
    ck_assert_uint_eq(r.gas_used, used - used / 5);
    w.slot = 5; /* five to zero: 5000, refund 4800 */
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA, "6000600055", NULL), RC_OK);
    ck_assert_uint_eq(r.gas_used, 21000 + 6 + 5000 - 4800);
    arena_free(&a);
}
END_TEST

START_TEST(call_data_has_a_floor_from_prague)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    static uint8_t data[100] = { 1 };
    world_t w = { 0 };
    evm_result_t r;
    evm_tx_t tx = tx_of(100000);
    tx.data = view_of(data, sizeof data); /* one other byte, 99 zeros: 103 tokens */
    ck_assert_int_eq(call(&a, &r, &w, EVM_CANCUN, &tx), RC_OK);
    ck_assert_uint_eq(r.gas_used, 21000 + 16 + 99 * 4);
    ck_assert_int_eq(call(&a, &r, &w, EVM_PRAGUE, &tx), RC_OK);
    ck_assert_uint_eq(r.gas_used, 21000 + 1030);
    tx.gas = 21000 + 1029;
    ck_assert_int_eq(call(&a, &r, &w, EVM_PRAGUE, &tx), RC_REFUSED);
    arena_free(&a);
}
END_TEST

/* --- ends of frames --- */

static const struct {
    const char *code;
    evm_fork_t fork;
    evm_halt_t halt;
} halts[] = {
    { "fe", EVM_OSAKA, EVM_HALT_INVALID_OPCODE },
    { "0c", EVM_OSAKA, EVM_HALT_INVALID_OPCODE },
    { "5f1e", EVM_PRAGUE, EVM_HALT_INVALID_OPCODE },
    { "5f", EVM_PARIS, EVM_HALT_INVALID_OPCODE },
    { "48", EVM_BERLIN, EVM_HALT_INVALID_OPCODE },
    { "5f5f5f5e", EVM_SHANGHAI, EVM_HALT_INVALID_OPCODE },
    { "5f5c", EVM_SHANGHAI, EVM_HALT_INVALID_OPCODE },
    { "4a", EVM_SHANGHAI, EVM_HALT_INVALID_OPCODE },
    { "01", EVM_OSAKA, EVM_HALT_STACK },
    { "5f01", EVM_OSAKA, EVM_HALT_STACK },
    { "5f8f", EVM_OSAKA, EVM_HALT_STACK },
    { "5b5f600056", EVM_OSAKA, EVM_HALT_STACK }, /* pushes for ever */
    { "600456", EVM_OSAKA, EVM_HALT_BAD_JUMP },
    { "6001565b", EVM_OSAKA, EVM_HALT_BAD_JUMP },
    { "6004565b605b", EVM_OSAKA, EVM_HALT_BAD_JUMP }, /* 0x5b that is push data */
    { "7f0000000000000000000000000000000000000000000000010000000000000021565b", EVM_OSAKA, EVM_HALT_BAD_JUMP },
    { "60015f5f3e", EVM_OSAKA, EVM_HALT_RETURN_DATA },
    { "5f60015f3e", EVM_OSAKA, EVM_HALT_RETURN_DATA },
};

START_TEST(bad_code_halts_with_its_reason_and_uses_all_gas)
{
    for (size_t i = 0; i < sizeof halts / sizeof halts[0]; i++) {
        arena_t a;
        arena_init(&a, ARENA_LIMIT);
        world_t w = { 0 };
        evm_result_t r;
        ck_assert_int_eq(run(&a, &r, &w, halts[i].fork, halts[i].code, NULL), RC_OK);
        ck_assert_int_eq(r.status, EVM_HALT);
        ck_assert_msg(r.halt == halts[i].halt, "%s: %s", halts[i].code, evm_halt_name(r.halt));
        ck_assert_uint_eq(r.gas_used, 1000000);
        arena_free(&a);
    }
}
END_TEST

START_TEST(revert_gives_its_data_back_and_drops_logs_and_storage)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r;
    /* LOG0; MSTORE8 0x42 at 0; REVERT one byte */
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA, "5f5fa060425f5360015ffd", NULL), RC_OK);
    ck_assert_int_eq(r.status, EVM_REVERT);
    ck_assert_uint_eq(r.output.n, 1);
    ck_assert_uint_eq(r.output.p[0], 0x42);
    ck_assert_uint_eq(r.log_count, 0);
    ck_assert_uint_lt(r.gas_used, 22000);
    /* OTHER stores and reverts with a word; MAIN delegates to it and returns success, size, its own slot */
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA,
                         "5f5f5f5f" OTHER_ADDR "5af4"
                         "5f523d6020525f5460405260605ff3",
                         "60015f5560205ffd"),
                     RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert_uint_eq(r.output.n, 96);
    ck_assert_uint_eq(r.output.p[31], 0);
    ck_assert_uint_eq(r.output.p[63], 32);
    ck_assert_uint_eq(r.output.p[95], 0);
    arena_free(&a);
}
END_TEST

START_TEST(log_carries_address_topics_and_data)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r;
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA,
                         "60425f53"
                         "60076008"
                         "60015fa2",
                         NULL),
                     RC_OK);
    ck_assert_uint_eq(r.log_count, 1);
    addr_t self = at(MAIN);
    ck_assert(addr_eq(&r.logs[0].addr, &self));
    ck_assert_uint_eq(r.logs[0].topic_count, 2);
    ck_assert_uint_eq(r.logs[0].topics[0].b[31], 8);
    ck_assert_uint_eq(r.logs[0].topics[1].b[31], 7);
    ck_assert_uint_eq(r.logs[0].data.n, 1);
    ck_assert_uint_eq(r.logs[0].data.p[0], 0x42);
    arena_free(&a);
}
END_TEST

START_TEST(static_frames_cannot_change_state)
{
    static const char *const changes[] = {
        "60015f55",               /* SSTORE */
        "5f5f5d",                 /* TSTORE */
        "5f5fa0",                 /* LOG0 */
        "5f5f5ff0",               /* CREATE */
        "5f5f5f5ff5",             /* CREATE2 */
        "5f5f5f5f60015f5ff1",     /* CALL with value */
        "5fff",                   /* SELFDESTRUCT */
        "5f5f5f5f305af460015f55", /* after a delegate call, too */
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        arena_t a;
        arena_init(&a, ARENA_LIMIT);
        world_t w = { .balance = u256_of(9) };
        evm_result_t r;
        ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA, "5f5f5f5f" OTHER_ADDR "61fffffa" RETURN_TOP, changes[i]), RC_OK);
        ck_assert_int_eq(r.status, EVM_SUCCESS);
        ck_assert_msg(r.output.p[31] == 0, "%s", changes[i]);
        ck_assert_uint_eq(r.log_count, 0);
        ck_assert_uint_gt(r.gas_used, 21000 + 0xffff); /* all that was given is gone */
        arena_free(&a);
    }
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r; /* a call without value is allowed */
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA, "5f5f5f5f" OTHER_ADDR "61fffffa" RETURN_TOP, "5f5f5f5f5f5f5ff1"),
                     RC_OK);
    ck_assert_uint_eq(r.output.p[31], 1);
    arena_free(&a);
}
END_TEST

/* Calls itself with all its gas; returns one more than the callee did. */
#define COUNT_DEPTH                                                                                                    \
    "60205f5f5f5f305af1"                                                                                               \
    "505f51600101" RETURN_TOP

static void *deep_calls(void *out)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { .code = code_of(&a, COUNT_DEPTH) };
    evm_result_t r = { 0 };
    evm_tx_t tx = tx_of((uint64_t)1 << 61); /* 63/64 at each level */
    rc_t rc = call(&a, &r, &w, EVM_OSAKA, &tx);
    *(unsigned *)out = rc || r.output.n != 32 ? 0 : (unsigned)r.output.p[30] << 8 | r.output.p[31];
    arena_free(&a);
    return NULL;
}

START_TEST(calls_go_1024_deep_on_a_small_c_stack)
{
    pthread_t thread;
    pthread_attr_t attr;
    unsigned frames = 0;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, (size_t)256 << 10); /* 250 bytes for each frame would be too much */
    ck_assert_int_eq(pthread_create(&thread, &attr, deep_calls, &frames), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attr);
    ck_assert_uint_eq(frames, 1025); /* the outermost one and 1024 below it */
}
END_TEST

START_TEST(memories_of_frames_do_not_disturb_each_other)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r;
    /* MAIN: word 0x11 at 0; OTHER fills 64 KiB and returns a word of it; MAIN then grows its own and returns
     * mem[0] + output word at 32 + word far away */
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA,
                         "60115f52602060205f5f5f" OTHER_ADDR "620ffffff1505f5160205101620100005101" RETURN_TOP,
                         "60226201000052602062010000f3"),
                     RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert_uint_eq(r.output.p[31], 0x33);
    arena_free(&a);
}
END_TEST

START_TEST(memory_is_zero_where_nothing_was_written_whatever_lay_there)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r;
    /* Without input: 1 to word 0, calls itself with a byte, and returns what its words at 32, 512 and 1024 have in
     * common plus MSIZE. With input: ones to words 0, 512, 1024 and 2048. */
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA,
                         "366027576001"
                         "5f525f5f60015f5f305af150"
                         "602051610200511761040051175901" RETURN_TOP "5b5f195f525f19610200525f19610400525f19610800"
                         "5200",
                         NULL),
                     RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert_uint_eq(load_u64be(r.output.p + 24), 0x420);
    for (unsigned i = 0; i < 24; i++)
        ck_assert_uint_eq(r.output.p[i], 0);
    arena_free(&a);
}
END_TEST

START_TEST(memory_that_grows_step_by_step_is_paid_and_zero_as_at_once)
{
    /* for (i = 0; i < 40000; i += step) mstore8(i, 0xff), then all memory */
    static const uint8_t steps[] = { 1, 0x1f, 0x20, 0x21, 0xff };
    for (size_t i = 0; i < sizeof steps; i++) {
        uint8_t code[] = { 0x5f, 0x5b, 0x60, 0xff, 0x81, 0x53, 0x60, steps[i], 0x01, 0x80,
                           0x61, 0x9c, 0x40, 0x11, 0x60, 0x01, 0x57, 0x59,     0x5f, 0xf3 };
        arena_t a;
        arena_init(&a, ARENA_LIMIT);
        world_t w = { .code = view_of(code, sizeof code) };
        evm_result_t r;
        const evm_tx_t tx = tx_of(10000000);
        ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
        ck_assert_int_eq(r.status, EVM_SUCCESS);
        const size_t loops = (40000 + steps[i] - 1u) / steps[i], words = (loops - 1) * steps[i] / 32 + 1;
        ck_assert_uint_eq(r.output.n, words * 32);
        for (size_t k = 0; k < r.output.n; k++)
            ck_assert_uint_eq(r.output.p[k], k % steps[i] || k >= 40000 ? 0 : 0xff);
        ck_assert_uint_eq(r.gas_used, 21000 + 2 + loops * 38 + 3 * words + words * words / 512 + 2 + 2);
        arena_free(&a);
    }
}
END_TEST

/* --- the host --- */

START_TEST(missing_data_ends_the_call_and_leaves_the_result_alone)
{
    static const struct {
        const char *code;
        world_t world;
    } rows[] = {
        { "00", { .missing = MAIN } },
        { "00", { .no_code = true } },
        { "5f54", { .no_storage = true } },
        { "60015f55", { .no_storage = true } },
        { "61030040", { .no_hash = true } },
        { "607731", { .missing = 0x77 } },
        { "60773b", { .missing = 0x77 } },
        { "60773f", { .missing = 0x77 } },
        { "60015f5f60773c", { .missing = 0x77 } },
        { "5f5f5f5f5f60775af1", { .missing = 0x77 } },
        { "5f5f5f5f60775afa", { .missing = 0x77 } },
        { "5f5f5f5f60775af4", { .missing = 0x77 } },
        { "5f5f5f5f600160775af1", { .missing = 0x77, .balance = { { 5 } } } },
        { "5f5f5f5f600160025af1",
          { .missing = 2, .balance = { { 5 } } } }, /* whether the precompile's account exists */
        { "6077ff", { .missing = 0x77, .balance = { { 5 } } } },
        { "5f5f5f5f5f" OTHER_ADDR "5af1", { .missing = OTHER } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        arena_t a;
        arena_init(&a, ARENA_LIMIT);
        world_t w = rows[i].world;
        evm_result_t r = { .gas_used = 77 };
        rc_t rc = run(&a, &r, &w, EVM_OSAKA, rows[i].code, "5f54");
        ck_assert_msg(rc == RC_NEED_DATA, "row %zu: %s", i, rc_name(rc));
        ck_assert_uint_eq(r.gas_used, 77);
        arena_free(&a);
    }
}
END_TEST

START_TEST(only_what_execution_needs_is_asked_and_only_once)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    evm_result_t r;
    world_t w = { .missing = SENDER }; /* of the sender nothing is needed */
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA,
                         "5f545f5460015f555f54"
                         "413233"
                         "60773160773b",
                         NULL),
                     RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert_uint_eq(w.slots, 1);
    ck_assert_uint_eq(w.accounts, 2); /* MAIN and 0x77 */
    ck_assert_uint_eq(w.codes, 1);
    ck_assert_uint_eq(w.sender_asked, 0);
    ck_assert_uint_eq(w.coinbase_asked, 0);

    w = (world_t){ .balance = u256_of(5) }; /* with value the sender is */
    evm_tx_t tx = tx_of(100000);
    tx.value = u256_of(5);
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    ck_assert_uint_eq(w.sender_asked, 1);
    tx.value = u256_of(6);
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);

    w = (world_t){ .no_storage = true }; /* a frame that cannot pay does not ask */
    tx = tx_of(21000 + 2 + 2099);
    w.code = code_of(&a, "5f54");
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    ck_assert_uint_eq(w.slots, 0);
    ck_assert_uint_eq(w.hashes, 0);

    w = (world_t){ 0 }; /* only the last 256 blocks: 743 and 1000 are out of reach of block 1000 */
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA,
                         "6102e740"
                         "6103e840"
                         "6102e840",
                         NULL),
                     RC_OK);
    ck_assert_uint_eq(w.hashes, 1);
    arena_free(&a);
}
END_TEST

START_TEST(storage_of_what_the_call_created_is_never_asked)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { .no_storage = true };
    evm_result_t r;
    uint8_t init[] = { 0x5f, 0x54, 0x60, 0x01, 0x5f, 0x55, 0x5f, 0x54, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };
    evm_tx_t tx = tx_of(1000000);
    tx.create = true;
    tx.data = view_of(init, sizeof init); /* SLOAD, SSTORE 1, return the slot as code */
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert(r.created);
    ck_assert_uint_eq(r.output.n, 32);
    ck_assert_uint_eq(r.output.p[31], 1);
    ck_assert_uint_eq(w.slots, 0);
    w.collision = true; /* EIP-7610 looks only at accounts that exist */
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    arena_free(&a);
}
END_TEST

/* Sets slots 0 to 199 to the complement of their number, lets OTHER set them to 1 in the same storage and revert, and
 * counts those that are what they were. */
START_TEST(a_revert_undoes_every_change_of_many)
{
    static const char main_code[] = "5f5b801981556001"
                                    "0160c881106001"
                                    "5750"
                                    "5f5f5f5f" OTHER_ADDR "5af450"
                                    "5f5f5b80548119149091019060010160c8811060"
                                    "2f5750" RETURN_TOP;
    static const char other_code[] = "5f5b600181556001"
                                     "0160c881106001"
                                     "575f5ffd";
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r;
    evm_tx_t tx = tx_of(25000000);
    w.code = code_of(&a, main_code);
    w.other_code = code_of(&a, other_code);
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert_uint_eq(r.output.n, 32);
    ck_assert_uint_eq(load_u64be(r.output.p + 24), 200);
    ck_assert_uint_eq(w.slots, 200); /* each was asked for once */
    arena_free(&a);
}
END_TEST

START_TEST(every_log_of_many_is_there_in_order)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r;
    addr_t self = at(MAIN);
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA,
                         "5f5b805f52" /* i to memory */
                         "8060205fa1" /* with i as topic */
                         "6001016064811060015700",
                         NULL),
                     RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert_uint_eq(r.log_count, 100);
    for (size_t i = 0; i < 100; i++) {
        ck_assert(addr_eq(&r.logs[i].addr, &self));
        ck_assert_uint_eq(r.logs[i].topic_count, 1);
        ck_assert_uint_eq(r.logs[i].topics[0].b[31], i);
        ck_assert_uint_eq(r.logs[i].data.n, 32);
        ck_assert_uint_eq(r.logs[i].data.p[31], i);
    }
    arena_free(&a);
}
END_TEST

START_TEST(deployed_code_has_its_limits)
{
    static const struct {
        uint8_t init[8];
        size_t n;
        evm_halt_t halt;
    } rows[] = {
        { { 0x60, 0xef, 0x5f, 0x53, 0x60, 0x01, 0x5f, 0xf3 }, 8, EVM_HALT_CODE_PREFIX },
        { { 0x61, 0x60, 0x01, 0x5f, 0xf3 }, 5, EVM_HALT_CODE_SIZE }, /* 24577 bytes */
        { { 0x61, 0x60, 0x00, 0x5f, 0xf3 }, 5, EVM_HALT_NONE },
        { { 0xfe }, 1, EVM_HALT_INVALID_OPCODE },
    };
    static const uint8_t long_init[49153];
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    evm_result_t r;
    world_t w = { 0 };
    evm_tx_t tx = tx_of(10000000);
    tx.create = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tx.data = view_of(rows[i].init, rows[i].n);
        ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
        ck_assert_msg(r.halt == rows[i].halt, "row %zu: %s", i, evm_halt_name(r.halt));
        ck_assert_int_eq(r.created, rows[i].halt == EVM_HALT_NONE);
    }
    tx.data = view_of(rows[0].init, rows[0].n);
    ck_assert_int_eq(call(&a, &r, &w, EVM_BERLIN, &tx), RC_OK); /* PUSH0 is not there yet */
    ck_assert_int_eq(r.halt, EVM_HALT_INVALID_OPCODE);
    tx.data = view_of(long_init, sizeof long_init);
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_REFUSED);
    ck_assert_int_eq(call(&a, &r, &w, EVM_PARIS, &tx), RC_OK);
    tx.data = view_of(long_init, sizeof long_init - 1);
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    arena_free(&a);
}
END_TEST

START_TEST(code_to_make_that_begins_with_ef00_is_run_and_halts)
{
    static const char *const makers[] = { "61ef005f526002601e5ff0" RETURN_TOP, "61ef005f525f6002601e5ff5" RETURN_TOP };
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++)
        for (int fork = EVM_SHANGHAI; fork <= EVM_AMSTERDAM; fork++) {
            arena_t a;
            arena_init(&a, ARENA_LIMIT);
            world_t w = { 0 };
            evm_result_t r;
            ck_assert_int_eq(run(&a, &r, &w, (evm_fork_t)fork, makers[i], NULL), RC_OK);
            ck_assert_int_eq(r.status, EVM_SUCCESS);
            ck_assert(r.output.n == 32 && hash32_is_zero((const hash32_t *)(const void *)r.output.p));
            ck_assert_msg(r.gas_used > 800000, "fork %d: %llu", fork,
                          (unsigned long long)r.gas_used); /* all but one 64th, less the account of Amsterdam */
            arena_free(&a);
        }
}
END_TEST

START_TEST(memory_beyond_the_arena_is_out_of_memory)
{
    arena_t a;
    arena_init(&a, (size_t)4 << 20);
    world_t w = { .code = code_of(&a, "5f6303ffffff52") }; /* 64 MiB */
    evm_result_t r = { .gas_used = 77 };
    evm_tx_t tx = tx_of((uint64_t)1 << 50);
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_NOMEM);
    ck_assert_uint_eq(r.gas_used, 77);
    arena_free(&a);
    for (size_t limit = 0; limit < 100000; limit += 5000) { /* wherever it ends */
        arena_init(&a, limit);
        uint8_t code[] = { 0x5f, 0x5f, 0x5f, 0xf0 };
        w = (world_t){ .code = view_of(code, sizeof code) };
        rc_t rc = call(&a, &r, &w, EVM_OSAKA, &tx);
        ck_assert(rc == RC_NOMEM || rc == RC_OK);
        arena_free(&a);
    }
}
END_TEST

START_TEST(keys_chosen_to_collide_cost_no_more_time_than_others)
{
    /* i := 0xe7037ed1a0b428db << 64; for (;;) tstore(++i, i), 100 times between two polls of the deadline */
    uint8_t code[17 + 1 + 100 * 6 + 3] = { 0x6f, 0xe7, 0x03, 0x7e, 0xd1, 0xa0, 0xb4, 0x28, 0xdb };
    static const uint8_t step[6] = { 0x60, 0x01, 0x01, 0x80, 0x80, 0x5d };
    arena_t a;
    arena_init(&a, (size_t)256 << 20);
    evm_result_t r;
    evm_tx_t tx = tx_of(50000000);
    code[17] = 0x5b;
    for (size_t i = 0; i < 100; i++)
        memcpy(code + 18 + 6 * i, step, sizeof step);
    memcpy(code + sizeof code - 3, (uint8_t[]){ 0x60, 0x11, 0x56 }, 3);
    world_t w = { .code = view_of(code, sizeof code) };
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK); /* in a chain of one bucket it would take hours */
    ck_assert_int_eq(r.halt, EVM_HALT_OUT_OF_GAS);
    arena_free(&a);
}
END_TEST

START_TEST(deadline_ends_loops_and_call_chains)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { .expired = true, .code = code_of(&a, "5b5f56") };
    evm_result_t r = { .gas_used = 77 };
    evm_tx_t tx = tx_of((uint64_t)1 << 60);
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_TIMEOUT);
    ck_assert_uint_eq(r.gas_used, 77);
    w.code = code_of(&a, "5f5f5f5f5f305af1505f5f5f5f5f305af1"); /* two calls of itself: 2^1024 frames */
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_TIMEOUT);
    w.code = code_of(&a, "6210000051621000005f2050"); /* memory and one hash: less than VM_POLL_GAS of long work */
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_OK);
    w.code = code_of(&a, "6210000051621000005f2050621000005f2050"); /* two, and still no JUMPDEST */
    ck_assert_int_eq(call(&a, &r, &w, EVM_OSAKA, &tx), RC_TIMEOUT);
    arena_free(&a);
}
END_TEST

/* --- precompiles, delegation --- */

START_TEST(precompile_answers_from_within_and_only_from_its_fork_on)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r = { .gas_used = 77 };
    const char *caller = "5f5f5f5f5f" OTHER_ADDR "5af1", *pairing = "60205f5f5f60085afa5f51" RETURN_TOP;
    uint64_t osaka, prague;
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA, pairing, NULL), RC_OK); /* of no pairs: 1 */
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert_uint_eq(r.output.n, 32);
    ck_assert_uint_eq(r.output.p[31], 1);
    ck_assert_uint_gt(r.gas_used, 45000);
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA, caller, "5f5f5f5f60085afa"), RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert_int_eq(run(&a, &r, &w, EVM_OSAKA, caller, "5f5f5f5f6101005afa"), RC_OK);
    osaka = r.gas_used;
    ck_assert_int_eq(run(&a, &r, &w, EVM_PRAGUE, caller, "5f5f5f5f6101005afa"), RC_OK); /* an ordinary address there */
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    prague = r.gas_used;
    ck_assert_uint_eq(osaka - prague, 6900 - 2500); /* its price, less cold for warm */
    arena_free(&a);
}
END_TEST

/* Byte by byte, as the Yellow Paper defines the valid jump destinations. */
static bool is_dest(const uint8_t *code, size_t n, size_t at)
{
    size_t i = 0;
    while (i < at && i < n)
        i += code[i] >= 0x60 && code[i] <= 0x7f ? code[i] - 0x5fu + 1 : 1;
    return i == at && at < n && code[at] == 0x5b;
}

START_TEST(map_of_jump_destinations_matches_a_walk_through_the_code)
{
    static const uint8_t some[] = { 0x5b, 0x5b, 0x60, 0x61, 0x7f, 0x7e, 0x70, 0x00, 0x80, 0x5f, 0xff, 0x5a, 0x5c };
    uint64_t random = 0x2545f4914f6cdd1d;
    for (size_t n = 0; n < 400; n++) {
        uint8_t *code = malloc(n ? n : 1), *room = malloc(code_room(n));
        evm_code_t c;
        for (size_t i = 0; i < n; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            code[i] = n % 3 ? some[(random >> 33) % sizeof some] : (uint8_t)(0x40 + (random >> 33) % 0x50);
        }
        code_prepare(&c, room, view_of(code, n));
        for (size_t at = 0; at < n + 70; at++)
            ck_assert_msg(code_is_dest(&c, at) == is_dest(code, n, at), "%zu of %zu", at, n);
        free(room);
        free(code);
    }
}
END_TEST

START_TEST(delegated_account_runs_the_code_it_names)
{
    arena_t a;
    arena_init(&a, ARENA_LIMIT);
    world_t w = { 0 };
    evm_result_t r;
    /* MAIN delegates to OTHER, which returns its address: MAIN's */
    ck_assert_int_eq(run(&a, &r, &w, EVM_PRAGUE, "ef010010000000000000000000000000000000000000bb", "30" RETURN_TOP),
                     RC_OK);
    ck_assert_int_eq(r.status, EVM_SUCCESS);
    ck_assert_uint_eq(r.output.p[31], MAIN);
    uint64_t top = r.gas_used;
    ck_assert_uint_eq(top, 21000 + 2 + 2 + 3 + 3 + 3 + 2); /* the delegate costs nothing at the top */
    ck_assert_int_eq(run(&a, &r, &w, EVM_CANCUN, "ef010010000000000000000000000000000000000000bb", "30" RETURN_TOP),
                     RC_OK);
    ck_assert_int_eq(r.halt, EVM_HALT_INVALID_OPCODE);
    /* MAIN calls OTHER, which delegates to nobody: 2600 for each */
    ck_assert_int_eq(run(&a, &r, &w, EVM_PRAGUE, "5f5f5f5f5f" OTHER_ADDR "5af1",
                         "ef0100"
                         "1000000000000000000000000000000000000077"),
                     RC_OK);
    ck_assert_uint_eq(r.gas_used, 21000 + 10 + 3 + 2 + 2600 + 2600);
    arena_free(&a);
}
END_TEST

/* --- a PUSH and what takes its word are run as one --- */

#define PAIR_DEST 0x60u /* a JUMPDEST, and a return of what is on top */

/* Items, the last with its bits turned; PUSH8 of the word without its leading zero bytes, a JUMPDEST in between or not, the instruction. */
static view_t pair_code(arena_t *a, size_t items, uint64_t word, uint8_t op, bool apart)
{
    static const uint8_t tail[] = { 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };
    uint8_t *p = arena_calloc(a, 1, items + 256), bytes[8];
    size_t n = 0, skip = 0;
    for (size_t i = 0; i < items; i++)
        p[n++] = 0x58; /* PC: each is another */
    if (items)
        p[n++] = 0x19; /* NOT */
    store_u64be(bytes, word);
    while (skip < 7 && !bytes[skip])
        skip++;
    p[n++] = (uint8_t)(0x60 + 7 - skip);
    memcpy(p + n, bytes + skip, 8 - skip);
    n += 8 - skip;
    if (apart)
        p[n++] = 0x5b;
    p[n++] = op;
    memcpy(p + n, tail, sizeof tail);
    n += sizeof tail;
    if (n <= PAIR_DEST) {
        p[PAIR_DEST] = 0x5b;
        memcpy(p + PAIR_DEST + 1, tail, sizeof tail);
        n = PAIR_DEST + 1 + sizeof tail;
    }
    return view_of(p, n);
}

static void run_pair(evm_result_t *r, arena_t *a, size_t items, uint64_t word, uint8_t op, bool apart, uint64_t gas)
{
    world_t w = { .code = pair_code(a, items, word, op, apart) };
    evm_tx_t tx = tx_of(21000 + gas + apart);
    ck_assert_int_eq(call(a, r, &w, EVM_OSAKA, &tx), RC_OK);
}

START_TEST(a_push_and_what_takes_its_word_do_as_both_apart)
{
    static const uint8_t ops[] = { 0x01, 0x02, 0x16, 0x1b, 0x1c, 0x51, 0x52, 0x56, 0x57, 0x03, 0x50, /* DUP: */
                                   0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a,
                                   0x8b, 0x8c, 0x8d, 0x8e, 0x8f };
    static const uint64_t words[] = { 0, 1, 0x20, PAIR_DEST, 255, 256, 0xffff, UINT64_MAX };
    static const size_t items[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 1022, 1023, 1024 };
    for (size_t o = 0; o < sizeof ops; o++)
        for (size_t i = 0; i < 8 * sizeof items / sizeof items[0]; i++) {
            const uint64_t word = words[i % 8];
            const size_t have = items[i / 8];
            /* with these each gas is tried that ends the call before its end */
            const bool few = have < 3 && (word == 0x20 || word == PAIR_DEST);
            for (uint64_t gas = few ? 5 : 100000; gas <= 100000; gas = gas < 40 ? gas + 1 : gas + 50000) {
                evm_result_t one, two;
                arena_t a;
                arena_init(&a, ARENA_LIMIT);
                run_pair(&one, &a, have, word, ops[o], false, gas);
                run_pair(&two, &a, have, word, ops[o], true, gas);
                ck_assert_msg(one.status == two.status && one.halt == two.halt, "%02x %zu", ops[o], i);
                ck_assert_uint_eq(one.gas_used + 1, two.gas_used);
                ck_assert(view_eq(one.output, two.output));
                if (one.halt && one.halt != EVM_HALT_OUT_OF_GAS)
                    ck_assert(one.halt_opcode == two.halt_opcode && one.halt_stack == two.halt_stack);
                arena_free(&a);
            }
        }
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "evm", each_class_of_instruction_costs_what_the_specification_says, one_gas_less_than_needed_halts_and_uses_all,
        forks_change_prices_as_their_eips_say, callee_gets_all_but_a_64th,
        refunds_are_at_most_a_fifth_from_london_and_a_half_before, call_data_has_a_floor_from_prague,
        bad_code_halts_with_its_reason_and_uses_all_gas, revert_gives_its_data_back_and_drops_logs_and_storage,
        log_carries_address_topics_and_data, static_frames_cannot_change_state, calls_go_1024_deep_on_a_small_c_stack,
        memories_of_frames_do_not_disturb_each_other, memory_is_zero_where_nothing_was_written_whatever_lay_there,
        memory_that_grows_step_by_step_is_paid_and_zero_as_at_once,
        missing_data_ends_the_call_and_leaves_the_result_alone, only_what_execution_needs_is_asked_and_only_once,
        storage_of_what_the_call_created_is_never_asked, a_revert_undoes_every_change_of_many,
        every_log_of_many_is_there_in_order, deployed_code_has_its_limits,
        code_to_make_that_begins_with_ef00_is_run_and_halts, memory_beyond_the_arena_is_out_of_memory,
        keys_chosen_to_collide_cost_no_more_time_than_others, deadline_ends_loops_and_call_chains,
        precompile_answers_from_within_and_only_from_its_fork_on,
        map_of_jump_destinations_matches_a_walk_through_the_code, delegated_account_runs_the_code_it_names,
        a_push_and_what_takes_its_word_do_as_both_apart);
}
