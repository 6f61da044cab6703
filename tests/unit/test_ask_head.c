/* A head's header, and the block access list that comes with it if it can be had: whatever becomes of the list, the header is
 * there, and its endpoint has done well. */
#include "lightclient/exec/head.h"
#include "tests/unit/ask_world.h"

#define LIST_ROW ((size_t)27) /* bytes of the RLP of an account that was only touched */

static ex_header_t header;
static query_t *done;
static err_t why;

/* The list of a block that touched so many accounts, from malloc, and its hash. */
static char *list_of(hash32_t *hash, size_t n)
{
    static const char row[] = "{\"address\":\"0x%040zx\",\"storageChanges\":[],\"storageReads\":[],"
                              "\"balanceChanges\":[],\"nonceChanges\":[],\"codeChanges\":[]}";
    char *text = malloc(n * sizeof row * 2 + 3), *at = text;
    uint8_t *buf = malloc(n * LIST_ROW + 16);
    ck_assert(text && buf);
    wr_t w = wr_of(buf, n * LIST_ROW + 16);
    *at++ = '[';
    for (size_t i = 1; i <= n; i++) {
        const size_t began = w.n;
        addr_t addr = { { 0 } };
        for (size_t b = 0; b < 8; b++)
            addr.b[19 - b] = (uint8_t)(i >> 8 * b);
        if (i > 1)
            *at++ = ',';
        at += sprintf(at, row, i);
        rlp_put_bytes(&w, view_of(addr.b, sizeof addr.b));
        for (unsigned k = 0; k < 5; k++)
            rlp_wrap_list(&w, w.n);
        rlp_wrap_list(&w, began);
    }
    memcpy(at, "]", 2);
    rlp_wrap_list(&w, 0);
    ck_assert(!w.bad);
    keccak256(hash, wr_view(&w));
    free(buf);
    return text;
}

/* A world with a block of Amsterdam that touched so many accounts; its list, from malloc. */
static char *start_block(size_t accounts)
{
    open_world("00");
    header = (ex_header_t){ .number = 77,
                            .gas_limit = 200000000,
                            .gas_used = 102000000,
                            .timestamp = 1791294816,
                            .tail = ex_header_tail(EVM_AMSTERDAM),
                            .slot_number = 9 };
    char *list = list_of(&header.block_access_list_hash, accounts);
    ends[0].list = ends[1].list = list;
    past = &header;
    past_count = 1;
    return list;
}

static void finish(char *take_list)
{
    query_free(done);
    done = NULL;
    past = NULL;
    past_count = past_hashes = 0;
    close_world();
    free(take_list);
}

static rc_t ask(ex_head_kind_t kind)
{
    hash32_t hash;
    query_t *q;
    query_free(done);
    done = NULL;
    ex_header_hash(&hash, &header);
    ck_assert_int_eq(ex_head_new(&q, &why, &hash, kind), RC_OK);
    return ask_wait(&done, &why, engine, q);
}

/* The header came, without its list; the endpoint that gave it has so many faults, and the other one was not asked. */
static void expect_header(unsigned batches, unsigned faults)
{
    ck_assert_msg(ask(EX_HEAD_AND_CHANGES) == RC_OK, "%s", why.text);
    ck_assert_ptr_nonnull(ex_head_result(done));
    ck_assert_uint_eq(ex_head_result(done)->slot_number, 9);
    ck_assert_ptr_null(ex_head_changes(done).p);
    ck_assert_uint_eq(ends[0].batches, batches);
    ck_assert_uint_eq(ends[1].batches, 0);
    ck_assert_uint_eq(status_of(0).failures, faults);
    ck_assert_uint_eq(status_of(0).lies, faults);
    ck_assert_int_eq(status_of(0).failing, faults > 0);
}

static void expect_header_alone(unsigned batches)
{
    expect_header(batches, 0);
}

START_TEST(a_list_comes_with_its_header_in_one_batch)
{
    char *list = start_block(3);
    ck_assert_msg(ask(EX_HEAD_AND_CHANGES) == RC_OK, "%s", why.text);
    ck_assert_uint_eq(ex_head_changes(done).n, 3 * LIST_ROW + 2);
    ck_assert_uint_eq(ends[0].batches, 1);
    ck_assert_uint_eq(ends[1].batches, 0);
    finish(list);
}
END_TEST

