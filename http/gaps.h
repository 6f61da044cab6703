/* gaps.h - what libmicrohttpd does not show of a request's head: before 0.9.77 it cuts a target or a field at a NUL,
 * and drops or joins what a line that begins with a space adds to the one before. Another server, in front of this one,
 * may understand such a head differently.
 *
 * Its names and values point into the head as it came, with NULs in the places of its delimiters. So each begins where
 * the one before has ended, a return and a line feed behind it; a head of which that is not true is refused. Newer
 * versions of the library refuse such heads by themselves.
 *
 * Floor:  2, http. No I/O.
 * Tests:  tests/unit/test_framing.c
 */
#ifndef HTTP_GAPS_H
#define HTTP_GAPS_H

#include <stdbool.h>
#include <stddef.h>

/* Where the next line begins, and whether something was left out before it. */
typedef struct {
    const char *next;
    bool found;
} gaps_t;

/* The request line: its target as it came and its length, and the version behind it. */
void gaps_line(gaps_t *g, const char *target, size_t len, const char *version);

/* The next field. */
void gaps_field(gaps_t *g, const char *name, const char *value, size_t value_len);

/* Whether something was left out, now that all fields have come. */
bool gaps_found(const gaps_t *g);

#endif
