/* Shares of a generation's key: to whom one goes, and which one a joiner takes. */
#include "tests/unit/generation_world.h"

START_TEST(a_key_goes_only_to_who_runs_the_same_order_and_holds_less)
{
    order_signed_t one, two;
    key_name_t name = { .version = 99 };
    uint8_t other[33];
    cluster(2);
    order_of(&one, 1, 0, 0, 0);
    order_of(&two, 2, 2, 0, 0);
    ck_assert_int_eq(gen_give(nodes[0].g, &name, &two.id.digest, NULL, NULL), GEN_OTHER_ORDER);
    ck_assert_int_eq(gen_give(nodes[0].g, &name, &one.id.digest, NULL, NULL), GEN_GIVES);
    ck_assert_int_eq(gen_give(nodes[0].g, &name, &one.id.digest, gen_cluster(nodes[0].g), NULL), GEN_GIVES);
    key_point(other, 9);
    ck_assert_int_eq(gen_give(nodes[0].g, &name, &one.id.digest, other, NULL), GEN_OTHER_CLUSTER);
    ck_assert_int_eq(gen_give(nodes[0].g, &name, &one.id.digest, NULL, gen_in_use(nodes[0].g)), GEN_HAS_NONE);
    take_all(2, &two, 0);
    ck_assert_int_eq(gen_give(nodes[0].g, &name, &one.id.digest, NULL, NULL), GEN_OTHER_ORDER); /* yesterday's disk */
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    ck_assert_int_eq(gen_give(nodes[0].g, &name, &two.id.digest, NULL, &gen_first(nodes[0].g)->entry.entry.name),
                     GEN_GIVES);
    ck_assert_uint_eq(name.version, 2); /* the newest committed, before anybody signs with it */
    const order_rules_t rules = rules_of(true);
    start(&nodes[2], 4, &rules);
    take(&nodes[2], &two, 0);
    ck_assert_int_eq(gen_give(nodes[2].g, &name, &two.id.digest, NULL, NULL), GEN_HAS_NONE);
}
END_TEST

START_TEST(a_share_below_a_known_commit_is_dropped)
{
    order_signed_t o;
    err_t e;
    cluster(3);
    const order_rules_t rules = rules_of(false);
    start(&nodes[3], 5, &rules); /* the joiner */
    link_nodes(3, 0, true);
    gen_head(nodes[3].g, 100);
    order_of(&o, 2, 2, 0, 0);
    for (size_t i = 0; i < 4; i++)
        if (i != 2)
            take(&nodes[i], &o, 0);
    link_nodes(2, 0, false);
    link_nodes(2, 1, false);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle(); /* the joiner has heard of the COMMIT; node 2 gives what it has */
    ck_assert_int_eq(share(&nodes[2], &nodes[3], &e), RC_REPLAY);
    ck_assert_str_eq(e.field, "name");
    ck_assert(gen_newest(nodes[3].g)->entry.entry.name.version == 2);
}
END_TEST

