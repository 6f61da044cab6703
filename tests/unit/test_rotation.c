/* A new key in a running cluster: an order spreads, its maker gives drafts, all sign with the new generation from its
 * slot on; whoever dies on the way, and whoever comes later. */
#include "tests/unit/join_world.h"

enum { COUNT = 4 };

static member_t nodes[COUNT], late;
static const hash32_t setup_hash = { { 0x77 } };
static const uint8_t signer[32] = { [31] = 9 };
static uint8_t first_key[33];
static const char policy_text[] = "the policy of an order";

/* An order of this version, whose makers are these members. */
static order_signed_t order_of(uint64_t version, const int *makers, uint8_t count)
{
    order_signed_t o = { .order = { .version = version, .maker_count = count }, .signature_count = 1 };
    memcpy(o.order.cluster, first_key, 33);
    for (uint8_t i = 0; i < count; i++)
        memcpy(o.order.makers[i], nodes[makers[i]].id.who.key.b, 33);
    o.text = view_str(policy_text);
    sha256(&o.order.policy, o.text);
    o.id.version = version;
    order_digest(&o.id.digest, &o.order);
    ck_assert_int_eq(ecdsa_pubkey(world.ecdsa, o.signatures[0].key, signer), RC_OK);
    ck_assert_int_eq(ecdsa_sign(world.ecdsa, o.signatures[0].signature, NULL, &o.id.digest, signer), RC_OK);
    return o;
}

static rc_t take_order(member_t *m, const order_signed_t *o)
{
    err_t e;
    const rc_t rc = join_judge_order(m->join, &e, o);
    return rc ? rc : join_set_order(m->join, o, world.policy);
}

static void ordered(void *ctx, net_conn_t *from, const order_signed_t *order)
{
    (void)from;
    (void)take_order(ctx, order);
}

static void member_with_signer(member_t *m, const char *word)
{
    member_new(m, word);
    m->config.ordered = ordered;
    m->config.rules.threshold = m->config.rules.signer_count = 1;
    ck_assert_int_eq(ecdsa_pubkey(world.ecdsa, m->config.rules.signers[0], signer), RC_OK);
}

static void heads(uint64_t slot)
{
    for (int i = 0; i < COUNT; i++)
        if (nodes[i].join)
            join_head(nodes[i].join, slot);
}

/* Four members that hold the first key, all connected to each other, at slot 100. */
static void begin(uint64_t seed, const memory_faults_t *faults)
{
    static const char *const words[] = { "first", "second", "third", "fourth" };
    err_t e;
    members_open(seed, faults);
    for (int i = 0; i < COUNT; i++) {
        member_with_signer(&nodes[i], words[i]);
        member_start(&nodes[i]);
    }
    ck_assert_int_eq(join_found(nodes[0].join, &e, &setup_hash), RC_OK);
    keyring_pubkey(nodes[0].ring, first_key);
    for (int i = 1; i < COUNT; i++) {
        for (int k = 0; k < i; k++)
            (void)dial_member(&nodes[i], (size_t)k + 1);
        ck_assert_int_eq(join_want(nodes[i].join, &e, first_key), RC_OK);
    }
    run_members(faults == &fair_net ? 1500 : 20000);
    heads(100);
    for (int i = 0; i < COUNT; i++)
        ck_assert_msg(holds_key(&nodes[i]), "member %d", i);
}

static bool signs_with_first(const member_t *m)
{
    uint8_t pub[33];
    keyring_pubkey(m->ring, pub);
    return memcmp(pub, first_key, 33) == 0;
}

/* All that run sign with the same key, of this order and turn. */
static void all_sign_with(const order_signed_t *o, uint8_t index, unsigned but)
{
    uint8_t want[33] = { 0 }, pub[33];
    for (int i = 0; i < COUNT; i++) {
        join_keys_t keys;
        if (!nodes[i].join || (but >> i & 1))
            continue;
        join_keys(nodes[i].join, &keys);
        ck_assert_msg(keys.signer == GEN_SIGNS && hash32_eq(&keys.in_use.order, &o->id.digest), "member %d: %d", i,
                      (int)keys.signer);
        ck_assert_uint_eq(keys.in_use.index, index);
        keyring_pubkey(nodes[i].ring, pub);
        if (!want[0])
            memcpy(want, pub, 33);
        ck_assert_mem_eq(pub, want, 33);
    }
    ck_assert(memcmp(want, first_key, 33) != 0);
}

static void end(void)
{
    members_close();
    for (int i = 0; i < COUNT; i++)
        nodes[i].join = NULL;
}

static void kill_member(member_t *m)
{
    memory_leave(net_world, m->net);
    member_stop(m);
    m->join = NULL;
}

