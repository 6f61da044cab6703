/* The client of a PCS or PCCS, against a fake one: which paths it asks, what it takes, what it says when a part is wrong. */
#include <stdio.h>

#include "base/hex.h"
#include "node/evidence/pccs.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/unit.h"

#define CHAIN "-----BEGIN%20CERTIFICATE-----%0AAb+/%3D%0A-----END%20CERTIFICATE-----%0A"
#define SIGNATURE                                                                                                      \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"                                                 \
    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static char asked[5][400]; /* first lines of the requests, by document; the fifth is the root's list at Intel */
static char crl_hex[8192]; /* a genuine list, as a PCCS gives it */
static const char *broken; /* the path whose answer is wrong, and how */
static const char *how;
static char heard[HEARD_MAX + 1];

static void setup(void)
{
    uint8_t der[4096];
    char path[512];
    snprintf(path, sizeof path, "%s/tdx/root_ca_crl.der", getenv("TEST_DATA"));
    FILE *f = fopen(path, "rb");
    ck_assert_ptr_nonnull(f);
    size_t n = fread(der, 1, sizeof der / 2, f);
    fclose(f);
    hex_encode(crl_hex, view_of(der, n));
    broken = how = NULL;
}

static bool answer(int fd, int status, const char *header, const char *body)
{
    char text[16384];
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", status, header, strlen(body), body);
    return say(fd, text);
}

/* Keeps which document was asked for how. */
static void note(const char *request)
{
    static const char *const names[] = { "/tcb?", "/identity", "/pckcrl", "/rootcacrl", "/IntelSGXRootCA.der" };
    for (size_t i = 0; i < 5; i++)
        if (strstr(request, names[i]))
            snprintf(asked[i], sizeof asked[i], "%.*s", (int)strcspn(request, "\r"), request);
}

static bool be_pccs(int fd, const char *request)
{
    note(request);
    static const struct {
        const char *path, *header, *body;
    } rows[] = {
        { "GET /base/tdx/certification/v4/tcb?fmspc=00806f050000 ", "TCB-Info-Issuer-Chain: " CHAIN "\r\n",
          "{\"tcbInfo\":{\"id\":\"a \\\"}{\"},\"signature\":\"" SIGNATURE "\"}" },
        { "GET /base/tdx/certification/v4/qe/identity ", "SGX-Enclave-Identity-Issuer-Chain: " CHAIN "\r\n",
          "{ \"signature\":\"" SIGNATURE "\", \"enclaveIdentity\" : {\"x\":[1]} }" },
        { "GET /base/sgx/certification/v4/pckcrl?encoding=der&ca=platform ", "SGX-PCK-CRL-Issuer-Chain: " CHAIN "\r\n",
          crl_hex },
        { "GET /base/sgx/certification/v4/rootcacrl ", "", crl_hex },
        { "GET /IntelSGXRootCA.der ", "", crl_hex },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strncmp(request, rows[i].path, strlen(rows[i].path)) != 0)
            continue;
        if (!broken || !strstr(rows[i].path, broken))
            return answer(fd, 200, rows[i].header, rows[i].body);
        if (!strcmp(how, "status"))
            return answer(fd, 404, rows[i].header, rows[i].body);
        if (!strcmp(how, "header"))
            return answer(fd, 200, "", rows[i].body);
        if (!strcmp(how, "escape"))
            return answer(fd, 200, "TCB-Info-Issuer-Chain: a%2\r\nSGX-Enclave-Identity-Issuer-Chain: %zz\r\n",
                          rows[i].body);
        return answer(fd, 200, rows[i].header, !strcmp(how, "empty") ? "" : "nonsense");
    }
    return answer(fd, 400, "", "no such path");
}

