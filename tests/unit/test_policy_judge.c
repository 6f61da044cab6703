/* Policies: each thing that one judges, over a made-up subject. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "tests/unit/policy_texts.h"
#include "tests/unit/unit.h"

/* ---- judging ---- */

static uint8_t regs[8][48]; /* register i is of digit i */
static uint8_t attributes[8], xfam[8], config_id[48], owner[48], owner_config[48], service[48];
static quote_t quote;
static tcb_grade_t grade;
static event_t events[4];
static eventlog_t eventlog;
static policy_subject_t subject;

static void setup(void)
{
    for (unsigned i = 0; i < 8; i++)
        memset(regs[i], (int)(0x11 * i), 48);
    memset(attributes, 0, 8);
    attributes[3] = 0x10;
    memset(xfam, 0xe7, 8);
    memset(config_id, 0, 48);
    memset(owner, 0, 48);
    memset(owner_config, 0, 48);
    memset(service, 0, 48);
    quote = (quote_t){ .td = { .td_attributes = attributes,
                               .xfam = xfam,
                               .mr_td = regs[1],
                               .mr_config_id = config_id,
                               .mr_owner = owner,
                               .mr_owner_config = owner_config,
                               .mr_service_td = service,
                               .rtmr = { regs[2], regs[3], regs[4], regs[0] } } };
    grade = (tcb_grade_t){ .status = TCB_UP_TO_DATE,
                           .platform = TCB_UP_TO_DATE,
                           .module = TCB_UP_TO_DATE,
                           .qe = TCB_UP_TO_DATE,
                           .has_module = true,
                           .tcb_date = 1000 };
    static const uint8_t compose[] = { 0xc0, 0xff, 0xee };
    events[0] = (event_t){
        .imr = 3, .type = EVENTLOG_RUNTIME, .name = view_str("compose-hash"), .payload = view_of(compose, 3)
    };
    events[1] = (event_t){ .imr = 3,
                           .type = EVENTLOG_RUNTIME,
                           .name = view_str("key-provider"),
                           .payload = view_str("{\"name\":\"kms\",\"id\":\"30\"}") };
    events[2] = (event_t){ .imr = 3, .type = EVENTLOG_RUNTIME, .name = view_str("system-ready") };
    events[3] =
        (event_t){ .imr = 3, .type = EVENTLOG_RUNTIME, .name = view_str("late"), .payload = view_of(compose, 3) };
    eventlog = (eventlog_t){ events, 4, 2 };
    subject =
        (policy_subject_t){ .quote = &quote, .grade = &grade, .evaluation_number = 17, .issued = 900, .now = 1000 };
}

static void expect(const char *what, const char *json, tee_code_t want)
{
    policy_t *p = read_text(json);
    policy_match_t match = { "untouched", POLICY_ACPI_ANY };
    err_t fault = { 0 };
    rc_t rc = policy_check(p, &match, &fault, &subject);
    ck_assert_msg((rc ? fault.code : TEE_OK) == want, "%s: %s instead of %s", what,
                  tee_code_name(rc ? fault.code : TEE_OK), tee_code_name(want));
    ck_assert_msg(!strcmp(match.image, rc ? "untouched" : "one"), "%s: %s", what, match.image);
    policy_free(p);
}

#define ONE "{" LIST ",\"images\":[" IMAGE "]}"
#define WITH(rules) "{" LIST "," rules ",\"images\":[" IMAGE "]}"

START_TEST(an_empty_list_rejects_everything)
{
    expect("one image", ONE, TEE_OK);
    expect("no image", "{" LIST ",\"images\":[]}", E_MEASUREMENT);
}
END_TEST

START_TEST(each_register_counts)
{
    const uint8_t *genuine[5] = { quote.td.mr_td, quote.td.rtmr[0], quote.td.rtmr[1], quote.td.rtmr[2],
                                  quote.td.rtmr[3] };
    const uint8_t **at[5] = { &quote.td.mr_td, &quote.td.rtmr[0], &quote.td.rtmr[1], &quote.td.rtmr[2],
                              &quote.td.rtmr[3] };
    for (unsigned i = 0; i < 5; i++) {
        uint8_t other[48];
        for (unsigned bit = 0; bit < 384; bit++) {
            memcpy(other, genuine[i], 48);
            other[bit / 8] ^= (uint8_t)(1u << bit % 8);
            *at[i] = other;
            expect("another register", ONE, E_MEASUREMENT);
        }
        *at[i] = genuine[i];
    }
    quote.td.rtmr[0] = regs[7];
    expect("an alternative",
           "{" LIST ",\"images\":[{\"name\":\"one\",\"mrtd\":\"" REG("1") "\",\"rtmr0\":[\"" REG("6") "\",\"" REG(
               "7") "\"],\"rtmr1\":\"" REG("3") "\",\"rtmr2\":\"" REG("4") "\"}]}",
           TEE_OK);
    /* Registers of two images do not add up to one. */
    expect("mixed",
           "{" LIST ",\"images\":[" IMAGE ",{\"name\":\"two\",\"mrtd\":\"" REG("5") "\",\"rtmr0\":\"" REG(
               "7") "\",\"rtmr1\":\"" REG("3") "\",\"rtmr2\":\"" REG("4") "\"}]}",
           E_MEASUREMENT);
}
END_TEST

