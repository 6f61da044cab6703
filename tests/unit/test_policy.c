/* Policies: what is refused when one is read, by field. */
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tee/verify/policy.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/policy_texts.h"
#include "tests/unit/unit.h"

/* ---- reading ---- */

static const struct {
    const char *json, *field;
    rc_t rc;
} refused[] = {
    { "", "", RC_MALFORMED },
    { "[]", "", RC_MALFORMED },
    { "{" SELF "} x", "", RC_MALFORMED },
    { "{" SELF ",\"version\":1}", "", RC_MALFORMED },
    { "{}", "version", RC_MALFORMED },
    { "{\"version\":2,\"mode\":\"same-as-self\"}", "version", RC_MALFORMED },
    { "{\"version\":\"1\",\"mode\":\"same-as-self\"}", "version", RC_MALFORMED },
    { "{\"version\":1.0,\"mode\":\"same-as-self\"}", "version", RC_MALFORMED },
    { "{\"version\":1}", "mode", RC_MALFORMED },
    { "{\"version\":1,\"mode\":\"any\"}", "mode", RC_MALFORMED },
    { "{\"version\":1,\"mode\":null}", "mode", RC_MALFORMED },
    { "{" SELF ",\"tbc\":{}}", "tbc", RC_MALFORMED },
    { "{" SELF ",\"images\":[]}", "images", RC_MALFORMED },
    { "{" LIST "}", "images", RC_MALFORMED },
    { "{" LIST ",\"images\":{}}", "images", RC_MALFORMED },
    { "{" LIST ",\"images\":null}", "images", RC_MALFORMED },
    { "{" LIST ",\"images\":[],\"self_rtmr0\":\"" REG("1") "\"}", "self_rtmr0", RC_MALFORMED },
    { "{" SELF ",\"self_rtmr0\":\"11\"}", "self_rtmr0", RC_MALFORMED },
    { "{" SELF ",\"self_rtmr0\":[]}", "self_rtmr0", RC_MALFORMED },
    { "{" SELF ",\"tcb\":[]}", "tcb", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"accepts\":[]}}", "tcb.accepts", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"accept\":\"UpToDate\"}}", "tcb.accept", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"accept\":[\"uptodate\"]}}", "tcb.accept[0]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"accept\":[1]}}", "tcb.accept[0]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"accept\":[\"UpToDate\",\"Revoked\"]}}", "tcb.accept[1]", RC_REFUSED },
    { "{" SELF ",\"tcb\":{\"deny_advisories\":\"INTEL-SA-1\"}}", "tcb.deny_advisories", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"deny_advisories\":[\"INTEL-SA-1\"]}}", "tcb.deny_advisories[0]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"deny_advisories\":[\"INTEL-SA-0083\"]}}", "tcb.deny_advisories[0]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"deny_advisories\":[\"intel-sa-00837\"]}}", "tcb.deny_advisories[0]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"deny_advisories\":[\"INTEL-SA-00837 \"]}}", "tcb.deny_advisories[0]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"deny_advisories\":[\"INTEL-SA-00837\",\"CVE-2023-20569\"]}}", "tcb.deny_advisories[1]",
      RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"deny_advisories\":[7]}}", "tcb.deny_advisories[0]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"min_eval\":-1}}", "tcb.min_eval", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"min_eval\":\"17\"}}", "tcb.min_eval", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"min_eval\":4294967296}}", "tcb.min_eval", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"max_age_s\":1.5}}", "tcb.max_age_s", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"min_tcb_date\":\"2025-02-30T00:00:00Z\"}}", "tcb.min_tcb_date", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"min_tcb_date\":1700000000}}", "tcb.min_tcb_date", RC_MALFORMED },
    { "{" SELF ",\"self_rtmr0\":[\"" REG("1") "\",7,\"" REG("1") "\"]}", "self_rtmr0[1]", RC_MALFORMED },
    { "{" SELF ",\"self_rtmr0\":[\"" REG("1") "\",\"" REG("1") "\",\"11\"]}", "self_rtmr0[2]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"accept\":[7,\"UpToDate\",\"OutOfDate\"]}}", "tcb.accept[0]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"accept\":[\"UpToDate\",7,\"OutOfDate\"]}}", "tcb.accept[1]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"accept\":[\"UpToDate\",\"OutOfDate\",\"outofdate\"]}}", "tcb.accept[2]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"accept\":[\"Revoked\",\"UpToDate\"]}}", "tcb.accept[0]", RC_REFUSED },
    { "{" SELF ",\"tcb\":{\"deny_advisories\":[\"INTEL-SA-00001\",\"\"]}}", "tcb.deny_advisories[1]", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"max_age_s\":-1}}", "tcb.max_age_s", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"max_age_s\":0}}", "tcb.max_age_s", RC_MALFORMED }, /* not "any age" */
    { "{" SELF ",\"min_platforms\":0}", "min_platforms", RC_MALFORMED },
    { "{" SELF ",\"min_platforms\":65}", "min_platforms", RC_MALFORMED },
    { "{" SELF ",\"min_platforms\":\"2\"}", "min_platforms", RC_MALFORMED },
    { "{" SELF ",\"rotate_after_s\":3599}", "rotate_after_s", RC_MALFORMED },
    { "{" SELF ",\"rotate_after_s\":2147483648}", "rotate_after_s", RC_MALFORMED },
    { "{" SELF ",\"chain_id\":0}", "chain_id", RC_MALFORMED },
    { "{" SELF ",\"chain_id\":\"1\"}", "chain_id", RC_MALFORMED },
    { "{" SELF ",\"genesis_validators_root\":\"" REG("1") "\"}", "genesis_validators_root", RC_MALFORMED },
    { "{" SELF ",\"genesis_validators_root\":[]}", "genesis_validators_root", RC_MALFORMED },
    { "{" SELF ",\"setup_hash\":7}", "setup_hash", RC_MALFORMED },
    { "{" SELF ",\"tcb\":{\"max_age_s\":2147483648}}", "tcb.max_age_s", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE "," IMAGE ",7]}", "images[2]", RC_MALFORMED },
    { "{" LIST ",\"images\":[{\"name\":\"one\",\"mrtd\":\"" REG("1") "\",\"rtmr0\":\"" REG("2") "\",\"rtmr1\":\"" REG(
          "3") "\"}]}",
      "images[0].rtmr2", RC_MALFORMED },
    { "{" LIST ",\"images\":[{\"name\":\"one\",\"mrtd\":\"" REG("1") "\",\"rtmr0\":\"" REG("2") "\"}]}",
      "images[0].rtmr1", RC_MALFORMED },
    { "{" SELF ",\"platforms\":[]}", "platforms", RC_MALFORMED },
    { "{" SELF ",\"platforms\":[\"" R8("11") "\"]}", "platforms[0]", RC_MALFORMED },
    { "{" SELF ",\"td\":{\"debugg\":false}}", "td.debugg", RC_MALFORMED },
    { "{" SELF ",\"td\":{\"debug\":0}}", "td.debug", RC_MALFORMED },
    { "{" SELF ",\"td\":{\"sept_ve_disable\":\"true\"}}", "td.sept_ve_disable", RC_MALFORMED },
    { "{" SELF ",\"td\":{\"mrservicetd_zero\":1}}", "td.mrservicetd_zero", RC_MALFORMED },
    { "{" SELF ",\"td\":{\"attributes_zero_mask\":\"00\"}}", "td.attributes_zero_mask", RC_MALFORMED },
    { "{" SELF ",\"td\":{\"attributes_zero_mask\":[\"" R8("00") "\",\"" R8("11") "\"]}}", "td.attributes_zero_mask",
      RC_MALFORMED },
    { "{" SELF ",\"td\":{\"xfam\":\"" R8("0") "\"}}", "td.xfam", RC_MALFORMED },
    { "{" SELF ",\"td\":{\"mrconfigid\":\"xyz\"}}", "td.mrconfigid", RC_MALFORMED },
    { "{" SELF ",\"td\":{\"mrowner\":7}}", "td.mrowner", RC_MALFORMED },
    { "{" SELF ",\"td\":{\"mrownerconfig\":[]}}", "td.mrownerconfig", RC_MALFORMED },
    { "{" LIST ",\"images\":[7]}", "images[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[{}]}", "images[0].name", RC_MALFORMED },
    { "{" LIST ",\"images\":[{\"name\":\"\"," MEASURED "}]}", "images[0].name", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE ",{\"name\":\"two\"}]}", "images[1].mrtd", RC_MALFORMED },
    { "{" LIST ",\"images\":[{\"name\":\"one\",\"mrtd\":\"" REG("1") "\"}]}", "images[0].rtmr0", RC_MALFORMED },
    { "{" LIST ",\"images\":[{\"name\":\"one\",\"mrtd\":\"" REG("1") "00\"}]}", "images[0].mrtd", RC_MALFORMED },
    { "{" LIST ",\"images\":[{\"name\":\"one\",\"mrtd\":null}]}", "images[0].mrtd", RC_MALFORMED },
    { "{" LIST ",\"images\":[{\"name\":\"one\",\"rtmr4\":\"\"," MEASURED "}]}", "images[0].rtmr4", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("7") "]}", "images[0].rtmr3", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{}") "]}", "images[0].rtmr3.mode", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"any\"}") "]}", "images[0].rtmr3.mode", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"exact\"}") "]}", "images[0].rtmr3.value", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"zero\",\"value\":\"" REG("5") "\"}") "]}",
      "images[0].rtmr3.value", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\"}") "]}", "images[0].rtmr3.require", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{}}") "]}", "images[0].rtmr3.require",
      RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"zero\",\"require\":{\"app-id\":[\"00\"]}}") "]}",
      "images[0].rtmr3.require", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[]}}") "]}",
      "images[0].rtmr3.require.app-id", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[\"0g\"]}}") "]}",
      "images[0].rtmr3.require.app-id[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[7]}}") "]}",
      "images[0].rtmr3.require.app-id[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[null]}}") "]}",
      "images[0].rtmr3.require.app-id[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[{}]}}") "]}",
      "images[0].rtmr3.require.app-id[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[true]}}") "]}",
      "images[0].rtmr3.require.app-id[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[[]]}}") "]}",
      "images[0].rtmr3.require.app-id[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[1.5]}}") "]}",
      "images[0].rtmr3.require.app-id[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[\"00\",7]}}") "]}",
      "images[0].rtmr3.require.app-id[1]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[7,\"00\"]}}") "]}",
      "images[0].rtmr3.require.app-id[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[\"00\",null,\"00\"]}}") "]}",
      "images[0].rtmr3.require.app-id[1]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":\"00\"}}") "]}",
      "images[0].rtmr3.require.app-id", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[\"000\"]}}") "]}",
      "images[0].rtmr3.require.app-id[0]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3(
          "{\"mode\":\"events\",\"require\":{\"app-id\":[\"00\"],\"key-provider-name\":[\"kms\",7]}}") "]}",
      "images[0].rtmr3.require.key-provider-name[1]", RC_MALFORMED },
    { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"key-provider-name\":[\"\"]}}") "]}",
      "images[0].rtmr3.require.key-provider-name[0]", RC_MALFORMED },
    { "{" SELF ",\"simulator_root\":\"\"}", "simulator_root", TEE_SIMULATOR ? RC_MALFORMED : RC_REFUSED },
    { "{" SELF ",\"simulator_root\":7}", "simulator_root", TEE_SIMULATOR ? RC_MALFORMED : RC_REFUSED },
};

