#include "node/cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tee/fault.h"

int command_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("kettle: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputs("\ntry: kettle --help\n", stderr);
    va_end(ap);
    return COMMAND_USAGE;
}

int command_failed(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("kettle: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    return COMMAND_FAILED;
}

int command_failed_by(const err_t *e, const char *about)
{
    const bool judged = e->rc != RC_IO && e->code != TEE_OK;
    return command_failed("%s%s%s%s%s%s%s", about ? about : "", about ? ": " : "", e->field, e->field[0] ? ": " : "",
                          judged ? tee_code_name(e->code) : "", judged ? ": " : "", e->text);
}

rc_t command_write(err_t *e, const char *path, view_t text)
{
    const int fd = path ? creat(path, 0666) : STDOUT_FILENO;
    rd_t left = rd_of(text);
    bool good = fd >= 0;
    while (good && left.n) {
        const ssize_t n = write(fd, left.p, left.n);
        good = n > 0 || (n < 0 && errno == EINTR);
        rd_take(&left, n > 0 ? (size_t)n : 0);
    }
    const int why = errno; /* of the first that failed */
    const bool closed = !path || fd < 0 || close(fd) == 0;
    if (good && closed)
        return RC_OK;
    return err_set(e, RC_IO, "%s: cannot be written: %s", path ? path : "standard output",
                   strerror(good ? errno : why));
}
