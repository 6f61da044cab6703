/* node/cluster/listed.c, with the overlay played by the test: which cluster is one to join, and a node that is in another
 * one than the contract names. */
#include "base/os/log.h"
#include "node/cluster/parts.h"
#include "tests/unit/unit.h"

static cluster_t *c;
static entry_proof_t proofs[2];
static entry_signed_t first;
static bool has_newest, has_first;
static uint8_t own_cluster[33]; /* zeros: not known */
static size_t committed, rank;
static join_member_t member;

size_t __wrap_peers_rank(const peers_t *p, const peerid_t *peer);
bool __wrap_peers_names(const peers_t *p, const maddr_t *from);
const peerid_t *__wrap_net_peer(const net_conn_t *conn);
const maddr_t *__wrap_net_addr(const net_conn_t *conn);
const entry_proof_t *__wrap_join_newest(const join_t *j);
const entry_signed_t *__wrap_join_first(const join_t *j);
const gen_t *__wrap_join_generations(const join_t *j);
size_t __wrap_gen_committed(const gen_t *g, const entry_proof_t **out, size_t cap);
const uint8_t *__wrap_gen_cluster(const gen_t *g);
bool __wrap_net_dialled(const net_conn_t *conn);
rc_t __wrap_join_judge_order(const join_t *j, err_t *e, const order_signed_t *order);

static bool dialled, named_at;
static unsigned judged;
static maddr_t addr;

bool __wrap_net_dialled(const net_conn_t *conn)
{
    (void)conn;
    return dialled;
}

rc_t __wrap_join_judge_order(const join_t *j, err_t *e, const order_signed_t *order)
{
    (void)j, (void)e, (void)order;
    judged++;
    return RC_REPLAY;
}

size_t __wrap_peers_rank(const peers_t *p, const peerid_t *peer)
{
    (void)p, (void)peer;
    return rank;
}

bool __wrap_peers_names(const peers_t *p, const maddr_t *from)
{
    (void)p;
    ck_assert_ptr_eq(from, &addr);
    return named_at;
}

const maddr_t *__wrap_net_addr(const net_conn_t *conn)
{
    (void)conn;
    return &addr;
}

const peerid_t *__wrap_net_peer(const net_conn_t *conn)
{
    static const peerid_t id;
    (void)conn;
    return &id;
}

const entry_proof_t *__wrap_join_newest(const join_t *j)
{
    (void)j;
    return has_newest ? &proofs[1] : NULL;
}

const entry_signed_t *__wrap_join_first(const join_t *j)
{
    (void)j;
    return has_first ? &first : NULL;
}

const gen_t *__wrap_join_generations(const join_t *j)
{
    return (const gen_t *)(const void *)j;
}

size_t __wrap_gen_committed(const gen_t *g, const entry_proof_t **out, size_t cap)
{
    (void)g, (void)cap;
    for (size_t i = 0; i < committed; i++)
        out[i] = &proofs[i];
    return committed;
}

const uint8_t *__wrap_gen_cluster(const gen_t *g)
{
    (void)g;
    return own_cluster[0] ? own_cluster : NULL;
}

/* A cluster whose first key is 1 and whose newest is 2; the contract was read, and names none. */
static void setup(void)
{
    c = calloc(1, sizeof *c);
    pthread_mutex_init(&c->lock, NULL);
    c->with.by_list = true;
    c->anchor = (muster_anchor_t){ .is_known = true };
    memset(proofs, 0, sizeof proofs);
    first = (entry_signed_t){ .entry = { .pubkey = { 2, 1 } } };
    proofs[0].entry = first;
    proofs[1] = (entry_proof_t){ .has_order = true,
                                 .order = { .order = { .cluster = { 2, 1 } } },
                                 .entry = { .entry = { .pubkey = { 2, 2 } } } };
    member = (join_member_t){ .first = &first.entry };
    has_newest = has_first = true;
    memset(own_cluster, 0, sizeof own_cluster);
    committed = 2;
    rank = 0;
    log_set_level(LOG_ERROR);
}

