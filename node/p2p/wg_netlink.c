#include "node/p2p/wg_netlink.h"

#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>

#define FAMILY_NAME "wireguard"
#define AF_IP4 2u
#define AF_IP6 10u
#define ATTR_HEAD ((size_t)4)
#define ATTR_TYPE 0x3fffu /* without its flags */
#define ASKS ((uint16_t)(NLM_F_REQUEST | NLM_F_ACK))

/* ---- writing ---- */

static void align(wr_t *w)
{
    while (!w->bad && w->n % NLMSG_ALIGNTO)
        wr_u8(w, 0);
}

/* Opens something that begins with its length, of len_bytes; close_at writes it. */
static size_t begin_message(wr_t *w, uint32_t seq, unsigned type, unsigned flags)
{
    const size_t at = w->n;
    wr_u32le(w, 0);
    wr_u16le(w, (uint16_t)type);
    wr_u16le(w, (uint16_t)flags);
    wr_u32le(w, seq);
    wr_u32le(w, 0); /* the kernel knows the port */
    return at;
}

static void end_message(wr_t *w, size_t at)
{
    const uint32_t n = (uint32_t)(w->n - at);
    if (!w->bad)
        for (unsigned i = 0; i < 4; i++)
            w->p[at + i] = (uint8_t)(n >> 8 * i);
}

static size_t begin_attr(wr_t *w, unsigned type)
{
    const size_t at = w->n;
    wr_u16le(w, 0);
    wr_u16le(w, (uint16_t)type);
    return at;
}

static void end_attr(wr_t *w, size_t at)
{
    const size_t n = w->n - at;
    w->bad = w->bad || n > UINT16_MAX;
    if (!w->bad) {
        w->p[at] = (uint8_t)n;
        w->p[at + 1] = (uint8_t)(n >> 8);
    }
    align(w);
}

static void put_attr(wr_t *w, unsigned type, const void *p, size_t n)
{
    const size_t at = begin_attr(w, type);
    wr_bytes(w, p, n);
    end_attr(w, at);
}

static void put_number(wr_t *w, unsigned type, uint64_t x, unsigned n)
{
    const size_t at = begin_attr(w, type);
    wr_le(w, x, n);
    end_attr(w, at);
}

static void put_generic(wr_t *w, unsigned command)
{
    wr_u8(w, (uint8_t)command);
    wr_u8(w, 1); /* version */
    wr_u16le(w, 0);
}

void wg_nl_family(wr_t *w, uint32_t seq)
{
    const size_t at = begin_message(w, seq, GENL_ID_CTRL, NLM_F_REQUEST);
    put_generic(w, CTRL_CMD_GETFAMILY);
    put_attr(w, CTRL_ATTR_FAMILY_NAME, FAMILY_NAME, sizeof FAMILY_NAME);
    end_message(w, at);
}

/* struct ifinfomsg */
static void put_link(wr_t *w, uint32_t interface, uint32_t flags)
{
    wr_u32le(w, 0); /* family, padding, type */
    wr_u32le(w, interface);
    wr_u32le(w, flags);
    wr_u32le(w, flags); /* those that change */
}

void wg_nl_link(wr_t *w, uint32_t seq)
{
    const size_t at = begin_message(w, seq, RTM_NEWLINK, ASKS | NLM_F_CREATE | NLM_F_EXCL);
    put_link(w, 0, 0);
    put_attr(w, IFLA_IFNAME, WG_INTERFACE, sizeof WG_INTERFACE);
    const size_t info = begin_attr(w, IFLA_LINKINFO | NLA_F_NESTED);
    put_attr(w, IFLA_INFO_KIND, FAMILY_NAME, sizeof FAMILY_NAME - 1);
    end_attr(w, info);
    end_message(w, at);
}

void wg_nl_unlink(wr_t *w, uint32_t seq, uint32_t interface)
{
    const size_t at = begin_message(w, seq, RTM_DELLINK, ASKS);
    put_link(w, interface, 0);
    end_message(w, at);
}

void wg_nl_up(wr_t *w, uint32_t seq, uint32_t interface)
{
    const size_t at = begin_message(w, seq, RTM_NEWLINK, ASKS);
    put_link(w, interface, IFF_UP);
    end_message(w, at);
}

