/* retrace_world.h - a chain of six blocks, a light client's updates of it, a statement of each kind about it, and the
 * evidence that a node makes of the statement from honest answers. */
#ifndef TESTS_RETRACE_WORLD_H
#define TESTS_RETRACE_WORLD_H

#include <stdio.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/crypto/keyring.h"
#include "base/crypto/secret.h"
#include "base/hex.h"
#include "lightclient/exec/replay.h"
#include "lightclient/exec/then.h"
#include "node/config/network.h"
#include "node/query/retrace.h"
#include "node/query/statements_work.h"
#include "tests/unit/lc_chain.h"
#include "tests/unit/unit.h"
#include "tests/unit/world.h"

#define FIRST 996u /* number of the first block of the past; the last is the latest head */
#define BLOCKS 6u
#define FINAL 997u
#define HEAD 1000u /* 1001 comes after it, and finalizes it */
#define LOGGED 996u
#define OLD 900u /* further below the head than headers lead: the history contract knows it */
#define SLOT_OF(number) (70 + 2 * ((number)-FIRST))   /* its beacon slot: in period 1 */
#define CODE "5f54600160005401545050602a5f5260205ff3" /* sload(0), sload(1 + sload(0)); return 42 */

static const evm_schedule_row_t prague_row = { 0, { EVM_PRAGUE, 6, 9, 5007716, NULL } };
static const evm_chain_t PRAGUE = { 1, &prague_row, 1 };
static const addr_t history = { { 0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                  0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35 } };
static world_t w;
static arena_t arena;
static lc_network_t net;
static keyring_t *keyring;
static ex_full_block_t blocks[BLOCKS]; /* 996 to 1001 */
static ex_full_block_t old;
static view_t raw_receipt[1], txs[1];
static hash32_t tx_hash, topic = { { 0x0d } };
static addr_t A;
static lcc_block_t checkpoint, final, head, before, after;
static view_t bootstrap, update, optimistic, finality, optimistic_before, finality_after;
static setup_cluster_t cluster;
static view_t cluster_text;
static hash32_t setup_hash;
static retrace_config_t config;
static err_t e;

/* ---- the chain ---- */

static inline uint64_t time_of(uint64_t number)
{
    return net.genesis_time + 12 * SLOT_OF(number);
}

/* A transaction that somebody signed, and its receipt with a log of A. */
static inline void make_transaction(void)
{
    static const uint8_t gx[] = { 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62,
                                  0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce,
                                  0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };
    static uint8_t tx[200];
    static evm_log_t log;
    static ex_receipt_t receipt;
    wr_t out = wr_of(tx, sizeof tx);
    const uint64_t numbers[] = { 0, 7, 21000 };
    for (size_t i = 0; i < 3; i++)
        rlp_put_u64(&out, numbers[i]);
    rlp_put_bytes(&out, view_of(A.b, 20));
    rlp_put_u64(&out, 0);
    rlp_put_bytes(&out, view_of("", 0));
    rlp_put_u64(&out, 37);
    rlp_put_bytes(&out, view_of(gx, sizeof gx));
    rlp_put_u64(&out, 1);
    rlp_wrap_list(&out, 0);
    txs[0] = wr_view(&out);
    keccak256(&tx_hash, txs[0]);
    log = (evm_log_t){ .addr = A, .topics = { topic }, .topic_count = 1 };
    receipt = (ex_receipt_t){ .success = true, .cumulative_gas = 21000, .logs = &log, .log_count = 1 };
    memset(receipt.bloom, 0, sizeof receipt.bloom);
    ex_bloom_add_logs(receipt.bloom, receipt.logs, 1);
    ck_assert_int_eq(ex_receipt_encode(&raw_receipt[0], &arena, &receipt), RC_OK);
    ex_header_t *h = &blocks[LOGGED - FIRST].header;
    memcpy(h->logs_bloom, receipt.bloom, sizeof receipt.bloom);
    h->gas_used = 21000;
    ck_assert_int_eq(mpt_list_root(&h->receipts_root, raw_receipt, 1, &arena), RC_OK);
    ck_assert_int_eq(mpt_list_root(&h->transactions_root, txs, 1, &arena), RC_OK);
    blocks[LOGGED - FIRST].transactions = txs;
    blocks[LOGGED - FIRST].transaction_count = 1;
}

