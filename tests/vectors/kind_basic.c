/* basic: basic/keyaddrtest.json, from seed to key to address. The file's "signature of the empty string" is no
 * signature by that key over Keccak-256 (or SHA-256, or SHA-3) of nothing; other clients leave it out too, so it counts
 * as skipped. */
#include <string.h>

#include "base/crypto/ecdsa.h"
#include "base/crypto/hash.h"
#include "base/hex.h"
#include "tests/vectors/vec.h"

static const char *check(const ecdsa_t *e, const json_t *o)
{
    uint8_t want_key[32], want_addr[20], pub33[33], pub64[64];
    hash32_t key;
    addr_t addr;
    const char *seed = vec_str(o, "seed");
    if (!seed || !vec_hex_fixed(want_key, 32, vec_str(o, "key")) || !vec_hex_fixed(want_addr, 20, vec_str(o, "addr")))
        return "the case does not parse";
    keccak256(&key, view_str(seed));
    if (memcmp(key.b, want_key, 32) != 0)
        return "the key differs";
    if (ecdsa_pubkey(e, pub33, key.b) || ecdsa_uncompress(e, pub64, pub33))
        return "the key has no public key";
    ecdsa_address(&addr, pub64);
    if (memcmp(addr.b, want_addr, 20) != 0)
        return "the address differs";
    return NULL;
}

void vec_kind_basic(vec_t *v)
{
    json_t *root = vec_json(v, "basic/keyaddrtest.json");
    ecdsa_t *e = ecdsa_new(NULL);
    const char *name;
    json_t *o;
    if (root && !e)
        vec_fail(v, "basic", "out of memory");
    else
        json_object_foreach (root, name, o) {
            const char *why = check(e, o);
            if (why)
                vec_fail(v, name, "%s", why);
            else
                vec_pass(v);
            if (json_object_get(o, "sig_of_emptystring"))
                vec_skip(v, name, "the signature in the file verifies over no known digest");
        }
    ecdsa_free(e);
    json_decref(root);
}
