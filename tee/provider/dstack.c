#include "tee/provider/dstack.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crypto/secret.h"
#include "base/os/log.h"
#include "http/client.h"
#include "tee/provider/dstack_answer.h"
#include "tee/provider/provider.h"

#define GET_KEY "/GetKey"
#define ANSWER_ARENA_MAX ((size_t)4 << 20) /* quote, event log and VM configuration, decoded */

typedef struct {
    hc_t *http;
    char *at;   /* a socket's path, or a URL */
    char *root; /* before all well-known places, where it is looked for anew; NULL: it was given */
    dstack_api_t api;
    uint32_t usual_ms;    /* for one exchange */
    uint32_t timeout_ms;  /* the same, or less: set_patience */
    pthread_mutex_t lock; /* one request at a time; at, api and timeout_ms */
} dstack_t;

static const struct {
    const char *name, *quote;
} apis[] = {
    [DSTACK_AGENT] = { "dstack", "/GetQuote" },
    [DSTACK_TAPPD] = { "tappd", "/prpc/Tappd.RawQuote?json" },
};

/* Where dstack's own SDKs look. */
static const struct {
    const char *path;
    dstack_api_t api;
} places[] = { { DSTACK_FIRST_PLACE, DSTACK_AGENT },
               { "/run/dstack.sock", DSTACK_AGENT },
               { "/var/run/dstack/dstack.sock", DSTACK_AGENT },
               { "/run/dstack/dstack.sock", DSTACK_AGENT },
               { "/var/run/tappd.sock", DSTACK_TAPPD },
               { "/run/tappd.sock", DSTACK_TAPPD } };
#define PLACES (sizeof places / sizeof places[0])

bool dstack_is_socket(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISSOCK(s.st_mode);
}

bool dstack_find(char out[DSTACK_PATH_MAX], dstack_api_t *api, size_t *from, const char *root)
{
    for (; *from < PLACES; ++*from) {
        snprintf(out, DSTACK_PATH_MAX, "%s%s", root, places[*from].path);
        if (!dstack_is_socket(out))
            continue;
        *api = places[(*from)++].api;
        return true;
    }
    return false;
}

/* Gives on what is wrong, which anybody may read. Where the agent is and what it said is for the operator alone. */
static rc_t fail(err_t *e, const dstack_t *d, const err_t *why, rc_t rc, const char *said)
{
    char origin[DSTACK_PATH_MAX];
    const bool is_url = dstack_is_url(d->at);
    if (!rc)
        return RC_OK;
    if (is_url)
        hc_url_origin(origin, sizeof origin, d->at);
    log_write(LOG_WARN, "tee", "%s: %s%s%s", is_url ? origin : d->at, why->text, said[0] ? "; it said: " : "", said);
    return err_say(e, rc, why->text);
}

static rc_t refused(err_t *e, char said[DSTACK_ERROR_MAX], const dstack_t *d, const hc_response_t *r)
{
    dstack_error_read(said, view_of(r->body, r->body_len));
    return err_set(e, RC_IO, "%s: HTTP status %d", apis[d->api].name, r->status);
}

