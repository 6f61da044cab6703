/* query.h - anything that is answered from proven data by asking an untrusted upstream: a machine that runs, says
 * what it lacks, takes answers, and runs again.
 *
 *     query_step -> RC_NEED_DATA: ask for query_needs in ONE batch, query_give each answer, step again
 *                   (it may need nothing, as it waits for what is no upstream's: step again a little later)
 *                -> RC_OK: the result is there (each kind of query has its own function for it)
 *
 * A proof of many slots may be given in pieces (slots_at, slots_len of answer_t), each as good as one of its own.
 *
 * Needs may be left unanswered, as long as those that the query has met (NEED_MET) are answered: the next step asks
 * again for what is still missing, in smaller pieces where an answer failed to come, because one slot that an
 * upstream cannot prove makes it refuse a whole need.
 *
 * A kind of query is a struct that begins with query_t, and a query_ops_t: exec/call.h (eth_call), exec/read.h
 * (account and slots), exec/head.h (a header by its hash). Whoever drives one (node/query/ask.h, or a test's for loop)
 * knows nothing else of it.
 *
 * Floor:  2, exec. No I/O, clock or thread.
 * Tests:  tests/unit/test_call.c, tests/unit/test_read.c
 */
#ifndef EXEC_QUERY_H
#define EXEC_QUERY_H

#include "base/err.h"
#include "lightclient/exec/block.h"
#include "lightclient/exec/header.h"
#include "lightclient/exec/proof.h"
#include "lightclient/exec/request.h"

#define NEED_SLOTS_MAX 1024u    /* slots of one NEED_PROOF; more become several needs */
#define QUERY_OVER_BUDGET 42900 /* code of an err_t: whoever asks has asked too much of upstreams in this minute */
#define QUERY_LATER 42901 /* ... of query_give with RC_NEED_DATA: who does not know it may know it a little later */
#define QUERY_LACKS 42902 /* ... of a need that may_lack, or NEED_SEND: the answer counts as if it were absent */
#define EX_CODE_MAX (128u << 10) /* bytes of one contract's code, as an answer to NEED_CODE */

typedef enum {
    NEED_HINT,       /* eth_createAccessList for the request at the block; a refusal is fine */
    NEED_PROOF,      /* eth_getProof of addr with slots at the block */
    NEED_CODE,       /* eth_getCode of addr at the block; it may turn out to have none */
    NEED_HEADER,     /* header of block `number`, an ancestor, for BLOCKHASH where EIP-2935 does not help */
    NEED_HEAD,       /* header of the block itself, of which only the hash is known; */
    NEED_HEAD_BYTES, /* the same in RLP, in `code` of the answer */
    NEED_CHANGES,    /* its block access list, likewise */
    NEED_SEND,       /* eth_sendRawTransaction of raw; a refusal of it by two endpoints is an answer too */
    NEED_BLOCK,      /* a whole block: by `hash`, or when that is zero by `number`. So NEED_HEADER, too */
    NEED_RECEIPTS,   /* all receipts of a block, named likewise */
    NEED_WHERE       /* which block has the transaction `hash` */
} need_kind_t;

typedef enum {
    NEED_MET,    /* the query needs it, all before it being proven; it stands alone. Without an answer it ends here */
    NEED_NAMED,  /* by a hint, an earlier query or the request's data: most probably needed */
    NEED_GUESSED /* by a run that had gone on with a guess: perhaps needed. Who has no answer to it is not at fault */
} need_origin_t;

/* One thing that a query wants from an upstream. What it points to is the query's, and holds until the next step. */
typedef struct {
    need_kind_t kind;
    need_origin_t origin;
    const ex_block_t *block;     /* the verified block at which it is asked */
    const ex_request_t *request; /* NEED_HINT */
    addr_t addr;                 /* NEED_PROOF, NEED_CODE */
    const hash32_t *slots;       /* NEED_PROOF */
    size_t slot_count;
    uint64_t number; /* NEED_HEADER, NEED_BLOCK, NEED_RECEIPTS */
    hash32_t hash;   /* the same, NEED_WHERE */
    uint64_t gas;    /* NEED_RECEIPTS: that their block used; 0: not known */
    view_t raw;      /* NEED_SEND */
    bool settled;    /* of a block that has long been final: who does not know it will not know it soon */
    bool may_lack;   /* that it is unknown is an answer, too, once more than one upstream was asked */
} need_t;

