/* Headers: what verifies under its own hash encodes to the same bytes, and nothing verifies under another. As the bytes of
 * a head they are a header, or prove a newer fork. */
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/head.h"
#include "tests/fuzz/fuzz.h"

/* What comes of the bytes as the answer to the question for a head of this hash. */
static rc_t as_head(const hash32_t *hash, view_t bytes)
{
    query_t *q;
    rc_t rc = ex_head_new(&q, NULL, hash, EX_HEAD_BYTES);
    if (rc)
        return rc;
    if (query_step(q, NULL) != RC_NEED_DATA)
        abort();
    rc = query_give(q, NULL, 0, &(answer_t){ .kind = NEED_HEAD_BYTES, .code = bytes });
    if (!rc)
        rc = query_step(q, NULL);
    if ((rc == RC_OK) != (ex_head_result(q) != NULL))
        abort();
    query_free(q);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    ex_header_t h;
    hash32_t hash;
    uint8_t buf[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    keccak256(&hash, view_of(data, len));
    const bool is_header = ex_header_verify(&h, &hash, view_of(data, len)) == RC_OK;
    if (as_head(&hash, view_of(data, len)) != (is_header ? RC_OK : RC_UNSUPPORTED))
        abort();
    if (is_header) {
        ex_header_encode(&w, &h);
        if (w.bad || !view_eq(wr_view(&w), view_of(data, len)))
            abort();
    }
    hash.b[31] ^= 1;
    if (ex_header_verify(&h, &hash, view_of(data, len)) == RC_OK || as_head(&hash, view_of(data, len)) != RC_REFUSED)
        abort();
    return 0;
}
