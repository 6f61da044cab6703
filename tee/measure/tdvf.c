#include "tee/measure/tdvf.h"

#include "base/crypto/hash.h"

#define PAGE 4096u
#define CHUNK 256u     /* bytes that one MR.EXTEND measures */
#define RECORD 128u    /* bytes of one record in the stream that MRTD is the hash of */
#define FOOTER_AT 32u  /* distance of the table's end from the end of the file: the reset vector stands behind it */
#define ENTRY_TAIL 18u /* u16 length and GUID behind the data of each table entry */
#define SECTION_LEN 32u
#define ADDRESS_MAX (1ull << 52)
#define MR_EXTEND 1u
#define PAGE_AUG 2u

/* GUIDs as they stand in the file. */
static const uint8_t GUID_FOOTER[16] = { 0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                                         0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d };
static const uint8_t GUID_TDVF[16] = { 0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47,
                                       0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2 };

/* Takes the last entry off a table: its data, and its GUID in front of the table's new end. */
static bool take_last(view_t *data, const uint8_t **guid, view_t *table)
{
    if (table->n < ENTRY_TAIL)
        return false;
    const uint8_t *tail = table->p + table->n - ENTRY_TAIL;
    size_t len = (size_t)(tail[0] | tail[1] << 8);
    if (len < ENTRY_TAIL || len > table->n)
        return false;
    *guid = tail + 2;
    *data = view_of(table->p + table->n - len, len - ENTRY_TAIL);
    table->n -= len;
    return true;
}

/* The distance of the descriptor from the end of the file, from the table of GUIDs. */
static rc_t find_descriptor(uint32_t *distance, err_t *e, view_t firmware)
{
    const uint8_t *guid;
    view_t table = { firmware.p, firmware.n < FOOTER_AT ? 0 : firmware.n - FOOTER_AT }, data;
    bool found = false;
    if (!take_last(&data, &guid, &table) || memcmp(guid, GUID_FOOTER, 16) != 0)
        return err_say(e, RC_MALFORMED, "the firmware has no table of GUIDs at its end: it is not OVMF");
    for (table = data; table.n;) {
        if (!take_last(&data, &guid, &table))
            return err_say(e, RC_MALFORMED, "the firmware's table of GUIDs is broken");
        if (memcmp(guid, GUID_TDVF, 16) != 0)
            continue;
        if (found || data.n != 4)
            return err_say(e, RC_MALFORMED,
                           "the firmware's table has two entries for TDX metadata, or one of a wrong length");
        rd_t r = rd_of(data);
        *distance = rd_u32le(&r);
        found = true;
    }
    return found ? RC_OK : err_say(e, RC_MALFORMED, "the firmware has no TDX metadata: it was not built for TDX");
}

static rc_t read_section(tdvf_section_t *out, err_t *e, rd_t *r, view_t firmware)
{
    uint32_t data_at = rd_u32le(r), data_len = rd_u32le(r);
    uint64_t address = rd_u64le(r), size = rd_u64le(r);
    uint32_t type = rd_u32le(r), attributes = rd_u32le(r);
    bool has_data = type == TDVF_BFV || type == TDVF_CFV;
    if (r->bad)
        return err_say(e, RC_MALFORMED, "the TDX metadata are cut off");
    if (type > TDVF_TEMP_MEM)
        return err_say(e, RC_UNSUPPORTED, "a section of the TDX metadata is of a type that is unknown here");
    if (attributes & ~(MR_EXTEND | PAGE_AUG))
        return err_say(e, RC_UNSUPPORTED, "a section of the TDX metadata has an attribute that is unknown here");
    if (!size || size % PAGE || address % PAGE)
        return err_say(e, RC_MALFORMED, "a section's address or size is not a multiple of 4096, or its size is zero");
    if (size > (uint64_t)TDVF_PAGES_MAX * PAGE)
        return err_say(e, RC_LIMIT, "a section is too large");
    if (address > ADDRESS_MAX - size)
        return err_say(e, RC_MALFORMED, "a section ends beyond what can be addressed");
    if (data_len > firmware.n || data_at > firmware.n - data_len)
        return err_say(e, RC_MALFORMED,
                       "a section's data lie outside the file: of a firmware in two halves, such as OVMF_VARS.fd and "
                       "OVMF_CODE.fd, both belong into one file, in this order");
    if (data_len != (has_data ? size : 0))
        return err_say(e, RC_MALFORMED,
                       has_data ? "a firmware volume's size differs from that of its data"
                                : "a section that has to be empty has data");
    if ((attributes & MR_EXTEND) && ((attributes & PAGE_AUG) || !has_data))
        return err_say(e, RC_MALFORMED, "a section is to be measured whose contents are not in the file");
    *out = (tdvf_section_t){ (tdvf_type_t)type,
                             attributes & MR_EXTEND,
                             attributes & PAGE_AUG,
                             address,
                             size,
                             view_of(firmware.p + data_at, data_len) };
    return RC_OK;
}

