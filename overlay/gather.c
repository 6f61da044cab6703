#include "overlay/gather.h"

#include <stdlib.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"

/* What is locked. */
typedef struct {
    uint8_t secret[X25519_LEN], opened[KEY_SHARE_LEN];
    uint8_t shares[KEY_HOLDERS_MAX][KEY_SHARE_LEN];
} vault_t;

struct gather {
    unsigned threshold, holder_count, count;
    uint8_t holders[KEY_HOLDERS_MAX][X25519_LEN], pubkey[X25519_LEN];
    bool has[KEY_HOLDERS_MAX]; /* whose share is here */
    vault_t *vault;
    recovery_t kept; /* views into bytes */
    uint8_t *bytes;  /* NULL: none came yet */
    size_t n;
    recovery_t judged; /* room */
};

rc_t gather_new(gather_t **out, const key_holders_t *holders, uint8_t take_random[X25519_LEN])
{
    gather_t *g = holders->count <= KEY_HOLDERS_MAX ? calloc(1, sizeof *g) : NULL;
    if (g)
        g->vault = secret_alloc(sizeof *g->vault);
    if (g && g->vault) {
        g->threshold = holders->threshold;
        g->holder_count = holders->count;
        memcpy(g->holders, holders->keys, holders->count * sizeof g->holders[0]);
        memcpy(g->vault->secret, take_random, X25519_LEN);
        x25519_pubkey(g->pubkey, g->vault->secret);
        *out = g;
    }
    secret_wipe(take_random, X25519_LEN);
    if (g && g->vault)
        return RC_OK;
    free(g);
    return RC_NOMEM;
}

void gather_free(gather_t *g)
{
    if (!g)
        return;
    secret_free(g->vault);
    free(g->bytes);
    free(g);
}

const uint8_t *gather_pubkey(const gather_t *g)
{
    return g->pubkey;
}

/* ---- which recovery counts ---- */

static const key_name_t *name_of(const recovery_t *r)
{
    return &r->proof.entry.entry.name;
}

/* Whether these are shares for the operators whom the measured configuration names. */
static rc_t check_holders(const gather_t *g, err_t *e, const recovery_t *r)
{
    if (r->mode != RECOVERY_SHARES || r->threshold != g->threshold || r->count != g->holder_count ||
        memcmp(r->keys, g->holders, r->count * sizeof r->keys[0]) != 0)
        return err_in(e, RC_REFUSED, "shares", "are not those of the operators whom this node's configuration names");
    return RC_OK;
}

static bool same_shares(const recovery_t *a, const recovery_t *b)
{
    for (unsigned i = 0; i < a->count; i++)
        if (!hash32_eq(&a->boxes[i].hash, &b->boxes[i].hash))
            return false;
    return true;
}

/* The order of a recovery; of none the lowest. */
static order_id_t order_of(const recovery_t *r)
{
    order_signed_t order = { .id = { .version = 0 } };
    return r->order.n && order_read(&order, NULL, r->order) ? (order_id_t){ .version = 0 } : order.id;
}

/* < 0: it is older than what is here. */
static int compare(const recovery_t *r, const recovery_t *kept)
{
    const order_id_t order = order_of(r), ours = order_of(kept);
    const int by_name = key_name_cmp(name_of(r), name_of(kept));
    return by_name ? by_name : order_id_cmp(&order, &ours);
}

static rc_t check_age(const gather_t *g, err_t *e, const recovery_t *r)
{
    const int by_name = g->bytes ? key_name_cmp(name_of(r), name_of(&g->kept)) : 1;
    if (by_name < 0)
        return err_in(e, RC_REPLAY, "proof", "is of an older generation than the shares that are here");
    if (by_name == 0 && !same_shares(r, &g->kept))
        return err_in(e, RC_REFUSED, "shares", "are others than those that are here, of one generation");
    return RC_OK;
}

