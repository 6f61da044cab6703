#include "node/chain/claims.h"

#include <pthread.h>
#include <stdlib.h>

#define DIGEST_LEN 4u

/* What one state claims, or evidence. */
typedef struct waiting {
    struct waiting *next;
    uint64_t number;         /* 0: evidence, in bytes */
    state_claim_t claims[3]; /* that it signed; optimistic, finalized; their updates in bytes */
    size_t n;
    uint8_t bytes[];
} waiting_t;

/* A header that is proven. */
typedef struct {
    uint64_t slot;
    hash32_t root;
    lc_kind_t kind;
    uint8_t *update; /* fork digest, SSZ; NULL: free */
    size_t n;
} proof_t;

typedef struct {
    proof_t rows[CLAIMS_PROOFS_MAX];
    size_t next;
} ring_t;

struct claims {
    const lc_network_t *network;
    lc_update_t *update, *other; /* room to decode; the follower's thread only */
    pthread_mutex_t lock;        /* guards what follows */
    claims_listener_t listener;
    worker_t *worker;
    waiting_t *first;
    size_t states, evidence; /* that wait */
    ring_t rings[2];         /* attested, finalized */
};

claims_t *claims_new(const lc_network_t *network)
{
    claims_t *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->network = network;
    c->update = malloc(sizeof *c->update);
    c->other = malloc(sizeof *c->other);
    pthread_mutex_init(&c->lock, NULL);
    if (c->update && c->other)
        return c;
    claims_free(c);
    return NULL;
}