static bool overlap(const tdvf_section_t *a, const tdvf_section_t *b)
{
    return a->address < b->address + b->size && b->address < a->address + a->size;
}

/* What holds for the sections together. */
static rc_t check_sections(tdvf_t *t, err_t *e)
{
    uint64_t pages = 0;
    size_t code = 0;
    t->cfv = t->td_hob = NULL;
    for (size_t i = 0; i < t->count; i++) {
        const tdvf_section_t *s = &t->sections[i];
        const tdvf_section_t **single = s->type == TDVF_CFV ? &t->cfv : s->type == TDVF_TD_HOB ? &t->td_hob : NULL;
        for (size_t j = 0; j < i; j++)
            if (overlap(s, &t->sections[j]))
                return err_say(e, RC_MALFORMED, "two sections overlap in memory");
        if (single && *single)
            return err_say(e, RC_MALFORMED, "the TDX metadata name two configuration volumes, or two hand-off blocks");
        if (single)
            *single = s;
        code += s->type == TDVF_BFV && s->measured;
        pages += s->size / PAGE;
    }
    if (pages > TDVF_PAGES_MAX)
        return err_say(e, RC_LIMIT, "the sections are too large together");
    if (!code || !t->cfv || !t->td_hob)
        return err_say(e, RC_MALFORMED,
                       "the TDX metadata lack a measured boot volume, the configuration volume or the hand-off block");
    return RC_OK;
}

rc_t tdvf_parse(tdvf_t *out, err_t *e, view_t firmware)
{
    uint32_t distance = 0;
    if (firmware.n > TDVF_FIRMWARE_MAX)
        return err_say(e, RC_LIMIT, "the firmware is too large");
    rc_t rc = find_descriptor(&distance, e, firmware);
    if (rc)
        return rc;
    if (distance > firmware.n)
        return err_say(e, RC_MALFORMED, "the TDX metadata lie outside the file");
    rd_t r = rd_of(view_of(firmware.p + (firmware.n - distance), distance));
    view_t signature = rd_take(&r, 4);
    uint32_t len = rd_u32le(&r), version = rd_u32le(&r), count = rd_u32le(&r);
    if (r.bad || memcmp(signature.p, "TDVF", 4) != 0)
        return err_say(e, RC_MALFORMED, "the TDX metadata do not begin with TDVF");
    if (version != 1)
        return err_say(e, RC_UNSUPPORTED, "the TDX metadata are of a version that is unknown here");
    if (count > TDVF_SECTIONS_MAX)
        return err_say(e, RC_LIMIT, "the TDX metadata have too many sections");
    if (len != 16 + count * SECTION_LEN)
        return err_say(e, RC_MALFORMED, "the length of the TDX metadata is not that of their sections");
    for (out->count = 0; out->count < count; out->count++) {
        rc = read_section(&out->sections[out->count], e, &r, firmware);
        if (rc)
            return rc;
    }
    return check_sections(out, e);
}

/* --- MRTD --- */

/* What the TDX module hashes for one operation: its name, and the guest address at offset 16. */
static void hash_record(sha384_t *h, const char *name, uint64_t address)
{
    uint8_t record[RECORD] = { 0 };
    memcpy(record, name, strlen(name));
    store_u64le(record + 16, address);
    sha384_add(h, view_of(record, sizeof record));
}

static void add_page(sha384_t *h, const tdvf_section_t *s, uint64_t at)
{
    if (!s->augmented)
        hash_record(h, "MEM.PAGE.ADD", s->address + at);
}

static void extend_page(sha384_t *h, const tdvf_section_t *s, uint64_t at)
{
    for (uint64_t end = at + PAGE; s->measured && at < end; at += CHUNK) {
        hash_record(h, "MR.EXTEND", s->address + at);
        sha384_add(h, view_of(s->data.p + at, CHUNK));
    }
}

