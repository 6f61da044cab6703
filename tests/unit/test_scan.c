/* The scanner of answers: which forms it takes, and that what it takes is what the JSON tree reads. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/scan_same.h"
#include "tests/unit/unit.h"

#define HASH "\"0x0102030405060708091011121314151617181920212223242526272829303132\""
#define ADDRESS "\"0xAa00000000000000000000000000000000000001\""
#define NODE "\"0xf8518080a0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00808080\""
#define FIELDS                                                                                                         \
    "\"address\":" ADDRESS ",\"accountProof\":[" NODE ",\"0x\",\"0x80\"],\"balance\":\"0x0\",\"codeHash\":" HASH       \
    ",\"nonce\":\"0xffffffffffffffff\",\"storageHash\":" HASH
#define SLOT "{\"key\":\"0x03\",\"value\":\"0x00ff\",\"proof\":[" NODE "]}"
#define PROOF "{" FIELDS ",\"storageProof\":[" SLOT "," SLOT "]}"
#define NO_SLOTS "{" FIELDS ",\"storageProof\":[]}"
#define ELEMENT(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}"
#define WHOLE "[" ELEMENT("1", PROOF) "," ELEMENT("2", "\"0x6001\"") "," ELEMENT("3", NO_SLOTS) "]"

static const need_t needs[] = { { .kind = NEED_PROOF, .slot_count = 2 },
                                { .kind = NEED_CODE },
                                { .kind = NEED_PROOF } };

static bool takes(size_t count, const char *text)
{
    bool taken;
    ck_assert_msg(scan_same(&taken, needs, count, view_str(text)), "%s", text);
    return taken;
}

START_TEST(usual_forms_are_taken)
{
    static const char *const whole[] = {
        WHOLE,
        "[" ELEMENT("3", NO_SLOTS) "," ELEMENT("2", "\"0x\"") "," ELEMENT("1", NO_SLOTS) "]",
        " [ {\n\t\"result\" : \"0x6001\" , \"id\" : 2 , \"jsonrpc\" : \"2.0\" } ," ELEMENT(
            " 1 ", PROOF) "\r\n," ELEMENT("3", NO_SLOTS) "] \n",
    };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        ck_assert_msg(takes(3, whole[i]), "%zu", i);
    ck_assert(takes(1, ELEMENT("1", PROOF)));
    ck_assert(takes(1, "[" ELEMENT("1", PROOF) "]"));
}
END_TEST

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define BLOOM "\"0x" ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS ZEROS "\""
#define LOG                                                                                                            \
    "{\"address\":" ADDRESS ",\"topics\":[" HASH "," HASH                                                              \
    "],\"data\":\"0x0011\",\"removed\":false,\"logIndex\":\"0x1\"}"
#define EMPTY_LOG "{ \"data\" : \"0x\" , \"topics\" : [ ] , \"address\" : " ADDRESS "}"
#define RECEIPT(first, logs)                                                                                           \
    "{" first ",\"cumulativeGasUsed\":\"0x5208\",\"to\":null,\"logs\":[" logs "],\"logsBloom\":" BLOOM "}"

static const need_t of_blocks[] = { { .kind = NEED_RECEIPTS }, { .kind = NEED_RECEIPTS } };

static bool takes_receipts(size_t count, const char *text)
{
    bool taken;
    ck_assert_msg(scan_same(&taken, of_blocks, count, view_str(text)), "%s", text);
    return taken;
}

START_TEST(receipts_are_taken_as_the_tree_reads_them)
{
    static const char *const rows[] = {
        RECEIPT("\"status\":\"0x1\"", ""),
        RECEIPT("\"status\":\"0x0\",\"type\":\"0x4\"", LOG),
        RECEIPT("\"type\":\"0x0\",\"root\":" HASH, LOG "," EMPTY_LOG "," LOG "," LOG "," LOG "," LOG),
        RECEIPT("\"root\":" HASH ",\"status\":\"0x1\"", LOG) "," RECEIPT("\"status\":\"0x1\"", EMPTY_LOG),
        "",
    };
    static const char *const others[] = {
        RECEIPT("\"type\":\"0x2\"", LOG),
        RECEIPT("\"status\":\"0x2\"", LOG),
        RECEIPT("\"status\":\"0x1\",\"type\":\"0x5\"", LOG),
        RECEIPT("\"status\":null,\"root\":" HASH, LOG),
        RECEIPT("\"status\":\"0x1\",\"status\":\"0x1\"", LOG),
        RECEIPT("\"status\":\"0x1\",\"to\":null", LOG),
        RECEIPT("\"status\":\"0x1\",\"more\":1", LOG),
        RECEIPT("\"status\":\"0x1\",\"more\":[]", LOG),
        RECEIPT("\"status\":\"0x1\",\"more\":nulls", LOG),
        RECEIPT("\"status\":\"0x1\",\"more\":\"\\u0061\"", LOG),
        RECEIPT("\"status\":\"0x1\"", "{\"address\":" ADDRESS ",\"topics\":[]}"),
        RECEIPT("\"status\":\"0x1\"", "{\"address\":" HASH ",\"topics\":[],\"data\":\"0x\"}"),
        RECEIPT("\"status\":\"0x1\"",
                "{\"address\":" ADDRESS ",\"topics\":[" HASH "," HASH "," HASH "," HASH "," HASH "],\"data\":\"0x\"}"),
        RECEIPT("\"status\":\"0x1\"", LOG ","),
        "{\"status\":\"0x1\",\"cumulativeGasUsed\":\"0x5208\",\"logs\":[]}",
        "null",
        "7",
    };
    char text[16384];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, ELEMENT("1", "[%s]"), rows[i]);
        ck_assert_msg(takes_receipts(1, text), "%zu", i);
        snprintf(text, sizeof text,
                 "[" ELEMENT("2", "[%s]") "," ELEMENT("1", "[" RECEIPT("\"status\":\"0x1\"", LOG) "]") "]", rows[i]);
        ck_assert_msg(takes_receipts(2, text), "%zu", i);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(text, sizeof text, ELEMENT("1", "[%s]"), others[i]);
        ck_assert_msg(!takes_receipts(1, text), "%zu", i);
    }
    ck_assert(!takes_receipts(1, ELEMENT("1", "null")));
    ck_assert(!takes_receipts(1, ELEMENT("1", "\"0x\"")));
    ck_assert(!takes_receipts(2, "[" ELEMENT("1", "[]") "]"));
}
END_TEST

/* Each prefix of an answer, on the heap to its end: the tree says what it is. */
START_TEST(receipts_that_are_cut_off_are_left_to_the_tree)
{
    static const char whole[] = ELEMENT("1", "[" RECEIPT("\"status\":\"0x1\"", LOG "," EMPTY_LOG) "]");
    bool taken;
    for (size_t n = 0; n + 1 < sizeof whole; n++) {
        char *cut = malloc(n + 1);
        memcpy(cut, whole, n);
        ck_assert(scan_same(&taken, of_blocks, 1, view_of(cut, n)));
        ck_assert(!taken);
        free(cut);
    }
}
END_TEST

