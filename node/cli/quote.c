/* quote.c - `kettle quote`: prints the fields of a quote. Nothing is verified. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/json_tree.h"
#include "node/cli/command.h"
#include "node/cli/evidence.h"
#include "tee/quote/quote.h"

#define INPUT_MAX (8u << 20) /* bytes of a file */

static const char HELP[] =
    "usage: kettle quote [--json] FILE | URL | -\n"
    "\n"
    "Prints the fields of a TDX quote, version 4 or 5. Takes a quote (raw or hex), the answer of GET /attest or of\n"
    "GET /v1/attest. Nothing is verified: that is `kettle verify`.\n"
    "\n"
    "exit status: 0 printed, 1 not a quote or not readable, 2 wrong usage\n";

typedef struct {
    json_t *o;
    bool failed;
} fields_t;

static void put(fields_t *f, const char *key, json_t *value)
{
    f->failed |= !value || json_object_set_new(f->o, key, value);
}

static void put_hex(fields_t *f, const char *key, const uint8_t *p, size_t n)
{
    char text[2 * 64 + 1] = "";
    if (p && n <= 64) {
        hex_encode(text, view_of(p, n));
        put(f, key, json_string(text));
    }
}

static void put_td(fields_t *f, const quote_td_t *td)
{
    char key[8];
    put_hex(f, "tee_tcb_svn", td->tcb_svn, 16);
    put_hex(f, "mr_seam", td->mr_seam, 48);
    put_hex(f, "mr_signer_seam", td->mr_signer_seam, 48);
    put_hex(f, "seam_attributes", td->seam_attributes, 8);
    put_hex(f, "td_attributes", td->td_attributes, 8);
    put(f, "debug", json_boolean(td->td_attributes[0] & 1));
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

static json_t *fields_of(const quote_t *q, const attestation_t *from, evidence_form_t form)
{
    fields_t f = { json_object(), false };
    put(&f, "version", json_integer(q->version));
    put(&f, "body", json_string(q->body_type == QUOTE_BODY_TD15 ? "TD report 1.5" : "TD report 1.0"));
    put(&f, "length", json_integer((json_int_t)q->used.n));
    put_hex(&f, "user_data", q->user_data, 20);
    put_td(&f, &q->td);
    put_hex(&f, "attestation_key", q->attestation_key, 64);
    put_hex(&f, "qe_mrenclave", q->qe.mr_enclave, 32);
    put_hex(&f, "qe_mrsigner", q->qe.mr_signer, 32);
    put(&f, "qe_isvprodid", json_integer(q->qe.isv_prod_id));
    put(&f, "qe_isvsvn", json_integer(q->qe.isv_svn));
    if (form != EVIDENCE_QUOTE)
        put_hex(&f, "pubkey", from->pubkey, 33);
    if (form == EVIDENCE_V1) {
        put_hex(&f, "node_pubkey", from->node_pubkey, 33);
        put(&f, "tee", json_stringn((const char *)from->tee.p, from->tee.n));
        put(&f, "chain_id", json_integer((json_int_t)from->chain_id));
        if (from->has_nonce)
            put_hex(&f, "nonce", from->nonce, 32);
    }
    if (!f.failed)
        return f.o;
    json_decref(f.o);
    return NULL;
}

static void print_text(json_t *o)
{
    const char *key;
    json_t *value;
    json_object_foreach (o, key, value) {
        if (json_is_string(value))
            printf("%-16s %s\n", key, json_string_value(value));
        else if (json_is_boolean(value))
            printf("%-16s %s\n", key, json_is_true(value) ? "yes" : "no");
        else
            printf("%-16s %lld\n", key, (long long)json_integer_value(value));
    }
}

static int print(arena_t *a, view_t text, bool as_json)
{
    attestation_t from;
    evidence_form_t form;
    quote_t q;
    err_t fault;
    char why[256];
    if (evidence_read(&from, &form, why, sizeof why, a, text))
        return command_failed("%s", why);
    if (quote_parse(&q, &fault, from.quote))
        return command_failed("%s: %s", tee_code_name(fault.code), fault.text);
    json_t *o = fields_of(&q, &from, form);
    if (!o)
        return command_failed("out of memory");
    if (as_json) {
        json_dumpf(o, stdout, JSON_INDENT(2));
        putchar('\n');
    } else
        print_text(o);
    json_decref(o);
    return COMMAND_DONE;
}

int command_quote(int argc, char **argv)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "help", no_argument, NULL, 'h' },
                                           { NULL, 0, NULL, 0 } };
    bool as_json = false;
    char why[512];
    arena_t a;
    view_t file = { NULL, 0 }, text;
    int status = COMMAND_FAILED;
    for (int c; (c = getopt_long(argc, argv, ":h", longs, NULL)) != -1;) {
        if (c == 'j')
            as_json = true;
        else if (c == 'h')
            return fputs(HELP, stdout), COMMAND_DONE;
        else
            return command_usage("unknown option %s", argv[optind - 1]);
    }
    if (argc - optind != 1)
        return command_usage("quote needs one file, URL, or - for standard input");
    arena_init(&a, 64u << 20);
    if (!strncmp(argv[optind], "http://", 7) || !strncmp(argv[optind], "https://", 8)) {
        if (evidence_fetch(&text, NULL, why, sizeof why, &a, argv[optind], 60000))
            command_failed("%s", why);
        else
            status = print(&a, text, as_json);
    } else if (!command_read_file(&file, argv[optind], INPUT_MAX))
        status = print(&a, file, as_json);
    free((void *)(uintptr_t)file.p);
    arena_free(&a);
    return status;
}
