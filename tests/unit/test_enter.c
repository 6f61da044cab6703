/* The way into a cluster, with the cluster played by the test and a real follower: who follows another chain, or was given
 * another checkpoint, joins nothing and asks for no key. */
#include "base/os/log.h"
#include "node/cluster/enter.h"
#include "node/setup/found.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/lc_fixture.h"
#include "tests/unit/unit.h"

#define STAYS_MS 400u
#define PEERS "\"peers\":[\"127.0.0.1:4001\"],\"port\":4001,\"execution_rpc\":\"http://b\",\"consensus_rpc\":[]"

static lc_network_t net;
static uint64_t now_at, stop_at_ms;
static cluster_offer_t offered;
static bool offers;
static unsigned wanted, turned_down, misled, recovers_asked;
static bool flies; /* the time: each word of how far it is takes longer than may be */
static err_t why_not;
static char said[240];
static arena_t a;
static uint64_t ahead_ms; /* of the clock */
static cluster_count_t counted;
static unsigned refusals_asked, hope_each; /* every so many times there is a peer that does not refuse; 0: never */

/* ---- the cluster ---- */

bool __wrap_cluster_offer(cluster_t *c, cluster_offer_t *out);
void __wrap_cluster_turn_down(cluster_t *c, const uint8_t pubkey[33], const err_t *why);
void __wrap_cluster_misled(cluster_t *c, const cluster_offer_t *offer);
void __wrap_cluster_say(cluster_t *c, const char *text);
void __wrap_cluster_count(cluster_t *c, cluster_count_t *out);
void __wrap_cluster_head(cluster_t *c, uint64_t slot);
void __wrap_cluster_recovery_said(cluster_t *c, char out[240]);
bool __wrap_cluster_recovers(cluster_t *c, cluster_offer_t *out);
rc_t __wrap_cluster_want(cluster_t *c, err_t *e, const uint8_t pubkey[33]);
bool __wrap_cluster_has_key(cluster_t *c);
bool __wrap_cluster_is_refused(cluster_t *c, err_t *why);
uint64_t __wrap_clock_monotonic_ms(void);
uint64_t __real_clock_monotonic_ms(void);

void __wrap_cluster_recovery_said(cluster_t *c, char out[240])
{
    (void)c;
    snprintf(out, 240, "the key is not brought back");
}

bool __wrap_cluster_recovers(cluster_t *c, cluster_offer_t *out)
{
    (void)c, (void)out;
    recovers_asked++;
    return false;
}

/* Each look at the peers is five seconds after the last one. */
bool __wrap_cluster_is_refused(cluster_t *c, err_t *why)
{
    (void)c;
    ahead_ms += 5000;
    if (hope_each && ++refusals_asked % hope_each == 0)
        return false;
    (void)err_say(why, RC_REFUSED, "no peer lets this node join: /ip4/127.0.0.1/tcp/4001: attestation failed");
    return true;
}

uint64_t __wrap_clock_monotonic_ms(void)
{
    return __real_clock_monotonic_ms() + ahead_ms;
}

bool __wrap_cluster_offer(cluster_t *c, cluster_offer_t *out)
{
    (void)c;
    *out = offered;
    return offers;
}

void __wrap_cluster_turn_down(cluster_t *c, const uint8_t pubkey[33], const err_t *why)
{
    (void)c, (void)pubkey;
    turned_down++;
    why_not = *why;
    offers = false;
}

void __wrap_cluster_misled(cluster_t *c, const cluster_offer_t *offer)
{
    (void)c, (void)offer;
    misled++;
}

void __wrap_cluster_say(cluster_t *c, const char *text)
{
    (void)c;
    snprintf(said, sizeof said, "%s", text);
    if (flies)
        ahead_ms += ENTER_SYNC_MS;
}

void __wrap_cluster_count(cluster_t *c, cluster_count_t *out)
{
    (void)c;
    *out = counted;
}

void __wrap_cluster_head(cluster_t *c, uint64_t slot)
{
    (void)c, (void)slot;
}

rc_t __wrap_cluster_want(cluster_t *c, err_t *e, const uint8_t pubkey[33])
{
    (void)c, (void)e, (void)pubkey;
    wanted++;
    return RC_OK;
}

bool __wrap_cluster_has_key(cluster_t *c)
{
    (void)c;
    return wanted != 0;
}

