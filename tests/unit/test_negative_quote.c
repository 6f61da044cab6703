/* Negative tests of tee-facts section 8, numbers 1 to 12 and 51 to 53: the quote's structure and its signatures. */
#include "base/hex.h"
#include "tests/unit/negative.h"

/* Places in the genuine quote of version 4 (tee-facts section 1.3). */
enum {
    AT_SECTION = 632,
    AT_SIGNATURE = 636,
    AT_OUTER_TYPE = 764,
    AT_OUTER_SIZE = 766,
    AT_QE_SIGNATURE = 1154,
    AT_AUTH_LEN = 1218,
    AT_INNER_TYPE = 1252,
    AT_INNER_SIZE = 1254
};

static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                   0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51 };

static real_t real;

static void setup(void)
{
    real_open(&real);
}

static void teardown(void)
{
    real_close(&real);
}

static void put_le(uint8_t *at, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++, v >>= 8)
        at[i] = (uint8_t)v;
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

START_TEST(numbers_1_and_2_length)
{
    REAL(&real, 2, "the quote itself", TEE_OK, (void)q);
    for (size_t cut = 0; cut < real.n; cut++)
        REAL(&real, 1, "truncated", E_TRUNCATED, n = cut);
    for (size_t at = real.n; at < real.n + 64; at += 9)
        REAL(&real, 2, "one trailing byte that is not zero", E_TRAILING, q[at] = 1; n = real.n + 64);
    REAL(&real, 2, "the first byte behind it is not zero", E_TRAILING, q[n++] = 1);
    REAL(&real, 2, "padded to 8000 bytes with zeros", TEE_OK, n = 8000);
    REAL(&real, 2, "padded to the maximum with zeros", TEE_OK, n = TEE_QUOTE_LEN_MAX);
    REAL(&real, 2, "padded beyond the maximum", E_LIMIT, n = TEE_QUOTE_LEN_MAX + 1);
}
END_TEST

START_TEST(numbers_3_to_6_header)
{
    static const uint16_t versions[] = { 0, 1, 2, 3, 6, 0x0400, 0xffff }, key_types[] = { 0, 1, 3, 4, 0xffff };
    static const uint32_t tee_types[] = { 0, 0x80, 0x82, 0x181, 0x81000000 };
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        REAL(&real, 3, "version", E_VERSION, put_le(q, versions[i], 2));
    REAL(&real, 3, "version 5 over a body of version 4", E_BODYTYPE, q[0] = 5);
    for (size_t i = 0; i < sizeof key_types / sizeof key_types[0]; i++)
        REAL(&real, 4, "key type", E_KEYTYPE, put_le(q + 2, key_types[i], 2));
    for (size_t i = 0; i < sizeof tee_types / sizeof tee_types[0]; i++)
        REAL(&real, 5, "TEE type", E_TEETYPE, put_le(q + 4, tee_types[i], 4));
    for (unsigned bit = 0; bit < 128; bit++)
        REAL(&real, 6, "vendor id", E_VENDOR, q[12 + bit / 8] ^= (uint8_t)(1u << bit % 8));
}
END_TEST

#define V5(type, size)                                                                                                 \
    sim_plan_init_td15(&p);                                                                                            \
    p.quote.body_type = type;                                                                                          \
    p.quote.body_size = size

START_TEST(number_7_body_descriptor)
{
    CASE(7, "type 2, size 584", TEE_OK, V5(2, 584));
    CASE(7, "type 3, size 648", TEE_OK, V5(3, 648));
    CASE(7, "type 2, size 648", E_BODYSIZE, V5(2, 648));
    CASE(7, "type 3, size 584", E_BODYSIZE, V5(3, 584));
    CASE(7, "type 3, size 0", E_BODYSIZE, V5(3, 0));
    CASE(7, "type 2, size 0xffffffff", E_BODYSIZE, V5(2, 0xffffffff));
    CASE(7, "type 3, size 0xffffffff", E_BODYSIZE, V5(3, 0xffffffff));
    CASE(7, "type 1: an SGX enclave", E_BODYTYPE, V5(1, 384));
    CASE(7, "type 0", E_BODYTYPE, V5(0, 584));
    CASE(7, "type 4", E_BODYTYPE, V5(4, 648));
    CASE(7, "type 0x0103", E_BODYTYPE, V5(0x0103, 648));
}
END_TEST

