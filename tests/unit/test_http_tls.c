/* Certificates that the HTTP client takes, and those that it refuses. */
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <sys/stat.h>

#include "base/os/clock.h"
#include "tests/unit/fake_server.h"
#include "tests/unit/http_ask.h"
#include "tests/unit/unit.h"

typedef struct {
    char cert[4096], key[4096]; /* PEM, NUL-terminated */
    char ca_path[64];           /* the same certificate in a file; removed by tls_close */
    struct MHD_Daemon *daemon;
    uint16_t port;
    atomic_uint connections;
} tls_t;

static enum MHD_Result tls_answer(void *ctx, struct MHD_Connection *conn, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_len, void **request_ctx)
{
    static char body[] = "{}";
    static int seen;
    (void)ctx, (void)url, (void)method, (void)version, (void)upload, (void)upload_len;
    if (!*request_ctx) {
        *request_ctx = &seen;
        return MHD_YES;
    }
    struct MHD_Response *r = MHD_create_response_from_buffer(2, body, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued = MHD_queue_response(conn, 200, r);
    MHD_destroy_response(r);
    return queued;
}

static void tls_connection(void *ctx, struct MHD_Connection *conn, void **socket_ctx,
                           enum MHD_ConnectionNotificationCode code)
{
    (void)conn, (void)socket_ctx;
    ((tls_t *)ctx)->connections += code == MHD_CONNECTION_NOTIFY_STARTED ? 1u : 0u;
}

/* A self-signed certificate for one address, valid from a minute ago for valid_s seconds. */
static void tls_certify(tls_t *t, const uint8_t ip[4], time_t valid_s)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    size_t cert_len = sizeof t->cert - 1, key_len = sizeof t->key - 1;
    gnutls_x509_privkey_init(&key);
    gnutls_x509_crt_init(&crt);
    ck_assert_int_eq(
        gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\x01", 1);
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) - 60 + valid_s);
    gnutls_x509_crt_set_dn(crt, "CN=test", NULL);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_set_ca_status(crt, 1);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, ip, 4, GNUTLS_FSAN_SET);
    ck_assert_int_eq(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
    ck_assert_int_eq(gnutls_x509_crt_export(crt, GNUTLS_X509_FMT_PEM, t->cert, &cert_len), 0);
    ck_assert_int_eq(gnutls_x509_privkey_export(key, GNUTLS_X509_FMT_PEM, t->key, &key_len), 0);
    t->cert[cert_len] = t->key[key_len] = 0;
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

static void tls_open(tls_t *t, const uint8_t ip[4], time_t valid_s)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    *t = (tls_t){ .ca_path = "/tmp/kettle-test-ca-XXXXXX" };
    tls_certify(t, ip, valid_s);
    int fd = mkstemp(t->ca_path);
    ck_assert_int_eq(write(fd, t->cert, strlen(t->cert)), (ssize_t)strlen(t->cert));
    close(fd);
    t->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS, 0, NULL, NULL, tls_answer, NULL,
                         MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_HTTPS_MEM_CERT, t->cert, MHD_OPTION_HTTPS_MEM_KEY,
                         t->key, MHD_OPTION_NOTIFY_CONNECTION, tls_connection, t, MHD_OPTION_END);
    ck_assert_ptr_nonnull(t->daemon);
    t->port = MHD_get_daemon_info(t->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void tls_close(tls_t *t)
{
    MHD_stop_daemon(t->daemon);
    unlink(t->ca_path);
}

static const uint8_t loopback[4] = { 127, 0, 0, 1 }, elsewhere[4] = { 127, 0, 0, 2 };

/* says: part of the reason when it fails. */
static rc_t tls_ask(const char *ca, uint16_t port, unsigned times, const char *says)
{
    hc_t *c = hc_new(ca);
    char url[64];
    rc_t rc = RC_OK;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
    for (unsigned i = 0; i < times && rc == RC_OK; i++) {
        hc_response_t r = ask(c, port, (hc_request_t){ .url = url });
        rc = r.why.rc;
        ck_assert_msg(rc == RC_OK || strstr(r.why.text, says), "%s", r.why.text);
        hc_response_clear(&r);
    }
    hc_free(c);
    return rc;
}

START_TEST(tls_needs_a_certificate_from_the_ca_file_for_this_host_and_time)
{
    tls_t good, other_host, expired;
    char url[64];
    tls_open(&good, loopback, 3600);
    tls_open(&other_host, elsewhere, 3600);
    tls_open(&expired, loopback, 30);
    ck_assert_int_eq(tls_ask(good.ca_path, good.port, 10, ""), RC_OK);
    ck_assert_uint_eq(good.connections, 1); /* kept */
    hc_t *c = hc_new(other_host.ca_path);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", good.port);
    for (unsigned i = 0; i < 4; i++) { /* of a request, in place of the client's; what that opened is not another's */
        hc_response_t r = ask(c, 1, (hc_request_t){ .url = url, .ca_file = i % 2 ? NULL : good.ca_path });
        ck_assert_int_eq(r.why.rc, i % 2 ? RC_IO : RC_OK);
        hc_response_clear(&r);
    }
    hc_free(c);
    ck_assert_int_eq(tls_ask(other_host.ca_path, good.port, 1, "certificate is self-signed"), RC_IO);
    ck_assert_int_eq(tls_ask(NULL, good.port, 1, "certificate is self-signed"), RC_IO); /* the system's issuers */
    ck_assert_int_eq(tls_ask(other_host.ca_path, other_host.port, 1, "certificate is of another name"), RC_IO);
    ck_assert_int_eq(tls_ask(expired.ca_path, expired.port, 1, "certificate has expired"), RC_IO);
    ck_assert_int_eq(tls_ask(NULL, expired.port, 1, "certificate has expired"), RC_IO);
    tls_close(&good);
    tls_close(&other_host);
    tls_close(&expired);
}
END_TEST

static uint16_t moved_to;

static bool move(int fd, const char *request)
{
    char head[160];
    (void)request;
    snprintf(head, sizeof head, "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:%u/\r\nContent-Length: 0\r\n\r\n",
             moved_to);
    return say(fd, head);
}

/* A plain place that leads to one with TLS: what is trusted there is the request's, and a pipe in place of a file holds
 * nobody up. */
START_TEST(a_redirect_from_a_plain_place_trusts_no_more_than_the_request)
{
    tls_t good, other;
    char url[64], pipe_path[] = "/tmp/kettle-test-fifo-XXXXXX";
    close(mkstemp(pipe_path));
    unlink(pipe_path);
    ck_assert_int_eq(mkfifo(pipe_path, 0600), 0);
    tls_open(&good, loopback, 3600);
    tls_open(&other, elsewhere, 3600);
    moved_to = good.port;
    fake_t *plain = fake_new(move);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", plain->port);
    const struct {
        const char *ca_file, *says;
    } rows[] = {
        { good.ca_path, NULL },
        { other.ca_path, "self-signed" },
        { NULL, "self-signed" },
        { pipe_path, "file of trusted certificates cannot be read" },
        { "/nowhere/ca.pem", "file of trusted certificates cannot be read" },
    };
    hc_t *c = hc_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint64_t began = clock_monotonic_ms();
        hc_response_t r = ask(c, 1, (hc_request_t){ .url = url, .ca_file = rows[i].ca_file, .timeout_ms = 20000 });
        ck_assert_msg(!r.why.rc == !rows[i].says && (!rows[i].says || strstr(r.why.text, rows[i].says)), "%zu: %s", i,
                      r.why.text);
        ck_assert_uint_lt(clock_monotonic_ms() - began, 15000);
        hc_response_clear(&r);
    }
    hc_free(c);
    fake_free(plain);
    unlink(pipe_path);
    tls_close(&good);
    tls_close(&other);
}
END_TEST

