/* Reliable broadcast among seats: thresholds, what liars can do, restarts, orders, what is kept and for how long. */
#include "tests/unit/bracha_world.h"

static void close_all(void)
{
    seats_close();
    keys_close();
}

/* Known answers by hand: f = (n-1)/3, ECHO (n+f)/2+1, both rounded down; amplify f+1; deliver 2f+1. */
START_TEST(thresholds_are_these)
{
    static const unsigned rows[][5] = {
        { 4, 1, 3, 2, 3 },   { 5, 1, 4, 2, 3 },   { 6, 1, 4, 2, 3 },    { 7, 2, 5, 3, 5 },      { 8, 2, 6, 3, 5 },
        { 9, 2, 6, 3, 5 },   { 10, 3, 7, 4, 7 },  { 11, 3, 8, 4, 7 },   { 12, 3, 8, 4, 7 },     { 13, 4, 9, 5, 9 },
        { 14, 4, 10, 5, 9 }, { 15, 4, 10, 5, 9 }, { 16, 5, 11, 6, 11 }, { 64, 21, 43, 22, 43 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const bracha_quorum_t q = bracha_quorum(rows[i][0]);
        ck_assert_msg(q.f == rows[i][1] && q.echo == rows[i][2] && q.amplify == rows[i][3] && q.deliver == rows[i][4],
                      "n %u: %u %u %u %u", rows[i][0], q.f, q.echo, q.amplify, q.deliver);
    }
}
END_TEST

START_TEST(hashes_are_frozen)
{
    uint8_t bytes[512];
    hash32_t id, hash, digest;
    order_t o = { .version = 7, .void_slot = UINT64_MAX, .maker_count = 2, .seat_count = 4 };
    key_point(o.cluster, 1);
    sha256(&o.policy, view_str("policy"));
    key_point(o.makers[0], 2);
    key_point(o.makers[1], 3);
    for (size_t i = 0; i < 4; i++)
        memset(&o.seats[i], (int)(0x10 * (i + 1)), 32);
    bracha_send_t s = { .seq = 5, .boot_count = 4, .kind = 0x80000001, .payload = view_str("message") };
    order_digest(&s.order, &o);
    key_point(s.sender, 2);
    key_point(s.boots[0], 2);
    key_point(s.boots[2], 3);
    key_point(s.boots[3], 1);
    wr_t w = wr_of(bytes, sizeof bytes);
    wr_bytes(&w, "kettle-rbc/2\0\0\0", 16);
    wr_hash32(&w, &s.order);
    wr_bytes(&w, s.sender, 33);
    wr_be(&w, 5, 8);
    wr_bytes(&w, s.boots, (size_t)4 * 33);
    bracha_instance(&id, &s);
    assert_frozen("broadcast instance: that order, sender 2G, seq 5, boots 2G, none, 3G, G", wr_view(&w), &id);
    w = wr_of(bytes, sizeof bytes);
    wr_hash32(&w, &id);
    wr_be(&w, 0x80000001, 4);
    wr_bytes(&w, "message", 7);
    bracha_hash(&hash, &id, &s);
    assert_frozen("message hash: kind 80000001", wr_view(&w), &hash);
    w = wr_of(bytes, sizeof bytes);
    wr_bytes(&w, "kettle-rbc-snd/1", 16);
    wr_hash32(&w, &hash);
    wr_hash32(&w, &s.again);
    bracha_send_digest(&digest, &hash, &s);
    assert_frozen("SEND signs, again 00..", wr_view(&w), &digest);
    w = wr_of(bytes, sizeof bytes);
    wr_bytes(&w, "kettle-rbc-rdy/1", 16);
    wr_hash32(&w, &id);
    wr_hash32(&w, &hash);
    bracha_ready_digest(&digest, &id, &hash);
    assert_frozen("READY signs", wr_view(&w), &digest);
}
END_TEST

START_TEST(below_four_seats_nothing_is_agreed)
{
    err_t e;
    order_signed_t none;
    seats_open(4, 1);
    ck_assert_int_eq(bracha_send(seats[4].b, &e, 1, view_str("x"), now), RC_UNSUPPORTED);
    ck_assert_str_eq(e.text, "this node has no seat");
    seats_order(&none, 2, 0, 0);
    seats_take(&none);
    ck_assert_int_eq(bracha_send(seats[0].b, &e, 1, view_str("x"), now), RC_UNSUPPORTED);
    ck_assert_str_eq(e.text, "agreement needs 4 seats");
    seats_close();
    seat_count = 1;
    seat_start(0, 0); /* no order at all */
    ck_assert_int_eq(bracha_send(seats[0].b, &e, 1, view_str("x"), now), RC_UNSUPPORTED);
    ck_assert_str_eq(e.text, "agreement needs 4 seats");
}
END_TEST

START_TEST(a_message_is_delivered_once_by_seats_and_listeners)
{
    static const size_t sizes[] = { 4, 5, 7, 10 };
    for (size_t k = 0; k < 4; k++) {
        seats_open(sizes[k], 1);
        seat_send(1, 1, "hello");
        seats_settle();
        bracha_tick(seats[0].b, now);
        seats_settle();
        for (size_t i = 0; i < seat_count; i++) {
            ck_assert_msg(seats[i].delivered == 1, "n %zu node %zu: %u", sizes[k], i, seats[i].delivered);
            ck_assert_str_eq((char *)seats[i].last, "hello");
            ck_assert_uint_eq(seats[i].evidence, 0);
            ck_assert_uint_eq(seats[i].echos, i < sizes[k] ? 1 : 0); /* who has no seat does not vote */
        }
        seats_close();
    }
}
END_TEST

START_TEST(f_may_be_silent_and_no_more)
{
    static const size_t sizes[] = { 4, 7, 10 };
    for (size_t k = 0; k < 3; k++)
        for (unsigned more = 0; more < 2; more++) {
            const size_t n = sizes[k], silent = bracha_quorum((unsigned)n).f + more;
            seats_open(n, 0);
            for (size_t i = n - silent; i < n; i++)
                seat_stop(i);
            seat_send(0, 1, "hello");
            seats_settle();
            for (size_t i = 0; i < n - silent; i++)
                ck_assert_msg(seats[i].delivered == (more ? 0 : 1), "n %zu node %zu", n, i);
            seats_close();
        }
}
END_TEST

/* A SEND of node i with this payload, as it signs it; number seq. */
static void forge(bracha_send_t *s, size_t i, uint64_t seq, const char *text)
{
    hash32_t id, hash, digest;
    *s = (bracha_send_t){ .order = in_force.id.digest, .seq = seq, .kind = 1, .payload = view_str(text) };
    s->boot_count = in_force.order.seat_count;
    memcpy(s->sender, seats[i].key, 33);
    for (size_t k = 0; k < s->boot_count; k++)
        memcpy(s->boots[k], seats[k].key, 33);
    bracha_instance(&id, s);
    bracha_hash(&hash, &id, s);
    bracha_send_digest(&digest, &hash, s);
    key_sign(s->signature, seats[i].secret, &digest);
}

static void vote_of(bracha_vote_t *v, size_t i, bracha_step_t step, const bracha_send_t *s)
{
    hash32_t digest;
    *v = (bracha_vote_t){ .step = step };
    bracha_instance(&v->instance, s);
    bracha_hash(&v->hash, &v->instance, s);
    bracha_ready_digest(&digest, &v->instance, &v->hash);
    key_sign(v->signature, seats[i].secret, &digest);
}

static rc_t give_vote(size_t to, size_t from, bracha_step_t step, const bracha_send_t *s, err_t *e)
{
    bracha_vote_t v;
    vote_of(&v, from, step, s);
    return bracha_take_vote(seats[to].b, e, seats[from].key, &v, now);
}

/* Node 3 lies: it gives A to one and B to two, and votes for both as it likes. */
START_TEST(an_equivocating_sender_is_found_out_and_never_delivered_twice)
{
    err_t e;
    bracha_send_t a, b;
    for (unsigned row = 0; row < 3; row++) {
        seats_open(4, 0);
        seats[3].linked[0] = seats[3].linked[1] = seats[3].linked[2] = false; /* it says nothing of itself */
        for (size_t i = 0; i < 3; i++)
            seats[i].linked[3] = false;
        forge(&a, 3, 1, "A");
        forge(&b, 3, 1, "B");
        ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[3].key, &a, now), RC_OK);
        ck_assert_int_eq(bracha_take_send(seats[1].b, &e, seats[3].key, &b, now), RC_OK);
        if (row)
            ck_assert_int_eq(bracha_take_send(seats[2].b, &e, seats[3].key, row == 1 ? &a : &b, now), RC_OK);
        for (size_t i = 0; i < 3; i++) {
            ck_assert_int_eq(give_vote(i, 3, BRACHA_ECHO, i ? &b : &a, &e), RC_OK);
            ck_assert_int_eq(give_vote(i, 3, BRACHA_READY, i ? &b : &a, &e), RC_OK);
        }
        seats_settle();
        unsigned of_a = 0, of_b = 0;
        for (size_t i = 0; i < 3; i++) {
            ck_assert_uint_le(seats[i].delivered, 1);
            of_a += seats[i].delivered && seats[i].last[0] == 'A';
            of_b += seats[i].delivered && seats[i].last[0] == 'B';
        }
        ck_assert(!of_a || !of_b);
        ck_assert_uint_eq(of_a + of_b, row == 2 ? 3 : of_a + of_b); /* two correct and the liar are a quorum for B */
        for (size_t i = 0; i < 4; i++)
            if (seats[i].b && i < 3)
                ck_assert_msg(seats[i].evidence <= 3, "%u", seats[i].evidence);
        seats_close();
    }
}
END_TEST

