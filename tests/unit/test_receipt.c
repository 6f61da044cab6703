/* Receipts and blooms: encodings of every type, truncations, mutations, what is derived; JSON of blocks to bytes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/exec/receipt.h"
#include "lightclient/mpt/mpt.h"
#include "tests/unit/unit.h"

static arena_t arena;

static void setup(void)
{
    arena_init(&arena, 64u << 20);
}

static void teardown(void)
{
    arena_free(&arena);
}

/* A receipt with one log of two topics. */
static ex_receipt_t example(uint8_t type)
{
    static evm_log_t log;
    static const uint8_t data[] = { 1, 2, 3 };
    log = (evm_log_t){ .topic_count = 2, .data = { data, sizeof data } };
    memset(log.addr.b, 0xaa, 20);
    memset(log.topics[0].b, 1, 32);
    memset(log.topics[1].b, 2, 32);
    ex_receipt_t r = { .type = type, .success = true, .cumulative_gas = 21000, .logs = &log, .log_count = 1 };
    ex_bloom_add_logs(r.bloom, r.logs, r.log_count);
    return r;
}

static view_t encoded(const ex_receipt_t *r)
{
    view_t raw;
    ck_assert_int_eq(ex_receipt_encode(&raw, &arena, r), RC_OK);
    return raw;
}

/* Block 1 of the hive chain (vectors rpc-hive-derived): a bloom of nothing is empty; Yellow Paper example of
 * go-ethereum core/types/bloom9_test.go: these values are in, those are not. */
START_TEST(a_bloom_has_what_was_added)
{
    static const char *const in[] = { "testtest", "test", "hallo", "other" };
    static const char *const out[] = { "tes", "lo" };
    uint8_t bloom[EX_BLOOM_LEN] = { 0 };
    for (size_t i = 0; i < 4; i++)
        ex_bloom_add(bloom, view_str(in[i]));
    for (size_t i = 0; i < 4; i++)
        ck_assert(ex_bloom_has(bloom, view_str(in[i])));
    for (size_t i = 0; i < 2; i++)
        ck_assert(!ex_bloom_has(bloom, view_str(out[i])));
}
END_TEST

/* go-ethereum core/types/bloom9_test.go TestBloomExtensively: the hash of the filter of "xxxxxxxxxx data 0 yyy..." */
START_TEST(a_bloom_is_gos)
{
    uint8_t bloom[EX_BLOOM_LEN] = { 0 };
    hash32_t hash;
    char text[80], hex[65];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "xxxxxxxxxx data %d yyyyyyyyyyyyyy", i);
        ex_bloom_add(bloom, view_str(text));
    }
    keccak256(&hash, view_of(bloom, sizeof bloom));
    hex_encode(hex, view_of(hash.b, 32));
    ck_assert_str_eq(hex, "c8d3ca65cdb4874300a9e39475508f23ed6da09fdbc487f89a2dcf50b09eb263");
}
END_TEST

START_TEST(a_receipt_survives_its_encoding)
{
    for (uint8_t type = 0; type <= 4; type++) {
        const ex_receipt_t r = example(type);
        ex_receipt_t got;
        const view_t raw = encoded(&r);
        ck_assert_int_eq(ex_receipt_decode(&got, NULL, &arena, raw), RC_OK);
        ck_assert_uint_eq(got.type, type);
        ck_assert(got.success && got.cumulative_gas == 21000 && got.log_count == 1 && got.logs[0].topic_count == 2);
        ck_assert(view_eq(encoded(&got), raw));
    }
    ex_receipt_t old = example(0), got;
    old.has_root = true;
    memset(old.root.b, 7, 32);
    ck_assert_int_eq(ex_receipt_decode(&got, NULL, &arena, encoded(&old)), RC_OK);
    ck_assert(got.has_root && hash32_eq(&got.root, &old.root));
}
END_TEST

START_TEST(no_truncation_of_a_receipt_decodes)
{
    const ex_receipt_t r = example(2);
    const view_t raw = encoded(&r);
    for (size_t n = 0; n <= raw.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        ex_receipt_t got = { .cumulative_gas = 5 };
        memcpy(exact, raw.p, n);
        const rc_t rc = ex_receipt_decode(&got, NULL, &arena, view_of(exact, n));
        ck_assert_msg((rc == RC_OK) == (n == raw.n), "%zu bytes", n);
        ck_assert(rc == RC_OK || got.cumulative_gas == 5);
        free(exact);
    }
    uint8_t *more = malloc(raw.n + 1);
    ex_receipt_t got;
    memcpy(more, raw.p, raw.n);
    more[raw.n] = 0;
    ck_assert_int_eq(ex_receipt_decode(&got, NULL, &arena, view_of(more, raw.n + 1)), RC_MALFORMED);
    free(more);
}
END_TEST

START_TEST(a_bloom_that_is_not_of_the_logs_is_refused)
{
    ex_receipt_t r = example(2), got;
    r.bloom[17] ^= 1;
    ck_assert_int_eq(ex_receipt_decode(&got, NULL, &arena, encoded(&r)), RC_REFUSED);
}
END_TEST

#define COUNT 5

