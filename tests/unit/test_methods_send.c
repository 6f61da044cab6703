/* eth_sendRawTransaction: decoded, checked, forwarded; its hash is computed here. Signed by ethers 6.17 (recorded traffic
 * of its wallet). */
#include "base/hex.h"
#include "tests/unit/methods_world.h"

#define ASK(method, params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":[" params "]}"
#define RAW(last)                                                                                                      \
    "\"0x02f86e0102843b9aca00845d3df515825f41945fbdb2315678afecb367f032d93f642f64180aa3808406fdde03c001a051b76019447b" \
    "ddda9ba2b78c342147b05f2bd7f54e6a131f0eb68e2b665d9d5aa00870cc8624f9b1b0bee831057ffd088000a05627eb11f77cde7821ffc8" \
    "5681" last "\""
#define HASH "0xf0a99f1cff6769814848eb3dcaeb483ce3fa4278b0f2f9a079b34451acf8f67b"
#define SENDER "\"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266\""

static const evm_chain_t MAINNET = { 1, &row, 1 };
static struct {
    addr_t sender;
    uint64_t nonce, head;
} words;

static void note(void *ctx, const addr_t *sender, uint64_t nonce, uint64_t head)
{
    (void)ctx;
    words.sender = *sender;
    words.nonce = nonce;
    words.head = head;
}

static uint64_t after(void *ctx, const addr_t *sender, uint64_t proven, uint64_t head)
{
    (void)ctx;
    return addr_eq(sender, &words.sender) && head == words.head && proven == words.nonce ? proven + 1 : proven;
}

static void setup_send(void)
{
    addr_t sender = { { 0xf3, 0x9f, 0xd6, 0xe5, 0x1a, 0xad, 0x88, 0xf6, 0xf4, 0xce,
                        0x6a, 0xb8, 0x82, 0x72, 0x79, 0xcf, 0xff, 0xb9, 0x22, 0x66 } };
    setup();
    world_add(&w, sender, "")->nonce = 2;
    world.chain = &MAINNET;
    world.latest.state_root = world_root(&w);
    world.sent_note = note;
    world.sent_nonce = after;
    memset(&words, 0, sizeof words);
    words.nonce = UINT64_MAX;
    send_answer = (answer_t){ .kind = NEED_SEND };
    memcpy(send_answer.hash.b, (const uint8_t[]){ 0xf0, 0xa9, 0x9f, 0x1c, 0xff, 0x67, 0x69, 0x81, 0x48, 0x48, 0xeb,
                                                  0x3d, 0xca, 0xeb, 0x48, 0x3c, 0xe3, 0xfa, 0x42, 0x78, 0xb0, 0xf2,
                                                  0xf9, 0xa0, 0x79, 0xb3, 0x44, 0x51, 0xac, 0xf8, 0xf6, 0x7b },
           32);
}

START_TEST(a_transaction_is_forwarded_and_counts_as_pending_then)
{
    ck_assert_str_eq(serve(ASK("eth_getTransactionCount", SENDER ",\"pending\"")), RESULT("\"0x2\""));
    ck_assert_str_eq(serve(ASK("eth_sendRawTransaction", RAW("86"))), RESULT("\"" HASH "\""));
    ck_assert_uint_eq(words.nonce, 2);
    ck_assert_uint_eq(words.head, 1000);
    ck_assert_str_eq(serve(ASK("eth_getTransactionCount", SENDER ",\"pending\"")), RESULT("\"0x3\""));
    ck_assert_str_eq(serve(ASK("eth_getTransactionCount", SENDER)), RESULT("\"0x2\""));
    ck_assert_str_eq(serve(ASK("eth_getTransactionCount", SENDER ",\"latest\"")), RESULT("\"0x2\""));
}
END_TEST

/* ---- EIP-7966; what follows the chain is a script ---- */

static struct {
    unsigned begun, left, looks, comes; /* at which look the receipt is there */
    rc_t begins, fails;
    uint32_t time_ms;
    bool sent_before; /* it was forwarded when it was first looked for */
    char hash[67];
} awaits;

