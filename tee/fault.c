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

rc_t tee_fail(err_t *e, tee_code_t code, const char *why)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (faults[i].code == code)
            return err_code(e, err_say(e, faults[i].rc, why ? why : faults[i].why), (uint16_t)code);
    return err_code(e, err_say(e, RC_BUG, "a fault without a number"), (uint16_t)code);
}

const char *tee_code_name(unsigned code)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if ((unsigned)faults[i].code == code)
            return faults[i].name;
    return code == TEE_OK ? "TEE_OK" : "E_UNKNOWN";
}
