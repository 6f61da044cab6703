#include "node/wsrpc.h"

#include <stdlib.h>

#include "node/world.h"

/* A message that is being answered. */
typedef struct {
    ws_t *ws;
    size_t n;
} asked_t;

static void on_answer(void *ctx, view_t text)
{
    asked_t *a = ctx;
    ws_done(a->ws, text, a->n);
    ws_unref(a->ws);
    free(a);
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
    *a = (asked_t){ ws_ref(w), n };
    node_world(ctx, &world);
    node_rpc_run(world.service ? world.service->rpc : NULL, &world.api, take_text, n, on_answer, a);
}

static void on_closed(void *ctx, ws_t *w)
{
    (void)ctx, (void)w;
}

ws_config_t node_wsrpc(node_t *n)
{
    return (ws_config_t){ .message = on_message, .closed = on_closed, .ctx = n, .message_max = API_RPC_BODY_MAX };
}
