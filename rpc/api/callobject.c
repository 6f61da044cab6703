#include "rpc/api/callobject.h"

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "lightclient/rlp/rlp.h"

#include "rpc/upstream/decode.h"

/* How numbers and bytes are written. */
typedef enum {
    FORM_GETH,     /* quantities, and 0x before bytes */
    FORM_PROTOTYPE /* also numbers, decimal text, leading zeros, 0X, and bytes without 0x */
} form_t;

/* A number as the prototype took it. False: it is not there. */
static bool read_number(const jo_t *o, u256_t *out, const char *key, form_t form)
{
    const jo_kind_t kind = jo_kind(o, key);
    if (form == FORM_GETH || kind == JO_ABSENT || kind == JO_NULL)
        return jo_opt_quantity256(o, out, key);
    const view_t text = kind == JO_TEXT ? jo_text(o, key, 0, 80) : view_of(NULL, 0);
    if (kind == JO_INTEGER)
        *out = u256_of(jo_u64(o, key, 0, UINT64_MAX));
    else if (text.n > 1 && text.p[0] == '0' && (text.p[1] | 0x20) == 'x')
        *out = jo_padded256(o, key, HEX_LOOSE);
    else if (text.n && text.p[0] >= '0' && text.p[0] <= '9')
        *out = jo_decimal256(o, key);
    else
        jo_fail(o, key, RC_MALFORMED, "must be a quantity such as \"0x1a\", or a number, also as text");
    return true;
}

/* Likewise of 64 bits. */
static bool read_number64(const jo_t *o, uint64_t *out, const char *key, form_t form)
{
    u256_t n = u256_of(0);
    if (form == FORM_GETH)
        return jo_opt_quantity(o, out, key);
    const bool there = read_number(o, &n, key, form);
    if (n.w[1] | n.w[2] | n.w[3])
        jo_fail(o, key, RC_MALFORMED, "must be a quantity below 2^64");
    *out = n.w[0];
    return there;
}

/* The same where they have to be there. */
static u256_t need_number(const jo_t *o, const char *key, form_t form)
{
    u256_t n = u256_of(0);
    return read_number(o, &n, key, form) ? n : jo_quantity256(o, key);
}

static uint64_t need_number64(const jo_t *o, const char *key, form_t form)
{
    uint64_t n = 0;
    return read_number64(o, &n, key, form) ? n : jo_quantity(o, key);
}

static hex_form_t hex_of(form_t form)
{
    return form == FORM_GETH ? HEX_0X : HEX_LOOSE;
}