#define EXACT "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"exact\",\"value\":\"" REG("5") "\"}") "]}"
#define EVENTS(require) "{" LIST ",\"images\":[" IMAGE_RTMR3("{\"mode\":\"events\",\"require\":{" require "}}") "]}"
#define BOTH EVENTS("\"compose-hash\":[\"00\",\"" COMPOSE "\"],\"key-provider-name\":[\"kms\"]")

START_TEST(register_3_is_zero_exact_or_told_by_its_events)
{
    expect("exact, and zero", EXACT, E_MEASUREMENT);
    expect("events, and no log", BOTH, E_EVENT_REQUIRED);
    quote.td.rtmr[3] = regs[5];
    expect("exact", EXACT, TEE_OK);
    expect("zero, and not zero", ONE, E_MEASUREMENT);
    expect("events, and no log", BOTH, E_EVENT_REQUIRED);
    subject.log = &eventlog;
    expect("events", BOTH, TEE_OK);
    expect("zero, with a log", ONE, E_MEASUREMENT);
    expect("another payload", EVENTS("\"compose-hash\":[\"c0ffef\"]"), E_EVENT_REQUIRED);
    expect("a longer payload", EVENTS("\"compose-hash\":[\"c0ffee00\"]"), E_EVENT_REQUIRED);
    expect("an empty payload", EVENTS("\"compose-hash\":[\"\"]"), E_EVENT_REQUIRED);
    expect("another provider", EVENTS("\"key-provider-name\":[\"local\"]"), E_EVENT_REQUIRED);
    expect("an event that is not there", EVENTS("\"app-id\":[\"00\"]"), E_EVENT_REQUIRED);
    expect("an event after system-ready", EVENTS("\"late\":[\"" COMPOSE "\"]"), E_EVENT_REQUIRED);
    events[1].payload = view_str("{\"name\":\"kms\",\"name\":\"local\"}");
    expect("a provider of two names", BOTH, E_EVENT_REQUIRED);
    events[1] = events[0];
    expect("an event twice", EVENTS("\"compose-hash\":[\"" COMPOSE "\"]"), E_EVENTLOG);
}
END_TEST

START_TEST(the_td_is_judged_before_its_image)
{
    attributes[0] = 1;
    expect("debug", ONE, E_TD_DEBUG);
    attributes[0] = 0;
    attributes[1] = 1;
    expect("a reserved bit", ONE, E_TD_RESERVED);
    expect("a bit that the mask admits", WITH("\"td\":{\"attributes_zero_mask\":\"0000000000000000\"}"), TEE_OK);
    attributes[1] = attributes[3] = 0;
    expect("no SEPT_VE_DISABLE", ONE, E_TD_SEPT);
    expect("no SEPT_VE_DISABLE, which is admitted", WITH("\"td\":{\"sept_ve_disable\":false}"), TEE_OK);
    attributes[3] = 0x10;
    service[47] = 1;
    expect("a service TD", ONE, E_TD_SERVICE);
    expect("a service TD, which is admitted", WITH("\"td\":{\"mrservicetd_zero\":false}"), TEE_OK);
    quote.td.mr_service_td = NULL;
    expect("TD report 1.0", ONE, TEE_OK);
    expect("XFAM", WITH("\"td\":{\"xfam\":[\"0000000000000000\",\"" R8("e7") "\"]}"), TEE_OK);
    expect("another XFAM", WITH("\"td\":{\"xfam\":\"" R8("e6") "\"}"), E_TD_FIELD);
    expect("MRCONFIGID", WITH("\"td\":{\"mrconfigid\":\"" REG("1") "\"}"), E_TD_FIELD);
    expect("MROWNER", WITH("\"td\":{\"mrowner\":\"" REG("1") "\"}"), E_TD_FIELD);
    expect("MROWNERCONFIG", WITH("\"td\":{\"mrownerconfig\":\"" REG("1") "\"}"), E_TD_FIELD);
    expect("zeros that are demanded", WITH("\"td\":{\"mrowner\":\"" REG("0") "\"}"), TEE_OK);
}
END_TEST

