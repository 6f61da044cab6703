/* described.h - the image that a guest of dstack 0.6 is, as its own evidence describes it: the measurement document and
 * the checksum file in its VM configuration.
 *
 * Nothing of it is believed: the checksum file's SHA-256 is the name that a policy lists, the document is in that file,
 * and what it says must give the registers of the quote. The memory's size is what the host says of the machine; RTMR0
 * shows whether it is so.
 *
 * Spec:   dstack 0.6, VmConfig: memory_size, tdx_measurement (measurement and checksum_file in base64)
 * Floor:  3, tee/measure. Pure.
 * Tests:  tests/unit/test_described.c, tests/fuzz/fuzz_measure.c
 */
#ifndef TEE_MEASURE_DESCRIBED_H
#define TEE_MEASURE_DESCRIBED_H

#include "tee/measure/osimage.h"

typedef struct {
    hash32_t hash; /* the image's name, os_image_hash */
    uint64_t memory;
    osimage_t image; /* do not copy it */
    measurement_t m; /* of that machine; RTMR0, which covers ACPI tables, is not known */
} described_t;

/* Reads a VM configuration, a JSON object as text; its other members are passed over, os_image_hash too, which is the
 * host's word.
 *   vm_config  n 0: none came
 *   out        filled on RC_OK, else not to be used
 * RC_MALFORMED, RC_LIMIT, RC_UNSUPPORTED, RC_NOMEM; RC_REFUSED: none came, the checksum file does not list the
 * document, or the memory is one for which it does not hold. e names the member. */
NODISCARD rc_t described_read(described_t *out, err_t *e, view_t vm_config);

/* Whether rtmr0 is what this image measures on this machine with ACPI tables of these three digests. */
bool described_rtmr0_is(const described_t *d, const uint8_t acpi[MEASURE_ACPI_COUNT][48], const uint8_t rtmr0[48]);

#endif
