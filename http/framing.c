#include "http/framing.h"

#include <strings.h>

#define LENGTH_DIGITS_MAX 18u

static bool is_token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(view_t v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!is_token_char(v.p[i]))
            return false;
    return v.n > 0;
}

static bool is(view_t v, const char *word)
{
    return v.n == strlen(word) && strncasecmp((const char *)v.p, word, v.n) == 0;
}

/* Text and tabs: no control character, thus no end of a line that only some take for one. */
static bool is_text(view_t v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((v.p[i] < 0x20 && v.p[i] != '\t') || v.p[i] == 0x7f)
            return false;
    return true;
}

/* A name or address, with a port or without. */
static bool is_host(view_t v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] >= 0x7f || strchr(",/?#@\\\"<>", v.p[i]))
            return false;
    return true;
}

static bool is_length(view_t v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
    return v.n > 0 && v.n <= LENGTH_DIGITS_MAX;
}

void framing_field(framing_t *f, view_t name, view_t value)
{
    f->bad_field |= !is_token(name) || !is_text(value);
    if (is(name, "Host")) {
        f->hosts++;
        f->bad_host |= !is_host(value);
    } else if (is(name, "Content-Length")) {
        f->lengths++;
        f->bad_length |= !is_length(value);
    } else if (is(name, "Transfer-Encoding")) {
        f->codings++;
        f->chunked = is(value, "chunked");
    }
}

static const char *length_fault(const framing_t *f, bool old)
{
    if (f->lengths > 1)
        return "more than one Content-Length";
    if (f->lengths && f->codings)
        return "both Content-Length and Transfer-Encoding";
    if (f->codings && (f->codings > 1 || !f->chunked))
        return "the only transfer coding is chunked, once";
    if (f->codings && old)
        return "HTTP/1.0 has no transfer coding";
    return f->bad_length ? "the Content-Length is not a number" : NULL;
}

static const char *target_fault(const char *method, const char *target)
{
    const bool whole = !strncasecmp(target, "http://", 7) || !strncasecmp(target, "https://", 8);
    if (target[0] != '/' && !whole && !(strcmp(target, "*") == 0 && strcmp(method, "OPTIONS") == 0))
        return "the request target is not a path";
    for (const char *p = target; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || *p == '#')
            return "the request target has characters that it may not have";
    return NULL;
}

const char *framing_fault(int *status, const framing_t *f, const char *method, const char *target, const char *version)
{
    const bool old = strcmp(version, "HTTP/1.0") == 0;
    *status = 400;
    if (!is_token(view_str(method)))
        return "the method is not a word";
    if (!old && strcmp(version, "HTTP/1.1") != 0) {
        *status = strncmp(version, "HTTP/", 5) == 0 ? 505 : 400;
        return "HTTP/1.1 and HTTP/1.0 are spoken here";
    }
    if (f->bad_field)
        return "a header field has characters that it may not have";
    if (f->hosts > 1 || f->bad_host)
        return "more than one Host, or no valid one";
    if (!f->hosts && !old)
        return "no Host";
    const char *fault = length_fault(f, old);
    return fault ? fault : target_fault(method, target);
}
