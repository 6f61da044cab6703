#include "http/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/crypto/secret.h"
#include "base/os/clock.h"
#include "base/os/file.h"
#include "http/failure.h"
#include "http/url.h"

#define HEADERS_MAX (64u << 10) /* bytes of all header lines of one answer, 1xx answers included */
#define NO_TRUST "the file of trusted certificates cannot be read"
#define BODY_MAX_DEFAULT (16u << 20)
#define RETRY_AFTER_MAX_S 60
#define CONNECTIONS_PER_HOST 200L
#define CONNECTIONS_KEPT 256L
#define UNPACK_LEN 16384u

/* ---- one request ---- */

static int on_connected(void *ctx, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    transfer_t *t = ctx;
    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    t->progress_ms = clock_monotonic_ms();
    return CURL_PREREQFUNC_OK;
}

/* A socket for an address that a name has led to, unless the request may not go there. */
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *at)
{
    transfer_t *t = ctx;
    (void)purpose;
    if (reach_allows(t->request->reach, &at->addr))
        return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
    t->walled = true;
    return CURL_SOCKET_BAD;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    transfer_t *t = ctx;
    (void)down_total;
    (void)up_total;
    if (t->progress_ms && (down != t->seen_down || up != t->seen_up))
        t->progress_ms = clock_monotonic_ms();
    t->seen_down = down;
    t->seen_up = up;
    return 0;
}

static bool stop(transfer_t *t, rc_t why, const char *what)
{
    t->why = why;
    t->what = what;
    return false;
}

/* Frees the body's buffer. */
static void drop_body(hc_response_t *r, bool secret)
{
    if (secret && r->body)
        secret_wipe(r->body, r->body_len);
    free(r->body);
    r->body = NULL;
}

/* Copies printable ASCII of a header value; a value that does not fit is left empty, never cut. */
static void copy_token(char *out, size_t cap, const char *p, size_t n)
{
    while (n && (*p == ' ' || *p == '\t')) {
        p++;
        n--;
    }
    while (n && (p[n - 1] == ' ' || p[n - 1] == '\t' || p[n - 1] == '\r' || p[n - 1] == '\n'))
        n--;
    out[0] = 0;
    if (n >= cap)
        return;
    for (size_t i = 0; i < n; i++)
        if (p[i] < 0x20 || p[i] > 0x7e)
            return;
    memcpy(out, p, n);
    out[n] = 0;
}

/* True when the line is the header called name ("Name:"); then its value is copied to out. */
static bool header_is(char *out, size_t cap, const char *name, const char *line, size_t n)
{
    size_t name_len = strlen(name);
    if (n < name_len || strncasecmp(line, name, name_len) != 0)
        return false;
    copy_token(out, cap, line + name_len, n - name_len);
    return true;
}

/* Keeps the header that was asked for. False: no memory. */
static bool keep_header(transfer_t *t, const char *line, size_t n)
{
    size_t name_len = t->request->want_header ? strlen(t->request->want_header) : 0;
    if (!name_len || n < name_len || strncasecmp(line, t->request->want_header, name_len) != 0)
        return true;
    free(t->out->header);
    t->out->header = malloc(n + 1);
    if (!t->out->header)
        return false;
    return header_is(t->out->header, n + 1, t->request->want_header, line, n);
}

