/* The file of records and bans: what is written is read again; each truncation and each damage is refused whole. */
#include <stdlib.h>

#include "node/cluster/book_file.h"
#include "tests/unit/net_pair.h"

typedef struct {
    unsigned envelopes, bans;
    uint8_t last[64];
    size_t last_n;
    ban_t ban;
    uint64_t left_ms;
} got_t;

static void got_envelope(void *ctx, view_t envelope)
{
    got_t *g = ctx;
    g->envelopes++;
    g->last_n = envelope.n < sizeof g->last ? envelope.n : sizeof g->last;
    if (g->last_n)
        memcpy(g->last, envelope.p, g->last_n);
}

static void got_ban(void *ctx, const ban_t *ban, uint64_t left_ms)
{
    got_t *g = ctx;
    g->bans++;
    g->ban = *ban;
    g->left_ms = left_ms;
}

static rc_t decode(got_t *g, view_t file)
{
    const book_take_t take = { got_envelope, got_ban, g };
    *g = (got_t){ .envelopes = 0 };
    uint8_t *exact = malloc(file.n ? file.n : 1); /* ASan sees an over-read */
    if (file.n)
        memcpy(exact, file.p, file.n);
    const rc_t rc = book_decode(NULL, view_of(exact, file.n), &take);
    free(exact);
    return rc;
}

static size_t write_file(uint8_t *buf, size_t cap)
{
    wire_id_t id;
    ban_t ban = { .times = 3, .fault = BANS_SLOW, .host = MADDR_IP6, .ip = { 1, 2, 3 } };
    wr_t w = wr_of(buf, cap);
    wire_ed25519(&id, "p");
    book_put_head(&w);
    book_put_envelope(&w, view_str("an envelope"));
    book_put_ban(&w, &ban, 123456);
    peerid_of(&ban.peer, &id.who.key);
    book_put_ban(&w, &ban, UINT32_MAX * 1000ull);
    ck_assert(!w.bad);
    return w.n;
}

START_TEST(what_is_written_is_read)
{
    uint8_t buf[512];
    got_t g;
    const size_t n = write_file(buf, sizeof buf);
    ck_assert_int_eq(decode(&g, view_of(buf, n)), RC_OK);
    ck_assert(g.envelopes == 1 && g.bans == 2 && view_eq(view_of(g.last, g.last_n), view_str("an envelope")));
    ck_assert(g.ban.peer.n == 38 && g.ban.times == 3 && g.ban.fault == BANS_SLOW && g.ban.host == MADDR_IP6);
    ck_assert(g.ban.ip[2] == 3 && g.left_ms == UINT32_MAX * 1000ull);
    buf[n] = 77; /* a kind that is not known: passed over */
    buf[n + 1] = 0, buf[n + 2] = 1, buf[n + 3] = 9;
    ck_assert(decode(&g, view_of(buf, n + 4)) == RC_OK && g.bans == 2);
}
END_TEST

START_TEST(each_truncation_is_refused_or_ends_between_items)
{
    uint8_t buf[512];
    got_t g;
    const size_t n = write_file(buf, sizeof buf), ban = 3 + 26, first = BOOK_HEAD_LEN + 3 + 11;
    for (size_t cut = 0; cut < n; cut++) {
        const bool between = cut == BOOK_HEAD_LEN || cut == first || cut == first + ban;
        const rc_t want = between ? RC_OK : cut < BOOK_HEAD_LEN ? RC_UNSUPPORTED : RC_MALFORMED;
        ck_assert_msg(decode(&g, view_of(buf, cut)) == want, "cut at %zu", cut);
        ck_assert(between || (!g.envelopes && !g.bans)); /* nothing of it is taken */
    }
}
END_TEST

START_TEST(damage_is_refused)
{
    uint8_t buf[512];
    got_t g;
    const size_t n = write_file(buf, sizeof buf), ban = BOOK_HEAD_LEN + 3 + 11 + 3;
    buf[0] ^= 1;
    ck_assert_int_eq(decode(&g, view_of(buf, n)), RC_UNSUPPORTED);
    buf[0] ^= 1;
    buf[ban + 8] = BANS_FLOOD + 1;
    ck_assert_int_eq(decode(&g, view_of(buf, n)), RC_MALFORMED);
    buf[ban + 8] = BANS_FLOOD;
    buf[ban + 9] = MADDR_DNS;
    ck_assert_int_eq(decode(&g, view_of(buf, n)), RC_MALFORMED);
    buf[ban + 9] = MADDR_IP4;
    ck_assert_int_eq(decode(&g, view_of(buf, n)), RC_OK);
    buf[n - 38] ^= 0x40; /* the second ban's id is no multihash any more */
    ck_assert_int_eq(decode(&g, view_of(buf, n)), RC_MALFORMED);
    ck_assert(!g.envelopes && !g.bans);
}
END_TEST

START_TEST(items_have_a_maximum)
{
    const size_t cap = BOOK_HEAD_LEN + 3 * (BOOK_ITEMS_MAX + 1);
    uint8_t *buf = malloc(cap), *big = calloc(1, ENVELOPE_MAX + 1);
    got_t g;
    wr_t w = wr_of(buf, cap);
    book_put_head(&w);
    for (size_t i = 0; i <= BOOK_ITEMS_MAX; i++)
        book_put_envelope(&w, view_of(buf, 0));
    ck_assert_int_eq(decode(&g, view_of(buf, w.n - 3)), RC_OK);
    ck_assert_uint_eq(g.envelopes, BOOK_ITEMS_MAX);
    ck_assert_int_eq(decode(&g, wr_view(&w)), RC_LIMIT);
    free(buf);
    for (size_t over = 0; over < 2; over++) {
        buf = malloc(BOOK_HEAD_LEN + 3 + ENVELOPE_MAX + over);
        w = wr_of(buf, BOOK_HEAD_LEN + 3 + ENVELOPE_MAX + over);
        book_put_head(&w);
        book_put_envelope(&w, view_of(big, ENVELOPE_MAX + over));
        ck_assert(!w.bad);
        ck_assert_int_eq(decode(&g, wr_view(&w)), over ? RC_MALFORMED : RC_OK);
        free(buf);
    }
    free(big);
}
END_TEST

int main(void)
{
    return UNIT_RUN("book_file", what_is_written_is_read, each_truncation_is_refused_or_ends_between_items,
                    damage_is_refused, items_have_a_maximum);
}
