/* Members and the cluster's key: how it goes, and everyone who gets none. */
#include "tests/unit/join_world.h"

static member_t founder, joiner, third;
static const hash32_t setup_hash = { { 0x77 } };

/* The founder has a key; the joiner is configured, and not started. */
static void begin(void)
{
    err_t e;
    members_open(1, &fair_net);
    member_new(&founder, "founder");
    member_new(&joiner, "joiner");
    member_start(&founder);
    ck_assert_int_eq(join_found(founder.join, &e, &setup_hash), RC_OK);
}

/* Wants the key of whatever cluster its only member is in. */
static void want_of_member(member_t *m)
{
    const join_member_t of = only_member(m);
    err_t e;
    ck_assert_msg(of.first != NULL, "%s", of.trouble->text);
    ck_assert_msg(join_want(m->join, &e, of.first->pubkey) == RC_OK, "%s", e.text);
}

static void join_up(member_t *m, size_t to)
{
    (void)dial_member(m, to);
    run_members(300);
    ck_assert_int_eq(only_member(m).phase, JOIN_PEER);
    want_of_member(m);
    run_members(300);
}

START_TEST(a_joiner_gets_the_key_that_the_founder_made)
{
    uint8_t a[33], b[33], sig[2][64];
    hash32_t h = { { 9 } };
    begin();
    member_start(&joiner);
    join_up(&joiner, 1);
    ck_assert(joiner.keyed == 1 && founder.released == 1 && holds_key(&joiner));
    ck_assert_uint_lt(joiner.keyed_ms, 1000);
    keyring_pubkey(founder.ring, a);
    keyring_pubkey(joiner.ring, b);
    ck_assert_mem_eq(a, b, 33);
    ck_assert_int_eq(keyring_sign(founder.ring, sig[0], NULL, &h), RC_OK);
    ck_assert_int_eq(keyring_sign(joiner.ring, sig[1], NULL, &h), RC_OK);
    ck_assert_mem_eq(sig[0], sig[1], 64);
    ck_assert_mem_eq(join_first(joiner.join)->entry.setup.b, setup_hash.b, 32);
    const join_member_t seen = only_member(&founder);
    ck_assert(seen.phase == JOIN_PEER && seen.state->holds && seen.first != NULL);
    ck_assert_mem_eq(seen.static_key, joiner.id.who.key.b, 33);
    ck_assert_uint_eq(seen.platform.b[0], 0x9a);
    members_close();
}
END_TEST

START_TEST(who_got_the_key_passes_it_on_after_the_founder_is_gone)
{
    uint8_t a[33], b[33];
    begin();
    member_start(&joiner);
    join_up(&joiner, 1);
    keyring_pubkey(founder.ring, a);
    memory_leave(net_world, founder.net);
    member_stop(&founder);
    run_members(40000); /* the silence is noticed */
    member_new(&third, "third");
    member_start(&third);
    join_up(&third, 2);
    keyring_pubkey(third.ring, b);
    ck_assert_mem_eq(a, b, 33);
    ck_assert_uint_eq(joiner.released, 1);
    members_close();
}
END_TEST

START_TEST(a_node_without_a_key_gives_none_and_asks_again_when_there_is_one)
{
    err_t e;
    members_open(2, &fair_net);
    member_new(&founder, "founder");
    member_new(&joiner, "joiner");
    member_start(&founder);
    member_start(&joiner);
    (void)dial_member(&joiner, 1);
    run_members(300);
    ck_assert(only_member(&joiner).phase == JOIN_PEER && !only_member(&joiner).state->holds);
    ck_assert_int_eq(join_found(founder.join, &e, &setup_hash), RC_OK);
    run_members(100); /* the founder tells its state anew */
    want_of_member(&joiner);
    run_members(200);
    ck_assert(holds_key(&joiner));
    members_close();
}
END_TEST

START_TEST(a_key_is_made_once_and_not_by_who_is_pinned)
{
    err_t e;
    begin();
    ck_assert_int_eq(join_found(founder.join, &e, &setup_hash), RC_REFUSED);
    memset(joiner.config.cluster, 2, 33);
    member_start(&joiner);
    ck_assert_int_eq(join_found(joiner.join, &e, &setup_hash), RC_REFUSED);
    ck_assert_str_eq(e.text, "pinned to a cluster, this node makes no other");
    members_close();
}
END_TEST

