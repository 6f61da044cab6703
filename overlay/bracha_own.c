/* bracha_own.c - our own broadcasts: sent, and sent anew until we see them delivered. */
#include <stdlib.h>

#include "overlay/bracha_state.h"

int br_own_seat(const bracha_t *b)
{
    return br_index_of(b->seats, b->n, &b->c.platform);
}

/* Sends a message of our own, for the first time or anew. */
static rc_t send_own(bracha_t *b, err_t *e, br_own_t *o, uint64_t now_ms)
{
    bracha_send_t s = { .order = b->order.digest, .seq = b->seq + 1, .boot_count = b->n, .kind = o->kind };
    hash32_t id, hash, digest;
    for (size_t i = 0; i < b->n; i++) {
        const bs_boot_t *boot = bs_present(&b->store, &b->seats[i]);
        if (boot)
            memcpy(s.boots[i], boot->key, sizeof s.boots[i]);
    }
    memcpy(s.boots[br_own_seat(b)], b->c.self, sizeof s.boots[0]);
    memcpy(s.sender, b->c.self, sizeof s.sender);
    s.payload = view_of(o->payload, o->n);
    s.again = o->instance;
    bracha_instance(&id, &s);
    bracha_hash(&hash, &id, &s);
    bracha_send_digest(&digest, &hash, &s);
    rc_t rc = b->c.sign(b->c.sign_ctx, s.signature, &digest);
    if (!rc)
        rc = br_admit(b, e, &id, &hash, &s);
    if (rc)
        return rc;
    b->seq++;
    o->previous = o->instance;
    o->instance = id;
    o->sent_ms = now_ms;
    o->stale = false;
    rc = br_enter(b, e, &id, &hash, &s, now_ms);
    if (!rc)
        br_show(b, BRACHA_OUT_SEND, NULL, &id, &hash);
    return rc;
}

rc_t bracha_send(bracha_t *b, err_t *e, uint32_t kind, view_t payload, uint64_t now_ms)
{
    size_t i = 0;
    if (!b->n || br_own_seat(b) < 0)
        return err_say(e, RC_UNSUPPORTED, b->n ? "this node has no seat" : "agreement needs 4 seats");
    if (payload.n > BRACHA_PAYLOAD_MAX)
        return err_in(e, RC_LIMIT, "payload", "is longer than %u", BRACHA_PAYLOAD_MAX);
    while (i < BR_OWN_MAX && b->own[i].there)
        i++;
    if (i == BR_OWN_MAX)
        return err_say(e, RC_LIMIT, "too many messages of our own are not delivered");
    br_own_t *o = &b->own[i];
    *o = (br_own_t){ .there = true, .kind = kind, .payload = malloc(payload.n + 1), .n = payload.n };
    if (!o->payload) {
        o->there = false;
        return err_say(e, RC_NOMEM, "out of memory");
    }
    memcpy(o->payload, payload.n ? payload.p : o->payload, payload.n);
    rc_t rc = send_own(b, e, o, now_ms);
    if (rc) {
        free(o->payload);
        *o = (br_own_t){ .there = false };
    }
    return rc;
}

void br_send_again(bracha_t *b, uint64_t now_ms)
{
    if (!b->n || br_own_seat(b) < 0 || !GUARD(SEND_AGAIN))
        return;
    for (size_t i = 0; i < BR_OWN_MAX; i++) {
        br_own_t *o = &b->own[i];
        uint64_t age = now_ms - o->sent_ms;
        if (o->there && (age >= BRACHA_AGAIN_MS || (o->stale && age >= 1000)))
            (void)send_own(b, NULL, o, now_ms); /* refused for want of room: at a later tick */
    }
}

void br_forget_own(bracha_t *b, const hash32_t *instance)
{
    for (size_t i = 0; i < BR_OWN_MAX; i++) {
        br_own_t *o = &b->own[i];
        if (o->there && (hash32_eq(&o->instance, instance) || hash32_eq(&o->previous, instance))) {
            free(o->payload);
            *o = (br_own_t){ .there = false };
        }
    }
}
