/* Methods about filters and subscriptions: what is read, what is kept, and how each failure is told. */
#include "rpc/api/filter.h"
#include "tests/unit/methods_world.h"

/* ---- what keeps filters: a note of what it was asked ---- */

static char noted[512];
static rc_t add_rc, changes_rc;

static rc_t add(void *ctx, char id[API_WATCH_ID_LEN + 1], err_t *e, const api_asker_t *by, api_watch_t kind,
                view_t criteria, const ex_block_t *latest)
{
    (void)ctx;
    snprintf(noted, sizeof noted, "%s %s %.*s at %llu", by->session ? "session" : "poll",
             kind == API_WATCH_LOGS       ? "logs"
             : kind == API_WATCH_RECEIPTS ? "receipts"
                                          : "heads",
             (int)criteria.n, criteria.p ? (const char *)criteria.p : "", (unsigned long long)latest->env.number);
    strcpy(id, "0x1f");
    return add_rc ? err_say(e, add_rc, "no more") : RC_OK;
}

static bool remove_one(void *ctx, void *session, view_t id)
{
    (void)ctx;
    return view_eq(id, view_str(session ? "0x2" : "0x1"));
}

static rc_t changes(void *ctx, jw_t *out, err_t *e, view_t id)
{
    (void)ctx, (void)id;
    strcpy(noted, "changes");
    if (changes_rc)
        return err_say(e, changes_rc, changes_rc == RC_REFUSED ? "filter not found" : "too late");
    jw_array(out, NULL);
    jw_end(out);
    return RC_OK;
}

static rc_t criteria(void *ctx, view_t *out, err_t *e, arena_t *a, view_t id)
{
    (void)ctx, (void)a;
    if (!view_eq(id, view_str("0x1")))
        return err_say(e, RC_REFUSED, "filter not found");
    *out = view_str("{\"fromBlock\":\"0x1\",\"toBlock\":\"0x3e8\"}");
    return RC_OK;
}

static bool logs(void *ctx, jw_t *out, const ex_filter_t *f, uint64_t from, uint64_t to, const ex_block_t *latest)
{
    (void)ctx, (void)f, (void)latest;
    snprintf(noted, sizeof noted, "logs %llu to %llu", (unsigned long long)from, (unsigned long long)to);
    jw_array(out, NULL);
    jw_end(out);
    return true;
}

static const api_events_t EVENTS = { .add = add,
                                     .remove = remove_one,
                                     .changes = changes,
                                     .criteria = criteria,
                                     .logs = logs,
                                     .await = NULL,
                                     .awaited = NULL,
                                     .leave = NULL };

static void setup_events(void)
{
    setup();
    world.events = &EVENTS;
    noted[0] = 0;
    add_rc = changes_rc = RC_OK;
}

#define ASK(method, params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":[" params "]}"
#define TOPIC "\"" HASH32("11") "\""

START_TEST(what_is_asked_for_is_kept_as_it_was_written)
{
    ck_assert_str_eq(serve(ASK("eth_newFilter", "{\"topics\":[" TOPIC "],\"address\":" ADDR ",\"extra\":1}")),
                     RESULT("\"0x1f\""));
    ck_assert_str_eq(noted, "poll logs {\"address\":" ADDR ",\"extra\":1,\"topics\":[" TOPIC "]} at 1000");
    ck_assert_str_eq(serve(ASK("eth_newBlockFilter", "")), RESULT("\"0x1f\""));
    ck_assert_str_eq(noted, "poll heads  at 1000");
    world.session = &noted;
    ck_assert_str_eq(serve(ASK("eth_subscribe", "\"newHeads\"")), RESULT("\"0x1f\""));
    ck_assert_str_eq(noted, "session heads  at 1000");
    ck_assert_str_eq(serve(ASK("eth_subscribe", "\"logs\",{}")), RESULT("\"0x1f\""));
    ck_assert_str_eq(noted, "session logs {} at 1000");
    ck_assert_str_eq(serve(ASK("eth_subscribe", "\"logs\"")), RESULT("\"0x1f\""));
    ck_assert_str_eq(noted, "session logs {} at 1000");
    ck_assert_str_eq(serve(ASK("eth_subscribe", "\"transactionReceipts\"")), RESULT("\"0x1f\""));
    ck_assert_str_eq(noted, "session receipts {} at 1000");
    ck_assert_str_eq(serve(ASK("eth_subscribe", "\"transactionReceipts\",null")), RESULT("\"0x1f\""));
    ck_assert_str_eq(serve(ASK("eth_subscribe", "\"transactionReceipts\",{\"transactionHashes\":[" TOPIC "]}")),
                     RESULT("\"0x1f\""));
    ck_assert_str_eq(noted, "session receipts {\"transactionHashes\":[" TOPIC "]} at 1000");
    ck_assert_str_eq(serve(ASK("eth_newFilter", "{}")), RESULT("\"0x1f\"")); /* polled here, too */
    ck_assert_str_eq(noted, "poll logs {} at 1000");
    static const char *const good[] = { "{\"address\":[],\"topics\":[]}", "{\"fromBlock\":\"0x4\",\"toBlock\":\"0x4\"}",
                                        "{\"fromBlock\":\"earliest\",\"toBlock\":\"latest\"}",
                                        "{\"fromBlock\":\"safe\",\"toBlock\":null}" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char request[200];
        snprintf(request, sizeof request, ASK("eth_newFilter", "%s"), good[i]);
        ck_assert_str_eq(serve(request), RESULT("\"0x1f\""));
    }
    ck_assert_str_eq(serve(ASK("eth_getLogs", "{\"fromBlock\":\"0x3e0\",\"address\":[]}")), RESULT("[]"));
}
END_TEST

