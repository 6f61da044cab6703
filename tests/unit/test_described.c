/* What a guest of dstack 0.6 says of its image, and policies that name it: a recorded guest, and that guest with one thing changed. */
#include "tee/measure/described.h"

#include <stdio.h>

#include "base/crypto/base64.h"
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tests/unit/policy_texts.h"
#include "tests/unit/recorded_image.h"
#include "tests/unit/unit.h"

#define ACPI_EVENT 10u /* EV_PLATFORM_CONFIG_FLAGS */
#define TWO_GIB 0x80000000u
#define OTHER_HASH                                                                                                     \
    "07a2388c7a6a1b6a646d443f1517990a4ec294471d63146cda9d56972765051d" /* the guest's os-image-hash event */
#define NONE "{\"memory_size\":2147483648}"

static uint8_t document[DOCUMENT_LEN], acpi[MEASURE_ACPI_COUNT][48], regs[5][48], zeros[48], attributes[8];
static char sums[256], vm_config[4096];
static quote_t quote;
static tcb_grade_t grade;
static event_t events[MEASURE_ACPI_COUNT];
static eventlog_t eventlog;
static policy_subject_t subject;

/* As the host writes it for the guest. */
static void write_config(uint64_t memory)
{
    char text[2 * DOCUMENT_LEN], list[512];
    base64_encode(text, view_of(document, DOCUMENT_LEN));
    base64_encode(list, view_str(sums));
    snprintf(
        vm_config, sizeof vm_config,
        "{\"os_image_hash\":\"" OS_IMAGE_HASH "\",\"cpu_count\":2,\"memory_size\":%llu,\"qemu_version\":\"8.2.2\","
        "\"tdx_attestation_variant\":\"lite\",\"tdx_measurement\":{\"measurement\":\"%s\",\"checksum_file\":\"%s\"},"
        "\"spec_version\":1}",
        (unsigned long long)memory, text, list);
    subject.vm_config = view_str(vm_config);
}

static void setup(void)
{
    static const char *const hex[5] = { TWO_PASSES, RTMR0, RTMR1, RTMR2, REG("0") };
    ck_assert_int_eq(hex_decode_exact(document, DOCUMENT_LEN, document_hex, strlen(document_hex)), RC_OK);
    for (size_t i = 0; i < MEASURE_ACPI_COUNT; i++) {
        ck_assert_int_eq(hex_decode_exact(acpi[i], 48, acpi_hex[i], 96), RC_OK);
        events[i] = (event_t){ .imr = 0, .type = ACPI_EVENT };
        memcpy(events[i].digest, acpi[i], 48);
    }
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(hex_decode_exact(regs[i], 48, hex[i], 96), RC_OK);
    attributes[3] = 0x10;
    quote = (quote_t){ .td = { .td_attributes = attributes,
                               .xfam = zeros,
                               .mr_td = regs[0],
                               .mr_config_id = zeros,
                               .mr_owner = zeros,
                               .mr_owner_config = zeros,
                               .mr_service_td = zeros,
                               .rtmr = { regs[1], regs[2], regs[3], regs[4] } } };
    grade = (tcb_grade_t){ .status = TCB_UP_TO_DATE, .platform = TCB_UP_TO_DATE };
    eventlog = (eventlog_t){ events, MEASURE_ACPI_COUNT, MEASURE_ACPI_COUNT };
    subject = (policy_subject_t){ .quote = &quote, .grade = &grade, .log = &eventlog };
    strcpy(sums, CHECKSUMS);
    write_config(TWO_GIB);
}

/* ---- reading ---- */

START_TEST(a_recorded_guest_is_read)
{
    static described_t d;
    char hex[97];
    err_t e = { 0 };
    ck_assert_msg(described_read(&d, &e, view_str(vm_config)) == RC_OK, "%s: %s", e.field, e.text);
    hex_encode(hex, view_of(d.hash.b, 32));
    ck_assert_str_eq(hex, OS_IMAGE_HASH);
    ck_assert_uint_eq(d.memory, TWO_GIB);
    ck_assert_mem_eq(d.m.rtmr[1].value, regs[2], 48);
    ck_assert_mem_eq(d.m.rtmr[2].value, regs[3], 48);
    ck_assert(!d.m.rtmr[0].known);
    ck_assert(described_rtmr0_is(&d, (const uint8_t(*)[48])acpi, regs[1]));
    acpi[2][47] ^= 1;
    ck_assert(!described_rtmr0_is(&d, (const uint8_t(*)[48])acpi, regs[1]));
}
END_TEST

