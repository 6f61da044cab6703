/* Light-client containers: recorded objects decode, every other length and offset is refused, roots match the chain. */
#include <check.h>
#include <stddef.h>

#include "lc_fixture.h"

#include "lightclient/ssz/ssz.h"
#include "tests/unit/unit.h"

typedef struct {
    const char *file;
    int network; /* 0 minimal-fulu, 1 minimal-forks, 2 mainnet */
    lc_fork_t fork;
    lc_kind_t kind;
    uint64_t slot; /* of the header, or of the attested header */
    uint64_t finalized_slot, signature_slot;
} row_t;

static const row_t rows[] = {
    { "minimal-fulu/bootstrap-8.ssz", 0, LC_FULU, LC_BOOTSTRAP, 8, 0, 0 },
    { "minimal-fulu/update-0.ssz", 0, LC_FULU, LC_UPDATE, 34, 16, 35 },
    { "minimal-fulu/finality-144.ssz", 0, LC_FULU, LC_FINALITY, 144, 128, 145 },
    { "minimal-fulu/optimistic-148.ssz", 0, LC_FULU, LC_OPTIMISTIC, 148, 0, 150 },
    { "minimal-forks/bootstrap-8.ssz", 1, LC_DENEB, LC_BOOTSTRAP, 8, 0, 0 },
    { "minimal-forks/update-0.ssz", 1, LC_DENEB, LC_UPDATE, 38, 16, 39 },
    { "minimal-forks/update-1.ssz", 1, LC_ELECTRA, LC_UPDATE, 87, 64, 88 },
    { "minimal-forks/finality-48.ssz", 1, LC_ELECTRA, LC_FINALITY, 48, 32, 49 },
    { "minimal-forks/finality-96.ssz", 1, LC_FULU, LC_FINALITY, 96, 80, 97 },
    { "mainnet-capella/finality-7109430.ssz", 2, LC_CAPELLA, LC_FINALITY, 7109430, 7109344, 7109431 },
    { "mainnet-capella/optimistic-7109431.ssz", 2, LC_CAPELLA, LC_OPTIMISTIC, 7109431, 0, 7109432 },
};
#define ROWS (sizeof rows / sizeof rows[0])

static lc_network_t network_of(const row_t *row)
{
    return row->network == 0 ? fx_minimal_fulu() : row->network == 1 ? fx_minimal_forks() : *lc_network_find("mainnet");
}

static lc_bootstrap_t bootstrap;
static lc_update_t update;

static rc_t decode(const row_t *row, const lc_network_t *net, lc_fork_t fork, view_t ssz)
{
    return row->kind == LC_BOOTSTRAP ? lc_bootstrap_decode(&bootstrap, net, fork, ssz)
                                     : lc_update_decode(&update, net, fork, row->kind, ssz);
}

/* The same bytes in an allocation of exactly n. */
static rc_t decode_copy(const row_t *row, const lc_network_t *net, const uint8_t *p, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, p, n);
    rc_t rc = decode(row, net, row->fork, view_of(copy, n));
    free(copy);
    return rc;
}

START_TEST(recorded_objects_decode_to_their_slots_and_headers_prove)
{
    for (size_t i = 0; i < ROWS; i++) {
        lc_network_t net = network_of(&rows[i]);
        view_t ssz = fx_read(rows[i].file);
        ck_assert_msg(decode(&rows[i], &net, rows[i].fork, ssz) == RC_OK, "%s", rows[i].file);
        const lc_header_t *h = rows[i].kind == LC_BOOTSTRAP ? &bootstrap.header : &update.attested_header;
        ck_assert_uint_eq(h->beacon.slot, rows[i].slot);
        ck_assert_int_eq(lc_header_verify(h, &net), RC_OK);
        if (rows[i].kind != LC_BOOTSTRAP) {
            ck_assert_uint_eq(update.signature_slot, rows[i].signature_slot);
            ck_assert_uint_eq(update.finalized_header.beacon.slot, rows[i].finalized_slot);
            ck_assert_int_eq(update.has_finality, rows[i].kind != LC_OPTIMISTIC);
            ck_assert_int_eq(update.has_committee, rows[i].kind == LC_UPDATE);
            ck_assert_int_eq(lc_header_is_zero(&update.finalized_header), rows[i].kind == LC_OPTIMISTIC);
        }
        if (update.has_finality && rows[i].kind != LC_BOOTSTRAP)
            ck_assert_int_eq(lc_header_verify(&update.finalized_header, &net), RC_OK);
        free((void *)ssz.p);
    }
}
END_TEST

