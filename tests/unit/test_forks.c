/* Networks: schedules, digests, clock. */
#include <check.h>

#include "lc_fixture.h"
#include "tests/unit/unit.h"

/* Sources: mainnet up to Electra from gossip topics of public clients; sepolia and hoodi of the second blob row as seen
 * in a public crawl of the discovery network; sepolia under Gloas by Lodestar's types and EIP-7892; devnets from
 * recorded API answers. */
static const struct {
    const char *network;
    uint64_t epoch;
    const char *digest;
    lc_fork_t fork;
} digests[] = {
    { "mainnet", 74240, "afcaaba0", LC_ALTAIR },   { "mainnet", 144896, "4a26c58b", LC_BELLATRIX },
    { "mainnet", 194048, "bba4da96", LC_CAPELLA }, { "mainnet", 269567, "bba4da96", LC_CAPELLA },
    { "mainnet", 269568, "6a95a1a9", LC_DENEB },   { "mainnet", 364032, "ad532ceb", LC_ELECTRA },
    { "mainnet", 411391, "ad532ceb", LC_ELECTRA }, { "sepolia", 275712, "74d01459", LC_FULU },
    { "hoodi", 54016, "c6ecb76c", LC_FULU },       { "sepolia", 353023, "74d01459", LC_FULU },
    { "sepolia", 353024, "669e6c11", LC_GLOAS },
};

START_TEST(digests_are_the_public_ones_and_lead_back_to_the_fork)
{
    for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
        const lc_network_t *net = lc_network_find(digests[i].network);
        uint8_t got[4];
        char hex[9];
        lc_fork_t fork = LC_FORKS;
        lc_fork_digest(got, net, digests[i].epoch);
        hex_encode(hex, view_of(got, 4));
        ck_assert_msg(!strcmp(hex, digests[i].digest), "%s %lu: got %s, want %s", net->name, digests[i].epoch, hex,
                      digests[i].digest);
        ck_assert_int_eq(lc_fork_from_digest(&fork, net, got), RC_OK);
        ck_assert_int_eq(fork, digests[i].fork);
        got[0] ^= 1;
        ck_assert_int_eq(lc_fork_from_digest(&fork, net, got), RC_REFUSED);
        ck_assert_int_eq(fork, digests[i].fork);
    }
}
END_TEST

/* Recorded from /light_client/updates of local chains, whose client computed them under a zero genesis validators root.
 */
START_TEST(devnet_digests_are_the_recorded_ones)
{
    static const struct {
        bool forks;
        uint64_t epoch;
        uint8_t digest[4];
        lc_fork_t fork;
    } kat[] = {
        { false, 0, { 0x3f, 0xfc, 0x2c, 0x24 }, LC_FULU }, /* no blob row: Electra's epoch and 9 blobs */
        { true, 5, { 0xc6, 0x23, 0x26, 0xfe }, LC_DENEB },
        { true, 10, { 0x39, 0xef, 0x08, 0x55 }, LC_ELECTRA },
    };
    for (size_t i = 0; i < 3; i++) {
        lc_network_t net = kat[i].forks ? fx_minimal_forks() : fx_minimal_fulu();
        uint8_t got[4];
        lc_fork_t fork = LC_FORKS;
        ck_assert_int_eq(lc_fork_from_digest(&fork, &net, kat[i].digest), RC_OK);
        ck_assert_int_eq(fork, kat[i].fork);
        lc_fork_digest(got, &net, kat[i].epoch);
        ck_assert(memcmp(got, kat[i].digest, 4));
        memset(&net.genesis_validators_root, 0, 32);
        lc_fork_digest(got, &net, kat[i].epoch);
        ck_assert_mem_eq(got, kat[i].digest, 4);
    }
}
END_TEST

START_TEST(each_blob_row_has_a_digest_of_its_own)
{
    const lc_network_t *net = lc_network_find("mainnet");
    uint8_t a[4], b[4], c[4];
    lc_fork_t fork;
    lc_fork_digest(a, net, 411392);
    lc_fork_digest(b, net, 412672);
    lc_fork_digest(c, net, 419072);
    ck_assert(memcmp(a, b, 4) && memcmp(b, c, 4) && memcmp(a, c, 4));
    ck_assert_int_eq(lc_fork_from_digest(&fork, net, b), RC_OK);
    ck_assert_int_eq(fork, LC_FULU);
    lc_fork_digest(a, net, 419071);
    ck_assert_mem_eq(a, b, 4);
}
END_TEST

