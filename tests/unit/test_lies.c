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

static up_t *execution, *consensus; /* http://host-0/key to http://host-15/key */

static up_t *sixteen(void)
{
    static char urls[UP_ENDPOINTS_MAX][32];
    const char *at[UP_ENDPOINTS_MAX];
    for (unsigned i = 0; i < UP_ENDPOINTS_MAX; i++) {
        snprintf(urls[i], sizeof urls[i], "http://host-%u/key", i);
        at[i] = urls[i];
    }
    return up_new(at, UP_ENDPOINTS_MAX);
}

static void setup(void)
{
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    arena_init(&a, (size_t)64 << 20);
    execution = sixteen();
    consensus = sixteen();
    log_set_level(LOG_ERROR);
}

static void teardown(void)
{
    char path[80];
    snprintf(path, sizeof path, "%s/" LIES_FILE, folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/" LIES_KEY_FILE, folder);
    unlink(path);
    rmdir(folder);
    up_free(execution);
    up_free(consensus);
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
    lies_watch(l, execution, consensus);
    return l;
}

/* A lie for a reason of that number, of some bytes. */
static void tell(size_t endpoint, unsigned reason, size_t bytes)
{
    char text[40];
    char *answer = malloc(bytes + 3);
    snprintf(text, sizeof text, "reason %u", reason);
    snprintf(answer, bytes + 3, "{%*s}", (int)bytes, "");
    lie_t lie = { .reason = view_str(text), .request = view_str("{}"), .answer = view_str(answer) };
    up_lied(execution, endpoint, &lie);
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
        tell(0, i / 2, 10);
        tell(1, 7, 10);
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
            tell(i, k, 10);
    ck_assert_uint_eq(lies_count(l), LIES_MAX);
    ck_assert_str_eq(reasons(l, "execution_rpc[0]"), "");
    ck_assert_str_eq(reasons(l, "execution_rpc[15]"), "0 1 2 3");
    for (size_t i = 0; i < 16; i++)
        tell(i, 99, LIE_ANSWER_MAX);
    ck_assert_uint_lt(lies_count(l), LIES_BYTES_MAX / LIE_ANSWER_MAX);
    ck_assert_uint_ge(lies_count(l), LIES_BYTES_MAX / LIE_ANSWER_MAX - 2);
    lies_free(l);
}
END_TEST

START_TEST(a_restart_finds_them)
{
    lies_t *l = open_lies(folder);
    tell(0, 1, 10);
    tell(2, 2, 10);
    lies_free(l);
    l = open_lies(folder);
    ck_assert_str_eq(reasons(l, NULL), "1 2");
    tell(0, 1, 10);
    tell(2, 3, 10);
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
        tell(0, 1, 10);
        lies_free(l);
        l = open_lies(folder);
        ck_assert_str_eq(reasons(l, NULL), "1");
        lies_free(l);
    }
}
END_TEST

/* Not by its number alone: who came in its place has told none, and it has taken its own along. */
START_TEST(a_record_stays_that_of_its_endpoint_when_others_take_its_place)
{
    static const char *const others[] = { "http://new", "http://host-1/key", "http://host-0/key" };
    lies_t *l = open_lies(folder);
    tell(0, 1, 10);
    tell(2, 2, 10);
    tell(3, 3, 10);
    lies_free(l);
    up_free(execution);
    execution = up_new(others, 3);
    l = open_lies(folder);
    ck_assert_str_eq(reasons(l, "execution_rpc[0]"), "");
    ck_assert_str_eq(reasons(l, "execution_rpc[2]"), "1");
    ck_assert_str_eq(reasons(l, "execution_rpc[gone]"), "2 3");
    ck_assert_str_eq(reasons(l, "consensus_rpc[gone]"), "");
    ck_assert_int_eq(up_replace(execution, others, 1, 0), RC_OK);
    ck_assert_str_eq(reasons(l, "execution_rpc[2]"), "");
    ck_assert_str_eq(reasons(l, "execution_rpc[gone]"), "1 2 3");
    ck_assert_int_eq(up_replace(execution, others, 3, 1), RC_OK);
    ck_assert_str_eq(reasons(l, "execution_rpc[2]"), "1");
    lies_free(l);
}
END_TEST

/* No byte of a URL, nor anything that one who guesses it can check. */
START_TEST(a_record_names_its_endpoint_by_what_only_the_node_can_make)
{
    view_t first, second;
    lies_t *l = open_lies(NULL);
    tell(0, 1, 10);
    ck_assert_int_eq(lies_list(l, &first, &a, "execution_rpc[0]"), RC_OK);
    ck_assert_ptr_nonnull(strstr((const char *)first.p, "\"endpoint_id\":\""));
    ck_assert_ptr_null(strstr((const char *)first.p, "host"));
    lies_free(l);
    l = open_lies(NULL);
    tell(0, 1, 10);
    ck_assert_int_eq(lies_list(l, &second, &a, "execution_rpc[0]"), RC_OK);
    ck_assert(!view_eq(first, second)); /* another key */
    lies_free(l);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("lies", setup, teardown, an_endpoint_has_few_and_the_first_of_each_reason,
                           all_are_bounded_in_number_and_bytes, a_restart_finds_them,
                           a_file_that_is_no_list_of_records_is_as_none,
                           a_record_stays_that_of_its_endpoint_when_others_take_its_place,
                           a_record_names_its_endpoint_by_what_only_the_node_can_make);
}
