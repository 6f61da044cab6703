/* Block headers: real ones of every fork, and everything that differs from them. */
#include <check.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/exec/header.h"
#include "lightclient/rlp/rlp.h"
#include "tests/unit/unit.h"

static const struct {
    const char *name;
    unsigned tail;
    uint64_t number, gas_used;
    const char *hash, *rlp;
} real[] = {
    { "mainnet genesis block, as every client carries it", 0, 0, 0u,
      "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3",
      "f90214a00000000000000000000000000000000000000000000000000000000000000000a01dcc4de8dec75d7aab85b567b6ccd41ad31245"
      "1b948a7413f0a142fd40d49347940000000000000000000000000000000000000000a0d7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72da"
      "d1827a1709da30580f0544a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a056e81f171bcc55a6ff8345"
      "e692c0f86e5b48e01b996cadc001622fb5e363b421b901000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "850400000000808213888080a011bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82faa000000000000000000000"
      "00000000000000000000000000000000000000000000880000000000000042" },
    { "mainnet block 12965000 (London)", 1, 12965000, 30025257u,
      "9b83c12c69edb74f6c8dd5d052765c1adf940e320bd1291696e6fa07829eee71",
      "f9021fa03de6bb3849a138e6ab0b83a3a00dc7433f1e83f7fd488e4bba78f2fe2631a633a01dcc4de8dec75d7aab85b567b6ccd41ad31245"
      "1b948a7413f0a142fd40d49347947777788200b672a42421017f65ede4fc759564c8a041cf6e8e60fd087d2b00360dc29e5bfb21959bce1f"
      "4c242fd1ad7c4da968eb87a0dfcb68d3a3c41096f4a77569db7956e0a0e750fad185948e54789ea0e51779cba08a8865cd785e2e9dfce7da"
      "83aca010b10b9af2abbd367114b236f149534c821db9010024e74ad77d9a2b27bdb8f6d6f7f1cffdd8cfb47fdebd433f011f7dfcfbb7db63"
      "8fadd5ff66ed134ede2879ce61149797fbcdf7b74f6b7de153ec61bdaffeeb7b59c3ed771a2fe9eaed8ac70e335e63ff2bfe239eaff8f94c"
      "a642fdf7ee5537965be99a440f53d2ce057dbf9932be9a7b9a82ffdffe4eeee1a66c4cfb99fe4540fbff936f97dde9f6bfd9f8cefda2fc17"
      "4d23dfdb7d6f7dfef5f754fe6a7eec92efdbff779b5feff3beafebd7fd6e973afebe4f5d86f3aafb1f73bf1e1d0cdd796d89827edeffe8fb"
      "6ae6d7bf639ec5f5ff4c32f31f6b525b676c7cdf5e5c75bfd5b7bd1928b6f43aac7fa0f6336576e5f7b7dfb9e8ebbe6f6efe2f9dfe8b3f56"
      "871b81c1fe05b21883c5d4888401ca35428401ca262984610bdaa69768747470733a2f2f7777772e6b7279707465782e6f7267a09620b46a"
      "81a4795cf4449d48e3270419f58b09293a5421205f88179b563f815a88b223da049adf2216843b9aca00" },
    { "block 32 of a local chain with Shanghai rules", 2, 32, 0u,
      "6c01517eee098b6d527d1d5fd5de9a660a3e5470b54a20752a2f79b1e8ef8caa",
      "f9021aa0d392f102426db35bd605082d11e93549f5ffc25af866a067a387e8ae3734b77fa01dcc4de8dec75d7aab85b567b6ccd41ad31245"
      "1b948a7413f0a142fd40d49347940000000000000000000000000000000000000000a0e02b232c2bf388cc1d9b83e198dc83958c5e44f396"
      "61a69cbafd5e48d55aae97a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a056e81f171bcc55a6ff8345"
      "e692c0f86e5b48e01b996cadc001622fb5e363b421b901000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "8020840393870080846b00fa0880a0275b18b49aab2bdc19d86ea835dc3dc4d9ef1001ee2e8221e6f4da5fca6d059b880000000000000000"
      "83d4b481a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421" },
    { "mainnet block 19426587 (Cancun)", 5, 19426587, 2633933u,
      "f8e2f40d98fe5862bc947c8c83d34799c50fb344d7445d020a8a946d891b62ee",
      "f9025fa0db672c41cfd47c84ddb478ffde5a09b76964f77dceca0e62bdf719c965d73e7fa01dcc4de8dec75d7aab85b567b6ccd41ad31245"
      "1b948a7413f0a142fd40d4934794dae56d85ff707b3d19427f23d8b03b7b76da1006a0bd33ab68095087d81beb810b3f5d0b16050b3f798a"
      "e3978e440bab048dd78992a020cbdd2cd6113eb72dade6be7ec18fe6a7167a8a0af912a2171af909a8cda9f6a059c3691e83e0ddeafeedd0"
      "7f5e30850cc6c963e85327aa1201fbe1f731ff3dbcb901000021000000000001080801008000320000000060000000000005000080c20004"
      "0000100000006002440409000000010402011000890200000a201000042800440442148c0100208408004009012000200000040801644808"
      "800000600029068004012001020000002510000000020900c8122010020284000080021006000101000000401810621c0040000000001010"
      "000004800100404808000640255000002201000010002000000040c0000000000400a004000c0000884000304e0020240010040200000000"
      "4204000004041008005600001000001000000003015030120012280000022020910040429204408020009000000010120000400000000400"
      "808401286d1b8401c9c380832830cd8465f1b05799d883010d0e846765746888676f312e32312e37856c696e7578a02617b147c1b3cf43a2"
      "8d08d508ab2d8860c6cf40da58837676cfaaf4f9e07f62880000000000000000850e6ca77a30a06c119891018ed3a43d04197a8eb94d85f2"
      "87304b8ace21b08e9f68cbd2f8de618080a0b35bb80bc5f4e3d8f19b62f6274add24dca334db242546c3024403027aaf6412" },
    { "mainnet block 22431084, the first of Prague", 6, 22431084, 10325859u,
      "50c8cab760b2948349c590461b166773c45d8f4858cccf5a43025ab2960152e8",
      "f90286a028fb2c1d988435955e569451c6ad772f7fb5e61cddd7463c7b60e933ed5ff237a01dcc4de8dec75d7aab85b567b6ccd41ad31245"
      "1b948a7413f0a142fd40d4934794e688b84b23f322a994a53dbf8e15fa82cdb71127a049d29cd525c7a9f4a33c1e2debc7529f24757c81f6"
      "89b7276b70018333761b53a06522a2eba58778c64f0facee1378ddcdb1b5927285f461f9a8314c1b5fe1e5b1a0f2260e554d7827e222789d"
      "9851f5f8a8a9bc78b1e81ea68da7314622f049924bb901001c2d14628013080620b50320a0885ae80185204a6c4841040101d009c41060fb"
      "05358520a00d00a540113a514a9e511c83350a088c22223c9281008042a800c40620120e024a19384a006b8856d324a4f0067931056c0d2c"
      "1d1072db844081406c4403ade3688228ef2e3ac201984e860e0163601130a7d2032d269401d9314008a8c14f4340130c4859105c0381a30d"
      "011902f175982858ad3c30fba23c55fa4b40003aa5c1688b4911a2e09c84e4213436420d50568100001d44080c8001d900a51c6252d42993"
      "8181c431a0080b17c9342866c40c14d700853586c59a291632736c124b23800a00c6060c25d17e68a5301070438916505419a0550429469d"
      "80840156456c84022550dd839d8f6384681b305799d883010f0b846765746888676f312e32342e32856c696e7578a0ef1ed97e3e0205c73f"
      "287f22c5900944da077daaadad17f57355fe7705cf3b0588000000000000000084548795d3a0c4f495225a2ac0cd4052c3493b36e96d0efe"
      "46eb0650ed124a9627f1badcc935831200008403020000a0947d22746be643f1428031a9ab7c58776ca54e461903bb5e4ba8a73448552967"
      "a0e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "block 275654 of a made-up chain, its header by @ethereumjs/block 10.1.3 (Amsterdam)", 8, 275654, 100453680u,
      "33c8de4874f191ae9023a1f0f1dc6c63555da55f09cfca593a53c6fa2caa5881",
      "f9028da00000000000000000000000000000000000000000000000000000000000000000a01dcc4de8dec75d7aab85b567b6ccd41ad31245"
      "1b948a7413f0a142fd40d49347940000000000000000000000000000000000000000a0000000000000000000000000000000000000000000"
      "0000000000000000000000a056e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421a056e81f171bcc55a6ff8345"
      "e692c0f86e5b48e01b996cadc001622fb5e363b421b901000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
      "80830434c6840bebc2008405fccd30846ab13b80866b6574746c65a000000000000000000000000000000000000000000000000000000000"
      "0000000088000000000000000007a044444444444444444444444444444444444444444444444444444444444444448080a0222222222222"
      "2222222222222222222222222222222222222222222222222222a03333333333333333333333333333333333333333333333333333333333"
      "333333a01dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d4934783ac6000" },
};
#define REAL (sizeof real / sizeof real[0])

