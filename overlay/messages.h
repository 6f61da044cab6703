/* messages.h - messages of applications: types that they register at run time, sent to attested peers. Whoever receives
 * one knows its attested sender, and of a forwarded message the author by signature. A machine without I/O: frames go
 * in, frames go out by a callback.
 *
 * A line is the way to one peer: a connection. A message for the peer alone is encrypted by its connection; one for all
 * members is sealed under the cluster's message secret, one for a group under the group's: each with the sender's key,
 * the type and the message's number as associated data.
 *
 * A type that is declared relayed is signed by its author, and handed on once, by author and number, to every other
 * line: who relays it need not be trusted with more than passing it on. The numbers of one author are taken within a
 * window of 64 below the highest.
 *
 * Spec:   overlay-facts 9; overlay-facts-more J (/kettle/msg/1); issue 13, step 4
 * Floor:  4, overlay. No I/O, clock or thread; what is kept is on the heap, within the bounds below.
 * Tests:  tests/unit/test_messages.c, tests/fuzz/fuzz_messages.c
 */
#ifndef OVERLAY_MESSAGES_H
#define OVERLAY_MESSAGES_H

#include "base/crypto/keyring.h"
#include "overlay/msg_session.h"
#include "overlay/msg_wire.h"

#define MESSAGES_TYPES_MAX 64u
#define MESSAGES_LINES_MAX 128u
#define MESSAGES_GROUPS_MAX 16u
#define MESSAGES_AUTHORS_MAX 1024u
#define MESSAGES_AUTHORS_PER_LINE 64u /* authors that are not attested, brought by one peer */

/* A message as its receiver gets it; all of it lives during the call. */
typedef struct {
    const uint8_t *sender; /* 33 bytes: the attested static key of the peer on whose connection it came */
    const uint8_t *author; /* 33 bytes: the sender, or whose signature the forwarded message has */
    uint64_t line;
    bool forwarded;
    bool author_attested; /* the author is a peer of ours at this moment, or the sender */
    uint64_t seq;         /* of a relayed type: the author's number */
    msg_mode_t mode;
    const uint8_t *group; /* MSG_GROUP_LEN bytes; NULL: not of a group */
    view_t type, payload;
} message_t;

/* Takes a message. False: not now; it comes again, before all that is behind it on its line, after the owner has asked
 * for it. */
typedef bool (*message_fn)(void *ctx, const message_t *m);

typedef struct {
    const char *name; /* copied; see msg_type_is */
    bool relayed;
    size_t max; /* bytes of a payload, at most MSG_PAYLOAD_MAX; 0: that */
    message_fn take;
    void *ctx;
} message_type_t;

/* A message to be sent. */
typedef struct {
    const char *type; /* registered */
    msg_mode_t mode;
    const uint8_t *group; /* of MSG_GROUP */
    view_t payload;
} message_out_t;

typedef struct {
    uint64_t delivered, sent, forwarded;
    uint64_t unknown;   /* of a type that is not registered, or is registered otherwise */
    uint64_t unopened;  /* sealed under a secret that we do not hold */
    uint64_t repeated;  /* relayed messages that came before */
    uint64_t unrelayed; /* could not be handed on: too much waited */
} message_counts_t;

typedef struct {
    uint8_t self[33];
    rc_t (*sign)(void *ctx, uint8_t out[64], const hash32_t *digest); /* by self */
    void *sign_ctx;
    const ecdsa_t *ecdsa;
    const keyring_t *ring; /* the cluster's generations; NULL: no shared messages */
    void (*random)(void *ctx, void *out, size_t n);
    rc_t (*send)(void *ctx, uint64_t line, view_t frame); /* RC_LIMIT: too much waits there */
    /* A session is agreed: the peer of the line can be sent messages. */
    void (*ready)(void *ctx, uint64_t line);
    void *ctx;
} messages_config_t;

typedef struct messages messages_t;

/* A machine without lines and types. Everything that config points to is borrowed. RC_NOMEM. */
NODISCARD rc_t messages_new(messages_t **out, const messages_config_t *config);
void messages_free(messages_t *m);

/* Registers a type, also while messages flow; takes it off the list again. RC_MALFORMED: no name for a type; RC_REPLAY:
 * there is one of this name; RC_LIMIT: too many, or its max. */
NODISCARD rc_t messages_register(messages_t *m, err_t *e, const message_type_t *type);
void messages_unregister(messages_t *m, const char *name);

/* A group whose secret is a ring's generation in use; the ring stays the caller's until messages_leave. RC_REPLAY,
 * RC_LIMIT. */
NODISCARD rc_t messages_join(messages_t *m, err_t *e, const uint8_t group[MSG_GROUP_LEN], const keyring_t *ring);
void messages_leave(messages_t *m, const uint8_t group[MSG_GROUP_LEN]);

/* A line to an attested peer is there: our session value goes out, once for a line. It is held up; it is over.
 * RC_LIMIT: too many; what send said. */
NODISCARD rc_t messages_up(messages_t *m, uint64_t line, const uint8_t peer[33]);
void messages_down(messages_t *m, uint64_t line);
void messages_gone(messages_t *m, uint64_t line);

/* Whether a line can be sent messages; the newest such line of a peer (0: none). */
bool messages_ready(const messages_t *m, uint64_t line);
uint64_t messages_line(const messages_t *m, const uint8_t peer[33]);

/* Sends to n lines. A message of a relayed type is one message, however many lines it goes to.
 *   each  what came of it on each line; NULL: not wanted
 * RC_OK: all have it; else the first that went wrong: RC_LIMIT: too long, or too much waits on a line; RC_REFUSED: no
 * such type, group or key, or no session on a line; RC_NOMEM. */
NODISCARD rc_t messages_send(messages_t *m, rc_t *each, err_t *e, const uint64_t *lines, size_t n,
                             const message_out_t *out);

/* One frame of a line's peer. RC_NEED_DATA: not now, the same frame is to come again; RC_REPLAY, RC_REFUSED,
 * RC_MALFORMED, RC_LIMIT: the peer is at fault, and its connection has to end; RC_NOMEM. */
NODISCARD rc_t messages_take(messages_t *m, err_t *e, uint64_t line, view_t frame);

/* Counts since the start. */
void messages_counts(const messages_t *m, message_counts_t *out);

#endif
