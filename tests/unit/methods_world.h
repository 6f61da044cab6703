/* methods_world.h - POST /rpc over a small proven world, with a loop in place of the engine.
 *
 * Tests:  tests/unit/test_methods.c, test_methods_node.c, test_methods_state.c, test_simulate.c
 */
#ifndef TESTS_METHODS_WORLD_H
#define TESTS_METHODS_WORLD_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lightclient/exec/history.h"
#include "rpc/api/rpc.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static const evm_schedule_row_t row = { 0, { EVM_PRAGUE, 6, 9, 5007716, NULL } };
static const evm_chain_t CHAIN = { 560048, &row, 1 };

#define ADDR "\"0xac0000000000000000000000000000000000a000\""   /* returns 42 */
#define ECHO "\"0xac0000000000000000000000000000000000b000\""   /* reverts with what it is called with */
#define HALTS "\"0xac0000000000000000000000000000000000c000\""  /* an invalid opcode */
#define LONG "\"0xac0000000000000000000000000000000000e000\""   /* returns a MiB of zeros, once add_long was called */
#define NOBODY "\"0xac0000000000000000000000000000000000dead\"" /* absent */
#define HASH32(two)                                                                                                    \
    "0x" two two two two two two two two two two two two two two two two two two two two two two two two two two two   \
        two two two two two

static world_t w;
static arena_t arena;
static api_world_t world;
static ex_header_t past; /* block 999, the parent of the latest, which is not held */
static hash32_t past_hash;
static view_t past_changes;   /* its block access list */
static unsigned rounds;       /* batches of the last request */
static rc_t upstream = RC_OK; /* anything else: every query ends so */

/* The parent has the world's state as it is now. */
static inline void set_past(void)
{
    past = (ex_header_t){ .number = 999, .timestamp = 4988, .gas_limit = 30000000, .ommers_hash = EX_NO_OMMERS };
    past.state_root = world_root(&w);
    ex_header_hash(&past_hash, &past);
    world.latest.parent_hash = past_hash;
}

static void setup(void)
{
    world_init(&w);
    arena_init(&arena, 256 << 20);
    world_add(&w, world_addr(0xa000), "602a5f5260205ff3");
    world_add(&w, world_addr(0xb000), "365f5f37365ffd");
    world_add(&w, world_addr(0xc000), "fe");
    world = (api_world_t){ .chain = &CHAIN, .has_finalized = true };
    world.latest.state_root = world.finalized.state_root = world_root(&w);
    world.latest.env = (evm_block_t){ .number = 1000, .timestamp = 5000, .gas_limit = 30000000, .chain_id = 560048 };
    world.finalized.env = world.latest.env;
    world.finalized.env.number = 936;
    memset(world.latest.block_hash.b, 0xaa, 32);
    memset(world.finalized.block_hash.b, 0xbb, 32);
    set_past();
    rounds = 0;
    upstream = RC_OK;
}

static void teardown(void)
{
    arena_free(&arena);
    world_clear(&w);
}

static answer_t send_answer; /* to NEED_SEND */

static answer_t honest(const need_t *need)
{
    answer_t a = { .kind = need->kind };
    if (need->kind == NEED_SEND)
        a = send_answer;
    if (need->kind == NEED_PROOF)
        a.proof = world_proof(&w, &need->addr, need->slots, need->slot_count);
    else if (need->kind == NEED_CODE)
        a.code = world_code(&w, &need->addr);
    else if (need->kind == NEED_HEAD)
        a.header = past;
    else if (need->kind == NEED_CHANGES)
        a.code = past_changes;
    else if (need->kind == NEED_HEADER) {
        a.header = past;
        a.absent = need->number != past.number && !hash32_eq(&need->hash, &past_hash);
    }
    return a;
}

static rc_t drive(query_t *q, err_t *e)
{
    const need_t *needs;
    rc_t rc;
    if (upstream)
        return err_say(e, upstream, "https://node: it is not there");
    while ((rc = query_step(q, e)) == RC_NEED_DATA) {
        const size_t n = query_needs(q, &needs);
        rounds++;
        for (size_t i = 0; i < n; i++) {
            const answer_t a = honest(&needs[i]);
            if (a.kind == NEED_CHANGES && !past_changes.p)
                continue; /* nobody has it */
            rc_t given = query_give(q, e, i, &a);
            if (given == RC_NEED_DATA && e->code == QUERY_LACKS)
                given = query_give(q, e, i, &(answer_t){ .kind = a.kind, .absent = true });
            if (given)
                return RC_IO; /* as when there is nobody else to ask */
        }
    }
    return rc;
}

/* The answer to a request, NUL-terminated; "" for none. Queries are driven from the last to the first. */
static inline const char *serve(const char *text)
{
    api_rpc_t *r;
    view_t body;
    char *copy = strdup(text); /* exact size on the heap */
    rounds = 0;
    ck_assert_int_eq(api_rpc_begin(&r, &arena, &world, view_of(copy, strlen(copy))), RC_OK);
    do
        for (size_t i = api_rpc_count(r); i-- > 0;) {
            err_t e = { .rc = RC_OK };
            query_t *q = api_rpc_take(r, i);
            if (q) {
                const rc_t rc = drive(q, &e);
                api_rpc_end(r, i, rc, &e, q);
            }
        }
    while (api_rpc_more(r));
    ck_assert_int_eq(api_rpc_finish(r, &body), RC_OK);
    free(copy);
    return body.n ? (const char *)body.p : "";
}

#define LONG_CALL                                                                                                      \
    "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"eth_call\",\"params\":[{\"to\":" LONG ",\"gas\":\"0x989680\"}]},"

static inline void add_long(void)
{
    world_add(&w, world_addr(0xe000), "621000005ff3");
    world.latest.state_root = world_root(&w);
}

/* A batch of calls that return a MiB each, and of what then comes. */
static inline const char *serve_behind(unsigned calls, const char *then)
{
    char text[8192] = "[";
    arena_free(&arena); /* of the batch before */
    arena_init(&arena, 256 << 20);
    for (unsigned i = 0; i < calls; i++)
        strcat(text, LONG_CALL);
    ck_assert_uint_lt(strlen(text) + strlen(then) + 2, sizeof text);
    return serve(strcat(strcat(text, then), "]"));
}

#define CALL(params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":[" params "]}"
#define BALANCE(params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBalance\",\"params\":" params "}"
#define RESULT(text) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" text "}"
#define ERROR(code, text) "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":" code ",\"message\":\"" text "\"}}"
#define ERROR_NULL(code, text)                                                                                         \
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":" code ",\"message\":\"" text "\"}}"
#define CHAIN_ID(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"eth_chainId\"}"
#define CHAIN_ID_RESULT(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":\"0x88bb0\"}"

typedef struct {
    const char *request, *answer;
} row_t;

static inline void check_rows(const row_t *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = serve(rows[i].request);
        ck_assert_msg(!strcmp(got, rows[i].answer), "row %zu: %s\n got %s\nwant %s", i, rows[i].request, got,
                      rows[i].answer);
    }
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

#endif
