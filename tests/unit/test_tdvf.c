/* Metadata of virtual firmware, MRTD and the hand-off block. The literals of MRTD come from an implementation of its
 * own in another language, which writes the whole stream out before it hashes it; those of hand-off blocks from quotes
 * of real machines. */
#include "tee/measure/tdvf.h"

#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tests/unit/image.h"
#include "tests/unit/unit.h"

#define FIRMWARE_LEN 0x3000u
#define SECTIONS 6u

#define DEBIAN_OVMF "/usr/share/ovmf/OVMF.fd" /* package ovmf 2022.11-6+deb12u2 */
#define DEBIAN_LEN ((size_t)2 << 20)
#define DEBIAN_VARS 131072u /* bytes of its first half */

/* As OVMF has them, but for the sizes of the volumes. */
static const image_section_t usual[SECTIONS] = {
    { 0x1000, 0x2000, 0xffffe000, 0x2000, TDVF_BFV, 1 }, { 0, 0x1000, 0xffffd000, 0x1000, TDVF_CFV, 0 },
    { 0, 0, 0x810000, 0x10000, TDVF_TEMP_MEM, 0 },       { 0, 0, 0x80b000, 0x2000, TDVF_TEMP_MEM, 0 },
    { 0, 0, 0x809000, 0x2000, TDVF_TD_HOB, 0 },          { 0, 0, 0x800000, 0x6000, TDVF_TEMP_MEM, 0 },
};

static rc_t parse(tdvf_t *t, const uint8_t *p, size_t n)
{
    err_t why = { 0 };
    rc_t rc = tdvf_parse(t, &why, view_of(p, n));
    ck_assert(rc == RC_OK || why.text[0]);
    return rc;
}

static rc_t parse_sections(const image_section_t *sections, uint32_t count)
{
    tdvf_t t;
    uint8_t *p = image_firmware(FIRMWARE_LEN, sections, count);
    rc_t rc = parse(&t, p, FIRMWARE_LEN);
    free(p);
    return rc;
}

static void check_hex(const uint8_t digest[48], const char *expected)
{
    char hex[97];
    hex_encode(hex, view_of(digest, 48));
    ck_assert_str_eq(hex, expected);
}

static void check_mr_td(const image_section_t *sections, uint32_t count, const char *page_by_page,
                        const char *pages_first)
{
    tdvf_t t;
    uint8_t digest[48], *p = image_firmware(FIRMWARE_LEN, sections, count);
    ck_assert_int_eq(parse(&t, p, FIRMWARE_LEN), RC_OK);
    tdvf_mr_td(digest, &t, TDVF_PAGE_BY_PAGE);
    check_hex(digest, page_by_page);
    tdvf_mr_td(digest, &t, TDVF_PAGES_FIRST);
    check_hex(digest, pages_first);
    free(p);
}

START_TEST(mr_td_is_the_hash_of_all_pages_and_measured_contents)
{
    check_mr_td(usual, SECTIONS,
                "c994eaa31fba4439c9364343cfa4b42ac6e6114aec9cad5474979cf3ae533471000a9546730ea38d28027a5773686593",
                "725378e0a895029953f0d230a63480313a50eab10c63a2d4dbe63860d50a8e8934c6d7bf3e9231964c5e1454537a013c");
}
END_TEST

START_TEST(mr_td_depends_on_the_order_of_sections)
{
    image_section_t s[SECTIONS];
    for (unsigned i = 0; i < SECTIONS; i++)
        s[i] = usual[SECTIONS - 1 - i];
    check_mr_td(s, SECTIONS,
                "f1ad117b4f3d104ddcb6f06b33d76dbf03cd413cecb7d6254d631b385157fe58cc6b5bea37b1db0ec688b67bbe893056",
                "a62ed58452474ccd2863ce3038994de2384e77b8f26a260a13c72c9466c45bb0baa3871f0c39f9666745d5e83b261e0e");
}
END_TEST

START_TEST(an_augmented_section_adds_nothing_to_mr_td)
{
    image_section_t s[SECTIONS];
    memcpy(s, usual, sizeof s);
    s[2].attributes = 2;
    s[1].attributes = 1; /* and a measured configuration volume does */
    check_mr_td(s, SECTIONS,
                "237aa72895322a39c7f47d9d2c3d6beca11fcc23c62e90fcde85c24ca1d4f4a23a347e7fbe245c99fd53e93315f8d6ff",
                "5f3a5a99fc42f74ffa968e44535a9fcd432fdf855d1a7002a885d4346215f8ac6cf9b040a1b5b7cf6f4fa3c690ab5619");
}
END_TEST

