/* The image's DHCP: what is sent, and what is taken of an answer. */
#include "meta-dstack-patch/image/dhcp.h"
#include "tests/unit/unit.h"

static const uint8_t MAC[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
#define TRANSACTION 0x12345678u
#define FIXED_LEN 240u

/* An answer as QEMU's user network gives one: 10.0.2.15/24, router 10.0.2.2, name server 10.0.2.3, a day. */
static const uint8_t OPTIONS[] = { 53, 1, 2, 54, 4, 10, 0,  2, 2, 1, 4,  255, 255, 255, 0,  3,   4,
                                   10, 0, 2, 2,  6, 4,  10, 0, 2, 3, 51, 4,   0,   1,   81, 128, 255 };

static size_t answer(uint8_t out[DHCP_RECEIVED_MAX + 16], const uint8_t *options, size_t n)
{
    static const uint8_t head[] = { 2, 1, 6, 0, 0x12, 0x34, 0x56, 0x78 }, address[] = { 10, 0, 2, 15 },
                         cookie[] = { 0x63, 0x82, 0x53, 0x63 };
    memset(out, 0, FIXED_LEN);
    memcpy(out, head, sizeof head);
    memcpy(out + 16, address, 4);
    memcpy(out + 28, MAC, 6);
    memcpy(out + FIXED_LEN - 4, cookie, 4);
    memcpy(out + FIXED_LEN, options, n);
    return FIXED_LEN + n;
}

static bool reads(const uint8_t *packet, size_t n)
{
    dhcp_answer_t a = { .router = 7 };
    uint8_t *exact = malloc(n ? n : 1); /* ASan sees an over-read */
    memcpy(exact, packet, n);
    const bool good = dhcp_read(&a, view_of(exact, n), TRANSACTION, MAC);
    ck_assert(good || a.router == 7);
    free(exact);
    return good;
}

static bool reads_options(const uint8_t *options, size_t n)
{
    uint8_t packet[DHCP_RECEIVED_MAX + 16];
    return reads(packet, answer(packet, options, n));
}

START_TEST(an_offer_gives_address_and_net)
{
    uint8_t packet[DHCP_RECEIVED_MAX + 16];
    dhcp_answer_t a;
    ck_assert(dhcp_read(&a, view_of(packet, answer(packet, OPTIONS, sizeof OPTIONS)), TRANSACTION, MAC));
    ck_assert_int_eq(a.type, DHCP_OFFER);
    ck_assert_uint_eq(a.address, 0x0a00020f);
    ck_assert_uint_eq(a.server, 0x0a000202);
    ck_assert_uint_eq(a.mask, 0xffffff00);
    ck_assert_uint_eq(a.router, 0x0a000202);
    ck_assert_uint_eq(a.name_server_count, 1);
    ck_assert_uint_eq(a.name_servers[0], 0x0a000203);
    ck_assert_uint_eq(a.lease_s, 86400);
    ck_assert_uint_eq(a.mtu, 0);
}
END_TEST

START_TEST(a_cut_answer_is_none)
{
    uint8_t packet[DHCP_RECEIVED_MAX + 16];
    const size_t n = answer(packet, OPTIONS, sizeof OPTIONS);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(!reads(packet, i), "%zu bytes", i);
    ck_assert(reads(packet, n));
    memset(packet + n, 0, DHCP_RECEIVED_MAX - n);
    ck_assert(reads(packet, DHCP_RECEIVED_MAX));
    ck_assert(!reads(packet, DHCP_RECEIVED_MAX + 1));
}
END_TEST

/* Whose answer, to what: direction, hardware, transaction, card, cookie. */
START_TEST(an_answer_to_another_is_none)
{
    static const size_t bound[] = { 0, 1, 2, 4, 5, 6, 7, 28, 29, 33, FIXED_LEN - 4, FIXED_LEN - 1 };
    uint8_t packet[DHCP_RECEIVED_MAX + 16];
    const size_t n = answer(packet, OPTIONS, sizeof OPTIONS);
    for (size_t i = 0; i < sizeof bound / sizeof bound[0]; i++) {
        packet[bound[i]] ^= 1;
        ck_assert_msg(!reads(packet, n), "byte %zu", bound[i]);
        packet[bound[i]] ^= 1;
    }
    packet[16] = 127; /* an address that is none of a network */
    ck_assert(!reads(packet, n));
}
END_TEST

#define OPTION_ROW(good, ...)                                                                                          \
    {                                                                                                                  \
        good, { __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })                                                      \
    }

