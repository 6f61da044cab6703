/* The node's own collateral from several services: one whose documents do not verify is passed over for the next. What
 * is kept for the next run. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/evidence/attest.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/logged.h"
#include "tests/unit/negative.h"

#define DAY_S 86400
#define TEXT_MAX ((size_t)128 << 10)

/* An answer to be: its body, and the header that carries its issuer chain. */
typedef struct {
    char header[TEXT_MAX], body[TEXT_MAX];
} document_t;

static void put_chain(document_t *x, const char *name, view_t chain)
{
    size_t n = (size_t)snprintf(x->header, TEXT_MAX, "%s: ", name);
    for (size_t i = 0; i < chain.n && n < TEXT_MAX - 8; i++)
        n += (size_t)snprintf(x->header + n, TEXT_MAX - n, "%%%02X", chain.p[i]);
    snprintf(x->header + n, TEXT_MAX - n, "\r\n");
}

static void put_document(document_t *x, const char *name, view_t document, const uint8_t signature[64])
{
    char hex[2 * 64 + 1];
    hex_encode(hex, view_of(signature, 64));
    snprintf(x->body, TEXT_MAX, "{\"%s\":%.*s,\"signature\":\"%s\"}", name, (int)document.n, (const char *)document.p,
             hex);
}

/* What a service with this collateral answers; false: it has no such path. */
static bool find(document_t *x, const collateral_t *c, const char *request)
{
    x->header[0] = 0;
    if (strstr(request, "/tcb?")) {
        put_chain(x, "TCB-Info-Issuer-Chain", c->tcb_info_issuer_chain);
        put_document(x, "tcbInfo", c->tcb_info, c->tcb_info_signature);
    } else if (strstr(request, "/qe/identity")) {
        put_chain(x, "SGX-Enclave-Identity-Issuer-Chain", c->qe_identity_issuer_chain);
        put_document(x, "enclaveIdentity", c->qe_identity, c->qe_identity_signature);
    } else if (strstr(request, "/pckcrl?")) {
        put_chain(x, "SGX-PCK-CRL-Issuer-Chain", c->pck_crl_issuer_chain);
        hex_encode(x->body, c->pck_crl);
    } else if (strstr(request, "/rootcacrl"))
        hex_encode(x->body, c->root_ca_crl);
    else
        return false;
    return true;
}

static bool serve(int fd, const char *request, const collateral_t *c)
{
    document_t *x = malloc(sizeof *x);
    char head[128];
    ck_assert_ptr_nonnull(x);
    ck_assert_msg(find(x, c, request), "%.80s", request);
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n", strlen(x->body));
    bool ok = say(fd, head) && say(fd, x->header) && say(fd, "\r\n") && say(fd, x->body);
    free(x);
    return ok;
}

static sim_case_t behind, current;
static const setup_t meaning; /* what the quotes bind is no matter here */

static bool be_behind(int fd, const char *request)
{
    return serve(fd, request, &behind.collateral);
}

static bool be_current(int fd, const char *request)
{
    return serve(fd, request, &current.collateral);
}

static int64_t now_s(void *ctx)
{
    (void)ctx;
    return SIM_NOW;
}

START_TEST(a_service_that_is_behind_is_passed_over)
{
    static sim_plan_t old, good;
    char urls[2][64];
    err_t e;
    attest_t *s;
    attest_status_t status = { 0 };
    sim_plan_init(&old);
    sim_plan_init(&good);
    old.tcb_info.from = -40 * DAY_S;
    old.tcb_info.until = -10 * DAY_S;
    sim_case_open(&behind, &old, "behind");
    sim_case_open(&current, &good, "current");
    tee_provider_t platform = current.p; /* a real one, as far as the node can see */
    platform.simulated = false;
    platform.get_collateral = NULL;
    fake_t *first = fake_new(be_behind), *second = fake_new(be_current);
    hc_t *http = hc_new(NULL);
    snprintf(urls[0], sizeof urls[0], "http://127.0.0.1:%u", first->port);
    snprintf(urls[1], sizeof urls[1], "http://127.0.0.1:%u", second->port);
    const char *const pccs[2] = { urls[0], urls[1] };
    attest_config_t c = { .tee = &platform, .now_s = now_s, .http = http, .pccs = pccs, .pccs_count = 2 };
    ck_assert_msg(attest_new(&s, &e, &c) == RC_OK && attest_begin(s, &e, &meaning) == RC_OK, "%s", e.text);
    for (unsigned i = 0; i < 1000 && !status.verified && !status.trouble[0]; i++) {
        pause_ms(10);
        attest_status(s, &status);
    }
    ck_assert_msg(status.verified, "%s", status.trouble);
    ck_assert_uint_eq(first->requests, 4);
    ck_assert_uint_eq(second->requests, 4);
    const char *const other[1] = { urls[1] };
    ck_assert_int_eq(attest_set_pccs(s, other, 1), RC_OK); /* which is asked soon, and the first one no more */
    for (unsigned i = 0; i < 1000 && second->requests < 8; i++)
        pause_ms(10);
    ck_assert_uint_eq(first->requests, 4);
    ck_assert_uint_eq(second->requests, 8);
    attest_free(s);
    hc_free(http);
    fake_free(first);
    fake_free(second);
    sim_case_close(&behind);
    sim_case_close(&current);
}
END_TEST

