/* dstack's guest agent: its answers, an agent that misbehaves (number 70 of the negative tests), and which provider is opened. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "tee/provider/dstack.h"
#include "tee/provider/dstack_answer.h"
#include "tee/provider/dstack_secret.h"
#include "tee/provider/open.h"
#include "tee/quote/quote.h"
#include "tee/sim/sim.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/logged.h"
#include "tests/unit/memory_scan.h"
#include "tests/unit/unit.h"

#define EVENT_LOG "[{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"app-id\",\"event_payload\":\"00\"}]"
#define EVENT_LOG_IN_JSON                                                                                              \
    "[{\\\"imr\\\":3,\\\"event_type\\\":134217729,\\\"digest\\\":\\\"\\\",\\\"event\\\":\\\"app-id\\\","               \
    "\\\"event_payload\\\":\\\"00\\\"}]"
#define VM_CONFIG "{\"cpu_count\":2}"
#define VM_CONFIG_IN_JSON "{\\\"cpu_count\\\":2}"
#define TIMEOUT_MS 2000u
#define BODY_MAX (8u << 20)

static tee_provider_t simulator; /* makes the agent's quotes */
static char folder[64], socket_path[96];
static uint8_t report_data[TEE_REPORT_DATA_LEN];

static void set_up(void)
{
    uint8_t seed[32] = { 7 };
    err_t why = { 0 };
    strcpy(folder, "/tmp/kettle-dstack-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(socket_path, sizeof socket_path, "%s/dstack.sock", folder);
    ck_assert_int_eq(tee_simulator_open(&simulator, &why, seed), RC_OK);
    for (unsigned i = 0; i < sizeof report_data; i++)
        report_data[i] = (uint8_t)(i + 1);
}

static void tear_down(void)
{
    unlink(socket_path);
    rmdir(folder);
    simulator.free(simulator.ctx);
}

/* --- an agent --- */

/* The quote over the report data that a request asks for, as hex; padded to 8000 bytes, as some hosts do. */
static char *quote_hex(const char *request, uint8_t flip)
{
    static const char key[] = "{\"report_data\":\"";
    uint8_t asked[TEE_REPORT_DATA_LEN], padded[8000] = { 0 };
    tee_evidence_t e;
    err_t why;
    const char *at = strstr(request, key);
    char *hex = malloc(2 * sizeof padded + 1);
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(hex_decode_exact(asked, sizeof asked, at + strlen(key), 2 * sizeof asked), RC_OK);
    ck_assert_str_eq(at + strlen(key) + 2 * sizeof asked, "\"}");
    asked[0] ^= flip;
    ck_assert_int_eq(simulator.get_evidence(simulator.ctx, &e, &why, asked), RC_OK);
    memcpy(padded, e.quote.p, e.quote.n);
    tee_evidence_free(&e);
    hex_encode(hex, view_of(padded, sizeof padded));
    return hex;
}

static bool reply(int fd, int status, const char *body)
{
    char head[160];
    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             status, strlen(body));
    return say(fd, head) && say(fd, body);
}

/* An answer with the quote in the middle; other parts as they are. */
static bool reply_quote(int fd, const char *request, uint8_t flip, const char *rest)
{
    char *hex = quote_hex(request, flip), *body = malloc(BODY_MAX);
    snprintf(body, BODY_MAX, "{\"quote\":\"%s\",%s}", hex, rest);
    bool sent = reply(fd, 200, body);
    free(body);
    free(hex);
    return sent;
}

#define REST                                                                                                           \
    "\"event_log\":\"" EVENT_LOG_IN_JSON "\",\"report_data\":\"00\",\"vm_config\":\"" VM_CONFIG_IN_JSON                \
    "\",\"attestation\":\"\""

static bool be_agent(int fd, const char *request)
{
    ck_assert_msg(!strncmp(request, "POST /GetQuote HTTP/1.1\r\n", 25), "%s", request);
    ck_assert_ptr_nonnull(strstr(request, "\r\nContent-Type: application/json\r\n"));
    return reply_quote(fd, request, 0, REST);
}

static bool be_tappd(int fd, const char *request)
{
    ck_assert_msg(!strncmp(request, "POST /prpc/Tappd.RawQuote?json HTTP/1.1\r\n", 41), "%s", request);
    return reply_quote(fd, request, 0, "\"event_log\":\"" EVENT_LOG_IN_JSON "\"");
}

