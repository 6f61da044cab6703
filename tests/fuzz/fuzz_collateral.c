/* A container that is read, written and read again is the same; the document that an answer is split into is an object
 * inside the answer, and the one that jansson finds there. */
#include <jansson.h>
#include <stdlib.h>

#include "tee/collateral/collateral.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static void read_container(arena_t *a, view_t in)
{
    collateral_t c, again;
    err_t fault = { 0 };
    view_t text;
    if (collateral_read(&c, &fault, a, in)) {
        require(fault.code != TEE_OK);
        return;
    }
    require(collateral_write(&text, a, &c) == RC_OK);
    rc_t rc = collateral_read(&again, &fault, a, text);
    if (rc == RC_LIMIT)
        return; /* hex grows */
    require(rc == RC_OK);
    require(view_eq(c.root_ca_crl, again.root_ca_crl) && view_eq(c.pck_crl, again.pck_crl));
    require(view_eq(c.tcb_info, again.tcb_info) && view_eq(c.qe_identity, again.qe_identity));
    require(!memcmp(c.tcb_info_signature, again.tcb_info_signature, 64));
    require(!memcmp(c.qe_identity_signature, again.qe_identity_signature, 64));
}

static void split_answer(view_t in, const char *member)
{
    view_t inner;
    uint8_t sig[64];
    err_t fault = { 0 };
    if (collateral_split(&inner, sig, &fault, in, member))
        return;
    require(inner.p >= in.p && inner.p + inner.n <= in.p + in.n && inner.n >= 2);
    json_t *whole = json_loadb((const char *)in.p, in.n, 0, NULL);
    json_t *part = json_loadb((const char *)inner.p, inner.n, JSON_REJECT_DUPLICATES, NULL);
    require(part && json_is_object(part) && json_equal(part, json_object_get(whole, member)));
    json_decref(part);
    json_decref(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    arena_init(&a, 64u << 20);
    read_container(&a, view_of(data, len));
    split_answer(view_of(data, len), "tcbInfo");
    split_answer(view_of(data, len), "enclaveIdentity");
    arena_free(&a);
    return 0;
}
