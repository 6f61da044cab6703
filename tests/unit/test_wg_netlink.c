/* node/p2p/wg_netlink.h: messages by known answers, laid out anew with the structures and numbers of the kernel's own
 * headers; and what the kernel answers, cut at every byte. */
#include "node/p2p/wg_netlink.h"

#include <linux/genetlink.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/hex.h"
#include "tests/unit/unit.h"

#define SEQ 0x01020304u

static uint8_t bytes[32768];
static err_t e;

/* ---- the expected, by the headers' structures ---- */

static union {
    struct nlmsghdr head;
    uint8_t all[32768];
} x;
static size_t x_n;

static void begin(uint16_t type, uint16_t flags)
{
    memset(&x, 0, sizeof x);
    x.head.nlmsg_type = type;
    x.head.nlmsg_flags = flags;
    x.head.nlmsg_seq = SEQ;
    x_n = NLMSG_LENGTH(0);
}

static void add(const void *p, size_t n)
{
    memcpy(x.all + x_n, p, n);
    x_n += NLMSG_ALIGN(n);
}

static size_t open_attr(uint16_t type)
{
    const struct nlattr a = { .nla_type = type };
    const size_t at = x_n;
    add(&a, sizeof a);
    return at;
}

static void close_attr(size_t at, size_t n)
{
    ((struct nlattr *)(void *)(x.all + at))->nla_len = (uint16_t)n;
}

static void attr(uint16_t type, const void *p, size_t n)
{
    const size_t at = open_attr(type);
    add(p, n);
    close_attr(at, sizeof(struct nlattr) + n);
}

static void expect(const wr_t *w)
{
    char want[2 * 600 + 1], got[2 * 600 + 1];
    x.head.nlmsg_len = (uint32_t)x_n;
    ck_assert(!w->bad && x_n <= 600 && w->n <= 600);
    hex_encode(want, view_of(x.all, x_n));
    hex_encode(got, wr_view(w));
    ck_assert_str_eq(got, want);
}

static wr_t room(void)
{
    return wr_of(bytes, sizeof bytes);
}

static wg_peer_t peer(uint8_t index)
{
    wg_peer_t p = { .index = index, .endpoint = { 4, { 192, 0, 2, 1 }, 51820 } };
    memset(p.pubkey, 1, WG_KEY_LEN);
    memset(p.preshared, 2, WG_KEY_LEN);
    return p;
}

