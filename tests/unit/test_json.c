/* The door to JSON: what a reader takes and what it says of the rest, and the bytes that a writer gives. */
#include <stdio.h>

#include "base/json.h"
#include "tests/unit/unit.h"

static arena_t arena;
static err_t e;
static jo_doc_t doc;
static jo_t o;

static void setup(void)
{
    arena_init(&arena, (size_t)16 << 20);
    err_clear(&e);
    o = jo_open(&doc, &e, view_str("{}"), 10, JO_LENIENT);
}

static void teardown(void)
{
    jo_close(&doc);
    arena_free(&arena);
}

/* Takes the place of the document at hand. */
static void load_as(const char *text, unsigned mode)
{
    jo_close(&doc);
    err_clear(&e);
    o = jo_open(&doc, &e, view_str(text), 1 << 20, mode);
}

static void load(const char *text)
{
    load_as(text, JO_LENIENT);
}

static void check_fault(rc_t rc, const char *field, const char *text)
{
    ck_assert_int_eq(jo_done(&o), rc);
    ck_assert_int_eq(e.rc, rc);
    ck_assert_str_eq(e.field, field);
    ck_assert_str_eq(e.text, text);
}

static void check_text(view_t got, const char *want)
{
    ck_assert_uint_eq(got.n, strlen(want));
    ck_assert_str_eq((const char *)got.p, want);
}

/* --- documents --- */

START_TEST(what_is_no_document_is_refused_without_repeating_it)
{
    static const char *const texts[] = {
        "",           "{",           "{\"a\":1}}", "{\"a\":1,\"a\":2}",     "{\"a\":\"\\u0000\"}", "\"key\"",
        "[\"\xff\"]", "{\"a\":0x1}", "[1,]",       "[18446744073709551615]"
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        load(texts[i]);
        if (jo_done(&o) != RC_MALFORMED || strncmp(e.text, "is not valid JSON", 17) != 0 || strstr(e.text, "key\""))
            ck_abort_msg("%s: %s", texts[i], e.text);
        ck_assert_uint_eq(jo_u64(&o, "a", 0, 9), 0);
    }
    load("{\"a\":\n 1 2}");
    check_fault(RC_MALFORMED, "", "is not valid JSON: '}' expected (line 2, column 4)");
    load("{\"a\":1,}");
    check_fault(RC_MALFORMED, "", "is not valid JSON: string or '}' expected (line 1, column 8)");
    load("");
    check_fault(RC_MALFORMED, "", "is not valid JSON: '[' or '{' expected near end of file (line 1, column 0)");
    load("{\"a\":{\"max_age\":1,\n\"max_age\":2}}"); /* what stands twice is named where it looks like a name */
    ck_assert_int_eq(jo_done(&o), RC_MALFORMED);
    ck_assert_msg(!strncmp(e.text, "is not valid JSON: it has \"max_age\" twice (line 2, ", 51), "%s", e.text);
    load("{\"key 7\":1,\"key 7\":2}");
    ck_assert_msg(jo_done(&o) == RC_MALFORMED && !strstr(e.text, "key 7"), "%s", e.text);
    load("{\"a\":\"\\ud800'}'key\"}");
    ck_assert_msg(jo_done(&o) == RC_MALFORMED && !strstr(e.text, "'") && !strstr(e.text, "key"), "%s", e.text);
    load("\xef\xbb\xbf{}");
    check_fault(RC_MALFORMED, "", "is not valid JSON: it begins with a byte order mark, which has to go");
}
END_TEST

