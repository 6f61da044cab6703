/* State files: damage of every byte and every truncation is seen; a failed write keeps the old file. And the log's escaping. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "tests/unit/unit.h"

static char dir[64];
static err_t e;

static void make_dir(void)
{
    snprintf(dir, sizeof dir, "/tmp/kettle-persist-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    ck_assert_int_eq(system(command), 0);
}

static rc_t read_back(view_t *file, bool *found)
{
    return persist_read(file, found, &e, dir, "thing", 1000);
}

START_TEST(what_was_written_is_read_and_replaced)
{
    view_t file;
    bool found;
    ck_assert_int_eq(read_back(&file, &found), RC_OK);
    ck_assert(!found);
    ck_assert_int_eq(persist_write(&e, dir, "thing", view_str("one")), RC_OK);
    ck_assert_int_eq(persist_write(&e, dir, "thing", view_str("two!")), RC_OK);
    ck_assert_int_eq(read_back(&file, &found), RC_OK);
    ck_assert(found && view_eq(file, view_str("two!")));
    file_free(file);
    ck_assert_int_eq(persist_write(&e, dir, "thing", (view_t){ NULL, 0 }), RC_OK);
    ck_assert_int_eq(read_back(&file, &found), RC_OK);
    ck_assert(found && file.n == 0);
    file_free(file);
}
END_TEST

START_TEST(damage_of_any_byte_and_any_truncation_is_refused)
{
    char path[128], temporary[128];
    uint8_t bytes[PERSIST_HEAD + 5];
    view_t file;
    bool found;
    ck_assert_int_eq(persist_write(&e, dir, "thing", view_str("hello")), RC_OK);
    snprintf(path, sizeof path, "%s/thing", dir);
    snprintf(temporary, sizeof temporary, "%s/.thing.new", dir);
    ck_assert_int_ne(access(temporary, F_OK), 0);
    FILE *f = fopen(path, "rb");
    ck_assert_uint_eq(fread(bytes, 1, sizeof bytes, f), sizeof bytes);
    fclose(f);
    for (size_t i = 0; i < 2 * sizeof bytes; i++) {
        bool cut = i >= sizeof bytes;
        size_t at = i % sizeof bytes;
        f = fopen(path, "wb");
        bytes[at] ^= cut ? 0 : 1;
        fwrite(bytes, 1, cut ? at : sizeof bytes, f);
        bytes[at] ^= cut ? 0 : 1;
        fclose(f);
        ck_assert_msg(read_back(&file, &found) == RC_MALFORMED, "byte %zu", i);
        ck_assert(!found && !file.p);
        ck_assert_ptr_nonnull(strstr(e.text, path));
    }
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_is_known_before_anything_is)
{
    char sub[128];
    snprintf(sub, sizeof sub, "%s/new", dir);
    ck_assert_int_eq(persist_check(&e, sub), RC_OK);
    ck_assert_int_eq(rmdir(sub), 0); /* it is there, and nothing is in it */
    snprintf(sub, sizeof sub, "%s/a/b", dir);
    ck_assert_int_eq(persist_check(&e, sub), RC_IO);
    ck_assert_msg(!strncmp(e.text, sub, strlen(sub)) &&
                      !strncmp(e.text + strlen(sub), ": the folder cannot be made: ", 29),
                  "%s", e.text);
    ck_assert_int_eq(persist_write(&e, dir, "thing", view_str("x")), RC_OK);
    snprintf(sub, sizeof sub, "%s/thing", dir);
    ck_assert_int_eq(persist_check(&e, sub), RC_IO);
    ck_assert_int_eq(persist_check(&e, "/proc"), RC_IO);
    ck_assert_msg(!strncmp(e.text, "/proc: nothing can be written there: ", 37), "%s", e.text);
}
END_TEST

START_TEST(a_larger_file_than_allowed_is_refused)
{
    uint8_t big[1001] = { 0 };
    view_t file;
    bool found;
    ck_assert_int_eq(persist_write(&e, dir, "thing", view_of(big, 1000)), RC_OK);
    ck_assert_int_eq(read_back(&file, &found), RC_OK);
    file_free(file);
    ck_assert_int_eq(persist_write(&e, dir, "thing", view_of(big, 1001)), RC_OK);
    ck_assert_int_eq(read_back(&file, &found), RC_LIMIT);
}
END_TEST

