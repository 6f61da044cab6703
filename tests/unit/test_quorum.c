/* Which checkpoint a quorum of servers names: the rule alone, as a table. */
#include "node/setup/quorum.h"
#include "tests/unit/unit.h"

#define DEAD                                                                                                           \
    {                                                                                                                  \
        .answered = false                                                                                              \
    }
#define AT(n)                                                                                                          \
    {                                                                                                                  \
        .answered = true, .epoch = (n)                                                                                 \
    }

START_TEST(the_epoch_is_the_highest_that_so_many_have_finalized)
{
    static const struct {
        const char *what;
        quorum_server_t servers[5];
        size_t quorum;
        uint64_t oldest, epoch;
        rc_t rc;
    } rows[] = {
        { "all alike", { AT(10), AT(10), AT(10), AT(10), AT(10) }, 3, 0, 10, RC_OK },
        { "one is behind, one ahead", { AT(9), AT(10), AT(10), AT(11), AT(10) }, 3, 0, 10, RC_OK },
        { "three of five are ahead", { AT(9), AT(9), AT(11), AT(11), AT(12) }, 3, 0, 11, RC_OK },
        { "a far-future epoch claimed by one", { AT(UINT64_MAX), AT(10), AT(10), AT(10), DEAD }, 3, 0, 10, RC_OK },
        { "likewise by two", { AT(UINT64_MAX), AT(999999), AT(10), AT(10), AT(10) }, 3, 0, 10, RC_OK },
        { "a liar who is behind holds nobody back", { AT(0), AT(10), AT(10), AT(10), AT(10) }, 3, 0, 10, RC_OK },
        { "two are dead", { DEAD, AT(10), DEAD, AT(10), AT(12) }, 3, 0, 10, RC_OK },
        { "three are dead", { DEAD, AT(10), DEAD, DEAD, AT(12) }, 3, 0, 0, RC_NEED_DATA },
        { "all have to agree", { AT(10), AT(10), AT(8), AT(10), AT(10) }, 5, 0, 8, RC_OK },
        { "the oldest that may be", { AT(10), AT(10), AT(10), DEAD, DEAD }, 3, 10, 10, RC_OK },
        { "all are older than the bound", { AT(10), AT(10), AT(10), AT(9), AT(8) }, 3, 11, 0, RC_LIMIT },
        { "one alone is not", { AT(10), AT(10), AT(10), AT(9), AT(50) }, 3, 11, 0, RC_LIMIT },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t epoch = 77;
        err_t e = { 0 };
        const rc_t rc = quorum_epoch(&epoch, &e, rows[i].servers, 5, rows[i].quorum, rows[i].oldest);
        ck_assert_msg(rc == rows[i].rc, "%s: %d %s", rows[i].what, rc, e.text);
        ck_assert_msg(epoch == (rc ? 77 : rows[i].epoch), "%s: %llu", rows[i].what, (unsigned long long)epoch);
        ck_assert(!rc == !e.text[0]);
    }
}
END_TEST

#define SAYS(n)                                                                                                        \
    {                                                                                                                  \
        .answered = true, .named = true, .root = { { (n) } }                                                           \
    }
#define SILENT                                                                                                         \
    {                                                                                                                  \
        .answered = true                                                                                               \
    }

