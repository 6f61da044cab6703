/* What a query takes is kept, and is enough to run it again; without any piece of it that cannot be done, and a piece too much
 * shows. */
#include "lightclient/exec/read.h"
#include "lightclient/exec/replay.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#define CHAINED "5f545450602a5f5260205ff3" /* sload(sload(0)); return 42 */

static const evm_schedule_row_t prague_row = { 0, { EVM_PRAGUE, 6, 9, 5007716, NULL } };
static const evm_chain_t PRAGUE = { 1, &prague_row, 1 };
static const uint64_t seed[2] = { 3, 4 };
static world_t w;
static arena_t arena;
static ex_block_t block;
static ex_request_t request;
static err_t e;

static void setup(void)
{
    world_init(&w);
    arena_init(&arena, 64u << 20);
    world_account_t *a = world_add(&w, world_addr(1), CHAINED);
    world_add(&w, world_addr(2), "");
    for (uint64_t i = 0; i < 20; i++)
        world_set(a, i, u256_of(7 + i));
    block = (ex_block_t){ .state_root = world_root(&w),
                          .env = { .number = 9, .gas_limit = 30000000, .chain_id = 1, .timestamp = 1 } };
    request = (ex_request_t){ .has_to = true, .to = world_addr(1) };
}

static void teardown(void)
{
    arena_free(&arena);
    world_clear(&w);
}

static ex_stock_t *stock_new(void)
{
    ex_stock_t *s = arena_calloc(&arena, 1, sizeof *s);
    ck_assert_int_eq(ex_stock_init(s, &arena, seed), RC_OK);
    return s;
}

static query_t *call_new(void)
{
    query_t *q = NULL;
    const ex_call_config_t config = { .chain = &PRAGUE, .block = &block, .request = &request, .proof_slots_max = 1 };
    ck_assert_int_eq(ex_call_new(&q, &e, &config), RC_OK);
    return q;
}

/* Drives a query by the world, which answers more than is asked for with surplus. */
static void drive(query_t *q)
{
    const need_t *needs;
    rc_t rc;
    while ((rc = query_step(q, &e)) == RC_NEED_DATA)
        for (size_t i = 0, n = query_needs(q, &needs); i < n; i++) {
            answer_t a = { .kind = needs[i].kind };
            if (needs[i].kind == NEED_CODE)
                a.code = world_code(&w, &needs[i].addr);
            else
                a.proof = world_proof(&w, &needs[i].addr, needs[i].slots, needs[i].slot_count);
            ck_assert_msg(query_give(q, &e, i, &a) == RC_OK, "%s", e.text);
        }
    ck_assert_msg(rc == RC_OK, "%s", e.text);
}

static ex_stock_t *record(void)
{
    ex_stock_t *s = stock_new();
    query_t *q;
    ck_assert_int_eq(ex_recorded_new(&q, &e, call_new(), s), RC_OK);
    drive(q);
    ck_assert_uint_eq(ex_call_result(ex_recorded_inner(q))->output.p[31], 42);
    query_free(q);
    return s;
}

static rc_t replay(ex_stock_t *s, ex_stock_kind_t *lacks)
{
    query_t *q = call_new();
    const rc_t rc = ex_replay(q, lacks, &e, s);
    if (!rc)
        ck_assert_uint_eq(ex_call_result(q)->output.p[31], 42);
    query_free(q);
    return rc;
}

/* A stock of what another one has used, without one piece (of kind without; EX_STOCK_KINDS: with all). */
static ex_stock_t *copy_but(const ex_stock_t *s, ex_stock_kind_t without, size_t which)
{
    ex_stock_t *out = stock_new();
    for (ex_stock_kind_t kind = EX_STOCK_HEADER; kind < EX_STOCK_RECEIPTS; kind++) {
        view_t *list;
        size_t n;
        ck_assert_int_eq(ex_stock_list(s, &list, &n, &arena, kind), RC_OK);
        for (size_t i = 0; i < n; i++)
            if (kind != without || i != which)
                ck_assert_int_eq(ex_stock_add(out, &e, kind, list[i]), RC_OK);
    }
    return out;
}

