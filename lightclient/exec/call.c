#include "lightclient/exec/call.h"

#include <stdlib.h>

#include "lightclient/exec/learned.h"
#include "lightclient/exec/message.h"
#include "lightclient/exec/needs.h"
#include "lightclient/exec/proofs.h"
#include "lightclient/exec/view.h"

#define SELECTOR_LEN 4u
#define FORESEEN_WORDS_MAX 64u       /* words of the request's data that are looked at */
#define STATE_MEMORY_MAX (64u << 20) /* proven state; the rest of EX_CALL_MEMORY_MAX is the run's */

typedef struct {
    query_t query; /* first: a pointer to it is one to the call */
    ex_call_config_t config;
    arena_t mem;  /* state of the call */
    arena_t work; /* of one run: EVM and result, or needs */
    ex_view_t view;
    evm_result_t result;
    bool done;
    bool hint_due; /* ask for a hint with the first needs */
    bool foreseen; /* headers that will probably be needed were asked for */
    unsigned rounds;
    ex_needs_t needs; /* in work */
} ex_call_t;

static ex_call_t *call_of(query_t *q)
{
    return (ex_call_t *)(void *)q;
}

static const ex_call_t *const_call_of(const query_t *q)
{
    return (const ex_call_t *)(const void *)q;
}

/* A number in the request's data that names a recent block is probably given to BLOCKHASH. No access list says so,
 * and the code that asks for it may come last. */
static rc_t foresee_hashes(ex_call_t *c)
{
    view_t data = c->config.request->data;
    size_t at = data.n % 32 == SELECTOR_LEN ? SELECTOR_LEN : 0;
    for (size_t words = 0; data.n - at >= 32 && words < FORESEEN_WORDS_MAX; words++, at += 32) {
        u256_t word = u256_from_be32(data.p + at);
        if (word.w[1] | word.w[2] | word.w[3])
            continue;
        rc_t rc = ex_view_foresee(&c->view, word.w[0]);
        if (rc)
            return rc;
    }
    return RC_OK;
}

/* Takes what earlier calls like this one read; without memory the call just starts knowing less. Whether this very one
 * was made before, so that no access list says more. */
static bool load_learned(ex_call_t *c)
{
    ex_touch_t *touched;
    bool same;
    const ex_request_t *q = c->config.request;
    if (!q->has_to)
        return false;
    const size_t n = ex_learned_get(c->config.cache, &touched, &same, &c->mem, q);
    for (size_t i = 0; i < n; i++)
        if (ex_state_want(&c->view.state, EX_HINTED, &touched[i].addr, touched[i].slots, touched[i].slot_count,
                          touched[i].code))
            return true;
    return same;
}

uint64_t ex_call_gas(const ex_call_config_t *config)
{
    const ex_request_t *q = config->request;
    const uint64_t asked = config->gas_cap ? config->gas_cap : EX_GAS_CAP;
    const uint64_t cap = asked > INT64_MAX ? INT64_MAX : asked; /* the EVM counts with a sign */
    return q->has_gas && q->gas < cap ? q->gas : cap;
}

/* The request alone, as eth_call runs it. */
static rc_t run_request(evm_result_t *out, err_t *e, const ex_run_t *on)
{
    const uint64_t gas = ex_call_gas(on->config);
    rc_t rc = ex_message_run(out, e, on->arena, on->host, on->guessed,
                             &(ex_message_t){ .rules = on->rules,
                                              .env = on->env,
                                              .request = on->config->request,
                                              .gas = gas,
                                              .keep_base_fee = on->config->keep_base_fee });
    if (rc != RC_REFUSED || *on->guessed)
        return rc;
    const err_t why = *e;
    return err_set(e, rc, "err: %s (supplied gas %llu)", why.text, (unsigned long long)gas);
}

/* Runs once; says why when it is the request that is at fault. */
static rc_t run(ex_call_t *c, err_t *e)
{
    const evm_block_t *env = c->config.env ? c->config.env : &c->config.block->env;
    const evm_host_t host = ex_view_run(&c->view);
    const evm_rules_t *rules = evm_chain_rules(c->config.chain, env->timestamp);
    ex_scene_t *scene = arena_alloc(&c->work, sizeof *scene);
    if (rules->fork >= EVM_FORKS)
        return RC_UNSUPPORTED;
    rc_t rc = scene ? ex_scene_init(scene, e, &c->work, &host, c->config.overrides, rules->fork) : RC_NOMEM;
    if (rc)
        return rc;
    const ex_run_t on = { &c->config, &scene->host, env, rules, &c->view.guessed, &c->work };
    return c->config.program ? c->config.program->run(c->config.program, e, &on) : run_request(&c->result, e, &on);
}

