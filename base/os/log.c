#include "base/os/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/calendar.h"
#include "base/json.h"
#include "base/os/clock.h"
#include "base/os/lograte.h"
#include "base/os/worker.h"
#include "base/utf8.h"

#define PROGRESS_EVERY_MS 5000u
#define BUFFER_MAX (128u << 10) /* bytes that wait for standard error */
#define PIECE_MAX 4096u         /* bytes of one write: a pipe that is ready takes as many without waiting */
#define WRITER_TURN_MS 200u
#define JSON_LINE_MAX (6 * LOG_MESSAGE_MAX + 256) /* each byte may become "\\u0000" */

static struct {
    pthread_mutex_t lock;
    log_level_t level, before; /* before: as it was when debug lines were */
    bool turned;               /* ... turned on by log_turn_debug */
    FILE *stream;              /* NULL: standard error, not looked at yet */
    bool json, format_given;
    bool terminal;       /* there are colours, and a line that is written over */
    bool progress_shown; /* the terminal's line holds a progress text */
    uint64_t progress_at_ms;
    lograte_t rate;
    worker_t *writer; /* NULL: whoever logs writes */
    bool writes;      /* the writer takes what is logged */
    char buffer[BUFFER_MAX];
    size_t buffered; /* bytes of it that wait, from the first on */
    log_line_t ring[LOG_RING_LINES];
    uint64_t lines;        /* that were written: the newest is at lines % LOG_RING_LINES */
    unsigned long dropped; /* lines that had no room, since this was last told */
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
    state.terminal = isatty(STDERR_FILENO);
    if (!state.format_given)
        state.json = !state.terminal;
}

/* Sends a text, whole or not at all. With the lock held. */
static void put(const char *text, size_t n)
{
    if (!state.writes) {
        fwrite(text, 1, n, state.stream);
        fflush(state.stream);
    } else if (n > BUFFER_MAX - state.buffered) {
        state.dropped++;
    } else {
        memcpy(state.buffer + state.buffered, text, n);
        state.buffered += n;
        worker_wake(state.writer);
    }
}

/* Keeps a line for log_after. With the lock held. */
static void keep(log_level_t level, const char *event, const char *message, uint64_t at_ms)
{
    log_line_t *line = &state.ring[++state.lines % LOG_RING_LINES];
    line->number = state.lines;
    line->at_ms = at_ms;
    line->level = level;
    snprintf(line->event, sizeof line->event, "%s", event);
    snprintf(line->message, sizeof line->message, "%s", message);
}

size_t log_after(log_line_t *out, size_t max, uint64_t after)
{
    size_t n = 0;
    pthread_mutex_lock(&state.lock);
    const uint64_t first = state.lines >= LOG_RING_LINES ? state.lines - LOG_RING_LINES + 1 : 1;
    for (uint64_t i = after >= first ? after + 1 : first; i <= state.lines && n < max && after < state.lines; i++)
        out[n++] = state.ring[i % LOG_RING_LINES];
    pthread_mutex_unlock(&state.lock);
    return n;
}

const char *log_level_name(log_level_t level)
{
    return level_names[level];
}

/* One line, without a rate. With the lock held. */
static void emit(log_level_t level, const char *event, char *message)
{
    char when[TIME_TEXT_MS], line[JSON_LINE_MAX];
    int n;
    const uint64_t at_ms = clock_system_ms();
    find_stream();
    keep(level, event, message, at_ms);
    (void)time_write_ms(when, at_ms);
    if (state.json) {
        jw_t w = jw_in(line, sizeof line - 1);
        jw_object(&w, NULL);
        jw_str(&w, "ts", when);
        jw_str(&w, "level", level_names[level]);
        jw_str(&w, "event", event);
        jw_str(&w, "msg", message);
        jw_end(&w);
        n = (int)jw_done(&w).n;
        line[n++] = '\n';
    } else {
        make_printable(message);
        n = snprintf(line, sizeof line, "%s%.10s %.8sZ %s%-5s%s %s: %s\n", state.progress_shown ? "\r\x1b[K" : "", when,
                     when + strlen("2025-05-14T"), state.terminal ? level_colours[level] : "", level_names[level],
                     state.terminal ? "\x1b[0m" : "", event, message);
        state.progress_shown = false;
    }
    put(line, (size_t)n);
}

