/* statement.h - signed statements: what a call returned, what a block, an account or a slot is, which checkpoint
 * stands, which logs a range of blocks has, what a method answers, as EIP-712 typed data. Made and signed here, written
 * as JSON, read from it strictly; rpc/api/statement_verify.h says whether one holds.
 *
 *   {"type":"CallStatement","domain":{"name":"Kettle","version":"1","chainId":1},"message":{"at":{...},...},
 *    "signature":"0x...","signer":"0x..."}
 *
 * Of the last two the answer itself stands beside the statement, which has its hash: {"statement":{...},"result":...}.
 *
 * Every value has one spelling: uint64 and uint256 decimal text, smaller numbers and chainId JSON numbers, all else
 * lower-case hex of exactly its length. What sdk/ has in other languages reads and refuses the same.
 *
 * Spec:   api-facts section 12; sdk/README.md, "A statement"
 * Floor:  3, rpc/api. No I/O, clock or thread: signing is a function pointer.
 * Tests:  tests/unit/test_statement.c, tests/fuzz/fuzz_statement.c
 */
#ifndef RPC_API_STATEMENT_H
#define RPC_API_STATEMENT_H

#include "base/arena.h"
#include "base/crypto/ecdsa.h"
#include "base/err.h"
#include "base/u256.h"
#include "lightclient/consensus/forks.h"
#include "rpc/api/eip712.h"

#define STATEMENT_TEXT_MAX (16u << 20)                /* bytes of JSON */
#define STATEMENT_METHOD_MAX 64u                      /* bytes of a method's name */
#define STATEMENT_CHAIN_MAX (((uint64_t)1 << 53) - 1) /* highest chain id: what every JSON reader takes */

typedef enum {
    STATEMENT_CALL,
    STATEMENT_BLOCK,
    STATEMENT_ACCOUNT,
    STATEMENT_STORAGE,
    STATEMENT_CHECKPOINT,
    STATEMENT_LOGS,
    STATEMENT_RPC,
    STATEMENT_KINDS
} statement_kind_t;

enum { STATEMENT_REVERT = 0, STATEMENT_SUCCESS = 1, STATEMENT_HALT = 2 };        /* status */
enum { STATEMENT_OPTIMISTIC = 0, STATEMENT_JUSTIFIED = 1, STATEMENT_FINAL = 2 }; /* finality */

/* Block: the block that a statement is about. */
typedef struct {
    uint64_t number;
    hash32_t hash, state_root;
    uint64_t timestamp; /* Unix seconds */
    uint64_t slot;      /* beacon slot */
    uint8_t finality;
    uint16_t signers; /* members of the sync committee whose aggregate it rests on */
} statement_block_t;

/* Call: what was asked. What a request leaves out is zero or empty. */
typedef struct {
    addr_t from, to;
    u256_t value; /* wei */
    uint64_t gas; /* as asked for */
    view_t data;
    hash32_t overrides; /* zero, or Keccak-256 of the canonical JSON of state and block overrides */
} statement_call_t;

typedef struct {
    statement_kind_t kind;
    uint64_t chain_id;    /* 1 to STATEMENT_CHAIN_MAX */
    statement_block_t at; /* not of a checkpoint */
    union {
        struct {
            statement_call_t asked;
            uint8_t status;
            view_t result; /* of success; the revert's data; empty after a halt */
        } call;
        struct {
            addr_t address;
            uint64_t nonce;
            u256_t balance; /* wei */
            hash32_t code_hash, storage_root;
        } account;
        struct {
            addr_t address;
            hash32_t slot, value;
        } storage;
        struct {
            uint64_t slot;
            hash32_t root, state_root; /* of the beacon block */
        } checkpoint;
        struct {
            uint64_t from_number; /* of the first block; the last one is at */
            hash32_t filter_hash, logs_hash;
            uint32_t count; /* of logs */
            bool complete;  /* true */
        } logs;
        struct {
            view_t method; /* letters, digits and '_' */
            hash32_t params_hash, result_hash;
        } rpc;
    };
    view_t result;        /* of logs and rpc, plain JSON (rpc/api/plain.h); n 0: it does not stand beside */
    size_t result_count;  /* its elements, when it is a list */
    uint64_t issued_at;   /* Unix seconds: slot time of the head on which it rests */
    uint64_t valid_until; /* until when the signature is to be relied upon */
    hash32_t setup;       /* SHA-256 of the cluster statement */
    uint8_t signature[ECDSA_SIG65_LEN];
    addr_t signer;
} statement_t;

