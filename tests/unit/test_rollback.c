/* What the memory of accepted collateral refuses and forgets. */
#include "tee/collateral/rollback.h"
#include "tests/unit/unit.h"

static rollback_t memory;
static tcb_info_t info;
static qe_identity_t identity;
static chain_crl_t root_crl, pck_crl;

static void setup(void)
{
    memset(&memory, 0, sizeof memory);
    info = (tcb_info_t){ .fmspc = { 0, 0x80, 0x6f, 5, 0, 0 }, .evaluation_number = 17, .issue_date = 1000 };
    identity = (qe_identity_t){ .evaluation_number = 17, .issue_date = 900 };
    root_crl = (chain_crl_t){ .issuer.b = { 1 }, .this_update = 500, .next_update = 5000 };
    pck_crl = (chain_crl_t){ .issuer.b = { 2 }, .this_update = 600, .next_update = 5000 };
    root_crl.number[19] = 1;
    pck_crl.number[18] = 1; /* 256 */
}

/* The code; the memory stays as it was. */
static tee_code_t check(void)
{
    static rollback_t before;
    err_t fault = { 0 };
    before = memory;
    rc_t rc = rollback_check(&memory, &fault, &info, &identity, &root_crl, &pck_crl);
    ck_assert_int_eq(rc, fault.code == TEE_OK ? RC_OK : RC_REPLAY);
    ck_assert_mem_eq(&before, &memory, sizeof memory);
    return fault.code;
}

static void accept(void)
{
    ck_assert_int_eq(check(), TEE_OK);
    rollback_accept(&memory, &info, &identity, &root_crl, &pck_crl);
}

START_TEST(the_same_again_and_anything_newer_is_fine)
{
    accept();
    accept();
    info.evaluation_number++;
    info.issue_date++;
    accept();
    identity.evaluation_number++;
    identity.issue_date++;
    accept();
    root_crl.number[19]++;
    root_crl.this_update++;
    accept();
    pck_crl.number[0] = 1;
    pck_crl.this_update++;
    accept();
}
END_TEST

START_TEST(anything_older_is_refused)
{
    accept();
    info.evaluation_number--;
    ck_assert_int_eq(check(), E_ROLLBACK);
    info.evaluation_number++;
    info.issue_date--;
    ck_assert_int_eq(check(), E_ROLLBACK);
    info.issue_date++;
    identity.evaluation_number--;
    ck_assert_int_eq(check(), E_ROLLBACK);
    identity.evaluation_number++;
    identity.issue_date--;
    ck_assert_int_eq(check(), E_ROLLBACK);
    identity.issue_date++;
    root_crl.number[19] = 0;
    ck_assert_int_eq(check(), E_ROLLBACK);
    root_crl.number[19] = 1;
    root_crl.this_update--;
    ck_assert_int_eq(check(), E_ROLLBACK);
    root_crl.this_update++;
    pck_crl.number[18] = 0;
    pck_crl.number[19] = 255; /* 255 is less than 256 */
    ck_assert_int_eq(check(), E_ROLLBACK);
    pck_crl.number[18] = 1;
    pck_crl.this_update--;
    ck_assert_int_eq(check(), E_ROLLBACK);
    pck_crl.this_update++;
    ck_assert_int_eq(check(), TEE_OK);
}
END_TEST

START_TEST(a_newer_number_does_not_excuse_an_older_date)
{
    accept();
    info.evaluation_number++;
    info.issue_date--;
    ck_assert_int_eq(check(), E_ROLLBACK);
}
END_TEST

START_TEST(platforms_and_issuers_are_remembered_apart)
{
    accept();
    info.fmspc[5] = 1;
    info.evaluation_number = 1;
    info.issue_date = 1;
    identity.evaluation_number = 1;
    identity.issue_date = 1;
    ck_assert_int_eq(check(), TEE_OK);
    pck_crl.issuer.b[31] = 9;
    memset(pck_crl.number, 0, sizeof pck_crl.number);
    pck_crl.this_update = 1;
    accept();
    info.fmspc[5] = 0;
    ck_assert_int_eq(check(), E_ROLLBACK);
}
END_TEST

