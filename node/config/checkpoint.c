#include "node/config/checkpoint.h"

#include <arpa/inet.h>
#include <string.h>

#include "http/url.h"

static void read_root(config_checkpoint_t *out, const jo_t *o, const char *key)
{
    if (!jo_hex(o, out->root.b, sizeof out->root.b, key, HEX_ANY))
        return;
    if (hash32_is_zero(&out->root))
        jo_fail(o, key, RC_MALFORMED, "must not be zero");
    out->kind = CHECKPOINT_ROOT;
}

/* One spelling of each host: no dots behind it, and an IPv4 address that stands in an IPv6 one as itself. */
static void plain_host(char *host, size_t cap)
{
    struct in6_addr v6;
    size_t n = strlen(host);
    while (n && host[n - 1] == '.')
        host[--n] = '\0';
    const bool bracketed = n > 2 && host[0] == '[' && host[n - 1] == ']';
    if (bracketed) {
        memmove(host, host + 1, n - 2);
        host[n - 2] = '\0';
    }
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return;
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6);
    (void)inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? (const void *)&v6.s6_addr[12] : &v6, host, (socklen_t)cap);
}

/* A server's host name, which no other server has. */
static void take_host(config_checkpoint_t *out, arena_t *arena, const jo_t *o, size_t i)
{
    char host[CHECKPOINT_HOST_MAX + 1];
    hc_url_host(host, sizeof host, out->of.urls[i]);
    plain_host(host, sizeof host);
    if (!host[0])
        jo_fail(o, "of", RC_LIMIT, "a host name has more than %u characters", CHECKPOINT_HOST_MAX);
    for (size_t k = 0; k < i; k++)
        if (!strcmp(host, out->hosts[k]))
            jo_fail(o, "of", RC_MALFORMED, "%s is named twice: a quorum needs independent servers", host);
    out->hosts[i] = arena_strdup(arena, view_str(host));
    if (!out->hosts[i])
        jo_fail(o, "of", RC_NOMEM, "out of memory");
    out->plain |= strncmp(out->of.urls[i], "https:", 6) != 0;
}

static void read_quorum(config_checkpoint_t *out, arena_t *arena, const jo_t *o, const char *key)
{
    const jo_t object = jo_object(o, key);
    option_read_urls(&out->of, arena, &object, "of");
    out->quorum = jo_u64(&object, "quorum", 1, OPTION_URLS_MAX);
    for (size_t i = 0; i < out->of.count && !jo_rc(o); i++)
        take_host(out, arena, &object, i);
    if (out->quorum > out->of.count || out->quorum <= out->of.count / 2)
        jo_fail(&object, "quorum", RC_MALFORMED, "must be more than half of the %zu servers, and at most all",
                out->of.count);
    out->kind = CHECKPOINT_QUORUM;
}

static bool may_be_root(const jo_t *o, const char *key)
{
    if (jo_kind(o, key) != JO_TEXT)
        return false;
    const view_t text = jo_text(o, key, 0, SIZE_MAX);
    const char *digits = (const char *)text.p;
    digits += !strncmp(digits, "0x", 2) ? 2 : 0;
    return *digits && !digits[strspn(digits, "0123456789abcdefABCDEF")];
}

void config_checkpoint_read(config_checkpoint_t *out, arena_t *arena, const jo_t *o, const char *key)
{
    if (jo_kind(o, key) == JO_OBJECT)
        read_quorum(out, arena, o, key);
    else if (jo_kind(o, key) == JO_TEXT && view_eq(jo_text(o, key, 0, SIZE_MAX), view_str("peers")))
        out->kind = CHECKPOINT_PEERS;
    else if (may_be_root(o, key))
        read_root(out, o, key);
    else
        jo_fail(o, key, RC_MALFORMED,
                "must be a block root (32 bytes of hex), \"peers\", or {\"quorum\": N, \"of\": [URLs]}");
}
