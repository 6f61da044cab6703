/* Gloas: the store and the machine through the fork, and each thing that an object past it can get wrong, with its
 * reason. */
#include <check.h>

#include "base/crypto/hash.h"
#include "lc_fixture.h"
#include "lightclient/consensus/sync.h"
#include "lightclient/ssz/ssz.h"
#include "tests/unit/unit.h"

static lc_network_t net;
static lc_bootstrap_t bootstrap;
static lc_update_t update;
static lc_store_t store, before;
static err_t reason;

static void start(void)
{
    const hash32_t root = fx_hash(FX_GLOAS_CHECKPOINT_8);
    view_t ssz = fx_read("minimal-gloas/bootstrap-8.ssz");
    net = fx_minimal_gloas();
    ck_assert_int_eq(lc_bootstrap_decode(&bootstrap, &net, LC_FULU, ssz), RC_OK);
    ck_assert_int_eq(lc_store_init(&store, &reason, &net, &root, &bootstrap), RC_OK);
    free((void *)ssz.p);
}

static const struct {
    uint64_t slot, finalized;
    lc_fork_t form;
} objects[] = {
    { 16, 8, LC_FULU }, { 24, 8, LC_GLOAS }, { 32, 16, LC_GLOAS }, { 48, 24, LC_GLOAS }, { 72, 48, LC_GLOAS }
};
#define OBJECTS (sizeof objects / sizeof objects[0])

static view_t object(size_t i)
{
    char name[64];
    snprintf(name, sizeof name, "minimal-gloas/update-%lu.ssz", (unsigned long)objects[i].slot);
    return fx_read(name);
}

static void decode(size_t i)
{
    view_t ssz = object(i);
    ck_assert_int_eq(lc_update_decode(&update, &net, objects[i].form, LC_UPDATE, ssz), RC_OK);
    free((void *)ssz.p);
}

static rc_t process(uint64_t slot)
{
    lc_verdict_t verdict;
    reason = (err_t){ 0 };
    before = store;
    rc_t rc = lc_store_process(&store, &verdict, &reason, &update, slot);
    ck_assert(rc == RC_OK || !memcmp(&before, &store, sizeof store));
    return rc;
}

static void go_to(size_t i)
{
    start();
    for (size_t k = 0; k < i; k++) {
        decode(k);
        ck_assert_int_eq(process(objects[k].slot + 1), RC_OK);
    }
}

START_TEST(a_store_goes_through_the_fork)
{
    start();
    for (size_t i = 0; i < OBJECTS; i++) {
        decode(i);
        ck_assert_msg(process(objects[i].slot + 1) == RC_OK, "slot %lu: %s", (unsigned long)objects[i].slot,
                      reason.text);
        ck_assert_uint_eq(store.optimistic_header.beacon.slot, objects[i].slot);
        ck_assert_uint_eq(store.finalized_header.beacon.slot, objects[i].finalized);
        ck_assert_int_eq(lc_header_by_hash(&store.optimistic_header), objects[i].form == LC_GLOAS);
    }
}
END_TEST

/* The first block of Gloas builds on the last one of Fulu, and proves its hash once more. Here that is slot 16's. */
START_TEST(the_first_head_past_the_fork_has_the_block_of_the_last_one_before_it)
{
    go_to(1);
    const hash32_t last = store.optimistic_header.execution.block_hash;
    decode(1);
    ck_assert_int_eq(process(25), RC_OK);
    ck_assert_uint_eq(store.optimistic_header.beacon.slot, 24);
    ck_assert(hash32_eq(&store.optimistic_header.execution.block_hash, &last));
}
END_TEST