static inline void make_blocks(void)
{
    memset(blocks, 0, sizeof blocks);
    make_transaction();
    for (size_t i = 0; i < BLOCKS; i++) {
        ex_header_t *h = &blocks[i].header;
        h->tail = 6; /* Prague */
        h->withdrawals_root = EMPTY_TRIE_ROOT;
        blocks[i].has_withdrawals = true;
        h->number = FIRST + i;
        h->timestamp = time_of(h->number);
        h->gas_limit = 30000000;
        h->state_root = world_root(&w);
        h->ommers_hash = EX_NO_OMMERS;
        if (!blocks[i].transaction_count)
            h->receipts_root = h->transactions_root = EMPTY_TRIE_ROOT;
        if (i)
            h->parent_hash = blocks[i - 1].hash;
        ex_header_hash(&blocks[i].hash, h);
    }
}

/* It stands in the state of the others, so it has another one. */
static inline void make_old(world_account_t *known_by)
{
    ex_header_t *h = &old.header;
    memset(&old, 0, sizeof old);
    h->number = OLD;
    h->timestamp = net.genesis_time + 12 * 8;
    h->ommers_hash = EX_NO_OMMERS;
    h->receipts_root = h->transactions_root = h->state_root = EMPTY_TRIE_ROOT;
    ex_header_hash(&old.hash, h);
    world_set(known_by, OLD, u256_from_be32(old.hash.b));
}

static inline lcc_block_t beacon_of(uint64_t number, const lcc_block_t *finalized)
{
    return lcc_block(&net, SLOT_OF(number), &blocks[number - FIRST].header, finalized);
}

/* A checkpoint in period 0, its update, and heads in period 1. */
static inline void make_consensus(void)
{
    const ex_header_t early = { .number = 900, .timestamp = net.genesis_time + 12 * 8 };
    checkpoint = lcc_block(&net, 8, &early, NULL);
    const lcc_block_t middle = lcc_block(&net, 24, &early, NULL), late = lcc_block(&net, 40, &early, &middle);
    bootstrap = lcc_bootstrap(&arena, &net, &checkpoint);
    update = lcc_update(&arena, &net, LC_UPDATE, &late, &middle, LCC_SIZE);
    final = beacon_of(FINAL, NULL);
    before = beacon_of(HEAD - 1, &final);
    head = beacon_of(HEAD, &final);
    after = beacon_of(HEAD + 1, &head);
    optimistic = lcc_update(&arena, &net, LC_OPTIMISTIC, &head, NULL, 7);
    finality = lcc_update(&arena, &net, LC_FINALITY, &head, &final, 7);
    optimistic_before = lcc_update(&arena, &net, LC_OPTIMISTIC, &before, NULL, 6);
    finality_after = lcc_update(&arena, &net, LC_FINALITY, &after, &head, 8);
}

static inline void make_setup(void)
{
    cluster = (setup_cluster_t){ .network = "made-up",
                                 .chain_id = 1,
                                 .forks_until = net.genesis_time,
                                 .found = SETUP_FOUND_CONFIGURATION,
                                 .checkpoint = checkpoint.root,
                                 .genesis_validators_root = net.genesis_validators_root,
                                 .rules = { 300, 6144, { 120, 1800, 1800, 86400 }, 50000000 },
                                 .policy_signers = SETUP_NO_SIGNERS };
    ck_assert_int_eq(network_digest(&cluster.network_digest, &net, &PRAGUE, cluster.forks_until), RC_OK);
    ck_assert_int_eq(setup_cluster_write(&cluster_text, &setup_hash, &arena, &cluster), RC_OK);
    config = (retrace_config_t){ .network = &net, .chain = &PRAGUE, .checkpoint = checkpoint.root };
}

