/* The header of a proven hash: what is taken, what is refused and for what, what only claims to be newer, and what
 * proves it. */
#include <check.h>
#include <stdio.h>

#include "base/crypto/hash.h"
#include "lightclient/exec/head.h"
#include "lightclient/rlp/rlp.h"
#include "tests/unit/unit.h"

static query_t *query;
static err_t why;

/* A header of Amsterdam, or with 21 fields of Prague. */
static ex_header_t header_of(unsigned tail)
{
    ex_header_t h = { .number = 77, .gas_limit = 60000000, .timestamp = 1791294816, .tail = tail, .slot_number = 9 };
    h.state_root.b[3] = 0x55;
    return h;
}

static void ask(const hash32_t *hash, bool raw)
{
    const need_t *needs;
    ck_assert_int_eq(ex_head_new(&query, &why, hash, raw ? EX_HEAD_BYTES : EX_HEAD_ONLY), RC_OK);
    ck_assert_int_eq(query_step(query, &why), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(query, &needs), 1);
    ck_assert_int_eq(needs[0].kind, raw ? NEED_HEAD_BYTES : NEED_HEAD);
    ck_assert_int_eq(needs[0].origin, NEED_MET);
    ck_assert(hash32_eq(&needs[0].block->block_hash, hash));
}

static rc_t give(const ex_header_t *h, bool more)
{
    why = (err_t){ 0 };
    return query_give(query, &why, 0, &(answer_t){ .kind = NEED_HEAD, .header = *h, .header_more = more });
}

static rc_t give_bytes(view_t rlp)
{
    why = (err_t){ 0 };
    return query_give(query, &why, 0, &(answer_t){ .kind = NEED_HEAD_BYTES, .code = rlp });
}

START_TEST(the_header_with_the_hash_is_taken)
{
    const ex_header_t h = header_of(8);
    hash32_t hash;
    ex_header_hash(&hash, &h);
    ask(&hash, false);
    ck_assert_ptr_null(ex_head_result(query));
    ck_assert_int_eq(give(&h, true), RC_OK); /* members more are no matter when the hash is right */
    ck_assert_int_eq(query_step(query, &why), RC_OK);
    ck_assert_uint_eq(ex_head_result(query)->number, 77);
    ck_assert_uint_eq(ex_head_result(query)->slot_number, 9);
    ck_assert(!ex_head_wants_bytes(query));
    query_free(query);
}
END_TEST

/* An endpoint that goes by a schema without slotNumber does not lie: its bytes may be whole. */
START_TEST(a_header_without_its_last_member_is_asked_for_as_bytes)
{
    static const unsigned tails[] = { 3, 4, 7 };
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        ex_header_t h = header_of(8);
        char want[60];
        hash32_t hash;
        ex_header_hash(&hash, &h);
        ask(&hash, false);
        h.tail = tails[i];
        snprintf(want, sizeof want, "has %u fields, and no header has so many", 15 + tails[i]);
        ck_assert_int_eq(give(&h, false), RC_MALFORMED);
        ck_assert_str_eq(why.text, want);
        ck_assert(ex_head_wants_bytes(query));
        ck_assert_ptr_null(ex_head_result(query));
        query_free(query);
    }
}
END_TEST

START_TEST(another_header_is_a_lie_whose_reason_counts_its_fields)
{
    ex_header_t h = header_of(8);
    hash32_t hash;
    ex_header_hash(&hash, &h);
    ask(&hash, false);
    h.number++;
    ck_assert_int_eq(give(&h, false), RC_REFUSED);
    ck_assert_str_eq(why.text, "its 23 fields have another hash");
    h = header_of(6);
    ck_assert_int_eq(give(&h, false), RC_REFUSED);
    ck_assert_str_eq(why.text, "its 21 fields have another hash");
    ck_assert(!ex_head_wants_bytes(query));
    ck_assert_ptr_null(ex_head_result(query));
    ck_assert_int_eq(query_step(query, &why), RC_LIMIT);
    h = header_of(8);
    ck_assert_int_eq(give(&h, false), RC_OK); /* by the next endpoint */
    query_free(query);
}
END_TEST

START_TEST(members_more_and_another_hash_claim_a_newer_fork)
{
    ex_header_t h = header_of(8);
    hash32_t hash;
    ex_header_hash(&hash, &h);
    hash.b[0] ^= 1;
    ask(&hash, false);
    ck_assert_int_eq(give(&h, true), RC_UNSUPPORTED);
    ck_assert_str_eq(why.text, "its fields have another hash, and it has some that this build does not know");
    ck_assert(ex_head_wants_bytes(query));
    ck_assert_int_eq(query_step(query, &why), RC_LIMIT);
    query_free(query);
}
END_TEST

/* The bytes of a header and fields more, and their hash. */
static view_t bytes_of(uint8_t *buf, size_t cap, hash32_t *hash, unsigned more)
{
    const ex_header_t h = header_of(8);
    rlp_item_t list;
    uint8_t header[EX_HEADER_RLP_MAX];
    wr_t w = wr_of(header, sizeof header), out = wr_of(buf, cap);
    ex_header_encode(&w, &h);
    ck_assert_int_eq(rlp_decode(&list, wr_view(&w)), RC_OK);
    wr_bytes(&out, list.payload.p, list.payload.n);
    for (unsigned i = 0; i < more; i++)
        rlp_put_u64(&out, i);
    rlp_wrap_list(&out, 0);
    keccak256(hash, wr_view(&out));
    return wr_view(&out);
}

