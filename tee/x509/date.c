#include "tee/x509/date.h"

/* The number of n digits at text[at]; -1: not digits. */
static int digits(view_t text, size_t at, size_t n)
{
    int value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -1;
        value = value * 10 + (text.p[i] - '0');
    }
    return value;
}

static bool is_leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days from 1970-01-01 to the first of January of y. */
static int64_t days_to_year(int y)
{
    int64_t before = y - 1;
    return 365 * before + before / 4 - before / 100 + before / 400 - 719162;
}

bool date_read(int64_t *out, view_t text)
{
    static const char form[] = "0000-00-00T00:00:00Z";
    static const int month_days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (text.n != sizeof form - 1)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (form[i] != '0' && text.p[i] != (uint8_t)form[i])
            return false;
    int y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2);
    int h = digits(text, 11, 2), mi = digits(text, 14, 2), s = digits(text, 17, 2);
    if (y < 1970 || mo < 1 || mo > 12 || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 59)
        return false;
    int64_t days = days_to_year(y);
    for (int m = 0; m < mo - 1; m++)
        days += month_days[m] + (m == 1 && is_leap(y));
    if (d < 1 || d > month_days[mo - 1] + (mo == 2 && is_leap(y)))
        return false;
    *out = (days + d - 1) * 86400 + h * 3600 + mi * 60 + s;
    return true;
}
