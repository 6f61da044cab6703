/* The text of GET /metrics: known texts, the grammar, and what is read of the process. */
#include "base/os/process.h"
#include "base/tally.h"
#include "rpc/api/metrics.h"
#include "tests/unit/metrics_check.h"
#include "tests/unit/unit.h"

START_TEST(a_text_is_what_prometheus_documents)
{
    mx_t m = mx_of(4096);
    mx_family(&m, "a_total", MX_COUNTER, "Things.");
    mx_u64(&m, (mx_label_t[]){ { "x", "back\\slash \"quoted\"\nline" }, { "y", "" } }, 2, UINT64_MAX);
    mx_family(&m, "b_seconds", MX_GAUGE, "Time.");
    mx_seconds(&m, NULL, 0, -1500);
    mx_seconds(&m, (mx_label_t[]){ { "x", "1" } }, 1, 120000);
    const view_t text = mx_done(&m);
    static const char want[] = "# HELP a_total Things.\n# TYPE a_total counter\n"
                               "a_total{x=\"back\\\\slash \\\"quoted\\\"\\nline\",y=\"\"} 18446744073709551615\n"
                               "# HELP b_seconds Time.\n# TYPE b_seconds gauge\n"
                               "b_seconds -1.5\nb_seconds{x=\"1\"} 120\n";
    ck_assert_uint_eq(text.n, sizeof want - 1);
    ck_assert_mem_eq(text.p, want, text.n);
    mx_free(&m);
}
END_TEST

START_TEST(buckets_add_up)
{
    spread_t s = { 0 };
    char why[256];
    const uint64_t took[] = { 0, 1, 2, 3, 10000, 10001 };
    mx_t m = mx_of(1 << 16);
    for (size_t i = 0; i < sizeof took / sizeof took[0]; i++)
        spread_add(&s, took[i]);
    mx_family(&m, "h_seconds", MX_HISTOGRAM, "Time.");
    mx_spread(&m, (mx_label_t[]){ { "x", "1" } }, 1, &s);
    const view_t text = mx_done(&m);
    ck_assert_msg(metrics_are_right(why, (const char *)text.p, text.n), "%s", why);
    char *copy = strndup((const char *)text.p, text.n);
    static const char *const lines[] = { "h_seconds_bucket{x=\"1\",le=\"0.001\"} 2\n",
                                         "h_seconds_bucket{x=\"1\",le=\"0.002\"} 3\n",
                                         "h_seconds_bucket{x=\"1\",le=\"0.005\"} 4\n",
                                         "h_seconds_bucket{x=\"1\",le=\"10\"} 5\n",
                                         "h_seconds_bucket{x=\"1\",le=\"+Inf\"} 6\n",
                                         "h_seconds_sum{x=\"1\"} 20.007\n",
                                         "h_seconds_count{x=\"1\"} 6\n" };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_msg(strstr(copy, lines[i]), "no %s in\n%s", lines[i], copy);
    free(copy);
    mx_free(&m);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_none)
{
    for (size_t max = 0; max < 60; max++) {
        mx_t m = mx_of(max);
        mx_family(&m, "a", MX_GAUGE, "Things."); /* 32 bytes */
        mx_u64(&m, NULL, 0, 1);                  /* 4 */
        ck_assert_msg((mx_done(&m).p != NULL) == (max >= 36), "max %zu", max);
        mx_free(&m);
    }
}
END_TEST

/* The checker's own: what it must refuse. */
START_TEST(the_grammar_is_checked)
{
    static const char *const wrong[] = {
        "",
        "# HELP a x\n# TYPE a gauge\na 1",
        "# TYPE a gauge\na 1\n",
        "# HELP a x\na 1\n",
        "# HELP a x\n# TYPE b gauge\nb 1\n",
        "# HELP a x\n# TYPE a number\na 1\n",
        "# HELP a x\n# TYPE a counter\na 1\n",
        "# HELP a_total x\n# TYPE a_total gauge\na_total 1\n",
        "# HELP a_total x\n# TYPE a_total counter\na_total -1\n",
        "# HELP a x\n# TYPE a gauge\nb 1\n",
        "# HELP a x\n# TYPE a gauge\na one\n",
        "# HELP a x\n# TYPE a gauge\na{b=1} 1\n",
        "# HELP a x\n# TYPE a gauge\na{b=\"1\\x\"} 1\n",
        "# HELP a x\n# TYPE a gauge\na{b=\"1\" 1\n",
        "# HELP a x\n# TYPE a gauge\na{b=\"1\"} 1\na{b=\"1\"} 2\n",
        "# HELP a x\n# TYPE a gauge\na 1\n# HELP a x\n# TYPE a gauge\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 1\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_sum 1\na_count 2\n",
        "# HELP a x\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n",
    };
    char why[256];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!metrics_are_right(why, wrong[i], strlen(wrong[i])), "taken: %s", wrong[i]);
    static const char right[] = "# HELP a_total x\n# TYPE a_total counter\na_total{b=\"\\\"\\\\\\n\"} 1\na_total 1.5\n";
    ck_assert_msg(metrics_are_right(why, right, sizeof right - 1), "%s", why);
}
END_TEST

START_TEST(the_process_is_read)
{
    process_use_t use, more;
    uint64_t free_bytes, all;
    process_use(&use);
    ck_assert_uint_gt(use.memory, 1 << 18);
    ck_assert_uint_ge(use.memory_most, use.memory);
    ck_assert_uint_eq(use.threads, 1);
    ck_assert_uint_gt(use.files_max, use.files);
    FILE *f = fopen("/dev/null", "r");
    process_use(&more);
    ck_assert_uint_eq(more.files, use.files + 1);
    fclose(f);
    ck_assert(process_disk(&free_bytes, &all, "/"));
    ck_assert_uint_gt(all, free_bytes);
    ck_assert(!process_disk(&free_bytes, &all, "/nowhere/at/all"));
}
END_TEST

int main(void)
{
    return UNIT_RUN("metrics", a_text_is_what_prometheus_documents, buckets_add_up, a_text_that_is_too_long_is_none,
                    the_grammar_is_checked, the_process_is_read);
}
