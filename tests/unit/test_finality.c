/* What a beacon node calls finalized, read from its answers. The first is of Lodestar, shortened in nothing but digits. */
#include <stdlib.h>

#include "rpc/upstream/finality.h"
#include "tests/unit/unit.h"

#define ROOT "0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"
#define ZERO "0x0000000000000000000000000000000000000000000000000000000000000000"
static const char POINTS[] =
    "{\"data\":{\"previous_justified\":{\"epoch\":\"5\",\"root\":\"" ZERO
    "\"},\"current_justified\":{\"epoch\":\"6\",\"root\":\"" ZERO "\"},\"finalized\":{\"epoch\":\"4\",\"root\":\"" ROOT
    "\"}},\"execution_optimistic\":false,\"finalized\":false}";
static const char BLOCK[] = "{\"data\":{\"root\":\"" ROOT "\"},\"execution_optimistic\":false,\"finalized\":true}";

START_TEST(epoch_and_roots_are_read)
{
    uint64_t epoch;
    hash32_t root;
    err_t e;
    char path[FINALITY_ROOT_PATH_MAX];
    ck_assert_msg(finality_read(&epoch, &root, &e, view_str(POINTS)) == RC_OK, "%s: %s", e.field, e.text);
    ck_assert(epoch == 4 && root.b[0] == 1 && root.b[31] == 0x20);
    ck_assert_int_eq(finality_read_root(&root, &e, view_str(BLOCK)), RC_OK);
    ck_assert(root.b[0] == 1 && root.b[31] == 0x20);
    finality_root_path(path, UINT64_MAX);
    ck_assert_str_eq(path, "/eth/v1/beacon/blocks/18446744073709551615/root");
}
END_TEST

START_TEST(no_truncation_reads_and_nothing_is_touched)
{
    for (unsigned which = 0; which < 2; which++) {
        const char *text = which ? BLOCK : POINTS;
        for (size_t n = 0; n < strlen(text); n++) {
            uint64_t epoch = 7;
            hash32_t root = { { 7 } };
            err_t e;
            uint8_t *copy = malloc(n ? n : 1); /* exact size on the heap: ASan sees an over-read */
            memcpy(copy, text, n);
            const view_t body = view_of(copy, n);
            ck_assert_int_eq(which ? finality_read_root(&root, &e, body) : finality_read(&epoch, &root, &e, body),
                             RC_MALFORMED);
            ck_assert(epoch == 7 && root.b[0] == 7 && e.text[0]);
            free(copy);
        }
    }
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
    static const struct {
        const char *text, *field;
    } rows[] = {
        { "{\"data\":{\"finalized\":{\"epoch\":\"0\",\"root\":\"" ZERO "\"}}}", "data.finalized.root" },
        { "{\"data\":{\"finalized\":{\"epoch\":\"x\",\"root\":\"" ROOT "\"}}}", "data.finalized.epoch" },
        { "{\"data\":{\"finalized\":{\"epoch\":\"18446744073709551616\",\"root\":\"" ROOT "\"}}}",
          "data.finalized.epoch" },
        { "{\"data\":{\"finalized\":{\"epoch\":\"1\",\"root\":\"0x01\"}}}", "data.finalized.root" },
        { "{\"data\":{}}", "data.finalized" },
        { "{\"code\":404,\"message\":\"no\"}", "data" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t epoch;
        hash32_t root;
        err_t e;
        ck_assert_int_ne(finality_read(&epoch, &root, &e, view_str(rows[i].text)), RC_OK);
        ck_assert_msg(!strcmp(e.field, rows[i].field), "%s: %s %s", rows[i].text, e.field, e.text);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN("finality", epoch_and_roots_are_read, no_truncation_reads_and_nothing_is_touched,
                    what_is_wrong_is_named);
}