/* ---- the chain ---- */

static uint64_t standing_clock(void)
{
    return now_at;
}

static bool stopping(void *ctx)
{
    (void)ctx;
    return clock_ms() >= stop_at_ms;
}

/* Members give what is recorded, whatever they are asked for. */
static rc_t ask(void *ctx, follow_member_t *out, err_t *e, const lc_want_t *want, size_t nth, bool (*stops)(void *ctx),
                void *stop_ctx)
{
    const char *names[] = { [LC_BOOTSTRAP] = "minimal-fulu/bootstrap-136.ssz",
                            [LC_FINALITY] = "minimal-fulu/finality-153.ssz",
                            [LC_OPTIMISTIC] = "minimal-fulu/optimistic-153.ssz" };
    (void)ctx, (void)stops, (void)stop_ctx;
    *out = (follow_member_t){ .count = 0 };
    if (nth)
        return err_say(e, RC_NEED_DATA, "there is no member to ask");
    if (want->kind == LC_UPDATE)
        return RC_OK;
    const view_t ssz = fx_read(names[want->kind]);
    out->bytes = malloc(4 + ssz.n);
    lc_fork_digest(out->bytes, &net, net.fork_epoch[LC_FULU]);
    memcpy(out->bytes + 4, ssz.p, ssz.n);
    out->objects[0] = view_of(out->bytes, 4 + ssz.n);
    out->count = 1;
    free((void *)(uintptr_t)ssz.p);
    return RC_OK;
}

static hash32_t checkpoint_of_136(void)
{
    lc_bootstrap_t *b = malloc(sizeof *b);
    hash32_t root;
    view_t ssz = fx_read("minimal-fulu/bootstrap-136.ssz");
    ck_assert_int_eq(lc_bootstrap_decode(b, &net, LC_FULU, ssz), RC_OK);
    lc_beacon_root(&root, &b->header.beacon);
    free((void *)(uintptr_t)ssz.p);
    free(b);
    return root;
}

/* What enter_verify, and then enter_key, say of a follower that begins at a root, when members name another one. */
static rc_t verify(const enter_t *x, const hash32_t *root, const cluster_offer_t *o)
{
    follow_t *f = NULL;
    up_t *nobody = up_new(NULL, 0);
    timekeeper_t *time =
        timekeeper_new(&(timekeeper_config_t){ .now_ms = standing_clock, .slot_ms = net.seconds_per_slot * 1000 });
    const follow_config_t config = {
        .network = &net, .checkpoint = *root, .upstream = nobody, .time = time, .member = ask
    };
    err_t e;
    offered = *o;
    ck_assert_int_eq(follow_start(&f, NULL, &config), RC_OK);
    rc_t rc = enter_verify(x, &e, f, &offered);
    if (!rc)
        rc = enter_key(x, &e, f, &offered);
    follow_free(f);
    timekeeper_free(time);
    up_free(nobody);
    return rc;
}

static rc_t verify_from(const hash32_t *root, uint64_t slot)
{
    const enter_t x = { .stopping = stopping };
    return verify(&x, root, &(cluster_offer_t){ .has_root = true, .root = *root, .slot = slot });
}

static muster_do_t never_founds(void *ctx, err_t *why, bool answers, bool is_kept)
{
    (void)ctx, (void)why, (void)answers, (void)is_kept;
    return MUSTER_WAIT;
}

/* The same of a node that goes by the list, and begins at a root of its own. */
static rc_t verify_by_list(uint64_t slot, const hash32_t *root)
{
    const enter_t x = { .stopping = stopping, .musters = never_founds };
    const hash32_t own = checkpoint_of_136();
    rc_t rc;
    stop_at_ms = clock_ms() + 20000;
    do /* until there is something to compare */
        rc = verify(&x, &own, &(cluster_offer_t){ .has_root = true, .root = *root, .slot = slot });
    while (rc == RC_NEED_DATA && strstr(said, "verifying"));
    return rc;
}

static void setup(void)
{
    recovers_asked = 0;
    net = fx_minimal_fulu();
    now_at = lc_slot_start_ms(&net, 154) + 900;
    stop_at_ms = clock_ms() + STAYS_MS;
    misled = 0;
    flies = false;
    wanted = turned_down = refusals_asked = hope_each = 0;
    ahead_ms = 0;
    offers = true;
    counted = (cluster_count_t){ .connected = 1, .attested = 1, .holders = 1 };
    said[0] = 0;
    arena_init(&a, 1 << 20);
    log_set_level(LOG_ERROR);
}

