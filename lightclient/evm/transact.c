#include "base/crypto/hash.h"
#include "lightclient/evm/tx.h"

/* A whole transaction: what evm_call leaves out (validity, fees, the end of the state's changes). */

#define BLOB_HASH_VERSION 0x01

/* sum += a * b; false when it passes 2^256. */
static bool add_product(u256_t *sum, const u256_t *a, uint64_t b)
{
    unsigned char carry;
    u256_t high, factor = u256_of(b), low = u256_mul_wide(&high, a, &factor);
    *sum = u256_add_carry(sum, &low, &carry);
    return !carry && u256_is_zero(&high);
}

/* EIP-4844, EIP-7594. */
static rc_t check_blobs(err_t *e, const evm_params_t *params, const evm_rules_t *rules, const evm_tx_t *tx)
{
    if (tx->type != 3)
        return tx->blob_count ? err_say(e, RC_REFUSED, "blobs in a transaction of another type") : RC_OK;
    if (tx->create)
        return err_say(e, RC_REFUSED, "a blob transaction without receiver");
    if (tx->blob_count == 0)
        return err_say(e, RC_REFUSED, "a blob transaction without blobs");
    if (tx->blob_count > params->tx_blob_max || tx->blob_count > rules->blob_max)
        return err_say(e, RC_REFUSED, "too many blobs");
    for (size_t i = 0; i < tx->blob_count; i++)
        if (tx->blob_hashes[i].b[0] != BLOB_HASH_VERSION)
            return err_say(e, RC_REFUSED, "a blob hash of an unknown version");
    return RC_OK;
}

static rc_t check_gas(evm_tx_gas_t *out, err_t *e, const evm_rules_t *rules, const evm_tx_t *tx)
{
    const evm_params_t *params = evm_params(rules->fork);
    u256_t most = u256_of(0);
    if (tx->gas > params->tx_gas_max || tx->gas > evm_state_gas(rules)->tx_gas_max)
        return err_say(e, RC_REFUSED, "gas limit above the maximum of a transaction");
    if (tx->create && tx->data.n > params->initcode_max)
        return err_say(e, RC_REFUSED, "init code too long");
    tx_gas_t gas = tx_price(rules, tx);
    *out = (evm_tx_gas_t){ (uint64_t)gas.intrinsic, (uint64_t)gas.floor };
    if (out->intrinsic > tx->gas || out->floor > tx->gas)
        return err_say(e, RC_REFUSED, "intrinsic gas above the gas limit");
    if (gas.intrinsic > gas.execution || gas.floor > gas.execution)
        return err_say(e, RC_REFUSED, "intrinsic gas above the maximum of a transaction");
    if (!add_product(&most, tx->type >= 2 ? &tx->max_fee : &tx->gas_price, tx->gas))
        return err_say(e, RC_REFUSED, "gas times price overflows");
    return RC_OK;
}

void evm_tx_price(evm_tx_gas_t *gas, const evm_rules_t *rules, const evm_tx_t *tx)
{
    const tx_gas_t price = tx_price(rules, tx);
    *gas = (evm_tx_gas_t){ (uint64_t)price.intrinsic, (uint64_t)price.floor };
}

rc_t evm_tx_check(evm_tx_gas_t *gas, err_t *e, const evm_rules_t *rules, const evm_tx_t *tx)
{
    const evm_params_t *params = evm_params(rules->fork);
    evm_tx_gas_t price;
    if (!params)
        return err_say(e, RC_UNSUPPORTED, "the block's fork is newer than this build");
    if (tx->type > params->tx_type_max)
        return err_say(e, RC_REFUSED, "a transaction type that the fork does not have");
    if (tx->access_count && tx->type == 0)
        return err_say(e, RC_REFUSED, "an access list in a transaction of another type");
    if (tx->type != 4 && tx->authorization_count)
        return err_say(e, RC_REFUSED, "authorizations in a transaction of another type");
    if (tx->type == 4 && tx->create)
        return err_say(e, RC_REFUSED, "a set-code transaction without receiver");
    if (tx->type == 4 && !tx->authorization_count)
        return err_say(e, RC_REFUSED, "a set-code transaction without authorizations");
    if (tx->nonce == UINT64_MAX)
        return err_say(e, RC_REFUSED, "nonce at its maximum");
    if (tx->type >= 2 && u256_lt(&tx->max_fee, &tx->max_priority_fee))
        return err_say(e, RC_REFUSED, "priority fee above the fee cap");
    rc_t rc = check_blobs(e, params, rules, tx);
    if (!rc)
        rc = check_gas(&price, e, rules, tx);
    if (!rc)
        *gas = price;
    return rc;
}