START_TEST(an_order_that_one_member_takes_makes_a_key_that_all_use_from_its_slot_on)
{
    uint8_t pub[33];
    begin(1, &fair_net);
    const order_signed_t o = order_of(2, (const int[]){ 1, 2 }, 2);
    ck_assert_int_eq(take_order(&nodes[3], &o), RC_OK);
    run_members(1000);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_msg(order_id_cmp(&join_order(nodes[i].join)->id, &o.id) == 0, "member %d runs another", i);
        ck_assert(view_eq(join_order(nodes[i].join)->text, o.text));
    }
    run_members(GEN_FIRST_WAIT_MS + 1000);
    for (int i = 0; i < COUNT; i++) {
        join_keys_t keys;
        join_keys(nodes[i].join, &keys);
        ck_assert_msg(keys.holds && keys.until == 104 && signs_with_first(&nodes[i]), "member %d", i);
    }
    heads(103);
    ck_assert(signs_with_first(&nodes[0]) && signs_with_first(&nodes[1]));
    heads(104);
    all_sign_with(&o, 0, 0);
    ck_assert_int_eq(keyring_pubkey_of(nodes[0].ring, pub, &(key_name_t){ .version = 0 }), RC_REFUSED); /* wiped */
    ck_assert_uint_eq(nodes[1].released, 3);
    end();
}
END_TEST

/* The key for a draft that the state of one member names to another. */
static void named_key(uint8_t out[32], const member_t *to, const member_t *of)
{
    join_member_t all[COUNT];
    const size_t n = join_members(to->join, all, COUNT);
    for (size_t i = 0; i < n; i++)
        if (memcmp(all[i].static_key, of->id.who.key.b, 33) == 0) {
            ck_assert(all[i].state && all[i].state->has_ephemeral);
            memcpy(out, all[i].state->ephemeral, 32);
            return;
        }
    ck_abort_msg("no peer");
}

START_TEST(the_key_for_a_draft_is_gone_once_it_was_used)
{
    uint8_t used[32], kept[32], now[32];
    begin(8, &fair_net);
    const order_signed_t o = order_of(2, (const int[]){ 1 }, 1);
    ck_assert_int_eq(take_order(&nodes[3], &o), RC_OK);
    run_members(1000);
    named_key(used, &nodes[1], &nodes[0]); /* the maker's, for its draft */
    named_key(kept, &nodes[2], &nodes[0]);
    run_members(GEN_FIRST_WAIT_MS + 1000);
    named_key(now, &nodes[1], &nodes[0]);
    ck_assert_mem_ne(now, used, 32);
    named_key(now, &nodes[2], &nodes[0]);
    ck_assert_mem_eq(now, kept, 32);
    end();
}
END_TEST

START_TEST(who_comes_later_gets_the_order_and_then_the_newest_key)
{
    err_t e;
    begin(2, &fair_net);
    const order_signed_t o = order_of(2, (const int[]){ 1 }, 1);
    ck_assert_int_eq(take_order(&nodes[1], &o), RC_OK);
    run_members(GEN_FIRST_WAIT_MS + 1000);
    heads(104);
    member_with_signer(&late, "late");
    member_start(&late);
    (void)dial_member(&late, 1);
    run_members(500);
    ck_assert_int_eq(order_id_cmp(&join_order(late.join)->id, &o.id), 0);
    ck_assert_int_eq(only_member(&late).phase, JOIN_PEER);
    ck_assert_int_eq(join_want(late.join, &e, first_key), RC_OK);
    run_members(500);
    join_head(late.join, 104);
    join_keys_t keys;
    join_keys(late.join, &keys);
    ck_assert(keys.is_in_use && hash32_eq(&keys.in_use.order, &o.id.digest) && !signs_with_first(&late));
    ck_assert_mem_eq(join_first(late.join)->entry.pubkey, first_key, 33);
    end();
}
END_TEST

/* One member runs an order of version 2; another one was away, and comes back. strict: under a policy that admits nobody here. */
static order_signed_t come_back(bool here_strict, bool there_strict)
{
    err_t e;
    members_open(9, &fair_net);
    member_with_signer(&nodes[0], "first");
    member_start(&nodes[0]);
    ck_assert_int_eq(join_found(nodes[0].join, &e, &setup_hash), RC_OK);
    keyring_pubkey(nodes[0].ring, first_key);
    const order_signed_t o = order_of(2, (const int[]){ 0 }, 1);
    ck_assert_int_eq(join_judge_order(nodes[0].join, &e, &o), RC_OK);
    ck_assert_int_eq(join_set_order(nodes[0].join, &o, here_strict ? world.next : world.policy), RC_OK);
    member_with_signer(&late, "late");
    late.config.policy = there_strict ? world.next : world.policy;
    member_start(&late);
    (void)dial_member(&late, 1);
    run_members(500);
    return o;
}

