/* quote.c - `kettle quote`: prints the fields of a quote, or a policy that admits its TD. Nothing is verified. */
#include <stddef.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/os/file.h"
#include "node/cli/command.h"
#include "node/cli/evidence.h"
#include "tee/fault.h"
#include "tee/quote/quote.h"
#include "tee/verify/policy.h"
#include "tee/x509/chain.h"
#include "tee/x509/der.h"

#define INPUT_MAX (8u << 20) /* bytes of a file */
#define OUTPUT_MAX (64u << 10)
#define ARENA_MAX ((size_t)64 << 20)

/* Where fields go: an object of JSON, or with json NULL lines of text. */
typedef struct {
    jw_t *json;
} fields_t;

static void put_text(const fields_t *f, const char *key, view_t text)
{
    if (f->json)
        jw_text(f->json, key, text);
    else
        say(stdout, "%-16s %.*s", key, (int)text.n, (const char *)text.p);
}

static void put_number(const fields_t *f, const char *key, uint64_t n)
{
    if (f->json)
        jw_u64(f->json, key, n);
    else
        say(stdout, "%-16s %llu", key, (unsigned long long)n);
}

static void put_bool(const fields_t *f, const char *key, bool x)
{
    if (f->json)
        jw_bool(f->json, key, x);
    else
        say(stdout, "%-16s %s", key, x ? "yes" : "no");
}

/* Up to 64 bytes; p NULL: this quote has no such field. */
static void put_hex(const fields_t *f, const char *key, const uint8_t *p, size_t n)
{
    char text[2 * 64 + 1] = "";
    if (!p || n > 64)
        return;
    hex_encode(text, view_of(p, n));
    put_text(f, key, view_str(text));
}

/* A statement, and its hash: what the quote binds. */
static void put_statement(const fields_t *f, const char *key, view_t text)
{
    char name[32];
    hash32_t hash;
    sha256(&hash, text);
    snprintf(name, sizeof name, "%s_hash", key);
    if (f->json)
        jw_raw(f->json, key, text);
    else
        put_text(f, key, text);
    put_hex(f, name, hash.b, 32);
}

static void put_td(const fields_t *f, const quote_td_t *td)
{
    char key[8];
    put_hex(f, "tee_tcb_svn", td->tcb_svn, 16);
    put_hex(f, "mr_seam", td->mr_seam, 48);
    put_hex(f, "mr_signer_seam", td->mr_signer_seam, 48);
    put_hex(f, "seam_attributes", td->seam_attributes, 8);
    put_hex(f, "td_attributes", td->td_attributes, 8);
    put_bool(f, "debug", td->td_attributes[0] & 1);
    put_hex(f, "xfam", td->xfam, 8);
    put_hex(f, "mr_td", td->mr_td, 48);
    put_hex(f, "mr_config_id", td->mr_config_id, 48);
    put_hex(f, "mr_owner", td->mr_owner, 48);
    put_hex(f, "mr_owner_config", td->mr_owner_config, 48);
    for (unsigned i = 0; i < 4; i++) {
        snprintf(key, sizeof key, "rtmr%u", i);
        put_hex(f, key, td->rtmr[i], 48);
    }
    put_hex(f, "report_data", td->report_data, 64);
    put_hex(f, "tee_tcb_svn2", td->tcb_svn2, 16);
    put_hex(f, "mr_service_td", td->mr_service_td, 48);
}

