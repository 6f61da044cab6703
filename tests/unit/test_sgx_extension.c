/* The SGX extension of PCK certificates, on extensions that this file builds field by field. Intel's own: test_chain.c.
 */
#include <stdlib.h>

#include "tee/x509/chain.h"
#include "tests/unit/unit.h"

#define EXT_MAX 2048u

/* What to build; the rows of the tests change one thing each. */
typedef struct {
    size_t ppid, pce_id, fmspc, cpu_svn, instance; /* lengths of the octet strings */
    int without, twice;                            /* arc of P.<arc> that is left out, or comes twice */
    int tcb_without, tcb_twice;                    /* the same of P.2.<arc> */
    int component_value;                           /* of component 3, as INTEGER */
    const char *component, *pce_svn, *type,
        *flag;      /* DER of component 3, PCESVN, SGX type, P.7.1; NULL: as it should be */
    bool extra;     /* a field P.8 */
    bool tcb_extra; /* a field P.2.19 */
    bool other_oid; /* P.4 under another prefix */
    bool trailing;  /* in the last field of the TCB */
    bool platform;  /* with P.6 and P.7 */
    bool cpu_svn_differs;
    uint8_t longer;     /* arc behind that of P.5 */
    uint8_t flag_extra; /* one more field of P.7 */
} spec_t;

static const spec_t right = {
    .ppid = 16, .pce_id = 2, .fmspc = 6, .cpu_svn = 16, .instance = 16, .component_value = 3, .platform = true
};

static void der(wr_t *w, uint8_t tag, view_t v)
{
    wr_u8(w, tag);
    if (v.n >= 128)
        wr_u8(w, v.n >= 256 ? 0x82 : 0x81);
    wr_be(w, v.n, v.n >= 256 ? 2 : 1);
    wr_bytes(w, v.p, v.n);
}

/* SEQUENCE { OID P.a[.b], value } with value in DER. */
static void field(wr_t *w, uint8_t a, uint8_t b, view_t value)
{
    uint8_t oid[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01, a, b }, buf[EXT_MAX];
    wr_t in = wr_of(buf, sizeof buf);
    der(&in, 0x06, view_of(oid, b ? 11 : 10));
    wr_bytes(&in, value.p, value.n);
    der(w, 0x30, wr_view(&in));
}

static void octets(wr_t *w, uint8_t a, uint8_t b, const uint8_t *p, size_t n)
{
    uint8_t buf[64];
    wr_t v = wr_of(buf, sizeof buf);
    der(&v, 0x04, view_of(p, n));
    field(w, a, b, wr_view(&v));
}

static void build_tcb(wr_t *w, const spec_t *s)
{
    uint8_t svn[32] = { 1, 2, (uint8_t)s->component_value, 4, 0xff, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0 };
    for (int i = 1; i <= 18; i++)
        for (int n = i == s->tcb_without ? 0 : i == s->tcb_twice ? 2 : 1; n; n--) {
            uint8_t buf[8];
            wr_t v = wr_of(buf, sizeof buf);
            const char *given = i == 3 ? s->component : i == 17 ? s->pce_svn : NULL;
            if (given)
                wr_bytes(&v, given + 1, (size_t)given[0]);
            else if (i == 17)
                wr_bytes(&v, "\x02\x02\x01\x02", 4);
            else if (i < 17)
                der(&v, 2,
                    svn[i - 1] & 0x80 ? view_of((const uint8_t[]){ 0, svn[i - 1] }, 2) : view_of(&svn[i - 1], 1));
            if (i == 16 && s->trailing)
                wr_u8(&v, 0);
            if (i == 18) {
                svn[0] ^= s->cpu_svn_differs;
                octets(w, 2, 18, svn, s->cpu_svn);
            } else
                field(w, 2, (uint8_t)i, wr_view(&v));
        }
    if (s->tcb_extra)
        field(w, 2, 19, view_of("\x02\x01\x00", 3));
}

static void build_field(wr_t *w, const spec_t *s, int arc)
{
    static const uint8_t pattern[32] = { 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8 };
    uint8_t buf[EXT_MAX], all[EXT_MAX];
    wr_t in = wr_of(buf, sizeof buf), out = wr_of(all, sizeof all);
    switch (arc) {
    case 1: octets(w, 1, 0, pattern, s->ppid); break;
    case 2:
        build_tcb(&in, s);
        der(&out, 0x30, wr_view(&in));
        field(w, 2, 0, wr_view(&out));
        break;
    case 3: octets(w, 3, 0, pattern + 1, s->pce_id); break;
    case 4: octets(w, 4, 0, pattern + 2, s->fmspc); break;
    case 5:
        field(w, 5, s->longer, s->type ? view_of(s->type + 1, (size_t)s->type[0]) : view_of("\x0a\x01\x01", 3));
        break;
    case 6: octets(w, 6, 0, pattern + 3, s->instance); break;
    case 7:
        field(&in, 7, 1, s->flag ? view_of(s->flag + 1, (size_t)s->flag[0]) : view_of("\x01\x01\xff", 3));
        field(&in, 7, 2, view_of("\x01\x01\x00", 3));
        field(&in, 7, 3, view_of("\x01\x01\xff", 3));
        if (s->flag_extra)
            field(&in, 7, s->flag_extra, view_of("\x01\x01\xff", 3));
        der(&out, 0x30, wr_view(&in));
        field(w, 7, 0, wr_view(&out));
        break;
    default: field(w, (uint8_t)arc, 0, view_of("\x02\x01\x00", 3));
    }
}