/* In chunks of 1000 bytes. */
static bool be_chunked(int fd, const char *request)
{
    char *hex = quote_hex(request, 0), *body = malloc(BODY_MAX), head[16];
    snprintf(body, BODY_MAX, "{\"quote\":\"%s\"," REST "}", hex);
    bool ok = say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0, n = strlen(body); ok && at < n; at += 1000) {
        size_t part = n - at < 1000 ? n - at : 1000;
        snprintf(head, sizeof head, "%zx\r\n", part);
        ok = say(fd, head) && send_all(fd, body + at, part) && say(fd, "\r\n");
    }
    ok = ok && say(fd, "0\r\n\r\n");
    free(body);
    free(hex);
    return ok;
}

/* Event log of n bytes. */
static bool reply_log(int fd, const char *request, size_t n)
{
    char *rest = malloc(n + 64);
    strcpy(rest, "\"event_log\":\"[");
    size_t at = strlen(rest);
    memset(rest + at, ' ', n - 2);
    strcpy(rest + at + n - 2, "]\"");
    bool sent = reply_quote(fd, request, 0, rest);
    free(rest);
    return sent;
}

static bool be_long(int fd, const char *request)
{
    return reply_log(fd, request, 100000);
}
static bool be_too_long(int fd, const char *request)
{
    return reply_log(fd, request, TEE_EVENT_LOG_MAX + 1);
}
static bool be_endless(int fd, const char *request)
{
    return reply_log(fd, request, 5u << 20);
}
static bool be_other(int fd, const char *request)
{
    return reply_quote(fd, request, 1, REST);
}
static bool be_text_log(int fd, const char *request)
{
    return reply_quote(fd, request, 0, "\"event_log\":\"{}\"");
}
static bool be_bare_log(int fd, const char *request)
{
    return reply_quote(fd, request, 0, "\"event_log\":[]");
}
static bool be_double(int fd, const char *request)
{
    return reply_quote(fd, request, 0, "\"quote\":\"00\"");
}
static bool be_empty(int fd, const char *request)
{
    return (void)request, reply(fd, 200, "{\"quote\":\"\",\"event_log\":\"\"}");
}
static bool be_quoteless(int fd, const char *request)
{
    return (void)request, reply(fd, 200, "{\"event_log\":\"[]\"}");
}
static bool be_odd(int fd, const char *request)
{
    return (void)request, reply(fd, 200, "{\"quote\":\"040\"}");
}
static bool be_short(int fd, const char *request)
{
    return (void)request, reply(fd, 200, "{\"quote\":\"04000200\"}");
}
static bool be_list(int fd, const char *request)
{
    return (void)request, reply(fd, 200, "[]");
}
static bool be_cut_json(int fd, const char *request)
{
    return (void)request, reply(fd, 200, "{\"quote\":\"0400");
}
static bool be_400(int fd, const char *request)
{
    return (void)request, reply(fd, 400, "{\"error\":\"bad\\nreport\"}");
}
static bool be_400_far(int fd, const char *request)
{
    return (void)request, reply(fd, 400, "{\"error\":\"\\u009bno\\u007f\\u00fc\"}");
}
static bool be_500(int fd, const char *request)
{
    return (void)request, reply(fd, 500, "{\"error\":\"no quote\"}");
}
static bool be_404(int fd, const char *request)
{
    return (void)request, reply(fd, 404, "not found");
}

static bool be_cut(int fd, const char *request)
{
    (void)request;
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"quote\":");
    return false;
}

static bool be_chatty(int fd, const char *request)
{
    (void)request;
    say(fd, "SSH-2.0-OpenSSH_9.2\r\n");
    return false;
}

/* --- asking --- */

static rc_t ask(tee_evidence_t *e, char why[400], const char *which)
{
    tee_provider_t p;
    err_t err = { 0 };
    const tee_open_t options = { .which = which, .socket = socket_path, .timeout_ms = TIMEOUT_MS };
    rc_t rc = tee_open(&p, &err, &options);
    if (!rc) {
        rc = p.get_evidence(p.ctx, e, &err, report_data);
        p.free(p.ctx);
    }
    snprintf(why, 400, "%s", err.text);
    return rc;
}

START_TEST(an_agent_gives_quote_event_log_and_vm_config)
{
    fake_t *f = fake_new_unix(be_agent, socket_path);
    tee_evidence_t e;
    quote_t q;
    err_t fault;
    char why[400] = "";
    ck_assert_msg(ask(&e, why, "dstack") == RC_OK, "%s", why);
    ck_assert_int_eq(e.type, TEE_EVIDENCE_DSTACK);
    ck_assert_int_eq(quote_parse(&q, &fault, e.quote), RC_OK);
    ck_assert_uint_eq(q.used.n, e.quote.n); /* without the padding */
    ck_assert_mem_eq(q.td.report_data, report_data, sizeof report_data);
    ck_assert(view_eq(e.event_log, view_str(EVENT_LOG)));
    ck_assert(view_eq(e.vm_config, view_str(VM_CONFIG)));
    tee_evidence_free(&e);
    fake_free(f);
}
END_TEST