static rc_t await(void *ctx, void **wait, err_t *e, const api_await_t *what)
{
    (void)ctx;
    if (awaits.begins)
        return err_say(e, awaits.begins, "not now");
    awaits.begun++;
    awaits.time_ms = what->time_ms;
    strcpy(awaits.hash, "0x");
    hex_encode(awaits.hash + 2, view_of(what->tx_hash->b, 32));
    ck_assert_uint_eq(words.nonce, UINT64_MAX); /* not forwarded yet */
    *wait = &awaits;
    return RC_OK;
}

static rc_t awaited(void *ctx, jw_t *out, err_t *e, void *wait)
{
    (void)ctx;
    ck_assert_ptr_eq(wait, &awaits);
    ck_assert_uint_eq(awaits.left, 0);
    if (out) {
        jw_raw(out, NULL, view_str("{\"status\":\"0x1\"}"));
        return RC_OK;
    }
    if (!awaits.looks++)
        awaits.sent_before = words.nonce == 2;
    if (awaits.looks < awaits.comes)
        return RC_NEED_DATA;
    return awaits.fails ? err_say(e, awaits.fails, "as scripted") : RC_OK;
}

static void leave(void *ctx, void *take_wait)
{
    (void)ctx;
    ck_assert_ptr_eq(take_wait, &awaits);
    awaits.left++;
}

static const api_events_t EVENTS = { .add = NULL,
                                     .remove = NULL,
                                     .changes = NULL,
                                     .criteria = NULL,
                                     .logs = NULL,
                                     .await = await,
                                     .awaited = awaited,
                                     .leave = leave };

static const char *sync_with(const char *time)
{
    static char text[2000];
    snprintf(text, sizeof text, ASK("eth_sendRawTransactionSync", RAW("86") "%s"), time);
    words.nonce = UINT64_MAX;
    awaits.begun = awaits.left = awaits.looks = 0;
    awaits.time_ms = 0;
    return serve(text);
}

