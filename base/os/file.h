/* file.h - one bounded reader of files: regular ones, pipes, and those of /proc and /sys, which say that they are
 * empty.
 *
 * Floor:  1, base/os.
 * Tests:  tests/unit/test_file.c
 */
#ifndef BASE_OS_FILE_H
#define BASE_OS_FILE_H

#include "base/bytes.h"
#include "base/err.h"

enum {
    FILE_DASH_IS_STDIN = 1, /* "-" is standard input */
    FILE_PLAIN = 2,         /* only a regular file under its own name: no link, pipe or device; never waits */
    FILE_REGULAR = 4        /* only a regular file, also by a link: no pipe or device; never waits */
};

/* Reads a file whole.
 *   out  written only on RC_OK; on the heap with a NUL behind it, not NULL even when empty; give it to file_free
 *   e    names the path and the reason; its code is the errno with RC_IO
 * RC_IO; RC_LIMIT: more than max bytes; RC_REFUSED: FILE_PLAIN or FILE_REGULAR, and another kind of file;
 * RC_NOMEM. */
NODISCARD rc_t file_read(view_t *out, err_t *e, const char *path, size_t max, unsigned flags);

/* Whether a regular file is there, also by a link: one that can be opened without waiting. For libraries that open it
 * themselves. */
bool file_is_regular(const char *path);

/* A copy, to be given to file_free; p NULL: out of memory. */
view_t file_dup(view_t text);

/* Frees what file_read gave; an empty view is allowed. */
void file_free(view_t file);

#endif
