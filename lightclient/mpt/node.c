#include "lightclient/mpt/node.h"

#include "base/crypto/hash.h"
#include "lightclient/mpt/mpt.h"
#include "lightclient/mpt/nibble.h"
#include "lightclient/rlp/rlp.h"

void mpt_refer(mpt_ref_t *out, view_t node)
{
    hash32_t h;
    if (node.n < sizeof h) {
        out->n = (uint8_t)node.n;
        memcpy(out->b, node.p, node.n);
        return;
    }
    keccak256(&h, node);
    out->n = sizeof out->b;
    out->b[0] = 0x80 + sizeof h;
    memcpy(out->b + 1, h.b, sizeof h);
}

/* Starts a leaf or an extension. */
static void put_path(wr_t *w, view_t key, size_t from, size_t to, bool leaf)
{
    uint8_t hp[MPT_KEY_MAX + 1];
    wr_t path = wr_of(hp, sizeof hp);
    hp_put(&path, key, from, to, leaf);
    w->n = 0;
    rlp_put_bytes(w, wr_view(&path));
}

void mpt_put_leaf(wr_t *w, view_t key, size_t from, view_t value)
{
    put_path(w, key, from, 2 * key.n, true);
    rlp_put_bytes(w, value);
    rlp_wrap_list(w, 0);
}

void mpt_put_extension(wr_t *w, view_t key, size_t from, size_t to, const mpt_ref_t *branch)
{
    put_path(w, key, from, to, false);
    wr_bytes(w, branch->b, branch->n);
    rlp_wrap_list(w, 0);
}

void mpt_put_branch(wr_t *w, const mpt_ref_t *child, view_t value)
{
    w->n = 0;
    for (unsigned i = 0; i < 16; i++) {
        if (child[i].n)
            wr_bytes(w, child[i].b, child[i].n);
        else
            wr_u8(w, 0x80);
    }
    rlp_put_bytes(w, value);
    rlp_wrap_list(w, 0);
}
