/* Proofs that are kept to be shown: what they show is checked before, and what is shown proves it again. */
#include "lightclient/exec/prove.h"
#include "tests/unit/lies.h"
#include "tests/unit/unit.h"

static world_t w;
static ex_block_t block;
static hash32_t keys[2]; /* 0 and 5 */
static addr_t A, B, NOBODY;

static void setup(void)
{
    world_init(&w);
    A = world_addr(0xa000);
    B = world_addr(0xb000);
    NOBODY = world_addr(0xdead);
    keys[0] = world_key(0);
    keys[1] = world_key(5);
    world_add(&w, A, "602a");
    world_add(&w, B, "");
    for (size_t i = 0; i < 2; i++) {
        world_set(&w.accounts[i], 0, u256_of(7 + i));
        world_set(&w.accounts[i], 5, u256_of(55 + i));
    }
    block.state_root = world_root(&w);
}

static void teardown(void)
{
    world_clear(&w);
}

static query_t *begin(addr_t addr, size_t slots_max)
{
    query_t *q = NULL;
    err_t e;
    const ex_prove_config_t c = {
        .block = &block, .addr = addr, .slots = keys, .slot_count = 2, .proof_slots_max = slots_max
    };
    ck_assert_int_eq(ex_prove_new(&q, &e, &c), RC_OK);
    ck_assert_int_eq(query_step(q, &e), RC_NEED_DATA);
    ck_assert_ptr_null(ex_prove_result(q));
    return q;
}

static rc_t give(query_t *q, size_t i, const ex_proof_answer_t *proof)
{
    err_t e;
    return query_give(q, &e, i, &(answer_t){ .kind = NEED_PROOF, .proof = *proof });
}

/* What the result shows proves its own values again. */
static void check_shown(query_t *q, addr_t addr)
{
    err_t e;
    mpt_account_t account;
    u256_t value;
    ck_assert_int_eq(query_step(q, &e), RC_OK);
    const ex_prove_result_t *r = ex_prove_result(q);
    ck_assert_int_eq(mpt_verify_account(&account, &block.state_root, &addr, r->proof.nodes, r->proof.count), RC_OK);
    ck_assert_int_eq(account.exists, r->account.exists);
    for (size_t i = 0; i < 2 && account.exists; i++) {
        ck_assert_int_eq(
            mpt_verify_slot(&value, &account.storage_root, &keys[i], r->slots[i].proof.nodes, r->slots[i].proof.count),
            RC_OK);
        ck_assert(u256_eq(&value, &r->slots[i].value));
    }
}

START_TEST(proofs_are_kept_in_pieces_of_any_size)
{
    for (size_t most = 0; most < 4; most++) {
        query_t *q = begin(A, most);
        const need_t *needs;
        const size_t n = query_needs(q, &needs);
        ck_assert_uint_eq(n, most == 1 ? 2 : 1);
        for (size_t i = 0; i < n; i++) {
            const ex_proof_answer_t p = world_proof(&w, &A, needs[i].slots, needs[i].slot_count);
            ck_assert_int_eq(give(q, i, &p), RC_OK);
        }
        check_shown(q, A);
        ck_assert_uint_eq(ex_prove_result(q)->slots[0].value.w[0], 7);
        ck_assert_uint_eq(ex_prove_result(q)->slots[1].value.w[0], 55);
        query_free(q);
    }
}
END_TEST

START_TEST(an_absent_account_is_shown_by_its_proof_with_and_without_slots)
{
    for (size_t slots = 0; slots <= 2; slots += 2) {
        query_t *q = begin(NOBODY, 0);
        ex_proof_answer_t p = world_proof(&w, &NOBODY, keys, 2);
        if (!slots)
            p.slot_count = 0;
        ck_assert_int_eq(give(q, 0, &p), RC_OK);
        check_shown(q, NOBODY);
        ck_assert(!ex_prove_result(q)->account.exists);
        ck_assert(u256_is_zero(&ex_prove_result(q)->slots[1].value));
        query_free(q);
    }
}
END_TEST

START_TEST(empty_nodes_are_not_shown)
{
    static const uint8_t empty[] = { 0x80 };
    view_t nodes[10];
    query_t *q = begin(NOBODY, 0);
    ex_proof_answer_t p = world_proof(&w, &NOBODY, keys, 2);
    memcpy(nodes, p.account_proof.nodes, p.account_proof.count * sizeof *nodes);
    nodes[p.account_proof.count++] = view_of(empty, 1);
    p.account_proof.nodes = nodes;
    ck_assert_int_eq(give(q, 0, &p), RC_OK);
    check_shown(q, NOBODY);
    ck_assert_uint_eq(ex_prove_result(q)->proof.count, p.account_proof.count - 1);
    query_free(q);
}
END_TEST

START_TEST(every_lie_is_refused_and_changes_nothing)
{
    for (int x = 0; x < LIES; x++) {
        query_t *q = begin(A, 0);
        err_t e;
        ex_proof_answer_t p = world_proof(&w, &A, keys, 2);
        lie(&p, x, &w, &B);
        ck_assert_msg(give(q, 0, &p) == RC_REFUSED, "lie %d", x);
        ck_assert_int_eq(query_step(q, &e), RC_LIMIT);
        ck_assert_ptr_null(ex_prove_result(q));
        const ex_proof_answer_t honest = world_proof(&w, &A, keys, 2);
        ck_assert_int_eq(give(q, 0, &honest), RC_OK);
        check_shown(q, A);
        query_free(q);
    }
}
END_TEST

START_TEST(more_slots_than_may_be_asked_for_are_refused)
{
    query_t *q = NULL;
    err_t e;
    const ex_prove_config_t c = { .block = &block, .addr = A, .slots = keys, .slot_count = EX_PROVE_SLOTS_MAX + 1 };
    ck_assert_int_eq(ex_prove_new(&q, &e, &c), RC_LIMIT);
    ck_assert_str_eq(e.text, "1025 slots are more than 1024");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("prove", setup, teardown, proofs_are_kept_in_pieces_of_any_size,
                           an_absent_account_is_shown_by_its_proof_with_and_without_slots, empty_nodes_are_not_shown,
                           every_lie_is_refused_and_changes_nothing, more_slots_than_may_be_asked_for_are_refused);
}
