/* The provider's program: what it is given and what not, its answers, its ends. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "base/os/clock.h"
#include "node/tpod/hook.h"
#include "overlay/wire/ringkey.h"
#include "tests/unit/unit.h"

static arena_t arena;
static char folder[] = "/tmp/kettle-hook-XXXXXX", program[64], seen[64];

static void begin(void)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    arena_init(&arena, (size_t)32 << 20);
    snprintf(folder, sizeof folder, "/tmp/kettle-hook-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(program, sizeof program, "%s/hook", folder);
    snprintf(seen, sizeof seen, "%s/seen", folder);
}

static void end(void)
{
    (void)unlink(program);
    (void)unlink(seen);
    (void)rmdir(folder);
    arena_free(&arena);
}

static tpod_image_t image;
static tpod_container_t container = { .image = &image };
static tpod_secret_t secrets[2] = { { .key = 0 }, { .key = TPOD_NO_KEY } };
static tpod_volume_t volumes[] = { { .type = TPOD_SEC, .which = TPOD_SECRET, .secret = &secrets[0] },
                                   { .type = TPOD_SEC, .which = TPOD_SECRET, .secret = &secrets[1] } };
static tpod_pod_t pod = { .containers = &container, .container_count = 1, .volumes = volumes, .volume_count = 2 };
static tpod_key_t keys[2];

static uint64_t stops_at_ms; /* 0: never */

static bool stops(void *ctx)
{
    (void)ctx;
    return stops_at_ms && clock_monotonic_ms() >= stops_at_ms;
}

static rc_t run(tpod_provision_response_t *out, err_t *e, const char *script, uint32_t ms)
{
    const char *const argv[] = { program, "word", NULL };
    const tpod_provision_request_t r = { .pod = &pod, .keys = keys, .key_count = 2 };
    keyring_t *ring;
    identity_t who;
    peerid_t client;
    FILE *f = fopen(program, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "#!/bin/sh\n%s", script);
    fclose(f);
    ck_assert_int_eq(chmod(program, 0700), 0);
    ck_assert_int_eq(ringkey_new(&ring), RC_OK);
    ringkey_identity(&who, ring);
    peerid_of(&client, &who.key);
    keyring_free(ring);
    image.cid = view_str("bafy");
    container.name = view_str("web");
    keys[0].pem = view_str("THE-FIRST-KEY\n");
    keys[1].pem = view_str("THE-SECOND-KEY\n");
    secrets[0].cid = view_of("\0\1U\0\13ITSELFTHERE", 16);
    secrets[1].cid = view_str("bafysecret");
    err_clear(e);
    return hook_run(out, e, &arena, argv, &r, &client, &(hook_limits_t){ ms, stops, NULL });
}

