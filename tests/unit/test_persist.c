/* State files: damage of every byte and every truncation is seen; a failed write keeps the old file. And the log's escaping. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/log.h"
#include "base/os/persist.h"
#include "tests/unit/unit.h"

static char dir[64];
static char why[256];

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

static rc_t read_back(uint8_t **p, size_t *n, bool *found)
{
    return persist_read(p, n, found, dir, "thing", 1000, why, sizeof why);
}

START_TEST(what_was_written_is_read_and_replaced)
{
    uint8_t *p;
    size_t n;
    bool found;
    ck_assert_int_eq(read_back(&p, &n, &found), RC_OK);
    ck_assert(!found);
    ck_assert_int_eq(persist_write(dir, "thing", view_str("one"), why, sizeof why), RC_OK);
    ck_assert_int_eq(persist_write(dir, "thing", view_str("two!"), why, sizeof why), RC_OK);
    ck_assert_int_eq(read_back(&p, &n, &found), RC_OK);
    ck_assert(found && view_eq(view_of(p, n), view_str("two!")));
    free(p);
    ck_assert_int_eq(persist_write(dir, "thing", (view_t){ NULL, 0 }, why, sizeof why), RC_OK);
    ck_assert_int_eq(read_back(&p, &n, &found), RC_OK);
    ck_assert(found && n == 0);
    free(p);
}
END_TEST

START_TEST(damage_of_any_byte_and_any_truncation_is_refused)
{
    char path[128], temporary[128];
    uint8_t file[PERSIST_HEAD + 5], *p;
    size_t n;
    bool found;
    ck_assert_int_eq(persist_write(dir, "thing", view_str("hello"), why, sizeof why), RC_OK);
    snprintf(path, sizeof path, "%s/thing", dir);
    snprintf(temporary, sizeof temporary, "%s/.thing.new", dir);
    ck_assert_int_ne(access(temporary, F_OK), 0);
    FILE *f = fopen(path, "rb");
    ck_assert_uint_eq(fread(file, 1, sizeof file, f), sizeof file);
    fclose(f);
    for (size_t i = 0; i < 2 * sizeof file; i++) {
        bool cut = i >= sizeof file;
        size_t at = i % sizeof file;
        f = fopen(path, "wb");
        file[at] ^= cut ? 0 : 1;
        fwrite(file, 1, cut ? at : sizeof file, f);
        file[at] ^= cut ? 0 : 1;
        fclose(f);
        ck_assert_msg(read_back(&p, &n, &found) == RC_MALFORMED, "byte %zu", i);
        ck_assert(!found && !p);
        ck_assert_ptr_nonnull(strstr(why, path));
    }
}
END_TEST

START_TEST(a_larger_file_than_allowed_is_refused)
{
    uint8_t big[1001] = { 0 }, *p;
    size_t n;
    bool found;
    ck_assert_int_eq(persist_write(dir, "thing", view_of(big, 1000), why, sizeof why), RC_OK);
    ck_assert_int_eq(read_back(&p, &n, &found), RC_OK);
    free(p);
    ck_assert_int_eq(persist_write(dir, "thing", view_of(big, 1001), why, sizeof why), RC_OK);
    ck_assert_int_eq(read_back(&p, &n, &found), RC_LIMIT);
}
END_TEST

START_TEST(a_failed_write_names_the_path_and_leaves_nothing)
{
    char sub[128];
    uint8_t *p;
    size_t n;
    bool found;
    ck_assert_int_eq(persist_write(dir, "thing", view_str("old"), why, sizeof why), RC_OK);
    snprintf(sub, sizeof sub, "%s/thing/below", dir); /* a file stands where a folder should be */
    ck_assert_int_eq(persist_write(sub, "x", view_str("new"), why, sizeof why), RC_IO);
    ck_assert_ptr_nonnull(strstr(why, sub));
    snprintf(sub, sizeof sub, "%s/folder", dir);
    ck_assert_int_eq(mkdir(sub, 0700), 0);
    ck_assert_int_eq(persist_write(dir, "folder", view_str("new"), why, sizeof why),
                     RC_IO); /* cannot be replaced by a file */
    ck_assert_int_eq(read_back(&p, &n, &found), RC_OK);
    ck_assert(view_eq(view_of(p, n), view_str("old")));
    free(p);
}
END_TEST

