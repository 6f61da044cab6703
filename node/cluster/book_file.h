/* book_file.h - the file "peers" of the state directory: signed records of members, so that a node which starts again
 * finds its cluster, and who is banned.
 *
 * The disk is the host's. A record is taken only as if a peer had told it (gossip_restore), and what it brings is where
 * to dial, no more; a ban that the host adds keeps a peer out for BANS_LONGEST_MS at most, which a host can have by its
 * firewall. It is a file that is read whole, and no mapped data base: page pointers that the host chose would be memory
 * of the process which holds the cluster's key.
 *
 * Layout: "kettle-peers/2" padded with zeros to 16; then items of kind (1 byte), length (2 bytes, big-endian), bytes:
 *     1  an envelope of overlay/wire/record.h
 *     2  a ban: seconds left (4), times (4), fault (1), host (1), IP (16), id of a peer (rest; none: of the address)
 * Items of other kinds are passed over. All inside base/os/persist.h's envelope.
 *
 * Floor:  5, node/cluster. Bytes in, values out.
 * Tests:  tests/unit/test_book_file.c, tests/fuzz/fuzz_book_file.c
 */
#ifndef NODE_CLUSTER_BOOK_FILE_H
#define NODE_CLUSTER_BOOK_FILE_H

#include "overlay/bans.h"
#include "overlay/gossip.h"

#define BOOK_HEAD_LEN 16u
#define BOOK_ITEMS_MAX (GOSSIP_KEPT_MAX + BANS_MAX)
#define BOOK_MAX (BOOK_HEAD_LEN + GOSSIP_KEPT_MAX * (ENVELOPE_MAX + 3u) + BANS_MAX * 128u) /* bytes */

typedef struct {
    void (*envelope)(void *ctx, view_t envelope);
    void (*ban)(void *ctx, const ban_t *ban, uint64_t left_ms);
    void *ctx;
} book_take_t;

/* Writes the head, which comes first; a record; a ban that lasts so long yet. w turns bad when it does not fit. */
void book_put_head(wr_t *w);
void book_put_envelope(wr_t *w, view_t envelope);
void book_put_ban(wr_t *w, const ban_t *ban, uint64_t left_ms);

/* Hands over what a file holds, whole or nothing. RC_UNSUPPORTED: another version; RC_MALFORMED; RC_LIMIT: too many
 * items. */
NODISCARD rc_t book_decode(err_t *e, view_t file, const book_take_t *take);

#endif
