/* Noise XX of libp2p: the known transcript, both ends against each other, every truncation and bit, low-order keys. */
#include "base/crypto/curve25519.h"
#include "overlay/wire/noise.h"
#include "tests/unit/wire_id.h"

#define YAMUX "/yamux/1.0.0"

/* Source: overlay-facts section 6: keys are SHA-256 of the words below, made by code that talks to js-libp2p. */
static const char message1[] = "9d6ee4ab0230bc118aa0502befd6d9bb92dfdf4026285fb1623e040f5fa17e40";
static const char message2[] =
    "62fa6960ca02a4342d89805cb48c75279b93017e38070ed17c65312e405e36609fc18aca2867a12b68e1e29ad96ba56f884b7820"
    "452f8001739bea8f795c1e0160caf3e281e93320df86fb7219c43ee57a9d8a3a2bb8f0fb5af930ccd35fee44efaadafccacc57ff"
    "dca62ac5a7d09a8ad42e0bb6a47b0f80db53c27f66f942b9551ad344ab2b974f8099b52428a384c17846ae3dc53e52e77064d605"
    "d7f17d5b7da2b14659e46cf7a187980ff5911d8e7a3da4ee956e0c3adb6974aded20b73566362e16d105cb310e7a7510c63412cb"
    "cee54e66d4d46525";
static const char message3[] =
    "2efae7d12a05c8d6727bee6bf198f86ac0bd1011ed1535298dbbbe65c618af6948aae2246ddd212fbf627890586d069333b0b08a"
    "9648f5b9569bd3391d9d41b32e14daccc2d94c0b758b81c3e54486c78e214d642e1a325b202ef19d78462d9607396dc928ce4554"
    "1581885f5827a62d7bb5d77aa6285ebebfb6304d0421029e02f339230b22763f015661ee5f7be11fff09eec7216b69c0ac413392"
    "e665b8cffc64e94f6ae28edafdd3189d15a7c855265c1cd5b339fc38";
#define HASH "1b584bc12879453e6cb85418b4099f7dca26734fe69a57331bb17e946b52a6d7"
#define K1 "25c2377232d27dfce5b778a687633027f22930f41f93e03cc6bd40bf4dbee98f"
#define K2 "39de30d7449d2cbf51ab220c8fdb6a6e1905b05d265255c3dfea10eab45aa178"
#define HELLO "4b0bf19149bb3d85fd3fdcaf2db4f47d02398d25d7"
#define INITIATOR "12D3KooWS8DbpCoMM74ELA8s5Gr4pX5dZauzACjcR6UnPiPcgX9L"
#define RESPONDER "12D3KooWMGzKeLHydXsxpWB18NWa1o8BRXEkiXoy2mWDfvGTKGU4"

static wire_id_t ids[2];
static noise_t ends[2];
static uint8_t buf[4096 + 2];
static const char *const muxers[2] = { YAMUX, YAMUX };

static void begin(const char *const offered[2], const peerid_t *expected)
{
    static const char *const words[2][3] = {
        { "initiator-identity", "initiator-ephemeral", "initiator-static" },
        { "responder-identity", "responder-ephemeral", "responder-static" },
    };
    for (int i = 0; i < 2; i++) {
        hash32_t e, s;
        wire_ed25519(&ids[i], words[i][0]);
        sha256(&e, view_str(words[i][1]));
        sha256(&s, view_str(words[i][2]));
        const noise_config_t c = { .initiator = i == 0,
                                   .who = &ids[i].who,
                                   .expected = i == 0 ? expected : NULL,
                                   .muxer = offered[i],
                                   .ephemeral = e.b,
                                   .static_key = s.b };
        noise_init(&ends[i], &c);
    }
}

/* The next message, with its length. */
static view_t next(int from)
{
    wr_t w = wr_of(buf, sizeof buf);
    ck_assert(noise_writes(&ends[from]) && !noise_writes(&ends[1 - from]));
    ck_assert_int_eq(noise_write(&ends[from], &w), RC_OK);
    ck_assert_uint_eq(w.n, 2u + (size_t)(buf[0] << 8 | buf[1]));
    return view_of(buf + 2, w.n - 2);
}

static rc_t step(int from)
{
    return noise_read(&ends[1 - from], NULL, next(from));
}

