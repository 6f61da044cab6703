/* eth_node.c - methods about the node and its chain, answered from memory. */
#include "lightclient/evm/precompile.h"
#include "lightclient/exec/block.h"
#include "rpc/api/methods.h"

void api_web3_clientVersion(api_call_t *c, const jo_t *args)
{
    (void)args;
    jw_str(&c->out, NULL, "Kettle/v" KETTLE_VERSION);
}

void api_net_version(api_call_t *c, const jo_t *args)
{
    (void)args;
    jw_decimal(&c->out, NULL, c->world->chain->chain_id);
}

void api_net_listening(api_call_t *c, const jo_t *args)
{
    (void)args;
    jw_bool(&c->out, NULL, true);
}

/* It holds no keys of users. */
void api_eth_accounts(api_call_t *c, const jo_t *args)
{
    (void)args;
    jw_array(&c->out, NULL);
    jw_end(&c->out);
}

void api_eth_coinbase(api_call_t *c, const jo_t *args)
{
    static const addr_t nobody;
    (void)args;
    jw_hex(&c->out, NULL, view_of(nobody.b, sizeof nobody.b));
}

/* While it is, every method says why it cannot answer. */
void api_eth_syncing(api_call_t *c, const jo_t *args)
{
    (void)args;
    jw_bool(&c->out, NULL, false);
}

void api_eth_baseFee(api_call_t *c, const jo_t *args)
{
    const ex_block_t *b = &c->world->latest;
    const u256_t fee = ex_base_fee_after(&b->env.base_fee, b->env.gas_limit, b->gas_used);
    (void)args;
    jw_quantity256(&c->out, NULL, &fee);
}

void api_eth_blobBaseFee(api_call_t *c, const jo_t *args)
{
    const evm_block_t *b = &c->world->latest.env;
    const u256_t fee = evm_blob_base_fee(evm_chain_rules(c->world->chain, b->timestamp), b->excess_blob_gas);
    (void)args;
    jw_quantity256(&c->out, NULL, &fee);
}

/* ---- eth_config, EIP-7910 ---- */

/* In the order of their names. */
static const struct {
    const char *name;
    uint8_t address[2];
} precompiles[] = {
    { "BLAKE2F", { 0, 0x09 } },
    { "BLS12_G1ADD", { 0, 0x0b } },
    { "BLS12_G1MSM", { 0, 0x0c } },
    { "BLS12_G2ADD", { 0, 0x0d } },
    { "BLS12_G2MSM", { 0, 0x0e } },
    { "BLS12_MAP_FP2_TO_G2", { 0, 0x11 } },
    { "BLS12_MAP_FP_TO_G1", { 0, 0x10 } },
    { "BLS12_PAIRING_CHECK", { 0, 0x0f } },
    { "BN254_ADD", { 0, 0x06 } },
    { "BN254_MUL", { 0, 0x07 } },
    { "BN254_PAIRING", { 0, 0x08 } },
    { "ECREC", { 0, 0x01 } },
    { "ID", { 0, 0x04 } },
    { "KZG_POINT_EVALUATION", { 0, 0x0a } },
    { "MODEXP", { 0, 0x05 } },
    { "P256VERIFY", { 1, 0x00 } },
    { "RIPEMD160", { 0, 0x03 } },
    { "SHA256", { 0, 0x02 } },
};

/* The same; the deposit contract is each chain's own. */
static const struct {
    const char *name;
    evm_fork_t since;
    const char *address; /* NULL: the deposit contract */
} contracts[] = {
    { "BEACON_ROOTS_ADDRESS", EVM_CANCUN, "0x000f3df6d732807ef1319fb7b8bb8522d0beac02" },
    { "BUILDER_DEPOSIT_CONTRACT_ADDRESS", EVM_AMSTERDAM, "0x0000bff46984e3725691fa540a8c7589300d8282" },
    { "BUILDER_EXIT_CONTRACT_ADDRESS", EVM_AMSTERDAM, "0x000064d678505ad48f8ccb093bc65613800e8282" },
    { "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS", EVM_PRAGUE, "0x0000bbddc7ce488642fb579f8b00f3a590007251" },
    { "DEPOSIT_CONTRACT_ADDRESS", EVM_PRAGUE, NULL },
    { "HISTORY_STORAGE_ADDRESS", EVM_PRAGUE, "0x0000f90827f1c53a10cb7a02335b175320002935" },
    { "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", EVM_PRAGUE, "0x00000961ef480eb55e80d19ad83579a64c007002" },
};

