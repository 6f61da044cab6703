/* journal.h - the accepted light-client objects that a restart replays: bootstrap, updates that moved the store, and
 * the last finality update, as one file that is replaced atomically.
 *
 * Layout: records of kind (1 byte), fork (1 byte), length (4 bytes, little endian), SSZ object; inside
 * base/os/persist.h's envelope.
 *
 * Floor:  5, node/chain.
 * Tests:  tests/unit/test_journal.c, tests/fuzz/fuzz_journal.c
 */
#ifndef NODE_CHAIN_JOURNAL_H
#define NODE_CHAIN_JOURNAL_H

#include "base/bytes.h"
#include "base/rc.h"
#include "lightclient/consensus/sync.h"

#define JOURNAL_MAX ((size_t)32 << 20) /* bytes: more than 1,000 periods */

typedef struct {
    uint8_t *records; /* bootstrap and updates, in the order of acceptance */
    size_t len, cap;
    uint8_t *finality; /* last finality update, as one record */
    size_t finality_len;
    bool dirty;
} journal_t;

/* Notes an accepted object; moved is what lc_sync_input said. Objects that a restart does not need are passed over.
 * When memory is short the object is left out: a restart then asks the network for it. */
void journal_note(journal_t *j, lc_kind_t kind, lc_fork_t fork, view_t ssz, unsigned moved);

/* Writes the file when something changed since the last time; a failure is logged and tried again with the next change.
 * dir NULL: nothing is kept. */
void journal_save(journal_t *j, const char *dir);

/* Reads the file and hands each record to take, until take refuses one. A missing or damaged file gives none. */
void journal_replay(const char *dir, rc_t (*take)(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz), void *ctx);

/* The records of a file's payload, for journal_replay and its fuzz target. RC_MALFORMED at the first bad one;
 * otherwise what take returned. */
NODISCARD rc_t journal_decode(view_t payload, rc_t (*take)(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz),
                              void *ctx);

/* Frees the records. */
void journal_clear(journal_t *j);

#endif
