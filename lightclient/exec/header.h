/* header.h - execution block header: RLP form and hash, London through Amsterdam.
 *
 * Spec:   execution-specs; EIP-1559, 3675, 4895, 4844, 4788, 7685, 7928, 7843 for the optional tail
 * Floor:  2, exec. May include base/, rlp/, mpt/, evm/. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_header.c, tests/fuzz/fuzz_header.c, vectors kind headers
 */
#ifndef EXEC_HEADER_H
#define EXEC_HEADER_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/rc.h"
#include "base/u256.h"
#include "lightclient/evm/evm.h"

#define EX_HEADER_RLP_MAX 1024u
#define EX_EXTRA_DATA_MAX 32u
#define EX_HEADER_FIXED 15u /* fields that each header has, up to and including the nonce */

/* keccak256(rlp([])): the ommers hash of a block without ommers. */
extern const hash32_t EX_NO_OMMERS;

typedef struct {
    hash32_t parent_hash;
    hash32_t ommers_hash;
    addr_t coinbase;
    hash32_t state_root;
    hash32_t transactions_root;
    hash32_t receipts_root;
    uint8_t logs_bloom[256];
    u256_t difficulty;
    uint64_t number;
    uint64_t gas_limit;
    uint64_t gas_used;
    uint64_t timestamp;
    uint8_t extra_data[EX_EXTRA_DATA_MAX];
    uint8_t extra_data_len;
    hash32_t mix_hash; /* prev_randao */
    uint8_t nonce[8];
    unsigned tail; /* how many of the fields below are present, in this order: 0 before London, 1 London, 2 Shanghai,
                    * 5 Cancun, 6 Prague and Osaka, 8 Amsterdam */
    u256_t base_fee;
    hash32_t withdrawals_root;
    uint64_t blob_gas_used;
    uint64_t excess_blob_gas;
    hash32_t parent_beacon_root;
    hash32_t requests_hash;
    hash32_t block_access_list_hash; /* keccak256 of the block access list's RLP */
    uint64_t slot_number;            /* the beacon slot of the block's payload */
} ex_header_t;

/* Whether it has a slot number: from Amsterdam on. */
static inline bool ex_header_has_slot(const ex_header_t *h)
{
    return h->tail >= 8;
}

/* How many of a header's optional fields a fork has (ex_header_t tail); 0: it is not known. */
unsigned ex_header_tail(evm_fork_t fork);

/* Whether some known fork has so many. */
bool ex_header_tail_known(size_t tail);

/* Whether a header whose hash is proven has the fields of the fork that the chain's schedule has at its time, and no
 * more blobs than that allows. RC_UNSUPPORTED: it has not, so that the schedule is not that of the chain, which e says.
 * Of a fork that is known by its time alone nothing can be said. */
NODISCARD rc_t ex_header_fits(err_t *e, const ex_header_t *h, const evm_chain_t *chain);

/* The same of the blobs of a proven block alone. */
NODISCARD rc_t ex_blobs_fit(err_t *e, uint64_t blob_gas_used, uint64_t timestamp, const evm_chain_t *chain);

/* Appends the RLP form, at most EX_HEADER_RLP_MAX bytes. The writer turns bad when it is full, or when extra_data_len
 * or tail holds a value that no header has. */
void ex_header_encode(wr_t *w, const ex_header_t *h);

/* Decodes the RLP of one header whose hash must be expected.
 * RC_MALFORMED: not a header, or longer than EX_HEADER_RLP_MAX; RC_REFUSED: another hash. out is written only on RC_OK.
 */
NODISCARD rc_t ex_header_verify(ex_header_t *out, const hash32_t *expected, view_t rlp);

/* RC_OK when h's hash is expected, RC_REFUSED otherwise (fields came from JSON). */
NODISCARD rc_t ex_header_check(const ex_header_t *h, const hash32_t *expected);

/* keccak256(rlp(h)); zero when h cannot be encoded. */
void ex_header_hash(hash32_t *out, const ex_header_t *h);

#endif
