/* A relay: places and circuits, who is refused with which status, what each limit does, both ends in any order. */
#include "overlay/relay.h"
#include "overlay/wire/proto.h"
#include "tests/unit/relay_world.h"
#include "tests/unit/wire_id.h"

#define NOW_S 1700000000u

static relay_world_t *w;
static wire_id_t id;
static peerid_t self, ann, bob, cid;

static void name(peerid_t *out, const char *word)
{
    wire_id_t other;
    wire_ed25519(&other, word);
    peerid_of(out, &other.who.key);
}

static void begin(void)
{
    w = calloc(1, sizeof *w);
    wire_ed25519(&id, "relay");
    peerid_of(&self, &id.who.key);
    name(&ann, "ann");
    name(&bob, "bob");
    name(&cid, "cid");
    ck_assert_int_eq(world_begin(w, &id.who), RC_OK);
    (void)relay_turn(w->relay, 1000, NOW_S);
}

static void end(void)
{
    world_clear(w);
    free(w);
}

/* The next message that was written to a stream. */
static circuit_message_t heard(world_stream_t *s, circuit_protocol_t protocol)
{
    static uint8_t kept[WORLD_KEPT];
    circuit_message_t m = { 0 };
    view_t message;
    size_t used;
    memcpy(kept, s->out, s->out_n);
    ck_assert_int_eq(pb_delimited(&message, &used, view_of(kept, s->out_n), CIRCUIT_MESSAGE_MAX), RC_OK);
    ck_assert_int_eq(circuit_read(&m, protocol, message), RC_OK);
    s->out_n -= used;
    memmove(s->out, s->out + used, s->out_n);
    return m;
}

static circuit_message_t reserve(const peerid_t *who)
{
    world_stream_t *s = world_hop(w, who);
    world_say(s, CIRCUIT_HOP, &(circuit_message_t){ .type = CIRCUIT_RESERVE });
    const circuit_message_t m = heard(s, CIRCUIT_HOP);
    ck_assert(s->ended && !s->reset);
    world_gone(s);
    return m;
}

static world_stream_t *connect_to(const peerid_t *from, const peerid_t *to)
{
    world_stream_t *s = world_hop(w, from);
    world_say(s, CIRCUIT_HOP, &(circuit_message_t){ .type = CIRCUIT_CONNECT, .peer = *to });
    return s;
}

static void take_call(world_stream_t *stop, uint32_t status)
{
    world_say(stop, CIRCUIT_STOP, &(circuit_message_t){ .type = CIRCUIT_STATUS, .status = status });
}

/* A circuit from ann to bob: its two streams. */
static void circuit(world_stream_t **hop, world_stream_t **stop)
{
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    *hop = connect_to(&ann, &bob);
    *stop = &w->streams[w->count - 1];
    take_call(*stop, CIRCUIT_OK);
    (void)heard(*stop, CIRCUIT_STOP);
    ck_assert_uint_eq(heard(*hop, CIRCUIT_HOP).status, CIRCUIT_OK);
}

static void refused_with(world_stream_t *s, uint32_t status)
{
    const circuit_message_t m = heard(s, CIRCUIT_HOP);
    ck_assert_uint_eq(m.type, CIRCUIT_STATUS);
    ck_assert_uint_eq(m.status, status);
    ck_assert(s->ended && !s->reset);
    world_gone(s);
}

START_TEST(a_place_is_given_with_its_time_addresses_and_a_voucher)
{
    maddr_t at[2];
    uint64_t expires;
    begin();
    ck_assert_int_eq(maddr_read_text(&at[0], NULL, view_str("/ip4/192.0.2.1/tcp/4001")), RC_OK);
    ck_assert_int_eq(maddr_read_text(&at[1], NULL, view_str("/ip4/192.0.2.1/udp/4001/quic-v1")), RC_OK);
    relay_addrs(w->relay, at, 2);
    const circuit_message_t m = reserve(&bob);
    ck_assert_uint_eq(m.status, CIRCUIT_OK);
    ck_assert_uint_eq(m.expires_s, NOW_S + RELAY_PLACE_S);
    ck_assert(m.limit.is_set && m.limit.duration_s == RELAY_DURATION_S && m.limit.bytes == RELAY_BYTES_MAX);
    ck_assert_uint_eq(m.addr_count, 2);
    maddr_t said;
    ck_assert_int_eq(maddr_read(&said, m.addrs[1]), RC_OK);
    ck_assert(peerid_eq(&said.peer, &self) && said.transport == MADDR_QUIC && !said.circuit);
    ck_assert_int_eq(circuit_voucher_open(&expires, m.voucher, &self, &bob), RC_OK);
    ck_assert_uint_eq(expires, m.expires_s);
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK); /* again: the same one */
    relay_count_t n;
    relay_counts(w->relay, &n);
    ck_assert(n.places == 1 && n.circuits == 0);
    end();
}
END_TEST

