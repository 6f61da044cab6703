/* world.h - a simulated cluster: nodes with the real machines of overlay/, an unreliable network, operators, liars, and a
 * virtual clock. All that happens follows from one seed. */
#ifndef TESTS_OVERLAY_WORLD_H
#define TESTS_OVERLAY_WORLD_H

#include "overlay/bracha.h"
#include "overlay/flood.h"
#include "overlay/generation.h"
#include "overlay/guard.h"

#define NODES_MAX 12
#define ORDERS_MAX 8
#define APPS_MAX 256
#define SLOT_MS 4000u
#define HELD_PER_LINK 512

/* What a run is like. Each member is drawn from the seed, and some are fixed when a guard is on trial. */
typedef struct {
    int seats, extra;   /* members with a seat, and without */
    int liars;          /* of the seats */
    unsigned lies;      /* LIE_*, or-ed */
    int restarts, cuts; /* during the disturbance */
    int orders;         /* besides the first */
    bool tie;           /* two orders of one version */
    bool partial;       /* some pairs of members can never connect */
    bool long_cut;      /* one member is away for longer than ten minutes */
    bool exclude;       /* an order excludes a member, who then attacks with its old keys */
    bool all_at_once;   /* all members but one restart at one moment */
    int messages;       /* of each kind that applications send */
    uint64_t trouble_ms, quiet_ms;
} scenario_t;

enum { LIE_SILENT = 1, LIE_TWO_SENDS = 2, LIE_VOTES = 4, LIE_TWO_DRAFTS = 8, LIE_FORGED_COMMIT = 16 };

typedef enum {
    M_STATE,
    M_KEYS,
    M_FLOOD,
    M_IDS,
    M_PULL,
    M_SEND,
    M_VOTE,
    M_CERT,
    M_ASK,
    M_SHARE,
    M_DRAFT
} message_kind_t;

/* One message under way; only the members of its kind mean something. */
typedef struct {
    message_kind_t kind;
    int from, to;
    uint32_t epoch; /* of the connection that it travels on: it is lost with it */
    uint8_t *bytes; /* order, proof or ACK, entry, payload, ids */
    size_t n;
    uint8_t *more; /* of SHARE: the first entry */
    size_t more_n;
    uint8_t ephemeral[32];
    uint8_t sealed[KEY_SEALED_LEN];
    hash32_t order; /* of ASK */
    bool has_have, has_cluster;
    key_name_t have;
    uint8_t cluster[33];
    gen_kind_t keys; /* of KEYS */
    flood_message_t flood;
    bracha_send_t *send;
    bracha_vote_t vote;
    bracha_cert_t *cert;
} message_t;

/* One end's view of a connection. */
typedef struct {
    bool attested, served, has_order;
    order_id_t order; /* the other's */
    uint8_t ephemeral[32];
    uint64_t asked_ms;
    bool has_given, has_drafted;
    key_name_t given, drafted;
    message_t *held[HELD_PER_LINK]; /* until both run one order */
    int held_count;
} link_t;

typedef struct {
    bool alive, liar, excluded;
    uint64_t born_ms;
    uint8_t secret[32], key[33];
    hash32_t platform;
    keyring_t *keys;
    key_ephemeral_t *ephemeral;
    gen_t *gen;
    flood_t *flood;
    bracha_t *bracha;
    int order; /* index in world.orders */
    uint64_t slot;
    link_t links[NODES_MAX];
    bool has_acked, has_used, has_seen; /* of check.c */
    key_name_t acked, used, seen;
    hash32_t acked_g;
    hash32_t heard_of, heard[2], g; /* of liars.c: an instance, two messages of it; a draft that is acknowledged */
    bool has_g;
    uint64_t lie_seq, voted_ms;
    int lied_order, late_order;
    uint8_t flooded[APPS_MAX], agreed[APPS_MAX]; /* application messages that were delivered */
    uint8_t before[APPS_MAX];                    /* ... to an earlier boot, agreed */
    uint8_t listed[APPS_MAX];                    /* instances of them that were delivered list this boot */
} node_t;

/* An application's message. */
typedef struct {
    int sender;
    uint8_t sender_key[33];
    uint64_t at_ms;
    bool agreed, durable;
} app_t;

typedef struct {
    order_signed_t order;
    uint8_t text[8]; /* the members whom it excludes, as bits */
    uint8_t *bytes;
    size_t n;
    unsigned excludes;
    uint64_t at_ms; /* when it was first presented */
    bool presented;
} issued_t;

typedef struct {
    scenario_t s;
    uint64_t random, now_ms;
    int count; /* nodes: seats, then extra */
    node_t nodes[NODES_MAX];
    bool up[NODES_MAX][NODES_MAX], allowed[NODES_MAX][NODES_MAX], cut[NODES_MAX];
    uint32_t epoch[NODES_MAX][NODES_MAX];
    issued_t orders[ORDERS_MAX];
    int order_count;
    uint8_t first_key[33]; /* of the cluster's first generation */
    order_rules_t rules;
    ecdsa_t *ecdsa;
    uint8_t signer[32];
    app_t apps[APPS_MAX];
    int app_count;
    struct {
        hash32_t instance, hash;
    } * instances; /* what was delivered where: for consistency */
    size_t instance_count;
    size_t heap_early, heap_late; /* bytes of the heap at most, in the second and in the last quarter of the trouble */
    char broken[256];             /* the property that failed; empty: none */
    bool verbose;
} world_t;

/* Runs one scenario from a seed. What broke stands in w->broken. */
void world_run(world_t *w, const scenario_t *s, uint64_t seed, bool verbose);

/* Notes that a property failed; the first counts. */
__attribute__((format(printf, 2, 3))) void world_break(world_t *w, const char *fmt, ...);

/* For check.c: what must hold at any time, and at rest. */
void check_use(world_t *w, int i);
void check_acks(world_t *w, int i, const gen_out_t *out);
void check_delivery(world_t *w, int i, const hash32_t *instance, const bracha_send_t *s);
void check_rest(world_t *w);

/* For liars.c. */
void liar_step(world_t *w, int i);
void liar_hears_ack(world_t *w, int i);
void liar_sees(world_t *w, int i, const hash32_t *instance, const hash32_t *hash);

uint64_t world_random(world_t *w, uint64_t below);
void world_send(world_t *w, int from, int to, message_t *m);
void world_send_broadcast(world_t *w, int from, int to, const bracha_send_t *s);
void world_send_draft(world_t *w, int from, int to, keyring_t *ring, const key_name_t *name, view_t entry);
void world_send_keys(world_t *w, int from, int to, gen_kind_t kind, view_t bytes);
message_t *message_new(message_kind_t kind);
rc_t world_sign(void *ctx, uint8_t out[64], const hash32_t *digest);
bool world_served(const world_t *w, int i, int j);

void fast_ecdsa_clear(void);

#endif