START_TEST(the_transcript_is_the_known_one)
{
    uint8_t sealed[64], plain[64];
    char text[PEERID_TEXT_MAX + 1];
    static const char *const messages[] = { message1, message2, message3 };
    begin(muxers, NULL);
    for (int i = 0; i < 3; i++) {
        view_t m = next(i % 2);
        CK_VIEW_IS(m, messages[i]);
        err_t e;
        err_clear(&e);
        ck_assert_msg(noise_read(&ends[1 - i % 2], &e, m) == RC_OK, "%s", e.text);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert(ends[i].state == NOISE_OPEN && ends[i].muxer_agreed);
        CK_VIEW_IS(view_of(ends[i].hash.b, 32), HASH);
        CK_VIEW_IS(view_of(i ? ends[i].receive.k : ends[i].send.k, 32), K1);
        CK_VIEW_IS(view_of(i ? ends[i].send.k : ends[i].receive.k, 32), K2);
        peerid_text(text, &ends[i].peer);
        ck_assert_str_eq(text, i ? INITIATOR : RESPONDER);
        ck_assert_mem_eq(ends[i].peer_static, ends[1 - i].static_public, 32);
        ck_assert(hostkey_eq(&ends[i].peer_key, &ids[1 - i].who.key));
    }
    wr_t w = wr_of(sealed, sizeof sealed);
    ck_assert_int_eq(noise_seal(&ends[0], &w, view_str("hello")), RC_OK);
    CK_VIEW_IS(wr_view(&w), "0015" HELLO);
    ck_assert_int_eq(noise_open(&ends[1], plain, view_of(sealed + 2, w.n - 2)), RC_OK);
    ck_assert_mem_eq(plain, "hello", 5);
}
END_TEST

/* A cut, longer or changed message is refused, whichever of the three it is, and the machine stays so. */
static void spoil(int message, size_t n, size_t at, int change)
{
    uint8_t body[512];
    begin(muxers, NULL);
    for (int i = 0; i < message; i++)
        ck_assert_int_eq(step(i % 2), RC_OK);
    view_t m = next(message % 2);
    memcpy(body, m.p, m.n);
    memset(body + m.n, 0, sizeof body - m.n);
    body[at] ^= (uint8_t)change;
    noise_t *reader = &ends[1 - message % 2];
    err_t e;
    uint8_t *exact = wire_exact(view_of(body, n));
    rc_t rc = noise_read(reader, &e, view_of(exact, n));
    free(exact);
    /* the first message is in clear: another ephemeral key shows in the second */
    if (message == 0 && n == 32) {
        ck_assert_int_eq(rc, RC_OK);
        ck_assert_int_ne(step(1), RC_OK);
        return;
    }
    ck_assert_msg(rc != RC_OK && reader->state == NOISE_FAILED && e.text[0], "message %d, %zu bytes, %zu", message, n,
                  at);
    ck_assert_int_eq(noise_read(reader, &e, m), RC_MALFORMED);
}

START_TEST(no_message_may_be_cut_or_changed)
{
    static const size_t lengths[] = { 32, 32 + 48 + 136, 48 + 136 };
    for (int m = 0; m < 3; m++) {
        for (size_t n = 0; n < lengths[m]; n++)
            spoil(m, n, 511, 0);
        spoil(m, lengths[m] + 1, 511, 0);
        for (size_t at = 0; at < lengths[m]; at++)
            spoil(m, lengths[m], at, 1 << (at % 7)); /* not bit 255 of a key, which X25519 ignores */
    }
}
END_TEST