static void put_all(const fields_t *f, const quote_t *q, const attestation_t *from, evidence_form_t form)
{
    put_number(f, "version", q->version);
    put_text(f, "body", view_str(q->body_type == QUOTE_BODY_TD15 ? "TD report 1.5" : "TD report 1.0"));
    put_number(f, "length", q->used.n);
    put_hex(f, "user_data", q->user_data, 20);
    put_td(f, &q->td);
    put_hex(f, "attestation_key", q->attestation_key, 64);
    put_hex(f, "qe_mrenclave", q->qe.mr_enclave, 32);
    put_hex(f, "qe_mrsigner", q->qe.mr_signer, 32);
    put_number(f, "qe_isvprodid", q->qe.isv_prod_id);
    put_number(f, "qe_isvsvn", q->qe.isv_svn);
    if (form != EVIDENCE_QUOTE)
        put_hex(f, "pubkey", from->pubkey, 33);
    if (form != EVIDENCE_V1)
        return;
    put_hex(f, "node_pubkey", from->node_pubkey, 33);
    if (from->has_nonce)
        put_hex(f, "nonce", from->nonce, 32);
    put_statement(f, "cluster_statement", from->cluster_statement);
    put_statement(f, "node_statement", from->node_statement);
    put_text(f, "unbound_provider", from->provider);
}

static int print_json(arena_t *a, const quote_t *q, const attestation_t *from, evidence_form_t form)
{
    jw_t w = jw_of(a, OUTPUT_MAX);
    err_t e;
    jw_indent(&w, 2);
    jw_object(&w, NULL);
    put_all(&(fields_t){ &w }, q, from, form);
    jw_end(&w);
    const view_t text = jw_done(&w);
    if (w.rc)
        return command_failed("the fields cannot be written: %s", rc_name(w.rc));
    const bool written = !command_write(&e, NULL, text) && !command_write(&e, NULL, view_str("\n"));
    return written ? COMMAND_DONE : command_failed_by(&e, NULL);
}

/* --- as a policy --- */

static void put_register(jw_t *w, const char *key, const uint8_t *p)
{
    jw_digits(w, key, view_of(p, 48));
}

/* RTMR3 as it is: whoever wants its events asks `kettle measure`. */
static void put_rtmr3(jw_t *w, const uint8_t *p)
{
    static const uint8_t zero[48];
    const bool is_zero = memcmp(p, zero, sizeof zero) == 0;
    jw_object(w, "rtmr3");
    jw_str(w, "mode", is_zero ? "zero" : "exact");
    if (!is_zero)
        put_register(w, "value", p);
    jw_end(w);
}