START_TEST(what_is_wrong_in_a_configuration_is_named)
{
    static const struct {
        const char *json, *field;
        rc_t rc;
    } rows[] = {
        { "", "", RC_REFUSED },
        { "[]", "", RC_MALFORMED },
        { "{", "", RC_MALFORMED },
        { "{}", "memory_size", RC_MALFORMED },
        { "{\"memory_size\":\"2147483648\"}", "memory_size", RC_MALFORMED },
        { "{\"memory_size\":0}", "memory_size", RC_MALFORMED },
        { NONE, "tdx_measurement", RC_MALFORMED },
        { "{\"memory_size\":2147483648,\"tdx_measurement\":7}", "tdx_measurement", RC_MALFORMED },
        { "{\"memory_size\":2147483648,\"tdx_measurement\":{}}", "tdx_measurement.measurement", RC_MALFORMED },
        { "{\"memory_size\":2147483648,\"tdx_measurement\":{\"measurement\":\"o2c=\"}}",
          "tdx_measurement.checksum_file", RC_MALFORMED },
        { "{\"memory_size\":2147483648,\"tdx_measurement\":{\"measurement\":\"!\",\"checksum_file\":\"YQ==\"}}",
          "tdx_measurement.measurement", RC_MALFORMED },
        { "{\"memory_size\":2147483648,\"tdx_measurement\":{\"measurement\":\"o2c=\",\"checksum_file\":\"YQ==\"}}",
          "tdx_measurement.checksum_file", RC_MALFORMED },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        static described_t d;
        err_t e = { 0 };
        const rc_t rc = described_read(&d, &e, view_str(rows[i].json));
        ck_assert_msg(rc == rows[i].rc && !strcmp(e.field, rows[i].field) && e.text[0], "%s: %s %s %s", rows[i].json,
                      rc_name(rc), e.field, e.text);
    }
}
END_TEST

START_TEST(a_configuration_that_is_cut_is_refused)
{
    const size_t n = strlen(vm_config);
    static described_t d;
    for (size_t i = 0; i < n; i++)
        ck_assert_int_ne(described_read(&d, NULL, view_of(vm_config, i)), RC_OK);
}
END_TEST

/* ---- judging ---- */

#define ENTRY(hash, acpi) "{\"name\":\"one\",\"dstack_image\":{\"os_image_hash\":\"" hash "\",\"acpi\":" acpi "}}"
#define POLICY(entry) "{" LIST ",\"images\":[" entry "]}"
#define ANY "\"unverified\""
#define LISTED                                                                                                         \
    "[\"095d04cf26fe03aef6e3561fa24c1aa1cea93f4aeaf563b1f9f7616184c53454875925759434769cec2490acb563a337\","           \
    "\"8d9a4d4777a1bc77ecd9d8d37a4628129a80052a510320159a20a923bd07a0e90d8d1f2e1ebf088992b25f0d0fa672ef\","            \
    "\"3070721e169bc41884724cb0e6b3082e1baf249083d8b389181ba50b9afa951057876c380b8870e8c2facf2eff67a2b6\"]"
#define SWAPPED                                                                                                        \
    "[\"8d9a4d4777a1bc77ecd9d8d37a4628129a80052a510320159a20a923bd07a0e90d8d1f2e1ebf088992b25f0d0fa672ef\","           \
    "\"095d04cf26fe03aef6e3561fa24c1aa1cea93f4aeaf563b1f9f7616184c53454875925759434769cec2490acb563a337\","            \
    "\"3070721e169bc41884724cb0e6b3082e1baf249083d8b389181ba50b9afa951057876c380b8870e8c2facf2eff67a2b6\"]"
