/* Answers that go on: bytes come when they are there, a connection that waits costs no thread, whoever has left is let go,
 * and the server's end ends all. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/stream.h"
#include "tests/unit/http_hand.h"
#include "tests/unit/unit.h"

/* A source that has what a test puts there. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char room[1 << 16];
static size_t put_n, end_at;
static atomic_uint closed, opened;

typedef struct {
    size_t at;
} reader_t;

static hs_stream_t *streams[64];

static size_t on_read(void *ctx, char *out, size_t cap)
{
    reader_t *r = ctx;
    pthread_mutex_lock(&lock);
    size_t n = put_n - r->at < cap ? put_n - r->at : cap;
    memcpy(out, room + r->at, n);
    r->at += n;
    if (!n && end_at && r->at >= end_at)
        n = HS_STREAM_END;
    pthread_mutex_unlock(&lock);
    return n;
}

static void on_closed(void *ctx)
{
    free(ctx);
    atomic_fetch_add(&closed, 1);
}

static void get_stream(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    reader_t *reader = calloc(1, sizeof *reader);
    hs_stream_t *s =
        hs_stream_new(q, r, "text/event-stream", &(hs_source_t){ .read = on_read, .closed = on_closed, .ctx = reader });
    if (s)
        streams[atomic_fetch_add(&opened, 1)] = s;
    else
        free(reader);
}

static void echo_id(void *ctx, const hs_request_t *q, hs_response_t *r)
{
    (void)ctx;
    *r = (hs_response_t){ .status = 200, .body = (uint8_t *)strdup(q->last_event_id) };
    r->body_len = strlen(q->last_event_id);
}

static const hs_route_t routes[] = {
    { "GET", "/quick", get_stream, HS_CORS },
    { "GET", "/slow", get_stream, HS_SLOW },
    { "GET", "/id", echo_id, 0 },
    { "DELETE", "/id", echo_id, HS_CORS },
};

static hs_t *start(unsigned connections_max)
{
    hs_t *s;
    put_n = end_at = 0;
    atomic_store(&closed, 0);
    atomic_store(&opened, 0);
    ck_assert_int_eq(hs_start(&s, NULL,
                              &(hs_config_t){ .address = "127.0.0.1",
                                              .routes = routes,
                                              .route_count = sizeof routes / sizeof routes[0],
                                              .event_threads = 1,
                                              .workers = 1,
                                              .connections_max = connections_max }),
                     RC_OK);
    return s;
}

static void stop(hs_t *s)
{
    hs_stop(s, 100);
    ck_assert_uint_eq(atomic_load(&closed), atomic_load(&opened));
    for (unsigned i = 0; i < atomic_load(&opened); i++)
        hs_stream_unref(streams[i]);
}

static void put(const char *text)
{
    pthread_mutex_lock(&lock);
    memcpy(room + put_n, text, strlen(text));
    put_n += strlen(text);
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < atomic_load(&opened); i++)
        hs_stream_wake(streams[i]);
}

static void ask(int fd, const char *method, const char *path)
{
    char text[200];
    snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: x\r\nLast-Event-ID: e-7\r\n\r\n", method, path);
    ck_assert(say(fd, text));
}

/* Bytes as they come, with the marks of the coding, until want is among them. */
static void expect(int fd, const char *want)
{
    static char got[1 << 17];
    size_t n = 0;
    while (n < sizeof got - 1) {
        const ssize_t more = recv(fd, got + n, sizeof got - 1 - n, 0);
        ck_assert_msg(more > 0, "no %s in %.*s", want, (int)n, got);
        n += (size_t)more;
        got[n] = 0;
        if (strstr(got, want))
            return;
    }
    ck_abort_msg("no %s", want);
}

static void wait_closed(unsigned n)
{
    const uint64_t until = clock_ms() + 20000;
    while (atomic_load(&closed) < n && clock_ms() < until)
        pause_ms(5);
    ck_assert_uint_eq(atomic_load(&closed), n);
}

START_TEST(parts_come_as_they_are_there)
{
    static const char *const paths[] = { "/quick", "/slow" };
    for (size_t i = 0; i < 2; i++) {
        hs_t *s = start(0);
        int fd = dial(s), other = dial(s);
        ask(fd, "GET", paths[i]);
        expect(fd, "\r\n\r\n");
        for (unsigned k = 0; k < 20; k++) {
            char text[24];
            snprintf(text, sizeof text, "data: <%u>\n\n", k);
            put(text);
            snprintf(text, sizeof text, "<%u>", k);
            expect(fd, text);
        }
        ask(other, "GET", "/id"); /* the only event thread and the only worker are free */
        expect(other, "e-7");
        ask(other, "GET", paths[i]); /* from the beginning */
        expect(other, "<19>");
        end_at = put_n;
        put("");
        expect(fd, "0\r\n\r\n");
        expect(other, "0\r\n\r\n");
        wait_closed(2);
        ask(fd, "DELETE", "/id"); /* the connection goes on */
        expect(fd, "e-7");
        close(fd);
        close(other);
        stop(s);
    }
}
END_TEST

START_TEST(who_leaves_is_let_go_and_head_has_no_body)
{
    hs_t *s = start(0);
    int fd = dial(s), other = dial(s);
    ask(fd, "HEAD", "/quick");
    expect(fd, "text/event-stream");
    wait_closed(1);
    ask(fd, "GET", "/quick");
    expect(fd, "\r\n\r\n");
    ask(other, "GET", "/slow");
    expect(other, "\r\n\r\n");
    close(fd);
    wait_closed(2);
    put("data: <here>\n\n");
    expect(other, "<here>");
    stop(s); /* while one is open */
    close(other);
}
END_TEST

START_TEST(a_client_has_its_share_of_the_places)
{
    hs_t *s = start(64); /* 16 streams, 4 of a client */
    int fds[6];
    for (unsigned i = 0; i < 6; i++)
        fds[i] = dial_from(s, i < 5 ? "127.0.0.9" : "127.0.0.10");
    for (unsigned i = 0; i < 6; i++) {
        ask(fds[i], "GET", "/quick");
        expect(fds[i], i == 4 ? "over-share" : "text/event-stream");
    }
    ck_assert_uint_eq(atomic_load(&opened), 5);
    close(fds[0]);
    wait_closed(1);
    ask(fds[4], "GET", "/quick");
    expect(fds[4], "text/event-stream");
    for (unsigned i = 1; i < 6; i++)
        close(fds[i]);
    stop(s);
}
END_TEST

/* Fills the sockets' buffers without anybody reading: others are served all the while, and bytes stay where they are. */
START_TEST(a_reader_that_never_reads_harms_nobody)
{
    hs_t *s = start(0);
    int deaf[4], fd = dial(s);
    static char block[1 << 15];
    for (unsigned i = 0; i < 4; i++) {
        deaf[i] = dial(s);
        const int little = 4096;
        (void)setsockopt(deaf[i], SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
        ask(deaf[i], "GET", "/quick");
    }
    ask(fd, "GET", "/quick");
    expect(fd, "\r\n\r\n");
    memset(block, 'x', sizeof block - 1);
    put(block);
    put("<behind>");
    expect(fd, "<behind>");
    for (unsigned i = 0; i < 4; i++)
        close(deaf[i]);
    wait_closed(4);
    close(fd);
    stop(s);
}
END_TEST

int main(void)
{
    return UNIT_RUN("http_stream", parts_come_as_they_are_there, who_leaves_is_let_go_and_head_has_no_body,
                    a_client_has_its_share_of_the_places, a_reader_that_never_reads_harms_nobody);
}
