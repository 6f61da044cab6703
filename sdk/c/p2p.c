#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "p2p.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SOCKET "/run/kettle/p2p.sock"
#define ANSWER_MAX ((size_t)1 << 20) /* bytes, head included */
#define PEERS_MAX 1024u
#define PEER_MAX 253u /* characters */
#define CURSOR_MAX 128u
#define WAIT_S 60u /* the node answers a question for changes after so long without one */
#define ANSWER_S 30u
#define REGISTER_S 600u

static const unsigned PAUSES_S[] = { 1, 2, 4, 8, 15, 30 }; /* after failures in a row */
#define PAUSES (sizeof PAUSES_S / sizeof PAUSES_S[0])

struct p2p {
    char contract[43], mode[10];
    bool checked;  /* that they are the node's */
    int cancel[2]; /* a pipe: readable once it is cancelled */
    char why[256];
};

__attribute__((format(printf, 3, 4))) static p2p_result_t fail(p2p_t *p, p2p_result_t result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(p->why, sizeof p->why, format, args);
    va_end(args);
    return result;
}

static p2p_result_t no_memory(p2p_t *p)
{
    return fail(p, P2P_FAILED, "out of memory");
}

const char *p2p_error(const p2p_t *p)
{
    return p ? p->why : "out of memory";
}

/* ---- bytes to the node and back ---- */

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for what can be done at fd, -1: for the time alone. P2P_OK: it can; P2P_FAILED: the time is over. */
static p2p_result_t wait_for(const p2p_t *p, int fd, short events, int64_t until_ms)
{
    for (;;) {
        struct pollfd fds[2] = { { .fd = p->cancel[0], .events = POLLIN }, { .fd = fd, .events = events } };
        const int64_t left = until_ms - now_ms();
        const int n = poll(fds, 2, left > 0 ? (int)left : 0);
        if (fds[0].revents && n > 0)
            return P2P_CANCELLED;
        if (n > 0)
            return P2P_OK;
        if (n == 0 || errno != EINTR)
            return P2P_FAILED;
    }
}

static p2p_result_t waited(p2p_t *p, p2p_result_t r, const char *path)
{
    return r == P2P_CANCELLED ? fail(p, r, "cancelled") : r ? fail(p, r, "%s: no answer in time", path) : r;
}

/* A connection to the node. */
static p2p_result_t dial(p2p_t *p, int *fd, const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof at.sun_path)
        return fail(p, P2P_FAILED, "%s: too long for a socket", path);
    memcpy(at.sun_path, path, strlen(path) + 1);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0 || connect(*fd, (struct sockaddr *)&at, sizeof at))
        return fail(p, P2P_FAILED, "%s: %s", path, strerror(errno));
    return P2P_OK;
}

static p2p_result_t send_all(p2p_t *p, int fd, const char *path, const char *text, int64_t until_ms)
{
    for (size_t n = strlen(text), at = 0; at < n;) {
        p2p_result_t r = waited(p, wait_for(p, fd, POLLOUT, until_ms), path);
        if (r)
            return r;
        const ssize_t got = send(fd, text + at, n - at, MSG_NOSIGNAL);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return fail(p, P2P_FAILED, "%s: %s", path, strerror(errno));
        at += got > 0 ? (size_t)got : 0;
    }
    return P2P_OK;
}

/* All that comes until the connection is closed; raw has room for one byte more than ANSWER_MAX. */
static p2p_result_t read_all(p2p_t *p, int fd, const char *path, char *raw, size_t *n, int64_t until_ms)
{
    for (*n = 0;;) {
        p2p_result_t r = waited(p, wait_for(p, fd, POLLIN, until_ms), path);
        if (r)
            return r;
        const ssize_t got = recv(fd, raw + *n, ANSWER_MAX + 1 - *n, 0);
        if (got == 0)
            return P2P_OK;
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return fail(p, P2P_FAILED, "%s: %s", path, strerror(errno));
        *n += got > 0 ? (size_t)got : 0;
        if (*n > ANSWER_MAX)
            return fail(p, P2P_FAILED, "an answer of more than %zu bytes", ANSWER_MAX);
    }
}