START_TEST(a_socket_named_tappd_speaks_the_older_api)
{
    snprintf(socket_path, sizeof socket_path, "%s/tappd.sock", folder);
    fake_t *f = fake_new_unix(be_tappd, socket_path);
    tee_evidence_t e;
    char why[400] = "";
    ck_assert_msg(ask(&e, why, "auto") == RC_OK, "%s", why);
    ck_assert(view_eq(e.event_log, view_str(EVENT_LOG)));
    ck_assert_uint_eq(e.vm_config.n, 0);
    tee_evidence_free(&e);
    fake_free(f);
}
END_TEST

static const struct {
    const char *name; /* of the case in number 70 */
    behave_t behave;
    rc_t rc;
    const char *why;  /* a part of the sentence */
    const char *said; /* by the agent: logged; NULL: nothing is */
} cases_70[] = {
    { "HTTP 400 with an error", be_400, RC_IO, "HTTP status 400", "; it said: bad report" },
    { "HTTP 400 with an error that is not ASCII", be_400_far, RC_IO, "HTTP status 400", "; it said:   no   " },
    { "HTTP 500 with an error", be_500, RC_IO, "HTTP status 500", "; it said: no quote" },
    { "HTTP 404 without one", be_404, RC_IO, "HTTP status 404", NULL },
    { "hangs", be_hanging, RC_TIMEOUT, "", NULL },
    { "resets", be_resetting, RC_IO, "", NULL },
    { "breaks off", be_cut, RC_IO, "", NULL },
    { "is no HTTP server", be_chatty, RC_IO, "", NULL },
    { "truncated JSON", be_cut_json, RC_IO, "the answer is not valid JSON", NULL },
    { "a list", be_list, RC_IO, "the answer must be an object", NULL },
    { "a member twice", be_double, RC_IO, "the answer is not valid JSON", NULL },
    { "quote empty", be_empty, RC_IO, "the quote is empty", NULL },
    { "quote missing", be_quoteless, RC_IO, "the answer's quote is required", NULL },
    { "quote with half a byte", be_odd, RC_IO, "the answer's quote must be", NULL },
    { "quote truncated", be_short, RC_IO, "E_TRUNCATED", NULL },
    { "quote over other report data", be_other, RC_IO, "other report data", NULL },
    { "event log that is an object", be_text_log, RC_IO, "the answer's event_log", NULL },
    { "event log that is not text", be_bare_log, RC_IO, "the answer's event_log", NULL },
    { "event log over its maximum", be_too_long, RC_IO, "the answer's event_log", NULL },
    { "answer over its maximum", be_endless, RC_IO, "", NULL },
    { "an answer of more than 64 KiB", be_long, RC_OK, "", NULL },
    { "chunked coding", be_chunked, RC_OK, "", NULL },
};

START_TEST(number_70_an_agent_that_misbehaves_gives_no_evidence_and_a_reason)
{
    for (size_t i = 0; i < sizeof cases_70 / sizeof cases_70[0]; i++) {
        const char *name = cases_70[i].name;
        tee_evidence_t e = { 0 };
        char why[400] = "";
        fake_t *f = fake_new_unix(cases_70[i].behave, socket_path);
        rc_t rc = ask(&e, why, "dstack");
        ck_assert_msg(rc == cases_70[i].rc, "70, %s: %s: %s", name, rc_name(rc), why);
        const char *said = cases_70[i].said ? cases_70[i].said : "";
        ck_assert_msg(!rc || (strstr(why, cases_70[i].why) && !strstr(why, folder) && !strstr(why, "it said")),
                      "70, %s: %s", name, why);
        ck_assert_msg(!rc || IS_LOGGED(socket_path, why, said), "70, %s: %s", name, why);
        ck_assert_msg(!rc == (e.buffer != NULL), "70, %s", name);
        tee_evidence_free(&e);
        fake_free(f);
        unlink(socket_path);
    }
}
END_TEST

START_TEST(number_70_a_socket_that_is_missing_or_refuses)
{
    tee_provider_t p;
    tee_evidence_t e;
    err_t err = { 0 };
    char why[400] = "";
    ck_assert_int_eq(ask(&e, why, "dstack"), RC_IO); /* missing from the start */
    ck_assert_str_eq(why, "dstack: the socket does not exist");
    ck_assert(IS_LOGGED(socket_path, why));
    fake_t *f = fake_new_unix(be_agent, socket_path);
    const tee_open_t options = { .which = "dstack", .socket = socket_path, .timeout_ms = TIMEOUT_MS };
    ck_assert_int_eq(tee_open(&p, &err, &options), RC_OK);
    fake_free(f);
    ck_assert_int_eq(p.get_evidence(p.ctx, &e, &err, report_data), RC_IO); /* refuses: nobody listens */
    ck_assert_str_eq(err.text, "dstack: nothing listens there: connection refused");
    ck_assert(IS_LOGGED(socket_path, err.text));
    unlink(socket_path);
    ck_assert_int_eq(p.get_evidence(p.ctx, &e, &err, report_data), RC_IO); /* missing now */
    f = fake_new_unix(be_agent, socket_path);                              /* and there again */
    ck_assert_int_eq(p.get_evidence(p.ctx, &e, &err, report_data), RC_OK);
    tee_evidence_free(&e);
    p.free(p.ctx);
    fake_free(f);
}
END_TEST

