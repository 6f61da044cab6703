/* A setup's trial, against a beacon API that serves recorded objects and an execution RPC of one block: what is wrong is
 * named, and what was fetched is kept. */
#include <stdio.h>

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/os/log.h"
#include "lightclient/consensus/types.h"
#include "lightclient/exec/header.h"
#include "node/setup/trial.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/lc_fixture.h"
#include "tests/unit/logged.h"
#include "tests/unit/unit.h"

#define CHAIN_ID 1337470u

/* What goes wrong; 0: all is well. */
typedef enum {
    ALL_IS_WELL,
    NO_KEY,
    OTHER_CHAIN,
    NO_PROOF,
    WRONG_PROOF,
    NUMBERS_ONLY,
    NUMBERS_ONLY_400,
    NUMBERS_ONLY_UNKNOWN,
    NUMBERS_OF_ANOTHER_BRANCH,
    WRONG_HASH,
    NO_BLOCK,
    HTML,
    EMPTY,
    OTHER_GENESIS,
    UNKNOWN,
    UNKNOWN_AND_NO_GENESIS,
    NO_PROOF_AND_UNKNOWN,
    JSON_ONLY,
    BROKEN_BOOTSTRAP
} fault_t;

static fault_t fault;
static lc_network_t net;
static hash32_t checkpoint;
static atomic_uint bootstraps, proofs;
static bool as_second; /* the fault is that of the second endpoint of each list */

static bool reply(int fd, int status, const char *body)
{
    char text[8192];
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             status, strlen(body), body);
    return say(fd, text);
}

/* The state of the one block: a trie of one leaf, so that its root proves that nobody else is there. */
static void state_root(hash32_t *root, char hex[200])
{
    static const uint8_t leaf[] = { 0xc4, 0x82, 0x20, 0x01, 0x07 }; /* [0x2001, 7]: a short key, which no address has */
    keccak256(root, view_of(leaf, sizeof leaf));
    hex_encode(hex, view_of(leaf, sizeof leaf));
}

static void header_of(ex_header_t *h, hash32_t *hash)
{
    char node[200];
    *h = (ex_header_t){ .number = 7, .gas_limit = 30000000, .timestamp = 1795226031, .tail = 1 };
    h->ommers_hash = EX_NO_OMMERS;
    state_root(&h->state_root, node);
    ex_header_hash(hash, h);
}

static void put_hash(char *out, const char *name, const hash32_t *hash)
{
    char hex[65];
    hex_encode(hex, view_of(hash->b, 32));
    sprintf(out + strlen(out), "\"%s\":\"0x%s\",", name, hex);
}

static bool send_block(int fd, bool wrong)
{
    char body[4096] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{", bloom[513];
    ex_header_t h;
    hash32_t hash;
    header_of(&h, &hash);
    memset(bloom, '0', 512);
    bloom[512] = 0;
    hash.b[0] ^= wrong;
    put_hash(body, "hash", &hash);
    put_hash(body, "parentHash", &h.parent_hash);
    put_hash(body, "sha3Uncles", &h.ommers_hash);
    put_hash(body, "stateRoot", &h.state_root);
    put_hash(body, "transactionsRoot", &h.transactions_root);
    put_hash(body, "receiptsRoot", &h.receipts_root);
    put_hash(body, "mixHash", &h.mix_hash);
    sprintf(body + strlen(body),
            "\"miner\":\"0x0000000000000000000000000000000000000000\",\"logsBloom\":\"0x%s\",\"difficulty\":\"0x0\","
            "\"number\":\"0x7\",\"gasLimit\":\"0x1c9c380\",\"gasUsed\":\"0x0\",\"timestamp\":\"0x6b00f9af\","
            "\"extraData\":\"0x\",\"nonce\":\"0x0000000000000000\",\"baseFeePerGas\":\"0x0\",\"transactions\":[]}}",
            bloom);
    return reply(fd, 200, body);
}

static bool send_proof(int fd, bool wrong)
{
    char body[1024], node[200];
    hash32_t root;
    state_root(&root, node);
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"address\":\"0x0000000000000000000000000000000000000000\","
             "\"balance\":\"0x%x\",\"nonce\":\"0x0\",\"codeHash\":"
             "\"0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470\",\"storageHash\":"
             "\"0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421\",\"accountProof\":[\"0x%s\"],"
             "\"storageProof\":[]}}",
             wrong, node);
    return reply(fd, 200, body);
}

