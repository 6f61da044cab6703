/* parts.h - what the files of cluster.h share. Private to node/cluster.
 *
 * Floor:  5, node/cluster.
 */
#ifndef NODE_CLUSTER_PARTS_H
#define NODE_CLUSTER_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/os/persist.h"
#include "base/os/worker.h"
#include "node/chain/follow.h"
#include "node/cluster/cluster.h"
#include "overlay/announce.h"
#include "overlay/circuits.h"
#include "overlay/gossip.h"
#include "overlay/host/crew.h"
#include "overlay/join.h"
#include "overlay/lcdata.h"
#include "overlay/net/loop.h"
#include "overlay/peers.h"
#include "overlay/releases.h"

#define CLUSTER_MEMBERS_MAX 64u
#define CLUSTER_OFFERS_MAX 4u
#define CLUSTER_TURNED_DOWN_MAX 32u
#define CLUSTER_BANS_MAX 32u                 /* that are shown */
#define CLUSTER_FETCHES_MAX 8u               /* of light-client data, for members */
#define CLUSTER_HOSTS_MAX 4u                 /* under which members see us */
#define CLUSTER_REACHED_MAX 4u               /* addresses of ours through relays */
#define KEYS_SHOWN_MAX 16u                   /* generations */
#define LIE_LEN (8u + ANNOUNCE_EVIDENCE_LEN) /* version of the newest generation when it was found; the evidence */
#define CLUSTER_LIARS_MAX 1024u /* members that are proven to have contradicted themselves; each was attested */
#define CLUSTER_LIES_MAX 64u    /* ... of whom the evidence is kept */

/* One connection, as it is shown. */
typedef struct {
    peerid_t peer;
    maddr_t addr;
    bool dialled, has_state, holds;
    join_phase_t phase;
    uint8_t static_key[33];
    hash32_t platform;
    uint64_t order_version, finalized_slot, head_slot; /* slots: as it claims */
    uint8_t cluster[33];                               /* first key of its cluster; zeros: none */
    char trouble[240];
} shown_member_t;

typedef struct {
    peers_row_t row;
    char why[240];
} shown_address_t;

/* Where a peer says that it listens, and at which host it sees us. */
typedef struct {
    uint64_t number; /* of the connection */
    maddr_t ways[PEERS_WAYS_MAX];
    size_t count;
    bool sees_us;
    maddr_t us;
} heard_t;

/* Which state of a connection was looked at. */
typedef struct {
    uint64_t number; /* 0: free */
    bool judged;
    uint8_t signature[64];
} told_t;

typedef struct {
    ban_t ban;
    uint64_t left_ms;
} shown_ban_t;

typedef struct kept_policy kept_policy_t;
typedef struct recover recover_t;

/* What the follower's thread asks of a member: one at a time. */
typedef struct {
    enum { DATA_IDLE, DATA_ASKED, DATA_ENDED } state;
    lc_want_t want;
    size_t nth;
    uint64_t id, number; /* of the question, of the connection */
    rc_t rc;
    follow_member_t member;
} data_call_t;

/* What a member asked for, and a beacon API is to be asked for. */
typedef struct {
    uint64_t ticket;
    lc_want_t want;
} data_fetch_t;

