/* What an attested connection is worth: keys released on it, the peer judged anew and by which collateral, what the
 * policy refuses. By the numbers of tee-facts section 16.6:
 *   88  what_the_policy_refuses_fails, evidence_that_expires_releases_no_key
 *   90  a_generation_is_released_once_per_connection, a_connection_is_judged_anew
 */
#include <stdlib.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "tee/channel/hello.h"
#include "tests/unit/mattest_ends.h"

/* What an end says of the other's TD: SHA-256 of five registers of its quote, MRTD at 184 and RTMR0 to RTMR3 from 376. */
static void assert_measured(const end_t *e)
{
    const uint8_t report_data[TEE_REPORT_DATA_LEN] = { 0 };
    tee_evidence_t own;
    err_t fault;
    uint8_t registers[5 * 48];
    hash32_t want;
    ck_assert_int_eq(world.provider.get_evidence(world.provider.ctx, &own, &fault, report_data), RC_OK);
    memcpy(registers, own.quote.p + 184, 48);
    memcpy(registers + 48, own.quote.p + 376, 4 * 48);
    sha256(&want, view_of(registers, sizeof registers));
    ck_assert_mem_eq(mattest_measurement(e->m)->b, want.b, 32);
    tee_evidence_free(&own);
}

/* What the HELLOs said of wanting and holding is no matter. */
START_TEST(a_generation_is_released_once_per_connection)
{
    const mattest_present_t p = present(NOW);
    const key_name_t two = { 2, { { 0 } }, 0 }, two_b = { 2, { { 0 } }, 1 };
    key_grant_t grant;
    err_t fault;
    end_t a, b;
    pair(&a, &b);
    ck_assert_int_eq(release(&b, &fault, 1, NOW), RC_REFUSED); /* not yet attested */
    ck_assert_uint_eq(fault.code, E_KEY_RELEASE);
    ck_assert_ptr_null(mattest_channel(b.m));
    ck_assert_ptr_null(mattest_platform(b.m));
    ck_assert_ptr_null(mattest_measurement(b.m));
    run(&a, &b, SIZE_MAX);
    assert_attested(&a, &b);
    ck_assert_mem_eq(mattest_channel(a.m), mattest_channel(b.m), 32);
    ck_assert_uint_eq(mattest_platform(b.m)->b[0], 0x9a);
    assert_measured(&b);
    ck_assert_int_eq(release(&a, &fault, 1, NOW), RC_OK); /* it has got one since its HELLO */
    ck_assert_int_eq(release(&b, &fault, 1, NOW), RC_OK);
    ck_assert_int_eq(release(&b, &fault, 1, NOW), RC_REFUSED);
    ck_assert_uint_eq(fault.code, E_KEY_RELEASE);
    ck_assert_int_eq(mattest_release_key(b.m, &grant, &fault, &two_b, &p, true), RC_OK);
    ck_assert_int_eq(mattest_release_key(b.m, &grant, &fault, &two, &p, true), RC_REFUSED); /* below */
    ck_assert_int_eq(mattest_release_key(b.m, &grant, &fault, &two_b, &p, true), RC_REFUSED);
    ck_assert_int_eq(mattest_release_key(b.m, &grant, &fault, &two_b, &p, false), RC_OK); /* committed now */
    ck_assert(key_name_cmp(&grant.name, &two_b) == 0);
    ck_assert_mem_eq(grant.channel, mattest_channel(b.m), 32);
    ck_assert_int_eq(release(&b, &fault, 1, NOW), RC_REFUSED);
    ck_assert_int_eq(release(&b, &fault, 3, NOW), RC_OK);
    close_pair(&a, &b);
}
END_TEST

