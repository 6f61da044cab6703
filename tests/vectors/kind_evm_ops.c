/* evm-ops: 256-bit instructions, run as code with evm_call. */
#include <string.h>
#include <strings.h>

#include "lightclient/evm/evm.h"
#include "tests/vectors/vec.h"

static const struct {
    const char *file;
    uint8_t op;
} ops[] = {
    { "add", 0x01 },  { "and", 0x16 }, { "byte", 0x1a }, { "div", 0x04 }, { "eq", 0x14 },      { "exp", 0x0a },
    { "gt", 0x11 },   { "lt", 0x10 },  { "mod", 0x06 },  { "mul", 0x02 }, { "or", 0x17 },      { "sar", 0x1d },
    { "sdiv", 0x05 }, { "sgt", 0x13 }, { "shl", 0x1b },  { "shr", 0x1c }, { "signext", 0x0b }, { "slt", 0x12 },
    { "smod", 0x07 }, { "sub", 0x03 }, { "xor", 0x18 },
};

/* One account that has the code; nothing else is ever asked for. */
static rc_t account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    (void)ctx, (void)addr;
    *out = (evm_account_t){ .exists = true, .code_hash = { { 1 } } };
    return RC_OK;
}

static rc_t code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    (void)addr, (void)code_hash;
    *out = *(view_t *)ctx;
    return RC_OK;
}

/* PUSH32 x, PUSH32 y, op, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN */
static rc_t run(arena_t *a, evm_result_t *out, const uint8_t x[32], const uint8_t y[32], uint8_t op)
{
    static const evm_rules_t rules = { .fork = EVM_OSAKA };
    static const evm_block_t block = { .gas_limit = 1000000 };
    static const uint8_t tail[] = { 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };
    const evm_tx_t tx = { .gas = 100000, .to = { { 9 } } };
    uint8_t bytes[80];
    wr_t w = wr_of(bytes, sizeof bytes);
    wr_u8(&w, 0x7f);
    wr_bytes(&w, x, 32);
    wr_u8(&w, 0x7f);
    wr_bytes(&w, y, 32);
    wr_u8(&w, op);
    wr_bytes(&w, tail, sizeof tail);
    view_t whole = wr_view(&w);
    const evm_host_t host = { .ctx = &whole, .account = account, .code = code };
    return evm_call(out, a, &host, &rules, &block, &tx);
}

static void check(vec_t *v, arena_t *a, const char *file, size_t i, const json_t *test, uint8_t op)
{
    uint8_t x[32], y[32], want[32];
    evm_result_t r;
    char name[64];
    snprintf(name, sizeof name, "%s/%zu", file, i);
    if (!vec_hex_fixed(x, 32, vec_str(test, "X")) || !vec_hex_fixed(y, 32, vec_str(test, "Y")) ||
        !vec_hex_fixed(want, 32, vec_str(test, "Expected"))) {
        vec_fail(v, name, "cannot be read");
        return;
    }
    rc_t rc = run(a, &r, x, y, op);
    if (rc)
        vec_fail(v, name, "%s", rc_name(rc));
    else if (r.status != EVM_SUCCESS || !view_eq(r.output, view_of(want, 32)))
        vec_fail(v, name, "another result");
    else
        vec_pass(v);
}

void vec_kind_evm_ops(vec_t *v)
{
    for (size_t f = 0; f < sizeof ops / sizeof ops[0]; f++) {
        json_t *tests = vec_json(v, "evm-ops/%s.json", ops[f].file);
        for (size_t i = 0; i < json_array_size(tests); i++) {
            arena_t a;
            arena_init(&a, 1u << 20);
            check(v, &a, ops[f].file, i, json_array_get(tests, i), ops[f].op);
            arena_free(&a);
        }
        json_decref(tests);
    }
}
