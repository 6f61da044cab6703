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

rc_t tee_fail_json(err_t *e, const err_t *found)
{
    const tee_code_t code = found->rc == RC_NOMEM ? E_NOMEM : found->rc == RC_LIMIT ? E_LIMIT : (tee_code_t)found->code;
    err_t known;
    const rc_t rc = tee_fail(&known, code, NULL);
    err_set(e, rc, "%.100s: %s%s%.64s", known.text, found->field, found->field[0] ? " " : "", found->text);
    return err_code(e, rc, (uint16_t)code);
}

const char *tee_code_name(unsigned code)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if ((unsigned)faults[i].code == code)
            return faults[i].name;
    return code == TEE_OK ? "TEE_OK" : "E_UNKNOWN";
}
