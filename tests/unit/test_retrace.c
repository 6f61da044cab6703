/* The evidence of each kind of statement: made from honest answers, it holds; with any element removed, altered or
 * added it does not, and says what is wrong. */
#include "tests/unit/retrace_world.h"

/* ---- mutations ---- */

/* Each element of a list is removed, and altered; one is added before all, and behind all. */
static void mutate_list(grounds_list_t *list, view_t more, grounds_code_t missing, grounds_code_t bad,
                        grounds_code_t unused, const char *what)
{
    const grounds_list_t own = *list;
    view_t *copy = arena_calloc(&arena, own.count + 1, sizeof *copy);
    for (size_t i = 0; i < own.count; i++) {
        for (size_t k = 0; k + 1 < own.count; k++)
            copy[k] = own.at[k + (k >= i)];
        *list = (grounds_list_t){ copy, own.count - 1 };
        expect(&grounds, missing, missing, what, i);
        memcpy(copy, own.at, own.count * sizeof *copy);
        copy[i] = altered(own.at[i], own.at[i].n / 2);
        *list = (grounds_list_t){ copy, own.count };
        expect(&grounds, missing, bad, what, i);
        copy[i] = own.at[i];
        copy[own.count] = own.at[i]; /* twice */
        *list = (grounds_list_t){ copy, own.count + 1 };
        expect(&grounds, bad, unused, what, i);
    }
    if (own.count)
        memcpy(copy, own.at, own.count * sizeof *copy);
    for (size_t i = 1; i < own.count; i++) { /* two change places */
        copy[i] = own.at[i - 1];
        copy[i - 1] = own.at[i];
        *list = (grounds_list_t){ copy, own.count };
        expect(&grounds, bad, bad, what, i);
        memcpy(copy, own.at, own.count * sizeof *copy);
    }
    copy[own.count] = more;
    *list = (grounds_list_t){ copy, own.count + 1 };
    expect(&grounds, unused, unused, what, own.count);
    *list = own;
}

static view_t other_header(void)
{
    static uint8_t room[EX_HEADER_RLP_MAX];
    const ex_header_t h = { .number = 5000, .ommers_hash = EX_NO_OMMERS };
    wr_t out = wr_of(room, sizeof room);
    ex_header_encode(&out, &h);
    return wr_view(&out);
}

static view_t other_block(void)
{
    static uint8_t room[EX_HEADER_RLP_MAX + 16];
    const ex_full_block_t b = { .header = { .number = 5000, .ommers_hash = EX_NO_OMMERS } };
    wr_t out = wr_of(room, sizeof room);
    ex_block_encode(&out, &b);
    return wr_view(&out);
}

static void mutate_receipts(void)
{
    const size_t count = grounds.receipt_count;
    const ex_stock_receipts_t *own = grounds.receipts;
    ex_stock_receipts_t *copy = arena_calloc(&arena, count + 1, sizeof *copy);
    const view_t changed[] = { altered(raw_receipt[0], 30) };
    for (size_t i = 0; i < count; i++) {
        memcpy(copy, own, count * sizeof *copy);
        copy[i] = copy[count - 1];
        grounds.receipts = copy;
        grounds.receipt_count = count - 1;
        expect(&grounds, GROUNDS_MISSING_RECEIPTS, GROUNDS_MISSING_RECEIPTS, "receipts", i);
        grounds.receipt_count = count;
        copy[i] = (ex_stock_receipts_t){ changed, 1 };
        expect(&grounds, GROUNDS_MISSING_RECEIPTS, GROUNDS_MISSING_RECEIPTS, "receipts", i);
    }
    if (count)
        memcpy(copy, own, count * sizeof *copy);
    copy[count] = (ex_stock_receipts_t){ changed, 1 };
    grounds.receipts = copy;
    grounds.receipt_count = count + 1;
    expect(&grounds, GROUNDS_UNUSED_RECEIPTS, GROUNDS_UNUSED_RECEIPTS, "receipts", count);
    grounds.receipts = own;
    grounds.receipt_count = count;
}

