/* The body of GET /v1/attest, written and read; the prototype's. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/hex.h"
#include "rpc/api/attestation.h"
#include "tests/unit/unit.h"

static attestation_t sample(void)
{
    static const uint8_t quote[] = { 4, 0, 2, 0, 0x81 };
    attestation_t x = { .provider = view_str("configfs-tsm"),
                        .evidence_type = 1,
                        .quote = view_of(quote, sizeof quote),
                        .event_log = view_str("[{\"imr\":3}]"),
                        .vm_config = view_str("{}"),
                        .cluster_statement = view_str("{\"chain_id\":560048,\"network\":{\"name\":\"hoodi\"}}"),
                        .node_statement = view_str("{\"program\":\"0.1.0\"}"),
                        .has_nonce = true,
                        .collateral = view_str("{\"tcb_info\":\"{}\"}"),
                        .cluster = { true, 2, 1, { { 0x0d } }, 3, 5 } };
    memset(x.pubkey, 2, sizeof x.pubkey);
    memset(x.node_pubkey, 3, sizeof x.node_pubkey);
    memset(x.nonce, 4, sizeof x.nonce);
    return x;
}

static void check_same(const attestation_t *x, const attestation_t *y)
{
    ck_assert(view_eq(x->provider, y->provider) && view_eq(x->quote, y->quote));
    ck_assert(view_eq(x->event_log, y->event_log) && view_eq(x->vm_config, y->vm_config));
    ck_assert(view_eq(x->collateral, y->collateral));
    ck_assert(view_eq(x->cluster_statement, y->cluster_statement) && view_eq(x->node_statement, y->node_statement));
    ck_assert_mem_eq(x->pubkey, y->pubkey, 33);
    ck_assert_mem_eq(x->node_pubkey, y->node_pubkey, 33);
    ck_assert_mem_eq(x->nonce, y->nonce, 32);
    ck_assert(x->has_nonce == y->has_nonce && x->evidence_type == y->evidence_type);
    const attestation_cluster_t *c = &x->cluster, *d = &y->cluster;
    ck_assert(c->is_there == d->is_there && c->generation == d->generation && c->index == d->index);
    ck_assert(hash32_eq(&c->order, &d->order) && c->order_version == d->order_version && c->platforms == d->platforms);
}

START_TEST(what_is_written_reads_again)
{
    arena_t a;
    view_t body;
    err_t e;
    attestation_t x = sample(), y;
    arena_init(&a, 1 << 20);
    ck_assert_int_eq(attestation_write(&body, &a, &x), RC_OK);
    ck_assert_int_eq(attestation_read(&y, &e, &a, body), RC_OK);
    check_same(&x, &y);
    x.has_nonce = false;
    memset(x.nonce, 0, 32);
    x.event_log = x.vm_config = x.collateral = view_of(NULL, 0);
    x.cluster = (attestation_cluster_t){ .is_there = false };
    ck_assert_int_eq(attestation_write(&body, &a, &x), RC_OK);
    ck_assert_ptr_null(memmem(body.p, body.n, "nonce", 5));
    ck_assert_ptr_null(memmem(body.p, body.n, "collateral", 10));
    ck_assert_ptr_null(memmem(body.p, body.n, "\"cluster\"", 9));
    ck_assert_int_eq(attestation_read(&y, &e, &a, body), RC_OK);
    check_same(&x, &y);
    arena_free(&a);
}
END_TEST

START_TEST(no_truncation_reads)
{
    arena_t a;
    view_t body;
    err_t e;
    attestation_t x = sample(), y;
    arena_init(&a, 16 << 20);
    ck_assert_int_eq(attestation_write(&body, &a, &x), RC_OK);
    for (size_t n = 0; n < body.n; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, body.p, n);
        ck_assert_int_eq(attestation_read(&y, &e, &a, view_of(copy, n)), RC_MALFORMED);
        free(copy);
    }
    arena_free(&a);
}
END_TEST

/* Each member with a value of another kind, and the required ones left out: the error names the member. */
START_TEST(a_wrong_or_missing_member_is_named)
{
    static const struct {
        const char *member;
        bool required;
    } rows[] = {
        { "kettle", true },     { "evidence_type", true },  { "quote", true },
        { "event_log", false }, { "pubkey", true },         { "node_pubkey", true },
        { "nonce", false },     { "collateral", false },    { "cluster_statement", true },
        { "unbound", true },    { "node_statement", true },
    };
    arena_t a;
    view_t body;
    err_t e;
    attestation_t x = sample(), y;
    arena_init(&a, 16 << 20);
    ck_assert_int_eq(attestation_write(&body, &a, &x), RC_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (unsigned missing = 0; missing < 2; missing++) {
            json_t *o;
            ck_assert_ptr_nonnull(o = json_loadb((const char *)body.p, body.n, 0, NULL));
            ck_assert_ptr_nonnull(json_object_get(o, rows[i].member));
            if (missing)
                json_object_del(o, rows[i].member);
            else
                json_object_set_new(o, rows[i].member, json_true());
            char *text = json_dumps(o, JSON_COMPACT);
            rc_t rc = attestation_read(&y, &e, &a, view_str(text));
            ck_assert_int_eq(rc, missing && !rows[i].required ? RC_OK : RC_MALFORMED);
            if (rc)
                ck_assert_str_eq(e.field, rows[i].member);
            free(text);
            json_decref(o);
        }
    }
    arena_free(&a);
}
END_TEST

