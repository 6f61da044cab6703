/* The list and the roll that a contract returns, and names of gateways: what is read is written again as it was, every endpoint that is taken
 * is one of the mode, and the counts are those of the list. */
#include <stdlib.h>

#include "rpc/members/gateway.h"
#include "rpc/members/members.h"
#include "rpc/members/roll.h"
#include "tests/fuzz/fuzz.h"

/* abi.encode of the list, when nothing of it was left out. */
static void check_form(const members_t *m, view_t in)
{
    static uint8_t out[1u << 20];
    wr_t w = wr_of(out, sizeof out);
    static const uint8_t zeros[32];
    size_t at = 32 * m->count;
    wr_bytes(&w, zeros, 24), wr_be(&w, 32, 8);
    wr_bytes(&w, zeros, 24), wr_be(&w, m->count, 8);
    for (size_t i = 0; i < m->count; i++) {
        wr_bytes(&w, zeros, 24), wr_be(&w, at, 8);
        at += 32 + (m->endpoints[i].n + 31) / 32 * 32;
    }
    for (size_t i = 0; i < m->count; i++) {
        wr_bytes(&w, zeros, 24), wr_be(&w, m->endpoints[i].n, 8);
        wr_bytes(&w, m->endpoints[i].p, m->endpoints[i].n);
        wr_bytes(&w, zeros, (32 - m->endpoints[i].n % 32) % 32);
    }
    if (w.bad || !view_eq(wr_view(&w), in))
        abort();
}

/* A roll's tokens ascend, and its texts are of the input. */
static void check_roll(view_t in)
{
    arena_t a;
    members_roll_t roll;
    uint8_t key[MEMBERS_KEY_LEN];
    bool has;
    arena_init(&a, 1u << 20);
    if (members_roll_decode(&roll, NULL, &a, in) == RC_OK)
        for (size_t i = 0; i < roll.count; i++) {
            const members_row_t *m = &roll.rows[i];
            if (m->token <= (i ? roll.rows[i - 1].token : 0) || m->network > MEMBERS_WIREGUARD ||
                m->endpoint.n > in.n || m->instance_id.n > in.n)
                abort();
        }
    arena_free(&a);
    if (members_roll_decode_key(&has, key, NULL, in) == RC_OK && has && key[0] != 2 && key[0] != 3)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const members_mode_t mode = len && data[0] & 1 ? MEMBERS_WIREGUARD : MEMBERS_TLS;
    const view_t in = view_of(data + (len ? 1 : 0), len ? len - 1 : 0);
    arena_t a;
    members_t m;
    gateway_name_t name, again;
    char text[GATEWAY_NAME_MAX + 1];
    arena_init(&a, 1u << 20);
    if (members_decode(&m, NULL, &a, in, mode) == RC_OK) {
        if (m.count + m.left_out > MEMBERS_MAX)
            abort();
        for (size_t i = 0; i < m.count; i++)
            if (!members_is_endpoint(m.endpoints[i], mode))
                abort();
        if (!m.left_out)
            check_form(&m, in);
    }
    arena_free(&a);
    check_roll(in);
    if (gateway_read(&name, NULL, in) == RC_OK &&
        (gateway_write(text, NULL, &name) != RC_OK || gateway_read(&again, NULL, view_str(text)) != RC_OK ||
         again.form != name.form || again.port != name.port || !view_eq(again.id, name.id)))
        abort();
    return 0;
}
