#include "node/query/statements.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "lightclient/exec/call.h"
#include "lightclient/exec/read.h"
#include "lightclient/exec/then.h"
#include "node/query/flight.h"
#include "node/query/statements_shown.h"
#include "rpc/api/overrides.h"

#define MESSAGE_MAX 2048u /* bytes of a gateway's {"message": ...} */
#define RETRY_S 2u
#define TEXT_MAX 400u
#define REPLAY_ROUNDS_MAX 4096u /* nothing tells ahead what a call will read */

/* ---- from a request to a query ---- */

static rc_t read_question(work_t *w, err_t *e, arena_t *a, const hs_request_t *r)
{
    static const char *const prefixes[] = { "",          "/v1/block/", "/v1/account/", "/v1/storage/", "", "/v1/ccip/",
                                            "/v1/ccip/", "",           "/v1/receipt/" };
    const char *rest = r->path + strlen(prefixes[w->route]);
    question_t *q = &w->question;
    switch (w->route) {
    case STATEMENTS_CALL: return question_of_call(q, e, a, r->body);
    case STATEMENTS_BLOCK: return question_of_block(q, e, rest, w->query);
    case STATEMENTS_ACCOUNT: return question_of_account(q, e, rest, w->query);
    case STATEMENTS_STORAGE: return question_of_storage(q, e, rest, w->query);
    case STATEMENTS_CHECKPOINT: return question_of_checkpoint(q, e, w->query);
    case STATEMENTS_CCIP_GET: return question_of_ccip_get(q, e, a, rest);
    case STATEMENTS_CCIP_POST: return question_of_ccip_post(q, e, a, rest, r->body);
    case STATEMENTS_LOGS: return question_of_logs(q, e, a, r->body);
    case STATEMENTS_RECEIPT: return question_of_receipt(q, e, rest, w->query);
    case STATEMENTS_EVIDENCE: break;
    }
    return RC_BUG;
}

static rc_t check_sender(const work_t *w, err_t *e)
{
    const statements_config_t *k = &w->owner->config;
    for (size_t i = 0; i < k->sender_count; i++)
        if (addr_eq(&k->senders[i], &w->question.sender))
            return RC_OK;
    if (!w->question.gateway || !k->sender_count)
        return RC_OK;
    return err_code(e, err_in(e, RC_REFUSED, "sender", "this gateway does not work for this contract"), SENDER_REFUSED);
}

/* Slots in one proof; 0: as many as there are. What has no upstreams, a replay above all, asks for each alone. */
static size_t proof_slots(const statements_config_t *k)
{
    return k->jobs && !k->replays ? 0 : 1;
}

/* The statement binds what was asked, and so it must be what is run: no gas is lowered. */
static rc_t make_call(work_t *w, query_t **out, err_t *e)
{
    const statements_config_t *k = &w->owner->config;
    const statement_call_t *c = &w->question.what.call;
    if (c->gas > k->rules->call_gas)
        return err_in(e, RC_MALFORMED, "gas", "must be at most %llu", (unsigned long long)k->rules->call_gas);
    w->request = (ex_request_t){ .has_to = true,
                                 .from = c->from,
                                 .to = c->to,
                                 .value = c->value,
                                 .has_gas = c->gas != 0,
                                 .gas = c->gas,
                                 .data = c->data };
    w->env = w->head.block.env;
    const rc_t rc = w->question.overrides.n
                        ? api_bound_overrides(&w->overrides, &w->env, e, w->arena, w->question.overrides)
                        : RC_OK;
    if (rc)
        return rc;
    return ex_call_new(out, e,
                       &(ex_call_config_t){ .chain = k->chain,
                                            .cache = k->cache,
                                            .block = &w->head.block,
                                            .request = &w->request,
                                            .env = &w->env,
                                            .overrides = w->question.overrides.n ? &w->overrides : NULL,
                                            .gas_cap = k->rules->call_gas,
                                            .use_hint = !k->replays,
                                            .rounds_max = k->replays ? REPLAY_ROUNDS_MAX : 0,
                                            .proof_slots_max = proof_slots(k) });
}

