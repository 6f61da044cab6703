/* world.c - the clock, the network, the members, and how their machines are joined: what the node's edge does, in small. */
#include "tests/overlay/world_parts.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"

guard_t guard_removed = GUARD_NONE;

typedef enum { EV_MESSAGE, EV_TICK, EV_DIAL, EV_ATTEST, EV_RESTART, EV_CUT, EV_HEAL, EV_PRESENT, EV_APP } event_kind_t;

typedef struct {
    uint64_t at_ms, order; /* order: of equal times */
    event_kind_t kind;
    int a, b;
    uint32_t epoch;
    message_t *m;
} event_t;

static event_t *heap;
static size_t heap_n, heap_room;
static uint64_t heap_order;

/* ---- clock and chance ---- */

uint64_t world_random(world_t *w, uint64_t below)
{
    w->random ^= w->random << 13, w->random ^= w->random >> 7, w->random ^= w->random << 17;
    return below ? (w->random * 0x2545f4914f6cdd1dull >> 11) % below : 0;
}

static bool earlier(const event_t *a, const event_t *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push(event_t e)
{
    if (heap_n == heap_room) {
        heap_room = heap_room ? 2 * heap_room : 4096;
        heap = realloc(heap, heap_room * sizeof *heap);
        if (!heap)
            abort();
    }
    e.order = heap_order++;
    size_t i = heap_n++;
    for (; i && earlier(&e, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = e;
}

static event_t pop(void)
{
    event_t top = heap[0], last = heap[--heap_n];
    size_t i = 0;
    for (size_t c; (c = 2 * i + 1) < heap_n; i = c) {
        if (c + 1 < heap_n && earlier(&heap[c + 1], &heap[c]))
            c++;
        if (!earlier(&heap[c], &last))
            break;
        heap[i] = heap[c];
    }
    heap[i] = last;
    return top;
}

static void at(const world_t *w, uint64_t in_ms, event_kind_t kind, int a, int b, uint32_t epoch, message_t *m)
{
    push((event_t){ .at_ms = w->now_ms + in_ms, .kind = kind, .a = a, .b = b, .epoch = epoch, .m = m });
}

void world_break(world_t *w, const char *fmt, ...)
{
    va_list args;
    if (w->broken[0])
        return;
    va_start(args, fmt);
    int n = vsnprintf(w->broken, sizeof w->broken, fmt, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof w->broken)
        snprintf(w->broken + n, sizeof w->broken - (size_t)n, " (at %.1f s)", (double)w->now_ms / 1000);
}

/* ---- messages ---- */

message_t *message_new(message_kind_t kind)
{
    message_t *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    m->kind = kind;
    return m;
}

void message_free(message_t *m)
{
    if (!m)
        return;
    if (m->send)
        free((uint8_t *)(uintptr_t)m->send->payload.p);
    free(m->send);
    free(m->cert);
    free((uint8_t *)(uintptr_t)m->flood.payload.p);
    free(m->bytes);
    free(m->more);
    free(m);
}

uint8_t *message_copy(view_t v)
{
    uint8_t *p = malloc(v.n + 1);
    if (!p)
        abort();
    if (v.n)
        memcpy(p, v.p, v.n);
    return p;
}

void message_set(message_t *m, view_t v)
{
    m->bytes = message_copy(v);
    m->n = v.n;
}

/* Channels are not ordered: each message takes its own time. */
void world_send(world_t *w, int from, int to, message_t *m)
{
    if (!w->up[from][to] || (w->nodes[from].liar && (w->s.lies & LIE_SILENT) && m->kind != M_STATE)) {
        message_free(m);
        return;
    }
    m->from = from;
    m->to = to;
    m->epoch = w->epoch[from][to];
    uint64_t delay = world_random(w, 20) ? 5 + world_random(w, 100) : 100 + world_random(w, 3000);
    at(w, delay, EV_MESSAGE, from, to, m->epoch, m);
}

bool world_served(const world_t *w, int i, int j)
{
    return w->up[i][j] && w->nodes[i].links[j].served;
}

static int index_of_key(const world_t *w, const uint8_t key[33])
{
    for (int i = 0; i < w->count; i++)
        if (w->nodes[i].alive && memcmp(w->nodes[i].key, key, 33) == 0)
            return i;
    return -1;
}

rc_t world_sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    return ecdsa_sign(NULL, out, NULL, digest, ((node_t *)ctx)->secret);
}

/* ---- orders ---- */

static void send_state(world_t *w, int i, int j)
{
    const node_t *x = &w->nodes[i];
    const issued_t *o = &w->orders[x->order];
    message_t *m = message_new(M_STATE);
    message_set(m, view_of(o->bytes, o->n));
    memcpy(m->ephemeral, key_ephemeral_pubkey(x->ephemeral), 32);
    world_send(w, i, j, m);
}

bool world_admits(const world_t *w, int i, int j)
{
    return !(w->orders[w->nodes[i].order].excludes >> j & 1);
}

static void close_link(world_t *w, int i, int j)
{
    for (int k = 0; k < 2; k++) {
        int a = k ? j : i, b = k ? i : j;
        link_t *l = &w->nodes[a].links[b];
        for (int h = 0; h < l->held_count; h++)
            message_free(l->held[h]);
        if (l->served) {
            flood_gone(w->nodes[a].flood, w->nodes[b].key);
            bracha_gone(w->nodes[a].bracha, w->nodes[b].key, w->now_ms);
        }
        *l = (link_t){ .attested = false };
        w->up[a][b] = false;
    }
    w->epoch[i][j] = ++w->epoch[j][i];
}

static void tell_peers(world_t *w, int i)
{
    uint8_t keys[NODES_MAX][33];
    size_t n = 0;
    for (int j = 0; j < w->count; j++)
        if (j != i && world_served(w, i, j))
            memcpy(keys[n++], w->nodes[j].key, 33);
    gen_peers(w->nodes[i].gen, (const uint8_t(*)[33])keys, n);
}

static void drain(world_t *w, int i);
static void handle(world_t *w, message_t *m);

/* Whether the connection may be used for more than state now, at i's end. */
static void serve_if_same(world_t *w, int i, int j)
{
    node_t *x = &w->nodes[i];
    link_t *l = &x->links[j];
    bool same = l->attested &&
                (!GUARD(SAME_ORDER) || (l->has_order && order_id_cmp(&l->order, &w->orders[x->order].order.id) == 0));
    if (same == l->served)
        return;
    l->served = same;
    tell_peers(w, i);
    if (!same) {
        flood_gone(x->flood, w->nodes[j].key);
        bracha_gone(x->bracha, w->nodes[j].key, w->now_ms);
        return;
    }
    if (flood_connected(x->flood, w->nodes[j].key, w->now_ms) ||
        bracha_attested(x->bracha, w->nodes[j].key, &w->nodes[j].platform, w->now_ms))
        world_break(w, "a machine refuses a peer");
    gen_connected(x->gen, w->nodes[j].key);
    l->asked_ms = 0;
    message_t *held[HELD_PER_LINK];
    int n = l->held_count;
    memcpy(held, l->held, sizeof held);
    l->held_count = 0;
    for (int h = 0; h < n; h++) {
        handle(w, held[h]);
        message_free(held[h]);
    }
    drain(w, i);
}

/* A node takes an order: one step, before anything else (F4). */
static void take_order(world_t *w, int i, int k)
{
    node_t *x = &w->nodes[i];
    err_t e;
    const issued_t *o = &w->orders[k];
    if (x->order == k || order_may_take(&e, &o->order, &w->orders[x->order].order.id, &w->rules))
        return;
    x->order = k;
    gen_order(x->gen, &o->order, w->now_ms);
    if (bracha_order(x->bracha, &o->order, w->now_ms))
        abort();
    for (int j = 0; j < w->count; j++) {
        if (j == i || !w->up[i][j])
            continue;
        if (!world_admits(w, i, j)) {
            close_link(w, i, j);
            tell_peers(w, i);
            tell_peers(w, j);
            continue;
        }
        if (x->links[j].attested)
            send_state(w, i, j);
        serve_if_same(w, i, j);
    }
    drain(w, i);
}

static void handle_state(world_t *w, const message_t *m)
{
    node_t *x = &w->nodes[m->to];
    link_t *l = &x->links[m->from];
    order_signed_t o;
    err_t e;
    if (order_read(&o, &e, view_of(m->bytes, m->n))) {
        world_break(w, "an order does not read: %s", e.text);
        return;
    }
    if (!l->has_order || order_id_cmp(&o.id, &l->order) > 0 || !GUARD(ORDER_TIE)) {
        l->has_order = true;
        l->order = o.id;
    }
    memcpy(l->ephemeral, m->ephemeral, 32);
    for (int k = 0; k < w->order_count; k++)
        if (hash32_eq(&w->orders[k].order.id.digest, &o.id.digest))
            take_order(w, m->to, k);
    serve_if_same(w, m->to, m->from);
}

/* ---- what liars say ---- */

void world_send_broadcast(world_t *w, int from, int to, const bracha_send_t *s)
{
    message_t *m = message_new(M_SEND);
    m->send = malloc(sizeof *m->send);
    if (!m->send)
        abort();
    *m->send = *s;
    m->send->payload.p = message_copy(s->payload);
    world_send(w, from, to, m);
}

void world_send_keys(world_t *w, int from, int to, gen_kind_t kind, view_t bytes)
{
    message_t *m = message_new(M_KEYS);
    m->keys = kind;
    message_set(m, bytes);
    world_send(w, from, to, m);
}

/* ---- what machines say ---- */

static void route_gen(world_t *w, int i, const gen_out_t *out)
{
    node_t *x = &w->nodes[i];
    err_t e;
    if (out->kind == GEN_ACK)
        check_acks(w, i, out);
    if (out->to_all) {
        uint32_t kind = out->kind == GEN_ACK ? FLOOD_ACK : out->kind == GEN_COMMIT ? FLOOD_COMMIT : FLOOD_EVIDENCE;
        if (flood_publish(x->flood, &e, kind, out->bytes, w->now_ms))
            return; /* too many just now; peers get it when they connect */
        return;
    }
    int j = index_of_key(w, out->to);
    if (j < 0 || !world_served(w, i, j))
        return;
    message_t *m = message_new(out->kind == GEN_DRAFT ? M_DRAFT : M_KEYS);
    message_set(m, out->bytes);
    m->keys = out->kind;
    if (out->kind == GEN_DRAFT && !keys_seal(w, i, j, &out->name, true, x->links[j].ephemeral, m)) {
        message_free(m);
        return;
    }
    world_send(w, i, j, m);
}

static void deliver_flood(world_t *w, int i, const flood_message_t *m)
{
    if (m->kind == FLOOD_ACK || m->kind == FLOOD_COMMIT)
        keys_heard(w, i, m->kind == FLOOD_ACK ? GEN_ACK : GEN_COMMIT, m->payload);
    else if (m->kind == FLOOD_APPLICATION && m->payload.n == 1)
        w->nodes[i].flooded[m->payload.p[0]] = 1;
}

static void route_flood(world_t *w, int i, const flood_out_t *out)
{
    if (out->kind == FLOOD_DELIVER) {
        deliver_flood(w, i, out->message);
        return;
    }
    int j = index_of_key(w, out->to);
    if (j < 0 || !world_served(w, i, j))
        return;
    message_t *m = message_new(out->kind == FLOOD_SEND ? M_FLOOD : out->kind == FLOOD_IDS ? M_IDS : M_PULL);
    if (out->kind == FLOOD_SEND) {
        m->flood = *out->message;
        m->flood.payload.p = message_copy(out->message->payload);
    } else
        message_set(m, view_of(out->ids, out->id_count * 32));
    world_send(w, i, j, m);
}

static message_t *message_of(const bracha_out_t *out)
{
    message_t *m = message_new(out->kind == BRACHA_OUT_SEND ? M_SEND : out->kind == BRACHA_OUT_VOTE ? M_VOTE : M_CERT);
    if (out->kind == BRACHA_OUT_SEND) {
        m->send = malloc(sizeof *m->send);
        if (!m->send)
            abort();
        *m->send = out->send;
        m->send->payload.p = message_copy(out->send.payload);
    } else if (out->kind == BRACHA_OUT_VOTE)
        m->vote = out->vote;
    else {
        m->cert = malloc(sizeof *m->cert);
        if (!m->cert)
            abort();
        *m->cert = out->cert;
    }
    return m;
}

static void route_bracha(world_t *w, int i, const bracha_out_t *out)
{
    if (out->kind == BRACHA_OUT_DELIVER)
        check_delivery(w, i, &out->instance, &out->send);
    if (out->kind == BRACHA_OUT_EVIDENCE) {
        int j = index_of_key(w, out->evidence.who);
        if (j >= 0 && !w->nodes[j].liar && !w->nodes[j].excluded &&
            (guard_removed == GUARD_NONE || guard_removed == GUARD_LISTED_BOOT))
            world_break(w, "an honest member %d is accused", j);
    }
    if (out->kind == BRACHA_OUT_DELIVER || out->kind == BRACHA_OUT_EVIDENCE)
        return;
    for (int j = 0; j < w->count; j++)
        if (j != i && world_served(w, i, j) && (out->to_all || memcmp(out->to, w->nodes[j].key, 33) == 0))
            world_send(w, i, j, message_of(out));
}

/* Lets the machines of a member say all that they have to say. */
static void drain(world_t *w, int i)
{
    static gen_out_t g;
    static flood_out_t f;
    static bracha_out_t b;
    node_t *x = &w->nodes[i];
    for (bool more = true; more;) {
        more = false;
        if (gen_poll(x->gen, &g))
            route_gen(w, i, &g), more = true;
        if (flood_poll(x->flood, &f))
            route_flood(w, i, &f), more = true;
        if (bracha_poll(x->bracha, &b))
            route_bracha(w, i, &b), more = true;
    }
}

/* ---- what comes in ---- */

static void handle_bracha(world_t *w, const message_t *m)
{
    bracha_t *b = w->nodes[m->to].bracha;
    const uint8_t *from = w->nodes[m->from].key;
    err_t e;
    rc_t rc = RC_OK;
    if (m->kind == M_SEND) {
        hash32_t id, hash;
        bracha_instance(&id, m->send);
        bracha_hash(&hash, &id, m->send);
        liar_sees(w, m->to, &id, &hash);
        rc = bracha_take_send(b, &e, from, m->send, w->now_ms);
    } else if (m->kind == M_VOTE) {
        liar_sees(w, m->to, &m->vote.instance, &m->vote.hash);
        rc = bracha_take_vote(b, &e, from, &m->vote, w->now_ms);
    } else
        rc = bracha_take_cert(b, &e, from, m->cert, w->now_ms);
    if (rc && rc_blames_input(rc) && rc != RC_LIMIT && guard_removed == GUARD_NONE && !w->nodes[m->from].liar &&
        !w->nodes[m->from].excluded && m->kind != M_SEND)
        world_break(w, "an honest member's message is refused: %s %s", e.field, e.text);
}

static void handle_flood(world_t *w, const message_t *m)
{
    flood_t *f = w->nodes[m->to].flood;
    const uint8_t *from = w->nodes[m->from].key;
    hash32_t ids[FLOOD_KEPT_MAX];
    err_t e;
    rc_t rc = RC_OK;
    size_t n = m->n / 32 < FLOOD_KEPT_MAX ? m->n / 32 : FLOOD_KEPT_MAX;
    if (m->kind != M_FLOOD && n)
        memcpy(ids, m->bytes, n * 32);
    if (m->kind == M_FLOOD)
        rc = flood_take(f, &e, from, &m->flood, w->now_ms);
    else
        rc =
            m->kind == M_IDS ? flood_take_ids(f, from, ids, n, w->now_ms) : flood_take_pull(f, from, ids, n, w->now_ms);
    (void)rc; /* who sends too much is not heard */
}

static void handle(world_t *w, message_t *m)
{
    switch (m->kind) {
    case M_STATE: handle_state(w, m); break;
    case M_KEYS: keys_heard(w, m->to, m->keys, view_of(m->bytes, m->n)); break;
    case M_FLOOD:
    case M_IDS:
    case M_PULL: handle_flood(w, m); break;
    case M_SEND:
    case M_VOTE:
    case M_CERT: handle_bracha(w, m); break;
    case M_ASK: keys_asked(w, m); break;
    case M_SHARE: keys_shared(w, m); break;
    case M_DRAFT: keys_drafted(w, m); break;
    }
}

static void arrive(world_t *w, message_t *m)
{
    link_t *l = &w->nodes[m->to].links[m->from];
    if (!w->up[m->to][m->from] || w->epoch[m->to][m->from] != m->epoch || !w->nodes[m->to].alive) {
        message_free(m);
        return;
    }
    if ((m->kind != M_STATE && !l->served) || !l->attested) { /* until the exchange has ended here, too */
        if (l->held_count < HELD_PER_LINK)
            l->held[l->held_count++] = m;
        else
            message_free(m);
        return;
    }
    handle(w, m);
    drain(w, m->to);
    message_free(m);
}

/* ---- members ---- */

static void random_bytes(world_t *w, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)world_random(w, 256);
}

static void stop(node_t *x)
{
    gen_free(x->gen);
    flood_free(x->flood);
    bracha_free(x->bracha);
    keyring_free(x->keys);
    key_ephemeral_free(x->ephemeral);
    x->gen = NULL, x->flood = NULL, x->bracha = NULL, x->keys = NULL, x->ephemeral = NULL;
}

/* A boot: another static key, no memory; its disk holds some order that it once had. */
static uint64_t slot_by_clock(void *ctx)
{
    return ((const world_t *)ctx)->now_ms / SLOT_MS;
}

static void start(world_t *w, int i, int order)
{
    node_t *x = &w->nodes[i];
    uint8_t random[32], blind[32] = { 1 };
    node_t fresh = {
        .alive = true, .liar = x->liar, .excluded = x->excluded, .born_ms = w->now_ms, .platform = x->platform
    };
    for (size_t id = 0; id < APPS_MAX; id++)
        fresh.before[id] = x->before[id] || x->agreed[id];
    *x = fresh;
    random_bytes(w, x->secret, 32);
    random_bytes(w, random, 32);
    gen_config_t g = { .sign = world_sign, .sign_ctx = x, .slot_now = slot_by_clock, .slot_ctx = w, .rules = w->rules };
    flood_config_t f = { .sign = world_sign, .sign_ctx = x, .ecdsa = w->ecdsa };
    bracha_config_t b = { .platform = x->platform, .sign = world_sign, .sign_ctx = x, .ecdsa = w->ecdsa };
    if (ecdsa_pubkey(w->ecdsa, x->key, x->secret) || keyring_empty(&x->keys, blind) ||
        key_ephemeral_new(&x->ephemeral, random))
        abort();
    g.keys = x->keys;
    memcpy(g.self, x->key, 33);
    memcpy(f.self, x->key, 33);
    memcpy(b.self, x->key, 33);
    if (gen_new(&x->gen, &g) || flood_new(&x->flood, &f) || bracha_new(&x->bracha, &b))
        abort();
    x->order = order;
    gen_order(x->gen, &w->orders[order].order, w->now_ms);
    if (bracha_order(x->bracha, &w->orders[order].order, w->now_ms))
        abort();
}

static void restart(world_t *w, int i)
{
    int old = w->nodes[i].order;
    for (int j = 0; j < w->count; j++)
        if (w->up[i][j]) {
            close_link(w, i, j);
            tell_peers(w, j);
        }
    if (w->verbose)
        printf("%8.1f member %d restarts\n", (double)w->now_ms / 1000, i);
    stop(&w->nodes[i]);
    start(w, i, (int)world_random(w, (uint64_t)old + 1) % (old + 1));
}

static void dial(world_t *w, int i, int j)
{
    if (!w->up[i][j] && w->allowed[i][j] && !w->cut[i] && !w->cut[j]) {
        w->up[i][j] = w->up[j][i] = true;
        w->epoch[i][j] = ++w->epoch[j][i];
        at(w, 20 + world_random(w, 400), EV_ATTEST, i, j, w->epoch[i][j], NULL);
        at(w, 20 + world_random(w, 400), EV_ATTEST, j, i, w->epoch[i][j], NULL);
    }
    at(w, 1000 + world_random(w, 2000), EV_DIAL, i, j, 0, NULL);
}

/* i has verified j's evidence under its own order. */
static void attest(world_t *w, int i, int j, uint32_t epoch)
{
    if (!w->up[i][j] || w->epoch[i][j] != epoch)
        return;
    if (!world_admits(w, i, j)) {
        close_link(w, i, j);
        return;
    }
    link_t *l = &w->nodes[i].links[j];
    l->attested = true;
    send_state(w, i, j);
    if (!GUARD(SAME_ORDER))
        serve_if_same(w, i, j);
    for (int h = 0; h < l->held_count; h++) {
        message_t *m = l->held[h];
        if (m->kind != M_STATE)
            continue;
        l->held[h] = l->held[--l->held_count];
        handle(w, m); /* may take all that is held */
        message_free(m);
        h = -1;
    }
    drain(w, i);
}

static void tick(world_t *w, int i)
{
    node_t *x = &w->nodes[i];
    uint64_t slot = w->now_ms / SLOT_MS;
    err_t e;
    if (slot > x->slot && world_random(w, 4)) { /* heads come late, and some not at all */
        x->slot = slot;
        gen_head(x->gen, slot);
    }
    if (gen_wants_secrets(x->gen, w->now_ms) && !(x->liar && (w->s.lies & LIE_TWO_DRAFTS))) {
        uint8_t secrets[KEY_SECRETS_LEN];
        random_bytes(w, secrets, sizeof secrets);
        if (gen_make(x->gen, secrets, w->now_ms))
            world_break(w, "a maker cannot make");
        if (w->verbose) {
            printf("%8.1f member %d makes a key, and is connected with", (double)w->now_ms / 1000, i);
            for (int j = 0; j < w->count; j++)
                if (j != i && world_served(w, i, j))
                    printf(" %d%s", j, w->nodes[j].liar ? " (a liar)" : "");
            printf("\n");
        }
    }
    bracha_tick(x->bracha, w->now_ms);
    (void)e;
    drain(w, i);
    keys_ask(w, i);
    check_use(w, i);
    if (x->liar || x->excluded)
        liar_step(w, i);
    drain(w, i);
    at(w, 900 + world_random(w, 200), EV_TICK, i, 0, 0, NULL);
}

/* ---- operators and applications ---- */

static void issue(world_t *w, int k, uint64_t version, unsigned excluded)
{
    issued_t *o = &w->orders[k];
    order_t *x = &o->order.order;
    *o = (issued_t){ .excludes = excluded };
    *x = (order_t){ .version = version, .seat_count = (uint8_t)w->s.seats };
    memcpy(o->text, &excluded, sizeof excluded);
    o->text[7] = (uint8_t)k;
    sha256(&x->policy, view_of(o->text, sizeof o->text));
    for (int i = 0; i < w->s.seats; i++)
        x->seats[i] = w->nodes[i].platform;
    const uint8_t *cluster = NULL;
    for (int i = 0; i < w->count && k; i++)
        if (w->nodes[i].gen && gen_cluster(w->nodes[i].gen))
            cluster = gen_cluster(w->nodes[i].gen);
    if (cluster) {
        memcpy(x->cluster, cluster, 33);
        for (int tries = 0; tries < 6 && x->maker_count < 1 + (int)world_random(w, 3); tries++) {
            int m = (int)world_random(w, (uint64_t)w->count);
            if (!(excluded >> m & 1) && order_maker_index(x, w->nodes[m].key) < 0)
                memcpy(x->makers[x->maker_count++], w->nodes[m].key, 33);
        }
    }
    o->order.id.version = version;
    order_digest(&o->order.id.digest, x);
    o->order.signature_count = 1;
    memcpy(o->order.signatures[0].key, w->rules.signers[0], 33);
    if (ecdsa_sign(w->ecdsa, o->order.signatures[0].signature, NULL, &o->order.id.digest, w->signer))
        abort();
    o->order.text = view_of(o->text, sizeof o->text);
    o->bytes = malloc(ORDER_SIGNED_MAX + 8);
    wr_t out = wr_of(o->bytes, ORDER_SIGNED_MAX + 8);
    order_write(&out, &o->order, true);
    o->n = out.n;
    o->at_ms = w->now_ms;
    if (w->verbose)
        printf("%8.1f order %d: version %llu, makers %u, excludes %x\n", (double)w->now_ms / 1000, k,
               (unsigned long long)version, x->maker_count, excluded);
}

/* Operators make an order when its time comes, and present it to some member until all that live show it (F7). */
static void present(world_t *w, int k)
{
    issued_t *o = &w->orders[k];
    if (!o->presented) {
        unsigned excluded = w->orders[k - 1].excludes;
        bool tie = w->s.tie && k == w->order_count - 1 && k > 1;
        if (w->s.exclude && k == 1 && w->s.extra)
            excluded |= 1u << w->s.seats;
        issue(w, k, w->orders[k - 1].order.id.version + (tie ? 0 : 1), excluded);
        o->presented = true;
        for (int i = 0; i < w->count; i++)
            w->nodes[i].excluded = w->nodes[i].excluded || (excluded >> i & 1);
    }
    bool all = true;
    for (int i = 0; i < w->count; i++)
        all = all && (w->nodes[i].excluded || w->nodes[i].order == k ||
                      order_id_cmp(&w->orders[w->nodes[i].order].order.id, &o->order.id) > 0);
    if (!all)
        take_order(w, (int)world_random(w, (uint64_t)w->count), k);
    at(w, 15000, EV_PRESENT, k, 0, 0, NULL);
}

static void application(world_t *w, int id)
{
    app_t *a = &w->apps[id];
    a->sender = (int)world_random(w, (uint64_t)w->s.seats);
    node_t *x = &w->nodes[a->sender];
    uint8_t payload = (uint8_t)id;
    err_t e;
    a->agreed = world_random(w, 3) != 0;
    a->durable = world_random(w, 2);
    memcpy(a->sender_key, x->key, 33);
    a->at_ms = w->now_ms;
    rc_t rc = a->agreed
                  ? bracha_send(x->bracha, &e, a->durable ? BRACHA_DURABLE | 1 : 1, view_of(&payload, 1), w->now_ms)
                  : flood_publish(x->flood, &e, FLOOD_APPLICATION, view_of(&payload, 1), w->now_ms);
    if (rc)
        a->sender = -1; /* refused: nothing is promised */
    drain(w, (int)(x - w->nodes));
}

/* ---- a run ---- */

static void prepare(world_t *w, const scenario_t *s, uint64_t seed, bool verbose)
{
    uint8_t setup[32] = { 5 };
    *w = (world_t){ .s = *s, .random = seed * 0x9e3779b97f4a7c15ull | 1, .now_ms = 1000, .verbose = verbose };
    for (int i = 0; i < 8; i++)
        (void)world_random(w, 2);
    fast_ecdsa_clear();
    heap_n = 0;
    w->count = s->seats + s->extra;
    w->ecdsa = ecdsa_new(NULL);
    random_bytes(w, w->signer, 32);
    w->rules = (order_rules_t){ .threshold = 1, .signer_count = 1, .ecdsa = w->ecdsa };
    if (ecdsa_pubkey(w->ecdsa, w->rules.signers[0], w->signer))
        abort();
    for (int i = 0; i < w->count; i++) {
        memset(&w->nodes[i].platform, 0x10 + i, 32);
        w->nodes[i].liar = i >= s->seats - s->liars && i < s->seats;
    }
    issue(w, 0, 1, 0);
    w->order_count = 1 + s->orders;
    for (int i = 0; i < w->count; i++)
        start(w, i, 0);
    uint8_t secrets[KEY_SECRETS_LEN];
    random_bytes(w, secrets, sizeof secrets);
    hash32_t h;
    memcpy(h.b, setup, 32);
    if (gen_found(w->nodes[0].gen, secrets, &h))
        abort();
    memcpy(w->first_key, gen_cluster(w->nodes[0].gen), 33);
}

static void plan(world_t *w)
{
    const scenario_t *s = &w->s;
    for (int i = 0; i < w->count; i++) {
        at(w, world_random(w, 1000), EV_TICK, i, 0, 0, NULL);
        for (int j = 0; j < i; j++) {
            bool may = !s->partial || i - j == 1 || (i == w->count - 1 && j == 0) || world_random(w, 3) == 0;
            w->allowed[i][j] = w->allowed[j][i] = may;
            at(w, world_random(w, 1500), EV_DIAL, i, j, 0, NULL);
        }
    }
    const uint64_t begin = 15000;
    for (int i = 0; i < s->restarts; i++)
        at(w, begin + world_random(w, s->trouble_ms), EV_RESTART, (int)world_random(w, (uint64_t)w->count), 0, 0, NULL);
    if (s->all_at_once) {
        uint64_t when = begin + world_random(w, s->trouble_ms), spared = world_random(w, (uint64_t)w->count);
        for (int i = 0; i < w->count; i++)
            if (i != (int)spared)
                at(w, when, EV_RESTART, i, 0, 0, NULL);
    }
    for (int i = 0; i < s->cuts; i++) {
        int who = (int)world_random(w, (uint64_t)w->count);
        uint64_t from = begin + world_random(w, s->trouble_ms), long_ms = world_random(w, s->trouble_ms / 2);
        at(w, from, EV_CUT, who, 0, 0, NULL);
        at(w, from + long_ms, EV_HEAL, who, 0, 0, NULL);
    }
    if (s->long_cut) {
        at(w, begin, EV_CUT, 0, 0, 0, NULL);
        at(w, begin + 700000, EV_HEAL, 0, 0, 0, NULL);
    }
    for (int k = 1; k <= s->orders; k++)
        at(w, begin + s->trouble_ms * (uint64_t)k / (uint64_t)(s->orders + 1) + world_random(w, 3000), EV_PRESENT, k, 0,
           0, NULL);
    w->app_count = s->messages;
    for (int i = 0; i < s->messages; i++)
        at(w, begin + world_random(w, s->trouble_ms), EV_APP, i, 0, 0, NULL);
}

static void cut(world_t *w, int i, bool off)
{
    w->cut[i] = off;
    for (int j = 0; j < w->count && off; j++)
        if (w->up[i][j]) {
            close_link(w, i, j);
            tell_peers(w, i);
            tell_peers(w, j);
        }
    if (w->verbose)
        printf("%8.1f member %d is %s\n", (double)w->now_ms / 1000, i, off ? "cut off" : "back");
}

static void happen(world_t *w, const event_t *e)
{
    switch (e->kind) {
    case EV_MESSAGE: arrive(w, e->m); break;
    case EV_TICK: tick(w, e->a); break;
    case EV_DIAL: dial(w, e->a, e->b); break;
    case EV_ATTEST: attest(w, e->a, e->b, e->epoch); break;
    case EV_RESTART: restart(w, e->a); break;
    case EV_CUT: cut(w, e->a, true); break;
    case EV_HEAL: cut(w, e->a, false); break;
    case EV_PRESENT: present(w, e->a); break;
    case EV_APP: application(w, e->a); break;
    }
}

/* Weighs the heap, if a minute has gone by. */
static void weigh(world_t *w, uint64_t *next_ms)
{
    const uint64_t quarter = w->s.trouble_ms / 4, from = 15000;
    if (w->now_ms < *next_ms)
        return;
    *next_ms = w->now_ms + 60000;
    size_t *most = w->now_ms >= from + quarter && w->now_ms < from + 2 * quarter       ? &w->heap_early
                   : w->now_ms >= from + 3 * quarter && w->now_ms < from + 4 * quarter ? &w->heap_late
                                                                                       : NULL;
    const size_t now = mallinfo2().uordblks;
    if (most && now > *most)
        *most = now;
}

void world_run(world_t *w, const scenario_t *s, uint64_t seed, bool verbose)
{
    uint64_t weigh_ms = 0;
    prepare(w, s, seed, verbose);
    plan(w);
    uint64_t end = w->now_ms + 15000 + s->trouble_ms + s->trouble_ms / 2 + (s->long_cut ? 700000 : 0) + s->quiet_ms;
    while (heap_n && !w->broken[0] && heap[0].at_ms <= end) {
        event_t e = pop();
        w->now_ms = e.at_ms;
        happen(w, &e);
        weigh(w, &weigh_ms);
    }
    if (!w->broken[0])
        check_rest(w);
    while (heap_n) {
        event_t e = pop();
        message_free(e.m);
    }
    for (int i = 0; i < w->count; i++) {
        for (int j = 0; j < w->count; j++)
            for (int h = 0; h < w->nodes[i].links[j].held_count; h++)
                message_free(w->nodes[i].links[j].held[h]);
        stop(&w->nodes[i]);
    }
    for (int k = 0; k < ORDERS_MAX; k++)
        free(w->orders[k].bytes);
    free(w->instances);
    ecdsa_free(w->ecdsa);
}
