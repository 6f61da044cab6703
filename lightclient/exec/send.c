#include "lightclient/exec/send.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

typedef struct {
    query_t query; /* first: a pointer to it is one to the send */
    hash32_t hash;
    need_t need;
    bool asked, done;
    bool refused, known; /* by one endpoint; as one that it has already */
    bool ended;          /* so did another one, or nobody else answers */
    err_t refusal;       /* the first */
} ex_send_t;

static rc_t send_step(query_t *q, err_t *e)
{
    ex_send_t *s = (ex_send_t *)(void *)q;
    if (s->done)
        return RC_OK;
    if (s->ended)
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

/* One endpoint's word against a transaction is not the network's: another one is asked as well. */
static rc_t give_refusal(ex_send_t *s, err_t *e, const answer_t *answer)
{
    const bool known = is_known(answer->code);
    if (answer->again && known && !s->known) {
        s->done = true; /* by us: the hash is that of what was sent */
        return RC_OK;
    }
    s->ended = s->refused;
    if (s->ended)
        return RC_OK;
    s->refused = true;
    s->known = known;
    (void)err_set(&s->refusal, RC_REFUSED, "%.*s", (int)answer->code.n, (const char *)answer->code.p);
    return err_code(e, err_say(e, RC_NEED_DATA, "it refuses the transaction"), QUERY_LACKS);
}

static rc_t send_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    ex_send_t *s = (ex_send_t *)(void *)q;
    if (i || answer->kind != NEED_SEND)
        return err_say(e, RC_BUG, "an answer to something that was not asked for");
    s->ended = answer->absent && s->refused;
    if (s->ended)
        return RC_OK;
    if (answer->refused)
        return give_refusal(s, e, answer);
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
    static const query_ops_t ops = { send_step, send_needs, send_give, send_free, NULL, NULL };
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
