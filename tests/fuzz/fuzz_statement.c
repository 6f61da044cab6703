/* Statements from outside. Properties: one that is refused leaves the result as it was, with a code and a sentence; one
 * that is read is written as it came, white space aside and members in their own order, and has the same digest then; it
 * holds for its recovered signer or for nobody, and never for another chain; with a result beside it only when that has
 * the hash that was signed. */
#include <stdlib.h>
#include <string.h>

#include "rpc/api/statement_verify.h"
#include "tests/fuzz/fuzz.h"

static void check_refused(const statement_t *s, const err_t *e)
{
    for (size_t i = 0; i < sizeof *s; i++)
        if (((const uint8_t *)s)[i] != 0x5a)
            abort();
    if (!e->rc || !e->code || !*e->text)
        abort();
}

static void check_read(arena_t *a, const statement_t *s)
{
    statement_t again;
    view_t text;
    hash32_t x, y;
    if (statement_write(&text, a, s) || statement_read(&again, NULL, a, text))
        abort();
    statement_digest(&x, s);
    statement_digest(&y, &again);
    if (!hash32_eq(&x, &y) || memcmp(s->signature, again.signature, sizeof s->signature))
        abort();
}

static void check_holds(const statement_t *s)
{
    statement_demand_t want = { .chain_id = s->chain_id,
                                .signers = &s->signer,
                                .signer_count = 1,
                                .any_request = true,
                                .any_age = true,
                                .allow_failed = true,
                                .now_s = s->valid_until };
    hash32_t digest;
    addr_t found;
    statement_digest(&digest, s);
    err_t e = { .rc = RC_OK };
    const bool is_signed = !ecdsa_recover65(&found, s->signature, &digest) && addr_eq(&found, &s->signer);
    const bool holds = statement_verify(s, &e, &want) == RC_OK;
    const bool other_result = s->result.n && e.code == STATEMENT_WRONG_RESULT;
    if (holds != (is_signed && !other_result))
        abort();
    want.chain_id++;
    if (!statement_verify(s, NULL, &want))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    err_t e = { .rc = RC_OK };
    statement_t s;
    arena_init(&a, 64u << 20);
    memset(&s, 0x5a, sizeof s);
    if (statement_read(&s, &e, &a, view_of(data, len)))
        check_refused(&s, &e);
    else {
        check_read(&a, &s);
        check_holds(&s);
    }
    arena_free(&a);
    return 0;
}