START_TEST(a_second_message_under_one_number_is_evidence)
{
    err_t e;
    bracha_send_t a, b;
    seats_open(4, 0);
    forge(&a, 3, 1, "A");
    forge(&b, 3, 1, "B");
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[3].key, &a, now), RC_OK);
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[3].key, &b, now), RC_OK);
    bracha_out_t out;
    ck_assert(bracha_poll(seats[0].b, &out) && out.kind == BRACHA_OUT_EVIDENCE);
    ck_assert_int_eq((int)out.evidence.step, 0);
    ck_assert_mem_eq(out.evidence.who, seats[3].key, 33);
    hash32_t digest;
    for (int k = 0; k < 2; k++) { /* it proves itself */
        bracha_send_t *s = k ? &b : &a;
        bracha_send_digest(&digest, &out.evidence.hashes[k], s);
        ck_assert_int_eq(ecdsa_verify(ecdsa, out.evidence.signatures[k], &digest, seats[3].key), RC_OK);
    }
}
END_TEST

START_TEST(a_vote_counts_once_for_a_seat_and_a_second_is_evidence)
{
    err_t e;
    bracha_send_t s, other;
    bracha_out_t out;
    seats_open(4, 0);
    forge(&s, 1, 1, "A");
    forge(&other, 1, 1, "B");
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[1].key, &s, now), RC_OK);
    for (int k = 0; k < 4; k++)
        ck_assert_int_eq(give_vote(0, 2, BRACHA_ECHO, &s, &e), RC_OK);
    while (bracha_poll(seats[0].b, &out)) /* two ECHOs, its own and node 2's: no READY */
        ck_assert(out.kind == BRACHA_OUT_VOTE && out.vote.step == BRACHA_ECHO);
    ck_assert_int_eq(give_vote(0, 2, BRACHA_ECHO, &other, &e), RC_OK);
    ck_assert_int_eq(give_vote(0, 2, BRACHA_ECHO, &other, &e), RC_OK);
    unsigned evidence = 0;
    while (bracha_poll(seats[0].b, &out))
        evidence += out.kind == BRACHA_OUT_EVIDENCE && out.evidence.step == BRACHA_ECHO;
    ck_assert_uint_eq(evidence, 1);
    ck_assert_int_eq(give_vote(0, 3, BRACHA_ECHO, &s, &e), RC_OK); /* the third: a quorum */
    unsigned readys = 0;
    while (bracha_poll(seats[0].b, &out))
        readys += out.kind == BRACHA_OUT_VOTE && out.vote.step == BRACHA_READY;
    ck_assert_uint_eq(readys, 1);
}
END_TEST

