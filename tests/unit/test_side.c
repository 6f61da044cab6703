/* overlay/side.h: what an owner says beside the cluster's protocols goes to attested peers, and to nobody else. */
#include "overlay/side.h"

#include "tests/unit/join_world.h"

#define NAME "/kettle/test-side/1"

typedef struct {
    member_t m;
    side_t *side;
    net_protocol_t protocols[JOIN_PROTOCOLS + 1];
    const char *word; /* said once on each connection; NULL: nothing */
    uint64_t said_on;
    unsigned said, took, gone;
    char heard[64];
    uint8_t channel[32], from[33];
    bool refuses;
} node_t;

static node_t nodes[2];

static bool say(void *ctx, wr_t *out, const side_line_t *l)
{
    node_t *n = ctx;
    ck_assert_mem_eq(l->own_key, n->m.config.static_pubkey, 33);
    ck_assert(!l->relayed && l->addr->host == MADDR_IP4 && l->addr->ip[0] == 10);
    if (!n->word || n->said_on == l->number)
        return false;
    wr_bytes(out, n->word, strlen(n->word));
    n->said_on = l->number;
    n->said++;
    return true;
}

static rc_t take(void *ctx, err_t *e, const side_line_t *l, view_t message)
{
    node_t *n = ctx;
    if (n->refuses)
        return err_say(e, RC_REFUSED, "not that");
    memcpy(n->heard, message.p, message.n);
    n->heard[message.n] = 0;
    memcpy(n->channel, l->channel, 32);
    memcpy(n->from, l->static_key, 33);
    ck_assert(l->expires_s > 0);
    n->took++;
    return RC_OK;
}

static void gone(void *ctx, uint64_t number)
{
    node_t *n = ctx;
    ck_assert(number != 0);
    n->gone++;
}

static void closed(void *ctx, net_conn_t *c, const err_t *why)
{
    node_t *n = ctx;
    side_closed(n->side, c);
    member_net_closed(&n->m, c, why);
}

static void opened(void *ctx, net_conn_t *c)
{
    member_net_opened(&((node_t *)ctx)->m, c);
}

static bool serves(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    return member_net_serves(&((node_t *)ctx)->m, c, p);
}

/* On a peer's connection; the cluster's own ask join.h alone. */
static bool serves_peer(void *ctx, net_conn_t *c, const net_protocol_t *p)
{
    (void)ctx, (void)c;
    return !strcmp(p->name, NAME);
}

static void start(node_t *n, const char *word)
{
    char text[64];
    const side_owner_t owner = { .name = NAME, .max = 32, .say = say, .take = take, .gone = gone, .ctx = n };
    net_config_t c = { .agent = "kettle-test/1",
                       .events = { .opened = opened, .closed = closed, .serves = serves, .ctx = n } };
    member_new(&n->m, word);
    c.who = n->m.id.who;
    n->m.config.serves = serves_peer;
    ck_assert_int_eq(join_new(&n->m.join, &n->m.config), RC_OK);
    ck_assert_int_eq(side_new(&n->side, n->m.join, &owner, n->m.config.static_pubkey), RC_OK);
    const net_protocol_t *of_join = join_protocols(n->m.join, &c.protocol_count);
    memcpy(n->protocols, of_join, c.protocol_count * sizeof *of_join);
    side_protocol(n->side, &n->protocols[c.protocol_count++]);
    c.protocols = n->protocols;
    ck_assert_int_eq(net_new(&n->m.net, &c), RC_OK);
    ck_assert_int_eq(memory_join(net_world, n->m.net), RC_OK);
    members[member_count++] = &n->m;
    snprintf(text, sizeof text, "/ip4/10.0.0.%zu/udp/4001/quic-v1", member_count);
    const maddr_t at = maddr(text);
    ck_assert_int_eq(net_listen(n->m.net, NULL, &at), RC_OK);
}

static void run_both(uint64_t ms)
{
    for (uint64_t i = 0; i <= ms; i += 5) {
        run_members(0);
        for (unsigned k = 0; k < 2; k++)
            (void)side_turn(nodes[k].side, memory_now(net_world));
        memory_run(net_world, memory_now(net_world) + 5);
    }
}

static void open_both(void)
{
    static const hash32_t setup_hash = { { 0x77 } };
    err_t e;
    memset(nodes, 0, sizeof nodes);
    members_open(31, &fair_net);
    start(&nodes[0], "one");
    ck_assert_int_eq(join_found(nodes[0].m.join, &e, &setup_hash), RC_OK);
    start(&nodes[1], "two");
}

static void close_both(void)
{
    for (unsigned i = 0; i < 2; i++) {
        member_stop(&nodes[i].m);
        side_free(nodes[i].side);
    }
    members_close();
}

START_TEST(each_hears_the_other_on_the_attested_connection)
{
    open_both();
    nodes[0].word = "from one";
    nodes[1].word = "from two";
    (void)dial_member(&nodes[0].m, 2);
    run_both(2000);
    ck_assert(nodes[0].took == 1 && nodes[1].took == 1 && nodes[0].said == 1);
    ck_assert_str_eq(nodes[0].heard, "from two");
    ck_assert_str_eq(nodes[1].heard, "from one");
    ck_assert_mem_eq(nodes[0].channel, nodes[1].channel, 32);
    ck_assert_mem_eq(nodes[0].from, nodes[1].m.config.static_pubkey, 33);
    nodes[0].said_on = 0; /* once more, on the same connection */
    run_both(500);
    ck_assert(nodes[1].took == 2 && nodes[0].gone == 0);
    net_close(net_first(nodes[0].m.net), NET_BYE, "over");
    run_both(500);
    ck_assert(nodes[0].gone == 1 && nodes[1].gone == 1);
    close_both();
}
END_TEST

START_TEST(who_is_not_attested_is_told_nothing_and_heard_not)
{
    open_both();
    nodes[0].word = "from one";
    nodes[1].word = "from two";
    world.verdict = E_TCB_STATUS;
    (void)dial_member(&nodes[0].m, 2);
    run_both(2000);
    ck_assert(nodes[0].said == 0 && nodes[1].said == 0 && nodes[0].took == 0 && nodes[1].took == 0);
    ck_assert(nodes[0].m.closed && nodes[0].gone == 0);
    close_both();
}
END_TEST

START_TEST(what_is_refused_ends_the_connection)
{
    open_both();
    nodes[0].word = "from one";
    nodes[1].refuses = true;
    (void)dial_member(&nodes[0].m, 2);
    run_both(2000);
    ck_assert(nodes[1].took == 0 && nodes[0].m.closed == 1 && nodes[0].m.bye == NET_BYE_PROTOCOL);
    ck_assert(nodes[0].gone == 1 && nodes[1].gone == 1);
    close_both();
}
END_TEST

START_TEST(what_is_too_long_is_not_said)
{
    open_both();
    nodes[0].word = "more than the thirty-two bytes that are allowed";
    (void)dial_member(&nodes[0].m, 2);
    run_both(2000);
    ck_assert(nodes[0].said == 1 && nodes[1].took == 0 && nodes[0].m.closed == 0);
    close_both();
}
END_TEST

int main(void)
{
    return UNIT_RUN("side", each_hears_the_other_on_the_attested_connection,
                    who_is_not_attested_is_told_nothing_and_heard_not, what_is_refused_ends_the_connection,
                    what_is_too_long_is_not_said);
}
