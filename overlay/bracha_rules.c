/* bracha_rules.c - counting votes, and what follows from them: ECHO, READY, delivery; members, orders, time. */
#include "overlay/bracha.h"

#include <stdlib.h>

#include "overlay/bracha_state.h"

#define PULL_MS 60000u /* for so long a tick asks again for the SEND of a buffered vote */

rc_t bracha_new(bracha_t **out, const bracha_config_t *config)
{
    bracha_t *b = calloc(1, sizeof *b);
    if (b)
        b->out = calloc(BR_OUT_MAX, sizeof *b->out);
    if (!b || !b->out) {
        bracha_free(b);
        return RC_NOMEM;
    }
    b->c = *config;
    *out = b;
    return RC_OK;
}

void bracha_free(bracha_t *b)
{
    if (!b)
        return;
    bs_clear(&b->store);
    for (size_t i = 0; i < BR_OWN_MAX; i++)
        free(b->own[i].payload);
    for (size_t i = 0; i < b->held_count; i++)
        free(b->held[i].payload);
    free(b->polled);
    free(b->out);
    free(b);
}

size_t bracha_kept(const bracha_t *b, size_t *bytes)
{
    *bytes = 0;
    for (size_t i = 0; i < b->store.instance_count; i++)
        for (size_t v = 0; v < b->store.instances[i]->value_count; v++)
            *bytes += b->store.instances[i]->values[v].n;
    return b->store.instance_count;
}

/* ---- counting ---- */

static bool is_self(const bracha_t *b, const uint8_t key[33])
{
    return memcmp(b->c.self, key, 33) == 0;
}

/* The platform that a key was attested with; NULL: never. */
static const hash32_t *platform_of(bracha_t *b, const uint8_t key[33])
{
    const bs_boot_t *boot = bs_boot(&b->store, key);
    return is_self(b, key) ? &b->c.platform : boot ? &boot->platform : NULL;
}

int br_index_of(const hash32_t *seats, size_t n, const hash32_t *platform)
{
    for (size_t i = 0; platform && i < n; i++)
        if (hash32_eq(&seats[i], platform))
            return (int)i;
    return -1;
}

/* The seat whose votes a boot gives in an instance: it is listed there, and attested for it. -1: none. */
static int seat_of(bracha_t *b, const bs_instance_t *in, const uint8_t key[33])
{
    int s = in->seats ? br_index_of(in->seats, in->send.boot_count, platform_of(b, key)) : -1;
    if (s >= 0 && GUARD(LISTED_BOOT) && memcmp(in->send.boots[s], key, 33) != 0)
        return -1;
    return s;
}

static unsigned count(const bs_instance_t *in, bool ready, const hash32_t *hash)
{
    unsigned n = 0;
    for (size_t s = 0; s < in->send.boot_count; s++) {
        const bs_seat_t *v = &in->votes[s];
        n += ready ? v->ready && hash32_eq(&v->ready_hash, hash) : v->echo && hash32_eq(&v->echo_hash, hash);
    }
    return n;
}

/* Seats of the present order whose boots vouch that they have delivered. Buffered votes count where the instance is not
 * here yet. */
static unsigned vouched(bracha_t *b, const bs_instance_t *in, const hash32_t *id, const hash32_t *hash)
{
    bool seats[ORDER_SEATS_MAX] = { false };
    unsigned n = 0;
    for (size_t i = 0; i < (in ? in->vouch_count : b->buffered_count); i++) {
        const bracha_vote_t *v = &b->buffered[i].vote;
        const uint8_t *key = in ? in->vouches[i].key : b->buffered[i].from;
        const hash32_t *said = in ? &in->vouches[i].hash : &v->hash;
        if (!hash32_eq(said, hash) || (!in && (v->step != BRACHA_DELIVERED || !hash32_eq(&v->instance, id))))
            continue;
        int s = br_index_of(b->seats, b->n, platform_of(b, key));
        if (s >= 0 && !seats[s]) {
            seats[s] = true;
            n++;
        }
    }
    return n;
}

