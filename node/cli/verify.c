/* verify.c - `kettle verify`: what consumers and auditors run. Checks an attestation, then answers signed with the
 * attested key; every step is printed with its result. Works offline on files; asks only the node that it is told
 * to ask. */
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/calendar.h"
#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/clock.h"
#include "base/os/file.h"
#include "http/client.h"
#include "node/cli/command.h"
#include "node/cli/evidence.h"
#include "node/cli/verify_statement.h"
#include "tee/verify/verify.h"
#include "tee/x509/der.h"
#include "tee/x509/ratls.h"

#define ARENA_MAX ((size_t)256 << 20)
#define ANSWERS_MAX 64u         /* files of each kind */
#define FETCH_TIMEOUT_MS 90000u /* a fresh quote takes seconds on real hardware */
#define STEPS_MAX (16u + 2 * ANSWERS_MAX)
#define OUTPUT_MAX ((size_t)1 << 20) /* bytes of the results as JSON */

typedef struct {
    statement_options_t statement; /* first: its readers are given the whole */
    const char *policy, *collateral, *source;
    const char *blocks[ANSWERS_MAX], *calls[ANSWERS_MAX];
    size_t block_count, call_count;
    bool has_nonce, has_pubkey, as_json, ra_tls;
    uint8_t nonce[32], pubkey[33];
    int64_t now;
} options_t;

/* What was found, in order. */
typedef struct {
    struct {
        const char *name;
        bool ok;
        const char *code; /* "E_..."; NULL where there is none */
        char detail[512];
    } steps[STEPS_MAX];
    size_t count;
    bool failed;
} results_t;

static bool step(results_t *r, const char *name, bool ok, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

static bool step(results_t *r, const char *name, bool ok, const char *code, const char *fmt, ...)
{
    va_list ap;
    r->failed |= !ok;
    if (r->count == STEPS_MAX) {
        r->failed = true;
        return ok;
    }
    r->steps[r->count].name = name;
    r->steps[r->count].ok = ok;
    r->steps[r->count].code = ok ? NULL : code;
    va_start(ap, fmt);
    vsnprintf(r->steps[r->count].detail, sizeof r->steps[r->count].detail, fmt, ap);
    va_end(ap);
    r->count++;
    return ok;
}

/* --- the attestation --- */

/* A step that failed for the reason in e. */
static bool step_failed(results_t *r, const char *name, const char *code, const err_t *e)
{
    return step(r, name, false, code, "%s%s%s", e->field, e->field[0] ? ": " : "", e->text);
}

static bool read_policy(policy_t **out, results_t *r, const char *path)
{
    err_t e;
    view_t text;
    char digest[65];
    if (file_read(&text, &e, path, POLICY_MAX, FILE_DASH_IS_STDIN))
        return step_failed(r, "policy", NULL, &e);
    rc_t rc = policy_read(out, &e, text);
    file_free(text);
    if (rc)
        return step(r, "policy", false, tee_code_name(E_POLICY), "%s: %s%s%s", path, e.field, e.field[0] ? ": " : "",
                    e.text);
    hex_encode(digest, view_of(policy_digest(*out)->b, 32));
    return step(r, "policy", true, NULL, "%s, digest 0x%s", path, digest);
}

/* The answer is to this nonce. */
static bool check_nonce(results_t *r, const attestation_t *x, evidence_form_t form, const options_t *o)
{
    if (form == EVIDENCE_PROTOTYPE) {
        if (o->has_nonce)
            return step(r, "nonce", false, "E_NONCE", "the answer of GET /attest carries no nonce: ask for /v1/attest");
        return step(r, "nonce", true, NULL,
                    "none: GET /attest shows that a TD once held the key, not that it is fresh");
    }
    if (!o->has_nonce)
        return step(r, "nonce", false, "E_NONCE",
                    "no --nonce given: without one an old answer cannot be told from a fresh one");
    if (!x->has_nonce || !secret_eq(x->nonce, o->nonce, 32))
        return step(r, "nonce", false, "E_NONCE", "the attestation does not answer the expected nonce");
    return step(r, "nonce", true, NULL, "fresh: the attestation answers the expected nonce");
}

static void expected_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const attestation_t *x, evidence_form_t form,
                                 const options_t *o)
{
    if (form == EVIDENCE_PROTOTYPE)
        tee_register_report_data(out, x->pubkey);
    else
        tee_attest_report_data(out, (tee_evidence_type_t)x->evidence_type, o->nonce, x->pubkey, x->node_pubkey,
                               x->chain_id);
}

