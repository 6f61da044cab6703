/* node/p2p/wg.h: several nodes that tell each other their keys, with connections and interfaces that the test plays: who
 * becomes whose peer, and who ceases to be. */
#include "node/p2p/wg.h"

#include <pthread.h>
#include <time.h>

#include "base/crypto/curve25519.h"
#include "base/crypto/secret.h"
#include "base/os/log.h"
#include "tests/unit/unit.h"

#define BLOCK_S 1000000u

/* One node: its wallet, and the interface that it thinks it has. */
typedef struct {
    wg_t *wg;
    side_owner_t side;
    uint8_t secret[ECDSA_SECRET_LEN], static_key[33];
    addr_t wallet;
    bool is_bound; /* its wallet is known */
    pthread_mutex_t lock;
    err_t bad;     /* of check and open */
    unsigned fail; /* changes that fail */
    bool is_open;
    uint8_t index, private_key[WG_KEY_LEN];
    uint16_t port;
    wg_table_t table;
    unsigned opens, looked;
} node_t;

static node_t nodes[4];
static ecdsa_t *ecdsa;
static _Atomic uint64_t now_s;
static addr_t contract = { { 0xc0 } };

static rc_t door_check(void *ctx, err_t *e)
{
    node_t *n = ctx;
    pthread_mutex_lock(&n->lock);
    *e = n->bad;
    pthread_mutex_unlock(&n->lock);
    return e->rc;
}

static rc_t door_open(void *ctx, err_t *e, const uint8_t private_key[WG_KEY_LEN], uint16_t port, uint8_t index)
{
    node_t *n = ctx;
    pthread_mutex_lock(&n->lock);
    *e = n->bad;
    n->is_open = true;
    n->index = index;
    n->port = port;
    memcpy(n->private_key, private_key, WG_KEY_LEN);
    n->table.count = 0;
    n->opens++;
    pthread_mutex_unlock(&n->lock);
    return e->rc;
}

/* As an interface does: an address that another peer still has would be taken from it without a word. */
static rc_t door_apply(void *ctx, err_t *e, const wg_op_t *ops, size_t count)
{
    node_t *n = ctx;
    wg_table_t *t = &n->table;
    rc_t rc = RC_OK;
    pthread_mutex_lock(&n->lock);
    if (n->fail && n->fail--)
        rc = err_say(e, RC_IO, "the interface is gone");
    for (size_t i = 0; i < count && !rc; i++) {
        size_t at = 0;
        while (at < t->count && memcmp(t->peers[at].pubkey, ops[i].peer.pubkey, WG_KEY_LEN) != 0)
            at++;
        ck_assert((at < t->count) == (ops[i].kind != WG_ADD));
        for (size_t k = 0; k < t->count && ops[i].kind == WG_ADD; k++)
            ck_assert_uint_ne(t->peers[k].index, ops[i].peer.index);
        if (ops[i].kind == WG_REMOVE)
            t->peers[at] = t->peers[--t->count];
        else if (ops[i].kind == WG_ADD)
            t->peers[t->count++] = ops[i].peer;
        else
            t->peers[at].endpoint = ops[i].peer.endpoint;
    }
    pthread_mutex_unlock(&n->lock);
    return rc;
}

static void door_close(void *ctx)
{
    node_t *n = ctx;
    pthread_mutex_lock(&n->lock);
    n->is_open = false;
    n->table.count = 0;
    pthread_mutex_unlock(&n->lock);
}

static rc_t sign(void *ctx, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest)
{
    const node_t *n = ctx;
    return n->is_bound ? ecdsa_sign65(ecdsa, out, digest, n->secret) : RC_REFUSED;
}

static uint64_t tell_now(void *ctx)
{
    (void)ctx;
    return now_s;
}

static void looked(void *ctx)
{
    node_t *n = ctx;
    pthread_mutex_lock(&n->lock);
    n->looked++;
    pthread_mutex_unlock(&n->lock);
}

static void start(node_t *n, uint8_t i)
{
    const wg_config_t config = { .contract = contract,
                                 .max_age_s = 1536,
                                 .port = (uint16_t)(WG_PORT + i),
                                 .door = { door_check, door_open, door_apply, door_close, n } };
    const wg_owner_t owner = { sign, tell_now, looked, n };
    uint8_t xy[64], pub[ECDSA_PUBKEY_LEN];
    err_t e;
    *n = (node_t){ .is_bound = true };
    pthread_mutex_init(&n->lock, NULL);
    memset(n->secret, 0x10 + i, sizeof n->secret);
    memset(n->static_key, 0x60 + i, sizeof n->static_key);
    ck_assert_int_eq(ecdsa_pubkey(ecdsa, pub, n->secret), RC_OK);
    ck_assert_int_eq(ecdsa_uncompress(NULL, xy, pub), RC_OK);
    ecdsa_address(&n->wallet, xy);
    ck_assert_int_eq(wg_new(&n->wg, &e, &config), RC_OK);
    wg_side(n->wg, &n->side);
    ck_assert_int_eq(wg_start(n->wg, &e, &owner), RC_OK);
}

