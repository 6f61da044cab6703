#include "tee/provider/configfs.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tee/provider/provider.h"

#define PATH_LEN_MAX 512u
#define FIRST_PAUSE_MS 100u /* doubled after each attempt */

typedef struct {
    const configfs_kernel_t *kernel;
    char *dir;
    pthread_mutex_t lock; /* one request at a time */
} configfs_t;

/* One directory of a request, and where its attributes are. */
typedef struct {
    char dir[PATH_LEN_MAX];
    char file[PATH_LEN_MAX + 16];
} request_t;

/* --- the kernel --- */

static int sys_make(void *ctx, const char *dir)
{
    (void)ctx;
    return mkdir(dir, 0700) ? -errno : 0;
}

static int sys_drop(void *ctx, const char *dir)
{
    (void)ctx;
    return rmdir(dir) ? -errno : 0;
}

static ssize_t sys_read(void *ctx, const char *file, uint8_t *out, size_t cap)
{
    size_t n = 0;
    ssize_t got = 1;
    (void)ctx;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    while (n < cap && (got = read(fd, out + n, cap - n)) > 0)
        n += (size_t)got;
    int error = errno;
    close(fd);
    return got < 0 ? -error : (ssize_t)n;
}

static ssize_t sys_write(void *ctx, const char *file, view_t bytes)
{
    (void)ctx;
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, bytes.p, bytes.n);
    int error = errno;
    if (close(fd) && n >= 0) { /* the value is committed here */
        error = errno;
        n = -1;
    }
    return n < 0 ? -error : n;
}

