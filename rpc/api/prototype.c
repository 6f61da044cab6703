#include "rpc/api/prototype.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/hex.h"

/* One JSON string that holds the concatenation of the parts. Of the characters that JSON escapes the parts contain none
 * but quotation marks: they are made here, of names, digits and hex. */
static rc_t wrap(view_t *out, arena_t *a, const view_t *parts, size_t count)
{
    size_t cap = 3; /* quotation marks around it, NUL */
    for (size_t i = 0; i < count; i++)
        cap += 2 * parts[i].n;
    char *text = arena_alloc(a, cap), *at = text;
    if (!text)
        return RC_NOMEM;
    *at++ = '"';
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < parts[i].n; j++) {
            char c = (char)parts[i].p[j];
            if (c == '"')
                *at++ = '\\';
            *at++ = c;
        }
    *at++ = '"';
    *at = '\0';
    *out = view_of(text, (size_t)(at - text));
    return RC_OK;
}

/* The hex of a signature over SHA-256 of text. */
static rc_t sign_text(char out[2 * ECDSA_SIG_LEN + 1], const api_signer_t *signer, view_t text)
{
    uint8_t sig[ECDSA_SIG_LEN];
    hash32_t digest;
    sha256(&digest, text);
    rc_t rc = signer->sign(signer->ctx, sig, &digest);
    if (!rc)
        hex_encode(out, view_of(sig, sizeof sig));
    return rc;
}

rc_t api_block_body(view_t *out, arena_t *a, const api_signer_t *signer, uint64_t block_number)
{
    char number[24], sig[2 * ECDSA_SIG_LEN + 1];
    snprintf(number, sizeof number, "%" PRIu64, block_number);
    rc_t rc = sign_text(sig, signer, view_str(number));
    if (rc)
        return rc;
    const view_t parts[] = { view_str("{\"signature\":\""), view_str(sig), view_str("\",\"blocknum\":\""),
                             view_str(number), view_str("\"}") };
    return wrap(out, a, parts, sizeof parts / sizeof parts[0]);
}

/* {"Success":"0x..."} in the arena; p NULL when there is no memory. */
static view_t success_text(arena_t *a, view_t output)
{
    static const char head[] = "{\"Success\":\"0x", tail[] = "\"}";
    const size_t h = sizeof head - 1, t = sizeof tail - 1;
    if (output.n > (SIZE_MAX - h - t - 1) / 2)
        return view_of(NULL, 0);
    char *text = arena_alloc(a, h + 2 * output.n + t + 1);
    if (!text)
        return view_of(NULL, 0);
    memcpy(text, head, h);
    hex_encode(text + h, output);
    memcpy(text + h + 2 * output.n, tail, t + 1);
    return view_of(text, h + 2 * output.n + t);
}

rc_t api_call_body(view_t *out, arena_t *a, const api_signer_t *signer, view_t output, bool error)
{
    char sig[2 * ECDSA_SIG_LEN + 1];
    view_t response = error ? view_str("\"Error\"") : success_text(a, output);
    if (!response.p)
        return RC_NOMEM;
    rc_t rc = sign_text(sig, signer, response);
    if (rc)
        return rc;
    const view_t parts[] = { view_str("{\"signature\":\""), view_str(sig), view_str("\",\"response\":"), response,
                             view_str("}") };
    return wrap(out, a, parts, sizeof parts / sizeof parts[0]);
}

rc_t api_attest_body(view_t *out, arena_t *a, view_t quote, const uint8_t pubkey33[33])
{
    char key[2 * 33 + 1];
    if (quote.n > SIZE_MAX / 8)
        return RC_NOMEM;
    char *hex = arena_alloc(a, 2 * quote.n + 1);
    if (!hex)
        return RC_NOMEM;
    hex_encode(hex, quote);
    hex_encode(key, view_of(pubkey33, 33));
    const view_t parts[] = { view_str("{\"quote\":\""), view_of(hex, 2 * quote.n), view_str("\",\"pubkey\":\""),
                             view_str(key), view_str("\"}") };
    return wrap(out, a, parts, sizeof parts / sizeof parts[0]);
}
