/* Foreign text for a terminal: what is shown, what is escaped, and that nothing else comes out. */
#include <check.h>
#include <stdio.h>

#include "base/printable.h"
#include "base/utf8.h"
#include "tests/unit/unit.h"

static const char *shown(view_t text, printable_t form)
{
    static char out[4096];
    size_t n = 0;
    while (text.n)
        n += printable_next(out + n, &text, form);
    out[n] = '\0';
    return out;
}

START_TEST(what_a_terminal_would_obey_is_escaped)
{
    static const struct {
        const char *text, *line, *json;
    } rows[] = {
        { "plain text, \xc3\xa4 and \xe2\x82\xac \xf0\x9f\x90\xb8",
          "plain text, \xc3\xa4 and \xe2\x82\xac \xf0\x9f\x90\xb8",
          "plain text, \xc3\xa4 and \xe2\x82\xac \xf0\x9f\x90\xb8" },
        { "x\x1b[2Jy", "x\\x1b[2Jy", "x\\u001b[2Jy" },
        { "a\nok   all\r\t", "a\\x0aok   all\\x0d\\x09", "a\nok   all\\u000d\\u0009" },
        { "\x7f\x01", "\\x7f\\x01", "\\u007f\\u0001" },
        { "\xc2\x9b"
          "31m",
          "\\x9b31m", "\\u009b31m" }, /* CSI of C1 */
        { "\xe2\x80\xae"
          "kcab",
          "\\u202ekcab", "\\u202ekcab" }, /* right-to-left override */
        { "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029", "\\u2028\\u2029" },
        { "\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c", "\\u2066\\u2069\\u061c", "\\u2066\\u2069\\u061c" },
        { "\xe2\x81\xa5\xe2\x81\xaa\xe2\x80\xaf", "\xe2\x81\xa5\xe2\x81\xaa\xe2\x80\xaf",
          "\xe2\x81\xa5\xe2\x81\xaa\xe2\x80\xaf" },
        { "\x9b\xff\xe2\x82", "\\x9b\\xff\\xe2\\x82", "\\ufffd\\ufffd\\ufffd\\ufffd" },
        { "back\\slash \"quoted\"", "back\\slash \"quoted\"", "back\\slash \"quoted\"" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_str_eq(shown(view_str(rows[i].text), PRINTABLE_LINE), rows[i].line);
        ck_assert_str_eq(shown(view_str(rows[i].text), PRINTABLE_JSON), rows[i].json);
    }
}
END_TEST

/* Every single byte and every pair: no control character comes out but the line ends of JSON. */
START_TEST(nothing_that_a_terminal_obeys_comes_out)
{
    for (unsigned x = 0; x < 65536; x++) {
        const uint8_t two[2] = { (uint8_t)(x >> 8), (uint8_t)x };
        for (unsigned form = 0; form < 2; form++) {
            view_t left = view_str(shown(view_of(two, 2), (printable_t)form));
            while (left.n) {
                const size_t n = utf8_len(left);
                ck_assert_msg(n && (!utf8_is_control(left.p, n) || (form && left.p[0] == '\n')), "%04x", x);
                left = view_of(left.p + n, left.n - n);
            }
        }
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("printable", what_a_terminal_would_obey_is_escaped, nothing_that_a_terminal_obeys_comes_out);
}
