#include "lightclient/exec/send.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

typedef struct {
    query_t query; /* first: a pointer to it is one to the send */
    hash32_t hash;
    need_t need;
    bool asked, done;
    err_t refusal; /* rc RC_OK: none */
} ex_send_t;

static rc_t send_step(query_t *q, err_t *e)
{
    ex_send_t *s = (ex_send_t *)(void *)q;
    if (s->done)
        return RC_OK;
    if (s->refusal.rc)
        return err_say(e, s->refusal.rc, s->refusal.text);
    if (s->asked)
        return err_say(e, RC_LIMIT, "no endpoint has answered");
    s->asked = true;
    return RC_NEED_DATA;
}

static size_t send_needs(const query_t *q, const need_t **out)
{
    const ex_send_t *s = (const ex_send_t *)(const void *)q;
    *out = &s->need;
    return 1;
}

/* Whether a refusal says that the transaction is there: as geth and Erigon, Nethermind, Besu have it. An "unknown
 * transaction type" is none of them. */
static bool is_known(view_t words)
{
    static const char *const all[] = { "already known", "alreadyknown", "known transaction" };
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++)
        for (size_t at = 0, n = strlen(all[k]); at + n <= words.n; at++)
            if ((!at || !isalpha(words.p[at - 1])) && !strncasecmp((const char *)words.p + at, all[k], n))
                return true;
    return false;
}

static rc_t send_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    ex_send_t *s = (ex_send_t *)(void *)q;
    if (i || answer->kind != NEED_SEND)
        return err_say(e, RC_BUG, "an answer to something that was not asked for");
    if (answer->refused && answer->again && is_known(answer->code)) {
        s->done = true; /* by us: the hash is that of what was sent */
        return RC_OK;
    }
    if (answer->refused) {
        (void)err_set(&s->refusal, RC_REFUSED, "%.*s", (int)answer->code.n, (const char *)answer->code.p);
        return RC_OK;
    }
    if (!hash32_eq(&answer->hash, &s->hash))
        return err_say(e, RC_REFUSED, "the hash is not the transaction's");
    s->done = true;
    return RC_OK;
}

static void send_free(query_t *q)
{
    free(q);
}

rc_t ex_send_new(query_t **out, err_t *e, view_t raw, const hash32_t *hash)
{
    static const query_ops_t ops = { send_step, send_needs, send_give, send_free, NULL };
    static const ex_block_t nowhere;
    ex_send_t *s = calloc(1, sizeof *s);
    if (!s)
        return err_say(e, RC_NOMEM, "out of memory");
    s->query.ops = &ops;
    s->hash = *hash;
    s->need = (need_t){ .kind = NEED_SEND, .origin = NEED_MET, .block = &nowhere, .raw = raw };
    *out = &s->query;
    return RC_OK;
}
