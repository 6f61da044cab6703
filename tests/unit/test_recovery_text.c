/* What operators and a node that is to be recovered say to each other: there and back, and what is wrong named. */
#include "node/cluster/recovery_text.h"

#include "tests/unit/recovery_world.h"

static arena_t a;
static view_t kept;
static recovery_t r;

static void begin(void)
{
    err_t e;
    view_t covered;
    open_operators();
    arena_init(&a, (size_t)16 << 20);
    cluster(1);
    kept = keep(&nodes[0], RECOVERY_SHARES, NULL);
    ck_assert_int_eq(recovery_read(&r, &covered, &e, kept), RC_OK);
}

static void end(void)
{
    free((void *)(uintptr_t)kept.p);
    arena_free(&a);
    close_all();
}

START_TEST(shares_are_read_as_they_were_shown)
{
    view_t bytes;
    err_t e;
    jw_t w = jw_of(&a, RECOVERY_JSON_MAX);
    recovery_shares_write(&w, &r, kept);
    const view_t text = jw_done(&w);
    ck_assert_int_eq(recovery_shares_read(&bytes, &e, &a, text), RC_OK);
    ck_assert(view_eq(bytes, kept));
    for (size_t n = 0; n < text.n; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, text.p, n);
        ck_assert_int_ne(recovery_shares_read(&bytes, &e, &a, view_of(copy, n)), RC_OK);
        free(copy);
    }
    ck_assert_int_eq(
        recovery_shares_read(&bytes, &e, &a, view_str("{\"kettle\":\"recovery/1\",\"recovery\":\"0x00\"}")),
        RC_MALFORMED);
    ck_assert_str_eq(e.field, "kettle");
}
END_TEST

START_TEST(a_share_is_read_as_it_was_sent)
{
    uint8_t sealed[KEY_SHARE_LEN + BOX_TAG_LEN] = { 9 };
    gather_share_t s = { .recovery = kept, .holder = 2, .nonce = { 5 }, .sealed = view_of(sealed, sizeof sealed) }, got;
    err_t e;
    jw_t w = jw_of(&a, RECOVERY_JSON_MAX);
    recovery_share_write(&w, &s);
    ck_assert_int_eq(recovery_share_read(&got, &e, &a, jw_done(&w)), RC_OK);
    ck_assert(view_eq(got.recovery, kept) && view_eq(got.sealed, s.sealed) && got.holder == 2);
    ck_assert_mem_eq(got.nonce, s.nonce, sizeof s.nonce);
    static const struct {
        const char *text, *field;
    } rows[] = {
        { "{}", "recovery" },
        { "{\"recovery\":\"0x\",\"holder\":0}", "recovery" },
        { "{\"recovery\":\"0x00\",\"holder\":16}", "holder" },
        { "{\"recovery\":\"0x00\",\"holder\":1,\"nonce\":\"0x00\"}", "nonce" },
        { "{\"recovery\":\"0x00\",\"holder\":1,\"nonce\":\"0x000000000000000000000000000000000000000000000000\","
          "\"share\":\"0x00\"}",
          "share" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_ne(recovery_share_read(&got, &e, &a, view_str(rows[i].text)), RC_OK);
        ck_assert_msg(!strcmp(e.field, rows[i].field), "row %zu: %s: %s", i, e.field, e.text);
    }
}
END_TEST

START_TEST(evidence_is_read_as_it_was_shown)
{
    recovery_evidence_t x = { .evidence_type = 0xf0,
                              .quote = view_str("quote"),
                              .event_log = view_str("[1]"),
                              .vm_config = view_str("{\"memory_size\":1}"),
                              .collateral = view_str("{\"a\":1}"),
                              .nonce = { 1 },
                              .recovery_key = { 2 },
                              .node_pubkey = { 3 },
                              .have = 1,
                              .needed = 2 };
    recovery_evidence_t got;
    err_t e;
    jw_t w = jw_of(&a, RECOVERY_EVIDENCE_MAX);
    recovery_evidence_write(&w, &a, &x);
    const view_t text = jw_done(&w);
    ck_assert_int_eq(recovery_evidence_read(&got, &e, &a, text), RC_OK);
    ck_assert(got.evidence_type == 0xf0 && view_eq(got.quote, x.quote) && view_eq(got.event_log, x.event_log));
    ck_assert(view_eq(got.vm_config, x.vm_config));
    ck_assert(view_eq(got.collateral, x.collateral) && got.have == 1 && got.needed == 2);
    ck_assert(!memcmp(got.nonce, x.nonce, 32) && !memcmp(got.recovery_key, x.recovery_key, 32) &&
              !memcmp(got.node_pubkey, x.node_pubkey, 33));
    for (size_t n = 0; n < text.n; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, text.p, n);
        ck_assert_int_ne(recovery_evidence_read(&got, &e, &a, view_of(copy, n)), RC_OK);
        free(copy);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("recovery_text", begin, end, shares_are_read_as_they_were_shown,
                           a_share_is_read_as_it_was_sent, evidence_is_read_as_it_was_shown);
}
