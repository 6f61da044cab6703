/* Key sets: a call's own comes back for it alone, a selector's has what several calldata agree about. */
#include <check.h>

#include "lightclient/exec/learned.h"
#include "tests/unit/unit.h"

static ex_cache_t *cache;
static arena_t arena;
static ex_request_t request;

static void setup(void)
{
    arena_init(&arena, 64u << 20);
    cache = ex_cache_new(&(ex_cache_config_t){ .bytes_max = 16u << 20, .seed = { 1, 2 } });
    request = (ex_request_t){ .has_to = true, .to = { { 1 } }, .from = { { 2 } } };
}

static void teardown(void)
{
    ex_cache_free(cache);
    arena_free(&arena);
}

static addr_t addr_of(uint8_t x)
{
    return (addr_t){ { x, 0xad } };
}

/* A call with this calldata has read the contract 9 with its slot 1, and two slots of the account that x names. */
static void learn(const char *data, uint8_t x)
{
    const hash32_t shared = { { 1 } }, own[] = { { { 7, x } }, { { 8, x } } };
    const ex_touch_t touched[] = { { addr_of(9), &shared, 1, true }, { addr_of(x), own, 2, false } };
    request.data = view_str(data);
    ex_learned_put(cache, &arena, &request, touched, 2);
}

static size_t get(ex_touch_t **out, bool *same, const char *data)
{
    request.data = view_str(data);
    return ex_learned_get(cache, out, same, &arena, &request);
}

START_TEST(a_call_finds_what_it_read_and_no_other_does)
{
    ex_touch_t *out;
    bool same;
    learn("abcd1234", 20);
    ck_assert_uint_eq(get(&out, &same, "abcd1234"), 2);
    ck_assert(same && addr_eq(&out[0].addr, &(addr_t){ { 9, 0xad } }) && out[0].code && out[0].slot_count == 1);
    ck_assert(!out[1].code && out[1].slot_count == 2 && out[1].slots[1].b[0] == 8 && out[1].slots[1].b[1] == 20);
    const char *const others[] = { "abcd1235", "abcd", "abc", "", "abce1234" };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        ck_assert_uint_eq(get(&out, &same, others[i]), 0);
        ck_assert(!same);
    }
    request.from.b[0] ^= 1;
    ck_assert_uint_eq(get(&out, &same, "abcd1234"), 0);
    request.from.b[0] ^= 1;
    request.to.b[0] ^= 1;
    ck_assert_uint_eq(get(&out, &same, "abcd1234"), 0);
    ck_assert_uint_eq(ex_learned_get(NULL, &out, &same, &arena, &request), 0);
}
END_TEST

START_TEST(what_two_calldata_have_read_is_asked_for_another)
{
    ex_touch_t *out;
    bool same;
    learn("abcd1", 20);
    learn("abcd1", 20); /* in another block: the same calldata is no second one */
    ck_assert_uint_eq(get(&out, &same, "abcd3"), 0);
    learn("abcd2", 21);
    ck_assert_uint_eq(get(&out, &same, "abcd3"), 2); /* the contract, and its slot; nobody's own */
    ck_assert(!same);
    for (size_t i = 0; i < 2; i++)
        ck_assert(addr_eq(&out[i].addr, &(addr_t){ { 9, 0xad } }));
    ck_assert(out[0].code && out[0].slot_count == 0 && out[1].slot_count == 1 && out[1].slots[0].b[0] == 1);
    ck_assert_uint_eq(get(&out, &same, "abce3"), 0);
    ck_assert_uint_eq(get(&out, &same, "abc"), 0);
}
END_TEST

START_TEST(what_is_read_no_more_is_forgotten)
{
    ex_touch_t *out;
    bool same;
    char data[] = "abcd0";
    const ex_touch_t other = { .addr = addr_of(30) };
    learn("abcdx", 20);
    learn("abcdy", 21);
    for (unsigned i = 0; i < EX_LEARNED_UNUSED_MAX; i++) {
        const size_t n = get(&out, &same, "abcdz");
        ck_assert_uint_eq(n, i < 2 ? 2 : 3); /* 30 from the second time on */
        data[4] = (char)('0' + i);
        request.data = view_str(data);
        ex_learned_put(cache, &arena, &request, &other, 1);
    }
    ck_assert_uint_eq(get(&out, &same, "abcdz"), 1);
    ck_assert(addr_eq(&out[0].addr, &other.addr));
}
END_TEST

START_TEST(sets_past_their_maximum_are_not_kept)
{
    static hash32_t slots[EX_LEARNED_MAX];
    ex_touch_t in = { addr_of(1), slots, EX_LEARNED_MAX, true }, *out;
    bool same;
    for (uint32_t i = 0; i < EX_LEARNED_MAX; i++)
        memcpy(slots[i].b, &i, sizeof i);
    for (uint8_t i = 0; i < 2; i++) {
        request.data = view_str(i ? "abcd1" : "abcd2");
        ex_learned_put(cache, &arena, &request, &in, 1);
        ck_assert_uint_eq(ex_learned_get(cache, &out, &same, &arena, &request), 0);
    }
    in.slot_count--;
    for (uint8_t i = 0; i < 2; i++) {
        request.data = view_str(i ? "abcd1" : "abcd2");
        ex_learned_put(cache, &arena, &request, &in, 1);
        ck_assert_uint_eq(ex_learned_get(cache, &out, &same, &arena, &request), 1);
        ck_assert_uint_eq(out[0].slot_count, EX_LEARNED_MAX - 1);
    }
    ck_assert_uint_eq(get(&out, &same, "abcd3"), EX_LEARNED_SHARED_MAX);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("learned", setup, teardown, a_call_finds_what_it_read_and_no_other_does,
                           what_two_calldata_have_read_is_asked_for_another, what_is_read_no_more_is_forgotten,
                           sets_past_their_maximum_are_not_kept);
}
