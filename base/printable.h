/* printable.h - foreign text for a terminal: nothing of it moves the cursor, ends the line, or turns the text around.
 *
 *     for (view_t left = text; left.n;)
 *         fwrite(shown, 1, printable_next(shown, &left, PRINTABLE_LINE), stdout);
 *
 * Floor:  1, base. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_printable.c
 */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

#include "base/bytes.h"

#define PRINTABLE_MAX 12u /* bytes that a character becomes, at most */

typedef enum {
    PRINTABLE_LINE, /* within one line: "\x1b", "\x0a", "\u202e"; a byte that is no UTF-8: "\xff" */
    PRINTABLE_JSON /* the text of JSON, which stays JSON of the same meaning: "\u001b"; line ends between values stay */
} printable_t;

/* Takes a character off left, which is not empty, and writes what stands for it. Returns the number of bytes. */
size_t printable_next(char out[PRINTABLE_MAX], view_t *left, printable_t form);

#endif
