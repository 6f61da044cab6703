/* Firmware, kernels, measurement documents and VM configurations of any bytes (the first says which). What is accepted lies inside the file and within the
 * maxima; measured twice it gives the same; MRTD changes with a measured byte, and the kernel's digest not with memory
 * that no initrd can reach. */
#include <stdlib.h>

#include "tee/measure/bzimage.h"
#include "tee/measure/described.h"
#include "tests/fuzz/fuzz.h"

#define PAGES_HASHED_MAX 256u /* more take too long here */
#define INITRD_LEN 12345u

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_sections(const tdvf_t *t, view_t firmware)
{
    uint64_t pages = 0;
    require(t->count <= TDVF_SECTIONS_MAX);
    for (size_t i = 0; i < t->count; i++) {
        const tdvf_section_t *s = &t->sections[i];
        require(s->size > 0 && s->size % 4096 == 0 && s->address % 4096 == 0);
        require(!s->data.n || (s->data.p >= firmware.p && s->data.p + s->data.n <= firmware.p + firmware.n));
        require(!s->measured || (s->data.n == s->size && !s->augmented));
        pages += s->size / 4096;
        for (size_t j = 0; j < i; j++)
            require(s->address + s->size <= t->sections[j].address ||
                    t->sections[j].address + t->sections[j].size <= s->address);
    }
    require(pages <= TDVF_PAGES_MAX);
}

static void check_mr_td(const tdvf_t *t, view_t firmware)
{
    const tdvf_section_t *volume = NULL;
    uint64_t pages = 0;
    uint8_t was[48], again[48];
    tdvf_t other;
    err_t why;
    for (size_t i = 0; i < t->count; i++) {
        pages += t->sections[i].size / 4096;
        if (t->sections[i].measured)
            volume = &t->sections[i];
    }
    require(volume != NULL);
    if (pages > PAGES_HASHED_MAX)
        return;
    tdvf_mr_td(was, t, TDVF_PAGE_BY_PAGE);
    tdvf_mr_td(again, t, TDVF_PAGE_BY_PAGE);
    require(memcmp(was, again, 48) == 0);
    uint8_t *copy = malloc(firmware.n);
    if (!copy)
        return;
    memcpy(copy, firmware.p, firmware.n);
    copy[(size_t)(volume->data.p - firmware.p) + firmware.n % volume->data.n] ^= 1;
    if (!tdvf_parse(&other, &why, view_of(copy, firmware.n))) { /* the byte may be one of the metadata */
        tdvf_mr_td(again, &other, TDVF_PAGE_BY_PAGE);
        require(memcmp(was, again, 48) != 0);
    }
    free(copy);
}

static void check_firmware(view_t firmware)
{
    tdvf_t t;
    err_t why = { 0 };
    uint8_t digest[48];
    if (tdvf_parse(&t, &why, firmware)) {
        require(why.text[0]);
        return;
    }
    check_sections(&t, firmware);
    check_mr_td(&t, firmware);
    for (uint64_t memory = 1u << 20; memory <= TDVF_MEMORY_MAX; memory *= 8)
        require(tdvf_hob_digest(digest, &why, &t, memory) == RC_OK || why.text[0]);
}

static void check_kernel(view_t kernel)
{
    err_t why = { 0 };
    uint8_t was[48], now[48];
    rc_t rc = bzimage_digest(was, &why, kernel, 4ull << 30, INITRD_LEN, BZIMAGE_FILLED_IN);
    require(rc == RC_OK || why.text[0]);
    require(bzimage_digest(now, &why, kernel, 64ull << 30, INITRD_LEN, BZIMAGE_FILLED_IN) == rc);
    require(rc || memcmp(was, now, 48) == 0);
    require(bzimage_digest(now, &why, kernel, 4ull << 30, INITRD_LEN, BZIMAGE_AS_BUILT) == RC_OK || why.text[0]);
    if (!rc && kernel.n)
        require(bzimage_digest(now, &why, view_of(kernel.p, kernel.n - 1), 4ull << 30, INITRD_LEN, BZIMAGE_FILLED_IN) !=
                    RC_OK ||
                memcmp(was, now, 48) != 0);
}

/* What is read measures the same twice; with another byte it is refused, or measures otherwise. */
static void check_document(view_t document)
{
    static osimage_t image, other;
    static measurement_t was, now;
    uint8_t copy[OSIMAGE_LEN_MAX];
    hash32_t hash;
    err_t why = { 0 };
    require(osimage_hash(&hash, &why, document, OSIMAGE_DOCUMENT, document) != RC_OK && why.text[0]);
    if (osimage_read(&image, &why, document)) {
        require(why.text[0]);
        return;
    }
    require(image.map.count <= TDVF_SECTIONS_MAX && image.map.td_hob);
    memcpy(copy, document.p, document.n);
    copy[document.n / 2] ^= 1;
    if (osimage_measure(&was, &why, &image, 4ull << 30, NULL) ||
        osimage_read(&other, &why, view_of(copy, document.n)) || osimage_measure(&now, &why, &other, 4ull << 30, NULL))
        return;
    require(memcmp(&was, &now, sizeof was) != 0);
}

/* What a VM configuration describes is named by its own checksum file, and measures no RTMR0 without ACPI tables. */
static void check_described(view_t vm_config)
{
    static described_t d, again;
    static const uint8_t acpi[MEASURE_ACPI_COUNT][48], zeros[48];
    err_t why = { 0 };
    const rc_t rc = described_read(&d, &why, vm_config);
    require((rc == RC_OK) == !why.text[0]);
    if (rc)
        return;
    require(!described_read(&again, NULL, vm_config) && hash32_eq(&d.hash, &again.hash));
    require(d.m.rtmr[1].known && d.m.rtmr[2].known && !d.m.rtmr[0].known && !memcmp(&d.m, &again.m, sizeof d.m));
    require(!described_rtmr0_is(&d, acpi, zeros));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (!len)
        return 0;
    if (data[0] == 'k')
        check_kernel(view_of(data + 1, len - 1));
    else if (data[0] == '{')
        check_described(view_of(data, len));
    else if (data[0] == 'd')
        check_document(view_of(data + 1, len - 1));
    else
        check_firmware(view_of(data + 1, len - 1));
    return 0;
}