/* The Date header, if it is one. */
static void keep_date(hc_response_t *out, const char *line, size_t n)
{
    char text[64];
    if (!header_is(text, sizeof text, "Date:", line, n))
        return;
    const time_t at = curl_getdate(text, NULL);
    out->date_s = at > 0 ? at : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    char coding[16];
    transfer_t *t = ctx;
    (void)size; /* always 1 */
    if (t->progress_ms)
        t->progress_ms = clock_monotonic_ms();
    t->header_bytes += n;
    if (t->header_bytes > HEADERS_MAX) {
        (void)stop(t, RC_LIMIT, "the answer's headers are too large");
        return 0;
    }
    if (n >= 5 && memcmp(p, "HTTP/", 5) == 0) { /* also the final answer after a 1xx one: start again */
        t->out->consensus_version[0] = 0;
        t->out->date_s = 0;
        free(t->out->header);
        t->out->header = NULL;
        t->head_done = t->packed = false;
    } else if (p[0] == '\r' || p[0] == '\n') {
        t->head_done = true;
    }
    (void)header_is(t->out->consensus_version, sizeof t->out->consensus_version, "Eth-Consensus-Version:", p, n);
    keep_date(t->out, p, n);
    if (!keep_header(t, p, n)) {
        (void)stop(t, RC_NOMEM, "out of memory");
        return 0;
    }
    if (header_is(coding, sizeof coding, "Content-Encoding:", p, n) && strcasecmp(coding, "identity") != 0) {
        const bool gzip = strcasecmp(coding, "gzip") == 0 || strcasecmp(coding, "x-gzip") == 0; /* RFC 9110, 8.4.1.3 */
        if (!gzip || t->request->secret || t->packed || t->head_done) {
            t->misread = true;
            (void)stop(t, RC_MALFORMED, "the answer has a content coding that was not asked for");
            return 0;
        }
        t->packed = true;
    }
    return n;
}

/* A larger buffer for the body; of a secret one nothing stays behind. */
static uint8_t *grown_body(const transfer_t *t, size_t cap)
{
    hc_response_t *r = t->out;
    if (!t->request->secret)
        return realloc(r->body, cap);
    uint8_t *grown = malloc(cap);
    if (!grown)
        return NULL;
    if (r->body_len)
        memcpy(grown, r->body, r->body_len);
    drop_body(r, true);
    return grown;
}

static bool append(transfer_t *t, const void *p, size_t n)
{
    hc_response_t *r = t->out;
    if (n > t->body_max - r->body_len)
        return stop(t, RC_LIMIT, "the answer is larger than allowed");
    if (n > t->body_cap - r->body_len) {
        size_t cap = t->body_cap ? t->body_cap : 4096;
        while (cap - r->body_len < n)
            cap *= 2;
        uint8_t *grown = grown_body(t, cap);
        if (!grown)
            return stop(t, RC_NOMEM, "out of memory");
        r->body = grown;
        t->body_cap = cap;
    }
    if (n)
        memcpy(r->body + r->body_len, p, n);
    r->body_len += n;
    return true;
}

/* Unpacks the next piece of a body that is one gzip member; its end and checksum have to come. */
static bool unpack(transfer_t *t, char *p, size_t n)
{
    uint8_t out[UNPACK_LEN];
    z_stream *z = &t->unpack;
    int got;
    if (!t->unpacking && inflateInit2(z, 16 + MAX_WBITS) != Z_OK)
        return stop(t, RC_NOMEM, "out of memory");
    t->unpacking = true;
    z->next_in = (Bytef *)p;
    z->avail_in = (uInt)n; /* at most CURL_MAX_WRITE_SIZE */
    do {
        z->next_out = out;
        z->avail_out = sizeof out;
        got = t->unpacked ? Z_DATA_ERROR : inflate(z, Z_NO_FLUSH);
        if (got == Z_MEM_ERROR)
            return stop(t, RC_NOMEM, "out of memory");
        t->misread = (got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR) || (got == Z_STREAM_END && z->avail_in);
        if (t->misread)
            return stop(t, RC_MALFORMED, "the answer's gzip coding is not valid");
        if (!append(t, out, sizeof out - z->avail_out))
            return false;
        t->unpacked = got == Z_STREAM_END;
    } while (got == Z_OK && z->avail_out == 0);
    return true;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    transfer_t *t = ctx;
    (void)size; /* always 1 */
    if (t->progress_ms)
        t->progress_ms = clock_monotonic_ms();
    const bool taken = t->packed ? unpack(t, p, n) : append(t, p, n);
    if (t->request->secret)
        secret_wipe(p, n); /* libcurl's own buffer, which it reads over next */
    return taken ? n : 0;
}

