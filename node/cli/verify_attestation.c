/* verify_attestation.c - an attestation, and the connection that it came over: quote, collateral, policy, key. */
#include <stdio.h>

#include "base/calendar.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "node/cli/verify.h"
#include "tee/verify/verify.h"
#include "tee/x509/der.h"
#include "tee/x509/ratls.h"

/* The answer is to this nonce. */
static bool check_nonce(results_t *r, const verify_attested_t *at, const verify_options_t *o)
{
    if (at->form == EVIDENCE_PROTOTYPE) {
        if (o->has_nonce)
            return step(r, "nonce", false, "E_NONCE", "the answer of GET /attest carries no nonce: ask for /v1/attest");
        return step(r, "nonce", true, NULL,
                    "none: GET /attest shows that a TD once held the key, not that it is fresh");
    }
    if (!o->has_nonce)
        return step(r, "nonce", false, "E_NONCE",
                    "no --nonce given: without one an old answer cannot be told from a fresh one");
    if (!at->x.has_nonce || !secret_eq(at->x.nonce, o->nonce, 32))
        return step(r, "nonce", false, "E_NONCE", "the attestation does not answer the expected nonce");
    return step(r, "nonce", true, NULL, "fresh: the attestation answers the expected nonce");
}

static void expected_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const verify_attested_t *at,
                                 const verify_options_t *o)
{
    const attestation_t *x = &at->x;
    tee_attest_t bound = { .type = (tee_evidence_type_t)x->evidence_type,
                           .nonce = o->has_nonce ? o->nonce : NULL,
                           .cluster_pubkey = x->pubkey,
                           .node_pubkey = x->node_pubkey };
    if (at->form == EVIDENCE_PROTOTYPE) {
        tee_register_report_data(out, x->pubkey);
        return;
    }
    sha256(&bound.cluster_statement, x->cluster_statement);
    sha256(&bound.node_statement, x->node_statement);
    tee_attest_report_data(out, &bound);
}

/* Whether the quote's 64 bytes are those of this key: told apart from the rest, so that "another key" is a finding
 * of its own. */
static bool check_binding(verify_attested_t *at, results_t *r, const uint8_t expected[TEE_REPORT_DATA_LEN])
{
    const bool v1 = at->form == EVIDENCE_V1;
    quote_t q;
    err_t f;
    char key[67];
    hex_encode(key, view_of(at->x.pubkey, 33));
    if (quote_parse(&q, &f, at->x.quote))
        return step(r, "quote", false, tee_code_name(f.code), "%s", f.text);
    if (!secret_eq(q.td.report_data, expected, TEE_REPORT_DATA_LEN))
        return step(r, "binding", false, tee_code_name(E_REPORTDATA), "the quote does not vouch for key 0x%s%s", key,
                    v1 ? " with this nonce and setup" : "");
    at->bound = true;
    snprintf(r->pubkey, sizeof r->pubkey, "0x%s", key);
    return step(r, "binding", true, NULL, "the quote vouches for key 0x%s%s", key, v1 ? " and this setup" : "");
}

static bool check_key(results_t *r, const attestation_t *x, const verify_options_t *o)
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

/* Where nothing vouches for the ACPI tables. */
static void tell_acpi(results_t *r, policy_acpi_t acpi)
{
    if (acpi == POLICY_ACPI_ANY)
        step(r, "acpi", true, NULL, "ACPI tables: not verified (the host can run code in this guest's kernel)");
    if (acpi == POLICY_ACPI_CONFINED)
        step(r, "acpi", true, NULL,
             "ACPI tables: not verified (the policy says that this guest's kernel confines their code)");
}

