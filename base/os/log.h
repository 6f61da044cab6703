/* log.h - the program's log, on standard error: text for people on a terminal, one JSON object a line otherwise.
 *
 * Lines below error that begin alike are limited in rate (base/os/lograte.h). Between log_start and log_stop nobody
 * waits for standard error: lines wait in a bounded buffer, and when that is full they are dropped, which is told
 * later.
 *
 * Floor:  1, base/os. Thread-safe; no heap. What upstreams say ends up in messages: control characters and invalid
 * UTF-8 are made harmless, long messages are cut.
 * Tests:  tests/unit/test_log.c, tests/unit/test_persist.c
 */
#ifndef BASE_OS_LOG_H
#define BASE_OS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

#define LOG_MESSAGE_MAX 1024u /* bytes of one message; the rest is cut */

typedef enum { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } log_level_t;

/* Drops what is below the level. LOG_INFO at start. */
void log_set_level(log_level_t level);
log_level_t log_level(void);

/* Turns debug lines on, or back to the level before, unless another one was set meanwhile, which stays; and says so at
 * whatever level. */
void log_turn_debug(void);

/* Records as JSON, or as text, whatever standard error is. */
void log_set_format(bool json);

/* One record. event is a short static word that says what part speaks ("setup", "beacon"); the message follows. */
void log_write(log_level_t level, const char *event, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Progress of long work: rewrites one line on a terminal; elsewhere an info record at most every five seconds. */
void log_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The newest lines, for who cannot read standard error: the last LOG_RING_LINES that were written, each numbered from 1
 * on. */
#define LOG_RING_LINES 1000u
typedef struct {
    uint64_t number, at_ms; /* Unix milliseconds */
    log_level_t level;
    char event[24];
    char message[LOG_MESSAGE_MAX];
} log_line_t;

/* Copies the lines whose numbers are above after, the oldest first, at most max. Returns how many. */
size_t log_after(log_line_t *out, size_t max, uint64_t after);

/* The word of a level: "error", "warn", "info", "debug". */
const char *log_level_name(log_level_t level);

/* From now on a thread writes. RC_IO, RC_NOMEM: there is none, and whoever logs writes as before. */
NODISCARD rc_t log_start(err_t *e);

/* Writes what standard error takes without waiting, and ends the thread. What is logged after it is only kept in the
 * buffer: a program that ends does not wait for its reader. */
void log_stop(void);

/* Sends everything to another stream, as text or as JSON. For tests. */
void log_redirect(FILE *stream, int json);

#endif
