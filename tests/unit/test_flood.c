/* Flood: what reaches whom, once; what is refused; what is told to a new peer. Node i has the static key (i + 2) G. */
#include "overlay/flood.h"
#include "tests/unit/overlay_keys.h"

#define NODES 4u

typedef struct {
    unsigned secret;
    flood_t *f;
    bool linked[NODES], deaf; /* deaf: what comes is lost */
    unsigned delivered, rivals, sends, pulls;
    uint8_t last[8];
} node_t;

static node_t nodes[NODES];
static uint64_t now = 1000;

static rc_t sign_by(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    key_sign(out, ((node_t *)ctx)->secret, digest);
    return RC_OK;
}

static void open(void)
{
    keys_open();
    now = 1000;
    for (unsigned i = 0; i < NODES; i++) {
        nodes[i] = (node_t){ .secret = i + 2 };
        flood_config_t c = { .sign = sign_by, .sign_ctx = &nodes[i], .ecdsa = ecdsa };
        key_point(c.self, i + 2);
        ck_assert_int_eq(flood_new(&nodes[i].f, &c), RC_OK);
    }
}

static void close_all(void)
{
    for (unsigned i = 0; i < NODES; i++)
        flood_free(nodes[i].f);
    flood_free(NULL);
    keys_close();
}

static int index_of(const uint8_t key[33])
{
    for (unsigned i = 0; i < NODES; i++) {
        uint8_t k[33];
        key_point(k, i + 2);
        if (memcmp(k, key, 33) == 0)
            return (int)i;
    }
    return -1;
}

static void deliver(node_t *n, const flood_out_t *out)
{
    n->delivered++;
    n->rivals += out->rival != NULL;
    memset(n->last, 0, sizeof n->last);
    memcpy(n->last, out->message->payload.p, out->message->payload.n < 8 ? out->message->payload.n : 8);
}

static void carry(unsigned from, const flood_out_t *out)
{
    const int to = index_of(out->to);
    uint8_t key[33];
    if (to < 0 || !nodes[from].linked[to] || nodes[to].deaf)
        return;
    key_point(key, from + 2);
    nodes[from].sends += out->kind == FLOOD_SEND;
    nodes[from].pulls += out->kind == FLOOD_PULL;
    rc_t rc = out->kind == FLOOD_SEND  ? flood_take(nodes[to].f, NULL, key, out->message, now)
              : out->kind == FLOOD_IDS ? flood_take_ids(nodes[to].f, key, out->ids, out->id_count, now)
                                       : flood_take_pull(nodes[to].f, key, out->ids, out->id_count, now);
    ck_assert_int_eq(rc, RC_OK);
}

static void settle(void)
{
    flood_out_t out;
    for (bool busy = true; busy;) {
        busy = false;
        for (unsigned i = 0; i < NODES; i++)
            while (flood_poll(nodes[i].f, &out)) {
                busy = true;
                if (out.kind == FLOOD_DELIVER)
                    deliver(&nodes[i], &out);
                else
                    carry(i, &out);
            }
    }
}

static void link_nodes(unsigned i, unsigned j, bool on)
{
    uint8_t a[33], b[33];
    key_point(a, i + 2);
    key_point(b, j + 2);
    nodes[i].linked[j] = nodes[j].linked[i] = on;
    if (on) {
        ck_assert_int_eq(flood_connected(nodes[i].f, b, now), RC_OK);
        ck_assert_int_eq(flood_connected(nodes[j].f, a, now), RC_OK);
    } else {
        flood_gone(nodes[i].f, b);
        flood_gone(nodes[j].f, a);
    }
}

static void publish(unsigned i, const char *text)
{
    ck_assert_int_eq(flood_publish(nodes[i].f, NULL, FLOOD_APPLICATION, view_str(text), now), RC_OK);
    settle();
}