START_TEST(forks_begin_at_their_epoch)
{
    const lc_network_t *net = lc_network_find("mainnet");
    for (size_t f = 0; f < LC_FORKS; f++) {
        const bool set = net->fork_epoch[f] != LC_EPOCH_NEVER;
        if (set)
            ck_assert_int_eq(lc_fork_at_epoch(net, net->fork_epoch[f]), (lc_fork_t)f);
        if (f && set)
            ck_assert_int_eq(lc_fork_at_epoch(net, net->fork_epoch[f] - 1), (lc_fork_t)(f - 1));
        ck_assert_int_eq(lc_fork_from_name(lc_fork_name((lc_fork_t)f)), (lc_fork_t)f);
    }
    ck_assert_int_eq(lc_fork_at_epoch(net, 0), LC_ALTAIR);
    ck_assert_mem_eq(lc_fork_version(net, 74239), net->genesis_fork_version, 4);
    ck_assert_mem_eq(lc_fork_version(net, 74240), net->fork_version[LC_ALTAIR], 4);
    ck_assert_int_eq(lc_fork_from_name("phase0"), LC_FORKS);
    lc_network_t late = *net;
    late.fork_epoch[LC_FULU] = LC_EPOCH_NEVER;
    ck_assert_int_eq(lc_fork_at_epoch(&late, LC_EPOCH_NEVER), LC_ELECTRA);
}
END_TEST

/* Versions and digests of networks on which Gloas has no date, so that a date is all that is missing: Lodestar's
 * types, EIP-7892. */
START_TEST(gloas_without_a_date_has_its_version)
{
    static const struct {
        const char *network;
        uint64_t epoch;
        uint8_t digest[4];
    } kat[] = { { "mainnet", 500000, { 0xce, 0x21, 0x53, 0xed } }, { "hoodi", 132352, { 0x5a, 0xd3, 0x01, 0x29 } } };
    for (size_t i = 0; i < 2; i++) {
        lc_network_t net = *lc_network_find(kat[i].network);
        uint8_t got[4];
        ck_assert_uint_eq(net.fork_epoch[LC_GLOAS], LC_EPOCH_NEVER);
        net.fork_epoch[LC_GLOAS] = kat[i].epoch;
        lc_fork_digest(got, &net, kat[i].epoch);
        ck_assert_mem_eq(got, kat[i].digest, 4);
    }
    const lc_network_t *sepolia = lc_network_find("sepolia");
    ck_assert_uint_eq(lc_slot_start_ms(sepolia, 11296768), 1791294816000u);
    ck_assert_uint_eq(sepolia->fork_epoch[LC_GLOAS] * 32, 11296768);
}
END_TEST

START_TEST(unknown_forks_are_kept_by_epoch_and_only_so_many)
{
    lc_network_t net = fx_minimal_fulu();
    static const uint64_t epochs[LC_UNKNOWN_FORKS_MAX] = { 30, 10, 40, 20 };
    ck_assert_ptr_null(lc_unknown_fork(&net));
    for (size_t i = 0; i < LC_UNKNOWN_FORKS_MAX; i++)
        ck_assert(lc_unknown_fork_add(&net, &(lc_unknown_fork_t){ .name = "x", .epoch = epochs[i] }));
    ck_assert(!lc_unknown_fork_add(&net, &(lc_unknown_fork_t){ .name = "y", .epoch = 1 }));
    for (size_t i = 0; i < LC_UNKNOWN_FORKS_MAX; i++)
        ck_assert_uint_eq(net.unknown_forks[i].epoch, 10 * (i + 1));
    ck_assert_uint_eq(lc_unknown_fork(&net)->epoch, 10);
    net.unknown_forks[LC_UNKNOWN_FORKS_MAX - 1].epoch = LC_EPOCH_NEVER; /* one that never comes makes room */
    ck_assert(!lc_unknown_fork_add(&net, &(lc_unknown_fork_t){ .name = "y", .epoch = LC_EPOCH_NEVER }));
    ck_assert(lc_unknown_fork_add(&net, &(lc_unknown_fork_t){ .name = "y", .epoch = 15 }));
    ck_assert_uint_eq(net.unknown_count, LC_UNKNOWN_FORKS_MAX);
    ck_assert_uint_eq(net.unknown_forks[1].epoch, 15);
    ck_assert_uint_eq(net.unknown_forks[LC_UNKNOWN_FORKS_MAX - 1].epoch, 30);
    net.unknown_forks[0].epoch = LC_EPOCH_NEVER; /* it never comes: nobody is told of it */
    ck_assert_ptr_null(lc_unknown_fork(&net));
    ck_assert_uint_eq(lc_first_slot(&net, 10), 80);
    ck_assert_uint_eq(lc_first_slot(&net, UINT64_MAX / 8), UINT64_MAX / 8 * 8);
    ck_assert_uint_eq(lc_first_slot(&net, UINT64_MAX / 8 + 1), UINT64_MAX);
}
END_TEST

