#include "base/os/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/json.h"
#include "base/os/clock.h"
#include "base/utf8.h"

#define PROGRESS_EVERY_MS 5000u
#define JSON_LINE_MAX (6 * LOG_MESSAGE_MAX + 256) /* each byte may become "\\u0000" */

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

/* No escape sequence of an upstream reaches a terminal. */
static void make_printable(char *text)
{
    for (uint8_t *s = (uint8_t *)text; *s;) {
        size_t n = utf8_len(view_str((const char *)s));
        if (!n || utf8_is_control(s, n)) {
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

static void clear_progress(void)
{
    if (state.progress_shown)
        fputs("\r\x1b[K", state.stream);
    state.progress_shown = false;
}

/* With the lock held. */
static void emit(log_level_t level, const char *event, char *message)
{
    char when[TIME_TEXT_MS];
    find_stream();
    (void)time_write_ms(when, clock_system_ms());
    if (state.json) {
        char line[JSON_LINE_MAX];
        jw_t w = jw_in(line, sizeof line);
        jw_object(&w, NULL);
        jw_str(&w, "ts", when);
        jw_str(&w, "level", level_names[level]);
        jw_str(&w, "event", event);
        jw_str(&w, "msg", message);
        jw_end(&w);
        fprintf(state.stream, "%s\n", (const char *)jw_done(&w).p);
    } else {
        make_printable(message);
        clear_progress();
        fprintf(state.stream, "%.8s %s%-5s\x1b[0m %s: %s\n", when + strlen("2025-05-14T"), level_colours[level],
                level_names[level], event, message);
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