static void assert_delivered(unsigned a, unsigned b, unsigned c, unsigned d)
{
    const unsigned want[] = { a, b, c, d };
    for (unsigned i = 0; i < NODES; i++)
        ck_assert_msg(nodes[i].delivered == want[i], "node %u: %u", i, nodes[i].delivered);
}

/* A message of the key k G, signed. */
static void message(flood_message_t *m, unsigned k, uint64_t seq, view_t payload)
{
    hash32_t id;
    *m = (flood_message_t){ .kind = FLOOD_APPLICATION, .seq = seq, .payload = payload };
    key_point(m->author, k);
    flood_id(&id, m);
    key_sign(m->signature, k, &id);
}

START_TEST(the_id_is_frozen)
{
    uint8_t bytes[128];
    flood_message_t m = { .kind = 3, .seq = 9, .payload = view_str("payload") };
    hash32_t id;
    key_point(m.author, 2);
    wr_t w = wr_of(bytes, sizeof bytes);
    wr_bytes(&w, "kettle-flood/1\0", 16);
    wr_be(&w, 3, 4);
    wr_bytes(&w, m.author, 33);
    wr_be(&w, 9, 8);
    wr_bytes(&w, "payload", 7);
    flood_id(&id, &m);
    assert_frozen("flood: kind 3, author 2G, seq 9, payload", wr_view(&w), &id);
}
END_TEST

START_TEST(a_message_reaches_everybody_once_also_who_is_not_a_neighbour)
{
    link_nodes(0, 1, true); /* a line: 0 1 2 3 */
    link_nodes(1, 2, true);
    link_nodes(2, 3, true);
    settle();
    publish(0, "one");
    assert_delivered(1, 1, 1, 1);
    ck_assert_str_eq((char *)nodes[3].last, "one");
    link_nodes(0, 3, true); /* and a ring */
    settle();
    publish(2, "two");
    assert_delivered(2, 2, 2, 2);
    publish(2, "two"); /* the same words are another message: another seq */
    assert_delivered(3, 3, 3, 3);
}
END_TEST

START_TEST(alone_a_node_hears_itself)
{
    publish(0, "one");
    assert_delivered(1, 0, 0, 0);
}
END_TEST

START_TEST(a_message_is_not_sent_back_to_where_it_came_from)
{
    link_nodes(0, 1, true);
    settle();
    publish(0, "one");
    ck_assert_uint_eq(nodes[1].sends, 0);
    ck_assert_uint_eq(nodes[0].sends, 1);
}
END_TEST

START_TEST(a_new_peer_is_told_and_pulls_what_it_lacks)
{
    publish(0, "one");
    publish(1, "two");
    link_nodes(0, 1, true);
    settle();
    assert_delivered(2, 2, 0, 0);
    ck_assert_uint_eq(nodes[0].pulls + nodes[1].pulls, 2);
    now += FLOOD_KEEP_MS - 1;
    link_nodes(1, 2, true);
    settle();
    assert_delivered(2, 2, 2, 0);
    now += 1; /* ten minutes later nobody tells of it, and who has it does not take it again */
    link_nodes(0, 3, true);
    link_nodes(0, 2, true);
    settle();
    assert_delivered(2, 2, 2, 0);
}
END_TEST

/* Node 2 got it ten minutes after node 0: it does not give it back to node 0, for ever and ever. */
START_TEST(a_message_does_not_come_twice_after_it_expired)
{
    publish(0, "one");
    link_nodes(0, 1, true);
    settle();
    now += FLOOD_KEEP_MS - 1;
    link_nodes(1, 2, true);
    settle();
    now += 10;
    link_nodes(2, 0, true);
    link_nodes(2, 1, true);
    settle();
    assert_delivered(1, 1, 1, 0);
}
END_TEST

