/* Evidence that is whole: it convicts a key that said otherwise, and nobody by another statement's. */
#include "tests/unit/retrace_world.h"

/* Each member of what was said, by a key that says otherwise than its own evidence. */
START_TEST(a_key_that_lies_is_convicted)
{
    static const struct {
        int of;
        size_t at;
        const char *field;
    } lies[] = {
        { CASE_CALL, offsetof(statement_t, call.status), "status" },
        { CASE_CALL, offsetof(statement_t, at.state_root), "at.stateRoot" },
        { CASE_CALL, offsetof(statement_t, at.timestamp), "at.timestamp" },
        { CASE_CALL, offsetof(statement_t, at.slot), "at.slot" },
        { CASE_CALL, offsetof(statement_t, at.number), "at.number" },
        { CASE_CALL, offsetof(statement_t, issued_at), "validUntil" }, /* no rule has such a time between them */
        { CASE_BLOCK, offsetof(statement_t, valid_until), "validUntil" },
        { CASE_STORAGE, offsetof(statement_t, storage.value), "value" },
        { CASE_ACCOUNT, offsetof(statement_t, account.nonce), "nonce" },
        { CASE_ACCOUNT, offsetof(statement_t, account.balance), "balance" },
        { CASE_ACCOUNT, offsetof(statement_t, account.storage_root), "storageRoot" },
        { CASE_CHECKPOINT, offsetof(statement_t, checkpoint.root), "root" },
        { CASE_CHECKPOINT, offsetof(statement_t, checkpoint.state_root), "stateRoot" },
        { CASE_LOGS, offsetof(statement_t, logs.count), "count" },
        { CASE_LOGS, offsetof(statement_t, logs.logs_hash), "logsHash" },
        { CASE_RECEIPT, offsetof(statement_t, rpc.result_hash), "resultHash" },
    };
    addr_t signer, other = { { 0x99 } };
    keyring_address(keyring, &signer);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        const case_t c = case_of(lies[i].of);
        evidence_of(&c);
        statement_t s = grounds.statement;
        s.result = view_of(NULL, 0);
        ((uint8_t *)&s)[lies[i].at] ^= 1;
        answer_and_sign(&s);
        expect(&grounds, GROUNDS_LIE, GROUNDS_LIE, lies[i].field, i);
        ck_assert_str_eq(e.field, lies[i].field);
        ck_assert_int_eq(retrace_judge(&e, &config, &grounds, &signer, 1), RC_REFUSED);
        ck_assert_uint_eq(e.code, GROUNDS_LIE);
        ck_assert_int_eq(retrace_judge(&e, &config, &grounds, &other, 1), RC_REFUSED);
        ck_assert_uint_eq(e.code, GROUNDS_FALSE); /* it is not this key that lied */
        grounds.statement.signature[7] ^= 1;
        expect(&grounds, GROUNDS_FALSE, GROUNDS_FALSE, lies[i].field, i);
    }
}
END_TEST

/* ---- evidence that is whole, and not the statement's ---- */

/* The evidence that begins with these objects, for the statement that is there. */
static void shown_by(view_t object, lc_kind_t kind, bool finalized, grounds_code_t code, const char *field)
{
    retrace_t *r;
    query_t *q = NULL;
    view_t text;
    grounds.consensus.head = object;
    grounds.consensus.kind = kind;
    grounds.consensus.finalized = finalized;
    grounds.consensus.finality = view_of(NULL, 0);
    ck_assert_msg(retrace_new(&r, &e, &config, &grounds) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_msg(retrace_record(r, &q, &e) == RC_OK, "%s", e.text);
    if (q)
        drive(q);
    query_free(q);
    ck_assert_int_eq(retrace_run(r, &e, true), RC_REFUSED);
    ck_assert_int_eq(retrace_file(&text, &arena, r), RC_OK);
    retrace_free(r);
    ck_assert_msg(grounds_read(&grounds, &e, &arena, text) == RC_OK, "%s: %s", e.field, e.text);
    expect(&grounds, code, code, field, (size_t)kind);
    ck_assert_str_eq(e.field, field);
}

/* Anybody can make a whole file about an honest statement that begins with another head: a later one, one that others
 * signed, or one that has become final since. What a statement takes from its head is then other than what the file
 * shows, and convicts nobody. */
START_TEST(another_head_convicts_nobody)
{
    const view_t of_after = lcc_update(&arena, &net, LC_OPTIMISTIC, &after, NULL, 8),
                 by_others = lcc_update(&arena, &net, LC_OPTIMISTIC, &head, NULL, 8);
    static const int all[] = { CASE_CALL, CASE_BLOCK, CASE_ACCOUNT, CASE_STORAGE, CASE_LOGS, CASE_PAST };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const case_t c = case_of(all[i]);
        evidence_of(&c);
        shown_by(of_after, LC_OPTIMISTIC, false, GROUNDS_OTHER_HEAD, all[i] == CASE_LOGS ? "to.signers" : "at.signers");
        shown_by(by_others, LC_OPTIMISTIC, false, GROUNDS_OTHER_HEAD,
                 all[i] == CASE_LOGS ? "to.signers" : "at.signers");
        shown_by(finality_after, LC_FINALITY, true, GROUNDS_OTHER_HEAD,
                 all[i] == CASE_LOGS ? "to.finality" : "at.finality");
    }
    const case_t c = case_of(CASE_CHECKPOINT);
    evidence_of(&c);
    shown_by(finality_after, LC_FINALITY, true, GROUNDS_OTHER_HEAD, "slot");
}
END_TEST

