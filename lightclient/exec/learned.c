#include "lightclient/exec/learned.h"

#include "base/crypto/hash.h"

#define SELECTOR_LEN 4u
#define TOUCH_LEN (20u + 1u + 4u)        /* of a call: for each touch address, code flag, u32 count, keys */
#define SHARED_LEN (20u + 1u + 32u + 2u) /* of a selector, below */
#define SHARED_SEEN 2u                   /* different calldata that have read a key */

/* A key of a selector. */
typedef struct {
    addr_t addr;
    bool is_slot, code;
    hash32_t slot;
    uint8_t seen;   /* by so many different calldata, */
    uint8_t unused; /* ... and not by so many since */
    bool now;       /* by this one */
} shared_t;

/* ---- names ---- */

static void name_of_call(hash32_t *out, const ex_request_t *q)
{
    sha256_parts(out, (view_t[]){ view_str("call"), view_of(q->from.b, sizeof q->from.b), q->data }, 3);
}

/* The selector with its length: shorter calldata is a name of its own. */
static void name_of_selector(hash32_t *out, const ex_request_t *q)
{
    const uint8_t n = (uint8_t)(q->data.n < SELECTOR_LEN ? q->data.n : SELECTOR_LEN);
    sha256_parts(out, (view_t[]){ view_str("selector"), view_of(&n, 1), view_of(q->data.p, n) }, 3);
}

/* ---- of a call ---- */

static size_t get_call(ex_touch_t **out, ex_cache_t *cache, arena_t *a, const ex_request_t *q)
{
    hash32_t name;
    view_t text = { NULL, 0 };
    size_t count = 0;
    name_of_call(&name, q);
    if (!ex_cache_get_learned(cache, &text, a, &q->to, &name))
        return 0;
    rd_t r = rd_of(text);
    ex_touch_t *t = arena_calloc(a, text.n / TOUCH_LEN, sizeof *t);
    for (; t && r.n && !r.bad; count++) {
        rd_copy(&r, t[count].addr.b, sizeof t[count].addr.b);
        t[count].code = rd_u8(&r) != 0;
        t[count].slot_count = rd_u32le(&r);
        t[count].slots = (const hash32_t *)(const void *)rd_take(&r, t[count].slot_count * sizeof(hash32_t)).p;
    }
    *out = t;
    return count;
}

static void put_call(ex_cache_t *cache, arena_t *scratch, const ex_request_t *q, const ex_touch_t *touched,
                     size_t count, size_t keys)
{
    const size_t room = count * TOUCH_LEN + keys * sizeof(hash32_t);
    wr_t w = wr_of(arena_alloc(scratch, room), room);
    hash32_t name;
    if (!w.p)
        return;
    for (size_t i = 0; i < count; i++) {
        wr_bytes(&w, touched[i].addr.b, sizeof touched[i].addr.b);
        wr_u8(&w, touched[i].code);
        wr_u32le(&w, (uint32_t)touched[i].slot_count);
        wr_bytes(&w, touched[i].slots, touched[i].slot_count * sizeof(hash32_t));
    }
    name_of_call(&name, q);
    ex_cache_put_learned(cache, &q->to, &name, wr_view(&w));
}

/* ---- of a selector: the name of the last call that taught something, and keys ---- */

static size_t read_shared(shared_t **out, hash32_t *last, arena_t *a, view_t text)
{
    size_t n = 0;
    rd_t r = rd_of(text);
    *last = rd_hash32(&r);
    *out = arena_calloc(a, EX_LEARNED_SHARED_MAX, sizeof **out);
    for (; *out && r.n && !r.bad && n < EX_LEARNED_SHARED_MAX; n++) {
        shared_t *s = &(*out)[n];
        rd_copy(&r, s->addr.b, sizeof s->addr.b);
        const uint8_t flags = rd_u8(&r);
        s->is_slot = flags & 1;
        s->code = flags & 2;
        s->slot = rd_hash32(&r);
        s->seen = rd_u8(&r);
        s->unused = rd_u8(&r);
    }
    return r.bad ? 0 : n;
}

