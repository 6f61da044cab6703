/* JSON-RPC texts: what is asked, what is taken for an answer. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "lightclient/exec/call.h"
#include "rpc/upstream/decode.h"
#include "tests/give.h"
#include "tests/unit/unit.h"
#include "tests/unit/world_json.h"

static const evm_schedule_row_t row = { 0, { EVM_CANCUN, 3, 6, 3338477, NULL } };
static const evm_chain_t CHAIN = { 1, &row, 1 };

/* A call to A, which returns sload(calldata[0]), in a world with a header below block 1000. */
typedef struct {
    world_t w;
    ex_block_t block;
    ex_request_t request;
    ex_call_config_t config;
    query_t *call;
    err_t e;
    ex_header_t parent;
    uint8_t word[32];
    bool answered[16];
    err_t why;
} set_t;

static addr_t A, FROM;

static void begin(set_t *s, const char *code, bool hint)
{
    memset(s, 0, sizeof *s);
    world_init(&s->w);
    A = world_addr(0xa000);
    FROM = world_addr(0xf000);
    world_account_t *a = world_add(&s->w, A, code);
    world_set(a, 3, u256_of(0x33));
    world_set(a, 4, u256_of(0x44));
    world_add(&s->w, FROM, "");
    s->word[31] = 3;
    s->request = (ex_request_t){ .has_to = true, .to = A, .from = FROM, .data = view_of(s->word, 32) };
    s->request.value = u256_of(1); /* so that the sender is read */
    s->block.state_root = world_root(&s->w);
    s->block.env = (evm_block_t){ .number = 1000, .timestamp = 5000, .gas_limit = 30000000, .chain_id = 1 };
    s->parent =
        (ex_header_t){ .number = 999, .gas_limit = 30000000, .timestamp = 4000, .tail = 1, .base_fee = u256_of(7) };
    memset(s->parent.parent_hash.b, 0x5a, 32);
    ex_header_hash(&s->block.parent_hash, &s->parent);
    s->config = (ex_call_config_t){ .chain = &CHAIN, .block = &s->block, .request = &s->request, .use_hint = hint };
    ck_assert_int_eq(ex_call_new(&s->call, &s->e, &s->config), RC_OK);
}

static void end(set_t *s)
{
    query_free(s->call);
    world_clear(&s->w);
}

static size_t step(set_t *s, const need_t **needs)
{
    ck_assert_int_eq(query_step(s->call, &s->e), RC_NEED_DATA);
    memset(s->answered, 0, sizeof s->answered);
    return query_needs(s->call, needs);
}

/* ---- an honest server's text ---- */

static void put_header(char *out, const ex_header_t *h)
{
    put(out, "{\"number\":\"0x%llx\",\"parentHash\":", (unsigned long long)h->number);
    put_hex(out, view_of(h->parent_hash.b, 32));
    put(out, ",\"sha3Uncles\":");
    put_hex(out, view_of(h->ommers_hash.b, 32));
    put(out, ",\"miner\":");
    put_hex(out, view_of(h->coinbase.b, 20));
    put(out, ",\"stateRoot\":");
    put_hex(out, view_of(h->state_root.b, 32));
    put(out, ",\"transactionsRoot\":");
    put_hex(out, view_of(h->transactions_root.b, 32));
    put(out, ",\"receiptsRoot\":");
    put_hex(out, view_of(h->receipts_root.b, 32));
    put(out, ",\"logsBloom\":");
    put_hex(out, view_of(h->logs_bloom, 256));
    put(out,
        ",\"difficulty\":\"0x0\",\"gasLimit\":\"0x%llx\",\"gasUsed\":\"0x0\",\"timestamp\":\"0x%llx\",\"extraData\":"
        "\"0x\"",
        (unsigned long long)h->gas_limit, (unsigned long long)h->timestamp);
    put(out, ",\"mixHash\":");
    put_hex(out, view_of(h->mix_hash.b, 32));
    put(out, ",\"nonce\":\"0x0000000000000000\",\"baseFeePerGas\":\"0x7\",\"size\":\"0x100\",\"transactions\":[]}");
}

/* The honest answer to a batch; elements in reverse order. */
static char *honest(set_t *s, const need_t *needs, size_t n)
{
    char *out = calloc(1, WORLD_TEXT_MAX);
    put(out, "[");
    for (size_t i = n; i-- > 0;) {
        put(out, "%s{\"jsonrpc\":\"2.0\",\"id\":%zu,\"result\":", i + 1 < n ? "," : "", i + 1);
        if (needs[i].kind == NEED_PROOF)
            put_proof(out, &s->w, &needs[i].addr, needs[i].slots, needs[i].slot_count);
        else if (needs[i].kind == NEED_CODE)
            put_hex(out, world_code(&s->w, &needs[i].addr));
        else if (needs[i].kind == NEED_HEADER)
            put_header(out, &s->parent);
        else
            put(out, "{\"accessList\":[],\"gasUsed\":\"0x5208\"}");
        put(out, "}");
    }
    put(out, "]");
    return out;
}

static rc_t give(set_t *s, const need_t *needs, size_t n, const char *body)
{
    char *copy = strdup(body); /* exact size on the heap */
    err_clear(&s->why);
    rc_t rc = give_body(s->call, s->answered, &s->why, needs, n, view_str(copy));
    free(copy);
    return rc;
}