static bool execution(int fd, const char *request)
{
    const fault_t f = fake_self->ctx || !as_second ? fault : ALL_IS_WELL;
    if (f == NO_KEY)
        return reply(fd, 401, "{\"error\":\"invalid project id sesame-1234\"}");
    if (f == HTML)
        return reply(fd, 200, "<html>welcome</html>");
    if (f == EMPTY)
        return reply(fd, 200, "");
    if (strstr(request, "eth_chainId"))
        return reply(fd, 200,
                     f == OTHER_CHAIN ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}"
                                      : "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x14687e\"}");
    if (strstr(request, "eth_getBlockByNumber"))
        return f == NO_BLOCK ? reply(fd, 200, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}")
                             : send_block(fd, f == WRONG_HASH);
    if (f == NO_PROOF || f == NO_PROOF_AND_UNKNOWN)
        return reply(
            fd, 200,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"the method eth_getProof does "
            "not exist\"}}");
    proofs++;
    const bool by_hash = strstr(request, "blockHash") != NULL;
    if (by_hash && f == NUMBERS_ONLY_400)
        return reply(fd, 400, "{}");
    if (by_hash && (f == NUMBERS_ONLY || f == NUMBERS_ONLY_UNKNOWN))
        return reply(fd, 200,
                     f == NUMBERS_ONLY
                         ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32602,\"message\":\"invalid argument 2: "
                           "json: cannot unmarshal object into Go value of type string\"}}"
                         : "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"header for hash not "
                           "found\"}}");
    return send_proof(fd, f == WRONG_PROOF || (!by_hash && f == NUMBERS_OF_ANOTHER_BRANCH));
}

static bool send_bootstrap(int fd, bool broken)
{
    char head[300];
    view_t body = fx_read("minimal-fulu/bootstrap-136.ssz");
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nEth-Consensus-Version: fulu\r\n"
             "Content-Length: %zu\r\n\r\n",
             body.n - broken);
    const bool sent = say(fd, head) && send_all(fd, body.p, body.n - broken);
    free((void *)(uintptr_t)body.p);
    return sent;
}

static bool consensus(int fd, const char *request)
{
    const fault_t f = fake_self->ctx || !as_second ? fault : ALL_IS_WELL;
    char root[65], body[300];
    const bool json = strstr(request, "octet-stream") == NULL;
    if (strstr(request, "/eth/v1/beacon/genesis")) {
        hash32_t r = net.genesis_validators_root;
        r.b[0] ^= f == OTHER_GENESIS;
        hex_encode(root, view_of(r.b, 32));
        snprintf(body, sizeof body, "{\"data\":{\"genesis_validators_root\":\"0x%s\"}}", root);
        return f == UNKNOWN_AND_NO_GENESIS ? reply(fd, 404, "{}") : reply(fd, 200, body);
    }
    bootstraps++;
    if (f == UNKNOWN || f == UNKNOWN_AND_NO_GENESIS || f == NO_PROOF_AND_UNKNOWN || f == OTHER_GENESIS)
        return reply(fd, 404, "{}");
    if (f == JSON_ONLY)
        return reply(fd, json ? 200 : 406, "{\"data\":{}}");
    return send_bootstrap(fd, f == BROKEN_BOOTSTRAP);
}

static rc_t no_quote(void *ctx, tee_evidence_t *out, err_t *e, const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    (void)ctx, (void)out, (void)report_data;
    return err_say(e, RC_IO, "the agent is down");
}

static uint32_t patience[2];

static void note_patience(void *ctx, uint32_t ms)
{
    (void)ctx;
    patience[!ms] = ms ? ms : 1; /* the time that it has, and that it has its own again */
}

