/* The node's evidence, over a provider that does what a test tells it: bodies, the queue for fresh quotes, failures. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "node/evidence/attest.h"
#include "rpc/api/attestation.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/tdx_files.h"
#include "tests/unit/unit.h"

#define CALLERS 8u

/* A provider: its quote is the report data; it can be held, and it can fail. */
static atomic_bool held, failing;
static atomic_uint made, at_once, at_once_peak;

static rc_t get_evidence(void *ctx, tee_evidence_t *out, err_t *err, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    (void)ctx;
    unsigned now = ++at_once;
    if (now > at_once_peak)
        at_once_peak = now;
    while (held)
        pause_ms(2);
    at_once--;
    if (failing)
        return err_say(err, RC_IO, "the socket is gone");
    made++;
    return tee_evidence_make(out, TEE_EVIDENCE_SIMULATED, view_of(report_data, TEE_REPORT_DATA_LEN), view_str("[]"),
                             view_of(NULL, 0));
}

static const tee_provider_t provider = {
    .name = "fake", .tee = "simulated", .type = TEE_EVIDENCE_SIMULATED, .simulated = true, .get_evidence = get_evidence
};

static int64_t now_s(void *ctx)
{
    (void)ctx;
    return 1751000000;
}

static attest_config_t config(void)
{
    attest_config_t c = { .tee = &provider, .now_s = now_s };
    memset(c.pubkey, 2, sizeof c.pubkey);
    memset(c.node_pubkey, 3, sizeof c.node_pubkey);
    return c;
}

/* What the quotes bind. */
static setup_t setup_of(void)
{
    static const char cluster[] = "{\"chain_id\":1}", node[] = "{\"program\":\"0\"}";
    setup_t s = { .cluster.chain_id = 1, .cluster_text = view_str(cluster), .node_text = view_str(node) };
    sha256(&s.hash, s.cluster_text);
    sha256(&s.node_hash, s.node_text);
    return s;
}

static setup_t meaning;

static attest_t *start(void)
{
    attest_t *s;
    err_t e = { 0 };
    const attest_config_t c = config();
    meaning = setup_of();
    ck_assert_msg(attest_new(&s, &e, &c) == RC_OK, "%s", e.text);
    ck_assert_msg(attest_begin(s, &e, &meaning) == RC_OK, "%s", e.text);
    return s;
}

static void expected(uint8_t out[TEE_REPORT_DATA_LEN], const uint8_t *nonce)
{
    const attest_config_t c = config();
    tee_attest_report_data(out, &(tee_attest_t){ .type = TEE_EVIDENCE_SIMULATED,
                                                 .nonce = nonce,
                                                 .cluster_pubkey = c.pubkey,
                                                 .node_pubkey = c.node_pubkey,
                                                 .cluster_statement = meaning.hash,
                                                 .node_statement = meaning.node_hash });
}

static void setup(void)
{
    held = failing = false;
    made = at_once = at_once_peak = 0;
}

static rc_t body(attest_t *s, attestation_t *out, err_t *e, arena_t *a, const uint8_t *nonce, bool staple)
{
    view_t text;
    const attestation_cluster_t cluster = { true, 2, 1, { { 0x0d } }, 3, 5 };
    rc_t rc = attest_body(s, &text, e, a, &cluster, nonce, staple);
    if (!rc)
        ck_assert_int_eq(attestation_read(out, e, a, text), RC_OK);
    return rc;
}

