/* Mutual attestation, by the numbers of tee-facts section 16.6:
 *   80  test_hello.c
 *   81  live over TCP and QUIC: with the overlay's transports; here two machines in memory, in portions of any size
 *   82  a_relay_between_two_channels_fails_on_both_sides
 *   83  recorded_evidence_is_worth_nothing_on_a_new_connection
 *   84  reflections_are_refused
 *   85  altered_hellos_are_refused, messages_out_of_order_are_refused, confirms_of_others_are_refused
 *   86  the_evidence_is_of_the_type_that_the_hello_offered
 *   87  the_prototypes_binding_is_not_accepted
 *   88, 90  test_mattest_judged.c
 *   89  a_silent_peer_meets_the_deadline, lengths_beyond_the_maximum_are_refused_at_once
 */
#include <stdlib.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "tee/channel/hello.h"
#include "tests/unit/mattest_ends.h"

START_TEST(two_ends_attest_whatever_the_portions)
{
    static const size_t portions[] = { 1, 2, 7, MATTEST_HELLO_LEN, 0, SIZE_MAX };
    for (size_t i = 0; i < sizeof portions / sizeof portions[0]; i++) {
        end_t a, b;
        pair(&a, &b);
        run(&a, &b, portions[i]);
        assert_attested(&a, &b);
        ck_assert_mem_eq(mattest_peer(a.m), b.c.static_pubkey, 33);
        ck_assert_mem_eq(mattest_peer(b.m), a.c.static_pubkey, 33);
        ck_assert(hash32_eq(&mattest_peer_hello(a.m)->order, &b.c.order));
        ck_assert_uint_eq(mattest_peer_hello(a.m)->version, 7);
        ck_assert_int_gt(mattest_expires(a.m), NOW);
        ck_assert_int_le(mattest_expires(a.m), NOW + 86400);
        ck_assert_uint_eq(mattest_rest(a.m), 0);
        ck_assert_int_eq(mattest_tick(a.m, 10 * MATTEST_DEADLINE_MS), RC_OK);
        close_pair(&a, &b);
    }
}
END_TEST

START_TEST(evidence_may_come_before_the_exporter)
{
    static uint8_t bytes[MESSAGES_MAX], hello[MATTEST_HELLO_LEN];
    end_t a, b;
    pair(&a, &b);
    drain(hello, sizeof hello, &a);
    feed(&b, view_of(hello, sizeof hello));
    size_t n = drain(bytes, sizeof bytes, &b);
    a.slow = true;
    feed(&a, view_of(bytes, n));
    ck_assert_int_eq(mattest_state(a.m), MATTEST_EXPORT);
    a.slow = false;
    serve(&a);
    run(&a, &b, SIZE_MAX);
    assert_attested(&a, &b);
    close_pair(&a, &b);
}
END_TEST