/* Of a platform's name, an issuer's name and a list's number. */
START_TEST(each_byte_of_names_and_numbers_counts)
{
    accept();
    info.evaluation_number--;
    for (size_t i = 0; i < 6; i++) {
        info.fmspc[i] ^= 1;
        ck_assert_int_eq(check(), TEE_OK);
        info.fmspc[i] ^= 1;
    }
    ck_assert_int_eq(check(), E_ROLLBACK);
    info.evaluation_number++;
    pck_crl.this_update--;
    for (size_t i = 0; i < 32; i++) {
        pck_crl.issuer.b[i] ^= 0x40;
        ck_assert_int_eq(check(), TEE_OK);
        pck_crl.issuer.b[i] ^= 0x40;
    }
    ck_assert_int_eq(check(), E_ROLLBACK);
    pck_crl.this_update++;
    memset(pck_crl.number, 7, sizeof pck_crl.number);
    accept();
    for (size_t i = 0; i < sizeof pck_crl.number; i++) {
        pck_crl.number[i]--;
        ck_assert_int_eq(check(), E_ROLLBACK);
        pck_crl.number[i] = 8;
        ck_assert_int_eq(check(), TEE_OK);
        pck_crl.number[i] = 7;
    }
}
END_TEST

START_TEST(every_row_is_found_again)
{
    for (unsigned i = 0; i < ROLLBACK_ROWS_MAX; i++) {
        info.fmspc[5] = (uint8_t)i;
        accept();
    }
    for (unsigned i = 0; i < ROLLBACK_ROWS_MAX; i++) {
        info.fmspc[5] = (uint8_t)i;
        ck_assert_int_eq(check(), TEE_OK);
        info.evaluation_number--;
        ck_assert_msg(check() == E_ROLLBACK, "platform %u", i);
        info.evaluation_number++;
    }
    for (unsigned i = 0; i < ROLLBACK_ROWS_MAX - 1; i++) { /* and the root */
        pck_crl.issuer.b[31] = (uint8_t)i;
        accept();
    }
    for (unsigned i = 0; i < ROLLBACK_ROWS_MAX - 1; i++) {
        pck_crl.issuer.b[31] = (uint8_t)i;
        pck_crl.this_update--;
        ck_assert_msg(check() == E_ROLLBACK, "issuer %u", i);
        pck_crl.this_update++;
    }
}
END_TEST

/* Whichever row was used least recently: the first, one in the middle, the last. */
START_TEST(any_row_may_be_the_one_to_be_forgotten)
{
    static const unsigned oldest[] = { 0, ROLLBACK_ROWS_MAX / 2, ROLLBACK_ROWS_MAX - 1 };
    for (size_t k = 0; k < 3; k++) {
        setup();
        for (unsigned turn = 0; turn < 2; turn++)
            for (unsigned i = 0; i < ROLLBACK_ROWS_MAX; i++) {
                if (turn && i == oldest[k])
                    continue;
                info.fmspc[5] = (uint8_t)i;
                accept();
            }
        info.fmspc[5] = 0xee;
        accept();
        info.evaluation_number--;
        for (unsigned i = 0; i < ROLLBACK_ROWS_MAX; i++) {
            info.fmspc[5] = (uint8_t)i;
            ck_assert_msg(check() == (i == oldest[k] ? TEE_OK : E_ROLLBACK), "oldest %u, row %u", oldest[k], i);
        }
    }
}
END_TEST

