/* join.h - members: connections that are attested before anything else, and on them the cluster's key, asked for and
 * given. A machine over net.h: no socket, clock or thread of its own; what takes long it hands out as jobs.
 *
 *     OPEN -> ATTESTING --(both quotes hold, both CONFIRMs)--> ATTESTED --(its state came, it runs our order)--> PEER
 *
 * Nothing but attestation, and one order, which proves itself, is served on a connection before our CONFIRM has gone:
 * who runs a lower order is sent ours as soon as its HELLO is here, whether or not it can be attested then. What the
 * peer opens at once behind its own CONFIRM is held until that is here; other protocols than state wait for PEER. Each
 * connection is attested by itself: nothing is remembered of a peer.
 *
 * The key of a generation is given only as the answer to a request on this very connection, judged anew at that moment
 * (mattest_release_key), sealed by the keyring to the requester's ephemeral key; unasked only as a draft, from a maker
 * whom the order in force names to a member whom it lists. It is asked of several holders at once; what is taken, held
 * and used is generation.h's to say. Orders go along with states, to whoever runs a lower one; what else proves itself
 * goes to all by flood.h.
 *
 * Spec:   tee-facts 16; overlay-facts 8, 9, 15; overlay-facts-more C3, C4, D9, E4 to E9, E12, F4, F5, J
 * Floor:  4, overlay. All calls on the net's thread, but join_job_run.
 * Tests:  tests/unit/test_join.c, tests/unit/test_rotation.c
 */
#ifndef OVERLAY_JOIN_H
#define OVERLAY_JOIN_H

#include "base/arena.h"
#include "overlay/flood.h"
#include "overlay/generation.h"
#include "overlay/net/net.h"
#include "overlay/state.h"
#include "tee/channel/mattest.h"

#define JOIN_PROTOCOLS 5u
#define JOIN_ATTEST_PROTOCOL "/kettle/attest/1"
#define JOIN_ORDER_PROTOCOL "/kettle/order/1"
#define JOIN_ASK_MAX 3u          /* holders that are asked at once */
#define JOIN_STATE_MS 10000u     /* from ATTESTED to the peer's first state */
#define JOIN_REQUEST_MS 20000u   /* a request for the key */
#define JOIN_LEAVE_MS 1000u      /* from an order that shuts a peer out, which it is told, to the connection's end */
#define JOIN_AGAIN_MS 500u       /* before a holder that gave no key is asked again; doubles, */
#define JOIN_AGAIN_MAX_MS 60000u /* up to that */
#define JOIN_GONE_MAX 64u        /* peers that are gone before our quote for them was made; more have to wait */
#define JOIN_FLOOD_BURST 2048u   /* frames of what goes to all that a peer may send at once, */
#define JOIN_FLOOD_MS 20u        /* and one more each; */
#define JOIN_FLOOD_LIST 64u      /* a list of ids counts as so many */
#define JOIN_FLOOD_DROPS 256u    /* beyond it that are dropped before the connection ends */
#define JOIN_REFUSALS_MAX 16u    /* newest refusals that are kept, one for each peer */

typedef struct join join_t;

/* Work that takes milliseconds (verifying), or seconds (slow: making a quote). Whoever holds it may use next. */
typedef struct join_job {
    struct join_job *next;
    bool slow;
} join_job_t;

typedef enum { JOIN_ATTESTING, JOIN_ATTESTED, JOIN_PEER } join_phase_t;

/* One connection, as far as it has come. Good until control goes back to the net. */
typedef struct {
    net_conn_t *conn;
    join_phase_t phase;
    /* from JOIN_ATTESTED on */
    const uint8_t *static_key; /* 33 bytes */
    hash32_t platform, measurement;
    order_id_t order;     /* that the peer runs */
    int64_t expires_s;    /* when it is to be attested anew */
    const state_t *state; /* NULL: none came yet */
    const entry_t *first; /* of the state: the first generation of its cluster, verified; NULL: none */
    const err_t *trouble; /* what is wrong with it now; rc RC_OK: nothing */
} join_member_t;

