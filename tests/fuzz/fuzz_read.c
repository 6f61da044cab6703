/* read: an account with two slots and a code, whose honest answers are changed byte by byte as the input says: fields, proof
 * nodes, numbers of nodes and of slots, code. Property: what is read in the end is the truth, or nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/read.h"
#include "lightclient/rlp/rlp.h"
#include "tests/fuzz/fuzz.h"

#define NODE_MAX 256u

static const addr_t addr = { { 0xaa, [19] = 1 } };
static const uint8_t code[] = { 0x60, 0x2a, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3 };

/* A trie with one leaf. */
static size_t leaf(uint8_t node[NODE_MAX], hash32_t *root, view_t key, view_t value)
{
    uint8_t path[33] = { 0x20 };
    hash32_t hashed;
    wr_t w = wr_of(node, NODE_MAX);
    keccak256(&hashed, key);
    memcpy(path + 1, hashed.b, 32);
    rlp_put_bytes(&w, view_of(path, sizeof path));
    rlp_put_bytes(&w, value);
    rlp_wrap_list(&w, 0);
    keccak256(root, wr_view(&w));
    if (w.bad)
        abort();
    return w.n;
}

/* The truth: slots 0 (7) and 1 (nothing) of the account at addr. */
typedef struct {
    hash32_t state_root;
    mpt_account_t account;
    uint8_t account_node[NODE_MAX], slot_node[NODE_MAX];
    size_t account_len, slot_len;
    hash32_t keys[2];
} truth_t;

static void make_truth(truth_t *t)
{
    static const uint8_t seven = 7;
    uint8_t body[NODE_MAX];
    wr_t w = wr_of(body, sizeof body);
    memset(t, 0, sizeof *t);
    t->keys[1].b[31] = 1;
    t->account = (mpt_account_t){ .exists = true, .nonce = 3, .balance = u256_of(1000) };
    keccak256(&t->account.code_hash, view_of(code, sizeof code));
    t->slot_len = leaf(t->slot_node, &t->account.storage_root, view_of(t->keys[0].b, 32), view_of(&seven, 1));
    rlp_put_u64(&w, t->account.nonce);
    rlp_put_u256(&w, &t->account.balance);
    rlp_put_bytes(&w, view_of(t->account.storage_root.b, 32));
    rlp_put_bytes(&w, view_of(t->account.code_hash.b, 32));
    rlp_wrap_list(&w, 0);
    t->account_len = leaf(t->account_node, &t->state_root, view_of(addr.b, sizeof addr.b), wr_view(&w));
}

/* What an answer is made of, so that the input can reach every byte. */
typedef struct {
    truth_t said;
    addr_t address;
    u256_t slot_keys[2], values[2];
    uint8_t account_nodes, slot_nodes[2], slots;
    uint8_t code[sizeof code];
} answer_bytes_t;

/* Pairs of a place and what is put there. */
static void change(answer_bytes_t *a, view_t changes)
{
    rd_t r = rd_of(changes);
    for (;;) {
        size_t at = rd_u16be(&r) % sizeof *a;
        uint8_t with = rd_u8(&r);
        if (r.bad)
            return;
        ((uint8_t *)a)[at] ^= with;
    }
}

static size_t at_most(size_t n, size_t max)
{
    return n > max ? max : n;
}

static rc_t give(query_t *q, size_t i, const need_t *need, const answer_bytes_t *a)
{
    const view_t node = view_of(a->said.account_node, at_most(a->said.account_len, NODE_MAX));
    const view_t slot_node = view_of(a->said.slot_node, at_most(a->said.slot_len, NODE_MAX));
    const view_t account_nodes[2] = { node, slot_node }, slot_nodes[2] = { slot_node, node };
    ex_slot_answer_t slots[2] = {
        { a->slot_keys[0], a->values[0], { slot_nodes, at_most(a->slot_nodes[0], 2) } },
        { a->slot_keys[1], a->values[1], { slot_nodes, at_most(a->slot_nodes[1], 2) } },
    };
    answer_t out = { .kind = need->kind, .code = view_of(a->code, sizeof a->code) };
    out.proof = (ex_proof_answer_t){ .address = a->address,
                                     .nonce = a->said.account.nonce,
                                     .balance = a->said.account.balance,
                                     .code_hash = a->said.account.code_hash,
                                     .storage_hash = a->said.account.storage_root,
                                     .account_proof = { account_nodes, at_most(a->account_nodes, 2) },
                                     .slots = slots,
                                     .slot_count = at_most(a->slots, 2) };
    return query_give(q, NULL, i, &out);
}

static void check(const ex_read_result_t *r, const truth_t *t)
{
    const mpt_account_t *a = &r->account;
    if (!a->exists || a->nonce != t->account.nonce || !u256_eq(&a->balance, &t->account.balance) ||
        !hash32_eq(&a->code_hash, &t->account.code_hash) || !hash32_eq(&a->storage_root, &t->account.storage_root) ||
        r->value_count != 2 || r->values[0].w[0] != 7 || !u256_is_zero(&r->values[1]) ||
        !view_eq(r->code, view_of(code, sizeof code)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    truth_t truth;
    make_truth(&truth);
    answer_bytes_t honest = { .said = truth, .address = addr, .account_nodes = 1, .slot_nodes = { 1, 1 }, .slots = 2 };
    memcpy(honest.code, code, sizeof code);
    honest.slot_keys[1] = u256_of(1);
    honest.values[0] = u256_of(7);
    answer_bytes_t changed = honest;
    change(&changed, view_of(data, len));

    const ex_block_t block = { .state_root = truth.state_root };
    const ex_read_config_t config = {
        .block = &block, .addr = addr, .slots = truth.keys, .slot_count = 2, .code = true
    };
    query_t *q;
    const need_t *needs;
    bool gone_on = false;
    if (ex_read_new(&q, NULL, &config))
        abort();
    for (rc_t rc; (rc = query_step(q, NULL)) == RC_NEED_DATA; gone_on = true) {
        size_t n = query_needs(q, &needs);
        for (size_t i = 0; i < n; i++)
            if (give(q, i, &needs[i], gone_on ? &honest : &changed) && gone_on && needs[i].slot_count == 2)
                abort();
        if (ex_read_result(q))
            abort();
        if (gone_on) /* slots one by one: such answers are not made here */
            break;
    }
    if (ex_read_result(q))
        check(ex_read_result(q), &truth);
    query_free(q);
    return 0;
}