void claims_free(claims_t *c)
{
    if (!c)
        return;
    for (waiting_t *w = c->first, *next; w; w = next) {
        next = w->next;
        free(w);
    }
    for (size_t i = 0; i < CLAIMS_PROOFS_MAX; i++) {
        free(c->rings[0].rows[i].update);
        free(c->rings[1].rows[i].update);
    }
    free(c->update);
    free(c->other);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void claims_listen(claims_t *c, const claims_listener_t *listener)
{
    pthread_mutex_lock(&c->lock);
    c->listener = listener ? *listener : (claims_listener_t){ .ctx = NULL };
    pthread_mutex_unlock(&c->lock);
}

void claims_wakes(claims_t *c, worker_t *w)
{
    pthread_mutex_lock(&c->lock);
    c->worker = w;
    pthread_mutex_unlock(&c->lock);
}

/* ---- what waits ---- */

/* Whether one takes the other's place: of one connection, or the same evidence. */
static bool is_same(const waiting_t *a, const waiting_t *b)
{
    return a->number == b->number && (a->number || view_eq(view_of(a->bytes, a->n), view_of(b->bytes, b->n)));
}

/* Puts it behind the others; in the place of what the same connection claimed before. again: it was there, and what has
 * come since is newer. RC_LIMIT: there is no room. */
static rc_t add(claims_t *c, waiting_t *w, bool again)
{
    pthread_mutex_lock(&c->lock);
    waiting_t **at = &c->first;
    while (*at && !is_same(*at, w))
        at = &(*at)->next;
    waiting_t *old = *at;
    size_t *count = w->number ? &c->states : &c->evidence;
    const bool fits = old ? !again : *count < (w->number ? CLAIMS_WAITING_MAX : CLAIMS_EVIDENCE_MAX);
    if (fits) {
        w->next = old ? old->next : NULL;
        *at = w;
        *count += !old;
    }
    if (fits && !again && c->worker)
        worker_wake(c->worker);
    pthread_mutex_unlock(&c->lock);
    free(fits ? old : w);
    return fits ? RC_OK : RC_LIMIT;
}

static waiting_t *take(claims_t *c)
{
    pthread_mutex_lock(&c->lock);
    waiting_t *w = c->first;
    if (w) {
        c->first = w->next;
        (*(w->number ? &c->states : &c->evidence))--;
    }
    pthread_mutex_unlock(&c->lock);
    return w;
}

rc_t claims_put(claims_t *c, uint64_t number, const state_t *state)
{
    const state_claim_t *from[] = { &state->highest_signed, &state->optimistic, &state->finalized };
    size_t n = 0;
    for (size_t i = 0; i < 3; i++)
        n += from[i]->update.n;
    waiting_t *w = malloc(sizeof *w + n);
    if (!w)
        return RC_NOMEM;
    *w = (waiting_t){ .number = number };
    for (size_t i = 0; i < 3; i++) {
        w->claims[i] = *from[i];
        w->claims[i].update = view_of(w->bytes + w->n, from[i]->update.n);
        if (from[i]->update.n)
            memcpy(w->bytes + w->n, from[i]->update.p, from[i]->update.n);
        w->n += from[i]->update.n;
    }
    return add(c, w, false);
}

rc_t claims_put_evidence(claims_t *c, view_t evidence)
{
    waiting_t *w = evidence.n && evidence.n <= CLAIMS_SPLIT_MAX ? malloc(sizeof *w + evidence.n) : NULL;
    if (!w)
        return evidence.n && evidence.n <= CLAIMS_SPLIT_MAX ? RC_NOMEM : RC_LIMIT;
    *w = (waiting_t){ .n = evidence.n };
    memcpy(w->bytes, evidence.p, evidence.n);
    return add(c, w, false);
}

/* ---- what is proven ---- */

static const proof_t *find(const ring_t *r, uint64_t slot)
{
    for (size_t i = 0; i < CLAIMS_PROOFS_MAX; i++)
        if (r->rows[i].update && r->rows[i].slot == slot)
            return &r->rows[i];
    return NULL;
}

/* With the lock held. */
static void keep(ring_t *r, const lc_network_t *net, const lc_head_t *head, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    proof_t *p = &r->rows[r->next % CLAIMS_PROOFS_MAX];
    uint8_t *update = malloc(DIGEST_LEN + ssz.n);
    if (!update)
        return;
    lc_fork_digest(update, net, net->fork_epoch[fork]);
    memcpy(update + DIGEST_LEN, ssz.p, ssz.n);
    free(p->update);
    *p = (proof_t){ head->header.beacon.slot, head->beacon_root, kind, update, DIGEST_LEN + ssz.n };
    r->next++;
}

void claims_note(claims_t *c, const lc_sync_t *sync, unsigned moved, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    lc_head_t heads[2];
    if ((kind != LC_FINALITY && kind != LC_OPTIMISTIC) || ssz.n > CLAIMS_PROOF_MAX - DIGEST_LEN)
        return;
    lc_sync_latest(sync, &heads[0]);
    lc_sync_finalized(sync, &heads[1]);
    pthread_mutex_lock(&c->lock);
    if (moved & LC_MOVED_HEAD)
        keep(&c->rings[0], c->network, &heads[0], kind, fork, ssz);
    if (moved & LC_MOVED_FINALIZED)
        keep(&c->rings[1], c->network, &heads[1], kind, fork, ssz);
    pthread_mutex_unlock(&c->lock);
}

bool claims_newest(claims_t *c, state_claim_t *out, uint8_t buf[CLAIMS_PROOF_MAX], bool finalized, uint64_t up_to)
{
    const ring_t *r = &c->rings[finalized];
    const proof_t *best = NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < CLAIMS_PROOFS_MAX; i++)
        if (r->rows[i].update && r->rows[i].slot <= up_to && (!best || r->rows[i].slot > best->slot))
            best = &r->rows[i];
    if (best) {
        memcpy(buf, best->update, best->n);
        *out = (state_claim_t){ true, best->slot, best->root, view_of(buf, best->n) };
    }
    pthread_mutex_unlock(&c->lock);
    return best != NULL;
}

/* ---- evidence ---- */

static const uint8_t split_tag[16] = "kettle-split/1";

void claims_split_write(wr_t *w, const claims_split_t *s)
{
    wr_bytes(w, split_tag, sizeof split_tag);
    for (size_t i = 0; i < 2; i++) {
        wr_u8(w, (uint8_t)s->kinds[i]);
        wr_be(w, s->updates[i].n, 4);
        wr_bytes(w, s->updates[i].p, s->updates[i].n);
    }
}

rc_t claims_split_read(claims_split_t *out, err_t *e, view_t in)
{
    claims_split_t s;
    rd_t r = rd_of(in);
    const view_t tag = rd_take(&r, sizeof split_tag);
    for (size_t i = 0; i < 2; i++) {
        const unsigned kind = rd_u8(&r);
        r.bad |= kind != LC_FINALITY && kind != LC_OPTIMISTIC;
        s.kinds[i] = kind == LC_FINALITY ? LC_FINALITY : LC_OPTIMISTIC;
        s.updates[i] = rd_take(&r, rd_u32be(&r));
        r.bad |= s.updates[i].n > CLAIMS_PROOF_MAX;
    }
    if (!rd_done(&r) || !view_eq(tag, view_of(split_tag, sizeof split_tag)))
        return err_say(e, RC_MALFORMED, "evidence against a sync committee is malformed");
    *out = s;
    return RC_OK;
}

