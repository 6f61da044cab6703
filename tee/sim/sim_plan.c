/* sim_plan.c - the plan of a genuine simulated platform. */
#include "base/crypto/hash.h"
#include "tee/sim/sim_faults.h"
#include "tee/x509/cert.h"

#define DAYS(n) ((n) * (int64_t)86400)
#define VALID DAYS(30) /* documents and revocation lists, as Intel's */
#define COMPONENTS                                                                                                     \
    {                                                                                                                  \
        8, 8, 2, 2, 4, 1, 0, 6                                                                                         \
    } /* SGX TCB component SVNs, and CPUSVN */

#define CERTS_COMMON .has_constraints = true, .constraints_critical = true, .usage_critical = true, .flip = SIM_NO_FLIP
#define CA_USAGE (CERT_USAGE_CERT_SIGN | CERT_USAGE_CRL_SIGN)
#define END_USAGE (CERT_USAGE_SIGNATURE | 64u) /* digitalSignature, nonRepudiation */

/* Validity as in Intel's certificates: constants, because plan and seed alone determine every byte. */
static const sim_cert_plan_t certs[SIM_CERTS] = {
    [SIM_ROOT] = { CERTS_COMMON, .name = "Simulated SGX Root CA", .issuer = SIM_ROOT, .authority = SIM_ROOT, .ca = true,
                   .path_len = 1, .usage = CA_USAGE, .from = 1526860800 /* 2018-05-21 */,
                   .until = 2524607999 /* 2049-12-31 */, .crl = "https://simulator.invalid/root.der" },
    [SIM_CA] = { CERTS_COMMON, .name = "Simulated SGX PCK Platform CA", .issuer = SIM_ROOT, .authority = SIM_ROOT,
                 .ca = true, .path_len = 0, .usage = CA_USAGE, .from = 1526860800 /* 2018-05-21 */,
                 .until = 2000246400 /* 2033-05-21 */, .crl = "https://simulator.invalid/root.der" },
    [SIM_LEAF] = { CERTS_COMMON, .name = "Simulated SGX PCK Certificate", .issuer = SIM_CA, .authority = SIM_CA,
                   .path_len = -1, .usage = END_USAGE, .from = 1738627200 /* 2025-02-04 */,
                   .until = 1959465600 /* 2032-02-04 */, .crl = "https://simulator.invalid/pckcrl?ca=platform",
                   .sgx_extensions = 1 },
    [SIM_SIGNER] = { CERTS_COMMON, .name = "Simulated SGX TCB Signing", .issuer = SIM_ROOT, .authority = SIM_ROOT,
                     .path_len = -1, .usage = END_USAGE, .from = 1738627200 /* 2025-02-04 */,
                     .until = 1959465600 /* 2032-02-04 */, .crl = "https://simulator.invalid/root.der" },
};

static const sim_level_t levels[] = {
    { .sgx = { 7, 7, 2, 2, 3, 1, 0, 5 },
      .pce_svn = 11,
      .tdx = { 5, 0, 3 },
      .date = "2025-05-14T00:00:00Z",
      .status = "UpToDate" },
    { .sgx = { 7, 7, 2, 2, 3, 1, 0, 3 },
      .pce_svn = 11,
      .tdx = { 5, 0, 2 },
      .date = "2024-11-13T00:00:00Z",
      .status = "SWHardeningNeeded",
      .advisories = "[\"SIM-SA-00002\"]" },
    { .sgx = { 6, 6, 2, 2, 2, 1, 0, 3 },
      .pce_svn = 10,
      .tdx = { 4, 0, 2 },
      .date = "2024-03-13T00:00:00Z",
      .status = "OutOfDate",
      .advisories = "[\"SIM-SA-00001\",\"SIM-SA-00002\"]" },
    { .sgx = { 5, 5, 2, 2 },
      .pce_svn = 5,
      .tdx = { 3, 0, 1 },
      .date = "2018-01-04T00:00:00Z",
      .status = "Revoked",
      .advisories = "[\"SIM-SA-00000\"]" },
};

static const sim_module_plan_t modules[] = {
    { .version = 3,
      .level_count = 2,
      .levels = { { .isv_svn = 3, .date = "2025-05-14T00:00:00Z", .status = "UpToDate" },
                  { .isv_svn = 2,
                    .date = "2024-11-13T00:00:00Z",
                    .status = "OutOfDate",
                    .advisories = "[\"SIM-SA-00013\"]" } } },
    { .version = 1,
      .level_count = 3,
      .levels = { { .isv_svn = 5, .date = "2025-05-14T00:00:00Z", .status = "UpToDate" },
                  { .isv_svn = 3,
                    .date = "2024-03-13T00:00:00Z",
                    .status = "OutOfDate",
                    .advisories = "[\"SIM-SA-00011\"]" },
                  { .isv_svn = 2,
                    .date = "2018-01-04T00:00:00Z",
                    .status = "Revoked",
                    .advisories = "[\"SIM-SA-00010\"]" } } },
};

static const sim_level_t qe_levels[] = {
    { .isv_svn = 6, .date = "2025-05-14T00:00:00Z", .status = "UpToDate" },
    { .isv_svn = 4, .date = "2024-03-13T00:00:00Z", .status = "OutOfDate", .advisories = "[\"SIM-SA-00021\"]" },
    { .isv_svn = 2, .date = "2018-01-04T00:00:00Z", .status = "Revoked", .advisories = "[\"SIM-SA-00020\"]" },
};

