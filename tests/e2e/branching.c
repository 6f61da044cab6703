/* branching PORT: POST /rpc and its WebSockets over a chain that its standard input makes, for what libraries do when a
 * chain is reorganised: the devnet's never is. Filters, subscriptions, framing and sockets are the node's own.
 *
 *     grow N              the present branch up to block N
 *     fork N BRANCH TO    another branch from block N on, up to TO
 *
 * Each line is answered by "ok". Every block has one log, Ping(uint256 what) of the address 0xa1..a1: 100 times the
 * branch, plus the block's number. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/os/clock.h"
#include "http/server.h"
#include "lightclient/mpt/mpt.h"
#include "node/news.h"
#include "node/rpc.h"
#include "rpc/api/objects.h"

#define BLOCKS_MAX 1000u
#define FIRST 10u

typedef struct {
    ex_full_block_t block;
    view_t tx, receipt;
    evm_log_t log;
    uint8_t data[32];
} made_t;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* what follows, up to the empty line */
static arena_t arena;
static made_t chain[BLOCKS_MAX];
static ex_block_t latest;

static pool_t *pool;
static news_t *news;
static node_rpc_t *rpc;

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "branching: %s\n", what);
    exit(1);
}

/* ---- the chain ---- */

/* The example of EIP-155. */
static const char TX[] = "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0"
                         "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703"
                         "304b3800ccf555c9f3dc64214b297fb1966a3b6d83";

static void make(uint64_t n, uint64_t branch)
{
    static uint8_t tx[sizeof TX / 2];
    made_t *m = &chain[n];
    ex_header_t *h = &m->block.header;
    ex_receipt_t r = { .success = true, .cumulative_gas = 21000, .logs = &m->log, .log_count = 1 };
    memset(m, 0, sizeof *m);
    memset(m->log.addr.b, 0xa1, sizeof m->log.addr.b);
    m->log.topic_count = 1;
    keccak256(&m->log.topics[0], view_str("Ping(uint256)"));
    store_u64be(m->data + 24, 100 * branch + n);
    m->log.data = view_of(m->data, sizeof m->data);
    ex_bloom_add_logs(r.bloom, r.logs, 1);
    must(!ex_receipt_encode(&m->receipt, &arena, &r) && !hex_decode_exact(tx, sizeof tx, TX, sizeof TX - 1),
         "a receipt");
    m->tx = view_of(tx, sizeof tx);
    *h = (ex_header_t){ .number = n, .ommers_hash = EX_NO_OMMERS, .gas_used = branch, .timestamp = 12 * n };
    memcpy(h->logs_bloom, r.bloom, sizeof r.bloom);
    if (n)
        h->parent_hash = chain[n - 1].block.hash;
    must(!mpt_list_root(&h->receipts_root, &m->receipt, 1, &arena) &&
             !mpt_list_root(&h->transactions_root, &m->tx, 1, &arena),
         "a root");
    m->block.transactions = &m->tx;
    m->block.transaction_count = 1;
    ex_header_hash(&m->block.hash, h);
    ex_block_of_header(&latest, h, &m->block.hash, 1);
}

static void make_all(uint64_t from, uint64_t to, uint64_t branch)
{
    must(from && from <= to && to < BLOCKS_MAX, "no such block");
    pthread_mutex_lock(&lock);
    for (uint64_t n = from; n <= to; n++)
        make(n, branch);
    const ex_block_t head = latest;
    pthread_mutex_unlock(&lock);
    news_head(news, &head, 0);
}

/* ---- queries of the news, answered from it ---- */

typedef struct {
    pool_task_t task;
    query_t *q;
    ask_done_fn done;
    void *ctx;
} asked_t;

static rc_t give_all(query_t *q, err_t *e)
{
    const need_t *needs;
    const size_t n = query_needs(q, &needs);
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        const made_t *m = &chain[needs[i].number];
        const answer_t a = { .kind = needs[i].kind,
                             .header = m->block.header,
                             .block = m->block,
                             .receipts = &m->receipt,
                             .receipt_count = 1 };
        rc = query_give(q, e, i, &a);
    }
    return rc;
}