/* What the program wrote down. */
static const char *notes(void)
{
    static char text[8192];
    FILE *f = fopen(seen, "r");
    ck_assert_ptr_nonnull(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

START_TEST(the_program_has_the_request_and_no_key_in_it)
{
    tpod_provision_response_t r;
    char script[1024];
    err_t e;
    snprintf(script, sizeof script,
             "{ cat; echo; echo \"args $@\"; env; tr '\\0' ' ' < /proc/$$/cmdline; } > %s\n"
             "echo '{\"addresses\":[{\"multiaddr\":\"/ip4/127.0.0.1/tcp/80\",\"containerName\":\"web\","
             "\"containerPort\":80}]}'\n",
             seen);
    ck_assert_msg(run(&r, &e, script, 20000) == RC_OK, "%s", e.text);
    ck_assert(r.address_count == 1 && r.addresses[0].container_port == 80 && !r.error.n);
    ck_assert(view_eq(r.addresses[0].multiaddr, view_str("/ip4/127.0.0.1/tcp/80")));
    const char *text = notes();
    static const char *const there[] = { "\"tpod\":\"provision/1\"",
                                         "\"client\":\"16Uiu2",
                                         "\"cid\":\"bafy\"",
                                         "{\"cid\":{\"fd\":3}}",
                                         "\"cid\":\"bafysecret\"",
                                         "\"replicas\":{\"min\":1,\"max\":1}",
                                         "\"keys\":[{\"keyPem\":{\"fd\":4}},{\"keyPem\":{\"fd\":5}}]",
                                         "args word\n" };
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        ck_assert_msg(strstr(text, there[i]), "%s is not in %s", there[i], text);
    static const char *const not_there[] = { "FIRST-KEY", "SECOND-KEY", "VEhFLUZJUl", "VEhFLVNF", "ITSELF" };
    for (size_t i = 0; i < sizeof not_there / sizeof *not_there; i++)
        ck_assert_msg(!strstr(text, not_there[i]), "%s is in %s", not_there[i], text);
}
END_TEST

START_TEST(keys_and_secrets_are_sealed_files_in_memory)
{
    tpod_provision_response_t r;
    char script[1024];
    err_t e;
    snprintf(script, sizeof script,
             "{ cat <&3; cat <&4; cat <&5; echo x >&4 && echo written; ls /proc/$$/fd; } > %s 2>/dev/null\n"
             "echo '{}'\n",
             seen);
    ck_assert_msg(run(&r, &e, script, 20000) == RC_OK, "%s", e.text);
    const char *text = notes();
    ck_assert_msg(!strncmp(text, "ITSELFTHERETHE-FIRST-KEY\nTHE-SECOND-KEY\n", 40), "%s", text);
    ck_assert_msg(!strstr(text, "written"), "%s", text);
    ck_assert_msg(!strstr(text, "\n6\n"), "nothing else is open: %s", text);
}
END_TEST

START_TEST(its_failures_are_told)
{
    static const struct {
        const char *script, *text;
        uint32_t ms;
        rc_t rc;
    } rows[] = {
        { "echo '{}'; exit 3\n", "the provider's program ended with status 3", 20000, RC_IO },
        { "echo '{}'; kill -9 $$\n", "the provider's program was ended", 20000, RC_IO },
        { "sleep 60\n", "the provider's program took too long", 300, RC_TIMEOUT },
        { "exec >&-; sleep 60\n", "the provider's program took too long", 300, RC_TIMEOUT },
        { "echo nothing\n", NULL, 20000, RC_MALFORMED },
        { "echo '{\"address\":[]}'\n", NULL, 20000, RC_MALFORMED },
        { "head -c 300000 /dev/zero\n", "the provider's program says too much", 20000, RC_LIMIT },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tpod_provision_response_t r;
        err_t e;
        ck_assert_msg(run(&r, &e, rows[i].script, rows[i].ms) == rows[i].rc, "row %zu: %s", i, e.text);
        if (rows[i].text)
            ck_assert_str_eq(e.text, rows[i].text);
    }
}
END_TEST

START_TEST(it_ends_when_the_provider_stops)
{
    static const char *const scripts[] = { "sleep 60\n", "exec >&-; sleep 60\n" };
    for (size_t i = 0; i < 2; i++) {
        tpod_provision_response_t r;
        err_t e;
        const uint64_t began = clock_monotonic_ms();
        stops_at_ms = began + 300;
        ck_assert_int_eq(run(&r, &e, scripts[i], 20000), RC_TIMEOUT);
        ck_assert_str_eq(e.text, "the provider's program was ended: the provider stops");
        ck_assert_uint_lt(clock_monotonic_ms() - began, 10000);
    }
    stops_at_ms = 0;
}
END_TEST

START_TEST(its_own_refusal_is_its_answer)
{
    tpod_provision_response_t r;
    err_t e;
    ck_assert_int_eq(run(&r, &e, "echo '{\"error\":\"no room\"}'\n", 20000), RC_OK);
    ck_assert(view_eq(r.error, view_str("no room")));
    const char *const none[] = { "/nowhere/hook", NULL };
    const tpod_provision_request_t q = { .pod = &pod };
    const peerid_t nobody = { .n = 0 };
    ck_assert_int_eq(hook_run(&r, &e, &arena, none, &q, &nobody, &(hook_limits_t){ .time_max_ms = 1000 }), RC_IO);
    ck_assert_str_eq(e.text, "/nowhere/hook: No such file or directory");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("tpod_hook", begin, end, the_program_has_the_request_and_no_key_in_it,
                           keys_and_secrets_are_sealed_files_in_memory, its_failures_are_told,
                           it_ends_when_the_provider_stops, its_own_refusal_is_its_answer);
}