START_TEST(each_measured_byte_changes_mr_td)
{
    tdvf_t t;
    uint8_t was[48], now[48], *p = image_firmware(FIRMWARE_LEN, usual, SECTIONS);
    ck_assert_int_eq(parse(&t, p, FIRMWARE_LEN), RC_OK);
    tdvf_mr_td(was, &t, TDVF_PAGE_BY_PAGE);
    for (size_t i = 0; i < FIRMWARE_LEN; i += 61) {
        p[i] ^= 0x10;
        tdvf_mr_td(now, &t, TDVF_PAGE_BY_PAGE);
        ck_assert_int_eq(memcmp(was, now, 48) == 0, i < 0x1000); /* the configuration volume is in RTMR0 */
        p[i] ^= 0x10;
    }
    free(p);
}
END_TEST

START_TEST(hand_off_blocks_are_those_of_real_machines)
{
    /* First events of RTMR0: dstack verifier fixtures tdx-lite-getquote.json (2 GiB) and quote-report.json (64 GiB). */
    static const struct {
        uint64_t memory;
        const char *digest;
    } known[] = {
        { 2ull << 30,
          "0b8772e5b0b41b83e6044a68397e02f49fb47066b4fbe4917ea2c45c64f323fdacbb37948f821ebaf8bc9c938ba8a749" },
        { 64ull << 30,
          "8ae1e425351df7992c444586eff99d35af3b779aa2b0e981cb4b73bc5b279f2ade19b6a62a203fc3c3bbdaae80af596d" },
    };
    tdvf_t t;
    err_t why;
    uint8_t digest[48], *p = image_firmware(FIRMWARE_LEN, usual, SECTIONS);
    ck_assert_int_eq(parse(&t, p, FIRMWARE_LEN), RC_OK);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        ck_assert_int_eq(tdvf_hob_digest(digest, &why, &t, known[i].memory), RC_OK);
        check_hex(digest, known[i].digest);
    }
    free(p);
}
END_TEST

START_TEST(memory_is_split_at_two_gib_from_0xb0000000_on)
{
    ck_assert_uint_eq(tdvf_low_memory(0x80000000u), 0x80000000u);
    ck_assert_uint_eq(tdvf_low_memory(0xaffff000u), 0xaffff000u);
    ck_assert_uint_eq(tdvf_low_memory(0xb0000000u), 0x80000000u);
    ck_assert_uint_eq(tdvf_low_memory(1ull << 40), 0x80000000u);
}
END_TEST

