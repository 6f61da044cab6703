/* revert.c - the words in which a revert is told, as geth tells it. */
#include <stdio.h>

#include "rpc/api/methods.h"

#define WORD 32u

/* The reasons of Solidity's Panic(uint256), by code. */
static const struct {
    uint64_t code;
    const char *text;
} panics[] = {
    { 0x00, "generic panic" },
    { 0x01, "assert(false)" },
    { 0x11, "arithmetic underflow or overflow" },
    { 0x12, "division or modulo by zero" },
    { 0x21, "enum overflow" },
    { 0x22, "invalid encoded storage byte array accessed" },
    { 0x31, "out-of-bounds array access; popping on an empty array" },
    { 0x32, "out-of-bounds access of an array or bytesN" },
    { 0x41, "out of memory" },
    { 0x51, "uninitialized function" },
};

/* The text in the data of Error(string); p NULL: it is none. */
static view_t error_text(view_t args)
{
    if (args.n < 2 * WORD)
        return view_of(NULL, 0);
    const u256_t offset = u256_from_be32(args.p);
    if (!u256_fits_u64(&offset) || offset.w[0] > args.n - WORD)
        return view_of(NULL, 0);
    const size_t at = (size_t)offset.w[0] + WORD;
    const u256_t len = u256_from_be32(args.p + at - WORD);
    if (!u256_fits_u64(&len) || len.w[0] > args.n - at)
        return view_of(NULL, 0);
    return view_of(args.p + at, (size_t)len.w[0]);
}

static const char *panic_text(view_t args)
{
    const u256_t code = u256_from_be32(args.p);
    for (size_t i = 0; i < sizeof panics / sizeof panics[0]; i++)
        if (u256_fits_u64(&code) && code.w[0] == panics[i].code)
            return panics[i].text;
    return NULL;
}

void api_revert_text(char out[API_REVERT_TEXT_MAX], view_t data)
{
    static const uint8_t error_selector[] = { 0x08, 0xc3, 0x79, 0xa0 }, panic_selector[] = { 0x4e, 0x48, 0x7b, 0x71 };
    const bool known = data.n >= 4;
    const view_t args = known ? view_of(data.p + 4, data.n - 4) : view_of(NULL, 0);
    const view_t text = known && !memcmp(data.p, error_selector, 4) ? error_text(args) : view_of(NULL, 0);
    const bool panic = known && !memcmp(data.p, panic_selector, 4) && args.n == WORD;
    const char *why = panic ? panic_text(args) : NULL;
    if (text.p)
        snprintf(out, API_REVERT_TEXT_MAX, "execution reverted: %.*s", (int)(text.n < 800 ? text.n : 800),
                 (const char *)text.p);
    else if (why)
        snprintf(out, API_REVERT_TEXT_MAX, "execution reverted: %s", why);
    else if (panic)
        snprintf(out, API_REVERT_TEXT_MAX, "execution reverted: unknown panic code: 0x%llx",
                 (unsigned long long)load_u64be(args.p + WORD - 8));
    else
        snprintf(out, API_REVERT_TEXT_MAX, "execution reverted");
}

void api_revert(api_call_t *c, view_t data)
{
    char text[API_REVERT_TEXT_MAX];
    api_revert_text(text, data);
    api_fail(c, API_REVERTED, "%s", text);
    c->data = arena_dup(c->arena, data);
}