/* A server that greets in plain text whoever connects. */
static void *greet(void *listening)
{
    int fd = accept(*(int *)listening, NULL, NULL);
    (void)say(fd, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    pause_ms(100);
    close(fd);
    return NULL;
}

static uint16_t greeter(int *listening, pthread_t *thread)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    *listening = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(*listening, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(*listening, 1), 0);
    getsockname(*listening, (struct sockaddr *)&at, &len);
    pthread_create(thread, NULL, greet, listening);
    return ntohs(at.sin_port);
}

/* What one request fails for. */
static void expect_why(const char *url, const char *why)
{
    hc_t *c = hc_new(NULL);
    hc_response_t r = ask(c, 1, (hc_request_t){ .url = url, .connect_timeout_ms = 1500 });
    ck_assert_int_ne(r.why.rc, RC_OK);
    ck_assert_msg(strstr(r.why.text, why) != NULL, "%s: %s", url, r.why.text);
    hc_response_clear(&r);
    hc_free(c);
}

START_TEST(name_connection_and_scheme_that_are_wrong_are_told_apart)
{
    tls_t t;
    char url[64];
    int listening;
    pthread_t thread;
    tls_open(&t, loopback, 3600);
    fake_t *plain = fake_new(be_honest);
    expect_why("https://no-such-host.invalid/", "DNS has no address of the host");
    expect_why("http://127.0.0.1:1/", "nothing listens there: connection refused");
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", plain->port);
    expect_why(url, "timed out in the TLS handshake: is it a port for http?");
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", greeter(&listening, &thread));
    expect_why(url, "no TLS on this port: is it one for http?");
    pthread_join(thread, NULL);
    close(listening);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", t.port);
    expect_why(url, "the "); /* whatever the server's TLS library makes of it */
    tls_close(&t);
    fake_free(plain);
}
END_TEST