/* A connection that came to nothing, or a peer that was shut out later. */
typedef struct {
    peerid_t peer;
    maddr_t addr;
    err_t why;    /* code: of tee/fault.def, if it has one */
    unsigned bye; /* code of net.h with which one of both closed; NET_BYE: neither did, or for another reason */
    uint64_t at_ms;
    unsigned times; /* in a row for the same reason */
} join_refusal_t;

typedef struct {
    uint8_t static_pubkey[33]; /* also the host key of the connections */
    mattest_sign_fn sign;      /* by it */
    void *sign_ctx;
    tee_evidence_type_t type;
    uint64_t chain_id; /* 0, and 32 bytes of its own: an application without a chain */
    hash32_t genesis;
    uint8_t cluster[33];         /* public key of the first generation that we are pinned to; zeros: none */
    const policy_t *policy;      /* of the order in force; replaced by join_set_order, and to be kept until join_free */
    const order_signed_t *order; /* in force at the start; copied, as is its text */
    order_rules_t rules;         /* by which orders and generations are judged; its cluster is filled in here */
    keyring_t *keyring;          /* generations; borrowed, as all pointers here */
    const ecdsa_t *ecdsa;
    rollback_t *memory; /* used inside jobs that are not slow, which then must run one at a time; NULL: none */

    /* Our evidence over report data, and a copy of our newest collateral in the arena (n 0: none). Any thread. */
    rc_t (*evidence)(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN]);
    view_t (*collateral)(void *ctx, arena_t *a);
    int64_t (*now_s)(void *ctx);     /* Unix seconds; any thread */
    uint64_t (*slot_now)(void *ctx); /* which slot it is; NULL: an application without slots */

    /* Takes a job: join_job_run on any thread, then join_job_done on the net's, not before this returns. */
    void (*post)(void *ctx, join_job_t *job);
    void (*random)(void *ctx, void *out, size_t n);
    /* Fills what our state says of the chain: claims and cluster statement. It lives until the next call. */
    void (*tell)(void *ctx, state_t *out);
    void (*changed)(void *ctx); /* something about members: join_members */
    /* The whole order of the peer of a connection, which is higher than ours: join_judge_order, then join_set_order. */
    void (*ordered)(void *ctx, net_conn_t *from, const order_signed_t *order);
    /* What is known of generations has changed: join_keys. */
    void (*keyed)(void *ctx);
    /* A message to all of another kind than those of generations. NULL: they are only handed on. */
    void (*delivered)(void *ctx, const flood_message_t *m);
    /* A generation goes out to a peer now. */
    void (*released)(void *ctx, const join_member_t *to, const key_name_t *name);
    /* A connection is closed with a code of net.h, for this. NULL: nobody wants to know. */
    void (*refused)(void *ctx, net_conn_t *c, unsigned bye, const err_t *why);
    /* May another protocol be served on a PEER's connection? NULL: none. */
    bool (*serves)(void *ctx, net_conn_t *c, const net_protocol_t *p);
    void *ctx;
} join_config_t;

/* A machine without connections. RC_NOMEM. */
NODISCARD rc_t join_new(join_t **out, const join_config_t *config);

/* After net_free, and when no job is out any more. */
void join_free(join_t *j);

/* Its protocols, for net_config_t, whose strings and functions live as long as j. */
const net_protocol_t *join_protocols(const join_t *j, size_t *count);

/* What the owner of the net's events hands on. */
void join_opened(join_t *j, net_conn_t *c);
void join_closed(join_t *j, net_conn_t *c, const err_t *why);
bool join_serves(join_t *j, net_conn_t *c, const net_protocol_t *p);

/* Deadlines; when the next one is due (UINT64_MAX: none). */
uint64_t join_turn(join_t *j, uint64_t now_ms);

/* --- jobs --- */

/* Does the work. Any thread. */
void join_job_run(join_job_t *job);

/* Takes what came of it, and frees it. */
void join_job_done(join_job_t *job);

/* Drops a job that will not run, or whose end nobody waits for. */
void join_job_drop(join_job_t *job);

/* --- the key --- */

/* Draws the key of a first generation into a ring, and puts it into use: for who needs it before join_found. RC_NOMEM,
 * RC_REPLAY: there is one already. */
NODISCARD rc_t join_draw(keyring_t *ring, uint64_t version, void (*fill)(void *ctx, void *out, size_t n), void *ctx);

