/* A node with the simulated TEE, without any network: its setup, and what begins with it. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/file.h"
#include "base/os/log.h"
#include "node/metrics.h"
#include "node/node.h"
#include "node/state.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/metrics_check.h"
#include "tests/unit/unit.h"

#define SETUP                                                                                                          \
    "\"peers\":[],\"port\":4001,\"execution_rpc\":\"http://127.0.0.1:1\",\"consensus_rpc\":\"http://127.0.0.1:1\","    \
    "\"checkpoint\":\"0x5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275\",\"force\":true"

static node_t *node;
static err_t e;

static void set_up(void)
{
    const node_options_t options = { .tee = "simulator", .development = true };
    log_set_level(LOG_ERROR);
    ck_assert_msg(node_start(&node, &e, &options) == RC_OK, "%s", e.text);
}

static void tear_down(void)
{
    node_stop(node);
}

static node_state_t state(void)
{
    follow_view_t view;
    return node_state(node, &view, &e);
}

static service_t *wait_service(void)
{
    for (unsigned i = 0; i < 10000 && !node_service(node); i++)
        pause_ms(1);
    ck_assert_ptr_nonnull(node_service(node));
    return node_service(node);
}

START_TEST(node_waits_for_its_setup_and_says_where)
{
    char text[80];
    ck_assert_int_eq(state(), NODE_AWAITING_SETUP);
    snprintf(text, sizeof text, "waiting for POST /setup on port %u", node->setup_port);
    ck_assert_str_eq(e.text, text);
    ck_assert(!node_is_ready(node));
    ck_assert_ptr_null(node_service(node));
}
END_TEST

START_TEST(one_setup_is_accepted_and_a_second_one_refused)
{
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_OK);
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_REPLAY);
    ck_assert_str_eq(e.text, "a setup was already accepted");
    service_t *s = wait_service();
    ck_assert(!node_is_ready(node));
    ck_assert_int_eq(state(), NODE_SYNCING);
    ck_assert_ptr_eq(s->with.config, node->config);
}
END_TEST

START_TEST(setup_that_does_not_read_leaves_the_port_open_for_the_next)
{
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{}")), RC_MALFORMED);
    ck_assert_int_eq(state(), NODE_AWAITING_SETUP);
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_OK);
    wait_service();
}
END_TEST

START_TEST(setup_for_another_tee_than_the_one_opened_is_refused)
{
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP ",\"tee\":\"tdx\"}")), RC_REFUSED);
    ck_assert_str_eq(e.field, "tee");
    ck_assert_int_eq(state(), NODE_AWAITING_SETUP);
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP ",\"tee\":\"simulator\"}")), RC_OK);
    wait_service();
}
END_TEST

/* A chain of eight-slot epochs of six seconds from 1795226286 on, with a fork at epoch 10 that is not known here. */
#define OWN_NETWORK                                                                                                                                                                     \
    ",\"network\":{\"preset\":\"minimal\",\"config\":{\"SLOT_DURATION_MS\":\"6000\",\"DEPOSIT_CHAIN_ID\":\"1337\","                                                                     \
    "\"ALTAIR_FORK_EPOCH\":\"0\",\"ALTAIR_FORK_VERSION\":\"0x01000001\",\"BELLATRIX_FORK_EPOCH\":\"0\","                                                                                \
    "\"BELLATRIX_FORK_VERSION\":\"0x02000001\",\"CAPELLA_FORK_EPOCH\":\"12\",\"CAPELLA_FORK_VERSION\":\"0x03000001\",\"HEZE_FORK_EPOCH\":\"10\",\"HEZE_FORK_VERSION\":\"0x08000001\"}," \
    "\"genesis\":{\"genesis_time\":\"1795226286\",\"genesis_fork_version\":\"0x00000001\",\"genesis_validators_root\":"                                                                 \
    "\"0xd0df1dbe4029181c27973b00eac8fef87ccfc91d51e612fc8554ef66933ad390\"}}"

static _Atomic uint64_t now_is;

static uint64_t fake_clock(void)
{
    return now_is;
}