/* A configuration of these servers; two of each. Made by hand, since no configuration text names a recorded chain. */
static config_t config_of(char urls[4][100], fake_t *fakes[4], unsigned each)
{
    config_t c = { .network = net,
                   .chain = { .chain_id = CHAIN_ID },
                   .checkpoint = { .kind = CHECKPOINT_ROOT, .root = checkpoint },
                   .checkpoint_age_max_s = 86400 };
    for (unsigned i = 0; i < each; i++) {
        fakes[i] = fake_new(execution);
        fakes[2 + i] = fake_new(consensus);
        fakes[i]->ctx = fakes[2 + i]->ctx = i ? fakes : NULL;
        snprintf(urls[i], 100, "http://127.0.0.1:%u/v3/sesame-1234", fakes[i]->port);
        snprintf(urls[2 + i], 100, "http://127.0.0.1:%u", fakes[2 + i]->port);
        c.execution_rpc.urls[c.execution_rpc.count++] = urls[i];
        c.consensus_rpc.urls[c.consensus_rpc.count++] = urls[2 + i];
    }
    return c;
}

static rc_t try_with(trial_found_t *found, err_t *e, fault_t what, unsigned each, uint64_t age_s,
                     const tee_provider_t *tee)
{
    char urls[4][100];
    fake_t *fakes[4] = { NULL };
    log_set_level(LOG_WARN);
    net = fx_minimal_fulu();
    fault = what;
    bootstraps = proofs = 0;
    as_second = each > 1;
    const config_t c = config_of(urls, fakes, each);
    hc_t *http = hc_new(NULL);
    const trial_t t = { .config = &c,
                        .tee = tee,
                        .now_ms = lc_slot_start_ms(&net, 136) + age_s * 1000,
                        .deadline = { .http = http, .until_ms = clock_ms() + 10000 } };
    *found = (trial_found_t){ .bootstrap = NULL };
    const rc_t rc = trial_run(found, e, &t);
    hc_free(http);
    for (unsigned i = 0; i < 4; i++)
        if (fakes[i])
            fake_free(fakes[i]);
    return rc;
}

static void set_up(void)
{
    static lc_bootstrap_t b;
    net = fx_minimal_fulu();
    view_t ssz = fx_read("minimal-fulu/bootstrap-136.ssz");
    ck_assert_int_eq(lc_bootstrap_decode(&b, &net, LC_FULU, ssz), RC_OK);
    lc_beacon_root(&checkpoint, &b.header.beacon);
    free((void *)(uintptr_t)ssz.p);
}

START_TEST(a_setup_that_works_brings_its_bootstrap_and_asks_once)
{
    trial_found_t found;
    err_t e;
    view_t ssz = fx_read("minimal-fulu/bootstrap-136.ssz");
    ck_assert_msg(try_with(&found, &e, ALL_IS_WELL, 1, 60, NULL) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(hash32_eq(&found.start.root, &checkpoint) && found.fork == LC_FULU);
    ck_assert(found.bootstrap_len == ssz.n && !memcmp(found.bootstrap, ssz.p, ssz.n));
    ck_assert_uint_eq(bootstraps, 1);
    free((void *)(uintptr_t)ssz.p);
    trial_clear(&found);
    ck_assert_ptr_null(found.bootstrap);
    ck_assert_int_eq(try_with(&found, &e, JSON_ONLY, 1, 60, NULL), RC_REFUSED);
    ck_assert_uint_eq(bootstraps, 2); /* what SSZ came to nothing for is asked for as JSON */
}
END_TEST

START_TEST(a_proof_is_asked_for_by_hash_and_by_number_of_who_refuses_that)
{
    static const fault_t rows[] = { ALL_IS_WELL, NUMBERS_OF_ANOTHER_BRANCH, NUMBERS_ONLY, NUMBERS_ONLY_400,
                                    NUMBERS_ONLY_UNKNOWN };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        trial_found_t found;
        err_t e = { .rc = RC_OK };
        ck_assert_msg(try_with(&found, &e, rows[i], 1, 60, NULL) == RC_OK, "row %zu: %s: %s", i, e.field, e.text);
        ck_assert_uint_eq(proofs, i < 2 ? 1 : 2);
        ck_assert_uint_eq(bootstraps, 1);
        trial_clear(&found);
    }
    trial_found_t found;
    err_t e;
    ck_assert_int_eq(try_with(&found, &e, WRONG_PROOF, 1, 60, NULL), RC_REFUSED);
    ck_assert_uint_eq(proofs, 1); /* what is wrong of the block itself is wrong */
}
END_TEST

