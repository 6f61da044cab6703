/* join_parts.h - what the files of join.h share. Private to them.
 *
 *     join_attest.c connections, jobs, attestation
 *     join_state.c  /kettle/state/1, both ways
 *     join_key.c    /kettle/keyshare/1: asking, giving, founding
 *     join_draft.c  ... and drafts, which go unasked
 *     join_order.c  /kettle/order/1: orders, before anybody is attested
 *     join_spread.c /kettle/flood/1, and what generations say by it
 *
 * Floor:  4, overlay.
 */
#ifndef OVERLAY_JOIN_PARTS_H
#define OVERLAY_JOIN_PARTS_H

#include <stdatomic.h>

#include "overlay/flood_wire.h"
#include "overlay/join.h"
#include "overlay/keyshare.h"

#define JOIN_SPREAD_MAX 64u /* what generations said last */

typedef struct session session_t;

/* A stream of a session, and what came on it and is not used yet. */
typedef struct {
    session_t *session;
    net_stream_t *stream; /* NULL: there is none */
    uint8_t *bytes;
    size_t n, cap;
} lane_t;

/* What a peer may send: so much at once, and then more with time. */
typedef struct {
    unsigned left;
    uint64_t at_ms; /* 0: it has sent nothing yet */
} credit_t;

typedef enum { JOB_QUOTE, JOB_TAKE, JOB_RELEASE, JOB_JUDGE, JOB_GRANT } job_kind_t;

typedef struct {
    join_job_t link; /* first */
    job_kind_t kind;
    session_t *session;
    join_t *join;
    arena_t arena;
    const policy_t *policy;
    int64_t now_s;
    uint64_t now_ms;
    uint8_t report_data[TEE_REPORT_DATA_LEN]; /* JOB_QUOTE */
    uint8_t *bytes;                           /* JOB_TAKE; owned */
    size_t n;
    key_name_t name; /* JOB_RELEASE, JOB_GRANT */
    bool draft;      /* ... of one that is not committed */
    rc_t rc;
    err_t e;
    tee_evidence_t evidence; /* JOB_QUOTE */
    view_t collateral;
    key_grant_t grant; /* JOB_RELEASE, JOB_GRANT */
    join_granted_fn granted;
    void *granted_ctx;
} job_t;

/* A draft that waits to be given. */
typedef struct {
    key_name_t name;
    size_t n;
    uint8_t entry[ENTRY_MAX];
} draft_t;

struct session {
    session_t *next;
    join_t *join;
    net_conn_t *conn; /* NULL: it is over; freed once no job is out */
    unsigned jobs;    /* that are out */
    uint64_t opened_ms, deadline_ms;

    /* attestation */
    mattest_t *m;
    bool busy;        /* a job has the machine */
    bool poke;        /* it is to be turned, though nothing came */
    bool quoting;     /* a quote was asked for */
    bool quoted;      /* ... and made */
    atomic_bool gone; /* nobody waits any more for what slow jobs make */
    bool checked;     /* the HELLO's static key is the connection's */
    bool said_holds;  /* our HELLO said that we hold a key: a hint, on which nothing may depend */
    bool confirmed, attested, rejudge, refused;
    uint64_t leaves_ms; /* the order in force shuts it out, and by then it has been told that order; 0: it stays */
    err_t leaves_for;
    const policy_t *policy; /* by which the exchange was judged */
    uint8_t static_key[33];
    hash32_t platform, measurement;
    int64_t expires_s;
    job_t *quote; /* made, and to be given to the machine once that is free */
    lane_t attest;

    /* orders */
    lane_t ordered; /* what the peer sends */
    bool order_told, order_heard;

    /* state */
    lane_t told, heard; /* our stream, and the peer's */
    uint8_t *message;   /* the peer's newest, which state points into */
    bool has_state;
    state_t state;
    entry_signed_t *first; /* of the state, verified */
    order_id_t order;
    credit_t credit; /* for its states */

    /* key */
    lane_t ask, asked[2]; /* our request; what the peer opened: a request, a draft */
    lane_t *answering;    /* where the peer's request came */
    keyshare_request_t request, peers_request;
    key_ephemeral_t *ephemeral; /* of our request */
    bool releasing;
    uint64_t ask_deadline_ms, again_ms, wait_ms;

    /* drafts */
    draft_t *draft; /* for the peer; NULL: none, or it has gone */
    bool drafting;  /* a job judges whether it may go */
    lane_t gave;
    key_ephemeral_t *draft_key; /* that our state names, for one draft of the peer's; NULL: none, or it was used */

    /* what goes to all */
    bool spreads; /* it is a peer, and the flood knows */
    lane_t flooded, heard_flood;
    credit_t flood_credit, handed_credit; /* of what is its own, and of what it hands on */
    unsigned flood_drops;                 /* frames that were beyond it, since half of it was left */
    hash32_t *owed; /* ids of messages that it is to be sent once there is room, the oldest first; NULL: none yet */
    size_t owed_count;

    err_t trouble;
};

