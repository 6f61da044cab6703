/* Known heads and usable ones: what is fetched, when, and what becomes usable without a fetch. */
#include <check.h>
#include <stdio.h>

#include "node/chain/heads.h"
#include "tests/unit/unit.h"

#define GENESIS 1000000u
#define SLOT_S 12u

static lc_network_t net = { .seconds_per_slot = SLOT_S, .genesis_time = GENESIS, .preset = { 32, 256, 512 } };
/* Gloas and Amsterdam from slot 7 on. */
static const evm_schedule_row_t rows[] = { { 0, { .fork = EVM_OSAKA } },
                                           { GENESIS + 7 * SLOT_S, { .fork = EVM_AMSTERDAM } } };
static const evm_chain_t chain = { 1, rows, 2 };
static heads_t heads;
static err_t why;
static hash32_t wanted;
static bool raw;

static void begin(void)
{
    heads = (heads_t){ .network = &net, .chain = &chain };
}

static hash32_t hash_of(uint8_t name)
{
    hash32_t h = { { name } };
    return h;
}

/* A head of Gloas at a slot that builds on a block. */
static lc_head_t head_at(uint64_t slot, uint8_t block)
{
    lc_head_t h = { .valid = true, .header = { .fork = LC_GLOAS, .beacon.slot = slot } };
    h.header.execution.block_hash = hash_of(block);
    return h;
}

static void know(head_kind_t kind, uint64_t slot, uint8_t block)
{
    const lc_head_t head = head_at(slot, block);
    heads_know(&heads, kind, &head);
}

/* The block of a slot; its number is a hundred more. */
static ex_header_t block_of(uint64_t slot)
{
    ex_header_t h = { .tail = 8,
                      .number = slot + 100,
                      .slot_number = slot,
                      .timestamp = GENESIS + SLOT_S * slot,
                      .base_fee = u256_of(7),
                      .extra_data_len = 2,
                      .extra_data = { 1, 2 } };
    h.state_root.b[0] = 0x51;
    h.mix_hash.b[0] = 0x52;
    h.coinbase.b[0] = 0x53;
    h.parent_hash.b[0] = 0x54;
    return h;
}

static bool want(head_kind_t kind, uint64_t now_ms)
{
    uint64_t wake = UINT64_MAX;
    return heads_want(&heads, &wanted, &raw, kind, now_ms, &wake);
}

static rc_t give(head_kind_t kind, uint64_t slot)
{
    const ex_header_t h = block_of(slot);
    return heads_give(&heads, &why, kind, &h);
}

static uint64_t usable_slot(head_kind_t kind)
{
    const lc_head_t *h = heads_usable(&heads, kind);
    return h->valid ? h->header.beacon.slot : 0;
}

START_TEST(a_head_with_its_execution_header_is_usable_at_once)
{
    begin();
    lc_head_t head = { .valid = true, .whole = true, .header = { .fork = LC_FULU, .beacon.slot = 10 } };
    head.header.execution.block_number = 5;
    heads_know(&heads, HEAD_LATEST, &head);
    ck_assert_uint_eq(usable_slot(HEAD_LATEST), 10);
    ck_assert_uint_eq(heads_usable(&heads, HEAD_LATEST)->header.execution.block_number, 5);
    ck_assert(!want(HEAD_LATEST, 0));
    ck_assert_uint_eq(usable_slot(HEAD_FINALIZED), 0);
    head.valid = false;
    head.header.beacon.slot = 11;
    heads_know(&heads, HEAD_LATEST, &head);
    ck_assert_uint_eq(usable_slot(HEAD_LATEST), 10);
}
END_TEST

