/* clock_shim.c - another time for one program, by LD_PRELOAD: while it runs, its clock can be set, and its rate changed.
 *
 *   CLOCK_SHIM         a file of struct orders, mapped; a new `seq` makes its orders count from the next reading on
 *   CLOCK_SHIM_SOURCE  a file that is opened in place of the kernel's clock source
 *
 * CLOCK_MONOTONIC stays as it is: what waits, waits in true time. */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000
#define SOURCE "/sys/devices/system/clocksource/clocksource0/current_clocksource"

struct orders {
    uint32_t seq, unused;
    int64_t offset_ms;     /* of the system's clock, at the moment at which the orders begin to count */
    double rate, raw_rate; /* of both clocks from then on; 1: true */
};

/* A clock that was `fake` when the true one was `real`. */
struct line {
    int64_t fake, real;
    double rate;
};

static const volatile struct orders *orders;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint32_t seq;
static struct line wall = { 0, 0, 1 }, raw = { 0, 0, 1 };
static int (*real_clock_gettime)(clockid_t, struct timespec *);
int open64(const char *path, int flags, ...);
static int (*real_open)(const char *, int, ...);

static void begin(void)
{
    const char *path = getenv("CLOCK_SHIM");
    *(void **)&real_clock_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    *(void **)&real_open = dlsym(RTLD_NEXT, "open64");
    int fd = path ? real_open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *orders, PROT_READ, MAP_SHARED, fd, 0);
    if (p != MAP_FAILED)
        orders = p;
    if (fd >= 0)
        close(fd);
}

static int64_t now(clockid_t id)
{
    struct timespec t;
    real_clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

static int64_t along(const struct line *l, int64_t real)
{
    return l->fake + (int64_t)((double)(real - l->real) * l->rate);
}

/* With the lock held. */
static void obey(void)
{
    if (!orders || orders->seq == seq)
        return;
    int64_t real = now(CLOCK_REALTIME), counter = now(CLOCK_MONOTONIC_RAW);
    seq = orders->seq;
    wall = (struct line){ real + orders->offset_ms * 1000000, real, orders->rate };
    raw = (struct line){ along(&raw, counter), counter, orders->raw_rate };
}

int clock_gettime(clockid_t id, struct timespec *out)
{
    pthread_once(&once, begin);
    const struct line *l = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? &wall
                           : id == CLOCK_MONOTONIC_RAW                         ? &raw
                                                                               : NULL;
    if (!l)
        return real_clock_gettime(id, out);
    pthread_mutex_lock(&lock);
    obey();
    int64_t ns = along(l, now(l == &raw ? CLOCK_MONOTONIC_RAW : CLOCK_REALTIME));
    pthread_mutex_unlock(&lock);
    *out = (struct timespec){ .tv_sec = ns / NS, .tv_nsec = ns % NS };
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec t;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &t);
    *out = (struct timeval){ .tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000 };
    return 0;
}

time_t time(time_t *out)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out)
        *out = t.tv_sec;
    return t.tv_sec;
}

/* What open is with 64-bit file offsets. */
int open64(const char *path, int flags, ...)
{
    const char *other = getenv("CLOCK_SHIM_SOURCE");
    mode_t mode = 0;
    va_list list;
    va_start(list, flags);
    if (flags & (O_CREAT | O_TMPFILE))
        mode = va_arg(list, mode_t);
    va_end(list);
    pthread_once(&once, begin);
    return real_open(other && !strcmp(path, SOURCE) ? other : path, flags, mode);
}