#define GRACE WITH("\"tcb\":{\"accept\":[\"UpToDate\"],\"min_tcb_date\":\"1970-01-01T00:16:40Z\"}") /* 1000 */
static const char every[] = WITH(
    "\"tcb\":{\"accept\":[\"UpToDate\",\"SWHardeningNeeded\",\"ConfigurationNeeded\",\"ConfigurationAndSWHardeningNeeded\",\"OutOfDate\","
    "\"OutOfDateConfigurationNeeded\",\"TDRelaunchAdvised\",\"TDRelaunchAdvisedConfigurationNeeded\"]}");

START_TEST(statuses_are_accepted_by_name)
{
    for (unsigned s = 0; s < TCB_STATUS_COUNT; s++) {
        char only[2048];
        grade.status = grade.platform = (tcb_status_t)s;
        expect("by default", ONE, s == TCB_UP_TO_DATE || s == TCB_SW_HARDENING_NEEDED ? TEE_OK : E_TCB_STATUS);
        expect("every one but Revoked", every, s == TCB_REVOKED ? E_TCB_STATUS : TEE_OK);
        expect("none", WITH("\"tcb\":{\"accept\":[]}"), E_TCB_STATUS);
        for (unsigned t = 0; t < TCB_REVOKED; t++) {
            snprintf(only, sizeof only, WITH("\"tcb\":{\"accept\":[\"%s\"]}"), tcb_status_name((tcb_status_t)t));
            expect("one alone", only, s == t ? TEE_OK : E_TCB_STATUS);
        }
    }
}
END_TEST

/* The status is that of the launch; but the module that runs now may have been replaced by one that is revoked. */
START_TEST(what_runs_now_may_not_be_revoked_whatever_it_was_at_launch)
{
    for (unsigned s = 0; s < TCB_REVOKED; s++) {
        grade.status = grade.launch = grade.platform = (tcb_status_t)s;
        grade.current = TCB_OUT_OF_DATE;
        expect("out of date now", every, TEE_OK);
        grade.current = TCB_REVOKED;
        expect("revoked now", every, E_TCB_STATUS);
        expect("revoked now, in a grace period", GRACE, E_TCB_STATUS);
    }
}
END_TEST

START_TEST(a_grace_period_is_for_a_platform_that_is_out_of_date)
{
    grade.status = grade.platform = TCB_OUT_OF_DATE;
    expect("just in time", GRACE, TEE_OK);
    grade.tcb_date = 999;
    expect("a second too old", GRACE, E_TCB_STATUS);
    grade.tcb_date = 1000;
    grade.module = TCB_OUT_OF_DATE;
    expect("the module is out of date as well", GRACE, E_TCB_STATUS);
    grade.module = TCB_UP_TO_DATE;
    grade.qe = TCB_OUT_OF_DATE;
    expect("the quoting enclave is out of date as well", GRACE, E_TCB_STATUS);
    grade.qe = TCB_UP_TO_DATE;
    grade.platform = TCB_UP_TO_DATE;
    expect("the platform is not what is out of date", GRACE, E_TCB_STATUS);
    grade.status = grade.platform = TCB_REVOKED;
    expect("revoked", GRACE, E_TCB_STATUS);
    grade.status = grade.platform = TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    expect("configuration needed, which is not accepted", GRACE, E_TCB_STATUS);
    expect("configuration needed, which is accepted",
           WITH("\"tcb\":{\"accept\":[\"ConfigurationNeeded\"],\"min_tcb_date\":\"1970-01-01T00:16:40Z\"}"), TEE_OK);
}
END_TEST

START_TEST(advisories_numbers_and_ages_have_bounds)
{
    grade.advisories[0] = view_str("INTEL-SA-00001");
    grade.advisories[1] = view_str("INTEL-SA-00002");
    grade.advisory_count = 2;
    expect("advisories", ONE, TEE_OK);
    expect("one that is denied", WITH("\"tcb\":{\"deny_advisories\":[\"INTEL-SA-00003\",\"INTEL-SA-00002\"]}"),
           E_ADVISORY);
    expect("the first is denied", WITH("\"tcb\":{\"deny_advisories\":[\"INTEL-SA-00001\"]}"), E_ADVISORY);
    expect("the last is denied", WITH("\"tcb\":{\"deny_advisories\":[\"INTEL-SA-00002\"]}"), E_ADVISORY);
    expect("none that is denied", WITH("\"tcb\":{\"deny_advisories\":[\"INTEL-SA-00003\",\"INTEL-SA-000011\"]}"),
           TEE_OK);
    expect("no list of denied ones", WITH("\"tcb\":{\"deny_advisories\":[]}"), TEE_OK);
    expect("the least number", WITH("\"tcb\":{\"min_eval\":17}"), TEE_OK);
    expect("one below", WITH("\"tcb\":{\"min_eval\":18}"), E_EVAL_NUMBER);
    expect("the greatest age", WITH("\"tcb\":{\"max_age_s\":100}"), TEE_OK);
    expect("no number", WITH("\"tcb\":{\"min_eval\":0}"), TEE_OK);
    expect("the least age that can be said", WITH("\"tcb\":{\"max_age_s\":1}"), E_COLLATERAL_AGE);
    expect("the greatest number", WITH("\"tcb\":{\"min_eval\":4294967295}"), E_EVAL_NUMBER);
    expect("the greatest age that can be said", WITH("\"tcb\":{\"max_age_s\":2147483647}"), TEE_OK);
    expect("a second older", WITH("\"tcb\":{\"max_age_s\":99}"), E_COLLATERAL_AGE);
}
END_TEST

