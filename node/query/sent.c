#include "node/query/sent.h"

#include <stdbool.h>

void sent_init(sent_t *s)
{
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
}

void sent_clear(sent_t *s)
{
    pthread_mutex_destroy(&s->lock);
}

static sent_row_t *find(sent_t *s, const addr_t *sender, uint64_t nonce)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->rows[i].nonce == nonce && addr_eq(&s->rows[i].sender, sender))
            return &s->rows[i];
    return NULL;
}

void sent_note(void *ctx, const addr_t *sender, uint64_t nonce, uint64_t head)
{
    sent_t *s = ctx;
    pthread_mutex_lock(&s->lock);
    sent_row_t *row = find(s, sender, nonce);
    if (row)
        row->head = head > row->head ? head : row->head;
    else {
        s->rows[s->next] = (sent_row_t){ *sender, nonce, head };
        s->next = (s->next + 1) % SENT_MAX;
        s->count += s->count < SENT_MAX;
    }
    pthread_mutex_unlock(&s->lock);
}

static bool has(const sent_t *s, const addr_t *sender, uint64_t nonce, uint64_t head)
{
    for (size_t i = 0; i < s->count; i++) {
        const sent_row_t *r = &s->rows[i];
        if (r->nonce == nonce && addr_eq(&r->sender, sender) && (head < r->head || head - r->head < SENT_BLOCKS))
            return true;
    }
    return false;
}

uint64_t sent_nonce(void *ctx, const addr_t *sender, uint64_t proven, uint64_t head)
{
    sent_t *s = ctx;
    uint64_t nonce = proven;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count && has(s, sender, nonce, head); i++)
        nonce++;
    pthread_mutex_unlock(&s->lock);
    return nonce;
}
