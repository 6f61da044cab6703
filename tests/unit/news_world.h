/* news_world.h - filters and subscriptions over a small chain that grows, leaves blocks out and is reorganised: its
 * blocks, queries that are driven when a test says so, sessions that note what they are pushed. */
#ifndef TESTS_NEWS_WORLD_H
#define TESTS_NEWS_WORLD_H

#include "node/news.h"

#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "lightclient/mpt/mpt.h"
#include "rpc/api/filter.h"
#include "rpc/api/objects.h"
#include "tests/unit/unit.h"

#define BLOCKS_MAX 64u

/* ---- a chain: each block has one transaction with one log, of an address that its number gives ---- */

typedef struct {
    ex_full_block_t block;
    view_t tx, receipt;
    evm_log_t log;
} made_t;

static arena_t arena;
static made_t chain[BLOCKS_MAX]; /* the head's branch */
static uint64_t top;

/* The example of EIP-155. */
static const char TX_HEX[] =
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0"
    "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703"
    "304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
#define TX_SENDER "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f"
static uint8_t tx_bytes[110];
static hash32_t tx_hash;

/* Block n on top of n - 1; branch makes it another one. */
static inline void make(uint64_t n, uint8_t branch)
{
    made_t *m = &chain[n];
    ex_header_t *h = &m->block.header;
    ex_receipt_t r = { .success = true, .cumulative_gas = 21000, .log_count = 1 };
    memset(m, 0, sizeof *m);
    memset(m->log.addr.b, (int)(0xa0 + n % 4), 20);
    m->log.topic_count = 1;
    memset(m->log.topics[0].b, branch, 32);
    r.logs = &m->log;
    ex_bloom_add_logs(r.bloom, r.logs, 1);
    ck_assert_int_eq(ex_receipt_encode(&m->receipt, &arena, &r), RC_OK);
    m->tx = view_of(tx_bytes, sizeof tx_bytes);
    *h = (ex_header_t){ .number = n, .ommers_hash = EX_NO_OMMERS, .gas_used = branch };
    memcpy(h->logs_bloom, r.bloom, sizeof r.bloom);
    if (n)
        h->parent_hash = chain[n - 1].block.hash;
    ck_assert_int_eq(mpt_list_root(&h->receipts_root, &m->receipt, 1, &arena), RC_OK);
    ck_assert_int_eq(mpt_list_root(&h->transactions_root, &m->tx, 1, &arena), RC_OK);
    m->block.transactions = &m->tx;
    m->block.transaction_count = 1;
    ex_header_hash(&m->block.hash, h);
    top = n;
}

/* ---- queries: driven when a test says so ---- */

static struct {
    query_t *q;
    ask_done_fn done;
    void *ctx;
} waiting;

static unsigned queries, receipts_asked;

static inline rc_t submit(void *ctx, query_t *take_q, ask_done_fn done, void *done_ctx)
{
    (void)ctx;
    ck_assert_ptr_null(waiting.q); /* one at a time */
    waiting.q = take_q;
    waiting.done = done;
    waiting.ctx = done_ctx;
    queries++;
    return RC_OK;
}

static inline answer_t answer_to(const need_t *need)
{
    const made_t *m = &chain[need->number];
    answer_t a = { .kind = need->kind, .header = m->block.header, .block = m->block };
    a.receipts = &m->receipt;
    a.receipt_count = 1;
    receipts_asked += need->kind == NEED_RECEIPTS;
    return a;
}

/* Answers the query that waits, and those that follow it; or fails it. */
static inline void answer_all(bool fail)
{
    while (waiting.q) {
        query_t *q = waiting.q;
        const need_t *needs;
        err_t e = { .text = "nobody is there" };
        rc_t rc = RC_IO;
        waiting.q = NULL;
        while (!fail && (rc = query_step(q, &e)) == RC_NEED_DATA) {
            const size_t n = query_needs(q, &needs);
            for (size_t i = 0; i < n; i++) {
                const answer_t a = answer_to(&needs[i]);
                ck_assert_msg(query_give(q, &e, i, &a) == RC_OK, "%s", e.text);
            }
        }
        waiting.done(waiting.ctx, rc, &e, q);
        fail = false;
    }
}

/* ---- the news ---- */

static news_t *news;
static char pushed[262144];
static unsigned pushes, ends, tried; /* the last one: of a session that takes nothing */
static const void *deaf;
static void *ended_session; /* the last one */
static uint64_t clock_now;
static ex_block_t latest;