START_TEST(what_is_wrong_is_refused_and_named)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        policy_t *p = NULL;
        err_t e = { 0 };
        rc_t rc = policy_read(&p, &e, view_str(refused[i].json));
        ck_assert_msg(rc == refused[i].rc, "%s: %s, %s: %s", refused[i].json, rc_name(rc), e.field, e.text);
        ck_assert_msg(!strcmp(e.field, refused[i].field), "%s: %s (%s)", refused[i].json, e.field, e.text);
        ck_assert_msg(strlen(e.text) > 4, "%s", refused[i].json);
        ck_assert_ptr_null(p);
    }
}
END_TEST

/* Reads an exact-size heap copy, so that ASan sees an over-read; p is untouched on failure. */
static rc_t read_exact(policy_t **p, err_t *e, const char *json)
{
    size_t n = strlen(json);
    uint8_t *copy = malloc(n);
    memcpy(copy, json, n);
    policy_t *const before = (policy_t *)(uintptr_t)&refused;
    *p = before;
    rc_t rc = policy_read(p, e, view_of(copy, n));
    ck_assert((rc == RC_OK) == (*p != before));
    if (rc)
        *p = NULL;
    free(copy);
    return rc;
}

/* A text of n characters in place of %s of a policy: taken, or refused with the name of its field. */
static void expect_text(const char *format, size_t n, char fill, const char *field)
{
    char *text = malloc(n + 1), *json = malloc(strlen(format) + n + 1);
    policy_t *p;
    err_t e = { 0 };
    memset(text, fill, n);
    text[n] = '\0';
    sprintf(json, format, text);
    rc_t rc = read_exact(&p, &e, json);
    ck_assert_msg(rc == (field ? RC_LIMIT : RC_OK), "%s with %zu: %s %s", format, n, e.field, e.text);
    ck_assert_str_eq(e.field, field ? field : "");
    policy_free(p);
    free(text);
    free(json);
}

