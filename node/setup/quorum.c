#include "node/setup/quorum.h"

static size_t have_finalized(const quorum_server_t *servers, size_t count, uint64_t epoch)
{
    size_t n = 0, nodes = 0;
    for (size_t i = 0; i < count; i++)
        if (servers[i].answered && servers[i].epoch >= epoch)
            (*(servers[i].node ? &nodes : &n))++;
    return n + (nodes != 0);
}

rc_t quorum_epoch(uint64_t *out, err_t *e, const quorum_server_t *servers, size_t count, size_t quorum, uint64_t oldest)
{
    uint64_t best = 0;
    const size_t answered = have_finalized(servers, count, 0);
    if (answered < quorum)
        return err_set(e, RC_NEED_DATA, "%zu of %zu servers say what is finalized, and %zu have to", answered, count,
                       quorum);
    for (size_t i = 0; i < count; i++)
        if (servers[i].answered && servers[i].epoch > best &&
            have_finalized(servers, count, servers[i].epoch) >= quorum)
            best = servers[i].epoch;
    if (best < oldest)
        return err_set(e, RC_LIMIT, "the newest epoch that %zu of %zu servers have finalized is %llu, which is too old",
                       quorum, count, (unsigned long long)best);
    *out = best;
    return RC_OK;
}

static size_t name_it(uint32_t *by, const quorum_server_t *servers, size_t count, const hash32_t *root)
{
    size_t n = 0, nodes = 0;
    *by = 0;
    for (size_t i = 0; i < count; i++)
        if (servers[i].named && hash32_eq(&servers[i].root, root)) {
            *by |= (uint32_t)1 << i;
            (*(servers[i].node ? &nodes : &n))++;
        }
    return n + (nodes != 0);
}

rc_t quorum_root(hash32_t *out, uint32_t *by, err_t *e, const quorum_server_t *servers, size_t count, size_t quorum)
{
    size_t most = 0, named = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t who = 0;
        const size_t n = servers[i].named ? name_it(&who, servers, count, &servers[i].root) : 0;
        if (n >= quorum) {
            *out = servers[i].root;
            *by = who;
            return RC_OK;
        }
        named += servers[i].named;
        most = n > most ? n : most;
    }
    return err_set(e, named < quorum ? RC_NEED_DATA : RC_REFUSED,
                   "no checkpoint is named by %zu of %zu servers: %zu name one, at most %zu the same", quorum, count,
                   named, most);
}
