/* Light-client data between two nodes on the network in memory, and its bytes. */
#include "overlay/lcdata.h"
#include "overlay/net/memory.h"
#include "overlay/wire/proto.h"
#include "tests/unit/net_pair.h"

typedef struct {
    net_t *net;
    wire_id_t id;
    lcdata_t *data;
    net_protocol_t protocol;
    unsigned wanted, answered;
    uint64_t tickets[32], last_id;
    lcdata_want_t want;
    rc_t rc;
    size_t count, first_n;
    char why[LCDATA_WHY_MAX + 1];
    uint8_t first;
} node_t;

static memory_t *world;
static node_t a, b;
static const memory_faults_t fair = { .delay_min_ms = 10, .delay_max_ms = 10 };

static void wanted(void *ctx, uint64_t ticket, const lcdata_want_t *want)
{
    node_t *n = ctx;
    ck_assert_uint_lt(n->wanted, 32);
    n->tickets[n->wanted++] = ticket;
    n->want = *want;
}

static void answered(void *ctx, uint64_t id, rc_t rc, const lcdata_answer_t *answer)
{
    node_t *n = ctx;
    n->answered++;
    n->last_id = id;
    n->rc = rc;
    n->count = answer->count;
    n->first_n = answer->count ? answer->objects[0].n : 0;
    n->first = n->first_n ? answer->objects[0].p[0] : 0;
    snprintf(n->why, sizeof n->why, "%.*s", (int)answer->why.n, (const char *)answer->why.p);
}

static void node_new(node_t *n, const char *word, const char *listens)
{
    const maddr_t at = maddr(listens);
    *n = (node_t){ 0 };
    wire_secp256k1(&n->id, word);
    ck_assert_int_eq(lcdata_new(&n->data, &(lcdata_config_t){ wanted, answered, n }), RC_OK);
    lcdata_protocol(n->data, &n->protocol);
    const net_config_t config = { .who = n->id.who, .protocols = &n->protocol, .protocol_count = 1 };
    ck_assert_int_eq(net_new(&n->net, &config), RC_OK);
    ck_assert_int_eq(memory_join(world, n->net), RC_OK);
    ck_assert_int_eq(net_listen(n->net, NULL, &at), RC_OK);
}

static void run(uint64_t ms)
{
    for (const uint64_t until = memory_now(world) + ms; memory_now(world) < until;) {
        (void)lcdata_turn(a.data, memory_now(world));
        (void)lcdata_turn(b.data, memory_now(world));
        memory_run(world, memory_now(world) + 10);
    }
}

static net_conn_t *begin(void)
{
    const maddr_t to = maddr("/ip4/10.0.0.2/tcp/1");
    net_conn_t *c;
    ck_assert_int_eq(memory_new(&world, 1, &fair), RC_OK);
    node_new(&a, "a", "/ip4/10.0.0.1/tcp/1");
    node_new(&b, "b", "/ip4/10.0.0.2/tcp/1");
    ck_assert_int_eq(net_dial(a.net, &c, NULL, &to, NULL), RC_OK);
    run(100);
    return c;
}

static void node_clear(node_t *n)
{
    net_free(n->net);
    lcdata_free(n->data);
    wire_id_clear(&n->id);
}

static void end(void)
{
    node_clear(&a);
    node_clear(&b);
    memory_free(world);
}

static const lcdata_want_t plain = { .kind = 2, .root = { { 7 } }, .period = 9, .count = 128 };

START_TEST(a_question_is_answered_once)
{
    static uint8_t bytes[LCDATA_OBJECTS_MAX][LCDATA_OBJECT_MAX];
    net_conn_t *c = begin();
    lcdata_answer_t answer = { .count = LCDATA_OBJECTS_MAX, .why = view_str("nothing newer") };
    uint64_t id = 0;
    for (size_t i = 0; i < LCDATA_OBJECTS_MAX; i++) {
        memset(bytes[i], 0x40 + (int)i, sizeof bytes[i]);
        answer.objects[i] = view_of(bytes[i], sizeof bytes[i]);
    }
    ck_assert_int_eq(lcdata_ask(a.data, &id, c, &plain), RC_OK);
    run(100);
    ck_assert(b.wanted == 1 && b.want.kind == 2 && hash32_eq(&b.want.root, &plain.root) && b.want.period == 9);
    ck_assert_uint_eq(b.want.count, 128);
    lcdata_answer(b.data, b.tickets[0], &answer);
    lcdata_answer(b.data, b.tickets[0], &answer); /* the ticket is used up */
    run(1000);
    ck_assert(a.answered == 1 && a.rc == RC_OK && a.last_id == id && a.count == LCDATA_OBJECTS_MAX);
    ck_assert(a.first_n == LCDATA_OBJECT_MAX && a.first == 0x40 && !strcmp(a.why, "nothing newer"));
    end();
}
END_TEST