START_TEST(shares_that_do_not_verify_leave_the_joiner_as_it_was)
{
    static uint8_t proof[ENTRY_PROOF_MAX], first[ENTRY_MAX];
    err_t e;
    sealed_t s;
    cluster(1);
    const order_rules_t rules = rules_of(true);
    start(&nodes[1], 3, &rules);
    wr_t p = wr_of(proof, sizeof proof), f = wr_of(first, sizeof first);
    entry_proof_write(&p, gen_newest(nodes[0].g));
    entry_write(&f, &gen_first(nodes[0].g)->entry);
    ck_assert(seal(&s, &nodes[0], &gen_newest(nodes[0].g)->entry.entry.name));
    for (size_t i = 0; i < p.n; i++) {
        proof[i] ^= 0x10;
        ck_assert_msg(gen_share(nodes[1].g, &e, wr_view(&p), wr_view(&f), s.sealed, &s.box) != RC_OK, "proof %zu", i);
        proof[i] ^= 0x10;
        ck_assert(gen_share(nodes[1].g, &e, view_of(proof, i), wr_view(&f), s.sealed, &s.box) == RC_MALFORMED);
    }
    for (size_t i = 0; i < f.n; i++) {
        first[i] ^= 0x10;
        ck_assert_msg(gen_share(nodes[1].g, &e, wr_view(&p), wr_view(&f), s.sealed, &s.box) != RC_OK, "first %zu", i);
        first[i] ^= 0x10;
    }
    s.sealed[5] ^= 1;
    ck_assert_int_eq(gen_share(nodes[1].g, &e, wr_view(&p), wr_view(&f), s.sealed, &s.box), RC_REFUSED);
    s.sealed[5] ^= 1;
    ck_assert(!gen_newest(nodes[1].g) && !gen_in_use(nodes[1].g));
    ck_assert_int_eq(gen_share(nodes[1].g, &e, wr_view(&p), wr_view(&f), s.sealed, &s.box), RC_OK);
    ck_assert(signs_with(&nodes[1], 1));
    ck_assert_int_eq(gen_share(nodes[1].g, &e, wr_view(&p), wr_view(&f), s.sealed, &s.box), RC_REPLAY);
    seal_free(&s);
}
END_TEST

START_TEST(a_key_of_another_cluster_never_replaces_ours)
{
    uint8_t secrets[KEY_SECRETS_LEN];
    err_t e;
    const order_rules_t any = rules_of(false), pinned = rules_of(true);
    cluster(2);
    start(&nodes[2], 4, &any);
    secrets_of(secrets, 8); /* a second cluster, founded under the same signers */
    ck_assert_int_eq(gen_found(nodes[2].g, secrets, &setup_hash), RC_OK);
    ck_assert_int_eq(share(&nodes[2], &nodes[1], &e), RC_REFUSED);
    ck_assert_str_eq(e.field, "cluster");
    ck_assert(signs_with(&nodes[1], 1));
    start(&nodes[3], 5, &pinned);
    ck_assert_int_eq(share(&nodes[2], &nodes[3], &e), RC_REFUSED);
    start(&nodes[4], 6, &any); /* without a pin the first that answers decides */
    ck_assert_int_eq(share(&nodes[2], &nodes[4], &e), RC_OK);
    ck_assert_int_eq(share(&nodes[0], &nodes[4], &e), RC_REFUSED);
    ck_assert(signs_with(&nodes[4], 8));
}
END_TEST

/* The share of a first generation needs no other entry; of a later one that is lost, and the order names the cluster. */
START_TEST(a_share_without_a_bootstrap_entry_is_of_the_first_generation_or_of_its_orders_cluster)
{
    order_signed_t o;
    err_t e;
    cluster(2);
    const order_rules_t any = rules_of(false);
    start(&nodes[2], 4, &any);
    ck_assert_msg(share_with(&nodes[0], &nodes[2], &e, false) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(gen_first(nodes[2].g) && hash32_eq(&gen_first(nodes[2].g)->entry.entry.setup, &setup_hash));
    order_of(&o, 2, 2, 0, 0);
    take_all(2, &o, 0);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    stop(&nodes[2]);
    start(&nodes[2], 4, &any);
    ck_assert_msg(share_with(&nodes[0], &nodes[2], &e, false) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(!gen_first(nodes[2].g) && !gen_wants_key(nodes[2].g));
    ck_assert_mem_eq(gen_cluster(nodes[2].g), gen_cluster(nodes[0].g), 33);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "generation_share", open, close_all, a_key_goes_only_to_who_runs_the_same_order_and_holds_less,
        a_share_below_a_known_commit_is_dropped, shares_that_do_not_verify_leave_the_joiner_as_it_was,
        a_key_of_another_cluster_never_replaces_ours,
        a_share_without_a_bootstrap_entry_is_of_the_first_generation_or_of_its_orders_cluster);
}
