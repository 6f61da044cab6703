/* json.h - JSON as bytes are read and written: a reader and a writer that turn bad once, and are asked once, at the
 * end.
 *
 * Reading:
 *     jo_doc_t doc;
 *     jo_t o = jo_open(&doc, e, body, BODY_MAX, JO_STRICT), row;
 *     port = (uint16_t)jo_u64(&o, "port", 1, 65535);
 *     jo_hex(&o, root.b, 32, "checkpoint", HEX_ANY);
 *     jo_opt_bool(&o, &tls, "api_tls"); // tls keeps its default when the member is absent or null
 *     for (jo_t list = jo_list(&o, "levels", 1, LEVELS_MAX); jo_next(&list, &row);)
 *         svn[row.index] = (uint8_t)jo_u64(&row, "svn", 0, 255);
 *     rc_t rc = jo_done(&o); // e: RC_MALFORMED, field "levels[3].svn", "must be a number from 0 to 255"
 *     jo_close(&doc);
 *
 * Writing:
 *     jw_t w = jw_of(arena, REPLY_MAX);
 *     jw_object(&w, NULL);
 *     jw_u64(&w, "slot", slot);
 *     jw_hex(&w, "root", view_of(root.b, 32));
 *     jw_end(&w);
 *     view_t text = jw_done(&w); // {"slot":7,"root":"0x..."}; p is NULL when w.rc is not RC_OK
 *
 * The only door to jansson.
 *
 * Floor:  1, base (a library of its own, so that what needs no JSON links without jansson). No I/O, clock or thread.
 * Tests:  tests/unit/test_json.c, tests/fuzz/fuzz_json.c
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/u256.h"

#define JSON_DEPTH_MAX 64u
#define JSON_VALUES_MAX 400000u /* values in one text: bounds the memory of its tree */

/* ---- reader ----
 *
 * A jo_t is a place in a document: an object, a list or a single value. Every reader names a member of the object at
 * hand, or with key NULL takes the value at hand itself (an element of a list). The first fault sticks in the err_t
 * given to jo_open, with the member's path in field; from then on readers give 0, false, empty views and empty lists,
 * and jo_next gives nothing. So values that were read may be used in any way that is harmless for 0, and one look at
 * jo_done decides about all of them.
 *
 * jo_X    the member must be there and be an X
 * jo_opt_X the member may be absent or null: then false, and *out is untouched. True: it was there and well-formed
 *
 * Views of text live in the document, with a NUL behind them, until jo_close; whoever gives an arena gets a copy in the
 * arena. No reader allocates but those with an arena (and the strict mode's marks, which grow by doubling).
 */

typedef struct json_t jo_tree_t; /* jansson's own; seen in base/json.c only */

typedef enum {
    JO_LENIENT = 0, /* a member that nobody reads is passed over */
    JO_STRICT = 1,  /* it is an error that names it, wherever it stands below a place that was entered */
    JO_ANY = 2      /* may be added: the text may be a single value too, not only an object or a list */
} jo_mode_t;

/* One text, its fault and its marks. On the caller's stack; not looked into. */
typedef struct {
    jo_tree_t *tree;
    err_t *e;
    rc_t rc;
    uint16_t code;
    bool strict;
    const void **marks; /* what has been read, of a strict document: open addressing */
    size_t mark_count, mark_cap;
} jo_doc_t;

/* A place in a document. Must not outlive the variable of the place that it was read from. */
typedef struct jo {
    jo_doc_t *doc;
    const struct jo *up;
    jo_tree_t *value;
    const char *name; /* when it is a member: its name, else NULL */
    size_t index;     /* when it is an element: its number from 0 on */
    size_t at;        /* jo_next: how many were given */
    void *iter;       /* jo_next over members */
} jo_t;

/* Parses a text whole: duplicate names, NUL characters, invalid UTF-8 and trailing text are faults. Never fails by
 * itself: a text that does not parse gives a place whose every reader gives nothing, and jo_done says why.
 *   doc  always give it to jo_close
 *   e    NULL allowed; not touched unless there is a fault
 * Faults: RC_MALFORMED; RC_LIMIT: longer than len_max, deeper than JSON_DEPTH_MAX, more than JSON_VALUES_MAX values;
 * RC_NOMEM. */
jo_t jo_open(jo_doc_t *doc, err_t *e, view_t text, size_t len_max, unsigned mode);

/* A document of the members of two objects, those of above in place of those of below (NULL or absent: none), without
 * the member named but (NULL: all). It shares their trees, which may be closed first. */
jo_t jo_merge(jo_doc_t *doc, err_t *e, const jo_t *below, const jo_t *above, const char *but, unsigned mode);

/* The first fault of the document; in a strict one, without any, the first member below o that nobody read
 * (RC_MALFORMED). */