/* What is not known is refused where it could be taken for bound, and passed over where it is marked. */
START_TEST(a_member_that_nobody_knows_may_stand_among_the_unbound_only)
{
    arena_t a;
    view_t body;
    err_t e;
    attestation_t x = sample(), y;
    arena_init(&a, 16 << 20);
    ck_assert_int_eq(attestation_write(&body, &a, &x), RC_OK);
    for (unsigned unbound = 0; unbound < 2; unbound++) {
        json_t *o = json_loadb((const char *)body.p, body.n, 0, NULL);
        json_object_set_new(unbound ? json_object_get(o, "unbound") : o, "tcb_status", json_string("UpToDate"));
        char *text = json_dumps(o, JSON_COMPACT);
        ck_assert_int_eq(attestation_read(&y, &e, &a, view_str(text)), unbound ? RC_OK : RC_MALFORMED);
        if (!unbound)
            ck_assert_str_eq(e.field, "tcb_status");
        free(text);
        json_decref(o);
    }
    arena_free(&a);
}
END_TEST

/* The statements come out canonical, however they were spaced and ordered: they are hashed so. */
START_TEST(statements_are_canonical_whatever_they_were)
{
    arena_t a;
    view_t body;
    err_t e;
    attestation_t x = sample(), y;
    arena_init(&a, 1 << 20);
    x.cluster_statement = view_str("{ \"network\" : {\"name\":\"hoodi\"},\n \"chain_id\":560048 }");
    ck_assert_int_eq(attestation_write(&body, &a, &x), RC_OK);
    ck_assert_int_eq(attestation_read(&y, &e, &a, body), RC_OK);
    ck_assert(view_eq(y.cluster_statement, sample().cluster_statement));
    arena_free(&a);
}
END_TEST

START_TEST(the_prototypes_body_reads)
{
    static const char body[] = "\"{\\\"quote\\\":\\\"0400\\\",\\\"pubkey\\\":"
                               "\\\"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\\\"}\"";
    arena_t a;
    view_t quote;
    uint8_t key[33];
    err_t e;
    arena_init(&a, 1 << 20);
    ck_assert_int_eq(attestation_read_prototype(&quote, key, &e, &a, view_str(body)), RC_OK);
    ck_assert_uint_eq(quote.n, 2);
    ck_assert_uint_eq(key[1], 0x79);
    for (size_t n = 0; n < sizeof body - 1; n++)
        ck_assert_int_eq(attestation_read_prototype(&quote, key, &e, &a, view_of(body, n)), RC_MALFORMED);
    ck_assert_int_eq(attestation_read_prototype(&quote, key, &e, &a, view_str("{\"quote\":\"0400\"}")), RC_MALFORMED);
    arena_free(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN("attestation", what_is_written_reads_again, no_truncation_reads, a_wrong_or_missing_member_is_named,
                    a_member_that_nobody_knows_may_stand_among_the_unbound_only,
                    statements_are_canonical_whatever_they_were, the_prototypes_body_reads);
}
