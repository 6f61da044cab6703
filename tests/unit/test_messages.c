/* Messages between nodes: to one, several and all, sealed and relayed; and what an attacker's frames come to. */
#include "overlay/messages.h"

#include "tests/unit/messages_world.h"

static err_t e;

static message_counts_t counts(size_t i)
{
    message_counts_t c;
    messages_counts(nodes[i].m, &c);
    return c;
}

/* Node i sends frames of its own making from here on: this one to j, with the next nonce unless told otherwise. */
static rc_t forge(size_t i, size_t j, const msg_frame_t *frame)
{
    static uint8_t buf[4096];
    wr_t w = wr_of(buf, sizeof buf);
    msg_frame_write(&w, frame);
    ck_assert(!w.bad);
    err_clear(&e);
    return messages_take(nodes[j].m, &e, LINE(i), wr_view(&w));
}

/* A frame as node i would send it to j next, read back from what it sends; good until the third after it. */
static msg_frame_t honest(size_t i, size_t j, const char *type, msg_mode_t mode)
{
    static uint8_t room[4][512];
    static size_t turn;
    uint8_t *kept = room[turn++ % 4];
    msg_frame_t f;
    ck_assert_int_eq(say(i, j, &e, type, mode, "honest"), RC_OK);
    const frame_t out = nodes[i].out[j][--nodes[i].out_n[j]];
    memcpy(kept, out.p, out.n);
    ck_assert_int_eq(msg_frame_read(&f, &e, view_of(kept, out.n)), RC_OK);
    free(out.p);
    return f;
}

START_TEST(a_message_comes_with_its_attested_sender)
{
    nodes_open(2, false);
    ck_assert(nodes[0].ready == 1 && nodes[1].ready == 1);
    for (msg_mode_t mode = MSG_PEER; mode <= MSG_SHARED; mode++) {
        ck_assert_msg(say(0, 1, &e, "chat", mode, "hello") == RC_OK, "%s", e.text);
        carry();
        ck_assert_str_eq(nodes[1].last_payload, "hello");
        ck_assert_mem_eq(nodes[1].last_sender, nodes[0].key, 33);
        ck_assert_mem_eq(nodes[1].last_author, nodes[0].key, 33);
        ck_assert(nodes[1].last.mode == mode && !nodes[1].last.forwarded && nodes[1].last.author_attested);
    }
    ck_assert(nodes[1].got == 2 && nodes[0].got == 0);
    nodes_close();
}
END_TEST

START_TEST(it_goes_to_one_to_several_and_to_all)
{
    nodes_open(4, false);
    const uint64_t two[] = { LINE(1), LINE(3) };
    const message_out_t out = { .type = "chat", .mode = MSG_SHARED, .payload = view_str("two") };
    rc_t each[2];
    ck_assert_int_eq(messages_send(nodes[0].m, each, &e, two, 2, &out), RC_OK);
    ck_assert_int_eq(say_to_all(2, &e, &out), RC_OK);
    carry();
    ck_assert(nodes[0].got == 1 && nodes[1].got == 2 && nodes[2].got == 0 && nodes[3].got == 2);
    ck_assert_uint_eq(messages_line(nodes[0].m, nodes[2].key), LINE(2));
    messages_gone(nodes[0].m, LINE(3));
    ck_assert_int_eq(messages_send(nodes[0].m, each, &e, two, 2, &out), RC_REFUSED);
    ck_assert(each[0] == RC_OK && each[1] == RC_REFUSED);
    ck_assert_str_eq(e.text, "there is no session with that peer");
    nodes_close();
}
END_TEST