static size_t build(uint8_t *bytes, const spec_t *s)
{
    uint8_t buf[EXT_MAX];
    wr_t in = wr_of(buf, sizeof buf), out = wr_of(bytes, EXT_MAX);
    for (int arc = 1; arc <= (s->extra ? 8 : s->platform ? 7 : 5); arc++)
        for (int n = arc == s->without ? 0 : arc == s->twice ? 2 : 1; n; n--)
            build_field(&in, s, arc);
    der(&out, 0x30, wr_view(&in));
    ck_assert(!in.bad && !out.bad);
    if (s->other_oid) {
        uint8_t *fmspc = memmem(bytes, out.n, "\x0d\x01\x04\x04", 4); /* P.4, then its octet string */
        ck_assert_ptr_nonnull(fmspc);
        *fmspc = 0x0c;
    }
    return out.n;
}

/* Parses an exact-size heap copy; checks that out is untouched on failure. */
static rc_t parse(const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    chain_sgx_t s, before;
    err_t fault = { 0 };
    if (n)
        memcpy(copy, bytes, n);
    memset(&before, 0x5a, sizeof before);
    s = before;
    rc_t rc = chain_sgx_parse(&s, &fault, view_of(copy, n));
    if (rc) {
        ck_assert_mem_eq(&s, &before, sizeof s);
        ck_assert_uint_eq(fault.code, E_SGXEXT);
    }
    free(copy);
    return rc;
}

START_TEST(all_fields_are_read)
{
    static const uint8_t svn[16] = { 1, 2, 3, 4, 0xff, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0 };
    uint8_t bytes[EXT_MAX];
    chain_sgx_t s;
    err_t fault;
    size_t n = build(bytes, &right);
    ck_assert_int_eq(chain_sgx_parse(&s, &fault, view_of(bytes, n)), RC_OK);
    ck_assert_mem_eq(s.components, svn, 16);
    ck_assert_mem_eq(s.cpu_svn, svn, 16);
    ck_assert_uint_eq(s.pce_svn, 0x0102);
    ck_assert_uint_eq(s.sgx_type, 1);
    ck_assert_uint_eq(s.ppid[0], 0xa0);
    ck_assert_uint_eq(s.pce_id[1], 0xa2);
    ck_assert_uint_eq(s.fmspc[5], 0xa7);
    ck_assert(s.has_instance_id);
    ck_assert_uint_eq(s.instance_id[0], 0xa3);
    spec_t processor = right;
    processor.platform = false;
    n = build(bytes, &processor);
    ck_assert_int_eq(chain_sgx_parse(&s, &fault, view_of(bytes, n)), RC_OK);
    ck_assert(!s.has_instance_id);
}
END_TEST

