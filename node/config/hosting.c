#include "node/config/hosting.h"

static const char NO_ADDRESS[] = "must be an IPv4 or IPv6 address, without brackets and port";

/* Adds an address to listen at. False: it is none. */
static bool add_address(hosting_t *h, view_t text)
{
    ip_t ip;
    if (text.n >= sizeof h->listen[0] || !ip_read(&ip, text))
        return false;
    memcpy(h->listen[h->listen_count], text.p, text.n);
    h->listen[h->listen_count++][text.n] = 0;
    return true;
}

void hosting_read_listen(hosting_t *h, const jo_t *o, const char *key)
{
    jo_t list = jo_list(o, key, 1, HOSTING_ADDRESSES_MAX), row;
    h->listen_count = 0;
    while (jo_next(&list, &row))
        if (!add_address(h, jo_text(&row, NULL, 1, sizeof h->listen[0] - 1))) {
            jo_fail(&row, NULL, RC_MALFORMED, "%s", NO_ADDRESS);
            return;
        }
}

rc_t hosting_set_listen(hosting_t *h, err_t *e, const char *text)
{
    h->listen_count = 0;
    for (;; text++) {
        const size_t n = strcspn(text, ",");
        if (h->listen_count == HOSTING_ADDRESSES_MAX)
            return err_set(e, RC_LIMIT, "at most %u addresses", HOSTING_ADDRESSES_MAX);
        if (!add_address(h, view_of(text, n)))
            return err_say(e, RC_MALFORMED, NO_ADDRESS);
        text += n;
        if (!*text)
            return RC_OK;
    }
}

void hosting_read_proxies(hosting_t *h, const jo_t *o, const char *key)
{
    jo_t list = jo_list(o, key, 1, PROXIES_MAX), row;
    h->proxies.count = 0;
    while (jo_next(&list, &row))
        if (proxies_add(&h->proxies, jo_text(&row, NULL, 1, 64))) {
            jo_fail(&row, NULL, RC_MALFORMED, "must be an address, or a network as 10.0.0.0/8");
            return;
        }
}

void hosting_read_token(hosting_t *h, const jo_t *o, const char *key)
{
    h->has_token = jo_hex(o, h->token_sha256.b, sizeof h->token_sha256.b, key, HEX_0X);
}

hosting_memory_t hosting_memory(const hosting_t *h)
{
    const size_t all = (size_t)(h->memory_max ? h->memory_max : HOSTING_MEMORY_MAX) << 20;
    return (hosting_memory_t){
        .cache = all / 4, .bodies = all / 8, .answers = all / 16 * 3, .websockets = all / 32 * 3, .news = all / 32 * 3
    };
}

size_t hosting_connections(const hosting_t *h)
{
    return h->connections_max ? (size_t)h->connections_max : HOSTING_CLIENTS_MAX;
}

size_t hosting_requests(const hosting_t *h)
{
    return h->requests_max ? (size_t)h->requests_max : HOSTING_CLIENTS_MAX;
}