/* A copy of body with the first `from` replaced; it must be there. */
static char *replaced(const char *body, const char *from, const char *to)
{
    const char *at = strstr(body, from);
    ck_assert_msg(at != NULL, "\"%s\" is not in the body", from);
    char *out = calloc(1, strlen(body) + strlen(to) + 1);
    memcpy(out, body, (size_t)(at - body));
    strcat(out, to);
    strcat(out, at + strlen(from));
    return out;
}

#define SLOAD_ARG "6000355460005260206000f3"

/* ---- requests ---- */

START_TEST(batch_asks_for_each_need_in_its_own_words)
{
    set_t s;
    view_t text;
    hash32_t keys[2] = { world_key(1), world_key(0x1234) };
    begin(&s, SLOAD_ARG, false);
    s.request.data = view_str("\x12\x34");
    s.request.has_gas = true;
    s.request.gas = 0x5000;
    need_t needs[4] = { { .kind = NEED_HINT, .block = &s.block, .request = &s.request },
                        { .kind = NEED_PROOF, .block = &s.block, .addr = A, .slots = keys, .slot_count = 2 },
                        { .kind = NEED_CODE, .block = &s.block, .addr = FROM },
                        { .kind = NEED_HEADER, .block = &s.block, .number = 998 } };
    ck_assert_int_eq(give_request(&text, &s.w.arena, needs, 4), RC_OK);
    char by_hash[100], want[1000], hash[65];
    hex_encode(hash, view_of(s.block.block_hash.b, 32));
    snprintf(by_hash, sizeof by_hash, "{\"blockHash\":\"0x%s\"}", hash);
    static const char form[] =
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_createAccessList\",\"params\":[{"
        "\"from\":\"0xac0000000000000000000000000000000000f000\",\"to\":\"0xac0000000000000000000000000000000000a000\","
        "\"gas\":\"0x5000\",\"value\":\"0x1\",\"data\":\"0x1234\"},%s]},"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"eth_getProof\",\"params\":["
        "\"0xac0000000000000000000000000000000000a000\","
        "[\"0x0000000000000000000000000000000000000000000000000000000000000001\","
        "\"0x0000000000000000000000000000000000000000000000000000000000001234\"],%s]},"
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"eth_getCode\",\"params\":["
        "\"0xac0000000000000000000000000000000000f000\",%s]},"
        "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"eth_getBlockByNumber\",\"params\":[\"0x3e6\",false]}]";
    snprintf(want, sizeof want, form, by_hash, by_hash, by_hash);
    ck_assert(view_eq(text, view_str(want)));
    const need_t *asked[4] = { &needs[0], &needs[1], &needs[2], &needs[3] };
    const cap_form_t by_number = { .by_number = true };
    ck_assert_int_eq(jr_encode(&text, NULL, &s.w.arena, asked, 4, &by_number), RC_OK);
    snprintf(want, sizeof want, form, "\"0x3e8\"", "\"0x3e8\"", "\"0x3e8\"");
    ck_assert(view_eq(text, view_str(want)));
    end(&s);
}
END_TEST

START_TEST(hint_request_repeats_fees_and_access_list)
{
    set_t s;
    view_t text;
    char *copy;
    hash32_t key = world_key(7);
    begin(&s, SLOAD_ARG, false);
    evm_access_t access[2] = { { A, &key, 1 }, { FROM, NULL, 0 } };
    s.request.access = access;
    s.request.access_count = 2;
    s.request.has_gas_price = s.request.dynamic_fee = true;
    s.request.gas_price = (u256_t){ { 2, 0, 1, 0 } };
    s.request.max_priority_fee = u256_of(1);
    need_t need = { .kind = NEED_HINT, .block = &s.block, .request = &s.request };
    ck_assert_int_eq(give_request(&text, &s.w.arena, &need, 1), RC_OK);
    copy = arena_strdup(&s.w.arena, text);
    ck_assert_ptr_nonnull(strstr(copy, "\"maxFeePerGas\":\"0x100000000000000000000000000000002\""));
    ck_assert_ptr_nonnull(strstr(copy, "\"maxPriorityFeePerGas\":\"0x1\""));
    ck_assert_ptr_nonnull(
        strstr(copy, "\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000a000\",\"storageKeys\":["
                     "\"0x0000000000000000000000000000000000000000000000000000000000000007\"]},"
                     "{\"address\":\"0xac0000000000000000000000000000000000f000\",\"storageKeys\":[]}]"));
    end(&s);
}
END_TEST

START_TEST(quantities_are_written_without_leading_zeros)
{
    static const struct {
        u256_t price;
        const char *text;
    } rows[] = {
        { { { 0, 0, 0, 0 } }, "\"gasPrice\":\"0x0\"," },
        { { { 15, 0, 0, 0 } }, "\"gasPrice\":\"0xf\"," },
        { { { UINT64_MAX, 0, 0, 0 } }, "\"gasPrice\":\"0xffffffffffffffff\"," },
        { { { 0, 1, 0, 0 } }, "\"gasPrice\":\"0x10000000000000000\"," },
        { { { 1, 0, 0, 2 } }, "\"gasPrice\":\"0x2000000000000000000000000000000000000000000000001\"," },
        { { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } },
          "\"gasPrice\":\"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\"," },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_t s;
        view_t text;
        begin(&s, SLOAD_ARG, false);
        s.request.has_gas_price = true;
        s.request.gas_price = rows[i].price;
        need_t need = { .kind = NEED_HINT, .block = &s.block, .request = &s.request };
        ck_assert_int_eq(give_request(&text, &s.w.arena, &need, 1), RC_OK);
        char *copy = arena_strdup(&s.w.arena, text);
        ck_assert_msg(strstr(copy, rows[i].text) != NULL, "row %zu: %s", i, copy);
        end(&s);
    }
}
END_TEST