static inline bool push(void *session, view_t text)
{
    if (session == deaf)
        return tried++, false;
    ck_assert_uint_lt(strlen(pushed) + text.n + 2, sizeof pushed);
    strncat(pushed, (const char *)text.p, text.n);
    strcat(pushed, "\n");
    pushes++;
    return true;
}

/* As of a connection that takes a few at a time. */
static unsigned places = UINT32_MAX;

static inline bool room(void *session)
{
    (void)session;
    return pushes < places;
}

static inline void end(void *session)
{
    ended_session = session;
    ends++;
}

static inline uint64_t now(void)
{
    return clock_now;
}

static inline void open_news(news_mode_t mode, size_t bytes_max)
{
    news = news_new(&(news_config_t){ .submit = submit,
                                      .chain = &EVM_MAINNET,
                                      .mode = mode,
                                      .bytes_max = bytes_max,
                                      .monotonic_ms = now,
                                      .push = push,
                                      .end = end,
                                      .room = room });
    ck_assert_ptr_nonnull(news);
}

/* The head is block n of the present branch. */
static inline void head(uint64_t n)
{
    ex_block_of_header(&latest, &chain[n].block.header, &chain[n].block.hash, 1);
    news_head(news, &latest, 0);
}

static inline void setup(void)
{
    arena_init(&arena, 256u << 20);
    ck_assert_int_eq(hex_decode_exact(tx_bytes, sizeof tx_bytes, TX_HEX, sizeof TX_HEX - 1), RC_OK);
    keccak256(&tx_hash, view_of(tx_bytes, sizeof tx_bytes));
    clock_now = 1000000;
    queries = receipts_asked = pushes = ends = tried = 0;
    deaf = NULL;
    pushed[0] = 0;
    for (uint64_t n = 0; n <= 10; n++)
        make(n, 1);
    open_news(NEWS_ON_DEMAND, 0);
    head(10);
}

static inline void teardown(void)
{
    if (waiting.q)
        answer_all(true);
    news_free(news);
    arena_free(&arena);
}

static inline void grow_to(uint64_t n, uint8_t branch)
{
    while (top < n)
        make(top + 1, branch);
}

static inline void follow_to(uint64_t n, uint8_t branch)
{
    grow_to(n, branch);
    head(n);
    answer_all(false);
}

static inline void fork_at(uint64_t n, uint8_t branch, uint64_t to)
{
    make(n, branch);
    grow_to(to, branch);
}

#define ANY "{}"
#define ONES "1111111111111111111111111111111111111111111111111111111111111111"
#define OF_A1 "{\"address\":\"0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1\"}" /* blocks 1, 5, 9, 13, ... */

static char ids[8][API_WATCH_ID_LEN + 1];

static const void *asking_message;

static inline rc_t add_by(const void *client, unsigned i, void *session, api_watch_t kind, const char *criteria)
{
    err_t e;
    const api_asker_t by = { session, asking_message, client };
    return NEWS_EVENTS.add(news, ids[i], &e, &by, kind, view_str(criteria), &latest);
}

static inline rc_t add(unsigned i, void *session, api_watch_t kind, const char *criteria)
{
    return add_by(NULL, i, session, kind, criteria);
}

/* What a filter has to tell, in short: "+11" a log of block 11, "-11" a removed one, "#..." a block's number by its
 * hash. */
static inline const char *poll_within(unsigned i, size_t room)
{
    static char out[1024];
    err_t e = { .text = "" };
    jw_t w = jw_of(&arena, room);
    jo_doc_t doc;
    jo_t item;
    out[0] = 0;
    const rc_t rc = NEWS_EVENTS.changes(news, &w, &e, view_str(ids[i]));
    if (rc)
        return strcpy(out, e.text);
    jo_t list = jo_open(&doc, NULL, jw_done(&w), 1u << 20, JO_LENIENT);
    while (jo_next(&list, &item)) {
        char text[40] = "#?";
        hash32_t hash;
        if (jo_kind(&item, NULL) == JO_OBJECT)
            snprintf(text, sizeof text, "%c%llu", jo_bool(&item, "removed") ? '-' : '+',
                     (unsigned long long)jo_quantity(&item, "blockNumber"));
        else if (jo_hex(&item, hash.b, 32, NULL, HEX_0X))
            for (uint64_t n = 0; n <= top; n++)
                if (hash32_eq(&hash, &chain[n].block.hash))
                    snprintf(text, sizeof text, "#%llu", (unsigned long long)n);
        strcat(out, text);
    }
    jo_close(&doc);
    return out;
}

static inline const char *poll(unsigned i)
{
    return poll_within(i, 1u << 20);
}

#endif
