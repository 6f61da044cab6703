/* What /v1 and its gateway are asked. The first byte says which route, then the path behind it, and after a newline the
 * query or the body. Properties: what is refused names a member and leaves the result as it was; what is taken has one of
 * the known kinds and is bounded by the input. */
#include <stdlib.h>
#include <string.h>

#include "rpc/api/question.h"
#include "tests/fuzz/fuzz.h"

static rc_t ask(question_t *q, err_t *e, arena_t *a, uint8_t route, const char *rest, const char *more, view_t body)
{
    switch (route % 9) {
    case 0: return question_of_call(q, e, a, body);
    case 1: return question_of_block(q, e, rest, more);
    case 2: return question_of_account(q, e, rest, more);
    case 3: return question_of_storage(q, e, rest, more);
    case 4: return question_of_checkpoint(q, e, more);
    case 5: return question_of_ccip_get(q, e, a, rest);
    case 7: return question_of_logs(q, e, a, body);
    case 8: return question_of_receipt(q, e, rest, more);
    default: return question_of_ccip_post(q, e, a, rest, body);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    err_t e = { .rc = RC_OK };
    question_t q;
    if (!len)
        return 0;
    arena_init(&a, 64u << 20);
    const uint8_t *line = memchr(data + 1, '\n', len - 1);
    const size_t n = line ? (size_t)(line - data - 1) : len - 1;
    const view_t body = line ? view_of(line + 1, len - n - 2) : view_of(NULL, 0);
    const char *rest = arena_strdup(&a, view_of(data + 1, n)), *more = arena_strdup(&a, body);
    memset(&q, 0x5a, sizeof q);
    if (ask(&q, &e, &a, data[0], rest, more, body)) {
        for (size_t i = 0; i < sizeof q; i++)
            if (((const uint8_t *)&q)[i] != 0x5a)
                abort();
        if (!e.rc || !*e.text)
            abort();
    } else if (q.what.kind >= STATEMENT_KINDS || q.what.call.data.n > len ||
               (q.block.given && q.block.by > SETUP_BY_BLOCK))
        abort();
    arena_free(&a);
    return 0;
}