/* Whether the quote's 64 bytes are those of this key: told apart from the rest, so that "another key" is a finding
 * of its own. */
static bool check_binding(results_t *r, const attestation_t *x, const uint8_t expected[TEE_REPORT_DATA_LEN])
{
    quote_t q;
    err_t f;
    char key[67];
    hex_encode(key, view_of(x->pubkey, 33));
    if (quote_parse(&q, &f, x->quote))
        return step(r, "quote", false, tee_code_name(f.code), "%s", f.text);
    if (!secret_eq(q.td.report_data, expected, TEE_REPORT_DATA_LEN))
        return step(r, "binding", false, tee_code_name(E_REPORTDATA),
                    "the quote does not vouch for key 0x%s with this nonce and chain", key);
    return step(r, "binding", true, NULL, "the quote vouches for key 0x%s", key);
}

static bool check_key(results_t *r, const attestation_t *x, const options_t *o)
{
    if (!o->has_pubkey)
        return true;
    bool same = !memcmp(x->pubkey, o->pubkey, 33);
    return step(r, "key", same, "E_KEY",
                same ? "the attested key is the expected one" : "the attested key is not the expected one");
}

static void tell_genuine(results_t *r, const tee_verified_t *v)
{
    char fmspc[13], list[256] = "", date[TIME_TEXT];
    hex_encode(fmspc, view_of(v->sgx.fmspc, 6));
    time_write(date, v->earliest_expiry);
    for (size_t i = 0; i < v->grade.advisory_count; i++) {
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%.*s", i ? ", " : "; advisories ", (int)v->grade.advisories[i].n,
                 (const char *)v->grade.advisories[i].p);
    }
    step(r, "quote", true, NULL, "genuine, platform %s: %s%s; TCB evaluation %u; %sverifiable until %s", fmspc,
         tcb_status_name(v->grade.status), list, v->tcb_evaluation_number, v->production_root ? "" : "SIMULATED; ",
         date);
}

/* Quote, collateral and policy: two findings, told apart by the fault's code. */
static bool check_evidence(results_t *r, arena_t *a, const attestation_t *x, view_t collateral, const policy_t *policy,
                           const uint8_t expected[TEE_REPORT_DATA_LEN], int64_t now)
{
    tee_verified_t v;
    err_t f;
    const tee_claim_t claim = { (tee_evidence_type_t)x->evidence_type, x->quote, x->event_log, collateral };
    if (!collateral.n)
        return step(r, "quote", false, tee_code_name(E_COLLATERAL),
                    "no collateral: none is stapled, and no --collateral given");
    if (tee_appraise(&v, NULL, &f, a, &claim, expected, policy, NULL, now)) {
        bool judged = f.code >= E_TCB_STATUS && f.code <= E_SIMULATED;
        return step(r, judged ? "admission" : "quote", false, tee_code_name(f.code), "%s", f.text);
    }
    tell_genuine(r, &v);
    return step(r, "admission", true, NULL, "the policy admits this TD");
}

/* That the connection ends in a TD that the policy admits: the certificate's quote is over its key, and passes as the
 * attestation itself must; the handshake has proven that the server has the key. */
static bool check_tls(results_t *r, arena_t *a, view_t pem, const attestation_t *x, view_t collateral,
                      const policy_t *policy, int64_t now)
{
    uint8_t der[RATLS_CERT_MAX], expected[TEE_REPORT_DATA_LEN];
    rd_t in = rd_of(pem);
    wr_t cert = wr_of(der, sizeof der);
    ratls_t tls;
    tee_verified_t v;
    err_t f;
    if (!pem.n || pem_take(&in, &cert, "CERTIFICATE"))
        return step(r, "tls", false, tee_code_name(E_CERT), "the server showed no certificate");
    if (ratls_check(&tls, &f, wr_view(&cert), now))
        return step(r, "tls", false, tee_code_name(f.code), "%s", f.text);
    tee_ratls_report_data(expected, tls.spki);
    const tee_claim_t claim = { (tee_evidence_type_t)x->evidence_type, tls.evidence, tls.event_log, collateral };
    if (tee_appraise(&v, NULL, &f, a, &claim, expected, policy, NULL, now))
        return step(r, "tls", false, tee_code_name(f.code), "the certificate's quote: %s", f.text);
    return step(r, "tls", true, NULL,
                "the connection ends in a TD that the policy admits: its certificate carries a quote over its key");
}

