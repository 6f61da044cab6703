#include "node/setup/tries.h"

#include <stdio.h>

#include "base/os/log.h"
#include "rpc/upstream/heard.h"

/* Its key, with its place where there are several. */
static void name_of(char out[64], const tries_t *t, size_t who)
{
    snprintf(out, 64, t->count > 1 ? "%s[%zu]" : "%s", t->field, who);
}

void tries_fail(tries_t *t, size_t who, const err_t *e, const hc_response_t *answer, bool contradicts)
{
    char heard[HEARD_MAX + 1] = "", name[64];
    err_t *why = &t->why[who];
    if (why->rc)
        return;
    *why = *e;
    up_hide(t->up, who, why->text);
    if (answer)
        heard_of(heard, answer, up_url(t->up, who));
    name_of(name, t, who);
    log_write(LOG_WARN, "setup", "%s: %s: %s%s%s", up_origin(t->up, who), name, why->text, heard_word(heard), heard);
    if (t->by_owner)
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
    name_of(field, t, at);
    (void)err_in(e, RC_REFUSED, field, "%s", t->why[at].text);
    return err_code(e, RC_REFUSED, t->contradicts[at] ? TRIAL_FOR_GOOD : 0);
}
