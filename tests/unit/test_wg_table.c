/* node/p2p/wg_table.h: who is a peer of the WireGuard interface, and what is done in which order to come there. */
#include "node/p2p/wg_table.h"

#include "base/crypto/curve25519.h"
#include "base/crypto/kdf.h"
#include "base/crypto/secret.h"
#include "tests/unit/unit.h"

#define BLOCK_S 1000000u
#define MAX_AGE 1536u

static wg_seats_t seats;
static wg_claim_t claims[8];
static wg_verdict_t verdicts[WG_CLAIMS_MAX];
static wg_view_t view;
static wg_table_t want, have;
static wg_op_t ops[WG_OPS_MAX];

static addr_t wallet(uint8_t i)
{
    addr_t a;
    memset(a.b, 0xa0 + i, sizeof a.b);
    return a;
}

static void pubkey_of(uint8_t out[WG_KEY_LEN], uint8_t i)
{
    uint8_t secret[X25519_LEN];
    memset(secret, i, sizeof secret);
    x25519_pubkey(out, secret);
}

/* What member i says on a line: its own address, i. */
static wg_claim_t claim(uint8_t i, uint64_t line)
{
    wg_claim_t c = { .line = line,
                     .expires_s = BLOCK_S + 86400,
                     .wallet = wallet(i),
                     .index = i,
                     .endpoint = { 4, { 192, 0, 2, i }, WG_PORT } };
    memset(c.channel, (int)line, sizeof c.channel);
    pubkey_of(c.pubkey, i);
    return c;
}

/* We are 1; members 1 to 4 are listed. */
static void setup(void)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    memset(claims, 0, sizeof claims);
    seats = (wg_seats_t){ .count = 4, .block_number = 7, .block_time_s = BLOCK_S };
    for (uint8_t i = 0; i < 4; i++)
        seats.seats[i] = (wg_seat_t){ wallet((uint8_t)(i + 1)), (uint8_t)(i + 1) };
    view = (wg_view_t){ .seats = &seats, .max_age_s = MAX_AGE, .now_s = BLOCK_S + 12, .wallet = wallet(1) };
    pubkey_of(view.pubkey, 1);
    want.count = have.count = 0;
}

static void judge(size_t n)
{
    wg_wanted(&want, verdicts, claims, n, &view);
}

START_TEST(who_is_attested_and_listed_with_its_address_is_a_peer)
{
    uint8_t psk[WG_KEY_LEN];
    claims[0] = claim(3, 11);
    claims[2] = claim(2, 10);
    judge(3);
    ck_assert(verdicts[0] == WG_WANTED && verdicts[1] == WG_ALONE && verdicts[2] == WG_WANTED);
    ck_assert_uint_eq(want.count, 2);
    ck_assert(want.peers[0].index == 2 && want.peers[1].index == 3);
    ck_assert_mem_eq(want.peers[0].pubkey, claims[2].pubkey, WG_KEY_LEN);
    wg_preshared(psk, claims[2].channel, view.pubkey, claims[2].pubkey);
    ck_assert_mem_eq(want.peers[0].preshared, psk, WG_KEY_LEN);
    ck_assert_mem_ne(want.peers[1].preshared, psk, WG_KEY_LEN);
    ck_assert_uint_eq(wg_own_index(&view), 1);
}
END_TEST

START_TEST(who_says_anothers_address_is_none)
{
    claims[0] = claim(2, 10);
    claims[0].index = 3; /* 3's */
    claims[1] = claim(3, 11);
    claims[2] = claim(4, 12);
    claims[2].wallet = wallet(9); /* a stranger */
    claims[3] = claim(4, 13);
    claims[3].index = 200;    /* nobody's */
    claims[4] = claim(1, 14); /* ourselves, from elsewhere */
    claims[4].pubkey[0] ^= 1;
    judge(5);
    ck_assert(verdicts[0] == WG_NOT_ITS_OWN && verdicts[2] == WG_NOT_ITS_OWN && verdicts[4] == WG_NOT_ITS_OWN);
    ck_assert(verdicts[3] == WG_UNLISTED && verdicts[1] == WG_WANTED);
    ck_assert_uint_eq(want.count, 1);
    ck_assert_mem_eq(want.peers[0].pubkey, claims[1].pubkey, WG_KEY_LEN);
}
END_TEST