/* What did not get into the channel may be granted once more; what did before it stays released; and not for ever. */
START_TEST(what_was_granted_and_not_sent_is_not_released)
{
    const key_name_t one = { .version = 1 }, two = { .version = 2 };
    err_t fault;
    end_t a, b;
    pair(&a, &b);
    run(&a, &b, SIZE_MAX);
    mattest_unreleased(b.m, &one, false); /* nothing was */
    ck_assert_int_eq(release(&b, &fault, 1, NOW), RC_OK);
    mattest_unreleased(b.m, &one, true); /* no draft was */
    mattest_unreleased(b.m, &two, false);
    ck_assert_int_eq(release(&b, &fault, 1, NOW), RC_REFUSED);
    for (unsigned i = 0; i < MATTEST_UNSENT_MAX; i++) {
        ck_assert_int_eq(release(&b, &fault, 2, NOW), RC_OK);
        mattest_unreleased(b.m, &two, false);
        ck_assert_int_eq(release(&b, &fault, 1, NOW), RC_REFUSED);
    }
    ck_assert_int_eq(release(&b, &fault, 2, NOW), RC_OK);
    mattest_unreleased(b.m, &two, false);
    ck_assert_int_eq(release(&b, &fault, 2, NOW), RC_REFUSED);
    close_pair(&a, &b);
}
END_TEST

/* The judgement of now: a later order, a platform that went out of date, one that was revoked. A refusal costs no turn. */
START_TEST(a_connection_is_judged_anew)
{
    static const tee_code_t verdicts[] = { E_TCB_STATUS, E_REVOKED, E_PLATFORM };
    mattest_present_t p = present(NOW);
    const key_name_t name = { 1, { { 0 } }, 0 };
    key_grant_t grant = { .open = false };
    err_t fault;
    end_t a, b;
    pair(&a, &b);
    run(&a, &b, SIZE_MAX);
    ck_assert_int_eq(mattest_judge(b.m, &fault, &p), RC_OK);
    p.policy = world.next;
    ck_assert_int_eq(mattest_judge(b.m, &fault, &p), RC_REFUSED);
    ck_assert_uint_eq(fault.code, E_MEASUREMENT);
    ck_assert_int_eq(mattest_release_key(b.m, &grant, &fault, &name, &p, false), RC_REFUSED);
    ck_assert_uint_eq(fault.code, E_MEASUREMENT);
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        world.verdict = verdicts[i];
        ck_assert_int_eq(release(&b, &fault, 1, NOW), RC_REFUSED);
        ck_assert_uint_eq(fault.code, verdicts[i]);
    }
    world.verdict = TEE_OK;
    p = present(NOW);
    p.collateral = view_of(NULL, 0); /* ours served when it attested, and is not at hand now */
    ck_assert_int_eq(mattest_judge(b.m, NULL, &p), RC_MALFORMED);
    ck_assert(!grant.open);
    ck_assert_int_eq(release(&b, &fault, 1, NOW), RC_OK);
    ck_assert_int_eq(mattest_state(b.m), MATTEST_ATTESTED);
    close_pair(&a, &b);
}
END_TEST

/* A policy that names an image needs it, at first and in later judgements. */
START_TEST(a_vm_configuration_is_shown_and_kept)
{
    const mattest_present_t p = present(NOW);
    err_t fault;
    end_t a, b;
    world.vm_config = view_str("{\"memory_size\":2147483648}");
    pair(&a, &b);
    run(&a, &b, SIZE_MAX);
    assert_attested(&a, &b);
    ck_assert_int_eq(mattest_judge(a.m, &fault, &p), RC_OK);
    ck_assert_int_eq(mattest_judge(b.m, &fault, &p), RC_OK);
    close_pair(&a, &b);
    world.vm_config = view_of(NULL, 0);
}
END_TEST

START_TEST(stapled_collateral_that_served_is_kept_for_later_judgements)
{
    mattest_present_t p = { world.policy, view_of(NULL, 0), NOW };
    err_t fault;
    end_t a, b;
    pair(&a, &b);
    a.known = view_of(NULL, 0);
    b.staples = world.collateral;
    run(&a, &b, SIZE_MAX);
    assert_attested(&a, &b);
    ck_assert_int_eq(mattest_judge(a.m, &fault, &p), RC_OK);
    world.verdict = E_REVOKED; /* and does not help round what our own says */
    world.lenient = world.collateral;
    ck_assert_int_eq(mattest_judge(a.m, &fault, &p), RC_OK);
    world.lenient = view_str("older collateral");
    p.collateral = world.collateral;
    ck_assert_int_eq(mattest_judge(a.m, &fault, &p), RC_REFUSED);
    ck_assert_uint_eq(fault.code, E_REVOKED);
    world.verdict = TEE_OK;
    close_pair(&a, &b);
}
END_TEST