static void teardown(void)
{
    arena_free(&a);
}

START_TEST(who_verifies_a_finalized_header_from_the_members_root_asks_for_the_key)
{
    const hash32_t root = checkpoint_of_136();
    stop_at_ms = clock_ms() + 20000;
    ck_assert_int_eq(verify_from(&root, 136), RC_OK);
    ck_assert_uint_eq(wanted, 1);
}
END_TEST

/* The chain that it is shown has the real genesis root, and does not build on what the members name. */
START_TEST(who_follows_an_invented_chain_joins_nothing_and_asks_for_no_key)
{
    hash32_t root = checkpoint_of_136();
    root.b[0] ^= 1;
    ck_assert_int_eq(verify_from(&root, 136), RC_TIMEOUT);
    ck_assert_uint_eq(wanted, 0);
    ck_assert_msg(strstr(said, "verifying the chain from the members' finalized slot 136"), "%s", said);
    ck_assert_uint_eq(misled, 0);
    flies = true; /* the member that named it is the last one whose root is tried again */
    stop_at_ms = clock_ms() + 20000;
    ck_assert_int_eq(verify_from(&root, 136), RC_NEED_DATA);
    ck_assert(misled == 1 && wanted == 0);
}
END_TEST

/* Nor who is shown a part of it that ends before that slot. */
START_TEST(who_does_not_come_to_the_members_slot_asks_for_no_key)
{
    const hash32_t root = checkpoint_of_136();
    ck_assert_int_eq(verify_from(&root, 160), RC_TIMEOUT);
    ck_assert_uint_eq(wanted, 0);
}
END_TEST

/* The list is read on a chain from a checkpoint of the node's own: whose key it asks for has that chain, too. */
START_TEST(who_goes_by_the_list_asks_for_the_key_of_members_on_its_own_chain_only)
{
    lc_update_t *u = malloc(sizeof *u);
    const view_t ssz = fx_read("minimal-fulu/finality-153.ssz");
    hash32_t root;
    ck_assert_int_eq(lc_update_decode(u, &net, LC_FULU, LC_FINALITY, ssz), RC_OK);
    const lc_beacon_t *final = &u->finalized_header.beacon;
    lc_beacon_root(&root, final);
    ck_assert_int_eq(verify_by_list(final->slot, &root), RC_OK);
    ck_assert_uint_eq(wanted, 1);
    wanted = 0;
    ck_assert_int_eq(verify_by_list(final->slot - 1, &root), RC_NEED_DATA);
    ck_assert_msg(strstr(said, "comparing this node's finalized slot"), "%s", said);
    root.b[31] ^= 1;
    ck_assert_int_eq(verify_by_list(final->slot, &root), RC_NEED_DATA);
    ck_assert_msg(strstr(said, "its checkpoint is of another chain"), "%s", said);
    ck_assert_uint_eq(wanted, 0);
    free((void *)(uintptr_t)ssz.p);
    free(u);
}
END_TEST

static config_t *config_of(const char *base, const char *setup)
{
    config_t *c;
    err_t e;
    const view_t none = { NULL, 0 };
    ck_assert_msg(config_read(&c, &e, base ? view_str(base) : none, setup ? view_str(setup) : none, !base) == RC_OK,
                  "%s: %s", e.field, e.text);
    return c;
}

/* What the members' cluster says of itself, with a checkpoint of its own; whether a node with this setup joins it. */
static rc_t find_with(const char *extra, bool has_root)
{
    const setup_world_t world = { .simulated = true, .now_s = 1700000000 };
    char text[600];
    setup_t theirs, ours;
    err_t e;
    config_t *first = config_of(NULL, "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a\",\"checkpoint\":"
                                      "\"0x0001020304050607080900010203040506070809000102030405060708090001\"}");
    snprintf(text, sizeof text, "{" PEERS "%s}", extra);
    config_t *own = config_of(NULL, text);
    ck_assert_int_eq(setup_make(&theirs, &e, &a, first, &world), RC_OK);
    offered = (cluster_offer_t){ .setup = theirs.hash, .statement_n = theirs.cluster_text.n, .has_root = has_root };
    memcpy(offered.statement, theirs.cluster_text.p, theirs.cluster_text.n);
    const enter_t x = { .config = own, .stopping = stopping };
    const rc_t rc = enter_find(&x, &ours, &offered, &e, &a, &world);
    config_free(first);
    config_free(own);
    return rc;
}

