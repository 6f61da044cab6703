#include "node/tpod/paid.h"

#include "base/os/clock.h"

#define CHANNELS 0x098f26b5u /* channels(address,address,bytes32) */
#define CALLDATA_LEN 100u
#define URL_MAX 1100u

/* ---- the configuration ---- */

static void read_signers(paid_rule_t *x, const jo_t *o)
{
    jo_t list = jo_list(o, "signers", 1, PAID_SIGNERS_MAX), row;
    while (jo_next(&list, &row)) {
        const view_t text = jo_text(&row, NULL, 1, 128);
        if (!jo_rc(o) && statement_signer_read(&x->signers[x->signer_count++], (const char *)text.p, text.n))
            (void)jo_fail(&row, NULL, RC_MALFORMED,
                          "must be an address (20 bytes) or a compressed public key (33 bytes) as hex");
    }
}

void paid_read(paid_rule_t *out, arena_t *a, const jo_t *o, const addr_t *provider)
{
    static const char *const blocks[] = { "latest", "finalized", NULL };
    const jo_t p = jo_object(o, "payment");
    paid_rule_t x = { .provider = *provider, .min_amount = u256_of(1) };
    size_t block = 0;
    jo_hex(&p, x.contract.b, sizeof x.contract.b, "contract", HEX_0X);
    x.chain_id = jo_u64(&p, "chain_id", 1, STATEMENT_CHAIN_MAX);
    store_u64be(x.chain_bytes, x.chain_id);
    x.node = (const char *)jo_text_copy(&p, a, "node", 1, 1024).p;
    if (!jo_rc(o) && hc_url_check(x.node))
        (void)jo_fail(&p, "node", RC_MALFORMED, "must be an http or https URL");
    read_signers(&x, &p);
    jo_hex(&p, x.setup.b, sizeof x.setup.b, "setup_hash", HEX_0X);
    (void)jo_opt_word(&p, &block, "block", blocks);
    x.finalized = block == 1;
    x.max_age_s = x.finalized ? PAID_FINALIZED_AGE_S : PAID_LATEST_AGE_S;
    (void)jo_opt_u64(&p, &x.max_age_s, "max_age_s", 1, 86400);
    x.min_unlock_s = jo_u64(&p, "min_unlock_s", 0, UINT32_MAX);
    if (jo_has(&p, "min_amount"))
        x.min_amount = jo_decimal256(&p, "min_amount");
    if (!jo_rc(o) && u256_is_zero(&x.min_amount))
        (void)jo_fail(&p, "min_amount", RC_MALFORMED, "must be 1 at least");
    *out = x;
}

tpod_payment_t paid_named(const paid_rule_t *rule)
{
    return (tpod_payment_t){ .chain_id = view_of(rule->chain_bytes, sizeof rule->chain_bytes),
                             .contract = view_of(rule->contract.b, sizeof rule->contract.b),
                             .provider = view_of(rule->provider.b, sizeof rule->provider.b) };
}

/* ---- the question ---- */

/* channels(publisher, provider, podId). */
static rc_t calldata(uint8_t out[CALLDATA_LEN], err_t *e, const paid_rule_t *rule, const tpod_payment_t *p)
{
    static const uint8_t zeros[12];
    wr_t w = wr_of(out, CALLDATA_LEN);
    if (p->publisher.n != sizeof(addr_t))
        return err_in(e, RC_REFUSED, "payment.publisherAddress", "must have 20 bytes");
    if (p->pod_id.n != sizeof(hash32_t))
        return err_in(e, RC_REFUSED, "payment.podID", "must have 32 bytes");
    wr_be(&w, CHANNELS, 4);
    wr_bytes(&w, zeros, sizeof zeros);
    wr_bytes(&w, p->publisher.p, p->publisher.n);
    wr_bytes(&w, zeros, sizeof zeros);
    wr_bytes(&w, rule->provider.b, sizeof rule->provider.b);
    wr_bytes(&w, p->pod_id.p, p->pod_id.n);
    return w.bad ? err_say(e, RC_BUG, "calldata of another length") : RC_OK;
}