START_TEST(a_port_of_the_overlay_that_is_taken_is_named_before_anybody_is_asked)
{
    char urls[4][100];
    fake_t *fakes[4] = { NULL };
    trial_found_t found = { .bootstrap = NULL };
    config_t c = config_of(urls, fakes, 1);
    hc_t *http = hc_new(NULL);
    const trial_t t = { .config = &c, .deadline = { .http = http, .until_ms = clock_ms() + 10000 } };
    err_t e;
    bootstraps = 0;
    c.overlay_port = fakes[0]->port; /* TCP of 127.0.0.1: of [::] it could still be had */
    ck_assert_int_eq(trial_run(&found, &e, &t), RC_REFUSED);
    ck_assert_str_eq(e.field, "port");
    ck_assert_ptr_nonnull(strstr(e.text, "cannot listen on port"));
    ck_assert_ptr_nonnull(strstr(e.text, "(TCP)"));
    ck_assert_uint_eq(bootstraps, 0);
    fault = OTHER_CHAIN; /* a node that has begun has it itself, and asks on */
    const trial_t again = { .config = &c, .begun = true, .deadline = t.deadline };
    ck_assert_int_eq(trial_run(&found, &e, &again), RC_REFUSED);
    ck_assert_str_eq(e.field, "execution_rpc");
    ck_assert_uint_eq(e.code, TRIAL_FOR_GOOD);
    c.transport = 1; /* QUIC alone does not need it */
    if (trial_run(&found, &e, &t))
        ck_assert_str_ne(e.field, "port");
    trial_clear(&found);
    hc_free(http);
    fake_free(fakes[0]);
    fake_free(fakes[2]);
}
END_TEST

