/* The log's rate, by a clock of the test's own, and its buffer before a reader that has stalled. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os/log.h"
#include "base/os/lograte.h"
#include "tests/unit/sockets.h"
#include "tests/unit/unit.h"

START_TEST(lines_that_begin_alike_are_limited_and_counted)
{
    lograte_t r = { 0 };
    const char *event;
    char text[LOGRATE_SUMMARY_MAX];
    unsigned passed = 0;
    for (unsigned i = 0; i < 1000; i++)
        passed += lograte_pass(&r, "beacon", "http://a: refused", 5000 + i);
    ck_assert_uint_eq(passed, LOGRATE_LINES);
    ck_assert(lograte_pass(&r, "beacon", "http://b: refused", 6000));
    ck_assert(lograte_pass(&r, "execution", "http://a: refused", 6000));
    ck_assert(!lograte_summary(&r, &event, text, 5000 + LOGRATE_TIME_MS - 1));
    ck_assert(!lograte_pass(&r, "beacon", "http://a: late", 5000 + LOGRATE_TIME_MS)); /* its summary comes first */
    ck_assert(lograte_summary(&r, &event, text, 5000 + LOGRATE_TIME_MS));
    ck_assert_str_eq(event, "beacon");
    ck_assert_str_eq(text, "981 more lines that begin with \"http://a:\" were left out");
    ck_assert(!lograte_summary(&r, &event, text, 5000 + LOGRATE_TIME_MS));
    ck_assert(lograte_pass(&r, "beacon", "http://a: refused", 5001 + LOGRATE_TIME_MS));
}
END_TEST

START_TEST(beginnings_beyond_the_table_are_let_through_and_owe_nothing)
{
    lograte_t r = { 0 };
    const char *event;
    char name[80], text[LOGRATE_SUMMARY_MAX];
    for (unsigned i = 0; i < 10 * LOGRATE_ROWS; i++) {
        snprintf(name, sizeof name, "%u%070u x", i, i);
        ck_assert(lograte_pass(&r, "an event with a name that is too long", name, i));
    }
    for (unsigned i = 0; i < LOGRATE_ROWS; i++) { /* all rows owe a summary */
        snprintf(name, sizeof name, "h%u x", i);
        for (unsigned k = 0; k < LOGRATE_LINES + 1; k++)
            (void)lograte_pass(&r, "e", name, 1000);
    }
    ck_assert(lograte_pass(&r, "e", "another", 1000));
    unsigned summaries = 0;
    while (lograte_summary(&r, &event, text, 1000 + LOGRATE_TIME_MS))
        summaries++;
    ck_assert_uint_eq(summaries, LOGRATE_ROWS);
}
END_TEST

/* Standard error becomes a pipe; its reading end is given. */
static int stalled_stderr(void)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    close(ends[1]);
    return ends[0];
}

static size_t drain(int fd, char *out, size_t room)
{
    size_t n = 0;
    ssize_t got;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    while (n < room - 1 && (got = read(fd, out + n, room - 1 - n)) > 0)
        n += (size_t)got;
    out[n] = 0;
    return n;
}

START_TEST(nobody_waits_for_a_reader_that_has_stalled)
{
    static char got[1 << 20];
    err_t e;
    int reader = stalled_stderr();
    ck_assert_int_eq(log_start(&e), RC_OK);
    uint64_t began = clock_ms();
    for (unsigned i = 0; i < 5000; i++) /* errors have no rate */
        log_write(LOG_ERROR, "test", "%u %0900u", i, i);
    ck_assert_uint_lt(clock_ms() - began, 2000);
    for (unsigned i = 0; i < 1000 && !strstr(got, "\"msg\":\"0 0"); i++) { /* when the writer has its turn */
        (void)drain(reader, got, sizeof got);
        pause_ms(10);
    }
    ck_assert(strstr(got, "\"msg\":\"0 0"));
    pause_ms(600);
    size_t n = drain(reader, got, sizeof got);
    for (unsigned i = 0; i < 50 && !strstr(got, "lines were dropped"); i++) {
        pause_ms(100);
        n += drain(reader, got + n, sizeof got - n);
    }
    ck_assert_msg(strstr(got, "lines were dropped: standard error was not read"), "%s", got + (n > 300 ? n - 300 : 0));
    for (unsigned i = 0; i < 1000; i++)
        log_write(LOG_ERROR, "test", "%u %0900u", i, i);
    began = clock_ms();
    log_stop();
    log_write(LOG_ERROR, "test", "after the end");
    ck_assert_uint_lt(clock_ms() - began, 1000);
    close(reader);
}
END_TEST

START_TEST(debug_lines_turn_back_to_the_level_before_them)
{
    FILE *quiet = tmpfile();
    log_redirect(quiet, 1);
    for (unsigned i = 0; i < 2; i++) {
        log_set_level(i ? LOG_ERROR : LOG_WARN); /* the second one while it runs */
        log_turn_debug();
        ck_assert_int_eq(log_level(), LOG_DEBUG);
        log_turn_debug();
        ck_assert_int_eq(log_level(), i ? LOG_ERROR : LOG_WARN);
    }
    log_turn_debug();
    log_set_level(LOG_DEBUG); /* by whoever wants it so: it is what goes on, and off leads back to it */
    log_turn_debug();
    log_turn_debug();
    ck_assert_int_eq(log_level(), LOG_DEBUG);
    log_turn_debug();
    log_set_level(LOG_WARN);
    log_turn_debug();
    ck_assert_int_eq(log_level(), LOG_DEBUG);
    log_turn_debug();
    ck_assert_int_eq(log_level(), LOG_WARN);
    log_set_level(LOG_INFO);
    log_redirect(stderr, 1);
    fclose(quiet);
}
END_TEST

START_TEST(what_was_logged_before_the_end_is_written)
{
    static char got[1 << 16];
    err_t e;
    int reader = stalled_stderr();
    ck_assert_int_eq(log_start(&e), RC_OK);
    for (unsigned i = 0; i < 30; i++)
        log_write(LOG_INFO, "test", "same %u", i);
    log_stop();
    (void)drain(reader, got, sizeof got);
    ck_assert(strstr(got, "\"msg\":\"same 19\""));
    ck_assert(!strstr(got, "\"msg\":\"same 20\""));
    close(reader);
}
END_TEST

/* The order matters: where tests share a process, the stalled reader leaves a full buffer. */
int main(void)
{
    return UNIT_RUN(
        "log", debug_lines_turn_back_to_the_level_before_them, lines_that_begin_alike_are_limited_and_counted,
        beginnings_beyond_the_table_are_let_through_and_owe_nothing, what_was_logged_before_the_end_is_written,
        nobody_waits_for_a_reader_that_has_stalled, debug_lines_turn_back_to_the_level_before_them);
}