START_TEST(ready_before_echo_and_before_the_message_counts)
{
    err_t e;
    bracha_send_t s;
    bracha_out_t out;
    seats_open(4, 0);
    forge(&s, 1, 1, "A");
    for (size_t i = 1; i < 4; i++)
        ck_assert_int_eq(give_vote(0, i, BRACHA_READY, &s, &e), RC_OK);
    unsigned pulls = 0;
    while (bracha_poll(seats[0].b, &out)) {
        ck_assert(out.kind == BRACHA_OUT_VOTE && out.vote.step == BRACHA_PULL && !out.to_all);
        pulls++;
    }
    ck_assert_uint_eq(pulls, 3);
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[2].key, &s, now), RC_OK); /* from a voter, not the sender */
    seats_settle();
    ck_assert_uint_eq(seats[0].delivered, 1);
    ck_assert_uint_eq(seats[0].readys, 1);
}
END_TEST

START_TEST(votes_that_are_not_a_listed_boots_do_not_count)
{
    err_t e;
    bracha_send_t s;
    bracha_vote_t v;
    seats_open(4, 1);
    forge(&s, 1, 1, "A");
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[1].key, &s, now), RC_OK);
    vote_of(&v, 2, BRACHA_READY, &s);
    v.signature[3] ^= 1;
    ck_assert_int_eq(bracha_take_vote(seats[0].b, &e, seats[2].key, &v, now), RC_REFUSED);
    ck_assert_str_eq(e.field, "signature");
    uint8_t stranger[33];
    key_point(stranger, 99);
    vote_of(&v, 2, BRACHA_ECHO, &s);
    ck_assert_int_eq(bracha_take_vote(seats[0].b, &e, stranger, &v, now), RC_REFUSED);
    ck_assert_str_eq(e.field, "from");
    v.step = (bracha_step_t)5;
    ck_assert_int_eq(bracha_take_vote(seats[0].b, &e, seats[2].key, &v, now), RC_MALFORMED);
    ck_assert_int_eq(give_vote(0, 4, BRACHA_READY, &s, &e), RC_OK); /* attested, without a seat */
    ck_assert_int_eq(give_vote(0, 2, BRACHA_READY, &s, &e), RC_OK);
    bracha_out_t out;
    while (bracha_poll(seats[0].b, &out)) /* one READY that counts: no amplification */
        ck_assert(out.kind != BRACHA_OUT_VOTE || out.vote.step != BRACHA_READY);
}
END_TEST