static uint32_t crc32_of(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* EIP-2124, EIP-6122: the checksum of the genesis block and all forks up to a row. The merge and what was before it are
 * in the world's. */
static uint32_t fork_id(const api_world_t *w, size_t row)
{
    uint32_t id = w->fork_id ? w->fork_id : crc32_of(0, w->genesis_hash->b, sizeof w->genesis_hash->b);
    for (size_t i = 1; i <= row; i++) {
        uint8_t time[8];
        if (w->chain->rows[i].rules.fork <= EVM_PARIS)
            continue;
        store_u64be(time, w->chain->rows[i].timestamp);
        id = crc32_of(id, time, sizeof time);
    }
    return id;
}

static void put_precompiles(jw_t *w, evm_fork_t fork)
{
    jw_object(w, "precompiles");
    for (size_t i = 0; i < sizeof precompiles / sizeof precompiles[0]; i++) {
        addr_t at = { { 0 } };
        memcpy(at.b + 18, precompiles[i].address, 2);
        if (precompile_at(&at, fork))
            jw_hex(w, precompiles[i].name, view_of(at.b, sizeof at.b));
    }
    jw_end(w);
}

static void put_contracts(jw_t *w, const api_world_t *world, evm_fork_t fork)
{
    jw_object(w, "systemContracts");
    for (size_t i = 0; i < sizeof contracts / sizeof contracts[0]; i++)
        if (fork >= contracts[i].since && contracts[i].address)
            jw_str(w, contracts[i].name, contracts[i].address);
        else if (fork >= contracts[i].since)
            jw_hex(w, contracts[i].name, view_of(world->deposit_contract->b, sizeof world->deposit_contract->b));
    jw_end(w);
}

static void put_blobs(jw_t *w, const evm_rules_t *rules)
{
    if (!rules->blob_max) {
        jw_null(w, "blobSchedule");
        return;
    }
    jw_object(w, "blobSchedule");
    jw_u64(w, "target", rules->blob_target);
    jw_u64(w, "max", rules->blob_max);
    jw_u64(w, "baseFeeUpdateFraction", rules->blob_base_fee_update_fraction);
    jw_end(w);
}

/* The rules of a row, or null when the chain has none there. */
static void put_config(jw_t *w, const char *key, const api_world_t *world, size_t row)
{
    const evm_chain_t *chain = world->chain;
    uint8_t id[8];
    if (row >= chain->count) {
        jw_null(w, key);
        return;
    }
    const evm_rules_t *rules = &chain->rows[row].rules;
    store_u64be(id, fork_id(world, row));
    jw_object(w, key);
    jw_u64(w, "activationTime", chain->rows[row].timestamp);
    put_blobs(w, rules);
    jw_quantity(w, "chainId", chain->chain_id);
    jw_hex(w, "forkId", view_of(id + 4, 4));
    put_precompiles(w, rules->fork);
    put_contracts(w, world, rules->fork);
    jw_end(w);
}

void api_eth_config(api_call_t *c, const jo_t *args)
{
    const api_world_t *w = c->world;
    const evm_chain_t *chain = w->chain;
    const evm_rules_t *now = evm_chain_rules(chain, w->latest.env.timestamp);
    size_t row = 0;
    (void)args;
    if ((!w->fork_id && !w->genesis_hash) || !w->deposit_contract) {
        api_fail(c, API_FAILED, "the genesis block of this network is not known");
        return;
    }
    while (&chain->rows[row].rules != now)
        row++;
    jw_object(&c->out, NULL);
    put_config(&c->out, "current", w, row);
    put_config(&c->out, "next", w, row + 1);
    put_config(&c->out, "last", w, row + 1 < chain->count ? chain->count - 1 : chain->count);
    jw_end(&c->out);
}

/* ---- eth_capabilities ---- */

#define STATES_HELD 128u /* heads whose state is asked for as it is; full nodes keep as many */
#define WINDOW 8191u     /* blocks that the history contract knows (EIP-2935) */

/* A kind of data is served when the method that serves it is, from so many blocks below the head on: older ones only
 * where a provider proves old states. */
static const struct {
    const char *kind, *method;
    uint64_t depth;
} capabilities[] = {
    { "state", "eth_getBalance", STATES_HELD - 1 },
    { "tx", "eth_getTransactionByHash", WINDOW },
    { "logs", "eth_getLogs", WINDOW },
    { "receipts", "eth_getTransactionReceipt", WINDOW },
    { "blocks", "eth_getBlockByNumber", WINDOW },
    { "stateproofs", "eth_getProof", STATES_HELD - 1 },
};

void api_eth_capabilities(api_call_t *c, const jo_t *args)
{
    const api_world_t *w = c->world;
    const uint64_t head = w->latest.env.number;
    jw_t *o = &c->out;
    (void)args;
    jw_object(o, NULL);
    jw_object(o, "head");
    jw_quantity(o, "number", w->latest.env.number);
    jw_hex(o, "hash", view_of(w->latest.block_hash.b, sizeof w->latest.block_hash.b));
    jw_end(o);
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        const bool served = api_method(view_str(capabilities[i].method)) != NULL;
        jw_object(o, capabilities[i].kind);
        jw_bool(o, "disabled", !served);
        if (served)
            jw_quantity(o, "oldestBlock", head > capabilities[i].depth ? head - capabilities[i].depth : 0);
        jw_end(o);
    }
    jw_end(o);
}