START_TEST(bytes_with_the_hash_that_cannot_be_read_prove_a_newer_fork)
{
    uint8_t buf[EX_HEADER_RLP_MAX + 64];
    for (unsigned more = 0; more < 3; more++) {
        hash32_t hash, other;
        view_t rlp = bytes_of(buf, sizeof buf, &hash, more);
        other = hash;
        other.b[31] ^= 1;
        ask(&other, true);
        ck_assert_int_eq(give_bytes(rlp), RC_REFUSED);
        ck_assert_str_eq(why.text, "its bytes have another hash");
        ck_assert_int_eq(query_step(query, &why), RC_LIMIT);
        query_free(query);
        ask(&hash, true);
        ck_assert_int_eq(give_bytes(rlp), RC_OK);
        ck_assert_int_eq(query_step(query, &why), more ? RC_UNSUPPORTED : RC_OK);
        ck_assert_int_eq(ex_head_result(query) != NULL, more == 0);
        query_free(query);
    }
}
END_TEST

START_TEST(an_answer_to_something_else_is_our_own_fault)
{
    const ex_header_t h = header_of(8);
    hash32_t hash;
    ex_header_hash(&hash, &h);
    ask(&hash, false);
    ck_assert_int_eq(query_give(query, &why, 1, &(answer_t){ .kind = NEED_HEAD, .header = h }), RC_BUG);
    ck_assert_int_eq(give_bytes(view_str("")), RC_BUG);
    query_free(query);
}
END_TEST

/* The need of the block access list beside the header's. */
static rc_t give_changes(view_t rlp)
{
    why = (err_t){ 0 };
    return query_give(query, &why, 1, &(answer_t){ .kind = NEED_CHANGES, .code = rlp });
}

static void ask_with_changes(const ex_header_t *h, ex_head_kind_t kind)
{
    const need_t *needs;
    hash32_t hash;
    ex_header_hash(&hash, h);
    ck_assert_int_eq(ex_head_new(&query, &why, &hash, kind), RC_OK);
    ck_assert_int_eq(query_step(query, &why), RC_NEED_DATA);
    ck_assert_uint_eq(query_needs(query, &needs), 2);
    ck_assert_int_eq(needs[1].kind, NEED_CHANGES);
    ck_assert_int_eq(needs[1].origin, kind == EX_HEAD_WITH_CHANGES ? NEED_NAMED : NEED_GUESSED);
    ck_assert(hash32_eq(&needs[1].block->block_hash, &hash));
}

START_TEST(a_block_access_list_comes_with_the_header_and_has_the_hash_that_it_says)
{
    static const uint8_t list[] = { 0xc0 }, other[] = { 0xc1, 0xc0 };
    ex_header_t h = header_of(8);
    keccak256(&h.block_access_list_hash, view_of(list, 1));
    ask_with_changes(&h, EX_HEAD_AND_CHANGES);
    ck_assert_int_eq(give_changes(view_of(list, 1)), RC_IO); /* before its header: nobody can tell */
    ck_assert_int_eq(give(&h, false), RC_OK);
    ck_assert_ptr_null(ex_head_changes(query).p);
    ck_assert_int_eq(give_changes(view_of(other, 2)), RC_REFUSED);
    ck_assert_str_eq(why.text, "it has another hash than its block's header says");
    ck_assert_ptr_null(ex_head_changes(query).p);
    ck_assert_int_eq(give_changes(view_of(list, 1)), RC_OK);
    ck_assert_int_eq(give_changes(view_of(list, 1)), RC_OK);
    ck_assert_int_eq(query_step(query, &why), RC_OK);
    ck_assert(view_eq(ex_head_changes(query), view_of(list, 1)));
    query_free(query);
}
END_TEST

START_TEST(a_head_can_do_without_the_list_unless_it_is_what_was_asked_for)
{
    ex_header_t h = header_of(8);
    ask_with_changes(&h, EX_HEAD_AND_CHANGES);
    ck_assert_int_eq(give(&h, false), RC_OK);
    ck_assert_int_eq(query_step(query, &why), RC_OK);
    query_free(query);
    ask_with_changes(&h, EX_HEAD_WITH_CHANGES);
    ck_assert_int_eq(give(&h, false), RC_OK);
    ck_assert_int_eq(query_step(query, &why), RC_LIMIT);
    ck_assert_str_eq(why.text, "no endpoint has the block access list");
    ck_assert_uint_eq(why.code, EX_HEAD_LIST_PRUNED);
    query_free(query);
    h = header_of(6);
    ask_with_changes(&h, EX_HEAD_WITH_CHANGES);
    ck_assert_int_eq(give(&h, false), RC_OK);
    ck_assert_int_eq(give_changes(view_of("", 0)), RC_IO);
    ck_assert_int_eq(query_step(query, &why), RC_LIMIT);
    ck_assert_str_eq(why.text, "a block of before Amsterdam has no block access list");
    ck_assert_uint_eq(why.code, EX_HEAD_NO_LIST);
    query_free(query);
}
END_TEST

int main(void)
{
    return UNIT_RUN(
        "head", the_header_with_the_hash_is_taken, another_header_is_a_lie_whose_reason_counts_its_fields,
        a_header_without_its_last_member_is_asked_for_as_bytes, members_more_and_another_hash_claim_a_newer_fork,
        bytes_with_the_hash_that_cannot_be_read_prove_a_newer_fork, an_answer_to_something_else_is_our_own_fault,
        a_block_access_list_comes_with_the_header_and_has_the_hash_that_it_says,
        a_head_can_do_without_the_list_unless_it_is_what_was_asked_for);
}
