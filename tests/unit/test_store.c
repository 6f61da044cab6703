/* The specification's store: what moves it, what is refused, and that refusal leaves it as it was. */
#include <check.h>

#include "lc_fixture.h"
#include "lightclient/consensus/store.h"
#include "tests/unit/unit.h"

static lc_store_t store, before;
static lc_bootstrap_t bootstrap;
static lc_update_t update;
static lc_network_t net;

static void decode(const char *file, lc_kind_t kind, lc_fork_t fork)
{
    view_t ssz = fx_read(file);
    ck_assert_msg(kind == LC_BOOTSTRAP ? !lc_bootstrap_decode(&bootstrap, &net, fork, ssz)
                                       : !lc_update_decode(&update, &net, fork, kind, ssz),
                  "%s does not decode", file);
    free((void *)ssz.p);
}

static void start(const char *file, lc_fork_t fork, const char *checkpoint)
{
    hash32_t root = fx_hash(checkpoint);
    decode(file, LC_BOOTSTRAP, fork);
    ck_assert_int_eq(lc_store_init(&store, NULL, &net, &root, &bootstrap), RC_OK);
}

static void start_fulu(void)
{
    net = fx_minimal_fulu();
    start("minimal-fulu/bootstrap-8.ssz", LC_FULU, FX_FULU_CHECKPOINT_8);
}

static err_t reason;
static lc_verdict_t verdict;

/* Processes the decoded update; on failure the store must be as it was. */
static rc_t process(uint64_t current_slot)
{
    before = store;
    reason = (err_t){ 0 };
    rc_t rc = lc_store_process(&store, &verdict, &reason, &update, current_slot);
    if (rc) {
        ck_assert_msg(!memcmp(&before, &store, sizeof store), "refused (%s), but the store changed", reason.text);
        ck_assert(reason.rc == rc && reason.text[0]);
    }
    return rc;
}

static rc_t feed(const char *file, lc_kind_t kind, lc_fork_t fork, uint64_t current_slot)
{
    decode(file, kind, fork);
    return process(current_slot);
}