rc_t statements_query(work_t *w, query_t **out, err_t *e)
{
    const statements_config_t *k = &w->owner->config;
    ex_read_config_t read = {
        .cache = k->cache, .block = &w->head.block, .addr = w->question.what.account, .proof_slots_max = proof_slots(k)
    };
    switch (w->question.what.kind) {
    case STATEMENT_CALL: return make_call(w, out, e);
    case STATEMENT_ACCOUNT: return ex_read_new(out, e, &read);
    case STATEMENT_STORAGE:
        read.slots = &w->question.what.slot;
        read.slot_count = 1;
        return ex_read_new(out, e, &read);
    default: return RC_OK; /* all is known already */
    }
}

rc_t statements_begin(work_t *w, query_t **out, err_t *e)
{
    const rc_t rc = statements_find_head(w, e);
    if (rc)
        return rc;
    return statements_is_past(w) ? statements_past_query(w, out, e) : statements_query(w, out, e);
}

static rc_t begin(void *mine, query_t **out, err_t *e, arena_t *a, const hs_request_t *request)
{
    work_t *w = mine;
    w->arena = a;
    rc_t rc = statements_take_shown(w, e, request->query);
    if (!rc)
        rc = read_question(w, e, a, request);
    if (!rc)
        rc = check_sender(w, e);
    return rc ? rc : statements_begin(w, out, e);
}

/* ---- from a result to a statement ---- */

static void fill_call(statement_t *s, const work_t *w, const query_t *done)
{
    const evm_result_t *result = ex_call_result(done);
    s->call.asked = w->question.what.call;
    s->call.status = result->status == EVM_SUCCESS  ? STATEMENT_SUCCESS
                     : result->status == EVM_REVERT ? STATEMENT_REVERT
                                                    : STATEMENT_HALT;
    s->call.result = result->status == EVM_HALT ? view_of(NULL, 0) : result->output;
}

/* An account that is not there has hashes of zero, as in eth_getProof and EXTCODEHASH: an empty one has not. */
static void fill_account(statement_t *s, const work_t *w, const query_t *done)
{
    const mpt_account_t *x = &ex_read_result(done)->account;
    s->account.address = w->question.what.account;
    s->account.nonce = x->nonce;
    s->account.balance = x->balance;
    if (!x->exists)
        return;
    s->account.code_hash = x->code_hash;
    s->account.storage_root = x->storage_root;
}

static void fill_result(statement_t *s, const work_t *w)
{
    const statement_request_t *asked = &w->question.what;
    hash32_t hash;
    s->result = w->result;
    keccak256(&hash, w->result);
    if (s->kind == STATEMENT_LOGS) {
        s->logs.from_number = asked->from_number;
        s->logs.filter_hash = asked->filter_hash;
        s->logs.logs_hash = hash;
        s->logs.count = w->count;
        s->logs.complete = true;
    } else {
        s->rpc.method = asked->method;
        s->rpc.params_hash = asked->params_hash;
        s->rpc.result_hash = hash;
    }
}

static void fill(statement_t *s, const work_t *w, const query_t *done)
{
    const statements_config_t *k = &w->owner->config;
    const held_head_t *h = &w->head;
    s->kind = w->question.what.kind;
    s->chain_id = h->block.env.chain_id;
    s->at = (statement_block_t){ .number = h->block.env.number,
                                 .hash = h->block.block_hash,
                                 .state_root = h->block.state_root,
                                 .timestamp = h->block.env.timestamp,
                                 .slot = lc_slot_at(k->network, h->block.env.timestamp * 1000),
                                 .finality = h->finalized ? STATEMENT_FINAL : STATEMENT_OPTIMISTIC,
                                 .signers = (uint16_t)h->participants };
    s->issued_at = lc_slot_start_ms(k->network, h->slot) / 1000;
    s->valid_until = s->issued_at + k->rules->valid_s[w->question.block.by];
    s->setup = *k->setup;
    if (s->kind == STATEMENT_CALL)
        fill_call(s, w, done);
    else if (s->kind == STATEMENT_ACCOUNT)
        fill_account(s, w, done);
    else if (s->kind == STATEMENT_LOGS || s->kind == STATEMENT_RPC)
        fill_result(s, w);
    else if (s->kind == STATEMENT_STORAGE) {
        s->storage.address = w->question.what.account;
        s->storage.slot = w->question.what.slot;
        u256_to_be32(s->storage.value.b, &ex_read_result(done)->values[0]);
    } else if (s->kind == STATEMENT_CHECKPOINT) {
        s->checkpoint.slot = h->slot;
        s->checkpoint.root = h->beacon_root;
        s->checkpoint.state_root = h->beacon_state_root;
    }
}

