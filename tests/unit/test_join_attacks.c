/* What a peer may try on a connection that is being attested, or is: each protocol's stream is opened by hand. */
#include <malloc.h>

#include "overlay/bans.h"
#include "overlay/flood_wire.h"
#include "tests/unit/join_world.h"

static member_t founder, joiner;
static const hash32_t setup_hash = { { 0x77 } };
static unsigned closed;
static rc_t closed_rc;

static void raw_data(void *ctx, net_stream_t *s, view_t bytes)
{
    (void)ctx;
    net_consumed(s, bytes.n);
}

static void raw_closed(void *ctx, net_stream_t *s, rc_t why)
{
    (void)ctx, (void)s;
    closed++;
    closed_rc = why;
}

/* Opens a stream of a protocol by hand, says what is to be said. */
static void say(net_conn_t *c, const char *name, view_t bytes)
{
    static net_protocol_t p;
    net_stream_t *s;
    p = (net_protocol_t){ .name = name, .data = raw_data, .closed = raw_closed };
    closed = 0;
    closed_rc = RC_OK;
    ck_assert_int_eq(net_open(c, &s, &p, NULL), RC_OK);
    ck_assert_int_eq(net_write(s, bytes), RC_OK);
}

static void begin(void)
{
    err_t e;
    members_open(1, &fair_net);
    member_new(&founder, "founder");
    member_new(&joiner, "joiner");
    member_start(&founder);
    member_start(&joiner);
    ck_assert_int_eq(join_found(founder.join, &e, &setup_hash), RC_OK);
}

START_TEST(a_second_attestation_on_a_connection_is_not_served)
{
    begin();
    net_conn_t *c = dial_member(&joiner, 1);
    for (int attested = 0; attested < 2; attested++) {
        run_members(attested ? 300 : 40);
        ck_assert_int_eq(only_member(&founder).phase, attested ? JOIN_PEER : JOIN_ATTESTING);
        say(c, JOIN_ATTEST_PROTOCOL, view_str("TAH2"));
        run_members(100);
        /* named while the first is on its way, it is reset when it comes */
        ck_assert_msg(closed == 1 && (closed_rc == RC_UNSUPPORTED || (!attested && closed_rc == RC_REFUSED)), "%u, %s",
                      closed, rc_name(closed_rc));
    }
    ck_assert(only_member(&founder).phase == JOIN_PEER && founder.closed == 0);
    members_close();
}
END_TEST

/* A well-formed share of the founder's own generation, whose sealing is of nobody. */
static size_t make_share(uint8_t *out, size_t cap)
{
    uint8_t entry[ENTRY_MAX];
    wr_t w = wr_of(out, cap), part = wr_of(entry, sizeof entry);
    keyshare_t m = { .status = KEYSHARE_OK };
    entry_write(&part, join_first(founder.join));
    m.entry = wr_view(&part);
    memset(m.sealed, 0x5e, sizeof m.sealed);
    m.ephemeral[0] = 9;
    keyshare_write(&w, &m);
    pb_delimit(&w, 0);
    ck_assert(!w.bad);
    return w.n;
}

START_TEST(a_share_that_nobody_asked_for_is_not_taken)
{
    uint8_t share[4096];
    for (int attested = 0; attested < 2; attested++) {
        for (int wants = 0; wants < 2; wants++) {
            err_t e;
            uint8_t pub[33];
            begin();
            const size_t n = make_share(share, sizeof share);
            net_conn_t *c = dial_member(&founder, 2);
            founder.deaf = wants; /* so that it answers no request itself */
            run_members(attested && !wants ? 300 : 25);
            keyring_pubkey(founder.ring, pub);
            if (wants)
                ck_assert_int_eq(join_want(joiner.join, &e, pub), RC_OK);
            if (net_is_open(c))
                say(c, KEYSHARE_PROTOCOL, view_of(share, n));
            run_members(500);
            ck_assert(!holds_key(&joiner) && joiner.keyed == 0 && founder.released == 0);
            members_close();
        }
    }
}
END_TEST

