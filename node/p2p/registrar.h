/* registrar.h - when a member sends which transaction: a machine that is told where it stands at each new head, and
 * says what to send.
 *
 *     registrar_turn -> REGISTRAR_SEND: sign and send it; registrar_sent when it is on its way
 *                    -> REGISTRAR_WAIT: for the next head
 *                    -> REGISTRAR_STUCK: nothing can be sent, e says what somebody has to do
 *
 * One transaction at a time. A heartbeat is due at a third of the contract's timeout. A transaction that is not in a
 * block after REGISTRAR_PATIENCE of them is sent again with a fee that replaces it, up to the cap.
 *
 * Spec:   EIP-1559; the replacement rule of geth's pool (a tenth more of both fees)
 * Floor:  5, node/p2p. No I/O, clock or thread.
 * Tests:  tests/unit/test_p2p_registrar.c
 */
#ifndef NODE_P2P_REGISTRAR_H
#define NODE_P2P_REGISTRAR_H

#include "rpc/members/stand.h"

#define REGISTRAR_PATIENCE 8u     /* blocks */
#define REGISTRAR_TIP 1000000000u /* wei for a unit of gas, at first */

/* A transaction to be sent, as far as it is decided here. */
typedef struct {
    members_step_t step;
    uint64_t nonce, tip, max_fee;
} registrar_send_t;

typedef struct {
    uint64_t fee_cap;   /* wei for a unit of gas */
    bool is_registered; /* at the head that it was told of last, and not silent too long */
    bool is_sent;       /* one is on its way: */
    registrar_send_t sent;
    uint64_t sent_block; /* the head then */
    uint64_t sends;      /* since the start */
} registrar_t;

/* A head, and where the member stands there. */
typedef struct {
    const members_stand_t *stand;
    uint64_t block_number, block_time_s;
    u256_t base_fee;
} registrar_view_t;

typedef enum { REGISTRAR_WAIT, REGISTRAR_SEND, REGISTRAR_STUCK } registrar_do_t;

/* Looks at a head. out is written with REGISTRAR_SEND, e with REGISTRAR_STUCK. */
registrar_do_t registrar_turn(registrar_t *r, registrar_send_t *out, err_t *e, const registrar_view_t *v);

/* It is on its way; an endpoint took it, or has it already. */
void registrar_sent(registrar_t *r, const registrar_send_t *s, uint64_t block_number);

#endif