/* ---- what collateral says of the time ---- */

static real_t real;
static _Atomic int64_t told_s;

static rc_t real_evidence(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    (void)ctx, (void)e, (void)report_data;
    return tee_evidence_make(out, TEE_EVIDENCE_TDX, view_of(real.quote, real.n), view_of(NULL, 0), view_of(NULL, 0));
}

static rc_t real_collateral(void *ctx, view_t *out, arena_t *a, int64_t now)
{
    (void)ctx, (void)now;
    return collateral_write(out, a, &real.collateral);
}

static int64_t real_now_s(void *ctx)
{
    (void)ctx;
    return V4_NOW;
}

static void note_issued(void *ctx, int64_t newest_s)
{
    (void)ctx;
    told_s = newest_s;
}

static void verify_own(const tee_provider_t *platform, int64_t (*clock_s)(void *ctx))
{
    attest_t *s;
    attest_status_t status = { 0 };
    err_t e;
    attest_config_t c = { .tee = platform, .now_s = clock_s, .issued = note_issued };
    told_s = 0;
    ck_assert_msg(attest_new(&s, &e, &c) == RC_OK && attest_begin(s, &e, &meaning) == RC_OK, "%s", e.text);
    for (unsigned i = 0; i < 1000 && !status.verified && !status.trouble[0]; i++) {
        pause_ms(10);
        attest_status(s, &status);
    }
    attest_free(s);
    ck_assert_msg(status.verified, "%s", status.trouble);
}

START_TEST(the_newest_issue_date_is_told_of_what_intel_signed_and_of_nothing_else)
{
    static sim_plan_t plan;
    tee_provider_t intel = { .name = "real",
                             .tee = "tdx",
                             .type = TEE_EVIDENCE_TDX,
                             .get_evidence = real_evidence,
                             .get_collateral = real_collateral };
    real_open(&real);
    real.collateral.pck_crl_issuer_chain = test_data(&real, "pck_chain.pem");
    verify_own(&intel, real_now_s);
    ck_assert_int_eq(told_s, 1750327235); /* thisUpdate of pck_crl.der, 2025-06-19T10:00:35Z, after both documents */
    real_close(&real);
    sim_plan_init(&plan);
    sim_case_open(&current, &plan, "simulated");
    verify_own(&current.p, now_s); /* a clock that is ahead would tell itself the time */
    ck_assert_int_eq(told_s, 0);
    sim_case_close(&current);
}
END_TEST

/* ---- the memory against rollback, across restarts ---- */

static char dir[64], said[4096];

/* Runs a node's evidence over the state folder until its own quote verifies; said is what the log said. */
static void run_once(const tee_provider_t *platform)
{
    attest_t *s;
    attest_status_t status = { 0 };
    err_t e;
    FILE *log = tmpfile();
    attest_config_t c = { .tee = platform, .now_s = now_s, .state_dir = dir };
    log_redirect(log, 0);
    ck_assert_msg(attest_new(&s, &e, &c) == RC_OK && attest_begin(s, &e, &meaning) == RC_OK, "%s", e.text);
    for (unsigned i = 0; i < 1000 && !status.verified; i++) {
        pause_ms(10);
        attest_status(s, &status);
    }
    pause_ms(50); /* what was kept is looked at anew at once */
    attest_free(s);
    ck_assert_msg(status.verified, "%s", status.trouble);
    rewind(log);
    said[fread(said, 1, sizeof said - 1, log)] = '\0';
    log_redirect(stderr, 0);
    fclose(log);
}

static void remove_file(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    ck_assert_int_eq(unlink(path), 0);
}

