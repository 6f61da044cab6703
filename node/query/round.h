/* round.h - one step's needs, asked of one endpoint after the other until nothing is left to ask for. A machine:
 * whoever drives it calls round_next, and again when a party of its has landed or round_due_ms has passed
 * (node/query/ask.c).
 *
 *     round_begin -> round_next -> ROUND_WAIT: something is in the air
 *                               -> ROUND_LATER: nothing is, and nothing is to be done before round_due_ms
 *                               -> ROUND_ENDED: round_end tells what came of it
 *
 * While an endpoint takes longer than it usually does, the next one is asked for the same as well: whoever has it first
 * gives it, and the other is left. Not more than one request of twenty is asked twice. A transaction is given to one
 * endpoint at a time: one that is silent for ROUND_SILENCE_MS more is left, and the next one is given it.
 *
 * A proof of more slots than an endpoint gives is asked of it in pieces, and of another one as that one likes it.
 *
 * An access list that the first endpoint is known not to give is asked of one that may, beside the rest, and one that
 * it refuses for now after the rest; that waits for it no longer than it usually takes, and a second. State of an old
 * block is asked first of those that have not refused one as old.
 *
 * What is wrong with a block access list that comes with a header if it can be had costs that list alone: no other
 * endpoint is asked, and this one is blamed only where the list has another hash than its header says.
 *
 * That a thing is unknown is told to the query when ROUND_LACKS_MAX endpoints said so, or nobody else has answered
 * within ROUND_LACK_MAX_MS: one that is behind, or has little history, does not hide what another one has.
 *
 * What was asked for by number (state, of who takes no hashes; a header or receipts whose hash is not known) and is not
 * the block's may be of another branch. So the endpoint is asked for it once more, beside the header that it has at the
 * number of the verified block. If that is another block's, it is late. Else it lies when a proof contradicts itself,
 * whatever its root. Behind one URL there may be several servers on several branches, each of which gets some elements
 * of a batch: the header of one says nothing of what another one gives. So what is wrong in each of a few such answers
 * is unusable, and not asked for again.
 *
 * Who says "too often" or does not know the block yet is asked again within the query's time, others first; nobody is
 * asked before the time that he named. When a whole pass over all has brought nothing for ROUND_VAIN_MAX_MS, that ends.
 *
 * Floor:  5, node/query. One thread at a time.
 * Tests:  tests/unit/test_ask.c, tests/unit/test_ask_shared.c, tests/unit/test_ask_head.c, tests/unit/test_providers.c
 */
#ifndef NODE_QUERY_ROUND_H
#define NODE_QUERY_ROUND_H

#include "base/os/clock.h"
#include "lightclient/exec/query.h"
#include "node/query/flight.h"
#include "node/query/lesson.h"
#include "rpc/upstream/heard.h"

#define ROUND_VAIN_MAX_MS 10000u /* a round in which nothing more is answered, before it is told who gives nothing */
#define ROUND_LACKS_MAX 3u       /* endpoints that are asked for what they do not know */
#define ROUND_LACK_MAX_MS 2000u  /* after the first said so */
#define ROUND_SILENCE_MS 2000u   /* beyond its usual time, that an endpoint may be silent about a transaction */
#define ROUND_VISITS 2u          /* endpoints that are asked side by side */

/* What is wrong with answers: the first fault, unless a later one accuses its sender, or memory was short. */
typedef struct {
    rc_t rc;
    bool passes; /* the same may be answered a little later */
    err_t why;
    char said[HEARD_MAX + 1]; /* the answer that it was found in, as it begins: for the operator alone */
} fault_t;

