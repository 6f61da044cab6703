/* eth_sendRawTransaction: decoded, checked, forwarded; its hash is computed here. Signed by ethers 6.17 (recorded traffic
 * of its wallet). */
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
        { ASK("eth_sendRawTransaction", "\"0x\""), "not one RLP list" },
        { ASK("eth_sendRawTransaction", "\"0x02\""), "not one RLP list" },
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

int main(void)
{
    return UNIT_RUN_AROUND("methods_send", setup_send, teardown, a_transaction_is_forwarded_and_counts_as_pending_then,
                           the_words_of_a_refusal_are_passed_on,
                           a_transaction_of_another_chain_or_without_signature_is_not_forwarded);
}
