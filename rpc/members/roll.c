#include "rpc/members/roll.h"

#include <inttypes.h>

#include "lightclient/exec/message.h"
#include "rpc/members/list.h"
#include "rpc/members/writes.h"

#define ROW_WORDS 8u
#define FIELD "membership.contract"

enum { MEMBERS, KEY, NEXT_KEY, TIMEOUT, GETTERS };
static const uint32_t selectors[GETTERS] = { 0x9eab5253, 0xd380663b, 0xc1169e34, 0x7bca38be };

/* ---- the query ---- */

static rc_t get(members_roll_call_t *c, err_t *e, const ex_run_t *on, unsigned getter)
{
    evm_result_t r;
    const view_t data = members_getter(on->arena, selectors[getter]);
    const ex_request_t request = { .has_to = true, .to = c->contract, .data = data };
    if (!data.p)
        return err_say(e, RC_NOMEM, "out of memory");
    const rc_t rc =
        ex_message_run(&r, e, on->arena, on->host, on->guessed,
                       &(ex_message_t){ .rules = on->rules, .env = on->env, .request = &request, .gas = EX_GAS_CAP });
    if (rc)
        return rc;
    c->is_contract = c->is_contract && r.status == EVM_SUCCESS && r.output.n >= MEMBERS_WORD;
    c->outputs[getter] = r.output;
    return RC_OK;
}

static rc_t run(ex_program_t *p, err_t *e, const ex_run_t *on)
{
    members_roll_call_t *c = (members_roll_call_t *)(void *)p;
    c->is_contract = true;
    for (unsigned i = 0; i < GETTERS; i++) {
        const rc_t rc = get(c, e, on, i);
        if (rc)
            return rc;
    }
    return *on->guessed ? RC_NEED_DATA : RC_OK;
}

rc_t members_roll_query(query_t **out, err_t *e, members_roll_call_t *storage, const ex_call_config_t *on,
                        const addr_t *contract)
{
    static const uint8_t get_members[4] = { 0x9e, 0xab, 0x52, 0x53 }; /* of which a hint is asked for */
    *storage = (members_roll_call_t){ .program = { .run = run }, .contract = *contract, .call = *on };
    storage->request =
        (ex_request_t){ .has_to = true, .to = *contract, .data = view_of(get_members, sizeof get_members) };
    storage->call.request = &storage->request;
    storage->call.program = &storage->program;
    return ex_call_new(out, e, &storage->call);
}

rc_t members_roll_read(members_roll_t *out, err_t *e, arena_t *a, const members_roll_call_t *done)
{
    members_roll_t got = { .count = 0 };
    uint8_t next[MEMBERS_KEY_LEN];
    if (!done->is_contract)
        return err_in(e, RC_REFUSED, FIELD, "there is no contract with getMembers() and clusterKey()");
    if (done->outputs[MEMBERS].n > MEMBERS_LEN_MAX)
        return err_in(e, RC_LIMIT, FIELD, "the list has more than %u bytes", MEMBERS_LEN_MAX);
    const view_t copy = arena_dup(a, done->outputs[MEMBERS]), timeout = done->outputs[TIMEOUT];
    if (!copy.p)
        return err_say(e, RC_NOMEM, "out of memory");
    rc_t rc = members_roll_decode(&got, e, a, copy);
    if (!rc)
        rc = members_roll_decode_key(&got.has_key, got.key, e, done->outputs[KEY]);
    if (!rc)
        rc = members_roll_decode_key(&got.is_announced, next, e, done->outputs[NEXT_KEY]);
    const u256_t seconds = timeout.n == MEMBERS_WORD ? u256_from_be(timeout) : u256_of(0);
    if (!rc && (timeout.n != MEMBERS_WORD || !u256_fits_u64(&seconds)))
        rc = err_say(e, RC_MALFORMED, "heartbeatTimeout() gives no number of seconds");
    if (rc)
        return err_under(e, rc, FIELD);
    got.timeout_s = seconds.w[0];
    *out = got;
    return RC_OK;
}

/* ---- the form ---- */

static uint64_t rd_below(rd_t *r, uint64_t bound)
{
    const uint64_t x = members_number(r, 1);
    r->bad = r->bad || x >= bound;
    return x;
}

static void rd_addr(rd_t *r, addr_t *out)
{
    const view_t high = rd_take(r, MEMBERS_WORD - sizeof out->b);
    for (size_t i = 0; i < high.n; i++)
        r->bad = r->bad || high.p[i] != 0;
    rd_copy(r, out->b, sizeof out->b);
}

/* One member, where its two texts stand behind its words and each other. */
static void rd_row(rd_t *r, members_row_t *out)
{
    const size_t from = r->n;
    out->token = members_number(r, 8);
    rd_addr(r, &out->wallet);
    out->is_bound = rd_below(r, 2);
    out->network = (unsigned)rd_below(r, 2);
    out->ip_index = (uint8_t)members_number(r, 1);
    out->heartbeat_s = members_number(r, 8);
    const uint64_t id_at = members_number(r, 4), endpoint_at = members_number(r, 4);
    r->bad = r->bad || id_at != (uint64_t)ROW_WORDS * MEMBERS_WORD;
    out->instance_id = members_bytes(r);
    r->bad = r->bad || endpoint_at != from - r->n;
    out->endpoint = members_bytes(r);
}

rc_t members_roll_decode(members_roll_t *out, err_t *e, arena_t *a, view_t returned)
{
    members_list_t l;
    rc_t rc = members_list(&l, e, returned, "what getMembers() returned is no list of members");
    if (rc)
        return rc;
    members_row_t *rows = arena_calloc(a, l.count ? l.count : 1, sizeof *rows);
    if (!rows)
        return err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = 0; i < l.count; i++) {
        const bool here = members_list_is_here(&l);
        rd_row(&l.r, &rows[i]);
        if (!here || l.r.bad)
            return err_set(e, RC_MALFORMED, "entry %zu of the list is no member where it should be", i);
        if (rows[i].token <= (i ? rows[i - 1].token : 0))
            return err_set(e, RC_MALFORMED, "entry %zu of the list: the tokens do not ascend", i);
    }
    rc = members_list_end(&l, e);
    if (rc)
        return rc;
    out->rows = rows;
    out->count = l.count;
    return RC_OK;
}

rc_t members_roll_decode_key(bool *has, uint8_t key[MEMBERS_KEY_LEN], err_t *e, view_t returned)
{
    rd_t r = rd_of(returned);
    const uint64_t offset = members_number(&r, 4);
    const view_t bytes = members_bytes(&r);
    if (offset != MEMBERS_WORD || !rd_done(&r))
        return err_say(e, RC_MALFORMED, "the cluster's key is no bytes");
    if (bytes.n && (bytes.n != MEMBERS_KEY_LEN || (bytes.p[0] != 2 && bytes.p[0] != 3)))
        return err_say(e, RC_MALFORMED, "the cluster's key is no compressed public key");
    *has = bytes.n != 0;
    if (bytes.n)
        memcpy(key, bytes.p, MEMBERS_KEY_LEN);
    return RC_OK;
}

bool members_is_heard(const members_roll_t *roll, const members_row_t *row, uint64_t block_time_s)
{
    const uint64_t silent_s = block_time_s > row->heartbeat_s ? block_time_s - row->heartbeat_s : 0;
    return row->is_bound && row->heartbeat_s && (!roll->timeout_s || silent_s <= roll->timeout_s);
}