START_TEST(any_peer_takes_any_certificate_shows_it_and_vouches_for_no_other_request)
{
    tls_t t;
    tls_open(&t, elsewhere, 30); /* unknown issuer, another host, expired */
    hc_t *c = hc_new(NULL);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", t.port);
    for (unsigned i = 0; i < 2; i++) {
        hc_response_t r = ask(c, t.port, (hc_request_t){ .url = url, .any_peer = true });
        ck_assert_int_eq(r.why.rc, RC_OK);
        ck_assert_ptr_nonnull(r.peer);
        ck_assert_int_eq(strncmp(r.peer, t.cert, strlen("-----BEGIN CERTIFICATE-----")), 0);
        gnutls_x509_crt_t crt[2];
        const gnutls_datum_t pem[2] = { { (unsigned char *)r.peer, (unsigned)strlen(r.peer) },
                                        { (unsigned char *)t.cert, (unsigned)strlen(t.cert) } };
        for (unsigned k = 0; k < 2; k++) {
            gnutls_x509_crt_init(&crt[k]);
            ck_assert_int_eq(gnutls_x509_crt_import(crt[k], &pem[k], GNUTLS_X509_FMT_PEM), 0);
        }
        ck_assert(gnutls_x509_crt_equals(crt[0], crt[1]));
        gnutls_x509_crt_deinit(crt[0]);
        gnutls_x509_crt_deinit(crt[1]);
        hc_response_clear(&r);
        ck_assert_ptr_null(r.peer);
        r = ask(c, t.port, (hc_request_t){ .url = url }); /* by the same client, right behind it */
        ck_assert_int_eq(r.why.rc, RC_IO);
        ck_assert_ptr_null(r.peer);
        hc_response_clear(&r);
    }
    ck_assert_uint_eq(t.connections, 4); /* none is used again */
    hc_free(c);
    tls_close(&t);
}
END_TEST

int main(void)
{
    return UNIT_RUN("http_tls", tls_needs_a_certificate_from_the_ca_file_for_this_host_and_time,
                    a_redirect_from_a_plain_place_trusts_no_more_than_the_request,
                    name_connection_and_scheme_that_are_wrong_are_told_apart,
                    any_peer_takes_any_certificate_shows_it_and_vouches_for_no_other_request);
}
