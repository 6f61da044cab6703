#include "lightclient/exec/unsigned.h"

#include "lightclient/rlp/rlp.h"

#define FIXED_MAX 512u /* bytes of all that does not grow */
#define ACCESS_MAX 32u /* of an entry of an access list without keys */
#define KEY_MAX 33u    /* of a key or a hash */
#define AUTHORIZATION_MAX 160u

uint8_t ex_unsigned_type(const ex_request_t *q)
{
    if (q->has_gas_price && !q->dynamic_fee)
        return 0;
    return q->has_authorizations ? 4 : q->has_blobs ? 3 : 2;
}

static size_t room_of(const ex_request_t *q)
{
    size_t n = FIXED_MAX + q->data.n + KEY_MAX * q->blob_count + AUTHORIZATION_MAX * q->authorization_count;
    for (size_t i = 0; i < q->access_count; i++)
        n += ACCESS_MAX + KEY_MAX * q->access[i].key_count;
    return n;
}

static void put_access(wr_t *w, const ex_request_t *q)
{
    const size_t began = w->n;
    for (size_t i = 0; i < q->access_count; i++) {
        const size_t entry = w->n;
        rlp_put_bytes(w, view_of(q->access[i].addr.b, sizeof(addr_t)));
        const size_t keys = w->n;
        for (size_t k = 0; k < q->access[i].key_count; k++)
            rlp_put_bytes(w, view_of(q->access[i].keys[k].b, sizeof(hash32_t)));
        rlp_wrap_list(w, keys);
        rlp_wrap_list(w, entry);
    }
    rlp_wrap_list(w, began);
}

static void put_blobs(wr_t *w, const ex_request_t *q)
{
    rlp_put_u256(w, &q->max_blob_fee);
    const size_t began = w->n;
    for (size_t i = 0; i < q->blob_count; i++)
        rlp_put_bytes(w, view_of(q->blob_hashes[i].b, sizeof(hash32_t)));
    rlp_wrap_list(w, began);
}

static void put_authorizations(wr_t *w, const ex_request_t *q)
{
    const size_t began = w->n;
    for (size_t i = 0; i < q->authorization_count; i++) {
        const evm_authorization_t *x = &q->authorizations[i];
        const size_t entry = w->n;
        rlp_put_u256(w, &x->chain_id);
        rlp_put_bytes(w, view_of(x->address.b, sizeof(addr_t)));
        rlp_put_u64(w, x->nonce);
        for (size_t k = 0; k < 3; k++)
            rlp_put_u256(w, &q->authorization_signatures[3 * i + k]);
        rlp_wrap_list(w, entry);
    }
    rlp_wrap_list(w, began);
}

static void put_payload(wr_t *w, const ex_request_t *q)
{
    rlp_put_bytes(w, view_of(q->to.b, q->has_to ? sizeof q->to.b : 0));
    rlp_put_u256(w, &q->value);
    rlp_put_bytes(w, q->data);
}

static void put_typed(wr_t *w, const ex_request_t *q, uint8_t type, uint64_t chain_id, uint64_t nonce, uint64_t gas)
{
    const u256_t none = u256_of(0);
    wr_u8(w, type);
    rlp_put_u64(w, chain_id);
    rlp_put_u64(w, nonce);
    rlp_put_u256(w, q->dynamic_fee ? &q->max_priority_fee : &none);
    rlp_put_u256(w, q->dynamic_fee ? &q->gas_price : &none);
    rlp_put_u64(w, gas);
    put_payload(w, q);
    put_access(w, q);
    if (type == 3)
        put_blobs(w, q);
    if (type == 4)
        put_authorizations(w, q);
}

rc_t ex_unsigned_encode(view_t *out, arena_t *a, const ex_request_t *q, uint64_t chain_id, uint64_t nonce, uint64_t gas)
{
    const uint8_t type = ex_unsigned_type(q);
    const size_t room = room_of(q);
    wr_t w = wr_of(arena_alloc(a, room), room);
    if (!w.p)
        return RC_NOMEM;
    if (type)
        put_typed(&w, q, type, chain_id, nonce, gas);
    else {
        rlp_put_u64(&w, nonce);
        rlp_put_u256(&w, &q->gas_price);
        rlp_put_u64(&w, gas);
        put_payload(&w, q);
    }
    for (unsigned i = 0; i < 3; i++)
        rlp_put_u64(&w, 0);
    rlp_wrap_list(&w, type ? 1 : 0);
    *out = wr_view(&w);
    return w.bad ? RC_BUG : RC_OK;
}
