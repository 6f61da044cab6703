/* A checkpoint of five servers on loopback: honest ones, one that lies, one that is dead. */
#include <stdio.h>

#include "base/os/log.h"
#include "node/setup/checkpoint.h"
#include "tests/unit/config_texts.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/logged.h"
#include "tests/unit/unit.h"

#define SERVERS 5u
#define GENESIS_S 1606824023u /* mainnet's */
#define EPOCH 400000u
#define NOW_MS ((uint64_t)(GENESIS_S + (EPOCH + 2) * 32 * 12) * 1000)

/* What a server does. */
typedef struct {
    unsigned epoch; /* that it says it has finalized; 0: HTTP status 500 */
    char root;      /* digit of the root that it names for any slot; 0: 404 */
} play_t;

static play_t plays[SERVERS];
static fake_t *fakes[SERVERS];
static unsigned asked_slot;

static bool answer(int fd, int status, const char *body)
{
    char text[1024];
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             status, strlen(body), body);
    return say(fd, text);
}

static bool serve(int fd, const char *request)
{
    const play_t *p = fake_self->ctx;
    char body[400], root[65];
    const char *blocks = strstr(request, "/eth/v1/beacon/blocks/");
    memset(root, p->root, 64);
    root[64] = 0;
    if (blocks)
        asked_slot = (unsigned)strtoul(blocks + strlen("/eth/v1/beacon/blocks/"), NULL, 10);
    if (!p->epoch || (blocks && !p->root))
        return answer(fd, blocks ? 404 : 500, "{}");
    if (blocks)
        snprintf(body, sizeof body, "{\"data\":{\"root\":\"0x%s\"}}", root);
    else
        snprintf(body, sizeof body, "{\"data\":{\"finalized\":{\"epoch\":\"%u\",\"root\":\"0x%s\"}}}", p->epoch, root);
    return answer(fd, 200, body);
}

/* Asks five servers, of which three have to agree. */
static rc_t find(checkpoint_t *out, err_t *e, config_t **config, const play_t rows[SERVERS], bool last_is_dead)
{
    char text[1200];
    int n = snprintf(text, sizeof text, "{" WITHOUT_CHECKPOINT ",\"checkpoint\":{\"quorum\":3,\"of\":[");
    log_set_level(LOG_WARN);
    for (unsigned i = 0; i < SERVERS; i++) {
        plays[i] = rows[i];
        fakes[i] = fake_new(serve);
        fakes[i]->ctx = &plays[i];
        n += snprintf(text + n, sizeof text - (size_t)n, "%s\"http://%c.localhost:%u\"", i ? "," : "", (char)('a' + i),
                      i == 4 && last_is_dead ? 1 : fakes[i]->port);
    }
    snprintf(text + n, sizeof text - (size_t)n, "]}}");
    ck_assert_msg(read_texts(config, e, NULL, text) == RC_OK, "%s: %s", e->field, e->text);
    hc_t *http = hc_new(NULL);
    const checkpoint_ask_t ask = { .config = *config,
                                   .now_ms = NOW_MS,
                                   .deadline = { .http = http, .until_ms = clock_ms() + 10000 } };
    const rc_t rc = checkpoint_find(out, e, &ask);
    hc_free(http);
    for (unsigned i = 0; i < SERVERS; i++)
        fake_free(fakes[i]);
    return rc;
}

