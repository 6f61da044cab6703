/* evm.h - the Ethereum virtual machine: one call or transaction over a read-only state view.
 *
 * Spec:   ethereum/execution-specs, Berlin to Amsterdam; EIPs are named where they are implemented
 * Floor:  2, evm. May include base/, rlp/, bls/. No I/O, clock, thread or global state; no C recursion (frames live in
 *         the arena). State changes stay in a journal; the host is only read.
 * Tests:  tests/unit/test_evm.c, tests/fuzz/fuzz_evm.c, vectors kinds evm-ops, precompiles, state, mainnet-calls
 *
 * Usable alone: the library kettle-evm (pkg-config) is this header, what it includes, and base/crypto/hash.h. A caller
 * gives a world (evm_host_t: account, storage, code, block_hash, and two optional functions), the rules of a block, the
 * block, a call, and an arena whose limit bounds the memory: see examples/evm_call.c. Any number of threads may run
 * calls, each with an arena of its own.
 */
#ifndef EVM_EVM_H
#define EVM_EVM_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/rc.h"
#include "base/u256.h"

/* Execution forks, in order; compare with >=. Each has a row in every table by fork (prices, instructions, precompiles,
 * header fields, twins in lightclient/networks.c), or the program does not compile. Under EVM_FORKS and any later
 * value everything here answers RC_UNSUPPORTED. */
typedef enum {
    EVM_BERLIN,
    EVM_LONDON,
    EVM_PARIS,
    EVM_SHANGHAI,
    EVM_CANCUN,
    EVM_PRAGUE,
    EVM_OSAKA,
    EVM_AMSTERDAM,
    EVM_FORKS,
} evm_fork_t;

/* Gas for what makes the state larger (EIP-8037), beside the gas for execution. A transaction's gas above execution_max
 * is a reservoir that only state gas is taken from; where it is empty, state gas is taken from what a frame has for
 * execution. What a reverted change had cost is given back in the opposite order. All prices zero: there is only one
 * kind of gas. */
typedef struct {
    int64_t byte;          /* of deployed code */
    int64_t account;       /* a new account */
    int64_t slot;          /* zero to not zero */
    int64_t delegation;    /* EIP-7702: an account that did not delegate does */
    int64_t execution_max; /* gas of one transaction for execution, intrinsic gas included (EIP-7825) */
    uint64_t tx_gas_max;   /* a transaction's gas limit */
    bool repays;           /* when a call succeeds, what it left in the reservoir repays what its caller's frame and it
                            * had taken from the gas for execution */
} evm_state_gas_t;

/* The present rules of Sepolia (execution-specs tests v21.0.0), and those of the test network glamsterdam-devnet-8. */
extern const evm_state_gas_t EVM_STATE_GAS_SEPOLIA, EVM_STATE_GAS_DEVNET;

/* The rules in force for one block: fork and blob parameters (EIP-7840, EIP-7892). */
typedef struct {
    evm_fork_t fork;
    uint64_t blob_target; /* blobs */
    uint64_t blob_max;    /* blobs */
    uint64_t blob_base_fee_update_fraction;
    const evm_state_gas_t *state_gas; /* from Amsterdam on; NULL: EVM_STATE_GAS_SEPOLIA. EIP-8037 is under review, so
                                       * that a chain may change it by time within the fork. An older fork knows one
                                       * kind of gas, whatever stands here */
} evm_rules_t;

/* A chain's schedule: rows sorted by activation time, the first at time 0. */
typedef struct {
    uint64_t timestamp; /* first block time at which the row holds, seconds */
    evm_rules_t rules;
} evm_schedule_row_t;

typedef struct {
    uint64_t chain_id;
    const evm_schedule_row_t *rows;
    size_t count;
} evm_chain_t;

/* The rules of a block with this timestamp. */
const evm_rules_t *evm_chain_rules(const evm_chain_t *chain, uint64_t timestamp);

/* Mainnet, Sepolia, Hoodi: Paris (or the fork at genesis) through Osaka with its blob-parameter-only forks, and
 * Amsterdam where its time is set. */
extern const evm_chain_t EVM_MAINNET, EVM_SEPOLIA, EVM_HOODI;

typedef struct {
    bool exists; /* false: not in the state trie; the rest is then zero, KECCAK_EMPTY as code_hash */
    uint64_t nonce;
    u256_t balance;
    hash32_t code_hash;
} evm_account_t;

/* Read-only view of the state before the call. Each function answers RC_OK and fills its output, or RC_NEED_DATA after
 * noting what is missing, or RC_NOMEM; any other code ends the call with that code. Missing is never zero. */
