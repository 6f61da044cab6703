/* multistream-select: the bytes of the specification, both ends against each other in any portions, and what is refused. */
#include "overlay/wire/multistream.h"
#include "tests/unit/wire_id.h"

#define HEADER "132f6d756c746973747265616d2f312e302e300a"
#define PING "112f697066732f70696e672f312e302e300a"
#define NA "036e610a"

static const char *const served[] = { "/ipfs/ping/1.0.0", "/kettle/attest/1" };

static const char *serves(void *ctx, view_t name)
{
    (void)ctx;
    for (size_t i = 0; i < 2; i++)
        if (view_eq(name, view_str(served[i])))
            return served[i];
    return NULL;
}

static const char *const ping[] = { "/ipfs/ping/1.0.0" };

/* Source: overlay-facts section 6 (lengths), libp2p/specs connections/README.md. */
START_TEST(the_bytes_are_those_of_the_specification)
{
    uint8_t buf[256];
    size_t used;
    mss_t a, b;
    mss_open(&a, ping, 1);
    CK_VIEW_IS(mss_output(&a), HEADER PING);
    mss_sent(&a, mss_output(&a).n);
    mss_accept(&b, serves, NULL);
    CK_VIEW_IS(mss_output(&b), HEADER);
    mss_sent(&b, mss_output(&b).n);
    view_t in = wire_hex(buf, sizeof buf, HEADER PING "aabb"); /* the protocol's own bytes follow */
    ck_assert_int_eq(mss_take(&b, &used, in), RC_OK);
    ck_assert(b.state == MSS_AGREED && b.chosen == served[0] && used == in.n - 2);
    CK_VIEW_IS(mss_output(&b), PING);
    in = wire_hex(buf, sizeof buf, HEADER PING "aabb");
    ck_assert_int_eq(mss_take(&a, &used, in), RC_OK);
    ck_assert(a.state == MSS_AGREED && a.chosen == ping[0] && used == in.n - 2);
    ck_assert_int_eq(mss_take(&a, &used, in), RC_OK); /* nothing is taken any more */
    ck_assert_uint_eq(used, 0);
}
END_TEST

/* Moves up to so many bytes; false when there was nothing. */
static bool carry(mss_t *from, mss_t *to, size_t most)
{
    size_t used;
    view_t v = mss_output(from);
    v.n = v.n < most ? v.n : most;
    if (!v.n)
        return false;
    uint8_t *exact = wire_exact(v);
    ck_assert_int_eq(mss_take(to, &used, view_of(exact, v.n)), RC_OK);
    free(exact);
    mss_sent(from, used);
    return used != 0;
}

START_TEST(two_ends_agree_in_any_portions)
{
    static const char *const wanted[] = { "/none/1", "/none/2", "/none/3", "/kettle/attest/1", "/ipfs/ping/1.0.0" };
    for (size_t portion = 1; portion < 100; portion++) {
        mss_t a, b;
        mss_open(&a, wanted, 5);
        mss_accept(&b, serves, NULL);
        for (bool there = true, back = true; there || back;) {
            there = carry(&a, &b, portion);
            back = carry(&b, &a, portion);
        }
        ck_assert(a.state == MSS_AGREED && b.state == MSS_AGREED);
        ck_assert_str_eq(a.chosen, "/kettle/attest/1");
        ck_assert_str_eq(b.chosen, "/kettle/attest/1");
    }
}
END_TEST

START_TEST(an_opener_that_finds_nothing_says_so)
{
    uint8_t buf[256];
    size_t used;
    mss_t a;
    mss_open(&a, ping, 1);
    ck_assert_int_eq(mss_take(&a, &used, wire_hex(buf, sizeof buf, HEADER NA)), RC_UNSUPPORTED);
    ck_assert_int_eq(a.state, MSS_FAILED);
    ck_assert_int_eq(mss_take(&a, &used, wire_hex(buf, sizeof buf, PING)), RC_REFUSED);
}
END_TEST