START_TEST(what_is_wrong_is_named_and_nothing_is_kept)
{
    static const struct {
        fault_t fault;
        const char *field, *text;
        bool for_good;
    } rows[] = {
        { NO_KEY, "execution_rpc", "HTTP status 401", false },
        { OTHER_CHAIN, "execution_rpc", "is of chain 1, and this network's is 1337470", true },
        { NO_PROOF, "execution_rpc", "error -32601, it does not serve the method", false },
        { WRONG_PROOF, "execution_rpc", "eth_getProof", false },
        { WRONG_HASH, "execution_rpc", "its newest block has another hash than it says", false },
        { NO_BLOCK, "execution_rpc", "eth_getBlockByNumber: result", false },
        { HTML, "execution_rpc", "eth_chainId: is not valid JSON", false },
        { EMPTY, "execution_rpc", "eth_chainId: is not valid JSON", false },
        { OTHER_GENESIS, "consensus_rpc", "is of another chain: its genesis validators root is 0x", true },
        { UNKNOWN, "checkpoint", "no beacon API knows it", true },
        { UNKNOWN_AND_NO_GENESIS, "consensus_rpc", "bootstrap: HTTP status 404", false },
        { BROKEN_BOOTSTRAP, "consensus_rpc", "bootstrap: ", false },
        { NO_PROOF_AND_UNKNOWN, "checkpoint", "no beacon API knows it", true },
        { JSON_ONLY, "consensus_rpc", "bootstrap: data.", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        trial_found_t found;
        err_t e;
        ck_assert_msg(try_with(&found, &e, rows[i].fault, 1, 60, NULL) == RC_REFUSED, "row %zu: %s", i, e.text);
        ck_assert_msg(!strcmp(e.field, rows[i].field), "row %zu: %s: %s", i, e.field, e.text);
        ck_assert_msg(strstr(e.text, rows[i].text) != NULL, "row %zu: %s", i, e.text);
        ck_assert_msg((e.code == TRIAL_FOR_GOOD) == rows[i].for_good, "row %zu", i);
        tells_nobody(e.text); /* what the measured file names is not the asker's */
        ck_assert_msg(!strstr(e.text, "sesame") && !strstr(e.text, "127.0.0.1"), "row %zu: %s", i, e.text);
        ck_assert(!IS_LOGGED("sesame"));
        ck_assert_ptr_null(found.bootstrap);
    }
}
END_TEST

static bool lead_away(int fd, const char *request)
{
    (void)request;
    return say(fd, "HTTP/1.1 300 X\r\nLocation: http://place-to-hide.example/key-to-hide\r\nContent-Length: 26\r\n"
                   "\r\nask there with key-to-hide");
}

/* Where it leads may be read by whoever has just named it, and by nobody later, when the reason is everybody's. */
START_TEST(places_are_told_to_who_named_them_and_to_the_log)
{
    static const struct {
        bool by_setup, begun, told;
    } rows[] = { { true, false, true }, { false, false, false }, { true, true, false } };
    static const char *const logged = "; it said: moved to http://place-to-hide.example:80 ask there with ***********";
    for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
        const bool execution = i % 2;
        char urls[4][100], origin[80], want[300];
        fake_t *fakes[4] = { NULL }, *away = fake_new(lead_away);
        trial_found_t found = { .bootstrap = NULL };
        err_t e = { 0 };
        fault = ALL_IS_WELL;
        config_t c = config_of(urls, fakes, 1);
        hc_t *http = hc_new(NULL);
        const char *key = execution ? "execution_rpc" : "consensus_rpc";
        const char *what = execution ? "HTTP status 300: it has moved" : "bootstrap: HTTP status 300: it has moved";
        const trial_t t = { .config = &c,
                            .now_ms = lc_slot_start_ms(&net, 136) + 60000,
                            .begun = rows[i / 2].begun,
                            .deadline = { .http = http, .until_ms = clock_ms() + 10000 } };
        snprintf(urls[execution ? 0 : 2], 100, TELLTALE_URL, away->port);
        snprintf(origin, sizeof origin, TELLTALE_ORIGIN, away->port);
        c.execution_by_setup = c.consensus_by_setup = rows[i / 2].by_setup;
        c.setup_may_reach = CONFIG_REACH_ALL;
        ck_assert_int_eq(trial_run(&found, &e, &t), RC_REFUSED);
        ck_assert_str_eq(e.field, key);
        snprintf(want, sizeof want, "%s: %s to http://place-to-hide.example:80", origin, what);
        ck_assert_str_eq(e.text, rows[i / 2].told ? want : what);
        ck_assert(IS_LOGGED(origin, key, what, logged));
        logs_no_secret();
        hc_free(http);
        fake_free(away);
        fake_free(fakes[0]);
        fake_free(fakes[2]);
    }
}
END_TEST

/* What the measured file names may be anywhere; what a setup names, only where a stranger may look. */
START_TEST(no_setup_looks_into_this_machine_or_its_network)
{
    static const struct {
        bool execution, consensus, development;
        config_reach_t reach;
        const char *field; /* NULL: taken */
    } rows[] = { { false, false, false, CONFIG_REACH_PUBLIC, NULL },
                 { true, false, false, CONFIG_REACH_PUBLIC, "execution_rpc" },
                 { false, true, false, CONFIG_REACH_PUBLIC, "consensus_rpc" },
                 { true, true, false, CONFIG_REACH_PRIVATE, "execution_rpc" },
                 { true, true, false, CONFIG_REACH_ALL, NULL },
                 { true, true, true, CONFIG_REACH_PUBLIC, NULL } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char urls[4][100];
        fake_t *fakes[4] = { NULL };
        trial_found_t found = { .bootstrap = NULL };
        err_t e = { 0 };
        fault = ALL_IS_WELL;
        config_t c = config_of(urls, fakes, 1);
        hc_t *http = hc_new(NULL);
        const trial_t t = { .config = &c,
                            .now_ms = lc_slot_start_ms(&net, 136) + 60000,
                            .deadline = { .http = http, .until_ms = clock_ms() + 10000 } };
        c.execution_by_setup = rows[i].execution;
        c.consensus_by_setup = rows[i].consensus;
        c.development = rows[i].development;
        c.setup_may_reach = rows[i].reach;
        const rc_t rc = trial_run(&found, &e, &t);
        ck_assert_msg(rc == (rows[i].field ? RC_REFUSED : RC_OK), "row %zu: %s: %s", i, e.field, e.text);
        ck_assert_str_eq(e.field, rows[i].field ? rows[i].field : "");
        ck_assert_msg(!rc || strstr(e.text, "may not be asked"), "row %zu: %s", i, e.text);
        ck_assert_msg((fakes[0]->accepted == 0) == (rc && rows[i].execution), "row %zu", i);
        ck_assert_msg((fakes[2]->accepted == 0) == (rc && rows[i].consensus), "row %zu", i);
        if (!rc)
            trial_clear(&found);
        trial_t begun = t; /* by force: the node itself asks there */
        begun.begun = true;
        ck_assert_msg(trial_run(&found, &e, &begun) == RC_OK, "row %zu: %s", i, e.text);
        trial_clear(&found);
        hc_free(http);
        fake_free(fakes[0]);
        fake_free(fakes[2]);
    }
}
END_TEST

