/* kept.h - filters that outlive the program: each in a file of its own in the state directory, sealed by a key of the
 * TEE provider, so that whoever reads the disk learns nothing of what is asked for. A file that was changed does not
 * open; one that was put back tells again what was told already, which is all that the disk can do.
 *
 * Plaintext: version u8 = 2, kind u8, length of the id u8, id, number u64 be, hash, count u8 and so many hashes of the
 * blocks below, criteria. File: nonce, sealed by XChaCha20-Poly1305 with the slot as associated data
 * (base/os/persist.h around it).
 *
 * Floor:  5, node.
 * Tests:  tests/unit/test_kept.c, tests/fuzz/fuzz_kept.c
 */
#ifndef NODE_KEPT_H
#define NODE_KEPT_H

#include "base/arena.h"
#include "base/err.h"
#include "rpc/api/filter.h"

#define KEPT_KEY_LEN 32u
#define KEPT_SLOTS 1024u
#define KEPT_SEAL_PATH "kettle/seal/filters/1" /* of the provider's key */

#define KEPT_BELOW_MAX 8u

/* A filter, and up to which block it has told everything. below: that block's parent, its parent and so on, above which
 * it has told nothing; it may go on from there when the block does not stand any more. */
typedef struct {
    char id[API_WATCH_ID_LEN + 1];
    api_watch_t kind;
    uint64_t number;
    hash32_t hash;
    hash32_t below[KEPT_BELOW_MAX];
    unsigned below_count;
    view_t criteria;
} kept_t;

/* Seals a filter for a slot, and opens what a slot holds. out's views are in the arena. RC_NOMEM; of kept_open also
 * RC_REFUSED: not sealed so for this slot; RC_MALFORMED: sealed, and no filter of this version. */
NODISCARD rc_t kept_seal(view_t *out, arena_t *a, const kept_t *f, const uint8_t nonce[24],
                         const uint8_t key[KEPT_KEY_LEN], unsigned slot);
NODISCARD rc_t kept_open(kept_t *out, arena_t *a, view_t sealed, const uint8_t key[KEPT_KEY_LEN], unsigned slot);

/* The same with the file of a slot in a folder, which is made when it is missing. RC_IO, RC_NOMEM. *found: there is a
 * file. */
NODISCARD rc_t kept_write(err_t *e, const char *dir, const kept_t *f, const uint8_t key[KEPT_KEY_LEN], unsigned slot);
NODISCARD rc_t kept_read(kept_t *out, bool *found, err_t *e, arena_t *a, const char *dir,
                         const uint8_t key[KEPT_KEY_LEN], unsigned slot);
void kept_remove(const char *dir, unsigned slot);

#endif
