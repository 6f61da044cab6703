/* memory.h - what the system's allocator keeps of memory that was freed.
 *
 * Floor:  1, base/os. Any thread.
 * Tests:  tests/unit/test_memory.c; build/bench given-back
 */
#ifndef BASE_OS_MEMORY_H
#define BASE_OS_MEMORY_H

#define MEMORY_ARENAS 2 /* heaps that threads share; each keeps what it once needed most, until memory_give_back */

/* Bounds the heaps. Before the first thread. */
void memory_begin(void);

/* Gives whole free pages of all heaps back to the system, some milliseconds of work. */
void memory_give_back(void);

#endif