START_TEST(length_depth_and_values_have_limits)
{
    char deep[2 * JSON_DEPTH_MAX + 3] = "";
    memset(deep, '[', JSON_DEPTH_MAX);
    memset(deep + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    load(deep);
    ck_assert_int_eq(jo_done(&o), RC_OK);
    memset(deep, '[', JSON_DEPTH_MAX + 1);
    memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    load(deep);
    check_fault(RC_LIMIT, "", "is nested deeper than 64 or has more than 400000 values");
    jo_close(&doc);
    o = jo_open(&doc, &e, view_str("[1,2]"), 4, JO_LENIENT);
    check_fault(RC_LIMIT, "", "is larger than 4 bytes");
    const size_t n = 2 * (JSON_VALUES_MAX + 1) + 1;
    char *many = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        many[i] = i % 2 ? '1' : ',';
    many[0] = '[';
    many[n - 1] = ']';
    many[n] = '\0';
    load(many);
    ck_assert_int_eq(jo_done(&o), RC_LIMIT);
    many[n - 3] = ']';
    many[n - 2] = '\0';
    load(many);
    ck_assert_int_eq(jo_done(&o), RC_OK);
    ck_assert_uint_eq(jo_size(&o), JSON_VALUES_MAX);
    free(many);
}
END_TEST

START_TEST(a_single_value_is_a_document_when_asked_for)
{
    load_as("\"quote\"", JO_ANY);
    check_text(jo_text(&o, NULL, 1, 9), "quote");
    ck_assert_int_eq(jo_done(&o), RC_OK);
    ck_assert(!jo_opt_u64(&o, &(uint64_t){ 0 }, "x", 0, 9));
    check_fault(RC_MALFORMED, "", "must be an object");
}
END_TEST

START_TEST(without_an_err_the_rc_is_still_known)
{
    jo_close(&doc);
    o = jo_open(&doc, NULL, view_str("{\"a\":true}"), 99, JO_STRICT);
    ck_assert_uint_eq(jo_u64(&o, "a", 0, 1), 0);
    ck_assert_int_eq(jo_rc(&o), RC_MALFORMED);
    ck_assert_int_eq(jo_done(&o), RC_MALFORMED);
}
END_TEST

START_TEST(objects_are_merged_the_upper_one_first)
{
    jo_doc_t below, above;
    jo_t b = jo_open(&below, &e, view_str("{\"a\":1,\"b\":2,\"may\":[]}"), 99, JO_LENIENT);
    jo_t a = jo_open(&above, &e, view_str("{\"b\":{\"x\":3}}"), 99, JO_LENIENT);
    jo_close(&doc);
    o = jo_merge(&doc, &e, &b, &a, "may", JO_STRICT);
    jo_close(&below);
    jo_close(&above);
    check_text(jo_compact(&o, &arena, NULL), "{\"a\":1,\"b\":{\"x\":3}}");
    jo_close(&doc);
    o = jo_merge(&doc, &e, NULL, NULL, NULL, JO_LENIENT);
    check_text(jo_compact(&o, &arena, NULL), "{}");
}
END_TEST

/* --- faults --- */

START_TEST(the_first_fault_sticks_with_its_path)
{
    jo_t row;
    size_t rows = 0;
    load("{\"levels\":[{\"tcb\":{\"svn\":1}},{\"tcb\":{\"svn\":256}},{}],\"x\":false}");
    for (jo_t list = jo_list(&o, "levels", 1, 8); jo_next(&list, &row); rows++) {
        jo_t tcb = jo_object(&row, "tcb");
        jo_u64(&tcb, "svn", 0, 255);
    }
    ck_assert_uint_eq(rows, 2);
    jo_text(&o, "x", 1, 2);
    ck_assert(!jo_has(&o, "x"));
    ck_assert_uint_eq(jo_size(&o), 0);
    ck_assert_int_eq(jo_fail(&o, "y", RC_IO, "late"), RC_MALFORMED);
    check_fault(RC_MALFORMED, "levels[1].tcb.svn", "must be a number from 0 to 255");
}
END_TEST

START_TEST(a_path_of_any_length_fits_its_field)
{
    char text[3000];
    size_t n = 0;
    for (int i = 0; i < 60; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "{\"a-name-of-some-length\\u001b\":");
    n += (size_t)snprintf(text + n, sizeof text - n, "1");
    memset(text + n, '}', 60);
    text[n + 60] = '\0';
    load_as(text, JO_STRICT);
    jo_t places[60], item = o;
    for (int i = 0; i < 60; i++) {
        places[i] = item;
        ck_assert(jo_next(&places[i], &item));
    }
    jo_text(&item, NULL, 0, 1);
    ck_assert_int_eq(jo_done(&o), RC_MALFORMED);
    ck_assert_str_eq(e.field, "a-name-of-some-length?.a-name-of-some-length?.a-name-of-some-le");
}
END_TEST

START_TEST(a_fault_has_the_code_of_its_subject)
{
    load("{\"a\":1}");
    jo_code(&o, 65);
    jo_u64(&o, "a", 0, 9);
    jo_code(&o, 66);
    jo_u64(&o, "b", 0, 9);
    jo_code(&o, 67);
    check_fault(RC_MALFORMED, "b", "is required");
    ck_assert_int_eq(e.code, 66);
    load("{}");
    ck_assert_int_eq(jo_fail(&o, "b", RC_REFUSED, "no %s", "more"), RC_REFUSED);
    check_fault(RC_REFUSED, "b", "no more");
    ck_assert_int_eq(e.code, 0);
}
END_TEST

START_TEST(absent_null_and_wrong_are_told_apart)
{
    uint64_t x = 7;
    load("{\"null\":null,\"text\":\"1\",\"n\":1,\"r\":1.5,\"t\":true,\"l\":[],\"o\":{}}");
    ck_assert_int_eq(jo_kind(&o, "absent"), JO_ABSENT);
    ck_assert_int_eq(jo_kind(&o, "null"), JO_NULL);
    ck_assert_int_eq(jo_kind(&o, "text"), JO_TEXT);
    ck_assert_int_eq(jo_kind(&o, "n"), JO_INTEGER);
    ck_assert_int_eq(jo_kind(&o, "r"), JO_REAL);
    ck_assert_int_eq(jo_kind(&o, "t"), JO_BOOL);
    ck_assert_int_eq(jo_kind(&o, "l"), JO_LIST);
    ck_assert_int_eq(jo_kind(&o, "o"), JO_OBJECT);
    ck_assert_int_eq(jo_kind(&o, NULL), JO_OBJECT);
    ck_assert(!jo_has(&o, "absent") && !jo_has(&o, "null") && jo_has(&o, "t"));
    ck_assert(!jo_opt_u64(&o, &x, "absent", 0, 9));
    ck_assert(!jo_opt_u64(&o, &x, "null", 0, 9));
    ck_assert_int_eq(jo_rc(&o), RC_OK);
    ck_assert(!jo_opt_u64(&o, &x, "text", 0, 9));
    ck_assert_uint_eq(x, 7);
    check_fault(RC_MALFORMED, "text", "must be a number from 0 to 9");
}
END_TEST

/* --- strict --- */

START_TEST(a_member_nobody_read_is_named)
{
    load_as("{\"a\":1,\"levels\":[{\"x\":1},{\"x\":1,\"y\":2}]}", JO_STRICT);
    jo_t row;
    jo_u64(&o, "a", 0, 9);
    for (jo_t list = jo_list(&o, "levels", 0, 9); jo_next(&list, &row);)
        jo_u64(&row, "x", 0, 9);
    check_fault(RC_MALFORMED, "levels[1].y", "unknown key");
    load_as("{\"a\":1,\"b\":1}", JO_STRICT);
    ck_assert(jo_has(&o, "b"));
    jo_u64(&o, "a", 0, 9);
    check_fault(RC_MALFORMED, "b", "unknown key");
    load_as("{\"a\":1,\"b\":1}", JO_LENIENT);
    jo_u64(&o, "a", 0, 9);
    ck_assert_int_eq(jo_done(&o), RC_OK);
}
END_TEST

START_TEST(what_was_read_in_any_way_is_known)
{
    uint64_t x;
    jo_t part, item;
    load_as(
        "{\"a\":1,\"n\":null,\"skip\":{\"x\":[{}]},\"whole\":{\"y\":{\"z\":1}},\"spec\":{\"p\":{\"q\":1},\"r\":{\"s\":1}},"
        "\"names\":{\"f\":1,\"g\":2},\"t\":true,\"u\":true}",
        JO_STRICT);
    jo_u64(&o, "a", 0, 9);
    jo_u64(&o, "a", 0, 9);
    ck_assert(!jo_opt_u64(&o, &x, "n", 0, 9));
    jo_skip(&o, "skip");
    jo_skip(&o, "absent");
    check_text(jo_compact(&o, &arena, "whole"), "{\"y\":{\"z\":1}}");
    ck_assert(jo_opt_object(&o, &part, "spec"));
    jo_rest(&part);
    part = jo_object(&o, "names");
    while (jo_next(&part, &item))
        x = jo_u64(&item, NULL, 1, 2);
    ck_assert_uint_eq(x, 2);
    jo_bool(&o, "t");
    ck_assert_int_eq(jo_rc(&o), RC_OK);
    check_fault(RC_MALFORMED, "u", "unknown key");
}
END_TEST

START_TEST(below_a_member_that_was_read_all_counts_even_with_a_rest)
{
    load_as("{\"spec\":{\"p\":{\"q\":1},\"r\":{\"s\":1}}}", JO_STRICT);
    jo_t spec = jo_object(&o, "spec");
    jo_rest(&spec);
    jo_object(&spec, "p");
    check_fault(RC_MALFORMED, "spec.p.q", "unknown key");
}
END_TEST

START_TEST(a_thousand_members_are_remembered)
{
    char text[20000], key[16];
    size_t n = 0;
    for (int i = 0; i < 1000; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%c\"k%d\":%d", i ? ',' : '{', i, i);
    snprintf(text + n, sizeof text - n, "}");
    load_as(text, JO_STRICT);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%u", i);
        ck_assert_uint_eq(jo_u64(&o, key, i, i), i);
    }
    ck_assert_int_eq(jo_done(&o), RC_OK);
}
END_TEST

