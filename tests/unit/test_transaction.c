/* Signed transactions: known ones of every type, and everything that differs from them. */
#include "base/crypto/ecdsa.h"
#include "base/hex.h"
#include "lightclient/exec/transaction.h"
#include "lightclient/rlp/rlp.h"
#include "tests/unit/unit.h"

#define ARENA_LIMIT ((size_t)1 << 20)
#define RAW_MAX 1024u

/* The example of EIP-155; the others are made from ethereum/tests TransactionTests and execution-spec-tests. */
static const struct {
    const char *name;
    uint8_t type;
    uint64_t nonce, gas;
    const char *sender, *hash, *raw;
} known[] = {
    { "the example of EIP-155", 0, 9, 21000, "9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f",
      "33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788",
      "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe"
      "537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83" },
    { "TransactionTests accessListStorage32Bytes", 1, 0, 27200, "ebe76799923fd62804659fb00b4f0f1a94c0eb1e",
      "b4f8b14a7aaf85ec2f76be9fbe4155deae1f87b2da95af73be3c27ed8d4c8cb7",
      "01f89a018001826a4094095e7baea6a6c7c4c2dfeb977efac326af552d878080f838f794a95e7baea6a6c7c4c2dfeb977efac326af552d87"
      "e1a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff80a05cbd172231fc0735e0fb994dd5b1a4939170a260"
      "b36f0427a8a80866b063b948a07c230f7f578dd61785c93361b9871c0706ebfa6d06e3f4491dc9558c5202ed36" },
    { "test_transaction_gas_limit_cap", 2, 0, 16777216, "13957d4303e3dabd0405a916a3b3cd7fd4f2ea03",
      "2db2ac2b25fe09db1690673c8d7d4ae66dbf889a149164d277bcfb2e07802690",
      "02f89d0180800784010000009458cc24230f12dd9b2d879697e737f498339118c28080f838f79458cc24230f12dd9b2d879697e737f49833"
      "9118c2e1a0000000000000000000000000000000000000000000000000000000000000000080a0834bbba46dfbd98c31a3d9ababa8e0fd3b"
      "80245edb0de518d61bbb0e11242e2ba046509278aa15af1e13cbe64fe0d1b178fcf28b6167556b47623245e70e11be79" },
    { "test_valid_max_blobs_per_tx", 3, 0, 21000, "61ea2047c47d36a535cd650ad2c14dbe6b4e8939",
      "eee37b58eeadd2cf451ff5cfec2abe2fd23ba016859f1cd8fe1c2d95af43519b",
      "03f8850180010a8252089446bcccd52523458500094c5c59a7801d3d0ee9630180c001e1a001000000000000000000000000000000000000"
      "0000000000000000000000000080a0ad0e00f1104243cae616be131f9cf265c63ed4b124e3414b54f6fb754bfdbf0ba02b7145a7ac9367d8"
      "e8a63b82fc931c9bffab6463bad8b95b75d2413ef62118d5" },
    { "test_set_code_using_valid_synthetic_signatures", 4, 0, 100000, "a94f5374fce5edbc8e2a8697c15331677e6ebf0b",
      "c3312742eb00262acbf44c8f1a8fad8c591931ab570a79d9bea580be390d871b",
      "04f87f01808007830186a0947c98f1c8dc92f5a9abb6007ee831a4e31d104bdc8080c0dbda01940000000000000000000000000000000000"
      "0010008080010180a0ce80b422edabb0c4b9ae53f39eed8a7451ebcc409212ad6d8c282eab045cc8c6a05e38d5f8df06260ca425a43126b4"
      "9a10e1786614d41661bc295f70630d1a0c9f" },
};
#define KNOWN (sizeof known / sizeof known[0])

static size_t raw_of(uint8_t raw[RAW_MAX], size_t i)
{
    size_t n = 0;
    ck_assert_int_eq(hex_decode(raw, &n, RAW_MAX, known[i].raw, strlen(known[i].raw)), RC_OK);
    return n;
}

START_TEST(known_transactions_decode_to_their_sender_and_hash)
{
    for (size_t i = 0; i < KNOWN; i++) {
        arena_t a;
        ex_transaction_t tx;
        err_t e = { 0 };
        uint8_t raw[RAW_MAX];
        char hex[65];
        size_t n = raw_of(raw, i);
        arena_init(&a, ARENA_LIMIT);
        ck_assert_msg(ex_transaction_decode(&tx, &e, &a, view_of(raw, n), 1) == RC_OK, "%s: %s", known[i].name, e.text);
        hex_encode(hex, view_of(tx.tx.from.b, 20));
        ck_assert_str_eq(hex, known[i].sender);
        hex_encode(hex, view_of(tx.hash.b, 32));
        ck_assert_str_eq(hex, known[i].hash);
        ck_assert_uint_eq(tx.tx.type, known[i].type);
        ck_assert_uint_eq(tx.tx.nonce, known[i].nonce);
        ck_assert_uint_eq(tx.tx.gas, known[i].gas);
        arena_free(&a);
    }
}
END_TEST

