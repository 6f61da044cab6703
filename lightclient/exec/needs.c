#include "lightclient/exec/needs.h"

#include "base/crypto/hash.h"

void ex_needs_clear(ex_needs_t *n)
{
    n->at = NULL;
    n->count = n->cap = 0;
    n->no_memory = false;
}

void ex_needs_add(ex_needs_t *n, need_t need)
{
    if (n->count == n->cap) {
        size_t cap = n->cap ? 2 * n->cap : 64;
        need_t *more = arena_alloc(n->arena, cap * sizeof *more);
        n->no_memory |= !more;
        if (!more)
            return;
        if (n->count)
            memcpy(more, n->at, n->count * sizeof *more);
        n->at = more;
        n->cap = cap;
    }
    need.block = n->block;
    n->at[n->count++] = need;
}

/* Whether a key that was wanted in run `wanted` still is. */
static bool is_wanted(const ex_needs_t *n, unsigned wanted)
{
    return wanted == EX_HINTED || wanted == EX_REQUIRED || wanted == n->run;
}

/* Why a key is asked for, if it is asked for with nothing else. */
static need_origin_t lone_origin(const ex_needs_t *n, const unsigned *wanted)
{
    if (wanted == n->met || *wanted == EX_REQUIRED)
        return NEED_MET;
    return *wanted == EX_HINTED ? NEED_NAMED : NEED_GUESSED;
}

/* Why a key is asked for among others: what was named and is met too stays with the others that were named. */
static need_origin_t origin_of(const ex_needs_t *n, const unsigned *wanted)
{
    return *wanted == EX_HINTED || *wanted == EX_REQUIRED ? NEED_NAMED : lone_origin(n, wanted);
}

/* Whether a slot was asked for before: something in the need that it was part of had no answer. */
static bool asked_before(const ex_needs_t *n, const ex_slot_t *t)
{
    return t->asked && t->asked != n->run;
}

static bool slot_missing(const ex_needs_t *n, ex_slot_t *t)
{
    return is_wanted(n, t->wanted) && !ex_slot_known(n->state, t);
}

/* The missing slots of an account that go into common needs of one origin; their keys to out unless it is NULL. */
static size_t missing_slots(const ex_needs_t *n, const ex_acct_t *a, need_origin_t origin, hash32_t *out)
{
    size_t count = 0;
    for (ex_slot_t *t = a->slots; t; t = t->next)
        if (slot_missing(n, t) && !asked_before(n, t) && origin_of(n, &t->wanted) == origin) {
            if (out) {
                out[count] = t->key;
                t->asked = n->run;
            }
            count++;
        }
    return count;
}

/* Slots that were asked for in vain stand alone now. */
static void lone_slots(ex_needs_t *n, const ex_acct_t *a)
{
    for (ex_slot_t *t = a->slots; t; t = t->next)
        if (slot_missing(n, t) && asked_before(n, t))
            ex_needs_add(n, (need_t){ .kind = NEED_PROOF,
                                      .origin = lone_origin(n, &t->wanted),
                                      .addr = a->addr,
                                      .slots = &t->key,
                                      .slot_count = 1 });
}

/* Proofs of an account's slots of one origin, in pieces when they are many; the first one serves the account too,
 * if *proof says that it has to be proven. */
static void slot_needs(ex_needs_t *n, bool *proof, const ex_acct_t *a, need_origin_t origin)
{
    const size_t asked = n->proof_slots_max;
    const size_t most = asked && asked < NEED_SLOTS_MAX ? asked : NEED_SLOTS_MAX;
    size_t count = missing_slots(n, a, origin, NULL);
    hash32_t *keys = arena_alloc(n->arena, count * sizeof *keys);
    n->no_memory |= !keys;
    if (keys)
        count = missing_slots(n, a, origin, keys); /* fewer when another thread has meanwhile put some into the cache */
    for (size_t at = 0, len; keys && at < count; at += len, *proof = false) {
        bool more = *proof && origin_of(n, &a->wanted) < origin; /* the account is wanted for a better reason */
        len = count - at < most ? count - at : most;
        ex_needs_add(n, (need_t){ .kind = NEED_PROOF,
                                  .origin = more ? NEED_NAMED : origin,
                                  .addr = a->addr,
                                  .slots = keys + at,
                                  .slot_count = len });
    }
}

static bool code_missing(const ex_needs_t *n, ex_acct_t *a)
{
    if (!is_wanted(n, a->code_wanted))
        return false;
    bool known = ex_acct_known(n->state, a);
    if (!known && !a->has_guess)
        return true;
    const mpt_account_t *as = known ? &a->value : &a->guess;
    return as->exists && !hash32_eq(&as->code_hash, &KECCAK_EMPTY) && !ex_code_known(n->state, a, &as->code_hash);
}

/* Needs of one account: its proofs and its code. */
static void account_needs(ex_needs_t *n, ex_acct_t *a)
{
    bool proof = is_wanted(n, a->wanted) && !ex_acct_known(n->state, a);
    lone_slots(n, a);
    for (need_origin_t origin = NEED_MET; origin <= NEED_GUESSED; origin++)
        slot_needs(n, &proof, a, origin);
    if (proof)
        ex_needs_add(n, (need_t){ .kind = NEED_PROOF, .origin = lone_origin(n, &a->wanted), .addr = a->addr });
    if (code_missing(n, a))
        ex_needs_add(n, (need_t){ .kind = NEED_CODE, .origin = lone_origin(n, &a->code_wanted), .addr = a->addr });
}

rc_t ex_needs_list(ex_needs_t *n)
{
    for (ex_acct_t *a = map_first(&n->state->accts); a && !n->no_memory; a = map_next(a))
        account_needs(n, a);
    return n->no_memory ? RC_NOMEM : RC_OK;
}

rc_t ex_needs_give_proof(ex_needs_t *n, err_t *e, const need_t *need, const ex_proof_answer_t *answer)
{
    ex_state_t *s = n->state;
    mpt_account_t proven;
    ex_acct_t *a;
    ex_slot_t *slot;
    arena_mark_t mark = arena_mark(n->arena);
    u256_t *values = arena_alloc(n->arena, need->slot_count * sizeof *values);
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
    arena_rollback(n->arena, mark);
    return rc;
}

static const hash32_t *code_hash(const ex_acct_t *known)
{
    return known->value.exists ? &known->value.code_hash : &KECCAK_EMPTY;
}

rc_t ex_needs_give_code(ex_needs_t *n, err_t *e, const need_t *need, view_t code)
{
    ex_state_t *s = n->state;
    ex_acct_t *a;
    hash32_t hash;
    if (code.n > EX_CODE_MAX)
        return err_say(e, RC_LIMIT, "code is longer than any contract's");
    rc_t rc = ex_state_acct(&a, s, &need->addr); /* is there: the need was made from it */
    if (rc)
        return err_say(e, rc, "the account is not in the state");
    keccak256(&hash, code);
    if (ex_acct_known(s, a) && !hash32_eq(&hash, code_hash(a)))
        return err_say(e, RC_REFUSED, "code does not have the proven code hash");
    rc = code.n ? ex_state_add_code(s, &hash, code) : RC_OK;
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}

bool ex_needs_expects(ex_needs_t *n, expected_t *out, const need_t *need)
{
    ex_acct_t *a;
    if (need->kind != NEED_CODE || ex_state_acct(&a, n->state, &need->addr) || !ex_acct_known(n->state, a))
        return false;
    *out = (expected_t){ .hash = *code_hash(a) };
    return true;
}