/* A block of COUNT receipts, and the header over them. */
static ex_header_t block_of(view_t raw[COUNT])
{
    ex_header_t h = { .tail = 6 };
    for (size_t i = 0; i < COUNT; i++) {
        ex_receipt_t r = example((uint8_t)i);
        r.cumulative_gas = 21000 * (i + 1) + i;
        raw[i] = encoded(&r);
        for (size_t k = 0; k < EX_BLOOM_LEN; k++)
            h.logs_bloom[k] |= r.bloom[k];
    }
    ck_assert_int_eq(mpt_list_root(&h.receipts_root, raw, COUNT, &arena), RC_OK);
    return h;
}

START_TEST(receipts_of_a_block_are_those_of_its_root)
{
    view_t raw[COUNT], swapped[COUNT];
    const ex_receipt_t *out = NULL;
    ex_header_t h = block_of(raw);
    ck_assert_int_eq(ex_receipts_verify(&out, NULL, &arena, &h, raw, COUNT), RC_OK);
    ck_assert_uint_eq(out[2].cumulative_gas, 63002);
    out = NULL;
    ck_assert_int_eq(ex_receipts_verify(&out, NULL, &arena, &h, raw, COUNT - 1), RC_REFUSED); /* missing */
    memcpy(swapped, raw, sizeof raw);
    swapped[0] = raw[1];
    swapped[1] = raw[0];
    ck_assert_int_eq(ex_receipts_verify(&out, NULL, &arena, &h, swapped, COUNT), RC_REFUSED);
    memcpy(swapped, raw, sizeof raw);
    swapped[4] = raw[3]; /* moved */
    ck_assert_int_eq(ex_receipts_verify(&out, NULL, &arena, &h, swapped, COUNT), RC_REFUSED);
    h.logs_bloom[3] ^= 4;
    ck_assert_int_eq(ex_receipts_verify(&out, NULL, &arena, &h, raw, COUNT), RC_REFUSED);
    ck_assert_ptr_null(out);
}
END_TEST

START_TEST(any_flipped_bit_of_a_receipt_changes_the_root)
{
    view_t raw[COUNT];
    const ex_receipt_t *out;
    const ex_header_t h = block_of(raw);
    uint8_t *copy = malloc(raw[2].n);
    memcpy(copy, raw[2].p, raw[2].n);
    const size_t n = raw[2].n;
    raw[2] = view_of(copy, n);
    for (size_t bit = 0; bit < 8 * n; bit += 5) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(ex_receipts_verify(&out, NULL, &arena, &h, raw, COUNT), RC_REFUSED);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(copy);
}
END_TEST

/* Contract address: the first of Cryptokitties' creator, 0x970e8128ab834e8eac17ab8e3812f010678cf791 from
 * 0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0 with nonce 1 is 0x343c43a37d37dff08ae8c4a11544c718abb4fcf8 (go-ethereum
 * crypto_test.go TestNewContractAddress is the same rule). */
START_TEST(what_follows_for_a_transaction_is_derived)
{
    view_t raw[COUNT];
    const ex_receipt_t *receipts;
    ex_outcome_of_t o;
    ex_header_t h = block_of(raw);
    const evm_rules_t rules = { EVM_PRAGUE, 6, 9, 5007716, NULL };
    char hex[41];
    h.base_fee = u256_of(100);
    ck_assert_int_eq(ex_receipts_verify(&receipts, NULL, &arena, &h, raw, COUNT), RC_OK);
    evm_tx_t tx = { .type = 2, .create = true, .nonce = 1, .max_fee = u256_of(110), .max_priority_fee = u256_of(7) };
    ck_assert_int_eq(hex_decode_exact(tx.from.b, 20, "6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", 40), RC_OK);
    ex_receipt_derive(&o, receipts, 3, &tx, &h, &rules);
    hex_encode(hex, view_of(o.contract.b, 20));
    ck_assert(o.to_nobody);
    ck_assert_str_eq(hex, "343c43a37d37dff08ae8c4a11544c718abb4fcf8");
    ck_assert_uint_eq(o.gas_used, 21001);
    ck_assert_uint_eq(o.log_index, 3);
    ck_assert_uint_eq(o.gas_price.w[0], 107);
    tx.max_priority_fee = u256_of(70);
    ex_receipt_derive(&o, receipts, 0, &tx, &h, &rules);
    ck_assert_uint_eq(o.gas_price.w[0], 110);
    ck_assert_uint_eq(o.gas_used, 21000);
    tx = (evm_tx_t){ .type = 3, .blob_count = 2, .max_fee = u256_of(1000) };
    ex_receipt_derive(&o, receipts, 0, &tx, &h, &rules);
    ck_assert_uint_eq(o.blob_gas_used, 262144);
    ck_assert_uint_eq(o.blob_gas_price.w[0], 1); /* no excess */
    tx = (evm_tx_t){ .type = 0, .gas_price = u256_of(5) };
    ck_assert_uint_eq(ex_gas_price(&tx, &h.base_fee).w[0], 5);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("receipt", setup, teardown, a_bloom_has_what_was_added, a_bloom_is_gos,
                           a_receipt_survives_its_encoding, no_truncation_of_a_receipt_decodes,
                           a_bloom_that_is_not_of_the_logs_is_refused, receipts_of_a_block_are_those_of_its_root,
                           any_flipped_bit_of_a_receipt_changes_the_root, what_follows_for_a_transaction_is_derived);
}
