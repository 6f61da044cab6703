#include "tee/measure/measure.h"

#include <assert.h>

#include "base/crypto/hash.h"
#include "tee/measure/bzimage.h"

#define EV_PLATFORM_CONFIG_FLAGS 10u /* type of the ACPI events */
#define CMDLINE_SUFFIX " initrd=initrd"

/* GUIDs of EFI variables as they are measured. */
static const uint8_t GUID_GLOBAL[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
                                         0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
static const uint8_t GUID_SECURITY[16] = { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
                                           0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f };

/* The variables of secure boot, which a direct boot leaves empty. */
static const struct {
    const uint8_t *guid;
    const char *name, *what;
} variables[] = {
    { GUID_GLOBAL, "SecureBoot", "EFI variable SecureBoot, empty" },
    { GUID_GLOBAL, "PK", "EFI variable PK, empty" },
    { GUID_GLOBAL, "KEK", "EFI variable KEK, empty" },
    { GUID_SECURITY, "db", "EFI variable db, empty" },
    { GUID_SECURITY, "dbx", "EFI variable dbx, empty" },
};

/* EFI variable Boot0000 of OVMF: the load option "UiApp", a device path into the firmware's own volume. */
static const uint8_t
    BOOT0000[62] = {
        0x09, 0x01, 0x00, 0x00, 0x2c, 0x00, 'U',  0,    'i',  0,    'A',  0,
        'p',  0,    'p',  0,    0,    0,                                        /* flags, path length, name */
        0x04, 0x07, 0x14, 0x00, 0xc9, 0xbd, 0xb8, 0x7c, 0xeb, 0xf8, 0x34, 0x4f, /* path: the firmware volume */
        0xaa, 0xea, 0x3e, 0xe4, 0xaf, 0x65, 0x16, 0xa1, 0x04, 0x06, 0x14, 0x00,
        0x21, 0xaa, 0x2c, 0x46, 0x14, 0x76, 0x03, 0x45,                         /* the file in it */
        0x83, 0x6e, 0x8a, 0xb6, 0xf4, 0x66, 0x23, 0x31, 0x7f, 0xff, 0x04, 0x00, /* end */
    };

static const view_t SEPARATOR = { (const uint8_t *)"\0\0\0\0", 4 };

/* --- events --- */

/* Appends an event; NULL: its digest is not known. */
static void put(measure_register_t *r, const char *what, const uint8_t digest[48])
{
    measure_event_t *ev = &r->events[r->count++];
    *ev = (measure_event_t){ .what = what, .known = digest != NULL };
    if (digest)
        memcpy(ev->digest, digest, 48);
}

static void put_hash_of(measure_register_t *r, const char *what, view_t bytes)
{
    uint8_t digest[48];
    sha384_parts(digest, &bytes, 1);
    put(r, what, digest);
}

/* UEFI_VARIABLE_DATA of a variable without contents. */
static void put_variable(measure_register_t *r, const char *what, const uint8_t guid[16], const char *name)
{
    uint8_t bytes[64];
    wr_t w = wr_of(bytes, sizeof bytes);
    wr_bytes(&w, guid, 16);
    wr_u64le(&w, strlen(name));
    wr_u64le(&w, 0);
    for (; *name; name++)
        wr_u16le(&w, (uint8_t)*name);
    put_hash_of(r, what, wr_view(&w));
}

/* A register begins as zeros; each event replaces it by the hash of both. */
static void close_register(measure_register_t *r)
{
    memset(r->value, 0, sizeof r->value);
    r->known = true;
    for (size_t i = 0; i < r->count && r->known; i++) {
        const view_t parts[2] = { view_of(r->value, 48), view_of(r->events[i].digest, 48) };
        r->known = r->events[i].known;
        sha384_parts(r->value, parts, 2);
    }
    if (!r->known)
        memset(r->value, 0, sizeof r->value);
}

/* --- registers --- */

static void put_rtmr0(measure_register_t *r, const measure_parts_t *p)
{
    static const char *const acpi[MEASURE_ACPI_COUNT] = { "ACPI table loader", "ACPI RSDP", "ACPI tables" };
    put(r, "hand-off block: memory map", p->hob);
    put(r, "configuration firmware volume", p->cfv);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        put_variable(r, variables[i].what, variables[i].guid, variables[i].name);
    put_hash_of(r, "separator", SEPARATOR);
    assert(r->count == MEASURE_ACPI_AT);
    for (size_t i = 0; i < MEASURE_ACPI_COUNT; i++)
        put(r, acpi[i], p->has_acpi ? p->acpi[i] : NULL);
    put_hash_of(r, "EFI variable BootOrder", view_of("\0\0", 2));
    put_hash_of(r, "EFI variable Boot0000", view_of(BOOT0000, sizeof BOOT0000));
    close_register(r);
}

static void put_rtmr1(measure_register_t *r, const uint8_t kernel[48])
{
    put(r, "kernel", kernel);
    put_hash_of(r, "Calling EFI Application from Boot Option", view_str("Calling EFI Application from Boot Option"));
    put_hash_of(r, "separator", SEPARATOR);
    put_hash_of(r, "Exit Boot Services Invocation", view_str("Exit Boot Services Invocation"));
    put_hash_of(r, "Exit Boot Services Returned with Success", view_str("Exit Boot Services Returned with Success"));
    close_register(r);
}

void measure_parts(measurement_t *out, const measure_parts_t *parts)
{
    measurement_t m = { .rtmr[0].count = 0 };
    memcpy(m.mr_td, parts->mr_td, sizeof m.mr_td);
    put_rtmr0(&m.rtmr[0], parts);
    put_rtmr1(&m.rtmr[1], parts->kernel);
    if (parts->has_as_built)
        put_rtmr1(&m.rtmr1_as_built, parts->kernel_as_built);
    put(&m.rtmr[2], "kernel command line", parts->cmdline);
    put(&m.rtmr[2], "initrd", parts->initrd);
    close_register(&m.rtmr[2]);
    *out = m;
}

/* --- from files --- */

/* As the kernel gets it from the firmware: wide characters, with a zero. */
static rc_t cmdline_digest(uint8_t out[48], err_t *e, view_t cmdline)
{
    uint8_t wide[2 * (MEASURE_CMDLINE_MAX + 1)];
    wr_t w = wr_of(wide, sizeof wide);
    const view_t parts[2] = { cmdline, view_str(CMDLINE_SUFFIX) };
    for (size_t i = 0; i < cmdline.n; i++) {
        bool plain = cmdline.p[i] >= 0x20 && cmdline.p[i] < 0x7f;
        if (!plain) {
            return err_say(e, RC_MALFORMED, "the command line has a character that is not printable ASCII");
        }
        if (cmdline.n - i >= 4 && memcmp(cmdline.p + i, "vga=", 4) == 0) {
            return err_say(e, RC_UNSUPPORTED, "the command line has vga=, for which QEMU patches the kernel otherwise");
        }
    }
    for (size_t part = 0; part < 2; part++)
        for (size_t i = 0; i < parts[part].n; i++)
            wr_u16le(&w, parts[part].p[i]);
    wr_u16le(&w, 0);
    if (w.bad) {
        return err_say(e, RC_LIMIT, "the command line is too long");
    }
    const view_t all = wr_view(&w);
    sha384_parts(out, &all, 1);
    return RC_OK;
}

rc_t measure_image(measurement_t *out, err_t *e, const measure_image_t *in)
{
    measure_parts_t p = { .has_acpi = in->has_acpi, .has_as_built = true };
    tdvf_t t;
    if (!in->initrd.n)
        return err_say(e, RC_MALFORMED, "the initrd is empty");
    if (in->initrd.n > MEASURE_INITRD_MAX)
        return err_say(e, RC_LIMIT, "the initrd is too large");
    rc_t rc = tdvf_parse(&t, e, in->firmware);
    if (!rc)
        rc = tdvf_hob_digest(p.hob, e, &t, in->memory);
    if (!rc)
        rc = bzimage_digest(p.kernel, e, in->kernel, in->memory, in->initrd.n, BZIMAGE_FILLED_IN);
    if (!rc)
        rc = bzimage_digest(p.kernel_as_built, e, in->kernel, in->memory, in->initrd.n, BZIMAGE_AS_BUILT);
    if (!rc)
        rc = cmdline_digest(p.cmdline, e, in->cmdline);
    if (rc)
        return rc;
    tdvf_mr_td(p.mr_td[TDVF_PAGE_BY_PAGE], &t, TDVF_PAGE_BY_PAGE);
    tdvf_mr_td(p.mr_td[TDVF_PAGES_FIRST], &t, TDVF_PAGES_FIRST);
    sha384_parts(p.cfv, &t.cfv->data, 1);
    sha384_parts(p.initrd, &in->initrd, 1);
    memcpy(p.acpi, in->acpi, sizeof p.acpi);
    measure_parts(out, &p);
    return RC_OK;
}

/* --- against a log --- */

rc_t measure_take_acpi(uint8_t acpi[MEASURE_ACPI_COUNT][48], err_t *e, const eventlog_t *log)
{
    const event_t *found[MEASURE_ACPI_COUNT];
    size_t count = 0;
    for (size_t i = 0; i < log->count; i++) {
        if (log->events[i].imr != 0 || log->events[i].type != EV_PLATFORM_CONFIG_FLAGS)
            continue;
        if (count < MEASURE_ACPI_COUNT)
            found[count] = &log->events[i];
        count++;
    }
    if (count != MEASURE_ACPI_COUNT) {
        return err_say(e, RC_REFUSED, "the event log has not exactly three events of ACPI tables in RTMR0");
    }
    for (size_t i = 0; i < MEASURE_ACPI_COUNT; i++)
        memcpy(acpi[i], found[i]->digest, 48);
    return RC_OK;
}

static size_t register_differs(const measure_register_t *r, const eventlog_t *log, unsigned imr)
{
    size_t at = 0;
    for (size_t i = 0; i < log->count; i++) {
        if (log->events[i].imr != imr)
            continue;
        if (at == r->count || !r->events[at].known || memcmp(log->events[i].digest, r->events[at].digest, 48) != 0)
            return at;
        at++;
    }
    return at == r->count ? MEASURE_SAME : at;
}

size_t measure_differs(const measurement_t *m, const eventlog_t *log, unsigned imr)
{
    const size_t at = register_differs(&m->rtmr[imr], log, imr);
    const size_t as_built = imr == 1 && m->rtmr1_as_built.known ? register_differs(&m->rtmr1_as_built, log, imr) : 0;
    return at > as_built ? at : as_built;
}
