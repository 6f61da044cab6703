/* Kademlia's FIND_NODE: its bytes, and the search: who is asked, what is told and dialled, and what liars come to. */
#include "overlay/lookup.h"
#include "overlay/wire/proto.h"
#include "tests/unit/wire_id.h"

#define OUTSIDE "/ip4/198.51.100.1/tcp/4001"

static lookup_t l;
static peerid_t target, self;

/* ---- makers ---- */

static peerid_t id_of(const char *word)
{
    peerid_t id = { .n = 34, .b = { 0x12, 0x20 } };
    hash32_t h;
    sha256(&h, view_str(word));
    memcpy(id.b + 2, h.b, sizeof h.b);
    return id;
}

static peerid_t nth(unsigned i)
{
    char word[16];
    snprintf(word, sizeof word, "peer %u", i);
    return id_of(word);
}

static maddr_t addr_of(const char *text, const peerid_t *id)
{
    maddr_t m;
    err_t e;
    ck_assert_msg(maddr_read_text(&m, &e, view_str(text)) == RC_OK, "%s: %s", text, e.text);
    if (id)
        m.peer = *id;
    return m;
}

/* An answer, peer by peer. */
typedef struct {
    uint8_t bytes[2 * KAD_MESSAGE_MAX];
    wr_t w;
} made_t;
static made_t made;

static void begin_answer(void)
{
    made.w = wr_of(made.bytes, sizeof made.bytes);
    pb_put_u64(&made.w, 1, 4);
}

static void put_addr(const char *text)
{
    uint8_t bytes[MADDR_BYTES_MAX];
    wr_t w = wr_of(bytes, sizeof bytes);
    const maddr_t m = addr_of(text, NULL);
    maddr_write(&w, &m);
    pb_put_bytes(&made.w, 2, wr_view(&w));
}

static void tell(const peerid_t *id, const char *const *addrs)
{
    const size_t mark = pb_begin(&made.w, 8);
    pb_put_bytes(&made.w, 1, peerid_view(id));
    for (; *addrs; addrs++)
        put_addr(*addrs);
    pb_end(&made.w, mark);
}

static void tell_at(const peerid_t *id, const char *addr)
{
    tell(id, (const char *const[]){ addr, NULL });
}

static view_t answer(void)
{
    ck_assert(!made.w.bad);
    return wr_view(&made.w);
}

static rc_t read_answer(kad_answer_t *out)
{
    return kad_read(out, NULL, answer());
}

static void begin(void)
{
    target = id_of("target");
    self = id_of("self");
    lookup_init(&l, &target, &self, 1000);
    begin_answer();
}

static void seed(const char *word, const char *at)
{
    const peerid_t id = id_of(word);
    const maddr_t m = addr_of(at, &id);
    ck_assert_int_eq(lookup_seed(&l, &m), RC_OK);
}

static size_t next(void)
{
    const size_t t = lookup_next(&l, 1000);
    ck_assert_uint_ne(t, LOOKUP_NONE);
    return t;
}

static const peerid_t *asked(size_t t)
{
    ck_assert(!l.tries[t].target);
    return &l.tries[t].at.peer;
}

/* ---- bytes ---- */

static const char REQUEST[] = "2a080412260024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";
static const char ANSWER[] =
    "0804423d0a221220f8b7f4089381a43b15089059c7780841ebd1986497eb44a2c968d9c06d9732131208047f00"
    "0001060fa1120b04cb00710591020fa1cd0318015001";

START_TEST(the_question_has_these_bytes)
{
    uint8_t key[40], out[KAD_REQUEST_MAX];
    peerid_t id;
    wr_t w = wr_of(out, sizeof out);
    ck_assert_int_eq(
        peerid_read(&id, wire_hex(key, sizeof key,
                                  "0024080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e")),
        RC_OK);
    kad_find_node(&w, &id);
    ck_assert(!w.bad);
    CK_VIEW_IS(wr_view(&w), REQUEST);
}
END_TEST

