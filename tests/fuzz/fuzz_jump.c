/* jump: where code may be jumped to. The first two bytes are a destination, the rest is code behind a jump to it, which
 * gets gas for nothing after its JUMPDEST. Property: the jump is refused exactly where a plain model says so: a byte is
 * an instruction when an instruction before it ends there. Short code is tried with every destination and some beyond.
 */
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/evm/evm.h"
#include "tests/fuzz/fuzz.h"

#define HEAD 5u /* bytes of PUSH3 destination JUMP */
#define CODE_MAX 0x10100u
#define SHORT 48u  /* bytes of code for which every destination is tried */
#define GAS 21012u /* intrinsic, PUSH3, JUMP, JUMPDEST */

static rc_t account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    *out = (evm_account_t){ .code_hash = KECCAK_EMPTY };
    if (addr->b[19] == 0xaa) {
        out->exists = true;
        keccak256(&out->code_hash, *(const view_t *)ctx);
    }
    return RC_OK;
}

static rc_t storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    (void)ctx, (void)addr, (void)key;
    *out = u256_of(0);
    return RC_OK;
}

static rc_t code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    (void)addr, (void)code_hash;
    *out = *(const view_t *)ctx;
    return RC_OK;
}

static rc_t block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    (void)ctx, (void)number;
    memset(out, 0, sizeof *out);
    return RC_OK;
}

static size_t length_at(view_t bytes, size_t at)
{
    uint8_t op = bytes.p[at];
    return op >= 0x60 && op <= 0x7f ? op - 0x5eu : 1; /* PUSH1 to PUSH32 */
}

/* starts[i]: an instruction starts at byte i. */
static void model(bool *starts, view_t bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        starts[i] = i == 0;
        for (size_t back = 1; back <= 33 && back <= i; back++)
            starts[i] |= starts[i - back] && length_at(bytes, i - back) == back;
    }
}

static bool is_refused(uint8_t *bytes, size_t n, size_t to)
{
    view_t whole = view_of(bytes, n);
    const evm_host_t host = {
        .ctx = &whole, .account = account, .storage = storage, .code = code, .block_hash = block_hash
    };
    const evm_rules_t rules = { .fork = EVM_OSAKA, .blob_max = 6, .blob_base_fee_update_fraction = 3338477 };
    const evm_block_t block = { .number = 1, .gas_limit = GAS, .chain_id = 1 };
    evm_tx_t tx = { .gas = GAS };
    evm_result_t r = { 0 };
    arena_t a;
    tx.to.b[19] = 0xaa;
    bytes[1] = (uint8_t)(to >> 16);
    bytes[2] = (uint8_t)(to >> 8);
    bytes[3] = (uint8_t)to;
    arena_init(&a, (size_t)16 << 20);
    if (evm_call(&r, &a, &host, &rules, &block, &tx) || r.gas_used > GAS)
        abort();
    arena_free(&a);
    return r.status == EVM_HALT && r.halt == EVM_HALT_BAD_JUMP;
}

static void check(uint8_t *bytes, size_t n, const bool *starts, size_t to)
{
    if (is_refused(bytes, n, to) == (to < n && bytes[to] == 0x5b && starts[to]))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t bytes[CODE_MAX];
    static bool starts[CODE_MAX];
    if (len < 2 || len - 2 > CODE_MAX - HEAD)
        return 0;
    size_t n = HEAD + len - 2, to = HEAD + ((size_t)data[0] << 8 | data[1]);
    memset(bytes, 0, HEAD);
    bytes[0] = 0x62; /* PUSH3 */
    bytes[4] = 0x56; /* JUMP */
    memcpy(bytes + HEAD, data + 2, len - 2);
    model(starts, view_of(bytes, n));
    check(bytes, n, starts, to);
    check(bytes, n, starts, to % (2 * n));
    for (size_t i = HEAD; len <= SHORT && i < n + 40; i++)
        check(bytes, n, starts, i);
    return 0;
}
