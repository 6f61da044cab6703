/* book.c - where members listen, and where we do ourselves. Members tell each other signed records (overlay/gossip.h),
 * which are kept in the state directory and dialled after a restart (book_file.h). What a peer says by identify helps
 * in two ways: its ports, at the host that it comes from, and the host under which it sees us, which is what our own
 * record then names. Both count once the peer is attested. On the loop's thread. */
#include <stdlib.h>

#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/cluster/book_file.h"
#include "node/cluster/parts.h"

#define WRITE_MS 200u /* between two writings */
static const char BOOK_FILE[] = "peers";

/* Whether a way is of a transport that we have. */
static bool is_spoken(const cluster_t *c, const maddr_t *way)
{
    const unsigned transport = c->with.config->transport;
    return transport == 0 || (transport == 1) == (way->transport == MADDR_QUIC);
}

/* ---- records of others ---- */

static bool same_host(const maddr_t *a, const maddr_t *b)
{
    return a->host == b->host && memcmp(a->ip, b->ip, sizeof a->ip) == 0 && !strcmp(a->name, b->name);
}

/* Adds the ways through relays: each names whom it leads to, since nobody else answers there. */
static void add_circuits(cluster_t *c, peers_source_t source, const record_t *r)
{
    for (size_t i = 0; i < r->addr_count; i++) {
        const maddr_t *way = &r->addrs[i];
        if (way->circuit && peerid_eq(&way->target, &r->id) && !peerid_eq(&way->peer, net_self(c->net)) &&
            peers_add(c->peers, source, way, 1, &r->id))
            return; /* there are enough */
    }
}

/* Adds the ways of a record: those at one host are one address. */
static void add_ways(cluster_t *c, peers_source_t source, const record_t *r)
{
    maddr_t ways[PEERS_WAYS_MAX];
    for (size_t i = 0; i < r->addr_count; i++) {
        size_t n = 0;
        bool first = true;
        for (size_t k = 0; k < r->addr_count; k++) {
            if (!same_host(&r->addrs[k], &r->addrs[i]) || r->addrs[k].circuit || !is_spoken(c, &r->addrs[k]))
                continue;
            first &= k >= i;
            if (n < PEERS_WAYS_MAX)
                ways[n++] = r->addrs[k];
            ways[n - 1].peer.n = 0; /* ids are made at each start: whoever answers there is asked who it is */
        }
        if (n && first && peers_add(c->peers, source, ways, n, &r->id))
            return; /* there are enough */
    }
}

void book_learned(void *ctx, const record_t *r, net_conn_t *from)
{
    cluster_t *c = ctx;
    const bool hint = from && join_phase(c->join, from) != JOIN_PEER;
    add_ways(c, hint ? PEERS_HINTED : PEERS_LEARNED, r);
    if (from && !hint)
        add_circuits(c, PEERS_LEARNED, r);
    if (hint)
        peers_redirected(c->peers, from);
}

/* ---- what identify says ---- */

/* An address that a peer says it listens on, seen from here: the host is the one it came from. */
static bool seen_from_here(const cluster_t *c, maddr_t *way, const net_conn_t *conn, view_t bytes)
{
    const maddr_t *from = net_addr(conn);
    if (from->circuit || maddr_read(way, bytes) || way->circuit || !is_spoken(c, way))
        return false;
    if (way->host == MADDR_IP4 || way->host == MADDR_IP6) {
        if (way->host != from->host)
            return false;
        memcpy(way->ip, from->ip, sizeof way->ip);
    }
    way->peer.n = 0;
    return way->port != 0;
}

void book_heard(cluster_t *c, net_conn_t *conn, const identify_t *id)
{
    heard_t h = { .number = net_number(conn) };
    for (size_t i = 0; i < id->addr_count && h.count < PEERS_WAYS_MAX; i++)
        h.count += seen_from_here(c, &h.ways[h.count], conn, id->addrs[i]);
    h.sees_us = !maddr_read(&h.us, id->observed) && !h.us.circuit && !net_addr(conn)->circuit &&
                (h.us.host == MADDR_IP4 || h.us.host == MADDR_IP6);
    if (h.count || h.sees_us)
        c->heard[c->heard_next++ % CLUSTER_MEMBERS_MAX] = h;
}

/* ---- our own record ---- */

/* Whether we listen by this transport at a host of this kind. */
static bool listens(const cluster_t *c, maddr_host_t host, maddr_transport_t transport)
{
    size_t n;
    const maddr_t *at = net_listening(c->net, &n);
    for (size_t i = 0; i < n; i++)
        if (at[i].host == host && at[i].transport == transport)
            return true;
    return false;
}

/* Ways to us through relays, of the same side of the Internet as the others. */
static size_t put_circuits(const cluster_t *c, maddr_t *ways, size_t cap, bool any_public)
{
    maddr_t all[CLUSTER_REACHED_MAX];
    const size_t count = circuits_addrs(c->circuits, all, CLUSTER_REACHED_MAX);
    size_t n = 0;
    for (size_t i = 0; i < count && n < cap; i++)
        if (!c->host_count || maddr_is_public(&all[i]) == any_public)
            ways[n++] = all[i];
    return n;
}

