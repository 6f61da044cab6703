#include "node/query/retrace.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "lightclient/exec/head.h"
#include "lightclient/exec/history.h"
#include "lightclient/exec/replay.h"
#include "lightclient/exec/then.h"
#include "node/chain/heads.h"
#include "node/config/network.h"
#include "node/query/statements_work.h"

#define MEMORY_MAX ((size_t)768 << 20)
#define HASH_TEXT 66u /* "0x" and 64 digits */

struct retrace {
    retrace_config_t config;
    const grounds_t *g;
    arena_t arena;
    ex_stock_t stock;
    setup_cluster_t cluster;
    statements_t owner; /* the queries' configuration */
    held_t held;        /* nothing is held */
    retrace_heads_t found;
    question_t question;
    bool (*expired)(void *ctx); /* NULL: runs take as long as they do */
    void *expired_ctx;

    /* Of one run. */
    enum { FETCH_HEAD, FETCH_FINALITY, SHOW_FINAL, ANSWER, ANSWERED } phase;
    heads_t heads;
    held_head_t rests_on, final;
    work_t work;
};

/* ---- setup and request ---- */

static rc_t check_setup(retrace_t *r, err_t *e)
{
    const statement_t *s = &r->g->statement;
    hash32_t hash;
    err_t why = { .text = "" };
    sha256(&hash, r->g->setup);
    if (!hash32_eq(&hash, &s->setup))
        return grounds_refuse(e, GROUNDS_WRONG_SETUP, "setup", NULL);
    const rc_t rc = setup_cluster_read(&r->cluster, &why, &r->arena, r->g->setup);
    if (rc == RC_NOMEM)
        return err_say(e, rc, why.text);
    if (rc || r->cluster.chain_id != s->chain_id)
        return grounds_refuse(e, GROUNDS_WRONG_SETUP, "setup", rc ? why.text : "of another chain");
    if (network_digest(&hash, r->config.network, r->config.chain, r->cluster.forks_until))
        return err_say(e, RC_NOMEM, "out of memory");
    if (!hash32_eq(&hash, &r->cluster.network_digest) ||
        !hash32_eq(&r->config.network->genesis_validators_root, &r->cluster.genesis_validators_root))
        return grounds_refuse(e, GROUNDS_WRONG_NETWORK, "setup.network", NULL);
    if (r->cluster.chain_id != r->config.chain->chain_id) /* which both say of themselves until here */
        return grounds_refuse(e, GROUNDS_WRONG_NETWORK, "setup.chain_id", NULL);
    return RC_OK;
}

/* The criteria with the first block before them, as the route takes them. */
static bool read_criteria(question_t *q, arena_t *a, const statement_t *s, view_t request)
{
    const size_t room = request.n + 48;
    char *text = arena_alloc(a, room);
    if (!text || request.n < 2)
        return false;
    const int n = snprintf(text, room, "{\"fromBlock\":\"%llu\"%s%.*s", (unsigned long long)s->logs.from_number,
                           request.n > 2 ? "," : "", (int)request.n - 1, (const char *)request.p + 1);
    return !question_of_logs(q, NULL, a, view_of(text, (size_t)n)) && view_eq(q->criteria, request) &&
           hash32_eq(&q->what.filter_hash, &s->logs.filter_hash);
}

/* ["0x..."] */
static bool read_params(question_t *q, const statement_t *s, view_t request)
{
    char text[HASH_TEXT + 1];
    if (request.n != HASH_TEXT + 4)
        return false;
    memcpy(text, request.p + 2, HASH_TEXT);
    text[HASH_TEXT] = 0;
    return !question_of_receipt(q, NULL, text, "") && hash32_eq(&q->what.params_hash, &s->rpc.params_hash) &&
           view_eq(q->what.method, s->rpc.method);
}

static bool read_overrides(question_t *q, const statement_t *s, view_t request)
{
    hash32_t hash = { { 0 } };
    if (request.n)
        keccak256(&hash, request);
    q->what.call = s->call.asked;
    q->overrides = request;
    return hash32_eq(&hash, &s->call.asked.overrides);
}