START_TEST(block_and_committee_roots_are_those_of_the_chain)
{
    static const struct {
        int row;
        const char *root; /* the block root under which the API gave the bootstrap */
    } kat[] = { { 0, FX_FULU_CHECKPOINT_8 }, { 4, FX_FORKS_CHECKPOINT_8 } };
    for (size_t i = 0; i < 2; i++) {
        const row_t *row = &rows[kat[i].row];
        lc_network_t net = network_of(row);
        view_t ssz = fx_read(row->file);
        hash32_t root, want = fx_hash(kat[i].root);
        ck_assert_int_eq(decode(row, &net, row->fork, ssz), RC_OK);
        lc_beacon_root(&root, &bootstrap.header.beacon);
        ck_assert(hash32_eq(&root, &want));
        lc_committee_root(&root, &bootstrap.committee, net.preset.committee_size);
        uint64_t gindex = lc_layout(row->fork)->current_committee_gindex;
        ck_assert_int_eq(lc_branch_verify(&bootstrap.header.beacon.state_root, &root, gindex,
                                          bootstrap.committee_branch, bootstrap.committee_branch_len),
                         RC_OK);
        bootstrap.committee.pubkeys[31].b[47] ^= 1;
        lc_committee_root(&root, &bootstrap.committee, net.preset.committee_size);
        ck_assert_int_eq(lc_branch_verify(&bootstrap.header.beacon.state_root, &root, gindex,
                                          bootstrap.committee_branch, bootstrap.committee_branch_len),
                         RC_REFUSED);
        free((void *)ssz.p);
    }
}
END_TEST

START_TEST(every_truncation_and_a_trailing_byte_is_refused)
{
    for (size_t i = 0; i < ROWS; i++) {
        lc_network_t net = network_of(&rows[i]);
        view_t ssz = fx_read(rows[i].file);
        uint8_t *longer = calloc(1, ssz.n + 40);
        memcpy(longer, ssz.p, ssz.n);
        for (size_t n = 0; n < ssz.n; n++) {
            rc_t rc = decode_copy(&rows[i], &net, ssz.p, n);
            /* Extra data stands last, so losing some of it is another valid object: but no more than it had. */
            ck_assert_msg(rc == RC_MALFORMED || ssz.n - n <= LC_EXTRA_DATA_MAX, "%s cut to %zu", rows[i].file, n);
        }
        ck_assert_int_eq(decode_copy(&rows[i], &net, longer, ssz.n + 33), RC_MALFORMED);
        free(longer);
        free((void *)ssz.p);
    }
}
END_TEST

