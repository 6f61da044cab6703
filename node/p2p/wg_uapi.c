#include "node/p2p/wg_uapi.h"

#include <stdio.h>

#include "base/hex.h"

static void put_text(wr_t *w, const char *text)
{
    wr_bytes(w, text, strlen(text));
}

/* name=HEX; the digits stand nowhere but in w. */
static void put_key(wr_t *w, const char *name, const uint8_t key[WG_KEY_LEN])
{
    static const char digits[] = "0123456789abcdef";
    put_text(w, name);
    put_text(w, "=");
    for (size_t i = 0; i < WG_KEY_LEN; i++) {
        wr_u8(w, (uint8_t)digits[key[i] >> 4]);
        wr_u8(w, (uint8_t)digits[key[i] & 15]);
    }
    put_text(w, "\n");
}

static void put_endpoint(wr_t *w, const wg_endpoint_t *at)
{
    char text[64];
    int n = 0;
    if (at->n == 4) {
        n = snprintf(text, sizeof text, "endpoint=%u.%u.%u.%u:%u\n", at->ip[0], at->ip[1], at->ip[2], at->ip[3],
                     at->port);
    } else {
        n = snprintf(text, sizeof text, "endpoint=[");
        for (size_t i = 0; i < 16; i += 2)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s%x", i ? ":" : "",
                          (unsigned)at->ip[i] << 8 | at->ip[i + 1]);
        n += snprintf(text + n, sizeof text - (size_t)n, "]:%u\n", at->port);
    }
    wr_bytes(w, text, (size_t)n);
}

void wg_uapi_device(wr_t *w, const uint8_t *private_key, uint16_t port)
{
    static const uint8_t none[WG_KEY_LEN];
    char text[32];
    put_text(w, "set=1\n");
    put_key(w, "private_key", private_key ? private_key : none);
    snprintf(text, sizeof text, "listen_port=%u\n", port);
    put_text(w, text);
    put_text(w, "replace_peers=true\n\n");
}

static void put_op(wr_t *w, const wg_op_t *op)
{
    char text[64];
    put_key(w, "public_key", op->peer.pubkey);
    if (op->kind == WG_REMOVE) {
        put_text(w, "remove=true\n");
        return;
    }
    if (op->kind == WG_MOVE)
        put_text(w, "update_only=true\n");
    else
        put_key(w, "preshared_key", op->peer.preshared);
    if (op->peer.endpoint.n)
        put_endpoint(w, &op->peer.endpoint);
    if (op->kind == WG_MOVE)
        return;
    snprintf(text, sizeof text, "replace_allowed_ips=true\nallowed_ip=10.0.1.%u/32\n", op->peer.index);
    put_text(w, text);
}

void wg_uapi_ops(wr_t *w, const wg_op_t *ops, size_t n)
{
    put_text(w, "set=1\n");
    for (size_t i = 0; i < n; i++)
        put_op(w, &ops[i]);
    put_text(w, "\n");
}

rc_t wg_uapi_answer(err_t *e, view_t in)
{
    static const char head[] = "errno=";
    const size_t head_n = sizeof head - 1, compared = in.n < head_n ? in.n : head_n;
    long code = 0;
    size_t at = head_n;
    bool minus;
    if (compared && memcmp(in.p, head, compared) != 0)
        return err_say(e, RC_MALFORMED, "the WireGuard socket's answer is no errno");
    if (in.n > WG_UAPI_ANSWER_MAX)
        return err_set(e, RC_LIMIT, "the WireGuard socket's answer has more than %u bytes", WG_UAPI_ANSWER_MAX);
    minus = in.n > at && in.p[at] == '-';
    at += minus;
    const size_t first = at;
    for (; at < in.n && in.p[at] >= '0' && in.p[at] <= '9' && at - first < 5; at++)
        code = 10 * code + (in.p[at] - '0');
    const bool ends = in.n > at && in.p[at] == '\n' && at > first;
    if ((in.n > at && !ends) || (in.n > at + 1 && in.p[at + 1] != '\n') || in.n > at + 2)
        return err_say(e, RC_MALFORMED, "the WireGuard socket's answer is no errno and a blank line");
    if (in.n < at + 2)
        return err_say(e, RC_NEED_DATA, "the WireGuard socket's answer is not all there");
    if (!code)
        return RC_OK;
    (void)err_set(e, RC_REFUSED, "the WireGuard interface did not take it: errno %s%ld", minus ? "-" : "", code);
    return err_code(e, RC_REFUSED, (uint16_t)(code < UINT16_MAX ? code : UINT16_MAX));
}
