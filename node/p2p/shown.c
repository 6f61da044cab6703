#include "node/p2p/shown.h"

#include "base/crypto/hash.h"
#include "base/hex.h"
#include "base/os/file.h"

#define PEERS_MAX ((size_t)1 << 20) /* bytes of the list as JSON: more than all endpoints that it can have */

/* What the endpoints are, each with its length. */
static void name(char out[SHOWN_CURSOR_LEN + 1], view_t peers)
{
    hash32_t digest;
    sha256(&digest, peers);
    hex_encode(out, view_of(digest.b, SHOWN_CURSOR_LEN / 2));
}

rc_t shown_take(shown_t *s, const p2p_answer_t *a)
{
    jw_t w = jw_of(NULL, PEERS_MAX);
    shown_t x = { .is_set = true,
                  .count = a->members.count,
                  .left_out = a->members.left_out,
                  .block_hash = a->block_hash,
                  .state_root = a->state_root,
                  .block_number = a->block_number,
                  .block_time_s = a->block_time_s,
                  .stale = a->stale };
    jw_array(&w, NULL);
    for (size_t i = 0; i < a->members.count; i++)
        jw_text(&w, NULL, a->members.endpoints[i]);
    jw_end(&w);
    const view_t text = jw_done(&w);
    x.peers = text.p ? file_dup(text) : text;
    jw_free(&w);
    if (!x.peers.p)
        return RC_NOMEM;
    name(x.cursor, x.peers);
    shown_clear(s);
    *s = x;
    return RC_OK;
}

void shown_put_origin(jw_t *w, const shown_t *s, uint64_t now_s)
{
    jw_u64(w, "block_number", s->block_number);
    jw_hex(w, "block_hash", view_of(s->block_hash.b, sizeof s->block_hash.b));
    jw_hex(w, "state_root", view_of(s->state_root.b, sizeof s->state_root.b));
    jw_u64(w, "block_time", s->block_time_s);
    jw_u64(w, "age_s", now_s > s->block_time_s ? now_s - s->block_time_s : 0);
    jw_u64(w, "left_out", s->left_out);
    if (s->stale.rc)
        jw_str(w, "stale", s->stale.text);
    else
        jw_null(w, "stale");
}

void shown_put(jw_t *w, const shown_t *s, uint64_t now_s)
{
    jw_raw(w, "peers", s->peers);
    jw_str(w, "cursor", s->cursor);
    shown_put_origin(w, s, now_s);
}

void shown_clear(shown_t *s)
{
    file_free(s->peers);
    *s = (shown_t){ .is_set = false };
}
