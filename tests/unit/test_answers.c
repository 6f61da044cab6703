/* The kept answers of POST /call: whose they are, and that they are bounded in number and in bytes. */
#include <stdlib.h>

#include "node/query/answers.h"
#include "tests/unit/unit.h"

static answers_t a;
static const hash32_t block = { { 1 } };

static hash32_t key_of(unsigned i)
{
    hash32_t key;
    answers_key(&key, &block, view_of(&i, sizeof i));
    return key;
}

static void put(const hash32_t *key, const char *text, size_t len)
{
    hs_shared_t *answer = hs_shared_new(200, NULL, view_str(text), 0);
    answers_put(&a, key, answer, len, 1);
    hs_shared_unref(answer);
}

static bool kept(const hash32_t *key)
{
    hs_shared_t *got = answers_get(&a, key, 1);
    hs_shared_unref(got);
    return got != NULL;
}

START_TEST(a_kept_answer_belongs_to_one_block_and_one_request)
{
    hash32_t other = { { 2 } }, key, key2, key3;
    answers_init(&a);
    answers_key(&key, &block, view_str("{}"));
    answers_key(&key2, &other, view_str("{}"));
    answers_key(&key3, &block, view_str("{ }"));
    hs_shared_t *answer = hs_shared_new(200, NULL, view_str("signed"), 0);
    answers_put(&a, &key, answer, 6, 1);
    ck_assert_ptr_null(answers_get(&a, &key, 0)); /* another key signs */
    ck_assert_ptr_null(answers_get(&a, &key, 2));
    hs_shared_t *got = answers_get(&a, &key, 1);
    ck_assert_ptr_eq(got, answer);
    hs_shared_unref(got);
    hs_shared_unref(answer);
    ck_assert(!kept(&key2));
    ck_assert(!kept(&key3));
    answers_clear(&a);
}
END_TEST

START_TEST(a_longer_answer_than_may_be_kept_is_not)
{
    hash32_t key = key_of(1);
    answers_init(&a);
    put(&key, "x", ANSWERS_LEN_MAX + 1);
    ck_assert(!kept(&key));
    put(&key, "x", ANSWERS_LEN_MAX);
    ck_assert(kept(&key));
    put(&key, "y", 1);
    ck_assert_uint_eq(a.bytes, 1);
    answers_clear(&a);
    ck_assert_uint_eq(a.bytes, 0);
}
END_TEST

START_TEST(many_answers_are_bounded_in_number_and_in_bytes)
{
    unsigned here = 0;
    answers_init(&a);
    for (unsigned i = 0; i < 5000; i++) {
        hash32_t key = key_of(i);
        put(&key, "x", ANSWERS_LEN_MAX);
        ck_assert(kept(&key));
        ck_assert_uint_le(a.bytes, ANSWERS_BYTES_MAX);
    }
    for (unsigned i = 0; i < 5000; i++) {
        hash32_t key = key_of(i);
        here += kept(&key);
    }
    ck_assert_uint_eq(here, ANSWERS_BYTES_MAX / ANSWERS_LEN_MAX);
    answers_clear(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN("answers", a_kept_answer_belongs_to_one_block_and_one_request,
                    a_longer_answer_than_may_be_kept_is_not, many_answers_are_bounded_in_number_and_in_bytes);
}
