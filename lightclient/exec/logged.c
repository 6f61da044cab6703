#include "lightclient/exec/logged.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/crypto/hash.h"

#define MEMORY_MAX ((size_t)64 << 20) /* of the logs of one block */

typedef struct {
    ex_logged_t logged; /* first: a pointer to it is one to this */
    atomic_uint refs;
    arena_t arena;
} counted_t;

static counted_t *counted_of(ex_logged_t *l)
{
    return (counted_t *)(void *)l;
}

static size_t count_logs(const ex_past_t *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->receipt_count; i++)
        n += p->receipts[i].log_count;
    return n;
}

static rc_t copy_log(ex_placed_log_t *out, arena_t *a, const evm_log_t *log)
{
    out->log = *log;
    out->log.data = arena_dup(a, log->data);
    return out->log.data.p || !log->data.n ? RC_OK : RC_NOMEM;
}

static rc_t copy_logs(counted_t *c, const ex_past_t *p)
{
    const size_t count = count_logs(p);
    ex_placed_log_t *logs = arena_calloc(&c->arena, count, sizeof *logs);
    size_t n = 0;
    if (!logs)
        return RC_NOMEM;
    for (size_t i = 0; i < p->receipt_count; i++) {
        hash32_t hash;
        if (p->receipts[i].log_count)
            keccak256(&hash, p->block.transactions[i]);
        for (size_t k = 0; k < p->receipts[i].log_count; k++, n++) {
            logs[n] = (ex_placed_log_t){ .tx_hash = hash, .tx_index = i, .log_index = n };
            if (copy_log(&logs[n], &c->arena, &p->receipts[i].logs[k]))
                return RC_NOMEM;
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
    arena_init(&c->arena, MEMORY_MAX);
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
