#include "rpc/members/members.h"

#include <inttypes.h>

#include "rpc/members/gateway.h"

static const uint8_t GET_PEER_ENDPOINTS[4] = { 0x2d, 0x5f, 0x27, 0x86 };

rc_t members_query(query_t **out, err_t *e, members_call_t *storage, const ex_call_config_t *on, const addr_t *contract)
{
    storage->request = (ex_request_t){ .has_to = true,
                                       .to = *contract,
                                       .data = view_of(GET_PEER_ENDPOINTS, sizeof GET_PEER_ENDPOINTS) };
    storage->call = *on;
    storage->call.request = &storage->request;
    storage->call.program = NULL;
    return ex_call_new(out, e, &storage->call);
}

rc_t members_read(members_t *out, err_t *e, arena_t *a, const query_t *done, members_mode_t mode)
{
    const evm_result_t *r = ex_call_result(done);
    if (!r)
        return err_say(e, RC_BUG, "the members' query has no result");
    if (r->status != EVM_SUCCESS)
        return err_in(e, RC_REFUSED, "membership.contract", "getPeerEndpoints() fails");
    if (r->output.n == 0)
        return err_in(e, RC_REFUSED, "membership.contract", "there is no contract with getPeerEndpoints()");
    if (r->output.n > MEMBERS_LEN_MAX)
        return err_in(e, RC_LIMIT, "membership.contract", "the list has more than %u bytes", MEMBERS_LEN_MAX);
    const view_t copy = arena_dup(a, r->output);
    if (!copy.p)
        return err_say(e, RC_NOMEM, "out of memory");
    return err_under(e, members_decode(out, e, a, copy, mode), "membership.contract");
}

rc_t members_decode(members_t *out, err_t *e, arena_t *a, view_t returned, members_mode_t mode)
{
    members_t got = { NULL, 0, 0 };
    members_list_t l;
    rc_t rc = members_list(&l, e, returned, "what getPeerEndpoints() returned is no list of texts");
    if (rc)
        return rc;
    view_t *list = arena_calloc(a, l.count ? l.count : 1, sizeof *list);
    if (!list)
        return err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = 0; i < l.count; i++) {
        const bool here = members_list_is_here(&l);
        const view_t text = members_bytes(&l.r);
        if (!here || l.r.bad)
            return err_set(e, RC_MALFORMED, "entry %zu of the list is no text where it should be", i);
        if (members_is_endpoint(text, mode))
            list[got.count++] = text;
        else
            got.left_out++;
    }
    rc = members_list_end(&l, e);
    if (rc)
        return rc;
    got.endpoints = list;
    *out = got;
    return RC_OK;
}

/* 1 to max in decimal without leading zeros. */
static bool is_number(view_t v, unsigned max)
{
    unsigned x = 0;
    if (v.n == 0 || v.n > 5 || v.p[0] == '0')
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < '0' || v.p[i] > '9')
            return false;
        x = 10 * x + (unsigned)(v.p[i] - '0');
    }
    return x <= max;
}

static bool take_prefix(view_t *v, const char *prefix)
{
    const view_t p = view_str(prefix);
    if (v->n < p.n || memcmp(v->p, p.p, p.n) != 0)
        return false;
    *v = view_of(v->p + p.n, v->n - p.n);
    return true;
}

static bool is_url(view_t v)
{
    if (!take_prefix(&v, "https://"))
        return false;
    if (v.n && v.p[v.n - 1] == '/')
        v.n--;
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] == ':')
            return gateway_is_domain(view_of(v.p, i)) && is_number(view_of(v.p + i + 1, v.n - i - 1), UINT16_MAX);
    return gateway_is_domain(v);
}

bool members_is_endpoint(view_t text, members_mode_t mode)
{
    if (text.n > MEMBERS_ENDPOINT_MAX)
        return false;
    if (mode == MEMBERS_TLS)
        return is_url(text);
    return take_prefix(&text, "10.0.1.") && is_number(text, 254);
}

bool members_is_under(view_t text, view_t domain)
{
    size_t n = 0;
    if (!take_prefix(&text, "https://"))
        return false;
    while (n < text.n && text.p[n] != '.')
        n++;
    if (n == text.n || text.n - n - 1 < domain.n || memcmp(text.p + n + 1, domain.p, domain.n) != 0)
        return false;
    n += 1 + domain.n;
    return n == text.n || text.p[n] == ':' || text.p[n] == '/';
}

void members_keep_under(members_t *m, view_t domain)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->count; i++)
        if (members_is_under(m->endpoints[i], domain))
            m->endpoints[kept++] = m->endpoints[i];
    m->left_out += m->count - kept;
    m->count = kept;
}

rc_t members_check_age(err_t *e, uint64_t block_time_s, uint64_t now_s, uint64_t max_age_s)
{
    const uint64_t age = now_s > block_time_s ? now_s - block_time_s : 0;
    if (age > max_age_s)
        return err_in(e, RC_TIMEOUT, "membership.max_age_s",
                      "the members' list is %" PRIu64 " s old, more than %" PRIu64, age, max_age_s);
    return RC_OK;
}
