/* A chat among attested nodes, with kettle-overlay and nothing else of this project. Each line of standard input goes
 * to all members, sealed under the cluster's message secret; a line that begins with '!' is spread also to members that
 * we have no connection with, and "@KEY text" goes to the one member whose key begins so. Every line is shown with the
 * attested key of its author.
 *
 *     cc attested_chat.c $(pkg-config --cflags --libs kettle-overlay) -o attested_chat
 *     ./attested_chat /ip4/127.0.0.1/udp/4001/quic-v1                                          founds a cluster
 *     ./attested_chat /ip4/127.0.0.1/udp/4002/quic-v1 /ip4/127.0.0.1/udp/4001/quic-v1          joins it
 *
 * CHAT_RELAY=serve makes a node a relay for members; with CHAT_RELAY=use a node that cannot be dialled is reached
 * through those that it dialled, at addresses that it shows.
 *
 * In a TDX machine the quotes are the machine's, and the policy is that only this very image is admitted; collateral of
 * real platforms is the application's to fetch (host_config_t). Elsewhere CHAT_SIMULATOR=WORD stands in for a TEE:
 * nodes of one word admit each other, and their quotes prove nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "overlay/host/host.h"
#include "tee/provider/open.h"

static void show(const char *what, const uint8_t key[33], view_t text)
{
    char hex[67];
    hex_encode(hex, view_of(key, 33));
    printf("%s %.12s: %.*s\n", what, hex, (int)text.n, (const char *)text.p);
    fflush(stdout);
}

static void on_peer(void *ctx, const uint8_t key[33], bool is_there)
{
    (void)ctx;
    show(is_there ? "came" : "left", key, view_str(""));
}

static void on_keyed(void *ctx, const uint8_t pubkey[33])
{
    (void)ctx;
    show("key", pubkey, view_str("is here"));
}

static bool on_line(void *ctx, const message_t *m)
{
    (void)ctx;
    show("said", m->author, m->payload);
    return true;
}

static void on_spread(void *ctx, const overlay_broadcast_t *m)
{
    (void)ctx;
    show("spread", m->author, m->payload);
}

static void on_reached(void *ctx, const maddr_t *at, size_t n)
{
    char text[MADDR_TEXT_MAX + 1];
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        maddr_text(text, &at[i]);
        printf("reached %s\n", text);
    }
    fflush(stdout);
}

/* On the loop's thread. */
static rc_t begin(void *ctx, overlay_t *o, err_t *e)
{
    const message_type_t line = { .name = "chat/line", .max = 4096, .take = on_line };
    (void)ctx;
    return overlay_register(o, e, &line);
}

/* "@KEY text": encrypted on the connection of the member whose key begins so. */
static rc_t tell(overlay_t *o, err_t *e, view_t text)
{
    uint8_t keys[OVERLAY_PEERS_MAX][33];
    const size_t n = overlay_peers(o, keys, OVERLAY_PEERS_MAX);
    const uint8_t *space = memchr(text.p, ' ', text.n);
    const size_t begin = space ? (size_t)(space - text.p) : 0;
    const message_out_t out = { .type = "chat/line",
                                .mode = MSG_PEER,
                                .payload = view_of(text.p + begin + 1, begin ? text.n - begin - 1 : 0) };
    for (size_t i = 0; begin && i < n; i++) {
        char hex[67];
        hex_encode(hex, view_of(keys[i], 33));
        if (begin - 1 <= 66 && memcmp(hex, text.p + 1, begin - 1) == 0)
            return overlay_send(o, NULL, e, (const uint8_t(*)[33]) & keys[i], 1, &out);
    }
    return err_say(e, RC_REFUSED, "there is no such member");
}

static rc_t say(void *ctx, overlay_t *o, err_t *e)
{
    const view_t *text = ctx;
    const message_out_t out = { .type = "chat/line", .mode = MSG_SHARED, .payload = *text };
    if (text->n && text->p[0] == '!')
        return overlay_flood(o, e, 1, *text);
    if (text->n && text->p[0] == '@')
        return tell(o, e, *text);
    return overlay_send_all(o, e, &out);
}

/* A policy that admits this very image, and in development the simulator's root. */
static char *make_policy(const tee_provider_t *tee)
{
    static const char head[] = "{\"mode\":\"same-as-self\",\"version\":1";
    const size_t cap = sizeof head + 64 + 2 * tee->root.n;
    char *text = malloc(cap);
    if (!text)
        return NULL;
    size_t n = (size_t)snprintf(text, cap, "%s", head);
    if (tee->simulated) {
        n += (size_t)snprintf(text + n, cap - n, ",\"simulator_root\":\"");
        hex_encode(text + n, tee->root);
        n += 2 * tee->root.n;
        n += (size_t)snprintf(text + n, cap - n, "\"");
    }
    snprintf(text + n, cap - n, "}");
    return text;
}

static void chat(host_t *h)
{
    char line[4096];
    err_t e;
    while (fgets(line, sizeof line, stdin)) {
        view_t text = view_str(line);
        text.n -= text.n && line[text.n - 1] == '\n';
        if (host_call(h, &e, say, &text))
            printf("not sent: %s\n", e.text);
        fflush(stdout);
    }
}

static int run(const tee_provider_t *tee, const char *listen, const char *const *peers, size_t n_peers)
{
    const char *relay = getenv("CHAT_RELAY");
    char *policy = make_policy(tee);
    const host_config_t config = {
        .application = "attested-chat",
        .found = !n_peers,
        .listen = &listen,
        .listen_count = 1,
        .peers = peers,
        .peer_count = n_peers,
        .relays = relay && !strcmp(relay, "serve"),
        .uses_relays = relay && !strcmp(relay, "use"),
        .policy = policy,
        .tee = tee,
        .events = { .peer = on_peer, .keyed = on_keyed, .flooded = on_spread, .reached = on_reached }
    };
    char at[MADDR_TEXT_MAX + 1];
    host_t *h;
    size_t n;
    err_t e;
    rc_t rc = policy ? host_start(&h, &e, &config) : err_say(&e, RC_NOMEM, "out of memory");
    free(policy);
    if (!rc && (rc = host_call(h, &e, begin, NULL)))
        host_stop(h);
    if (rc) {
        fprintf(stderr, "attested_chat: %s%s%s\n", e.field, e.field[0] ? ": " : "", e.text);
        return 1;
    }
    maddr_text(at, host_listening(h, &n));
    printf("listening %s\n", at);
    fflush(stdout);
    chat(h);
    host_stop(h);
    return 0;
}

int main(int argc, char **argv)
{
    const char *word = getenv("CHAT_SIMULATOR");
    const tee_open_t options = { .which = word ? "simulator" : "auto", .seed = word };
    tee_provider_t tee;
    err_t e;
    if (argc < 2) {
        fprintf(stderr, "usage: attested_chat LISTEN [PEER ...]\n");
        return 2;
    }
    if (secret_init() || tee_open(&tee, &e, &options)) {
        fprintf(stderr, "attested_chat: no TEE: %s\n", e.text);
        return 1;
    }
    const int status = run(&tee, argv[1], (const char *const *)argv + 2, (size_t)argc - 2);
    tee.free(tee.ctx);
    return status;
}
