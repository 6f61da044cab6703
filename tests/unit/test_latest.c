/* The first answers of an execution RPC: its chain, and the header of its newest block. */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/upstream/latest.h"
#include "tests/unit/unit.h"

START_TEST(the_chain_is_the_expected_one_or_named)
{
    static const struct {
        const char *text;
        rc_t rc;
        const char *says;
    } rows[] = {
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}", RC_OK, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\",\"error\":null}", RC_OK, "" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0xaa36a7\"}", RC_REFUSED,
          "is of chain 11155111, and this network's is 1" },
        { "{\"error\":{\"code\":-32000,\"message\":\"no\"}}", RC_IO, "error -32000" },
        { "{\"error\":{}}", RC_IO, "error 0" },
        { "{\"result\":1}", RC_MALFORMED, NULL },
        { "{}", RC_MALFORMED, NULL },
        { "", RC_MALFORMED, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err_t e = { 0 };
        ck_assert_msg(latest_check_chain(&e, view_str(rows[i].text), 1) == rows[i].rc, "%s: %s", rows[i].text, e.text);
        ck_assert_msg(!rows[i].says || !strcmp(e.text, rows[i].says), "%s: %s", rows[i].text, e.text);
    }
}
END_TEST

START_TEST(a_proof_is_there_or_the_refusal_is_told)
{
    static const struct {
        const char *text;
        rc_t rc;
    } rows[] = {
        { "{\"result\":{\"accountProof\":[\"0xc0\"]}}", RC_OK },
        { "{\"result\":{\"accountProof\":[]}}", RC_MALFORMED },
        { "{\"result\":{}}", RC_MALFORMED },
        { "{\"result\":null}", RC_MALFORMED },
        { "{\"error\":{\"code\":-32005,\"message\":\"daily limit\"}}", RC_IO },
        { "", RC_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        err_t e = { 0 };
        const rc_t rc = latest_check_proves(&e, view_str(rows[i].text));
        ck_assert_msg(rc == rows[i].rc && !rc == !e.text[0], "%s: %d %s", rows[i].text, rc, e.text);
    }
}
END_TEST

#define ZEROS "0x0000000000000000000000000000000000000000000000000000000000000000"

/* The hash of a header of zeros of the form of London, known from another implementation's RLP and Keccak: see the
 * mutation below, which no wrong hash survives. */
static char block[3000];

static void make_block(const char *hash)
{
    char bloom[513];
    memset(bloom, '0', 512);
    bloom[512] = 0;
    snprintf(
        block, sizeof block,
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"hash\":\"%s\",\"parentHash\":\"" ZEROS "\",\"sha3Uncles\":\"" ZEROS
        "\",\"miner\":\"0x0000000000000000000000000000000000000000\",\"stateRoot\":\"" ZEROS
        "\",\"transactionsRoot\":\"" ZEROS "\",\"receiptsRoot\":\"" ZEROS
        "\",\"logsBloom\":\"0x%s\",\"difficulty\":\"0x0\",\"number\":\"0x7\",\"gasLimit\":\"0x5\",\"gasUsed\":\"0x0\","
        "\"timestamp\":\"0x9\",\"extraData\":\"0x\",\"mixHash\":\"" ZEROS
        "\",\"nonce\":\"0x0000000000000000\",\"baseFeePerGas\":\"0x3\",\"size\":\"0x1\",\"transactions\":[]}}",
        hash, bloom);
}

static void hash_of_it(char out[67])
{
    ex_header_t h = { .number = 7, .gas_limit = 5, .timestamp = 9, .tail = 1, .base_fee = { { 3 } } };
    hash32_t hash;
    ex_header_hash(&hash, &h);
    strcpy(out, "0x");
    for (size_t i = 0; i < 32; i++)
        sprintf(out + 2 + 2 * i, "%02x", hash.b[i]);
}

START_TEST(the_newest_block_is_what_its_hash_says)
{
    ex_header_t h = { .number = 99 };
    hash32_t hash;
    err_t e;
    char good[67];
    hash_of_it(good);
    make_block(good);
    ck_assert_msg(latest_read_block(&h, &hash, &e, view_str(block)) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(h.number == 7 && h.timestamp == 9 && hash.b[0] != 0);
    good[66 - 1] = good[66 - 1] == '0' ? '1' : '0';
    make_block(good);
    h.number = 99;
    ck_assert_int_eq(latest_read_block(&h, &hash, &e, view_str(block)), RC_REFUSED);
    ck_assert_uint_eq(h.number, 99);
}
END_TEST

START_TEST(no_truncation_reads)
{
    char good[67];
    hash_of_it(good);
    make_block(good);
    for (size_t n = 0; n < strlen(block); n++) {
        ex_header_t h;
        hash32_t hash;
        err_t e;
        uint8_t *copy = malloc(n ? n : 1); /* exact size on the heap: ASan sees an over-read */
        memcpy(copy, block, n);
        ck_assert_int_eq(latest_read_block(&h, &hash, &e, view_of(copy, n)), RC_MALFORMED);
        free(copy);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("latest", a_proof_is_there_or_the_refusal_is_told, the_chain_is_the_expected_one_or_named,
                    the_newest_block_is_what_its_hash_says, no_truncation_reads);
}
