#include "rpc/upstream/latest.h"

#include "base/json.h"
#include "rpc/upstream/decode.h"

/* An answer that is an error: by its code, as its words may be told to nobody but the operator. RC_OK: it is none. */
static rc_t refused(err_t *e, const jo_t *o)
{
    if (jo_kind(o, "error") != JO_OBJECT)
        return jo_rc(o);
    const jo_t error = jo_object(o, "error");
    const long long code = jo_kind(&error, "code") == JO_INTEGER ? jo_i64(&error, "code", INT64_MIN, INT64_MAX) : 0;
    return err_set(e, RC_IO, "error %lld", code);
}

rc_t latest_check_chain(err_t *e, view_t body, uint64_t chain_id)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, body, LATEST_BODY_MAX, JO_LENIENT);
    rc_t rc = refused(e, &o);
    const uint64_t chain = rc ? 0 : jo_quantity(&o, "result");
    if (!rc)
        rc = jo_done(&o);
    jo_close(&doc);
    if (!rc && chain != chain_id)
        return err_set(e, RC_REFUSED, "is of chain %llu, and this network's is %llu", (unsigned long long)chain,
                       (unsigned long long)chain_id);
    return rc;
}

rc_t latest_check_proves(err_t *e, view_t body)
{
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, body, LATEST_BODY_MAX, JO_LENIENT);
    rc_t rc = refused(e, &o);
    if (!rc) {
        const jo_t result = jo_object(&o, "result"), nodes = jo_list(&result, "accountProof", 1, SIZE_MAX);
        (void)nodes;
        rc = jo_done(&o);
    }
    jo_close(&doc);
    return rc;
}

rc_t latest_read_block(ex_header_t *out, hash32_t *hash, err_t *e, view_t body)
{
    jo_doc_t doc;
    ex_header_t h;
    hash32_t said = { { 0 } };
    const jo_t o = jo_open(&doc, e, body, LATEST_BODY_MAX, JO_LENIENT);
    rc_t rc = refused(e, &o);
    if (!rc) {
        const jo_t block = jo_object(&o, "result");
        jo_hex(&block, said.b, sizeof said.b, "hash", HEX_0X);
        rc = jr_read_header(&h, &block);
    }
    if (!rc)
        rc = jo_done(&o);
    jo_close(&doc);
    if (rc)
        return rc;
    if (ex_header_check(&h, &said))
        return err_say(e, RC_REFUSED,
                       "its newest block has another hash than it says, or a form that this build does not know");
    *out = h;
    *hash = said;
    return RC_OK;
}
