/* What the system grants: descriptors for clients, and a reserve for all else. */
#include <check.h>
#include <sys/resource.h>

#include "base/os/limits.h"
#include "tests/unit/unit.h"

START_TEST(the_number_of_descriptors_is_raised_to_what_may_be_had)
{
    struct rlimit r = { 0, 0 };
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
    r.rlim_cur = 100;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
    ck_assert_uint_eq(limits_raise_files(120), 120);
    ck_assert_uint_eq(limits_raise_files(110), 110); /* as many as were wanted; those that are there stay */
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
    ck_assert_uint_eq(r.rlim_cur, 120);
    r.rlim_max = 150;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
    ck_assert_uint_eq(limits_raise_files(65536), 150);
}
END_TEST

START_TEST(clients_leave_the_others_their_descriptors)
{
    static const struct {
        size_t files, wanted, granted;
    } rows[] = { { 65536, 4096, 4096 }, { 4864, 4096, 4096 }, { 4096, 4096, 3328 }, { 2000, 4096, 1232 },
                 { 1024, 4096, 256 },   { 256, 4096, 64 },    { 1024, 100, 100 },   { 0, 4096, 1 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_uint_eq(limits_for_clients(rows[i].files, rows[i].wanted), rows[i].granted);
}
END_TEST

int main(void)
{
    return UNIT_RUN("limits", the_number_of_descriptors_is_raised_to_what_may_be_had,
                    clients_leave_the_others_their_descriptors);
}
