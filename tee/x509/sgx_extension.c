#include "tee/x509/chain.h"
#include "tee/x509/der.h"

#define TCB_PCE_SVN 17u /* P.2.17; P.2.1 to P.2.16 are the components */
#define TCB_CPU_SVN 18u
#define CONFIGURATION_FIELDS 3u

static const uint8_t prefix[] = { 0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01 }; /* P: 1.2.840.113741.1.13.1 */

/* SEQUENCE { OID P.<arc> or P.<parent>.<arc>, value }: a reader of what follows the OID, and the arc (all are below
 * 128, one byte each); 0 when malformed. parent 0: none. */
static unsigned enter_field(rd_t *in, rd_t *list, uint8_t parent)
{
    *in = der_enter(list, DER_SEQUENCE);
    rd_t oid = der_enter(in, DER_OID);
    view_t p = rd_take(&oid, sizeof prefix);
    if (oid.bad || !view_eq(p, view_of(prefix, sizeof prefix)))
        return 0;
    if (parent && rd_u8(&oid) != parent)
        return 0;
    unsigned arc = rd_u8(&oid);
    return rd_done(&oid) && !in->bad ? arc : 0;
}

/* Exactly n octets. */
static void take_octets(uint8_t *out, size_t n, rd_t *r)
{
    view_t v = der_take(r, DER_OCTETS);
    if (v.n != n)
        r->bad = true;
    else
        memcpy(out, v.p, n);
}

/* A number of at most n bytes (1 or 2). */
static uint16_t take_number(rd_t *r, uint8_t tag, size_t n)
{
    view_t v = der_unsigned(r, tag);
    unsigned x = 0;
    if (v.n > n)
        r->bad = true;
    else
        for (size_t i = 0; i < v.n; i++)
            x = x << 8 | v.p[i];
    return (uint16_t)x;
}

/* Marks a field as seen; false: seen before. */
static bool first_time(uint32_t *seen, unsigned arc)
{
    uint32_t bit = 1u << arc;
    bool first = !(*seen & bit);
    *seen |= bit;
    return first;
}

/* P.2: 16 components, PCESVN and CPUSVN, each exactly once. */
static bool parse_tcb(chain_sgx_t *s, rd_t *value)
{
    rd_t list = der_enter(value, DER_SEQUENCE);
    uint32_t seen = 0;
    while (!list.bad && list.n) {
        rd_t in;
        unsigned arc = enter_field(&in, &list, 2);
        if (arc == 0 || arc > TCB_CPU_SVN || !first_time(&seen, arc))
            return false;
        if (arc == TCB_CPU_SVN)
            take_octets(s->cpu_svn, sizeof s->cpu_svn, &in);
        else if (arc == TCB_PCE_SVN)
            s->pce_svn = take_number(&in, DER_INTEGER, 2);
        else
            s->components[arc - 1] = (uint8_t)take_number(&in, DER_INTEGER, 1);
        if (!rd_done(&in))
            return false;
    }
    return !list.bad && seen == (2u << TCB_CPU_SVN) - 2;
}

/* P.7: flags of the platform, each at most once. Nothing here decides by them; they must be well-formed. */
static bool parse_configuration(rd_t *value)
{
    rd_t list = der_enter(value, DER_SEQUENCE);
    uint32_t seen = 0;
    while (!list.bad && list.n) {
        rd_t in;
        unsigned arc = enter_field(&in, &list, 7);
        if (arc == 0 || arc > CONFIGURATION_FIELDS || !first_time(&seen, arc))
            return false;
        der_bool(&in);
        if (!rd_done(&in))
            return false;
    }
    return !list.bad;
}

static bool parse_field(chain_sgx_t *s, unsigned arc, rd_t *value)
{
    switch (arc) {
    case 1: take_octets(s->ppid, sizeof s->ppid, value); break;
    case 2: return parse_tcb(s, value);
    case 3: take_octets(s->pce_id, sizeof s->pce_id, value); break;
    case 4: take_octets(s->fmspc, sizeof s->fmspc, value); break;
    case 5: s->sgx_type = (uint8_t)take_number(value, DER_ENUM, 1); return s->sgx_type <= 2;
    case 6:
        take_octets(s->instance_id, sizeof s->instance_id, value);
        s->has_instance_id = true;
        break;
    case 7: return parse_configuration(value);
    default: return false;
    }
    return true;
}

rc_t chain_sgx_parse(chain_sgx_t *out, err_t *e, view_t der)
{
    const uint32_t required = 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4 | 1u << 5;
    chain_sgx_t s = { 0 };
    uint32_t seen = 0;
    rd_t whole = rd_of(der);
    rd_t list = der_enter(&whole, DER_SEQUENCE);
    while (!list.bad && list.n) {
        rd_t in;
        unsigned arc = enter_field(&in, &list, 0);
        if (arc == 0 || arc > 7)
            return tee_fail(e, E_SGXEXT, "SGX extension has a malformed or unknown field");
        if (!first_time(&seen, arc))
            return tee_fail(e, E_SGXEXT, "SGX extension has a field twice");
        if (!parse_field(&s, arc, &in) || !rd_done(&in))
            return tee_fail(e, E_SGXEXT, "a field of the SGX extension has another type, length or range");
    }
    if (list.bad || !rd_done(&whole))
        return tee_fail(e, E_SGXEXT, "SGX extension is not one complete DER sequence");
    if ((seen & required) != required)
        return tee_fail(e, E_SGXEXT, "SGX extension lacks a field");
    if (memcmp(s.components, s.cpu_svn, sizeof s.cpu_svn) != 0)
        return tee_fail(e, E_SGXEXT, "CPUSVN of the SGX extension differs from its components");
    *out = s;
    return RC_OK;
}
