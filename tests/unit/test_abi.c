/* The ABI of table-driven structs: what viem encodes, in both directions, and nothing near it. */
#include <check.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/hex.h"
#include "rpc/api/abi.h"
#include "rpc/api/statement.h"
#include "tests/unit/unit.h"

/* callStatement(Call call, uint8 rule, uint64 number), as sdk/solidity/examples/KettleReader.sol asks a gateway. */
typedef struct {
    statement_call_t call;
    uint8_t rule;
    uint64_t number;
} args_t;

static const eip712_member_t members[] = {
    { "call", EIP712_STRUCT, offsetof(args_t, call), &STATEMENT_CALL_TYPE, 0 },
    { "rule", EIP712_UINT8, offsetof(args_t, rule), NULL, 0 },
    { "number", EIP712_UINT64, offsetof(args_t, number), NULL, 0 },
};
static const eip712_type_t args_type = { "args", members, 3 };

/* By viem 2: call { from 0x05.., to 0xa0b8.., value 2^255 + 7, gas 123456789, data 0x18160ddd, overrides 0 }, rule 3, number
 * 22168277; without the selector. */
static const char known[] = "0000000000000000000000000000000000000000000000000000000000000060"
                            "0000000000000000000000000000000000000000000000000000000000000003"
                            "00000000000000000000000000000000000000000000000000000000015242d5"
                            "0000000000000000000000000505050505050505050505050505050505050505"
                            "000000000000000000000000a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
                            "8000000000000000000000000000000000000000000000000000000000000007"
                            "00000000000000000000000000000000000000000000000000000000075bcd15"
                            "00000000000000000000000000000000000000000000000000000000000000c0"
                            "0000000000000000000000000000000000000000000000000000000000000000"
                            "0000000000000000000000000000000000000000000000000000000000000004"
                            "18160ddd00000000000000000000000000000000000000000000000000000000";
#define KNOWN_LEN (sizeof known / 2)

static arena_t arena;
static uint8_t bytes[KNOWN_LEN];

static void setup(void)
{
    arena_init(&arena, (size_t)256 << 20);
    ck_assert_int_eq(hex_decode_exact(bytes, KNOWN_LEN, known, 2 * KNOWN_LEN), RC_OK);
}

static void teardown(void)
{
    arena_free(&arena);
}

static rc_t decode(args_t *out, view_t in)
{
    return abi_decode(out, sizeof *out, &arena, &args_type, in);
}

START_TEST(what_viem_encodes_is_read_and_written)
{
    args_t args;
    view_t again;
    ck_assert_int_eq(decode(&args, view_of(bytes, KNOWN_LEN)), RC_OK);
    ck_assert_uint_eq(args.rule, 3);
    ck_assert_uint_eq(args.number, 22168277);
    ck_assert_uint_eq(args.call.gas, 123456789);
    ck_assert_uint_eq(args.call.from.b[19], 5);
    ck_assert_uint_eq(args.call.to.b[0], 0xa0);
    ck_assert_uint_eq(args.call.value.w[0], 7);
    ck_assert_uint_eq(args.call.value.w[3], (uint64_t)1 << 63);
    ck_assert(view_eq(args.call.data, view_of("\x18\x16\x0d\xdd", 4)));
    ck_assert(args.call.data.p == bytes + KNOWN_LEN - 32);
    ck_assert_int_eq(abi_encode(&again, &arena, &args_type, &args), RC_OK);
    ck_assert(view_eq(again, view_of(bytes, KNOWN_LEN)));
}
END_TEST

START_TEST(bytes_of_every_length_come_back)
{
    uint8_t data[70];
    memset(data, 0xab, sizeof data);
    for (size_t n = 0; n <= sizeof data; n++) {
        args_t args = { .call.data = view_of(data, n), .rule = 2 }, back;
        view_t text;
        ck_assert_int_eq(abi_encode(&text, &arena, &args_type, &args), RC_OK);
        ck_assert_uint_eq(text.n, KNOWN_LEN - 32 + (n + 31) / 32 * 32);
        ck_assert_int_eq(decode(&back, text), RC_OK);
        ck_assert(view_eq(back.call.data, args.call.data));
    }
}
END_TEST

/* Cut, longer, or with one bit changed: either it is malformed, or it means something else. */
START_TEST(nothing_else_is_read_as_the_same)
{
    args_t good, args;
    ck_assert_int_eq(decode(&good, view_of(bytes, KNOWN_LEN)), RC_OK);
    for (size_t n = 0; n < KNOWN_LEN; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, bytes, n);
        memset(&args, 0x5a, sizeof args);
        ck_assert_int_eq(decode(&args, view_of(copy, n)), RC_MALFORMED);
        ck_assert_uint_eq(args.rule, 0x5a);
        free(copy);
    }
    for (size_t bit = 0; bit < 8 * KNOWN_LEN; bit++) {
        view_t again;
        uint8_t copy[KNOWN_LEN + 32] = { 0 };
        memcpy(copy, bytes, KNOWN_LEN);
        ck_assert_int_eq(decode(&args, view_of(copy, sizeof copy)), RC_MALFORMED);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (decode(&args, view_of(copy, KNOWN_LEN)))
            continue;
        ck_assert_int_eq(abi_encode(&again, &arena, &args_type, &args), RC_OK);
        ck_assert(view_eq(again, view_of(copy, KNOWN_LEN)));
    }
}
END_TEST

START_TEST(offsets_and_lengths_stay_inside)
{
    static const struct {
        size_t word;
        uint8_t at, value;
    } rows[] = {
        { 0, 0, 0x80 },  { 0, 31, 0x61 }, { 0, 31, 0x80 }, { 0, 23, 1 }, { 7, 0, 0x80 },  { 7, 31, 0xe0 },
        { 7, 31, 0x20 }, { 9, 0, 0x80 },  { 9, 31, 0x21 }, { 9, 31, 3 }, { 9, 24, 0xff }, { 10, 31, 1 },
        { 1, 30, 1 },    { 2, 23, 1 },    { 3, 11, 1 },    { 6, 23, 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        args_t args;
        uint8_t copy[KNOWN_LEN];
        memcpy(copy, bytes, KNOWN_LEN);
        copy[32 * rows[i].word + rows[i].at] = rows[i].value;
        ck_assert_msg(decode(&args, view_of(copy, KNOWN_LEN)) == RC_MALFORMED, "row %zu", i);
    }
}
END_TEST

START_TEST(what_is_too_long_or_has_no_memory_is_an_error)
{
    args_t args = { .call.data = view_of(bytes, ABI_LEN_MAX) }; /* its length is refused before it is looked at */
    view_t out;
    ck_assert_int_eq(abi_encode(&out, &arena, &args_type, &args), RC_LIMIT);
    args.call.data.n = SIZE_MAX - 5;
    ck_assert_int_eq(abi_encode(&out, &arena, &args_type, &args), RC_LIMIT);
    ck_assert_int_eq(decode(&args, view_of(bytes, ABI_LEN_MAX + 1)), RC_LIMIT);
    arena_free(&arena);
    arena_init(&arena, 16);
    args.call.data.n = 0;
    ck_assert_int_eq(abi_encode(&out, &arena, &args_type, &args), RC_NOMEM);
    ck_assert_int_eq(decode(&args, view_of(bytes, KNOWN_LEN)), RC_NOMEM);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("abi", setup, teardown, what_viem_encodes_is_read_and_written,
                           bytes_of_every_length_come_back, nothing_else_is_read_as_the_same,
                           offsets_and_lengths_stay_inside, what_is_too_long_or_has_no_memory_is_an_error);
}
