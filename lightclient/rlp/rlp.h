/* rlp.h - RLP: strict decoder to views, encoder into the caller's buffer.
 *
 * Spec:   ethereum/execution-specs, Yellow Paper appendix B; only canonical encodings are accepted
 * Floor:  2, rlp. May include base/. No heap, I/O, clock or thread; no recursion.
 * Tests:  tests/unit/test_rlp.c, tests/fuzz/fuzz_rlp.c, vectors kind rlp
 */
#ifndef RLP_RLP_H
#define RLP_RLP_H

#include "base/bytes.h"
#include "base/rc.h"
#include "base/u256.h"

/* One decoded item: its payload, and the whole encoding with its prefix. Both borrow the input. */
typedef struct {
    bool is_list;
    view_t payload;
    view_t whole;
} rlp_item_t;

/* Takes the next item off *in and moves *in past it. The payload of a list is not looked into.
 *   out, in  written only on RC_OK
 * RC_MALFORMED: short input, or a prefix that is not canonical. */
NODISCARD rc_t rlp_next(rlp_item_t *out, view_t *in);

/* Decodes exactly one item that spans all of in. RC_MALFORMED also for trailing bytes. */
NODISCARD rc_t rlp_decode(rlp_item_t *out, view_t in);

/* Splits the payload of a list into at most cap items. *count is their number.
 * RC_MALFORMED: an item does not parse; RC_LIMIT: more than cap items. Outputs are undefined on failure. */
NODISCARD rc_t rlp_split(rlp_item_t *items, size_t *count, size_t cap, view_t list_payload);

/* How many items a list has. RC_MALFORMED: it is none, or an item does not parse. */
NODISCARD rc_t rlp_count(size_t *out, const rlp_item_t *list);

/* A string item as a number without leading zeros. RC_MALFORMED: a list, leading zeros, or too many bytes. */
NODISCARD rc_t rlp_u64(uint64_t *out, const rlp_item_t *item);
NODISCARD rc_t rlp_u256(u256_t *out, const rlp_item_t *item);

/* Copies a string item of exactly n bytes. RC_MALFORMED otherwise. */
NODISCARD rc_t rlp_fixed(void *out, size_t n, const rlp_item_t *item);

/* Encoders: append one item; the writer turns bad when its buffer is full. */
void rlp_put_bytes(wr_t *w, view_t bytes);
void rlp_put_u64(wr_t *w, uint64_t x);
void rlp_put_u256(wr_t *w, const u256_t *x);

/* Length of the prefix of a list (or of a string other than one byte below 0x80) with n payload bytes: 1 to 9. */
size_t rlp_prefix_len(size_t n);

/* Appends a list prefix for n payload bytes, which the caller appends after it. */
void rlp_put_list_prefix(wr_t *w, size_t n);

/* Makes a list of what was written since w->n was began: the payload is moved up and the prefix put before it. The
 * writer turns bad when full. */
void rlp_wrap_list(wr_t *w, size_t began);

#endif
