/* estimate.h - the least gas with which a request succeeds, found as geth finds it; and what a request touches, as an
 * access list. Programs of exec/call.h.
 *
 * Spec:   go-ethereum eth/gasestimator (error ratio 0.015), eth/tracers/logger/access_list_tracer.go; EIP-2930
 * Floor:  2, exec. May include base/, evm/. No I/O, clock or thread.
 * Tests:  tests/unit/test_methods_call.c
 */
#ifndef EXEC_ESTIMATE_H
#define EXEC_ESTIMATE_H

#include "lightclient/exec/call.h"

typedef struct {
    ex_program_t program; /* EX_ESTIMATE */
    uint64_t gas;         /* the result, unless */
    bool failed;          /* it fails with the most gas that it may have: then result says how */
    evm_result_t result;
} ex_estimate_t;

typedef struct {
    ex_program_t program;     /* EX_ACCESS_LIST */
    const evm_access_t *list; /* in the order of addresses, and of keys; without sender, receiver, precompiles and who
                               * signed an authorization */
    size_t count;
    evm_result_t result; /* of the run with this list */
} ex_access_list_t;

/* The function of each: rc and e as eth_call's, but RC_REFUSED in the words of these methods. */
rc_t ex_estimate_run(ex_program_t *p, err_t *e, const ex_run_t *on);
rc_t ex_access_list_run(ex_program_t *p, err_t *e, const ex_run_t *on);

#define EX_ESTIMATE                                                                                                    \
    {                                                                                                                  \
        .run = ex_estimate_run                                                                                         \
    }
#define EX_ACCESS_LIST                                                                                                 \
    {                                                                                                                  \
        .run = ex_access_list_run                                                                                      \
    }

#endif
