/* libp2p: libp2p/tls-certificates.json, the certificates of the TLS specification: the valid ones show their peer id, and no changed
 * byte of them is taken. */
#include "overlay/wire/tlscert.h"
#include "tests/vectors/vec.h"

#define NOW 1795000000 /* Unix seconds: the certificates are valid from 1975 to 4096 */
#define MEMORY_MAX (1u << 20)

static const char *check(arena_t *a, const json_t *o)
{
    static char said[sizeof(err_t)];
    char text[PEERID_TEXT_MAX + 1];
    tlscert_t c;
    err_t e = { 0 };
    const view_t cert = vec_hex(a, vec_str(o, "certificate_der_hex"));
    const char *id = vec_str(o, "peer_id");
    bool valid = json_is_true(json_object_get(o, "valid"));
    if (!cert.p || (valid && !id))
        return "the case does not parse";
    rc_t rc = tlscert_verify(&c, &e, cert, NOW, NULL);
    if (rc && valid) {
        snprintf(said, sizeof said, "refused: %s", e.text);
        return said;
    }
    if (!valid)
        return rc ? NULL : "taken, though it is not valid";
    peerid_text(text, &c.id);
    if (strcmp(text, id) != 0)
        return "another peer id";
    for (size_t i = 0; i < cert.n; i++) {
        uint8_t *changed = (uint8_t *)(uintptr_t)cert.p + i;
        *changed ^= 0x10;
        rc = tlscert_verify(&c, &e, cert, NOW, NULL);
        *changed ^= 0x10;
        if (!rc)
            return "taken with a changed byte";
    }
    return NULL;
}

void vec_kind_libp2p(vec_t *v)
{
    json_t *root = vec_json(v, "libp2p/tls-certificates.json");
    const json_t *o;
    size_t i;
    arena_t a;
    arena_init(&a, MEMORY_MAX);
    json_array_foreach (root, i, o) {
        const char *why = check(&a, o);
        if (why)
            vec_fail(v, vec_str(o, "name"), "%s", why);
        else
            vec_pass(v);
    }
    arena_free(&a);
    json_decref(root);
}