/* The last look before the key is used. */
static rc_t check_ready(const work_t *w, err_t *e)
{
    const statements_config_t *k = &w->owner->config;
    follow_view_t view;
    err_t why;
    if (!k->ready(k->ready_ctx, &view, &why))
        return statements_not_now(e, why.text);
    const uint64_t now_s = k->now_ms(k->ready_ctx) / 1000;
    if (now_s <= w->statement.valid_until)
        return RC_OK;
    (void)err_set(e, RC_REFUSED, "the %s block is %llu s old: what is signed of it would have expired already",
                  setup_by_name(w->question.block.by), (unsigned long long)(now_s - w->statement.issued_at));
    return err_code(e, RC_REFUSED, NOT_READY);
}

static rc_t write_gateway(view_t *body, arena_t *a, const statement_t *s)
{
    view_t data;
    rc_t rc = statement_abi(&data, a, s);
    if (rc)
        return rc;
    jw_t w = jw_of(a, STATEMENT_TEXT_MAX);
    jw_object(&w, NULL);
    jw_hex(&w, "data", data);
    jw_end(&w);
    *body = jw_done(&w);
    return w.rc;
}

rc_t statements_conclude(work_t *w, err_t *e, const query_t *done)
{
    const query_t *last = w->state == PROVEN ? ex_then_last(done) : done;
    const rc_t rc = w->question.what.kind == STATEMENT_LOGS ? statements_take_logs(w, e, last) : RC_OK;
    if (!rc)
        fill(&w->statement, w, last);
    return rc;
}

rc_t statements_sign(work_t *w, view_t *body, err_t *e, const query_t *done)
{
    statement_t *s = &w->statement;
    rc_t rc = statements_conclude(w, e, done);
    if (!rc)
        rc = check_ready(w, e);
    if (rc)
        return rc;
    rc = statement_sign(s, &w->owner->config.signer);
    if (!rc)
        rc = statement_write(body, w->arena, s);
    if (rc)
        return err_say(e, rc,
                       rc == RC_LIMIT ? "the result is too long for a statement" : "the statement could not be signed");
    statements_remember(w, *body);
    return RC_OK;
}

static rc_t finish(void *mine, view_t *body, err_t *e, arena_t *a, const query_t *done)
{
    work_t *w = mine;
    rc_t rc = statements_sign(w, body, e, done);
    if (!rc && w->question.gateway && (rc = write_gateway(body, a, &w->statement)))
        (void)err_say(e, rc, "the result is too long for a statement");
    return rc;
}

/* ---- with evidence ---- */

/* Signs, and goes on to what shows it (ex_then_fn). */
static rc_t after_answer(void *mine, query_t **out, err_t *e, const query_t *done)
{
    work_t *w = mine;
    view_t body;
    if (w->shown->retrace)
        return RC_OK;
    const rc_t rc = statements_sign(w, &body, e, done);
    return rc ? rc : statements_show(w, out, e);
}

static rc_t begin_inline(void *mine, query_t **out, err_t *e, arena_t *a, const hs_request_t *request)
{
    query_t *first = NULL;
    const rc_t rc = begin(mine, &first, e, a, request);
    if (rc)
        return rc;
    return first ? ex_then_new(out, e, first, after_answer, mine) : after_answer(mine, out, e, NULL);
}