/* What was asked, as the statement says it, and the request what it names by a hash alone. */
static bool read_question(retrace_t *r)
{
    const statement_t *s = &r->g->statement;
    const view_t request = r->g->request;
    question_t *q = &r->question;
    q->what.kind = s->kind;
    switch (s->kind) {
    case STATEMENT_CALL: return read_overrides(q, s, request);
    case STATEMENT_LOGS: return read_criteria(q, &r->arena, s, request);
    case STATEMENT_RPC: return read_params(q, s, request);
    case STATEMENT_ACCOUNT: q->what.account = s->account.address; break;
    case STATEMENT_STORAGE:
        q->what.account = s->storage.address;
        q->what.slot = s->storage.slot;
        break;
    case STATEMENT_BLOCK:
    case STATEMENT_CHECKPOINT:
    case STATEMENT_KINDS: break;
    }
    return !request.n;
}

static void name_block(question_block_t *b, const statement_t *s)
{
    *b = (question_block_t){ .given = true, .by = SETUP_BY_BLOCK, .by_hash = true, .hash = s->at.hash };
    if (s->kind == STATEMENT_CHECKPOINT)
        *b = (question_block_t){ .given = true, .by = SETUP_BY_FINALIZED };
    b->number = s->at.number;
}

static rc_t check_file(retrace_t *r, err_t *e)
{
    hash32_t digest;
    statement_digest(&digest, &r->g->statement);
    if (!hash32_eq(&digest, &r->g->id))
        return grounds_refuse(e, GROUNDS_WRONG_ID, "id", NULL);
    const rc_t rc = check_setup(r, e);
    if (rc)
        return rc;
    if (!read_question(r))
        return grounds_refuse(e, GROUNDS_WRONG_REQUEST, "request", NULL);
    name_block(&r->question.block, &r->g->statement);
    return RC_OK;
}

/* ---- making ---- */

static void configure(retrace_t *r)
{
    r->owner.config = (statements_config_t){ .chain = r->config.chain,
                                             .network = r->config.network,
                                             .held = &r->held,
                                             .setup = &r->g->statement.setup,
                                             .rules = &r->cluster.rules,
                                             .replays = true };
}

/* Finality that is claimed has to be shown, and what is shown has to be claimed. */
static rc_t check_finality(const retrace_t *r, err_t *e)
{
    const grounds_t *g = r->g;
    const bool claimed = g->statement.kind != STATEMENT_CHECKPOINT && g->statement.at.finality != STATEMENT_OPTIMISTIC;
    const bool own = g->consensus.finalized;
    if (claimed && !own && !r->found.finality.valid)
        return grounds_refuse(e, GROUNDS_NO_FINALITY, "consensus.finality", NULL);
    if (r->found.finality.valid && (own || !claimed))
        return grounds_refuse(e, GROUNDS_UNUSED_FINALITY, "consensus.finality", NULL);
    return RC_OK;
}

static rc_t init(retrace_t *r, err_t *e)
{
    uint64_t seed[2];
    secret_random(seed, sizeof seed);
    if (ex_stock_init(&r->stock, &r->arena, seed))
        return err_say(e, RC_NOMEM, "out of memory");
    rc_t rc = check_file(r, e);
    if (!rc)
        rc = retrace_heads(&r->found, e, &r->config, r->g, r->cluster.checkpoint_age_s);
    return rc ? rc : check_finality(r, e);
}

rc_t retrace_new(retrace_t **out, err_t *e, const retrace_config_t *config, const grounds_t *g)
{
    retrace_t *r = calloc(1, sizeof *r);
    if (!r)
        return err_say(e, RC_NOMEM, "out of memory");
    r->config = *config;
    r->g = g;
    arena_init(&r->arena, MEMORY_MAX);
    held_init(&r->held);
    configure(r);
    const rc_t rc = init(r, e);
    if (!rc)
        *out = r;
    else
        retrace_free(r);
    return rc;
}

void retrace_free(retrace_t *r)
{
    if (!r)
        return;
    held_clear(&r->held);
    arena_free(&r->arena);
    free(r);
}

