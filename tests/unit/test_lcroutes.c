/* The light-client routes of the beacon API: what the store has, in both forms, as our own client reads it; bounds, errors
 * in the API's form, the node's key on every answer, and no answer that is older than the store. */
#include <check.h>

#include "http/server.h"
#include "node/lcroutes.h"
#include "rpc/upstream/beacon.h"
#include "tests/unit/http_ask.h"
#include "tests/unit/lc_fixture.h"
#include "tests/unit/unit.h"

#define NODE_KEY_TEXT "020900000000000000000000000000000000000000000000000000000000000000"
#define ROOT_8 "0x" FX_FULU_CHECKPOINT_8

static lc_network_t net;
static objects_t *objects;
static lcroutes_t *served;
static hs_t *server;
static hc_t *client;
static hc_response_t last;

static void on_get(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    lcroutes_get(*(lcroutes_t **)ctx, r, request);
}

static const hs_route_t routes[] = { { "GET", "/eth/*", on_get, HS_CORS } };

static void note(lc_kind_t kind, const char *name)
{
    const hash32_t root = fx_hash(FX_FULU_CHECKPOINT_8);
    view_t v = fx_read(name);
    objects_note(objects, kind, LC_FULU, v, &root);
    free((void *)(uintptr_t)v.p);
}

static void set_up(void)
{
    static const uint8_t key[33] = { 2, 9 };
    err_t e;
    net = fx_minimal_fulu();
    objects = objects_new(&net);
    served = lcroutes_new(&net, objects, key, HS_SIMULATED);
    const hs_config_t config = { .address = "127.0.0.1", .routes = routes, .route_count = 1, .ctx = (void *)&served };
    ck_assert_msg(objects && served && hs_start(&server, &e, &config) == RC_OK, "cannot start");
    client = hc_new(NULL);
    note(LC_BOOTSTRAP, "minimal-fulu/bootstrap-8.ssz");
    note(LC_UPDATE, "minimal-fulu/update-0.ssz");
    note(LC_UPDATE, "minimal-fulu/update-1.ssz");
    note(LC_FINALITY, "minimal-fulu/finality-144.ssz");
    note(LC_OPTIMISTIC, "minimal-fulu/optimistic-144.ssz");
}

static void tear_down(void)
{
    hc_response_clear(&last);
    hc_free(client);
    hs_stop(server, 1000);
    lcroutes_free(served);
    objects_free(objects);
}

static const hc_response_t *get(const char *path, const char *accept)
{
    char url[300];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", hs_port(server), path);
    hc_response_clear(&last);
    last = ask(client, hs_port(server), (hc_request_t){ .url = url, .accept = accept, .want_header = "Kettle-Node:" });
    ck_assert_msg(!last.why.rc, "%s", last.why.text);
    return &last;
}

/* What our own client makes of an answer is the object of a file. */
static void is_object(const char *file, const lc_want_t *want, const char *accept)
{
    char path[BN_PATH_MAX];
    bn_object_t got[4];
    size_t count = 0;
    err_t e;
    arena_t a;
    arena_init(&a, 16 << 20);
    bn_path(path, want);
    const hc_response_t *r = get(path, accept);
    ck_assert_msg(r->status == 200, "%s: %d %.*s", path, r->status, (int)r->body_len, (const char *)r->body);
    ck_assert_str_eq(r->header, NODE_KEY_TEXT);
    if (want->kind != LC_UPDATE)
        ck_assert_str_eq(r->consensus_version, "fulu");
    const rc_t rc = bn_decode(got, &count, &e, &a, &net, want, r->content_type,
                              r->consensus_version[0] ? r->consensus_version : NULL, view_of(r->body, r->body_len));
    ck_assert_msg(!rc && count == 1, "%s: %s %s", path, e.field, e.text);
    view_t ssz = fx_read(file);
    ck_assert_msg(view_eq(got[0].ssz, ssz) && got[0].fork == LC_FULU, "%s", file);
    free((void *)(uintptr_t)ssz.p);
    arena_free(&a);
}

