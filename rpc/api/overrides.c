#include "rpc/api/overrides.h"

#include <stdlib.h>
#include <strings.h>

#include "base/hex.h"
#include "lightclient/exec/message.h"
#include "rpc/api/callobject.h"
#include "rpc/api/plain.h"

/* A name that must be so many bytes of hex with 0x. */
static void read_name(uint8_t *out, size_t n, const jo_t *member)
{
    const size_t len = strlen(member->name);
    if (len < 2 || strncmp(member->name, "0x", 2) || hex_decode_exact(out, n, member->name + 2, len - 2))
        jo_fail(member, NULL, RC_MALFORMED, "the name must be %zu bytes of hex with 0x", n);
}

static void read_slots(ex_override_t *row, arena_t *a, const jo_t *slots)
{
    jo_t members = *slots, one;
    evm_slot_t *all = arena_calloc(a, jo_size(slots), sizeof *all);
    if (!all)
        jo_fail(slots, NULL, RC_NOMEM, "out of memory");
    while (all && jo_next(&members, &one)) {
        evm_slot_t *slot = &all[row->slot_count++];
        uint8_t value[32] = { 0 };
        read_name(slot->key.b, sizeof slot->key.b, &one);
        jo_hex(&one, value, sizeof value, NULL, HEX_0X);
        slot->value = u256_from_be32(value);
    }
    row->slots = all;
}

static void read_row(ex_override_t *row, arena_t *a, const jo_t *member)
{
    const jo_t o = jo_object(member, NULL);
    jo_t state, diff;
    char text[EX_ADDR_TEXT_MAX];
    read_name(row->addr.b, sizeof row->addr.b, member);
    row->has_nonce = jo_opt_quantity(&o, &row->nonce, "nonce");
    row->has_balance = jo_opt_quantity256(&o, &row->balance, "balance");
    row->has_code = jo_opt_bytes(&o, &row->code, a, "code", 0, API_CALL_MAX, HEX_0X);
    row->moves = jo_opt_hex(&o, row->move_to.b, sizeof row->move_to.b, "movePrecompileToAddress", HEX_0X);
    row->has_state = jo_opt_object(&o, &state, "state");
    const bool has_diff = jo_opt_object(&o, &diff, "stateDiff");
    if (row->has_state && has_diff)
        jo_fail(&o, NULL, RC_REFUSED, "account %s has both 'state' and 'stateDiff'", ex_addr_text(text, &row->addr));
    else if (row->has_state || has_diff)
        read_slots(row, a, row->has_state ? &state : &diff);
}

static int by_addr(const void *a, const void *b)
{
    const ex_override_t *x = a, *y = b;
    return memcmp(x->addr.b, y->addr.b, sizeof x->addr.b);
}

void api_read_overrides(ex_overrides_t *out, arena_t *a, const jo_t *o)
{
    *out = (ex_overrides_t){ .rows = NULL };
    if (!jo_has(o, NULL))
        return;
    jo_t members = jo_object(o, NULL), one;
    const size_t n = jo_size(&members);
    if (n > API_OVERRIDES_MAX)
        jo_fail(o, NULL, RC_LIMIT, "more than %u overridden accounts", API_OVERRIDES_MAX);
    ex_override_t *rows = jo_rc(o) ? NULL : arena_calloc(a, n, sizeof *rows);
    if (!jo_rc(o) && !rows)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    for (size_t i = 0; rows && jo_next(&members, &one); i++)
        read_row(&rows[i], a, &one);
    if (jo_rc(o) || !rows)
        return;
    qsort(rows, n, sizeof *rows, by_addr);
    for (size_t i = 1; i < n; i++)
        if (addr_eq(&rows[i - 1].addr, &rows[i].addr))
            jo_fail(o, NULL, RC_MALFORMED, "an account is overridden twice");
    *out = (ex_overrides_t){ rows, n };
}

/* ---- block overrides ---- */

enum {
    NUMBER,
    DIFFICULTY,
    TIME,
    GAS_LIMIT,
    FEE_RECIPIENT,
    PREV_RANDAO,
    BASE_FEE,
    BLOB_BASE_FEE,
    BEACON_ROOT,
    WITHDRAWALS
};

static const char *const member_names[] = { "number",     "difficulty",    "time",        "gasLimit",   "feeRecipient",
                                            "prevRandao", "baseFeePerGas", "blobBaseFee", "beaconRoot", "withdrawals" };

static int member_of(const char *name)
{
    for (int i = 0; i < (int)(sizeof member_names / sizeof member_names[0]); i++)
        if (!strcasecmp(member_names[i], name))
            return i;
    return -1;
}

