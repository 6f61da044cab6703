/* An operator's commands by HTTP: the header is read, each is obeyed once, and the log is given by its numbers. */
#include <check.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/log.h"
#include "node/operator.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/unit.h"

#define NOW 1800000000u

static const uint8_t SECRET[32] = { 1 }, NODE[33] = { 2, 9 };
static operator_gate_t gate;
static hs_t *server;
static FILE *quiet;

static void on_level(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)ctx;
    if (operator_admits(&gate, r, request, NOW))
        operator_set_log_level(r, request);
}

static void on_log(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)ctx;
    if (operator_admits(&gate, r, request, NOW))
        operator_read_log(r, request);
}

static lies_t *lies;

static void on_faults(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)ctx;
    if (operator_admits(&gate, r, request, NOW))
        operator_read_faults(r, request, lies);
}

static up_t *execution, *consensus;
static uint64_t moment = 1000;

static char pccs[64];

static rc_t set_pccs(void *ctx, const char *const *urls, size_t count)
{
    (void)ctx;
    snprintf(pccs, sizeof pccs, "%zu %s", count, urls[0]);
    return RC_OK;
}

static void on_rotate(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    (void)ctx;
    if (operator_admits(&gate, r, request, NOW))
        operator_rotate(r);
}

static void on_providers(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    bool changed;
    (void)ctx;
    if (operator_admits(&gate, r, request, NOW))
        operator_set_providers(r, request, &(operator_upstreams_t){ execution, consensus, set_pccs, NULL }, moment,
                               &changed);
}

static const hs_route_t routes[] = { { "POST", "/v1/providers", on_providers, HS_SLOW },
                                     { "POST", "/v1/log-level", on_level, HS_SLOW },
                                     { "GET", "/v1/log", on_log, 0 },
                                     { "GET", "/v1/providers/*", on_faults, HS_SLOW },
                                     { "POST", "/v1/keys/rotate", on_rotate, HS_SLOW } };

static void set_up(void)
{
    uint8_t key[33];
    err_t e;
    ecdsa_t *ecdsa = ecdsa_new(NULL);
    ck_assert(ecdsa && ecdsa_pubkey(ecdsa, key, SECRET) == RC_OK);
    ecdsa_free(ecdsa);
    quiet = fopen("/dev/null", "w");
    ck_assert_ptr_nonnull(quiet);
    log_redirect(quiet, 1);
    log_set_level(LOG_INFO);
    operator_gate_init(&gate, key);
    operator_gate_node(&gate, NODE);
    const hs_config_t config = { .address = "127.0.0.1", .routes = routes, .route_count = 5 };
    ck_assert_msg(hs_start(&server, &e, &config) == RC_OK, "%s", e.text);
}

static void tear_down(void)
{
    hs_stop(server, 1000);
    operator_gate_clear(&gate);
    log_redirect(stderr, 1);
    fclose(quiet);
}

/* Sends a command that is signed for a node with these terms; its answer is the caller's to free. */
static reply_t send_signed(const uint8_t node[OPERATOR_KEY_LEN], const char *method, const char *path,
                           const char *query, const char *body, operator_terms_t terms)
{
    char text[2048], hex[2 * ECDSA_SIG65_LEN + 1];
    uint8_t signature[ECDSA_SIG65_LEN];
    hash32_t digest;
    const operator_command_t c = { method, path, query, "", view_str(body) };
    ecdsa_t *ecdsa = ecdsa_new(NULL);
    operator_digest(&digest, node, &c, &terms);
    ck_assert_int_eq(ecdsa_sign65(ecdsa, signature, &digest, SECRET), RC_OK);
    ecdsa_free(ecdsa);
    hex_encode(hex, view_of(signature, sizeof signature));
    const int n = snprintf(text, sizeof text,
                           "%s %s%s%s HTTP/1.1\r\nHost: a\r\nKettle-Operator: 0x%s\r\nContent-Length: %zu\r\n\r\n%s",
                           method, path, *query ? "?" : "", query, hex, strlen(body), body);
    const int fd = dial(server);
    ck_assert_int_eq(write(fd, text, (size_t)n), n);
    const reply_t reply = hear(fd, false);
    close(fd);
    return reply;
}

