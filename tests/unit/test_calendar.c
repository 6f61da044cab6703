/* The calendar: against known dates, against itself for every day of its range, and against what is no date. */
#include "base/calendar.h"
#include "tests/unit/unit.h"

static int64_t at;

START_TEST(known_dates_have_their_seconds)
{
    static const struct {
        const char *text;
        int64_t at;
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2000-02-29T12:00:00Z", 951825600 },
        { "2025-05-14T00:00:00Z", 1747180800 },
        { "2038-01-19T03:14:08Z", 2147483648 },
        { "9999-12-31T23:59:59Z", 253402300799 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[TIME_TEXT];
        ck_assert(time_read(&at, view_str(rows[i].text)));
        ck_assert_int_eq(at, rows[i].at);
        ck_assert(time_write(text, rows[i].at));
        ck_assert_str_eq(text, rows[i].text);
    }
}
END_TEST

START_TEST(every_day_comes_after_the_one_before)
{
    civil_t c, before = { .year = 0, .month = 12, .day = 31 };
    for (int64_t day = -719162; day <= 2932896; day++) {
        if (!time_to_civil(&c, day * 86400 + 86399))
            ck_abort_msg("no day %lld", (long long)day);
        bool next_day = c.year == before.year && c.month == before.month && c.day == before.day + 1;
        bool next_month =
            c.day == 1 && before.day >= 28 && (c.month == before.month + 1 || (c.month == 1 && before.month == 12));
        if (!next_day && !next_month)
            ck_abort_msg("day %lld", (long long)day);
        if (!time_from_civil(&at, &c) || at != day * 86400 + 86399)
            ck_abort_msg("back from day %lld", (long long)day);
        before = c;
    }
    ck_assert(before.year == 9999 && before.month == 12 && before.day == 31);
}
END_TEST

START_TEST(beyond_the_range_there_is_no_date)
{
    civil_t c;
    char text[TIME_TEXT] = "x";
    ck_assert(!time_to_civil(&c, -62135596801));
    ck_assert(!time_to_civil(&c, 253402300800));
    ck_assert(!time_to_civil(&c, INT64_MAX));
    ck_assert(!time_to_civil(&c, INT64_MIN));
    ck_assert(!time_write(text, 253402300800));
    ck_assert_str_eq(text, "");
    ck_assert(time_write(text, -62135596800));
    ck_assert_str_eq(text, "0001-01-01T00:00:00Z");
}
END_TEST

START_TEST(what_is_no_date_is_refused)
{
    static const char *const texts[] = {
        "",
        "2025-05-14T00:00:00",
        "2025-05-14T00:00:00z",
        "2025-05-14 00:00:00Z",
        "2025-05-14T00:00:00Z ",
        "2025-05-14T00:00:00+00:00",
        "2025-05-14T00:00:0:Z",
        "2025-05-14T24:00:00Z",
        "2025-05-14T00:60:00Z",
        "2025-05-14T00:00:60Z",
        "2025-00-14T00:00:00Z",
        "2025-13-14T00:00:00Z",
        "2025-05-00T00:00:00Z",
        "2025-04-31T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "-025-05-14T00:00:00Z",
    };
    at = 5;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (time_read(&at, view_str(texts[i])))
            ck_abort_msg("read: %s", texts[i]);
    ck_assert_int_eq(at, 5);
}
END_TEST

START_TEST(certificates_have_dates_of_two_forms)
{
    ck_assert(time_read_utc(&at, view_str("250514000000Z")));
    ck_assert_int_eq(at, 1747180800);
    ck_assert(time_read_utc(&at, view_str("500101000000Z"))); /* 1950 */
    ck_assert_int_eq(at, -631152000);
    ck_assert(time_read_utc(&at, view_str("491231235959Z"))); /* 2049 */
    ck_assert_int_eq(at, 2524607999);
    ck_assert(time_read_generalized(&at, view_str("20250514000000Z")));
    ck_assert_int_eq(at, 1747180800);
    ck_assert(time_read_generalized(&at, view_str("00010101000000Z")));
    ck_assert_int_eq(at, -62135596800);
    ck_assert(!time_read_utc(&at, view_str("20250514000000Z")));
    ck_assert(!time_read_utc(&at, view_str("2505140000Z")));
    ck_assert(!time_read_utc(&at, view_str("250514000000+0000")));
    ck_assert(!time_read_generalized(&at, view_str("250514000000Z")));
    ck_assert(!time_read_generalized(&at, view_str("20250514000000.5Z")));
    ck_assert(!time_read_generalized(&at, view_str("00000101000000Z")));
    ck_assert(!time_read_generalized(&at, view_str("20230229000000Z")));
}
END_TEST

START_TEST(milliseconds_have_three_digits)
{
    char text[TIME_TEXT_MS];
    ck_assert(time_write_ms(text, 1747180800007));
    ck_assert_str_eq(text, "2025-05-14T00:00:00.007Z");
    ck_assert(time_write_ms(text, 999));
    ck_assert_str_eq(text, "1970-01-01T00:00:00.999Z");
    ck_assert(!time_write_ms(text, UINT64_MAX));
}
END_TEST

int main(void)
{
    return UNIT_RUN("calendar", known_dates_have_their_seconds, every_day_comes_after_the_one_before,
                    beyond_the_range_there_is_no_date, what_is_no_date_is_refused, certificates_have_dates_of_two_forms,
                    milliseconds_have_three_digits);
}
