/* devnet.h - the two parts of the kind devnet: recordings of local chains of real clients. */
#ifndef TESTS_VECTORS_DEVNET_H
#define TESTS_VECTORS_DEVNET_H

#include "tests/vectors/vec.h"

/* The consensus side: light-client objects and forged ones. */
void devnet_beacon(vec_t *v);

/* The execution side: headers, proofs, codes, calls. */
void devnet_exec(vec_t *v);

#endif