void retrace_limit(retrace_t *r, bool (*expired)(void *ctx), void *ctx)
{
    r->expired = expired;
    r->expired_ctx = ctx;
}

/* ---- the elements of a file ---- */

/* Whether an element may stand behind the one before it; numbers are looked at in the stock. */
static bool in_order(const view_t *list, size_t i)
{
    if (!i)
        return true;
    const view_t x = list[i - 1], y = list[i];
    const int d = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return d < 0 || (d == 0 && x.n < y.n);
}

static rc_t load_list(retrace_t *r, err_t *e, ex_stock_kind_t kind, const char *name, grounds_list_t list,
                      grounds_code_t code)
{
    const bool by_bytes = kind == EX_STOCK_NODE || kind == EX_STOCK_CODE;
    for (size_t i = 0; i < list.count; i++) {
        char field[40];
        err_t why = { .text = "" };
        const rc_t rc =
            by_bytes && !in_order(list.at, i) ? RC_REFUSED : ex_stock_add(&r->stock, &why, kind, list.at[i]);
        snprintf(field, sizeof field, "%s[%zu]", name, i);
        if (rc == RC_NOMEM)
            return err_say(e, rc, "out of memory");
        if (rc)
            return grounds_refuse(e, code, field, why.text);
    }
    return RC_OK;
}

static rc_t load_receipts(retrace_t *r, err_t *e)
{
    for (size_t i = 0; i < r->g->receipt_count; i++) {
        const ex_stock_receipts_t *list = &r->g->receipts[i];
        char field[40];
        err_t why = { .text = "" };
        const rc_t rc = ex_stock_add_receipts(&r->stock, &why, list->at, list->count);
        snprintf(field, sizeof field, "receipts[%zu]", i);
        if (rc == RC_NOMEM)
            return err_say(e, rc, "out of memory");
        if (rc)
            return grounds_refuse(e, GROUNDS_BAD_RECEIPTS, field, why.text);
    }
    return RC_OK;
}

rc_t retrace_load(retrace_t *r, err_t *e)
{
    const grounds_t *g = r->g;
    rc_t rc = load_list(r, e, EX_STOCK_HEADER, "headers", g->headers, GROUNDS_BAD_HEADER);
    if (!rc)
        rc = load_list(r, e, EX_STOCK_BLOCK, "blocks", g->blocks, GROUNDS_BAD_BLOCK);
    if (!rc)
        rc = load_receipts(r, e);
    if (!rc)
        rc = load_list(r, e, EX_STOCK_NODE, "witness.state", g->nodes, GROUNDS_BAD_NODE);
    return rc ? rc : load_list(r, e, EX_STOCK_CODE, "witness.codes", g->codes, GROUNDS_BAD_CODE);
}

/* ---- one run ---- */

/* The header of a head that has only its block's hash; *out stays NULL: it is whole. */
static rc_t fetch(retrace_t *r, query_t **out, err_t *e, head_kind_t kind, const lc_head_t *head)
{
    hash32_t hash;
    uint64_t wake_ms = 0;
    bool raw;
    heads_know(&r->heads, kind, head);
    return heads_want(&r->heads, &hash, &raw, kind, 0, &wake_ms) ? ex_head_new(out, e, &hash, EX_HEAD_ONLY) : RC_OK;
}

static rc_t take_head(retrace_t *r, err_t *e, head_kind_t kind, const query_t *done)
{
    const grounds_code_t code = kind == HEAD_LATEST ? GROUNDS_BAD_HEAD : GROUNDS_BAD_FINALITY;
    err_t why = { .text = "" };
    if (done && heads_give(&r->heads, &why, kind, ex_head_result(done)))
        return grounds_refuse(e, code, "headers", why.text);
    if (r->heads.outdated.rc)
        return grounds_refuse(e, code, "consensus", r->heads.outdated.text);
    const held_head_t head = held_head_of(heads_usable(&r->heads, kind), r->config.chain->chain_id,
                                          kind == HEAD_FINALIZED || r->g->consensus.finalized);
    *(kind == HEAD_LATEST ? &r->rests_on : &r->final) = head;
    return RC_OK;
}