void wg_nl_address(wr_t *w, uint32_t seq, uint32_t interface, uint8_t index, bool is_given)
{
    const uint8_t ip[4] = { 10, 0, 1, index };
    const unsigned flags = is_given ? ASKS | NLM_F_CREATE | NLM_F_REPLACE : ASKS;
    const size_t at = begin_message(w, seq, is_given ? RTM_NEWADDR : RTM_DELADDR, flags);
    wr_u8(w, AF_IP4);
    wr_u8(w, WG_NET_BITS);
    wr_u8(w, 0); /* flags */
    wr_u8(w, RT_SCOPE_UNIVERSE);
    wr_u32le(w, interface);
    put_attr(w, IFA_LOCAL, ip, sizeof ip);
    put_attr(w, IFA_ADDRESS, ip, sizeof ip);
    end_message(w, at);
}

void wg_nl_device(wr_t *w, uint32_t seq, uint16_t family, uint32_t interface, const uint8_t *private_key, uint16_t port)
{
    static const uint8_t none[WG_KEY_LEN];
    const size_t at = begin_message(w, seq, family, ASKS);
    put_generic(w, WG_CMD_SET_DEVICE);
    put_number(w, WGDEVICE_A_IFINDEX, interface, 4);
    put_number(w, WGDEVICE_A_FLAGS, WGDEVICE_F_REPLACE_PEERS, 4);
    put_attr(w, WGDEVICE_A_PRIVATE_KEY, private_key ? private_key : none, WG_KEY_LEN);
    put_number(w, WGDEVICE_A_LISTEN_PORT, port, 2);
    end_message(w, at);
}

/* struct sockaddr_in or sockaddr_in6 */
static void put_endpoint(wr_t *w, const wg_endpoint_t *e)
{
    static const uint8_t zeros[8];
    const size_t at = begin_attr(w, WGPEER_A_ENDPOINT);
    wr_u16le(w, e->n == 4 ? AF_IP4 : AF_IP6);
    wr_be(w, e->port, 2);
    if (e->n == 16)
        wr_u32le(w, 0); /* flow */
    wr_bytes(w, e->ip, e->n);
    wr_bytes(w, zeros, e->n == 4 ? 8 : 4); /* padding; scope */
    end_attr(w, at);
}

static void put_address_of(wr_t *w, uint8_t index)
{
    const uint8_t ip[4] = { 10, 0, 1, index };
    const size_t list = begin_attr(w, WGPEER_A_ALLOWEDIPS | NLA_F_NESTED), at = begin_attr(w, NLA_F_NESTED);
    put_number(w, WGALLOWEDIP_A_FAMILY, AF_IP4, 2);
    put_attr(w, WGALLOWEDIP_A_IPADDR, ip, sizeof ip);
    put_number(w, WGALLOWEDIP_A_CIDR_MASK, 32, 1);
    end_attr(w, at);
    end_attr(w, list);
}

static void put_op(wr_t *w, const wg_op_t *op)
{
    static const uint32_t flags[] = {
        [WG_REMOVE] = WGPEER_F_REMOVE_ME, [WG_ADD] = WGPEER_F_REPLACE_ALLOWEDIPS, [WG_MOVE] = WGPEER_F_UPDATE_ONLY
    };
    const size_t at = begin_attr(w, NLA_F_NESTED);
    put_attr(w, WGPEER_A_PUBLIC_KEY, op->peer.pubkey, WG_KEY_LEN);
    put_number(w, WGPEER_A_FLAGS, flags[op->kind], 4);
    if (op->kind == WG_ADD)
        put_attr(w, WGPEER_A_PRESHARED_KEY, op->peer.preshared, WG_KEY_LEN);
    if (op->kind != WG_REMOVE && op->peer.endpoint.n)
        put_endpoint(w, &op->peer.endpoint);
    if (op->kind == WG_ADD)
        put_address_of(w, op->peer.index);
    end_attr(w, at);
}