#define WITH(...)                                                                                                      \
    {                                                                                                                  \
        .ppid = 16, .pce_id = 2, .fmspc = 6, .cpu_svn = 16, .instance = 16, .component_value = 3, .platform = true,    \
        __VA_ARGS__                                                                                                    \
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"

START_TEST(each_defect_is_refused)
{
    static const spec_t rows[] = {
        WITH(.ppid = 15), WITH(.ppid = 17), WITH(.pce_id = 1), WITH(.pce_id = 3), WITH(.fmspc = 5), WITH(.fmspc = 7),
        WITH(.fmspc = 0), WITH(.cpu_svn = 15), WITH(.cpu_svn = 17), WITH(.instance = 15),
        WITH(.without = 1), WITH(.without = 2), WITH(.without = 3), WITH(.without = 4), WITH(.without = 5),
        WITH(.twice = 1), WITH(.twice = 2), WITH(.twice = 3), WITH(.twice = 4), WITH(.twice = 5), WITH(.twice = 6), WITH(.twice = 7),
        WITH(.tcb_without = 1), WITH(.tcb_without = 16), WITH(.tcb_without = 17), WITH(.tcb_without = 18),
        WITH(.tcb_twice = 1), WITH(.tcb_twice = 16), WITH(.tcb_twice = 17), WITH(.tcb_twice = 18),
        WITH(.extra = true), WITH(.tcb_extra = true), WITH(.other_oid = true), WITH(.trailing = true), WITH(.cpu_svn_differs = true),
        WITH(.component = "\x04\x02\x02\x01\x00"), /* 256 */
        WITH(.component = "\x03\x02\x01\x83"),     /* negative */
        WITH(.component = "\x04\x02\x02\x00\x03"), /* longer than needed */
        WITH(.component = "\x03\x0a\x01\x03"),     /* ENUMERATED */
        WITH(.component = "\x02\x02\x00"),         /* empty */
        WITH(.component = "\x00"),                 /* no value */
        WITH(.component = "\x05\x02\x81\x01\x03\x00"),
        WITH(.component = "\x03\x02\x01\x04"),     /* not that of the CPUSVN */
        WITH(.pce_svn = "\x05\x02\x03\x01\x00\x00"),
        WITH(.pce_svn = "\x04\x02\x02\xff\xff"),
        WITH(.type = "\x03\x0a\x01\x03"), WITH(.type = "\x03\x02\x01\x01"), WITH(.type = "\x03\x0a\x01\xff"),
        WITH(.longer = 1), WITH(.longer = 5), WITH(.flag_extra = 1), WITH(.flag_extra = 2), WITH(.flag_extra = 3), WITH(.flag_extra = 4), WITH(.flag_extra = 31),
        WITH(.flag = "\x03\x01\x01\x01"), WITH(.flag = "\x04\x01\x02\xff\xff"), WITH(.flag = "\x03\x02\x01\x01"),
    }, good[] = {
        WITH(.component = "\x03\x02\x01\x03"),
        WITH(.component_value = 0xff, .component = "\x04\x02\x02\x00\xff"),
        WITH(.component_value = 0),
        WITH(.pce_svn = "\x05\x02\x03\x00\xff\xff"),
        WITH(.type = "\x03\x0a\x01\x02"), WITH(.type = "\x03\x0a\x01\x00"), WITH(.flag = "\x03\x01\x01\x00"),
        WITH(.without = 6), WITH(.without = 7),
    };
    uint8_t bytes[EXT_MAX];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        ck_assert_msg(parse(bytes, build(bytes, &good[i])) == RC_OK, "good row %zu", i);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ck_assert_msg(parse(bytes, build(bytes, &rows[i])) == RC_MALFORMED, "row %zu", i);
}
END_TEST
#pragma GCC diagnostic pop

START_TEST(every_truncation_and_trailing_byte_is_refused)
{
    uint8_t bytes[EXT_MAX] = { 0 };
    size_t n = build(bytes, &right);
    for (size_t k = 0; k < n; k++)
        ck_assert_msg(parse(bytes, k) == RC_MALFORMED, "length %zu", k);
    ck_assert_int_eq(parse(bytes, n), RC_OK);
    ck_assert_int_eq(parse(bytes, n + 1), RC_MALFORMED);
}
END_TEST

/* Every bit of tags, lengths and OIDs counts; bits of values give another value or are refused. */
START_TEST(each_flipped_bit_is_refused_or_changes_the_result)
{
    uint8_t bytes[EXT_MAX];
    chain_sgx_t was, s;
    err_t fault;
    spec_t spec = right;
    spec.without = 7; /* nothing of which is kept */
    size_t n = build(bytes, &spec), accepted = 0;
    memset(&was, 0, sizeof was);
    memset(&s, 0, sizeof s);
    ck_assert_int_eq(chain_sgx_parse(&was, &fault, view_of(bytes, n)), RC_OK);
    for (size_t i = 0; i < 8 * n; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        if (chain_sgx_parse(&s, &fault, view_of(bytes, n)) == RC_OK) {
            ck_assert_msg(memcmp(&s, &was, sizeof s) != 0, "bit %zu", i);
            accepted++;
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    ck_assert_uint_eq(accepted, 8 * (16 + 2 + 6 + 16) + 14 +
                                    1); /* octet strings; PCESVN 0102 but for its sign and lowest high bit; type 0 */
}
END_TEST

START_TEST(deep_nesting_is_refused_without_recursion)
{
    static uint8_t bytes[1 << 16];
    for (size_t i = 0; i + 4 <= sizeof bytes; i += 4) {
        bytes[i] = 0x30;
        bytes[i + 1] = 0x82;
        bytes[i + 2] = (uint8_t)((sizeof bytes - i - 4) >> 8);
        bytes[i + 3] = (uint8_t)(sizeof bytes - i - 4);
    }
    ck_assert_int_eq(parse(bytes, sizeof bytes), RC_MALFORMED);
}
END_TEST

int main(void)
{
    return UNIT_RUN("sgx_extension", all_fields_are_read, each_defect_is_refused,
                    every_truncation_and_trailing_byte_is_refused, each_flipped_bit_is_refused_or_changes_the_result,
                    deep_nesting_is_refused_without_recursion);
}