/* One endpoint while it is asked. */
typedef struct {
    bool open;            /* it has not had its say */
    bool out;             /* the party is in the air, */
    uint64_t patience_ms; /* ... and by now_ms it is time to ask another one as well */
    uint64_t usual_ms;    /* ... and most answers of this one are there */
    size_t endpoint;
    bool *asked;       /* ... for this need: it has had its say */
    bool heard;        /* it answered a batch, if only with errors */
    bool denies;       /* it said of something that it is unknown */
    size_t slots_most; /* of one proof: beyond what the endpoint is known to give, it has refused more on this visit */
    bool doubted;      /* what it gave by number was wrong, and it is asked which block it has there: */
    need_t doubt;      /* ... the header at the oldest such number, */
    need_t branch;     /* ... that it was asked for beside the rest, */
    lesson_branch_t stand; /* ... and what it said to that */
    unsigned doubts;       /* how often it was asked that, */
    bool mute;             /* ... and no more, as what travels with it fails */
    bool own;              /* we asked it for something ourselves, */
    fault_t all, mine;     /* what its answers were, all, and those that are ours to report */
    bool stopped;          /* asking it for more makes no sense */
    bool late;             /* the party left before its answer came */
    uint32_t retry_after_ms;
    party_t party;
    size_t room; /* seats of the party that there is memory for */
} visit_t;

typedef struct {
    query_t *query;
    up_t *upstream;
    flights_t *flights;
    clock_fn now_ms;
    arena_t arena;

    const need_t *needs;
    size_t count;
    hash32_t *keys;
    bool *answered;
    bool **had;         /* of a proof of several slots: which of them were given, in pieces; else NULL */
    bool *lacked;       /* an endpoint said that it is unknown, which may be an answer */
    unsigned lacks;     /* endpoints that have said so of any; who names a place where it cannot be is none of them */
    bool lacking;       /* one did either: */
    uint64_t lacked_ms; /* ... the first by now_ms then */
    bool honest;        /* an endpoint answered, and had not everything */
    rc_t rc;            /* of the last endpoint; RC_OK: nothing is left that another one should be asked for */
    err_t why;

    size_t order[UP_ENDPOINTS_MAX], endpoints, at; /* at: of order, who is visited next */
    unsigned passes;                               /* how often all were asked in vain, */
    uint64_t since_ms;                             /* ... since then: by now_ms, when the last need was answered */
    bool soon, later;                 /* one of them may have it a little later; all are waited for until */
    uint64_t again_ms;                /* ... then, by now_ms */
    bool told_late[UP_ENDPOINTS_MAX]; /* that an endpoint does not know the block yet, once for all passes */
    unsigned sends;                   /* parties that went out */
    visit_t visits[ROUND_VISITS];
    bool not_now;     /* the access list was refused for now */
    uint32_t hinters; /* endpoints that gave one: a bit each */
    bool guided;      /* another one was asked for the access list that the first does not give: */
    visit_t guide;
} round_t;

/* Begins with the needs of the query's last step. landed, owner: of its parties. RC_NOMEM. round_free it in any
 * case. */
NODISCARD rc_t round_begin(round_t *r, query_t *query, up_t *upstream, flights_t *flights, clock_fn now_ms,
                           void (*landed)(party_t *p), void *owner);

/* For whom it asks; borrowed. Before the first round_next, or it asks for the program itself. */
void round_for(round_t *r, hs_client_t *client);

typedef enum { ROUND_WAIT, ROUND_LATER, ROUND_ENDED } round_state_t;

/* Gives the query what has landed, and sends off what is to be asked next, where the endpoints have had their say. */
round_state_t round_next(round_t *r);

/* By now_ms, when round_next is to be called even though nothing has landed; UINT64_MAX: not. */
uint64_t round_due_ms(round_t *r);

/* What came of it. RC_OK: the query can go on; RC_IO: it cannot, e names the last endpoint, by its place in the
 * configuration and with nothing that it said: anybody may read that; RC_NOMEM. */
rc_t round_end(const round_t *r, err_t *e);

/* The query's time is over: takes what has landed, and reports the endpoints that were asked. */
void round_late(round_t *r);

/* Calls back what is in the air, and lets go of all. */
void round_free(round_t *r);

#endif
