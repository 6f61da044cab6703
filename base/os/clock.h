/* clock.h - the wall clock, as a function that tests and benches replace.
 *
 * Floor:  1, base/os.
 */
#ifndef BASE_OS_CLOCK_H
#define BASE_OS_CLOCK_H

#include <stdint.h>

/* Unix time in milliseconds. */
typedef uint64_t (*clock_fn)(void);

/* The system's clock. */
uint64_t clock_system_ms(void);

/* Milliseconds that only ever grow, for durations. */
uint64_t clock_monotonic_ms(void);

/* The same by the bare counter: what corrects the system's clock does not touch it. For how long it was, see
 * node/chain/timebound.h. */
uint64_t clock_raw_ms(void);

#endif
