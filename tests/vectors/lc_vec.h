/* lc_vec.h - what the light-client vector kinds share: a network from a beacon configuration. */
#ifndef TESTS_LC_VEC_H
#define TESTS_LC_VEC_H

#include "lightclient/consensus/store.h"
#include "tests/vectors/vec.h"

/* An empty network: no fork scheduled, the minimal preset. */
lc_network_t lcv_network(void);

/* Takes one name and value of a beacon configuration ("DENEB_FORK_EPOCH", "0"); others are ignored. */
void lcv_set(lc_network_t *net, const char *key, const char *value);

/* The same for all lines "KEY: value" of a YAML file without nesting. */
void lcv_set_yaml(lc_network_t *net, view_t yaml);

#endif