START_TEST(every_truncation_and_a_trailing_byte_are_refused)
{
    for (size_t i = 0; i < KNOWN; i++) {
        uint8_t raw[RAW_MAX];
        size_t n = raw_of(raw, i);
        for (size_t len = 0; len <= n + 1; len++) {
            arena_t a;
            ex_transaction_t tx = { .any_chain = true };
            err_t e = { 0 };
            uint8_t *exact = calloc(1, len ? len : 1); /* ASan sees an over-read */
            if (len == n)
                goto next;
            memcpy(exact, raw, len < n ? len : n);
            arena_init(&a, ARENA_LIMIT);
            ck_assert_int_eq(ex_transaction_decode(&tx, &e, &a, view_of(exact, len), 1), RC_MALFORMED);
            ck_assert(tx.any_chain); /* out untouched */
            ck_assert(e.text[0]);
            arena_free(&a);
        next:
            free(exact);
        }
    }
}
END_TEST

START_TEST(no_flipped_bit_leaves_the_sender_as_it_was)
{
    for (size_t i = 0; i < KNOWN; i++) {
        uint8_t raw[RAW_MAX];
        size_t n = raw_of(raw, i);
        for (size_t bit = 0; bit < 8 * n; bit++) {
            arena_t a;
            ex_transaction_t tx;
            err_t e = { 0 };
            char hex[41];
            arena_init(&a, ARENA_LIMIT);
            raw[bit / 8] = (uint8_t)(raw[bit / 8] ^ 1u << bit % 8);
            if (ex_transaction_decode(&tx, &e, &a, view_of(raw, n), 1) == RC_OK) {
                hex_encode(hex, view_of(tx.tx.from.b, 20));
                ck_assert_msg(strcmp(hex, known[i].sender) != 0, "%s: bit %zu", known[i].name, bit);
            }
            raw[bit / 8] = (uint8_t)(raw[bit / 8] ^ 1u << bit % 8);
            arena_free(&a);
        }
    }
}
END_TEST

START_TEST(a_transaction_of_another_chain_is_refused)
{
    for (size_t i = 0; i < KNOWN; i++) {
        arena_t a;
        ex_transaction_t tx;
        err_t e = { 0 };
        uint8_t raw[RAW_MAX];
        size_t n = raw_of(raw, i);
        arena_init(&a, ARENA_LIMIT);
        ck_assert_int_eq(ex_transaction_decode(&tx, &e, &a, view_of(raw, n), 2), RC_REFUSED);
        ck_assert_str_eq(e.text, "signed for another chain");
        arena_free(&a);
    }
}
END_TEST

START_TEST(an_unknown_type_and_too_many_bytes_are_refused)
{
    static const uint8_t types[] = { 0x00, 0x05, 0x7f, 0x80, 0xb8 };
    arena_t a;
    ex_transaction_t tx;
    err_t e = { 0 };
    uint8_t raw[RAW_MAX];
    size_t n = raw_of(raw, 1);
    arena_init(&a, ARENA_LIMIT);
    for (size_t i = 0; i < sizeof types; i++) {
        raw[0] = types[i];
        ck_assert_int_eq(ex_transaction_decode(&tx, &e, &a, view_of(raw, n), 1), RC_MALFORMED);
    }
    uint8_t *large = calloc(1, EX_TRANSACTION_MAX + 1);
    ck_assert_ptr_nonnull(large);
    ck_assert_int_eq(ex_transaction_decode(&tx, &e, &a, view_of(large, EX_TRANSACTION_MAX + 1), 1), RC_LIMIT);
    ck_assert_str_eq(e.text, "too long");
    free(large);
    arena_free(&a);
}
END_TEST

/* The same r and v with n - s, and the other v, recover the same key: EIP-2 leaves one of the two. */
START_TEST(a_high_s_is_refused)
{
    static const u256_t order = { { 0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff } };
    arena_t a;
    ex_transaction_t tx;
    err_t e = { 0 };
    uint8_t raw[RAW_MAX];
    size_t n = raw_of(raw, 0);
    arena_init(&a, ARENA_LIMIT);
    u256_t s = u256_from_be32(raw + n - 32);
    s = u256_sub(&order, &s);
    u256_to_be32(raw + n - 32, &s);
    raw[n - 67] ^= 3; /* v: 37 to 38 */
    ck_assert_int_eq(ex_transaction_decode(&tx, &e, &a, view_of(raw, n), 1), RC_REFUSED);
    ck_assert_str_eq(e.text, "nobody signed it");
    arena_free(&a);
}
END_TEST

