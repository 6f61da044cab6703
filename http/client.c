#include "http/client.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define URL_MAX 4096u
#define HEADERS_MAX (64u << 10) /* bytes of all header lines of one answer, 1xx answers included */
#define BODY_MAX_DEFAULT (16u << 20)
#define RETRY_AFTER_MAX_S 60
#define LANES_IDLE_MAX 16u /* lanes kept with their connections; more are made for the moment and dropped */
#define EASY_KEPT_MAX 32u  /* handles kept per lane */
#define CONNECTIONS_PER_HOST 16L
#define CONNECTIONS_KEPT 32L
#define UNPACK_LEN 16384u
#define POLL_MS 50

/* One thread's workplace for the time of a hc_perform: a multi handle with its connections, and spare easy handles. */
typedef struct lane {
    struct lane *next;
    CURLM *multi;
    CURL *spare[EASY_KEPT_MAX];
    size_t spare_count;
} lane_t;

struct hc {
    char *ca_file; /* NULL: none found, then every https request fails */
    CURLSH *share; /* DNS and TLS sessions of all lanes */
    pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
    pthread_mutex_t lock; /* idle, idle_count */
    lane_t *idle;         /* most recently used first: its connections are the likeliest to be alive */
    size_t idle_count;
};

/* One request on its way. */
typedef struct {
    CURL *easy;
    struct curl_slist *headers;
    const char *want_header; /* of the request */
    hc_response_t *out;
    size_t body_cap, body_max, header_bytes;
    curl_off_t seen_down, seen_up;
    uint64_t progress_ms; /* last byte in either direction; 0: not connected yet */
    uint64_t started_ms;
    uint32_t stall_ms;
    rc_t why;         /* set by a callback that ends the transfer, */
    const char *what; /* with its sentence */
    z_stream unpack; /* of a body in gzip: here and not in curl, which takes a stream that breaks off for a whole one */
    bool packed, unpacking, unpacked;
    bool head_done; /* the empty line after the final answer's headers has come */
    bool ended;
} job_t;

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_start(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + 1;
}

/* ---- URLs ---- */

static bool scheme_known(const char *s)
{
    return strcasecmp(s, "http") == 0 || strcasecmp(s, "https") == 0;
}

rc_t hc_url_check(const char *url)
{
    rc_t rc = RC_MALFORMED;
    char *scheme = NULL, *host = NULL;
    CURLU *u;
    if (!url || strnlen(url, URL_MAX + 1) > URL_MAX)
        return RC_MALFORMED;
    u = curl_url();
    if (!u)
        return RC_NOMEM;
    if (!curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) &&
        !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) && !curl_url_get(u, CURLUPART_HOST, &host, 0) &&
        scheme_known(scheme) && host[0])
        rc = RC_OK;
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(u);
    return rc;
}

void hc_url_origin(char *out, size_t cap, const char *url)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *u = NULL;
    if (!cap)
        return;
    if (hc_url_check(url) == RC_OK)
        u = curl_url();
    if (u && !curl_url_set(u, CURLUPART_URL, url, 0) && !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
        !curl_url_get(u, CURLUPART_HOST, &host, 0) && !curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
        snprintf(out, cap, "%s://%s:%s", scheme, host, port);
    else
        snprintf(out, cap, "invalid URL");
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
}

/* ---- the pool ---- */

static void share_lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *ctx)
{
    (void)easy;
    (void)access;
    pthread_mutex_lock(&((hc_t *)ctx)->share_locks[data]);
}

static void share_unlock(CURL *easy, curl_lock_data data, void *ctx)
{
    (void)easy;
    pthread_mutex_unlock(&((hc_t *)ctx)->share_locks[data]);
}

static const char *ca_find(const char *given)
{
    static const char *const usual[] = { "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                         "/etc/ssl/cert.pem" };
    if (given)
        return given;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (access(usual[i], R_OK) == 0)
            return usual[i];
    return NULL;
}

hc_t *hc_new(const char *ca_file)
{
    const char *ca = ca_find(ca_file);
    hc_t *c;
    if (ca_file && access(ca_file, R_OK) != 0)
        return NULL;
    pthread_once(&curl_once, curl_start);
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&c->share_locks[i], NULL);
    pthread_mutex_init(&c->lock, NULL);
    c->ca_file = ca ? strdup(ca) : NULL;
    c->share = curl_share_init();
    if (!c->share || (ca && !c->ca_file) || curl_share_setopt(c->share, CURLSHOPT_LOCKFUNC, share_lock) ||
        curl_share_setopt(c->share, CURLSHOPT_UNLOCKFUNC, share_unlock) ||
        curl_share_setopt(c->share, CURLSHOPT_USERDATA, c) ||
        curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) ||
        curl_share_setopt(c->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION)) {
        hc_free(c);
        return NULL;
    }
    return c;
}