/* That the head is an ancestor of the final one. */
static rc_t ask_final(retrace_t *r, query_t **out, err_t *e)
{
    const ex_history_config_t past = { .chain_id = r->config.chain->chain_id,
                                       .head = &r->final.block,
                                       .final_number = r->final.block.env.number,
                                       .by = EX_BY_HASH,
                                       .hash = r->rests_on.block.block_hash };
    return ex_history_new(out, e, &past);
}

static rc_t take_final(retrace_t *r, err_t *e, const query_t *done)
{
    if (!ex_history_result(done)->count)
        return grounds_refuse(e, GROUNDS_NO_FINALITY, "consensus.finality", "the head is no ancestor of its block");
    r->rests_on.finalized = true;
    return RC_OK;
}

static rc_t ask_answer(retrace_t *r, query_t **out, err_t *e)
{
    work_t *w = &r->work;
    w->owner = &r->owner;
    w->arena = &r->arena;
    w->question = r->question;
    w->known.latest = r->rests_on;
    w->known.has_finalized = r->rests_on.finalized;
    if (w->known.has_finalized)
        w->known.finalized = r->rests_on;
    return statements_begin(w, out, e);
}

/* Takes what a phase has found; done NULL: it had nothing to ask for. */
static rc_t leave(retrace_t *r, err_t *e, const query_t *done)
{
    switch (r->phase) {
    case FETCH_HEAD: return take_head(r, e, HEAD_LATEST, done);
    case FETCH_FINALITY: return r->found.finality.valid ? take_head(r, e, HEAD_FINALIZED, done) : RC_OK;
    case SHOW_FINAL: return done ? take_final(r, e, done) : RC_OK;
    case ANSWER:
    case ANSWERED: break;
    }
    return RC_OK;
}

static rc_t enter(retrace_t *r, query_t **out, err_t *e)
{
    const bool shows = r->found.finality.valid;
    switch (r->phase) {
    case FETCH_HEAD: return fetch(r, out, e, HEAD_LATEST, &r->found.head);
    case FETCH_FINALITY: return shows ? fetch(r, out, e, HEAD_FINALIZED, &r->found.finality) : RC_OK;
    case SHOW_FINAL: return shows ? ask_final(r, out, e) : RC_OK;
    case ANSWER: return ask_answer(r, out, e);
    case ANSWERED: break;
    }
    return RC_OK;
}

/* From one query to the next one (ex_then_fn). */
static rc_t advance(void *ctx, query_t **out, err_t *e, const query_t *done)
{
    retrace_t *r = ctx;
    rc_t rc = RC_OK;
    while (!rc && r->phase < ANSWERED && !*out) {
        rc = leave(r, e, done);
        done = NULL;
        r->phase++;
        if (!rc)
            rc = enter(r, out, e);
    }
    return rc;
}

/* All queries of a run as one. */
static rc_t begin(retrace_t *r, query_t **out, err_t *e)
{
    query_t *first = NULL;
    memset(&r->heads, 0, sizeof r->heads);
    memset(&r->work, 0, sizeof r->work);
    r->heads.network = r->config.network;
    r->heads.chain = r->config.chain;
    r->phase = FETCH_HEAD;
    rc_t rc = enter(r, &first, e);
    if (!rc && !first)
        rc = advance(r, &first, e, NULL);
    if (rc || !first)
        return rc;
    return ex_then_new(out, e, first, advance, r);
}

rc_t retrace_record(retrace_t *r, query_t **out, err_t *e)
{
    query_t *all = NULL;
    const rc_t rc = begin(r, &all, e);
    return rc || !all ? rc : ex_recorded_new(out, e, all, &r->stock);
}

/* ---- what came of it ---- */

/* What a run from the stock fails for, as a code. */
static rc_t explain(err_t *e, rc_t rc, ex_stock_kind_t lacks)
{
    static const grounds_code_t missing[EX_STOCK_KINDS] = { GROUNDS_MISSING_HEADER, GROUNDS_MISSING_NODE,
                                                            GROUNDS_MISSING_CODE, GROUNDS_MISSING_BLOCK,
                                                            GROUNDS_MISSING_RECEIPTS };
    const err_t why = *e;
    if (rc == RC_NOMEM || (rc == RC_REFUSED && why.code && why.code < GROUNDS_CODES))
        return rc;
    if (rc == RC_NEED_DATA)
        return grounds_refuse(e, missing[lacks], "", NULL);
    return grounds_refuse(e, GROUNDS_NOT_RUN, why.field, why.text);
}