static void mutate_lists(void)
{
    const view_t high = view_str("\xff\xff\xff nobody's");
    mutate_list(&grounds.headers, other_header(), GROUNDS_MISSING_HEADER, GROUNDS_BAD_HEADER, GROUNDS_UNUSED_HEADER,
                "headers");
    mutate_list(&grounds.blocks, other_block(),
                grounds.statement.kind == STATEMENT_RPC ? GROUNDS_MISSING_BLOCK : GROUNDS_MISSING_HEADER,
                GROUNDS_BAD_BLOCK, GROUNDS_UNUSED_BLOCK, "blocks");
    mutate_receipts();
    mutate_list(&grounds.nodes, high, GROUNDS_MISSING_NODE, GROUNDS_BAD_NODE, GROUNDS_UNUSED_NODE, "nodes");
    mutate_list(&grounds.codes, high, GROUNDS_MISSING_CODE, GROUNDS_BAD_CODE, GROUNDS_UNUSED_CODE, "codes");
}

static void mutate_consensus(void)
{
    const grounds_t own = grounds;
    const view_t two[] = { update, update };
    grounds.consensus.bootstrap = view_of(NULL, 0);
    expect(&grounds, GROUNDS_NO_BOOTSTRAP, GROUNDS_NO_BOOTSTRAP, "bootstrap", 0);
    for (size_t at = 0; at < bootstrap.n; at += 149) {
        grounds.consensus.bootstrap = altered(bootstrap, at);
        expect(&grounds, GROUNDS_BAD_BOOTSTRAP, GROUNDS_BAD_BOOTSTRAP, "bootstrap", at);
    }
    grounds = own;
    grounds.consensus.updates.count = 0;
    expect(&grounds, GROUNDS_MISSING_UPDATE, GROUNDS_MISSING_UPDATE, "updates", 0);
    grounds.consensus.updates = (grounds_list_t){ two, 2 };
    expect(&grounds, GROUNDS_UNUSED_UPDATE, GROUNDS_UNUSED_UPDATE, "updates", 2);
    grounds = own;
    for (size_t at = 0; at < update.n; at += 173) {
        const view_t one[] = { altered(update, at) };
        grounds.consensus.updates.at = one;
        expect(&grounds, GROUNDS_BAD_UPDATE, GROUNDS_BAD_UPDATE, "updates", at);
    }
    grounds = own;
    for (size_t at = 0; at < own.consensus.head.n; at += 101) {
        grounds.consensus.head = altered(own.consensus.head, at);
        expect(&grounds, GROUNDS_BAD_HEAD, GROUNDS_MISSING_UPDATE, "head", at);
    }
    grounds = own;
    grounds.consensus.finality = finality_after;
    if (!own.consensus.finality.n)
        expect(&grounds, GROUNDS_UNUSED_FINALITY, GROUNDS_UNUSED_FINALITY, "finality", 0);
    grounds = own;
}

static void mutate_texts(void)
{
    const grounds_t own = grounds;
    grounds.id.b[31] ^= 1;
    expect(&grounds, GROUNDS_WRONG_ID, GROUNDS_WRONG_ID, "id", 0);
    grounds = own;
    for (size_t at = 0; at < own.setup.n; at += 31) {
        grounds.setup = altered(own.setup, at);
        expect(&grounds, GROUNDS_WRONG_SETUP, GROUNDS_WRONG_SETUP, "setup", at);
    }
    grounds = own;
    grounds.request = own.request.n ? altered(own.request, own.request.n - 8) : view_str("{}");
    expect(&grounds, GROUNDS_WRONG_REQUEST, GROUNDS_WRONG_REQUEST, "request", 0);
    grounds.request = view_of(NULL, 0);
    if (own.request.n)
        expect(&grounds, GROUNDS_WRONG_REQUEST, GROUNDS_WRONG_REQUEST, "request", 1);
    grounds = own;
    grounds.statement.signature[5] ^= 1;
    expect(&grounds, GROUNDS_BAD_SIGNATURE, GROUNDS_BAD_SIGNATURE, "signature", 0);
    grounds = own;
    grounds.statement.signer.b[5] ^= 1;
    expect(&grounds, GROUNDS_BAD_SIGNATURE, GROUNDS_BAD_SIGNATURE, "signer", 0);
    grounds = own;
}

