/* hive.h - the recorded chain of the kinds rpc-hive and rpc-hive-derived as an upstream, and POST /rpc over it. */
#ifndef TESTS_HIVE_H
#define TESTS_HIVE_H

#include "rpc/api/rpc.h"
#include "tests/vectors/upstream.h"
#include "tests/vectors/vec.h"

typedef struct hive hive_t;

/* Reads the chain, its receipts and its state. NULL: it is not there, or something is wrong with it, which is counted. */
hive_t *hive_open(vec_t *v);
void hive_close(hive_t *h);

/* The answer to a request object, as POST /rpc gives it at the chain's head. The caller decrefs. round_trips may be
 * NULL. */
json_t *hive_serve(hive_t *h, const json_t *request);

#endif