/* Lies about the first update with a finalized header on either side of the fork (attested 32, finalized 16). */
START_TEST(each_lie_is_refused_for_its_reason)
{
    static const char hash[] = "the attested execution block hash is not the one in the block",
                      own[] = "the attested execution block hash is the payload's own, not its parent's",
                      finalized[] = "the finalized execution block hash is not the one in the block",
                      state[] = "the finalized header is not the one in the attested state",
                      committee[] = "the sync committee is not the one in the state",
                      signature[] = "the sync committee's signature does not verify";
    for (int i = 0; i < 14; i++) {
        const char *why = hash;
        go_to(2);
        decode(2);
        lc_header_t *a = &update.attested_header, *f = &update.finalized_header;
        switch (i) {
        case 0: a->execution.block_hash.b[31] ^= 1; break;
        case 1: a->execution_branch[0].b[0] ^= 1; break;
        case 2: a->execution_branch[10].b[31] ^= 1; break;
        case 3: f->execution.block_hash.b[0] ^= 1, why = finalized; break;
        case 4: f->execution_branch[1].b[0] ^= 1, why = finalized; break; /* padding: zero at index 812 */
        case 5: f->execution_branch[2].b[0] ^= 1, why = finalized; break;
        case 6: update.finality_branch[0].b[0] ^= 1, why = state; break;
        case 7: update.finality_branch[8].b[31] ^= 1, why = state; break;
        case 8: update.committee_branch[0].b[0] ^= 1, why = committee; break;
        case 9: update.committee_branch[10].b[0] ^= 1, why = committee; break;
        case 10: memcpy(net.fork_version[LC_GLOAS], net.fork_version[LC_FULU], 4), why = signature; break;
        case 11: a->execution_branch[0] = a->beacon.parent_root, why = own; break; /* beside bid.block_hash */
        case 12: a->execution_branch[1] = a->beacon.parent_root; break;
        case 13: f->execution_branch[0] = f->beacon.parent_root, why = finalized; break; /* its block has no bid */
        }
        ck_assert_msg(process(33) == RC_REFUSED, "lie %d", i);
        ck_assert_msg(!strcmp(reason.text, why), "lie %d: %s", i, reason.text);
    }
    go_to(2);
    decode(2);
    ck_assert_int_eq(process(33), RC_OK);
}
END_TEST

START_TEST(an_old_form_after_the_fork_and_a_new_form_before_it)
{
    go_to(0);
    net.fork_epoch[LC_GLOAS] = 2; /* slot 16 */
    decode(0);
    ck_assert_int_eq(process(17), RC_MALFORMED);
    ck_assert_str_eq(reason.text, "the attested header is in a form older than the fork at its slot");
    go_to(2);
    net.fork_epoch[LC_GLOAS] = 5; /* slot 40: the hash of the attested header would be at index 812 */
    decode(2);
    ck_assert_int_eq(process(33), RC_REFUSED);
    ck_assert_str_eq(reason.text, "the attested execution block hash is not the one in the block");
}
END_TEST

/* In the first slot of Gloas the committee signs a block of Fulu, under Fulu's version. */
START_TEST(the_version_is_that_of_the_slot_before_the_signature)
{
    hash32_t at_fork, after, root = { { 7 } };
    net = fx_minimal_gloas();
    lc_signing_root(&at_fork, &net, &root, 24);
    lc_signing_root(&after, &net, &root, 25);
    ck_assert(!hash32_eq(&at_fork, &after));
    net.fork_epoch[LC_GLOAS] = LC_EPOCH_NEVER;
    lc_signing_root(&root, &net, &(hash32_t){ { 7 } }, 25);
    ck_assert(hash32_eq(&at_fork, &root));
}
END_TEST

