#include "node/config/hosting.h"

void hosting_read_listen(hosting_t *h, const jo_t *o, const char *key)
{
    jo_t list = jo_list(o, key, 1, HOSTING_ADDRESSES_MAX), row;
    for (h->listen_count = 0; jo_next(&list, &row); h->listen_count++) {
        const view_t text = jo_text(&row, NULL, 1, sizeof h->listen[0] - 1);
        ip_t ip;
        if (!ip_read(&ip, text)) {
            jo_fail(&row, NULL, RC_MALFORMED, "must be an IPv4 or IPv6 address");
            return;
        }
        memcpy(h->listen[h->listen_count], text.p, text.n);
        h->listen[h->listen_count][text.n] = 0;
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
