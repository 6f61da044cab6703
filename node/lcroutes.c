#include "node/lcroutes.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/hex.h"
#include "base/json.h"
#include "rpc/upstream/beacon.h"

#define DIGEST_LEN 4u
#define KEPT_MAX 8u /* answers */
#define ANSWER_MAX ((size_t)1 << 20)
#define ARENA_MAX ((size_t)4 << 20)

/* An answer that was made. */
typedef struct {
    lc_want_t want;
    bool ssz;
    uint64_t version;    /* of the store */
    uint64_t used;       /* grows */
    hs_shared_t *answer; /* NULL: none */
} kept_t;

struct lcroutes {
    const lc_network_t *network;
    objects_t *objects;
    char key[2 * ECDSA_PUBKEY_LEN + 1];
    unsigned flags;
    pthread_mutex_t lock; /* guards what follows */
    kept_t kept[KEPT_MAX];
    uint64_t uses;
};

lcroutes_t *lcroutes_new(const lc_network_t *network, objects_t *objects, const uint8_t node_key[ECDSA_PUBKEY_LEN],
                         unsigned flags)
{
    lcroutes_t *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->network = network;
    l->objects = objects;
    l->flags = flags | HS_CORS;
    hex_encode(l->key, view_of(node_key, ECDSA_PUBKEY_LEN));
    pthread_mutex_init(&l->lock, NULL);
    return l;
}

void lcroutes_free(lcroutes_t *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < KEPT_MAX; i++)
        hs_shared_unref(l->kept[i].answer);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* ---- what is asked ---- */

/* The weight that an Accept header gives a type, in thousandths; 0: it does not have it. */
static unsigned weight_of(const char *accept, const char *type)
{
    const size_t n = strlen(type);
    for (const char *p = accept; *p; p += strcspn(p, ","), p += *p == ',') {
        p += strspn(p, " \t");
        if (strncasecmp(p, type, n) != 0 || !strchr(" \t;,", p[n]))
            continue;
        const char *q = strstr(p + n, "q="), *end = p + strcspn(p, ",");
        const double weight = q && q < end ? strtod(q + 2, NULL) : 1;
        return weight > 0 && weight <= 1 ? (unsigned)(weight * 1000) : 0;
    }
    return 0;
}

static bool prefers_ssz(const char *accept)
{
    const unsigned json = weight_of(accept, "application/json"), any = weight_of(accept, "*/*");
    return weight_of(accept, "application/octet-stream") > (json > any ? json : any);
}

/* A decimal number of the query: name, then "=". False: it is not there once, or is no number. */
static bool read_number(uint64_t *out, const char *query, const char *name)
{
    const size_t n = strlen(name);
    unsigned found = 0;
    for (const char *p = query; *p; p += *p == '&') {
        const size_t len = strcspn(p, "&");
        if (len > n + 1 && len <= n + 1 + 19 && !strncmp(p, name, n) && p[n] == '=') {
            const size_t digits = strspn(p + n + 1, "0123456789");
            found += digits == len - n - 1 ? 1 : 2;
            *out = strtoull(p + n + 1, NULL, 10);
        }
        p += len;
    }
    return found == 1;
}

/* RC_MALFORMED: e says what is wrong. */
static rc_t read_want(lc_want_t *out, err_t *e, const hs_request_t *q)
{
    const char *what = q->path + sizeof LCROUTES_BASE - 1;
    uint64_t count = 0;
    *out = (lc_want_t){ .count = 1 };
    if (!strcmp(what, "finality_update"))
        out->kind = LC_FINALITY;
    else if (!strcmp(what, "optimistic_update"))
        out->kind = LC_OPTIMISTIC;
    else if (!strcmp(what, "updates")) {
        out->kind = LC_UPDATE;
        if (!read_number(&out->period, q->query, "start_period") || !read_number(&count, q->query, "count") || !count)
            return err_say(e, RC_MALFORMED, "start_period and count are needed: two numbers, count from 1 on");
        out->count = count < LCROUTES_UPDATES_MAX ? (uint32_t)count : LCROUTES_UPDATES_MAX;
    } else {
        out->kind = LC_BOOTSTRAP;
        if (strncmp(what, "bootstrap/0x", 12) || hex_decode_exact(out->block_root.b, 32, what + 12, strlen(what + 12)))
            return err_say(e, RC_MALFORMED, "a block root is needed: 0x and 32 bytes of hex");
    }
    return RC_OK;
}