static void read_fees(ex_request_t *q, const jo_t *o, form_t form)
{
    u256_t price = u256_of(0), max_fee = u256_of(0);
    const bool has_price = read_number(o, &price, "gasPrice", form);
    const bool has_max_fee = read_number(o, &max_fee, "maxFeePerGas", form);
    const bool has_tip = read_number(o, &q->max_priority_fee, "maxPriorityFeePerGas", form);
    if (has_price && (has_max_fee || has_tip))
        jo_fail(o, NULL, RC_MALFORMED, "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    q->has_max_fee = has_max_fee;
    q->has_tip = has_tip;
    q->dynamic_fee = has_max_fee || has_tip;
    q->has_gas_price = has_price || q->dynamic_fee;
    q->gas_price = has_price ? price : max_fee;
}

/* Both names are in use, and some clients give both. */
static void read_data(ex_request_t *q, arena_t *a, const jo_t *o, hex_form_t hex)
{
    view_t input = { NULL, 0 };
    const bool has_data = jo_opt_bytes(o, &q->data, a, "data", 0, API_CALL_MAX, hex);
    if (!jo_opt_bytes(o, &input, a, "input", 0, API_CALL_MAX, hex))
        return;
    if (has_data && !view_eq(q->data, input))
        jo_fail(
            o, NULL, RC_MALFORMED,
            "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction call data");
    q->data = input;
}

static void read_blobs(ex_request_t *q, arena_t *a, const jo_t *o, form_t form)
{
    jo_t list, one;
    q->has_max_blob_fee = read_number(o, &q->max_blob_fee, "maxFeePerBlobGas", form);
    q->has_blobs = jo_opt_list(o, &list, "blobVersionedHashes", 0, API_BLOBS_MAX);
    if (!q->has_blobs)
        return;
    hash32_t *hashes = arena_calloc(a, jo_size(&list), sizeof *hashes);
    if (!hashes)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    while (hashes && jo_next(&list, &one)) {
        jo_hex(&one, hashes[q->blob_count].b, sizeof(hash32_t), NULL, hex_of(form));
        q->blob_count++;
    }
    q->blob_hashes = hashes;
}

/* EIP-7702: who signed it, from keccak(0x05 || rlp([chain id, address, nonce])). */
static void recover_signer(evm_authorization_t *out, const u256_t *r, const u256_t *s, uint64_t parity)
{
    uint8_t text[1 + 3 + 33 + 21 + 9], signature[ECDSA_SIG65_LEN];
    wr_t w = wr_of(text, sizeof text);
    hash32_t digest;
    wr_u8(&w, 5);
    rlp_put_u256(&w, &out->chain_id);
    rlp_put_bytes(&w, view_of(out->address.b, sizeof out->address.b));
    rlp_put_u64(&w, out->nonce);
    rlp_wrap_list(&w, 1);
    keccak256(&digest, wr_view(&w));
    u256_to_be32(signature, r);
    u256_to_be32(signature + 32, s);
    signature[64] = (uint8_t)(27 + parity);
    out->signer_valid = parity <= 1 && !ecdsa_recover65(&out->signer, signature, &digest);
}

static void read_authorizations(ex_request_t *q, arena_t *a, const jo_t *o, form_t form)
{
    jo_t list, one;
    q->has_authorizations = jo_opt_list(o, &list, "authorizationList", 0, API_AUTHORIZATIONS_MAX);
    if (!q->has_authorizations)
        return;
    evm_authorization_t *all = arena_calloc(a, jo_size(&list), sizeof *all);
    u256_t *signatures = arena_calloc(a, 3 * jo_size(&list), sizeof *signatures);
    if (!all || !signatures)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    while (all && signatures && jo_next(&list, &one)) {
        u256_t *signature = &signatures[3 * q->authorization_count];
        evm_authorization_t *x = &all[q->authorization_count++];
        x->chain_id = need_number(&one, "chainId", form);
        jo_hex(&one, x->address.b, sizeof x->address.b, "address", hex_of(form));
        x->nonce = need_number64(&one, "nonce", form);
        const uint64_t parity = need_number64(&one, "yParity", form);
        const u256_t r = need_number(&one, "r", form), s = need_number(&one, "s", form);
        signature[0] = u256_of(parity);
        signature[1] = r;
        signature[2] = s;
        if (!jo_rc(&one))
            recover_signer(x, &r, &s, parity);
    }
    q->authorizations = all;
    q->authorization_signatures = signatures;
}

/* What has no influence on a call, but must be well-formed. */
static void read_ignored(const jo_t *o, form_t form)
{
    uint64_t x;
    read_number64(o, &x, "type", form);
}

static rc_t read_call(ex_request_t *out, arena_t *a, const jo_t *o, form_t form)
{
    const hex_form_t hex = hex_of(form);
    ex_request_t q = { .has_to = false };
    jo_t list;
    jo_opt_hex(o, q.from.b, sizeof q.from.b, "from", hex);
    q.has_to = jo_opt_hex(o, q.to.b, sizeof q.to.b, "to", hex);
    q.has_gas = read_number64(o, &q.gas, "gas", form);
    q.has_chain_id = read_number64(o, &q.chain_id, "chainId", form);
    read_number(o, &q.value, "value", form);
    read_fees(&q, o, form);
    read_data(&q, a, o, hex);
    q.has_nonce = read_number64(o, &q.nonce, "nonce", form);
    read_blobs(&q, a, o, form);
    read_authorizations(&q, a, o, form);
    read_ignored(o, form);
    q.has_access = jo_opt_list(o, &list, "accessList", 0, SIZE_MAX);
    if (q.has_access && jr_read_access_list(&q.access, &q.access_count, a, &list))
        return jo_rc(o);
    if (!jo_rc(o))
        *out = q;
    return jo_rc(o);
}

rc_t api_read_call(ex_request_t *out, arena_t *a, const jo_t *o)
{
    return read_call(out, a, o, FORM_GETH);
}

rc_t api_parse_call(ex_request_t *out, err_t *e, arena_t *a, view_t body)
{
    jo_doc_t doc;
    ex_request_t q;
    const jo_t o = jo_open(&doc, e, body, API_CALL_MAX, JO_LENIENT);
    rc_t rc = read_call(&q, a, &o, FORM_PROTOTYPE);
    if (!rc)
        rc = jo_done(&o);
    if (!rc)
        *out = q;
    jo_close(&doc);
    return rc;
}
