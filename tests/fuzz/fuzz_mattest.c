/* Bytes of a peer alone never attest it, even where every evidence is taken for good (the double of tee_appraise
 * below): they would have to hold a signature by the key that they name. The first byte says how they are fed. A
 * machine that failed stays so, says why, and tells the peer nothing but E_ATTEST. */
#include <stdlib.h>

#include "tee/channel/mattest.h"
#include "tee/verify/policy.h"
#include "tests/fuzz/fuzz.h"

struct policy {
    hash32_t digest;
    view_t simulator_root;
};

static void require(int holds)
{
    if (!holds)
        abort();
}

const hash32_t *policy_digest(const policy_t *p)
{
    return &p->digest;
}

view_t policy_simulator_root(const policy_t *p)
{
    return p->simulator_root;
}

rc_t tee_appraise(tee_verified_t *out, eventlog_t *log, rollback_t *memory, err_t *fault, arena_t *a,
                  const tee_claim_t *claim, const uint8_t report_data[TEE_REPORT_DATA_LEN], const policy_t *policy,
                  int64_t now)
{
    static const uint8_t measured[48];
    (void)log, (void)fault, (void)a, (void)claim, (void)report_data, (void)policy, (void)memory;
    *out = (tee_verified_t){ .earliest_expiry = now };
    out->quote.td.mr_td = measured;
    for (size_t i = 0; i < 4; i++)
        out->quote.td.rtmr[i] = measured;
    return RC_OK;
}

static rc_t sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    (void)ctx;
    memcpy(out, digest->b, 32);
    memset(out + 32, 1, 32);
    return RC_OK;
}

/* A quote that parses, over this report data. */
static view_t make_quote(uint8_t buf[2048], const uint8_t report_data[TEE_REPORT_DATA_LEN])
{
    static const uint8_t vendor[] = { 0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                      0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07 };
    static const char chain[] = "-----BEGIN CERTIFICATE----------END CERTIFICATE-----"
                                "-----BEGIN CERTIFICATE----------END CERTIFICATE-----"
                                "-----BEGIN CERTIFICATE----------END CERTIFICATE-----";
    memset(buf, 0, 2048);
    wr_t w = wr_of(buf, 2048);
    wr_u16le(&w, 4);
    wr_u16le(&w, 2);
    wr_u32le(&w, QUOTE_TEE_TDX);
    wr_grab(&w, 4);
    wr_bytes(&w, vendor, sizeof vendor);
    wr_grab(&w, 20 + 520);
    wr_bytes(&w, report_data, TEE_REPORT_DATA_LEN);
    wr_u32le(&w, (uint32_t)(590 + strlen(chain)));
    wr_grab(&w, 128);
    wr_u16le(&w, 6);
    wr_u32le(&w, (uint32_t)(456 + strlen(chain)));
    wr_grab(&w, 384 + 64 + 2);
    wr_u16le(&w, 5);
    wr_u32le(&w, (uint32_t)strlen(chain));
    wr_bytes(&w, chain, strlen(chain));
    require(!w.bad);
    return wr_view(&w);
}

static void serve(mattest_t *m)
{
    if (mattest_state(m) == MATTEST_EXPORT) {
        hash32_t context;
        mattest_exporter_context(m, &context);
        require(mattest_exporter(m, context.b) == RC_OK);
        rc_t rc = mattest_take(m, view_of(NULL, 0), view_of(NULL, 0), 0, 0);
        require((rc != RC_OK) == (mattest_state(m) == MATTEST_FAILED));
    }
    if (mattest_state(m) == MATTEST_QUOTE) {
        uint8_t report_data[TEE_REPORT_DATA_LEN], buf[2048];
        mattest_report_data(m, report_data);
        const tee_evidence_t e = { .type = TEE_EVIDENCE_TDX, .quote = make_quote(buf, report_data) };
        require(mattest_evidence(m, &e, view_of(NULL, 0)) == RC_OK);
    }
}

static void check(mattest_t *m)
{
    static const uint8_t reject[] = { 0, 0, 0, 2, 4, 0, E_ATTEST };
    err_t fault;
    require(mattest_state(m) != MATTEST_ATTESTED && !mattest_peer(m));
    const mattest_present_t present = { NULL, view_of(NULL, 0), 0 };
    const key_name_t name = { 0 };
    key_grant_t grant;
    require(mattest_release_key(m, &grant, &fault, &name, &present, false) != RC_OK);
    require(mattest_judge(m, &fault, &present) != RC_OK);
    if (mattest_state(m) != MATTEST_FAILED)
        return;
    require(mattest_fault(m)->code != TEE_OK && mattest_fault(m)->text[0]);
    require(mattest_take(m, view_str("x"), view_of(NULL, 0), 0, 0) != RC_OK && mattest_tick(m, 0) != RC_OK);
    view_t out = mattest_output(m);
    require(out.n < 8192); /* HELLO, the evidence of make_quote, REJECT */
    if (mattest_fault(m)->code != E_REJECTED)
        require(out.n >= sizeof reject && memcmp(out.p + out.n - sizeof reject, reject, sizeof reject) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t generator[33] = { 2,    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0,
                                           0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d,
                                           0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };
    static const policy_t policy = { .simulator_root = { generator, sizeof generator } };
    mattest_config_t c = { .role = MATTEST_INITIATOR,
                           .type = TEE_EVIDENCE_TDX,
                           .holds_key = true,
                           .nonce = { 1 },
                           .chain_id = 1,
                           .policy = &policy,
                           .sign = sign };
    mattest_t *m;
    if (!len)
        return 0;
    unsigned how = data[0];
    if (how & 1)
        c.role = MATTEST_RESPONDER;
    memcpy(c.static_pubkey, generator, sizeof generator);
    memset(&c.peer_spki, 0x55, sizeof c.peer_spki);
    require(mattest_new(&m, &c) == RC_OK);
    size_t portion = how & 2 ? 1 + (how >> 4) : len;
    for (size_t at = 1; at < len && mattest_state(m) != MATTEST_FAILED; at += portion) {
        size_t n = portion < len - at ? portion : len - at;
        rc_t rc = mattest_take(m, view_of(data + at, n), view_of(NULL, 0), 0, 0);
        require((rc != RC_OK) == (mattest_state(m) == MATTEST_FAILED));
        if (!(how & 4) || at > len / 2) /* bit 2: the exporter comes late */
            serve(m);
        check(m);
        mattest_sent(m, how & 8 ? 100 : SIZE_MAX); /* bit 3: what we send goes slowly */
    }
    mattest_free(m);
    return 0;
}
