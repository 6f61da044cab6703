/* peerid.h - peer ids: the multihash of a host key, as bytes and as text.
 *
 * Text is base58btc (12D3Koo..., 16Uiu2H..., Qm...); the CID form (bafz...) is read, too. Ids are compared as their raw
 * bytes: the smaller one decides which of two connections stays.
 *
 * Spec:   libp2p/specs peer-ids/peer-ids.md
 * Floor:  4, overlay/wire. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_peerid.c, tests/fuzz/fuzz_peerid.c
 */
#ifndef OVERLAY_WIRE_PEERID_H
#define OVERLAY_WIRE_PEERID_H

#include "base/bytes.h"
#include "base/rc.h"
#include "overlay/wire/base58.h"
#include "overlay/wire/hostkey.h"

#define PEERID_MAX 44u /* bytes: a key of at most 42 bytes as it is, or SHA-256 */
#define PEERID_TEXT_MAX 61u

typedef struct {
    uint8_t n; /* 0: no id */
    uint8_t b[PEERID_MAX];
} peerid_t;

/* The id of a key. */
void peerid_of(peerid_t *out, const hostkey_t *k);

/* Takes the bytes of an id: a multihash of either kind, to its end. out written only on RC_OK. RC_MALFORMED. */
NODISCARD rc_t peerid_read(peerid_t *out, view_t bytes);

/* Takes text, base58btc or CID. out written only on RC_OK. RC_MALFORMED, RC_LIMIT. */
NODISCARD rc_t peerid_read_text(peerid_t *out, view_t text);

/* Writes text and a NUL; of no id, an empty one. */
void peerid_text(char out[PEERID_TEXT_MAX + 1], const peerid_t *id);

/* The bytes of an id. */
view_t peerid_view(const peerid_t *id);

/* Below 0, 0 or above 0: byte by byte, a beginning before what it begins. */
int peerid_cmp(const peerid_t *a, const peerid_t *b);

/* The same id? No id is like no id. */
bool peerid_eq(const peerid_t *a, const peerid_t *b);

#endif
