/* The evidence file: written and read, its form, its limits. Whether what stands in it holds is tests/unit/test_retrace.c's. */
#include <string.h>

#include "base/json.h"
#include "rpc/api/grounds.h"
#include "tests/unit/unit.h"

/* A statement as an answer has it: of sdk/vectors.json. */
static const char BLOCK[] =
    "{\"type\":\"BlockStatement\",\"domain\":{\"name\":\"Kettle\",\"version\":\"1\",\"chainId\":1},\"message\":{\"at\":{"
    "\"number\":\"22168277\",\"hash\":\"0x1111111111111111111111111111111111111111111111111111111111111111\","
    "\"stateRoot\":\"0x2222222222222222222222222222222222222222222222222222222222222222\",\"timestamp\":\"1743500000\","
    "\"slot\":\"11382000\",\"finality\":1,\"signers\":508},\"issuedAt\":\"1743500012\",\"validUntil\":\"1743500300\","
    "\"setup\":\"0x3333333333333333333333333333333333333333333333333333333333333333\"},\"signature\":\"0x"
    "b536bae0b69c032830ef22dc1c8b12ba1451af97c800e6519c2aa3f9363376874abe811cad3ee4f2d65806dca84062ead280ee2ac9b2e418"
    "c0c480460539f8f51b\",\"signer\":\"0x1a642f0e3c3af545e7acbd38b07251b3990914f1\"}";

static const view_t ONE[] = { { (const uint8_t *)"\x01\x02", 2 } },
                    TWO[] = { { (const uint8_t *)"\x03", 1 }, { (const uint8_t *)"\x04", 1 } };
static arena_t arena;
static grounds_t full;

static void setup(void)
{
    static const ex_stock_receipts_t receipts[] = { { TWO, 2 }, { ONE, 1 } };
    arena_init(&arena, 256u << 20);
    full = (grounds_t){ .id = { { 7 } },
                        .setup = view_str("{\"a\":1}"),
                        .request = view_str("[\"0x00\"]"),
                        .answer = view_str(BLOCK),
                        .headers = { ONE, 1 },
                        .blocks = { TWO, 2 },
                        .nodes = { TWO, 2 },
                        .codes = { ONE, 1 },
                        .receipts = receipts,
                        .receipt_count = 2 };
    full.consensus.bootstrap = full.consensus.head = full.consensus.finality = ONE[0];
    full.consensus.updates = (grounds_list_t){ TWO, 2 };
    full.consensus.kind = LC_OPTIMISTIC;
}

static void teardown(void)
{
    arena_free(&arena);
}

static view_t written(const grounds_t *g)
{
    view_t out;
    ck_assert_int_eq(grounds_write(&out, &arena, g), RC_OK);
    return out;
}

/* The text with the first place of one part replaced by another. */
static view_t replaced(view_t text, const char *part, const char *by)
{
    char *out = arena_alloc(&arena, text.n + strlen(by) + 1);
    const char *at = memmem(text.p, text.n, part, strlen(part));
    ck_assert_msg(at != NULL, "%s", part);
    const size_t before = (size_t)(at - (const char *)text.p), after = text.n - before - strlen(part);
    memcpy(out, text.p, before);
    memcpy(out + before, by, strlen(by));
    memcpy(out + before + strlen(by), at + strlen(part), after);
    return view_of(out, before + strlen(by) + after);
}

static void refused(view_t text, unsigned code, const char *field)
{
    grounds_t g;
    err_t e = { .text = "" };
    memset(&g, 0x5a, sizeof g);
    ck_assert_int_ne(grounds_read(&g, &e, &arena, text), RC_OK);
    ck_assert_msg(e.code == code && strcmp(e.field, field) == 0, "%u %s: %s, not %s", e.code, e.field, e.text, field);
    ck_assert_int_eq(((const uint8_t *)&g)[0], 0x5a);
}

