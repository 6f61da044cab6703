#include "lightclient/exec/bloom.h"

#include "base/crypto/hash.h"

/* The three bits of a value, as places in the filter. */
static void bits_of(unsigned out[3], view_t what)
{
    hash32_t h;
    keccak256(&h, what);
    for (unsigned i = 0; i < 3; i++)
        out[i] = (h.b[2 * i] * 256u + h.b[2 * i + 1]) % (8 * EX_BLOOM_LEN);
}

void ex_bloom_add(uint8_t bloom[EX_BLOOM_LEN], view_t what)
{
    unsigned bits[3];
    bits_of(bits, what);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *at = &bloom[EX_BLOOM_LEN - 1 - bits[i] / 8];
        *at = (uint8_t)(*at | 1u << bits[i] % 8);
    }
}

void ex_bloom_add_logs(uint8_t bloom[EX_BLOOM_LEN], const evm_log_t *logs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ex_bloom_add(bloom, view_of(logs[i].addr.b, sizeof logs[i].addr.b));
        for (unsigned k = 0; k < logs[i].topic_count; k++)
            ex_bloom_add(bloom, view_of(logs[i].topics[k].b, sizeof logs[i].topics[k].b));
    }
}

bool ex_bloom_has(const uint8_t bloom[EX_BLOOM_LEN], view_t what)
{
    unsigned bits[3];
    bits_of(bits, what);
    for (unsigned i = 0; i < 3; i++)
        if (!(bloom[EX_BLOOM_LEN - 1 - bits[i] / 8] >> bits[i] % 8 & 1))
            return false;
    return true;
}
