/* methods.h - the methods of POST /rpc: their table, and what the function of one has at hand.
 *
 *     void api_eth_getBalance(api_call_t *c, const jo_t *args)
 *     {
 *         ex_read_config_t read = { .block = api_block(c, &args[1]) }; // rpc/api/past.h
 *         jo_hex(&args[0], read.addr.b, sizeof read.addr.b, NULL, HEX_0X);
 *         api_read(c, &read, write_balance);
 *     }
 *
 * A function reads its parameters, and then answers from memory by writing to c->out, or gives a query (api_ask)
 * and the function that writes its result. What is wrong with a parameter is found by the reader's fault and need
 * not be looked at. Where a block of the past is asked about, a function is called twice: it does nothing but what
 * stands here.
 *
 * Spec:   ethereum/execution-apis; api-facts sections 1 to 3
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods.c, tests/fuzz/fuzz_rpc.c, tests/e2e (rpc)
 */
#ifndef RPC_API_METHODS_H
#define RPC_API_METHODS_H

#include "base/json.h"
#include "base/tally.h"
#include "lightclient/exec/cache.h"
#include "lightclient/exec/logs.h"
#include "lightclient/exec/query.h"
#include "lightclient/exec/read.h"

#define API_PARAMS_MAX 4u        /* parameters of one method */
#define API_RESULT_MAX 25000000u /* bytes of results in one answer, as geth's default */

/* Codes of JSON-RPC and of execution clients. */
enum {
    API_PARSE_ERROR = -32700,
    API_INVALID_REQUEST = -32600,
    API_NO_METHOD = -32601,
    API_INVALID_PARAMS = -32602,
    API_INTERNAL = -32603, /* libraries ask four times: true faults only */
    API_FAILED = -32000,
    API_NOT_FOUND = -32001,   /* a block access list of a block that has none */
    API_UNAVAILABLE = -32002, /* not ready, timed out, no upstream: shown at once by libraries */
    API_TOO_LARGE = -32003,
    API_LIMIT = -32005, /* libraries ask four times: decided before much is fetched */
    API_CLIENT_LIMIT = -38026,
    API_REVERTED = 3,
    API_NOT_YET = 4, /* EIP-7966: forwarded, and in no block within the time */
    API_PRUNED = 4444
};

#define API_WATCH_ID_LEN 34u /* characters of the longest id of a filter or subscription: 0x and 16 bytes */

typedef enum { API_WATCH_LOGS, API_WATCH_HEADS, API_WATCH_RECEIPTS } api_watch_t;

/* Whose receipt is waited for, for how long, and by which client (NULL: by one that stands for many), behind latest. */
typedef struct {
    const hash32_t *tx_hash;
    uint32_t time_ms;
    const void *client;
    const ex_block_t *latest;
} api_await_t;

/* Who begins a filter or a subscription.
 *   session  of a connection that takes what is pushed; NULL: a filter, which is polled
 *   message  of that session, which asked for it: nothing is pushed before its answer, with the id, is on its way
 *   client   as in api_world_t */
typedef struct {
    void *session;
    const void *message, *client;
} api_asker_t;

/* Filters and subscriptions, which somebody keeps (node/news.h). id is text; session as in api_asker_t. */
typedef struct {
    /* Begins one behind the latest block. criteria: of logs or receipts, as text. RC_LIMIT: there are too many;
     * RC_UNSUPPORTED: logs are not followed; RC_NOMEM, RC_IO. */
    rc_t (*add)(void *ctx, char id[API_WATCH_ID_LEN + 1], err_t *e, const api_asker_t *by, api_watch_t kind,
                view_t criteria, const ex_block_t *latest);
    bool (*remove)(void *ctx, void *session, view_t id);
    /* Writes a filter's changes since it was asked last. RC_REFUSED: there is none of this id; RC_LIMIT: it was asked
     * too late, and is gone; RC_NEED_DATA: nobody gives the blocks that it is to be told; RC_IO. */
    rc_t (*changes)(void *ctx, jw_t *out, err_t *e, view_t id);
    /* The criteria of a filter of logs, in the arena. RC_REFUSED, RC_NOMEM. */
    rc_t (*criteria)(void *ctx, view_t *out, err_t *e, arena_t *a, view_t id);
    /* Writes the logs of a range below the latest block, if all of them are in memory; else false, nothing written. */
    bool (*logs)(void *ctx, jw_t *out, const ex_filter_t *f, uint64_t from, uint64_t to, const ex_block_t *latest);
    /* Begins to wait for the receipt of a transaction that is to come in a block behind the latest one. *wait: to be
     * given back to leave. RC_LIMIT, RC_UNSUPPORTED, RC_NOMEM as add. */
    rc_t (*await)(void *ctx, void **wait, err_t *e, const api_await_t *what);
    /* Whether it has come; out not NULL: writes it. RC_NEED_DATA: not yet; RC_TIMEOUT: nor within its time; RC_IO: it
     * will not, as the chain could not be followed. */
    rc_t (*awaited)(void *ctx, jw_t *out, err_t *e, void *wait);
    void (*leave)(void *ctx, void *take_wait);
} api_events_t;

/* What standing calls give, pushed to a session (node/vigil.h). what: the argument, an object; a fault of it is its
 * own. RC_REFUSED: there is no such call; RC_LIMIT, RC_NOMEM. */
