/* Logs of long ranges: the receipts that are asked for are those of the blocks whose bloom says that a log may be there, no
 * more and no fewer; a range over the budget is refused once enough headers are known, with one that then is answered.
 * Blooms are as full as those of mainnet's blocks (0.52 of the bits at a gas limit of 36 million, 0.86 at 60). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/logs.h"
#include "tests/unit/unit.h"

#define BLOCKS 8191u

static ex_header_t *headers; /* of blocks 0 to BLOCKS - 1 */
static addr_t addr;

/* Marsaglia's xorshift: the same chain in each run. */
static uint32_t draw(void)
{
    static uint32_t x = 2463534242u;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

static void make_chain(unsigned percent)
{
    hash32_t hash = { { 0 } };
    headers = calloc(BLOCKS, sizeof *headers);
    for (uint32_t n = 0; n < BLOCKS; n++) {
        ex_header_t *h = &headers[n];
        h->number = n;
        h->ommers_hash = EX_NO_OMMERS;
        h->parent_hash = hash;
        for (unsigned bit = 0; bit < 2048; bit++)
            if (draw() % 100 < percent)
                h->logs_bloom[bit / 8] |= (uint8_t)(1u << bit % 8);
        ex_header_hash(&hash, h);
    }
}

/* The yellow paper's bloom, section 4.3.1: three bits by the low 11 bits of the first three pairs of bytes of the hash. */
static bool may_have(const uint8_t bloom[256])
{
    hash32_t h;
    keccak256(&h, view_of(addr.b, sizeof addr.b));
    for (unsigned i = 0; i < 6; i += 2) {
        const unsigned bit = (unsigned)(h.b[i] << 8 | h.b[i + 1]) & 2047u;
        if (!(bloom[255 - bit / 8] >> bit % 8 & 1))
            return false;
    }
    return true;
}

static size_t positives(uint64_t from, uint64_t to)
{
    size_t n = 0;
    for (uint64_t i = from; i <= to; i++)
        n += may_have(headers[i].logs_bloom);
    return n;
}

static size_t headers_asked; /* by ask */

/* Gives the headers that are asked for, in one go. */
static void give_headers(query_t *q, err_t *e, size_t want)
{
    const need_t *needs;
    const size_t n = query_needs(q, &needs);
    ck_assert_uint_eq(n, want);
    for (size_t i = 0; i < n; i++) {
        const answer_t a = { .kind = NEED_HEADER, .header = headers[needs[i].number] };
        ck_assert_int_eq(needs[i].kind, NEED_HEADER);
        ck_assert_int_eq(query_give(q, e, i, &a), RC_OK);
    }
    headers_asked += n;
}

/* Asks for a range at the head that it ends with. RC_NEED_DATA: for its receipts, *asked blocks; every one of them may
 * have a log. */
static rc_t ask(size_t *asked, ex_logs_t *logs, err_t *e, uint64_t from, uint64_t to)
{
    query_t *q;
    const need_t *needs;
    const ex_filter_t filter = { .addrs = &addr, .addr_count = 1 };
    ex_block_t head;
    hash32_t hash;
    ex_header_hash(&hash, &headers[to]);
    ex_block_of_header(&head, &headers[to], &hash, 1);
    logs->filter = &filter;
    const ex_history_config_t c = { .chain_id = 1,
                                    .head = &head,
                                    .final_number = BLOCKS,
                                    .from = from,
                                    .to = to,
                                    .plan = ex_logs_plan,
                                    .first = ex_logs_first,
                                    .plan_ctx = logs };
    ck_assert_int_eq(ex_history_new(&q, e, &c), RC_OK);
    ck_assert_int_eq(query_step(q, e), RC_NEED_DATA);
    const uint64_t count = to - from + 1, first = count > EX_HISTORY_FIRST ? EX_HISTORY_FIRST : count;
    headers_asked = 0;
    give_headers(q, e, first);
    rc_t rc = query_step(q, e);
    if (rc == RC_NEED_DATA && first < count) {
        give_headers(q, e, count - first);
        rc = query_step(q, e);
    }
    *asked = 0;
    const size_t n = rc == RC_NEED_DATA ? query_needs(q, &needs) : 0;
    for (size_t i = 0; i < n; i++)
        if (needs[i].kind == NEED_RECEIPTS) {
            ck_assert(may_have(headers[needs[i].number].logs_bloom));
            ++*asked;
        }
    query_free(q);
    return rc;
}

static const unsigned sizes[] = { 10, 100, 1000, BLOCKS };

static void try_sizes(unsigned percent)
{
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const uint64_t to = BLOCKS - 1, from = BLOCKS - sizes[i];
        const size_t want = positives(from, to);
        ex_logs_t logs = { .filter = NULL };
        err_t e = { .text = "" };
        size_t asked;
        const rc_t rc = ask(&asked, &logs, &e, from, to);
        printf("%4u blocks, %u %% of the bits: %4zu may have a log, receipts of %4zu are asked for%s\n", sizes[i],
               percent, want, asked, rc == RC_LIMIT ? "; refused" : "");
        if (want <= EX_LOGS_RECEIPTS_MAX) {
            ck_assert_int_eq(rc, want ? RC_NEED_DATA : RC_OK);
            ck_assert_uint_eq(asked, want);
            continue;
        }
        ck_assert_int_eq(rc, RC_LIMIT);
        ck_assert_uint_eq(e.code, EX_LOGS_LIMIT);
        ck_assert_uint_eq(logs.limit, EX_LOGS_RECEIPTS_MAX);
        if (sizes[i] > EX_HISTORY_FIRST && positives(to - EX_HISTORY_FIRST + 1, to) > EX_LOGS_RECEIPTS_MAX) {
            ck_assert_uint_eq(headers_asked, EX_HISTORY_FIRST); /* the others do not matter any more */
            ck_assert_uint_eq(logs.fit_count, EX_LOGS_RECEIPTS_MAX);
            continue;
        }
        ck_assert_uint_eq(headers_asked, sizes[i]);
        ck_assert_uint_eq(positives(from, from + logs.fit_count - 1), EX_LOGS_RECEIPTS_MAX);
        ck_assert_uint_eq(positives(from, from + logs.fit_count), EX_LOGS_RECEIPTS_MAX + 1); /* it is the longest one */
    }
}