/* A configuration of the joiner, or of the founder, that must not lead to a key. */
typedef struct {
    const char *name;
    void (*change)(void);
    uint16_t code; /* of the fault, at the founder; 0: the connection stays */
    unsigned bye;  /* that the joiner is told */
} fault_row_t;

static void other_chain(void)
{
    joiner.config.chain_id = 2;
}

static void other_genesis(void)
{
    joiner.config.genesis.b[31] = 1;
}

static void other_cluster(void)
{
    ck_assert_int_eq(ecdsa_pubkey(world.ecdsa, joiner.config.cluster, joiner.id.secret), RC_OK);
}

static void other_order(void)
{
    joiner.order.id.digest.b[0] ^= 1;
}

static void other_version(void)
{
    joiner.order.id.version = 1;
}

static void other_static_key(void)
{
    const uint8_t secret[32] = { [31] = 5 };
    ck_assert_int_eq(ecdsa_pubkey(world.ecdsa, joiner.config.static_pubkey, secret), RC_OK);
}

static void not_in_the_policy(void)
{
    ck_assert_int_eq(join_set_order(founder.join, &founder.order, world.next), RC_OK);
}

static void no_evidence(void)
{
    joiner.deaf = true;
}

static const fault_row_t faults[] = {
    { "chain", other_chain, E_CHAIN_ID, NET_BYE_WRONG_CHAIN },
    { "genesis", other_genesis, E_GENESIS, NET_BYE_WRONG_CHAIN },
    { "cluster", other_cluster, E_CLUSTER, NET_BYE_ATTEST },
    { "policy", other_order, 0, 0 },
    { "policy version", other_version, 0, 0 },
    { "static key", other_static_key, 0, NET_BYE_ATTEST },
    { "measurement", not_in_the_policy, E_MEASUREMENT, NET_BYE_ATTEST },
    { "no evidence ever", no_evidence, 0, NET_BYE_ATTEST },
};

START_TEST(no_key_for_who_is_configured_otherwise)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        const fault_row_t *row = &faults[i];
        join_refusal_t why[JOIN_REFUSALS_MAX];
        err_t e;
        uint8_t pub[33];
        begin();
        row->change();
        member_start(&joiner);
        keyring_pubkey(founder.ring, pub);
        (void)dial_member(&joiner, 1);
        if (row->change != other_cluster)
            ck_assert_int_eq(join_want(joiner.join, &e, pub), RC_OK);
        run_members(row->change == no_evidence ? MATTEST_DEADLINE_MS + 1000 : 2000);
        ck_assert_msg(!holds_key(&joiner) && founder.released == 0, "%s", row->name);
        ck_assert_msg((joiner.closed == 1) == (row->bye != 0), "%s: closed %u", row->name, joiner.closed);
        if (row->bye) {
            ck_assert_msg(joiner.bye == row->bye || founder.bye == row->bye, "%s: %#x, %#x", row->name, joiner.bye,
                          founder.bye);
            ck_assert_msg(join_refusals(joiner.join, why) == 1 && why[0].bye == row->bye, "%s: %#x", row->name,
                          why[0].bye);
        } else {
            ck_assert_msg(only_member(&founder).phase == JOIN_ATTESTED, "%s", row->name);
            ck_assert_str_eq(only_member(&founder).trouble->text,
                             "the peer runs another order: another policy, or another version of it");
        }
        if (row->code) {
            ck_assert_uint_eq(join_refusals(founder.join, why), 1);
            ck_assert_msg(why[0].why.code == row->code, "%s: %u, %s", row->name, why[0].why.code, why[0].why.text);
        }
        members_close();
    }
}
END_TEST

START_TEST(a_peer_that_a_new_order_excludes_is_shut_out_and_gets_no_key)
{
    join_refusal_t why[JOIN_REFUSALS_MAX];
    begin();
    member_start(&joiner);
    (void)dial_member(&joiner, 1);
    run_members(300);
    want_of_member(&joiner); /* the request goes out */
    memory_run(net_world, memory_now(net_world) + 15);
    const order_signed_t next = { .id = { 1, { { 0x0e } } } };
    ck_assert_int_eq(join_set_order(founder.join, &next, world.next), RC_OK);
    ck_assert_int_eq(only_member(&founder).phase, JOIN_ATTESTED);
    run_members(1000);
    ck_assert(!holds_key(&joiner) && founder.released == 0);
    ck_assert_uint_eq(join_refusals(founder.join, why), 1);
    ck_assert_uint_eq(why[0].why.code, E_MEASUREMENT);
    ck_assert_uint_eq(joiner.bye, NET_BYE_POLICY);
    members_close();
}
END_TEST

