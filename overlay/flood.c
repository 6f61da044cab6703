#include "overlay/flood.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "overlay/guard.h"

#define OUT_MAX 2048u

typedef struct {
    flood_message_t m; /* payload on the heap; NULL id: a free place */
    hash32_t id;
    uint8_t from[33];
    uint64_t at_ms;
    bool there;
} kept_t;

typedef struct {
    flood_out_kind_t kind;
    uint8_t to[33];
    hash32_t id;      /* of SEND and DELIVER */
    hash32_t *wanted; /* of PULL, on the heap */
    size_t wanted_count;
} action_t;

struct flood {
    flood_config_t c;
    uint64_t seq; /* of our own last message */
    uint8_t peers[FLOOD_PEERS_MAX][33];
    size_t peer_count;
    kept_t kept[FLOOD_KEPT_MAX];
    size_t bytes;
    hash32_t known[FLOOD_KNOWN_MAX]; /* a ring: ids of all that came */
    size_t known_count, known_next;
    action_t out[OUT_MAX]; /* a ring */
    size_t out_first, out_count;
    hash32_t ids[FLOOD_KEPT_MAX]; /* of the last poll */
    hash32_t *polled;             /* to be freed at the next */
};

void flood_id(hash32_t *out, const flood_message_t *m)
{
    static const uint8_t tag[16] = "kettle-flood/1";
    uint8_t head[16 + 4 + 33 + 8];
    wr_t w = wr_of(head, sizeof head);
    wr_bytes(&w, tag, sizeof tag);
    wr_be(&w, m->kind, 4);
    wr_bytes(&w, m->author, sizeof m->author);
    wr_be(&w, m->seq, 8);
    const view_t parts[] = { wr_view(&w), m->payload };
    sha256_parts(out, parts, 2);
}

rc_t flood_new(flood_t **out, const flood_config_t *config)
{
    flood_t *f = calloc(1, sizeof *f);
    if (!f)
        return RC_NOMEM;
    f->c = *config;
    *out = f;
    return RC_OK;
}

static void drop(flood_t *f, kept_t *k)
{
    if (!k->there)
        return;
    f->bytes -= k->m.payload.n;
    free((uint8_t *)(uintptr_t)k->m.payload.p);
    k->there = false;
}

void flood_free(flood_t *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < FLOOD_KEPT_MAX; i++)
        drop(f, &f->kept[i]);
    for (size_t i = 0; i < f->out_count; i++)
        free(f->out[(f->out_first + i) % OUT_MAX].wanted);
    free(f->polled);
    free(f);
}

static kept_t *find(flood_t *f, const hash32_t *id)
{
    for (size_t i = 0; i < FLOOD_KEPT_MAX; i++)
        if (f->kept[i].there && hash32_eq(&f->kept[i].id, id))
            return &f->kept[i];
    return NULL;
}

static bool is_known(const flood_t *f, const hash32_t *id)
{
    for (size_t i = 0; i < f->known_count; i++)
        if (hash32_eq(&f->known[i], id))
            return true;
    return false;
}

static void remember(flood_t *f, const hash32_t *id)
{
    f->known[f->known_next] = *id;
    f->known_next = (f->known_next + 1) % FLOOD_KNOWN_MAX;
    f->known_count += f->known_count < FLOOD_KNOWN_MAX;
}

/* Another message of the same author and number. */
static kept_t *find_rival(flood_t *f, const kept_t *k)
{
    for (size_t i = 0; i < FLOOD_KEPT_MAX; i++) {
        kept_t *other = &f->kept[i];
        if (other != k && other->there && other->m.seq == k->m.seq &&
            memcmp(other->m.author, k->m.author, sizeof k->m.author) == 0)
            return other;
    }
    return NULL;
}

static void expire(flood_t *f, uint64_t now_ms)
{
    for (size_t i = 0; i < FLOOD_KEPT_MAX; i++)
        if (f->kept[i].there && now_ms - f->kept[i].at_ms >= FLOOD_KEEP_MS)
            drop(f, &f->kept[i]);
}

/* The oldest message, or the oldest that came from one peer; NULL: none. */
static kept_t *oldest_of(flood_t *f, const uint8_t *from)
{
    kept_t *oldest = NULL;
    for (size_t i = 0; i < FLOOD_KEPT_MAX; i++) {
        kept_t *k = &f->kept[i];
        if (k->there && (!from || memcmp(k->from, from, sizeof k->from) == 0) && (!oldest || k->at_ms < oldest->at_ms))
            oldest = k;
    }
    return oldest;
}

