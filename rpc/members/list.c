#include "rpc/members/list.h"

uint64_t members_number(rd_t *r, unsigned n)
{
    const view_t high = rd_take(r, MEMBERS_WORD - n);
    for (size_t i = 0; i < high.n; i++)
        r->bad = r->bad || high.p[i] != 0;
    return rd_be(r, n);
}

view_t members_bytes(rd_t *r)
{
    const uint64_t n = members_number(r, 4);
    const view_t text = rd_take(r, n);
    const view_t padding = rd_take(r, (MEMBERS_WORD - n % MEMBERS_WORD) % MEMBERS_WORD);
    for (size_t i = 0; i < padding.n; i++)
        r->bad = r->bad || padding.p[i] != 0;
    return text;
}

rc_t members_list(members_list_t *out, err_t *e, view_t returned, const char *malformed)
{
    if (returned.n > MEMBERS_LEN_MAX)
        return err_set(e, RC_LIMIT, "the list has more than %u bytes", MEMBERS_LEN_MAX);
    rd_t r = rd_of(returned);
    const uint64_t offset = members_number(&r, 4), count = members_number(&r, 4);
    if (!r.bad && count > MEMBERS_MAX)
        return err_set(e, RC_LIMIT, "the list has more than %u entries", MEMBERS_MAX);
    const rd_t heads = rd_of(rd_take(&r, (size_t)count * MEMBERS_WORD));
    if (r.bad || offset != MEMBERS_WORD)
        return err_say(e, RC_MALFORMED, malformed);
    /* Heads count from the first of them. */
    *out = (members_list_t){ .r = r, .count = (size_t)count, .heads = heads, .body = r.n + heads.n };
    return RC_OK;
}

bool members_list_is_here(members_list_t *l)
{
    return members_number(&l->heads, 4) == l->body - l->r.n && !l->heads.bad;
}

rc_t members_list_end(const members_list_t *l, err_t *e)
{
    return rd_done(&l->r) ? RC_OK : err_say(e, RC_MALFORMED, "there are bytes behind the list");
}
