#include "node/p2p/wg_door.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "base/os/log.h"
#include "node/p2p/wg_netlink.h"
#include "node/p2p/wg_uapi.h"

#define ROOM (8u + WG_NL_OPS_MAX * WG_UAPI_OP_MAX) /* bytes of the longest request */
#define HEARD_MAX (64u << 10)                      /* ... of the kernel's datagrams */
#define DUMPS_MAX 5u                               /* tries, while the network changes */

typedef struct {
    uint8_t *room; /* locked: requests have keys in them */
    uint8_t heard[HEARD_MAX];
    uint32_t seq;
    bool is_open, is_kernel, made_link;
    uint16_t family;    /* of is_kernel */
    uint32_t interface; /* 0: it is not there */
    uint8_t index;      /* of the address that it was given; 0: none */
} machine_t;

static rc_t failed(err_t *e, const char *what)
{
    return err_set(e, RC_IO, "%s: %s", what, strerrordesc_np(errno));
}

static void set_patience(int fd)
{
    const struct timeval patience = { .tv_sec = WG_DOOR_WAIT_S };
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

/* ---- wireguard-go's socket ---- */

static int connect_user(void)
{
    const struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = WG_SOCKET };
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_patience(fd);
    if (connect(fd, (const struct sockaddr *)(const void *)&at, sizeof at) == 0)
        return fd;
    close(fd);
    return -1;
}

static rc_t send_all(int fd, err_t *e, view_t bytes)
{
    while (bytes.n) {
        const ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed(e, WG_SOCKET);
        bytes = view_of(bytes.p + n, bytes.n - (size_t)n);
    }
    return RC_OK;
}

