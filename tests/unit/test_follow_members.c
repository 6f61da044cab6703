/* A follower without any beacon API, whose members give it recorded objects, honest and not. What a member says moves
 * nothing unless it is proven. */
#include <pthread.h>

#include "base/os/log.h"
#include "node/chain/follow.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/lc_fixture.h"
#include "tests/unit/unit.h"

#define WAIT_MS 10000u
#define STAYS_MS 300u

typedef enum {
    HONEST,
    SILENT,      /* no answer in time */
    EMPTY,       /* has nothing, for a reason */
    RANDOM_ROOT, /* the head of an update is another block: its state root is changed */
    FUTURE_SLOT, /* it claims slot 2^63 */
    NO_PROOF,    /* the signature is gone */
    CUT,         /* the object ends too early */
    OTHER_FORK   /* a digest of nobody */
} manner_t;

static lc_network_t net;
static manner_t manners[2]; /* of each member */
static size_t member_count;
static unsigned head_slot; /* of what members have */
static atomic_uint asked[2];

/* In updates of both kinds the first offset is the attested header's, which is behind the fixed part. */
static void spoil(uint8_t *ssz, manner_t manner)
{
    const size_t header = (size_t)ssz[0] | (size_t)ssz[1] << 8;
    switch (manner) {
    case RANDOM_ROOT: ssz[header + 8 + 8 + 32] ^= 1; break; /* slot, proposer, parent: then the state root */
    case FUTURE_SLOT: memset(ssz + header, 0, 7), ssz[header + 7] = 0x80; break;
    case NO_PROOF: memset(ssz + header - 8 - 96, 0, 96); break; /* the signature, before signature_slot */
    default: break;
    }
}

static void put(follow_member_t *out, const char *name, manner_t manner)
{
    const view_t ssz = fx_read(name);
    const bool spoils = manner == RANDOM_ROOT || manner == FUTURE_SLOT || manner == NO_PROOF;
    out->bytes = malloc(4 + ssz.n);
    lc_fork_digest(out->bytes, &net, net.fork_epoch[LC_FULU]);
    if (manner == OTHER_FORK)
        out->bytes[0] ^= 1;
    memcpy(out->bytes + 4, ssz.p, ssz.n);
    if (spoils)
        spoil(out->bytes + 4, manner);
    out->objects[0] = view_of(out->bytes, 4 + ssz.n - (manner == CUT ? 1 : 0));
    out->count = 1;
    free((void *)(uintptr_t)ssz.p);
}

static rc_t ask(void *ctx, follow_member_t *out, err_t *e, const lc_want_t *want, size_t nth,
                bool (*stopping)(void *ctx), void *stop_ctx)
{
    char name[64];
    (void)ctx, (void)stopping, (void)stop_ctx;
    *out = (follow_member_t){ .count = 0 };
    if (nth >= member_count)
        return err_say(e, RC_NEED_DATA, "there is no member to ask");
    const manner_t manner = want->kind == LC_BOOTSTRAP ? HONEST : manners[nth];
    snprintf(out->name, sizeof out->name, "16Uiu2member%zu", nth);
    asked[nth] += want->kind != LC_BOOTSTRAP;
    if (manner == SILENT)
        return err_say(e, RC_TIMEOUT, "no answer in time");
    if (manner == EMPTY || want->kind == LC_UPDATE)
        snprintf(out->why, sizeof out->why, "http://api.example: HTTP status 500");
    else if (want->kind == LC_BOOTSTRAP)
        put(out, "minimal-fulu/bootstrap-136.ssz", manner);
    else {
        snprintf(name, sizeof name, "minimal-fulu/%s-%u.ssz", want->kind == LC_FINALITY ? "finality" : "optimistic",
                 head_slot);
        put(out, name, manner);
    }
    return RC_OK;
}

static uint64_t now_at;

static uint64_t standing_clock(void)
{
    return now_at;
}

static hash32_t checkpoint_of_136(void)
{
    static lc_bootstrap_t b;
    hash32_t root;
    view_t ssz = fx_read("minimal-fulu/bootstrap-136.ssz");
    ck_assert_int_eq(lc_bootstrap_decode(&b, &net, LC_FULU, ssz), RC_OK);
    lc_beacon_root(&root, &b.header.beacon);
    free((void *)(uintptr_t)ssz.p);
    return root;
}

