/* kzg: verify_kzg_proof, by itself and as the precompile. */
#include <string.h>

#include "base/crypto/hash.h"
#include "lightclient/bls/kzg.h"
#include "lightclient/evm/evm.h"
#include "tests/vectors/vec.h"

#define POINT_EVALUATION 0x0a

/* The input of the precompile: versioned hash, z, y, commitment, proof. */
static view_t precompile_input(uint8_t out[192], const hash32_t *z, const hash32_t *y, view_t commitment, view_t proof)
{
    wr_t w = wr_of(out, 192);
    hash32_t versioned;
    sha256(&versioned, commitment);
    versioned.b[0] = 1;
    wr_hash32(&w, &versioned);
    wr_hash32(&w, z);
    wr_hash32(&w, y);
    wr_bytes(&w, commitment.p, commitment.n);
    wr_bytes(&w, proof.p, proof.n);
    return wr_view(&w);
}

static void check(vec_t *v, arena_t *a, const json_t *test)
{
    const char *name = vec_str(test, "name");
    const json_t *in = json_object_get(test, "input"), *output = json_object_get(test, "output");
    view_t commitment = vec_hex(a, vec_str(in, "commitment")), proof = vec_hex(a, vec_str(in, "proof"));
    view_t z_text = vec_hex(a, vec_str(in, "z")), y_text = vec_hex(a, vec_str(in, "y")), got;
    rc_t want = json_is_null(output) ? RC_MALFORMED : json_is_true(output) ? RC_OK : RC_REFUSED, rc = RC_MALFORMED;
    hash32_t z, y;
    uint8_t buffer[192];
    uint64_t gas;
    /* other lengths cannot be said to the function */
    if (commitment.n == KZG_POINT_LEN && proof.n == KZG_POINT_LEN && z_text.n == 32 && y_text.n == 32) {
        memcpy(z.b, z_text.p, 32);
        memcpy(y.b, y_text.p, 32);
        rc = kzg_verify(commitment.p, &z, &y, proof.p);
        view_t input = precompile_input(buffer, &z, &y, commitment, proof);
        rc_t as_precompile = evm_precompile(&got, &gas, a, input, EVM_OSAKA, POINT_EVALUATION);
        if ((rc == RC_OK) != (as_precompile == RC_OK)) {
            vec_fail(v, name, "%s, as a precompile %s", rc_name(rc), rc_name(as_precompile));
            return;
        }
    }
    if (rc != want)
        vec_fail(v, name, "%s, not %s", rc_name(rc), rc_name(want));
    else
        vec_pass(v);
}

void vec_kind_kzg(vec_t *v)
{
    arena_t a;
    arena_init(&a, 16u << 20);
    char **files = vec_list(v, &a, "kzg");
    for (size_t f = 0; files && files[f]; f++) {
        json_t *tests = vec_json(v, "kzg/%s", files[f]);
        for (size_t i = 0; i < json_array_size(tests); i++)
            check(v, &a, json_array_get(tests, i));
        json_decref(tests);
    }
    arena_free(&a);
}
