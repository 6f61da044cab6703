/* Points, bans and their end, on a clock of the test. */
#include "overlay/bans.h"
#include "tee/fault.h"
#include "tests/unit/net_pair.h"

#define MINUTE 60000u

static bans_t bans;

static peerid_t peer(unsigned i)
{
    peerid_t id = { .n = 37 };
    memcpy(id.b, &i, sizeof i);
    return id;
}

static bool fault(unsigned who, const char *from, bans_fault_t f, uint64_t now_ms)
{
    const peerid_t id = peer(who);
    const maddr_t at = maddr(from);
    return bans_note(&bans, &id, &at, true, f, now_ms);
}

static bool is_banned(unsigned who, const char *from, uint64_t now_ms)
{
    const peerid_t id = peer(who);
    const maddr_t at = maddr(from);
    return bans_find(&bans, &id, &at, now_ms) != NULL;
}

START_TEST(forged_evidence_is_ten_minutes_and_doubles_up_to_three_hours)
{
    static const unsigned minutes[] = { 10, 20, 40, 80, 160, 180, 180 };
    uint64_t now = 5;
    bans = (bans_t){ .count = 0 };
    for (size_t i = 0; i < sizeof minutes / sizeof minutes[0]; i++) {
        ck_assert(!is_banned(1, "/ip4/192.0.2.1/tcp/1", now));
        ck_assert(fault(1, i % 2 ? "/ip4/192.0.2.1/tcp/1" : "/ip4/192.0.2.7/tcp/1", BANS_EVIDENCE, now));
        ck_assert(is_banned(1, "/ip4/192.0.2.99/tcp/7", now)); /* wherever it comes from */
        now += (uint64_t)minutes[i] * MINUTE;
        ck_assert_msg(is_banned(1, "/ip4/192.0.2.99/tcp/7", now - 1), "ban %zu ended early", i);
        ck_assert_msg(!is_banned(1, "/ip4/192.0.2.99/tcp/7", now), "ban %zu does not end", i);
    }
}
END_TEST

START_TEST(breaking_a_protocol_is_three_hours)
{
    bans = (bans_t){ .count = 0 };
    ck_assert(fault(1, "/ip4/192.0.2.1/tcp/1", BANS_PROTOCOL, 0));
    ck_assert(is_banned(1, "/ip4/192.0.2.1/tcp/1", BANS_LONGEST_MS - 1));
    ck_assert(!is_banned(1, "/ip4/192.0.2.1/tcp/1", BANS_LONGEST_MS));
    ck_assert(!is_banned(2, "/ip4/192.0.2.1/tcp/1", 0)); /* one of an address is not all of it */
}
END_TEST

START_TEST(points_fade)
{
    bans = (bans_t){ .count = 0 };
    for (unsigned i = 0; i < 20; i++) /* 25 points each 3 minutes, of which 30 fade */
        ck_assert(!fault(1, "/ip4/192.0.2.1/tcp/1", BANS_SLOW, i * 3 * MINUTE));
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(fault(2, "/ip4/192.0.2.2/tcp/1", BANS_SLOW, 100 * MINUTE), i == 3);
}
END_TEST

START_TEST(ids_are_cheap_so_that_an_address_has_points_too)
{
    bans = (bans_t){ .count = 0 };
    for (unsigned i = 0; i < 4; i++) {
        ck_assert(!is_banned(99, "/ip4/192.0.2.1/tcp/5", 0));
        ck_assert(fault(i, "/ip4/192.0.2.1/tcp/1", BANS_EVIDENCE, 0));
    }
    ck_assert(is_banned(99, "/ip4/192.0.2.1/tcp/5", 0)); /* which nobody knows */
    const maddr_t at = maddr("/ip4/192.0.2.1/udp/9/quic-v1");
    ck_assert(bans_find(&bans, NULL, &at, 0)); /* before it says who it is */
    ck_assert(!is_banned(99, "/ip4/192.0.2.2/tcp/5", 0));
    ck_assert(!is_banned(99, "/ip6/c000:201::/tcp/5", 0)); /* the same bytes of another kind */
}
END_TEST

START_TEST(an_address_that_the_operator_named_is_not_banned)
{
    bans = (bans_t){ .count = 0 };
    const maddr_t at = maddr("/ip4/192.0.2.1/tcp/5");
    for (unsigned i = 0; i < 50; i++) {
        const peerid_t id = peer(i);
        ck_assert(bans_note(&bans, &id, &at, false, BANS_PROTOCOL, 0));
    }
    ck_assert(!is_banned(99, "/ip4/192.0.2.1/tcp/5", 0));
}
END_TEST

