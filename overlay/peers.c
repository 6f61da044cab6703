#include "overlay/peers.h"

#include <stdlib.h>

#include "overlay/guard.h"

#define NEVER UINT64_MAX
#define LIVED_MS 10000u /* a connection that lived so long was a good one */

typedef struct {
    peers_source_t source;
    maddr_t ways[PEERS_WAYS_MAX];
    size_t way_count, next_way;
    peerid_t peer;     /* who answered last, */
    maddr_t at;        /* ... and where: what a name led to */
    uint64_t dialling; /* number of the connection; 0: none */
    bool resolving, self;
    bool answered;   /* somebody did, at some time of this run */
    bool redirected; /* ... and had no slot, but names of others */
    unsigned failures;
    uint64_t due_ms, wait_ms, opened_ms;
    err_t why;
} target_t;

/* Two connections to one peer, of which one has to go. */
typedef struct twins {
    struct twins *next;
    peers_t *peers;
    uint64_t older, newer; /* numbers */
    uint64_t deadline_ms;
    bool over;
} twins_t;

/* A connection without a slot. */
typedef struct {
    uint64_t number, deadline_ms;
} leaving_t;

struct peers {
    peers_config_t config;
    net_t *net;
    target_t targets[PEERS_TARGETS_MAX]; /* way_count 0: free */
    size_t target_count;
    twins_t *twins;
    leaving_t leaving[PEERS_LEAVING_MAX];
    size_t leaving_count;
    bans_t bans;
    uint64_t now_ms;
};

/* ---- connections ---- */

static net_conn_t *conn_of(const peers_t *p, uint64_t number)
{
    net_conn_t *c = net_first(p->net);
    while (c && net_number(c) != number)
        c = net_after(c);
    return c && net_is_open(c) ? c : NULL;
}

/* An open connection to a peer, but not this one. */
static net_conn_t *other_to(const peers_t *p, const peerid_t *peer, const net_conn_t *but)
{
    for (net_conn_t *c = net_first(p->net); c; c = net_after(c))
        if (c != but && net_is_open(c) && peerid_eq(net_peer(c), peer))
            return c;
    return NULL;
}

