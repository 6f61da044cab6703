#include "tee/tee.h"

#include "base/crypto/hash.h"
#include "base/hex.h"

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
