/* The map: what was put in is found, in order, at its place, whatever grows; memory that ends leaves it as it was. */
#include "base/map.h"
#include "tests/unit/unit.h"

static const uint64_t seed[2] = { 0x0706050403020100u, 0x0f0e0d0c0b0a0908u };
static arena_t arena;
static map_t map;

typedef struct {
    uint64_t a, b, c;
} value_t;

static void setup(void)
{
    arena_init(&arena, (size_t)64 << 20);
    ck_assert_int_eq(map_init(&map, &arena, seed, 20, sizeof(value_t)), RC_OK);
}

static void teardown(void)
{
    arena_free(&arena);
}

static addr_t key_of(uint32_t i)
{
    addr_t a = { { 0 } };
    memcpy(a.b, &i, sizeof i);
    return a;
}

static value_t *get(uint32_t i)
{
    const addr_t key = key_of(i);
    return map_get(&map, key.b, sizeof key.b);
}

static value_t *put(uint32_t i)
{
    const addr_t key = key_of(i);
    return map_put(&map, NULL, key.b, sizeof key.b);
}

START_TEST(hashes_depend_on_the_seed_and_every_byte)
{
    uint8_t in[64];
    const uint64_t other[2] = { seed[0] + 1, seed[1] };
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)i;
    ck_assert_uint_eq(siphash(seed, view_of(in, 0)), 0xabac0158050fc4dcu); /* the reference implementation's */
    ck_assert_uint_eq(siphash(seed, view_of(in, 1)), 0xc9f49bf37d57ca93u);
    const uint64_t h = siphash(seed, view_of(in, sizeof in));
    ck_assert_uint_ne(siphash(other, view_of(in, sizeof in)), h);
    ck_assert_uint_ne(siphash(seed, view_of(in, 63)), h);
    for (size_t i = 0; i < sizeof in; i++) {
        in[i] ^= 1;
        ck_assert_uint_ne(siphash(seed, view_of(in, sizeof in)), h);
        in[i] ^= 1;
    }
    ck_assert_uint_eq(siphash(seed, view_of(in, sizeof in)), h);
}
END_TEST

START_TEST(a_new_value_is_zeroed_and_then_found)
{
    const addr_t key = key_of(7);
    bool is_new = false;
    ck_assert_ptr_null(get(7));
    value_t *v = map_put(&map, &is_new, key.b, sizeof key.b);
    ck_assert(is_new);
    ck_assert_uint_eq(v->a | v->b | v->c, 0);
    v->c = 5;
    ck_assert_ptr_eq(map_put(&map, &is_new, key.b, sizeof key.b), v);
    ck_assert(!is_new);
    ck_assert_ptr_eq(get(7), v);
    ck_assert_uint_eq(get(7)->c, 5);
    ck_assert_uint_eq(map.count, 1);
    ck_assert_mem_eq(map_key(&map, v), key.b, 20);
    ck_assert_ptr_null(get(8));
}
END_TEST

START_TEST(values_stay_at_their_place_in_order_while_it_grows)
{
    enum { COUNT = 20000 };
    static value_t *places[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        places[i] = put(i);
        places[i]->a = i;
    }
    uint32_t i = 0;
    for (const value_t *v = map_first(&map); v; v = map_next(v), i++)
        ck_assert_ptr_eq(v, places[i]);
    ck_assert_uint_eq(i, COUNT);
    for (i = 0; i < COUNT; i++)
        ck_assert_uint_eq(get(i)->a, i);
    ck_assert_uint_eq(map.bucket_count, 32768);
}
END_TEST

