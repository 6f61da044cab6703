/* Messages of trusted pods as JSON: the mapping both ways, what is hidden, what is refused. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "overlay/tpod/codec.h"
#include "overlay/tpod/text.h"
#include "tests/unit/unit.h"

static arena_t arena;

static void begin(void)
{
    arena_init(&arena, (size_t)8 << 20);
}

static void end(void)
{
    arena_free(&arena);
}

/* sdk-facts 7, V2 but for its secret, and the same by protobuf's mapping. */
#define HEX                                                                                                            \
    "0a400a2b0a016312040a02516d3207081610ae1128003a060a01411201313a050a014212004a080a0363707510e807120b08"             \
    "0222070a0343696410011a041002186412030a014b"
#define TEXT                                                                                                           \
    "{\"podManifest\":{\"containers\":[{\"name\":\"c\",\"image\":{\"cid\":\"Qm\"},"                                    \
    "\"ports\":[{\"containerPort\":\"22\",\"servicePort\":\"2222\",\"hostTcpPort\":\"0\"}],"                           \
    "\"env\":{\"A\":\"1\",\"B\":\"\"},\"resourceRequests\":[{\"resource\":\"cpu\",\"amount\":\"1000\"}]}],"            \
    "\"volumes\":[{\"type\":\"VOLUME_SECRET\",\"secret\":{\"cid\":%s,\"keyIdx\":1}}],"                                 \
    "\"replicas\":{\"max\":2,\"targetPendingRequests\":100}},\"keys\":[{\"keyPem\":%s}]}"

static rc_t from_json(void *out, err_t *e, const tpod_message_t *m, const char *text)
{
    jo_doc_t doc;
    err_clear(e);
    const jo_t o = jo_open(&doc, e, view_str(text), 1u << 20, JO_STRICT);
    tpod_get_json(out, &arena, m, &o);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    return rc;
}

static void hide(void *ctx, jw_t *w, const char *key, view_t secret)
{
    *(size_t *)ctx += secret.n;
    jw_null(w, key);
}

START_TEST(a_request_is_the_same_in_both_forms)
{
    uint8_t bytes[256], out[256];
    char want[1024];
    tpod_provision_request_t r, back;
    size_t n = 0, hidden = 0;
    err_t e;
    ck_assert_int_eq(hex_decode(bytes, &n, sizeof bytes, HEX, strlen(HEX)), RC_OK);
    ck_assert_msg(tpod_read(&r, &e, &arena, &TPOD_PROVISION_REQUEST, view_of(bytes, n)) == RC_OK, "%s", e.text);
    jw_t w = jw_of(&arena, 4096);
    tpod_put_json(&w, NULL, &TPOD_PROVISION_REQUEST, &r, NULL, NULL);
    snprintf(want, sizeof want, TEXT, "\"Cid\"", "\"Sw==\"");
    ck_assert_str_eq((const char *)jw_done(&w).p, want);
    ck_assert_int_eq(from_json(&back, &e, &TPOD_PROVISION_REQUEST, want), RC_OK);
    wr_t wr = wr_of(out, sizeof out);
    tpod_write(&wr, &TPOD_PROVISION_REQUEST, &back);
    ck_assert(view_eq(wr_view(&wr), view_of(bytes, n)));
    jw_t h = jw_of(&arena, 4096);
    tpod_put_json(&h, NULL, &TPOD_PROVISION_REQUEST, &r, hide, &hidden);
    snprintf(want, sizeof want, TEXT, "null", "null");
    ck_assert_str_eq((const char *)jw_done(&h).p, want);
    ck_assert_uint_eq(hidden, 4);
}
END_TEST

START_TEST(people_may_write_numbers_and_words)
{
    tpod_capacity_request_t r;
    tpod_provision_request_t p;
    err_t e;
    ck_assert_int_eq(from_json(&r, &e, &TPOD_CAPACITY_REQUEST,
                               "{\"resources\":[{\"resource\":\"cpu\",\"amount\":2},"
                               "{\"resource\":\"memory\",\"amountGibi\":\"18446744073709551615\"},{\"amount\":null}]}"),
                     RC_OK);
    ck_assert_uint_eq(r.resource_count, 3);
    ck_assert(r.resources[0].which == TPOD_AMOUNT && r.resources[0].amount == 2);
    ck_assert(r.resources[1].which == TPOD_GIBI && r.resources[1].amount == UINT64_MAX);
    ck_assert_uint_eq(r.resources[2].which, 0);
    ck_assert_int_eq(from_json(&p, &e, &TPOD_PROVISION_REQUEST,
                               "{\"podManifest\":{\"volumes\":[{\"accessMode\":2},{\"accessMode\":7}]}}"),
                     RC_OK);
    ck_assert(p.pod->volumes[0].access == TPOD_RW_MANY && p.pod->volumes[1].access == 7);
}
END_TEST

START_TEST(what_is_no_message_is_refused)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        { "[]", "" },
        { "{\"manifest\":{}}", "manifest" },
        { "{\"podManifest\":{\"containers\":{}}}", "podManifest.containers" },
        { "{\"podManifest\":{\"containers\":[{\"images\":{}}]}}", "podManifest.containers[0].images" },
        { "{\"podManifest\":{\"containers\":[{\"image\":{\"keyIdx\":2147483648}}]}}",
          "podManifest.containers[0].image.keyIdx" },
        { "{\"podManifest\":{\"containers\":[{\"ports\":[{\"hostHttpHost\":\"a\",\"hostTcpPort\":1}]}]}}",
          "podManifest.containers[0].ports[0].hostTcpPort" },
        { "{\"podManifest\":{\"containers\":[{\"ports\":[{\"containerPort\":-1}]}]}}",
          "podManifest.containers[0].ports[0].containerPort" },
        { "{\"podManifest\":{\"volumes\":[{\"type\":\"EMPTY\"}]}}", "podManifest.volumes[0].type" },
        { "{\"podManifest\":{\"containers\":[{\"env\":{\"A\":1}}]}}", "podManifest.containers[0].env.A" },
        { "{\"keys\":[{\"keyPem\":\"not base64\"}]}", "keys[0].keyPem" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tpod_provision_request_t r;
        err_t e;
        ck_assert_msg(from_json(&r, &e, &TPOD_PROVISION_REQUEST, bad[i].text) == RC_MALFORMED, "%s", bad[i].text);
        ck_assert_str_eq(e.field, bad[i].field);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("tpod_text", begin, end, a_request_is_the_same_in_both_forms,
                           people_may_write_numbers_and_words, what_is_no_message_is_refused);
}
