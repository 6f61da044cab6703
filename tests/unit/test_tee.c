/* The prototype's binding of a key to a quote. */
#include <check.h>
#include <stdlib.h>

#include "base/hex.h"
#include "tee/tee.h"

/* Source: the quote that the prototype publishes for this key (a real TDX quote; its report data). Python's hashlib
 * gives the same for SHA-256 of "register" and the hex text. */
START_TEST(register_report_data_matches_the_published_quote)
{
    uint8_t key[33], out[TEE_REPORT_DATA_LEN];
    char hex[2 * sizeof out + 1];
    const char *text = "02f3bf0aaa9dd53d07ef32facc6b068421b4a7dc25e4ba3d399c5e1109c39dc45e";
    ck_assert_int_eq(hex_decode_exact(key, sizeof key, text, strlen(text)), RC_OK);
    tee_register_report_data(out, key);
    hex_encode(hex, view_of(out, sizeof out));
    ck_assert_str_eq(hex, "89ec5e2361b38468a4cc543823d1ade75a049dc7de653bdb161f98585f29157f"
                          "0000000000000000000000000000000000000000000000000000000000000000");
}
END_TEST

START_TEST(a_simulator_opens_or_says_that_the_build_has_none)
{
    static const uint8_t seed[32] = { 1 };
    tee_provider_t p = { .name = NULL };
    const char *why = "";
    rc_t rc = tee_simulator_open(&p, seed, &why);
    if (rc == RC_UNSUPPORTED) {
        ck_assert_ptr_nonnull(strstr(why, "simulat"));
        ck_assert_ptr_null(p.name);
        return;
    }
    ck_assert_int_eq(rc, RC_OK);
    ck_assert_str_eq(p.name, "simulator");
    ck_assert(p.simulated);
    p.free(p.ctx);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tee");
    TCase *t = tcase_create("tee");
    tcase_add_test(t, register_report_data_matches_the_published_quote);
    tcase_add_test(t, a_simulator_opens_or_says_that_the_build_has_none);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