START_TEST(only_this_connections_evidence_can_be_supplied)
{
    static uint8_t bytes[MESSAGES_MAX], big[MATTEST_MESSAGE_MAX];
    uint8_t report_data[TEE_REPORT_DATA_LEN], ex[32] = { 0 };
    const view_t none = { NULL, 0 };
    err_t why;
    tee_evidence_t e;
    end_t a, b;
    pair(&a, &b);
    a.slow = true;
    ck_assert_int_eq(mattest_exporter(a.m, ex), RC_REFUSED);
    drain(bytes, sizeof bytes, &b);
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    ck_assert_int_eq(mattest_state(a.m), MATTEST_EXPORT);
    mattest_report_data(a.m, report_data);
    ck_assert_int_eq(world.provider.get_evidence(world.provider.ctx, &e, &why, report_data), RC_OK);
    ck_assert_int_eq(mattest_evidence(a.m, &e, none), RC_REFUSED); /* no exporter yet */
    ck_assert_int_eq(mattest_exporter(a.m, ex), RC_OK);
    ck_assert_int_eq(mattest_exporter(a.m, ex), RC_REFUSED);
    ck_assert_int_eq(mattest_state(a.m), MATTEST_QUOTE);
    ck_assert_int_eq(mattest_evidence(a.m, &e, none), RC_REFUSED); /* other report data */
    tee_evidence_free(&e);
    mattest_report_data(a.m, report_data);
    ck_assert_int_eq(world.provider.get_evidence(world.provider.ctx, &e, &why, report_data), RC_OK);
    e.type = TEE_EVIDENCE_TDX;
    ck_assert_int_eq(mattest_evidence(a.m, &e, none), RC_REFUSED);
    e.type = TEE_EVIDENCE_SIMULATED;
    ck_assert_int_eq(mattest_evidence(a.m, &e, view_of(big, sizeof big)), RC_LIMIT);
    ck_assert_int_eq(mattest_evidence(a.m, &e, view_of(big, sizeof big - 17 - e.quote.n - e.event_log.n + 1)),
                     RC_LIMIT);
    ck_assert_int_eq(mattest_state(a.m), MATTEST_QUOTE);
    ck_assert_int_eq(mattest_evidence(a.m, &e, view_of(big, sizeof big - 17 - e.quote.n - e.event_log.n)), RC_OK);
    ck_assert_int_eq(mattest_evidence(a.m, &e, none), RC_REFUSED);
    ck_assert_uint_eq(mattest_output(a.m).n, MATTEST_HELLO_LEN + 5 + MATTEST_MESSAGE_MAX);
    tee_evidence_free(&e);
    close_pair(&a, &b);
}
END_TEST

START_TEST(a_machine_needs_a_sound_configuration)
{
    end_t a, b;
    mattest_t *m;
    pair(&a, &b);
    for (int row = 0; row < 7; row++) {
        mattest_config_t c = a.c;
        switch (row) {
        case 0: memset(c.nonce, 0, sizeof c.nonce); break;
        case 1: c.static_pubkey[0] = 4; break;
        case 2: c.role = (mattest_role_t)3; break;
        case 3: c.type = (tee_evidence_type_t)3; break;
        case 4: c.version = MATTEST_VERSION_END; break;
        case 5: c.cluster[0] = 4; break;
        default: memset(c.static_pubkey + 1, 0xff, 32); break;
        }
        ck_assert_msg(mattest_new(&m, &c) == RC_REFUSED && m == NULL, "row %d", row);
    }
    close_pair(&a, &b);
}
END_TEST

START_TEST(a_key_that_does_not_sign_fails_the_machine)
{
    end_t a, b;
    pair(&a, &b);
    a.no_signature = true;
    run(&a, &b, SIZE_MAX);
    assert_failed(&a, E_CONFIRM, "own key", 0);
    assert_failed(&b, E_REJECTED, "peer", 0);
    close_pair(&a, &b);
}
END_TEST