/* ---- answers ---- */

static void refuse(hs_response_t *r, int status, const char *message)
{
    jw_t w = jw_of(NULL, 1024);
    jw_object(&w, NULL);
    jw_u64(&w, "code", (uint64_t)status);
    jw_str(&w, "message", message);
    jw_end(&w);
    const view_t text = jw_done(&w);
    hs_response_clear(r);
    r->status = status;
    if (text.p) { /* without memory the status alone has to do */
        r->body = (uint8_t *)w.p;
        r->body_len = text.n;
        w.p = NULL;
    }
    jw_free(&w);
}

/* What the store has of a want. */
typedef struct {
    bn_object_t objects[LCDATA_OBJECTS_MAX];
    size_t count;
} found_t;

static bool find(lcroutes_t *l, found_t *out, arena_t *a, const lc_want_t *want)
{
    view_t packed[LCDATA_OBJECTS_MAX];
    out->count = objects_get(l->objects, packed, a, want);
    for (size_t i = 0; i < out->count; i++) {
        out->objects[i].ssz = view_of(packed[i].p + DIGEST_LEN, packed[i].n - DIGEST_LEN);
        if (lc_fork_from_digest(&out->objects[i].fork, l->network, packed[i].p))
            return false;
    }
    return true;
}

/* The updates route in SSZ: length of the rest, digest at the slot of the attested header, object; for each. */
static bool put_updates(wr_t *w, const lcroutes_t *l, const found_t *f)
{
    for (size_t i = 0; i < f->count; i++) {
        uint8_t digest[DIGEST_LEN];
        uint64_t slot;
        if (!bn_slot(&slot, &f->objects[i]))
            return false;
        lc_fork_digest(digest, l->network, lc_epoch_of_slot(l->network, slot));
        wr_u64le(w, DIGEST_LEN + f->objects[i].ssz.n);
        wr_bytes(w, digest, DIGEST_LEN);
        wr_bytes(w, f->objects[i].ssz.p, f->objects[i].ssz.n);
    }
    return !w->bad;
}

static bool put_json(jw_t *w, const lcroutes_t *l, lc_kind_t kind, const bn_object_t *o)
{
    jw_object(w, NULL);
    jw_str(w, "version", lc_fork_name(o->fork));
    const rc_t rc = bn_write(w, "data", l->network, kind, o);
    jw_end(w);
    return !rc;
}

/* The body in the form that is wanted; p NULL: it cannot be made. */
static view_t body_of(const lcroutes_t *l, arena_t *a, const lc_want_t *want, const found_t *f, bool ssz)
{
    bool ok = true;
    if (ssz && want->kind != LC_UPDATE)
        return f->objects[0].ssz;
    if (ssz) {
        uint8_t *bytes = arena_alloc(a, ANSWER_MAX);
        wr_t w = wr_of(bytes, bytes ? ANSWER_MAX : 0);
        return bytes && put_updates(&w, l, f) ? wr_view(&w) : view_of(NULL, 0);
    }
    jw_t w = jw_of(a, ANSWER_MAX);
    if (want->kind == LC_UPDATE)
        jw_array(&w, NULL);
    for (size_t i = 0; ok && i < f->count; i++)
        ok = put_json(&w, l, want->kind, &f->objects[i]);
    if (want->kind == LC_UPDATE)
        jw_end(&w);
    return ok ? jw_done(&w) : view_of(NULL, 0);
}

static hs_shared_t *finish(const lcroutes_t *l, view_t body, bool ssz, const char *version)
{
    hs_shared_t *s = hs_shared_new(200, ssz ? "application/octet-stream" : NULL, body, l->flags);
    if (s && (!hs_shared_header(s, "Kettle-Node", l->key) || !hs_shared_header(s, "Vary", "Accept") ||
              (version && !hs_shared_header(s, "Eth-Consensus-Version", version)))) {
        hs_shared_unref(s);
        s = NULL;
    }
    return s;
}