START_TEST(what_is_sealed_does_not_show_its_payload_and_opens_for_holders_only)
{
    nodes_open(2, false);
    ck_assert_int_eq(say(0, 1, &e, "chat", MSG_SHARED, "a secret text"), RC_OK);
    const frame_t f = nodes[0].out[1][0];
    ck_assert_ptr_null(memmem(f.p, f.n, "secret", 6));
    keyring_free(nodes[1].ring); /* a node of another cluster's key */
    nodes[1].ring = node_ring(8);
    messages_config_t c = { .sign = node_sign,
                            .sign_ctx = &nodes[1],
                            .ecdsa = ecdsa,
                            .ring = nodes[1].ring,
                            .random = node_random,
                            .send = node_send,
                            .ctx = &nodes[1] };
    memcpy(c.self, nodes[1].key, 33);
    messages_free(nodes[1].m);
    ck_assert_int_eq(messages_new(&nodes[1].m, &c), RC_OK);
    node_register(&nodes[1], "chat", false, 0);
    messages_gone(nodes[0].m, LINE(1));
    nodes[0].out_n[1] = 0;
    free(f.p);
    node_link(0, 1);
    carry();
    ck_assert_int_eq(say(0, 1, &e, "chat", MSG_SHARED, "a secret text"), RC_OK);
    carry(); /* its sender is not to blame */
    ck_assert(nodes[1].got == 0 && counts(1).unopened == 1);
    ck_assert_int_eq(say(0, 1, &e, "chat", MSG_PEER, "plain"), RC_OK);
    carry();
    ck_assert_uint_eq(nodes[1].got, 1);
    nodes_close();
}
END_TEST

START_TEST(a_group_reads_what_is_for_it_and_nobody_else)
{
    static const uint8_t group[MSG_GROUP_LEN] = { 0x67 };
    nodes_open(3, false);
    keyring_t *own = node_ring(0x55);
    const message_out_t out = { .type = "chat", .mode = MSG_GROUP, .group = group, .payload = view_str("us two") };
    ck_assert_int_eq(say_to_all(0, &e, &out), RC_REFUSED);
    ck_assert_str_eq(e.text, "there is no such group");
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(messages_join(nodes[i].m, &e, group, own), RC_OK);
    ck_assert_int_eq(messages_join(nodes[0].m, &e, group, own), RC_REPLAY);
    ck_assert_int_eq(say_to_all(0, &e, &out), RC_OK);
    carry();
    ck_assert(nodes[1].got == 1 && nodes[2].got == 0 && counts(2).unopened == 1);
    ck_assert(nodes[1].last.mode == MSG_GROUP);
    messages_leave(nodes[1].m, group);
    ck_assert_int_eq(say_to_all(0, &e, &out), RC_OK);
    carry();
    ck_assert_uint_eq(nodes[1].got, 1);
    nodes_close();
    keyring_free(own);
}
END_TEST

/* 0 - 1 - 2 - 3, and 0 - 3: a ring, so that everything comes twice somewhere. */
START_TEST(a_relayed_message_reaches_all_once_with_its_author)
{
    for (msg_mode_t mode = MSG_PEER; mode <= MSG_SHARED; mode++) {
        nodes_open(4, true);
        node_link(0, 3);
        carry();
        const message_out_t out = { .type = "news", .mode = mode, .payload = view_str("to all") };
        for (unsigned k = 1; k <= 3; k++) {
            ck_assert_int_eq(say_to_all(0, &e, &out), RC_OK);
            carry();
            for (size_t i = 1; i < 4; i++) {
                ck_assert_msg(nodes[i].got == k, "%zu", i);
                ck_assert_mem_eq(nodes[i].last_author, nodes[0].key, 33);
                ck_assert(nodes[i].last.seq == k && nodes[i].last.forwarded == (i == 2));
            }
        }
        ck_assert_mem_ne(nodes[2].last_sender, nodes[0].key, 33);
        ck_assert(!nodes[2].last.author_attested); /* it has no line to the author */
        ck_assert_uint_eq(nodes[0].got, 0);
        ck_assert_uint_eq(counts(2).repeated, 3); /* by the other way */
        nodes_close();
    }
}
END_TEST

