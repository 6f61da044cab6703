/* Filters on disk: what was sealed opens again, in its place and under its key alone, and no change of a byte is taken. */
#include "node/kept.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static arena_t arena;
static const uint8_t KEY[KEPT_KEY_LEN] = { 1, 2, 3 }, OTHER[KEPT_KEY_LEN] = { 1, 2, 4 }, NONCE[24] = { 9 };

static kept_t example(void)
{
    kept_t f = {
        .id = "0x1f", .kind = API_WATCH_LOGS, .number = 0x1234567890, .criteria = view_str("{\"topics\":[]}")
    };
    memset(f.hash.b, 0xab, 32);
    memset(f.below, 0xac, sizeof f.below);
    f.below_count = KEPT_BELOW_MAX;
    return f;
}

static view_t sealed_example(unsigned slot)
{
    const kept_t f = example();
    view_t sealed;
    ck_assert_int_eq(kept_seal(&sealed, &arena, &f, NONCE, KEY, slot), RC_OK);
    return sealed;
}

static void same(const kept_t *a, const kept_t *b)
{
    ck_assert_str_eq(a->id, b->id);
    ck_assert_int_eq(a->kind, b->kind);
    ck_assert_uint_eq(a->number, b->number);
    ck_assert(hash32_eq(&a->hash, &b->hash));
    ck_assert_uint_eq(a->below_count, b->below_count);
    for (unsigned i = 0; i < a->below_count; i++)
        ck_assert(hash32_eq(&a->below[i], &b->below[i]));
    ck_assert(view_eq(a->criteria, b->criteria));
}

static void setup(void)
{
    arena_init(&arena, 64u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

START_TEST(what_is_sealed_opens_again)
{
    const kept_t f = example(), heads = { .id = "0x0123456789abcdef0123456789abcdef", .kind = API_WATCH_HEADS };
    kept_t got;
    view_t sealed = sealed_example(7);
    ck_assert_int_eq(kept_open(&got, &arena, sealed, KEY, 7), RC_OK);
    same(&got, &f);
    ck_assert_int_eq(kept_seal(&sealed, &arena, &heads, NONCE, KEY, 1023), RC_OK);
    ck_assert_int_eq(kept_open(&got, &arena, sealed, KEY, 1023), RC_OK);
    same(&got, &heads);
}
END_TEST

START_TEST(it_opens_in_its_place_and_under_its_key_alone)
{
    kept_t got = { .number = 7 };
    const view_t sealed = sealed_example(7);
    ck_assert_int_eq(kept_open(&got, &arena, sealed, KEY, 8), RC_REFUSED);
    ck_assert_int_eq(kept_open(&got, &arena, sealed, OTHER, 7), RC_REFUSED);
    ck_assert_uint_eq(got.number, 7);
}
END_TEST

START_TEST(no_change_and_no_truncation_is_taken)
{
    kept_t got;
    const view_t sealed = sealed_example(7);
    uint8_t *copy = malloc(sealed.n + 1);
    memcpy(copy, sealed.p, sealed.n);
    for (size_t i = 0; i < sealed.n; i++) {
        copy[i] ^= 0x10;
        ck_assert_int_eq(kept_open(&got, &arena, view_of(copy, sealed.n), KEY, 7), RC_REFUSED);
        copy[i] ^= 0x10;
        ck_assert_int_eq(kept_open(&got, &arena, view_of(copy, i), KEY, 7), RC_REFUSED);
    }
    copy[sealed.n] = 0;
    ck_assert_int_eq(kept_open(&got, &arena, view_of(copy, sealed.n + 1), KEY, 7), RC_REFUSED);
    free(copy);
}
END_TEST

START_TEST(a_file_is_written_found_replaced_and_removed)
{
    char dir[] = "/tmp/kettle-test-kept-XXXXXX", folder[64];
    kept_t f = example(), got;
    bool found = true;
    err_t e;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(folder, sizeof folder, "%s/filters", dir);
    ck_assert_int_eq(kept_read(&got, &found, &e, &arena, folder, KEY, 3), RC_OK);
    ck_assert(!found);
    ck_assert_int_eq(kept_write(&e, folder, &f, KEY, 3), RC_OK);
    f.number++;
    ck_assert_int_eq(kept_write(&e, folder, &f, KEY, 3), RC_OK);
    ck_assert_int_eq(kept_read(&got, &found, &e, &arena, folder, KEY, 3), RC_OK);
    ck_assert(found);
    same(&got, &f);
    ck_assert_int_eq(kept_read(&got, &found, &e, &arena, folder, OTHER, 3), RC_REFUSED);
    kept_remove(folder, 3);
    ck_assert_int_eq(kept_read(&got, &found, &e, &arena, folder, KEY, 3), RC_OK);
    ck_assert(!found);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing is left behind */
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("kept", setup, teardown, what_is_sealed_opens_again,
                           it_opens_in_its_place_and_under_its_key_alone, no_change_and_no_truncation_is_taken,
                           a_file_is_written_found_replaced_and_removed);
}
