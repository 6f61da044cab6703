/* How often an upstream is asked in a row for each method of POST /rpc: of a block of which nothing is known, of the same
 * again, of the next one, and with log_follow: always. The table is printed; docs/rpc.md and GET /v1/methods promise
 * what its first column says. */
#include "node/news.h"
#include "tests/unit/chain_world.h"

/* ---- the news, whose queries are driven between requests ---- */

static news_t *news;
static struct {
    query_t *q;
    ask_done_fn done;
    void *ctx;
} waiting;

static rc_t submit(void *ctx, query_t *take_q, ask_done_fn done, void *done_ctx)
{
    (void)ctx;
    waiting.q = take_q;
    waiting.done = done;
    waiting.ctx = done_ctx;
    return RC_OK;
}

static bool push_nothing(void *session, view_t text)
{
    (void)session;
    (void)text;
    return true;
}

static void end_nothing(void *session)
{
    (void)session;
}

static void follow(uint64_t head)
{
    ex_block_t b;
    ex_block_of_header(&b, &chain[head].block.header, &chain[head].block.hash, 1);
    news_head(news, &b, OLD + 10);
    while (waiting.q) {
        query_t *q = waiting.q;
        err_t e = { .text = "" };
        waiting.q = NULL;
        const rc_t rc = drive(q, &e);
        waiting.done(waiting.ctx, rc, &e, q);
    }
}

/* ---- the table ---- */

typedef struct {
    const char *method, *params;
    unsigned cold, same, next;
    int followed; /* with log_follow: always; -1: it makes no difference */
} trips_row_t;

static const trips_row_t rows[] = {
    { "eth_chainId", "", 0, 0, 0, -1 },
    { "net_version", "", 0, 0, 0, -1 },
    { "web3_clientVersion", "", 0, 0, 0, -1 },
    { "eth_syncing", "", 0, 0, 0, -1 },
    { "eth_accounts", "", 0, 0, 0, -1 },
    { "eth_blockNumber", "", 0, 0, 0, -1 },
    { "eth_baseFee", "", 0, 0, 0, -1 },
    { "eth_blobBaseFee", "", 0, 0, 0, -1 },
    { "eth_capabilities", "", 0, 0, 0, -1 },
    { "eth_getBalance", "@A", 1, 0, 1, -1 },
    { "eth_getTransactionCount", "@A", 1, 0, 1, -1 },
    { "eth_getTransactionCount", "@A,\"pending\"", 1, 0, 1, -1 },
    { "eth_getCode", "@A", 1, 0, 1, -1 },
    { "eth_getStorageAt", "@A,\"0x0\"", 1, 0, 1, -1 },
    { "eth_getStorageValues", "{@A:[@HASH]}", 1, 0, 1, -1 },
    { "eth_getProof", "@A,[\"0x0\"]", 1, 0, 1, -1 },
    { "eth_call", "@CALL", 2, 0, 1, -1 },
    { "eth_estimateGas", "@CALL", 2, 0, 1, -1 },
    { "eth_createAccessList", "@CALL", 2, 0, 1, -1 },
    { "eth_fillTransaction", "@CALL", 2, 0, 1, -1 },
    { "eth_simulateV1", "{\"blockStateCalls\":[{\"calls\":[@CALL]}]}", 2, 0, 1, -1 },
    { "eth_getBlockByNumber", "\"latest\",true", 1, 0, 1, -1 },
    { "eth_getBlockByHash", "@HASH,false", 1, 0, 0, -1 },
    { "eth_getHeaderByNumber", "\"latest\"", 1, 0, 1, -1 },
    { "eth_getHeaderByHash", "@HASH", 1, 0, 0, -1 },
    { "eth_getBlockTransactionCountByNumber", "\"latest\"", 1, 0, 1, -1 },
    { "eth_getBlockTransactionCountByHash", "@HASH", 1, 0, 0, -1 },
    { "eth_getUncleCountByBlockNumber", "\"latest\"", 1, 0, 1, -1 },
    { "eth_getTransactionByBlockNumberAndIndex", "\"latest\",\"0x0\"", 1, 0, 1, -1 },
    { "eth_getTransactionByBlockHashAndIndex", "@HASH,\"0x0\"", 1, 0, 0, -1 },
    { "eth_getTransactionByHash", "@TX", 2, 0, 0, -1 },
    { "eth_getTransactionReceipt", "@TX", 2, 0, 0, -1 },
    { "eth_getBlockReceipts", "\"latest\"", 1, 0, 1, -1 },
    { "eth_getLogs", "{\"address\":@A}", 1, 0, 1, 0 },
    { "eth_getLogs", "{\"address\":@A,\"fromBlock\":\"0x3c\"}", 1, 0, 2, -1 },
    { "eth_getLogs", "{\"address\":@A,\"fromBlock\":\"0x28\"}", 2, 0, 2, -1 },
    { "eth_getLogs", "{\"address\":@A,\"fromBlock\":\"0x1\"}", 3, 0, 2, -1 },
    { "eth_feeHistory", "\"0xa\",\"latest\",[]", 1, 0, 1, -1 },
    { "eth_feeHistory", "\"0xa\",\"latest\",[20.0]", 1, 0, 1, -1 },
    { "eth_gasPrice", "", 1, 0, 1, -1 },
    { "eth_maxPriorityFeePerGas", "", 1, 0, 1, -1 },
    { "debug_getRawBlock", "\"latest\"", 1, 0, 1, -1 },
    { "debug_getRawReceipts", "\"latest\"", 1, 0, 1, -1 },
    { "eth_getBlockByNumber", "@OLD,false", 1, 0, 0, -1 },
    { "eth_getBalance", "@A,@OLD", 2, 0, 0, -1 },
    { "eth_call", "@CALL,@OLD", 3, 0, 0, -1 },
};

START_TEST(each_method_asks_no_oftener_than_it_must)
{
    unsigned wrong = 0;
    make_chain();
    printf("%-42s %-46s cold same next followed\n", "method", "parameters");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const trips_row_t *x = &rows[i];
        open_cache();
        news = NULL;
        const unsigned cold = ask(x->method, x->params, TOP, NULL, NULL);
        const hash32_t first = said;
        const unsigned same = ask(x->method, x->params, TOP, NULL, NULL);
        ck_assert_msg(hash32_eq(&first, &said), "%s: another answer from memory", x->method);
        const unsigned next = ask(x->method, x->params, TOP + 1, NULL, NULL);
        int followed = -1;
        if (x->followed >= 0) {
            ex_cache_free(cache);
            open_cache();
            news = news_new(&(news_config_t){
                .submit = submit, .chain = &CHAIN, .mode = NEWS_ALWAYS, .push = push_nothing, .end = end_nothing });
            follow(TOP);
            follow(TOP + 1);
            followed = (int)ask(x->method, x->params, TOP + 1, &NEWS_EVENTS, news);
            news_free(news);
        }
        const bool good = cold == x->cold && same == x->same && next == x->next && followed == x->followed;
        printf("%-42s %-46s %4u %4u %4u %8d%s\n", x->method, x->params, cold, same, next, followed, good ? "" : "  !");
        wrong += !good;
        ex_cache_free(cache);
    }
    fflush(stdout);
    ck_assert_uint_eq(wrong, 0);
    end_chain();
}
END_TEST

int main(void)
{
    return UNIT_RUN("roundtrips", each_method_asks_no_oftener_than_it_must);
}
