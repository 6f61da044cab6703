/* The API port's certificate: made with a quote over its key, replaced in time, kept when there is no quote. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/crypto/secret.h"
#include "base/os/log.h"
#include "http/client.h"
#include "node/evidence/https.h"
#include "tee/provider/ratls_make.h"
#include "tee/sim/sim.h"
#include "tee/x509/der.h"
#include "tee/x509/ratls.h"
#include "tests/unit/tls_client.h"
#include "tests/unit/unit.h"

#define NOW 1795000000
#define LIFETIME 12u /* seconds: the clock is looked at every quarter of a second */
#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static tee_provider_t simulator, tee;
static atomic_ullong now_ms;
static atomic_uint quotes;
static atomic_bool broken, long_log;
static https_t *https;
static hs_t *server;
static FILE *log_file;

static uint64_t clock_fake(void)
{
    return now_ms;
}

static rc_t get_evidence(void *ctx, tee_evidence_t *out, err_t *err, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    quotes++;
    tee_evidence_t e;
    rc_t rc = broken ? err_say(err, RC_IO, "the agent is away") : simulator.get_evidence(ctx, &e, err, report_data);
    if (rc || !long_log) {
        if (!rc)
            *out = e;
        return rc;
    }
    static const uint8_t text[RATLS_EVENT_LOG_MAX];
    rc = tee_evidence_make(out, e.type, e.quote, view_of(text, sizeof text), e.vm_config);
    tee_evidence_free(&e);
    return rc;
}

static void answer(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    r->status = 204;
}

static const hs_route_t routes[] = { { "GET", "/", answer, 0 } };

static void set_up(void)
{
    const uint8_t seed[32] = { 4 };
    err_t e = { 0 };
    log_file = tmpfile();
    log_redirect(log_file, 0);
    ck_assert_int_eq(tee_simulator_open(&simulator, &e, seed), RC_OK);
    tee = simulator;
    tee.get_evidence = get_evidence;
    now_ms = NOW * 1000ull;
    quotes = 0;
    broken = false;
    long_log = false;
    ck_assert_msg(https_open(&https, &e, &tee, clock_fake, LIFETIME) == RC_OK, "%s", e.text);
    const hs_config_t config = {
        .address = "127.0.0.1", .routes = routes, .route_count = 1, .identity = https_identity(https)
    };
    ck_assert_msg(hs_start(&server, &e, &config) == RC_OK, "%s", e.text);
    ck_assert_int_eq(https_keep(https, &e, server), RC_OK);
}

static void tear_down(void)
{
    https_close(https);
    hs_stop(server, 100);
    simulator.free(simulator.ctx);
    fclose(log_file);
}

/* The public key of the certificate that a new connection sees, after it passed. */
static hash32_t present(tls_client_t *c)
{
    ratls_t r;
    err_t fault = { 0 };
    hash32_t id;
    ck_assert(tls_dial(c, hs_port(server), NULL));
    ck_assert_msg(ratls_check(&r, &fault, tls_peer(c), (int64_t)(now_ms / 1000)) == RC_OK, "%s", fault.text);
    ck_assert_uint_ge(r.spki.n, 32);
    memcpy(id.b, r.spki.p + r.spki.n - 32, 32);
    return id;
}

static bool waits_for(atomic_uint *count, unsigned at_least)
{
    for (unsigned i = 0; i < 300 && *count < at_least; i++)
        pause_ms(10);
    return *count >= at_least;
}

START_TEST(a_certificate_is_replaced_after_two_thirds_of_its_life)
{
    tls_client_t old, still, new;
    hash32_t first = present(&old), id;
    now_ms += LIFETIME * 1000 / 3 * 2 - 1;
    pause_ms(600);
    id = present(&still);
    ck_assert(hash32_eq(&id, &first));
    ck_assert_uint_eq(quotes, 1);
    now_ms++;
    ck_assert(waits_for(&quotes, 2));
    pause_ms(100);
    id = present(&new);
    ck_assert(!hash32_eq(&id, &first));
    ck_assert_int_eq(tls_ask(&old, GET, NULL), 204); /* connections that are there go on */
    tls_hang_up(&old);
    tls_hang_up(&still);
    tls_hang_up(&new);
}
END_TEST

START_TEST(without_a_quote_the_old_certificate_stays_and_it_is_tried_again)
{
    tls_client_t before, during, after;
    hash32_t first = present(&before), id;
    broken = true;
    now_ms += LIFETIME * 1000 / 3 * 2;
    ck_assert(waits_for(&quotes, 3));
    id = present(&during);
    ck_assert(hash32_eq(&id, &first));
    broken = false;
    unsigned failed = quotes;
    ck_assert(waits_for(&quotes, failed + 1));
    pause_ms(100);
    id = present(&after);
    ck_assert(!hash32_eq(&id, &first));
    tls_hang_up(&before);
    tls_hang_up(&during);
    tls_hang_up(&after);
}
END_TEST

START_TEST(a_clock_that_is_set_back_makes_a_new_certificate)
{
    tls_client_t c;
    now_ms -= 3600 * 1000;
    ck_assert(waits_for(&quotes, 2));
    pause_ms(100);
    (void)present(&c);
    tls_hang_up(&c);
}
END_TEST

START_TEST(the_largest_certificate_reaches_its_client)
{
    char url[64];
    uint8_t der[RATLS_CERT_MAX];
    hc_response_t r;
    ratls_t x;
    err_t fault = { 0 };
    hc_t *c = hc_new(NULL);
    long_log = true;
    now_ms += LIFETIME * 1000 / 3 * 2;
    ck_assert(waits_for(&quotes, 2));
    pause_ms(100);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", hs_port(server));
    hc_perform(c, &r, &(hc_request_t){ .url = url, .any_peer = true }, 1, NULL, NULL);
    ck_assert_msg(r.why.rc == RC_OK && r.status == 204, "%s", r.why.text);
    ck_assert_ptr_nonnull(r.peer);
    rd_t in = rd_of(view_str(r.peer));
    wr_t cert = wr_of(der, sizeof der);
    ck_assert_int_eq(pem_take(&in, &cert, "CERTIFICATE"), RC_OK);
    ck_assert_msg(ratls_check(&x, &fault, wr_view(&cert), (int64_t)(now_ms / 1000)) == RC_OK, "%s", fault.text);
    ck_assert_uint_eq(x.event_log.n, RATLS_EVENT_LOG_MAX);
    hc_response_clear(&r);
    hc_free(c);
}
END_TEST

START_TEST(a_first_certificate_without_a_quote_is_an_error_with_its_reason)
{
    https_t *h;
    err_t e = { 0 };
    broken = true;
    ck_assert_int_eq(https_open(&h, &e, &tee, clock_fake, LIFETIME), RC_IO);
    ck_assert_ptr_nonnull(strstr(e.text, "the agent is away"));
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND("https", set_up, tear_down, a_certificate_is_replaced_after_two_thirds_of_its_life,
                           without_a_quote_the_old_certificate_stays_and_it_is_tried_again,
                           a_clock_that_is_set_back_makes_a_new_certificate, the_largest_certificate_reaches_its_client,
                           a_first_certificate_without_a_quote_is_an_error_with_its_reason);
}
