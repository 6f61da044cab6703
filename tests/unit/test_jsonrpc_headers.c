/* JSON-RPC texts: headers of blocks. */
#include "tests/unit/jsonrpc_set.h"

START_TEST(headers_are_read_and_checked_by_hash)
{
    static const char *const fields[] = { "parentHash",   "sha3Uncles", "miner",      "stateRoot", "transactionsRoot",
                                          "receiptsRoot", "logsBloom",  "difficulty", "gasLimit",  "gasUsed",
                                          "timestamp",    "extraData",  "mixHash",    "nonce",     "number" };
    set_t s;
    const need_t *needs;
    begin(&s, "5f35405f5260205ff3", false); /* return blockhash(calldata[0]) */
    s.word[30] = 998 >> 8;
    s.word[31] = 998 & 255;
    size_t n = step(&s, &needs);
    char *body = honest(&s, needs, n);
    ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
    free(body);
    n = step(&s, &needs);
    ck_assert_uint_eq(n, 1);
    ck_assert_int_eq(needs[0].kind, NEED_HEADER);
    body = honest(&s, needs, n);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "\"%s\":\"0x", fields[i]);
        char *bad = replaced(body, name, "\"unknown\":\"0x");
        ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
        snprintf(name, sizeof name, "eth_getBlockByNumber 999: bad field %s: ", fields[i]);
        ck_assert_msg(strstr(s.why.text, name) == s.why.text, "%s", s.why.text);
        free(bad);
    }
    char *bad = replaced(body, "\"gasLimit\":\"0x1", "\"gasLimit\":\"0x2");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_REFUSED);
    free(bad);
    bad = replaced(body, "\"baseFeePerGas\"", "\"baseFee\"");
    ck_assert_int_eq(give(&s, needs, n, bad), RC_REFUSED);
    free(bad);
    bad = replaced(body, "\"baseFeePerGas\":\"0x7\"", "\"withdrawalsRoot\":\"0x7\""); /* a gap in the optional fields */
    ck_assert_int_eq(give(&s, needs, n, bad), RC_MALFORMED);
    free(bad);
    ck_assert_msg(give(&s, needs, n, body) == RC_OK, "%s", s.why.text);
    free(body);
    ck_assert_int_eq(query_step(s.call, &s.e), RC_OK);
    ck_assert(memcmp(ex_call_result(s.call)->output.p, s.parent.parent_hash.b, 32) == 0);
    end(&s);
}
END_TEST

#define Z16 "00000000000000000000000000000000"
#define Z32 "0x" Z16 Z16
#define Z128 Z16 Z16 Z16 Z16 Z16 Z16 Z16 Z16

/* The second header of vectors/amsterdam/headers-ethereumjs.json (@ethereumjs/block 10.1.3). */
static const char amsterdam[] =
    "{\"parentHash\":\"" Z32 "\",\"sha3Uncles\":\"0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347\","
    "\"miner\":\"0x0000000000000000000000000000000000000000\",\"stateRoot\":\"" Z32 "\","
    "\"transactionsRoot\":\"0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421\","
    "\"receiptsRoot\":\"0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421\",\"logsBloom\":\"0x" Z128
        Z128 "\",\"difficulty\":\"0x0\",\"number\":\"0x434c6\",\"gasLimit\":\"0xbebc200\",\"gasUsed\":\"0x5fccd30\","
    "\"timestamp\":\"0x6ab13b80\",\"extraData\":\"0x6b6574746c65\",\"mixHash\":\"" Z32
    "\",\"nonce\":\"0x0000000000000000\","
    "\"baseFeePerGas\":\"0x7\",\"withdrawalsRoot\":\"0x4444444444444444444444444444444444444444444444444444444444444444\","
    "\"blobGasUsed\":\"0x0\",\"excessBlobGas\":\"0x0\","
    "\"parentBeaconBlockRoot\":\"0x2222222222222222222222222222222222222222222222222222222222222222\","
    "\"requestsHash\":\"0x3333333333333333333333333333333333333333333333333333333333333333\","
    "\"blockAccessListHash\":\"0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347\","
    "\"slotNumber\":\"0xac6000\"}";

static rc_t read_amsterdam(ex_header_t *h, const char *text)
{
    static const hash32_t hash = { { 0x33, 0xc8, 0xde, 0x48, 0x74, 0xf1, 0x91, 0xae, 0x90, 0x23, 0xa1,
                                     0xf0, 0xf1, 0xdc, 0x6c, 0x63, 0x55, 0x5d, 0xa5, 0x5f, 0x09, 0xcf,
                                     0xca, 0x59, 0x3a, 0x53, 0xc6, 0xfa, 0x2c, 0xaa, 0x58, 0x81 } };
    jo_doc_t doc;
    err_t e;
    const jo_t o = jo_open(&doc, &e, view_str(text), 65536, JO_STRICT);
    rc_t rc = jr_read_header(h, &o);
    jo_close(&doc);
    return rc ? rc : ex_header_check(h, &hash);
}