START_TEST(an_answer_is_read_from_these_bytes_and_from_no_beginning_of_them)
{
    uint8_t bytes[128];
    char text[MADDR_TEXT_MAX + 1];
    const view_t whole = wire_hex(bytes, sizeof bytes, ANSWER);
    const peerid_t kad = id_of("kad");
    static kad_answer_t got;
    ck_assert_int_eq(kad_read(&got, NULL, whole), RC_OK);
    ck_assert_uint_eq(got.count, 1);
    ck_assert(peerid_eq(&got.peers[0].id, &kad));
    ck_assert_uint_eq(got.peers[0].addr_count, 2);
    maddr_text(text, &got.peers[0].addrs[1]);
    ck_assert_int_eq(strncmp(text, "/ip4/203.0.113.5/udp/4001/quic-v1/p2p/Qm", 40), 0);
    for (size_t n = 0; n < whole.n; n++) {
        uint8_t *cut = wire_exact(view_of(whole.p, n));
        const rc_t rc = kad_read(&got, NULL, view_of(cut, n));
        if (n == 2 || n == whole.n - 2) /* between two fields */
            ck_assert(rc == RC_OK && got.count == (n > 2));
        else
            ck_assert_int_eq(rc, RC_MALFORMED);
        free(cut);
    }
}
END_TEST

START_TEST(what_is_no_answer_to_the_question_is_refused)
{
    static const char *const bad[] = {
        "",                 /* PUT_VALUE, as protobuf leaves a zero out */
        "0803",             /* GET_PROVIDERS */
        "080442020a00",     /* a peer without an id */
        "08044200",         /* ... without anything */
        "080442040a02ffff", /* ... with none that is one */
        "0a0104",           /* the type as bytes */
        "08044004",         /* a peer as a number */
        "080442040802ffff", /* an id as a number */
        "0804ff",           /* no field */
    };
    uint8_t bytes[64];
    static kad_answer_t got;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(kad_read(&got, NULL, wire_hex(bytes, sizeof bytes, bad[i])) == RC_MALFORMED, "%s", bad[i]);
}
END_TEST

START_TEST(an_answer_has_maxima)
{
    static kad_answer_t got;
    const peerid_t id = id_of("one");
    for (unsigned i = 0; i <= KAD_PEERS_MAX; i++) {
        ck_assert_int_eq(read_answer(&got), RC_OK);
        ck_assert_uint_eq(got.count, i);
        tell_at(&id, OUTSIDE);
    }
    ck_assert_int_eq(read_answer(&got), RC_LIMIT);
    for (unsigned told = KAD_TOLD_MAX; told <= KAD_TOLD_MAX + 1; told++) {
        const char *addrs[KAD_TOLD_MAX + 2] = { NULL };
        for (unsigned i = 0; i < told; i++)
            addrs[i] = OUTSIDE;
        begin_answer();
        tell(&id, addrs);
        ck_assert_int_eq(read_answer(&got), told > KAD_TOLD_MAX ? RC_LIMIT : RC_OK);
        ck_assert_uint_eq(got.count ? got.peers[0].addr_count : 0, told > KAD_TOLD_MAX ? 0 : KAD_ADDRS_MAX);
    }
    begin_answer();
    static const uint8_t large[KAD_MESSAGE_MAX];
    pb_put_bytes(&made.w, 100, view_of(large, sizeof large));
    ck_assert_int_eq(read_answer(&got), RC_LIMIT);
}
END_TEST

START_TEST(addresses_that_cannot_be_dialled_as_they_are_are_passed_over)
{
    static kad_answer_t got;
    static const uint8_t websocket[] = { 0x04, 198, 51, 100, 1, 0x06, 0x0f, 0xa1, 0xdd, 0x03 };
    const peerid_t id = id_of("one"), other = id_of("other");
    char with_other[MADDR_TEXT_MAX], relayed[MADDR_TEXT_MAX], name[PEERID_TEXT_MAX + 1];
    peerid_text(name, &other);
    snprintf(with_other, sizeof with_other, OUTSIDE "/p2p/%s", name);
    snprintf(relayed, sizeof relayed, OUTSIDE "/p2p/%s/p2p-circuit", name);
    const size_t mark = pb_begin(&made.w, 8);
    put_addr("/dns4/node.example/tcp/4001");
    put_addr(with_other);
    put_addr(relayed);
    put_addr("/ip4/198.51.100.1/tcp/0");
    pb_put_bytes(&made.w, 2, view_of(websocket, sizeof websocket));
    pb_put_bytes(&made.w, 2, view_str("no address"));
    put_addr(OUTSIDE);
    pb_put_bytes(&made.w, 1, peerid_view(&id)); /* behind them */
    pb_end(&made.w, mark);
    ck_assert_int_eq(read_answer(&got), RC_OK);
    ck_assert_uint_eq(got.peers[0].addr_count, 1);
    const maddr_t want = addr_of(OUTSIDE, &id);
    ck_assert(maddr_eq(&got.peers[0].addrs[0], &want));
}
END_TEST