/* ---- judging, on the follower's thread ---- */

/* Decodes an update, of the kind that its form shows (LC_UPDATE: of either). */
static rc_t decode(lc_update_t *out, lc_kind_t *kind, lc_fork_t *fork, const lc_network_t *net, view_t update)
{
    if (update.n < DIGEST_LEN || lc_fork_from_digest(fork, net, update.p))
        return RC_MALFORMED;
    const view_t ssz = view_of(update.p + DIGEST_LEN, update.n - DIGEST_LEN);
    if (*kind != LC_FINALITY && !lc_update_decode(out, net, *fork, LC_OPTIMISTIC, ssz)) {
        *kind = LC_OPTIMISTIC;
        return RC_OK;
    }
    if (*kind == LC_OPTIMISTIC)
        return RC_MALFORMED;
    *kind = LC_FINALITY;
    return lc_update_decode(out, net, *fork, LC_FINALITY, ssz);
}

/* Whether two thirds of a committee that the store knows have signed it. */
static rc_t proves(lc_verdict_t *verdict, const lc_sync_t *sync, const lc_update_t *u)
{
    const lc_store_t *store = lc_sync_store(sync);
    const rc_t rc = store ? lc_store_check(store, verdict, NULL, u, UINT64_MAX) : RC_NEED_DATA;
    return rc ? rc : verdict->supermajority ? RC_OK : RC_REFUSED;
}

static const hash32_t *root_of(const lc_verdict_t *v, bool finalized)
{
    return finalized ? &v->finalized_root : &v->attested_root;
}

static uint64_t slot_of(const lc_update_t *u, bool finalized)
{
    return finalized ? u->finalized_header.beacon.slot : u->attested_header.beacon.slot;
}

/* Two proven updates name different headers of one slot: which slot. False: they do not. */
static bool contradict(uint64_t *slot, const claims_t *c, const lc_verdict_t v[2])
{
    for (int finalized = 0; finalized < 2; finalized++) {
        *slot = slot_of(c->update, finalized);
        const bool both = !finalized || (c->update->has_finality && c->other->has_finality);
        if (both && *slot && *slot == slot_of(c->other, finalized) &&
            !hash32_eq(root_of(&v[0], finalized), root_of(&v[1], finalized)))
            return true;
    }
    return false;
}

/* Judges evidence by itself. RC_NEED_DATA: the signers are not known yet. */
static rc_t judge_split(uint64_t *slot, claims_t *c, const lc_sync_t *sync, view_t evidence)
{
    claims_split_t s;
    lc_verdict_t v[2];
    lc_fork_t fork;
    rc_t rc = claims_split_read(&s, NULL, evidence);
    if (!rc)
        rc = decode(c->update, &s.kinds[0], &fork, c->network, s.updates[0]);
    if (!rc)
        rc = decode(c->other, &s.kinds[1], &fork, c->network, s.updates[1]);
    if (!rc)
        rc = proves(&v[0], sync, c->update);
    if (!rc)
        rc = proves(&v[1], sync, c->other);
    return rc ? rc : contradict(slot, c, v) ? RC_OK : RC_REFUSED;
}

static void tell_split(claims_t *c, uint64_t slot, view_t evidence)
{
    pthread_mutex_lock(&c->lock);
    const claims_listener_t l = c->listener;
    pthread_mutex_unlock(&c->lock);
    if (l.split)
        l.split(l.ctx, slot, evidence);
}

/* A claimed header has another root than the one that we hold proven at its slot: if it is proven, too, both together
 * are evidence. */
static void look_for_split(claims_t *c, const lc_sync_t *sync, const state_claim_t *claim, lc_kind_t kind,
                           bool finalized)
{
    uint8_t *buf = malloc(CLAIMS_SPLIT_MAX);
    wr_t w = wr_of(buf, buf ? CLAIMS_SPLIT_MAX : 0);
    uint64_t slot;
    pthread_mutex_lock(&c->lock);
    const proof_t *ours = find(&c->rings[finalized], claim->slot);
    const bool differs = ours && !hash32_eq(&ours->root, &claim->root);
    if (differs)
        claims_split_write(
            &w, &(claims_split_t){ { ours->kind, kind }, { view_of(ours->update, ours->n), claim->update } });
    pthread_mutex_unlock(&c->lock);
    if (differs && !w.bad && !judge_split(&slot, c, sync, wr_view(&w)))
        tell_split(c, slot, wr_view(&w));
    free(buf);
}

