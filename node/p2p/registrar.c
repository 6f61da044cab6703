#include "node/p2p/registrar.h"

#include <inttypes.h>

/* Whether a heartbeat is to be sent. */
static bool is_due(const members_stand_t *s, uint64_t now_s)
{
    return s->timeout_s && now_s >= s->heartbeat_s && now_s - s->heartbeat_s >= s->timeout_s / 3;
}

static bool is_heard(const members_stand_t *s, uint64_t now_s)
{
    return s->heartbeat_s && (!s->timeout_s || now_s <= s->heartbeat_s || now_s - s->heartbeat_s <= s->timeout_s);
}

/* What somebody has to do before anything can be sent. RC_OK: nothing. */
static rc_t look_for_trouble(err_t *e, const members_stand_t *s)
{
    char why[96];
    if (!s->token)
        return err_say(e, RC_REFUSED, "this node's address has no token: the contract's owner has to mint one");
    if (s->is_taken)
        return err_say(e, RC_REFUSED, "the contract lists this instance under another token");
    if (s->is_refused)
        return err_set(e, RC_REFUSED, "the contract would refuse %s: %s", members_step_name(s->step),
                       members_revert(why, sizeof why, s->output));
    return RC_OK;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* A tenth more, and what is left of a division. */
static uint64_t tenth_more(uint64_t x)
{
    return add(x, x / 10 + 1);
}

static uint64_t at_most(uint64_t x, uint64_t cap)
{
    return x < cap ? x : cap;
}

/* Fees that hold while the base fee doubles. RC_REFUSED: not even the next block's is below the cap. */
static rc_t set_fees(registrar_send_t *s, err_t *e, const registrar_t *r, const registrar_view_t *v)
{
    const uint64_t base = v->base_fee.w[0];
    if (!u256_fits_u64(&v->base_fee) || base >= r->fee_cap)
        return err_set(e, RC_REFUSED, "the block's base fee is above fee_cap, %" PRIu64 " wei", r->fee_cap);
    s->tip = at_most(REGISTRAR_TIP, r->fee_cap);
    s->max_fee = at_most(add(add(base, base), s->tip), r->fee_cap);
    s->tip = at_most(s->tip, s->max_fee);
    return RC_OK;
}

/* Fees that replace those of the one on its way. Where the cap forbids that, it is sent once more as it is. */
static void raise_fees(registrar_send_t *s, const registrar_t *r)
{
    const uint64_t fee = tenth_more(r->sent.max_fee), tip = tenth_more(r->sent.tip);
    if (fee > r->fee_cap || tip > r->fee_cap) {
        s->max_fee = r->sent.max_fee;
        s->tip = r->sent.tip;
        return;
    }
    s->max_fee = s->max_fee > fee ? s->max_fee : fee;
    s->tip = at_most(s->tip > tip ? s->tip : tip, s->max_fee);
}

static rc_t check_funds(err_t *e, const members_stand_t *s, const registrar_send_t *x)
{
    const u256_t fee = u256_of(x->max_fee), price = u256_mul_small(&fee, members_step_gas(x->step));
    if (!u256_lt(&s->balance, &price))
        return RC_OK;
    return err_set(e, RC_REFUSED, "this node's address has too little for the gas of %s: fund it",
                   members_step_name(x->step));
}

registrar_do_t registrar_turn(registrar_t *r, registrar_send_t *out, err_t *e, const registrar_view_t *v)
{
    const members_stand_t *s = v->stand;
    r->is_registered = s->token && !s->is_taken && is_heard(s, v->block_time_s);
    if (r->is_sent && s->nonce != r->sent.nonce)
        r->is_sent = false; /* it is in a block; or a chain that was undone forgot it */
    const bool is_stuck = r->is_sent && v->block_number >= add(r->sent_block, REGISTRAR_PATIENCE);
    if (r->is_sent && !is_stuck)
        return REGISTRAR_WAIT;
    if (look_for_trouble(e, s))
        return REGISTRAR_STUCK;
    if (s->step == MEMBERS_HEARTBEAT && !r->is_sent && !is_due(s, v->block_time_s) && r->is_registered)
        return REGISTRAR_WAIT;
    registrar_send_t x = { .step = s->step, .nonce = s->nonce };
    if (set_fees(&x, e, r, v))
        return REGISTRAR_STUCK;
    if (is_stuck)
        raise_fees(&x, r);
    if (check_funds(e, s, &x))
        return REGISTRAR_STUCK;
    *out = x;
    return REGISTRAR_SEND;
}

void registrar_sent(registrar_t *r, const registrar_send_t *s, uint64_t block_number)
{
    r->is_sent = true;
    r->sent = *s;
    r->sent_block = block_number;
    r->sends++;
}