static void setup(void)
{
    static const uint8_t blind[32] = { 1 };
    ck_assert_int_eq(secret_init(), RC_OK);
    log_set_level(LOG_ERROR);
    ecdsa = ecdsa_new(blind);
    now_s = BLOCK_S + 12;
    for (uint8_t i = 0; i < 4; i++)
        start(&nodes[i], i);
}

static void teardown(void)
{
    for (unsigned i = 0; i < 4; i++) {
        wg_stop(nodes[i].wg);
        ck_assert(!nodes[i].is_open);
        wg_free(nodes[i].wg);
    }
    ecdsa_free(ecdsa);
}

/* Waits for what the worker does, at most a second: so long may a member be there that is none any more. */
static void until(bool (*is_so)(void))
{
    const struct timespec moment = { .tv_nsec = 2000000 };
    unsigned i = 0;
    while (!is_so() && i++ < 5000)
        nanosleep(&moment, NULL);
    ck_assert(is_so());
}

static unsigned peers_of(unsigned i)
{
    node_t *n = &nodes[i];
    pthread_mutex_lock(&n->lock);
    const unsigned count = n->is_open ? (unsigned)n->table.count : 99;
    pthread_mutex_unlock(&n->lock);
    return count;
}

/* The list: address i + 1 is node i's, as far as bits say. */
static void list(unsigned bits)
{
    wg_seats_t seats = { .block_number = 7, .block_time_s = BLOCK_S };
    for (uint8_t i = 0; i < 4; i++)
        if (bits & 1u << i)
            seats.seats[seats.count++] = (wg_seat_t){ nodes[i].wallet, (uint8_t)(i + 1) };
    for (unsigned i = 0; i < 4; i++)
        wg_list(nodes[i].wg, &seats, &nodes[i].wallet);
}

/* One end of the connection between two nodes, as it sees the other. */
static side_line_t line_of(unsigned own, unsigned peer, maddr_t *addr, uint8_t channel[32])
{
    const unsigned low = own < peer ? own : peer, high = own < peer ? peer : own;
    memset(channel, (int)(16 * low + high), 32);
    *addr = (maddr_t){ .host = MADDR_IP4, .ip = { 192, 0, 2, (uint8_t)peer }, .port = 4001 };
    return (side_line_t){ .number = 100 + peer,
                          .static_key = nodes[peer].static_key,
                          .own_key = nodes[own].static_key,
                          .channel = channel,
                          .expires_s = BLOCK_S + 86400,
                          .addr = addr };
}

/* What own has to say to peer now; n 0: nothing. */
static size_t say(unsigned own, unsigned peer, uint8_t out[WG_MESSAGE_MAX])
{
    maddr_t addr;
    uint8_t channel[32];
    const side_line_t l = line_of(own, peer, &addr, channel);
    wr_t w = wr_of(out, WG_MESSAGE_MAX);
    return nodes[own].side.say(nodes[own].side.ctx, &w, &l) ? w.n : 0;
}

static rc_t hear(unsigned own, unsigned peer, const uint8_t *p, size_t n, bool relayed)
{
    maddr_t addr;
    uint8_t channel[32];
    err_t e;
    side_line_t l = line_of(own, peer, &addr, channel);
    l.relayed = relayed;
    return nodes[own].side.take(nodes[own].side.ctx, &e, &l, view_of(p, n));
}

static void exchange(unsigned a, unsigned b)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    for (unsigned k = 0; k < 2; k++) {
        const unsigned from = k ? b : a, to = k ? a : b;
        const size_t n = say(from, to, bytes);
        ck_assert_uint_ne(n, 0);
        ck_assert_int_eq(hear(to, from, bytes, n, false), RC_OK);
    }
}

static bool all_ready(void)
{
    err_t why;
    for (unsigned i = 0; i < 4; i++)
        if (wg_state(nodes[i].wg, &why) != WG_READY)
            return false;
    return true;
}

static bool all_open(void)
{
    for (unsigned i = 0; i < 4; i++)
        if (peers_of(i) == 99)
            return false;
    return true;
}

static void begin(void)
{
    for (unsigned i = 0; i < 4; i++)
        wg_register(nodes[i].wg);
    until(all_ready);
    list(15);
    until(all_open);
}

static bool two_have_each_other(void)
{
    return peers_of(0) == 1 && peers_of(1) == 1;
}

static bool first_has_one(void)
{
    return peers_of(0) == 1;
}

