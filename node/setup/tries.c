#include "node/setup/tries.h"

#include <stdio.h>

void tries_fail(tries_t *t, size_t who, const err_t *e, bool contradicts)
{
    if (t->why[who].rc)
        return;
    err_t *why = &t->why[who];
    *why = *e;
    up_hide(t->up, who, why->text);
    (void)err_before(why, e->rc, "%s: ", up_origin(t->up, who));
    t->contradicts[who] = contradicts;
}

rc_t tries_conclude(const tries_t *t, err_t *e)
{
    size_t at = SIZE_MAX;
    bool good = false;
    char field[64];
    for (size_t i = 0; i < t->count; i++) {
        good |= !t->why[i].rc;
        if (t->contradicts[i] && (at == SIZE_MAX || !t->contradicts[at]))
            at = i;
        else if (t->why[i].rc && at == SIZE_MAX)
            at = i;
    }
    if (at == SIZE_MAX || (good && !t->contradicts[at]))
        return RC_OK;
    snprintf(field, sizeof field, t->count > 1 ? "%s[%zu]" : "%s", t->field, at);
    (void)err_in(e, RC_REFUSED, field, "%s", t->why[at].text);
    return err_code(e, RC_REFUSED, t->contradicts[at] ? TRIAL_FOR_GOOD : 0);
}