START_TEST(links_addresses_and_dumps_are_the_headers)
{
    struct ifinfomsg link = { .ifi_family = 0 };
    struct ifaddrmsg addr = { AF_INET, 24, 0, RT_SCOPE_UNIVERSE, 5 };
    const struct rtmsg route = { .rtm_family = AF_INET };
    const struct ifaddrmsg any = { .ifa_family = AF_INET };
    wr_t w = room();
    wg_nl_link(&w, SEQ);
    begin(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    add(&link, sizeof link);
    attr(IFLA_IFNAME, "kettle-wg0", 11);
    const size_t info = open_attr(IFLA_LINKINFO | NLA_F_NESTED);
    attr(IFLA_INFO_KIND, "wireguard", 9);
    close_attr(info, x_n - info);
    expect(&w);
    w = room();
    wg_nl_up(&w, SEQ, 5);
    begin(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK);
    link = (struct ifinfomsg){ .ifi_index = 5, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
    add(&link, sizeof link);
    expect(&w);
    w = room();
    wg_nl_unlink(&w, SEQ, 5);
    begin(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK);
    link = (struct ifinfomsg){ .ifi_index = 5 };
    add(&link, sizeof link);
    expect(&w);
    for (unsigned given = 0; given < 2; given++) {
        w = room();
        wg_nl_address(&w, SEQ, 5, 254, given);
        begin(given ? RTM_NEWADDR : RTM_DELADDR,
              given ? NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE : NLM_F_REQUEST | NLM_F_ACK);
        add(&addr, sizeof addr);
        attr(IFA_LOCAL, (const uint8_t[]){ 10, 0, 1, 254 }, 4);
        attr(IFA_ADDRESS, (const uint8_t[]){ 10, 0, 1, 254 }, 4);
        expect(&w);
    }
    w = room();
    wg_nl_routes(&w, SEQ);
    begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP);
    add(&route, sizeof route);
    expect(&w);
    w = room();
    wg_nl_addresses(&w, SEQ);
    begin(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP);
    add(&any, sizeof any);
    expect(&w);
}
END_TEST

START_TEST(family_and_device_are_the_headers)
{
    const struct genlmsghdr get = { .cmd = CTRL_CMD_GETFAMILY, .version = 1 },
                            set = { .cmd = WG_CMD_SET_DEVICE, .version = WG_GENL_VERSION };
    uint8_t key[WG_KEY_LEN];
    memset(key, 0xfe, sizeof key);
    wr_t w = room();
    wg_nl_family(&w, SEQ);
    begin(GENL_ID_CTRL, NLM_F_REQUEST);
    add(&get, sizeof get);
    attr(CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME, sizeof WG_GENL_NAME);
    expect(&w);
    for (unsigned k = 0; k < 2; k++) {
        w = room();
        wg_nl_device(&w, SEQ, 0x1d, 5, k ? key : NULL, 51820);
        begin(0x1d, NLM_F_REQUEST | NLM_F_ACK);
        add(&set, sizeof set);
        attr(WGDEVICE_A_IFINDEX, &(uint32_t){ 5 }, 4);
        attr(WGDEVICE_A_FLAGS, &(uint32_t){ WGDEVICE_F_REPLACE_PEERS }, 4);
        attr(WGDEVICE_A_PRIVATE_KEY, k ? key : (const uint8_t[WG_KEY_LEN]){ 0 }, WG_KEY_LEN);
        attr(WGDEVICE_A_LISTEN_PORT, &(uint16_t){ 51820 }, 2);
        expect(&w);
        ck_assert_uint_le(w.n, WG_NL_MAX);
    }
}
END_TEST

static void add_peer(const wg_peer_t *p, uint32_t flags, bool is_new, const void *at, size_t at_n)
{
    const size_t one = open_attr(NLA_F_NESTED);
    attr(WGPEER_A_PUBLIC_KEY, p->pubkey, WG_KEY_LEN);
    attr(WGPEER_A_FLAGS, &flags, 4);
    if (is_new)
        attr(WGPEER_A_PRESHARED_KEY, p->preshared, WG_KEY_LEN);
    if (at)
        attr(WGPEER_A_ENDPOINT, at, at_n);
    if (is_new) {
        const size_t list = open_attr(WGPEER_A_ALLOWEDIPS | NLA_F_NESTED), ip = open_attr(NLA_F_NESTED);
        attr(WGALLOWEDIP_A_FAMILY, &(uint16_t){ AF_INET }, 2);
        attr(WGALLOWEDIP_A_IPADDR, (const uint8_t[]){ 10, 0, 1, p->index }, 4);
        attr(WGALLOWEDIP_A_CIDR_MASK, &(uint8_t){ 32 }, 1);
        close_attr(ip, x_n - ip);
        close_attr(list, x_n - list);
    }
    close_attr(one, x_n - one);
}

START_TEST(peers_are_the_headers)
{
    wg_op_t ops[] = { { WG_REMOVE, peer(9) }, { WG_ADD, peer(254) }, { WG_MOVE, peer(2) } };
    const struct genlmsghdr set = { .cmd = WG_CMD_SET_DEVICE, .version = WG_GENL_VERSION };
    const struct sockaddr_in v4 = { .sin_family = AF_INET,
                                    .sin_port = htons(51820),
                                    .sin_addr.s_addr = htonl(0xc0000201u) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(4), .sin6_addr.s6_addr = { 0x20, 1 } };
    ops[2].peer.endpoint = (wg_endpoint_t){ 16, { 0x20, 1 }, 4 };
    wr_t w = room();
    wg_nl_ops(&w, SEQ, 0x1d, 5, ops, 3);
    begin(0x1d, NLM_F_REQUEST | NLM_F_ACK);
    add(&set, sizeof set);
    attr(WGDEVICE_A_IFINDEX, &(uint32_t){ 5 }, 4);
    const size_t peers = open_attr(WGDEVICE_A_PEERS | NLA_F_NESTED);
    add_peer(&ops[0].peer, WGPEER_F_REMOVE_ME, false, NULL, 0);
    add_peer(&ops[1].peer, WGPEER_F_REPLACE_ALLOWEDIPS, true, &v4, sizeof v4);
    add_peer(&ops[2].peer, WGPEER_F_UPDATE_ONLY, false, &v6, sizeof v6);
    close_attr(peers, x_n - peers);
    expect(&w);
}
END_TEST

START_TEST(as_many_peers_as_go_in_one_message_fit)
{
    wg_op_t ops[WG_NL_OPS_MAX];
    for (unsigned i = 0; i < WG_NL_OPS_MAX; i++) {
        ops[i] = (wg_op_t){ WG_ADD, peer((uint8_t)(i + 1)) };
        ops[i].peer.endpoint.n = 16;
    }
    wr_t w = wr_of(bytes, WG_NL_MAX + WG_NL_OPS_MAX * WG_NL_OP_MAX);
    wg_nl_ops(&w, SEQ, 0x1d, 5, ops, WG_NL_OPS_MAX);
    ck_assert(!w.bad);
    w = wr_of(bytes, 100);
    wg_nl_ops(&w, SEQ, 0x1d, 5, ops, WG_NL_OPS_MAX);
    ck_assert(w.bad);
}
END_TEST

/* ---- answers ---- */

/* What was laid out, in exactly so many bytes. */
static view_t exact(uint8_t **out, size_t n)
{
    *out = malloc(n ? n : 1);
    memcpy(*out, x.all, n);
    return view_of(*out, n);
}

static void error(int code)
{
    begin(NLMSG_ERROR, 0);
    struct nlmsgerr bad = { .error = code };
    add(&bad, sizeof bad);
    x.head.nlmsg_len = (uint32_t)x_n;
}

START_TEST(acknowledgements_are_read_whole)
{
    uint8_t *p;
    error(0);
    for (size_t i = 0; i <= x_n; i++) {
        const rc_t rc = wg_nl_ack(&e, exact(&p, i), SEQ), want = i == x_n ? RC_OK : i ? RC_MALFORMED : RC_NEED_DATA;
        ck_assert_msg(rc == want, "%zu: %d", i, rc);
        free(p);
    }
    ck_assert_int_eq(wg_nl_ack(&e, exact(&p, x_n), SEQ + 1), RC_NEED_DATA); /* of another question */
    free(p);
    error(-17);
    ck_assert_int_eq(wg_nl_ack(&e, exact(&p, x_n), SEQ), RC_REFUSED);
    ck_assert_uint_eq(e.code, 17);
    free(p);
    error(17);
    ck_assert_int_eq(wg_nl_ack(&e, exact(&p, x_n), SEQ), RC_MALFORMED);
    free(p);
    begin(NLMSG_ERROR, 0); /* without its body */
    x.head.nlmsg_len = (uint32_t)x_n;
    ck_assert_int_eq(wg_nl_ack(&e, exact(&p, x_n), SEQ), RC_MALFORMED);
    free(p);
    x.head.nlmsg_len = 15;
    ck_assert_int_eq(wg_nl_ack(&e, exact(&p, x_n), SEQ), RC_MALFORMED);
    free(p);
}
END_TEST

START_TEST(the_familys_number_is_read)
{
    const struct genlmsghdr new = { .cmd = CTRL_CMD_NEWFAMILY, .version = 2 };
    uint8_t *p;
    uint16_t family = 0;
    begin(GENL_ID_CTRL, 0);
    add(&new, sizeof new);
    attr(CTRL_ATTR_FAMILY_NAME, "wireguard", 10);
    attr(CTRL_ATTR_FAMILY_ID, &(uint16_t){ 0x1d }, 2);
    attr(CTRL_ATTR_VERSION, &(uint32_t){ 1 }, 4);
    x.head.nlmsg_len = (uint32_t)x_n;
    for (size_t i = 0; i < x_n; i++) {
        ck_assert_int_eq(wg_nl_family_read(&family, &e, exact(&p, i), SEQ), i ? RC_MALFORMED : RC_NEED_DATA);
        free(p);
    }
    ck_assert_int_eq(wg_nl_family_read(&family, &e, exact(&p, x_n), SEQ), RC_OK);
    ck_assert_uint_eq(family, 0x1d);
    free(p);
    error(-2);
    ck_assert_int_eq(wg_nl_family_read(&family, &e, exact(&p, x_n), SEQ), RC_UNSUPPORTED);
    ck_assert_str_eq(e.text, "this kernel has no WireGuard");
    free(p);
}
END_TEST

static void lay_route(const uint8_t ip[4], uint8_t bits, uint32_t interface)
{
    const struct rtmsg route = { .rtm_family = AF_INET, .rtm_dst_len = bits, .rtm_table = RT_TABLE_MAIN };
    begin(RTM_NEWROUTE, NLM_F_MULTI);
    add(&route, sizeof route);
    if (bits)
        attr(RTA_DST, ip, 4);
    if (interface)
        attr(RTA_OIF, &interface, 4);
    x.head.nlmsg_len = (uint32_t)x_n;
}

static void lay_address(const uint8_t ip[4], const uint8_t of_peer[4], uint8_t bits, uint32_t interface)
{
    const struct ifaddrmsg addr = { AF_INET, bits, 0, 0, interface };
    begin(RTM_NEWADDR, NLM_F_MULTI);
    add(&addr, sizeof addr);
    attr(IFA_ADDRESS, of_peer, 4);
    attr(IFA_LOCAL, ip, 4);
    x.head.nlmsg_len = (uint32_t)x_n;
}

static bool overlap(uint32_t own, wg_overlap_t *out)
{
    uint8_t *p;
    bool done;
    *out = (wg_overlap_t){ .is_found = false };
    ck_assert_int_eq(wg_nl_overlap(out, &done, &e, exact(&p, x_n), SEQ, own), RC_OK);
    ck_assert(!done);
    free(p);
    return out->is_found;
}

START_TEST(what_has_a_part_of_the_network_is_found)
{
    static const struct {
        uint8_t ip[4], bits;
        bool is_over;
    } rows[] = {
        { { 0, 0, 0, 0 }, 0, false },      { { 10, 0, 1, 0 }, 25, true },   { { 10, 0, 1, 128 }, 25, true },
        { { 10, 0, 1, 0 }, 24, true },     { { 10, 0, 0, 0 }, 23, true },   { { 10, 0, 0, 0 }, 8, true },
        { { 0, 0, 0, 0 }, 1, true },       { { 128, 0, 0, 0 }, 1, false },  { { 10, 0, 1, 255 }, 32, true },
        { { 10, 0, 2, 0 }, 24, false },    { { 10, 0, 0, 0 }, 24, false },  { { 10, 0, 2, 0 }, 23, false },
        { { 192, 168, 0, 0 }, 16, false }, { { 127, 0, 0, 1 }, 32, false },
    };
    wg_overlap_t o;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        lay_route(rows[i].ip, rows[i].bits, 3);
        ck_assert_msg(overlap(0, &o) == rows[i].is_over, "route %zu", i);
        ck_assert(!rows[i].is_over ||
                  (!o.is_address && o.bits == rows[i].bits && o.interface == 3 && !memcmp(o.ip, rows[i].ip, 4)));
        ck_assert_msg(!overlap(3, &o), "own %zu", i);
        ck_assert_msg(overlap(4, &o) == rows[i].is_over, "other %zu", i);
    }
    lay_route(rows[1].ip, 25, 0); /* a black hole, or several ways */
    ck_assert(overlap(0, &o) && overlap(3, &o));
    lay_address(rows[1].ip, rows[1].ip, 32, 3);
    ck_assert(overlap(0, &o) && o.is_address && o.interface == 3 && !overlap(3, &o));
    lay_address(rows[9].ip, rows[1].ip, 32, 3); /* at the other end of a line: the route says so */
    ck_assert(!overlap(0, &o));
    lay_address(rows[0].ip, rows[0].ip, 0, 3);
    ck_assert(overlap(0, &o)); /* an address with everything around it */
}
END_TEST