START_TEST(small_order_keys_are_refused)
{
    /* Source: RFC 7748 section 6.1 and cr.yp.to/ecdh.html: points whose multiples are all zero. */
    static const char *const low[] = { "0000000000000000000000000000000000000000000000000000000000000000",
                                       "0100000000000000000000000000000000000000000000000000000000000000",
                                       "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                                       "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" };
    for (size_t i = 0; i < sizeof low / sizeof low[0]; i++) {
        uint8_t key[32], out[512];
        begin(muxers, NULL);
        (void)next(0);
        ck_assert_int_eq(noise_read(&ends[1], NULL, wire_hex(key, sizeof key, low[i])), RC_OK);
        wr_t w = wr_of(out, sizeof out);
        ck_assert_int_eq(noise_write(&ends[1], &w), RC_REFUSED);
        ck_assert_int_eq(ends[1].state, NOISE_FAILED);
    }
    uint8_t body[512];
    begin(muxers, NULL);
    ck_assert_int_eq(step(0), RC_OK);
    view_t m = next(1);
    memcpy(body, m.p, m.n);
    memset(body, 0, 32);
    ck_assert_int_eq(noise_read(&ends[0], NULL, view_of(body, m.n)), RC_REFUSED);
}
END_TEST

START_TEST(messages_have_their_turn)
{
    begin(muxers, NULL);
    wr_t w = wr_of(buf, sizeof buf);
    ck_assert_int_eq(noise_write(&ends[1], &w), RC_BUG);
    begin(muxers, NULL);
    ck_assert_int_eq(noise_read(&ends[0], NULL, view_of(buf, 32)), RC_MALFORMED);
    /* a message that came twice */
    begin(muxers, NULL);
    view_t m = next(0);
    ck_assert_int_eq(noise_read(&ends[1], NULL, m), RC_OK);
    ck_assert_int_eq(noise_read(&ends[1], NULL, m), RC_MALFORMED);
    /* no room */
    begin(muxers, NULL);
    wr_t small = wr_of(buf, 20);
    ck_assert_int_eq(noise_write(&ends[0], &small), RC_BUG);
    /* too long a message */
    begin(muxers, NULL);
    ck_assert_int_eq(noise_read(&ends[1], NULL, view_of(buf, NOISE_HANDSHAKE_MAX + 1)), RC_LIMIT);
}
END_TEST

START_TEST(the_dialled_peer_must_answer)
{
    peerid_t id;
    wire_ed25519(&ids[1], "responder-identity");
    peerid_of(&id, &ids[1].who.key);
    begin(muxers, &id);
    ck_assert(step(0) == RC_OK && step(1) == RC_OK);
    wire_id_t other;
    wire_ed25519(&other, "other");
    peerid_of(&id, &other.who.key);
    begin(muxers, &id);
    ck_assert_int_eq(step(0), RC_OK);
    ck_assert_int_eq(step(1), RC_REFUSED);
}
END_TEST

START_TEST(a_host_key_cannot_be_borrowed)
{
    begin(muxers, NULL);
    ids[1].who.key = ids[0].who.key; /* claims the other's key, and signs with its own */
    ck_assert_int_eq(step(0), RC_OK);
    ck_assert_int_eq(step(1), RC_REFUSED);
}
END_TEST

START_TEST(muxers_are_agreed_or_left_open)
{
    static const struct {
        const char *offered[2];
        rc_t second; /* of reading message 2 */
        bool agreed;
    } rows[] = { { { YAMUX, YAMUX }, RC_OK, true },
                 { { YAMUX, NULL }, RC_OK, false },
                 { { NULL, YAMUX }, RC_OK, false },
                 { { NULL, NULL }, RC_OK, false },
                 { { YAMUX, "/mplex/6.7.0" }, RC_UNSUPPORTED, false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].offered, NULL);
        ck_assert_int_eq(step(0), RC_OK);
        ck_assert_int_eq(step(1), rows[i].second);
        if (rows[i].second)
            continue;
        ck_assert_int_eq(step(0), RC_OK);
        ck_assert(ends[0].muxer_agreed == rows[i].agreed && ends[1].muxer_agreed == rows[i].agreed);
    }
}
END_TEST

START_TEST(secp256k1_identities_do_too)
{
    wire_id_t id;
    wire_secp256k1(&id, "static node key");
    begin(muxers, NULL);
    ends[1].config.who = &id.who;
    ck_assert(step(0) == RC_OK && step(1) == RC_OK && step(0) == RC_OK);
    ck_assert(hostkey_eq(&ends[0].peer_key, &id.who.key));
    wire_id_clear(&id);
}
END_TEST

static void open_both(void)
{
    begin(muxers, NULL);
    ck_assert(step(0) == RC_OK && step(1) == RC_OK && step(0) == RC_OK);
}