START_TEST(offsets_must_be_exact)
{
    for (size_t i = 0; i < ROWS; i++) {
        lc_network_t net = network_of(&rows[i]);
        view_t ssz = fx_read(rows[i].file);
        uint8_t *p = (uint8_t *)(uintptr_t)ssz.p;
        uint32_t first = (uint32_t)load_u64le(p);
        /* The container's first offset, and those of the first header: execution at 112, extra data 436 bytes into it.
         */
        size_t at[3] = { 0, first + 112u, first + 244u + 436u };
        for (size_t k = 0; k < 3; k++)
            for (unsigned bit = 0; bit < 32; bit++) {
                p[at[k] + bit / 8] ^= (uint8_t)(1u << bit % 8);
                ck_assert_msg(decode_copy(&rows[i], &net, p, ssz.n) == RC_MALFORMED, "%s offset %zu bit %u",
                              rows[i].file, k, bit);
                p[at[k] + bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
        free(p);
    }
}
END_TEST

START_TEST(an_object_of_another_form_is_refused)
{
    lc_network_t net = fx_minimal_forks();
    view_t deneb = fx_read("minimal-forks/update-0.ssz"), electra = fx_read("minimal-forks/update-1.ssz");
    for (lc_fork_t fork = LC_ALTAIR; fork < LC_FORKS; fork++) {
        ck_assert_int_eq(lc_update_decode(&update, &net, fork, LC_UPDATE, deneb),
                         fork == LC_DENEB ? RC_OK : RC_MALFORMED);
        ck_assert_int_eq(lc_update_decode(&update, &net, fork, LC_UPDATE, electra),
                         fork == LC_ELECTRA || fork == LC_FULU ? RC_OK : RC_MALFORMED);
    }
    ck_assert_int_eq(lc_update_decode(&update, &net, LC_DENEB, LC_FINALITY, deneb), RC_MALFORMED);
    ck_assert_int_eq(lc_update_decode(&update, &net, LC_DENEB, LC_BOOTSTRAP, deneb), RC_MALFORMED);
    net.preset = LC_PRESET_MAINNET;
    ck_assert_int_eq(lc_update_decode(&update, &net, LC_DENEB, LC_UPDATE, deneb), RC_MALFORMED);
    free((void *)deneb.p);
    free((void *)electra.p);
}
END_TEST

/* An Altair object is all fixed: attested header 112, committee 33 * 48, branch 5 * 32, header 112, branch 6 * 32, bits
 * 4, signature 96, slot 8. */
#define ALTAIR_UPDATE_LEN (112u + 33u * 48u + 160u + 112u + 192u + 4u + 96u + 8u)

START_TEST(altair_objects_have_one_length_and_absent_parts_must_be_zero)
{
    lc_network_t net = fx_minimal_fulu();
    uint8_t *p = calloc(1, ALTAIR_UPDATE_LEN + 1);
    size_t committee = 112, committee_branch = committee + 33 * 48, header = committee_branch + 160,
           branch = header + 112;
    p[0] = 9;
    for (lc_fork_t fork = LC_ALTAIR; fork <= LC_BELLATRIX; fork++) {
        ck_assert_int_eq(lc_update_decode(&update, &net, fork, LC_UPDATE, view_of(p, ALTAIR_UPDATE_LEN)), RC_OK);
        ck_assert_uint_eq(update.attested_header.beacon.slot, 9);
        ck_assert(!update.has_committee && !update.has_finality);
        ck_assert_int_eq(lc_update_decode(&update, &net, fork, LC_UPDATE, view_of(p, ALTAIR_UPDATE_LEN + 1)),
                         RC_MALFORMED);
        ck_assert_int_eq(lc_update_decode(&update, &net, fork, LC_UPDATE, view_of(p, ALTAIR_UPDATE_LEN - 1)),
                         RC_MALFORMED);
    }
    for (size_t at = committee; at < branch; at++) {
        if (at >= committee_branch && at < header)
            continue;
        p[at] = 1;
        ck_assert_msg(lc_update_decode(&update, &net, LC_ALTAIR, LC_UPDATE, view_of(p, ALTAIR_UPDATE_LEN)) ==
                          RC_MALFORMED,
                      "byte %zu", at);
        p[at] = 0;
    }
    p[committee] = p[committee_branch] = p[header] = p[branch + 191] = 1;
    ck_assert_int_eq(lc_update_decode(&update, &net, LC_ALTAIR, LC_UPDATE, view_of(p, ALTAIR_UPDATE_LEN)), RC_OK);
    ck_assert(update.has_committee && update.has_finality);
    ck_assert_uint_eq(update.next_sync_committee.pubkeys[0].b[0], 1);
    free(p);
}
END_TEST

START_TEST(a_header_proves_only_what_its_fork_has)
{
    lc_network_t net = fx_minimal_fulu();
    view_t ssz = fx_read("minimal-fulu/finality-144.ssz");
    ck_assert_int_eq(lc_update_decode(&update, &net, LC_FULU, LC_FINALITY, ssz), RC_OK);
    lc_header_t h = update.attested_header;
    h.execution.excess_blob_gas ^= 1;
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
    h = update.attested_header;
    h.execution.extra_data_len = (uint8_t)(h.execution.extra_data_len + 1);
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
    h = update.attested_header;
    /* The same slot before Deneb: the blob fields must be zero, and the root is that of the shorter form. */
    net.fork_epoch[LC_DENEB] = net.fork_epoch[LC_ELECTRA] = net.fork_epoch[LC_FULU] = 1000;
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
    /* Before Capella nothing may be there. */
    net.fork_epoch[LC_CAPELLA] = 1000;
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
    memset(&h.execution, 0, sizeof h.execution);
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
    memset(h.execution_branch, 0, sizeof h.execution_branch);
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_OK);
    free((void *)ssz.p);
}
END_TEST

/* Where each field of a header stands. Of extra data the length counts: no bytes stand behind it. */
static const struct {
    const char *name;
    size_t at, len;
} execution_fields[] = {
#define FIELD(name)                                                                                                    \
    {                                                                                                                  \
#name, offsetof(lc_header_t, execution.name), sizeof((lc_header_t *)0)->execution.name                         \
    }
    FIELD(parent_hash),
    FIELD(fee_recipient),
    FIELD(state_root),
    FIELD(receipts_root),
    FIELD(logs_bloom),
    FIELD(prev_randao),
    FIELD(block_number),
    FIELD(gas_limit),
    FIELD(gas_used),
    FIELD(timestamp),
    FIELD(extra_data_len),
    FIELD(base_fee_per_gas),
    FIELD(block_hash),
    FIELD(transactions_root),
    FIELD(withdrawals_root),
    FIELD(blob_gas_used),
    FIELD(excess_blob_gas),
#undef FIELD
    { "execution_branch", offsetof(lc_header_t, execution_branch), sizeof((lc_header_t *)0)->execution_branch },
};
#define EXECUTION_FIELDS (sizeof execution_fields / sizeof execution_fields[0])

START_TEST(before_capella_every_byte_of_the_execution_part_must_be_zero)
{
    lc_network_t net = fx_minimal_fulu();
    for (lc_fork_t f = LC_CAPELLA; f < LC_FORKS; f++)
        net.fork_epoch[f] = 1000;
    lc_header_t h = { .fork = LC_FULU, .beacon = { .slot = 8, .proposer_index = 1 } };
    uint8_t *p = (uint8_t *)&h;
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_OK);
    memset(&h.beacon, 0, sizeof h.beacon);
    ck_assert(lc_header_is_zero(&h));
    h.beacon.slot = 8;
    for (size_t i = 0; i < EXECUTION_FIELDS; i++)
        for (size_t b = 0; b < execution_fields[i].len; b++) {
            p[execution_fields[i].at + b] = 1;
            ck_assert_msg(lc_header_verify(&h, &net) == RC_REFUSED, "%s, byte %zu", execution_fields[i].name, b);
            p[execution_fields[i].at + b] = 0;
        }
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_OK);
}
END_TEST

