#include "overlay/tpod/names.h"

const tpod_protocol_t TPOD_PROTOCOL[TPOD_PROTOCOLS] = {
    { "/trusted-pods/attest/0.0.1", TPOD_ATTEST, &TPOD_ATTEST_REQUEST, &TPOD_ATTEST_RESPONSE, 256 },
    { "/trusted-pods/provisioning-capacity/0.0.1", TPOD_CAPACITY, &TPOD_CAPACITY_REQUEST, &TPOD_CAPACITY_RESPONSE,
      64u << 10 },
    { "/trusted-pods/provision-service/0.0.1", TPOD_PROVISION, &TPOD_PROVISION_REQUEST, &TPOD_PROVISION_RESPONSE,
      1u << 20 },
    { "/x/trusted-pods/attest/0.0.1", TPOD_ATTEST, &TPOD_ATTEST_REQUEST, &TPOD_ATTEST_RESPONSE, 256 },
    { "/x/trusted-pods/provisioning-capacity/0.0.1", TPOD_CAPACITY, &TPOD_CAPACITY_REQUEST, &TPOD_CAPACITY_RESPONSE,
      64u << 10 },
};
