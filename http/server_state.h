/* server_state.h - what the server's parts share. Private to http/.
 *
 * Floor:  2, http.
 */
#ifndef HTTP_SERVER_STATE_H
#define HTTP_SERVER_STATE_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/os/worker.h"
#include "http/accept.h"
#include "http/clients.h"
#include "http/server.h"

#define ALLOW_MAX 64u
#define WORKERS_MAX 256u

/* A request's way: receiving -> (queued or deferred -> answered) -> sending. */
typedef enum { AT_RECEIVING, AT_QUEUED, AT_DEFERRED, AT_ANSWERED, AT_SENDING } at_t;

/* What others see of a connection, who may want its place: those that last have places of their own. */
typedef enum { STAGE_RECEIVING, STAGE_AT_WORK, STAGE_SENDING, STAGE_LASTING, STAGES } stage_t;

/* One connection with its current request. Belongs to its event thread, except between AT_QUEUED or AT_DEFERRED and
 * AT_ANSWERED, when it is suspended and belongs to a worker, or to whoever takes it out of its hs_pending_t. */
typedef struct conn {
    hs_t *server;
    struct MHD_Connection *mhd;
    struct conn *prev, *next; /* in server->conns; under its lock, as */
    stage_t stage;            /* receiving: no whole request is here; */
    bool evicted;             /* it is being closed, is in no list and does not count any more */
    share_item_t item;        /* server->slow */
    hs_client_t *client;      /* of the connection */
    hs_client_t *named; /* whom the request is from, as a listed proxy says; NULL: the same. Under the lock, too */
    int fd;
    void *tls;                    /* its session; NULL: plain */
    hs_identity_t *identity;      /* what the session presents */
    atomic_size_t holds;          /* bytes of its body and its answer that are counted; */
    size_t answer_holds;          /* those of its answer */
    uint64_t begun_ms;            /* the request's headers were here */
    _Atomic uint64_t deadline_ms; /* the reaper ends the connection then; 0: never */
    at_t at;
    bool begun;      /* the handler of libmicrohttpd has seen this request's headers */
    bool counted;    /* in server->active */
    char *target;    /* of the request line, as it came; malloc */
    const char *raw; /* the same in libmicrohttpd's memory */
    bool bad_uri;
    bool deferred; /* by its handler */
    const hs_route_t *route;
    hs_request_t request;
    uint8_t *body;
    size_t body_len, body_cap;
    hs_response_t response;
} conn_t;

struct hs_pending {
    _Atomic(conn_t *) conn; /* whoever takes it answers; NULL: it is answered */
    atomic_uint refs;       /* of the server, until it is answered, and of whoever is to answer */
    hs_pending_t *prev, *next;
    hs_request_t request; /* all that it points to but the method is owned */
};

struct hs {
    hs_clients_t *clients;
    hs_config_t config; /* defaults filled in */
    char allow[HS_ROUTES_MAX][ALLOW_MAX];
    bool cors[HS_ROUTES_MAX]; /* of the path, whatever the method */
    struct MHD_Daemon *daemon;
    int listen_fds[LISTEN_MAX];
    size_t listen_count;
    acceptor_t *acceptor; /* NULL: libmicrohttpd accepts */
    proxies_t proxies;
    uint16_t port;
    atomic_uint active;    /* requests between reaching a handler and the end of their answer */
    atomic_size_t bodies;  /* bytes of those that are being received */
    atomic_size_t answers; /* and of those that are being sent */
    atomic_bool stopping;
    atomic_bool told_other; /* that a proxy names clients by the field that is not read */
    atomic_uint marks;      /* flags of every answer */
    pthread_mutex_t conns_lock;
    struct {
        conn_t *first, *last; /* who came to this stage last, and who has been there longest */
    } conns[STAGES];
    unsigned conn_count;     /* of them */
    uint64_t evicted;        /* since the start */
    hs_identity_t *identity; /* of connections to come; NULL: no TLS. Under conns_lock */
    pthread_mutex_t lock;    /* all below */
    pthread_cond_t work, answered;
    share_t slow;              /* connections for the workers */
    hs_pending_t pendings;     /* a ring */
    struct hs_stream *streams; /* a ring, and its anchor */
    unsigned stream_count;     /* of it */
    unsigned deferred;         /* of the other, */
    size_t deferred_bytes;     /* with the bodies of their requests */
    bool quit;
    unsigned worker_count;
    pthread_t workers[WORKERS_MAX];
    worker_t *reaper;
    ws_hub_t *websockets; /* NULL: no route becomes one */
};

/* How many streams there may be, and as many WebSockets: so that half of the places stay with requests. */
static inline unsigned lasting_max(const hs_t *s)
{
    return s->config.connections_max / 4 ? s->config.connections_max / 4 : 1;
}

/* Whom a connection's present request is from. */
static inline hs_client_t *conn_asker(const conn_t *c)
{
    return c->named ? c->named : c->client;
}

/* ---- places.c ---- */

/* A connection comes, and goes. When there are too many, another one goes, or the newcomer. */
void conn_enter(hs_t *s, conn_t *c);
void conn_leave(hs_t *s, conn_t *c);

/* It comes to another stage; its present request is from another client, as its proxy says. */
void conn_stage(conn_t *c, stage_t stage);
void conn_name(conn_t *c, hs_client_t *take_named);

/* Ends those whose time is over. */
void conns_reap(hs_t *s);

/* Counts more bytes of a body that is being received, or the answer until it is sent, a long one as at most a quarter
 * of what there is. False: there is no memory. */
bool conn_body_room(conn_t *c, size_t more);
bool conn_answer_room(conn_t *c);

/* So many bytes of the present body are not held by its connection any more; the request is over. */
void conn_body_gone(conn_t *c, size_t bytes);
void conn_memory_gone(conn_t *c);

/* ---- stream.c ---- */

/* The ring; streams is NULL without memory. */
void streams_init(hs_t *s);
void streams_clear(hs_t *s);

/* Lets go of those whose other side has closed, and has the silent ones say something. */
void streams_look(hs_t *s);

/* Ends all; none begins any more once quit is set. */
void streams_end(hs_t *s);

/* ---- waiting.c ---- */

/* Suspends the connection and queues it for the workers. False: too many wait; the answer is filled in. */
bool conn_queue(conn_t *c);

/* A worker's thread, of the server arg. */
void *conn_worker(void *arg);

/* Runs the handler of the connection's route. */
void conn_handle(conn_t *c);

/* Takes back what was put off for connections whose other side has closed. */
void drop_left(hs_t *s);

/* Answers all that wait with 503, and waits for those that are being answered. */
void drop_deferred(hs_t *s);

#endif
