/* no_runner.h - the worlds of tests/unit outside of a test: what they assert ends the program. To be included before them. */
#ifndef TESTS_OVERLAY_NO_RUNNER_H
#define TESTS_OVERLAY_NO_RUNNER_H

#include <check.h>
#include <stdlib.h>

/* What check's macros come down to, which want a runner. */
#define _mark_point(file, line) ((void)0) /* NOLINT(bugprone-reserved-identifier) */
#define _ck_assert_failed(...) abort()    /* NOLINT(bugprone-reserved-identifier) */

#endif