static rc_t check_unused(const retrace_t *r, err_t *e)
{
    static const grounds_code_t codes[EX_STOCK_KINDS] = { GROUNDS_UNUSED_HEADER, GROUNDS_UNUSED_NODE,
                                                          GROUNDS_UNUSED_CODE, GROUNDS_UNUSED_BLOCK,
                                                          GROUNDS_UNUSED_RECEIPTS };
    for (ex_stock_kind_t kind = EX_STOCK_HEADER; kind < EX_STOCK_KINDS; kind++)
        if (ex_stock_unused(&r->stock, kind))
            return grounds_refuse(e, codes[kind], "", NULL);
    return RC_OK;
}

/* The lists of a file of all that was used, each in its order. RC_NOMEM. */
static rc_t list_used(grounds_t *g, arena_t *a, const retrace_t *r)
{
    struct {
        ex_stock_kind_t kind;
        grounds_list_t *list;
    } const rows[] = { { EX_STOCK_HEADER, &g->headers },
                       { EX_STOCK_BLOCK, &g->blocks },
                       { EX_STOCK_NODE, &g->nodes },
                       { EX_STOCK_CODE, &g->codes } };
    ex_stock_receipts_t *receipts;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view_t *list;
        if (ex_stock_list(&r->stock, &list, &rows[i].list->count, a, rows[i].kind))
            return RC_NOMEM;
        rows[i].list->at = list;
    }
    if (ex_stock_list_receipts(&r->stock, &receipts, &g->receipt_count, a))
        return RC_NOMEM;
    g->receipts = receipts;
    return RC_OK;
}

static bool same_receipts(const ex_stock_receipts_t *x, const ex_stock_receipts_t *y)
{
    for (size_t i = 0; x->count == y->count && i < x->count; i++)
        if (!view_eq(x->at[i], y->at[i]))
            return false;
    return x->count == y->count;
}

/* All was used, and nothing is there twice: what is left is where it stands. */
static rc_t check_order(retrace_t *r, err_t *e)
{
    const grounds_t *g = r->g;
    grounds_t own = *g;
    char field[40];
    if (list_used(&own, &r->arena, r))
        return err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = 0; i < g->headers.count; i++)
        if (!view_eq(g->headers.at[i], own.headers.at[i])) {
            snprintf(field, sizeof field, "headers[%zu]", i);
            return grounds_refuse(e, GROUNDS_BAD_HEADER, field, NULL);
        }
    for (size_t i = 0; i < g->blocks.count; i++)
        if (!view_eq(g->blocks.at[i], own.blocks.at[i])) {
            snprintf(field, sizeof field, "blocks[%zu]", i);
            return grounds_refuse(e, GROUNDS_BAD_BLOCK, field, NULL);
        }
    for (size_t i = 0; i < g->receipt_count; i++)
        if (!same_receipts(&g->receipts[i], &own.receipts[i])) {
            snprintf(field, sizeof field, "receipts[%zu]", i);
            return grounds_refuse(e, GROUNDS_BAD_RECEIPTS, field, NULL);
        }
    return RC_OK;
}

/* How long the signature is to be relied upon depends on how the block was named, which the statement does not say. */
static bool known_window(const setup_rules_t *rules, const statement_t *s)
{
    bool known = false;
    for (size_t i = 0; i < SETUP_BY_COUNT; i++)
        known |= s->valid_until - s->issued_at == rules->valid_s[i];
    return known;
}

/* Whether both are about the same thing, so that what they say of it must agree. Two blocks can have a transaction, on
 * two branches. */
static bool same_matter(const statement_t *x, const statement_t *y)
{
    if (x->kind == STATEMENT_CHECKPOINT)
        return x->checkpoint.slot == y->checkpoint.slot || hash32_eq(&x->checkpoint.root, &y->checkpoint.root);
    return hash32_eq(&x->at.hash, &y->at.hash);
}