static rc_t hear_user(int fd, err_t *e)
{
    uint8_t heard[WG_UAPI_ANSWER_MAX + 1];
    size_t n = 0;
    rc_t rc;
    while ((rc = wg_uapi_answer(e, view_of(heard, n))) == RC_NEED_DATA) {
        const ssize_t got = recv(fd, heard + n, sizeof heard - n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(e, WG_SOCKET);
        if (!got)
            return err_say(e, RC_IO, WG_SOCKET ": ended without an answer");
        n += (size_t)got;
    }
    return err_before(e, rc, WG_SOCKET ": ");
}

static rc_t tell_user(err_t *e, const wr_t *w)
{
    const int fd = connect_user();
    if (fd < 0)
        return failed(e, WG_SOCKET);
    rc_t rc = w->bad ? err_say(e, RC_BUG, "a request is too long") : send_all(fd, e, wr_view(w));
    if (!rc)
        rc = hear_user(fd, e);
    close(fd);
    return rc;
}

/* ---- the kernel ---- */

/* One datagram that the kernel, and nobody else, sent. */
static rc_t hear_kernel(machine_t *m, int fd, err_t *e, size_t *n)
{
    for (;;) {
        struct sockaddr_nl from = { .nl_family = 0 };
        socklen_t len = sizeof from;
        const ssize_t got = recvfrom(fd, m->heard, sizeof m->heard, MSG_TRUNC, (struct sockaddr *)(void *)&from, &len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return failed(e, "netlink");
        if (from.nl_pid)
            continue;
        if ((size_t)got > sizeof m->heard)
            return err_say(e, RC_LIMIT, "netlink: the kernel's answer is too long");
        *n = (size_t)got;
        return RC_OK;
    }
}

/* Asks the kernel something. take reads its datagrams until it says other than RC_NEED_DATA. */
typedef rc_t (*take_fn)(void *ctx, err_t *e, view_t in, uint32_t seq);

static rc_t ask_kernel(machine_t *m, err_t *e, int protocol, const wr_t *w, take_fn take, void *ctx)
{
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return failed(e, "netlink");
    set_patience(fd);
    (void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &(int){ 1 }, sizeof(int)); /* a refusal does not repeat keys */
    rc_t rc = w->bad ? err_say(e, RC_BUG, "a request is too long") : RC_OK;
    const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    if (!rc && sendto(fd, w->p, w->n, 0, (const struct sockaddr *)(const void *)&kernel, sizeof kernel) < 0)
        rc = failed(e, "netlink");
    size_t n = 0;
    while (!rc) {
        rc = hear_kernel(m, fd, e, &n);
        if (rc)
            break;
        rc = take(ctx, e, view_of(m->heard, n), m->seq);
        if (rc != RC_NEED_DATA)
            break;
        rc = RC_OK;
    }
    close(fd);
    return rc;
}

static rc_t take_ack(void *ctx, err_t *e, view_t in, uint32_t seq)
{
    (void)ctx;
    return wg_nl_ack(e, in, seq);
}

static rc_t take_family(void *ctx, err_t *e, view_t in, uint32_t seq)
{
    machine_t *m = ctx;
    return wg_nl_family_read(&m->family, e, in, seq);
}

static wr_t begin(machine_t *m)
{
    m->seq++;
    return wr_of(m->room, ROOM);
}

/* Tells the kernel what to do; what is in the sentence. */
static rc_t tell_kernel(machine_t *m, err_t *e, int protocol, const wr_t *w, const char *what)
{
    const rc_t rc = ask_kernel(m, e, protocol, w, take_ack, NULL);
    if (rc == RC_REFUSED && e && e->code) {
        const uint16_t code = e->code;
        (void)err_set(e, rc, "%s: %s", what, strerrordesc_np(code) ? strerrordesc_np(code) : "refused");
        return err_code(e, rc, code);
    }
    return rc;
}

/* ---- the network around it ---- */

typedef struct {
    uint32_t own;
    wg_overlap_t found;
    bool *is_there; /* NULL: what is of others is looked for */
} look_t;

static rc_t take_places(void *ctx, err_t *e, view_t in, uint32_t seq)
{
    look_t *l = ctx;
    bool done;
    const rc_t rc = l->is_there ? wg_nl_own(l->is_there, &done, e, in, seq, l->own)
                                : wg_nl_overlap(&l->found, &done, e, in, seq, l->own);
    return rc ? rc : done ? RC_OK : RC_NEED_DATA;
}

static rc_t look(machine_t *m, err_t *e, look_t *l, bool addresses)
{
    rc_t rc = RC_TIMEOUT;
    for (unsigned i = 0; i < DUMPS_MAX && rc == RC_TIMEOUT; i++) {
        wr_t w = begin(m);
        (addresses ? wg_nl_addresses : wg_nl_routes)(&w, m->seq);
        rc = ask_kernel(m, e, NETLINK_ROUTE, &w, take_places, l);
    }
    return rc;
}

static rc_t refuse(err_t *e, const wg_overlap_t *o)
{
    char name[IF_NAMESIZE] = "";
    if (o->interface && !if_indextoname(o->interface, name))
        snprintf(name, sizeof name, "%u", o->interface);
    return err_set(e, RC_REFUSED, "10.0.1.0/24 is not free on this machine: %s %u.%u.%u.%u/%u%s%s",
                   o->is_address ? "address" : "route", o->ip[0], o->ip[1], o->ip[2], o->ip[3], o->bits,
                   name[0] ? " of " : "", name);
}

static rc_t check_network(machine_t *m, err_t *e)
{
    look_t l = { .own = m->interface };
    rc_t rc = look(m, e, &l, false);
    if (!rc && !l.found.is_found)
        rc = look(m, e, &l, true);
    return !rc && l.found.is_found ? refuse(e, &l.found) : rc;
}

/* Whose the interface is: of wireguard-go where it runs, as the name is taken then. */
static rc_t find(machine_t *m, err_t *e)
{
    m->interface = if_nametoindex(WG_INTERFACE);
    const int fd = m->interface ? connect_user() : -1;
    if (fd >= 0) {
        close(fd);
        m->is_kernel = false;
        return RC_OK;
    }
    wr_t w = begin(m);
    wg_nl_family(&w, m->seq);
    m->is_kernel = true;
    const rc_t rc = ask_kernel(m, e, NETLINK_GENERIC, &w, take_family, m);
    if (rc == RC_UNSUPPORTED)
        return err_say(e, rc, "this kernel has no WireGuard, and no wireguard-go is reached at " WG_SOCKET);
    return rc;
}

static rc_t check(void *ctx, err_t *e)
{
    machine_t *m = ctx;
    const rc_t rc = find(m, e);
    return rc ? rc : check_network(m, e);
}

/* ---- the interface ---- */

static rc_t make_link(machine_t *m, err_t *e)
{
    if (!m->is_kernel || m->interface)
        return RC_OK;
    wr_t w = begin(m);
    wg_nl_link(&w, m->seq);
    const rc_t rc = tell_kernel(m, e, NETLINK_ROUTE, &w, "interface " WG_INTERFACE);
    m->interface = if_nametoindex(WG_INTERFACE);
    m->made_link = !rc;
    return rc || m->interface ? rc : err_say(e, RC_IO, "the interface " WG_INTERFACE " is gone again");
}

/* Wipes what was written, whatever came of it. */
static rc_t tell_device(machine_t *m, err_t *e, wr_t *w)
{
    const rc_t rc = m->is_kernel ? tell_kernel(m, e, NETLINK_GENERIC, w, "interface " WG_INTERFACE) : tell_user(e, w);
    secret_wipe(m->room, ROOM);
    secret_wipe(m->heard, sizeof m->heard);
    return rc;
}

static rc_t set_device(machine_t *m, err_t *e, const uint8_t *private_key, uint16_t port)
{
    wr_t w = begin(m);
    if (m->is_kernel)
        wg_nl_device(&w, m->seq, m->family, m->interface, private_key, port);
    else
        wg_uapi_device(&w, private_key, port);
    return tell_device(m, e, &w);
}

static rc_t set_address(machine_t *m, err_t *e, uint8_t index, bool is_given)
{
    wr_t w = begin(m);
    wg_nl_address(&w, m->seq, m->interface, index, is_given);
    return tell_kernel(m, e, NETLINK_ROUTE, &w, "address of " WG_INTERFACE);
}

/* No address but this one; 0: none. */
static rc_t keep_address(machine_t *m, err_t *e, uint8_t index)
{
    bool is_there[256] = { false };
    look_t l = { .own = m->interface, .is_there = is_there };
    rc_t rc = look(m, e, &l, true);
    for (unsigned i = 0; i < 256 && !rc; i++)
        if (is_there[i] && i != index)
            rc = set_address(m, e, (uint8_t)i, false);
    return rc;
}

static rc_t open_door(void *ctx, err_t *e, const uint8_t private_key[WG_KEY_LEN], uint16_t port, uint8_t index)
{
    machine_t *m = ctx;
    rc_t rc = check(m, e);
    if (!rc)
        rc = make_link(m, e);
    m->is_open = m->is_open || !rc;
    if (!rc)
        rc = set_device(m, e, private_key, port);
    if (!rc)
        rc = keep_address(m, e, index);
    if (!rc)
        rc = set_address(m, e, index, true);
    if (rc)
        return rc;
    wr_t w = begin(m);
    wg_nl_up(&w, m->seq, m->interface);
    return tell_kernel(m, e, NETLINK_ROUTE, &w, "interface " WG_INTERFACE);
}

static rc_t apply(void *ctx, err_t *e, const wg_op_t *ops, size_t n)
{
    machine_t *m = ctx;
    rc_t rc = RC_OK;
    while (n && !rc) {
        const size_t part = n < WG_NL_OPS_MAX ? n : WG_NL_OPS_MAX;
        wr_t w = begin(m);
        if (m->is_kernel)
            wg_nl_ops(&w, m->seq, m->family, m->interface, ops, part);
        else
            wg_uapi_ops(&w, ops, part);
        rc = tell_device(m, e, &w);
        ops += part;
        n -= part;
    }
    return rc;
}

static void close_door(void *ctx)
{
    machine_t *m = ctx;
    err_t e;
    if (!m->is_open)
        return;
    m->is_open = false;
    rc_t rc = set_device(m, &e, NULL, 0);
    if (!rc)
        rc = keep_address(m, &e, 0);
    if (!rc && m->made_link) {
        wr_t w = begin(m);
        wg_nl_unlink(&w, m->seq, m->interface);
        rc = tell_kernel(m, &e, NETLINK_ROUTE, &w, "interface " WG_INTERFACE);
        m->made_link = false;
    }
    if (rc)
        log_write(LOG_WARN, "wireguard", "the interface stays as it is: %s", e.text);
}

rc_t wg_door_new(wg_door_t *out)
{
    machine_t *m = calloc(1, sizeof *m);
    uint8_t *room = m ? secret_alloc(ROOM) : NULL;
    if (!room) {
        free(m);
        return RC_NOMEM;
    }
    m->room = room;
    *out = (wg_door_t){ .check = check, .open = open_door, .apply = apply, .close = close_door, .ctx = m };
    return RC_OK;
}

void wg_door_free(wg_door_t *d)
{
    machine_t *m = d->ctx;
    if (!m)
        return;
    secret_free(m->room);
    free(m);
    *d = (wg_door_t){ .ctx = NULL };
}
