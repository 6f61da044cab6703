/* What members claim of the chain, judged by a store whose sync committee is the test's: it signs what it should and what
 * it should not. */
#include <blst.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "node/chain/claims.h"
#include "tests/unit/unit.h"

#define SIZE 32u /* of the committee */
#define NOW_SLOT 20u
#define UPDATE_LEN (112u + SIZE / 8 + 96 + 8)

static const char domain[] = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_";

/* Altair for ever: its headers are the beacon block's alone. */
static lc_network_t net;
static blst_scalar secret;
static uint8_t pubkey[48];
static lc_sync_t *sync;
static claims_t *claims;
static hash32_t checkpoint;

/* What was told. */
static struct {
    unsigned claimed, answered, splits;
    floor_proof_t proofs[8];
    uint64_t number, split_slot;
    uint8_t evidence[CLAIMS_SPLIT_MAX];
    size_t evidence_n;
} told;

static bool claimed(void *ctx, uint64_t number, floor_kind_t kind, uint64_t slot, floor_proof_t proof)
{
    (void)ctx, (void)kind, (void)slot;
    told.number = number;
    told.proofs[told.claimed++ % 8] = proof;
    return proof != FLOOR_LATER;
}

static void answered(void *ctx, uint64_t number)
{
    (void)ctx;
    told.number = number;
    told.answered++;
}

static void split(void *ctx, uint64_t slot, view_t evidence)
{
    (void)ctx;
    told.splits++;
    told.split_slot = slot;
    told.evidence_n = evidence.n;
    memcpy(told.evidence, evidence.p, evidence.n);
}

/* The same key 32 times. */
static void make_committee(lc_committee_t *c)
{
    const uint8_t seed[32] = "a sync committee of one mind";
    blst_p1 p, all;
    blst_p1_affine at;
    blst_keygen(&secret, seed, sizeof seed, NULL, 0);
    blst_sk_to_pk_in_g1(&p, &secret);
    blst_p1_compress(pubkey, &p);
    all = p;
    blst_p1_to_affine(&at, &p);
    for (unsigned i = 1; i < SIZE; i++)
        blst_p1_add_or_double_affine(&all, &all, &at);
    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < SIZE; i++)
        memcpy(&c->pubkeys[i], pubkey, sizeof pubkey);
    blst_p1_compress((uint8_t *)&c->aggregate_pubkey, &all);
}

static void put_header(wr_t *w, const lc_beacon_t *h)
{
    wr_u64le(w, h->slot);
    wr_u64le(w, h->proposer_index);
    wr_hash32(w, &h->parent_root);
    wr_hash32(w, &h->state_root);
    wr_hash32(w, &h->body_root);
}

/* A bootstrap of slot 8, whose state has the committee among zeros. */
static void bootstrap(void)
{
    static uint8_t ssz[112 + (SIZE + 1) * 48 + 5 * 32];
    static lc_committee_t committee;
    static const hash32_t zero;
    lc_beacon_t h = { .slot = 8 };
    unsigned moved;
    err_t e;
    make_committee(&committee);
    lc_committee_root(&h.state_root, &committee, SIZE);
    for (unsigned g = 54; g > 1; g /= 2) {
        const hash32_t node = h.state_root;
        const view_t one = view_of(node.b, 32), none = view_of(zero.b, 32);
        const view_t parts[] = { g % 2 ? none : one, g % 2 ? one : none };
        sha256_parts(&h.state_root, parts, 2);
    }
    wr_t w = wr_of(ssz, sizeof ssz);
    put_header(&w, &h);
    wr_bytes(&w, committee.pubkeys, SIZE * 48);
    wr_bytes(&w, &committee.aggregate_pubkey, 48);
    ck_assert_uint_eq(w.n + 5 * 32, sizeof ssz);
    lc_beacon_root(&checkpoint, &h);
    sync = lc_sync_new(
        &(lc_sync_config_t){ .network = &net, .checkpoint = checkpoint, .checkpoint_age_max_s = UINT64_MAX / 2000 });
    ck_assert_ptr_nonnull(sync);
    ck_assert_msg(lc_sync_input(sync, &moved, &e, LC_BOOTSTRAP, LC_ALTAIR, view_of(ssz, sizeof ssz),
                                lc_slot_start_ms(&net, NOW_SLOT)) == RC_OK,
                  "%s", e.text);
}

