/* generation.h - how a cluster gets a new key: one node's part, as a machine without I/O.
 *
 *     order names makers -> the first, after 10 s, draws a key and gives the draft to the members that it lists
 *     (the next makers 60 s apart, while no COMMIT is seen) -> each holds it, unused, and floods its ACK
 *     -> ACKs of more than half of the listed are the COMMIT, which anybody floods -> from the entry's from_slot on all
 *     sign with it and wipe what is older; who lacks the secret asks for it, and signs nothing meanwhile
 *
 * Nothing is promised by an old key, by a vote, or by a draft. The machine holds entries and acknowledgements; the
 * secrets are the keyring's. Time, heads and randomness are arguments.
 *
 * Spec:   overlay-facts-more E (E1 to E13)
 * Floor:  4, overlay. No I/O, clock or thread.
 * Tests:  tests/unit/test_generation.c, test_generation_share.c, tests/fuzz/fuzz_generation.c, tests/overlay
 */
#ifndef OVERLAY_GENERATION_H
#define OVERLAY_GENERATION_H

#include "overlay/entry.h"

#define GEN_FIRST_WAIT_MS 10000u /* of makers[0] after it took the order: its connections are judged by then */
#define GEN_NEXT_WAIT_MS 60000u  /* and of makers[i], times i */
#define GEN_FROM_SLOTS 4u        /* from_slot = verified head + this */
#define GEN_FROM_SLOTS_MAX 64u   /* most that a member lets a maker put it off, from its own head, and by the clock */
#define GEN_PEERS_MAX 63u

typedef struct gen gen_t;

typedef struct {
    uint8_t self[33];                                                 /* our static key */
    rc_t (*sign)(void *ctx, uint8_t out[64], const hash32_t *digest); /* by it: compact, low s */
    void *sign_ctx;
    keyring_t *keys;                 /* borrowed; generations only */
    uint64_t (*slot_now)(void *ctx); /* which slot it is by the clock; NULL: there is none, and no bound */
    void *slot_ctx;
    order_rules_t rules; /* signers and least version; cluster: the pin (zeros: none) */
} gen_config_t;

/* A machine that knows no order and no key; its keyring outlives it. RC_NOMEM. */
NODISCARD rc_t gen_new(gen_t **out, const gen_config_t *config);
void gen_free(gen_t *g);

/* --- inputs --- */

/* Founds a cluster: a first generation that is committed and in use at once.
 *   take_secrets  KEY_SECRETS_LEN random bytes, wiped in any case; NULL: the ring holds them already
 *   setup         hash of the cluster statement
 * RC_REFUSED: a cluster is known already, or pinned; RC_NOMEM and others of the keyring. */
NODISCARD rc_t gen_found(gen_t *g, uint8_t *take_secrets, const hash32_t *setup);

/* Forgets the cluster, unless it is pinned, with its order and generations. */
void gen_leave(gen_t *g);

/* The order that this node has taken, judged and higher than the last one. */
void gen_order(gen_t *g, const order_signed_t *order, uint64_t now_ms);

/* The static keys of all attested, judged peers at present; at most GEN_PEERS_MAX count. */
void gen_peers(gen_t *g, const uint8_t (*keys)[33], size_t count);

/* A peer's connection is attested and judged: what it may lack is sent to it. */
void gen_connected(gen_t *g, const uint8_t peer[33]);

/* The verified head has moved to a slot; a lower one than before is passed over. May put a generation into use. */
void gen_head(gen_t *g, uint64_t slot);

/* Whether it is our turn to make a generation: then gen_make, with fresh secrets. */
bool gen_wants_secrets(const gen_t *g, uint64_t now_ms);

/* Makes it: once in our life for an order. take_secrets: wiped in any case. RC_REFUSED: not our turn. */
NODISCARD rc_t gen_make(gen_t *g, uint8_t take_secrets[KEY_SECRETS_LEN], uint64_t now_ms);

/* A draft came on a judged connection with the static key from. RC_REFUSED: not from a maker whom our order names, not
 * for us, below what we acknowledged or know committed, put off too far, or it does not open; RC_REPLAY: held. */
NODISCARD rc_t gen_draft(gen_t *g, err_t *e, const uint8_t from[33], view_t entry, const uint8_t sealed[KEY_SEALED_LEN],
                         const key_box_t *box);