START_TEST(a_header_with_any_byte_set_is_not_the_zero_header)
{
    lc_header_t h = { .fork = LC_FULU };
    uint8_t *p = (uint8_t *)&h;
    ck_assert(lc_header_is_zero(&h)); /* the fork does not count */
    for (size_t b = 0; b < sizeof h.beacon; b++) {
        p[offsetof(lc_header_t, beacon) + b] = 1;
        ck_assert_msg(!lc_header_is_zero(&h), "byte %zu of the beacon header", b);
        p[offsetof(lc_header_t, beacon) + b] = 0;
    }
    for (size_t i = 0; i < EXECUTION_FIELDS; i++)
        for (size_t b = 0; b < execution_fields[i].len; b++) {
            p[execution_fields[i].at + b] = 0x80;
            ck_assert_msg(!lc_header_is_zero(&h), "%s, byte %zu", execution_fields[i].name, b);
            p[execution_fields[i].at + b] = 0;
        }
    ck_assert(lc_header_is_zero(&h));
}
END_TEST

/* A header whose body is nothing but its execution header, in the form of a fork. */
static lc_header_t header_of_body(lc_fork_t fork)
{
    lc_header_t h = { .fork = fork, .beacon = { .slot = 8 } };
    hash32_t root, pair[2];
    for (size_t i = 0; i < EXECUTION_FIELDS - 1; i++)
        if (execution_fields[i].at < offsetof(lc_header_t, execution.blob_gas_used))
            ((uint8_t *)&h)[execution_fields[i].at] = (uint8_t)(i + 1);
    lc_execution_root(&root, &h.execution, fork);
    for (unsigned i = LC_EXECUTION_BRANCH_MAX - 4, index = 25; i < LC_EXECUTION_BRANCH_MAX; i++, index /= 2) {
        pair[index % 2] = root;
        pair[1 - index % 2] = h.execution_branch[i];
        ssz_merkleize(&root, pair, 2, 1);
    }
    h.beacon.body_root = root;
    return h;
}

START_TEST(before_deneb_each_blob_field_must_be_zero)
{
    lc_network_t net = fx_minimal_fulu();
    for (lc_fork_t f = LC_DENEB; f < LC_FORKS; f++)
        net.fork_epoch[f] = 1000;
    lc_header_t h = header_of_body(LC_CAPELLA);
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_OK);
    h.execution.blob_gas_used = 1;
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
    h.execution.blob_gas_used = 0;
    h.execution.excess_blob_gas = 1;
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
    h.execution.blob_gas_used = 1;
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
}
END_TEST