START_TEST(a_fork_that_is_not_known_is_told_then_stops_the_node_and_is_refused_afterwards)
{
    const uint64_t begins = ((uint64_t)1795226286 + 80 * 6) * 1000;
    arena_t a;
    node->now_ms = fake_clock;
    now_is = begins;
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP OWN_NETWORK "}")), RC_REFUSED);
    ck_assert_str_eq(e.field, "network");
    ck_assert_str_eq(e.text, "its fork heze began at slot 80, and this build does not know it");
    ck_assert_int_eq(state(), NODE_AWAITING_SETUP);
    now_is = begins - 1;
    ck_assert_msg(node_accept_setup(node, &e, view_str("{" SETUP OWN_NETWORK "}")) == RC_OK, "%s: %s", e.field, e.text);
    wait_service();
    ck_assert_int_eq(state(), NODE_SYNCING);
    arena_init(&a, 1 << 20);
    const char *status = (const char *)node_status_json(node, &a).p;
    ck_assert_ptr_nonnull(strstr(status, "\"unknown_fork\": {\n    \"name\": \"heze\",\n    \"epoch\": 10,\n"
                                         "    \"slot\": 80,\n    \"time\": 1795226766\n  }"));
    ck_assert_ptr_nonnull(strstr(status, "\"next_fork\": {\n    \"name\": \"capella\",\n    \"epoch\": 12,\n"
                                         "    \"slot\": 96,\n    \"time\": 1795226862\n  }"));
    ck_assert_ptr_nonnull(strstr(status, "\"newer\": 0"));
    arena_free(&a);
    now_is = begins;
    ck_assert_int_eq(state(), NODE_UNSUPPORTED);
    ck_assert_str_eq(e.text, "the fork heze began at slot 80, and this build does not know it");
}
END_TEST

/* What a setup has left in a state directory. */
static void leave(const char *dir, const char *file)
{
    ck_assert_msg(persist_write(&e, dir, file, view_str("{}")) == RC_OK, "%s", e.text);
}

static bool removes(const char *dir, const char *file)
{
    char path[80];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    return unlink(path) == 0;
}

START_TEST(setup_that_does_not_get_to_ready_is_given_up_and_the_port_opens_once_more)
{
    uint8_t first[ECDSA_PUBKEY_LEN];
    const uint16_t api = node->api_port, port = node->setup_port;
    char text[300], dir[] = "/tmp/kettle-node-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    leave(dir, "order");
    leave(dir, "recovery");
    node->options.state_dir = dir;
    node->options.setup_limit_ms = 1000;
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_OK);
    memcpy(first, wait_service()->pubkey, sizeof first);
    for (unsigned i = 0; i < 10000 && !atomic_load(&node->reopened); i++) /* nobody else looks while the service goes */
        pause_ms(1);
    ck_assert_int_eq(state(), NODE_AWAITING_SETUP);
    ck_assert(node->setup_port == port && node->api_port == api && hs_port(node->api_server) == api);
    snprintf(text, sizeof text,
             "waiting for POST /setup on port %u; the last one was given up: not ready in 1 s: ", port);
    ck_assert_msg(!strncmp(e.text, text, strlen(text)), "%s", e.text);
    ck_assert_ptr_null(node_service(node));
    ck_assert_ptr_null(node->setup_text.p);
    node->options.state_dir = NULL;
    ck_assert(!removes(dir, "order") && removes(dir, "recovery")); /* of other peers; maybe of an earlier life */
    (void)removes(dir, "lies-key");                                /* of records, which are no setup's */
    ck_assert_msg(rmdir(dir) == 0, "%s holds more", dir);
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_OK);
    ck_assert(memcmp(first, wait_service()->pubkey, sizeof first) != 0);
    pause_ms(1500);
    ck_assert_int_eq(state(), NODE_SYNCING); /* a second one is not given up */
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_REPLAY);
}
END_TEST

static unsigned free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(!bind(fd, (struct sockaddr *)&at, sizeof at) && !getsockname(fd, (struct sockaddr *)&at, &len));
    close(fd);
    return ntohs(at.sin_port);
}

/* The status of one POST /setup, and what is wrong with it; with a slash behind it, too, as the prototype's server took it. */
static void expect_setup(const node_t *to, const char *headers, const char *body, int status, const char *why)
{
    for (int slash = 0; slash < 2; slash++) {
        char request[700];
        const int fd = dial_port(to->setup_port);
        ck_assert_int_ge(fd, 0);
        snprintf(request, sizeof request, "POST /setup%s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n%s",
                 slash ? "/" : "", strlen(body), headers, body);
        ck_assert(say(fd, request));
        reply_t a = hear(fd, false);
        ck_assert_msg(a.status == status && a.body && strstr(a.body, "\"status\":\"error\"") && strstr(a.body, why),
                      "%s: %d %s", headers, a.status, a.body ? a.body : "");
        free(a.body);
        close(fd);
    }
}

static void wait_reopened(void)
{
    for (unsigned i = 0; i < 20000 && !atomic_load(&node->reopened); i++) /* nobody else looks while the service goes */
        pause_ms(1);
    ck_assert(atomic_load(&node->reopened));
}