START_TEST(numbers_8_to_11_signature_section)
{
    static const uint16_t outer[] = { 0, 1, 2, 3, 4, 5, 7, 0x0600, 0xffff },
                          inner[] = { 0, 1, 2, 3, 4, 6, 7, 0x0500, 0xffff };
    for (size_t i = 0; i < sizeof outer / sizeof outer[0]; i++)
        REAL(&real, 8, "outer certification data type", E_CERTTYPE_OUTER, put_le(q + AT_OUTER_TYPE, outer[i], 2));
    const uint32_t section = get_u32(real.quote + AT_SECTION), size = get_u32(real.quote + AT_OUTER_SIZE);
    const uint32_t chain = get_u32(real.quote + AT_INNER_SIZE);
    REAL(&real, 9, "outer size + 1", E_CERTSIZE, put_le(q + AT_OUTER_SIZE, size + 1, 4));
    REAL(&real, 9, "outer size - 1", E_CERTSIZE, put_le(q + AT_OUTER_SIZE, size - 1, 4));
    REAL(&real, 9, "outer size 0", E_CERTSIZE, put_le(q + AT_OUTER_SIZE, 0, 4));
    REAL(&real, 9, "outer size 0xffffffff", E_CERTSIZE, put_le(q + AT_OUTER_SIZE, 0xffffffff, 4));
    REAL(&real, 9, "L + 1", E_TRUNCATED, put_le(q + AT_SECTION, section + 1, 4));
    REAL(&real, 9, "L + 1, padded", E_CERTSIZE, put_le(q + AT_SECTION, section + 1, 4); n = 8000);
    REAL(&real, 9, "L - 1", E_TRAILING, put_le(q + AT_SECTION, section - 1, 4));
    REAL(&real, 9, "L 0", E_TRAILING, put_le(q + AT_SECTION, 0, 4));
    REAL(&real, 9, "L 0xffffffff", E_TRUNCATED, put_le(q + AT_SECTION, 0xffffffff, 4));
    REAL(&real, 9, "inner size + 1", E_CERTSIZE, put_le(q + AT_INNER_SIZE, chain + 1, 4));
    REAL(&real, 9, "inner size - 1", E_CERTSIZE, put_le(q + AT_INNER_SIZE, chain - 1, 4));
    REAL(&real, 9, "inner size 0xffffffff", E_CERTSIZE, put_le(q + AT_INNER_SIZE, 0xffffffff, 4));
    for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++)
        REAL(&real, 10, "inner certification data type", E_CERTTYPE_INNER, put_le(q + AT_INNER_TYPE, inner[i], 2));
    /* The type is then read from the wrong place; the authentication data of this quote is all zero. */
    REAL(&real, 11, "authentication data of 0 bytes", E_CERTTYPE_INNER, put_le(q + AT_AUTH_LEN, 0, 2));
    REAL(&real, 11, "authentication data of 31 bytes", E_CERTTYPE_INNER, put_le(q + AT_AUTH_LEN, 31, 2));
    REAL(&real, 11, "authentication data of 33 bytes", E_CERTTYPE_INNER, put_le(q + AT_AUTH_LEN, 33, 2));
    REAL(&real, 11, "authentication data of 65535 bytes", E_LIMIT, put_le(q + AT_AUTH_LEN, 65535, 2));
    REAL(&real, 11, "authentication data is changed", E_QE_BINDING, q[AT_AUTH_LEN + 2] ^= 1);
    CASE(11, "0 bytes that the QE vouches for", TEE_OK, p.quote.auth_len = 0);
    CASE(11, "100 bytes that the QE vouches for", TEE_OK, p.quote.auth_len = 100);
    CASE(11, "1024 bytes that the QE vouches for", TEE_OK, p.quote.auth_len = QUOTE_AUTH_MAX);
}
END_TEST

