/* verify.c - `kettle verify`: what consumers and auditors run. Checks an attestation, then answers signed with the attested key;
 * every step is printed with its result. Works offline on files; asks only the node that it is told to ask. */
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json_tree.h"
#include "http/client.h"
#include "node/cli/command.h"
#include "node/cli/evidence.h"
#include "tee/verify/verify.h"
#include "tee/x509/der.h"
#include "tee/x509/ratls.h"

#define ARENA_MAX ((size_t)256 << 20)
#define ANSWERS_MAX 64u         /* files of each kind */
#define FETCH_TIMEOUT_MS 90000u /* a fresh quote takes seconds on real hardware */
#define STEPS_MAX (16u + 2 * ANSWERS_MAX)

static const char HELP[] =
    "usage: kettle verify --policy FILE [OPTIONS] URL | FILE | -\n"
    "\n"
    "Checks an attestation of a node, and answers that it signed. URL is a node's API (http://host:3032): it is asked for a\n"
    "fresh attestation over a random nonce, and for its /block. FILE is a kept answer of GET /v1/attest or GET /attest.\n"
    "\n"
    "  --policy FILE      which TDs are accepted (docs/policy.md); required: without one nothing is\n"
    "  --nonce HEX        nonce that the attestation must answer; required with a FILE of GET /v1/attest\n"
    "  --collateral FILE  Intel's documents, flattened JSON; default: those stapled to the attestation\n"
    "  --ra-tls           the node serves HTTPS (api_tls): its certificate's quote is checked instead of name and issuer\n"
    "  --pubkey HEX       the cluster key that is expected; default: any that the quote vouches for\n"
    "  --block FILE       an answer of GET /block to check under the attested key; may be repeated\n"
    "  --call FILE        an answer of POST /call to check under the attested key; may be repeated\n"
    "  --at SECONDS       Unix time to verify at; default: now\n"
    "  --json             results as JSON\n"
    "\n"
    "exit status: 0 all holds, 1 something does not hold or could not be checked, 2 wrong usage\n";

