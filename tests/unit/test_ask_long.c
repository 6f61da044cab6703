/* node/query/flight.h: answers that are longer than they may be, or have too many values. */
#include "tests/unit/ask_world.h"

#define BALANCES(n) n "5b803150600190038060025750602a5f5260205ff3" /* balance(n), ..., balance(1); return 42 */
#define BALANCES_12 BALANCES("600c")
#define BALANCES_40 BALANCES("6028")

/* A value of so many characters, or so many numbers. From malloc. */
static char *make_pad(size_t text, size_t numbers)
{
    const size_t n = text ? text : 2 * numbers;
    char *pad = calloc(1, n + 3);
    ck_assert_ptr_nonnull(pad);
    memset(pad + 1, '0', n);
    for (size_t i = 2; !text && i < n; i += 2)
        pad[i] = ',';
    pad[0] = text ? '"' : '[';
    pad[text ? n + 1 : n] = text ? '"' : ']';
    return pad;
}

/* Runs a call whose answers are longer than proofs are: together they are too long, and no honest ones would be. */
static void expect_blame(const char *code, char *pad)
{
    open_world(code);
    ends[0].pad = pad;
    expect_word(42, 2);
    ck_assert_uint_eq(ends[0].batches, 1 + 1);
    ck_assert_uint_ge(ends[1].batches, 1);
    ck_assert_uint_eq(status_of(0).failures, 1);
    ck_assert_uint_eq(status_of(1).failures, 0);
    ck_assert_uint_eq(up_capability(upstream, 0).batch, CAP_BATCH_MAX);
    close_world();
    free(pad);
}

START_TEST(what_no_honest_answers_need_is_not_asked_for_in_halves)
{
    expect_blame(BALANCES_12, make_pad(50000, 0));
    expect_blame(BALANCES_40, make_pad(0, 11000));
}
END_TEST

/* One alone that is too long is its sender's fault, and costs nobody else. */
START_TEST(one_alone_that_is_too_long_is_blamed_on_its_sender)
{
    char *pad = make_pad((size_t)1 << 20, 0);
    open_world(RETURN_42);
    ends[0].pad = pad;
    ends[0].pad_at = PROOF_OF_A;
    expect_word(42, 1);
    ck_assert_uint_eq(ends[0].batches, 3); /* the hint apart, which was not the reason */
    ck_assert_uint_eq(up_capability(upstream, 0).batch, CAP_BATCH_MAX);
    ck_assert_uint_eq(ends[1].batches, 1); /* for all of it */
    ck_assert_uint_eq(status_of(0).failures, 1);
    ck_assert_ptr_nonnull(strstr(status_of(0).reason, "larger than allowed"));
    ck_assert_uint_eq(status_of(1).failures, 0);
    close_world();
    free(pad);
}
END_TEST

/* ---- one block ---- */

#define LOGS 44000u /* empty ones: a transaction of 2^24 gas */

static char *block_text;
static unsigned asked_for_block;

/* The receipts of such a block, as geth writes them: 16 MB, 480,000 values. */
static char *make_block(void)
{
    const size_t room = 400 * (size_t)LOGS + 4096;
    char *text = malloc(room);
    ck_assert_ptr_nonnull(text);
    size_t n = (size_t)snprintf(text, room,
                                "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[{\"status\":\"0x1\",\"type\":\"0x2\","
                                "\"cumulativeGasUsed\":\"0x1000000\",\"to\":null,\"logsBloom\":\"0x%0512d\",\"logs\":[",
                                0);
    for (unsigned i = 0; i < LOGS; i++)
        n += (size_t)snprintf(text + n, room - n,
                              "%s{\"address\":\"0x%040d\",\"topics\":[],\"data\":\"0x\",\"blockNumber\":\"0x16e3600\","
                              "\"transactionHash\":\"0x%064d\",\"transactionIndex\":\"0x1a\",\"blockHash\":\"0x%064d\","
                              "\"blockTimestamp\":\"0x68f0a1b2\",\"logIndex\":\"0x%x\",\"removed\":false}",
                              i ? "," : "", 7, 8, 9, i);
    n += (size_t)snprintf(text + n, room - n, "]}]}");
    ck_assert_uint_lt(n, room);
    ck_assert_uint_gt(n, (size_t)12 << 20);
    return text;
}