/* A schedule that has Gloas later than the chain has it, or never: the objects are refused, and the signature tells why. */
START_TEST(a_signature_under_a_later_version_shows_that_the_schedule_is_old)
{
    static const uint64_t epochs[] = { LC_EPOCH_NEVER, 6 };
    for (size_t i = 0; i < 2; i++) {
        go_to(1);
        ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 33));
        net.fork_epoch[LC_GLOAS] = epochs[i];
        decode(2);
        ck_assert_int_eq(process(33), RC_REFUSED);
        ck_assert_str_eq(lc_store_signed_ahead(&store, &update, 33), "gloas");
        update.sync_aggregate.bits[0] ^= 1; /* another set of signers */
        ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 33));
        decode(2);
        update.attested_header.beacon.proposer_index++;
        ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 33));
        decode(2);
        memset(update.sync_aggregate.bits, 0, 2); /* less than two thirds */
        ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 33));
        net.fork_epoch[LC_GLOAS] = LC_EPOCH_NEVER;
        decode(4); /* of a period whose committee is known, but the last */
        ck_assert_str_eq(lc_store_signed_ahead(&store, &update, 33), "gloas");
        store.next_sync_committee.known = false;
        ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 33));
    }
}
END_TEST

/* A configuration may give a fork to come the version that is in force: a forged proof beside an honest signature is then
 * a lie, and no fork. */
START_TEST(a_version_that_is_in_force_tells_of_no_fork)
{
    go_to(2);
    memcpy(net.fork_version[LC_GLOAS], net.fork_version[LC_FULU], 4);
    net.fork_epoch[LC_GLOAS] = LC_EPOCH_NEVER;
    decode(0); /* signed under Fulu's */
    ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 33));
    lc_unknown_fork_t fork = { .name = "heze", .epoch = 100 };
    memcpy(fork.version, net.fork_version[LC_FULU], 4);
    ck_assert(lc_unknown_fork_add(&net, &fork));
    ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 33));
}
END_TEST

/* The same when the configuration names a fork that has no rows here. */
START_TEST(a_signature_under_the_version_of_an_unknown_fork_is_told_by_its_name)
{
    lc_unknown_fork_t fork = { .name = "heze", .epoch = 4, .version = { 7, 0, 0, 1 } };
    go_to(1);
    net.fork_epoch[LC_GLOAS] = LC_EPOCH_NEVER;
    memset(net.fork_version[LC_GLOAS], 0, 4);
    ck_assert(lc_unknown_fork_add(&net, &fork));
    decode(2); /* signed in epoch 4 */
    ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 33));
    net.unknown_forks[0].epoch = 5; /* a clock may be a little behind */
    ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 33));
    net.unknown_forks[0].epoch = 6;
    ck_assert_str_eq(lc_store_signed_ahead(&store, &update, 33), "heze");
    net.unknown_forks[0].epoch = LC_EPOCH_NEVER; /* when that was written */
    ck_assert_str_eq(lc_store_signed_ahead(&store, &update, 33), "heze");
}
END_TEST

static lc_sync_t *machine;

static void feed(lc_kind_t kind, lc_fork_t form, view_t ssz, uint64_t now_ms)
{
    unsigned moved;
    rc_t rc = lc_sync_input(machine, &moved, &reason, kind, form, ssz, now_ms);
    ck_assert_msg(rc == RC_OK, "%s", reason.text);
}

static void feed_file(const char *name, lc_kind_t kind, lc_fork_t form, uint64_t now_ms)
{
    view_t ssz = fx_read(name);
    feed(kind, form, ssz, now_ms);
    free((void *)ssz.p);
}

/* The optimistic update is wanted when the sync messages of the next slot are due: from Gloas on after a quarter of it,
 * 1.5 seconds of 6. An optimistic update is an update without what stands in the middle. */