#define OTHERS "[\"" REG("1") "\",\"" REG("2") "\",\"" REG("3") "\"]"
#define TWO_SHAPES                                                                                                     \
    "[\"" REG("1") "\",\"" REG("2") "\",\"" REG(                                                                       \
        "3") "\","                                                                                                     \
             "\"095d04cf26fe03aef6e3561fa24c1aa1cea93f4aeaf563b1f9f7616184c53454875925759434769cec2490acb563a337\","   \
             "\"8d9a4d4777a1bc77ecd9d8d37a4628129a80052a510320159a20a923bd07a0e90d8d1f2e1ebf088992b25f0d0fa672ef\","   \
             "\"3070721e169bc41884724cb0e6b3082e1baf249083d8b389181ba50b9afa951057876c380b8870e8c2facf2eff67a2b6\"]"
/* Loader and RSDP of one shape, tables of another. */
#define MIXED                                                                                                          \
    "[\"095d04cf26fe03aef6e3561fa24c1aa1cea93f4aeaf563b1f9f7616184c53454875925759434769cec2490acb563a337\","           \
    "\"8d9a4d4777a1bc77ecd9d8d37a4628129a80052a510320159a20a923bd07a0e90d8d1f2e1ebf088992b25f0d0fa672ef\","            \
    "\"" REG("3") "\",\"" REG("1") "\",\"" REG(                                                                        \
        "2") "\",\"3070721e169bc41884724cb0e6b3082e1baf249083d8b389181ba50b9afa951057876c380b8870e8c2facf2eff67a2b6\"]"

/* The digests of one shape, across the bounds of two. */
#define SHIFTED                                                                                                        \
    "[\"" REG(                                                                                                         \
        "1") "\","                                                                                                     \
             "\"095d04cf26fe03aef6e3561fa24c1aa1cea93f4aeaf563b1f9f7616184c53454875925759434769cec2490acb563a337\","   \
             "\"8d9a4d4777a1bc77ecd9d8d37a4628129a80052a510320159a20a923bd07a0e90d8d1f2e1ebf088992b25f0d0fa672ef\","   \
             "\"3070721e169bc41884724cb0e6b3082e1baf249083d8b389181ba50b9afa951057876c380b8870e8c2facf2eff67a2b6\","   \
             "\"" REG("2") "\","                                                                                       \
                           "\"" REG("3") "\"]"

/* TEE_OK or the code; what it says in said. */
static tee_code_t judge(const char *json, policy_acpi_t *of, const char **said)
{
    static err_t e;
    policy_match_t match = { "untouched", POLICY_ACPI_MEASURED };
    policy_t *p = NULL;
    e = (err_t){ 0 };
    ck_assert_msg(policy_read_consumer(&p, &e, view_str(json)) == RC_OK, "%s: %s", e.field, e.text);
    const rc_t rc = policy_check(p, &match, &e, &subject);
    ck_assert_str_eq(match.image, rc ? "untouched" : "one");
    policy_free(p);
    if (of)
        *of = match.acpi;
    if (said)
        *said = e.text;
    return rc ? e.code : TEE_OK;
}

#define ck_judged(json, code) ck_assert_int_eq(judge(json, NULL, NULL), code)

START_TEST(the_recorded_guest_is_admitted_by_its_images_name)
{
    policy_acpi_t of;
    ck_assert_int_eq(judge(POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), &of, NULL), TEE_OK);
    ck_assert_int_eq(of, POLICY_ACPI_MEASURED);
    ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, TWO_SHAPES)), TEE_OK);
    ck_assert_int_eq(judge(POLICY(ENTRY(OS_IMAGE_HASH, ANY)), &of, NULL), TEE_OK);
    ck_assert_int_eq(of, POLICY_ACPI_ANY);
    ck_assert_int_eq(judge(POLICY(ENTRY(OS_IMAGE_HASH, ANY ",\"aml_confined\":true")), &of, NULL), TEE_OK);
    ck_assert_int_eq(of, POLICY_ACPI_CONFINED);
    subject.log = NULL; /* digests that are listed need none */
    ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), TEE_OK);
    ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, ANY)), E_MEASUREMENT);
    ck_assert_int_eq(hex_decode_exact(regs[0], 48, ONE_PASS, 96), RC_OK); /* a host of QEMU 9 */
    ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), TEE_OK);
}
END_TEST

