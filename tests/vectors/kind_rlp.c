/* rlp: encode and decode of known values; encodings that must be refused; random ones that must be one or the other. */
#include <stdlib.h>
#include <string.h>

#include "lightclient/rlp/rlp.h"
#include "tests/rlp_walk.h"
#include "tests/vectors/vec.h"

#define OUT_MAX ((size_t)1 << 20)
#define NEST_MAX 64u
#define ITEMS_MAX 4096u
#define BIG_LEN 64u

/* Decimal text to big-endian bytes without leading zeros. */
static view_t big_of(arena_t *a, const char *decimal)
{
    uint8_t *b = arena_calloc(a, BIG_LEN, 1);
    size_t zeros = 0;
    for (; b && *decimal >= '0' && *decimal <= '9'; decimal++) {
        unsigned carry = (unsigned)(*decimal - '0');
        for (size_t i = BIG_LEN; i-- > 0; carry >>= 8) {
            carry += b[i] * 10u;
            b[i] = (uint8_t)carry;
        }
    }
    while (b && zeros < BIG_LEN && b[zeros] == 0)
        zeros++;
    return view_of(b ? b + zeros : NULL, b ? BIG_LEN - zeros : 0);
}

/* Encodes the JSON form of a value. */
static bool encode(wr_t *w, arena_t *a, const json_t *in, unsigned depth)
{
    if (json_is_array(in)) {
        size_t began = w->n;
        for (size_t i = 0; i < json_array_size(in); i++)
            if (depth == NEST_MAX || !encode(w, a, json_array_get(in, i), depth + 1))
                return false;
        rlp_wrap_list(w, began);
    } else if (json_is_integer(in)) {
        rlp_put_u64(w, (uint64_t)json_integer_value(in));
    } else if (json_is_string(in)) {
        view_t text = view_of(json_string_value(in), json_string_length(in));
        rlp_put_bytes(w, text.n && text.p[0] == '#' ? big_of(a, json_string_value(in) + 1) : text);
    } else {
        return false;
    }
    return !w->bad;
}

/* True when the item decodes to the JSON form of the value. */
static bool means(const rlp_item_t *item, arena_t *a, const json_t *in, unsigned depth)
{
    uint64_t number;
    if (json_is_array(in)) {
        rlp_item_t *items = arena_calloc(a, ITEMS_MAX, sizeof *items);
        size_t count;
        if (!items || depth == NEST_MAX || !item->is_list || rlp_split(items, &count, ITEMS_MAX, item->payload) ||
            count != json_array_size(in))
            return false;
        for (size_t i = 0; i < count; i++)
            if (!means(&items[i], a, json_array_get(in, i), depth + 1))
                return false;
        return true;
    }
    if (json_is_integer(in))
        return !rlp_u64(&number, item) && number == (uint64_t)json_integer_value(in);
    view_t text = view_of(json_string_value(in), json_string_length(in));
    if (text.n && text.p[0] == '#')
        text = big_of(a, json_string_value(in) + 1);
    return !item->is_list && view_eq(item->payload, text);
}

static const char *check(const json_t *test, bool invalid, uint8_t *buf, arena_t *a)
{
    const json_t *in = json_object_get(test, "in");
    const char *word = json_string_value(in);
    view_t out = vec_hex(a, vec_str(test, "out"));
    wr_t again = wr_of(buf, OUT_MAX);
    rc_t rc = rlp_walk(&again, out);
    rlp_item_t item;
    if (!rc && !view_eq(wr_view(&again), out))
        return "decoded and encoded again gives other bytes";
    if (invalid || (word && !strcmp(word, "INVALID")))
        return rc ? NULL : "accepted";
    if (rc)
        return "refused";
    if (word && !strcmp(word, "VALID"))
        return NULL;
    wr_t w = wr_of(buf, OUT_MAX);
    if (!encode(&w, a, in, 0) || !view_eq(wr_view(&w), out))
        return "encoded wrongly";
    if (rlp_decode(&item, out) || !means(&item, a, in, 0))
        return "decoded wrongly";
    return NULL;
}

void vec_kind_rlp(vec_t *v)
{
    arena_t a;
    arena_init(&a, 256u << 20);
    char **files = vec_walk(v, &a, "rlp", ".json");
    uint8_t *buf = arena_alloc(&a, OUT_MAX);
    for (; buf && files && *files; files++) {
        json_t *tests = vec_json(v, "%s", *files);
        const char *name;
        json_t *test;
        if (!tests)
            vec_fail(v, *files, "does not parse");
        json_object_foreach (tests, name, test) {
            arena_mark_t mark = arena_mark(&a);
            const char *fault = check(test, strstr(*files, "invalid") != NULL, buf, &a);
            if (fault)
                vec_fail(v, name, "%s", fault);
            else
                vec_pass(v);
            arena_rollback(&a, mark);
        }
        json_decref(tests);
    }
    arena_free(&a);
}
