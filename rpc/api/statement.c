#include "rpc/api/statement.h"

#include <stddef.h>
#include <stdio.h>

#include "base/json.h"
#include "rpc/api/abi.h"

/* ---- the types ---- */

#define PART(s, name, kind, member)                                                                                    \
    {                                                                                                                  \
        name, kind, offsetof(s, member), NULL, 0                                                                       \
    }
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const eip712_member_t block_members[] = {
    PART(statement_block_t, "number", EIP712_UINT64, number),
    PART(statement_block_t, "hash", EIP712_BYTES32, hash),
    PART(statement_block_t, "stateRoot", EIP712_BYTES32, state_root),
    PART(statement_block_t, "timestamp", EIP712_UINT64, timestamp),
    PART(statement_block_t, "slot", EIP712_UINT64, slot),
    { "finality", EIP712_UINT8, offsetof(statement_block_t, finality), NULL, STATEMENT_FINAL },
    PART(statement_block_t, "signers", EIP712_UINT16, signers),
};
static const eip712_type_t block_type = { "Block", block_members, COUNT(block_members) };

static const eip712_member_t call_members[] = {
    PART(statement_call_t, "from", EIP712_ADDRESS, from),
    PART(statement_call_t, "to", EIP712_ADDRESS, to),
    PART(statement_call_t, "value", EIP712_UINT256, value),
    PART(statement_call_t, "gas", EIP712_UINT64, gas),
    PART(statement_call_t, "data", EIP712_BYTES, data),
    PART(statement_call_t, "overrides", EIP712_BYTES32, overrides),
};
const eip712_type_t STATEMENT_CALL_TYPE = { "Call", call_members, COUNT(call_members) };

#define AT                                                                                                             \
    {                                                                                                                  \
        "at", EIP712_STRUCT, offsetof(statement_t, at), &block_type, 0                                                 \
    }
#define SEAL                                                                                                           \
    PART(statement_t, "issuedAt", EIP712_UINT64, issued_at),                                                           \
        PART(statement_t, "validUntil", EIP712_UINT64, valid_until), PART(statement_t, "setup", EIP712_BYTES32, setup)

static const eip712_member_t of_call[] = {
    AT,
    { "call", EIP712_STRUCT, offsetof(statement_t, call.asked), &STATEMENT_CALL_TYPE, 0 },
    { "status", EIP712_UINT8, offsetof(statement_t, call.status), NULL, STATEMENT_HALT },
    PART(statement_t, "result", EIP712_BYTES, call.result),
    SEAL,
};
static const eip712_member_t of_block[] = { AT, SEAL };
static const eip712_member_t of_account[] = {
    AT,
    PART(statement_t, "account", EIP712_ADDRESS, account.address),
    PART(statement_t, "nonce", EIP712_UINT64, account.nonce),
    PART(statement_t, "balance", EIP712_UINT256, account.balance),
    PART(statement_t, "codeHash", EIP712_BYTES32, account.code_hash),
    PART(statement_t, "storageRoot", EIP712_BYTES32, account.storage_root),
    SEAL,
};
static const eip712_member_t of_storage[] = {
    AT,
    PART(statement_t, "account", EIP712_ADDRESS, storage.address),
    PART(statement_t, "slot", EIP712_BYTES32, storage.slot),
    PART(statement_t, "value", EIP712_BYTES32, storage.value),
    SEAL,
};
static const eip712_member_t of_checkpoint[] = {
    PART(statement_t, "slot", EIP712_UINT64, checkpoint.slot),
    PART(statement_t, "root", EIP712_BYTES32, checkpoint.root),
    PART(statement_t, "stateRoot", EIP712_BYTES32, checkpoint.state_root),
    SEAL,
};
static const eip712_member_t of_logs[] = {
    { "to", EIP712_STRUCT, offsetof(statement_t, at), &block_type, 0 },
    PART(statement_t, "fromNumber", EIP712_UINT64, logs.from_number),
    PART(statement_t, "filterHash", EIP712_BYTES32, logs.filter_hash),
    PART(statement_t, "logsHash", EIP712_BYTES32, logs.logs_hash),
    PART(statement_t, "count", EIP712_UINT32, logs.count),
    PART(statement_t, "complete", EIP712_BOOL, logs.complete),
    SEAL,
};
static const eip712_member_t of_rpc[] = {
    AT,
    PART(statement_t, "method", EIP712_STRING, rpc.method),
    PART(statement_t, "paramsHash", EIP712_BYTES32, rpc.params_hash),
    PART(statement_t, "resultHash", EIP712_BYTES32, rpc.result_hash),
    SEAL,
};
static const eip712_type_t types[] = {
    [STATEMENT_CALL] = { "CallStatement", of_call, COUNT(of_call) },
    [STATEMENT_BLOCK] = { "BlockStatement", of_block, COUNT(of_block) },
    [STATEMENT_ACCOUNT] = { "AccountStatement", of_account, COUNT(of_account) },
    [STATEMENT_STORAGE] = { "StorageStatement", of_storage, COUNT(of_storage) },
    [STATEMENT_CHECKPOINT] = { "CheckpointStatement", of_checkpoint, COUNT(of_checkpoint) },
    [STATEMENT_LOGS] = { "LogsStatement", of_logs, COUNT(of_logs) },
    [STATEMENT_RPC] = { "RpcStatement", of_rpc, COUNT(of_rpc) },
};
_Static_assert(COUNT(types) == STATEMENT_KINDS, "a type for each kind");

const eip712_type_t *statement_type(statement_kind_t kind)
{
    return &types[kind];
}

