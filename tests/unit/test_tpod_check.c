/* Requests to provision: one that is good, and each rule broken once; units of amounts; secrets inline. */
#include <stdio.h>
#include <stdlib.h>

#include "overlay/tpod/check.h"
#include "overlay/tpod/text.h"
#include "tests/unit/unit.h"

/* All that a request may have. */
#define GOOD                                                                                                               \
    "{\"podManifest\":{\"containers\":["                                                                                   \
    "{\"name\":\"web\",\"image\":{\"cid\":\"bafyimage\",\"keyIdx\":1},\"entrypoint\":[\"/bin/web\"],"                      \
    "\"command\":[\"-v\"],\"workingDir\":\"/srv\",\"ports\":["                                                             \
    "{\"containerPort\":\"8080\",\"servicePort\":\"80\",\"hostHttpHost\":\"example.local\"},"                              \
    "{\"containerPort\":22,\"hostTcpPort\":0},{\"containerPort\":53,\"protocol\":\"UDP\",\"hostIP\":\"::1\"}],"            \
    "\"env\":{\"A\":\"1\",\"B\":\"two\\nlines\"},"                                                                         \
    "\"volumes\":[{\"volumeIdx\":2,\"mountPath\":\"/data\",\"readOnly\":true}],"                                           \
    "\"resourceRequests\":[{\"resource\":\"cpu\",\"amountMillis\":\"500\"},{\"resource\":\"memory\",\"amountMebi\":64}]}," \
    "{\"name\":\"side\",\"image\":{\"cid\":\"bafyother\",\"keyIdx\":-1}}],"                                                \
    "\"volumes\":[{},{\"type\":\"VOLUME_SECRET\",\"secret\":{\"cid\":\"bafysecret\",\"keyIdx\":0}},"                       \
    "{\"type\":\"VOLUME_FILESYSTEM\",\"accessMode\":\"VOLUME_RW_MANY\","                                                   \
    "\"filesystem\":{\"resourceRequests\":[{\"resource\":\"storage\",\"amountGibi\":1}]}}],"                               \
    "\"replicas\":{\"min\":1,\"max\":2}},\"keys\":[{\"keyPem\":\"Sw==\"},{\"keyPem\":\"TA==\"}],"                          \
    "\"payment\":{\"chainID\":\"AQ==\",\"contractAddress\":\"ERERERERERERERERERERERERERE=\","                              \
    "\"publisherAddress\":\"IiIiIiIiIiIiIiIiIiIiIiIiIiI=\",\"providerAddress\":\"MzMzMzMzMzMzMzMzMzMzMzMzMzM=\","          \
    "\"podID\":\"REREREREREREREREREREREREREREREREREREREREREQ=\"}}"

static arena_t arena;

static void begin(void)
{
    arena_init(&arena, (size_t)8 << 20);
}

static void end(void)
{
    arena_free(&arena);
}

static void read_request(tpod_provision_request_t *r, const char *text)
{
    jo_doc_t doc;
    err_t e;
    const jo_t o = jo_open(&doc, &e, view_str(text), 1u << 20, JO_STRICT);
    tpod_get_json(r, &arena, &TPOD_PROVISION_REQUEST, &o);
    ck_assert_msg(jo_done(&o) == RC_OK, "%s: %s", e.field, e.text);
    jo_close(&doc);
}

