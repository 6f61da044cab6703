/* Filters over the end of the program: what is kept of them goes on, and what is not is said so. */
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/news_world.h"

static char keep[64];
static const uint8_t KEEP_KEY[KEPT_KEY_LEN] = { 5 };

static void open_keeping(void)
{
    char folder[80];
    snprintf(folder, sizeof folder, "%s/filters", keep);
    news = news_new(&(news_config_t){ .submit = submit,
                                      .chain = &EVM_MAINNET,
                                      .monotonic_ms = now,
                                      .push = push,
                                      .end = end,
                                      .keep_dir = folder,
                                      .keep_key = KEEP_KEY });
    ck_assert_ptr_nonnull(news);
}

static void begin_keeping(void)
{
    news_free(news);
    strcpy(keep, "/tmp/kettle-test-news-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(keep));
    open_keeping();
    head(10);
}

/* As kill -9 does it: nothing is told at the end. */
static void restart(void)
{
    if (waiting.q)
        answer_all(true);
    news_free(news);
    open_keeping();
}

static void end_keeping(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", keep);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(filters_go_on_after_a_restart_without_a_gap_and_tell_nothing_twice)
{
    begin_keeping();
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_HEADS, ""), RC_OK);
    ck_assert_int_eq(add(2, NULL, API_WATCH_LOGS, OF_A1), RC_OK);
    ck_assert_int_eq(add(3, NULL, API_WATCH_LOGS, OF_A1), RC_OK);
    ck_assert(NEWS_EVENTS.remove(news, NULL, view_str(ids[3])));
    follow_to(12, 1);
    ck_assert_str_eq(poll(0), "+11+12");
    ck_assert_str_eq(poll(2), "");
    grow_to(14, 1);
    head(14);
    answer_all(false); /* fetched, and told to nobody */
    restart();
    grow_to(15, 1);
    ck_assert_str_eq(poll(0), ""); /* before it follows the chain again */
    head(15);
    answer_all(false);
    ck_assert_str_eq(poll(0), "+13+14+15");
    ck_assert_str_eq(poll(1), "#11#12#13#14#15");
    ck_assert_str_eq(poll(2), "+13");
    ck_assert_str_eq(poll(3), "filter not found");
    restart();
    head(15);
    answer_all(false);
    ck_assert_str_eq(poll(0), "");
    ck_assert_str_eq(poll(1), "");
    follow_to(17, 1);
    ck_assert_str_eq(poll(2), "+17");
    restart();
    clock_now += NEWS_IDLE_MS + 1; /* nobody came back for them */
    head(17);
    restart();
    ck_assert_str_eq(poll(0), "filter not found");
    end_keeping();
}
END_TEST

START_TEST(a_filter_whose_block_was_taken_away_meanwhile_is_lost_and_says_so)
{
    begin_keeping();
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    follow_to(12, 1);
    ck_assert_str_eq(poll(0), "+11+12");
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, ANY), RC_OK);
    restart();
    fork_at(12, 2, 14); /* what was removed cannot be told any more */
    head(14);
    answer_all(false);
    ck_assert_str_eq(poll(0), "filter not found");
    ck_assert_str_eq(poll(1), "+12+13+14"); /* had been told nothing of it */
    end_keeping();
}
END_TEST

START_TEST(who_comes_before_the_first_head_takes_nothing_from_filters_that_are_kept)
{
    begin_keeping();
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    follow_to(12, 1);
    restart();
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, ANY), RC_OK);
    follow_to(14, 1);
    ck_assert_str_eq(poll(0), "+11+12+13+14");
    ck_assert_str_eq(poll(1), "+13+14");
    end_keeping();
}
END_TEST

START_TEST(a_filter_whose_block_was_taken_away_takes_no_other_with_it)
{
    begin_keeping();
    ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, ANY), RC_OK);
    follow_to(12, 1);
    ck_assert_str_eq(poll(0), "+11+12");
    ck_assert_str_eq(poll(1), "+11+12");
    fork_at(12, 2, 14);
    head(14);
    answer_all(false);
    ck_assert_str_eq(poll(1), "-12+12+13+14");
    restart(); /* the other is kept at the old 12 */
    head(14);
    answer_all(false);
    follow_to(15, 2);
    ck_assert_str_eq(poll(0), "filter not found");
    ck_assert_str_eq(poll(1), "+15");
    end_keeping();
}
END_TEST

START_TEST(who_begins_behind_blocks_that_were_told_without_logs_is_kept_with_their_ancestors)
{
    begin_keeping();
    ck_assert_int_eq(add(0, NULL, API_WATCH_HEADS, ""), RC_OK);
    const ex_block_t before = latest;
    follow_to(12, 1);
    latest = before; /* its request came when 10 was the latest block */
    ck_assert_int_eq(add(1, NULL, API_WATCH_LOGS, ANY), RC_OK);
    restart();
    fork_at(12, 2, 14);
    head(14);
    answer_all(false);
    ck_assert_str_eq(poll(1), "+12+13+14");
    end_keeping();
}
END_TEST

/* ---- at the same time ---- */

static const char *polled_id;
static pthread_barrier_t begin_now;

static void *poll_it(void *arg)
{
    arena_t own;
    err_t e;
    (void)arg;
    arena_init(&own, 1u << 20);
    jw_t out = jw_of(&own, 1u << 19);
    pthread_barrier_wait(&begin_now);
    (void)NEWS_EVENTS.changes(news, &out, &e, view_str(polled_id));
    arena_free(&own);
    return NULL;
}

static size_t files_kept(void)
{
    char path[100];
    size_t n = 0;
    for (unsigned slot = 0; slot < KEPT_SLOTS; slot++) {
        snprintf(path, sizeof path, "%s/filters/filter-%04u", keep, slot);
        n += access(path, F_OK) == 0;
    }
    return n;
}

START_TEST(what_is_removed_while_it_is_polled_leaves_no_file)
{
    pthread_t thread;
    begin_keeping();
    for (uint64_t n = 11; n < BLOCKS_MAX; n++) {
        ck_assert_int_eq(add(0, NULL, API_WATCH_LOGS, ANY), RC_OK);
        follow_to(n, 1);
        polled_id = ids[0];
        pthread_barrier_init(&begin_now, NULL, 2);
        ck_assert_int_eq(pthread_create(&thread, NULL, poll_it, NULL), 0);
        pthread_barrier_wait(&begin_now);
        usleep((unsigned)n % 8 * 100);
        (void)NEWS_EVENTS.remove(news, NULL, view_str(ids[0]));
        pthread_join(thread, NULL);
        pthread_barrier_destroy(&begin_now);
        ck_assert_uint_eq(files_kept(), 0);
    }
    end_keeping();
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("news_kept", setup, teardown, what_is_removed_while_it_is_polled_leaves_no_file,
                           who_comes_before_the_first_head_takes_nothing_from_filters_that_are_kept,
                           a_filter_whose_block_was_taken_away_takes_no_other_with_it,
                           who_begins_behind_blocks_that_were_told_without_logs_is_kept_with_their_ancestors,
                           filters_go_on_after_a_restart_without_a_gap_and_tell_nothing_twice,
                           a_filter_whose_block_was_taken_away_meanwhile_is_lost_and_says_so);
}
