#include "base/os/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/os/file.h"

#define STATUS_MAX ((size_t)16 << 10)

static uint64_t ms_of(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_usec / 1000;
}

/* The number behind "name:" in /proc/self/status; 0: it is not there. */
static uint64_t status_of(const char *status, const char *name)
{
    const char *at = strstr(status, name);
    return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* Since Linux 6.2 the folder's size says it; before, its entries do. */
static uint64_t open_files(void)
{
    struct stat st;
    uint64_t n = 0;
    if (!stat("/proc/self/fd", &st) && st.st_size > 0)
        return (uint64_t)st.st_size;
    DIR *d = opendir("/proc/self/fd");
    if (!d)
        return 0;
    for (const struct dirent *e = readdir(d); e; e = readdir(d))
        n += e->d_name[0] != '.';
    (void)closedir(d);
    return n ? n - 1 : 0; /* without the folder itself */
}

void process_use(process_use_t *out)
{
    struct rusage use;
    struct rlimit files;
    view_t status;
    err_t e;
    *out = (process_use_t){ .files = open_files() };
    if (!getrusage(RUSAGE_SELF, &use))
        out->cpu_ms = ms_of(use.ru_utime) + ms_of(use.ru_stime);
    if (!getrlimit(RLIMIT_NOFILE, &files))
        out->files_max = files.rlim_cur;
    if (file_read(&status, &e, "/proc/self/status", STATUS_MAX, 0))
        return;
    out->memory = status_of((const char *)status.p, "\nVmRSS:") * 1024;
    out->memory_most = status_of((const char *)status.p, "\nVmHWM:") * 1024;
    out->threads = status_of((const char *)status.p, "\nThreads:");
    file_free(status);
}

bool process_disk(uint64_t *free_bytes, uint64_t *all, const char *dir)
{
    struct statvfs v;
    if (statvfs(dir, &v))
        return false;
    *free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    *all = (uint64_t)v.f_blocks * v.f_frsize;
    return true;
}
