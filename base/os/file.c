#include "base/os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM_FIRST 65536u /* bytes, when the file does not say how long it is */

static rc_t io_error(err_t *e, const char *path)
{
    int why = errno;
    return err_code(e, err_set(e, RC_IO, "%s: %s", path, strerror(why)), (uint16_t)why);
}

static rc_t open_file(int *out, err_t *e, const char *path, unsigned flags)
{
    const int plain = (flags & FILE_PLAIN ? O_NOFOLLOW : 0) | (flags & (FILE_PLAIN | FILE_REGULAR) ? O_NONBLOCK : 0);
    int fd = flags & FILE_DASH_IS_STDIN && !strcmp(path, "-") ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | plain);
    if (fd < 0 && errno == ELOOP && flags & FILE_PLAIN)
        return err_set(e, RC_REFUSED, "%s: is not a regular file", path);
    if (fd < 0)
        return io_error(e, path);
    *out = fd;
    return RC_OK;
}

/* Makes room for want bytes; the old content is kept. */
static bool grow(uint8_t **p, size_t *cap, size_t want)
{
    uint8_t *more = want > *cap ? realloc(*p, want) : *p;
    if (!more)
        return false;
    *p = more;
    *cap = want > *cap ? want : *cap;
    return true;
}

/* Reads on until the end, or one byte beyond max. */
static rc_t read_all(uint8_t **p, size_t *n, err_t *e, int fd, const char *path, size_t max, size_t expected)
{
    size_t cap = 0, want = expected ? expected + 2 : ROOM_FIRST; /* one to find the end, one for the NUL */
    for (ssize_t got = 1; got != 0 && *n <= max;) {
        if (!grow(p, &cap, want))
            return err_set(e, RC_NOMEM, "%s: out of memory", path);
        size_t room = cap - 1 - *n;
        got = read(fd, *p + *n, max - *n < room ? max - *n + 1 : room);
        if (got < 0 && errno != EINTR)
            return io_error(e, path);
        *n += got > 0 ? (size_t)got : 0;
        want = *n + 1 == cap ? 2 * cap : cap;
    }
    return *n > max ? err_set(e, RC_LIMIT, "%s: is larger than %zu bytes", path, max) : RC_OK;
}

static rc_t read_open(view_t *out, err_t *e, int fd, const char *path, size_t max, unsigned flags)
{
    struct stat st;
    uint8_t *p = NULL;
    size_t n = 0;
    if (fstat(fd, &st))
        return io_error(e, path);
    if (flags & (FILE_PLAIN | FILE_REGULAR) && !S_ISREG(st.st_mode))
        return err_set(e, RC_REFUSED, "%s: is not a regular file", path);
    bool known = S_ISREG(st.st_mode) && st.st_size > 0;
    if (known && (uint64_t)st.st_size > max)
        return err_set(e, RC_LIMIT, "%s: is larger than %zu bytes", path, max);
    rc_t rc = read_all(&p, &n, e, fd, path, max, known ? (size_t)st.st_size : 0);
    if (rc) {
        free(p);
        return rc;
    }
    p[n] = '\0';
    *out = view_of(p, n);
    return RC_OK;
}

rc_t file_read(view_t *out, err_t *e, const char *path, size_t max, unsigned flags)
{
    int fd = -1;
    rc_t rc = open_file(&fd, e, path, flags);
    if (rc)
        return rc;
    rc = read_open(out, e, fd, path, max, flags);
    if (fd != STDIN_FILENO)
        close(fd);
    return rc;
}

bool file_is_regular(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

view_t file_dup(view_t text)
{
    uint8_t *copy = malloc(text.n + 1);
    if (!copy)
        return view_of(NULL, 0);
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = 0;
    return view_of(copy, text.n);
}

void file_free(view_t file)
{
    free((void *)(uintptr_t)file.p);
}