static bool same_ip(const maddr_t *a, const maddr_t *b)
{
    return a->host == b->host && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* ---- slots ---- */

static bool is_member(const peers_t *p, net_conn_t *c)
{
    return !p->config.is_member || p->config.is_member(p->config.ctx, c);
}

bool peers_is_leaving(const peers_t *p, const net_conn_t *c)
{
    for (size_t i = 0; i < p->leaving_count; i++)
        if (p->leaving[i].number == net_number(c))
            return true;
    return false;
}

/* The connections that have a slot, and those that we dial. */
void peers_counts(const peers_t *p, peers_count_t *out)
{
    *out = (peers_count_t){ 0 };
    for (net_conn_t *c = net_first(p->net); c; c = net_after(c)) {
        if (peers_is_leaving(p, c) || (!net_is_open(c) && !net_dialled(c)))
            continue;
        const bool member = net_is_open(c) && is_member(p, c);
        out->connections++;
        out->dialled += net_dialled(c);
        out->members += member;
        out->strangers += !net_dialled(c) && !member;
    }
}

/* The host of a relayed connection is its relay's, which has nothing to do with who is at the other end. */
static bool is_relayed(const net_conn_t *c)
{
    return net_addr(c)->circuit;
}

/* Accepted connections of one address. */
static size_t accepted_of(const peers_t *p, const maddr_t *from)
{
    size_t n = 0;
    for (const net_conn_t *c = net_first(p->net); c; c = net_after(c))
        n += net_is_open(c) && !net_dialled(c) && !is_relayed(c) && !peers_is_leaving(p, c) &&
             same_ip(net_addr(c), from);
    return n;
}

bool peers_names(const peers_t *p, const maddr_t *from)
{
    for (size_t i = 0; i < p->target_count; i++) {
        const target_t *t = &p->targets[i];
        bool is = t->source == PEERS_CONFIGURED && t->answered && same_ip(&t->at, from);
        for (size_t k = 0; !is && k < t->way_count; k++)
            is = t->source == PEERS_CONFIGURED && same_ip(&t->ways[k], from);
        if (is)
            return true;
    }
    return false;
}

static bool is_stranger(const peers_t *p, net_conn_t *c)
{
    return net_is_open(c) && !net_dialled(c) && !peers_is_leaving(p, c) && !is_member(p, c);
}

/* Strangers of the address that a connection is of; of a relayed one: itself. */
static size_t strangers_of(const peers_t *p, const net_conn_t *of)
{
    size_t n = 0;
    for (net_conn_t *c = net_first(p->net); c; c = net_after(c))
        n += c == of || (is_stranger(p, c) && !is_relayed(c) && !is_relayed(of) && same_ip(net_addr(c), net_addr(of)));
    return n;
}

/* Closes the stranger that dialled first, if it had its time; else the first one of an address that has two more than
 * the newcomer's: who comes from one address keeps nobody from another out. */
static bool make_room(peers_t *p, const net_conn_t *but)
{
    net_conn_t *victim = NULL;
    size_t most = strangers_of(p, but) + 1;
    for (net_conn_t *c = net_first(p->net); c; c = net_after(c)) {
        if (c == but || !is_stranger(p, c))
            continue;
        if (net_now(p->net) - net_opened_ms(c) >= PEERS_STRANGER_MS) {
            victim = c;
            break;
        }
        if (strangers_of(p, c) > most && !peers_names(p, net_addr(c))) {
            most = strangers_of(p, c);
            victim = c;
        }
    }
    if (victim)
        net_close(victim, NET_BYE_SLOTS_FULL, "others wait to attest");
    return victim != NULL;
}

/* Whether a slot is left for a connection that we accepted. */
static bool has_slot(peers_t *p, const net_conn_t *of)
{
    peers_count_t n;
    peers_counts(p, &n);
    if (peers_rank(p, net_peer(of)) != SIZE_MAX)
        return true;
    if (n.connections > PEERS_MAX || (!is_relayed(of) && accepted_of(p, net_addr(of)) > PEERS_PER_IP))
        return false;
    if (!is_relayed(of) && peers_names(p, net_addr(of)))
        return true; /* ids are made at each start: that of a peer that started again is not known yet */
    return n.strangers <= PEERS_STRANGERS_MAX || make_room(p, of);
}

/* There is no slot: tells it of others, if there is time for that. */
static void turn_away(peers_t *p, net_conn_t *c)
{
    if (p->leaving_count < PEERS_LEAVING_MAX && p->config.redirect && p->config.redirect(p->config.ctx, c))
        p->leaving[p->leaving_count++] = (leaving_t){ net_number(c), p->now_ms + PEERS_LEAVE_MS };
    else
        net_close(c, NET_BYE_SLOTS_FULL, "no slot is left");
}

static uint64_t leaving_turn(peers_t *p)
{
    uint64_t at = NEVER;
    for (size_t i = p->leaving_count; i-- > 0;) {
        net_conn_t *c = conn_of(p, p->leaving[i].number);
        if (c && p->now_ms < p->leaving[i].deadline_ms) {
            at = p->leaving[i].deadline_ms < at ? p->leaving[i].deadline_ms : at;
            continue;
        }
        p->leaving[i] = p->leaving[--p->leaving_count];
        if (c)
            net_close(c, NET_BYE_SLOTS_FULL, "no slot is left");
    }
    return at;
}

/* ---- bans ---- */

void peers_fault(peers_t *p, const net_conn_t *c, bans_fault_t fault)
{
    const maddr_t *from = net_addr(c);
    (void)bans_note(&p->bans, net_peer(c), from, !from->circuit && !peers_names(p, from), fault, p->now_ms);
}

bool peers_accepts(const peers_t *p, const maddr_t *from)
{
    return !bans_find(&p->bans, NULL, from, p->now_ms);
}

bans_t *peers_bans(peers_t *p)
{
    return &p->bans;
}

/* ---- one connection for each peer ---- */

static void close_number(const peers_t *p, uint64_t number)
{
    net_conn_t *c = conn_of(p, number);
    if (c)
        net_close(c, NET_BYE_DUPLICATE, "one connection is enough");
}

static void decide(twins_t *t, bool older_lives)
{
    if (t->over)
        return;
    t->over = true;
    if (conn_of(t->peers, t->older) && conn_of(t->peers, t->newer))
        close_number(t->peers, older_lives ? t->newer : t->older);
}

static void pong(void *ctx, net_conn_t *c, rc_t rc, uint64_t ms)
{
    (void)ms;
    for (twins_t *t = ((peers_t *)ctx)->twins; t; t = t->next)
        if (t->older == net_number(c))
            decide(t, rc == RC_OK || !GUARD(OLDER_ANSWERS));
}

/* Notes that an older connection to the same peer is open; only the end with the smaller id acts on it. */
static void note_twins(peers_t *p, net_conn_t *older, net_conn_t *newer)
{
    if (GUARD(ONE_CHOOSER) && peerid_cmp(net_self(p->net), net_peer(newer)) > 0)
        return;
    if (is_relayed(older) && !is_relayed(newer)) {
        net_close(older, NET_BYE_DUPLICATE, "a direct connection takes its place");
        return;
    }
    twins_t *t = calloc(1, sizeof *t);
    if (!t) {
        net_close(newer, NET_BYE_DUPLICATE, "one connection is enough");
        return;
    }
    *t = (twins_t){ .next = p->twins,
                    .peers = p,
                    .older = net_number(older),
                    .newer = net_number(newer),
                    .deadline_ms = p->now_ms + PEERS_PING_MS };
    p->twins = t;
    const rc_t rc = net_ping(older, pong, p);
    if (rc && rc != RC_LIMIT) /* one is under way already: its answer serves as well */
        decide(t, false);
}

/* Whoever is left of two may have a third beside it. */
static void look_for_third(peers_t *p, const twins_t *t)
{
    net_conn_t *left = conn_of(p, t->older);
    if (!left)
        left = conn_of(p, t->newer);
    net_conn_t *third = left ? other_to(p, net_peer(left), left) : NULL;
    if (third)
        note_twins(p, left, third);
}

static uint64_t twins_turn(peers_t *p)
{
    uint64_t at = NEVER;
    for (twins_t **link = &p->twins; *link;) {
        twins_t *t = *link;
        if (p->now_ms >= t->deadline_ms)
            decide(t, !GUARD(OLDER_ANSWERS));
        if (t->over) {
            *link = t->next;
            look_for_third(p, t);
            free(t);
            continue;
        }
        link = &t->next;
    }
    for (const twins_t *t = p->twins; t; t = t->next)
        at = t->deadline_ms < at ? t->deadline_ms : at;
    return at;
}

/* ---- addresses ---- */

/* So many milliseconds, 20 % more or less. */
static uint64_t about(peers_t *p, uint64_t ms)
{
    uint32_t chance;
    p->config.random(p->config.ctx, &chance, sizeof chance);
    return ms - ms / 5 + chance % (2 * (ms / 5) + 1);
}

/* Whether an address has had its tries. */
static bool is_hopeless(const target_t *t)
{
    if (t->source == PEERS_CONFIGURED || t->answered)
        return false;
    return t->failures >= (t->source == PEERS_HINTED ? PEERS_HINT_TRIES : PEERS_TRIES);
}

static void put_off(peers_t *p, target_t *t, const err_t *why)
{
    t->why = *why;
    t->failures++;
    if (is_hopeless(t)) {
        *t = (target_t){ .way_count = 0 };
        return;
    }
    t->next_way = (t->next_way + 1) % t->way_count;
    t->due_ms = p->now_ms + about(p, t->wait_ms);
    t->wait_ms = t->wait_ms + t->wait_ms / 2 < PEERS_AGAIN_MAX_MS ? t->wait_ms + t->wait_ms / 2 : PEERS_AGAIN_MAX_MS;
}

static void dial(peers_t *p, target_t *t, const maddr_t *to)
{
    net_conn_t *c;
    err_t e;
    const rc_t rc = net_dial(p->net, &c, &e, to, NULL);
    if (rc)
        put_off(p, t, &e);
    else
        t->dialling = net_number(c);
}

static bool is_name(const maddr_t *m)
{
    return m->host != MADDR_IP4 && m->host != MADDR_IP6;
}

/* A relayed connection is one, but not in the place of a direct one. */
static bool is_connected(const peers_t *p, const target_t *t)
{
    if (!t->peer.n)
        return false;
    for (const net_conn_t *c = net_first(p->net); c; c = net_after(c))
        if (net_is_open(c) && peerid_eq(net_peer(c), &t->peer) && (!is_relayed(c) || t->ways[0].circuit))
            return true;
    return false;
}

/* Whether an address is to be dialled once its time has come. */
static bool is_wanted(const peers_t *p, const target_t *t)
{
    return t->way_count && !t->self && !t->dialling && !t->resolving && !is_connected(p, t);
}

static bool is_banned(const peers_t *p, const target_t *t)
{
    return t->source != PEERS_CONFIGURED && bans_find(&p->bans, &t->peer, &t->ways[t->next_way], p->now_ms);
}

/* Whether learned addresses are worth dialling now. */
static bool wants_more(const peers_t *p)
{
    peers_count_t n;
    unsigned dials = 0;
    peers_counts(p, &n);
    for (size_t i = 0; i < p->target_count; i++)
        dials += p->targets[i].source != PEERS_CONFIGURED && p->targets[i].dialling && !p->targets[i].opened_ms;
    return dials < PEERS_DIALS_MAX &&
           (n.connections < PEERS_IDEAL || (n.dialled < PEERS_DIALLED_MIN && n.connections < PEERS_MAX));
}

static void look_at(peers_t *p, size_t i)
{
    target_t *t = &p->targets[i];
    const maddr_t *way = &t->ways[t->next_way];
    if (!is_wanted(p, t) || t->due_ms > p->now_ms || is_banned(p, t))
        return;
    if (t->source != PEERS_CONFIGURED && !wants_more(p))
        return;
    if (!is_name(way)) {
        dial(p, t, way);
        return;
    }
    t->resolving = p->config.resolve != NULL;
    if (p->config.resolve) {
        p->config.resolve(p->config.ctx, i, way);
        return;
    }
    err_t e;
    (void)err_say(&e, RC_UNSUPPORTED, "names are not resolved here");
    put_off(p, t, &e);
}

void peers_resolved(peers_t *p, size_t target, const maddr_t *numbers, size_t n)
{
    target_t *t = &p->targets[target];
    err_t e;
    if (!t->resolving)
        return;
    t->resolving = false;
    if (n) {
        dial(p, t, &numbers[t->failures / t->way_count % n]); /* each time the next one */
        return;
    }
    (void)err_say(&e, RC_IO, "the name is not known");
    put_off(p, t, &e);
}

#define LOOK_MS 1000u /* at addresses that wait for a slot, or for the end of a ban */

/* Configured addresses first, then those at which somebody answered before, then the rest. */
static void dial_due(peers_t *p)
{
    for (unsigned pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < p->target_count; i++) {
            const target_t *t = &p->targets[i];
            if (pass == (t->source == PEERS_CONFIGURED ? 0u : t->answered ? 1u : 2u))
                look_at(p, i);
        }
}

uint64_t peers_turn(peers_t *p, uint64_t now_ms)
{
    p->now_ms = now_ms;
    const uint64_t twins = twins_turn(p), leaving = leaving_turn(p);
    uint64_t at = twins < leaving ? twins : leaving;
    dial_due(p);
    for (size_t i = 0; i < p->target_count; i++) {
        const target_t *t = &p->targets[i];
        const uint64_t due = t->due_ms > now_ms ? t->due_ms : now_ms + LOOK_MS;
        if (is_wanted(p, t) && due < at)
            at = due;
    }
    return at;
}

/* ---- what the owner hands on ---- */

static target_t *dialled_by(peers_t *p, const net_conn_t *c)
{
    for (size_t i = 0; i < p->target_count; i++)
        if (p->targets[i].dialling == net_number(c))
            return &p->targets[i];
    return NULL;
}

/* Somebody answered at an address. */
static void note_answer(peers_t *p, target_t *t, const net_conn_t *c)
{
    t->peer = *net_peer(c);
    t->at = *net_addr(c);
    t->opened_ms = p->now_ms;
    t->failures = 0;
    t->answered = true;
    err_clear(&t->why);
}

void peers_redirected(peers_t *p, const net_conn_t *c)
{
    target_t *t = dialled_by(p, c);
    if (t)
        t->redirected = true;
}

/* Whether a dial of ours to the same peer is under way, and ours would win: what is no reason here. */
static bool own_dial_wins(const peers_t *p, const net_conn_t *c)
{
    bool dials = false;
    for (size_t i = 0; i < p->target_count; i++)
        dials = dials ||
                (p->targets[i].dialling && !p->targets[i].opened_ms && peerid_eq(&p->targets[i].peer, net_peer(c)));
    return dials && !net_dialled(c);
}

bool peers_opened(peers_t *p, net_conn_t *c)
{
    target_t *t = dialled_by(p, c);
    net_conn_t *older = other_to(p, net_peer(c), c);
    if (t) {
        note_answer(p, t, c);
    } else if (!net_dialled(c) && bans_find(&p->bans, net_peer(c), net_addr(c), p->now_ms)) {
        net_close(c, NET_BYE_BANNED, "banned for a while");
        return false;
    } else if (!net_dialled(c) && !has_slot(p, c)) {
        turn_away(p, c);
        return false;
    } else if (!GUARD(DIAL_NO_REASON) && own_dial_wins(p, c)) {
        net_close(c, NET_BYE_DUPLICATE, "our own dial goes first");
        return false;
    }
    if (older)
        note_twins(p, older, c);
    return net_is_open(c);
}

void peers_closed(peers_t *p, net_conn_t *c, const err_t *why)
{
    target_t *t = dialled_by(p, c);
    err_t full;
    if (!t)
        return;
    t->dialling = 0;
    if (t->redirected || net_bye_code(c) == NET_BYE_SLOTS_FULL) {
        (void)err_say(&full, RC_LIMIT, "the peer has no slot left; it may have told of others");
        why = &full;
        t->redirected = false;
    }
    t->self = net_bye_code(c) == NET_BYE_SELF || peerid_eq(net_peer(c), net_self(p->net));
    if (t->opened_ms && p->now_ms - t->opened_ms >= LIVED_MS)
        t->wait_ms = PEERS_AGAIN_MS;
    t->opened_ms = 0;
    put_off(p, t, why);
}

/* ---- life ---- */

rc_t peers_new(peers_t **out, const peers_config_t *config)
{
    peers_t *p = calloc(1, sizeof *p);
    if (!p)
        return RC_NOMEM;
    p->config = *config;
    *out = p;
    return RC_OK;
}

void peers_free(peers_t *p)
{
    while (p && p->twins) {
        twins_t *t = p->twins;
        p->twins = t->next;
        free(t);
    }
    free(p);
}

void peers_bind(peers_t *p, net_t *n)
{
    p->net = n;
}

static target_t *known(peers_t *p, const maddr_t *way)
{
    for (size_t i = 0; i < p->target_count; i++)
        for (size_t k = 0; k < p->targets[i].way_count; k++)
            if (maddr_eq(&p->targets[i].ways[k], way))
                return &p->targets[i];
    return NULL;
}

/* A place for an address: a free one, a new one, or that of the one that failed most. NULL: there is none. */
static target_t *place(peers_t *p)
{
    target_t *worst = NULL;
    for (size_t i = 0; i < p->target_count; i++) {
        target_t *t = &p->targets[i];
        if (!t->way_count)
            return t;
        if (t->source != PEERS_CONFIGURED && t->failures && is_wanted(p, t) &&
            (!worst || t->failures > worst->failures))
            worst = t;
    }
    return p->target_count < PEERS_TARGETS_MAX ? &p->targets[p->target_count++] : worst;
}

rc_t peers_add(peers_t *p, peers_source_t source, const maddr_t *ways, size_t count, const peerid_t *peer)
{
    target_t *t = known(p, &ways[0]);
    const bool is_new = !t;
    if (is_new && (count > PEERS_WAYS_MAX || !(t = place(p))))
        return RC_LIMIT;
    if (!is_new && source < t->source)
        t->source = source; /* a member named what was a hint */
    if (is_new) {
        *t = (target_t){ .source = source, .way_count = count, .wait_ms = PEERS_AGAIN_MS, .due_ms = p->now_ms };
        memcpy(t->ways, ways, count * sizeof *ways);
    }
    if (peer)
        t->peer = *peer;
    return RC_OK;
}

static bool is_among(const target_t *t, const maddr_t *firsts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < t->way_count; k++)
            if (maddr_eq(&firsts[i], &t->ways[k]))
                return true;
    return false;
}