#define CHAIN(...)                                                                                                     \
    do {                                                                                                               \
        const sim_key_t chain_[] = { __VA_ARGS__ };                                                                    \
        memcpy(p.quote.chain, chain_, sizeof chain_);                                                                  \
        p.quote.chain_count = sizeof chain_ / sizeof chain_[0];                                                        \
    } while (0)

START_TEST(number_12_which_certificates)
{
    CASE(12, "no certificate", E_PEM, p.quote.chain_count = 0);
    CASE(12, "1 certificate", E_PEM, p.quote.chain_count = 1);
    CASE(12, "2 certificates", E_PEM, p.quote.chain_count = 2);
    CASE(12, "4 certificates", E_PEM, CHAIN(SIM_LEAF, SIM_CA, SIM_ROOT, SIM_ROOT));
    CASE(12, "leaf and intermediate swapped", E_CHAINORDER, CHAIN(SIM_CA, SIM_LEAF, SIM_ROOT));
    CASE(12, "intermediate and root swapped", E_CHAINORDER, CHAIN(SIM_LEAF, SIM_ROOT, SIM_CA));
    CASE(12, "turned around", E_CHAINORDER, CHAIN(SIM_ROOT, SIM_CA, SIM_LEAF));
    CASE(12, "leaf twice", E_CHAINORDER, CHAIN(SIM_LEAF, SIM_LEAF, SIM_ROOT));
    CASE(12, "root twice", E_CHAINUSAGE, CHAIN(SIM_LEAF, SIM_ROOT, SIM_ROOT));
    CASE(12, "no root", E_ROOT, CHAIN(SIM_LEAF, SIM_CA, SIM_CA));
    CASE(12, "TCB signer for a leaf", E_CHAINORDER, CHAIN(SIM_SIGNER, SIM_CA, SIM_ROOT));
}
END_TEST

/* The genuine chain's text with a change in the middle of its first certificate, and behind it. */
static view_t change_text(uint8_t *out, size_t cap, const char *inside, size_t inside_n, const char *between,
                          const char *behind, size_t behind_n)
{
    tee_provider_t platform;
    err_t why;
    arena_t a;
    wr_t w = wr_of(out, cap);
    arena_init(&a, 1u << 20);
    ck_assert_int_eq(tee_simulator_open(&platform, &why, sim_seed), RC_OK);
    view_t leaf = sim_cert_pem(&platform, &a, SIM_LEAF), ca = sim_cert_pem(&platform, &a, SIM_CA);
    view_t root = sim_cert_pem(&platform, &a, SIM_ROOT);
    wr_bytes(&w, leaf.p, 400);
    wr_bytes(&w, inside, inside_n);
    wr_bytes(&w, leaf.p + 400 + inside_n, leaf.n - 400 - inside_n);
    wr_bytes(&w, between, strlen(between));
    wr_bytes(&w, ca.p, ca.n);
    wr_bytes(&w, root.p, root.n);
    wr_bytes(&w, behind, behind_n);
    ck_assert(!w.bad);
    platform.free(platform.ctx);
    arena_free(&a);
    return wr_view(&w);
}

START_TEST(number_12_pem_text)
{
    static uint8_t buf[16384];
#define TEXT(inside, between, behind)                                                                                  \
    p.quote.chain_text = change_text(buf, sizeof buf, inside, sizeof inside - 1, between, behind, sizeof behind - 1)
    CASE(12, "the text unchanged", TEE_OK, TEXT("", "", ""));
    CASE(12, "a NUL in the middle", E_PEM, TEXT("\0", "", ""));
    CASE(12, "a NUL at the end", TEE_OK, TEXT("", "", "\0"));
    CASE(12, "a NUL at the end, as the QE writes it", TEE_OK, p.quote.chain_nul = true);
    CASE(12, "two NULs at the end", E_PEM, TEXT("", "", "\0\0"));
    CASE(12, "a line end behind the NUL", E_PEM, TEXT("", "", "\0\n"));
    CASE(12, "line ends between and behind", TEE_OK, TEXT("", "\r\n\n", "\n\n"));
    CASE(12, "text between blocks", E_PEM, TEXT("", "subject=/CN=Intel\n", ""));
    CASE(12, "a space between blocks", E_PEM, TEXT("", " ", ""));
    CASE(12, "text behind the last block", E_PEM, TEXT("", "", "x"));
    CASE(12, "base64 garbage", E_PEM, TEXT("!!!!", "", ""));
    CASE(12, "padding in the middle", E_PEM, TEXT("====", "", ""));
    CASE(12, "base64 of other bytes", E_CHAINSIG, p.certs[SIM_LEAF].flip = 8 * 20);
    CASE(12, "base64 of what is no certificate", E_CERT, p.certs[SIM_LEAF].flip = 0);
}
END_TEST