START_TEST(the_machine_asks_when_the_fork_s_messages_are_due)
{
    uint8_t optimistic[604];
    lc_want_t wants[8];
    lc_head_t head;
    uint64_t wake;
    net = fx_minimal_gloas();
    const uint64_t now = lc_slot_start_ms(&net, 33) + 2500;
    machine = lc_sync_new(&(lc_sync_config_t){ .network = &net, .checkpoint = fx_hash(FX_GLOAS_CHECKPOINT_8) });
    ck_assert_uint_eq(lc_sync_poll(machine, wants, 8, &wake, now), 1);
    feed_file("minimal-gloas/bootstrap-8.ssz", LC_BOOTSTRAP, LC_FULU, now);
    ck_assert_uint_eq(lc_sync_poll(machine, wants, 8, &wake, now), 3);
    feed_file("minimal-gloas/update-16.ssz", LC_UPDATE, LC_FULU, now);
    view_t ssz = object(2);
    memcpy(optimistic, ssz.p, 496);
    memcpy(optimistic + 496, ssz.p + ssz.n - 108, 108);
    feed(LC_OPTIMISTIC, LC_GLOAS, view_of(optimistic, sizeof optimistic), now);
    lc_sync_latest(machine, &head);
    ck_assert_uint_eq(head.header.beacon.slot, 32);
    ck_assert(lc_header_by_hash(&head.header));
    ck_assert_uint_eq(lc_sync_poll(machine, wants, 8, &wake, now), 0);
    ck_assert_uint_eq(wake, lc_slot_start_ms(&net, 34) + 1500);
    ck_assert_ptr_null(lc_sync_ahead(machine));
    lc_sync_free(machine);
    free((void *)ssz.p);
}
END_TEST

START_TEST(the_machine_remembers_that_the_schedule_is_old)
{
    unsigned moved = 77;
    net = fx_minimal_gloas();
    net.fork_epoch[LC_GLOAS] = LC_EPOCH_NEVER;
    const uint64_t now = lc_slot_start_ms(&net, 33) + 2500;
    machine = lc_sync_new(&(lc_sync_config_t){ .network = &net, .checkpoint = fx_hash(FX_GLOAS_CHECKPOINT_8) });
    feed_file("minimal-gloas/bootstrap-8.ssz", LC_BOOTSTRAP, LC_FULU, now);
    feed_file("minimal-gloas/update-16.ssz", LC_UPDATE, LC_FULU, now);
    view_t ssz = object(2);
    ck_assert_int_eq(lc_sync_input(machine, &moved, &reason, LC_UPDATE, LC_GLOAS, ssz, now), RC_UNSUPPORTED);
    ck_assert_uint_eq(moved, 77);
    ck_assert_str_eq(reason.text, "2/3 of the sync committee signed under the version of gloas, which by this schedule "
                                  "has not begun");
    ck_assert_str_eq(lc_sync_ahead(machine), "gloas");
    lc_sync_free(machine);
    free((void *)ssz.p);
}
END_TEST

/* Endpoints say that their objects are of heze, whose version the configuration has, and no epoch. */
START_TEST(the_machine_looks_at_what_is_signed_of_a_fork_without_rows)
{
    const lc_unknown_fork_t fork = { .name = "heze", .epoch = LC_EPOCH_NEVER, .version = { 7, 0, 0, 1 } };
    net = fx_minimal_gloas();
    net.fork_epoch[LC_GLOAS] = LC_EPOCH_NEVER;
    memset(net.fork_version[LC_GLOAS], 0, 4);
    ck_assert(lc_unknown_fork_add(&net, &fork));
    const uint64_t now = lc_slot_start_ms(&net, 33) + 2500;
    machine = lc_sync_new(&(lc_sync_config_t){ .network = &net, .checkpoint = fx_hash(FX_GLOAS_CHECKPOINT_8) });
    view_t ssz = object(2);
    lc_sync_look_ahead(machine, LC_UPDATE, LC_GLOAS, ssz, now); /* no committee is known */
    feed_file("minimal-gloas/bootstrap-8.ssz", LC_BOOTSTRAP, LC_FULU, now);
    feed_file("minimal-gloas/update-16.ssz", LC_UPDATE, LC_FULU, now);
    lc_sync_look_ahead(machine, LC_UPDATE, LC_GLOAS, view_of(ssz.p, ssz.n - 1), now);
    lc_sync_look_ahead(machine, LC_OPTIMISTIC, LC_GLOAS, ssz, now);
    ((uint8_t *)ssz.p)[ssz.n - 20] ^= 1;
    lc_sync_look_ahead(machine, LC_UPDATE, LC_GLOAS, ssz, now); /* another signature */
    ((uint8_t *)ssz.p)[ssz.n - 20] ^= 1;
    ck_assert_ptr_null(lc_sync_ahead(machine));
    lc_sync_look_ahead(machine, LC_UPDATE, LC_GLOAS, ssz, now);
    ck_assert_str_eq(lc_sync_ahead(machine), "heze");
    lc_sync_free(machine);
    free((void *)ssz.p);
}
END_TEST