/* Makes the answer; NULL: there is none, and r says why. */
static hs_shared_t *make(lcroutes_t *l, hs_response_t *r, const lc_want_t *want, bool ssz)
{
    found_t *f = calloc(1, sizeof *f);
    hs_shared_t *made = NULL;
    arena_t a;
    arena_init(&a, ARENA_MAX);
    const bool ok = f && find(l, f, &a, want), none = ok && !f->count && want->kind != LC_UPDATE;
    if (none)
        refuse(r, 404, want->kind == LC_BOOTSTRAP ? "this node has no bootstrap of that block" : "there is none yet");
    const view_t body = ok && !none ? body_of(l, &a, want, f, ssz) : view_of(NULL, 0);
    if (ok && !none && (body.p || (ssz && !f->count)))
        made = finish(l, body, ssz, want->kind == LC_UPDATE ? NULL : lc_fork_name(f->objects[0].fork));
    if (!made && !none)
        refuse(r, 503, "out of memory");
    arena_free(&a);
    free(f);
    return made;
}

static bool same(const lc_want_t *a, const lc_want_t *b)
{
    return a->kind == b->kind && a->period == b->period && a->count == b->count &&
           hash32_eq(&a->block_root, &b->block_root);
}

/* A reference to the answer of this version of the store, or NULL. With the lock held. */
static hs_shared_t *kept_answer(lcroutes_t *l, const lc_want_t *want, bool ssz, uint64_t version)
{
    for (size_t i = 0; i < KEPT_MAX; i++) {
        kept_t *k = &l->kept[i];
        if (k->answer && k->ssz == ssz && k->version == version && same(&k->want, want)) {
            k->used = ++l->uses;
            return hs_shared_ref(k->answer);
        }
    }
    return NULL;
}

/* Keeps a reference of its own, in the place of what was not used for longest. With the lock held; gives the answer
 * that was there. */
static hs_shared_t *keep(lcroutes_t *l, hs_shared_t *answer, const lc_want_t *want, bool ssz, uint64_t version)
{
    kept_t *place = &l->kept[0];
    for (size_t i = 1; i < KEPT_MAX; i++)
        if (l->kept[i].used < place->used)
            place = &l->kept[i];
    hs_shared_t *old = place->answer;
    *place = (kept_t){ *want, ssz, version, ++l->uses, hs_shared_ref(answer) };
    return old;
}

static void get_object(lcroutes_t *l, hs_response_t *r, const lc_want_t *want, bool ssz)
{
    const uint64_t version = objects_version(l->objects); /* before it is read: what is made may be newer, not older */
    pthread_mutex_lock(&l->lock);
    hs_shared_t *found = kept_answer(l, want, ssz, version);
    pthread_mutex_unlock(&l->lock);
    if (!found && (found = make(l, r, want, ssz))) {
        pthread_mutex_lock(&l->lock);
        hs_shared_t *old = keep(l, found, want, ssz, version);
        pthread_mutex_unlock(&l->lock);
        hs_shared_unref(old);
    }
    r->shared = found;
}

static void get_genesis(const lcroutes_t *l, hs_response_t *r)
{
    const lc_network_t *net = l->network;
    char text[512];
    jw_t w = jw_in(text, sizeof text);
    jw_object(&w, NULL);
    jw_object(&w, "data");
    jw_decimal(&w, "genesis_time", net->genesis_time);
    jw_hex(&w, "genesis_validators_root", view_of(net->genesis_validators_root.b, 32));
    jw_hex(&w, "genesis_fork_version", view_of(net->genesis_fork_version, 4));
    jw_end(&w);
    jw_end(&w);
    r->shared = finish(l, jw_done(&w), false, NULL);
    if (!r->shared)
        refuse(r, 503, "out of memory");
}

void lcroutes_get(lcroutes_t *l, hs_response_t *r, const hs_request_t *request)
{
    lc_want_t want;
    err_t e;
    if (!l)
        refuse(r, 404, "this node does not serve the light-client routes");
    else if (!strcmp(request->path, LCROUTES_GENESIS))
        get_genesis(l, r);
    else if (read_want(&want, &e, request))
        refuse(r, 400, e.text);
    else
        get_object(l, r, &want, prefers_ssz(request->accept));
}
