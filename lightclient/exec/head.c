#include "lightclient/exec/head.h"

#include <stdlib.h>

#include "base/crypto/hash.h"

typedef struct {
    query_t query;    /* first: a pointer to it is one to the head */
    ex_block_t block; /* only its hash is known */
    ex_head_kind_t kind;
    need_t needs[2]; /* the header, its block access list */
    bool asked, done;
    bool wants_bytes; /* an answer had members that are not known, or not as many as a header has */
    bool unreadable;  /* the bytes with the hash are no header of a known form */
    ex_header_t header;
    uint8_t *changes; /* on the heap; NULL: not there */
    size_t changes_len;
} ex_head_t;

static const char NO_LIST[] = EX_HEAD_NO_LIST_TEXT;

static ex_head_t *head_of(query_t *q)
{
    return (ex_head_t *)(void *)q;
}

static const ex_head_t *const_head_of(const query_t *q)
{
    return (const ex_head_t *)(const void *)q;
}

static rc_t head_step(query_t *q, err_t *e)
{
    ex_head_t *h = head_of(q);
    if (h->done && (h->kind != EX_HEAD_WITH_CHANGES || h->changes))
        return RC_OK;
    if (h->done && ex_header_has_slot(&h->header))
        return err_code(e, err_say(e, RC_LIMIT, "no endpoint has the block access list"), EX_HEAD_LIST_PRUNED);
    if (h->done)
        return err_code(e, err_say(e, RC_LIMIT, NO_LIST), EX_HEAD_NO_LIST);
    if (h->unreadable)
        return err_say(e, RC_UNSUPPORTED, "the header with the proven hash is of a fork that this build does not know");
    if (h->asked)
        return err_say(e, RC_LIMIT, "no endpoint has the header");
    h->asked = true;
    return RC_NEED_DATA;
}

static size_t head_needs(const query_t *q, const need_t **out)
{
    const ex_head_t *h = const_head_of(q);
    *out = h->needs;
    return h->kind == EX_HEAD_AND_CHANGES || h->kind == EX_HEAD_WITH_CHANGES ? 2 : 1;
}

static rc_t give_header(ex_head_t *h, err_t *e, const answer_t *answer)
{
    if (!ex_header_check(&answer->header, &h->block.block_hash)) {
        h->header = answer->header;
        h->done = true;
        return RC_OK;
    }
    const unsigned fields = EX_HEADER_FIXED + answer->header.tail;
    h->wants_bytes |= answer->header_more || !ex_header_tail_known(answer->header.tail);
    if (!answer->header_more && !ex_header_tail_known(answer->header.tail))
        return err_set(e, RC_MALFORMED, "has %u fields, and no header has so many", fields);
    if (!answer->header_more)
        return err_set(e, RC_REFUSED, "its %u fields have another hash", fields);
    return err_say(e, RC_UNSUPPORTED, "its fields have another hash, and it has some that this build does not know");
}

static rc_t give_bytes(ex_head_t *h, err_t *e, view_t rlp)
{
    hash32_t hash;
    keccak256(&hash, rlp);
    if (!hash32_eq(&hash, &h->block.block_hash))
        return err_say(e, RC_REFUSED, "its bytes have another hash");
    h->done = ex_header_verify(&h->header, &hash, rlp) == RC_OK;
    h->unreadable = !h->done;
    return RC_OK;
}

/* The list, once the header is there: without its hash nobody can tell who is wrong. */
static rc_t give_changes(ex_head_t *h, err_t *e, view_t rlp)
{
    hash32_t hash;
    if (!h->done)
        return err_say(e, RC_IO, "its header is not here");
    if (!ex_header_has_slot(&h->header))
        return err_say(e, RC_IO, NO_LIST);
    keccak256(&hash, rlp);
    if (!hash32_eq(&hash, &h->header.block_access_list_hash))
        return err_say(e, RC_REFUSED, "it has another hash than its block's header says");
    if (h->changes)
        return RC_OK;
    h->changes = malloc(rlp.n + 1);
    if (!h->changes)
        return err_say(e, RC_NOMEM, "out of memory");
    memcpy(h->changes, rlp.p, rlp.n);
    h->changes_len = rlp.n;
    return RC_OK;
}

static rc_t head_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    ex_head_t *h = head_of(q);
    if (i > 1 || h->needs[i].kind != answer->kind)
        return err_say(e, RC_BUG, "an answer to something that was not asked for");
    if (i)
        return give_changes(h, e, answer->code);
    return answer->kind == NEED_HEAD ? give_header(h, e, answer) : give_bytes(h, e, answer->code);
}

static bool head_expects(query_t *q, expected_t *out, size_t i)
{
    const ex_head_t *h = head_of(q);
    *out = (expected_t){ .hash = i ? h->header.block_access_list_hash : h->block.block_hash };
    return !i || h->done;
}

static void head_free(query_t *q)
{
    ex_head_t *h = head_of(q);
    free(h->changes);
    free(h);
}

rc_t ex_head_new(query_t **out, err_t *e, const hash32_t *hash, ex_head_kind_t kind)
{
    static const query_ops_t ops = { head_step, head_needs, head_give, head_free, head_expects, NULL };
    ex_head_t *h = calloc(1, sizeof *h);
    if (!h)
        return err_say(e, RC_NOMEM, "out of memory");
    h->query.ops = &ops;
    h->block.block_hash = *hash;
    h->kind = kind;
    h->needs[0] = (need_t){ .kind = kind == EX_HEAD_BYTES ? NEED_HEAD_BYTES : NEED_HEAD, .block = &h->block };
    h->needs[0].origin = NEED_MET;
    h->needs[1] = (need_t){ .kind = NEED_CHANGES, .block = &h->block };
    h->needs[1].origin = kind == EX_HEAD_WITH_CHANGES ? NEED_NAMED : NEED_GUESSED;
    *out = &h->query;
    return RC_OK;
}

const ex_header_t *ex_head_result(const query_t *q)
{
    const ex_head_t *h = const_head_of(q);
    return h->done ? &h->header : NULL;
}

view_t ex_head_changes(const query_t *q)
{
    const ex_head_t *h = const_head_of(q);
    return view_of(h->changes, h->changes_len);
}

bool ex_head_wants_bytes(const query_t *q)
{
    return const_head_of(q)->wants_bytes;
}
