/* What we answer with, of whatever bytes: problem objects, the prototype's bodies, and the writer itself are JSON that reads back as
 * what was put in. The first byte chooses. */
#include <jansson.h>
#include <stdlib.h>

#include "base/hex.h"
#include "base/json.h"
#include "http/message.h"
#include "rpc/api/prototype.h"
#include "tests/fuzz/fuzz.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

static json_t *parse(view_t text)
{
    json_t *tree =
        json_loadb((const char *)text.p, text.n, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    require(tree != NULL);
    return tree;
}

static rc_t sign(void *ctx, uint8_t out[ECDSA_SIG_LEN], const hash32_t *digest)
{
    (void)ctx;
    memcpy(out, digest->b, 32);
    memcpy(out + 32, digest->b, 32);
    return RC_OK;
}

static bool is_plain(view_t v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] < 0x20 || v.p[i] > 0x7e)
            return false;
    return true;
}

/* A text is itself where it is ASCII, and never has bytes that no text has. */
static void check_problem(view_t in)
{
    hs_response_t r = { 0 };
    char *detail = calloc(1, in.n + 1);
    require(detail != NULL);
    if (in.n)
        memcpy(detail, in.p, in.n);
    hs_problem(&r, 400 + (int)(in.n % 200), "some-thing", detail);
    json_t *o = parse(view_of(r.body, r.body_len));
    const char *said = json_string_value(json_object_get(o, "detail"));
    require(said && json_integer_value(json_object_get(o, "status")) == 400 + (int)(in.n % 200));
    require(!strcmp(json_string_value(json_object_get(o, "type")), "urn:kettle:error:some-thing"));
    require(!is_plain(view_str(detail)) || !strncmp(said, detail, strlen(said)));
    json_decref(o);
    hs_response_clear(&r);
    free(detail);
}

/* Twice encoded: the inner text is what was signed. */
static void check_call(view_t output)
{
    const api_signer_t signer = { NULL, sign };
    arena_t a;
    view_t body;
    arena_init(&a, 8u << 20);
    char *hex = calloc(1, 2 * output.n + 3);
    require(hex != NULL);
    memcpy(hex, "0x", 2);
    hex_encode(hex + 2, output);
    require(!api_call_body(&body, &a, &signer, output, false));
    json_t *outer = parse(body), *inner = parse(view_str(json_string_value(outer)));
    require(!strcmp(json_string_value(json_object_get(json_object_get(inner, "response"), "Success")), hex));
    require(json_string_length(json_object_get(inner, "signature")) == 2 * ECDSA_SIG_LEN);
    json_decref(inner);
    json_decref(outer);
    free(hex);
    arena_free(&a);
}

/* A list of the input's pieces, each as text and as hex, in an object: as deep as its bytes say. */
static void check_writer(view_t in)
{
    jw_t w = jw_of(NULL, 4u << 20);
    size_t pieces = 0;
    jw_object(&w, NULL);
    jw_array(&w, "list");
    for (size_t at = 0; at < in.n; pieces++) {
        const size_t room = in.n - at, n = in.p[at] % 32u < room ? in.p[at] % 32u : room;
        jw_text(&w, NULL, view_of(in.p + at, n));
        jw_hex(&w, NULL, view_of(in.p + at, n));
        at += n + 1;
    }
    jw_end(&w);
    jw_u64(&w, "pieces", pieces);
    jw_end(&w);
    const view_t text = jw_done(&w);
    require(text.p != NULL);
    json_t *o = parse(text), *list = json_object_get(o, "list");
    require(json_array_size(list) == 2 * pieces && (size_t)json_integer_value(json_object_get(o, "pieces")) == pieces);
    size_t at = 0;
    for (size_t i = 0; i < pieces; i++) {
        const size_t room = in.n - at, n = in.p[at] % 32u < room ? in.p[at] % 32u : room;
        const json_t *one = json_array_get(list, 2 * i);
        require(json_string_length(json_array_get(list, 2 * i + 1)) == 2 + 2 * n);
        require(!is_plain(view_of(in.p + at, n)) ||
                (json_string_length(one) == n && !memcmp(json_string_value(one), in.p + at, n)));
        at += n + 1;
    }
    json_decref(o);
    jw_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len || len > 65536)
        return 0;
    const view_t in = view_of(data + 1, len - 1);
    switch (data[0] % 3) {
    case 0: check_problem(in); break;
    case 1: check_call(in); break;
    default: check_writer(in); break;
    }
    return 0;
}