START_TEST(a_hash_becomes_a_head_by_its_header)
{
    begin();
    ck_assert(!want(HEAD_LATEST, 0));
    know(HEAD_LATEST, 11, 'a');
    ck_assert_uint_eq(usable_slot(HEAD_LATEST), 0);
    ck_assert(want(HEAD_LATEST, 0));
    ck_assert_uint_eq(wanted.b[0], 'a');
    ck_assert(!raw);
    ck_assert(!want(HEAD_LATEST, 1000000)); /* it is on its way */
    ck_assert_int_eq(give(HEAD_LATEST, 10), RC_OK);
    const lc_head_t *h = heads_usable(&heads, HEAD_LATEST);
    const lc_execution_t *x = &h->header.execution;
    ck_assert(h->valid && h->whole);
    ck_assert_uint_eq(h->header.beacon.slot, 11);
    ck_assert_uint_eq(x->block_number, 110);
    ck_assert_uint_eq(x->slot_number, 10);
    ck_assert_uint_eq(x->timestamp, GENESIS + 120);
    ck_assert_uint_eq(x->base_fee_per_gas.w[0], 7);
    ck_assert_uint_eq(x->block_hash.b[0], 'a');
    ck_assert_uint_eq(x->state_root.b[0], 0x51);
    ck_assert_uint_eq(x->prev_randao.b[0], 0x52);
    ck_assert_uint_eq(x->fee_recipient.b[0], 0x53);
    ck_assert_uint_eq(x->parent_hash.b[0], 0x54);
    ck_assert_uint_eq(x->extra_data_len, 2);
    ck_assert(!want(HEAD_LATEST, 0));
}
END_TEST

/* Slots without a payload: the slot rises, the block stays, and nothing is fetched. */
START_TEST(the_same_block_at_a_later_slot_needs_no_fetch)
{
    begin();
    know(HEAD_LATEST, 11, 'a');
    ck_assert(want(HEAD_LATEST, 0));
    ck_assert_int_eq(give(HEAD_LATEST, 10), RC_OK);
    for (uint64_t slot = 12; slot < 15; slot++) {
        know(HEAD_LATEST, slot, 'a');
        ck_assert(!want(HEAD_LATEST, 0));
        ck_assert_uint_eq(usable_slot(HEAD_LATEST), slot);
        ck_assert_uint_eq(heads_usable(&heads, HEAD_LATEST)->header.execution.block_number, 110);
    }
    know(HEAD_LATEST, 13, 'b'); /* older than what is known */
    ck_assert(!want(HEAD_LATEST, 0));
    ck_assert_uint_eq(usable_slot(HEAD_LATEST), 14);
}
END_TEST

/* The first head of Gloas has the block of the last one before. */
START_TEST(past_the_fork_the_first_block_is_known_already)
{
    begin();
    lc_head_t fulu = { .valid = true, .whole = true, .header = { .fork = LC_FULU, .beacon.slot = 31 } };
    fulu.header.execution.block_hash = hash_of('f');
    fulu.header.execution.block_number = 131;
    heads_know(&heads, HEAD_LATEST, &fulu);
    know(HEAD_LATEST, 32, 'f');
    ck_assert(!want(HEAD_LATEST, 0));
    ck_assert_uint_eq(usable_slot(HEAD_LATEST), 32);
    ck_assert_uint_eq(heads_usable(&heads, HEAD_LATEST)->header.execution.block_number, 131);
}
END_TEST

START_TEST(both_heads_help_each_other)
{
    begin();
    know(HEAD_LATEST, 40, 'a');
    know(HEAD_FINALIZED, 8, 'b');
    ck_assert(want(HEAD_LATEST, 0));
    ck_assert(want(HEAD_FINALIZED, 0));
    ck_assert_uint_eq(wanted.b[0], 'b');
    ck_assert_int_eq(give(HEAD_LATEST, 39), RC_OK);
    ck_assert_uint_eq(usable_slot(HEAD_FINALIZED), 0);
    ck_assert_int_eq(give(HEAD_FINALIZED, 7), RC_OK);
    ck_assert_uint_eq(usable_slot(HEAD_FINALIZED), 8);
    know(HEAD_FINALIZED, 41, 'a');
    ck_assert(!want(HEAD_FINALIZED, 0));
    ck_assert_uint_eq(usable_slot(HEAD_FINALIZED), 41);
}
END_TEST

/* However slow the endpoint, what it gives moves the usable head. */
START_TEST(a_newer_head_waits_for_the_fetch_under_way)
{
    begin();
    know(HEAD_LATEST, 11, 'a');
    ck_assert(want(HEAD_LATEST, 0));
    know(HEAD_LATEST, 12, 'b');
    know(HEAD_LATEST, 13, 'c');
    ck_assert(!want(HEAD_LATEST, 0));
    ck_assert_int_eq(give(HEAD_LATEST, 10), RC_OK);
    ck_assert_uint_eq(usable_slot(HEAD_LATEST), 11);
    ck_assert(want(HEAD_LATEST, 0));
    ck_assert_uint_eq(wanted.b[0], 'c');
    ck_assert_int_eq(give(HEAD_LATEST, 12), RC_OK);
    ck_assert_uint_eq(usable_slot(HEAD_LATEST), 13);
}
END_TEST