/* Follows until the head is of this slot (0: for a while), and copies the view. */
static void follow_to(follow_view_t *v, objects_t *objects, uint64_t slot)
{
    follow_t *f = NULL;
    up_t *nobody = up_new(NULL, 0);
    timekeeper_t *time =
        timekeeper_new(&(timekeeper_config_t){ .now_ms = standing_clock, .slot_ms = net.seconds_per_slot * 1000 });
    const follow_config_t config = { .network = &net,
                                     .checkpoint = checkpoint_of_136(),
                                     .upstream = nobody,
                                     .time = time,
                                     .objects = objects,
                                     .member = ask };
    log_set_level(LOG_ERROR);
    ck_assert_int_eq(follow_start(&f, NULL, &config), RC_OK);
    const uint64_t until = clock_ms() + (slot ? WAIT_MS : STAYS_MS);
    do {
        pause_ms(10);
        follow_view(f, v);
    } while ((!slot || !v->latest.valid || v->latest.header.beacon.slot != slot) && clock_ms() < until);
    follow_free(f);
    timekeeper_free(time);
    up_free(nobody);
}

static void begin(size_t members, manner_t first, manner_t second)
{
    net = fx_minimal_fulu();
    head_slot = 144;
    now_at = lc_slot_start_ms(&net, 145) + 900;
    member_count = members;
    manners[0] = first;
    manners[1] = second;
    asked[0] = asked[1] = 0;
}

START_TEST(one_honest_member_is_enough)
{
    follow_view_t v;
    begin(1, HONEST, HONEST);
    follow_to(&v, NULL, 144);
    ck_assert(v.latest.valid && v.latest.header.beacon.slot == 144);
}
END_TEST

START_TEST(who_lies_or_is_silent_is_passed_over_for_the_next)
{
    for (manner_t m = SILENT; m <= OTHER_FORK; m++) {
        follow_view_t v;
        begin(2, m, HONEST);
        follow_to(&v, NULL, 144);
        ck_assert_msg(v.latest.valid && v.latest.header.beacon.slot == 144, "manner %d: %s", (int)m, v.trouble);
        ck_assert_uint_ge(asked[1], 1);
    }
}
END_TEST

START_TEST(what_is_not_proven_moves_nothing_and_its_member_is_named)
{
    for (manner_t m = SILENT; m <= OTHER_FORK; m++) {
        follow_view_t v;
        begin(1, m, HONEST);
        follow_to(&v, NULL, 0);
        ck_assert_msg(!v.latest.valid || v.latest.header.beacon.slot <= 136, "manner %d moved the head", (int)m);
        ck_assert_uint_ge(asked[0], 1);
        ck_assert_msg(strstr(v.trouble, "member 16Uiu2"), "manner %d: %s", (int)m, v.trouble);
    }
}
END_TEST

START_TEST(the_reason_of_a_member_is_ours_as_well)
{
    follow_view_t v;
    begin(1, EMPTY, HONEST);
    follow_to(&v, NULL, 0);
    ck_assert_msg(strstr(v.trouble, "http://api.example: HTTP status 500"), "%s", v.trouble);
}
END_TEST

START_TEST(without_members_that_is_the_reason)
{
    follow_view_t v;
    begin(0, HONEST, HONEST);
    follow_to(&v, NULL, 0);
    ck_assert_str_eq(v.trouble, "no member is connected, and there is no beacon API");
}
END_TEST

/* ---- what members claim ---- */

static struct {
    atomic_uint asked;
    _Atomic(follow_t *) follow;
    hash32_t hash;
} fetched;

static void fetch(void *ctx, follow_t *f, head_kind_t kind, const hash32_t *hash, bool raw)
{
    (void)ctx;
    ck_assert(kind == HEAD_LATEST && !raw);
    fetched.hash = *hash;
    fetched.follow = f;
    fetched.asked++;
}

/* A member's state, whose head is that of a recorded update. */
static void claim(claims_t *claims, const char *name)
{
    const view_t ssz = fx_read(name);
    uint8_t bytes[8192];
    lc_update_t *u = malloc(sizeof *u);
    ck_assert_int_eq(lc_update_decode(u, &net, LC_FULU, LC_OPTIMISTIC, ssz), RC_OK);
    lc_fork_digest(bytes, &net, net.fork_epoch[LC_FULU]);
    memcpy(bytes + 4, ssz.p, ssz.n);
    state_t s = { .optimistic = { true, u->attested_header.beacon.slot, { { 0 } }, view_of(bytes, 4 + ssz.n) } };
    lc_beacon_root(&s.optimistic.root, &u->attested_header.beacon);
    ck_assert_int_eq(claims_put(claims, 7, &s), RC_OK);
    free(u);
    free((void *)(uintptr_t)ssz.p);
}

static void wait_for(follow_view_t *v, follow_t *f, uint64_t slot, bool unserved)
{
    const uint64_t until = clock_ms() + WAIT_MS;
    do {
        pause_ms(5);
        follow_view(f, v);
    } while ((!v->latest.valid || v->latest.header.beacon.slot != slot || v->unserved != unserved) &&
             clock_ms() < until);
    ck_assert_uint_eq(v->latest.header.beacon.slot, slot);
    ck_assert_int_eq(v->unserved, unserved);
}

