/* order_text.h - an order as JSON: what operators keep in a file, pass on to sign, and send to nodes (POST /v1/orders).
 *
 *   { "body": "0x...", "signatures": [ { "key": "0x...", "signature": "0x..." } ], "policy": "{...}" }
 *
 * body is what is signed (overlay/order.h), policy the text whose SHA-256 it names. What else stands there repeats the
 * body for people: it may be left out, and is refused when it says anything else, since who signs reads that.
 *
 * Floor:  5, node/cluster. No I/O.
 * Tests:  tests/unit/test_order_text.c
 */
#ifndef NODE_CLUSTER_ORDER_TEXT_H
#define NODE_CLUSTER_ORDER_TEXT_H

#include "base/json.h"
#include "overlay/order.h"

#define ORDER_JSON_MAX (8u * ORDER_MAX) /* bytes of the JSON text: each of the policy's may be escaped */

/* Reads an order; its policy is in the arena, and has the digest that the body names. RC_MALFORMED, RC_REFUSED: another
 * policy, or a member that contradicts the body; RC_LIMIT, RC_NOMEM. */
NODISCARD rc_t order_text_read(order_signed_t *out, err_t *e, arena_t *a, view_t json);

/* Writes it, with what its body says. o->text is its policy; n 0: null. */
void order_text_write(jw_t *w, const char *key, const order_signed_t *o);

#endif
