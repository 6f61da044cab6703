/* tls_client.h - a TLS client by hand that takes any certificate and shows it, and short-lived identities of servers. */
#ifndef TESTS_TLS_CLIENT_H
#define TESTS_TLS_CLIENT_H

#include <arpa/inet.h>
#include <check.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "tests/unit/sockets.h"

typedef struct {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
} tls_client_t;

static inline int tls_tcp(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons(port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 10 };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* Shakes hands on a connection, which is taken over; priorities NULL: GnuTLS's own. False: refused. */
static inline bool tls_shake(tls_client_t *c, int take_fd, const char *priorities)
{
    int e;
    c->fd = take_fd;
    gnutls_init(&c->session, GNUTLS_CLIENT);
    gnutls_certificate_allocate_credentials(&c->credentials);
    gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->credentials);
    ck_assert_int_eq(gnutls_priority_set_direct(c->session, priorities ? priorities : "NORMAL", NULL), 0);
    gnutls_transport_set_int(c->session, c->fd);
    do
        e = gnutls_handshake(c->session);
    while (e < 0 && !gnutls_error_is_fatal(e));
    return e >= 0;
}

static inline bool tls_dial(tls_client_t *c, uint16_t port, const char *priorities)
{
    return tls_shake(c, tls_tcp(port), priorities);
}

static inline void tls_hang_up(tls_client_t *c)
{
    close(c->fd);
    gnutls_deinit(c->session);
    gnutls_certificate_free_credentials(c->credentials);
}

/* The server's certificate, DER, as long as the session lives. */
static inline view_t tls_peer(const tls_client_t *c)
{
    unsigned n = 0;
    const gnutls_datum_t *certs = gnutls_certificate_get_peers(c->session, &n);
    ck_assert_uint_eq(n, 1);
    return view_of(certs[0].data, certs[0].size);
}

/* Sends a request and reads its answer whole; the status, or 0 when the connection ended first. body may be NULL. */
static inline int tls_ask(tls_client_t *c, const char *request, size_t *body_len)
{
    size_t cap = 16u << 20, n = 0, want = 0;
    char *text = malloc(cap), *end = NULL;
    int status = 0;
    ck_assert_int_eq(gnutls_record_send(c->session, request, strlen(request)), (ssize_t)strlen(request));
    while (!want || n < want) {
        ssize_t got = gnutls_record_recv(c->session, text + n, cap - 1 - n);
        if (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
        text[n] = '\0';
        if (!want && (end = strstr(text, "\r\n\r\n"))) {
            const char *length = strcasestr(text, "\r\nContent-Length:");
            want = (size_t)(end - text) + 4 + (length ? strtoul(length + 17, NULL, 10) : 0);
        }
    }
    if (want && n >= want) {
        ck_assert_int_eq(sscanf(text, "HTTP/1.1 %d", &status), 1);
        if (body_len)
            *body_len = n - (size_t)(end - text) - 4;
    }
    free(text);
    return status;
}

/* A key and a certificate of its own, DER, for so many seconds; each to be freed. */
static inline void tls_pair(view_t *cert, view_t *key, time_t valid_s)
{
    static const uint8_t loopback[4] = { 127, 0, 0, 1 };
    gnutls_x509_privkey_t k;
    gnutls_x509_crt_t crt;
    gnutls_datum_t d;
    gnutls_x509_privkey_init(&k);
    gnutls_x509_crt_init(&crt);
    ck_assert_int_eq(
        gnutls_x509_privkey_generate(k, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\x01", 1);
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) + valid_s);
    gnutls_x509_crt_set_dn(crt, "CN=test", NULL);
    gnutls_x509_crt_set_key(crt, k);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, loopback, 4, GNUTLS_FSAN_SET);
    ck_assert_int_eq(gnutls_x509_crt_sign2(crt, crt, k, GNUTLS_DIG_SHA256, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_DER, &d), 0);
    *cert = view_of(d.data, d.size);
    ck_assert_int_eq(gnutls_x509_privkey_export2(k, GNUTLS_X509_FMT_DER, &d), 0);
    *key = view_of(d.data, d.size);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(k);
}

/* Writes a certificate as PEM into a new file, whose path, of a template for mkstemp, is the caller's to remove. */
static inline void tls_write_pem(char *path, view_t cert)
{
    const gnutls_datum_t der = { (unsigned char *)(uintptr_t)cert.p, (unsigned)cert.n };
    gnutls_datum_t pem;
    ck_assert_int_eq(gnutls_pem_base64_encode2("CERTIFICATE", &der, &pem), 0);
    int fd = mkstemp(path);
    ck_assert_int_eq(write(fd, pem.data, pem.size), (ssize_t)pem.size);
    close(fd);
    gnutls_free(pem.data);
}

#endif