static const char *failure(rc_t rc)
{
    switch (rc) {
    case RC_UNSUPPORTED: return "the block's fork is newer than this build";
    case RC_TIMEOUT: return "the deadline passed during execution";
    case RC_NOMEM: return "the call needs more memory than it may have";
    case RC_LIMIT: return "the call reads more state than it may";
    default: return "internal error";
    }
}

static size_t touch_slots(const ex_acct_t *a, unsigned in_run, hash32_t *out)
{
    size_t n = 0;
    for (const ex_slot_t *t = a->slots; t; t = t->next)
        if (t->seen == in_run) {
            if (out)
                out[n] = t->key;
            n++;
        }
    return n;
}

/* Whether more was run than the request alone, or on other state than the block's. */
static bool is_more(const ex_call_t *c)
{
    return c->config.overrides || (c->config.program && c->config.program->wants);
}

/* Remembers what the last run read, for the next call like this one. */
static void learn(ex_call_t *c)
{
    const ex_request_t *q = c->config.request;
    const unsigned in_run = c->view.run;
    if (!c->config.cache || !q->has_to || c->rounds == 0 || is_more(c))
        return; /* nothing had to be asked for: nothing new; or it was not only this request */
    ex_touch_t *touched = arena_calloc(&c->mem, c->view.state.keys, sizeof *touched);
    size_t n = 0;
    for (ex_acct_t *a = map_first(&c->view.state.accts); a && touched; a = map_next(a)) {
        if (a->seen != in_run)
            continue;
        size_t count = touch_slots(a, in_run, NULL);
        hash32_t *slots = arena_alloc(&c->mem, count * sizeof *slots);
        if (!slots)
            return;
        touch_slots(a, in_run, slots);
        touched[n++] = (ex_touch_t){ a->addr, slots, count, a->code_seen == in_run };
    }
    if (n)
        ex_learned_put(c->config.cache, &c->mem, q, touched, n);
}

/* The headers down to the oldest ancestor whose hash is wanted. */
static void header_needs(ex_call_t *c)
{
    const ex_view_t *v = &c->view;
    size_t named = c->foreseen ? 0 : v->hash_foreseen, wanted = v->hash_wanted > named ? v->hash_wanted : named;
    for (size_t at = v->hash_count - 1; at + 1 < wanted; at++) {
        need_origin_t origin = at + 1 < v->hash_met ? NEED_MET : at + 1 < named ? NEED_NAMED : NEED_GUESSED;
        if (!v->given[at].given)
            ex_needs_add(
                &c->needs,
                (need_t){ .kind = NEED_HEADER, .origin = origin, .number = c->config.block->env.number - 1 - at });
    }
}

/* Gives the program a proof that was kept. */
static bool recall_proof(ex_call_t *c, const need_t *wanted)
{
    ex_program_t *p = c->config.program;
    ex_proof_answer_t proof;
    return p->proven &&
           ex_proofs_recall(&proof, &c->work, c->config.cache, &c->config.block->state_root, &wanted->addr,
                            wanted->slots, wanted->slot_count) &&
           !p->proven(p, &proof);
}

/* What the program wants beside the state; it is sure about it when it has not guessed. */
static void program_needs(ex_call_t *c)
{
    ex_program_t *p = c->config.program;
    const need_t *wanted = NULL;
    const size_t n = p && p->wants ? p->wants(p, &wanted) : 0;
    for (size_t i = 0; i < n; i++)
        if (!recall_proof(c, &wanted[i]))
            ex_needs_add(&c->needs, (need_t){ .kind = NEED_PROOF,
                                              .origin = c->view.guessed ? NEED_GUESSED : NEED_MET,
                                              .addr = wanted[i].addr,
                                              .slots = wanted[i].slots,
                                              .slot_count = wanted[i].slot_count });
}

/* Turns what the last run missed into needs. */
static rc_t make_needs(ex_call_t *c)
{
    arena_free(&c->work);
    c->needs.run = c->view.run;
    c->needs.met = c->view.met;
    if (c->hint_due)
        ex_needs_add(&c->needs, (need_t){ .kind = NEED_HINT, .origin = NEED_GUESSED, .request = c->config.request });
    header_needs(c);
    program_needs(c);
    rc_t rc = ex_needs_list(&c->needs);
    if (c->hint_due && c->needs.count == 1) /* all is there: it runs again, and needs none */
        ex_needs_clear(&c->needs);
    return rc ? rc : RC_NEED_DATA;
}