START_TEST(evidence_is_judged_at_the_moment_of_giving)
{
    begin();
    member_start(&joiner);
    (void)dial_member(&joiner, 1);
    run_members(300);
    world.verdict = E_TCB_STATUS; /* newer collateral says so */
    want_of_member(&joiner);
    run_members(300);
    ck_assert(!holds_key(&joiner) && founder.released == 0);
    ck_assert_uint_eq(joiner.bye, NET_BYE_POLICY);
    members_close();
}
END_TEST

/* An order of version 1, which names a maker, signed by the founder's key. */
static order_signed_t order_for(const member_t *maker, unsigned which)
{
    order_signed_t o = { .order = { .version = 1, .void_slot = which, .maker_count = 1 }, .signature_count = 1 };
    memcpy(o.order.cluster, join_first(founder.join)->entry.pubkey, 33);
    memcpy(o.order.makers[0], maker->id.who.key.b, 33);
    o.id.version = 1;
    order_digest(&o.id.digest, &o.order);
    memcpy(o.signatures[0].key, founder.id.who.key.b, 33);
    ck_assert_int_eq(member_sign(&founder, o.signatures[0].signature, &o.id.digest), RC_OK);
    return o;
}

static void carry_out(member_t *a, member_t *b, member_t *c, const order_signed_t *o, uint64_t head)
{
    member_t *all[] = { a, b, c };
    for (size_t i = 0; i < 3 && all[i]; i++)
        ck_assert_int_eq(join_set_order(all[i]->join, o, world.policy), RC_OK);
    run_members(GEN_FIRST_WAIT_MS + 2000);
    for (size_t i = 0; i < 3 && all[i]; i++)
        join_head(all[i]->join, head);
    run_members(1000);
}

/* The third has the key of the lower order, and was away while the higher one was carried out. */
START_TEST(of_two_orders_of_one_version_the_key_of_the_higher_is_asked_for)
{
    err_t e;
    uint8_t pub[2][33];
    member_t *all[] = { &founder, &joiner, &third };
    members_open(1, &fair_net);
    for (size_t i = 0; i < 3; i++) {
        member_new(all[i], (const char *const[]){ "founder", "joiner", "third" }[i]);
        all[i]->config.rules.threshold = all[i]->config.rules.signer_count = 1;
        memcpy(all[i]->config.rules.signers[0], founder.id.who.key.b, 33);
        member_start(all[i]);
    }
    ck_assert_int_eq(join_found(founder.join, &e, &setup_hash), RC_OK);
    join_up(&joiner, 1);
    join_up(&third, 1);
    order_signed_t low = order_for(&founder, 0), high = order_for(&founder, 1);
    if (order_id_cmp(&low.id, &high.id) > 0) {
        const order_signed_t o = low;
        low = high;
        high = o;
    }
    for (size_t i = 0; i < 3; i++)
        join_head(all[i]->join, 100);
    carry_out(&founder, &joiner, &third, &low, 110);
    keyring_pubkey(founder.ring, pub[0]);
    keyring_pubkey(third.ring, pub[1]);
    ck_assert_mem_eq(pub[0], pub[1], 33);
    net_close(only_member(&third).conn, NET_BYE, "away");
    run_members(300);
    carry_out(&founder, &joiner, NULL, &high, 120);
    ck_assert_int_eq(join_set_order(third.join, &high, world.policy), RC_OK);
    join_head(third.join, 120);
    (void)dial_member(&third, 1);
    run_members(3000);
    keyring_pubkey(founder.ring, pub[0]);
    ck_assert_mem_ne(pub[0], pub[1], 33);
    keyring_pubkey(third.ring, pub[1]);
    ck_assert_mem_eq(pub[0], pub[1], 33);
    members_close();
}
END_TEST

