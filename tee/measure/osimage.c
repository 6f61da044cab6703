#include "tee/measure/osimage.h"

#include "base/crypto/hash.h"
#include "base/hex.h"

#define VERSION 3u
#define PAGE 4096u
#define PAGES_MAX (TDVF_MEMORY_MAX / PAGE)
#define SUM_DIGITS 64u

/* SHA-384 of the configuration volume of OVMF as it is built, which the document does not have (tee-facts 13.1). */
static const uint8_t CFV[48] = { 0x34, 0x4b, 0xc5, 0x1c, 0x98, 0x0b, 0xa6, 0x21, 0xaa, 0xa0, 0x0d, 0xa3,
                                 0xed, 0x74, 0x36, 0xf7, 0xd6, 0xe5, 0x49, 0x19, 0x7d, 0xfe, 0x69, 0x95,
                                 0x15, 0xdf, 0xa2, 0xc6, 0x58, 0x3d, 0x95, 0xe6, 0x41, 0x2a, 0xf2, 0x1c,
                                 0x09, 0x7d, 0x47, 0x31, 0x55, 0x87, 0x5f, 0xfd, 0x56, 0x1d, 0x67, 0x90 };

/* --- CBOR: what these documents are made of --- */

enum { CBOR_UINT = 0, CBOR_BYTES = 2, CBOR_TEXT = 3, CBOR_MAP = 5 };

/* Where reading is, and the first member that was not as it must be. */
typedef struct {
    rd_t r;
    const char *bad;
} cbor_t;

/* The number in an item's head: its value, length or number of members; in its shortest form. */
static uint64_t take_head(rd_t *r, unsigned type)
{
    const uint8_t first = rd_u8(r);
    const unsigned form = first & 31u;
    const uint64_t n = form == 24 ? rd_u8(r) : form == 25 ? rd_u16be(r) : form;
    if ((unsigned)(first >> 5) != type || form > 25 || (form == 24 && n < 24) || (form == 25 && n < 256))
        r->bad = true;
    return r->bad ? 0 : n;
}

static view_t take_text(rd_t *r)
{
    const uint64_t n = take_head(r, CBOR_TEXT);
    return rd_take(r, (size_t)n);
}

/* The name of the next member, which is the last part of path. */
static void take_name(cbor_t *c, const char *path)
{
    const char *dot = strrchr(path, '.');
    const view_t name = take_text(&c->r);
    if (c->r.bad || !view_eq(name, view_str(dot ? dot + 1 : path)))
        c->r.bad = true;
}

static void note(cbor_t *c, const char *path)
{
    if (c->r.bad && !c->bad)
        c->bad = path;
}

static void take_map(cbor_t *c, const char *path, uint64_t members)
{
    if (path[0])
        take_name(c, path);
    if (take_head(&c->r, CBOR_MAP) != members)
        c->r.bad = true;
    note(c, path);
}

static view_t take_bytes(cbor_t *c, const char *path)
{
    take_name(c, path);
    const uint64_t n = take_head(&c->r, CBOR_BYTES);
    const view_t bytes = rd_take(&c->r, (size_t)n);
    note(c, path);
    return bytes;
}

static void take_digest(uint8_t out[48], cbor_t *c, const char *path)
{
    const view_t bytes = take_bytes(c, path);
    if (!c->r.bad && bytes.n == 48)
        memcpy(out, bytes.p, 48);
    else
        c->r.bad = true;
    note(c, path);
}

/* --- the firmware's memory --- */

/* A number of 7 bits a byte, the lowest first, without needless bytes. */
static uint64_t take_pages(rd_t *r)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        const uint8_t b = rd_u8(r);
        n |= (uint64_t)(b & 0x7f) << shift;
        if (b & 0x80)
            continue;
        if ((shift && !b) || n > PAGES_MAX)
            break;
        return n;
    }
    r->bad = true;
    return 0;
}

/* Where its first page is, where the hand-off block; then its ranges, in order: first page and number of pages. */
static rc_t read_map(tdvf_t *t, err_t *e, view_t bytes)
{
    rd_t r = rd_of(bytes);
    const uint64_t base = take_pages(&r), hob = take_pages(&r), count = take_pages(&r);
    uint64_t end = 0;
    t->cfv = t->td_hob = NULL;
    if (count > TDVF_SECTIONS_MAX)
        return err_in(e, RC_LIMIT, "tdvf.td_hob", "has more than %u ranges of memory", TDVF_SECTIONS_MAX);
    for (t->count = 0; t->count < count; t->count++) {
        tdvf_section_t *s = &t->sections[t->count];
        const uint64_t start = take_pages(&r), pages = take_pages(&r);
        if (r.bad || !pages || start < end || (!t->count && start) || base + start + pages > PAGES_MAX)
            return err_in(e, RC_MALFORMED, "tdvf.td_hob", "has ranges of memory that are none, or out of order");
        *s = (tdvf_section_t){ .type = start == hob ? TDVF_TD_HOB : TDVF_TEMP_MEM,
                               .address = (base + start) * PAGE,
                               .size = pages * PAGE };
        if (start == hob)
            t->td_hob = s;
        end = start + pages;
    }
    if (!rd_done(&r) || !t->td_hob)
        return err_in(e, RC_MALFORMED, "tdvf.td_hob", "is cut off, or does not say where the hand-off block is");
    return RC_OK;
}