typedef struct {
    uint8_t rlp[EX_HEADER_RLP_MAX + 1];
    size_t n;
    hash32_t hash;
} sample_t;

static void sample(sample_t *s, size_t i)
{
    ck_assert_int_eq(hex_decode(s->rlp, &s->n, sizeof s->rlp, real[i].rlp, strlen(real[i].rlp)), RC_OK);
    ck_assert_int_eq(hex_decode_exact(s->hash.b, sizeof s->hash.b, real[i].hash, strlen(real[i].hash)), RC_OK);
}

START_TEST(real_headers_verify_and_encode_to_the_same_bytes)
{
    for (size_t i = 0; i < REAL; i++) {
        sample_t s;
        ex_header_t h;
        hash32_t hash;
        uint8_t buf[EX_HEADER_RLP_MAX];
        wr_t w = wr_of(buf, sizeof buf);
        sample(&s, i);
        ck_assert_msg(ex_header_verify(&h, &s.hash, view_of(s.rlp, s.n)) == RC_OK, "%s", real[i].name);
        ck_assert_uint_eq(h.tail, real[i].tail);
        ck_assert_uint_eq(h.number, real[i].number);
        ck_assert_uint_eq(h.gas_used, real[i].gas_used);
        ex_header_encode(&w, &h);
        ck_assert(view_eq(wr_view(&w), view_of(s.rlp, s.n)));
        ck_assert_int_eq(ex_header_check(&h, &s.hash), RC_OK);
        ex_header_hash(&hash, &h);
        ck_assert(hash32_eq(&hash, &s.hash));
    }
}
END_TEST

