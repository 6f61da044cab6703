/* The bytes of an application's messages: known ones, what was written is read, truncations, and what is refused. */
#include "base/hex.h"
#include "overlay/msg_wire.h"
#include "tests/unit/unit.h"

static err_t e;

static msg_frame_t direct(void)
{
    return (msg_frame_t){ .nonce = 0x0102030405060708, .type = view_str("chat"), .payload = view_str("hi") };
}

static msg_frame_t full(void)
{
    msg_frame_t m = direct();
    m.mode = MSG_GROUP;
    m.relayed = m.has_author = true;
    m.seq = 300;
    memset(m.author, 0x11, sizeof m.author);
    memset(m.signature, 0x22, sizeof m.signature);
    memset(m.group, 0x33, sizeof m.group);
    return m;
}

static size_t write(uint8_t *out, size_t cap, const msg_frame_t *m)
{
    wr_t w = wr_of(out, cap);
    msg_frame_write(&w, m);
    ck_assert(!w.bad);
    return w.n;
}

/* Written by hand from the numbers of overlay-facts-more J. */
START_TEST(frames_have_their_known_bytes)
{
    uint8_t bytes[512];
    char hex[1025];
    msg_frame_t m = { .is_hello = true, .session = 0x0102030405060708 };
    hex_encode(hex, view_of(bytes, write(bytes, sizeof bytes, &m)));
    ck_assert_str_eq(hex, "090807060504030201");
    m = direct();
    hex_encode(hex, view_of(bytes, write(bytes, sizeof bytes, &m)));
    ck_assert_str_eq(hex, "090807060504030201"
                          "1204"
                          "63686174"
                          "1800"
                          "2202"
                          "6869");
    m = full();
    hex_encode(hex, view_of(bytes, write(bytes, sizeof bytes, &m)));
    ck_assert_str_eq(hex, "090807060504030201"
                          "1204"
                          "63686174"
                          "1802"
                          "2202"
                          "6869"
                          "2a21"
                          "111111111111111111111111111111111111111111111111111111111111111111"
                          "3240"
                          "2222222222222222222222222222222222222222222222222222222222222222"
                          "2222222222222222222222222222222222222222222222222222222222222222"
                          "3a10"
                          "33333333333333333333333333333333"
                          "40ac02");
}
END_TEST

static void assert_same(const msg_frame_t *a, const msg_frame_t *b)
{
    ck_assert(a->is_hello == b->is_hello && a->session == b->session);
    if (a->is_hello)
        return;
    ck_assert(a->nonce == b->nonce && a->mode == b->mode && a->relayed == b->relayed && a->seq == b->seq);
    ck_assert(view_eq(a->type, b->type) && view_eq(a->payload, b->payload) && a->has_author == b->has_author);
    ck_assert_mem_eq(a->author, b->author, sizeof a->author);
    ck_assert_mem_eq(a->signature, b->signature, sizeof a->signature);
    ck_assert_mem_eq(a->group, b->group, sizeof a->group);
}

/* A prefix of a message that ends behind its payload is a message too: of another kind, without what was cut. */
START_TEST(a_frame_reads_as_written_and_no_part_of_it_does)
{
    const msg_frame_t rows[] = { { .is_hello = true, .session = UINT64_MAX }, direct(), full() };
    for (size_t k = 0; k < 3; k++) {
        uint8_t bytes[512];
        msg_frame_t m = { .nonce = 5 };
        const size_t n = write(bytes, sizeof bytes, &rows[k]);
        ck_assert_int_eq(msg_frame_read(&m, &e, view_of(bytes, n)), RC_OK);
        assert_same(&m, &rows[k]);
        for (size_t i = 0; i < n; i++) {
            uint8_t *exact = malloc(i + 1);
            memcpy(exact, bytes, i);
            m.nonce = 5;
            const rc_t rc = msg_frame_read(&m, &e, view_of(exact, i));
            ck_assert_msg(rc == RC_MALFORMED || (i == 9 && m.is_hello), "%zu: %zu", k, i);
            ck_assert_msg(rc == RC_OK || m.nonce == 5, "%zu: %zu", k, i);
            free(exact);
        }
    }
}
END_TEST

/* hex of a valid direct message, in parts */
#define NONCE "090807060504030201"
#define TYPE "120463686174"
#define MODE "1800"
#define PAYLOAD "22026869"
#define KEY33 "2a21111111111111111111111111111111111111111111111111111111111111111111"
#define SIG64                                                                                                            \
    "324022222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222222" \
    "222222222222222222"
#define GROUP16 "3a1033333333333333333333333333333333"
#define SEQ "4001"

