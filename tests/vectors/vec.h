/* vec.h - what every vector suite uses: counting, files, JSON, hex. Test code: may use jansson and stdio directly. */
#ifndef TESTS_VEC_H
#define TESTS_VEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/u256.h"

typedef struct {
    const char *dir; /* root of the vectors, for instance ../shared/vectors */
    bool verbose;    /* -v: name each failing case; given twice: each skipped one too */
    bool very_verbose;
    bool slow; /* --slow: run also what is named slow */
    size_t passed, failed, skipped;
    struct vec_reason {
        char text[96];
        size_t count;
    } reasons[32]; /* why cases were skipped */
    size_t reason_count;
} vec_t;

void vec_pass(vec_t *v);
/* Counts a failure; with -v prints the case's name and the text. */
void vec_fail(vec_t *v, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Counts a skipped case under a reason (few different ones). */
void vec_skip(vec_t *v, const char *name, const char *reason);

/* Reads a whole file below v->dir; bytes in the arena; p NULL when it is missing. */
view_t vec_read(vec_t *v, arena_t *a, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Parses a JSON file below v->dir; NULL when missing or broken. The caller decrefs. */
json_t *vec_json(vec_t *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Names in a folder below v->dir, sorted, without dot files; NULL-terminated, in the arena; NULL when missing.
 * vec_walk: relative paths of all files below it that end in suffix. */
char **vec_list(vec_t *v, arena_t *a, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
char **vec_walk(vec_t *v, arena_t *a, const char *folder, const char *suffix);
/* Decodes hex text (with or without 0x; odd digits get a leading 0; NULL or "" is empty) into the arena. */
view_t vec_hex(arena_t *a, const char *text);
/* The same into a fixed length, left-padded with zeros. False when it is longer or not hex. */
bool vec_hex_fixed(void *out, size_t n, const char *text);
/* JSON values in the strict forms: "0x" and 2n digits; "0x" and 1 to 64 digits; "0x" and an even number of them. */
bool vec_fixed(void *out, size_t n, const json_t *value);
bool vec_number(u256_t *out, const json_t *value);
bool vec_bytes(view_t *out, arena_t *a, const json_t *value);
/* String member of an object, or NULL. */
const char *vec_str(const json_t *object, const char *key);
/* Quantity ("0x1f") to 64 bits; 0 when NULL. */
uint64_t vec_u64(const char *text);

/* The part of the kind tdx that is about event logs (tdx_logs.c). */
void tdx_logs(vec_t *v);

/* Every kind: its name and function (kinds.def). A kind whose folder is missing runs nothing. */
#define KIND(name, fn) void fn(vec_t *v);
#include "tests/vectors/kinds.def"
#undef KIND

#endif
