/* node/chain/pulse.c against endpoints on loopback that die and come back. */
#include <stdio.h>
#include <time.h>

#include "base/os/clock.h"
#include "node/chain/pulse.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/logged.h"
#include "tests/unit/unit.h"

#define WAIT_MS 20000
#define EVERY_MS 10

static atomic_bool dead, other_chain, spent;
static atomic_bool paced, busy; /* no proof right after a chain id */
static atomic_uint proofs;

static bool endpoint(int fd, const char *request)
{
    char text[300];
    const char *body = other_chain ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x2\"}"
                                   : "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}";
    const bool proof = strstr(request, "\"method\":\"eth_getProof\"") != NULL;
    if (dead || (!proof && !strstr(request, "\"method\":\"eth_chainId\"")))
        return say(fd, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    if (proof)
        body = spent || (paced && busy)
                   ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32005,\"message\":\"daily limit\"}}"
                   : "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"accountProof\":[\"0xc0\"]}}";
    proofs += proof;
    busy = !proof;
    snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    return say(fd, text);
}

static bool broken(int fd, const char *request)
{
    (void)request;
    return say(fd, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 21\r\n\r\nunpaid: secret-of-mine");
}

typedef struct {
    fake_t *first, *second;
    hc_t *http;
    up_t *execution;
    pulse_t *pulse;
} world_t;

static void make(world_t *w, behave_t first, behave_t second)
{
    char urls[2][80];
    const char *list[2] = { urls[0], urls[1] };
    err_t e;
    w->first = fake_new(first);
    w->second = fake_new(second);
    snprintf(urls[0], sizeof urls[0], "http://127.0.0.1:%u/secret-of-mine", w->first->port);
    snprintf(urls[1], sizeof urls[1], "http://127.0.0.1:%u/", w->second->port);
    w->http = hc_new(NULL);
    w->execution = up_new(list, 2);
    ck_assert_int_eq(pulse_start(&w->pulse, &e,
                                 &(pulse_config_t){
                                     .http = w->http, .execution = w->execution, .chain_id = 1, .every_ms = EVERY_MS }),
                     RC_OK);
}

static void end(world_t *w)
{
    pulse_free(w->pulse);
    hc_free(w->http);
    up_free(w->execution);
    fake_free(w->first);
    fake_free(w->second);
}

/* Waits until it says so. */
static void until(world_t *w, err_t *why, bool beats)
{
    for (int ms = 0; ms < WAIT_MS && pulse_beats(w->pulse, why) != beats; ms += 5)
        usleep(5000);
    ck_assert_msg(pulse_beats(w->pulse, why) == beats, "%s", why->text);
}

START_TEST(one_good_endpoint_is_enough_and_all_that_are_dead_are_told)
{
    world_t w;
    err_t why;
    dead = other_chain = false;
    make(&w, broken, endpoint);
    for (int ms = 0; ms < WAIT_MS && w.second->requests < 3; ms += 5)
        usleep(5000);
    ck_assert(pulse_beats(w.pulse, &why));
    dead = true;
    until(&w, &why, false);
    ck_assert_str_eq(why.text, "execution_rpc[0]: HTTP status 401");
    for (int ms = 0; ms < WAIT_MS && !IS_LOGGED("be answered: execution_rpc[0]"); ms += 5)
        usleep(5000);
    ck_assert(IS_LOGGED("execution_rpc[0]: HTTP status 401; it said: unpaid: *************"));
    ck_assert(!IS_LOGGED("secret-of-min"));
    dead = false;
    until(&w, &why, true);
    other_chain = true;
    until(&w, &why, false);
    other_chain = false;
    until(&w, &why, true);
    ck_assert_str_eq(why.text, "");
    end(&w);
    pulse_free(NULL);
}
END_TEST

START_TEST(as_long_as_requests_are_answered_nobody_is_asked)
{
    world_t w;
    err_t why;
    up_status_t rows[UP_ENDPOINTS_MAX];
    dead = true;
    other_chain = false;
    make(&w, endpoint, endpoint);
    until(&w, &why, false);
    ck_assert_msg(!strstr(why.text, "secret"), "%s", why.text);
    for (int ms = 0; ms < WAIT_MS && !pulse_beats(w.pulse, &why);
         ms++) { /* a client's request succeeds, again and again */
        up_report(w.execution, 0, RC_OK, "", 0, clock_monotonic_ms());
        usleep(1000);
    }
    ck_assert(pulse_beats(w.pulse, &why));
    up_snapshot(w.execution, rows);
    ck_assert_uint_eq(rows[0].failures + rows[0].lies, 0); /* nobody is blamed for the look */
    until(&w, &why, false);
    end(&w);
}
END_TEST

/* It says which chain it is of, and refuses all else: found out at the start, or by what clients ask. */
START_TEST(an_endpoint_that_answers_nothing_but_its_chain_is_no_execution_rpc)
{
    world_t w;
    err_t why;
    dead = other_chain = false;
    spent = true;
    make(&w, broken, endpoint);
    until(&w, &why, false);
    ck_assert_str_eq(why.text, "execution_rpc[1]: eth_getProof: error -32005"); /* not its words */
    spent = false;
    until(&w, &why, true);
    const unsigned asked = proofs, at = w.second->requests;
    for (int ms = 0; ms < WAIT_MS && w.second->requests < at + 6; ms += 5)
        usleep(5000);
    ck_assert_uint_le(proofs, asked + 1); /* while nobody fails the chain id is enough */
    spent = true;
    up_report(w.execution, 1, RC_IO, "error -32005: daily limit", 0, clock_monotonic_ms());
    until(&w, &why, false);
    spent = false;
    until(&w, &why, true);
    end(&w);
    spent = true; /* both */
    make(&w, endpoint, endpoint);
    until(&w, &why, false);
    ck_assert_str_eq(why.text, "execution_rpc[0]: eth_getProof: error -32005");
    spent = false;
    end(&w);
}
END_TEST

/* It gives headers and receipts, which other requests than calls are glad of. */
START_TEST(what_is_no_proof_does_not_make_up_for_one)
{
    world_t w;
    err_t why;
    dead = other_chain = false;
    spent = true;
    make(&w, broken, endpoint);
    until(&w, &why, false);
    const unsigned from = proofs;
    for (int ms = 0; ms < WAIT_MS && proofs < from + 5; ms++) {
        up_report(w.execution, 1, RC_OK, "", 0, clock_monotonic_ms());
        usleep(1000);
        ck_assert(!pulse_beats(w.pulse, &why));
    }
    ck_assert_uint_ge(proofs, from + 5);
    spent = false;
    until(&w, &why, true);
    end(&w);
}
END_TEST

START_TEST(who_asked_for_time_is_given_it_while_there_is_another_one)
{
    world_t w;
    err_t why;
    dead = other_chain = spent = false;
    make(&w, broken, endpoint);
    for (int ms = 0; ms < WAIT_MS && !w.second->requests; ms += 5)
        usleep(5000);
    up_report(w.execution, 0, RC_IO, "HTTP status 429", 60000, clock_monotonic_ms());
    for (unsigned at = w.second->requests; w.second->requests < at + 2;)
        usleep(5000); /* the look that was under way has ended */
    const unsigned asked = w.first->requests;
    for (unsigned at = w.second->requests; w.second->requests < at + 6;)
        usleep(5000);
    ck_assert_uint_eq(w.first->requests, asked);
    ck_assert(pulse_beats(w.pulse, &why));
    up_report(w.execution, 1, RC_IO, "HTTP status 429", 60000, clock_monotonic_ms());
    for (int ms = 0; ms < WAIT_MS && w.first->requests == asked; ms += 5)
        usleep(5000);
    ck_assert_uint_gt(w.first->requests, asked); /* both: there is no other one */
    end(&w);
}
END_TEST

START_TEST(who_takes_one_request_at_a_time_can_give_its_proof)
{
    world_t w;
    err_t why;
    dead = other_chain = spent = false;
    paced = true;
    make(&w, broken, endpoint);
    until(&w, &why, false);
    until(&w, &why, true);
    end(&w);
    paced = false;
}
END_TEST

int main(void)
{
    return UNIT_RUN("pulse", who_asked_for_time_is_given_it_while_there_is_another_one,
                    what_is_no_proof_does_not_make_up_for_one, who_takes_one_request_at_a_time_can_give_its_proof,
                    one_good_endpoint_is_enough_and_all_that_are_dead_are_told,
                    as_long_as_requests_are_answered_nobody_is_asked,
                    an_endpoint_that_answers_nothing_but_its_chain_is_no_execution_rpc);
}
