#include "lightclient/exec/proofs.h"

#include <stdlib.h>

/* Nodes are kept as: for each, u32 length and bytes. */
static void put_nodes(ex_cache_t *cache, const hash32_t *root, view_t name, const ex_nodes_t *nodes)
{
    size_t room = 0;
    for (size_t i = 0; i < nodes->count; i++)
        room += 4 + nodes->nodes[i].n;
    uint8_t *text = malloc(room ? room : 1);
    if (!text)
        return;
    wr_t w = wr_of(text, room);
    for (size_t i = 0; i < nodes->count; i++) {
        wr_u32le(&w, (uint32_t)nodes->nodes[i].n);
        wr_bytes(&w, nodes->nodes[i].p, nodes->nodes[i].n);
    }
    ex_cache_put_proof(cache, root, name, wr_view(&w));
    free(text);
}

static bool get_nodes(ex_nodes_t *out, arena_t *a, ex_cache_t *cache, const hash32_t *root, view_t name)
{
    view_t text;
    if (!ex_cache_get_proof(cache, &text, a, root, name))
        return false;
    view_t *nodes = arena_calloc(a, text.n / 4 + 1, sizeof *nodes);
    size_t count = 0;
    rd_t r = rd_of(text);
    while (nodes && r.n && !r.bad) {
        const uint32_t n = rd_u32le(&r);
        nodes[count++] = rd_take(&r, n);
    }
    *out = (ex_nodes_t){ nodes, count };
    return nodes && rd_done(&r);
}

static view_t addr_view(const addr_t *addr)
{
    return view_of(addr->b, sizeof addr->b);
}

static view_t slot_view(const hash32_t *slot)
{
    return view_of(slot->b, sizeof slot->b);
}

void ex_proofs_keep(ex_cache_t *cache, const hash32_t *state_root, const hash32_t *slots,
                    const ex_proof_answer_t *answer)
{
    if (!cache || answer->slot_count > EX_PROOFS_SLOTS_MAX)
        return;
    put_nodes(cache, state_root, addr_view(&answer->address), &answer->account_proof);
    for (size_t i = 0; i < answer->slot_count; i++)
        put_nodes(cache, &answer->storage_hash, slot_view(&slots[i]), &answer->slots[i].proof);
}

static bool recall_slot(ex_slot_answer_t *out, arena_t *a, ex_cache_t *cache, const hash32_t *root,
                        const hash32_t *slot)
{
    out->key = u256_from_be32(slot->b);
    return get_nodes(&out->proof, a, cache, root, slot_view(slot)) &&
           !mpt_verify_slot(&out->value, root, slot, out->proof.nodes, out->proof.count);
}

bool ex_proofs_recall(ex_proof_answer_t *out, arena_t *a, ex_cache_t *cache, const hash32_t *state_root,
                      const addr_t *addr, const hash32_t *slots, size_t slot_count)
{
    mpt_account_t account;
    ex_proof_answer_t p = { .address = *addr };
    if (!cache || slot_count > EX_PROOFS_SLOTS_MAX ||
        !get_nodes(&p.account_proof, a, cache, state_root, addr_view(addr)) ||
        mpt_verify_account(&account, state_root, addr, p.account_proof.nodes, p.account_proof.count))
        return false;
    if (account.exists) {
        p.nonce = account.nonce;
        p.balance = account.balance;
        p.code_hash = account.code_hash;
        p.storage_hash = account.storage_root;
        p.slots = arena_calloc(a, slot_count, sizeof *p.slots);
        if (!p.slots)
            return false;
        for (; p.slot_count < slot_count; p.slot_count++)
            if (!recall_slot(&p.slots[p.slot_count], a, cache, &account.storage_root, &slots[p.slot_count]))
                return false;
    }
    *out = p;
    return true;
}
