/* Every record handed out lies inside the input and is within its maximum. */
#include <stdlib.h>

#include "node/chain/journal.h"
#include "tests/fuzz/fuzz.h"

static view_t whole;

static rc_t take(void *ctx, lc_kind_t kind, lc_fork_t fork, view_t ssz)
{
    (void)ctx, (void)kind;
    if (fork >= LC_FORKS || ssz.n > LC_OBJECT_LEN_MAX ||
        (ssz.n && (ssz.p < whole.p || ssz.p + ssz.n > whole.p + whole.n)))
        abort();
    return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    whole = (view_t){ data, len };
    err_t e;
    rc_t rc = journal_decode(&e, whole, take, NULL);
    if ((rc != RC_OK && rc != RC_MALFORMED && rc != RC_UNSUPPORTED) || (rc && (e.rc != rc || !e.text[0])))
        abort();
    return 0;
}