static bool is_vouched(bracha_t *b, const bs_instance_t *in, const hash32_t *id, const hash32_t *hash)
{
    return GUARD(CERTIFICATE) && b->n && vouched(b, in, id, hash) >= bracha_quorum(b->n).amplify;
}

/* D5: whether this node votes in an instance; *seat is its own. */
static bool takes_part(bracha_t *b, const bs_instance_t *in, int *seat)
{
    if (!b->n || in->send.boot_count != b->n ||
        (GUARD(BOUND_INSTANCE) && !hash32_eq(&in->send.order, &b->order.digest)))
        return false;
    *seat = seat_of(b, in, b->c.self);
    if (*seat < 0 || seat_of(b, in, in->send.sender) < 0)
        return false;
    for (size_t s = 0; s < b->n; s++) {
        static const uint8_t none[33];
        const uint8_t *boot = in->send.boots[s];
        const hash32_t *platform = memcmp(boot, none, 33) == 0 ? NULL : platform_of(b, boot);
        if (platform && !hash32_eq(platform, &b->seats[s]) && GUARD(LISTED_BOOT))
            return false;
    }
    return true;
}

/* ---- rules ---- */

static void deliver(bracha_t *b, bs_instance_t *in, const hash32_t *hash)
{
    in->delivered = true;
    in->delivered_hash = *hash;
    br_show(b, BRACHA_OUT_DELIVER, NULL, &in->id, hash);
    br_say(b, NULL, BRACHA_DELIVERED, &in->id, hash, NULL);
    if (is_self(b, in->send.sender))
        br_forget_own(b, &in->id);
}

/* Delivers what may be delivered, if its message is here; else asks one who has it. */
static void deliver_if_due(bracha_t *b, bs_instance_t *in, const hash32_t *hash, const uint8_t *from)
{
    bool by_votes = in->seats && count(in, true, hash) >= bracha_quorum(in->send.boot_count).deliver;
    if (in->delivered || (!by_votes && !is_vouched(b, in, &in->id, hash)))
        return;
    if (bs_value(in, hash))
        deliver(b, in, hash);
    else if (from)
        br_say(b, from, BRACHA_PULL, &in->id, hash, NULL);
}

static void echo(bracha_t *b, bs_instance_t *in, int seat, const hash32_t *hash)
{
    bs_seat_t *own = &in->votes[seat];
    if (own->echo && (GUARD(VOTE_ONCE) || hash32_eq(&own->echo_hash, hash)))
        return;
    own->echo = true;
    own->echo_hash = *hash;
    br_say(b, NULL, BRACHA_ECHO, &in->id, hash, NULL);
}

static void ready(bracha_t *b, bs_instance_t *in, int seat, const hash32_t *hash)
{
    bs_seat_t *own = &in->votes[seat];
    const hash32_t h = *hash; /* it may be a vote's, which is written here */
    hash32_t digest;
    uint8_t signature[64];
    if (own->ready && (GUARD(VOTE_ONCE) || hash32_eq(&own->ready_hash, &h)))
        return;
    bracha_ready_digest(&digest, &in->id, &h);
    if (b->c.sign(b->c.sign_ctx, signature, &digest))
        return; /* again with the next vote */
    own->ready = true;
    own->ready_hash = h;
    memcpy(own->signature, signature, sizeof own->signature);
    br_say(b, NULL, BRACHA_READY, &in->id, &h, signature);
}

/* D6, after anything that may have changed a count. from: who has just spoken, NULL: we. */
static void progress(bracha_t *b, bs_instance_t *in, const hash32_t *hash, const uint8_t *from)
{
    int seat = -1;
    if (in->seats && takes_part(b, in, &seat)) {
        const bracha_quorum_t q = bracha_quorum(in->send.boot_count);
        if (in->value_count && (!in->votes[seat].echo || !GUARD(VOTE_ONCE)))
            echo(b, in, seat, &in->values[GUARD(VOTE_ONCE) ? 0 : in->value_count - 1].hash);
        if (count(in, false, hash) >= q.echo || count(in, true, hash) >= q.amplify)
            ready(b, in, seat, hash);
        const hash32_t own = in->votes[seat].echo_hash; /* our own ECHO may have made its quorum */
        if (in->votes[seat].echo && count(in, false, &own) >= q.echo)
            ready(b, in, seat, &own);
    }
    deliver_if_due(b, in, hash, from);
    if (seat >= 0 && in->votes[seat].ready) {
        const hash32_t own = in->votes[seat].ready_hash;
        deliver_if_due(b, in, &own, from);
    }
}