/* --- values --- */

/* What reading member "v" of such an object by each form gives: the rc. */
#define RC_OF(text, call) (load("{\"v\":" text "}"), (void)(call), jo_done(&o))

START_TEST(numbers_keep_to_their_range_and_type)
{
    ck_assert_int_eq(RC_OF("9", jo_u64(&o, "v", 9, 9)), RC_OK);
    ck_assert_int_eq(RC_OF("8", jo_u64(&o, "v", 9, 9)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("10", jo_u64(&o, "v", 9, 9)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("-1", jo_u64(&o, "v", 0, UINT64_MAX)), RC_MALFORMED);
    ck_assert_str_eq(e.text, "must be a number of at least 0");
    ck_assert_int_eq(RC_OF("1.0", jo_u64(&o, "v", 0, 9)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"1\"", jo_u64(&o, "v", 0, 9)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("null", jo_u64(&o, "v", 0, 9)), RC_MALFORMED);
    load("{\"v\":9223372036854775807,\"w\":-9223372036854775808}");
    ck_assert_uint_eq(jo_u64(&o, "v", 0, UINT64_MAX), INT64_MAX);
    ck_assert_int_eq(jo_i64(&o, "w", INT64_MIN, 0), INT64_MIN);
    ck_assert_int_eq(jo_done(&o), RC_OK);
    ck_assert_int_eq(RC_OF("-6", jo_i64(&o, "v", -5, 5)), RC_MALFORMED);
    ck_assert_str_eq(e.text, "must be a number from -5 to 5");
}
END_TEST

START_TEST(decimal_texts_have_one_form)
{
    load("{\"v\":\"18446744073709551615\",\"w\":\"0\",\"n\":7,\"m\":\"8\"}");
    ck_assert_uint_eq(jo_decimal(&o, "v", UINT64_MAX), UINT64_MAX);
    ck_assert_uint_eq(jo_decimal(&o, "w", 0), 0);
    ck_assert_uint_eq(jo_number(&o, "n", 9), 7);
    ck_assert_uint_eq(jo_number(&o, "m", 9), 8);
    ck_assert_int_eq(jo_done(&o), RC_OK);
    ck_assert_int_eq(RC_OF("\"18446744073709551616\"", jo_decimal(&o, "v", UINT64_MAX)), RC_LIMIT);
    ck_assert_int_eq(RC_OF("\"10\"", jo_decimal(&o, "v", 9)), RC_LIMIT);
    ck_assert_int_eq(RC_OF("\"01\"", jo_decimal(&o, "v", 9)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"\"", jo_decimal(&o, "v", 9)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"-1\"", jo_decimal(&o, "v", 9)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"1 \"", jo_decimal(&o, "v", 9)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("1", jo_decimal(&o, "v", 9)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("10", jo_number(&o, "v", 9)), RC_MALFORMED);
    load("{\"v\":\"115792089237316195423570985008687907853269984665640564039457584007913129639935\"}");
    u256_t x = jo_decimal256(&o, "v");
    ck_assert_int_eq(jo_done(&o), RC_OK);
    ck_assert(x.w[0] == UINT64_MAX && x.w[1] == UINT64_MAX && x.w[2] == UINT64_MAX && x.w[3] == UINT64_MAX);
    ck_assert_int_eq(RC_OF("\"115792089237316195423570985008687907853269984665640564039457584007913129639936\"",
                           jo_decimal256(&o, "v")),
                     RC_LIMIT);
}
END_TEST

START_TEST(texts_keep_to_their_length)
{
    const char *copy;
    load("{\"v\":\"abc\",\"w\":\"\"}");
    copy = (const char *)jo_text_copy(&o, &arena, "v", 3, 3).p;
    check_text(jo_text(&o, "v", 3, 3), "abc");
    check_text(jo_text(&o, "w", 0, 3), "");
    ck_assert_int_eq(jo_done(&o), RC_OK);
    ck_assert_int_eq(RC_OF("\"abc\"", jo_text(&o, "v", 0, 2)), RC_LIMIT);
    ck_assert_str_eq(copy, "abc"); /* though its document is closed */
    ck_assert_int_eq(RC_OF("\"\"", jo_text(&o, "v", 1, 2)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("1", jo_text(&o, "v", 0, 2)), RC_MALFORMED);
}
END_TEST

START_TEST(words_times_and_truths_are_read)
{
    static const char *const words[] = { "latest", "safe", NULL };
    bool yes = false;
    load("{\"w\":\"safe\",\"t\":\"2025-05-14T00:00:00Z\",\"b\":true}");
    ck_assert_uint_eq(jo_word(&o, "w", words), 1);
    ck_assert_int_eq(jo_time(&o, "t"), 1747180800);
    ck_assert(jo_bool(&o, "b") && jo_opt_bool(&o, &yes, "b") && yes);
    ck_assert_int_eq(jo_done(&o), RC_OK);
    ck_assert_int_eq(RC_OF("\"no\"", jo_word(&o, "v", words)), RC_MALFORMED);
    ck_assert_str_eq(e.text, "must be one of: latest, safe");
    ck_assert_int_eq(RC_OF("7", jo_word(&o, "v", words)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"2025-02-30T00:00:00Z\"", jo_time(&o, "v")), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("1", jo_bool(&o, "v")), RC_MALFORMED);
}
END_TEST

START_TEST(hex_has_the_form_and_length_that_is_asked_for)
{
    uint8_t b[2] = { 7, 7 };
    ck_assert_int_eq(RC_OF("\"0xabCD\"", jo_hex(&o, b, 2, "v", HEX_0X)), RC_OK);
    ck_assert(b[0] == 0xab && b[1] == 0xcd);
    ck_assert_int_eq(RC_OF("\"0123\"", jo_hex(&o, b, 2, "v", HEX_BARE)), RC_OK);
    ck_assert(b[0] == 0x01 && b[1] == 0x23);
    ck_assert_int_eq(RC_OF("\"abcd\"", jo_hex(&o, b, 2, "v", HEX_ANY)), RC_OK);
    ck_assert_int_eq(RC_OF("\"0xabcd\"", jo_hex(&o, b, 2, "v", HEX_ANY)), RC_OK);
    ck_assert_int_eq(RC_OF("\"0x0x12\"", jo_hex(&o, b, 2, "v", HEX_ANY)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0Xabcd\"", jo_hex(&o, b, 2, "v", HEX_ANY)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0Xabcd\"", jo_hex(&o, b, 2, "v", HEX_LOOSE)), RC_OK);
    ck_assert_int_eq(RC_OF("\"abcd\"", jo_hex(&o, b, 2, "v", HEX_0X)), RC_MALFORMED);
    ck_assert_str_eq(e.text, "must be 2 bytes of hex with 0x");
    ck_assert_int_eq(RC_OF("\"0xabcd\"", jo_hex(&o, b, 2, "v", HEX_BARE)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0xab\"", jo_hex(&o, b, 2, "v", HEX_0X)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0xabcg\"", jo_hex(&o, b, 2, "v", HEX_0X)), RC_MALFORMED);
    ck_assert(b[0] == 0xab && b[1] == 0xcd);
}
END_TEST

START_TEST(bytes_keep_to_their_limits)
{
    view_t v = view_of(NULL, 0);
    ck_assert_int_eq(RC_OF("\"0x\"", v = jo_bytes(&o, &arena, "v", 0, 2, HEX_0X)), RC_OK);
    ck_assert(v.p && v.n == 0);
    ck_assert_int_eq(RC_OF("\"0x0102\"", v = jo_bytes(&o, &arena, "v", 0, 2, HEX_0X)), RC_OK);
    ck_assert_mem_eq(v.p, "\1\2", 2);
    ck_assert_int_eq(RC_OF("\"0x010203\"", jo_bytes(&o, &arena, "v", 0, 2, HEX_0X)), RC_LIMIT);
    ck_assert_int_eq(RC_OF("\"0x01\"", jo_bytes(&o, &arena, "v", 2, 2, HEX_0X)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0x012\"", jo_bytes(&o, &arena, "v", 0, 2, HEX_0X)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0x01zz\"", jo_bytes(&o, &arena, "v", 0, 2, HEX_0X)), RC_MALFORMED);
}
END_TEST

START_TEST(quantities_are_ethereums)
{
    u256_t x;
    ck_assert_int_eq(RC_OF("\"0x0\"", jo_quantity(&o, "v")), RC_OK);
    load("{\"v\":\"0xffffffffffffffff\"}");
    ck_assert_uint_eq(jo_quantity(&o, "v"), UINT64_MAX);
    ck_assert_int_eq(RC_OF("\"0x10000000000000000\"", jo_quantity(&o, "v")), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0x10000000000000000\"", x = jo_quantity256(&o, "v")), RC_OK);
    ck_assert(x.w[0] == 0 && x.w[1] == 1);
    ck_assert_int_eq(RC_OF("\"0x01\"", jo_quantity(&o, "v")), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0x\"", jo_quantity(&o, "v")), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"1\"", jo_quantity(&o, "v")), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0x01\"", jo_quantity256(&o, "v")), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0x01\"", x = jo_padded256(&o, "v", HEX_0X)), RC_OK);
    ck_assert(x.w[0] == 1 && u256_fits_u64(&x));
    ck_assert_int_eq(RC_OF("\"0X01\"", jo_padded256(&o, "v", HEX_0X)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("\"0X02\"", x = jo_padded256(&o, "v", HEX_LOOSE)), RC_OK);
    ck_assert_uint_eq(x.w[0], 2);
}
END_TEST

START_TEST(lists_keep_to_their_counts)
{
    jo_t list, item;
    ck_assert_int_eq(RC_OF("[1,2]", jo_list(&o, "v", 2, 2)), RC_OK);
    ck_assert_int_eq(RC_OF("[1,2]", jo_list(&o, "v", 0, 1)), RC_LIMIT);
    ck_assert_int_eq(RC_OF("[1,2]", jo_list(&o, "v", 3, 3)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("[]", jo_list(&o, "v", 1, 3)), RC_MALFORMED);
    ck_assert_str_eq(e.text, "the list is empty");
    ck_assert_int_eq(RC_OF("{}", jo_list(&o, "v", 0, 3)), RC_MALFORMED);
    ck_assert_int_eq(RC_OF("[]", jo_object(&o, "v")), RC_MALFORMED);
    load("{\"null\":null}");
    ck_assert(!jo_opt_list(&o, &list, "null", 1, 1));
    ck_assert_int_eq(jo_done(&o), RC_OK);
    load("[true,[5]]");
    for (list = jo_list(&o, NULL, 0, 9); jo_next(&list, &item);)
        jo_bool(&item, NULL);
    check_fault(RC_MALFORMED, "[1]", "must be true or false");
}
END_TEST

START_TEST(one_value_stands_for_a_list_of_one)
{
    jo_t list, item;
    size_t count = 0;
    load("{\"one\":\"a\",\"two\":[\"a\",\"a\"],\"object\":{\"x\":\"a\"}}");
    for (list = jo_values(&o, "one", 2); jo_next(&list, &item); count++)
        check_text(jo_text(&item, NULL, 1, 1), "a");
    ck_assert(jo_opt_values(&o, &list, "two", 2));
    for (; jo_next(&list, &item); count++)
        check_text(jo_text(&item, NULL, 1, 1), "a");
    for (list = jo_values(&o, "object", 2); jo_next(&list, &item); count++)
        check_text(jo_text(&item, "x", 1, 1), "a");
    ck_assert_uint_eq(count, 4);
    ck_assert_int_eq(jo_done(&o), RC_OK);
    jo_values(&o, "two", 1);
    check_fault(RC_LIMIT, "two", "has more than 1 elements");
    load("{\"one\":5}");
    list = jo_values(&o, "one", 2);
    ck_assert(jo_next(&list, &item));
    jo_text(&item, NULL, 1, 1);
    check_fault(RC_MALFORMED, "one", "must be a text");
}
END_TEST

START_TEST(text_again_is_compact_and_sorted_or_as_written)
{
    load("{ \"b\" : [1, 2.5, \"\\u00e9\\n\"],\n \"a\" : { \"d\":null, \"c\":true } }");
    check_text(jo_compact(&o, &arena, NULL), "{\"a\":{\"c\":true,\"d\":null},\"b\":[1,2.5,\"\xc3\xa9\\n\"]}");
    check_text(jo_as_written(&o, &arena, NULL), "{\"b\":[1,2.5,\"\xc3\xa9\\n\"],\"a\":{\"d\":null,\"c\":true}}");
    check_text(jo_as_written(&o, &arena, "a"), "{\"d\":null,\"c\":true}");
    ck_assert_int_eq(jo_done(&o), RC_OK);
}
END_TEST

START_TEST(an_arena_that_ends_is_no_memory)
{
    arena_t none;
    arena_init(&none, 0);
    ck_assert_int_eq(RC_OF("\"ab\"", jo_text_copy(&o, &none, "v", 0, 9)), RC_NOMEM);
    ck_assert_int_eq(RC_OF("\"ab\"", jo_bytes(&o, &none, "v", 0, 9, HEX_ANY)), RC_NOMEM);
    ck_assert_int_eq(RC_OF("\"ab\"", jo_compact(&o, &none, "v")), RC_NOMEM);
    check_fault(RC_NOMEM, "v", "out of memory");
    jw_t w = jw_of(&none, 99);
    jw_null(&w, NULL);
    ck_assert_ptr_null(jw_done(&w).p);
    ck_assert_int_eq(w.rc, RC_NOMEM);
    arena_free(&none);
}
END_TEST

/* --- writer --- */

static void write_all(jw_t *w)
{
    const uint8_t bytes[] = { 0xab, 0 };
    const u256_t big = { { 0, 0, 1, 0 } }, zero = { { 0 } };
    const u256_t most = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    jw_object(w, NULL);
    jw_u64(w, "u", UINT64_MAX);
    jw_i64(w, "i", INT64_MIN);
    jw_bool(w, "b", true);
    jw_null(w, "n");
    jw_array(w, "list");
    jw_hex(w, NULL, view_of(bytes, 2));
    jw_digits(w, NULL, view_of(bytes, 2));
    jw_hex(w, NULL, view_of(NULL, 0));
    jw_end(w);
    jw_array(w, "none");
    jw_end(w);
    jw_object(w, "o");
    jw_quantity(w, "q", 0);
    jw_quantity(w, "r", 26);
    jw_quantity256(w, "s", &big);
    jw_quantity256(w, "t", &zero);
    jw_end(w);
    jw_decimal(w, "d", 12);
    jw_decimal256(w, "e", &zero);
    jw_decimal256(w, "f", &most);
    jw_time(w, "at", 1747180800);
    jw_fmt(w, "f", "%s-%d", "x", 1);
    jw_raw(w, "raw", view_str("{\"a\":[]}"));
    jw_end(w);
}

START_TEST(every_value_has_its_form)
{
    jw_t w = jw_of(&arena, 4096);
    write_all(&w);
    check_text(jw_done(&w), "{\"u\":18446744073709551615,\"i\":-9223372036854775808,\"b\":true,\"n\":null,"
                            "\"list\":[\"0xab00\",\"ab00\",\"0x\"],\"none\":[],\"o\":{\"q\":\"0x0\",\"r\":\"0x1a\","
                            "\"s\":\"0x100000000000000000000000000000000\",\"t\":\"0x0\"},\"d\":\"12\",\"e\":\"0\","
                            "\"f\":\"115792089237316195423570985008687907853269984665640564039457584007913129639935\","
                            "\"at\":\"2025-05-14T00:00:00Z\",\"f\":\"x-1\",\"raw\":{\"a\":[]}}");
}
END_TEST

START_TEST(for_people_there_is_a_line_for_each_value)
{
    jw_t w = jw_of(NULL, 4096);
    jw_indent(&w, 2);
    jw_object(&w, NULL);
    jw_u64(&w, "a", 1);
    jw_array(&w, "b");
    jw_null(&w, NULL);
    jw_object(&w, NULL);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    check_text(jw_done(&w), "{\n  \"a\": 1,\n  \"b\": [\n    null,\n    {}\n  ]\n}");
    jw_free(&w);
}
END_TEST

START_TEST(texts_are_escaped_and_repaired)
{
    jw_t w = jw_of(&arena, 4096);
    jw_array(&w, NULL);
    jw_str(&w, NULL, "\"\\/\b\f\n\r\t\x01\x1f\x7f \xc3\xa9");
    jw_text(&w, NULL, view_of("a\0b", 3));
    jw_str(&w, NULL, "\xff\xe2\x82x\xed\xa0\x80");
    jw_end(&w);
    check_text(jw_done(&w), "[\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001F\x7f \xc3\xa9\",\"a\\u0000b\","
                            "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]");
}
END_TEST

START_TEST(a_writer_never_passes_its_maximum)
{
    jw_t w = jw_of(NULL, 4096);
    write_all(&w);
    const size_t n = jw_done(&w).n;
    jw_free(&w);
    for (size_t max = 0; max < n + 2; max++) {
        w = jw_of(NULL, max);
        write_all(&w);
        ck_assert_uint_eq(jw_done(&w).n, max < n ? 0 : n);
        ck_assert_int_eq(w.rc, max < n ? RC_LIMIT : RC_OK);
        ck_assert_uint_le(w.n, max);
        jw_free(&w);
    }
}
END_TEST

START_TEST(misuse_of_a_writer_is_a_bug)
{
    const char *const misuses[] = { "", "{", "[", "}", "{}}", "{n}", "{k[n]", "[k]", "nn", "{}n", "{f}", "[r]" };
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++) {
        const char *key = NULL;
        jw_t w = jw_of(NULL, 4096);
        for (const char *p = misuses[i]; *p; p++) {
            switch (*p) {
            case '{': jw_object(&w, key); break;
            case '[': jw_array(&w, key); break;
            case 'n': jw_null(&w, NULL); break;
            case 'k':
                key = "k";
                jw_null(&w, "k");
                break;
            case 'f': jw_fmt(&w, "k", "%256d", 1); break;
            case 'r': jw_raw(&w, NULL, view_of(NULL, 0)); break;
            default: jw_end(&w);
            }
        }
        if (jw_done(&w).p || w.rc != RC_BUG)
            ck_abort_msg("no bug: %s", misuses[i]);
        jw_free(&w);
    }
    jw_t w = jw_of(NULL, 4096);
    for (unsigned i = 0; i <= JSON_DEPTH_MAX; i++)
        jw_array(&w, NULL);
    ck_assert_int_eq(w.rc, RC_BUG);
    jw_free(&w);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "json", setup, teardown, what_is_no_document_is_refused_without_repeating_it,
        length_depth_and_values_have_limits, a_single_value_is_a_document_when_asked_for,
        without_an_err_the_rc_is_still_known, objects_are_merged_the_upper_one_first,
        the_first_fault_sticks_with_its_path, a_path_of_any_length_fits_its_field, a_fault_has_the_code_of_its_subject,
        absent_null_and_wrong_are_told_apart, a_member_nobody_read_is_named, what_was_read_in_any_way_is_known,
        below_a_member_that_was_read_all_counts_even_with_a_rest, a_thousand_members_are_remembered,
        numbers_keep_to_their_range_and_type, decimal_texts_have_one_form, texts_keep_to_their_length,
        words_times_and_truths_are_read, hex_has_the_form_and_length_that_is_asked_for, bytes_keep_to_their_limits,
        quantities_are_ethereums, lists_keep_to_their_counts, one_value_stands_for_a_list_of_one,
        text_again_is_compact_and_sorted_or_as_written, an_arena_that_ends_is_no_memory, every_value_has_its_form,
        for_people_there_is_a_line_for_each_value, texts_are_escaped_and_repaired, a_writer_never_passes_its_maximum,
        misuse_of_a_writer_is_a_bug);
}