static rc_t begin_evidence(void *mine, query_t **out, err_t *e, arena_t *a, const hs_request_t *request)
{
    work_t *w = mine;
    w->arena = a;
    const rc_t rc = statements_take_shown(w, e, request->query);
    return rc ? rc : statements_show(w, out, e);
}

static rc_t finish_shown(void *mine, view_t *body, err_t *e, arena_t *a, const query_t *done)
{
    (void)a;
    (void)done;
    return statements_shown(mine, body, e);
}

static void end_shown(void *mine)
{
    const work_t *w = mine;
    if (w->shown)
        retrace_free(w->shown->retrace);
}

/* ---- refusals ---- */

static int status_of(const char **slug, rc_t rc, const err_t *e)
{
    switch (e->code) {
    case NOT_READY: *slug = "not-ready"; return 503;
    case EX_HISTORY_PRUNED:
    case UNKNOWN_BLOCK: *slug = "unknown-block"; return 404;
    case UNKNOWN_TRANSACTION: *slug = "unknown-transaction"; return 404;
    case EX_LOGS_LIMIT: *slug = "too-many-logs"; return 422;
    case SENDER_REFUSED: *slug = "sender-refused"; return 403;
    case UNKNOWN_CHECKPOINT: *slug = "unknown-checkpoint"; return 404;
    case EVIDENCE_EXPIRED: *slug = "evidence-expired"; return 404;
    case EVIDENCE_FAILED: *slug = "evidence-failed"; return 500;
    default: return jobs_status(slug, rc, e);
    }
}

static void text_of(char out[TEXT_MAX], const err_t *e)
{
    snprintf(out, TEXT_MAX, "%s%s%s", e->field, e->field[0] ? ": " : "", e->text);
}

static void refuse(hs_response_t *r, rc_t rc, const err_t *e)
{
    char text[TEXT_MAX];
    const char *slug;
    const int status = status_of(&slug, rc, e);
    text_of(text, e);
    hs_problem(r, status, slug, text);
    r->retry_after_s = e->code == NOT_READY ? RETRY_S : status == 429 ? JOBS_RETRY_S : 0;
}

/* Clients of ERC-3668 ask the next gateway after a 5xx, and give up after a 4xx. */
static void refuse_gateway(hs_response_t *r, rc_t rc, const err_t *e)
{
    char text[TEXT_MAX], *body = malloc(MESSAGE_MAX);
    const char *slug;
    const int status = status_of(&slug, rc, e);
    if (!body) {
        hs_problem(r, 503, "out-of-memory", "out of memory");
        return;
    }
    jw_t w = jw_in(body, MESSAGE_MAX);
    text_of(text, e);
    jw_object(&w, NULL);
    jw_str(&w, "message", text);
    jw_end(&w);
    const view_t said = jw_done(&w);
    *r = (hs_response_t){ .status = status, .body = (uint8_t *)body, .body_len = said.n };
    r->retry_after_s = e->code == NOT_READY ? RETRY_S : status == 429 ? JOBS_RETRY_S : 0;
}

static bool is_gateway(statements_route_t route)
{
    return route == STATEMENTS_CCIP_GET || route == STATEMENTS_CCIP_POST;
}

void statements_not_ready(hs_response_t *r, statements_route_t route, const char *why)
{
    err_t e;
    const rc_t rc = statements_not_now(&e, why);
    (is_gateway(route) ? refuse_gateway : refuse)(r, rc, &e);
}

/* ---- on an event thread ---- */

known_t statements_known(const statements_config_t *k, const follow_view_t *v)
{
    known_t x = { .latest = held_head_of(&v->latest, k->chain->chain_id, false) };
    x.has_finalized = v->finalized.valid && lc_proves_execution(k->network, v->finalized.header.beacon.slot);
    if (x.has_finalized)
        x.finalized = held_head_of(&v->finalized, k->chain->chain_id, true);
    return x;
}

/* Whether what is asked of a head by its name has expired. */
static uint8_t is_late(const statements_config_t *k, const held_head_t *h, setup_by_t by)
{
    return k->now_ms(k->ready_ctx) / 1000 > lc_slot_start_ms(k->network, h->slot) / 1000 + k->rules->valid_s[by];
}