START_TEST(three_of_five_agree_though_one_lies_and_one_is_dead)
{
    static const play_t rows[SERVERS] = {
        { EPOCH, '1' }, { EPOCH + 9, '2' }, { EPOCH + 1, '1' }, { EPOCH, '1' }, { 0, 0 }
    };
    checkpoint_t found;
    config_t *c;
    err_t e;
    ck_assert_msg(find(&found, &e, &c, rows, true) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert_uint_eq(found.root.b[0], 0x11);
    ck_assert(found.by_count == 3 && found.of == 5);
    ck_assert_str_eq(found.by[0], "a.localhost");
    ck_assert_str_eq(found.by[1], "c.localhost");
    ck_assert_str_eq(found.by[2], "d.localhost");
    ck_assert_uint_eq(asked_slot, EPOCH * 32);
    config_free(c);
}
END_TEST

START_TEST(what_is_no_quorum_is_refused_under_its_field)
{
    static const struct {
        play_t rows[SERVERS];
        rc_t rc;
        const char *text;
    } cases[] = {
        { { { EPOCH, '1' }, { EPOCH, '1' }, { EPOCH, '2' }, { EPOCH, '2' }, { EPOCH, '3' } },
          RC_REFUSED,
          "no checkpoint is named by 3 of 5 servers: 5 name one, at most 2 the same; checkpoint.of[0]: names 0x11111111...; checkpoint.of[1]: names" },
        { { { EPOCH, '1' }, { EPOCH, '1' }, { 0, 0 }, { 0, 0 }, { 0, 0 } },
          RC_NEED_DATA,
          "2 of 5 servers say what is finalized, and 3 have to; checkpoint.of[2]: HTTP status 500; checkpoint.of[3]: HTTP status 500" },
        { { { 1000, '1' }, { 1000, '1' }, { 1000, '1' }, { 1001, '1' }, { 1001, '1' } },
          RC_LIMIT,
          "epoch 1000, the newest that 3 of 5 servers have finalized, is 1773 d 8 h old, which is too old: it may be " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        checkpoint_t found = { .of = 77 };
        config_t *c;
        err_t e;
        ck_assert_int_eq(find(&found, &e, &c, cases[i].rows, false), cases[i].rc);
        ck_assert_str_eq(e.field, "checkpoint");
        ck_assert_msg(!strncmp(e.text, cases[i].text, strlen(cases[i].text)), "%s", e.text);
        tells_nobody(e.text);
        if (cases[i].rc == RC_NEED_DATA)
            ck_assert(IS_LOGGED("d.localhost: checkpoint.of[3]: HTTP status 500; it said: {}"));
        ck_assert(cases[i].rc != RC_LIMIT || strstr(e.text, CHECKPOINT_HOW));
        ck_assert_uint_eq(found.of, 77);
        config_free(c);
    }
}
END_TEST

/* The first slot of the epoch has no block, so those that are further cannot name its root by it. */
START_TEST(an_epoch_without_a_first_block_is_passed_over)
{
    static const play_t rows[SERVERS] = {
        { EPOCH, '1' }, { EPOCH + 1, 0 }, { EPOCH + 1, 0 }, { EPOCH, '1' }, { EPOCH - 1, '1' }
    };
    checkpoint_t found;
    config_t *c;
    err_t e;
    ck_assert_int_eq(find(&found, &e, &c, rows, false), RC_OK); /* at EPOCH - 1: three name it */
    ck_assert(found.by_count == 3 && found.root.b[0] == 0x11);
    ck_assert_uint_eq(asked_slot, (EPOCH - 1) * 32);
    config_free(c);
}
END_TEST

START_TEST(a_root_of_the_configuration_is_taken_as_it_is)
{
    checkpoint_t found;
    config_t *c;
    err_t e;
    ck_assert_int_eq(read_texts(&c, &e, NULL, "{" MINIMUM "}"), RC_OK);
    ck_assert_int_eq(checkpoint_find(&found, &e, &(checkpoint_ask_t){ .config = c }), RC_OK);
    ck_assert(found.root.b[0] == 0xbc && !found.of && !found.by_count);
    config_free(c);
}
END_TEST

int main(void)
{
    return UNIT_RUN("checkpoint", three_of_five_agree_though_one_lies_and_one_is_dead,
                    what_is_no_quorum_is_refused_under_its_field, an_epoch_without_a_first_block_is_passed_over,
                    a_root_of_the_configuration_is_taken_as_it_is);
}