/* Each advisory of the grade against each place of the list. */
START_TEST(platforms_are_listed_by_the_digest_of_their_ppid)
{
    static const char two[] =
        WITH("\"platforms\":[\"" R8("11") R8("11") R8("11") R8("11") "\",\"" R8("22") R8("22") R8("22") R8("22") "\"]");
    hash32_t platform;
    expect("any", ONE, TEE_OK);
    expect("not known", two, E_PLATFORM);
    subject.platform = &platform;
    for (int i = 0; i < 3; i++) {
        memset(&platform, 0x11 * (i + 1), sizeof platform);
        expect("listed", two, i < 2 ? TEE_OK : E_PLATFORM);
        platform.b[31] ^= 1;
        expect("last byte", two, E_PLATFORM);
        expect("any", ONE, TEE_OK);
    }
}
END_TEST

START_TEST(a_denied_advisory_is_found_wherever_it_stands)
{
    static const char *const ids[] = { "INTEL-SA-00001", "INTEL-SA-00002", "INTEL-SA-00003" };
    for (size_t count = 1; count <= 3; count++)
        for (size_t at = 0; at < count; at++)
            for (unsigned place = 0; place < 3; place++) {
                char json[2048], list[3][16];
                for (unsigned i = 0; i < 3; i++)
                    snprintf(list[i], sizeof list[i], i == place ? "INTEL-SA-99999" : "INTEL-SA-1000%u", i);
                snprintf(json, sizeof json, WITH("\"tcb\":{\"deny_advisories\":[\"%s\",\"%s\",\"%s\"]}"), list[0],
                         list[1], list[2]);
                for (size_t i = 0; i < count; i++)
                    grade.advisories[i] = view_str(ids[i]);
                grade.advisory_count = count;
                expect("none is denied", json, TEE_OK);
                grade.advisories[at] = view_str("INTEL-SA-99999");
                expect("one is denied", json, E_ADVISORY);
            }
    for (size_t i = 0; i < TCB_ADVISORIES_MAX; i++)
        grade.advisories[i] = view_str(ids[0]);
    grade.advisory_count = TCB_ADVISORIES_MAX;
    grade.advisories[TCB_ADVISORIES_MAX - 1] = view_str("INTEL-SA-99999");
    expect("the last of all", WITH("\"tcb\":{\"deny_advisories\":[\"INTEL-SA-99999\"]}"), E_ADVISORY);
}
END_TEST

/* Of three images, and of three alternatives of a register. */
START_TEST(a_match_is_found_wherever_it_stands)
{
#define NAMED(name, mr_td)                                                                                             \
    "{\"name\":\"" name "\",\"mrtd\":" mr_td                                                                           \
    ",\"rtmr0\":\"" REG("2") "\",\"rtmr1\":\"" REG("3") "\",\"rtmr2\":\"" REG("4") "\"}"
#define HIT "\"" REG("1") "\""
#define MISS "\"" REG("9") "\""
    static const char *const matching[] = {
        "{" LIST ",\"images\":[" NAMED("one", HIT) "," NAMED("two", MISS) "," NAMED("three", MISS) "]}",
        "{" LIST ",\"images\":[" NAMED("two", MISS) "," NAMED("one", HIT) "," NAMED("three", MISS) "]}",
        "{" LIST ",\"images\":[" NAMED("two", MISS) "," NAMED("three", MISS) "," NAMED("one", HIT) "]}",
        "{" LIST ",\"images\":[" NAMED("one", HIT) "," NAMED("two", HIT) "]}",
        "{" LIST ",\"images\":[" NAMED("one", "[" HIT "," MISS "," MISS "]") "]}",
        "{" LIST ",\"images\":[" NAMED("one", "[" MISS "," HIT "," MISS "]") "]}",
        "{" LIST ",\"images\":[" NAMED("one", "[" MISS "," MISS "," HIT "]") "]}",
    };
    for (size_t i = 0; i < COUNT(matching); i++)
        expect(matching[i], matching[i], TEE_OK);
    expect("none", "{" LIST ",\"images\":[" NAMED("one", "[" MISS "," MISS "," MISS "]") "," NAMED("two", MISS) "]}",
           E_MEASUREMENT);
}
END_TEST

