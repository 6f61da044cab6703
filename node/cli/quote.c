/* quote.c - `kettle quote`: prints the fields of a quote. Nothing is verified. */
#include <stdio.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/os/file.h"
#include "node/cli/command.h"
#include "node/cli/evidence.h"
#include "tee/fault.h"
#include "tee/quote/quote.h"

#define INPUT_MAX (8u << 20) /* bytes of a file */
#define OUTPUT_MAX (64u << 10)
#define ARENA_MAX ((size_t)64 << 20)
#define TIMEOUT_MS 60000u

/* Where fields go: an object of JSON, or with json NULL lines of text. */
typedef struct {
    jw_t *json;
} fields_t;

static void put_text(const fields_t *f, const char *key, view_t text)
{
    if (f->json)
        jw_text(f->json, key, text);
    else
        printf("%-16s %.*s\n", key, (int)text.n, (const char *)text.p);
}

static void put_number(const fields_t *f, const char *key, uint64_t n)
{
    if (f->json)
        jw_u64(f->json, key, n);
    else
        printf("%-16s %llu\n", key, (unsigned long long)n);
}

static void put_bool(const fields_t *f, const char *key, bool x)
{
    if (f->json)
        jw_bool(f->json, key, x);
    else
        printf("%-16s %s\n", key, x ? "yes" : "no");
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
    put_text(f, "tee", from->tee);
    put_number(f, "chain_id", from->chain_id);
    if (from->has_nonce)
        put_hex(f, "nonce", from->nonce, 32);
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

static int print(arena_t *a, view_t text, bool as_json)
{
    attestation_t from;
    evidence_form_t form;
    quote_t q;
    err_t e;
    if (evidence_read(&from, &form, &e, a, text) || quote_parse(&q, &e, from.quote))
        return command_failed_by(&e, NULL);
    if (as_json)
        return print_json(a, &q, &from, form);
    put_all(&(fields_t){ NULL }, &q, &from, form);
    return fflush(stdout) ? command_failed("standard output: cannot be written") : COMMAND_DONE;
}

static const cli_option_t options[] = {
    { .name = "json", .help = "prints the fields as JSON", .at = 0 },
};

static int run(int argc, char **argv);

const cli_command_t COMMAND_QUOTE = {
    .name = "quote",
    .what = "prints the fields of a quote",
    .usage = "kettle quote [--json] URL | FILE | -\n",
    .about =
        "Prints the fields of a TDX quote, version 4 or 5. Takes a quote (raw or hex), the answer of GET /attest or "
        "of GET /v1/attest. Nothing is verified: that is `kettle verify`.",
    .status = "0 printed, 1 not a quote or not readable",
    .operand = "file, URL, or - for standard input",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};

static int run(int argc, char **argv)
{
    bool as_json = false;
    const char *source;
    arena_t a;
    err_t e;
    view_t file = { NULL, 0 }, text = { NULL, 0 };
    int status = cli_parse(&as_json, &source, &COMMAND_QUOTE, argc, argv);
    if (status)
        return status - 1;
    arena_init(&a, ARENA_MAX);
    const bool is_url = !strncmp(source, "http://", 7) || !strncmp(source, "https://", 8);
    rc_t rc = is_url ? evidence_fetch(&text, NULL, &e, &a, source, TIMEOUT_MS)
                     : file_read(&file, &e, source, INPUT_MAX, FILE_DASH_IS_STDIN);
    status = rc ? command_failed_by(&e, NULL) : print(&a, is_url ? text : file, as_json);
    file_free(file);
    arena_free(&a);
    return status;
}
