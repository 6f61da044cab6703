/* Generations: who makes one, who acknowledges, when it is used, and what a node does with what it is told. */
#include "tests/unit/generation_world.h"

START_TEST(who_founds_a_cluster_signs_at_once_and_only_once)
{
    uint8_t secrets[KEY_SECRETS_LEN];
    const order_rules_t any = rules_of(false), pinned = rules_of(true);
    start(&nodes[0], 2, &any);
    ck_assert_int_eq(gen_signer(nodes[0].g, 1), GEN_NO_KEY);
    ck_assert(gen_wants_key(nodes[0].g) && !gen_cluster(nodes[0].g) && !gen_in_use(nodes[0].g));
    found(&nodes[0]);
    ck_assert_int_eq(gen_signer(nodes[0].g, 0), GEN_SIGNS);
    ck_assert(!gen_wants_key(nodes[0].g) && signs_with(&nodes[0], 1));
    ck_assert(hash32_eq(&gen_first(nodes[0].g)->entry.entry.setup, &setup_hash));
    err_t e;
    ck_assert_int_eq(entry_proof_judge(&e, gen_first(nodes[0].g), &any), RC_OK);
    secrets_of(secrets, 8);
    ck_assert_int_eq(gen_found(nodes[0].g, secrets, &setup_hash), RC_REFUSED);
    start(&nodes[1], 3, &pinned); /* a node that is to join that cluster founds none */
    secrets_of(secrets, 8);
    ck_assert_int_eq(gen_found(nodes[1].g, secrets, &setup_hash), RC_REFUSED);
}
END_TEST

START_TEST(a_generation_is_made_acknowledged_committed_and_used_from_its_slot)
{
    order_signed_t o;
    cluster(4);
    order_of(&o, 2, 3, 4, 0); /* node 1, then node 2 */
    take_all(4, &o, 1000);
    for (size_t i = 0; i < 4; i++)
        ck_assert(!gen_wants_secrets(nodes[i].g, 1000 + GEN_FIRST_WAIT_MS - 1));
    ck_assert(gen_wants_secrets(nodes[1].g, 1000 + GEN_FIRST_WAIT_MS));
    ck_assert(!gen_wants_secrets(nodes[2].g, 1000 + GEN_NEXT_WAIT_MS - 1));
    ck_assert(gen_wants_secrets(nodes[2].g, 1000 + GEN_NEXT_WAIT_MS));
    ck_assert(!gen_wants_secrets(nodes[3].g, 1000 + 10 * GEN_NEXT_WAIT_MS)); /* nobody named it */
    ck_assert_int_eq(make(&nodes[1], 20, 1000), RC_REFUSED);
    ck_assert_int_eq(make(&nodes[1], 20, 1000 + GEN_FIRST_WAIT_MS), RC_OK);
    ck_assert(!gen_wants_secrets(nodes[1].g, 1000 + GEN_FIRST_WAIT_MS)); /* once in its life */
    ck_assert_int_eq(make(&nodes[1], 21, 1000 + GEN_FIRST_WAIT_MS), RC_REFUSED);
    settle();
    ck_assert_uint_eq(nodes[1].drafts, 3);
    ck_assert(!gen_wants_secrets(nodes[2].g, 1000 + GEN_NEXT_WAIT_MS)); /* it is committed */
    for (size_t i = 0; i < 4; i++) {
        const entry_proof_t *p = gen_newest(nodes[i].g);
        err_t e;
        const order_rules_t rules = rules_of(true);
        ck_assert_uint_eq(p->entry.entry.name.version, 2);
        ck_assert_uint_eq(p->entry.entry.from_slot, 104);
        ck_assert_uint_eq(p->entry.entry.member_count, 4);
        ck_assert_int_eq(entry_proof_judge(&e, p, &rules), RC_OK);
        ck_assert(signs_with(&nodes[i], 1));
        ck_assert_int_eq(gen_signer(nodes[i].g, 103), GEN_SIGNS);
        gen_head(nodes[i].g, 103);
        ck_assert(signs_with(&nodes[i], 1));
        gen_head(nodes[i].g, 104);
        ck_assert(signs_with(&nodes[i], 20));
        ck_assert_int_eq(gen_signer(nodes[i].g, 104), GEN_SIGNS);
        ck_assert_int_eq(gen_signer(nodes[i].g, 103), GEN_RETIRED);
        uint8_t pub[33];
        ck_assert_int_eq(keyring_pubkey_of(nodes[i].keys, pub, &gen_first(nodes[i].g)->entry.entry.name), RC_REFUSED);
    }
}
END_TEST

