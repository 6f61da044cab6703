/* book.c - where members listen: heard of by identify, kept once they are attested, dialled after a restart. The file
 * is text: a line with its version, then an address a line. */
#include <stdlib.h>

#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/cluster/parts.h"

#define BOOK_MAX (PEERS_TARGETS_MAX * PEERS_WAYS_MAX * (MADDR_TEXT_MAX + 1u) + 64u)
static const char BOOK_FILE[] = "peers", BOOK_VERSION[] = "kettle-peers/1\n";

/* Whether a way is of a transport that we have. */
static bool is_spoken(const cluster_t *c, const maddr_t *way)
{
    const unsigned transport = c->with.config->transport;
    return transport == 0 || (transport == 1) == (way->transport == MADDR_QUIC);
}

static view_t next_line(view_t *text)
{
    size_t n = 0;
    while (n < text->n && text->p[n] != '\n')
        n++;
    const view_t line = view_of(text->p, n);
    *text = n < text->n ? view_of(text->p + n + 1, text->n - n - 1) : view_of(NULL, 0);
    return line;
}

static void read_lines(cluster_t *c, view_t text)
{
    while (text.n) {
        maddr_t way;
        const view_t line = next_line(&text);
        if (maddr_read_text(&way, NULL, line) || !is_spoken(c, &way))
            continue;
        if (peers_add(c->peers, PEERS_LEARNED, &way, 1, NULL))
            return; /* there are enough */
    }
}

bool cluster_is_kept(const char *state_dir)
{
    view_t kept = { NULL, 0 };
    bool found = false;
    if (state_dir && persist_read(&kept, &found, NULL, state_dir, BOOK_FILE, BOOK_MAX))
        return false;
    const bool has_address = found && kept.n > sizeof BOOK_VERSION;
    file_free(kept);
    return has_address;
}

void book_read(cluster_t *c)
{
    const view_t version = view_str(BOOK_VERSION);
    view_t kept;
    bool found = false;
    err_t e;
    if (!c->with.state_dir)
        return;
    if (persist_read(&kept, &found, &e, c->with.state_dir, BOOK_FILE, BOOK_MAX)) {
        log_write(LOG_WARN, "state", "%s: the kept addresses of peers are not used", e.text);
        return;
    }
    if (found && kept.n >= version.n && view_eq(view_of(kept.p, version.n), version))
        read_lines(c, view_of(kept.p + version.n, kept.n - version.n));
    else if (found)
        log_write(LOG_WARN, "state", "the kept addresses of peers are of another version, and not used");
    file_free(kept);
}

static void book_write(cluster_t *c)
{
    peers_row_t *rows = c->rows;
    uint8_t *buf = c->with.state_dir ? malloc(BOOK_MAX) : NULL;
    wr_t w = wr_of(buf, buf ? BOOK_MAX : 0);
    err_t e;
    if (!buf)
        return;
    wr_bytes(&w, BOOK_VERSION, sizeof BOOK_VERSION - 1);
    const size_t n = peers_rows(c->peers, rows, PEERS_TARGETS_MAX);
    for (size_t i = 0; i < n; i++) {
        char text[MADDR_TEXT_MAX + 1];
        if (rows[i].source != PEERS_LEARNED || rows[i].self)
            continue;
        rows[i].way.peer.n = 0; /* ids are made at each start */
        maddr_text(text, &rows[i].way);
        wr_bytes(&w, text, strlen(text));
        wr_u8(&w, '\n');
    }
    if (!w.bad && persist_write(&e, c->with.state_dir, BOOK_FILE, wr_view(&w)))
        log_write(LOG_WARN, "state", "%s", e.text);
    free(buf);
}

/* An address that a peer says it listens on, seen from here: the host is the one it came from. */
static bool seen_from_here(const cluster_t *c, maddr_t *way, const net_conn_t *conn, view_t bytes)
{
    const maddr_t *from = net_addr(conn);
    if (maddr_read(way, bytes) || way->circuit || !is_spoken(c, way))
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
    if (h.count)
        c->heard[c->heard_next++ % CLUSTER_MEMBERS_MAX] = h;
}

void book_learn(cluster_t *c, const join_member_t *m)
{
    bool learned = false;
    for (size_t i = 0; i < CLUSTER_MEMBERS_MAX; i++) {
        heard_t *h = &c->heard[i];
        if (h->number != net_number(m->conn))
            continue;
        for (size_t k = 0; k < h->count; k++)
            learned |= peers_add(c->peers, PEERS_LEARNED, &h->ways[k], 1, net_peer(m->conn)) == RC_OK;
        *h = (heard_t){ .number = 0 };
    }
    if (learned)
        book_write(c);
}
