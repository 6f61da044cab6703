/* Authorization groups: the bytes of their frames, and who is given a group's secret on live connections. */
#include "overlay/groups.h"

#include "base/hex.h"
#include "overlay/wire/proto.h"
#include "tests/unit/app_world.h"

static err_t e;
static uint8_t group[MSG_GROUP_LEN];

/* ---- bytes ---- */

static group_frame_t request(void)
{
    group_frame_t m = { .is_request = true };
    memset(m.id, 0x11, sizeof m.id);
    memset(m.group, 0x22, sizeof m.group);
    memset(m.ephemeral, 0x33, sizeof m.ephemeral);
    return m;
}

static group_frame_t share(void)
{
    group_frame_t m = { .status = GROUP_OK, .rule = view_str("rule") };
    memset(m.id, 0x11, sizeof m.id);
    memset(m.ephemeral, 0x33, sizeof m.ephemeral);
    memset(m.pubkey, 0x44, sizeof m.pubkey);
    memset(m.sealed, 0x55, sizeof m.sealed);
    return m;
}

static size_t write(uint8_t *out, size_t cap, const group_frame_t *m)
{
    wr_t w = wr_of(out, cap);
    group_frame_write(&w, m);
    ck_assert(!w.bad);
    return w.n;
}

START_TEST(frames_read_as_written_and_no_part_of_them_does)
{
    const group_frame_t rows[] = { request(), share(), { .status = GROUP_BUSY } };
    for (size_t k = 0; k < 3; k++) {
        uint8_t bytes[1024], again[1024];
        group_frame_t m;
        const size_t n = write(bytes, sizeof bytes, &rows[k]);
        ck_assert_int_eq(group_frame_read(&m, &e, view_of(bytes, n)), RC_OK);
        ck_assert_uint_eq(write(again, sizeof again, &m), n);
        ck_assert_mem_eq(bytes, again, n);
        ck_assert(m.is_request == rows[k].is_request && m.status == rows[k].status);
        for (size_t i = 0; i < n; i++) {
            uint8_t *exact = malloc(i + 1);
            memcpy(exact, bytes, i);
            m.status = GROUP_BUSY;
            ck_assert_msg(group_frame_read(&m, &e, view_of(exact, i)) == RC_MALFORMED, "%zu: %zu", k, i);
            free(exact);
        }
    }
}
END_TEST

START_TEST(what_makes_no_frame_is_refused)
{
    static uint8_t long_rule[GROUP_RULE_MAX + 1], bytes[GROUP_FRAME_MAX + 64];
    group_frame_t m = share(), out;
    m.rule = view_of(long_rule, GROUP_RULE_MAX);
    size_t n = write(bytes, GROUP_FRAME_MAX, &m);
    ck_assert_int_eq(group_frame_read(&out, &e, view_of(bytes, n)), RC_OK);
    m.rule = view_of(long_rule, GROUP_RULE_MAX + 1);
    n = write(bytes, sizeof bytes, &m);
    ck_assert_int_eq(group_frame_read(&out, &e, view_of(bytes, n)), RC_MALFORMED);
    ck_assert_int_eq(group_frame_read(&out, &e, view_of(bytes, GROUP_FRAME_MAX + 1)), RC_LIMIT);
    m = share();
    m.rule.n = 0;
    n = write(bytes, sizeof bytes, &m);
    ck_assert_int_eq(group_frame_read(&out, &e, view_of(bytes, n)), RC_MALFORMED);
    m = (group_frame_t){ .status = (group_status_t)4 };
    n = write(bytes, sizeof bytes, &m);
    ck_assert_int_eq(group_frame_read(&out, &e, view_of(bytes, n)), RC_MALFORMED);
    m = request();
    n = write(bytes, sizeof bytes, &m);
    memcpy(bytes + n, bytes, n); /* everything twice */
    ck_assert_int_eq(group_frame_read(&out, &e, view_of(bytes, 2 * n)), RC_MALFORMED);
}
END_TEST

/* ---- live ---- */

static rc_t tell_group(size_t i, const char *text)
{
    const message_out_t out = { .type = "chat", .mode = MSG_GROUP, .group = group, .payload = view_str(text) };
    err_clear(&e);
    return overlay_send_all(apps[i].o, &e, &out);
}

static void begin(size_t n, bool row, const char *rule)
{
    apps_world(20);
    apps_open(n, row);
    ck_assert_msg(overlay_make_group(apps[0].o, group, &e, view_str(rule)) == RC_OK, "%s", e.text);
    ck_assert_uint_eq(apps[0].grouped, 1);
}

START_TEST(whom_the_rule_admits_gets_the_secret_and_gives_it_on)
{
    begin(4, true, "everybody"); /* 0 - 1 - 2 - 3 */
    for (size_t i = 1; i < 3; i++) {
        ck_assert_int_eq(overlay_join_group(apps[i].o, &e, group), RC_OK);
        ck_assert_int_eq(overlay_join_group(apps[i].o, &e, group), RC_REPLAY);
        apps_run(500);
        ck_assert_msg(apps[i].grouped == 1, "%zu", i);
    }
    ck_assert_int_eq(tell_group(1, "us"), RC_OK);
    apps_run(100);
    ck_assert(apps[0].got == 1 && apps[2].got == 1);
    ck_assert_int_eq(tell_group(2, "three"), RC_OK);
    apps_run(100);
    ck_assert(apps[1].got == 1 && apps[3].got == 0); /* a neighbour, and no member of the group */
    apps_close();
}
END_TEST

