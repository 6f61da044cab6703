/* The bytes of broadcast: known ones, what was written is read, truncations, and what is refused. */
#include "base/hex.h"
#include "overlay/bracha_wire.h"
#include "tests/unit/unit.h"

static bracha_frame_t frame;
static bracha_out_t out;
static uint8_t bytes[BRACHA_FRAME_MAX + 1];

static size_t write(void)
{
    wr_t w = wr_of(bytes, sizeof bytes);
    bracha_frame_write(&w, &out);
    ck_assert(!w.bad && w.n <= BRACHA_FRAME_MAX);
    return w.n;
}

static void example(bracha_out_kind_t kind)
{
    out = (bracha_out_t){ .kind = kind };
    bracha_send_t *s = &out.send;
    *s = (bracha_send_t){ .seq = 300, .boot_count = 4, .kind = BRACHA_DURABLE | 7, .payload = view_str("payload") };
    memset(&s->order, 0x11, 32);
    memset(s->sender, 0x22, 33);
    memset(s->boots[0], 0x22, 33);
    memset(s->boots[2], 0x33, 33);
    memset(s->signature, 0x44, 64);
    memset(&s->again, 0x55, 32);
    out.vote = (bracha_vote_t){ .step = BRACHA_READY };
    memset(&out.vote.instance, 0x66, 32);
    memset(&out.vote.hash, 0x77, 32);
    memset(out.vote.signature, 0x88, 64);
    out.cert = (bracha_cert_t){ .instance = out.vote.instance, .hash = out.vote.hash, .count = 3 };
    for (uint8_t i = 0; i < 3; i++) {
        out.cert.shares[i].seat = (uint8_t)(21 * i + 21);
        memset(out.cert.shares[i].signature, 0x90 + i, 64);
    }
}

/* Written by hand from the numbers of overlay-facts-more J. */
START_TEST(an_echo_has_its_known_bytes)
{
    char hex[512];
    example(BRACHA_OUT_VOTE);
    out.vote.step = BRACHA_ECHO;
    const size_t n = write();
    hex_encode(hex, view_of(bytes, n));
    ck_assert_str_eq(hex, "12460801"
                          "12206666666666666666666666666666666666666666666666666666666666666666"
                          "1a207777777777777777777777777777777777777777777777777777777777777777");
}
END_TEST

START_TEST(frames_read_as_written_and_no_part_of_them)
{
    static const bracha_out_kind_t kinds[] = { BRACHA_OUT_SEND, BRACHA_OUT_VOTE, BRACHA_OUT_CERT };
    for (size_t k = 0; k < 3; k++) {
        static uint8_t again[BRACHA_FRAME_MAX];
        example(kinds[k]);
        const size_t n = write();
        ck_assert_int_eq(bracha_frame_read(&frame, NULL, view_of(bytes, n)), RC_OK);
        ck_assert_int_eq(frame.kind, kinds[k]);
        bracha_out_t back = { .kind = frame.kind, .send = frame.send, .vote = frame.vote, .cert = frame.cert };
        wr_t w = wr_of(again, sizeof again);
        bracha_frame_write(&w, &back);
        ck_assert(view_eq(wr_view(&w), view_of(bytes, n)));
        for (size_t i = 0; i < n; i++) {
            uint8_t *exact = malloc(i + 1);
            memcpy(exact, bytes, i);
            ck_assert_msg(bracha_frame_read(&frame, NULL, view_of(exact, i)) == RC_MALFORMED, "%zu of kind %zu", i, k);
            free(exact);
        }
    }
    example(BRACHA_OUT_SEND);
    ck_assert_int_eq(bracha_frame_read(&frame, NULL, view_of(bytes, write())), RC_OK);
    const bracha_send_t *s = &frame.send;
    ck_assert(s->seq == 300 && s->boot_count == 4 && s->kind == (BRACHA_DURABLE | 7) && s->again.b[31] == 0x55);
    ck_assert(s->boots[1][0] == 0 && s->boots[2][0] == 0x33 && s->boots[3][0] == 0);
    example(BRACHA_OUT_CERT);
    ck_assert_int_eq(bracha_frame_read(&frame, NULL, view_of(bytes, write())), RC_OK);
    ck_assert(frame.cert.count == 3 && frame.cert.shares[2].seat == 63 && frame.cert.shares[1].signature[5] == 0x91);
}
END_TEST

START_TEST(the_greatest_fits_and_more_does_not)
{
    static uint8_t payload[BRACHA_PAYLOAD_MAX];
    example(BRACHA_OUT_SEND);
    out.send.payload = view_of(payload, sizeof payload);
    out.send.boot_count = ORDER_SEATS_MAX;
    for (size_t i = 0; i < ORDER_SEATS_MAX; i++)
        memset(out.send.boots[i], (int)i + 1, 33);
    ck_assert_int_eq(bracha_frame_read(&frame, NULL, view_of(bytes, write())), RC_OK);
    ck_assert_uint_eq(frame.send.boot_count, ORDER_SEATS_MAX);
    ck_assert_int_eq(bracha_frame_read(&frame, NULL, view_of(bytes, BRACHA_FRAME_MAX + 1)), RC_LIMIT);
    example(BRACHA_OUT_CERT);
    out.cert.count = ORDER_SEATS_MAX;
    for (uint8_t i = 0; i < ORDER_SEATS_MAX; i++)
        out.cert.shares[i].seat = i;
    ck_assert_int_eq(bracha_frame_read(&frame, NULL, view_of(bytes, write())), RC_OK);
}
END_TEST

START_TEST(what_is_missing_doubled_or_out_of_range_is_malformed)
{
    for (unsigned row = 0; row < 7; row++) {
        example(row < 2 ? BRACHA_OUT_SEND : row < 5 ? BRACHA_OUT_VOTE : BRACHA_OUT_CERT);
        size_t n = 0;
        switch (row) {
        case 0: out.send.boot_count = 3; break;
        case 1: break; /* two frames in one */
        case 2: out.vote.step = (bracha_step_t)5; break;
        case 3: out.vote.step = (bracha_step_t)0; break;
        case 4: break; /* a READY becomes an ECHO with a signature */
        case 5: out.cert.shares[1].seat = out.cert.shares[0].seat; break;
        default: out.cert.shares[2].seat = 64; break;
        }
        n = write();
        if (row == 1) {
            memcpy(bytes + n, bytes, n);
            n *= 2;
        }
        if (row == 4)
            bytes[4] = BRACHA_ECHO; /* tag, two of length, tag, step */
        ck_assert_msg(bracha_frame_read(&frame, NULL, view_of(bytes, n)) == RC_MALFORMED, "row %u", row);
    }
    ck_assert_int_eq(bracha_frame_read(&frame, NULL, view_of(bytes, 0)), RC_MALFORMED);
}
END_TEST

int main(void)
{
    return UNIT_RUN("bracha_wire", an_echo_has_its_known_bytes, frames_read_as_written_and_no_part_of_them,
                    the_greatest_fits_and_more_does_not, what_is_missing_doubled_or_out_of_range_is_malformed);
}