START_TEST(a_fresh_body_binds_keys_nonce_and_setup)
{
    attest_t *s = start();
    attestation_t x;
    uint8_t nonce[32], want[TEE_REPORT_DATA_LEN];
    err_t e = { 0 };
    arena_t a;
    const attest_config_t c = config();
    arena_init(&a, 4 << 20);
    memset(nonce, 7, sizeof nonce);
    ck_assert_int_eq(body(s, &x, &e, &a, nonce, false), RC_OK);
    expected(want, nonce);
    ck_assert(view_eq(x.quote, view_of(want, sizeof want)));
    ck_assert(x.has_nonce && !memcmp(x.nonce, nonce, 32) && x.evidence_type == TEE_EVIDENCE_SIMULATED);
    ck_assert(view_eq(x.provider, view_str("fake")) && view_eq(x.event_log, view_str("[]")));
    ck_assert(!memcmp(x.pubkey, c.pubkey, 33) && !memcmp(x.node_pubkey, c.node_pubkey, 33));
    ck_assert(view_eq(x.cluster_statement, meaning.cluster_text) && view_eq(x.node_statement, meaning.node_text));
    arena_free(&a);
    attest_free(s);
}
END_TEST

START_TEST(without_a_nonce_one_quote_is_made_and_given_again)
{
    attest_t *s = start();
    attestation_t x;
    uint8_t want[TEE_REPORT_DATA_LEN];
    err_t e = { 0 };
    arena_t a;
    arena_init(&a, 4 << 20);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(body(s, &x, &e, &a, NULL, false), RC_OK);
    expected(want, NULL);
    ck_assert(view_eq(x.quote, view_of(want, sizeof want)) && !x.has_nonce);
    ck_assert_uint_eq(made, 2); /* the prototype's, and this one */
    tee_register_report_data(want, config().pubkey);
    ck_assert(view_eq(attest_quote(s), view_of(want, sizeof want)));
    arena_free(&a);
    attest_free(s);
}
END_TEST

/* A provider by another name whose quotes no root vouches for: dstack's simulator, say. */
START_TEST(what_does_not_lead_to_intels_root_is_simulated_whatever_it_is_called)
{
    tee_provider_t dstack = provider;
    attest_config_t c = config();
    attest_t *s;
    err_t e;
    dstack.name = "dstack";
    dstack.type = TEE_EVIDENCE_DSTACK;
    dstack.simulated = false;
    c.tee = &dstack;
    ck_assert_int_eq(attest_new(&s, &e, &c), RC_OK);
    ck_assert(attest_simulated(s));
    attest_free(s);
}
END_TEST

START_TEST(a_policy_that_does_not_admit_the_own_setup_is_no_policy)
{
    static const char *const rows[][2] = {
        { "{\"mode\":\"same-as-self\",\"version\":1,\"chain_id\":2}", "policy.chain_id" },
        { "{\"mode\":\"same-as-self\",\"version\":1,\"genesis_validators_root\":"
          "\"1111111111111111111111111111111111111111111111111111111111111111\"}",
          "policy.genesis_validators_root" },
        { "{\"mode\":\"same-as-self\",\"version\":1,\"setup_hash\":"
          "\"1111111111111111111111111111111111111111111111111111111111111111\"}",
          "policy.setup_hash" },
    };
    meaning = setup_of();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        attest_config_t c = config();
        attest_t *s;
        err_t e;
        c.policy = rows[i][0];
        ck_assert_int_eq(attest_new(&s, &e, &c), RC_OK);
        ck_assert_int_eq(attest_begin(s, &e, &meaning), RC_REFUSED);
        ck_assert_str_eq(e.field, rows[i][1]);
        attest_free(s);
    }
}
END_TEST

START_TEST(collateral_that_is_not_there_is_said_and_costs_no_quote)
{
    attest_t *s = start();
    attestation_t x;
    uint8_t nonce[32] = { 1 };
    err_t e = { 0 };
    arena_t a;
    attest_status_t status;
    arena_init(&a, 4 << 20);
    for (unsigned i = 0; i < 200; i++, pause_ms(5)) {
        attest_status(s, &status);
        if (status.trouble[0])
            break;
    }
    ck_assert_int_eq(body(s, &x, &e, &a, nonce, true), RC_NEED_DATA);
    ck_assert_msg(strstr(e.text, "no collateral yet: the fake") != NULL, "%s", e.text);
    ck_assert(!status.verified);
    ck_assert_uint_eq(made, 1);
    arena_free(&a);
    attest_free(s);
}
END_TEST