START_TEST(what_is_not_the_authors_is_refused)
{
    uint8_t from[33];
    flood_message_t m;
    err_t e;
    key_point(from, 3);
    for (unsigned row = 0; row < 5; row++) {
        message(&m, 9, 1, view_str("payload"));
        switch (row) {
        case 0: m.kind++; break;
        case 1: key_point(m.author, 8); break;
        case 2: m.seq++; break;
        case 3: m.payload = view_str("Payload"); break;
        default: m.signature[10] ^= 1; break;
        }
        ck_assert_msg(flood_take(nodes[0].f, &e, from, &m, now) == RC_REFUSED, "row %u", row);
        ck_assert_str_eq(e.field, "signature");
    }
    message(&m, 9, 1, view_str("payload"));
    ck_assert_int_eq(flood_take(nodes[0].f, &e, from, &m, now), RC_OK);
    ck_assert_int_eq(flood_take(nodes[0].f, &e, from, &m, now), RC_OK); /* known */
    settle();
    ck_assert_uint_eq(nodes[0].delivered, 1);
}
END_TEST

START_TEST(two_messages_under_one_number_are_both_delivered_and_shown_together)
{
    uint8_t from[33];
    flood_message_t m;
    link_nodes(0, 1, true);
    settle();
    key_point(from, 3);
    message(&m, 9, 1, view_str("a"));
    ck_assert_int_eq(flood_take(nodes[0].f, NULL, from, &m, now), RC_OK);
    settle();
    ck_assert_uint_eq(nodes[0].rivals, 0);
    message(&m, 9, 1, view_str("b"));
    ck_assert_int_eq(flood_take(nodes[0].f, NULL, from, &m, now), RC_OK);
    settle();
    ck_assert_uint_eq(nodes[0].delivered, 2);
    ck_assert_uint_eq(nodes[0].rivals, 1);
}
END_TEST

START_TEST(bounds_hold_and_the_rest_still_passes)
{
    static uint8_t big[FLOOD_PAYLOAD_MAX + 1];
    uint8_t from[33], other[33];
    flood_message_t m;
    err_t e;
    key_point(from, 3);
    key_point(other, 4);
    message(&m, 9, 1, view_of(big, FLOOD_PAYLOAD_MAX + 1));
    ck_assert_int_eq(flood_take(nodes[0].f, &e, from, &m, now), RC_LIMIT);
    ck_assert_int_eq(flood_publish(nodes[0].f, &e, 1, m.payload, now), RC_LIMIT);
    message(&m, 9, 1, view_of(big, FLOOD_PAYLOAD_MAX));
    ck_assert_int_eq(flood_take(nodes[0].f, &e, from, &m, now), RC_OK);
    for (uint64_t seq = 2; seq <= FLOOD_PER_AUTHOR_MAX + 1; seq++) {
        message(&m, 9, seq, view_str("x"));
        rc_t rc = flood_take(nodes[0].f, &e, from, &m, now);
        ck_assert_msg(rc == (seq <= FLOOD_PER_AUTHOR_MAX ? RC_OK : RC_LIMIT), "%d", (int)seq);
        settle();
    }
    ck_assert_str_eq(e.field, "author");
    for (unsigned author = 20; author < 30; author++) /* a peer with many authors: others still pass, and so does it */
        for (uint64_t seq = 1; seq <= FLOOD_PER_AUTHOR_MAX; seq++) {
            message(&m, author, seq, view_str("x"));
            ck_assert_int_eq(flood_take(nodes[0].f, &e, from, &m, now), RC_OK);
            settle();
        }
    message(&m, 8, 1, view_str("honest"));
    ck_assert_int_eq(flood_take(nodes[0].f, &e, other, &m, now), RC_OK);
    settle();
    ck_assert_str_eq((char *)nodes[0].last, "honest");
    const unsigned delivered = nodes[0].delivered;
    message(&m, 20, 1, view_str("x")); /* it made room for others, and does not come again */
    ck_assert_int_eq(flood_take(nodes[0].f, &e, from, &m, now), RC_OK);
    settle();
    ck_assert_uint_eq(nodes[0].delivered, delivered);
}
END_TEST