static void vouch(bs_instance_t *in, const uint8_t key[33], const hash32_t *hash)
{
    for (size_t i = 0; i < in->vouch_count; i++)
        if (memcmp(in->vouches[i].key, key, 33) == 0)
            return;                           /* the first counts */
    if (in->vouch_count == ORDER_SEATS_MAX) { /* of boots that are long gone, mostly */
        memmove(in->vouches, in->vouches + 1, (--in->vouch_count) * sizeof in->vouches[0]);
    }
    bs_vouch_t *v = &in->vouches[in->vouch_count++];
    memcpy(v->key, key, sizeof v->key);
    v->hash = *hash;
}

static void accuse_vote(bracha_t *b, const bs_instance_t *in, bs_seat_t *seat, const uint8_t from[33],
                        const bracha_vote_t *v)
{
    const hash32_t *first = v->step == BRACHA_ECHO ? &seat->echo_hash : &seat->ready_hash;
    const hash32_t *const hashes[2] = { first, &v->hash };
    const uint8_t *const signatures[2] = { seat->signature, v->signature };
    if (!seat->told)
        br_accuse(b, v->step, from, &in->id, hashes, signatures);
    seat->told = true;
}

/* Whether a READY is signed by who sends it. */
static bool is_signed(const bracha_t *b, const uint8_t key[33], const bracha_vote_t *v)
{
    hash32_t digest;
    bracha_ready_digest(&digest, &v->instance, &v->hash);
    return ecdsa_verify(b->c.ecdsa, v->signature, &digest, key) == RC_OK;
}

/* One ECHO or READY of a listed boot. */
static rc_t count_vote(bracha_t *b, err_t *e, bs_instance_t *in, const uint8_t from[33], const bracha_vote_t *v)
{
    int s = seat_of(b, in, from);
    if (s < 0)
        return RC_OK; /* not listed: it should not vote, and does not count */
    bs_seat_t *seat = &in->votes[s];
    bool is_ready = v->step == BRACHA_READY, before = is_ready ? seat->ready : seat->echo;
    if (before && hash32_eq(is_ready ? &seat->ready_hash : &seat->echo_hash, &v->hash))
        return RC_OK;
    if (is_ready && !is_signed(b, from, v))
        return err_in(e, RC_REFUSED, "signature", "of a READY does not verify");
    if (before && GUARD(VOTE_ONCE)) {
        accuse_vote(b, in, seat, from, v);
        return RC_OK;
    }
    if (is_ready) {
        seat->ready = true;
        seat->ready_hash = v->hash;
        memcpy(seat->signature, v->signature, sizeof seat->signature);
    } else {
        seat->echo = true;
        seat->echo_hash = v->hash;
    }
    return RC_OK;
}

/* Answers a PULL with the message, and what proves it. */
static void answer_pull(bracha_t *b, bs_instance_t *in, const uint8_t from[33], const hash32_t *hash)
{
    if (!in->value_count)
        return;
    const bs_value_t *v = bs_value(in, hash);
    if (!v && in->delivered)
        v = bs_value(in, &in->delivered_hash);
    br_show(b, BRACHA_OUT_SEND, from, &in->id, v ? &v->hash : &in->values[0].hash);
    if (in->delivered && GUARD(CERTIFICATE))
        br_show(b, BRACHA_OUT_CERT, from, &in->id, &in->delivered_hash);
}