static bool first_has_two(void)
{
    return peers_of(0) == 2;
}

static bool first_has_none(void)
{
    return peers_of(0) == 0;
}

static bool first_is_shut(void)
{
    return peers_of(0) == 99;
}

START_TEST(members_become_each_others_peers)
{
    uint8_t pub[WG_KEY_LEN], bytes[WG_MESSAGE_MAX];
    ck_assert_uint_eq(say(0, 1, bytes), 0); /* nobody registered */
    begin();
    ck_assert(nodes[1].index == 2 && nodes[1].port == WG_PORT + 1);
    exchange(0, 1);
    until(two_have_each_other);
    const wg_peer_t a = nodes[0].table.peers[0], b = nodes[1].table.peers[0];
    x25519_pubkey(pub, nodes[1].private_key);
    ck_assert_mem_eq(a.pubkey, pub, WG_KEY_LEN);
    x25519_pubkey(pub, nodes[0].private_key);
    ck_assert_mem_eq(b.pubkey, pub, WG_KEY_LEN);
    ck_assert_mem_eq(a.preshared, b.preshared, WG_KEY_LEN); /* of the connection */
    ck_assert(a.index == 2 && b.index == 1);
    ck_assert(a.endpoint.n == 4 && a.endpoint.ip[3] == 1 && a.endpoint.port == WG_PORT + 1);
    ck_assert_uint_eq(say(0, 1, bytes), 0); /* it has been said */
}
END_TEST

/* Whether a text is in what the first one shows. */
static bool first_says(const char *text)
{
    jw_t w = jw_of(NULL, 1u << 16);
    jw_object(&w, NULL);
    wg_put(nodes[0].wg, &w);
    jw_end(&w);
    const view_t shown = jw_done(&w);
    const bool has = memmem(shown.p, shown.n, text, strlen(text)) != NULL;
    jw_free(&w);
    return has;
}

static bool first_refuses_another(void)
{
    return first_says("by the contract's list the address is another's");
}

START_TEST(another_address_than_the_lists_is_refused)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    wg_seats_t lie = { .count = 1, .block_number = 7, .block_time_s = BLOCK_S };
    begin();
    exchange(0, 1);
    lie.seats[0] = (wg_seat_t){ nodes[2].wallet, 2 }; /* 2 takes 1's address */
    wg_list(nodes[2].wg, &lie, &nodes[2].wallet);
    const size_t n = say(2, 0, bytes);
    ck_assert_uint_ne(n, 0);
    ck_assert_int_eq(hear(0, 2, bytes, n, false), RC_OK);
    until(first_refuses_another);
    ck_assert(first_says("\"refused\":[{\"address\":\"10.0.1.2\""));
    ck_assert(!first_says("private"));
    until(first_has_one);
    uint8_t pub[WG_KEY_LEN];
    x25519_pubkey(pub, nodes[1].private_key);
    ck_assert_mem_eq(nodes[0].table.peers[0].pubkey, pub, WG_KEY_LEN);
}
END_TEST

START_TEST(what_was_said_elsewhere_counts_for_nothing)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    begin();
    const size_t n = say(1, 2, bytes); /* to 2, who hands it to 0 as its own */
    ck_assert_int_eq(hear(0, 2, bytes, n, false), RC_OK);
    ck_assert_int_eq(hear(1, 2, bytes, n, false), RC_OK); /* or back */
    exchange(0, 3);
    until(first_has_one);
    ck_assert_uint_eq(nodes[0].table.peers[0].index, 4);
    ck_assert_uint_eq(peers_of(1), 0);
    bytes[n - 1] = 29; /* no such v */
    ck_assert_int_eq(hear(0, 2, bytes, n, false), RC_MALFORMED);
    ck_assert_int_eq(hear(0, 2, bytes, n - 1, false), RC_MALFORMED);
}
END_TEST

START_TEST(no_endpoint_is_taken_from_a_relayed_connection)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    begin();
    const size_t n = say(1, 0, bytes);
    ck_assert_int_eq(hear(0, 1, bytes, n, true), RC_OK);
    until(first_has_one);
    ck_assert(nodes[0].table.peers[0].endpoint.n == 0 && nodes[0].table.peers[0].index == 2);
}
END_TEST

START_TEST(who_leaves_the_list_is_gone_within_a_second)
{
    begin();
    exchange(0, 1);
    exchange(0, 2);
    until(first_has_two);
    list(15 & ~2u);
    until(first_has_one);
    ck_assert_uint_eq(nodes[0].table.peers[0].index, 3);
    list(15 & ~1u); /* we ourselves */
    until(first_is_shut);
}
END_TEST

