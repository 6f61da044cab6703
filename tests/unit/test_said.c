/* Signed statements are kept by their digest with their evidence, within a budget of bytes; the least recently used go first. */
#include <stdio.h>

#include "node/query/said.h"
#include "tests/unit/unit.h"

#define TEXT 1000u /* bytes of a statement here */

static const uint64_t seed[2] = { 5, 6 };
static arena_t arena;

static hash32_t id_of(unsigned i)
{
    hash32_t id = { { (uint8_t)i, (uint8_t)(i >> 8) } };
    return id;
}

static void note(said_t *s, unsigned i)
{
    static uint8_t text[TEXT];
    const hash32_t id = id_of(i);
    memset(text, (int)i, sizeof text);
    const said_entry_t entry = { .answer = view_of(text, sizeof text),
                                 .request = view_str("{}"),
                                 .beacon_root = id,
                                 .participants = i,
                                 .finalized = i % 2 };
    said_note(s, &id, &entry);
}

static bool has(said_t *s, unsigned i)
{
    const hash32_t id = id_of(i);
    said_entry_t e;
    if (!said_get(s, &e, &arena, &id))
        return false;
    ck_assert(e.answer.n == TEXT && e.answer.p[TEXT - 1] == (uint8_t)i && view_eq(e.request, view_str("{}")));
    ck_assert(hash32_eq(&e.beacon_root, &id) && e.participants == i && e.finalized == i % 2);
    return true;
}

static void put_file(said_t *s, unsigned i, size_t len)
{
    const hash32_t id = id_of(i);
    uint8_t *body = calloc(1, len);
    hs_shared_t *file = hs_shared_new(200, NULL, view_of(body, len), 0);
    said_put_file(s, &id, file, len);
    hs_shared_unref(file);
    free(body);
}

static bool has_file(said_t *s, unsigned i)
{
    const hash32_t id = id_of(i);
    hs_shared_t *file = said_file(s, &id);
    hs_shared_unref(file);
    return file;
}

START_TEST(what_was_said_is_found_until_there_is_no_room)
{
    arena_init(&arena, 16u << 20);
    said_t *s = said_new(20000, seed);
    for (unsigned i = 0; i < 10; i++)
        note(s, i);
    const size_t one = said_bytes(s) / 10;
    ck_assert(one >= TEXT + 2 && one < TEXT + 1000);
    for (unsigned i = 0; i < 10; i++)
        ck_assert(has(s, i));
    ck_assert(has(s, 0)); /* used: 1 is the oldest now */
    const unsigned more = (unsigned)((20000 - said_bytes(s)) / one) + 1;
    for (unsigned i = 0; i < more; i++)
        note(s, 10 + i);
    ck_assert(has(s, 0) && !has(s, 1) && has(s, 2));
    ck_assert_uint_le(said_bytes(s), 20000);
    note(s, 2); /* again: nothing more */
    ck_assert_uint_le(said_bytes(s), 20000);
    said_free(s);
    arena_free(&arena);
}
END_TEST

START_TEST(a_file_counts_and_goes_with_its_statement)
{
    arena_init(&arena, 16u << 20);
    said_t *s = said_new(20000, seed);
    note(s, 1);
    note(s, 2);
    ck_assert(!has_file(s, 1));
    put_file(s, 1, 5000);
    put_file(s, 9, 5000); /* of a statement that is not there */
    ck_assert(has_file(s, 1) && !has_file(s, 9) && said_bytes(s) > 7000);
    put_file(s, 2, SAID_ENTRY_MAX + 1);
    ck_assert(!has_file(s, 2));
    for (unsigned i = 10; i < 40; i++)
        note(s, i);
    ck_assert(!has(s, 1) && !has_file(s, 1) && said_bytes(s) <= 20000);
    put_file(s, 39, 19900); /* more than there is room for beside anything else */
    ck_assert(!has(s, 38) && said_bytes(s) <= 20000);
    said_free(s);
    said_free(NULL);
    arena_free(&arena);
}
END_TEST

int main(void)
{
    return UNIT_RUN("said", what_was_said_is_found_until_there_is_no_room, a_file_counts_and_goes_with_its_statement);
}