static rc_t fetch(collateral_t *c, err_t *e, arena_t *a, bool with_root)
{
    fake_t *f = fake_new(be_pccs);
    hc_t *http = hc_new(NULL);
    char base[64], root[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%u/base/", f->port);
    snprintf(root, sizeof root, "http://127.0.0.1:%u/IntelSGXRootCA.der", f->port);
    pccs_request_t r = {
        .http = http, .base = base, .root_crl = with_root ? root : NULL, .fmspc = { 0x00, 0x80, 0x6f, 0x05 }
    };
    rc_t rc = pccs_fetch(c, heard, e, a, &r);
    hc_free(http);
    fake_free(f);
    return rc;
}

START_TEST(four_answers_make_a_collateral)
{
    arena_t a;
    collateral_t c;
    err_t e = { 0 };
    arena_init(&a, 8 << 20);
    ck_assert_msg(fetch(&c, &e, &a, false) == RC_OK, "%s", e.text);
    ck_assert(view_eq(c.tcb_info, view_str("{\"id\":\"a \\\"}{\"}")));
    ck_assert(view_eq(c.qe_identity, view_str("{\"x\":[1]}")));
    ck_assert_uint_eq(c.tcb_info_signature[63], 0xff);
    ck_assert(
        view_eq(c.tcb_info_issuer_chain, view_str("-----BEGIN CERTIFICATE-----\nAb+/=\n-----END CERTIFICATE-----\n")));
    ck_assert_uint_eq(c.root_ca_crl.n, strlen(crl_hex) / 2);
    ck_assert(view_eq(c.root_ca_crl, c.pck_crl));
    arena_free(&a);
}
END_TEST

static rc_t fetch_by(const char *base, bool processor, const uint8_t fmspc[6], err_t *e)
{
    fake_t *f = fake_new(be_pccs);
    hc_t *http = hc_new(NULL);
    arena_t a;
    collateral_t c;
    char url[2000];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", f->port, base);
    pccs_request_t r = { .http = http, .base = url, .processor_ca = processor };
    memcpy(r.fmspc, fmspc, 6);
    memset(asked, 0, sizeof asked);
    arena_init(&a, 8 << 20);
    rc_t rc = pccs_fetch(&c, heard, e, &a, &r);
    arena_free(&a);
    hc_free(http);
    fake_free(f);
    return rc;
}

START_TEST(each_document_is_asked_for_by_its_own_path)
{
    static const uint8_t fmspc[6] = { 0x10, 0x2a, 0x6f, 0x05, 0x00, 0xff };
    static const char *const bases[] = { "/base",
                                         "/base/",
                                         "/base///",
                                         "/base/sgx/certification/v4/",
                                         "/base/sgx/certification/v4",
                                         "/base/tdx/certification/v4/" };
    err_t e;
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++)
        for (unsigned processor = 0; processor < 2; processor++) {
            (void)fetch_by(bases[i], processor, fmspc, &e); /* the fake has no such platform */
            ck_assert_str_eq(asked[0], "GET /base/tdx/certification/v4/tcb?fmspc=102a6f0500ff HTTP/1.1");
            ck_assert_str_eq(asked[1], "GET /base/tdx/certification/v4/qe/identity HTTP/1.1");
            ck_assert_str_eq(asked[2], processor
                                           ? "GET /base/sgx/certification/v4/pckcrl?encoding=der&ca=processor HTTP/1.1"
                                           : "GET /base/sgx/certification/v4/pckcrl?encoding=der&ca=platform HTTP/1.1");
            ck_assert_str_eq(asked[3], "GET /base/sgx/certification/v4/rootcacrl HTTP/1.1");
            ck_assert_str_eq(asked[4], "");
        }
}
END_TEST

START_TEST(a_base_of_1072_characters_is_asked_and_a_longer_one_is_not)
{
    static const uint8_t fmspc[6] = { 0x00, 0x80, 0x6f, 0x05 };
    static const size_t lengths[] = { 1071, 1072, 1073, 1700 };
    const size_t head = strlen("http://127.0.0.1:12345"); /* the kernel gives ports of five digits */
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char base[1800];
        err_t e = { 0 };
        bool fits = lengths[i] <= 1072;
        memset(base, 'b', lengths[i] - head);
        base[0] = '/';
        base[lengths[i] - head] = 0;
        ck_assert_msg(fetch_by(base, false, fmspc, &e) == (fits ? RC_IO : RC_LIMIT), "%zu: %s", lengths[i], e.text);
        ck_assert_msg(strstr(e.text, fits ? "TCB info: HTTP status 400" : "collateral: the URL is too long"), "%zu: %s",
                      lengths[i], e.text);
        for (size_t d = 0; d < 4; d++)
            ck_assert(!asked[d][0] == !fits);
    }
}
END_TEST

