#include "overlay/tpod/schema.h"

#include <stddef.h>

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define MESSAGE(var, text, type, rows)                                                                                 \
    const tpod_message_t var = { .name = (text), .size = sizeof(type), .fields = (rows), .count = COUNT(rows) }

/* Rows: number, name in JSON, member. */
#define ROW(n, text, k, o, at_, beside_, of, list)                                                                     \
    {                                                                                                                  \
        .number = (n), .kind = (k), .often = (o), .secret = false, .name = (text), .at = (at_), .beside = (beside_),   \
        .message = (of), .words = (list)                                                                               \
    }
#define ONE(T, n, text, kind, member) ROW(n, text, kind, TPOD_ONE, offsetof(T, member), 0, NULL, NULL)
#define WORD(T, n, text, member, list) ROW(n, text, TPOD_ENUM, TPOD_ONE, offsetof(T, member), 0, NULL, list)
#define SUB(T, n, text, member, of) ROW(n, text, TPOD_MESSAGE, TPOD_ONE, offsetof(T, member), 0, of, NULL)
#define MANY(T, n, text, kind, member, count, of)                                                                      \
    ROW(n, text, kind, TPOD_MANY, offsetof(T, member), offsetof(T, count), of, NULL)
#define EITHER(T, n, text, kind, member, of)                                                                           \
    ROW(n, text, kind, TPOD_EITHER, offsetof(T, member), offsetof(T, which), of, NULL)

static const tpod_field_t resource_fields[] = {
    ONE(tpod_resource_t, 1, "resource", TPOD_TEXT, resource),
    EITHER(tpod_resource_t, 2, "amount", TPOD_U64, amount, NULL),
    EITHER(tpod_resource_t, 3, "amountMillis", TPOD_U64, amount, NULL),
    EITHER(tpod_resource_t, 4, "amountKibi", TPOD_U64, amount, NULL),
    EITHER(tpod_resource_t, 5, "amountMebi", TPOD_U64, amount, NULL),
    EITHER(tpod_resource_t, 6, "amountGibi", TPOD_U64, amount, NULL),
};
static MESSAGE(resource, "Resource", tpod_resource_t, resource_fields);

static const tpod_field_t priced_fields[] = {
    ONE(tpod_priced_t, 1, "resource", TPOD_TEXT, resource),
    ONE(tpod_priced_t, 2, "priceForReservation", TPOD_U64, reservation),
    ONE(tpod_priced_t, 3, "priceForUsage", TPOD_U64, usage),
};
static MESSAGE(priced, "PricedResource", tpod_priced_t, priced_fields);

static const tpod_field_t pricing_fields[] = {
    MANY(tpod_pricing_t, 1, "resources", TPOD_MESSAGE, resources, resource_count, &priced),
    ONE(tpod_pricing_t, 2, "currency", TPOD_BYTES, currency),
};
MESSAGE(TPOD_PRICING, "PricingTable", tpod_pricing_t, pricing_fields);

static const tpod_field_t capacity_request_fields[] = {
    MANY(tpod_capacity_request_t, 1, "resources", TPOD_MESSAGE, resources, resource_count, &resource),
};
MESSAGE(TPOD_CAPACITY_REQUEST, "CapacityRequest", tpod_capacity_request_t, capacity_request_fields);

static const tpod_field_t capacity_fields[] = {
    MANY(tpod_capacity_t, 1, "availableResources", TPOD_MESSAGE, resources, resource_count, &resource),
    SUB(tpod_capacity_t, 2, "pricing", pricing, &TPOD_PRICING),
    ONE(tpod_capacity_t, 3, "providerAddress", TPOD_BYTES, provider),
};
MESSAGE(TPOD_CAPACITY_RESPONSE, "CapacityResponse", tpod_capacity_t, capacity_fields);

static const tpod_field_t image_fields[] = {
    ONE(tpod_image_t, 1, "cid", TPOD_TEXT, cid),
    ONE(tpod_image_t, 2, "keyIdx", TPOD_I32, key),
};
static MESSAGE(image, "Image", tpod_image_t, image_fields);

static const char *const protocols[] = { "TCP", "UDP", NULL };