START_TEST(who_leaves_in_the_middle_of_a_share_leaves_nothing)
{
    for (unsigned ms = 0; ms <= 60; ms += 5) {
        err_t e;
        uint8_t pub[33];
        begin();
        net_conn_t *c = dial_member(&joiner, 1);
        run_members(300);
        keyring_pubkey(founder.ring, pub);
        ck_assert_int_eq(join_want(joiner.join, &e, pub), RC_OK);
        run_members(ms);
        const bool had = holds_key(&joiner);
        net_close(c, NET_BYE, "gone");
        run_members(300);
        ck_assert_msg(holds_key(&joiner) == had, "%u", ms);
        ck_assert_uint_eq(join_members(founder.join, &(join_member_t){ 0 }, 1), 0);
        (void)dial_member(&joiner, 1);
        run_members(1500);
        ck_assert_msg(holds_key(&joiner) && joiner.keyed == 1, "%u", ms);
        members_close();
    }
}
END_TEST

/* The request is given up while the peer is judged: nothing was sent, so nothing was given. */
START_TEST(a_key_that_was_granted_and_not_sent_is_given_when_it_is_asked_for_again)
{
    err_t e;
    uint8_t pub[33];
    begin();
    (void)dial_member(&joiner, 1);
    run_members(300);
    keyring_pubkey(founder.ring, pub);
    founder.deaf = true;
    ck_assert_int_eq(join_want(joiner.join, &e, pub), RC_OK);
    run_members(JOIN_REQUEST_MS + 100);
    founder.deaf = false;
    run_members(100);
    ck_assert(!holds_key(&joiner) && founder.released == 0);
    run_members(3000);
    ck_assert(holds_key(&joiner) && founder.released == 1 && founder.closed == 0);
    members_close();
}
END_TEST