struct cluster {
    cluster_config_t with;
    atomic_ullong silenced; /* how often this node was kept from signing, or let to again */
    ecdsa_t *ecdsa;
    rollback_t memory; /* of the verifying thread */
    crew_t *crew;
    worker_t *fetcher;
    worker_t *fetcher_self; /* the same, for its own thread */
    loop_t *loop;           /* what follows, up to the lock, is the loop's thread's */
    net_t *net;
    join_t *join;
    peers_t *peers;
    gossip_t *gossip;
    circuits_t *circuits;
    side_t *side; /* NULL: nothing else is said to members */
    lcdata_t *lcdata;
    uint64_t data_good; /* number of the connection that gave data last */
    net_protocol_t protocols[JOIN_PROTOCOLS + 3 + CIRCUITS_PROTOCOLS];
    bool is_open;            /* our own evidence is verified: peers may be */
    kept_policy_t *policies; /* of orders, the one in force first; NULL: the configuration's is */
    bool listening;
    uint64_t listen_ms;
    heard_t heard[CLUSTER_MEMBERS_MAX];
    size_t heard_next;
    maddr_t hosts[CLUSTER_HOSTS_MAX]; /* of ours, as members see them */
    size_t host_count;
    uint64_t record_seq, book_changes, book_ms;
    recover_t *recover;
    releases_t *releases;
    persist_told_t book_told, releases_told, order_told;
    uint64_t order_ms, evidence_ms; /* before them, what could not be written is not tried again */
    uint64_t releases_tell_ms, releases_write_ms, releases_kept; /* kept: that had come when the file was written */
    join_member_t seen[CLUSTER_MEMBERS_MAX];                     /* room to look at them */
    peers_row_t rows[PEERS_TARGETS_MAX];
    told_t told[CLUSTER_MEMBERS_MAX];
    announce_book_t announced;
    uint8_t lies[CLUSTER_LIES_MAX][LIE_LEN]; /* of the file "evidence-member", a row for each of the last liars */
    size_t lie_count;
    uint64_t self_ms; /* when this node's own platform is judged again */
    hash32_t since_g; /* the newest generation, and our head when it was seen to be */
    uint64_t since_slot;
    announce_evidence_t unsaid; /* against a member, to be told to all */
    bool has_unsaid;
    uint8_t proofs[3][CLAIMS_PROOF_MAX]; /* of what our state claims */

    pthread_mutex_t lock; /* guards what follows */
    floor_t floor;
    uint64_t signed_slot; /* the highest for which this node has signed; 0: none */
    uint8_t *split;       /* evidence against a sync committee; NULL: none */
    size_t split_n;
    persist_told_t evidence_told;         /* of both files of evidence */
    uint8_t liars[CLUSTER_LIARS_MAX][33]; /* written on the loop's thread alone */
    size_t liar_count;
    pthread_cond_t done;
    view_t statement;
    uint64_t slot;
    hash32_t root;
    bool telling, stopping;
    char said[240], port_trouble[240];
    join_keys_t keys;                      /* which generation signs */
    uint64_t newest_version;               /* of the newest committed one */
    order_id_t order;                      /* in force */
    uint8_t present_key[33], next_key[33]; /* that signs, and the newest that is held; zeros: none */
    uint64_t head;
    char excluded[240]; /* why the order excludes this node; empty: it does not */
    char recalled[240]; /* the same of an earlier run, as long as no newer generation than this is committed: */
    uint64_t recalled_version;
    muster_anchor_t anchor; /* of a cluster by_list: what the contract says */
    uint8_t anchored[33];   /* the newest key that it named and that is one of ours; zeros: none */
    char astray[160];       /* why this node is in another cluster than the contract names; empty: it is not */
    char alone[160];        /* why so few platforms are too few for the policy in force; empty: they are not */
    char rotation[240];     /* why the key should be changed: a member that holds it lost trust; empty: it need not */
    shown_member_t members[CLUSTER_MEMBERS_MAX];
    size_t member_count;
    shown_address_t addresses[PEERS_TARGETS_MAX];
    size_t address_count;
    join_refusal_t refusals[JOIN_REFUSALS_MAX];
    size_t refusal_count;
    shown_ban_t bans[CLUSTER_BANS_MAX];
    size_t ban_count;
    relay_count_t relayed; /* for members */
    maddr_t reached[CLUSTER_REACHED_MAX];
    size_t reached_count;
    cluster_offer_t offers[CLUSTER_OFFERS_MAX];
    size_t offer_rank[CLUSTER_OFFERS_MAX];
    bool offer_contradicts[CLUSTER_OFFERS_MAX];
    size_t offer_count;
    uint8_t misled[CLUSTER_MEMBERS_MAX][33]; /* static keys of members from whose root no chain could be verified */
    size_t misled_count;
    struct {
        uint8_t pubkey[33];
        err_t why;
    } turned_down[CLUSTER_TURNED_DOWN_MAX];
    size_t turned_down_count;
    data_call_t data;
    data_fetch_t fetches[CLUSTER_FETCHES_MAX];
    size_t fetch_count;
};

/* report.c: the root of each offer. offers[k]: the one of members[k]; CLUSTER_OFFERS_MAX: it is of none. With the lock
 * held. */
void report_roots(cluster_t *c, const join_member_t *members, const size_t *offers, size_t count, uint64_t now_slot);

