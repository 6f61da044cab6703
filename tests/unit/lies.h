/* lies.h - every way in which an eth_getProof answer can be false. */
#ifndef TESTS_LIES_H
#define TESTS_LIES_H

#include "tests/unit/world.h"

enum { LIE_SLOTS = 2, LIES = 18 };

/* Applies lie number x to an honest answer about an account with LIE_SLOTS slots; other is another account of the world. */
static inline void lie(ex_proof_answer_t *p, int x, world_t *w, const addr_t *other)
{
    static view_t nodes[8];
    static uint8_t node[600];
    memcpy(nodes, p->account_proof.nodes, p->account_proof.count * sizeof *nodes);
    switch (x) {
    case 0: p->address.b[7] ^= 1; break;
    case 1: p->nonce++; break;
    case 2: p->balance.w[0]++; break;
    case 3: p->balance.w[3] = 1; break;
    case 4: p->code_hash.b[31] ^= 1; break;
    case 5: p->storage_hash.b[0] ^= 1; break;
    case 6: p->slot_count--; break;
    case 7: p->slots[0].key.w[0] ^= 1; break;
    case 8: p->slots[1].value.w[0]++; break;
    case 9: p->slots[1].value = u256_of(0); break;
    case 10: p->account_proof.count--; break;
    case 11: p->slots[0].proof.count--; break;
    case 12: { /* another key's proof under the right name */
        ex_slot_answer_t t = p->slots[0];
        p->slots[0].proof = p->slots[1].proof;
        p->slots[1].proof = t.proof;
        break;
    }
    case 13: /* one bit of the last node */
        memcpy(node, nodes[p->account_proof.count - 1].p, nodes[p->account_proof.count - 1].n);
        node[40] ^= 4;
        nodes[p->account_proof.count - 1].p = node;
        p->account_proof.nodes = nodes;
        break;
    case 14: /* a node too many */
        nodes[p->account_proof.count] = nodes[0];
        p->account_proof.nodes = nodes;
        p->account_proof.count++;
        break;
    case 15: { /* another account, renamed */
        hash32_t keys[LIE_SLOTS] = { world_key(0), world_key(5) };
        ex_proof_answer_t of_other = world_proof(w, other, keys, LIE_SLOTS);
        of_other.address = p->address;
        *p = of_other;
        break;
    }
    case 16: p->slots[0].value = u256_of(0), p->slots[0].proof.count = 0; break; /* "not there" */
    case 17: p->account_proof.count = 0; break;
    }
}

#endif
