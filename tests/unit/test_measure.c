/* Registers of an image. RTMR0 is that of a real machine: dstack verifier fixture quote-report.json (64 GiB, 16
 * processors, a GPU), whose memory map, configuration volume and variables are rebuilt here; only its ACPI digests are
 * taken over. */
#include "tee/measure/measure.h"

#include "base/hex.h"
#include "tests/unit/image.h"
#include "tests/unit/unit.h"

#define CFV_LEN 0x84000u
#define BFV_LEN 0x2000u
#define FIRMWARE_LEN (CFV_LEN + BFV_LEN)
#define MEMORY (64ull << 30)

static const image_section_t sections[] = {
    { CFV_LEN, BFV_LEN, 0xffffe000, BFV_LEN, TDVF_BFV, 1 },
    { 0, CFV_LEN, 0xffc00000, CFV_LEN, TDVF_CFV, 0 },
    { 0, 0, 0x810000, 0x10000, TDVF_TEMP_MEM, 0 },
    { 0, 0, 0x80b000, 0x2000, TDVF_TEMP_MEM, 0 },
    { 0, 0, 0x809000, 0x2000, TDVF_TD_HOB, 0 },
    { 0, 0, 0x800000, 0x6000, TDVF_TEMP_MEM, 0 },
};

/* Digests of the fixture's log, in order. */
static const char *const rtmr0[] = {
    "8ae1e425351df7992c444586eff99d35af3b779aa2b0e981cb4b73bc5b279f2ade19b6a62a203fc3c3bbdaae80af596d",
    "344bc51c980ba621aaa00da3ed7436f7d6e549197dfe699515dfa2c6583d95e6412af21c097d473155875ffd561d6790",
    "9dc3a1f80bcec915391dcda5ffbb15e7419f77eab462bbf72b42166fb70d50325e37b36f93537a863769bcf9bedae6fb",
    "6f2e3cbc14f9def86980f5f66fd85e99d63e69a73014ed8a5633ce56eca5b64b692108c56110e22acadcef58c3250f1b",
    "d607c0efb41c0d757d69bca0615c3a9ac0b1db06c557d992e906c6b7dee40e0e031640c7bfd7bcd35844ef9edeadc6f9",
    "08a74f8963b337acb6c93682f934496373679dd26af1089cb4eaf0c30cf260a12e814856385ab8843e56a9acea19e127",
    "18cc6e01f0c6ea99aa23f8a280423e94ad81d96d0aeb5180504fc0f7a40cb3619dd39bd6a95ec1680a86ed6ab0f9828d",
    "394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae41019f5818b4b971c9effc60e1ad9f1289f0",
    "2065dd48d647e4377db277ba203526901a17845e93e0df4c2dfc3ce136e0910324ead1e1c86b8d90c2acdf9c85ffac53",
    "772b0169c66b52e4453fff9e3c6257635ea950ebcc8edd7ef2e2f8241cf6a155f39df01a7c7a194b6bc0abe5de11861d",
    "abfb2256644b5786eefdcb92303d2008c36cb9500d98997e215ef5080745d4bf2e5b3629090918e193e7f05b173d48c5",
    "1dd6f7b457ad880d840d41c961283bab688e94e4b59359ea45686581e90feccea3c624b1226113f824f315eb60ae0a7c",
    "23ada07f5261f12f34a0bd8e46760962d6b4d576a416f1fea1c64bc656b1d28eacf7047ae6e967c58fd2a98bfa74c298",
};
#define RTMR0_EVENTS 13u
#define RTMR0_VALUE "2e3843265f8ecdd4e2282694747f6f2f111605c33f2a8882f5734ee6f3a6ce63d8f34aeef06093dcda76fa5f9d33d8d6"

static const char *const rtmr1_behind_the_kernel[] = {
    "77a0dab2312b4e1e57a84d865a21e5b2ee8d677a21012ada819d0a98988078d3d740f6346bfe0abaa938ca20439a8d71",
    "394341b7182cd227c5c6b07ef8000cdfd86136c4292b8e576573ad7ed9ae41019f5818b4b971c9effc60e1ad9f1289f0",
    "214b0bef1379756011344877743fdc2a5382bac6e70362d624ccf3f654407c1b4badf7d8f9295dd3dabdef65b27677e0",
    "0a2e01c85deae718a530ad8c6d20a84009babe6c8989269e950d8cf440c6e997695e64d455c4174a652cd080f6230b74",
};