/* What was left out or dropped, told when there is room. With the lock held. */
static void tell_losses(uint64_t now)
{
    const char *event;
    char text[LOGRATE_SUMMARY_MAX];
    while (lograte_summary(&state.rate, &event, text, now))
        emit(LOG_WARN, event, text);
    if (!state.dropped || BUFFER_MAX - state.buffered < JSON_LINE_MAX)
        return;
    snprintf(text, sizeof text, "%lu lines were dropped: standard error was not read", state.dropped);
    state.dropped = 0;
    emit(LOG_WARN, "log", text);
}

void log_set_level(log_level_t level)
{
    pthread_mutex_lock(&state.lock);
    state.level = level;
    state.turned = false;
    pthread_mutex_unlock(&state.lock);
}

log_level_t log_level(void)
{
    pthread_mutex_lock(&state.lock);
    const log_level_t level = state.level;
    pthread_mutex_unlock(&state.lock);
    return level;
}

void log_turn_debug(void)
{
    char on[] = "SIGUSR1: from now on with debug lines", off[] = "SIGUSR1: from now on without debug lines";
    pthread_mutex_lock(&state.lock);
    const bool turned = state.level == LOG_DEBUG && state.turned;
    if (!turned)
        state.before = state.level;
    state.level = turned ? state.before : LOG_DEBUG;
    state.turned = !turned;
    emit(LOG_INFO, "log", turned ? off : on);
    pthread_mutex_unlock(&state.lock);
}

void log_set_format(bool json)
{
    pthread_mutex_lock(&state.lock);
    state.json = json;
    state.format_given = true;
    pthread_mutex_unlock(&state.lock);
}

void log_redirect(FILE *stream, int json)
{
    pthread_mutex_lock(&state.lock);
    state.stream = stream;
    state.json = json != 0;
    state.terminal = isatty(fileno(stream));
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
    const uint64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&state.lock);
    if (level <= state.level) {
        tell_losses(now);
        if (level == LOG_ERROR || lograte_pass(&state.rate, event, message, now))
            emit(level, event, message);
    }
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
    } else if (!state.json && state.terminal) {
        make_printable(message);
        char line[LOG_MESSAGE_MAX + 8];
        put(line, (size_t)snprintf(line, sizeof line, "\r\x1b[K%s", message));
        state.progress_shown = true;
    } else if (!state.progress_at_ms || now - state.progress_at_ms >= PROGRESS_EVERY_MS) {
        state.progress_at_ms = now;
        emit(LOG_INFO, "progress", message);
    }
    pthread_mutex_unlock(&state.lock);
}

/* ---- the writer ---- */

/* Writes a piece of what waits, if standard error takes it now. False: nothing waits, or it does not. */
static bool write_piece(void)
{
    char piece[PIECE_MAX];
    struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };
    pthread_mutex_lock(&state.lock);
    size_t n = state.buffered < sizeof piece ? state.buffered : sizeof piece;
    memcpy(piece, state.buffer, n);
    pthread_mutex_unlock(&state.lock);
    if (!n || poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT))
        return false;
    const ssize_t wrote = write(STDERR_FILENO, piece, n);
    if (wrote <= 0)
        return false;
    pthread_mutex_lock(&state.lock);
    state.buffered -= (size_t)wrote;
    memmove(state.buffer, state.buffer + wrote, state.buffered);
    pthread_mutex_unlock(&state.lock);
    return true;
}

static void writer_main(worker_t *w, void *ctx)
{
    (void)ctx;
    do {
        while (write_piece())
            continue;
        pthread_mutex_lock(&state.lock);
        tell_losses(clock_monotonic_ms());
        pthread_mutex_unlock(&state.lock);
    } while (worker_sleep_until(w, clock_monotonic_ms() + WRITER_TURN_MS));
    while (write_piece())
        continue;
}

rc_t log_start(err_t *e)
{
    worker_t *w;
    pthread_mutex_lock(&state.lock);
    find_stream();
    pthread_mutex_unlock(&state.lock);
    rc_t rc = worker_start(&w, e, "log", writer_main, NULL);
    if (rc)
        return rc;
    pthread_mutex_lock(&state.lock);
    state.writer = w;
    state.writes = true;
    pthread_mutex_unlock(&state.lock);
    return RC_OK;
}

void log_stop(void)
{
    pthread_mutex_lock(&state.lock);
    worker_t *w = state.writer;
    pthread_mutex_unlock(&state.lock);
    worker_stop(w);
    pthread_mutex_lock(&state.lock);
    state.writer = NULL;
    pthread_mutex_unlock(&state.lock);
}
