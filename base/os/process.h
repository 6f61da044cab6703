/* process.h - what this process uses of the machine.
 *
 * Floor:  1, base/os. Any thread.
 * Tests:  tests/unit/test_metrics.c
 */
#ifndef BASE_OS_PROCESS_H
#define BASE_OS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint64_t cpu_ms;              /* user and system, of all threads */
    uint64_t memory, memory_most; /* bytes in memory now, and at most so far */
    uint64_t files, files_max;    /* descriptors that are open, and that may be */
    uint64_t threads;
} process_use_t;

/* What cannot be read is 0. */
void process_use(process_use_t *out);

/* Bytes that are free for this program on the file system of a folder, and that it has in all. False: not known. */
bool process_disk(uint64_t *free_bytes, uint64_t *all, const char *dir);

#endif
