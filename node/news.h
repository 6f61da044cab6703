/* news.h - follows the chain for filters and subscriptions of /rpc: asks for the blocks between heads, keeps their
 * logs, pushes to who has subscribed, and answers who polls.
 *
 * One history query at a time fetches what is missing between what was announced last and the newest head: headers, and
 * receipts with transactions of the blocks whose bloom says that some filter may find a log there (of all blocks with
 * NEWS_ALWAYS). Everybody shares it. What is announced has no gap (lightclient/exec/feed.h). Blocks whose logs are
 * known answer eth_getLogs, too.
 *
 * Floor:  5, node. Any thread.
 * Tests:  tests/unit/test_news.c, tests/unit/test_news_kept.c, tests/e2e (clients, and branching.c)
 */
#ifndef NODE_NEWS_H
#define NODE_NEWS_H

#include "base/json.h"
#include "node/news_config.h"
#include "rpc/api/methods.h"

/* Brings back the filters that are kept; they go on from the block up to which they had told everything, and end when
 * that does not stand any more. NULL: out of memory. */
news_t *news_new(const news_config_t *config);

/* After ask_cancel: waits until its query has ended, and frees. NULL is allowed. */
void news_free(news_t *w);

/* The newest head that answers are given for, and the number of the finalized one. To be told also when it is the one
 * before: what failed is tried again. */
void news_head(news_t *w, const ex_block_t *latest, uint64_t final_number);

/* For api_world_t: what filters and subscriptions are kept by; its context is a news_t. */
extern const api_events_t NEWS_EVENTS;

/* The answer to a message, which tells a session the ids of the subscriptions that it asked for, is on its way: from
 * now on they are pushed to. */
void news_begin(news_t *w, void *session, const void *message);

/* A session that had no room for all has some. */
void news_more(news_t *w, void *session);

/* A session is over. May be called more than once. */
void news_over(news_t *w, void *session);

/* How many there are now. */
void news_counts(news_t *w, uint64_t *filters, uint64_t *subscriptions);

/* Members of GET /v1/status. */
void news_status(news_t *w, jw_t *out);

#endif
