/* Statements that rest on blocks of the past, and the evidence of what was signed: with an answer, or by its id. */
#include "lightclient/mpt/mpt.h"
#include "lightclient/rlp/rlp.h"
#include "node/query/retrace.h"
#include "tests/unit/statements_world.h"

#define WITHOUT_LOGS 6u

/* Blocks 994 to 999, the ancestors of the head; their blooms say that nothing was logged. */
static void open_quiet_past(void)
{
    static ex_header_t headers[WITHOUT_LOGS];
    hash32_t hash = { { 0 } };
    const uint64_t now_s = now_known.latest.header.execution.timestamp;
    for (size_t i = 0; i < WITHOUT_LOGS; i++) {
        const uint64_t number = 1000 - WITHOUT_LOGS + i;
        headers[i] =
            (ex_header_t){ .number = number, .timestamp = now_s - 12 * (WITHOUT_LOGS - i), .parent_hash = hash };
        headers[i].gas_limit = 30000000;
        headers[i].ommers_hash = EX_NO_OMMERS;
        ex_header_hash(&hash, &headers[i]);
    }
    now_known.latest.header.execution.parent_hash = hash;
    past = headers;
    past_count = WITHOUT_LOGS;
}

/* A call that finds logs is in tests/e2e (statements). */
START_TEST(logs_are_complete_also_when_there_are_none)
{
    char body[300], hex[65];
    hash32_t hash, nothing;
    statement_request_t request;
    open_statements(RETURN_42, NULL, 0);
    open_quiet_past();
    ex_header_hash(&hash, &past[WITHOUT_LOGS - 1]);
    hex_encode(hex, view_of(hash.b, sizeof hash.b));
    const char *asked = "{\"fromBlock\":994,\"address\":\"" A_TEXT "\"}";
    ck_assert_int_eq(question_request_read(&request, NULL, &arena, view_str(asked)), RC_OK);
    keccak256(&nothing, view_str("[]"));
    for (size_t i = 0; i < 2; i++) {
        snprintf(body, sizeof body, "{\"fromBlock\":\"0x3e2\",\"toBlock\":\"%s%s\",\"address\":\"" A_TEXT "\"}",
                 i ? "0x" : "", i ? hex : "999");
        const statement_t x = ask_statement("/v1/logs", body, &request);
        ck_assert_int_eq(x.kind, STATEMENT_LOGS);
        ck_assert(x.logs.complete && !x.logs.count && x.logs.from_number == 994);
        ck_assert(hash32_eq(&x.logs.logs_hash, &nothing) && view_eq(x.result, view_str("[]")));
        ck_assert(hash32_eq(&x.at.hash, &hash) && x.at.number == 999 && x.at.finality == STATEMENT_OPTIMISTIC);
        ck_assert_uint_eq(x.valid_until - x.issued_at, 86400);
    }
    past = NULL;
    past_count = 0;
    close_statements();
}
END_TEST

/* The parent of a head: a block with a transaction, whose signature is of somebody, and its receipt with a log. */
static const ex_full_block_t *open_logged_past(lc_execution_t *head)
{
    static const uint8_t gx[] = { 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62,
                                  0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce,
                                  0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };
    static uint8_t tx[200];
    static view_t txs[1], raw[1];
    static hash32_t topic = { { 0x0d } };
    static evm_log_t log;
    static ex_receipt_t receipt;
    static ex_full_block_t block;
    static ex_header_t header;
    static api_block_t whole;
    wr_t w = wr_of(tx, sizeof tx);
    const uint64_t numbers[] = { 0, 7, 21000 };
    for (size_t i = 0; i < 3; i++)
        rlp_put_u64(&w, numbers[i]);
    rlp_put_bytes(&w, view_of(A.b, 20));
    rlp_put_u64(&w, 0);
    rlp_put_bytes(&w, view_of("", 0));
    rlp_put_u64(&w, 37);
    rlp_put_bytes(&w, view_of(gx, sizeof gx));
    rlp_put_u64(&w, 1);
    rlp_wrap_list(&w, 0);
    txs[0] = wr_view(&w);
    log = (evm_log_t){ .addr = A, .topics = { topic }, .topic_count = 1 };
    receipt = (ex_receipt_t){ .success = true, .cumulative_gas = 21000, .logs = &log, .log_count = 1 };
    memset(receipt.bloom, 0, sizeof receipt.bloom);
    ex_bloom_add_logs(receipt.bloom, receipt.logs, 1);
    ck_assert_int_eq(ex_receipt_encode(&raw[0], &arena, &receipt), RC_OK);
    header = (ex_header_t){ .number = head->block_number - 1, .timestamp = head->timestamp - 12 };
    header.gas_limit = 30000000;
    header.gas_used = 21000;
    header.ommers_hash = EX_NO_OMMERS;
    memcpy(header.logs_bloom, receipt.bloom, sizeof receipt.bloom);
    ck_assert_int_eq(mpt_list_root(&header.receipts_root, raw, 1, &arena), RC_OK);
    ck_assert_int_eq(mpt_list_root(&header.transactions_root, txs, 1, &arena), RC_OK);
    block = (ex_full_block_t){ .header = header, .transactions = txs, .transaction_count = 1 };
    ex_header_hash(&block.hash, &header);
    head->parent_hash = block.hash;
    whole = (api_block_t){ .chain = &PRAGUE, .block = &block, .has_body = true, .receipts = &receipt };
    past = &block.header;
    past_count = 1;
    past_block = &whole;
    return &block;
}