void wg_nl_ops(wr_t *w, uint32_t seq, uint16_t family, uint32_t interface, const wg_op_t *ops, size_t n)
{
    const size_t at = begin_message(w, seq, family, ASKS);
    put_generic(w, WG_CMD_SET_DEVICE);
    put_number(w, WGDEVICE_A_IFINDEX, interface, 4);
    const size_t peers = begin_attr(w, WGDEVICE_A_PEERS | NLA_F_NESTED);
    for (size_t i = 0; i < n; i++)
        put_op(w, &ops[i]);
    end_attr(w, peers);
    end_message(w, at);
}

static void put_dump(wr_t *w, uint32_t seq, unsigned type, unsigned body)
{
    const size_t at = begin_message(w, seq, type, NLM_F_REQUEST | NLM_F_DUMP);
    wr_u8(w, AF_IP4);
    for (unsigned i = 1; i < body; i++)
        wr_u8(w, 0);
    end_message(w, at);
}

void wg_nl_routes(wr_t *w, uint32_t seq)
{
    put_dump(w, seq, RTM_GETROUTE, 12); /* struct rtmsg */
}

void wg_nl_addresses(wr_t *w, uint32_t seq)
{
    put_dump(w, seq, RTM_GETADDR, 8); /* struct ifaddrmsg */
}

/* ---- reading ---- */

typedef struct {
    uint16_t type, flags;
    uint32_t seq;
    view_t body;
} message_t;

/* The next message of a datagram, or attribute of a message, with the bytes that round its length up; false at the end,
 * or once r is bad. */
static bool next_message(rd_t *r, message_t *m)
{
    if (r->bad || !r->n)
        return false;
    const uint32_t n = rd_u32le(r);
    m->type = rd_u16le(r);
    m->flags = rd_u16le(r);
    m->seq = rd_u32le(r);
    (void)rd_u32le(r);
    r->bad = r->bad || n < NLMSG_HDRLEN;
    m->body = r->bad ? view_of(NULL, 0) : rd_take(r, n - NLMSG_HDRLEN);
    (void)rd_take(r, r->n < (4 - n % 4) % 4 ? r->n : (4 - n % 4) % 4);
    return !r->bad;
}

static bool next_attr(rd_t *r, unsigned *type, view_t *value)
{
    if (r->bad || !r->n)
        return false;
    const uint16_t n = rd_u16le(r);
    *type = rd_u16le(r) & ATTR_TYPE;
    r->bad = r->bad || n < ATTR_HEAD;
    *value = r->bad ? view_of(NULL, 0) : rd_take(r, n - ATTR_HEAD);
    (void)rd_take(r, r->n < (4u - n % 4u) % 4 ? r->n : (4u - n % 4u) % 4);
    return !r->bad;
}

static rc_t malformed(err_t *e)
{
    return err_say(e, RC_MALFORMED, "the kernel's answer is malformed");
}

/* What NLMSG_ERROR says: 0 for done. */
static rc_t read_error(err_t *e, view_t body)
{
    rd_t r = rd_of(body);
    const uint32_t code = 0 - rd_u32le(&r);
    if (r.bad || code > UINT16_MAX)
        return malformed(e);
    if (!code)
        return RC_OK;
    (void)err_set(e, RC_REFUSED, "the kernel did not do it: errno %u", code);
    return err_code(e, RC_REFUSED, (uint16_t)code);
}

rc_t wg_nl_ack(err_t *e, view_t in, uint32_t seq)
{
    rd_t r = rd_of(in);
    message_t m;
    while (next_message(&r, &m))
        if (m.seq == seq && m.type == NLMSG_ERROR)
            return read_error(e, m.body);
    return r.bad ? malformed(e) : err_say(e, RC_NEED_DATA, "the kernel has not answered");
}

/* A family's number among the attributes behind the generic header. */
static rc_t read_family(uint16_t *out, err_t *e, view_t body)
{
    rd_t r = rd_of(body);
    unsigned type;
    view_t value;
    uint16_t family = 0;
    (void)rd_take(&r, GENL_HDRLEN);
    while (next_attr(&r, &type, &value))
        if (type == CTRL_ATTR_FAMILY_ID && value.n == 2)
            family = (uint16_t)(value.p[0] | value.p[1] << 8);
    if (r.bad || family < GENL_MIN_ID)
        return malformed(e);
    *out = family;
    return RC_OK;
}