static uint8_t *firmware, *kernel;
static uint8_t initrd[5000];

/* The variable store of OVMF as it is built, for a flash of 4 MiB: a firmware volume's header, an empty store, an empty
 * log of writes. */
static void put_empty_store(uint8_t *p)
{
    static const uint8_t volume[0x48] = {
        0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
        0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50, /* GUID */
        0x00, 0x40, 0x08, 0,    0,    0,    0,    0,    '_',  'F',  'V',  'H',  0xff, 0xfe, 0x04, 0x00, /* length */
        0x48, 0x00, 0xaf, 0xb8, 0x00, 0x00, 0x00, 0x02, 0x84, 0,    0,    0,    0x00, 0x10, 0,    0,    /* blocks */
    };
    static const uint8_t store[] = {
        0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92, /* GUID */
        0xb8, 0xff, 0x03, 0x00, 0x5a, 0xfe, 0,    0,    0,    0,    0,    0,
    };
    static const uint8_t writes[] = {
        0x2b, 0x29, 0x58, 0x9e, 0x68, 0x7c, 0x7d, 0x49, 0xa0, 0xce, 0x65, 0x00, 0xfd, 0x9f, 0x1b, 0x95, /* GUID */
        0x2c, 0xaf, 0x2c, 0x64, 0xfe, 0xff, 0xff, 0xff, 0xe0, 0x0f, 0,    0,    0,    0,    0,    0,
    };
    memset(p, 0xff, CFV_LEN);
    memcpy(p, volume, sizeof volume);
    memcpy(p + sizeof volume, store, sizeof store);
    memcpy(p + 0x41000, writes, sizeof writes);
}

static void setup(void)
{
    firmware = image_firmware(FIRMWARE_LEN, sections, sizeof sections / sizeof sections[0]);
    put_empty_store(firmware);
    kernel = image_kernel();
    for (size_t i = 0; i < sizeof initrd; i++)
        initrd[i] = image_byte(i);
}

static void teardown(void)
{
    free(firmware);
    free(kernel);
}

static void unhex(uint8_t out[48], const char *hex)
{
    ck_assert_int_eq(hex_decode_exact(out, 48, hex, strlen(hex)), RC_OK);
}

static measure_image_t usual(bool has_acpi)
{
    measure_image_t in = { .firmware = view_of(firmware, FIRMWARE_LEN),
                           .kernel = view_of(kernel, KERNEL_LEN),
                           .initrd = view_of(initrd, sizeof initrd),
                           .cmdline = view_str("console=ttyS0 quiet"),
                           .memory = MEMORY,
                           .has_acpi = has_acpi };
    for (size_t i = 0; has_acpi && i < MEASURE_ACPI_COUNT; i++)
        unhex(in.acpi[i], rtmr0[8 + i]);
    return in;
}

static rc_t measure(measurement_t *m, const measure_image_t *in)
{
    err_t why = { 0 };
    rc_t rc = measure_image(m, &why, in);
    ck_assert(rc == RC_OK || why.text[0]);
    return rc;
}

static void check_hex(const uint8_t digest[48], const char *expected)
{
    char hex[97];
    hex_encode(hex, view_of(digest, 48));
    ck_assert_str_eq(hex, expected);
}

START_TEST(rtmr0_is_that_of_a_real_machine)
{
    const measure_image_t in = usual(true);
    measurement_t m;
    ck_assert_int_eq(measure(&m, &in), RC_OK);
    ck_assert_uint_eq(m.rtmr[0].count, RTMR0_EVENTS);
    for (size_t i = 0; i < RTMR0_EVENTS; i++) {
        ck_assert(m.rtmr[0].events[i].known);
        check_hex(m.rtmr[0].events[i].digest, rtmr0[i]);
    }
    ck_assert(m.rtmr[0].known);
    check_hex(m.rtmr[0].value, RTMR0_VALUE);
}
END_TEST