/* None of these costs more than the list: a member of another name, no list. */
START_TEST(a_bad_list_costs_the_list_alone)
{
    static const char *const lists[] = { "[{\"address\":\"0x1111111111111111111111111111111111111111\","
                                         "\"storageChanges\":[{\"slot\":\"0x1\",\"changes\":[]}],\"storageReads\":[],"
                                         "\"balanceChanges\":[],\"nonceChanges\":[],\"codeChanges\":[]}]",
                                         "\"0xc0\"", "{}", "[[]]" };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char *list = start_block(3);
        ends[0].list = ends[1].list = lists[i];
        expect_header_alone(1);
        ck_assert_int_eq(ask(EX_HEAD_WITH_CHANGES), RC_IO); /* who needs it is told, and the endpoints have a fault */
        ck_assert_uint_eq(status_of(0).failures, 1);
        finish(list);
    }
}
END_TEST

START_TEST(a_list_of_another_hash_is_a_lie_and_costs_no_header)
{
    char *list = start_block(3);
    ends[0].list = ends[1].list = "[]";
    expect_header(1, 1);
    finish(list);
}
END_TEST

/* A text of which nothing can be made for the list in it: its other answers are asked for again, once. */
START_TEST(a_list_that_spoils_the_text_costs_the_list_alone)
{
    static const char *const lists[] = { "[{\"address\":1,\"address\":2}]", "[\"\\u0000\"]", "[\x80]", "[" };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char *list = start_block(3);
        ends[0].list = ends[1].list = lists[i];
        expect_header_alone(2);
        ck_assert_uint_eq(ends[0].elements, 2 + 1);
        finish(list);
    }
}
END_TEST

/* Anybody may make a block touch so many accounts, for some 100 million gas. */
START_TEST(a_list_of_too_many_values_costs_the_list_alone)
{
    char *list = start_block(34000);
    expect_header_alone(2);
    ck_assert_uint_eq(ends[0].elements, 2 + 1);
    finish(list);
}
END_TEST

/* A server that takes no request with the method in it. */
START_TEST(a_batch_that_is_refused_for_the_list_costs_the_list_alone)
{
    char *list = start_block(3);
    ends[0].failing = "eth_getBlockAccessList";
    expect_header_alone(3); /* both, the header, the list */
    finish(list);
}
END_TEST

/* Who asks for the list itself is told that those who were asked have it no more. */
START_TEST(a_list_that_nobody_keeps_is_told_as_such)
{
    char *list = start_block(3);
    ends[0].refused = ends[1].refused = "eth_getBlockAccessList";
    ends[0].words = ends[1].words = "pruned history unavailable";
    ck_assert_int_eq(ask(EX_HEAD_WITH_CHANGES), RC_LIMIT);
    ck_assert_uint_eq(why.code, EX_HEAD_LIST_PRUNED);
    ck_assert_uint_eq(ends[1].batches, 1);
    finish(list);
}
END_TEST

/* A block of 200 million gas that is full of the cheapest transactions, 12,000 gas each. */
START_TEST(a_header_comes_with_as_many_hashes_as_a_block_can_have)
{
    char *list = start_block(3);
    past_hashes = header.gas_limit / 12000;
    ck_assert_msg(ask(EX_HEAD_ONLY) == RC_OK, "%s", why.text);
    ck_assert_msg(ask(EX_HEAD_AND_CHANGES) == RC_OK, "%s", why.text);
    past_hashes = EX_RECEIPTS_MAX;
    ck_assert_msg(ask(EX_HEAD_ONLY) == RC_OK, "%s", why.text);
    ck_assert_uint_eq(ends[0].batches, 3);
    ck_assert_uint_eq(status_of(0).failures, 0);
    past_hashes = 2 * EX_RECEIPTS_MAX; /* of no block */
    ck_assert_int_eq(ask(EX_HEAD_ONLY), RC_IO);
    ck_assert(strstr(why.text, "larger than allowed"));
    finish(list);
}
END_TEST

int main(void)
{
    return UNIT_RUN("ask_head", a_list_comes_with_its_header_in_one_batch, a_bad_list_costs_the_list_alone,
                    a_list_of_another_hash_is_a_lie_and_costs_no_header,
                    a_list_that_spoils_the_text_costs_the_list_alone, a_list_of_too_many_values_costs_the_list_alone,
                    a_batch_that_is_refused_for_the_list_costs_the_list_alone, a_list_that_nobody_keeps_is_told_as_such,
                    a_header_comes_with_as_many_hashes_as_a_block_can_have);
}
