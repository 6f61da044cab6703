/* tdx: tdx/cases.json. Positive cases verify with exactly these statuses and advisories, or are below every TCB level; negative
 * ones are refused. A quote of version 3 is of an SGX enclave: it is verified as such, and never as one of a TDX guest.
 * Event logs: tdx_logs.c. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "tee/verify/verify.h"
#include "tests/vectors/vec.h"

#define CASE_MEMORY_MAX (64u << 20)
#define SEED_QUOTE "gcp-seed-v4-00806f05"
#define SEED_PUBKEY "02f3bf0aaa9dd53d07ef32facc6b068421b4a7dc25e4ba3d399c5e1109c39dc45e" /* architecture section 3 */

/* One file of a collateral set, with the change that a case wants. */
static view_t part(vec_t *v, arena_t *a, const char *set, const char *file, const json_t *change)
{
    view_t original = vec_read(v, a, "tdx/collateral/%s/%s", set, file);
    const char *which = vec_str(change, "file");
    if (!original.p || !which || strcmp(which, file) != 0)
        return original;
    uint8_t *copy = arena_alloc(a, original.n);
    size_t at = (size_t)json_integer_value(json_object_get(change, "offset"));
    if (!copy || at >= original.n)
        return view_of(NULL, 0);
    memcpy(copy, original.p, original.n);
    copy[at] ^= (uint8_t)json_integer_value(json_object_get(change, "value"));
    return view_of(copy, original.n);
}

/* The collateral set of a case; a part that does not parse is a refusal as well. */
static rc_t load_set(collateral_t *c, err_t *fault, vec_t *v, arena_t *a, const char *set, const json_t *change)
{
    *c = (collateral_t){ 0 };
    rc_t rc = collateral_split(&c->tcb_info, c->tcb_info_signature, fault, part(v, a, set, "tcb_info.json", change),
                               "tcbInfo");
    if (!rc)
        rc = collateral_split(&c->qe_identity, c->qe_identity_signature, fault,
                              part(v, a, set, "qe_identity.json", change), "enclaveIdentity");
    if (!rc)
        rc = crl_der(&c->root_ca_crl, fault, a, part(v, a, set, "root_ca_crl.der", change));
    if (!rc)
        rc = crl_der(&c->pck_crl, fault, a, part(v, a, set, "pck_crl.der", change));
    c->tcb_info_issuer_chain = part(v, a, set, "tcb_signing_chain.pem", change);
    c->qe_identity_issuer_chain = part(v, a, set, "qe_identity_signing_chain.pem", change);
    c->pck_crl_issuer_chain = part(v, a, set, "pck_crl_issuer_chain.pem", change);
    return rc;
}

/* True when tdx/quotes/<name>.json says that the quote is of an SGX enclave. */
static bool is_sgx(vec_t *v, const char *name)
{
    json_t *o = vec_json(v, "tdx/quotes/%s.json", name);
    json_int_t version = json_integer_value(json_object_get(o, "version"));
    json_decref(o);
    return version == 3;
}

/* One recorded quote has bytes behind its end that are not zero: refused as it is, it is judged without them. */
static view_t without_trailing(vec_t *v, view_t quote, const char *name)
{
    json_t *o = vec_json(v, "tdx/quotes/%s.json", name);
    size_t trailing = (size_t)json_integer_value(json_object_get(o, "trailing"));
    json_decref(o);
    return trailing < quote.n ? view_of(quote.p, quote.n - trailing) : quote;
}

/* The quote of a case, with its changes. */
static view_t load_quote(vec_t *v, arena_t *a, const json_t *o)
{
    view_t file = vec_read(v, a, "tdx/quotes/%s.bin", vec_str(o, "quote"));
    uint8_t *copy = file.p ? arena_alloc(a, file.n) : NULL;
    const json_t *changes = json_object_get(o, "xor"), *cut = json_object_get(o, "truncate_to");
    if (!copy)
        return view_of(NULL, 0);
    memcpy(copy, file.p, file.n);
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *pair = json_array_get(changes, i);
        size_t at = (size_t)json_integer_value(json_array_get(pair, 0));
        if (at < file.n)
            copy[at] ^= (uint8_t)json_integer_value(json_array_get(pair, 1));
    }
    return view_of(copy, cut ? (size_t)json_integer_value(cut) : file.n);
}

