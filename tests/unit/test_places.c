/* Places at relays: asked for, kept, given up and asked for elsewhere; the addresses that come of them; what a relay
 * may not say. */
#include "overlay/places.h"
#include "overlay/wire/proto.h"
#include "tests/unit/wire_id.h"

#define NOW_S 1700000000u
#define RELAYS 4

typedef struct {
    bool open, ended, reset;
    unsigned times;
    int stream; /* its address is the handle */
} relay_side_t;

static struct {
    places_t *places;
    peerid_t self, relay[RELAYS];
    wire_id_t id[RELAYS];
    maddr_t at[RELAYS];
    relay_side_t side[RELAYS];
    bool no_stream, no_room;
    unsigned changes;
    uint64_t next_ms;
} w;

static void *open_hop(void *ctx, const peerid_t *relay)
{
    (void)ctx;
    for (size_t i = 0; i < RELAYS && !w.no_stream; i++)
        if (peerid_eq(relay, &w.relay[i])) {
            ck_assert(!w.side[i].open);
            w.side[i] = (relay_side_t){ .open = true, .times = w.side[i].times + 1 };
            return &w.side[i].stream;
        }
    return NULL;
}

static relay_side_t *side_of(void *stream)
{
    return (relay_side_t *)(void *)((uint8_t *)stream - offsetof(relay_side_t, stream));
}

static rc_t send_bytes(void *ctx, void *stream, view_t bytes)
{
    (void)ctx;
    ck_assert(side_of(stream)->open);
    CK_VIEW_IS(bytes, "020800");
    return w.no_room ? RC_LIMIT : RC_OK;
}

static void end_stream(void *ctx, void *stream)
{
    (void)ctx;
    side_of(stream)->ended = true;
    side_of(stream)->open = false;
}

static void reset_stream(void *ctx, void *stream)
{
    (void)ctx;
    side_of(stream)->reset = true;
    side_of(stream)->open = false;
    places_gone(w.places, stream); /* as net_reset does */
}

static void changed(void *ctx)
{
    (void)ctx;
    w.changes++;
}

static void begin(void)
{
    char text[64];
    wire_id_t me;
    memset(&w, 0, sizeof w);
    wire_ed25519(&me, "me");
    peerid_of(&w.self, &me.who.key);
    const places_config_t c = { w.self, open_hop, send_bytes, end_stream, reset_stream, changed, NULL };
    ck_assert_int_eq(places_new(&w.places, &c), RC_OK);
    (void)places_turn(w.places, 1000, NOW_S);
    for (size_t i = 0; i < RELAYS; i++) {
        snprintf(text, sizeof text, "relay %zu", i);
        wire_ed25519(&w.id[i], text);
        peerid_of(&w.relay[i], &w.id[i].who.key);
        snprintf(text, sizeof text, "/ip4/192.0.2.%zu/tcp/4001", i + 1);
        ck_assert_int_eq(maddr_read_text(&w.at[i], NULL, view_str(text)), RC_OK);
    }
}

static void turn(uint64_t now_ms)
{
    w.next_ms = places_turn(w.places, now_ms, NOW_S + now_ms / 1000);
}

/* A relay answers. */
static void say(size_t i, circuit_message_t *m)
{
    uint8_t bytes[CIRCUIT_MESSAGE_MAX], voucher[CIRCUIT_VOUCHER_MAX];
    wr_t out = wr_of(bytes, sizeof bytes), v = wr_of(voucher, sizeof voucher);
    if (m->has_reservation && !m->voucher.n) {
        ck_assert_int_eq(circuit_voucher_write(&v, &w.id[i].who, &w.self, m->expires_s), RC_OK);
        m->voucher = wr_view(&v);
    }
    m->type = CIRCUIT_STATUS;
    circuit_write(&out, CIRCUIT_HOP, m);
    ck_assert(!out.bad && w.side[i].open);
    places_take(w.places, &w.side[i].stream, wr_view(&out));
}

static void give(size_t i, uint64_t expires_s)
{
    say(i, &(circuit_message_t){ .has_reservation = true, .expires_s = expires_s, .status = CIRCUIT_OK });
}

