/* Standing calls: who may add and end one, which are due at a head, what is served when runs fail, and what a file brings
 * back. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "rpc/api/standing.h"
#include "tests/unit/unit.h"

#define NOW 1800000000u
#define GAS 1000000u

static standing_t *table;
static arena_t a;
static err_t e;

static void begin(uint32_t max, uint64_t gas)
{
    arena_init(&a, 64 << 20);
    table = standing_new(&(standing_limits_t){ max, gas });
    ck_assert_ptr_nonnull(table);
}

static void end(void)
{
    standing_free(table);
    arena_free(&a);
}

/* A call to the contract of that number. */
static standing_ask_t ask_of(unsigned to, const char *more)
{
    char text[256];
    standing_ask_t ask;
    snprintf(text, sizeof text, "{\"call\":{\"to\":\"0x%040x\",\"data\":\"0x01\"}%s}", to, more);
    ck_assert_msg(standing_ask_read(&ask, &e, &a, view_str(text), NOW, false) == RC_OK, "%s: %s", e.field, e.text);
    return ask;
}

static void token_of(uint8_t token[STANDING_TOKEN_LEN], unsigned id)
{
    memset(token, 0, STANDING_TOKEN_LEN);
    memcpy(token, &id, sizeof id);
}

static standing_owner_t owner_of(unsigned id, uint8_t client)
{
    standing_owner_t by = { .is_operator = client == 0 };
    uint8_t token[STANDING_TOKEN_LEN];
    memcpy(by.id, &id, sizeof id);
    by.client[0] = client;
    token_of(token, id);
    sha256(&by.owner, view_of(token, sizeof token));
    return by;
}

static rc_t add(unsigned id, unsigned to, uint8_t client, const char *more)
{
    const standing_ask_t ask = ask_of(to, more);
    const standing_owner_t by = owner_of(id, client);
    e = (err_t){ .rc = RC_OK };
    return standing_add(table, &e, &ask, &by);
}

static bool get(standing_state_t *out, unsigned id, uint64_t now_s)
{
    const standing_owner_t by = owner_of(id, 0);
    return standing_get(table, out, by.id, now_s);
}

static rc_t done(const hash32_t *hash, view_t statement, uint64_t valid_until_s, uint64_t gas_used, uint64_t head)
{
    return standing_done(table, hash, statement, valid_until_s, gas_used, 1000 - head, head); /* lower each time */
}

static size_t due(standing_due_t out[8], uint64_t head)
{
    return standing_due(table, out, 8, head);
}

START_TEST(what_is_asked_is_read_strictly)
{
#define CALL "\"call\":{\"to\":\"0x00000000000000000000000000000000000000aa\"}"
    static const struct {
        const char *text, *field;
        rc_t rc;
    } rows[] = {
        { "{" CALL "}", "", RC_OK },
        { "{" CALL ",\"every\":3,\"until\":1800000001}", "", RC_OK },
        { "{" CALL ",\"until\":1800604800}", "", RC_OK },
        { "{" CALL ",\"until\":1800604801}", "until", RC_MALFORMED },
        { "{" CALL ",\"until\":1800000000}", "until", RC_MALFORMED },
        { "{" CALL ",\"every\":0}", "every", RC_MALFORMED },
        { "{" CALL ",\"every\":100001}", "every", RC_MALFORMED },
        { "{" CALL ",\"notify\":\"http://10.0.0.1/\"}", "notify", RC_MALFORMED },
        { "{}", "call", RC_MALFORMED },
        { "{\"call\":{}}", "", RC_MALFORMED },
        { "{\"call\":{\"to\":\"0x00000000000000000000000000000000000000aa\",\"block\":\"finalized\"}}", "", RC_OK },
        { "{\"call\":{\"to\":\"0x00000000000000000000000000000000000000aa\",\"block\":7}}", "call.block",
          RC_MALFORMED },
        { "[]", "", RC_MALFORMED },
        { "", "", RC_MALFORMED },
    };
    begin(4, GAS);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        standing_ask_t ask = { .every = 77 };
        e = (err_t){ .rc = RC_OK };
        const rc_t rc = standing_ask_read(&ask, &e, &a, view_str(rows[i].text), NOW, false);
        ck_assert_msg(rc == rows[i].rc, "%s: %s: %s", rows[i].text, e.field, e.text);
        ck_assert_msg(!rc || !rows[i].field[0] || !strcmp(e.field, rows[i].field), "%s: %s", rows[i].text, e.field);
        ck_assert(rc ? ask.every == 77 : ask.every != 77);
    }
    const standing_ask_t one = ask_of(1, ""), same = ask_of(1, ",\"every\":5"), other = ask_of(2, "");
    ck_assert(hash32_eq(&one.hash, &same.hash) && !hash32_eq(&one.hash, &other.hash));
    end();
}
END_TEST

