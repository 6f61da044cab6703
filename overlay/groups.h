/* groups.h - authorization groups: a secret of its own for those members whom a group's measured rule admits.
 *
 * Who makes a group draws its secret and says by which policy it is given: every member of the group gives it on, to a
 * peer that asks on its attested connection and that this policy admits at that moment, sealed to the ephemeral key of
 * that one request. A group's name is a hash over its secret's public parts and its rule, so that nobody can give
 * another secret, or another rule, under it; how it comes to who wants to join is the application's.
 *
 *     asker  {request id, group, ephemeral key} ->
 *                                               <-  {request id, status, rule, public key, ephemeral key, sealed}
 *
 * Spec:   issue 13, step 4; overlay-facts-more J (mode 2 of /kettle/msg/1). The bytes of /kettle/group/1 are ours:
 *         protobuf, fields as in overlay/group_wire.c; sealed as a share of /kettle/keyshare/1 is, with the info
 *         `kettle-group/1`, request id, asker's and member's ephemeral keys, and the group's name as associated data
 * Floor:  4, overlay. No socket, clock or thread. All calls on the net's thread.
 * Tests:  tests/unit/test_groups.c, tests/fuzz/fuzz_group.c
 */
#ifndef OVERLAY_GROUPS_H
#define OVERLAY_GROUPS_H

#include "overlay/join.h"
#include "overlay/messages.h"

#define GROUP_PROTOCOL "/kettle/group/1"
#define GROUP_RULE_MAX (32u << 10) /* bytes of a policy's text */
#define GROUP_FRAME_MAX (GROUP_RULE_MAX + 512u)
#define GROUP_AGAIN_MS 5000u /* before a peer that gave nothing is asked again */
#define GROUP_ID_LEN 16u     /* of a request */

/* ---- bytes ---- */

typedef enum { GROUP_OK = 0, GROUP_NOT_MEMBER = 1, GROUP_NOT_ADMITTED = 2, GROUP_BUSY = 3 } group_status_t;

typedef struct {
    uint8_t id[GROUP_ID_LEN];
    bool is_request;
    uint8_t group[MSG_GROUP_LEN];  /* of a request */
    uint8_t ephemeral[X25519_LEN]; /* of a request, and of GROUP_OK */
    group_status_t status;         /* of an answer; what follows: of GROUP_OK */
    view_t rule;
    uint8_t pubkey[ECDSA_PUBKEY_LEN];
    uint8_t sealed[KEY_SEALED_LEN];
} group_frame_t;

/* Reads a frame to its end; rule points into it. out written only on RC_OK. RC_MALFORMED: a member is missing, doubled,
 * of another length, or not of this kind; RC_LIMIT: too long. */
NODISCARD rc_t group_frame_read(group_frame_t *out, err_t *e, view_t frame);

/* Writes it without its length; at most GROUP_FRAME_MAX bytes. */
void group_frame_write(wr_t *w, const group_frame_t *m);

/* ---- the machine ---- */

typedef struct groups groups_t;

typedef struct {
    void (*random)(void *ctx, void *out, size_t n);
    /* Reads a rule; *out is freed with policy_free. NULL: policy_read, for which same-as-self means nothing. */
    rc_t (*read_rule)(void *ctx, policy_t **out, err_t *e, view_t text);
    /* A group's secret is here, and lives until groups_leave. */
    void (*joined)(void *ctx, const uint8_t group[MSG_GROUP_LEN], const keyring_t *ring);
    void *ctx;
} groups_config_t;

/* join: borrowed. RC_NOMEM. */
NODISCARD rc_t groups_new(groups_t **out, join_t *join, const groups_config_t *config);

/* After net_free, and before join_free. NULL allowed. */
void groups_free(groups_t *g);

/* For the net's configuration. */
void groups_protocol(groups_t *g, net_protocol_t *out);

/* Makes a group, with a policy's text as its rule; joined is called. RC_LIMIT: too many, or the rule; what read_rule
 * says; RC_NOMEM. */
NODISCARD rc_t groups_make(groups_t *g, uint8_t group[MSG_GROUP_LEN], err_t *e, view_t rule);

/* Asks every peer for a group's secret until one gives it. RC_LIMIT: too many; RC_REPLAY: it is asked for, or here. */
NODISCARD rc_t groups_want(groups_t *g, err_t *e, const uint8_t group[MSG_GROUP_LEN]);

/* Wipes a group's secret, or asks no more. Not from inside a callback of a message of this group. */
void groups_leave(groups_t *g, const uint8_t group[MSG_GROUP_LEN]);

/* The peer of a connection is attested, judged and runs our order; is that no more; the connection is over. RC_NOMEM;
 * RC_LIMIT: too many. */
NODISCARD rc_t groups_peer(groups_t *g, net_conn_t *c);
void groups_hold(groups_t *g, net_conn_t *c);
void groups_closed(groups_t *g, net_conn_t *c);

/* Asks whom it is time to; when the next turn is due. */
uint64_t groups_turn(groups_t *g, uint64_t now_ms);

#endif