START_TEST(an_agent_that_hangs_is_waited_for_as_long_as_is_asked)
{
    tee_provider_t p;
    tee_evidence_t e;
    err_t err;
    fake_t *f = fake_new_unix(be_hanging, socket_path);
    const tee_open_t options = { .which = "dstack", .socket = socket_path, .timeout_ms = TIMEOUT_MS };
    ck_assert_int_eq(tee_open(&p, &err, &options), RC_OK);
    const uint32_t rows[][2] = { { 300, 300 }, { 0, TIMEOUT_MS } };
    for (size_t i = 0; i < 2; i++) {
        p.set_patience(p.ctx, rows[i][0]);
        const uint64_t began = clock_ms();
        ck_assert_int_eq(p.get_evidence(p.ctx, &e, &err, report_data), RC_TIMEOUT);
        const uint64_t took = clock_ms() - began;
        /* the transfer counts whole milliseconds of its own: its last one may be short */
        ck_assert_msg(took + 10 >= rows[i][1] && (i || took < TIMEOUT_MS), "row %zu: %u ms", i, (unsigned)took);
    }
    p.free(p.ctx);
    fake_free(f);
}
END_TEST

static void make_folders(const char *path)
{
    char part[200];
    for (size_t i = 1; i <= strlen(path); i++)
        if (path[i] == '/' || !path[i]) {
            snprintf(part, sizeof part, "%.*s", (int)i, path);
            ck_assert(mkdir(part, 0700) == 0 || errno == EEXIST);
        }
}

START_TEST(an_agent_that_was_asked_for_is_waited_for)
{
    tee_provider_t p;
    tee_evidence_t e;
    char run[96], later[120], remove[160];
    err_t err = { 0 };
    const tee_open_t options = { .which = "dstack", .root = folder, .timeout_ms = TIMEOUT_MS };
    ck_assert_int_eq(tee_open(&p, &err, &options), RC_OK);
    ck_assert_ptr_nonnull(strstr(p.where, "waited for"));
    ck_assert_int_eq(p.get_evidence(p.ctx, &e, &err, report_data), RC_IO);
    ck_assert_ptr_null(strstr(err.text, "/var/run"));
    ck_assert(IS_LOGGED("/var/run/dstack.sock: dstack: "));
    snprintf(run, sizeof run, "%s/run/dstack", folder); /* it need not come where it was first looked for */
    snprintf(later, sizeof later, "%s/dstack.sock", run);
    make_folders(run);
    fake_t *f = fake_new_unix(be_agent, later);
    ck_assert_int_eq(p.get_evidence(p.ctx, &e, &err, report_data), RC_OK);
    tee_evidence_free(&e);
    p.free(p.ctx);
    fake_free(f);
    snprintf(remove, sizeof remove, "rm -r %s/run", folder);
    ck_assert_int_eq(system(remove), 0);
    const tee_open_t no_socket = { .which = "dstack", .socket = folder };
    ck_assert_int_eq(tee_open(&p, &err, &no_socket), RC_UNSUPPORTED); /* what is there and cannot be one */
}
END_TEST

START_TEST(each_truncation_of_an_answer_is_refused)
{
    static const char whole[] = "{\"quote\":\"0a0B\",\"event_log\":\"[1]\",\"vm_config\":\"x\",\"more\":[{}]}";
    arena_t a;
    tee_evidence_t e;
    err_t why = { 0 };
    arena_init(&a, 1 << 20);
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        uint8_t *cut = malloc(n ? n : 1); /* of exactly this size, for the sanitizer */
        memcpy(cut, whole, n);
        ck_assert_msg(dstack_answer_read(&e, &why, &a, view_of(cut, n)) == RC_MALFORMED, "%zu bytes", n);
        free(cut);
    }
    ck_assert_int_eq(dstack_answer_read(&e, &why, &a, view_str(whole)), RC_OK);
    ck_assert(view_eq(e.quote, view_of("\x0a\x0b", 2)));
    ck_assert(view_eq(e.event_log, view_str("[1]")));
    ck_assert(view_eq(e.vm_config, view_str("x")));
    arena_free(&a);
}
END_TEST