START_TEST(a_memory_in_another_form_is_told_of_and_written_anew)
{
    static sim_plan_t good;
    static rollback_t raw, read;
    view_t kept;
    bool found;
    err_t e;
    snprintf(dir, sizeof dir, "/tmp/kettle-attest-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    sim_plan_init(&good);
    sim_case_open(&current, &good, "current");
    tee_provider_t platform = current.p; /* a real one, as far as the node can see */
    platform.simulated = false;
    memset(&raw, 0x11, sizeof raw);
    ck_assert_int_eq(persist_write(&e, dir, "rollback", view_of((const uint8_t *)&raw, sizeof raw)), RC_OK);
    run_once(&platform);
    ck_assert_msg(strstr(said, "/rollback is not a memory of accepted collateral of this version's form: "
                               "what collateral was accepted before is forgotten"),
                  "%s", said);
    ck_assert_int_eq(persist_read(&kept, &found, &e, dir, "rollback", ROLLBACK_CODE_MAX), RC_OK);
    ck_assert(found);
    ck_assert_int_eq(rollback_decode(&read, &e, kept), RC_OK);
    ck_assert_uint_eq(read.platforms[0].used, 1);
    ck_assert_uint_eq(read.platforms[1].used, 0);
    file_free(kept);
    run_once(&platform);
    ck_assert_msg(!strstr(said, "rollback") && !strstr(said, "not taken"), "%s", said);
    sim_case_close(&current);
    remove_file("rollback");
    remove_file("collateral");
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static bool is_kept(const char *name)
{
    view_t kept;
    bool found;
    err_t e;
    ck_assert_int_eq(persist_read(&kept, &found, &e, dir, name, TEXT_MAX), RC_OK);
    file_free(kept);
    return found;
}

/* The memory against rollback is worth more than the documents, which can be had again. */
START_TEST(a_disk_without_room_for_the_collateral_has_some_for_the_memory_of_it)
{
    static sim_plan_t good;
    struct rlimit r;
    signal(SIGXFSZ, SIG_IGN);
    snprintf(dir, sizeof dir, "/tmp/kettle-attest-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    sim_plan_init(&good);
    sim_case_open(&current, &good, "current");
    tee_provider_t platform = current.p;
    platform.simulated = false;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &r), 0);
    r.rlim_cur = 4096; /* a block; the log of the run needs less */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
    run_once(&platform);
    r.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
    ck_assert_msg(strstr(said, "collateral is not kept: "), "%s", said);
    ck_assert(!is_kept("collateral"));
    ck_assert(is_kept("rollback"));
    run_once(&platform);
    ck_assert(is_kept("collateral"));
    sim_case_close(&current);
    remove_file("rollback");
    remove_file("collateral");
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static bool be_talkative(int fd, const char *request)
{
    static const char body[] = "no key-to-hide here, user-to-hide of pass-to-hide";
    char text[300];
    (void)request;
    snprintf(text, sizeof text, "HTTP/1.1 403 No\r\nContent-Length: %zu\r\n\r\n%s", sizeof body - 1, body);
    return say(fd, text);
}

/* Runs with this configuration until it has failed; what anybody is told is checked. */
static void fail_with(attest_config_t *c, const char *trouble)
{
    const attestation_cluster_t cluster = { 0 };
    attest_status_t status = { 0 };
    attest_t *s;
    arena_t a;
    view_t body;
    err_t e;
    arena_init(&a, 8 << 20);
    ck_assert_msg(attest_new(&s, &e, c) == RC_OK && attest_begin(s, &e, &meaning) == RC_OK, "%s", e.text);
    for (unsigned i = 0; i < 1000 && !status.trouble[0]; i++) {
        pause_ms(10);
        attest_status(s, &status);
    }
    ck_assert_str_eq(status.trouble, trouble);
    tells_nobody(status.trouble);
    ck_assert_int_eq(attest_body(s, &body, &e, &a, &cluster, NULL, true), RC_NEED_DATA);
    ck_assert(strstr(e.text, trouble));
    tells_nobody(e.text);
    attest_free(s);
    arena_free(&a);
}

START_TEST(anybody_is_told_a_services_place_and_the_operator_the_rest)
{
    static sim_plan_t good;
    char url[2][160], origin[80];
    sim_plan_init(&good);
    sim_case_open(&current, &good, "current");
    tee_provider_t platform = current.p;
    platform.simulated = false;
    platform.get_collateral = NULL;
    fake_t *talks = fake_new(be_talkative);
    hc_t *http = hc_new(NULL);
    snprintf(url[0], sizeof url[0], TELLTALE_URL, talks->port);
    snprintf(url[1], sizeof url[1], TELLTALE_URL, 1u);
    snprintf(origin, sizeof origin, TELLTALE_ORIGIN, talks->port);
    const char *const pccs[2] = { url[1], url[0] };
    attest_config_t c = { .tee = &platform, .now_s = now_s, .http = http, .pccs = pccs, .pccs_count = 2 };
    fail_with(&c, "pccs[1]: TCB info: HTTP status 403");
    ck_assert(IS_LOGGED(origin, "pccs[1]: TCB info: HTTP status 403; it said: no *********** here"));
    ck_assert(IS_LOGGED("http://host-to-hide.localhost:1: pccs[0]: TCB info: nothing listens there"));
    logs_no_secret();
    c.collateral_file = "/no/such/place-to-hide";
    fail_with(&c, "collateral_file: No such file or directory");
    ck_assert(IS_LOGGED("/no/such/place-to-hide: collateral_file: No such file"));
    hc_free(http);
    fake_free(talks);
    sim_case_close(&current);
}
END_TEST

static void setup(void)
{
    ck_assert_int_eq(secret_init(), RC_OK);
}

int main(void)
{
    return UNIT_RUN_AROUND("attest_pccs", setup, NULL, a_service_that_is_behind_is_passed_over,
                           the_newest_issue_date_is_told_of_what_intel_signed_and_of_nothing_else,
                           a_memory_in_another_form_is_told_of_and_written_anew,
                           a_disk_without_room_for_the_collateral_has_some_for_the_memory_of_it,
                           anybody_is_told_a_services_place_and_the_operator_the_rest);
}
