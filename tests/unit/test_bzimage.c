/* The kernel's digest. The literals come from an implementation of its own in another language, which was itself
 * checked on a distribution's signed kernel: without QEMU's patches its SHA-256 is the one in the signature. */
#include "tee/measure/bzimage.h"

#include "base/hex.h"
#include "tests/unit/image.h"
#include "tests/unit/unit.h"

#define MEMORY (4ull << 30)
#define INITRD 1000000u

static rc_t digest_of(uint8_t out[48], const uint8_t *p, size_t n, uint64_t memory, uint64_t initrd)
{
    err_t why = { 0 };
    rc_t rc = bzimage_digest(out, &why, view_of(p, n), memory, initrd, BZIMAGE_FILLED_IN);
    ck_assert(rc == RC_OK || why.text[0]);
    return rc;
}

static void check_digest(const uint8_t *kernel, uint64_t memory, uint64_t initrd, const char *expected)
{
    uint8_t digest[48];
    char hex[97];
    ck_assert_int_eq(digest_of(digest, kernel, KERNEL_LEN, memory, initrd), RC_OK);
    hex_encode(hex, view_of(digest, 48));
    ck_assert_str_eq(hex, expected);
}

START_TEST(the_digest_is_that_of_the_patched_kernel)
{
    uint8_t *p = image_kernel();
    check_digest(p, MEMORY, INITRD,
                 "64897ed4553ce07410a8de787d7e3c9e5f216718b62d96b3db95b087a8b57a873f3e62fe25b6fc285f0bda7e791fb4aa");
    check_digest(p, 0xb0000000u, INITRD,
                 "64897ed4553ce07410a8de787d7e3c9e5f216718b62d96b3db95b087a8b57a873f3e62fe25b6fc285f0bda7e791fb4aa");
    check_digest(p, 0x80000000u, INITRD,
                 "64897ed4553ce07410a8de787d7e3c9e5f216718b62d96b3db95b087a8b57a873f3e62fe25b6fc285f0bda7e791fb4aa");
    check_digest(p, 0xaffff000u, INITRD,
                 "1f4d6fd84420b6241d3458dfb3e12e820b17aa07d516db510977aa9162875d7b36039e4b586bccea7e5db61a58883220");
    check_digest(p, 512u << 20, INITRD,
                 "032730535b1d45f112713810caf6e7ce1e47eab12c4832829eb76abc298009a6a0b0b8eee5445068ab916ed1cd5eacca");
    free(p);
}
END_TEST

/* Newer hosts: neither memory nor initrd matter, and every byte that QEMU would write is measured. */
START_TEST(the_digest_as_built_is_that_of_the_file)
{
    uint8_t *p = image_kernel(), digest[48], other[48];
    char hex[97];
    ck_assert_int_eq(bzimage_digest(digest, NULL, view_of(p, KERNEL_LEN), MEMORY, INITRD, BZIMAGE_AS_BUILT), RC_OK);
    hex_encode(hex, view_of(digest, 48));
    ck_assert_str_eq(
        hex, "183d197fc7b612aae8ca6e5ab453dfd52505499631cfc12c35614370007a89c43723e9127de85fe8e8671c9b4248c305");
    ck_assert_int_eq(bzimage_digest(other, NULL, view_of(p, KERNEL_LEN), 512u << 20, 7, BZIMAGE_AS_BUILT), RC_OK);
    ck_assert_mem_eq(digest, other, 48);
    p[0x228] ^= 1; /* the place of the command line */
    ck_assert_int_eq(bzimage_digest(other, NULL, view_of(p, KERNEL_LEN), MEMORY, INITRD, BZIMAGE_AS_BUILT), RC_OK);
    ck_assert_mem_ne(digest, other, 48);
    p[0x202] ^= 1;
    ck_assert_int_eq(bzimage_digest(other, NULL, view_of(p, KERNEL_LEN), MEMORY, INITRD, BZIMAGE_AS_BUILT),
                     RC_MALFORMED);
    free(p);
}
END_TEST

START_TEST(the_place_of_the_initrd_follows_the_kernels_limit)
{
    uint8_t *p = image_kernel();
    p[0x236] = 0x7d; /* not above 4 GiB: the limit in the header holds */
    image_u32(p + 0x22c, 0x37ffffff);
    check_digest(p, MEMORY, INITRD,
                 "e511edceb752459c39a1a63b6f729f4a59884afbb42c41a04c524e8a25491ace203f84efb9cdf4d4efd700fcaca19d5d");
    free(p);
}
END_TEST

