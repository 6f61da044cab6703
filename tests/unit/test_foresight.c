/* node/chain/foresight.c against two endpoints on loopback that know a fork of which this build knows nothing. */
#include <stdio.h>

#include "base/os/clock.h"
#include "lightclient/networks.h"
#include "node/chain/foresight.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/unit.h"

#define WAIT_MS 10000

static bool answer(int fd, const char *body)
{
    char head[256];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             strlen(body));
    return say(fd, head) && say(fd, body);
}

static bool beacon(int fd, const char *request)
{
    if (!strstr(request, "GET /eth/v1/config/spec HTTP/1.1"))
        return say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    return answer(fd, "{\"data\":{\"HEZE_FORK_EPOCH\":\"600000\"}}");
}

static bool execution(int fd, const char *request)
{
    if (!strstr(request, "\"method\":\"eth_config\""))
        return say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    return answer(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"current\":{\"activationTime\":1900000000}}}");
}

static bool fails(int fd, const char *request)
{
    (void)request;
    return say(fd, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 36\r\n\r\n"
                   "{\"data\":{\"HEZE_FORK_EPOCH\":\"600000\"}}");
}

static up_t *endpoints_of(fake_t *first, fake_t *second)
{
    char urls[2][64];
    const char *list[2] = { urls[0], urls[1] };
    snprintf(urls[0], sizeof urls[0], "http://127.0.0.1:%u/", first->port);
    snprintf(urls[1], sizeof urls[1], "http://127.0.0.1:%u", second->port);
    up_t *u = up_new(list, 2);
    ck_assert_ptr_nonnull(u);
    return u;
}

static uint64_t newer(up_t *u, size_t i, char reason[UP_REASON_MAX])
{
    up_status_t rows[UP_ENDPOINTS_MAX];
    up_snapshot(u, rows);
    memcpy(reason, rows[i].newer_reason, UP_REASON_MAX);
    ck_assert_uint_eq(rows[i].lies + rows[i].failures + rows[i].requests, 0);
    return rows[i].newer;
}

START_TEST(every_endpoint_is_asked_and_what_it_claims_is_counted)
{
    fake_t *servers[] = { fake_new(beacon), fake_new(execution), fake_new(fails) };
    char reason[UP_REASON_MAX];
    hc_t *http = hc_new(NULL);
    up_t *consensus = endpoints_of(servers[2], servers[0]), *other = endpoints_of(servers[2], servers[1]);
    foresight_t *f;
    err_t e;
    ck_assert_int_eq(foresight_start(&f, &e,
                                     &(foresight_config_t){ .http = http,
                                                            .consensus = consensus,
                                                            .execution = other,
                                                            .network = lc_network_find("mainnet"),
                                                            .chain = lc_builtin_find("mainnet")->execution,
                                                            .first_ms = 1 }),
                     RC_OK);
    for (int waited = 0; waited < WAIT_MS && (!newer(consensus, 1, reason) || !newer(other, 1, reason)); waited += 10)
        usleep(10000);
    ck_assert_uint_eq(newer(consensus, 1, reason), 1);
    ck_assert_str_eq(reason, "HEZE_FORK_EPOCH is 600000 (slot 19200000), a fork that this build does not know");
    ck_assert_uint_eq(newer(other, 1, reason), 1);
    ck_assert_str_eq(reason, "eth_config: current rules from 1900000000 on, a time at which no known fork begins");
    ck_assert_uint_eq(newer(consensus, 0, reason) + newer(other, 0, reason), 0);
    ck_assert_uint_eq(servers[2]->requests, 2);
    foresight_free(f);
    foresight_free(NULL);
    hc_free(http);
    up_free(consensus);
    up_free(other);
    for (size_t i = 0; i < 3; i++)
        fake_free(servers[i]);
}
END_TEST

START_TEST(who_asked_for_time_is_not_asked)
{
    fake_t *servers[] = { fake_new(beacon), fake_new(execution), fake_new(fails) };
    hc_t *http = hc_new(NULL);
    up_t *consensus = endpoints_of(servers[0], servers[2]), *other = endpoints_of(servers[1], servers[2]);
    foresight_t *f;
    err_t e;
    up_report(consensus, 0, RC_IO, "HTTP status 429", 60000, clock_monotonic_ms());
    up_report(other, 0, RC_IO, "HTTP status 429", 60000, clock_monotonic_ms());
    ck_assert_int_eq(foresight_start(&f, &e,
                                     &(foresight_config_t){ .http = http,
                                                            .consensus = consensus,
                                                            .execution = other,
                                                            .network = lc_network_find("mainnet"),
                                                            .chain = lc_builtin_find("mainnet")->execution,
                                                            .first_ms = 1 }),
                     RC_OK);
    for (int waited = 0; waited < WAIT_MS && servers[2]->requests < 2; waited += 10)
        usleep(10000);
    ck_assert_uint_eq(servers[2]->requests, 2);
    ck_assert_uint_eq(servers[0]->requests + servers[1]->requests, 0);
    foresight_free(f);
    hc_free(http);
    up_free(consensus);
    up_free(other);
    for (size_t i = 0; i < 3; i++)
        fake_free(servers[i]);
}
END_TEST

int main(void)
{
    return UNIT_RUN("foresight", who_asked_for_time_is_not_asked,
                    every_endpoint_is_asked_and_what_it_claims_is_counted);
}