START_TEST(texts_have_their_maximum)
{
    static const struct {
        const char *format, *field;
        size_t max;
        char fill;
    } rows[] = {
        { "{" SELF ",\"tcb\":{\"deny_advisories\":[\"INTEL-SA-0000%s\"]}}", "tcb.deny_advisories[0]",
          TCB_ADVISORY_LEN_MAX - 13, '1' },
        { "{" SELF ",\"tcb\":{\"deny_advisories\":[\"INTEL-SA-00837\",\"INTEL-SA-0000%s\"]}}", "tcb.deny_advisories[1]",
          TCB_ADVISORY_LEN_MAX - 13, '1' },
        { "{" LIST ",\"images\":[{\"name\":\"%s\"," MEASURED "}]}", "images[0].name", 128, 'a' },
        { "{" LIST ",\"images\":[" IMAGE ",{\"name\":\"%s\"," MEASURED "}]}", "images[1].name", 128, 'a' },
        { "{" LIST
          ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"key-provider-name\":[\"%s\"]}}") "]}",
          "images[0].rtmr3.require.key-provider-name[0]", 128, 'a' },
        { "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"app-id\":[\"%s\"]}}") "]}",
          "images[0].rtmr3.require.app-id[0]", 8192, '0' },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const size_t step = rows[i].fill == '0' ? 2 : 1; /* of hex */
        expect_text(rows[i].format, step, rows[i].fill, NULL);
        expect_text(rows[i].format, rows[i].max, rows[i].fill, NULL);
        expect_text(rows[i].format, rows[i].max + step, rows[i].fill, rows[i].field);
        expect_text(rows[i].format, 50000, rows[i].fill, rows[i].field);
    }
}
END_TEST

