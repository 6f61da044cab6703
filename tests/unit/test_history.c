/* Blocks of the past: a small chain, and each lie about it. A log that is left out is caught in every block. */
#include <check.h>

#include "lightclient/exec/logs.h"
#include "lightclient/mpt/mpt.h"
#include "tests/unit/unit.h"

#define COUNT 5u /* so near the head that parent hashes lead to all */

static arena_t arena;
static ex_full_block_t blocks[COUNT];
static view_t raw[COUNT]; /* the one receipt of each */
static view_t txs[COUNT];
static ex_block_t head;
static evm_log_t logs[COUNT];

static void setup(void)
{
    static const uint8_t tx[] = { 0xc1, 0x80 };
    arena_init(&arena, 64u << 20);
    for (size_t i = 0; i < COUNT; i++) {
        ex_header_t *h = &blocks[i].header;
        ex_receipt_t r = { .success = true, .cumulative_gas = 21000, .logs = &logs[i], .log_count = 1 };
        memset(logs[i].addr.b, (int)i + 1, 20);
        ex_bloom_add_logs(r.bloom, r.logs, 1);
        ck_assert_int_eq(ex_receipt_encode(&raw[i], &arena, &r), RC_OK);
        txs[i] = view_of(tx, sizeof tx);
        *h = (ex_header_t){ .number = i, .ommers_hash = EX_NO_OMMERS };
        memcpy(h->logs_bloom, r.bloom, sizeof r.bloom);
        if (i)
            h->parent_hash = blocks[i - 1].hash;
        ck_assert_int_eq(mpt_list_root(&h->receipts_root, &raw[i], 1, &arena), RC_OK);
        ck_assert_int_eq(mpt_list_root(&h->transactions_root, &txs[i], 1, &arena), RC_OK);
        blocks[i].transactions = &txs[i];
        blocks[i].transaction_count = 1;
        ex_header_hash(&blocks[i].hash, h);
    }
    ex_block_of_header(&head, &blocks[COUNT - 1].header, &blocks[COUNT - 1].hash, 1);
}

static void teardown(void)
{
    arena_free(&arena);
}

/* What of block `about` is told falsely. */
typedef enum { HONEST, OTHER_HEADER, NO_TRANSACTION, NO_RECEIPT, OTHER_RECEIPT } lie_t;

static answer_t answer_to(const need_t *need, size_t about, lie_t lie)
{
    const size_t i = need->number;
    answer_t a = { .kind = need->kind, .header = blocks[i].header, .block = blocks[i] };
    a.receipts = &raw[i];
    a.receipt_count = 1;
    if (i != about)
        return a;
    if (lie == OTHER_HEADER)
        a.header.gas_used = a.block.header.gas_used = 7;
    if (lie == NO_TRANSACTION)
        a.block.transaction_count = 0;
    if (lie == NO_RECEIPT)
        a.receipt_count = 0;
    if (lie == OTHER_RECEIPT)
        a.receipts = &raw[(i + 1) % COUNT];
    return a;
}

/* Drives a query; the first fault of an answer, or how it ends. */
static rc_t drive(query_t *q, size_t about, lie_t lie)
{
    const need_t *needs;
    rc_t rc;
    while ((rc = query_step(q, NULL)) == RC_NEED_DATA) {
        const size_t n = query_needs(q, &needs);
        for (size_t i = 0; i < n; i++) {
            const answer_t a = answer_to(&needs[i], about, lie);
            rc = query_give(q, NULL, i, &a);
            if (rc)
                return rc;
        }
    }
    return rc;
}

static query_t *ask(unsigned wants)
{
    query_t *q;
    const ex_history_config_t c = {
        .chain_id = 1, .head = &head, .final_number = COUNT, .to = COUNT - 1, .wants = wants
    };
    ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
    return q;
}

START_TEST(a_chain_is_proven_whole)
{
    query_t *q = ask(EX_WANT_BODY | EX_WANT_RECEIPTS);
    ck_assert_int_eq(drive(q, 0, HONEST), RC_OK);
    const ex_history_result_t *r = ex_history_result(q);
    ck_assert_uint_eq(r->count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert(r->blocks[i].has_body && r->blocks[i].has_receipts &&
                  hash32_eq(&r->blocks[i].block.hash, &blocks[i].hash));
    query_free(q);
}
END_TEST

START_TEST(each_lie_about_each_block_is_refused)
{
    for (size_t about = 0; about < COUNT; about++)
        for (lie_t lie = OTHER_HEADER; lie <= OTHER_RECEIPT; lie++) {
            query_t *q = ask(EX_WANT_BODY | EX_WANT_RECEIPTS);
            ck_assert_msg(drive(q, about, lie) == RC_REFUSED, "block %zu, lie %d", about, (int)lie);
            ck_assert_ptr_null(ex_history_result(q));
            query_free(q);
        }
}
END_TEST

START_TEST(a_log_that_is_left_out_is_caught)
{
    for (size_t i = 0; i < COUNT; i++) {
        query_t *q;
        const ex_filter_t filter = { .addrs = &logs[i].addr, .addr_count = 1 };
        ex_logs_t plan = { .filter = &filter };
        const ex_history_config_t c = { .chain_id = 1,
                                        .head = &head,
                                        .final_number = COUNT,
                                        .to = COUNT - 1,
                                        .plan = ex_logs_plan,
                                        .plan_ctx = &plan };
        ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
        ck_assert_int_eq(drive(q, i, NO_RECEIPT), RC_REFUSED);
        query_free(q);
        ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
        ck_assert_int_eq(drive(q, i, HONEST), RC_OK);
        ck_assert(ex_history_result(q)->blocks[i].has_body);
        query_free(q);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("history", setup, teardown, a_chain_is_proven_whole, each_lie_about_each_block_is_refused,
                           a_log_that_is_left_out_is_caught);
}
