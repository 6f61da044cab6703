/* osimage.h - what an image of dstack 0.6 says of its own measurements: measurement.tdx.cbor, and sha256sum.txt, whose
 * SHA-256 is the image's name (os_image_hash).
 *
 * Some hundred bytes in place of the image: the digests that the registers are made of, but for those that differ from
 * machine to machine. The hand-off block is computed for the memory at hand, ACPI tables are given.
 *
 * Spec:   dstack 0.6, TdxOsImageMeasurement version 3; RFC 8949 (CBOR, shortest form)
 * Floor:  3, tee/measure. Pure, no heap.
 * Tests:  tests/unit/test_osimage.c, tests/fuzz/fuzz_measure.c
 */
#ifndef TEE_MEASURE_OSIMAGE_H
#define TEE_MEASURE_OSIMAGE_H

#include "tee/measure/measure.h"

#define OSIMAGE_LEN_MAX 4096u   /* bytes of a measurement document */
#define OSIMAGE_SUMS_MAX 16384u /* bytes of a checksum file */
#define OSIMAGE_DOCUMENT "measurement.tdx.cbor"

typedef struct {
    uint8_t mr_td[2][48]; /* by tdvf_order_t */
    uint8_t kernel[48], cmdline[48], initrd[48];
    tdvf_t map; /* the firmware's hand-off block and empty memory alone: do not copy it */
} osimage_t;

/* Reads a measurement document: its members in their order, each once, nothing behind them.
 *   out  filled on RC_OK, else not to be used
 * RC_MALFORMED, RC_LIMIT; RC_UNSUPPORTED: another version, or a firmware that measures other events. e names the
 * member. */
NODISCARD rc_t osimage_read(osimage_t *out, err_t *e, view_t document);

/* The registers on a machine with memory bytes. acpi NULL: RTMR0 stays unknown. The kernel's digest holds for exactly
 * 2 GiB and from 0xb0000000 bytes on, so RC_REFUSED for other sizes; as tdvf_hob_digest. out written only on RC_OK. */
NODISCARD rc_t osimage_measure(measurement_t *out, err_t *e, const osimage_t *image, uint64_t memory,
                               const uint8_t (*acpi)[48]);

/* The image's hash: SHA-256 of its checksum file, which must list name once, with the SHA-256 of bytes.
 *   sums  lines of 64 hex digits, two spaces, name
 * out written only on RC_OK. RC_MALFORMED, RC_LIMIT; RC_REFUSED: it does not list name, or with another hash. */
NODISCARD rc_t osimage_hash(hash32_t *out, err_t *e, view_t sums, const char *name, view_t bytes);

#endif
