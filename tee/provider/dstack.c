#include "tee/provider/dstack.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "http/client.h"
#include "tee/provider/dstack_answer.h"
#include "tee/provider/provider.h"

#define ANSWER_ARENA_MAX ((size_t)4 << 20) /* quote, event log and VM configuration, decoded */

typedef struct {
    hc_t *http;
    char *socket;
    dstack_api_t api;
    uint32_t timeout_ms;
    pthread_mutex_t lock; /* one request at a time */
} dstack_t;

static const struct {
    const char *name, *url; /* the host is not looked up: the socket's path stands in for it */
} apis[] = {
    [DSTACK_AGENT] = { "dstack", "http://dstack/GetQuote" },
    [DSTACK_TAPPD] = { "tappd", "http://tappd/prpc/Tappd.RawQuote?json" },
};

static rc_t refused(err_t *e, const dstack_t *d, const hc_response_t *r)
{
    char error[DSTACK_ERROR_MAX];
    dstack_error_read(error, view_of(r->body, r->body_len));
    return err_set(e, RC_IO, "%s at %s: HTTP status %d%s%s", apis[d->api].name, d->socket, r->status,
                   error[0] ? ": " : "", error);
}

static rc_t take(tee_evidence_t *out, err_t *e, const dstack_t *d, const hc_response_t *r,
                 const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    char who[160];
    arena_t a;
    tee_evidence_t parts;
    err_t answer;
    snprintf(who, sizeof who, "%s at %s", apis[d->api].name, d->socket);
    arena_init(&a, ANSWER_ARENA_MAX);
    rc_t rc = dstack_answer_read(&parts, &answer, &a, view_of(r->body, r->body_len));
    if (rc == RC_NOMEM)
        err_set(e, rc, "%s: out of memory", who);
    else if (rc)
        rc = err_set(e, RC_IO, "%s: the answer%s%s %s", who, answer.field[0] ? "'s " : "", answer.field, answer.text);
    else
        rc = provider_evidence(out, e, who, &parts, report_data);
    arena_free(&a);
    return rc;
}

/* One exchange with the agent; r is to be cleared in any case. */
static rc_t ask(dstack_t *d, hc_response_t *r, err_t *e, const char *url, const char *body)
{
    const hc_request_t request = { .url = url,
                                   .unix_socket = d->socket,
                                   .post = view_str(body),
                                   .timeout_ms = d->timeout_ms,
                                   .stall_timeout_ms = d->timeout_ms,
                                   .body_max = DSTACK_ANSWER_MAX };
    pthread_mutex_lock(&d->lock);
    hc_perform(d->http, r, &request, 1, NULL, NULL);
    pthread_mutex_unlock(&d->lock);
    const rc_t rc = r->why.rc == RC_OK || r->why.rc == RC_NOMEM || r->why.rc == RC_TIMEOUT ? r->why.rc : RC_IO;
    return rc ? err_set(e, rc, "%s at %s: %s", apis[d->api].name, d->socket, r->why.text) : RC_OK;
}

static rc_t get_evidence(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    dstack_t *d = ctx;
    char body[DSTACK_REQUEST_MAX];
    hc_response_t r;
    dstack_request_write(body, report_data);
    rc_t rc = ask(d, &r, e, apis[d->api].url, body);
    if (!rc)
        rc = r.status == 200 ? take(out, e, d, &r, report_data) : refused(e, d, &r);
    hc_response_clear(&r);
    return rc;
}

/* Of the guest agent: the same for all instances of the application. */
static rc_t seal_key(void *ctx, uint8_t out[TEE_SEAL_KEY_LEN], err_t *e, const char *path)
{
    dstack_t *d = ctx;
    char body[256];
    hc_response_t r;
    err_t answer;
    snprintf(body, sizeof body, "{\"path\":\"%.150s\",\"purpose\":\"kettle\",\"algorithm\":\"secp256k1\"}", path);
    rc_t rc = ask(d, &r, e, "http://dstack/GetKey", body);
    if (!rc && r.status != 200)
        rc = refused(e, d, &r);
    else if (!rc && dstack_key_read(out, &answer, view_of(r.body, r.body_len)))
        rc = err_set(e, RC_IO, "dstack at %s: the answer's %s %s", d->socket, answer.field, answer.text);
    if (r.body)
        secret_wipe(r.body, r.body_len);
    hc_response_clear(&r);
    return rc;
}

static void dstack_free(void *ctx)
{
    dstack_t *d = ctx;
    if (!d)
        return;
    hc_free(d->http);
    pthread_mutex_destroy(&d->lock);
    free(d->socket);
    free(d);
}

rc_t dstack_open(tee_provider_t *out, const char *socket, dstack_api_t api, uint32_t timeout_ms)
{
    dstack_t *d = calloc(1, sizeof *d);
    if (!d || pthread_mutex_init(&d->lock, NULL)) {
        free(d);
        return RC_NOMEM;
    }
    d->api = api;
    d->timeout_ms = timeout_ms ? timeout_ms : PROVIDER_TIMEOUT_MS;
    d->socket = strdup(socket);
    d->http = hc_new(NULL);
    if (!d->socket || !d->http) {
        dstack_free(d);
        return RC_NOMEM;
    }
    *out = (tee_provider_t){ .name = apis[api].name,
                             .tee = tee_type_name(TEE_EVIDENCE_DSTACK),
                             .type = TEE_EVIDENCE_DSTACK,
                             .ctx = d,
                             .get_evidence = get_evidence,
                             .seal_key = api == DSTACK_AGENT ? seal_key : NULL,
                             .free = dstack_free };
    return RC_OK;
}
