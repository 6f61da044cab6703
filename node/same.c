#include "node/same.h"

#include <stdlib.h>

#include "base/crypto/hash.h"

static const char BEFORE_ID[] = "{\"jsonrpc\":\"2.0\",\"id\":", BEFORE_RESULT[] = ",\"result\":";

void same_init(same_t *s)
{
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
}

static void empty_slot(same_t *s, same_slot_t *slot)
{
    s->bytes -= slot->len;
    free(slot->text);
    *slot = (same_slot_t){ .text = NULL };
}

void same_clear(same_t *s)
{
    for (size_t i = 0; i < SAME_SLOTS; i++)
        empty_slot(s, &s->slots[i]);
    pthread_mutex_destroy(&s->lock);
}

bool same_key(same_key_t *out, const api_world_t *world, view_t body)
{
    static const hash32_t none;
    const hash32_t *finalized = world->has_finalized ? &world->finalized.block_hash : &none;
    uint8_t place[sizeof(uint64_t)];
    view_t before, after;
    if (body.n > SAME_REQUEST_MAX || world->not_ready || !api_rpc_split(&before, &out->id, &after, body))
        return false;
    store_u64be(place, before.n);
    const view_t parts[] = { view_of(world->latest.block_hash.b, sizeof(hash32_t)),
                             view_of(finalized->b, sizeof *finalized), view_of(place, sizeof place), before, after };
    sha256_parts(&out->digest, parts, sizeof parts / sizeof parts[0]);
    return true;
}

static same_slot_t *slot_of(same_t *s, const same_key_t *key)
{
    return &s->slots[((size_t)key->digest.b[0] << 8 | key->digest.b[1]) % SAME_SLOTS];
}

static void put(wr_t *w, view_t v)
{
    wr_bytes(w, v.p, v.n);
}

/* An answer's text, from malloc. NULL: no memory. */
static uint8_t *answer_of(size_t *n, view_t id, view_t result)
{
    const size_t len = sizeof BEFORE_ID - 1 + id.n + sizeof BEFORE_RESULT - 1 + result.n + 1;
    uint8_t *p = malloc(len);
    wr_t w = wr_of(p, p ? len : 0);
    put(&w, view_str(BEFORE_ID));
    put(&w, id);
    put(&w, view_str(BEFORE_RESULT));
    put(&w, result);
    wr_u8(&w, '}');
    *n = len;
    return p;
}

rc_t same_get(same_t *s, uint8_t **out, size_t *n, const api_method_t **method, const same_key_t *key)
{
    rc_t rc = RC_NEED_DATA;
    pthread_mutex_lock(&s->lock);
    const same_slot_t *slot = slot_of(s, key);
    if (slot->text && hash32_eq(&slot->key, &key->digest)) {
        *out = answer_of(n, key->id, view_of(slot->text, slot->len));
        *method = slot->method;
        rc = *out ? RC_OK : RC_NOMEM;
    }
    pthread_mutex_unlock(&s->lock);
    return rc;
}

static bool begins(view_t *rest, view_t text, view_t with)
{
    if (text.n < with.n || memcmp(text.p, with.p, with.n))
        return false;
    *rest = view_of(text.p + with.n, text.n - with.n);
    return true;
}

/* The result in an answer. False: it has none to be kept. What is not there now may be there soon, without a new head.
 */
static bool result_of(view_t *out, view_t id, view_t answer)
{
    view_t rest;
    if (!begins(&rest, answer, view_str(BEFORE_ID)) || !begins(&rest, rest, id) ||
        !begins(&rest, rest, view_str(BEFORE_RESULT)) || rest.n < 2)
        return false;
    *out = view_of(rest.p, rest.n - 1);
    return out->n <= SAME_RESULT_MAX && !view_eq(*out, view_str("null"));
}

void same_put(same_t *s, const same_key_t *key, const api_method_t *method, view_t answer)
{
    view_t result;
    if (!method || !(method->wants & STAYS_THE_SAME) || !result_of(&result, key->id, answer))
        return;
    uint8_t *text = malloc(result.n);
    if (!text)
        return;
    memcpy(text, result.p, result.n);
    pthread_mutex_lock(&s->lock);
    same_slot_t *slot = slot_of(s, key);
    empty_slot(s, slot);
    for (; s->bytes + result.n > SAME_BYTES_MAX; s->hand = (s->hand + 1) % SAME_SLOTS)
        empty_slot(s, &s->slots[s->hand]);
    *slot = (same_slot_t){ key->digest, text, result.n, method };
    s->bytes += result.n;
    pthread_mutex_unlock(&s->lock);
}