/* A million line ends in the chain, with all sizes right. */
START_TEST(number_12_pem_of_a_mebibyte)
{
    const size_t more = 1u << 20, total = real.n + more;
    uint8_t *big = malloc(total);
    ck_assert_ptr_nonnull(big);
    memcpy(big, real.quote, real.n);
    memset(big + real.n, '\n', more);
    static const unsigned sizes[] = { AT_SECTION, AT_OUTER_SIZE, AT_INNER_SIZE };
    for (size_t i = 0; i < 3; i++)
        put_le(big + sizes[i], get_u32(real.quote + sizes[i]) + more, 4);
    check_case(12, "PEM of a MiB", real_verify(&real, big, total, &real.collateral, V4_NOW), E_LIMIT);
    collateral_t c = real.collateral;
    memcpy(big, c.tcb_info_issuer_chain.p, c.tcb_info_issuer_chain.n);
    memset(big + c.tcb_info_issuer_chain.n, '\n', total - c.tcb_info_issuer_chain.n);
    c.tcb_info_issuer_chain = view_of(big, more);
    check_case(12, "signer's PEM of a MiB", real_verify(&real, real.quote, real.n, &c, V4_NOW), E_LIMIT);
    /* As many line ends as there is room for are harmless. */
    memcpy(big, real.quote, real.n);
    memset(big + real.n, '\n', TEE_QUOTE_LEN_MAX - real.n);
    for (size_t i = 0; i < 3; i++)
        put_le(big + sizes[i], get_u32(real.quote + sizes[i]) + TEE_QUOTE_LEN_MAX - real.n, 4);
    check_case(12, "PEM up to the maximum", real_verify(&real, big, TEE_QUOTE_LEN_MAX, &real.collateral, V4_NOW),
               TEE_OK);
    free(big);
}
END_TEST

START_TEST(number_51_every_97th_bit_of_what_is_signed)
{
    for (size_t bit = 0; bit < 8 * (size_t)AT_SECTION; bit += 97) {
        size_t at = bit / 8;
        tee_code_t want = bit == 0              ? E_BODYTYPE /* version 5 */
                          : at < 2              ? E_VERSION
                          : at < 4              ? E_KEYTYPE
                          : at < 8              ? E_TEETYPE
                          : at >= 12 && at < 28 ? E_VENDOR
                                                : E_QUOTE_SIG;
        REAL(&real, 51, "a bit of header or body", want, q[at] ^= (uint8_t)(1u << bit % 8));
    }
}
END_TEST

/* What else of a quote is signed: tee-facts section 1.5. */
START_TEST(number_51_each_part_of_the_signature_section)
{
    REAL(&real, 51, "reserved bytes of the header", E_QUOTE_SIG, q[8] ^= 1);
    REAL(&real, 51, "quote signature, r", E_QUOTE_SIG, q[AT_SIGNATURE + 31] ^= 1);
    REAL(&real, 51, "quote signature, s", E_QUOTE_SIG, q[AT_SIGNATURE + 63] ^= 1);
    REAL(&real, 51, "attestation key", E_QE_BINDING, q[AT_SIGNATURE + 64] ^= 1);
    REAL(&real, 51, "QE report, reserved bytes", E_QE_SIG, q[770 + 20] ^= 1);
    REAL(&real, 51, "QE report, MRENCLAVE", E_QE_SIG, q[770 + 64] ^= 1);
    REAL(&real, 51, "QE report, last byte", E_QE_SIG, q[770 + 383] ^= 1);
    REAL(&real, 51, "QE signature, r", E_QE_SIG, q[AT_QE_SIGNATURE + 31] ^= 1);
    REAL(&real, 51, "QE signature, s", E_QE_SIG, q[AT_QE_SIGNATURE + 63] ^= 1);
}
END_TEST