/* Founds a new cluster: its first generation, drawn now unless the ring holds it, signed by its maker and by itself.
 * setup: hash of the cluster statement. RC_REFUSED: we are pinned to a cluster, or have a generation; RC_NOMEM. */
NODISCARD rc_t join_found(join_t *j, err_t *e, const hash32_t *setup);

/* The key of a cluster whose holders have all died is brought back: gen_restore. RC_REFUSED, RC_REPLAY: a newer
 * generation is known, ours or a member's. */
NODISCARD rc_t join_restore(join_t *j, err_t *e, view_t proof, view_t first, gen_take_fn take, void *take_ctx);

/* Asks holders for the key of this cluster, now and whenever a newer one comes; NULL: asks no more. RC_REFUSED: we are
 * pinned to another. */
NODISCARD rc_t join_want(join_t *j, err_t *e, const uint8_t cluster[33]);

/* Our verified head: may put a generation into use, and is what a new one is counted from. */
void join_head(join_t *j, uint64_t slot);

/* What is known of generations. */
typedef struct {
    bool is_known;       /* a committed one, */
    hash32_t newest;     /* by its G, */
    bool holds;          /* and its secrets are here */
    bool is_in_use;      /* a generation signs: */
    key_name_t in_use;   /* this one, */
    gen_signer_t signer; /* of statements for the present head, */
    uint64_t until;      /* and for slots below this one */
} join_keys_t;
void join_keys(const join_t *j, join_keys_t *out);

/* The newest committed generation that is known, and the first; NULL: none. All of them: gen_committed. */
const entry_proof_t *join_newest(const join_t *j);
const entry_signed_t *join_first(const join_t *j);
const gen_t *join_generations(const join_t *j);

/* --- orders --- */

/* The order in force. */
const order_signed_t *join_order(const join_t *j);

/* That an order is valid, higher than the one in force, and brings its policy: order_may_take. */
NODISCARD rc_t join_judge_order(const join_t *j, err_t *e, const order_signed_t *order);

/* Another order, which is copied, is in force: every peer is told it, judged by its policy, and shut out when it fails
 * (F4). RC_NOMEM: nothing has changed. */
NODISCARD rc_t join_set_order(join_t *j, const order_signed_t *order, const policy_t *policy);

/* Forgets a cluster of which we hold no key, its orders and its generations; this order is in force then. RC_NOMEM:
 * nothing has changed; RC_REFUSED: we hold one. */
NODISCARD rc_t join_leave(join_t *j, const order_signed_t *order, const policy_t *policy);

/* Ends the connections of a peer that this static key is proven against. */
void join_shut_out(join_t *j, const uint8_t key[33], const err_t *why);

/* --- to all --- */

/* Our own message to every member: flood_publish. */
NODISCARD rc_t join_publish(join_t *j, err_t *e, uint32_t kind, view_t payload);

/* --- groups --- */

/* Judges a peer by a group's policy, at this moment, and permits one sealing of the group's secret to it. done is
 * called later, once, unless the connection ends before. grant: NULL: it is not admitted, why.
 *   policy  lives until then
 * RC_REFUSED: no peer; RC_LIMIT: something else is judged now; RC_NOMEM. */
typedef void (*join_granted_fn)(void *ctx, net_conn_t *c, key_grant_t *grant, const err_t *why);
NODISCARD rc_t join_grant(join_t *j, net_conn_t *c, const policy_t *policy, const key_name_t *name,
                          join_granted_fn done, void *ctx);

/* EX of a peer's connection, with which shares on it are sealed; NULL: it is no peer. */
const uint8_t *join_channel(const join_t *j, const net_conn_t *c);

/* --- members --- */

/* Tells every member our state anew. */
void join_tell(join_t *j);

/* The connections that there are, at most cap of them; their number. */
size_t join_members(const join_t *j, join_member_t *out, size_t cap);

/* How far a connection has come; one that was never opened here: JOIN_ATTESTING. */
join_phase_t join_phase(const join_t *j, const net_conn_t *c);

/* The newest refusals, newest first; their number. */
size_t join_refusals(const join_t *j, join_refusal_t out[JOIN_REFUSALS_MAX]);

#endif