START_TEST(logs_and_a_receipt_stand_beside_what_was_signed_of_them)
{
    statement_request_t request;
    char path[100], asked[200], hex[65];
    hash32_t hash;
    open_statements(RETURN_42, NULL, 0);
    const ex_full_block_t *b = open_logged_past(&now_known.finalized.header.execution);
    const char *logs =
        "{\"fromBlock\":929,\"topics\":[[\"0x0d00000000000000000000000000000000000000000000000000000000000000\"]]";
    snprintf(asked, sizeof asked, "%s}", logs);
    ck_assert_int_eq(question_request_read(&request, NULL, &arena, view_str(asked)), RC_OK);
    snprintf(asked, sizeof asked, "%s,\"toBlock\":929}", logs);
    const statement_t x = ask_statement("/v1/logs", asked, &request);
    ck_assert(x.logs.count == 1 && x.logs.complete && x.result_count == 1 && x.result.n > 100);
    ck_assert(x.at.number == 929 && hash32_eq(&x.at.hash, &b->hash) && x.at.finality == STATEMENT_FINAL);
    b = open_logged_past(&now_known.latest.header.execution);
    keccak256(&hash, b->transactions[0]);
    hex_encode(hex, view_of(hash.b, sizeof hash.b));
    snprintf(path, sizeof path, "/v1/receipt/0x%s", hex);
    snprintf(asked, sizeof asked, "{\"method\":\"eth_getTransactionReceipt\",\"params\":[\"0x%s\"]}", hex);
    ck_assert_int_eq(question_request_read(&request, NULL, &arena, view_str(asked)), RC_OK);
    const statement_t y = ask_statement(path, NULL, &request);
    ck_assert_int_eq(y.kind, STATEMENT_RPC);
    ck_assert(y.result.n > 500 && memmem(y.result.p, y.result.n, hex, 64));
    ck_assert(y.at.number == 999 && hash32_eq(&y.at.hash, &b->hash) && y.at.finality == STATEMENT_OPTIMISTIC);
    past_block = NULL;
    past = NULL;
    past_count = 0;
    close_statements();
}
END_TEST

START_TEST(what_has_no_logs_or_receipt_to_be_proven_is_no_statement)
{
    open_statements(RETURN_42, NULL, 0);
    expect_problem("/v1/logs", "{}", 400, "bad-request", "fromBlock: is missing");
    expect_problem("/v1/logs", "{\"fromBlock\":1001}", 400, "bad-request", "fromBlock: is above the last block, 1000");
    expect_problem("/v1/logs", "{\"fromBlock\":1,\"toBlock\":1001}", 404, "unknown-block", "block: is none");
    expect_problem("/v1/logs", "{\"fromBlock\":\"latest\"}", 400, "bad-request", "fromBlock: ");
    expect_problem("/v1/logs", "{\"fromBlock\":1,\"blockHash\":\"0x01\"}", 400, "bad-request",
                   "blockHash: unknown key");
    expect_problem("/v1/logs", "{\"fromBlock\":1,\"topics\":[null,null,null,null,null]}", 400, "bad-request",
                   "max topics");
    expect_problem("/v1/logs", "{\"fromBlock\":1,\"address\":\"0x01\"}", 400, "bad-request", "address");
    expect_problem("/v1/receipt/0x12", NULL, 400, "bad-request", "transaction: must be 32 bytes");
    expect_problem("/v1/receipt/0x" ZERO_HASH "?block=1", NULL, 400, "bad-request", "query: no parameter");
    expect_problem("/v1/receipt/0x" ZERO_HASH, NULL, 404, "unknown-transaction", "transaction: is in no block");
    ck_assert_uint_eq(signatures, 0);
    close_statements();
}
END_TEST

START_TEST(evidence_that_cannot_be_given_is_a_problem_that_says_why)
{
    open_statements(RETURN_42, NULL, 0);
    expect_problem("/v1/evidence/0x12", NULL, 400, "bad-request", "id: must be 32 bytes");
    expect_problem("/v1/evidence/0x" ZERO_HASH "?x=1", NULL, 400, "bad-request", "query: has an unknown parameter");
    expect_problem("/v1/evidence/0x" ZERO_HASH "?checkpoint=0x1", NULL, 400, "bad-request", "checkpoint: must be 32");
    expect_problem("/v1/evidence/0x" ZERO_HASH, NULL, 404, "evidence-expired", "gives no evidence");
    expect_problem("/v1/block/latest?evidence=1", NULL, 400, "bad-request", "evidence: must be inline");
    expect_problem("/v1/block/latest?checkpoint=0x" ZERO_HASH, NULL, 400, "bad-request", "query: no parameter");
    expect_problem("/v1/block/latest?evidence=inline", NULL, 404, "evidence-expired", "gives no evidence");
    expect_problem("/v1/account/" A_TEXT "?block=1000&evidence=inline", NULL, 404, "evidence-expired", "no evidence");
    expect_problem("/v1/call?evidence=inline", CALL_A, 404, "evidence-expired", "gives no evidence");
    close_statements();
}
END_TEST