typedef struct {
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

static bool read_policy(policy_t **out, results_t *r, const char *path)
{
    err_t e;
    view_t text;
    char digest[65];
    if (command_read_file(&text, path, POLICY_MAX))
        return step(r, "policy", false, NULL, "%s cannot be read", path);
    rc_t rc = policy_read(out, &e, text);
    free((void *)(uintptr_t)text.p);
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

/* Whether the quote's 64 bytes are those of this key: told apart from the rest, so that "another key" is a finding of its own. */
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

static const char *text_of_date(char out[32], int64_t at)
{
    time_t t = (time_t)at;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out, 32, "%" PRId64, at);
    return out;
}

static void tell_genuine(results_t *r, const tee_verified_t *v)
{
    char fmspc[13], list[256] = "", date[32];
    hex_encode(fmspc, view_of(v->sgx.fmspc, 6));
    for (size_t i = 0; i < v->grade.advisory_count; i++) {
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%.*s", i ? ", " : "; advisories ", (int)v->grade.advisories[i].n,
                 (const char *)v->grade.advisories[i].p);
    }
    step(r, "quote", true, NULL, "genuine, platform %s: %s%s; TCB evaluation %u; %sverifiable until %s", fmspc,
         tcb_status_name(v->grade.status), list, v->tcb_evaluation_number, v->production_root ? "" : "SIMULATED; ",
         text_of_date(date, v->earliest_expiry));
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

/* That the connection ends in a TD that the policy admits: the certificate's quote is over its key, and passes as the attestation
 * itself must; the handshake has proven that the server has the key. */
static bool check_tls(results_t *r, arena_t *a, view_t pem, const attestation_t *x, view_t collateral,
                      const policy_t *policy, int64_t now)
{
    uint8_t der[RATLS_CERT_MAX], expected[TEE_REPORT_DATA_LEN];
    rd_t in = rd_of(pem);
    wr_t cert = wr_of(der, sizeof der);
    ratls_t tls;
    tee_verified_t v;
    err_t f = { .code = E_CERT, .text = "the server showed no certificate" };
    if (!pem.n || pem_take(&in, &cert, "CERTIFICATE") || ratls_check(&tls, &f, wr_view(&cert), now))
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

/* The inner object of a prototype answer: a JSON string that holds JSON. NULL: it is not that. */
static json_t *inner_object(view_t body)
{
    json_error_t e;
    json_t *inner = NULL, *outer = body.n ? json_loadb((const char *)body.p, body.n, JSON_DECODE_ANY, &e) : NULL;
    if (json_is_string(outer) &&
        json_load_strict(&inner, view_of(json_string_value(outer), json_string_length(outer)), ATTESTATION_MAX))
        inner = NULL;
    json_decref(outer);
    if (json_is_object(inner))
        return inner;
    json_decref(inner);
    return NULL;
}

static bool signature_holds(const json_t *inner, view_t signed_text, const uint8_t pubkey[33])
{
    const char *hex = json_string_value(json_object_get(inner, "signature"));
    uint8_t sig[ECDSA_SIG_LEN], blind[32];
    hash32_t digest;
    if (!hex || hex_decode_exact(sig, sizeof sig, hex, strlen(hex)))
        return false;
    sha256(&digest, signed_text);
    secret_random(blind, sizeof blind);
    ecdsa_t *e = ecdsa_new(blind);
    bool holds = e && ecdsa_verify(e, sig, &digest, pubkey) == RC_OK;
    ecdsa_free(e);
    return holds;
}

/* Calls and blocks are signed with the same key: what is said must be of the form that only one of them has. */
static bool is_block_number(const char *text)
{
    size_t n = strspn(text, "0123456789");
    return n && n <= 20 && !text[n] && (n == 1 || text[0] != '0');
}

static bool is_call_response(const json_t *response)
{
    const char *text = json_string_value(response), *success = json_string_value(json_object_get(response, "Success"));
    if (text)
        return !strcmp(text, "Error");
    return success && json_object_size(response) == 1 && !strncmp(success, "0x", 2) &&
           !success[2 + strspn(success + 2, "0123456789abcdef")];
}

static bool check_block(results_t *r, view_t body, const char *name, const uint8_t pubkey[33])
{
    json_t *inner = inner_object(body);
    const char *number = json_string_value(json_object_get(inner, "blocknum"));
    bool ok;
    if (!number || !is_block_number(number))
        ok = step(r, "block", false, "E_ANSWER", "%s: not an answer of GET /block", name);
    else if (!signature_holds(inner, view_str(number), pubkey))
        ok =
            step(r, "block", false, "E_SIGNATURE", "%s: block %.40s is not signed with the attested key", name, number);
    else
        ok = step(r, "block", true, NULL, "%s: block %.40s is signed with the attested key", name, number);
    json_decref(inner);
    return ok;
}

static bool check_call(results_t *r, view_t body, const char *name, const uint8_t pubkey[33])
{
    json_t *inner = inner_object(body), *response = json_object_get(inner, "response");
    char *text = response ? json_dumps(response, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    bool ok;
    if (!text || !is_call_response(response))
        ok = step(r, "call", false, "E_ANSWER", "%s: not an answer of POST /call", name);
    else if (!signature_holds(inner, view_str(text), pubkey))
        ok = step(r, "call", false, "E_SIGNATURE", "%s: the response is not signed with the attested key", name);
    else
        ok = step(r, "call", true, NULL, "%s: %.60s%s is signed with the attested key", name, text,
                  strlen(text) > 60 ? "..." : "");
    free(text);
    json_decref(inner);
    return ok;
}

static void check_files(results_t *r, const options_t *o, const uint8_t pubkey[33])
{
    for (size_t i = 0; i < o->block_count + o->call_count; i++) {
        bool block = i < o->block_count;
        const char *path = block ? o->blocks[i] : o->calls[i - o->block_count];
        view_t body;
        if (command_read_file(&body, path, ATTESTATION_MAX)) {
            step(r, block ? "block" : "call", false, NULL, "%s cannot be read", path);
            continue;
        }
        (block ? check_block : check_call)(r, body, path, pubkey);
        free((void *)(uintptr_t)body.p);
    }
}

/* --- the whole --- */

/* Asks a node. */
static bool ask_node(results_t *r, arena_t *a, view_t *attestation, view_t *block, view_t *cert, options_t *o)
{
    view_t *peer = o->ra_tls ? cert : NULL, other; /* blocks are signed: who brings one does not matter */
    char url[1200], nonce[65], why[512];
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
    if (evidence_fetch(attestation, peer, why, sizeof why, a, url, FETCH_TIMEOUT_MS))
        return step(r, "attestation", false, NULL, "%s", why);
    snprintf(url, sizeof url, "%.*s/block", (int)n, o->source);
    if (evidence_fetch(block, peer ? &other : NULL, why, sizeof why, a, url, FETCH_TIMEOUT_MS))
        return step(r, "block", false, NULL, "%s", why);
    return true;
}

static void verify(results_t *r, arena_t *a, options_t *o)
{
    bool is_url = !strncmp(o->source, "http://", 7) || !strncmp(o->source, "https://", 8);
    view_t file = { NULL, 0 }, staples = { NULL, 0 }, text, block = { NULL, 0 }, cert = { NULL, 0 };
    policy_t *policy = NULL;
    attestation_t x;
    evidence_form_t form;
    char why[256];
    bool ok = read_policy(&policy, r, o->policy);
    if (ok && is_url)
        ok = ask_node(r, a, &text, &block, &cert, o);
    else if (ok) {
        ok = !command_read_file(&file, o->source, ATTESTATION_MAX) ||
             step(r, "attestation", false, NULL, "%s cannot be read", o->source);
        text = file;
    }
    if (ok && o->collateral)
        ok = !command_read_file(&staples, o->collateral, COLLATERAL_MAX) ||
             step(r, "collateral", false, NULL, "%s cannot be read", o->collateral);
    if (ok && evidence_read(&x, &form, why, sizeof why, a, text))
        ok = step(r, "attestation", false, "E_ATTESTATION", "%s", why);
    if (ok && form == EVIDENCE_QUOTE)
        ok = step(r, "attestation", false, "E_ATTESTATION",
                  "a quote alone names no key: give an answer of GET /v1/attest");
    if (ok) {
        if (form == EVIDENCE_PROTOTYPE)
            x.evidence_type = policy_simulator_root(policy).n ? TEE_EVIDENCE_SIMULATED : TEE_EVIDENCE_TDX;
        view_t collateral = staples.n ? staples : x.collateral;
        check_attestation(r, a, &x, form, collateral, policy, o);
        if (o->ra_tls)
            check_tls(r, a, cert, &x, collateral, policy, o->now);
        if (block.p)
            check_block(r, block, "/block", x.pubkey);
        check_files(r, o, x.pubkey);
    }
    policy_free(policy);
    free((void *)(uintptr_t)file.p);
    free((void *)(uintptr_t)staples.p);
}

static int print(const results_t *r, bool as_json)
{
    bool holds = !r->failed && r->count;
    json_t *list = as_json ? json_array() : NULL;
    for (size_t i = 0; i < r->count; i++) {
        const char *code = r->steps[i].code;
        if (as_json)
            json_array_append_new(list,
                                  json_pack("{s:s, s:b, s:s?, s:s%}", "step", r->steps[i].name, "ok", r->steps[i].ok,
                                            "code", code, "detail", r->steps[i].detail, strlen(r->steps[i].detail)));
        else
            printf("%-4s %-12s %s%s%s\n", r->steps[i].ok ? "ok" : "FAIL", r->steps[i].name, code ? code : "",
                   code ? ": " : "", r->steps[i].detail);
    }
    if (as_json) {
        json_t *o = json_pack("{s:b, s:o}", "holds", holds, "steps", list);
        if (!o || json_array_size(list) != r->count || json_dumpf(o, stdout, JSON_INDENT(2)))
            holds = false;
        putchar('\n');
        json_decref(o);
    } else
        puts(holds ? "all holds" : "DOES NOT HOLD");
    return holds && fflush(stdout) == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

static bool parse_time(int64_t *out, const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    *out = n;
    return end != text && !*end && n > 0;
}

/* 0 to go on, else the exit status plus one. */
static int parse(options_t *o, int argc, char **argv)
{
    static const struct option longs[] = {
        { "policy", required_argument, NULL, 'p' },
        { "nonce", required_argument, NULL, 'n' },
        { "collateral", required_argument, NULL, 'c' },
        { "pubkey", required_argument, NULL, 'k' },
        { "block", required_argument, NULL, 'b' },
        { "call", required_argument, NULL, 'l' },
        { "at", required_argument, NULL, 't' },
        { "json", no_argument, NULL, 'j' },
        { "ra-tls", no_argument, NULL, 'r' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    for (int c; (c = getopt_long(argc, argv, ":h", longs, NULL)) != -1;) {
        switch (c) {
        case 'p': o->policy = optarg; break;
        case 'c': o->collateral = optarg; break;
        case 'j': o->as_json = true; break;
        case 'r': o->ra_tls = true; break;
        case 'n':
            o->has_nonce = !hex_decode_exact(o->nonce, 32, optarg, strlen(optarg));
            if (!o->has_nonce)
                return 1 + command_usage("--nonce: must be 32 bytes as hex");
            break;
        case 'k':
            o->has_pubkey = !hex_decode_exact(o->pubkey, 33, optarg, strlen(optarg));
            if (!o->has_pubkey)
                return 1 + command_usage("--pubkey: must be a compressed secp256k1 key, 33 bytes as hex");
            break;
        case 't':
            if (!parse_time(&o->now, optarg))
                return 1 + command_usage("--at %s: must be a number of seconds since 1970", optarg);
            break;
        case 'b':
            if (o->block_count == ANSWERS_MAX)
                return 1 + command_usage("--block: more than %u", ANSWERS_MAX);
            o->blocks[o->block_count++] = optarg;
            break;
        case 'l':
            if (o->call_count == ANSWERS_MAX)
                return 1 + command_usage("--call: more than %u", ANSWERS_MAX);
            o->calls[o->call_count++] = optarg;
            break;
        case 'h': fputs(HELP, stdout); return 1 + COMMAND_DONE;
        case ':': return 1 + command_usage("%s needs a value", argv[optind - 1]);
        default: return 1 + command_usage("unknown option %s", argv[optind - 1]);
        }
    }
    if (argc - optind != 1)
        return 1 + command_usage("verify needs one URL, file, or - for standard input");
    o->source = argv[optind];
    if (o->ra_tls && strncmp(o->source, "https://", 8) != 0)
        return 1 + command_usage("--ra-tls needs an https:// URL");
    return o->policy ? 0 : 1 + command_usage("verify needs --policy: without one no TD is accepted");
}

int command_verify(int argc, char **argv)
{
    options_t o = { .now = (int64_t)time(NULL) };
    static results_t results;
    arena_t a;
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