/* One run, and what follows from it. RC_NEED_DATA: the needs are made. */
static rc_t attempt(ex_call_t *c, err_t *e)
{
    rc_t rc = run(c, e);
    if (c->view.failed)
        rc = c->view.failed;
    else if (c->view.deadline)
        rc = RC_TIMEOUT;
    else if (c->view.guessed || rc == RC_NEED_DATA) /* whatever the run came to, it came to it by guesses */
        rc = make_needs(c);
    return rc == RC_OK || rc == RC_NEED_DATA || rc == RC_REFUSED ? rc : err_say(e, rc, failure(rc));
}

static unsigned rounds_max(const ex_call_t *c)
{
    return c->config.rounds_max ? c->config.rounds_max : EX_ROUNDS_MAX;
}

static rc_t call_step(query_t *query, err_t *e)
{
    ex_call_t *c = call_of(query);
    const ex_request_t *q = c->config.request;
    if (c->done)
        return RC_OK;
    if (q->has_chain_id && q->chain_id != c->config.block->env.chain_id)
        return err_set(e, RC_REFUSED, "chainId does not match node's (have=%llu, want=%llu)",
                       (unsigned long long)q->chain_id, (unsigned long long)c->config.block->env.chain_id);
    rc_t rc;
    unsigned tries = 0;
    do { /* again when another thread has meanwhile put all that was missing into the cache */
        ex_needs_clear(&c->needs);
        arena_free(&c->work);
        rc = attempt(c, e);
    } while (rc == RC_NEED_DATA && c->needs.count == 0 && ++tries < EX_ROUNDS_MAX);
    if (rc == RC_OK && !c->config.program && c->result.output.n > EX_OUTPUT_MAX)
        return err_set(e, RC_LIMIT, "the call gives %zu bytes, and may give %u", c->result.output.n, EX_OUTPUT_MAX);
    if (rc == RC_OK) {
        c->done = true;
        learn(c);
    } else if (rc == RC_NEED_DATA && (c->needs.count == 0 || c->rounds >= rounds_max(c))) {
        ex_needs_clear(&c->needs);
        return err_say(e, RC_LIMIT, "the call needs more rounds than it may have");
    } else if (rc == RC_NEED_DATA) {
        c->hint_due = false;
        c->foreseen = true;
        c->rounds++;
    }
    return rc;
}

static size_t call_needs(const query_t *query, const need_t **out)
{
    const ex_call_t *c = const_call_of(query);
    *out = c->needs.at;
    return c->needs.count;
}

/* Marks what an access list names of an account; it is in the state, unless that is full. */
static void mark_named(ex_state_t *s, const evm_access_t *row, size_t slots)
{
    ex_acct_t *a;
    ex_slot_t *slot;
    if (ex_state_acct(&a, s, &row->addr))
        return;
    a->named = true;
    for (size_t i = 0; i < slots && !ex_state_slot(&slot, s, a, &row->keys[i]); i++)
        slot->named = true;
}

static rc_t give_hint(ex_call_t *c, err_t *e, const evm_access_t *list, size_t count)
{
    size_t keys = 0;
    for (size_t k = 0; k < count && k < EX_HINT_ACCOUNTS_MAX && keys < EX_HINT_KEYS_MAX; k++) {
        size_t slots = list[k].key_count;
        if (slots > EX_HINT_KEYS_MAX - keys)
            slots = EX_HINT_KEYS_MAX - keys;
        keys += slots + 1;
        if (ex_state_want(&c->view.state, EX_HINTED, &list[k].addr, list[k].keys, slots, true) == RC_NOMEM)
            return err_say(e, RC_NOMEM, "out of memory");
        mark_named(&c->view.state, &list[k], slots);
    }
    return RC_OK;
}

static rc_t give_header(ex_call_t *c, err_t *e, const need_t *need, const ex_header_t *header)
{
    if (header->number != need->number)
        return err_say(e, RC_REFUSED, "number is not the requested one");
    rc_t rc = ex_view_header(&c->view, (size_t)(c->config.block->env.number - 1 - need->number), header);
    return rc ? err_say(e, rc, "header does not have the hash that its child names") : RC_OK;
}

static rc_t give_proof(ex_call_t *c, err_t *e, const need_t *need, const ex_proof_answer_t *proof)
{
    ex_program_t *p = c->config.program;
    const rc_t rc = ex_needs_give_proof(&c->needs, e, need, proof);
    if (rc || !p || !p->proven)
        return rc;
    ex_proofs_keep(c->config.cache, &c->config.block->state_root, need->slots, proof);
    return p->proven(p, proof) ? err_say(e, RC_NOMEM, "out of memory") : RC_OK;
}