static bool check_attestation(results_t *r, arena_t *a, const attestation_t *x, evidence_form_t form, view_t collateral,
                              const policy_t *policy, const options_t *o)
{
    uint8_t expected[TEE_REPORT_DATA_LEN];
    bool ok = check_nonce(r, x, form, o);
    expected_report_data(expected, x, form, o);
    ok &= check_binding(r, x, expected);
    ok &= check_key(r, x, o);
    return ok && check_evidence(r, a, x, collateral, policy, expected, o->now);
}

/* --- signed answers --- */

/* A prototype answer: a JSON string that holds JSON. Not to be moved while it is open. */
typedef struct {
    jo_doc_t outer, inner;
    jo_t o; /* the inner object; whatever else came: a place whose readers give nothing */
} answer_t;

static void answer_open(answer_t *x, view_t body)
{
    const jo_t text = jo_open(&x->outer, NULL, body, ATTESTATION_MAX, JO_LENIENT | JO_ANY);
    const view_t inner = jo_text(&text, NULL, 0, SIZE_MAX);
    x->o = jo_open(&x->inner, NULL, inner, ATTESTATION_MAX, JO_LENIENT);
}

static void answer_close(answer_t *x)
{
    jo_close(&x->inner);
    jo_close(&x->outer);
}

static bool signature_holds(const answer_t *x, view_t signed_text, const uint8_t pubkey[33])
{
    uint8_t sig[ECDSA_SIG_LEN], blind[32];
    hash32_t digest;
    if (!jo_hex(&x->o, sig, sizeof sig, "signature", HEX_ANY))
        return false;
    sha256(&digest, signed_text);
    secret_random(blind, sizeof blind);
    ecdsa_t *e = ecdsa_new(blind);
    bool holds = e && ecdsa_verify(e, sig, &digest, pubkey) == RC_OK;
    ecdsa_free(e);
    return holds;
}

/* Calls and blocks are signed with the same key: what is said must be of the form that only one of them has. */
static bool is_block_number(view_t text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n && text.n <= 20 && (text.n == 1 || text.p[0] != '0');
}

/* "Error", or {"Success":"0x..."} and nothing else. */
static bool is_call_response(const answer_t *x)
{
    if (jo_kind(&x->o, "response") == JO_TEXT)
        return view_eq(jo_text(&x->o, "response", 0, SIZE_MAX), view_str("Error"));
    const jo_t response = jo_object(&x->o, "response");
    const view_t success = jo_text(&response, "Success", 2, SIZE_MAX);
    if (jo_rc(&x->o) || jo_size(&response) != 1 || memcmp(success.p, "0x", 2) != 0)
        return false;
    const char *digits = (const char *)success.p + 2;
    return strspn(digits, "0123456789abcdef") == success.n - 2;
}

static bool check_block(results_t *r, arena_t *a, view_t body, const char *name, const uint8_t pubkey[33])
{
    answer_t x;
    bool ok;
    (void)a;
    answer_open(&x, body);
    const view_t number = jo_text(&x.o, "blocknum", 1, 20);
    if (!is_block_number(number))
        ok = step(r, "block", false, "E_ANSWER", "%s: not an answer of GET /block", name);
    else if (!signature_holds(&x, number, pubkey))
        ok = step(r, "block", false, "E_SIGNATURE", "%s: block %.*s is not signed with the attested key", name,
                  (int)number.n, (const char *)number.p);
    else
        ok = step(r, "block", true, NULL, "%s: block %.*s is signed with the attested key", name, (int)number.n,
                  (const char *)number.p);
    answer_close(&x);
    return ok;
}