START_TEST(dumps_are_read_whole)
{
    static const uint8_t ip[4] = { 10, 0, 1, 0 };
    uint8_t *p, two[512];
    bool done;
    wg_overlap_t o = { .is_found = false };
    lay_route(ip, 25, 3);
    for (size_t i = 1; i < x_n; i++) {
        o.is_found = false;
        ck_assert_int_eq(wg_nl_overlap(&o, &done, &e, exact(&p, i), SEQ, 0), RC_MALFORMED);
        free(p);
    }
    const size_t n = x_n;
    memcpy(two, x.all, n);
    begin(NLMSG_DONE, NLM_F_MULTI);
    add(&(int){ 0 }, 4);
    x.head.nlmsg_len = (uint32_t)x_n;
    memcpy(two + n, x.all, x_n);
    ck_assert_int_eq(wg_nl_overlap(&o, &done, &e, view_of(two, n + x_n), SEQ, 0), RC_OK);
    ck_assert(done && o.is_found && o.bits == 25);
    ck_assert_int_eq(wg_nl_overlap(&o, &done, &e, view_of(two, n + x_n), SEQ + 1, 0), RC_OK);
    ck_assert(!done);
    two[6] |= NLM_F_DUMP_INTR;
    ck_assert_int_eq(wg_nl_overlap(&o, &done, &e, view_of(two, n + x_n), SEQ, 0), RC_TIMEOUT);
    two[6] = 2, two[7] = 0;
    two[17] = 33; /* bits */
    ck_assert_int_eq(wg_nl_overlap(&o, &done, &e, view_of(two, n), SEQ, 0), RC_MALFORMED);
    error(-1);
    ck_assert_int_eq(wg_nl_overlap(&o, &done, &e, exact(&p, x_n), SEQ, 0), RC_REFUSED);
    free(p);
}
END_TEST