static inline void begin(bool gloas)
{
    uint8_t secret[32], blind[32] = { 1 };
    ck_assert_int_eq(secret_init(), RC_OK);
    memset(secret, 1, sizeof secret);
    ck_assert_int_eq(keyring_new(&keyring, secret, blind), RC_OK);
    net = lcc_network(1);
    if (gloas)
        net.fork_epoch[LC_GLOAS] = 0;
    arena_init(&arena, (size_t)512 << 20);
    world_init(&w);
    A = world_addr(0xa000);
    world_account_t *a = world_add(&w, A, CODE);
    make_old(world_add(&w, history, "00"));
    world_add(&w, world_addr(0xb000), "");
    for (uint64_t i = 0; i < 12; i++)
        world_set(a, i, u256_of(3 + i));
    make_blocks();
    make_consensus();
    make_setup();
}

static inline void setup(void)
{
    begin(false);
}

static inline void teardown(void)
{
    world_clear(&w);
    arena_free(&arena);
    keyring_free(keyring);
}

/* ---- honest answers ---- */

static inline const ex_full_block_t *block_named(const need_t *need)
{
    for (size_t i = 0; i < BLOCKS; i++)
        if (hash32_is_zero(&need->hash) ? blocks[i].header.number == need->number
                                        : hash32_eq(&blocks[i].hash, &need->hash))
            return &blocks[i];
    return hash32_is_zero(&need->hash)         ? need->number == OLD ? &old : NULL
           : hash32_eq(&need->hash, &old.hash) ? &old
                                               : NULL;
}

static inline answer_t answer_of(const need_t *need)
{
    answer_t a = { .kind = need->kind };
    const need_t by_hash = { .hash = need->block->block_hash };
    const ex_full_block_t *b = block_named(need);
    switch (need->kind) {
    case NEED_PROOF: a.proof = world_proof(&w, &need->addr, need->slots, need->slot_count); break;
    case NEED_CODE: a.code = world_code(&w, &need->addr); break;
    case NEED_HEADER:
        a.absent = !b;
        if (b)
            a.header = b->header;
        break;
    case NEED_HEAD: a.header = block_named(&by_hash)->header; break;
    case NEED_BLOCK:
        a.absent = !b;
        if (b)
            a.block = *b;
        break;
    case NEED_RECEIPTS:
        a.receipts = raw_receipt;
        a.receipt_count = b->transaction_count;
        break;
    case NEED_WHERE:
        a.number = LOGGED;
        a.hash = blocks[0].hash;
        break;
    default: break;
    }
    return a;
}

static inline void drive(query_t *q)
{
    const need_t *needs;
    rc_t rc;
    while ((rc = query_step(q, &e)) == RC_NEED_DATA)
        for (size_t pass = 0, n = query_needs(q, &needs); pass < 2; pass++)
            for (size_t i = 0; i < n; i++) {
                const answer_t a = answer_of(&needs[i]);
                if ((needs[i].kind == NEED_PROOF) == (pass == 0) && needs[i].kind != NEED_HINT)
                    ck_assert_msg(query_give(q, &e, i, &a) == RC_OK, "%s", e.text);
            }
    ck_assert_msg(rc == RC_OK, "%s: %s", rc_name(rc), e.text);
}

/* ---- statements ---- */

static inline rc_t sign65(void *ctx, uint8_t out[ECDSA_SIG65_LEN], addr_t *by, const hash32_t *digest)
{
    return keyring_sign65(ctx, out, by, digest);
}

/* What a test asks for, and on which head the answer rests. */
typedef struct {
    question_t question;
    view_t request;
    const lcc_block_t *rests_on;
    bool finalized; /* that is the finalized header of its object */
    bool linked;    /* it is the ancestor of a finalized one */
} case_t;

static grounds_t grounds; /* of the last statement */

static inline held_head_t held_of(const lcc_block_t *b, uint32_t participants, bool finalized)
{
    const lc_head_t h = {
        .valid = true, .whole = true, .header = b->header, .beacon_root = b->root, .participants = participants
    };
    return held_head_of(&h, 1, finalized);
}