/* --- fields of another form --- */

#define ZEROS32 "0000000000000000000000000000000000000000000000000000000000000000"
#define WORD33 "a101" ZEROS32 /* a number of 33 bytes */

/* Fields by transaction type: Number of 256 bits, number of 64 bits (U), To, Data, Access list, Hashes, authoriZations. */
static const char *const forms[] = { "UNUTNDNNN", "NUNUTNDANNN", "NUNNUTNDANNN", "NUNNUTNDANHNNN", "NUNNUTNDAZNNN" };

/* What may not stand in a field. */
static const struct {
    const char *forms, *what, *item;
} wrong[] = {
    { "NUTD", "a list", "c0" },
    { "NU", "a leading zero", "820001" },
    { "NU", "a zero byte", "00" },
    { "NUT", "33 bytes", WORD33 },
    { "U", "9 bytes", "89010000000000000000" },
    { "T", "19 bytes", "9300112233445566778899aabbccddeeff001122" },
    { "T", "21 bytes", "9500112233445566778899aabbccddeeff0011223344" },
    { "T", "one byte", "01" },
    { "AHZ", "a string", "80" },
    { "AHZ", "a list with a string", "c101" },
    { "AZ", "a list with an empty list", "c1c0" },
    { "A", "an entry without keys",
      "d6d594"
      "00112233445566778899aabbccddeeff00112233" },
    { "A", "an entry of three",
      "d8d794"
      "00112233445566778899aabbccddeeff00112233"
      "c0c0" },
    { "A", "an address of 19 bytes",
      "d6d593"
      "00112233445566778899aabbccddeeff001122"
      "c0" },
    { "A", "keys that are a string",
      "d7d694"
      "00112233445566778899aabbccddeeff00112233"
      "80" },
    { "A", "a key of 33 bytes",
      "f83af83894"
      "00112233445566778899aabbccddeeff00112233"
      "e2" WORD33 },
    { "A", "a key that is a list",
      "d8d794"
      "00112233445566778899aabbccddeeff00112233"
      "c1c0" },
    { "H", "a hash of 33 bytes", "e2" WORD33 },
    { "H", "a hash that is a list", "c1c0" },
};

/* A list whose item `at` is replaced by others, with `after` behind the last. */
static size_t with_item(uint8_t out[RAW_MAX], view_t list, size_t at, const char *item, const char *after)
{
    wr_t w = wr_of(out, RAW_MAX);
    rlp_item_t f[16];
    uint8_t bytes[128];
    size_t count, n;
    ck_assert_int_eq(rlp_split(f, &count, 16, list), RC_OK);
    for (size_t i = 0; i < count; i++) {
        if (i != at) {
            wr_bytes(&w, f[i].whole.p, f[i].whole.n);
            continue;
        }
        ck_assert_int_eq(hex_decode(bytes, &n, sizeof bytes, item, strlen(item)), RC_OK);
        wr_bytes(&w, bytes, n);
    }
    ck_assert_int_eq(hex_decode(bytes, &n, sizeof bytes, after, strlen(after)), RC_OK);
    wr_bytes(&w, bytes, n);
    rlp_wrap_list(&w, 0);
    ck_assert(!w.bad);
    return w.n;
}

static view_t payload_of(view_t raw, uint8_t type)
{
    rlp_item_t list;
    ck_assert_int_eq(rlp_decode(&list, view_of(raw.p + (type != 0), raw.n - (type != 0))), RC_OK);
    return list.payload;
}

/* Decodes a list as a transaction of a type; on failure there is a reason, and nothing was written. */
static rc_t decode_list(ex_transaction_t *tx, arena_t *a, uint8_t type, const uint8_t *list, size_t n)
{
    uint8_t raw[RAW_MAX + 1] = { type };
    err_t e = { 0 };
    memcpy(raw + (type != 0), list, n);
    memset(tx, 0x5a, sizeof *tx);
    ex_transaction_t before = *tx;
    rc_t rc = ex_transaction_decode(tx, &e, a, view_of(raw, n + (type != 0)), 1);
    if (rc) {
        ck_assert_mem_eq(tx, &before, sizeof before);
        ck_assert(e.text[0]);
    }
    return rc;
}

