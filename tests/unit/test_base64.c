/* Base64: RFC 4648's vectors both ways, and that a value has one text. */
#include "base/crypto/base64.h"
#include "tests/unit/unit.h"

static uint8_t out[64];
static size_t n;

static rc_t decode(const char *text, size_t cap, const char *ignore)
{
    n = 99;
    return base64_decode(out, &n, cap, view_str(text), ignore);
}

START_TEST(vectors_of_rfc_4648_go_both_ways)
{
    static const char *const rows[][2] = { { "", "" },
                                           { "f", "Zg==" },
                                           { "fo", "Zm8=" },
                                           { "foo", "Zm9v" },
                                           { "foob", "Zm9vYg==" },
                                           { "fooba", "Zm9vYmE=" },
                                           { "foobar", "Zm9vYmFy" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[16];
        const size_t len = strlen(rows[i][0]);
        base64_encode(text, view_str(rows[i][0]));
        ck_assert_str_eq(text, rows[i][1]);
        ck_assert_uint_eq(base64_len(len), strlen(text));
        ck_assert_int_eq(decode(rows[i][1], len, NULL), RC_OK);
        ck_assert_uint_eq(n, len);
        ck_assert_mem_eq(out, rows[i][0], len);
    }
}
END_TEST

START_TEST(other_texts_of_the_same_bytes_are_refused)
{
    static const char *const texts[] = { "Zg",    "Zg=",  "Zg===",    "Zh==", "Zm9=",  "Z",      "Zm9vZ",
                                         "Zm9v=", "=Zm9", "Zg==Zg==", "Zm-_", "Zm 9v", "Zm9v\n", "Zm\xc3\xa9v" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (decode(texts[i], sizeof out, NULL) != RC_MALFORMED)
            ck_abort_msg("decoded: %s", texts[i]);
        ck_assert_uint_eq(n, 99);
    }
}
END_TEST

START_TEST(line_ends_are_passed_over_when_asked_for)
{
    ck_assert_int_eq(decode("Zm9v\r\nYg=\n=\n", sizeof out, "\r\n"), RC_OK);
    ck_assert_uint_eq(n, 4);
    ck_assert_mem_eq(out, "foob", 4);
    ck_assert_int_eq(decode("Zm9v Yg==", sizeof out, "\r\n"), RC_MALFORMED);
    n = 99;
    ck_assert_int_eq(base64_decode(out, &n, sizeof out, view_of("Zm9v\0", 5), "\r\n"), RC_MALFORMED);
    ck_assert_uint_eq(n, 99);
}
END_TEST

START_TEST(more_than_there_is_room_for_is_a_limit)
{
    ck_assert_int_eq(decode("Zm9vYmFy", 5, NULL), RC_LIMIT);
    ck_assert_int_eq(decode("Zm9vYmE=", 5, NULL), RC_OK);
    ck_assert_int_eq(decode("Zg==", 0, NULL), RC_LIMIT);
    ck_assert_int_eq(decode("", 0, NULL), RC_OK);
    ck_assert_uint_eq(n, 0);
}
END_TEST

int main(void)
{
    return UNIT_RUN("base64", vectors_of_rfc_4648_go_both_ways, other_texts_of_the_same_bytes_are_refused,
                    line_ends_are_passed_over_when_asked_for, more_than_there_is_room_for_is_a_limit);
}