START_TEST(equal_calls_run_once_and_only_as_often_as_is_asked)
{
    standing_due_t d[8], none[8];
    begin(0, GAS);
    ck_assert_int_eq(add(1, 1, 0, ""), RC_OK);
    ck_assert_int_eq(add(2, 1, 0, ",\"every\":3"), RC_OK);
    ck_assert_int_eq(add(3, 2, 0, ",\"every\":3"), RC_OK);
    ck_assert_int_eq(add(3, 3, 0, ""), RC_REPLAY); /* an id is of one alone */
    ck_assert_uint_eq(due(d, 10), 2);
    ck_assert_uint_eq(due(none, 10), 0); /* both are being run */
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(done(&d[i].hash, view_str("signed"), NOW + 120, 21000, 10), RC_OK);
    ck_assert_uint_eq(due(d, 10), 0);
    ck_assert_uint_eq(due(d, 11), 1);
    ck_assert_int_eq(done(&d[0].hash, view_str("signed again"), NOW + 120, 21000, 11), RC_OK);
    ck_assert_uint_eq(due(d, 13), 2); /* the first again, the second after three */
    uint8_t token[STANDING_TOKEN_LEN];
    token_of(token, 1);
    ck_assert_int_eq(standing_remove(table, owner_of(1, 0).id, token), RC_OK);
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(done(&d[i].hash, view_str("signed"), NOW + 120, 21000, 13), RC_OK);
    ck_assert_uint_eq(due(d, 15), 0); /* who is left asks for every third */
    ck_assert_uint_eq(due(d, 16), 2);
    end();
}
END_TEST

