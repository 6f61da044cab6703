#include "base/os/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/os/clock.h"

#define PROGRESS_EVERY_MS 5000u

static struct {
    pthread_mutex_t lock;
    log_level_t level;
    FILE *stream; /* NULL: standard error, not looked at yet */
    bool json;
    bool progress_shown; /* the terminal's line holds a progress text */
    uint64_t progress_at_ms;
} state = { .lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO };

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const char *const level_colours[] = { "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[2m" };

/* Bytes of the valid UTF-8 sequence at s, 0 when there is none. */
static size_t utf8_len(const unsigned char *s)
{
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
               : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((n == 3 && s[0] == 0xe0 && s[1] < 0xa0) || (n == 3 && s[0] == 0xed && s[1] >= 0xa0) ||
        (n == 4 && s[0] == 0xf0 && s[1] < 0x90) ||
        (n == 4 && s[0] == 0xf4 && s[1] >= 0x90)) /* too long a form, surrogates, above the last code point */
        return 0;
    return n;
}

void log_json_escape(char *out, size_t cap, const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t at = 0;
    while (*s) {
        char piece[8];
        size_t n = utf8_len(s), len;
        if (!n)
            len = (size_t)snprintf(piece, sizeof piece, "\xef\xbf\xbd"); /* the replacement character */
        else if (*s < 0x20 || *s == 0x7f)
            len = (size_t)snprintf(piece, sizeof piece, "\\u%04x", *s);
        else if (*s == '"' || *s == '\\')
            len = (size_t)snprintf(piece, sizeof piece, "\\%c", *s);
        else
            memcpy(piece, s, len = n);
        if (at + len + 1 > cap)
            break;
        memcpy(out + at, piece, len);
        at += len;
        s += n ? n : 1;
    }
    if (cap)
        out[at] = '\0';
}

/* The same for a terminal: no escape sequence of an upstream reaches it. */
static void make_printable(char *text)
{
    for (unsigned char *s = (unsigned char *)text; *s;) {
        size_t n = utf8_len(s);
        bool control = *s < 0x20 || *s == 0x7f || (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
        if (!n || control) {
            *s = '?';
            n = 1;
        }
        s += n;
    }
}

/* With the lock held. */
static void find_stream(void)
{
    if (state.stream)
        return;
    state.stream = stderr;
    state.json = !isatty(STDERR_FILENO);
}

static void time_text(char out[32], const char *fmt, bool millis)
{
    uint64_t now = clock_system_ms();
    time_t s = (time_t)(now / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    size_t n = strftime(out, 24, fmt, &tm);
    if (millis)
        snprintf(out + n, 32 - n, ".%03uZ", (unsigned)(now % 1000));
}

static void clear_progress(void)
{
    if (state.progress_shown)
        fputs("\r\x1b[K", state.stream);
    state.progress_shown = false;
}

/* With the lock held. */
static void emit(log_level_t level, const char *event, char *message)
{
    char when[32];
    find_stream();
    if (state.json) {
        char escaped[2 * LOG_MESSAGE_MAX];
        time_text(when, "%Y-%m-%dT%H:%M:%S", true);
        log_json_escape(escaped, sizeof escaped, message);
        fprintf(state.stream, "{\"ts\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"msg\":\"%s\"}\n", when,
                level_names[level], event, escaped);
    } else {
        time_text(when, "%H:%M:%S", false);
        make_printable(message);
        clear_progress();
        fprintf(state.stream, "%s %s%-5s\x1b[0m %s: %s\n", when, level_colours[level], level_names[level], event,
                message);
    }
    fflush(state.stream);
}

void log_set_level(log_level_t level)
{
    pthread_mutex_lock(&state.lock);
    state.level = level;
    pthread_mutex_unlock(&state.lock);
}

void log_redirect(FILE *stream, int json)
{
    pthread_mutex_lock(&state.lock);
    state.stream = stream;
    state.json = json != 0;
    state.progress_shown = false;
    state.progress_at_ms = 0;
    pthread_mutex_unlock(&state.lock);
}

void log_write(log_level_t level, const char *event, const char *fmt, ...)
{
    char message[LOG_MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&state.lock);
    if (level <= state.level)
        emit(level, event, message);
    pthread_mutex_unlock(&state.lock);
}

void log_progress(const char *fmt, ...)
{
    char message[LOG_MESSAGE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    uint64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&state.lock);
    find_stream();
    if (state.level < LOG_INFO) {
        /* as quiet as asked */
    } else if (!state.json) {
        make_printable(message);
        fprintf(state.stream, "\r\x1b[K%s", message);
        fflush(state.stream);
        state.progress_shown = true;
    } else if (!state.progress_at_ms || now - state.progress_at_ms >= PROGRESS_EVERY_MS) {
        state.progress_at_ms = now;
        emit(LOG_INFO, "progress", message);
    }
    pthread_mutex_unlock(&state.lock);
}