static void lane_free(lane_t *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->spare_count; i++)
        curl_easy_cleanup(l->spare[i]);
    curl_multi_cleanup(l->multi);
    free(l);
}

void hc_free(hc_t *c)
{
    if (!c)
        return;
    while (c->idle) {
        lane_t *l = c->idle;
        c->idle = l->next;
        lane_free(l);
    }
    curl_share_cleanup(c->share);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_destroy(&c->share_locks[i]);
    pthread_mutex_destroy(&c->lock);
    free(c->ca_file);
    free(c);
}

static lane_t *lane_take(hc_t *c)
{
    lane_t *l;
    pthread_mutex_lock(&c->lock);
    l = c->idle;
    if (l) {
        c->idle = l->next;
        c->idle_count--;
    }
    pthread_mutex_unlock(&c->lock);
    if (l)
        return l;
    l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->multi = curl_multi_init();
    if (!l->multi || curl_multi_setopt(l->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_HOST) ||
        curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT)) {
        lane_free(l);
        return NULL;
    }
    return l;
}

static void lane_give(hc_t *c, lane_t *l)
{
    pthread_mutex_lock(&c->lock);
    if (c->idle_count < LANES_IDLE_MAX) {
        l->next = c->idle;
        c->idle = l;
        c->idle_count++;
        l = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    lane_free(l);
}

/* ---- one request ---- */

static int on_connected(void *ctx, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    job_t *j = ctx;
    (void)remote_ip;
    (void)local_ip;
    (void)remote_port;
    (void)local_port;
    j->progress_ms = clock_ms();
    return CURL_PREREQFUNC_OK;
}

static int on_progress(void *ctx, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    job_t *j = ctx;
    (void)down_total;
    (void)up_total;
    if (j->progress_ms && (down != j->seen_down || up != j->seen_up))
        j->progress_ms = clock_ms();
    j->seen_down = down;
    j->seen_up = up;
    return 0;
}

static bool stop(job_t *j, rc_t why, const char *what)
{
    j->why = why;
    j->what = what;
    return false;
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
static bool keep_header(job_t *j, const char *line, size_t n)
{
    size_t name_len = j->want_header ? strlen(j->want_header) : 0;
    if (!name_len || n < name_len || strncasecmp(line, j->want_header, name_len) != 0)
        return true;
    free(j->out->header);
    j->out->header = malloc(n + 1);
    if (!j->out->header)
        return false;
    return header_is(j->out->header, n + 1, j->want_header, line, n);
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    char coding[16];
    job_t *j = ctx;
    (void)size; /* always 1 */
    if (j->progress_ms)
        j->progress_ms = clock_ms();
    j->header_bytes += n;
    if (j->header_bytes > HEADERS_MAX) {
        (void)stop(j, RC_LIMIT, "the answer's headers are too large");
        return 0;
    }
    if (n >= 5 && memcmp(p, "HTTP/", 5) == 0) { /* also the final answer after a 1xx one: start again */
        j->out->consensus_version[0] = 0;
        free(j->out->header);
        j->out->header = NULL;
        j->head_done = j->packed = false;
    } else if (p[0] == '\r' || p[0] == '\n') {
        j->head_done = true;
    }
    (void)header_is(j->out->consensus_version, sizeof j->out->consensus_version, "Eth-Consensus-Version:", p, n);
    if (!keep_header(j, p, n)) {
        (void)stop(j, RC_NOMEM, "out of memory");
        return 0;
    }
    if (header_is(coding, sizeof coding, "Content-Encoding:", p, n) && strcasecmp(coding, "identity") != 0) {
        if (strcasecmp(coding, "gzip") != 0 || j->packed || j->head_done) {
            (void)stop(j, RC_MALFORMED, "the answer has a content coding that was not asked for");
            return 0;
        }
        j->packed = true;
    }
    return n;
}

static bool append(job_t *j, const void *p, size_t n)
{
    hc_response_t *r = j->out;
    if (n > j->body_max - r->body_len)
        return stop(j, RC_LIMIT, "the answer is larger than allowed");
    if (n > j->body_cap - r->body_len) {
        size_t cap = j->body_cap ? j->body_cap : 4096;
        while (cap - r->body_len < n)
            cap *= 2;
        uint8_t *grown = realloc(r->body, cap);
        if (!grown)
            return stop(j, RC_NOMEM, "out of memory");
        r->body = grown;
        j->body_cap = cap;
    }
    if (n)
        memcpy(r->body + r->body_len, p, n);
    r->body_len += n;
    return true;
}

/* Unpacks the next piece of a body that is one gzip member; its end and checksum have to come. */
static bool unpack(job_t *j, char *p, size_t n)
{
    uint8_t out[UNPACK_LEN];
    z_stream *z = &j->unpack;
    int got;
    if (!j->unpacking && inflateInit2(z, 16 + MAX_WBITS) != Z_OK)
        return stop(j, RC_NOMEM, "out of memory");
    j->unpacking = true;
    z->next_in = (Bytef *)p;
    z->avail_in = (uInt)n; /* at most CURL_MAX_WRITE_SIZE */
    do {
        z->next_out = out;
        z->avail_out = sizeof out;
        got = j->unpacked ? Z_DATA_ERROR : inflate(z, Z_NO_FLUSH);
        if (got == Z_MEM_ERROR)
            return stop(j, RC_NOMEM, "out of memory");
        if ((got != Z_OK && got != Z_STREAM_END && got != Z_BUF_ERROR) || (got == Z_STREAM_END && z->avail_in))
            return stop(j, RC_MALFORMED, "the answer's gzip coding is not valid");
        if (!append(j, out, sizeof out - z->avail_out))
            return false;
        j->unpacked = got == Z_STREAM_END;
    } while (got == Z_OK && z->avail_out == 0);
    return true;
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    job_t *j = ctx;
    (void)size; /* always 1 */
    if (j->progress_ms)
        j->progress_ms = clock_ms();
    return (j->packed ? unpack(j, p, n) : append(j, p, n)) ? n : 0;
}

static rc_t rc_of(CURLcode code, const job_t *j)
{
    if (j->why)
        return j->why;
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
static void judge(job_t *j, CURLcode code)
{
    if (j->why)
        return;
    if (code == CURLE_OK && !j->head_done)
        (void)stop(j, RC_IO, "the answer breaks off in its headers");
    else if (code == CURLE_OK && (j->out->status < 100 || j->out->status > 599))
        (void)stop(j, RC_MALFORMED, "the answer's status is out of range");
    else if (code == CURLE_OK && j->unpacking && !j->unpacked)
        (void)stop(j, RC_IO, "the answer breaks off in its gzip coding");
    else if (code == CURLE_OUT_OF_MEMORY && j->progress_ms && !j->head_done) /* so it calls a line of over 100 KB */
        (void)stop(j, RC_LIMIT, "the answer's headers are too large");
}

static void fail(const job_t *j, const hc_request_t *q, rc_t rc, const char *what)
{
    char origin[80];
    hc_response_t *r = j->out;
    hc_url_origin(origin, sizeof origin, q->url);
    r->rc = rc;
    snprintf(r->error, sizeof r->error, "%s: %s", origin, what);
    free(r->body); /* what came of the body is of no use */
    r->body = NULL;
    r->body_len = 0;
}

/* curl's own text per code: it names neither path nor credentials, unlike what a server might make it say. */
static const char *sentence(CURLcode code, const job_t *j)
{
    if (j->what)
        return j->what;
    switch (code) {
    case CURLE_FILESIZE_EXCEEDED: return "the answer is larger than allowed";
    case CURLE_OUT_OF_MEMORY: return "out of memory";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY: return "the answer is not HTTP";
    case CURLE_OPERATION_TIMEDOUT:
        return j->progress_ms ? "timed out before the answer was complete" : "timed out while connecting";
    default: return curl_easy_strerror(code);
    }
}

static bool header_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static CURLcode job_limits(CURL *e, job_t *j, const hc_request_t *q)
{
    CURLcode bad = CURLE_OK;
    bad |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(q->connect_timeout_ms ? q->connect_timeout_ms : 5000));
    bad |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(q->timeout_ms ? q->timeout_ms : 15000));
    /* compressed bytes; a little more than the cap, because incompressible content grows when packed */
    bad |= curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)(j->body_max + 4096));
    bad |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    bad |= curl_easy_setopt(e, CURLOPT_PROXY, ""); /* none from the environment either */
    bad |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* a hanging name server must not hold up the timeout */
    bad |= curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    bad |= curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    return bad;
}

