#include "tee/collateral/rollback.h"

static const char MAGIC[] = "KETTLE-ROLLBACK"; /* with its NUL */
#define VERSION 1u                             /* of the layout: anything else is not read */

#define PLATFORM_LEN (6u + 4u + 4u + 8u + 8u + 8u)
#define ISSUER_LEN (32u + CRL_NUMBER_MAX + 8u + 8u + 8u)
_Static_assert(sizeof MAGIC + 4 + 8 + 2 * 4 + ROLLBACK_ROWS_MAX * (PLATFORM_LEN + ISSUER_LEN) <= ROLLBACK_CODE_MAX,
               "a full memory has its place");

static size_t find_platform(const rollback_t *m, const uint8_t fmspc[6])
{
    size_t i = 0;
    while (i < ROLLBACK_ROWS_MAX && !(m->platforms[i].used && memcmp(m->platforms[i].fmspc, fmspc, 6) == 0))
        i++;
    return i;
}

static size_t find_issuer(const rollback_t *m, const hash32_t *issuer)
{
    size_t i = 0;
    while (i < ROLLBACK_ROWS_MAX && !(m->issuers[i].used && hash32_eq(&m->issuers[i].crl.issuer, issuer)))
        i++;
    return i;
}

static bool crl_is_older(const rollback_t *m, const chain_crl_t *crl)
{
    size_t i = find_issuer(m, &crl->issuer);
    if (i == ROLLBACK_ROWS_MAX)
        return false;
    const chain_crl_t *known = &m->issuers[i].crl;
    return memcmp(crl->number, known->number, sizeof crl->number) < 0 || crl->this_update < known->this_update;
}

rc_t rollback_check(const rollback_t *m, err_t *e, const tcb_info_t *info, const qe_identity_t *identity,
                    const chain_crl_t *root_crl, const chain_crl_t *pck_crl)
{
    size_t i = find_platform(m, info->fmspc);
    if (i < ROLLBACK_ROWS_MAX) {
        if (info->evaluation_number < m->platforms[i].evaluation_number ||
            info->issue_date < m->platforms[i].issue_date)
            return tee_fail(e, E_ROLLBACK, "the TCB info is older than one accepted before");
        if (identity->evaluation_number < m->platforms[i].qe_evaluation_number ||
            identity->issue_date < m->platforms[i].qe_issue_date)
            return tee_fail(e, E_ROLLBACK, "the QE identity is older than one accepted before");
    }
    if (crl_is_older(m, root_crl) || crl_is_older(m, pck_crl))
        return tee_fail(e, E_ROLLBACK, "a revocation list is older than one accepted before");
    return RC_OK;
}

static void accept_crl(rollback_t *m, const chain_crl_t *crl)
{
    size_t i = find_issuer(m, &crl->issuer);
    if (i == ROLLBACK_ROWS_MAX) {
        i = 0;
        for (size_t k = 1; k < ROLLBACK_ROWS_MAX; k++)
            if (m->issuers[k].used < m->issuers[i].used)
                i = k;
    }
    m->issuers[i].crl = *crl;
    m->issuers[i].used = ++m->clock;
}

void rollback_accept(rollback_t *m, const tcb_info_t *info, const qe_identity_t *identity, const chain_crl_t *root_crl,
                     const chain_crl_t *pck_crl)
{
    size_t i = find_platform(m, info->fmspc);
    if (i == ROLLBACK_ROWS_MAX) {
        i = 0;
        for (size_t k = 1; k < ROLLBACK_ROWS_MAX; k++)
            if (m->platforms[k].used < m->platforms[i].used)
                i = k;
    }
    memcpy(m->platforms[i].fmspc, info->fmspc, 6);
    m->platforms[i].evaluation_number = info->evaluation_number;
    m->platforms[i].issue_date = info->issue_date;
    m->platforms[i].qe_evaluation_number = identity->evaluation_number;
    m->platforms[i].qe_issue_date = identity->issue_date;
    m->platforms[i].used = ++m->clock;
    accept_crl(m, root_crl);
    accept_crl(m, pck_crl);
}

/* --- on disk --- */