START_TEST(records_are_in_order_whole_and_bounded)
{
    uint8_t one[64], two[64], plain[64];
    open_both();
    wr_t a = wr_of(one, sizeof one), b = wr_of(two, sizeof two);
    ck_assert(noise_seal(&ends[0], &a, view_str("one")) == RC_OK && noise_seal(&ends[0], &b, view_str("two")) == RC_OK);
    noise_t before = ends[1];
    ck_assert_int_eq(noise_open(&ends[1], plain, view_of(two + 2, b.n - 2)), RC_REFUSED); /* out of order */
    ck_assert_int_eq(noise_open(&ends[1], plain, view_of(one + 2, a.n - 2)), RC_REFUSED); /* and it is over */
    for (size_t n = 0; n < a.n - 2; n++) {
        ends[1] = before;
        ck_assert_int_ne(noise_open(&ends[1], plain, view_of(one + 2, n)), RC_OK);
        ends[1] = before;
        one[2 + n] ^= 4;
        ck_assert_int_eq(noise_open(&ends[1], plain, view_of(one + 2, a.n - 2)), RC_REFUSED);
        one[2 + n] ^= 4;
    }
    ends[1] = before;
    ck_assert_int_eq(noise_open(&ends[1], plain, view_of(one + 2, a.n - 2)), RC_OK);
    ck_assert_int_eq(noise_open(&ends[1], plain, view_of(two + 2, b.n - 2)), RC_OK);
    ck_assert_int_eq(noise_open(&ends[1], plain, view_of(two + 2, b.n - 2)), RC_REFUSED); /* replayed */

    uint8_t *big = calloc(1, NOISE_PLAIN_MAX + 1), *out = malloc(2 + NOISE_RECORD_MAX);
    open_both();
    wr_t w = wr_of(out, 2 + NOISE_RECORD_MAX);
    ck_assert_int_eq(noise_seal(&ends[0], &w, view_of(big, NOISE_PLAIN_MAX + 1)), RC_LIMIT);
    ck_assert_int_eq(noise_seal(&ends[0], &w, view_of(big, NOISE_PLAIN_MAX)), RC_OK);
    ck_assert(w.n == 2 + NOISE_RECORD_MAX && out[0] == 0xff && out[1] == 0xff);
    ck_assert_int_eq(noise_seal(&ends[0], &w, view_str("x")), RC_BUG);
    ck_assert_int_eq(noise_open(&ends[1], out + 2, view_of(out + 2, NOISE_RECORD_MAX)), RC_OK);
    free(big);
    free(out);
}
END_TEST

START_TEST(counters_do_not_wrap)
{
    uint8_t out[64];
    open_both();
    ends[0].send.n = UINT64_MAX - 1;
    ends[1].receive.n = UINT64_MAX - 1;
    wr_t w = wr_of(out, sizeof out);
    ck_assert_int_eq(noise_seal(&ends[0], &w, view_str("x")), RC_OK);
    ck_assert_int_eq(noise_open(&ends[1], out, view_of(out + 2, w.n - 2)), RC_OK);
    w.n = 0;
    ck_assert_int_eq(noise_seal(&ends[0], &w, view_str("x")), RC_LIMIT);
    ck_assert_int_eq(noise_open(&ends[1], out, view_of(out + 2, 17)), RC_LIMIT);
}
END_TEST

START_TEST(keys_are_wiped)
{
    open_both();
    for (size_t i = 0; i < 32; i++)
        ck_assert(!ends[0].e[i] && !ends[0].s[i] && !ends[0].ck[i] && !ends[0].cipher.k[i]);
    noise_clear(&ends[0]);
    for (size_t i = 0; i < 32; i++)
        ck_assert(!ends[0].send.k[i] && !ends[0].receive.k[i]);
    ck_assert_int_eq(ends[0].state, NOISE_FAILED);
}
END_TEST

int main(void)
{
    return UNIT_RUN("noise", the_transcript_is_the_known_one, no_message_may_be_cut_or_changed,
                    small_order_keys_are_refused, messages_have_their_turn, the_dialled_peer_must_answer,
                    a_host_key_cannot_be_borrowed, muxers_are_agreed_or_left_open, secp256k1_identities_do_too,
                    records_are_in_order_whole_and_bounded, counters_do_not_wrap, keys_are_wiped);
}