START_TEST(what_the_store_has_is_given_in_both_forms)
{
    const struct {
        const char *file;
        lc_want_t want;
    } rows[] = {
        { "minimal-fulu/bootstrap-8.ssz", { .kind = LC_BOOTSTRAP, .block_root = fx_hash(FX_FULU_CHECKPOINT_8) } },
        { "minimal-fulu/update-0.ssz", { .kind = LC_UPDATE, .period = 0, .count = 1 } },
        { "minimal-fulu/update-1.ssz", { .kind = LC_UPDATE, .period = 1, .count = 4 } },
        { "minimal-fulu/finality-144.ssz", { .kind = LC_FINALITY } },
        { "minimal-fulu/optimistic-144.ssz", { .kind = LC_OPTIMISTIC } },
    };
    static const struct {
        const char *accept, *type;
    } forms[] = {
        { BN_ACCEPT, "application/octet-stream" },
        { "application/octet-stream", "application/octet-stream" },
        { BN_ACCEPT_JSON, "application/json" },
        { "*/*", "application/json" },
        { "application/octet-stream;q=0.5, application/json;q=0.9", "application/json" },
        { "text/html, */*;q=0.1, Application/Octet-Stream;q=0.2", "application/octet-stream" },
        { "application/octet-stream;q=0", "application/json" },
        { "application/octet-streams", "application/json" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
            is_object(rows[i].file, &rows[i].want, forms[k].accept);
            ck_assert_msg(!strcmp(last.content_type, forms[k].type), "%s: %s", forms[k].accept, last.content_type);
        }
}
END_TEST

/* Its headers have one length, and no offset stands before the slot that the digest is by. */
START_TEST(an_update_past_gloas_is_given_in_both_forms)
{
    static const char *const accepts[] = { BN_ACCEPT, BN_ACCEPT_JSON };
    const lc_want_t want = { .kind = LC_UPDATE, .period = 1, .count = 1 };
    const hash32_t root = fx_hash(FX_GLOAS_CHECKPOINT_8);
    uint8_t digest[4];
    net = fx_minimal_gloas();
    net.blob_schedule[0] = (lc_blob_row_t){ 1000, 9 }; /* another digest from there on */
    net.blob_rows = 1;
    lc_fork_digest(digest, &net, 9);
    const view_t ssz = fx_read("minimal-gloas/update-72.ssz");
    objects_note(objects, LC_UPDATE, LC_GLOAS, ssz, &root);
    for (size_t i = 0; i < 2; i++) {
        bn_object_t got[4];
        char path[BN_PATH_MAX];
        size_t count = 0;
        err_t e;
        arena_t a;
        arena_init(&a, 16 << 20);
        bn_path(path, &want);
        const hc_response_t *r = get(path, accepts[i]);
        ck_assert_msg(r->status == 200, "%d %.*s", r->status, (int)r->body_len, (const char *)r->body);
        ck_assert(i || (r->body_len > 12 && !memcmp(r->body + 8, digest, sizeof digest)));
        const rc_t rc =
            bn_decode(got, &count, &e, &a, &net, &want, r->content_type, NULL, view_of(r->body, r->body_len));
        ck_assert_msg(!rc && count == 1, "%s %s", e.field, e.text);
        ck_assert(view_eq(got[0].ssz, ssz) && got[0].fork == LC_GLOAS);
        arena_free(&a);
    }
    free((void *)(uintptr_t)ssz.p);
}
END_TEST

START_TEST(an_answer_is_never_older_than_the_store)
{
    const lc_want_t want = { .kind = LC_OPTIMISTIC };
    for (int twice = 0; twice < 2; twice++)
        is_object("minimal-fulu/optimistic-144.ssz", &want, BN_ACCEPT);
    note(LC_OPTIMISTIC, "minimal-fulu/optimistic-145.ssz");
    is_object("minimal-fulu/optimistic-145.ssz", &want, BN_ACCEPT);
    is_object("minimal-fulu/optimistic-145.ssz", &want, BN_ACCEPT_JSON);
}
END_TEST

START_TEST(at_most_four_updates_are_given_and_none_beyond_a_gap)
{
    const hc_response_t *r = get("/eth/v1/beacon/light_client/updates?start_period=0&count=128", BN_ACCEPT);
    ck_assert_int_eq(r->status, 200); /* two updates, of 8 bytes length, 4 bytes digest and the object */
    view_t a = fx_read("minimal-fulu/update-0.ssz"), b = fx_read("minimal-fulu/update-1.ssz");
    ck_assert_uint_eq(r->body_len, 24 + a.n + b.n);
    for (uint64_t period = 2; period < 8; period++) { /* the same bytes again: what is kept goes by the attested slot */
        uint8_t *copy = malloc(a.n);
        memcpy(copy, a.p, a.n);
        const uint64_t slot = period * 64 + 5;
        rd_t at = rd_of(view_of(a.p, a.n));
        memcpy(copy + rd_u32le(&at), &slot, sizeof slot);
        const hash32_t none = { { 0 } };
        objects_note(objects, LC_UPDATE, LC_FULU, view_of(copy, a.n), &none);
        free(copy);
    }
    r = get("/eth/v1/beacon/light_client/updates?start_period=1&count=128", BN_ACCEPT);
    ck_assert_uint_eq(r->body_len, 4 * 12 + b.n + 3 * a.n);
    r = get("/eth/v1/beacon/light_client/updates?count=9&start_period=7", BN_ACCEPT);
    ck_assert_uint_eq(r->body_len, 12 + a.n);
    r = get("/eth/v1/beacon/light_client/updates?start_period=8&count=1", BN_ACCEPT);
    ck_assert(r->status == 200 && r->body_len == 0);
    r = get("/eth/v1/beacon/light_client/updates?start_period=8&count=1", BN_ACCEPT_JSON);
    ck_assert(r->status == 200 && r->body_len == 2 && !memcmp(r->body, "[]", 2));
    free((void *)(uintptr_t)a.p);
    free((void *)(uintptr_t)b.p);
}
END_TEST

START_TEST(errors_have_the_form_of_the_beacon_api)
{
    static const struct {
        const char *path, *body;
    } rows[] = {
        { "updates?start_period=0", "{\"code\":400,\"message\":\"start_period" },
        { "updates?start_period=0&count=0", "{\"code\":400,\"message\":\"start_period" },
        { "updates?start_period=-1&count=1", "{\"code\":400,\"message\":\"start_period" },
        { "updates?start_period=1&start_period=1&count=1", "{\"code\":400,\"message\":\"start_period" },
        { "updates?start_period=99999999999999999999&count=1", "{\"code\":400,\"message\":\"start_period" },
        { "updates?start_period=1&count=1x", "{\"code\":400,\"message\":\"start_period" },
        { "bootstrap/0x12", "{\"code\":400,\"message\":\"a block root" },
        { "bootstrap/" ROOT_8 "00", "{\"code\":400,\"message\":\"a block root" },
        { "bootstrap/" FX_FULU_CHECKPOINT_8, "{\"code\":400,\"message\":\"a block root" },
        { "bootstrap/0x" FX_FULU_CHECKPOINT_104, "{\"code\":404,\"message\":\"this node has no bootstrap" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char path[200];
        snprintf(path, sizeof path, "/eth/v1/beacon/light_client/%s", rows[i].path);
        const hc_response_t *r = get(path, BN_ACCEPT);
        ck_assert_msg(r->body_len > strlen(rows[i].body) && !memcmp(r->body, rows[i].body, strlen(rows[i].body)),
                      "%s: %.*s", path, (int)r->body_len, (const char *)r->body);
        ck_assert_int_eq(r->status, strstr(rows[i].body, "404") ? 404 : 400);
    }
}
END_TEST

START_TEST(before_there_is_a_head_and_where_the_routes_are_off_it_is_404)
{
    lcroutes_t *on = served;
    objects_t *all = objects;
    served = NULL;
    ck_assert_int_eq(get("/eth/v1/beacon/light_client/finality_update", BN_ACCEPT)->status, 404);
    objects = objects_new(&net);
    served = lcroutes_new(&net, objects, (const uint8_t[33]){ 2, 9 }, 0);
    ck_assert_int_eq(get("/eth/v1/beacon/light_client/finality_update", BN_ACCEPT)->status, 404);
    lcroutes_free(served);
    objects_free(objects);
    served = on;
    objects = all;
}
END_TEST

START_TEST(the_genesis_is_given)
{
    const hc_response_t *r = get("/eth/v1/beacon/genesis", BN_ACCEPT_JSON);
    static const char body[] = "{\"data\":{\"genesis_time\":\"1795226031\",\"genesis_validators_root\":"
                               "\"0xd0df1dbe4029181c27973b00eac8fef87ccfc91d51e612fc8554ef66933ad390\","
                               "\"genesis_fork_version\":\"0x00304801\"}}";
    ck_assert_int_eq(r->status, 200);
    ck_assert(r->body_len == sizeof body - 1 && !memcmp(r->body, body, sizeof body - 1));
    ck_assert_str_eq(r->header, NODE_KEY_TEXT);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("lcroutes", set_up, tear_down, what_the_store_has_is_given_in_both_forms,
                           an_update_past_gloas_is_given_in_both_forms, an_answer_is_never_older_than_the_store,
                           at_most_four_updates_are_given_and_none_beyond_a_gap, errors_have_the_form_of_the_beacon_api,
                           before_there_is_a_head_and_where_the_routes_are_off_it_is_404, the_genesis_is_given);
}
