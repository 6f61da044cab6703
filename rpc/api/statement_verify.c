#include "rpc/api/statement_verify.h"

#include "base/crypto/hash.h"

static rc_t check_signer(const statement_t *s, err_t *e, const statement_demand_t *want)
{
    hash32_t digest;
    addr_t found;
    statement_digest(&digest, s);
    if (ecdsa_recover65(&found, s->signature, &digest))
        return statement_refuse(e, STATEMENT_BAD_SIGNATURE, "signature");
    if (addr_eq(&found, &s->signer))
        for (size_t i = 0; i < want->signer_count; i++)
            if (addr_eq(&found, &want->signers[i]))
                return RC_OK;
    return statement_refuse(e, STATEMENT_WRONG_SIGNER, "signer");
}

static bool is_answer(statement_kind_t kind)
{
    return kind != STATEMENT_BLOCK && kind != STATEMENT_CHECKPOINT;
}

static rc_t compare_call(const statement_call_t *said, err_t *e, const statement_call_t *asked)
{
    const struct {
        const char *name;
        bool same;
    } rows[] = {
        { "message.call.from", addr_eq(&said->from, &asked->from) },
        { "message.call.to", addr_eq(&said->to, &asked->to) },
        { "message.call.value", u256_eq(&said->value, &asked->value) },
        { "message.call.gas", said->gas == asked->gas },
        { "message.call.data", view_eq(said->data, asked->data) },
        { "message.call.overrides", hash32_eq(&said->overrides, &asked->overrides) },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!rows[i].same)
            return statement_refuse(e, STATEMENT_WRONG_REQUEST, rows[i].name);
    return RC_OK;
}

static rc_t compare_asked(const statement_t *s, err_t *e, const statement_request_t *asked)
{
    const bool logs = s->kind == STATEMENT_LOGS;
    if (logs && s->logs.from_number != asked->from_number)
        return statement_refuse(e, STATEMENT_WRONG_REQUEST, "message.fromNumber");
    if (logs && !hash32_eq(&s->logs.filter_hash, &asked->filter_hash))
        return statement_refuse(e, STATEMENT_WRONG_REQUEST, "message.filterHash");
    if (!logs && !view_eq(s->rpc.method, asked->method))
        return statement_refuse(e, STATEMENT_WRONG_REQUEST, "message.method");
    if (!logs && !hash32_eq(&s->rpc.params_hash, &asked->params_hash))
        return statement_refuse(e, STATEMENT_WRONG_REQUEST, "message.paramsHash");
    return RC_OK;
}

/* What stands beside it. */
static rc_t check_result(const statement_t *s, err_t *e)
{
    hash32_t hash;
    if (!s->result.n)
        return RC_OK;
    keccak256(&hash, s->result);
    const bool same = s->kind == STATEMENT_LOGS
                          ? hash32_eq(&hash, &s->logs.logs_hash) && s->result_count == s->logs.count
                          : hash32_eq(&hash, &s->rpc.result_hash);
    return same ? RC_OK : statement_refuse(e, STATEMENT_WRONG_RESULT, "result");
}

static rc_t check_request(const statement_t *s, err_t *e, const statement_demand_t *want)
{
    const statement_request_t *asked = want->request;
    if (!asked)
        return want->any_request || !is_answer(s->kind) ? RC_OK : statement_refuse(e, STATEMENT_BAD_OPTION, "request");
    if (asked->kind != s->kind)
        return statement_refuse(e, STATEMENT_WRONG_TYPE, "type");
    if (s->kind == STATEMENT_CALL)
        return compare_call(&s->call.asked, e, &asked->call);
    if (s->kind == STATEMENT_LOGS || s->kind == STATEMENT_RPC)
        return compare_asked(s, e, asked);
    const addr_t *account = s->kind == STATEMENT_ACCOUNT ? &s->account.address : &s->storage.address;
    if (!addr_eq(account, &asked->account))
        return statement_refuse(e, STATEMENT_WRONG_REQUEST, "message.account");
    if (s->kind == STATEMENT_STORAGE && !hash32_eq(&s->storage.slot, &asked->slot))
        return statement_refuse(e, STATEMENT_WRONG_REQUEST, "message.slot");
    return RC_OK;
}