rc_t paid_question(view_t *out, err_t *e, arena_t *a, const paid_rule_t *rule, const tpod_payment_t *p)
{
    uint8_t data[CALLDATA_LEN];
    const rc_t rc = calldata(data, e, rule, p);
    if (rc)
        return rc;
    jw_t w = jw_of(a, 1024);
    jw_object(&w, NULL);
    jw_hex(&w, "to", view_of(rule->contract.b, sizeof rule->contract.b));
    jw_hex(&w, "data", view_of(data, sizeof data));
    jw_str(&w, "block", rule->finalized ? "finalized" : "latest");
    jw_end(&w);
    *out = jw_done(&w);
    return w.rc ? err_say(e, w.rc, "the question cannot be written") : RC_OK;
}

/* ---- the answer ---- */

/* Of a channel that is proven: what was paid in and taken, how long unlocking takes and when it ends (0: not begun). */
static rc_t judge_channel(err_t *e, const paid_rule_t *rule, view_t result)
{
    if (result.n != 128)
        return err_set(e, RC_IO, "the contract's channels() gives %zu bytes, not 128", result.n);
    const u256_t paid = u256_from_be32(result.p), taken = u256_from_be32(result.p + 32),
                 unlock = u256_from_be32(result.p + 64), unlocked_at = u256_from_be32(result.p + 96),
                 least = u256_of(rule->min_unlock_s);
    const u256_t left = u256_sub(&paid, &taken);
    if (!u256_lt(&taken, &paid))
        return err_in(e, RC_REFUSED, "payment", "the channel has nothing available");
    if (u256_lt(&left, &rule->min_amount))
        return err_in(e, RC_REFUSED, "payment", "the channel has less available than this provider wants");
    if (!u256_is_zero(&unlocked_at))
        return err_in(e, RC_REFUSED, "payment", "the channel is being unlocked");
    if (u256_lt(&unlock, &least))
        return err_in(e, RC_REFUSED, "payment", "the channel can be unlocked within less than %llu s",
                      (unsigned long long)rule->min_unlock_s);
    return RC_OK;
}

rc_t paid_judge(err_t *e, arena_t *a, const paid_rule_t *rule, const tpod_payment_t *p, view_t answer, uint64_t now_s)
{
    uint8_t data[CALLDATA_LEN];
    statement_t said;
    rc_t rc = calldata(data, e, rule, p);
    if (rc)
        return rc;
    const statement_request_t asked = { .kind = STATEMENT_CALL,
                                        .call = { .to = rule->contract, .data = view_of(data, sizeof data) } };
    const statement_demand_t want = { .chain_id = rule->chain_id,
                                      .signers = rule->signers,
                                      .signer_count = rule->signer_count,
                                      .setup = &rule->setup,
                                      .has_kind = true,
                                      .kind = STATEMENT_CALL,
                                      .request = &asked,
                                      .has_max_age = true,
                                      .max_age_s = rule->max_age_s,
                                      .min_finality = rule->finalized ? STATEMENT_FINAL : STATEMENT_OPTIMISTIC,
                                      .now_s = now_s };
    rc = statement_read(&said, e, a, answer);
    if (!rc)
        rc = statement_verify(&said, e, &want);
    if (rc) {
        const char *word = e ? statement_code_word(e->code) : "";
        return err_set(e, rc == RC_NOMEM ? rc : RC_IO, "the node's statement does not hold: %s", word);
    }
    return judge_channel(e, rule, said.call.result);
}

rc_t paid_check(err_t *e, arena_t *a, const paid_rule_t *rule, const tpod_payment_t *p, hc_t *http,
                bool (*stops)(void *ctx), void *ctx)
{
    char url[URL_MAX];
    view_t body;
    hc_response_t r;
    rc_t rc = paid_question(&body, e, a, rule, p);
    if (rc)
        return rc;
    hc_url_join(url, sizeof url, rule->node, "/v1/call");
    const hc_request_t q = { .url = url,
                             .post = body,
                             .timeout_ms = PAID_MS,
                             .stall_timeout_ms = PAID_MS,
                             .body_max = PAID_ANSWER_MAX,
                             .any_peer = true }; /* what is signed needs no vouching for the way */
    hc_perform(http, &r, &q, 1, stops, ctx);
    if (r.why.rc)
        rc = err_set(e, RC_IO, "the node: %s", r.why.text);
    else if (r.status != 200)
        rc = err_set(e, RC_IO, "the node: HTTP status %d: %.*s", r.status, (int)(r.body_len < 160 ? r.body_len : 160),
                     (const char *)r.body);
    else
        rc = paid_judge(e, a, rule, p, view_of(r.body, r.body_len), clock_system_ms() / 1000);
    hc_response_clear(&r);
    return rc;
}