/* report.c: distinct platforms: ours, once it is known, and the members'. With the lock held. */
unsigned report_platforms(const cluster_t *c, const attest_status_t *own);

/* book.c: where members listen, and we. On the loop's thread. */
void book_read(cluster_t *c);
void book_write(cluster_t *c, uint64_t now_ms); /* when something is new */
void book_heard(cluster_t *c, net_conn_t *conn, const identify_t *id);
void book_learn(cluster_t *c, const join_member_t *m);
void book_reached(void *ctx); /* the addresses at which relays make us reachable are others */
void book_learned(void *ctx, const record_t *r, net_conn_t *from); /* for gossip_config_t */

/* keys.c: orders and generations. On the loop's thread. */
order_rules_t keys_rules(const cluster_t *c);
void keys_update(cluster_t *c); /* something about generations */
/* A connection was closed for this: of a member that holds the key it is a reason for a new one (F10). */
void keys_lost_trust(cluster_t *c, net_conn_t *conn, unsigned bye, const err_t *why);
void keys_turn(cluster_t *c, uint64_t now_ms); /* judges this node's own platform and the key's age, now and then */
void keys_platforms(cluster_t *c);             /* counts platforms against the policy in force */
void keys_status(const cluster_t *c, jw_t *w); /* of /v1/status; with the lock held */
void keys_ordered(void *ctx, net_conn_t *from, const order_signed_t *order); /* a peer's, which is higher */
void keys_recall(cluster_t *c);          /* the kept order, once our own evidence is verified */
rc_t keys_leave(cluster_t *c, err_t *e); /* forgets a cluster of which we hold no key */
void keys_free(cluster_t *c);

/* Puts the order into force with which a key is brought back, as order_read takes it (n 0: nobody had signed one).
 * RC_REPLAY: a newer one is; RC_REFUSED: it excludes this node, or as join_judge_order. */
NODISCARD rc_t keys_take_kept(cluster_t *c, err_t *e, view_t order);

/* listed.c: whether a cluster that members are in is one to join, by the contract's list. On the loop's thread, with
 * the lock held. */
bool listed_admits(const cluster_t *c, const join_member_t *m);
void listed_look(cluster_t *c); /* generations, or the contract's word, may be others */

/* recover.c: what outlives all nodes. On the loop's thread, but for recover_open: before it starts. */
NODISCARD rc_t recover_open(cluster_t *c, err_t *e); /* RC_REFUSED: this TEE cannot; RC_NOMEM, RC_IO, RC_TIMEOUT */
void recover_turn(cluster_t *c, uint64_t now_ms);
void recover_status(const cluster_t *c, jw_t *w); /* of /v1/status; with the lock held */
void recover_free(recover_t *r);

/* releases.c: who was given keys. On the loop's thread. */
NODISCARD rc_t given_open(cluster_t *c); /* RC_NOMEM */
void given_key(cluster_t *c, const join_member_t *to, const key_name_t *name);
void given_heard(cluster_t *c, const flood_message_t *m); /* what a giver tells all */
void given_turn(cluster_t *c, uint64_t now_ms);

/* overlay.c: the ways to a peer over the transports that we have; their number. */
size_t peer_ways(const cluster_t *c, maddr_t ways[PEERS_WAYS_MAX], const config_peer_t *peer);

/* overlay.c: runs a function on the loop's thread, and waits for its end. RC_NOMEM, or what it returns. */
NODISCARD rc_t call_on_loop(cluster_t *c, err_t *e, rc_t (*fn)(cluster_t *, err_t *, const void *), const void *arg);

/* heads.c: what members announce of the chain. On the loop's thread. */
void heads_begin(cluster_t *c);
uint64_t heads_slot_now(void *ctx);                       /* which slot it is, by the clock; any thread */
void heads_look(cluster_t *c);                            /* members and their states may have changed */
void heads_keep_again(cluster_t *c, uint64_t now_ms);     /* evidence that a full disk did not take */
void heads_fill(cluster_t *c, state_t *out);              /* what we claim */
void heads_announce(cluster_t *c);                        /* ... to all: something is final */
void heads_heard(cluster_t *c, const flood_message_t *m); /* what goes to all */
void heads_status(const cluster_t *c, jw_t *w);           /* of /v1/status; with the lock held */

/* report.c: copies what is shown. On the loop's thread. */
void report_update(cluster_t *c);

#endif
