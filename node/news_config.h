/* news_config.h - what filters and subscriptions of /rpc are made with, and how many there may be (node/news.h).
 *
 * Floor:  5, node. Types only.
 * Tests:  tests/unit/test_news.c
 */
#ifndef NODE_NEWS_CONFIG_H
#define NODE_NEWS_CONFIG_H

#include "base/os/clock.h"
#include "node/kept.h"
#include "node/query/ask.h"

#define NEWS_FILTERS_MAX 1024u               /* that are polled, in all */
#define NEWS_WAITS_MAX 256u                  /* receipts that are waited for, in all; a quarter of them by a client */
#define NEWS_SUBSCRIPTIONS_MAX 100u          /* of one connection */
#define NEWS_OF_CLIENT_MAX 500u              /* subscriptions of all connections of a client */
#define NEWS_CRITERIA_MAX ((size_t)32 << 20) /* bytes of all criteria, in pieces of which a third is touched */
#define NEWS_BYTES_MAX ((size_t)24 << 20)    /* of blocks and logs that are kept */
#define NEWS_VAIN_MAX 3u                     /* heads whose blocks nobody gives before that is told */
#define NEWS_IDLE_MS (5u * 60000u)           /* a filter that nobody asks for so long is over */

/* Words of log_follow, in the order of their option. */
typedef enum { NEWS_ON_DEMAND, NEWS_OFF, NEWS_ALWAYS } news_mode_t;

typedef struct news news_t;

/* Everything borrowed until news_free. */
typedef struct {
    /* Has a query driven, as ask_submit does. */
    rc_t (*submit)(void *ctx, query_t *take_q, ask_done_fn done, void *done_ctx);
    void *submit_ctx;
    ex_cache_t *cache; /* may be NULL */
    const evm_chain_t *chain;
    news_mode_t mode;
    size_t bytes_max; /* 0: NEWS_BYTES_MAX */
    /* Where filters are kept over the program's end, and by which key (node/kept.h); NULL: in memory only. */
    const char *keep_dir;
    const uint8_t *keep_key; /* KEPT_KEY_LEN; copied */
    clock_fn monotonic_ms;   /* NULL: the system's */
    /* Sends a text to a session; must not wait. False: the session is over, or ends. Called with its lock held, as is
     * end, which ends a session whose events were lost. */
    bool (*push)(void *session, view_t text);
    void (*end)(void *session);
    /* Whether a session has room for more; when not, news_more is called once it has. Likewise. NULL: always. */
    bool (*room)(void *session);
} news_config_t;

#endif
