#include "base/os/persist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto/hash.h"

static const char MAGIC[8] = { 'K', 'E', 'T', 'T', 'L', 'E', '1', '\n' };

static rc_t io_error(char *why, size_t cap, const char *dir, const char *name, const char *what)
{
    snprintf(why, cap, "%s/%s: %s: %s", dir, name, what, strerror(errno));
    return RC_IO;
}

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* Writes head and payload to a new file beside the final one, and flushes it. */
static rc_t write_beside(int folder, const char *dir, const char *name, const char *temporary, view_t payload,
                         char *why, size_t cap)
{
    uint8_t head[PERSIST_HEAD];
    hash32_t sum;
    sha256(&sum, payload);
    memcpy(head, MAGIC, sizeof MAGIC);
    memcpy(head + sizeof MAGIC, sum.b, sizeof sum.b);
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return io_error(why, cap, dir, name, "cannot be written");
    bool ok = write_all(fd, head, sizeof head) && write_all(fd, payload.p, payload.n) && fsync(fd) == 0;
    rc_t rc = ok ? RC_OK : io_error(why, cap, dir, name, "cannot be written");
    if (close(fd) && !rc)
        rc = io_error(why, cap, dir, name, "cannot be written");
    return rc;
}

rc_t persist_write(const char *dir, const char *name, view_t payload, char *why, size_t cap)
{
    char temporary[256];
    if ((size_t)snprintf(temporary, sizeof temporary, ".%s.new", name) >= sizeof temporary)
        return RC_BUG;
    if (mkdir(dir, 0700) && errno != EEXIST)
        return io_error(why, cap, dir, name, "the folder cannot be made");
    int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return io_error(why, cap, dir, name, "the folder cannot be opened");
    rc_t rc = write_beside(folder, dir, name, temporary, payload, why, cap);
    if (!rc && renameat(folder, temporary, folder, name))
        rc = io_error(why, cap, dir, name, "cannot be replaced");
    if (rc)
        unlinkat(folder, temporary, 0);
    else if (fsync(folder))
        rc = io_error(why, cap, dir, name, "the folder cannot be flushed");
    close(folder);
    return rc;
}

/* Reads the whole file; *n counts head and payload. */
static rc_t read_file(uint8_t **out, size_t *n, int fd, size_t max, const char *dir, const char *name, char *why,
                      size_t cap)
{
    struct stat st;
    if (fstat(fd, &st))
        return io_error(why, cap, dir, name, "cannot be read");
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)PERSIST_HEAD) {
        snprintf(why, cap, "%s/%s: is not a file of this program", dir, name);
        return RC_MALFORMED;
    }
    size_t size = (size_t)st.st_size, at = 0;
    if (size - PERSIST_HEAD > max) {
        snprintf(why, cap, "%s/%s: is larger than %zu bytes", dir, name, max);
        return RC_LIMIT;
    }
    uint8_t *p = malloc(size);
    if (!p) {
        snprintf(why, cap, "%s/%s: out of memory", dir, name);
        return RC_NOMEM;
    }
    while (at < size) {
        ssize_t got = read(fd, p + at, size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            free(p);
            return io_error(why, cap, dir, name, "cannot be read");
        }
        at += (size_t)got;
    }
    *out = p;
    *n = size;
    return RC_OK;
}

rc_t persist_read(uint8_t **out, size_t *n, bool *found, const char *dir, const char *name, size_t max, char *why,
                  size_t cap)
{
    char path[4096];
    uint8_t *file = NULL;
    size_t size = 0;
    hash32_t sum;
    *out = NULL;
    *n = 0;
    *found = false;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path) {
        errno = ENAMETOOLONG;
        return io_error(why, cap, dir, name, "cannot be opened");
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? RC_OK : io_error(why, cap, dir, name, "cannot be opened");
    rc_t rc = read_file(&file, &size, fd, max, dir, name, why, cap);
    close(fd);
    if (rc)
        return rc;
    sha256(&sum, view_of(file + PERSIST_HEAD, size - PERSIST_HEAD));
    if (memcmp(file, MAGIC, sizeof MAGIC) || memcmp(file + sizeof MAGIC, sum.b, sizeof sum.b)) {
        free(file);
        snprintf(why, cap, "%s/%s: is damaged", dir, name);
        return RC_MALFORMED;
    }
    memmove(file, file + PERSIST_HEAD, size - PERSIST_HEAD);
    *out = file;
    *n = size - PERSIST_HEAD;
    *found = true;
    return RC_OK;
}
