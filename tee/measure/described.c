#include "tee/measure/described.h"

#include "base/crypto/base64.h"
#include "base/json.h"
#include "tee/tee.h"

/* Base64 of at most max bytes. */
static view_t take_base64(const jo_t *o, const char *key, uint8_t *out, size_t max)
{
    const view_t text = jo_text(o, key, 1, base64_len(max));
    size_t n = 0;
    rc_t rc = jo_rc(o) ? RC_OK : base64_decode(out, &n, max, text, NULL);
    if (rc)
        jo_fail(o, key, rc, rc == RC_LIMIT ? "is too long" : "is not base64");
    return view_of(out, n);
}

rc_t described_read(described_t *out, err_t *e, view_t vm_config)
{
    uint8_t document[OSIMAGE_LEN_MAX], sums[OSIMAGE_SUMS_MAX];
    jo_doc_t doc;
    if (!vm_config.n)
        return err_say(e, RC_REFUSED, "no VM configuration came, which has the measurement document");
    const jo_t o = jo_open(&doc, e, vm_config, TEE_VM_CONFIG_MAX, JO_LENIENT);
    out->memory = jo_u64(&o, "memory_size", 1, TDVF_MEMORY_MAX);
    const jo_t measurement = jo_object(&o, "tdx_measurement");
    const view_t text = take_base64(&measurement, "measurement", document, sizeof document);
    const view_t list = take_base64(&measurement, "checksum_file", sums, sizeof sums);
    rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (rc)
        return rc;
    rc = err_under(e, osimage_hash(&out->hash, e, list, OSIMAGE_DOCUMENT, text), "tdx_measurement.checksum_file");
    if (!rc)
        rc = err_under(e, osimage_read(&out->image, e, text), "tdx_measurement.measurement");
    return rc ? rc : err_under(e, osimage_measure(&out->m, e, &out->image, out->memory, NULL), "memory_size");
}

bool described_rtmr0_is(const described_t *d, const uint8_t acpi[MEASURE_ACPI_COUNT][48], const uint8_t rtmr0[48])
{
    measurement_t m;
    return !osimage_measure(&m, NULL, &d->image, d->memory, acpi) && m.rtmr[0].known &&
           memcmp(m.rtmr[0].value, rtmr0, 48) == 0;
}
