/* Blocks of the past: a small chain, and each lie about it. A log that is left out is caught in every block. */
#include <check.h>

#include "lightclient/exec/cache.h"
#include "lightclient/exec/logs.h"
#include "lightclient/mpt/mpt.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#define COUNT 5u /* so near the head that parent hashes lead to all */
#define EACH 2u  /* transactions of a block, receipts, logs of a receipt, withdrawals */
#define FAR 100u /* the number of a head from which only the history contract leads to them */

static arena_t arena;
static ex_full_block_t blocks[COUNT];
static ex_receipt_t receipts[COUNT][EACH];
static view_t raw[COUNT][EACH]; /* their encodings */
static view_t txs[COUNT][EACH];
static ex_withdrawal_t withdrawals[COUNT][EACH];
static evm_log_t logs[COUNT][EACH][EACH]; /* each of an address of its own */
static ex_block_t head;
static world_t w; /* the state at the far head */
static ex_block_t far_head;

static void encode(view_t *out, const ex_receipt_t *r)
{
    ck_assert_int_eq(ex_receipt_encode(out, &arena, r), RC_OK);
}

static void make_receipt(size_t i, size_t k)
{
    ex_receipt_t *r = &receipts[i][k];
    *r = (ex_receipt_t){ .type = 2, .success = true, .cumulative_gas = 21000 * (k + 1), .log_count = EACH };
    for (size_t n = 0; n < EACH; n++)
        memset(logs[i][k][n].addr.b, (int)(1 + n + EACH * (k + EACH * i)), 20);
    r->logs = logs[i][k];
    ex_bloom_add_logs(r->bloom, r->logs, EACH);
    encode(&raw[i][k], r);
}

static void make_block(size_t i)
{
    ex_full_block_t *b = &blocks[i];
    ex_header_t *h = &b->header;
    *h = (ex_header_t){ .number = i, .ommers_hash = EX_NO_OMMERS, .tail = ex_header_tail(EVM_SHANGHAI) };
    for (size_t k = 0; k < EACH; k++) {
        uint8_t *tx = arena_alloc(&arena, 3);
        tx[0] = 0xc2, tx[1] = (uint8_t)(1 + i), tx[2] = (uint8_t)(1 + k);
        txs[i][k] = view_of(tx, 3);
        withdrawals[i][k] = (ex_withdrawal_t){ .index = EACH * i + k, .amount = 7 };
        make_receipt(i, k);
        for (size_t n = 0; n < EX_BLOOM_LEN; n++)
            h->logs_bloom[n] |= receipts[i][k].bloom[n];
    }
    if (i)
        h->parent_hash = blocks[i - 1].hash;
    ck_assert_int_eq(mpt_list_root(&h->receipts_root, raw[i], EACH, &arena), RC_OK);
    ck_assert_int_eq(mpt_list_root(&h->transactions_root, txs[i], EACH, &arena), RC_OK);
    b->transactions = txs[i];
    b->withdrawals = withdrawals[i];
    b->transaction_count = b->withdrawal_count = EACH;
    b->has_withdrawals = true;
    ck_assert_int_eq(ex_withdrawals_root(&h->withdrawals_root, &arena, b), RC_OK);
    ex_header_hash(&b->hash, h);
}

/* The history contract at the far head (EIP-2935): slot n has the hash of block n. */
static void make_far_head(void)
{
    const addr_t history = { { 0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                               0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35 } };
    world_init(&w);
    world_account_t *a = world_add(&w, history, "00");
    world_add(&w, world_addr(1), "");
    for (size_t i = 0; i < COUNT; i++)
        world_set(a, i, u256_from_be32(blocks[i].hash.b));
    far_head = (ex_block_t){ .state_root = world_root(&w), .env = { .number = FAR } };
    memset(far_head.block_hash.b, 0xfa, 32);
}

static void setup(void)
{
    arena_init(&arena, 64u << 20);
    memset(blocks, 0, sizeof blocks);
    for (size_t i = 0; i < COUNT; i++)
        make_block(i);
    ex_block_of_header(&head, &blocks[COUNT - 1].header, &blocks[COUNT - 1].hash, 1);
    make_far_head();
}

static void teardown(void)
{
    world_clear(&w);
    arena_free(&arena);
}

