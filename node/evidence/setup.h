/* setup.h - what the accepted setup means, in the words of rpc/api/setup_statement.h: made once when a service begins,
 * and constant from then on.
 *
 * Floor:  5, node/evidence. No I/O; texts in the caller's arena.
 * Tests:  tests/unit/test_setup.c
 */
#ifndef NODE_EVIDENCE_SETUP_H
#define NODE_EVIDENCE_SETUP_H

#include "node/config/config.h"
#include "node/setup/checkpoint.h"
#include "rpc/api/setup_statement.h"

typedef struct {
    setup_cluster_t cluster; /* cluster.rules: the rules of answering */
    view_t cluster_text;     /* the cluster statement, canonical JSON */
    hash32_t hash;           /* its SHA-256: `setup` in every signed statement */
    setup_node_t node;
    view_t node_text; /* the node statement, canonical JSON */
    hash32_t node_hash;
} setup_t;

/* What a configuration does not say. */
typedef struct {
    bool simulated; /* our own quote does not lead to Intel's root */
    const char *const *flags, *const
                                  *environment; /* names that the program's start may set, up to a NULL; NULL: none */
    uint64_t now_s;                             /* Unix seconds: which forks are in force */
    const checkpoint_t *start; /* where a node that begins a cluster begins; NULL: the configuration's root */
} setup_world_t;

/* Makes both statements of a node that begins a cluster. out written only on RC_OK; it borrows from c and world, and
 * its texts are in the arena. RC_NOMEM; RC_BUG: the configuration says what has no place in a statement. */
NODISCARD rc_t setup_make(setup_t *out, err_t *e, arena_t *a, const config_t *c, const setup_world_t *world);

/* Makes both statements of a node that joins: takes a cluster's statement over, after comparing every member of it with
 * what this configuration would say. The checkpoint is compared when the configuration names one, and of a quorum how
 * many servers there are: a node that joins follows the chain from what members name in any case.
 *   text  the cluster statement; the bytes whose SHA-256 is expected
 * As setup_make; RC_MALFORMED, RC_LIMIT: no statement; RC_REFUSED: the member that differs is named in e, or the text
 * has another hash. */
NODISCARD rc_t setup_join(setup_t *out, err_t *e, arena_t *a, const config_t *c, const setup_world_t *world,
                          view_t text, const hash32_t *expected);

/* The rules of answering of this program, on a network. */
setup_rules_t setup_rules(const lc_network_t *net);

#endif
