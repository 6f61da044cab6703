#include "node/p2p/muster.h"

#include <inttypes.h>
#include <stdio.h>

#define HTTPS "https://"

/* ---- where to dial ---- */

/* The host of an endpoint of a mode; n 0: it is none. */
static view_t host_of(view_t endpoint, const muster_ways_t *ways)
{
    const view_t none = view_str("");
    if (!members_is_endpoint(endpoint, ways->mode))
        return none;
    if (ways->mode == MEMBERS_WIREGUARD)
        return endpoint;
    if (ways->domain && !members_is_under(endpoint, view_str(ways->domain)))
        return none;
    const size_t from = sizeof HTTPS - 1;
    size_t end = from;
    while (end < endpoint.n && endpoint.p[end] != ':' && endpoint.p[end] != '/')
        end++;
    return view_of(endpoint.p + from, end - from);
}

/* Where a member is dialled. False: nowhere, in this mode. */
static bool place_of(config_peer_t *out, const members_row_t *m, const muster_ways_t *ways)
{
    char text[MEMBERS_ENDPOINT_MAX + sizeof ":65535"];
    err_t e;
    const view_t host = m->network == ways->mode ? host_of(m->endpoint, ways) : view_str("");
    const int len = snprintf(text, sizeof text, "%.*s:%u", (int)host.n, (const char *)host.p, ways->port);
    return host.n && !config_peer_read(out, &e, view_of(text, (size_t)len));
}

size_t muster_dials(config_peer_t out[MUSTER_DIAL_MAX], const members_roll_t *roll, uint64_t block_time_s,
                    const addr_t *self, const muster_ways_t *ways)
{
    size_t n = 0;
    for (size_t i = 0; i < roll->count && n < MUSTER_DIAL_MAX; i++) {
        const members_row_t *m = &roll->rows[i];
        if (members_is_heard(roll, m, block_time_s) && !(self && addr_eq(&m->wallet, self)))
            n += place_of(&out[n], m, ways);
    }
    return n;
}

/* ---- which cluster ---- */

static rc_t check_known(err_t *e, const muster_anchor_t *a)
{
    return a->is_known ? RC_OK : err_say(e, RC_NEED_DATA, "the contract's list of members has not been read");
}

rc_t muster_admits(err_t *e, const muster_anchor_t *a, bool is_listed, const uint8_t (*keys)[33], size_t n)
{
    const rc_t rc = check_known(e, a);
    if (rc)
        return rc;
    if (!a->has_key)
        return is_listed
                   ? RC_OK
                   : err_say(e, RC_REFUSED, "nobody of that cluster answers at an address of the contract's list");
    for (size_t i = 0; i < n; i++)
        if (memcmp(keys[i], a->key, sizeof a->key) == 0)
            return RC_OK;
    return err_say(e, RC_REFUSED, "the contract names another cluster's key");
}

rc_t muster_restores(err_t *e, const muster_anchor_t *a, const uint8_t generation[33], const uint8_t first[33])
{
    const rc_t rc = check_known(e, a);
    if (rc || !a->has_key)
        return rc;
    if (memcmp(generation, a->key, sizeof a->key) != 0 && memcmp(first, a->key, sizeof a->key) != 0)
        return err_say(e, RC_REFUSED,
                       "the contract names another key than the one that was kept: of a later generation, "
                       "or of another cluster");
    return RC_OK;
}

/* ---- who founds ---- */

/* Whether a member may found: it counts, and all others find it. */
static bool may_found(const muster_view_t *v, const members_row_t *m)
{
    config_peer_t place;
    return members_is_heard(v->roll, m, v->block_time_s) && place_of(&place, m, v->ways);
}

/* The member that is this node; NULL: none that may found. */
static const members_row_t *own_row(const muster_view_t *v)
{
    for (size_t i = 0; v->self && i < v->roll->count; i++)
        if (addr_eq(&v->roll->rows[i].wallet, v->self) && may_found(v, &v->roll->rows[i]))
            return &v->roll->rows[i];
    return NULL;
}

/* The smallest token that may found; 0: there is none. */
static uint64_t smallest(const muster_view_t *v)
{
    for (size_t i = 0; i < v->roll->count; i++)
        if (may_found(v, &v->roll->rows[i]))
            return v->roll->rows[i].token;
    return 0;
}

/* Why nobody founds a cluster now, whose turn it is; NULL: nothing is against it. */
static const char *what_keeps(const muster_view_t *v)
{
    if (v->roll->has_key)
        return "no member is in the cluster whose key the contract names";
    if (v->answers)
        return "an attested node holds a key: it is joined, or the owner names a cluster's key";
    if (v->roll->is_announced)
        return "the contract announces a cluster's key, and no member holds one";
    if (v->is_kept)
        return "no member is in the cluster that this node waits for";
    return smallest(v) ? NULL : "the contract lists no bound, active member";
}

/* Whether this node would found, but for the time. token: its own. */
static bool is_founder(uint64_t *token, err_t *why, const muster_view_t *v)
{
    if (!v->roll || (v->trouble && v->trouble->rc)) {
        (void)err_set(why, RC_NEED_DATA, "the contract's list of members cannot be read%s%.180s",
                      v->trouble ? ": " : " yet", v->trouble ? v->trouble->text : "");
        return false;
    }
    const char *keeps = what_keeps(v);
    const members_row_t *own = own_row(v);
    const uint64_t first = smallest(v);
    const bool is_ours = own && own->token == first;
    if (keeps)
        (void)err_say(why, RC_NEED_DATA, keeps);
    else if (!is_ours)
        (void)err_set(why, RC_NEED_DATA, "no member holds a key: token %" PRIu64 " founds the cluster%s", first,
                      own ? "" : ", and this node is no bound, active member of the contract");
    *token = first;
    return !keeps && is_ours;
}

muster_do_t muster_turn(muster_t *m, err_t *why, const muster_view_t *v)
{
    uint64_t token;
    const bool in_time = v->now_ms >= m->looked_ms && v->now_ms - m->looked_ms <= MUSTER_GAP_MS;
    const bool is = is_founder(&token, why, v);
    m->looked_ms = v->now_ms;
    if (!is) {
        m->is_quiet = false;
        return MUSTER_WAIT;
    }
    if (!m->is_quiet || !in_time || m->token != token)
        *m = (muster_t){ .is_quiet = true, .since_ms = v->now_ms, .looked_ms = v->now_ms, .token = token };
    const uint64_t quiet_ms = v->now_ms - m->since_ms;
    if (quiet_ms >= MUSTER_QUIET_MS) {
        (void)err_set(why, RC_OK, "no member has answered with a key for %u s: token %" PRIu64 " founds the cluster",
                      MUSTER_QUIET_MS / 1000, token);
        return MUSTER_FOUND;
    }
    (void)err_set(why, RC_NEED_DATA, "no member holds a key: this node, token %" PRIu64 ", founds the cluster in %u s",
                  token, (unsigned)((MUSTER_QUIET_MS - quiet_ms + 9999) / 10000 * 10)); /* a line in the log for each */
    return MUSTER_WAIT;
}
