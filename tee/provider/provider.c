#include "tee/provider/provider.h"

#include <stdarg.h>
#include <stdio.h>

#include "tee/quote/quote.h"

const char *provider_why(const char *fmt, ...)
{
    static _Thread_local char why[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    return why;
}

rc_t provider_evidence(tee_evidence_t *out, const char **why, const char *who, const tee_evidence_t *parts,
                       const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    quote_t q;
    tee_fault_t fault;
    if (!parts->quote.n) {
        *why = provider_why("%s: the quote is empty: is this a TDX platform?", who);
        return RC_IO;
    }
    if (quote_parse(&q, &fault, parts->quote)) {
        *why = provider_why("%s: not a quote: %s: %s", who, tee_code_name(fault.code), fault.why);
        return RC_IO;
    }
    if (memcmp(q.td.report_data, report_data, TEE_REPORT_DATA_LEN) != 0) {
        *why = provider_why("%s: the quote is over other report data than was asked for", who);
        return RC_IO;
    }
    rc_t rc = tee_evidence_make(out, parts->type, q.used, parts->event_log, parts->vm_config);
    if (rc == RC_LIMIT) {
        *why = provider_why("%s: the event log or the VM configuration is too long", who);
        return RC_IO;
    }
    if (rc)
        *why = "out of memory";
    return rc;
}
