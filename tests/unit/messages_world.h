/* messages_world.h - nodes that send messages: each pair has a line, whose frames wait until the test carries them. Node
 * i's static key is (i + 1) G; the line at node i to node j has the number 100 + j. */
#ifndef TESTS_UNIT_MESSAGES_WORLD_H
#define TESTS_UNIT_MESSAGES_WORLD_H

#include "base/crypto/secret.h"
#include "overlay/messages.h"
#include "tests/unit/overlay_keys.h"

#define NODES_MAX 6u
#define FRAMES_MAX 256u
#define LINE(j) (100u + (j))

typedef struct {
    uint8_t *p;
    size_t n;
} frame_t;

typedef struct {
    size_t self;
    uint8_t key[33];
    messages_t *m;
    keyring_t *ring;
    frame_t out[NODES_MAX][FRAMES_MAX]; /* for each peer */
    size_t out_n[NODES_MAX];
    unsigned ready, got;
    bool busy, full, linked[NODES_MAX]; /* busy: takes nothing; full: sends nothing */
    uint64_t next_random;               /* 0: chance */
    message_t last;
    uint8_t last_sender[33], last_author[33];
    char last_payload[64];
} node_t;

static node_t nodes[NODES_MAX];
static size_t node_count;

static inline rc_t node_sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    key_sign(out, (unsigned)((node_t *)ctx)->self + 1, digest);
    return RC_OK;
}

static inline void node_random(void *ctx, void *out, size_t n)
{
    node_t *x = ctx;
    secret_random(out, n);
    if (n == 8 && x->next_random)
        memcpy(out, &x->next_random, 8);
}

static inline rc_t node_send(void *ctx, uint64_t line, view_t frame)
{
    node_t *x = ctx;
    const size_t to = line - LINE(0);
    if (x->full || x->out_n[to] == FRAMES_MAX)
        return RC_LIMIT;
    frame_t *f = &x->out[to][x->out_n[to]++];
    f->p = malloc(frame.n);
    f->n = frame.n;
    memcpy(f->p, frame.p, frame.n);
    return RC_OK;
}

static inline void node_ready(void *ctx, uint64_t line)
{
    (void)line;
    ((node_t *)ctx)->ready++;
}

static inline bool node_take(void *ctx, const message_t *m)
{
    node_t *x = ctx;
    if (x->busy)
        return false;
    x->got++;
    x->last = *m;
    memcpy(x->last_sender, m->sender, 33);
    memcpy(x->last_author, m->author, 33);
    snprintf(x->last_payload, sizeof x->last_payload, "%.*s", (int)m->payload.n, (const char *)m->payload.p);
    return true;
}

/* A ring whose generation 1 has these secrets. */
static inline keyring_t *node_ring(uint8_t byte)
{
    static const uint8_t blind[32] = { 3 };
    static const key_name_t name = { 1, { { 1 } }, 0 };
    uint8_t secrets[KEY_SECRETS_LEN];
    keyring_t *k = NULL;
    memset(secrets, byte, sizeof secrets);
    ck_assert_int_eq(keyring_empty(&k, blind), RC_OK);
    ck_assert_int_eq(keyring_add(k, &name, secrets), RC_OK);
    ck_assert_int_eq(keyring_use(k, &name), RC_OK);
    return k;
}

static inline void node_register(node_t *x, const char *type, bool relayed, size_t max)
{
    const message_type_t t = { .name = type, .relayed = relayed, .max = max, .take = node_take, .ctx = x };
    err_t e;
    ck_assert_int_eq(messages_register(x->m, &e, &t), RC_OK);
}

static inline void node_open(size_t i)
{
    node_t *x = &nodes[i];
    memset(x, 0, sizeof *x);
    x->self = i;
    key_point(x->key, (unsigned)i + 1);
    x->ring = node_ring(7);
    messages_config_t c = { .sign = node_sign,
                            .sign_ctx = x,
                            .ecdsa = ecdsa,
                            .ring = x->ring,
                            .random = node_random,
                            .send = node_send,
                            .ready = node_ready,
                            .ctx = x };
    memcpy(c.self, x->key, 33);
    ck_assert_int_eq(messages_new(&x->m, &c), RC_OK);
    node_register(x, "chat", false, 0);
    node_register(x, "news", true, 0);
}

/* Hands node i's oldest frame for j over; what came of it. On RC_NEED_DATA it stays. */
static inline rc_t carry_one(size_t i, size_t j, err_t *e)
{
    node_t *from = &nodes[i];
    frame_t f = from->out[j][0];
    ck_assert(from->out_n[j] > 0);
    const rc_t rc = messages_take(nodes[j].m, e, LINE(i), view_of(f.p, f.n));
    if (rc == RC_NEED_DATA)
        return rc;
    from->out_n[j]--;
    memmove(&from->out[j][0], &from->out[j][1], from->out_n[j] * sizeof f);
    free(f.p);
    return rc;
}

/* Carries all frames until all is quiet. */
static inline void carry(void)
{
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < node_count; i++)
            for (size_t j = 0; j < node_count; j++)
                while (nodes[i].out_n[j]) {
                    err_t e;
                    err_clear(&e);
                    ck_assert_msg(carry_one(i, j, &e) == RC_OK, "%zu to %zu: %s", i, j, e.text);
                    moved = true;
                }
    }
}

static inline void node_link(size_t i, size_t j)
{
    ck_assert_int_eq(messages_up(nodes[i].m, LINE(j), nodes[j].key), RC_OK);
    ck_assert_int_eq(messages_up(nodes[j].m, LINE(i), nodes[i].key), RC_OK);
    nodes[i].linked[j] = nodes[j].linked[i] = true;
}

/* n nodes; linked each with each, or in a row. */
static inline void nodes_open(size_t n, bool row)
{
    ck_assert_int_eq(secret_init(), RC_OK);
    keys_open();
    node_count = n;
    for (size_t i = 0; i < n; i++)
        node_open(i);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (!row || j == i + 1)
                node_link(i, j);
    carry();
}

static inline void nodes_close(void)
{
    for (size_t i = 0; i < node_count; i++) {
        for (size_t j = 0; j < node_count; j++)
            for (size_t k = 0; k < nodes[i].out_n[j]; k++)
                free(nodes[i].out[j][k].p);
        messages_free(nodes[i].m);
        keyring_free(nodes[i].ring);
    }
    keys_close();
}

/* Sends from i to all that it is linked with. */
static inline rc_t say_to_all(size_t i, err_t *e, const message_out_t *out)
{
    uint64_t lines[NODES_MAX];
    size_t n = 0;
    for (size_t j = 0; j < node_count; j++)
        if (nodes[i].linked[j])
            lines[n++] = LINE(j);
    return messages_send(nodes[i].m, NULL, e, lines, n, out);
}

static inline rc_t say(size_t i, size_t j, err_t *e, const char *type, msg_mode_t mode, const char *text)
{
    const uint64_t line = LINE(j);
    const message_out_t out = { .type = type, .mode = mode, .payload = view_str(text) };
    return messages_send(nodes[i].m, NULL, e, &line, 1, &out);
}

#endif