START_TEST(certificates_are_left_out_and_what_no_section_covers_is_not)
{
    uint8_t *p = image_kernel(), digest[48];
    image_u32(p + KERNEL_OPTIONAL + 112 + 32, KERNEL_LEN - 0x200);
    image_u32(p + KERNEL_OPTIONAL + 112 + 36, 0x200);
    ck_assert_int_eq(digest_of(digest, p, KERNEL_LEN, MEMORY, INITRD), RC_MALFORMED); /* the last section covers them */
    image_pe_section(p, 0, 0x1200, 0x300);
    check_digest(p, MEMORY, INITRD,
                 "83bc14ac7111c43c8d5c8ffe1fc83d07ebfd60177df4c943d52247af8a27d87a1e7c3ee77d0e8b80351e279ff8f44ff7");
    image_u32(p + KERNEL_OPTIONAL + 112 + 36, 0);
    check_digest(p, MEMORY, INITRD,
                 "b5eae43d3668116827b70492761e0ccd9cd2993bf76efc7a16e730cd5b5622db080b6f962dd1a79b0bb90c72ae9fcb9b");
    free(p);
}
END_TEST

START_TEST(every_byte_is_measured_but_what_authenticode_or_qemu_leaves_out)
{
    static const struct {
        size_t from, until;
    } free_ranges[] = {
        { KERNEL_OPTIONAL + 64, KERNEL_OPTIONAL + 68 },   /* checksum */
        { KERNEL_OPTIONAL + 144, KERNEL_OPTIONAL + 152 }, /* directory entry of the certificates */
        { 0x210, 0x211 },
        { 0x218, 0x220 },
        { 0x224, 0x22c }, /* written by QEMU */
    };
    uint8_t *p = image_kernel(), was[48], now[48];
    ck_assert_int_eq(digest_of(was, p, KERNEL_LEN, MEMORY, INITRD), RC_OK);
    for (size_t i = 0; i < KERNEL_LEN; i++) {
        bool left_out = false;
        for (size_t k = 0; k < sizeof free_ranges / sizeof free_ranges[0]; k++)
            left_out |= i >= free_ranges[k].from && i < free_ranges[k].until;
        p[i] ^= 0x40;
        rc_t rc = digest_of(now, p, KERNEL_LEN, MEMORY, INITRD);
        if (left_out)
            ck_assert_msg(rc != RC_OK || !memcmp(was, now, 48), "byte %zx is measured", i);
        else
            ck_assert_msg(rc != RC_OK || memcmp(was, now, 48) != 0, "byte %zx is not measured", i);
        p[i] ^= 0x40;
    }
    free(p);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    uint8_t *p = image_kernel(), digest[48];
    for (size_t n = 0; n < KERNEL_LEN; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, p, n);
        ck_assert_msg(digest_of(digest, cut, n, MEMORY, INITRD) != RC_OK, "the first %zu bytes", n);
        free(cut);
    }
    free(p);
}
END_TEST

START_TEST(each_wrong_header_is_refused)
{
    static const struct {
        const char *what;
        size_t at;
        uint32_t value;
        rc_t rc;
    } cases[] = {
        { "no DOS magic", 0, 0x00000000, RC_MALFORMED },
        { "its first letter alone", 0, 0x0000004d, RC_MALFORMED },
        { "PE header behind the head", 0x3c, 4096 - 23, RC_MALFORMED },
        { "PE header far away", 0x3c, 0xffffffff, RC_MALFORMED },
        { "no PE magic", KERNEL_PE, 0x00004550 + 1, RC_MALFORMED },
        { "its last byte is another", KERNEL_PE, 0x01004550, RC_MALFORMED },
        { "no setup header", 0x202, 0x53726449, RC_MALFORMED },
        { "its last letter is another", 0x202, 0x54726448, RC_MALFORMED },
        { "boot protocol 2.11", 0x206, 0x0000020b, RC_UNSUPPORTED },
        { "not loaded high", 0x210, 0x00000000, RC_UNSUPPORTED },
        { "32-bit", KERNEL_OPTIONAL, 0x10b, RC_UNSUPPORTED },
        { "headers shorter than the table of sections", KERNEL_OPTIONAL + 60, KERNEL_SECTIONS + 79, RC_MALFORMED },
        { "headers over a section", KERNEL_OPTIONAL + 60, KERNEL_HEADERS + 1, RC_MALFORMED },
        { "headers behind the file", KERNEL_OPTIONAL + 60, KERNEL_LEN + 1, RC_MALFORMED },
        { "optional header too short", KERNEL_PE + 20, 111, RC_MALFORMED },
        { "optional header without room for the directories", KERNEL_PE + 20, 151, RC_MALFORMED },
        { "optional header behind the head", KERNEL_PE + 20, 0xffff, RC_MALFORMED },
        { "97 sections", KERNEL_PE + 6, 97, RC_MALFORMED },
        { "section behind the file", KERNEL_SECTIONS + 16, KERNEL_LEN - 0x1200 + 1, RC_MALFORMED },
        { "section length that wraps", KERNEL_SECTIONS + 16, 0xffffffff, RC_MALFORMED },
        { "section at an offset that wraps", KERNEL_SECTIONS + 20, 0xfffffff0, RC_MALFORMED },
        { "sections overlap", KERNEL_SECTIONS + 20, 0x11ff, RC_MALFORMED },
        { "section over the headers", KERNEL_SECTIONS + 60, KERNEL_HEADERS - 1, RC_MALFORMED },
        { "certificates longer than the rest", KERNEL_OPTIONAL + 148, 1, RC_MALFORMED },
        { "certificates without end", KERNEL_OPTIONAL + 148, 0xffffffff, RC_MALFORMED },
        { "no room for certificates, as there are four directories", KERNEL_OPTIONAL + 108, 4, RC_OK },
    };
    uint8_t digest[48];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *p = image_kernel();
        image_u32(p + cases[i].at, cases[i].value);
        rc_t rc = digest_of(digest, p, KERNEL_LEN, MEMORY, INITRD);
        ck_assert_msg(rc == cases[i].rc, "%s: %s", cases[i].what, rc_name(rc));
        free(p);
    }
}
END_TEST