static rc_t handle_vote(bracha_t *b, err_t *e, bs_instance_t *in, const uint8_t from[33], const bracha_vote_t *v)
{
    rc_t rc = RC_OK;
    switch (v->step) {
    case BRACHA_PULL: answer_pull(b, in, from, &v->hash); return RC_OK;
    case BRACHA_DELIVERED:
        vouch(in, from, &v->hash);
        if (!in->delivered && GUARD(CERTIFICATE))
            br_say(b, from, BRACHA_PULL, &in->id, &v->hash, NULL); /* for the certificate, too */
        break;
    case BRACHA_ECHO:
    case BRACHA_READY: rc = count_vote(b, e, in, from, v); break;
    }
    if (!rc)
        progress(b, in, &v->hash, from);
    return rc;
}

/* ---- SENDs ---- */

/* Keeps a vote until its SEND is here; the oldest of the same boot makes room. */
static void buffer(bracha_t *b, const uint8_t from[33], const bracha_vote_t *v, uint64_t now_ms)
{
    size_t of_boot = 0, oldest = b->buffered_count;
    for (size_t i = 0; i < b->buffered_count; i++) {
        if (memcmp(b->buffered[i].from, from, 33) != 0)
            continue;
        const bracha_vote_t *known = &b->buffered[i].vote;
        if (known->step == v->step && hash32_eq(&known->instance, &v->instance) && hash32_eq(&known->hash, &v->hash)) {
            b->buffered[i].at_ms = now_ms;
            return;
        }
        oldest = of_boot++ ? oldest : i;
    }
    if (of_boot >= BR_BUFFERED_PER_BOOT_MAX || b->buffered_count == BR_BUFFERED_MAX) {
        if (oldest == b->buffered_count)
            oldest = 0;
        memmove(&b->buffered[oldest], &b->buffered[oldest + 1], (--b->buffered_count - oldest) * sizeof b->buffered[0]);
    }
    br_buffered_t *x = &b->buffered[b->buffered_count++];
    memcpy(x->from, from, sizeof x->from);
    x->at_ms = now_ms;
    x->vote = *v;
}

/* Drops the votes of an instance that are kept, or all that are older than a time. */
static void drop_buffered(bracha_t *b, const hash32_t *id, uint64_t before_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < b->buffered_count; i++)
        if (!(id && hash32_eq(&b->buffered[i].vote.instance, id)) && b->buffered[i].at_ms >= before_ms)
            b->buffered[kept++] = b->buffered[i];
    b->buffered_count = kept;
}

/* Hands the votes of an instance that are kept to it. */
static void unbuffer(bracha_t *b, bs_instance_t *in)
{
    size_t kept = 0, n = b->buffered_count;
    for (size_t i = 0; i < n; i++) {
        const br_buffered_t x = b->buffered[i];
        if (!hash32_eq(&x.vote.instance, &in->id)) {
            b->buffered[kept++] = x;
            continue;
        }
        (void)handle_vote(b, NULL, in, x.from, &x.vote); /* a false one is passed over */
    }
    b->buffered_count = kept;
}

/* READYs, among the buffered ones, by boots that this SEND lists: with f+1 of them a correct node has voted for it. */
static unsigned buffered_readys(bracha_t *b, const hash32_t *id, const bracha_send_t *s)
{
    unsigned n = 0;
    for (size_t i = 0; i < s->boot_count; i++)
        for (size_t k = 0; k < b->buffered_count; k++) {
            const br_buffered_t *x = &b->buffered[k];
            if (x->vote.step == BRACHA_READY && hash32_eq(&x->vote.instance, id) &&
                memcmp(x->from, s->boots[i], 33) == 0) {
                n++;
                break;
            }
        }
    return n;
}

/* Whether two keys count as one sender: boots of one platform do, and all that were never attested. */
static bool is_same_sender(bracha_t *b, const uint8_t *x, const uint8_t *y)
{
    const hash32_t *p = platform_of(b, x), *q = platform_of(b, y);
    return p && q ? hash32_eq(p, q) : !p && !q;
}