START_TEST(public_keys_are_real_and_nobody_elses)
{
    claims[0] = claim(2, 10);
    memcpy(claims[0].pubkey, view.pubkey, WG_KEY_LEN);
    claims[1] = claim(3, 11);
    memset(claims[1].pubkey, 0, WG_KEY_LEN);
    judge(2);
    ck_assert(verdicts[0] == WG_KEY_TAKEN && verdicts[1] == WG_BAD_KEY);
    ck_assert_uint_eq(want.count, 0);
    claims[0] = claim(2, 10);
    claims[1] = claim(3, 11);
    memcpy(claims[1].pubkey, claims[0].pubkey, WG_KEY_LEN); /* said later: 2 keeps it */
    judge(2);
    ck_assert(verdicts[0] == WG_WANTED && verdicts[1] == WG_KEY_TAKEN && want.count == 1);
    claims[1].line = 9;
    judge(2);
    ck_assert(verdicts[0] == WG_KEY_TAKEN && verdicts[1] == WG_WANTED && want.peers[0].index == 3);
}
END_TEST

START_TEST(time_takes_peers_away)
{
    claims[0] = claim(2, 10);
    claims[1] = claim(3, 11);
    claims[1].expires_s = BLOCK_S + 100;
    view.now_s = BLOCK_S + 99;
    judge(2);
    ck_assert_uint_eq(want.count, 2);
    view.now_s = BLOCK_S + 100;
    judge(2);
    ck_assert(want.count == 1 && verdicts[1] == WG_EXPIRED);
    view.now_s = BLOCK_S + MAX_AGE;
    judge(2);
    ck_assert_uint_eq(want.count, 1);
    view.now_s++;
    judge(2);
    ck_assert(want.count == 0 && verdicts[0] == WG_STALE && wg_own_index(&view) == 0);
    claims[0].expires_s = -1;
    view.now_s = 5; /* before the block: as good as new */
    judge(2);
    ck_assert(want.count == 1 && verdicts[0] == WG_EXPIRED && wg_own_index(&view) == 1);
}
END_TEST

START_TEST(who_is_not_listed_itself_has_no_peers)
{
    claims[0] = claim(2, 10);
    seats.seats[0] = seats.seats[3];
    seats.count = 3; /* without 1 */
    judge(1);
    ck_assert(want.count == 0 && verdicts[0] == WG_ALONE);
    seats.count = 0;
    judge(1);
    ck_assert(want.count == 0 && verdicts[0] == WG_ALONE);
}
END_TEST

START_TEST(of_two_connections_both_ends_take_the_same)
{
    claims[0] = claim(2, 10);
    claims[1] = claim(2, 11);
    memset(claims[0].channel, 0x77, 32);
    memset(claims[1].channel, 0x11, 32);
    judge(2);
    ck_assert(verdicts[0] == WG_SECOND && verdicts[1] == WG_WANTED && want.count == 1);
    const wg_peer_t first = want.peers[0];
    claims[0].line = 12; /* the other end counts them otherwise */
    judge(2);
    ck_assert(want.count == 1 && memcmp(&first, &want.peers[0], sizeof first) == 0);
    pubkey_of(claims[0].pubkey, 0x55); /* it has begun anew: the old connection is dead */
    judge(2);
    ck_assert(verdicts[0] == WG_WANTED && verdicts[1] == WG_SECOND && want.count == 1);
    ck_assert_mem_eq(want.peers[0].pubkey, claims[0].pubkey, WG_KEY_LEN);
    claims[2] = claim(2, 13); /* the old key once more, on a third: one of them in any case */
    judge(3);
    ck_assert_uint_eq(want.count, 1);
    memcpy(claims[1].channel, claims[2].channel, 32);
    judge(3);
    ck_assert_uint_eq(want.count, 1);
}
END_TEST

START_TEST(removals_come_before_additions)
{
    claims[0] = claim(2, 10);
    claims[1] = claim(3, 11);
    judge(2);
    ck_assert_uint_eq(wg_diff(ops, &have, &want), 2);
    ck_assert(ops[0].kind == WG_ADD && ops[0].peer.index == 2 && ops[1].kind == WG_ADD && ops[1].peer.index == 3);
    have = want;
    ck_assert_uint_eq(wg_diff(ops, &have, &want), 0);
    /* 2 has left, its address is 4's now; 3 has left for good */
    seats.seats[1] = (wg_seat_t){ wallet(4), 2 };
    seats.seats[2] = (wg_seat_t){ wallet(9), 9 };
    seats.count = 3;
    claims[2] = claim(4, 12);
    claims[2].index = 2;
    judge(3);
    ck_assert_uint_eq(wg_diff(ops, &have, &want), 3);
    ck_assert(ops[0].kind == WG_REMOVE && ops[1].kind == WG_REMOVE && ops[2].kind == WG_ADD && ops[2].peer.index == 2);
    ck_assert_mem_eq(ops[0].peer.pubkey, claims[0].pubkey, WG_KEY_LEN);
    ck_assert_mem_eq(ops[2].peer.pubkey, claims[2].pubkey, WG_KEY_LEN);
}
END_TEST