/* Whether the store holds that header proven, now that the update was fed. */
static bool holds(const lc_sync_t *sync, uint64_t slot, bool finalized)
{
    lc_head_t head;
    finalized ? lc_sync_finalized(sync, &head) : lc_sync_latest(sync, &head);
    return head.valid && head.header.beacon.slot >= slot;
}

typedef struct {
    const lc_sync_t *sync;
    claims_feed_fn feed;
    void *ctx;
    uint64_t now_ms;
    bool fed;
} judge_t;

/* One claim. which: 0 that it signed, 1 optimistic, 2 finalized. */
static floor_proof_t judge(claims_t *c, judge_t *j, const state_claim_t *claim, size_t which)
{
    lc_kind_t kind = which == 2 ? LC_FINALITY : LC_UPDATE;
    lc_fork_t fork;
    err_t e;
    hash32_t root;
    const bool finalized = which == 2;
    if (!claim->update.n || decode(c->update, &kind, &fork, c->network, claim->update) ||
        slot_of(c->update, finalized) != claim->slot)
        return FLOOR_UNPROVEN;
    lc_beacon_root(&root, finalized ? &c->update->finalized_header.beacon : &c->update->attested_header.beacon);
    if (which && !hash32_eq(&root, &claim->root))
        return FLOOR_UNPROVEN; /* it claims another header than its update shows */
    const state_claim_t shown = { true, claim->slot, root, claim->update };
    look_for_split(c, j->sync, &shown, kind, finalized);
    const rc_t rc =
        j->feed(j->ctx, &e, kind, fork, view_of(claim->update.p + DIGEST_LEN, claim->update.n - DIGEST_LEN));
    j->fed |= rc == RC_OK;
    if (rc == RC_NEED_DATA)
        return FLOOR_LATER;
    return (rc == RC_OK || rc == RC_REPLAY) && holds(j->sync, claim->slot, finalized) ? FLOOR_PROVEN : FLOOR_UNPROVEN;
}

/* All claims of a state. False: it is to be judged again. */
static bool judge_state(claims_t *c, judge_t *j, const waiting_t *w, const claims_listener_t *l)
{
    bool told = true;
    lc_progress_t progress;
    for (size_t i = 0; i < 3; i++) {
        if (!w->claims[i].is_there)
            continue;
        floor_proof_t proof = judge(c, j, &w->claims[i], i);
        lc_sync_progress(j->sync, &progress, j->now_ms);
        if (proof == FLOOR_LATER && progress.state == LC_STATE_FOLLOWING)
            proof = FLOOR_UNPROVEN; /* all signers up to the present are known */
        if (l->claimed)
            told &= l->claimed(l->ctx, w->number, i ? FLOOR_HEAD : FLOOR_SIGNED, w->claims[i].slot, proof);
    }
    if (told && l->answered)
        l->answered(l->ctx, w->number);
    return told;
}

/* Evidence. False: it is to be judged again. */
static bool judge_evidence(claims_t *c, const judge_t *j, const waiting_t *w)
{
    uint64_t slot;
    lc_progress_t progress;
    const view_t evidence = view_of(w->bytes, w->n);
    const rc_t rc = judge_split(&slot, c, j->sync, evidence);
    if (!rc)
        tell_split(c, slot, evidence);
    lc_sync_progress(j->sync, &progress, j->now_ms);
    return rc != RC_NEED_DATA ||
           progress.state == LC_STATE_FOLLOWING; /* then its signers are none that will be known */
}

bool claims_turn(claims_t *c, const lc_sync_t *sync, claims_feed_fn feed, void *ctx, uint64_t now_ms)
{
    judge_t j = { sync, feed, ctx, now_ms, false };
    pthread_mutex_lock(&c->lock);
    size_t left = c->states + c->evidence;
    const claims_listener_t l = c->listener;
    pthread_mutex_unlock(&c->lock);
    for (waiting_t *w; left-- && (w = take(c));) {
        if (w->number ? judge_state(c, &j, w, &l) : judge_evidence(c, &j, w))
            free(w);
        else if (add(c, w, true))
            continue; /* a newer one of the same connection has come */
    }
    return j.fed;
}
