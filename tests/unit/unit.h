/* unit.h - how a test program runs its tests. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <check.h>
#include <stdlib.h>

/* Runs tests; setup and teardown, which may be NULL, surround each. Gives main's result. */
static inline int unit_run(const char *name, void (*setup)(void), void (*teardown)(void), const TTest *const *tests,
                           size_t count)
{
    Suite *s = suite_create(name);
    TCase *t = tcase_create(name);
    if (setup || teardown)
        tcase_add_checked_fixture(t, setup, teardown);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(t, tests[i]);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define UNIT_RUN_AROUND(name, setup, teardown, ...)                                                                    \
    unit_run(name, setup, teardown, (const TTest *const[]){ __VA_ARGS__ },                                             \
             sizeof((const TTest *const[]){ __VA_ARGS__ }) / sizeof(TTest *))
#define UNIT_RUN(name, ...) UNIT_RUN_AROUND(name, NULL, NULL, __VA_ARGS__)

#endif