static uint64_t sys_now_ms(void *ctx)
{
    struct timespec t;
    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void sys_pause(void *ctx, unsigned ms)
{
    (void)ctx;
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}

const configfs_kernel_t CONFIGFS_KERNEL = {
    .make = sys_make, .drop = sys_drop, .read = sys_read, .write = sys_write, .now_ms = sys_now_ms, .pause = sys_pause
};

/* --- one request; functions return 0 or -errno --- */

static const char *file_of(request_t *r, const char *name)
{
    snprintf(r->file, sizeof r->file, "%s/%s", r->dir, name);
    return r->file;
}

static rc_t rc_of(int error)
{
    switch (error) {
    case 0: return RC_OK;
    case -ETIMEDOUT: return RC_TIMEOUT;
    case -ENOMEM: return RC_NOMEM;
    case -ENOENT:
    case -ENXIO:
    case -ENOTSUP: return RC_UNSUPPORTED;
    default: return RC_IO;
    }
}

static int failed(err_t *e, const request_t *r, const char *what, ssize_t error)
{
    err_set(e, rc_of((int)error), "%s: %s: %s", r->dir, what, strerrordesc_np((int)-error));
    return (int)error;
}

/* A text of at most 63 bytes without its line end. */
static int read_text(char out[64], err_t *e, const configfs_kernel_t *k, request_t *r, const char *name)
{
    ssize_t n = k->read(k->ctx, file_of(r, name), (uint8_t *)out, 64);
    if (n < 0)
        return failed(e, r, name, n);
    if (n == 64)
        return failed(e, r, name, -EFBIG);
    out[n] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return 0;
}

static int read_generation(unsigned long *out, err_t *e, const configfs_kernel_t *k, request_t *r)
{
    char text[64], *end;
    int error = read_text(text, e, k, r, "generation");
    if (error)
        return error;
    *out = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end ? 0 : failed(e, r, "generation", -EPROTO);
}

static int check_provider(err_t *e, const configfs_kernel_t *k, request_t *r)
{
    char text[64];
    int error = read_text(text, e, k, r, "provider");
    if (error || !strcmp(text, "tdx_guest"))
        return error;
    err_set(e, RC_UNSUPPORTED, "%s: the kernel's provider is \"%s\", not tdx_guest", r->dir, text);
    return -ENOTSUP;
}

/* Writes the report data and reads the quote; nobody else may have written in between. */
static int exchange(uint8_t quote[TEE_QUOTE_LEN_MAX + 1], size_t *n, err_t *e, const configfs_kernel_t *k, request_t *r,
                    const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    unsigned long before = 0, after = 0;
    int error = read_generation(&before, e, k, r);
    if (error)
        return error;
    ssize_t put = k->write(k->ctx, file_of(r, "inblob"), view_of(report_data, TEE_REPORT_DATA_LEN));
    if (put != TEE_REPORT_DATA_LEN)
        return failed(e, r, put < 0 ? "inblob" : "inblob took a part only", put < 0 ? put : -EIO);
    ssize_t got = k->read(k->ctx, file_of(r, "outblob"), quote, TEE_QUOTE_LEN_MAX + 1);
    if (got < 0 || got > (ssize_t)TEE_QUOTE_LEN_MAX)
        return failed(e, r, "outblob", got < 0 ? got : -EFBIG);
    error = read_generation(&after, e, k, r);
    if (!error && after != before + 1) {
        err_set(e, RC_IO, "%s: generation went from %lu to %lu: another writer", r->dir, before, after);
        return -EPROTO;
    }
    *n = (size_t)got;
    return error;
}

/* From mkdir to rmdir; report_data NULL: only looks at the provider. */
static int attempt(uint8_t quote[TEE_QUOTE_LEN_MAX + 1], size_t *n, err_t *e, configfs_t *c,
                   const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    const configfs_kernel_t *k = c->kernel;
    uint8_t name[8];
    char hex[2 * sizeof name + 1];
    request_t r;
    secret_random(name, sizeof name); /* what a killed process left behind is never in the way */
    hex_encode(hex, view_of(name, sizeof name));
    snprintf(r.dir, sizeof r.dir, "%s/kettle-%s", c->dir, hex);
    int error = k->make(k->ctx, r.dir);
    if (error) {
        (void)failed(e, &r, "mkdir", error);
        if (error == -ENOENT || error == -ENXIO)
            err_set(e, RC_UNSUPPORTED, "%s %s", c->dir, error == -ENOENT ? "is not there" : "has no driver of a TEE");
        return error;
    }
    error = check_provider(e, k, &r);
    if (!error && report_data)
        error = exchange(quote, n, e, k, &r, report_data);
    (void)k->drop(k->ctx, r.dir);
    return error;
}

/* Attempts until one is not turned away as busy, within the limits. */
static rc_t request(uint8_t quote[TEE_QUOTE_LEN_MAX + 1], size_t *n, err_t *e, configfs_t *c,
                    const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    const configfs_kernel_t *k = c->kernel;
    uint64_t end = k->now_ms(k->ctx) + PROVIDER_TIMEOUT_MS;
    unsigned pause = FIRST_PAUSE_MS;
    int error = attempt(quote, n, e, c, report_data);
    for (unsigned i = 0; (error == -EBUSY || error == -EINTR) && i < CONFIGFS_RETRIES_MAX; i++) {
        if (k->now_ms(k->ctx) + pause >= end)
            return RC_TIMEOUT;
        k->pause(k->ctx, pause);
        pause *= 2;
        error = attempt(quote, n, e, c, report_data);
    }
    return rc_of(error);
}

/* --- the provider --- */

static rc_t get_evidence(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    configfs_t *c = ctx;
    uint8_t quote[TEE_QUOTE_LEN_MAX + 1];
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    rc_t rc = request(quote, &n, e, c, report_data);
    pthread_mutex_unlock(&c->lock);
    if (rc)
        return rc == RC_UNSUPPORTED ? RC_IO : rc;
    const tee_evidence_t parts = { .type = TEE_EVIDENCE_TDX, .quote = view_of(quote, n) };
    return provider_evidence(out, e, "outblob of configfs-tsm", &parts, report_data);
}

static void configfs_free(void *ctx)
{
    configfs_t *c = ctx;
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c->dir);
    free(c);
}

rc_t configfs_open(tee_provider_t *out, err_t *e, const char *dir, const configfs_kernel_t *kernel)
{
    configfs_t *c = calloc(1, sizeof *c);
    if (!c || pthread_mutex_init(&c->lock, NULL)) {
        free(c);
        return err_say(e, RC_NOMEM, "out of memory");
    }
    c->kernel = kernel ? kernel : &CONFIGFS_KERNEL;
    c->dir = strdup(dir);
    rc_t rc = c->dir ? request(NULL, NULL, e, c, NULL) : err_say(e, RC_NOMEM, "out of memory");
    if (rc) {
        configfs_free(c);
        return rc;
    }
    *out = (tee_provider_t){ .name = "configfs-tsm",
                             .tee = tee_type_name(TEE_EVIDENCE_TDX),
                             .type = TEE_EVIDENCE_TDX,
                             .ctx = c,
                             .get_evidence = get_evidence,
                             .free = configfs_free };
    return RC_OK;
}