static void run(pool_task_t *t)
{
    asked_t *a = (asked_t *)(void *)((char *)t - offsetof(asked_t, task));
    err_t e = { .text = "" };
    rc_t rc;
    pthread_mutex_lock(&lock);
    while ((rc = query_step(a->q, &e)) == RC_NEED_DATA)
        if ((rc = give_all(a->q, &e)))
            break;
    pthread_mutex_unlock(&lock);
    a->done(a->ctx, rc, &e, a->q);
    free(a);
}

static rc_t submit(void *ctx, query_t *take_q, ask_done_fn done, void *done_ctx)
{
    (void)ctx;
    asked_t *a = calloc(1, sizeof *a);
    must(a, "out of memory");
    *a = (asked_t){ { .run = run }, take_q, done, done_ctx };
    pool_push(pool, &a->task);
    return RC_OK;
}

/* ---- requests ---- */

static api_world_t world_of(void *session)
{
    pthread_mutex_lock(&lock);
    const api_world_t w = {
        .chain = &EVM_MAINNET, .latest = latest, .events = &NEWS_EVENTS, .events_ctx = news, .session = session
    };
    pthread_mutex_unlock(&lock);
    return w;
}

static void on_post(void *ctx, const hs_request_t *request, hs_response_t *r)
{
    const api_world_t w = world_of(NULL);
    (void)ctx;
    node_rpc_post(rpc, r, request, &w);
}

typedef struct {
    ws_t *ws;
    size_t n;
} message_t;

static void on_answer(void *ctx, view_t text)
{
    message_t *m = ctx;
    ws_done(m->ws, text, m->n);
    news_begin(news, m->ws, m);
    ws_unref(m->ws);
    free(m);
}

static void on_message(void *ctx, ws_t *w, uint8_t *take_text, size_t n)
{
    api_world_t world = world_of(w);
    message_t *m = malloc(sizeof *m);
    (void)ctx;
    must(m, "out of memory");
    *m = (message_t){ ws_ref(w), n };
    world.message = m;
    node_rpc_run(
        rpc, &world,
        &(node_rpc_call_t){ .take_body = take_text, .n = n, .client = ws_client(w), .done = on_answer, .ctx = m });
}

static void on_closed(void *ctx, ws_t *w)
{
    (void)ctx;
    news_over(news, w);
}

static bool push(void *session, view_t text)
{
    return ws_push(session, text);
}

static void end(void *session)
{
    ws_end(session);
}

static void serve(uint16_t port)
{
    static const hs_route_t routes[] = { { "POST", "/rpc", on_post, HS_CORS }, { "GET", "/rpc", NULL, HS_WEBSOCKET } };
    static const ws_config_t sockets = { .message = on_message, .closed = on_closed };
    ask_t *ask;
    hs_t *server;
    err_t e = { .text = "out of memory" };
    hc_t *http = hc_new(NULL);
    up_t *nobody = up_new(NULL, 0);
    must(http && nobody && !pool_new(&pool, &e, 2), e.text);
    must(!ask_new(&ask, &e,
                  &(ask_config_t){ .http = http, .upstream = nobody, .pool = pool, .now_ms = clock_monotonic_ms }),
         e.text);
    rpc = node_rpc_new(ask, NULL, pool);
    news = news_new(&(news_config_t){ .submit = submit, .chain = &EVM_MAINNET, .push = push, .end = end });
    must(rpc && news, "out of memory");
    must(!hs_start(
             &server, &e,
             &(hs_config_t){
                 .address = "127.0.0.1", .port = port, .routes = routes, .route_count = 2, .websocket = &sockets }),
         e.text);
}

int main(int argc, char **argv)
{
    const unsigned long port = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    unsigned long n, branch, present = 1, to;
    char line[80];
    must(port && port <= UINT16_MAX, "branching PORT");
    arena_init(&arena, (size_t)64 << 20);
    make(0, present);
    serve((uint16_t)port);
    make_all(1, FIRST, present);
    while (puts("ok"), fflush(stdout), fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "grow %lu", &n) == 1)
            make_all(latest.env.number + 1, n, present);
        else if (sscanf(line, "fork %lu %lu %lu", &n, &branch, &to) == 3)
            make_all(n, to, present = branch);
        else
            must(false, "no such line");
    }
    return 0; /* the script is over: nothing has to be ended well */
}
