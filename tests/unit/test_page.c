/* The page and its module: whole, of their types, and under a policy that lets nothing else in. */
#include <check.h>

#include "http/server.h"
#include "node/page.h"
#include "tests/unit/http_ask.h"
#include "tests/unit/unit.h"

static hs_t *server;
static hc_t *client;

static void on_get(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)ctx;
    page_get(r, request, HS_SIMULATED);
}

static const hs_route_t routes[] = { { "GET", "/", on_get, 0 }, { "GET", "/kettle-verify.mjs", on_get, HS_CORS } };

static void set_up(void)
{
    err_t e;
    const hs_config_t config = { .address = "127.0.0.1", .routes = routes, .route_count = 2 };
    ck_assert_msg(hs_start(&server, &e, &config) == RC_OK, "%s", e.text);
    client = hc_new(NULL);
}

static void tear_down(void)
{
    hc_free(client);
    hs_stop(server, 1000);
}

static hc_response_t get(const char *path, const char *header)
{
    char url[200];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", hs_port(server), path);
    return ask(client, hs_port(server), (hc_request_t){ .url = url, .want_header = header });
}

static bool has(const hc_response_t *r, const char *text)
{
    return memmem(r->body, r->body_len, text, strlen(text)) != NULL;
}

START_TEST(the_page_comes_whole_with_a_strict_policy)
{
    hc_response_t r = get("/", "Content-Security-Policy:");
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.content_type, "text/html; charset=utf-8");
    ck_assert(has(&r, "<!doctype html>") && has(&r, "</html>"));
    ck_assert_ptr_nonnull(r.header);
    static const char *const parts[] = { "default-src 'none'; script-src 'self' 'sha256-", "; style-src 'sha256-",
                                         "; connect-src 'self'; ",
                                         "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                                         "require-trusted-types-for 'script'" };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ck_assert_msg(strstr(r.header, parts[i]), "%s: %s", parts[i], r.header);
    ck_assert(!strstr(r.header, "unsafe") && !strstr(r.header, "http"));
    hc_response_clear(&r);
    r = get("/", "Referrer-Policy:");
    ck_assert_str_eq(r.header, "no-referrer");
    hc_response_clear(&r);
    r = get("/", "X-Kettle-TEE:");
    ck_assert_str_eq(r.header, "simulated");
    hc_response_clear(&r);
}
END_TEST

START_TEST(the_module_is_the_verifier)
{
    hc_response_t r = get("/kettle-verify.mjs", "Access-Control-Allow-Origin:");
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.content_type, "text/javascript; charset=utf-8");
    ck_assert_str_eq(r.header, "*");
    ck_assert(has(&r, "export function verifyStatement(") && has(&r, "export function verifyAttestation("));
    hc_response_clear(&r);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("page", set_up, tear_down, the_page_comes_whole_with_a_strict_policy,
                           the_module_is_the_verifier);
}
