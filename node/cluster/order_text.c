#include "node/cluster/order_text.h"

#include <stdlib.h>

#include "base/crypto/hash.h"

static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, 33);
}

static void read_signatures(order_signed_t *o, const jo_t *root)
{
    jo_t list = jo_list(root, "signatures", 0, ORDER_SIGNERS_MAX), one;
    for (o->signature_count = 0; jo_next(&list, &one); o->signature_count++) {
        order_signature_t *s = &o->signatures[o->signature_count];
        const jo_t x = jo_object(&one, NULL);
        jo_hex(&x, s->key, sizeof s->key, "key", HEX_0X);
        jo_hex(&x, s->signature, sizeof s->signature, "signature", HEX_0X);
    }
    qsort(o->signatures, o->signature_count, sizeof o->signatures[0], by_key);
    for (size_t i = 1; i < o->signature_count; i++)
        if (memcmp(o->signatures[i - 1].key, o->signatures[i].key, 33) == 0)
            jo_fail(root, "signatures", RC_MALFORMED, "two of one key");
}

/* ---- what stands there for people: who signs reads it, and must not be told anything else than is signed ---- */

static void differs(const jo_t *o, const char *key)
{
    jo_fail(o, key, RC_REFUSED, "is not what the body says");
}

static void check_number(const jo_t *o, const char *key, uint64_t said, uint64_t want)
{
    if (jo_has(o, key) && said != want)
        differs(o, key);
}

static void check_bytes(const jo_t *o, const char *key, view_t want)
{
    uint8_t said[33];
    if (jo_opt_hex(o, said, want.n, key, HEX_0X) && memcmp(said, want.p, want.n) != 0)
        differs(o, key);
}

/* count times n bytes, one behind the other. */
static void check_list(const jo_t *o, const char *key, const uint8_t *want, size_t n, size_t count)
{
    jo_t list, one;
    size_t i = 0;
    if (!jo_opt_list(o, &list, key, 0, ORDER_SEATS_MAX))
        return;
    for (; jo_next(&list, &one); i++)
        if (i < count)
            check_bytes(&one, NULL, view_of(want + i * n, n));
    if (i != count)
        differs(o, key);
}

static void check_shown(const jo_t *root, const order_t *o)
{
    hash32_t digest;
    order_digest(&digest, o);
    check_number(root, "version", jo_has(root, "version") ? jo_u64(root, "version", 0, UINT64_MAX) : 0, o->version);
    check_number(root, "void_slot", jo_has(root, "void_slot") ? jo_decimal(root, "void_slot", UINT64_MAX) : 0,
                 o->void_slot);
    check_bytes(root, "digest", view_of(digest.b, 32));
    check_bytes(root, "cluster", view_of(o->cluster, 33));
    check_bytes(root, "policy_digest", view_of(o->policy.b, 32));
    check_list(root, "makers", o->makers[0], 33, o->maker_count);
    check_list(root, "seats", o->seats[0].b, 32, o->seat_count);
}

rc_t order_text_read(order_signed_t *out, err_t *e, arena_t *a, view_t json)
{
    order_signed_t o = { .signature_count = 0 };
    jo_doc_t doc;
    hash32_t digest;
    err_t bad;
    const jo_t root = jo_open(&doc, e, json, ORDER_JSON_MAX, JO_LENIENT);
    const view_t body = jo_bytes(&root, a, "body", 1, ORDER_BODY_MAX, HEX_0X);
    if (body.p && order_read_body(&o.order, &bad, body))
        jo_fail(&root, "body", bad.rc, "%s%s%s", bad.field, bad.field[0] ? ": " : "", bad.text);
    else if (body.p)
        check_shown(&root, &o.order);
    read_signatures(&o, &root);
    o.text = jo_text_copy(&root, a, "policy", 1, ORDER_TEXT_MAX);
    rc_t rc = jo_done(&root);
    jo_close(&doc);
    if (rc)
        return rc;
    o.id.version = o.order.version;
    order_digest(&o.id.digest, &o.order);
    sha256(&digest, o.text);
    if (!hash32_eq(&digest, &o.order.policy))
        return err_in(e, RC_REFUSED, "policy", "is not the one that the body names");
    *out = o;
    return RC_OK;
}

static void put_lists(jw_t *w, const order_t *o)
{
    jw_array(w, "makers");
    for (size_t i = 0; i < o->maker_count; i++)
        jw_hex(w, NULL, view_of(o->makers[i], 33));
    jw_end(w);
    jw_array(w, "seats");
    for (size_t i = 0; i < o->seat_count; i++)
        jw_hex(w, NULL, view_of(o->seats[i].b, 32));
    jw_end(w);
}

void order_text_write(jw_t *w, const char *key, const order_signed_t *o)
{
    uint8_t body[ORDER_BODY_MAX];
    wr_t b = wr_of(body, sizeof body);
    order_write_body(&b, &o->order);
    jw_object(w, key);
    jw_u64(w, "version", o->id.version);
    jw_hex(w, "digest", view_of(o->id.digest.b, 32));
    jw_hex(w, "cluster", view_of(o->order.cluster, 33));
    jw_decimal(w, "void_slot", o->order.void_slot);
    put_lists(w, &o->order);
    jw_hex(w, "policy_digest", view_of(o->order.policy.b, 32));
    jw_hex(w, "body", wr_view(&b));
    jw_array(w, "signatures");
    for (size_t i = 0; i < o->signature_count; i++) {
        jw_object(w, NULL);
        jw_hex(w, "key", view_of(o->signatures[i].key, 33));
        jw_hex(w, "signature", view_of(o->signatures[i].signature, 64));
        jw_end(w);
    }
    jw_end(w);
    o->text.n ? jw_text(w, "policy", o->text) : jw_null(w, "policy");
    jw_end(w);
}