/* D11 and D8: whether one more instance of this sender is taken. What correct nodes have voted for always is. */
rc_t br_admit(bracha_t *b, err_t *e, const hash32_t *id, const hash32_t *hash, const bracha_send_t *s)
{
    const size_t share = b->n > 16 ? b->n : 16; /* more seats: less for each */
    size_t open = 0, bytes = s->payload.n + BS_OVERHEAD;
    if (buffered_readys(b, id, s) >= bracha_quorum(s->boot_count).f + 1 || is_vouched(b, NULL, id, hash))
        return RC_OK;
    for (size_t i = 0; i < b->store.instance_count; i++) {
        const bs_instance_t *in = b->store.instances[i];
        if (!is_same_sender(b, in->send.sender, s->sender))
            continue;
        open += !in->delivered;
        bytes += bs_bytes(in);
    }
    if (open >= 16 * BRACHA_OPEN_MAX / share)
        return err_in(e, RC_LIMIT, "sender", "has too many undelivered messages");
    if (bytes > 16 * BRACHA_SENDER_BYTES_MAX / share)
        return err_in(e, RC_LIMIT, "sender", "has too many bytes that are not acknowledged by all");
    return RC_OK;
}

/* Keeps a SEND until its order is taken, or f+1 seats vouch for it. */
static rc_t hold(bracha_t *b, err_t *e, const hash32_t *id, const bracha_send_t *s)
{
    for (size_t i = 0; i < b->held_count; i++)
        if (hash32_eq(&b->held[i].id, id))
            return RC_OK;
    uint8_t *copy = malloc(s->payload.n + 1);
    if (!copy)
        return err_say(e, RC_NOMEM, "out of memory");
    if (b->held_count == BRACHA_HELD_MAX) { /* the oldest makes room */
        free(b->held[0].payload);
        memmove(&b->held[0], &b->held[1], --b->held_count * sizeof b->held[0]);
    }
    memcpy(copy, s->payload.p ? s->payload.p : copy, s->payload.n);
    br_held_t *h = &b->held[b->held_count++];
    *h = (br_held_t){ .send = *s, .payload = copy, .id = *id };
    h->send.payload.p = copy;
    return RC_OK;
}

/* A value that may go for another, among as many as are kept: fewer READYs are for it. The first one is ours. */
static bs_value_t *spare_value(bs_instance_t *in, const hash32_t *hash)
{
    bs_value_t *spare = NULL;
    for (size_t i = 1; i < in->value_count; i++) {
        bs_value_t *v = &in->values[i];
        if (in->delivered && hash32_eq(&in->delivered_hash, &v->hash))
            continue;
        if (!spare || count(in, true, &v->hash) < count(in, true, &spare->hash))
            spare = v;
    }
    const unsigned least = spare ? count(in, true, &spare->hash) : 0;
    return spare && (!least || least < count(in, true, hash)) ? spare : NULL;
}

static rc_t add_value(bracha_t *b, err_t *e, bs_instance_t *in, const hash32_t *hash, const bracha_send_t *s)
{
    bs_value_t *v = bs_add_value(in, hash, s, spare_value(in, hash));
    if (!v)
        return err_say(e, RC_LIMIT, "no room for another message of this instance");
    if (in->value_count == 2 && v == &in->values[1]) {
        const hash32_t *const hashes[2] = { &in->values[0].hash, hash };
        const uint8_t *const signatures[2] = { in->values[0].signature, s->signature };
        br_accuse(b, (bracha_step_t)0, s->sender, &in->id, hashes, signatures);
    }
    return RC_OK;
}

/* What a SEND must be, whoever passes it on: its author's. */
static rc_t judge_send(const bracha_t *b, err_t *e, const hash32_t *hash, const bracha_send_t *s)
{
    hash32_t digest;
    bool listed = false;
    for (size_t i = 0; i < s->boot_count; i++)
        listed = listed || memcmp(s->boots[i], s->sender, 33) == 0;
    if (!listed)
        return err_in(e, RC_REFUSED, "boots", "do not list the sender");
    bracha_send_digest(&digest, hash, s);
    if (ecdsa_verify(b->c.ecdsa, s->signature, &digest, s->sender))
        return err_in(e, RC_REFUSED, "signature", "is not the sender's");
    return RC_OK;
}