static void write_shared(ex_cache_t *cache, arena_t *scratch, const ex_request_t *q, const hash32_t *last,
                         const shared_t *all, size_t count)
{
    const size_t room = sizeof last->b + count * SHARED_LEN;
    wr_t w = wr_of(arena_alloc(scratch, room), room);
    hash32_t name;
    if (!w.p)
        return;
    wr_bytes(&w, last->b, sizeof last->b);
    for (size_t i = 0; i < count; i++) {
        wr_bytes(&w, all[i].addr.b, sizeof all[i].addr.b);
        wr_u8(&w, (uint8_t)(all[i].is_slot | all[i].code << 1));
        wr_bytes(&w, all[i].slot.b, sizeof all[i].slot.b);
        wr_u8(&w, all[i].seen);
        wr_u8(&w, all[i].unused);
    }
    name_of_selector(&name, q);
    ex_cache_put_learned(cache, &q->to, &name, wr_view(&w));
}

static size_t get_shared(ex_touch_t **out, ex_cache_t *cache, arena_t *a, const ex_request_t *q)
{
    hash32_t name, last;
    view_t text;
    shared_t *all;
    size_t count = 0;
    name_of_selector(&name, q);
    if (!ex_cache_get_learned(cache, &text, a, &q->to, &name))
        return 0;
    const size_t n = read_shared(&all, &last, a, text);
    *out = arena_calloc(a, n, sizeof **out);
    for (size_t i = 0; *out && i < n; i++)
        if (all[i].seen >= SHARED_SEEN)
            (*out)[count++] = (ex_touch_t){ all[i].addr, &all[i].slot, all[i].is_slot, all[i].code };
    return count;
}

/* Notes that a key was read; slot NULL: the account. */
static void note(shared_t *all, size_t *count, const ex_touch_t *t, const hash32_t *slot)
{
    size_t i = 0;
    while (i < *count && !(addr_eq(&all[i].addr, &t->addr) && all[i].is_slot == (slot != NULL) &&
                           (!slot || hash32_eq(&all[i].slot, slot))))
        i++;
    if (i == EX_LEARNED_SHARED_MAX)
        return;
    if (i == *count)
        all[(*count)++] =
            (shared_t){ .addr = t->addr, .is_slot = slot != NULL, .slot = slot ? *slot : (hash32_t){ { 0 } } };
    all[i].code |= !slot && t->code;
    all[i].now = true;
}

/* Counts one more calldata, and forgets what it did not confirm, or was not read for long. */
static size_t count_up(shared_t *all, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        shared_t s = all[i];
        s.seen = (uint8_t)(s.seen + (s.now && s.seen < UINT8_MAX));
        s.unused = (uint8_t)(s.now ? 0 : s.unused + 1);
        s.now = false;
        if (s.unused == 0 || (s.seen >= SHARED_SEEN && s.unused < EX_LEARNED_UNUSED_MAX))
            all[kept++] = s;
    }
    return kept;
}

static void put_shared(ex_cache_t *cache, arena_t *scratch, const ex_request_t *q, const ex_touch_t *touched,
                       size_t touches)
{
    hash32_t name, last = { { 0 } }, this_one;
    view_t text = { NULL, 0 };
    shared_t *all;
    sha256(&this_one, q->data);
    name_of_selector(&name, q);
    (void)ex_cache_get_learned(cache, &text, scratch, &q->to, &name);
    size_t count = read_shared(&all, &last, scratch, text);
    if (!all || hash32_eq(&last, &this_one))
        return; /* the same calldata in another block says nothing new about others */
    for (size_t i = 0; i < touches; i++) {
        note(all, &count, &touched[i], NULL);
        for (size_t k = 0; k < touched[i].slot_count; k++)
            note(all, &count, &touched[i], &touched[i].slots[k]);
    }
    write_shared(cache, scratch, q, &this_one, all, count_up(all, count));
}

/* ---- for calls ---- */

size_t ex_learned_get(ex_cache_t *cache, ex_touch_t **out, bool *same, arena_t *a, const ex_request_t *q)
{
    *same = false;
    if (!cache)
        return 0;
    const size_t n = get_call(out, cache, a, q);
    *same = n > 0;
    return n ? n : get_shared(out, cache, a, q);
}

void ex_learned_put(ex_cache_t *cache, arena_t *scratch, const ex_request_t *q, const ex_touch_t *touched, size_t count)
{
    size_t keys = count;
    for (size_t i = 0; i < count && keys <= EX_LEARNED_MAX; i++)
        keys += touched[i].slot_count;
    if (count == 0 || keys > EX_LEARNED_MAX)
        return;
    const arena_mark_t mark = arena_mark(scratch);
    put_call(cache, scratch, q, touched, count, keys);
    put_shared(cache, scratch, q, touched, count);
    arena_rollback(scratch, mark);
}
