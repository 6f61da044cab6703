/* Names of a dstack gateway, both ways, and names that are none. */
#include <check.h>
#include <stdio.h>

#include "rpc/members/gateway.h"
#include "tests/unit/unit.h"

#define ID "ea549f02e1a25fabd1cb788380e033ec5461b2ff"
#define LABEL_63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"

static const struct {
    const char *name;
    gateway_form_t form;
    uint16_t port;
    const char *written; /* NULL: as it was read */
} names[] = {
    { ID ".dstack.example", GATEWAY_PLAIN, 80, NULL },
    { ID "-s.dstack.example", GATEWAY_TLS, 443, NULL },
    { ID "-g.dstack.example", GATEWAY_GRPC, 80, NULL },
    { ID "-8080.dstack.example", GATEWAY_PLAIN, 8080, NULL },
    { ID "-3032s.dstack.example", GATEWAY_TLS, 3032, NULL },
    { ID "-50051g.dstack.example", GATEWAY_GRPC, 50051, NULL },
    { ID "-1.a", GATEWAY_PLAIN, 1, NULL },
    { ID "-65535s.a-b.c1", GATEWAY_TLS, 65535, NULL },
    { ID "-80s.a.b", GATEWAY_TLS, 80, NULL },
    { ID "-443.a.b", GATEWAY_PLAIN, 443, NULL },
    { ID "-443g.a.b", GATEWAY_GRPC, 443, NULL },
    { "a." LABEL_63 "." LABEL_63, GATEWAY_PLAIN, 80, NULL },
    { ID "-.dstack.example", GATEWAY_PLAIN, 80, ID ".dstack.example" },
    { ID "-80.dstack.example", GATEWAY_PLAIN, 80, ID ".dstack.example" },
    { ID "-80g.dstack.example", GATEWAY_GRPC, 80, ID "-g.dstack.example" },
    { ID "-443s.dstack.example", GATEWAY_TLS, 443, ID "-s.dstack.example" },
};

static const char *const bad[] = {
    "",
    ".",
    "a",
    "a.",
    ".a",
    ID,
    ID ".",
    ID "..dstack.example",
    ID ".dstack..example",
    ID ".dstack.example.",
    ID ".dstack.example-",
    ID ".-dstack.example",
    ID ".dstack_example",
    ID ".Dstack.example",
    ID ".dstack.example:443",
    ID ".dstack.example/",
    ID ".dst ack",
    ID "." LABEL_63 "4",
    "a." LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63,
    "-s.dstack.example",
    "-.dstack.example",
    "EA549F02.dstack.example",
    "ea_549.dstack.example",
    "ea 549.dstack.example",
    "*.dstack.example",
    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffff7.a",
    ID "-sg.dstack.example",
    ID "-gs.dstack.example",
    ID "-ss.dstack.example",
    ID "-gg.dstack.example",
    ID "-443sg.dstack.example",
    ID "-s443.dstack.example",
    ID "-S.dstack.example",
    ID "-0.dstack.example",
    ID "-0s.dstack.example",
    ID "-0443s.dstack.example",
    ID "-65536.dstack.example",
    ID "-99999s.dstack.example",
    ID "-123456.dstack.example",
    ID "-+1.dstack.example",
    ID "-1 .dstack.example",
    ID "-0x50.dstack.example",
    ID "-8080-s.dstack.example",
    ID "--s.dstack.example",
    ID "-443-.dstack.example",
    ID "-x.dstack.example",
};

START_TEST(names_are_read_and_written)
{
    char out[GATEWAY_NAME_MAX + 1];
    err_t e;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        gateway_name_t n;
        ck_assert_msg(gateway_read(&n, &e, view_str(names[i].name)) == RC_OK, "%s: %s", names[i].name, e.text);
        ck_assert_msg(n.form == names[i].form && n.port == names[i].port, "%s", names[i].name);
        const size_t id = strcspn(names[i].name, "-.");
        ck_assert(view_eq(n.id, view_of(names[i].name, id)));
        ck_assert(view_eq(n.base, view_str(strchr(names[i].name, '.') + 1)));
        ck_assert_msg(gateway_write(out, &e, &n) == RC_OK, "%s: %s", names[i].name, e.text);
        ck_assert_str_eq(out, names[i].written ? names[i].written : names[i].name);
    }
}
END_TEST

START_TEST(what_is_no_name_is_refused_and_leaves_the_result_alone)
{
    ck_assert_uint_ge(sizeof bad / sizeof bad[0], 40);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gateway_name_t n = { .port = 7 };
        err_t e = { .rc = RC_OK };
        ck_assert_msg(gateway_read(&n, &e, view_str(bad[i])) == RC_MALFORMED, "%s", bad[i]);
        ck_assert_uint_eq(n.port, 7);
        ck_assert(e.text[0]);
    }
    gateway_name_t n;
    ck_assert_int_eq(gateway_read(&n, NULL, view_of("a\0.b", 4)), RC_MALFORMED);
}
END_TEST

START_TEST(parts_that_make_no_name_are_refused)
{
    const gateway_name_t good = { view_str(ID), GATEWAY_TLS, 443, view_str("a.b") };
    gateway_name_t all[5] = { good, good, good, good, good };
    char out[GATEWAY_NAME_MAX + 1] = "kept", base[GATEWAY_NAME_MAX + 1];
    memset(base, 'a', sizeof base);
    for (size_t i = 60; i < GATEWAY_NAME_MAX - 1; i += 60)
        base[i] = '.';
    all[0].port = 0;
    all[1].id = view_str("a-b");
    all[2].id = view_str("");
    all[3].base = view_str("a..b");
    all[4].base = view_of(base, GATEWAY_NAME_MAX); /* a domain, but with the id before it too long */
    ck_assert(gateway_is_domain(all[4].base));
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(gateway_write(out, NULL, &all[i]), RC_MALFORMED);
    ck_assert_str_eq(out, "kept");
    ck_assert_int_eq(gateway_write(out, NULL, &good), RC_OK);
    ck_assert_str_eq(out, ID "-s.a.b");
}
END_TEST

int main(void)
{
    return UNIT_RUN("gateway_name", names_are_read_and_written, what_is_no_name_is_refused_and_leaves_the_result_alone,
                    parts_that_make_no_name_are_refused);
}
