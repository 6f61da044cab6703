/* A certificate that passes is valid now and carries a quote over its own key, and all that it tells lies inside it; it does not
 * pass a second before or behind its time, nor without its last byte. */
#include <stdlib.h>

#include "tee/x509/ratls.h"
#include "tests/fuzz/fuzz.h"

#define NOW 1795000000 /* inside the time of the corpus's certificates */

static void require(int holds)
{
    if (!holds)
        abort();
}

static int inside(view_t whole, view_t part)
{
    return !part.n || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const view_t cert = view_of(data, len);
    uint8_t expected[TEE_REPORT_DATA_LEN];
    ratls_t r, again;
    err_t fault = { 0 };
    if (ratls_check(&r, &fault, cert, NOW)) {
        require(fault.code != TEE_OK && fault.text[0]);
        return 0;
    }
    require(r.not_before <= NOW && NOW <= r.not_after);
    require(inside(cert, r.spki) && inside(cert, r.evidence) && inside(cert, r.event_log) &&
            inside(r.evidence, r.quote.used));
    tee_ratls_report_data(expected, r.spki);
    require(memcmp(expected, r.quote.td.report_data, sizeof expected) == 0);
    require(ratls_check(&again, &fault, cert, r.not_before - 1) != RC_OK && fault.code == E_CHAINTIME);
    require(ratls_check(&again, &fault, cert, r.not_after + 1) != RC_OK && fault.code == E_CHAINTIME);
    require(ratls_check(&again, &fault, view_of(data, len - 1), NOW) != RC_OK);
    return 0;
}