/* The one length that a head names, -1: none, or not one. */
static long length_of(const char *head, const char *end)
{
    static const char name[] = "content-length:";
    long length = -1;
    for (const char *line = strstr(head, "\r\n"); line && line < end; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, sizeof name - 1) != 0)
            continue;
        const char *digits = line + sizeof name - 1;
        digits += strspn(digits, " \t");
        const size_t n = strspn(digits, "0123456789"), blank = strspn(digits + n, " \t");
        if (length >= 0 || !n || n > 7 || strncmp(digits + n + blank, "\r\n", 2) != 0)
            return -1;
        length = strtol(digits, NULL, 10);
    }
    return length;
}

/* Status and body of a whole HTTP/1.1 answer, whose n bytes a zero follows. */
static p2p_result_t split(p2p_t *p, int *status, const char **body, size_t *body_n, const char *raw, size_t n)
{
    const char *end = memmem(raw, n, "\r\n\r\n", 4);
    if (!end || memchr(raw, 0, (size_t)(end - raw)))
        return fail(p, P2P_FAILED, "an answer that is no HTTP with a length");
    const bool is_line = (!strncmp(raw, "HTTP/1.1 ", 9) || !strncmp(raw, "HTTP/1.0 ", 9)) &&
                         strspn(raw + 9, "0123456789") == 3 && (raw[12] == ' ' || raw[12] == '\r');
    const long length = is_line ? length_of(raw, end + 2) : -1;
    if (length < 0)
        return fail(p, P2P_FAILED, "an answer that is no HTTP with a length");
    *status = (int)strtol(raw + 9, NULL, 10);
    *body = end + 4;
    *body_n = n - (size_t)(*body - raw);
    if ((size_t)length != *body_n)
        return fail(p, P2P_FAILED, "an answer that ends early or late: %zu bytes of %ld", *body_n, length);
    return P2P_OK;
}

/* ---- one question ---- */