START_TEST(a_checkpoint_that_is_not_the_clusters_joins_nothing)
{
    ck_assert_int_eq(
        find_with(",\"checkpoint\":\"0xff01020304050607080900010203040506070809000102030405060708090001\"", true),
        RC_TIMEOUT);
    ck_assert_uint_eq(turned_down, 1);
    ck_assert_str_eq(why_not.field, "checkpoint.root");
    turned_down = 0;
    offers = true;
    stop_at_ms = clock_ms() + STAYS_MS;
    ck_assert_int_eq(
        find_with(",\"checkpoint\":\"0x0001020304050607080900010203040506070809000102030405060708090001\"", true),
        RC_OK);
    ck_assert_uint_eq(turned_down, 0);
}
END_TEST

/* Not even its own one: where to begin is what members name. */
START_TEST(without_a_root_that_members_name_nothing_is_joined)
{
    ck_assert_int_eq(
        find_with(",\"checkpoint\":\"0x0001020304050607080900010203040506070809000102030405060708090001\"", false),
        RC_TIMEOUT);
    ck_assert_uint_eq(turned_down, 0);
    ck_assert_msg(strstr(said, "members name no finalized root"), "%s", said);
}
END_TEST

/* A node that is in no cluster, whose peers refuse it, and how long that went on. */
static rc_t find_refused(bool gives_up, bool recovers, err_t *e)
{
    const setup_world_t world = { .simulated = true, .now_s = 1700000000 };
    setup_t ours;
    config_t *own = config_of(NULL, "{" PEERS "}");
    const enter_t x = { .config = own, .stopping = stopping, .gives_up = gives_up, .recovers = recovers };
    offers = false;
    const rc_t rc = enter_find(&x, &ours, &offered, e, &a, &world);
    config_free(own);
    return rc;
}

START_TEST(who_is_refused_by_every_peer_for_a_minute_gives_up)
{
    err_t e;
    stop_at_ms = clock_ms() + 20000;
    ck_assert_int_eq(find_refused(true, false, &e), RC_REFUSED);
    ck_assert_uint_eq(e.code, TRIAL_FOR_GOOD);
    ck_assert_msg(strstr(e.text, "no peer lets this node join: /ip4/127.0.0.1/tcp/4001"), "%s", e.text);
    ck_assert_str_eq(said, e.text);
    ck_assert_uint_ge(ahead_ms, ENTER_REFUSED_MS);
    ck_assert_uint_le(ahead_ms, ENTER_REFUSED_MS + 20000);
}
END_TEST

/* Nor who has a kept start, or waits for shares; and a peer that may take it in later begins the minute anew. */
START_TEST(who_may_still_join_or_cannot_be_set_up_again_waits_on)
{
    err_t e;
    hope_each = 8;
    ck_assert_int_eq(find_refused(true, false, &e), RC_TIMEOUT);
    ck_assert_uint_gt(ahead_ms, ENTER_REFUSED_MS);
    hope_each = 0;
    stop_at_ms = clock_ms() + STAYS_MS;
    ck_assert_int_eq(find_refused(false, false, &e), RC_TIMEOUT);
    stop_at_ms = clock_ms() + STAYS_MS;
    ck_assert_int_eq(find_refused(true, true, &e), RC_TIMEOUT);
}
END_TEST

static unsigned musters_asked, founds_at; /* the how manieth look founds; 0: none */
static bool told_answers, told_kept;

static muster_do_t musters(void *ctx, err_t *why, bool answers, bool is_kept)
{
    (void)ctx;
    told_answers = answers;
    told_kept = is_kept;
    (void)err_say(why, RC_NEED_DATA, "no member holds a key: token 3 founds the cluster");
    return ++musters_asked == founds_at ? MUSTER_FOUND : MUSTER_WAIT;
}