START_TEST(a_machine_without_room_for_the_firmware_is_refused)
{
    static const uint64_t wrong[] = { 0, 4095, (2ull << 30) + 1, 0x81f000, TDVF_MEMORY_MAX + 4096, UINT64_MAX };
    static const uint64_t right[] = { 0x820000, 2ull << 30, TDVF_MEMORY_MAX };
    tdvf_t t;
    err_t why = { 0 };
    uint8_t digest[48], *p = image_firmware(FIRMWARE_LEN, usual, SECTIONS);
    ck_assert_int_eq(parse(&t, p, FIRMWARE_LEN), RC_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_int_eq(tdvf_hob_digest(digest, &why, &t, wrong[i]), RC_REFUSED);
    ck_assert_str_ne(why.text, "");
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        ck_assert_int_eq(tdvf_hob_digest(digest, &why, &t, right[i]), RC_OK);
    free(p);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    tdvf_t t;
    uint8_t *p = image_firmware(FIRMWARE_LEN, usual, SECTIONS);
    for (size_t n = 0; n < FIRMWARE_LEN; n++) {
        uint8_t *cut = malloc(n ? n : 1); /* exact size: the sanitizer sees an over-read */
        memcpy(cut, p, n);
        ck_assert_msg(parse(&t, cut, n) != RC_OK, "the first %zu bytes", n);
        memcpy(cut, p + FIRMWARE_LEN - n, n);
        ck_assert_msg(parse(&t, cut, n) != RC_OK, "the last %zu bytes", n);
        free(cut);
    }
    free(p);
}
END_TEST

START_TEST(each_wrong_section_is_refused)
{
    static const struct {
        const char *what;
        unsigned index;
        image_section_t section;
        rc_t rc;
    } cases[] = {
        { "unknown type", 2, { 0, 0, 0x810000, 0x10000, 4, 0 }, RC_UNSUPPORTED },
        { "unknown attribute", 2, { 0, 0, 0x810000, 0x10000, TDVF_TEMP_MEM, 4 }, RC_UNSUPPORTED },
        { "address not of a page", 2, { 0, 0, 0x810010, 0x10000, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "size not of pages", 2, { 0, 0, 0x810000, 0x10001, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "size zero", 2, { 0, 0, 0x810000, 0, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "size over the maximum", 2, { 0, 0, 0x810000, 0x10001000, TDVF_TEMP_MEM, 0 }, RC_LIMIT },
        { "size at the maximum, with the others", 2, { 0, 0, 0x810000, 0x10000000, TDVF_TEMP_MEM, 0 }, RC_LIMIT },
        { "size that wraps", 2, { 0, 0, 0x810000, 0xfffffffffffff000, TDVF_TEMP_MEM, 0 }, RC_LIMIT },
        { "address that wraps", 2, { 0, 0, 0xfffffffffffff000, 0x10000, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "end beyond 2^52", 2, { 0, 0, 0xffffffffff000, 0x2000, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "temporary memory with data", 2, { 0, 0x1000, 0x810000, 0x10000, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "temporary memory measured", 2, { 0, 0, 0x810000, 0x10000, TDVF_TEMP_MEM, 1 }, RC_MALFORMED },
        { "overlap of one page", 2, { 0, 0, 0x80c000, 0x10000, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "overlap inside", 2, { 0, 0, 0x801000, 0x1000, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "overlap around", 2, { 0, 0, 0x7ff000, 0x100000, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "the same twice", 2, { 0, 0, 0x800000, 0x6000, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "two hand-off blocks", 2, { 0, 0, 0x810000, 0x10000, TDVF_TD_HOB, 0 }, RC_MALFORMED },
        { "no hand-off block", 4, { 0, 0, 0x809000, 0x2000, TDVF_TEMP_MEM, 0 }, RC_MALFORMED },
        { "two configuration volumes", 2, { 0, 0x1000, 0x810000, 0x1000, TDVF_CFV, 0 }, RC_MALFORMED },
        { "no configuration volume", 1, { 0, 0x1000, 0xffffd000, 0x1000, TDVF_BFV, 1 }, RC_MALFORMED },
        { "configuration volume with less data", 1, { 0, 0xfff, 0xffffd000, 0x1000, TDVF_CFV, 0 }, RC_MALFORMED },
        { "no measured boot volume", 0, { 0x1000, 0x2000, 0xffffe000, 0x2000, TDVF_BFV, 0 }, RC_MALFORMED },
        { "boot volume measured but not added", 0, { 0x1000, 0x2000, 0xffffe000, 0x2000, TDVF_BFV, 3 }, RC_MALFORMED },
        { "boot volume with more memory", 0, { 0x1000, 0x2000, 0xffffe000, 0x3000, TDVF_BFV, 1 }, RC_MALFORMED },
        { "data behind the file", 0, { 0x1001, 0x2000, 0xffffe000, 0x2000, TDVF_BFV, 1 }, RC_MALFORMED },
        { "data at an offset that wraps", 0, { 0xfffff000, 0x2000, 0xffffe000, 0x2000, TDVF_BFV, 1 }, RC_MALFORMED },
        { "data longer than the file", 0, { 0, 0xfffff000, 0xffffe000, 0x2000, TDVF_BFV, 1 }, RC_MALFORMED },
        { "all as usual", 2, { 0, 0, 0x810000, 0x10000, TDVF_TEMP_MEM, 0 }, RC_OK },
        { "next to another", 2, { 0, 0, 0x80d000, 0x10000, TDVF_TEMP_MEM, 0 }, RC_OK },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        image_section_t s[SECTIONS];
        memcpy(s, usual, sizeof s);
        s[cases[i].index] = cases[i].section;
        rc_t rc = parse_sections(s, SECTIONS);
        ck_assert_msg(rc == cases[i].rc, "%s: %s", cases[i].what, rc_name(rc));
    }
}
END_TEST

START_TEST(there_is_a_maximum_of_sections)
{
    image_section_t s[TDVF_SECTIONS_MAX + 1];
    memcpy(s, usual, sizeof usual);
    for (unsigned i = SECTIONS; i <= TDVF_SECTIONS_MAX; i++)
        s[i] = (image_section_t){ 0, 0, 0x1000000 + 0x1000 * i, 0x1000, TDVF_TEMP_MEM, 0 };
    ck_assert_int_eq(parse_sections(s, TDVF_SECTIONS_MAX), RC_OK);
    ck_assert_int_eq(parse_sections(s, TDVF_SECTIONS_MAX + 1), RC_LIMIT);
    ck_assert_int_eq(parse_sections(s, 0), RC_MALFORMED);
}
END_TEST

START_TEST(each_wrong_byte_of_descriptor_and_table_is_refused)
{
    const size_t descriptor = FIRMWARE_LEN - 1024 - 32 * SECTIONS,
                 table = FIRMWARE_LEN - IMAGE_TABLE_END - IMAGE_TABLE_LEN;
    tdvf_t t;
    uint8_t *p = image_firmware(FIRMWARE_LEN, usual, SECTIONS);
    /* Signature, length, version, count; then the table with both GUIDs. */
    for (size_t i = 0; i < 16 + IMAGE_TABLE_LEN; i++) {
        uint8_t *at = i < 16 ? p + descriptor + i : p + table + i - 16;
        for (unsigned bit = 0; bit < 8; bit++) {
            *at ^= (uint8_t)(1u << bit);
            ck_assert_msg(parse(&t, p, FIRMWARE_LEN) != RC_OK, "byte %zu, bit %u", i, bit);
            *at ^= (uint8_t)(1u << bit);
        }
    }
    ck_assert_int_eq(parse(&t, p, FIRMWARE_LEN), RC_OK);
    free(p);
}
END_TEST

START_TEST(a_second_entry_for_metadata_is_refused)
{
    const size_t table = FIRMWARE_LEN - IMAGE_TABLE_END - IMAGE_TABLE_LEN;
    tdvf_t t;
    uint8_t *p = image_firmware(FIRMWARE_LEN, usual, SECTIONS);
    memcpy(p + table - 22, p + table, 22);
    p[table + 22] = IMAGE_TABLE_LEN + 22; /* the footer's length */
    ck_assert_int_eq(parse(&t, p, FIRMWARE_LEN), RC_MALFORMED);
    p[table - 1] ^= 1; /* an entry of another GUID is passed over */
    ck_assert_int_eq(parse(&t, p, FIRMWARE_LEN), RC_OK);
    free(p);
}
END_TEST

START_TEST(a_firmware_over_the_maximum_is_refused)
{
    tdvf_t t;
    uint8_t *p = calloc(1, (size_t)TDVF_FIRMWARE_MAX + 1);
    ck_assert_int_eq(parse(&t, p, (size_t)TDVF_FIRMWARE_MAX + 1), RC_LIMIT);
    ck_assert_int_eq(parse(&t, p, TDVF_FIRMWARE_MAX), RC_MALFORMED);
    free(p);
}
END_TEST

/* appliance-facts E: the values of this file were found by a second implementation, too. */
START_TEST(mr_td_of_debians_firmware_is_the_known_one)
{
    static const char *const expected[2] = {
        [TDVF_PAGE_BY_PAGE] =
            "4c7206f0f483c524f12c366c711e9049030a8d47c471ee5aa9c4999a08de4057fb887fed0744d5631a212967fb231c47",
        [TDVF_PAGES_FIRST] =
            "acccbcc870a381adab0d3919d90a7f268ac3b0364771f202ed4bb4e892d045b33db3b32e6924cba830a724eed443f7e1",
    };
    char hex[97];
    uint8_t *p = malloc(DEBIAN_LEN + 1), digest[48];
    FILE *f = fopen(DEBIAN_OVMF, "rb");
    const size_t n = f && p ? fread(p, 1, DEBIAN_LEN + 1, f) : 0;
    hash32_t hash;
    tdvf_t t;
    if (f)
        fclose(f);
    sha256(&hash, view_of(p, n));
    hex_encode(hex, view_of(hash.b, 32));
    if (strcmp(hex, "7b456907dd0786d415999e801a1ac4637b8ed4d7cf5378cfc6edbe5e574dd773") != 0) {
        printf("skipped: %s: %s\n", DEBIAN_OVMF, n ? "is of another version" : "is not there");
    } else {
        ck_assert_int_eq(parse(&t, p, n), RC_OK);
        for (unsigned order = 0; order < 2; order++) {
            tdvf_mr_td(digest, &t, (tdvf_order_t)order);
            hex_encode(hex, view_of(digest, 48));
            ck_assert_str_eq(hex, expected[order]);
        }
        err_t e = { 0 }; /* and its second half alone is told to be one */
        const size_t half = DEBIAN_LEN - DEBIAN_VARS;
        ck_assert_int_eq(tdvf_parse(&t, &e, view_of(p + DEBIAN_VARS, half)), RC_MALFORMED);
        ck_assert_ptr_nonnull(strstr(e.text, "OVMF_VARS.fd"));
    }
    free(p);
}
END_TEST

int main(void)
{
    return UNIT_RUN("tdvf", mr_td_of_debians_firmware_is_the_known_one,
                    mr_td_is_the_hash_of_all_pages_and_measured_contents, mr_td_depends_on_the_order_of_sections,
                    an_augmented_section_adds_nothing_to_mr_td, each_measured_byte_changes_mr_td,
                    hand_off_blocks_are_those_of_real_machines, memory_is_split_at_two_gib_from_0xb0000000_on,
                    a_machine_without_room_for_the_firmware_is_refused, every_truncation_is_refused,
                    each_wrong_section_is_refused, there_is_a_maximum_of_sections,
                    each_wrong_byte_of_descriptor_and_table_is_refused, a_second_entry_for_metadata_is_refused,
                    a_firmware_over_the_maximum_is_refused);
}
