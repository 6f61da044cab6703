#include "rpc/upstream/finality.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"

static void read_root(hash32_t *out, const jo_t *o)
{
    if (jo_hex(o, out->b, sizeof out->b, "root", HEX_0X) && hash32_is_zero(out))
        jo_fail(o, "root", RC_MALFORMED, "is zero");
}

rc_t finality_read(uint64_t *epoch, hash32_t *root, err_t *e, view_t body)
{
    jo_doc_t doc;
    hash32_t found = { { 0 } };
    const jo_t o = jo_open(&doc, e, body, FINALITY_BODY_MAX, JO_LENIENT), data = jo_object(&o, "data"),
               finalized = jo_object(&data, "finalized");
    const uint64_t at = jo_number(&finalized, "epoch", UINT64_MAX);
    read_root(&found, &finalized);
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

rc_t finality_read_root(hash32_t *root, err_t *e, view_t body)
{
    jo_doc_t doc;
    hash32_t found = { { 0 } };
    const jo_t o = jo_open(&doc, e, body, FINALITY_BODY_MAX, JO_LENIENT), data = jo_object(&o, "data");
    read_root(&found, &data);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *root = found;
    return rc;
}
