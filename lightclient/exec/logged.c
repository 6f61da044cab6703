#include "lightclient/exec/logged.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/crypto/hash.h"

#define ARENA_ROOM ((size_t)64 << 10) /* bytes of its own, beside what is kept */

typedef struct {
    ex_logged_t logged; /* first: a pointer to it is one to this */
    atomic_uint refs;
    arena_t arena;
} counted_t;

static counted_t *counted_of(ex_logged_t *l)
{
    return (counted_t *)(void *)l;
}

/* How many logs a block has, and how many bytes of data they have together. */
static size_t count_logs(size_t *bytes, const ex_past_t *p)
{
    size_t n = 0;
    *bytes = 0;
    for (size_t i = 0; i < p->receipt_count; i++) {
        n += p->receipts[i].log_count;
        for (size_t k = 0; k < p->receipts[i].log_count; k++)
            *bytes += p->receipts[i].logs[k].data.n;
    }
    return n;
}

/* *data moves behind what is copied there. */
static void copy_log(evm_log_t *out, uint8_t **data, const evm_log_t *log)
{
    *out = *log;
    out->data = view_of(*data, log->data.n);
    if (log->data.n)
        memcpy(*data, log->data.p, log->data.n);
    *data += log->data.n;
}

static rc_t copy_logs(counted_t *c, const ex_past_t *p)
{
    size_t bytes, n = 0;
    const size_t count = count_logs(&bytes, p);
    if (count > EX_LOGGED_MAX / sizeof(ex_placed_log_t) || count * sizeof(ex_placed_log_t) + bytes > EX_LOGGED_MAX) {
        c->logged.too_large = true;
        return RC_OK;
    }
    ex_placed_log_t *logs = arena_calloc(&c->arena, count, sizeof *logs);
    uint8_t *data = arena_alloc(&c->arena, bytes);
    if (!logs || !data)
        return RC_NOMEM;
    for (size_t i = 0; i < p->receipt_count; i++) {
        hash32_t hash;
        if (p->receipts[i].log_count)
            keccak256(&hash, p->block.transactions[i]);
        for (size_t k = 0; k < p->receipts[i].log_count; k++, n++) {
            logs[n] = (ex_placed_log_t){ .tx_hash = hash, .tx_index = i, .log_index = n };
            copy_log(&logs[n].log, &data, &p->receipts[i].logs[k]);
        }
    }
    c->logged.logs = logs;
    c->logged.log_count = count;
    c->logged.has_logs = true;
    return RC_OK;
}

rc_t ex_logged_new(ex_logged_t **out, err_t *e, const ex_past_t *p)
{
    const bool has_logs = p->has_receipts && p->has_body;
    if (has_logs && p->receipt_count != p->block.transaction_count)
        return err_say(e, RC_REFUSED, "the block has another number of receipts than of transactions");
    counted_t *c = calloc(1, sizeof *c);
    if (!c)
        return err_say(e, RC_NOMEM, "out of memory");
    atomic_init(&c->refs, 1);
    arena_init(&c->arena, EX_LOGGED_MAX + ARENA_ROOM);
    c->logged.block.header = p->block.header;
    c->logged.block.hash = p->block.hash;
    if (has_logs && copy_logs(c, p)) {
        ex_logged_unref(&c->logged);
        return err_say(e, RC_NOMEM, "out of memory");
    }
    c->logged.bytes = sizeof *c + c->arena.used;
    *out = &c->logged;
    return RC_OK;
}

rc_t ex_logged_tell(ex_logged_t *l, const ex_told_t *told, size_t count)
{
    counted_t *c = counted_of(l);
    ex_told_t *copies = arena_calloc(&c->arena, count, sizeof *copies);
    if (!copies)
        return RC_NOMEM;
    for (size_t i = 0; i < count; i++) {
        copies[i] = (ex_told_t){ told[i].tx_hash, arena_dup(&c->arena, told[i].text) };
        if (!copies[i].text.p)
            return RC_NOMEM;
    }
    l->told = copies;
    l->told_count = count;
    l->has_told = true;
    l->bytes = sizeof *c + c->arena.used;
    return RC_OK;
}

ex_logged_t *ex_logged_ref(ex_logged_t *l)
{
    if (l)
        atomic_fetch_add_explicit(&counted_of(l)->refs, 1, memory_order_relaxed);
    return l;
}

void ex_logged_unref(ex_logged_t *l)
{
    if (!l || atomic_fetch_sub_explicit(&counted_of(l)->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_free(&counted_of(l)->arena);
    free(counted_of(l));
}