START_TEST(places_are_asked_for_and_kept)
{
    begin();
    for (size_t i = 0; i < RELAYS; i++)
        places_relay(w.places, &w.relay[i], &w.at[i]);
    turn(1000);
    ck_assert(w.side[0].open && w.side[1].open && !w.side[2].times && !w.side[3].times);
    give(0, NOW_S + 1 + 3600);
    give(1, NOW_S + 1 + 7200);
    ck_assert(w.side[0].ended && !w.side[0].reset && w.changes == 2);
    ck_assert_uint_eq(places_count(w.places), 2);
    turn(2000);
    ck_assert_uint_eq(w.next_ms, 1000 + 1800 * 1000); /* half of the time of the first */
    turn(1000 + 1800 * 1000);
    ck_assert(w.side[0].open && w.side[0].times == 2 && !w.side[1].open);
    give(0, NOW_S + 5400);
    ck_assert_uint_eq(w.changes, 2); /* nothing new */
    turn(1000 + 1800 * 1000 + 1);
    ck_assert(!w.side[0].open);
    places_free(w.places);
}
END_TEST

START_TEST(the_addresses_lead_through_the_relay_to_us)
{
    maddr_t got[8], own;
    uint8_t bytes[4][MADDR_BYTES_MAX];
    circuit_message_t m = { .has_reservation = true, .expires_s = NOW_S + 100, .addr_count = 4, .status = CIRCUIT_OK };
    begin();
    places_relay(w.places, &w.relay[0], &w.at[0]);
    turn(1000);
    ck_assert_uint_eq(places_addrs(w.places, got, 8), 0);
    for (size_t i = 0; i < 4; i++) {
        own = w.at[i == 1 ? 1 : 0];
        own.peer = w.relay[i == 2 ? 3 : 0]; /* the third is of another peer; 0 is the one that we know */
        own.circuit = i == 3;               /* the fourth a relay behind a relay */
        wr_t b = wr_of(bytes[i], MADDR_BYTES_MAX);
        maddr_write(&b, &own);
        m.addrs[i] = wr_view(&b);
    }
    say(0, &m);
    ck_assert_uint_eq(places_addrs(w.places, got, 8), 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert(got[i].circuit && peerid_eq(&got[i].peer, &w.relay[0]) && peerid_eq(&got[i].target, &w.self));
        ck_assert_uint_eq(got[i].ip[3], i + 1);
    }
    ck_assert_uint_eq(places_addrs(w.places, got, 1), 1);
    places_left(w.places, &w.relay[0]);
    ck_assert_uint_eq(places_addrs(w.places, got, 8), 0);
    ck_assert_uint_eq(w.changes, 2);
    places_free(w.places);
}
END_TEST

/* A relay's answer that gives no place. */
static const struct {
    const char *what;
    circuit_message_t m;
    size_t signer;
} refusals[] = {
    { "refused", { .status = CIRCUIT_RESERVATION_REFUSED }, 0 },
    { "OK without a reservation", { .status = CIRCUIT_OK }, 0 },
    { "over already", { .status = CIRCUIT_OK, .has_reservation = true, .expires_s = NOW_S }, 0 },
    { "a voucher of another", { .status = CIRCUIT_OK, .has_reservation = true, .expires_s = NOW_S + 100 }, 3 },
};

START_TEST(who_gives_none_is_asked_again_later_each_time)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        circuit_message_t m = refusals[i].m;
        uint64_t now = 1000;
        begin();
        w.id[0] = w.id[refusals[i].signer];
        places_relay(w.places, &w.relay[0], &w.at[0]);
        for (uint64_t wait = PLACES_AGAIN_MS; wait < PLACES_AGAIN_MAX_MS; wait *= 2) {
            turn(now);
            m.expires_s += m.expires_s > NOW_S ? now / 1000 : 0;
            m.voucher.n = 0;
            say(0, &m);
            ck_assert_msg(w.side[0].reset && !places_count(w.places) && !w.changes, "%s", refusals[i].what);
            turn(now);
            ck_assert_uint_eq(w.next_ms, now + wait);
            now += wait;
        }
        places_free(w.places);
    }
}
END_TEST