/* ---- answers ---- */

START_TEST(honest_answers_in_any_order_lead_to_the_result)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    for (int round = 0; round < 2; round++) {
        size_t n = step(&s, &needs);
        char *body = honest(&s, needs, n);
        ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
        for (size_t i = 0; i < n; i++)
            ck_assert(s.answered[i]);
        free(body);
    }
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert_uint_eq(ex_call_result(s.call)->output.p[31], 0x33);
    end(&s);
}
END_TEST

START_TEST(batch_may_be_split)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    ck_assert_uint_eq(n, 4);
    for (size_t at = 0; at < n; at += 2) {
        char *body = honest(&s, needs + at, 2);
        ck_assert_msg(give_body(s.call, s.answered + at, &s.why, needs + at, 2, view_str(body)) == RC_OK, "%s",
                      s.why.text);
        free(body);
    }
    n = step(&s, &needs);
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(needs[0].slot_count, 1);
    end(&s);
}
END_TEST

START_TEST(what_one_upstream_leaves_open_another_is_asked_for)
{
    set_t s;
    view_t text;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    ck_assert_uint_eq(n, 4);
    char *body = honest(&s, needs, n);
    char *part = calloc(1, WORLD_TEXT_MAX); /* elements 3 and 1 alone: the honest answer is in reverse order */
    const char *third = strstr(body, "\"id\":3,") - strlen("{\"jsonrpc\":\"2.0\","),
               *second = strstr(body, "\"id\":2,") - strlen("{\"jsonrpc\":\"2.0\","),
               *first = strstr(body, "\"id\":1,") - strlen("{\"jsonrpc\":\"2.0\",");
    sprintf(part, "[%.*s%s", (int)(second - third), third, first);
    ck_assert_int_eq(give(&s, needs, n, part), RC_MALFORMED);
    free(part);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(s.answered[i], i == 0 || i == 2);
    const need_t *open[] = { &needs[1], &needs[3] };
    ck_assert_int_eq(jr_encode(&text, NULL, &s.w.arena, open, 2, &GIVE_FORM), RC_OK);
    char *asked = arena_strdup(&s.w.arena, text);
    ck_assert_ptr_nonnull(strstr(asked, "[{\"jsonrpc\":\"2.0\",\"id\":1,"));
    ck_assert_ptr_nonnull(strstr(asked, ",{\"jsonrpc\":\"2.0\",\"id\":2,"));
    ck_assert_ptr_null(strstr(asked, "\"id\":3,"));
    ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
    free(body);
    end(&s);
}
END_TEST

START_TEST(every_truncation_is_refused_and_nothing_is_taken)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n), *copy = strdup(body);
    for (size_t len = 0; len < strlen(body); len++) {
        copy[len] = '\0';
        ck_assert_int_eq(give(&s, needs, n, copy), RC_MALFORMED);
        copy[len] = body[len];
        for (size_t i = 0; i < n; i++)
            ck_assert(!s.answered[i]);
    }
    ck_assert_int_eq(give(&s, needs, n, body), RC_OK);
    free(copy);
    free(body);
    end(&s);
}
END_TEST

START_TEST(no_changed_byte_changes_the_result)
{
    set_t s;
    const need_t *needs;
    size_t taken = 0;
    begin(&s, SLOAD_ARG, true);
    for (int round = 0; round < 2; round++) {
        size_t n = step(&s, &needs);
        char *body = honest(&s, needs, n);
        for (size_t at = 0; body[at]; at++)
            for (unsigned bit = 1; bit < 128; bit <<= 1) {
                body[at] = (char)(body[at] ^ (char)bit);
                memset(s.answered, 0, sizeof s.answered);
                taken += give(&s, needs, n, body) == RC_OK; /* upper-case digits, names of ignored fields */
                body[at] = (char)(body[at] ^ (char)bit);
            }
        ck_assert_int_eq(give(&s, needs, n, body), RC_OK);
        free(body);
    }
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert_uint_eq(ex_call_result(s.call)->output.n, 32);
    ck_assert_uint_eq(ex_call_result(s.call)->output.p[31], 0x33);
    ck_assert_uint_gt(taken, 0);
    end(&s);
}
END_TEST

