/* verify_answers.c - the prototype's signed answers under an attested key. Their signatures say little: each step ends
 * with what they do not bind. */
#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "base/json.h"
#include "node/cli/verify.h"

static const char UNBOUND[] = "signed, but bound to no request, block, chain or time";

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

bool verify_block(results_t *r, arena_t *a, view_t body, const char *name, const uint8_t pubkey[33])
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
        ok = step(r, "block", true, NULL, "%s: block %.*s: %s", name, (int)number.n, (const char *)number.p, UNBOUND);
    answer_close(&x);
    return ok;
}

bool verify_call(results_t *r, arena_t *a, view_t body, const char *name, const uint8_t pubkey[33])
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
        ok = step(r, "call", true, NULL, "%s: %.60s%s: %s", name, (const char *)text.p, text.n > 60 ? "..." : "",
                  UNBOUND);
    answer_close(&x);
    return ok;
}