START_TEST(the_receipt_of_what_is_forwarded_is_waited_for)
{
    memset(&awaits, 0, sizeof awaits);
    world.events = &EVENTS;
    awaits.comes = 3;
    ck_assert_str_eq(sync_with(""), RESULT("{\"status\":\"0x1\"}"));
    ck_assert_str_eq(awaits.hash, HASH);
    ck_assert(awaits.sent_before);
    ck_assert_uint_eq(awaits.looks, 3);
    ck_assert_uint_eq(awaits.left, 1);
    ck_assert_uint_eq(awaits.time_ms, 20000);
    static const struct {
        const char *time;
        uint32_t ms;
    } rows[] = { { ",null", 20000 },  { ",0", 20000 },     { ",5000", 5000 },     { ",\"0x1388\"", 5000 },
                 { ",60000", 60000 }, { ",60001", 60000 }, { ",\"0x0\"", 20000 }, { ",9223372036854775807", 60000 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_str_eq(sync_with(rows[i].time), RESULT("{\"status\":\"0x1\"}"));
        ck_assert_msg(awaits.time_ms == rows[i].ms, "row %zu: %u ms", i, awaits.time_ms);
    }
    static const char *const bad[] = { ",-1", ",\"5s\"", ",[]", ",1.5" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_ptr_nonnull(strstr(sync_with(bad[i]), "\"code\":-32602,\"message\":\"invalid argument 1"));
        ck_assert_uint_eq(words.nonce, UINT64_MAX);
        ck_assert_uint_eq(awaits.begun, 0);
    }
}
END_TEST

START_TEST(what_does_not_come_in_time_is_code_4_with_the_hash)
{
    memset(&awaits, 0, sizeof awaits);
    world.events = &EVENTS;
    awaits.fails = RC_TIMEOUT;
    ck_assert_str_eq(
        sync_with(",1500"),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":4,\"message\":\"The transaction was added to the "
        "transaction pool but wasn't processed in 1500ms\",\"data\":\"" HASH "\"}}");
    ck_assert_ptr_nonnull(strstr(sync_with(""), "wasn't processed in 20s\""));
    ck_assert_uint_eq(words.nonce, 2); /* it counts as pending all the same */
    ck_assert_uint_eq(awaits.left, 1);
    awaits.fails = RC_IO;
    ck_assert_str_eq(sync_with(""),
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":4,\"message\":\"as scripted\",\"data\":\"" HASH
                     "\"}}");
}
END_TEST

START_TEST(what_is_not_forwarded_is_not_waited_for)
{
    memset(&awaits, 0, sizeof awaits);
    ck_assert_str_eq(sync_with(""),
                     ERROR("-32601", "the method eth_sendRawTransactionSync does not exist/is not available"));
    world.events = &EVENTS;
    send_answer.refused = true;
    send_answer.code = view_str("nonce too low: next nonce 3, tx nonce 2");
    ck_assert_str_eq(sync_with(""), ERROR("-32000", "nonce too low: next nonce 3, tx nonce 2"));
    ck_assert_uint_eq(awaits.looks, 0);
    ck_assert_uint_eq(awaits.begun, 1);
    ck_assert_uint_eq(awaits.left, 1);
    awaits.begins = RC_LIMIT;
    ck_assert_str_eq(sync_with(""), ERROR("-32005", "not now"));
    ck_assert_uint_eq(rounds, 0);
    awaits.begins = RC_UNSUPPORTED;
    ck_assert_str_eq(sync_with(""), ERROR("-32601", "not now"));
    ck_assert_uint_eq(words.nonce, UINT64_MAX);
}
END_TEST

START_TEST(the_words_of_a_refusal_are_passed_on)
{
    send_answer.refused = true;
    send_answer.code = view_str("nonce too low: next nonce 3, tx nonce 2");
    ck_assert_str_eq(serve(ASK("eth_sendRawTransaction", RAW("86"))),
                     ERROR("-32000", "nonce too low: next nonce 3, tx nonce 2"));
    ck_assert_uint_eq(words.nonce, UINT64_MAX);
}
END_TEST

START_TEST(a_transaction_of_another_chain_or_without_signature_is_not_forwarded)
{
    world.chain = &CHAIN;
    ck_assert_ptr_nonnull(strstr(serve(ASK("eth_sendRawTransaction", RAW("86"))), "\"code\":-32000"));
    ck_assert_uint_eq(rounds, 0);
    static const row_t rows[] = {
        { ASK("eth_sendRawTransaction", "\"0x\""), "typed transaction too short" },
        { ASK("eth_sendRawTransaction", "\"0x02\""), "typed transaction too short" },
        { ASK("eth_sendRawTransaction", "\"0x0202\""), "not one RLP list" },
        { ASK("eth_sendRawTransaction", RAW("")), "" },
        { ASK("eth_sendRawTransaction", RAW("8600")), "not one RLP list" },
        { ASK("eth_sendRawTransaction", "\"0x7fc0\""), "unknown transaction type" },
        { ASK("eth_sendRawTransaction", "7"), "-32602" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = serve(rows[i].request);
        ck_assert_msg(strstr(got, "\"error\"") && strstr(got, rows[i].answer), "row %zu: %s", i, got);
        ck_assert_uint_eq(rounds, 0);
    }
}
END_TEST

/* As geth, which does not run it. */
START_TEST(nothing_is_forwarded_whose_answer_would_not_be_given)
{
    add_long();
    const char *got = serve_behind(13, ASK("eth_sendRawTransaction", RAW("86")));
    ck_assert_ptr_nonnull(strstr(got, ERROR("-32003", "response too large") "]"));
    ck_assert_uint_eq(words.nonce, UINT64_MAX);
    got = serve_behind(2, ASK("eth_sendRawTransaction", RAW("86")) "," ASK("eth_sendRawTransaction", RAW("86")));
    ck_assert_ptr_nonnull(strstr(got, RESULT("\"" HASH "\"") "," RESULT("\"" HASH "\"") "]"));
    ck_assert_uint_eq(words.nonce, 2);
}
END_TEST

int main(void)
{
    (void)setenv("CK_DEFAULT_TIMEOUT", "60", 0); /* answers of 26 MB, on a machine that may be busy */
    return UNIT_RUN_AROUND("methods_send", setup_send, teardown, a_transaction_is_forwarded_and_counts_as_pending_then,
                           the_words_of_a_refusal_are_passed_on, the_receipt_of_what_is_forwarded_is_waited_for,
                           what_does_not_come_in_time_is_code_4_with_the_hash, what_is_not_forwarded_is_not_waited_for,
                           a_transaction_of_another_chain_or_without_signature_is_not_forwarded,
                           nothing_is_forwarded_whose_answer_would_not_be_given);
}