static uint64_t now(void)
{
    return lc_slot_start_ms(&net, NOW_SLOT) + 100;
}

static void setup(void)
{
    net =
        (lc_network_t){ .name = "one mind", .preset = LC_PRESET_MINIMAL, .seconds_per_slot = 6, .genesis_time = 1000 };
    for (size_t f = 0; f < LC_FORKS; f++) {
        net.fork_epoch[f] = f == LC_ALTAIR ? 0 : LC_EPOCH_NEVER;
        net.fork_version[f][0] = (uint8_t)(f + 1);
    }
    bootstrap();
    claims = claims_new(&net);
    ck_assert_ptr_nonnull(claims);
    claims_listen(claims, &(claims_listener_t){ claimed, answered, split, NULL });
    memset(&told, 0, sizeof told);
}

static void teardown(void)
{
    claims_free(claims);
    lc_sync_free(sync);
}

/* An optimistic update for a header of this slot, by so many of the committee; which: there may be others of the slot. */
typedef struct {
    uint8_t bytes[4 + UPDATE_LEN];
    hash32_t root;
} made_t;

static made_t make(uint64_t slot, unsigned which, unsigned signers)
{
    made_t m;
    lc_beacon_t h = { .slot = slot, .proposer_index = which };
    uint8_t bits[SIZE / 8] = { 0 }, signature[96];
    hash32_t signing;
    blst_p2 point, sum;
    blst_p2_affine at;
    lc_beacon_root(&m.root, &h);
    lc_signing_root(&signing, &net, &m.root, slot + 1);
    blst_hash_to_g2(&point, signing.b, 32, (const uint8_t *)domain, sizeof domain - 1, NULL, 0);
    blst_sign_pk_in_g1(&point, &point, &secret);
    blst_p2_to_affine(&at, &point);
    sum = point;
    for (unsigned i = 1; i < signers; i++)
        blst_p2_add_or_double_affine(&sum, &sum, &at);
    blst_p2_compress(signature, &sum);
    for (unsigned i = 0; i < signers; i++)
        bits[i / 8] |= (uint8_t)(1u << i % 8);
    wr_t w = wr_of(m.bytes, sizeof m.bytes);
    lc_fork_digest(wr_grab(&w, 4), &net, 0);
    put_header(&w, &h);
    wr_bytes(&w, bits, sizeof bits);
    wr_bytes(&w, signature, sizeof signature);
    wr_u64le(&w, slot + 1);
    ck_assert(!w.bad && w.n == sizeof m.bytes);
    return m;
}

static rc_t feed(void *ctx, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    unsigned moved = 0;
    (void)ctx;
    const rc_t rc = lc_sync_offer(sync, &moved, e, kind, fork, ssz, now());
    if (!rc)
        claims_note(claims, sync, moved, kind, fork, ssz);
    return rc;
}

static state_claim_t claim_of(const made_t *m, uint64_t slot)
{
    return (state_claim_t){ true, slot, m->root, view_of(m->bytes, sizeof m->bytes) };
}

/* A member's optimistic claim; what the store says of it. */
static floor_proof_t tell(uint64_t number, const state_claim_t *c)
{
    const state_t s = { .optimistic = *c };
    told.claimed = 0;
    ck_assert_int_eq(claims_put(claims, number, &s), RC_OK);
    (void)claims_turn(claims, sync, feed, NULL, now());
    ck_assert_uint_eq(told.claimed, 1);
    ck_assert_uint_eq(told.number, number);
    return told.proofs[0];
}

static uint64_t head(void)
{
    lc_head_t h;
    lc_sync_latest(sync, &h);
    return h.valid ? h.header.beacon.slot : 0;
}

START_TEST(a_proven_head_is_taken_over)
{
    uint8_t buf[CLAIMS_PROOF_MAX];
    const made_t m = make(18, 0, SIZE);
    const state_claim_t c = claim_of(&m, 18);
    state_claim_t shown;
    ck_assert_int_eq(tell(7, &c), FLOOR_PROVEN);
    ck_assert_uint_eq(told.answered, 1);
    ck_assert_uint_eq(head(), 18);
    ck_assert(claims_newest(claims, &shown, buf, false, UINT64_MAX)); /* and shown to others */
    ck_assert(shown.slot == 18 && hash32_eq(&shown.root, &m.root) && view_eq(shown.update, c.update));
    ck_assert(!claims_newest(claims, &shown, buf, false, 17) && !claims_newest(claims, &shown, buf, true, 18));
    ck_assert_int_eq(tell(7, &c), FLOOR_PROVEN); /* told again */
}
END_TEST