START_TEST(a_service_without_the_roots_list_is_helped_out)
{
    arena_t a;
    collateral_t c;
    err_t e = { 0 };
    arena_init(&a, 8 << 20);
    broken = "rootcacrl";
    how = "status";
    ck_assert_msg(fetch(&c, &e, &a, true) == RC_OK, "%s", e.text);
    ck_assert_uint_eq(c.root_ca_crl.n, strlen(crl_hex) / 2);
    ck_assert_int_eq(fetch(&c, &e, &a, false), RC_IO);
    ck_assert_msg(strstr(e.text, "root CRL: HTTP status 404") != NULL, "%s", e.text);
    arena_free(&a);
}
END_TEST

START_TEST(a_wrong_answer_is_an_error_that_names_the_document_alone)
{
    static const struct {
        const char *path, *how, *document;
        rc_t rc;
    } rows[] = {
        { "tcb?", "status", "TCB info: HTTP status 404", RC_IO },
        { "tcb?", "header", "TCB info: the header with the issuer chain is missing", RC_MALFORMED },
        { "tcb?", "escape", "TCB info: the header with the issuer chain is malformed", RC_MALFORMED },
        { "tcb?", "empty", "TCB info: ", RC_MALFORMED },
        { "tcb?", "body", "TCB info: ", RC_MALFORMED },
        { "identity", "status", "QE identity: HTTP status 404", RC_IO },
        { "identity", "escape", "QE identity: the header with the issuer chain is malformed", RC_MALFORMED },
        { "identity", "body", "QE identity: ", RC_MALFORMED },
        { "pckcrl", "status", "PCK CRL: HTTP status 404", RC_IO },
        { "identity", "header", "QE identity: the header with the issuer chain is missing", RC_MALFORMED },
        { "identity", "empty", "QE identity: ", RC_MALFORMED },
        { "pckcrl", "header", "PCK CRL: the header with the issuer chain is missing", RC_MALFORMED },
        { "pckcrl", "empty", "PCK CRL: ", RC_MALFORMED },
        { "rootcacrl", "empty", "root CRL: ", RC_MALFORMED },
        { "pckcrl", "body", "PCK CRL: ", RC_MALFORMED },
        { "rootcacrl", "body", "root CRL: ", RC_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        arena_t a;
        collateral_t c;
        err_t e = { 0 };
        arena_init(&a, 8 << 20);
        broken = rows[i].path;
        how = rows[i].how;
        collateral_t before;
        memset(&c, 0x5a, sizeof c);
        memcpy(&before, &c, sizeof c);
        ck_assert_int_eq(fetch(&c, &e, &a, false), rows[i].rc);
        ck_assert(memcmp(&c, &before, sizeof c) == 0);
        ck_assert_msg(!strncmp(e.text, rows[i].document, strlen(rows[i].document)), "row %zu: %s", i, e.text);
        ck_assert_msg(!strstr(e.text, "127.0.0.1"), "%s", e.text);
        ck_assert_msg(!heard[0] == !strcmp(rows[i].how, "empty") &&
                          (strcmp(rows[i].how, "body") != 0 || !strcmp(heard, "nonsense")),
                      "row %zu: %s", i, heard);
        arena_free(&a);
    }
}
END_TEST

int main(void)
{
    return UNIT_RUN_AROUND(
        "pccs", setup, NULL, four_answers_make_a_collateral, each_document_is_asked_for_by_its_own_path,
        a_base_of_1072_characters_is_asked_and_a_longer_one_is_not, a_service_without_the_roots_list_is_helped_out,
        a_wrong_answer_is_an_error_that_names_the_document_alone);
}
