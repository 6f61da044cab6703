#include "node/cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/printable.h"
#include "tee/fault.h"

static bool say_all(FILE *to, view_t text, printable_t form)
{
    char shown[PRINTABLE_MAX];
    bool good = true;
    while (text.n && good) {
        const size_t n = printable_next(shown, &text, form);
        good = fwrite(shown, 1, n, to) == n;
    }
    return good;
}

/* A line of prefix and text. */
static bool say_line(FILE *to, const char *prefix, const char *fmt, va_list ap)
{
    char *text;
    const int n = vasprintf(&text, fmt, ap);
    if (n < 0)
        return false;
    const bool good =
        fputs(prefix, to) >= 0 && say_all(to, view_of(text, (size_t)n), PRINTABLE_LINE) && fputc('\n', to) != EOF;
    free(text);
    return good;
}

bool say(FILE *to, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const bool good = say_line(to, "", fmt, ap);
    va_end(ap);
    return good;
}

int command_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say_line(stderr, "kettle: ", fmt, ap);
    va_end(ap);
    return COMMAND_USAGE;
}

int command_failed(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    say_line(stderr, "kettle: ", fmt, ap);
    va_end(ap);
    return COMMAND_FAILED;
}

int command_failed_by(const err_t *e, const char *about)
{
    const bool judged = e->rc != RC_IO && e->code != TEE_OK;
    return command_failed("%s%s%s%s%s%s%s", about ? about : "", about ? ": " : "", e->field, e->field[0] ? ": " : "",
                          judged ? tee_code_name(e->code) : "", judged ? ": " : "", e->text);
}

static rc_t unwritten(err_t *e, const char *path, int why)
{
    return err_set(e, RC_IO, "%s: cannot be written: %s", path, strerror(why));
}

static rc_t write_file(err_t *e, const char *path, view_t text)
{
    const int fd = creat(path, 0666);
    rd_t left = rd_of(text);
    bool good = fd >= 0;
    while (good && left.n) {
        const ssize_t n = write(fd, left.p, left.n);
        good = n > 0 || (n < 0 && errno == EINTR);
        rd_take(&left, n > 0 ? (size_t)n : 0);
    }
    const int why = errno; /* of the first that failed */
    const bool closed = fd < 0 || close(fd) == 0;
    return good && closed ? RC_OK : unwritten(e, path, good ? errno : why);
}

rc_t command_write(err_t *e, const char *path, view_t text)
{
    if (path)
        return write_file(e, path, text);
    return say_all(stdout, text, PRINTABLE_JSON) && fflush(stdout) == 0 ? RC_OK
                                                                        : unwritten(e, "standard output", errno);
}