static bool other_chain(int fd, const char *request)
{
    static const char body[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x2\"}";
    char text[200];
    (void)request;
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", sizeof body - 1, body);
    return say(fd, text);
}

/* SETUP with another port of the overlay and another execution RPC. */
static const char *setup_of(char body[600], unsigned port, unsigned execution)
{
    snprintf(
        body, 600,
        "{\"peers\":[],\"port\":%u,\"execution_rpc\":\"http://127.0.0.1:%u\",\"consensus_rpc\":\"http://127.0.0.1:1\","
        "\"checkpoint\":\"0x5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275\",\"force\":true}",
        port, execution);
    return body;
}

/* Which no trial saw, since it was forced, and a look afterwards does: the node itself has the overlay's port by then. */
START_TEST(a_forced_setup_that_has_failed_for_good_is_given_up_long_before_its_time)
{
    char body[600];
    fake_t *execution = fake_new(other_chain);
    node->options.setup_limit_ms = 30000;
    ck_assert_int_eq(node_accept_setup(node, &e, view_str(setup_of(body, free_port(), execution->port))), RC_OK);
    wait_service();
    wait_reopened();
    ck_assert_int_eq(state(), NODE_AWAITING_SETUP);
    ck_assert_msg(strstr(e.text, "given up: execution_rpc: ") && strstr(e.text, "is of chain 2"), "%s", e.text);
    fake_free(execution);
}
END_TEST

START_TEST(a_setup_port_that_another_has_as_it_opens_again_is_tried_again)
{
    char body[600];
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(node->setup_port) };
    const int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    node->options.setup_limit_ms = 4000;
    ck_assert_int_eq(node_accept_setup(node, &e, view_str(setup_of(body, free_port(), 1))), RC_OK);
    wait_service();
    ck_assert(!bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 1));
    wait_reopened();
    ck_assert_int_eq(state(), NODE_DEGRADED);
    ck_assert_msg(strstr(e.text, "Address already in use") != NULL, "%s", e.text);
    close(fd);
    for (unsigned i = 0; i < 20000 && state() != NODE_AWAITING_SETUP; i++)
        pause_ms(1);
    ck_assert_msg(strstr(e.text, "given up: not ready in 4 s: ") != NULL, "%s", e.text);
    expect_setup(node, "Content-Type: application/json\r\n", "{}", 400, "\"field\":");
}
END_TEST

START_TEST(a_setup_that_the_disk_did_not_take_is_kept_later)
{
    static node_t n;
    char dir[] = "/tmp/kettle-node-XXXXXX", path[80];
    persist_told_t told = { 0 };
    view_t kept;
    bool found;
    ck_assert(mkdtemp(dir) && rmdir(dir) == 0);
    close(open(dir, O_CREAT | O_WRONLY, 0600)); /* what is there is no directory */
    n.options.state_dir = dir;
    n.setup_text = view_of(strdup("{}"), 2);
    ck_assert(!node_keep_setup(&n, &told));
    ck_assert(told.failing && n.setup_text.n == 2);
    ck_assert(unlink(dir) == 0);
    ck_assert(node_keep_setup(&n, &told));
    ck_assert(!told.failing && !n.setup_text.p);
    ck_assert(!persist_read(&kept, &found, &e, dir, "setup", 100) && found);
    ck_assert(view_eq(kept, view_str("{}")));
    file_free(kept);
    snprintf(path, sizeof path, "%s/setup", dir);
    ck_assert(unlink(path) == 0 && rmdir(dir) == 0);
}
END_TEST

START_TEST(setup_is_tried_unless_it_says_otherwise)
{
    static const char port[] = "\"port\":4001";
    static const char tried[] = "{" SETUP "}";
    const char *at = strstr(tried, ",\"force\":true"), *given = strstr(tried, port);
    char body[600];
    snprintf(body, sizeof body, "%.*s\"port\":%u%.*s}", (int)(given - tried), tried, free_port(),
             (int)(at - given - (int)sizeof port + 1), given + sizeof port - 1);
    ck_assert_int_eq(node_accept_setup(node, &e, view_str(body)), RC_REFUSED);
    ck_assert_str_eq(e.field, "execution_rpc");
    ck_assert_int_eq(state(), NODE_AWAITING_SETUP);
    ck_assert_ptr_null(node->setup_text.p);
}
END_TEST

