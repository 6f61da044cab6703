/* Replays what real clients have sent against POST /rpc's machine, over a small made-up state: each request gets a result
 * or an error of the list below, never an internal one. Prints how often each method was asked and what came of it.
 *
 *     replay DIR    DIR/requests.json: a list of {"client", "transport", "request"}
 *
 * A method that the table has not is -32601 with geth's text, and listed by name: clients go another way then. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/os/file.h"
#include "rpc/api/rpc.h"
#include "tests/unit/world.h"

#define FILE_MAX ((size_t)64 << 20)
#define ROWS_MAX 128u

typedef struct {
    char name[64];
    unsigned asked, results, reverted, failed, params, pruned, unproven, unknown, bad;
} row_t;

static world_t state;
static row_t rows[ROWS_MAX];
static size_t row_count;

static row_t *row_of(view_t method)
{
    for (size_t i = 0; i < row_count; i++)
        if (view_eq(view_str(rows[i].name), method))
            return &rows[i];
    row_t *r = &rows[row_count < ROWS_MAX - 1 ? row_count++ : ROWS_MAX - 1];
    snprintf(r->name, sizeof r->name, "%.*s", (int)method.n, (const char *)method.p);
    return r;
}

static answer_t honest(const need_t *need)
{
    answer_t a = { .kind = need->kind };
    if (need->kind == NEED_PROOF)
        a.proof = world_proof(&state, &need->addr, need->slots, need->slot_count);
    else if (need->kind == NEED_CODE)
        a.code = world_code(&state, &need->addr);
    else if (need->kind == NEED_SEND) {
        a.refused = true;
        a.code = view_str("nonce too low: next nonce 7, tx nonce 1");
    }
    return a;
}

static rc_t drive(query_t *q, err_t *e)
{
    const need_t *needs;
    rc_t rc;
    while ((rc = query_step(q, e)) == RC_NEED_DATA) {
        const size_t n = query_needs(q, &needs);
        for (size_t i = 0; i < n && rc == RC_NEED_DATA; i++) {
            const answer_t a = honest(&needs[i]);
            rc = query_give(q, e, i, &a) ? RC_IO : rc;
        }
        if (rc != RC_NEED_DATA)
            break;
    }
    return rc;
}

static view_t serve(arena_t *a, const api_world_t *world, view_t body)
{
    api_rpc_t *r;
    view_t out = { NULL, 0 };
    if (api_rpc_begin(&r, a, world, body))
        return out;
    for (size_t i = 0; i < api_rpc_count(r); i++) {
        err_t e = { .rc = RC_OK };
        query_t *q = api_rpc_take(r, i);
        if (q)
            api_rpc_end(r, i, drive(q, &e), &e, q);
    }
    return api_rpc_finish(r, &out) ? view_of(NULL, 0) : out;
}

static void count_answer(row_t *r, const jo_t *answer)
{
    r->asked++;
    if (jo_kind(answer, "result") != JO_ABSENT) {
        r->results++;
        return;
    }
    const jo_t error = jo_object(answer, "error");
    switch (jo_i64(&error, "code", INT64_MIN, INT64_MAX)) {
    case API_REVERTED: r->reverted++; break;
    case API_FAILED: r->failed++; break;
    case API_INVALID_PARAMS: r->params++; break;
    case API_PRUNED: r->pruned++; break;
    case API_UNAVAILABLE: r->unproven++; break; /* the made-up state has no blocks */
    case API_NO_METHOD: r->unknown++; break;
    default: r->bad++;
    }
}

/* One recorded body: a call, or a batch of them, whose answers come in the same order. */
static void replay(const jo_t *request, const api_world_t *world)
{
    arena_t a;
    jo_doc_t doc;
    arena_init(&a, (size_t)256 << 20);
    const view_t body = jo_as_written(request, &a, NULL), text = serve(&a, world, body);
    jo_t answers = jo_open(&doc, NULL, text, FILE_MAX, JO_LENIENT), calls = *request, call, answer;
    if (jo_kind(request, NULL) != JO_LIST)
        count_answer(row_of(jo_text(request, "method", 0, SIZE_MAX)), &answers);
    else
        while (jo_next(&calls, &call)) {
            row_t *r = row_of(jo_text(&call, "method", 0, SIZE_MAX));
            if (jo_next(&answers, &answer))
                count_answer(r, &answer);
            else
                r->bad++;
        }
    jo_close(&doc);
    arena_free(&a);
}

static int report(size_t requests)
{
    unsigned bad = 0, unknown = 0;
    printf("%-36s asked result revert failed params pruned unproven unknown\n", "method");
    for (size_t i = 0; i < row_count; i++) {
        const row_t *r = &rows[i];
        printf("%-36s %5u %6u %6u %6u %6u %6u %8u %7u%s\n", r->name, r->asked, r->results, r->reverted, r->failed,
               r->params, r->pruned, r->unproven, r->unknown, r->bad ? "  BAD" : "");
        bad += r->bad;
        unknown += r->unknown;
    }
    printf("%zu requests; %u calls of methods that are not there; %u without a result or a listed error\n", requests,
           unknown, bad);
    return bad || !requests;
}

static const char *folder;
static int status = 2;

/* The made-up state asserts what it makes, which only works inside a test of Check. */
START_TEST(recorded_requests)
{
    static const evm_schedule_row_t row = { 0, { EVM_OSAKA, 14, 21, 11684671, NULL } };
    static const evm_chain_t chain = { 1, &row, 1 };
    api_world_t world = { .chain = &chain };
    char path[4096];
    view_t text;
    err_t e;
    jo_doc_t doc;
    size_t requests = 0;
    snprintf(path, sizeof path, "%s/requests.json", folder);
    ck_assert_msg(!file_read(&text, &e, path, FILE_MAX, 0), "%s", e.text);
    world_init(&state);
    world_add(&state, world_addr(0xa000), "602a5f5260205ff3");
    world.latest.state_root = world_root(&state);
    world.latest.env = (evm_block_t){ .number = 30, .timestamp = 5000, .gas_limit = 60000000, .chain_id = 1 };
    jo_t list = jo_open(&doc, &e, text, FILE_MAX, JO_LENIENT), one;
    for (; jo_next(&list, &one); requests++) {
        const jo_t request =
            jo_kind(&one, "request") == JO_LIST ? jo_list(&one, "request", 0, SIZE_MAX) : jo_object(&one, "request");
        replay(&request, &world);
    }
    status = report(requests);
    jo_close(&doc);
    world_clear(&state);
    file_free(text);
}
END_TEST

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: replay DIR, which has requests.json\n");
        return 2;
    }
    folder = argv[1];
    Suite *suite = suite_create("replay");
    TCase *tcase = tcase_create("replay");
    tcase_add_test(tcase, recorded_requests);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : status;
}
