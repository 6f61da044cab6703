/* Journal of accepted light-client objects. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/os/log.h"
#include "node/chain/journal.h"
#include "tests/unit/unit.h"

static struct {
    unsigned count, refuse_at;
    lc_kind_t kind[16];
    uint8_t first[16];
    size_t len; /* of all */
} seen;

static rc_t take(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    (void)ctx, (void)fork;
    if (seen.count + 1 == seen.refuse_at)
        return RC_REFUSED;
    ck_assert_uint_lt(seen.count, 16);
    for (size_t i = 1; i < ssz.n && ssz.n == 40; i++) /* an object of note(): all its bytes are alike */
        ck_assert_uint_eq(ssz.p[i], ssz.p[0]);
    seen.len += ssz.n;
    seen.kind[seen.count] = kind;
    seen.first[seen.count++] = ssz.n ? ssz.p[0] : 0;
    return RC_OK;
}

static void note(journal_t *j, lc_kind_t kind, uint8_t mark, unsigned moved)
{
    uint8_t object[40];
    memset(object, mark, sizeof object);
    journal_note(j, kind, LC_FULU, view_of(object, sizeof object), moved);
}

/* Reads records behind the head of this version, from a place of exactly their size. */
static rc_t decode(view_t records)
{
    uint8_t *whole = malloc(4 + records.n);
    memcpy(whole, "LCJ\2", 4);
    memcpy(whole + 4, records.p, records.n);
    err_t e;
    err_clear(&e);
    rc_t rc = journal_decode(&e, view_of(whole, 4 + records.n), take, NULL);
    ck_assert_int_eq(e.rc, rc);
    ck_assert(!rc == !e.text[0]);
    free(whole);
    return rc;
}

START_TEST(what_moved_the_store_comes_back_in_order)
{
    char dir[] = "/tmp/kettle-journal-XXXXXX", file[64];
    journal_t j = { 0 };
    ck_assert_ptr_nonnull(mkdtemp(dir));
    note(&j, LC_BOOTSTRAP, 1, LC_BOOTSTRAPPED);
    note(&j, LC_UPDATE, 2, LC_MOVED_PERIOD | LC_MOVED_HEAD);
    note(&j, LC_UPDATE, 3, 0); /* moved nothing: not needed */
    note(&j, LC_FINALITY, 4, LC_MOVED_FINALIZED);
    note(&j, LC_OPTIMISTIC, 5, LC_MOVED_HEAD);
    note(&j, LC_FINALITY, 6, LC_MOVED_FINALIZED); /* takes the place of the earlier one */
    note(&j, LC_UPDATE, 7, LC_MOVED_PERIOD);
    journal_save(&j, dir);
    memset(&seen, 0, sizeof seen);
    journal_replay(dir, take, NULL);
    ck_assert_uint_eq(seen.count, 4);
    ck_assert_uint_eq(seen.first[0], 1);
    ck_assert_uint_eq(seen.first[1], 2);
    ck_assert_uint_eq(seen.first[2], 7);
    ck_assert_uint_eq(seen.first[3], 6);
    ck_assert_uint_eq(seen.len, 4 * 40);
    memset(&seen, 0, sizeof seen);
    seen.refuse_at = 2;
    journal_replay(dir, take, NULL);
    ck_assert_uint_eq(seen.count, 1);
    journal_clear(&j);
    snprintf(file, sizeof file, "%s/lightclient", dir);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(a_truncated_or_foreign_record_ends_the_replay)
{
    uint8_t record[] = { LC_BOOTSTRAP, LC_FULU, 3, 0, 0, 0, 9, 9, 9 };
    memset(&seen, 0, sizeof seen);
    ck_assert_int_eq(decode(view_of(record, sizeof record)), RC_OK);
    ck_assert_uint_eq(seen.count, 1);
    for (size_t n = 1; n < sizeof record; n++)
        ck_assert_int_eq(decode(view_of(record, n)), RC_MALFORMED);
    record[0] = 9;
    ck_assert_int_eq(decode(view_of(record, sizeof record)), RC_MALFORMED);
    record[0] = LC_UPDATE, record[1] = LC_FORKS;
    ck_assert_int_eq(decode(view_of(record, sizeof record)), RC_MALFORMED);
    ck_assert_uint_eq(seen.count, 1);
}
END_TEST

START_TEST(a_file_of_another_version_is_not_taken)
{
    static const struct {
        const char *head;
        size_t n;
        rc_t rc;
    } rows[] = {
        { "LCJ\2", 4, RC_OK },
        { "LCJ\2", 3, RC_UNSUPPORTED },
        { "LCJ\2", 0, RC_UNSUPPORTED },
        { "LCJ\1", 4, RC_UNSUPPORTED },
        { "LCJ\3", 4, RC_UNSUPPORTED },
        { "LCJ\0", 4, RC_UNSUPPORTED },
        { "lCJ\2", 4, RC_UNSUPPORTED },
        { "LCj\2", 4, RC_UNSUPPORTED },
        { "\1\5\1\0\0\0\11", 7, RC_UNSUPPORTED }, /* version 1: a bootstrap without a head */
    };
    memset(&seen, 0, sizeof seen);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err_t e;
        rc_t rc = journal_decode(&e, view_of(rows[i].head, rows[i].n), take, NULL);
        ck_assert_msg(rc == rows[i].rc, "row %zu: %d", i, rc);
        ck_assert(!rc || !strcmp(e.text, "the kept light-client data are of another version"));
    }
    ck_assert_uint_eq(seen.count, 0);
}
END_TEST