/* ---- the search ---- */

#define WORLD 500u
static unsigned greatest; /* tries under way at once */

/* XOR of the hashes, for the test's own order. */
static hash32_t xor_of(const peerid_t *a, const peerid_t *b)
{
    hash32_t x, y;
    sha256(&x, peerid_view(a));
    sha256(&y, peerid_view(b));
    for (size_t i = 0; i < sizeof x.b; i++)
        x.b[i] ^= y.b[i];
    return x;
}

/* A world of peers where each knows those whose numbers are near its own in the order of distance to the target: the
 * search goes from far to near. The nearest knows the target. */
static unsigned order[WORLD];

static int by_distance(const void *a, const void *b)
{
    const peerid_t x = nth(*(const unsigned *)a), y = nth(*(const unsigned *)b);
    const hash32_t dx = xor_of(&x, &target), dy = xor_of(&y, &target);
    return memcmp(dx.b, dy.b, sizeof dx.b);
}

static void answer_from(size_t rank)
{
    begin_answer();
    for (size_t i = 0; i < 20 && rank; i++) {
        const peerid_t id = nth(order[rank / 4 + i]);
        if (rank / 4 + i < rank)
            tell_at(&id, OUTSIDE);
    }
    if (!rank)
        tell_at(&target, "/ip4/203.0.113.9/udp/4011/quic-v1");
}

static size_t rank_of(const peerid_t *id)
{
    for (size_t i = 0; i < WORLD; i++) {
        const peerid_t p = nth(order[i]);
        if (peerid_eq(&p, id))
            return i;
    }
    ck_abort_msg("nobody has that id");
}

START_TEST(the_search_goes_to_the_nearest_and_finds_the_target)
{
    const maddr_t want = addr_of("/ip4/203.0.113.9/udp/4011/quic-v1", &target);
    for (unsigned i = 0; i < WORLD; i++)
        order[i] = i;
    qsort(order, WORLD, sizeof *order, by_distance);
    const peerid_t first = nth(order[WORLD - 1]);
    const maddr_t at = addr_of(OUTSIDE, &first);
    ck_assert_int_eq(lookup_seed(&l, &at), RC_OK);
    size_t open[LOOKUP_TRIES], n = 0;
    for (;;) {
        size_t t;
        while ((t = lookup_next(&l, 1000)) != LOOKUP_NONE && !l.tries[t].target)
            open[n++] = t;
        greatest = n > greatest ? (unsigned)n : greatest;
        if (t != LOOKUP_NONE) {
            ck_assert(maddr_eq(&l.tries[t].at, &want));
            break;
        }
        ck_assert_uint_gt(n, 0);
        answer_from(rank_of(asked(open[0])));
        lookup_answer(&l, open[0], answer());
        memmove(open, open + 1, --n * sizeof *open);
    }
    ck_assert_uint_le(greatest, LOOKUP_AT_ONCE);
    ck_assert_uint_le(l.asked_count, LOOKUP_ASKED_MAX);
    ck_assert_uint_gt(l.asked_count, 4);
}
END_TEST

START_TEST(a_target_that_does_not_answer_there_is_searched_on)
{
    seed("liar", OUTSIDE);
    seed("honest", "/ip4/198.51.100.2/tcp/4001");
    const size_t one = next(), two = next();
    tell_at(&target, "/ip4/203.0.113.66/tcp/1");
    lookup_answer(&l, one, answer());
    size_t t = next();
    ck_assert(l.tries[t].target && l.tries[t].at.port == 1);
    ck_assert_msg(peerid_eq(&l.tries[t].at.peer, &target), "nobody else is taken there");
    lookup_failed(&l, t);
    ck_assert(!lookup_over(&l, 1000));
    begin_answer();
    tell_at(&target, "/ip4/203.0.113.9/tcp/2");
    lookup_answer(&l, two, answer());
    t = next();
    ck_assert(l.tries[t].target && l.tries[t].at.port == 2);
    lookup_failed(&l, t);
    ck_assert(lookup_over(&l, 1000));
}
END_TEST