/* The same firmware, 2 GiB: dstack verifier fixture tdx-lite-getquote.json. */
START_TEST(rtmr0_is_that_of_another_real_machine)
{
    static const char *const acpi[] = {
        "095d04cf26fe03aef6e3561fa24c1aa1cea93f4aeaf563b1f9f7616184c53454875925759434769cec2490acb563a337",
        "8d9a4d4777a1bc77ecd9d8d37a4628129a80052a510320159a20a923bd07a0e90d8d1f2e1ebf088992b25f0d0fa672ef",
        "3070721e169bc41884724cb0e6b3082e1baf249083d8b389181ba50b9afa951057876c380b8870e8c2facf2eff67a2b6",
    };
    measure_image_t in = usual(true);
    measurement_t m;
    in.memory = 2ull << 30;
    for (size_t i = 0; i < MEASURE_ACPI_COUNT; i++)
        unhex(in.acpi[i], acpi[i]);
    ck_assert_int_eq(measure(&m, &in), RC_OK);
    check_hex(m.rtmr[0].value,
              "f8438db36b96f85d8752ff7f24a89ec05c79ec9eda2ba732c897fb970ca429365b7471b1c054cb84f17b1c2b23ba6640");
}
END_TEST

START_TEST(without_acpi_digests_rtmr0_is_unknown_and_all_else_is_known)
{
    const measure_image_t in = usual(false), with = usual(true);
    static const uint8_t zero[48];
    measurement_t m, known;
    ck_assert_int_eq(measure(&m, &in), RC_OK);
    ck_assert_int_eq(measure(&known, &with), RC_OK);
    ck_assert(!m.rtmr[0].known && m.rtmr[1].known && m.rtmr[2].known);
    ck_assert_mem_eq(m.rtmr[0].value, zero, 48);
    ck_assert_uint_eq(m.rtmr[0].count, RTMR0_EVENTS);
    for (size_t i = 0; i < RTMR0_EVENTS; i++)
        ck_assert_int_eq(m.rtmr[0].events[i].known, i < 8 || i > 10);
    ck_assert_mem_eq(m.mr_td, known.mr_td, sizeof m.mr_td);
    ck_assert_mem_eq(m.rtmr[1].value, known.rtmr[1].value, 48);
    ck_assert_mem_eq(m.rtmr[2].value, known.rtmr[2].value, 48);
}
END_TEST

START_TEST(rtmr1_and_rtmr2_are_the_known_ones)
{
    const measure_image_t in = usual(false);
    measurement_t m;
    ck_assert_int_eq(measure(&m, &in), RC_OK);
    ck_assert_uint_eq(m.rtmr[1].count, 5);
    check_hex(m.rtmr[1].events[0].digest,
              "7d21bd35e96f9a37070646fce16618a75506ced13ad30d6ab1674f8607f5f5d3a33471079b242f4b310b7e20249bda18");
    for (size_t i = 1; i < 5; i++)
        check_hex(m.rtmr[1].events[i].digest, rtmr1_behind_the_kernel[i - 1]);
    check_hex(m.rtmr[1].value,
              "9ddc4de3334e91a4888c9a070dc02f7925094a0a9d67016a76e5eafd0a02ccc5a07cf118c555fec4bc88d579f997cdc4");
    ck_assert_uint_eq(m.rtmr[2].count, 2);
    check_hex(m.rtmr[2].events[0].digest,
              "84d8bb0cdce30e79de0d21467e3ded56bd08e8486e8d907178e8c8fadb3a8b08c5ddc0bab090b78b814fc71fbcc1dcc6");
    check_hex(m.rtmr[2].events[1].digest,
              "868a8dc517a51fdd106cccaa8eb7e6fca6270c3809ac333580925b04de595be2817a6cc29bb5a06907cf1144622f116e");
    check_hex(m.rtmr[2].value,
              "eb6a29615319700c9eec0cd02d4dcd5c86be03d81bd20004a1bf7c585a76d2260f5d1f42be46b9e7f68f7a47b4d89a18");
    check_hex(m.mr_td[TDVF_PAGE_BY_PAGE],
              "a0b42e2f5dda7bfac8a6855b42535613239ac2b19bf0b04e55eeeca65bdb8d90e000097adcc34af353782cbf172387f6");
    check_hex(m.mr_td[TDVF_PAGES_FIRST],
              "2049b365b9f3ae606a104f2cce835b82ea7664ef2dd5e6d4b9759b699555c420e21366bc803a8e07a2b6ba21260b76a7");
}
END_TEST