START_TEST(a_draft_is_not_used_shown_or_shared_before_its_commit)
{
    order_signed_t o;
    key_name_t name;
    cluster(4);
    order_of(&o, 2, 2, 0, 0);
    take_all(4, &o, 0);
    for (size_t i = 0; i < 2; i++) /* nodes 0 and 1 are cut off, and two of four are no COMMIT */
        for (size_t j = 2; j < 4; j++)
            link_nodes(i, j, false);
    uint8_t listed[3][33];
    for (unsigned i = 0; i < 3; i++)
        key_point(listed[i], i + 3);
    gen_peers(nodes[0].g, (const uint8_t(*)[33])listed, 3);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    heads(4, 200);
    for (size_t i = 0; i < 2; i++) {
        uint8_t pub[33];
        const key_name_t draft = { 2, o.id.digest, 0 };
        ck_assert_int_eq(keyring_pubkey_of(nodes[i].keys, pub, &draft), RC_OK);
        ck_assert(signs_with(&nodes[i], 1));
        ck_assert_int_eq(gen_signer(nodes[i].g, 200), GEN_SIGNS);
        ck_assert(entry_is_first(&gen_newest(nodes[i].g)->entry.entry));
        ck_assert_int_eq(gen_give(nodes[i].g, &name, &o.id.digest, NULL, NULL), GEN_GIVES);
        ck_assert(hash32_is_zero(&name.order));
    }
    link_nodes(0, 2, true); /* a third one, on a new connection: the COMMIT, from_slot long past */
    settle();
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(signs_with(&nodes[i], 20), "node %zu", i);
    ck_assert_int_eq(gen_give(nodes[0].g, &name, &o.id.digest, NULL, NULL), GEN_GIVES);
    ck_assert_uint_eq(name.version, 2);
}
END_TEST

START_TEST(two_makers_of_one_order_end_with_the_higher_name)
{
    order_signed_t o;
    cluster(5);
    order_of(&o, 2, 2, 3, 4);
    take_all(5, &o, 0);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++)
            if ((i < 1) != (j < 1) || (i >= 1 && j == 0))
                link_nodes(i, j, false);
    link_nodes(0, 4, true); /* 0 with 4; 1, 2, 3, 4 */
    link_nodes(0, 4, false);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK); /* alone: it lists itself only, and commits */
    settle();
    heads(5, 200);
    ck_assert(signs_with(&nodes[0], 20));
    ck_assert_int_eq(make(&nodes[1], 21, GEN_NEXT_WAIT_MS), RC_OK);
    settle();
    heads(5, 300);
    for (size_t i = 1; i < 5; i++)
        ck_assert(signs_with(&nodes[i], 21));
    for (size_t i = 1; i < 5; i++)
        link_nodes(0, i, true);
    settle();
    ck_assert_int_eq(gen_signer(nodes[0].g, 300), GEN_NEWER_KEY); /* it knows the COMMIT, not the secret */
    ck_assert(gen_wants_key(nodes[0].g));
    ck_assert_int_eq(share(&nodes[3], &nodes[0], NULL), RC_OK);
    for (size_t i = 0; i < 5; i++) {
        ck_assert(signs_with(&nodes[i], 21));
        ck_assert_uint_eq(gen_newest(nodes[i].g)->entry.entry.name.index, 1);
    }
}
END_TEST