/* What the block asks for; sets the price per gas that is paid (EIP-1559). */
static rc_t check_block(vm_t *vm, err_t *e)
{
    const evm_tx_t *tx = vm->tx;
    const u256_t *base_fee = &vm->block->base_fee;
    u256_t price = tx->gas_price;
    unsigned char carry;
    if (tx->gas > vm->block->gas_limit || tx->gas > INT64_MAX)
        return err_say(e, RC_REFUSED, "gas limit above the block's");
    if (tx->type >= 2) {
        price = u256_add_carry(base_fee, &tx->max_priority_fee, &carry);
        if (carry || u256_lt(&tx->max_fee, &price))
            price = tx->max_fee;
    }
    if (u256_lt(&price, base_fee))
        return err_say(e, RC_REFUSED, "fee cap below the base fee");
    if (tx->type == 3 && u256_lt(&tx->max_blob_fee, &vm->blob_base_fee))
        return err_say(e, RC_REFUSED, "blob fee cap below the blob base fee");
    vm->gas_price = price;
    return RC_OK;
}

/* Nonce, EIP-3607, funds; then takes the fees off the sender's balance. */
static rc_t charge_sender(vm_t *vm, err_t *e, st_account_t *sender)
{
    const evm_tx_t *tx = vm->tx;
    const evm_code_t *code;
    addr_t target;
    uint64_t blob_gas = GAS_PER_BLOB * tx->blob_count;
    rc_t rc = st_code(&vm->state, &code, sender);
    if (rc)
        return rc;
    bool delegates = vm->params->has_delegation && code_delegation(&target, view_of(code->bytes, code->len));
    if (sender->core.nonce != tx->nonce)
        return err_say(e, RC_REFUSED, "nonce is not the sender's");
    if (code->len && !delegates)
        return err_say(e, RC_REFUSED, "sender has code");
    u256_t most = tx->value, fee = u256_of(0);
    if (!add_product(&most, tx->type >= 2 ? &tx->max_fee : &tx->gas_price, tx->gas) ||
        !add_product(&most, &tx->max_blob_fee, blob_gas) || u256_lt(&sender->core.balance, &most))
        return err_say(e, RC_REFUSED, "balance does not cover the costs");
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
    bool keeps = core->destroyed && vm->params->destroy_keeps_balance && !u256_is_zero(&core->balance);
    *c = (evm_change_t){ .addr = acc->addr, .deleted = core->destroyed ? !keeps : st_is_empty(acc) };
    if (c->deleted)
        return RC_OK;
    if (keeps) { /* EIP-8246: nothing but the balance */
        c->account = (evm_account_t){ true, 0, core->balance, KECCAK_EMPTY };
        c->code_changed = c->storage_cleared = true;
        return RC_OK;
    }
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
    for (const st_account_t *acc = map_first(&vm->state.accounts); acc; acc = map_next(acc))
        count += acc->core.touched;
    evm_change_t *changes = arena_alloc(vm->arena, count * sizeof *changes);
    if (!changes)
        return RC_NOMEM;
    out->changes = changes;
    out->change_count = count;
    for (st_account_t *acc = map_first(&vm->state.accounts); acc; acc = map_next(acc)) {
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

rc_t evm_transact(evm_receipt_t *out, err_t *e, arena_t *a, const evm_host_t *host, const evm_rules_t *rules,
                  const evm_block_t *block, const evm_tx_t *tx)
{
    evm_tx_gas_t due;
    evm_receipt_t receipt;
    rc_t rc = evm_tx_check(&due, e, rules, tx);
    if (rc)
        return rc;
    const tx_gas_t gas = tx_price(rules, tx);
    vm_t *vm = arena_alloc(a, sizeof *vm);
    rc = vm ? vm_init(vm, a, host, rules, block, tx) : RC_NOMEM;
    if (!rc)
        rc = check_block(vm, e);
    if (rc)
        return rc;
    st_account_t *sender = st_account(&vm->state, &tx->from);
    rc = sender ? charge_sender(vm, e, sender) : RC_NOMEM;
    if (!rc)
        rc = tx_count_nonce(vm, sender);
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

/* Takes the price of all gas and blobs off the balance, when it covers that and the value. */
static rc_t take_fees(vm_t *vm, st_account_t *sender)
{
    const evm_tx_t *tx = vm->tx;
    u256_t fee = u256_of(0);
    rc_t rc = st_load(&vm->state, sender);
    if (!rc &&
        (!add_product(&fee, &vm->gas_price, tx->gas) ||
         !add_product(&fee, &vm->blob_base_fee, GAS_PER_BLOB * tx->blob_count) || u256_lt(&sender->core.balance, &fee)))
        rc = RC_REFUSED;
    if (!rc)
        rc = st_change(&vm->state, sender);
    if (!rc)
        sender->core.balance = u256_sub(&sender->core.balance, &fee);
    return rc;
}

/* Gives back what was not used to the sender alone. */
static rc_t give_back(vm_t *vm, st_account_t *sender, uint64_t gas_used)
{
    u256_t back = u256_of(vm->tx->gas - gas_used);
    const rc_t rc = st_change(&vm->state, sender);
    back = u256_mul(&back, &vm->gas_price);
    if (!rc)
        sender->core.balance = u256_add(&sender->core.balance, &back);
    return rc;
}

rc_t evm_simulate(evm_receipt_t *out, arena_t *a, const evm_host_t *host, const evm_rules_t *rules,
                  const evm_block_t *block, const evm_tx_t *tx, const evm_simulation_t *how)
{
    tx_gas_t gas;
    evm_receipt_t receipt;
    rc_t rc = tx_gas(&gas, rules, tx);
    if (rc)
        return rc;
    vm_t *vm = arena_alloc(a, sizeof *vm);
    rc = vm ? vm_init(vm, a, host, rules, block, tx) : RC_NOMEM;
    if (rc)
        return rc;
    vm->traces = how->traces;
    st_account_t *sender = st_account(&vm->state, &tx->from);
    rc = sender ? take_fees(vm, sender) : RC_NOMEM;
    if (!rc)
        rc = tx_count_nonce(vm, sender);
    if (!rc)
        rc = tx_run(vm, sender, &gas);
    if (rc)
        return rc;
    tx_result(&receipt.result, vm, &gas);
    rc = (how->pays ? settle : give_back)(vm, sender, receipt.result.gas_used);
    if (!rc)
        rc = list_changes(vm, &receipt);
    if (!rc)
        *out = receipt;
    return rc;
}

rc_t evm_system_call(evm_receipt_t *out, arena_t *a, const evm_host_t *host, const evm_rules_t *rules,
                     const evm_block_t *block, const addr_t *to, view_t data)
{
    static const tx_gas_t free_of_charge = { .execution = EVM_SYSTEM_CALL_GAS };
    evm_receipt_t receipt;
    if (!evm_params(rules->fork))
        return RC_UNSUPPORTED;
    evm_tx_t *tx = arena_calloc(a, 1, sizeof *tx);
    vm_t *vm = arena_alloc(a, sizeof *vm);
    if (!tx || !vm)
        return RC_NOMEM;
    uint64_t for_state = (uint64_t)evm_state_gas(rules)->slot * EVM_SYSTEM_CALL_SLOTS;
    *tx = (evm_tx_t){ .from = EVM_SYSTEM_ADDRESS, .to = *to, .data = data, .gas = EVM_SYSTEM_CALL_GAS + for_state };
    rc_t rc = vm_init(vm, a, host, rules, block, tx);
    if (rc)
        return rc;
    st_account_t *sender = st_account(&vm->state, &EVM_SYSTEM_ADDRESS);
    rc = sender ? tx_run(vm, sender, &free_of_charge) : RC_NOMEM;
    if (rc)
        return rc;
    tx_result(&receipt.result, vm, &free_of_charge);
    rc = list_changes(vm, &receipt);
    if (!rc)
        *out = receipt;
    return rc;
}
