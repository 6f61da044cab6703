#include "tee/fault.h"

#include <stddef.h>

static const struct {
    tee_code_t code;
    const char *name;
    rc_t rc;
    const char *why;
} faults[] = {
#define FAULT(number, name, rc, text) { name, #name, rc, text },
#include "tee/fault.def"
#undef FAULT
};

rc_t tee_fail(tee_fault_t *f, tee_code_t code, const char *why)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (faults[i].code == code) {
            *f = (tee_fault_t){ code, why ? why : faults[i].why };
            return faults[i].rc;
        }
    *f = (tee_fault_t){ code, "a fault without a number" };
    return RC_BUG;
}

const char *tee_code_name(unsigned code)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if ((unsigned)faults[i].code == code)
            return faults[i].name;
    return code == TEE_OK ? "TEE_OK" : "E_UNKNOWN";
}
