/* node/p2p/wg_uapi.h: the text for wireguard-go's socket, by known answers, and each way in which its answer can be. */
#include "node/p2p/wg_uapi.h"

#include "tests/unit/unit.h"

#define A32 "0101010101010101010101010101010101010101010101010101010101010101"
#define B32 "fefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefe"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static char text[4096];
static err_t e;

static wr_t room(void)
{
    memset(text, 0, sizeof text);
    return wr_of(text, sizeof text - 1);
}

static wg_peer_t peer(uint8_t index)
{
    wg_peer_t p = { .index = index, .endpoint = { 4, { 192, 0, 2, 255 }, 51820 } };
    memset(p.pubkey, 1, WG_KEY_LEN);
    memset(p.preshared, 0xfe, WG_KEY_LEN);
    return p;
}

START_TEST(an_interface_is_set_up_without_peers)
{
    uint8_t key[WG_KEY_LEN];
    wr_t w = room();
    memset(key, 0xfe, sizeof key);
    wg_uapi_device(&w, key, 51820);
    ck_assert_str_eq(text, "set=1\nprivate_key=" B32 "\nlisten_port=51820\nreplace_peers=true\n\n");
    ck_assert_uint_le(w.n, WG_UAPI_DEVICE_MAX);
    w = room();
    wg_uapi_device(&w, NULL, 0);
    ck_assert_str_eq(text, "set=1\nprivate_key=" ZEROS "\nlisten_port=0\nreplace_peers=true\n\n");
}
END_TEST

START_TEST(peers_are_removed_added_and_moved)
{
    wg_op_t ops[] = { { WG_REMOVE, peer(9) }, { WG_ADD, peer(254) }, { WG_MOVE, peer(2) } };
    wr_t w = room();
    ops[2].peer.endpoint = (wg_endpoint_t){ 16, { 0x20, 1, 0xd, 0xb8, [15] = 7 }, 65535 };
    wg_uapi_ops(&w, ops, 3);
    ck_assert_str_eq(text, "set=1\npublic_key=" A32 "\nremove=true\n"
                           "public_key=" A32 "\npreshared_key=" B32 "\nendpoint=192.0.2.255:51820\n"
                           "replace_allowed_ips=true\nallowed_ip=10.0.1.254/32\n"
                           "public_key=" A32 "\nupdate_only=true\nendpoint=[2001:db8:0:0:0:0:0:7]:65535\n\n");
    ops[1].peer.endpoint.n = 0;
    w = room();
    wg_uapi_ops(&w, &ops[1], 1);
    ck_assert_str_eq(text, "set=1\npublic_key=" A32 "\npreshared_key=" B32
                           "\nreplace_allowed_ips=true\nallowed_ip=10.0.1.254/32\n\n");
}
END_TEST

START_TEST(the_longest_peer_fits)
{
    wg_op_t op = { WG_ADD, peer(254) };
    wr_t w = room();
    op.peer.endpoint = (wg_endpoint_t){ .n = 16, .port = 65535 };
    memset(op.peer.endpoint.ip, 0xff, 16);
    wg_uapi_ops(&w, &op, 1);
    ck_assert_uint_le(w.n, 6 + WG_UAPI_OP_MAX + 1);
    wr_t small = wr_of(text, w.n - 1);
    wg_uapi_ops(&small, &op, 1);
    ck_assert(small.bad);
}
END_TEST

static rc_t answer(const char *in, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    memcpy(exact, in, n);
    err_clear(&e);
    const rc_t rc = wg_uapi_answer(&e, view_of(exact, n));
    free(exact);
    return rc;
}

START_TEST(answers_are_read_whole)
{
    static const char good[] = "errno=0\n\n", bad[] = "errno=-22\n\n";
    for (size_t i = 0; i < sizeof good - 1; i++)
        ck_assert_msg(answer(good, i) == RC_NEED_DATA, "%zu", i);
    ck_assert_int_eq(answer(good, sizeof good - 1), RC_OK);
    for (size_t i = 0; i < sizeof bad - 1; i++)
        ck_assert_msg(answer(bad, i) == RC_NEED_DATA, "%zu", i);
    ck_assert_int_eq(answer(bad, sizeof bad - 1), RC_REFUSED);
    ck_assert(e.code == 22 && strstr(e.text, "errno -22"));
    ck_assert_int_eq(answer("errno=13\n\n", 10), RC_REFUSED);
    ck_assert_uint_eq(e.code, 13);
}
END_TEST

START_TEST(other_answers_are_refused)
{
    static const char *const bad[] = { "x",           "errno=x",       "errno=\n\n",   "errno=-\n\n",
                                       "errno=0\nx",  "errno=0\n\nx",  "errno= 0\n\n", "errno=123456",
                                       "Errno=0\n\n", "errno=0\r\n\n", "\nerrno=0\n\n" };
    char many[WG_UAPI_ANSWER_MAX + 1] = "errno=0";
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(answer(bad[i], strlen(bad[i])) == RC_MALFORMED, "%s", bad[i]);
    ck_assert_int_eq(answer(many, sizeof many), RC_LIMIT);
}
END_TEST

int main(void)
{
    return UNIT_RUN("wg_uapi", an_interface_is_set_up_without_peers, peers_are_removed_added_and_moved,
                    the_longest_peer_fits, answers_are_read_whole, other_answers_are_refused);
}
