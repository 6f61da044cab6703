/* node/p2p/daemon.h: what a program on this machine is told over the Unix socket, with JSON-RPC servers that answer from
 * the state which the contract really leaves, and lie about it. */
#include "tests/unit/members_states.h"

#include <sys/stat.h>
#include <sys/un.h>

#include "base/crypto/secret.h"
#include "base/os/log.h"
#include "node/p2p/daemon.h"
#include "node/p2p/shown.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/members_world.h"

#define FOUR "[\"10.0.1.1\",\"10.0.1.2\",\"10.0.1.3\",\"10.0.1.4\"]"
#define REGISTER "POST /v1/p2p/register HTTP/1.1\r\nHost: k\r\nContent-Length: 0\r\n\r\n"

static daemon_t *d;
static char folder[64], path[96];
static membership_t membership;
static const tee_provider_t no_kms = { .name = "simulator" };

/* ---- the interface of mode wireguard, played ---- */

static wg_t *wg;
static _Atomic bool is_taken; /* its network */

static rc_t door_check(void *ctx, err_t *e)
{
    (void)ctx;
    return is_taken ? err_say(e, RC_REFUSED, "10.0.1.0/24 is not free on this machine: route 10.0.1.0/25 of eth0")
                    : RC_OK;
}

static rc_t door_open(void *ctx, err_t *e, const uint8_t private_key[WG_KEY_LEN], uint16_t port, uint8_t index)
{
    (void)ctx, (void)private_key, (void)port, (void)index;
    return err_say(e, RC_BUG, "a node without an address has no interface");
}

static rc_t door_apply(void *ctx, err_t *e, const wg_op_t *ops, size_t n)
{
    (void)ctx, (void)ops, (void)n;
    return err_say(e, RC_BUG, "nor peers");
}

static void door_close(void *ctx)
{
    (void)ctx;
}

static void make_wg(void)
{
    const wg_config_t config = { .contract = A,
                                 .max_age_s = MAX_AGE_S,
                                 .port = WG_PORT,
                                 .door = { door_check, door_open, door_apply, door_close, NULL } };
    err_t e;
    ck_assert_int_eq(secret_init(), RC_OK);
    ck_assert_int_eq(wg_new(&wg, &e, &config), RC_OK);
}

static uint64_t tell_now(void *ctx)
{
    (void)ctx;
    return now_s;
}

/* A connection to the socket with a request on it. */
static int say_to(const char *request)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    struct timeval patience = { .tv_sec = 20 };
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert(say(fd, request));
    return fd;
}

static int ask_for(const char *target)
{
    char text[256];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: k\r\n\r\n", target);
    return say_to(text);
}

static reply_t heard(int fd)
{
    reply_t a = hear(fd, false);
    close(fd);
    return a;
}

/* The status of an answer that has this text. */
static void told_is(int fd, int status, const char *part)
{
    reply_t a = heard(fd);
    ck_assert_msg(a.status == status && strstr(a.body, part), "%d: %s (not %d: %s)", a.status, a.body, status, part);
    free(a.body);
}

static void cursor_of(char out[SHOWN_CURSOR_LEN + 1])
{
    reply_t a = heard(ask_for("/v1/p2p/peers"));
    const char *at = strstr(a.body, "\"cursor\":\"");
    ck_assert_ptr_nonnull(at);
    memcpy(out, at + 10, SHOWN_CURSOR_LEN);
    out[SHOWN_CURSOR_LEN] = 0;
    free(a.body);
}

static void (*listed)(void *ctx, const rollcall_list_t *list); /* of the next daemon */

static void open_daemon(uint64_t every)
{
    err_t e;
    open_members();
    strcpy(folder, "/tmp/kettle-p2p-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/p2p.sock", folder);
    membership = (membership_t){
        .is_set = true, .contract = A, .mode = MEMBERS_WIREGUARD, .max_age_s = MAX_AGE_S, .every = every, .socket = path
    };
    make_wg();
    const daemon_config_t config = { .membership = &membership,
                                     .wg = wg,
                                     .tee = &no_kms,
                                     .ask = engine,
                                     .chain = &PRAGUE,
                                     .cache = s.config.cache,
                                     .flags = HS_SIMULATED,
                                     .now_s = tell_now,
                                     .listed = listed,
                                     .overlay_port = 4001 };
    ck_assert_msg(daemon_start(&d, &e, &config) == RC_OK, "%s", e.text);
}

