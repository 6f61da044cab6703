#include "tee/provider/provider.h"

#include "tee/fault.h"
#include "tee/quote/quote.h"

rc_t provider_evidence(tee_evidence_t *out, err_t *e, const char *who, const tee_evidence_t *parts,
                       const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    quote_t q;
    err_t fault;
    if (!parts->quote.n)
        return err_set(e, RC_IO, "%s: the quote is empty: is this a TDX platform?", who);
    if (quote_parse(&q, &fault, parts->quote))
        return err_set(e, RC_IO, "%s: not a quote: %s: %s", who, tee_code_name(fault.code), fault.text);
    if (memcmp(q.td.report_data, report_data, TEE_REPORT_DATA_LEN) != 0)
        return err_set(e, RC_IO, "%s: the quote is over other report data than was asked for", who);
    rc_t rc = tee_evidence_make(out, parts->type, q.used, parts->event_log, parts->vm_config);
    if (rc == RC_LIMIT)
        return err_set(e, RC_IO, "%s: the event log or the VM configuration is too long", who);
    return rc ? err_say(e, rc, "out of memory") : RC_OK;
}