START_TEST(another_relay_is_asked_when_one_fails)
{
    begin();
    for (size_t i = 0; i < RELAYS; i++)
        places_relay(w.places, &w.relay[i], &w.at[i]);
    turn(1000);
    give(0, NOW_S + 3600);
    say(1, &(circuit_message_t){ .status = CIRCUIT_RESERVATION_REFUSED });
    turn(1000);
    ck_assert(w.side[2].open && !w.side[3].times);
    turn(1000 + PLACES_ANSWER_MS); /* it is late; the time of the other has come again */
    ck_assert(w.side[2].reset && w.side[1].open && !w.side[3].times);
    w.side[1].open = false;
    places_gone(w.places, &w.side[1].stream);
    places_left(w.places, &w.relay[0]);
    turn(1000 + PLACES_ANSWER_MS);
    ck_assert(w.side[3].open && !w.side[1].open && !w.side[2].open);
    places_free(w.places);
}
END_TEST

START_TEST(a_place_that_is_not_renewed_ends)
{
    begin();
    places_relay(w.places, &w.relay[0], &w.at[0]);
    turn(1000);
    give(0, NOW_S + 1 + 3600);
    w.no_stream = true;
    turn(1000 + 1800 * 1000);
    ck_assert_uint_eq(places_count(w.places), 1);
    w.no_stream = false;
    w.no_room = true;
    turn(1000 + 1800 * 1000 + PLACES_AGAIN_MS);
    ck_assert(w.side[0].reset && places_count(w.places) == 1);
    turn(1000 + 3600 * 1000);
    ck_assert(places_count(w.places) == 0 && w.changes == 2);
    places_free(w.places);
}
END_TEST

START_TEST(a_place_never_counts_for_longer_than_a_day)
{
    begin();
    places_relay(w.places, &w.relay[0], &w.at[0]);
    turn(1000);
    give(0, UINT64_MAX);
    turn(2000);
    ck_assert_uint_eq(w.next_ms, 1000 + PLACES_LIFE_MAX_S * 500ull);
    places_free(w.places);
}
END_TEST

START_TEST(bytes_of_an_answer_may_come_one_by_one)
{
    begin();
    places_relay(w.places, &w.relay[0], &w.at[0]);
    turn(1000);
    places_take(w.places, &w.side[0].stream, view_of("\x05\x08\x02\x28", 4));
    ck_assert(w.side[0].open);
    places_take(w.places, &w.side[0].stream, view_of("\xc8", 1));
    ck_assert(w.side[0].open);
    places_take(w.places, &w.side[0].stream, view_of("\x01", 1));
    ck_assert(w.side[0].reset);
    places_take(w.places, &w.side[0].stream, view_of("\x01", 1)); /* nobody's any more */
    places_gone(w.places, &w.side[0].stream);
    places_free(w.places);
}
END_TEST

START_TEST(relays_are_bounded_and_never_behind_another)
{
    begin();
    maddr_t behind = w.at[0];
    behind.circuit = true;
    places_relay(w.places, &w.relay[0], &behind);
    turn(1000);
    ck_assert_uint_eq(w.side[0].times, 0);
    for (unsigned i = 0; i < PLACES_RELAYS_MAX; i++) {
        char word[16];
        wire_id_t other;
        peerid_t id;
        snprintf(word, sizeof word, "peer %u", i);
        wire_ed25519(&other, word);
        peerid_of(&id, &other.who.key);
        places_relay(w.places, &id, &w.at[1]);
    }
    places_relay(w.places, &w.relay[0], &w.at[0]);
    places_left(w.places, &w.relay[0]); /* was never there */
    turn(1000);
    ck_assert_uint_eq(w.side[0].times, 0);
    places_free(w.places);
    places_free(NULL);
}
END_TEST

int main(void)
{
    return UNIT_RUN("places", places_are_asked_for_and_kept, the_addresses_lead_through_the_relay_to_us,
                    who_gives_none_is_asked_again_later_each_time, another_relay_is_asked_when_one_fails,
                    a_place_that_is_not_renewed_ends, a_place_never_counts_for_longer_than_a_day,
                    bytes_of_an_answer_may_come_one_by_one, relays_are_bounded_and_never_behind_another);
}