START_TEST(options_have_lengths_and_ranges)
{
    static const struct {
        bool good;
        uint8_t option[16];
        size_t n;
    } rows[] = {
        OPTION_ROW(true, 12, 3, 'a', 'b', 'c'),            /* unknown */
        OPTION_ROW(true, 0, 0, 0),                         /* padding */
        OPTION_ROW(true, 26, 2, 5, 180),                   /* MTU 1460 */
        OPTION_ROW(true, 6, 8, 1, 1, 1, 1, 127, 0, 0, 53), /* a name server that is none is left out */
        OPTION_ROW(true, 1, 4, 255, 255, 255, 255),        /* a net of one address */
        OPTION_ROW(false, 53, 1, 9),                       /* a type that is none of an answer */
        OPTION_ROW(false, 53, 2, 2, 0),                    /* lengths */
        OPTION_ROW(false, 1, 3, 255, 255, 255),
        OPTION_ROW(false, 1, 4, 255, 0, 255, 0), /* a mask with a hole */
        OPTION_ROW(false, 1, 4, 0, 0, 0, 0),
        OPTION_ROW(false, 3, 5, 10, 0, 2, 2, 1),
        OPTION_ROW(false, 3, 4, 224, 0, 0, 1),
        OPTION_ROW(false, 6, 3, 1, 1, 1),
        OPTION_ROW(false, 6, 0),
        OPTION_ROW(false, 26, 1, 5),
        OPTION_ROW(false, 51, 2, 5, 5),
        OPTION_ROW(false, 54, 4, 255, 255, 255, 255),
        OPTION_ROW(false, 12, 200, 1), /* longer than the packet */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t options[128];
        memcpy(options, OPTIONS, sizeof OPTIONS - 1);
        memcpy(options + sizeof OPTIONS - 1, rows[i].option, rows[i].n);
        options[sizeof OPTIONS - 1 + rows[i].n] = 255;
        ck_assert_msg(reads_options(options, sizeof OPTIONS + rows[i].n) == rows[i].good, "row %zu", i);
    }
}
END_TEST

/* As a hostile host sends it: 10 kB of options that are well-formed one by one; and what a socket gives of it. */
START_TEST(an_answer_longer_than_a_frame_is_none)
{
    static uint8_t packet[FIXED_LEN + 10240];
    size_t n = answer(packet, OPTIONS, sizeof OPTIONS - 1);
    while (n + 257 < sizeof packet) {
        packet[n] = 12;
        packet[n + 1] = 255;
        n += 257;
        packet[n] = 255; /* the end, for now */
        ck_assert_int_eq(reads(packet, n + 1), n + 1 <= DHCP_RECEIVED_MAX);
    }
    ck_assert_uint_gt(n, 10000);
    ck_assert(!reads(packet, DHCP_RECEIVED_MAX + 1));
    ck_assert(!reads(packet, DHCP_RECEIVED_MAX)); /* the last option is cut */
}
END_TEST

/* An offer without type, server or mask is none; numbers out of range are brought into it. */
START_TEST(what_is_missing_is_not_zero)
{
    static const uint8_t none[] = { 255 }, no_mask[] = { 53, 1, 2, 54, 4, 10, 0, 2, 2, 255 },
                         no_server[] = { 53, 1, 2, 1, 4, 255, 255, 255, 0, 255 },
                         no_type[] = { 54, 4, 10, 0, 2, 2, 1, 4, 255, 255, 255, 0, 255 }, nak[] = { 53, 1, 6, 255 },
                         ranges[] = { 53, 1, 5,  54, 4, 10, 0, 2, 2,  1, 4, 255, 0,
                                      0,  0, 51, 4,  0, 0,  0, 1, 26, 2, 0, 9,   255 };
    uint8_t packet[DHCP_RECEIVED_MAX + 16];
    dhcp_answer_t a;
    ck_assert(!reads_options(none, sizeof none));
    ck_assert(!reads_options(no_mask, sizeof no_mask));
    ck_assert(!reads_options(no_server, sizeof no_server));
    ck_assert(!reads_options(no_type, sizeof no_type));
    ck_assert(reads_options(nak, sizeof nak));
    ck_assert(dhcp_read(&a, view_of(packet, answer(packet, ranges, sizeof ranges)), TRANSACTION, MAC));
    ck_assert_uint_eq(a.lease_s, DHCP_LEASE_MIN_S);
    ck_assert_uint_eq(a.mtu, DHCP_MTU_MIN);
}
END_TEST

/* RFC 2131 section 2, figure 1: places of the fields; a request names what it takes. */
START_TEST(a_request_names_the_offer)
{
    static const uint8_t wanted[] = { 50, 4, 10, 0, 2, 15, 54, 4, 10, 0, 2, 2, 255 };
    const dhcp_answer_t offer = { .address = 0x0a00020f, .server = 0x0a000202 };
    uint8_t sent[DHCP_SENT_LEN];
    dhcp_write(sent, DHCP_REQUEST, TRANSACTION, MAC, &offer);
    ck_assert_uint_eq(sent[0], 1);
    ck_assert_uint_eq(sent[4], 0x12);
    ck_assert_uint_eq(sent[10], 0x80);
    ck_assert(!memcmp(sent + 28, MAC, 6));
    ck_assert_uint_eq(sent[FIXED_LEN + 2], DHCP_REQUEST);
    ck_assert(!memcmp(sent + FIXED_LEN + 9, wanted, sizeof wanted));
    dhcp_write(sent, DHCP_DISCOVER, TRANSACTION, MAC, NULL);
    ck_assert_uint_eq(sent[FIXED_LEN + 2], DHCP_DISCOVER);
    ck_assert_uint_eq(sent[FIXED_LEN + 9], 255);
}
END_TEST

int main(void)
{
    return UNIT_RUN("dhcp", an_offer_gives_address_and_net, a_cut_answer_is_none, an_answer_to_another_is_none,
                    options_have_lengths_and_ranges, an_answer_longer_than_a_frame_is_none, what_is_missing_is_not_zero,
                    a_request_names_the_offer);
}