START_TEST(a_circuit_carries_bytes_both_ways)
{
    world_stream_t *hop, *stop;
    begin();
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    hop = connect_to(&ann, &bob);
    stop = &w->streams[w->count - 1];
    ck_assert(stop != hop && peerid_eq(&stop->peer, &bob) && hop->out_n == 0);
    circuit_message_t m = heard(stop, CIRCUIT_STOP);
    ck_assert(m.type == CIRCUIT_CONNECT && peerid_eq(&m.peer, &ann) && m.limit.bytes == RELAY_BYTES_MAX);
    take_call(stop, CIRCUIT_OK);
    m = heard(hop, CIRCUIT_HOP);
    ck_assert(m.status == CIRCUIT_OK && m.limit.duration_s == RELAY_DURATION_S);
    const uint64_t asked = hop->consumed, told = stop->consumed;
    relay_take(hop->leg, view_str("to bob"));
    relay_take(stop->leg, view_str("to ann!"));
    ck_assert(stop->out_n == 6 && memcmp(stop->out, "to bob", 6) == 0);
    ck_assert(hop->out_n == 7 && memcmp(hop->out, "to ann!", 7) == 0);
    ck_assert(hop->consumed == asked && stop->consumed == told); /* until it has left */
    relay_drained(stop->leg);
    ck_assert(hop->consumed == asked + 6 && stop->consumed == told);
    relay_drained(hop->leg);
    relay_drained(hop->leg);
    ck_assert_uint_eq(stop->consumed, told + 7);
    relay_count_t n;
    relay_counts(w->relay, &n);
    ck_assert(n.circuits == 1 && n.bytes == 13);
    end();
}
END_TEST

START_TEST(bytes_right_behind_the_targets_answer_are_the_circuits)
{
    uint8_t bytes[64];
    begin();
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    world_stream_t *hop = connect_to(&ann, &bob), *stop = &w->streams[w->count - 1];
    wr_t out = wr_of(bytes, sizeof bytes);
    circuit_write(&out, CIRCUIT_STOP, &(circuit_message_t){ .type = CIRCUIT_STATUS, .status = CIRCUIT_OK });
    wr_bytes(&out, "early", 5);
    for (size_t i = 0; i < out.n; i++) /* in the smallest portions */
        relay_take(stop->leg, view_of(bytes + i, 1));
    ck_assert_uint_eq(heard(hop, CIRCUIT_HOP).status, CIRCUIT_OK);
    ck_assert(hop->out_n == 5 && memcmp(hop->out, "early", 5) == 0);
    end();
}
END_TEST

START_TEST(each_refusal_has_its_status)
{
    begin();
    refused_with(connect_to(&ann, &bob), CIRCUIT_NO_RESERVATION);
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    refused_with(connect_to(&bob, &bob), CIRCUIT_PERMISSION_DENIED);
    refused_with(connect_to(&ann, &self), CIRCUIT_PERMISSION_DENIED);
    w->no_connection = true;
    refused_with(connect_to(&ann, &bob), CIRCUIT_CONNECTION_FAILED);
    w->no_connection = false;
    world_stream_t *s = world_hop(w, &ann);
    world_say(s, CIRCUIT_HOP, &(circuit_message_t){ .type = CIRCUIT_STATUS, .status = CIRCUIT_OK });
    refused_with(s, CIRCUIT_UNEXPECTED_MESSAGE);
    s = world_hop(w, &ann);
    relay_take(s->leg, view_of("\x02\x08\x07", 3));
    refused_with(s, CIRCUIT_MALFORMED_MESSAGE);
    s = world_hop(w, &ann);
    relay_take(s->leg, view_of("\x02\x08\x00\x00", 4)); /* RESERVE, and a byte that nobody asked for */
    refused_with(s, CIRCUIT_UNEXPECTED_MESSAGE);
    s = connect_to(&ann, &bob);
    take_call(&w->streams[w->count - 1], CIRCUIT_CONNECTION_FAILED);
    ck_assert(w->streams[w->count - 1].reset);
    refused_with(s, CIRCUIT_CONNECTION_FAILED);
    s = connect_to(&ann, &bob); /* speaks before the answer */
    relay_take(s->leg, view_str("x"));
    refused_with(s, CIRCUIT_CONNECTION_FAILED);
    relay_left(w->relay, &bob);
    refused_with(connect_to(&ann, &bob), CIRCUIT_NO_RESERVATION);
    end();
}
END_TEST

