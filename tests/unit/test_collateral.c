/* The container and the answers of a PCS. Real documents: tests/data/tdx. */
#include <jansson.h>

#include "tee/collateral/collateral.h"
#include "tee/x509/chain.h"
#include "tests/unit/tdx_files.h"
#include "tests/unit/unit.h"

static arena_t memory;

static void setup(void)
{
    arena_init(&memory, 64u << 20);
}

static void teardown(void)
{
    arena_free(&memory);
}

#define SIG                                                                                                            \
    "000102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637" \
    "38393a3b"                                                                                                         \
    "3c3d3e3f"

/* The code; the inner object is untouched after a failure. */
static tee_code_t split(view_t *inner, view_t body)
{
    uint8_t sig[64];
    err_t fault = { 0 };
    *inner = view_of((const uint8_t *)"x", 1);
    memset(sig, 0x5a, sizeof sig);
    if (collateral_split(inner, sig, &fault, body, "tcbInfo")) {
        ck_assert_uint_eq(inner->n, 1);
        ck_assert_uint_eq(sig[0], 0x5a);
        ck_assert_uint_eq(sig[63], 0x5a);
        ck_assert_str_ne(fault.text, "");
    } else
        for (unsigned i = 0; i < 64; i++)
            ck_assert_uint_eq(sig[i], i);
    return fault.code;
}