/* Each of three rules, by an event that differs or is missing. */
START_TEST(each_required_event_counts)
{
    static const uint8_t other[] = { 0xc0, 0xff, 0xef };
    static const char three[] =
        EVENTS("\"one\":[\"" COMPOSE "\"],\"two\":[\"" COMPOSE "\"],\"three\":[\"" COMPOSE "\"]");
    static const char *const names[] = { "one", "two", "three" };
    quote.td.rtmr[3] = regs[5];
    eventlog.ready = 3;
    events[3] = events[2]; /* system-ready */
    for (unsigned i = 0; i < 3; i++) {
        events[i] = events[0];
        events[i].name = view_str(names[i]);
    }
    subject.log = &eventlog;
    expect("all three", three, TEE_OK);
    for (unsigned i = 0; i < 3; i++) {
        const event_t genuine = events[i];
        events[i].payload = view_of(other, 3);
        expect("another payload, differing in its last byte", three, E_EVENT_REQUIRED);
        events[i] = genuine;
        events[i].name = view_str("four");
        expect("one that is missing", three, E_EVENT_REQUIRED);
        events[i] = genuine;
    }
    events[1].payload = view_of(NULL, 0);
    expect("an empty payload that is admitted last", EVENTS("\"two\":[\"00\",\"01\",\"\"]"), TEE_OK);
    expect("an empty payload that is admitted first", EVENTS("\"two\":[\"\",\"01\"]"), TEE_OK);
    expect("an empty payload that is not admitted", EVENTS("\"two\":[\"00\"]"), E_EVENT_REQUIRED);
}
END_TEST

START_TEST(a_key_providers_payload_has_a_maximum)
{
    static const size_t lengths[] = { 4095, 4096, 4097, 100000 };
    static const char json[] = "{\"name\":\"kms\"}";
    quote.td.rtmr[3] = regs[5];
    subject.log = &eventlog;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        uint8_t *text = malloc(lengths[i]);
        memset(text, ' ', lengths[i]);
        memcpy(text, json, strlen(json));
        events[1].payload = view_of(text, lengths[i]);
        expect("a payload with spaces", BOTH, lengths[i] <= 4096 ? TEE_OK : E_EVENT_REQUIRED);
        free(text);
    }
    static const char *const wrong[] = { "",
                                         "{}",
                                         "[]",
                                         "7",
                                         "{\"name\":7}",
                                         "{\"name\":null}",
                                         "{\"name\":\"\"}",
                                         "{\"name\":\"km\"}",
                                         "{\"name\":\"kmss\"}",
                                         "{\"id\":\"kms\"}",
                                         "kms",
                                         "{\"name\":\"kms\"" };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        events[1].payload = view_str(wrong[i]);
        expect(wrong[i], BOTH, E_EVENT_REQUIRED);
    }
}
END_TEST