static const sim_boot_event_t boot[] = {
    { 0, 0x80000008, "simulated firmware configuration" },
    { 0, 0x80000001, "simulated secure boot variables" },
    { 1, 0x80000003, "simulated kernel" },
    { 1, 0x80000007, "simulated exit boot services" },
    { 2, 0x00000006, "simulated command line" },
    { 2, 0x00000006, "simulated initrd" },
};

static const sim_document_plan_t document = {
    .until = VALID,
    .evaluation_number = 17,
    .signer = SIM_SIGNER,
    .chain = { SIM_SIGNER, SIM_ROOT },
    .chain_count = 2,
};

static void sha384_text(uint8_t out[48], const char *text)
{
    const view_t part = view_str(text);
    sha384_parts(out, &part, 1);
}

static void init_header(uint8_t header[QUOTE_HEADER_LEN])
{
    static const uint8_t intel_vendor[16] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                              0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };
    wr_t w = wr_of(header, QUOTE_HEADER_LEN);
    wr_u16le(&w, 4);
    wr_u16le(&w, 2); /* ECDSA P-256 */
    wr_u32le(&w, QUOTE_TEE_TDX);
    wr_u32le(&w, 0);
    wr_bytes(&w, intel_vendor, sizeof intel_vendor);
}

static void init_td(uint8_t td[QUOTE_TD15_LEN])
{
    static const uint8_t tcb_svn[16] = { 6, 1, 3 };
    memcpy(td + SIM_TD_TCB_SVN, tcb_svn, 16);
    memcpy(td + SIM_TD_TCB_SVN2, tcb_svn, 16);
    sha384_text(td + SIM_TD_MR_SEAM, "simulated TDX module");
    store_u64le(td + SIM_TD_ATTRIBUTES, 0x10000000u); /* SEPT_VE_DISABLE */
    store_u64le(td + SIM_TD_XFAM, 0x602e7u);
    sha384_text(td + SIM_TD_MR_TD, "simulated firmware");
}

static void init_qe(uint8_t qe[QUOTE_ENCLAVE_LEN])
{
    static const uint8_t cpu_svn[16] = COMPONENTS, attributes[16] = { 0x15, 0, 0, 0, 0, 0, 0, 0, 0xe7 };
    hash32_t enclave, signer;
    sha256(&enclave, view_str("simulated TD QE"));
    sha256(&signer, view_str("simulated TD QE signer"));
    memcpy(qe, cpu_svn, sizeof cpu_svn);
    memcpy(qe + SIM_QE_ATTRIBUTES, attributes, sizeof attributes);
    memcpy(qe + SIM_QE_MR_ENCLAVE, enclave.b, 32);
    memcpy(qe + SIM_QE_MR_SIGNER, signer.b, 32);
    qe[SIM_QE_PROD_ID] = 2;
    qe[SIM_QE_SVN] = 6;
}

static void init_quote(sim_quote_plan_t *q)
{
    init_header(q->header);
    q->body_type = QUOTE_BODY_TD10;
    q->body_size = -1;
    init_td(q->td);
    init_qe(q->qe_report);
    q->auth_len = 32;
    q->signer = SIM_ATTESTATION;
    q->qe_signer = SIM_LEAF;
    q->chain[0] = SIM_LEAF;
    q->chain[1] = SIM_CA;
    q->chain[2] = SIM_ROOT;
    q->chain_count = 3;
    q->flip = SIM_NO_FLIP;
}

#define COPY(to, from) (memcpy(to, from, sizeof(from)), sizeof(from) / sizeof(from)[0])

void sim_plan_init(sim_plan_t *out)
{
    static const uint16_t components[16] = COMPONENTS;
    static const uint8_t cpu_svn[16] = COMPONENTS, fmspc[6] = { 0xff, 'S', 'I', 'M', '0', '1' };
    const sim_crl_plan_t crl = { .until = VALID, .has_number = true, .flip = SIM_NO_FLIP };
    memset(out, 0, sizeof *out);
    memcpy(out->certs, certs, sizeof certs);
    memcpy(out->sgx.components, components, sizeof components);
    memcpy(out->sgx.cpu_svn, cpu_svn, sizeof cpu_svn);
    out->sgx.pce_svn = 11;
    memcpy(out->sgx.fmspc, fmspc, out->sgx.fmspc_len = sizeof fmspc);
    out->root_crl = out->pck_crl = crl;
    out->root_crl.issuer = out->root_crl.authority = SIM_ROOT;
    out->pck_crl.issuer = out->pck_crl.authority = SIM_CA;
    out->pck_crl.others = 3;
    out->tcb_info = out->qe_identity = document;
    out->level_count = COPY(out->levels, levels);
    out->module_count = COPY(out->modules, modules);
    out->qe_level_count = COPY(out->qe_levels, qe_levels);
    out->boot = boot;
    out->boot_count = sizeof boot / sizeof boot[0];
    init_quote(&out->quote);
}

void sim_plan_init_td15(sim_plan_t *out)
{
    sim_plan_init(out);
    out->quote.header[SIM_HEADER_VERSION] = 5;
    out->quote.body_type = QUOTE_BODY_TD15;
}