void peers_keep(peers_t *p, const maddr_t *firsts, size_t count)
{
    for (size_t i = 0; i < p->target_count; i++) {
        target_t *t = &p->targets[i];
        if (!t->way_count || t->source != PEERS_CONFIGURED || is_among(t, firsts, count))
            continue;
        if (t->dialling || t->resolving) { /* its end, or the name's answer, comes to this place */
            t->source = PEERS_HINTED;
            t->failures = PEERS_HINT_TRIES;
            t->answered = false;
        } else {
            *t = (target_t){ .way_count = 0 };
        }
    }
}

size_t peers_rank(const peers_t *p, const peerid_t *peer)
{
    for (size_t i = 0; i < p->target_count; i++)
        if (p->targets[i].source == PEERS_CONFIGURED && p->targets[i].peer.n && peerid_eq(&p->targets[i].peer, peer))
            return i;
    return SIZE_MAX;
}

size_t peers_rows(const peers_t *p, peers_row_t *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < p->target_count && n < cap; i++) {
        const target_t *t = &p->targets[i];
        if (!t->way_count)
            continue;
        out[n++] = (peers_row_t){ .source = t->source,
                                  .way = t->ways[t->next_way],
                                  .peer = t->peer,
                                  .connected = is_connected(p, t),
                                  .self = t->self,
                                  .failures = t->failures,
                                  .due_ms = t->due_ms,
                                  .why = &t->why };
    }
    return n;
}