START_TEST(flags_are_a_setup_under_the_same_rules)
{
    char path[] = "/tmp/kettle-config-XXXXXX";
    static const char config[] = "{\"peers\":[],\"port\":4001,\"checkpoint\":"
                                 "\"0x5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275\","
                                 "\"setup_may_set\":[\"execution_rpc\",\"consensus_rpc\"]}";
    const int fd = mkstemp(path);
    node_t *other = NULL;
    node_options_t options = { .tee = "simulator", .config_path = path };
    ck_assert_int_eq(write(fd, config, sizeof config - 1), sizeof config - 1);
    close(fd);
    options.setup = view_str("{\"network\":\"sepolia\"}");
    ck_assert_int_eq(node_start(&other, &e, &options), RC_REFUSED);
    ck_assert_uint_eq(e.code, NODE_BAD_FLAGS);
    ck_assert_msg(!strncmp(e.text, "network: the measured configuration", 35), "%s", e.text);
    options.setup = view_str("{\"execution_rpc\":[\"http://127.0.0.1:1\"],\"consensus_rpc\":[\"http://127.0.0.1:1\"]}");
    options.listen = "127.0.0.1";
    ck_assert_int_eq(node_start(&other, &e, &options), RC_REFUSED); /* where ports are is measured */
    ck_assert_uint_eq(e.code, NODE_BAD_FLAGS);
    ck_assert_msg(!strncmp(e.text, "listen: ", 8), "%s", e.text);
    options.listen = NULL;
    ck_assert_msg(node_start(&other, &e, &options) == RC_OK, "%s", e.text);
    ck_assert_ptr_nonnull(other->config);
    ck_assert_ptr_null(other->setup_server);
    node_stop(other);
    unlink(path);
}
END_TEST

/* Of what is given a part is no fault: the rest comes over the port, and says nothing anew. */
START_TEST(a_part_of_a_setup_that_is_given_waits_for_the_rest)
{
    static const char rest[] = "{\"peers\":[],\"port\":4001,\"consensus_rpc\":\"http://127.0.0.1:1\",\"force\":true,"
                               "\"checkpoint\":\"0x5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275\"}";
    char dir[] = "/tmp/kettle-part-XXXXXX";
    node_t *other = NULL;
    node_options_t half = { .tee = "simulator",
                            .development = true,
                            .setup = view_str("{\"execution_rpc\":[\"http://127.0.0.1:7\"]}") };
    ck_assert_msg(node_start(&other, &e, &half) == RC_OK, "%s", e.text);
    ck_assert_ptr_nonnull(other->setup_server);
    ck_assert_int_eq(node_accept_setup(other, &e, view_str("{" SETUP "}")), RC_REFUSED);
    ck_assert_str_eq(e.field, "execution_rpc");
    ck_assert_str_eq(e.text, "is set by options, environment or credentials of this node");
    ck_assert_int_eq(node_accept_setup(other, &e, view_str("{\"peers\":[]}")), RC_MALFORMED);
    ck_assert_msg(node_accept_setup(other, &e, view_str(rest)) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_str_eq(atomic_load(&other->config)->execution_rpc.urls[0], "http://127.0.0.1:7");
    node_stop(other);
    ck_assert_ptr_nonnull(mkdtemp(dir)); /* what was kept does not go before it */
    ck_assert_int_eq(persist_write(&e, dir, "setup", view_str("{" SETUP "}")), RC_OK);
    half.state_dir = dir;
    ck_assert_msg(node_start(&other, &e, &half) == RC_OK, "%s", e.text);
    ck_assert_ptr_null(other->setup_server);
    ck_assert_str_eq(atomic_load(&other->config)->execution_rpc.urls[0], "http://127.0.0.1:7");
    node_stop(other);
    (void)removes(dir, "setup");
    half.state_dir = NULL;
    half.setup = view_str("{\"execution_rpc\":[7]}"); /* what is there has to be right */
    ck_assert_int_eq(node_start(&other, &e, &half), RC_MALFORMED);
    ck_assert_uint_eq(e.code, NODE_BAD_FLAGS);
    ck_assert_msg(strstr(e.text, "(of what options, environment and credentials give)") != NULL, "%s", e.text);
    (void)removes(dir, "lies-key");
    (void)rmdir(dir);
}
END_TEST

/* An earlier run has kept it, and now an endpoint is of another chain: another setup may come, once, and the file stays. */
START_TEST(a_kept_setup_that_has_failed_for_good_opens_the_port_once)
{
    char body[600], dir[] = "/tmp/kettle-kept-XXXXXX";
    node_t *own = node;
    fake_t *execution = fake_new(other_chain);
    const node_options_t options = {
        .tee = "simulator", .development = true, .state_dir = dir, .setup_limit_ms = 2000
    };
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(persist_write(&e, dir, "setup", view_str(setup_of(body, free_port(), execution->port))), RC_OK);
    leave(dir, "order");
    ck_assert_msg(node_start(&node, &e, &options) == RC_OK, "%s", e.text);
    wait_reopened();
    ck_assert_int_eq(state(), NODE_AWAITING_SETUP);
    ck_assert_msg(strstr(e.text, "given up: execution_rpc: ") && strstr(e.text, "is of chain 2"), "%s", e.text);
    ck_assert_int_eq(node_accept_setup(node, &e, view_str(setup_of(body, free_port(), 1))), RC_OK);
    wait_service();
    ck_assert(!removes(dir, "order"));
    node_stop(node);
    node = own;
    ck_assert(removes(dir, "setup"));
    (void)removes(dir, "lies-key");
    (void)rmdir(dir);
    fake_free(execution);
}
END_TEST

static atomic_int api_taken;
static tee_provider_t real_tee;

/* No quote, and somebody else has the API port by then. On the controller's thread. */
static rc_t take_api_port(void *ctx, tee_evidence_t *out, err_t *why, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(node->api_port) };
    if (atomic_load(&api_taken))
        return real_tee.get_evidence(ctx, out, why, report_data);
    const int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    hs_stop(node->api_server, 100);
    node->api_server = NULL;
    if (!bind(fd, (struct sockaddr *)&at, sizeof at) && !listen(fd, 1))
        atomic_store(&api_taken, fd);
    return err_say(why, RC_IO, "no agent");
}