START_TEST(slots_follow_the_clock)
{
    const lc_network_t *net = lc_network_find("mainnet");
    uint64_t genesis_ms = 1606824023000u;
    ck_assert_uint_eq(lc_slot_at(net, 0), 0);
    ck_assert_uint_eq(lc_slot_at(net, genesis_ms + 11999), 0);
    ck_assert_uint_eq(lc_slot_at(net, genesis_ms + 12000), 1);
    ck_assert_uint_eq(lc_slot_start_ms(net, 1), genesis_ms + 12000);
    ck_assert_uint_eq(lc_slot_start_ms(net, UINT64_MAX), UINT64_MAX);
    ck_assert_uint_eq(lc_period_of_slot(net, 14017856), 1711);
}
END_TEST

START_TEST(built_in_networks_are_valid_and_named)
{
    static const struct {
        const char *name;
        uint64_t chain_id, genesis_time;
    } rows[] = { { "mainnet", 1, 1606824023 }, { "sepolia", 11155111, 1655733600 }, { "hoodi", 560048, 1742213400 } };
    for (size_t i = 0; i < 3; i++) {
        const lc_network_t *net = lc_network_find(rows[i].name);
        err_t e = { 0 };
        ck_assert_ptr_nonnull(net);
        ck_assert_int_eq(lc_network_check(&e, net), RC_OK);
        ck_assert_uint_eq(net->chain_id, rows[i].chain_id);
        ck_assert_uint_eq(net->genesis_time, rows[i].genesis_time);
    }
    ck_assert_ptr_null(lc_network_find("goerli"));
}
END_TEST

/* Blob rows in order, as many as there may be. */
static void put_blob_rows(lc_network_t *net)
{
    net->blob_rows = LC_BLOB_ROWS_MAX;
    for (size_t i = 0; i < LC_BLOB_ROWS_MAX; i++)
        net->blob_schedule[i] = (lc_blob_row_t){ 20 + i, 9 + i };
}

START_TEST(networks_at_their_limits_are_taken)
{
    err_t e = { 0 };
    for (int i = 0; i < 12; i++) {
        lc_network_t net = fx_minimal_forks();
        switch (i) {
        case 0: net.preset.slots_per_epoch = 1; break;
        case 1: net.preset.slots_per_epoch = 65536; break;
        case 2: net.preset.epochs_per_period = 1; break;
        case 3: net.preset.epochs_per_period = 65536; break;
        case 4: net.preset.committee_size = 8; break;
        case 5: net.preset.committee_size = 512; break;
        case 6: net.seconds_per_slot = 1; break;
        case 7: net.seconds_per_slot = 3600; break;
        case 8: net.genesis_time = UINT64_MAX / 4000; break;
        case 9: put_blob_rows(&net); break;
        case 10: net.fork_epoch[LC_FULU] = LC_EPOCH_NEVER; break;
        case 11: net.fork_epoch[LC_ALTAIR] = net.fork_epoch[LC_BELLATRIX] = 0; break;
        }
        ck_assert_msg(lc_network_check(&e, &net) == RC_OK, "case %d: %s", i, e.text);
        ck_assert_int_eq(e.rc, RC_OK);
    }
}
END_TEST

START_TEST(impossible_networks_are_refused_for_their_first_fault)
{
    static const struct {
        int i;
        const char *why;
    } rows[] = {
        { 0, "SLOTS_PER_EPOCH must be from 1 to 65536" },
        { 1, "SLOTS_PER_EPOCH must be from 1 to 65536" },
        { 2, "EPOCHS_PER_SYNC_COMMITTEE_PERIOD must be from 1 to 65536" },
        { 3, "EPOCHS_PER_SYNC_COMMITTEE_PERIOD must be from 1 to 65536" },
        { 4, "SYNC_COMMITTEE_SIZE must be a power of two from 8 to 512" },
        { 5, "SYNC_COMMITTEE_SIZE must be a power of two from 8 to 512" },
        { 6, "SYNC_COMMITTEE_SIZE must be a power of two from 8 to 512" },
        { 7, "SYNC_COMMITTEE_SIZE must be a power of two from 8 to 512" },
        { 8, "SECONDS_PER_SLOT must be from 1 to 3600" },
        { 9, "SECONDS_PER_SLOT must be from 1 to 3600" },
        { 10, "the genesis time is out of range" },
        { 11, "BLOB_SCHEDULE has too many rows" },
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        lc_network_t net = fx_minimal_forks();
        err_t e = { 0 };
        switch (rows[k].i) {
        case 0: net.preset.slots_per_epoch = 0; break;
        case 1: net.preset.slots_per_epoch = 65537; break;
        case 2: net.preset.epochs_per_period = 0; break;
        case 3: net.preset.epochs_per_period = 65537; break;
        case 4: net.preset.committee_size = 4; break;
        case 5: net.preset.committee_size = 1024; break;
        case 6: net.preset.committee_size = 24; break;
        case 7: net.preset.committee_size = 0; break;
        case 8: net.seconds_per_slot = 0; break;
        case 9: net.seconds_per_slot = 3601; break;
        case 10: net.genesis_time = UINT64_MAX / 4000 + 1; break;
        case 11: net.blob_rows = LC_BLOB_ROWS_MAX + 1; break;
        }
        ck_assert_msg(lc_network_check(&e, &net) == RC_REFUSED, "row %zu", k);
        ck_assert_str_eq(e.text, rows[k].why);
    }
}
END_TEST

