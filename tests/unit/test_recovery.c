/* After all nodes have died: what was kept, the shares that a node gathers, the generation that comes of them. */
#include "tests/unit/recovery_world.h"

static order_signed_t second;

/* Nodes 0 and 1; node 0 has made the generation of order 2, which has no policy's text here. */
static void two_generations(void)
{
    cluster(2);
    order_of(&second, 2, 2, 0, 0);
    take_all(2, &second, 0);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    heads(2, 200);
    ck_assert(signs_with(&nodes[0], 20) && signs_with(&nodes[1], 20));
}

static void starts_anew(boot_t *n)
{
    const order_rules_t rules = rules_of(false);
    start(n, 6, &rules);
    gen_head(n->g, 300);
}

START_TEST(two_operators_of_three_bring_a_dead_cluster_back)
{
    err_t e;
    unsigned needed;
    two_generations();
    const view_t a = keep(&nodes[0], RECOVERY_SHARES, &second), b = keep(&nodes[1], RECOVERY_SHARES, &second);
    stop(&nodes[0]);
    stop(&nodes[1]);
    gather_t *g = gatherer();
    starts_anew(&nodes[2]);
    ck_assert(gather_count(g, &needed) == 0 && needed == 2 && !gather_recovery(g, NULL));
    ck_assert_int_eq(gather_join(g, nodes[2].keys), RC_NEED_DATA);
    ck_assert_msg(send_share(g, &e, a, 2, 2) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_int_eq(send_share(g, &e, a, 2, 2), RC_REPLAY); /* his own twice is one */
    ck_assert_int_eq(gather_join(g, nodes[2].keys), RC_NEED_DATA);
    ck_assert_int_eq(restore(&nodes[2], &e, g), RC_NEED_DATA);
    ck_assert_int_eq(gen_signer(nodes[2].g, 300), GEN_NO_KEY);
    ck_assert_msg(send_share(g, &e, b, 0, 0) == RC_OK, "%s: %s", e.field, e.text); /* kept by another member */
    ck_assert_uint_eq(gather_count(g, &needed), 2);
    ck_assert_msg(restore(&nodes[2], &e, g) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(signs_with(&nodes[2], 20) && gen_signer(nodes[2].g, 300) == GEN_SIGNS);
    ck_assert_mem_eq(gen_cluster(nodes[2].g), recovery_cluster(gather_recovery(g, NULL)), 33);
    ck_assert(gen_first(nodes[2].g) && hash32_eq(&gen_first(nodes[2].g)->entry.entry.setup, &setup_hash));
    /* and the order that the operators sign makes it the maker of a fresh one */
    order_signed_t third;
    order_of(&third, 3, 6, 0, 0);
    take(&nodes[2], &third, 1000);
    ck_assert_int_eq(make(&nodes[2], 30, 1000 + GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    gen_head(nodes[2].g, 400);
    ck_assert(signs_with(&nodes[2], 30));
    gather_free(g);
    free((void *)(uintptr_t)a.p);
    free((void *)(uintptr_t)b.p);
}
END_TEST

/* What is of the first generation has no order, and no entry but its proof. */
START_TEST(a_first_generation_comes_back)
{
    err_t e;
    cluster(1);
    const view_t a = keep(&nodes[0], RECOVERY_SHARES, NULL);
    gather_t *g = gatherer();
    starts_anew(&nodes[2]);
    ck_assert_int_eq(send_share(g, &e, a, 0, 0), RC_OK);
    ck_assert_int_eq(send_share(g, &e, a, 1, 1), RC_OK);
    ck_assert_msg(restore(&nodes[2], &e, g) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(signs_with(&nodes[2], 1));
    gather_free(g);
    free((void *)(uintptr_t)a.p);
}
END_TEST

START_TEST(nobody_but_an_operator_brings_anything)
{
    const order_rules_t rules = rules_of(false);
    err_t e;
    unsigned needed;
    two_generations();
    const view_t a = keep(&nodes[0], RECOVERY_SHARES, &second);
    gather_t *g = gatherer();
    ck_assert_int_eq(send_share(g, &e, a, 1, 0), RC_REFUSED); /* another operator's key sent it */
    ck_assert_str_eq(e.field, "share");
    uint8_t none[KEY_SHARE_LEN + BOX_TAG_LEN] = { 0 };
    gather_share_t s = { .recovery = a, .holder = OPERATORS, .sealed = view_of(none, sizeof none) };
    ck_assert_int_eq(gather_take(g, &e, &s, &rules), RC_MALFORMED);
    s.holder = 0;
    for (size_t n = 0; n < sizeof none; n++) {
        s.sealed.n = n;
        ck_assert_int_eq(gather_take(g, &e, &s, &rules), RC_MALFORMED);
    }
    ck_assert(gather_count(g, &needed) == 0 && !gather_recovery(g, NULL));
    gather_free(g);
    free((void *)(uintptr_t)a.p);
}
END_TEST

/* Each byte that stands beside the shares counts: statement, entries, order, boxes. */
START_TEST(what_stands_beside_the_shares_is_what_the_key_signed)
{
    static recovery_t r;
    err_t e;
    view_t covered;
    two_generations();
    const view_t a = keep(&nodes[0], RECOVERY_SHARES, &second);
    uint8_t *bytes = (uint8_t *)(uintptr_t)a.p;
    for (size_t i = 0; i < a.n; i++) {
        bytes[i] ^= 0x08;
        ck_assert_msg(recovery_read(&r, &covered, &e, a) || recovery_judge(&e, &r, covered, ecdsa), "byte %zu", i);
        bytes[i] ^= 0x08;
    }
    ck_assert(!recovery_read(&r, &covered, &e, a) && !recovery_judge(&e, &r, covered, ecdsa));
    for (size_t n = 0; n < a.n; n++) {
        uint8_t *copy = malloc(n ? n : 1); /* exact size on the heap: ASan sees an over-read */
        memcpy(copy, a.p, n);
        ck_assert_int_eq(recovery_read(&r, &covered, &e, view_of(copy, n)), RC_MALFORMED);
        free(copy);
    }
    free(bytes);
}
END_TEST

/* Shares of a cluster that other operators, or these with a key of theirs, have. */
START_TEST(three_shares_of_another_cluster_restore_nothing_here)
{
    err_t e;
    uint8_t secrets[KEY_SECRETS_LEN];
    const order_rules_t any = rules_of(false), pinned = rules_of(true);
    cluster(1);
    start(&nodes[1], 3, &any);
    secrets_of(secrets, 8);
    ck_assert_int_eq(gen_found(nodes[1].g, secrets, &setup_hash), RC_OK);
    const view_t other = keep(&nodes[1], RECOVERY_SHARES, NULL);
    gather_t *g = gatherer();
    start(&nodes[2], 6, &pinned); /* to the first cluster */
    for (unsigned i = 0; i < OPERATORS; i++)
        ck_assert_int_eq(send_share(g, &e, other, i, i), RC_OK);
    ck_assert_int_eq(restore(&nodes[2], &e, g), RC_REFUSED);
    ck_assert_str_eq(e.field, "cluster");
    ck_assert(gen_signer(nodes[2].g, 300) == GEN_NO_KEY && !gen_newest(nodes[2].g));
    gather_free(g);
    operator_keys[0][0] ^= 4; /* other operators */
    g = gatherer();
    operator_keys[0][0] ^= 4;
    ck_assert_int_eq(send_share(g, &e, other, 1, 1), RC_REFUSED);
    ck_assert_str_eq(e.field, "shares");
    gather_free(g);
    free((void *)(uintptr_t)other.p);
}
END_TEST

/* The generation's key signs what stands beside the shares, whoever made it: not so the order. */
START_TEST(a_newer_generation_that_an_operator_made_up_keeps_no_share_out)
{
    err_t e;
    unsigned needed;
    cluster(2);
    const view_t old = keep(&nodes[0], RECOVERY_SHARES, NULL);
    order_of(&second, 2, 2, 0, 0);
    take_all(2, &second, 0);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    spoils_order = 1;
    const view_t made_up = keep(&nodes[0], RECOVERY_SHARES, NULL);
    spoils_order = 0;
    gather_t *g = gatherer();
    ck_assert_int_eq(send_share(g, &e, old, 0, 0), RC_OK);
    ck_assert_int_eq(send_share(g, &e, made_up, 1, 1), RC_REFUSED);
    ck_assert_str_eq(e.field, "proof.order.signatures");
    ck_assert_int_eq(send_share(g, &e, old, 2, 2), RC_OK);
    ck_assert(gather_count(g, &needed) == 2 && needed == 2);
    gather_free(g);
    free((void *)(uintptr_t)old.p);
    free((void *)(uintptr_t)made_up.p);
}
END_TEST

START_TEST(of_two_generations_the_newer_counts)
{
    err_t e;
    unsigned needed;
    cluster(2);
    const view_t old = keep(&nodes[0], RECOVERY_SHARES, NULL);
    order_of(&second, 2, 2, 0, 0);
    take_all(2, &second, 0);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    const view_t new = keep(&nodes[0], RECOVERY_SHARES, &second);
    gather_t *g = gatherer();
    ck_assert_int_eq(send_share(g, &e, old, 0, 0), RC_OK);
    ck_assert_int_eq(send_share(g, &e, new, 1, 1), RC_OK); /* alone: the older one's does not go with it */
    ck_assert_uint_eq(gather_count(g, &needed), 1);
    ck_assert_int_eq(send_share(g, &e, old, 2, 2), RC_REPLAY);
    ck_assert_int_eq(send_share(g, &e, new, 2, 2), RC_OK);
    starts_anew(&nodes[2]);
    ck_assert_int_eq(restore(&nodes[2], &e, g), RC_OK);
    ck_assert(signs_with(&nodes[2], 20));
    /* a node that knows of a newer one takes none that is older, whoever brings it */
    gather_t *late = gatherer();
    ck_assert_int_eq(send_share(late, &e, old, 0, 0), RC_OK);
    ck_assert_int_eq(send_share(late, &e, old, 1, 1), RC_OK);
    ck_assert_int_eq(restore(&nodes[2], &e, late), RC_REPLAY);
    ck_assert(signs_with(&nodes[2], 20));
    gather_free(g);
    gather_free(late);
    free((void *)(uintptr_t)old.p);
    free((void *)(uintptr_t) new.p);
}
END_TEST

typedef struct {
    const recovery_t *r;
    view_t covered;
    const uint8_t *key;
} kept_ctx_t;

static rc_t recall(void *ctx, keyring_t *keys, const key_name_t *name, const uint8_t expected[33])
{
    const kept_ctx_t *k = ctx;
    return keyring_recall(keys, name, expected, k->r->kept, k->key, k->covered);
}

START_TEST(what_the_provider_sealed_comes_back_as_it_was)
{
    static recovery_t r;
    static uint8_t proof[ENTRY_PROOF_MAX], first[ENTRY_MAX];
    const uint8_t other_key[32] = { 1 };
    err_t e;
    kept_ctx_t k = { .r = &r, .key = other_key };
    two_generations();
    const view_t kept = keep(&nodes[0], RECOVERY_SEALED, &second);
    uint8_t *bytes = (uint8_t *)(uintptr_t)kept.p;
    ck_assert_int_eq(recovery_read(&r, &k.covered, &e, kept), RC_OK);
    ck_assert(r.slot == 90 && recovery_judge(&e, &r, k.covered, ecdsa) == RC_OK);
    wr_t p = wr_of(proof, sizeof proof), f = wr_of(first, sizeof first);
    entry_proof_write(&p, &r.proof);
    entry_write(&f, &r.first);
    starts_anew(&nodes[2]);
    ck_assert_int_eq(gen_restore(nodes[2].g, &e, wr_view(&p), wr_view(&f), recall, &k), RC_REFUSED); /* not its TEE */
    k.key = seal_key;
    bytes[24] ^= 1; /* the slot: it is authenticated */
    ck_assert_int_eq(gen_restore(nodes[2].g, &e, wr_view(&p), wr_view(&f), recall, &k), RC_REFUSED);
    bytes[24] ^= 1;
    ck_assert(!gen_newest(nodes[2].g));
    ck_assert_int_eq(gen_restore(nodes[2].g, &e, wr_view(&p), wr_view(&f), recall, &k), RC_OK);
    ck_assert(signs_with(&nodes[2], 20));
    for (size_t n = 0; n < kept.n; n++)
        ck_assert_int_eq(recovery_read(&r, &k.covered, &e, view_of(kept.p, n)), RC_MALFORMED);
    free(bytes);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("recovery", open_operators, close_all, two_operators_of_three_bring_a_dead_cluster_back,
                           a_first_generation_comes_back, nobody_but_an_operator_brings_anything,
                           what_stands_beside_the_shares_is_what_the_key_signed,
                           three_shares_of_another_cluster_restore_nothing_here,
                           a_newer_generation_that_an_operator_made_up_keeps_no_share_out,
                           of_two_generations_the_newer_counts, what_the_provider_sealed_comes_back_as_it_was);
}
