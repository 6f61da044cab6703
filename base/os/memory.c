#include "base/os/memory.h"

#include <malloc.h>

#define MAPPED_MIN (32 << 20) /* bytes, the most that the allocator takes */

/* Memory of its own mapping, or at a heap's end, goes back at once, and the next call faults its pages in again:
 * that took most of the time of calls over some 100 KiB. The allocator's own rule gets there, but only by steps. */
void memory_begin(void)
{
    (void)mallopt(M_ARENA_MAX, MEMORY_ARENAS);
    (void)mallopt(M_MMAP_THRESHOLD, MAPPED_MIN);
    (void)mallopt(M_TRIM_THRESHOLD, 2 * MAPPED_MIN);
}

void memory_give_back(void)
{
    (void)malloc_trim(0);
}