START_TEST(an_old_checkpoint_is_refused_with_its_age_the_bound_and_the_way_to_a_new_one)
{
    trial_found_t found;
    err_t e;
    ck_assert_int_eq(try_with(&found, &e, ALL_IS_WELL, 1, 86400, NULL), RC_OK);
    trial_clear(&found);
    ck_assert_int_eq(try_with(&found, &e, ALL_IS_WELL, 1, 2 * 86400 + 3 * 3600 + 1, NULL), RC_REFUSED);
    ck_assert_str_eq(e.field, "checkpoint");
    ck_assert_str_eq(e.text, "is 2 d 3 h old (slot 136), and may be 1 d 0 h. " CHECKPOINT_HOW);
    ck_assert_uint_eq(e.code, TRIAL_FOR_GOOD);
}
END_TEST

/* The second of each list is at fault, and the first is good. */
START_TEST(one_good_endpoint_is_enough_unless_another_is_of_another_chain)
{
    static const struct {
        fault_t fault;
        const char *field; /* NULL: taken */
    } rows[] = { { NO_KEY, NULL },
                 { NO_PROOF, NULL },
                 { UNKNOWN, NULL },
                 { OTHER_CHAIN, "execution_rpc[1]" },
                 { OTHER_GENESIS, "consensus_rpc[1]" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        trial_found_t found;
        err_t e = { 0 };
        const rc_t rc = try_with(&found, &e, rows[i].fault, 2, 60, NULL);
        ck_assert_msg(rc == (rows[i].field ? RC_REFUSED : RC_OK), "row %zu: %s: %s", i, e.field, e.text);
        ck_assert_str_eq(e.field, rows[i].field ? rows[i].field : "");
        if (!rc)
            trial_clear(&found);
    }
}
END_TEST

START_TEST(a_tee_that_gives_no_quote_is_named)
{
    static const tee_provider_t tee = { .name = "dstack", .get_evidence = no_quote, .set_patience = note_patience };
    trial_found_t found;
    err_t e;
    ck_assert_int_eq(try_with(&found, &e, ALL_IS_WELL, 1, 60, &tee), RC_REFUSED);
    ck_assert_str_eq(e.field, "tee");
    ck_assert_str_eq(e.text, "dstack gives no quote: the agent is down");
    ck_assert(patience[0] >= 3000 && patience[0] < 10000 && patience[1]); /* within what the trial has left */
    ck_assert_ptr_null(found.bootstrap);
}
END_TEST

/* Nobody answers: the setup's fault, which its sender is told as such. */
START_TEST(servers_that_are_no_quorum_are_refused_under_their_field)
{
    char urls[4][100];
    fake_t *fakes[4] = { NULL };
    trial_found_t found = { .bootstrap = NULL };
    config_t c = config_of(urls, fakes, 1);
    hc_t *http = hc_new(NULL);
    const trial_t t = { .config = &c, .deadline = { .http = http, .until_ms = clock_ms() + 10000 } };
    err_t e;
    c.checkpoint = (config_checkpoint_t){ .kind = CHECKPOINT_QUORUM,
                                          .quorum = 1,
                                          .of = { .urls = { "http://127.0.0.1:1" }, .count = 1, .given = true },
                                          .hosts = { "127.0.0.1" } };
    ck_assert_int_eq(trial_run(&found, &e, &t), RC_REFUSED);
    ck_assert_str_eq(e.field, "checkpoint");
    ck_assert_msg(!strncmp(e.text, "0 of 1 servers say what is finalized, and 1 have to; checkpoint.of[0]: ", 70), "%s",
                  e.text);
    hc_free(http);
    fake_free(fakes[0]);
    fake_free(fakes[2]);
}
END_TEST

/* A byte now and then, until nobody reads any more. */
static bool trickle(int fd, const char *request)
{
    (void)request;
    if (!say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"))
        return false;
    for (unsigned i = 0; i < 4000 && say(fd, " "); i++)
        usleep(10000);
    return false;
}

START_TEST(who_takes_all_of_the_trials_time_is_named)
{
    char urls[4][100];
    fake_t *fakes[4] = { NULL }, *slow = fake_new(trickle);
    trial_found_t found = { .bootstrap = NULL };
    net = fx_minimal_fulu();
    config_t c = config_of(urls, fakes, 1);
    hc_t *http = hc_new(NULL);
    err_t e;
    fault = ALL_IS_WELL;
    snprintf(urls[2], 100, "http://127.0.0.1:%u", slow->port);
    const trial_t t = { .config = &c, .deadline = { .http = http, .until_ms = clock_ms() + 1000 } };
    ck_assert_int_eq(trial_run(&found, &e, &t), RC_REFUSED);
    ck_assert_msg(!strcmp(e.field, "consensus_rpc") && strstr(e.text, "consensus_rpc[0] took "), "%s: %s", e.field,
                  e.text);
    ck_assert(IS_LOGGED("http://127.0.0.1:", ": took "));
    c.checkpoint = (config_checkpoint_t){ .kind = CHECKPOINT_QUORUM,
                                          .quorum = 1,
                                          .of = { .urls = { urls[2] }, .count = 1, .given = true },
                                          .hosts = { "127.0.0.1" } };
    trial_t again = t;
    again.deadline.until_ms = clock_ms() + 1000;
    ck_assert_int_eq(trial_run(&found, &e, &again), RC_REFUSED);
    ck_assert_str_eq(e.field, "checkpoint");
    ck_assert_msg(strstr(e.text, "checkpoint.of[0]") != NULL, "%s", e.text);
    hc_free(http);
    fake_free(fakes[0]);
    fake_free(fakes[2]);
    fake_free(slow);
}
END_TEST

static bool always(void *ctx)
{
    (void)ctx;
    return true;
}

START_TEST(a_trial_ends_when_it_is_to_end_or_has_no_time)
{
    config_t c = { .network = fx_minimal_fulu(),
                   .execution_rpc = { .urls = { "http://127.0.0.1:1" }, .count = 1 },
                   .consensus_rpc = { .urls = { "http://127.0.0.1:1" }, .count = 1 } };
    hc_t *http = hc_new(NULL);
    trial_found_t found;
    err_t e;
    trial_t t = { .config = &c, .deadline = { .http = http, .until_ms = clock_ms() + 10000, .cancel = always } };
    ck_assert_int_eq(trial_run(&found, &e, &t), RC_TIMEOUT);
    t.deadline = (deadline_t){ .http = http, .until_ms = clock_ms() - 1 };
    ck_assert_int_eq(trial_run(&found, &e, &t), RC_TIMEOUT);
    hc_free(http);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("trial", set_up, NULL, a_proof_is_asked_for_by_hash_and_by_number_of_who_refuses_that,
                           a_setup_that_works_brings_its_bootstrap_and_asks_once,
                           a_port_of_the_overlay_that_is_taken_is_named_before_anybody_is_asked,
                           what_is_wrong_is_named_and_nothing_is_kept, places_are_told_to_who_named_them_and_to_the_log,
                           no_setup_looks_into_this_machine_or_its_network,
                           an_old_checkpoint_is_refused_with_its_age_the_bound_and_the_way_to_a_new_one,
                           one_good_endpoint_is_enough_unless_another_is_of_another_chain,
                           a_tee_that_gives_no_quote_is_named, servers_that_are_no_quorum_are_refused_under_their_field,
                           who_takes_all_of_the_trials_time_is_named, a_trial_ends_when_it_is_to_end_or_has_no_time);
}
