/* TCB info that parses has sorted levels within the maxima, and parses to the same once its list of levels is turned
 * round. No text is info of TDX and of SGX. */
#include <jansson.h>
#include <stdlib.h>

#include "tee/collateral/collateral.h"
#include "tee/collateral/tcb.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_levels(const tcb_level_t *levels, size_t count)
{
    require(count > 0 && count <= TCB_LEVELS_MAX);
    for (size_t i = 0; i < count; i++) {
        require(levels[i].status < TCB_STATUS_COUNT && levels[i].advisory_count <= TCB_ADVISORIES_MAX);
        for (size_t k = 0; k < levels[i].advisory_count; k++)
            require(levels[i].advisories[k].n > 0 && levels[i].advisories[k].n <= TCB_ADVISORY_LEN_MAX);
        if (!i)
            continue;
        int sgx = memcmp(levels[i - 1].sgx, levels[i].sgx, 16), tdx = memcmp(levels[i - 1].tdx, levels[i].tdx, 16);
        int pce = levels[i - 1].pce_svn - levels[i].pce_svn;
        require(sgx > 0 || (sgx == 0 && (pce > 0 || (pce == 0 && tdx >= 0))));
        require(sgx || pce || tdx || levels[i - 1].isv_svn >= levels[i].isv_svn);
    }
}

static void compare_turned(const tcb_info_t *info, arena_t *a, const uint8_t *data, size_t len, tcb_tee_t tee)
{
    json_t *o = json_loadb((const char *)data, len, 0, NULL), *in = json_object_get(o, "tcbLevels"),
           *out = json_array();
    tcb_info_t turned;
    err_t fault;
    require(o && out);
    for (size_t i = json_array_size(in); i-- > 0;)
        require(json_array_append(out, json_array_get(in, i)) == 0);
    require(json_object_set_new(o, "tcbLevels", out) == 0);
    char *text = json_dumps(o, JSON_COMPACT);
    require(text != NULL);
    if (strlen(text) <= COLLATERAL_DOC_MAX) {
        require(tcb_info_parse(&turned, &fault, a, view_str(text), tee) == RC_OK);
        require(turned.level_count == info->level_count && turned.module_count == info->module_count);
        for (size_t i = 0; i < info->level_count; i++)
            require(!memcmp(turned.levels[i].sgx, info->levels[i].sgx, 16) &&
                    !memcmp(turned.levels[i].tdx, info->levels[i].tdx, 16) &&
                    turned.levels[i].pce_svn == info->levels[i].pce_svn);
    }
    free(text);
    json_decref(o);
}

static bool check(arena_t *a, const uint8_t *data, size_t len, tcb_tee_t tee)
{
    tcb_info_t info;
    err_t fault = { 0 };
    rc_t rc = tcb_info_parse(&info, &fault, a, view_of(data, len), tee);
    require((rc == RC_OK) == (fault.code == TEE_OK));
    if (rc)
        return false;
    require(info.issue_date <= info.next_update && info.module_count <= TCB_MODULES_MAX);
    require(tee == TCB_OF_TDX || info.module_count == 0);
    check_levels(info.levels, info.level_count);
    for (size_t i = 0; i < info.module_count; i++)
        check_levels(info.modules[i].levels, info.modules[i].level_count);
    compare_turned(&info, a, data, len, tee);
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