/* What of block `about` is told falsely. */
typedef enum {
    HONEST,
    OTHER_HEADER,
    OTHER_PARENT, /* of a side branch */
    NO_TRANSACTION,
    MORE_TRANSACTIONS,
    OTHER_TRANSACTION,
    MOVED_TRANSACTION,
    OTHER_WITHDRAWAL,
    NO_WITHDRAWAL,
    NO_RECEIPT,
    MORE_RECEIPTS,
    MOVED_RECEIPT,
    OTHER_BLOCKS_RECEIPTS,
    OTHER_STATUS,
    OTHER_GAS,
    OTHER_LABEL,
    OTHER_BLOOM,
    ADDED_LOG,
    MOVED_LOG, /* of another index */
    OTHER_DATA,
    OTHER_TOPIC,
    LIES
} lie_t;

static void lie_of_body(ex_full_block_t *b, size_t i, lie_t lie)
{
    static view_t other[EACH + 1];
    static ex_withdrawal_t moved[EACH];
    static const uint8_t tx[] = { 0xc2, 0x63, 0x63 };
    for (size_t k = 0; k <= EACH; k++)
        other[k] = txs[i][lie == MOVED_TRANSACTION ? (k + 1) % EACH : k % EACH];
    if (lie == OTHER_TRANSACTION)
        other[1] = view_of(tx, sizeof tx);
    if (lie >= NO_TRANSACTION && lie <= MOVED_TRANSACTION)
        b->transactions = other;
    b->transaction_count = EACH + (lie == MORE_TRANSACTIONS) - (lie == NO_TRANSACTION);
    memcpy(moved, withdrawals[i], sizeof moved);
    moved[1].amount += lie == OTHER_WITHDRAWAL;
    b->withdrawals = moved;
    b->withdrawal_count = EACH - (lie == NO_WITHDRAWAL);
}

/* Of the logs of a receipt, with a bloom that fits. */
static void lie_of_logs(ex_receipt_t *r, lie_t lie)
{
    static const hash32_t topic = { { 0x70 } };
    static evm_log_t other[EACH + 1];
    if (lie < ADDED_LOG)
        return;
    for (size_t k = 0; k <= EACH; k++)
        other[k] = r->logs[lie == MOVED_LOG ? (k + 1) % EACH : k % EACH];
    if (lie == OTHER_DATA)
        other[0].data = view_str("other");
    if (lie == OTHER_TOPIC) {
        other[0].topics[0] = topic;
        other[0].topic_count = 1;
    }
    r->logs = other;
    r->log_count = EACH + (lie == ADDED_LOG);
    memset(r->bloom, 0, sizeof r->bloom);
    ex_bloom_add_logs(r->bloom, r->logs, r->log_count);
}

static void lie_of_receipts(answer_t *a, size_t i, lie_t lie)
{
    static view_t other[EACH + 1];
    ex_receipt_t r = receipts[i][1];
    lie_of_logs(&r, lie);
    const size_t of = lie == OTHER_BLOCKS_RECEIPTS ? (i + 1) % COUNT : i;
    for (size_t k = 0; k <= EACH; k++)
        other[k] = raw[of][lie == MOVED_RECEIPT ? (k + 1) % EACH : k % EACH];
    r.success = lie != OTHER_STATUS;
    r.cumulative_gas += lie == OTHER_GAS;
    r.type = lie == OTHER_LABEL ? 1 : 2;
    r.bloom[9] ^= lie == OTHER_BLOOM;
    if (lie >= OTHER_STATUS)
        encode(&other[1], &r);
    a->receipts = other;
    a->receipt_count = EACH + (lie == MORE_RECEIPTS) - (lie == NO_RECEIPT);
}

