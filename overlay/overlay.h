/* overlay.h - a cluster of attested nodes, for an application: connections on which both ends have proven what they
 * are, a key that all members share, and messages among them. No chain is needed; nothing of Ethereum is inside.
 *
 *     overlay_new -> overlay_net (events and protocols for net_new) -> overlay_bind -> overlay_peer_at ...
 *     overlay_turn in each turn of the net's thread; overlay/host/host.h does it all with sockets and threads
 *
 * A node founds a cluster, or joins the one that its peers are in: then it holds the cluster's key, with which it signs
 * (overlay_sign), seals for members (message mode MSG_SHARED), and derives secrets of its own (overlay_derive).
 * Messages need no key: they flow as soon as a peer is attested and runs the same order.
 *
 * What goes to all members: overlay_flood hands a signed message on, to any number of members, and promises no
 * agreement; overlay_agree is reliable broadcast among the seats of a signed order, and is refused below four seats.
 *
 * Spec:   issue 13, steps 4, 5 and 9; overlay-facts-more D (what each service promises), J
 * Floor:  4, overlay. No socket, clock or thread of its own. All calls on the net's thread, but overlay_sign and
 *         overlay_derive, which any thread may call.
 * Tests:  tests/unit/test_overlay_app.c, tests/alone
 */
#ifndef OVERLAY_OVERLAY_H
#define OVERLAY_OVERLAY_H

#include "overlay/bracha.h"
#include "overlay/circuits.h"
#include "overlay/join.h"
#include "overlay/messages.h"
#include "overlay/peers.h"

#define OVERLAY_PROTOCOLS (JOIN_PROTOCOLS + 3u + CIRCUITS_PROTOCOLS)
#define OVERLAY_NAME_MAX 64u   /* characters of an application's name */
#define OVERLAY_PEERS_MAX 128u /* connections of peers */
#define OVERLAY_REACHED_MAX 8u /* addresses through relays */

typedef struct overlay overlay_t;

/* A message to all members, or one that was agreed on. Good during the call. */
typedef struct {
    uint32_t kind;         /* the application's own */
    const uint8_t *author; /* 33 bytes: static key */
    uint64_t seq;          /* the author's own number; 0 for what was agreed on */
    view_t payload;
    hash32_t instance; /* agreed: names it */
} overlay_broadcast_t;

/* All on the net's thread; any may be NULL. */
typedef struct {
    /* A peer can be sent messages, or no longer. */
    void (*peer)(void *ctx, const uint8_t key[33], bool is_there);
    /* All messages that were written to a peer have left. */
    void (*writable)(void *ctx, const uint8_t key[33]);
    /* The cluster's key is here, or a newer one. */
    void (*keyed)(void *ctx, const uint8_t pubkey[33]);
    /* A member's flooded message; ours comes too. */
    void (*flooded)(void *ctx, const overlay_broadcast_t *m);
    /* What was agreed on; ours comes too. At least once: tell repetitions by an id of your own. */
    void (*agreed)(void *ctx, const overlay_broadcast_t *m);
    /* A seat that says two things in one broadcast. */
    void (*evidence)(void *ctx, const bracha_evidence_t *evidence);
    /* A peer runs this order, which is valid and higher than ours: if it is to be taken, overlay_set_order. */
    void (*ordered)(void *ctx, const order_signed_t *order);
    /* The secret of a group is here: messages of MSG_GROUP may be sent, and are read. */
    void (*grouped)(void *ctx, const uint8_t group[MSG_GROUP_LEN]);
    /* The key goes out to a peer now. */
    void (*released)(void *ctx, const join_member_t *to, const key_name_t *name);
    /* The addresses at which this node is reached through relays are others now: these; n 0: none. */
    void (*reached)(void *ctx, const maddr_t *at, size_t n);
} overlay_events_t;

/* What is borrowed has to live until overlay_free. */
typedef struct {
    const char *application;   /* 1 to OVERLAY_NAME_MAX characters: only nodes of one name attest each other */
    bool found;                /* makes a new cluster; else joins that of its peers, */
    uint8_t cluster[33];       /* and only the one of this first public key; zeros: whichever comes first */
    uint8_t static_pubkey[33]; /* of this start; also the host key of connections */
    mattest_sign_fn sign;      /* by it */
    void *sign_ctx;
    identity_t who;   /* the same key as host key: signs what a relay promises */
    bool relays;      /* is a relay for members: circuits.h */
    bool uses_relays; /* keeps places at members that are, and is reached through them: for who cannot be dialled */
    tee_evidence_type_t type;
    hash32_t platform;           /* our own, as peers see it: for a seat; zeros: none */
    const policy_t *policy;      /* of the order in force */
    const order_signed_t *order; /* in force; NULL: none is signed */
    order_rules_t rules;         /* by which later ones are judged */
    keyring_t *keyring;          /* keyring_empty: will hold the cluster's key */
    const ecdsa_t *ecdsa;
    rollback_t *memory; /* see join.h */
    rc_t (*evidence)(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN]);
    view_t (*collateral)(void *ctx, arena_t *a);
    int64_t (*now_s)(void *ctx);
    void (*post)(void *ctx, join_job_t *job);
    void (*random)(void *ctx, void *out, size_t n);
    void (*resolve)(void *ctx, size_t target, const maddr_t *name);      /* see peers.h */
    rc_t (*read_rule)(void *ctx, policy_t **out, err_t *e, view_t text); /* of a group; NULL: see groups.h */
    void *ctx;                                                           /* of the seven above */
    overlay_events_t events;
    void *events_ctx;
} overlay_config_t;