START_TEST(sends_that_do_not_prove_themselves_are_refused)
{
    static uint8_t big[BRACHA_PAYLOAD_MAX + 1];
    err_t e;
    bracha_send_t s;
    seats_open(4, 0);
    for (unsigned row = 0; row < 8; row++) {
        rc_t want = RC_REFUSED;
        const char *field = "signature";
        forge(&s, 1, 1, "A");
        switch (row) {
        case 0: s.payload = view_str("B"); break;
        case 1: s.kind = 2; break;
        case 2: s.again.b[0] = 1; break;
        case 3: s.signature[0] ^= 1; break;
        case 4: s.seq = 2; break;
        case 5:
            memcpy(s.boots[1], seats[2].key, 33);
            field = "boots";
            break;
        case 6:
            s.seq = 0;
            want = RC_MALFORMED;
            field = "boots";
            break;
        default:
            s.payload = view_of(big, sizeof big);
            want = RC_LIMIT;
            field = "payload";
            break;
        }
        ck_assert_msg(bracha_take_send(seats[0].b, &e, seats[1].key, &s, now) == want, "row %u", row);
        ck_assert_msg(!strcmp(e.field, field), "row %u: %s", row, e.field);
    }
    ck_assert_int_eq(bracha_send(seats[0].b, &e, 1, view_of(big, sizeof big), now), RC_LIMIT);
}
END_TEST

START_TEST(a_member_that_was_cut_off_delivers_when_it_is_back)
{
    for (unsigned durable = 0; durable < 2; durable++) {
        seats_open(4, 0);
        for (size_t i = 0; i < 3; i++)
            seat_link(3, i, false);
        seat_send(0, durable ? BRACHA_DURABLE | 1 : 1, "hello");
        seats_settle();
        ck_assert_uint_eq(seats[3].delivered, 0);
        now += durable ? BRACHA_EMPTY_MS - 2000 : BRACHA_KEEP_MS;
        for (size_t i = 0; i < 3; i++)
            bracha_tick(seats[i].b, now);
        seats_settle();
        seat_link(3, 1, true);
        seats_settle();
        ck_assert_uint_eq(seats[3].delivered, durable); /* one peer has the message and its certificate */
        seat_link(3, 2, true);
        seat_link(3, 0, true);
        bracha_tick(seats[3].b, now);
        seats_settle();
        ck_assert_msg(seats[3].delivered == durable, "durable %u: %u", durable, seats[3].delivered);
        seats_close();
    }
}
END_TEST

