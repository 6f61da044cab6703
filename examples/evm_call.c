/* Runs one call with the EVM alone: kettle-evm and nothing else of this project. The world is one contract, which keeps
 * a number in its storage, adds what it is sent, and returns the sum. Prints the sum.
 *
 *     cc evm_call.c $(pkg-config --cflags --libs kettle-evm) -o evm_call && ./evm_call 35 */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/evm/evm.h"

/* PUSH0 SLOAD, PUSH0 CALLDATALOAD, ADD, PUSH0 MSTORE, PUSH1 32 PUSH0 RETURN */
static const uint8_t code[] = { 0x5f, 0x54, 0x5f, 0x35, 0x01, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };
static const addr_t contract = { { [19] = 0xc0 } };

static rc_t account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    (void)ctx;
    *out = (evm_account_t){ .code_hash = KECCAK_EMPTY };
    if (addr_eq(addr, &contract)) {
        out->exists = true;
        keccak256(&out->code_hash, view_of(code, sizeof code));
    }
    return RC_OK;
}

static rc_t storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    (void)addr, (void)key;
    *out = *(const u256_t *)ctx;
    return RC_OK;
}

static rc_t code_of(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    (void)ctx, (void)addr, (void)code_hash;
    *out = view_of(code, sizeof code);
    return RC_OK;
}

static rc_t block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    (void)ctx, (void)out, (void)number;
    return RC_NEED_DATA; /* this world has no ancestors: the call would end here */
}

int main(int argc, char **argv)
{
    u256_t stored = u256_of(7);
    uint8_t data[32];
    u256_t sent = u256_of(argc > 1 ? strtoull(argv[1], NULL, 10) : 35);
    const evm_host_t host = {
        .ctx = &stored, .account = account, .storage = storage, .code = code_of, .block_hash = block_hash
    };
    const evm_block_t block = { .number = 24000000, .timestamp = 1766000000, .gas_limit = 60000000, .chain_id = 1 };
    evm_tx_t tx = { .to = contract, .gas = 100000 };
    evm_result_t result;
    arena_t arena;

    u256_to_be32(data, &sent);
    tx.data = view_of(data, sizeof data);
    arena_init(&arena, (size_t)64 << 20); /* the most memory that the call may take */
    rc_t rc = evm_call(&result, &arena, &host, evm_chain_rules(&EVM_MAINNET, block.timestamp), &block, &tx);
    if (rc || result.status != EVM_SUCCESS) {
        fprintf(stderr, "evm_call: %s\n", rc ? rc_name(rc) : evm_halt_name(result.halt));
        return 1;
    }
    u256_t sum = u256_from_be(result.output);
    printf("%llu, %llu gas\n", (unsigned long long)sum.w[0], (unsigned long long)result.gas_used);
    arena_free(&arena);
    return 0;
}
