/* option.h - options as a table: each row says under which key what kind of value stands, where it goes, within which
 * bounds, what holds when it is not there, and what the manual says of it.
 *
 *     static const option_t options[] = {
 *         { .key = "port", .kind = OPTION_PORT, .at = offsetof(config_t, port), .required = true, .help = "Port;
 *         required." },
 *     };
 *
 * Floor:  5, node/config. No I/O; texts in the caller's arena.
 * Tests:  tests/unit/test_config.c, tests/fuzz/fuzz_config.c
 */
#ifndef NODE_CONFIG_OPTION_H
#define NODE_CONFIG_OPTION_H

#include "base/json.h"

#define OPTION_URLS_MAX 16u
#define OPTION_TEXT_MAX 1024u /* characters of a URL or path */

/* URLs in order of preference; in the arena that they were read to. */
typedef struct {
    const char *urls[OPTION_URLS_MAX];
    size_t count;
    bool given; /* though the list may be empty */
} option_urls_t;

/* What stands under a key, and what is at its offset. */
typedef enum {
    OPTION_PORT,   /* uint16_t: 1 to 65535 */
    OPTION_NUMBER, /* uint64_t: min to max */
    OPTION_FLAG,   /* bool */
    OPTION_CHOICE, /* unsigned: which of the words */
    OPTION_WORD,   /* const char *: one of the words */
    OPTION_URLS,   /* option_urls_t: one URL, or a list of them */
    OPTION_PATH,   /* const char *: an absolute path */
    OPTION_OTHER   /* what its reader makes of it */
} option_kind_t;

/* Reads the value of one key, which is there; faults go to the document of o (jo_fail).
 *   out    the structure that is filled, from its beginning
 *   arena  for what has to outlive the document */
typedef void (*option_read_fn)(void *out, arena_t *arena, const jo_t *o, const char *key);

typedef struct {
    const char *key;
    const char *help; /* a line for the manual, without markup */
    option_kind_t kind;
    bool required;            /* unless the reading is of a part only */
    bool may_be_empty;        /* a list of URLs */
    bool setup_only;          /* belongs into a setup, which may always set it, and is in no statement */
    bool file_only;           /* belongs into the measured file; a setup never sets it */
    size_t at;                /* offset of the value */
    uint64_t min, max;        /* of a number */
    uint64_t normal;          /* number, flag or choice when the key is not there */
    const char *normal_text;  /* word or path when it is not there; NULL allowed */
    const char *const *words; /* ends with NULL */
    option_read_fn read;      /* OPTION_OTHER; NULL: read elsewhere, and passed over here */
} option_t;

/* The row of a key: its index, or count when there is none. */
size_t option_find(const option_t *table, size_t count, const char *key);

/* Reads one URL, or a list of them, for readers of their own; out is empty before. */
void option_read_urls(option_urls_t *out, arena_t *arena, const jo_t *o, const char *key);

/* The same of a plain text: URLs with commas between them, and white space around each. out is empty before.
 * RC_MALFORMED: one of them is no URL, or there is none; RC_LIMIT; RC_NOMEM. e never shows them. */
NODISCARD rc_t option_split_urls(option_urls_t *out, err_t *e, arena_t *arena, view_t text);

/* Fills out from an object: every row's value, or what holds without it. Members that no row has stay unread, so that
 * a strict document names them. Faults stick in the document of o.
 *   complete  required keys must be there */
void options_read(void *out, arena_t *arena, const jo_t *o, const option_t *table, size_t count, bool complete);

#endif
