/* Journal of accepted light-client objects, and the kept answers of POST /call. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/chain/journal.h"
#include "node/query/answers.h"
#include "tests/unit/unit.h"

static struct {
    unsigned count, refuse_at;
    lc_kind_t kind[16];
    uint8_t first[16];
} seen;

static rc_t take(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    (void)ctx, (void)fork;
    if (seen.count + 1 == seen.refuse_at)
        return RC_REFUSED;
    ck_assert_uint_lt(seen.count, 16);
    seen.kind[seen.count] = kind;
    seen.first[seen.count++] = ssz.n ? ssz.p[0] : 0;
    return RC_OK;
}

static void note(journal_t *j, lc_kind_t kind, uint8_t mark, unsigned moved)
{
    uint8_t object[40] = { mark };
    journal_note(j, kind, LC_FULU, view_of(object, sizeof object), moved);
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
    ck_assert_int_eq(journal_decode(view_of(record, sizeof record), take, NULL), RC_OK);
    ck_assert_uint_eq(seen.count, 1);
    for (size_t n = 1; n < sizeof record; n++)
        ck_assert_int_eq(journal_decode(view_of(record, n), take, NULL), RC_MALFORMED);
    record[0] = 9;
    ck_assert_int_eq(journal_decode(view_of(record, sizeof record), take, NULL), RC_MALFORMED);
    record[0] = LC_UPDATE, record[1] = LC_FORKS;
    ck_assert_int_eq(journal_decode(view_of(record, sizeof record), take, NULL), RC_MALFORMED);
    ck_assert_uint_eq(seen.count, 1);
}
END_TEST

START_TEST(a_kept_answer_belongs_to_one_block_and_one_request)
{
    answers_t a;
    hash32_t block = { { 1 } }, other = { { 2 } }, key, key2, key3;
    answers_init(&a);
    answers_key(&key, &block, view_str("{}"));
    answers_key(&key2, &other, view_str("{}"));
    answers_key(&key3, &block, view_str("{ }"));
    answers_put(&a, &key, view_str("signed"));
    view_t got = answers_get(&a, &key);
    ck_assert(view_eq(got, view_str("signed")));
    free((void *)(uintptr_t)got.p);
    ck_assert_ptr_null(answers_get(&a, &key2).p);
    ck_assert_ptr_null(answers_get(&a, &key3).p);
    for (unsigned i = 0; i < 1000; i++) { /* bounded: old ones make room */
        answers_key(&key2, &block, view_of(&i, sizeof i));
        answers_put(&a, &key2, view_str("x"));
    }
    answers_clear(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN("journal", what_moved_the_store_comes_back_in_order, a_truncated_or_foreign_record_ends_the_replay,
                    a_kept_answer_belongs_to_one_block_and_one_request);
}