START_TEST(a_good_request_passes)
{
    tpod_provision_request_t r;
    err_t e;
    read_request(&r, GOOD);
    ck_assert_msg(tpod_check(&e, &r) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_uint_eq(r.pod->container_count, 2);
}
END_TEST

#define C0 "podManifest.containers[0]."

/* A piece of GOOD, what stands there instead, and the field that the error names. */
static const struct {
    const char *is, *becomes, *field;
} broken[] = {
    { "\"keyIdx\":1", "\"keyIdx\":2", C0 "image.keyIdx" },
    { "\"keyIdx\":1", "\"keyIdx\":-2", C0 "image.keyIdx" },
    { "\"cid\":\"bafyimage\",", "", C0 "image.cid" },
    { "bafyimage", "bafy\\u001b[2Jimage", C0 "image.cid" },
    { "\"image\":{\"cid\":\"bafyother\",\"keyIdx\":-1}", "\"workingDir\":\"\"", "podManifest.containers[1].image" },
    { "\"name\":\"side\"", "\"name\":\"web\"", "podManifest.containers[1].name" },
    { "\"name\":\"side\"", "\"name\":\"\"", "podManifest.containers[1].name" },
    { "\"name\":\"side\"", "\"name\":\"../side\"", "podManifest.containers[1].name" },
    { "\"8080\"", "\"0\"", C0 "ports[0].containerPort" },
    { "\"8080\"", "\"65536\"", C0 "ports[0].containerPort" },
    { "\"8080\"", "\"22\"", C0 "ports[1].containerPort" },
    { "\"80\"", "\"65536\"", C0 "ports[0].servicePort" },
    { "\"hostTcpPort\":0", "\"hostTcpPort\":65536", C0 "ports[1].hostTcpPort" },
    { "\"hostTcpPort\":0", "\"hostHttpHost\":\"two.local\"", C0 "ports[1].hostHttpHost" },
    { "example.local", "", C0 "ports[0].hostHttpHost" },
    { "example.local", "example local", C0 "ports[0].hostHttpHost" },
    { "\"servicePort\":\"80\"", "\"protocol\":1", C0 "ports[0].hostHttpHost" },
    { "\"protocol\":\"UDP\"", "\"protocol\":2", C0 "ports[2].protocol" },
    { "\"::1\"", "\"::1/128\"", C0 "ports[2].hostIP" },
    { "\"::1\"", "\"localhost\"", C0 "ports[2].hostIP" },
    { "\"A\":\"1\"", "\"A=\":\"1\"", C0 "env" },
    { "\"A\":\"1\"", "\"\":\"1\"", C0 "env" },
    { "\"two\\n", "\"\\u001b", C0 "env" },
    { "\"-v\"", "\"\\u0007\"", C0 "command" },
    { "\"/bin/web\"", "\"\\u0007\"", C0 "entrypoint" },
    { "\"/srv\"", "\"\\u0007\"", C0 "workingDir" },
    { "\"volumeIdx\":2", "\"volumeIdx\":3", C0 "volumes[0].volumeIdx" },
    { "\"/data\"", "\"data\"", C0 "volumes[0].mountPath" },
    { "\"/data\"", "\"\"", C0 "volumes[0].mountPath" },
    { "\"readOnly\":true}", "\"readOnly\":true},{\"mountPath\":\"/data\"}", C0 "volumes[1].mountPath" },
    { "\"amountMillis\":\"500\"", "\"amount\":\"18446744073709551615\"", C0 "resourceRequests[0].amount" },
    { ",\"amountMebi\":64", "", C0 "resourceRequests[1].amount" },
    { "\"memory\"", "\"cpu\"", C0 "resourceRequests[1].resource" },
    { "\"memory\"", "\"\"", C0 "resourceRequests[1].resource" },
    { "\"amountGibi\":1", "\"amountGibi\":\"17179869184\"",
      "podManifest.volumes[2].filesystem.resourceRequests[0].amount" },
    { "\"volumes\":[{}", "\"volumes\":[{\"type\":3}", "podManifest.volumes[0].type" },
    { "\"volumes\":[{}", "\"volumes\":[{\"type\":2}", "podManifest.volumes[0].type" },
    { "\"volumes\":[{}", "\"volumes\":[{\"filesystem\":{}}", "podManifest.volumes[0].type" },
    { "\"VOLUME_SECRET\"", "\"VOLUME_FILESYSTEM\"", "podManifest.volumes[1].type" },
    { "\"VOLUME_RW_MANY\"", "1", "podManifest.volumes[2].accessMode" },
    { "\"keyIdx\":0", "\"keyIdx\":7", "podManifest.volumes[1].secret.keyIdx" },
    { "\"bafysecret\"", "\"\"", "podManifest.volumes[1].secret.cid" },
    { "\"min\":1", "\"min\":3", "podManifest.replicas.min" },
    { "\"TA==\"", "\"\"", "keys[1].keyPem" },
    { "\"keys\":[{\"keyPem\":\"Sw==\"},{\"keyPem\":\"TA==\"}],", "", C0 "image.keyIdx" },
    { "\"AQ==\"", "\"\"", "payment.chainID" },
    { "ERERERERERERERERERERERERERE=", "ERERERERERERERERERERERERERERERE=", "payment.contractAddress" },
    { "IiIiIiIiIiIiIiIiIiIiIiIiIiI=", "IiIi", "payment.publisherAddress" },
    { "MzMzMzMzMzMzMzMzMzMzMzMzMzM=", "", "payment.providerAddress" },
    { "REREREREREREREREREREREREREREREREREREREREREQ=", "RERE", "payment.podID" },
};

START_TEST(each_rule_is_held_to)
{
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        const char *at = strstr(GOOD, broken[i].is);
        char text[4096];
        tpod_provision_request_t r;
        err_t e;
        ck_assert_msg(at, "row %zu", i);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, broken[i].becomes, at + strlen(broken[i].is));
        read_request(&r, text);
        const rc_t rc = tpod_check(&e, &r);
        ck_assert_msg(rc == RC_REFUSED || rc == RC_LIMIT, "row %zu: %s", i, rc_name(rc));
        ck_assert_msg(strcmp(e.field, broken[i].field) == 0, "row %zu: %s, not %s", i, e.field, broken[i].field);
    }
}
END_TEST

