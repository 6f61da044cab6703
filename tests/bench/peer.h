/* peer.h - evmone in this process, where KETTLE_EVMONE names the shared object that tests/bench/evmone/build makes. */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H

#include <stdbool.h>

#include "tests/bench/evmone/peer.h"

typedef struct {
    int (*call)(peer_run_t *run); /* NULL: there is no peer */
    int (*precompile)(peer_run_t *run, unsigned index);
} peer_t;

/* Opens it; without KETTLE_EVMONE both are NULL. False: it is named and cannot be used. */
bool peer_open(peer_t *out);

#endif
