/* POSTs that were led to another place before: they go there first, and back to their own URL where that fails. */
#include "tests/unit/fake_server.h"
#include "tests/unit/http_ask.h"
#include "tests/unit/unit.h"

#define THERE "/there?key=hidden"

static atomic_uint asked_first, asked_there;
static atomic_int first_says; /* status of /first */

/* /second leads to /first, and that to THERE; elsewhere the path is the status, 0 to hang up. */
static bool be_leading(int fd, const char *request)
{
    char text[160];
    const char *path = strchr(request, ' ') + 1;
    if (!strncmp(path, THERE " ", sizeof THERE)) {
        atomic_fetch_add(&asked_there, 1);
        return say(fd, "HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nthere");
    }
    const bool first = !strncmp(path, "/first", 6), second = !strncmp(path, "/second", 7);
    atomic_fetch_add(&asked_first, first);
    const int status = first ? atomic_load(&first_says) : second ? 308 : atoi(path + 1);
    if (!status)
        return false;
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\nLocation: %s\r\nContent-Length: 2\r\n\r\n{}", status,
             second ? "/first" : THERE);
    return say(fd, text);
}

static hc_response_t ask_leading(hc_t *c, const fake_t *f, const char *path, const char *led, bool post)
{
    char url[100], to[120];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", f->port, path);
    snprintf(to, sizeof to, "http://127.0.0.1:%u%s", f->port, led ? led : "");
    hc_request_t q = hasty;
    q.url = url;
    q.led = led && led[0] == '/' ? to : led;
    q.post = post ? view_str("{}") : view_of(NULL, 0);
    atomic_store(&asked_first, 0);
    atomic_store(&asked_there, 0);
    return ask(c, f->port, q);
}

START_TEST(where_a_post_was_led_is_told_when_the_answer_is_of_use)
{
    static const struct {
        const char *path;
        int says;
        bool post, led, for_good;
    } rows[] = { { "/first", 308, true, true, true },    { "/first", 307, true, true, false },
                 { "/second", 308, true, true, true },   { "/second", 307, true, true, false },
                 { "/first", 308, false, false, false }, { "/first", 200, true, false, false },
                 { "/first", 302, true, false, false },  { "/second", 500, true, false, false } };
    fake_t *f = fake_new(be_leading);
    hc_t *c = hc_new(NULL);
    char there[100];
    snprintf(there, sizeof there, "http://127.0.0.1:%u" THERE, f->port);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atomic_store(&first_says, rows[i].says);
        hc_response_t r = ask_leading(c, f, rows[i].path, NULL, rows[i].post);
        ck_assert_msg(!r.why.rc && !r.led_failed && (r.led != NULL) == rows[i].led, "row %zu: %s", i, r.why.text);
        if (r.led)
            ck_assert_msg(!strcmp(r.led, there) && r.led_for_good == rows[i].for_good, "row %zu: %s", i, r.led);
        hc_response_clear(&r);
        ck_assert_ptr_null(r.led);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

/* Where it gives nothing, the request's own URL is asked, once, by the rules of redirects. */
START_TEST(a_post_goes_first_where_it_was_led_before)
{
    static const struct {
        const char *path, *led;
        bool post;
        int says, status;
        unsigned first, there;
        bool failed, leads;
    } rows[] = {
        { "/first", THERE, true, 308, 200, 0, 1, false, false },
        { "/first", THERE, false, 308, 200, 1, 1, false, false }, /* no GET does */
        { "/first", "/404", true, 308, 200, 1, 1, true, true },
        { "/first", "/500", true, 200, 200, 1, 0, true, false },
        { "/first", "/307", true, 200, 200, 1, 0, true, false }, /* a way further is none of its own */
        { "/first", "/0", true, 308, 200, 1, 1, true, true },
        { "/first", "http://127.0.0.1:1/", true, 308, 200, 1, 1, true, true },
        { "/first", "ftp://127.0.0.1/", true, 308, 200, 1, 1, false, true }, /* no redirect may lead there */
        { "/first", "/429", true, 308, 429, 0, 0, true, false },             /* it wants to be left alone */
        { "/first", "/503", true, 308, 503, 0, 0, true, false },
        { "/first", "/404", true, 500, 500, 1, 0, true, false },
    };
    fake_t *f = fake_new(be_leading);
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atomic_store(&first_says, rows[i].says);
        hc_response_t r = ask_leading(c, f, rows[i].path, rows[i].led, rows[i].post);
        ck_assert_msg(!r.why.rc && r.status == rows[i].status, "row %zu: %d %s", i, r.status, r.why.text);
        ck_assert_msg(atomic_load(&asked_first) == rows[i].first && atomic_load(&asked_there) == rows[i].there,
                      "row %zu: %u %u", i, atomic_load(&asked_first), atomic_load(&asked_there));
        ck_assert_msg(r.led_failed == rows[i].failed && (r.led != NULL) == rows[i].leads, "row %zu", i);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

/* Nor does a mix of redirects last because the first of them does. */
START_TEST(as_many_redirects_are_followed_behind_a_place_that_failed_as_without_one)
{
    static const char *const places[] = { "/404", "/307", "http://127.0.0.1:1/" };
    fake_t *f = fake_new(be_leading);
    hc_t *c = hc_new(NULL);
    atomic_store(&first_says, 307);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        hc_response_t r = ask_leading(c, f, "/second", places[i], true);
        ck_assert_msg(!r.why.rc && r.status == 200 && r.led && !r.led_for_good && r.led_failed, "%d %s", r.status,
                      r.why.text);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(f);
}
END_TEST

/* A certificate's promise, and what is out in the world, hold for a place that was kept as for a redirect: the request
 * fails at its own URL. */
START_TEST(nothing_kept_leads_where_no_redirect_may)
{
    static const char *const urls[] = { "https://127.0.0.1:1/", "http://192.0.2.1:1/" };
    fake_t *f = fake_new(be_leading);
    hc_t *c = hc_new(NULL);
    char led[100];
    snprintf(led, sizeof led, "http://127.0.0.1:%u" THERE, f->port);
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        hc_request_t q = hasty;
        q.url = urls[i];
        q.led = led;
        q.post = view_str("{}");
        q.connect_timeout_ms = 300;
        hc_response_t r = ask(c, f->port, q);
        ck_assert_msg(r.why.rc && !r.led_failed, "%s: %d", urls[i], r.status);
        hc_response_clear(&r);
    }
    ck_assert_uint_eq(f->accepted, 0);
    hc_free(c);
    fake_free(f);
}
END_TEST

int main(void)
{
    return UNIT_RUN("http_led", where_a_post_was_led_is_told_when_the_answer_is_of_use,
                    a_post_goes_first_where_it_was_led_before,
                    as_many_redirects_are_followed_behind_a_place_that_failed_as_without_one,
                    nothing_kept_leads_where_no_redirect_may);
}