START_TEST(a_lower_name_is_not_acknowledged_after_a_higher)
{
    order_signed_t o;
    cluster(4);
    order_of(&o, 2, 2, 3, 0);
    take_all(4, &o, 0);
    link_nodes(0, 1, false);
    ck_assert_int_eq(make(&nodes[1], 21, GEN_NEXT_WAIT_MS), RC_OK);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_NEXT_WAIT_MS), RC_OK);
    gen_out_t out;
    while (gen_poll(nodes[1].g, &out)) /* node 2 has the draft of maker 1, and nothing else */
        if (out.kind == GEN_DRAFT && by_key(out.to) == &nodes[2])
            carry_draft(&nodes[1], &nodes[2], &out);
    ck_assert_int_eq(nodes[2].draft_rc, RC_OK);
    while (gen_poll(nodes[0].g, &out))
        if (out.kind == GEN_DRAFT && by_key(out.to) == &nodes[2])
            carry_draft(&nodes[0], &nodes[2], &out);
    ck_assert_int_eq(nodes[2].draft_rc, RC_REFUSED);
}
END_TEST

/* Node 3 is no maker; a stranger is not listed; another order, another place, another node, a far slot. */
START_TEST(drafts_that_the_rules_do_not_allow_are_refused)
{
    static const struct {
        const char *what, *field;
    } rows[] = { { "another sends it", "from" },
                 { "not listed", "members" },
                 { "put off by 2^63 slots", "from_slot" },
                 { "a maker whom nobody named", "by_maker" },
                 { "of an older order", "name" },
                 { "does not open", "" },
                 { "held already", "" },
                 { "put off by a slot more than may be", "from_slot" } };
    static const uint64_t head = 100;
    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        order_signed_t o, old;
        cluster(3);
        order_of(&old, 2, 2, 0, 0);
        order_of(&o, 3, 2, 0, 0);
        take_all(3, &o, 0);
        const order_signed_t *of = row == 4 ? &old : &o;
        entry_signed_t s = { .entry = { .name = { of->order.version, of->id.digest, 0 }, .member_count = 2 } };
        entry_t *x = &s.entry;
        x->from_slot = row == 2 ? 1ull << 63 : row < 6 ? 104 : head + GEN_FROM_SLOTS_MAX + (row == 7);
        key_point(x->pubkey, 20);
        key_point(x->members[0], 2);
        key_point(x->members[1], row == 1 ? 4 : 3);
        if (memcmp(x->members[0], x->members[1], 33) > 0) {
            uint8_t t[33];
            memcpy(t, x->members[0], 33);
            memcpy(x->members[0], x->members[1], 33);
            memcpy(x->members[1], t, 33);
        }
        entry_digest(&s.g, x);
        key_sign(s.by_maker, row == 3 ? 4 : 2, &s.g);
        key_sign(s.by_key, 20, &s.g);
        uint8_t bytes[ENTRY_MAX], from[33], secrets[KEY_SECRETS_LEN];
        wr_t w = wr_of(bytes, sizeof bytes);
        entry_write(&w, &s);
        key_point(from, row == 0 ? 4 : 2);
        secrets_of(secrets, row == 5 ? 21 : 20);
        ck_assert_int_eq(keyring_add(nodes[0].keys, &x->name, secrets), RC_OK);
        sealed_t box;
        err_t e = { .rc = RC_OK };
        ck_assert(seal(&box, &nodes[0], &x->name));
        rc_t rc = gen_draft(nodes[1].g, &e, from, wr_view(&w), box.sealed, &box.box);
        if (row == 6) {
            ck_assert_int_eq(rc, RC_OK);
            rc = gen_draft(nodes[1].g, &e, from, wr_view(&w), box.sealed, &box.box);
        }
        ck_assert_msg(rc == (row == 6 ? RC_REPLAY : RC_REFUSED), "%s: %d", rows[row].what, rc);
        ck_assert_msg(!strcmp(e.field, rows[row].field), "%s: %s", rows[row].what, e.field);
        uint8_t pub[33];
        ck_assert_int_eq(keyring_pubkey_of(nodes[1].keys, pub, &x->name), row == 6 ? RC_OK : RC_REFUSED);
        seal_free(&box);
        for (size_t i = 0; i < 3; i++)
            stop(&nodes[i]);
    }
}
END_TEST

