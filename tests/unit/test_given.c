/* What options, variables and files give of a setup. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os/file.h"
#include "node/cli/given.h"
#include "tests/unit/unit.h"

static const char *names[4], *values[4];

static char *env(const char *name)
{
    for (size_t i = 0; i < 4 && names[i]; i++)
        if (!strcmp(names[i], name))
            return (char *)(uintptr_t)values[i];
    return NULL;
}

static void variable(size_t i, const char *name, const char *value)
{
    names[i] = name;
    values[i] = value;
}

static void set_up(void)
{
    memset(names, 0, sizeof names);
}

static void gives(const given_t *given, bool alone, const char *want)
{
    view_t setup;
    err_t e;
    ck_assert_msg(given_setup(&setup, &e, given, env, alone) == RC_OK, "%s", e.text);
    ck_assert(!setup.p == !want);
    if (want)
        ck_assert_str_eq((const char *)setup.p, want);
    file_free(setup);
}

START_TEST(nothing_given_is_no_setup)
{
    gives(&(given_t){ 0 }, true, NULL);
    variable(0, "KETTLE_NETWORK", "");
    gives(&(given_t){ 0 }, false, NULL);
}
END_TEST

START_TEST(options_are_a_setup_and_win_over_variables)
{
    gives(
        &(given_t){ .network = "sepolia",
                    .execution_rpc = "https://a/k,https://b",
                    .consensus_rpc = "http://c",
                    .checkpoint = "0x12" },
        true,
        "{\"peers\":[],\"port\":4001,\"execution_rpc\":[\"https://a/k\",\"https://b\"],\"consensus_rpc\":[\"http://c\"],"
        "\"network\":\"sepolia\",\"checkpoint\":\"0x12\"}");
    gives(&(given_t){ .execution_rpc = "https://a", .peers = "a:1, b:2" }, true, /* where to begin is for them to say */
          "{\"peers\":[\"a:1\",\"b:2\"],\"port\":4001,\"execution_rpc\":[\"https://a\"]}");
    gives(&(given_t){ .execution_rpc = "https://a" }, true, "{\"execution_rpc\":[\"https://a\"]}"); /* a part */
    gives(&(given_t){ .peers = "none", .port = "5000" }, false, "{\"peers\":[],\"port\":5000}");
    variable(0, "KETTLE_PEERS", "a:1");
    variable(1, "KETTLE_PORT", "6000");
    gives(&(given_t){ .port = "5000" }, false, "{\"peers\":[\"a:1\"],\"port\":5000}");
    gives(&(given_t){ .peers = "none" }, false, "{\"peers\":[],\"port\":6000}");
    variable(0, "KETTLE_EXECUTION_RPC", "https://d");
    variable(1, "KETTLE_CHECKPOINT", "{\"quorum\":1,\"of\":\"https://q\"}");
    gives(&(given_t){ .execution_rpc = "https://a" }, false,
          "{\"execution_rpc\":[\"https://a\"],\"checkpoint\":{\"quorum\":1,\"of\":\"https://q\"}}");
    gives(&(given_t){ .consensus_rpc = " https://a, https://b\t" }, false,
          "{\"execution_rpc\":[\"https://d\"],\"consensus_rpc\":[\"https://a\",\"https://b\"],\"checkpoint\":{"
          "\"quorum\":1,\"of\":\"https://q\"}}");
    gives(&(given_t){ 0 }, false,
          "{\"execution_rpc\":[\"https://d\"],\"checkpoint\":{\"quorum\":1,\"of\":\"https://q\"}}");
}
END_TEST

START_TEST(a_port_is_a_number_of_one)
{
    static const char *const bad[] = { "0", "65536", "-1", "+1", " 1", "1 ", "0x10", "99999999999999999999", "port" };
    view_t setup;
    err_t e;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(given_setup(&setup, &e, &(given_t){ .port = bad[i] }, env, false), RC_MALFORMED);
        ck_assert_str_eq(e.text, "port: must be between 1 and 65535");
    }
}
END_TEST