typedef struct {
    void *ctx;
    rc_t (*account)(void *ctx, evm_account_t *out, const addr_t *addr);
    rc_t (*storage)(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key);
    /* code: borrowed until the call ends; asked only for code hashes other than KECCAK_EMPTY */
    rc_t (*code)(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash);
    /* block_hash: asked only for the 256 most recent ancestors */
    rc_t (*block_hash)(void *ctx, hash32_t *out, uint64_t number);
    /* expired: asked at least once for each 250,000 gas of work, and within long precompiles (bench deadline); true
     * ends the call with RC_TIMEOUT. May be NULL. */
    bool (*expired)(void *ctx);
    /* storage_empty: whether the account's storage trie is the empty one (EIP-7610 collision check); may be NULL */
    rc_t (*storage_empty)(void *ctx, bool *out, const addr_t *addr);
    uint64_t seed[2]; /* random: a call chooses its keys, and must not be able to choose them so that tables degrade */
    /* precompile: the index (see evm_precompile) of the one that stands at an address, or 0; NULL: where the fork has
     * them. What is warm from the beginning is not changed by it. */
    unsigned (*precompile)(void *ctx, const addr_t *addr);
    /* touched: an instruction names an account, or with a slot one of the account's; also in frames that fail. May be
     * NULL. */
    void (*touched)(void *ctx, const addr_t *addr, const u256_t *slot);
} evm_host_t;

/* Block context of a call. */
typedef struct {
    uint64_t number;
    uint64_t timestamp; /* seconds */
    uint64_t gas_limit;
    addr_t coinbase;
    hash32_t prev_randao;
    u256_t base_fee;
    uint64_t excess_blob_gas;
    uint64_t chain_id;
    uint64_t slot_number; /* EIP-7843 */
    bool has_blob_base_fee;
    u256_t blob_base_fee; /* what BLOBBASEFEE gives in place of what follows from excess_blob_gas */
} evm_block_t;

typedef struct {
    addr_t addr;
    const hash32_t *keys;
    size_t key_count;
} evm_access_t;

typedef struct { /* EIP-7702 authorization, signer already recovered */
    u256_t chain_id;
    addr_t address;
    uint64_t nonce;
    addr_t signer;
    bool signer_valid;
} evm_authorization_t;

typedef struct {
    addr_t from;
    bool create; /* no receiver */
    addr_t to;   /* ignored when create */
    u256_t value;
    view_t data;
    uint64_t gas;            /* gas limit, all included */
    u256_t gas_price;        /* evm_call: what GASPRICE returns; evm_transact: of types 0 and 1 */
    u256_t max_fee;          /* evm_transact only: from type 2 on */
    u256_t max_priority_fee; /* evm_transact only: from type 2 on */
    u256_t max_blob_fee;     /* evm_transact only */
    uint64_t nonce;          /* evm_transact only */
    uint8_t type;            /* EIP-2718 type, 0 to 4 */
    const evm_access_t *access;
    size_t access_count;
    const hash32_t *blob_hashes;
    size_t blob_count;
    const evm_authorization_t *authorizations;
    size_t authorization_count;
} evm_tx_t;

typedef enum { EVM_SUCCESS, EVM_REVERT, EVM_HALT } evm_status_t;

typedef enum {
    EVM_HALT_NONE,
    EVM_HALT_OUT_OF_GAS,
    EVM_HALT_INVALID_OPCODE,
    EVM_HALT_STACK,
    EVM_HALT_BAD_JUMP,
    EVM_HALT_STATIC,
    EVM_HALT_CREATE_COLLISION,
    EVM_HALT_CODE_SIZE,
    EVM_HALT_CODE_PREFIX,
    EVM_HALT_PRECOMPILE,
    EVM_HALT_RETURN_DATA
} evm_halt_t;

typedef struct {
    addr_t addr;
    uint8_t topic_count; /* 0 to 4 */
    hash32_t topics[4];
    view_t data;
    bool traced;    /* no log, but a transfer that evm_simulate shows as one */
    uint32_t order; /* among all of its transaction, those of reverted frames counted too */
} evm_log_t;

typedef struct {
    evm_status_t status;
    evm_halt_t halt;              /* set when status is EVM_HALT */
    uint8_t halt_opcode;          /* the instruction at which the outermost frame halted, */
    uint16_t halt_stack;          /* and the items on its stack */
    uint64_t gas_used;            /* whole transaction: intrinsic, execution, refund, calldata floor */
    uint64_t gas_peak;            /* before the refund, and no less than the floor */
    uint64_t block_execution_gas; /* what the block counts; before Amsterdam gas_used and 0. Else before the refund, */
    uint64_t block_state_gas;     /* by kind (EIP-7778, EIP-8037) */
    view_t output;                /* return or revert data; lives in the arena */
    const evm_log_t *logs;
    size_t log_count;
    uint32_t logged; /* logs so far, those of reverted frames counted too */
    bool created;    /* a contract was created at created_addr; output is its code */
    addr_t created_addr;
} evm_result_t;

/* Short lower-case text of a halt reason, for error messages: "out of gas", ... Static storage. */
const char *evm_halt_name(evm_halt_t halt);

#define EVM_HALT_TEXT_MAX 64u

/* The same of a result, with the instruction and the stack's height where they tell more, in geth's words:
 * "invalid opcode: INVALID", "stack underflow (0 <=> 2)". */
void evm_halt_text(char out[EVM_HALT_TEXT_MAX], const evm_result_t *result);

