/* Errors: what is said, where it is cut, and that foreign bytes reach no terminal. */
#include "base/err.h"
#include "base/utf8.h"
#include "tests/unit/unit.h"

static err_t e;

START_TEST(a_failure_has_rc_field_and_text)
{
    ck_assert_int_eq(err_in(&e, RC_LIMIT, "port", "more than %d", 7), RC_LIMIT);
    ck_assert_int_eq(e.rc, RC_LIMIT);
    ck_assert_str_eq(e.field, "port");
    ck_assert_str_eq(e.text, "more than 7");
}
END_TEST

START_TEST(a_new_failure_replaces_all_of_the_old_one)
{
    err_code(&e, err_in(&e, RC_LIMIT, "port", "more than %d", 7), 9);
    ck_assert_int_eq(err_say(&e, RC_IO, "100 %s of it"), RC_IO);
    ck_assert_int_eq(e.rc, RC_IO);
    ck_assert_int_eq(e.code, 0);
    ck_assert_str_eq(e.field, "");
    ck_assert_str_eq(e.text, "100 %s of it");
    err_clear(&e);
    ck_assert_int_eq(e.rc, RC_OK);
    ck_assert_str_eq(e.text, "");
}
END_TEST

START_TEST(without_an_err_the_rc_goes_its_way)
{
    ck_assert_int_eq(err_set(NULL, RC_IO, "%d", 1), RC_IO);
    ck_assert_int_eq(err_in(NULL, RC_IO, "a", "%d", 1), RC_IO);
    ck_assert_int_eq(err_say(NULL, RC_REFUSED, "x"), RC_REFUSED);
    ck_assert_int_eq(err_code(NULL, RC_REFUSED, 1), RC_REFUSED);
    ck_assert_int_eq(err_under(NULL, RC_LIMIT, "x"), RC_LIMIT);
    ck_assert_int_eq(err_before(NULL, RC_LIMIT, "x"), RC_LIMIT);
    err_clear(NULL);
}
END_TEST

START_TEST(success_is_passed_on_untouched)
{
    err_clear(&e);
    ck_assert_int_eq(err_code(&e, RC_OK, 3), RC_OK);
    ck_assert_int_eq(err_under(&e, RC_OK, "policy"), RC_OK);
    ck_assert_int_eq(err_before(&e, RC_OK, "https://node: "), RC_OK);
    ck_assert_int_eq(e.code, 0);
    ck_assert_str_eq(e.field, "");
    ck_assert_str_eq(e.text, "");
}
END_TEST

START_TEST(context_goes_before_field_and_text)
{
    err_in(&e, RC_REFUSED, "tcb.accept", "no");
    ck_assert_int_eq(err_under(&e, RC_REFUSED, "policy"), RC_REFUSED);
    ck_assert_str_eq(e.field, "policy.tcb.accept");
    ck_assert_int_eq(err_before(&e, RC_REFUSED, "%s: ", "https://node"), RC_REFUSED);
    ck_assert_str_eq(e.text, "https://node: no");
    err_under(&e, err_in(&e, RC_REFUSED, "[3].x", "no"), "rows");
    ck_assert_str_eq(e.field, "rows[3].x");
    err_under(&e, err_say(&e, RC_REFUSED, "no"), "rows");
    ck_assert_str_eq(e.field, "rows");
}
END_TEST

START_TEST(an_err_may_be_said_in_terms_of_itself)
{
    err_in(&e, RC_IO, "a", "late");
    err_in(&e, RC_IO, e.field, "%s, twice", e.text);
    ck_assert_str_eq(e.field, "a");
    ck_assert_str_eq(e.text, "late, twice");
    err_say(&e, RC_IO, e.text + 6);
    ck_assert_str_eq(e.text, "twice");
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
    char longer[2000], want[240];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    memcpy(longer + 237, "\xe2\x82\xac", 3); /* would end at byte 240: the NUL's place */
    memset(want, 'x', 237);
    want[237] = '\0';
    err_set(&e, RC_IO, "%s", longer);
    ck_assert_str_eq(e.text, want);
    err_in(&e, RC_IO, longer, "%s", longer + 240);
    ck_assert_uint_eq(strlen(e.field), sizeof e.field - 1);
    ck_assert_uint_eq(strlen(e.text), sizeof e.text - 1);
    err_before(&e, RC_IO, "%s", longer + 240);
    err_under(&e, RC_IO, longer + 240);
    ck_assert_uint_eq(strlen(e.field), sizeof e.field - 1);
    ck_assert_uint_eq(strlen(e.text), sizeof e.text - 1);
}
END_TEST

START_TEST(foreign_bytes_are_made_printable)
{
    err_in(&e, RC_MALFORMED, "a\x1b[2Jb\xffz", "%s", "\xc3\xa9\n\x7f\xc2\x85\xe2\x82");
    ck_assert_str_eq(e.field, "a?[2Jb?z");
    ck_assert_str_eq(e.text, "\xc3\xa9????\?");
}
END_TEST

START_TEST(characters_are_those_of_rfc_3629)
{
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
        { "", 0 },
        { "a", 1 },
        { "\x80", 0 },
        { "\xc1\xbf", 0 },
        { "\xc2\x80", 2 },
        { "\xc3", 0 },
        { "\xe0\x9f\xbf", 0 },
        { "\xe0\xa0\x80", 3 },
        { "\xed\x9f\xbf", 3 },
        { "\xed\xa0\x80", 0 },
        { "\xf0\x8f\xbf\xbf", 0 },
        { "\xf0\x90\x80\x80", 4 },
        { "\xf4\x8f\xbf\xbf", 4 },
        { "\xf4\x90\x80\x80", 0 },
        { "\xf5\x80\x80\x80", 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_uint_eq(utf8_len(view_str(rows[i].text)), rows[i].len);
}
END_TEST

int main(void)
{
    return UNIT_RUN("err", a_failure_has_rc_field_and_text, a_new_failure_replaces_all_of_the_old_one,
                    without_an_err_the_rc_goes_its_way, success_is_passed_on_untouched,
                    context_goes_before_field_and_text, an_err_may_be_said_in_terms_of_itself,
                    long_texts_are_cut_between_characters, foreign_bytes_are_made_printable,
                    characters_are_those_of_rfc_3629);
}
