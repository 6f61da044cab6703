/* gossip.h - where others are: peers tell each other signed peer records, of which each peer can make only its own.
 *
 *     asker       {max}        ->
 *                              <-   {envelopes}, the answerer's own first; both ends end
 *     teller      {envelopes}  ->   both ends end
 *
 * Unasked, a node tells its own record when that is new, and who has no slot for a peer tells it of a few others before
 * it closes. What somebody tells who is not served the protocol is a hint: it is handed on and not kept.
 *
 * A record replaces one of the same peer with a lower sequence number, and lives for GOSSIP_LIFE_MS. Records that have
 * a private address are neither told to who is reached at a public one, nor taken from there.
 *
 * Spec:   libp2p/specs RFC/0003-routing-records.md; overlay-facts 7, 10; overlay-facts-more J, "/kettle/peers/1"
 * Floor:  4, overlay. No socket or clock. All calls on the net's thread. To be served to attested peers only.
 * Tests:  tests/unit/test_gossip.c, tests/fuzz/fuzz_gossip.c
 */
#ifndef OVERLAY_GOSSIP_H
#define OVERLAY_GOSSIP_H

#include "overlay/net/net.h"
#include "overlay/wire/record.h"

#define GOSSIP_NAME "/kettle/peers/1"
#define GOSSIP_MESSAGE_MAX (128u << 10)
#define GOSSIP_RECORDS_MAX 64u   /* in a message */
#define GOSSIP_KEPT_MAX 256u     /* of others; the oldest makes room */
#define GOSSIP_CONNS_MAX 64u     /* that are asked */
#define GOSSIP_TOLD_MAX 8u       /* in a message that was not asked for */
#define GOSSIP_ASK_MS 60000u     /* between two questions on a connection; a fifth more or less by chance */
#define GOSSIP_AGAIN_MS 500u     /* after a partner did not serve us yet; doubles */
#define GOSSIP_ANSWER_MS 30000u  /* who asks again sooner gets an empty answer */
#define GOSSIP_TOLD_MS 2000u     /* who tells again sooner is not listened to */
#define GOSSIP_LIFE_MS 86400000u /* of a record that is not heard again */

typedef struct gossip gossip_t;

typedef struct {
    identity_t who;
    void (*random)(void *ctx, void *out, size_t n);
    /* A record that is new, or newer than what was known, with at least one address. from: who told it, served or not;
     * NULL: gossip_restore. */
    void (*learned)(void *ctx, const record_t *r, net_conn_t *from);
    void *ctx;
} gossip_config_t;

/* RC_NOMEM. */
NODISCARD rc_t gossip_new(gossip_t **out, const gossip_config_t *config);
void gossip_free(gossip_t *g);

/* The protocol, for the configuration of its net. */
void gossip_protocol(gossip_t *g, net_protocol_t *out);

/* Our own addresses, which every partner is told; seq has to grow from one call to the next, also over restarts with
 * the same key. RC_LIMIT: too many; what the identity's sign returned; RC_NOMEM. */
NODISCARD rc_t gossip_announce(gossip_t *g, const maddr_t *addrs, size_t count, uint64_t seq);

/* A connection whose peer is served the protocol, and its end. */
void gossip_opened(gossip_t *g, net_conn_t *c);
void gossip_closed(gossip_t *g, const net_conn_t *c);

/* Tells a peer that is not served of a few others, with numbers of its own side of the Internet; the owner closes the
 * connection soon. False: there is nobody to tell of. */
bool gossip_redirect(gossip_t *g, net_conn_t *c);

/* Takes a record that was kept over a restart, by whomever: it is verified as if a peer told it. As record_open. */
NODISCARD rc_t gossip_restore(gossip_t *g, view_t envelope);

/* Hands over the envelopes of others that are kept. */
void gossip_each(const gossip_t *g, void (*take)(void *ctx, view_t envelope), void *ctx);

/* Grows with each record that is kept or dropped. */
uint64_t gossip_changes(const gossip_t *g);

/* Asks whom it is time to ask, and forgets old records; when the next turn is due. */
uint64_t gossip_turn(gossip_t *g, uint64_t now_ms);

/* Records of others that are kept; of answers, those that did not verify. */
size_t gossip_count(const gossip_t *g);
uint64_t gossip_refused(const gossip_t *g);

/* The envelopes of an answer, without its length; views into it. out and n are written only on RC_OK.
 * RC_MALFORMED; RC_LIMIT: more than GOSSIP_RECORDS_MAX, or one longer than ENVELOPE_MAX. */
NODISCARD rc_t gossip_read(view_t out[GOSSIP_RECORDS_MAX], size_t *n, view_t message);

#endif