START_TEST(the_table_is_bounded_and_bans_stay_longest_in_it)
{
    bans = (bans_t){ .count = 0 };
    ck_assert(fault(1, "/ip4/192.0.2.1/tcp/1", BANS_PROTOCOL, 0));
    for (unsigned i = 0; i < 10 * BANS_MAX; i++) {
        char from[64];
        snprintf(from, sizeof from, "/ip4/10.%u.%u.1/tcp/1", i / 250, i % 250);
        (void)fault(100 + i, from, BANS_FLOOD, 1);
    }
    ck_assert_uint_eq(bans.count, BANS_MAX);
    ck_assert(is_banned(1, "/ip4/192.0.2.9/tcp/1", 1));
}
END_TEST

START_TEST(a_ban_goes_on_after_a_restart_but_not_longer_than_any)
{
    bans = (bans_t){ .count = 0 };
    const ban_t kept = { .peer = peer(7), .times = 1, .fault = BANS_EVIDENCE };
    const ban_t forged = { .peer = peer(8), .times = 1, .fault = BANS_EVIDENCE };
    bans_restore(&bans, &kept, 5000, 1000);
    bans_restore(&bans, &forged, UINT64_MAX - 5000, 1000);
    ck_assert(is_banned(7, "/ip4/192.0.2.1/tcp/1", 5999) && !is_banned(7, "/ip4/192.0.2.1/tcp/1", 6000));
    ck_assert(is_banned(8, "/ip4/192.0.2.1/tcp/1", BANS_LONGEST_MS + 999));
    ck_assert(!is_banned(8, "/ip4/192.0.2.1/tcp/1", BANS_LONGEST_MS + 1000));
    ck_assert(fault(7, "/ip4/192.0.2.1/tcp/1", BANS_EVIDENCE, 10000)); /* the second: twice as long */
    ck_assert(is_banned(7, "/ip4/192.0.2.1/tcp/1", 10000 + 2 * BANS_FIRST_MS - 1));
}
END_TEST

START_TEST(only_what_cannot_be_mended_is_a_fault)
{
    static const struct {
        unsigned bye;
        uint16_t code;
        rc_t rc;
        int fault; /* -1: none */
    } rows[] = {
        { NET_BYE_ATTEST, E_REPORTDATA, RC_REFUSED, BANS_EVIDENCE },
        { NET_BYE_ATTEST, E_QUOTE_SIG, RC_REFUSED, BANS_EVIDENCE },
        { NET_BYE_ATTEST, E_REFLECTION, RC_REFUSED, BANS_EVIDENCE },
        { NET_BYE_ATTEST, E_DEADLINE, RC_TIMEOUT, BANS_SLOW },
        { NET_BYE_ATTEST, E_MEASUREMENT, RC_REFUSED, -1 },
        { NET_BYE_ATTEST, E_TCB_STATUS, RC_REFUSED, -1 },
        { NET_BYE_ATTEST, E_SIMULATED, RC_REFUSED, -1 },
        { NET_BYE_ATTEST, E_CLUSTER, RC_REFUSED, -1 },
        { NET_BYE_WRONG_CHAIN, E_CHAIN_ID, RC_REFUSED, -1 },
        { NET_BYE_WRONG_CHAIN, E_GENESIS, RC_REFUSED, -1 },
        { NET_BYE_ATTEST, 0, RC_REFUSED, -1 }, /* it ended the attestation: it does not want us */
        { NET_BYE_ATTEST, E_NOMEM, RC_NOMEM, -1 },
        { NET_BYE_POLICY, E_MEASUREMENT, RC_REFUSED, -1 },
        { NET_BYE_REATTEST_DUE, 0, RC_REFUSED, -1 },
        { NET_BYE_PROTOCOL, 0, RC_MALFORMED, BANS_PROTOCOL },
        { NET_BYE_PROTOCOL, 0, RC_LIMIT, BANS_FLOOD },
        { NET_BYE_PROTOCOL, 0, RC_TIMEOUT, -1 },
        { NET_BYE_PROTOCOL, 0, RC_NOMEM, -1 },
        { NET_BYE, 0, RC_NOMEM, -1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const err_t why = { .rc = rows[i].rc, .code = rows[i].code };
        bans_fault_t fault;
        const bool is_fault = bans_fault_of(&fault, rows[i].bye, &why);
        ck_assert_msg(is_fault == (rows[i].fault >= 0) && (!is_fault || (int)fault == rows[i].fault), "row %zu", i);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("bans", forged_evidence_is_ten_minutes_and_doubles_up_to_three_hours,
                    breaking_a_protocol_is_three_hours, points_fade, ids_are_cheap_so_that_an_address_has_points_too,
                    an_address_that_the_operator_named_is_not_banned, the_table_is_bounded_and_bans_stay_longest_in_it,
                    a_ban_goes_on_after_a_restart_but_not_longer_than_any, only_what_cannot_be_mended_is_a_fault);
}