START_TEST(an_absent_key_index_is_the_first_key_and_never_no_key)
{
    tpod_provision_request_t r;
    err_t e;
    read_request(&r, "{\"podManifest\":{\"containers\":[{\"name\":\"c\",\"image\":{\"cid\":\"Qm2\"}}]}}");
    ck_assert_int_eq(tpod_check(&e, &r), RC_REFUSED);
    ck_assert_str_eq(e.text, "keyIdx 0 of 0; -1 is what is not encrypted");
    read_request(&r, "{\"podManifest\":{\"containers\":[{\"name\":\"c\",\"image\":{\"cid\":\"Qm2\"}}]},"
                     "\"keys\":[{\"keyPem\":\"Sw==\"}]}");
    ck_assert_int_eq(tpod_check(&e, &r), RC_OK);
    read_request(&r, "{}");
    ck_assert_int_eq(tpod_check(&e, &r), RC_REFUSED);
    ck_assert_str_eq(e.field, "podManifest");
    read_request(&r, "{\"podManifest\":{}}");
    ck_assert_int_eq(tpod_check(&e, &r), RC_REFUSED);
    ck_assert_str_eq(e.field, "podManifest.containers");
}
END_TEST

START_TEST(without_replicas_there_is_one)
{
    tpod_replicas_t given = { .min = 0, .max = 0, .target_pending_requests = 9 };
    tpod_pod_t pod = { .replicas = NULL };
    ck_assert(tpod_replicas(&pod).min == 1 && tpod_replicas(&pod).max == 1);
    pod.replicas = &given;
    ck_assert(tpod_replicas(&pod).min == 0 && tpod_replicas(&pod).max == 0);
    ck_assert_uint_eq(tpod_replicas(&pod).target_pending_requests, 9);
}
END_TEST

