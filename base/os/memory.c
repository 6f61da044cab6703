#include "base/os/memory.h"

#include <malloc.h>

void memory_begin(void)
{
    (void)mallopt(M_ARENA_MAX, MEMORY_ARENAS);
}

void memory_give_back(void)
{
    (void)malloc_trim(0);
}
