/* A statement that reads is written again byte by byte, and is what it is compared with; it never crashes. */
#include <stdlib.h>

#include "rpc/api/setup_statement.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    err_t e;
    view_t again;
    setup_cluster_t c;
    setup_node_t n;
    arena_init(&a, 1 << 20);
    if (setup_cluster_read(&c, &e, &a, view_of(data, len)) == RC_OK) {
        if (setup_cluster_write(&again, NULL, &a, &c) || !view_eq(again, view_of(data, len)))
            abort();
        if (setup_cluster_check(&c, &e, &c))
            abort();
    }
    if (setup_node_read(&n, &e, &a, view_of(data, len)) == RC_OK)
        if (setup_node_write(&again, NULL, &a, &n) || !view_eq(again, view_of(data, len)))
            abort();
    arena_free(&a);
    return 0;
}
