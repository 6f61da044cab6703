/* flight_key.c - what a need is asked by. */
#include "base/crypto/hash.h"
#include "node/query/flight.h"

static view_t bytes_of(const void *p, size_t n)
{
    return view_of(p, n);
}

/* The digest of a request for an access list: all that is sent of it. */
static void request_key(hash32_t *out, const ex_request_t *q)
{
    const uint8_t flags[] = { q->has_to, q->has_gas, q->has_gas_price, q->dynamic_fee };
    hash32_t access = { { 0 } };
    for (size_t i = 0; i < q->access_count; i++)
        sha256_parts(&access,
                     (view_t[]){ bytes_of(access.b, 32), bytes_of(q->access[i].addr.b, 20),
                                 bytes_of(q->access[i].keys, q->access[i].key_count * sizeof(hash32_t)) },
                     3);
    sha256_parts(out,
                 (view_t[]){ bytes_of(flags, sizeof flags), bytes_of(q->from.b, 20), bytes_of(q->to.b, 20),
                             bytes_of(&q->value, sizeof q->value), bytes_of(&q->gas_price, sizeof q->gas_price),
                             bytes_of(&q->max_priority_fee, sizeof q->max_priority_fee),
                             bytes_of(&q->gas, sizeof q->gas), q->data, bytes_of(access.b, 32) },
                 9);
}

static bool names_number(const need_t *need)
{
    return need->kind == NEED_HEADER || need->kind == NEED_BLOCK || need->kind == NEED_RECEIPTS;
}

void flight_key(hash32_t *out, const need_t *need)
{
    uint8_t kind = (uint8_t)need->kind;
    hash32_t request = { { 0 } };
    bool at_addr = need->kind == NEED_PROOF || need->kind == NEED_CODE;
    if (need->kind == NEED_HINT)
        request_key(&request, need->request);
    const view_t raw = need->kind == NEED_SEND ? need->raw : view_of(NULL, 0);
    sha256_parts(out,
                 (view_t[]){ bytes_of(&kind, 1), bytes_of(need->block->block_hash.b, 32), bytes_of(request.b, 32),
                             bytes_of(need->addr.b, at_addr ? 20 : 0),
                             bytes_of(&need->number, names_number(need) ? sizeof need->number : 0),
                             bytes_of(need->slots, need->kind == NEED_PROOF ? need->slot_count * sizeof(hash32_t) : 0),
                             bytes_of(need->hash.b, need->kind >= NEED_BLOCK || need->kind == NEED_HEADER ? 32 : 0),
                             raw },
                 8);
}