NODISCARD rc_t jo_done(const jo_t *o);

/* Frees the document; all views of it end. */
void jo_close(jo_doc_t *doc);

/* The first fault so far, or RC_OK: for loops that do costly or harmful things with what they read. */
rc_t jo_rc(const jo_t *o);

/* Adds a fault of the caller's own at a member (NULL: at o itself), unless there is one already. Returns the first
 * fault's rc. */
__attribute__((format(printf, 4, 5))) rc_t jo_fail(const jo_t *o, const char *key, rc_t rc, const char *fmt, ...);

/* Faults found from now on have this code in their err_t (0: none): one line where a reader's subject changes. */
void jo_code(const jo_t *o, uint16_t code);

/* --- what is there; this counts as reading only where it says so --- */

typedef enum { JO_ABSENT, JO_NULL, JO_BOOL, JO_INTEGER, JO_REAL, JO_TEXT, JO_LIST, JO_OBJECT } jo_kind_t;

/* What stands there, without a judgement on it. */
jo_kind_t jo_kind(const jo_t *o, const char *key);
bool jo_has(const jo_t *o, const char *key);  /* neither absent nor null */
size_t jo_size(const jo_t *o);                /* members of an object, elements of a list; else 0 */
void jo_skip(const jo_t *o, const char *key); /* counts as read, with all below it, whatever it is */
void jo_rest(const jo_t *o);                  /* so do all members of o that nobody reads */

/* --- containers --- */

/* An object, to read its members. */
jo_t jo_object(const jo_t *o, const char *key);
bool jo_opt_object(const jo_t *o, jo_t *out, const char *key);

/* A list of min to max elements. RC_LIMIT: more; RC_MALFORMED: fewer. */
jo_t jo_list(const jo_t *o, const char *key, size_t min, size_t max);
bool jo_opt_list(const jo_t *o, jo_t *out, const char *key, size_t min, size_t max);

/* A list of 1 to max elements, or one element without the brackets, which jo_next then gives. */
jo_t jo_values(const jo_t *o, const char *key, size_t max);
bool jo_opt_values(const jo_t *o, jo_t *out, const char *key, size_t max);

/* The next element of a list, or the next member of an object, whose names are free (then item->name). False: no more,
 * or a fault. Members count as read; those below them do not. */
bool jo_next(jo_t *list, jo_t *item);

/* --- values --- */

/* true or false. */
bool jo_bool(const jo_t *o, const char *key);
bool jo_opt_bool(const jo_t *o, bool *out, const char *key);

/* A JSON integer. JSON integers above INT64_MAX do not parse: max above it means "any". */
uint64_t jo_u64(const jo_t *o, const char *key, uint64_t min, uint64_t max);
bool jo_opt_u64(const jo_t *o, uint64_t *out, const char *key, uint64_t min, uint64_t max);
int64_t jo_i64(const jo_t *o, const char *key, int64_t min, int64_t max);
bool jo_opt_i64(const jo_t *o, int64_t *out, const char *key, int64_t min, int64_t max);

/* A number in a text, "123": no sign, no leading zeros, as beacon nodes write all numbers. RC_LIMIT: above max, above
 * 256 bits. */
uint64_t jo_decimal(const jo_t *o, const char *key, uint64_t max);
u256_t jo_decimal256(const jo_t *o, const char *key);

/* Either of both: a JSON integer or a number in a text. */
uint64_t jo_number(const jo_t *o, const char *key, uint64_t max);
bool jo_opt_number(const jo_t *o, uint64_t *out, const char *key, uint64_t max);

/* A text of min to max bytes of UTF-8. RC_MALFORMED: shorter; RC_LIMIT: longer. */
view_t jo_text(const jo_t *o, const char *key, size_t min, size_t max);
bool jo_opt_text(const jo_t *o, view_t *out, const char *key, size_t min, size_t max);

/* The same, copied with its NUL to an arena. */
view_t jo_text_copy(const jo_t *o, arena_t *a, const char *key, size_t min, size_t max);
bool jo_opt_text_copy(const jo_t *o, view_t *out, arena_t *a, const char *key, size_t min, size_t max);

/* One of the words of a list that ends with NULL: its index. */
size_t jo_word(const jo_t *o, const char *key, const char *const *words);
bool jo_opt_word(const jo_t *o, size_t *out, const char *key, const char *const *words);

/* "2025-05-14T00:00:00Z" as Unix seconds (base/calendar.h). */
int64_t jo_time(const jo_t *o, const char *key);
bool jo_opt_time(const jo_t *o, int64_t *out, const char *key);

/* --- hexadecimal, digits of either case --- */