START_TEST(amounts_are_units_and_their_prefixes)
{
    static const struct {
        uint32_t which;
        uint64_t amount, millis;
        rc_t rc;
    } rows[] = {
        { TPOD_AMOUNT, 2, 2000, RC_OK },
        { TPOD_MILLIS, 1500, 1500, RC_OK },
        { TPOD_KIBI, 1, 1024000, RC_OK },
        { TPOD_MEBI, 1, 1048576000, RC_OK },
        { TPOD_GIBI, 1, 1073741824000, RC_OK },
        { TPOD_AMOUNT, 0, 0, RC_OK },
        { TPOD_AMOUNT, UINT64_MAX / 1000, UINT64_MAX / 1000 * 1000, RC_OK },
        { TPOD_AMOUNT, UINT64_MAX / 1000 + 1, 7, RC_LIMIT },
        { TPOD_GIBI, 17179870, 7, RC_LIMIT },
        { 0, 1, 7, RC_REFUSED },
        { 7, 1, 7, RC_REFUSED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const tpod_resource_t r = { .which = rows[i].which, .amount = rows[i].amount };
        uint64_t millis = 7;
        ck_assert_msg(tpod_millis(&millis, &r) == rows[i].rc, "row %zu", i);
        ck_assert_msg(millis == rows[i].millis, "row %zu: %llu", i, (unsigned long long)millis);
    }
}
END_TEST

START_TEST(a_secret_inline_is_exactly_its_form)
{
    static const uint8_t good[] = "\0\1U\0\3abc";
    view_t content = view_of(NULL, 0);
    ck_assert_int_eq(tpod_inline(&content, view_of(good, 8)), RC_OK);
    ck_assert(view_eq(content, view_str("abc")));
    for (size_t n = 0; n < 8; n++) /* cut */
        ck_assert_msg(tpod_inline(&content, view_of(good, n)) == RC_REFUSED, "%zu", n);
    for (size_t i = 1; i < 5; i++) { /* another version, codec, hash or length */
        uint8_t other[8];
        memcpy(other, good, 8);
        other[i] ^= 2;
        ck_assert_msg(tpod_inline(&content, view_of(other, 8)) == RC_REFUSED, "%zu", i);
    }
    ck_assert_int_eq(tpod_inline(&content, view_of("\0\1U\0\3abcd", 9)), RC_REFUSED);
    ck_assert_int_eq(tpod_inline(&content, view_of("\0\1U\0\0", 5)), RC_OK);
    ck_assert_uint_eq(content.n, 0);
    ck_assert_int_eq(tpod_inline(&content, view_str("bafysecret")), RC_NEED_DATA);
    ck_assert_int_eq(tpod_inline(&content, view_of("ba\0fy", 5)), RC_REFUSED);
}
END_TEST

START_TEST(the_offered_table_is_told_from_any_other)
{
    tpod_priced_t row[2] = { { view_str("cpu"), 10, 1 }, { view_str("memory"), 2, 0 } }, other[2];
    const tpod_pricing_t offered = { row, 2, view_str("token") };
    tpod_pricing_t shown = { other, 2, view_str("token") };
    for (int change = 0; change < 7; change++) {
        memcpy(other, row, sizeof row);
        shown = (tpod_pricing_t){ other, 2, view_str("token") };
        other[0].reservation += change == 1;
        other[1].usage += change == 2;
        if (change == 3)
            other[1].resource = view_str("storage");
        shown.resource_count -= change == 4;
        if (change == 5)
            shown.currency = view_str("other");
        if (change == 6) {
            other[0] = row[1];
            other[1] = row[0];
        }
        ck_assert_msg(tpod_pricing_eq(&offered, &shown) == (change == 0), "%d", change);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("tpod_check", begin, end, a_good_request_passes, each_rule_is_held_to,
                           an_absent_key_index_is_the_first_key_and_never_no_key, without_replicas_there_is_one,
                           amounts_are_units_and_their_prefixes, a_secret_inline_is_exactly_its_form,
                           the_offered_table_is_told_from_any_other);
}
