#include "overlay/order.h"

#include <assert.h>

#include "base/crypto/hash.h"
#include "overlay/guard.h"

static const uint8_t tag[16] = "kettle-order/1";

int order_id_cmp(const order_id_t *a, const order_id_t *b)
{
    if (a->version != b->version)
        return a->version < b->version ? -1 : 1;
    if (!GUARD(ORDER_TIE))
        return 0;
    return memcmp(a->digest.b, b->digest.b, sizeof a->digest.b);
}

static bool is_zero(const uint8_t *p, size_t n)
{
    uint8_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= p[i];
    return !any;
}

void order_write_body(wr_t *w, const order_t *o)
{
    wr_bytes(w, tag, sizeof tag);
    wr_be(w, o->version, 8);
    wr_bytes(w, o->cluster, sizeof o->cluster);
    wr_hash32(w, &o->policy);
    wr_be(w, o->void_slot, 8);
    wr_u8(w, o->maker_count);
    wr_bytes(w, o->makers, (size_t)o->maker_count * sizeof o->makers[0]);
    wr_u8(w, o->seat_count);
    wr_bytes(w, o->seats, (size_t)o->seat_count * sizeof o->seats[0]);
}

void order_digest(hash32_t *out, const order_t *o)
{
    uint8_t body[ORDER_BODY_MAX];
    wr_t w = wr_of(body, sizeof body);
    order_write_body(&w, o);
    assert(!w.bad);
    sha256(out, wr_view(&w));
}

static rc_t check_makers(err_t *e, const order_t *o)
{
    if (o->maker_count && is_zero(o->cluster, sizeof o->cluster))
        return err_in(e, RC_MALFORMED, "makers", "an order of any cluster names no makers");
    for (size_t i = 0; i < o->maker_count; i++)
        for (size_t j = 0; j < i; j++)
            if (memcmp(o->makers[i], o->makers[j], sizeof o->makers[i]) == 0)
                return err_in(e, RC_MALFORMED, "makers", "a maker is named twice");
    return RC_OK;
}

static rc_t check_seats(err_t *e, const order_t *o)
{
    for (size_t i = 1; i < o->seat_count; i++)
        if (memcmp(o->seats[i - 1].b, o->seats[i].b, sizeof o->seats[i].b) >= 0)
            return err_in(e, RC_MALFORMED, "seats", "are not ascending");
    return RC_OK;
}

/* Takes a body from r; what follows stays. */
static rc_t take_body(order_t *out, err_t *e, rd_t *r)
{
    order_t o = { 0 };
    view_t start = rd_take(r, sizeof tag);
    o.version = rd_u64be(r);
    rd_copy(r, o.cluster, sizeof o.cluster);
    o.policy = rd_hash32(r);
    o.void_slot = rd_u64be(r);
    o.maker_count = rd_u8(r);
    if (o.maker_count > ORDER_MAKERS_MAX)
        return err_in(e, RC_MALFORMED, "makers", "more than %u", ORDER_MAKERS_MAX);
    rd_copy(r, o.makers, (size_t)o.maker_count * sizeof o.makers[0]);
    o.seat_count = rd_u8(r);
    if (o.seat_count && (o.seat_count < ORDER_SEATS_MIN || o.seat_count > ORDER_SEATS_MAX))
        return err_in(e, RC_MALFORMED, "seats", "neither none nor %u to %u", ORDER_SEATS_MIN, ORDER_SEATS_MAX);
    rd_copy(r, o.seats, (size_t)o.seat_count * sizeof o.seats[0]);
    if (r->bad)
        return err_say(e, RC_MALFORMED, "the order ends too early");
    if (!view_eq(start, view_of(tag, sizeof tag)))
        return err_say(e, RC_MALFORMED, "the order does not start with its tag");
    if (o.version >= ORDER_VERSION_END)
        return err_in(e, RC_MALFORMED, "version", "is out of range");
    rc_t rc = check_makers(e, &o);
    if (!rc)
        rc = check_seats(e, &o);
    if (!rc)
        *out = o;
    return rc;
}

rc_t order_read_body(order_t *out, err_t *e, view_t body)
{
    order_t o;
    rd_t r = rd_of(body);
    rc_t rc = take_body(&o, e, &r);
    if (!rc && !rd_done(&r))
        rc = err_say(e, RC_MALFORMED, "bytes follow the order");
    if (!rc)
        *out = o;
    return rc;
}

void order_write(wr_t *w, const order_signed_t *o, bool text)
{
    order_write_body(w, &o->order);
    wr_u8(w, o->signature_count);
    for (size_t i = 0; i < o->signature_count; i++) {
        wr_bytes(w, o->signatures[i].key, sizeof o->signatures[i].key);
        wr_bytes(w, o->signatures[i].signature, sizeof o->signatures[i].signature);
    }
    if (text)
        wr_bytes(w, o->text.p, o->text.n);
}