/* The root covers each byte of the execution header, and its branch each of its nodes. */
START_TEST(every_byte_of_the_execution_part_counts)
{
    for (lc_fork_t fork = LC_CAPELLA; fork <= LC_DENEB; fork++) {
        lc_network_t net = fx_minimal_fulu();
        for (lc_fork_t f = fork + 1; f < LC_FORKS; f++)
            net.fork_epoch[f] = 1000;
        lc_header_t h = header_of_body(fork);
        uint8_t *p = (uint8_t *)&h;
        ck_assert_int_eq(lc_header_verify(&h, &net), RC_OK);
        for (size_t i = 0; i < EXECUTION_FIELDS; i++)
            for (size_t b = 0; b < execution_fields[i].len; b++) {
                p[execution_fields[i].at + b] ^= 1;
                ck_assert_msg(lc_header_verify(&h, &net) == RC_REFUSED, "%s, byte %zu", execution_fields[i].name, b);
                p[execution_fields[i].at + b] ^= 1;
            }
        h.beacon.body_root.b[31] ^= 1;
        ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
    }
}
END_TEST

START_TEST(a_longer_branch_is_taken_when_its_surplus_is_zero)
{
    hash32_t pair[2], branch[3], root;
    memset(pair, 0x11, sizeof pair);
    memset(branch, 0, sizeof branch);
    hash32_t leaf = pair[0];
    branch[2] = pair[1];
    ssz_merkleize(&root, pair, 2, 1);
    ck_assert_int_eq(lc_branch_verify(&root, &leaf, 2, branch, 3), RC_OK);
    ck_assert_int_eq(lc_branch_verify(&root, &leaf, 2, branch + 2, 1), RC_OK);
    ck_assert_int_eq(lc_branch_verify(&root, &leaf, 2, branch, 0), RC_MALFORMED);
    branch[0].b[0] = 1;
    ck_assert_int_eq(lc_branch_verify(&root, &leaf, 2, branch, 3), RC_REFUSED);
}
END_TEST

/* Lengths: gloas/light-client/sync-protocol.md by Lodestar's types 1.50.0 (mainnet, minimal). */
START_TEST(gloas_objects_have_one_length)
{
    static const struct {
        lc_kind_t kind;
        size_t mainnet, minimal;
    } kat[] = { { LC_BOOTSTRAP, 25472, 2432 },
                { LC_UPDATE, 26424, 3324 },
                { LC_FINALITY, 1448, 1388 },
                { LC_OPTIMISTIC, 664, 604 } };
    for (size_t i = 0; i < 8; i++) {
        lc_network_t net = fx_minimal_fulu();
        const row_t row = { .kind = kat[i / 2].kind, .fork = LC_GLOAS };
        const size_t want = i % 2 ? kat[i / 2].minimal : kat[i / 2].mainnet;
        net.preset = i % 2 ? LC_PRESET_MINIMAL : LC_PRESET_MAINNET;
        uint8_t *p = calloc(1, want + 33);
        p[0] = 9;
        for (size_t n = want > 700 ? want - 700 : 0; n < want + 33; n++)
            ck_assert_msg(decode_copy(&row, &net, p, n) == (n == want ? RC_OK : RC_MALFORMED), "kind %d, %zu bytes",
                          (int)row.kind, n);
        free(p);
    }
}
END_TEST

START_TEST(gloas_headers_stand_where_they_should)
{
    lc_network_t net = fx_minimal_fulu();
    uint8_t *p = calloc(1, 1388);
    p[0] = 9;
    p[112] = 1; /* execution_block_hash */
    p[144] = 2; /* the branch, first and last byte */
    p[495] = 3;
    p[496] = 8; /* finalized header */
    p[496 + 112] = 4;
    p[992] = 5;                 /* finality branch, 9 nodes */
    p[992 + 9 * 32] = 0x0f;     /* bits */
    p[992 + 9 * 32 + 100] = 10; /* signature slot */
    ck_assert_int_eq(lc_update_decode(&update, &net, LC_GLOAS, LC_FINALITY, view_of(p, 1388)), RC_OK);
    ck_assert_uint_eq(update.attested_header.beacon.slot, 9);
    ck_assert(lc_header_by_hash(&update.attested_header) && lc_header_by_hash(&update.finalized_header));
    ck_assert_uint_eq(update.attested_header.execution.block_hash.b[0], 1);
    ck_assert_uint_eq(update.attested_header.execution_branch[0].b[0], 2);
    ck_assert_uint_eq(update.attested_header.execution_branch[10].b[31], 3);
    ck_assert_uint_eq(update.finalized_header.beacon.slot, 8);
    ck_assert_uint_eq(update.finalized_header.execution.block_hash.b[0], 4);
    ck_assert_uint_eq(update.finality_branch_len, 9);
    ck_assert_uint_eq(update.finality_branch[0].b[0], 5);
    ck_assert_uint_eq(update.sync_aggregate.bits[0], 0x0f);
    ck_assert_uint_eq(update.signature_slot, 10);
    free(p);
}
END_TEST

