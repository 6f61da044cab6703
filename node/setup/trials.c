#include "node/setup/trials.h"

#include <string.h>

uint64_t trials_take(trials_t *t, const uint8_t client[CLIENT_KEY_LEN], uint64_t now_ms)
{
    uint64_t last_ms = 0, own_ms = 0; /* of those that count, the oldest one that keeps others from it */
    unsigned all = 0, own = 0;
    for (size_t i = 0; i < TRIALS_KEPT && t->rows[i].at_ms && now_ms - t->rows[i].at_ms < TRIALS_MS; i++) {
        const uint64_t until_ms = t->rows[i].at_ms + TRIALS_MS;
        if (++all == TRIALS_MAX)
            last_ms = until_ms;
        if (memcmp(t->rows[i].client, client, CLIENT_KEY_LEN) == 0 && ++own == TRIALS_OF_ONE)
            own_ms = until_ms;
    }
    if (last_ms && own_ms)
        return (last_ms < own_ms ? last_ms : own_ms) - now_ms;
    memmove(t->rows + 1, t->rows, sizeof t->rows - sizeof t->rows[0]);
    t->rows[0].at_ms = now_ms;
    memcpy(t->rows[0].client, client, CLIENT_KEY_LEN);
    return 0;
}