static const tpod_field_t port_fields[] = {
    ONE(tpod_port_t, 1, "containerPort", TPOD_U64, container_port),
    ONE(tpod_port_t, 2, "servicePort", TPOD_U64, service_port),
    EITHER(tpod_port_t, 3, "hostHttpHost", TPOD_TEXT, http_host, NULL),
    EITHER(tpod_port_t, 5, "hostTcpPort", TPOD_U64, tcp_port, NULL),
    WORD(tpod_port_t, 6, "protocol", protocol, protocols),
    ONE(tpod_port_t, 7, "hostIP", TPOD_TEXT, host_ip),
};
static MESSAGE(port, "Port", tpod_port_t, port_fields);

static const tpod_field_t env_fields[] = {
    ONE(tpod_env_t, 1, "key", TPOD_TEXT, key),
    ONE(tpod_env_t, 2, "value", TPOD_TEXT, value),
};
static MESSAGE(env, "EnvEntry", tpod_env_t, env_fields);

static const tpod_field_t mount_fields[] = {
    ONE(tpod_mount_t, 1, "volumeIdx", TPOD_U32, volume),
    ONE(tpod_mount_t, 2, "mountPath", TPOD_TEXT, path),
    ONE(tpod_mount_t, 3, "readOnly", TPOD_BOOL, read_only),
};
static MESSAGE(mount, "VolumeMount", tpod_mount_t, mount_fields);

static const tpod_field_t container_fields[] = {
    ONE(tpod_container_t, 1, "name", TPOD_TEXT, name),
    SUB(tpod_container_t, 2, "image", image, &image),
    MANY(tpod_container_t, 3, "entrypoint", TPOD_TEXT, entrypoint, entrypoint_count, NULL),
    MANY(tpod_container_t, 4, "command", TPOD_TEXT, command, command_count, NULL),
    ONE(tpod_container_t, 5, "workingDir", TPOD_TEXT, working_dir),
    MANY(tpod_container_t, 6, "ports", TPOD_MESSAGE, ports, port_count, &port),
    ROW(7, "env", TPOD_MESSAGE, TPOD_NAMED, offsetof(tpod_container_t, env), offsetof(tpod_container_t, env_count),
        &env, NULL),
    MANY(tpod_container_t, 8, "volumes", TPOD_MESSAGE, mounts, mount_count, &mount),
    MANY(tpod_container_t, 9, "resourceRequests", TPOD_MESSAGE, resources, resource_count, &resource),
};
static MESSAGE(container, "Container", tpod_container_t, container_fields);

static const tpod_field_t filesystem_fields[] = {
    MANY(tpod_filesystem_t, 1, "resourceRequests", TPOD_MESSAGE, resources, resource_count, &resource),
};
static MESSAGE(filesystem, "FilesystemConfig", tpod_filesystem_t, filesystem_fields);

static const tpod_field_t secret_fields[] = {
    { .number = 1,
      .kind = TPOD_TEXT,
      .often = TPOD_ONE,
      .secret = true,
      .name = "cid",
      .at = offsetof(tpod_secret_t, cid),
      .beside = 0,
      .message = NULL,
      .words = NULL },
    ONE(tpod_secret_t, 2, "keyIdx", TPOD_I32, key),
};
static MESSAGE(secret, "SecretConfig", tpod_secret_t, secret_fields);

static const char *const types[] = { "VOLUME_EMPTY", "VOLUME_FILESYSTEM", "VOLUME_SECRET", NULL };
static const char *const accesses[] = { "VOLUME_RW_ONE", "", "VOLUME_RW_MANY", NULL };

static const tpod_field_t volume_fields[] = {
    WORD(tpod_volume_t, 1, "type", type, types),
    WORD(tpod_volume_t, 2, "accessMode", access, accesses),
    EITHER(tpod_volume_t, 3, "filesystem", TPOD_MESSAGE, filesystem, &filesystem),
    EITHER(tpod_volume_t, 4, "secret", TPOD_MESSAGE, secret, &secret),
};
static MESSAGE(volume, "Volume", tpod_volume_t, volume_fields);