START_TEST(every_kind_follows_from_its_evidence_and_from_no_other)
{
    for (int i = 0; i < CASES; i++) {
        const case_t c = case_of(i);
        evidence_of(&c);
        mutate_lists();
        mutate_texts();
        ck_assert_int_eq(judge(&grounds), RC_OK);
    }
}
END_TEST

START_TEST(every_kind_of_head_follows_from_its_consensus_and_from_no_other)
{
    static const int of[] = { CASE_BLOCK, CASE_CHECKPOINT, CASE_LINKED };
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        const case_t c = case_of(of[i]);
        evidence_of(&c);
        mutate_consensus();
        ck_assert_int_eq(judge(&grounds), RC_OK);
    }
}
END_TEST

START_TEST(what_each_kind_says_is_what_the_chain_has)
{
    case_t c = case_of(CASE_CALL);
    evidence_of(&c);
    ck_assert_uint_eq(grounds.statement.call.result.p[31], 42);
    ck_assert_uint_eq(grounds.headers.count, 0);
    ck_assert_uint_eq(grounds.codes.count, 1);
    c = case_of(CASE_LOGS);
    evidence_of(&c);
    ck_assert_uint_eq(grounds.statement.logs.count, 1);
    ck_assert(grounds.blocks.count == 1 && grounds.receipt_count == 1 && grounds.headers.count);
    c = case_of(CASE_RECEIPT);
    evidence_of(&c);
    ck_assert(grounds.statement.at.number == LOGGED && grounds.statement.at.finality == STATEMENT_FINAL);
    c = case_of(CASE_LINKED);
    evidence_of(&c);
    ck_assert(grounds.statement.at.finality == STATEMENT_FINAL && grounds.statement.at.signers == 6);
    ck_assert(grounds.consensus.finality.n && !grounds.consensus.finalized && grounds.headers.count);
    c = case_of(CASE_OLD);
    evidence_of(&c);
    ck_assert(grounds.statement.at.number == OLD && hash32_eq(&grounds.statement.at.hash, &old.hash));
    ck_assert(grounds.headers.count == 1 && grounds.nodes.count && !grounds.codes.count);
}
END_TEST

START_TEST(criteria_have_no_more_than_what_their_hash_is_of)
{
    const case_t c = case_of(CASE_LOGS);
    char text[1024];
    evidence_of(&c);
    const view_t own = grounds.request;
    ck_assert_uint_gt(own.n, 2);
    const int n = snprintf(text, sizeof text, "%.*s,\"toBlock\":\"0x3e5\"}", (int)own.n - 1, (const char *)own.p);
    grounds.request = view_of(text, (size_t)n);
    expect(&grounds, GROUNDS_WRONG_REQUEST, GROUNDS_WRONG_REQUEST, "request", 0);
    grounds.request = own;
}
END_TEST