/* A free place, within the bounds with n bytes more; the oldest make room. */
static kept_t *room(flood_t *f, size_t n)
{
    for (;;) {
        kept_t *empty = NULL;
        for (size_t i = 0; i < FLOOD_KEPT_MAX && !empty; i++)
            empty = f->kept[i].there ? NULL : &f->kept[i];
        if (empty && f->bytes + n <= FLOOD_KEPT_BYTES_MAX)
            return empty;
        drop(f, oldest_of(f, NULL));
    }
}

static action_t *act(flood_t *f, flood_out_kind_t kind, const uint8_t *to, const hash32_t *id)
{
    if (f->out_count == OUT_MAX)
        return NULL;
    action_t *a = &f->out[(f->out_first + f->out_count++) % OUT_MAX];
    *a = (action_t){ .kind = kind };
    if (to)
        memcpy(a->to, to, sizeof a->to);
    if (id)
        a->id = *id;
    return a;
}

/* Messages of an author, or (author NULL) that came from a peer. */
static size_t count_of(const flood_t *f, const uint8_t *author, const uint8_t *from)
{
    size_t n = 0;
    for (size_t i = 0; i < FLOOD_KEPT_MAX; i++) {
        const kept_t *k = &f->kept[i];
        n += k->there && memcmp(author ? k->m.author : k->from, author ? author : from, 33) == 0;
    }
    return n;
}

/* Keeps a message, hands it on, delivers it. from: NULL: our own. */
static rc_t accept(flood_t *f, const uint8_t *from, const flood_message_t *m, const hash32_t *id, uint64_t now_ms)
{
    if (f->out_count + f->peer_count + 1 > OUT_MAX)
        return RC_LIMIT; /* the edge is behind */
    uint8_t *copy = malloc(m->payload.n + 1);
    if (!copy)
        return RC_NOMEM;
    if (m->payload.n)
        memcpy(copy, m->payload.p, m->payload.n);
    if (from && count_of(f, NULL, from) >= FLOOD_PER_PEER_MAX)
        drop(f, oldest_of(f, from));
    kept_t *k = room(f, m->payload.n);
    remember(f, id);
    *k = (kept_t){ .m = *m, .id = *id, .at_ms = now_ms, .there = true };
    k->m.payload.p = copy;
    memcpy(k->from, from ? from : f->c.self, sizeof k->from);
    f->bytes += m->payload.n;
    for (size_t i = 0; i < f->peer_count; i++)
        if (!from || (GUARD(FLOOD_FORWARD) && memcmp(f->peers[i], from, 33) != 0))
            (void)act(f, FLOOD_SEND, f->peers[i], id);
    (void)act(f, FLOOD_DELIVER, NULL, id);
    return RC_OK;
}

/* How many messages of our own may be out: others refuse more of one author, and what generations need has a part of
 * that to itself. */
static size_t own_max(uint32_t kind)
{
    const bool is_of_keys = kind == FLOOD_ACK || kind == FLOOD_COMMIT || kind == FLOOD_EVIDENCE;
    return is_of_keys ? FLOOD_PER_AUTHOR_MAX : FLOOD_PER_AUTHOR_MAX - FLOOD_OF_KEYS;
}

rc_t flood_publish(flood_t *f, err_t *e, uint32_t kind, view_t payload, uint64_t now_ms)
{
    flood_message_t m = { .kind = kind, .seq = f->seq + 1, .payload = payload };
    hash32_t id;
    if (payload.n > FLOOD_PAYLOAD_MAX)
        return err_in(e, RC_LIMIT, "payload", "is longer than %u", FLOOD_PAYLOAD_MAX);
    expire(f, now_ms);
    if (count_of(f, f->c.self, NULL) >= own_max(kind))
        return err_say(e, RC_LIMIT, "too many messages of our own in ten minutes");
    memcpy(m.author, f->c.self, sizeof m.author);
    flood_id(&id, &m);
    rc_t rc = f->c.sign(f->c.sign_ctx, m.signature, &id);
    if (!rc)
        rc = accept(f, NULL, &m, &id, now_ms);
    if (rc)
        return err_say(e, rc, "the message is not sent");
    f->seq++;
    return RC_OK;
}