START_TEST(receipts_are_those_of_positive_blocks_and_too_many_are_refused)
{
    static const unsigned fill[] = { 52, 58, 86 };
    memset(addr.b, 0xc0, sizeof addr.b);
    for (size_t i = 0; i < sizeof fill / sizeof fill[0]; i++) {
        make_chain(fill[i]);
        try_sizes(fill[i]);
        free(headers);
    }
    fflush(stdout);
}
END_TEST

/* As a client does that takes the range that it is told, and goes on behind it. */
START_TEST(a_range_that_is_named_is_answered)
{
    uint64_t from = 0;
    size_t all = 0, asked;
    memset(addr.b, 0xc0, sizeof addr.b);
    make_chain(52);
    while (from < BLOCKS) {
        ex_logs_t logs = { .filter = NULL };
        err_t e = { .text = "" };
        uint64_t to = BLOCKS - 1;
        if (ask(&asked, &logs, &e, from, to) == RC_LIMIT) {
            to = from + logs.fit_count - 1;
            ck_assert_int_eq(ask(&asked, &logs, &e, from, to), RC_NEED_DATA);
        }
        all += asked;
        from = to + 1;
    }
    ck_assert_uint_eq(all, positives(0, BLOCKS - 1));
    free(headers);
}
END_TEST

START_TEST(one_block_is_answered_however_many_logs_it_has)
{
    static const ex_filter_t all = { .addr_count = 0 };
    evm_log_t *logs = calloc(EX_LOGS_MAX + 1, sizeof *logs);
    const ex_receipt_t receipt = { .logs = logs, .log_count = EX_LOGS_MAX + 1 };
    ex_past_t past[2];
    ex_logs_t plan = { .filter = &all };
    err_t e = { .text = "" };
    memset(past, 0, sizeof past);
    for (size_t i = 0; i < 2; i++) {
        past[i] = (ex_past_t){ .has_header = true, .has_receipts = true, .receipts = &receipt, .receipt_count = 1 };
        past[i].block.header.number = 7 + i;
        memset(past[i].block.header.logs_bloom, 0xff, EX_BLOOM_LEN);
    }
    ck_assert_int_eq(ex_logs_plan(&plan, &e, past, 2), RC_LIMIT);
    ck_assert_uint_eq(plan.fit_count, 1); /* which then is asked for, and */
    ck_assert_int_eq(ex_logs_plan(&plan, &e, past, plan.fit_count), RC_OK);
    free(logs);
}
END_TEST

START_TEST(a_filter_of_everything_finds_nothing_where_no_bit_is_set)
{
    static const ex_filter_t all = { .addr_count = 0 };
    uint8_t bloom[EX_BLOOM_LEN] = { 0 };
    ck_assert(!ex_filter_may_find(&all, bloom));
    for (unsigned bit = 0; bit < 8 * EX_BLOOM_LEN; bit++) {
        bloom[bit / 8] = (uint8_t)(1u << bit % 8);
        ck_assert(ex_filter_may_find(&all, bloom));
        bloom[bit / 8] = 0;
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("logs_range", a_filter_of_everything_finds_nothing_where_no_bit_is_set,
                    one_block_is_answered_however_many_logs_it_has,
                    receipts_are_those_of_positive_blocks_and_too_many_are_refused, a_range_that_is_named_is_answered);
}