/* D3, D5: the new boot votes in no instance that lists the old one, and delivers by vouchers. */
START_TEST(a_restarted_member_does_not_vote_again_and_delivers_by_vouchers)
{
    seats_open(4, 0);
    seat_send(0, BRACHA_DURABLE | 1, "hello");
    seats_settle();
    seat_stop(3);
    seat_start(3, 1);
    ck_assert_int_eq(bracha_order(seats[3].b, &in_force, now), RC_OK);
    seat_link(3, 0, true);
    seats_settle();
    ck_assert_uint_eq(seats[3].delivered, 0); /* one seat's word is not enough */
    seat_link(3, 1, true);
    bracha_tick(seats[3].b, now);
    seats_settle();
    ck_assert_uint_eq(seats[3].delivered, 1);
    ck_assert_uint_eq(seats[3].echos + seats[3].readys, 0);
    seat_send(3, 1, "again"); /* it takes part in what lists it */
    seat_link(3, 2, true);
    seats_settle();
    for (size_t i = 0; i < 4; i++)
        ck_assert_str_eq((char *)seats[i].last, "again");
}
END_TEST

/* A restart of one of four during a broadcast: with the sender's next try all is delivered. */
START_TEST(one_kill_at_four_seats_does_not_halt)
{
    seats_open(4, 0);
    for (size_t i = 1; i < 4; i++)
        seat_link(0, i, false);
    seat_send(0, 1, "hello");
    seats_settle();
    seat_stop(2);
    seat_start(2, 1);
    ck_assert_int_eq(bracha_order(seats[2].b, &in_force, now), RC_OK);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++)
            if (!seats[i].linked[j])
                seat_link(i, j, true);
    seats_settle();
    now += 2000;
    for (size_t i = 0; i < 4; i++)
        bracha_tick(seats[i].b, now);
    seats_settle();
    for (size_t i = 0; i < 4; i++)
        ck_assert_msg(seats[i].delivered >= 1, "node %zu", i);
}
END_TEST

START_TEST(an_order_in_the_middle_ends_votes_and_the_sender_sends_anew)
{
    order_signed_t next;
    err_t e;
    bracha_send_t s;
    bracha_out_t out;
    seats_open(4, 0);
    seats_order(&next, 2, 0, 4);
    next.order.void_slot = 5;
    order_digest(&next.id.digest, &next.order);
    forge(&s, 1, 1, "A");
    ck_assert_int_eq(bracha_order(seats[0].b, &next, now), RC_OK);
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[1].key, &s, now), RC_OK);
    for (size_t i = 1; i < 4; i++) {
        ck_assert_int_eq(give_vote(0, i, BRACHA_ECHO, &s, &e), RC_OK);
        ck_assert_int_eq(give_vote(0, i, BRACHA_READY, &s, &e), RC_OK);
    }
    while (bracha_poll(seats[0].b, &out)) /* of another order: no vote, and no delivery by votes */
        ck_assert(out.kind == BRACHA_OUT_VOTE && out.vote.step == BRACHA_PULL);
    for (size_t i = 1; i < 3; i++) /* f + 1 seats that have delivered are enough */
        ck_assert_int_eq(give_vote(0, i, BRACHA_DELIVERED, &s, &e), RC_OK);
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[1].key, &s, now), RC_OK);
    seats_settle();
    ck_assert_uint_eq(seats[0].delivered, 1);
    ck_assert_uint_eq(seats[0].echos + seats[0].readys, 0);
    seats_close();

    seats_open(4, 0); /* nobody hears of it under order 1 */
    for (size_t i = 1; i < 4; i++)
        seat_link(0, i, false);
    seat_send(0, 1, "mine");
    seats_settle();
    seats_take(&next);
    for (size_t i = 1; i < 4; i++)
        seat_link(0, i, true);
    now += 1000;
    bracha_tick(seats[0].b, now);
    seats_settle();
    for (size_t i = 0; i < 4; i++) {
        ck_assert_msg(seats[i].delivered == 1, "node %zu: %u", i, seats[i].delivered);
        ck_assert_uint_eq(seats[i].last_seq, 2);
    }
}
END_TEST