/* The excluded member, with the old secret and its static key: none of what it can make changes a correct node. */
START_TEST(what_the_excluded_member_signs_counts_for_nothing)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    order_signed_t o;
    err_t e;
    cluster(4); /* node 3 is the excluded one */
    order_of(&o, 2, 2, 0, 0);
    take_all(3, &o, 0);
    for (size_t i = 0; i < 3; i++)
        link_nodes(i, 3, false);
    for (unsigned row = 0; row < 3; row++) {
        entry_proof_t p = { .has_order = row > 0, .order = o };
        entry_t *x = &p.entry.entry;
        *x = (entry_t){ .name = { 2, o.id.digest, 0 }, .from_slot = 1, .member_count = 1 };
        if (row == 0) /* a first generation of its own: a ground key */
            *x = (entry_t){ .name = { .version = 0 }, .member_count = 1 };
        if (row == 2) { /* an order of its own, signed by the cluster's key, which it holds */
            key_point(p.order.order.makers[0], 5);
            p.order.id.version = p.order.order.version = 3;
            order_digest(&p.order.id.digest, &p.order.order);
            key_point(p.order.signatures[0].key, 1);
            key_sign(p.order.signatures[0].signature, 1, &p.order.id.digest);
            x->name = (key_name_t){ 3, p.order.id.digest, 0 };
        }
        key_point(x->pubkey, 30);
        key_point(x->members[0], 5);
        entry_digest(&p.entry.g, x);
        key_sign(p.entry.by_maker, 5, &p.entry.g);
        key_sign(p.entry.by_key, 30, &p.entry.g);
        hash32_t digest;
        entry_ack_digest(&digest, &p.entry.g);
        p.ack_count = 1;
        p.acks[0].g = p.entry.g;
        key_point(p.acks[0].key, 5);
        key_sign(p.acks[0].signature, 5, &digest);
        wr_t w = wr_of(bytes, sizeof bytes);
        entry_proof_write(&w, &p);
        ck_assert_msg(gen_commit(nodes[1].g, &e, wr_view(&w)) == RC_REFUSED, "row %u", row);
        ck_assert(entry_is_first(&gen_newest(nodes[1].g)->entry.entry));
    }
    /* its acknowledgement of a draft that does not list it */
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    gen_out_t out;
    entry_ack_t ack;
    while (gen_poll(nodes[0].g, &out))
        if (out.kind == GEN_ACK)
            ck_assert_int_eq(entry_ack_read(&ack, &e, out.bytes), RC_OK);
    hash32_t digest;
    entry_ack_digest(&digest, &ack.g);
    key_point(ack.key, 5);
    key_sign(ack.signature, 5, &digest);
    wr_t w = wr_of(bytes, sizeof bytes);
    entry_ack_write(&w, &ack);
    ck_assert_int_eq(gen_ack(nodes[0].g, &e, wr_view(&w)), RC_REFUSED);
    ck_assert_str_eq(e.field, "key");
    ck_assert(entry_is_first(&gen_newest(nodes[0].g)->entry.entry));
}
END_TEST

