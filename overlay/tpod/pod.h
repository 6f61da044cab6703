/* pod.h - the messages of trusted pods: what a publisher and a provider tell each other, as structs.
 *
 * A list is an array and its count. A message that may be absent is a pointer, NULL when it is. Of a oneof `which` is
 * the number of the field that is set, 0 for none, and only that field means anything. Texts are UTF-8 and may hold
 * NUL (an inline secret does).
 *
 * Spec:   seed 004; the schema of overlay-facts 13 with its fields' names; sdk-facts 7. Extensions that do not collide:
 *         Port 6 and 7, ProvisionPodRequest 3 and 4, CapacityResponse 3, Resource 3 to 6; attestation's two messages
 *         are ours, since upstream never defined any.
 * Floor:  4, overlay/tpod. Types only.
 */
#ifndef OVERLAY_TPOD_POD_H
#define OVERLAY_TPOD_POD_H

#include "base/bytes.h"

#define TPOD_NO_KEY (-1) /* keyIdx of what is not encrypted; 0, and so an absent one, is the first key */

/* The unit of an amount: the field's number. */
enum { TPOD_AMOUNT = 2, TPOD_MILLIS = 3, TPOD_KIBI = 4, TPOD_MEBI = 5, TPOD_GIBI = 6 };
enum { TPOD_HTTP_HOST = 3, TPOD_TCP_PORT = 5 };        /* which of tpod_port_t; 0: inside the pod's network only */
enum { TPOD_FILESYSTEM = 3, TPOD_SECRET = 4 };         /* which of tpod_volume_t */
enum { TPOD_TCP = 0, TPOD_UDP = 1 };                   /* a port's protocol */
enum { TPOD_EMPTY = 0, TPOD_FILES = 1, TPOD_SEC = 2 }; /* a volume's type */
enum { TPOD_RW_ONE = 0, TPOD_RW_MANY = 2 };            /* ... and who may write */

typedef struct {
    view_t resource; /* "cpu", "memory", "storage", ... */
    uint32_t which;  /* TPOD_AMOUNT ...; 0: no amount */
    uint64_t amount; /* in that unit */
} tpod_resource_t;

typedef struct {
    view_t resource;             /* or id of a table */
    uint64_t reservation, usage; /* price of a unit: reserved, for a second; used */
} tpod_priced_t;

typedef struct {
    tpod_priced_t *resources;
    size_t resource_count;
    view_t currency; /* address of a token, 20 bytes */
} tpod_pricing_t;

typedef struct {
    tpod_resource_t *resources;
    size_t resource_count;
} tpod_capacity_request_t;

typedef struct {
    tpod_resource_t *resources;
    size_t resource_count;
    tpod_pricing_t *pricing;
    view_t provider; /* address that is paid; n 0: none */
} tpod_capacity_t;

typedef struct {
    view_t cid;
    int32_t key; /* index into keys, or TPOD_NO_KEY */
} tpod_image_t;

typedef struct {
    uint64_t container_port, service_port; /* service_port 0: as container_port */
    uint32_t which;
    view_t http_host;
    uint64_t tcp_port; /* 0: any */
    uint32_t protocol; /* TPOD_TCP, TPOD_UDP */
    view_t host_ip;    /* n 0: any */
} tpod_port_t;

typedef struct {
    view_t key, value;
} tpod_env_t;

typedef struct {
    uint32_t volume; /* index into the pod's volumes */
    view_t path;
    bool read_only;
} tpod_mount_t;

typedef struct {
    view_t name;
    tpod_image_t *image;
    view_t *entrypoint, *command;
    size_t entrypoint_count, command_count;
    view_t working_dir;
    tpod_port_t *ports;
    size_t port_count;
    tpod_env_t *env; /* each name once */
    size_t env_count;
    tpod_mount_t *mounts;
    size_t mount_count;
    tpod_resource_t *resources;
    size_t resource_count;
} tpod_container_t;

typedef struct {
    tpod_resource_t *resources;
    size_t resource_count;
} tpod_filesystem_t;

typedef struct {
    view_t cid; /* or the secret itself: tpod_inline */
    int32_t key;
} tpod_secret_t;

typedef struct {
    uint32_t type, access;
    uint32_t which;
    tpod_filesystem_t *filesystem;
    tpod_secret_t *secret;
} tpod_volume_t;

typedef struct {
    uint32_t min, max; /* max 0: unlimited */
    uint32_t target_pending_requests;
} tpod_replicas_t;

typedef struct {
    tpod_container_t *containers;
    size_t container_count;
    tpod_volume_t *volumes;
    size_t volume_count;
    tpod_replicas_t *replicas;
} tpod_pod_t;

typedef struct {
    view_t pem; /* secret */
} tpod_key_t;

typedef struct {
    view_t chain_id; /* big endian */
    view_t contract, publisher, provider, pod_id;
} tpod_payment_t;

typedef struct {
    tpod_pod_t *pod;
    tpod_key_t *keys;
    size_t key_count;
    tpod_payment_t *payment;
    tpod_pricing_t *pricing; /* the table that was offered */
} tpod_provision_request_t;

typedef struct {
    view_t multiaddr, container;
    uint64_t container_port;
} tpod_host_port_t;

typedef struct {
    view_t error; /* n 0: success */
    tpod_host_port_t *addresses;
    size_t address_count;
} tpod_provision_response_t;

typedef struct {
    view_t nonce; /* 32 bytes */
    bool want_capacity;
} tpod_attest_request_t;

typedef struct {
    view_t evidence;  /* overlay/tpod/attest.h */
    uint32_t version; /* of what its report data binds: 1 */
    tpod_capacity_t *capacity;
    view_t error;
} tpod_attest_response_t;

#endif
