#include "tee/provider/dstack_answer.h"

#include <stdio.h>

#include "base/hex.h"
#include "base/json_tree.h"

/* A text of at most max bytes, copied; missing or empty: n 0. */
static rc_t read_text(view_t *out, arena_t *a, const json_t *o, const char *key, size_t max)
{
    const json_t *value = json_object_get(o, key);
    *out = view_of(NULL, 0);
    if (!value)
        return RC_OK;
    if (!json_is_string(value))
        return RC_MALFORMED;
    if (json_string_length(value) > max)
        return RC_LIMIT;
    if (!json_string_length(value))
        return RC_OK;
    *out = arena_dup(a, view_of(json_string_value(value), json_string_length(value)));
    return out->p ? RC_OK : RC_NOMEM;
}

static rc_t read_quote(view_t *out, arena_t *a, const json_t *o)
{
    const json_t *value = json_object_get(o, "quote");
    size_t len = json_string_length(value), n;
    if (!json_is_string(value))
        return RC_MALFORMED;
    if (len > 2 * TEE_QUOTE_LEN_MAX + 2)
        return RC_LIMIT;
    uint8_t *p = arena_alloc(a, len / 2 + 1);
    if (!p)
        return RC_NOMEM;
    rc_t rc = hex_decode(p, &n, TEE_QUOTE_LEN_MAX, json_string_value(value), len);
    if (!rc)
        *out = view_of(p, n);
    return rc;
}

static rc_t read_event_log(view_t *out, arena_t *a, const json_t *o)
{
    json_t *log = NULL;
    rc_t rc = read_text(out, a, o, "event_log", TEE_EVENT_LOG_MAX);
    if (rc || !out->n)
        return rc;
    rc = json_load_strict(&log, *out, TEE_EVENT_LOG_MAX);
    if (!rc && !json_is_array(log))
        rc = RC_MALFORMED;
    json_decref(log);
    return rc;
}

static rc_t read_all(tee_evidence_t *x, err_t *e, arena_t *a, const json_t *o)
{
    rc_t rc = read_quote(&x->quote, a, o);
    if (rc)
        return err_say(e, rc, "the quote is missing, not hex or too long");
    rc = read_event_log(&x->event_log, a, o);
    if (rc)
        return err_say(e, rc, "the event log is not a JSON array as text, or too long");
    rc = read_text(&x->vm_config, a, o, "vm_config", TEE_VM_CONFIG_MAX);
    return rc ? err_say(e, rc, "the VM configuration is not text, or too long") : RC_OK;
}

rc_t dstack_answer_read(tee_evidence_t *out, err_t *e, arena_t *a, view_t body)
{
    json_t *o = NULL;
    tee_evidence_t x = { .type = TEE_EVIDENCE_DSTACK };
    rc_t rc = json_load_strict(&o, body, DSTACK_ANSWER_MAX);
    if (!rc && !json_is_object(o))
        rc = RC_MALFORMED;
    rc = rc ? err_say(e, rc, "the answer is not a JSON object, or too large") : read_all(&x, e, a, o);
    json_decref(o);
    if (!rc)
        *out = x;
    return rc == RC_NOMEM ? err_say(e, rc, "out of memory") : rc;
}

void dstack_error_read(char out[DSTACK_ERROR_MAX], view_t body)
{
    json_t *o = NULL;
    out[0] = '\0';
    if (json_load_strict(&o, body, DSTACK_ANSWER_MAX))
        return;
    const char *text = json_string_value(json_object_get(o, "error"));
    if (text)
        snprintf(out, DSTACK_ERROR_MAX, "%s", text);
    for (char *p = out; *p; p++)
        if (*p < ' ' || *p > '~') /* also what is not ASCII: the cut above may have split a character */
            *p = ' ';
    json_decref(o);
}

void dstack_request_write(char out[DSTACK_REQUEST_MAX], const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    char hex[2 * TEE_REPORT_DATA_LEN + 1];
    hex_encode(hex, view_of(report_data, TEE_REPORT_DATA_LEN));
    snprintf(out, DSTACK_REQUEST_MAX, "{\"report_data\":\"%s\"}", hex);
}
