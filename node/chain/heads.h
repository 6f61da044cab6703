/* heads.h - from known to usable: a head is known when two thirds of a committee have signed it, and usable when its
 * execution header is there. Before Gloas that is the same moment; from Gloas on a head has only the hash of the block
 * that it builds on, and the header with that hash is fetched ahead of any call.
 *
 *     heads_know -> heads_want: fetch the header with this hash -> heads_give or heads_failed -> heads_usable
 *
 * The hash of an execution block that has been seen before (after a slot without a payload, or past the fork) needs no
 * fetch. While one is under way a newer head waits, so that a slow endpoint still moves what is usable.
 *
 * Spec:   consensus-specs gloas/light-client/sync-protocol.md; EIP-7732, EIP-7843
 * Floor:  5, node/chain. No I/O, clock, thread or heap.
 * Tests:  tests/unit/test_heads.c
 */
#ifndef NODE_CHAIN_HEADS_H
#define NODE_CHAIN_HEADS_H

#include "base/err.h"
#include "lightclient/consensus/sync.h"
#include "lightclient/exec/header.h"

typedef enum { HEAD_LATEST, HEAD_FINALIZED, HEADS } head_kind_t;

/* One of the two on its way. */
typedef struct {
    lc_head_t known, usable;
    lc_head_t fetched; /* the one whose header is being fetched; not valid: none is */
    bool raw;          /* fetch the bytes, which may tell more than an answer did */
    unsigned tries;    /* in a row that failed */
    uint64_t due_ms;   /* not to be asked for before; monotonic */
} head_way_t;

typedef struct {
    const lc_network_t *network; /* borrowed, as the next */
    const evm_chain_t *chain;    /* NULL only where no header is given: then heads are held to no schedule */
    head_way_t way[HEADS];
    err_t outdated; /* a proven head has shown that the chain has another schedule; rc RC_OK: none has */
} heads_t;

/* Tells a head that was proven; one that is not newer than the known one changes nothing. One that comes with an
 * execution header does not become usable if that has more blobs than the schedule allows, or another excess blob gas
 * than follows from its parent. */
void heads_know(heads_t *h, head_kind_t kind, const lc_head_t *head);

/* Whether a header is to be fetched now, and which: it counts as on its way until one of the next two is called.
 * *wake_ms is lowered to when to ask again. */
bool heads_want(heads_t *h, hash32_t *hash, bool *raw, head_kind_t kind, uint64_t now_ms, uint64_t *wake_ms);

/* The header that heads_want asked for: its hash is checked already (exec/head.h).
 * RC_REFUSED: it contradicts the beacon block that proves it (slot or time); RC_UNSUPPORTED: or the chain's schedule,
 * by which calls would run. e says which; the head stays unusable. */
NODISCARD rc_t heads_give(heads_t *h, err_t *e, head_kind_t kind, const ex_header_t *header);

/* It could not be had. raw: its bytes may tell more than an answer did. */
void heads_failed(heads_t *h, head_kind_t kind, bool raw, uint64_t now_ms);

/* The newest usable head; not valid: there is none. */
static inline const lc_head_t *heads_usable(const heads_t *h, head_kind_t kind)
{
    return &h->way[kind].usable;
}

#endif
