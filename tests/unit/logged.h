/* logged.h - for tests of who is told what: what the operator finds in the log, and what nobody else may be told. */
#ifndef TESTS_LOGGED_H
#define TESTS_LOGGED_H

#include <check.h>
#include <string.h>

#include "base/os/log.h"

/* An endpoint on loopback, by the port behind it: a host, a user, a password and a key that are found again. */
#define TELLTALE_URL "http://user-to-hide:pass-to-hide@host-to-hide.localhost:%u/key-to-hide"
#define TELLTALE_ORIGIN "http://host-to-hide.localhost:%u"

/* Whether a line of the log has all of these texts; the list ends with NULL. */
static inline bool is_logged(const char *const *texts)
{
    static log_line_t lines[LOG_RING_LINES];
    const size_t n = log_after(lines, LOG_RING_LINES, 0);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (texts[k] && strstr(lines[i].message, texts[k]))
            k++;
        if (!texts[k])
            return true;
    }
    return false;
}
#define IS_LOGGED(...) is_logged((const char *const[]){ __VA_ARGS__, NULL })

/* Fails when a text for anybody holds something of TELLTALE_URL, or of any URL. */
static inline void tells_nobody(const char *text)
{
    ck_assert_msg(!strstr(text, "to-hide") && !strstr(text, "://") && !strstr(text, "localhost"), "%s", text);
}

/* Fails when the log holds what it may not: the log may tell the host. */
static inline void logs_no_secret(void)
{
    ck_assert(!IS_LOGGED("user-to-hide") && !IS_LOGGED("pass-to-hide") && !IS_LOGGED("key-to-hide"));
}

#endif