static bool check_call(results_t *r, arena_t *a, view_t body, const char *name, const uint8_t pubkey[33])
{
    answer_t x;
    bool ok;
    answer_open(&x, body);
    const view_t text = is_call_response(&x) ? jo_as_written(&x.o, a, "response") : view_of(NULL, 0);
    if (!text.n)
        ok = step(r, "call", false, "E_ANSWER", "%s: not an answer of POST /call", name);
    else if (!signature_holds(&x, text, pubkey))
        ok = step(r, "call", false, "E_SIGNATURE", "%s: the response is not signed with the attested key", name);
    else
        ok = step(r, "call", true, NULL, "%s: %.60s%s is signed with the attested key", name, (const char *)text.p,
                  text.n > 60 ? "..." : "");
    answer_close(&x);
    return ok;
}

static void check_files(results_t *r, arena_t *a, const options_t *o, const uint8_t pubkey[33])
{
    for (size_t i = 0; i < o->block_count + o->call_count; i++) {
        const bool block = i < o->block_count;
        const char *path = block ? o->blocks[i] : o->calls[i - o->block_count];
        view_t body;
        err_t e;
        if (file_read(&body, &e, path, ATTESTATION_MAX, FILE_DASH_IS_STDIN)) {
            step_failed(r, block ? "block" : "call", NULL, &e);
            continue;
        }
        (block ? check_block : check_call)(r, a, body, path, pubkey);
        file_free(body);
    }
}

/* --- the whole --- */

static bool is_url(const char *source)
{
    return !strncmp(source, "http://", 7) || !strncmp(source, "https://", 8);
}

/* What is judged; the files are to be freed. */
typedef struct {
    view_t file, staples;            /* of an attestation, of collateral */
    view_t attestation, block, cert; /* n 0, but for the first: none */
} sources_t;

/* Asks a node. */
static bool ask_node(results_t *r, sources_t *in, arena_t *a, options_t *o)
{
    view_t *peer = o->ra_tls ? &in->cert : NULL, other; /* blocks are signed: who brings one does not matter */
    char url[1200], nonce[65];
    err_t e;
    size_t n = strlen(o->source);
    while (n && o->source[n - 1] == '/')
        n--;
    if (n > 1024)
        return step(r, "attestation", false, NULL, "the URL is too long");
    if (!o->has_nonce)
        secret_random(o->nonce, sizeof o->nonce);
    o->has_nonce = true;
    hex_encode(nonce, view_of(o->nonce, 32));
    snprintf(url, sizeof url, "%.*s/v1/attest?nonce=0x%s&collateral=1", (int)n, o->source, nonce);
    if (evidence_fetch(&in->attestation, peer, &e, a, url, FETCH_TIMEOUT_MS))
        return step_failed(r, "attestation", NULL, &e);
    snprintf(url, sizeof url, "%.*s/block", (int)n, o->source);
    if (evidence_fetch(&in->block, peer ? &other : NULL, &e, a, url, FETCH_TIMEOUT_MS))
        return step_failed(r, "block", NULL, &e);
    return true;
}

static bool gather(results_t *r, sources_t *in, arena_t *a, options_t *o)
{
    err_t e;
    if (is_url(o->source)) {
        if (!ask_node(r, in, a, o))
            return false;
    } else if (file_read(&in->file, &e, o->source, ATTESTATION_MAX, FILE_DASH_IS_STDIN))
        return step_failed(r, "attestation", NULL, &e);
    else
        in->attestation = in->file;
    if (o->collateral && file_read(&in->staples, &e, o->collateral, COLLATERAL_MAX, FILE_DASH_IS_STDIN))
        return step_failed(r, "collateral", NULL, &e);
    return true;
}

static bool read_attestation(results_t *r, attestation_t *x, evidence_form_t *form, arena_t *a, const sources_t *in)
{
    err_t e;
    if (evidence_read(x, form, &e, a, in->attestation))
        return step_failed(r, "attestation", "E_ATTESTATION", &e);
    if (*form == EVIDENCE_QUOTE)
        return step(r, "attestation", false, "E_ATTESTATION",
                    "a quote alone names no key: give an answer of GET /v1/attest");
    return true;
}