static rc_t rc_of(CURLcode code, const transfer_t *t)
{
    if (t->why)
        return t->why;
    switch (code) {
    case CURLE_OK: return RC_OK;
    case CURLE_OPERATION_TIMEDOUT: return RC_TIMEOUT;
    case CURLE_FILESIZE_EXCEEDED: return RC_LIMIT;
    case CURLE_OUT_OF_MEMORY: return RC_NOMEM;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* an answer without a status line */
    case CURLE_URL_MALFORMAT: return RC_MALFORMED;
    default: return RC_IO;
    }
}

/* What curl lets pass, and what it says in a way of its own. */
static void judge(transfer_t *t, CURLcode code)
{
    if (t->why)
        return;
    if (code == CURLE_COULDNT_CONNECT && t->walled)
        (void)stop(t, RC_REFUSED, "its address may not be asked: it is of this machine or of an inner network");
    else if (code == CURLE_OK && !t->head_done)
        (void)stop(t, RC_IO, "the answer breaks off in its headers");
    else if (code == CURLE_OK && (t->out->status < 100 || t->out->status > 599))
        (void)stop(t, RC_MALFORMED, "the answer's status is out of range");
    else if (code == CURLE_OK && t->unpacking && !t->unpacked)
        (void)stop(t, RC_IO, "the answer breaks off in its gzip coding");
    else if (code == CURLE_OUT_OF_MEMORY && t->progress_ms && !t->head_done) /* so it calls a line of over 100 KB */
        (void)stop(t, RC_LIMIT, "the answer's headers are too large");
}

void transfer_refuse(hc_response_t *r, const hc_request_t *q, rc_t rc, const char *what)
{
    (void)err_say(&r->why, rc, what);
    drop_body(r, q->secret); /* what came of it is of no use */
    r->body_len = 0;
}

static bool header_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static CURLcode limits_of(CURL *e, const lane_t *l, const transfer_t *t, const hc_request_t *q)
{
    CURLcode bad = CURLE_OK;
    bad |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(q->connect_timeout_ms ? q->connect_timeout_ms : 5000));
    bad |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(q->timeout_ms ? q->timeout_ms : 15000));
    /* compressed bytes; a little more than the cap, because incompressible content grows when packed */
    bad |= curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(t->body_max + 4096));
    bad |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    if (q->unix_socket || !atomic_load(&l->proxy_env))
        bad |= curl_easy_setopt(e, CURLOPT_PROXY, ""); /* none from the environment either */
    bad |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* a hanging name server must not hold up the timeout */
    bad |= curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    bad |= curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    return bad;
}

static CURLcode tls_of(CURL *e, const lane_t *l, const hc_request_t *q)
{
    CURLcode bad = CURLE_OK;
    bad |= curl_easy_setopt(e, CURLOPT_CAPATH, NULL); /* the directory would be parsed whole for each connection */
    bad |= curl_easy_setopt(e, CURLOPT_CAINFO, q->ca_file ? q->ca_file : l->ca_file);
    bad |= curl_easy_setopt(e, CURLOPT_CERTINFO, 1L); /* to say what is wrong with one, or to hand it out */
    bad |= curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* with TLS the handshake tells soon whether a connection can carry more; without, only the first answer would. What
     * is posted waits for neither: batches of one round go out at the same time, also to who speaks HTTP/1.1 */
    bad |= curl_easy_setopt(e, CURLOPT_PIPEWAIT, !q->post.p && strncasecmp(q->url, "https:", 6) == 0 ? 1L : 0L);
    if (q->any_peer) { /* on a connection of its own, for one that is reused shows no certificate */
        bad |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
        bad |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
        bad |= curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
        bad |= curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
        bad |= curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    }
    return bad;
}

/* Where it may go. No connection that others made is used, and others use none of its. */
static CURLcode reach_of(CURL *e, transfer_t *t)
{
    CURLcode bad = CURLE_OK;
    if (t->request->reach == REACH_ALL)
        return bad;
    bad |= curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    bad |= curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
    bad |= curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
    return bad;
}

