/* An answer of dstack's agent that reads gives parts within their maximum, and the same parts when they are put into an answer
 * again; an error's text is short and printable. */
#include <jansson.h>
#include <stdlib.h>

#include "base/hex.h"
#include "tee/provider/dstack_answer.h"
#include "tee/provider/dstack_secret.h"
#include "tests/fuzz/fuzz.h"

static void require(int holds)
{
    if (!holds)
        abort();
}

static json_t *text_of(view_t v)
{
    return json_stringn(v.n ? (const char *)v.p : "", v.n);
}

/* What the scanner finds is what stands in the tree, and what it finds not has an escape, or is no text. */
static void compare_secret(view_t body)
{
    size_t from = 0, len = 0;
    json_t *tree = json_loadb(body.n ? (const char *)body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
    json_t *key = json_object_get(tree, "key");
    const bool found = dstack_secret_find(&from, &len, body, "key");
    require(!found || (from <= body.n && len <= body.n - from));
    if (json_is_object(tree) && found)
        require(json_is_string(key) && json_string_length(key) == len &&
                !memcmp(json_string_value(key), body.p + from, len));
    else if (json_is_string(key))
        require(body.n && memchr(body.p, '\\', body.n) != NULL);
    json_decref(tree);
}

/* Names of an instance are those that the contract takes. */
static void read_others(view_t body)
{
    dstack_key_t key;
    dstack_info_t info;
    err_t why = { 0 };
    if (dstack_chain_read(&key, &why, body))
        require(why.text[0]);
    if (dstack_info_read(&info, &why, body)) {
        require(why.text[0]);
        return;
    }
    require(strlen(info.instance_id) == 2 * DSTACK_ID_LEN);
    for (const char *p = info.instance_id; *p; p++)
        require((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    arena_t a;
    tee_evidence_t x, y;
    err_t why = { 0 };
    char error[DSTACK_ERROR_MAX];
    dstack_error_read(error, view_of(data, len));
    for (const char *p = error; *p; p++)
        require(*p >= ' ' && *p <= '~');
    compare_secret(view_of(data, len));
    read_others(view_of(data, len));
    arena_init(&a, 32u << 20);
    if (dstack_answer_read(&x, &why, &a, view_of(data, len)))
        require(why.text[0]);
    else {
        require(x.quote.n <= TEE_QUOTE_LEN_MAX && x.event_log.n <= TEE_EVENT_LOG_MAX &&
                x.vm_config.n <= TEE_VM_CONFIG_MAX);
        char *hex = malloc(2 * x.quote.n + 1);
        require(hex != NULL);
        hex_encode(hex, x.quote);
        json_t *o = json_pack("{s:s, s:o, s:o}", "quote", hex, "event_log", text_of(x.event_log), "vm_config",
                              text_of(x.vm_config));
        char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
        require(text && dstack_answer_read(&y, &why, &a, view_str(text)) == RC_OK);
        require(view_eq(x.quote, y.quote) && view_eq(x.event_log, y.event_log) && view_eq(x.vm_config, y.vm_config));
        json_decref(o);
        free(text);
        free(hex);
    }
    arena_free(&a);
    return 0;
}