START_TEST(who_was_away_learns_of_the_order_that_shuts_it_out)
{
    join_refusal_t why[JOIN_REFUSALS_MAX];
    const order_signed_t o = come_back(true, false);
    ck_assert_int_eq(order_id_cmp(&join_order(late.join)->id, &o.id), 0);
    ck_assert(view_eq(join_order(late.join)->text, o.text));
    ck_assert_uint_eq(join_refusals(nodes[0].join, why), 1);
    ck_assert_uint_eq(why[0].why.code, E_MEASUREMENT);
    ck_assert_uint_eq(late.bye, NET_BYE_ATTEST);
    ck_assert(!holds_key(&late) && nodes[0].released == 0);
    end();
}
END_TEST

/* All members were upgraded meanwhile: by its own old policy it admits none of them. */
START_TEST(who_was_away_during_an_upgrade_learns_of_the_order_that_admits_it)
{
    const order_signed_t o = come_back(false, true);
    ck_assert_int_eq(order_id_cmp(&join_order(late.join)->id, &o.id), 0);
    ck_assert_uint_eq(nodes[0].bye, NET_BYE_ATTEST);
    (void)dial_member(&late, 1);
    run_members(500);
    ck_assert_int_eq(only_member(&late).phase, JOIN_PEER);
    end();
}
END_TEST

/* Somebody who never attests sends an order. */
static void send_order(peer_t *stranger, const char *word, const order_signed_t *o)
{
    static net_protocol_t all[2][2]; /* as long as the streams */
    net_protocol_t *p = all[o->signatures[0].signature[5] & 1];
    static uint8_t bytes[ORDER_SIGNED_MAX + sizeof policy_text + 4];
    net_conn_t *c;
    net_stream_t *s;
    const maddr_t to = maddr("/ip4/10.0.0.1/udp/4001/quic-v1");
    peer_new(stranger, word, true);
    ck_assert_int_eq(memory_join(net_world, stranger->net), RC_OK);
    ck_assert_int_eq(net_dial(stranger->net, &c, NULL, &to, stranger), RC_OK);
    run_members(200);
    p[0] = p[1] = stranger->protocols[0];
    p[0].name = JOIN_ATTEST_PROTOCOL;
    p[1].name = JOIN_ORDER_PROTOCOL;
    ck_assert_int_eq(net_open(c, &s, &p[0], stranger), RC_OK);
    run_members(200);
    for (int i = 0; i < 2; i++) {
        wr_t w = wr_of(bytes, sizeof bytes);
        order_write(&w, o, true);
        pb_delimit(&w, 0);
        ck_assert(!w.bad);
        ck_assert_int_eq(net_open(c, &s, &p[1], stranger), RC_OK);
        ck_assert_int_eq(net_write(s, wr_view(&w)), RC_OK);
        run_members(200);
    }
}

START_TEST(an_order_counts_by_its_signers_whoever_brings_it)
{
    static peer_t one, two;
    begin(10, &fair_net);
    const order_signed_t o = order_of(2, (const int[]){ 1 }, 1);
    order_signed_t changed = o;
    changed.signatures[0].signature[5] ^= 1;
    send_order(&one, "stranger", &changed);
    ck_assert_uint_eq(join_order(nodes[0].join)->id.version, 0);
    ck_assert_uint_eq(one.stream_closed, 2); /* one is looked at on a connection */
    send_order(&two, "another", &o);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(order_id_cmp(&join_order(nodes[i].join)->id, &o.id), 0);
    peer_clear(&one);
    peer_clear(&two);
    end();
}
END_TEST

/* Whoever does not run the order learns of no draft, and takes no part. */
START_TEST(an_order_of_nobody_is_not_taken)
{
    err_t e;
    begin(3, &fair_net);
    order_signed_t o = order_of(2, (const int[]){ 1 }, 1), changed = o;
    changed.signatures[0].signature[5] ^= 1;
    ck_assert_int_eq(join_judge_order(nodes[0].join, &e, &changed), RC_REFUSED);
    changed = o;
    changed.signature_count = 0;
    ck_assert_int_eq(join_judge_order(nodes[0].join, &e, &changed), RC_REFUSED);
    changed = o;
    changed.text = view_str("another policy");
    ck_assert_int_eq(join_judge_order(nodes[0].join, &e, &changed), RC_REFUSED);
    ck_assert_int_eq(take_order(&nodes[0], &o), RC_OK);
    ck_assert_int_eq(join_judge_order(nodes[0].join, &e, &o), RC_REPLAY);
    changed = order_of(1, (const int[]){ 0 }, 1);
    ck_assert_int_eq(join_judge_order(nodes[0].join, &e, &changed), RC_REPLAY);
    end();
}
END_TEST