START_TEST(an_answers_document_is_found_byte_for_byte)
{
    static const struct {
        const char *body, *inner; /* NULL: refused */
    } rows[] = {
        { "{\"tcbInfo\":{\"a\":1},\"signature\":\"" SIG "\"}", "{\"a\":1}" },
        { "{\"signature\":\"" SIG "\",\"tcbInfo\":{}}", "{}" },
        { " {\n\"signature\" :\t\"" SIG "\" , \"tcbInfo\" : { \"b\" : [ 1 , { } ] } \r\n} \n",
          "{ \"b\" : [ 1 , { } ] }" },
        { "{\"tcbInfo\":{\"a\":\"}]\\\"}\"},\"signature\":\"" SIG "\"}", "{\"a\":\"}]\\\"}\"}" },
        { "{\"tcbInfo\":{\"a\":\"\\\\\"},\"signature\":\"" SIG "\"}", "{\"a\":\"\\\\\"}" },
        { "{\"x\":{\"tcbInfo\":{\"no\":0}},\"tcbInfo\":{\"yes\":1},\"signature\":\"" SIG "\"}", "{\"yes\":1}" },
        { "{\"x\":\"\\\"tcbInfo\\\":{}\",\"y\":[\"tcbInfo\",{}],\"z\":-1.5e3,\"n\":null,\"tcbInfo\":{\"k\":{}},"
          "\"signature\":\"" SIG "\"}",
          "{\"k\":{}}" },
        { "{\"tcbInfo\":{\"a\":1}}", NULL },
        { "{\"signature\":\"" SIG "\"}", NULL },
        { "{\"tcbInfo\":\"{}\",\"signature\":\"" SIG "\"}", NULL },
        { "{\"tcbInfo\":[],\"signature\":\"" SIG "\"}", NULL },
        { "{\"tcbInfo\":{},\"tcbInfo\":{},\"signature\":\"" SIG "\"}", NULL },
        { "{\"tcbInfo\":{},\"tcb\\u0049nfo\":{},\"signature\":\"" SIG "\"}", NULL },
        { "{\"tcb\\u0049nfo\":{},\"signature\":\"" SIG "\"}", NULL }, /* the same member, but not as Intel writes it */
        { "{\"tcbInfo\":{},\"signature\":\"" SIG "00\"}", NULL },
        { "{\"tcbInfo\":{},\"signature\":\"00\"}", NULL },
        { "{\"tcbInfo\":{},\"signature\":7}", NULL },
        { "{\"tcbInfo\":{},\"signature\":\"" SIG "\"}x", NULL },
        { "[{\"tcbInfo\":{},\"signature\":\"" SIG "\"}]", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        view_t inner, body = view_str(rows[i].body);
        tee_code_t code = split(&inner, body);
        ck_assert_msg(code == (rows[i].inner ? TEE_OK : E_COLLATERAL), "%s: %s", rows[i].body, tee_code_name(code));
        if (rows[i].inner) {
            ck_assert_msg(view_eq(inner, view_str(rows[i].inner)), "%s", rows[i].body);
            ck_assert(inner.p > body.p && inner.p < body.p + body.n); /* the bytes of the answer itself */
        }
    }
}
END_TEST

START_TEST(every_truncation_of_an_answer_is_refused)
{
    view_t inner, body = view_str("{\"tcbInfo\":{\"a\":\"}\"},\"signature\":\"" SIG "\"}");
    ck_assert_int_eq(split(&inner, body), TEE_OK);
    for (size_t n = 0; n < body.n; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        memcpy(exact, body.p, n);
        ck_assert_int_eq(split(&inner, view_of(exact, n)), E_COLLATERAL);
        free(exact);
    }
}
END_TEST

START_TEST(an_answer_has_a_maximum)
{
    static const char body[] = "{\"tcbInfo\":{},\"signature\":\"" SIG "\"}";
    uint8_t *large = arena_alloc(&memory, COLLATERAL_DOC_MAX + 1);
    view_t inner;
    memset(large, ' ', COLLATERAL_DOC_MAX + 1);
    memcpy(large, body, sizeof body - 1);
    ck_assert_int_eq(split(&inner, view_of(large, COLLATERAL_DOC_MAX)), TEE_OK);
    ck_assert_int_eq(split(&inner, view_of(large, COLLATERAL_DOC_MAX + 1)), E_LIMIT);
}
END_TEST

static collateral_t made(void)
{
    collateral_t c = { .root_ca_crl = tdx_file(&memory, "root_ca_crl.der"),
                       .pck_crl = tdx_file(&memory, "pck_crl.der"),
                       .pck_crl_issuer_chain = view_str("issuer chain"),
                       .tcb_info = view_str("{\"quote\":\"\\\"\\u00e9\xc3\xa9\" }"),
                       .tcb_info_issuer_chain = view_str("line 1\nline 2\n"),
                       .qe_identity = view_str("{}"),
                       .qe_identity_issuer_chain = view_str("other chain") };
    memset(c.tcb_info_signature, 0x11, 64);
    memset(c.qe_identity_signature, 0xee, 64);
    return c;
}

static tee_code_t read_text(collateral_t *out, view_t text)
{
    collateral_t before;
    err_t fault = { 0 };
    memset(&before, 0x5a, sizeof before);
    *out = before;
    if (collateral_read(out, &fault, &memory, text)) {
        ck_assert_mem_eq(out, &before, sizeof before);
        ck_assert_str_ne(fault.text, "");
    }
    return fault.code;
}

static void assert_same(const collateral_t *a, const collateral_t *b)
{
    ck_assert(view_eq(a->root_ca_crl, b->root_ca_crl));
    ck_assert(view_eq(a->pck_crl, b->pck_crl));
    ck_assert(view_eq(a->pck_crl_issuer_chain, b->pck_crl_issuer_chain));
    ck_assert(view_eq(a->tcb_info, b->tcb_info));
    ck_assert(view_eq(a->tcb_info_issuer_chain, b->tcb_info_issuer_chain));
    ck_assert(view_eq(a->qe_identity, b->qe_identity));
    ck_assert(view_eq(a->qe_identity_issuer_chain, b->qe_identity_issuer_chain));
    ck_assert_mem_eq(a->tcb_info_signature, b->tcb_info_signature, 64);
    ck_assert_mem_eq(a->qe_identity_signature, b->qe_identity_signature, 64);
}

START_TEST(a_container_is_read_as_it_was_written)
{
    collateral_t c = made(), read;
    view_t text;
    ck_assert_int_eq(collateral_write(&text, &memory, &c), RC_OK);
    ck_assert_int_eq(read_text(&read, text), TEE_OK);
    assert_same(&c, &read);
    for (size_t n = 0; n < text.n; n++)
        ck_assert_int_eq(read_text(&read, view_of(text.p, n)), E_COLLATERAL);
    c.pck_crl_issuer_chain = c.pck_crl = c.root_ca_crl = view_of(NULL, 0);
    ck_assert_int_eq(collateral_write(&text, &memory, &c), RC_OK);
    ck_assert_int_eq(read_text(&read, text), TEE_OK);
    assert_same(&c, &read);
}
END_TEST

/* The written container with one member replaced (value NULL: left out). */
static view_t with_member(const char *key, const char *value)
{
    collateral_t c = made();
    view_t text;
    ck_assert_int_eq(collateral_write(&text, &memory, &c), RC_OK);
    json_t *o = json_loadb((const char *)text.p, text.n, 0, NULL);
    if (value)
        json_object_set_new(o, key, json_loads(value, JSON_DECODE_ANY, NULL));
    else
        json_object_del(o, key);
    char *s = json_dumps(o, 0);
    view_t v = arena_dup(&memory, view_str(s));
    free(s);
    json_decref(o);
    return v;
}

START_TEST(each_member_is_needed_in_its_form)
{
    static const struct {
        const char *key;
        tee_code_t missing;
    } rows[] = { { "tcb_info", E_COLLATERAL },
                 { "tcb_info_signature", E_COLLATERAL },
                 { "tcb_info_issuer_chain", E_COLLATERAL },
                 { "qe_identity", E_COLLATERAL },
                 { "qe_identity_signature", E_COLLATERAL },
                 { "qe_identity_issuer_chain", E_COLLATERAL },
                 { "pck_crl_issuer_chain", TEE_OK },
                 { "root_ca_crl", TEE_OK },
                 { "pck_crl", TEE_OK } };
    collateral_t c;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(read_text(&c, with_member(rows[i].key, NULL)) == rows[i].missing, "%s", rows[i].key);
        ck_assert_msg(read_text(&c, with_member(rows[i].key, "7")) == E_COLLATERAL, "%s", rows[i].key);
        ck_assert_msg(read_text(&c, with_member(rows[i].key, "null")) == rows[i].missing, "%s", rows[i].key);
        ck_assert_msg(read_text(&c, with_member(rows[i].key, "{\"a\":1}")) == E_COLLATERAL, "%s", rows[i].key);
    }
    ck_assert_int_eq(read_text(&c, with_member("root_ca_crl", NULL)), TEE_OK);
    ck_assert_uint_eq(c.root_ca_crl.n, 0); /* who needs it refuses: E_CRL_MISSING */
    ck_assert_int_eq(read_text(&c, with_member("pck_crl", "\"\"")), TEE_OK);
    ck_assert_uint_eq(c.pck_crl.n, 0);
    static const char *const signatures[] = { "\"11\"", "\"" SIG "00\"", "\"" SIG " \"", "\"g\"", "\"\"" };
    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        ck_assert_msg(read_text(&c, with_member("tcb_info_signature", signatures[i])) == E_COLLATERAL, "%s",
                      signatures[i]);
        ck_assert_msg(read_text(&c, with_member("qe_identity_signature", signatures[i])) == E_COLLATERAL, "%s",
                      signatures[i]);
    }
    ck_assert_int_eq(read_text(&c, with_member("qe_identity_signature", "\"" SIG "\"")), TEE_OK);
    ck_assert_int_eq(read_text(&c, with_member("pck_crl", "\"not a list\"")), E_CRL);
    ck_assert_int_eq(read_text(&c, with_member("pck_certificate_chain", "\"ignored\"")), TEE_OK);
    ck_assert_int_eq(read_text(&c, view_str("[]")), E_COLLATERAL);
    ck_assert_int_eq(read_text(&c, view_str("{}")), E_COLLATERAL);
}
END_TEST