void tdvf_mr_td(uint8_t out[48], const tdvf_t *t, tdvf_order_t order)
{
    sha384_t h;
    sha384_begin(&h);
    for (size_t i = 0; i < t->count; i++) {
        const tdvf_section_t *s = &t->sections[i];
        for (uint64_t at = 0; at < s->size; at += PAGE) {
            add_page(&h, s, at);
            if (order == TDVF_PAGE_BY_PAGE)
                extend_page(&h, s, at);
        }
        for (uint64_t at = 0; at < s->size && order == TDVF_PAGES_FIRST; at += PAGE)
            extend_page(&h, s, at);
    }
    sha384_end(out, &h);
}

/* --- the hand-off block --- */

#define HOB_HANDOFF_LEN 56u
#define HOB_RESOURCE_LEN 48u
#define HOB_END_LEN 8u /* counted in the list's end address, but not measured */
#define HOB_LEN_MAX (HOB_HANDOFF_LEN + (2 * TDVF_SECTIONS_MAX + 2) * HOB_RESOURCE_LEN)

enum { RESOURCE_ACCEPTED = 0, RESOURCE_UNACCEPTED = 7, RESOURCE_ATTRIBUTES = 7 };

/* A resource descriptor of [from, until); nothing for an empty range. */
static void put_resource(wr_t *w, unsigned type, uint64_t from, uint64_t until)
{
    if (from >= until)
        return;
    wr_u16le(w, 3);
    wr_u16le(w, HOB_RESOURCE_LEN);
    wr_u32le(w, 0);
    wr_u64le(w, 0); /* owner, 16 bytes */
    wr_u64le(w, 0);
    wr_u32le(w, type);
    wr_u32le(w, RESOURCE_ATTRIBUTES);
    wr_u64le(w, from);
    wr_u64le(w, until - from);
}

/* The section of empty memory with the lowest address that is not below from; NULL: none. */
static const tdvf_section_t *next_empty(const tdvf_t *t, uint64_t from)
{
    const tdvf_section_t *next = NULL;
    for (size_t i = 0; i < t->count; i++) {
        const tdvf_section_t *s = &t->sections[i];
        if ((s->type == TDVF_TD_HOB || s->type == TDVF_TEMP_MEM) && s->address >= from &&
            (!next || s->address < next->address))
            next = s;
    }
    return next;
}

uint64_t tdvf_low_memory(uint64_t memory)
{
    return memory >= 0xb0000000u ? 0x80000000u : memory;
}

rc_t tdvf_hob_digest(uint8_t out[48], err_t *e, const tdvf_t *t, uint64_t memory)
{
    uint8_t bytes[HOB_LEN_MAX];
    wr_t w = wr_of(bytes, sizeof bytes);
    uint64_t low = tdvf_low_memory(memory), at = 0;
    if (!memory || memory % PAGE || memory > TDVF_MEMORY_MAX)
        return err_say(e, RC_REFUSED, "the memory size is zero, too large or not a multiple of 4096");
    wr_u16le(&w, 1);
    wr_u16le(&w, HOB_HANDOFF_LEN);
    wr_u32le(&w, 0);
    wr_u32le(&w, 9); /* version */
    wr_u32le(&w, 0); /* boot mode */
    for (unsigned i = 0; i < 5; i++)
        wr_u64le(&w, 0); /* the memory that the block names, unused; then the list's end */
    for (const tdvf_section_t *s; (s = next_empty(t, at));) {
        if (s->address + s->size > low)
            return err_say(e, RC_REFUSED, "the firmware needs more memory than the machine has");
        put_resource(&w, RESOURCE_UNACCEPTED, at, s->address);
        at = s->address + s->size;
        put_resource(&w, RESOURCE_ACCEPTED, s->address, at);
    }
    put_resource(&w, RESOURCE_UNACCEPTED, at, low);
    put_resource(&w, RESOURCE_UNACCEPTED, 1ull << 32, (1ull << 32) + (memory - low));
    if (w.bad)
        return err_say(e, RC_BUG, "the hand-off block is too long");
    store_u64le(bytes + HOB_HANDOFF_LEN - 8, t->td_hob->address + w.n + HOB_END_LEN);
    const view_t all = wr_view(&w);
    sha384_parts(out, &all, 1);
    return RC_OK;
}