/* The request's own header lines. False: no memory. */
static bool put_headers(transfer_t *t)
{
    const hc_request_t *q = t->request;
    char accept[128];
    snprintf(accept, sizeof accept, "Accept: %s", q->accept ? q->accept : "application/json");
    return header_add(&t->headers, accept) &&
           header_add(&t->headers, t->plain ? "Accept-Encoding: identity" : "Accept-Encoding: gzip") &&
           (!q->post.p ||
            (header_add(&t->headers, "Content-Type: application/json") && header_add(&t->headers, "Expect:")));
}

/* Fills the job's handle. RC_NOMEM is the only thing that can go wrong with a checked URL. */
static rc_t prepare(transfer_t *t, const lane_t *l)
{
    const hc_request_t *q = t->request;
    CURL *e = t->easy;
    CURLcode bad = CURLE_OK;
    if (!put_headers(t))
        return RC_NOMEM;
    if (q->post.p) {
        bad |= curl_easy_setopt(e, CURLOPT_POST, 1L);
        bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->post.p);
        bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->post.n);
    }
    bad |= curl_easy_setopt(e, CURLOPT_URL, t->url ? t->url : q->url);
    if (q->unix_socket)
        bad |= curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, q->unix_socket);
    bad |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
    bad |= curl_easy_setopt(e, CURLOPT_USERAGENT, "kettle/" KETTLE_VERSION);
    bad |= curl_easy_setopt(e, CURLOPT_SHARE, l->share);
    bad |= curl_easy_setopt(e, CURLOPT_PRIVATE, t);
    bad |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->said);
    bad |= curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    bad |= curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
    bad |= curl_easy_setopt(e, CURLOPT_XFERINFODATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected);
    bad |= curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    bad |= curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    bad |= curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
    bad |= limits_of(e, l, t, q);
    bad |= tls_of(e, l, q);
    bad |= reach_of(e, t);
    return bad ? RC_NOMEM : RC_OK;
}

/* Whether a request goes where it was led before: that a redirect of its own may lead there is seen each time. */
static bool goes_direct(const hc_request_t *q)
{
    return q->led && q->post.p && !q->any_peer && !q->unix_socket && hc_url_may_follow(q->url, q->led);
}

/* Whether the file of trusted certificates can be read, if that place needs one: a pipe would stop all. */
static bool has_trust(const hc_request_t *q, const char *url)
{
    return !q->ca_file || strncasecmp(url, "https:", 6) != 0 || file_is_regular(q->ca_file);
}

void transfer_start(transfer_t *t, lane_t *l, void *owner, hc_response_t *out, const hc_request_t *q)
{
    rc_t rc = RC_NOMEM;
    memset(out, 0, sizeof *out);
    t->request = q;
    t->owner = owner;
    t->out = out;
    t->started_ms = clock_monotonic_ms();
    t->body_max = q->body_max ? q->body_max : BODY_MAX_DEFAULT;
    t->stall_ms = q->stall_timeout_ms ? q->stall_timeout_ms : 5000;
    t->ended = true;
    if (hc_url_check(q->url) != RC_OK) {
        transfer_refuse(out, q, RC_MALFORMED, "not an http or https URL");
        return;
    }
    t->lasting = true;
    t->plain = q->secret || q->plain;
    t->url = goes_direct(q) ? strdup(q->led) : NULL;
    t->direct = t->url != NULL;
    if (!has_trust(q, t->url ? t->url : q->url)) {
        transfer_refuse(out, q, RC_IO, NO_TRUST);
        return;
    }
    t->easy = l->spare_count ? l->spare[--l->spare_count] : curl_easy_init();
    if (t->easy)
        rc = prepare(t, l);
    if (rc == RC_OK && curl_multi_add_handle(l->multi, t->easy) != CURLM_OK)
        rc = RC_NOMEM;
    t->ended = rc != RC_OK;
    if (rc)
        transfer_refuse(out, q, rc, "out of memory");
}