START_TEST(what_generations_need_is_sent_when_all_else_is_too_much)
{
    static const uint32_t of_keys[] = { FLOOD_ACK, FLOOD_COMMIT, FLOOD_EVIDENCE };
    err_t e;
    for (unsigned i = 0; i < FLOOD_PER_AUTHOR_MAX; i++) {
        const rc_t rc = flood_publish(nodes[0].f, &e, i % 2 ? FLOOD_APPLICATION : FLOOD_RELEASE, view_str("x"), now);
        ck_assert_int_eq(rc, i < FLOOD_PER_AUTHOR_MAX - FLOOD_OF_KEYS ? RC_OK : RC_LIMIT);
    }
    for (unsigned i = 0; i < FLOOD_OF_KEYS; i++)
        ck_assert_int_eq(flood_publish(nodes[0].f, &e, of_keys[i % 3], view_str("x"), now), RC_OK);
    ck_assert_int_eq(flood_publish(nodes[0].f, &e, FLOOD_ACK, view_str("x"), now), RC_LIMIT);
}
END_TEST

START_TEST(bytes_that_are_kept_are_bounded)
{
    static uint8_t big[FLOOD_PAYLOAD_MAX];
    uint8_t from[33];
    flood_message_t m;
    key_point(from, 3);
    const unsigned fit = FLOOD_KEPT_BYTES_MAX / FLOOD_PAYLOAD_MAX;
    for (uint64_t i = 0; i < fit + 10; i++) {
        message(&m, 20 + (unsigned)(i / 100), i + 1, view_of(big, sizeof big));
        ck_assert_int_eq(flood_take(nodes[0].f, NULL, from, &m, now), RC_OK);
        settle();
    }
    link_nodes(0, 1, true);
    settle();
    ck_assert_uint_eq(nodes[1].delivered, fit);
    hash32_t ids[2] = { { { 1 } } };
    ck_assert_int_eq(flood_take_ids(nodes[0].f, from, ids, FLOOD_KEPT_MAX + 1, now), RC_LIMIT);
    ck_assert_int_eq(flood_take_pull(nodes[0].f, from, ids, FLOOD_KEPT_MAX + 1, now), RC_LIMIT);
}
END_TEST

START_TEST(peers_are_bounded_and_come_and_go)
{
    flood_out_t out;
    publish(0, "one");
    for (unsigned i = 0; i < FLOOD_PEERS_MAX + 1; i++) {
        uint8_t key[33] = { 2, (uint8_t)i };
        ck_assert_int_eq(flood_connected(nodes[0].f, key, now), i < FLOOD_PEERS_MAX ? RC_OK : RC_LIMIT);
    }
    unsigned told = 0;
    while (flood_poll(nodes[0].f, &out))
        told += out.kind == FLOOD_IDS && out.id_count == 1;
    ck_assert_uint_eq(told, FLOOD_PEERS_MAX);
    uint8_t first[33] = { 2 }, stranger[33] = { 9 };
    flood_gone(nodes[0].f, first);
    flood_gone(nodes[0].f, stranger);
    ck_assert_int_eq(flood_publish(nodes[0].f, NULL, 1, view_str("x"), now), RC_OK);
    unsigned sent = 0;
    while (flood_poll(nodes[0].f, &out)) {
        sent += out.kind == FLOOD_SEND;
        ck_assert(memcmp(out.to, first, 33) != 0);
    }
    ck_assert_uint_eq(sent, FLOOD_PEERS_MAX - 1);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "flood", open, close_all, the_id_is_frozen, a_message_reaches_everybody_once_also_who_is_not_a_neighbour,
        alone_a_node_hears_itself, a_message_is_not_sent_back_to_where_it_came_from,
        a_new_peer_is_told_and_pulls_what_it_lacks, a_message_does_not_come_twice_after_it_expired,
        what_is_not_the_authors_is_refused, two_messages_under_one_number_are_both_delivered_and_shown_together,
        bounds_hold_and_the_rest_still_passes, what_generations_need_is_sent_when_all_else_is_too_much,
        bytes_that_are_kept_are_bounded, peers_are_bounded_and_come_and_go);
}