/* The answer is the evidence of what it says; the same comes again by its id. */
static void expect_evidence(const char *path, const char *body, statement_kind_t kind)
{
    const retrace_config_t config = { .network = net, .chain = &PRAGUE, .checkpoint = checkpoint.root };
    char by_id[100] = "/v1/evidence/0x";
    grounds_t g;
    addr_t signer;
    err_t e = { .text = "" };
    reply_t a = send_request(path, body);
    ck_assert_msg(a.status == 200, "%s: %d %.300s", path, a.status, a.body);
    ck_assert_msg(!grounds_read(&g, &e, &arena, view_of(a.body, a.body_len)), "%s: %s", e.field, e.text);
    keyring_address(keyring, &signer);
    ck_assert_msg(!retrace_judge(&e, &config, &g, &signer, 1), "%s: %s %s", path, grounds_code_word(e.code), e.text);
    ck_assert_int_eq(g.statement.kind, kind);
    hex_encode(by_id + strlen(by_id), view_of(g.id.b, sizeof g.id.b));
    reply_t b = send_request(by_id, NULL);
    ck_assert_msg(b.status == 200 && !strcmp(a.body, b.body), "%s: %d %.300s", by_id, b.status, b.body);
    free(a.body);
    free(b.body);
}

START_TEST(evidence_comes_with_an_answer_or_by_its_id)
{
    shows = true;
    open_statements(RETURN_42, NULL, 0);
    expect_evidence("/v1/call?evidence=inline", CALL_A, STATEMENT_CALL);
    expect_evidence("/v1/block/latest?evidence=inline", NULL, STATEMENT_BLOCK);
    expect_evidence("/v1/block/finalized?evidence=inline", NULL, STATEMENT_BLOCK);
    expect_evidence("/v1/checkpoint?evidence=inline", NULL, STATEMENT_CHECKPOINT);
    expect_evidence("/v1/account/" A_TEXT "?evidence=inline&block=finalized", NULL, STATEMENT_ACCOUNT);
    expect_evidence("/v1/storage/" A_TEXT "/0x5?block=latest&evidence=inline", NULL, STATEMENT_STORAGE);
    expect_problem("/v1/block/latest?evidence=inline&checkpoint=0x" ZERO_HASH, NULL, 404, "unknown-checkpoint",
                   "checkpoint: is none");
    turns_at_sign = 1; /* another key signs before the evidence of what was signed is there */
    expect_problem("/v1/block/1000?evidence=inline", NULL, 503, "not-ready", "another key signs");
    turns_at_sign = 0;
    expect_evidence("/v1/block/1000?evidence=inline", NULL, STATEMENT_BLOCK);
    expect_problem("/v1/evidence/0x" ZERO_HASH, NULL, 404, "evidence-expired", "no such statement");
    close_statements();
    shows = false;
}
END_TEST

/* What was signed without it is shown when it is asked for. */
START_TEST(evidence_of_an_earlier_answer_is_made_when_it_is_asked_for)
{
    statement_t x;
    hash32_t id;
    char by_id[100] = "/v1/evidence/0x";
    grounds_t g;
    err_t e = { .text = "" };
    shows = true;
    open_statements(RETURN_42, NULL, 0);
    reply_t a = send_request("/v1/call", CALL_A);
    ck_assert_int_eq(statement_read(&x, &e, &arena, view_of(a.body, a.body_len)), RC_OK);
    statement_digest(&id, &x);
    hex_encode(by_id + strlen(by_id), view_of(id.b, sizeof id.b));
    reply_t b = send_request(by_id, NULL);
    ck_assert_msg(b.status == 200, "%d %.300s", b.status, b.body);
    ck_assert_int_eq(grounds_read(&g, &e, &arena, view_of(b.body, b.body_len)), RC_OK);
    ck_assert(view_eq(g.answer, view_of(a.body, a.body_len)));
    ck_assert_uint_eq(signatures, 1);
    const unsigned batches = ends[0].batches;
    reply_t c = send_request(by_id, NULL); /* kept */
    ck_assert(c.status == 200 && ends[0].batches == batches);
    free(a.body);
    free(b.body);
    free(c.body);
    close_statements();
    shows = false;
}
END_TEST

int main(void)
{
    if (secret_init())
        return EXIT_FAILURE;
    return UNIT_RUN("statements_shown", logs_are_complete_also_when_there_are_none,
                    logs_and_a_receipt_stand_beside_what_was_signed_of_them,
                    what_has_no_logs_or_receipt_to_be_proven_is_no_statement,
                    evidence_that_cannot_be_given_is_a_problem_that_says_why,
                    evidence_comes_with_an_answer_or_by_its_id,
                    evidence_of_an_earlier_answer_is_made_when_it_is_asked_for);
}