START_TEST(a_random_root_at_the_present_slot_moves_nothing)
{
    const made_t m = make(18, 0, SIZE);
    state_claim_t c = claim_of(&m, NOW_SLOT);
    ck_assert_int_eq(tell(7, &c), FLOOR_UNPROVEN); /* an update of another slot */
    c = claim_of(&m, 18);
    c.root.b[5] ^= 1;
    ck_assert_int_eq(tell(7, &c), FLOOR_UNPROVEN); /* ... of another header */
    ck_assert_uint_eq(head(), 0);
    ck_assert_uint_eq(told.answered, 2); /* it has answered all the same */
}
END_TEST

START_TEST(a_head_without_its_update_moves_nothing)
{
    const made_t m = make(18, 0, SIZE);
    state_claim_t c = claim_of(&m, 18);
    for (size_t n = 0; n < sizeof m.bytes; n++) { /* or with a part of it */
        c.update.n = n;
        ck_assert_int_eq(tell(7, &c), FLOOR_UNPROVEN);
    }
    ck_assert_uint_eq(head(), 0);
}
END_TEST

START_TEST(a_claim_of_slot_2_63_moves_nothing)
{
    const made_t m = make(1ull << 63, 0, SIZE);
    const state_claim_t c = claim_of(&m, 1ull << 63);
    ck_assert_int_eq(tell(7, &c), FLOOR_UNPROVEN);
    ck_assert_uint_eq(told.answered, 1);
    ck_assert_uint_eq(head(), 0);
}
END_TEST

START_TEST(two_thirds_of_the_committee_are_needed)
{
    const made_t few = make(18, 0, 21), enough = make(17, 0, 22);
    const state_claim_t a = claim_of(&few, 18), b = claim_of(&enough, 17);
    ck_assert_int_eq(tell(7, &a), FLOOR_UNPROVEN);
    ck_assert_uint_eq(head(), 0);
    ck_assert_int_eq(tell(7, &b), FLOOR_PROVEN);
    ck_assert_uint_eq(head(), 17);
}
END_TEST

START_TEST(no_byte_of_an_update_may_change)
{
    made_t m = make(18, 0, SIZE);
    const state_claim_t c = claim_of(&m, 18);
    for (size_t i = 0; i < sizeof m.bytes; i++) {
        m.bytes[i] ^= 1;
        ck_assert_msg(tell(7, &c) == FLOOR_UNPROVEN || i >= sizeof m.bytes - 8, "byte %zu", i);
        m.bytes[i] ^= 1;
    }
    ck_assert_uint_eq(head(), 0);
}
END_TEST

/* Both of them signed by two thirds. */
static void contradict(void)
{
    const made_t ours = make(18, 0, SIZE), theirs = make(18, 1, 22);
    const state_claim_t a = claim_of(&ours, 18), b = claim_of(&theirs, 18);
    ck_assert_int_eq(tell(7, &a), FLOOR_PROVEN);
    ck_assert_uint_eq(told.splits, 0);
    (void)tell(8, &b);
}

START_TEST(a_contradicting_proven_header_is_evidence)
{
    contradict();
    ck_assert(told.splits == 1 && told.split_slot == 18);
    ck_assert_uint_eq(head(), 18);
}
END_TEST

START_TEST(a_contradicting_header_that_is_not_proven_is_none)
{
    const made_t ours = make(18, 0, SIZE), few = make(18, 1, 21);
    made_t forged = make(18, 1, SIZE);
    const state_claim_t a = claim_of(&ours, 18), b = claim_of(&few, 18), c = claim_of(&forged, 18);
    forged.bytes[4 + 112 + SIZE / 8 + 20] ^= 1;
    ck_assert_int_eq(tell(7, &a), FLOOR_PROVEN);
    (void)tell(8, &b);
    (void)tell(9, &c);
    ck_assert_uint_eq(told.splits, 0);
}
END_TEST