static void judge(results_t *r, arena_t *a, const sources_t *in, const policy_t *policy, const options_t *o)
{
    attestation_t x;
    evidence_form_t form;
    if (!read_attestation(r, &x, &form, a, in))
        return;
    if (form == EVIDENCE_PROTOTYPE)
        x.evidence_type = policy_simulator_root(policy).n ? TEE_EVIDENCE_SIMULATED : TEE_EVIDENCE_TDX;
    const view_t collateral = in->staples.n ? in->staples : x.collateral;
    check_attestation(r, a, &x, form, collateral, policy, o);
    if (o->ra_tls)
        check_tls(r, a, in->cert, &x, collateral, policy, o->now);
    if (in->block.p)
        check_block(r, a, in->block, "/block", x.pubkey);
    check_files(r, a, o, x.pubkey);
}

static void verify(results_t *r, arena_t *a, options_t *o)
{
    sources_t in = { .file = { NULL, 0 } };
    policy_t *policy = NULL;
    if (read_policy(&policy, r, o->policy) && gather(r, &in, a, o))
        judge(r, a, &in, policy, o);
    policy_free(policy);
    file_free(in.file);
    file_free(in.staples);
}

/* --- printing --- */

static void print_text(const results_t *r, bool holds)
{
    for (size_t i = 0; i < r->count; i++) {
        const char *code = r->steps[i].code;
        printf("%-4s %-12s %s%s%s\n", r->steps[i].ok ? "ok" : "FAIL", r->steps[i].name, code ? code : "",
               code ? ": " : "", r->steps[i].detail);
    }
    puts(holds ? "all holds" : "DOES NOT HOLD");
}