/* The SEND that node i says to all now. */
static void next_send(bracha_send_t *s, hash32_t *instance, size_t i)
{
    static bracha_out_t out;
    unsigned sends = 0;
    while (bracha_poll(seats[i].b, &out))
        if (out.kind == BRACHA_OUT_SEND && out.to_all) {
            *s = out.send;
            *instance = out.instance;
            sends++;
        }
    ck_assert_uint_eq(sends, 1);
}

START_TEST(a_message_that_is_sent_anew_names_the_one_that_it_repeats)
{
    bracha_send_t s;
    hash32_t first, second;
    seats_open(4, 0);
    seat_send(0, 1, "hello");
    next_send(&s, &first, 0);
    ck_assert(hash32_is_zero(&s.again));
    now += BRACHA_AGAIN_MS;
    bracha_tick(seats[0].b, now);
    next_send(&s, &second, 0);
    ck_assert(hash32_eq(&s.again, &first) && !hash32_eq(&second, &first));
}
END_TEST

/* Of two messages under one number each is handed on as it was signed. */
START_TEST(what_is_pulled_is_what_its_sender_signed)
{
    static bracha_out_t out;
    err_t e;
    bracha_send_t one, two;
    hash32_t instance, hash, digest;
    unsigned sends = 0;
    seats_open(4, 0);
    forge(&one, 3, 1, "A");
    forge(&two, 3, 1, "B");
    two.again = (hash32_t){ { 0x5a } };
    bracha_instance(&instance, &two);
    bracha_hash(&hash, &instance, &two);
    bracha_send_digest(&digest, &hash, &two);
    key_sign(two.signature, seats[3].secret, &digest);
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[3].key, &one, now), RC_OK);
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[3].key, &two, now), RC_OK);
    ck_assert_int_eq(give_vote(0, 1, BRACHA_PULL, &two, &e), RC_OK);
    while (bracha_poll(seats[0].b, &out))
        if (out.kind == BRACHA_OUT_SEND && !out.to_all) {
            sends++;
            ck_assert(view_eq(out.send.payload, two.payload) && hash32_eq(&out.send.again, &two.again));
            ck_assert_int_eq(ecdsa_verify(ecdsa, out.send.signature, &digest, seats[3].key), RC_OK);
        }
    ck_assert_uint_eq(sends, 1);
}
END_TEST

START_TEST(a_sender_that_does_not_deliver_sends_anew_after_thirty_seconds)
{
    seats_open(4, 0);
    for (size_t i = 2; i < 4; i++)
        seat_stop(i); /* two of four: no quorum */
    seat_send(0, 1, "hello");
    seats_settle();
    const unsigned before = seats[0].sends;
    now += BRACHA_AGAIN_MS - 1;
    bracha_tick(seats[0].b, now);
    seats_settle();
    ck_assert_uint_eq(seats[0].sends, before);
    now += 1;
    bracha_tick(seats[0].b, now);
    seats_settle();
    ck_assert_uint_eq(seats[0].sends, before + 1);
}
END_TEST

/* The pulled payload hashes right or is not the message. */
START_TEST(a_liars_answer_to_a_pull_is_not_delivered)
{
    err_t e;
    bracha_send_t s, lie;
    seats_open(4, 0);
    forge(&s, 1, 1, "A");
    for (size_t i = 1; i < 4; i++)
        ck_assert_int_eq(give_vote(0, i, BRACHA_READY, &s, &e), RC_OK);
    lie = s;
    lie.payload = view_str("B");
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[3].key, &lie, now), RC_REFUSED);
    forge(&lie, 1, 1, "B"); /* even when the sender lies too */
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[3].key, &lie, now), RC_OK);
    seat_mute(0);
    ck_assert_uint_eq(seats[0].delivered, 0);
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[2].key, &s, now), RC_OK);
    seat_mute(0);
    ck_assert_uint_eq(seats[0].delivered, 1);
    ck_assert_str_eq((char *)seats[0].last, "A");
}
END_TEST

