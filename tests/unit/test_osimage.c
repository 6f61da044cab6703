/* Measurement documents of dstack 0.6. The document, its registers and the three ACPI digests are those of a recorded
 * guest of 2 GiB (dstack verifier fixture tdx-lite-getquote.json); the checksum file that of dstack-nvidia-0.5.4.1. */
#include "tee/measure/osimage.h"

#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tests/unit/recorded_image.h"
#include "tests/unit/unit.h"

static uint8_t document[DOCUMENT_LEN + 1], acpi[MEASURE_ACPI_COUNT][48];

static void setup(void)
{
    ck_assert_int_eq(hex_decode_exact(document, DOCUMENT_LEN, document_hex, strlen(document_hex)), RC_OK);
    for (size_t i = 0; i < MEASURE_ACPI_COUNT; i++)
        ck_assert_int_eq(hex_decode_exact(acpi[i], 48, acpi_hex[i], 96), RC_OK);
}

static void check_hex(const uint8_t digest[48], const char *expected)
{
    char hex[97];
    hex_encode(hex, view_of(digest, 48));
    ck_assert_str_eq(hex, expected);
}

/* What n bytes of the document measure with 2 GiB. */
static rc_t measured(measurement_t *m, err_t *e, size_t n)
{
    osimage_t image;
    const rc_t rc = osimage_read(&image, e, view_of(document, n));
    return rc ? rc : osimage_measure(m, e, &image, 0x80000000u, (const uint8_t(*)[48])acpi);
}

static void refused(rc_t rc, const char *field)
{
    measurement_t m;
    err_t e = { 0 };
    ck_assert_int_eq(measured(&m, &e, DOCUMENT_LEN), rc);
    ck_assert_str_eq(e.field, field);
    ck_assert_str_ne(e.text, "");
    setup();
}

START_TEST(the_recorded_document_gives_the_recorded_registers)
{
    measurement_t m;
    err_t e = { 0 };
    hash32_t hash;
    char hex[65];
    sha256(&hash, view_of(document, DOCUMENT_LEN));
    hex_encode(hex, view_of(hash.b, 32));
    ck_assert_str_eq(hex, "8c9e955f0b577cc8945a891a34ccfa5b8e08bb5e5d249992603e64dd14870e3c");
    ck_assert_int_eq(measured(&m, &e, DOCUMENT_LEN), RC_OK);
    check_hex(m.mr_td[TDVF_PAGE_BY_PAGE], ONE_PASS);
    check_hex(m.mr_td[TDVF_PAGES_FIRST], TWO_PASSES);
    ck_assert(m.rtmr[0].known && m.rtmr[1].known && m.rtmr[2].known && !m.rtmr1_as_built.known);
    check_hex(m.rtmr[0].value, RTMR0);
    check_hex(m.rtmr[1].value, RTMR1);
    check_hex(m.rtmr[2].value, RTMR2);
}
END_TEST

START_TEST(without_acpi_digests_rtmr0_alone_is_unknown)
{
    osimage_t image;
    measurement_t m;
    err_t e = { 0 };
    ck_assert_int_eq(osimage_read(&image, &e, view_of(document, DOCUMENT_LEN)), RC_OK);
    ck_assert_int_eq(osimage_measure(&m, &e, &image, 4ull << 30, NULL), RC_OK);
    ck_assert(!m.rtmr[0].known && m.rtmr[1].known && m.rtmr[2].known);
    check_hex(m.rtmr[1].value, RTMR1);
}
END_TEST

START_TEST(memory_for_which_the_kernels_digest_is_not_known_is_refused)
{
    static const uint64_t refusals[] = { 0, 1u << 30, 0x80000000u - 4096, 0x80000000u + 4096, 0xb0000000u - 4096 };
    osimage_t image;
    measurement_t m;
    memset(&m, 0x5a, sizeof m);
    const measurement_t untouched = m;
    err_t e = { 0 };
    ck_assert_int_eq(osimage_read(&image, &e, view_of(document, DOCUMENT_LEN)), RC_OK);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        ck_assert_int_eq(osimage_measure(&m, &e, &image, refusals[i], NULL), RC_REFUSED);
    ck_assert_int_eq(osimage_measure(&m, &e, &image, 0xb0000001u, NULL), RC_REFUSED); /* no multiple of a page */
    ck_assert_mem_eq(&m, &untouched, sizeof m);
    ck_assert_int_eq(osimage_measure(&m, &e, &image, 0xb0000000u, NULL), RC_OK);
}
END_TEST