/* RC_NOMEM; RC_MALFORMED: the name; RC_REFUSED: it is to found, and is pinned. */
NODISCARD rc_t overlay_new(overlay_t **out, err_t *e, const overlay_config_t *config);

/* After net_free, and when no job is out any more. NULL allowed. */
void overlay_free(overlay_t *o);

/* What net_new needs, but for the identity. */
void overlay_net(overlay_t *o, net_config_t *out);

/* The net that was made so. Founds the cluster, if this node is to. RC_NOMEM, RC_REFUSED. */
NODISCARD rc_t overlay_bind(overlay_t *o, err_t *e, net_t *n);

/* Dials who answers there, and keeps dialling: peers_add, peers_resolved. */
NODISCARD rc_t overlay_peer_at(overlay_t *o, const maddr_t *ways, size_t count);
void overlay_resolved(overlay_t *o, size_t target, const maddr_t *numbers, size_t n);

/* One turn; when the next is due. */
uint64_t overlay_turn(overlay_t *o, uint64_t now_ms);

/* --- messages --- */

/* Registers a type of messages, at any time: messages_register. */
NODISCARD rc_t overlay_register(overlay_t *o, err_t *e, const message_type_t *type);
void overlay_unregister(overlay_t *o, const char *name);

/* Sends to the peers with these static keys. each as for messages_send, with RC_REFUSED for whom we have no session
 * with; RC_LIMIT: wait for writable. */
NODISCARD rc_t overlay_send(overlay_t *o, rc_t *each, err_t *e, const uint8_t (*keys)[33], size_t n,
                            const message_out_t *out);

/* Sends to every peer that can be sent to; RC_OK: each has it. */
NODISCARD rc_t overlay_send_all(overlay_t *o, err_t *e, const message_out_t *out);

/* The peers that can be sent to, at most cap of them; their number. */
size_t overlay_peers(const overlay_t *o, uint8_t (*keys)[33], size_t cap);

/* Takes messages again that a message_fn did not want. */
void overlay_resume(overlay_t *o);

/* Counts since the start. */
void overlay_counts(const overlay_t *o, message_counts_t *out);

/* An authorization group (groups.h): makes one, whose secret is given to those members whom this policy admits; asks
 * for the secret of one, until grouped says that it is here; wipes it. As groups_make, groups_want, groups_leave. */
NODISCARD rc_t overlay_make_group(overlay_t *o, uint8_t group[MSG_GROUP_LEN], err_t *e, view_t rule);
NODISCARD rc_t overlay_join_group(overlay_t *o, err_t *e, const uint8_t group[MSG_GROUP_LEN]);
void overlay_leave_group(overlay_t *o, const uint8_t group[MSG_GROUP_LEN]);

/* --- to all --- */

/* Spreads a message, whose kind is the application's own: below 2^31. RC_LIMIT: longer than FLOOD_PAYLOAD_MAX, or too
 * many in ten minutes. */
NODISCARD rc_t overlay_flood(overlay_t *o, err_t *e, uint32_t kind, view_t payload);

/* Broadcasts among seats; a kind with BRACHA_DURABLE is kept for seats that are away. RC_UNSUPPORTED: "agreement needs
 * 4 seats", or this node has none; RC_LIMIT: longer than BRACHA_PAYLOAD_MAX, or too many are not delivered. */
NODISCARD rc_t overlay_agree(overlay_t *o, err_t *e, uint32_t kind, view_t payload);

/* Another order is in force, with its policy, which is kept until overlay_free: join_set_order. RC_REFUSED, RC_REPLAY:
 * it is not to be taken; RC_NOMEM. */
NODISCARD rc_t overlay_set_order(overlay_t *o, err_t *e, const order_signed_t *order, const policy_t *policy);

/* --- the cluster's key --- */

/* Signs a digest with it: keyring_sign. Seals for members, opens: keyring_seal_message, keyring_open_message; a random
 * nonce is added. Derives a secret by a label: keyring_derive. RC_REFUSED: it is not here. */
NODISCARD rc_t overlay_sign(const overlay_t *o, uint8_t out[64], const hash32_t *digest);
NODISCARD rc_t overlay_seal(const overlay_t *o, uint8_t *out, view_t plain, view_t ad);
NODISCARD rc_t overlay_open(const overlay_t *o, uint8_t *out, view_t sealed, view_t ad);
NODISCARD rc_t overlay_derive(const overlay_t *o, uint8_t out[KEY_DERIVED_LEN], view_t label);

/* Members and refusals, for who shows them. */
const join_t *overlay_members(const overlay_t *o);

#endif