/* A decoded answer to a need of the same kind: claims, not yet proven. Borrowed for the call of query_give. */
typedef struct {
    need_kind_t kind;
    const evm_access_t *hint; /* NEED_HINT: count 0 is "none" */
    size_t hint_count;
    ex_proof_answer_t proof;
    size_t slots_at, slots_len; /* NEED_PROOF: which of the need's slots; len 0: all */
    view_t code;                /* NEED_CODE, NEED_HEAD_BYTES, NEED_CHANGES */
    ex_header_t header;         /* NEED_HEADER, NEED_HEAD */
    hash32_t hash;              /* NEED_SEND: of the transaction, unless */
    bool refused;               /* it was refused, in the words of code, */
    bool again;                 /* ... and may have been taken before, as another request of this query was sent */
    bool header_more;           /* NEED_HEAD: it came with members that no known block has */
    bool absent;            /* NEED_HEADER, NEED_BLOCK, NEED_RECEIPTS by hash, NEED_WHERE: the upstream knows none; with
                               may_lack: none that was asked does */
    ex_full_block_t block;  /* NEED_BLOCK; hash and rlp_len are not set */
    const view_t *receipts; /* NEED_RECEIPTS: encodings */
    size_t receipt_count;
    uint64_t number; /* NEED_WHERE */
} answer_t;

/* What the answer to a need is held to beside what the need itself says. */
typedef struct {
    hash32_t hash; /* of the code, the header or the access list */
    const ex_header_t
        *header; /* NEED_RECEIPTS: whose receipts they have to be; borrowed until the next step; or NULL */
} expected_t;

typedef struct query query_t;

/* Accounts and slots that access lists named, and how many of them were read. */
typedef struct {
    size_t named, read;
} hinted_t;

typedef struct {
    rc_t (*step)(query_t *q, err_t *e);
    size_t (*needs)(const query_t *q, const need_t **out);
    rc_t (*give)(query_t *q, err_t *e, size_t i, const answer_t *answer);
    void (*free)(query_t *q);
    bool (*expects)(query_t *q, expected_t *out, size_t i); /* NULL: its needs say all */
    void (*hinted)(const query_t *q, hinted_t *io);         /* NULL: nothing of what it was given is counted */
} query_ops_t;

struct query {
    const query_ops_t *ops;
    /* Whether the time that steps may take has passed; the driver sets it. Asked during a step, on the step's
     * thread; NULL: no limit. A step that it ends answers RC_TIMEOUT, and a later one begins anew. */
    bool (*expired)(void *ctx);
    void *expired_ctx;
};

/* Limits the time of the steps: expired answers for all of them together, so a driver that runs them on several threads
 * keeps one ctx for each query, and sets in it what is left before each step. */
static inline void query_limit(query_t *q, bool (*expired)(void *ctx), void *ctx)
{
    q->expired = expired;
    q->expired_ctx = ctx;
}

/* Runs as far as proven data goes. RC_NEED_DATA: see query_needs; RC_OK: done. RC_LIMIT: more rounds or keys than
 * it may have;
 * RC_REFUSED: the request itself is at fault; RC_UNSUPPORTED, RC_TIMEOUT, RC_NOMEM: e says why. */
NODISCARD static inline rc_t query_step(query_t *q, err_t *e)
{
    return q->ops->step(q, e);
}

/* What the last step wants, all to be asked in one batch. Valid until the next step. */
static inline size_t query_needs(const query_t *q, const need_t **out)
{
    return q->ops->needs(q, out);
}

/* Checks and takes the answer to need i of the last step. Anything but RC_OK and RC_NOMEM accuses the upstream, and
 * e says of what; the query is then as before, and the same need may be answered by another upstream. Bytes are
 * copied. */
NODISCARD static inline rc_t query_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    return q->ops->give(q, e, i, answer);
}

/* The piece of a need that an answer is to; slots_at and slots_len are within it. */
static inline need_t need_piece(const need_t *need, const answer_t *answer)
{
    need_t piece = *need;
    if (answer->slots_len) {
        piece.slots += answer->slots_at;
        piece.slot_count = answer->slots_len;
    }
    return piece;
}

/* What an answer to need i of the last step is held to now, for the record of a lie. False: to what the need says. */
static inline bool query_expects(query_t *q, expected_t *out, size_t i)
{
    return q->ops->expects && q->ops->expects(q, out, i);
}

/* Adds what became of the access lists that it was given, when it is done; where that says nothing of them (a call with
 * other state than the block's), nothing. */
static inline void query_hinted(const query_t *q, hinted_t *io)
{
    if (q->ops->hinted)
        q->ops->hinted(q, io);
}

/* NULL is allowed. */
static inline void query_free(query_t *q)
{
    if (q)
        q->ops->free(q);
}

#endif