static bool serve_block(int fd, const char *request)
{
    char head[80];
    (void)request;
    asked_for_block++;
    snprintf(head, sizeof head, "HTTP/1.1 200 X\r\nContent-Length: %zu\r\n\r\n", strlen(block_text));
    return say(fd, head) && say(fd, block_text);
}

/* A query for the receipts of one or two blocks. */
typedef struct {
    query_t query; /* first: a pointer to it is one to this */
    need_t needs[2];
    size_t count, given, len; /* len: of a block's one receipt */
} of_block_t;

static rc_t block_step(query_t *q, err_t *e)
{
    (void)e;
    const of_block_t *b = (const of_block_t *)(const void *)q;
    return b->given == b->count ? RC_OK : RC_NEED_DATA;
}

static size_t block_needs(const query_t *q, const need_t **out)
{
    const of_block_t *b = (const of_block_t *)(const void *)q;
    *out = b->needs;
    return b->count;
}

static rc_t block_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    of_block_t *b = (of_block_t *)(void *)q;
    (void)e;
    ck_assert_uint_lt(i, b->count);
    ck_assert_uint_eq(answer->receipt_count, 1);
    b->len = answer->receipts[0].n;
    b->given++;
    return RC_OK;
}

static void block_free(query_t *q)
{
    (void)q;
}

/* Asks for them of blocks that used so much gas. */
static rc_t ask_blocks(of_block_t *q, err_t *e, size_t count, uint64_t gas)
{
    static const query_ops_t ops = { block_step, block_needs, block_give, block_free, NULL, NULL };
    char at[64];
    query_t *out;
    fake_t *fake = fake_new(serve_block);
    open_world(RETURN_42);
    close_engine();
    snprintf(at, sizeof at, "http://127.0.0.1:%u", fake->port);
    open_engine(at, NULL, NULL);
    asked_for_block = 0;
    *q = (of_block_t){ .query.ops = &ops, .count = count };
    for (uint8_t i = 0; i < count; i++)
        q->needs[i] =
            (need_t){ .kind = NEED_RECEIPTS, .block = &s.block, .number = i, .hash = { { 1, i } }, .gas = gas };
    const rc_t rc = ask_wait(&out, e, engine, &q->query);
    const up_status_t status = status_of(0);
    ck_assert_uint_eq(status.failures, rc != RC_OK);
    close_world();
    fake_free(fake);
    return rc;
}

/* Anybody may make a block whose receipts are longer than blocks mostly are. */
START_TEST(the_receipts_of_one_block_may_be_as_long_as_its_gas_permits)
{
    of_block_t q;
    err_t e = { .text = "" };
    block_text = make_block();
    ck_assert_msg(ask_blocks(&q, &e, 1, (uint64_t)1 << 24) == RC_OK, "%s", e.text);
    ck_assert_uint_eq(asked_for_block, 2);
    ck_assert_uint_gt(q.len, LOGS * 24u);
    ck_assert_msg(ask_blocks(&q, &e, 2, (uint64_t)1 << 24) == RC_OK, "%s", e.text);
    ck_assert_uint_eq(asked_for_block, 1 + 2 + 2); /* both, each alone, and each as long as it is */
    ck_assert_int_eq(ask_blocks(&q, &e, 1, 1000000), RC_IO);
    ck_assert_ptr_nonnull(strstr(e.text, "larger than allowed"));
    ck_assert_uint_eq(asked_for_block, 1);
    free(block_text);
}
END_TEST

int main(void)
{
    return UNIT_RUN("ask_long", what_no_honest_answers_need_is_not_asked_for_in_halves,
                    one_alone_that_is_too_long_is_blamed_on_its_sender,
                    the_receipts_of_one_block_may_be_as_long_as_its_gas_permits);
}
