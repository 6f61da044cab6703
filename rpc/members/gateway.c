#include "rpc/members/gateway.h"

#include <stdio.h>

#define LABEL_MAX 63u

static bool is_alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static bool is_label(view_t v)
{
    if (v.n == 0 || v.n > LABEL_MAX || v.p[0] == '-' || v.p[v.n - 1] == '-')
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (!is_alphanumeric(v.p[i]) && v.p[i] != '-')
            return false;
    return true;
}

static bool is_id(view_t v)
{
    if (v.n == 0 || v.n > GATEWAY_ID_MAX)
        return false;
    for (size_t i = 0; i < v.n; i++)
        if (!is_alphanumeric(v.p[i]))
            return false;
    return true;
}

/* Splits v at its first c: *head is what stands before it, v what stands behind it. False: there is none. */
static bool split(view_t *head, view_t *v, char c)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->p[i] == (uint8_t)c) {
            *head = view_of(v->p, i);
            *v = view_of(v->p + i + 1, v->n - i - 1);
            return true;
        }
    *head = *v;
    *v = view_of(NULL, 0);
    return false;
}

bool gateway_is_domain(view_t text)
{
    view_t label;
    bool more = true;
    if (text.n == 0 || text.n > GATEWAY_NAME_MAX)
        return false;
    while (more) {
        more = split(&label, &text, '.');
        if (!is_label(label))
            return false;
    }
    return true;
}

static uint16_t own_port(gateway_form_t form)
{
    return form == GATEWAY_TLS ? 443 : 80;
}

/* "", "3032", "3032s", "g" of what stands behind the hyphen. */
static bool read_suffix(gateway_name_t *out, view_t v)
{
    uint32_t port = 0;
    const uint8_t last = v.n ? v.p[v.n - 1] : 0;
    out->form = last == 's' ? GATEWAY_TLS : last == 'g' ? GATEWAY_GRPC : GATEWAY_PLAIN;
    if (out->form != GATEWAY_PLAIN)
        v.n--;
    if (v.n > 5 || (v.n && v.p[0] == '0'))
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        port = 10 * port + (uint32_t)(v.p[i] - '0');
    }
    out->port = v.n ? (uint16_t)port : own_port(out->form);
    return port <= UINT16_MAX;
}

rc_t gateway_read(gateway_name_t *out, err_t *e, view_t name)
{
    gateway_name_t got = { .form = GATEWAY_PLAIN };
    view_t label, suffix;
    if (name.n > GATEWAY_NAME_MAX || !split(&label, &name, '.'))
        return err_say(e, RC_MALFORMED, "not a name under a gateway's domain");
    got.base = name;
    suffix = label;
    const bool has_suffix = split(&got.id, &suffix, '-');
    if (!gateway_is_domain(got.base))
        return err_say(e, RC_MALFORMED, "the gateway's domain is none");
    if (!is_id(got.id))
        return err_say(e, RC_MALFORMED, "the id has other characters than digits and lower-case letters, or too many");
    if (has_suffix ? !read_suffix(&got, suffix) : !read_suffix(&got, view_of(NULL, 0)))
        return err_say(e, RC_MALFORMED, "what follows the id is no port with s, g or neither");
    *out = got;
    return RC_OK;
}

rc_t gateway_write(char out[static GATEWAY_NAME_MAX + 1], err_t *e, const gateway_name_t *name)
{
    static const char letters[][2] = { "", "s", "g" };
    char port[8] = "", text[GATEWAY_NAME_MAX + 1];
    if (!is_id(name->id) || !gateway_is_domain(name->base) || name->port == 0)
        return err_say(e, RC_MALFORMED, "no id, port or domain that a name can be made of");
    const bool own = name->port == own_port(name->form);
    if (!own)
        snprintf(port, sizeof port, "%u", (unsigned)name->port);
    const char *hyphen = own && name->form == GATEWAY_PLAIN ? "" : "-";
    const int n = snprintf(text, sizeof text, "%.*s%s%s%s.%.*s", (int)name->id.n, (const char *)name->id.p, hyphen,
                           port, letters[name->form], (int)name->base.n, (const char *)name->base.p);
    if (n < 0 || (size_t)n > GATEWAY_NAME_MAX)
        return err_say(e, RC_MALFORMED, "the name is longer than DNS allows");
    memcpy(out, text, (size_t)n + 1);
    return RC_OK;
}
