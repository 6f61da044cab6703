/* jobs.h - requests whose answers cost something: put off, read on the pool, proven by the engine, signed, kept.
 *
 * What was answered before under the same key is given at once, on the event thread. All else is put off
 * (http/server.h); who asks under the same key meanwhile waits for the same answer. When the client of whoever was
 * first may not ask upstreams more, that is told to its requests alone, and the work is done for the next. What a
 * request means, and what its answer says, is the business of its kind.
 *
 * Floor:  5, node/query. Any thread.
 * Tests:  tests/unit/test_calls.c, tests/unit/test_statements.c, tests/e2e (live, roundtrips, load)
 */
#ifndef NODE_QUERY_JOBS_H
#define NODE_QUERY_JOBS_H

#include "http/server.h"
#include "node/query/ask.h"

typedef struct jobs jobs_t;

/* Everything borrowed until jobs_free. */
typedef struct {
    ask_t *ask;
    pool_t *pool;
    unsigned flags; /* of every answer: HS_CORS, HS_SIMULATED */
    /* A number that is another one whenever the key that signs is, or none signs: what was signed before is not
     * answered any more. NULL: it is always the same. */
    uint64_t (*turn)(void *ctx);
    void *turn_ctx;
} jobs_config_t;

/* When a kind of request signs what it answers. */
typedef enum {
    JOBS_SIGN_AT_END, /* in finish */
    JOBS_SIGN_BEFORE, /* before finish, which shows what proves it */
    JOBS_SIGN_NOTHING /* it shows what was signed and given before */
} jobs_sign_t;

/* A kind of request. Its functions run on the pool, one after the other for one job; mine is what jobs_post was given,
 * copied, and the arena lives as long. They may come once more from the beginning, with mine as it was at first. */
typedef struct {
    size_t size; /* bytes of mine, which owns nothing at first */
    jobs_sign_t signs;
    /* Reads the request and makes what is to be driven. *out stays NULL: nothing needs to be asked. */
    rc_t (*begin)(void *mine, query_t **out, err_t *e, arena_t *a, const hs_request_t *request);
    /* Makes the body of the answer, of status 200. done: what begin made, with its result; NULL: it made nothing. */
    rc_t (*finish)(void *mine, view_t *body, err_t *e, arena_t *a, const query_t *done);
    /* Fills r with what either of them, or the engine, failed for. Nothing of that is kept. */
    void (*refuse)(hs_response_t *r, rc_t rc, const err_t *e);
    /* Frees what mine holds, behind the query. NULL: nothing. */
    void (*end)(void *mine);
} jobs_kind_t;

/* NULL: out of memory. */
jobs_t *jobs_new(const jobs_config_t *config);

/* After ask_cancel: waits until every request is answered, and frees. NULL is allowed. */
void jobs_free(jobs_t *j);

/* Another key signs: lets go of all answers that are kept. */
void jobs_forget(jobs_t *j);

/* How many requests were answered with status 200, kept answers included, and how many were not. */
void jobs_counts(jobs_t *j, uint64_t *answered, uint64_t *refused);

/* Of them: who got a kept answer, and who waited for the answer of another's request. */
void jobs_shared(const jobs_t *j, uint64_t *kept, uint64_t *joined);

/* Answers a request in its handler, on an event thread: fills r, or puts the answer off.
 *   key  of everything that the answer depends on */
void jobs_post(jobs_t *j, const hs_request_t *request, hs_response_t *r, const jobs_kind_t *kind, const void *mine,
               const hash32_t *key);

#define JOBS_NOT_NOW 100 /* code of an err_t: the node does not sign now, or no more with the key that has signed */
#define JOBS_NOT_NOW_RETRY_S 2u
#define JOBS_RETRY_S 15u /* after a 429: a quarter of what all may ask in a minute has come back then */

/* The status of HTTP for a failure of a query, of a kind's own function, or of the engine, and the word for it. */
int jobs_status(const char **slug, rc_t rc, const err_t *e);

/* The problem object for it. */
void jobs_problem(hs_response_t *r, rc_t rc, const err_t *e);

#endif