START_TEST(nothing_that_a_relayer_changes_is_taken)
{
    nodes_open(3, true); /* 0 - 1 - 2 */
    msg_frame_t good = honest(0, 1, "news", MSG_PEER);
    good.type = view_str("news");
    good.payload = view_str("honest");
    for (int i = 0; i < 9; i++) {
        msg_frame_t f = good;
        const msg_frame_t next = honest(1, 2, "chat", MSG_PEER);
        f.nonce = next.nonce;
        f.has_author = true;
        memcpy(f.author, nodes[0].key, 33);
        f.seq += i == 0;
        f.payload = i == 1 ? view_str("honesty") : f.payload;
        f.signature[i == 2 ? 0 : 63] ^= i == 2 || i == 3;
        if (i == 4)
            key_point(f.author, 9);
        f.mode = i == 5 ? MSG_SHARED : f.mode;
        f.has_author = i != 6; /* as its own */
        if (i == 7)
            memcpy(f.author, nodes[1].key, 33);
        const rc_t rc = forge(1, 2, &f);
        if (i == 8) {
            ck_assert_msg(rc == RC_OK && nodes[2].got == 1, "%s", e.text);
        } else {
            ck_assert_msg(rc == RC_REFUSED && nodes[2].got == 0, "%d: %s", i, rc_name(rc));
            ck_assert_int_eq(forge(1, 2, &next), RC_OK); /* a refused one takes no place */
            nodes[2].got = 0;
        }
    }
    nodes_close();
}
END_TEST

START_TEST(what_is_sealed_is_bound_to_sender_type_and_number)
{
    nodes_open(3, false);
    node_register(&nodes[1], "cool", false, 0);
    for (int i = 0; i < 4; i++) {
        msg_frame_t f = honest(0, 1, "chat", MSG_SHARED);
        const unsigned before = nodes[1].got;
        const size_t from = i == 1 ? 2 : 0; /* another sender replays it on its own connection */
        f.nonce = i == 1 ? honest(2, 1, "chat", MSG_PEER).nonce : f.nonce + (i == 3);
        f.type = i == 0 ? view_str("cool") : f.type;
        ck_assert_int_eq(forge(from, 1, &f), RC_OK);
        ck_assert_msg(nodes[1].got == before + (i == 2), "%d", i);
    }
    ck_assert_uint_eq(counts(1).unopened, 3);
    nodes_close();
}
END_TEST

START_TEST(replays_gaps_and_other_sessions_end_the_connection)
{
    nodes_open(2, false);
    msg_frame_t f = honest(0, 1, "chat", MSG_PEER);
    ck_assert_int_eq(forge(0, 1, &f), RC_OK);
    ck_assert_int_eq(forge(0, 1, &f), RC_REPLAY);
    f.nonce += 12;
    ck_assert_int_eq(forge(0, 1, &f), RC_REFUSED); /* eleven are left out */
    f.nonce--;
    ck_assert_int_eq(forge(0, 1, &f), RC_OK); /* ten */
    f.nonce ^= 1ull << 40;
    ck_assert_int_eq(forge(0, 1, &f), RC_REFUSED);
    const msg_frame_t hello = { .is_hello = true, .session = 5 };
    ck_assert_int_eq(forge(0, 1, &hello), RC_REFUSED);
    ck_assert_str_eq(e.text, "a second session value");
    ck_assert_uint_eq(nodes[1].got, 2);
    nodes_close();
}
END_TEST

START_TEST(nothing_is_taken_before_the_line_and_its_session)
{
    nodes_open(2, false);
    const msg_frame_t f = honest(0, 1, "chat", MSG_PEER);
    messages_gone(nodes[1].m, LINE(0));
    ck_assert_int_eq(forge(0, 1, &f), RC_REFUSED);
    ck_assert_str_eq(e.text, "a message before its line");
    ck_assert_int_eq(messages_up(nodes[1].m, LINE(0), nodes[0].key), RC_OK);
    ck_assert_int_eq(forge(0, 1, &f), RC_REFUSED);
    ck_assert_str_eq(e.text, "a message before the session value");
    ck_assert_int_eq(say(1, 0, &e, "chat", MSG_PEER, "x"), RC_REFUSED);
    ck_assert_uint_eq(nodes[1].got, 0);
    nodes_close();
}
END_TEST

START_TEST(equal_session_values_are_drawn_again_and_never_for_ever)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    keys_open();
    node_count = 2;
    for (int same = 0; same < 2; same++) {
        node_open(0);
        node_open(1);
        nodes[0].next_random = nodes[1].next_random = 77;
        node_link(0, 1);
        if (!same) {
            nodes[1].next_random = 0;
            carry();
            ck_assert(nodes[0].ready == 1 && nodes[1].ready == 1);
        } else {
            rc_t rc = RC_OK;
            unsigned rounds = 0;
            while (!rc && rounds++ < 10) {
                rc = carry_one(0, 1, &e);
                rc = rc ? rc : carry_one(1, 0, &e);
            }
            ck_assert_int_eq(rc, RC_REFUSED);
            ck_assert_uint_eq(rounds, MSG_DRAWS_MAX + 1);
        }
        for (size_t i = 0; i < 2; i++) {
            while (nodes[i].out_n[1 - i])
                free(nodes[i].out[1 - i][--nodes[i].out_n[1 - i]].p);
            messages_free(nodes[i].m);
            keyring_free(nodes[i].ring);
        }
    }
    keys_close();
}
END_TEST

