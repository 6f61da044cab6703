/* schema.h - the messages of trusted pods as tables, which protobuf's bytes (codec.h) and JSON (text.h) both walk.
 *
 * Spec:   overlay-facts 13, sdk-facts 7; names of JSON by protobuf's mapping
 * Floor:  4, overlay/tpod. Constant tables.
 */
#ifndef OVERLAY_TPOD_SCHEMA_H
#define OVERLAY_TPOD_SCHEMA_H

#include "overlay/tpod/pod.h"

#define TPOD_FIELDS_MAX 9u /* of a message */

typedef enum { TPOD_U64, TPOD_U32, TPOD_I32, TPOD_BOOL, TPOD_ENUM, TPOD_TEXT, TPOD_BYTES, TPOD_MESSAGE } tpod_kind_t;

/* How often a field stands there. */
typedef enum {
    TPOD_ONE,
    TPOD_MANY,  /* an array at `at`, its size_t count at `beside` */
    TPOD_NAMED, /* likewise, of pairs of a name and a value: protobuf's map<string, string> */
    TPOD_EITHER /* of a oneof, whose uint32_t `which` is at `beside` */
} tpod_often_t;

typedef struct tpod_message tpod_message_t;

typedef struct {
    uint32_t number;
    tpod_kind_t kind;
    tpod_often_t often;
    bool secret; /* goes into no JSON that is shown */
    const char *name;
    size_t at, beside;             /* offsets in the struct */
    const tpod_message_t *message; /* of TPOD_MESSAGE: the struct, or with TPOD_ONE and TPOD_EITHER a pointer to it */
    const char *const *words;      /* of TPOD_ENUM, by value, up to NULL; "" for a value without a meaning */
} tpod_field_t;

struct tpod_message {
    const char *name;
    size_t size;
    const tpod_field_t *fields;
    size_t count;
};

extern const tpod_message_t TPOD_ATTEST_REQUEST, TPOD_ATTEST_RESPONSE, TPOD_CAPACITY_REQUEST, TPOD_CAPACITY_RESPONSE,
    TPOD_PROVISION_REQUEST, TPOD_PROVISION_RESPONSE, TPOD_PRICING;

#endif