START_TEST(forks_and_blob_rows_out_of_order_are_refused_wherever_they_stand)
{
    for (size_t f = 1; f < LC_FORKS; f++) {
        lc_network_t net = fx_minimal_forks();
        err_t e = { 0 };
        for (size_t i = 0; i < LC_FORKS; i++)
            net.fork_epoch[i] = 10;
        for (size_t i = 0; i < f; i++)
            net.fork_epoch[i] = 11;
        ck_assert_int_eq(lc_network_check(&e, &net), RC_REFUSED);
        ck_assert_str_eq(e.text, "fork epochs must not decrease from fork to fork");
    }
    for (size_t i = 1; i < LC_BLOB_ROWS_MAX; i++)
        for (unsigned same = 0; same < 2; same++) {
            lc_network_t net = fx_minimal_forks();
            err_t e = { 0 };
            put_blob_rows(&net);
            net.blob_schedule[i].epoch -= same ? 1 : 2;
            ck_assert_int_eq(lc_network_check(&e, &net), RC_REFUSED);
            ck_assert_str_eq(e.text, "BLOB_SCHEDULE must be in rising order of epochs");
        }
}
END_TEST

START_TEST(a_fork_that_never_comes_has_no_digest)
{
    lc_network_t net = fx_minimal_forks();
    uint8_t digest[4];
    lc_fork_t fork = LC_FORKS;
    net.fork_epoch[LC_FULU] = LC_EPOCH_NEVER;
    ck_assert_int_eq(lc_fork_from_digest(&fork, &net, (uint8_t[4]){ 1, 2, 3, 4 }), RC_REFUSED);
    ck_assert_int_eq(fork, LC_FORKS);
    lc_fork_digest(digest, &net, LC_EPOCH_NEVER - 1);
    ck_assert_int_eq(lc_fork_from_digest(&fork, &net, digest), RC_OK);
    ck_assert_int_eq(fork, LC_ELECTRA);
    lc_fork_digest(digest, &net, LC_EPOCH_NEVER);
    ck_assert_int_eq(lc_fork_from_digest(&fork, &net, digest), RC_OK);
    ck_assert_int_eq(fork, LC_ELECTRA);
}
END_TEST

START_TEST(every_blob_row_counts_from_its_epoch_on)
{
    lc_network_t net = fx_minimal_forks(); /* Fulu at epoch 12, the first row at 20 */
    uint8_t before[4], digest[4], other[4];
    lc_fork_t fork;
    put_blob_rows(&net);
    lc_fork_digest(before, &net, 12);
    lc_fork_digest(digest, &net, 19);
    ck_assert_mem_eq(before, digest, 4);
    for (uint64_t i = 0; i < LC_BLOB_ROWS_MAX; i++) {
        lc_fork_digest(digest, &net, 20 + i);
        ck_assert_mem_ne(before, digest, 4);
        ck_assert_int_eq(lc_fork_from_digest(&fork, &net, digest), RC_OK);
        ck_assert_int_eq(fork, LC_FULU);
        memcpy(before, digest, 4);
    }
    lc_fork_digest(digest, &net, 1000);
    ck_assert_mem_eq(before, digest, 4);
    lc_fork_digest(before, &net, 12);
    net.max_blobs_electra = LC_MAX_BLOBS_ELECTRA;
    lc_fork_digest(digest, &net, 12);
    ck_assert_mem_eq(before, digest, 4);
    net.max_blobs_electra++;
    lc_fork_digest(other, &net, 12);
    ck_assert_mem_ne(before, other, 4);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "forks", digests_are_the_public_ones_and_lead_back_to_the_fork, devnet_digests_are_the_recorded_ones,
        each_blob_row_has_a_digest_of_its_own, forks_begin_at_their_epoch, gloas_without_a_date_has_its_version,
        unknown_forks_are_kept_by_epoch_and_only_so_many, slots_follow_the_clock, built_in_networks_are_valid_and_named,
        networks_at_their_limits_are_taken, impossible_networks_are_refused_for_their_first_fault,
        forks_and_blob_rows_out_of_order_are_refused_wherever_they_stand, a_fork_that_never_comes_has_no_digest,
        every_blob_row_counts_from_its_epoch_on);
}
