/* bzimage.h - the Linux kernel as QEMU hands it to the firmware, and the digest that the firmware measures of it.
 *
 * QEMU before 10.2 writes some fields of the setup header (loader type, heap, command line, place and size of the
 * initrd) before the firmware sees the file; from 10.2 on a confidential guest gets the file as it was built. The
 * firmware measures the Authenticode digest of what it gets.
 *
 * Spec:   Linux Documentation/arch/x86/boot.rst (setup header); PE/COFF specification, appendix A (Authenticode
 *         digest) as EDK II computes it; tee-facts section 13.1
 * Floor:  3, tee/measure. Pure, no heap.
 * Tests:  tests/unit/test_bzimage.c, tests/fuzz/fuzz_measure.c
 */
#ifndef TEE_MEASURE_BZIMAGE_H
#define TEE_MEASURE_BZIMAGE_H

#include "base/bytes.h"
#include "base/err.h"

#define BZIMAGE_MAX (256u << 20) /* bytes of a kernel */
#define BZIMAGE_SECTIONS_MAX 96u /* PE sections; the specification's maximum for loaders */

typedef enum { BZIMAGE_FILLED_IN, BZIMAGE_AS_BUILT } bzimage_form_t;

/* The SHA-384 Authenticode digest of kernel; filled in: as QEMU does for a q35 machine with memory bytes and an initrd
 * of initrd_len bytes. That digest depends on memory only below 0xb0000000, through the place of the initrd.
 * RC_MALFORMED, RC_LIMIT; RC_UNSUPPORTED: a kernel older than boot protocol 2.12, or not a 64-bit one; RC_REFUSED: the
 * initrd does not fit. */
NODISCARD rc_t bzimage_digest(uint8_t out[48], err_t *e, view_t kernel, uint64_t memory, uint64_t initrd_len,
                              bzimage_form_t form);

#endif