/* Faults in an answer to the second round: proof of A with slot 3. */
static const struct {
    const char *from, *to;
    rc_t rc;
    const char *why;
} faults[] = {
    { "\"id\":1", "\"id\":2", RC_MALFORMED, "id that was not asked for" },
    { "\"id\":1", "\"id\":0", RC_MALFORMED, "id that was not asked for" },
    { "\"id\":1", "\"id\":\"1\"", RC_MALFORMED, "id that was not asked for" },
    { "\"id\":1", "\"id\":null", RC_MALFORMED, "id that was not asked for" },
    { "\"id\":1,", "", RC_MALFORMED, "id that was not asked for" },
    { "\"jsonrpc\":\"2.0\"", "\"jsonrpc\":\"1.0\"", RC_MALFORMED, "not JSON-RPC 2.0" },
    { "\"jsonrpc\":\"2.0\"", "\"jsonrpc\":2", RC_MALFORMED, "not JSON-RPC 2.0" },
    { "\"id\":1", "\"id\":1,\"id\":1", RC_MALFORMED, "batch: the answer is not valid JSON" },
    { "\"id\":1", "\"id\":1,\"error\":{\"code\":1,\"message\":\"x\"}", RC_MALFORMED, "either a result or an error" },
    { "\"result\":{", "\"error\":7,\"x\":{", RC_MALFORMED, "an error that is not an object" },
    { "\"address\":\"0xac0000000000000000000000000000000000a000\"",
      "\"address\":\"0xac0000000000000000000000000000000000a001\"", RC_REFUSED,
      "eth_getProof 0xac0000000000000000000000000000000000a000: address is not the requested one" },
    { "\"address\":\"0xac", "\"address\":\"ac", RC_MALFORMED, "bad field address" },
    { "\"address\":\"0xac00", "\"address\":\"0xac", RC_MALFORMED, "bad field address" },
    { "\"address\"", "\"adress\"", RC_MALFORMED, "bad field address: is required" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x3e9\"", RC_REFUSED, "balance differs" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x03e8\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":1000", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"3e8\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0X3e8\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x3eg\"", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":null", RC_MALFORMED, "bad field balance" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x3e8\\u0000\"", RC_MALFORMED, "batch: the answer is not valid JSON" },
    { "\"balance\":\"0x3e8\"", "\"balance\":\"0x3e8\xff\"", RC_MALFORMED, "batch: the answer is not valid JSON" },
    { "\"nonce\":\"0x1\"", "\"nonce\":\"0x2\"", RC_REFUSED, "nonce differs" },
    { "\"nonce\":\"0x1\"", "\"nonce\":\"0x10000000000000000\"", RC_MALFORMED, "bad field nonce" },
    { "\"nonce\":\"0x1\",", "", RC_MALFORMED, "bad field nonce" },
    { "\"codeHash\":\"0x", "\"codeHash\":\"0x00", RC_MALFORMED, "bad field codeHash" },
    { "\"storageHash\":\"0x", "\"storageHash\":\"0x0", RC_MALFORMED, "bad field storageHash" },
    { "\"accountProof\":[", "\"accountProof\":[7,", RC_MALFORMED, "bad field accountProof" },
    { "\"accountProof\":[", "\"accountProof\":[\"0xc0\",", RC_REFUSED, "account proof does not verify" },
    { "\"accountProof\":[\"0x", "\"accountProof\":[\"0xf", RC_MALFORMED, "bad field accountProof" },
    { "\"key\":\"0x3\"", "\"key\":\"0x4\"", RC_REFUSED, "storage key is not the requested one" },
    { "\"key\":\"0x3\"", "\"key\":\"0x\"", RC_MALFORMED, "bad field storageProof[0].key" },
    { "\"key\":\"0x3\"", "\"key\":\"0x00000000000000000000000000000000000000000000000000000000000000003\"",
      RC_MALFORMED, "bad field storageProof[0].key" },
    { "\"value\":\"0x33\"", "\"value\":\"0x34\"", RC_REFUSED, "storage value differs" },
    { "\"value\":\"0x33\"", "\"value\":\"0x0\"", RC_REFUSED, "storage value differs" },
    { "\"value\":\"0x33\"", "\"value\":51", RC_MALFORMED, "bad field storageProof[0].value" },
    { "\"storageProof\":[{", "\"storageProof\":[{},{", RC_MALFORMED, "bad field storageProof[0].key" },
    { "\"storageProof\":[{", "\"storageProof\":[[],{", RC_MALFORMED, "bad field storageProof[0]: must be an object" },
    { "\"storageProof\":[", "\"storageProof\":7,\"x\":[", RC_MALFORMED, "bad field storageProof: must be a list" },
};

START_TEST(each_wrong_field_is_named_and_the_honest_answer_still_taken)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n);
    ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
    free(body);
    n = step(&s, &needs);
    ck_assert_uint_eq(n, 1);
    body = honest(&s, needs, n);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char *bad = replaced(body, faults[i].from, faults[i].to);
        rc_t rc = give(&s, needs, n, bad);
        ck_assert_msg(rc == faults[i].rc, "fault %zu: %s, %s", i, rc_name(rc), s.why.text);
        ck_assert_msg(strstr(s.why.text, faults[i].why) != NULL, "fault %zu: %s", i, s.why.text);
        ck_assert(!s.answered[0]);
        free(bad);
    }
    char *padded = replaced(body, "\"value\":\"0x33\"", "\"value\":\"0x033\""); /* as @ethereumjs/client pads */
    ck_assert_msg(give(&s, needs, n, padded) == RC_OK, "%s", s.why.text);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert_uint_eq(ex_call_result(s.call)->output.p[31], 0x33);
    free(padded);
    free(body);
    end(&s);
}
END_TEST

