#include "rpc/members/stand.h"

#include "lightclient/exec/message.h"

#define WORD 32u
#define CALL_GAS 1000000u
#define WALLET_TO_TOKEN 0x9c2806c7u
#define INSTANCE_TO_TOKEN 0x64f7ef3cu
#define LAST_HEARTBEAT 0x31a9709du
#define HEARTBEAT_TIMEOUT 0x7bca38beu

/* One call from the sender. */
static rc_t call(evm_result_t *out, err_t *e, const ex_run_t *on, const members_self_t *self, view_t data)
{
    const ex_request_t request = { .has_to = true, .from = self->sender, .to = self->contract, .data = data };
    return ex_message_run(out, e, on->arena, on->host, on->guessed,
                          &(ex_message_t){ .rules = on->rules, .env = on->env, .request = &request, .gas = CALL_GAS });
}

/* A getter's number; *is_one becomes false when it gives none. */
static rc_t get(uint64_t *out, bool *is_one, err_t *e, const ex_run_t *on, const members_self_t *self, view_t data)
{
    evm_result_t r;
    *out = 0;
    if (!data.p)
        return err_say(e, RC_NOMEM, "out of memory");
    const rc_t rc = call(&r, e, on, self, data);
    if (rc)
        return rc;
    const bool fits = r.status == EVM_SUCCESS && r.output.n == WORD;
    const u256_t x = fits ? u256_from_be(r.output) : u256_of(0);
    *is_one = *is_one && fits && u256_fits_u64(&x);
    *out = x.w[0];
    return RC_OK;
}

/* Tries a step. */
static rc_t attempt(members_stand_t *s, err_t *e, const ex_run_t *on, const members_self_t *self, members_step_t step)
{
    evm_result_t r;
    const rc_t rc = call(&r, e, on, self, self->data[step]);
    if (rc)
        return rc;
    s->step = step;
    s->is_refused = r.status != EVM_SUCCESS;
    s->output = r.output;
    return RC_OK;
}

/* What comes next of a token. */
static rc_t find_step(members_stand_t *s, err_t *e, const ex_run_t *on, const members_self_t *self, uint64_t owner)
{
    s->is_taken = owner && owner != s->token;
    if (s->is_taken)
        return RC_OK;
    if (!owner)
        return attempt(s, e, on, self, MEMBERS_REGISTER_INSTANCE);
    if (s->heartbeat_s)
        return attempt(s, e, on, self, MEMBERS_HEARTBEAT);
    const rc_t rc = attempt(s, e, on, self, MEMBERS_REGISTER_PEER);
    return rc || !s->is_refused ? rc : attempt(s, e, on, self, MEMBERS_BIND);
}

static rc_t run(ex_program_t *p, err_t *e, const ex_run_t *on)
{
    members_stand_call_t *c = (members_stand_call_t *)(void *)p;
    const members_self_t *self = c->self;
    members_stand_t s = { .nonce = 0 };
    evm_account_t sender;
    uint64_t owner;
    bool is_contract = true;
    rc_t rc = on->host->account(on->host->ctx, &sender, &self->sender);
    if (!rc)
        rc = get(&s.token, &is_contract, e, on, self, members_getter_of(on->arena, WALLET_TO_TOKEN, &self->sender));
    if (!rc)
        rc = get(&owner, &is_contract, e, on, self,
                 members_getter_named(on->arena, INSTANCE_TO_TOKEN, self->instance_id));
    if (!rc)
        rc = get(&s.heartbeat_s, &is_contract, e, on, self,
                 members_getter_named(on->arena, LAST_HEARTBEAT, self->instance_id));
    if (!rc)
        rc = get(&s.timeout_s, &is_contract, e, on, self, members_getter(on->arena, HEARTBEAT_TIMEOUT));
    if (!rc && s.token)
        rc = find_step(&s, e, on, self, owner);
    if (rc)
        return rc;
    s.nonce = sender.nonce;
    s.balance = sender.balance;
    c->stand = s;
    c->is_contract = is_contract;
    return *on->guessed ? RC_NEED_DATA : RC_OK;
}

rc_t members_stand_query(query_t **out, err_t *e, members_stand_call_t *storage, const ex_call_config_t *on,
                         const members_self_t *self)
{
    *storage = (members_stand_call_t){ .program = { .run = run }, .self = self, .call = *on };
    storage->request = (ex_request_t){
        .has_to = true, .from = self->sender, .to = self->contract, .data = self->data[MEMBERS_HEARTBEAT]
    };
    storage->call.request = &storage->request;
    storage->call.program = &storage->program;
    return ex_call_new(out, e, &storage->call);
}

rc_t members_stand_read(members_stand_t *out, err_t *e, const members_stand_call_t *done)
{
    if (!done->is_contract)
        return err_in(e, RC_REFUSED, "membership.contract", "there is no contract that takes registrations");
    *out = done->stand;
    return RC_OK;
}