START_TEST(whom_the_rule_does_not_admit_gets_nothing)
{
    begin(2, false, "nobody");
    ck_assert_int_eq(overlay_join_group(apps[1].o, &e, group), RC_OK);
    apps_run(20000);
    ck_assert(apps[1].grouped == 0 && apps[1].peers == 1 && apps[0].lost == 0);
    ck_assert_int_eq(tell_group(1, "x"), RC_REFUSED);
    ck_assert_int_eq(tell_group(0, "x"), RC_OK);
    apps_run(100);
    ck_assert_uint_eq(apps[1].got, 0);
    apps_close();
}
END_TEST

START_TEST(the_rule_is_judged_at_the_moment_of_giving)
{
    begin(2, false, "everybody");
    world.verdict = E_TCB_STATUS; /* newer collateral says so */
    ck_assert_int_eq(overlay_join_group(apps[1].o, &e, group), RC_OK);
    apps_run(300);
    ck_assert_uint_eq(apps[1].grouped, 0);
    world.verdict = TEE_OK;
    apps_run(GROUP_AGAIN_MS + 2000); /* it is asked again */
    ck_assert_uint_eq(apps[1].grouped, 1);
    apps_close();
}
END_TEST

START_TEST(a_group_is_found_once_somebody_has_it_and_left_at_will)
{
    static const uint8_t other[MSG_GROUP_LEN] = { 9 };
    begin(3, true, "everybody");
    ck_assert_int_eq(overlay_join_group(apps[2].o, &e, other), RC_OK); /* nobody has it */
    ck_assert_int_eq(overlay_join_group(apps[2].o, &e, group), RC_OK);
    apps_run(1000);
    ck_assert_uint_eq(apps[2].grouped, 0); /* its neighbour has not */
    ck_assert_int_eq(overlay_join_group(apps[1].o, &e, group), RC_OK);
    apps_run(4 * GROUP_AGAIN_MS);
    ck_assert(apps[1].grouped == 1 && apps[2].grouped == 1);
    overlay_leave_group(apps[1].o, group);
    ck_assert_int_eq(tell_group(1, "x"), RC_REFUSED);
    overlay_leave_group(apps[1].o, group);
    ck_assert_int_eq(overlay_join_group(apps[1].o, &e, group), RC_OK);
    apps_run(2 * GROUP_AGAIN_MS);
    ck_assert_uint_eq(apps[1].grouped, 2);
    apps_close();
}
END_TEST

START_TEST(groups_have_their_bounds)
{
    uint8_t id[MSG_GROUP_LEN], before[MSG_GROUP_LEN];
    begin(1, false, "everybody");
    memcpy(before, group, sizeof before);
    ck_assert_int_eq(overlay_make_group(apps[0].o, id, &e, view_str("no policy")), RC_MALFORMED);
    ck_assert_int_eq(overlay_make_group(apps[0].o, id, &e, view_str("")), RC_LIMIT);
    for (unsigned i = 1; i < MESSAGES_GROUPS_MAX; i++) {
        ck_assert_int_eq(overlay_make_group(apps[0].o, id, &e, view_str("everybody")), RC_OK);
        ck_assert_mem_ne(id, before, sizeof id); /* of one rule, each has its own secret */
        memcpy(before, id, sizeof before);
    }
    ck_assert_int_eq(overlay_make_group(apps[0].o, id, &e, view_str("everybody")), RC_LIMIT);
    ck_assert_int_eq(overlay_join_group(apps[0].o, &e, (const uint8_t[MSG_GROUP_LEN]){ 1 }), RC_LIMIT);
    apps_close();
}
END_TEST

/* The maker's stream by hand: an answer that nobody asked for ends the connection. */
static void raw_gone(void *ctx, net_stream_t *s, rc_t why)
{
    (void)ctx, (void)s, (void)why;
}

START_TEST(a_share_that_nobody_asked_for_ends_the_connection)
{
    static const net_protocol_t p = { .name = GROUP_PROTOCOL, .closed = raw_gone };
    const group_frame_t m = share();
    uint8_t buf[1024];
    wr_t w = wr_of(buf, sizeof buf);
    net_stream_t *s;
    apps_world(21);
    app_count = 2;
    for (size_t i = 0; i < 2; i++) {
        app_new(&apps[i], app_words[i]);
        apps[i].config.found = i == 0;
        app_start(&apps[i]);
    }
    app_dial(1, 0);
    while (!apps[1].peers)
        apps_run(5);
    group_frame_write(&w, &m);
    pb_delimit(&w, 0);
    ck_assert_int_eq(net_open(net_first(apps[0].net), &s, &p, NULL), RC_OK); /* reset where one is open already, */
    ck_assert_int_eq(net_write(s, wr_view(&w)), RC_OK);
    apps_run(300);
    ck_assert_uint_eq(apps[1].grouped, 0); /* and refused else: in no case is it taken */
    apps_close();
}
END_TEST

int main(void)
{
    return UNIT_RUN("groups", frames_read_as_written_and_no_part_of_them_does, what_makes_no_frame_is_refused,
                    whom_the_rule_admits_gets_the_secret_and_gives_it_on, whom_the_rule_does_not_admit_gets_nothing,
                    the_rule_is_judged_at_the_moment_of_giving, a_group_is_found_once_somebody_has_it_and_left_at_will,
                    groups_have_their_bounds, a_share_that_nobody_asked_for_ends_the_connection);
}