START_TEST(evidence_convinces_who_has_seen_neither_header)
{
    contradict();
    uint8_t bytes[CLAIMS_SPLIT_MAX];
    const size_t n = told.evidence_n;
    memcpy(bytes, told.evidence, n);
    teardown();
    setup();
    for (size_t i = 0; i < n; i += 5) { /* no byte may change, but of signature slots, which are not signed */
        bytes[i] ^= 1;
        if (!claims_put_evidence(claims, view_of(bytes, n)))
            (void)claims_turn(claims, sync, feed, NULL, now());
        const bool of_slot = (i + 8 >= n) || (i + 8 >= 16 + 5 + 4 + UPDATE_LEN && i < 16 + 5 + 4 + UPDATE_LEN);
        ck_assert_msg(!told.splits || of_slot, "byte %zu", i);
        told.splits = 0;
        bytes[i] ^= 1;
    }
    ck_assert_int_eq(claims_put_evidence(claims, view_of(bytes, n)), RC_OK);
    (void)claims_turn(claims, sync, feed, NULL, now());
    ck_assert(told.splits == 1 && told.split_slot == 18);
}
END_TEST

START_TEST(one_header_twice_is_no_evidence)
{
    uint8_t bytes[CLAIMS_SPLIT_MAX];
    const made_t m = make(18, 0, SIZE), other = make(17, 1, SIZE);
    for (int i = 0; i < 2; i++) {
        const view_t a = view_of(m.bytes, sizeof m.bytes), b = view_of(other.bytes, sizeof other.bytes);
        wr_t w = wr_of(bytes, sizeof bytes);
        claims_split_write(&w, &(claims_split_t){ { LC_OPTIMISTIC, LC_OPTIMISTIC }, { a, i ? b : a } });
        ck_assert_int_eq(claims_put_evidence(claims, wr_view(&w)), RC_OK);
        (void)claims_turn(claims, sync, feed, NULL, now());
        ck_assert_uint_eq(told.splits, 0);
    }
}
END_TEST

START_TEST(evidence_is_read_whole)
{
    contradict();
    claims_split_t s;
    err_t e;
    ck_assert_int_eq(claims_split_read(&s, &e, view_of(told.evidence, told.evidence_n)), RC_OK);
    ck_assert(s.kinds[0] == LC_OPTIMISTIC && s.updates[1].n == 4 + UPDATE_LEN);
    for (size_t n = 0; n < told.evidence_n; n++)
        ck_assert_int_eq(claims_split_read(&s, &e, view_of(told.evidence, n)), RC_MALFORMED);
    ck_assert_int_eq(claims_split_read(&s, &e, view_of(told.evidence, told.evidence_n + 1)), RC_MALFORMED);
    ck_assert_int_eq(claims_put_evidence(claims, view_of(told.evidence, 0)), RC_LIMIT);
}
END_TEST

START_TEST(what_cannot_be_judged_yet_waits_and_a_newer_state_takes_its_place)
{
    const made_t m = make(18, 0, SIZE), later = make(19, 0, SIZE);
    const state_t s = { .optimistic = claim_of(&m, 18) }, newer = { .optimistic = claim_of(&later, 19) };
    lc_sync_t *ready = sync;
    sync = lc_sync_new(&(lc_sync_config_t){ .network = &net, .checkpoint = checkpoint });
    ck_assert_int_eq(claims_put(claims, 7, &s), RC_OK);
    ck_assert(!claims_turn(claims, sync, feed, NULL, now()));
    ck_assert(told.claimed == 1 && told.proofs[0] == FLOOR_LATER && told.answered == 0);
    lc_sync_free(sync);
    sync = ready;
    ck_assert_int_eq(claims_put(claims, 7, &newer), RC_OK);
    ck_assert(claims_turn(claims, sync, feed, NULL, now()));
    ck_assert(told.claimed == 2 && told.proofs[1] == FLOOR_PROVEN && told.answered == 1);
    ck_assert_uint_eq(head(), 19);
    ck_assert(!claims_turn(claims, sync, feed, NULL, now())); /* nothing is left */
    ck_assert_uint_eq(told.claimed, 2);
}
END_TEST

/* Whether the newest head is asked for at this time. */
static bool asks(uint64_t now_ms)
{
    lc_want_t wants[8];
    uint64_t wake;
    bool found = false;
    for (size_t n = lc_sync_poll(sync, wants, 8, &wake, now_ms); n-- > 0;)
        found |= wants[n].kind == LC_OPTIMISTIC;
    return found;
}