START_TEST(a_header_of_amsterdam_has_two_more_fields)
{
    ex_header_t h;
    ck_assert_int_eq(read_amsterdam(&h, amsterdam), RC_OK);
    ck_assert_uint_eq(h.tail, 8);
    ck_assert_uint_eq(h.slot_number, 11296768);
    char *bad = replaced(amsterdam, "\"slotNumber\"", "\"unknown\""); /* 22 fields: no header has so many */
    ck_assert_int_eq(read_amsterdam(&h, bad), RC_MALFORMED);
    free(bad);
    bad = replaced(amsterdam, "\"blockAccessListHash\"", "\"unknown\""); /* a gap */
    ck_assert_int_eq(read_amsterdam(&h, bad), RC_MALFORMED);
    free(bad);
    bad = replaced(amsterdam, "\"slotNumber\":\"0xac6000\"", "\"slotNumber\":\"0xac6001\"");
    ck_assert_int_eq(read_amsterdam(&h, bad), RC_REFUSED);
    free(bad);
    bad = replaced(amsterdam, "\"blockAccessListHash\":\"0x1d", "\"blockAccessListHash\":\"0x1e");
    ck_assert_int_eq(read_amsterdam(&h, bad), RC_REFUSED);
    free(bad);
}
END_TEST

/* The answer to a need of a head, as an element of a batch of one. */
static rc_t decode_head(jr_answer_t *out, arena_t *a, need_kind_t kind, const char *result)
{
    err_t e;
    const need_t need = { .kind = kind };
    const need_t *needs[1] = { &need };
    char *body = calloc(1, strlen(result) + 100);
    ck_assert_ptr_nonnull(body);
    sprintf(body, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}]", result);
    rc_t rc = jr_decode(out, &e, a, needs, 1, &GIVE_FORM, view_str(body));
    ck_assert_int_eq(rc, RC_OK);
    free(body);
    return out->rc;
}

START_TEST(a_head_is_asked_for_by_its_hash)
{
    const ex_block_t block = { .block_hash = { { 0xab, [31] = 0x01 } } };
    const need_t needs[2] = { { .kind = NEED_HEAD, .block = &block }, { .kind = NEED_HEAD_BYTES, .block = &block } };
    arena_t a;
    view_t text;
    const char *want = "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_getBlockByHash\",\"params\":["
                       "\"0xab00000000000000000000000000000000000000000000000000000000000001\",false]},"
                       "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"debug_getRawHeader\",\"params\":["
                       "\"0xab00000000000000000000000000000000000000000000000000000000000001\"]}]";
    arena_init(&a, 1u << 20);
    ck_assert_int_eq(give_request(&text, &a, needs, 2), RC_OK);
    ck_assert(view_eq(text, view_str(want)));
    arena_free(&a);
}
END_TEST

START_TEST(what_a_head_has_more_is_told)
{
    jr_answer_t answer;
    arena_t a;
    arena_init(&a, 1u << 20);
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, amsterdam), RC_OK);
    ck_assert_uint_eq(answer.answer.header.slot_number, 11296768);
    ck_assert(!answer.answer.header_more);
    char *usual = replaced(amsterdam, "{",
                           "{\"hash\":\"0x\",\"size\":7,\"totalDifficulty\":null,\"uncles\":[],"
                           "\"transactions\":[],\"withdrawals\":[],");
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, usual), RC_OK);
    ck_assert(!answer.answer.header_more);
    char *more = replaced(usual, "{", "{\"inclusionListHash\":\"0x12\",");
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, more), RC_OK);
    ck_assert(answer.answer.header_more);
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, "null"), RC_NEED_DATA);
    ck_assert_str_eq(answer.why.text, "eth_getBlockByHash: the answer is null");
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, "\"0x12\""), RC_MALFORMED);
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD_BYTES, "\"0xc20102\""), RC_OK);
    ck_assert(view_eq(answer.answer.code, view_str("\xc2\x01\x02")));
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD_BYTES, "{}"), RC_MALFORMED);
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD_BYTES, "\"0xc2010\""), RC_MALFORMED);
    char *fewer = replaced(usual, "\"slotNumber\"", "\"number2\""); /* for exec/head.h to judge, which has the hash */
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEAD, fewer), RC_OK);
    ck_assert_uint_eq(answer.answer.header.tail, 7);
    ck_assert_int_eq(decode_head(&answer, &a, NEED_HEADER, fewer), RC_MALFORMED);
    ck_assert_str_eq(answer.why.text,
                     "eth_getBlockByNumber 0: bad field result: has 22 fields, and no header has so many");
    free(fewer);
    free(usual);
    free(more);
    arena_free(&a);
}
END_TEST

int main(void)
{
    return UNIT_RUN("jsonrpc_headers", headers_are_read_and_checked_by_hash, a_header_of_amsterdam_has_two_more_fields,
                    a_head_is_asked_for_by_its_hash, what_a_head_has_more_is_told);
}