START_TEST(the_least_recently_used_platform_is_forgotten_first)
{
    accept(); /* FMSPC ...00 at 17 */
    for (unsigned i = 1; i < ROLLBACK_ROWS_MAX; i++) {
        info.fmspc[5] = (uint8_t)i;
        accept();
    }
    info.fmspc[5] = 0;
    accept(); /* used again: now ...01 is the oldest */
    info.fmspc[4] = 1;
    accept(); /* takes its row */
    info.evaluation_number = 16;
    ck_assert_int_eq(check(), E_ROLLBACK);
    info.fmspc[4] = 0;
    ck_assert_int_eq(check(), E_ROLLBACK);
    info.fmspc[5] = 1;
    ck_assert_int_eq(check(), TEE_OK);
    info.fmspc[5] = 2;
    ck_assert_int_eq(check(), E_ROLLBACK);
}
END_TEST

START_TEST(the_root_is_not_forgotten_for_the_sake_of_issuers)
{
    for (unsigned i = 0; i < 3 * ROLLBACK_ROWS_MAX; i++) {
        pck_crl.issuer.b[1] = (uint8_t)i;
        accept();
    }
    root_crl.this_update--;
    ck_assert_int_eq(check(), E_ROLLBACK);
    root_crl.this_update++;
    pck_crl.this_update--;
    ck_assert_int_eq(check(), E_ROLLBACK);
    pck_crl.issuer.b[1] = 0; /* forgotten long ago */
    ck_assert_int_eq(check(), TEE_OK);
}
END_TEST

/* ---- on disk ---- */

static rollback_t copy;

/* All rows filled, each field of each its own. */
static void fill(void)
{
    memset(&memory, 0, sizeof memory);
    memory.clock = 1000000;
    for (unsigned i = 0; i < ROLLBACK_ROWS_MAX; i++) {
        memset(memory.platforms[i].fmspc, (int)i, 6);
        memory.platforms[i].evaluation_number = 0xfffffff0u - i;
        memory.platforms[i].qe_evaluation_number = 17 + i;
        memory.platforms[i].issue_date = -1 - (int64_t)i;
        memory.platforms[i].qe_issue_date = INT64_MAX - i;
        memory.platforms[i].used = 1000000 - i;
        memset(memory.issuers[i].crl.issuer.b, 0x80 + (int)i, 32);
        memset(memory.issuers[i].crl.number, 0x40 + (int)i, CRL_NUMBER_MAX);
        memory.issuers[i].crl.this_update = 1700000000 + i;
        memory.issuers[i].crl.next_update = 1800000000 + i;
        memory.issuers[i].used = 1 + i;
    }
}

/* Equal, padding aside. */
static void assert_same(const rollback_t *a, const rollback_t *b)
{
    ck_assert_uint_eq(a->clock, b->clock);
    for (unsigned i = 0; i < ROLLBACK_ROWS_MAX; i++) {
        ck_assert_mem_eq(a->platforms[i].fmspc, b->platforms[i].fmspc, 6);
        ck_assert_uint_eq(a->platforms[i].evaluation_number, b->platforms[i].evaluation_number);
        ck_assert_uint_eq(a->platforms[i].qe_evaluation_number, b->platforms[i].qe_evaluation_number);
        ck_assert_int_eq(a->platforms[i].issue_date, b->platforms[i].issue_date);
        ck_assert_int_eq(a->platforms[i].qe_issue_date, b->platforms[i].qe_issue_date);
        ck_assert_uint_eq(a->platforms[i].used, b->platforms[i].used);
        ck_assert(hash32_eq(&a->issuers[i].crl.issuer, &b->issuers[i].crl.issuer));
        ck_assert_mem_eq(a->issuers[i].crl.number, b->issuers[i].crl.number, CRL_NUMBER_MAX);
        ck_assert_int_eq(a->issuers[i].crl.this_update, b->issuers[i].crl.this_update);
        ck_assert_int_eq(a->issuers[i].crl.next_update, b->issuers[i].crl.next_update);
        ck_assert_uint_eq(a->issuers[i].used, b->issuers[i].used);
    }
}