/* --- the document --- */

static void take_version(uint64_t *version, cbor_t *c)
{
    take_name(c, "version");
    *version = take_head(&c->r, CBOR_UINT);
    note(c, "version");
}

static void take_variant(view_t *variant, cbor_t *c)
{
    take_name(c, "tdvf.ovmf");
    *variant = take_text(&c->r);
    note(c, "tdvf.ovmf");
}

rc_t osimage_read(osimage_t *out, err_t *e, view_t document)
{
    cbor_t c = { rd_of(document), NULL };
    uint64_t version;
    view_t variant;
    if (document.n > OSIMAGE_LEN_MAX)
        return err_say(e, RC_LIMIT, "the measurement document is too long");
    take_map(&c, "", 3);
    take_version(&version, &c);
    if (!c.bad && version != VERSION)
        return err_in(e, RC_UNSUPPORTED, "version", "must be %u, not %llu", VERSION, (unsigned long long)version);
    take_map(&c, "image", 3);
    take_digest(out->cmdline, &c, "image.cmdline_sha384");
    take_digest(out->kernel, &c, "image.kernel_authenticode");
    take_digest(out->initrd, &c, "image.initrd_sha384");
    take_map(&c, "tdvf", 3);
    take_variant(&variant, &c);
    take_map(&c, "tdvf.mrtd", 2);
    take_digest(out->mr_td[TDVF_PAGE_BY_PAGE], &c, "tdvf.mrtd.single_pass");
    take_digest(out->mr_td[TDVF_PAGES_FIRST], &c, "tdvf.mrtd.two_pass");
    const view_t map = take_bytes(&c, "tdvf.td_hob");
    if (c.bad)
        return err_in(e, RC_MALFORMED, c.bad, "is missing, out of its order, of another kind or of another length");
    if (!rd_done(&c.r))
        return err_say(e, RC_MALFORMED, "the measurement document has bytes behind its end");
    if (!view_eq(variant, view_str("pre202505")))
        return err_in(e, RC_UNSUPPORTED, "tdvf.ovmf", "must be pre202505: newer firmware measures other events");
    return read_map(&out->map, e, map);
}

rc_t osimage_measure(measurement_t *out, err_t *e, const osimage_t *image, uint64_t memory, const uint8_t (*acpi)[48])
{
    measure_parts_t p = { .has_acpi = acpi != NULL };
    if (memory < 0xb0000000u && memory != 0x80000000u)
        return err_say(e, RC_REFUSED,
                       "the kernel's digest depends on the memory below 2816 MiB, except at 2 GiB, and the measurement "
                       "document has no kernel: measure the files");
    const rc_t rc = tdvf_hob_digest(p.hob, e, &image->map, memory);
    if (rc)
        return rc;
    memcpy(p.mr_td, image->mr_td, sizeof p.mr_td);
    memcpy(p.cfv, CFV, 48);
    memcpy(p.kernel, image->kernel, 48);
    memcpy(p.cmdline, image->cmdline, 48);
    memcpy(p.initrd, image->initrd, 48);
    for (size_t i = 0; acpi && i < MEASURE_ACPI_COUNT; i++)
        memcpy(p.acpi[i], acpi[i], 48);
    measure_parts(out, &p);
    return RC_OK;
}

/* --- the checksum file --- */

/* Cuts one line off; false: there is none, or one that is no checksum's, which sets *bad. */
static bool next_sum(uint8_t sum[32], view_t *name, view_t *rest, bool *bad)
{
    const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    if (!rest->n)
        return false;
    const size_t n = end ? (size_t)(end - rest->p) : 0;
    if (!end || n <= SUM_DIGITS + 2 || memcmp(rest->p + SUM_DIGITS, "  ", 2) != 0 ||
        hex_decode_exact(sum, 32, (const char *)rest->p, SUM_DIGITS) || memcmp(rest->p, "0x", 2) == 0) {
        *bad = true;
        return false;
    }
    *name = view_of(rest->p + SUM_DIGITS + 2, n - SUM_DIGITS - 2);
    *rest = view_of(end + 1, rest->n - n - 1);
    return true;
}

rc_t osimage_hash(hash32_t *out, err_t *e, view_t sums, const char *name, view_t bytes)
{
    hash32_t hash;
    uint8_t sum[32], listed[32] = { 0 };
    view_t rest = sums, one;
    unsigned found = 0;
    bool bad = false;
    if (sums.n > OSIMAGE_SUMS_MAX)
        return err_say(e, RC_LIMIT, "the checksum file is too long");
    while (next_sum(sum, &one, &rest, &bad))
        if (view_eq(one, view_str(name))) {
            memcpy(listed, sum, 32);
            found++;
        }
    if (bad)
        return err_say(e, RC_MALFORMED, "the checksum file has a line that is not 64 hex digits, two spaces, a name");
    sha256(&hash, bytes);
    if (found != 1 || memcmp(listed, hash.b, 32) != 0)
        return err_set(e, RC_REFUSED, "the checksum file %s %s",
                       !found      ? "does not list"
                       : found > 1 ? "lists more than once"
                                   : "has another hash of",
                       name);
    sha256(out, sums);
    return RC_OK;
}