/* Of MRTD there are two values: by hosts that add pages in the one way, and in the other. */
START_TEST(each_register_counts)
{
    static const char *const mr_td[] = { TWO_PASSES, ONE_PASS };
    for (size_t way = 0; way < 2; way++) {
        ck_assert_int_eq(hex_decode_exact(regs[0], 48, mr_td[way], 96), RC_OK);
        for (size_t i = 0; i < (way ? 1 : 5); i++)
            for (size_t bit = 0; bit < 384; bit += 5) {
                regs[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
                ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), E_MEASUREMENT);
                ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, ANY)), E_MEASUREMENT);
                regs[i][bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
        ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), TEE_OK);
    }
}
END_TEST

START_TEST(each_byte_of_the_document_counts)
{
    hash32_t hash;
    char name[65], json[2048];
    for (size_t bit = 0; bit < 8 * DOCUMENT_LEN; bit += 5) {
        document[bit / 8] ^= (uint8_t)(1u << bit % 8);
        strcpy(sums, CHECKSUMS);
        write_config(TWO_GIB); /* another document below the same checksum file */
        ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, ANY)), E_MEASUREMENT);
        sha256(&hash, view_of(document, DOCUMENT_LEN)); /* below its own */
        hex_encode(sums, view_of(hash.b, 32));
        strcat(sums, "  measurement.tdx.cbor\n");
        write_config(TWO_GIB);
        ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, ANY)), E_MEASUREMENT);
        sha256(&hash, view_str(sums)); /* and a policy that lists that: the registers are not its */
        hex_encode(name, view_of(hash.b, 32));
        snprintf(json, sizeof json, POLICY(ENTRY("%s", LISTED)), name);
        const bool other_mrtd = bit / 8 >= 257 && bit / 8 < 305; /* of hosts that add pages in the other way */
        ck_assert_msg(judge(json, NULL, NULL) == (other_mrtd ? TEE_OK : E_MEASUREMENT), "bit %zu of byte %zu", bit % 8,
                      bit / 8);
        document[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

START_TEST(another_machine_or_image_is_refused)
{
    const char *said;
    ck_assert_int_eq(judge(POLICY(ENTRY(OTHER_HASH, LISTED)), NULL, &said), E_MEASUREMENT);
    ck_assert_str_eq(said, "the evidence is of the image with os_image_hash " OS_IMAGE_HASH ", and not of \"one\"");
    ck_assert_int_eq(judge(POLICY(ENTRY(OS_IMAGE_HASH, OTHERS)), NULL, &said), E_MEASUREMENT);
    ck_assert_str_eq(
        said, "image \"one\" does not list these ACPI tables: digest "
              "3070721e169bc41884724cb0e6b3082e1baf249083d8b389181ba50b9afa951057876c380b8870e8c2facf2eff67a2b6");
    ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, SWAPPED)), E_MEASUREMENT);
    ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, MIXED)), E_MEASUREMENT);
    ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, SHIFTED)), E_MEASUREMENT);
    events[1].digest[0] ^= 1; /* a log that tells of other tables than RTMR0 */
    ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, ANY)), E_MEASUREMENT);
    write_config(4ull << 30);
    ck_assert_int_eq(judge(POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), NULL, &said), E_MEASUREMENT);
    ck_assert_ptr_nonnull(strstr(said, "RTMR0 is " RTMR0));
    write_config(1u << 30);
    ck_assert_int_eq(judge(POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), NULL, &said), E_MEASUREMENT);
    ck_assert_ptr_nonnull(strstr(said, "vm_config.memory_size: the kernel's digest depends on the memory"));
    subject.vm_config = view_of(NULL, 0);
    ck_assert_int_eq(judge(POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), NULL, &said), E_MEASUREMENT);
    ck_assert_str_eq(said,
                     "for image \"one\": vm_config: no VM configuration came, which has the measurement document");
}
END_TEST

START_TEST(register_3_is_judged_as_for_other_entries)
{
    regs[4][0] = 1;
    ck_judged(POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), E_MEASUREMENT);
    ck_judged(POLICY("{\"name\":\"one\",\"rtmr3\":{\"mode\":\"events\",\"require\":{\"compose-hash\":[\"00\"]}},"
                     "\"dstack_image\":{\"os_image_hash\":\"" OS_IMAGE_HASH "\",\"acpi\":" LISTED "}}"),
              E_EVENT_REQUIRED);
}
END_TEST