static CURLcode job_tls(CURL *e, const hc_t *c, const hc_request_t *q)
{
    CURLcode bad = CURLE_OK;
    bad |= curl_easy_setopt(e, CURLOPT_CAPATH, NULL); /* the directory would be parsed whole for each connection */
    bad |= curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file);
    bad |= curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    bad |= curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    if (q->any_peer) { /* on a connection of its own, for one that is reused shows no certificate */
        bad |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 0L);
        bad |= curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 0L);
        bad |= curl_easy_setopt(e, CURLOPT_CERTINFO, 1L);
        bad |= curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
        bad |= curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
        bad |= curl_easy_setopt(e, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    }
    return bad;
}

/* Fills the job's handle. RC_NOMEM is the only thing that can go wrong with a checked URL. */
static rc_t job_prepare(job_t *j, hc_t *c, const hc_request_t *q)
{
    CURL *e = j->easy;
    char accept[128];
    CURLcode bad = CURLE_OK;
    snprintf(accept, sizeof accept, "Accept: %s", q->accept ? q->accept : "application/json");
    if (!header_add(&j->headers, accept) || !header_add(&j->headers, "Accept-Encoding: gzip"))
        return RC_NOMEM;
    if (q->post.p) {
        if (!header_add(&j->headers, "Content-Type: application/json") || !header_add(&j->headers, "Expect:"))
            return RC_NOMEM;
        bad |= curl_easy_setopt(e, CURLOPT_POST, 1L);
        bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDS, q->post.p);
        bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->post.n);
    }
    bad |= curl_easy_setopt(e, CURLOPT_URL, q->url);
    if (q->unix_socket)
        bad |= curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, q->unix_socket);
    bad |= curl_easy_setopt(e, CURLOPT_HTTPHEADER, j->headers);
    bad |= curl_easy_setopt(e, CURLOPT_USERAGENT, "kettle/" KETTLE_VERSION);
    bad |= curl_easy_setopt(e, CURLOPT_SHARE, c->share);
    bad |= curl_easy_setopt(e, CURLOPT_PRIVATE, j);
    bad |= curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    bad |= curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
    bad |= curl_easy_setopt(e, CURLOPT_XFERINFODATA, j);
    bad |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected);
    bad |= curl_easy_setopt(e, CURLOPT_PREREQDATA, j);
    bad |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    bad |= curl_easy_setopt(e, CURLOPT_HEADERDATA, j);
    bad |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    bad |= curl_easy_setopt(e, CURLOPT_WRITEDATA, j);
    bad |= job_limits(e, j, q);
    bad |= job_tls(e, c, q);
    return bad ? RC_NOMEM : RC_OK;
}