/* Names that a policy's writer chose stand in the error, cut to its room. */
START_TEST(keys_of_any_length_are_told_of)
{
    static const char *const formats[] = {
        "{" SELF ",\"%s\":1}",
        "{" SELF ",\"tcb\":{\"%s\":1}}",
        "{" LIST ",\"images\":[{\"name\":\"one\"," MEASURED ",\"%s\":1}]}",
        "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{\"%s\":7}}") "]}",
    };
    static const char *const paths[] = { "", "tcb.", "images[0].", "images[0].rtmr3.require." };
    static const size_t lengths[] = { 1, 35, 36, 300, 50000 };
    char *key = malloc(50001), *json = malloc(51000), want[200];
    for (size_t i = 0; i < COUNT(formats); i++)
        for (size_t k = 0; k < COUNT(lengths); k++) {
            policy_t *p;
            err_t e = { 0 };
            memset(key, 'k', lengths[k]);
            key[lengths[k]] = '\0';
            sprintf(json, formats[i], key);
            ck_assert_int_eq(read_exact(&p, &e, json), RC_MALFORMED);
            snprintf(want, sizeof e.field, "%s%s", paths[i], key);
            ck_assert_str_eq(e.field, want);
        }
    free(key);
    free(json);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    policy_free(read_text(full));
    for (size_t n = 0; n < sizeof full - 1; n++) {
        policy_t *p = NULL;
        err_t e = { 0 };
        char *exact = malloc(n ? n : 1);
        memcpy(exact, full, n);
        ck_assert_msg(policy_read(&p, &e, view_of(exact, n)) == RC_MALFORMED, "%zu", n);
        free(exact);
    }
}
END_TEST

