/* What members announce, with the overlay played by the test: who contradicts himself is kept, told of, shut out, and known
 * again after a restart; the log of releases is, too; and reasons for a new key. */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/cluster/parts.h"
#include "tee/fault.h"
#include "tests/unit/overlay_keys.h"

#define LIAR 5u
#define HONEST 6u
#define STRANGER 7u

static cluster_t *c;
static char dir[64];
static config_t config;
static keyring_t *node_key;
static net_conn_t *const conns[] = { (net_conn_t *)(uintptr_t)0x10, (net_conn_t *)(uintptr_t)0x20 };
static uint8_t member_keys[2][33];
static unsigned published, shut_out, evidence_put;
static uint32_t published_kind;
static uint8_t published_bytes[1024], shut_key[33];
static size_t published_n;
static order_signed_t order;
static entry_proof_t newest;
static uint16_t own_fault;
static policy_t *policy;

/* ---- the overlay ---- */

size_t __wrap_join_members(const join_t *j, join_member_t *out, size_t cap);
rc_t __wrap_join_publish(join_t *j, err_t *e, uint32_t kind, view_t payload);
void __wrap_join_shut_out(join_t *j, const uint8_t key[33], const err_t *why);
const entry_proof_t *__wrap_join_newest(const join_t *j);
const order_signed_t *__wrap_join_order(const join_t *j);
void __wrap_join_keys(const join_t *j, join_keys_t *out);
void __wrap_claims_listen(claims_t *x, const claims_listener_t *listener);
rc_t __wrap_claims_put(claims_t *x, uint64_t number, const state_t *state);
bool __wrap_claims_newest(claims_t *x, state_claim_t *out, uint8_t buf[CLAIMS_PROOF_MAX], bool finalized,
                          uint64_t up_to);
rc_t __wrap_claims_put_evidence(claims_t *x, view_t evidence);
rc_t __wrap_attest_admits_self(attest_t *s, err_t *e, const policy_t *by);
const policy_t *__wrap_attest_policy(const attest_t *s);
void __wrap_attest_status(attest_t *s, attest_status_t *out);
uint64_t __wrap_net_number(const net_conn_t *conn);

uint64_t __wrap_net_number(const net_conn_t *conn)
{
    return (uintptr_t)conn;
}

/* Two members, who have told no state. */
size_t __wrap_join_members(const join_t *j, join_member_t *out, size_t cap)
{
    (void)j, (void)cap;
    for (size_t i = 0; i < 2; i++)
        out[i] = (join_member_t){ .conn = conns[i], .phase = JOIN_PEER, .static_key = member_keys[i] };
    return 2;
}

rc_t __wrap_join_publish(join_t *j, err_t *e, uint32_t kind, view_t payload)
{
    (void)j, (void)e;
    published++;
    published_kind = kind;
    ck_assert_uint_le(payload.n, sizeof published_bytes);
    memcpy(published_bytes, payload.p, payload.n);
    published_n = payload.n;
    return RC_OK;
}

void __wrap_join_shut_out(join_t *j, const uint8_t key[33], const err_t *why)
{
    (void)j, (void)why;
    shut_out++;
    memcpy(shut_key, key, 33);
}

const entry_proof_t *__wrap_join_newest(const join_t *j)
{
    (void)j;
    return &newest;
}

const order_signed_t *__wrap_join_order(const join_t *j)
{
    (void)j;
    return &order;
}

void __wrap_join_keys(const join_t *j, join_keys_t *out)
{
    (void)j;
    *out = (join_keys_t){ .is_known = true, .newest = newest.entry.g, .until = UINT64_MAX };
}

void __wrap_claims_listen(claims_t *x, const claims_listener_t *listener)
{
    (void)x, (void)listener;
}

rc_t __wrap_claims_put(claims_t *x, uint64_t number, const state_t *state)
{
    (void)x, (void)number, (void)state;
    return RC_OK;
}

bool __wrap_claims_newest(claims_t *x, state_claim_t *out, uint8_t buf[CLAIMS_PROOF_MAX], bool finalized,
                          uint64_t up_to)
{
    (void)x, (void)out, (void)buf, (void)finalized, (void)up_to;
    return false;
}

rc_t __wrap_claims_put_evidence(claims_t *x, view_t evidence)
{
    (void)x, (void)evidence;
    evidence_put++;
    return RC_OK;
}

rc_t __wrap_attest_admits_self(attest_t *s, err_t *e, const policy_t *by)
{
    (void)s, (void)by;
    err_clear(e);
    if (!own_fault)
        return RC_OK;
    (void)err_say(e, RC_REFUSED, "is not admitted");
    e->code = own_fault;
    return RC_REFUSED;
}