static attest_t *shared;
static atomic_uint good, refused, done;

static void *ask(void *ctx)
{
    uint8_t nonce[32] = { (uint8_t)(uintptr_t)ctx };
    err_t e = { 0 };
    view_t text;
    arena_t a;
    arena_init(&a, 4 << 20);
    const attestation_cluster_t alone = { .is_there = false };
    rc_t rc = attest_body(shared, &text, &e, &a, &alone, nonce, false);
    good += rc == RC_OK;
    refused += rc == RC_LIMIT && strstr(e.text, "too many") != NULL;
    done++;
    arena_free(&a);
    return NULL;
}

START_TEST(quotes_are_made_one_at_a_time_and_few_may_wait)
{
    pthread_t threads[CALLERS];
    shared = start();
    good = refused = done = 0;
    held = true;
    for (size_t i = 0; i < CALLERS; i++)
        pthread_create(&threads[i], NULL, ask, (void *)i);
    for (unsigned i = 0; i < 1000 && done < CALLERS - 1 - ATTEST_QUEUE_MAX; i++)
        pause_ms(5); /* all but the one that is made and those that wait are turned away */
    ck_assert_uint_eq(refused, CALLERS - 1 - ATTEST_QUEUE_MAX);
    held = false;
    for (size_t i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(good, 1 + ATTEST_QUEUE_MAX);
    ck_assert_uint_eq(at_once_peak, 1);
    attest_free(shared);
}
END_TEST

START_TEST(who_waits_for_quotes_that_hang_is_told_so)
{
    attest_config_t c = config();
    pthread_t first;
    err_t e = { 0 };
    arena_t a;
    view_t text;
    const attestation_cluster_t alone = { .is_there = false };
    c.wait_ms = 200;
    meaning = setup_of();
    ck_assert_int_eq(attest_new(&shared, &e, &c), RC_OK);
    ck_assert_int_eq(attest_begin(shared, &e, &meaning), RC_OK);
    held = true;
    pthread_create(&first, NULL, ask, NULL);
    while (!at_once)
        pause_ms(1);
    arena_init(&a, 4 << 20);
    for (unsigned i = 0; i < 3; i++) { /* more than may wait at the same time */
        ck_assert_int_eq(attest_body(shared, &text, &e, &a, &alone, meaning.hash.b, false), RC_LIMIT);
        ck_assert_str_eq(e.text, "the quotes before take too long: ask again");
    }
    held = false;
    pthread_join(first, NULL);
    ck_assert_int_eq(attest_body(shared, &text, &e, &a, &alone, meaning.hash.b, false), RC_OK);
    arena_free(&a);
    attest_free(shared);
}
END_TEST

static void on_attest(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)q;
    (void)ask(ctx);
    hs_problem(r, 503, "no-quote", "none");
}

static void on_other(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx, (void)q;
    hs_problem(r, 404, "not-found", "none");
}