/* A COMMIT that could not be published, as too much was out: who connects when there is room is told. */
START_TEST(what_was_not_spread_is_spread_later)
{
    err_t e;
    members_open(1, &fair_net);
    member_t *all[] = { &founder, &joiner };
    for (size_t i = 0; i < 2; i++) {
        member_new(all[i], i ? "joiner" : "founder");
        all[i]->config.rules.threshold = all[i]->config.rules.signer_count = 1;
        memcpy(all[i]->config.rules.signers[0], founder.id.who.key.b, 33);
        member_start(all[i]);
    }
    ck_assert_int_eq(join_found(founder.join, &e, &setup_hash), RC_OK);
    const order_signed_t o = order_for(&founder, 0);
    join_head(founder.join, 100);
    for (unsigned i = 0; i < FLOOD_PER_AUTHOR_MAX; i++)
        ck_assert_int_eq(join_publish(founder.join, &e, FLOOD_ACK, view_str("x")), RC_OK);
    const uint64_t from = memory_now(net_world);
    run_members(100000);
    carry_out(&founder, NULL, NULL, &o, 110);
    ck_assert(join_newest(founder.join)->has_order);
    while (memory_now(net_world) - from < FLOOD_KEEP_MS + 5000)
        run_members(1000);
    ck_assert_int_eq(join_set_order(joiner.join, &o, world.policy), RC_OK);
    (void)dial_member(&joiner, 1);
    run_members(1000);
    ck_assert(join_newest(joiner.join) && join_newest(joiner.join)->has_order);
    members_close();
}
END_TEST

/* More than waits on a stream, which one pull asks for; and more of the same meanwhile. */
START_TEST(who_comes_late_gets_all_that_was_said_however_much_it_is)
{
    static uint8_t bytes[FLOOD_PAYLOAD_MAX];
    err_t e;
    begin();
    for (unsigned i = 0; i < 40; i++) {
        memset(bytes, (int)i, sizeof bytes);
        ck_assert_int_eq(join_publish(founder.join, &e, FLOOD_APPLICATION, view_of(bytes, sizeof bytes)), RC_OK);
    }
    member_start(&joiner);
    join_up(&joiner, 1);
    for (unsigned i = 40; i < 80; i++) {
        memset(bytes, (int)i, sizeof bytes);
        ck_assert_int_eq(join_publish(founder.join, &e, FLOOD_APPLICATION, view_of(bytes, sizeof bytes)), RC_OK);
    }
    run_members(60000);
    ck_assert_uint_eq(joiner.closed + founder.closed, 0);
    ck_assert_uint_eq(joiner.delivered, 80);
    ck_assert(holds_key(&joiner));
    members_close();
}
END_TEST

START_TEST(what_has_expired_is_attested_anew)
{
    begin();
    member_start(&joiner);
    (void)dial_member(&joiner, 1);
    run_members(300);
    founder.now_s = world.expiry + 1;
    run_members(10);
    ck_assert_uint_eq(joiner.closed + founder.closed, 2);
    ck_assert_uint_eq(joiner.bye, NET_BYE_REATTEST_DUE);
    members_close();
}
END_TEST

START_TEST(who_is_not_attested_learns_of_no_protocol_and_is_closed)
{
    peer_t stranger;
    begin();
    member_start(&joiner);
    peer_new(&stranger, "stranger", false); /* Ed25519, as other libp2p programs have it */
    ck_assert_int_eq(memory_join(net_world, stranger.net), RC_OK);
    net_conn_t *c;
    const maddr_t to = maddr("/ip4/10.0.0.1/udp/4001/quic-v1");
    ck_assert_int_eq(net_dial(stranger.net, &c, NULL, &to, &stranger), RC_OK);
    run_members(200);
    ck_assert_uint_eq(stranger.opened, 1);
    static const char *const names[] = { STATE_PROTOCOL, KEYSHARE_PROTOCOL, "/kettle/flood/1" };
    for (size_t i = 0; i < 3; i++) {
        net_stream_t *s;
        net_protocol_t p = stranger.protocols[0];
        p.name = names[i];
        ck_assert_int_eq(net_open(c, &s, &p, &stranger), RC_OK);
        run_members(200);
        ck_assert_msg(stranger.stream_closed == i + 1 && stranger.stream_rc == RC_UNSUPPORTED, "%s", names[i]);
    }
    ck_assert_int_eq(net_ping(c, peer_pong, &stranger), RC_OK);
    run_members(200);
    ck_assert(stranger.pongs == 1 && stranger.pong_rc == RC_OK);
    run_members(MATTEST_DEADLINE_MS);
    ck_assert(stranger.closed == 1 && stranger.bye == NET_BYE_ATTEST);
    peer_clear(&stranger);
    members_close();
}
END_TEST