START_TEST(too_little_memory_for_an_answer_is_said_so)
{
    arena_t a;
    tee_evidence_t e;
    err_t why = { 0 };
    arena_init(&a, 16);
    ck_assert_int_eq(dstack_answer_read(&e, &why, &a, view_str("{\"quote\":\"0a0B\"}")), RC_NOMEM);
    ck_assert_str_eq(why.text, "out of memory");
    arena_free(&a);
}
END_TEST

/* --- which provider --- */

START_TEST(auto_takes_what_is_there_in_order_and_never_the_simulator)
{
    tee_provider_t p;
    char run[96], dstack[120], tappd[120], remove[160];
    err_t said = { 0 };
    const tee_open_t any = { .which = "auto", .root = folder };
    ck_assert_int_eq(tee_open(&p, &said, &any), RC_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(said.text, "/var/run/dstack.sock"));
    ck_assert_ptr_nonnull(strstr(said.text, "/sys/kernel/config/tsm/report"));
    ck_assert_ptr_nonnull(strstr(said.text, "simulator must be asked for by name"));
    snprintf(run, sizeof run, "%s/var/run", folder);
    snprintf(dstack, sizeof dstack, "%s/dstack.sock", run);
    snprintf(tappd, sizeof tappd, "%s/tappd.sock", run);
    make_folders(run);
    fake_t *old = fake_new_unix(be_tappd, tappd);
    ck_assert_int_eq(tee_open(&p, &said, &any), RC_OK);
    ck_assert_str_eq(p.name, "tappd");
    ck_assert(tee_is(&p, "dstack") && tee_is(&p, "auto") && !tee_is(&p, "tdx") && !tee_is(&p, "simulator"));
    p.free(p.ctx);
    fake_t *new = fake_new_unix(be_agent, dstack);
    ck_assert_int_eq(tee_open(&p, &said, &any), RC_OK);
    ck_assert_str_eq(p.name, "dstack");
    ck_assert_str_eq(p.tee, "dstack-tdx");
    ck_assert(!p.simulated);
    ck_assert_ptr_nonnull(strstr(p.where, dstack));
    p.free(p.ctx);
    const tee_open_t given = { .which = "auto", .root = folder, .socket = socket_path };
    ck_assert_int_eq(tee_open(&p, &said, &given),
                     RC_OK); /* what is given may come later, and nothing is taken for it */
    ck_assert_ptr_nonnull(strstr(p.where, socket_path));
    ck_assert_ptr_nonnull(strstr(p.where, "waited for"));
    p.free(p.ctx);
    const tee_open_t kernel = { .which = "tdx", .root = folder };
    ck_assert_int_eq(tee_open(&p, &said, &kernel), RC_UNSUPPORTED);
    fake_free(old);
    fake_free(new);
    snprintf(remove, sizeof remove, "rm -r %s/var", folder);
    ck_assert_int_eq(system(remove), 0);
}
END_TEST

START_TEST(an_agent_that_was_started_anew_elsewhere_is_found_again)
{
    tee_provider_t p;
    tee_evidence_t e;
    err_t said = { 0 };
    char run[2][80], at[2][180], remove[160];
    for (unsigned i = 0; i < 2; i++) {
        snprintf(run[i], sizeof run[i], i ? "%s/run" : "%s/var/run", folder);
        snprintf(at[i], sizeof at[i], "%s/dstack.sock", run[i]);
        make_folders(run[i]);
    }
    fake_t *f = fake_new_unix(be_agent, at[0]);
    ck_assert_int_eq(tee_open(&p, &said, &(tee_open_t){ .which = "dstack", .root = folder, .timeout_ms = TIMEOUT_MS }),
                     RC_OK);
    fake_free(f); /* its socket stays, and nobody listens there */
    ck_assert_int_eq(p.get_evidence(p.ctx, &e, &said, report_data), RC_IO);
    ck_assert_ptr_null(strstr(said.text, at[0]));
    ck_assert(IS_LOGGED(at[0], said.text));
    f = fake_new_unix(be_agent, at[1]);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_msg(p.get_evidence(p.ctx, &e, &said, report_data) == RC_OK, "%s", said.text);
        tee_evidence_free(&e);
    }
    p.free(p.ctx);
    fake_free(f);
    snprintf(remove, sizeof remove, "rm -r %s/var %s/run", folder, folder);
    ck_assert_int_eq(system(remove), 0);
}
END_TEST

