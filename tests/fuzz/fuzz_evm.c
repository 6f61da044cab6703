/* evm: arbitrary code in two contracts that may call each other, called plainly, with an access list or with an
 * authorization. Properties: gas used never passes the gas given; the same call twice gives the same result; with any
 * one answer of the host missing the call ends with RC_NEED_DATA, with less memory it gives the same result or
 * RC_NOMEM; what is refused or interrupted writes nothing; a transaction without fees comes to what the call came to,
 * creates no ether, and when it fails changes nothing but the nonces of sender and authority and the authority's code.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/evm/evm.h"
#include "tests/fuzz/fuzz.h"

#define GAS_MAX 400000u
#define BALANCE 1000u

typedef struct {
    view_t code[2];  /* of the addresses 0xaa and 0xbb */
    unsigned asked;  /* questions so far */
    unsigned answer; /* questions that are answered */
} world_t;

static rc_t next_answer(world_t *w)
{
    return w->asked++ < w->answer ? RC_OK : RC_NEED_DATA;
}

static const view_t *code_at(const world_t *w, const addr_t *addr)
{
    for (unsigned i = 0; i < 19; i++)
        if (addr->b[i])
            return NULL;
    return addr->b[19] == 0xaa ? &w->code[0] : addr->b[19] == 0xbb ? &w->code[1] : NULL;
}

static rc_t account(void *ctx, evm_account_t *out, const addr_t *addr)
{
    const view_t *code = code_at(ctx, addr);
    *out = (evm_account_t){ .code_hash = KECCAK_EMPTY };
    if (code || addr->b[0] == 0xcc) {
        out->exists = true;
        out->balance = u256_of(BALANCE);
    }
    if (code)
        keccak256(&out->code_hash, *code);
    return next_answer(ctx);
}

static rc_t storage(void *ctx, u256_t *out, const addr_t *addr, const hash32_t *key)
{
    (void)addr;
    *out = u256_of(key->b[31] & 3);
    return next_answer(ctx);
}

static rc_t code(void *ctx, view_t *out, const addr_t *addr, const hash32_t *code_hash)
{
    const view_t *found = code_at(ctx, addr);
    hash32_t h;
    if (!found) /* only contracts have code */
        abort();
    *out = *found;
    keccak256(&h, *found);
    if (!hash32_eq(&h, code_hash))
        abort();
    return next_answer(ctx);
}

static rc_t block_hash(void *ctx, hash32_t *out, uint64_t number)
{
    *out = (hash32_t){ { (uint8_t)number } };
    return next_answer(ctx);
}

static void check_same(const evm_result_t *a, const evm_result_t *b)
{
    if (a->status != b->status || a->halt != b->halt || a->gas_used != b->gas_used || !view_eq(a->output, b->output) ||
        a->log_count != b->log_count || a->created != b->created ||
        (a->created && !addr_eq(&a->created_addr, &b->created_addr)))
        abort();
    for (size_t i = 0; i < a->log_count; i++) {
        const evm_log_t *x = &a->logs[i], *y = &b->logs[i];
        if (!view_eq(x->data, y->data) || !addr_eq(&x->addr, &y->addr) || x->topic_count != y->topic_count ||
            x->topic_count > 4 || memcmp(x->topics, y->topics, x->topic_count * sizeof x->topics[0]) != 0)
            abort();
    }
}

static void check_ether(const evm_host_t *host, const evm_receipt_t *r)
{
    uint64_t before = 0, after = 0;
    for (size_t i = 0; i < r->change_count; i++) {
        evm_account_t was;
        (void)account(host->ctx, &was, &r->changes[i].addr);
        before += was.balance.w[0];
        after += r->changes[i].deleted ? 0 : r->changes[i].account.balance.w[0];
        if (!u256_fits_u64(&r->changes[i].account.balance))
            abort();
    }
    if (after > before)
        abort();
}

/* The address that begins with this byte and is zero otherwise. */
static bool is_plain(const addr_t *addr, uint8_t first)
{
    const addr_t plain = { { first } };
    return addr_eq(addr, &plain);
}

/* What a transaction changed that reverted or halted. */
static void check_undone(const evm_host_t *host, const evm_receipt_t *r)
{
    for (size_t i = 0; i < r->change_count; i++) {
        const evm_change_t *c = &r->changes[i];
        bool authority = is_plain(&c->addr, 0xdd), sender = is_plain(&c->addr, 0xcc);
        evm_account_t was;
        (void)account(host->ctx, &was, &c->addr);
        if (c->deleted ? was.exists : c->slot_count || c->storage_cleared || (c->code_changed && !authority))
            abort();
        if (!c->deleted &&
            (!u256_eq(&c->account.balance, &was.balance) || c->account.nonce != was.nonce + (authority || sender)))
            abort();
    }
}

