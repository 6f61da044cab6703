#include "lightclient/exec/prove.h"

#include <stdlib.h>

#include "base/arena.h"
#include "lightclient/exec/proofs.h"

#define MEMORY_MAX ((size_t)64 << 20) /* 1024 slots, each with some 10 nodes of 532 bytes */
#define SHORT_NODE 32u                /* shorter ones stand inside their parent */

typedef struct {
    query_t query; /* first: a pointer to it is one to the prove */
    ex_prove_config_t config;
    arena_t mem;
    need_t *needs;      /* each of them a piece of the slots */
    bool *given;        /* each of them as a whole, */
    bool *slot_given;   /* ... and each slot */
    size_t count, most; /* most: slots of each but the last */
    bool asked, done;
    u256_t *values;
    ex_proven_slot_t *slots;
    ex_prove_result_t result;
} ex_prove_t;

static ex_prove_t *prove_of(query_t *q)
{
    return (ex_prove_t *)(void *)q;
}

static const ex_prove_t *const_prove_of(const query_t *q)
{
    return (const ex_prove_t *)(const void *)q;
}

static rc_t prove_step(query_t *q, err_t *e)
{
    ex_prove_t *p = prove_of(q);
    size_t given = 0;
    for (size_t i = 0; i < p->count; i++)
        given += p->given[i];
    p->done = given == p->count;
    if (p->done)
        return RC_OK;
    if (p->asked)
        return err_say(e, RC_LIMIT, "no endpoint has the proofs");
    p->asked = true;
    return RC_NEED_DATA;
}

static size_t prove_needs(const query_t *q, const need_t **out)
{
    const ex_prove_t *p = const_prove_of(q);
    *out = p->needs;
    return p->count;
}

/* Whether a node of a proof has to be shown: not the empty element that some servers add, nor what its parent holds. */
static bool is_shown(const view_t *node, size_t i)
{
    return node->n > 1 && (i == 0 || node->n >= SHORT_NODE);
}

static rc_t copy_nodes(ex_nodes_t *out, arena_t *a, const ex_nodes_t *proof)
{
    view_t *nodes = arena_alloc(a, proof->count * sizeof *nodes);
    size_t n = 0;
    for (size_t i = 0; nodes && i < proof->count; i++) {
        if (!is_shown(&proof->nodes[i], i))
            continue;
        nodes[n] = arena_dup(a, proof->nodes[i]);
        if (!nodes[n++].p)
            return RC_NOMEM;
    }
    *out = (ex_nodes_t){ nodes, n };
    return nodes ? RC_OK : RC_NOMEM;
}

/* Keeps what was checked: count slots from `first` on. */
static rc_t keep(ex_prove_t *p, size_t first, size_t count, const mpt_account_t *account,
                 const ex_proof_answer_t *answer)
{
    rc_t rc = copy_nodes(&p->result.proof, &p->mem, &answer->account_proof);
    for (size_t i = 0; !rc && i < count; i++) {
        p->slots[first + i].value = p->values[i];
        if (answer->slot_count) /* of an absent account they may be left out */
            rc = copy_nodes(&p->slots[first + i].proof, &p->mem, &answer->slots[i].proof);
        p->slot_given[first + i] = !rc;
    }
    p->result.account = *account;
    return rc;
}

static bool all_given(const ex_prove_t *p, size_t i_need)
{
    const size_t first = i_need * p->most;
    for (size_t i = 0; i < p->needs[i_need].slot_count; i++)
        if (!p->slot_given[first + i])
            return false;
    return true;
}

static rc_t prove_give(query_t *q, err_t *e, size_t i, const answer_t *answer)
{
    ex_prove_t *p = prove_of(q);
    const need_t *need = i < p->count ? &p->needs[i] : NULL;
    mpt_account_t account;
    if (!need || need->kind != answer->kind)
        return err_say(e, RC_BUG, "an answer to something that was not asked for");
    const need_t piece = need_piece(need, answer);
    rc_t rc = ex_proof_verify(&account, p->values, e, &p->config.block->state_root, &piece.addr, piece.slots,
                              piece.slot_count, &answer->proof);
    if (rc)
        return rc;
    rc = keep(p, i * p->most + answer->slots_at, piece.slot_count, &account, &answer->proof);
    p->given[i] = !rc && all_given(p, i);
    if (rc)
        return err_say(e, rc, "out of memory");
    ex_proofs_keep(p->config.cache, &p->config.block->state_root, piece.slots, &answer->proof);
    return RC_OK;
}

/* Takes what was proven before. */
static void recall(ex_prove_t *p)
{
    arena_t scratch;
    arena_init(&scratch, MEMORY_MAX);
    for (size_t i = 0; i < p->count; i++) {
        answer_t a = { .kind = NEED_PROOF };
        const need_t *need = &p->needs[i];
        if (ex_proofs_recall(&a.proof, &scratch, p->config.cache, &p->config.block->state_root, &need->addr,
                             need->slots, need->slot_count))
            (void)prove_give(&p->query, NULL, i, &a); /* else it is asked for */
    }
    arena_free(&scratch);
}

static void prove_free(query_t *q)
{
    ex_prove_t *p = prove_of(q);
    arena_free(&p->mem);
    free(p);
}

static rc_t prove_init(ex_prove_t *p, const ex_prove_config_t *c)
{
    static const query_ops_t ops = { prove_step, prove_needs, prove_give, prove_free, NULL, NULL };
    const size_t asked = c->proof_slots_max, most = asked && asked < NEED_SLOTS_MAX ? asked : NEED_SLOTS_MAX;
    p->query.ops = &ops;
    p->config = *c;
    p->most = most;
    p->count = c->slot_count ? (c->slot_count + most - 1) / most : 1;
    arena_init(&p->mem, MEMORY_MAX);
    p->needs = arena_calloc(&p->mem, p->count, sizeof *p->needs);
    p->given = arena_calloc(&p->mem, p->count, sizeof *p->given);
    p->values = arena_calloc(&p->mem, c->slot_count, sizeof *p->values);
    p->slots = arena_calloc(&p->mem, c->slot_count, sizeof *p->slots);
    p->slot_given = arena_calloc(&p->mem, c->slot_count, sizeof *p->slot_given);
    if (!p->needs || !p->given || !p->slot_given || !p->values || !p->slots)
        return RC_NOMEM;
    p->result.slots = p->slots;
    for (size_t i = 0, at = 0; i < p->count; i++, at += most)
        p->needs[i] = (need_t){ .kind = NEED_PROOF,
                                .origin = NEED_MET,
                                .block = c->block,
                                .addr = c->addr,
                                .slots = c->slot_count ? c->slots + at : NULL,
                                .slot_count = c->slot_count - at < most ? c->slot_count - at : most };
    recall(p);
    return RC_OK;
}

rc_t ex_prove_new(query_t **out, err_t *e, const ex_prove_config_t *config)
{
    if (config->slot_count > EX_PROVE_SLOTS_MAX)
        return err_set(e, RC_LIMIT, "%zu slots are more than %u", config->slot_count, EX_PROVE_SLOTS_MAX);
    ex_prove_t *p = calloc(1, sizeof *p);
    rc_t rc = p ? prove_init(p, config) : RC_NOMEM;
    if (!rc)
        *out = &p->query;
    else if (p)
        prove_free(&p->query);
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

const ex_prove_result_t *ex_prove_result(const query_t *q)
{
    const ex_prove_t *p = const_prove_of(q);
    return p->done ? &p->result : NULL;
}