/* A SEND that was judged and whose order we run, or that is vouched for. */
rc_t br_enter(bracha_t *b, err_t *e, const hash32_t *id, const hash32_t *hash, const bracha_send_t *s, uint64_t now_ms)
{
    bool ours = b->has_order && hash32_eq(&s->order, &b->order.digest);
    bs_instance_t *in = bs_find(&b->store, id);
    bool is_new = !in;
    if (ours && s->boot_count != b->n)
        return err_in(e, RC_REFUSED, "boots", "are not as many as the order has seats");
    rc_t rc = is_new ? br_admit(b, e, id, hash, s) : RC_OK;
    if (rc)
        return rc;
    if (is_new)
        in = bs_add(&b->store, id, s, ours ? b->seats : NULL, now_ms);
    if (!in)
        return err_say(e, RC_LIMIT, "too many instances");
    rc = add_value(b, e, in, hash, s);
    if (rc)
        return rc;
    if (is_new)
        unbuffer(b, in);
    progress(b, in, hash, NULL);
    return RC_OK;
}

rc_t bracha_take_send(bracha_t *b, err_t *e, const uint8_t from[33], const bracha_send_t *s, uint64_t now_ms)
{
    hash32_t id, hash;
    (void)from; /* a SEND proves itself */
    if (s->payload.n > BRACHA_PAYLOAD_MAX)
        return err_in(e, RC_LIMIT, "payload", "is longer than %u", BRACHA_PAYLOAD_MAX);
    if (!s->seq || s->boot_count < ORDER_SEATS_MIN || s->boot_count > ORDER_SEATS_MAX)
        return err_in(e, RC_MALFORMED, "boots", "or number out of range");
    bracha_instance(&id, s);
    bracha_hash(&hash, &id, s);
    bs_instance_t *in = bs_find(&b->store, &id);
    if (in && bs_value(in, &hash))
        return RC_OK;
    if (!in && bs_is_closed(&b->store, s->sender, s->seq)) {
        drop_buffered(b, &id, 0);
        return RC_OK;
    }
    rc_t rc = judge_send(b, e, &hash, s);
    if (rc)
        return rc;
    bool ours = b->has_order && hash32_eq(&s->order, &b->order.digest);
    if (!in && !ours && !is_vouched(b, NULL, &id, &hash))
        return hold(b, e, &id, s);
    return br_enter(b, e, &id, &hash, s, now_ms);
}

/* A SEND that was held, once it may enter. */
static void enter_held(bracha_t *b, size_t i, uint64_t now_ms)
{
    hash32_t hash;
    const br_held_t h = b->held[i];
    memmove(&b->held[i], &b->held[i + 1], (--b->held_count - i) * sizeof b->held[0]);
    bracha_hash(&hash, &h.id, &h.send);
    rc_t rc = br_enter(b, NULL, &h.id, &hash, &h.send, now_ms);
    (void)rc; /* it was judged; refused now, it may be pulled again */
    free(h.payload);
}

rc_t bracha_take_vote(bracha_t *b, err_t *e, const uint8_t from[33], const bracha_vote_t *v, uint64_t now_ms)
{
    bs_instance_t *in = bs_find(&b->store, &v->instance);
    if (v->step < BRACHA_ECHO || v->step > BRACHA_DELIVERED)
        return err_in(e, RC_MALFORMED, "step", "is unknown");
    if (!platform_of(b, from))
        return err_in(e, RC_REFUSED, "from", "is not attested");
    if (in)
        return handle_vote(b, e, in, from, v);
    if (v->step == BRACHA_PULL)
        return RC_OK;
    buffer(b, from, v, now_ms);
    for (size_t i = 0; i < b->held_count; i++) {
        hash32_t hash;
        bracha_hash(&hash, &b->held[i].id, &b->held[i].send);
        if (hash32_eq(&b->held[i].id, &v->instance)) {
            if (is_vouched(b, NULL, &v->instance, &hash))
                enter_held(b, i, now_ms);
            return RC_OK;
        }
    }
    br_say(b, from, BRACHA_PULL, &v->instance, &v->hash, NULL);
    return RC_OK;
}