START_TEST(an_object_of_64_kib_is_kept_and_a_larger_one_is_not)
{
    const size_t max = 65536;
    uint8_t *object = calloc(1, max + 8);
    journal_t j = { 0 };
    journal_note(&j, LC_BOOTSTRAP, LC_FULU, view_of(object, max + 1), LC_BOOTSTRAPPED);
    ck_assert_uint_eq(j.len, 0);
    journal_note(&j, LC_BOOTSTRAP, LC_FULU, view_of(object, max), LC_BOOTSTRAPPED);
    ck_assert_uint_eq(j.len, max + 6);
    for (size_t n = max; n <= max + 1; n++) {
        const uint8_t head[] = { LC_BOOTSTRAP,       LC_FULU,           (uint8_t)n, (uint8_t)(n >> 8),
                                 (uint8_t)(n >> 16), (uint8_t)(n >> 24) };
        memset(&seen, 0, sizeof seen);
        memcpy(object, head, sizeof head);
        ck_assert_int_eq(decode(view_of(object, n + 6)), n == max ? RC_OK : RC_MALFORMED);
        ck_assert_uint_eq(seen.count, n == max);
    }
    journal_clear(&j);
    free(object);
}
END_TEST

START_TEST(each_kind_and_fork_comes_back_as_it_was_and_no_other_does)
{
    for (unsigned kind = 0; kind <= LC_FINALITY + 1; kind++)
        for (unsigned fork = 0; fork <= LC_FORKS; fork++) {
            const uint8_t record[] = { (uint8_t)kind, (uint8_t)fork, 1, 0, 0, 0, 42 };
            bool good = kind >= LC_BOOTSTRAP && kind <= LC_FINALITY && fork < LC_FORKS;
            memset(&seen, 0, sizeof seen);
            ck_assert_int_eq(decode(view_of(record, sizeof record)), good ? RC_OK : RC_MALFORMED);
            ck_assert_uint_eq(seen.count, good);
            ck_assert(!good || (seen.kind[0] == (lc_kind_t)kind && seen.first[0] == 42));
        }
}
END_TEST