rc_t flood_take(flood_t *f, err_t *e, const uint8_t from[33], const flood_message_t *m, uint64_t now_ms)
{
    hash32_t id;
    if (m->payload.n > FLOOD_PAYLOAD_MAX)
        return err_in(e, RC_LIMIT, "payload", "is longer than %u", FLOOD_PAYLOAD_MAX);
    flood_id(&id, m);
    expire(f, now_ms);
    if (is_known(f, &id))
        return RC_OK;
    if (ecdsa_verify(f->c.ecdsa, m->signature, &id, m->author))
        return err_in(e, RC_REFUSED, "signature", "is not the author's");
    if (count_of(f, m->author, NULL) >= FLOOD_PER_AUTHOR_MAX)
        return err_in(e, RC_LIMIT, "author", "sends too much");
    rc_t rc = accept(f, from, m, &id, now_ms);
    return rc ? err_say(e, rc, "the message is not taken") : RC_OK;
}

static size_t peer_index(const flood_t *f, const uint8_t peer[33])
{
    size_t i = 0;
    while (i < f->peer_count && memcmp(f->peers[i], peer, 33) != 0)
        i++;
    return i;
}

rc_t flood_connected(flood_t *f, const uint8_t peer[33], uint64_t now_ms)
{
    size_t i = peer_index(f, peer);
    expire(f, now_ms);
    if (i == FLOOD_PEERS_MAX)
        return RC_LIMIT;
    if (i == f->peer_count)
        memcpy(f->peers[f->peer_count++], peer, 33);
    if (!GUARD(FLOOD_SYNC))
        return RC_OK;
    return act(f, FLOOD_IDS, peer, NULL) ? RC_OK : RC_LIMIT;
}

void flood_gone(flood_t *f, const uint8_t peer[33])
{
    size_t i = peer_index(f, peer);
    if (i < f->peer_count)
        memmove(f->peers[i], f->peers[i + 1], (--f->peer_count - i) * sizeof f->peers[0]);
}

rc_t flood_take_ids(flood_t *f, const uint8_t from[33], const hash32_t *ids, size_t n, uint64_t now_ms)
{
    if (n > FLOOD_KEPT_MAX)
        return RC_LIMIT;
    expire(f, now_ms);
    hash32_t *wanted = malloc(n * sizeof *wanted + 1);
    size_t count = 0;
    if (!wanted)
        return RC_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (!is_known(f, &ids[i]))
            wanted[count++] = ids[i];
    action_t *a = count ? act(f, FLOOD_PULL, from, NULL) : NULL;
    if (!a) {
        free(wanted);
        return count ? RC_LIMIT : RC_OK;
    }
    a->wanted = wanted;
    a->wanted_count = count;
    return RC_OK;
}

rc_t flood_take_pull(flood_t *f, const uint8_t from[33], const hash32_t *ids, size_t n, uint64_t now_ms)
{
    if (n > FLOOD_KEPT_MAX)
        return RC_LIMIT;
    expire(f, now_ms);
    for (size_t i = 0; i < n; i++)
        if (find(f, &ids[i]) && !act(f, FLOOD_SEND, from, &ids[i]))
            return RC_LIMIT;
    return RC_OK;
}

static bool fill_message(flood_out_t *out, flood_t *f, const hash32_t *id)
{
    kept_t *k = find(f, id), *rival = k && out->kind == FLOOD_DELIVER ? find_rival(f, k) : NULL;
    out->message = k ? &k->m : NULL;
    out->rival = rival ? &rival->m : NULL;
    return k != NULL;
}

static bool fill_ids(flood_out_t *out, flood_t *f)
{
    out->ids = f->ids;
    for (size_t i = 0; i < FLOOD_KEPT_MAX; i++)
        if (f->kept[i].there)
            f->ids[out->id_count++] = f->kept[i].id;
    return out->id_count > 0;
}

static bool fill_wanted(flood_out_t *out, flood_t *f, action_t *a)
{
    out->ids = f->polled = a->wanted;
    out->id_count = a->wanted_count;
    a->wanted = NULL;
    return true;
}

/* False: what it was about is gone, or there is nothing to tell. */
static bool fill(flood_out_t *out, flood_t *f, action_t *a)
{
    *out = (flood_out_t){ .kind = a->kind };
    memcpy(out->to, a->to, sizeof out->to);
    switch (a->kind) {
    case FLOOD_SEND:
    case FLOOD_DELIVER: return fill_message(out, f, &a->id);
    case FLOOD_IDS: return fill_ids(out, f);
    case FLOOD_PULL: return fill_wanted(out, f, a);
    }
    return false;
}

bool flood_poll(flood_t *f, flood_out_t *out)
{
    free(f->polled);
    f->polled = NULL;
    while (f->out_count) {
        action_t *a = &f->out[f->out_first];
        f->out_first = (f->out_first + 1) % OUT_MAX;
        f->out_count--;
        if (fill(out, f, a))
            return true;
    }
    return false;
}
