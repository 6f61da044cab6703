#include "overlay/bans.h"

#include "overlay/net/net.h"
#include "tee/fault.h"

/* What a fault costs, and how long the first ban for it is. */
static const struct {
    const char *name;
    unsigned points;
    uint64_t first_ms;
} faults[] = {
    [BANS_EVIDENCE] = { "forged evidence", 100, BANS_FIRST_MS },
    [BANS_PROTOCOL] = { "broke a protocol", 100, BANS_LONGEST_MS },
    [BANS_SLOW] = { "did not attest in time", 25, BANS_FIRST_MS },
    [BANS_FLOOD] = { "asked too often", 10, BANS_FIRST_MS },
};

const char *bans_fault_name(bans_fault_t fault)
{
    return faults[fault].name;
}

/* Faults of attestation that nobody comes to by being of another image, chain, cluster, order or time. */
static bool is_forgery(uint16_t code)
{
    static const uint16_t forged[] = { E_ROOT,       E_CHAINSIG,   E_QE_SIG,   E_QE_BINDING, E_QUOTE_SIG,
                                       E_POINT,      E_REPORTDATA, E_EVENTLOG, E_HELLO,      E_ROLE,
                                       E_REFLECTION, E_SPKI,       E_STATE,    E_MESSAGE,    E_CONFIRM };
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++)
        if (code == forged[i])
            return true;
    return false;
}

bool bans_fault_of(bans_fault_t *out, unsigned bye, const err_t *why)
{
    if (bye == NET_BYE_PROTOCOL && rc_blames_input(why->rc))
        *out = why->rc == RC_LIMIT ? BANS_FLOOD : BANS_PROTOCOL;
    else if (bye == NET_BYE_ATTEST && why->rc == RC_TIMEOUT)
        *out = BANS_SLOW;
    else if (bye == NET_BYE_ATTEST && is_forgery(why->code))
        *out = BANS_EVIDENCE;
    else
        return false;
    return true;
}

static bool is_host(const ban_t *r, const maddr_t *at)
{
    return !r->peer.n && r->host == at->host && memcmp(r->ip, at->ip, sizeof r->ip) == 0;
}

/* The row of a peer, or of an address (peer NULL). */
static ban_t *find(bans_t *b, const peerid_t *peer, const maddr_t *from)
{
    for (size_t i = 0; i < b->count; i++)
        if (peer ? peerid_eq(&b->rows[i].peer, peer) : is_host(&b->rows[i], from))
            return &b->rows[i];
    return NULL;
}

static unsigned points_at(const ban_t *r, uint64_t now_ms)
{
    const uint64_t faded = (now_ms - r->points_ms) / 60000 * BANS_FADE;
    return faded < r->points ? r->points - (unsigned)faded : 0;
}

/* How little is lost with a row: a ban that runs before points, more points before fewer. */
static uint64_t weight(const ban_t *r, uint64_t now_ms)
{
    return (r->until_ms > now_ms ? r->until_ms - now_ms + BANS_HOST_POINTS : 0) + points_at(r, now_ms);
}

static ban_t *make_row(bans_t *b, const peerid_t *peer, const maddr_t *from, uint64_t now_ms)
{
    ban_t *r = &b->rows[0];
    if (b->count < BANS_MAX) {
        r = &b->rows[b->count++];
    } else {
        for (size_t i = 1; i < b->count; i++)
            if (weight(&b->rows[i], now_ms) < weight(r, now_ms))
                r = &b->rows[i];
    }
    *r = (ban_t){ .host = from->host, .points_ms = now_ms };
    if (peer)
        r->peer = *peer;
    else
        memcpy(r->ip, from->ip, sizeof r->ip);
    return r;
}

static void ban(bans_t *b, ban_t *r, bans_fault_t fault, uint64_t now_ms)
{
    uint64_t ms = faults[fault].first_ms;
    for (unsigned i = 0; i < r->times && ms < BANS_LONGEST_MS; i++)
        ms *= 2;
    r->until_ms = now_ms + (ms < BANS_LONGEST_MS ? ms : BANS_LONGEST_MS);
    r->times++;
    r->points = 0;
    b->changes++;
}

static bool add(bans_t *b, const peerid_t *peer, const maddr_t *from, bans_fault_t fault, uint64_t now_ms)
{
    ban_t *r = find(b, peer, from);
    if (!r)
        r = make_row(b, peer, from, now_ms);
    r->points = points_at(r, now_ms) + faults[fault].points;
    r->points_ms = now_ms;
    r->fault = fault;
    if (r->points >= (peer ? BANS_PEER_POINTS : BANS_HOST_POINTS))
        ban(b, r, fault, now_ms);
    return r->until_ms > now_ms;
}

bool bans_note(bans_t *b, const peerid_t *peer, const maddr_t *from, bool host_too, bans_fault_t fault, uint64_t now_ms)
{
    const bool by_peer = peer->n && add(b, peer, from, fault, now_ms);
    const bool by_host = host_too && add(b, NULL, from, fault, now_ms);
    return by_peer || by_host;
}

const ban_t *bans_find(const bans_t *b, const peerid_t *peer, const maddr_t *from, uint64_t now_ms)
{
    for (size_t i = 0; i < b->count; i++) {
        const ban_t *r = &b->rows[i];
        if (r->until_ms > now_ms && (is_host(r, from) || (peer && peer->n && peerid_eq(&r->peer, peer))))
            return r;
    }
    return NULL;
}

void bans_restore(bans_t *b, const ban_t *row, uint64_t left_ms, uint64_t now_ms)
{
    if (b->count == BANS_MAX)
        return;
    ban_t *r = &b->rows[b->count++];
    *r = *row;
    r->points = 0;
    r->points_ms = now_ms;
    r->until_ms = now_ms + (left_ms < BANS_LONGEST_MS ? left_ms : BANS_LONGEST_MS);
}