static void job_start(job_t *j, hc_t *c, lane_t *l, hc_response_t *out, const hc_request_t *q)
{
    rc_t rc = RC_NOMEM;
    memset(out, 0, sizeof *out);
    j->out = out;
    j->started_ms = clock_ms();
    j->want_header = q->want_header;
    j->body_max = q->body_max ? q->body_max : BODY_MAX_DEFAULT;
    j->stall_ms = q->stall_timeout_ms ? q->stall_timeout_ms : 5000;
    j->ended = true;
    if (hc_url_check(q->url) != RC_OK) {
        fail(j, q, RC_MALFORMED, "not an http or https URL");
        return;
    }
    j->easy = l->spare_count ? l->spare[--l->spare_count] : curl_easy_init();
    if (j->easy)
        rc = job_prepare(j, c, q);
    if (rc == RC_OK && curl_multi_add_handle(l->multi, j->easy) != CURLM_OK)
        rc = RC_NOMEM;
    j->ended = rc != RC_OK;
    if (rc)
        fail(j, q, rc, "out of memory");
}

/* The first certificate that the server showed. */
static void job_peer(job_t *j)
{
    static const char name[] = "Cert:";
    struct curl_certinfo *certs = NULL;
    if (curl_easy_getinfo(j->easy, CURLINFO_CERTINFO, &certs) != CURLE_OK || !certs || certs->num_of_certs < 1)
        return;
    for (const struct curl_slist *s = certs->certinfo[0]; s && !j->out->peer; s = s->next)
        if (!strncmp(s->data, name, sizeof name - 1))
            j->out->peer = strdup(s->data + sizeof name - 1);
}

