#include "node/chain/foresight.h"

#include <stdlib.h>

#include "base/os/clock.h"
#include "base/os/log.h"
#include "base/os/worker.h"
#include "rpc/upstream/claims.h"
#include "rpc/upstream/jsonrpc.h"

#define URL_MAX 1400u

struct foresight {
    foresight_config_t config;
    worker_t *worker;
    worker_t *self; /* the same, for its own thread */
};

static bool stopping(void *ctx)
{
    const foresight_t *f = ctx;
    return worker_stopping(f->self);
}

static void note(up_t *u, size_t endpoint, const char *claim)
{
    if (up_claims_newer(u, endpoint, claim))
        log_write(LOG_WARN, "forks", "%s: %s", up_origin(u, endpoint), claim);
}

/* One endpoint of the consensus side, or of the execution side. */
static void ask(foresight_t *f, bool consensus, size_t endpoint)
{
    up_t *u = consensus ? f->config.consensus : f->config.execution;
    char url[URL_MAX], claim[CL_TEXT_MAX];
    hc_response_t r = { .status = 0 };
    hc_url_join(url, sizeof url, up_url(u, endpoint), CL_SPEC_PATH);
    const hc_request_t request = { .ca_file = up_ca_file(u),
                                   .url = consensus ? url : up_url(u, endpoint),
                                   .post = consensus ? (view_t){ NULL, 0 } : view_str(CL_CONFIG_REQUEST),
                                   .body_max = CL_BODY_MAX };
    hc_perform(f->config.http, &r, &request, 1, stopping, f);
    const view_t body = view_of(r.body, r.body_len);
    ledger_note_one(up_ledger(u, endpoint), consensus ? LEDGER_BEACON_SPEC : (size_t)JR_CONFIG, request.post.n, body.n);
    if (!r.why.rc && r.status == 200 &&
        (consensus ? cl_of_spec(claim, f->config.network, body)
                   : cl_of_config(claim, f->config.chain, f->config.network->genesis_time, body)))
        note(u, endpoint, claim);
    hc_response_clear(&r);
}

static void run(worker_t *w, void *ctx)
{
    foresight_t *f = ctx;
    const uint32_t first = f->config.first_ms ? f->config.first_ms : FORESIGHT_FIRST_MS;
    f->self = w;
    for (uint64_t next = first; worker_sleep_until(w, clock_monotonic_ms() + next); next = FORESIGHT_EVERY_MS)
        for (int consensus = 0; consensus < 2; consensus++) {
            up_t *u = consensus ? f->config.consensus : f->config.execution;
            const size_t n = up_count(u);
            for (size_t i = 0; i < n && !worker_stopping(w); i++)
                if (!up_is_retired(u, i) && !up_wait_ms(u, i, clock_monotonic_ms()))
                    ask(f, consensus, i);
        }
}

rc_t foresight_start(foresight_t **out, err_t *e, const foresight_config_t *config)
{
    foresight_t *f = calloc(1, sizeof *f);
    if (!f)
        return err_say(e, RC_NOMEM, "out of memory");
    f->config = *config;
    rc_t rc = worker_start(&f->worker, e, "foresight", run, f);
    if (rc) {
        free(f);
        return rc;
    }
    *out = f;
    return RC_OK;
}

void foresight_free(foresight_t *f)
{
    if (!f)
        return;
    worker_stop(f->worker);
    free(f);
}