START_TEST(every_other_byte_string_has_another_hash)
{
    for (size_t i = 0; i < REAL; i++) {
        sample_t s;
        ex_header_t h = { .number = 77 };
        sample(&s, i);
        for (size_t n = 0; n < s.n; n++) {
            uint8_t *cut = malloc(n ? n : 1);
            memcpy(cut, s.rlp, n);
            ck_assert_int_eq(ex_header_verify(&h, &s.hash, view_of(cut, n)), RC_REFUSED);
            free(cut);
            s.rlp[n] ^= 0x10;
            ck_assert_int_eq(ex_header_verify(&h, &s.hash, view_of(s.rlp, s.n)), RC_REFUSED);
            s.rlp[n] ^= 0x10;
        }
        s.rlp[s.n] = 0;
        ck_assert_int_eq(ex_header_verify(&h, &s.hash, view_of(s.rlp, s.n + 1)), RC_REFUSED);
        ck_assert_uint_eq(h.number, 77);
    }
}
END_TEST

/* The hash fits, so only the decoder stands in the way: each change of a byte either gives a header that encodes to the
 * same bytes, or is malformed. */
START_TEST(bytes_that_hash_as_expected_are_still_decoded_strictly)
{
    for (size_t i = 0; i < REAL; i++) {
        sample_t s;
        unsigned malformed = 0;
        sample(&s, i);
        for (size_t n = 0; n < s.n; n++)
            for (unsigned bit = 1; bit < 256; bit <<= 1) {
                ex_header_t h;
                hash32_t hash;
                s.rlp[n] ^= (uint8_t)bit;
                keccak256(&hash, view_of(s.rlp, s.n));
                rc_t rc = ex_header_verify(&h, &hash, view_of(s.rlp, s.n));
                ck_assert(rc == RC_MALFORMED || (rc == RC_OK && ex_header_check(&h, &hash) == RC_OK));
                malformed += rc != RC_OK;
                s.rlp[n] ^= (uint8_t)bit;
            }
        ck_assert_uint_gt(malformed, 100);
        for (size_t n = 0; n <= s.n + 1; n++) {
            ex_header_t h;
            hash32_t hash;
            s.rlp[s.n] = 0x80;
            keccak256(&hash, view_of(s.rlp, n));
            ck_assert_int_eq(ex_header_verify(&h, &hash, view_of(s.rlp, n)), n == s.n ? RC_OK : RC_MALFORMED);
        }
    }
}
END_TEST

