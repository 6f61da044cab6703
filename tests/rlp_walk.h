/* rlp_walk.h - test help: takes a whole RLP value apart, nested lists included, and encodes it again. */
#ifndef TESTS_RLP_WALK_H
#define TESTS_RLP_WALK_H

#include "lightclient/rlp/rlp.h"

#define RLP_WALK_DEPTH_MAX 1024u

/* Decodes in to the last leaf and appends what it means to w. RC_MALFORMED where anything does not parse; RC_LIMIT:
 * lists nested deeper than RLP_WALK_DEPTH_MAX. */
static inline rc_t rlp_walk(wr_t *w, view_t in)
{
    struct {
        view_t left;
        size_t began;
    } open[RLP_WALK_DEPTH_MAX];
    size_t depth = 0;
    rlp_item_t item;
    rc_t rc = rlp_decode(&item, in);
    for (;;) {
        if (rc)
            return rc;
        if (item.is_list && depth == RLP_WALK_DEPTH_MAX)
            return RC_LIMIT;
        if (item.is_list) {
            open[depth].left = item.payload;
            open[depth++].began = w->n;
        } else {
            rlp_put_bytes(w, item.payload);
        }
        while (depth && open[depth - 1].left.n == 0)
            rlp_wrap_list(w, open[--depth].began);
        if (depth == 0)
            return RC_OK;
        rc = rlp_next(&item, &open[depth - 1].left);
    }
}

#endif