/* Bytes behind the end of the attestation, on its own stream or as a state too long, end the connection. */
START_TEST(what_breaks_a_protocol_ends_the_connection)
{
    static const struct {
        const char *protocol;
        uint8_t bytes[8];
        size_t n;
    } rows[] = {
        { STATE_PROTOCOL, { 0xff, 0xff, 0xff, 0x7f }, 4 },    { STATE_PROTOCOL, { 0x01, 0x00 }, 2 },
        { KEYSHARE_PROTOCOL, { 0xff, 0xff, 0xff, 0x7f }, 4 }, { KEYSHARE_PROTOCOL, { 0x02, 0x0a, 0x00 }, 3 },
        { FLOOD_PROTOCOL, { 0xff, 0xff, 0xff, 0x7f }, 4 },    { FLOOD_PROTOCOL, { 0x02, 0x0a, 0x00 }, 3 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin();
        net_conn_t *c = dial_member(&joiner, 1);
        run_members(300);
        say(c, rows[i].protocol, view_of(rows[i].bytes, rows[i].n));
        run_members(200);
        /* the state's stream is open already: a second one is reset, and that is all */
        const bool ends = strcmp(rows[i].protocol, STATE_PROTOCOL) != 0;
        ck_assert_msg(joiner.closed == ends || closed == 1, "%zu: %u", i, joiner.closed);
        if (joiner.closed)
            ck_assert_uint_eq(joiner.bye, NET_BYE_PROTOCOL);
        members_close();
    }
}
END_TEST

static net_stream_t *flooding;

/* Sends a message of the joiner to all so many times. */
static void flood(uint64_t seq, unsigned times)
{
    static uint8_t bytes[1024];
    hash32_t id;
    flood_message_t m = { .kind = FLOOD_APPLICATION, .seq = seq, .payload = view_str("x") };
    const flood_out_t out = { .kind = FLOOD_SEND, .message = &m };
    wr_t w = wr_of(bytes, sizeof bytes);
    memcpy(m.author, joiner.id.who.key.b, sizeof m.author);
    flood_id(&id, &m);
    ck_assert_int_eq(member_sign(&joiner, m.signature, &id), RC_OK);
    flood_frame_write(&w, &out);
    pb_delimit(&w, 0);
    for (unsigned i = 0; i < times && !joiner.closed; i++) {
        ck_assert_int_eq(net_write(flooding, wr_view(&w)), RC_OK);
        if (i % 64 == 63)
            run_members(15);
    }
}

START_TEST(who_floods_is_not_heard_and_then_shut_out)
{
    static const net_protocol_t p = { .name = FLOOD_PROTOCOL, .data = raw_data, .closed = raw_closed };
    join_refusal_t refusals[JOIN_REFUSALS_MAX];
    bans_fault_t fault;
    begin();
    net_conn_t *c = dial_member(&joiner, 1);
    run_members(300);
    ck_assert_int_eq(net_open(c, &flooding, &p, NULL), RC_OK);
    flood(1, JOIN_FLOOD_BURST + JOIN_FLOOD_DROPS / 2 + 8); /* the last of them in one go with what follows */
    flood(2, 1);
    run_members(15);
    ck_assert(founder.delivered == 1 && joiner.closed == 0);
    run_members(2 * JOIN_FLOOD_MS);
    flood(2, 1);
    run_members(15);
    ck_assert(founder.delivered == 2 && joiner.closed == 0);
    flood(2, JOIN_FLOOD_DROPS * 2);
    run_members(100);
    ck_assert(joiner.closed == 1 && joiner.bye == NET_BYE_PROTOCOL);
    ck_assert_uint_eq(join_refusals(founder.join, refusals), 1);
    ck_assert(bans_fault_of(&fault, refusals[0].bye, &refusals[0].why) && fault == BANS_FLOOD);
    members_close();
}
END_TEST

/* Strangers that say HELLO and leave: the quotes that they asked for are made for nobody. */
START_TEST(no_quote_is_made_for_who_is_gone)
{
    begin();
    founder.quotes_wait = true;
    for (unsigned i = 0; i < 6; i++) {
        net_conn_t *c = dial_member(&joiner, 1);
        run_members(200);
        net_close(c, NET_BYE, "gone");
        run_members(200);
    }
    ck_assert_ptr_nonnull(founder.aside->next->next->next->next->next);
    (void)dial_member(&joiner, 1);
    run_members(200);
    ck_assert_uint_eq(founder.quotes, 0);
    member_quote(&founder);
    ck_assert_uint_eq(founder.quotes, 1);
    run_members(300);
    ck_assert_int_eq(only_member(&founder).phase, JOIN_PEER);
    members_close();
}
END_TEST

/* While one quote takes long: what they sent is not kept, and no more of them wait than may. */
START_TEST(who_is_gone_before_our_quote_leaves_little_and_not_without_end)
{
    size_t before = 0, n = 0;
    begin();
    founder.quotes_wait = true;
    for (unsigned i = 0; i < JOIN_GONE_MAX + 4; i++) {
        net_conn_t *c = dial_member(&joiner, 1);
        run_members(100);
        if (net_is_open(c))
            net_close(c, NET_BYE, "gone");
        run_members(50);
        if (i == 3)
            before = mallinfo2().uordblks;
        if (i == JOIN_GONE_MAX - 5)
            ck_assert_uint_le(mallinfo2().uordblks, before + (JOIN_GONE_MAX - 8) * 6144u);
    }
    for (const join_job_t *job = founder.aside; job; job = job->next)
        n++;
    ck_assert_uint_eq(n, JOIN_GONE_MAX);
    member_quote(&founder);
    run_members(20);
    (void)dial_member(&joiner, 1);
    run_members(500);
    ck_assert_int_eq(only_member(&founder).phase, JOIN_PEER);
    members_close();
}
END_TEST

/* Our quote takes longer than the whole exchange may: the peer is not the one who is late. */
START_TEST(who_waits_for_our_quote_is_not_blamed_for_it)
{
    join_refusal_t refusals[JOIN_REFUSALS_MAX];
    bans_fault_t fault;
    for (unsigned late = 0; late < 2; late++) {
        begin();
        (late ? &joiner : &founder)->quotes_wait = true;
        (void)dial_member(&joiner, 1);
        run_members(MATTEST_DEADLINE_MS + 1000);
        ck_assert_uint_eq(join_refusals(founder.join, refusals), 1);
        ck_assert_int_eq(refusals[0].why.rc, RC_TIMEOUT);
        ck_assert_int_eq(bans_fault_of(&fault, refusals[0].bye, &refusals[0].why), late == 1);
        members_close();
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("join_attacks", who_is_gone_before_our_quote_leaves_little_and_not_without_end,
                    who_floods_is_not_heard_and_then_shut_out, a_second_attestation_on_a_connection_is_not_served,
                    a_share_that_nobody_asked_for_is_not_taken,
                    a_key_that_was_granted_and_not_sent_is_given_when_it_is_asked_for_again,
                    who_leaves_in_the_middle_of_a_share_leaves_nothing, what_breaks_a_protocol_ends_the_connection,
                    no_quote_is_made_for_who_is_gone, who_waits_for_our_quote_is_not_blamed_for_it);
}
