#include "tee/measure/bzimage.h"

#include "base/crypto/hash.h"

#include "tee/measure/tdvf.h"

#define HEAD 4096u /* bytes in front of the file of which a patched copy is made */

/* The setup header: offsets in the file. */
enum {
    AT_MAGIC = 0x202,
    AT_PROTOCOL = 0x206,
    AT_LOADER_TYPE = 0x210,
    AT_LOAD_FLAGS = 0x211,
    AT_INITRD_ADDRESS = 0x218,
    AT_INITRD_LEN = 0x21c,
    AT_HEAP_END = 0x224,
    AT_CMDLINE = 0x228,
    AT_INITRD_MAX = 0x22c,
    AT_XLOAD_FLAGS = 0x236,
};
#define PROTOCOL_MIN 0x20cu
#define LOADED_HIGH 0x01u
#define CAN_USE_HEAP 0x80u
#define ABOVE_4G 0x02u

/* QEMU's constants. */
#define LOADER_QEMU 0xb0u
#define REAL_ADDRESS 0x10000u
#define CMDLINE_ADDRESS 0x20000u
#define ACPI_DATA_LEN 0x28000u

#define PE32PLUS 0x20bu
#define DIRECTORY_SECURITY 4u
#define PE_SECTION_LEN 40u

typedef struct {
    uint8_t head[HEAD]; /* patched */
    view_t file;
} image_t;

typedef struct {
    uint32_t at, len;
} range_t;