START_TEST(what_is_wrong_is_told_as_geth_tells_it_and_nothing_is_kept)
{
    static const row_t rows[] = {
        { ASK("eth_newFilter", ""), ERROR("-32602", "missing value for required argument 0") },
        { ASK("eth_newFilter", "{\"topics\":[[],[],[],[],[]]}"), ERROR("-32602", "exceed max topics") },
        { ASK("eth_newFilter", "{\"fromBlock\":\"0x5\",\"toBlock\":\"0x4\"}"),
          ERROR("-32602", "invalid block range params") },
        { ASK("eth_newFilter", "{\"toBlock\":\"pending\"}"), ERROR("-32602", "pending logs are not supported") },
        { ASK("eth_newFilter", "{\"fromBlock\":\"0x8000000000000000\"}"),
          ERROR("-32602", "invalid argument 0: fromBlock: block number larger than int64") },
        { ASK("eth_newPendingTransactionFilter", ""),
          ERROR("-32601", "the method eth_newPendingTransactionFilter does not exist/is not available") },
        { ASK("eth_subscribe", "\"newHeads\""), ERROR("-32601", "notifications not supported") },
        { ASK("eth_unsubscribe", "\"0x2\""), ERROR("-32601", "notifications not supported") },
    };
    CHECK_ROWS(rows);
    ck_assert_str_eq(noted, "");
    static const char *const bad[] = { "\"address\":\"0x12\"", "\"fromBlock\":5", "\"fromBlock\":\"x\"",
                                       "\"toBlock\":\"0x\"", "\"toBlock\":[]" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char request[200];
        snprintf(request, sizeof request, ASK("eth_newFilter", "{%s}"), bad[i]);
        ck_assert_msg(strstr(serve(request), "\"code\":-32602"), "%s", bad[i]);
    }
    world.session = &noted;
    ck_assert_str_eq(serve(ASK("eth_subscribe", "\"newPendingTransactions\"")),
                     ERROR("-32601", "no \\\"newPendingTransactions\\\" subscription in eth namespace"));
    ck_assert_ptr_nonnull(strstr(serve(ASK("eth_subscribe", "\"logs\",{\"address\":1}")), "\"code\":-32602"));
    ck_assert_ptr_nonnull(strstr(
        serve(ASK("eth_subscribe", "\"transactionReceipts\",{\"transactionHashes\":[\"0x1\"]}")), "\"code\":-32602"));
    ck_assert_str_eq(noted, "");
}
END_TEST

START_TEST(receipts_of_at_most_200_transactions_are_told_to_one_subscription)
{
    static char text[20000] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_subscribe\",\"params\":[\"transactionReceipts\","
        "{\"transactionHashes\":[" TOPIC;
    world.session = &noted;
    for (unsigned i = 1; i < 200; i++)
        strcat(text, "," TOPIC);
    const size_t n = strlen(text);
    strcat(text, "]}]}");
    ck_assert_str_eq(serve(text), RESULT("\"0x1f\""));
    strcpy(text + n, "," TOPIC "]}]}");
    ck_assert_str_eq(
        serve(text),
        ERROR("-32602", "exceed max number of transaction hashes allowed per transactionReceipts subscription"));
}
END_TEST