/* A header in Gloas form, in whose body the hash is the leaf of a generalized index. */
static lc_header_t header_of_hash(uint64_t gindex)
{
    lc_header_t h = { .fork = LC_GLOAS, .beacon = { .slot = 8 } };
    hash32_t root, pair[2];
    unsigned depth = 63u - (unsigned)__builtin_clzll(gindex);
    memset(h.execution.block_hash.b, 0x11, 32);
    root = h.execution.block_hash;
    for (unsigned i = LC_EXECUTION_BRANCH_MAX - depth; i < LC_EXECUTION_BRANCH_MAX; i++, gindex /= 2) {
        memset(h.execution_branch[i].b, (int)i + 1, 32);
        pair[gindex % 2] = root;
        pair[1 - gindex % 2] = h.execution_branch[i];
        ssz_merkleize(&root, pair, 2, 1);
    }
    h.beacon.body_root = root;
    return h;
}

/* Headers of older forks in Gloas form too: the index is that of the fork at the slot, and the branch has zeros in
 * front. */
START_TEST(a_hash_is_proven_at_the_index_of_its_slot_s_fork)
{
    static const struct {
        lc_fork_t fork;
        uint64_t gindex;
    } kat[] = { { LC_CAPELLA, 412 }, { LC_DENEB, 812 }, { LC_ELECTRA, 812 }, { LC_FULU, 812 }, { LC_GLOAS, 2856 } };
    for (size_t i = 0; i < 5; i++) {
        lc_network_t net = fx_minimal_fulu();
        net.fork_epoch[LC_GLOAS] = 0;
        for (lc_fork_t f = kat[i].fork + 1; f < LC_FORKS; f++)
            net.fork_epoch[f] = 1000;
        for (size_t k = 0; k < 5; k++) {
            lc_header_t other = header_of_hash(kat[k].gindex);
            ck_assert_int_eq(lc_header_verify(&other, &net), kat[k].gindex == kat[i].gindex ? RC_OK : RC_REFUSED);
        }
        lc_header_t h = header_of_hash(kat[i].gindex);
        uint8_t *const hash = h.execution.block_hash.b, *const branch = h.execution_branch[0].b;
        for (size_t b = 0; b < 32 + LC_EXECUTION_BRANCH_MAX * 32; b++) {
            uint8_t *at = b < 32 ? hash + b : branch + (b - 32);
            *at ^= 1;
            ck_assert_msg(lc_header_verify(&h, &net) == RC_REFUSED, "byte %zu", b);
            *at ^= 1;
        }
        ck_assert_int_eq(lc_header_verify(&h, &net), RC_OK);
    }
}
END_TEST

START_TEST(an_execution_header_at_a_slot_of_gloas_is_of_an_old_form)
{
    lc_network_t net = fx_minimal_fulu();
    lc_header_t h = header_of_body(LC_FULU);
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_OK);
    net.fork_epoch[LC_GLOAS] = 1; /* slot 8 */
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_MALFORMED);
    net.fork_epoch[LC_GLOAS] = 2;
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_OK);
    h = header_of_hash(2856);
    ck_assert_int_eq(lc_header_verify(&h, &net), RC_REFUSED);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "lc_types", recorded_objects_decode_to_their_slots_and_headers_prove,
        block_and_committee_roots_are_those_of_the_chain, every_truncation_and_a_trailing_byte_is_refused,
        offsets_must_be_exact, an_object_of_another_form_is_refused,
        altair_objects_have_one_length_and_absent_parts_must_be_zero, a_header_proves_only_what_its_fork_has,
        before_capella_every_byte_of_the_execution_part_must_be_zero, a_header_with_any_byte_set_is_not_the_zero_header,
        before_deneb_each_blob_field_must_be_zero, every_byte_of_the_execution_part_counts,
        a_longer_branch_is_taken_when_its_surplus_is_zero, gloas_objects_have_one_length,
        gloas_headers_stand_where_they_should, a_hash_is_proven_at_the_index_of_its_slot_s_fork,
        an_execution_header_at_a_slot_of_gloas_is_of_an_old_form);
}
