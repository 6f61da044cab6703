/* tries.h - what the endpoints of one list came to in a trial (trial.h): private to node/setup.
 *
 * Floor:  5, node/setup.
 * Tests:  tests/unit/test_trial.c
 */
#ifndef NODE_SETUP_TRIES_H
#define NODE_SETUP_TRIES_H

#include "lightclient/exec/header.h"
#include "node/setup/found.h"
#include "rpc/upstream/endpoints.h"

/* What one request of an exchange is for; exchange_t's who is TRY_WHO of it and the endpoint. */
typedef enum { TRY_CHAIN, TRY_BLOCK, TRY_PROOF, TRY_GENESIS, TRY_BOOTSTRAP } try_kind_t;
#define TRY_WHO(kind, endpoint) ((size_t)(kind)*UP_ENDPOINTS_MAX + (endpoint))

/* One list. */
typedef struct {
    const char *field; /* its key */
    up_t *up;
    size_t count;
    bool by_owner; /* whoever is told what came of it has just named them; else it may be told to anybody */
    err_t why[UP_ENDPOINTS_MAX];        /* rc RC_OK: nothing is wrong with it as far as it was tried */
    bool contradicts[UP_ENDPOINTS_MAX]; /* what is wrong will not get right by itself */
    ex_header_t head[UP_ENDPOINTS_MAX]; /* of an execution RPC */
    hash32_t head_hash[UP_ENDPOINTS_MAX];
    bool by_number[UP_ENDPOINTS_MAX];    /* ... which refused a proof by its block's hash, and is asked by number */
    bool is_of_chain[UP_ENDPOINTS_MAX];  /* of a beacon API: its genesis is the network's; */
    bool unknown[UP_ENDPOINTS_MAX];      /* it does not know the checkpoint; */
    uint64_t old_slot[UP_ENDPOINTS_MAX]; /* it has it, and it is too old; 0: not so; */
    bool as_json[UP_ENDPOINTS_MAX];      /* it is to be asked in JSON */
} tries_t;

typedef struct {
    const trial_t *trial;
    trial_found_t *found;
    arena_t *arena; /* of the requests */
    tries_t execution, consensus;
    exchange_t exchange;
} trial_run_t;

/* Notes what is wrong with an endpoint, unless something is already, and logs it with what the answer began with;
 * NULL: there is none. */
void tries_fail(tries_t *t, size_t who, const err_t *e, const hc_response_t *answer, bool contradicts);

/* The first endpoint that contradicts, or when none is good the first: its failure, under its field. RC_OK: one is
 * good. */
rc_t tries_conclude(const tries_t *t, err_t *e);

/* Each of both lists: adds the requests of a round, takes an answer, says what came of all. */
void try_execution_ask(trial_run_t *r, unsigned round);
void try_execution_take(trial_run_t *r, size_t i, try_kind_t kind, size_t endpoint);
void try_consensus_ask(trial_run_t *r, unsigned round);
void try_consensus_take(trial_run_t *r, size_t i, try_kind_t kind, size_t endpoint);
rc_t try_consensus_conclude(const trial_run_t *r, err_t *e);

#endif