/* Reads what curl knows of a complete answer. */
static void job_finish(job_t *j)
{
    hc_response_t *r = j->out;
    long status = 0;
    char *type = NULL;
    curl_off_t retry_s = 0;
    (void)curl_easy_getinfo(j->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(j->easy, CURLINFO_CONTENT_TYPE, &type);
    (void)curl_easy_getinfo(j->easy, CURLINFO_RETRY_AFTER, &retry_s);
    r->status = (int)status;
    job_peer(j);
    if (type)
        copy_token(r->content_type, sizeof r->content_type, type, strlen(type));
    if (retry_s > RETRY_AFTER_MAX_S)
        retry_s = RETRY_AFTER_MAX_S;
    r->retry_after_ms = retry_s > 0 ? (uint32_t)retry_s * 1000 : 0;
}

static void job_end(job_t *j, lane_t *l, const hc_request_t *q, CURLcode code)
{
    rc_t rc;
    j->ended = true;
    job_finish(j);
    judge(j, code);
    rc = rc_of(code, j);
    if (rc)
        fail(j, q, rc, sentence(code, j));
    j->out->elapsed_ms = (uint32_t)(clock_ms() - j->started_ms);
    (void)curl_multi_remove_handle(l->multi, j->easy);
}

static void job_clear(job_t *j, lane_t *l)
{
    curl_slist_free_all(j->headers);
    if (j->unpacking)
        (void)inflateEnd(&j->unpack);
    if (!j->easy)
        return;
    if (l->spare_count < EASY_KEPT_MAX) {
        curl_easy_reset(j->easy);
        l->spare[l->spare_count++] = j->easy;
    } else {
        curl_easy_cleanup(j->easy);
    }
}

/* Ends the transfers that curl reports as done. */
static void reap(lane_t *l, job_t *jobs, const hc_request_t *requests)
{
    CURLMsg *m;
    int left;
    while ((m = curl_multi_info_read(l->multi, &left))) {
        CURLcode code = m->data.result;
        char *p = NULL;
        if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p) != CURLE_OK)
            continue;
        job_t *j = (job_t *)(void *)p;
        job_end(j, l, &requests[j - jobs], code);
    }
}

/* Ends what has stalled, or everything when asked to; returns how many are still on their way. */
static size_t prune(lane_t *l, job_t *jobs, const hc_request_t *requests, size_t n, const char *all)
{
    uint64_t now = clock_ms();
    size_t active = 0;
    for (size_t i = 0; i < n; i++) {
        job_t *j = &jobs[i];
        if (j->ended)
            continue;
        if (all)
            (void)stop(j, RC_TIMEOUT, all);
        else if (j->progress_ms && now > j->progress_ms && now - j->progress_ms > j->stall_ms)
            (void)stop(j, RC_TIMEOUT, "stalled: no byte for too long");
        if (j->why)
            job_end(j, l, &requests[i], CURLE_OPERATION_TIMEDOUT);
        else
            active++;
    }
    return active;
}

void hc_perform(hc_t *c, hc_response_t *out, const hc_request_t *requests, size_t n, bool (*cancel)(void *ctx),
                void *cancel_ctx)
{
    lane_t *l = n ? lane_take(c) : NULL;
    job_t *jobs = l ? calloc(n, sizeof *jobs) : NULL;
    size_t active = n;
    if (!jobs) {
        for (size_t i = 0; i < n; i++) {
            memset(&out[i], 0, sizeof out[i]);
            fail(&(job_t){ .out = &out[i] }, &requests[i], RC_NOMEM, "out of memory");
        }
        lane_free(l);
        return;
    }
    for (size_t i = 0; i < n; i++)
        job_start(&jobs[i], c, l, &out[i], &requests[i]);
    while (active) {
        int running = 0;
        CURLMcode bad = curl_multi_perform(l->multi, &running);
        reap(l, jobs, requests);
        if (bad)
            active = prune(l, jobs, requests, n, "the HTTP client failed");
        else if (cancel && cancel(cancel_ctx))
            active = prune(l, jobs, requests, n, "cancelled");
        else
            active = prune(l, jobs, requests, n, NULL);
        if (active)
            (void)curl_multi_poll(l->multi, NULL, 0, POLL_MS, NULL);
    }
    for (size_t i = 0; i < n; i++)
        job_clear(&jobs[i], l);
    free(jobs);
    lane_give(c, l);
}

void hc_response_clear(hc_response_t *r)
{
    free(r->header);
    r->header = NULL;
    free(r->peer);
    r->peer = NULL;
    free(r->body);
    r->body = NULL;
    r->body_len = 0;
}