START_TEST(a_new_bootstrap_drops_what_was_kept_before_it)
{
    char dir[] = "/tmp/kettle-journal-XXXXXX", file[64];
    journal_t j = { 0 };
    ck_assert_ptr_nonnull(mkdtemp(dir));
    note(&j, LC_BOOTSTRAP, 1, LC_BOOTSTRAPPED);
    note(&j, LC_FINALITY, 2, LC_MOVED_FINALIZED);
    note(&j, LC_BOOTSTRAP, 3, LC_BOOTSTRAPPED);
    note(&j, LC_BOOTSTRAP, 4, 0);
    note(&j, LC_FINALITY, 5, LC_MOVED_HEAD);
    journal_save(&j, NULL);
    ck_assert(j.dirty);
    journal_save(&j, dir);
    ck_assert(!j.dirty);
    memset(&seen, 0, sizeof seen);
    journal_replay(dir, take, NULL);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_uint_eq(seen.first[0], 3);
    snprintf(file, sizeof file, "%s/lightclient", dir);
    ck_assert_int_eq(unlink(file), 0);
    journal_save(&j, dir); /* nothing new: nothing is written */
    ck_assert_int_ne(access(file, F_OK), 0);
    journal_clear(&j);
    journal_replay(NULL, take, NULL);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

/* How many lines of the log say something. */
static unsigned lines_that_say(const char *what)
{
    static log_line_t lines[LOG_RING_LINES];
    const size_t n = log_after(lines, LOG_RING_LINES, 0);
    unsigned found = 0;
    for (size_t i = 0; i < n; i++)
        found += strstr(lines[i].message, what) != NULL;
    return found;
}

static void limit_files(rlim_t bytes)
{
    struct rlimit r;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* A limit on files stands for the disk, since no test needs rights to fill one. */
START_TEST(a_full_disk_is_told_once_and_so_is_that_it_has_room_again)
{
    static const char failure[] = "light-client data are not kept: ", again[] = "files are written again";
    char dir[] = "/tmp/kettle-full-XXXXXX", path[64];
    journal_t j = { 0 };
    ck_assert_ptr_nonnull(mkdtemp(dir));
    signal(SIGXFSZ, SIG_IGN);
    note(&j, LC_BOOTSTRAP, 1, LC_BOOTSTRAPPED);
    limit_files(16);
    for (unsigned i = 0; i < 5; i++)
        journal_save(&j, dir);
    limit_files(RLIM_INFINITY);
    ck_assert_uint_eq(lines_that_say(failure), 1);
    ck_assert_uint_eq(lines_that_say(again), 0);
    seen.count = 0;
    journal_replay(dir, take, NULL);
    ck_assert_uint_eq(seen.count, 0); /* no half of a file */
    journal_save(&j, dir);
    journal_save(&j, dir);
    ck_assert_uint_eq(lines_that_say(again), 1);
    journal_replay(dir, take, NULL);
    ck_assert_uint_eq(seen.count, 1);
    limit_files(16);
    note(&j, LC_UPDATE, 2, LC_MOVED_PERIOD);
    journal_save(&j, dir);
    limit_files(RLIM_INFINITY);
    ck_assert_uint_eq(lines_that_say(failure), 3); /* of a second time, and of the end of the first */
    seen.count = 0;
    journal_replay(dir, take, NULL);
    ck_assert_uint_eq(seen.count, 1); /* the old file is whole */
    snprintf(path, sizeof path, "%s/lightclient", dir);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(rmdir(dir), 0);
    journal_clear(&j);
}
END_TEST

int main(void)
{
    return UNIT_RUN("journal", what_moved_the_store_comes_back_in_order, a_truncated_or_foreign_record_ends_the_replay,
                    a_file_of_another_version_is_not_taken, an_object_of_64_kib_is_kept_and_a_larger_one_is_not,
                    each_kind_and_fork_comes_back_as_it_was_and_no_other_does,
                    a_new_bootstrap_drops_what_was_kept_before_it,
                    a_full_disk_is_told_once_and_so_is_that_it_has_room_again);
}
