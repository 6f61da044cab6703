#include "lightclient/evm/tx.h"

/* A whole transaction: what evm_call leaves out (validity, fees, the end of the state's changes). */

#define BLOB_HASH_VERSION 0x01

/* The price per gas that is paid; RC_REFUSED when the fee caps do not hold (EIP-1559). */
static rc_t effective_price(u256_t *out, const evm_block_t *block, const evm_tx_t *tx)
{
    u256_t price = tx->gas_price;
    unsigned char carry;
    if (tx->type >= 2) {
        if (u256_lt(&tx->max_fee, &tx->max_priority_fee))
            return RC_REFUSED;
        price = u256_add_carry(&block->base_fee, &tx->max_priority_fee, &carry);
        if (carry || u256_lt(&tx->max_fee, &price))
            price = tx->max_fee;
    }
    if (u256_lt(&price, &block->base_fee))
        return RC_REFUSED;
    *out = price;
    return RC_OK;
}

/* EIP-4844, EIP-7594: blobs and their fee cap. */
static rc_t check_blobs(const vm_t *vm)
{
    const evm_tx_t *tx = vm->tx;
    if (tx->type != 3)
        return tx->blob_count ? RC_REFUSED : RC_OK;
    if (tx->create || tx->blob_count == 0 || tx->blob_count > vm->params->tx_blob_max ||
        tx->blob_count > vm->rules->blob_max)
        return RC_REFUSED;
    for (size_t i = 0; i < tx->blob_count; i++)
        if (tx->blob_hashes[i].b[0] != BLOB_HASH_VERSION)
            return RC_REFUSED;
    return u256_lt(&tx->max_blob_fee, &vm->blob_base_fee) ? RC_REFUSED : RC_OK;
}

/* What holds or not whatever the state is. */
static rc_t check_form(vm_t *vm)
{
    const evm_tx_t *tx = vm->tx;
    if (tx->type > vm->params->tx_type_max || tx->gas > vm->params->tx_gas_max || tx->gas > vm->block->gas_limit)
        return RC_REFUSED;
    if (tx->access_count && tx->type == 0)
        return RC_REFUSED;
    if (tx->type == 4 ? tx->create || !tx->authorization_count : tx->authorization_count != 0)
        return RC_REFUSED;
    rc_t rc = effective_price(&vm->gas_price, vm->block, tx);
    return rc ? rc : check_blobs(vm);
}

/* sum += a * b; false when it passes 2^256. */
static bool add_product(u256_t *sum, const u256_t *a, uint64_t b)
{
    unsigned char carry;
    u256_t high, factor = u256_of(b), low = u256_mul_wide(&high, a, &factor);
    *sum = u256_add_carry(sum, &low, &carry);
    return !carry && u256_is_zero(&high);
}

/* Nonce, EIP-3607, funds; then takes the fees off the sender's balance. */
static rc_t charge_sender(vm_t *vm, st_account_t *sender)
{
    const evm_tx_t *tx = vm->tx;
    const evm_code_t *code;
    addr_t target;
    uint64_t blob_gas = GAS_PER_BLOB * tx->blob_count;
    rc_t rc = st_code(&vm->state, &code, sender);
    if (rc)
        return rc;
    bool delegates = vm->params->has_delegation && code_delegation(&target, view_of(code->bytes, code->len));
    if (sender->core.nonce != tx->nonce || tx->nonce == UINT64_MAX || (code->len && !delegates))
        return RC_REFUSED;
    u256_t most = tx->value, fee = u256_of(0);
    if (!add_product(&most, tx->type >= 2 ? &tx->max_fee : &tx->gas_price, tx->gas) ||
        !add_product(&most, &tx->max_blob_fee, blob_gas) || u256_lt(&sender->core.balance, &most))
        return RC_REFUSED;
    (void)add_product(&fee, &vm->gas_price, tx->gas); /* neither passes what was just covered */
    (void)add_product(&fee, &vm->blob_base_fee, blob_gas);
    rc = st_change(&vm->state, sender);
    if (!rc)
        sender->core.balance = u256_sub(&sender->core.balance, &fee);
    return rc;
}