START_TEST(keys_of_every_length_in_use_are_told_apart)
{
    static const size_t lens[] = { 1, 20, 32, 52, 53 };
    for (size_t k = 0; k < sizeof lens / sizeof lens[0]; k++) {
        map_t m;
        uint8_t key[64] = { 0 };
        ck_assert_int_eq(map_init(&m, &arena, seed, lens[k], 1), RC_OK);
        for (size_t i = 0; i < lens[k]; i++) {
            key[i] = 1;
            *(uint8_t *)map_put(&m, NULL, key, lens[k]) = (uint8_t)(i + 1);
            key[i] = 0;
        }
        ck_assert_uint_eq(m.count, lens[k]);
        for (size_t i = 0; i < lens[k]; i++) {
            key[i] = 1;
            ck_assert_uint_eq(*(uint8_t *)map_get(&m, key, lens[k]), i + 1);
            key[i] = 0;
        }
        ck_assert_ptr_null(map_get(&m, key, lens[k]));
    }
}
END_TEST

/* The worst hash there is still finds everything. */
START_TEST(a_caller_may_bring_its_own_hash)
{
    enum { COUNT = 200 };
    value_t *places[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        const addr_t key = key_of(i);
        ck_assert_ptr_null(map_find(&map, key.b, sizeof key.b, 7));
        places[i] = map_insert(&map, key.b, 7);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        const addr_t key = key_of(i);
        ck_assert_ptr_eq(map_find(&map, key.b, sizeof key.b, 7), places[i]);
    }
    ck_assert_uint_eq(map.count, COUNT);
}
END_TEST

START_TEST(what_is_removed_is_gone_and_its_place_used_again)
{
    value_t *one = put(1), *two = put(2), *three = put(3);
    two->a = 9;
    map_remove(&map, two);
    ck_assert_ptr_null(get(2));
    ck_assert_uint_eq(map.count, 2);
    ck_assert_ptr_eq(map_next(one), three);
    const size_t used = arena.used;
    ck_assert_ptr_eq(put(4), two);
    ck_assert_uint_eq(two->a, 0);
    ck_assert_uint_eq(arena.used, used);
    ck_assert_ptr_eq(map_next(three), two);
    map_remove(&map, one);
    map_remove(&map, two);
    map_remove(&map, three);
    ck_assert_ptr_null(map_first(&map));
    ck_assert_ptr_eq(put(5), map_first(&map));
}
END_TEST

START_TEST(what_is_used_becomes_the_newest)
{
    value_t *one = put(1), *two = put(2), *three = put(3);
    map_refresh(&map, one);
    ck_assert_ptr_eq(map_first(&map), two);
    ck_assert_ptr_eq(map_next(three), one);
    ck_assert_ptr_null(map_next(one));
    map_refresh(&map, one);
    ck_assert_ptr_eq(map_next(three), one);
    ck_assert_ptr_eq(get(1), one);
}
END_TEST

START_TEST(without_memory_it_stays_as_it_was)
{
    arena_t small;
    map_t m;
    arena_init(&small, 100);
    ck_assert_int_eq(map_init(&m, &small, seed, 20, sizeof(value_t)), RC_NOMEM);
    arena_free(&small);
    arena_init(&small, 32768);
    ck_assert_int_eq(map_init(&m, &small, seed, 20, sizeof(value_t)), RC_OK);
    uint32_t i = 0;
    addr_t key = key_of(0);
    while (map_put(&m, NULL, key.b, 20))
        key = key_of(++i);
    ck_assert_uint_gt(i, 10);
    ck_assert_uint_eq(m.count, i);
    ck_assert_ptr_null(map_get(&m, key.b, 20));
    for (uint32_t k = 0; k < i; k++) {
        key = key_of(k);
        ck_assert_ptr_nonnull(map_get(&m, key.b, 20));
    }
    arena_free(&small);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("map", setup, teardown, hashes_depend_on_the_seed_and_every_byte,
                           a_new_value_is_zeroed_and_then_found, values_stay_at_their_place_in_order_while_it_grows,
                           keys_of_every_length_in_use_are_told_apart, a_caller_may_bring_its_own_hash,
                           what_is_removed_is_gone_and_its_place_used_again, what_is_used_becomes_the_newest,
                           without_memory_it_stays_as_it_was);
}