START_TEST(there_is_a_maximum_of_pe_sections)
{
    const size_t n = 0x3000;
    uint8_t *kernel = image_kernel(), *p = calloc(1, n), digest[48];
    memcpy(p, kernel, KERNEL_SECTIONS);
    memcpy(p + 0x202, kernel + 0x202, 0x36);
    free(kernel);
    image_u32(p + 0x3c, 0x300); /* the PE header behind the setup header */
    memcpy(p + 0x300, p + KERNEL_PE, KERNEL_SECTIONS - KERNEL_PE);
    image_u32(p + 0x300 + 24 + 60, 0x2000);
    p[0x300 + 6] = (uint8_t)BZIMAGE_SECTIONS_MAX;
    /* 96 sections do not fit behind 0x300 in the head. */
    ck_assert_int_eq(digest_of(digest, p, n, MEMORY, INITRD), RC_MALFORMED);
    p[0x300 + 6] = (uint8_t)(BZIMAGE_SECTIONS_MAX - 30);
    ck_assert_int_eq(digest_of(digest, p, n, MEMORY, INITRD), RC_OK);
    p[0x300 + 6] = (uint8_t)(BZIMAGE_SECTIONS_MAX + 1);
    image_u32(p + 0x300 + 24 + 60, 0x3000);
    ck_assert_int_eq(digest_of(digest, p, n, MEMORY, INITRD), RC_LIMIT);
    free(p);
}
END_TEST

START_TEST(an_initrd_that_does_not_fit_is_refused)
{
    const uint64_t most = 0x80000000u - 0x28000u - 1;
    uint8_t *p = image_kernel(), digest[48];
    ck_assert_int_eq(digest_of(digest, p, KERNEL_LEN, MEMORY, most - 1), RC_OK);
    ck_assert_int_eq(digest_of(digest, p, KERNEL_LEN, MEMORY, most), RC_REFUSED);
    ck_assert_int_eq(digest_of(digest, p, KERNEL_LEN, MEMORY, UINT64_MAX), RC_REFUSED);
    ck_assert_int_eq(digest_of(digest, p, KERNEL_LEN, 0x28000, 1), RC_REFUSED);
    ck_assert_int_eq(digest_of(digest, p, KERNEL_LEN, 0, 1), RC_REFUSED);
    free(p);
}
END_TEST

START_TEST(a_kernel_over_the_maximum_is_refused)
{
    uint8_t *p = calloc(1, (size_t)BZIMAGE_MAX + 1), digest[48];
    ck_assert_int_eq(digest_of(digest, p, (size_t)BZIMAGE_MAX + 1, MEMORY, INITRD), RC_LIMIT);
    ck_assert_int_eq(digest_of(digest, p, BZIMAGE_MAX, MEMORY, INITRD), RC_MALFORMED);
    free(p);
}
END_TEST

int main(void)
{
    return UNIT_RUN("bzimage", the_digest_is_that_of_the_patched_kernel, the_digest_as_built_is_that_of_the_file,
                    the_place_of_the_initrd_follows_the_kernels_limit,
                    certificates_are_left_out_and_what_no_section_covers_is_not,
                    every_byte_is_measured_but_what_authenticode_or_qemu_leaves_out, every_truncation_is_refused,
                    each_wrong_header_is_refused, there_is_a_maximum_of_pe_sections,
                    an_initrd_that_does_not_fit_is_refused, a_kernel_over_the_maximum_is_refused);
}