START_TEST(the_folder_is_made_for_its_owner_alone)
{
    char sub[128];
    struct stat st;
    snprintf(sub, sizeof sub, "%s/made", dir);
    ck_assert_int_eq(persist_write(sub, "thing", view_str("x"), why, sizeof why), RC_OK);
    ck_assert_int_eq(stat(sub, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
}
END_TEST

START_TEST(a_file_is_readable_for_its_owner_alone_and_no_link_is_followed)
{
    char path[128], other[128];
    struct stat st;
    uint8_t *p;
    size_t n;
    bool found;
    snprintf(path, sizeof path, "%s/thing", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    ck_assert_int_eq(persist_write(dir, "thing", view_str("x"), why, sizeof why), RC_OK);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(rename(path, other), 0);
    ck_assert_int_eq(symlink(other, path), 0);
    ck_assert_int_eq(read_back(&p, &n, &found), RC_IO);
    ck_assert(!found && !p && n == 0);
    ck_assert(strncmp(why, path, strlen(path)) == 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(read_back(&p, &n, &found), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(why, ": is not a file of this program"));
}
END_TEST

START_TEST(names_and_paths_of_any_length_are_refused_and_not_cut)
{
    static const size_t lengths[] = { 249, 250, 251, 300, 5000 };
    char *name = calloc(1, 5001);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t *p;
        size_t n, size = lengths[i];
        bool found, fits = size <= 250; /* ".NAME.new" has at most 255 characters */
        memset(name, 'n', size);
        name[size] = 0;
        rc_t rc = persist_write(dir, name, view_str("x"), why, sizeof why);
        ck_assert_msg(rc == (fits ? RC_OK : RC_BUG), "%zu: %s", size, rc_name(rc));
        rc = persist_read(&p, &n, &found, dir, name, 10, why, sizeof why);
        ck_assert_msg(rc == (size <= 255 ? RC_OK : RC_IO), "%zu: %s", size, rc_name(rc));
        ck_assert(found == fits && !p == !fits);
        free(p);
    }
    free(name);
}
END_TEST

START_TEST(what_upstreams_say_cannot_break_a_log_line)
{
    char text[64], small[4], line[4096] = "";
    log_json_escape(text, sizeof text, "a\"b\\c\n\x1b[2J\xff\xc3\xa9");
    ck_assert_str_eq(text, "a\\\"b\\\\c\\u000a\\u001b[2J\xef\xbf\xbd\xc3\xa9");
    log_json_escape(small, sizeof small, "ab\nc"); /* a piece that does not fit whole is left out */
    ck_assert_str_eq(small, "ab");
    FILE *f = tmpfile();
    log_redirect(f, 1);
    log_write(LOG_DEBUG, "test", "below the level");
    log_write(LOG_WARN, "test", "one %s", "line\ntwo");
    log_redirect(f, 0);
    log_progress("period %d", 1);
    log_write(LOG_ERROR, "test", "bell \a");
    rewind(f);
    ck_assert_uint_gt(fread(line, 1, sizeof line - 1, f), 0);
    fclose(f);
    log_redirect(stderr, 0);
    ck_assert_ptr_nonnull(strstr(line, "\"level\":\"warn\",\"event\":\"test\",\"msg\":\"one line\\u000atwo\"}\n"));
    ck_assert_ptr_null(strstr(line, "below"));
    ck_assert_ptr_nonnull(strstr(line, "period 1"));
    ck_assert_ptr_nonnull(strstr(line, "bell ?"));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("persist", make_dir, remove_dir, what_was_written_is_read_and_replaced,
                           damage_of_any_byte_and_any_truncation_is_refused, a_larger_file_than_allowed_is_refused,
                           a_failed_write_names_the_path_and_leaves_nothing, the_folder_is_made_for_its_owner_alone,
                           a_file_is_readable_for_its_owner_alone_and_no_link_is_followed,
                           names_and_paths_of_any_length_are_refused_and_not_cut,
                           what_upstreams_say_cannot_break_a_log_line);
}