struct join {
    join_config_t config;
    net_protocol_t protocols[JOIN_PROTOCOLS];
    session_t *sessions;
    gen_t *gen;
    flood_t *flood;
    order_signed_t order; /* in force */
    uint8_t *order_bytes; /* with its text; NULL: it is unsigned, and goes to nobody */
    size_t order_n;
    uint64_t head;
    join_keys_t keys; /* as they were told to the owner */
    bool pumping, updating, update_again;
    uint64_t passed_over; /* messages to all that proved nothing */
    struct {
        hash32_t hash;
        uint64_t at_ms; /* 0: free */
    } spread[JOIN_SPREAD_MAX];
    bool wants;
    uint8_t wanted[33];
    join_refusal_t refusals[JOIN_REFUSALS_MAX];
    size_t refusal_count;
    uint64_t now_ms;
};

enum { JOIN_ATTEST, JOIN_STATE, JOIN_KEYSHARE, JOIN_FLOOD, JOIN_ORDER };

/* Ends a session's connection, and notes why; nothing of the session may be used after it but its memory. */
void session_refuse(session_t *s, unsigned code, const err_t *why);

/* Notes what is wrong, for join_members. */
void session_trouble(session_t *s, rc_t rc, const char *text);

/* Tells the owner that something changed. */
void session_changed(session_t *s);

/* Whether it is attested and runs our order; is a PEER, too; and as the owner sees it. */
bool session_same_order(const session_t *s);
bool session_is_peer(const session_t *s);
void session_member(const session_t *s, join_member_t *out);

/* A job of this kind for a session; NULL: no memory, and the session was refused. */
job_t *job_new(session_t *s, job_kind_t kind);
void job_post(job_t *job);

/* Adds what came; gives all of it room again once it is used (lane_use, from the front). RC_LIMIT: more than max. */
NODISCARD rc_t lane_add(lane_t *l, view_t bytes, size_t max);
void lane_use(lane_t *l, size_t n);
void lane_clear(lane_t *l);
/* Resets its stream, if there is one. */
void lane_reset(lane_t *l);

/* Whether n may be taken now, of max at once and one more each each_ms; then they are. */
bool credit_take(credit_t *c, unsigned n, unsigned max, unsigned each_ms, uint64_t now_ms);

/* join_state.c */
void session_tell(session_t *s);
void state_opened(void *ctx, net_stream_t *stream);
void state_data(void *ctx, net_stream_t *stream, view_t bytes);
void state_closed(void *ctx, net_stream_t *stream, rc_t why);
void state_read_held(session_t *s); /* what came before ATTESTED */

/* join_order.c */
void order_tell(session_t *s);               /* once the peer's HELLO is here; again: nothing */
void order_take(session_t *s, view_t bytes); /* to the owner, who judges it, if it is higher than ours */
void order_opened(void *ctx, net_stream_t *stream);
void order_data(void *ctx, net_stream_t *stream, view_t bytes);
void order_closed(void *ctx, net_stream_t *stream, rc_t why);

/* join_key.c */
void key_opened(void *ctx, net_stream_t *stream);
void key_data(void *ctx, net_stream_t *stream, view_t bytes);
void key_closed(void *ctx, net_stream_t *stream, rc_t why);
void key_read_held(session_t *s);
void key_ask_due(join_t *j);
void key_forget(session_t *s); /* a session ends: its request too */
void key_released(session_t *s, const job_t *job);
uint64_t key_next(const session_t *s);
void key_stop_asking(join_t *j); /* once the newest is held */

/* Seals the secrets of a grant for an ephemeral key of the peer, into a share that has all else; writes a share to a
 * stream, and ends it. */
NODISCARD rc_t key_seal(session_t *s, keyshare_t *m, key_grant_t *grant, const uint8_t ephemeral[X25519_LEN]);
NODISCARD rc_t key_write(net_stream_t *stream, const keyshare_t *m);

/* The box of a share that came, opened with own; what the sealing covers is put into buf. RC_NOMEM. */
typedef struct {
    uint8_t info[KEYSHARE_INFO_LEN];
    uint8_t ad[KEYSHARE_MAX];
} box_texts_t;
NODISCARD rc_t key_box(key_box_t *out, session_t *s, box_texts_t *buf, key_ephemeral_t *own, const keyshare_t *m);

/* join_draft.c */
void draft_due(session_t *s, const key_name_t *name, view_t entry);
void draft_try(session_t *s);
void draft_released(session_t *s, const job_t *job);
void draft_take(session_t *s, const keyshare_t *m);
void draft_fill(session_t *s, state_t *out); /* our ephemeral key, for our state */

/* join_spread.c */
void spread_update(join_t *j); /* somebody became a peer, or is none any more */
void spread_pump(join_t *j);   /* carries out what both machines want */
void spread_turn(join_t *j);
void flood_opened(void *ctx, net_stream_t *stream);
void flood_data(void *ctx, net_stream_t *stream, view_t bytes);
void flood_closed(void *ctx, net_stream_t *stream, rc_t why);
void flood_writable(void *ctx, net_stream_t *stream);
void flood_read_held(session_t *s);

/* The session of a connection; NULL: there is none. */
session_t *join_find(const join_t *j, const net_conn_t *c);

#endif