/* What no specification knows proves nothing and breaks nothing. */
START_TEST(unknown_members_are_passed_over_wherever_they_stand)
{
    static const char *const rows[][2] = {
        { "\"id\":1", "\"id\":1,\"more\":{\"x\":[1]}" },
        { "\"id\":1", "\"id\":1,\"error\":null" },
        { "\"nonce\":\"0x1\"", "\"nonce\":\"0x1\",\"extra\":\"\"" },
        { "\"value\":\"0x33\"", "\"value\":\"0x33\",\"v\":null" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set_t s;
        const need_t *needs;
        begin(&s, SLOAD_ARG, false);
        size_t n = step(&s, &needs);
        char *body = honest(&s, needs, n);
        ck_assert_int_eq(give(&s, needs, n, body), RC_OK);
        free(body);
        n = step(&s, &needs);
        body = honest(&s, needs, n);
        char *more = replaced(body, rows[i][0], rows[i][1]);
        ck_assert_msg(give(&s, needs, n, more) == RC_OK, "%s: %s", rows[i][1], s.why.text);
        free(more);
        free(body);
        end(&s);
    }
}
END_TEST

START_TEST(code_is_judged_after_the_proof_whatever_the_order)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs), code = 0;
    char *body = honest(&s, needs, n), *bad = replaced(body, SLOAD_ARG, "6000355460005260206000f4");
    while (needs[code].kind != NEED_CODE)
        code++;
    ck_assert_int_eq(give(&s, needs, n, bad), RC_REFUSED);
    ck_assert_ptr_nonnull(
        strstr(s.why.text, "eth_getCode 0xac0000000000000000000000000000000000a000: code does not have"));
    for (size_t i = 0; i < n; i++)
        ck_assert(s.answered[i] == (i != code)); /* the rest was accepted */
    free(bad);
    bad = replaced(body, "\"0x" SLOAD_ARG "\"", "\"" SLOAD_ARG "\"");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
    free(bad);
    ck_assert_int_eq(give(&s, needs, n, body), RC_OK);
    free(body);
    end(&s);
}
END_TEST

START_TEST(error_for_an_element_is_no_lie_and_its_message_is_cut_and_cleaned)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    ck_assert_int_eq(needs[0].kind, NEED_HINT);
    char *body = calloc(1, WORLD_TEXT_MAX);
    put(body, "[");
    for (size_t i = 0; i < n; i++)
        put(body, "%s{\"jsonrpc\":\"2.0\",\"id\":%zu,\"error\":{\"code\":-32000,\"message\":\"a\\n%0200d\"}}",
            i ? "," : "", i + 1, 0);
    put(body, "]");
    ck_assert_int_eq(give(&s, needs, n, body), RC_IO);
    ck_assert(strstr(s.why.text, ": error -32000") && !strstr(s.why.text, "a?"));
    ck_assert_uint_lt(strlen(s.why.text), 240);
    ck_assert(s.answered[0]); /* a refused hint counts as given */
    for (size_t i = 1; i < n; i++)
        ck_assert(!s.answered[i]);
    free(body);
    end(&s);
}
END_TEST

/* A message of `length` letters in an error object, by itself or for one element; with or without a code. */
static void put_error(char *out, const char *id, const char *code, size_t length)
{
    out[0] = '\0';
    put(out, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{%s\"message\":\"", id, code);
    size_t at = strlen(out);
    memset(out + at, 'm', length);
    out[at + length] = '\0';
    strcat(out, "\"}}");
}

/* Anybody may read an answer's reason: the operator finds the message in the log. */
START_TEST(an_error_s_message_is_not_repeated)
{
    static const size_t lengths[] = { 0, 1, 120, 50000 };
    char *body = calloc(1, WORLD_TEXT_MAX), want[300];
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        set_t s;
        const need_t *needs;
        begin(&s, SLOAD_ARG, false);
        size_t n = step(&s, &needs);
        ck_assert_int_eq(needs[0].kind, NEED_PROOF);
        put_error(body, "1", "\"code\":-32000,", lengths[i]);
        ck_assert_int_eq(give(&s, needs, 1, body), RC_IO);
        snprintf(want, sizeof want, "eth_getProof 0x%s: error -32000",
                 needs[0].addr.b[18] == 0xa0 ? "ac0000000000000000000000000000000000a000"
                                             : "ac0000000000000000000000000000000000f000");
        ck_assert_str_eq(s.why.text, want);
        put_error(body, "null", "", lengths[i]);
        ck_assert_int_eq(give(&s, needs, n, body), RC_IO);
        ck_assert_str_eq(s.why.text, "the whole batch was refused: an error, the batch is not taken as it is");
        for (size_t k = 0; k < n; k++)
            ck_assert(!s.answered[k]);
        end(&s);
    }
    free(body);
}
END_TEST

/* A refusal of what the request does not hold is one of something else. */
START_TEST(an_error_means_only_what_its_request_can_be_refused_for)
{
    static const hash32_t hash = { { 1 } };
    const struct {
        need_t need;
        int code;
        const char *message, *why; /* why: the end of the sentence; "": it is answered */
        refusal_t meaning;
    } rows[] = {
        { { .kind = NEED_SEND }, -32602, "invalid argument 0", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_SEND }, -32603, "header not found", ": error -32603", REFUSAL_OTHER },
        { { .kind = NEED_SEND }, -32603, "too many slots", ": error -32603", REFUSAL_OTHER },
        { { .kind = NEED_SEND }, 429, "", ": error 429, it was asked too often", REFUSAL_BUSY },
        { { .kind = NEED_HEAD }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_HEAD_BYTES }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_CHANGES }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_WHERE, .hash = hash }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_HEADER, .number = 7 }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_BLOCK, .hash = hash }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_RECEIPTS, .number = 7 }, -32602, "", ": error -32602", REFUSAL_OTHER },
        { { .kind = NEED_RECEIPTS, .hash = hash }, -32602, "", "", REFUSAL_NONE },
        { { .kind = NEED_CODE }, -32602, "", ", it does not take a block's hash", REFUSAL_FORM },
        { { .kind = NEED_PROOF }, -32602, "", ", it does not take a block's hash", REFUSAL_FORM },
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        const cap_form_t form = { .by_number = i % 2 != 0 };
        const bool by_form = rows[i / 2].meaning == REFUSAL_FORM && form.by_number;
        const refusal_t meaning = by_form ? REFUSAL_OTHER : rows[i / 2].meaning;
        const char *why = by_form ? ": error -32602" : rows[i / 2].why;
        const need_t *need = &rows[i / 2].need;
        jr_answer_t answer = { .rc = RC_BUG };
        arena_t a;
        char body[200];
        arena_init(&a, 1 << 16);
        snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":%d,\"message\":\"%s\"}}",
                 rows[i / 2].code, rows[i / 2].message);
        ck_assert_int_eq(jr_decode(&answer, NULL, &a, &need, 1, &form, view_str(body)), RC_OK);
        ck_assert_msg(answer.refusal == meaning, "%zu: %d", i, (int)answer.refusal);
        ck_assert_int_eq(answer.rc, *why ? RC_IO : RC_OK);
        ck_assert(answer.answer.absent == !*why);
        const size_t n = strlen(answer.why.text);
        ck_assert_msg(*why ? n > strlen(why) && !strcmp(answer.why.text + n - strlen(why), why) : !n, "%zu: %s", i,
                      answer.why.text);
        arena_free(&a);
    }
}
END_TEST

