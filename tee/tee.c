#include "tee/tee.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/hex.h"

const char *const TEE_WORDS[] = { "auto",
#define TEE_KIND(word, type, byte, name, open) word,
#include "tee/kinds.def"
#undef TEE_KIND
                                  NULL };

static const struct {
    const char *word, *name;
    tee_evidence_type_t type;
} kinds[] = {
#define TEE_KIND(word, type, byte, name, open) { word, name, type },
#include "tee/kinds.def"
#undef TEE_KIND
};

const char *tee_type_name(unsigned type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].type == type)
            return kinds[i].name;
    return NULL;
}

bool tee_is_type(unsigned byte)
{
    return tee_type_name(byte) != NULL;
}

bool tee_is(const tee_provider_t *p, const char *word)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].type == p->type)
            return !strcmp(word, "auto") || !strcmp(word, kinds[i].word);
    return false;
}

void tee_register_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const uint8_t pubkey33[33])
{
    char hex[2 * 33 + 1];
    hash32_t h;
    hex_encode(hex, view_of(pubkey33, 33));
    const view_t parts[] = { view_str("register"), view_str(hex) };
    sha256_parts(&h, parts, 2);
    memset(out, 0, TEE_REPORT_DATA_LEN);
    memcpy(out, h.b, sizeof h.b);
}

void tee_attest_report_data(uint8_t out[TEE_REPORT_DATA_LEN], const tee_attest_t *bound)
{
    static const uint8_t zero[32];
    const uint8_t kind[4] = { (uint8_t)bound->type };
    const view_t parts[] = { view_str("tee-attest-api/2"),
                             view_of(kind, sizeof kind),
                             view_of(bound->nonce ? bound->nonce : zero, 32),
                             view_of(bound->cluster_pubkey, 33),
                             view_of(bound->node_pubkey, 33),
                             view_of(bound->cluster_statement.b, 32),
                             view_of(bound->node_statement.b, 32),
                             view_of(bound->key_log.b, 32) };
    sha512_parts(out, parts, sizeof parts / sizeof parts[0]);
}

void tee_recover_report_data(uint8_t out[TEE_REPORT_DATA_LEN], tee_evidence_type_t type, const uint8_t nonce[32],
                             const uint8_t recovery_key[32], const uint8_t node_pubkey[33])
{
    const uint8_t kind[4] = { (uint8_t)type };
    const view_t parts[] = { view_str("kettle-recover/1"), view_of(kind, sizeof kind), view_of(nonce, 32),
                             view_of(recovery_key, 32), view_of(node_pubkey, 33) };
    sha512_parts(out, parts, sizeof parts / sizeof parts[0]);
}

void tee_ratls_report_data(uint8_t out[TEE_REPORT_DATA_LEN], view_t spki_der)
{
    const view_t parts[] = { view_str("ratls-cert:"), spki_der };
    sha512_parts(out, parts, 2);
}

rc_t tee_evidence_make(tee_evidence_t *out, tee_evidence_type_t type, view_t quote, view_t event_log, view_t vm_config)
{
    if (quote.n > TEE_QUOTE_LEN_MAX || event_log.n > TEE_EVENT_LOG_MAX || vm_config.n > TEE_VM_CONFIG_MAX)
        return RC_LIMIT;
    const view_t parts[] = { quote, event_log, vm_config };
    view_t copies[3];
    size_t at = 0;
    uint8_t *buffer = malloc(quote.n + event_log.n + vm_config.n + 1);
    if (!buffer)
        return RC_NOMEM;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i].n)
            memcpy(buffer + at, parts[i].p, parts[i].n);
        copies[i] = view_of(buffer + at, parts[i].n);
        at += parts[i].n;
    }
    *out = (tee_evidence_t){ type, buffer, copies[0], copies[1], copies[2] };
    return RC_OK;
}

void tee_evidence_free(tee_evidence_t *e)
{
    if (!e)
        return;
    free(e->buffer);
    *e = (tee_evidence_t){ 0 };
}