START_TEST(what_follows_the_confirm_is_left_to_others)
{
    static uint8_t bytes[MESSAGES_MAX], more[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    size_t n = until_evidence(bytes, &a, &b);
    n += drain(bytes + n, sizeof bytes - n, &b); /* b's CONFIRM */
    memcpy(bytes + n, "application", 11);
    ck_assert_int_eq(
        mattest_take(a.m, view_of(bytes + MATTEST_HELLO_LEN, n - MATTEST_HELLO_LEN + 11), world.collateral, NOW, 0),
        RC_OK);
    ck_assert_int_eq(mattest_state(a.m), MATTEST_ATTESTED);
    ck_assert_uint_eq(mattest_rest(a.m), 11);
    ck_assert_int_eq(mattest_take(a.m, view_str("abc"), world.collateral, NOW, 0), RC_OK);
    ck_assert_uint_eq(mattest_rest(a.m), 3);
    n = drain(more, sizeof more, &a); /* a's CONFIRM goes first */
    feed(&b, view_of(more, n));
    assert_attested(&a, &b);
    close_pair(&a, &b);
}
END_TEST

START_TEST(a_relay_between_two_channels_fails_on_both_sides)
{
    static const size_t portions[] = { 1, 0, SIZE_MAX };
    for (size_t i = 0; i < 3; i++) {
        end_t a, b;
        pair(&a, &b);
        b.channel[0] ^= 1; /* the relay ends both TLS connections: two exporters, and all messages forwarded */
        run(&a, &b, portions[i]);
        assert_closed(&a);
        assert_closed(&b);
        unsigned x = mattest_fault(a.m)->code,
                 y = mattest_fault(b.m)->code; /* whoever is second may hear of it first */
        ck_assert(x == E_REPORTDATA || y == E_REPORTDATA);
        ck_assert((x == E_REPORTDATA || x == E_REJECTED) && (y == E_REPORTDATA || y == E_REJECTED));
        close_pair(&a, &b);
    }
    static uint8_t bytes[MESSAGES_MAX], more[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    b.channel[0] ^= 1;
    drain(more, sizeof more, &a);
    feed(&b, view_of(more, MATTEST_HELLO_LEN));
    size_t n = drain(bytes, sizeof bytes, &b);
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    size_t m = drain(more, sizeof more, &a);
    feed(&a,
         view_of(bytes + MATTEST_HELLO_LEN, n - MATTEST_HELLO_LEN)); /* both have sent evidence before either judges */
    feed(&b, view_of(more, m));
    assert_failed(&a, E_REPORTDATA, "relay", 0);
    assert_failed(&b, E_REPORTDATA, "relay", 1);
    close_pair(&a, &b);
    pair(&a, &b); /* a relay that cannot show the peer's certificate fails earlier */
    a.c.peer_spki.b[0] ^= 1;
    reopen(&a);
    run(&a, &b, SIZE_MAX);
    assert_failed(&a, E_SPKI, "relay's certificate", 0);
    close_pair(&a, &b);
}
END_TEST

START_TEST(each_byte_of_the_exporter_counts)
{
    end_t a, b;
    pair(&a, &b);
    for (size_t i = 0; i < 32; i++) {
        pair_again(&a, &b);
        b.changed_byte = i + 1;
        run(&a, &b, SIZE_MAX);
        unsigned x = mattest_fault(a.m)->code, y = mattest_fault(b.m)->code;
        ck_assert_msg(x == E_REPORTDATA || y == E_REPORTDATA, "byte %zu: %s, %s", i, tee_code_name(x),
                      tee_code_name(y));
        assert_closed(&a);
        assert_closed(&b);
    }
    close_pair(&a, &b);
}
END_TEST

START_TEST(recorded_evidence_is_worth_nothing_on_a_new_connection)
{
    static uint8_t recorded[MESSAGES_MAX], bytes[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    size_t n = until_evidence(recorded, &a, &b);
    a.c.nonce[0] ^= 1; /* a's new connection; HELLO and EVIDENCE of b are the recorded ones */
    reopen(&a);
    drain(bytes, sizeof bytes, &a);
    feed(&a, view_of(recorded, n));
    assert_failed(&a, E_REPORTDATA, "HELLO and EVIDENCE", 0);
    pair_again(&a, &b); /* the same nonces and a new channel */
    a.channel[5] ^= 1;
    drain(bytes, sizeof bytes, &a);
    feed(&a, view_of(recorded, n));
    assert_failed(&a, E_REPORTDATA, "new channel", 1);
    pair_again(&a, &b); /* a fresh HELLO of b, with its old evidence */
    b.c.nonce[3] ^= 1;
    reopen(&b);
    drain(bytes, sizeof bytes, &b);
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    feed(&a, view_of(recorded + MATTEST_HELLO_LEN, n - MATTEST_HELLO_LEN));
    assert_failed(&a, E_REPORTDATA, "old EVIDENCE", 2);
    close_pair(&a, &b);
}
END_TEST

START_TEST(reflections_are_refused)
{
    static uint8_t own[MESSAGES_MAX], bytes[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    drain(own, sizeof own, &a);
    feed(&a, view_of(own, MATTEST_HELLO_LEN));
    assert_failed(&a, E_ROLE, "echo of the HELLO", 0);
    static const struct {
        size_t at, n; /* of our HELLO, put into the peer's */
    } rows[] = { { 8, 32 }, { 40, 33 }, { 76, 32 } };
    for (size_t i = 0; i < 3; i++) {
        pair_again(&a, &b);
        drain(bytes, sizeof bytes, &b);
        memcpy(bytes + rows[i].at, own + rows[i].at, rows[i].n);
        feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
        assert_failed(&a, E_REFLECTION, "own field", i);
    }
    pair_again(&a, &b); /* an echo whose role is turned round */
    drain(own, sizeof own, &a);
    own[4] = MATTEST_RESPONDER;
    feed(&a, view_of(own, MATTEST_HELLO_LEN));
    assert_failed(&a, E_REFLECTION, "turned HELLO", 0);
    pair_again(&a, &b); /* a HELLO of another, then our own EVIDENCE */
    drain(bytes, sizeof bytes, &b);
    drain(own, sizeof own, &a);
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    size_t n = drain(own, sizeof own, &a);
    feed(&a, view_of(own, n));
    assert_failed(&a, E_REPORTDATA, "echo of the EVIDENCE", 0);
    close_pair(&a, &b);
}
END_TEST

START_TEST(nonces_that_differ_in_one_byte_are_different)
{
    static const size_t places[] = { 0, 15, 31 };
    end_t a, b;
    pair(&a, &b);
    for (size_t i = 0; i < 3; i++) {
        pair_again(&a, &b);
        memcpy(b.c.nonce, a.c.nonce, sizeof b.c.nonce);
        b.c.nonce[places[i]] ^= 1;
        reopen(&b);
        run(&a, &b, SIZE_MAX);
        assert_attested(&a, &b);
    }
    close_pair(&a, &b);
}
END_TEST

START_TEST(altered_hellos_are_refused)
{
    static const struct {
        size_t at;
        uint8_t value; /* XOR */
        unsigned want;
    } rows[] = {
        { 76, 1, E_SPKI },
        { 107, 0x80, E_SPKI },
        { 4, 3, E_ROLE },
        { 4, 2, E_HELLO },
        { 4, 1, E_HELLO },
        { 7, 4, E_HELLO },
        { 7, 0x80, E_HELLO },
        { 6, 1, E_HELLO },
        { 73, 1, E_HELLO },
        { 75, 1, E_HELLO },
        { 148, 0x40, E_HELLO },
        { 148, 0x80, E_HELLO },
        { 156, 1, E_GENESIS },
        { 187, 0x80, E_GENESIS },
        { 188, 5, E_HELLO },
        { 220, 1, E_HELLO },
        { 221, 1, E_HELLO },
        { 223, 1, E_HELLO },
        { 3, 3, E_HELLO }, /* version 1 */
        { 0, 1, E_HELLO },
        { 3, 1, E_HELLO },
        { 40, 1 << 2, E_HELLO },
        { 147, 3, E_CHAIN_ID },
        { 140, 1, E_CHAIN_ID },
        { 5, 0xff, E_EVIDENCE_TYPE },
        { 5, 0xf0, E_EVIDENCE_TYPE },
    };
    static uint8_t bytes[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pair_again(&a, &b);
        drain(bytes, sizeof bytes, &b);
        bytes[rows[i].at] ^= rows[i].value;
        feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
        assert_failed(&a, rows[i].want, "HELLO", i);
    }
    pair_again(&a, &b);
    drain(bytes, sizeof bytes, &b);
    memset(bytes + 8, 0, 32);
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    assert_failed(&a, E_HELLO, "no nonce", 0);
    pair_again(&a, &b);
    drain(bytes, sizeof bytes, &b);
    memset(bytes + 41, 0xff, 32); /* x is no coordinate */
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    assert_failed(&a, E_HELLO, "no point", 0);
    close_pair(&a, &b);
}
END_TEST

START_TEST(only_two_pins_that_differ_keep_ends_apart)
{
    static const struct {
        bool a, b, same, attest;
    } rows[] = { { false, false, false, true },
                 { true, false, false, true },
                 { false, true, false, true },
                 { true, true, true, true },
                 { true, true, false, false } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        end_t a, b;
        pair(&a, &b);
        if (rows[i].a)
            memcpy(a.c.cluster, a.c.static_pubkey, 33); /* any point */
        if (rows[i].b)
            memcpy(b.c.cluster, rows[i].same ? a.c.static_pubkey : b.c.static_pubkey, 33);
        reopen(&a);
        reopen(&b);
        run(&a, &b, SIZE_MAX);
        if (rows[i].attest)
            assert_attested(&a, &b);
        else
            assert_failed(&b, E_CLUSTER, "pins", i);
        close_pair(&a, &b);
    }
}
END_TEST

/* What a verifier has decided on may not be changed under way: flags, policy and type are in what the quotes carry. */
START_TEST(each_change_of_a_hello_under_way_is_noticed)
{
    static uint8_t own[MESSAGES_MAX], bytes[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    for (size_t bit = 0; bit < 8 * MATTEST_HELLO_LEN; bit++) {
        pair_again(&a, &b);
        drain(bytes, sizeof bytes, &a);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        feed(&b, view_of(bytes, MATTEST_HELLO_LEN));
        if (mattest_state(b.m) == MATTEST_FAILED)
            continue;
        size_t n = drain(own, sizeof own, &b);
        feed(&a, view_of(own, n));
        assert_failed(&a, E_REPORTDATA, "bit", bit);
    }
    close_pair(&a, &b);
}
END_TEST

START_TEST(messages_out_of_order_are_refused)
{
    static uint8_t recorded[MESSAGES_MAX], own[MESSAGES_MAX], bytes[MESSAGES_MAX];
    const uint8_t zeros[64] = { 0 };
    hash32_t context;
    end_t a, b;
    pair(&a, &b);
    ck_assert_ptr_null(mattest_peer_hello(a.m)); /* nothing is known before the peer's HELLO */
    mattest_exporter_context(a.m, &context);
    ck_assert(hash32_is_zero(&context));
    size_t n = until_evidence(recorded, &a, &b);
    const view_t hello = view_of(recorded, MATTEST_HELLO_LEN),
                 evidence = view_of(recorded + MATTEST_HELLO_LEN, n - MATTEST_HELLO_LEN);
    size_t confirm_n = drain(bytes, sizeof bytes, &b);
    uint8_t confirm[69];
    ck_assert_uint_eq(confirm_n, sizeof confirm);
    memcpy(confirm, bytes, sizeof confirm);

    feed(&a, hello);
    assert_failed(&a, E_MESSAGE, "second HELLO", 0);
    pair_again(&a, &b);
    feed(&a, evidence);
    assert_failed(&a, E_HELLO, "EVIDENCE before HELLO", 0);
    pair_again(&a, &b);
    feed(&a, view_of(hello.p, hello.n - 1));
    ck_assert_int_eq(mattest_state(a.m), MATTEST_RUNNING);
    feed(&a, evidence);
    assert_failed(&a, E_MESSAGE, "short HELLO", 0); /* a zero of the next message completed it; all else is shifted */
    pair_again(&a, &b);
    feed(&a, hello);
    feed(&a, view_of(zeros, 5));
    assert_failed(&a, E_MESSAGE, "long HELLO", 0);
    pair_again(&a, &b);
    feed(&a, hello);
    feed(&a, view_str("GET / HTTP/1.1\r\n"));
    assert_failed(&a, E_MESSAGE, "application data", 0);
    pair_again(&a, &b);
    feed(&a, hello);
    feed(&a, view_of(confirm, sizeof confirm));
    assert_failed(&a, E_STATE, "CONFIRM in place of EVIDENCE", 0);
    pair_again(&a, &b);
    feed(&a, hello);
    drain(own, sizeof own, &a);
    feed(&a, evidence);
    feed(&a, evidence);
    assert_failed(&a, E_STATE, "EVIDENCE twice", 0);
    pair_again(&a, &b);
    feed(&a, hello); /* our evidence is made, and not yet sent */
    feed(&a, evidence);
    feed(&a, view_of(confirm, sizeof confirm));
    assert_failed(&a, E_STATE, "CONFIRM before it can have our evidence", 0);
    pair_again(&a, &b);
    a.slow = true; /* no exporter yet */
    feed(&a, hello);
    feed(&a, evidence);
    ck_assert_int_eq(mattest_state(a.m), MATTEST_EXPORT);
    feed(&a, view_of(confirm, 1));
    assert_failed(&a, E_STATE, "more before the exporter", 0);
    pair_again(&a, &b);
    feed(&a, hello);
    drain(own, sizeof own, &a);
    feed(&a, evidence); /* and no CONFIRM */
    ck_assert_int_eq(mattest_state(a.m), MATTEST_RUNNING);
    err_t fault;
    ck_assert_int_eq(release(&a, &fault, 1, NOW), RC_REFUSED);
    ck_assert_int_eq(mattest_tick(a.m, MATTEST_DEADLINE_MS), RC_TIMEOUT);
    assert_failed(&a, E_DEADLINE, "CONFIRM missing", 0);
    close_pair(&a, &b);
}
END_TEST

/* s becomes n - s. */
static void raise_s(uint8_t sig[64])
{
    static const uint8_t n[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
                                   0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41 };
    int borrow = 0;
    for (int i = 31; i >= 0; i--) {
        int d = n[i] - sig[32 + i] - borrow;
        borrow = d < 0;
        sig[32 + i] = (uint8_t)(d & 0xff);
    }
}

START_TEST(confirms_of_others_are_refused)
{
    static uint8_t bytes[MESSAGES_MAX], own[MESSAGES_MAX];
    for (int row = 0; row < 8; row++) {
        end_t a, b;
        pair(&a, &b);
        size_t n = until_evidence(bytes, &a, &b);
        feed(&a, view_of(bytes + MATTEST_HELLO_LEN, n - MATTEST_HELLO_LEN));
        size_t own_n = drain(own, sizeof own, &a), confirm_n = drain(bytes, sizeof bytes, &b);
        ck_assert_uint_eq(own_n, 69);
        ck_assert_uint_eq(confirm_n, 69);
        unsigned want = E_CONFIRM;
        switch (row) {
        case 0: bytes[5] ^= 1; break;
        case 1: bytes[68] ^= 1; break;
        case 2: raise_s(bytes + 5); break;
        case 3: memcpy(bytes, own, own_n); break; /* our own, sent back */
        case 4: memset(bytes + 5, 0, 64); break;
        case 5: { /* by another key, over the right digest */
            hello_t i, r;
            hash32_t digest;
            uint8_t ex[32];
            hellos(&i, &r, ex, &a, &b);
            hello_confirm_digest(&digest, &r, &i, ex);
            ck_assert_int_eq(ecdsa_sign(world.ecdsa, bytes + 5, NULL, &digest, a.secret), RC_OK);
            break;
        }
        case 6:
            bytes[3] = 65;
            want = E_MESSAGE;
            break;
        default:
            bytes[3] = 63;
            want = E_MESSAGE;
            break;
        }
        feed(&a, view_of(bytes, confirm_n));
        assert_failed(&a, want, "CONFIRM", (size_t)row);
        close_pair(&a, &b);
    }
}
END_TEST

START_TEST(the_evidence_is_of_the_type_that_the_hello_offered)
{
    static uint8_t bytes[MESSAGES_MAX], own[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    size_t n = until_evidence(bytes, &a, &b);
    bytes[MATTEST_HELLO_LEN + 5] = TEE_EVIDENCE_TDX;
    feed(&a, view_of(bytes + MATTEST_HELLO_LEN, n - MATTEST_HELLO_LEN));
    assert_failed(&a, E_EVIDENCE_TYPE, "another type", 0);
    pair_again(&a, &b); /* offered and sent as plain TDX: the trust root is then Intel's */
    drain(bytes, sizeof bytes, &b);
    drain(own, sizeof own, &a);
    bytes[5] = TEE_EVIDENCE_TDX;
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    feed(&b, view_of(own, MATTEST_HELLO_LEN));
    n = drain(bytes, sizeof bytes, &b);
    bytes[5] = TEE_EVIDENCE_TDX;
    feed(&a, view_of(bytes, n));
    assert_failed(&a, E_ROOT, "called plain TDX", 0);
    pair_again(&a, &b); /* a policy that names no simulator, as every one of a production build */
    a.c.policy = world.production;
    reopen(&a);
    drain(bytes, sizeof bytes, &b);
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    assert_failed(&a, E_EVIDENCE_TYPE, "simulated", 0);
    close_pair(&a, &b);
}
END_TEST

START_TEST(the_prototypes_binding_is_not_accepted)
{
    static uint8_t bytes[MESSAGES_MAX], own[MESSAGES_MAX];
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    end_t a, b;
    pair(&a, &b);
    drain(bytes, sizeof bytes, &b);
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    drain(own, sizeof own, &a);
    tee_register_report_data(report_data, b.c.static_pubkey);
    size_t n = evidence_message(bytes, report_data);
    feed(&a, view_of(bytes, n));
    assert_failed(&a, E_REPORTDATA, "legacy", 0);
    close_pair(&a, &b);
}
END_TEST

START_TEST(a_silent_peer_meets_the_deadline)
{
    uint8_t bytes[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    a.c.started_ms = 5000;
    reopen(&a);
    ck_assert_int_eq(mattest_tick(a.m, 0), RC_OK);
    ck_assert_int_eq(mattest_tick(a.m, 5000 + MATTEST_DEADLINE_MS - 1), RC_OK);
    drain(bytes, sizeof bytes, &a);
    ck_assert_int_eq(mattest_tick(a.m, 5000 + MATTEST_DEADLINE_MS), RC_TIMEOUT);
    assert_failed(&a, E_DEADLINE, "tick", 0);
    ck_assert(view_eq(mattest_output(a.m), view_of(reject_bytes, sizeof reject_bytes)));
    ck_assert_int_eq(mattest_tick(a.m, 0), RC_TIMEOUT);
    reopen(&a);
    drain(bytes, sizeof bytes, &b);
    ck_assert_int_eq(
        mattest_take(a.m, view_of(bytes, MATTEST_HELLO_LEN), world.collateral, NOW, 5000 + MATTEST_DEADLINE_MS),
        RC_TIMEOUT);
    assert_failed(&a, E_DEADLINE, "take", 0);
    close_pair(&a, &b);
}
END_TEST

START_TEST(lengths_beyond_the_maximum_are_refused_at_once)
{
    static const struct {
        uint8_t bytes[5];
        unsigned want; /* TEE_OK: the body is awaited */
    } rows[] = {
        { { 0x40, 0, 0, 0, 2 }, E_MESSAGE }, { { 0xff, 0xff, 0xff, 0xff, 2 }, E_MESSAGE },
        { { 0, 4, 0, 1, 2 }, E_MESSAGE },    { { 0, 4, 0, 0, 2 }, TEE_OK },
        { { 0, 0, 0, 0, 2 }, E_MESSAGE },    { { 0, 0, 0, 16, 2 }, E_MESSAGE },
        { { 0, 0, 0, 17, 2 }, TEE_OK },      { { 0, 0, 0, 2, 4 }, TEE_OK },
        { { 0, 0, 0, 3, 4 }, E_MESSAGE },    { { 0, 0, 0, 17, 0 }, E_MESSAGE },
        { { 0, 0, 0, 17, 5 }, E_MESSAGE },
    };
    uint8_t bytes[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        pair_again(&a, &b);
        drain(bytes, sizeof bytes, &b);
        feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
        feed(&a, view_of(rows[i].bytes, 5));
        if (rows[i].want)
            assert_failed(&a, rows[i].want, "header", i);
        else
            ck_assert_int_eq(mattest_state(a.m), MATTEST_RUNNING);
    }
    close_pair(&a, &b);
}
END_TEST

/* The four inner lengths of EVIDENCE. */
START_TEST(parts_of_the_evidence_must_fit_its_body)
{
    static uint8_t bytes[MESSAGES_MAX], changed[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    size_t n = until_evidence(bytes, &a, &b);
    const size_t quote_len = MATTEST_HELLO_LEN + 6;
    size_t quote_n = (size_t)bytes[quote_len + 2] << 8 | bytes[quote_len + 3];
    const size_t log_len = quote_len + 4 + quote_n;
    size_t log_n = (size_t)bytes[log_len + 2] << 8 | bytes[log_len + 3];
    const size_t lengths[] = { quote_len, log_len, log_len + 4 + log_n, log_len + 8 + log_n };
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++) {
            pair_again(&a, &b);
            memcpy(changed, bytes, n);
            changed[lengths[i] + k] ^= k == 3 ? 1 : 0x40;
            feed(&a, view_of(changed, n));
            assert_failed(&a, E_MESSAGE, "length and byte", 4 * i + k);
        }
    close_pair(&a, &b);
}
END_TEST

START_TEST(a_peers_vm_configuration_has_a_maximum)
{
    static uint8_t config[TEE_VM_CONFIG_MAX + 1], bytes[2 * sizeof config], hello[MATTEST_HELLO_LEN];
    for (size_t n = TEE_VM_CONFIG_MAX; n <= TEE_VM_CONFIG_MAX + 1; n++) {
        uint8_t report_data[TEE_REPORT_DATA_LEN], ex[32];
        hash32_t context;
        err_t why;
        tee_evidence_t e;
        end_t a, b;
        pair(&a, &b);
        b.slow = true;
        drain(hello, sizeof hello, &a);
        feed(&b, view_of(hello, sizeof hello));
        feed(&a, mattest_output(b.m));
        mattest_sent(b.m, MATTEST_HELLO_LEN);
        mattest_exporter_context(b.m, &context);
        exporter(ex, &b, &context);
        ck_assert_int_eq(mattest_exporter(b.m, ex), RC_OK);
        mattest_report_data(b.m, report_data);
        ck_assert_int_eq(world.provider.get_evidence(world.provider.ctx, &e, &why, report_data), RC_OK);
        e.vm_config = view_of(config, n);
        ck_assert_int_eq(mattest_evidence(b.m, &e, view_of(NULL, 0)), RC_OK);
        size_t message = drain(bytes, sizeof bytes, &b);
        uint8_t *exact = malloc(message);
        memcpy(exact, bytes, message);
        feed(&a, view_of(exact, message));
        free(exact);
        if (n > TEE_VM_CONFIG_MAX)
            assert_failed(&a, E_MESSAGE, "VM configuration", n);
        else
            ck_assert_int_eq(mattest_state(a.m), MATTEST_RUNNING);
        tee_evidence_free(&e);
        close_pair(&a, &b);
    }
}
END_TEST

START_TEST(peers_are_told_nothing_but_that_it_failed)
{
    static uint8_t bytes[MESSAGES_MAX], own[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    size_t n = until_evidence(bytes, &a, &b);
    bytes[MATTEST_HELLO_LEN + 500] ^= 1; /* in the quote's signed part */
    feed(&a, view_of(bytes + MATTEST_HELLO_LEN, n - MATTEST_HELLO_LEN));
    assert_failed(&a, E_QUOTE_SIG, "quote", 0);
    ck_assert(view_eq(mattest_output(a.m), view_of(reject_bytes, sizeof reject_bytes)));
    n = drain(own, sizeof own, &a);
    feed(&b, view_of(own, n));
    assert_failed(&b, E_REJECTED, "REJECT", 0);
    ck_assert_int_ne(mattest_take(b.m, view_str("x"), world.collateral, NOW, 0), RC_OK);
    ck_assert_int_ne(mattest_take(a.m, view_str("x"), world.collateral, NOW, 0), RC_OK);
    ck_assert_uint_eq(mattest_output(a.m).n, 0);

    pair_again(&a, &b); /* a message that was begun is completed, and nothing but REJECT follows */
    drain(bytes, sizeof bytes, &b);
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    size_t whole = mattest_output(a.m).n;
    mattest_sent(a.m, MATTEST_HELLO_LEN + 10);
    ck_assert_int_eq(mattest_tick(a.m, MATTEST_DEADLINE_MS), RC_TIMEOUT);
    ck_assert_uint_eq(mattest_output(a.m).n, whole - MATTEST_HELLO_LEN - 10 + sizeof reject_bytes);
    pair_again(&a, &b); /* one that was not begun is dropped */
    drain(bytes, sizeof bytes, &b);
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    mattest_sent(a.m, 10);
    ck_assert_int_eq(mattest_tick(a.m, MATTEST_DEADLINE_MS), RC_TIMEOUT);
    ck_assert_uint_eq(mattest_output(a.m).n, MATTEST_HELLO_LEN - 10 + sizeof reject_bytes);
    close_pair(&a, &b);
}
END_TEST

/* How a machine fails that has its CONFIRM in the output. */
enum { FAIL_LATE, FAIL_CONFIRM, FAIL_REJECTED, FAIL_ROWS };

static void fail_after_confirm(end_t *e, int how, const uint8_t confirm[69])
{
    uint8_t bad[69];
    memcpy(bad, confirm, sizeof bad);
    bad[68] ^= 1;
    switch (how) {
    case FAIL_LATE: ck_assert_int_eq(mattest_tick(e->m, MATTEST_DEADLINE_MS), RC_TIMEOUT); break;
    case FAIL_CONFIRM: feed(e, view_of(bad, sizeof bad)); break;
    default: feed(e, view_of(reject_bytes, sizeof reject_bytes)); break;
    }
}

START_TEST(a_confirm_that_was_begun_is_completed_before_the_reject)
{
    static const unsigned codes[FAIL_ROWS] = { E_DEADLINE, E_CONFIRM, E_REJECTED };
    static const size_t begun[] = { 0, 1, 10, 68, 69 };
    static uint8_t bytes[MESSAGES_MAX];
    uint8_t own[69], confirm[69];
    end_t a, b;
    pair(&a, &b);
    for (int how = 0; how < FAIL_ROWS; how++)
        for (size_t i = 0; i < sizeof begun / sizeof begun[0]; i++) {
            pair_again(&a, &b);
            size_t n = until_evidence(bytes, &a, &b);
            ck_assert_uint_eq(drain(confirm, sizeof confirm, &b), 69);
            feed(&a, view_of(bytes + MATTEST_HELLO_LEN, n - MATTEST_HELLO_LEN));
            ck_assert_uint_eq(mattest_output(a.m).n, 69);
            memcpy(own, mattest_output(a.m).p, 69);
            mattest_sent(a.m, begun[i]);
            fail_after_confirm(&a, how, confirm);
            assert_failed(&a, codes[how], "CONFIRM begun", i);
            const view_t out = mattest_output(a.m);
            size_t rest = begun[i] ? 69 - begun[i] : 0, reject = how == FAIL_REJECTED ? 0 : sizeof reject_bytes;
            ck_assert_uint_eq(out.n, rest + reject);
            ck_assert_mem_eq(out.p, own + 69 - rest, rest);
            ck_assert_mem_eq(out.p + rest, reject_bytes, reject);
        }
    close_pair(&a, &b);
}
END_TEST

/* The same for EVIDENCE, whose first byte is behind the HELLO. */
START_TEST(an_evidence_that_was_begun_is_completed_before_the_reject)
{
    static uint8_t bytes[MESSAGES_MAX], own[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    for (int row = 0; row < 6; row++) {
        pair_again(&a, &b);
        drain(bytes, sizeof bytes, &b);
        feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
        const size_t whole = mattest_output(a.m).n, begun[] = { 0, 255, 256, 257, whole - 1, whole };
        memcpy(own, mattest_output(a.m).p, whole);
        mattest_sent(a.m, begun[row]);
        ck_assert_int_eq(mattest_tick(a.m, MATTEST_DEADLINE_MS), RC_TIMEOUT);
        assert_failed(&a, E_DEADLINE, "begun", (size_t)row);
        const view_t out = mattest_output(a.m);
        size_t rest = (begun[row] <= MATTEST_HELLO_LEN ? MATTEST_HELLO_LEN : whole) - begun[row];
        ck_assert_uint_eq(out.n, rest + sizeof reject_bytes);
        ck_assert_mem_eq(out.p, own + begun[row], rest);
        ck_assert_mem_eq(out.p + rest, reject_bytes, sizeof reject_bytes);
    }
    close_pair(&a, &b);
}
END_TEST

/* n: how many allocations succeed. True: both ends attested. */
static bool attests_with(end_t *a, end_t *b, size_t n)
{
    pair_again(a, b);
    fail_at((unsigned)n, true);
    run(a, b, SIZE_MAX);
    fail_never();
    return mattest_state(a->m) == MATTEST_ATTESTED && mattest_state(b->m) == MATTEST_ATTESTED;
}

START_TEST(a_machine_without_memory_attests_nobody)
{
    end_t a, b;
    err_t fault;
    size_t n = 0;
    pair(&a, &b);
    for (; n < 4; n++) { /* of a machine's making */
        mattest_t *m = a.m;
        fail_at((unsigned)n, true);
        rc_t rc = COUNTED(mattest_new(&m, &a.c));
        fail_never();
        ck_assert_int_eq(rc, n < 3 ? RC_NOMEM : RC_OK);
        ck_assert((m == NULL) == (n < 3));
        mattest_free(m);
    }
    for (n = 0; !attests_with(&a, &b, n); n++) {
        const end_t *const ends[2] = { &a, &b };
        bool told = false;
        for (int i = 0; i < 2; i++) {
            tee_code_t code = mattest_fault(ends[i]->m)->code;
            mattest_state_t state = mattest_state(ends[i]->m);
            told = told || state == MATTEST_QUOTE || (state == MATTEST_FAILED && code == E_NOMEM);
            if (state == MATTEST_ATTESTED)
                continue; /* all was well when the other's CONFIRM came */
            ck_assert_int_eq(release(ends[i], &fault, 1, NOW), RC_REFUSED);
            ck_assert_ptr_null(mattest_peer(ends[i]->m));
            ck_assert(state != MATTEST_FAILED || code == E_NOMEM || code == E_REJECTED);
        }
        ck_assert_msg(told, "%zu allocations", n);
    }
    ck_assert_uint_gt(n, 3);
    close_pair(&a, &b);
}
END_TEST

START_TEST(evidence_that_finds_no_memory_changes_nothing)
{
    static uint8_t bytes[MESSAGES_MAX];
    uint8_t report_data[TEE_REPORT_DATA_LEN];
    err_t why;
    tee_evidence_t e;
    end_t a, b;
    pair(&a, &b);
    drain(bytes, sizeof bytes, &b);
    drain(bytes + MATTEST_HELLO_LEN, sizeof bytes - MATTEST_HELLO_LEN, &a);
    a.slow = true;
    feed(&a, view_of(bytes, MATTEST_HELLO_LEN));
    ck_assert_int_eq(mattest_exporter(a.m, a.channel), RC_OK);
    mattest_report_data(a.m, report_data);
    ck_assert_int_eq(world.provider.get_evidence(world.provider.ctx, &e, &why, report_data), RC_OK);
    fail_at(0, true);
    rc_t rc = COUNTED(mattest_evidence(a.m, &e, view_of(NULL, 0)));
    fail_never();
    ck_assert_int_eq(rc, RC_NOMEM);
    ck_assert_int_eq(mattest_state(a.m), MATTEST_QUOTE);
    ck_assert_uint_eq(mattest_output(a.m).n, 0);
    ck_assert_ptr_nonnull(mattest_peer_hello(a.m));
    ck_assert_int_eq(mattest_evidence(a.m, &e, view_of(NULL, 0)), RC_OK);
    ck_assert_uint_eq(mattest_output(a.m).n, 5 + 17 + e.quote.n + e.event_log.n + e.vm_config.n);
    tee_evidence_free(&e);
    close_pair(&a, &b);
}
END_TEST

START_TEST(a_body_that_finds_no_memory_fails_the_machine)
{
    static uint8_t bytes[MESSAGES_MAX];
    end_t a, b;
    pair(&a, &b);
    size_t n = until_evidence(bytes, &a, &b);
    fail_at(0, true);
    rc_t rc =
        COUNTED(mattest_take(a.m, view_of(bytes + MATTEST_HELLO_LEN, n - MATTEST_HELLO_LEN), world.collateral, NOW, 0));
    fail_never();
    ck_assert_int_eq(rc, RC_NOMEM);
    assert_failed(&a, E_NOMEM, "body", 0);
    close_pair(&a, &b);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "mattest", world_open, world_close, two_ends_attest_whatever_the_portions,
        evidence_may_come_before_the_exporter, what_follows_the_confirm_is_left_to_others,
        a_relay_between_two_channels_fails_on_both_sides, each_byte_of_the_exporter_counts,
        recorded_evidence_is_worth_nothing_on_a_new_connection, reflections_are_refused,
        nonces_that_differ_in_one_byte_are_different, altered_hellos_are_refused,
        only_two_pins_that_differ_keep_ends_apart, each_change_of_a_hello_under_way_is_noticed,
        messages_out_of_order_are_refused, confirms_of_others_are_refused,
        the_evidence_is_of_the_type_that_the_hello_offered, the_prototypes_binding_is_not_accepted,
        a_silent_peer_meets_the_deadline, lengths_beyond_the_maximum_are_refused_at_once,
        parts_of_the_evidence_must_fit_its_body, a_peers_vm_configuration_has_a_maximum,
        peers_are_told_nothing_but_that_it_failed, a_confirm_that_was_begun_is_completed_before_the_reject,
        an_evidence_that_was_begun_is_completed_before_the_reject, a_machine_without_memory_attests_nobody,
        evidence_that_finds_no_memory_changes_nothing, a_body_that_finds_no_memory_fails_the_machine);
}
