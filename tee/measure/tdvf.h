/* tdvf.h - the virtual firmware of a TD: its metadata, the MRTD that building a TD from it gives, its hand-off block.
 *
 * The metadata are a list of sections at the end of the firmware's file: which bytes of the file, or which empty
 * memory, is put at which guest address before the TD runs, and whether its contents are measured. Read as strictly as
 * QEMU does, and stricter where the TDX module would refuse to build the TD (overlaps) or where the measured bytes are
 * not in the file.
 *
 * Spec:   TDVF design guide section 11 (metadata); TDX module ABI, TDH.MEM.PAGE.ADD and TDH.MR.EXTEND; UEFI PI
 *         volume 3 (HOB); tee-facts section 13.1
 * Floor:  3, tee/measure. Pure, no heap.
 * Tests:  tests/unit/test_tdvf.c, tests/fuzz/fuzz_measure.c
 */
#ifndef TEE_MEASURE_TDVF_H
#define TEE_MEASURE_TDVF_H

#include "base/bytes.h"
#include "base/err.h"

#define TDVF_FIRMWARE_MAX (16u << 20) /* bytes of a file: what a PC's flash can be */
#define TDVF_SECTIONS_MAX 32u
#define TDVF_PAGES_MAX 65536u        /* 4 KiB pages of all sections: bounds the work of tdvf_mr_td */
#define TDVF_MEMORY_MAX (1ull << 46) /* bytes of guest memory */

typedef enum {
    TDVF_BFV,      /* the boot firmware volume: code */
    TDVF_CFV,      /* the configuration firmware volume: the store of EFI variables */
    TDVF_TD_HOB,   /* where the hand-off block is put */
    TDVF_TEMP_MEM, /* stack, heap, mailbox of the early firmware */
} tdvf_type_t;

typedef struct {
    tdvf_type_t type;
    bool measured;          /* its contents are extended into MRTD (MR_EXTEND) */
    bool augmented;         /* its pages are added only when the TD runs (PAGE_AUG): nothing of it is in MRTD */
    uint64_t address, size; /* in guest memory, bytes; multiples of 4096 */
    view_t data;            /* in the firmware; n is size, or 0 for TD_HOB and TEMP_MEM */
} tdvf_section_t;

typedef struct {
    tdvf_section_t sections[TDVF_SECTIONS_MAX]; /* in the order of the file, which MRTD depends on */
    size_t count;
    const tdvf_section_t *cfv, *td_hob; /* into the same object: do not copy it */
} tdvf_t;

/* The order in which a host adds the pages of one section and measures their contents: it is not in the file. */
typedef enum {
    TDVF_PAGE_BY_PAGE, /* each page is added, then measured: QEMU from 9.0 on */
    TDVF_PAGES_FIRST,  /* all pages are added, then all measured: QEMU 8 */
} tdvf_order_t;

/* Reads the metadata of a firmware file: exactly one CFV and one TD_HOB, at least one measured BFV, no overlap in
 * memory.
 *   out  filled on RC_OK, else not to be used; views into firmware
 * RC_MALFORMED, RC_LIMIT; RC_UNSUPPORTED: a version, section type or attribute that this build cannot measure. */
NODISCARD rc_t tdvf_parse(tdvf_t *out, err_t *e, view_t firmware);

/* The MRTD of a TD that is built from this firmware. Cannot fail. */
void tdvf_mr_td(uint8_t out[48], const tdvf_t *t, tdvf_order_t order);

/* The digest of the hand-off block that QEMU writes for a q35 machine with memory bytes: the first event of RTMR0.
 * RC_REFUSED: no multiple of 4096, above TDVF_MEMORY_MAX, or a section lies outside the memory. */
NODISCARD rc_t tdvf_hob_digest(uint8_t out[48], err_t *e, const tdvf_t *t, uint64_t memory);

/* Where the memory of a q35 machine below 4 GiB ends; the rest stands above 4 GiB. */
uint64_t tdvf_low_memory(uint64_t memory);

#endif