START_TEST(each_field_comes_back_from_the_disk)
{
    uint8_t code[ROLLBACK_CODE_MAX];
    err_t e = { 0 };
    view_t empty = rollback_encode(code, &memory);
    ck_assert_uint_eq(empty.n, 36);
    ck_assert_mem_eq(code, "KETTLE-ROLLBACK\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 36);
    ck_assert_int_eq(rollback_decode(&copy, &e, empty), RC_OK);
    assert_same(&memory, &copy);
    accept();
    ck_assert_int_eq(rollback_decode(&copy, &e, rollback_encode(code, &memory)), RC_OK);
    assert_same(&memory, &copy);
    fill();
    view_t full = rollback_encode(code, &memory);
    ck_assert_uint_eq(full.n, 36 + 64 * (38 + 76));
    ck_assert_int_eq(rollback_decode(&copy, &e, full), RC_OK);
    assert_same(&memory, &copy);
}
END_TEST

/* Refused with a reason; the memory stays as it was. */
static void expect_refused(view_t code, const char *reason)
{
    static rollback_t before;
    err_t e = { 0 };
    before = memory;
    uint8_t *exact = malloc(code.n ? code.n : 1);
    if (code.n)
        memcpy(exact, code.p, code.n);
    ck_assert_int_eq(rollback_decode(&memory, &e, view_of(exact, code.n)), RC_MALFORMED);
    ck_assert_msg(strstr(e.text, reason), "%s", e.text);
    ck_assert_mem_eq(&before, &memory, sizeof memory);
    free(exact);
}

START_TEST(every_truncation_is_refused_and_so_is_what_stands_behind_the_end)
{
    uint8_t code[ROLLBACK_CODE_MAX];
    fill();
    view_t full = rollback_encode(code, &memory);
    for (size_t n = 0; n < full.n; n++)
        expect_refused(view_of(code, n), n < 16 ? "this version's form" : n < 20 ? "layout" : "cut or damaged");
    code[full.n] = 0;
    expect_refused(view_of(code, full.n + 1), "cut or damaged");
}
END_TEST

START_TEST(another_layout_and_rows_that_cannot_be_are_refused)
{
    uint8_t code[ROLLBACK_CODE_MAX];
    accept();
    view_t good = rollback_encode(code, &memory);
    static const struct {
        size_t at;
        uint8_t value;
        const char *reason;
    } rows[] = {
        { 0, 'k', "this version's form" }, { 15, 1, "this version's form" },
        { 16, 2, "in layout 2, not 1" },   { 16, 0, "in layout 0, not 1" },
        { 28, 65, "cut or damaged" },      { 32, 65, "cut or damaged" },
        { 28, 0, "cut or damaged" },       { 32, 1, "cut or damaged" },
        { 36 + 30, 0, "cut or damaged" }, /* a row that is not in use */
        { 36 + 30, 9, "cut or damaged" }, /* or was used in the future */
        { 20, 0, "cut or damaged" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t was = code[rows[i].at];
        ck_assert_uint_ne(was, rows[i].value);
        code[rows[i].at] = rows[i].value;
        expect_refused(good, rows[i].reason);
        code[rows[i].at] = was;
    }
}
END_TEST

START_TEST(what_an_earlier_release_wrote_as_it_lay_in_memory_is_refused)
{
    fill();
    copy = memory;
    expect_refused(view_of((const uint8_t *)&copy, sizeof copy), "this version's form");
    memset(&copy, 0, sizeof copy);
    expect_refused(view_of((const uint8_t *)&copy, sizeof copy), "this version's form");
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "rollback", setup, NULL, the_same_again_and_anything_newer_is_fine, anything_older_is_refused,
        a_newer_number_does_not_excuse_an_older_date, platforms_and_issuers_are_remembered_apart,
        each_byte_of_names_and_numbers_counts, every_row_is_found_again, any_row_may_be_the_one_to_be_forgotten,
        the_least_recently_used_platform_is_forgotten_first, the_root_is_not_forgotten_for_the_sake_of_issuers,
        each_field_comes_back_from_the_disk, every_truncation_is_refused_and_so_is_what_stands_behind_the_end,
        another_layout_and_rows_that_cannot_be_are_refused,
        what_an_earlier_release_wrote_as_it_lay_in_memory_is_refused);
}