/* A maker that is cut off lists itself alone, and so commits what it likes. By our clock, as our head may be old. */
START_TEST(a_commit_that_is_put_off_without_end_is_refused)
{
    static uint8_t bytes[ENTRY_PROOF_MAX], first[ENTRY_MAX];
    static const uint64_t later[] = { 1ull << 63, UINT64_MAX, GEN_FROM_SLOTS_MAX + 1, GEN_FROM_SLOTS_MAX };
    order_signed_t o;
    err_t e;
    hash32_t digest;
    cluster(3);
    order_of(&o, 2, 2, 3, 0);
    take_all(3, &o, 0);
    wr_t wf = wr_of(first, sizeof first);
    entry_write(&wf, &gen_first(nodes[1].g)->entry);
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        const bool good = later[i] == GEN_FROM_SLOTS_MAX;
        entry_proof_t p = { .has_order = true, .order = o, .ack_count = 1 };
        entry_t *x = &p.entry.entry;
        *x = (entry_t){ .name = { 2, o.id.digest, 0 }, .member_count = 1 };
        x->from_slot = i < 2 ? later[i] : slot_now + later[i];
        key_point(x->pubkey, 30);
        key_point(x->members[0], 2);
        entry_digest(&p.entry.g, x);
        key_sign(p.entry.by_maker, 2, &p.entry.g);
        key_sign(p.entry.by_key, 30, &p.entry.g);
        entry_ack_digest(&digest, &p.entry.g);
        p.acks[0].g = p.entry.g;
        key_point(p.acks[0].key, 2);
        key_sign(p.acks[0].signature, 2, &digest);
        wr_t w = wr_of(bytes, sizeof bytes);
        entry_proof_write(&w, &p);
        if (!good) {
            ck_assert_int_eq(gen_restore(nodes[2].g, &e, wr_view(&w), wr_view(&wf), NULL, NULL), RC_REFUSED);
            ck_assert_str_eq(e.field, "from_slot");
        }
        ck_assert_int_eq(gen_commit(nodes[1].g, &e, wr_view(&w)), good ? RC_OK : RC_REFUSED);
        ck_assert(good || !strcmp(e.field, "from_slot"));
        ck_assert_int_eq(gen_wants_secrets(nodes[1].g, GEN_NEXT_WAIT_MS), !good); /* the next maker carries it out */
    }
}
END_TEST

/* Signs a first generation of the cluster's key, as whoever holds its secret can: with any static key of its own. */
static view_t forged_first(uint8_t *bytes, uint64_t version, uint64_t from_slot)
{
    entry_proof_t p = { .has_order = false };
    entry_t *x = &p.entry.entry;
    wr_t w = wr_of(bytes, ENTRY_PROOF_MAX);
    *x = (entry_t){ .name.version = version, .from_slot = from_slot, .member_count = 1, .setup = setup_hash };
    key_point(x->pubkey, 1);
    key_point(x->members[0], 5);
    entry_digest(&p.entry.g, x);
    key_sign(p.entry.by_maker, 5, &p.entry.g);
    key_sign(p.entry.by_key, 1, &p.entry.g);
    entry_proof_write(&w, &p);
    return wr_view(&w);
}

/* Of the real name, which would contradict it; of the highest version; of as many versions as there is room for. */
START_TEST(first_generations_that_are_forged_by_the_first_key_change_nothing)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    order_signed_t o;
    key_name_t name;
    cluster(3);
    for (uint64_t v = 0; v < 40; v++) {
        const view_t forged = forged_first(bytes, v < 20 ? v : ORDER_VERSION_END - v + 19, 0);
        ck_assert_int_eq(gen_commit(nodes[1].g, NULL, forged), RC_OK);
    }
    settle();
    ck_assert_uint_eq(nodes[1].evidence, 0);
    ck_assert_int_eq(gen_signer(nodes[1].g, 100), GEN_SIGNS);
    ck_assert_uint_eq(gen_until(nodes[1].g), UINT64_MAX);
    ck_assert(hash32_eq(&gen_newest(nodes[1].g)->entry.g, &gen_first(nodes[0].g)->entry.g));
    order_of(&o, 2, 3, 0, 0);
    take_all(3, &o, 0);
    ck_assert_int_eq(gen_give(nodes[1].g, &name, &o.id.digest, NULL, NULL), GEN_GIVES);
    ck_assert(make(&nodes[1], 20, GEN_FIRST_WAIT_MS) == RC_OK && hash32_is_zero(&name.order));
    settle();
    heads(3, 104);
    for (size_t i = 0; i < 3; i++)
        ck_assert(signs_with(&nodes[i], 20));
}
END_TEST