static bool print_json(const results_t *r, bool holds)
{
    jw_t w = jw_of(NULL, OUTPUT_MAX);
    jw_indent(&w, 2);
    jw_object(&w, NULL);
    jw_bool(&w, "holds", holds);
    jw_array(&w, "steps");
    for (size_t i = 0; i < r->count; i++) {
        jw_object(&w, NULL);
        jw_str(&w, "step", r->steps[i].name);
        jw_bool(&w, "ok", r->steps[i].ok);
        if (r->steps[i].code)
            jw_str(&w, "code", r->steps[i].code);
        else
            jw_null(&w, "code");
        jw_str(&w, "detail", r->steps[i].detail);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    const view_t text = jw_done(&w);
    const bool ok = text.p && puts((const char *)text.p) >= 0;
    jw_free(&w);
    return ok;
}

static int print(const results_t *r, bool as_json)
{
    const bool holds = !r->failed && r->count;
    bool printed = true;
    if (as_json)
        printed = print_json(r, holds);
    else
        print_text(r, holds);
    return fflush(stdout) == 0 && printed && holds ? COMMAND_DONE : COMMAND_FAILED;
}

/* --- the command --- */

static rc_t read_nonce(void *values, err_t *e, char *text)
{
    options_t *o = values;
    o->has_nonce = !hex_decode_exact(o->nonce, 32, text, strlen(text));
    return o->has_nonce ? RC_OK : err_say(e, RC_MALFORMED, "must be 32 bytes as hex");
}

static rc_t read_pubkey(void *values, err_t *e, char *text)
{
    options_t *o = values;
    o->has_pubkey = !hex_decode_exact(o->pubkey, 33, text, strlen(text));
    return o->has_pubkey ? RC_OK : err_say(e, RC_MALFORMED, "must be a compressed secp256k1 key, 33 bytes as hex");
}

static rc_t read_time(void *values, err_t *e, char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    if (end == text || *end || n <= 0)
        return err_say(e, RC_MALFORMED, "must be a number of seconds since 1970");
    ((options_t *)values)->now = n;
    return RC_OK;
}

static rc_t add(const char *list[ANSWERS_MAX], size_t *count, err_t *e, const char *path)
{
    if (*count == ANSWERS_MAX)
        return err_set(e, RC_LIMIT, "more than %u", ANSWERS_MAX);
    list[(*count)++] = path;
    return RC_OK;
}

static rc_t read_block(void *values, err_t *e, char *text)
{
    options_t *o = values;
    return add(o->blocks, &o->block_count, e, text);
}

static rc_t read_call(void *values, err_t *e, char *text)
{
    options_t *o = values;
    return add(o->calls, &o->call_count, e, text);
}

static const cli_option_t options[] = {
    { .name = "policy",
      .argument = "FILE",
      .help = "which TDs are accepted (docs/policy.md); required: without one nothing is",
      .at = offsetof(options_t, policy) },
    { .name = "nonce",
      .argument = "HEX",
      .help = "nonce that the attestation must answer; required with a FILE of GET /v1/attest",
      .read = read_nonce },
    { .name = "collateral",
      .argument = "FILE",
      .help = "Intel's documents, flattened JSON",
      .normal = "those stapled to the attestation",
      .at = offsetof(options_t, collateral) },
    { .name = "ra-tls",
      .help = "the node serves HTTPS (api_tls): its certificate's quote is checked instead of name and issuer",
      .at = offsetof(options_t, ra_tls) },
    { .name = "pubkey",
      .argument = "HEX",
      .help = "the cluster key that is expected",
      .normal = "any that the quote vouches for",
      .read = read_pubkey },
    { .name = "block",
      .argument = "FILE",
      .help = "an answer of GET /block to check under the attested key; may be repeated",
      .read = read_block },
    { .name = "call",
      .argument = "FILE",
      .help = "an answer of POST /call to check under the attested key; may be repeated",
      .read = read_call },
    { .name = "at", .argument = "SECONDS", .help = "Unix time to verify at", .normal = "now", .read = read_time },
    { .name = "json", .help = "results as JSON", .at = offsetof(options_t, as_json) },
    STATEMENT_OPTIONS,
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_VERIFY = {
    .name = "verify",
    .what = "verifies an attestation, and answers signed with its key",
    .usage = "kettle verify --policy FILE [OPTIONS] URL | FILE | -\n"
             "       kettle verify --statement FILE --signer HEX --chain-id N [OPTIONS]\n",
    .about =
        "Checks an attestation of a node, and answers that it signed. URL is a node's API (http://host:3032): it is "
        "asked for a fresh attestation over a random nonce, and for its /block. FILE is a kept answer of GET "
        "/v1/attest or GET /attest. With --statement it checks one signed statement, and asks nobody.",
    .status = "0 all holds, 1 something does not hold or could not be checked, 3 a statement could not be had",
    .operand = "URL, file, or - for standard input",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

/* A statement needs no source beside it. */
static bool is_about_statement(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], "--statement", strlen("--statement")))
            return true;
    return false;
}

static int run_statement(options_t *o, int argc, char **argv)
{
    cli_command_t c = COMMAND_VERIFY;
    c.operand = NULL;
    const int status = cli_parse(o, NULL, &c, argc, argv);
    if (status)
        return status - 1;
    if (o->policy || o->block_count || o->call_count || o->has_nonce || o->collateral || o->ra_tls)
        return command_usage("verify --statement checks no attestation: leave its options out");
    return verify_statement(&o->statement, o->now, o->as_json);
}

/* 0 to go on, else the exit status plus one. */
static int parse(options_t *o, int argc, char **argv)
{
    const int status = cli_parse(o, &o->source, &COMMAND_VERIFY, argc, argv);
    if (status)
        return status;
    if (o->ra_tls && strncmp(o->source, "https://", 8) != 0)
        return 1 + command_usage("--ra-tls needs an https:// URL");
    return o->policy ? 0 : 1 + command_usage("verify needs --policy: without one no TD is accepted");
}

static int run(int argc, char **argv)
{
    options_t o = { .now = (int64_t)(clock_system_ms() / 1000) };
    static results_t results;
    arena_t a;
    if (is_about_statement(argc, argv))
        return run_statement(&o, argc, argv);
    int status = parse(&o, argc, argv);
    if (status)
        return status - 1;
    if (secret_init())
        return command_failed("the system has no source of random numbers");
    arena_init(&a, ARENA_MAX);
    verify(&results, &a, &o);
    arena_free(&a);
    return print(&results, o.as_json);
}