static void close_daemon(void)
{
    daemon_stop(d);
    end_engine();
    daemon_free(d);
    wg_free(wg);
    close_members();
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

START_TEST(list_and_status_are_told_over_the_socket)
{
    struct stat st;
    open_daemon(1);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0660);
    told_is(ask_for("/v1/p2p/peers"), 503, "no verified head yet");
    told_is(ask_for("/v1/p2p/status"), 200, "\"list\":null,\"error\":null");
    daemon_head(d, &s.block);
    told_is(ask_for("/v1/p2p/peers"), 200, "\"peers\":" FOUR);
    const unsigned first = ends[0].batches;
    reply_t a = heard(ask_for("/v1/p2p/peers"));
    ck_assert_ptr_nonnull(strstr(a.head, "X-Kettle-TEE: simulated"));
    ck_assert_ptr_nonnull(strstr(a.body, "\"block_number\":1000,"));
    ck_assert_ptr_nonnull(strstr(a.body, "\"age_s\":12,\"left_out\":0,\"stale\":null}"));
    free(a.body);
    ck_assert_uint_eq(ends[0].batches, first);
    told_is(ask_for("/v1/p2p/status"), 200, "\"mode\":\"wireguard\",\"block\":\"finalized\",\"max_age_s\":1536");
    told_is(ask_for("/v1/p2p/status"), 200, "\"list\":{\"count\":4,\"block_number\":1000,");
    told_is(ask_for("/v1/p2p/other"), 404, "no such path");
    told_is(ask_for("/v1/p2p/address"), 501, "the TEE provider (simulator) gives no keys of a KMS");
    told_is(ask_for("/v1/p2p/status"), 200,
            "\"wireguard\":{\"interface\":\"kettle-wg0\",\"address\":null,\"public_key\":\"");
    told_is(ask_for("/v1/p2p/status"), 200,
            "\"port\":51820,\"peers\":[],\"refused\":[],\"trouble\":null,\"list_error\":null}");
    is_taken = true;
    told_is(say_to(REGISTER), 409, "10.0.1.0/24 is not free on this machine: route 10.0.1.0/25 of eth0");
    told_is(ask_for("/v1/p2p/status"), 200, "\"trouble\":\"10.0.1.0/24 is not free");
    told_is(ask_for("/v1/p2p/status"), 200,
            "\"registered\":false,\"transactions\":0,\"transaction\":null,\"trouble\":null");
    is_taken = false;
    daemon_latest(d, &s.block);
    told_is(say_to(REGISTER), 501, "the TEE provider (simulator) gives no keys of a KMS");
    told_is(ask_for("/v1/p2p/status"), 200,
            "\"registered\":false,\"transactions\":0,\"transaction\":null,\"trouble\":\"the TEE");
    told_is(say_to("POST /v1/p2p/peers HTTP/1.1\r\nHost: k\r\nContent-Length: 0\r\n\r\n"), 405, "this method");
    close_daemon();
}
END_TEST

static _Atomic unsigned told_of, told_known;

static void on_listed(void *ctx, const rollcall_list_t *list)
{
    (void)ctx;
    told_of++;
    told_known += list->anchor.is_known;
}

/* The state has no slots of it: what is asked about them is a proven zero, an empty roll. */
START_TEST(node_that_comes_together_by_the_list_is_told_of_it)
{
    err_t why;
    listed = on_listed;
    open_daemon(1);
    ck_assert_int_eq(daemon_muster(d, &why, false, false), MUSTER_WAIT);
    ck_assert_str_eq(why.text, "the contract's list of members cannot be read yet");
    daemon_head(d, &s.block);
    told_is(ask_for("/v1/p2p/peers"), 200, "\"peers\":" FOUR);
    const struct timespec moment = { .tv_nsec = 10000000 };
    for (unsigned i = 0; !told_known && i < 2000; i++)
        (void)nanosleep(&moment, NULL);
    ck_assert(told_known && told_of >= told_known);
    ck_assert_int_eq(daemon_muster(d, &why, false, false), MUSTER_WAIT);
    ck_assert_msg(strstr(why.text, "bound, active member"), "%s", why.text);
    close_daemon();
    listed = NULL;
}
END_TEST

