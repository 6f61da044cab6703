/* Answers as gzip: who takes them, and that nothing but their length changes. */
#include "http/gzip.h"

#include <stdlib.h>
#include <zlib.h>

#include "tests/unit/unit.h"

START_TEST(gzip_is_accepted_where_the_header_names_it)
{
    static const struct {
        const char *header;
        bool accepted;
    } rows[] = {
        { NULL, false },
        { "", false },
        { "gzip", true },
        { "GZip", true },
        { "*", true },
        { "gzip, deflate, br", true },
        { "br,\tgzip;q=0.5", true },
        { "gzip;q=0.001", true },
        { "gzip;q=1", true },
        { "gzip;q=0", false },
        { "gzip; q=0.000", false },
        { "gzip;q=0,deflate", false },
        { "gzipped", false },
        { "deflate, br", false },
        { "identity;q=1, *;q=0", false },
        { ",,,", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(gzip_accepted(rows[i].header) == rows[i].accepted, "%s", rows[i].header);
}
END_TEST

static hs_response_t response_of(size_t n, bool alike)
{
    hs_response_t r = { .status = 200, .body = malloc(n + 1), .body_len = n };
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        r.body[i] = (uint8_t)(alike ? i / 7 : x >> 24);
    }
    return r;
}

START_TEST(a_long_body_becomes_shorter_and_is_the_same_within)
{
    static const size_t lengths[] = { HS_GZIP_MIN, 5000, 3000000 };
    for (size_t i = 0; i < 3; i++) {
        const size_t n = lengths[i];
        hs_response_t r = response_of(n, true), want = response_of(n, true);
        uint8_t *back = malloc(n + 1);
        gzip_response(&r);
        ck_assert(r.gzip);
        ck_assert_uint_lt(r.body_len, n / 4);
        z_stream z = { .next_in = r.body, .avail_in = (uInt)r.body_len, .next_out = back, .avail_out = (uInt)n + 1 };
        ck_assert_int_eq(inflateInit2(&z, 15 + 16), Z_OK);
        ck_assert_int_eq(inflate(&z, Z_FINISH), Z_STREAM_END);
        ck_assert_uint_eq(z.total_out, n);
        ck_assert_mem_eq(back, want.body, n);
        (void)inflateEnd(&z);
        free(back);
        hs_response_clear(&want);
        hs_response_clear(&r);
    }
}
END_TEST

START_TEST(what_does_not_gain_stays_as_it_is)
{
    hs_response_t shorter = response_of(HS_GZIP_MIN - 1, true), noise = response_of(5000, false);
    const uint8_t *body = noise.body;
    gzip_response(&shorter);
    gzip_response(&noise);
    ck_assert(!shorter.gzip && !noise.gzip);
    ck_assert_uint_eq(shorter.body_len, HS_GZIP_MIN - 1);
    ck_assert_uint_eq(noise.body_len, 5000);
    ck_assert_ptr_eq(noise.body, body);
    hs_response_clear(&shorter);
    hs_response_clear(&noise);
}
END_TEST

int main(void)
{
    return UNIT_RUN("gzip", gzip_is_accepted_where_the_header_names_it,
                    a_long_body_becomes_shorter_and_is_the_same_within, what_does_not_gain_stays_as_it_is);
}
