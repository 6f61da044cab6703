#include "lightclient/exec/proof.h"

#include "base/crypto/hash.h"

static bool zero_or(const hash32_t *claimed, const hash32_t *empty)
{
    return hash32_is_zero(claimed) || hash32_eq(claimed, empty);
}

/* What the answer claims about the account against what was proven; NULL when it agrees. */
static const char *account_lie(const mpt_account_t *proven, const ex_proof_answer_t *answer)
{
    if (answer->nonce != (proven->exists ? proven->nonce : 0))
        return "nonce differs from the proven one";
    if (!u256_eq(&answer->balance, &proven->balance))
        return "balance differs from the proven one";
    if (proven->exists ? !hash32_eq(&answer->code_hash, &proven->code_hash)
                       : !zero_or(&answer->code_hash, &KECCAK_EMPTY))
        return "code hash differs from the proven one";
    if (proven->exists ? !hash32_eq(&answer->storage_hash, &proven->storage_root)
                       : !zero_or(&answer->storage_hash, &EMPTY_TRIE_ROOT))
        return "storage hash differs from the proven one";
    return NULL;
}

static rc_t slot_check(err_t *e, const hash32_t *storage_root, const hash32_t *key, const ex_slot_answer_t *answer)
{
    u256_t value, want = u256_from_be32(key->b);
    if (!u256_eq(&answer->key, &want))
        return err_say(e, RC_REFUSED, "storage key is not the requested one");
    rc_t rc = mpt_verify_slot(&value, storage_root, key, answer->proof.nodes, answer->proof.count);
    if (rc)
        return err_say(e, rc, "storage proof does not verify");
    return u256_eq(&value, &answer->value) ? RC_OK
                                           : err_say(e, RC_REFUSED, "storage value differs from the proven one");
}

rc_t ex_proof_verify(mpt_account_t *account, u256_t *values, err_t *e, const hash32_t *state_root, const addr_t *addr,
                     const hash32_t *slots, size_t slot_count, const ex_proof_answer_t *answer)
{
    mpt_account_t a;
    if (!addr_eq(&answer->address, addr))
        return err_say(e, RC_REFUSED, "address is not the requested one");
    rc_t rc = mpt_verify_account(&a, state_root, addr, answer->account_proof.nodes, answer->account_proof.count);
    if (rc)
        return err_say(e, rc, "account proof does not verify");
    const char *lie = account_lie(&a, answer);
    if (lie)
        return err_say(e, RC_REFUSED, lie);
    const bool no_slots = !a.exists && answer->slot_count == 0;
    if (answer->slot_count != slot_count && !no_slots)
        return err_say(e, RC_REFUSED, "number of storage proofs is not the requested one");
    const hash32_t *root = a.exists ? &a.storage_root : &EMPTY_TRIE_ROOT;
    for (size_t i = 0; i < slot_count && !no_slots; i++) { /* all are checked before the first is handed out */
        rc = slot_check(e, root, &slots[i], &answer->slots[i]);
        if (rc)
            return rc;
    }
    for (size_t i = 0; i < slot_count; i++)
        values[i] = no_slots ? u256_of(0) : answer->slots[i].value; /* equal to the proven ones */
    *account = a;
    return RC_OK;
}