START_TEST(queries_that_mean_nothing_are_refused)
{
    static const char *const bad[] = { "after=1",
                                       "wait_s=",
                                       "wait_s=121",
                                       "wait_s=-1",
                                       "wait_s=1x",
                                       "wait_s=1&wait_s=1",
                                       "before=1",
                                       "after=00000000000000000000000000000000&after=00000000000000000000000000000000",
                                       "after=000000000000000000000000000000000" };
    char target[160];
    open_daemon(1);
    daemon_head(d, &s.block);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(target, sizeof target, "/v1/p2p/peers?%s", bad[i]);
        told_is(ask_for(target), 400, "are known");
    }
    close_daemon();
}
END_TEST

START_TEST(who_waits_is_answered_by_another_list_only_or_when_his_time_is_over)
{
    char cursor[SHOWN_CURSOR_LEN + 1], target[128];
    open_daemon(1);
    daemon_head(d, &s.block);
    cursor_of(cursor);
    told_is(ask_for("/v1/p2p/peers?wait_s=60&after=00000000000000000000000000000000"), 200, FOUR);
    snprintf(target, sizeof target, "/v1/p2p/peers?after=%s&wait_s=1", cursor);
    told_is(ask_for(target), 200, FOUR);
    snprintf(target, sizeof target, "/v1/p2p/peers?after=%s&wait_s=60", cursor);
    const int waits = ask_for(target);
    told_is(ask_for("/v1/p2p/peers"), 200, FOUR); /* so he is there by now */
    next_block(12, true);
    daemon_head(d, &s.block);
    told_is(ask_for("/v1/p2p/peers"), 200, "\"block_number\":1001,");
    char byte;
    ck_assert_int_eq(recv(waits, &byte, 1, MSG_DONTWAIT), -1); /* the same list */
    next_block(588, true);                                     /* three have not been heard */
    daemon_head(d, &s.block);
    told_is(waits, 200, "\"peers\":[\"10.0.1.4\"]");
    close_daemon();
}
END_TEST

START_TEST(list_is_good_for_so_many_blocks)
{
    open_daemon(3);
    daemon_head(d, &s.block);
    told_is(ask_for("/v1/p2p/peers"), 200, "\"block_number\":1000,");
    const unsigned first = ends[0].batches;
    for (unsigned i = 0; i < 2; i++) {
        next_block(12, true);
        daemon_head(d, &s.block);
        told_is(ask_for("/v1/p2p/peers"), 200, "\"block_number\":1000,");
    }
    ck_assert_uint_eq(ends[0].batches, first);
    next_block(12, true);
    daemon_head(d, &s.block);
    told_is(ask_for("/v1/p2p/peers"), 200, "\"block_number\":1003,");
    ck_assert_uint_eq(ends[0].batches, first + 1);
    close_daemon();
}
END_TEST

START_TEST(error_is_no_empty_list_and_an_old_one_says_so)
{
    static const endpoint_t bad[] = { { .falsified = "a000" }, { .refused = PROOF_OF_A }, { .status = 500 } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char cursor[SHOWN_CURSOR_LEN + 1], target[128];
        open_daemon(1);
        ends[0] = ends[1] = bad[i];
        daemon_head(d, &s.block);
        told_is(ask_for("/v1/p2p/peers"), 502, "execution_rpc[");
        told_is(ask_for("/v1/p2p/status"), 200, "\"list\":null,\"error\":\"execution_rpc[");
        told_is(ask_for("/v1/p2p/peers?wait_s=60&after=00000000000000000000000000000000"), 502, "execution_rpc[");
        ends[0] = ends[1] = (endpoint_t){ .status = 0 };
        next_block(12, true);
        daemon_head(d, &s.block);
        cursor_of(cursor);
        ends[0] = ends[1] = bad[i];
        next_block(600, true);
        daemon_head(d, &s.block);
        told_is(ask_for("/v1/p2p/peers"), 200, "\"age_s\":612,\"left_out\":0,\"stale\":\"execution_rpc[");
        now_s += MAX_AGE_S;
        snprintf(target, sizeof target, "/v1/p2p/peers?after=%s&wait_s=1", cursor);
        told_is(ask_for(target), 504, "s old, more than 1536");
        close_daemon();
    }
}
END_TEST

