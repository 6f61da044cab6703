/* grounds.h - the evidence of a signed statement as a file: everything from which the statement follows, for whoever
 * does not want to trust the machine that signed it. Written and read here; node/query/retrace.h says whether it holds.
 *
 *   {"kettle":"evidence/1","id":"0x...","setup":{...},"request":null,"answer":{...},
 *    "consensus":{"bootstrap":"0x...","updates":["0x...",...],
 *                 "head":{"kind":"optimistic","header":"attested","object":"0x..."},"finality":null},
 *    "headers":["0x...",...],"blocks":["0x...",...],"receipts":[["0x...",...],...],
 *    "witness":{"state":["0x...",...],"codes":["0x...",...]}}
 *
 * id is the digest that was signed, setup the cluster statement, answer what the route answered: the statement, and
 * with it the result where one stands beside it. request is what the statement names by a hash alone: the overrides of
 * a call, the criteria of a filter, the parameters of a method. Objects of the light client are a fork digest and SSZ,
 * headers, blocks and trie nodes RLP, receipts as their trie has them; each list is in one order and has nothing twice,
 * which the readers of its elements check (lightclient/exec/stock.h).
 *
 * Spec:   api-facts section 13; docs/evidence.md
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_grounds.c, tests/fuzz/fuzz_grounds.c
 */
#ifndef RPC_API_GROUNDS_H
#define RPC_API_GROUNDS_H

#include "lightclient/consensus/types.h"
#include "lightclient/exec/stock.h"
#include "rpc/api/statement.h"

#define GROUNDS_TEXT_MAX (32u << 20)                 /* bytes of a file */
#define GROUNDS_OBJECT_MAX (LC_OBJECT_LEN_MAX + 4u)  /* bytes of an object of the light client, digest included */
#define GROUNDS_UPDATES_MAX 64u                      /* updates of periods */
#define GROUNDS_LIST_MAX 100000u                     /* elements of another list */
#define GROUNDS_BYTES_MAX ((size_t)EX_BLOCK_RLP_MAX) /* bytes of an element */

typedef struct {
    const view_t *at;
    size_t count;
} grounds_list_t;

typedef struct {
    hash32_t id;
    view_t setup;   /* text */
    view_t request; /* canonical JSON; n 0: none */
    statement_t statement;
    view_t answer; /* its text, for grounds_write */
    struct {
        view_t bootstrap; /* n 0: none */
        grounds_list_t updates;
        lc_kind_t kind; /* of the head's object: not LC_BOOTSTRAP */
        view_t head;
        bool finalized;  /* the head is its finalized header, not its attested one */
        view_t finality; /* n 0: none */
    } consensus;
    grounds_list_t headers, blocks, nodes, codes;
    const ex_stock_receipts_t *receipts;
    size_t receipt_count;
} grounds_t;

/* ---- refusing ---- */

/* In the order in which they are judged. */
typedef enum {
    GROUNDS_FILE,
    GROUNDS_CONSENSUS,
    GROUNDS_HEAD,
    GROUNDS_HEADERS,
    GROUNDS_STATE,
    GROUNDS_EXECUTION,
    GROUNDS_STATEMENT,
    GROUNDS_SIGNATURE,
    GROUNDS_STEPS
} grounds_step_t;

/* The code of an err_t. */
typedef enum {
    GROUNDS_NO_CODE = 0,
#define GROUND(name, word, step, rc, text) name,
#include "rpc/api/grounds_codes.def"
#undef GROUND
    GROUNDS_CODES
} grounds_code_t;

/* "consensus", ... */
const char *grounds_step_name(grounds_step_t step);

/* "missing-node", ...; "failed" for another number: out of memory. */
const char *grounds_code_word(unsigned code);

/* The step at which a code fails. */
grounds_step_t grounds_code_step(unsigned code);

/* Fills e with a refusal: the code, its rc, the element at fault (may be empty), and why, if that is known. Returns the
 * rc. */
rc_t grounds_refuse(err_t *e, grounds_code_t code, const char *field, const char *why);

/* ---- the file ---- */

/* Reads one. Its form is right in every member then; nothing in it was judged.
 *   out  written only on RC_OK; its bytes are in the arena
 *   e    code, and member at fault
 * RC_MALFORMED, RC_LIMIT, RC_REFUSED (of the statement in it), RC_NOMEM. */
NODISCARD rc_t grounds_read(grounds_t *out, err_t *e, arena_t *a, view_t text);

/* Writes one, compact, into the arena; answer stands in it as it is. RC_LIMIT: longer than GROUNDS_TEXT_MAX;
 * RC_NOMEM. */
NODISCARD rc_t grounds_write(view_t *out, arena_t *a, const grounds_t *g);

#endif
