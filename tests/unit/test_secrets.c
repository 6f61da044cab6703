/* Secrets of URLs in texts that others wrote: each way in which a part of one may stand there. */
#include <check.h>
#include <string.h>

#include "rpc/upstream/heard.h"
#include "rpc/upstream/secrets.h"
#include "tests/unit/unit.h"

#define URL "https://alice:s3cret%2Fpass@rpc.example.org:8443/v2/Key-0123_abc/x?apikey=Q%3Dabcdef&n=1#fragment"

static void hides(const char *url, const char *text, const char *want)
{
    char got[512] = "";
    memcpy(got, text, strlen(text));
    secrets_hide(got, url);
    ck_assert_str_eq(got, want);
}

START_TEST(every_form_of_every_part_is_blanked)
{
    static const char *const rows[][2] = {
        { "bad key Key-0123_abc.", "bad key ************." },
        { "KEY-0123_ABC key-0123_abc", "************ ************" },
        { "Key%2D0123%5fabc", "****************" },
        { "%4b%65%79%2d%30%31%32%33%5F%61%62%63!", "************************************!" },
        { "Q=abcdef", "********" },
        { "Q%3Dabcdef and Q%3dABCDEF", "********** and **********" },
        { "Q\\u003dabcdef", "*************" },
        { "pass s3cret/pass s3cret%2fpass s3cret\\/pass", "pass *********** ************* ************" },
        { "alice:s3cret/pass", "*****************" },
        { "alice%3As3cret%2Fpass", "*********************" },
        { "Basic YWxpY2U6czNjcmV0L3Bhc3M=", "Basic ***********************=" },
        { "apikey fragment", "****** ********" },
        { "cut off: Key-0123", "cut off: ********" },
        { "cut off: YWxpY2U6", "cut off: ********" },
        { "twice Key-0123_abcKey-0123_abc", "twice ************************" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        hides(URL, rows[i][0], rows[i][1]);
}
END_TEST

START_TEST(what_is_no_secret_stays)
{
    static const char *const rows[] = {
        "rpc.example.org:8443",
        "https: v2 x n=1 alice",
        "Key-0123_abx",
        "Key-0 is cut short",
        "%",
        "%4",
        "\\u00",
        "\\",
        "Q%3",
        "",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        hides(URL, rows[i], rows[i]);
    hides("http://host", "http://host", "http://host");
    hides("http://secret-host/", "secret-host", "secret-host");
    hides("http://@host/", "host", "host");
}
END_TEST

START_TEST(both_alphabets_of_base64_count)
{
    /* a~b?c>d~e~f:g?h~~? */
    static const char url[] = "http://a%7Eb%3Fc%3Ed%7Ee%7Ef:g%3Fh%7E%7E%3F@host/";
    hides(url, "YX5iP2M+ZH5lfmY6Zz9ofn4/", "************************");
    hides(url, "YX5iP2M-ZH5lfmY6Zz9ofn4_", "************************");
}
END_TEST

static void hides_place(const char *url, const char *text, const char *want)
{
    char got[512] = "";
    memcpy(got, text, strlen(text));
    secrets_hide_place(got, url);
    ck_assert_str_eq(got, want);
}

START_TEST(a_host_is_blanked_where_anybody_reads)
{
    hides_place(URL, "ask https://RPC.example.org:8443/v2/Key-0123_abc, rpc.example.org",
                "ask https://********************/v2/************, ***************");
    hides(URL, "ask rpc.example.org", "ask rpc.example.org");
    hides_place("http://rpc.example.org", "rpc.example.org:1234", "***************:1234");
    hides_place("http://a@geth:8545/", "geth at geth:8545: nonce too low", "geth at *********: nonce too low");
    hides_place("http://10.1.22.33:85/", "10.1.22.33 and 10.1.22.33:85", "********** and *************");
    hides_place("http://10.1.22.33", "10.1.22.33 and 10.1.22", "********** and *******");
    hides_place("http://[2001:db8::1]:85", "at [2001:db8::1]:85, [2001:DB8::1]", "at ****************, *************");
    hides_place("http://", "http", "http");
}
END_TEST

START_TEST(no_url_and_no_text_is_too_odd)
{
    static const char *const urls[] = {
        "", "://", "x", "http://", "http://a:b@", "@", "?abcdefg", "http://h/%zz%%%41abcdefg"
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        char text[] = "abcdefg %zz%%%41abcdefg";
        secrets_hide(text, urls[i]);
        ck_assert_uint_eq(strlen(text), strlen("abcdefg %zz%%%41abcdefg"));
    }
    hides("http://h/%zz%%%41abcdefg", "says %zz%%Aabcdefg", "says *************");
}
END_TEST

START_TEST(what_was_heard_is_printable_short_and_without_secrets)
{
    char body[] = "no\r\n\x1b[31m key\0 Key-0123_\x80"
                  "abc for you",
         heard[HEARD_MAX + 1], *end = heard + HEARD_MAX;
    hc_response_t r = { .body = (uint8_t *)body, .body_len = sizeof body - 1 };
    heard_of(heard, &r, URL);
    ck_assert_str_eq(heard, "no[31m key ************ for you");
    heard_of(heard, &r, NULL);
    ck_assert_str_eq(heard, "no[31m key Key-0123_abc for you");
    strcpy(r.moved, "https://other.example:443");
    heard_of(heard, &r, URL);
    ck_assert_str_eq(heard, "moved to https://other.example:443 no[31m key ************ for you");
    memset(r.moved, 'm', sizeof r.moved - 1);
    memset(heard, 'x', sizeof heard);
    heard_of(heard, &r, URL);
    ck_assert(!strncmp(heard, "moved to mmm", 12) && end[-1] == 'm' && !*end);
    r = (hc_response_t){ .body = (uint8_t *)heard, .body_len = 0 };
    heard_of(heard, &r, URL);
    ck_assert_str_eq(heard, "");
    ck_assert_str_eq(heard_word(heard), "");
    uint8_t many[300];
    memset(many, 'y', sizeof many);
    r = (hc_response_t){ .body = many, .body_len = sizeof many };
    heard_of(heard, &r, NULL);
    ck_assert_uint_eq(strspn(heard, "y"), HEARD_MAX);
    ck_assert_str_eq(heard_word(heard), "; it said: ");
    strcpy(r.content_type, "application/octet-stream");
    heard_of(heard, &r, NULL);
    ck_assert_str_eq(heard, "");
}
END_TEST

int main(void)
{
    return UNIT_RUN("secrets", every_form_of_every_part_is_blanked, what_is_no_secret_stays,
                    both_alphabets_of_base64_count, no_url_and_no_text_is_too_odd,
                    a_host_is_blanked_where_anybody_reads, what_was_heard_is_printable_short_and_without_secrets);
}