START_TEST(an_api_port_that_another_has_as_it_opens_again_is_tried_again)
{
    real_tee = node->tee;
    node->tee.get_evidence = take_api_port;
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_OK);
    for (unsigned i = 0; i < 20000 && !atomic_load(&api_taken); i++)
        pause_ms(1);
    ck_assert_int_gt(atomic_load(&api_taken), 0);
    pause_ms(3000); /* it has been tried in vain */
    ck_assert(!atomic_load(&node->reopened));
    close(atomic_load(&api_taken));
    wait_service();
    const int fd = dial_port(node->api_port);
    ck_assert_int_ge(fd, 0);
    close(fd);
}
END_TEST

/* A measured file may name a file that has the URLs. */
START_TEST(urls_may_come_from_a_file_of_their_own)
{
    char path[] = "/tmp/kettle-urls-XXXXXX", config[] = "/tmp/kettle-config-XXXXXX", text[600];
    const int urls = mkstemp(path), file = mkstemp(config);
    const int n =
        snprintf(text, sizeof text,
                 "{\"peers\":[],\"port\":4001,\"checkpoint\":\"0x%064d\",\"consensus_rpc\":\"http://127.0.0.1:1\","
                 "\"execution_rpc_file\":\"%s\"}",
                 7, path);
    node_t *other = NULL;
    const node_options_t options = { .tee = "simulator", .config_path = config };
    ck_assert_int_eq(write(file, text, (size_t)n), n);
    ck_assert_int_eq(write(urls, "no URL\n", 7), 7);
    ck_assert_int_eq(node_start(&other, &e, &options), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(e.text, "execution_rpc_file: "));
    ck_assert_int_eq(pwrite(urls, "http://127.0.0.1:1\n", 19, 0), 19);
    ck_assert_msg(node_start(&other, &e, &options) == RC_OK, "%s", e.text);
    ck_assert_str_eq(atomic_load(&other->config)->execution_rpc.urls[0], "http://127.0.0.1:1");
    node_stop(other);
    unlink(path);
    ck_assert_int_eq(node_start(&other, &e, &options), RC_IO);
    unlink(config);
    close(urls);
    close(file);
}
END_TEST

