#include "node/query/answers.h"

#include "base/crypto/hash.h"

void answers_init(answers_t *a)
{
    memset(a, 0, sizeof *a);
    pthread_mutex_init(&a->lock, NULL);
}

/* Takes the answer out of a slot; NULL when it is empty. */
static hs_shared_t *empty_slot(answers_t *a, size_t i)
{
    hs_shared_t *old = a->slots[i].answer;
    a->bytes -= a->slots[i].len;
    a->slots[i].answer = NULL;
    a->slots[i].len = 0;
    return old;
}

void answers_forget(answers_t *a)
{
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < ANSWERS_SLOTS; i++)
        hs_shared_unref(empty_slot(a, i));
    pthread_mutex_unlock(&a->lock);
}

void answers_clear(answers_t *a)
{
    answers_forget(a);
    pthread_mutex_destroy(&a->lock);
}

void answers_key(hash32_t *out, const hash32_t *block_hash, view_t request)
{
    sha256_parts(out, (view_t[]){ view_of(block_hash->b, sizeof block_hash->b), request }, 2);
}

static size_t slot_of(const hash32_t *key)
{
    return ((size_t)key->b[0] << 8 | key->b[1]) % ANSWERS_SLOTS;
}

hs_shared_t *answers_get(answers_t *a, const hash32_t *key, uint64_t turn)
{
    hs_shared_t *found = NULL;
    size_t i = slot_of(key);
    pthread_mutex_lock(&a->lock);
    if (a->slots[i].answer && a->slots[i].turn == turn && hash32_eq(&a->slots[i].key, key))
        found = hs_shared_ref(a->slots[i].answer);
    pthread_mutex_unlock(&a->lock);
    return found;
}

void answers_put(answers_t *a, const hash32_t *key, hs_shared_t *answer, size_t len, uint64_t turn)
{
    size_t i = slot_of(key);
    if (len > ANSWERS_LEN_MAX)
        return;
    pthread_mutex_lock(&a->lock);
    hs_shared_unref(empty_slot(a, i));
    for (; a->bytes + len > ANSWERS_BYTES_MAX; a->hand = (a->hand + 1) % ANSWERS_SLOTS)
        hs_shared_unref(empty_slot(a, a->hand));
    a->slots[i].key = *key;
    a->slots[i].answer = hs_shared_ref(answer);
    a->slots[i].len = len;
    a->slots[i].turn = turn;
    a->bytes += len;
    pthread_mutex_unlock(&a->lock);
}