START_TEST(what_makes_no_message_is_malformed)
{
    static const struct {
        const char *what, *hex;
        rc_t rc;
    } rows[] = {
        { "direct", NONCE TYPE MODE PAYLOAD, RC_OK },
        { "unknown field passed over", NONCE TYPE MODE PAYLOAD "4a0161", RC_OK },
        { "hello with an unknown field", NONCE "4a0161", RC_OK },
        { "relayed by its author", NONCE TYPE MODE PAYLOAD SIG64 SEQ, RC_OK },
        { "relayed by another", NONCE TYPE MODE PAYLOAD KEY33 SIG64 SEQ, RC_OK },
        { "group", NONCE TYPE "1802" PAYLOAD GROUP16, RC_OK },
        { "empty", "", RC_MALFORMED },
        { "no nonce", TYPE MODE PAYLOAD, RC_MALFORMED },
        { "no type", NONCE MODE PAYLOAD, RC_MALFORMED },
        { "no mode", NONCE TYPE PAYLOAD, RC_MALFORMED },
        { "no payload", NONCE TYPE MODE, RC_MALFORMED },
        { "nonce twice", NONCE NONCE TYPE MODE PAYLOAD, RC_MALFORMED },
        { "mode twice", NONCE TYPE MODE MODE PAYLOAD, RC_MALFORMED },
        { "empty type", NONCE "1200" MODE PAYLOAD, RC_MALFORMED },
        { "type with a space", NONCE "120120" MODE PAYLOAD, RC_MALFORMED },
        { "type not ASCII", NONCE "1201ff" MODE PAYLOAD, RC_MALFORMED },
        { "mode 3", NONCE TYPE "1803" PAYLOAD, RC_MALFORMED },
        { "mode of two forms", NONCE TYPE "188000" PAYLOAD, RC_MALFORMED },
        { "nonce as varint", "0801" TYPE MODE PAYLOAD, RC_MALFORMED },
        { "group without its name", NONCE TYPE "1802" PAYLOAD, RC_MALFORMED },
        { "a group's name on a direct one", NONCE TYPE MODE PAYLOAD GROUP16, RC_MALFORMED },
        { "group of 15 bytes", NONCE TYPE "1802" PAYLOAD "3a0f333333333333333333333333333333", RC_MALFORMED },
        { "author without signature", NONCE TYPE MODE PAYLOAD KEY33, RC_MALFORMED },
        { "signature without number", NONCE TYPE MODE PAYLOAD SIG64, RC_MALFORMED },
        { "number without signature", NONCE TYPE MODE PAYLOAD SEQ, RC_MALFORMED },
        { "hello with a number", NONCE SEQ, RC_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t raw[512];
        msg_frame_t m = { .nonce = 5 };
        const size_t n = strlen(rows[i].hex) / 2;
        ck_assert_int_eq(hex_decode_exact(raw, n, rows[i].hex, 2 * n), RC_OK);
        const rc_t rc = msg_frame_read(&m, &e, view_of(raw, n));
        ck_assert_msg(rc == rows[i].rc, "%s: %s", rows[i].what, rc_name(rc));
        ck_assert_msg(rc == RC_OK || m.nonce == 5, "%s", rows[i].what);
    }
}
END_TEST

START_TEST(a_frame_has_its_length_at_most)
{
    static uint8_t bytes[MSG_FRAME_MAX + 1], payload[MSG_PAYLOAD_MAX];
    msg_frame_t m = full();
    m.payload = view_of(payload, sizeof payload);
    char type[MSG_TYPE_MAX + 1];
    memset(type, 'x', sizeof type);
    m.type = view_of(type, MSG_TYPE_MAX);
    const size_t n = write(bytes, MSG_FRAME_MAX, &m); /* the longest message fits */
    ck_assert_int_eq(msg_frame_read(&m, &e, view_of(bytes, n)), RC_OK);
    ck_assert_int_eq(msg_frame_read(&m, &e, view_of(bytes, MSG_FRAME_MAX + 1)), RC_LIMIT);
    ck_assert(msg_type_is(view_of(type, MSG_TYPE_MAX)) && !msg_type_is(view_of(type, MSG_TYPE_MAX + 1)));
}
END_TEST

/* SHA-256, computed apart, of the tag, 33 times 0x11, 300, 2, 16 times 0x33, 4, "chat", "hi". */
START_TEST(an_author_signs_all_of_it)
{
    hash32_t was, now;
    char hex[65];
    msg_frame_t m = full();
    msg_digest(&was, &m, m.author);
    hex_encode(hex, view_of(was.b, 32));
    ck_assert_str_eq(hex, "3585199b4d9fbafd0b41a30ada00b50f490bcf5873568a76a7ee207448a9632a");
    m.nonce++; /* is the connection's, not the author's */
    msg_digest(&now, &m, m.author);
    ck_assert(hash32_eq(&was, &now));
    for (int i = 0; i < 7; i++) {
        m = full();
        m.seq += i == 0;
        m.mode = i == 1 ? MSG_SHARED : m.mode;
        m.type = i == 2 ? view_str("chaf") : i == 3 ? view_str("chath") : m.type;
        m.payload = i == 3 ? view_str("i") : i == 4 ? view_str("ho") : m.payload;
        m.group[15] ^= i == 5;
        m.author[32] ^= i == 6;
        msg_digest(&now, &m, m.author);
        ck_assert_msg(!hash32_eq(&was, &now), "%d", i);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("msg_wire", frames_have_their_known_bytes, a_frame_reads_as_written_and_no_part_of_it_does,
                    what_makes_no_message_is_malformed, a_frame_has_its_length_at_most, an_author_signs_all_of_it);
}