/* Whoever may not send one is refused before a byte of the setup is read; who may learns what it lacks. */
START_TEST(setup_is_refused_to_pages_to_other_types_and_without_the_token)
{
#define JSON_TYPE "Content-Type: application/json\r\n"
#define TOKEN "Authorization: Bearer token\r\n"
    static const char measured[] =
        "{\"setup_token_sha256\":\"0x3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0\","
        "\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\",\"checkpoint\"]}";
    static const struct {
        const char *headers;
        int status;
        const char *why;
    } rows[] = {
        { JSON_TYPE TOKEN, 400, "\"field\":" },
        { "Content-Type: Application/JSON; charset=utf-8\r\n" TOKEN, 400, "\"field\":" },
        { JSON_TYPE TOKEN "Sec-Fetch-Site: none\r\n", 400, "\"field\":" },
        { JSON_TYPE "Authorization: bearer token\r\n", 400, "\"field\":" },
        { TOKEN, 415, "Content-Type: application/json" },
        { "Content-Type: text/plain\r\n" TOKEN, 415, "Content-Type: application/json" },
        { "Content-Type: application/jsonp\r\n" TOKEN, 415, "Content-Type: application/json" },
        { "Content-Type: application/x-www-form-urlencoded\r\n" TOKEN, 415, "Content-Type: application/json" },
        { JSON_TYPE TOKEN "Origin: http://127.0.0.1\r\n", 403, "a page in a browser" },
        { JSON_TYPE TOKEN "Origin: null\r\n", 403, "a page in a browser" },
        { JSON_TYPE TOKEN "Sec-Fetch-Site: same-origin\r\n", 403, "a page in a browser" },
        { JSON_TYPE, 401, "Authorization: Bearer TOKEN" },
        { JSON_TYPE "Authorization: Bearer Token\r\n", 401, "Authorization: Bearer TOKEN" },
        { JSON_TYPE "Authorization: Bearer token2\r\n", 401, "Authorization: Bearer TOKEN" },
        { JSON_TYPE "Authorization: Basic token\r\n", 401, "Authorization: Bearer TOKEN" },
        { JSON_TYPE "Authorization: Bearer \r\n", 401, "Authorization: Bearer TOKEN" },
    };
    char path[] = "/tmp/kettle-gate-XXXXXX";
    const int file = mkstemp(path);
    const node_options_t options = { .tee = "simulator", .config_path = path };
    node_t *other = NULL;
    ck_assert_int_eq(write(file, measured, sizeof measured - 1), sizeof measured - 1);
    ck_assert_msg(node_start(&other, &e, &options) == RC_OK, "%s", e.text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_setup(other, rows[i].headers, "{}", rows[i].status, rows[i].why);
    ck_assert_ptr_null(other->setup_text.p);
    node_stop(other);
    unlink(path);
    close(file);
#undef JSON_TYPE
#undef TOKEN
}
END_TEST

/* Whoever reaches the port can have one line logged for each refusal; of those that begin alike the log leaves most out. */
START_TEST(refusals_of_strangers_do_not_fill_the_log)
{
    enum { N = 80 };
    static char got[64 << 10];
    FILE *log = tmpfile();
    unsigned lines = 0;
    ck_assert_ptr_nonnull(log);
    log_redirect(log, 1);
    log_set_level(LOG_WARN);
    for (unsigned i = 0; i < N / 4; i++) { /* each sends two */
        expect_setup(node, "Content-Type: text/plain\r\n", "{}", 415, "application/json");
        expect_setup(node, "Content-Type: application/json\r\n", "{", 400, "not valid JSON");
    }
    log_set_level(LOG_ERROR);
    log_redirect(stderr, 1);
    rewind(log);
    got[fread(got, 1, sizeof got - 1, log)] = '\0';
    for (const char *at = got; (at = strstr(at, "\"event\":\"setup\"")); at++)
        lines++;
    fclose(log);
    ck_assert_msg(lines > 1 && lines < N, "%u", lines); /* 20 of each in ten seconds */
}
END_TEST

/* Trials lead wherever whoever reaches the port says, so that there are few of them. */
START_TEST(six_setups_a_minute_are_tried_and_none_of_them_asks_this_machine)
{
    static const char measured[] = "{\"setup_may_set\":[\"peers\",\"port\",\"execution_rpc\",\"checkpoint\"],"
                                   "\"consensus_rpc\":\"http://127.0.0.1:1\"}";
    static const char body[] = "{\"peers\":[],\"port\":%u,\"execution_rpc\":\"http://127.0.0.1:1\",\"checkpoint\":"
                               "\"0x5afc212a7924789b2bc86acad3ab3a6ffb1f6e97253ea50bee7f4f51422c9275\"}";
    char path[] = "/tmp/kettle-six-XXXXXX", text[300];
    const int file = mkstemp(path);
    const node_options_t options = { .tee = "simulator", .config_path = path, .may_swap = true };
    node_t *other = NULL;
    ck_assert_int_eq(write(file, measured, sizeof measured - 1), sizeof measured - 1);
    ck_assert_msg(node_start(&other, &e, &options) == RC_OK, "%s", e.text);
    snprintf(text, sizeof text, body, free_port());
    for (unsigned i = 0; i < TRIALS_MAX; i++) {
        ck_assert_int_eq(node_accept_setup(other, &e, view_str("{}")), RC_MALFORMED); /* those are not tried */
        ck_assert_int_eq(node_accept_setup(other, &e, view_str(text)), RC_REFUSED);
        ck_assert_str_eq(e.field, "execution_rpc");
        ck_assert_msg(strstr(e.text, "may not be asked") != NULL, "%s", e.text);
    }
    ck_assert_int_eq(node_accept_setup(other, &e, view_str(text)), RC_LIMIT);
    ck_assert_uint_eq(e.code, NODE_TRIED_OFTEN);
    ck_assert_msg(!strncmp(e.text, "6 setups were tried within a minute: try again in ", 50), "%s", e.text);
    other->tried.rows[TRIALS_MAX - 1].at_ms -= TRIALS_MS; /* a minute has gone by for one of them */
    ck_assert_int_eq(node_accept_setup(other, &e, view_str(text)), RC_REFUSED);
    ck_assert_str_eq(e.field, "execution_rpc");
    ck_assert_msg(strstr(e.text, "(setup_may_reach)") != NULL, "%s", e.text);
    /* ... which keeps another client from none of its two. */
    expect_setup(other, "Content-Type: application/json\r\n", text, 400, "may not be asked");
    expect_setup(other, "Content-Type: application/json\r\n", text, 429, "were tried within a minute");
    snprintf(text + strlen(text) - 1, 20, ",\"force\":true}"); /* who is sure of it needs no trial */
    ck_assert_int_eq(node_accept_setup(other, &e, view_str(text)), RC_OK);
    node_stop(other);
    unlink(path);
    close(file);
}
END_TEST

static int post_setup_from(const char *from, const char *body)
{
    char request[1000];
    const int fd = dial_port_from(node->setup_port, from);
    const struct timeval patience = { .tv_sec = 60 };
    ck_assert_int_ge(fd, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(request, sizeof request,
             "POST /setup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    ck_assert(say(fd, request));
    return fd;
}

static void expect_answer(int fd, int status, const char *why)
{
    reply_t a = hear(fd, false);
    ck_assert_msg(a.status == status && a.body && strstr(a.body, why), "%d %s", a.status, a.body ? a.body : "");
    free(a.body);
    close(fd);
}

/* A stranger's trial that hangs, in front of an operator's: it ends after five seconds, alone it would have 16 and more,
 * since the port has room for one at a time. */
START_TEST(a_trial_that_hangs_ends_soon_when_another_client_s_setup_waits)
{
    char hanging[600], bad[600];
    fake_t *execution = fake_new(be_hanging);
    *strstr(strcpy(hanging, setup_of(bad, free_port(), execution->port)), ",\"force\"") = '\0';
    strcat(hanging, "}");
    const int stranger = post_setup_from("127.0.0.2", hanging);
    while (!execution->requests) /* it is being tried */
        pause_ms(1);
    const int own = post_setup_from("127.0.0.2", hanging); /* his own do not count */
    const int operator= post_setup_from("127.0.0.3", "{}");
    expect_answer(stranger, 429, "other setups wait");
    expect_answer(operator, 400, "\"field\":");
    close(own);
    fake_free(execution);
}
END_TEST

START_TEST(taken_api_port_is_an_error_of_the_setup)
{
    char body[600];
    snprintf(body, sizeof body, "{" SETUP ",\"api_port\":%u}", node->setup_port);
    ck_assert_int_eq(node_accept_setup(node, &e, view_str(body)), RC_REFUSED);
    ck_assert_str_eq(e.field, "api_port");
    ck_assert_int_eq(state(), NODE_AWAITING_SETUP);
}
END_TEST

START_TEST(both_keys_are_whole_and_different)
{
    uint8_t key[ECDSA_PUBKEY_LEN];
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_OK);
    const service_t *s = wait_service();
    keyring_pubkey(s->keyring, key);
    ck_assert_mem_eq(s->pubkey, key, sizeof key);
    keyring_pubkey(s->node_keyring, key);
    ck_assert_mem_eq(s->node_pubkey, key, sizeof key);
    ck_assert_mem_ne(s->node_pubkey, s->pubkey, sizeof key);
}
END_TEST

START_TEST(status_tells_the_state_and_once_there_is_a_service_its_keys)
{
    arena_t a;
    char key[2 * ECDSA_PUBKEY_LEN + 1];
    arena_init(&a, 1 << 20);
    view_t before = node_status_json(node, &a);
    ck_assert_ptr_nonnull(strstr((const char *)before.p, "\"state\": \"awaiting-setup\""));
    ck_assert_ptr_null(strstr((const char *)before.p, "pubkey"));
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_OK);
    const service_t *s = wait_service();
    view_t after = node_status_json(node, &a);
    hex_encode(key, view_of(s->pubkey, sizeof s->pubkey));
    ck_assert_ptr_nonnull(strstr((const char *)after.p, "\"state\": \"syncing\""));
    ck_assert_ptr_nonnull(strstr((const char *)after.p, key));
    ck_assert_ptr_nonnull(strstr((const char *)after.p, "\"head\": null"));
    ck_assert_ptr_nonnull(strstr((const char *)after.p, "\"setup_keys\": [\n    \"peers\",\n    \"port\","));
    ck_assert_ptr_nonnull(strstr((const char *)after.p, "\"bound_by\": \"clock\""));
    ck_assert_ptr_nonnull(strstr((const char *)after.p, "\"counter_is_bound\": false"));
    arena_free(&a);
}
END_TEST

/* The body of a GET, which has that status. */
static void expect_get(const node_t *of, const char *path, int status, const char *says)
{
    char request[200];
    const int fd = dial_port(node_api_port(of));
    ck_assert_int_ge(fd, 0);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    ck_assert(say(fd, request));
    reply_t a = hear(fd, false);
    ck_assert_msg(a.status == status && a.body && strstr(a.body, says), "%s: %d %s", path, a.status,
                  a.body ? a.body : "");
    free(a.body);
    close(fd);
}

/* As long as there is no key, whatever it is that is missing. */
START_TEST(what_needs_the_key_says_the_same_reason_as_the_state)
{
    static const char *const paths[] = { "/attest", "/v1/attest", "/v1/block/latest", "/v1/evidence/0x00" };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        expect_get(node, paths[i], 503, "awaiting-setup: waiting for POST /setup on port ");
    pthread_mutex_lock(&node->lock);
    (void)err_say(&node->failure, RC_IO, "no quote from the agent");
    pthread_mutex_unlock(&node->lock);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        expect_get(node, paths[i], 503, "no key yet: degraded: no quote from the agent");
}
END_TEST

/* By Debian's promtool, where it is installed. */
static void check_by_promtool(view_t text)
{
    if (system("command -v promtool >/dev/null 2>&1") != 0) {
        fprintf(stderr, "skipped: promtool check metrics: no promtool here (Debian: prometheus)\n");
        return;
    }
    FILE *f = popen("promtool check metrics", "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text.p, 1, text.n, f), text.n);
    ck_assert_int_eq(pclose(f), 0);
}

static void check_metrics(const char *must_have)
{
    char why[256];
    mx_t m = mx_of(METRICS_MAX);
    node_metrics(&m, node);
    const view_t text = mx_done(&m);
    ck_assert_msg(metrics_are_right(why, (const char *)text.p, text.n), "%s", why);
    char *copy = strndup((const char *)text.p, text.n);
    ck_assert_ptr_nonnull(copy);
    ck_assert_msg(strstr(copy, must_have), "no %s in\n%s", must_have, copy);
    ck_assert_ptr_null(strstr(copy, "://")); /* no URL */
    ck_assert_ptr_null(strstr(copy, "127.0.0.1"));
    check_by_promtool(text);
    free(copy);
    mx_free(&m);
}

START_TEST(metrics_are_right_before_and_after_a_setup)
{
    check_metrics("\nkettle_state{state=\"awaiting-setup\"} 1\n");
    ck_assert_int_eq(node_accept_setup(node, &e, view_str("{" SETUP "}")), RC_OK);
    (void)wait_service();
    check_metrics("\nkettle_upstream_trouble_total{endpoint=\"execution_rpc[0]\",kind=\"lie\"} 0\n");
}
END_TEST

START_TEST(node_that_cannot_start_says_why)
{
    node_t *other = NULL;
    const node_options_t taken = { .tee = "simulator", .development = true, .api_port = node_api_port(node) };
    const node_options_t no_file = { .tee = "simulator", .config_path = "/nonexistent/config.json" };
    ck_assert_int_eq(node_start(&other, &e, &taken), RC_IO);
    ck_assert_ptr_nonnull(strstr(e.text, "Address already in use"));
    ck_assert_int_eq(node_start(&other, &e, &no_file), RC_IO);
    ck_assert_ptr_nonnull(strstr(e.text, "/nonexistent/config.json"));
    ck_assert_int_eq(node_start(&other, &e, &(node_options_t){ .tee = "simulator" }),
                     RC_REFUSED); /* open by accident */
    ck_assert_ptr_null(other);
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN_AROUND(
        "node", set_up, tear_down, node_waits_for_its_setup_and_says_where,
        one_setup_is_accepted_and_a_second_one_refused, setup_that_does_not_read_leaves_the_port_open_for_the_next,
        setup_for_another_tee_than_the_one_opened_is_refused,
        setup_that_does_not_get_to_ready_is_given_up_and_the_port_opens_once_more,
        a_forced_setup_that_has_failed_for_good_is_given_up_long_before_its_time,
        a_setup_port_that_another_has_as_it_opens_again_is_tried_again, setup_is_tried_unless_it_says_otherwise,
        a_setup_that_the_disk_did_not_take_is_kept_later, flags_are_a_setup_under_the_same_rules,
        a_part_of_a_setup_that_is_given_waits_for_the_rest, a_kept_setup_that_has_failed_for_good_opens_the_port_once,
        an_api_port_that_another_has_as_it_opens_again_is_tried_again, urls_may_come_from_a_file_of_their_own,
        setup_is_refused_to_pages_to_other_types_and_without_the_token, refusals_of_strangers_do_not_fill_the_log,
        six_setups_a_minute_are_tried_and_none_of_them_asks_this_machine,
        a_trial_that_hangs_ends_soon_when_another_client_s_setup_waits, taken_api_port_is_an_error_of_the_setup,
        a_fork_that_is_not_known_is_told_then_stops_the_node_and_is_refused_afterwards,
        both_keys_are_whole_and_different, what_needs_the_key_says_the_same_reason_as_the_state,
        status_tells_the_state_and_once_there_is_a_service_its_keys, metrics_are_right_before_and_after_a_setup,
        node_that_cannot_start_says_why);
}