static void wait_for_fetch(unsigned nth)
{
    for (const uint64_t until = clock_ms() + WAIT_MS; fetched.asked < nth && clock_ms() < until;)
        pause_ms(5);
    ck_assert_uint_ge(fetched.asked, nth);
}

START_TEST(a_head_far_ahead_that_a_member_brings_is_taken_over_and_unserved_until_its_block_is_shown)
{
    static const ex_header_t header;
    static const err_t nothing, why = { .rc = RC_NEED_DATA, .text = "there is no such block" };
    follow_view_t v;
    begin(1, HONEST, HONEST);
    now_at = lc_slot_start_ms(&net, 151) + 900;
    claims_t *claims = claims_new(&net);
    up_t *nobody = up_new(NULL, 0);
    follow_t *f;
    timekeeper_t *time =
        timekeeper_new(&(timekeeper_config_t){ .now_ms = standing_clock, .slot_ms = net.seconds_per_slot * 1000 });
    const follow_config_t config = { .network = &net,
                                     .checkpoint = checkpoint_of_136(),
                                     .upstream = nobody,
                                     .time = time,
                                     .member = ask,
                                     .fetch = fetch,
                                     .claims = claims };
    log_set_level(LOG_ERROR);
    fetched.asked = 0;
    ck_assert_int_eq(follow_start(&f, NULL, &config), RC_OK);
    wait_for(&v, f, 144, false);
    claim(claims, "minimal-fulu/optimistic-147.ssz"); /* near enough */
    wait_for(&v, f, 147, false);
    ck_assert_uint_eq(fetched.asked, 0);
    claim(claims, "minimal-fulu/optimistic-151.ssz");
    wait_for(&v, f, 151, true);
    wait_for_fetch(1);
    ck_assert(hash32_eq(&fetched.hash, &v.latest.header.execution.block_hash));
    follow_header(fetched.follow, HEAD_LATEST, NULL, &why, false);
    wait_for(&v, f, 151, true);
    wait_for_fetch(2); /* it is asked for again */
    follow_header(fetched.follow, HEAD_LATEST, &header, &nothing, false);
    wait_for(&v, f, 151, false);
    follow_free(f);
    timekeeper_free(time);
    up_free(nobody);
    claims_free(claims);
}
END_TEST

static size_t get(objects_t *o, view_t out[LCDATA_OBJECTS_MAX], arena_t *a, lc_kind_t kind)
{
    const lc_want_t want = { .kind = kind, .block_root = checkpoint_of_136(), .count = 1 };
    return objects_get(o, out, a, &want);
}

START_TEST(what_was_accepted_is_kept_for_others_and_nothing_else)
{
    for (int lies = 0; lies < 2; lies++) {
        follow_view_t v;
        arena_t a;
        view_t out[LCDATA_OBJECTS_MAX];
        char said[LCDATA_WHY_MAX];
        begin(1, lies ? RANDOM_ROOT : HONEST, HONEST);
        objects_t *o = objects_new(&net);
        arena_init(&a, 1 << 20);
        follow_to(&v, o, lies ? 0 : 144);
        const view_t ssz = fx_read("minimal-fulu/finality-144.ssz");
        const size_t n = get(o, out, &a, LC_FINALITY);
        ck_assert_uint_eq(n, lies ? 0 : 1);
        ck_assert(lies || (out[0].n == 4 + ssz.n && !memcmp(out[0].p + 4, ssz.p, ssz.n)));
        ck_assert_uint_eq(get(o, out, &a, LC_BOOTSTRAP), 1);
        ck_assert_uint_eq(get(o, out, &a, LC_UPDATE), 0);
        const lc_want_t other = { .kind = LC_BOOTSTRAP, .block_root = { { 1 } }, .count = 1 };
        ck_assert_uint_eq(objects_get(o, out, &a, &other), 0);
        objects_said(o, said);
        ck_assert_str_eq(said, ""); /* what a member did is not ours to tell */
        free((void *)(uintptr_t)ssz.p);
        arena_free(&a);
        objects_free(o);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("follow_members", one_honest_member_is_enough, who_lies_or_is_silent_is_passed_over_for_the_next,
                    what_is_not_proven_moves_nothing_and_its_member_is_named, the_reason_of_a_member_is_ours_as_well,
                    without_members_that_is_the_reason,
                    a_head_far_ahead_that_a_member_brings_is_taken_over_and_unserved_until_its_block_is_shown,
                    what_was_accepted_is_kept_for_others_and_nothing_else);
}