START_TEST(a_receiver_that_is_busy_gets_it_later_once_and_in_order)
{
    nodes_open(3, true);
    nodes[1].busy = true;
    ck_assert_int_eq(say(0, 1, &e, "news", MSG_SHARED, "one"), RC_OK);
    ck_assert_int_eq(say(0, 1, &e, "chat", MSG_PEER, "two"), RC_OK);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(carry_one(0, 1, &e), RC_NEED_DATA);
    ck_assert(nodes[1].got == 0 && nodes[1].out_n[2] == 1); /* handed on already, once */
    nodes[1].busy = false;
    ck_assert_int_eq(carry_one(0, 1, &e), RC_OK);
    ck_assert_str_eq(nodes[1].last_payload, "one");
    carry();
    ck_assert_str_eq(nodes[1].last_payload, "two");
    ck_assert(nodes[1].got == 2 && nodes[2].got == 1);
    nodes_close();
}
END_TEST

START_TEST(a_line_that_is_full_says_so_and_leaves_no_gap)
{
    nodes_open(2, false);
    nodes[0].full = true;
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(say(0, 1, &e, "chat", MSG_SHARED, "x"), RC_LIMIT);
    ck_assert_str_eq(e.text, "too much waits on the connection");
    nodes[0].full = false;
    ck_assert_int_eq(say(0, 1, &e, "chat", MSG_SHARED, "x"), RC_OK);
    carry();
    ck_assert_uint_eq(nodes[1].got, 1);
    nodes_close();
}
END_TEST

START_TEST(types_come_and_go_at_run_time)
{
    message_type_t t = { .name = "late", .max = 4, .take = node_take, .ctx = &nodes[1] };
    nodes_open(2, false);
    ck_assert_int_eq(say(0, 1, &e, "late", MSG_PEER, "x"), RC_REFUSED);
    ck_assert_str_eq(e.text, "no type late is registered");
    node_register(&nodes[0], "late", false, 8);
    ck_assert_int_eq(say(0, 1, &e, "late", MSG_PEER, "x"), RC_OK);
    carry();
    ck_assert(nodes[1].got == 0 && counts(1).unknown == 1);
    ck_assert_int_eq(messages_register(nodes[1].m, &e, &t), RC_OK);
    ck_assert_int_eq(messages_register(nodes[1].m, &e, &t), RC_REPLAY);
    ck_assert_int_eq(say(0, 1, &e, "late", MSG_PEER, "four"), RC_OK);
    ck_assert_int_eq(say(0, 1, &e, "late", MSG_PEER, "fives"), RC_OK); /* longer than the receiver wants */
    ck_assert_int_eq(say(0, 1, &e, "late", MSG_PEER, "nine long"), RC_LIMIT);
    carry();
    ck_assert(nodes[1].got == 1 && counts(1).unknown == 2);
    messages_unregister(nodes[1].m, "late");
    ck_assert_int_eq(say(0, 1, &e, "late", MSG_PEER, "x"), RC_OK);
    carry();
    ck_assert(nodes[1].got == 1 && counts(1).unknown == 3);
    t.name = "";
    ck_assert_int_eq(messages_register(nodes[1].m, &e, &t), RC_MALFORMED);
    t.name = "big";
    t.max = MSG_PAYLOAD_MAX + 1;
    ck_assert_int_eq(messages_register(nodes[1].m, &e, &t), RC_LIMIT);
    t.max = 0;
    for (unsigned i = 0; i <= MESSAGES_TYPES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%u", i);
        t.name = name;
        ck_assert_int_eq(messages_register(nodes[1].m, &e, &t), i + 2 < MESSAGES_TYPES_MAX ? RC_OK : RC_LIMIT);
    }
    nodes_close();
}
END_TEST