START_TEST(certificates_deliver_and_false_ones_do_not)
{
    err_t e;
    bracha_send_t s;
    bracha_vote_t v;
    seats_open(4, 0);
    forge(&s, 1, 1, "A");
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[1].key, &s, now), RC_OK);
    bracha_cert_t c = { .count = 3 }, bad;
    for (uint8_t k = 0; k < 3; k++) {
        vote_of(&v, k + 1u, BRACHA_READY, &s);
        c.instance = v.instance;
        c.hash = v.hash;
        c.shares[k].seat = (uint8_t)(k + 1);
        memcpy(c.shares[k].signature, v.signature, 64);
    }
    bad = c;
    bad.shares[0].seat = 4;
    ck_assert_int_eq(bracha_take_cert(seats[0].b, &e, seats[3].key, &bad, now), RC_MALFORMED);
    bad = c;
    bad.shares[2].signature[9] ^= 1;
    ck_assert_int_eq(bracha_take_cert(seats[0].b, &e, seats[3].key, &bad, now), RC_REFUSED);
    bad = c;
    bad.count = 2;
    bad.hash.b[0] ^= 1;
    ck_assert_int_eq(bracha_take_cert(seats[0].b, &e, seats[3].key, &bad, now), RC_REFUSED);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < 4; j++)
            seats[i].linked[j] = false;
    seats_settle();
    ck_assert_uint_eq(seats[0].delivered, 0);
    ck_assert_int_eq(bracha_take_cert(seats[0].b, &e, seats[3].key, &c, now), RC_OK);
    seats_settle();
    ck_assert_uint_eq(seats[0].delivered, 1);
}
END_TEST

START_TEST(a_liar_cannot_open_more_than_its_share)
{
    err_t e;
    bracha_send_t s;
    seats_open(4, 1);
    for (uint64_t seq = 1; seq <= BRACHA_OPEN_MAX + 1; seq++) { /* far ahead, with gaps */
        forge(&s, 3, seq * 1000, "A");
        rc_t rc = bracha_take_send(seats[0].b, &e, seats[3].key, &s, now);
        ck_assert_msg(rc == (seq <= BRACHA_OPEN_MAX ? RC_OK : RC_LIMIT), "%d: %d", (int)seq, rc);
    }
    ck_assert_str_eq(e.field, "sender");
    seat_mute(0);
    seat_stop(3);
    seat_start(3, 1); /* another boot of the platform has the same share */
    ck_assert_int_eq(bracha_attested(seats[0].b, seats[3].key, &seats[3].platform, now), RC_OK);
    forge(&s, 3, 1, "A");
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[3].key, &s, now), RC_LIMIT);
    seat_send(1, 1, "hello"); /* the others are not held up */
    seats_settle();
    ck_assert_str_eq((char *)seats[0].last, "hello");
    now += BRACHA_KEEP_MS;
    bracha_tick(seats[0].b, now);
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[3].key, &s, now), RC_OK);
}
END_TEST

/* Keys that nobody attested, each with a message of its own: they share one sender's room, and leave nothing behind. */
START_TEST(invented_senders_fill_nothing)
{
    err_t e;
    size_t bytes;
    seats_open(4, 0);
    for (unsigned k = 0; k < 200; k++) {
        bracha_send_t s;
        hash32_t id, hash, digest;
        forge(&s, 3, 1, "A");
        key_point(s.sender, 50 + k);
        memcpy(s.boots[3], s.sender, 33);
        bracha_instance(&id, &s);
        bracha_hash(&hash, &id, &s);
        bracha_send_digest(&digest, &hash, &s);
        key_sign(s.signature, 50 + k, &digest);
        rc_t rc = bracha_take_send(seats[0].b, &e, seats[3].key, &s, now);
        ck_assert_msg(rc == (k < BRACHA_OPEN_MAX ? RC_OK : RC_LIMIT), "%u: %d", k, rc);
    }
    seats_settle();
    ck_assert_uint_eq(seats[0].echos, 0);
    now += BRACHA_KEEP_MS;
    bracha_tick(seats[0].b, now);
    ck_assert_uint_eq(bracha_kept(seats[0].b, &bytes), 0);
}
END_TEST

START_TEST(what_was_closed_is_not_voted_for_again)
{
    err_t e;
    size_t bytes;
    bracha_send_t s, other;
    seats_open(4, 0);
    forge(&s, 1, 1, "A");
    forge(&other, 1, 1, "B");
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(bracha_take_send(seats[i].b, &e, seats[1].key, &s, now), RC_OK);
    seats_settle();
    ck_assert_uint_eq(seats[0].delivered, 1);
    now += BRACHA_KEEP_MS;
    bracha_tick(seats[0].b, now);
    ck_assert_uint_eq(bracha_kept(seats[0].b, &bytes), 0);
    const unsigned echos = seats[0].echos;
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[1].key, &s, now), RC_OK);
    ck_assert_int_eq(bracha_take_send(seats[0].b, &e, seats[1].key, &other, now), RC_OK);
    seats_settle();
    ck_assert_uint_eq(seats[0].echos, echos);
    ck_assert_uint_eq(seats[0].delivered, 1);
}
END_TEST