/* The last byte of every field that is compared, in the value that the policy names and where zeros are demanded. */
START_TEST(the_last_byte_of_each_field_counts)
{
    static const struct {
        const char *rule;
        uint8_t *field;
        size_t n;
    } rows[] = {
        { WITH("\"td\":{\"xfam\":\"" R8("e7") "\"}"), xfam, 8 },
        { WITH("\"td\":{\"mrconfigid\":\"" REG("0") "\"}"), config_id, 48 },
        { WITH("\"td\":{\"mrowner\":\"" REG("0") "\"}"), owner, 48 },
        { WITH("\"td\":{\"mrownerconfig\":\"" REG("0") "\"}"), owner_config, 48 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        expect(rows[i].rule, rows[i].rule, TEE_OK);
        for (size_t at = 0; at < rows[i].n; at++) {
            rows[i].field[at] ^= 0x80;
            expect(rows[i].rule, rows[i].rule, E_TD_FIELD);
            rows[i].field[at] ^= 0x80;
        }
    }
    for (size_t at = 0; at < 48; at++) {
        service[at] = 0x80;
        expect("a service TD", ONE, E_TD_SERVICE);
        service[at] = 0;
    }
    quote.td.rtmr[3] = regs[5];
    expect("exact", EXACT, TEE_OK);
    for (size_t at = 0; at < 48; at++) {
        regs[5][at] ^= 1;
        expect("exact", EXACT, E_MEASUREMENT);
        regs[5][at] ^= 1;
    }
}
END_TEST

static tee_code_t judge_self(policy_t *p)
{
    policy_match_t match = { NULL, POLICY_ACPI_ANY };
    err_t fault = { 0 };
    rc_t rc = policy_check(p, &match, &fault, &subject);
    ck_assert(rc || (!strcmp(match.image, "self") && match.acpi == POLICY_ACPI_MEASURED));
    return rc ? fault.code : TEE_OK;
}

START_TEST(same_as_self_needs_a_self_and_compares_with_it)
{
    policy_t *p = read_text("{" SELF "}"), *listed = read_text("{" SELF ",\"self_rtmr0\":[\"" REG("2") "\"]}");
    ck_assert_int_eq(judge_self(p), E_MEASUREMENT); /* not known yet */
    policy_set_self(p, &quote, NULL);
    policy_set_self(listed, &quote, NULL);
    ck_assert_int_eq(judge_self(p), TEE_OK);
    ck_assert_int_eq(judge_self(listed), TEE_OK);
    const uint8_t **at[5] = { &quote.td.mr_td, &quote.td.rtmr[0], &quote.td.rtmr[1], &quote.td.rtmr[2],
                              &quote.td.rtmr[3] };
    for (unsigned i = 0; i < 5; i++) {
        const uint8_t *genuine = *at[i];
        for (size_t byte = 0; byte < 48; byte++) {
            uint8_t other[48];
            memcpy(other, genuine, 48);
            other[byte] ^= 1;
            *at[i] = other;
            ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
        }
        *at[i] = genuine;
    }
    for (size_t byte = 0; byte < 8; byte++) {
        xfam[byte] ^= 1;
        ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
        xfam[byte] ^= 1;
    }
    ck_assert_int_eq(judge_self(p), TEE_OK);
    attributes[7] = 0x80; /* PERFMON: allowed, but not ours */
    ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    policy_free(p);
    policy_free(listed);
}
END_TEST

/* RTMR0 covers ACPI tables, which the guest's kernel runs: another one is admitted by name only. */
START_TEST(same_as_self_takes_another_rtmr0_only_from_the_list)
{
    policy_t *p = read_text("{" SELF "}"), *listed = read_text("{" SELF ",\"self_rtmr0\":[\"" REG("7") "\"]}");
    policy_set_self(p, &quote, NULL);
    policy_set_self(listed, &quote, NULL);
    ck_assert_int_eq(judge_self(listed), TEE_OK); /* our own is admitted beside the list */
    quote.td.rtmr[0] = regs[7];
    ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    ck_assert_int_eq(judge_self(listed), TEE_OK);
    quote.td.rtmr[0] = regs[6];
    ck_assert_int_eq(judge_self(listed), E_MEASUREMENT);
    policy_free(p);
    policy_free(listed);
}
END_TEST

/* No register measures what the host gave the TD at its start: it must be our own, or one that the policy lists. */
START_TEST(same_as_self_compares_what_the_host_gave_the_td)
{
    static const char *const keys[] = { "mrconfigid", "mrowner", "mrownerconfig" };
    const uint8_t **at[3] = { &quote.td.mr_config_id, &quote.td.mr_owner, &quote.td.mr_owner_config };
    policy_t *p = read_text("{" SELF "}");
    policy_set_self(p, &quote, NULL);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *genuine = *at[i];
        char json[256], other_hex[97];
        uint8_t other[48];
        for (size_t byte = 0; byte < 48; byte++) {
            memcpy(other, genuine, 48);
            other[byte] ^= 1;
            *at[i] = other;
            ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
        }
        hex_encode(other_hex, view_of(other, 48));
        snprintf(json, sizeof json, "{" SELF ",\"td\":{\"%s\":\"%s\"}}", keys[i], other_hex);
        policy_t *listed = read_text(json);
        policy_set_self(listed, &quote, NULL);
        ck_assert_int_eq(judge_self(listed), TEE_OK);
        *at[i] = genuine;
        ck_assert_int_eq(judge_self(listed), E_TD_FIELD);
        policy_free(listed);
        ck_assert_int_eq(judge_self(p), TEE_OK);
    }
    policy_free(p);
}
END_TEST