START_TEST(ones_own_collateral_is_used_before_what_is_stapled)
{
    end_t a, b;
    pair(&a, &b);
    b.staples = world.collateral;
    a.known = view_str("{}");
    run(&a, &b, 0);
    assert_attested(&a, &b);
    pair_again(&a, &b);
    b.staples = view_str("{}");
    a.known = world.collateral;
    run(&a, &b, 0);
    assert_attested(&a, &b);
    pair_again(&a, &b);
    b.staples = a.known = view_str("{}");
    run(&a, &b, 0);
    assert_failed(&a, E_COLLATERAL, "both", 0);
    pair_again(&a, &b);
    b.staples = a.known = view_of(NULL, 0);
    run(&a, &b, 0);
    assert_failed(&a, E_COLLATERAL, "none", 0);
    close_pair(&a, &b);
}
END_TEST

/* Numbers of tee-facts 4.3: the local cache wins. A peer cannot staple its way round a revocation that we know of. */
START_TEST(what_ones_own_collateral_says_of_the_peer_is_final)
{
    static const struct {
        tee_code_t verdict;
        bool is_final;
    } rows[] = { { E_REVOKED, true },   { E_QE_SIG, true },     { E_TCB_UNSUPPORTED, true }, { E_TCB_STATUS, true },
                 { E_ADVISORY, true },  { E_FMSPC, false },     { E_TCB_TIME, false },       { E_CRL_TIME, false },
                 { E_ROLLBACK, false }, { E_CRL_ISSUER, false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        end_t a, b;
        pair(&a, &b);
        world.verdict = rows[i].verdict;
        a.known = b.known = world.collateral;
        a.staples = b.staples = world.lenient;
        run(&a, &b, 0);
        if (rows[i].is_final) {
            unsigned y = mattest_fault(b.m)->code; /* whoever is second may hear of it first */
            assert_failed(&a, rows[i].verdict, "own collateral", i);
            ck_assert(y == rows[i].verdict || y == E_REJECTED);
            assert_closed(&b);
        } else
            assert_attested(&a, &b);
        close_pair(&a, &b);
        world.verdict = TEE_OK;
    }
}
END_TEST

START_TEST(what_the_policy_refuses_fails)
{
    static const tee_code_t rows[] = { E_MEASUREMENT, E_TD_DEBUG, E_TCB_STATUS, E_TCB_TIME, E_NOMEM };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        end_t a, b;
        pair(&a, &b);
        world.verdict = rows[i];
        run(&a, &b, SIZE_MAX);
        world.verdict = TEE_OK;
        ck_assert(mattest_fault(a.m)->code == rows[i] || mattest_fault(b.m)->code == rows[i]);
        assert_closed(&a);
        assert_closed(&b);
        close_pair(&a, &b);
    }
}
END_TEST

START_TEST(evidence_that_expires_releases_no_key)
{
    end_t a, b;
    err_t fault;
    pair(&a, &b);
    world.expiry = NOW + 10; /* collateral that ends during the connection */
    run(&a, &b, SIZE_MAX);
    assert_attested(&a, &b);
    ck_assert_int_eq(mattest_expires(b.m), NOW + 10);
    ck_assert_int_eq(release(&b, &fault, 1, NOW + 11), RC_REFUSED);
    ck_assert_uint_eq(fault.code, E_EXPIRED);
    ck_assert_int_eq(release(&b, &fault, 1, NOW + 10), RC_OK);
    pair_again(&a, &b);
    world.expiry = NOW + 100 * 86400;
    run(&a, &b, SIZE_MAX);
    ck_assert_int_eq(mattest_expires(a.m), NOW + 86400);
    close_pair(&a, &b);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "mattest_judged", world_open, world_close, a_generation_is_released_once_per_connection,
        what_was_granted_and_not_sent_is_not_released, a_connection_is_judged_anew,
        a_vm_configuration_is_shown_and_kept, stapled_collateral_that_served_is_kept_for_later_judgements,
        only_this_connections_evidence_can_be_supplied, a_machine_needs_a_sound_configuration,
        a_key_that_does_not_sign_fails_the_machine, ones_own_collateral_is_used_before_what_is_stapled,
        what_ones_own_collateral_says_of_the_peer_is_final, what_the_policy_refuses_fails,
        evidence_that_expires_releases_no_key);
}