START_TEST(the_root_is_what_so_many_name)
{
    static const struct {
        const char *what;
        quorum_server_t servers[5];
        size_t quorum;
        uint8_t root;
        uint32_t by;
        rc_t rc;
    } rows[] = {
        { "five of five", { SAYS(1), SAYS(1), SAYS(1), SAYS(1), SAYS(1) }, 3, 1, 31, RC_OK },
        { "three against two", { SAYS(2), SAYS(1), SAYS(2), SAYS(1), SAYS(1) }, 3, 1, 26, RC_OK },
        { "three, one lies, one is dead", { SAYS(1), SAYS(2), SAYS(1), SILENT, SAYS(1) }, 3, 1, 21, RC_OK },
        { "two of five", { SAYS(1), SAYS(1), SAYS(2), SAYS(3), SAYS(4) }, 3, 0, 0, RC_REFUSED },
        { "two against two", { SAYS(1), SAYS(1), SAYS(2), SAYS(2), SILENT }, 3, 0, 0, RC_REFUSED },
        { "three are silent", { SAYS(1), SAYS(1), SILENT, SILENT, SILENT }, 3, 0, 0, RC_NEED_DATA },
        { "three, and four have to", { SAYS(1), SAYS(1), SAYS(1), SAYS(2), SILENT }, 4, 0, 0, RC_REFUSED },
        { "what is not named does not count",
          { { .root = { { 1 } } }, SAYS(1), SAYS(1), SILENT, SILENT },
          3,
          0,
          0,
          RC_NEED_DATA },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hash32_t root = { { 77 } };
        uint32_t by = 77;
        err_t e = { 0 };
        const rc_t rc = quorum_root(&root, &by, &e, rows[i].servers, 5, rows[i].quorum);
        ck_assert_msg(rc == rows[i].rc, "%s: %d %s", rows[i].what, rc, e.text);
        ck_assert_msg(root.b[0] == (rc ? 77 : rows[i].root) && by == (rc ? 77 : rows[i].by), "%s", rows[i].what);
        ck_assert(!rc == !e.text[0]);
    }
}
END_TEST

/* The header Kettle-Node: members of one cluster have each other's data. */
START_TEST(nodes_like_this_one_count_as_one_server)
{
    quorum_server_t servers[5] = { SAYS(1), SAYS(1), SAYS(1), SAYS(2), SAYS(2) };
    hash32_t root;
    uint64_t epoch = 0;
    uint32_t by;
    err_t e = { 0 };
    ck_assert_int_eq(quorum_root(&root, &by, &e, servers, 5, 3), RC_OK);
    servers[0].node = true; /* one node beside two others is a server like them */
    ck_assert_int_eq(quorum_root(&root, &by, &e, servers, 5, 3), RC_OK);
    ck_assert_uint_eq(by, 7);
    servers[1].node = true;
    ck_assert_int_eq(quorum_root(&root, &by, &e, servers, 5, 3), RC_REFUSED);
    ck_assert_int_eq(quorum_epoch(&epoch, &e, servers, 5, 4, 0), RC_OK);
    servers[2].node = true;
    ck_assert_int_eq(quorum_epoch(&epoch, &e, servers, 5, 4, 0), RC_NEED_DATA);
    ck_assert_int_eq(quorum_root(&root, &by, &e, servers, 1, 1), RC_OK); /* the setup lists it alone */
}
END_TEST

START_TEST(a_refusal_counts_them)
{
    static const quorum_server_t servers[5] = { SAYS(1), SAYS(1), SAYS(2), DEAD, DEAD };
    hash32_t root;
    uint64_t epoch;
    uint32_t by;
    err_t e;
    ck_assert_int_eq(quorum_root(&root, &by, &e, servers, 5, 3), RC_REFUSED);
    ck_assert_str_eq(e.text, "no checkpoint is named by 3 of 5 servers: 3 name one, at most 2 the same");
    ck_assert_int_eq(quorum_epoch(&epoch, &e, servers, 5, 4, 0), RC_NEED_DATA);
    ck_assert_str_eq(e.text, "3 of 5 servers say what is finalized, and 4 have to");
    ck_assert_int_eq(quorum_epoch(&epoch, &e, servers, 5, 3, 1), RC_LIMIT);
    ck_assert_str_eq(e.text, "the newest epoch that 3 of 5 servers have finalized is 0, which is too old");
}
END_TEST

int main(void)
{
    return UNIT_RUN("quorum", the_epoch_is_the_highest_that_so_many_have_finalized, the_root_is_what_so_many_name,
                    nodes_like_this_one_count_as_one_server, a_refusal_counts_them);
}
