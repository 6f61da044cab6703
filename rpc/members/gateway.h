/* gateway.h - names under which a dstack gateway passes connections on: <id>[-[<port>][s|g]].<base>, where id is an
 * instance's or an app's, s hands TLS to the node as it came, g speaks HTTP/2 to it, and neither means that the gateway
 * ends TLS. Without a port that is 443 for s, else 80. Only the s form reaches a node's own certificate.
 *
 * Spec:   Dstack-TEE/dstack gateway, the parser of server names; design: an instance's id, as an app's may reach any of
 *         its instances
 * Floor:  3, rpc/members. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_gateway_name.c, tests/fuzz/fuzz_members.c
 */
#ifndef RPC_MEMBERS_GATEWAY_H
#define RPC_MEMBERS_GATEWAY_H

#include "base/bytes.h"
#include "base/err.h"

#define GATEWAY_ID_MAX 56u    /* with the longest suffix a label of DNS */
#define GATEWAY_NAME_MAX 253u /* characters of a name of DNS */

typedef enum { GATEWAY_PLAIN, GATEWAY_TLS, GATEWAY_GRPC } gateway_form_t;

typedef struct {
    view_t id; /* digits and lower-case letters */
    gateway_form_t form;
    uint16_t port; /* of the node, not 0 */
    view_t base;   /* the gateway's domain */
} gateway_name_t;

/* Takes a name apart. out is written only on RC_OK, and borrows name. RC_MALFORMED, e says of what. */
NODISCARD rc_t gateway_read(gateway_name_t *out, err_t *e, view_t name);

/* Puts a name together, without the port where it is the form's own; out ends with a NUL and is written only on RC_OK.
 * RC_MALFORMED: a part that gateway_read would not give. */
NODISCARD rc_t gateway_write(char out[static GATEWAY_NAME_MAX + 1], err_t *e, const gateway_name_t *name);

/* Whether text is a domain: labels of 1 to 63 lower-case letters, digits and inner hyphens, dots between, at most
 * GATEWAY_NAME_MAX characters. */
bool gateway_is_domain(view_t text);

#endif
