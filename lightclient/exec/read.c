#include "lightclient/exec/read.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/needs.h"

#define STATE_MEMORY_MAX ((size_t)8 << 20) /* EX_READ_SLOTS_MAX slots, and a code */
#define NEEDS_MEMORY_MAX ((size_t)4 << 20)

typedef struct {
    query_t query; /* first: a pointer to it is one to the read */
    ex_read_config_t config;
    arena_t mem;  /* the state and the result */
    arena_t work; /* the needs of one step */
    ex_state_t state;
    ex_acct_t *acct;
    ex_needs_t needs;
    unsigned rounds;
    bool done;
    u256_t *values;
    ex_read_result_t result;
} ex_read_t;

static ex_read_t *read_of(query_t *q)
{
    return (ex_read_t *)(void *)q;
}

static const ex_read_t *const_read_of(const query_t *q)
{
    return (const ex_read_t *)(const void *)q;
}

/* The proven value of each slot; false when one is not known. */
static bool collect_slots(ex_read_t *r)
{
    ex_slot_t *slot;
    for (size_t i = 0; i < r->config.slot_count; i++) {
        if (ex_state_slot(&slot, &r->state, r->acct, &r->config.slots[i]) || !ex_slot_known(&r->state, slot))
            return false;
        r->values[i] = slot->value;
    }
    return true;
}

/* The code with the proven hash; false when it is not known. */
static bool collect_code(ex_read_t *r)
{
    const mpt_account_t *a = &r->acct->value;
    if (!r->config.code || !a->exists || hash32_eq(&a->code_hash, &KECCAK_EMPTY))
        return true;
    const ex_code_t *code = ex_code_known(&r->state, r->acct, &a->code_hash);
    if (code)
        r->result.code = code->bytes;
    return code != NULL;
}

/* RC_OK: all is known, and the result is made. RC_NEED_DATA: the needs are. */
static rc_t attempt(ex_read_t *r)
{
    if (ex_acct_known(&r->state, r->acct) && collect_slots(r) && collect_code(r)) {
        r->result.account = r->acct->value;
        r->result.values = r->values;
        r->result.value_count = r->config.slot_count;
        r->done = true;
        return RC_OK;
    }
    rc_t rc = ex_needs_list(&r->needs);
    return rc ? rc : RC_NEED_DATA;
}

static rc_t read_step(query_t *q, err_t *e)
{
    ex_read_t *r = read_of(q);
    rc_t rc = RC_NEED_DATA;
    if (r->done)
        return RC_OK;
    r->needs.run = ++r->rounds;
    ex_needs_clear(&r->needs);
    arena_free(&r->work);
    for (unsigned tries = 0; rc == RC_NEED_DATA && !r->needs.count && tries < EX_READ_ROUNDS_MAX; tries++)
        rc = attempt(r); /* again when another thread has meanwhile put all that was missing into the cache */
    if (rc == RC_NEED_DATA && (!r->needs.count || r->rounds > EX_READ_ROUNDS_MAX)) {
        ex_needs_clear(&r->needs);
        return err_say(e, RC_LIMIT, "the read needs more rounds than it may have");
    }
    return rc == RC_OK || rc == RC_NEED_DATA ? rc : err_say(e, rc, "the read needs more memory than it may have");
}

static size_t read_needs(const query_t *q, const need_t **out)
{
    const ex_read_t *r = const_read_of(q);
    *out = r->needs.at;
    return r->needs.count;
}

static rc_t read_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    ex_read_t *r = read_of(q);
    const need_t *need = i < r->needs.count ? &r->needs.at[i] : NULL;
    if (!need || need->kind != answer->kind)
        return err_say(e, RC_BUG, "an answer to something that was not asked for");
    const need_t piece = need_piece(need, answer);
    return need->kind == NEED_PROOF ? ex_needs_give_proof(&r->needs, e, &piece, &answer->proof)
                                    : ex_needs_give_code(&r->needs, e, need, answer->code);
}

static bool read_expects(query_t *q, expected_t *out, size_t i)
{
    ex_read_t *r = read_of(q);
    return i < r->needs.count && ex_needs_expects(&r->needs, out, &r->needs.at[i]);
}

static void read_free(query_t *q)
{
    ex_read_t *r = read_of(q);
    arena_free(&r->work);
    arena_free(&r->mem);
    free(r);
}

static rc_t read_init(ex_read_t *r, const ex_read_config_t *c)
{
    static const query_ops_t ops = { read_step, read_needs, read_give, read_free, read_expects, NULL };
    r->query.ops = &ops;
    r->config = *c;
    arena_init(&r->mem, STATE_MEMORY_MAX);
    arena_init(&r->work, NEEDS_MEMORY_MAX);
    r->needs =
        (ex_needs_t){ .state = &r->state, .block = c->block, .arena = &r->work, .proof_slots_max = c->proof_slots_max };
    rc_t rc = ex_state_init(&r->state, &r->mem, c->cache, &c->block->state_root, c->slot_count + 1);
    r->state.wants_roots = true;
    if (!rc)
        rc = ex_state_want(&r->state, EX_REQUIRED, &c->addr, c->slots, c->slot_count, c->code);
    if (!rc)
        rc = ex_state_acct(&r->acct, &r->state, &c->addr);
    r->values = rc ? NULL : arena_alloc(&r->mem, c->slot_count * sizeof *r->values);
    return rc ? rc : r->values ? RC_OK : RC_NOMEM;
}

rc_t ex_read_new(query_t **out, err_t *e, const ex_read_config_t *config)
{
    if (config->slot_count > EX_READ_SLOTS_MAX)
        return err_set(e, RC_LIMIT, "%zu slots are more than %u", config->slot_count, EX_READ_SLOTS_MAX);
    ex_read_t *r = calloc(1, sizeof *r);
    rc_t rc = r ? read_init(r, config) : RC_NOMEM;
    if (!rc)
        *out = &r->query;
    else if (r)
        read_free(&r->query);
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

const ex_read_result_t *ex_read_result(const query_t *q)
{
    const ex_read_t *r = const_read_of(q);
    return r->done ? &r->result : NULL;
}