START_TEST(another_instance_of_the_same_application_is_self)
{
    uint8_t hash[32];
    memset(hash, 0x77, sizeof hash);
    events[0].payload = view_of(hash, 32);
    quote.td.rtmr[3] = regs[5];
    policy_t *p = read_text("{" SELF "}"), *without = read_text("{" SELF "}");
    policy_set_self(p, &quote, &eventlog);
    policy_set_self(without, &quote, NULL);
    quote.td.rtmr[3] = regs[6]; /* another instance id */
    ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    subject.log = &eventlog;
    ck_assert_int_eq(judge_self(p), TEE_OK);
    ck_assert_int_eq(judge_self(without), E_MEASUREMENT);
    for (size_t byte = 0; byte < 32; byte++) {
        hash[byte] ^= 1;
        ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
        hash[byte] ^= 1;
    }
    for (size_t n = 0; n < 32; n += 31) { /* of another length */
        events[0].payload = view_of(hash, n);
        ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    }
    events[0].payload = view_of(hash, 32);
    ck_assert_int_eq(judge_self(p), TEE_OK);
    memset(hash, 0, sizeof hash); /* the hash of zeros is that of nobody who has none */
    ck_assert_int_eq(judge_self(without), E_MEASUREMENT);
    events[0].payload = view_of(hash, 31);
    policy_set_self(without, &quote, &eventlog); /* of another length: none */
    quote.td.rtmr[3] = regs[7];
    events[0].payload = view_of(hash, 32);
    ck_assert_int_eq(judge_self(without), E_MEASUREMENT);
    memset(hash, 0x77, sizeof hash);
    ck_assert_int_eq(judge_self(p), TEE_OK);
    events[1] = events[0]; /* twice */
    ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    policy_free(p);
    policy_free(without);
}
END_TEST

/* Keys that a TEE provider seals by are given to an application by its id, and by whom its host names: a peer with the
 * same compose file under another of them is not ours. */
START_TEST(an_instance_under_another_app_id_or_key_provider_is_not_self)
{
    static const char *const others[] = { "{\"name\":\"kms\",\"id\":\"31\"}", "{\"name\":\"none\",\"id\":\"\"}", "" };
    uint8_t hash[32], app[20] = { 0 };
    memset(hash, 0x77, sizeof hash);
    events[0].payload = view_of(hash, 32);
    const event_t provider = events[1], late = events[3];
    const event_t id = { .imr = 3, .type = EVENTLOG_RUNTIME, .name = view_str("app-id"), .payload = view_of(app, 20) };
    quote.td.rtmr[3] = regs[5];
    subject.log = &eventlog;
    policy_t *p = read_text("{" SELF "}"), *named = read_text("{" SELF "}");
    policy_set_self(p, &quote, &eventlog);
    quote.td.rtmr[3] = regs[6];
    ck_assert_int_eq(judge_self(p), TEE_OK);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        events[1].payload = view_str(others[i]);
        ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    }
    events[1] = late; /* none at all */
    ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    events[3] = provider; /* one that the application itself measured */
    ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    events[1] = provider; /* two */
    ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    events[3] = events[2]; /* where system-ready stood, the id of an application that our own log does not name */
    events[2] = id;
    eventlog.ready = 3;
    ck_assert_int_eq(judge_self(p), E_MEASUREMENT);
    quote.td.rtmr[3] = regs[5];
    policy_set_self(named, &quote, &eventlog);
    quote.td.rtmr[3] = regs[6];
    ck_assert_int_eq(judge_self(named), TEE_OK);
    app[19] = 1;
    ck_assert_int_eq(judge_self(named), E_MEASUREMENT);
    policy_free(p);
    policy_free(named);
}
END_TEST

/* ---- what a refusal says ---- */

static const char *refusal(const char *json)
{
    static err_t e;
    policy_t *p = read_text(json);
    policy_match_t match;
    ck_assert_int_eq(policy_check(p, &match, &e, &subject), RC_REFUSED);
    policy_free(p);
    return e.text;
}

#define HEX96(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define FAR                                                                                                            \
    "{\"name\":\"far\",\"mrtd\":\"" REG("5") "\",\"rtmr0\":\"" REG("5") "\",\"rtmr1\":\"" REG(                         \
        "5") "\",\"rtmr2\":\"" REG("5") "\"}"

START_TEST(a_refusal_of_measurements_names_register_value_and_nearest_image)
{
    static const char two[] = "{" LIST ",\"images\":[" FAR "," IMAGE "]}";
    quote.td.rtmr[1] = regs[7];
    ck_assert_str_eq(refusal(two), "RTMR1 is " HEX96("77") " and differs from the nearest image, \"one\"");
    quote.td.rtmr[2] = regs[6];
    quote.td.rtmr[3] = regs[5];
    ck_assert_str_eq(refusal(two),
                     "RTMR1 is " HEX96("77") " and differs from the nearest image, \"one\"; so do RTMR2, RTMR3");
    ck_assert_str_eq(refusal("{" LIST ",\"images\":[]}"), "the policy lists no image");
    ck_assert_str_eq(refusal("{" SELF "}"), "our own measurements are not known yet");
}
END_TEST