static reply_t send_command(const char *method, const char *path, const char *query, const char *body, uint64_t counter)
{
    return send_signed(NODE, method, path, query, body, (operator_terms_t){ counter, NOW + 60 });
}

static void expect(const reply_t *r, int status, const char *part)
{
    ck_assert_msg(r->status == status && strstr(r->body, part), "%d %s", r->status, r->body);
    free(r->body);
}

START_TEST(the_level_is_set_once_by_one_command)
{
    static const char body[] = "{\"counter\":1,\"not_after\":1800000060,\"level\":\"debug\"}";
    reply_t r = send_command("POST", "/v1/log-level", "", body, 1);
    expect(&r, 200, "success");
    ck_assert_int_eq(log_level(), LOG_DEBUG);
    log_set_level(LOG_INFO);
    r = send_command("POST", "/v1/log-level", "", body, 1);
    expect(&r, 409, "urn:kettle:error:operator-replayed");
    r = send_command("POST", "/v1/log-level", "", body, 2); /* signed over another counter than the body's */
    expect(&r, 401, "urn:kettle:error:operator-signature");
    ck_assert_int_eq(log_level(), LOG_INFO);
    r = send_command("POST", "/v1/log-level", "", "{\"counter\":3,\"not_after\":1800000060,\"level\":\"loud\"}", 3);
    expect(&r, 400, "level: ");
    r = send_command("POST", "/v1/log-level", "", "{\"counter\":4,\"not_after\":1800000060,\"levl\":\"warn\"}", 4);
    expect(&r, 400, "urn:kettle:error:bad-request");
    ck_assert_int_eq(log_level(), LOG_INFO);
}
END_TEST

/* A command that sets the level, with its terms in the body, signed for a node. */
static void level_is(const uint8_t node[OPERATOR_KEY_LEN], uint64_t counter, uint64_t not_after, int status,
                     const char *part)
{
    char body[128];
    snprintf(body, sizeof body, "{\"counter\":%llu,\"not_after\":%llu,\"level\":\"debug\"}",
             (unsigned long long)counter, (unsigned long long)not_after);
    const reply_t r = send_signed(node, "POST", "/v1/log-level", "", body, (operator_terms_t){ counter, not_after });
    expect(&r, status, part);
}

START_TEST(nothing_that_was_signed_does_anything_late_again_elsewhere_or_after_a_restart)
{
    static const uint8_t other[OPERATOR_KEY_LEN] = { 3, 9 };
    level_is(other, 5, NOW + 60, 401, "operator-signature");
    level_is(NODE, 5, NOW - 1, 401, "operator-expired");
    level_is(NODE, 5, NOW + OPERATOR_AHEAD_S + 1, 401, "operator-too-far");
    ck_assert_int_eq(log_level(), LOG_INFO);
    level_is(NODE, 5, NOW + OPERATOR_AHEAD_S, 200, "success"); /* none of these has used the counter */
    log_set_level(LOG_INFO);
    level_is(NODE, 5, NOW + OPERATOR_AHEAD_S, 409, "operator-replayed");
    level_is(NODE, 4, NOW + 60, 409, "operator-replayed"); /* it was signed before, and came behind */
    level_is(NODE, 7, NOW + 60, 200, "success");
    log_set_level(LOG_INFO);
    level_is(NODE, 6, NOW + 60, 409, "operator-replayed");
    const reply_t r = send_command("GET", "/v1/log", "counter=7&not_after=1800000060", "", 7); /* one counter for all */
    expect(&r, 409, "operator-replayed");
    operator_gate_node(&gate, other); /* the node has started again, with a key of its own, */
    gate.state.counter = 0;           /* and remembers nothing */
    level_is(NODE, 8, NOW + 60, 401, "operator-signature");
    level_is(NODE, 5, NOW + OPERATOR_AHEAD_S, 401, "operator-signature");
    ck_assert_int_eq(log_level(), LOG_INFO);
    level_is(other, 1, NOW + 60, 200, "success");
    operator_gate_node(&gate, NODE);
}
END_TEST

START_TEST(without_a_signature_or_a_key_nothing_is_done)
{
    hs_response_t r = { 0 };
    hs_request_t q = { .method = "POST",
                       .path = "/v1/log-level",
                       .query = "",
                       .operator_signature = "",
                       .body = view_str("{\"counter\":1,\"not_after\":1800000060,\"level\":\"debug\"}") };
    ck_assert(!operator_admits(&gate, &r, &q, NOW));
    ck_assert_int_eq(r.status, 401);
    hs_response_clear(&r);
    gate.state.has_key = false;
    ck_assert(!operator_admits(&gate, &r, &q, NOW));
    ck_assert_int_eq(r.status, 403);
    hs_response_clear(&r);
}
END_TEST