typedef enum {
    HEX_0X,   /* "0x" is there, as in Ethereum's APIs */
    HEX_BARE, /* it is not, as in Intel's documents */
    HEX_ANY,  /* it may be, as people write it */
    HEX_LOOSE /* it may be, also as "0X" */
} hex_form_t;

/* Exactly n bytes. False: out is untouched. */
bool jo_hex(const jo_t *o, void *out, size_t n, const char *key, hex_form_t form);
bool jo_opt_hex(const jo_t *o, void *out, size_t n, const char *key, hex_form_t form);

/* min to max bytes, into the arena; p is not NULL even when there are none, unless there is a fault. RC_LIMIT: more. */
view_t jo_bytes(const jo_t *o, arena_t *a, const char *key, size_t min, size_t max, hex_form_t form);
bool jo_opt_bytes(const jo_t *o, view_t *out, arena_t *a, const char *key, size_t min, size_t max, hex_form_t form);

/* An Ethereum quantity: "0x" and 1 to 16 or 64 digits without leading zeros. */
uint64_t jo_quantity(const jo_t *o, const char *key);
bool jo_opt_quantity(const jo_t *o, uint64_t *out, const char *key);
u256_t jo_quantity256(const jo_t *o, const char *key);
bool jo_opt_quantity256(const jo_t *o, u256_t *out, const char *key);

/* The form's "0x" and 1 to 64 digits, quantity or padded: as servers write the slots of eth_getProof. */
u256_t jo_padded256(const jo_t *o, const char *key, hex_form_t form);

/* --- text again: a member (NULL: o itself) without spaces, into the arena with a NUL; counts as read with all below it
 * --- */

view_t jo_compact(const jo_t *o, arena_t *a, const char *key); /* canonical: members in order of their names' bytes */
view_t jo_as_written(const jo_t *o, arena_t *a, const char *key); /* members in the order of the text */

/* ---- writer ----
 *
 * Appends to one growing buffer. key is the member's name inside an object, NULL inside a list and for the outermost
 * value. A misuse (a key where none belongs, jw_end too often or too seldom, a second outermost value) is RC_BUG; like
 * RC_LIMIT and RC_NOMEM it sticks, and nothing is written from then on.
 */

typedef struct {
    rc_t rc; /* the first fault, or RC_OK */
    char *p;
    size_t n, cap, max;
    arena_t *arena;
    unsigned indent, depth;
    uint64_t filled[2], lists[2]; /* a bit for each depth: something was written; it is a list */
} jw_t;

/* A writer of at most max bytes into an arena (NULL: on the heap; then jw_free ends it). Cannot fail. */
jw_t jw_of(arena_t *a, size_t max);

/* A writer into the caller's storage of cap bytes, the NUL included (at least 1). Cannot fail. */
jw_t jw_in(char *storage, size_t cap);

/* Makes it write for people: a line for each value, indented by so many spaces; before anything is written. */
void jw_indent(jw_t *w, unsigned spaces);

/* Begins an object or a list, which jw_end ends. */
void jw_object(jw_t *w, const char *key);
void jw_array(jw_t *w, const char *key);
void jw_end(jw_t *w); /* of the innermost object or list */

/* One value of the type, by the form that stands behind it. */
void jw_null(jw_t *w, const char *key);
void jw_bool(jw_t *w, const char *key, bool x);
void jw_u64(jw_t *w, const char *key, uint64_t x);
void jw_i64(jw_t *w, const char *key, int64_t x);
void jw_text(jw_t *w, const char *key, view_t text); /* escaped; what is not UTF-8 becomes U+FFFD */
void jw_str(jw_t *w, const char *key, const char *text);
/* A text of up to 255 bytes, else RC_BUG. */
__attribute__((format(printf, 3, 4))) void jw_fmt(jw_t *w, const char *key, const char *fmt, ...);

void jw_decimal(jw_t *w, const char *key, uint64_t x); /* "123" */
void jw_decimal256(jw_t *w, const char *key, const u256_t *x);
void jw_time(jw_t *w, const char *key, int64_t at_s);   /* "2025-05-14T00:00:00Z"; RC_BUG: no year 1 to 9999 */
void jw_hex(jw_t *w, const char *key, view_t bytes);    /* "0x" and two digits each */
void jw_digits(jw_t *w, const char *key, view_t bytes); /* two digits each */
void jw_quantity(jw_t *w, const char *key, uint64_t x); /* "0x0", "0x1a" */
void jw_quantity256(jw_t *w, const char *key, const u256_t *x);
void jw_raw(jw_t *w, const char *key, view_t json); /* a value that is JSON text already; empty: RC_BUG */

/* What was written, with a NUL behind it; p is NULL when w->rc says so. Lives as long as the arena or until jw_free. */
view_t jw_done(jw_t *w);

/* Frees a buffer on the heap, written or not. */
void jw_free(jw_t *w);

#endif