/* An ACK or a COMMIT came, from anybody. RC_REFUSED, RC_MALFORMED: its author is at fault; an ACK of an entry that we
 * do not have is kept for a while; a first generation is passed over, as it comes with a share; refused is what begins
 * more than GEN_FROM_SLOTS_MAX from the slot that it is: no honest member lets its maker put it off so far. */
NODISCARD rc_t gen_ack(gen_t *g, err_t *e, view_t bytes);
NODISCARD rc_t gen_commit(gen_t *g, err_t *e, view_t bytes);

/* A share came that we have asked for, on the connection where we asked.
 *   proof  of the generation
 *   first  the bootstrap entry; n 0: it is the proof's own, when that has no order; else all who had it died, and the
 *          order names the cluster
 * RC_REFUSED: not valid, of another cluster, or it does not open to the public key of its proof: passed over and
 * counted; RC_REPLAY: not above what we hold, or below a COMMIT that we know: ask again. */
NODISCARD rc_t gen_share(gen_t *g, err_t *e, view_t proof, view_t first, const uint8_t sealed[KEY_SEALED_LEN],
                         const key_box_t *box);

/* Puts the secrets of a generation into a ring, as keyring_add does, when they have the expected public key. */
typedef rc_t (*gen_take_fn)(void *ctx, keyring_t *keys, const key_name_t *name, const uint8_t expected[33]);

/* All who held a generation died, and its secrets are brought back: judged as a share (proof and first likewise), and
 * then taken. RC_REFUSED, RC_REPLAY as gen_share; what take says. */
NODISCARD rc_t gen_restore(gen_t *g, err_t *e, view_t proof, view_t first, gen_take_fn take, void *take_ctx);

/* --- outputs --- */

typedef enum { GEN_ACK, GEN_COMMIT, GEN_EVIDENCE, GEN_DRAFT } gen_kind_t;

typedef struct {
    gen_kind_t kind;
    bool to_all;     /* flood; else only: */
    uint8_t to[33];  /* a peer */
    key_name_t name; /* of the generation it is about */
    view_t
        bytes; /* until the next call: an ACK; the proof; of EVIDENCE one of two that contradict; of DRAFT the entry */
} gen_out_t;

/* The next thing to send; false: nothing. DRAFT: the edge seals the secrets of that name for the peer, against
 * mattest_release_key, and sends them as an unasked share. */
bool gen_poll(gen_t *g, gen_out_t *out);

/* --- questions --- */

typedef enum {
    GEN_SIGNS,        /* with keyring_sign */
    GEN_NO_KEY,       /* none yet */
    GEN_NEWER_KEY,    /* a newer one is committed, and its secret is missing */
    GEN_CONTRADICTED, /* its maker committed two keys under this name */
    GEN_RETIRED       /* the slot's generation is wiped */
} gen_signer_t;

/* Whether statements for a slot can be signed now. */
gen_signer_t gen_signer(const gen_t *g, uint64_t slot);

/* The first slot for which gen_signer may say otherwise than for the present head: another generation begins there. 0:
 * no key is in use; UINT64_MAX: none is known. */
uint64_t gen_until(const gen_t *g);

/* The committed generations of the cluster that are known, ascending; their number, at most cap. */
size_t gen_committed(const gen_t *g, const entry_proof_t **out, size_t cap);

/* The key in use, the newest committed generation, and the first one; NULL: none known. */
const key_name_t *gen_in_use(const gen_t *g);
const entry_proof_t *gen_newest(const gen_t *g);
const entry_proof_t *gen_first(const gen_t *g);

/* The cluster: the first generation's public key; NULL: not known yet. */
const uint8_t *gen_cluster(const gen_t *g);

/* Whether to ask all peers for a key: none is held, or not the newest committed. */
bool gen_wants_key(const gen_t *g);

/* What to answer a peer that asks for a key. */
typedef enum {
    GEN_GIVES,        /* the generation that *name says, if mattest_release_key grants it for that connection */
    GEN_HAS_NONE,     /* none that is newer than what the peer has */
    GEN_OTHER_ORDER,  /* both ends must run the same order */
    GEN_OTHER_CLUSTER /* the peer wants another cluster's key */
} gen_answer_t;

/* E8: which generation to give a peer that runs this order, is pinned to this cluster (NULL: to none) and holds have
 * (NULL: nothing): the newest committed, never a draft. *name: written only with GEN_GIVES. */
gen_answer_t gen_give(const gen_t *g, key_name_t *name, const hash32_t *peer_order, const uint8_t *peer_cluster,
                      const key_name_t *have);

#endif
