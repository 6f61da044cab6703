/* persist.h - small files of the state directory, replaced atomically and checked for damage (not for forgery: what
 * is read is verified again by whoever uses it).
 *
 * Layout: "KETTLE1\n", SHA-256 of the payload, payload.
 *
 * Floor:  1, base/os.
 * Tests:  tests/unit/test_persist.c
 */
#ifndef BASE_OS_PERSIST_H
#define BASE_OS_PERSIST_H

#include "base/bytes.h"
#include "base/err.h"

#define PERSIST_HEAD 40u /* bytes before the payload */

/* Replaces dir/name by payload: written beside it, flushed, renamed, folder flushed. The folder is made (mode 0700)
 * when missing. On failure the old file is untouched and e names path and cause.
 * RC_IO; RC_BUG: a name longer than any of this program's. */
NODISCARD rc_t persist_write(err_t *e, const char *dir, const char *name, view_t payload);

/* A file that is written again and again: that it cannot be is told once, and so is that it can again. Zeroed
 * before. */
typedef struct {
    bool failing;
} persist_told_t;

/* Logs what has changed with this writing, under an event of the log; before: in front of the reason ("a record is not
 * kept: "). True: it was written; else the caller tries again. */
bool persist_tell(persist_told_t *told, const char *event, const char *before, rc_t rc, const err_t *e);

/* Whether files of dir can be written: makes the folder when missing, and a file in it that is removed again.
 * RC_IO; e names the path and the cause. */
NODISCARD rc_t persist_check(err_t *e, const char *dir);

/* Reads dir/name.
 *   out    the payload, to be given to file_free (base/os/file.h); empty unless it was found
 *   found  false, with RC_OK, when there is no such file
 * RC_MALFORMED: damaged; RC_LIMIT: payload larger than max; RC_IO; RC_NOMEM. */
NODISCARD rc_t persist_read(view_t *out, bool *found, err_t *e, const char *dir, const char *name, size_t max);

#endif
