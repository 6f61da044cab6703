/* What a request touches, run after run until a run with the list touches nothing that is not on it. */
#include <stdlib.h>

#include "base/map.h"
#include "lightclient/evm/precompile.h"
#include "lightclient/evm/vm.h"
#include "lightclient/exec/estimate.h"
#include "lightclient/exec/message.h"

#define SLOT_NAME (sizeof(addr_t) + sizeof(hash32_t))

typedef struct {
    addr_t addr;
    hash32_t key;
} slot_t;

typedef struct {
    map_t addrs; /* addr_t by itself */
    map_t slots; /* slot_t by both */
    const ex_request_t *request;
    addr_t to; /* that of a creation too */
    evm_fork_t fork;
    bool no_memory;
} touched_t;

static bool is_excluded(const touched_t *t, const addr_t *addr)
{
    const ex_request_t *q = t->request;
    if (addr_eq(addr, &q->from) || addr_eq(addr, &t->to) || precompile_at(addr, t->fork))
        return true;
    for (size_t i = 0; i < q->authorization_count; i++)
        if (q->authorizations[i].signer_valid && addr_eq(addr, &q->authorizations[i].signer))
            return true;
    return false;
}

static void add_addr(touched_t *t, const addr_t *addr)
{
    addr_t *place = map_put(&t->addrs, NULL, addr->b, sizeof addr->b);
    t->no_memory |= !place;
    if (place)
        *place = *addr;
}

static void add_slot(touched_t *t, const addr_t *addr, const hash32_t *key)
{
    uint8_t name[SLOT_NAME];
    memcpy(name, addr->b, sizeof addr->b);
    memcpy(name + sizeof addr->b, key->b, sizeof key->b);
    add_addr(t, addr);
    slot_t *place = map_put(&t->slots, NULL, name, sizeof name);
    t->no_memory |= !place;
    if (place)
        *place = (slot_t){ *addr, *key };
}

static void on_touched(void *ctx, const addr_t *addr, const u256_t *slot)
{
    touched_t *t = ctx;
    hash32_t key;
    if (slot) {
        u256_to_be32(key.b, slot);
        add_slot(t, addr, &key);
    } else if (!is_excluded(t, addr))
        add_addr(t, addr);
}

/* The receiver, or the contract that a creation makes. */
static rc_t find_receiver(touched_t *t, const ex_run_t *on)
{
    const ex_request_t *q = t->request;
    evm_account_t sender = { .nonce = q->nonce };
    t->to = q->to;
    if (q->has_to)
        return RC_OK;
    const rc_t rc = q->has_nonce ? RC_OK : on->host->account(on->host->ctx, &sender, &q->from);
    vm_create_address(&t->to, &q->from, sender.nonce);
    return rc;
}

/* Begins with the list that the request came with. */
static rc_t touched_init(touched_t *t, const ex_run_t *on)
{
    *t = (touched_t){ .request = on->config->request, .fork = on->rules->fork };
    rc_t rc = map_init(&t->addrs, on->arena, on->host->seed, sizeof(addr_t), sizeof(addr_t));
    if (!rc)
        rc = map_init(&t->slots, on->arena, on->host->seed, SLOT_NAME, sizeof(slot_t));
    if (!rc)
        rc = find_receiver(t, on);
    for (size_t i = 0; !rc && i < t->request->access_count; i++) {
        const evm_access_t *a = &t->request->access[i];
        if (is_excluded(t, &a->addr))
            continue;
        add_addr(t, &a->addr);
        for (size_t k = 0; k < a->key_count; k++)
            add_slot(t, &a->addr, &a->keys[k]);
    }
    return rc;
}

static int by_addr(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(addr_t));
}

static int by_addr_and_key(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(slot_t));
}

/* Writes the sets as a list. */
static rc_t make_list(const touched_t *t, ex_access_list_t *out, arena_t *a)
{
    addr_t *addrs = arena_alloc(a, t->addrs.count * sizeof *addrs);
    slot_t *slots = arena_alloc(a, t->slots.count * sizeof *slots);
    hash32_t *keys = arena_alloc(a, t->slots.count * sizeof *keys);
    evm_access_t *list = arena_alloc(a, t->addrs.count * sizeof *list);
    size_t n = 0, k = 0;
    if (!addrs || !slots || !keys || !list)
        return RC_NOMEM;
    for (const addr_t *x = map_first(&t->addrs); x; x = map_next(x))
        addrs[n++] = *x;
    for (const slot_t *x = map_first(&t->slots); x; x = map_next(x))
        slots[k++] = *x;
    qsort(addrs, n, sizeof *addrs, by_addr);
    qsort(slots, k, sizeof *slots, by_addr_and_key);
    for (size_t i = 0, at = 0; i < n; i++) { /* each slot's address is among them */
        list[i] = (evm_access_t){ addrs[i], keys + at, 0 };
        for (; at < k && addr_eq(&slots[at].addr, &addrs[i]); at++) {
            keys[at] = slots[at].key;
            list[i].key_count++;
        }
    }
    out->list = list;
    out->count = n;
    return RC_OK;
}

static rc_t run_with(ex_access_list_t *x, err_t *e, const ex_run_t *on, touched_t *t)
{
    ex_request_t request = *t->request;
    ex_layer_t layer;
    request.access = x->list;
    request.access_count = x->count;
    rc_t rc = ex_layer_init(&layer, on->arena, on->host);
    if (rc)
        return rc;
    layer.hook_ctx = t;
    layer.touched = on_touched;
    const evm_host_t host = ex_layer_host(&layer);
    const ex_message_t m = { .rules = on->rules, .env = on->env, .request = &request, .gas = ex_call_gas(on->config) };
    rc = ex_message_run(&x->result, e, on->arena, &host, on->guessed, &m);
    return rc ? rc : t->no_memory ? RC_NOMEM : RC_OK;
}

rc_t ex_access_list_run(ex_program_t *p, err_t *e, const ex_run_t *on)
{
    ex_access_list_t *x = (ex_access_list_t *)(void *)p;
    touched_t t;
    rc_t rc = touched_init(&t, on);
    for (bool grows = true; !rc && grows && !*on->guessed;) {
        const size_t addrs = t.addrs.count, slots = t.slots.count;
        rc = make_list(&t, x, on->arena);
        if (!rc)
            rc = run_with(x, e, on, &t);
        grows = t.addrs.count != addrs || t.slots.count != slots;
    }
    if (rc != RC_REFUSED || *on->guessed || !e)
        return rc;
    const err_t why = *e;
    return err_set(e, rc, "failed to apply transaction: err: %s", why.text);
}