START_TEST(an_error_for_a_lone_hint_refuses_the_hint_and_not_the_round)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    (void)step(&s, &needs);
    ck_assert_int_eq(needs[0].kind, NEED_HINT);
    ck_assert_int_eq(give(&s, needs, 1, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,\"message\":\"x\"}}"),
                     RC_IO);
    ck_assert_str_eq(s.why.text, "the whole batch was refused: error 1, the batch is not taken as it is");
    ck_assert(!s.answered[0]);
    ck_assert_int_eq(
        give(&s, needs, 1, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"no such method\"}}"),
        RC_OK);
    ck_assert(s.answered[0]);
    ck_assert_str_eq(s.why.text, "");
    end(&s);
}
END_TEST

START_TEST(error_for_the_whole_batch_is_reported)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    ck_assert_int_eq(
        give(&s, needs, n,
             "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"batch too large\"}}"),
        RC_IO);
    ck_assert_ptr_nonnull(strstr(s.why.text, "the whole batch was refused: error -32005, "));
    ck_assert_int_eq(give(&s, needs, n, "{\"jsonrpc\":\"2.0\",\"id\":null}"), RC_MALFORMED);
    ck_assert_int_eq(give(&s, needs, n, "[]"), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(s.why.text, "no answer"));
    ck_assert_int_eq(give(&s, needs, n, "null"), RC_MALFORMED);
    ck_assert_int_eq(give(&s, needs, n, "[null]"), RC_MALFORMED);
    ck_assert_int_eq(give(&s, needs, n, "<html>"), RC_MALFORMED);
    end(&s);
}
END_TEST

START_TEST(null_result_means_no_answer)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    char *body = calloc(1, WORLD_TEXT_MAX);
    put(body, "[");
    for (size_t i = 0; i < n; i++)
        put(body, "%s{\"jsonrpc\":\"2.0\",\"id\":%zu,\"result\":null}", i ? "," : "", i + 1);
    put(body, "]");
    ck_assert_int_eq(give(&s, needs, n, body), RC_NEED_DATA); /* of a block that is there: not yet */
    ck_assert_ptr_nonnull(strstr(s.why.text, "null"));
    free(body);
    end(&s);
}
END_TEST

START_TEST(more_elements_or_the_same_twice_are_refused)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n);
    char *bad = replaced(body, "[{", "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null},{");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(s.why.text, "more elements"));
    free(bad);
    bad = replaced(body, "\"id\":2", "\"id\":1");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
    ck_assert_ptr_nonnull(strstr(s.why.text, "same id"));
    free(bad);
    free(body);
    end(&s);
}
END_TEST

START_TEST(too_deep_or_too_many_values_are_refused_before_a_tree_is_built)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, false);
    size_t n = step(&s, &needs);
    char *body = calloc(1, 1000001);
    ck_assert_ptr_nonnull(body);
    memset(body, '[', JSON_DEPTH_MAX + 1);
    memset(body + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    ck_assert_int_eq(give(&s, needs, n, body), RC_LIMIT);
    memset(body, 0, 1000001);
    memset(body, '[', JSON_DEPTH_MAX);
    memset(body + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    ck_assert_int_eq(give(&s, needs, n, body), RC_MALFORMED);
    for (size_t i = 0; i < 500000; i++)
        memcpy(body + 2 * i, i ? ",0" : "[0", 2);
    ck_assert_int_eq(give(&s, needs, n, body), RC_LIMIT);
    free(body);
    end(&s);
}
END_TEST

START_TEST(hint_that_does_not_parse_is_no_hint)
{
    static const char *const hints[] = {
        "7",
        "{}",
        "{\"accessList\":7}",
        "{\"accessList\":[7]}",
        "{\"accessList\":[{\"address\":\"0x1\",\"storageKeys\":[]}]}",
        "{\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000a000\",\"storageKeys\":[\"0x1\"]}]}",
        "{\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000a000\"}]}",
    };
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        set_t s;
        const need_t *needs;
        begin(&s, SLOAD_ARG, true);
        size_t n = step(&s, &needs);
        char *body = honest(&s, needs, n);
        char *odd = replaced(body, "{\"accessList\":[],\"gasUsed\":\"0x5208\"}", hints[i]);
        ck_assert_msg(give(&s, needs, n, odd) == RC_OK, "hint %zu: %s", i, s.why.text);
        n = step(&s, &needs);
        ck_assert_uint_eq(n, 1);
        free(odd);
        free(body);
        end(&s);
    }
}
END_TEST

