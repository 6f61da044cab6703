#include "rpc/upstream/finality.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"

static void read_root(hash32_t *out, const jo_t *o, const char *key)
{
    if (jo_hex(o, out->b, sizeof out->b, key, HEX_0X) && hash32_is_zero(out))
        jo_fail(o, key, RC_MALFORMED, "is zero");
}

rc_t finality_read(uint64_t *epoch, hash32_t *root, err_t *e, view_t body)
{
    jo_doc_t doc;
    hash32_t found = { { 0 } };
    const jo_t o = jo_open(&doc, e, body, FINALITY_BODY_MAX, JO_LENIENT), data = jo_object(&o, "data"),
               finalized = jo_object(&data, "finalized");
    const uint64_t at = jo_number(&finalized, "epoch", UINT64_MAX);
    read_root(&found, &finalized, "root");
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (rc)
        return rc;
    *epoch = at;
    *root = found;
    return RC_OK;
}

void finality_root_path(char out[FINALITY_ROOT_PATH_MAX], uint64_t slot)
{
    snprintf(out, FINALITY_ROOT_PATH_MAX, "/eth/v1/beacon/blocks/%" PRIu64 "/root", slot);
}

/* A root that stands directly in data. */
static rc_t read_of_data(hash32_t *root, err_t *e, view_t body, const char *key)
{
    jo_doc_t doc;
    hash32_t found = { { 0 } };
    const jo_t o = jo_open(&doc, e, body, FINALITY_BODY_MAX, JO_LENIENT), data = jo_object(&o, "data");
    read_root(&found, &data, key);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *root = found;
    return rc;
}

rc_t finality_read_root(hash32_t *root, err_t *e, view_t body)
{
    return read_of_data(root, e, body, "root");
}

rc_t finality_read_genesis(hash32_t *validators_root, err_t *e, view_t body)
{
    return read_of_data(validators_root, e, body, "genesis_validators_root");
}