/* Addresses of the hosts under which members see us: the public ones, if there are any. */
static void announce(cluster_t *c)
{
    maddr_t ways[2 * CLUSTER_HOSTS_MAX + CLUSTER_REACHED_MAX];
    size_t n = 0;
    bool any_public = false;
    for (size_t i = 0; i < c->host_count; i++)
        any_public |= maddr_is_public(&c->hosts[i]);
    for (size_t i = 0; i < c->host_count; i++)
        for (int tcp = 0; tcp < 2; tcp++) {
            maddr_t way = { .host = c->hosts[i].host,
                            .transport = tcp ? MADDR_TCP : MADDR_QUIC,
                            .port = c->with.config->overlay_port };
            memcpy(way.ip, c->hosts[i].ip, sizeof way.ip);
            if (listens(c, way.host, way.transport) && maddr_is_public(&way) == any_public)
                ways[n++] = way;
        }
    n += put_circuits(c, ways + n, CLUSTER_REACHED_MAX, any_public);
    if (gossip_announce(c->gossip, ways, n, ++c->record_seq))
        log_write(LOG_WARN, "cluster", "where this node listens could not be signed");
}

void book_reached(void *ctx)
{
    announce(ctx);
}

/* A member sees us at this host; of too many the oldest is forgotten. */
static void note_host(cluster_t *c, const maddr_t *us)
{
    for (size_t i = 0; i < c->host_count; i++)
        if (same_host(&c->hosts[i], us))
            return;
    if (c->host_count == CLUSTER_HOSTS_MAX)
        memmove(&c->hosts[0], &c->hosts[1], --c->host_count * sizeof c->hosts[0]);
    c->hosts[c->host_count++] = *us;
    announce(c);
}

void book_learn(cluster_t *c, const join_member_t *m)
{
    gossip_opened(c->gossip, m->conn);
    for (size_t i = 0; i < CLUSTER_MEMBERS_MAX; i++) {
        heard_t *h = &c->heard[i];
        if (h->number != net_number(m->conn))
            continue;
        for (size_t k = 0; k < h->count; k++)
            if (peers_add(c->peers, PEERS_LEARNED, &h->ways[k], 1, net_peer(m->conn)))
                break; /* there are enough */
        if (h->sees_us)
            note_host(c, &h->us);
        *h = (heard_t){ .number = 0 };
    }
}

/* ---- the file ---- */

bool cluster_is_kept(const char *state_dir)
{
    view_t kept = { NULL, 0 };
    bool found = false;
    if (state_dir && persist_read(&kept, &found, NULL, state_dir, BOOK_FILE, BOOK_MAX))
        return false;
    const bool has_item = found && kept.n > BOOK_HEAD_LEN;
    file_free(kept);
    return has_item;
}

static void take_envelope(void *ctx, view_t envelope)
{
    if (gossip_restore(((cluster_t *)ctx)->gossip, envelope))
        log_write(LOG_WARN, "state", "a kept record of a peer does not verify, and is not used");
}

static void take_ban(void *ctx, const ban_t *ban, uint64_t left_ms)
{
    cluster_t *c = ctx;
    bans_restore(peers_bans(c->peers), ban, left_ms, clock_monotonic_ms());
}

void book_read(cluster_t *c)
{
    const book_take_t take = { take_envelope, take_ban, c };
    view_t kept;
    bool found = false;
    err_t e;
    if (!c->with.state_dir)
        return;
    rc_t rc = persist_read(&kept, &found, &e, c->with.state_dir, BOOK_FILE, BOOK_MAX);
    if (!rc && found)
        rc = book_decode(&e, kept, &take);
    if (rc)
        log_write(LOG_WARN, "state", "the kept records of peers are not used: %s", e.text);
    file_free(kept);
    c->book_changes = gossip_changes(c->gossip) + peers_bans(c->peers)->changes;
}

static void put_envelope(void *ctx, view_t envelope)
{
    book_put_envelope(ctx, envelope);
}

void book_write(cluster_t *c, uint64_t now_ms)
{
    const bans_t *bans = peers_bans(c->peers);
    const uint64_t changes = gossip_changes(c->gossip) + bans->changes;
    err_t e;
    if (!c->with.state_dir || changes == c->book_changes || now_ms < c->book_ms)
        return;
    uint8_t *buf = malloc(BOOK_MAX);
    wr_t w = wr_of(buf, buf ? BOOK_MAX : 0);
    book_put_head(&w);
    gossip_each(c->gossip, put_envelope, &w);
    for (size_t i = 0; i < bans->count; i++)
        if (bans->rows[i].until_ms > now_ms)
            book_put_ban(&w, &bans->rows[i], bans->rows[i].until_ms - now_ms);
    const rc_t rc =
        w.bad ? err_say(&e, RC_NOMEM, "out of memory") : persist_write(&e, c->with.state_dir, BOOK_FILE, wr_view(&w));
    if (persist_tell(&c->book_told, "state", "the address book is not kept: ", rc, &e))
        c->book_changes = changes;
    c->book_ms = now_ms + WRITE_MS;
    free(buf);
}