rc_t wg_nl_family_read(uint16_t *out, err_t *e, view_t in, uint32_t seq)
{
    rd_t r = rd_of(in);
    message_t m;
    while (next_message(&r, &m)) {
        if (m.seq != seq)
            continue;
        if (m.type == GENL_ID_CTRL)
            return read_family(out, e, m.body);
        if (m.type == NLMSG_ERROR && read_error(e, m.body) != RC_MALFORMED)
            return err_say(e, RC_UNSUPPORTED, "this kernel has no WireGuard");
    }
    return r.bad ? malformed(e) : err_say(e, RC_NEED_DATA, "the kernel has not answered");
}

/* Whether a network has an address in common with 10.0.1.0/24. */
static bool overlaps(const uint8_t ip[4], unsigned bits)
{
    static const uint8_t ours[4] = { 10, 0, 1, 0 };
    const unsigned common = bits < WG_NET_BITS ? bits : WG_NET_BITS;
    for (unsigned i = 0; i < common; i++)
        if ((ip[i / 8] ^ ours[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

/* Reads a route or an address. False: malformed. */
static bool read_place(wg_overlap_t *out, const message_t *m)
{
    wg_overlap_t o = { .is_address = m->type == RTM_NEWADDR };
    rd_t r = rd_of(m->body);
    unsigned type;
    view_t value;
    const uint8_t family = rd_u8(&r);
    bool is_local = false;
    o.bits = rd_u8(&r);
    (void)rd_take(&r, o.is_address ? 2 : 10);
    if (o.is_address)
        o.interface = rd_u32le(&r);
    while (next_attr(&r, &type, &value)) {
        const bool is_ip = o.is_address ? type == IFA_LOCAL || (type == IFA_ADDRESS && !is_local) : type == RTA_DST;
        if (is_ip && value.n == 4)
            memcpy(o.ip, value.p, 4);
        is_local = is_local || (o.is_address && type == IFA_LOCAL);
        if (!o.is_address && type == RTA_OIF && value.n == 4)
            o.interface = (uint32_t)load_u64le((const uint8_t[8]){ value.p[0], value.p[1], value.p[2], value.p[3] });
    }
    o.is_found = family == AF_IP4 && (o.is_address || o.bits) && overlaps(o.ip, o.bits);
    *out = o;
    return !r.bad && (family != AF_IP4 || o.bits <= 32);
}

/* The next route or address in the answer to a question; *done: it is over. RC_NEED_DATA: the datagram is. */
static rc_t next_place(wg_overlap_t *out, bool *done, err_t *e, rd_t *r, uint32_t seq)
{
    message_t m;
    while (next_message(r, &m)) {
        if (m.seq != seq)
            continue;
        if (m.flags & NLM_F_DUMP_INTR)
            return err_say(e, RC_TIMEOUT, "the machine's routes change all the time");
        if (m.type == NLMSG_ERROR) {
            const rc_t rc = read_error(e, m.body);
            return rc ? rc : malformed(e);
        }
        *done = *done || m.type == NLMSG_DONE;
        if (m.type == RTM_NEWROUTE || m.type == RTM_NEWADDR)
            return read_place(out, &m) ? RC_OK : malformed(e);
    }
    return r->bad ? malformed(e) : RC_NEED_DATA;
}

rc_t wg_nl_overlap(wg_overlap_t *out, bool *done, err_t *e, view_t in, uint32_t seq, uint32_t own)
{
    rd_t r = rd_of(in);
    wg_overlap_t place;
    rc_t rc;
    *done = false;
    while ((rc = next_place(&place, done, e, &r, seq)) == RC_OK)
        if (place.is_found && (!own || place.interface != own) && !out->is_found)
            *out = place;
    return rc == RC_NEED_DATA ? RC_OK : rc;
}

rc_t wg_nl_own(bool is_there[256], bool *done, err_t *e, view_t in, uint32_t seq, uint32_t own)
{
    rd_t r = rd_of(in);
    wg_overlap_t place;
    rc_t rc;
    *done = false;
    while ((rc = next_place(&place, done, e, &r, seq)) == RC_OK)
        if (place.is_found && place.is_address && place.interface == own && place.bits == WG_NET_BITS)
            is_there[place.ip[3]] = true;
    return rc == RC_NEED_DATA ? RC_OK : rc;
}
