/* node/p2p/wg_wire.h: the bytes of /kettle/wg/1, each part of them missing, and what their signature covers. */
#include "node/p2p/wg_wire.h"

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

static err_t e;

static wg_message_t message(void)
{
    wg_message_t m = { .port = 51820, .index = 7, .block_number = 1000 };
    memset(m.pubkey, 0x11, sizeof m.pubkey);
    memset(m.contract.b, 0x22, sizeof m.contract.b);
    memset(m.signature, 0x33, sizeof m.signature);
    return m;
}

static size_t write(uint8_t *out, size_t cap, const wg_message_t *m)
{
    wr_t w = wr_of(out, cap);
    wg_message_write(&w, m);
    ck_assert(!w.bad);
    return w.n;
}

static rc_t read(wg_message_t *out, const uint8_t *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    memcpy(exact, p, n);
    err_clear(&e);
    const rc_t rc = wg_message_read(out, &e, view_of(exact, n));
    free(exact);
    return rc;
}

/* By hand: field 1 of 32 bytes, 51820 as varint ec 94 03, index 7, field 4 of 20, 1000 as e8 07, field 6 of 65. */
START_TEST(a_message_has_these_bytes)
{
    uint8_t bytes[WG_MESSAGE_MAX], expected[256];
    const wg_message_t m = message();
    wg_message_t again;
    wr_t w = wr_of(expected, sizeof expected);
    wr_bytes(&w, "\x0a\x20", 2), memset(wr_grab(&w, 32), 0x11, 32);
    wr_bytes(&w, "\x10\xec\x94\x03\x18\x07\x22\x14", 8), memset(wr_grab(&w, 20), 0x22, 20);
    wr_bytes(&w, "\x28\xe8\x07\x32\x41", 5), memset(wr_grab(&w, 65), 0x33, 65);
    const size_t n = write(bytes, sizeof bytes, &m);
    ck_assert(view_eq(view_of(bytes, n), wr_view(&w)));
    ck_assert_int_eq(read(&again, bytes, n), RC_OK);
    ck_assert_mem_eq(&again, &m, sizeof m);
    for (size_t i = 0; i < n; i++)
        ck_assert_msg(read(&again, bytes, i) == RC_MALFORMED, "%zu", i);
}
END_TEST

START_TEST(what_is_doubled_or_out_of_range_is_refused)
{
    uint8_t bytes[2 * WG_MESSAGE_MAX];
    wg_message_t m = message(), out;
    size_t n = write(bytes, sizeof bytes, &m);
    memcpy(bytes + n, "\x18\x07", 2);
    ck_assert_int_eq(read(&out, bytes, n + 2), RC_MALFORMED);
    memcpy(bytes + n, "\x3a\x00", 2); /* a field of later versions */
    ck_assert_int_eq(read(&out, bytes, n + 2), RC_OK);
    m.index = 255;
    ck_assert_int_eq(read(&out, bytes, write(bytes, sizeof bytes, &m)), RC_MALFORMED);
    m.index = 0;
    ck_assert_int_eq(read(&out, bytes, write(bytes, sizeof bytes, &m)), RC_MALFORMED);
    m = message();
    m.port = 0;
    ck_assert_int_eq(read(&out, bytes, write(bytes, sizeof bytes, &m)), RC_MALFORMED);
    m = message();
    n = write(bytes, sizeof bytes, &m);
    bytes[35] = 0xec, bytes[36] = 0x94, bytes[37] = 0x07; /* port 117356 */
    ck_assert_int_eq(read(&out, bytes, n), RC_MALFORMED);
    memset(bytes, 0, sizeof bytes);
    ck_assert_int_eq(read(&out, bytes, WG_MESSAGE_MAX + 1), RC_LIMIT);
}
END_TEST

START_TEST(the_signature_covers_all_of_it_and_the_connection)
{
    uint8_t channel[32], key[33], bytes[144];
    hash32_t expected, d;
    wg_message_t m = message();
    memset(channel, 0x44, 32), memset(key, 0x55, 33);
    wr_t w = wr_of(bytes, sizeof bytes);
    wr_bytes(&w, "kettle-wg/1\0\0\0\0\0", 16);
    wr_bytes(&w, channel, 32), wr_bytes(&w, key, 33);
    memset(wr_grab(&w, 20), 0x22, 20), memset(wr_grab(&w, 32), 0x11, 32);
    wr_bytes(&w, "\xca\x6c\x07\0\0\0\0\0\0\x03\xe8", 11);
    ck_assert_uint_eq(w.n, sizeof bytes);
    sha256(&expected, wr_view(&w));
    wg_message_digest(&d, &m, channel, key);
    ck_assert(hash32_eq(&d, &expected));
    channel[31] ^= 1;
    wg_message_digest(&d, &m, channel, key);
    ck_assert(!hash32_eq(&d, &expected));
    channel[31] ^= 1, key[0] ^= 1;
    wg_message_digest(&d, &m, channel, key);
    ck_assert(!hash32_eq(&d, &expected));
    key[0] ^= 1, m.signature[0] ^= 1; /* itself it does not cover */
    wg_message_digest(&d, &m, channel, key);
    ck_assert(hash32_eq(&d, &expected));
    for (unsigned i = 0; i < 5; i++) {
        m = message();
        *(uint8_t *[]){ m.pubkey, &m.index, m.contract.b, (uint8_t *)&m.port, (uint8_t *)&m.block_number }[i] ^= 1;
        wg_message_digest(&d, &m, channel, key);
        ck_assert_msg(!hash32_eq(&d, &expected), "%u", i);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("wg_wire", a_message_has_these_bytes, what_is_doubled_or_out_of_range_is_refused,
                    the_signature_covers_all_of_it_and_the_connection);
}