static void write_platforms(wr_t *w, const rollback_t *m)
{
    for (size_t i = 0; i < ROLLBACK_ROWS_MAX; i++) {
        if (!m->platforms[i].used)
            continue;
        wr_bytes(w, m->platforms[i].fmspc, sizeof m->platforms[i].fmspc);
        wr_u32le(w, m->platforms[i].evaluation_number);
        wr_u32le(w, m->platforms[i].qe_evaluation_number);
        wr_u64le(w, (uint64_t)m->platforms[i].issue_date);
        wr_u64le(w, (uint64_t)m->platforms[i].qe_issue_date);
        wr_u64le(w, m->platforms[i].used);
    }
}

static void write_issuers(wr_t *w, const rollback_t *m)
{
    for (size_t i = 0; i < ROLLBACK_ROWS_MAX; i++) {
        if (!m->issuers[i].used)
            continue;
        wr_hash32(w, &m->issuers[i].crl.issuer);
        wr_bytes(w, m->issuers[i].crl.number, CRL_NUMBER_MAX);
        wr_u64le(w, (uint64_t)m->issuers[i].crl.this_update);
        wr_u64le(w, (uint64_t)m->issuers[i].crl.next_update);
        wr_u64le(w, m->issuers[i].used);
    }
}

view_t rollback_encode(uint8_t out[ROLLBACK_CODE_MAX], const rollback_t *m)
{
    uint32_t platforms = 0, issuers = 0;
    wr_t w = wr_of(out, ROLLBACK_CODE_MAX);
    for (size_t i = 0; i < ROLLBACK_ROWS_MAX; i++) {
        platforms += m->platforms[i].used != 0;
        issuers += m->issuers[i].used != 0;
    }
    wr_bytes(&w, MAGIC, sizeof MAGIC);
    wr_u32le(&w, VERSION);
    wr_u64le(&w, m->clock);
    wr_u32le(&w, platforms);
    wr_u32le(&w, issuers);
    write_platforms(&w, m);
    write_issuers(&w, m);
    return wr_view(&w);
}

/* Whether a row's age is one: of a row in use, and not of the future. */
static bool is_age(const rollback_t *m, uint64_t used)
{
    return used && used <= m->clock;
}

static bool read_platforms(rollback_t *m, rd_t *r, uint32_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        rd_copy(r, m->platforms[i].fmspc, sizeof m->platforms[i].fmspc);
        m->platforms[i].evaluation_number = rd_u32le(r);
        m->platforms[i].qe_evaluation_number = rd_u32le(r);
        m->platforms[i].issue_date = (int64_t)rd_u64le(r);
        m->platforms[i].qe_issue_date = (int64_t)rd_u64le(r);
        m->platforms[i].used = rd_u64le(r);
        good &= is_age(m, m->platforms[i].used);
    }
    return good;
}

static bool read_issuers(rollback_t *m, rd_t *r, uint32_t count)
{
    bool good = true;
    for (size_t i = 0; i < count; i++) {
        m->issuers[i].crl.issuer = rd_hash32(r);
        rd_copy(r, m->issuers[i].crl.number, CRL_NUMBER_MAX);
        m->issuers[i].crl.this_update = (int64_t)rd_u64le(r);
        m->issuers[i].crl.next_update = (int64_t)rd_u64le(r);
        m->issuers[i].used = rd_u64le(r);
        good &= is_age(m, m->issuers[i].used);
    }
    return good;
}

rc_t rollback_decode(rollback_t *out, err_t *e, view_t code)
{
    rollback_t m = { .clock = 0 };
    rd_t r = rd_of(code);
    if (!view_eq(rd_take(&r, sizeof MAGIC), view_of(MAGIC, sizeof MAGIC)))
        return err_say(e, RC_MALFORMED, "is not a memory of accepted collateral of this version's form");
    const uint32_t version = rd_u32le(&r);
    if (version != VERSION)
        return err_set(e, RC_MALFORMED, "is a memory of accepted collateral in layout %u, not %u", version, VERSION);
    m.clock = rd_u64le(&r);
    const uint32_t platforms = rd_u32le(&r), issuers = rd_u32le(&r);
    if (platforms > ROLLBACK_ROWS_MAX || issuers > ROLLBACK_ROWS_MAX || !read_platforms(&m, &r, platforms) ||
        !read_issuers(&m, &r, issuers) || !rd_done(&r))
        return err_say(e, RC_MALFORMED, "is a memory of accepted collateral that is cut or damaged");
    *out = m;
    return RC_OK;
}