START_TEST(who_repeats_itself_changes_nothing_of_what_is_asked)
{
    const made_t known = make(18, 0, SIZE), few = make(19, 0, 5);
    const state_claim_t a = claim_of(&known, 18), b = claim_of(&few, 19);
    uint64_t at = now();
    ck_assert_int_eq(tell(7, &a), FLOOR_PROVEN);
    while (!asks(at)) /* the question is on its way */
        at += 50;
    (void)tell(7, &a);
    (void)tell(7, &b);
    for (uint64_t t = at; t < at + LC_WANT_TIMEOUT_MS; t += 1000)
        ck_assert(!asks(t)); /* no answer has come to it */
}
END_TEST

START_TEST(so_many_states_may_wait)
{
    const state_t none = { .holds = true };
    for (uint64_t i = 1; i <= CLAIMS_WAITING_MAX; i++)
        ck_assert_int_eq(claims_put(claims, i, &none), RC_OK);
    ck_assert_int_eq(claims_put(claims, 99, &none), RC_LIMIT);
    ck_assert_int_eq(claims_put(claims, 5, &none), RC_OK); /* in the place of its former one */
    (void)claims_turn(claims, sync, feed, NULL, now());
    ck_assert_uint_eq(told.answered, CLAIMS_WAITING_MAX); /* who claims nothing has answered, too */
    ck_assert_uint_eq(told.claimed, 0);
}
END_TEST

/* Of two headers of one slot whose signers nobody knows. */
static rc_t put_unknown(uint64_t slot)
{
    static uint8_t bytes[CLAIMS_SPLIT_MAX];
    const made_t a = make(slot, 0, SIZE), b = make(slot, 1, SIZE);
    wr_t w = wr_of(bytes, sizeof bytes);
    claims_split_write(&w, &(claims_split_t){ { LC_OPTIMISTIC, LC_OPTIMISTIC },
                                              { view_of(a.bytes, sizeof a.bytes), view_of(b.bytes, sizeof b.bytes) } });
    return claims_put_evidence(claims, wr_view(&w));
}

START_TEST(evidence_that_nobody_can_judge_keeps_no_state_out)
{
    const state_t none = { .holds = true };
    lc_progress_t progress;
    lc_sync_t *ready = sync;
    sync = lc_sync_new(&(lc_sync_config_t){ .network = &net, .checkpoint = checkpoint });
    for (unsigned i = 0; i < 2 * CLAIMS_EVIDENCE_MAX; i++) /* each twice */
        ck_assert_int_eq(put_unknown(1000 + i / 2), RC_OK);
    ck_assert_int_eq(put_unknown(2000), RC_LIMIT);
    (void)claims_turn(claims, sync, feed, NULL, now());
    ck_assert_int_eq(put_unknown(2000), RC_LIMIT); /* they wait until the signers may be known */
    for (uint64_t i = 1; i <= CLAIMS_WAITING_MAX; i++)
        ck_assert_int_eq(claims_put(claims, i, &none), RC_OK);
    lc_sync_free(sync);
    sync = ready;
    const made_t m = make(18, 0, SIZE);
    const state_claim_t c = claim_of(&m, 18);
    (void)claims_turn(claims, sync, feed, NULL, now());
    ck_assert_int_eq(tell(7, &c), FLOOR_PROVEN);
    lc_sync_progress(sync, &progress, now());
    ck_assert_int_eq(progress.state, LC_STATE_FOLLOWING);
    (void)claims_turn(claims, sync, feed, NULL, now());
    for (unsigned i = 0; i < CLAIMS_EVIDENCE_MAX; i++)
        ck_assert_int_eq(put_unknown(2000 + i), RC_OK);
    ck_assert_uint_eq(told.splits, 0);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("chain_claims", setup, teardown, a_proven_head_is_taken_over,
                           a_random_root_at_the_present_slot_moves_nothing, a_head_without_its_update_moves_nothing,
                           a_claim_of_slot_2_63_moves_nothing, two_thirds_of_the_committee_are_needed,
                           no_byte_of_an_update_may_change, a_contradicting_proven_header_is_evidence,
                           a_contradicting_header_that_is_not_proven_is_none,
                           evidence_convinces_who_has_seen_neither_header, one_header_twice_is_no_evidence,
                           evidence_is_read_whole, who_repeats_itself_changes_nothing_of_what_is_asked,
                           what_cannot_be_judged_yet_waits_and_a_newer_state_takes_its_place, so_many_states_may_wait,
                           evidence_that_nobody_can_judge_keeps_no_state_out);
}