/* A relayed type at one end, a direct one at the other: nobody is to blame, and nothing is delivered. */
START_TEST(a_type_that_is_registered_otherwise_is_passed_over)
{
    nodes_open(2, false);
    messages_unregister(nodes[1].m, "news");
    node_register(&nodes[1], "news", false, 0);
    ck_assert_int_eq(say(0, 1, &e, "news", MSG_PEER, "x"), RC_OK);
    carry();
    ck_assert(nodes[1].got == 0 && counts(1).unknown == 1);
    nodes_close();
}
END_TEST

START_TEST(the_longest_message_comes_whole)
{
    uint8_t *big = malloc(MSG_PAYLOAD_MAX);
    const uint64_t line = LINE(1);
    memset(big, 'x', MSG_PAYLOAD_MAX);
    nodes_open(2, false);
    message_out_t out = { .type = "chat", .mode = MSG_SHARED, .payload = view_of(big, MSG_PAYLOAD_MAX) };
    ck_assert_int_eq(messages_send(nodes[0].m, NULL, &e, &line, 1, &out), RC_OK);
    out.payload.n++;
    ck_assert_int_eq(messages_send(nodes[0].m, NULL, &e, &line, 1, &out), RC_LIMIT);
    carry();
    ck_assert_uint_eq(nodes[1].last.payload.n, MSG_PAYLOAD_MAX);
    nodes_close();
    free(big);
}
END_TEST

/* A peer that invents authors lets the receiver forget its own, never those that others brought. */
START_TEST(invented_authors_push_nobody_out)
{
    hash32_t digest;
    nodes_open(3, true); /* 0 - 1 - 2: 0 is known to 2 by 1 alone */
    msg_frame_t mine = honest(0, 1, "news", MSG_PEER), f;
    mine.type = view_str("news");
    mine.payload = view_str("honest");
    mine.has_author = true;
    memcpy(mine.author, nodes[0].key, 33);
    node_link(0, 2);
    carry();
    messages_down(nodes[2].m, LINE(0)); /* 0 is not attested at 2 now; what it brings is its own */
    f = mine;
    f.nonce = honest(1, 2, "chat", MSG_PEER).nonce;
    ck_assert_int_eq(forge(1, 2, &f), RC_OK);
    ck_assert_uint_eq(nodes[2].got, 1);
    for (unsigned k = 0; k < 3 * MESSAGES_AUTHORS_PER_LINE; k++) {
        msg_frame_t invented = mine;
        const unsigned secret = 20 + k;
        invented.nonce = honest(0, 2, "chat", MSG_PEER).nonce;
        invented.seq = 1;
        key_point(invented.author, secret);
        msg_digest(&digest, &invented, invented.author);
        key_sign(invented.signature, secret, &digest);
        ck_assert_msg(forge(0, 2, &invented) == RC_OK, "%u: %s", k, e.text);
    }
    ck_assert_uint_eq(nodes[2].got, 1 + 3 * MESSAGES_AUTHORS_PER_LINE);
    f.nonce = honest(1, 2, "chat", MSG_PEER).nonce;
    ck_assert_int_eq(forge(1, 2, &f), RC_OK);
    ck_assert_uint_eq(nodes[2].got, 1 + 3 * MESSAGES_AUTHORS_PER_LINE); /* still known */
    nodes_close();
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "messages", a_message_comes_with_its_attested_sender, it_goes_to_one_to_several_and_to_all,
        what_is_sealed_does_not_show_its_payload_and_opens_for_holders_only,
        a_group_reads_what_is_for_it_and_nobody_else, a_relayed_message_reaches_all_once_with_its_author,
        nothing_that_a_relayer_changes_is_taken, what_is_sealed_is_bound_to_sender_type_and_number,
        replays_gaps_and_other_sessions_end_the_connection, nothing_is_taken_before_the_line_and_its_session,
        equal_session_values_are_drawn_again_and_never_for_ever,
        a_receiver_that_is_busy_gets_it_later_once_and_in_order, a_line_that_is_full_says_so_and_leaves_no_gap,
        types_come_and_go_at_run_time, a_type_that_is_registered_otherwise_is_passed_over,
        the_longest_message_comes_whole, invented_authors_push_nobody_out);
}