START_TEST(all_else_is_left_to_the_tree)
{
    static const char *const texts[] = {
        "",
        "[]",
        "null",
        ELEMENT("0", PROOF),
        ELEMENT("2", PROOF),
        ELEMENT("1.0", PROOF),
        ELEMENT("1e0", PROOF),
        ELEMENT("01", PROOF),
        ELEMENT("-1", PROOF),
        ELEMENT("\"1\"", PROOF),
        ELEMENT("1", "\"0x6001\""),
        ELEMENT("1", "null"),
        ELEMENT("1", PROOF) ",",
        ELEMENT("1", PROOF) "x",
        "[" ELEMENT("1", PROOF) ",]",
        "[" ELEMENT("1", PROOF) "," ELEMENT("1", PROOF) "]",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":" PROOF "}",
        "{\"id\":1,\"result\":" PROOF "}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":1,\"result\":" PROOF "}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":null,\"result\":" PROOF "}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"no\"}}",
        ELEMENT("1", "{" FIELDS "}"),
        ELEMENT("1", "{" FIELDS ",\"storageProof\":null}"),
        ELEMENT("1", "{" FIELDS ",\"storageProof\":[],\"more\":1}"),
        ELEMENT("1", "{" FIELDS ",\"storageProof\":[" SLOT "," SLOT "," SLOT "]}"),
        ELEMENT("1", "{" FIELDS ",\"nonce\":\"0x1\",\"storageProof\":[]}"),
        ELEMENT("1", "{\"\\u0061ddress\":" ADDRESS "}"),
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        ck_assert_msg(!takes(1, texts[i]), "%s", texts[i]);
    static const need_t hint = { .kind = NEED_HINT };
    bool taken;
    ck_assert(scan_same(&taken, &hint, 1, view_str(ELEMENT("1", "{\"accessList\":[]}"))) && !taken);
}
END_TEST

START_TEST(values_have_their_form)
{
    static const struct {
        const char *balance;
        bool good;
    } rows[] = {
        { "0x0", true },
        { "0x1f", true },
        { "0xABCDEF", true },
        { "0x", false },
        { "", false },
        { "0x00", false },
        { "1", false },
        { "0X1", false },
        { "0x1g", false },
        { "0x 1", false },
        { "0x\\u0031", false },
        { "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", true },
        { "0x1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[2048];
        snprintf(text, sizeof text,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"address\":" ADDRESS ",\"accountProof\":[],\"balance\":"
                 "\"%s\",\"codeHash\":" HASH ",\"nonce\":\"0x1\",\"storageHash\":" HASH ",\"storageProof\":[]}}",
                 rows[i].balance);
        ck_assert_msg(takes(1, text) == rows[i].good, "%s", rows[i].balance);
    }
}
END_TEST

START_TEST(what_is_cut_short_or_changed_is_never_taken_as_something_else)
{
    static const char others[] = "\"\\0x{}[]:,1fg \x80";
    const size_t len = strlen(WHOLE);
    for (size_t n = 0; n < len; n++) {
        bool taken;
        uint8_t *cut = malloc(n ? n : 1); /* exact sizes: the sanitizer sees what is read beyond */
        memcpy(cut, WHOLE, n);
        ck_assert(scan_same(&taken, needs, 3, view_of(cut, n)) && !taken);
        free(cut);
    }
    uint8_t *text = malloc(len);
    for (size_t n = 0; n < len; n++)
        for (size_t i = 0; i < sizeof others; i++) {
            bool taken;
            memcpy(text, WHOLE, len);
            text[n] = (uint8_t)others[i];
            ck_assert_msg(scan_same(&taken, needs, 3, view_of(text, len)), "%zu: %c", n, others[i]);
        }
    free(text);
}
END_TEST

START_TEST(a_proof_has_at_most_as_many_nodes_as_a_key_has_nibbles)
{
    for (size_t nodes = 65; nodes <= 67; nodes++) {
        char text[2048] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"address\":" ADDRESS ",\"accountProof\":[";
        for (size_t i = 0; i < nodes; i++)
            strcat(text, i ? ",\"0x80\"" : "\"0x80\"");
        strcat(text, "],\"balance\":\"0x1\",\"codeHash\":" HASH ",\"nonce\":\"0x1\",\"storageHash\":" HASH
                     ",\"storageProof\":[]}}");
        ck_assert(takes(1, text) == (nodes <= 66)); /* one empty element more is known to happen */
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("scan", usual_forms_are_taken, receipts_are_taken_as_the_tree_reads_them,
                    receipts_that_are_cut_off_are_left_to_the_tree, all_else_is_left_to_the_tree,
                    values_have_their_form, what_is_cut_short_or_changed_is_never_taken_as_something_else,
                    a_proof_has_at_most_as_many_nodes_as_a_key_has_nibbles);
}