static rc_t take(tee_evidence_t *out, err_t *e, const dstack_t *d, const hc_response_t *r,
                 const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    const char *who = apis[d->api].name;
    arena_t a;
    tee_evidence_t parts;
    err_t answer;
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

/* One exchange with the agent where it is thought to be. */
static rc_t ask_there(dstack_t *d, hc_response_t *r, err_t *e, const char *path, const char *body)
{
    char url[DSTACK_PATH_MAX + 64];
    const bool is_url = dstack_is_url(d->at); /* else the path stands for the host */
    snprintf(url, sizeof url, "%s%s", is_url ? d->at : "http://dstack", path);
    const hc_request_t request = { .url = url,
                                   .unix_socket = is_url ? NULL : d->at,
                                   .post = view_str(body),
                                   .timeout_ms = d->timeout_ms,
                                   .stall_timeout_ms = d->timeout_ms,
                                   .body_max = DSTACK_ANSWER_MAX,
                                   .secret = !strcmp(path, GET_KEY) };
    hc_perform(d->http, r, &request, 1, NULL, NULL);
    const rc_t rc = r->why.rc == RC_OK || r->why.rc == RC_NOMEM || r->why.rc == RC_TIMEOUT ? r->why.rc : RC_IO;
    return rc ? err_set(e, rc, "%s: %s", apis[d->api].name, r->why.text) : RC_OK;
}

/* One exchange; r is to be cleared in any case. path: NULL: the quote's. An agent that was started anew may have left a
 * socket that nobody listens at, and be at another of the well-known places. */
static rc_t ask(dstack_t *d, hc_response_t *r, err_t *e, const char *path, const char *body)
{
    char found[DSTACK_PATH_MAX];
    size_t from = 0;
    dstack_api_t api;
    err_t other;
    rc_t rc = ask_there(d, r, e, path ? path : apis[d->api].quote, body);
    while (rc == RC_IO && d->root && dstack_find(found, &api, &from, d->root)) {
        char *kept = d->at, *next = strdup(found);
        const dstack_api_t was = d->api;
        if (!next)
            return err_say(e, RC_NOMEM, "out of memory");
        d->at = next;
        d->api = api;
        hc_response_clear(r);
        rc = path && api != was ? RC_IO : ask_there(d, r, &other, path ? path : apis[api].quote, body);
        if (rc) {
            d->at = kept;
            d->api = was;
        }
        free(rc ? next : kept);
    }
    return rc;
}

static rc_t get_evidence(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    dstack_t *d = ctx;
    char body[DSTACK_REQUEST_MAX], said[DSTACK_ERROR_MAX] = "";
    hc_response_t r;
    err_t why;
    dstack_request_write(body, report_data);
    pthread_mutex_lock(&d->lock);
    rc_t rc = ask(d, &r, &why, NULL, body);
    if (!rc)
        rc = r.status == 200 ? take(out, &why, d, &r, report_data) : refused(&why, said, d, &r);
    rc = fail(e, d, &why, rc, said);
    pthread_mutex_unlock(&d->lock);
    hc_response_clear(&r);
    return rc;
}

bool dstack_is_agent(const tee_provider_t *p)
{
    return p->get_evidence == get_evidence && ((const dstack_t *)p->ctx)->api == DSTACK_AGENT;
}

/* What an answer is read by. */
typedef rc_t (*read_fn)(void *out, err_t *e, view_t body);

/* Asks, and reads the answer; what it held is wiped. */
static rc_t exchange(dstack_t *d, void *out, err_t *e, const char *path, const char *body, read_fn read)
{
    char said[DSTACK_ERROR_MAX] = "";
    hc_response_t r;
    err_t answer, why;
    pthread_mutex_lock(&d->lock);
    rc_t rc = ask(d, &r, &why, path, body);
    if (!rc && r.status != 200)
        rc = refused(&why, said, d, &r);
    else if (!rc && (rc = read(out, &answer, view_of(r.body, r.body_len))))
        rc = err_set(&why, rc == RC_REFUSED ? rc : RC_IO, "dstack: the answer's %s %s", answer.field, answer.text);
    rc = fail(e, d, &why, rc, said);
    pthread_mutex_unlock(&d->lock);
    if (r.body)
        secret_wipe(r.body, r.body_len);
    hc_response_clear(&r);
    return rc;
}

static rc_t read_key(void *out, err_t *e, view_t body)
{
    return dstack_key_read(out, e, body);
}

/* Of the guest agent: the same for all instances of the application. */
static rc_t seal_key(void *ctx, uint8_t out[TEE_SEAL_KEY_LEN], err_t *e, const char *path)
{
    char body[256];
    snprintf(body, sizeof body, "{\"path\":\"%.150s\",\"purpose\":\"kettle\",\"algorithm\":\"secp256k1\"}", path);
    return exchange(ctx, out, e, GET_KEY, body, read_key);
}

static rc_t read_chain(void *out, err_t *e, view_t body)
{
    return dstack_chain_read(out, e, body);
}

static rc_t read_info(void *out, err_t *e, view_t body)
{
    return dstack_info_read(out, e, body);
}

rc_t dstack_get_key(const tee_provider_t *p, dstack_key_t *out, err_t *e, const char *path, const char *purpose)
{
    char body[320];
    snprintf(body, sizeof body, "{\"path\":\"%.100s\",\"purpose\":\"%.100s\",\"algorithm\":\"secp256k1\"}", path,
             purpose);
    return exchange(p->ctx, out, e, GET_KEY, body, read_chain);
}

rc_t dstack_get_info(const tee_provider_t *p, dstack_info_t *out, err_t *e)
{
    return exchange(p->ctx, out, e, "/Info", "{}", read_info);
}

static void dstack_free(void *ctx)
{
    dstack_t *d = ctx;
    if (!d)
        return;
    hc_free(d->http);
    pthread_mutex_destroy(&d->lock);
    free(d->at);
    free(d->root);
    free(d);
}

static void set_patience(void *ctx, uint32_t ms)
{
    dstack_t *d = ctx;
    pthread_mutex_lock(&d->lock);
    d->timeout_ms = ms && ms < d->usual_ms ? ms : d->usual_ms;
    pthread_mutex_unlock(&d->lock);
}

rc_t dstack_open(tee_provider_t *out, const char *at, dstack_api_t api, const char *root, uint32_t timeout_ms)
{
    dstack_t *d = calloc(1, sizeof *d);
    if (!d || pthread_mutex_init(&d->lock, NULL)) {
        free(d);
        return RC_NOMEM;
    }
    d->api = api;
    d->timeout_ms = d->usual_ms = timeout_ms ? timeout_ms : PROVIDER_TIMEOUT_MS;
    d->at = strdup(at);
    for (size_t n = d->at && dstack_is_url(d->at) ? strlen(d->at) : 0; n && d->at[n - 1] == '/'; n--)
        d->at[n - 1] = 0;
    d->root = root ? strdup(root) : NULL;
    d->http = hc_new(NULL);
    if (!d->at || (root && !d->root) || !d->http) {
        dstack_free(d);
        return RC_NOMEM;
    }
    *out = (tee_provider_t){ .name = apis[api].name,
                             .tee = tee_type_name(TEE_EVIDENCE_DSTACK),
                             .type = TEE_EVIDENCE_DSTACK,
                             .ctx = d,
                             .get_evidence = get_evidence,
                             .set_patience = set_patience,
                             .seal_key = api == DSTACK_AGENT ? seal_key : NULL,
                             .free = dstack_free };
    return RC_OK;
}
