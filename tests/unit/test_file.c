/* Files: whole or not at all, whatever kind they are. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "tests/unit/unit.h"

static char folder[] = "/tmp/test_file_XXXXXX", path[64], other[64];
static err_t e;
static view_t v;

static void setup(void)
{
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/a", folder);
    snprintf(other, sizeof other, "%s/b", folder);
    err_clear(&e);
    v = view_of(NULL, 0);
}

static void teardown(void)
{
    file_free(v);
    unlink(path);
    unlink(other);
    rmdir(folder);
}

static void fill(size_t n)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    for (size_t i = 0; i < n; i++)
        putc((int)(i % 251), f);
    fclose(f);
}

static void check_content(size_t n)
{
    ck_assert_uint_eq(v.n, n);
    for (size_t i = 0; i < n; i++)
        if (v.p[i] != i % 251)
            ck_abort_msg("byte %zu", i);
    ck_assert_uint_eq(v.p[n], 0);
}

START_TEST(a_file_comes_whole_up_to_its_maximum)
{
    static const size_t sizes[] = { 0, 1, 65535, 65536, 200000 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        fill(sizes[i]);
        ck_assert_int_eq(file_read(&v, &e, path, sizes[i], FILE_PLAIN), RC_OK);
        check_content(sizes[i]);
        file_free(v);
        v = view_of(NULL, 0);
        if (sizes[i])
            ck_assert_int_eq(file_read(&v, &e, path, sizes[i] - 1, 0), RC_LIMIT);
        ck_assert_ptr_null(v.p);
    }
    ck_assert_str_eq(e.text + strlen(path), ": is larger than 199999 bytes");
}
END_TEST

START_TEST(a_missing_file_is_named_with_the_reason)
{
    ck_assert_int_eq(file_read(&v, &e, "/nowhere/at/all", 10, 0), RC_IO);
    ck_assert_str_eq(e.text, "/nowhere/at/all: No such file or directory");
    ck_assert_int_eq(e.code, ENOENT);
    ck_assert_int_eq(file_read(&v, &e, "-", 10, 0), RC_IO);
    ck_assert_int_eq(file_read(&v, NULL, "/nowhere/at/all", 10, 0), RC_IO);
    ck_assert_int_eq(file_read(&v, &e, folder, 10, 0), RC_IO);
    ck_assert_int_eq(e.code, EISDIR);
}
END_TEST

START_TEST(files_that_claim_to_be_empty_are_read)
{
    ck_assert_int_eq(file_read(&v, &e, "/proc/self/stat", 65536, 0), RC_OK);
    ck_assert_uint_gt(v.n, 20);
    file_free(v);
    v = view_of(NULL, 0);
    ck_assert_int_eq(file_read(&v, &e, "/proc/self/stat", 5, 0), RC_LIMIT);
}
END_TEST

static void *write_pipe(void *arg)
{
    FILE *f = fopen(arg, "wb");
    for (size_t i = 0; f && i < 150000; i++)
        putc((int)(i % 251), f);
    if (f)
        fclose(f);
    return NULL;
}

START_TEST(a_pipe_is_read_to_its_end)
{
    pthread_t writer;
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_pipe, path), 0);
    ck_assert_int_eq(file_read(&v, &e, path, 200000, 0), RC_OK);
    pthread_join(writer, NULL);
    check_content(150000);
}
END_TEST

START_TEST(plain_means_a_regular_file_under_its_own_name)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(file_read(&v, &e, path, 10, FILE_PLAIN), RC_REFUSED);
    unlink(path);
    fill(3);
    ck_assert_int_eq(symlink(path, other), 0);
    ck_assert_int_eq(file_read(&v, &e, other, 10, FILE_PLAIN), RC_REFUSED);
    ck_assert_str_eq(e.text + strlen(other), ": is not a regular file");
    ck_assert_int_eq(file_read(&v, &e, other, 10, 0), RC_OK);
    check_content(3);
}
END_TEST

START_TEST(regular_means_no_pipe_and_never_waits)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(symlink(path, other), 0);
    ck_assert_int_eq(file_read(&v, &e, path, 10, FILE_REGULAR), RC_REFUSED); /* nobody ever opens its other end */
    ck_assert_str_eq(e.text + strlen(path), ": is not a regular file");
    ck_assert_int_eq(file_read(&v, &e, other, 10, FILE_REGULAR), RC_REFUSED);
    ck_assert_int_eq(file_read(&v, &e, folder, 10, FILE_REGULAR), RC_REFUSED);
    ck_assert(!file_is_regular(path) && !file_is_regular(other) && !file_is_regular(folder));
    unlink(path);
    ck_assert(!file_is_regular(other));
    fill(3);
    ck_assert(file_is_regular(path) && file_is_regular(other));
    ck_assert_int_eq(file_read(&v, &e, other, 10, FILE_REGULAR), RC_OK);
    check_content(3);
}
END_TEST

START_TEST(a_dash_is_standard_input_when_asked_for)
{
    fill(1000);
    ck_assert_ptr_nonnull(freopen(path, "rb", stdin));
    ck_assert_int_eq(file_read(&v, &e, "-", 1000, FILE_DASH_IS_STDIN), RC_OK);
    check_content(1000);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("file", setup, teardown, a_file_comes_whole_up_to_its_maximum,
                           a_missing_file_is_named_with_the_reason, files_that_claim_to_be_empty_are_read,
                           a_pipe_is_read_to_its_end, plain_means_a_regular_file_under_its_own_name,
                           regular_means_no_pipe_and_never_waits, a_dash_is_standard_input_when_asked_for);
}