/* A key of the request, the held, and whether they are too old by now for what was signed of them. */
static void key_of(hash32_t *out, const statements_config_t *k, const known_t *x, const hs_request_t *r,
                   statements_route_t route)
{
    const uint8_t late[] = { (uint8_t)route, is_late(k, &x->latest, SETUP_BY_LATEST),
                             is_late(k, &x->finalized, SETUP_BY_SAFE), is_late(k, &x->finalized, SETUP_BY_FINALIZED) };
    const view_t parts[] = { view_of(late, sizeof late),
                             view_of(x->latest.beacon_root.b, 32),
                             view_of(x->finalized.beacon_root.b, 32),
                             view_of(r->path, strlen(r->path) + 1),
                             view_of(r->query, strlen(r->query) + 1),
                             r->body };
    sha256_parts(out, parts, sizeof parts / sizeof parts[0]);
}

/* How a request is answered. */
static const jobs_kind_t *kind_of(statements_route_t route, const char *query)
{
    static const jobs_kind_t plain = { .size = sizeof(work_t), .begin = begin, .finish = finish, .refuse = refuse },
                             gateway = { .size = sizeof(work_t),
                                         .begin = begin,
                                         .finish = finish,
                                         .refuse = refuse_gateway },
                             with = { .size = sizeof(work_t),
                                      .signs = JOBS_SIGN_BEFORE,
                                      .begin = begin_inline,
                                      .finish = finish_shown,
                                      .refuse = refuse,
                                      .end = end_shown },
                             evidence = { .size = sizeof(work_t),
                                          .signs = JOBS_SIGN_NOTHING,
                                          .begin = begin_evidence,
                                          .finish = finish_shown,
                                          .refuse = refuse,
                                          .end = end_shown };
    if (is_gateway(route))
        return &gateway;
    return route == STATEMENTS_EVIDENCE ? &evidence : statements_wants_shown(query) ? &with : &plain;
}

void statements_ask(statements_t *s, const hs_request_t *request, hs_response_t *r, statements_route_t route)
{
    const statements_config_t *k = &s->config;
    follow_view_t view;
    err_t why;
    hash32_t key;
    if (!k->ready(k->ready_ctx, &view, &why)) {
        statements_not_ready(r, route, why.text);
        return;
    }
    const work_t w = { .owner = s, .route = route, .known = statements_known(k, &view) };
    key_of(&key, k, &w.known, request, route);
    jobs_post(k->jobs, request, r, kind_of(route, request->query), &w, &key);
}

static bool read_id(hash32_t *id, const char *text)
{
    const size_t n = strlen(text);
    return n == 66 && text[0] == '0' && text[1] == 'x' && !hex_decode_exact(id->b, sizeof id->b, text, n);
}

void statements_evidence(statements_t *s, const hs_request_t *request, hs_response_t *r)
{
    const statements_config_t *k = &s->config;
    follow_view_t view;
    err_t why;
    hash32_t id, key;
    if (!read_id(&id, request->path + strlen("/v1/evidence/"))) {
        hs_problem(r, 400, "bad-request", "id: must be 32 bytes of hex with 0x");
        return;
    }
    r->shared = k->said && !*request->query ? said_file(k->said, &id) : NULL;
    if (r->shared)
        return;
    memset(&view, 0, sizeof view);
    (void)k->ready(k->ready_ctx, &view, &why); /* what was signed is shown in any state */
    work_t w = { .owner = s, .route = STATEMENTS_EVIDENCE, .known = statements_known(k, &view) };
    w.statement_id = id;
    key_of(&key, k, &w.known, request, STATEMENTS_EVIDENCE);
    jobs_post(k->jobs, request, r, kind_of(STATEMENTS_EVIDENCE, ""), &w, &key);
}

statements_t *statements_new(const statements_config_t *config)
{
    statements_t *s = calloc(1, sizeof *s);
    if (s)
        s->config = *config;
    return s;
}

void statements_free(statements_t *s)
{
    free(s);
}
