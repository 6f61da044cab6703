#include "base/calendar.h"

#define DAY_S 86400
#define DAYS_OF_400_YEARS 146097

/* Days from 1970-01-01 to a day; years count from March, so that the leap day is the last of its year. */
static int64_t days_since_1970(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

bool time_from_civil(int64_t *out, const civil_t *c)
{
    if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 ||
        c->day > days_in_month(c->year, c->month) || c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 ||
        c->second < 0 || c->second > 59)
        return false;
    *out = days_since_1970(c->year, c->month, c->day) * DAY_S + c->hour * 3600 + c->minute * 60 + c->second;
    return true;
}

bool time_to_civil(civil_t *out, int64_t at_s)
{
    static const int64_t first = -62135596800, last = 253402300799; /* 0001-01-01T00:00:00Z, 9999-12-31T23:59:59Z */
    if (at_s < first || at_s > last)
        return false;
    int64_t days = (at_s - first) / DAY_S + 306, rest = (at_s - first) % DAY_S; /* days since 0000-03-01 */
    int64_t era = days / DAYS_OF_400_YEARS, of_era = days % DAYS_OF_400_YEARS;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), m = (5 * of_year + 2) / 153;
    *out = (civil_t){ .year = (int)(era * 400 + year + (m >= 10)),
                      .month = (int)(m < 10 ? m + 3 : m - 9),
                      .day = (int)(of_year - (153 * m + 2) / 5 + 1),
                      .hour = (int)(rest / 3600),
                      .minute = (int)(rest / 60 % 60),
                      .second = (int)(rest % 60) };
    return true;
}

/* Takes text apart by a form: each letter is a digit of its number, everything else stands for itself. */
static bool take_form(civil_t *c, view_t text, const char *form)
{
    if (text.n != strlen(form))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        int *field = form[i] == 'y'   ? &c->year
                     : form[i] == 'm' ? &c->month
                     : form[i] == 'd' ? &c->day
                     : form[i] == 'h' ? &c->hour
                     : form[i] == 'i' ? &c->minute
                     : form[i] == 's' ? &c->second
                                      : NULL;
        if (field ? text.p[i] < '0' || text.p[i] > '9' : text.p[i] != (uint8_t)form[i])
            return false;
        if (field)
            *field = *field * 10 + (text.p[i] - '0');
    }
    return true;
}

bool time_read(int64_t *out, view_t text)
{
    civil_t c = { 0 };
    return take_form(&c, text, "yyyy-mm-ddThh:ii:ssZ") && c.year >= 1970 && time_from_civil(out, &c);
}

bool time_read_utc(int64_t *out, view_t text)
{
    civil_t c = { 0 };
    if (!take_form(&c, text, "yymmddhhiissZ"))
        return false;
    c.year += c.year < 50 ? 2000 : 1900;
    return time_from_civil(out, &c);
}

bool time_read_generalized(int64_t *out, view_t text)
{
    civil_t c = { 0 };
    return take_form(&c, text, "yyyymmddhhiissZ") && time_from_civil(out, &c);
}

/* The digits of x, which fits them. */
static char *put(char *out, int x, unsigned digits, char after)
{
    for (unsigned i = digits; i-- > 0; x /= 10)
        out[i] = (char)('0' + x % 10);
    out[digits] = after;
    return out + digits + 1;
}

bool time_write(char out[TIME_TEXT], int64_t at_s)
{
    civil_t c;
    out[0] = '\0';
    if (!time_to_civil(&c, at_s))
        return false;
    out = put(out, c.year, 4, '-');
    out = put(out, c.month, 2, '-');
    out = put(out, c.day, 2, 'T');
    out = put(out, c.hour, 2, ':');
    out = put(out, c.minute, 2, ':');
    out = put(out, c.second, 2, 'Z');
    *out = '\0';
    return true;
}

bool time_write_ms(char out[TIME_TEXT_MS], uint64_t at_ms)
{
    if (!time_write(out, (int64_t)(at_ms / 1000)))
        return false;
    out[TIME_TEXT - 2] = '.'; /* in place of the Z */
    *put(out + TIME_TEXT - 1, (int)(at_ms % 1000), 3, 'Z') = '\0';
    return true;
}
