/* A QE identity that parses has sorted levels; an enclave that it describes is graded by the first level which it
 * reaches. No text is an identity for TDX and for SGX. */
#include <stdlib.h>

#include "tee/collateral/tcb.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static void grade(const qe_identity_t *id, uint16_t svn)
{
    uint8_t attributes[16];
    err_t fault = { 0 };
    const tcb_level_t *level = NULL;
    quote_enclave_t qe = {
        .attributes = attributes, .mr_signer = id->mr_signer, .isv_prod_id = id->isv_prod_id, .isv_svn = svn
    };
    memcpy(attributes, id->attributes, 16);
    for (unsigned i = 0; i < 4; i++)
        qe.misc_select |= (uint32_t)id->misc_select[i] << 8 * i;
    rc_t rc = tcb_grade_qe(&level, &fault, id, &qe);
    if (attributes[0] & 2) {
        require(fault.code == E_QE_DEBUG);
        return;
    }
    const tcb_level_t *first = id->levels;
    while (first < id->levels + id->level_count && first->isv_svn > svn)
        first++;
    require(first < id->levels + id->level_count ? rc == RC_OK && level == first : fault.code == E_QE_SVN);
}

static bool check(arena_t *a, const uint8_t *data, size_t len, tcb_tee_t tee)
{
    qe_identity_t id;
    err_t fault = { 0 };
    rc_t rc = qe_identity_parse(&id, &fault, a, view_of(data, len), tee);
    require((rc == RC_OK) == (fault.code == TEE_OK));
    if (rc)
        return false;
    require(id.issue_date <= id.next_update && id.level_count > 0 && id.level_count <= TCB_LEVELS_MAX);
    for (size_t i = 1; i < id.level_count; i++)
        require(id.levels[i - 1].isv_svn >= id.levels[i].isv_svn);
    for (size_t i = 0; i < id.level_count; i++) {
        grade(&id, id.levels[i].isv_svn);
        grade(&id, (uint16_t)(id.levels[i].isv_svn - 1));
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    arena_init(&a, 64u << 20);
    bool tdx = check(&a, data, len, TCB_OF_TDX), sgx = check(&a, data, len, TCB_OF_SGX);
    require(!tdx || !sgx);
    arena_free(&a);
    return 0;
}
