/* In which order the batches to one endpoint go: the shares of clients count over both sorts. */
#include <check.h>

#include "node/query/flight_turns.h"
#include "tests/unit/unit.h"

#define PLACES 8u /* of which one has two, while others wait */

static struct guest *guests;
static turns_t narrow, wide;
static hs_client_t clients[2];
static batch_t batches[2][8];

static void begin(void)
{
    memset(batches, 0, sizeof batches);
    narrow = wide = (turns_t){ .in_air = 0 };
    turns_init(&narrow, &guests, 0, PLACES);
    turns_init(&wide, &guests, 1, PLACES);
    for (size_t c = 0; c < 2; c++) {
        clients[c].refs = 1; /* the test's own */
        for (size_t i = 0; i < 8; i++)
            batches[c][i].client = &clients[c];
    }
}

static void end(void)
{
    ck_assert_ptr_null(guests);
    for (size_t c = 0; c < 2; c++)
        ck_assert_uint_eq(clients[c].refs, 1);
}

START_TEST(who_has_his_share_by_one_sort_has_none_by_the_other)
{
    begin();
    for (size_t i = 0; i < 4; i++)
        turns_queue(i < 2 ? &narrow : &wide, &batches[0][i]);
    ck_assert_ptr_eq(turns_take(&narrow), &batches[0][0]);
    ck_assert_ptr_eq(turns_take(&narrow), &batches[0][1]);
    ck_assert_ptr_eq(turns_peek(&wide), &batches[0][2]); /* nobody else waits */
    turns_queue(&wide, &batches[1][0]);
    ck_assert_ptr_eq(turns_take(&wide), &batches[1][0]);
    ck_assert_ptr_eq(turns_take(&wide), &batches[0][2]);
    turns_end(&narrow, &batches[0][0], 0);
    turns_end(&wide, &batches[0][2], 0);
    turns_queue(&wide, &batches[1][1]);
    ck_assert_ptr_eq(turns_take(&wide), &batches[0][3]); /* he has one, and came first */
    ck_assert(turns_remove(&wide, &batches[1][1]));
    turns_end(&narrow, &batches[0][1], 0);
    turns_end(&wide, &batches[0][3], 0);
    turns_end(&wide, &batches[1][0], 0);
    end();
}
END_TEST

START_TEST(who_has_his_share_lets_the_other_sort_go_first)
{
    begin();
    for (size_t i = 0; i < 3; i++)
        turns_queue(&narrow, &batches[0][i]);
    for (size_t i = 0; i < 2; i++)
        (void)turns_take(&narrow);
    ck_assert(!turns_yields(&narrow, &wide)); /* where nobody waits */
    turns_queue(&wide, &batches[0][3]);
    ck_assert(!turns_yields(&narrow, &wide)); /* he waits there himself */
    turns_queue(&wide, &batches[1][0]);
    ck_assert(turns_yields(&narrow, &wide));
    ck_assert(!turns_yields(&wide, &narrow));
    turns_end(&narrow, &batches[0][0], 0);
    ck_assert(!turns_yields(&narrow, &wide));
    ck_assert(turns_remove(&narrow, &batches[0][2]));
    ck_assert(turns_remove(&wide, &batches[0][3]));
    ck_assert(turns_remove(&wide, &batches[1][0]));
    turns_end(&narrow, &batches[0][1], 0);
    end();
}
END_TEST

int main(void)
{
    return UNIT_RUN("flight_turns", who_has_his_share_by_one_sort_has_none_by_the_other,
                    who_has_his_share_lets_the_other_sort_go_first);
}