/* A member that gives the true secret under a version that no later generation would be above. */
START_TEST(the_first_generation_of_a_share_has_no_version_above_the_order)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    const order_rules_t rules = rules_of(false);
    static const uint64_t versions[] = { ORDER_VERSION_END - 1, 2, 1 };
    order_signed_t o;
    err_t e;
    cluster(2);
    order_of(&o, 1, 0, 0, 0);
    for (size_t i = 0; i < 3; i++) {
        sealed_t s;
        uint8_t secrets[KEY_SECRETS_LEN];
        const key_name_t name = { .version = versions[i] };
        secrets_of(secrets, 1);
        start(&nodes[2], 4, &rules);
        take(&nodes[2], &o, 0);
        start(&nodes[3], 5, &rules);
        ck_assert_int_eq(keyring_add(nodes[3].keys, &name, secrets), RC_OK);
        ck_assert(seal(&s, &nodes[3], &name));
        const view_t proof = forged_first(bytes, versions[i], 0), none = { NULL, 0 };
        const rc_t rc = gen_share(nodes[2].g, &e, proof, none, s.sealed, &s.box);
        ck_assert_int_eq(rc, i == 2 ? RC_OK : RC_REFUSED);
        ck_assert(i == 2 || !strcmp(e.field, "bootstrap"));
        seal_free(&s);
        stop(&nodes[2]);
        stop(&nodes[3]);
    }
}
END_TEST