/* ---- policies ---- */

START_TEST(an_entry_that_is_none_is_refused_and_named)
{
    static const struct {
        const char *json, *field;
        rc_t rc;
    } rows[] = {
        { POLICY("{\"name\":\"one\",\"dstack_image\":{\"acpi\":" LISTED "}}"), "images[0].dstack_image.os_image_hash",
          RC_MALFORMED },
        { POLICY("{\"name\":\"one\",\"dstack_image\":{\"os_image_hash\":\"" OS_IMAGE_HASH "\"}}"),
          "images[0].dstack_image.acpi", RC_MALFORMED },
        { POLICY(ENTRY("00", LISTED)), "images[0].dstack_image.os_image_hash", RC_MALFORMED },
        { POLICY(ENTRY(OS_IMAGE_HASH, "[]")), "images[0].dstack_image.acpi", RC_MALFORMED },
        { POLICY(ENTRY(OS_IMAGE_HASH, "null")), "images[0].dstack_image.acpi", RC_MALFORMED },
        { POLICY(ENTRY(OS_IMAGE_HASH, "\"any\"")), "images[0].dstack_image.acpi", RC_MALFORMED },
        { POLICY(ENTRY(OS_IMAGE_HASH, "[\"unverified\"]")), "images[0].dstack_image.acpi[0]", RC_MALFORMED },
        { POLICY(ENTRY(OS_IMAGE_HASH, "\"" REG("1") "\"")), "images[0].dstack_image.acpi", RC_MALFORMED },
        { POLICY(ENTRY(OS_IMAGE_HASH, "[\"" REG("1") "\",\"" REG("2") "\"]")), "images[0].dstack_image.acpi",
          RC_MALFORMED },
        { POLICY(ENTRY(OS_IMAGE_HASH, LISTED ",\"aml_confined\":true")), "images[0].dstack_image.aml_confined",
          RC_MALFORMED },
        { POLICY(ENTRY(OS_IMAGE_HASH, LISTED ",\"qemu\":1")), "images[0].dstack_image.qemu", RC_MALFORMED },
        { POLICY("{\"name\":\"one\",\"dstack_image\":{\"os_image_hash\":\"" OS_IMAGE_HASH "\",\"acpi\":" LISTED
                 "},\"rtmr2\":\"" REG("1") "\"}"),
          "images[0].rtmr2", RC_MALFORMED },
        /* what a node may not give its key under */
        { POLICY(ENTRY(OS_IMAGE_HASH, ANY)), "images[0].dstack_image.acpi", RC_REFUSED },
        { POLICY(ENTRY(OS_IMAGE_HASH, ANY ",\"aml_confined\":false")), "images[0].dstack_image.acpi", RC_REFUSED },
        { POLICY(ENTRY(OS_IMAGE_HASH, LISTED) "," ENTRY(OS_IMAGE_HASH, ANY)), "images[1].dstack_image.acpi",
          RC_REFUSED },
        { POLICY(ENTRY(OS_IMAGE_HASH, ANY ",\"aml_confined\":true")), "", RC_OK },
        { POLICY(ENTRY(OS_IMAGE_HASH, LISTED)), "", RC_OK },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        policy_t *p = NULL;
        err_t e = { 0 };
        const rc_t rc = policy_read(&p, &e, view_str(rows[i].json));
        ck_assert_msg(rc == rows[i].rc && !strcmp(e.field, rows[i].field), "%s: %s %s %s", rows[i].json, rc_name(rc),
                      e.field, e.text);
        policy_free(p);
        if (rc == RC_MALFORMED)
            ck_assert_int_eq(policy_read_consumer(&p, &e, view_str(rows[i].json)), RC_MALFORMED);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("described", setup, NULL, a_recorded_guest_is_read,
                           what_is_wrong_in_a_configuration_is_named, a_configuration_that_is_cut_is_refused,
                           the_recorded_guest_is_admitted_by_its_images_name, each_register_counts,
                           each_byte_of_the_document_counts, another_machine_or_image_is_refused,
                           register_3_is_judged_as_for_other_entries, an_entry_that_is_none_is_refused_and_named);
}