typedef struct {
    rc_t (*watch)(void *ctx, char id[API_WATCH_ID_LEN + 1], err_t *e, const api_asker_t *by, const jo_t *what);
    bool (*unwatch)(void *ctx, void *session, view_t id);
} api_standing_t;

/* What eth_getLogs has cost: blocks whose bloom promised logs and whose receipts were fetched, and those of them that
 * had none. */
typedef struct {
    tally_t positive, in_vain;
} api_tallies_t;

/* What is known when a request comes: copied, and constant until its answer is written. */
typedef struct {
    const evm_chain_t *chain; /* NULL: not known yet, and not_ready says why */
    ex_cache_t *cache;        /* may be NULL */
    uint32_t fork_id;         /* lc_builtin_t; 0: not known; then */
    const hash32_t
        *genesis_hash; /* ... of the execution chain, all of whose forks before Paris begin with it; or NULL */
    const addr_t *deposit_contract; /* EIP-6110; NULL: not known */
    const char *not_ready;          /* why there is no head to answer for; NULL: latest holds */
    ex_block_t latest;              /* verified */
    bool has_finalized;
    /* Verified ancestors of a head that are still held; NULL: none are. */
    void *held_ctx;
    bool (*held_by_number)(void *ctx, ex_block_t *out, const ex_block_t *of, uint64_t number);
    bool (*held_by_hash)(void *ctx, ex_block_t *out, const ex_block_t *of, const hash32_t *hash);
    /* Transactions that this node has forwarded; NULL: nobody counts them (node/query/sent.h). */
    void *sent_ctx;
    void (*sent_note)(void *ctx, const addr_t *sender, uint64_t nonce, uint64_t head);
    uint64_t (*sent_nonce)(void *ctx, const addr_t *sender, uint64_t proven, uint64_t head);
    ex_block_t finalized;       /* verified; also what "safe" means here: nothing younger is known to be */
    api_tallies_t *tallies;     /* NULL: nobody counts */
    const api_events_t *events; /* NULL: nobody keeps filters */
    void *events_ctx;
    const api_standing_t *standing; /* NULL: there are no standing calls */
    void *standing_ctx;
    void *session;       /* NULL: the request came by HTTP; else */
    const void *message; /* ... in this message of it: only compared */
    const void *client;  /* who asks, only to be told apart from others; NULL: somebody who stands for many */
} api_world_t;

typedef struct api_call api_call_t;
typedef void (*api_write_fn)(api_call_t *c, const query_t *done);

enum {
    WANTS_HEAD = 1,  /* a verified head */
    WANTS_STATE = 2, /* proofs, which upstreams are asked for */
    FORWARDS = 4,    /* an endpoint to take what is sent; what it answers is not proven */
    /* Not a want: a result is what it is as long as the head and the finalized block are, whoever asks. */
    STAYS_THE_SAME = 8,
    ACTS = 16 /* Nor this: it changes something, and is not run when its answer would not be given. */
};

typedef struct {
    const char *name;
    void (*begin)(api_call_t *c, const jo_t *args);
    unsigned params_min, params_max, wants, round_trips;
} api_method_t;

/* One call of one method. */
struct api_call {
    const api_world_t *world;
    const api_method_t *method; /* NULL: none is called */
    arena_t *arena;             /* of the whole request */
    jw_t out;                   /* the result is written here */
    int error;                  /* 0: none; else the result does not count */
    view_t message, data;       /* of the error; data.p NULL: it has none */
    view_t details;             /* the same as JSON, in place of data */
    /* Fills them in when the query failed for a limit of this program, or what it waited for; NULL: nothing. */
    void (*explain)(api_call_t *c);
    query_t *query; /* to be driven; NULL: the answer is there */
    api_write_fn write;
    uint32_t wait_ms;     /* for which the query may wait for more than upstreams */
    bool again;           /* query proves a block that is not held; then the function is called again, with */
    const ex_block_t *at; /* ... this block; NULL: none was asked for */
    const void *asked;    /* what write has to know of the request; in the arena */
};

#define METHOD(name, min, max, wants, round_trips) void api_##name(api_call_t *c, const jo_t *args);
#include "rpc/api/methods.def"
#undef METHOD

/* The table. */
extern const api_method_t API_METHODS[];
extern const size_t API_METHOD_COUNT;

/* A row by its name, or NULL. */
const api_method_t *api_method(view_t name);

/* The body of GET /v1/methods: a list of {"name", "parameters": [fewest, most], "bound", "round_trips"}. RC_NOMEM. */
NODISCARD rc_t api_methods_body(view_t *out, arena_t *a);

/* ---- for the functions of methods ---- */

/* Ends the call with an error; the first one counts. Text is copied. */
__attribute__((format(printf, 3, 4))) void api_fail(api_call_t *c, int code, const char *fmt, ...);

#define API_REVERT_TEXT_MAX 900u

/* "execution reverted", with the reason that is in the data if there is one. */
void api_revert_text(char out[API_REVERT_TEXT_MAX], view_t data);

/* Ends the call as one whose code was reverted: code 3, "execution reverted" with its reason, and the data. */
void api_revert(api_call_t *c, view_t data);

/* Has a query driven, whose result write will write. Takes q; rc and e are what its maker said. */
void api_ask(api_call_t *c, rc_t rc, const err_t *e, query_t *take_q, api_write_fn write);

/* The same for reading an account: cache and limits are filled in. Nothing happens when block is NULL. */
void api_read(api_call_t *c, ex_read_config_t *read, api_write_fn write);

#endif
