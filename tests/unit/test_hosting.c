/* Where the ports are and who stands in front of them: what the measured file says, and what a setup may not. */
#include <check.h>
#include <stdio.h>

#include "node/config/config.h"
#include "tests/unit/unit.h"

#define DIGEST "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

static hosting_t h;

static rc_t read(err_t *e, const char *base)
{
    bool open = false;
    memset(&h, 0, sizeof h);
    return config_check_base(&open, &h, e, view_str(base));
}

START_TEST(the_measured_file_says_where_the_ports_are)
{
    err_t e;
    ip_t ip;
    ck_assert_int_eq(read(&e, "{}"), RC_OK);
    ck_assert(!h.listen_count && !h.proxies.count && !h.proxy_protocol && !h.has_token);
    ck_assert_uint_eq(h.memory_max, HOSTING_MEMORY_MAX);
    const hosting_memory_t usual = hosting_memory(&h), unread = hosting_memory(&(hosting_t){ .memory_max = 0 });
    ck_assert(usual.cache == (size_t)64 << 20 && usual.bodies == (size_t)32 << 20 && usual.answers == (size_t)48 << 20);
    ck_assert_uint_eq(usual.websockets, (size_t)24 << 20);
    ck_assert(!memcmp(&usual, &unread, sizeof usual));
    ck_assert_int_eq(read(&e, "{\"memory_max\":1024}"), RC_OK);
    ck_assert_uint_eq(hosting_memory(&h).cache, (size_t)256 << 20);
    ck_assert_msg(read(&e, "{\"listen\":[\"127.0.0.1\",\"::1\"],\"proxies\":[\"10.0.0.0/8\"],\"proxy_protocol\":true,"
                           "\"setup_token_sha256\":\"" DIGEST "\"}") == RC_OK,
                  "%s: %s", e.field, e.text);
    ck_assert_uint_eq(h.listen_count, 2);
    ck_assert_str_eq(h.listen[0], "127.0.0.1");
    ck_assert_str_eq(h.listen[1], "::1");
    ck_assert(ip_read(&ip, view_str("10.1.2.3")) && proxies_have(&h.proxies, &ip));
    ck_assert(h.proxy_protocol && h.has_token);
    ck_assert_uint_eq(h.token_sha256.b[31], 0x20);
    ck_assert_uint_eq(h.proxy_header, PROXY_X_FORWARDED_FOR);
    ck_assert_int_eq(read(&e, "{\"proxy_header\":\"forwarded\"}"), RC_OK);
    ck_assert_uint_eq(h.proxy_header, PROXY_FORWARDED);
}
END_TEST

START_TEST(what_is_no_address_network_or_word_is_named)
{
    static const struct {
        const char *base, *field;
    } rows[] = {
        { "{\"listen\":[]}", "listen" },
        { "{\"listen\":\"127.0.0.1\"}", "listen" },
        { "{\"listen\":[\"localhost\"]}", "listen[0]" },
        { "{\"listen\":[\"127.0.0.1\",\"127.0.0.1:80\"]}", "listen[1]" },
        { "{\"proxies\":[\"10.0.0.0/33\"]}", "proxies[0]" },
        { "{\"proxies\":[\"10.0.0.1\",\"\"]}", "proxies[1]" },
        { "{\"proxy_protocol\":\"pp\"}", "proxy_protocol" },
        { "{\"proxy_header\":\"x-real-ip\"}", "proxy_header" },
        { "{\"memory_max\":63}", "memory_max" },
        { "{\"memory_max\":\"64\"}", "memory_max" },
        { "{\"setup_token_sha256\":\"0x01\"}", "setup_token_sha256" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err_t e;
        ck_assert_msg(read(&e, rows[i].base) == RC_MALFORMED, "%s", rows[i].base);
        ck_assert_msg(strcmp(e.field, rows[i].field) == 0, "%s: %s", rows[i].base, e.field);
    }
}
END_TEST

START_TEST(the_command_line_may_say_where_the_ports_are)
{
    static const struct {
        const char *text;
        rc_t rc;
        size_t count;
    } rows[] = { { "127.0.0.1", RC_OK, 1 },
                 { "10.0.0.1,::1", RC_OK, 2 },
                 { "", RC_MALFORMED, 0 },
                 { "10.0.0.1,", RC_MALFORMED, 0 },
                 { "localhost", RC_MALFORMED, 0 },
                 { "10.0.0.1, ::1", RC_MALFORMED, 0 },
                 { "1.1.1.1,2.2.2.2,3.3.3.3,4.4.4.4,5.5.5.5,6.6.6.6,7.7.7.7,8.8.8.8,9.9.9.9", RC_LIMIT, 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hosting_t at = { .listen_count = 1 };
        err_t e;
        ck_assert_msg(hosting_set_listen(&at, &e, rows[i].text) == rows[i].rc, "%s", rows[i].text);
        ck_assert_msg(rows[i].rc || at.listen_count == rows[i].count, "%s", rows[i].text);
        ck_assert_msg(rows[i].rc || !strncmp(at.listen[0], rows[i].text, strlen(at.listen[0])), "%s", at.listen[0]);
    }
}
END_TEST

START_TEST(a_setup_says_nothing_of_it)
{
    static const char *const keys[] = { "\"listen\":[\"127.0.0.1\"]", "\"proxies\":[\"10.0.0.1\"]",
                                        "\"proxy_protocol\":true", "\"memory_max\":64",
                                        "\"setup_token_sha256\":\"" DIGEST "\"" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        config_t *c = NULL;
        err_t e;
        char text[300];
        snprintf(text, sizeof text, "{\"peers\":[],\"port\":1,\"execution_rpc\":\"http://a\",%s}", keys[i]);
        ck_assert_msg(config_read(&c, &e, (view_t){ NULL, 0 }, view_str(text), true) != RC_OK, "%s", keys[i]);
        ck_assert_msg(strstr(keys[i], e.field), "%s: %s", keys[i], e.field);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("hosting", the_measured_file_says_where_the_ports_are, what_is_no_address_network_or_word_is_named,
                    the_command_line_may_say_where_the_ports_are, a_setup_says_nothing_of_it);
}