START_TEST(who_does_not_answer_is_waited_for_so_long_and_no_longer)
{
    net_conn_t *c = begin();
    uint64_t id;
    ck_assert_int_eq(lcdata_ask(a.data, &id, c, &plain), RC_OK);
    run(LCDATA_WAIT_MS - 50);
    ck_assert_uint_eq(a.answered, 0);
    run(200);
    ck_assert(a.answered == 1 && a.rc == RC_TIMEOUT);
    lcdata_answer(b.data, b.tickets[0], &(lcdata_answer_t){ .count = 0 }); /* too late: nobody hears it */
    run(100);
    ck_assert_uint_eq(a.answered, 1);
    ck_assert_int_eq(lcdata_ask(a.data, &id, c, &plain), RC_OK);
    net_close(c, NET_BYE, "test");
    ck_assert(a.answered == 2 && a.rc == RC_REFUSED);
    end();
}
END_TEST

START_TEST(questions_are_bounded_at_both_ends)
{
    net_conn_t *c = begin();
    uint64_t id;
    for (unsigned i = 0; i < LCDATA_ASKED_MAX; i++)
        ck_assert_int_eq(lcdata_ask(a.data, &id, c, &plain), RC_OK);
    ck_assert_int_eq(lcdata_ask(a.data, &id, c, &plain), RC_LIMIT);
    run(200);
    ck_assert_uint_eq(b.wanted, LCDATA_OF_ONE_MAX); /* the others were reset */
    ck_assert_uint_eq(a.answered, LCDATA_ASKED_MAX - LCDATA_OF_ONE_MAX);
    end();
}
END_TEST

/* What a liar writes, as the answer and as a question. */
static rc_t hear(const uint8_t *bytes, size_t n)
{
    lcdata_answer_t out = { .count = 77 };
    uint8_t *exact = wire_exact(view_of(bytes, n));
    const rc_t rc = lcdata_answer_read(&out, view_of(exact, n));
    ck_assert(rc == RC_OK || out.count == 77);
    free(exact);
    return rc;
}

START_TEST(bytes_are_read_whole_or_not_at_all)
{
    uint8_t buf[256];
    wr_t w = wr_of(buf, sizeof buf);
    lcdata_want_t got = { .count = 5 };
    lcdata_want_write(&w, &plain);
    for (size_t cut = 0; cut <= w.n; cut++) {
        uint8_t *exact = wire_exact(view_of(buf, cut));
        ck_assert_int_eq(lcdata_want_read(&got, view_of(exact, cut)), cut == w.n ? RC_OK : RC_MALFORMED);
        ck_assert_uint_eq(got.count, cut == w.n ? 128 : 5);
        free(exact);
    }
    static const lcdata_want_t bad[] = { { .kind = 8, .count = 1 }, { .kind = 1 }, { .kind = 1, .count = 129 } };
    for (size_t i = 0; i < 3; i++) {
        w = wr_of(buf, sizeof buf);
        lcdata_want_write(&w, &bad[i]);
        ck_assert_int_eq(lcdata_want_read(&got, wr_view(&w)), RC_LIMIT);
    }
    w = wr_of(buf, sizeof buf);
    const lcdata_answer_t answer = { .objects = { view_str("one"), view_str("two") },
                                     .count = 2,
                                     .why = view_str("y") };
    lcdata_answer_write(&w, &answer);
    for (size_t cut = 0; cut <= w.n; cut++) {
        const bool whole = cut == 0 || cut == 5 || cut == 10 || cut == w.n;
        ck_assert_int_eq(hear(buf, cut), whole ? RC_OK : RC_MALFORMED);
    }
}
END_TEST

START_TEST(answers_have_a_maximum)
{
    for (size_t over = 0; over < 2; over++) {
        const size_t n = LCDATA_OBJECT_MAX + over;
        uint8_t *buf = malloc(n + 16), *object = calloc(1, n);
        wr_t w = wr_of(buf, n + 16);
        pb_put_bytes(&w, 2, view_of(object, n));
        ck_assert_int_eq(hear(buf, w.n), over ? RC_MALFORMED : RC_OK);
        free(buf);
        free(object);
        uint8_t many[4 * (LCDATA_OBJECTS_MAX + 1)];
        w = wr_of(many, sizeof many);
        for (size_t i = 0; i < LCDATA_OBJECTS_MAX + over; i++)
            pb_put_bytes(&w, 2, view_str("o"));
        ck_assert_int_eq(hear(many, w.n), over ? RC_LIMIT : RC_OK);
    }
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("lcdata", a_question_is_answered_once, who_does_not_answer_is_waited_for_so_long_and_no_longer,
                    questions_are_bounded_at_both_ends, bytes_are_read_whole_or_not_at_all, answers_have_a_maximum);
}
