/* journal.h - the accepted light-client objects that a restart replays: bootstrap, updates that moved the store, and
 * the last finality update, as one file that is replaced atomically.
 *
 * Layout: "LCJ", version (1 byte); then records of kind (1 byte), fork (1 byte), length (4 bytes, little endian), SSZ
 * object; all inside base/os/persist.h's envelope. A file of another version is not taken, which the log says.
 *
 * Floor:  5, node/chain.
 * Tests:  tests/unit/test_journal.c, tests/fuzz/fuzz_journal.c
 */
#ifndef NODE_CHAIN_JOURNAL_H
#define NODE_CHAIN_JOURNAL_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/os/persist.h"
#include "lightclient/consensus/sync.h"

#define JOURNAL_MAX ((size_t)32 << 20) /* bytes of records: more than 1,000 periods */
#define JOURNAL_VERSION 2u             /* 1 had no head */

/* Takes one record; anything but RC_OK ends the reading. */
typedef rc_t (*journal_take_fn)(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz);

typedef struct {
    uint8_t *records; /* bootstrap and updates, in the order of acceptance */
    size_t len, cap;
    uint8_t *finality; /* last finality update, as one record */
    size_t finality_len;
    bool dirty;
    persist_told_t told;
} journal_t;

/* Notes an accepted object; moved is what lc_sync_input said. Objects that a restart does not need are passed over.
 * When memory is short the object is left out: a restart then asks the network for it. */
void journal_note(journal_t *j, lc_kind_t kind, lc_fork_t fork, view_t ssz, unsigned moved);

/* Writes the file when something changed since the last time; a failure is told once, and it is tried again each time.
 * dir NULL: nothing is kept. */
void journal_save(journal_t *j, const char *dir);

/* Reads the file and hands each record to take, until take refuses one. A missing file gives none; a damaged one, and
 * one of another version, gives a line in the log. dir NULL: nothing was kept. */
void journal_replay(const char *dir, journal_take_fn take, void *ctx);

/* Hands over the records of a file's payload, for journal_replay and its fuzz target.
 * RC_UNSUPPORTED: another version; RC_MALFORMED at the first bad record; otherwise what take returned. */
NODISCARD rc_t journal_decode(err_t *e, view_t payload, journal_take_fn take, void *ctx);

/* Frees the records. */
void journal_clear(journal_t *j);

#endif