/* Eight clients wait for a provider that hangs; the routes beside are answered by the same server's workers. */
START_TEST(quotes_that_hang_leave_a_worker_to_other_requests)
{
    static const hs_route_t routes[] = { { "GET", "/attest", on_attest, HS_SLOW },
                                         { "GET", "/other", on_other, HS_SLOW } };
    const hs_config_t k = { .address = "127.0.0.1", .routes = routes, .route_count = 2, .workers = ATTEST_WORKERS };
    hs_t *s;
    int fds[CALLERS];
    char from[16];
    shared = start();
    ck_assert_int_eq(hs_start(&s, NULL, &k), RC_OK);
    held = true;
    for (unsigned i = 0; i < CALLERS; i++) {
        snprintf(from, sizeof from, "127.0.0.%u", 2 + i);
        fds[i] = dial_from(s, from);
        ck_assert(say(fds[i], "GET /attest HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    while (!at_once)
        pause_ms(1);
    for (unsigned i = 0; i < 5; i++) {
        const int fd = dial_from(s, "127.0.0.99");
        ck_assert(say(fd, "GET /other HTTP/1.1\r\nHost: x\r\n\r\n"));
        reply_t got = hear(fd, false);
        ck_assert_int_eq(got.status, 404);
        free(got.body);
        close(fd);
    }
    held = false;
    hs_stop(s, 1000);
    for (unsigned i = 0; i < CALLERS; i++)
        close(fds[i]);
    attest_free(shared);
}
END_TEST

START_TEST(a_provider_that_fails_is_named_and_asked_again_next_time)
{
    attest_t *s = start();
    attestation_t x;
    uint8_t nonce[32] = { 1 };
    err_t e = { 0 };
    arena_t a;
    arena_init(&a, 4 << 20);
    failing = true;
    ck_assert_int_eq(body(s, &x, &e, &a, nonce, false), RC_IO);
    ck_assert_str_eq(e.text, "no quote from the fake: the socket is gone");
    failing = false;
    ck_assert_int_eq(body(s, &x, &e, &a, nonce, false), RC_OK);
    arena_free(&a);
    attest_free(s);
}
END_TEST

START_TEST(a_start_without_quote_or_with_a_wrong_policy_fails_and_says_so)
{
    attest_t *s;
    err_t e = { 0 };
    attest_config_t c = config();
    failing = true;
    ck_assert_int_eq(attest_new(&s, &e, &c), RC_IO);
    ck_assert_str_eq(e.text, "no quote from the fake: the socket is gone");
    failing = false;
    c.policy = "{\"version\":1,\"mode\":\"all\"}";
    ck_assert_int_eq(attest_new(&s, &e, &c), RC_MALFORMED);
    ck_assert_str_eq(e.field, "policy.mode");
    ck_assert_str_eq(e.text, "must be one of: list, same-as-self");
}
END_TEST

static view_t recorded; /* a quote of a real machine */

static rc_t give_recorded(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    (void)ctx, (void)e, (void)report_data;
    uint8_t *copy = malloc(recorded.n);
    memcpy(copy, recorded.p, recorded.n);
    *out = (tee_evidence_t){ .type = TEE_EVIDENCE_DSTACK, .buffer = copy, .quote = view_of(copy, recorded.n) };
    return RC_OK;
}

/* Whoever says that it is a simulator is one, though its quotes lead to Intel. */
START_TEST(what_pretends_is_simulated_whatever_its_quotes_lead_to)
{
    tee_provider_t dstack = { .name = "dstack", .type = TEE_EVIDENCE_DSTACK, .get_evidence = give_recorded };
    arena_t a;
    err_t e;
    arena_init(&a, 1 << 20);
    recorded = tdx_file(&a, "quote.bin");
    for (unsigned i = 0; i < 2; i++) {
        attest_config_t c = config();
        attest_t *s;
        c.tee = &dstack;
        c.pretended = i == 1;
        ck_assert_msg(attest_new(&s, &e, &c) == RC_OK, "%s", e.text);
        ck_assert(attest_simulated(s) == (i == 1));
        attest_free(s);
    }
    arena_free(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "attest", setup, NULL, a_fresh_body_binds_keys_nonce_and_setup,
        without_a_nonce_one_quote_is_made_and_given_again,
        what_does_not_lead_to_intels_root_is_simulated_whatever_it_is_called,
        what_pretends_is_simulated_whatever_its_quotes_lead_to, a_policy_that_does_not_admit_the_own_setup_is_no_policy,
        collateral_that_is_not_there_is_said_and_costs_no_quote, quotes_are_made_one_at_a_time_and_few_may_wait,
        who_waits_for_quotes_that_hang_is_told_so, quotes_that_hang_leave_a_worker_to_other_requests,
        a_provider_that_fails_is_named_and_asked_again_next_time,
        a_start_without_quote_or_with_a_wrong_policy_fails_and_says_so);
}
