/* A node that is built to lie: the program as it is, but that what it proved is changed before it is signed, and that
 * it gives the evidence all the same. For tests/e2e/liar.mjs alone; linked with --wrap. */
#include <stdlib.h>

#include "node/query/retrace.h"
#include "rpc/api/statement.h"

rc_t __real_statement_sign(statement_t *s, const statement_signer_t *signer);
rc_t __wrap_statement_sign(statement_t *s, const statement_signer_t *signer);
rc_t __real_retrace_run(retrace_t *r, err_t *e, bool spare);
rc_t __wrap_retrace_run(retrace_t *r, err_t *e, bool spare);

/* The same bytes but for the last one; never freed. */
static view_t other(view_t from)
{
    uint8_t *p = malloc(from.n + 1);
    if (!p)
        abort();
    memcpy(p, from.p, from.n);
    p[from.n ? from.n - 1 : 0] ^= 1;
    return view_of(p, from.n);
}

rc_t __wrap_statement_sign(statement_t *s, const statement_signer_t *signer)
{
    switch (s->kind) {
    case STATEMENT_CALL: s->call.result = other(s->call.result); break;
    case STATEMENT_ACCOUNT: ((uint8_t *)&s->account.balance)[0] ^= 1; break;
    case STATEMENT_STORAGE: ((uint8_t *)&s->storage.value)[0] ^= 1; break;
    case STATEMENT_CHECKPOINT: s->checkpoint.root.b[31] ^= 1; break;
    default: s->at.state_root.b[31] ^= 1; break;
    }
    return __real_statement_sign(s, signer);
}

rc_t __wrap_retrace_run(retrace_t *r, err_t *e, bool spare)
{
    const rc_t rc = __real_retrace_run(r, e, spare);
    return spare && rc == RC_REFUSED ? RC_OK : rc; /* spare: it makes a file */
}
