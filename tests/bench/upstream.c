#include "tests/bench/upstream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/os/clock.h"
#include "http/server.h"
#include "tests/bench/bench.h"

#define REQUEST_MAX ((size_t)4 << 20)
#define ANSWER_MAX ((size_t)32 << 20)

typedef struct late {
    struct late *next;
    hs_pending_t *pending;
    hs_response_t response;
    uint64_t due_ms;
} late_t;

struct bench_up bench_up;

static struct {
    pthread_mutex_t making; /* one answer at a time */
    pthread_mutex_t lock;
    pthread_cond_t more;
    late_t *first, **end;
    bool quit, runs;
    pthread_t thread;
    hs_t *server;
    bench_put_fn *put;
} up = { .making = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER };

static void put_one(jw_t *w, const jo_t *element)
{
    jw_object(w, NULL);
    jw_str(w, "jsonrpc", "2.0");
    jw_u64(w, "id", jo_u64(element, "id", 0, 100000));
    up.put(w, element);
    jw_end(w);
}

static void on_batch(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    jo_doc_t doc;
    late_t *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    const uint64_t arrived = clock_monotonic_ms();
    pthread_mutex_lock(&up.making);
    const uint64_t began = bench_cpu_ns();
    jw_t w = jw_of(NULL, ANSWER_MAX);
    jo_t batch = jo_open(&doc, NULL, q->body, REQUEST_MAX, JO_LENIENT), element;
    if (jo_kind(&batch, NULL) == JO_LIST) {
        jw_array(&w, NULL);
        for (jo_t list = jo_list(&batch, NULL, 0, 100); jo_next(&list, &element);)
            put_one(&w, &element);
        jw_end(&w);
    } else
        put_one(&w, &batch);
    jo_close(&doc);
    const view_t text = jw_done(&w);
    bench_up.cpu_ns += bench_cpu_ns() - began;
    pthread_mutex_unlock(&up.making);
    bench_up.batches++;
    l->pending = hs_defer(q, r);
    l->response = (hs_response_t){ .status = 200, .body = (uint8_t *)(uintptr_t)text.p, .body_len = text.n };
    l->due_ms = arrived + bench_up.latency_ms;
    pthread_mutex_lock(&up.lock);
    bench_up.rounds += !up.first;
    *up.end = l;
    up.end = &l->next;
    pthread_cond_signal(&up.more);
    pthread_mutex_unlock(&up.lock);
}

/* Answers the first when its time has come. The lock is held. */
static void answer_first(void)
{
    late_t *l = up.first;
    const uint64_t now = clock_monotonic_ms();
    if (now < l->due_ms) {
        pthread_mutex_unlock(&up.lock);
        usleep(l->due_ms - now > 1 ? 1000 : 200);
        pthread_mutex_lock(&up.lock);
        return;
    }
    up.first = l->next;
    if (!up.first)
        up.end = &up.first;
    pthread_mutex_unlock(&up.lock);
    hs_answer(l->pending, &l->response);
    free(l);
    pthread_mutex_lock(&up.lock);
}

static void *answer_late(void *arg)
{
    pthread_mutex_lock(&up.lock);
    while (!up.quit)
        if (up.first)
            answer_first();
        else
            pthread_cond_wait(&up.more, &up.lock);
    pthread_mutex_unlock(&up.lock);
    return arg;
}

bool bench_up_start(char url[BENCH_URL_MAX], bench_put_fn *put, unsigned latency_ms)
{
    static const hs_route_t routes[] = { { "POST", "/", on_batch, 0 } };
    up.put = put;
    up.end = &up.first;
    up.quit = false;
    bench_up.latency_ms = latency_ms;
    up.runs = pthread_create(&up.thread, NULL, answer_late, NULL) == 0;
    if (hs_start(&up.server, NULL,
                 &(hs_config_t){ .address = "127.0.0.1", .routes = routes, .route_count = 1, .body_max = REQUEST_MAX }))
        return false;
    snprintf(url, BENCH_URL_MAX, "http://127.0.0.1:%u/", hs_port(up.server));
    return up.runs;
}

void bench_up_stop(void)
{
    pthread_mutex_lock(&up.lock);
    up.quit = true;
    pthread_cond_signal(&up.more);
    pthread_mutex_unlock(&up.lock);
    if (up.runs)
        pthread_join(up.thread, NULL);
    hs_stop(up.server, 0);
    up.server = NULL;
    up.runs = false;
}
