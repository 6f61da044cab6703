/* made.h - a made-up chain of the newest fork with 512 committee members whose secrets are known: a bootstrap, and
 * optimistic updates with any number of absent members. */
#ifndef TESTS_BENCH_MADE_H
#define TESTS_BENCH_MADE_H

#include <blst.h>

#include "lightclient/consensus/forks.h"
#include "lightclient/consensus/types.h"

#define MADE_MEMBERS 512u
#define MADE_OBJECT_MAX 26000u

typedef struct {
    uint8_t ssz[MADE_OBJECT_MAX];
    size_t len;
} made_object_t;

typedef struct {
    lc_network_t network;
    blst_scalar secrets[MADE_MEMBERS];
    lc_committee_t committee;
    hash32_t checkpoint; /* root of the bootstrap's header */
    uint64_t slot;       /* of the bootstrap's header */
} made_chain_t;

/* The chain; large: static storage. */
void made_chain(made_chain_t *c, made_object_t *bootstrap);

/* The optimistic update whose attested header is n slots after the bootstrap's and is signed one slot later by all but
 * the first absent members. */
void made_optimistic(made_object_t *out, const made_chain_t *c, uint64_t n, unsigned absent);

/* Unix milliseconds at which that update is young. */
uint64_t made_now_ms(const made_chain_t *c, uint64_t n);

#endif