/* The numbers of the lines in an answer: the first, the last, how many. */
static void numbers(const reply_t *r, uint64_t *first, uint64_t *last, size_t *count)
{
    jo_doc_t doc;
    err_t e;
    jo_t line;
    ck_assert_int_eq(r->status, 200);
    const jo_t o = jo_open(&doc, &e, view_of((const uint8_t *)r->body, r->body_len), 8 << 20, JO_STRICT);
    *count = 0;
    for (jo_t list = jo_list(&o, "lines", 0, LOG_RING_LINES); jo_next(&list, &line); (*count)++) {
        *last = jo_u64(&line, "number", 1, UINT64_MAX);
        if (!*count)
            *first = *last;
        ck_assert_uint_eq(*last, *first + *count);
        jo_text(&line, "ts", 20, 30);
        jo_text(&line, "level", 4, 5);
        jo_text(&line, "event", 1, 23);
        jo_text(&line, "msg", 1, LOG_MESSAGE_MAX);
    }
    ck_assert_msg(jo_done(&o) == RC_OK, "%s: %s", e.field, e.text);
    jo_close(&doc);
    free(r->body);
}

START_TEST(the_newest_thousand_lines_are_given_behind_a_number)
{
    uint64_t first, last, again_first, again_last;
    size_t count;
    char query[96];
    for (unsigned i = 0; i < 1500; i++)
        log_write(LOG_ERROR, "test", "line %u \"quoted\"", i);
    reply_t r = send_command("GET", "/v1/log", "counter=1&not_after=1800000060", "", 1);
    numbers(&r, &first, &last, &count);
    ck_assert_uint_eq(count, LOG_RING_LINES);
    snprintf(query, sizeof query, "counter=2&after=%llu&not_after=1800000060", (unsigned long long)last - 2);
    r = send_command("GET", "/v1/log", query, "", 2);
    numbers(&r, &again_first, &again_last, &count);
    ck_assert_uint_eq(again_first, last - 1);
    ck_assert_uint_eq(count, 3); /* and the line of the command itself */
    snprintf(query, sizeof query, "counter=3&not_after=1800000060&after=%llu", (unsigned long long)last + 1000);
    r = send_command("GET", "/v1/log", query, "", 3);
    numbers(&r, &first, &last, &count);
    ck_assert_uint_eq(count, 0);
}
END_TEST

static int64_t now_s(void *ctx)
{
    (void)ctx;
    return NOW;
}

START_TEST(records_of_lies_are_given_to_the_operator_by_the_place_of_the_endpoint)
{
    static const struct {
        const char *path, *query, *part;
        int status;
    } rows[] = {
        { "/v1/providers/1/faults", "", "{\"endpoint\":\"execution_rpc[1]\",\"faults\":[{", 200 },
        { "/v1/providers/1/faults", "of=execution&", "\"execution_rpc[1]\",\"faults\":[{", 200 },
        { "/v1/providers/0/faults", "", "{\"endpoint\":\"execution_rpc[0]\",\"faults\":[]}", 200 },
        { "/v1/providers/1/faults", "of=consensus&", "{\"endpoint\":\"consensus_rpc[1]\",\"faults\":[]}", 200 },
        { "/v1/providers/gone/faults", "", "{\"endpoint\":\"execution_rpc[gone]\",\"faults\":[]}", 200 },
        { "/v1/providers/gone1/faults", "", "not-found", 404 },
        { "/v1/providers/16/faults", "", "not-found", 404 },
        { "/v1/providers/x/faults", "", "not-found", 404 },
        { "/v1/providers/1/faults", "of=all&", "not-found", 404 },
        { "/v1/providers/1", "", "not-found", 404 },
    };
    err_t e;
    char query[96];
    lie_t lie = { .reason = view_str("a node with another hash"), .request = view_str("{}"), .answer = view_str("{}") };
    ck_assert_int_eq(lies_new(&lies, &e, &(lies_config_t){ .network = "devnet", .now_s = now_s }), RC_OK);
    execution = up_new((const char *const[]){ "http://a", "http://b/key" }, 2);
    consensus = up_new((const char *const[]){ "http://c" }, 1);
    lies_watch(lies, execution, consensus);
    up_lied(execution, 1, &lie);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(query, sizeof query, "%scounter=%u&not_after=1800000060", rows[i].query, i + 1);
        const reply_t r = send_command("GET", rows[i].path, query, "", i + 1);
        expect(&r, rows[i].status, rows[i].part);
    }
    const reply_t r = send_command("GET", "/v1/providers/1/faults", "counter=1&not_after=1800000060", "", 1);
    expect(&r, 409, "operator-replayed");
    lies_free(lies);
    up_free(execution);
    up_free(consensus);
    execution = consensus = NULL;
}
END_TEST

