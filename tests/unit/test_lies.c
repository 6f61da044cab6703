/* node/lies.h: which records are kept, over a restart too, and what a damaged file comes to. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/lies.h"
#include "tests/unit/unit.h"

static char folder[] = "/tmp/kettle-lies-XXXXXX";
static arena_t a;
static err_t e;

static void setup(void)
{
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    arena_init(&a, (size_t)64 << 20);
    log_set_level(LOG_ERROR);
}

static void teardown(void)
{
    char path[80];
    snprintf(path, sizeof path, "%s/" LIES_FILE, folder);
    unlink(path);
    rmdir(folder);
    arena_free(&a);
}

static int64_t now_s(void *ctx)
{
    (void)ctx;
    return 1750000000;
}

static lies_t *open_lies(const char *dir)
{
    lies_t *l = NULL;
    const lies_config_t config = { .state_dir = dir, .network = "devnet", .now_s = now_s };
    ck_assert_int_eq(lies_new(&l, &e, &config), RC_OK);
    return l;
}

/* A lie for a reason of that number, of some bytes. */
static void tell(lies_t *l, size_t endpoint, unsigned reason, size_t bytes)
{
    char text[40];
    char *answer = malloc(bytes + 3);
    snprintf(text, sizeof text, "reason %u", reason);
    snprintf(answer, bytes + 3, "{%*s}", (int)bytes, "");
    lie_t lie = { .reason = view_str(text), .request = view_str("{}"), .answer = view_str(answer) };
    lies_take_execution(l, endpoint, &lie);
    free(answer);
}

/* The reasons of an endpoint's records, with spaces between them. */
static const char *reasons(lies_t *l, const char *endpoint)
{
    static char out[4000];
    view_t text;
    jo_doc_t doc;
    size_t n = 0;
    out[0] = 0;
    ck_assert_int_eq(lies_list(l, &text, &a, endpoint), RC_OK);
    const jo_t root = jo_open(&doc, &e, text, LIES_FILE_MAX, JO_LENIENT);
    jo_t list = jo_list(&root, NULL, 0, LIES_MAX), one;
    while (jo_next(&list, &one)) {
        const jo_t record = jo_object(&one, NULL);
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%s", n ? " " : "",
                              (const char *)jo_text(&record, "reason", 0, 100).p + strlen("reason "));
    }
    ck_assert_int_eq(jo_done(&root), RC_OK);
    jo_close(&doc);
    return out;
}

START_TEST(an_endpoint_has_few_and_the_first_of_each_reason)
{
    lies_t *l = open_lies(NULL);
    for (unsigned i = 0; i < 20; i++) {
        tell(l, 0, i / 2, 10);
        tell(l, 1, 7, 10);
    }
    ck_assert_str_eq(reasons(l, "execution_rpc[0]"), "6 7 8 9");
    ck_assert_str_eq(reasons(l, "execution_rpc[1]"), "7");
    ck_assert_str_eq(reasons(l, "consensus_rpc[0]"), "");
    ck_assert_uint_eq(lies_count(l), 5);
    lies_free(l);
}
END_TEST

START_TEST(all_are_bounded_in_number_and_bytes)
{
    lies_t *l = open_lies(NULL);
    for (size_t i = 0; i < 16; i++)
        for (unsigned k = 0; k < LIES_EACH_MAX; k++)
            tell(l, i, k, 10);
    ck_assert_uint_eq(lies_count(l), LIES_MAX);
    ck_assert_str_eq(reasons(l, "execution_rpc[0]"), "");
    ck_assert_str_eq(reasons(l, "execution_rpc[15]"), "0 1 2 3");
    for (size_t i = 0; i < 16; i++)
        tell(l, i, 99, LIE_ANSWER_MAX);
    ck_assert_uint_lt(lies_count(l), LIES_BYTES_MAX / LIE_ANSWER_MAX);
    ck_assert_uint_ge(lies_count(l), LIES_BYTES_MAX / LIE_ANSWER_MAX - 2);
    lies_free(l);
}
END_TEST

START_TEST(a_restart_finds_them)
{
    lies_t *l = open_lies(folder);
    tell(l, 0, 1, 10);
    tell(l, 2, 2, 10);
    lies_free(l);
    l = open_lies(folder);
    ck_assert_str_eq(reasons(l, NULL), "1 2");
    tell(l, 0, 1, 10);
    tell(l, 2, 3, 10);
    ck_assert_str_eq(reasons(l, NULL), "1 2 3");
    lies_free(l);
    l = open_lies(folder);
    ck_assert_str_eq(reasons(l, "execution_rpc[2]"), "2 3");
    lies_free(l);
}
END_TEST

START_TEST(a_file_that_is_no_list_of_records_is_as_none)
{
    static const char *const texts[] = { "", "[", "{}", "[1]", "[{}]", "[{\"kettle_lie\":2}]" };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_assert_int_eq(persist_write(&e, folder, LIES_FILE, view_str(texts[i])), RC_OK);
        lies_t *l = open_lies(folder);
        ck_assert_uint_eq(lies_count(l), 0);
        tell(l, 0, 1, 10);
        lies_free(l);
        l = open_lies(folder);
        ck_assert_str_eq(reasons(l, NULL), "1");
        lies_free(l);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("lies", setup, teardown, an_endpoint_has_few_and_the_first_of_each_reason,
                           all_are_bounded_in_number_and_bytes, a_restart_finds_them,
                           a_file_that_is_no_list_of_records_is_as_none);
}