START_TEST(a_failed_fetch_is_tried_again_later_and_a_new_head_at_once)
{
    static const uint64_t waits[] = { 250, 500, 1000, 2000, 4000, 4000, 4000 };
    uint64_t now = 5000;
    begin();
    know(HEAD_LATEST, 11, 'a');
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        uint64_t wake = UINT64_MAX;
        ck_assert(want(HEAD_LATEST, now));
        heads_failed(&heads, HEAD_LATEST, false, now);
        ck_assert(!heads_want(&heads, &wanted, &raw, HEAD_LATEST, now + waits[i] - 1, &wake));
        ck_assert_uint_eq(wake, now + waits[i]);
        now += waits[i];
    }
    ck_assert(want(HEAD_LATEST, now));
    heads_failed(&heads, HEAD_LATEST, false, now);
    know(HEAD_LATEST, 12, 'b');
    ck_assert(want(HEAD_LATEST, now));
    ck_assert_uint_eq(wanted.b[0], 'b');
}
END_TEST

START_TEST(what_looks_newer_is_asked_for_its_bytes_next_and_once)
{
    begin();
    know(HEAD_LATEST, 11, 'a');
    ck_assert(want(HEAD_LATEST, 5000) && !raw);
    heads_failed(&heads, HEAD_LATEST, true, 5000);
    ck_assert(want(HEAD_LATEST, 5000) && raw);
    heads_failed(&heads, HEAD_LATEST, false, 5000);
    ck_assert(!want(HEAD_LATEST, 5000));
    ck_assert(want(HEAD_LATEST, 9000) && !raw);
}
END_TEST

START_TEST(the_first_block_of_the_execution_chain_has_a_time_of_its_own)
{
    begin();
    know(HEAD_LATEST, 11, 'a');
    ck_assert(want(HEAD_LATEST, 0));
    ex_header_t h = block_of(8);
    h.timestamp -= 3;
    ck_assert_int_eq(heads_give(&heads, &why, HEAD_LATEST, &h), RC_REFUSED);
    begin();
    know(HEAD_LATEST, 11, 'a');
    ck_assert(want(HEAD_LATEST, 0));
    h.number = 0;
    ck_assert_int_eq(heads_give(&heads, &why, HEAD_LATEST, &h), RC_OK);
    ck_assert_uint_eq(usable_slot(HEAD_LATEST), 11);
}
END_TEST

START_TEST(a_header_that_contradicts_its_beacon_block_is_not_used)
{
    for (int i = 0; i < 4; i++) {
        ex_header_t h = block_of(10);
        const char *reason = "the execution block's slot is not that of its time";
        begin();
        know(HEAD_LATEST, 11, 'a');
        ck_assert(want(HEAD_LATEST, 0));
        switch (i) {
        case 0:
            h.timestamp += 13, reason = "the execution block is newer than the beacon block that builds on it";
            break;
        case 1: h.timestamp -= 1; break;
        case 2: h = block_of(11); break; /* its own payload */
        case 3: h.slot_number = UINT64_MAX; break;
        }
        ck_assert_int_eq(heads_give(&heads, &why, HEAD_LATEST, &h), RC_REFUSED);
        ck_assert_str_eq(why.text, reason);
        ck_assert_uint_eq(usable_slot(HEAD_LATEST), 0);
        heads_failed(&heads, HEAD_LATEST, false, 0);
        ck_assert(want(HEAD_LATEST, 250));
        ck_assert_int_eq(give(HEAD_LATEST, 10), RC_OK);
    }
    ex_header_t old = block_of(6); /* before Amsterdam a header has no slot */
    begin();
    know(HEAD_LATEST, 12, 'a');
    ck_assert(want(HEAD_LATEST, 0));
    old.tail = 6;
    old.slot_number = 0;
    ck_assert_int_eq(heads_give(&heads, &why, HEAD_LATEST, &old), RC_OK);
}
END_TEST