#define PROVIDERS(counter, more) "{\"counter\":" #counter ",\"not_after\":1800000060" more "}"

START_TEST(providers_are_replaced_by_a_command_that_names_some)
{
    static const struct {
        const char *body;
        int status;
        const char *text;
    } rows[] = {
        { PROVIDERS(1, ""), 400, "execution: is missing" },
        { PROVIDERS(2, ",\"execution\":[]"), 400, "execution" },
        { PROVIDERS(3, ",\"execution\":[\"ftp://a\"]"), 400, "execution[0]" },
        { PROVIDERS(4, ",\"execution\":[\"http://a\",\"http://b\",\"http://a\"]"), 400, "twice" },
        { PROVIDERS(5, ",\"execution\":\"http://a\",\"policy\":{}"), 400, "policy" },
        { PROVIDERS(6, ",\"execution\":\"http://new/secret\",\"consensus\":[\"http://c\",\"http://d\"]"), 200,
          "success" },
    };
    const char *const old[] = { "http://old" };
    size_t order[UP_ENDPOINTS_MAX];
    execution = up_new(old, 1);
    consensus = up_new(old, 1);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert(!up_is_retired(execution, 0) && up_count(execution) == 1);
        const reply_t r = send_command("POST", "/v1/providers", "", rows[i].body, i + 1);
        expect(&r, rows[i].status, rows[i].text);
    }
    ck_assert(up_order(execution, order, moment) == 1 && order[0] == 1);
    ck_assert_str_eq(up_url(execution, 1), "http://new/secret");
    ck_assert(up_order(consensus, order, moment) == 2 && order[0] == 1 && order[1] == 2);
    reply_t r = send_command("POST", "/v1/providers", "", rows[5].body, 6);
    expect(&r, 409, "urn:kettle:error:operator-replayed");
    r = send_signed((const uint8_t[33]){ 3, 1 }, "POST", "/v1/providers", "",
                    PROVIDERS(7, ",\"execution\":\"http://x\""), (operator_terms_t){ 7, NOW + 60 });
    expect(&r, 401, "urn:kettle:error:operator-signature");
    ck_assert_uint_eq(up_count(execution), 2);
    ck_assert_str_eq(pccs, "");
    r = send_command("POST", "/v1/providers", "", PROVIDERS(8, ",\"pccs\":[\"https://one\",\"https://two\"]"), 8);
    expect(&r, 200, "success");
    ck_assert_str_eq(pccs, "2 https://one");
    ck_assert_uint_eq(up_count(execution), 2);
    up_free(execution);
    up_free(consensus);
}
END_TEST

START_TEST(no_operator_rotates_the_clusters_key_alone)
{
    reply_t r = send_command("POST", "/v1/keys/rotate", "", PROVIDERS(1, ""), 1);
    expect(&r, 409, "rotation-by-order");
    r = send_command("POST", "/v1/keys/rotate", "", PROVIDERS(1, ""), 1);
    expect(&r, 409, "operator-replayed");
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND(
        "operator_routes", set_up, tear_down, the_level_is_set_once_by_one_command,
        nothing_that_was_signed_does_anything_late_again_elsewhere_or_after_a_restart,
        without_a_signature_or_a_key_nothing_is_done, the_newest_thousand_lines_are_given_behind_a_number,
        records_of_lies_are_given_to_the_operator_by_the_place_of_the_endpoint,
        providers_are_replaced_by_a_command_that_names_some, no_operator_rotates_the_clusters_key_alone);
}
