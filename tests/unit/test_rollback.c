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

int main(void)
{
    return UNIT_RUN_AROUND(
        "rollback", setup, NULL, the_same_again_and_anything_newer_is_fine, anything_older_is_refused,
        a_newer_number_does_not_excuse_an_older_date, platforms_and_issuers_are_remembered_apart,
        each_byte_of_names_and_numbers_counts, every_row_is_found_again, any_row_may_be_the_one_to_be_forgotten,
        the_least_recently_used_platform_is_forgotten_first, the_root_is_not_forgotten_for_the_sake_of_issuers);
}