/* Two findings, told apart by the fault's code. */
bool verify_evidence(results_t *r, arena_t *a, const attestation_t *x, view_t collateral, const policy_t *policy,
                     const uint8_t expected[TEE_REPORT_DATA_LEN], int64_t now)
{
    tee_verified_t v;
    err_t f;
    const tee_claim_t claim = { (tee_evidence_type_t)x->evidence_type, x->quote, x->event_log, collateral,
                                x->vm_config };
    if (!collateral.n)
        return step(r, "quote", false, tee_code_name(E_COLLATERAL),
                    "no collateral: none is stapled, and no --collateral given");
    if (tee_appraise(&v, NULL, NULL, &f, a, &claim, expected, policy, now)) {
        bool judged = f.code >= E_TCB_STATUS && f.code <= E_SIMULATED;
        return step(r, judged ? "admission" : "quote", false, tee_code_name(f.code), "%s", f.text);
    }
    tell_genuine(r, &v);
    step(r, "admission", true, NULL, "the policy admits this TD");
    tell_acpi(r, v.acpi);
    return true;
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
    const tee_claim_t claim = { (tee_evidence_type_t)x->evidence_type, tls.evidence, tls.event_log, collateral,
                                x->vm_config };
    if (tee_appraise(&v, NULL, NULL, &f, a, &claim, expected, policy, now))
        return step(r, "tls", false, tee_code_name(f.code), "the certificate's quote: %s", f.text);
    return step(r, "tls", true, NULL,
                "the connection ends in a TD that the policy admits: its certificate carries a quote over its key");
}

/* The statements make sense; that the quote binds them is told elsewhere. */
static bool read_statements(verify_attested_t *at, results_t *r, arena_t *a)
{
    err_t e;
    if (setup_cluster_read(&at->cluster, &e, a, at->x.cluster_statement)) {
        err_under(&e, e.rc, "cluster_statement");
        return step_failed(r, "attestation", "E_ATTESTATION", &e);
    }
    if (setup_node_read(&at->node, &e, a, at->x.node_statement)) {
        err_under(&e, e.rc, "node_statement");
        return step_failed(r, "attestation", "E_ATTESTATION", &e);
    }
    sha256(&at->setup, at->x.cluster_statement);
    return true;
}

static bool read_attestation(verify_attested_t *at, results_t *r, arena_t *a, const verify_input_t *in,
                             const policy_t *policy)
{
    err_t e;
    if (evidence_read(&at->x, &at->form, &e, a, in->attestation))
        return step_failed(r, "attestation", "E_ATTESTATION", &e);
    if (at->form == EVIDENCE_QUOTE)
        return step(r, "attestation", false, "E_ATTESTATION",
                    "a quote alone names no key: give an answer of GET /v1/attest");
    if (at->form == EVIDENCE_PROTOTYPE)
        at->x.evidence_type = policy_simulator_root(policy).n ? TEE_EVIDENCE_SIMULATED : TEE_EVIDENCE_TDX;
    return at->form == EVIDENCE_PROTOTYPE || read_statements(at, r, a);
}

/* Nothing vouches for it: --follow shows what does. */
static void tell_cluster(results_t *r, const attestation_cluster_t *c)
{
    if (c->is_there)
        step(r, "cluster", true, NULL,
             "the node says, unbound: generation %llu.%u signs, order %llu is in force, %llu distinct platforms",
             (unsigned long long)c->generation, c->index, (unsigned long long)c->order_version,
             (unsigned long long)c->platforms);
}

/* The prototype's answer binds a key and nothing else. */
static void check_prototype(results_t *r, const verify_options_t *o)
{
    const bool any = !strcmp(o->network, "any") && !o->has_chain_id && !o->has_checkpoint && !o->has_setup;
    step(r, "network", any, "E_NETWORK",
         any ? "unknown: GET /attest binds no chain and no setup"
             : "GET /attest binds no chain and no setup: ask for /v1/attest, or say --network any");
}

bool verify_attestation(verify_attested_t *out, results_t *r, arena_t *a, const verify_input_t *in,
                        const policy_t *policy, const verify_options_t *o)
{
    uint8_t expected[TEE_REPORT_DATA_LEN];
    verify_attested_t at = { .bound = false };
    if (!read_attestation(&at, r, a, in, policy))
        return false;
    const view_t collateral = in->collateral.n ? in->collateral : at.x.collateral;
    bool ok = check_nonce(r, &at, o);
    expected_report_data(expected, &at, o);
    ok &= check_binding(&at, r, expected);
    ok &= check_key(r, &at.x, o);
    if (ok)
        verify_evidence(r, a, &at.x, collateral, policy, expected, o->now);
    if (o->ra_tls)
        check_tls(r, a, in->cert, &at.x, collateral, policy, o->now);
    tell_cluster(r, &at.x.cluster);
    if (at.form == EVIDENCE_PROTOTYPE)
        check_prototype(r, o);
    *out = at;
    return true;
}