static rc_t take_signatures(order_signed_t *o, err_t *e, rd_t *r)
{
    o->signature_count = rd_u8(r);
    if (o->signature_count > ORDER_SIGNERS_MAX)
        return err_in(e, RC_MALFORMED, "signatures", "more than %u", ORDER_SIGNERS_MAX);
    for (size_t i = 0; i < o->signature_count; i++) {
        rd_copy(r, o->signatures[i].key, sizeof o->signatures[i].key);
        rd_copy(r, o->signatures[i].signature, sizeof o->signatures[i].signature);
        if (i && memcmp(o->signatures[i - 1].key, o->signatures[i].key, sizeof o->signatures[i].key) >= 0)
            return err_in(e, RC_MALFORMED, "signatures", "are not by ascending keys");
    }
    return r->bad ? err_in(e, RC_MALFORMED, "signatures", "end too early") : RC_OK;
}

rc_t order_read(order_signed_t *out, err_t *e, view_t in)
{
    order_signed_t o = { .signature_count = 0 };
    rd_t r = rd_of(in);
    if (in.n > ORDER_MAX)
        return err_set(e, RC_LIMIT, "the order has more than %u bytes", ORDER_MAX);
    rc_t rc = take_body(&o.order, e, &r);
    if (!rc)
        rc = take_signatures(&o, e, &r);
    if (rc)
        return rc;
    if (r.n > ORDER_TEXT_MAX)
        return err_in(e, RC_LIMIT, "text", "has more than %u bytes", ORDER_TEXT_MAX);
    o.text = rd_take(&r, r.n);
    o.id.version = o.order.version;
    order_digest(&o.id.digest, &o.order);
    *out = o;
    return RC_OK;
}

void order_unsigned(order_signed_t *out, const hash32_t *policy, uint64_t min_version)
{
    *out = (order_signed_t){ .order = { .version = min_version, .policy = *policy } };
    out->id.version = min_version;
    order_digest(&out->id.digest, &out->order);
}

static bool is_signer(const order_rules_t *rules, const uint8_t key[33])
{
    for (size_t i = 0; i < rules->signer_count; i++)
        if (memcmp(rules->signers[i], key, 33) == 0)
            return true;
    return false;
}

/* Keys that are no signers of ours are passed over: they may be those of another image. */
static rc_t check_signatures(err_t *e, const order_signed_t *o, const order_rules_t *rules)
{
    size_t good = 0;
    if (rules->has_listed && hash32_eq(&rules->listed, &o->id.digest))
        return RC_OK;
    if (!rules->threshold)
        return err_in(e, RC_REFUSED, "signatures", "this node knows no signers of orders");
    for (size_t i = 0; i < o->signature_count; i++) {
        const order_signature_t *s = &o->signatures[i];
        if (!is_signer(rules, s->key))
            continue;
        if (ecdsa_verify(rules->ecdsa, s->signature, &o->id.digest, s->key))
            return err_in(e, RC_REFUSED, "signatures", "signature %zu does not verify", i);
        good++;
    }
    if (good < rules->threshold)
        return err_in(e, RC_REFUSED, "signatures", "%zu of %u signers have signed", good, rules->threshold);
    return RC_OK;
}

rc_t order_judge(err_t *e, const order_signed_t *o, const order_rules_t *rules)
{
    uint8_t point[64];
    if (o->order.version < rules->min_version)
        return err_in(e, RC_REFUSED, "version", "is below the least one");
    bool any = is_zero(o->order.cluster, 33), unknown = is_zero(rules->cluster, 33);
    if (!any && !unknown && memcmp(o->order.cluster, rules->cluster, 33) != 0)
        return err_in(e, RC_REFUSED, "cluster", "is another");
    for (size_t i = 0; i < o->order.maker_count; i++)
        if (ecdsa_uncompress(rules->ecdsa, point, o->order.makers[i]))
            return err_in(e, RC_REFUSED, "makers", "a key is not a point of the curve");
    return check_signatures(e, o, rules);
}

rc_t order_may_take(err_t *e, const order_signed_t *o, const order_id_t *present, const order_rules_t *rules)
{
    hash32_t digest;
    if (order_id_cmp(&o->id, present) <= 0)
        return err_in(e, RC_REPLAY, "version", "is not above the order in force");
    sha256(&digest, o->text);
    if (!hash32_eq(&digest, &o->order.policy))
        return err_in(e, RC_REFUSED, "text", "is not the policy of the order");
    return order_judge(e, o, rules);
}

int order_maker_index(const order_t *o, const uint8_t key[33])
{
    for (int i = 0; i < o->maker_count; i++)
        if (memcmp(o->makers[i], key, 33) == 0)
            return i;
    return -1;
}

int order_seat_index(const order_t *o, const hash32_t *platform)
{
    for (int i = 0; i < o->seat_count; i++)
        if (hash32_eq(&o->seats[i], platform))
            return i;
    return -1;
}