START_TEST(the_second_maker_makes_the_key_when_the_first_is_gone)
{
    begin(4, &fair_net);
    const order_signed_t o = order_of(2, (const int[]){ 0, 2 }, 2);
    ck_assert_int_eq(take_order(&nodes[2], &o), RC_OK);
    run_members(500);
    kill_member(&nodes[0]);
    run_members(GEN_NEXT_WAIT_MS - 2000);
    ck_assert(signs_with_first(&nodes[2]));
    run_members(3000);
    heads(104);
    all_sign_with(&o, 1, 1);
    end();
}
END_TEST

/* The maker dies at each moment after its turn has come: with the drafts under way, with some of the acknowledgements,
 * after the COMMIT. Either its key or the next maker's is used, and the same by all. */
START_TEST(the_maker_may_die_at_any_moment)
{
    for (uint64_t ms = 0; ms <= 60; ms += 5) {
        begin(5 + ms, &fair_net);
        const order_signed_t o = order_of(2, (const int[]){ 1, 2 }, 2);
        ck_assert_int_eq(take_order(&nodes[1], &o), RC_OK);
        run_members(GEN_FIRST_WAIT_MS - 5);
        run_members(ms);
        kill_member(&nodes[1]);
        run_members(GEN_NEXT_WAIT_MS);
        heads(200);
        run_members(1000);
        join_keys_t keys;
        join_keys(nodes[2].join, &keys);
        ck_assert_msg(keys.is_in_use, "after %u ms", (unsigned)ms);
        all_sign_with(&o, keys.in_use.index, 2);
        end();
    }
}
END_TEST

START_TEST(a_rotation_comes_through_loss_and_reordering)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        const memory_faults_t rough = { .delay_min_ms = 1, .delay_max_ms = 200, .loss_per_mille = 50 };
        begin(seed, &rough);
        const order_signed_t o = order_of(2, (const int[]){ 3, 1 }, 2);
        ck_assert_int_eq(take_order(&nodes[0], &o), RC_OK);
        run_members(GEN_FIRST_WAIT_MS + 20000);
        heads(110);
        run_members(3000);
        all_sign_with(&o, 0, 0);
        end();
    }
}
END_TEST

/* All have died: what is kept of them must not keep a new cluster from beginning. */
START_TEST(who_leaves_a_dead_cluster_founds_another)
{
    err_t e;
    begin(7, &fair_net);
    const order_signed_t o = order_of(2, (const int[]){ 1 }, 1);
    member_with_signer(&late, "late");
    member_start(&late);
    ck_assert_int_eq(take_order(&late, &o), RC_OK);
    ck_assert_mem_eq(gen_cluster(join_generations(late.join)), first_key, 33);
    ck_assert_int_eq(join_found(late.join, &e, &setup_hash), RC_REFUSED);
    ck_assert_int_eq(join_leave(late.join, &late.order, world.policy), RC_OK);
    ck_assert_int_eq(order_id_cmp(&join_order(late.join)->id, &late.order.id), 0);
    ck_assert_ptr_null(gen_cluster(join_generations(late.join)));
    ck_assert(!holds_key(&late));
    ck_assert_int_eq(join_found(late.join, &e, &setup_hash), RC_OK);
    ck_assert(holds_key(&late) && !signs_with_first(&late));
    ck_assert_int_eq(join_leave(nodes[0].join, &late.order, world.policy), RC_REFUSED); /* it holds the key */
    end();
}
END_TEST

START_TEST(a_message_to_all_reaches_those_that_are_not_neighbours)
{
    err_t e;
    begin(6, &fair_net);
    member_with_signer(&late, "late");
    member_start(&late);
    (void)dial_member(&late, 1);
    run_members(500);
    ck_assert_int_eq(join_publish(late.join, &e, FLOOD_APPLICATION, view_str("to all")), RC_OK);
    run_members(500);
    for (int i = 0; i < COUNT; i++)
        ck_assert_msg(nodes[i].delivered == 1, "member %d", i);
    end();
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "rotation", an_order_that_one_member_takes_makes_a_key_that_all_use_from_its_slot_on,
        the_key_for_a_draft_is_gone_once_it_was_used, who_comes_later_gets_the_order_and_then_the_newest_key,
        an_order_of_nobody_is_not_taken, who_was_away_learns_of_the_order_that_shuts_it_out,
        who_was_away_during_an_upgrade_learns_of_the_order_that_admits_it,
        an_order_counts_by_its_signers_whoever_brings_it, the_second_maker_makes_the_key_when_the_first_is_gone,
        the_maker_may_die_at_any_moment, a_rotation_comes_through_loss_and_reordering,
        who_leaves_a_dead_cluster_founds_another, a_message_to_all_reaches_those_that_are_not_neighbours);
}