/* The signature slot is not signed: an endpoint may give an honest signature past the fork a slot from before it. */
START_TEST(a_signature_slot_that_is_not_the_signed_one_tells_of_no_fork)
{
    unsigned moved = 77;
    net = fx_minimal_gloas();
    const uint64_t now = lc_slot_start_ms(&net, 33) + 2500;
    machine = lc_sync_new(&(lc_sync_config_t){ .network = &net, .checkpoint = fx_hash(FX_GLOAS_CHECKPOINT_8) });
    feed_file("minimal-gloas/bootstrap-8.ssz", LC_BOOTSTRAP, LC_FULU, now);
    feed_file("minimal-gloas/update-16.ssz", LC_UPDATE, LC_FULU, now);
    view_t ssz = object(2);
    uint8_t *const slot = (uint8_t *)ssz.p + ssz.n - 8;
    for (uint8_t told = 9; told <= 33; told++) {
        slot[0] = told;
        const rc_t rc = lc_sync_input(machine, &moved, &reason, LC_UPDATE, LC_GLOAS, ssz, now);
        ck_assert_msg(rc == (told == 33 ? RC_OK : RC_REFUSED), "signature slot %u: %s", told, reason.text);
        ck_assert_ptr_null(lc_sync_ahead(machine));
    }
    lc_sync_free(machine);
    free((void *)ssz.p);
}
END_TEST

/* The fork's first slot is empty, so the next block has the first signatures under its version. An endpoint tells them
 * under that slot, which is signed under the version before, to a clock that is a little behind. */
START_TEST(a_fork_that_has_just_begun_is_not_one_that_is_unknown)
{
    go_to(1);
    net.fork_epoch[LC_GLOAS] = 5; /* slot 40; what was signed in slot 33 is signed under its version */
    decode(2);
    ck_assert_int_eq(process(34), RC_REFUSED);
    ck_assert_ptr_null(lc_store_signed_ahead(&store, &update, 34));
}
END_TEST

/* upgrade_lc_header_to_gloas: the execution header's hash, and its branch through that header and the body. */
static void put_upgraded(uint8_t out[496], const lc_header_t *h, const uint8_t beacon[112])
{
    const lc_execution_t *x = &h->execution;
    hash32_t level[32] = { { { 0 } } }, branch[11] = { { { 0 } } };
    size_t at = 12; /* block_hash among the fields */
    const view_t extra = view_of(x->extra_data, x->extra_data_len);
    memcpy(level[1].b, x->fee_recipient.b, sizeof x->fee_recipient);
    level[0] = x->parent_hash, level[2] = x->state_root, level[3] = x->receipts_root, level[5] = x->prev_randao;
    ssz_bytes_root(&level[4], view_of(x->logs_bloom, sizeof x->logs_bloom), 3);
    level[6] = ssz_u64_chunk(x->block_number), level[7] = ssz_u64_chunk(x->gas_limit);
    level[8] = ssz_u64_chunk(x->gas_used), level[9] = ssz_u64_chunk(x->timestamp);
    ssz_bytes_root(&level[10], extra, 0);
    ssz_mix_in_length(&level[10], &level[10], extra.n);
    for (size_t i = 0; i < 4; i++)
        store_u64le(level[11].b + 8 * i, x->base_fee_per_gas.w[i]);
    level[12] = x->block_hash, level[13] = x->transactions_root, level[14] = x->withdrawals_root;
    level[15] = ssz_u64_chunk(x->blob_gas_used), level[16] = ssz_u64_chunk(x->excess_blob_gas);
    for (size_t depth = 0; depth < 5; depth++, at /= 2) {
        branch[2 + depth] = level[at ^ 1];
        for (size_t i = 0; i < 16; i++)
            sha256_64(&level[i], (const uint8_t *)(level + 2 * i));
    }
    memcpy(branch + 7, h->execution_branch + LC_EXECUTION_BRANCH_MAX - 4, 4 * sizeof *branch);
    memcpy(out, beacon, 112);
    memcpy(out + 112, x->block_hash.b, 32);
    memcpy(out + 144, branch, sizeof branch);
}

