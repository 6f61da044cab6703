/* The reader of revocation lists, on lists that this file builds part by part. What a verifier demands of a list
 * (issuer, signature, time, number): test_chain.c and test_negative_chain.c. */
#include "tee/x509/crl.h"
#include "tests/unit/unit.h"

#define LIST_MAX 4096u

/* DER parts of a list; a test changes one. n is the length, as the texts hold zeros. */
typedef struct {
    const char *version, *algorithm, *outer_algorithm, *issuer, *from, *until, *entries, *extensions, *bits;
    size_t extensions_n, entries_n;
    bool behind; /* a byte behind the list of extensions */
} spec_t;

#define ALGORITHM "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define NUMBER "\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x05"
#define KEY_ID "\x30\x0d\x06\x03\x55\x1d\x23\x04\x06\x30\x04\x80\x02\xaa\xbb"
#define ENTRY                                                                                                          \
    "\x30\x12\x02\x01\x07\x17\x0d"                                                                                     \
    "250101000000Z"
#define REASON "\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"
#define TWENTY "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
#define PARTS(field, text) .field = (text), .field##_n = sizeof(text) - 1

/* The right parts, some of them overridden. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define WITH(...)                                                                                                      \
    {                                                                                                                  \
        .version = "\x02\x01\x01", .algorithm = ALGORITHM, .outer_algorithm = ALGORITHM, .issuer = "\x30\x02\x05\x01", \
        .from = "\x17\x0d"                                                                                             \
                "250101000000Z",                                                                                       \
        .until = "\x17\x0d"                                                                                            \
                 "250131000000Z",                                                                                      \
        .bits = "\x03\x03\x00\x01\x01", PARTS(entries, ENTRY), PARTS(extensions, NUMBER KEY_ID), __VA_ARGS__           \
    }

static const spec_t right = WITH();

static void der(wr_t *w, uint8_t tag, view_t v)
{
    wr_u8(w, tag);
    if (v.n >= 128)
        wr_u8(w, v.n >= 256 ? 0x82 : 0x81);
    wr_be(w, v.n, v.n >= 256 ? 2 : 1);
    wr_bytes(w, v.p, v.n);
}

/* A TLV literal, whose length its second byte tells. */
static void whole(wr_t *w, const char *tlv)
{
    if (tlv)
        wr_bytes(w, tlv, 2 + (size_t)(uint8_t)tlv[1]);
}

static size_t build(uint8_t *out, const spec_t *s)
{
    uint8_t tbs[LIST_MAX], inner[LIST_MAX], all[LIST_MAX];
    wr_t t = wr_of(tbs, sizeof tbs), i = wr_of(inner, sizeof inner), a = wr_of(all, sizeof all),
         w = wr_of(out, LIST_MAX);
    whole(&t, s->version);
    whole(&t, s->algorithm);
    whole(&t, s->issuer);
    whole(&t, s->from);
    whole(&t, s->until);
    if (s->entries)
        der(&t, 0x30, view_of(s->entries, s->entries_n));
    if (s->extensions) {
        der(&i, 0x30, view_of(s->extensions, s->extensions_n));
        if (s->behind)
            wr_u8(&i, 0);
        der(&t, 0xa0, wr_view(&i));
    }
    der(&a, 0x30, wr_view(&t));
    whole(&a, s->outer_algorithm);
    wr_bytes(&a, s->bits, 5);
    der(&w, 0x30, wr_view(&a));
    ck_assert(!t.bad && !i.bad && !a.bad && !w.bad);
    return w.n;
}

static rc_t parse(crl_t *c, const spec_t *s)
{
    static uint8_t bytes[LIST_MAX];
    err_t fault = { 0 };
    rc_t rc = crl_parse(c, &fault, view_of(bytes, build(bytes, s)));
    ck_assert_uint_eq(fault.code, rc ? E_CRL : TEE_OK);
    return rc;
}

START_TEST(all_parts_are_read)
{
    crl_t c;
    ck_assert_int_eq(parse(&c, &right), RC_OK);
    ck_assert(c.has_number && c.number[19] == 5 && c.number[18] == 0);
    ck_assert(view_eq(c.key_id, view_of("\xaa\xbb", 2)));
    ck_assert(view_eq(c.issuer, view_of("\x30\x02\x05\x01", 4)));
    ck_assert_int_eq(c.this_update, 1735689600);
    ck_assert_int_eq(c.next_update, 1738281600);
    ck_assert_uint_eq(crl_count(&c), 1);
    ck_assert(crl_lists(&c, view_of("\x07", 1)));
    ck_assert(!crl_lists(&c, view_of("\x06", 1)));
    ck_assert(!crl_lists(&c, view_of("", 0)));
}
END_TEST