START_TEST(each_failure_has_its_code)
{
    static const struct {
        rc_t rc;
        const char *answer;
    } rows[] = {
        { RC_LIMIT, ERROR("-32005", "no more") },
        { RC_UNSUPPORTED, ERROR("-32601", "no more") },
        { RC_NOMEM, ERROR("-32603", "no more") },
        { RC_IO, ERROR("-32000", "no more") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        add_rc = rows[i].rc;
        ck_assert_str_eq(serve(ASK("eth_newFilter", "{}")), rows[i].answer);
    }
    ck_assert_str_eq(serve(ASK("eth_getFilterChanges", "\"0x1\"")), RESULT("[]"));
    changes_rc = RC_REFUSED; /* viem makes a new one for this code alone */
    ck_assert_str_eq(serve(ASK("eth_getFilterChanges", "\"0x1\"")), ERROR("-32000", "filter not found"));
    changes_rc = RC_LIMIT;
    ck_assert_str_eq(serve(ASK("eth_getFilterChanges", "\"0x1\"")), ERROR("-32005", "too late"));
    changes_rc = RC_NEED_DATA; /* nor for this one: it is still there */
    ck_assert_str_eq(serve(ASK("eth_getFilterChanges", "\"0x1\"")), ERROR("-32002", "too late"));
}
END_TEST

START_TEST(ends_are_of_the_own_kind)
{
    ck_assert_str_eq(serve(ASK("eth_uninstallFilter", "\"0x1\"")), RESULT("true"));
    ck_assert_str_eq(serve(ASK("eth_uninstallFilter", "\"0x2\"")), RESULT("false"));
    world.session = &noted;
    ck_assert_str_eq(serve(ASK("eth_unsubscribe", "\"0x2\"")), RESULT("true"));
    ck_assert_str_eq(serve(ASK("eth_unsubscribe", "\"0x1\"")), ERROR("-32000", "subscription not found"));
}
END_TEST

START_TEST(logs_come_from_memory_where_they_are_all_there)
{
    ck_assert_str_eq(serve(ASK("eth_getLogs", "{\"fromBlock\":\"0x3e0\"}")), RESULT("[]"));
    ck_assert_str_eq(noted, "logs 992 to 1000");
    ck_assert_str_eq(serve(ASK("eth_getFilterLogs", "\"0x1\"")), RESULT("[]"));
    ck_assert_str_eq(noted, "logs 1 to 1000");
    ck_assert_str_eq(serve(ASK("eth_getFilterLogs", "\"0x2\"")), ERROR("-32000", "filter not found"));
    ck_assert_uint_eq(rounds, 0);
}
END_TEST

START_TEST(a_range_that_is_too_long_is_refused_with_one_that_fits)
{
    world.latest.env.number = 20000;
    ck_assert_str_eq(
        serve(ASK("eth_getLogs", "{\"fromBlock\":\"0x10\",\"toBlock\":\"0x2010\"}")),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32005,\"message\":\"query exceeds limit of 8192 blocks. Try with "
        "this block range [0x10, 0x200f].\",\"data\":{\"from\":\"0x10\",\"to\":\"0x200f\",\"limit\":8192}}}");
}
END_TEST

START_TEST(where_nobody_keeps_filters_there_are_none)
{
    world.events = NULL;
    ck_assert_str_eq(serve(ASK("eth_newFilter", "{}")),
                     ERROR("-32601", "the method eth_newFilter does not exist/is not available"));
    ck_assert_str_eq(serve(ASK("eth_uninstallFilter", "\"0x1\"")), RESULT("false"));
}
END_TEST

/* As geth, which does not run it: a filter would have told what nobody got. */
START_TEST(nothing_is_run_whose_answer_would_not_be_given)
{
    static const char asked[] =
        ASK("eth_getFilterChanges", "\"0x1\"") "," ASK("eth_newFilter", "{}") "," ASK("eth_newBlockFilter", "");
    static const char refused[] = ERROR("-32003", "response too large");
    add_long();
    const char *got = serve_behind(13, asked);
    for (unsigned i = 0; i < 3; i++) {
        got = strstr(got, refused);
        ck_assert_ptr_nonnull(got++);
    }
    ck_assert_str_eq(noted, "");
    ck_assert_ptr_nonnull(strstr(serve_behind(2, asked), RESULT("[]") "," RESULT("\"0x1f\"") "," RESULT("\"0x1f\"")));
    ck_assert_str_eq(noted, "poll heads  at 1000");
}
END_TEST

int main(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0); /* answers of 26 MB, on a machine that may be busy */
    return UNIT_RUN_AROUND("methods_filter", setup_events, teardown, what_is_asked_for_is_kept_as_it_was_written,
                           what_is_wrong_is_told_as_geth_tells_it_and_nothing_is_kept,
                           receipts_of_at_most_200_transactions_are_told_to_one_subscription, each_failure_has_its_code,
                           ends_are_of_the_own_kind, logs_come_from_memory_where_they_are_all_there,
                           a_range_that_is_too_long_is_refused_with_one_that_fits,
                           where_nobody_keeps_filters_there_are_none, nothing_is_run_whose_answer_would_not_be_given);
}