static const char *text_of(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

/* The object of an answer with status 200; owned. */
static p2p_result_t parse(p2p_t *p, json_t **out, const char *raw, size_t n)
{
    int status = 0;
    const char *body = NULL;
    size_t body_n = 0;
    json_error_t why;
    p2p_result_t r = split(p, &status, &body, &body_n, raw, n);
    if (r)
        return r;
    json_t *answer = json_loadb(body, body_n, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(answer)) {
        r = fail(p, P2P_FAILED, "status %d with a body that is no object", status);
    } else if (status != 200) {
        const char *detail = text_of(answer, "detail"), *title = text_of(answer, "title");
        r = fail(p, P2P_FAILED, "%.200s (status %d)", detail ? detail : title ? title : "refused", status);
    }
    if (r)
        json_decref(answer);
    else
        *out = answer;
    return r;
}

static p2p_result_t exchange(p2p_t *p, json_t **out, const char *path, const char *question, unsigned limit_s)
{
    const int64_t until_ms = now_ms() + (int64_t)limit_s * 1000;
    char *raw = malloc(ANSWER_MAX + 2);
    size_t n = 0;
    int fd = -1;
    p2p_result_t r = raw ? dial(p, &fd, path) : no_memory(p);
    if (!r)
        r = send_all(p, fd, path, question, until_ms);
    if (!r)
        r = read_all(p, fd, path, raw, &n, until_ms);
    if (!r) {
        raw[n] = 0;
        r = parse(p, out, raw, n);
    }
    if (fd >= 0)
        close(fd);
    free(raw);
    return r;
}

static p2p_result_t ask(p2p_t *p, json_t **out, const char *method, const char *target, unsigned limit_s)
{
    const char *path = getenv("KETTLE_P2P_SOCKET");
    char question[512];
    snprintf(question, sizeof question,
             "%s %s HTTP/1.1\r\nHost: kettle\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", method, target);
    return exchange(p, out, path && path[0] ? path : SOCKET, question, limit_s);
}

/* Whether contract and mode are the node's. */
static p2p_result_t check(p2p_t *p)
{
    json_t *status = NULL;
    if (p->checked)
        return P2P_OK;
    p2p_result_t r = ask(p, &status, "GET", "/v1/p2p/status", ANSWER_S);
    if (r)
        return r;
    const char *contract = text_of(status, "contract"), *mode = text_of(status, "mode");
    if (!contract || !mode)
        r = fail(p, P2P_FAILED, "the node does not say which contract it follows");
    else if (strcasecmp(contract, p->contract) != 0 || strcmp(mode, p->mode) != 0)
        r = fail(p, P2P_OTHER, "the node follows %.42s in mode %.10s, not %s in mode %s", contract, mode, p->contract,
                 p->mode);
    json_decref(status);
    p->checked = !r;
    return r;
}

/* Behind a question that fails another node may answer on the socket: the next call asks whether it is ours. */
static p2p_result_t known(p2p_t *p, p2p_result_t r)
{
    p->checked = p->checked && r == P2P_OK;
    return r;
}

/* ---- lists ---- */

static bool is_made_of(const json_t *text, size_t max, bool (*good)(char c))
{
    const size_t n = json_string_length(text);
    for (size_t i = 0; i < n; i++)
        if (!good(json_string_value(text)[i]))
            return false;
    return json_is_string(text) && n > 0 && n <= max;
}

static bool is_printable(char c)
{
    return c >= '!' && c <= '~';
}

static bool is_of_cursor(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

void p2p_peers_free(p2p_peers_t *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        free(peers->at[i]);
    free(peers->at);
    *peers = (p2p_peers_t){ .at = NULL };
}

static p2p_result_t copy_peers(p2p_t *p, p2p_peers_t *out, const json_t *list)
{
    const size_t count = json_array_size(list);
    p2p_peers_t peers = { .at = calloc(count + 1, sizeof *peers.at) };
    p2p_result_t r = peers.at ? P2P_OK : no_memory(p);
    for (size_t i = 0; !r && i < count; i++) {
        const json_t *peer = json_array_get(list, i);
        if (!is_made_of(peer, PEER_MAX, is_printable))
            r = fail(p, P2P_FAILED, "a peer in the node's list is none");
        else if (!(peers.at[i] = strdup(json_string_value(peer))))
            r = no_memory(p);
        else
            peers.count = i + 1;
    }
    if (r)
        p2p_peers_free(&peers);
    else
        *out = peers;
    return r;
}

/* A list and the place behind it; with a place ("" none): when another list is there, or after WAIT_S. */
static p2p_result_t ask_peers(p2p_t *p, p2p_peers_t *out, char cursor[CURSOR_MAX + 1])
{
    char target[64 + CURSOR_MAX] = "/v1/p2p/peers";
    json_t *answer = NULL;
    if (cursor[0])
        snprintf(target, sizeof target, "/v1/p2p/peers?after=%s&wait_s=%u", cursor, WAIT_S);
    p2p_result_t r = ask(p, &answer, "GET", target, cursor[0] ? WAIT_S + ANSWER_S : ANSWER_S);
    if (r)
        return r;
    const json_t *list = json_object_get(answer, "peers"), *place = json_object_get(answer, "cursor");
    if (!json_is_array(list) || json_array_size(list) > PEERS_MAX)
        r = fail(p, P2P_FAILED, "the node's list of peers is none");
    else if (!is_made_of(place, CURSOR_MAX, is_of_cursor))
        r = fail(p, P2P_FAILED, "the node's list of peers has no place");
    else
        r = copy_peers(p, out, list);
    if (!r)
        snprintf(cursor, CURSOR_MAX + 1, "%s", json_string_value(place));
    json_decref(answer);
    return r;
}

static bool are_equal(const p2p_peers_t *a, const p2p_peers_t *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++)
        if (strcmp(a->at[i], b->at[i]) != 0)
            return false;
    return a->count == b->count;
}

/* ---- the calls ---- */

static bool is_contract(const char *text)
{
    return text && strlen(text) == 42 && !strncmp(text, "0x", 2) && strspn(text + 2, "0123456789abcdefABCDEF") == 40;
}

p2p_result_t p2p_open(p2p_t **out, const char *contract, const char *mode)
{
    p2p_t *p = *out = calloc(1, sizeof *p);
    if (!p)
        return P2P_FAILED;
    p->cancel[0] = p->cancel[1] = -1;
    if (!is_contract(contract))
        return fail(p, P2P_OTHER, "the contract is no address");
    if (!mode || (strcmp(mode, "tls") != 0 && strcmp(mode, "wireguard") != 0))
        return fail(p, P2P_OTHER, "the mode must be tls or wireguard");
    if (pipe2(p->cancel, O_CLOEXEC | O_NONBLOCK))
        return fail(p, P2P_FAILED, "%s", strerror(errno));
    memcpy(p->contract, contract, sizeof p->contract);
    snprintf(p->mode, sizeof p->mode, "%s", mode);
    return P2P_OK;
}

p2p_result_t p2p_register(p2p_t *p)
{
    json_t *answer = NULL;
    p2p_result_t r = check(p);
    if (!r)
        r = known(p, ask(p, &answer, "POST", "/v1/p2p/register", REGISTER_S));
    if (r)
        return r;
    if (!json_is_true(json_object_get(answer, "registered")))
        r = fail(p, P2P_FAILED, "the node does not say that it registered");
    json_decref(answer);
    return r;
}

p2p_result_t p2p_get_peers(p2p_t *p, p2p_peers_t *out)
{
    char cursor[CURSOR_MAX + 1] = "";
    const p2p_result_t r = check(p);
    return r ? r : known(p, ask_peers(p, out, cursor));
}

p2p_result_t p2p_monitor_peers(p2p_t *p, void (*changed)(void *ctx, const p2p_peers_t *peers), void *ctx)
{
    char cursor[CURSOR_MAX + 1] = "";
    p2p_peers_t last = { .at = NULL }, now = { .at = NULL };
    bool has_last = false;
    p2p_result_t r = check(p);
    const bool begun = r == P2P_OK;
    for (size_t failures = 0; begun && (r == P2P_OK || r == P2P_FAILED);) {
        r = check(p);
        if (!r)
            r = known(p, ask_peers(p, &now, cursor));
        if (r == P2P_FAILED) {
            cursor[0] = 0;
            const unsigned pause_s = PAUSES_S[failures < PAUSES ? failures : PAUSES - 1];
            if (wait_for(p, -1, 0, now_ms() + (int64_t)pause_s * 1000) == P2P_CANCELLED)
                r = fail(p, P2P_CANCELLED, "cancelled");
            failures++;
        } else if (!r && has_last && are_equal(&last, &now)) {
            failures = 0;
            p2p_peers_free(&now);
        } else if (!r) {
            failures = 0;
            p2p_peers_free(&last);
            last = now;
            has_last = true;
            changed(ctx, &last);
        }
    }
    p2p_peers_free(&last);
    return r;
}

void p2p_cancel(p2p_t *p)
{
    const int saved = errno;
    const ssize_t ignored = write(p->cancel[1], "", 1);
    (void)ignored;
    errno = saved;
}

void p2p_close(p2p_t *p)
{
    if (!p)
        return;
    for (int i = 0; i < 2; i++)
        if (p->cancel[i] >= 0)
            close(p->cancel[i]);
    free(p);
}
