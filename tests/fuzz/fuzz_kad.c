/* An answer, and a search that gets nothing but this answer: it ends, asks no more than it may, and dials nothing
 * within. */
#include <stdlib.h>

#include "overlay/lookup.h"
#include "tests/fuzz/fuzz.h"

static void check_try(const lookup_t *l, const lookup_try_t *t)
{
    if (t->at.circuit || !t->at.peer.n || !maddr_is_public(&t->at))
        abort();
    if (t->target != peerid_eq(&t->at.peer, &l->target))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static lookup_t l;
    static const peerid_t target = { .n = 34, .b = { 0x12, 0x20, 1 } }, self = { .n = 34, .b = { 0x12, 0x20, 2 } };
    static const maddr_t seed = {
        .host = MADDR_IP4, .ip = { 198, 51, 100, 1 }, .port = 1, .peer = { .n = 34, .b = { 0x12, 0x20, 3 } }
    };
    unsigned tries = 0;
    lookup_init(&l, &target, &self, 0);
    if (lookup_seed(&l, &seed))
        abort();
    for (size_t t; (t = lookup_next(&l, 0)) != LOOKUP_NONE;) {
        check_try(&l, &l.tries[t]);
        if (l.tries[t].target)
            lookup_failed(&l, t);
        else
            lookup_answer(&l, t, view_of(data, len));
        if (++tries > LOOKUP_ASKED_MAX + LOOKUP_TARGET_ADDRS)
            abort();
    }
    if (!lookup_over(&l, 0) || l.known_count > LOOKUP_KNOWN || l.asked_count > LOOKUP_ASKED_MAX)
        abort();
    return 0;
}