/* Whether a peer reached at one address may tell another, of the target and of a third one. */
static bool may_tell(const char *teller, const char *at)
{
    const peerid_t third = id_of("third");
    begin();
    seed("teller", teller);
    const size_t t = next();
    tell_at(&target, at);
    tell_at(&third, at);
    lookup_answer(&l, t, answer());
    const size_t a = lookup_next(&l, 1000), b = lookup_next(&l, 1000);
    ck_assert((a == LOOKUP_NONE) == (b == LOOKUP_NONE));
    return a != LOOKUP_NONE;
}

START_TEST(nobody_outside_has_an_address_within_dialled)
{
    static const char *const within[] = { "/ip4/10.0.0.1/tcp/80",     "/ip4/192.168.0.1/tcp/80",
                                          "/ip4/172.16.0.1/tcp/80",   "/ip4/169.254.169.254/tcp/80",
                                          "/ip4/100.64.0.1/tcp/80",   "/ip6/fd00::1/tcp/80",
                                          "/ip6/::ffff:a00:1/tcp/80", "/ip6/::ffff:7f00:1/tcp/80",
                                          "/ip4/127.0.0.1/tcp/80",    "/ip6/::1/tcp/80" };
    static const char *const nowhere[] = { "/ip4/0.0.0.0/tcp/80",   "/ip4/255.255.255.255/tcp/80",
                                           "/ip4/224.0.0.1/tcp/80", "/ip6/::/tcp/80",
                                           "/ip6/fe80::1/tcp/80",   "/ip6/ff02::1/tcp/80" };
    for (size_t i = 0; i < sizeof within / sizeof *within; i++) {
        ck_assert_msg(!may_tell(OUTSIDE, within[i]), "%s", within[i]);
        ck_assert_msg(may_tell("/ip4/127.0.0.1/tcp/4001", within[i]), "%s", within[i]);
    }
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++)
        ck_assert_msg(!may_tell("/ip4/127.0.0.1/tcp/4001", nowhere[i]), "%s", nowhere[i]);
    ck_assert(may_tell(OUTSIDE, "/ip4/203.0.113.1/tcp/80"));
    ck_assert(may_tell(OUTSIDE, "/ip6/2001:db8::1/tcp/80"));
    ck_assert(may_tell("/ip4/10.0.0.7/tcp/1", "/ip4/10.0.0.1/tcp/80"));
    ck_assert_msg(!may_tell("/ip4/10.0.0.7/tcp/1", "/ip4/127.0.0.1/tcp/80"), "this machine, from another");
}
END_TEST

/* Answers every question with as many peers as may be. Returns how many were asked. */
static unsigned flood(void)
{
    unsigned questions = 0;
    size_t open[LOOKUP_TRIES], n = 0;
    do {
        for (size_t t; (t = lookup_next(&l, 1000)) != LOOKUP_NONE;)
            open[n++] = t;
        ck_assert_uint_le(n, LOOKUP_AT_ONCE);
        if (!n)
            break;
        begin_answer();
        for (unsigned i = 0; i < KAD_PEERS_MAX; i++) {
            const peerid_t id = nth(1000 * questions + i);
            tell_at(&id, OUTSIDE);
        }
        questions++;
        lookup_answer(&l, open[--n], answer());
    } while (questions < 1000);
    return questions;
}

START_TEST(liars_are_asked_no_longer_than_that_and_do_not_push_a_bootstrap_peer_out)
{
    for (unsigned i = 0; i < LOOKUP_SEEDS_MAX; i++) {
        char word[8];
        snprintf(word, sizeof word, "s%u", i);
        seed(word, OUTSIDE);
    }
    const peerid_t more = id_of("one more");
    const maddr_t at = addr_of(OUTSIDE, &more);
    ck_assert_int_eq(lookup_seed(&l, &at), RC_LIMIT);
    ck_assert_uint_eq(flood(), LOOKUP_ASKED_MAX);
    ck_assert(lookup_over(&l, 1000));
    ck_assert_uint_le(l.known_count, LOOKUP_KNOWN);
    for (size_t i = 0, seeds = 0; i < l.known_count; i++) {
        seeds += l.known[i].seed;
        ck_assert(!l.known[i].seed || l.known[i].over);
        ck_assert(i + 1 < l.known_count || seeds == LOOKUP_SEEDS_MAX);
    }
}
END_TEST