static void read_member(evm_block_t *env, const jo_t *one)
{
    u256_t number;
    switch (member_of(one->name)) {
    case NUMBER:
        number = jo_quantity256(one, NULL);
        if (!u256_fits_u64(&number))
            jo_fail(one, NULL, RC_LIMIT, "must fit 64 bits");
        env->number = number.w[0];
        break;
    case DIFFICULTY: (void)jo_quantity256(one, NULL); break; /* since the merge there is none */
    case TIME: env->timestamp = jo_quantity(one, NULL); break;
    case GAS_LIMIT: env->gas_limit = jo_quantity(one, NULL); break;
    case FEE_RECIPIENT: jo_hex(one, env->coinbase.b, sizeof env->coinbase.b, NULL, HEX_0X); break;
    case PREV_RANDAO: jo_hex(one, env->prev_randao.b, sizeof env->prev_randao.b, NULL, HEX_0X); break;
    case BASE_FEE: env->base_fee = jo_quantity256(one, NULL); break;
    case BLOB_BASE_FEE:
        env->has_blob_base_fee = true;
        env->blob_base_fee = jo_quantity256(one, NULL);
        break;
    case BEACON_ROOT:
    case WITHDRAWALS:
        jo_fail(one, NULL, RC_REFUSED, "block override \"%s\" is not supported for this RPC method",
                member_of(one->name) == BEACON_ROOT ? "beaconRoot" : "withdrawals");
        break;
    default: break; /* as geth, which passes over what it does not know */
    }
}

bool api_read_block_overrides(evm_block_t *env, const jo_t *o)
{
    if (!jo_has(o, NULL))
        return false;
    jo_t members = jo_object(o, NULL), one;
    while (jo_next(&members, &one))
        if (jo_has(&one, NULL))
            read_member(env, &one);
    return true;
}

/* ---- of a signed call ---- */

view_t api_canonical_overrides(hash32_t *hash, arena_t *a, const jo_t *o)
{
    static const char *const parts[] = { "blockOverride", "stateOverride" };
    jo_t part;
    bool given = false;
    for (size_t i = 0; i < 2; i++)
        given |= jo_opt_object(o, &part, parts[i]);
    const view_t text = api_plain_members(hash, a, o, parts, 2);
    if (given)
        return text;
    memset(hash, 0, sizeof *hash);
    return view_of(NULL, 0);
}

/* geth takes these names in any case; what is signed has one spelling. */
static void check_names(const jo_t *block)
{
    jo_t list = *block, one;
    while (jo_next(&list, &one)) {
        const int member = member_of(one.name);
        if (member < 0 || strcmp(member_names[member], one.name) != 0)
            jo_fail(&one, NULL, RC_MALFORMED, "unknown key");
    }
}

rc_t api_bound_overrides(ex_overrides_t *state, evm_block_t *env, err_t *e, arena_t *a, view_t text)
{
    jo_doc_t doc;
    ex_overrides_t rows = { .rows = NULL };
    evm_block_t block = *env;
    jo_t accounts, members;
    const jo_t o = jo_open(&doc, e, text, API_CALL_MAX, JO_STRICT);
    if (jo_opt_object(&o, &members, "blockOverride")) {
        check_names(&members);
        api_read_block_overrides(&block, &members);
    }
    if (jo_opt_object(&o, &accounts, "stateOverride"))
        api_read_overrides(&rows, a, &accounts);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (rc)
        return rc;
    *state = rows;
    *env = block;
    return RC_OK;
}

/* ---- of eth_simulateV1 ---- */

#define WITHDRAWALS_MAX 1024u

static void read_withdrawals(ex_simulate_block_t *out, arena_t *a, const jo_t *o)
{
    jo_t list = jo_list(o, NULL, 0, WITHDRAWALS_MAX), one;
    ex_withdrawal_t *all = arena_calloc(a, jo_size(&list), sizeof *all);
    if (!all)
        jo_fail(o, NULL, RC_NOMEM, "out of memory");
    while (all && jo_next(&list, &one)) {
        ex_withdrawal_t *w = &all[out->withdrawal_count++];
        w->index = jo_quantity(&one, "index");
        w->validator = jo_quantity(&one, "validatorIndex");
        jo_hex(&one, w->addr.b, sizeof w->addr.b, "address", HEX_0X);
        w->amount = jo_quantity(&one, "amount");
    }
    out->withdrawals = all;
}

static unsigned given_by(int member)
{
    switch (member) {
    case NUMBER: return EX_SIMULATE_HAS_NUMBER;
    case TIME: return EX_SIMULATE_HAS_TIME;
    case GAS_LIMIT: return EX_SIMULATE_HAS_GAS_LIMIT;
    case FEE_RECIPIENT: return EX_SIMULATE_HAS_COINBASE;
    case BASE_FEE: return EX_SIMULATE_HAS_BASE_FEE;
    default: return 0;
    }
}

void api_read_simulated_block(ex_simulate_block_t *out, arena_t *a, const jo_t *o)
{
    if (!jo_has(o, NULL))
        return;
    jo_t members = jo_object(o, NULL), one;
    while (jo_next(&members, &one)) {
        const int member = member_of(one.name);
        if (!jo_has(&one, NULL))
            continue;
        out->given |= given_by(member);
        if (member == BEACON_ROOT)
            jo_hex(&one, out->beacon_root.b, sizeof out->beacon_root.b, NULL, HEX_0X);
        else if (member == WITHDRAWALS)
            read_withdrawals(out, a, &one);
        else
            read_member(&out->env, &one);
    }
}
