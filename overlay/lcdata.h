/* lcdata.h - `/kettle/lc/1`: members give each other light-client data, so that one beacon API is enough for a cluster.
 * What it is, and whether it holds, is the owner's matter: here it is bytes with bounds.
 *
 *     asker       {want}              ->
 *                                     <-   {objects} or {why not}; both ends end
 *
 *     want:    1 { 1 kind, 2 block root (32 bytes), 3 period, 4 count }
 *     answer:  2 object, at most LCDATA_OBJECTS_MAX: fork digest (4 bytes), SSZ;  3 why there is none, or no newer one
 *
 * An answer has as many objects of those that were wanted as fit: who wants more asks again.
 *
 * Spec:   overlay-facts-more J (/kettle/lc/1); field 3 is ours
 * Floor:  4, overlay. No socket or clock. All calls on the net's thread. To be served to attested peers only.
 * Tests:  tests/unit/test_lcdata.c, tests/fuzz/fuzz_lcdata.c
 */
#ifndef OVERLAY_LCDATA_H
#define OVERLAY_LCDATA_H

#include "overlay/net/net.h"

#define LCDATA_NAME "/kettle/lc/1"
#define LCDATA_OBJECT_MAX (32u << 10) /* bytes of an object, fork digest included */
#define LCDATA_OBJECTS_MAX 16u        /* in an answer */
#define LCDATA_COUNT_MAX 128u         /* that may be wanted at once */
#define LCDATA_WHY_MAX 240u           /* bytes */
#define LCDATA_WANT_MAX 80u           /* bytes of a question */
#define LCDATA_ANSWER_MAX (LCDATA_OBJECTS_MAX * (LCDATA_OBJECT_MAX + 8u) + LCDATA_WHY_MAX + 8u)
#define LCDATA_SERVED_MAX 16u /* questions that wait for our answer, */
#define LCDATA_OF_ONE_MAX 4u  /* of one member */
#define LCDATA_ASKED_MAX 8u   /* questions of ours that are open */
#define LCDATA_WAIT_MS 10000u /* for an answer */

typedef struct {
    uint32_t kind;   /* the owner's; below 8 */
    hash32_t root;   /* zeros: not given */
    uint64_t period; /* the first, */
    uint32_t count;  /* and how many; 1 to LCDATA_COUNT_MAX */
} lcdata_want_t;

/* Views are borrowed. */
typedef struct {
    view_t objects[LCDATA_OBJECTS_MAX];
    size_t count;
    view_t why; /* foreign text; n 0: nothing is said */
} lcdata_answer_t;

typedef struct {
    /* A member wants something; lcdata_answer is called with the ticket, at once or later. */
    void (*wanted)(void *ctx, uint64_t ticket, const lcdata_want_t *want);
    /* What we asked for: once for each lcdata_ask. rc other than RC_OK: why there is no answer (RC_MALFORMED, RC_LIMIT,
     * RC_TIMEOUT, RC_UNSUPPORTED: it is not served, RC_REFUSED: the stream or its connection ended, RC_NOMEM). */
    void (*answered)(void *ctx, uint64_t id, rc_t rc, const lcdata_answer_t *answer);
    void *ctx;
} lcdata_config_t;

typedef struct lcdata lcdata_t;

/* RC_NOMEM. */
NODISCARD rc_t lcdata_new(lcdata_t **out, const lcdata_config_t *config);
/* After net_free. NULL allowed. */
void lcdata_free(lcdata_t *d);

/* The protocol, for the configuration of its net. */
void lcdata_protocol(lcdata_t *d, net_protocol_t *out);

/* Asks a member; *id, which is not 0, comes back with answered, not before this returns. RC_LIMIT: too many are open;
 * and what net_open says. */
NODISCARD rc_t lcdata_ask(lcdata_t *d, uint64_t *id, net_conn_t *c, const lcdata_want_t *want);

/* Answers; a ticket whose asker is gone is passed over. Objects that are too long, or too many, are left out. */
void lcdata_answer(lcdata_t *d, uint64_t ticket, const lcdata_answer_t *answer);

/* Deadlines; when the next one is due (UINT64_MAX: none). */
uint64_t lcdata_turn(lcdata_t *d, uint64_t now_ms);

/* --- bytes, without their length --- */

/* Written to w, which goes bad where it is full. */
void lcdata_want_write(wr_t *w, const lcdata_want_t *want);
void lcdata_answer_write(wr_t *w, const lcdata_answer_t *answer);
/* out is written only on RC_OK. RC_MALFORMED, RC_LIMIT. */
NODISCARD rc_t lcdata_want_read(lcdata_want_t *out, view_t message);
NODISCARD rc_t lcdata_answer_read(lcdata_answer_t *out, view_t message);

#endif