static rc_t call_give(query_t *query, err_t *e, size_t i, const answer_t *answer)
{
    ex_call_t *c = call_of(query);
    const need_t *need = i < c->needs.count ? &c->needs.at[i] : NULL;
    if (!need || need->kind != answer->kind)
        return err_say(e, RC_BUG, "an answer to something that was not asked for");
    const need_t piece = need_piece(need, answer);
    switch (need->kind) {
    case NEED_HINT: return give_hint(c, e, answer->hint, answer->hint_count);
    case NEED_PROOF: return give_proof(c, e, &piece, &answer->proof);
    case NEED_CODE: return ex_needs_give_code(&c->needs, e, need, answer->code);
    case NEED_HEADER: return give_header(c, e, need, &answer->header);
    case NEED_HEAD:
    case NEED_SEND:
    case NEED_HEAD_BYTES:
    case NEED_CHANGES:
    case NEED_BLOCK:
    case NEED_RECEIPTS:
    case NEED_WHERE: break; /* of other queries */
    }
    return err_say(e, RC_BUG, "a need of no known kind");
}

static bool call_expects(query_t *query, expected_t *out, size_t i)
{
    ex_call_t *c = call_of(query);
    const need_t *need = i < c->needs.count ? &c->needs.at[i] : NULL;
    *out = (expected_t){ .header = NULL };
    if (!need || need->kind != NEED_HEADER)
        return need && ex_needs_expects(&c->needs, out, need);
    return ex_view_ancestor(&c->view, &out->hash, (size_t)(c->config.block->env.number - 1 - need->number));
}

/* What the last run read of what was named. */
static void call_hinted(const query_t *query, hinted_t *io)
{
    const ex_call_t *c = const_call_of(query);
    const unsigned in_run = c->view.run;
    if (!c->done || is_more(c))
        return;
    for (const ex_acct_t *a = map_first(&c->view.state.accts); a; a = map_next(a)) {
        io->named += a->named;
        io->read += a->named && a->seen == in_run;
        for (const ex_slot_t *t = a->slots; t; t = t->next) {
            io->named += t->named;
            io->read += t->named && t->seen == in_run;
        }
    }
}

static void call_free(query_t *query)
{
    ex_call_t *c = call_of(query);
    ex_program_t *p = c->config.program;
    if (p && p->clear)
        p->clear(p);
    arena_free(&c->work);
    arena_free(&c->mem);
    free(c);
}

static rc_t call_init(ex_call_t *c, const ex_call_config_t *config)
{
    static const addr_t nobody;
    static const query_ops_t ops = {
        .step = call_step,
        .needs = call_needs,
        .give = call_give,
        .free = call_free,
        .expects = call_expects,
        .hinted = call_hinted,
    };
    c->query.ops = &ops;
    c->config = *config;
    arena_init(&c->mem, STATE_MEMORY_MAX);
    arena_init(&c->work, EX_CALL_MEMORY_MAX - STATE_MEMORY_MAX);
    c->needs = (ex_needs_t){
        .state = &c->view.state, .block = config->block, .arena = &c->work, .proof_slots_max = config->proof_slots_max
    };
    const ex_view_config_t view = {
        &c->query, config->chain, config->cache, config->block, config->request, EX_KEYS_MAX
    };
    rc_t rc = ex_view_init(&c->view, &c->mem, &view);
    if (!rc)
        rc = foresee_hashes(c);
    if (rc)
        return rc;
    c->hint_due = !load_learned(c) && config->use_hint;
    /* No access list names the sender. A call that pays it back would need it in a round of its own. */
    if (c->hint_due && !addr_eq(&config->request->from, &nobody))
        rc = ex_state_want(&c->view.state, EX_HINTED, &config->request->from, NULL, 0, false);
    return rc;
}

rc_t ex_call_new(query_t **out, err_t *e, const ex_call_config_t *config)
{
    ex_call_t *c = calloc(1, sizeof *c);
    rc_t rc = c ? call_init(c, config) : RC_NOMEM;
    if (!rc)
        *out = &c->query;
    else if (c)
        call_free(&c->query);
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

const evm_result_t *ex_call_result(const query_t *q)
{
    const ex_call_t *c = const_call_of(q);
    return c->done && !c->config.program ? &c->result : NULL;
}

unsigned ex_call_rounds(const query_t *q)
{
    return const_call_of(q)->rounds;
}
