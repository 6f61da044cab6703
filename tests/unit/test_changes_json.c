/* Block access lists from JSON to RLP and back, on those that Besu and @ethereumjs/vm made. */
#include <check.h>
#include <stdio.h>

#include "base/hex.h"
#include "lightclient/exec/changes.h"
#include "lightclient/exec/query.h"
#include "rpc/upstream/changes.h"
#include "tests/unit/unit.h"

#define TEXT_MAX 4096u

/* An account of each kind of change; both forms by hand, from the schema and EIP-7928. */
static const char json[] =
    "[{\"address\":\"0x1111111111111111111111111111111111111111\",\"storageChanges\":[{\"key\":"
    "\"0x0000000000000000000000000000000000000000000000000000000000000001\",\"changes\":[{\"index\":\"0x2\",\"value\":"
    "\"0x0000000000000000000000000000000000000000000000000000000000000009\"}]}],\"storageReads\":["
    "\"0x0000000000000000000000000000000000000000000000000000000000000000\"],\"balanceChanges\":[{\"index\":\"0x0\","
    "\"value\":\"0x0\"}],\"nonceChanges\":[{\"index\":\"0x80\",\"value\":\"0x7\"}],\"codeChanges\":[{\"index\":\"0x1\","
    "\"code\":\"0x6001\"}]}]";
static const char rlp_hex[] = "eeed941111111111111111111111111111111111111111c6c501c3c20209"
                              "c180c3c28080c4c3818007c5c401826001";

static arena_t arena;
static err_t why;

static void begin(void)
{
    arena_init(&arena, 256 << 20);
}

static void end(void)
{
    arena_free(&arena);
}

static rc_t read_text(view_t *out, const char *text)
{
    jo_doc_t doc;
    why = (err_t){ 0 };
    const jo_t o = jo_open(&doc, &why, view_str(text), SIZE_MAX, JO_LENIENT);
    rc_t rc = jr_read_changes(out, &arena, &o, NULL);
    jo_close(&doc);
    return rc;
}

START_TEST(both_forms_say_the_same)
{
    uint8_t want[128];
    size_t n = 0;
    view_t rlp;
    ck_assert_int_eq(hex_decode(want, &n, sizeof want, rlp_hex, strlen(rlp_hex)), RC_OK);
    ck_assert_msg(read_text(&rlp, json) == RC_OK, "%s: %s", why.field, why.text);
    ck_assert(view_eq(rlp, view_of(want, n)));
    jw_t w = jw_of(&arena, TEXT_MAX);
    ck_assert_int_eq(jr_put_changes(&w, NULL, rlp), RC_OK);
    const view_t text = jw_done(&w);
    ck_assert_msg(view_eq(text, view_str(json)), "%.*s", (int)text.n, (const char *)text.p);
    ck_assert_int_eq(read_text(&rlp, "[]"), RC_OK);
    ck_assert(rlp.n == 1 && rlp.p[0] == 0xc0);
}
END_TEST

START_TEST(what_is_no_list_is_refused_with_its_field)
{
    static const struct {
        const char *text, *field;
    } rows[] = {
        { "[{}]", "[0].address" },
        { "[{\"address\":\"0x11\"}]", "[0].address" },
        { "[{\"address\":\"0x1111111111111111111111111111111111111111\"}]", "[0].storageChanges" },
        { "[{\"address\":\"0x1111111111111111111111111111111111111111\",\"storageChanges\":[{\"key\":\"1\"}]}]",
          "[0].storageChanges[0].key" },
        { "{}", "" },
    };
    view_t rlp = { NULL, 7 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_int_eq(read_text(&rlp, rows[i].text), RC_MALFORMED);
        ck_assert_str_eq(why.field, rows[i].field);
        ck_assert_uint_eq(rlp.n, 7);
    }
}
END_TEST

#define ACCOUNT "941111111111111111111111111111111111111111"

/* What a list of a later form has more is not left out in silence. */
START_TEST(a_list_of_another_form_is_not_written)
{
    static const char *const wrong[] = {
        "80",                                                       /* no list */
        "c180",                                                     /* a string for an account */
        "dad9" ACCOUNT "c0c0c0c0",                                  /* a list too few */
        "dcdb" ACCOUNT "c0c0c0c0c0c0",                              /* one too many */
        "dad99311111111111111111111111111111111111111c0c0c0c0c0",   /* 19 bytes of address */
        "dbdad41111111111111111111111111111111111111111c0c0c0c0c0", /* a list of them */
        "dfde" ACCOUNT "c0c0c4c3010501c0c0",                        /* a change of three fields */
        "dddc" ACCOUNT "c0c0c2c101c0c0",                            /* of one */
        "dcdb" ACCOUNT "c0c0c101c0c0",                              /* a string for a change */
        "dbda" ACCOUNT "c0c080c0c0",                                /* a string for changes */
        "dbda" ACCOUNT "80c0c0c0c0",                                /* for writes */
        "dbda" ACCOUNT "c080c0c0c0",                                /* for reads */
        "dcdb" ACCOUNT "c0c1c0c0c0c0",                              /* a list for a read */
        "e2e1" ACCOUNT "c7c601c3c2010101c0c0c0c0",                  /* a slot of three fields */
        "dcdb" ACCOUNT "c101c0c0c0c0",                              /* a string for a slot */
        "dfde" ACCOUNT "c0c0c0c0c4c301c105",                        /* a list for code */
        "e0df" ACCOUNT "c0c0c5c401820005c0c0",                      /* a leading zero */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t rlp[128];
        size_t n = 0;
        jw_t w = jw_of(&arena, TEXT_MAX);
        ck_assert_int_eq(hex_decode(rlp, &n, sizeof rlp, wrong[i], strlen(wrong[i])), RC_OK);
        ck_assert_msg(jr_put_changes(&w, NULL, view_of(rlp, n)) == RC_MALFORMED, "row %zu", i);
    }
}
END_TEST

/* Many accounts with much code: larger tries until it fits, and an end to that. */
START_TEST(a_list_of_any_length_fits_up_to_the_maximum)
{
    const size_t code = EX_CODE_MAX, count = 128, row = 2 * code + 400;
    char *text = malloc(count * row), *p = text;
    *p++ = '[';
    for (size_t i = 0; i < count; i++) {
        p += sprintf(p,
                     "%s{\"address\":\"0x%040zx\",\"storageChanges\":[],\"storageReads\":[],\"balanceChanges\":[],"
                     "\"nonceChanges\":[],\"codeChanges\":[{\"index\":\"0x1\",\"code\":\"0x",
                     i ? "," : "", i + 1);
        memset(p, '6', 2 * code);
        p += 2 * code;
        p += sprintf(p, "\"}]}");
        if (i == 9) { /* more than one try */
            view_t rlp;
            strcpy(p, "]");
            ck_assert_int_eq(read_text(&rlp, text), RC_OK);
            ck_assert_uint_gt(rlp.n, 10 * code);
        }
    }
    view_t rlp = { NULL, 7 };
    strcpy(p, "]");
    ck_assert_int_eq(read_text(&rlp, text), RC_LIMIT);
    ck_assert_uint_eq(rlp.n, 7);
    free(text);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("changes_json", begin, end, both_forms_say_the_same,
                           what_is_no_list_is_refused_with_its_field, a_list_of_another_form_is_not_written,
                           a_list_of_any_length_fits_up_to_the_maximum);
}