/* Lines of the log about members. */
static size_t lines_of_members(void)
{
    static log_line_t lines[256];
    const size_t count = log_after(lines, 256, 0);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += !strcmp(lines[i].event, "members");
    return n;
}

START_TEST(trouble_that_lasts_is_one_line_of_the_log)
{
    open_daemon(1);
    log_set_level(LOG_WARN);
    daemon_head(d, &s.block);
    told_is(ask_for("/v1/p2p/peers"), 200, FOUR);
    now_s += 2 * MAX_AGE_S;
    const size_t before = lines_of_members();
    for (unsigned i = 0; i < 4; i++) {
        now_s += 7;
        next_block(0, true);
        daemon_head(d, &s.block);
        told_is(ask_for("/v1/p2p/peers"), 504, "s old, more than 1536");
    }
    ck_assert_uint_eq(lines_of_members(), before + 1);
    close_daemon();
}
END_TEST

START_TEST(failed_list_is_tried_again_without_another_head)
{
    open_daemon(1);
    ends[0] = ends[1] = (endpoint_t){ .status = 500 };
    daemon_head(d, &s.block);
    told_is(ask_for("/v1/p2p/peers"), 502, "execution_rpc[");
    ends[0] = ends[1] = (endpoint_t){ .status = 0 };
    for (unsigned i = 0;; i++) {
        reply_t a = heard(ask_for("/v1/p2p/peers"));
        const bool is_there = a.status == 200;
        free(a.body);
        ck_assert_uint_lt(i, 600);
        if (is_there)
            break;
        pause_ms(100);
    }
    close_daemon();
}
END_TEST

START_TEST(who_waits_is_answered_when_the_node_stops)
{
    open_daemon(1);
    daemon_head(d, &s.block);
    char cursor[SHOWN_CURSOR_LEN + 1], target[128];
    cursor_of(cursor);
    snprintf(target, sizeof target, "/v1/p2p/peers?after=%s&wait_s=120", cursor);
    const int waits = ask_for(target);
    told_is(ask_for("/v1/p2p/peers"), 200, FOUR);
    close_daemon();
    told_is(waits, 503, "stopping");
}
END_TEST

/* What a program that has ended left is replaced; nobody's place is taken from him. */
START_TEST(place_of_the_socket)
{
    daemon_t *second = NULL;
    err_t e;
    open_daemon(1);
    const daemon_config_t config = { .membership = &membership, .ask = engine, .chain = &PRAGUE, .now_s = tell_now };
    ck_assert_int_eq(daemon_start(&second, &e, &config), RC_IO);
    ck_assert_ptr_nonnull(strstr(e.text, "p2p.sock: Address already in use"));
    told_is(ask_for("/v1/p2p/status"), 200, "contract");
    char left[104];
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(left, sizeof left, "%s/left", folder);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", left);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    close(fd);
    membership_t other = membership;
    other.socket = left;
    daemon_config_t there = config;
    there.membership = &other;
    ck_assert_msg(daemon_start(&second, &e, &there) == RC_OK, "%s", e.text);
    daemon_stop(second);
    daemon_free(second);
    ck_assert_int_ne(access(left, F_OK), 0);
    FILE *f = fopen(left, "w");
    ck_assert_ptr_nonnull(f);
    fclose(f);
    ck_assert_int_eq(daemon_start(&second, &e, &there), RC_IO);
    ck_assert_int_eq(access(left, F_OK), 0);
    unlink(left);
    close_daemon();
}
END_TEST

int main(void)
{
    return UNIT_RUN("p2p_daemon", list_and_status_are_told_over_the_socket,
                    node_that_comes_together_by_the_list_is_told_of_it, queries_that_mean_nothing_are_refused,
                    who_waits_is_answered_by_another_list_only_or_when_his_time_is_over,
                    list_is_good_for_so_many_blocks, error_is_no_empty_list_and_an_old_one_says_so,
                    trouble_that_lasts_is_one_line_of_the_log, failed_list_is_tried_again_without_another_head,
                    who_waits_is_answered_when_the_node_stops, place_of_the_socket);
}
