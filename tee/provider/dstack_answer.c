#include "tee/provider/dstack_answer.h"

#include <stdio.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/json.h"
#include "tee/provider/dstack_secret.h"

/* An event log that is there must be the text of a JSON list. */
static void check_event_log(const jo_t *o, view_t log)
{
    jo_doc_t doc;
    if (!log.n)
        return;
    const jo_t root = jo_open(&doc, NULL, log, TEE_EVENT_LOG_MAX, JO_LENIENT);
    jo_list(&root, NULL, 0, SIZE_MAX);
    const rc_t rc = jo_done(&root);
    jo_close(&doc);
    if (rc)
        jo_fail(o, "event_log", rc, "must be a JSON list as a text");
}

rc_t dstack_answer_read(tee_evidence_t *out, err_t *e, arena_t *a, view_t body)
{
    jo_doc_t doc;
    tee_evidence_t x = { .type = TEE_EVIDENCE_DSTACK };
    const jo_t o = jo_open(&doc, e, body, DSTACK_ANSWER_MAX, JO_LENIENT);
    x.quote = jo_bytes(&o, a, "quote", 0, TEE_QUOTE_LEN_MAX, HEX_ANY);
    jo_opt_text_copy(&o, &x.event_log, a, "event_log", 0, TEE_EVENT_LOG_MAX);
    jo_opt_text_copy(&o, &x.vm_config, a, "vm_config", 0, TEE_VM_CONFIG_MAX);
    check_event_log(&o, x.event_log);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *out = x;
    return rc;
}

rc_t dstack_key_read(uint8_t out[TEE_SEAL_KEY_LEN], err_t *e, view_t body)
{
    return dstack_secret_read(out, e, body, DSTACK_ANSWER_MAX, "key", TEE_SEAL_KEY_LEN, NULL, NULL);
}

static void read_signatures(void *ctx, const jo_t *o)
{
    dstack_key_t *x = ctx;
    jo_t chain = jo_list(o, "signature_chain", 2, 2), one = chain;
    if (jo_next(&chain, &one))
        jo_hex(&one, x->app_signature, sizeof x->app_signature, NULL, HEX_ANY);
    if (jo_next(&chain, &one))
        jo_hex(&one, x->kms_signature, sizeof x->kms_signature, NULL, HEX_ANY);
}

rc_t dstack_chain_read(dstack_key_t *out, err_t *e, view_t body)
{
    dstack_key_t x;
    const rc_t rc =
        dstack_secret_read(x.secret, e, body, DSTACK_ANSWER_MAX, "key", sizeof x.secret, read_signatures, &x);
    if (!rc)
        *out = x;
    secret_wipe(&x, sizeof x);
    return rc;
}

rc_t dstack_info_read(dstack_info_t *out, err_t *e, view_t body)
{
    jo_doc_t doc;
    dstack_info_t x;
    uint8_t instance[DSTACK_ID_LEN];
    const jo_t o = jo_open(&doc, e, body, DSTACK_ANSWER_MAX, JO_LENIENT);
    jo_hex(&o, x.app_id, sizeof x.app_id, "app_id", HEX_ANY);
    const view_t id = jo_text(&o, "instance_id", 0, 2 * DSTACK_ID_LEN + 2);
    if (!jo_rc(&o) && !id.n)
        jo_fail(&o, "instance_id", RC_REFUSED, "is empty: the application runs without instance ids");
    jo_hex(&o, instance, sizeof instance, "instance_id", HEX_ANY);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (rc)
        return rc;
    hex_encode(x.instance_id, view_of(instance, sizeof instance));
    *out = x;
    return RC_OK;
}

void dstack_error_read(char out[DSTACK_ERROR_MAX], view_t body)
{
    jo_doc_t doc;
    view_t text = { NULL, 0 };
    const jo_t o = jo_open(&doc, NULL, body, DSTACK_ANSWER_MAX, JO_LENIENT);
    jo_opt_text(&o, &text, "error", 0, SIZE_MAX);
    snprintf(out, DSTACK_ERROR_MAX, "%s", text.n ? (const char *)text.p : "");
    for (char *p = out; *p; p++)
        if (*p < ' ' || *p > '~') /* also what is not ASCII: the cut above may have split a character */
            *p = ' ';
    jo_close(&doc);
}

void dstack_request_write(char out[DSTACK_REQUEST_MAX], const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    jw_t w = jw_in(out, DSTACK_REQUEST_MAX);
    jw_object(&w, NULL);
    jw_digits(&w, "report_data", view_of(report_data, TEE_REPORT_DATA_LEN));
    jw_end(&w);
    jw_done(&w);
}