START_TEST(of_the_target_one_peer_tells_four_addresses_and_all_of_them_sixteen)
{
    for (unsigned i = 0; i < 6; i++) {
        char word[8];
        snprintf(word, sizeof word, "s%u", i);
        seed(word, OUTSIDE);
    }
    for (unsigned i = 0; i < 6; i++) {
        begin_answer();
        for (unsigned k = 0; k < 2; k++) {
            char text[4][40];
            for (unsigned j = 0; j < 4; j++)
                snprintf(text[j], sizeof text[j], "/ip4/203.0.113.1/tcp/%u", 1 + 8 * i + 4 * k + j);
            tell(&target, (const char *const[]){ text[0], text[1], text[2], text[3], NULL });
        }
        size_t t = next();
        while (l.tries[t].target) {
            lookup_failed(&l, t);
            t = next();
        }
        lookup_answer(&l, t, answer());
        ck_assert_uint_eq(l.told_count, i < 2 ? 4 * (i + 1) : l.told_count);
        ck_assert_uint_le(l.told_count, LOOKUP_TARGET_ADDRS);
    }
    ck_assert_uint_eq(l.told_count, LOOKUP_TARGET_ADDRS);
}
END_TEST

START_TEST(a_peer_is_tried_at_its_next_address_and_nobody_beyond_his_time)
{
    const peerid_t id = id_of("two");
    const maddr_t second = addr_of("/ip4/198.51.100.2/tcp/4001", &id);
    seed("two", OUTSIDE);
    ck_assert_int_eq(lookup_seed(&l, &second), RC_OK);
    size_t t = next();
    ck_assert_uint_eq(lookup_next(&l, 1000), LOOKUP_NONE);
    ck_assert_uint_eq(lookup_late(&l, 1000 + LOOKUP_TRY_MS - 1), LOOKUP_NONE);
    ck_assert_uint_eq(lookup_late(&l, 1000 + LOOKUP_TRY_MS), t);
    lookup_failed(&l, t);
    lookup_failed(&l, t); /* once is enough */
    t = next();
    ck_assert(maddr_eq(&l.tries[t].at, &second));
    ck_assert_uint_eq(l.asked_count, 1);
    lookup_answer(&l, t, view_str("nonsense"));
    ck_assert(lookup_over(&l, 1000));
    begin();
    seed("two", OUTSIDE);
    ck_assert(!lookup_over(&l, 1000 + LOOKUP_MS - 1));
    ck_assert(lookup_over(&l, 1000 + LOOKUP_MS));
    ck_assert_uint_eq(lookup_next(&l, 1000 + LOOKUP_MS), LOOKUP_NONE);
}
END_TEST

START_TEST(a_bootstrap_peer_has_its_id_and_a_number)
{
    const peerid_t id = id_of("one");
    const maddr_t bare = addr_of(OUTSIDE, NULL), name = addr_of("/dns4/node.example/tcp/1", &id),
                  itself = addr_of(OUTSIDE, &target);
    ck_assert_int_eq(lookup_seed(&l, &bare), RC_REFUSED);
    ck_assert_int_eq(lookup_seed(&l, &name), RC_REFUSED);
    ck_assert_int_eq(lookup_seed(&l, &itself), RC_OK);
    ck_assert(l.tries[next()].target);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "kad", begin, NULL, the_question_has_these_bytes,
        an_answer_is_read_from_these_bytes_and_from_no_beginning_of_them, what_is_no_answer_to_the_question_is_refused,
        an_answer_has_maxima, addresses_that_cannot_be_dialled_as_they_are_are_passed_over,
        the_search_goes_to_the_nearest_and_finds_the_target, a_target_that_does_not_answer_there_is_searched_on,
        nobody_outside_has_an_address_within_dialled,
        liars_are_asked_no_longer_than_that_and_do_not_push_a_bootstrap_peer_out,
        of_the_target_one_peer_tells_four_addresses_and_all_of_them_sixteen,
        a_peer_is_tried_at_its_next_address_and_nobody_beyond_his_time, a_bootstrap_peer_has_its_id_and_a_number);
}
