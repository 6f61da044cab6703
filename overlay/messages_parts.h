/* messages_parts.h - what the files of messages.h share. Private to them.
 *
 *     messages_send.c  lines, types, groups; sending
 *     messages_take.c  what comes in; relaying
 *
 * Floor:  4, overlay.
 */
#ifndef OVERLAY_MESSAGES_PARTS_H
#define OVERLAY_MESSAGES_PARTS_H

#include "overlay/messages.h"

typedef struct {
    uint64_t number; /* 0: a free place */
    uint8_t peer[33];
    bool up;
    bool waits; /* the frame that comes next was checked, and only lacks its taker */
    msg_session_t session;
} msg_line_t;

typedef struct {
    char name[MSG_TYPE_MAX + 1]; /* "": a free place */
    message_type_t type;
} msg_kind_t;

typedef struct {
    uint8_t id[MSG_GROUP_LEN];
    const keyring_t *ring; /* NULL: a free place */
} msg_group_t;

/* An author of relayed messages. */
typedef struct {
    uint8_t key[33];
    uint8_t by[33];     /* the peer that brought it first */
    uint64_t next;      /* one more than its highest number */
    uint64_t seen;      /* bit i: next - 1 - i came */
    uint64_t last_used; /* a count: the smallest is the oldest */
} msg_author_t;

struct messages {
    messages_config_t c;
    msg_line_t lines[MESSAGES_LINES_MAX];
    msg_kind_t kinds[MESSAGES_TYPES_MAX];
    msg_group_t groups[MESSAGES_GROUPS_MAX];
    msg_author_t *authors; /* MESSAGES_AUTHORS_MAX */
    size_t author_count;
    uint64_t uses, seq;
    message_counts_t counts;
};

/* NULL: there is none. */
msg_line_t *messages_find_line(const messages_t *m, uint64_t number);
const msg_kind_t *messages_find_kind(const messages_t *m, view_t name);
/* The ring of a mode; NULL: none. */
const keyring_t *messages_ring(const messages_t *m, msg_mode_t mode, const uint8_t *group);

/* The peer's session value. */
NODISCARD rc_t messages_take_hello(messages_t *m, err_t *e, msg_line_t *l, uint64_t value);

/* Gives a frame its nonce on a line, and sends it. */
NODISCARD rc_t messages_put(messages_t *m, err_t *e, msg_line_t *l, msg_frame_t *frame);

#endif