START_TEST(places_and_circuits_are_bounded)
{
    peerid_t other;
    char word[16];
    world_stream_t *hop = NULL;
    begin();
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    for (unsigned i = 1; i < RELAY_PLACES_MAX; i++) {
        snprintf(word, sizeof word, "peer %u", i);
        name(&other, word);
        ck_assert_uint_eq(reserve(&other).status, CIRCUIT_OK);
    }
    ck_assert_uint_eq(reserve(&ann).status, CIRCUIT_RESERVATION_REFUSED);
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    for (unsigned i = 0; i < RELAY_CIRCUITS_PER_PEER; i++)
        ck_assert_uint_eq((hop = connect_to(&ann, &bob))->out_n, 0);
    refused_with(connect_to(&cid, &bob), CIRCUIT_RESOURCE_LIMIT_EXCEEDED); /* the target has enough */
    refused_with(connect_to(&ann, &other), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
    world_gone(hop);
    ck_assert_uint_eq(connect_to(&cid, &bob)->out_n, 0);
    end();
}
END_TEST

START_TEST(all_circuits_together_are_bounded)
{
    peerid_t to, from;
    char word[16];
    begin();
    for (unsigned i = 0; i < RELAY_CIRCUITS_MAX; i++) {
        snprintf(word, sizeof word, "target %u", i / RELAY_CIRCUITS_PER_PEER);
        name(&to, word);
        snprintf(word, sizeof word, "from %u", i / RELAY_CIRCUITS_PER_PEER);
        name(&from, word);
        if (i % RELAY_CIRCUITS_PER_PEER == 0)
            ck_assert_uint_eq(reserve(&to).status, CIRCUIT_OK);
        ck_assert_uint_eq(connect_to(&from, &to)->out_n, 0);
    }
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    refused_with(connect_to(&ann, &bob), CIRCUIT_RESOURCE_LIMIT_EXCEEDED);
    end();
}
END_TEST

START_TEST(streams_that_say_nothing_are_few_and_have_their_time)
{
    world_stream_t *s = NULL;
    begin();
    for (unsigned i = 0; i < RELAY_ASKED_MAX; i++)
        ck_assert_ptr_nonnull((s = world_hop(w, &ann))->leg);
    ck_assert_ptr_null(world_hop(w, &ann)->leg);
    ck_assert_ptr_nonnull(world_hop(w, &bob)->leg);
    relay_take(s->leg, view_of("\x02\x08", 2));
    ck_assert_uint_eq(relay_turn(w->relay, 1000 + RELAY_ANSWER_MS - 1, NOW_S), 1000 + RELAY_ANSWER_MS);
    ck_assert(!s->reset);
    ck_assert_uint_eq(relay_turn(w->relay, 1000 + RELAY_ANSWER_MS, NOW_S), UINT64_MAX);
    ck_assert(s->reset && !s->leg);
    end();
}
END_TEST

START_TEST(a_target_that_does_not_answer_has_its_time)
{
    begin();
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    world_stream_t *hop = connect_to(&ann, &bob), *stop = &w->streams[w->count - 1];
    (void)relay_turn(w->relay, 1000 + RELAY_ANSWER_MS, NOW_S);
    ck_assert(stop->reset && !stop->leg);
    refused_with(hop, CIRCUIT_CONNECTION_FAILED);
    end();
}
END_TEST

START_TEST(who_was_answered_and_stays_is_reset)
{
    begin();
    world_stream_t *s = connect_to(&ann, &bob);
    ck_assert(s->ended && s->leg);
    const uint64_t before = s->consumed;
    relay_take(s->leg, view_str("more"));
    ck_assert_uint_eq(s->consumed, before + 4); /* taken and thrown away */
    (void)relay_turn(w->relay, 1000 + RELAY_ANSWER_MS, NOW_S);
    ck_assert(s->reset && !s->leg);
    end();
}
END_TEST

START_TEST(a_place_ends_with_its_time)
{
    begin();
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    ck_assert_uint_eq(relay_turn(w->relay, 2000, NOW_S), 1000 + RELAY_PLACE_S * 1000u);
    (void)relay_turn(w->relay, 1000 + RELAY_PLACE_S * 1000u, NOW_S + RELAY_PLACE_S);
    refused_with(connect_to(&ann, &bob), CIRCUIT_NO_RESERVATION);
    end();
}
END_TEST

START_TEST(a_circuit_ends_with_its_time_and_its_bytes)
{
    static uint8_t much[1 << 20];
    world_stream_t *hop, *stop;
    begin();
    circuit(&hop, &stop);
    ck_assert_uint_eq(relay_turn(w->relay, 2000, NOW_S), 1000 + RELAY_PLACE_S * 1000u);
    (void)relay_turn(w->relay, 1000 + RELAY_DURATION_S * 1000u, NOW_S);
    ck_assert(hop->reset && stop->reset && !hop->leg && !stop->leg);
    circuit(&hop, &stop);
    const uint64_t before = stop->written;
    for (unsigned i = 0; i < RELAY_BYTES_MAX / sizeof much; i++)
        relay_take(hop->leg, view_of(much, sizeof much));
    ck_assert(!hop->reset);
    relay_take(stop->leg, view_of(much, sizeof much)); /* the other way has its own */
    ck_assert(!hop->reset);
    relay_take(hop->leg, view_of(much, 1));
    ck_assert(hop->reset && stop->reset && stop->written == before + RELAY_BYTES_MAX);
    end();
}
END_TEST

START_TEST(each_end_of_a_circuit_may_end_before_the_other)
{
    for (unsigned i = 0; i < 4; i++) {
        world_stream_t *hop, *stop, *first, *second;
        begin();
        circuit(&hop, &stop);
        first = i & 1 ? stop : hop;
        second = i & 1 ? hop : stop;
        relay_ended(first->leg);
        ck_assert(second->ended && !first->ended);
        relay_take(second->leg, view_str("still"));
        ck_assert(first->out_n == 5 && !first->reset);
        if (i & 2) { /* all was said: what waits may leave */
            relay_ended(second->leg);
            ck_assert(first->ended);
            world_gone(first);
            ck_assert(!second->reset);
            (void)relay_turn(w->relay, 1000 + RELAY_ANSWER_MS, NOW_S);
            ck_assert(!second->reset);
            (void)relay_turn(w->relay, 1000 + RELAY_DURATION_S * 1000u, NOW_S);
            ck_assert(second->reset);
        } else {
            world_gone(first); /* in the middle */
            ck_assert(second->reset && !second->leg);
        }
        end();
    }
}
END_TEST

START_TEST(an_end_that_is_gone_takes_the_other_along)
{
    world_stream_t *hop, *stop;
    begin();
    ck_assert_uint_eq(reserve(&bob).status, CIRCUIT_OK);
    hop = connect_to(&ann, &bob); /* the one that asked, before the answer */
    stop = &w->streams[w->count - 1];
    world_gone(hop);
    ck_assert(stop->reset && !stop->leg);
    hop = connect_to(&ann, &bob); /* the target, before its answer: it does not serve the protocol */
    world_gone(&w->streams[w->count - 1]);
    refused_with(hop, CIRCUIT_CONNECTION_FAILED);
    hop = connect_to(&ann, &bob); /* it ends without one */
    relay_ended(w->streams[w->count - 1].leg);
    refused_with(hop, CIRCUIT_CONNECTION_FAILED);
    hop = connect_to(&ann, &bob); /* the one that asked wants no more */
    stop = &w->streams[w->count - 1];
    relay_ended(hop->leg);
    ck_assert(stop->reset);
    refused_with(hop, CIRCUIT_CONNECTION_FAILED);
    hop = world_hop(w, &ann);
    relay_ended(hop->leg);
    ck_assert(hop->reset && !hop->leg);
    end();
}
END_TEST

START_TEST(what_cannot_be_written_ends_a_circuit)
{
    world_stream_t *hop, *stop;
    begin();
    circuit(&hop, &stop);
    w->no_room = true;
    relay_take(hop->leg, view_str("x"));
    ck_assert(hop->reset && stop->reset && !hop->leg && !stop->leg);
    hop = connect_to(&ann, &bob); /* neither the call nor the refusal */
    ck_assert(hop->reset && w->streams[w->count - 1].reset);
    w->no_room = false;
    hop = connect_to(&ann, &bob);
    stop = &w->streams[w->count - 1];
    w->no_room = true;
    relay_take(stop->leg, view_of("\x04\x08\x01\x20\x64 more", 10));
    ck_assert(hop->reset && stop->reset && !stop->leg);
    end();
}
END_TEST

int main(void)
{
    return UNIT_RUN("relay", a_place_is_given_with_its_time_addresses_and_a_voucher, a_circuit_carries_bytes_both_ways,
                    bytes_right_behind_the_targets_answer_are_the_circuits, each_refusal_has_its_status,
                    places_and_circuits_are_bounded, all_circuits_together_are_bounded,
                    streams_that_say_nothing_are_few_and_have_their_time, a_target_that_does_not_answer_has_its_time,
                    who_was_answered_and_stays_is_reset, a_place_ends_with_its_time,
                    a_circuit_ends_with_its_time_and_its_bytes, each_end_of_a_circuit_may_end_before_the_other,
                    an_end_that_is_gone_takes_the_other_along, what_cannot_be_written_ends_a_circuit);
}
