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

/* Members of offer 0, who name a root (its first byte) at a slot; 0: none. */
static const cluster_offer_t *named(const uint8_t (*rows)[2], size_t n)
{
    static uint8_t keys[8][33];
    static state_t states[8];
    join_member_t list[8];
    size_t offers[8];
    for (size_t i = 0; i < n; i++) {
        keys[i][0] = (uint8_t)(i + 1);
        states[i] = (state_t){ .finalized = { rows[i][0] != 0, rows[i][1], { { rows[i][0] } }, { NULL, 0 } } };
        list[i] = (join_member_t){ .static_key = keys[i], .state = &states[i] };
        offers[i] = 0;
    }
    c->offer_count = 1;
    c->offers[0] = (cluster_offer_t){ .has_root = false };
    c->offer_contradicts[0] = false;
    report_roots(c, list, offers, n, 100);
    return &c->offers[0];
}

START_TEST(two_members_that_name_one_root_outweigh_one)
{
    static const struct {
        uint8_t rows[4][2];
        size_t n;
        uint8_t root, by; /* root 0: none */
        bool contradicts;
    } rows[] = { { { { 7, 64 } }, 1, 7, 1, false },
                 { { { 7, 64 }, { 8, 96 } }, 2, 8, 2, false },
                 { { { 8, 96 }, { 7, 64 } }, 2, 8, 1, false },
                 { { { 7, 64 }, { 8, 64 } }, 2, 7, 1, true },
                 { { { 8, 64 }, { 7, 64 }, { 7, 64 } }, 3, 7, 2, false },
                 { { { 7, 64 }, { 7, 64 }, { 8, 96 } }, 3, 7, 1, false },
                 { { { 8, 96 }, { 7, 64 }, { 7, 64 } }, 3, 7, 2, false },
                 { { { 7, 64 }, { 7, 64 }, { 8, 64 }, { 8, 64 } }, 4, 7, 1, true },
                 { { { 7, 64 }, { 9, 102 } }, 2, 7, 1, false }, /* nobody is there yet */
                 { { { 0, 64 }, { 9, 102 } }, 2, 0, 0, false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const cluster_offer_t *o = named(rows[i].rows, rows[i].n);
        ck_assert_msg(o->has_root == (rows[i].root != 0) && o->root.b[0] == rows[i].root && o->by[0] == rows[i].by,
                      "row %zu: %u by %u", i, o->root.b[0], o->by[0]);
        ck_assert_msg(c->offer_contradicts[0] == rows[i].contradicts, "row %zu", i);
    }
}
END_TEST

START_TEST(who_misled_us_is_passed_over_until_all_did)
{
    static const uint8_t rows[3][2] = { { 7, 64 }, { 9, 96 }, { 8, 32 } };
    static const uint8_t order[] = { 2, 1, 3, 2, 1 };
    for (size_t i = 0; i < sizeof order; i++) {
        const cluster_offer_t *o = named(rows, 3);
        ck_assert_msg(o->has_root && o->by[0] == order[i], "%zu: %u", i, o->by[0]);
        cluster_misled(c, o);
        cluster_misled(c, o); /* once */
    }
    ck_assert_uint_eq(c->misled_count, 2);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("cluster_refused", setup, teardown, every_configured_peer_has_to_refuse,
                           who_is_dead_or_full_or_slow_does_not_refuse, who_runs_another_order_is_no_hope,
                           a_member_is_hope_unless_its_cluster_was_turned_down,
                           two_members_that_name_one_root_outweigh_one, who_misled_us_is_passed_over_until_all_did);
}