rc_t bracha_take_cert(bracha_t *b, err_t *e, const uint8_t from[33], const bracha_cert_t *c, uint64_t now_ms)
{
    bs_instance_t *in = bs_find(&b->store, &c->instance);
    (void)now_ms;
    if (!in || in->delivered || !in->seats)
        return RC_OK;
    bracha_vote_t v = { .step = BRACHA_READY, .instance = c->instance, .hash = c->hash };
    for (size_t i = 0; i < c->count; i++) {
        const bracha_share_t *share = &c->shares[i];
        if (share->seat >= in->send.boot_count)
            return err_in(e, RC_MALFORMED, "seat", "is out of range");
        const uint8_t *boot = in->send.boots[share->seat];
        memcpy(v.signature, share->signature, sizeof v.signature);
        if (seat_of(b, in, boot) != share->seat)
            continue; /* we have not attested it */
        rc_t rc = count_vote(b, e, in, boot, &v);
        if (rc)
            return rc;
    }
    progress(b, in, &c->hash, from);
    return RC_OK;
}

/* ---- members, orders, time ---- */

/* Tells a peer what we have voted for and delivered. */
static void tell_votes(bracha_t *b, const bs_instance_t *in, const uint8_t to[33])
{
    int s = seat_of(b, in, b->c.self);
    if (s >= 0 && in->votes[s].echo)
        br_say(b, to, BRACHA_ECHO, &in->id, &in->votes[s].echo_hash, NULL);
    if (s >= 0 && in->votes[s].ready)
        br_say(b, to, BRACHA_READY, &in->id, &in->votes[s].ready_hash, in->votes[s].signature);
    if (in->delivered)
        br_say(b, to, BRACHA_DELIVERED, &in->id, &in->delivered_hash, NULL);
}

rc_t bracha_attested(bracha_t *b, const uint8_t peer[33], const hash32_t *platform, uint64_t now_ms)
{
    const bs_boot_t *before = bs_present(&b->store, platform);
    bool changed = !before || memcmp(before->key, peer, 33) != 0;
    (void)now_ms;
    if (!bs_boot_seen(&b->store, peer, platform))
        return RC_NOMEM;
    for (size_t i = 0; changed && i < BR_OWN_MAX && br_index_of(b->seats, b->n, platform) >= 0; i++)
        b->own[i].stale = true;
    for (size_t i = 0; GUARD(RESEND) && i < b->store.instance_count; i++)
        tell_votes(b, b->store.instances[i], peer);
    for (size_t i = 0; i < b->store.instance_count; i++) /* it may be the sender, whom we did not know */
        if (b->store.instances[i]->value_count)
            progress(b, b->store.instances[i], &b->store.instances[i]->values[0].hash, NULL);
    return RC_OK;
}

void bracha_gone(bracha_t *b, const uint8_t peer[33], uint64_t now_ms)
{
    bs_boot_t *boot = bs_boot(&b->store, peer);
    if (!boot)
        return;
    boot->connected = false;
    boot->gone_ms = now_ms;
}

/* The rule left out: votes are forgotten when an order is taken. */
static void forget_votes(bracha_t *b)
{
    for (size_t i = 0; i < b->store.instance_count; i++) {
        bs_instance_t *in = b->store.instances[i];
        memset(in->votes, 0, in->send.boot_count * sizeof *in->votes);
        in->send.order = b->order.digest;
    }
}

rc_t bracha_order(bracha_t *b, const order_signed_t *order, uint64_t now_ms)
{
    b->has_order = true;
    b->order = order->id;
    b->order_ms = now_ms;
    b->n = order->order.seat_count;
    memcpy(b->seats, order->order.seats, b->n * sizeof b->seats[0]);
    if (!GUARD(BOUND_INSTANCE))
        forget_votes(b);
    for (size_t i = 0; i < BR_OWN_MAX; i++)
        b->own[i].stale = true;
    for (size_t i = b->held_count; i-- > 0;)
        if (hash32_eq(&b->held[i].send.order, &b->order.digest))
            enter_held(b, i, now_ms);
    return RC_OK;
}