/* A member of the block, which has another name in logs. */
#define BLOCK_FIELD(name) (s->kind == STATEMENT_LOGS ? "message.to." name : "message.at." name)

static rc_t check_block(const statement_t *s, err_t *e, const statement_demand_t *want)
{
    if (s->kind == STATEMENT_CHECKPOINT)
        return want->has_number || want->block_hash || want->has_min_number || want->min_finality
                   ? statement_refuse(e, STATEMENT_BAD_OPTION, "block") /* a checkpoint names none */
                   : RC_OK;
    if (want->block_hash && !hash32_eq(want->block_hash, &s->at.hash))
        return statement_refuse(e, STATEMENT_WRONG_BLOCK, BLOCK_FIELD("hash"));
    if (want->has_number && want->number != s->at.number)
        return statement_refuse(e, STATEMENT_WRONG_BLOCK, BLOCK_FIELD("number"));
    if (want->has_min_number && s->at.number < want->min_number)
        return statement_refuse(e, STATEMENT_BLOCK_TOO_LOW, BLOCK_FIELD("number"));
    if (s->at.finality < want->min_finality)
        return statement_refuse(e, STATEMENT_NOT_FINAL, BLOCK_FIELD("finality"));
    return RC_OK;
}

static rc_t check_time(const statement_t *s, err_t *e, const statement_demand_t *want)
{
    const bool checkpoint = s->kind == STATEMENT_CHECKPOINT;
    const bool named = !checkpoint && (want->has_number || want->block_hash);
    const uint64_t stamp = checkpoint ? s->issued_at : s->at.timestamp;
    const char *field = checkpoint ? "message.issuedAt" : BLOCK_FIELD("timestamp");
    if (!want->has_max_age && !want->any_age && !named)
        return statement_refuse(e, STATEMENT_BAD_OPTION, "max-age");
    if (want->now_s > s->valid_until)
        return statement_refuse(e, STATEMENT_EXPIRED, "message.validUntil");
    if (!want->has_max_age)
        return RC_OK;
    if (want->now_s > stamp && want->now_s - stamp > want->max_age_s)
        return statement_refuse(e, STATEMENT_TOO_OLD, field);
    if (stamp > want->now_s && stamp - want->now_s > want->max_age_s)
        return statement_refuse(e, STATEMENT_FROM_THE_FUTURE, field);
    return RC_OK;
}

static rc_t check_status(const statement_t *s, err_t *e, const statement_demand_t *want)
{
    if (s->kind != STATEMENT_CALL || s->call.status == STATEMENT_SUCCESS || want->allow_failed)
        return RC_OK;
    return statement_refuse(e, s->call.status == STATEMENT_HALT ? STATEMENT_HALTED : STATEMENT_REVERTED,
                            "message.status");
}

rc_t statement_verify(const statement_t *s, err_t *e, const statement_demand_t *want)
{
    if (!want->signer_count)
        return statement_refuse(e, STATEMENT_BAD_OPTION, "signer");
    if (want->has_kind && want->kind != s->kind)
        return statement_refuse(e, STATEMENT_WRONG_TYPE, "type");
    if (s->chain_id != want->chain_id)
        return statement_refuse(e, STATEMENT_WRONG_CHAIN, "domain.chainId");
    rc_t rc = check_signer(s, e, want);
    if (!rc && want->setup && !hash32_eq(want->setup, &s->setup))
        rc = statement_refuse(e, STATEMENT_WRONG_SETUP, "message.setup");
    if (!rc)
        rc = check_request(s, e, want);
    if (!rc)
        rc = check_result(s, e);
    if (!rc)
        rc = check_block(s, e, want);
    if (!rc)
        rc = check_time(s, e, want);
    return rc ? rc : check_status(s, e, want);
}