/* Nobody could tell from the digest that it is handed on with what form it has. */
START_TEST(a_true_object_in_the_form_of_a_fork_to_come_is_refused)
{
    static const uint64_t epochs[] = { LC_EPOCH_NEVER, 5 };
    uint8_t optimistic[604];
    for (size_t i = 0; i < 2; i++) {
        unsigned moved = 77;
        net = fx_minimal_gloas();
        net.fork_epoch[LC_GLOAS] = epochs[i];
        const uint64_t now = lc_slot_start_ms(&net, 17) + 2500;
        machine = lc_sync_new(&(lc_sync_config_t){ .network = &net, .checkpoint = fx_hash(FX_GLOAS_CHECKPOINT_8) });
        feed_file("minimal-gloas/bootstrap-8.ssz", LC_BOOTSTRAP, LC_FULU, now);
        view_t ssz = object(0);
        ck_assert_int_eq(lc_update_decode(&update, &net, LC_FULU, LC_UPDATE, ssz), RC_OK);
        put_upgraded(optimistic, &update.attested_header,
                     ssz.p + ssz.p[0] + 256u * ssz.p[1]); /* an offset stands first */
        memcpy(optimistic + 496, ssz.p + ssz.n - 108, 108);
        ck_assert_int_eq(lc_update_decode(&update, &net, LC_GLOAS, LC_OPTIMISTIC, view_of(optimistic, 604)), RC_OK);
        ck_assert_int_eq(lc_header_verify(&update.attested_header, &net), RC_OK);
        ck_assert_int_eq(
            lc_sync_input(machine, &moved, &reason, LC_OPTIMISTIC, LC_GLOAS, view_of(optimistic, 604), now),
            RC_REFUSED);
        ck_assert_str_eq(reason.text, "in the form of gloas, and its header is of fulu");
        ck_assert_uint_eq(moved, 77);
        feed(LC_UPDATE, LC_FULU, ssz, now);
        lc_sync_free(machine);
        free((void *)ssz.p);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "gloas", a_fork_that_has_just_begun_is_not_one_that_is_unknown,
        a_true_object_in_the_form_of_a_fork_to_come_is_refused, a_store_goes_through_the_fork,
        the_first_head_past_the_fork_has_the_block_of_the_last_one_before_it, each_lie_is_refused_for_its_reason,
        an_old_form_after_the_fork_and_a_new_form_before_it, the_version_is_that_of_the_slot_before_the_signature,
        the_machine_asks_when_the_fork_s_messages_are_due,
        a_signature_under_a_later_version_shows_that_the_schedule_is_old,
        a_signature_under_the_version_of_an_unknown_fork_is_told_by_its_name,
        a_version_that_is_in_force_tells_of_no_fork, a_signature_slot_that_is_not_the_signed_one_tells_of_no_fork,
        the_machine_remembers_that_the_schedule_is_old, the_machine_looks_at_what_is_signed_of_a_fork_without_rows);
}
