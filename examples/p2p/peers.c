/* Has this instance registered, or prints the cluster's peers, a list on a line.
 *
 *     peers CONTRACT tls|wireguard register|peers|watch [LISTS]
 *
 * Status 0: done; 1: the node is not there, or refuses; 2: it follows another contract, or in another mode.
 *
 *     cc peers.c $(pkg-config --cflags --libs kettle-p2p) -o peers */
#include <p2p.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    p2p_t *p;
    long left; /* lists until it ends; 0: no end */
} watch_t;

static void put(const p2p_peers_t *peers)
{
    for (size_t i = 0; i < peers->count; i++)
        printf("%s%s", i ? " " : "", peers->at[i]);
    puts("");
    fflush(stdout);
}

static void changed(void *ctx, const p2p_peers_t *peers)
{
    watch_t *w = ctx;
    put(peers);
    if (w->left && !--w->left)
        p2p_cancel(w->p);
}

static p2p_result_t run(p2p_t *p, const char *what, long lists)
{
    p2p_peers_t peers = { NULL, 0 };
    watch_t watch = { p, lists };
    p2p_result_t r;
    if (!strcmp(what, "register")) {
        r = p2p_register(p);
    } else if (!strcmp(what, "peers")) {
        r = p2p_get_peers(p, &peers);
        if (!r)
            put(&peers);
        if (!r)
            p2p_peers_free(&peers);
    } else {
        r = p2p_monitor_peers(p, changed, &watch);
    }
    return r == P2P_CANCELLED ? P2P_OK : r;
}

int main(int argc, char **argv)
{
    p2p_t *p;
    if (argc < 4) {
        fprintf(stderr, "usage: peers CONTRACT MODE register|peers|watch [LISTS]\n");
        return 64;
    }
    p2p_result_t r = p2p_open(&p, argv[1], argv[2]);
    if (!r)
        r = run(p, argv[3], argc > 4 ? atol(argv[4]) : 0);
    if (r)
        fprintf(stderr, "%s\n", p2p_error(p));
    p2p_close(p);
    return (int)r;
}