static void patch32(uint8_t sig[64], unsigned half, const uint8_t *value, int add)
{
    memcpy(sig + 32 * half, value, 32);
    sig[32 * half + 31] = (uint8_t)(sig[32 * half + 31] + add);
}

START_TEST(number_52_points_and_ranges)
{
    static const uint8_t zero[32], high[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    static const uint8_t no_point[64] = { [63] = 1 }, zeros[64];
    uint8_t off_curve[64], sig[64], all_ones[64];
    memset(all_ones, 0xff, sizeof all_ones);
    const struct {
        const uint8_t *value;
        int add;
    } bad[] = { { zero, 0 }, { order, 0 }, { order, 1 }, { high, 0 }, { all_ones, 0 } };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        for (unsigned half = 0; half < 2; half++) {
            REAL(&real, 52, "r or s of the quote", E_POINT, patch32(q + AT_SIGNATURE, half, bad[i].value, bad[i].add));
            REAL(&real, 52, "r or s of the QE report", E_POINT,
                 patch32(q + AT_QE_SIGNATURE, half, bad[i].value, bad[i].add));
            memset(sig, 1, sizeof sig);
            patch32(sig, half, bad[i].value, bad[i].add);
            CASE(52, "r or s of the quote, simulated", E_POINT, p.quote.signature = sig);
            CASE(52, "r or s of the QE report, simulated", E_POINT, p.quote.qe_signature = sig);
        }
    REAL(&real, 52, "r and s zero", E_POINT, memset(q + AT_SIGNATURE, 0, 64));
    REAL(&real, 52, "r just below the order", E_QUOTE_SIG, patch32(q + AT_SIGNATURE, 0, order, -1));
    /* The QE vouches for these keys. */
    memcpy(off_curve, real.quote + AT_SIGNATURE + 64, 64);
    off_curve[63] ^= 1;
    CASE(52, "attestation key beside the curve", E_POINT, p.quote.attestation_key = off_curve);
    CASE(52, "attestation key (0, 1)", E_POINT, p.quote.attestation_key = no_point);
    CASE(52, "attestation key zero, which some use for infinity", E_POINT, p.quote.attestation_key = zeros);
    CASE(52, "attestation key beyond the field", E_POINT, p.quote.attestation_key = all_ones);
    CASE(52, "somebody else's attestation key", E_QUOTE_SIG, p.quote.attestation_key = real.quote + AT_SIGNATURE + 64);
    CASE(52, "signed by a stranger", E_QUOTE_SIG, p.quote.signer = SIM_STRANGER);
    CASE(52, "signed by the PCK key", E_QUOTE_SIG, p.quote.signer = SIM_LEAF);
}
END_TEST

/* s = n - s. */
static void negate(uint8_t s[32])
{
    int borrow = 0;
    for (unsigned i = 32; i-- > 0;) {
        int d = order[i] - s[i] - borrow;
        borrow = d < 0;
        s[i] = (uint8_t)(d + (borrow ? 256 : 0));
    }
}

/* Malleable, as ECDSA is: so a hash of a quote identifies nothing. */
START_TEST(number_53_the_other_s_is_accepted)
{
    REAL(&real, 53, "quote signature with n - s", TEE_OK, negate(q + AT_SIGNATURE + 32));
    REAL(&real, 53, "QE signature with n - s", TEE_OK, negate(q + AT_QE_SIGNATURE + 32));
    REAL(&real, 53, "quote signature with n - r", E_QUOTE_SIG, negate(q + AT_SIGNATURE));
}
END_TEST

static int run(void)
{
    return UNIT_RUN_AROUND("negative_quote", setup, teardown, numbers_1_and_2_length, numbers_3_to_6_header,
                           number_7_body_descriptor, numbers_8_to_11_signature_section, number_12_which_certificates,
                           number_12_pem_text, number_12_pem_of_a_mebibyte, number_51_every_97th_bit_of_what_is_signed,
                           number_51_each_part_of_the_signature_section, number_52_points_and_ranges,
                           number_53_the_other_s_is_accepted);
}

int main(void)
{
    return negative_run(run);
}