static inline void answer_and_sign(statement_t *s)
{
    const statement_signer_t signer = { keyring, sign65 };
    ck_assert_int_eq(statement_sign(s, &signer), RC_OK);
    ck_assert_int_eq(statement_write(&grounds.answer, &arena, s), RC_OK);
    ck_assert_int_eq(statement_read(&grounds.statement, &e, &arena, grounds.answer), RC_OK);
    statement_digest(&grounds.id, s);
}

/* The statement that a node makes, and what its evidence begins with. */
static inline statement_t make_statement(const case_t *c)
{
    static statements_t owner;
    static held_t held;
    static work_t work;
    query_t *q = NULL;
    held_init(&held);
    const unsigned signers = c->linked ? 6 : 7;
    owner.config = (statements_config_t){
        .chain = &PRAGUE, .network = &net, .held = &held, .setup = &setup_hash, .rules = &cluster.rules
    };
    work = (work_t){ .owner = &owner, .arena = &arena, .question = c->question };
    work.known.latest = held_of(c->rests_on, signers, c->finalized || c->linked);
    work.known.has_finalized = c->finalized || c->linked;
    work.known.finalized = work.known.latest;
    ck_assert_msg(statements_begin(&work, &q, &e) == RC_OK, "%s", e.text);
    if (q)
        drive(q);
    ck_assert_msg(statements_conclude(&work, &e, q) == RC_OK, "%s", e.text);
    if (work.statement.kind == STATEMENT_CALL)
        work.statement.call.result = arena_dup(&arena, work.statement.call.result);
    query_free(q);
    held_clear(&held);
    return work.statement;
}

static inline void make_grounds(const case_t *c)
{
    static view_t updates[1];
    updates[0] = update;
    memset(&grounds, 0, sizeof grounds);
    grounds.setup = cluster_text;
    grounds.request = c->request;
    grounds.consensus.bootstrap = bootstrap;
    grounds.consensus.updates = (grounds_list_t){ updates, 1 };
    grounds.consensus.kind = c->finalized ? LC_FINALITY : LC_OPTIMISTIC;
    grounds.consensus.finalized = c->finalized;
    grounds.consensus.head = c->finalized ? finality : c->linked ? optimistic_before : optimistic;
    if (c->linked)
        grounds.consensus.finality = finality_after;
}