START_TEST(each_input_changes_the_registers_that_measure_it_and_no_other)
{
    static const struct {
        const char *what;
        unsigned changed; /* bits: MRTD, RTMR0, RTMR1, RTMR2 */
    } cases[] = {
        { "boot volume", 1 }, { "configuration volume", 2 },     { "memory", 2 }, { "ACPI tables", 2 },
        { "kernel", 4 },      { "length of the initrd", 4 | 8 }, { "initrd", 8 }, { "command line", 8 },
    };
    measure_image_t in = usual(true);
    measurement_t was, now;
    ck_assert_int_eq(measure(&was, &in), RC_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        teardown();
        setup();
        in = usual(true);
        switch (i) {
        case 0: firmware[CFV_LEN + 5] ^= 1; break;
        case 1: firmware[CFV_LEN - 1] ^= 1; break;
        case 2: in.memory += 1u << 30; break;
        case 3: in.acpi[MEASURE_ACPI_TABLES][47] ^= 1; break;
        case 4: kernel[KERNEL_LEN - 1] ^= 1; break;
        case 5: in.initrd.n--; break;
        case 6: initrd[0] ^= 1; break;
        default: in.cmdline = view_str("console=ttyS0 quieT"); break;
        }
        ck_assert_int_eq(measure(&now, &in), RC_OK);
        unsigned changed = memcmp(was.mr_td, now.mr_td, sizeof was.mr_td) != 0;
        for (unsigned k = 0; k < 3; k++)
            changed |= (memcmp(was.rtmr[k].value, now.rtmr[k].value, 48) ? 2u : 0u) << k;
        ck_assert_msg(changed == cases[i].changed, "%s changes %x", cases[i].what, changed);
    }
}
END_TEST

START_TEST(inputs_that_cannot_be_measured_are_refused)
{
    static char longest[MEASURE_CMDLINE_MAX + 1];
    measurement_t m;
    measure_image_t in = usual(true);
    memset(longest, 'a', sizeof longest);
    memset(&m, 0x5a, sizeof m);
    const measurement_t untouched = m;

    in.initrd.n = 0;
    ck_assert_int_eq(measure(&m, &in), RC_MALFORMED);
    in.initrd.n = (size_t)MEASURE_INITRD_MAX + 1; /* never read */
    ck_assert_int_eq(measure(&m, &in), RC_LIMIT);
    in = usual(true);
    in.memory = 4096;
    ck_assert_int_eq(measure(&m, &in), RC_REFUSED);
    in = usual(true);
    in.cmdline = view_str("root=\xc3\xa4");
    ck_assert_int_eq(measure(&m, &in), RC_MALFORMED);
    in.cmdline = view_str("quiet\n");
    ck_assert_int_eq(measure(&m, &in), RC_MALFORMED);
    in.cmdline = view_str("quiet vga=791");
    ck_assert_int_eq(measure(&m, &in), RC_UNSUPPORTED);
    in.cmdline = view_of(longest, MEASURE_CMDLINE_MAX - strlen(" initrd=initrd") + 1);
    ck_assert_int_eq(measure(&m, &in), RC_LIMIT);
    ck_assert_mem_eq(&m, &untouched, sizeof m);
    in.cmdline.n--;
    ck_assert_int_eq(measure(&m, &in), RC_OK);
    in.cmdline.n = 0; /* the firmware's suffix alone */
    ck_assert_int_eq(measure(&m, &in), RC_OK);
}
END_TEST

/* --- against a log --- */

static event_t events[24];