START_TEST(messages_are_kept_as_long_as_somebody_lacks_them)
{
    size_t bytes;
    seats_open(4, 0);
    seat_send(0, BRACHA_DURABLE | 1, "hello");
    seat_send(0, 1, "short");
    seats_settle();
    for (size_t i = 0; i < 4; i++) {
        bracha_tick(seats[i].b, now);
        ck_assert_msg(bracha_kept(seats[i].b, &bytes) == 0 && bytes == 0, "node %zu", i);
    }
    seat_stop(3);
    seat_send(0, BRACHA_DURABLE | 1, "hello");
    seat_send(0, 1, "short");
    seats_settle();
    bracha_tick(seats[0].b, now);
    ck_assert_uint_eq(bracha_kept(seats[0].b, &bytes), 2); /* node 3 may be there still */
    ck_assert_uint_eq(bytes, 10);
    now += BRACHA_KEEP_MS;
    bracha_tick(seats[0].b, now);
    ck_assert_uint_eq(bracha_kept(seats[0].b, &bytes), 1);
    now += BRACHA_EMPTY_MS - BRACHA_KEEP_MS - 1;
    bracha_tick(seats[0].b, now);
    ck_assert_uint_eq(bracha_kept(seats[0].b, &bytes), 1);
    now += 1; /* a seat that is empty for a day holds nothing up */
    bracha_tick(seats[0].b, now);
    ck_assert_uint_eq(bracha_kept(seats[0].b, &bytes), 0);
}
END_TEST

START_TEST(a_senders_bytes_are_bounded_and_nothing_is_dropped)
{
    static uint8_t big[BRACHA_PAYLOAD_MAX];
    size_t bytes, sent = 0;
    err_t e;
    seats_open(4, 0);
    seat_stop(3);
    while (bracha_send(seats[0].b, &e, BRACHA_DURABLE, view_of(big, sizeof big), now) == RC_OK) {
        seats_settle();
        sent++;
        ck_assert_uint_le(sent, 100);
    }
    ck_assert_int_eq(e.rc, RC_LIMIT);
    ck_assert_uint_eq(sent, BRACHA_SENDER_BYTES_MAX / (BRACHA_PAYLOAD_MAX + 4096));
    ck_assert_uint_eq(bracha_kept(seats[1].b, &bytes), sent);
    ck_assert_uint_eq(bytes, sent * BRACHA_PAYLOAD_MAX);
    ck_assert_uint_eq(seats[1].delivered, sent);
    seat_send(1, 1, "hello"); /* of another */
    seats_settle();
    ck_assert_str_eq((char *)seats[2].last, "hello");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "bracha", keys_open, close_all, thresholds_are_these, hashes_are_frozen, below_four_seats_nothing_is_agreed,
        a_message_is_delivered_once_by_seats_and_listeners, f_may_be_silent_and_no_more,
        an_equivocating_sender_is_found_out_and_never_delivered_twice, a_second_message_under_one_number_is_evidence,
        a_vote_counts_once_for_a_seat_and_a_second_is_evidence, ready_before_echo_and_before_the_message_counts,
        votes_that_are_not_a_listed_boots_do_not_count, sends_that_do_not_prove_themselves_are_refused,
        a_member_that_was_cut_off_delivers_when_it_is_back,
        a_restarted_member_does_not_vote_again_and_delivers_by_vouchers, one_kill_at_four_seats_does_not_halt,
        an_order_in_the_middle_ends_votes_and_the_sender_sends_anew, what_is_pulled_is_what_its_sender_signed,
        a_message_that_is_sent_anew_names_the_one_that_it_repeats,
        a_sender_that_does_not_deliver_sends_anew_after_thirty_seconds, a_liars_answer_to_a_pull_is_not_delivered,
        certificates_deliver_and_false_ones_do_not, a_liar_cannot_open_more_than_its_share,
        invented_senders_fill_nothing, what_was_closed_is_not_voted_for_again,
        messages_are_kept_as_long_as_somebody_lacks_them, a_senders_bytes_are_bounded_and_nothing_is_dropped);
}