START_TEST(what_a_call_took_runs_it_again_and_every_piece_of_it_is_needed)
{
    ex_stock_kind_t lacks;
    ex_stock_t *s = record();
    ck_assert_int_eq(replay(s, &lacks), RC_OK);
    s = copy_but(s, EX_STOCK_KINDS, 0);
    ck_assert_int_eq(replay(s, &lacks), RC_OK);
    for (ex_stock_kind_t kind = EX_STOCK_HEADER; kind < EX_STOCK_KINDS; kind++)
        ck_assert_uint_eq(ex_stock_unused(s, kind), 0);
    ck_assert_uint_eq(s->codes.count, 1);
    ck_assert_uint_ge(s->nodes.nodes.count, 4); /* of the account, of two slots */
    for (size_t i = 0; i < s->nodes.nodes.count; i++) {
        ck_assert_int_eq(replay(copy_but(s, EX_STOCK_NODE, i), &lacks), RC_NEED_DATA);
        ck_assert_int_eq(lacks, EX_STOCK_NODE);
    }
    ck_assert_int_eq(replay(copy_but(s, EX_STOCK_CODE, 0), &lacks), RC_NEED_DATA);
    ck_assert_int_eq(lacks, EX_STOCK_CODE);
}
END_TEST

START_TEST(what_nobody_needed_shows)
{
    ex_stock_kind_t lacks;
    ex_stock_t *s = copy_but(record(), EX_STOCK_KINDS, 0);
    s = record();
    ck_assert_int_eq(replay(s, &lacks), RC_OK);
    s = copy_but(s, EX_STOCK_KINDS, 0);
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_CODE, view_str("other code")), RC_OK);
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_NODE, view_str("no node at all")), RC_OK);
    ck_assert_int_eq(replay(s, &lacks), RC_OK);
    ck_assert_uint_eq(ex_stock_unused(s, EX_STOCK_CODE), 1);
    ck_assert_uint_eq(ex_stock_unused(s, EX_STOCK_NODE), 1);
    ck_assert_uint_eq(ex_stock_unused(s, EX_STOCK_HEADER), 0);
}
END_TEST

START_TEST(pieces_are_refused_that_are_none_or_are_there_already)
{
    uint8_t room[EX_HEADER_RLP_MAX];
    ex_stock_t *s = stock_new();
    ex_header_t h = { .number = 7, .ommers_hash = EX_NO_OMMERS };
    wr_t out = wr_of(room, sizeof room);
    ex_header_encode(&out, &h);
    const view_t header = wr_view(&out);
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_HEADER, header), RC_OK);
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_HEADER, header), RC_REPLAY);
    for (size_t n = 0; n < header.n; n++)
        ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_HEADER, view_of(header.p, n)), RC_MALFORMED);
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_BLOCK, header), RC_MALFORMED);
    room[100] ^= 1; /* another block of the same number */
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_HEADER, header), RC_REFUSED);
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_CODE, view_of(NULL, 0)), RC_LIMIT);
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_NODE, view_of(NULL, 0)), RC_LIMIT);
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_CODE, view_str("x")), RC_OK);
    ck_assert_int_eq(ex_stock_add(s, &e, EX_STOCK_CODE, view_str("x")), RC_REPLAY);
    const view_t receipts[] = { view_str("a"), view_str("bb") };
    ck_assert_int_eq(ex_stock_add_receipts(s, &e, receipts, 2), RC_OK);
    ck_assert_int_eq(ex_stock_add_receipts(s, &e, receipts, 2), RC_REPLAY);
    ck_assert_int_eq(ex_stock_add_receipts(s, &e, receipts, 1), RC_OK);
    ck_assert_uint_eq(ex_stock_unused(s, EX_STOCK_RECEIPTS), 2);
}
END_TEST

/* A hint is no need that a stock answers, and what only a guess asked for may be missing. */
START_TEST(a_hint_is_left_unanswered)
{
    answer_t a;
    ex_stock_kind_t lacks;
    const need_t hint = { .kind = NEED_HINT, .block = &block, .request = &request };
    const need_t proof = { .kind = NEED_PROOF, .block = &block, .addr = world_addr(1) };
    ck_assert_int_eq(ex_stock_answer(stock_new(), &a, &lacks, &arena, &hint), RC_UNSUPPORTED);
    ck_assert_int_eq(ex_stock_answer(stock_new(), &a, &lacks, &arena, &proof), RC_NEED_DATA);
    ck_assert_int_eq(lacks, EX_STOCK_NODE);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("stock", setup, teardown, what_a_call_took_runs_it_again_and_every_piece_of_it_is_needed,
                           what_nobody_needed_shows, pieces_are_refused_that_are_none_or_are_there_already,
                           a_hint_is_left_unanswered);
}