static rc_t verify(tee_verified_t *out, err_t *fault, vec_t *v, arena_t *a, const json_t *o, bool trim)
{
    collateral_t c;
    view_t quote = load_quote(v, a, o);
    if (trim)
        quote = without_trailing(v, quote, vec_str(o, "quote"));
    rc_t rc = load_set(&c, fault, v, a, vec_str(o, "collateral"), json_object_get(o, "collateral_xor"));
    if (rc)
        return rc;
    const int64_t at = json_integer_value(json_object_get(o, "at"));
    if (!is_sgx(v, vec_str(o, "quote")))
        return tee_verify(out, NULL, fault, a, quote, &c, CHAIN_INTEL_ROOT, at);
    if (tee_verify(out, NULL, fault, a, quote, &c, CHAIN_INTEL_ROOT, at) != RC_REFUSED || fault->code != E_VERSION) {
        vec_fail(v, vec_str(o, "case"), "an SGX quote is not refused where one of a TDX guest is wanted");
        return RC_REFUSED;
    }
    return tee_verify_sgx(out, fault, a, quote, &c, CHAIN_INTEL_ROOT, at);
}

/* NULL, or the name of what differs. */
static const char *difference(const tee_verified_t *r, const json_t *o)
{
    const struct {
        const char *key;
        tcb_status_t status;
    } rows[] = { { "platform_status", r->grade.platform },
                 { "tdx_module_status", r->grade.module },
                 { "qe_status", r->grade.qe },
                 { "tcb_status", r->grade.status } };
    const json_t *list = json_object_get(o, "advisory_ids");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *want = vec_str(o, rows[i].key);
        if (!want && i == 1 && !r->grade.has_module)
            continue; /* module version 0 has no status, nor has SGX */
        if (!want || strcmp(want, tcb_status_name(rows[i].status)) != 0)
            return rows[i].key;
    }
    if (json_array_size(list) != r->grade.advisory_count)
        return "advisory_ids";
    for (size_t i = 0; i < r->grade.advisory_count; i++)
        if (!view_eq(r->grade.advisories[i], view_str(json_string_value(json_array_get(list, i)))))
            return "advisory_ids";
    if (!strcmp(vec_str(o, "quote"), SEED_QUOTE)) { /* the one quote whose key is known */
        uint8_t pubkey[33], bound[TEE_REPORT_DATA_LEN];
        if (!vec_hex_fixed(pubkey, sizeof pubkey, SEED_PUBKEY))
            return "pubkey";
        tee_register_report_data(bound, pubkey);
        if (memcmp(r->quote.td.report_data, bound, sizeof bound) != 0)
            return "report_data";
    }
    const quote_t *q = &r->quote;
    bool debug = q->version == 3 ? (q->enclave.attributes[0] & 2) != 0 : (q->td.td_attributes[0] & 1) != 0;
    if (json_is_true(json_object_get(o, "debug_td")) != debug)
        return "debug_td";
    return NULL;
}

static void positive(vec_t *v, const json_t *o)
{
    const char *name = vec_str(o, "case");
    tee_verified_t r;
    err_t fault;
    arena_t a;
    arena_init(&a, CASE_MEMORY_MAX);
    rc_t rc = verify(&r, &fault, v, &a, o, false);
    if (rc && fault.code == E_TRAILING)
        rc = verify(&r, &fault, v, &a, o, true);
    const char *differs = rc ? NULL : difference(&r, o);
    if (vec_str(o, "result")) {
        if (rc && fault.code == E_TCB_UNSUPPORTED)
            vec_pass(v);
        else
            vec_fail(v, name, "should be below every level, but: %s", rc ? tee_code_name(fault.code) : "verifies");
    } else if (rc)
        vec_fail(v, name, "%s: %s", tee_code_name(fault.code), fault.text);
    else if (differs)
        vec_fail(v, name, "%s differs", differs);
    else
        vec_pass(v);
    arena_free(&a);
}

static void negative(vec_t *v, const json_t *o)
{
    const char *name = vec_str(o, "case");
    tee_verified_t r;
    err_t fault;
    arena_t a;
    arena_init(&a, CASE_MEMORY_MAX);
    rc_t rc = verify(&r, &fault, v, &a, o, false);
    if (rc_blames_input(rc) && fault.code)
        vec_pass(v);
    else
        vec_fail(v, name, "should be refused, but: %s", rc ? rc_name(rc) : "verifies");
    arena_free(&a);
}

void vec_kind_tdx(vec_t *v)
{
    json_t *cases = vec_json(v, "tdx/cases.json");
    const json_t *list = json_object_get(cases, "positive");
    for (size_t i = 0; i < json_array_size(list); i++)
        positive(v, json_array_get(list, i));
    list = json_object_get(cases, "negative");
    for (size_t i = 0; i < json_array_size(list); i++)
        negative(v, json_array_get(list, i));
    json_decref(cases);
    tdx_logs(v);
}
