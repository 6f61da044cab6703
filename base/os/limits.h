/* limits.h - what the system grants the process.
 *
 * Floor:  1, base/os.
 * Tests:  tests/unit/test_limits.c
 */
#ifndef BASE_OS_LIMITS_H
#define BASE_OS_LIMITS_H

#include <stddef.h>

/* Raises the number of descriptors that may be open to what the process may raise it to, at most `most`. Gives it. */
size_t limits_raise_files(size_t most);

/* Of so many descriptors those that clients may have: the rest is kept for upstreams, the overlay and files. */
size_t limits_for_clients(size_t files, size_t wanted);

#endif