START_TEST(the_digest_is_of_the_text)
{
    hash32_t want;
    policy_t *a = read_text("{" SELF "}"), *b = read_text("{" SELF " }"), *standard;
    sha256(&want, view_str("{" SELF "}"));
    ck_assert(hash32_eq(policy_digest(a), &want));
    ck_assert(!hash32_eq(policy_digest(b), &want));
    ck_assert_int_eq(policy_default(&standard), RC_OK);
    sha256(&want, view_str("{\"mode\":\"same-as-self\",\"version\":1}"));
    ck_assert(hash32_eq(policy_digest(standard), &want));
    ck_assert_uint_eq(policy_simulator_root(standard).n, 0);
    policy_free(a);
    policy_free(b);
    policy_free(standard);
    policy_free(NULL);
}
END_TEST

START_TEST(sizes_have_their_maximum)
{
    char *text = malloc(POLICY_MAX + 2), *at = text;
    policy_t *p = NULL;
    err_t e = { 0 };
    memset(text, ' ', POLICY_MAX + 1);
    memcpy(text, "{" SELF "}", sizeof("{" SELF "}") - 1);
    ck_assert_int_eq(policy_read(&p, &e, view_of(text, POLICY_MAX + 1)), RC_LIMIT);
    ck_assert_int_eq(policy_read(&p, &e, view_of(text, POLICY_MAX)), RC_OK);
    policy_free(p);
    for (unsigned extra = 0; extra < 2; extra++) { /* alternatives */
        at = text + sprintf(text, "{" SELF ",\"self_rtmr0\":[");
        for (unsigned i = 0; i < POLICY_VALUES_MAX + extra; i++)
            at += sprintf(at, "%s\"" REG("1") "\"", i ? "," : "");
        strcpy(at, "]}");
        ck_assert_int_eq(policy_read(&p, &e, view_str(text)), extra ? RC_LIMIT : RC_OK);
        if (!extra)
            policy_free(p);
    }
    ck_assert_str_eq(e.field, "self_rtmr0");
    for (unsigned extra = 0; extra < 2; extra++) { /* images */
        at = text + sprintf(text, "{" LIST ",\"images\":[");
        for (unsigned i = 0; i < POLICY_IMAGES_MAX + extra; i++)
            at += sprintf(at, "%s" IMAGE, i ? "," : "");
        strcpy(at, "]}");
        ck_assert_int_eq(policy_read(&p, &e, view_str(text)), extra ? RC_LIMIT : RC_OK);
        if (!extra)
            policy_free(p);
    }
    ck_assert_str_eq(e.field, "images");
    free(text);
}
END_TEST

START_TEST(an_image_has_at_most_16_events)
{
    static char json[8192];
    for (unsigned n = 16; n <= 17; n++) {
        policy_t *p;
        err_t e = { 0 };
        char *at = json + sprintf(json, "{" LIST ",\"images\":[{\"name\":\"one\"," MEASURED
                                        ",\"rtmr3\":{\"mode\":\"events\",\"require\":{");
        for (unsigned i = 0; i < n; i++)
            at += sprintf(at, "%s\"event-%u\":[\"00\"]", i ? "," : "", i);
        strcpy(at, "}}}]}");
        ck_assert_int_eq(read_exact(&p, &e, json), n == 16 ? RC_OK : RC_LIMIT);
        ck_assert_str_eq(e.field, n == 16 ? "" : "images[0].rtmr3.require");
        policy_free(p);
    }
}
END_TEST

