#include "tee/x509/chain.h"

#include "base/crypto/hash.h"
#include "tee/x509/cert.h"
#include "tee/x509/crl.h"

/* What a certificate must be to stand at one place of a chain. */
typedef struct {
    const char *name[2]; /* both parts are in its common name; [1] may be empty */
    bool ca;
    int path_len;              /* exactly; -1: none */
    unsigned usage, not_usage; /* bits that are set, and bits that are not */
} place_t;

#define CA_USAGE (CERT_USAGE_CERT_SIGN | CERT_USAGE_CRL_SIGN)
static const place_t root_place = { { "SGX Root CA", "" }, true, 1, CA_USAGE, 0 };
static const place_t ca_place = { { "SGX PCK", "CA" }, true, 0, CA_USAGE, 0 };
static const place_t pck_place = { { "SGX PCK Certificate", "" }, false, -1, CERT_USAGE_SIGNATURE, CA_USAGE };
static const place_t signer_place = { { "SGX TCB Signing", "" }, false, -1, CERT_USAGE_SIGNATURE, CA_USAGE };

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool contains(view_t text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* That c is what its place demands and is issued by issuer, which is c itself for a root. */
static rc_t check_cert(const cert_t *c, const cert_t *issuer, const place_t *place, err_t *e, int64_t now)
{
    if (!view_eq(CERT_VIEW(c->issuer), CERT_VIEW(issuer->subject)))
        return tee_fail(e, E_CHAINORDER, NULL);
    if (!c->authority_key.n || !view_eq(CERT_VIEW(c->authority_key), CERT_VIEW(issuer->subject_key)))
        return tee_fail(e, E_CHAINORDER, "a certificate names another key of its issuer, or none");
    if (der_verify(&c->parts, issuer->pubkey))
        return tee_fail(e, E_CHAINSIG, NULL);
    if (c->ca != place->ca || c->path_len != place->path_len)
        return tee_fail(e, E_CHAINUSAGE, "a certificate's basic constraints are not those of its place in the chain");
    if ((c->usage & place->usage) != place->usage || c->usage & place->not_usage)
        return tee_fail(e, E_CHAINUSAGE, "a certificate's key usage is not that of its place in the chain");
    if (now < c->not_before || now > c->not_after)
        return tee_fail(e, E_CHAINTIME, NULL);
    if (!contains(CERT_VIEW(c->cn), place->name[0]) || !contains(CERT_VIEW(c->cn), place->name[1]))
        return tee_fail(e, E_CHAINNAME, NULL);
    return RC_OK;
}

/* SHA-256 of the SubjectPublicKeyInfo; that of a P-256 key has one form. */
static void hash_spki(hash32_t *out, const uint8_t pubkey[64])
{
    static const uint8_t head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
                                    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
    const view_t parts[] = { view_of(head, sizeof head), view_of(pubkey, 64) };
    sha256_parts(out, parts, 2);
}

/* That der is a revocation list of this issuer, valid now; *list points into der. */
static rc_t check_crl(crl_t *list, chain_crl_t *out, err_t *e, view_t der, const cert_t *issuer, int64_t now)
{
    if (!der.n)
        return tee_fail(e, E_CRL_MISSING, NULL);
    rc_t rc = crl_parse(list, e, der);
    if (rc)
        return rc;
    if (!view_eq(list->issuer, CERT_VIEW(issuer->subject)))
        return tee_fail(e, E_CRL_ISSUER, NULL);
    if (!list->has_number || !list->key_id.p)
        return tee_fail(e, E_CRL_EXT, NULL);
    if (!view_eq(list->key_id, CERT_VIEW(issuer->subject_key)))
        return tee_fail(e, E_CRL_ISSUER, "a revocation list is by another key of its issuer");
    if (!der_is_ecdsa_sha256(list->parts.algorithm) || der_verify(&list->parts, issuer->pubkey))
        return tee_fail(e, E_CRL_SIG, NULL);
    if (now < list->this_update || now > list->next_update)
        return tee_fail(e, E_CRL_TIME, NULL);
    hash_spki(&out->issuer, issuer->pubkey);
    memcpy(out->number, list->number, sizeof out->number);
    out->this_update = list->this_update;
    out->next_update = list->next_update;
    return RC_OK;
}

/* Steps 2 and 3: c is the pinned root, and its revocation list holds. */
static rc_t check_root(const cert_t *c, crl_t *list, chain_crl_t *out, err_t *e, view_t root_crl, view_t root,
                       int64_t now)
{
    if (!view_eq(CERT_VIEW(c->der), root))
        return tee_fail(e, E_ROOT, NULL);
    rc_t rc = check_cert(c, c, &root_place, e, now);
    return rc ? rc : check_crl(list, out, e, root_crl, c, now);
}

struct chain_ca {
    cert_t ca, root;
    crl_t root_list, pck_list;
    chain_crl_t root_crl, pck_crl;
    view_t pem[2]; /* of ca and root */
    int64_t earliest_expiry;
};

/* Steps 2 and 3, and what of 4 and 5 is not about the leaf; both certificates are read. */
static rc_t check_ca(chain_ca_t *x, err_t *e, view_t root_crl, view_t pck_crl, view_t root, int64_t now)
{
    rc_t rc = check_root(&x->root, &x->root_list, &x->root_crl, e, root_crl, root, now);
    if (!rc)
        rc = check_cert(&x->ca, &x->root, &ca_place, e, now);
    if (!rc && crl_lists(&x->root_list, CERT_VIEW(x->ca.serial)))
        rc = tee_fail(e, E_REVOKED, "the PCK chain's intermediate certificate is revoked");
    if (!rc)
        rc = check_crl(&x->pck_list, &x->pck_crl, e, pck_crl, &x->ca, now);
    if (rc)
        return rc;
    x->earliest_expiry =
        min64(min64(x->root_list.next_update, x->pck_list.next_update), min64(x->ca.not_after, x->root.not_after));
    return RC_OK;
}

/* The rest of steps 4 and 5, and the SGX extension. */
static rc_t check_leaf(chain_pck_t *out, err_t *e, const cert_t *leaf, const chain_ca_t *x, int64_t now)
{
    chain_pck_t v = { .root_crl = x->root_crl, .pck_crl = x->pck_crl };
    rc_t rc = check_cert(leaf, &x->ca, &pck_place, e, now);
    if (rc)
        return rc;
    if (crl_lists(&x->pck_list, CERT_VIEW(leaf->serial)))
        return tee_fail(e, E_REVOKED, "the PCK certificate is revoked");
    if (!leaf->sgx.n)
        return tee_fail(e, E_SGXEXT, "the PCK certificate has no SGX extension");
    rc = chain_sgx_parse(&v.sgx, e, CERT_VIEW(leaf->sgx));
    if (rc)
        return rc;
    memcpy(v.leaf_pubkey, leaf->pubkey, sizeof v.leaf_pubkey);
    v.earliest_expiry = min64(x->earliest_expiry, leaf->not_after);
    *out = v;
    return RC_OK;
}

/* One block and nothing else. */
static rc_t read_alone(cert_t *c, err_t *e, view_t pem)
{
    rd_t r = rd_of(pem);
    rc_t rc = cert_read(c, &r, e);
    return !rc && !rd_done(&r) ? tee_fail(e, E_PEM, NULL) : rc;
}

rc_t chain_verify_pck(chain_pck_t *out, err_t *e, const view_t certs[3], view_t root_crl, view_t pck_crl, view_t root,
                      int64_t now)
{
    cert_t leaf;
    chain_ca_t x;
    rc_t rc = read_alone(&leaf, e, certs[0]);
    if (!rc)
        rc = read_alone(&x.ca, e, certs[1]);
    if (!rc)
        rc = read_alone(&x.root, e, certs[2]);
    if (rc)
        return rc;
    if (!view_eq(CERT_VIEW(x.root.der), root) &&
        (view_eq(CERT_VIEW(x.ca.der), root) || view_eq(CERT_VIEW(leaf.der), root)))
        return tee_fail(e, E_CHAINORDER, "the root is not the last certificate of the chain");
    rc = check_ca(&x, e, root_crl, pck_crl, root, now);
    return rc ? rc : check_leaf(out, e, &leaf, &x, now);
}

rc_t chain_leads_to(uint8_t leaf_pubkey[64], err_t *e, const view_t certs[3], view_t root)
{
    cert_t c[3];
    rc_t rc = RC_OK;
    for (size_t i = 0; !rc && i < 3; i++)
        rc = read_alone(&c[i], e, certs[i]);
    if (!rc && !view_eq(CERT_VIEW(c[2].der), root))
        rc = tee_fail(e, E_ROOT, NULL);
    if (!rc)
        rc = check_cert(&c[2], &c[2], &root_place, e, c[2].not_before);
    if (!rc)
        rc = check_cert(&c[1], &c[2], &ca_place, e, c[1].not_before);
    if (!rc)
        rc = check_cert(&c[0], &c[1], &pck_place, e, c[0].not_before);
    if (!rc)
        memcpy(leaf_pubkey, c[0].pubkey, 64);
    return rc;
}

/* Reads two certificates with line ends between and behind them, and perhaps one NUL at the end. */
static rc_t read_pair(cert_t *first, cert_t *second, view_t blocks[2], err_t *e, view_t pem)
{
    cert_t *const certs[2] = { first, second };
    rd_t r = rd_of(pem);
    size_t n = 0;
    if (pem.n > CHAIN_PEM_MAX)
        return tee_fail(e, E_LIMIT, "a certificate chain is longer than 16 KiB");
    if (r.n && r.p[r.n - 1] == 0)
        r.n--;
    for (; r.n; n++) {
        const uint8_t *start = r.p;
        if (n == 2)
            return tee_fail(e, E_CHAINLEN, NULL);
        rc_t rc = cert_read(certs[n], &r, e);
        if (rc)
            return rc;
        blocks[n] = view_of(start, (size_t)(r.p - start));
        pem_skip_lines(&r);
    }
    return n == 2 ? RC_OK : tee_fail(e, E_CHAINLEN, NULL);
}

rc_t chain_verify_ca(const chain_ca_t **out, err_t *e, arena_t *a, view_t pem, view_t root_crl, view_t pck_crl,
                     view_t root, int64_t now)
{
    chain_ca_t *x = arena_alloc(a, sizeof *x);
    if (!x)
        return tee_fail(e, E_NOMEM, NULL);
    rc_t rc = read_pair(&x->ca, &x->root, x->pem, e, pem);
    if (!rc)
        rc = check_ca(x, e, root_crl, pck_crl, root, now);
    if (!rc)
        *out = x;
    return rc;
}

bool chain_is_of(const chain_ca_t *ca, const view_t certs[3])
{
    return view_eq(certs[1], ca->pem[0]) && view_eq(certs[2], ca->pem[1]);
}

rc_t chain_verify_leaf(chain_pck_t *out, err_t *e, view_t leaf, const chain_ca_t *ca, int64_t now)
{
    cert_t c;
    rc_t rc = read_alone(&c, e, leaf);
    return rc ? rc : check_leaf(out, e, &c, ca, now);
}

int64_t chain_ca_expiry(const chain_ca_t *ca)
{
    return ca->earliest_expiry;
}

rc_t chain_verify_signer(chain_signer_t *out, err_t *e, view_t pem, view_t root_crl, view_t root, int64_t now)
{
    chain_crl_t seen;
    cert_t signer, last;
    crl_t root_list;
    view_t blocks[2];
    rc_t rc = read_pair(&signer, &last, blocks, e, pem);
    if (rc)
        return rc;
    if (!view_eq(CERT_VIEW(last.der), root) && view_eq(CERT_VIEW(signer.der), root))
        return tee_fail(e, E_CHAINORDER, "the root is not the last certificate of the chain");
    rc = check_root(&last, &root_list, &seen, e, root_crl, root, now);
    if (!rc)
        rc = check_cert(&signer, &last, &signer_place, e, now);
    if (rc)
        return rc;
    if (crl_lists(&root_list, CERT_VIEW(signer.serial)))
        return tee_fail(e, E_REVOKED, "the TCB signing certificate is revoked");
    memcpy(out->pubkey, signer.pubkey, sizeof out->pubkey);
    out->earliest_expiry = min64(root_list.next_update, min64(signer.not_after, last.not_after));
    return RC_OK;
}

rc_t chain_platform(uint8_t fmspc[6], bool *processor_ca, err_t *e, const view_t certs[3])
{
    cert_t leaf, ca;
    chain_sgx_t sgx;
    rd_t leaf_pem = rd_of(certs[0]), ca_pem = rd_of(certs[1]);
    rc_t rc = cert_read(&leaf, &leaf_pem, e);
    if (!rc)
        rc = cert_read(&ca, &ca_pem, e);
    if (!rc)
        rc = chain_sgx_parse(&sgx, e, CERT_VIEW(leaf.sgx));
    if (rc)
        return rc;
    memcpy(fmspc, sgx.fmspc, 6);
    *processor_ca = contains(CERT_VIEW(ca.cn), "Processor");
    return RC_OK;
}