static bool vouches(const bs_instance_t *in, const uint8_t key[33])
{
    for (size_t i = 0; i < in->vouch_count; i++)
        if (memcmp(in->vouches[i].key, key, 33) == 0)
            return true;
    return false;
}

/* Whether this node may vote in an instance again, if it forgot it: it has not voted, nor delivered. */
static bool may_forget(bracha_t *b, const bs_instance_t *in)
{
    int s = seat_of(b, in, b->c.self);
    return !in->delivered && (s < 0 || (!in->votes[s].echo && !in->votes[s].ready));
}

/* Whether a listed boot may still be there, connected or not: nobody else was attested for its platform since. */
static bool may_live(bracha_t *b, const uint8_t key[33])
{
    static const uint8_t none[33];
    const bs_boot_t *boot = bs_boot(&b->store, key);
    return memcmp(key, none, sizeof none) != 0 && !is_self(b, key) &&
           (!boot || bs_present(&b->store, &boot->platform) == boot);
}

/* Whether all that this instance is kept for have delivered it. */
static bool is_done(bracha_t *b, const bs_instance_t *in, uint64_t now_ms)
{
    bool durable = false;
    for (size_t i = 0; i < in->value_count; i++)
        durable = durable || (GUARD(RETENTION) && (in->values[i].kind & BRACHA_DURABLE));
    if (now_ms - in->at_ms >= (durable ? BRACHA_EMPTY_MS : BRACHA_KEEP_MS))
        return true; /* for longer nobody holds anything up, not even one who never acknowledges */
    if (!in->delivered)
        return false;
    for (size_t s = 0; durable && s < b->n; s++) {
        const bs_boot_t *p = bs_present(&b->store, &b->seats[s]);
        uint64_t since = p ? p->gone_ms : b->order_ms;
        if (hash32_eq(&b->seats[s], &b->c.platform) || (p && vouches(in, p->key)))
            continue;
        if ((p && p->connected) || now_ms - since < BRACHA_EMPTY_MS)
            return false;
    }
    for (size_t s = 0; !durable && s < in->send.boot_count; s++)
        if (may_live(b, in->send.boots[s]) && !vouches(in, in->send.boots[s]))
            return false;
    return true;
}

/* Asks everybody who has voted for what is missing: the one asked first may be gone. */
static void pull_missing(bracha_t *b, uint64_t now_ms)
{
    for (size_t i = 0; i < b->buffered_count; i++)
        if (now_ms - b->buffered[i].at_ms < PULL_MS)
            br_say(b, b->buffered[i].from, BRACHA_PULL, &b->buffered[i].vote.instance, &b->buffered[i].vote.hash, NULL);
    for (size_t i = 0; i < b->store.instance_count; i++) {
        const bs_instance_t *in = b->store.instances[i];
        for (size_t s = 0; !in->delivered && s < in->send.boot_count; s++)
            if (in->votes[s].ready && !bs_value(b->store.instances[i], &in->votes[s].ready_hash))
                br_say(b, in->send.boots[s], BRACHA_PULL, &in->id, &in->votes[s].ready_hash, NULL);
        for (size_t k = 0; !in->delivered && k < in->vouch_count && GUARD(CERTIFICATE); k++)
            br_say(b, in->vouches[k].key, BRACHA_PULL, &in->id, &in->vouches[k].hash, NULL);
    }
}

void bracha_tick(bracha_t *b, uint64_t now_ms)
{
    for (size_t i = b->store.instance_count; i-- > 0;)
        if (is_done(b, b->store.instances[i], now_ms))
            bs_close(&b->store, i, !may_forget(b, b->store.instances[i])); /* for want of memory: at a later tick */
    drop_buffered(b, NULL, now_ms < BRACHA_KEEP_MS ? 0 : now_ms - BRACHA_KEEP_MS);
    pull_missing(b, now_ms);
    br_send_again(b, now_ms);
}