START_TEST(only_who_has_the_token_ends_one)
{
    uint8_t token[STANDING_TOKEN_LEN];
    standing_state_t state;
    begin(4, GAS);
    ck_assert_int_eq(add(1, 1, 0, ""), RC_OK);
    ck_assert_int_eq(add(2, 2, 0, ""), RC_OK);
    token_of(token, 2);
    ck_assert_int_eq(standing_remove(table, owner_of(1, 0).id, token), RC_REFUSED);
    ck_assert_int_eq(standing_remove(table, owner_of(9, 0).id, token), RC_REFUSED);
    token_of(token, 1);
    for (size_t bit = 0; bit < 8 * STANDING_TOKEN_LEN; bit++) {
        token[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ck_assert_int_eq(standing_remove(table, owner_of(1, 0).id, token), RC_REFUSED);
        token[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ck_assert_uint_eq(standing_count(table), 2);
    ck_assert_int_eq(standing_remove(table, owner_of(1, 0).id, token), RC_OK);
    ck_assert(!get(&state, 1, NOW) && get(&state, 2, NOW));
    end();
}
END_TEST

START_TEST(a_client_has_its_share_and_the_operator_all)
{
    begin(8, GAS);
    ck_assert_int_eq(add(1, 1, 5, ""), RC_OK); /* 200,000 gas of its 250,000 */
    ck_assert_int_eq(add(2, 2, 5, ""), RC_LIMIT);
    ck_assert_uint_eq(e.code, STANDING_SHARE);
    ck_assert_int_eq(add(3, 2, 6, ""), RC_OK);
    for (unsigned i = 4; i < 7; i++)
        ck_assert_int_eq(add(i, i, 0, ""), RC_OK);
    ck_assert_int_eq(add(7, 7, 0, ""), RC_LIMIT); /* a million gas is taken */
    ck_assert_uint_eq(e.code, STANDING_GAS);
    ck_assert_int_eq(add(7, 4, 0, ""), RC_OK); /* what is run already costs nothing more */
    ck_assert_int_eq(add(8, 4, 0, ""), RC_OK);
    ck_assert_int_eq(add(9, 4, 0, ""), RC_OK);
    ck_assert_int_eq(add(10, 4, 0, ""), RC_LIMIT);
    ck_assert_uint_eq(e.code, STANDING_FULL);
    ck_assert_uint_eq(standing_count(table), 8);
    end();
    begin(8, (uint64_t)100 * GAS);
    ck_assert_int_eq(add(1, 1, 5, ""), RC_OK);
    ck_assert_int_eq(add(2, 2, 5, ""), RC_OK);
    ck_assert_int_eq(add(3, 3, 5, ""), RC_LIMIT); /* a quarter of eight */
    ck_assert_uint_eq(e.code, STANDING_SHARE);
    end();
}
END_TEST

START_TEST(the_gas_of_a_head_is_kept_and_all_have_turns)
{
    standing_due_t d[8];
    unsigned runs[5] = { 0 };
    begin(8, GAS);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_int_eq(add(i + 1, i + 1, 0, ""), RC_OK);
    ck_assert_uint_eq(due(d, 1), 5);
    for (size_t i = 0; i < 5; i++) /* each turns out to use 400,000: two fit */
        ck_assert_int_eq(done(&d[i].hash, view_str("s"), NOW + 9, 400000, 1), RC_OK);
    for (uint64_t head = 2; head < 12; head++) {
        ck_assert_uint_eq(due(d, head), 2);
        for (size_t i = 0; i < 2; i++) {
            for (unsigned k = 0; k < 5; k++) {
                const standing_ask_t ask = ask_of(k + 1, "");
                runs[k] += hash32_eq(&ask.hash, &d[i].hash);
            }
            ck_assert_int_eq(done(&d[i].hash, view_str("s"), NOW + 9, 400000, head), RC_OK);
        }
    }
    for (unsigned k = 0; k < 5; k++)
        ck_assert_uint_eq(runs[k], 4);
    ck_assert_uint_eq(due(d, 12), 2);
    ck_assert_int_eq(done(&d[0].hash, view_str("s"), NOW + 9, GAS + 1, 12), RC_LIMIT);
    ck_assert_int_eq(done(&d[1].hash, view_str("s"), NOW + 9, 1, 12), RC_OK);
    const hash32_t greedy = d[0].hash;
    for (uint64_t head = 13; head < 23; head++) {
        const size_t n = due(d, head);
        for (size_t i = 0; i < n; i++) {
            ck_assert(!hash32_eq(&d[i].hash, &greedy));
            ck_assert_int_eq(done(&d[i].hash, view_str("s"), NOW + 9, 1, head), RC_OK);
        }
    }
    end();
}
END_TEST

START_TEST(the_last_good_statement_stays_until_it_expires)
{
    standing_due_t d[8];
    standing_state_t state;
    begin(4, GAS);
    ck_assert_int_eq(add(1, 1, 0, ",\"until\":1800000500"), RC_OK);
    ck_assert(get(&state, 1, NOW) && !state.statement.n && state.until_s == 1800000500);
    ck_assert_uint_eq(due(d, 7), 1);
    const hash32_t hash = d[0].hash;
    ck_assert_int_eq(done(&hash, view_str("good"), NOW + 120, 1, 7), RC_OK);
    ck_assert_uint_eq(due(d, 8), 1);
    standing_failed(table, &hash, "execution_rpc[0]: HTTP status 500");
    ck_assert(get(&state, 1, NOW + 120) && view_eq(state.statement, view_str("good")) && state.number == 993);
    ck_assert_str_eq(state.why, "execution_rpc[0]: HTTP status 500");
    ck_assert(get(&state, 1, NOW + 121) && !state.statement.n); /* never a stale one */
    ck_assert_uint_eq(due(d, 8), 0);
    ck_assert_uint_eq(due(d, 9), 1); /* what failed is tried again, once at a head */
    ck_assert_int_eq(done(&hash, view_str("old"), NOW + 999, 1, 6), RC_REPLAY);
    ck_assert(get(&state, 1, NOW) && view_eq(state.statement, view_str("good")));
    ck_assert_uint_eq(due(d, 10), 1);
    char *big = calloc(1, STANDING_ANSWER_MAX + 1);
    ck_assert_int_eq(done(&hash, view_of(big, STANDING_ANSWER_MAX + 1), NOW + 999, 1, 8), RC_LIMIT);
    ck_assert_int_eq(done(&hash, view_of(big, STANDING_ANSWER_MAX), NOW + 999, 1, 8), RC_OK);
    free(big);
    ck_assert(get(&state, 1, NOW) && state.statement.n == STANDING_ANSWER_MAX && !state.why[0]);
    ck_assert(!standing_expire(table, NOW + 499) && get(&state, 1, NOW + 499) && !get(&state, 1, NOW + 500));
    ck_assert(standing_expire(table, NOW + 500) && standing_count(table) == 0);
    ck_assert_uint_eq(due(d, 11), 0);
    ck_assert_int_eq(done(&hash, view_str("late"), NOW + 999, 1, 9), RC_OK); /* nobody asks any more */
    standing_failed(table, &hash, "late");
    end();
}
END_TEST

START_TEST(a_file_brings_them_back_and_no_other_bytes_do)
{
    size_t left;
    view_t kept, again;
    standing_state_t state;
    uint8_t token[STANDING_TOKEN_LEN];
    begin(8, GAS);
    ck_assert_int_eq(add(1, 1, 0, ""), RC_OK);
    ck_assert_int_eq(add(2, 2, 5, ",\"every\":4,\"until\":1800000009"), RC_OK);
    ck_assert_int_eq(add(3, 1, 6, ",\"until\":1800000007"), RC_OK);
    ck_assert_int_eq(standing_write(table, &kept, &a), RC_OK);
    standing_t *first = table;
    table = standing_new(&(standing_limits_t){ 8, GAS });
    ck_assert_msg(standing_read(table, &left, &e, kept, NOW) == RC_OK, "%s", e.text);
    ck_assert_int_eq(standing_write(table, &again, &a), RC_OK);
    ck_assert(view_eq(kept, again));
    ck_assert(get(&state, 2, NOW) && state.until_s == 1800000009 && !state.statement.n);
    token_of(token, 2);
    ck_assert_int_eq(standing_remove(table, owner_of(2, 0).id, token), RC_OK);
    standing_free(table);
    table = standing_new(&(standing_limits_t){ 8, GAS });
    ck_assert_int_eq(standing_read(table, &left, &e, kept, NOW + 8), RC_OK); /* the third is over */
    ck_assert_uint_eq(standing_count(table), 2);
    standing_free(table);
    for (size_t n = 0; n < kept.n; n++) {
        uint8_t *cut = malloc(n ? n : 1); /* exact size: ASan sees an over-read */
        memcpy(cut, kept.p, n);
        table = standing_new(&(standing_limits_t){ 8, GAS });
        ck_assert_int_ne(standing_read(table, &left, &e, view_of(cut, n), NOW), RC_OK);
        standing_free(table);
        free(cut);
    }
    uint8_t *longer = calloc(1, kept.n + 1);
    memcpy(longer, kept.p, kept.n);
    table = standing_new(&(standing_limits_t){ 8, GAS });
    ck_assert_int_eq(standing_read(table, &left, &e, view_of(longer, kept.n + 1), NOW), RC_MALFORMED);
    free(longer);
    standing_free(first);
    end();
}
END_TEST

START_TEST(what_has_no_room_any_more_is_left_out_and_the_rest_comes_back)
{
    view_t kept;
    size_t left = 7;
    standing_state_t state;
    begin(8, 5 * GAS);
    for (unsigned id = 1; id <= 5; id++)
        ck_assert_int_eq(add(id, id, 0, id == 2 ? ",\"every\":3" : ""), RC_OK);
    ck_assert_int_eq(standing_write(table, &kept, &a), RC_OK);
    standing_free(table);
    table = standing_new(&(standing_limits_t){ 3, GAS });
    ck_assert_msg(standing_read(table, &left, &e, kept, NOW) == RC_OK, "%s", e.text);
    ck_assert_uint_eq(left, 2);
    ck_assert_uint_eq(standing_count(table), 3);
    ck_assert(get(&state, 3, NOW) && !get(&state, 4, NOW));
    standing_free(table);
    uint8_t *changed = malloc(kept.n); /* the first one's call is none any more: {"to": becomes {"ti": */
    memcpy(changed, kept.p, kept.n);
    uint8_t *at = memmem(changed, kept.n, "\"to\"", 4);
    ck_assert_ptr_nonnull(at);
    at[2] = 'i';
    table = standing_new(&(standing_limits_t){ 8, 5 * GAS });
    ck_assert_int_eq(standing_read(table, &left, &e, view_of(changed, kept.n), NOW), RC_OK);
    ck_assert_uint_eq(left, 1);
    ck_assert(standing_count(table) == 4 && !get(&state, 1, NOW) && get(&state, 5, NOW));
    free(changed);
    end();
}
END_TEST

static void drop(unsigned id)
{
    uint8_t token[STANDING_TOKEN_LEN];
    token_of(token, id);
    ck_assert_int_eq(standing_remove(table, owner_of(id, 0).id, token), RC_OK);
}

START_TEST(who_adds_and_ends_again_gets_no_more_of_a_head)
{
    standing_due_t d[8];
    unsigned runs = 0;
    begin(8, 4 * GAS);
    for (unsigned i = 1; i <= 100; i++) {
        ck_assert_int_eq(add(i, i, 0, ""), RC_OK);
        const size_t n = due(d, 1);
        const hash32_t hash = d[0].hash;
        runs += (unsigned)n;
        drop(i);
        if (n)
            standing_failed(table, &hash, "no");
    }
    ck_assert_uint_eq(runs, 8); /* as many as the table has */
    ck_assert_int_eq(add(200, 200, 6, ""), RC_OK);
    ck_assert_uint_eq(due(d, 2), 1);
    end();
    begin(4000, 4 * GAS);
    runs = 0;
    for (unsigned i = 1; i <= 100; i++) { /* each turns out to use a million, when it is gone */
        ck_assert_int_eq(add(i, i, 5, ""), RC_OK);
        const size_t n = due(d, 1);
        runs += (unsigned)n;
        const hash32_t hash = d[0].hash;
        drop(i);
        if (n)
            ck_assert_int_eq(done(&hash, view_str("s"), NOW + 9, GAS, 1), RC_OK);
    }
    ck_assert_uint_eq(runs, 4);
    end();
}
END_TEST

START_TEST(what_a_client_ended_is_its_own_until_the_run_has_ended)
{
    standing_due_t d[8];
    hash32_t under_way[2];
    begin(8, 40 * GAS);
    for (unsigned i = 1; i <= 2; i++) {
        ck_assert_int_eq(add(i, i, 5, ""), RC_OK);
        ck_assert_uint_eq(due(d, 1), 1);
        under_way[i - 1] = d[0].hash;
        drop(i);
    }
    ck_assert_uint_eq(standing_count(table), 0);
    ck_assert_int_eq(add(3, 3, 5, ""), RC_LIMIT);
    ck_assert_int_eq(e.code, STANDING_SHARE);
    ck_assert_int_eq(add(4, 1, 6, ""), RC_OK); /* another client takes up the first one: no second run of it */
    ck_assert_uint_eq(due(d, 1), 0);
    ck_assert_int_eq(add(3, 3, 5, ""), RC_OK);
    ck_assert_int_eq(add(5, 5, 5, ""), RC_LIMIT);
    standing_failed(table, &under_way[1], "no");
    ck_assert_int_eq(add(5, 5, 5, ""), RC_OK);
    ck_assert_int_eq(done(&under_way[0], view_str("s"), NOW + 9, 1, 1), RC_OK);
    standing_state_t state;
    ck_assert(get(&state, 4, NOW) && state.statement.n == 1);
    drop(4); /* at rest: it is gone at once */
    ck_assert_uint_eq(standing_count(table), 2);
    end();
}
END_TEST

START_TEST(a_call_that_grows_takes_nobody_elses_gas)
{
    standing_due_t d[8];
    standing_state_t state;
    begin(8, 4 * GAS);
    ck_assert_int_eq(add(1, 1, 5, ""), RC_OK);
    ck_assert_uint_eq(due(d, 1), 1);
    ck_assert_int_eq(done(&d[0].hash, view_str("s"), NOW + 9, 40 * GAS, 1), RC_LIMIT);
    ck_assert_int_eq(add(2, 2, 6, ""), RC_OK); /* there is gas for others */
    ck_assert_uint_eq(due(d, 2), 1);
    ck_assert_int_eq(done(&d[0].hash, view_str("s"), NOW + 9, GAS + 1, 2), RC_LIMIT); /* a quarter */
    ck_assert(get(&state, 2, NOW) && !state.statement.n && state.why[0]);
    ck_assert_uint_eq(due(d, 3), 0);
    ck_assert_int_eq(add(3, 3, 7, ""), RC_OK);
    ck_assert_int_eq(add(4, 4, 7, ""), RC_OK);
    ck_assert_uint_eq(due(d, 4), 2);
    ck_assert_int_eq(done(&d[0].hash, view_str("s"), NOW + 9, GAS - 100000, 4), RC_LIMIT);
    ck_assert_int_eq(done(&d[1].hash, view_str("s"), NOW + 9, 100000, 4), RC_OK);
    ck_assert_uint_eq(due(d, 5), 2); /* now both are within the share of who asks */
    ck_assert_int_eq(done(&d[0].hash, view_str("s"), NOW + 9, 100000, 5), RC_OK);
    ck_assert_int_eq(done(&d[1].hash, view_str("s"), NOW + 9, 100000, 5), RC_OK);
    ck_assert_int_eq(add(5, 2, 0, ""), RC_OK); /* what the operator asks for, too, is run for all */
    bool found = false;
    const standing_ask_t second = ask_of(2, "");
    for (size_t n = due(d, 6); n-- > 0;)
        found |= hash32_eq(&d[n].hash, &second.hash);
    ck_assert(found);
    end();
}
END_TEST

/* A call with data of 32,000 characters. */
static rc_t add_long(unsigned id, unsigned to, uint8_t client)
{
    enum { LONG = 32000 };
    char *text = malloc(LONG + 256), *data = malloc(LONG + 1);
    standing_ask_t ask;
    memset(data, '0', LONG);
    data[LONG] = 0;
    snprintf(text, LONG + 256, "{\"call\":{\"to\":\"0x%040x\",\"data\":\"0x%s\"}}", to, data);
    ck_assert_int_eq(standing_ask_read(&ask, &e, &a, view_str(text), NOW, false), RC_OK);
    const standing_owner_t by = owner_of(id, client);
    const rc_t rc = standing_add(table, &e, &ask, &by);
    free(text);
    free(data);
    return rc;
}

START_TEST(the_bytes_of_the_table_are_shared_and_make_a_file)
{
    view_t kept;
    size_t left, n = 0;
    begin(0, 4096u * GAS);
    while (!add_long((unsigned)n + 1, 1, 5)) /* equal calls are written each by itself */
        n++;
    ck_assert_uint_eq(e.code, STANDING_SHARE);
    ck_assert(n * 32000 <= STANDING_BYTES_MAX / STANDING_PART && n > 100);
    while (!add_long((unsigned)n + 1, 1, 0))
        n++;
    ck_assert_uint_eq(e.code, STANDING_FULL);
    ck_assert_int_eq(standing_write(table, &kept, &a), RC_OK);
    ck_assert_uint_le(kept.n, STANDING_FILE_MAX);
    standing_free(table);
    table = standing_new(&(standing_limits_t){ 0, 4096u * GAS });
    ck_assert_int_eq(standing_read(table, &left, &e, kept, NOW), RC_OK);
    ck_assert(!left && standing_count(table) == n);
    end();
}
END_TEST

START_TEST(statements_of_one_client_leave_room_for_others)
{
    standing_due_t *d = calloc(400, sizeof *d);
    char *big = calloc(1, STANDING_ANSWER_MAX);
    size_t kept = 0;
    begin(0, 4096u * GAS);
    for (unsigned i = 1; i <= 400; i++)
        ck_assert_int_eq(add(i, i, 5, ""), RC_OK);
    ck_assert_uint_eq(standing_due(table, d, 400, 1), 400);
    for (size_t i = 0; i < 400; i++)
        kept += !done(&d[i].hash, view_of(big, STANDING_ANSWER_MAX), NOW + 9, 1, 1);
    ck_assert_uint_lt(kept, STANDING_BYTES_MAX / STANDING_PART / STANDING_ANSWER_MAX + 1);
    ck_assert_uint_gt(kept, 50);
    ck_assert_int_eq(add(500, 500, 6, ""), RC_OK);
    ck_assert_uint_eq(standing_due(table, d, 1, 1), 1);
    ck_assert_int_eq(done(&d[0].hash, view_of(big, STANDING_ANSWER_MAX), NOW + 9, 1, 1), RC_OK);
    free(big);
    free(d);
    end();
}
END_TEST

START_TEST(what_was_added_for_little_gas_comes_back)
{
    standing_due_t d[8];
    view_t kept;
    size_t left;
    begin(8, GAS);
    for (unsigned id = 1; id <= 8; id++) { /* a million gas is enough for five of which nothing is known */
        ck_assert_int_eq(add(id, id, 0, ""), RC_OK);
        ck_assert_uint_eq(due(d, id), 1);
        ck_assert_int_eq(done(&d[0].hash, view_str("s"), NOW + 9, 21000, id + 1000), RC_OK);
    }
    ck_assert_int_eq(standing_write(table, &kept, &a), RC_OK);
    standing_free(table);
    table = standing_new(&(standing_limits_t){ 8, GAS });
    ck_assert_int_eq(standing_read(table, &left, &e, kept, NOW), RC_OK);
    ck_assert_uint_eq(left, 0);
    ck_assert_uint_eq(standing_count(table), 8);
    standing_free(table);
    table = standing_new(&(standing_limits_t){ 8, GAS }); /* a clock that was set back loses nothing */
    ck_assert_int_eq(standing_read(table, &left, &e, kept, NOW - 86400), RC_OK);
    ck_assert(!left && standing_count(table) == 8);
    end();
}
END_TEST

START_TEST(an_owner_sees_what_is_his)
{
    standing_ref_t refs[2], one;
    standing_owner_t by = owner_of(1, 1);
    begin(8, 5 * GAS);
    ck_assert_int_eq(add(1, 1, 1, ""), RC_OK);
    ck_assert_int_eq(add(2, 1, 2, ""), RC_OK);
    const standing_ask_t ask = ask_of(3, "");
    by.id[8] = 1;
    ck_assert_int_eq(standing_add(table, &e, &ask, &by), RC_OK);
    ck_assert_uint_eq(standing_of(table, refs, 2, &by.owner), 2);
    ck_assert(refs[0].id[0] == 1 && refs[1].id[8] == 1 && hash32_eq(&refs[1].hash, &ask.hash));
    ck_assert_uint_eq(standing_of(table, refs, 0, &by.owner), 2);
    memset(by.owner.b, 0, 32);
    ck_assert_uint_eq(standing_of(table, refs, 2, &by.owner), 0);
    ck_assert(standing_find(table, &one, owner_of(2, 0).id) && hash32_eq(&one.hash, &refs[0].hash));
    ck_assert(!standing_find(table, &one, owner_of(9, 0).id));
    end();
}
END_TEST

START_TEST(a_command_brings_its_counter_along)
{
    static const char text[] = "{\"call\":{\"to\":\"0x00000000000000000000000000000000000000aa\"},\"counter\":1,"
                               "\"not_after\":2}";
    standing_ask_t ask;
    begin(8, GAS);
    ck_assert_int_eq(standing_ask_read(&ask, &e, &a, view_str(text), NOW, true), RC_OK);
    ck_assert_int_eq(standing_ask_read(&ask, &e, &a, view_str(text), NOW, false), RC_MALFORMED);
    end();
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("standing", what_is_asked_is_read_strictly, equal_calls_run_once_and_only_as_often_as_is_asked,
                    only_who_has_the_token_ends_one, a_client_has_its_share_and_the_operator_all,
                    the_gas_of_a_head_is_kept_and_all_have_turns, the_last_good_statement_stays_until_it_expires,
                    a_file_brings_them_back_and_no_other_bytes_do,
                    what_has_no_room_any_more_is_left_out_and_the_rest_comes_back, an_owner_sees_what_is_his,
                    who_adds_and_ends_again_gets_no_more_of_a_head,
                    what_a_client_ended_is_its_own_until_the_run_has_ended, a_call_that_grows_takes_nobody_elses_gas,
                    the_bytes_of_the_table_are_shared_and_make_a_file, statements_of_one_client_leave_room_for_others,
                    what_was_added_for_little_gas_comes_back, a_command_brings_its_counter_along);
}