START_TEST(a_simulator_of_the_agent_may_be_at_an_http_url)
{
    tee_provider_t p;
    tee_evidence_t e;
    err_t said = { 0 };
    char url[64];
    fake_t *f = fake_new(be_agent);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", f->port);
    const tee_open_t options = { .which = "auto", .socket = url, .timeout_ms = 10000 };
    ck_assert_msg(tee_open(&p, &said, &options) == RC_OK, "%s", said.text);
    ck_assert_ptr_nonnull(strstr(p.where, "simulator of dstack's guest agent at http://127.0.0.1"));
    ck_assert_msg(p.get_evidence(p.ctx, &e, &said, report_data) == RC_OK, "%s", said.text);
    tee_evidence_free(&e);
    p.free(p.ctx);
    fake_free(f);
}
END_TEST

START_TEST(who_may_ask_hears_neither_where_the_agent_is_nor_what_it_said)
{
    tee_provider_t p;
    tee_evidence_t e;
    err_t said = { 0 };
    uint8_t key[TEE_SEAL_KEY_LEN];
    char url[120], origin[80];
    fake_t *f = fake_new(be_500);
    snprintf(url, sizeof url, TELLTALE_URL, f->port);
    snprintf(origin, sizeof origin, TELLTALE_ORIGIN ": dstack: HTTP status 500; it said: no quote", f->port);
    const tee_open_t options = { .which = "dstack", .socket = url, .timeout_ms = 10000 };
    ck_assert_msg(tee_open(&p, &said, &options) == RC_OK, "%s", said.text);
    ck_assert_int_eq(p.get_evidence(p.ctx, &e, &said, report_data), RC_IO);
    ck_assert_str_eq(said.text, "dstack: HTTP status 500");
    ck_assert(IS_LOGGED(origin));
    ck_assert_int_eq(p.seal_key(p.ctx, key, &said, "kettle/seal/x/1"), RC_IO);
    ck_assert_str_eq(said.text, "dstack: HTTP status 500");
    logs_no_secret();
    p.free(p.ctx);
    fake_free(f);
}
END_TEST

START_TEST(the_simulator_is_opened_by_name_only_and_other_names_are_none)
{
    tee_provider_t p;
    err_t said = { 0 };
    const tee_open_t simulated = { .which = "simulator", .root = folder }, other = { .which = "sgx", .root = folder };
    ck_assert_int_eq(tee_open(&p, &said, &simulated), RC_OK);
    ck_assert(p.simulated && tee_is(&p, "simulator") && !tee_is(&p, "dstack"));
    p.free(p.ctx);
    ck_assert_int_eq(tee_open(&p, &said, &other), RC_MALFORMED);
}
END_TEST

/* --- keys to seal by --- */

static const char *key_answer;

static bool be_keeper(int fd, const char *request)
{
    ck_assert_msg(!strncmp(request, "POST /GetKey HTTP/1.1\r\n", 23), "%s", request);
    ck_assert_ptr_nonnull(
        strstr(request, "{\"path\":\"kettle/seal/x/1\",\"purpose\":\"kettle\",\"algorithm\":\"secp256k1\"}"));
    return reply(fd, key_answer[0] == '!' ? 400 : 200, key_answer + (key_answer[0] == '!'));
}

#define KEY_HEX "0fabaa987add9a5917c66675cf8b53e7efbf694d0c636015aa7ef7a9f531c9c5"

START_TEST(an_agent_gives_a_key_to_seal_by_and_no_other_answer_is_one)
{
    static const char *const bad[] = {
        "{}", "{\"key\":\"\"}",     "{\"key\":\"0f\"}", "{\"key\":\"" KEY_HEX "00\"}", "{\"key\":7}",
        "[]", "!{\"error\":\"no\"}"
    };
    const tee_open_t options = { .which = "dstack", .socket = socket_path, .timeout_ms = TIMEOUT_MS };
    uint8_t key[TEE_SEAL_KEY_LEN], want[TEE_SEAL_KEY_LEN], zero[TEE_SEAL_KEY_LEN] = { 0 };
    tee_provider_t p;
    err_t e;
    fake_t *f = fake_new_unix(be_keeper, socket_path);
    ck_assert_int_eq(tee_open(&p, &e, &options), RC_OK);
    ck_assert_int_eq(hex_decode_exact(want, sizeof want, KEY_HEX, 64), RC_OK);
    key_answer = "{\"key\":\"" KEY_HEX "\",\"signature_chain\":[\"00\",\"00\"]}";
    ck_assert_msg(p.seal_key(p.ctx, key, &e, "kettle/seal/x/1") == RC_OK, "%s", e.text);
    ck_assert_mem_eq(key, want, sizeof key);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        key_answer = bad[i];
        memset(key, 0, sizeof key);
        ck_assert_msg(p.seal_key(p.ctx, key, &e, "kettle/seal/x/1") == RC_IO, "%s", bad[i]);
        ck_assert_mem_eq(key, zero, sizeof key);
    }
    p.free(p.ctx);
    fake_free(f);
}
END_TEST