START_TEST(a_failed_write_names_the_path_and_leaves_nothing)
{
    char sub[128];
    view_t file;
    bool found;
    ck_assert_int_eq(persist_write(&e, dir, "thing", view_str("old")), RC_OK);
    snprintf(sub, sizeof sub, "%s/thing/below", dir); /* a file stands where a folder should be */
    ck_assert_int_eq(persist_write(&e, sub, "x", view_str("new")), RC_IO);
    ck_assert_ptr_nonnull(strstr(e.text, sub));
    snprintf(sub, sizeof sub, "%s/folder", dir);
    ck_assert_int_eq(mkdir(sub, 0700), 0);
    ck_assert_int_eq(persist_write(&e, dir, "folder", view_str("new")), RC_IO); /* cannot be replaced by a file */
    ck_assert_int_eq(read_back(&file, &found), RC_OK);
    ck_assert(view_eq(file, view_str("old")));
    file_free(file);
}
END_TEST

START_TEST(the_folder_is_made_for_its_owner_alone)
{
    char sub[128];
    struct stat st;
    snprintf(sub, sizeof sub, "%s/made", dir);
    ck_assert_int_eq(persist_write(&e, sub, "thing", view_str("x")), RC_OK);
    ck_assert_int_eq(stat(sub, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
}
END_TEST

START_TEST(a_file_is_readable_for_its_owner_alone_and_no_link_is_followed)
{
    char path[128], other[128];
    struct stat st;
    view_t file;
    bool found;
    snprintf(path, sizeof path, "%s/thing", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    ck_assert_int_eq(persist_write(&e, dir, "thing", view_str("x")), RC_OK);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(rename(path, other), 0);
    ck_assert_int_eq(symlink(other, path), 0);
    ck_assert_int_eq(read_back(&file, &found), RC_MALFORMED);
    ck_assert(!found && !file.p && file.n == 0);
    ck_assert(strncmp(e.text, path, strlen(path)) == 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(read_back(&file, &found), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(e.text, ": is not a file of this program"));
}
END_TEST

START_TEST(names_and_paths_of_any_length_are_refused_and_not_cut)
{
    static const size_t lengths[] = { 249, 250, 251, 300, 5000 };
    char *name = calloc(1, 5001);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        view_t file;
        size_t size = lengths[i];
        bool found, fits = size <= 250; /* ".NAME.new" has at most 255 characters */
        memset(name, 'n', size);
        name[size] = 0;
        rc_t rc = persist_write(&e, dir, name, view_str("x"));
        ck_assert_msg(rc == (fits ? RC_OK : RC_BUG), "%zu: %s", size, rc_name(rc));
        rc = persist_read(&file, &found, &e, dir, name, 10);
        ck_assert_msg(rc == (size <= 255 ? RC_OK : RC_IO), "%zu: %s", size, rc_name(rc));
        ck_assert(found == fits && !file.p == !fits);
        file_free(file);
    }
    free(name);
}
END_TEST

START_TEST(what_upstreams_say_cannot_break_a_log_line)
{
    char line[4096] = "";
    FILE *f = tmpfile();
    log_redirect(f, 1);
    log_write(LOG_DEBUG, "test", "below the level");
    log_write(LOG_WARN, "test", "one %s", "line\ntwo \x1b[2J\xff\xc3\xa9\"");
    log_redirect(f, 0);
    log_progress("period %d", 1);
    log_write(LOG_ERROR, "test", "bell \a");
    rewind(f);
    ck_assert_uint_gt(fread(line, 1, sizeof line - 1, f), 0);
    fclose(f);
    log_redirect(stderr, 0);
    ck_assert_ptr_nonnull(strstr(
        line,
        "\"level\":\"warn\",\"event\":\"test\",\"msg\":\"one line\\ntwo \\u001B[2J\xef\xbf\xbd\xc3\xa9\\\"\"}\n"));
    ck_assert_ptr_null(strstr(line, "below"));
    ck_assert_ptr_nonnull(strstr(line, "period 1"));
    ck_assert_ptr_nonnull(strstr(line, "bell ?"));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "persist", make_dir, remove_dir, what_was_written_is_read_and_replaced,
        damage_of_any_byte_and_any_truncation_is_refused, a_folder_that_cannot_be_written_is_known_before_anything_is,
        a_larger_file_than_allowed_is_refused, a_failed_write_names_the_path_and_leaves_nothing,
        the_folder_is_made_for_its_owner_alone, a_file_is_readable_for_its_owner_alone_and_no_link_is_followed,
        names_and_paths_of_any_length_are_refused_and_not_cut, what_upstreams_say_cannot_break_a_log_line);
}
