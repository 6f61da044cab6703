/* statements_work.h - what node/query/statements.c and statements_past.c share: a job, from its request to what
 * is signed.
 *
 * Floor:  5, node/query. Inside of statements.h only.
 * Tests:  tests/unit/test_statements.c
 */
#ifndef NODE_QUERY_STATEMENTS_WORK_H
#define NODE_QUERY_STATEMENTS_WORK_H

#include "lightclient/exec/cache.h"
#include "node/chain/follow.h"
#include "node/chain/held.h"
#include "node/chain/objects.h"
#include "node/query/jobs.h"
#include "node/query/said.h"
#include "rpc/api/overrides.h"
#include "rpc/api/question.h"

typedef struct statements statements_t;

/* Everything borrowed until statements_free. */
typedef struct {
    jobs_t *jobs;
    ex_cache_t *cache; /* may be NULL */
    const evm_chain_t *chain;
    const lc_network_t *network;
    held_t *held;
    statement_signer_t signer;
    const hash32_t *setup;
    view_t setup_text;  /* the cluster statement with that hash */
    objects_t *objects; /* by which heads are shown; NULL: no evidence is given */
    said_t *said;       /* what was signed; with objects */
    unsigned flags;     /* of kept evidence: HS_CORS, HS_SIMULATED */
    const setup_rules_t *rules;
    bool replays; /* queries are answered from a stock (lightclient/exec/stock.h): no hints, one slot at a time */
    setup_by_t default_block;      /* of a request that names none */
    const addr_t *senders;         /* for whom the gateway works; */
    size_t sender_count;           /* 0: for everybody */
    uint64_t (*now_ms)(void *ctx); /* what time it is at least, for what expires; with ready_ctx */
    /* Whether answers may be signed now; fills view, or why not. */
    bool (*ready)(void *ctx, follow_view_t *view, err_t *why);
    void *ready_ctx;
} statements_config_t;

/* A row for each route; STATEMENTS_X answers what stands behind "/v1/x/". */
typedef enum {
    STATEMENTS_CALL,
    STATEMENTS_BLOCK,
    STATEMENTS_ACCOUNT,
    STATEMENTS_STORAGE,
    STATEMENTS_CHECKPOINT,
    STATEMENTS_CCIP_GET,
    STATEMENTS_CCIP_POST,
    STATEMENTS_LOGS,
    STATEMENTS_RECEIPT,
    STATEMENTS_EVIDENCE
} statements_route_t;

/* Codes of an err_t, of what only these routes refuse. */
enum {
    NOT_READY = JOBS_NOT_NOW,
    UNKNOWN_BLOCK,
    UNKNOWN_TRANSACTION,
    SENDER_REFUSED,
    UNKNOWN_CHECKPOINT,
    EVIDENCE_EXPIRED,
    EVIDENCE_FAILED
};

struct statements {
    statements_config_t config;
};

/* What was known when the request came. */
typedef struct {
    held_head_t latest, finalized;
    bool has_finalized;
} known_t;

/* What a job keeps. */
typedef struct work {
    const statements_t *owner;
    statements_route_t route;
    arena_t *arena; /* of the job */
    known_t known;
    question_t question;
    held_head_t head; /* that the question is about; while a block of the past is being proven, that of the proof */
    enum { HELD, PAST, PROVEN } state;
    ex_block_t anchor; /* the block of the head of which blocks of the past are proven to be ancestors */
    ex_logs_t logs;
    view_t result;  /* of logs and of a receipt */
    uint32_t count; /* of logs */
    ex_request_t request;
    ex_overrides_t overrides;
    evm_block_t env; /* of the head, with the block overrides */
    statement_t statement;
    const char *query;     /* of the request, without what asks for evidence */
    hash32_t statement_id; /* of STATEMENTS_EVIDENCE: the digest that was signed */
    struct shown *shown;   /* node/query/statements_shown.h */
} work_t;

/* What is known now, by a view of the follower. */
known_t statements_known(const statements_config_t *k, const follow_view_t *v);

/* Signs what was found, and remembers it: the statement as JSON, in the arena. done: as statements_conclude has it. */
NODISCARD rc_t statements_sign(work_t *w, view_t *body, err_t *e, const query_t *done);

/* The head of a question, and how it is named. */
NODISCARD rc_t statements_find_head(work_t *w, err_t *e);

/* What is to be driven for the question of w, which has its arena, too. *out stays NULL: all is known already. */
NODISCARD rc_t statements_begin(work_t *w, query_t **out, err_t *e);

/* The statement that follows, unsigned, in w. done: what begin made, with its result, or NULL. */
NODISCARD rc_t statements_conclude(work_t *w, err_t *e, const query_t *done);

/* What is to be driven, where the head of the question is known (statements.c). */
NODISCARD rc_t statements_query(work_t *w, query_t **out, err_t *e);

/* The same for a block that has to be proven first, and for logs and receipts. */
NODISCARD rc_t statements_past_query(work_t *w, query_t **out, err_t *e);

/* Whether a question is one of those. */
bool statements_is_past(const work_t *w);

/* Takes the logs that were found; then the head is that of the last block. */
NODISCARD rc_t statements_take_logs(work_t *w, err_t *e, const query_t *done);

/* Nothing may be signed now. Returns the rc. */
rc_t statements_not_now(err_t *e, const char *text);

#endif
