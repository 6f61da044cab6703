/* A quote, of a TDX guest or an enclave but not both, that parses covers its own bytes: its parts lie in it in order and without gaps, it parses again when the
 * padding is cut, and not when one byte more is cut. */
#include <stdlib.h>

#include "tee/quote/quote.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

typedef rc_t parser_t(quote_t *out, err_t *fault, view_t in);

/* True when it parses. */
static int check(parser_t *parser, const uint8_t *data, size_t len)
{
    quote_t q, again;
    err_t fault = { 0 };
    if (parser(&q, &fault, view_of(data, len)) != RC_OK) {
        require(fault.text[0]);
        return 0;
    }
    const uint8_t *end = data + q.used.n;
    require(q.used.p == data && q.used.n <= len && q.signed_part.p == data);
    require(q.signature == data + q.signed_part.n + 4 && q.attestation_key == q.signature + 64);
    require(q.qe.whole.p == q.attestation_key + 64 + (parser == quote_parse ? 6 : 0));
    require(q.qe_signature == q.qe.whole.p + q.qe.whole.n);
    require(q.qe_auth.p == q.qe_signature + 64 + 2 || q.qe_auth.n == 0);
    require(q.certs[0].p == q.qe_signature + 64 + 2 + q.qe_auth.n + 6);
    for (size_t i = 1; i < QUOTE_CERTS; i++)
        require(q.certs[i].p >= q.certs[i - 1].p + q.certs[i - 1].n);
    require(q.certs[2].p + q.certs[2].n <= end);
    require(parser(&again, &fault, q.used) == RC_OK && again.used.n == q.used.n && again.certs[2].p == q.certs[2].p);
    require(parser(&again, &fault, view_of(data, q.used.n - 1)) != RC_OK);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int guest = check(quote_parse, data, len), enclave = check(quote_parse_sgx, data, len);
    require(!(guest && enclave));
    return 0;
}
