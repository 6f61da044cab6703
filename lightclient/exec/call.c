#include "lightclient/exec/call.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/view.h"

#define INITCODE_MAX 49152u /* bytes; EIP-3860 */
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
    need_t *needs;
    size_t need_count;
} ex_call_t;

static ex_call_t *call_of(query_t *q)
{
    return (ex_call_t *)(void *)q;
}

static const ex_call_t *const_call_of(const query_t *q)
{
    return (const ex_call_t *)(const void *)q;
}

/* Marks keys that will probably be read: they are asked for together with what a run misses. */
static rc_t want(ex_call_t *c, const addr_t *addr, const hash32_t *slots, size_t count, bool code)
{
    ex_acct_t *a;
    ex_slot_t *slot;
    rc_t rc = ex_state_acct(&a, &c->view.state, addr);
    if (rc)
        return rc;
    a->wanted = EX_HINTED;
    if (code)
        a->code_wanted = EX_HINTED;
    for (size_t i = 0; i < count && !rc; i++) {
        rc = ex_state_slot(&slot, &c->view.state, a, &slots[i]);
        if (!rc)
            slot->wanted = EX_HINTED;
    }
    return rc;
}

/* A number in the request's data that names a recent block is probably given to BLOCKHASH. No access list says so, and the
 * code that asks for it may come last. */
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

/* Takes what earlier calls like this one read; without memory the call just starts knowing less. */
static bool load_learned(ex_call_t *c)
{
    ex_touch_t *touched;
    const ex_request_t *q = c->config.request;
    if (!c->config.cache || !q->has_to)
        return false;
    size_t n = ex_cache_get_learned(c->config.cache, &touched, &c->mem, &q->to, q->data);
    for (size_t i = 0; i < n; i++)
        if (want(c, &touched[i].addr, touched[i].slots, touched[i].slot_count, touched[i].code))
            return true;
    return n > 0;
}

/* Adds up in 256 bits; false when the sum is larger. */
static bool add(u256_t *out, const u256_t *a, const u256_t *b)
{
    unsigned carry = 0;
    for (int i = 0; i < 4; i++) {
        __extension__ unsigned __int128 s = (unsigned __int128)a->w[i] + b->w[i] + carry;
        out->w[i] = (uint64_t)s;
        carry = (unsigned)(s >> 64);
    }
    return carry == 0;
}

static bool multiply(u256_t *out, const u256_t *a, uint64_t by)
{
    uint64_t carry = 0;
    for (int i = 0; i < 4; i++) {
        __extension__ unsigned __int128 p = (unsigned __int128)a->w[i] * by + carry;
        out->w[i] = (uint64_t)p;
        carry = (uint64_t)(p >> 64);
    }
    return carry == 0;
}

/* What GASPRICE returns: the price, or with EIP-1559 fields base fee and tip up to the maximum. */
static u256_t effective_price(const ex_call_t *c)
{
    const ex_request_t *q = c->config.request;
    u256_t price = u256_of(0);
    if (!q->has_gas_price)
        return price;
    if (!q->dynamic_fee)
        return q->gas_price;
    if (!add(&price, &c->config.block->env.base_fee, &q->max_priority_fee) || u256_cmp(&price, &q->gas_price) > 0)
        return q->gas_price;
    return price;
}

/* The checks that geth makes of a request's fee before the call; also finds what the sender pays. Those that need the
 * sender's balance wait until it is proven. */
static rc_t check_fee(ex_call_t *c, err_t *e, const evm_host_t *host, const evm_tx_t *tx)
{
    const ex_request_t *q = c->config.request;
    evm_account_t sender;
    u256_t most, fee;
    if (q->dynamic_fee && u256_cmp(&q->max_priority_fee, &q->gas_price) > 0)
        return err_say(e, RC_REFUSED, "max priority fee per gas higher than max fee per gas");
    c->view.charges = false;
    if (u256_is_zero(&tx->gas_price))
        return RC_OK;
    if (u256_cmp(&q->gas_price, &c->config.block->env.base_fee) < 0)
        return err_say(e, RC_REFUSED, "max fee per gas less than block base fee");
    rc_t rc = host->account(host->ctx, &sender, &tx->from);
    if (rc || c->view.guessed)
        return rc;
    if (!multiply(&fee, &tx->gas_price, tx->gas) || !multiply(&most, &q->gas_price, tx->gas) ||
        !add(&most, &most, &tx->value) || u256_cmp(&most, &sender.balance) > 0)
        return err_say(e, RC_REFUSED, "insufficient funds for gas * price + value");
    c->view.charges = true;
    c->view.charge = fee;
    return RC_OK;
}