static uint32_t u32_at(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_u32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

/* Where QEMU puts the initrd: as high as it may below 4 GiB, in front of the ACPI tables. */
static rc_t initrd_address(uint32_t *out, err_t *e, const uint8_t *head, uint64_t memory, uint64_t initrd_len)
{
    uint64_t max = head[AT_XLOAD_FLAGS] & ABOVE_4G ? UINT32_MAX : u32_at(head + AT_INITRD_MAX);
    uint64_t low = tdvf_low_memory(memory);
    if (low <= ACPI_DATA_LEN)
        return err_say(e, RC_REFUSED, "the machine has too little memory");
    if (max >= low - ACPI_DATA_LEN)
        max = low - ACPI_DATA_LEN - 1;
    if (initrd_len >= max)
        return err_say(e, RC_REFUSED, "the initrd does not fit into the machine's memory");
    *out = (uint32_t)(max - initrd_len) & ~4095u;
    return RC_OK;
}

static rc_t patch(image_t *m, err_t *e, uint64_t memory, uint64_t initrd_len)
{
    uint8_t *head = m->head;
    uint32_t address = 0;
    if (memcmp(head + AT_MAGIC, "HdrS", 4) != 0)
        return err_say(e, RC_MALFORMED, "the kernel is not a Linux bzImage");
    if ((head[AT_PROTOCOL] | (unsigned)head[AT_PROTOCOL + 1] << 8) < PROTOCOL_MIN ||
        !(head[AT_LOAD_FLAGS] & LOADED_HIGH))
        return err_say(e, RC_UNSUPPORTED, "the kernel's boot protocol is older than 2.12");
    head[AT_LOADER_TYPE] = LOADER_QEMU;
    head[AT_LOAD_FLAGS] |= CAN_USE_HEAP;
    put_u32(head + AT_HEAP_END, CMDLINE_ADDRESS - REAL_ADDRESS - 0x200);
    put_u32(head + AT_CMDLINE, CMDLINE_ADDRESS);
    if (!initrd_len)
        return RC_OK;
    rc_t rc = initrd_address(&address, e, head, memory, initrd_len);
    if (rc)
        return rc;
    put_u32(head + AT_INITRD_ADDRESS, address);
    put_u32(head + AT_INITRD_LEN, (uint32_t)initrd_len);
    return RC_OK;
}

/* Hashes [from, until) of the patched file. */
static void hash_range(sha384_t *h, const image_t *m, size_t from, size_t until)
{
    if (from < HEAD && from < until) {
        size_t end = until < HEAD ? until : HEAD;
        sha384_add(h, view_of(m->head + from, end - from));
        from = end;
    }
    if (from < until)
        sha384_add(h, view_of(m->file.p + from, until - from));
}

/* The PE headers, as far as the digest needs them. */
typedef struct {
    uint32_t checksum, security; /* offsets; security 0: no entry for certificates */
    uint32_t headers_len, certificates_len;
    range_t sections[BZIMAGE_SECTIONS_MAX]; /* those with data, by offset */
    size_t count;
} pe_t;

/* Puts a section where it belongs. */
static void insert(pe_t *pe, range_t s)
{
    size_t i = pe->count++;
    for (; i > 0 && s.at < pe->sections[i - 1].at; i--)
        pe->sections[i] = pe->sections[i - 1];
    pe->sections[i] = s;
}

static rc_t read_sections(pe_t *pe, err_t *e, rd_t r, unsigned count, size_t file_len)
{
    uint64_t end = pe->headers_len;
    if (count > BZIMAGE_SECTIONS_MAX)
        return err_say(e, RC_LIMIT, "the kernel has too many PE sections");
    for (unsigned i = 0; i < count; i++) {
        range_t s;
        rd_take(&r, 16); /* name, size and address in memory */
        s.len = rd_u32le(&r);
        s.at = rd_u32le(&r);
        rd_take(&r, PE_SECTION_LEN - 24);
        if (s.len)
            insert(pe, s);
    }
    if (r.bad)
        return err_say(e, RC_MALFORMED, "the kernel's PE headers are cut off");
    for (size_t i = 0; i < pe->count; i++) {
        if (pe->sections[i].at < end)
            return err_say(e, RC_MALFORMED, "the kernel's PE sections overlap each other or the headers");
        end = (uint64_t)pe->sections[i].at + pe->sections[i].len;
    }
    return end <= file_len ? RC_OK : err_say(e, RC_MALFORMED, "a PE section lies outside the kernel's file");
}

/* Reads the headers out of the head: as the firmware sees them, patched. */
static rc_t read_pe(pe_t *pe, err_t *e, const image_t *m)
{
    uint32_t at = u32_at(m->head + 0x3c);
    *pe = (pe_t){ .count = 0 };
    if (memcmp(m->head, "MZ", 2) != 0 || at > HEAD - 24 || memcmp(m->head + at, "PE\0\0", 4) != 0)
        return err_say(e, RC_MALFORMED, "the kernel has no PE header: it was built without CONFIG_EFI_STUB");
    rd_t r = rd_of(view_of(m->head + at + 4, HEAD - at - 4));
    rd_take(&r, 2); /* machine */
    unsigned count = rd_u16le(&r);
    rd_take(&r, 12);
    unsigned optional_len = rd_u16le(&r);
    rd_take(&r, 2); /* characteristics */
    uint32_t optional = at + 24;
    view_t fields = rd_take(&r, optional_len);
    if (fields.n < 112)
        return err_say(e, RC_MALFORMED, "the kernel's PE headers are cut off");
    if ((fields.p[0] | (unsigned)fields.p[1] << 8) != PE32PLUS)
        return err_say(e, RC_UNSUPPORTED, "the kernel is not a 64-bit PE image");
    pe->checksum = optional + 64;
    pe->headers_len = u32_at(fields.p + 60);
    if (u32_at(fields.p + 108) > DIRECTORY_SECURITY) {
        if (fields.n < 112 + 8 * (DIRECTORY_SECURITY + 1))
            return err_say(e, RC_MALFORMED, "the kernel's PE headers are cut off");
        pe->security = optional + 112 + 8 * DIRECTORY_SECURITY;
        pe->certificates_len = u32_at(fields.p + 112 + 8 * DIRECTORY_SECURITY + 4);
    }
    if (pe->headers_len < optional + optional_len + PE_SECTION_LEN * count || pe->headers_len > m->file.n)
        return err_say(e, RC_MALFORMED, "the kernel's PE headers are longer than they say");
    return read_sections(pe, e, r, count, m->file.n);
}

rc_t bzimage_digest(uint8_t out[48], err_t *e, view_t kernel, uint64_t memory, uint64_t initrd_len, bzimage_form_t form)
{
    image_t m = { .file = kernel };
    sha384_t h;
    pe_t pe;
    if (kernel.n < HEAD)
        return err_say(e, RC_MALFORMED, "the kernel is too short");
    if (kernel.n > BZIMAGE_MAX)
        return err_say(e, RC_LIMIT, "the kernel is too large");
    memcpy(m.head, kernel.p, HEAD);
    rc_t rc = patch(&m, e, memory, initrd_len);
    if (form == BZIMAGE_AS_BUILT)
        memcpy(m.head, kernel.p, HEAD);
    if (!rc)
        rc = read_pe(&pe, e, &m);
    if (rc)
        return rc;
    size_t hashed = pe.headers_len;
    sha384_begin(&h);
    hash_range(&h, &m, 0, pe.checksum);
    if (pe.security)
        hash_range(&h, &m, pe.checksum + 4, pe.security);
    hash_range(&h, &m, pe.security ? pe.security + 8 : pe.checksum + 4, pe.headers_len);
    for (size_t i = 0; i < pe.count; i++) {
        hash_range(&h, &m, pe.sections[i].at, (size_t)pe.sections[i].at + pe.sections[i].len);
        hashed += pe.sections[i].len;
    }
    /* What no section covers is measured too, but for the certificates at the end. It begins where the sum of the
     * lengths says, which is behind the last section only if there are no gaps. */
    if (pe.certificates_len > kernel.n - hashed)
        return err_say(e, RC_MALFORMED, "the kernel's certificates lie outside its file");
    hash_range(&h, &m, hashed, kernel.n - pe.certificates_len);
    sha384_end(out, &h);
    return RC_OK;
}
