/* peer.h - evmone's baseline interpreter and precompiles in the process that measures ours: what the shared object gives
 * that tests/bench/evmone/build makes. */
#ifndef TESTS_BENCH_EVMONE_PEER_H
#define TESTS_BENCH_EVMONE_PEER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that an execution reads, and where its output goes. */
typedef struct {
    const uint8_t *code; /* of a call */
    size_t code_len;
    const uint8_t *input;
    size_t input_len;
    uint8_t *out;
    size_t out_cap;
    size_t out_len; /* set; what is beyond out_cap is left out */
    int64_t gas;    /* set; without intrinsic gas */
} peer_run_t;

/* A call under Osaka's rules, the analysis of its code included, in a world without storage and other accounts. 0: it
 * succeeds. */
int peer_call(peer_run_t *run);

/* A precompile under Osaka's rules. 0: it succeeds. */
int peer_precompile(peer_run_t *run, unsigned index);

#ifdef __cplusplus
}
#endif

#endif