/* An object goes into the setup as it is: nothing stands behind it. */
START_TEST(a_checkpoint_is_one_object)
{
    static const char *const bad[] = { "{\"quorum\":1", "{\"quorum\":1},\"network\":{\"a\":1}", "{} {}" };
    view_t setup;
    err_t e;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(given_setup(&setup, &e, &(given_t){ .checkpoint = bad[i] }, env, false), RC_MALFORMED);
        ck_assert_msg(!strncmp(e.text, "checkpoint: is not valid JSON", 29) && !setup.p, "%s: %s", bad[i], e.text);
    }
}
END_TEST

/* The file that is named, then the credential; neither when the URL itself is given. */
START_TEST(urls_with_secrets_come_from_files)
{
    char dir[] = "/tmp/kettle-given-XXXXXX", path[80];
    view_t setup;
    err_t e;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    variable(0, "CREDENTIALS_DIRECTORY", dir);
    gives(&(given_t){ 0 }, false, NULL); /* no such credential */
    snprintf(path, sizeof path, "%s/execution_rpc", dir);
    FILE *f = fopen(path, "w");
    fputs("https://a/secret,https://b\n", f);
    fclose(f);
    gives(&(given_t){ 0 }, false, "{\"execution_rpc\":[\"https://a/secret\",\"https://b\"]}");
    gives(&(given_t){ .execution_rpc = "https://c" }, false, "{\"execution_rpc\":[\"https://c\"]}");
    variable(1, "KETTLE_EXECUTION_RPC_FILE", "/nowhere/at/all");
    ck_assert_int_eq(given_setup(&setup, &e, &(given_t){ 0 }, env, false), RC_IO);
    ck_assert_msg(!strncmp(e.text, "execution_rpc_file: /nowhere/at/all: ", 37), "%s", e.text);
    gives(&(given_t){ .execution_rpc_file = path }, false, "{\"execution_rpc\":[\"https://a/secret\",\"https://b\"]}");
    variable(2, "KETTLE_EXECUTION_RPC",
             "https://variable"); /* an option goes before a variable, whichever of the two */
    gives(&(given_t){ .execution_rpc_file = path }, false, "{\"execution_rpc\":[\"https://a/secret\",\"https://b\"]}");
    gives(&(given_t){ 0 }, false, "{\"execution_rpc\":[\"https://variable\"]}");
    ck_assert_int_eq(
        given_setup(&setup, &e, &(given_t){ .execution_rpc = "https://c", .execution_rpc_file = path }, env, false),
        RC_MALFORMED);
    unlink(path);
    rmdir(dir);
}
END_TEST

/* Under the file's name, and without a byte of what is in it. */
START_TEST(a_file_of_urls_that_holds_none_is_named)
{
    static const struct {
        const char *bytes;
        size_t n;
    } rows[] = { { "", 0 },
                 { " \n\n", 3 },
                 { "https://sesame\nhttps://b\n", 25 },
                 { "\xef\xbb\xbfhttps://sesame\n", 18 },
                 { "https://sesame\xff", 15 },
                 { "https://sesame\0", 15 } };
    char path[] = "/tmp/kettle-given-XXXXXX", pipe[80];
    view_t setup;
    err_t e;
    close(mkstemp(path));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        FILE *f = fopen(path, "w");
        ck_assert_uint_eq(fwrite(rows[i].bytes, 1, rows[i].n, f), rows[i].n);
        fclose(f);
        ck_assert_int_eq(given_setup(&setup, &e, &(given_t){ .execution_rpc_file = path }, env, false), RC_REFUSED);
        ck_assert_msg(strstr(e.text, path) && !strstr(e.text, "sesame") && !setup.p, "row %zu: %s", i, e.text);
    }
    snprintf(pipe, sizeof pipe, "%s.pipe", path); /* nobody writes into it: it is not waited for */
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    ck_assert_int_eq(given_setup(&setup, &e, &(given_t){ .execution_rpc_file = pipe }, env, false), RC_REFUSED);
    unlink(pipe);
    unlink(path);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("given", set_up, NULL, nothing_given_is_no_setup, options_are_a_setup_and_win_over_variables,
                           a_port_is_a_number_of_one, a_checkpoint_is_one_object,
                           a_file_of_urls_that_holds_none_is_named, urls_with_secrets_come_from_files);
}