static answer_t answer_to(const need_t *need, size_t about, lie_t lie)
{
    const size_t i = need->number;
    answer_t a = { .kind = need->kind };
    if (need->kind == NEED_PROOF) {
        a.proof = world_proof(&w, &need->addr, need->slots, need->slot_count);
        return a;
    }
    if (need->kind == NEED_WHERE) {
        for (size_t k = 0; k < COUNT; k++) {
            hash32_t hash;
            keccak256(&hash, txs[k][1]);
            a.number = hash32_eq(&hash, &need->hash) ? k : a.number;
        }
        return a;
    }
    ck_assert_uint_lt(i, COUNT);
    a.block = blocks[i];
    lie_of_body(&a.block, i, i == about ? lie : HONEST);
    lie_of_receipts(&a, i, i == about ? lie : HONEST);
    if (i == about && lie == OTHER_HEADER)
        a.block.header.gas_used = 7;
    if (i == about && lie == OTHER_PARENT)
        a.block.header.parent_hash.b[0] ^= 1;
    a.header = a.block.header;
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

static query_t *ask_at(const ex_block_t *at, unsigned wants)
{
    query_t *q;
    const ex_history_config_t c = { .chain_id = 1, .head = at, .final_number = COUNT, .to = COUNT - 1, .wants = wants };
    ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
    return q;
}

START_TEST(a_chain_is_proven_whole)
{
    const ex_block_t *at[] = { &head, &far_head };
    for (size_t k = 0; k < 2; k++) {
        query_t *q = ask_at(at[k], EX_WANT_BODY | EX_WANT_RECEIPTS);
        ck_assert_int_eq(drive(q, 0, HONEST), RC_OK);
        const ex_history_result_t *r = ex_history_result(q);
        ck_assert_uint_eq(r->count, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            ck_assert(r->blocks[i].has_body && r->blocks[i].has_receipts &&
                      hash32_eq(&r->blocks[i].block.hash, &blocks[i].hash));
        query_free(q);
    }
}
END_TEST

START_TEST(each_lie_about_each_block_is_refused)
{
    for (size_t about = 0; about < COUNT; about++)
        for (lie_t lie = OTHER_HEADER; lie < LIES; lie++) {
            query_t *q = ask_at(about % 2 ? &far_head : &head, EX_WANT_BODY | EX_WANT_RECEIPTS);
            ck_assert_msg(drive(q, about, lie) == RC_REFUSED, "block %zu, lie %d", about, (int)lie);
            ck_assert_ptr_null(ex_history_result(q));
            query_free(q);
        }
}
END_TEST

/* Ways in which the proof of the anchor can be another's. */
static void spoil(ex_proof_answer_t *p, int how, const need_t *need)
{
    const hash32_t beside = world_key(COUNT - 2);
    const addr_t stranger = world_addr(1);
    const ex_proof_answer_t of_slot = world_proof(&w, &need->addr, &beside, 1),
                            of_account = world_proof(&w, &stranger, need->slots, 1);
    const u256_t key = p->slots[0].key;
    switch (how) {
    case 0: *p->slots = of_slot.slots[0]; break;                                /* another slot's */
    case 1: *p->slots = of_slot.slots[0], p->slots[0].key = key; break;         /* ... renamed */
    case 2: p->slots[0].value = of_slot.slots[0].value; break;                  /* another block's hash */
    case 3: p->slots[0].value = u256_of(0); break;                              /* "not there" */
    case 4: p->slots[0].value = u256_of(0), p->slots[0].proof.count = 0; break; /* ... without a proof */
    case 5: *p = of_account, p->address = need->addr; break;                    /* another contract's */
    default: p->slot_count = 0; break;
    }
}

START_TEST(a_false_proof_of_the_anchor_is_refused)
{
    for (int how = 0; how <= 6; how++) {
        query_t *q = ask_at(&far_head, 0);
        const need_t *needs;
        ck_assert_int_eq(query_step(q, NULL), RC_NEED_DATA);
        ck_assert_uint_gt(query_needs(q, &needs), 0);
        ck_assert_int_eq(needs[0].kind, NEED_PROOF);
        answer_t a = answer_to(&needs[0], 0, HONEST);
        spoil(&a.proof, how, &needs[0]);
        ck_assert_msg(query_give(q, NULL, 0, &a) == RC_REFUSED, "way %d", how);
        ck_assert_int_eq(drive(q, 0, HONEST), RC_OK); /* another endpoint may still prove it */
        query_free(q);
    }
}
END_TEST

/* A slot that is proven zero says nothing about the block: the headers between are asked for. */
START_TEST(a_slot_that_is_zero_is_no_hash)
{
    query_t *q;
    const need_t *needs;
    world_set(&w.accounts[0], COUNT - 1, u256_of(0));
    far_head.state_root = world_root(&w);
    q = ask_at(&far_head, 0);
    ck_assert_int_eq(query_step(q, NULL), RC_NEED_DATA);
    (void)query_needs(q, &needs);
    const answer_t a = answer_to(&needs[0], 0, HONEST);
    ck_assert_int_eq(query_give(q, NULL, 0, &a), RC_OK);
    ck_assert_int_eq(query_step(q, NULL), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(q, &needs), FAR);
    for (size_t i = 0; i < FAR; i++)
        ck_assert_int_eq(needs[i].kind, NEED_HEADER);
    query_free(q);
}
END_TEST

/* ---- logs ---- */

static query_t *ask_logs(ex_logs_t *plan, const ex_filter_t *filter)
{
    query_t *q;
    *plan = (ex_logs_t){ .filter = filter };
    const ex_history_config_t c = {
        .chain_id = 1, .head = &head, .final_number = COUNT, .to = COUNT - 1, .plan = ex_logs_plan, .plan_ctx = plan
    };
    ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
    return q;
}

/* Receipt k of block i without one of its logs; with the bloom as it was, or that of what is left. */
static view_t without_log(size_t i, size_t k, size_t log, bool bloom)
{
    ex_receipt_t r = receipts[i][k];
    view_t out;
    r.logs = &logs[i][k][1 - log];
    r.log_count = EACH - 1;
    if (bloom) {
        memset(r.bloom, 0, sizeof r.bloom);
        ex_bloom_add_logs(r.bloom, r.logs, r.log_count);
    }
    encode(&out, &r);
    return out;
}

START_TEST(any_one_log_that_is_left_out_is_caught)
{
    for (size_t x = 0; x < COUNT * EACH * EACH * 2; x++) {
        const size_t i = x / (EACH * EACH * 2), k = x / (EACH * 2) % EACH, log = x / 2 % EACH;
        const ex_filter_t filter = { .addrs = &logs[i][k][log].addr, .addr_count = 1 };
        ex_logs_t plan;
        query_t *q = ask_logs(&plan, &filter);
        const view_t honest = raw[i][k];
        raw[i][k] = without_log(i, k, log, x % 2);
        ck_assert_msg(drive(q, 0, HONEST) == RC_REFUSED, "block %zu, receipt %zu, log %zu", i, k, log);
        raw[i][k] = honest;
        query_free(q);
        q = ask_logs(&plan, &filter);
        ck_assert_int_eq(drive(q, 0, HONEST), RC_OK);
        ck_assert(ex_history_result(q)->blocks[i].has_body);
        query_free(q);
    }
}
END_TEST

/* As ex_logs_plan does for many blocks: transactions only of those whose receipts have what is looked for. */
static rc_t plan_of_many(void *ctx, err_t *e, ex_past_t *past, size_t count)
{
    (void)ctx, (void)e;
    for (size_t i = 0; i < count; i++)
        past[i].wants |= EX_WANT_RECEIPTS | (past[i].has_receipts ? EX_WANT_BODY : 0);
    return RC_OK;
}

/* Receipts that somebody else's question left behind: the plan sees them, and asks for the transactions that it needs. */
START_TEST(a_log_in_kept_receipts_comes_with_its_block)
{
    ex_cache_t *cache = ex_cache_new(&(ex_cache_config_t){ .bytes_max = 16u << 20 });
    ex_history_config_t c = { .chain_id = 1, .head = &head, .final_number = COUNT, .to = COUNT - 1, .cache = cache };
    ck_assert_ptr_nonnull(cache);
    for (int again = 0; again < 2; again++) {
        query_t *q;
        c.wants = again ? 0 : EX_WANT_RECEIPTS;
        c.plan = again ? plan_of_many : NULL;
        ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
        ck_assert_int_eq(drive(q, COUNT, HONEST), RC_OK);
        for (size_t i = 0; i < COUNT; i++)
            ck_assert(ex_history_result(q)->blocks[i].has_receipts &&
                      ex_history_result(q)->blocks[i].has_body == again);
        query_free(q);
    }
    ex_cache_free(cache);
}
END_TEST

/* After a reorganisation a transaction may stand elsewhere, or nowhere. */
START_TEST(where_a_transaction_was_is_tried_first_and_asked_for_when_it_is_not_there)
{
    ex_cache_t *cache = ex_cache_new(&(ex_cache_config_t){ .bytes_max = 1u << 20, .seed = { 1, 2 } });
    uint64_t number;
    query_t *q;
    ex_history_config_t c = { .chain_id = 1, .head = &head, .cache = cache, .by = EX_BY_TRANSACTION };
    keccak256(&c.hash, txs[3][1]);
    ex_cache_put_where(cache, &c.hash, 1);
    for (int i = 0; i < 2; i++) { /* the second time it is known, and nobody is asked */
        ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
        ck_assert_int_eq(i ? query_step(q, NULL) : drive(q, 0, HONEST), RC_OK);
        const ex_history_result_t *r = ex_history_result(q);
        ck_assert(r->count == 1 && r->tx_index == 1 && hash32_eq(&r->blocks[0].block.hash, &blocks[3].hash));
        ck_assert(ex_cache_get_where(cache, &number, &c.hash) && number == 3);
        query_free(q);
    }
    ex_cache_put_where(cache, &c.hash, COUNT); /* above the head: nothing that could be looked at */
    ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
    ck_assert_int_eq(drive(q, 0, HONEST), RC_OK);
    ck_assert_uint_eq(ex_history_result(q)->blocks[0].block.header.number, 3);
    query_free(q);
    ex_cache_free(cache);
}
END_TEST

static hash32_t hash_of_tx(size_t block)
{
    hash32_t hash;
    keccak256(&hash, txs[block][1]);
    return hash;
}

#define NOWHERE 99u
#define ENDPOINTS 3u

/* Asks one endpoint after the other where the transaction is, as node/query/round.c does. True: one was blamed. */
static bool ask_where(query_t *q, const uint64_t named[ENDPOINTS], unsigned *asked)
{
    bool blamed = false;
    err_t e = { 0 };
    for (size_t i = 0; i < ENDPOINTS; i++) {
        const answer_t a = { .kind = NEED_WHERE, .number = named[i] };
        ++*asked;
        const rc_t rc = named[i] == NOWHERE ? RC_NEED_DATA : query_give(q, &e, 0, &a);
        if (!rc)
            return blamed;
        ck_assert(rc == RC_IO || named[i] == NOWHERE || e.code == QUERY_LACKS);
        blamed |= rc == RC_IO;
    }
    ck_assert_int_eq(query_give(q, &e, 0, &(answer_t){ .kind = NEED_WHERE, .absent = true }), RC_OK);
    return blamed;
}

/* Gives all that the query needs until it ends. */
static rc_t drive_where(query_t *q, const uint64_t named[ENDPOINTS], unsigned *asked, bool *blamed)
{
    const need_t *needs;
    rc_t rc;
    while ((rc = query_step(q, NULL)) == RC_NEED_DATA) {
        const size_t n = query_needs(q, &needs);
        if (needs[0].kind == NEED_WHERE) {
            *blamed |= ask_where(q, named, asked);
            continue;
        }
        for (size_t k = 0; k < n; k++) {
            const answer_t a = answer_to(&needs[k], 0, HONEST);
            ck_assert_int_eq(query_give(q, NULL, k, &a), RC_OK);
        }
    }
    return rc;
}

/* Transaction 1 of block 3 is asked for; endpoints say that it is elsewhere. */
START_TEST(a_false_place_of_a_transaction_hides_it_from_nobody)
{
    static const struct {
        uint64_t named[ENDPOINTS], final;
        unsigned asked;
        bool found, blamed;
    } rows[] = {
        { { 3, NOWHERE, NOWHERE }, COUNT, 1, true, false },
        { { 0x7fffffff, 3, NOWHERE }, COUNT, 2, true, false },
        { { COUNT, COUNT, COUNT }, COUNT, 3, false, false },
        { { 1, 3, NOWHERE }, COUNT, 1 + 3, true, true },
        { { 1, 3, 3 }, COUNT, 1 + 3, true, true },
        { { 1, 2, 3 }, 0, 1 + 3, true, false }, /* no block is final: it may be another branch's */
        { { 1, 0, NOWHERE }, COUNT, 1 + 3, false, true },
        { { 1, NOWHERE, NOWHERE }, COUNT, 1 + 3, false, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const ex_history_config_t c = {
            .chain_id = 1, .head = &head, .final_number = rows[i].final, .by = EX_BY_TRANSACTION, .hash = hash_of_tx(3)
        };
        unsigned asked = 0;
        bool blamed = false;
        query_t *q;
        ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
        ck_assert_msg(drive_where(q, rows[i].named, &asked, &blamed) == RC_OK, "row %zu", i);
        ck_assert_msg(asked == rows[i].asked && blamed == rows[i].blamed, "row %zu: %u asked", i, asked);
        const ex_history_result_t *r = ex_history_result(q);
        ck_assert_uint_eq(r->count, rows[i].found);
        ck_assert(!rows[i].found || (r->tx_index == 1 && r->blocks[0].block.header.number == 3));
        query_free(q);
    }
}
END_TEST

/* One that names a block which only old states prove is not the last to be asked; when nobody knows better and it is too
 * old for them, that is said. */
START_TEST(a_place_that_is_old_is_looked_at_only_when_there_is_no_other)
{
    ex_block_t young = head;
    young.env.number = 1u << 20;
    const uint64_t near = young.env.number - EX_HISTORY_WINDOW, old = near - 1;
    const struct {
        uint64_t named[ENDPOINTS];
        unsigned asked;
        rc_t then;
        need_kind_t kind;
    } rows[] = {
        { { 5, 5, NOWHERE }, 3, RC_REFUSED, 0 },
        { { 5, young.env.number, NOWHERE }, 2, RC_NEED_DATA, NEED_BLOCK },
        { { old, near, NOWHERE }, 2, RC_NEED_DATA, NEED_PROOF },
        { { old, old - 1, NOWHERE }, 3, RC_NEED_DATA, NEED_PROOF }, /* on the way to it */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const ex_history_config_t c = {
            .chain_id = 1, .head = &young, .final_number = 6, .by = EX_BY_TRANSACTION, .hash = hash_of_tx(3)
        };
        const need_t *needs;
        unsigned asked = 0;
        query_t *q;
        err_t e;
        ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
        ck_assert_int_eq(query_step(q, &e), RC_NEED_DATA);
        ck_assert_uint_eq(query_needs(q, &needs), 1);
        ck_assert_int_eq(needs[0].kind, NEED_WHERE);
        ck_assert(!ask_where(q, rows[i].named, &asked));
        ck_assert_uint_eq(asked, rows[i].asked);
        ck_assert_int_eq(query_step(q, &e), rows[i].then);
        if (rows[i].then == RC_REFUSED)
            ck_assert_int_eq(e.code, EX_HISTORY_PRUNED);
        else
            ck_assert(query_needs(q, &needs) && needs[0].kind == rows[i].kind);
        query_free(q);
    }
}
END_TEST

START_TEST(receipts_that_are_not_known_by_hash_are_asked_for_by_number)
{
    const ex_filter_t any = { 0 };
    ex_logs_t plan = { .filter = &any };
    const ex_history_config_t c = {
        .chain_id = 1, .head = &head, .final_number = COUNT, .to = COUNT - 1, .plan = ex_logs_plan, .plan_ctx = &plan
    };
    const need_t *needs;
    query_t *q;
    rc_t rc;
    unsigned by_hash = 0, by_number = 0;
    ck_assert_int_eq(ex_history_new(&q, NULL, &c), RC_OK);
    while ((rc = query_step(q, NULL)) == RC_NEED_DATA) {
        const size_t n = query_needs(q, &needs);
        for (size_t i = 0; i < n; i++) {
            answer_t a = answer_to(&needs[i], COUNT, HONEST);
            a.absent = needs[i].kind == NEED_RECEIPTS && !hash32_is_zero(&needs[i].hash);
            by_hash += a.absent;
            by_number += needs[i].kind == NEED_RECEIPTS && !a.absent;
            ck_assert_int_eq(query_give(q, NULL, i, &a), RC_OK);
        }
    }
    ck_assert_int_eq(rc, RC_OK);
    ck_assert_uint_eq(by_hash, COUNT);
    ck_assert_uint_eq(by_number, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        ck_assert(ex_history_result(q)->blocks[i].has_receipts);
    query_free(q);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("history", setup, teardown, receipts_that_are_not_known_by_hash_are_asked_for_by_number,
                           a_chain_is_proven_whole, each_lie_about_each_block_is_refused,
                           a_false_proof_of_the_anchor_is_refused, a_slot_that_is_zero_is_no_hash,
                           any_one_log_that_is_left_out_is_caught, a_log_in_kept_receipts_comes_with_its_block,
                           where_a_transaction_was_is_tried_first_and_asked_for_when_it_is_not_there,
                           a_false_place_of_a_transaction_hides_it_from_nobody,
                           a_place_that_is_old_is_looked_at_only_when_there_is_no_other);
}