/* The evidence that a node makes of the statement, as a file; read, it is in grounds. */
static inline view_t make_file(void)
{
    retrace_t *r;
    query_t *q = NULL;
    view_t text;
    ck_assert_msg(retrace_new(&r, &e, &config, &grounds) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_msg(retrace_record(r, &q, &e) == RC_OK, "%s", e.text);
    if (q)
        drive(q);
    query_free(q);
    ck_assert_msg(retrace_run(r, &e, true) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_int_eq(retrace_file(&text, &arena, r), RC_OK);
    retrace_free(r);
    ck_assert_msg(grounds_read(&grounds, &e, &arena, text) == RC_OK, "%s: %s", e.field, e.text);
    return text;
}

static inline rc_t judge(const grounds_t *g)
{
    e.code = 0;
    return retrace_judge(&e, &config, g, NULL, 0);
}

static inline void evidence_of(const case_t *c)
{
    make_grounds(c);
    statement_t s = make_statement(c);
    answer_and_sign(&s);
    make_file();
    ck_assert_msg(judge(&grounds) == RC_OK, "%s at %s: %s", grounds_code_word(e.code), e.field, e.text);
}

static inline question_block_t at_block(uint64_t number)
{
    return (question_block_t){ .given = true, .by = SETUP_BY_BLOCK, .number = number };
}

static const char CRITERIA[] =
    "{\"topics\":[[\"0x0d00000000000000000000000000000000000000000000000000000000000000\"]]}";
static const char LOGS[] = "{\"fromBlock\":996,\"toBlock\":997,"
                           "\"topics\":[[\"0x0d00000000000000000000000000000000000000000000000000000000000000\"]]}";
static const char CALL[] = "{\"to\":\"0xac0000000000000000000000000000000000a000\"}";
static const char OVERRIDDEN[] =
    "{\"to\":\"0xac0000000000000000000000000000000000a000\",\"blockOverride\":{\"number\":\"0x4d\"}}";

enum {
    CASE_CALL,
    CASE_OVERRIDDEN,
    CASE_PAST,
    CASE_BLOCK,
    CASE_FINAL,
    CASE_LINKED,
    CASE_ACCOUNT,
    CASE_STORAGE,
    CASE_CHECKPOINT,
    CASE_LOGS,
    CASE_RECEIPT,
    CASE_OLD,
    CASES
};

static inline case_t case_of(int i)
{
    static char params[80];
    char hex[65];
    case_t c = { .rests_on = &head };
    question_t *q = &c.question;
    q->block = (question_block_t){ .given = true, .by = SETUP_BY_LATEST };
    if (i == CASE_CALL || i == CASE_PAST || i == CASE_OVERRIDDEN)
        ck_assert_int_eq(question_of_call(q, &e, &arena, view_str(i == CASE_OVERRIDDEN ? OVERRIDDEN : CALL)), RC_OK);
    q->block = (question_block_t){ .given = true, .by = SETUP_BY_LATEST };
    switch (i) {
    case CASE_OVERRIDDEN: c.request = q->overrides; break;
    case CASE_PAST: q->block = at_block(997); break;
    case CASE_BLOCK: q->what.kind = STATEMENT_BLOCK; break;
    case CASE_OLD:
        q->what.kind = STATEMENT_BLOCK;
        q->block = at_block(OLD);
        break;
    case CASE_FINAL:
        q->what.kind = STATEMENT_BLOCK;
        q->block.by = SETUP_BY_FINALIZED;
        break;
    case CASE_LINKED:
        q->what.kind = STATEMENT_STORAGE;
        q->what.account = A;
        q->block = at_block(HEAD - 1);
        break;
    case CASE_ACCOUNT:
        q->what.kind = STATEMENT_ACCOUNT;
        memset(q->what.account.b, 0xdd, 20);
        break;
    case CASE_STORAGE:
        q->what.kind = STATEMENT_STORAGE;
        q->what.account = A;
        q->what.slot = world_key(5);
        break;
    case CASE_CHECKPOINT:
        q->what.kind = STATEMENT_CHECKPOINT;
        q->block.by = SETUP_BY_FINALIZED;
        break;
    case CASE_LOGS:
        ck_assert_int_eq(question_of_logs(q, &e, &arena, view_str(LOGS)), RC_OK);
        c.request = view_str(CRITERIA);
        break;
    case CASE_RECEIPT:
        hex_encode(hex, view_of(tx_hash.b, 32));
        snprintf(params, sizeof params, "[\"0x%s\"]", hex);
        c.request = view_str(params);
        params[68] = 0;
        ck_assert_int_eq(question_of_receipt(q, &e, params + 2, ""), RC_OK);
        params[68] = '"';
        break;
    default: break;
    }
    c.finalized = i == CASE_FINAL || i == CASE_CHECKPOINT || i == CASE_RECEIPT;
    c.linked = i == CASE_LINKED;
    if (c.finalized)
        c.rests_on = &final;
    if (c.linked)
        c.rests_on = &before;
    return c;
}

/* ---- judging ---- */

static inline void expect(const grounds_t *g, grounds_code_t one, grounds_code_t other, const char *what, size_t i)
{
    const rc_t rc = judge(g);
    ck_assert_msg(rc == RC_REFUSED && (e.code == one || e.code == other), "%s %zu: %s, not %s (%s)", what, i,
                  rc ? grounds_code_word(e.code) : "holds", grounds_code_word(one), e.text);
}

static inline view_t altered(view_t v, size_t at)
{
    uint8_t *b = arena_alloc(&arena, v.n);
    memcpy(b, v.p, v.n);
    b[at % v.n] ^= 1;
    return view_of(b, v.n);
}

#endif
