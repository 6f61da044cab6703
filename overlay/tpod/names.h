/* names.h - the three protocols of trusted pods: one request and one response on a stream, each behind its length, then
 * both ends end. The one table of their names, the seed's first, and the later ones that upstream gave to two of them.
 *
 * Spec:   seed 004; overlay-facts 13 (framing), sdk-facts 7 (names)
 * Floor:  4, overlay/tpod. Constant.
 */
#ifndef OVERLAY_TPOD_NAMES_H
#define OVERLAY_TPOD_NAMES_H

#include "overlay/tpod/schema.h"

typedef enum { TPOD_ATTEST, TPOD_CAPACITY, TPOD_PROVISION } tpod_call_t;

typedef struct {
    const char *name;
    tpod_call_t call;
    const tpod_message_t *request, *response;
    uint32_t request_max; /* bytes */
} tpod_protocol_t;

#define TPOD_PROTOCOLS 5u
/* The first three are those of tpod_call_t, under the seed's names. */
extern const tpod_protocol_t TPOD_PROTOCOL[TPOD_PROTOCOLS];

#endif