/* Puts a recovery in the place of the one that is here. */
static rc_t adopt(gather_t *g, err_t *e, view_t bytes)
{
    uint8_t *copy = malloc(bytes.n);
    view_t covered;
    if (!copy)
        return err_say(e, RC_NOMEM, "out of memory");
    memcpy(copy, bytes.p, bytes.n);
    const bool is_new = !g->bytes || key_name_cmp(name_of(&g->judged), name_of(&g->kept)) != 0;
    const rc_t rc = recovery_read(&g->kept, &covered, e, view_of(copy, bytes.n));
    if (rc) { /* it read before */
        free(copy);
        return rc;
    }
    free(g->bytes);
    g->bytes = copy;
    g->n = bytes.n;
    if (is_new) {
        memset(g->has, 0, sizeof g->has);
        g->count = 0;
    }
    return RC_OK;
}

/* ---- shares ---- */

/* Opens a share into the vault, and compares it with its hash. */
static rc_t open_share(gather_t *g, err_t *e, const gather_share_t *s, const recovery_t *r)
{
    vault_t *v = g->vault;
    hash32_t hash;
    if (s->holder >= g->holder_count)
        return err_in(e, RC_MALFORMED, "holder", "is none of the operators");
    if (s->sealed.n != KEY_SHARE_LEN + BOX_TAG_LEN)
        return err_in(e, RC_MALFORMED, "share", "has another length");
    if (box_open_from(v->opened, s->sealed, g->holders[s->holder], v->secret, s->nonce))
        return err_in(e, RC_REFUSED, "share", "was not sent by the holder of this operator's key, to this node");
    sha256(&hash, view_of(v->opened, sizeof v->opened));
    if (!hash32_eq(&hash, &r->boxes[s->holder].hash) || v->opened[0] != s->holder + 1)
        return err_in(e, RC_REFUSED, "share", "is not the one whose hash the generation's key signed");
    return RC_OK;
}

/* That its generation is committed, in the cluster that this node is pinned to. */
static rc_t check_generation(err_t *e, const recovery_t *r, const order_rules_t *rules)
{
    static const uint8_t any[33];
    order_rules_t of_cluster = *rules;
    if (memcmp(rules->cluster, any, sizeof any) != 0 && memcmp(rules->cluster, recovery_cluster(r), sizeof any) != 0)
        return err_in(e, RC_REFUSED, "cluster", "is another than this node's configuration names");
    memcpy(of_cluster.cluster, recovery_cluster(r), sizeof of_cluster.cluster);
    return err_under(e, entry_proof_judge(e, &r->proof, &of_cluster), "proof");
}

static rc_t take(gather_t *g, err_t *e, const gather_share_t *s, const order_rules_t *rules)
{
    view_t covered;
    const recovery_t *r = &g->judged;
    rc_t rc = recovery_read(&g->judged, &covered, e, s->recovery);
    if (!rc)
        rc = check_holders(g, e, r);
    if (!rc)
        rc = recovery_judge(e, r, covered, rules->ecdsa);
    if (!rc)
        rc = check_generation(e, r, rules);
    if (!rc)
        rc = check_age(g, e, r);
    if (!rc)
        rc = open_share(g, e, s, r);
    if (!rc && (!g->bytes || compare(r, &g->kept) > 0))
        rc = adopt(g, e, s->recovery);
    return rc;
}

rc_t gather_take(gather_t *g, err_t *e, const gather_share_t *s, const order_rules_t *rules)
{
    rc_t rc = take(g, e, s, rules);
    if (!rc && g->has[s->holder])
        rc = err_in(e, RC_REPLAY, "share", "of this operator is here already");
    if (!rc) {
        memcpy(g->vault->shares[g->count++], g->vault->opened, KEY_SHARE_LEN);
        g->has[s->holder] = true;
    }
    secret_wipe(g->vault->opened, sizeof g->vault->opened);
    return rc;
}

unsigned gather_count(const gather_t *g, unsigned *needed)
{
    *needed = g->threshold;
    return g->count;
}

const recovery_t *gather_recovery(const gather_t *g, view_t *bytes)
{
    if (bytes)
        *bytes = view_of(g->bytes, g->n);
    return g->bytes ? &g->kept : NULL;
}

rc_t gather_join(const gather_t *g, keyring_t *ring)
{
    const entry_t *x = &g->kept.proof.entry.entry;
    if (!g->bytes || g->count < g->threshold)
        return RC_NEED_DATA;
    return keyring_join(ring, &x->name, x->pubkey, (const uint8_t(*)[KEY_SHARE_LEN])g->vault->shares, g->count);
}