START_TEST(a_peer_with_another_address_or_secret_is_taken_out_first)
{
    claims[0] = claim(2, 10);
    judge(1);
    have = want;
    claims[0].channel[0] ^= 1; /* attested anew */
    judge(1);
    ck_assert_uint_eq(wg_diff(ops, &have, &want), 2);
    ck_assert(ops[0].kind == WG_REMOVE && ops[1].kind == WG_ADD);
    have = want;
    claims[0].endpoint.ip[3] = 99;
    judge(1);
    ck_assert_uint_eq(wg_diff(ops, &have, &want), 1);
    ck_assert(ops[0].kind == WG_MOVE && ops[0].peer.endpoint.ip[3] == 99);
    have = want;
    claims[0].endpoint = (wg_endpoint_t){ .n = 0 }; /* relayed: says nothing of where it is */
    judge(1);
    ck_assert_uint_eq(wg_diff(ops, &have, &want), 0);
}
END_TEST

START_TEST(every_address_at_once_fits)
{
    want.count = have.count = WG_PEERS_MAX;
    for (unsigned i = 0; i < WG_PEERS_MAX; i++) {
        want.peers[i] = (wg_peer_t){ .index = (uint8_t)(i + 1), .pubkey = { 1, (uint8_t)i } };
        have.peers[i] = (wg_peer_t){ .index = (uint8_t)(i + 1), .pubkey = { 2, (uint8_t)i } };
    }
    ck_assert_uint_eq(wg_diff(ops, &have, &want), WG_OPS_MAX);
    for (unsigned i = 0; i < WG_OPS_MAX; i++)
        ck_assert_int_eq(ops[i].kind, i < WG_PEERS_MAX ? WG_REMOVE : WG_ADD);
}
END_TEST

/* HKDF by hand: salt of zeros, one block. */
START_TEST(preshared_keys_are_of_the_pair_and_the_channel)
{
    uint8_t channel[32], a[32], b[32], prk[32], info[15 + 64 + 1], expected[32], out[32];
    static const uint8_t salt[32];
    memset(channel, 7, 32), memset(a, 1, 32), memset(b, 2, 32);
    const view_t ikm = view_of(channel, 32);
    hmac_sha256_parts(prk, view_of(salt, 32), &ikm, 1);
    memcpy(info, "kettle-wg-psk/1", 15);
    memcpy(info + 15, a, 32), memcpy(info + 47, b, 32);
    info[79] = 1;
    const view_t block = view_of(info, 80);
    hmac_sha256_parts(expected, view_of(prk, 32), &block, 1);
    wg_preshared(out, channel, a, b);
    ck_assert_mem_eq(out, expected, 32);
    wg_preshared(out, channel, b, a);
    ck_assert_mem_eq(out, expected, 32);
    channel[0] ^= 1;
    wg_preshared(out, channel, a, b);
    ck_assert_mem_ne(out, expected, 32);
}
END_TEST

START_TEST(every_verdict_has_its_text)
{
    for (unsigned i = WG_WANTED; i <= WG_BAD_KEY; i++)
        for (unsigned k = WG_WANTED; k < i; k++)
            ck_assert_str_ne(wg_verdict_text((wg_verdict_t)i), wg_verdict_text((wg_verdict_t)k));
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("wg_table", setup, NULL, who_is_attested_and_listed_with_its_address_is_a_peer,
                           who_says_anothers_address_is_none, public_keys_are_real_and_nobody_elses,
                           time_takes_peers_away, who_is_not_listed_itself_has_no_peers,
                           of_two_connections_both_ends_take_the_same, removals_come_before_additions,
                           a_peer_with_another_address_or_secret_is_taken_out_first, every_address_at_once_fits,
                           preshared_keys_are_of_the_pair_and_the_channel, every_verdict_has_its_text);
}