/* Takes over what a statement has from its head alone. It does not name its head: anybody can show another one, later,
 * or signed by others, on which the same block lies. So no difference in these is a lie. */
static void leave_head(statement_t *found, const statement_t *said)
{
    if (said->kind == STATEMENT_CHECKPOINT)
        return;
    found->issued_at = said->issued_at;
    found->at.signers = said->at.signers;
    found->at.finality = said->at.finality;
}

static rc_t compare(const retrace_t *r, err_t *e)
{
    const statement_t *said = &r->g->statement;
    statement_t found = r->work.statement, of_block;
    char field[STATEMENT_FIELD_MAX];
    if (!known_window(&r->cluster.rules, said))
        return grounds_refuse(e, GROUNDS_FALSE, "validUntil", NULL);
    found.valid_until = said->valid_until;
    of_block = found;
    leave_head(&of_block, said);
    if (same_matter(said, &found) && statement_differs(field, said, &of_block))
        return grounds_refuse(e, GROUNDS_FALSE, field, NULL);
    if (statement_differs(field, said, &found))
        return grounds_refuse(e, GROUNDS_OTHER_HEAD, field, NULL);
    return RC_OK;
}

rc_t retrace_run(retrace_t *r, err_t *e, bool spare)
{
    query_t *all = NULL;
    ex_stock_kind_t lacks = EX_STOCK_HEADER;
    rc_t rc = begin(r, &all, e);
    if (all)
        query_limit(all, r->expired, r->expired_ctx);
    if (!rc && all)
        rc = ex_replay(all, &lacks, e, &r->stock);
    if (!rc)
        rc = statements_conclude(&r->work, e, all ? ex_then_last(all) : NULL);
    rc = rc ? explain(e, rc, lacks) : compare(r, e);
    query_free(all); /* what was found borrows from it */
    if (!rc && !spare)
        rc = check_unused(r, e);
    return rc || spare ? rc : check_order(r, e);
}

rc_t retrace_file(view_t *out, arena_t *a, const retrace_t *r)
{
    grounds_t g = *r->g;
    return list_used(&g, a, r) ? RC_NOMEM : grounds_write(out, a, &g);
}

/* ---- judging ---- */

static rc_t check_signature(err_t *e, const statement_t *s, const addr_t *signers, size_t signer_count)
{
    const statement_demand_t want = { .chain_id = s->chain_id,
                                      .signers = &s->signer,
                                      .signer_count = 1,
                                      .any_request = true,
                                      .any_age = true,
                                      .allow_failed = true,
                                      .now_s = s->issued_at };
    err_t why = { .text = "" };
    bool accepted = !signer_count;
    if (statement_verify(s, &why, &want))
        return grounds_refuse(e, GROUNDS_BAD_SIGNATURE, why.field, why.text);
    for (size_t i = 0; i < signer_count; i++)
        accepted |= addr_eq(&signers[i], &s->signer);
    return accepted ? RC_OK : grounds_refuse(e, GROUNDS_WRONG_SIGNER, "signer", NULL);
}

static rc_t judge(err_t *e, const retrace_config_t *config, const grounds_t *g)
{
    retrace_t *r = NULL;
    rc_t rc = retrace_new(&r, e, config, g);
    if (!rc)
        rc = retrace_load(r, e);
    if (!rc)
        rc = retrace_run(r, e, false);
    retrace_free(r);
    return rc;
}

rc_t retrace_judge(err_t *e, const retrace_config_t *config, const grounds_t *g, const addr_t *signers,
                   size_t signer_count)
{
    err_t unsigned_why = { .text = "" };
    const rc_t rc = judge(e, config, g), said = check_signature(&unsigned_why, &g->statement, signers, signer_count);
    if (rc == RC_REFUSED && e->code == GROUNDS_FALSE && !said) {
        const err_t why = *e;
        return grounds_refuse(e, GROUNDS_LIE, why.field, NULL);
    }
    if (!rc && said)
        *e = unsigned_why;
    return rc ? rc : said;
}
