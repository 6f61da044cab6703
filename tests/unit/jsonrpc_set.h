/* jsonrpc_set.h - a call in a small world, and the JSON-RPC texts that an honest server answers its needs with. */
#ifndef TESTS_JSONRPC_SET_H
#define TESTS_JSONRPC_SET_H

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

static inline void begin(set_t *s, const char *code, bool hint)
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

static inline void end(set_t *s)
{
    query_free(s->call);
    world_clear(&s->w);
}

static inline size_t step(set_t *s, const need_t **needs)
{
    ck_assert_int_eq(query_step(s->call, &s->e), RC_NEED_DATA);
    memset(s->answered, 0, sizeof s->answered);
    return query_needs(s->call, needs);
}

/* ---- an honest server's text ---- */

static inline void put_header(char *out, const ex_header_t *h)
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
static inline char *honest(set_t *s, const need_t *needs, size_t n)
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

static inline rc_t give(set_t *s, const need_t *needs, size_t n, const char *body)
{
    char *copy = strdup(body); /* exact size on the heap */
    err_clear(&s->why);
    rc_t rc = give_body(s->call, s->answered, &s->why, needs, n, view_str(copy));
    free(copy);
    return rc;
}

/* A copy of body with the first `from` replaced; it must be there. */
static inline char *replaced(const char *body, const char *from, const char *to)
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

#endif
