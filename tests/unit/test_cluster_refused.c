/* Whether no peer lets this node join, from what is shown of members, addresses and refusals. */
#include <stdio.h>

#include "node/cluster/parts.h"
#include "tests/unit/unit.h"

static cluster_t *c;

static peerid_t peer(uint8_t nth)
{
    return (peerid_t){ .n = 1, .b = { nth } };
}

/* A configured peer at 127.0.0.n that closed with this code. */
static void refuses(uint8_t nth, unsigned bye)
{
    peers_row_t *row = &c->addresses[c->address_count++].row;
    join_refusal_t *r = &c->refusals[c->refusal_count++];
    *row = (peers_row_t){ .source = PEERS_CONFIGURED, .peer = peer(nth), .failures = 1 };
    row->way = (maddr_t){ .host = MADDR_IP4, .transport = MADDR_TCP, .ip = { 127, 0, 0, nth }, .port = 4001 };
    *r = (join_refusal_t){ .peer = peer(nth), .bye = bye };
    (void)err_say(&r->why, RC_REFUSED, "attestation failed");
}

/* A member of the cluster of this key. */
static shown_member_t *member(uint8_t nth, join_phase_t phase, uint8_t key)
{
    shown_member_t *m = &c->members[c->member_count++];
    *m = (shown_member_t){ .peer = peer(nth), .phase = phase, .holds = key != 0, .cluster = { key } };
    return m;
}

static bool is_refused(const char *why)
{
    err_t e;
    const bool refused = cluster_is_refused(c, &e);
    ck_assert_msg(!refused || !strcmp(e.text, why), "%s", e.text);
    return refused;
}

#define BY_1 "no peer lets this node join: /ip4/127.0.0.1/tcp/4001: attestation failed"

static void setup(void)
{
    c = calloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
}

static void teardown(void)
{
    pthread_mutex_destroy(&c->lock);
    free(c);
}

START_TEST(every_configured_peer_has_to_refuse)
{
    ck_assert(!is_refused(""));
    refuses(1, NET_BYE_ATTEST);
    ck_assert(is_refused(BY_1));
    member(1, JOIN_ATTESTING, 0); /* it is dialled again */
    ck_assert(is_refused(BY_1));
    refuses(2, NET_BYE_POLICY);
    refuses(3, NET_BYE_WRONG_CHAIN);
    ck_assert(is_refused(BY_1));
    c->addresses[c->address_count++].row = (peers_row_t){ .source = PEERS_LEARNED };
    c->addresses[c->address_count++].row = (peers_row_t){ .source = PEERS_CONFIGURED, .self = true };
    ck_assert(is_refused(BY_1));
    c->addresses[c->address_count++].row = (peers_row_t){ .source = PEERS_CONFIGURED }; /* never tried */
    ck_assert(!is_refused(""));
}
END_TEST

START_TEST(who_is_dead_or_full_or_slow_does_not_refuse)
{
    static const unsigned byes[] = { NET_BYE,          NET_BYE_DUPLICATE, NET_BYE_SLOTS_FULL,   NET_BYE_BANNED,
                                     NET_BYE_SHUTDOWN, NET_BYE_PROTOCOL,  NET_BYE_REATTEST_DUE, NET_BYE_SELF };
    refuses(1, NET_BYE_ATTEST);
    c->addresses[0].row.failures = 2; /* and then nobody answered */
    ck_assert(!is_refused(""));
    c->addresses[0].row.failures = 0;
    ck_assert(is_refused(BY_1));
    c->refusals[0].why.rc = RC_TIMEOUT;
    ck_assert(!is_refused(""));
    c->refusals[0].why.rc = RC_REFUSED;
    for (size_t i = 0; i < sizeof byes / sizeof byes[0]; i++) {
        c->refusals[0].bye = byes[i];
        ck_assert_msg(!is_refused(""), "%u", byes[i]);
    }
}
END_TEST

START_TEST(who_runs_another_order_is_no_hope)
{
    refuses(1, NET_BYE_SHUTDOWN);
    shown_member_t *m = member(1, JOIN_ATTESTED, 0);
    snprintf(m->trouble, sizeof m->trouble, "the peer runs another order");
    ck_assert(!is_refused("")); /* it has told nothing yet */
    m->has_state = true;
    ck_assert(is_refused("no peer lets this node join: /ip4/127.0.0.1/tcp/4001: the peer runs another order"));
    m->phase = JOIN_PEER;
    ck_assert(!is_refused(""));
}
END_TEST

START_TEST(a_member_is_hope_unless_its_cluster_was_turned_down)
{
    refuses(1, NET_BYE_ATTEST);
    shown_member_t *m = member(9, JOIN_ATTESTED, 0); /* it dialled us */
    ck_assert(!is_refused(""));
    m->phase = JOIN_PEER;
    ck_assert(!is_refused(""));
    m->holds = true;
    m->cluster[0] = 7;
    ck_assert(!is_refused(""));
    err_t why;
    const uint8_t key[33] = { 7 };
    (void)err_say(&why, RC_REFUSED, "other network");
    cluster_turn_down(c, key, &why);
    ck_assert(is_refused(BY_1));
    m->peer = peer(1); /* the configured one itself: it was let in, and is of another cluster */
    ck_assert(is_refused("no peer lets this node join: /ip4/127.0.0.1/tcp/4001: other network"));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("cluster_refused", setup, teardown, every_configured_peer_has_to_refuse,
                           who_is_dead_or_full_or_slow_does_not_refuse, who_runs_another_order_is_no_hope,
                           a_member_is_hope_unless_its_cluster_was_turned_down);
}