/* The names are a policy's. root: of a simulator; empty: Intel's. */
static void put_policy(jw_t *w, const quote_td_t *td, view_t root)
{
    jw_object(w, NULL);
    jw_u64(w, "version", 1);
    jw_str(w, "mode", "list");
    if (root.n)
        jw_digits(w, "simulator_root", root);
    jw_array(w, "images");
    jw_object(w, NULL);
    jw_str(w, "name", root.n ? "simulated" : "as quoted");
    put_register(w, "mrtd", td->mr_td);
    jw_array(w, "rtmr0");
    put_register(w, NULL, td->rtmr[0]);
    jw_end(w);
    put_register(w, "rtmr1", td->rtmr[1]);
    put_register(w, "rtmr2", td->rtmr[2]);
    put_rtmr3(w, td->rtmr[3]);
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

/* The root of the quote's certificates; empty when it is Intel's. */
static rc_t other_root(view_t *out, err_t *e, arena_t *a, const quote_t *q)
{
    const view_t pem = q->certs[QUOTE_CERTS - 1];
    uint8_t *room = arena_alloc(a, pem.n + 1);
    rd_t r = rd_of(pem);
    wr_t w = wr_of(room, room ? pem.n : 0);
    *out = view_of(NULL, 0);
    if (!room)
        return err_say(e, RC_NOMEM, "out of memory");
    if (pem_take(&r, &w, "CERTIFICATE"))
        return err_say(e, RC_MALFORMED, "the root among the quote's certificates is not PEM");
    if (!view_eq(wr_view(&w), CHAIN_INTEL_ROOT))
        *out = wr_view(&w);
    return RC_OK;
}

/* Nothing is printed that kettle would not read as a policy. */
static rc_t write_policy(err_t *e, arena_t *a, const quote_t *q)
{
    policy_t *policy = NULL;
    view_t root;
    rc_t rc = other_root(&root, e, a, q);
    if (rc)
        return rc;
    jw_t w = jw_of(a, OUTPUT_MAX);
    jw_indent(&w, 2);
    put_policy(&w, &q->td, root);
    const view_t text = jw_done(&w);
    rc = w.rc ? err_set(e, w.rc, "the policy cannot be written: %s", rc_name(w.rc)) : policy_read(&policy, e, text);
    policy_free(policy);
    if (!rc && root.n)
        say(stderr, "kettle: SIMULATED: what this policy admits proves nothing");
    if (!rc)
        rc = command_write(e, NULL, text);
    return rc ? rc : command_write(e, NULL, view_str("\n"));
}

typedef struct {
    bool as_json, as_policy, ra_tls;
} options_t;

static int print(arena_t *a, view_t text, const options_t *o)
{
    attestation_t from;
    evidence_form_t form;
    quote_t q;
    err_t e;
    if (evidence_read(&from, &form, &e, a, text) || quote_parse(&q, &e, from.quote))
        return command_failed_by(&e, NULL);
    if (o->as_policy)
        return write_policy(&e, a, &q) ? command_failed_by(&e, NULL) : COMMAND_DONE;
    if (o->as_json)
        return print_json(a, &q, &from, form);
    put_all(&(fields_t){ NULL }, &q, &from, form);
    return fflush(stdout) ? command_failed("standard output: cannot be written") : COMMAND_DONE;
}

static const cli_option_t options[] = {
    { .name = "json", .help = "prints the fields as JSON", .at = offsetof(options_t, as_json) },
    { .name = "policy",
      .help =
          "prints a policy that admits what this quote measures, and of a simulator's its root: to be compared with "
          "what `kettle measure` computes, or for development",
      .at = offsetof(options_t, as_policy) },
    { .name = "ra-tls",
      .help = "the node serves HTTPS (api_tls): takes its certificate, for which no issuer vouches",
      .at = offsetof(options_t, ra_tls) },
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_QUOTE = {
    .name = "quote",
    .what = "prints the fields of a quote",
    .usage = "kettle quote [OPTIONS] URL | FILE | -\n",
    .about =
        "Prints the fields of a TDX quote, version 4 or 5. URL is a node's API (http://host:3032): its GET /v1/attest "
        "is asked for. FILE is a quote (raw or hex), an answer of GET /attest or of GET /v1/attest. Nothing is "
        "verified: that is `kettle verify`.",
    .status = "0 printed, 1 not a quote, 3 not readable",
    .operand = "file, URL, or - for standard input",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

/* A URL of a whole answer stays what it is: those of GET /attest and GET /v1/attest end so, but for their query. */
static const char *route_of(const char *url)
{
    static const char end[] = "/attest";
    const size_t n = strcspn(url, "?"), len = sizeof end - 1;
    return n >= len && !strncmp(url + n - len, end, len) ? NULL : "/v1/attest";
}

static int run(int argc, char **argv)
{
    options_t o = { .as_json = false };
    const char *source;
    arena_t a;
    err_t e;
    view_t file = { NULL, 0 }, text = { NULL, 0 }, peer;
    int status = cli_parse(&o, &source, &COMMAND_QUOTE, argc, argv);
    if (status)
        return status - 1;
    if (o.as_json && o.as_policy)
        return command_usage("--json and --policy exclude each other: a policy is JSON");
    if (o.ra_tls && strncmp(source, "https://", 8) != 0)
        return command_usage("--ra-tls needs an https:// URL");
    arena_init(&a, ARENA_MAX);
    const bool is_url = evidence_is_url(source);
    rc_t rc = is_url ? evidence_ask(&text, o.ra_tls ? &peer : NULL, &e, &a, source, route_of(source))
                     : file_read(&file, &e, source, INPUT_MAX, FILE_DASH_IS_STDIN);
    if (rc) {
        command_failed_by(&e, NULL);
        status = COMMAND_UNREACHED;
    } else
        status = print(&a, is_url ? text : file, &o);
    file_free(file);
    arena_free(&a);
    return status;
}
