#include "node/wsrpc.h"

#include <stdlib.h>

#include "node/world.h"

/* A message that is being answered. */
typedef struct {
    service_t *service; /* NULL: there is none yet */
    ws_t *ws;
    size_t n;
} asked_t;

static void begin(service_t *s, ws_t *w, const void *message)
{
    news_begin(s->news, w, message);
    if (s->vigil)
        vigil_begin(s->vigil, w, message);
}

static void over(service_t *s, ws_t *w)
{
    news_over(s->news, w);
    if (s->vigil)
        vigil_over(s->vigil, w);
}

/* What subscribes is told its id before anything else, whatever else is answered meanwhile. */
static void on_answer(void *ctx, view_t text)
{
    asked_t *a = ctx;
    ws_done(a->ws, text, a->n);
    if (a->service) {
        begin(a->service, a->ws, a);
        if (ws_is_over(a->ws)) /* so it was perhaps before it subscribed */
            over(a->service, a->ws);
    }
    ws_unref(a->ws);
    free(a);
}

static bool is_left(void *ctx)
{
    const asked_t *a = ctx;
    return ws_is_over(a->ws);
}

static void on_message(void *ctx, ws_t *w, uint8_t *take_text, size_t n)
{
    world_t world;
    asked_t *a = malloc(sizeof *a);
    if (!a) { /* nothing can be said about it: an id cannot be read without memory either */
        free(take_text);
        ws_done(w, view_of(NULL, 0), n);
        return;
    }
    node_world(ctx, &world);
    world.api.session = w;
    world.api.message = a;
    *a = (asked_t){ world.service, ws_ref(w), n };
    node_rpc_run(
        world.service ? world.service->rpc : NULL, &world.api,
        &(node_rpc_call_t){
            .take_body = take_text, .n = n, .client = ws_client(w), .done = on_answer, .unwanted = is_left, .ctx = a });
}

static void on_drained(void *ctx, ws_t *w)
{
    service_t *s = node_service(ctx);
    if (s)
        news_more(s->news, w);
}

static void on_closed(void *ctx, ws_t *w)
{
    service_t *s = node_service(ctx);
    if (s)
        over(s, w);
}

ws_config_t node_wsrpc(node_t *n)
{
    return (ws_config_t){ .message = on_message,
                          .drained = on_drained,
                          .closed = on_closed,
                          .ctx = n,
                          .message_max = API_RPC_BODY_MAX,
                          .bytes_max = hosting_memory(&n->hosting).websockets };
}
