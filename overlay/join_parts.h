/* join_parts.h - what the files of join.h share. Private to them.
 *
 *     join_attest.c connections, jobs, attestation
 *     join_state.c  /kettle/state/1, both ways
 *     join_key.c    /kettle/keyshare/1: asking, giving, founding
 *
 * Floor:  4, overlay.
 */
#ifndef OVERLAY_JOIN_PARTS_H
#define OVERLAY_JOIN_PARTS_H

#include "overlay/join.h"
#include "overlay/keyshare.h"

typedef struct session session_t;

/* A stream of a session, and what came on it and is not used yet. */
typedef struct {
    session_t *session;
    net_stream_t *stream; /* NULL: there is none */
    uint8_t *bytes;
    size_t n, cap;
} lane_t;

typedef enum { JOB_QUOTE, JOB_TAKE, JOB_RELEASE, JOB_JUDGE } job_kind_t;

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
    key_name_t name; /* JOB_RELEASE */
    rc_t rc;
    err_t e;
    tee_evidence_t evidence; /* JOB_QUOTE */
    view_t collateral;
    key_grant_t grant; /* JOB_RELEASE */
} job_t;

struct session {
    session_t *next;
    join_t *join;
    net_conn_t *conn; /* NULL: it is over; freed once no job is out */
    unsigned jobs;    /* that are out */
    uint64_t opened_ms, deadline_ms;

    /* attestation */
    mattest_t *m;
    bool busy;    /* a job has the machine */
    bool poke;    /* it is to be turned, though nothing came */
    bool quoting; /* a quote was asked for */
    bool checked; /* the HELLO's static key is the connection's */
    bool confirmed, attested, rejudge, refused;
    const policy_t *policy; /* by which the exchange was judged */
    uint8_t static_key[33];
    hash32_t platform;
    int64_t expires_s;
    job_t *quote; /* made, and to be given to the machine once that is free */
    lane_t attest;

    /* state */
    lane_t told, heard; /* our stream, and the peer's */
    uint8_t *message;   /* the peer's newest, which state points into */
    bool has_state;
    state_t state;
    entry_signed_t *first; /* of the state, verified */
    order_id_t order;
    unsigned credit; /* messages that it may send now */
    uint64_t credit_ms;

    /* key */
    lane_t ask, asked; /* our request, and the peer's */
    keyshare_request_t request, peers_request;
    key_ephemeral_t *ephemeral; /* of our request */
    bool releasing;
    uint64_t ask_deadline_ms, again_ms, wait_ms;

    err_t trouble;
};

struct join {
    join_config_t config;
    net_protocol_t protocols[JOIN_PROTOCOLS];
    session_t *sessions;
    entry_proof_t *newest;
    entry_signed_t *first;
    bool wants;
    uint8_t wanted[33];
    join_refusal_t refusals[JOIN_REFUSALS_MAX];
    size_t refusal_count;
    uint64_t now_ms;
};

enum { JOIN_ATTEST, JOIN_STATE, JOIN_KEYSHARE };

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

/* join_state.c */
void session_tell(session_t *s);
void state_opened(void *ctx, net_stream_t *stream);
void state_data(void *ctx, net_stream_t *stream, view_t bytes);
void state_closed(void *ctx, net_stream_t *stream, rc_t why);
void state_read_held(session_t *s); /* what came before ATTESTED */

/* join_key.c */
void key_opened(void *ctx, net_stream_t *stream);
void key_data(void *ctx, net_stream_t *stream, view_t bytes);
void key_closed(void *ctx, net_stream_t *stream, rc_t why);
void key_read_held(session_t *s);
void key_ask_due(join_t *j);
void key_forget(session_t *s); /* a session ends: its request too */
void key_released(session_t *s, const job_t *job);
uint64_t key_next(const session_t *s);

/* The session of a connection; NULL: there is none. */
session_t *join_find(const join_t *j, const net_conn_t *c);

#endif