/* A node without peers, by the list. */
static rc_t find_by_list(const char *extra, bool recovers, err_t *e)
{
    const setup_world_t world = { .simulated = true, .now_s = 1700000000 };
    char text[600];
    setup_t ours;
    snprintf(text, sizeof text,
             "{\"peers\":[],\"port\":4001,\"execution_rpc\":\"http://b\",\"checkpoint\":"
             "\"0x0001020304050607080900010203040506070809000102030405060708090001\",\"membership\":{\"contract\":"
             "\"0x5fbdb2315678afecb367f032d93f642f64180aa3\",\"mode\":\"tls\",\"attested_only\":false}%s}",
             extra);
    config_t *own = config_of(NULL, text);
    const enter_t x = { .config = own, .stopping = stopping, .musters = musters, .recovers = recovers };
    offers = false;
    musters_asked = 0;
    stop_at_ms = clock_ms() + STAYS_MS;
    const rc_t rc = enter_find(&x, &ours, &offered, e, &a, &world);
    config_free(own);
    return rc;
}

/* However long nobody is there: what a node without a list would take for a reason to begin alone. */
START_TEST(who_goes_by_the_list_makes_no_cluster_of_its_own_until_the_list_says_so)
{
    err_t e;
    counted = (cluster_count_t){ .connected = 0 };
    founds_at = 0;
    hope_each = 1; /* nobody refuses it */
    ahead_ms = 10 * (uint64_t)ENTER_ATTEST_MS;
    ck_assert_int_eq(find_by_list("", false, &e), RC_TIMEOUT);
    ck_assert_uint_gt(musters_asked, 5);
    ck_assert(!told_answers && !told_kept);
    ck_assert_str_eq(said, "no peer answers yet; no member holds a key: token 3 founds the cluster");
    ck_assert_int_eq(find_by_list(",\"recovery\":\"seal\"", true, &e), RC_TIMEOUT);
    ck_assert_str_eq(said,
                     "no peer answers yet; the key is not brought back; no member holds a key: token 3 founds the "
                     "cluster");
    founds_at = 4;
    ck_assert_int_eq(find_by_list("", false, &e), RC_NEED_DATA);
    ck_assert_uint_eq(musters_asked, 4);
    founds_at = 0;
    counted = (cluster_count_t){ .connected = 2, .attested = 2 }; /* who holds no key keeps nobody from founding */
    ck_assert_int_eq(find_by_list("", false, &e), RC_TIMEOUT);
    ck_assert(!told_answers);
    counted = (cluster_count_t){ .connected = 2, .attested = 2, .holders = 1 };
    ck_assert_int_eq(find_by_list("", false, &e), RC_TIMEOUT);
    ck_assert(told_answers);
    ck_assert_int_eq(find_by_list("", true, &e), RC_TIMEOUT);
    ck_assert(told_kept);
    ck_assert_int_eq(
        find_by_list(",\"cluster\":\"0x02aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", false,
                     &e),
        RC_TIMEOUT);
    ck_assert(told_kept);
}
END_TEST

/* Addresses come with the list: however long it takes to be read, nobody was looked for before. */
START_TEST(nothing_is_brought_back_before_the_listed_members_were_looked_for)
{
    static const struct {
        bool knows_list, is_asked;
    } rows[] = { { false, false }, { true, true } };
    err_t e;
    hope_each = 1;
    founds_at = 0;
    for (size_t i = 0; i < 2; i++) {
        counted = (cluster_count_t){ .knows_list = rows[i].knows_list };
        recovers_asked = 0;
        ck_assert_int_eq(find_by_list(",\"recovery\":\"seal\"", true, &e), RC_TIMEOUT);
        ck_assert_uint_gt(ahead_ms, 4 * ENTER_ALONE_MS);
        ck_assert_int_eq(recovers_asked != 0, rows[i].is_asked);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "enter", setup, teardown, who_verifies_a_finalized_header_from_the_members_root_asks_for_the_key,
        who_follows_an_invented_chain_joins_nothing_and_asks_for_no_key,
        who_does_not_come_to_the_members_slot_asks_for_no_key,
        who_goes_by_the_list_asks_for_the_key_of_members_on_its_own_chain_only,
        a_checkpoint_that_is_not_the_clusters_joins_nothing, without_a_root_that_members_name_nothing_is_joined,
        who_is_refused_by_every_peer_for_a_minute_gives_up, who_may_still_join_or_cannot_be_set_up_again_waits_on,
        nothing_is_brought_back_before_the_listed_members_were_looked_for,
        who_goes_by_the_list_makes_no_cluster_of_its_own_until_the_list_says_so);
}