static void teardown(void)
{
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void name_key(uint8_t nth)
{
    c->anchor = (muster_anchor_t){ .is_known = true, .has_key = true, .key = { 2, nth } };
}

START_TEST(without_a_key_the_cluster_of_who_answers_at_a_listed_address_is_one_to_join)
{
    ck_assert(listed_admits(c, &member));
    rank = SIZE_MAX; /* who only dialled us */
    ck_assert(!listed_admits(c, &member));
    c->with.by_list = false;
    ck_assert(listed_admits(c, &member));
}
END_TEST

START_TEST(before_the_list_was_read_nothing_is_joined)
{
    c->anchor.is_known = false;
    ck_assert(!listed_admits(c, &member));
    name_key(1);
    c->anchor.is_known = false;
    ck_assert(!listed_admits(c, &member));
}
END_TEST

START_TEST(cluster_whose_keys_have_the_named_one_is_joined_from_wherever)
{
    rank = SIZE_MAX;
    name_key(1);
    ck_assert(listed_admits(c, &member));
    name_key(2);
    ck_assert(listed_admits(c, &member));
    has_newest = false;
    ck_assert(!listed_admits(c, &member));
    has_newest = true;
    proofs[1].order.order.cluster[1] = 9; /* the newest key that is known is of another cluster */
    ck_assert(!listed_admits(c, &member));
    name_key(3);
    rank = 0;
    ck_assert(!listed_admits(c, &member));
}
END_TEST

static const char *look(void)
{
    listed_look(c);
    return c->astray;
}

START_TEST(node_in_another_cluster_than_the_contract_names_signs_no_more)
{
    c->keys.is_in_use = true;
    ck_assert_str_eq(look(), "");
    name_key(1);
    ck_assert_str_eq(look(), "");
    name_key(7);
    const unsigned long long before = atomic_load(&c->silenced);
    ck_assert_str_eq(look(), "the contract names another cluster's key than this node's");
    ck_assert_uint_eq(atomic_load(&c->silenced), before + 1);
    c->anchor.is_known = false; /* to hide the list is no way out */
    ck_assert_str_ne(look(), "");
    ck_assert_uint_eq(atomic_load(&c->silenced), before + 1);
    name_key(2);
    ck_assert_str_eq(look(), "");
    ck_assert_uint_eq(atomic_load(&c->silenced), before + 2);
}
END_TEST

START_TEST(generation_that_the_contract_named_and_that_is_forgotten_since_is_still_ours)
{
    c->keys.is_in_use = true;
    name_key(2);
    ck_assert_str_eq(look(), "");
    committed = 1;
    ck_assert_str_eq(look(), "");
    name_key(1);
    committed = 0;
    ck_assert_str_eq(look(), "");
    has_first = false;
    c->with.by_list = false;
    name_key(7);
    ck_assert_str_eq(look(), "");
}
END_TEST

/* As after a key was brought back whose kept file has no first entry. */
START_TEST(cluster_whose_first_entry_is_lost_is_still_ours)
{
    c->keys.is_in_use = true;
    has_first = false;
    committed = 0;
    name_key(1);
    ck_assert_str_ne(look(), "");
    own_cluster[0] = 2;
    own_cluster[1] = 1;
    ck_assert_str_eq(look(), "");
}
END_TEST

START_TEST(node_without_a_key_is_nowhere_yet)
{
    name_key(7);
    ck_assert_str_eq(look(), "");
}
END_TEST

/* Whether an order of a cluster is looked at that came on a connection. */
static bool is_looked_at(bool by_us, size_t of_rank)
{
    const order_signed_t order = { .order = { .cluster = { 2, 1 } } };
    const unsigned before = judged;
    dialled = by_us;
    rank = of_rank;
    keys_ordered(c, NULL, &order);
    return judged != before;
}

START_TEST(which_cluster_an_order_is_of_is_for_named_peers_to_say)
{
    static config_t config;
    c->with.config = &config;
    for (unsigned named = 0; named < 3; named++) { /* nobody, by the list, by the configuration */
        c->with.by_list = named == 1;
        config.peer_count = named == 2;
        own_cluster[0] = 0;
        ck_assert(is_looked_at(true, SIZE_MAX) && is_looked_at(false, 0));
        ck_assert_int_eq(is_looked_at(false, SIZE_MAX), named == 0);
        named_at = true; /* it comes from an address that the operator named, which our own dials do not reach */
        ck_assert(is_looked_at(false, SIZE_MAX));
        addr.circuit = true;
        ck_assert_int_eq(is_looked_at(false, SIZE_MAX), named == 0);
        named_at = addr.circuit = false;
        own_cluster[0] = 2; /* it knows which is its own: then orders count by their signers, whoever brings them */
        ck_assert(is_looked_at(false, SIZE_MAX));
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "cluster_listed", setup, teardown, without_a_key_the_cluster_of_who_answers_at_a_listed_address_is_one_to_join,
        before_the_list_was_read_nothing_is_joined, cluster_whose_keys_have_the_named_one_is_joined_from_wherever,
        node_in_another_cluster_than_the_contract_names_signs_no_more,
        generation_that_the_contract_named_and_that_is_forgotten_since_is_still_ours,
        cluster_whose_first_entry_is_lost_is_still_ours, which_cluster_an_order_is_of_is_for_named_peers_to_say,
        node_without_a_key_is_nowhere_yet);
}
