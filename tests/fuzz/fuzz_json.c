/* JSON of anybody: readers fail by nothing but a fault with a clean text, compact text is a fixed point, and what the
 * writer gives of any bytes parses back to them. */
#include <stdlib.h>

#include "base/json.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_clean(const char *text)
{
    for (view_t left = view_str(text); left.n;) {
        const size_t n = utf8_len(left);
        check(n && !utf8_is_control(left.p, n));
        left = view_of(left.p + n, left.n - n);
    }
}

/* Every reader on a value, each on a document of its own, as a fault sticks. */
static void try_reader(view_t text, unsigned which, arena_t *a)
{
    static const char *const words[] = { "one", "two", NULL };
    uint8_t b[32];
    err_t e;
    jo_doc_t doc;
    jo_t o = jo_open(&doc, &e, text, text.n, JO_STRICT), list, item, in;
    for (list = jo_values(&o, NULL, 100); jo_next(&list, &item);) {
        switch (which) {
        case 0: jo_text_copy(&item, a, NULL, 0, 100); break;
        case 1: jo_u64(&item, NULL, 1, UINT64_MAX); break;
        case 2: jo_decimal256(&item, NULL); break;
        case 3: jo_hex(&item, b, sizeof b, NULL, HEX_ANY); break;
        case 4: jo_bytes(&item, a, NULL, 0, 100, HEX_0X); break;
        case 5: jo_quantity(&item, NULL); break;
        case 6: jo_padded256(&item, NULL, HEX_0X); break;
        case 7: jo_word(&item, NULL, words); break;
        case 8: jo_time(&item, NULL); break;
        case 9: jo_bool(&item, NULL); break;
        case 10: jo_skip(&item, NULL); break;
        case 11: jo_number(&item, "a", 100); break;
        default: jo_next(&item, &in);
        }
    }
    if (jo_done(&o)) {
        check_clean(e.field);
        check_clean(e.text);
        check(e.text[0]);
    }
    jo_close(&doc);
}

/* Walks all of it; a strict document has then been read whole. */
static void walk(jo_t *at, arena_t *a)
{
    jo_t item;
    const jo_kind_t kind = jo_kind(at, NULL);
    if (kind == JO_TEXT)
        jo_text(at, NULL, 0, SIZE_MAX);
    while ((kind == JO_LIST || kind == JO_OBJECT) && jo_next(at, &item))
        walk(&item, a);
}

static void check_compact(view_t text, arena_t *a)
{
    err_t e;
    jo_doc_t doc, again;
    jo_t o = jo_open(&doc, &e, text, text.n, JO_STRICT | JO_ANY);
    if (jo_rc(&o) == RC_OK) {
        walk(&o, a);
        check(jo_done(&o) == RC_OK);
        const view_t compact = jo_compact(&o, a, NULL);
        jo_t p = jo_open(&again, &e, compact, compact.n, JO_LENIENT | JO_ANY);
        check(view_eq(jo_compact(&p, a, NULL), compact));
        jo_close(&again);
    }
    jo_close(&doc);
}

/* The bytes as a text and as hex, in both layouts. */
static void check_writer(view_t bytes, arena_t *a, unsigned indent)
{
    err_t e;
    jo_doc_t doc;
    jw_t w = jw_of(a, 1 << 20);
    jw_indent(&w, indent);
    jw_object(&w, NULL);
    jw_text(&w, "text", bytes);
    jw_hex(&w, "hex", bytes);
    jw_end(&w);
    const view_t out = jw_done(&w);
    check(out.p);
    const bool has_nul = bytes.n && memchr(bytes.p, 0, bytes.n);
    jo_t o = jo_open(&doc, &e, out, out.n, JO_STRICT);
    if (!has_nul) { /* a reader takes no text with NULs */
        const view_t text = jo_text(&o, "text", 0, SIZE_MAX);
        check(view_eq(jo_bytes(&o, a, "hex", 0, SIZE_MAX, HEX_0X), bytes));
        check(jo_done(&o) == RC_OK);
        size_t valid = 0;
        while (valid < bytes.n && utf8_len(view_of(bytes.p + valid, bytes.n - valid)))
            valid += utf8_len(view_of(bytes.p + valid, bytes.n - valid));
        check(valid < bytes.n || view_eq(text, bytes));
    } else
        check(jo_done(&o) == RC_MALFORMED);
    jo_close(&doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    if (len > 65536)
        return 0;
    const view_t text = view_of(data, len);
    arena_init(&a, (size_t)16 << 20);
    for (unsigned which = 0; which <= 12; which++)
        try_reader(text, which, &a);
    check_compact(text, &a);
    check_writer(text, &a, 0);
    check_writer(text, &a, 2);
    arena_free(&a);
    return 0;
}