START_TEST(a_bootstrap_must_be_the_checkpoint_with_its_committee)
{
    hash32_t root = fx_hash(FX_FULU_CHECKPOINT_8), other = root;
    net = fx_minimal_fulu();
    view_t ssz = fx_read("minimal-fulu/bootstrap-8.ssz");
    uint8_t *p = (uint8_t *)(uintptr_t)ssz.p;
    memset(&store, 0x5a, sizeof store);
    before = store;
    other.b[31] ^= 1;
    ck_assert_int_eq(lc_bootstrap_decode(&bootstrap, &net, LC_FULU, ssz), RC_OK);
    ck_assert_int_eq(lc_store_init(&store, NULL, &net, &other, &bootstrap), RC_REFUSED);
    for (size_t bit = 0; bit < 8 * ssz.n; bit += 5) {
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (!lc_bootstrap_decode(&bootstrap, &net, LC_FULU, ssz))
            ck_assert_msg(lc_store_init(&store, NULL, &net, &root, &bootstrap) == RC_REFUSED, "bit %zu", bit);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_msg(!memcmp(&before, &store, sizeof store), "a refused bootstrap wrote to the store");
    ck_assert_int_eq(lc_bootstrap_decode(&bootstrap, &net, LC_FULU, ssz), RC_OK);
    ck_assert_int_eq(lc_store_init(&store, NULL, &net, &root, &bootstrap), RC_OK);
    ck_assert(store.current_sync_committee.known && !store.next_sync_committee.known);
    free(p);
}
END_TEST

START_TEST(updates_move_the_store_from_period_to_period)
{
    start_fulu();
    ck_assert_int_eq(feed("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 16);
    ck_assert(store.next_sync_committee.known);
    hash32_t next = store.next_sync_committee.root;
    ck_assert_int_eq(feed("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 64);
    ck_assert(hash32_eq(&store.current_sync_committee.root, &next));
    ck_assert(store.next_sync_committee.known);
    ck_assert_int_eq(feed("minimal-fulu/update-2.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 128);
    ck_assert_uint_eq(store.optimistic_header.beacon.slot, 144);
    ck_assert_int_eq(feed("minimal-fulu/finality-152.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 136);
    ck_assert_int_eq(feed("minimal-fulu/optimistic-153.ssz", LC_OPTIMISTIC, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(store.optimistic_header.beacon.slot, 153);
    ck_assert(store.has_best_valid_update);
}
END_TEST

START_TEST(a_period_cannot_be_skipped_and_the_past_is_a_replay)
{
    start_fulu();
    ck_assert_int_eq(feed("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU, 200), RC_NEED_DATA);
    ck_assert_int_eq(feed("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert_int_eq(feed("minimal-fulu/update-2.ssz", LC_UPDATE, LC_FULU, 200), RC_NEED_DATA);
    ck_assert_int_eq(feed("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert_int_eq(feed("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU, 200), RC_REPLAY);
}
END_TEST

START_TEST(a_finality_update_rolls_the_period_over_without_a_new_committee)
{
    start_fulu();
    ck_assert_int_eq(feed("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert_int_eq(feed("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    hash32_t next = store.next_sync_committee.root;
    ck_assert_int_eq(feed("minimal-fulu/finality-144.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 128);
    ck_assert(hash32_eq(&store.current_sync_committee.root, &next));
    ck_assert(!store.next_sync_committee.known);
    /* The update of the same attested header brings the committee later, although its finality is not newer. */
    ck_assert_int_eq(feed("minimal-fulu/update-2.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert(store.next_sync_committee.known);
}
END_TEST

START_TEST(a_past_update_of_the_same_period_supplies_the_committee)
{
    net = fx_minimal_fulu();
    start("minimal-fulu/bootstrap-104.ssz", LC_FULU, FX_FULU_CHECKPOINT_104);
    ck_assert_int_eq(feed("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert(store.next_sync_committee.known);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 104);
    ck_assert_int_eq(feed("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU, 200), RC_REPLAY);
}
END_TEST

/* The known committee is the one with all its keys and their aggregate. */
START_TEST(a_next_committee_that_differs_from_the_known_one_is_refused)
{
    const uint32_t size = fx_minimal_fulu().preset.committee_size;
    start_fulu();
    ck_assert_int_eq(feed("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert_int_eq(feed("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    for (uint32_t i = 0; i <= size; i++) {
        decode("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU);
        lc_committee_t *next = &update.next_sync_committee;
        *(i < size ? &next->pubkeys[i] : &next->aggregate_pubkey) = next->pubkeys[(i + 1) % size];
        ck_assert_int_eq(process(200), RC_REFUSED);
        ck_assert_str_eq(reason.text, "the next sync committee is another one than is known");
    }
    ck_assert_int_eq(feed("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
}
END_TEST

START_TEST(one_store_crosses_deneb_electra_and_fulu)
{
    net = fx_minimal_forks();
    start("minimal-forks/bootstrap-8.ssz", LC_DENEB, FX_FORKS_CHECKPOINT_8);
    ck_assert_int_eq(feed("minimal-forks/update-0.ssz", LC_UPDATE, LC_DENEB, 200), RC_OK);
    ck_assert_int_eq(feed("minimal-forks/finality-40.ssz", LC_FINALITY, LC_DENEB, 200), RC_OK);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 24);
    ck_assert_int_eq(feed("minimal-forks/finality-48.ssz", LC_FINALITY, LC_ELECTRA, 200), RC_OK);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 32); /* a Deneb header in an Electra container */
    ck_assert_int_eq(feed("minimal-forks/update-1.ssz", LC_UPDATE, LC_ELECTRA, 200), RC_OK);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 64);
    ck_assert_int_eq(feed("minimal-forks/finality-96.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 80);
}
END_TEST

/* Every fifth bit of an object. The signature slot (last of the fixed part) is not signed: it only chooses the
 * committee and the fork version, so other values may be as good. */
static void mutate_all(const char *file, lc_kind_t kind)
{
    view_t ssz = fx_read(file);
    uint8_t *p = (uint8_t *)(uintptr_t)ssz.p;
    size_t slot_at = (size_t)(uint32_t)load_u64le(p) - 8;
    for (size_t bit = 0; bit < 8 * ssz.n; bit += 5) {
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (!lc_update_decode(&update, &net, LC_FULU, kind, ssz)) {
            rc_t rc = process(200);
            ck_assert_msg(rc != RC_OK || (bit / 8 >= slot_at && bit / 8 < slot_at + 8), "%s: bit %zu does not matter",
                          file, bit);
            if (!rc)
                store = before;
        }
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(p);
}

START_TEST(every_changed_bit_is_refused_and_the_store_stays_byte_identical)
{
    start_fulu();
    mutate_all("minimal-fulu/update-0.ssz", LC_UPDATE);
    ck_assert_int_eq(feed("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    ck_assert_int_eq(feed("minimal-fulu/update-1.ssz", LC_UPDATE, LC_FULU, 200), RC_OK);
    mutate_all("minimal-fulu/finality-144.ssz", LC_FINALITY);
    mutate_all("minimal-fulu/optimistic-144.ssz", LC_OPTIMISTIC);
    mutate_all("minimal-fulu/update-2.ssz", LC_UPDATE);
}
END_TEST

static void to_153(void)
{
    start_fulu();
    for (int i = 0; i < 3; i++) {
        char file[64];
        snprintf(file, sizeof file, "minimal-fulu/update-%d.ssz", i);
        ck_assert_int_eq(feed(file, LC_UPDATE, LC_FULU, 200), RC_OK);
    }
}

START_TEST(signatures_of_others_are_refused)
{
    to_153();
    ck_assert_int_eq(feed("minimal-fulu/forged-next-committee-signed.ssz", LC_FINALITY, LC_FULU, 200), RC_REFUSED);
    ck_assert_int_eq(feed("minimal-fulu/forged-wrong-domain-fork.ssz", LC_FINALITY, LC_FULU, 200), RC_REFUSED);
    ck_assert_int_eq(feed("minimal-fulu/finality-153.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(verdict.participants, 31);
    ck_assert(verdict.supermajority);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 136);
}
END_TEST

static unsigned decoded(const lc_store_committee_t *c)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 32; i++)
        n += !memcmp(&c->decoded[i].key, &c->keys.pubkeys[i], sizeof c->keys.pubkeys[i]);
    return n;
}

/* One is absent of 32; ten are there of 32. */
START_TEST(keys_that_were_decoded_for_a_head_are_kept_for_the_next)
{
    to_153();
    ck_assert_uint_eq(decoded(&store.current_sync_committee) + decoded(&store.next_sync_committee), 0);
    ck_assert_int_eq(feed("minimal-fulu/forged-next-committee-signed.ssz", LC_FINALITY, LC_FULU, 200), RC_REFUSED);
    ck_assert_int_eq(feed("minimal-fulu/finality-153.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(decoded(&store.current_sync_committee), 1);
    ck_assert_int_eq(feed("minimal-fulu/forged-few-signers.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
    ck_assert_uint_ge(decoded(&store.current_sync_committee), 10);
    ck_assert_uint_eq(decoded(&store.next_sync_committee), 0);
    ck_assert_int_eq(feed("minimal-fulu/finality-153.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
}
END_TEST

START_TEST(a_few_signers_are_valid_but_do_not_finalize)
{
    to_153();
    ck_assert_int_eq(feed("minimal-fulu/forged-few-signers.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(verdict.participants, 10);
    ck_assert(!verdict.supermajority);
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 128);
    ck_assert_uint_eq(store.optimistic_header.beacon.slot, 144); /* below half of what signed before */
    ck_assert(store.has_best_valid_update);
    ck_assert_int_eq(feed("minimal-fulu/forged-one-signer.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
    ck_assert_uint_eq(verdict.participants, 1);
    ck_assert_uint_eq(lc_participants(&store.best_valid_update.sync_aggregate, 32), 10);
}
END_TEST

START_TEST(a_force_update_waits_for_its_timeout_and_uses_the_best_update)
{
    to_153();
    ck_assert(!lc_store_force_update(&store, 1000)); /* nothing is kept after a normal update */
    ck_assert_int_eq(feed("minimal-fulu/forged-few-signers.ssz", LC_FINALITY, LC_FULU, 200), RC_OK);
    before = store;
    ck_assert(!lc_store_force_update(&store, 128 + 64));
    ck_assert(!memcmp(&before, &store, sizeof store));
    ck_assert(lc_store_force_update(&store, 128 + 64 + 1));
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 136);
    ck_assert(!store.has_best_valid_update);
    /* Without newer finality the attested header takes its place. */
    to_153();
    ck_assert_int_eq(feed("minimal-fulu/optimistic-153.ssz", LC_OPTIMISTIC, LC_FULU, 200), RC_OK);
    ck_assert(lc_store_force_update(&store, 193));
    ck_assert_uint_eq(store.finalized_header.beacon.slot, 153);
}
END_TEST

START_TEST(slots_must_stand_in_order)
{
    start_fulu();
    decode("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU); /* attested 34, finalized 16, signed 35 */
    ck_assert_int_eq(process(34), RC_REFUSED);
    ck_assert_str_eq(reason.text, "the signature slot lies in the future");
    update.signature_slot = 34;
    ck_assert_int_eq(process(200), RC_REFUSED);
    ck_assert_str_eq(reason.text, "the signature slot is not after the attested header");
    update.signature_slot = 35;
    update.finalized_header.beacon.slot = 35;
    ck_assert_int_eq(process(200), RC_REFUSED);
    ck_assert_str_eq(reason.text, "the finalized header is newer than the attested one");
    update.finalized_header.beacon.slot = 0;
    ck_assert_int_eq(process(200), RC_REFUSED);
    ck_assert_str_eq(reason.text, "a finalized header at genesis must be empty");
    memset(&update.finalized_header, 0, sizeof update.finalized_header);
    ck_assert_int_eq(process(200), RC_REFUSED); /* empty, but the branch proves another root than zero */
    decode("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU);
    memset(update.sync_aggregate.bits, 0, sizeof update.sync_aggregate.bits);
    ck_assert_int_eq(process(200), RC_REFUSED);
    ck_assert_str_eq(reason.text, "nobody signed");
    decode("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU);
    ck_assert_int_eq(process(35), RC_OK);
}
END_TEST

START_TEST(another_header_of_the_same_slot_does_not_replace_the_optimistic_one)
{
    to_153();
    decode("minimal-fulu/optimistic-153.ssz", LC_OPTIMISTIC, LC_FULU);
    store.optimistic_header.beacon.slot = 153;
    lc_beacon_t first = store.optimistic_header.beacon;
    ck_assert_int_eq(process(200), RC_OK);
    ck_assert(!memcmp(&store.optimistic_header.beacon, &first, sizeof first));
    store.optimistic_header.beacon.slot = 152;
    ck_assert_int_eq(process(200), RC_OK);
    ck_assert_uint_eq(store.optimistic_header.beacon.slot, 153);
    ck_assert(memcmp(&store.optimistic_header.beacon, &first, sizeof first));
}
END_TEST

START_TEST(a_finalized_header_at_genesis_has_no_byte_set)
{
    start_fulu();
    decode("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU);
    lc_header_t *h = &update.finalized_header;
    uint8_t *const places[] = { (uint8_t *)&h->beacon.proposer_index,
                                &h->beacon.parent_root.b[31],
                                &h->beacon.state_root.b[31],
                                &h->beacon.body_root.b[0],
                                &h->beacon.body_root.b[31],
                                &h->execution.parent_hash.b[0],
                                &h->execution.logs_bloom[255],
                                &h->execution.extra_data_len,
                                (uint8_t *)&h->execution.block_number,
                                (uint8_t *)&h->execution.excess_blob_gas,
                                (uint8_t *)&h->execution.blob_gas_used,
                                &h->execution.withdrawals_root.b[31],
                                &h->execution_branch[0].b[0],
                                &h->execution_branch[3].b[31] };
    memset(h, 0, sizeof *h);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        *places[i] = 1;
        ck_assert_int_eq(process(200), RC_REFUSED);
        ck_assert_msg(!strcmp(reason.text, "a finalized header at genesis must be empty"), "place %zu: %s", i,
                      reason.text);
        *places[i] = 0;
    }
    ck_assert_int_eq(process(200), RC_REFUSED); /* empty, but the branch is that of another */
    ck_assert_str_eq(reason.text, "the finalized header is not the one in the attested state");
}
END_TEST

START_TEST(headers_before_capella_bring_no_execution_part)
{
    start_fulu();
    for (lc_fork_t f = LC_CAPELLA; f <= LC_FULU; f++)
        net.fork_epoch[f] = 3;                               /* slot 24 */
    decode("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU); /* attested 34, finalized 16 */
    ck_assert_int_eq(process(200), RC_REFUSED);
    ck_assert_str_eq(reason.text, "the finalized execution header is not the one in the block");
    memset(&update.finalized_header.execution, 0, sizeof update.finalized_header.execution);
    ck_assert_int_eq(process(200), RC_REFUSED);
    ck_assert_str_eq(reason.text, "the finalized execution header is not the one in the block");
    memset(update.finalized_header.execution_branch, 0, sizeof update.finalized_header.execution_branch);
    ck_assert_int_eq(process(200), RC_OK);
    start_fulu();
    for (lc_fork_t f = LC_CAPELLA; f <= LC_FULU; f++)
        net.fork_epoch[f] = 5; /* slot 40 */
    decode("minimal-fulu/update-0.ssz", LC_UPDATE, LC_FULU);
    ck_assert_int_eq(process(200), RC_REFUSED);
    ck_assert_str_eq(reason.text, "the attested execution header is not the one in the block");
}
END_TEST

/* Rows in falling order of quality: each is better than all below it. */
static const struct {
    unsigned participants;
    bool committee, finality;
    uint64_t attested, finalized, signature;
} ranks[] = {
    { 32, true, true, 70, 64, 71 },   /* everything in one period */
    { 31, true, true, 70, 64, 71 },   /* fewer signers beyond two thirds */
    { 31, true, true, 71, 64, 72 },   /* newer */
    { 31, true, true, 71, 64, 73 },   /* signed later */
    { 32, true, true, 70, 56, 71 },   /* finality of the period before */
    { 32, true, false, 70, 0, 71 },   /* no finality */
    { 32, false, true, 70, 64, 71 },  /* no committee */
    { 22, true, true, 127, 64, 128 }, /* the committee is not the signers' next one */
    { 21, true, true, 70, 64, 71 },   /* below two thirds */
    { 20, true, true, 70, 64, 71 },
};

START_TEST(better_updates_are_ranked_as_the_specification_does)
{
    static lc_update_t u[sizeof ranks / sizeof ranks[0]];
    net = fx_minimal_fulu();
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        for (unsigned k = 0; k < ranks[i].participants; k++)
            u[i].sync_aggregate.bits[k / 8] |= (uint8_t)(1u << k % 8);
        u[i].has_committee = ranks[i].committee;
        u[i].has_finality = ranks[i].finality;
        u[i].attested_header.beacon.slot = ranks[i].attested;
        u[i].finalized_header.beacon.slot = ranks[i].finalized;
        u[i].signature_slot = ranks[i].signature;
    }
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++)
        for (size_t k = 0; k < sizeof ranks / sizeof ranks[0]; k++)
            ck_assert_msg(lc_update_is_better(&net, &u[i], &u[k]) == (i < k), "rows %zu and %zu", i, k);
}
END_TEST

int main(void)
{
    return UNIT_RUN("store", a_next_committee_that_differs_from_the_known_one_is_refused,
                    a_bootstrap_must_be_the_checkpoint_with_its_committee, updates_move_the_store_from_period_to_period,
                    a_period_cannot_be_skipped_and_the_past_is_a_replay,
                    a_finality_update_rolls_the_period_over_without_a_new_committee,
                    a_past_update_of_the_same_period_supplies_the_committee, one_store_crosses_deneb_electra_and_fulu,
                    every_changed_bit_is_refused_and_the_store_stays_byte_identical, signatures_of_others_are_refused,
                    a_few_signers_are_valid_but_do_not_finalize,
                    keys_that_were_decoded_for_a_head_are_kept_for_the_next,
                    a_force_update_waits_for_its_timeout_and_uses_the_best_update, slots_must_stand_in_order,
                    another_header_of_the_same_slot_does_not_replace_the_optimistic_one,
                    a_finalized_header_at_genesis_has_no_byte_set, headers_before_capella_bring_no_execution_part,
                    better_updates_are_ranked_as_the_specification_does);
}
