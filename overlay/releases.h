/* releases.h - the log of key releases: who gave which generation's key to whom. Each node writes its own as a chain of
 * entries that it signs, each naming the one before, and keeps those of the others as far as it was told.
 *
 * "The same on all" holds at rest, and for givers that were honest: one that leaves an entry out, or shows two of one
 * number, is not stopped by this; two such entries are both kept, and prove it. Entries of givers that nobody attested
 * here make room first, then the oldest of the giver with the most.
 *
 * Entry, big-endian: `kettle-release/1`, giver 33, number u64 (from 0), digest of the giver's entry before 32 (zeros:
 * the first), slot u64 (of the giver's verified head), generation: version u64, order 32, index u8; draft u8 (1: given
 * before it was committed), receiver 33, receiver's platform 32, measurement 32 (mattest_measurement), version of the
 * order in force u64; the signature 64 of the giver over SHA-256 of all before it.
 *
 * Spec:   overlay-facts-more D12, H
 * Floor:  4, overlay. No I/O, clock or thread; entries are kept on the heap, RELEASES_MAX of them.
 * Tests:  tests/unit/test_releases.c, tests/fuzz/fuzz_release.c
 */
#ifndef OVERLAY_RELEASES_H
#define OVERLAY_RELEASES_H

#include "base/crypto/ecdsa.h"
#include "base/crypto/keyring.h"
#include "base/err.h"

#define RELEASE_BODY_LEN (16u + 33u + 8u + 32u + 8u + 41u + 1u + 33u + 32u + 32u + 8u)
#define RELEASE_LEN (RELEASE_BODY_LEN + 64u)
#define RELEASES_MAX 1024u     /* that are kept */
#define RELEASES_TOLD_MAX 200u /* of our own, the newest, that are told to others at once */

/* One key that went out. */
typedef struct {
    uint8_t giver[33]; /* static keys */
    uint64_t number;
    hash32_t previous;
    uint64_t slot;
    key_name_t name;
    bool is_draft;
    uint8_t receiver[33];
    hash32_t platform, measurement;
    uint64_t order_version;
} release_t;

typedef struct {
    release_t release;
    hash32_t digest; /* that the signature is over, and the next entry names */
    uint8_t signature[64];
} release_signed_t;

/* Writes RELEASE_LEN bytes, or turns w bad. */
void release_write(wr_t *w, const release_signed_t *r);

/* Reads exactly RELEASE_LEN bytes; the signature is not checked. out written only on RC_OK. RC_MALFORMED, with the
 * field. */
NODISCARD rc_t release_read(release_signed_t *out, err_t *e, view_t in);

/* That it is its giver's. RC_REFUSED. */
NODISCARD rc_t release_judge(err_t *e, const release_signed_t *r, const ecdsa_t *ecdsa);

typedef struct releases releases_t;

typedef struct {
    uint8_t self[33];
    rc_t (*sign)(void *ctx, uint8_t out[64], const hash32_t *digest); /* by it: compact, low s */
    void *sign_ctx;
    const ecdsa_t *ecdsa; /* borrowed */
} releases_config_t;

/* An empty log. RC_NOMEM. */
NODISCARD rc_t releases_new(releases_t **out, const releases_config_t *config);
void releases_free(releases_t *l);

/* We gave a key: adds an entry, whose giver, number and previous are filled in here. What sign returns. */
NODISCARD rc_t releases_add(releases_t *l, err_t *e, const release_t *what);

/* Entries that their giver says (giver NULL: of any, as they were kept), one after the other; all are checked before
 * one is taken, and known ones are passed over.
 *   is_attested  the giver is a member that we attested
 * RC_MALFORMED; RC_REFUSED: not of this giver, or not signed by him; RC_LIMIT: too many, or there is no room. */
NODISCARD rc_t releases_take(releases_t *l, err_t *e, const uint8_t *giver, view_t entries, bool is_attested);

/* Writes our own, so many of the newest; all that are kept. */
void releases_write_own(wr_t *w, const releases_t *l, uint64_t newest);
void releases_write(wr_t *w, const releases_t *l);

/* The entries that are kept, by giver and number; i below the count. */
size_t releases_count(const releases_t *l);
const release_signed_t *releases_at(const releases_t *l, size_t i);

/* Whether the log is known to hold another entry of the same giver and number. */
bool releases_contradicted(const releases_t *l, size_t i);

/* How many had to make room; how many ever came. */
uint64_t releases_dropped(const releases_t *l);
uint64_t releases_arrived(const releases_t *l);

#endif
