/* overlay_keys.h - keys of the overlay's tests: secret k is the number k, so the public keys are G, 2G, 3G ...; and the
 * frozen rows of tests/data/overlay/digests.json. */
#ifndef TESTS_UNIT_OVERLAY_KEYS_H
#define TESTS_UNIT_OVERLAY_KEYS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "tests/unit/unit.h"

static ecdsa_t *ecdsa;

static inline void keys_open(void)
{
    ecdsa = ecdsa_new(NULL);
    ck_assert_ptr_nonnull(ecdsa);
}

static inline void keys_close(void)
{
    ecdsa_free(ecdsa);
}

static inline void key_secret(uint8_t out[32], unsigned k)
{
    memset(out, 0, 32);
    out[31] = (uint8_t)k;
}

static inline void key_point(uint8_t out[33], unsigned k)
{
    uint8_t secret[32];
    key_secret(secret, k);
    ck_assert_int_eq(ecdsa_pubkey(ecdsa, out, secret), RC_OK);
}

static inline void key_sign(uint8_t out[64], unsigned k, const hash32_t *digest)
{
    uint8_t secret[32];
    key_secret(secret, k);
    ck_assert_int_eq(ecdsa_sign(ecdsa, out, NULL, digest, secret), RC_OK);
}

/* That bytes and their digest are those of a frozen row. */
static inline void assert_frozen(const char *what, view_t bytes, const hash32_t *digest)
{
    static uint8_t text[64 << 10];
    char path[512], got[8192], want[65];
    jo_doc_t doc;
    err_t e;
    jo_t row;
    bool found = false;
    snprintf(path, sizeof path, "%s/overlay/digests.json", getenv("TEST_DATA"));
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "%s", path);
    size_t n = fread(text, 1, sizeof text, in);
    fclose(in);
    jo_t o = jo_open(&doc, &e, view_of(text, n), sizeof text, JO_LENIENT);
    hex_encode(got, bytes);
    hex_encode(want, view_of(digest->b, 32));
    for (jo_t list = jo_list(&o, "rows", 1, 100); jo_next(&list, &row);) {
        if (!view_eq(jo_text(&row, "what", 1, 200), view_str(what)))
            continue;
        found = true;
        ck_assert_msg(view_eq(jo_text(&row, "bytes", 1, 8192), view_str(got)), "%s: %s", what, got);
        ck_assert_msg(view_eq(jo_text(&row, "digest", 1, 64), view_str(want)), "%s: %s", what, want);
    }
    ck_assert_msg(found && jo_done(&o) == RC_OK, "%s", what);
    jo_close(&doc);
}

#endif
