#include "base/os/limits.h"

#include <sys/resource.h>

#define KEPT 768u /* for everything but clients, when there are enough */

size_t limits_raise_files(size_t most)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r))
        return 0;
    const rlim_t want = r.rlim_max < most ? r.rlim_max : most;
    if (r.rlim_cur < want) {
        const rlim_t had = r.rlim_cur;
        r.rlim_cur = want;
        if (setrlimit(RLIMIT_NOFILE, &r))
            r.rlim_cur = had;
    }
    return r.rlim_cur < most ? (size_t)r.rlim_cur : most;
}

size_t limits_for_clients(size_t files, size_t wanted)
{
    const size_t left = files > 2 * KEPT ? files - KEPT : files / 4;
    const size_t granted = left < wanted ? left : wanted;
    return granted ? granted : 1;
}