START_TEST(hint_names_what_is_asked_next)
{
    set_t s;
    const need_t *needs;
    begin(&s, SLOAD_ARG, true);
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n);
    char *good =
        replaced(body, "\"accessList\":[]",
                 "\"accessList\":[{\"address\":\"0xac0000000000000000000000000000000000a000\",\"storageKeys\":["
                 "\"0x0000000000000000000000000000000000000000000000000000000000000004\"]}]");
    ck_assert_int_eq(give(&s, needs, n, good), RC_OK);
    n = step(&s, &needs);
    ck_assert_uint_eq(n, 2); /* the slot that the run met, and the hint's */
    ck_assert_int_eq(needs[0].origin, NEED_MET);
    ck_assert_int_eq(needs[1].origin, NEED_NAMED);
    ck_assert_uint_eq(needs[1].slot_count, 1);
    free(good);
    free(body);
    end(&s);
}
END_TEST

START_TEST(headers_are_read_and_checked_by_hash)
{
    static const char *const fields[] = { "parentHash",   "sha3Uncles", "miner",      "stateRoot", "transactionsRoot",
                                          "receiptsRoot", "logsBloom",  "difficulty", "gasLimit",  "gasUsed",
                                          "timestamp",    "extraData",  "mixHash",    "nonce",     "number" };
    set_t s;
    const need_t *needs;
    begin(&s, "5f35405f5260205ff3", false); /* return blockhash(calldata[0]) */
    s.word[30] = 998 >> 8;
    s.word[31] = 998 & 255;
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n);
    ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
    free(body);
    n = step(&s, &needs);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(needs[0].kind, NEED_HEADER);
    body = honest(&s, needs, n);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "\"%s\":\"0x", fields[i]);
        char *bad = replaced(body, name, "\"unknown\":\"0x");
        ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
        snprintf(name, sizeof name, "eth_getBlockByNumber 999: bad field %s: ", fields[i]);
        ck_assert_msg(strstr(s.why.text, name) == s.why.text, "%s", s.why.text);
        free(bad);
    }
    char *bad = replaced(body, "\"gasLimit\":\"0x1", "\"gasLimit\":\"0x2");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_REFUSED);
    free(bad);
    bad = replaced(body, "\"baseFeePerGas\"", "\"baseFee\"");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_REFUSED);
    free(bad);
    bad = replaced(body, "\"baseFeePerGas\":\"0x7\"", "\"withdrawalsRoot\":\"0x7\""); /* a gap in the optional fields */
    ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
    free(bad);
    ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
    free(body);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert(memcmp(ex_call_result(s.call)->output.p, s.parent.parent_hash.b, 32) == 0);
    end(&s);
}
END_TEST

#define Z16 "00000000000000000000000000000000"
#define Z32 "0x" Z16 Z16
#define Z128 Z16 Z16 Z16 Z16 Z16 Z16 Z16 Z16

/* The second header of vectors/amsterdam/headers-ethereumjs.json (@ethereumjs/block 10.1.3). */
static const char amsterdam[] =
    "{\"parentHash\":\"" Z32 "\",\"sha3Uncles\":\"0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347\","
    "\"miner\":\"0x0000000000000000000000000000000000000000\",\"stateRoot\":\"" Z32 "\","
    "\"transactionsRoot\":\"0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421\","
    "\"receiptsRoot\":\"0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421\",\"logsBloom\":\"0x" Z128
        Z128 "\",\"difficulty\":\"0x0\",\"number\":\"0x434c6\",\"gasLimit\":\"0xbebc200\",\"gasUsed\":\"0x5fccd30\","
    "\"timestamp\":\"0x6ab13b80\",\"extraData\":\"0x6b6574746c65\",\"mixHash\":\"" Z32
    "\",\"nonce\":\"0x0000000000000000\","
    "\"baseFeePerGas\":\"0x7\",\"withdrawalsRoot\":\"0x4444444444444444444444444444444444444444444444444444444444444444\","
    "\"blobGasUsed\":\"0x0\",\"excessBlobGas\":\"0x0\","
    "\"parentBeaconBlockRoot\":\"0x2222222222222222222222222222222222222222222222222222222222222222\","
    "\"requestsHash\":\"0x3333333333333333333333333333333333333333333333333333333333333333\","
    "\"blockAccessListHash\":\"0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347\","
    "\"slotNumber\":\"0xac6000\"}";

static rc_t read_amsterdam(ex_header_t *h, const char *text)
{
    static const hash32_t hash = { { 0x33, 0xc8, 0xde, 0x48, 0x74, 0xf1, 0x91, 0xae, 0x90, 0x23, 0xa1,
                                     0xf0, 0xf1, 0xdc, 0x6c, 0x63, 0x55, 0x5d, 0xa5, 0x5f, 0x09, 0xcf,
                                     0xca, 0x59, 0x3a, 0x53, 0xc6, 0xfa, 0x2c, 0xaa, 0x58, 0x81 } };
    jo_doc_t doc;
    err_t e;
    const jo_t o = jo_open(&doc, &e, view_str(text), 65536, JO_STRICT);
    rc_t rc = jr_read_header(h, &o);
    jo_close(&doc);
    return rc ? rc : ex_header_check(h, &hash);
}