/* A block of which the history contract of the head's state says another hash is none of its chain. */
START_TEST(a_block_that_the_history_contract_does_not_know_is_none_of_the_chain)
{
    const case_t c = case_of(CASE_OLD);
    evidence_of(&c);
    statement_t s = grounds.statement;
    uint8_t room[EX_HEADER_RLP_MAX];
    ex_header_t other = old.header;
    wr_t out = wr_of(room, sizeof room);
    other.gas_limit = 7;
    ex_header_encode(&out, &other);
    ex_header_hash(&s.at.hash, &other);
    answer_and_sign(&s);
    expect(&grounds, GROUNDS_MISSING_HEADER, GROUNDS_MISSING_HEADER, "its header", 0);
    const view_t one[] = { wr_view(&out) };
    grounds.headers = (grounds_list_t){ one, 1 };
    expect(&grounds, GROUNDS_NOT_RUN, GROUNDS_MISSING_HEADER, "on another chain", 0);
}
END_TEST

/* From Gloas on a head proves its execution block's hash alone, so the block's header is an element of the file. */
START_TEST(a_head_that_proves_a_hash_follows_from_its_evidence_and_from_no_other)
{
    static const int of[] = { CASE_CALL, CASE_OLD, CASE_LINKED, CASE_CHECKPOINT, CASE_LOGS, CASE_RECEIPT };
    teardown();
    begin(true);
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
        const case_t c = case_of(of[i]);
        evidence_of(&c);
        ck_assert(grounds.headers.count);
        mutate_lists();
        mutate_texts();
        mutate_consensus();
        ck_assert_int_eq(judge(&grounds), RC_OK);
    }
}
END_TEST

/* The header of a block that is newer than the beacon block that builds on it. */
START_TEST(a_head_by_hash_is_not_from_the_future)
{
    teardown();
    begin(true);
    const case_t c = case_of(CASE_BLOCK);
    evidence_of(&c);
    const lcc_block_t early = lcc_block(&net, SLOT_OF(HEAD) - 1, &blocks[HEAD - FIRST].header, &final);
    grounds.consensus.head = lcc_update(&arena, &net, LC_OPTIMISTIC, &early, NULL, 7);
    expect(&grounds, GROUNDS_BAD_HEAD, GROUNDS_BAD_HEAD, "its slot", 0);
}
END_TEST

/* A block that is final only because a final one builds on it. */
START_TEST(finality_has_to_be_shown)
{
    const case_t c = case_of(CASE_LINKED);
    evidence_of(&c);
    const grounds_t own = grounds;
    grounds.consensus.finality = view_of(NULL, 0);
    expect(&grounds, GROUNDS_NO_FINALITY, GROUNDS_NO_FINALITY, "finality", 0);
    for (size_t at = 0; at < finality_after.n; at += 157) {
        grounds.consensus.finality = altered(finality_after, at);
        expect(&grounds, GROUNDS_BAD_FINALITY, GROUNDS_MISSING_UPDATE, "finality", at);
    }
    grounds.consensus.finality = finality; /* of an older block */
    expect(&grounds, GROUNDS_MISSING_HEADER, GROUNDS_NO_FINALITY, "finality", 1);
    grounds = own;
    grounds.consensus.head = lcc_update(&arena, &net, LC_OPTIMISTIC, &before, NULL, 5);
    expect(&grounds, GROUNDS_BAD_HEAD, GROUNDS_BAD_HEAD, "less than two thirds", 0);
    grounds.consensus.head = lcc_update(&arena, &net, LC_OPTIMISTIC, &before, NULL, 8);
    expect(&grounds, GROUNDS_OTHER_HEAD, GROUNDS_OTHER_HEAD, "other signers", 0); /* that file is no node's */
    ck_assert_str_eq(e.field, "at.signers");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "retrace", setup, teardown, every_kind_follows_from_its_evidence_and_from_no_other,
        every_kind_of_head_follows_from_its_consensus_and_from_no_other, what_each_kind_says_is_what_the_chain_has,
        finality_has_to_be_shown, criteria_have_no_more_than_what_their_hash_is_of,
        a_block_that_the_history_contract_does_not_know_is_none_of_the_chain,
        a_head_that_proves_a_hash_follows_from_its_evidence_and_from_no_other, a_head_by_hash_is_not_from_the_future);
}