/* eth_call: no nonce, fee or sender-code check; base fee as given in block (the caller sets it to zero when no gas
 * price was given, as geth does); the value must be covered by the sender's balance (else RC_REFUSED); intrinsic gas
 * above tx->gas is RC_REFUSED. Sender, receiver, coinbase (Shanghai), precompiles and the access list are warm.
 *   out  written only on RC_OK (a revert or a halt is RC_OK with its status)
 *   a    arena of the call; holds the result; its limit bounds memory (RC_NOMEM)
 * RC_NEED_DATA, RC_TIMEOUT, RC_NOMEM as the host says; RC_UNSUPPORTED: the rules are newer than this build. */
NODISCARD rc_t evm_call(evm_result_t *out, arena_t *a, const evm_host_t *host, const evm_rules_t *rules,
                        const evm_block_t *block, const evm_tx_t *tx);

/* What a transaction changed, for post-state roots. */
typedef struct {
    hash32_t key;
    u256_t value;
} evm_slot_t;

typedef struct {
    addr_t addr;
    bool deleted; /* destroyed, or touched and empty: not in the post state */
    evm_account_t account;
    view_t code; /* set when code_changed */
    bool code_changed;
    bool storage_cleared; /* the slots listed replace all of the account's storage */
    const evm_slot_t *slots;
    size_t slot_count;
} evm_change_t;

typedef struct {
    evm_result_t result;
    const evm_change_t *changes;
    size_t change_count;
} evm_receipt_t;

typedef struct {
    uint64_t intrinsic; /* gas due before the first instruction */
    uint64_t floor;     /* least gas used (EIP-7623); 0 where the fork has none */
} evm_tx_gas_t;

/* What must hold of a transaction whatever the block and the state are: type, form, nonce and fees in range, gas limit.
 *   gas  written only on RC_OK
 * RC_REFUSED; RC_UNSUPPORTED: the rules are newer than this build. e says why. */
NODISCARD rc_t evm_tx_check(evm_tx_gas_t *gas, err_t *e, const evm_rules_t *rules, const evm_tx_t *tx);

/* The same without the checks: what is due whether the gas limit covers it or not, for rules whose fork is known. */
void evm_tx_price(evm_tx_gas_t *gas, const evm_rules_t *rules, const evm_tx_t *tx);

/* How much of a transaction's gas limit may be for execution, in a block with these rules, whose fork is known; the
 * rest can only be state gas (EIP-8037). INT64_MAX: all of it. */
uint64_t evm_tx_execution_gas_max(const evm_rules_t *rules);

/* A whole transaction: validity, fees, authorizations, execution, refund, coinbase tip.
 *   out  written only on RC_OK; in the arena
 * RC_REFUSED: the transaction is invalid for the state and block (the state does not change), and e says why.
 * Otherwise as evm_call. */
NODISCARD rc_t evm_transact(evm_receipt_t *out, err_t *e, arena_t *a, const evm_host_t *host, const evm_rules_t *rules,
                            const evm_block_t *block, const evm_tx_t *tx);

typedef struct {
    bool pays; /* the coinbase gets its tip: gas_price is not below the base fee */
    bool
        traces; /* transfers of Ether are shown as logs of 0xee..ee in the form of ERC-20, as eth_simulateV1 has them */
} evm_simulation_t;

/* What a transaction does that needs not be valid: it pays gas_price for all its gas, and its nonce, the sender's code,
 * and the limits of a block and of EIP-7825 are not looked at. A nonce at its maximum becomes zero.
 * RC_REFUSED: gas below intrinsic, init code too long, or the balance covers not the fees and the value. Otherwise as
 * evm_transact. */
NODISCARD rc_t evm_simulate(evm_receipt_t *out, arena_t *a, const evm_host_t *host, const evm_rules_t *rules,
                            const evm_block_t *block, const evm_tx_t *tx, const evm_simulation_t *how);

#define EVM_SYSTEM_CALL_GAS 30000000u /* EIP-4788, EIP-2935, EIP-7002, EIP-7251, EIP-8282 */
#define EVM_SYSTEM_CALL_SLOTS 16u     /* EIP-8037: new slots that state gas is given for */

/* A call from the system address 0xff..fe, as a block makes it before and after its transactions: no fee, no nonce, no
 * intrinsic gas. Where `to` has no code it succeeds and does nothing. As evm_call otherwise. */
NODISCARD rc_t evm_system_call(evm_receipt_t *out, arena_t *a, const evm_host_t *host, const evm_rules_t *rules,
                               const evm_block_t *block, const addr_t *to, view_t data);

/* Runs one precompile alone (vectors, benches).
 *   index  1 to 0x11, or 0x100
 *   out    in the arena, on RC_OK; *gas is its cost
 * RC_REFUSED: the precompile fails (consumes all gas); RC_UNSUPPORTED: not in this fork, or the fork is newer
 * than this build. */
NODISCARD rc_t evm_precompile(view_t *out, uint64_t *gas, arena_t *a, view_t input, evm_fork_t fork, unsigned index);

/* The fee of one unit of blob gas for a block's excess (EIP-4844 fake_exponential). All ones from e^130 wei on;
 * zero where the rules have no blobs. */
u256_t evm_blob_base_fee(const evm_rules_t *rules, uint64_t excess_blob_gas);

#endif