static const tpod_field_t replicas_fields[] = {
    ONE(tpod_replicas_t, 1, "min", TPOD_U32, min),
    ONE(tpod_replicas_t, 2, "max", TPOD_U32, max),
    ONE(tpod_replicas_t, 3, "targetPendingRequests", TPOD_U32, target_pending_requests),
};
static MESSAGE(replicas, "Replicas", tpod_replicas_t, replicas_fields);

static const tpod_field_t pod_fields[] = {
    MANY(tpod_pod_t, 1, "containers", TPOD_MESSAGE, containers, container_count, &container),
    MANY(tpod_pod_t, 2, "volumes", TPOD_MESSAGE, volumes, volume_count, &volume),
    SUB(tpod_pod_t, 3, "replicas", replicas, &replicas),
};
static MESSAGE(pod, "Pod", tpod_pod_t, pod_fields);

static const tpod_field_t key_fields[] = {
    { .number = 1,
      .kind = TPOD_BYTES,
      .often = TPOD_ONE,
      .secret = true,
      .name = "keyPem",
      .at = offsetof(tpod_key_t, pem),
      .beside = 0,
      .message = NULL,
      .words = NULL },
};
static MESSAGE(key, "Key", tpod_key_t, key_fields);

static const tpod_field_t payment_fields[] = {
    ONE(tpod_payment_t, 1, "chainID", TPOD_BYTES, chain_id),
    ONE(tpod_payment_t, 2, "contractAddress", TPOD_BYTES, contract),
    ONE(tpod_payment_t, 3, "publisherAddress", TPOD_BYTES, publisher),
    ONE(tpod_payment_t, 4, "providerAddress", TPOD_BYTES, provider),
    ONE(tpod_payment_t, 5, "podID", TPOD_BYTES, pod_id),
};
static MESSAGE(payment, "PaymentChannel", tpod_payment_t, payment_fields);

static const tpod_field_t provision_request_fields[] = {
    SUB(tpod_provision_request_t, 1, "podManifest", pod, &pod),
    MANY(tpod_provision_request_t, 2, "keys", TPOD_MESSAGE, keys, key_count, &key),
    SUB(tpod_provision_request_t, 3, "payment", payment, &payment),
    SUB(tpod_provision_request_t, 4, "pricing", pricing, &TPOD_PRICING),
};
MESSAGE(TPOD_PROVISION_REQUEST, "ProvisionPodRequest", tpod_provision_request_t, provision_request_fields);

static const tpod_field_t host_port_fields[] = {
    ONE(tpod_host_port_t, 1, "multiaddr", TPOD_TEXT, multiaddr),
    ONE(tpod_host_port_t, 2, "containerName", TPOD_TEXT, container),
    ONE(tpod_host_port_t, 3, "containerPort", TPOD_U64, container_port),
};
static MESSAGE(host_port, "ExposedHostPort", tpod_host_port_t, host_port_fields);

static const tpod_field_t provision_response_fields[] = {
    ONE(tpod_provision_response_t, 1, "error", TPOD_TEXT, error),
    MANY(tpod_provision_response_t, 2, "addresses", TPOD_MESSAGE, addresses, address_count, &host_port),
};
MESSAGE(TPOD_PROVISION_RESPONSE, "ProvisionPodResponse", tpod_provision_response_t, provision_response_fields);

static const tpod_field_t attest_request_fields[] = {
    ONE(tpod_attest_request_t, 1, "nonce", TPOD_BYTES, nonce),
    ONE(tpod_attest_request_t, 2, "wantCapacity", TPOD_BOOL, want_capacity),
};
MESSAGE(TPOD_ATTEST_REQUEST, "AttestRequest", tpod_attest_request_t, attest_request_fields);

static const tpod_field_t attest_response_fields[] = {
    ONE(tpod_attest_response_t, 1, "evidence", TPOD_BYTES, evidence),
    ONE(tpod_attest_response_t, 2, "reportDataVersion", TPOD_U32, version),
    SUB(tpod_attest_response_t, 3, "capacity", capacity, &TPOD_CAPACITY_RESPONSE),
    ONE(tpod_attest_response_t, 4, "error", TPOD_TEXT, error),
};
MESSAGE(TPOD_ATTEST_RESPONSE, "AttestResponse", tpod_attest_response_t, attest_response_fields);
