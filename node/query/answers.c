#include "node/query/answers.h"

#include <stdlib.h>

#include "base/crypto/hash.h"

static view_t copy(view_t v)
{
    uint8_t *p = malloc(v.n ? v.n : 1);
    if (p && v.n)
        memcpy(p, v.p, v.n);
    return view_of(p, p ? v.n : 0);
}

void answers_init(answers_t *a)
{
    memset(a, 0, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
}

void answers_clear(answers_t *a)
{
    for (size_t i = 0; i < ANSWERS_SLOTS; i++)
        free((void *)(uintptr_t)a->slots[i].text.p);
    pthread_mutex_destroy(&a->lock);
}

void answers_key(hash32_t *out, const hash32_t *block_hash, view_t request)
{
    sha256_parts(out, (view_t[]){ view_of(block_hash->b, sizeof block_hash->b), request }, 2);
}

view_t answers_get(answers_t *a, const hash32_t *key)
{
    view_t found = { NULL, 0 };
    size_t i = key->b[0] % ANSWERS_SLOTS;
    pthread_mutex_lock(&a->lock);
    if (a->slots[i].text.p && hash32_eq(&a->slots[i].key, key))
        found = copy(a->slots[i].text);
    pthread_mutex_unlock(&a->lock);
    return found;
}

void answers_put(answers_t *a, const hash32_t *key, view_t text)
{
    view_t kept = text.n <= ANSWERS_LEN_MAX ? copy(text) : (view_t){ NULL, 0 };
    size_t i = key->b[0] % ANSWERS_SLOTS;
    if (!kept.p)
        return;
    pthread_mutex_lock(&a->lock);
    free((void *)(uintptr_t)a->slots[i].text.p);
    a->slots[i].key = *key;
    a->slots[i].text = kept;
    pthread_mutex_unlock(&a->lock);
}