/* The first certificate that the server showed. */
static void take_peer(transfer_t *t)
{
    static const char name[] = "Cert:";
    struct curl_certinfo *certs = NULL;
    if (!t->request->any_peer || curl_easy_getinfo(t->easy, CURLINFO_CERTINFO, &certs) != CURLE_OK || !certs ||
        certs->num_of_certs < 1)
        return;
    for (const struct curl_slist *s = certs->certinfo[0]; s && !t->out->peer; s = s->next)
        if (!strncmp(s->data, name, sizeof name - 1))
            t->out->peer = strdup(s->data + sizeof name - 1);
}

/* Reads what curl knows of a complete answer. */
static void take_facts(transfer_t *t)
{
    hc_response_t *r = t->out;
    long status = 0;
    char *type = NULL;
    curl_off_t retry_s = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &type);
    (void)curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_s);
    r->status = (int)status;
    take_peer(t);
    if (type)
        copy_token(r->content_type, sizeof r->content_type, type, strlen(type));
    if (retry_s > RETRY_AFTER_MAX_S)
        retry_s = RETRY_AFTER_MAX_S;
    r->retry_after_ms = retry_s > 0 ? (uint32_t)retry_s * 1000 : 0;
}

/* A body grew by doubling: what it has no use for is given back, unless the body is secret, of which a move would leave
 * a copy. */
static void fit_body(transfer_t *t)
{
    hc_response_t *r = t->out;
    uint8_t *fitting = r->body_len && !t->request->secret ? realloc(r->body, r->body_len) : NULL;
    if (fitting)
        r->body = fitting;
}

/* Keeps where the redirects led, or tells that the place where they did is of no use. */
static void note_place(transfer_t *t, rc_t rc)
{
    const bool good = !rc && t->out->status / 100 == 2;
    t->out->led_failed |= t->direct && !good;
    if (!good || t->direct || !t->hops || !t->request->post.p)
        return;
    t->out->led = t->url;
    t->out->led_for_good = t->lasting;
    t->url = NULL;
}

static void finish(transfer_t *t, lane_t *l, CURLcode code)
{
    t->ended = true;
    take_facts(t);
    judge(t, code);
    rc_t rc = rc_of(code, t);
    if (!rc)
        fit_body(t);
    else
        transfer_refuse(t->out, t->request, rc,
                        t->what ? t->what : failure_text(t->easy, code, t->said, t->progress_ms != 0));
    note_place(t, rc);
    t->out->elapsed_ms = (uint32_t)(clock_monotonic_ms() - t->started_ms);
    (void)curl_multi_remove_handle(l->multi, t->easy);
}

void transfer_stop(transfer_t *t, lane_t *l, const char *what)
{
    (void)stop(t, RC_TIMEOUT, what);
    finish(t, l, CURLE_OPERATION_TIMEDOUT);
}

bool transfer_stalled(transfer_t *t, lane_t *l, uint64_t now_ms)
{
    if (!t->progress_ms || now_ms <= t->progress_ms || now_ms - t->progress_ms <= t->stall_ms)
        return false;
    transfer_stop(t, l, "stalled: no byte for too long");
    return true;
}

/* ---- redirects ---- */

/* Where a complete answer points to, from malloc, if it is to be followed. NULL: it is not; if it points anywhere, that
 * is told. */
static char *next_url(transfer_t *t, long status)
{
    char *to = NULL;
    const hc_request_t *q = t->request;
    if (status < 300 || status > 399 || curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &to) != CURLE_OK || !to)
        return NULL;
    const bool goes = !q->any_peer && !q->unix_socket &&
                      hc_url_follows(t->url ? t->url : q->url, to, status, q->post.p != NULL, t->hops);
    if (!goes)
        hc_url_origin(t->out->moved, sizeof t->out->moved, to);
    t->hops += goes;
    t->lasting &= status == 308;
    return goes ? strdup(to) : NULL;
}