/* Call, as a type. */
extern const eip712_type_t STATEMENT_CALL_TYPE;

/* The type of a kind of statement. */
const eip712_type_t *statement_type(statement_kind_t kind);

/* The beacon slot of the block that it is about. */
uint64_t statement_slot(const statement_t *s);

/* Whether the block's time is no later than its slot's, by a network's clock: an old slot beside a later time is of no
 * chain. (From Gloas on the slot that proves a block is a later one than its own.) A checkpoint says no time. */
bool statement_fits_slot(const statement_t *s, const lc_network_t *net);

/* The digest that is signed. */
void statement_digest(hash32_t *out, const statement_t *s);

#define STATEMENT_FIELD_MAX 64u /* bytes of the name of a member, with the NUL */

/* Whether two statements of one kind say different things; field: the name of the first member in which they do,
 * "at.hash". */
bool statement_differs(char field[STATEMENT_FIELD_MAX], const statement_t *x, const statement_t *y);

/* Signs a digest with the cluster's key, and says that key's address. */
typedef struct {
    void *ctx;
    rc_t (*sign65)(void *ctx, uint8_t out[ECDSA_SIG65_LEN], addr_t *by, const hash32_t *digest);
} statement_signer_t;

/* Fills signature and signer. RC_BUG: a chain id that has no form; else what the signer returned. */
NODISCARD rc_t statement_sign(statement_t *s, const statement_signer_t *signer);

/* The JSON of a signed statement, with its result where it has one, compact, in the arena; the same statement gives the
 * same bytes. RC_LIMIT: longer than STATEMENT_TEXT_MAX; RC_NOMEM. */
NODISCARD rc_t statement_write(view_t *out, arena_t *a, const statement_t *s);

/* abi.encode(CallStatement, bytes signature) of a signed call statement, as a CCIP-Read gateway answers. RC_LIMIT,
 * RC_NOMEM. */
NODISCARD rc_t statement_abi(view_t *out, arena_t *a, const statement_t *s);

/* ---- reading and refusing ---- */

/* The code of an err_t: why a statement was refused. */
typedef enum {
    STATEMENT_NO_CODE = 0,
#define REFUSAL(name, word, rc, text) name,
#include "rpc/api/statement_codes.def"
#undef REFUSAL
} statement_code_t;

/* Fills e with a refusal: the code, its rc, the member at fault (may be empty). Returns the rc. */
rc_t statement_refuse(err_t *e, statement_code_t code, const char *field);

/* Whose statements somebody accepts, as text: an address (20 bytes) or a compressed public key (33 bytes), hex with or
 * without 0x. RC_MALFORMED; RC_NOMEM. */
NODISCARD rc_t statement_signer_read(addr_t *out, const char *text, size_t n);

/* "bad-signature", ...; "failed" for another number: out of memory, too long. */
const char *statement_code_word(unsigned code);

/* Reads the JSON of a statement, with the result beside it or without. Its form is right in every member then; neither
 * its signature nor its result's hash was looked at.
 *   out  written only on RC_OK; its bytes are in the arena
 *   e    code and member at fault
 * RC_MALFORMED, RC_REFUSED (another protocol's domain, a signature that has no form), RC_LIMIT: longer than
 * STATEMENT_TEXT_MAX; RC_NOMEM. */
NODISCARD rc_t statement_read(statement_t *out, err_t *e, arena_t *a, view_t text);

#endif