static eventlog_t real_log(const measurement_t *m)
{
    size_t n = 0;
    for (size_t i = 0; i < RTMR0_EVENTS; i++) {
        events[n] = (event_t){ .imr = 0, .type = i >= 8 && i <= 10 ? 10 : 0x80000001u };
        unhex(events[n++].digest, rtmr0[i]);
        if (i < 5) { /* registers are mixed in a log */
            events[n] = (event_t){ .imr = 1, .type = i ? 0x80000007u : 0x80000003u };
            memcpy(events[n++].digest, m->rtmr[1].events[i].digest, 48);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        events[n] = (event_t){ .imr = 2, .type = 6 };
        memcpy(events[n++].digest, m->rtmr[2].events[i].digest, 48);
    }
    return (eventlog_t){ events, n, n };
}

START_TEST(acpi_digests_come_from_a_log_that_has_exactly_three)
{
    measure_image_t in = usual(false);
    measurement_t m;
    err_t why = { 0 };
    ck_assert_int_eq(measure(&m, &in), RC_OK);
    eventlog_t log = real_log(&m);
    ck_assert_int_eq(measure_take_acpi(in.acpi, &why, &log), RC_OK);
    in.has_acpi = true;
    ck_assert_int_eq(measure(&m, &in), RC_OK);
    check_hex(m.rtmr[0].value, RTMR0_VALUE);
    for (unsigned imr = 0; imr < 3; imr++)
        ck_assert_uint_eq(measure_differs(&m, &log, imr), MEASURE_SAME);

    events[0].type = 10; /* a fourth */
    ck_assert_int_eq(measure_take_acpi(in.acpi, &why, &log), RC_REFUSED);
    log = real_log(&m);
    events[13].imr = 1; /* the loader's, in another register */
    ck_assert_int_eq(measure_take_acpi(in.acpi, &why, &log), RC_REFUSED);
    ck_assert_str_ne(why.text, "");
}
END_TEST

START_TEST(the_event_in_which_a_log_differs_is_told)
{
    const measure_image_t in = usual(true), unknown = usual(false);
    measurement_t m;
    ck_assert_int_eq(measure(&m, &unknown), RC_OK);
    eventlog_t log = real_log(&m);
    ck_assert_uint_eq(measure_differs(&m, &log, 0), 8); /* what is not known differs */
    ck_assert_int_eq(measure(&m, &in), RC_OK);
    for (size_t i = 0; i < log.count; i++)
        if (events[i].imr == 1 && !memcmp(events[i].digest, m.rtmr[1].events[0].digest, 48))
            memcpy(events[i].digest, m.rtmr1_as_built.events[0].digest, 48); /* as a newer host has it */
    ck_assert_uint_eq(measure_differs(&m, &log, 1), MEASURE_SAME);
    ck_assert_mem_ne(m.rtmr[1].value, m.rtmr1_as_built.value, 48);
    ck_assert(m.rtmr1_as_built.known);
    check_hex(m.rtmr1_as_built.value,
              "e12f151b530a33fb4b8286566f464cf437eb8859efbe0625bee049f24854e58cf469c315a20c3eb06816a74b9451735e");
    log = real_log(&m);
    events[2].digest[0] ^= 1; /* the second of register 0 */
    ck_assert_uint_eq(measure_differs(&m, &log, 0), 1);
    ck_assert_uint_eq(measure_differs(&m, &log, 1), MEASURE_SAME);
    log = real_log(&m);
    log.count--; /* the initrd is missing */
    ck_assert_uint_eq(measure_differs(&m, &log, 2), 1);
    log.count++;
    events[log.count++] = (event_t){ .imr = 2 }; /* one more than computed */
    ck_assert_uint_eq(measure_differs(&m, &log, 2), 2);
    log.count = 0;
    ck_assert_uint_eq(measure_differs(&m, &log, 1), 0);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "measure", setup, teardown, rtmr0_is_that_of_a_real_machine, rtmr0_is_that_of_another_real_machine,
        without_acpi_digests_rtmr0_is_unknown_and_all_else_is_known, rtmr1_and_rtmr2_are_the_known_ones,
        each_input_changes_the_registers_that_measure_it_and_no_other, inputs_that_cannot_be_measured_are_refused,
        acpi_digests_come_from_a_log_that_has_exactly_three, the_event_in_which_a_log_differs_is_told);
}