START_TEST(a_header_of_amsterdam_has_two_more_fields)
{
    ex_header_t h;
    ck_assert_int_eq(read_amsterdam(&h, amsterdam), RC_OK);
    ck_assert_uint_eq(h.tail, 8);
    ck_assert_uint_eq(h.slot_number, 11296768);
    char *bad = replaced(amsterdam, "\"slotNumber\"", "\"unknown\""); /* 22 fields: no header has so many */
    ck_assert_int_eq(read_amsterdam(&h, bad), RC_REFUSED);
    free(bad);
    bad = replaced(amsterdam, "\"blockAccessListHash\"", "\"unknown\""); /* a gap */
    ck_assert_int_eq(read_amsterdam(&h, bad), RC_MALFORMED);
    free(bad);
    bad = replaced(amsterdam, "\"slotNumber\":\"0xac6000\"", "\"slotNumber\":\"0xac6001\"");
    ck_assert_int_eq(read_amsterdam(&h, bad), RC_REFUSED);
    free(bad);
    bad = replaced(amsterdam, "\"blockAccessListHash\":\"0x1d", "\"blockAccessListHash\":\"0x1e");
    ck_assert_int_eq(read_amsterdam(&h, bad), RC_REFUSED);
    free(bad);
}
END_TEST

/* The answer to a need of a head, as an element of a batch of one. */
static rc_t decode_head(jr_answer_t *out, arena_t *a, need_kind_t kind, const char *result)
{
    err_t e;
    const need_t need = { .kind = kind };
    const need_t *needs[1] = { &need };
    char *body = calloc(1, strlen(result) + 100);
    ck_assert_ptr_nonnull(body);
    sprintf(body, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}]", result);
    rc_t rc = jr_decode(out, &e, a, needs, 1, &GIVE_FORM, view_str(body));
    ck_assert_int_eq(rc, RC_OK);
    free(body);
    return out->rc;
}

START_TEST(a_head_is_asked_for_by_its_hash)
{
    const ex_block_t block = { .block_hash = { { 0xab, [31] = 0x01 } } };
    const need_t needs[2] = { { .kind = NEED_HEAD, .block = &block }, { .kind = NEED_HEAD_BYTES, .block = &block } };
    arena_t a;
    view_t text;
    const char *want = "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBlockByHash\",\"params\":["
                       "\"0xab00000000000000000000000000000000000000000000000000000000000001\",false]},"
                       "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"debug_getRawHeader\",\"params\":["
                       "\"0xab00000000000000000000000000000000000000000000000000000000000001\"]}]";
    arena_init(&a, 1u << 20);
    ck_assert_int_eq(give_request(&text, &a, needs, 2), RC_OK);
    ck_assert(view_eq(text, view_str(want)));
    arena_free(&a);
}
END_TEST

START_TEST(what_a_head_has_more_is_told)
{
    jr_answer_t answer;
    arena_t a;
    arena_init(&a, 1u << 20);
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, amsterdam), RC_OK);
    ck_assert_uint_eq(answer.answer.header.slot_number, 11296768);
    ck_assert(!answer.answer.header_more);
    char *usual = replaced(amsterdam, "{",
                           "{\"hash\":\"0x\",\"size\":7,\"totalDifficulty\":null,\"uncles\":[],"
                           "\"transactions\":[],\"withdrawals\":[],");
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, usual), RC_OK);
    ck_assert(!answer.answer.header_more);
    char *more = replaced(usual, "{", "{\"inclusionListHash\":\"0x12\",");
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, more), RC_OK);
    ck_assert(answer.answer.header_more);
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, "null"), RC_NEED_DATA);
    ck_assert_str_eq(answer.why.text, "eth_getBlockByHash: the answer is null");
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, "\"0x12\""), RC_MALFORMED);
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD_BYTES, "\"0xc20102\""), RC_OK);
    ck_assert(view_eq(answer.answer.code, view_str("\xc2\x01\x02")));
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD_BYTES, "{}"), RC_MALFORMED);
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD_BYTES, "\"0xc2010\""), RC_MALFORMED);
    free(usual);
    free(more);
    arena_free(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "jsonrpc", batch_asks_for_each_need_in_its_own_words, hint_request_repeats_fees_and_access_list,
        quantities_are_written_without_leading_zeros, unknown_members_are_passed_over_wherever_they_stand,
        an_error_s_message_is_not_repeated, an_error_means_only_what_its_request_can_be_refused_for,
        an_error_for_a_lone_hint_refuses_the_hint_and_not_the_round, honest_answers_in_any_order_lead_to_the_result,
        batch_may_be_split, what_one_upstream_leaves_open_another_is_asked_for,
        every_truncation_is_refused_and_nothing_is_taken, no_changed_byte_changes_the_result,
        each_wrong_field_is_named_and_the_honest_answer_still_taken, code_is_judged_after_the_proof_whatever_the_order,
        error_for_an_element_is_no_lie_and_its_message_is_cut_and_cleaned, error_for_the_whole_batch_is_reported,
        null_result_means_no_answer, more_elements_or_the_same_twice_are_refused,
        too_deep_or_too_many_values_are_refused_before_a_tree_is_built, hint_that_does_not_parse_is_no_hint,
        hint_names_what_is_asked_next, headers_are_read_and_checked_by_hash, a_header_of_amsterdam_has_two_more_fields,
        a_head_is_asked_for_by_its_hash, what_a_head_has_more_is_told);
}