/* Gives back what was not used, pays the tip. */
static rc_t settle(vm_t *vm, st_account_t *sender, uint64_t gas_used)
{
    u256_t back = u256_of(vm->tx->gas - gas_used), used = u256_of(gas_used);
    u256_t tip = u256_sub(&vm->gas_price, &vm->block->base_fee);
    st_account_t *coinbase = st_account(&vm->state, &vm->block->coinbase);
    if (!coinbase)
        return RC_NOMEM;
    rc_t rc = st_change(&vm->state, sender);
    if (rc)
        return rc;
    back = u256_mul(&back, &vm->gas_price);
    sender->core.balance = u256_add(&sender->core.balance, &back);
    rc = st_load(&vm->state, coinbase);
    if (!rc)
        rc = st_change(&vm->state, coinbase);
    if (rc)
        return rc;
    tip = u256_mul(&tip, &used);
    coinbase->core.balance = u256_add(&coinbase->core.balance, &tip);
    return RC_OK;
}

/* The account's slots that differ from the state before the transaction. */
static rc_t changed_slots(vm_t *vm, evm_change_t *c, const st_account_t *acc)
{
    size_t count = 0;
    for (const st_slot_t *s = acc->slots; s; s = s->next)
        count += !s->transient && !u256_eq(&s->original, &s->value);
    evm_slot_t *slots = arena_alloc(vm->arena, count * sizeof *slots);
    if (!slots)
        return RC_NOMEM;
    c->slots = slots;
    c->slot_count = count;
    for (const st_slot_t *s = acc->slots; s; s = s->next)
        if (!s->transient && !u256_eq(&s->original, &s->value)) {
            u256_to_be32(slots->key.b, &s->key);
            slots++->value = s->value;
        }
    return RC_OK;
}

static rc_t change_of(vm_t *vm, evm_change_t *c, st_account_t *acc)
{
    const st_core_t *core = &acc->core;
    *c = (evm_change_t){ .addr = acc->addr, .deleted = core->destroyed || st_is_empty(acc) };
    if (c->deleted)
        return RC_OK;
    c->account = (evm_account_t){ true, core->nonce, core->balance, core->code_hash };
    c->code_changed = core->code_changed;
    if (core->code_changed)
        c->code = view_of(core->code->bytes, core->code->len);
    c->storage_cleared = core->created;
    return changed_slots(vm, c, acc);
}

/* All accounts that were touched, with what became of them. */
static rc_t list_changes(vm_t *vm, evm_receipt_t *out)
{
    size_t count = 0;
    for (const st_account_t *acc = vm->state.first; acc; acc = acc->next)
        count += acc->core.touched;
    evm_change_t *changes = arena_alloc(vm->arena, count * sizeof *changes);
    if (!changes)
        return RC_NOMEM;
    out->changes = changes;
    out->change_count = count;
    for (st_account_t *acc = vm->state.first; acc; acc = acc->next) {
        if (!acc->core.touched)
            continue;
        rc_t rc = st_load(&vm->state, acc);
        if (!rc)
            rc = change_of(vm, changes++, acc);
        if (rc)
            return rc;
    }
    return RC_OK;
}

rc_t evm_transact(arena_t *a, evm_receipt_t *out, const evm_host_t *host, const evm_rules_t *rules,
                  const evm_block_t *block, const evm_tx_t *tx)
{
    tx_gas_t gas;
    evm_receipt_t receipt;
    rc_t rc = tx_gas(&gas, evm_params(rules->fork), tx);
    if (rc)
        return rc;
    vm_t *vm = arena_alloc(a, sizeof *vm);
    rc = vm ? vm_init(vm, a, host, rules, block, tx) : RC_NOMEM;
    if (!rc)
        rc = check_form(vm);
    if (rc)
        return rc;
    st_account_t *sender = st_account(&vm->state, &tx->from);
    rc = sender ? charge_sender(vm, sender) : RC_NOMEM;
    if (!rc)
        rc = tx_run(vm, sender, &gas);
    if (rc)
        return rc;
    tx_result(&receipt.result, vm, &gas);
    rc = settle(vm, sender, receipt.result.gas_used);
    if (!rc)
        rc = list_changes(vm, &receipt);
    if (!rc)
        *out = receipt;
    return rc;
}