START_TEST(what_is_written_is_read_and_written_alike)
{
    grounds_t g;
    err_t e = { .text = "" };
    const view_t text = written(&full);
    ck_assert_msg(grounds_read(&g, &e, &arena, text) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(view_eq(written(&g), text));
    ck_assert_int_eq(g.statement.kind, STATEMENT_BLOCK);
    ck_assert_uint_eq(g.statement.at.number, 22168277);
    ck_assert_uint_eq(g.receipts[0].count, 2);
    ck_assert_uint_eq(g.consensus.updates.at[1].p[0], 4);
    full.consensus.bootstrap = full.consensus.finality = full.request = view_of(NULL, 0);
    full.consensus.finalized = true;
    full.consensus.kind = LC_FINALITY;
    full.receipt_count = full.headers.count = 0;
    ck_assert_int_eq(grounds_read(&g, &e, &arena, written(&full)), RC_OK);
    ck_assert_uint_eq(g.consensus.bootstrap.n, 0);
    ck_assert_uint_eq(g.request.n, 0);
    ck_assert(g.consensus.finalized);
}
END_TEST

START_TEST(every_truncation_is_refused)
{
    const view_t text = written(&full);
    for (size_t n = 0; n < text.n; n++) {
        grounds_t g;
        ck_assert_int_ne(grounds_read(&g, NULL, &arena, view_of(text.p, n)), RC_OK);
    }
}
END_TEST

START_TEST(a_member_that_is_missing_unknown_or_of_another_form_is_named)
{
    static const struct {
        const char *part, *by, *field;
    } table[] = {
        { "\"kettle\":\"evidence/1\"", "\"kettle\":\"evidence/2\"", "kettle" },
        { "\"kettle\":", "\"kettel\":", "kettle" },
        { "\"id\":\"0x07", "\"id\":\"0x", "id" },
        { "\"setup\":{\"a\":1},", "", "setup" },
        { "\"type\":\"BlockStatement\",", "", "answer.type" },
        { "\"consensus\":{", "\"consensus\":{\"more\":1,", "consensus.more" },
        { "\"updates\":[\"0x03\"", "\"updates\":[\"0x\"", "consensus.updates[0]" },
        { "\"kind\":\"optimistic\"", "\"kind\":\"bootstrap\"", "consensus.head.kind" },
        { "\"header\":\"attested\"", "\"header\":\"justified\"", "consensus.head.header" },
        { "\"object\":\"0x0102\"", "\"object\":null", "consensus.head.object" },
        { "\"headers\":[\"0x0102\"]", "\"headers\":\"0x0102\"", "headers" },
        { "\"blocks\":[\"0x03\"", "\"blocks\":[\"03\"", "blocks[0]" },
        { "\"receipts\":[[", "\"receipts\":[7,[", "receipts[0]" },
        { "\"codes\":[\"0x0102\"]", "\"codes\":[\"0x0102\"],\"headers\":[]", "witness.headers" },
        { "\"state\":[", "\"state\":[\"0x1\",", "witness.state[0]" },
    };
    const view_t text = written(&full);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        refused(replaced(text, table[i].part, table[i].by), GROUNDS_MALFORMED, table[i].field);
    refused(replaced(text, "\"finality\":1,", "\"finality\":9,"), GROUNDS_MALFORMED, "answer.message.at.finality");
}
END_TEST

START_TEST(limits_are_limits)
{
    static view_t many[GROUNDS_UPDATES_MAX + 1];
    for (size_t i = 0; i <= GROUNDS_UPDATES_MAX; i++)
        many[i] = ONE[0];
    full.consensus.updates = (grounds_list_t){ many, GROUNDS_UPDATES_MAX };
    grounds_t g;
    ck_assert_int_eq(grounds_read(&g, NULL, &arena, written(&full)), RC_OK);
    full.consensus.updates.count++;
    refused(written(&full), GROUNDS_TOO_LONG, "consensus.updates");
    full.consensus.updates.count = 0;
    full.consensus.head = view_of(arena_calloc(&arena, 1, GROUNDS_OBJECT_MAX + 1), GROUNDS_OBJECT_MAX);
    ck_assert_int_eq(grounds_read(&g, NULL, &arena, written(&full)), RC_OK);
    full.consensus.head.n++;
    refused(written(&full), GROUNDS_TOO_LONG, "consensus.head.object");
    full.consensus.head.n = 1;
    full.headers =
        (grounds_list_t){ &(view_t){ arena_calloc(&arena, 1, EX_HEADER_RLP_MAX + 1), EX_HEADER_RLP_MAX + 1 }, 1 };
    refused(written(&full), GROUNDS_TOO_LONG, "headers[0]");
    uint8_t *spaces = arena_alloc(&arena, GROUNDS_TEXT_MAX + 1);
    memset(spaces, ' ', GROUNDS_TEXT_MAX + 1);
    refused(view_of(spaces, GROUNDS_TEXT_MAX + 1), GROUNDS_TOO_LONG, "");
}
END_TEST

START_TEST(every_code_has_a_word_of_its_own_and_a_step)
{
    for (unsigned i = 1; i < GROUNDS_CODES; i++) {
        err_t e;
        ck_assert_int_lt(grounds_code_step(i), GROUNDS_STEPS);
        ck_assert_int_ne(grounds_refuse(&e, (grounds_code_t)i, "x", NULL), RC_OK);
        ck_assert_uint_eq(e.code, i);
        for (unsigned k = 0; k < i; k++)
            ck_assert_str_ne(grounds_code_word(i), grounds_code_word(k));
    }
    ck_assert_str_eq(grounds_code_word(GROUNDS_CODES), "failed");
    ck_assert_str_eq(grounds_step_name(GROUNDS_SIGNATURE), "signature");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("grounds", setup, teardown, what_is_written_is_read_and_written_alike,
                           every_truncation_is_refused, a_member_that_is_missing_unknown_or_of_another_form_is_named,
                           limits_are_limits, every_code_has_a_word_of_its_own_and_a_step);
}
