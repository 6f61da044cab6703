/* members_states.h - the state that the membership contracts really leave, of tests/data/members.txt, which
 * tests/contracts/run --write writes. */
#ifndef TESTS_MEMBERS_STATES_H
#define TESTS_MEMBERS_STATES_H

#define WORLD_CODE_MAX 24576u
#include <stdio.h>

#include "base/hex.h"
#include "tests/unit/call_set.h"

#define LINE_MAX_LEN (3u * WORLD_CODE_MAX)
#define ANSWERS_MAX 8u

/* One contract of the file. */
typedef struct {
    char name[24];
    uint8_t code[WORLD_CODE_MAX];
    size_t code_len;
    hash32_t keys[WORLD_SLOTS];
    u256_t values[WORLD_SLOTS];
    size_t slots;
    struct {
        uint64_t time;
        char endpoints[1024]; /* one space between */
    } answers[ANSWERS_MAX];
    size_t answer_count;
} state_t;

static state_t states[4]; /* gateway, wireguard, published, empty */
static char line[LINE_MAX_LEN];

static inline void read_line(state_t *all, state_t *now)
{
    hash32_t value;
    char *text = strchr(line, ' ') + 1;
    if (!strncmp(line, "contract ", 9)) {
        snprintf(now->name, sizeof now->name, "%s", text);
    } else if (!strncmp(line, "code-of ", 8)) {
        for (const state_t *s = all; s < now; s++)
            if (!strcmp(s->name, text))
                memcpy(now->code, s->code, now->code_len = s->code_len);
    } else if (!strncmp(line, "code ", 5)) {
        ck_assert_int_eq(hex_decode(now->code, &now->code_len, sizeof now->code, text, strlen(text)), RC_OK);
    } else if (!strncmp(line, "slot ", 5)) {
        ck_assert_uint_lt(now->slots, WORLD_SLOTS);
        ck_assert_int_eq(hex_decode_exact(now->keys[now->slots].b, 32, text, 64), RC_OK);
        ck_assert_int_eq(hex_decode_exact(value.b, 32, text + 65, 64), RC_OK);
        now->values[now->slots++] = u256_from_be32(value.b);
    } else {
        ck_assert_uint_lt(now->answer_count, ANSWERS_MAX);
        now->answers[now->answer_count].time = strtoull(text, &text, 10);
        snprintf(now->answers[now->answer_count++].endpoints, 1024, "%s", *text ? text + 1 : "");
    }
}

static inline void read_states(void)
{
    char path[4096];
    size_t n = 0;
    if (states[0].code_len)
        return;
    snprintf(path, sizeof path, "%s/members.txt", getenv("TEST_DATA"));
    FILE *f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s", path);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = 0;
        n += !strncmp(line, "contract ", 9);
        ck_assert_uint_le(n, 4);
        read_line(states, &states[n - 1]);
    }
    fclose(f);
    ck_assert_uint_eq(n, 4);
}

/* Makes it the account's code and slots. */
static inline void put_state(world_account_t *account, const state_t *state)
{
    memcpy(account->code, state->code, account->code_len = state->code_len);
    for (size_t i = 0; i < state->slots; i++) {
        account->slots[i].key = state->keys[i];
        account->slots[i].value = state->values[i];
    }
    account->slot_count = state->slots;
}

#endif