const policy_t *__wrap_attest_policy(const attest_t *s)
{
    (void)s;
    return policy;
}

void __wrap_attest_status(attest_t *s, attest_status_t *out)
{
    (void)s;
    *out = (attest_status_t){ .verified = true, .platform = { { 1 } } };
}

/* ---- the node ---- */

static void start(void)
{
    c = calloc(1, sizeof *c);
    ck_assert_ptr_nonnull(c);
    pthread_mutex_init(&c->lock, NULL);
    c->with = (cluster_config_t){ .config = &config, .state_dir = dir, .node_key = node_key };
    key_point(c->with.node_pubkey, 9);
    c->ecdsa = ecdsa;
    ck_assert_int_eq(given_open(c), RC_OK);
    heads_begin(c);
}

static void stop(void)
{
    releases_free(c->releases);
    free(c->split);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* The policy in force, with more members. */
static void put_policy(const char *members)
{
    char text[200];
    policy_free(policy);
    snprintf(text, sizeof text, "{\"mode\":\"same-as-self\",\"version\":1%s}", members);
    ck_assert_int_eq(policy_read(&policy, NULL, view_str(text)), RC_OK);
}

static void begin(void)
{
    static const uint8_t blind[32] = { 1 };
    uint8_t secret[32];
    keys_open();
    ck_assert_int_eq(secret_init(), RC_OK);
    log_set_level(LOG_ERROR);
    snprintf(dir, sizeof dir, "/tmp/kettle-heads-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    key_secret(secret, 9);
    ck_assert_int_eq(keyring_new(&node_key, secret, blind), RC_OK);
    key_point(member_keys[0], LIAR);
    key_point(member_keys[1], HONEST);
    published = shut_out = evidence_put = own_fault = 0;
    newest = (entry_proof_t){ .entry = { .g = { { 1 } } } };
    order = (order_signed_t){ .signature_count = 0 };
    put_policy("");
    start();
}

static void end(void)
{
    static const char *const files[] = { "evidence-member", "evidence-chain", "releases", "order" };
    char path[128];
    stop();
    keyring_free(node_key);
    keys_close();
    policy_free(policy);
    policy = NULL;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
}

/* ---- announcements ---- */

static announce_signed_t announcement(unsigned by, uint64_t slot, uint8_t root)
{
    announce_signed_t a = { .said = { .has_finalized = true, .finalized_slot = slot, .finalized_root = { { root } } } };
    hash32_t digest;
    announce_digest(&digest, &a.said);
    key_sign(a.signature, by, &digest);
    return a;
}

static void hear(unsigned by, uint32_t kind, view_t payload)
{
    flood_message_t m = { .kind = kind, .payload = payload };
    key_point(m.author, by);
    heads_heard(c, &m);
}

static void announces(unsigned by, unsigned signer, uint64_t slot, uint8_t root)
{
    uint8_t bytes[ANNOUNCE_LEN + 64];
    wr_t w = wr_of(bytes, sizeof bytes);
    const announce_signed_t a = announcement(signer, slot, root);
    announce_write(&w, &a);
    hear(by, FLOOD_HEAD, wr_view(&w));
}

static bool status_has(const char *text)
{
    arena_t a;
    arena_init(&a, 1 << 20);
    jw_t w = jw_of(&a, 1 << 20);
    jw_object(&w, NULL);
    heads_status(c, &w);
    keys_status(c, &w);
    jw_end(&w);
    const view_t got = jw_done(&w);
    const bool has = got.p && strstr((const char *)got.p, text);
    arena_free(&a);
    return has;
}

START_TEST(who_announces_two_headers_of_one_slot_is_told_of_and_shut_out)
{
    announce_evidence_t x;
    announces(LIAR, LIAR, 64, 1);
    announces(LIAR, LIAR, 64, 1); /* the same again */
    announces(LIAR, LIAR, 96, 3);
    announces(HONEST, HONEST, 64, 2); /* another member may see another chain: the store judges that */
    heads_look(c);
    ck_assert(!published && !shut_out && !c->liar_count && status_has("\"rotation_needed\":null"));
    announces(LIAR, LIAR, 64, 2);
    ck_assert_uint_eq(c->liar_count, 1);
    heads_look(c);
    ck_assert(published == 1 && published_kind == FLOOD_MEMBER_LIED && shut_out == 1);
    ck_assert_mem_eq(shut_key, member_keys[0], 33);
    ck_assert_int_eq(announce_evidence_read(&x, NULL, view_of(published_bytes, published_n)), RC_OK);
    ck_assert_int_eq(announce_evidence_judge(NULL, &x, ecdsa), RC_OK);
    ck_assert(status_has("announced two different headers of one slot"));
    heads_look(c); /* told once, and shut out whenever he is there */
    ck_assert(published == 1 && shut_out == 2);
}
END_TEST

START_TEST(nobody_is_blamed_for_what_he_did_not_sign)
{
    uint8_t bytes[ANNOUNCE_EVIDENCE_LEN], short_one[ANNOUNCE_LEN + 64];
    announces(HONEST, LIAR, 64, 1); /* in his name, by another */
    announces(HONEST, LIAR, 64, 2);
    announces(STRANGER, STRANGER, 64, 1); /* no member */
    announces(STRANGER, STRANGER, 64, 2);
    announce_evidence_t x = { .one = announcement(LIAR, 64, 1), .other = announcement(LIAR, 64, 2) };
    key_point(x.key, HONEST);
    wr_t w = wr_of(bytes, sizeof bytes);
    announce_evidence_write(&w, &x);
    hear(LIAR, FLOOD_MEMBER_LIED, wr_view(&w)); /* evidence that is none */
    key_point(x.key, STRANGER);
    w = wr_of(bytes, sizeof bytes);
    announce_evidence_write(&w, &x);
    hear(LIAR, FLOOD_MEMBER_LIED, wr_view(&w));
    memset(short_one, 0, sizeof short_one);
    for (size_t n = 0; n < sizeof short_one; n++) {
        hear(HONEST, FLOOD_HEAD, view_of(short_one, n));
        hear(HONEST, FLOOD_MEMBER_LIED, view_of(short_one, n));
    }
    heads_look(c);
    ck_assert(!c->liar_count && !published && !shut_out);
    hear(LIAR, FLOOD_CHAIN_SPLIT, view_str("bytes")); /* for the store, whatever it is */
    ck_assert_uint_eq(evidence_put, 1);
}
END_TEST

static void lie_of(unsigned who)
{
    uint8_t bytes[ANNOUNCE_EVIDENCE_LEN];
    announce_evidence_t x = { .one = announcement(who, 64, 1), .other = announcement(who, 64, 2) };
    wr_t w = wr_of(bytes, sizeof bytes);
    key_point(x.key, who);
    announce_evidence_write(&w, &x);
    hear(HONEST, FLOOD_MEMBER_LIED, wr_view(&w));
}

START_TEST(evidence_of_others_counts_and_is_known_again_after_a_restart)
{
    lie_of(LIAR);
    lie_of(HONEST); /* the last member */
    lie_of(LIAR);
    ck_assert(c->liar_count == 2 && !c->has_unsaid); /* who brought it has told all */
    stop();
    start();
    ck_assert_uint_eq(c->liar_count, 2);
    ck_assert_mem_eq(c->liars[0], member_keys[0], 33);
    ck_assert_mem_eq(c->liars[1], member_keys[1], 33);
    heads_look(c);
    ck_assert(shut_out == 2 && !published);
    ck_assert(status_has("\"rotation_needed\":null")); /* until it is known which key is the newest */
    keys_update(c);
    ck_assert(status_has("announced two different headers of one slot"));
    newest.entry.g.b[0] = 2; /* a new key: the reason is gone */
    newest.entry.entry.name.version = 1;
    keys_update(c);
    ck_assert(status_has("\"rotation_needed\":null") && c->liar_count == 2);
    stop();
    start(); /* and stays gone */
    keys_update(c);
    ck_assert(status_has("\"rotation_needed\":null") && c->liar_count == 2);
}
END_TEST

/* One platform that starts again and again, and lies at each start: none of its boots makes room for another. */
START_TEST(many_liars_are_all_shut_out)
{
    static const uint8_t nobody[33];
    for (unsigned i = 0; i < CLUSTER_LIES_MAX + 2; i++) {
        key_point(member_keys[0], 100 + i);
        lie_of(100 + i);
    }
    ck_assert_uint_eq(c->liar_count, CLUSTER_LIES_MAX + 2);
    key_point(member_keys[0], 100); /* the first of them is back */
    heads_look(c);
    ck_assert(shut_out == 1 && !memcmp(shut_key, member_keys[0], 33));
    stop();
    start(); /* what is kept is of the last */
    ck_assert_uint_eq(c->liar_count, CLUSTER_LIES_MAX);
    key_point(member_keys[0], 102);
    ck_assert_mem_eq(c->liars[0], member_keys[0], 33);
    memset(c->liars, 0, sizeof c->liars);
    c->liar_count = CLUSTER_LIARS_MAX;
    lie_of(102);
    ck_assert_uint_eq(c->liar_count, CLUSTER_LIARS_MAX);
    ck_assert_mem_eq(c->liars[CLUSTER_LIARS_MAX - 1], member_keys[0], 33);
    ck_assert_mem_eq(c->liars[CLUSTER_LIARS_MAX - 2], nobody, 33);
}
END_TEST

START_TEST(a_kept_file_that_the_host_changed_blames_nobody)
{
    uint8_t row[LIE_LEN];
    err_t e;
    lie_of(LIAR);
    memcpy(row, c->lies[0], sizeof row);
    for (size_t i = 8; i < sizeof row; i += 7) {
        row[i] ^= 4;
        ck_assert_int_eq(persist_write(&e, dir, "evidence-member", view_of(row, sizeof row)), RC_OK);
        stop();
        start();
        ck_assert_msg(!c->liar_count, "byte %zu", i);
        row[i] ^= 4;
    }
    ck_assert_int_eq(persist_write(&e, dir, "evidence-member", view_of(row, sizeof row - 1)), RC_OK);
    stop();
    start();
    ck_assert_uint_eq(c->liar_count, 0);
}
END_TEST

START_TEST(the_log_of_releases_is_read_back)
{
    uint8_t receiver[33];
    key_point(receiver, LIAR);
    const join_member_t to = { .static_key = receiver, .platform = { { 3 } }, .measurement = { { 4 } } };
    const key_name_t name = { .version = 0 };
    given_key(c, &to, &name);
    given_key(c, &to, &name);
    given_turn(c, 1);
    stop();
    start();
    ck_assert_uint_eq(releases_count(c->releases), 2);
    const release_t *r = &releases_at(c->releases, 0)->release;
    ck_assert_mem_eq(r->receiver, receiver, 33);
    ck_assert(r->platform.b[0] == 3 && r->measurement.b[0] == 4 && !releases_contradicted(c->releases, 0));
}
END_TEST

static void limit_files(rlim_t bytes)
{
    struct rlimit r;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

static bool is_kept(const char *file)
{
    view_t kept;
    bool found;
    err_t e;
    ck_assert_int_eq(persist_read(&kept, &found, &e, dir, file, 1u << 20), RC_OK);
    file_free(kept);
    return found;
}

/* A limit on files stands for the disk. */
START_TEST(an_order_that_a_full_disk_did_not_take_is_written_once_it_has_room)
{
    signal(SIGXFSZ, SIG_IGN);
    order.signature_count = 1;
    keys_turn(c, 500);
    ck_assert(!is_kept("order")); /* nothing failed */
    c->order_told.failing = true;
    limit_files(16);
    keys_turn(c, 1000);
    limit_files(RLIM_INFINITY);
    ck_assert(!is_kept("order"));
    keys_turn(c, 10999); /* not at every turn */
    ck_assert(!is_kept("order"));
    keys_turn(c, 11000);
    ck_assert(is_kept("order") && !c->order_told.failing);
    char path[128];
    snprintf(path, sizeof path, "%s/order", dir);
    ck_assert_int_eq(unlink(path), 0);
    keys_turn(c, 30000);
    ck_assert(!is_kept("order"));
}
END_TEST

START_TEST(evidence_that_a_full_disk_did_not_take_is_written_once_it_has_room)
{
    static const uint8_t two_headers[] = { 1, 2, 3 };
    signal(SIGXFSZ, SIG_IGN);
    limit_files(16);
    lie_of(LIAR);
    c->split = malloc(sizeof two_headers);
    memcpy(c->split, two_headers, sizeof two_headers);
    c->split_n = sizeof two_headers;
    heads_keep_again(c, 1000);
    limit_files(RLIM_INFINITY);
    lie_of(HONEST); /* what is written meanwhile ends nothing */
    ck_assert(c->evidence_told.failing && !is_kept("evidence-chain"));
    heads_keep_again(c, 10999);
    ck_assert(!is_kept("evidence-chain"));
    heads_keep_again(c, 11000);
    ck_assert(!c->evidence_told.failing && is_kept("evidence-chain"));
    stop();
    start();
    ck_assert_uint_eq(c->liar_count, 2);
}
END_TEST

START_TEST(a_holder_whose_own_platform_is_out_of_date_says_so)
{
    own_fault = E_TCB_STATUS;
    keys_turn(c, 1000); /* our own evidence is not verified yet */
    c->is_open = true;
    keys_turn(c, 1000); /* it holds no key */
    ck_assert(status_has("\"rotation_needed\":null"));
    c->keys.holds = true;
    own_fault = E_EXPIRED; /* of the collateral: no matter of the platform */
    keys_turn(c, 1000);
    own_fault = E_TCB_STATUS;
    keys_turn(c, 60999); /* once a minute */
    ck_assert(status_has("\"rotation_needed\":null"));
    keys_turn(c, 61000);
    ck_assert(status_has("its own platform is not admitted any more: E_TCB_STATUS"));
}
END_TEST

static bool may_sign(char reason[240])
{
    err_t why = { .text = "" };
    const bool may = cluster_signs(c, &why, 64, true);
    snprintf(reason, 240, "%s", why.text);
    return may;
}

/* All peers of a node may belong to one host, which no cryptography sees: the operators say how many platforms it takes. */
START_TEST(with_fewer_platforms_than_the_policy_wants_nothing_is_signed)
{
    static const struct {
        join_phase_t phase;
        uint8_t platform;
        bool enough;
    } rows[] = {
        { JOIN_PEER, 1, false },      /* ours */
        { JOIN_PEER, 2, false },      /* of another, and so two */
        { JOIN_PEER, 2, false },      /* the same again */
        { JOIN_ATTESTED, 3, false },  /* not judged by the order in force */
        { JOIN_ATTESTING, 4, false }, /* nobody */
        { JOIN_PEER, 3, true },
    };
    char reason[240];
    c->keys = (join_keys_t){ .holds = true, .is_in_use = true, .signer = GEN_SIGNS, .until = UINT64_MAX };
    keys_platforms(c);
    ck_assert_msg(may_sign(reason), "%s", reason); /* the policy wants nothing */
    const uint64_t before = c->silenced;
    put_policy(",\"min_platforms\":3");
    keys_platforms(c);
    ck_assert(!may_sign(reason) && strstr(reason, "run on 1 platforms, and the policy wants 3"));
    ck_assert_uint_eq(c->silenced, before + 1); /* what was signed is not answered any more */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        c->members[i] = (shown_member_t){ .phase = rows[i].phase, .platform = { { rows[i].platform } } };
        c->member_count = i + 1;
        keys_platforms(c);
        ck_assert_msg(may_sign(reason) == rows[i].enough, "row %zu: %s", i, reason);
    }
    c->member_count--;
    keys_platforms(c);
    ck_assert(!may_sign(reason) && strstr(reason, "run on 2 platforms"));
    put_policy(",\"min_platforms\":2");
    keys_platforms(c);
    ck_assert(may_sign(reason));
}
END_TEST

START_TEST(a_key_as_old_as_the_policy_lets_it_become_is_told_of)
{
    config.network.seconds_per_slot = 12;
    put_policy(",\"rotate_after_s\":3600");
    c->is_open = c->keys.holds = true;
    keys_turn(c, 1); /* no head yet */
    newest.entry.entry.from_slot = 1000;
    c->head = 1299;
    keys_turn(c, 60001);
    ck_assert(status_has("\"rotation_needed\":null"));
    c->head = 1300;
    keys_turn(c, 120001);
    ck_assert(status_has("the key signs since slot 1000, longer than the 3600 s of rotate_after_s"));
    newest.entry.g.b[0] = 7; /* a newer one */
    newest.entry.entry.from_slot = 0;
    keys_update(c);
    c->keys.holds = true;
    ck_assert(status_has("\"rotation_needed\":null"));
    keys_turn(c, 180001); /* a first generation: its age counts from now */
    c->head = 1599;
    keys_turn(c, 240001);
    ck_assert(status_has("\"rotation_needed\":null"));
    put_policy("");
    c->head = 1600;
    keys_turn(c, 300001); /* the policy says nothing */
    ck_assert(status_has("\"rotation_needed\":null"));
    put_policy(",\"rotate_after_s\":3600");
    keys_turn(c, 360001);
    ck_assert(status_has("since slot 1300"));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("cluster_heads", begin, end, who_announces_two_headers_of_one_slot_is_told_of_and_shut_out,
                           nobody_is_blamed_for_what_he_did_not_sign,
                           evidence_of_others_counts_and_is_known_again_after_a_restart, many_liars_are_all_shut_out,
                           a_kept_file_that_the_host_changed_blames_nobody, the_log_of_releases_is_read_back,
                           an_order_that_a_full_disk_did_not_take_is_written_once_it_has_room,
                           evidence_that_a_full_disk_did_not_take_is_written_once_it_has_room,
                           a_holder_whose_own_platform_is_out_of_date_says_so,
                           with_fewer_platforms_than_the_policy_wants_nothing_is_signed,
                           a_key_as_old_as_the_policy_lets_it_become_is_told_of);
}