START_TEST(each_field_of_another_form_is_malformed)
{
    unsigned tried = 0;
    for (size_t i = 0; i < KNOWN; i++) {
        uint8_t raw[RAW_MAX], list[RAW_MAX];
        arena_t a;
        ex_transaction_t tx;
        const char *form = forms[known[i].type];
        view_t payload = payload_of(view_of(raw, raw_of(raw, i)), known[i].type);
        arena_init(&a, ARENA_LIMIT);
        for (size_t f = 0; form[f]; f++)
            for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++) {
                if (!strchr(wrong[k].forms, form[f]))
                    continue;
                size_t n = with_item(list, payload, f, wrong[k].item, "");
                rc_t rc = decode_list(&tx, &a, known[i].type, list, n);
                ck_assert_msg(rc == RC_MALFORMED, "%s, field %zu, %s: %s", known[i].name, f, wrong[k].what,
                              rc_name(rc));
                tried++;
            }
        size_t n = with_item(list, payload, 99, "", "80"); /* one field more, and one fewer */
        ck_assert_int_eq(decode_list(&tx, &a, known[i].type, list, n), RC_MALFORMED);
        n = with_item(list, payload, strlen(form) - 1, "", "");
        ck_assert_int_eq(decode_list(&tx, &a, known[i].type, list, n), RC_MALFORMED);
        arena_free(&a);
    }
    ck_assert_uint_gt(tried, 150);
}
END_TEST

START_TEST(each_part_of_an_authorization_has_its_form)
{
    static const struct {
        size_t field;
        const char *item;
        bool well_formed, signed_by_one;
    } row[] = {
        { 0, "c0", false, false },
        { 0, "820001", false, false },
        { 0, WORD33, false, false },
        { 0, "80", true, true },
        { 0, "a001000000000000000000000000000000000000000000000000000000000000ff", true, true },
        { 1, "c0", false, false },
        { 1, "80", false, false },
        { 1, "9300112233445566778899aabbccddeeff001122", false, false },
        { 1, "9500112233445566778899aabbccddeeff0011223344", false, false },
        { 2, "c0", false, false },
        { 2, "820001", false, false },
        { 2, "89010000000000000000", false, false },
        { 2, "88ffffffffffffffff", true, true },
        { 3, "c0", false, false },
        { 3, "820001", false, false },
        { 3, "89010000000000000000", false, false },
        { 3, "820100", false, false },
        { 3, "81ff", true, false },
        { 3, "02", true, false },
        { 3, "01", true, true },
        { 4, "c0", false, false },
        { 4, "820001", false, false },
        { 4, WORD33, false, false },
        { 4, "80", true, false },
        { 5, "c0", false, false },
        { 5, "820001", false, false },
        { 5, WORD33, false, false },
        { 5, "80", true, false },
        { 5, "a07fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0", true, true }, /* half the order */
        { 5, "a07fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1", true, false },
        { 5, "a0fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd036413f", true, false },
        { 5, "", false, false },
        { 0, "", false, false },
        { 5, "0180", false, false },
    };
    uint8_t raw[RAW_MAX], tuple[RAW_MAX], list[RAW_MAX];
    view_t payload = payload_of(view_of(raw, raw_of(raw, 4)), 4);
    rlp_item_t f[13], parts;
    size_t count;
    ck_assert_int_eq(rlp_split(f, &count, 13, payload), RC_OK);
    view_t rest = f[9].payload;
    ck_assert_int_eq(rlp_next(&parts, &rest), RC_OK);
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        arena_t a;
        ex_transaction_t tx;
        char hex[2 * RAW_MAX];
        arena_init(&a, ARENA_LIMIT);
        size_t n = with_item(tuple, parts.payload, row[i].field, row[i].item, "");
        wr_t w = wr_of(tuple, sizeof tuple);
        w.n = n;
        rlp_wrap_list(&w, 0);
        hex_encode(hex, wr_view(&w));
        n = with_item(list, payload, 9, hex, "");
        rc_t rc = decode_list(&tx, &a, 4, list, n);
        ck_assert_msg(rc == (row[i].well_formed ? RC_OK : RC_MALFORMED), "row %zu: %s", i, rc_name(rc));
        if (!rc) {
            ck_assert_uint_eq(tx.tx.authorization_count, 1);
            ck_assert_msg(tx.tx.authorizations[0].signer_valid == row[i].signed_by_one, "row %zu", i);
        }
        arena_free(&a);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("transaction", known_transactions_decode_to_their_sender_and_hash,
                    every_truncation_and_a_trailing_byte_are_refused, no_flipped_bit_leaves_the_sender_as_it_was,
                    a_transaction_of_another_chain_is_refused, an_unknown_type_and_too_many_bytes_are_refused,
                    a_high_s_is_refused, each_field_of_another_form_is_malformed,
                    each_part_of_an_authorization_has_its_form);
}
