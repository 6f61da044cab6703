/* framing.h - where a request begins and ends, checked before anything else is read of it: what two servers could
 * understand differently is refused, so that nothing in it is taken for a request of its own.
 *
 * Spec:   RFC 9112 sections 3, 3.2, 5.1, 6.1, 6.3; RFC 9110 section 5.5
 * Floor:  2, http. No I/O, clock, heap.
 * Tests:  tests/unit/test_framing.c, tests/fuzz/fuzz_framing.c
 */
#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include "base/bytes.h"

/* What is known of a request so far; zeroed at first. */
typedef struct {
    unsigned hosts, lengths, codings;
    bool bad_field, bad_host, bad_length, chunked;
} framing_t;

/* Takes one header field, as it came, without the space around its value. */
void framing_field(framing_t *f, view_t name, view_t value);

/* All fields were taken. method, target, version: of the request line, as it came. NULL: the request is well framed;
 * else what is wrong, for the answer of *status, after which the connection has to be closed. */
const char *framing_fault(int *status, const framing_t *f, const char *method, const char *target, const char *version);

#endif