/* Who lies does not hide behind a head that nobody can show. */
START_TEST(a_lie_on_another_head_is_one)
{
    const case_t c = case_of(CASE_STORAGE);
    evidence_of(&c);
    statement_t s = grounds.statement;
    s.at.signers ^= 1;
    s.issued_at += 12;
    s.valid_until += 12;
    answer_and_sign(&s);
    expect(&grounds, GROUNDS_OTHER_HEAD, GROUNDS_OTHER_HEAD, "head", 0);
    s.storage.value.b[31] ^= 1;
    answer_and_sign(&s);
    expect(&grounds, GROUNDS_LIE, GROUNDS_LIE, "value", 0);
    ck_assert_str_eq(e.field, "value");
}
END_TEST

/* A transaction may stand in another block on another branch. */
START_TEST(a_receipt_of_another_block_convicts_nobody)
{
    const case_t c = case_of(CASE_RECEIPT);
    evidence_of(&c);
    statement_t s = grounds.statement;
    s.at.hash.b[0] ^= 1;
    s.result = view_of(NULL, 0);
    answer_and_sign(&s);
    expect(&grounds, GROUNDS_OTHER_HEAD, GROUNDS_OTHER_HEAD, "block", 0);
    ck_assert_str_eq(e.field, "at.hash");
}
END_TEST

START_TEST(another_checkpoint_network_or_signer_is_refused)
{
    const case_t c = case_of(CASE_CALL);
    const addr_t other = { { 0x99 } };
    evidence_of(&c);
    config.checkpoint.b[0] ^= 1;
    expect(&grounds, GROUNDS_BAD_BOOTSTRAP, GROUNDS_BAD_BOOTSTRAP, "checkpoint", 0);
    config.checkpoint.b[0] ^= 1;
    lc_network_t elsewhere = net;
    elsewhere.seconds_per_slot = 6;
    config.network = &elsewhere;
    expect(&grounds, GROUNDS_WRONG_NETWORK, GROUNDS_WRONG_NETWORK, "network", 0);
    config.network = &net;
    net.min_withdrawability_delay = 4; /* epochs, between slot 8 and slot 78 */
    expect(&grounds, GROUNDS_OLD_CHECKPOINT, GROUNDS_WRONG_NETWORK, "age", 0);
    net.min_withdrawability_delay = 256;
    ck_assert_int_eq(retrace_judge(&e, &config, &grounds, &other, 1), RC_REFUSED);
    ck_assert_uint_eq(e.code, GROUNDS_WRONG_SIGNER);
    ck_assert_int_eq(judge(&grounds), RC_OK);
}
END_TEST

/* The committee of one chain, and a setup and a statement that agree that it is another one's. */
START_TEST(a_chain_id_that_is_not_the_networks_is_refused)
{
    static const int all[] = { CASE_CALL, CASE_BLOCK, CASE_CHECKPOINT };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const case_t c = case_of(all[i]);
        setup_cluster_t other = cluster;
        evidence_of(&c);
        statement_t s = grounds.statement;
        s.chain_id = other.chain_id = 7;
        ck_assert_int_eq(setup_cluster_write(&grounds.setup, &s.setup, &arena, &other), RC_OK);
        answer_and_sign(&s);
        expect(&grounds, GROUNDS_WRONG_NETWORK, GROUNDS_WRONG_NETWORK, "chain", i);
        ck_assert_str_eq(e.field, "setup.chain_id");
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("retrace_lies", setup, teardown, a_key_that_lies_is_convicted, another_head_convicts_nobody,
                           a_lie_on_another_head_is_one, a_receipt_of_another_block_convicts_nobody,
                           another_checkpoint_network_or_signer_is_refused,
                           a_chain_id_that_is_not_the_networks_is_refused);
}