START_TEST(a_refusal_by_events_names_the_event_its_payload_and_the_image)
{
#define NEEDS(rule)                                                                                                    \
    "{" LIST ",\"images\":[" FAR ",{\"name\":\"one\"," MEASURED ",\"rtmr3\":{\"mode\":\"events\",\"require\":{" rule   \
    "}}}]}"
    static const char log[] = NEEDS("\"compose-hash\":[\"00\"]"), absent[] = NEEDS("\"app-id\":[\"00\"]");
    quote.td.rtmr[3] = regs[5];
    ck_assert_str_eq(refusal(log), "image \"one\" requires events, and no event log came");
    subject.log = &eventlog;
    ck_assert_str_eq(refusal(log), "event compose-hash is c0ffee, which image \"one\" does not admit");
    ck_assert_str_eq(refusal(absent),
                     "event app-id, for image \"one\": an event that the policy requires is not in the event log");
}
END_TEST

START_TEST(same_as_self_names_the_register_that_is_not_our_own)
{
    policy_t *p = read_text("{" SELF "}");
    policy_match_t match;
    err_t e;
    policy_set_self(p, &quote, NULL);
    quote.td.rtmr[0] = regs[7];
    ck_assert_int_eq(policy_check(p, &match, &e, &subject), RC_REFUSED);
    ck_assert_str_eq(e.text, "RTMR0 is " HEX96("77") " and differs from our own");
    policy_free(p);
}
END_TEST

/* ---- chain and setup ---- */

START_TEST(what_a_policy_demands_of_the_chain_is_compared)
{
    static const char root[] = "1111111111111111111111111111111111111111111111111111111111111111";
    static const struct {
        const char *rule, *field;
        tee_code_t code;
    } rows[] = {
        { "\"version\":1", "", TEE_OK }, /* nothing is demanded */
        { "\"version\":1,\"chain_id\":1", "", TEE_OK },
        { "\"version\":1,\"chain_id\":17", "chain_id", E_POLICY_CHAIN },
        { "\"version\":1,\"genesis_validators_root\":\"0x%s\"", "", TEE_OK },
        { "\"version\":1,\"genesis_validators_root\":\"2%.63s\"", "genesis_validators_root", E_POLICY_GENESIS },
        { "\"version\":1,\"setup_hash\":[\"2%.63s\",\"%s\"]", "setup_hash", E_POLICY_SETUP },
        { "\"version\":1,\"setup_hash\":[\"3333333333333333333333333333333333333333333333333333333333333333\",\"2%.63s\"]",
          "", TEE_OK },
    };
    policy_chain_t said = { .chain_id = 1 };
    memset(said.genesis_validators_root.b, 0x11, 32);
    memset(said.setup_hash.b, 0x33, 32);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[512];
        policy_t *p;
        err_t e = { 0 };
        int n = snprintf(json, sizeof json, "{\"mode\":\"same-as-self\",");
        n += snprintf(json + n, sizeof json - (size_t)n, rows[i].rule, root, root);
        snprintf(json + n, sizeof json - (size_t)n, "}");
        ck_assert_msg(policy_read(&p, &e, view_str(json)) == RC_OK, "%s: %s", json, e.text);
        const rc_t rc = policy_check_chain(p, &e, &said);
        ck_assert_msg(rc == (rows[i].code ? RC_REFUSED : RC_OK), "%s", json);
        if (rc) {
            ck_assert_int_eq(e.code, rows[i].code);
            ck_assert_str_eq(e.field, rows[i].field);
        }
        policy_free(p);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "policy_judge", setup, NULL, an_empty_list_rejects_everything, each_register_counts,
        register_3_is_zero_exact_or_told_by_its_events, the_td_is_judged_before_its_image,
        statuses_are_accepted_by_name, what_runs_now_may_not_be_revoked_whatever_it_was_at_launch,
        a_grace_period_is_for_a_platform_that_is_out_of_date, advisories_numbers_and_ages_have_bounds,
        platforms_are_listed_by_the_digest_of_their_ppid, a_denied_advisory_is_found_wherever_it_stands,
        a_match_is_found_wherever_it_stands, each_required_event_counts, a_key_providers_payload_has_a_maximum,
        the_last_byte_of_each_field_counts, same_as_self_needs_a_self_and_compares_with_it,
        same_as_self_takes_another_rtmr0_only_from_the_list, same_as_self_compares_what_the_host_gave_the_td,
        another_instance_of_the_same_application_is_self, an_instance_under_another_app_id_or_key_provider_is_not_self,
        a_refusal_of_measurements_names_register_value_and_nearest_image,
        a_refusal_by_events_names_the_event_its_payload_and_the_image,
        same_as_self_names_the_register_that_is_not_our_own, what_a_policy_demands_of_the_chain_is_compared);
}