/* The call of which rc and want are the outcome, again with an answer missing and again with little memory. */
static void check_less(const evm_result_t *want, rc_t rc, world_t *w, const evm_host_t *host, const evm_rules_t *rules,
                       const evm_block_t *block, const evm_tx_t *tx, unsigned questions)
{
    evm_result_t got, untouched;
    arena_t a;
    memset(&untouched, 0x5a, sizeof untouched);
    memcpy(&got, &untouched, sizeof got);
    arena_init(&a, (size_t)64 << 20);
    w->asked = 0;
    w->answer = questions ? (unsigned)(tx->gas % questions) : 0;
    if (questions && evm_call(&got, &a, host, rules, block, tx) != RC_NEED_DATA)
        abort();
    if (memcmp(&got, &untouched, sizeof got) != 0)
        abort();
    w->answer = UINT_MAX;
    arena_free(&a);
    arena_init(&a, (size_t)(tx->gas % 256) << 10);
    rc_t again = evm_call(&got, &a, host, rules, block, tx);
    if (again != rc && again != RC_NOMEM)
        abort();
    if (!again)
        check_same(want, &got);
    else if (memcmp(&got, &untouched, sizeof got) != 0)
        abort();
    arena_free(&a);
}

/* The same as a transaction; rc and called are what the call came to. */
static void check_transaction(arena_t *a, rc_t rc, const evm_result_t *called, const evm_host_t *host,
                              const evm_rules_t *rules, const evm_block_t *block, const evm_tx_t *tx)
{
    evm_receipt_t r, untouched;
    memset(&untouched, 0x5a, sizeof untouched);
    memcpy(&r, &untouched, sizeof r);
    if (evm_transact(&r, NULL, a, host, rules, block, tx)) {
        if (memcmp(&r, &untouched, sizeof r) != 0)
            abort();
        return;
    }
    if (rc || r.result.gas_used > tx->gas)
        abort();
    check_same(called, &r.result);
    check_ether(host, &r);
    if (r.result.status != EVM_SUCCESS)
        check_undone(host, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 5)
        return 0;
    size_t n = len - 5, first = n * data[4] / 255;
    world_t w = { { { data + 5, first }, { data + 5 + first, n - first } }, 0, UINT_MAX };
    const evm_host_t host = {
        .ctx = &w, .account = account, .storage = storage, .code = code, .block_hash = block_hash
    };
    const evm_rules_t rules = { .fork = (evm_fork_t)(data[0] % EVM_FORKS),
                                .blob_max = 6,
                                .blob_base_fee_update_fraction = 3338477 };
    const evm_block_t block = { .number = 300, .timestamp = 1, .gas_limit = GAS_MAX, .chain_id = 1 };
    evm_tx_t tx = { .from = { { 0xcc } }, .create = data[1] & 1, .value = u256_of(data[1] & 6), .data = w.code[1] };
    tx.to.b[19] = 0xaa;
    const hash32_t slots[2] = { { { 0 } }, { { 1 } } };
    const evm_access_t access[2] = { { { { 0xbb } }, NULL, 0 }, { tx.to, slots, 2 } };
    evm_authorization_t authorization = { .chain_id = u256_of(1), .signer = { { 0xdd } }, .signer_valid = true };
    authorization.address.b[19] = 0xbb;
    if (data[1] & 8) {
        tx.type = 1;
        tx.access = access;
        tx.access_count = 2;
    }
    if (data[1] & 16 && !tx.create) {
        tx.type = 4;
        tx.authorizations = &authorization;
        tx.authorization_count = 1;
    }
    tx.gas = ((uint64_t)data[2] << 8 | data[3]) * GAS_MAX / 65535;

    arena_t a;
    evm_result_t one = { 0 }, two = { 0 };
    arena_init(&a, (size_t)64 << 20);
    rc_t rc = evm_call(&one, &a, &host, &rules, &block, &tx);
    unsigned questions = w.asked;
    if (rc != evm_call(&two, &a, &host, &rules, &block, &tx) || w.asked != 2 * questions)
        abort();
    if (rc == RC_OK && one.gas_used > tx.gas)
        abort();
    if (rc == RC_OK && one.status != EVM_SUCCESS && (one.log_count || one.created))
        abort();
    if (rc != RC_OK && rc != RC_REFUSED)
        abort();
    check_same(&one, &two);
    check_less(&one, rc, &w, &host, &rules, &block, &tx, questions);
    check_transaction(&a, rc, &one, &host, &rules, &block, &tx);
    arena_free(&a);
    return 0;
}