START_TEST(each_bit_of_the_document_changes_a_register_or_is_refused)
{
    measurement_t was, now;
    err_t e;
    ck_assert_int_eq(measured(&was, &e, DOCUMENT_LEN), RC_OK);
    for (size_t i = 0; i < DOCUMENT_LEN * 8; i++) {
        document[i / 8] ^= (uint8_t)(1u << i % 8);
        const rc_t rc = measured(&now, &e, DOCUMENT_LEN);
        ck_assert_msg(rc || memcmp(was.mr_td, now.mr_td, sizeof was.mr_td) != 0 ||
                          memcmp(was.rtmr[0].value, now.rtmr[0].value, 48) != 0 ||
                          memcmp(was.rtmr[1].value, now.rtmr[1].value, 48) != 0 ||
                          memcmp(was.rtmr[2].value, now.rtmr[2].value, 48) != 0,
                      "bit %zu", i);
        document[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}
END_TEST

START_TEST(a_document_that_is_cut_or_goes_on_is_refused)
{
    measurement_t m;
    err_t e = { 0 };
    for (size_t n = 0; n < DOCUMENT_LEN; n++)
        ck_assert_int_eq(measured(&m, &e, n), RC_MALFORMED);
    ck_assert_int_eq(measured(&m, &e, DOCUMENT_LEN + 1), RC_MALFORMED);
    ck_assert_int_eq(osimage_read(&(osimage_t){ 0 }, &e, view_of(document, OSIMAGE_LEN_MAX + 1)), RC_LIMIT);
}
END_TEST

START_TEST(the_member_at_fault_is_named)
{
    document[9] = 2; /* the version */
    refused(RC_UNSUPPORTED, "version");
    document[17] ^= 1; /* the first letter of cmdline_sha384 */
    refused(RC_MALFORMED, "image.cmdline_sha384");
    document[33] = 0x2f; /* its length, in CBOR's head */
    refused(RC_MALFORMED, "image.cmdline_sha384");
    document[DOCUMENT_LEN - 13] = 0x4d; /* the length of td_hob */
    refused(RC_MALFORMED, "tdvf.td_hob");
}
END_TEST

START_TEST(a_map_of_memory_that_is_none_is_refused)
{
    static const struct {
        size_t at;
        uint8_t byte;
        rc_t rc;
    } cases[] = {
        { 2, 0x08, RC_MALFORMED },  /* the hand-off block is no range */
        { 3, 33, RC_LIMIT },        /* so many ranges */
        { 3, 3, RC_MALFORMED },     /* bytes behind the last */
        { 3, 5, RC_MALFORMED },     /* cut off */
        { 4, 1, RC_MALFORMED },     /* the first does not begin at the base */
        { 5, 0, RC_MALFORMED },     /* empty */
        { 5, 10, RC_MALFORMED },    /* overlaps the next */
        { 10, 0x8f, RC_MALFORMED }, /* goes on in the next byte, which is another's */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        document[MAP_AT + cases[i].at] = cases[i].byte;
        refused(cases[i].rc, "tdvf.td_hob");
    }
    document[MAP_AT + 10] =
        0x80; /* 16 in two bytes, the second needless: in place of the last range's start and size */
    document[MAP_AT + 11] = 0x00;
    refused(RC_MALFORMED, "tdvf.td_hob");
}
END_TEST

/* --- the checksum file --- */

static const char sums[] = "76888ce69c91aed86c43f840b913899b40b981964b7ce6018667f91ad06301f0  ovmf.fd\n"
                           "e6fa48d3d894331e7b750484ee617f5f00b5695be8326f2a3ff906ef275abe8c  bzImage\n"
                           "4b935cdd58b22697cb5a1b789b59f6ef2337dd4e9f5acb1f29bf9ef4c5a05d4a  initramfs.cpio.gz\n"
                           "67ebcdef2e771dafc0d3a3f694dfb5e66563723d908b90705434cc898a81be96  metadata.json\n";

START_TEST(an_images_name_is_the_hash_of_its_checksum_file)
{
    static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n";
    hash32_t hash, whole;
    err_t e = { 0 };
    char hex[65], text[512];
    sha256(&whole, view_str(sums));
    hex_encode(hex, view_of(whole.b, 32));
    ck_assert_str_eq(hex, "86b181377635db21c415f9ece8cc8505f7d4936ad3be7043969005a8c4690c1a");
    ck_assert_int_eq(osimage_hash(&hash, &e, view_str(sums), "ovmf.fd", view_str("other bytes")), RC_REFUSED);
    ck_assert_int_eq(osimage_hash(&hash, &e, view_str(sums), "ovmf", view_str("")), RC_REFUSED);
    snprintf(text, sizeof text, "%s%s", sums, empty);
    ck_assert_int_eq(osimage_hash(&hash, &e, view_str(text), "empty", view_str("")), RC_OK);
    sha256(&whole, view_str(text));
    ck_assert_mem_eq(hash.b, whole.b, 32);
    snprintf(text, sizeof text, "%s%s", empty, empty);
    ck_assert_int_eq(osimage_hash(&hash, &e, view_str(text), "empty", view_str("")), RC_REFUSED); /* which one? */
}
END_TEST

START_TEST(a_checksum_file_of_another_form_is_refused)
{
    static const char *const texts[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty",    /* no end of line */
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 *empty\n",  /* another separator */
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  \n",       /* no name */
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8  empty\n",    /* too short */
        "0xb0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n",  /* not digits alone */
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty\n\n" /* an empty line */
    };
    hash32_t hash;
    err_t e = { 0 };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_int_eq(osimage_hash(&hash, &e, view_str(texts[i]), "empty", view_str("")), RC_MALFORMED);
    ck_assert_int_eq(osimage_hash(&hash, &e, view_of(sums, OSIMAGE_SUMS_MAX + 1), "empty", view_str("")), RC_LIMIT);
    ck_assert_int_eq(osimage_hash(&hash, &e, view_str(""), "empty", view_str("")), RC_REFUSED);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "osimage", setup, NULL, the_recorded_document_gives_the_recorded_registers,
        without_acpi_digests_rtmr0_alone_is_unknown, memory_for_which_the_kernels_digest_is_not_known_is_refused,
        each_bit_of_the_document_changes_a_register_or_is_refused, a_document_that_is_cut_or_goes_on_is_refused,
        the_member_at_fault_is_named, a_map_of_memory_that_is_none_is_refused,
        an_images_name_is_the_hash_of_its_checksum_file, a_checksum_file_of_another_form_is_refused);
}
