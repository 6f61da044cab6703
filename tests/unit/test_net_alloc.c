/* Memory that ends at the n-th allocation, on either end of a connection, for each n: the connection may be lost, nothing
 * else; with memory again, the next dial succeeds. */
#include <stdlib.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/loop_pair.h"
#include "tests/unit/unit.h"

static const struct {
    unsigned transport;
    const char *at;
} kinds[] = { { LOOP_TCP, "/ip4/127.0.0.1/tcp/0" }, { LOOP_QUIC, "/ip4/127.0.0.1/udp/0/quic-v1" } };

#define GOT_MAX 65536u

static looped_t a, b;

static void begin(int kind)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    looped_new(&a, "a", true, kinds[kind].transport, kinds[kind].at);
    looped_new(&b, "b", false, kinds[kind].transport, kinds[kind].at);
    a.peer.got = malloc(GOT_MAX); /* the test's own memory does not end */
    a.peer.got_cap = GOT_MAX;
}

static void end(void)
{
    looped_clear(&a);
    looped_clear(&b);
}

/* A dial, a stream with an echo, a ping, and the end. */
static rc_t course(void)
{
    static const uint8_t bytes[5000] = { 1 };
    net_conn_t *c;
    net_stream_t *s;
    a.peer.conn = NULL;
    a.peer.got_n = 0;
    rc_t rc = net_dial(a.peer.net, &c, NULL, &b.at, &a);
    pair_run(&a, &b, 15, 1);
    if (!rc && a.peer.conn && !net_open(a.peer.conn, &s, &a.peer.protocols[0], NULL)) {
        rc = net_write(s, view_of(bytes, sizeof bytes));
        net_end(s);
    }
    if (!rc && a.peer.conn)
        rc = net_ping(a.peer.conn, peer_pong, &a.peer);
    pair_run(&a, &b, 15, 1);
    if (a.peer.conn)
        net_close(a.peer.conn, NET_BYE, "enough");
    pair_run(&a, &b, 15, 1);
    return rc;
}

/* What was cut off in its handshake has its time; what became OPEN late is closed. */
static void quiet(void)
{
    pair_run(&a, &b, NET_HANDSHAKE_MS + 100, 100);
    for (net_conn_t *c = net_first(a.peer.net); c; c = net_after(c))
        net_close(c, NET_BYE, "late");
    pair_run(&a, &b, NET_IDLE_MS + NET_HANDSHAKE_MS + 1000, 500);
    ck_assert(!net_first(a.peer.net) && !net_first(b.peer.net));
}

START_TEST(memory_may_end_at_any_allocation)
{
    size_t n = 0;
    begin(_i);
    for (bool enough = false; !enough; n += 1 + n / 64) {
        fail_at((unsigned)n, true);
        const rc_t rc = COUNTED(course());
        enough = counted() <= n;
        fail_never();
        ck_assert_msg(rc == RC_OK || rc == RC_NOMEM || rc == RC_REFUSED || rc == RC_LIMIT, "%zu: %s", n, rc_name(rc));
        ck_assert_msg(!enough || a.peer.got_n == 5000, "%zu: %zu bytes", n, a.peer.got_n);
        ck_assert_uint_lt(n, 100000);
        quiet();
        const unsigned opened = a.peer.opened;
        ck_assert_int_eq(course(), RC_OK);
        ck_assert_msg(a.peer.opened == opened + 1 && a.peer.got_n == 5000, "after %zu: %s", n, a.peer.closed_text);
        quiet();
    }
    ck_assert_uint_gt(n, 20);
    end();
}
END_TEST

START_TEST(memory_may_end_while_a_node_is_made)
{
    for (size_t n = 0;; n++) {
        const loop_owner_t owner = { .clock = pair_clock };
        looped_t x = { 0 };
        err_t e;
        ck_assert_int_eq(secret_init(), RC_OK);
        peer_new(&x.peer, "x", true);
        fail_at((unsigned)n, true);
        const rc_t rc = COUNTED(loop_new(&x.loop, &e, x.peer.net, LOOP_BOTH, &owner));
        fail_never();
        ck_assert_msg(rc == RC_OK || rc == RC_NOMEM, "%s", e.text);
        if (rc)
            peer_clear(&x.peer); /* it stayed ours */
        else
            looped_clear(&x);
        if (!rc)
            break;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("net_alloc");
    TCase *t = tcase_create("each transport");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, memory_may_end_at_any_allocation, 0, 2);
    tcase_add_test(t, memory_may_end_while_a_node_is_made);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