/* ---- comparing ---- */

static bool member_differs(const eip712_member_t *m, const void *x, const void *y)
{
    uint8_t one[32], two[32];
    const void *a = eip712_value(m, x), *b = eip712_value(m, y);
    if (eip712_is_view(m))
        return !view_eq(*(const view_t *)a, *(const view_t *)b);
    eip712_word(one, m, x);
    eip712_word(two, m, y);
    return memcmp(one, two, sizeof one) != 0;
}

bool statement_differs(char field[STATEMENT_FIELD_MAX], const statement_t *x, const statement_t *y)
{
    const eip712_type_t *t = statement_type(x->kind);
    for (size_t i = 0; i < t->count; i++) {
        const eip712_member_t *m = &t->members[i];
        if (m->kind != EIP712_STRUCT && member_differs(m, x, y)) {
            snprintf(field, STATEMENT_FIELD_MAX, "%s", m->name);
            return true;
        }
        for (size_t k = 0; m->kind == EIP712_STRUCT && k < m->type->count; k++)
            if (member_differs(&m->type->members[k], eip712_value(m, x), eip712_value(m, y))) {
                snprintf(field, STATEMENT_FIELD_MAX, "%s.%s", m->name, m->type->members[k].name);
                return true;
            }
    }
    return false;
}

/* ---- signing ---- */

uint64_t statement_slot(const statement_t *s)
{
    return s->kind == STATEMENT_CHECKPOINT ? s->checkpoint.slot : s->at.slot;
}

bool statement_fits_slot(const statement_t *s, const lc_network_t *net)
{
    return s->kind == STATEMENT_CHECKPOINT || s->at.timestamp <= lc_slot_start_ms(net, s->at.slot) / 1000;
}

void statement_digest(hash32_t *out, const statement_t *s)
{
    hash32_t domain;
    eip712_domain(&domain, "Kettle", "1", s->chain_id);
    eip712_hash_struct(out, statement_type(s->kind), s);
    eip712_digest(out, &domain, out);
}

rc_t statement_sign(statement_t *s, const statement_signer_t *signer)
{
    hash32_t digest;
    if (!s->chain_id || s->chain_id > STATEMENT_CHAIN_MAX)
        return RC_BUG;
    statement_digest(&digest, s);
    return signer->sign65(signer->ctx, s->signature, &s->signer, &digest);
}

/* ---- writing ---- */

static void put_struct(jw_t *w, const char *key, const eip712_type_t *t, const void *value)
{
    jw_object(w, key);
    for (size_t i = 0; i < t->count; i++) {
        const eip712_member_t *m = &t->members[i];
        const void *p = eip712_value(m, value);
        switch (m->kind) {
        case EIP712_ADDRESS: jw_hex(w, m->name, view_of(p, sizeof(addr_t))); break;
        case EIP712_BYTES32: jw_hex(w, m->name, view_of(p, sizeof(hash32_t))); break;
        case EIP712_BYTES: jw_hex(w, m->name, *(const view_t *)p); break;
        case EIP712_STRING: jw_text(w, m->name, *(const view_t *)p); break;
        case EIP712_BOOL: jw_bool(w, m->name, *(const bool *)p); break;
        case EIP712_UINT32: jw_u64(w, m->name, *(const uint32_t *)p); break;
        case EIP712_UINT8: jw_u64(w, m->name, *(const uint8_t *)p); break;
        case EIP712_UINT16: jw_u64(w, m->name, *(const uint16_t *)p); break;
        case EIP712_UINT64: jw_decimal(w, m->name, *(const uint64_t *)p); break;
        case EIP712_UINT256: jw_decimal256(w, m->name, p); break;
        case EIP712_STRUCT: put_struct(w, m->name, m->type, p); break;
        }
    }
    jw_end(w);
}

static void put_signed(jw_t *w, const char *key, const statement_t *s)
{
    jw_object(w, key);
    jw_str(w, "type", statement_type(s->kind)->name);
    jw_object(w, "domain");
    jw_str(w, "name", "Kettle");
    jw_str(w, "version", "1");
    jw_u64(w, "chainId", s->chain_id);
    jw_end(w);
    put_struct(w, "message", statement_type(s->kind), s);
    jw_hex(w, "signature", view_of(s->signature, sizeof s->signature));
    jw_hex(w, "signer", view_of(s->signer.b, sizeof s->signer.b));
    jw_end(w);
}

rc_t statement_write(view_t *out, arena_t *a, const statement_t *s)
{
    jw_t w = jw_of(a, STATEMENT_TEXT_MAX);
    if (s->result.n) {
        jw_object(&w, NULL);
        put_signed(&w, "statement", s);
        jw_raw(&w, "result", s->result);
        jw_end(&w);
    } else
        put_signed(&w, NULL, s);
    const view_t text = jw_done(&w);
    if (!w.rc)
        *out = text;
    return w.rc;
}

/* What a gateway's caller decodes: (CallStatement statement, bytes signature). */
typedef struct {
    statement_t statement;
    view_t signature;
} answer_t;

rc_t statement_abi(view_t *out, arena_t *a, const statement_t *s)
{
    static const eip712_member_t members[] = {
        { "statement", EIP712_STRUCT, offsetof(answer_t, statement), &types[STATEMENT_CALL], 0 },
        { "signature", EIP712_BYTES, offsetof(answer_t, signature), NULL, 0 },
    };
    static const eip712_type_t type = { "Answer", members, COUNT(members) };
    const answer_t answer = { *s, view_of(s->signature, sizeof s->signature) };
    return abi_encode(out, a, &type, &answer);
}