START_TEST(what_a_list_may_and_may_not_have)
{
    static const spec_t good[] = {
        WITH(.entries = NULL),
        WITH(PARTS(entries, ENTRY ENTRY)),
        WITH(PARTS(entries, "\x30\x20\x02\x01\x07\x17\x0d" "250101000000Z" "\x30\x0c" REASON)),
        WITH(.extensions = NULL), /* the verifier misses number and key id */
        WITH(PARTS(extensions, KEY_ID NUMBER)),
        WITH(PARTS(extensions, NUMBER KEY_ID "\x30\x08\x06\x03\x55\x1d\x12\x04\x01\x00")), /* unknown, not critical */
        WITH(PARTS(extensions, NUMBER KEY_ID "\x30\x0b\x06\x03\x55\x1d\x12\x01\x01\x00\x04\x01\x00")),
        WITH(PARTS(extensions, "\x30\x1d\x06\x03\x55\x1d\x14\x04\x16\x02\x14" TWENTY KEY_ID)),
        WITH(.until = "\x18\x0f" "20500101000000Z"),
    }, bad[] = {
        WITH(.version = NULL),
        WITH(.version = "\x02\x01\x00"),
        WITH(.version = "\x02\x01\x02"),
        WITH(.algorithm = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"), /* not that of the signature */
        WITH(.outer_algorithm = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03"),
        WITH(.issuer = NULL),
        WITH(.issuer = "\x31\x02\x05\x01"),
        WITH(.from = NULL),
        WITH(.until = NULL),
        WITH(.until = "\x17\x0d" "250132000000Z"),
        WITH(.bits = "\x03\x03\x01\x01\x01"), /* unused bits */
        WITH(.bits = "\x04\x03\x00\x01\x01"),
        WITH(PARTS(entries, "\x30\x0f\x17\x0d" "250101000000Z")), /* no serial */
        WITH(PARTS(entries, "\x30\x03\x02\x01\x07")),             /* no date */
        WITH(PARTS(entries, "\x30\x12\x02\x01\x87\x17\x0d" "250101000000Z")), /* negative */
        WITH(PARTS(entries, "\x30\x13\x02\x02\x00\x07\x17\x0d" "250101000000Z")),
        WITH(PARTS(entries, ENTRY "\x00")),
        WITH(PARTS(entries, "\x30\x23\x02\x01\x07\x17\x0d" "250101000000Z"
                            "\x30\x0f\x30\x0d\x06\x03\x55\x1d\x1d\x01\x01\xff\x04\x03\x0a\x01\x01")), /* critical */
        WITH(.behind = true),
        WITH(PARTS(extensions, NUMBER KEY_ID NUMBER)),
        WITH(PARTS(extensions, NUMBER KEY_ID KEY_ID)),
        WITH(PARTS(extensions, "\x30\x0a\x06\x03\x55\x1d\x14\x04\x03\x02\x01\x85" KEY_ID)),
        WITH(PARTS(extensions, "\x30\x0b\x06\x03\x55\x1d\x14\x04\x04\x02\x01\x05\x00" KEY_ID)),
        WITH(PARTS(extensions, "\x30\x1e\x06\x03\x55\x1d\x14\x04\x17\x02\x15" TWENTY "\x15" KEY_ID)), /* 21 bytes */
        /* critical: issuing distribution point, and number of the list that a delta list changes */
        WITH(PARTS(extensions, NUMBER KEY_ID "\x30\x0c\x06\x03\x55\x1d\x1c\x01\x01\xff\x04\x02\x30\x00")),
        WITH(PARTS(extensions, NUMBER KEY_ID "\x30\x0d\x06\x03\x55\x1d\x1b\x01\x01\xff\x04\x03\x02\x01\x01")),
        WITH(PARTS(extensions, NUMBER "\x30\x0f\x06\x03\x55\x1d\x23\x04\x08\x30\x06\x80\x02\xaa\xbb\x81\x00")),
        WITH(PARTS(extensions, NUMBER "\x30\x09\x06\x03\x55\x1d\x23\x04\x02\x30\x00")), /* a key identifier without one */
        WITH(PARTS(extensions, NUMBER KEY_ID "\x30\x07\x06\x03\x55\x1d\x12\x04\x00\x00")),
    };
    crl_t c;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(parse(&c, &good[i]) == RC_OK, "good row %zu", i);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(parse(&c, &bad[i]) == RC_MALFORMED, "bad row %zu", i);
}
END_TEST

#define LISTED(serial)                                                                                                 \
    "\x30\x13\x02\x02" serial "\x17\x0d"                                                                               \
    "250101000000Z"
#define LISTED_WITH_REASON(serial)                                                                                     \
    "\x30\x21\x02\x02" serial "\x17\x0d"                                                                               \
    "250101000000Z"                                                                                                    \
    "\x30\x0c" REASON

START_TEST(a_serial_number_is_found_wherever_it_stands)
{
    static const spec_t lists[] = {
        WITH(PARTS(entries, LISTED("\x11\x11") LISTED("\x22\x22") LISTED("\x33\x33"))),
        WITH(PARTS(entries, LISTED_WITH_REASON("\x11\x11") LISTED("\x22\x22") LISTED_WITH_REASON("\x33\x33"))),
        WITH(PARTS(entries, LISTED("\x11\x11") LISTED_WITH_REASON("\x22\x22") LISTED("\x33\x33"))),
    };
    static const char *const listed[] = { "\x11\x11", "\x22\x22", "\x33\x33" };
    static const char *const not_listed[] = { "\x11\x10", "\x22\x20", "\x33\x32", "\x10\x11", "\x44\x44" };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        crl_t c;
        ck_assert_int_eq(parse(&c, &lists[i]), RC_OK);
        ck_assert_uint_eq(crl_count(&c), 3);
        for (size_t k = 0; k < 3; k++)
            ck_assert_msg(crl_lists(&c, view_of(listed[k], 2)), "list %zu, entry %zu", i, k);
        for (size_t k = 0; k < 5; k++)
            ck_assert_msg(!crl_lists(&c, view_of(not_listed[k], 2)), "list %zu, number %zu", i, k);
        ck_assert(!crl_lists(&c, view_of(listed[0], 1)));
    }
}
END_TEST

START_TEST(the_serial_number_zero_is_a_number)
{
    crl_t c;
    const spec_t s = WITH(PARTS(entries, "\x30\x12\x02\x01\x00\x17\x0d"
                                         "250101000000Z"));
    ck_assert_int_eq(parse(&c, &s), RC_OK);
    ck_assert(crl_lists(&c, view_of("", 0)));
    ck_assert(!crl_lists(&c, view_of("\x07", 1)));
}
END_TEST

START_TEST(no_part_of_a_list_is_a_list)
{
    const spec_t s = WITH(PARTS(entries, "\x30\x20\x02\x01\x07\x17\x0d"
                                         "250101000000Z"
                                         "\x30\x0c" REASON));
    uint8_t all[LIST_MAX];
    const size_t n = build(all, &s);
    err_t fault;
    crl_t c, before;
    memset(&before, 0x5a, sizeof before);
    c = before;
    for (size_t i = 0; i < n; i++) {
        uint8_t *part = malloc(i ? i : 1); /* a sanitizer sees a read behind its end */
        memcpy(part, all, i);
        ck_assert_msg(crl_parse(&c, &fault, view_of(part, i)) == RC_MALFORMED, "length %zu", i);
        ck_assert_mem_eq(&c, &before, sizeof c);
        free(part);
    }
    all[n] = 0;
    ck_assert_int_eq(crl_parse(&c, &fault, view_of(all, n + 1)), RC_MALFORMED);
    ck_assert_int_eq(crl_parse(&c, &fault, view_of(all, n)), RC_OK);
}
END_TEST

START_TEST(a_list_has_a_maximum)
{
    crl_t c;
    err_t fault;
    uint8_t *big = calloc(1, CRL_MAX + 1);
    ck_assert_int_eq(crl_parse(&c, &fault, view_of(big, CRL_MAX + 1)), RC_LIMIT);
    ck_assert_uint_eq(fault.code, E_LIMIT);
    ck_assert_int_eq(crl_parse(&c, &fault, view_of(big, CRL_MAX)), RC_MALFORMED);
    free(big);
}
END_TEST

int main(void)
{
    return UNIT_RUN("crl", all_parts_are_read, what_a_list_may_and_may_not_have,
                    a_serial_number_is_found_wherever_it_stands, the_serial_number_zero_is_a_number,
                    no_part_of_a_list_is_a_list, a_list_has_a_maximum);
}
