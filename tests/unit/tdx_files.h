/* tdx_files.h - the documents of tests/data/tdx, and text with one place changed. */
#ifndef TESTS_TDX_FILES_H
#define TESTS_TDX_FILES_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

#define TDX_NOW 1751000000       /* 2025-06-27: all documents are valid */
#define TDX_FROM 1750327235      /* 2025-06-19T10:00:35Z: the youngest of them is the PCK CRL */
#define TDX_UNTIL 1751622018     /* 2025-07-04T09:40:18Z: the first to end is the QE identity */
#define TDX_TCB_UNTIL 1751622698 /* 2025-07-04T09:51:38Z */

static inline view_t tdx_file(arena_t *a, const char *name)
{
    char path[512];
    uint8_t *bytes = arena_alloc(a, 16384);
    snprintf(path, sizeof path, "%s/tdx/%s", getenv("TEST_DATA"), name);
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in && bytes, "%s", path);
    size_t n = fread(bytes, 1, 16384, in);
    fclose(in);
    ck_assert(n && n < 16384);
    return view_of(bytes, n);
}

/* text with the first occurrence of from, which must be there, replaced. */
static inline view_t tdx_replaced(arena_t *a, view_t text, const char *from, view_t to)
{
    const uint8_t *at = memmem(text.p, text.n, from, strlen(from));
    ck_assert_msg(at != NULL, "%s", from);
    size_t before = (size_t)(at - text.p), after = before + strlen(from);
    uint8_t *out = arena_alloc(a, text.n + to.n);
    ck_assert_ptr_nonnull(out);
    memcpy(out, text.p, before);
    memcpy(out + before, to.p, to.n);
    memcpy(out + before + to.n, text.p + after, text.n - after);
    return view_of(out, text.n - strlen(from) + to.n);
}

#endif