/* Why the EVM would not start a call all of whose state is proven. */
static const char *refusal(ex_call_t *c)
{
    ex_acct_t *from;
    const ex_request_t *q = c->config.request;
    if (!ex_state_acct(&from, &c->view.state, &q->from) && ex_acct_known(&c->view.state, from) &&
        u256_cmp(&from->value.balance, &q->value) < 0)
        return "insufficient funds for transfer";
    if (!q->has_to && q->data.n > INITCODE_MAX)
        return "max initcode size exceeded";
    return "intrinsic gas too low";
}

/* Runs the request once; says why when it is the request that is at fault. */
static rc_t run(ex_call_t *c, err_t *e)
{
    const ex_request_t *q = c->config.request;
    uint64_t cap = c->config.gas_cap ? c->config.gas_cap : EX_GAS_CAP;
    if (cap > INT64_MAX) /* the EVM counts with a sign */
        cap = INT64_MAX;
    evm_block_t env = c->config.block->env;
    evm_host_t host = ex_view_run(&c->view);
    evm_tx_t tx = { .from = q->from, .create = !q->has_to, .to = q->to, .value = q->value, .data = q->data };
    tx.gas = q->has_gas && q->gas < cap ? q->gas : cap;
    tx.gas_price = effective_price(c);
    tx.type = q->dynamic_fee ? 2 : q->access_count ? 1 : 0;
    tx.access = q->access;
    tx.access_count = q->access_count;
    if (u256_is_zero(&tx.gas_price) && !c->config.keep_base_fee)
        env.base_fee = u256_of(0);
    rc_t rc = check_fee(c, e, &host, &tx);
    if (rc)
        return rc;
    rc = evm_call(&c->work, &c->result, &host, evm_chain_rules(c->config.chain, env.timestamp), &env, &tx);
    return rc == RC_REFUSED && !c->view.guessed ? err_say(e, rc, refusal(c)) : rc;
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

/* Remembers what the last run read, for the next call like this one. */
static void learn(ex_call_t *c)
{
    const ex_request_t *q = c->config.request;
    const unsigned in_run = c->view.run;
    if (!c->config.cache || !q->has_to || c->rounds == 0)
        return; /* nothing had to be asked for: nothing new */
    ex_touch_t *touched = arena_calloc(&c->mem, c->view.state.keys, sizeof *touched);
    size_t n = 0;
    for (ex_acct_t *a = c->view.state.accts; a && touched; a = a->next) {
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
        ex_cache_put_learned(c->config.cache, &q->to, q->data, touched, n);
}

/* Needs being listed; with at NULL they are only counted, so that a first pass finds the number. What becomes missing
 * between the passes (the cache is shared) and has no room waits for the next round. */
typedef struct {
    const ex_block_t *block; /* of all needs */
    need_t *at;
    size_t n, cap;
} list_t;

static void push(list_t *list, need_t need)
{
    if (list->at && list->n == list->cap)
        return;
    need.block = list->block;
    if (list->at)
        list->at[list->n] = need;
    list->n++;
}

/* Whether a key that was wanted in run `wanted` still is. */
static bool is_wanted(const ex_call_t *c, unsigned wanted)
{
    return wanted == EX_HINTED || wanted == c->view.run;
}

/* Why a key is asked for, if it is asked for with nothing else. */
static need_origin_t lone_origin(const ex_call_t *c, const unsigned *wanted)
{
    return wanted == c->view.met ? NEED_MET : *wanted == EX_HINTED ? NEED_NAMED : NEED_GUESSED;
}

/* Why a key is asked for among others: what was named and is met too stays with the others that were named. */
static need_origin_t origin_of(const ex_call_t *c, const unsigned *wanted)
{
    return *wanted == EX_HINTED ? NEED_NAMED : lone_origin(c, wanted);
}

/* Whether a slot was asked for before: something in the need that it was part of had no answer. */
static bool asked_before(const ex_call_t *c, const ex_slot_t *t)
{
    return t->asked && t->asked != c->view.run;
}

static bool slot_missing(ex_call_t *c, ex_slot_t *t)
{
    return is_wanted(c, t->wanted) && !ex_slot_known(&c->view.state, t);
}

/* The missing slots of an account that go into common needs of one origin; their keys to out unless it is NULL. */
static size_t missing_slots(ex_call_t *c, const ex_acct_t *a, need_origin_t origin, hash32_t *out)
{
    size_t n = 0;
    for (ex_slot_t *t = a->slots; t; t = t->next)
        if (slot_missing(c, t) && !asked_before(c, t) && origin_of(c, &t->wanted) == origin) {
            if (out) {
                out[n] = t->key;
                t->asked = c->view.run;
            }
            n++;
        }
    return n;
}

/* Slots that were asked for in vain stand alone now, so that one without an answer is in the way of no other. */
static void lone_slots(ex_call_t *c, const ex_acct_t *a, list_t *list)
{
    for (ex_slot_t *t = a->slots; t; t = t->next)
        if (slot_missing(c, t) && asked_before(c, t))
            push(list, (need_t){ .kind = NEED_PROOF,
                                 .origin = lone_origin(c, &t->wanted),
                                 .addr = a->addr,
                                 .slots = &t->key,
                                 .slot_count = 1 });
}

/* Proofs of an account's slots of one origin, in pieces when they are many; the first one serves the account too, if *proof
 * says that it has to be proven. RC_NOMEM. */
static rc_t slot_needs(ex_call_t *c, ex_acct_t *a, need_origin_t origin, bool *proof, list_t *list)
{
    const size_t asked = c->config.proof_slots_max;
    const size_t most = asked && asked < NEED_SLOTS_MAX ? asked : NEED_SLOTS_MAX;
    size_t count = missing_slots(c, a, origin, NULL);
    hash32_t *keys = list->at ? arena_alloc(&c->work, count * sizeof *keys) : NULL;
    if (list->at && !keys)
        return RC_NOMEM;
    if (keys)
        count = missing_slots(c, a, origin, keys);
    for (size_t at = 0; at < count; *proof = false) {
        size_t len = count - at < most ? count - at : most;
        bool more = *proof && origin_of(c, &a->wanted) < origin; /* the account is wanted for a better reason */
        push(list, (need_t){ .kind = NEED_PROOF,
                             .origin = more ? NEED_NAMED : origin,
                             .addr = a->addr,
                             .slots = keys ? keys + at : NULL,
                             .slot_count = len });
        at += len;
    }
    return RC_OK;
}

/* Needs of one account: its proofs and its code. RC_NOMEM. */
static rc_t account_needs(ex_call_t *c, ex_acct_t *a, list_t *list)
{
    static const need_origin_t origins[] = { NEED_MET, NEED_NAMED, NEED_GUESSED };
    bool proof = is_wanted(c, a->wanted) && !ex_acct_known(&c->view.state, a);
    rc_t rc = RC_OK;
    lone_slots(c, a, list);
    for (size_t i = 0; i < sizeof origins / sizeof origins[0] && !rc; i++)
        rc = slot_needs(c, a, origins[i], &proof, list);
    if (proof)
        push(list, (need_t){ .kind = NEED_PROOF, .origin = lone_origin(c, &a->wanted), .addr = a->addr });
    if (ex_view_code_missing(&c->view, a))
        push(list, (need_t){ .kind = NEED_CODE, .origin = lone_origin(c, &a->code_wanted), .addr = a->addr });
    return rc;
}

/* The headers down to the oldest ancestor whose hash is wanted. */
static void header_needs(ex_call_t *c, list_t *list)
{
    ex_view_t *v = &c->view;
    size_t named = c->foreseen ? 0 : v->hash_foreseen, wanted = v->hash_wanted > named ? v->hash_wanted : named;
    for (size_t at = v->hash_count - 1; at + 1 < wanted; at++) {
        need_origin_t origin = at + 1 < v->hash_met ? NEED_MET : at + 1 < named ? NEED_NAMED : NEED_GUESSED;
        if (!v->given[at].given)
            push(list,
                 (need_t){ .kind = NEED_HEADER, .origin = origin, .number = c->config.block->env.number - 1 - at });
    }
}

/* All that is wanted and not known, in the order in which the answers are best given. */
static rc_t list_needs(ex_call_t *c, list_t *list)
{
    rc_t rc = RC_OK;
    if (c->hint_due)
        push(list, (need_t){ .kind = NEED_HINT, .origin = NEED_GUESSED, .request = c->config.request });
    header_needs(c, list);
    for (ex_acct_t *a = c->view.state.accts; a && !rc; a = a->next)
        rc = account_needs(c, a, list);
    return rc;
}

/* Turns what the last run missed into needs. */
static rc_t make_needs(ex_call_t *c)
{
    list_t list = { c->config.block, NULL, 0, 0 };
    arena_free(&c->work);
    rc_t rc = list_needs(c, &list);
    list = (list_t){ c->config.block, arena_calloc(&c->work, list.n, sizeof(need_t)), 0, list.n };
    if (!rc && list.at)
        rc = list_needs(c, &list);
    if (rc || !list.at)
        return RC_NOMEM;
    c->needs = list.at;
    c->need_count = list.n;
    return RC_NEED_DATA;
}

/* One run, and what follows from it. RC_NEED_DATA: the needs are made. */
static rc_t attempt(ex_call_t *c, err_t *e)
{
    rc_t rc = run(c, e);
    if (c->view.failed)
        rc = c->view.failed;
    else if (c->view.deadline)
        rc = RC_TIMEOUT;
    else if (c->view.guessed) /* whatever the run came to, it came to it by guesses */
        rc = make_needs(c);
    return rc == RC_OK || rc == RC_NEED_DATA || rc == RC_REFUSED ? rc : err_say(e, rc, failure(rc));
}

static rc_t call_step(query_t *query, err_t *e)
{
    ex_call_t *c = call_of(query);
    const ex_request_t *q = c->config.request;
    if (c->done)
        return RC_OK;
    if (q->has_chain_id && q->chain_id != c->config.block->env.chain_id)
        return err_say(e, RC_REFUSED, "the chain id is not this chain's");
    rc_t rc;
    unsigned tries = 0;
    do { /* again when another thread has meanwhile put all that was missing into the cache */
        c->needs = NULL;
        c->need_count = 0;
        arena_free(&c->work);
        rc = attempt(c, e);
    } while (rc == RC_NEED_DATA && c->need_count == 0 && ++tries < EX_ROUNDS_MAX);
    if (rc == RC_OK) {
        c->done = true;
        learn(c);
    } else if (rc == RC_NEED_DATA && (c->need_count == 0 || c->rounds >= EX_ROUNDS_MAX)) {
        c->need_count = 0;
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
    *out = c->needs;
    return c->need_count;
}

static rc_t give_hint(ex_call_t *c, err_t *e, const evm_access_t *list, size_t count)
{
    size_t keys = 0;
    for (size_t k = 0; k < count && k < EX_HINT_ACCOUNTS_MAX && keys < EX_HINT_KEYS_MAX; k++) {
        size_t slots = list[k].key_count;
        if (slots > EX_HINT_KEYS_MAX - keys)
            slots = EX_HINT_KEYS_MAX - keys;
        keys += slots + 1;
        if (want(c, &list[k].addr, list[k].keys, slots, true) == RC_NOMEM)
            return err_say(e, RC_NOMEM, "out of memory");
    }
    return RC_OK;
}

static rc_t give_proof(ex_call_t *c, err_t *e, const need_t *need, const ex_proof_answer_t *answer)
{
    ex_state_t *s = &c->view.state;
    mpt_account_t proven;
    ex_acct_t *a;
    ex_slot_t *slot;
    arena_mark_t mark = arena_mark(&c->work);
    u256_t *values = arena_alloc(&c->work, need->slot_count * sizeof *values);
    if (!values)
        return err_say(e, RC_NOMEM, "out of memory");
    rc_t rc = ex_proof_verify(&proven, values, e, &s->state_root, &need->addr, need->slots, need->slot_count, answer);
    if (!rc)
        rc = ex_state_acct(&a, s, &need->addr); /* is there, as are the slots: the need was made from them */
    if (!rc)
        ex_state_prove_acct(s, a, &proven);
    for (size_t k = 0; k < need->slot_count && !rc; k++) {
        rc = ex_state_slot(&slot, s, a, &need->slots[k]);
        if (!rc)
            ex_state_prove_slot(s, slot, &values[k]);
    }
    arena_rollback(&c->work, mark);
    return rc;
}

static rc_t give_code(ex_call_t *c, err_t *e, const need_t *need, view_t code)
{
    ex_acct_t *a;
    hash32_t hash;
    if (code.n > EX_CODE_MAX)
        return err_say(e, RC_LIMIT, "code is longer than any contract's");
    rc_t rc = ex_state_acct(&a, &c->view.state, &need->addr);
    if (rc)
        return err_say(e, rc, failure(rc));
    keccak256(&hash, code);
    if (ex_acct_known(&c->view.state, a) && !hash32_eq(&hash, a->value.exists ? &a->value.code_hash : &KECCAK_EMPTY))
        return err_say(e, RC_REFUSED, "code does not have the proven code hash");
    rc = code.n ? ex_state_add_code(&c->view.state, &hash, code) : RC_OK;
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

static rc_t give_header(ex_call_t *c, err_t *e, const need_t *need, const ex_header_t *header)
{
    if (header->number != need->number)
        return err_say(e, RC_REFUSED, "number is not the requested one");
    rc_t rc = ex_view_header(&c->view, (size_t)(c->config.block->env.number - 1 - need->number), header);
    return rc ? err_say(e, rc, "header does not have the hash that its child names") : RC_OK;
}

static rc_t call_give(query_t *query, err_t *e, size_t i, const answer_t *answer)
{
    ex_call_t *c = call_of(query);
    const need_t *need = i < c->need_count ? &c->needs[i] : NULL;
    if (!need || need->kind != answer->kind)
        return err_say(e, RC_BUG, "an answer to something that was not asked for");
    switch (need->kind) {
    case NEED_HINT: return give_hint(c, e, answer->hint, answer->hint_count);
    case NEED_PROOF: return give_proof(c, e, need, &answer->proof);
    case NEED_CODE: return give_code(c, e, need, answer->code);
    case NEED_HEADER: return give_header(c, e, need, &answer->header);
    }
    return err_say(e, RC_BUG, "a need of no known kind");
}

static void call_free(query_t *query)
{
    ex_call_t *c = call_of(query);
    arena_free(&c->work);
    arena_free(&c->mem);
    free(c);
}

static rc_t call_init(ex_call_t *c, const ex_call_config_t *config)
{
    static const addr_t nobody;
    static const query_ops_t ops = { call_step, call_needs, call_give, call_free };
    c->query.ops = &ops;
    c->config = *config;
    arena_init(&c->mem, STATE_MEMORY_MAX);
    arena_init(&c->work, EX_CALL_MEMORY_MAX - STATE_MEMORY_MAX);
    rc_t rc = ex_view_init(&c->view, &c->mem, &c->config, &c->query);
    if (!rc)
        rc = foresee_hashes(c);
    if (rc)
        return rc;
    c->hint_due = !load_learned(c) && config->use_hint;
    /* No access list names the sender. A call that pays it back would need it in a round of its own. */
    if (c->hint_due && !addr_eq(&config->request->from, &nobody))
        rc = want(c, &config->request->from, NULL, 0, false);
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
    return c->done ? &c->result : NULL;
}

unsigned ex_call_rounds(const query_t *q)
{
    return const_call_of(q)->rounds;
}