/* The header is proven, so the schedule is not that of the chain: calls would run by the rules of another fork. */
START_TEST(a_header_that_contradicts_the_schedule_proves_that_it_is_another)
{
    static const struct {
        uint64_t slot;
        unsigned tail;
        const char *reason;
    } cases[] = {
        { 10, 6, "the execution block's header has 21 fields, and by this network's schedule one of its time has 23" },
        { 6, 8, "the execution block's header has 23 fields, and by this network's schedule one of its time has 21" },
        { 6, 5, "the execution block's header has 20 fields, and by this network's schedule one of its time has 21" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ex_header_t h = block_of(cases[i].slot);
        h.tail = cases[i].tail;
        begin();
        know(HEAD_LATEST, 11, 'a');
        ck_assert(want(HEAD_LATEST, 0));
        ck_assert_int_eq(heads_give(&heads, &why, HEAD_LATEST, &h), RC_UNSUPPORTED);
        ck_assert_str_eq(why.text, cases[i].reason);
        ck_assert_uint_eq(usable_slot(HEAD_LATEST), 0);
    }
    ex_header_t many = block_of(10); /* one blob more than its schedule has */
    many.blob_gas_used = 131072;
    begin();
    know(HEAD_LATEST, 11, 'a');
    ck_assert(want(HEAD_LATEST, 0));
    ck_assert_int_eq(heads_give(&heads, &why, HEAD_LATEST, &many), RC_UNSUPPORTED);
    ck_assert_str_eq(why.text, "the execution block has 1 blobs, and by this network's schedule one of its time has at "
                               "most 0");
    const evm_schedule_row_t later = { 0, { .fork = EVM_FORKS } }; /* known by its time alone */
    const evm_chain_t other = { 1, &later, 1 };
    begin();
    heads.chain = &other;
    know(HEAD_LATEST, 11, 'a');
    ck_assert(want(HEAD_LATEST, 0));
    ck_assert_int_eq(give(HEAD_LATEST, 10), RC_OK);
}
END_TEST

START_TEST(a_head_of_more_blobs_than_the_schedule_has_shows_that_it_is_another)
{
    static const evm_schedule_row_t bpo[] = { { 0, { EVM_OSAKA, 6, 9, 5007716, NULL } },
                                              { GENESIS + 20 * SLOT_S, { EVM_OSAKA, 14, 21, 11684671, NULL } } };
    static const struct {
        uint64_t slot, blobs;
        const char *text; /* NULL: it is used */
    } cases[] = {
        { 19, 9, NULL },
        { 19, 10, "the execution block has 10 blobs, and by this network's schedule one of its time has at most 9" },
        { 20, 21, NULL },
        { 20, 22, "the execution block has 22 blobs, and by this network's schedule one of its time has at most 21" },
        { 20, UINT64_MAX / 131072,
          "the execution block has 140737488355327 blobs, and by this network's schedule one of its time has at most 21" },
    };
    const evm_chain_t blobs = { 1, bpo, 2 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lc_head_t head = { .valid = true, .whole = true, .header = { .fork = LC_FULU, .beacon.slot = cases[i].slot } };
        head.header.execution.timestamp = GENESIS + SLOT_S * cases[i].slot;
        head.header.execution.blob_gas_used = cases[i].blobs * 131072;
        begin();
        heads.chain = &blobs;
        heads_know(&heads, HEAD_LATEST, &head);
        ck_assert_uint_eq(usable_slot(HEAD_LATEST), cases[i].text ? 0 : cases[i].slot);
        ck_assert_int_eq(heads.outdated.rc, cases[i].text ? RC_UNSUPPORTED : RC_OK);
        ck_assert(!cases[i].text || !strcmp(heads.outdated.text, cases[i].text));
        head.header.beacon.slot++; /* it stays shown */
        head.header.execution.timestamp += SLOT_S;
        head.header.execution.blob_gas_used = 0;
        heads_know(&heads, HEAD_LATEST, &head);
        ck_assert_int_eq(heads.outdated.rc, cases[i].text ? RC_UNSUPPORTED : RC_OK);
    }
}
END_TEST

/* A later row has other blob parameters than the build knows, and no block more blobs: what a block has in excess
 * shows it. Blobs are dear enough for the price not to be the reserve's. */
START_TEST(a_head_of_another_excess_than_its_parent_s_shows_that_the_schedule_is_another)
{
    static const evm_schedule_row_t bpo[] = { { 0, { EVM_OSAKA, 6, 9, 5007716, NULL } },
                                              { GENESIS + 20 * SLOT_S, { EVM_AMSTERDAM, 14, 21, 11684671, NULL } } };
    static const struct {
        uint64_t slot, number, excess; /* of the block after one of slot 18, 9 blobs, 100 in excess */
        uint8_t parent;
        uint64_t due; /* 0: it is used */
    } cases[] = {
        { 19, 8, 103, 'p', 0 }, { 19, 8, 102, 'p', 103 }, { 19, 8, 95, 'p', 103 },
        { 20, 8, 95, 'p', 0 },  { 20, 8, 103, 'p', 95 },  { 20, 8, 103, 'q', 0 }, /* its parent was not seen */
        { 20, 9, 103, 'p', 0 },
    };
    const evm_chain_t blobs = { 1, bpo, 2 };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        const bool fetched = i % 2; /* by its hash, as from Gloas on */
        lc_head_t head = { .valid = true, .whole = true, .header = { .fork = LC_FULU, .beacon.slot = 18 } };
        lc_execution_t *x = &head.header.execution;
        const uint64_t slot = cases[i / 2].slot;
        const uint64_t due = cases[i / 2].due;
        char text[160];
        snprintf(text, sizeof text,
                 "the execution block's excess blob gas is %lu, and by this network's blob schedule it would be %lu",
                 (unsigned long)cases[i / 2].excess * 131072, (unsigned long)due * 131072);
        *x = (lc_execution_t){ .block_hash = hash_of('p'),
                               .block_number = 7,
                               .timestamp = GENESIS + SLOT_S * 18,
                               .base_fee_per_gas = u256_of(7),
                               .excess_blob_gas = 100 * 131072,
                               .blob_gas_used = 9 * 131072 };
        begin();
        heads.chain = &blobs;
        heads_know(&heads, HEAD_FINALIZED, &head);
        ck_assert_uint_eq(usable_slot(HEAD_FINALIZED), 18);
        ex_header_t block = block_of(slot);
        block.tail = slot < 20 ? 6 : 8;
        block.number = cases[i / 2].number;
        block.parent_hash = hash_of(cases[i / 2].parent);
        block.excess_blob_gas = cases[i / 2].excess * 131072;
        block.blob_gas_used = 0;
        if (fetched) {
            know(HEAD_LATEST, slot + 1, 'a');
            ck_assert(want(HEAD_LATEST, 0));
            ck_assert_int_eq(heads_give(&heads, &why, HEAD_LATEST, &block), due ? RC_UNSUPPORTED : RC_OK);
            ck_assert(!due || !strcmp(why.text, text));
        } else {
            x->block_hash = hash_of('a'), x->parent_hash = block.parent_hash, x->block_number = block.number;
            x->timestamp = block.timestamp, x->excess_blob_gas = block.excess_blob_gas;
            head.header.beacon.slot = slot + 1;
            heads_know(&heads, HEAD_LATEST, &head);
            ck_assert_int_eq(heads.outdated.rc, due ? RC_UNSUPPORTED : RC_OK);
            ck_assert(!due || !strcmp(heads.outdated.text, text));
        }
        ck_assert_uint_eq(usable_slot(HEAD_LATEST), due ? 0 : slot + 1);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("heads", a_head_of_another_excess_than_its_parent_s_shows_that_the_schedule_is_another,
                    a_head_with_its_execution_header_is_usable_at_once, a_hash_becomes_a_head_by_its_header,
                    the_same_block_at_a_later_slot_needs_no_fetch, past_the_fork_the_first_block_is_known_already,
                    both_heads_help_each_other, a_newer_head_waits_for_the_fetch_under_way,
                    a_failed_fetch_is_tried_again_later_and_a_new_head_at_once,
                    what_looks_newer_is_asked_for_its_bytes_next_and_once,
                    a_header_that_contradicts_its_beacon_block_is_not_used,
                    the_first_block_of_the_execution_chain_has_a_time_of_its_own,
                    a_header_that_contradicts_the_schedule_proves_that_it_is_another,
                    a_head_of_more_blobs_than_the_schedule_has_shows_that_it_is_another);
}