/* Where a transfer that curl has ended goes on, from malloc. NULL: nowhere. */
static char *next_place(transfer_t *t, CURLcode code)
{
    long status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (t->why || (code != CURLE_OK && !t->direct))
        return NULL;
    if (!t->direct)
        return next_url(t, status);
    if (code == CURLE_OK && (status / 100 == 2 || status == 429 || status == 503))
        return NULL;
    t->direct = false;
    t->out->led_failed = true;
    return strdup(t->request->url);
}

/* Begins the same request at another place, within the time of the first. False: it has ended. */
static bool follow(transfer_t *t, lane_t *l, char *take_url)
{
    const uint64_t took = clock_monotonic_ms() - t->started_ms;
    const uint32_t most = t->request->timeout_ms ? t->request->timeout_ms : 15000;
    (void)curl_multi_remove_handle(l->multi, t->easy);
    free(t->url);
    t->url = take_url;
    if (took >= most)
        return false;
    free(t->out->header);
    t->out->header = NULL;
    drop_body(t->out, t->request->secret);
    t->out->body_len = 0;
    if (t->unpacking)
        (void)inflateEnd(&t->unpack);
    memset(&t->unpack, 0, sizeof t->unpack);
    t->body_cap = t->header_bytes = 0;
    t->seen_down = t->seen_up = 0;
    t->progress_ms = 0;
    t->said[0] = '\0';
    t->packed = t->unpacking = t->unpacked = t->head_done = t->walled = t->misread = false;
    return !curl_easy_setopt(t->easy, CURLOPT_URL, t->url) &&
           !curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, (long)(most - took)) &&
           curl_multi_add_handle(l->multi, t->easy) == CURLM_OK;
}

/* Asks the same place again, for no content coding, and tells that; why it is of no use is then forgotten. */
static char *same_place(transfer_t *t)
{
    curl_slist_free_all(t->headers);
    t->headers = NULL;
    t->plain = true;
    if (!put_headers(t) || curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers))
        return NULL;
    t->out->misread = true;
    t->why = RC_OK;
    t->what = NULL;
    return strdup(t->url ? t->url : t->request->url);
}

/* Whether a transfer that curl has ended goes on, at another place or in a simpler form. */
static bool goes_on(transfer_t *t, lane_t *l, CURLcode code)
{
    const bool misread = t->misread || (code == CURLE_OK && t->unpacking && !t->unpacked);
    char *url = misread && !t->plain ? same_place(t) : next_place(t, code);
    if (!url)
        return false;
    if (!has_trust(t->request, url)) {
        free(url);
        (void)stop(t, RC_IO, NO_TRUST);
        return false;
    }
    if (follow(t, l, url))
        return true;
    (void)stop(t, RC_TIMEOUT, "timed out before the answer was complete");
    return false;
}

transfer_t *transfer_reap(lane_t *l)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(l->multi, &left))) {
        CURLcode code = m->data.result;
        char *p = NULL;
        if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p) != CURLE_OK)
            continue;
        transfer_t *t = (transfer_t *)(void *)p;
        if (goes_on(t, l, code))
            continue;
        finish(t, l, code);
        return t;
    }
    return NULL;
}

void transfer_clear(transfer_t *t, lane_t *l)
{
    curl_slist_free_all(t->headers);
    free(t->url);
    if (t->unpacking)
        (void)inflateEnd(&t->unpack);
    if (!t->easy)
        return;
    if (l->spare_count < EASY_KEPT_MAX) {
        curl_easy_reset(t->easy);
        l->spare[l->spare_count++] = t->easy;
    } else {
        curl_easy_cleanup(t->easy);
    }
}

/* ---- where transfers run ---- */

bool lane_open(lane_t *l, const char *ca_file)
{
    *l = (lane_t){ .multi = curl_multi_init(), .share = curl_share_init(), .ca_file = ca_file };
    return l->multi && l->share && !curl_share_setopt(l->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) &&
           !curl_multi_setopt(l->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_HOST) &&
           !curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
}

void lane_close(lane_t *l)
{
    for (size_t i = 0; i < l->spare_count; i++)
        curl_easy_cleanup(l->spare[i]);
    curl_multi_cleanup(l->multi);
    curl_share_cleanup(l->share);
}