START_TEST(a_text_that_is_not_utf8_is_not_written)
{
    collateral_t c = made();
    view_t text = { NULL, 77 };
    c.pck_crl_issuer_chain = view_str("\xff");
    ck_assert_int_eq(collateral_write(&text, &memory, &c), RC_MALFORMED);
    ck_assert_uint_eq(text.n, 77);
}
END_TEST

START_TEST(a_container_has_a_maximum)
{
    collateral_t c = made(), read;
    view_t text;
    ck_assert_int_eq(collateral_write(&text, &memory, &c), RC_OK);
    uint8_t *large = arena_alloc(&memory, COLLATERAL_MAX + 1);
    memset(large, ' ', COLLATERAL_MAX + 1);
    memcpy(large, text.p, text.n);
    ck_assert_int_eq(read_text(&read, view_of(large, COLLATERAL_MAX)), TEE_OK);
    ck_assert_int_eq(read_text(&read, view_of(large, COLLATERAL_MAX + 1)), E_LIMIT);
}
END_TEST

START_TEST(a_full_arena_is_said)
{
    collateral_t c = made(), read;
    err_t fault = { 0 };
    view_t text, none;
    ck_assert_int_eq(collateral_write(&text, &memory, &c), RC_OK);
    unsigned rows = 0;
    bool is_read = false, is_written = false;
    for (size_t limit = 0; !is_read || !is_written; limit += 16, rows++) {
        arena_t small;
        arena_init(&small, limit);
        memset(&read, 0x5a, sizeof read);
        const collateral_t before = read;
        rc_t rc = collateral_read(&read, &fault, &small, text);
        ck_assert_msg(rc == RC_OK || (rc == RC_NOMEM && fault.code == E_NOMEM), "%zu bytes", limit);
        ck_assert(rc == RC_OK || memcmp(&read, &before, sizeof read) == 0);
        ck_assert(!is_read || rc == RC_OK);
        is_read = rc == RC_OK;
        arena_free(&small);
        none = view_of(NULL, 77);
        rc = collateral_write(&none, &small, &c);
        ck_assert_msg(rc == RC_OK || (rc == RC_NOMEM && none.n == 77), "%zu bytes", limit);
        is_written = rc == RC_OK;
        arena_free(&small);
    }
    ck_assert_uint_gt(rows, 30);
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND("collateral", setup, teardown, an_answers_document_is_found_byte_for_byte,
                           every_truncation_of_an_answer_is_refused, an_answer_has_a_maximum,
                           a_container_is_read_as_it_was_written, each_member_is_needed_in_its_form,
                           a_text_that_is_not_utf8_is_not_written, a_container_has_a_maximum, a_full_arena_is_said);
}