/* The digits of a key that no literal has. */
static void secret_digits(char out[65])
{
    for (unsigned i = 0; i < 64; i++)
        out[i] = "0123456789abcdef"[(i * 7 + i / 16 + 3) % 16];
    out[64] = 0;
}

static bool be_whispering(int fd, const char *request)
{
    static const char before[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 360\r\n\r\n"
                                 "{\"key\":\"",
                      between[] = "\",\"signature_chain\":[\"";
    char digits[65], sig[131];
    (void)request;
    memset(sig, '1', 130);
    sig[130] = 0;
    secret_digits(digits);
    const bool sent = say(fd, before) && say(fd, digits) && say(fd, between) && say(fd, sig) && say(fd, "\",\"") &&
                      say(fd, sig) && say(fd, "\"]}");
    secret_wipe(digits, sizeof digits);
    return sent;
}

/* Nor a digit of it: where the program has been with a key, the key is not any more. */
START_TEST(a_key_leaves_no_trace_in_memory)
{
    const tee_open_t options = { .which = "dstack", .socket = socket_path, .timeout_ms = TIMEOUT_MS };
    tee_provider_t p;
    err_t e;
    char digits[65];
    uint8_t key[TEE_SEAL_KEY_LEN];
    dstack_key_t with_chain;
    scan_begin();
    fake_t *f = fake_new_unix(be_whispering, socket_path);
    secret_digits(digits);
    const scan_for_t text = scan_for(digits, 32), rest = scan_for(digits + 32, 32);
    ck_assert_int_eq(hex_decode_exact(key, sizeof key, digits, 64), RC_OK);
    const scan_for_t bytes = scan_for(key, 16);
    if (!SCAN_TELLS) {
        fake_free(f);
        return;
    }
    ck_assert(scan_count(&text) && scan_count(&rest) && scan_count(&bytes)); /* it would be found */
    secret_wipe(digits, sizeof digits);
    secret_wipe(key, sizeof key);
    ck_assert_int_eq(tee_open(&p, &e, &options), RC_OK);
    ck_assert_msg(p.seal_key(p.ctx, key, &e, "kettle/seal/x/1") == RC_OK, "%s", e.text);
    ck_assert_uint_eq(scan_count(&bytes), 1);
    secret_wipe(key, sizeof key);
    ck_assert_msg(dstack_get_key(&p, &with_chain, &e, "a", "b") == RC_OK, "%s", e.text);
    ck_assert_uint_eq(scan_count(&bytes), 1);
    secret_wipe(&with_chain, sizeof with_chain);
    ck_assert_uint_eq(scan_count(&text), 0);
    ck_assert_uint_eq(scan_count(&rest), 0);
    ck_assert_uint_eq(scan_count(&bytes), 0);
    p.free(p.ctx);
    fake_free(f);
}
END_TEST

START_TEST(a_secret_is_found_where_the_tree_has_it)
{
    static const struct {
        const char *text, *found; /* NULL: not there */
    } rows[] = { { "{\"key\":\"ab\"}", "ab" },
                 { " { \"key\" : \"ab\" } ", "ab" },
                 { "{\"a\":{\"key\":\"no\"},\"b\":[\"key\",{\"key\":\"no\"}],\"key\":\"ab\"}", "ab" },
                 { "{\"a\":\"\\\"key\\\":\\\"no\\\"\",\"key\":\"ab\"}", "ab" },
                 { "{\"a\":\"key\",\"key\":\"\"}", "" },
                 { "{\"key\":\"a\\u0062\"}", NULL },
                 { "{\"k\\u0065y\":\"ab\"}", NULL },
                 { "{\"key\":1}", NULL },
                 { "[\"key\",\"ab\"]", NULL },
                 { "[{\"key\":\"ab\"}]", NULL },
                 { "{\"keys\":\"ab\"}", NULL },
                 { "\"key\":\"ab\"", NULL },
                 { "{\"key\":\"ab", NULL },
                 { "{\"key", NULL },
                 { "", NULL } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t from = 0, len = 0;
        const bool found = dstack_secret_find(&from, &len, view_str(rows[i].text), "key");
        ck_assert_msg(found == (rows[i].found != NULL), "row %zu", i);
        ck_assert_msg(!found || (len == strlen(rows[i].found) && !memcmp(rows[i].text + from, rows[i].found, len)),
                      "row %zu", i);
    }
}
END_TEST

START_TEST(a_simulator_seals_when_its_seed_will_be_the_same)
{
    const tee_open_t chance = { .which = "simulator" }, seeded = { .which = "simulator", .seed = "a" };
    uint8_t one[TEE_SEAL_KEY_LEN], two[TEE_SEAL_KEY_LEN];
    tee_provider_t p, q;
    err_t e;
    ck_assert_int_eq(tee_open(&p, &e, &chance), RC_OK);
    ck_assert(!p.seal_key);
    p.free(p.ctx);
    ck_assert_int_eq(tee_open(&p, &e, &seeded), RC_OK);
    ck_assert_int_eq(tee_open(&q, &e, &seeded), RC_OK);
    ck_assert_int_eq(p.seal_key(p.ctx, one, &e, "kettle/seal/x/1"), RC_OK);
    ck_assert_int_eq(q.seal_key(q.ctx, two, &e, "kettle/seal/x/1"), RC_OK);
    ck_assert_mem_eq(one, two, sizeof one);
    ck_assert_int_eq(q.seal_key(q.ctx, two, &e, "kettle/seal/y/1"), RC_OK);
    ck_assert_mem_ne(one, two, sizeof one);
    p.free(p.ctx);
    q.free(q.ctx);
}
END_TEST

#define TENS "1111111111"
#define KEY_64 TENS TENS TENS TENS TENS TENS "1111"
#define SIG KEY_64 KEY_64 "01"

/* Known answers of GetKey and Info, their truncations, and what is missing. */
START_TEST(chain_of_a_key_and_who_this_is_are_read_strictly)
{
    static const char key[] = "{\"key\":\"" KEY_64 "\",\"signature_chain\":[\"" SIG "\",\"0x" SIG "\"]}",
                      info[] = "{\"app_id\":\"ea549f02e1a25fabd1cb788380e033ec5461b2ff\",\"instance_id\":"
                               "\"00000000000000000000000000000000000000AB\",\"app_name\":\"a\"}";
    static const char *const bad_keys[] = { "{}", "{\"key\":\"" KEY_64 "\"}",
                                            "{\"key\":\"" KEY_64 "\",\"signature_chain\":[\"" SIG "\"]}",
                                            "{\"key\":\"" KEY_64 "\",\"signature_chain\":[\"" SIG "\",\"" KEY_64
                                            "\"]}" };
    dstack_key_t k;
    dstack_info_t i;
    err_t e;
    ck_assert_int_eq(dstack_chain_read(&k, &e, view_str(key)), RC_OK);
    ck_assert_uint_eq(k.secret[31], 0x11);
    ck_assert_uint_eq(k.app_signature[63], 0x11);
    ck_assert_uint_eq(k.kms_signature[64], 1);
    ck_assert_int_eq(dstack_info_read(&i, &e, view_str(info)), RC_OK);
    ck_assert_str_eq(i.instance_id, "00000000000000000000000000000000000000ab");
    ck_assert_uint_eq(i.app_id[0], 0xea);
    for (size_t n = 0; n < sizeof key - 1; n++)
        ck_assert_int_ne(dstack_chain_read(&k, &e, view_of(key, n)), RC_OK);
    for (size_t n = 0; n < sizeof info - 1; n++)
        ck_assert_int_ne(dstack_info_read(&i, &e, view_of(info, n)), RC_OK);
    for (size_t n = 0; n < sizeof bad_keys / sizeof bad_keys[0]; n++)
        ck_assert_int_eq(dstack_chain_read(&k, &e, view_str(bad_keys[n])), RC_MALFORMED);
    ck_assert_int_eq(dstack_info_read(&i, &e,
                                      view_str("{\"app_id\":\"ea549f02e1a25fabd1cb788380e033ec5461b2ff\","
                                               "\"instance_id\":\"\"}")),
                     RC_REFUSED);
    ck_assert_str_eq(e.field, "instance_id");
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND(
        "provider_dstack", set_up, tear_down, an_agent_gives_quote_event_log_and_vm_config,
        a_socket_named_tappd_speaks_the_older_api, number_70_an_agent_that_misbehaves_gives_no_evidence_and_a_reason,
        number_70_a_socket_that_is_missing_or_refuses, an_agent_that_was_asked_for_is_waited_for,
        each_truncation_of_an_answer_is_refused, too_little_memory_for_an_answer_is_said_so,
        auto_takes_what_is_there_in_order_and_never_the_simulator,
        an_agent_that_hangs_is_waited_for_as_long_as_is_asked, an_agent_that_was_started_anew_elsewhere_is_found_again,
        a_simulator_of_the_agent_may_be_at_an_http_url, who_may_ask_hears_neither_where_the_agent_is_nor_what_it_said,
        the_simulator_is_opened_by_name_only_and_other_names_are_none,
        an_agent_gives_a_key_to_seal_by_and_no_other_answer_is_one, a_key_leaves_no_trace_in_memory,
        a_secret_is_found_where_the_tree_has_it, a_simulator_seals_when_its_seed_will_be_the_same,
        chain_of_a_key_and_who_this_is_are_read_strictly);
}
