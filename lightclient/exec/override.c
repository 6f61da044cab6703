#include "lightclient/exec/override.h"

#include "base/crypto/hash.h"
#include "lightclient/evm/precompile.h"
#include "lightclient/exec/message.h"

static const ex_override_t *find(const ex_overrides_t *o, const addr_t *addr)
{
    for (size_t i = 0; i < o->count; i++)
        if (addr_eq(&o->rows[i].addr, addr))
            return &o->rows[i];
    return NULL;
}

unsigned ex_scene_precompile(void *ctx, const addr_t *addr)
{
    const ex_scene_t *s = ctx;
    const ex_precompiles_t *p = &s->precompiles;
    for (size_t i = p->moved_count; i-- > 0;)
        if (addr_eq(&p->moved[i].at, addr))
            return p->moved[i].index;
    const precompile_t *own = precompile_at(addr, s->fork);
    return own && !p->gone[own->index] ? own->index : 0;
}

rc_t ex_overrides_move(ex_precompiles_t *p, err_t *e, const ex_overrides_t *o, evm_fork_t fork)
{
    char text[EX_ADDR_TEXT_MAX];
    for (size_t i = 0; i < o->count; i++) {
        const ex_override_t *row = &o->rows[i];
        const precompile_t *own = precompile_at(&row->addr, fork);
        if (row->moves && !own)
            return err_set(e, RC_REFUSED, "account %s is not a precompile", ex_addr_text(text, &row->addr));
        if (row->moves && find(o, &row->move_to))
            return err_set(e, RC_REFUSED, "account %s is already overridden", ex_addr_text(text, &row->move_to));
        if (row->moves) { /* each row has an address of its own, so that there is room */
            p->moved[p->moved_count].at = row->move_to;
            p->moved[p->moved_count++].index = own->index;
        }
        if (own)
            p->gone[own->index] = true;
    }
    return RC_OK;
}

static rc_t apply_one(ex_layer_t *layer, const ex_override_t *row)
{
    evm_change_t c = { .addr = row->addr, .storage_cleared = row->has_state };
    const evm_host_t now = ex_layer_host(layer);
    if (!row->has_nonce && !row->has_balance && !row->has_code && !row->has_state && !row->slot_count)
        return RC_OK; /* a move leaves the account as it is */
    rc_t rc = now.account(now.ctx, &c.account, &row->addr);
    if (rc)
        return rc;
    if (row->has_nonce)
        c.account.nonce = row->nonce;
    if (row->has_balance)
        c.account.balance = row->balance;
    if (row->has_code) {
        c.code_changed = true;
        c.code = row->code;
        keccak256(&c.account.code_hash, row->code);
    }
    c.slots = row->slots;
    c.slot_count = row->slot_count;
    c.account.exists = true;
    return ex_layer_apply(layer, &c, 1);
}

rc_t ex_overrides_apply(ex_layer_t *layer, const ex_overrides_t *o)
{
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < o->count; i++)
        rc = apply_one(layer, &o->rows[i]);
    return rc;
}

rc_t ex_scene_init(ex_scene_t *s, err_t *e, arena_t *a, const evm_host_t *below, const ex_overrides_t *o,
                   evm_fork_t fork)
{
    *s = (ex_scene_t){ .host = *below, .fork = fork };
    if (!o || !o->count)
        return RC_OK;
    rc_t rc = ex_overrides_move(&s->precompiles, e, o, fork);
    if (!rc)
        rc = ex_layer_init(&s->layer, a, below);
    if (rc)
        return rc;
    s->layer.hook_ctx = s;
    s->layer.precompile = ex_scene_precompile;
    s->host = ex_layer_host(&s->layer);
    return ex_overrides_apply(&s->layer, o);
}