START_TEST(a_listener_answers_only_so_many_proposals)
{
    uint8_t buf[64];
    size_t used;
    mss_t b;
    mss_accept(&b, serves, NULL);
    ck_assert_int_eq(mss_take(&b, &used, wire_hex(buf, sizeof buf, HEADER)), RC_OK);
    for (unsigned i = 0; i <= MSS_PROPOSALS_MAX; i++) {
        mss_sent(&b, mss_output(&b).n);
        rc_t rc = mss_take(&b, &used, wire_hex(buf, sizeof buf, "036c730a")); /* ls, which nobody answers any more */
        ck_assert_int_eq(rc, i < MSS_PROPOSALS_MAX ? RC_OK : RC_LIMIT);
        if (!rc)
            CK_VIEW_IS(mss_output(&b), NA);
    }
}
END_TEST

/* Who does not read our answers is not read either. */
START_TEST(a_listener_whose_answers_wait_takes_nothing)
{
    uint8_t buf[64];
    size_t used = 0, taken = 0;
    mss_t b;
    mss_accept(&b, serves, NULL);
    view_t first = wire_hex(buf, sizeof buf, HEADER);
    ck_assert_int_eq(mss_take(&b, &used, first), RC_OK);
    view_t no = wire_hex(buf, sizeof buf, "036c730a");
    for (int i = 0; i < 64 && b.state == MSS_RUNNING; i++) {
        rc_t rc = mss_take(&b, &used, no);
        taken += used;
        ck_assert(rc == RC_OK || rc == RC_LIMIT);
        ck_assert_uint_le(b.out_n, sizeof b.out);
    }
    ck_assert_uint_le(taken, 4 * (MSS_PROPOSALS_MAX + 1));
}
END_TEST

START_TEST(what_is_no_message_is_refused)
{
    static const struct {
        const char *hex;
        rc_t rc;
    } rows[] = {
        { "00", RC_MALFORMED },                                       /* length 0 */
        { "016e", RC_MALFORMED },                                     /* no newline */
        { "010a", RC_MALFORMED },                                     /* an empty text is no header */
        { "132f6d756c746973747265616d2f312e302e3000", RC_MALFORMED }, /* a NUL for a newline */
        { "132f6d756c746973747265616d2f312e312e300a", RC_MALFORMED }, /* another version */
        { "8108", RC_LIMIT },                                         /* 1025 */
        { "808001", RC_LIMIT },
        { "ffffffffffffffff7f", RC_LIMIT },
        { "9300", RC_MALFORMED }, /* 19 in two bytes */
    };
    uint8_t buf[64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int opener = 0; opener < 2; opener++) {
            size_t used;
            mss_t m;
            if (opener)
                mss_open(&m, ping, 1);
            else
                mss_accept(&m, serves, NULL);
            ck_assert_msg(mss_take(&m, &used, wire_hex(buf, sizeof buf, rows[i].hex)) == rows[i].rc, "row %zu", i);
            ck_assert_int_eq(m.state, MSS_FAILED);
        }
    size_t used;
    mss_t a;
    mss_open(&a, ping, 1); /* an answer that was not asked for */
    ck_assert_int_eq(mss_take(&a, &used, wire_hex(buf, sizeof buf, HEADER "026c0a")), RC_MALFORMED);
    mss_open(&a, ping, 1); /* two headers */
    ck_assert_int_eq(mss_take(&a, &used, wire_hex(buf, sizeof buf, HEADER HEADER)), RC_MALFORMED);
}
END_TEST

START_TEST(a_message_of_1024_bytes_is_answered)
{
    uint8_t message[2 + MSS_MESSAGE_MAX], buf[64];
    size_t used;
    mss_t b;
    memset(message, 'x', sizeof message);
    message[0] = 0x80, message[1] = 0x08, message[sizeof message - 1] = '\n';
    mss_accept(&b, serves, NULL);
    mss_sent(&b, mss_output(&b).n);
    ck_assert_int_eq(mss_take(&b, &used, wire_hex(buf, sizeof buf, HEADER)), RC_OK);
    ck_assert_int_eq(mss_take(&b, &used, view_of(message, sizeof message)), RC_OK);
    ck_assert_uint_eq(used, sizeof message);
    CK_VIEW_IS(mss_output(&b), NA);
}
END_TEST

int main(void)
{
    return UNIT_RUN("multistream", the_bytes_are_those_of_the_specification, two_ends_agree_in_any_portions,
                    an_opener_that_finds_nothing_says_so, a_listener_answers_only_so_many_proposals,
                    a_listener_whose_answers_wait_takes_nothing, what_is_no_message_is_refused,
                    a_message_of_1024_bytes_is_answered);
}