START_TEST(one_event_has_at_most_as_many_values_as_a_list)
{
    static char json[8192];
    for (unsigned n = POLICY_VALUES_MAX; n <= POLICY_VALUES_MAX + 1; n++)
        for (int text = 0; text < 2; text++) {
            policy_t *p;
            err_t e = { 0 };
            char *at = json + sprintf(json,
                                      "{" LIST ",\"images\":[{\"name\":\"one\"," MEASURED
                                      ",\"rtmr3\":{\"mode\":\"events\",\"require\":{\"%s\":[",
                                      text ? "key-provider-name" : "app-id");
            for (unsigned i = 0; i < n; i++)
                at += sprintf(at, "%s\"%02x\"", i ? "," : "", i & 0xff);
            strcpy(at, "]}}}]}");
            ck_assert_int_eq(read_exact(&p, &e, json), n == POLICY_VALUES_MAX ? RC_OK : RC_LIMIT);
            policy_free(p);
        }
}
END_TEST

/* Every kind of value, one image of each mode. */
#define OF_ALL_KINDS                                                                                                                \
    "{" LIST                                                                                                                        \
    ",\"tcb\":{\"deny_advisories\":[\"INTEL-SA-00001\",\"INTEL-SA-000002\"]},\"td\":{\"attributes_zero_mask\":"                     \
    "\"feffff2fffffff7f\",\"xfam\":\"" R8("e7") "\",\"mrconfigid\":\"" REG("1") "\",\"mrowner\":\"" REG(                            \
        "2") "\",\"mrownerconfig\":\"" REG("3") "\"},\"images\":[" IMAGE                                                            \
                                                "," IMAGE_RTMR3("{\"mode\":\"exact\",\"value\":\"" REG("5") "\"}") "," IMAGE_RTMR3( \
                                                    "{\"mode\":\"events\",\"require\":{\"compose-hash\":[\"00\",\"" COMPOSE         \
                                                    "\",\"\"],\"key-provider-name\":[\"kms\"]}}") "]}"

START_TEST(a_policy_without_memory_is_not_read)
{
    static const char *const texts[] = {
        OF_ALL_KINDS,
        "{" SELF ",\"self_rtmr0\":[\"" REG("1") "\",\"" REG("2") "\"]}",
#if TEE_SIMULATOR
        "{" SELF ",\"simulator_root\":\"3000\"}",
#endif
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        size_t n = 0;
        for (rc_t rc = RC_NOMEM; rc; n++) {
            policy_t *p = NULL;
            err_t e = { 0 };
            fail_at((unsigned)n, true);
            rc = COUNTED(policy_read(&p, &e, view_str(texts[i])));
            fail_never();
            ck_assert_msg(rc == RC_OK || rc == RC_NOMEM, "%zu allocations: %s, %s: %s", n, rc_name(rc), e.field,
                          e.text);
            ck_assert((p != NULL) == (rc == RC_OK));
            ck_assert_str_eq(e.text, rc ? "out of memory" : "");
            policy_free(p);
        }
        ck_assert_uint_gt(n, 2);
    }
}
END_TEST

START_TEST(debug_and_the_simulator_need_a_build_that_admits_them)
{
    static const char *const texts[] = { "{" SELF ",\"td\":{\"debug\":true}}", "{" SELF ",\"simulator_root\":\"30\"}" };
    for (size_t i = 0; i < COUNT(texts); i++) {
        policy_t *p = NULL;
        err_t e = { 0 };
        ck_assert_int_eq(policy_read(&p, &e, view_str(texts[i])), TEE_SIMULATOR ? RC_OK : RC_REFUSED);
        policy_free(p);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("policy", what_is_wrong_is_refused_and_named, texts_have_their_maximum,
                    keys_of_any_length_are_told_of, every_truncation_is_refused, the_digest_is_of_the_text,
                    sizes_have_their_maximum, an_image_has_at_most_16_events,
                    one_event_has_at_most_as_many_values_as_a_list, a_policy_without_memory_is_not_read,
                    debug_and_the_simulator_need_a_build_that_admits_them);
}
