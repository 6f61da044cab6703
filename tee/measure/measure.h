/* measure.h - what MRTD and RTMR0 to RTMR2 of a TD must be when QEMU boots it from given files.
 *
 * Register by register, event by event, as OVMF's TDX build before edk2-stable202505 measures a direct kernel boot.
 * Each event is computed from the files, but for three: the ACPI tables, which QEMU makes from its own version and the
 * whole shape of the machine. Those are given, or RTMR0 stays unknown.
 *
 * Spec:   tee-facts section 13.1; TCG PC client platform firmware profile (event digests)
 * Floor:  3, tee/measure. Pure, no heap.
 * Tests:  tests/unit/test_measure.c, tests/fuzz/fuzz_measure.c
 */
#ifndef TEE_MEASURE_MEASURE_H
#define TEE_MEASURE_MEASURE_H

#include "tee/measure/tdvf.h"
#include "tee/quote/eventlog.h"

#define MEASURE_EVENTS_MAX 16u
#define MEASURE_CMDLINE_MAX 2047u /* characters: what the kernel takes */
#define MEASURE_INITRD_MAX (1u << 30)
#define MEASURE_ACPI_MAX (2u << 20) /* bytes of one ACPI file */

#define MEASURE_ACPI_AT 8u /* the first of their events in RTMR0 */

enum { MEASURE_ACPI_LOADER, MEASURE_ACPI_RSDP, MEASURE_ACPI_TABLES, MEASURE_ACPI_COUNT };

typedef struct {
    view_t firmware, kernel, initrd;
    view_t cmdline;  /* as given to QEMU: without the " initrd=initrd" that the firmware adds */
    uint64_t memory; /* bytes of guest memory */
    bool has_acpi;
    uint8_t acpi[MEASURE_ACPI_COUNT][48]; /* SHA-384 of QEMU's etc/table-loader, etc/acpi/rsdp, etc/acpi/tables */
} measure_image_t;

/* The digests that the registers are made of, wherever they come from: files (below) or an image's own measurement
 * document (osimage.h). */
typedef struct {
    uint8_t mr_td[2][48];                 /* by tdvf_order_t */
    uint8_t hob[48], cfv[48];             /* events of RTMR0 that differ between machines and firmwares */
    bool has_acpi;                        /* those of ACPI tables, too */
    uint8_t acpi[MEASURE_ACPI_COUNT][48]; /* in the order of their events */
    uint8_t kernel[48];                   /* event 0 of RTMR1 */
    bool has_as_built;                    /* ... on a host whose QEMU hands the kernel over as it was built */
    uint8_t kernel_as_built[48];
    uint8_t cmdline[48], initrd[48]; /* events of RTMR2 */
} measure_parts_t;

typedef struct {
    const char *what; /* static storage */
    bool known;
    uint8_t digest[48]; /* when known */
} measure_event_t;

typedef struct {
    measure_event_t events[MEASURE_EVENTS_MAX];
    size_t count;
    bool known;        /* all events are */
    uint8_t value[48]; /* when known */
} measure_register_t;

typedef struct {
    uint8_t mr_td[2][48]; /* by tdvf_order_t: which one, the host's QEMU decides; both stand for the same firmware */
    measure_register_t rtmr[3];
    /* on a host whose QEMU hands the kernel over as it was built: from 10.2 on. Not known without has_as_built */
    measure_register_t rtmr1_as_built;
} measurement_t;

/* Puts the registers together. Cannot fail. */
void measure_parts(measurement_t *out, const measure_parts_t *parts);

/* Computes all registers from files.
 *   out  written only on RC_OK
 * RC_MALFORMED, RC_LIMIT, RC_UNSUPPORTED, RC_REFUSED. */
NODISCARD rc_t measure_image(measurement_t *out, err_t *e, const measure_image_t *in);

/* Takes the digests of the ACPI tables from a log that was replayed: exactly three events of their type in RTMR0. What
 * stands in the tables nobody has checked then. RC_REFUSED: it has other events. */
NODISCARD rc_t measure_take_acpi(uint8_t acpi[MEASURE_ACPI_COUNT][48], err_t *e, const eventlog_t *log);

/* Compares register imr (0 to 2) of a replayed log with what was computed. Returns the index of the first event in
 * which they differ (where one has no further event, the count of the shorter), or MEASURE_SAME. What is not known
 * differs from all. Register 1 may be either. */
#define MEASURE_SAME SIZE_MAX
size_t measure_differs(const measurement_t *m, const eventlog_t *log, unsigned imr);

#endif