/* E10: maker 2G lists itself alone and commits twice under one name. */
START_TEST(two_commits_of_one_name_silence_it_until_the_next_order)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    order_signed_t o;
    cluster(3);
    order_of(&o, 2, 2, 0, 0);
    take_all(3, &o, 0);
    for (unsigned k = 20; k < 24; k++) {
        entry_proof_t p = { .has_order = true, .order = o, .ack_count = 1 };
        entry_t *x = &p.entry.entry;
        *x = (entry_t){ .name = { 2, o.id.digest, 0 }, .from_slot = 100, .member_count = 1 };
        key_point(x->pubkey, k);
        key_point(x->members[0], 2);
        entry_digest(&p.entry.g, x);
        key_sign(p.entry.by_maker, 2, &p.entry.g);
        key_sign(p.entry.by_key, k, &p.entry.g);
        hash32_t digest;
        entry_ack_digest(&digest, &p.entry.g);
        p.acks[0].g = p.entry.g;
        key_point(p.acks[0].key, 2);
        key_sign(p.acks[0].signature, 2, &digest);
        wr_t w = wr_of(bytes, sizeof bytes);
        entry_proof_write(&w, &p);
        err_t e;
        ck_assert_int_eq(gen_commit(nodes[1].g, &e, wr_view(&w)), RC_OK);
        settle();
        ck_assert_int_eq(gen_signer(nodes[1].g, 100), k == 20 ? GEN_NEWER_KEY : GEN_CONTRADICTED);
    }
    ck_assert_uint_eq(nodes[1].evidence, 2); /* both, once; further ones prove nothing new */
    for (size_t i = 0; i < 3; i++) {
        key_name_t name;
        ck_assert_int_eq(gen_signer(nodes[i].g, 100), GEN_CONTRADICTED);
        ck_assert_int_eq(gen_give(nodes[i].g, &name, &o.id.digest, NULL, NULL), GEN_HAS_NONE);
    }
    order_of(&o, 3, 3, 0, 0);
    take_all(3, &o, 0);
    ck_assert_int_eq(make(&nodes[1], 25, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    heads(3, 104);
    for (size_t i = 0; i < 3; i++)
        ck_assert(signs_with(&nodes[i], 25));
}
END_TEST

/* E4 to E7: the maker is killed before its draft, between draft and COMMIT, and after. */
START_TEST(the_makers_death_is_carried_out_by_the_next_maker)
{
    for (unsigned row = 0; row < 3; row++) {
        order_signed_t o;
        cluster(4);
        order_of(&o, 2, 2, 3, 0);
        take_all(4, &o, 0);
        gen_out_t out;
        if (row) {
            ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
            while (gen_poll(nodes[0].g, &out))
                for (size_t i = 1; i < 4; i++) {
                    if (out.kind == GEN_ACK)
                        ck_assert_int_eq(gen_ack(nodes[i].g, NULL, out.bytes), RC_OK);
                    else if (by_key(out.to) == &nodes[i] && (row == 2 || i == 1))
                        carry_draft(&nodes[0], &nodes[i], &out);
                }
        }
        stop(&nodes[0]);
        for (size_t i = 1; i < 4; i++)
            peers(&nodes[i]);
        settle(); /* row 2: the living make the COMMIT out of their acknowledgements */
        ck_assert_int_eq(gen_wants_secrets(nodes[1].g, GEN_NEXT_WAIT_MS), row != 2);
        if (row != 2)
            ck_assert_int_eq(make(&nodes[1], 21, GEN_NEXT_WAIT_MS), RC_OK);
        settle();
        heads(4, 200);
        for (size_t i = 1; i < 4; i++) {
            ck_assert(signs_with(&nodes[i], row == 2 ? 20 : 21));
            stop(&nodes[i]);
        }
    }
}
END_TEST

/* A restarted maker is another boot: its order makes nothing any more; a higher one, that names a living one, does. */
START_TEST(a_restarted_maker_makes_nothing)
{
    order_signed_t o;
    const order_rules_t rules = rules_of(true);
    cluster(3);
    order_of(&o, 2, 2, 0, 0);
    take_all(3, &o, 0);
    stop(&nodes[0]);
    start(&nodes[0], 7, &rules);
    take(&nodes[0], &o, 0);
    gen_head(nodes[0].g, 100);
    for (size_t i = 0; i < 3; i++)
        ck_assert(!gen_wants_secrets(nodes[i].g, 100 * GEN_NEXT_WAIT_MS));
    link_nodes(0, 1, true);
    link_nodes(0, 2, true);
    order_of(&o, 3, 7, 0, 0);
    take_all(3, &o, 0);
    ck_assert(gen_wants_secrets(nodes[0].g, GEN_FIRST_WAIT_MS)); /* it needs no old secret */
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    heads(3, 104);
    for (size_t i = 0; i < 3; i++)
        ck_assert(signs_with(&nodes[i], 20));
}
END_TEST

START_TEST(a_draft_of_an_older_order_may_still_be_committed_and_is_sent_no_more)
{
    order_signed_t o;
    cluster(3);
    order_of(&o, 2, 2, 0, 0);
    take_all(3, &o, 0);
    link_nodes(0, 2, true);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    gen_out_t out;
    while (gen_poll(nodes[0].g, &out))
        if (out.kind == GEN_DRAFT && by_key(out.to) == &nodes[1])
            carry_draft(&nodes[0], &nodes[1], &out);
    order_of(&o, 3, 0, 0, 0);
    take_all(3, &o, 0);
    link_nodes(0, 2, true);
    settle(); /* node 1's acknowledgement makes two of three */
    ck_assert_uint_eq(nodes[0].drafts, 0);
    ck_assert_uint_eq(gen_newest(nodes[2].g)->entry.entry.name.version, 2);
    ck_assert_int_eq(gen_signer(nodes[2].g, 104), GEN_NEWER_KEY);
    ck_assert_int_eq(share(&nodes[1], &nodes[2], NULL), RC_OK);
    heads(3, 104);
    for (size_t i = 0; i < 3; i++)
        ck_assert(signs_with(&nodes[i], 20));
}
END_TEST

/* The least version of the configuration, or of what the disk says: a valid proof below it is refused. */
START_TEST(nothing_below_the_least_version_is_taken)
{
    static uint8_t bytes[ENTRY_PROOF_MAX];
    order_signed_t o;
    err_t e;
    cluster(3);
    order_of(&o, 2, 2, 0, 0);
    take_all(3, &o, 0);
    ck_assert_int_eq(make(&nodes[0], 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    order_rules_t rules = rules_of(true);
    for (unsigned row = 0; row < 2; row++) {
        rules.min_version = row ? 2 : 3;
        start(&nodes[3 + row], 5 + row, &rules);
        wr_t w = wr_of(bytes, sizeof bytes);
        entry_proof_write(&w, gen_newest(nodes[0].g));
        ck_assert_int_eq(gen_commit(nodes[3 + row].g, &e, wr_view(&w)), row ? RC_OK : RC_REFUSED);
        ck_assert_int_eq(share(&nodes[0], &nodes[3 + row], &e), row ? RC_OK : RC_REFUSED);
    }
}
END_TEST

START_TEST(an_order_of_the_same_version_with_a_higher_digest_is_carried_out_too)
{
    order_signed_t a, b;
    cluster(3);
    order_of(&a, 2, 2, 0, 0);
    order_of(&b, 2, 3, 0, 0);
    bool swap = order_id_cmp(&a.id, &b.id) > 0;
    const order_signed_t *low = swap ? &b : &a, *high = swap ? &a : &b;
    boot_t *first = &nodes[swap ? 1 : 0], *second = &nodes[swap ? 0 : 1];
    take_all(3, low, 0);
    ck_assert_int_eq(make(first, 20, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    take_all(3, high, 0);
    ck_assert_int_eq(make(second, 21, GEN_FIRST_WAIT_MS), RC_OK);
    settle();
    heads(3, 104);
    for (size_t i = 0; i < 3; i++)
        ck_assert(signs_with(&nodes[i], 21));
    take_all(3, low, 0); /* which a node never does; even then nothing is made of what is surpassed */
    ck_assert(!gen_wants_secrets(first->g, GEN_FIRST_WAIT_MS));
}
END_TEST

START_TEST(many_generations_keep_within_their_bounds)
{
    order_signed_t o;
    cluster(3);
    uint64_t slot = 100;
    for (unsigned v = 2; v < 40; v++) {
        order_of(&o, v, 2, 0, 0);
        take_all(3, &o, 0);
        ck_assert_int_eq(make(&nodes[0], (uint8_t)(20 + v), GEN_FIRST_WAIT_MS), RC_OK);
        settle();
        heads(3, slot += GEN_FROM_SLOTS);
        for (size_t i = 0; i < 3; i++)
            ck_assert_msg(signs_with(&nodes[i], 20 + v), "version %u, node %zu", v, i);
        ck_assert(gen_first(nodes[2].g) != NULL);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "generation", open, close_all, who_founds_a_cluster_signs_at_once_and_only_once,
        a_generation_is_made_acknowledged_committed_and_used_from_its_slot,
        first_generations_that_are_forged_by_the_first_key_change_nothing,
        the_first_generation_of_a_share_has_no_version_above_the_order,
        a_draft_is_not_used_shown_or_shared_before_its_commit, two_makers_of_one_order_end_with_the_higher_name,
        a_commit_that_is_put_off_without_end_is_refused, a_lower_name_is_not_acknowledged_after_a_higher,
        drafts_that_the_rules_do_not_allow_are_refused, what_the_excluded_member_signs_counts_for_nothing,
        two_commits_of_one_name_silence_it_until_the_next_order, the_makers_death_is_carried_out_by_the_next_maker,
        a_restarted_maker_makes_nothing, a_draft_of_an_older_order_may_still_be_committed_and_is_sent_no_more,
        nothing_below_the_least_version_is_taken, an_order_of_the_same_version_with_a_higher_digest_is_carried_out_too,
        many_generations_keep_within_their_bounds);
}
