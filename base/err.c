#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define DRAFT 1024u /* longer than any text that is kept, so that what is cut is cut here */

/* Copies text as far as it fits: whole characters only, '?' for what is none or would move a terminal's cursor. */
static void put_clean(char *out, size_t cap, const char *text)
{
    view_t left = view_str(text);
    size_t at = 0;
    while (left.n) {
        size_t n = utf8_len(left), take = n ? n : 1;
        bool shown = n && !utf8_is_control(left.p, n);
        if (at + (shown ? n : 1) >= cap)
            break;
        if (shown)
            memcpy(out + at, left.p, n);
        else
            out[at] = '?';
        at += shown ? n : 1;
        left = view_of(left.p + take, left.n - take);
    }
    out[at] = '\0';
}

void err_clear(err_t *e)
{
    if (e)
        *e = (err_t){ .rc = RC_OK };
}

/* Field and text may point into e itself: both are drafts of their own. */
static rc_t set(err_t *e, rc_t rc, const char *field, const char *text)
{
    err_t now = { .rc = rc };
    put_clean(now.field, sizeof now.field, field);
    put_clean(now.text, sizeof now.text, text);
    *e = now;
    return rc;
}

rc_t err_say(err_t *e, rc_t rc, const char *text)
{
    return e ? set(e, rc, "", text) : rc;
}

rc_t err_set(err_t *e, rc_t rc, const char *fmt, ...)
{
    char draft[DRAFT];
    va_list ap;
    if (!e)
        return rc;
    va_start(ap, fmt);
    vsnprintf(draft, sizeof draft, fmt, ap);
    va_end(ap);
    return set(e, rc, "", draft);
}

rc_t err_in(err_t *e, rc_t rc, const char *field, const char *fmt, ...)
{
    char draft[DRAFT];
    va_list ap;
    if (!e)
        return rc;
    va_start(ap, fmt);
    vsnprintf(draft, sizeof draft, fmt, ap);
    va_end(ap);
    return set(e, rc, field, draft);
}

rc_t err_code(err_t *e, rc_t rc, uint16_t code)
{
    if (e && rc)
        e->code = code;
    return rc;
}

rc_t err_under(err_t *e, rc_t rc, const char *outer)
{
    char draft[DRAFT];
    if (!e || !rc)
        return rc;
    const char *dot = e->field[0] && e->field[0] != '[' ? "." : "";
    snprintf(draft, sizeof draft, "%s%s%s", outer, dot, e->field);
    put_clean(e->field, sizeof e->field, draft);
    return rc;
}

rc_t err_before(err_t *e, rc_t rc, const char *fmt, ...)
{
    char draft[DRAFT];
    va_list ap;
    if (!e || !rc)
        return rc;
    va_start(ap, fmt);
    int n = vsnprintf(draft, sizeof draft, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof draft)
        snprintf(draft + n, sizeof draft - (size_t)n, "%s", e->text);
    put_clean(e->text, sizeof e->text, draft);
    return rc;
}