START_TEST(the_key_comes_through_loss_and_reordering)
{
    for (uint64_t seed = 1; seed <= 30; seed++) {
        const memory_faults_t rough = { .delay_min_ms = 1, .delay_max_ms = 200, .loss_per_mille = 50 };
        err_t e;
        uint8_t pub[33];
        members_open(seed, &rough);
        member_new(&founder, "founder");
        member_new(&joiner, "joiner");
        member_start(&founder);
        member_start(&joiner);
        ck_assert_int_eq(join_found(founder.join, &e, &setup_hash), RC_OK);
        keyring_pubkey(founder.ring, pub);
        ck_assert_int_eq(join_want(joiner.join, &e, pub), RC_OK);
        (void)dial_member(&joiner, 1);
        run_members(20000);
        ck_assert_msg(holds_key(&joiner), "seed %llu", (unsigned long long)seed);
        members_close();
    }
}
END_TEST

/* ---- where the secret is ---- */

#define SECRET_BYTE(i) ((uint8_t)((i)*7 + 3))

static void known_random(void *ctx, void *out, size_t n)
{
    secret_random(out, n);
    (void)ctx;
    for (size_t i = 0; n == KEY_SECRETS_LEN && i < n; i++) /* only what becomes secrets is so long */
        ((uint8_t *)out)[i] = SECRET_BYTE(i);
}

/* How often the signing secret stands in so many bytes; it is compared with a formula, so that no copy of it is made. */
static unsigned occurrences(const uint8_t *p, size_t n)
{
    unsigned found = 0;
    for (size_t at = 0; at + 32 <= n; at++) {
        size_t i = 0;
        while (i < 32 && p[at + i] == SECRET_BYTE(i))
            i++;
        found += i == 32;
    }
    return found;
}

/* ... in all memory of this process that can be read. */
static unsigned in_memory(void)
{
    static uint8_t page[4096 + 32];
    char line[512];
    unsigned found = 0;
    FILE *maps = fopen("/proc/self/maps", "r"), *mem = fopen("/proc/self/mem", "r");
    ck_assert(maps && mem);
    setvbuf(mem, NULL, _IONBF, 0);
    while (fgets(line, sizeof line, maps)) {
        unsigned long from, to;
        char mode[5];
        ck_assert_int_eq(sscanf(line, "%lx-%lx %4s", &from, &to, mode), 3);
        if (mode[0] != 'r' || mode[1] != 'w' || to - from > 256ul << 20)
            continue; /* a sanitizer's shadow is as large */
        for (unsigned long at = from; at < to; at += 4096) {
            if (at + 4096 > (unsigned long)(uintptr_t)page && at < (unsigned long)(uintptr_t)page + sizeof page)
                continue; /* our own window */
            if (fseek(mem, (long)at, SEEK_SET) == 0)
                found += occurrences(page, fread(page, 1, at + 4096 < to ? sizeof page : 4096, mem));
        }
    }
    fclose(maps);
    fclose(mem);
    memset(page, 0, sizeof page);
    return found;
}

START_TEST(the_secret_is_nowhere_but_in_the_locked_pages_of_both_rings)
{
    err_t e;
    members_open(9, &fair_net);
    member_new(&founder, "founder");
    member_new(&joiner, "joiner");
    founder.config.random = known_random;
    member_start(&founder);
    member_start(&joiner);
    ck_assert_uint_eq(in_memory(), 0);
    ck_assert_int_eq(join_found(founder.join, &e, &setup_hash), RC_OK);
    ck_assert_uint_eq(in_memory(), 1);
    (void)dial_member(&joiner, 1);
    run_members(300);
    want_of_member(&joiner);
    for (int i = 0; i < 30 && !holds_key(&joiner); i++) {
        run_members(5); /* while it is being shared, too */
        ck_assert_uint_eq(in_memory(), holds_key(&joiner) ? 2 : 1);
    }
    ck_assert(holds_key(&joiner));
    members_close();
    ck_assert_uint_eq(in_memory(), 0);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "join", a_joiner_gets_the_key_that_the_founder_made, who_got_the_key_passes_it_on_after_the_founder_is_gone,
        a_node_without_a_key_gives_none_and_asks_again_when_there_is_one, a_key_is_made_once_and_not_by_who_is_pinned,
        no_key_for_who_is_configured_otherwise, a_peer_that_a_new_order_excludes_is_shut_out_and_gets_no_key,
        evidence_is_judged_at_the_moment_of_giving, what_has_expired_is_attested_anew,
        of_two_orders_of_one_version_the_key_of_the_higher_is_asked_for, what_was_not_spread_is_spread_later,
        who_comes_late_gets_all_that_was_said_however_much_it_is,
        who_is_not_attested_learns_of_no_protocol_and_is_closed, the_key_comes_through_loss_and_reordering,
        the_secret_is_nowhere_but_in_the_locked_pages_of_both_rings);
}