START_TEST(each_field_counts_for_the_hash)
{
    static const size_t field[] = {
        offsetof(ex_header_t, parent_hash),
        offsetof(ex_header_t, ommers_hash),
        offsetof(ex_header_t, coinbase),
        offsetof(ex_header_t, state_root),
        offsetof(ex_header_t, transactions_root),
        offsetof(ex_header_t, receipts_root),
        offsetof(ex_header_t, logs_bloom),
        offsetof(ex_header_t, difficulty),
        offsetof(ex_header_t, number),
        offsetof(ex_header_t, gas_limit),
        offsetof(ex_header_t, gas_used),
        offsetof(ex_header_t, timestamp),
        offsetof(ex_header_t, extra_data),
        offsetof(ex_header_t, extra_data_len),
        offsetof(ex_header_t, mix_hash),
        offsetof(ex_header_t, nonce),
        offsetof(ex_header_t, tail),
        offsetof(ex_header_t, base_fee),
        offsetof(ex_header_t, withdrawals_root),
        offsetof(ex_header_t, blob_gas_used),
        offsetof(ex_header_t, excess_blob_gas),
        offsetof(ex_header_t, parent_beacon_root),
        offsetof(ex_header_t, requests_hash),
        offsetof(ex_header_t, block_access_list_hash),
        offsetof(ex_header_t, slot_number),
    };
    sample_t s;
    ex_header_t h, changed;
    sample(&s, REAL - 1);
    ck_assert_uint_eq(real[REAL - 1].tail, 8);
    ck_assert_int_eq(ex_header_verify(&h, &s.hash, view_of(s.rlp, s.n)), RC_OK);
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++) {
        changed = h;
        ((uint8_t *)&changed)[field[i]] ^= 1;
        ck_assert_msg(ex_header_check(&changed, &s.hash) == RC_REFUSED, "field %zu", i);
    }
}
END_TEST

#define FIELDS 23 /* of the last sample */