START_TEST(addresses_of_the_interface_itself_are_known)
{
    static const uint8_t nine[4] = { 10, 0, 1, 9 }, other[4] = { 10, 0, 2, 8 };
    bool is_there[256] = { false }, done;
    uint8_t *p;
    lay_address(nine, nine, 24, 3);
    for (uint32_t own = 2; own <= 4; own++) {
        ck_assert_int_eq(wg_nl_own(is_there, &done, &e, exact(&p, x_n), SEQ, own), RC_OK);
        ck_assert(is_there[9] == (own >= 3) && !done);
        free(p);
    }
    lay_address(other, other, 24, 3);
    ck_assert_int_eq(wg_nl_own(is_there, &done, &e, exact(&p, x_n), SEQ, 3), RC_OK);
    ck_assert(!is_there[8]);
    free(p);
    ck_assert_int_eq(wg_nl_own(is_there, &done, &e, exact(&p, x_n - 1), SEQ, 3), RC_MALFORMED);
    free(p);
}
END_TEST

int main(void)
{
    return UNIT_RUN("wg_netlink", links_addresses_and_dumps_are_the_headers, family_and_device_are_the_headers,
                    peers_are_the_headers, as_many_peers_as_go_in_one_message_fit, acknowledgements_are_read_whole,
                    the_familys_number_is_read, what_has_a_part_of_the_network_is_found, dumps_are_read_whole,
                    addresses_of_the_interface_itself_are_known);
}
