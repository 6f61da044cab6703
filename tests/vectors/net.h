/* net.h - the network of a recorded devnet chain, from its meta.json. */
#ifndef TESTS_VECTORS_NET_H
#define TESTS_VECTORS_NET_H

#include "lightclient/consensus/forks.h"
#include "tests/vectors/vec.h"

/* Fills *out from devnet/<chain>/meta.json; false when they are missing. */
bool vec_network(vec_t *v, lc_network_t *out, const char *chain);

#endif
