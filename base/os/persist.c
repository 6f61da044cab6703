#include "base/os/persist.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto/hash.h"
#include "base/os/file.h"
#include "base/os/log.h"

static const char MAGIC[8] = { 'K', 'E', 'T', 'T', 'L', 'E', '1', '\n' };

static rc_t io_error(err_t *e, const char *dir, const char *name, const char *what)
{
    return err_set(e, RC_IO, "%s/%s: %s: %s", dir, name, what, strerrordesc_np(errno));
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
static rc_t write_beside(err_t *e, int folder, const char *dir, const char *name, const char *temporary, view_t payload)
{
    uint8_t head[PERSIST_HEAD];
    hash32_t sum;
    sha256(&sum, payload);
    memcpy(head, MAGIC, sizeof MAGIC);
    memcpy(head + sizeof MAGIC, sum.b, sizeof sum.b);
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return io_error(e, dir, name, "cannot be written");
    bool ok = write_all(fd, head, sizeof head) && write_all(fd, payload.p, payload.n) && fsync(fd) == 0;
    rc_t rc = ok ? RC_OK : io_error(e, dir, name, "cannot be written");
    if (close(fd) && !rc)
        rc = io_error(e, dir, name, "cannot be written");
    return rc;
}

static rc_t folder_error(err_t *e, const char *dir, const char *what)
{
    return err_set(e, RC_IO, "%s: %s: %s", dir, what, strerrordesc_np(errno));
}

/* Opens the folder, which is made when missing. */
static rc_t open_folder(int *out, err_t *e, const char *dir)
{
    if (mkdir(dir, 0700) && errno != EEXIST)
        return folder_error(e, dir, "the folder cannot be made");
    *out = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *out < 0 ? folder_error(e, dir, "the folder cannot be opened") : RC_OK;
}

rc_t persist_check(err_t *e, const char *dir)
{
    static const char name[] = ".check.new";
    int folder = -1;
    rc_t rc = open_folder(&folder, e, dir);
    if (rc)
        return rc;
    if (write_beside(e, folder, dir, name, name, view_of(NULL, 0)))
        rc = folder_error(e, dir, "nothing can be written there");
    unlinkat(folder, name, 0);
    close(folder);
    return rc;
}

rc_t persist_write(err_t *e, const char *dir, const char *name, view_t payload)
{
    char temporary[256];
    int folder = -1;
    if ((size_t)snprintf(temporary, sizeof temporary, ".%s.new", name) >= sizeof temporary)
        return err_set(e, RC_BUG, "%s/%s: too long a name", dir, name);
    rc_t rc = open_folder(&folder, e, dir);
    if (rc)
        return rc;
    rc = write_beside(e, folder, dir, name, temporary, payload);
    if (!rc && renameat(folder, temporary, folder, name))
        rc = io_error(e, dir, name, "cannot be replaced");
    if (rc)
        unlinkat(folder, temporary, 0);
    else if (fsync(folder))
        rc = io_error(e, dir, name, "the folder cannot be flushed");
    close(folder);
    return rc;
}

bool persist_tell(persist_told_t *told, const char *event, const char *before, rc_t rc, const err_t *e)
{
    const bool was_failing = told->failing;
    told->failing = rc != RC_OK;
    if (rc && !was_failing)
        log_write(LOG_WARN, event, "%s%s: told once, and tried again", before, e->text);
    else if (!rc && was_failing)
        log_write(LOG_WARN, event, "%sthat is over, files are written again", before);
    return !rc;
}

/* Checks head and sum of a file, and leaves its payload. */
static rc_t unwrap(view_t *file, err_t *e, const char *path)
{
    hash32_t sum;
    uint8_t *p = (uint8_t *)(uintptr_t)file->p; /* on the heap, and ours */
    if (file->n < PERSIST_HEAD)
        return err_set(e, RC_MALFORMED, "%s: is not a file of this program", path);
    sha256(&sum, view_of(p + PERSIST_HEAD, file->n - PERSIST_HEAD));
    if (memcmp(p, MAGIC, sizeof MAGIC) || memcmp(p + sizeof MAGIC, sum.b, sizeof sum.b))
        return err_set(e, RC_MALFORMED, "%s: is damaged", path);
    file->n -= PERSIST_HEAD;
    memmove(p, p + PERSIST_HEAD, file->n);
    return RC_OK;
}

rc_t persist_read(view_t *out, bool *found, err_t *e, const char *dir, const char *name, size_t max)
{
    char path[4096];
    view_t file = { NULL, 0 };
    err_t fault = { 0 };
    *out = (view_t){ NULL, 0 };
    *found = false;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path) {
        errno = ENAMETOOLONG;
        return io_error(e, dir, name, "cannot be opened");
    }
    rc_t rc = file_read(&file, &fault, path, max + PERSIST_HEAD, FILE_PLAIN);
    if (rc == RC_IO && fault.code == ENOENT)
        return RC_OK;
    if (rc == RC_REFUSED)
        return err_set(e, RC_MALFORMED, "%s: is not a file of this program", path);
    if (rc)
        return err_set(e, rc, "%s", fault.text);
    rc = unwrap(&file, e, path);
    if (rc) {
        file_free(file);
        return rc;
    }
    *out = file;
    *found = true;
    return RC_OK;
}
