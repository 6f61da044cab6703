/* news_state.h - what node/news.c and node/news_chain.c share: the filters and subscriptions that there are, and how
 * they follow the chain. All with the lock of the news_t held.
 *
 * Floor:  5, node. Under its lock, any thread.
 * Tests:  tests/unit/test_news.c
 */
#ifndef NODE_NEWS_STATE_H
#define NODE_NEWS_STATE_H

#include <pthread.h>

#include "lightclient/exec/feed.h"
#include "node/news_config.h"
#include "rpc/api/filter.h"
#include "rpc/api/methods.h"

#define NEWS_KEEP_LOCKS 16u

/* A filter or a subscription. */
typedef struct watcher {
    struct watcher *next;
    char id[API_WATCH_ID_LEN + 1];
    api_watch_t kind;
    void *session; /* NULL: it is polled; of one that waits for a receipt: itself */
    bool waits, failed;
    ex_logged_t *found; /* by one that waits: the block with the receipt, at */
    size_t found_at;
    uint64_t until_ms;
    const void *client;  /* whose it is; NULL: many's. Only compared */
    const void *message; /* of a session: the one that asked for it, */
    bool begun;          /* ... which is answered: the session knows its id */
    arena_t arena;       /* of what follows */
    view_t text;
    api_criteria_t criteria;
    uint64_t number; /* of the block behind which it begins, until */
    hash32_t hash;
    hash32_t below[KEPT_BELOW_MAX]; /* that block's ancestors, above which it was told nothing */
    unsigned below_count;
    uint64_t told; /* the block that it was told of last, 0: none; of one that was brought back the lowest below */
    bool placed;   /* it is found among the events, or */
    bool lost;     /* will never be: it was brought back, and its block does not stand; */
    bool restored;
    unsigned slot; /* of its file */
    uint64_t seq;  /* when placed, the next one that it is to be told, */
    size_t at;     /* ... from this of its logs on */
    uint64_t used_ms;
} watcher_t;

struct news {
    news_config_t config;
    pthread_mutex_t lock;
    pthread_cond_t idle;
    feed_t feed;
    watcher_t *watchers;
    size_t filters, subscriptions, waits, criteria_bytes;
    bool has_head, asking, again;
    unsigned vain;      /* heads at which the next blocks were asked for in vain, one after the other, */
    uint64_t vain_head; /* ... the last of them */
    unsigned halved;    /* how often the step was, in which blocks are asked for */
    ex_block_t head;
    uint64_t final_number;
    bool keeps;
    char keep_dir[400];
    uint8_t keep_key[KEPT_KEY_LEN];
    bool slots[KEPT_SLOTS];       /* taken */
    uint32_t holders[KEPT_SLOTS]; /* one more with each who took the slot or gave it back */
    /* Of the slots whose number gives this remainder: files are written one at a time. Before the lock. */
    pthread_mutex_t keep_locks[NEWS_KEEP_LOCKS];
};

/* ---- node/news.c ---- */

/* The time by its clock. */
uint64_t news_now_ms(const news_t *w);

/* Takes one out of the list and frees it, and what is kept of it. */
void news_take_out(news_t *w, watcher_t **at);

/* Takes out the filters that nobody has asked for NEWS_IDLE_MS. */
void news_drop_idle(news_t *w);

/* ---- node/news_room.c ---- */

/* Makes room for one more, of a session or to be polled (NULL): who holds most of what is full gives up what he has
 * used longest ago to a client that holds less than a quarter. RC_LIMIT, RC_UNSUPPORTED, RC_NOMEM. */
NODISCARD rc_t news_make_room(news_t *w, err_t *e, const watcher_t *x, const void *session);

/* ---- node/news_chain.c ---- */

/* Whether the next blocks were asked for in vain so often that nothing is not an answer any more. */
bool news_is_stuck(const news_t *w);

/* Finds where a watcher stands among the events. False: what it waits for is not announced yet. */
bool news_place(news_t *w, watcher_t *x);

/* Whether a block may have logs that a watcher is told. */
bool news_finds_in(const watcher_t *x, const ex_logged_t *l);

/* Whether all is known of a block that a watcher may be told. */
bool news_answers(const ex_logged_t *l, const watcher_t *x);

/* Tells a subscription all that it does not know yet. */
void news_push(news_t *w, watcher_t *x);

/* Begins where the oldest of those that wait for their place stands; filters that stand too deep are lost. False: there
 * is none. */
bool news_begin_feed(news_t *w, uint64_t head);

/* Begins at a block, the newest that is known. */
void news_seed(news_t *w, const ex_block_t *latest);

/* Notes a watcher's ancestors, as far as they are known. newest: a block whose parent is known. */
void news_note_below(news_t *w, watcher_t *x, const ex_block_t *newest);

/* Asks for the next blocks, if somebody waits for them and nothing is asked for. */
void news_pump(news_t *w);

#endif