/* The items of a real header with one of them replaced, cut after count items; it is verified under its own hash. */
static rc_t verify_changed(size_t replaced, view_t with, size_t count)
{
    sample_t s;
    ex_header_t h;
    rlp_item_t list, item[FIELDS];
    size_t n;
    hash32_t hash;
    uint8_t buf[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(buf, sizeof buf);
    sample(&s, REAL - 1);
    ck_assert_int_eq(rlp_decode(&list, view_of(s.rlp, s.n)), RC_OK);
    ck_assert_int_eq(rlp_split(item, &n, FIELDS, list.payload), RC_OK);
    for (size_t i = 0; i < count; i++)
        rlp_put_bytes(&w, i == replaced ? with : i < n ? item[i].payload : view_of(NULL, 0));
    rlp_wrap_list(&w, 0);
    ck_assert(!w.bad);
    keccak256(&hash, wr_view(&w));
    return ex_header_verify(&h, &hash, wr_view(&w));
}

START_TEST(a_field_of_a_wrong_length_is_malformed)
{
    static uint8_t ones[257];
    static const size_t length[FIELDS] = { 32, 32, 20, 32, 32, 32, 256, 0,  0,  0,  0, 0,
                                           0,  32, 8,  0,  32, 0,  0,   32, 32, 32, 0 };
    static const size_t most[FIELDS] = {
        [7] = 32, [8] = 8, [9] = 8, [10] = 8, [11] = 8, [12] = 32, [15] = 32, [17] = 8, [18] = 8, [22] = 8
    };
    memset(ones, 1, sizeof ones);
    for (size_t i = 0; i < FIELDS; i++) {
        bool fixed = length[i] > 0;
        size_t right = fixed ? length[i] : most[i];
        ck_assert_msg(verify_changed(i, view_of(ones, right), FIELDS) == RC_OK, "field %zu", i);
        ck_assert_msg(verify_changed(i, view_of(ones, right + 1), FIELDS) == RC_MALFORMED, "field %zu", i);
        ck_assert_msg(verify_changed(i, view_of(ones, right - 1), FIELDS) == (fixed ? RC_MALFORMED : RC_OK),
                      "field %zu", i);
    }
}
END_TEST

START_TEST(only_the_field_counts_of_real_forks_are_headers)
{
    for (size_t count = 0; count <= FIELDS + 1; count++) {
        bool fork = count == 15 || count == 16 || count == 17 || count == 20 || count == 21 || count == 23;
        ck_assert_msg(verify_changed(99, view_of(NULL, 0), count) == (fork ? RC_OK : RC_MALFORMED), "%zu fields",
                      count);
    }
}
END_TEST

START_TEST(what_no_header_holds_is_not_encoded)
{
    uint8_t buf[EX_HEADER_RLP_MAX];
    for (unsigned tail = 0; tail < 11; tail++) {
        ex_header_t h = { .tail = tail };
        hash32_t hash;
        wr_t w = wr_of(buf, sizeof buf);
        ex_header_encode(&w, &h);
        ck_assert(w.bad == (tail == 3 || tail == 4 || tail == 7 || tail > 8));
        ex_header_hash(&hash, &h);
        ck_assert(hash32_is_zero(&hash) == w.bad);
        ck_assert(!w.bad || ex_header_check(&h, &hash) == RC_REFUSED);
        ck_assert_int_eq(ex_header_check(&h, &KECCAK_EMPTY), RC_REFUSED);
    }
    ex_header_t h = { .extra_data_len = EX_EXTRA_DATA_MAX + 1 };
    wr_t w = wr_of(buf, sizeof buf);
    ex_header_encode(&w, &h);
    ck_assert(w.bad);
}
END_TEST

START_TEST(the_largest_header_fits_and_a_short_buffer_turns_bad)
{
    ex_header_t h;
    uint8_t buf[EX_HEADER_RLP_MAX];
    memset(&h, 0xff, sizeof h);
    h.tail = 8;
    h.extra_data_len = EX_EXTRA_DATA_MAX;
    wr_t w = wr_of(buf, sizeof buf);
    ex_header_encode(&w, &h);
    ck_assert(!w.bad);
    for (size_t cap = 0; cap < w.n; cap++) {
        uint8_t *small = malloc(cap ? cap : 1);
        wr_t v = wr_of(small, cap);
        ex_header_encode(&v, &h);
        ck_assert(v.bad);
        free(small);
    }
}
END_TEST

START_TEST(an_oversized_header_is_malformed)
{
    static uint8_t big[EX_HEADER_RLP_MAX + 1];
    ex_header_t h;
    hash32_t hash;
    keccak256(&hash, view_of(big, sizeof big));
    ck_assert_int_eq(ex_header_verify(&h, &hash, view_of(big, sizeof big)), RC_MALFORMED);
}
END_TEST

int main(void)
{
    return UNIT_RUN("header", real_headers_verify_and_encode_to_the_same_bytes,
                    every_other_byte_string_has_another_hash, bytes_that_hash_as_expected_are_still_decoded_strictly,
                    each_field_counts_for_the_hash, a_field_of_a_wrong_length_is_malformed,
                    only_the_field_counts_of_real_forks_are_headers, what_no_header_holds_is_not_encoded,
                    the_largest_header_fits_and_a_short_buffer_turns_bad, an_oversized_header_is_malformed);
}
