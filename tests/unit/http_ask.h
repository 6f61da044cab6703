/* http_ask.h - one request by the HTTP client, whose errors are checked to tell no secrets. */
#ifndef TESTS_HTTP_ASK_H
#define TESTS_HTTP_ASK_H

#include <check.h>
#include <stdio.h>

#include "http/client.h"

static inline hc_response_t ask(hc_t *c, uint16_t port, hc_request_t q)
{
    hc_response_t r;
    char url[120];
    snprintf(url, sizeof url, "http://user:pa55word@127.0.0.1:%u/secretkey?token=hidden", port);
    if (!q.url)
        q.url = url;
    hc_perform(c, &r, &q, 1, NULL, NULL);
    ck_assert_msg(!strstr(r.why.text, "pa55word") && !strstr(r.why.text, "secretkey") && !strstr(r.why.text, "hidden"),
                  "%s", r.why.text);
    ck_assert_msg((r.why.rc == RC_OK) == (r.why.text[0] == 0), "%s: %s", rc_name(r.why.rc), r.why.text);
    if (r.why.rc != RC_OK)
        ck_assert_msg(r.body == NULL && r.body_len == 0, "a failed request leaves a body");
    return r;
}

static const hc_request_t hasty = {
    .connect_timeout_ms = 1000, .timeout_ms = 1500, .stall_timeout_ms = 300, .body_max = 1 << 20
};

#endif