START_TEST(who_is_attested_no_more_is_gone_within_a_second)
{
    begin();
    exchange(0, 1);
    exchange(0, 2);
    until(first_has_two);
    nodes[0].side.gone(nodes[0].side.ctx, 101);
    until(first_has_one);
    now_s = BLOCK_S + 1537; /* nothing new of the chain: nobody is proven any more */
    until(first_is_shut);
    list(15);
    now_s = BLOCK_S + 1500;
    until(first_has_one);
}
END_TEST

START_TEST(an_address_is_taken_away_before_another_has_it)
{
    wg_seats_t seats = { .count = 2, .block_number = 8, .block_time_s = BLOCK_S + 12 };
    begin();
    exchange(0, 1);
    exchange(0, 2);
    until(first_has_two);
    seats.seats[0] = (wg_seat_t){ nodes[0].wallet, 1 };
    seats.seats[1] = (wg_seat_t){ nodes[2].wallet, 2 }; /* 1 has left, 2 has its address */
    wg_list(nodes[0].wg, &seats, &nodes[0].wallet);
    wg_list(nodes[2].wg, &seats, &nodes[2].wallet);
    until(first_has_none);
    uint8_t bytes[WG_MESSAGE_MAX];
    const size_t n = say(2, 0, bytes); /* says its new address by itself */
    ck_assert_uint_ne(n, 0);
    ck_assert_int_eq(hear(0, 2, bytes, n, false), RC_OK);
    until(first_has_one); /* door_apply has seen to the order */
    ck_assert_uint_eq(nodes[0].table.peers[0].index, 2);
}
END_TEST

START_TEST(an_interface_that_fails_is_made_anew)
{
    begin();
    const unsigned before = nodes[0].opens;
    pthread_mutex_lock(&nodes[0].lock);
    nodes[0].fail = 1;
    pthread_mutex_unlock(&nodes[0].lock);
    exchange(0, 1);
    for (unsigned i = 0; i < 3 && peers_of(0) != 1; i++)
        nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
    ck_assert(peers_of(0) == 1 && nodes[0].opens == before + 1);
}
END_TEST

static bool first_is_hindered(void)
{
    err_t why;
    return wg_state(nodes[0].wg, &why) == WG_HINDERED && !strcmp(why.text, "10.0.1.0/24 is not free");
}

START_TEST(what_hinders_the_interface_is_told_and_tried_again)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    err_t why;
    ck_assert_int_eq(wg_state(nodes[0].wg, &why), WG_IDLE);
    (void)err_say(&nodes[0].bad, RC_REFUSED, "10.0.1.0/24 is not free");
    wg_register(nodes[0].wg);
    until(first_is_hindered);
    list(15);
    ck_assert_uint_eq(say(0, 1, bytes), 0);
    ck_assert(!nodes[0].is_open && nodes[0].looked == 1);
    nodes[0].bad.rc = RC_OK;
    begin();
    ck_assert(nodes[0].is_open && nodes[0].looked == 2);
}
END_TEST

START_TEST(without_a_wallet_nothing_is_said)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    nodes[0].is_bound = false;
    begin();
    ck_assert_uint_eq(say(0, 1, bytes), 0);
    nodes[0].is_bound = true;
    ck_assert_uint_ne(say(0, 1, bytes), 0);
}
END_TEST

START_TEST(another_contracts_member_is_none)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    wg_message_t m;
    err_t e;
    begin();
    size_t n = say(1, 0, bytes);
    ck_assert_int_eq(wg_message_read(&m, &e, view_of(bytes, n)), RC_OK);
    maddr_t addr;
    uint8_t channel[32];
    const side_line_t l = line_of(1, 0, &addr, channel);
    hash32_t digest;
    m.contract.b[0] ^= 1;
    wg_message_digest(&digest, &m, l.channel, l.own_key);
    ck_assert_int_eq(sign(&nodes[1], m.signature, &digest), RC_OK);
    wr_t w = wr_of(bytes, sizeof bytes);
    wg_message_write(&w, &m);
    ck_assert_int_eq(hear(0, 1, bytes, w.n, false), RC_OK);
    exchange(0, 2);
    until(first_has_one);
    ck_assert_uint_eq(nodes[0].table.peers[0].index, 3);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("wg", setup, teardown, members_become_each_others_peers,
                           another_address_than_the_lists_is_refused, what_was_said_elsewhere_counts_for_nothing,
                           no_endpoint_is_taken_from_a_relayed_connection, who_leaves_the_list_is_gone_within_a_second,
                           who_is_attested_no_more_is_gone_within_a_second,
                           an_address_is_taken_away_before_another_has_it, an_interface_that_fails_is_made_anew,
                           what_hinders_the_interface_is_told_and_tried_again, without_a_wallet_nothing_is_said,
                           another_contracts_member_is_none);
}
