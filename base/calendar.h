/* calendar.h - one calendar: Unix seconds to dates and back, and the texts that dates come in.
 *
 * Gregorian, UTC, without leap seconds, years 1 to 9999. Pure: what time it is now, base/os/clock.h knows.
 *
 * Spec:   RFC 3339; X.690 11.7 and 11.8, RFC 5280 4.1.2.5 (UTCTime, GeneralizedTime)
 * Floor:  1, base. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_calendar.c
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include "base/bytes.h"

typedef struct {
    int year, month, day; /* month and day from 1 on */
    int hour, minute, second;
} civil_t;

#define TIME_TEXT 21u    /* "2025-05-14T00:00:00Z" and its NUL */
#define TIME_TEXT_MS 25u /* "2025-05-14T00:00:00.000Z" and its NUL */

/* Unix seconds of a date. False, *out untouched: there is no such date. */
bool time_from_civil(int64_t *out, const civil_t *c);

/* The date at a Unix time. False, *out untouched: outside the years 1 to 9999. */
bool time_to_civil(civil_t *out, int64_t at_s);

/* Reads "2025-05-14T00:00:00Z": whole seconds, Z, years 1970 to 9999. False, *out untouched: anything else. */
bool time_read(int64_t *out, view_t text);

/* The same form; "" and false outside the years 1 to 9999. */
bool time_write(char out[TIME_TEXT], int64_t at_s);
bool time_write_ms(char out[TIME_TEXT_MS], uint64_t at_ms);

/* Contents of an ASN.1 UTCTime "250514000000Z" (years 1950 to 2049) and GeneralizedTime "20250514000000Z", both with
 * seconds and Z, as DER has them. False, *out untouched: anything else. */
bool time_read_utc(int64_t *out, view_t text);
bool time_read_generalized(int64_t *out, view_t text);

#endif
