/* A node's WireGuard (node/p2p/wg.h) with the machine's real interface, told line by line what would come of the chain and of
 * attested connections: for tests/wireguard/namespaces.py. Wallet and static key are made of the number that it is given.
 *
 *     register               -> ready | hindered WHY
 *     list I.N I.N ...       the proven list: address I is of wallet N
 *     say LINE               -> message HEX | nothing: what it says on a connection
 *     take LINE N IP HEX     -> ok | refused WHY: what N said there, whose address is IP; a relay's: -
 *     gone LINE              the connection is over
 *     status                 -> JSON
 */
#include "node/p2p/wg.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/crypto/secret.h"
#include "base/hex.h"
#include "base/os/log.h"

static wg_t *wg;
static side_owner_t side;
static ecdsa_t *ecdsa;
static uint8_t self;
static addr_t contract = { { 0xc0 } };

static void secret_of(uint8_t out[ECDSA_SECRET_LEN], uint8_t n)
{
    memset(out, 0x10 + n, ECDSA_SECRET_LEN);
}

static addr_t wallet_of(uint8_t n)
{
    uint8_t secret[ECDSA_SECRET_LEN], pub[ECDSA_PUBKEY_LEN], xy[64];
    addr_t a;
    secret_of(secret, n);
    if (ecdsa_pubkey(ecdsa, pub, secret) || ecdsa_uncompress(NULL, xy, pub))
        exit(1);
    ecdsa_address(&a, xy);
    return a;
}

static rc_t sign(void *ctx, uint8_t out[ECDSA_SIG65_LEN], const hash32_t *digest)
{
    uint8_t secret[ECDSA_SECRET_LEN];
    (void)ctx;
    secret_of(secret, self);
    return ecdsa_sign65(ecdsa, out, digest, secret);
}

static uint64_t now_s(void *ctx)
{
    (void)ctx;
    return (uint64_t)time(NULL);
}

static void looked(void *ctx)
{
    (void)ctx;
}

/* A connection by its number, which both ends have: EX is made of it. */
static side_line_t line_of(uint64_t number, uint8_t peer, const char *ip)
{
    static uint8_t channel[32], keys[2][33];
    static maddr_t addr;
    memset(channel, (int)number, sizeof channel);
    memset(keys[0], self, sizeof keys[0]);
    memset(keys[1], peer, sizeof keys[1]);
    addr = (maddr_t){ .host = MADDR_IP4, .port = 4001 };
    return (side_line_t){ .number = number,
                          .own_key = keys[0],
                          .static_key = keys[1],
                          .channel = channel,
                          .expires_s = (int64_t)time(NULL) + 3600,
                          .addr = &addr,
                          .relayed = inet_pton(AF_INET, ip, addr.ip) != 1 };
}

static void do_register(void)
{
    const struct timespec moment = { .tv_nsec = 5000000 };
    err_t why;
    wg_register(wg);
    while (wg_state(wg, &why) == WG_CHECKING)
        nanosleep(&moment, NULL);
    if (wg_state(wg, &why) == WG_READY)
        printf("ready\n");
    else
        printf("hindered %s\n", why.text);
}

static void do_list(char *rest)
{
    wg_seats_t seats = { .block_number = 1, .block_time_s = (uint64_t)time(NULL) };
    const addr_t own = wallet_of(self);
    for (char *word = strtok(rest, " "); word; word = strtok(NULL, " ")) {
        char *end;
        const uint8_t index = (uint8_t)strtoul(word, &end, 10);
        seats.seats[seats.count++] = (wg_seat_t){ wallet_of((uint8_t)strtoul(end + 1, NULL, 10)), index };
    }
    wg_list(wg, &seats, &own);
    printf("ok\n");
}

static void do_say(uint64_t number)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    char text[2 * WG_MESSAGE_MAX + 1];
    wr_t w = wr_of(bytes, sizeof bytes);
    const side_line_t l = line_of(number, 0, "-");
    if (side.say(side.ctx, &w, &l)) {
        hex_encode(text, wr_view(&w));
        printf("message %s\n", text);
    } else {
        printf("nothing\n");
    }
}

static void do_take(const char *rest)
{
    uint8_t bytes[WG_MESSAGE_MAX];
    char ip[32], hex[2 * WG_MESSAGE_MAX + 1];
    unsigned number, peer;
    size_t n;
    err_t e;
    if (sscanf(rest, "%u %u %31s %512s", &number, &peer, ip, hex) != 4 ||
        hex_decode(bytes, &n, sizeof bytes, hex, strlen(hex))) {
        printf("refused no such line\n");
        return;
    }
    const side_line_t l = line_of(number, (uint8_t)peer, ip);
    if (side.take(side.ctx, &e, &l, view_of(bytes, n)))
        printf("refused %s\n", e.text);
    else
        printf("ok\n");
}

static void do_status(void)
{
    jw_t w = jw_of(NULL, 1u << 16);
    jw_object(&w, NULL);
    wg_put(wg, &w);
    jw_end(&w);
    const view_t text = jw_done(&w);
    printf("%.*s\n", (int)text.n, (const char *)text.p);
    jw_free(&w);
}

static void obey(char *line)
{
    char *rest = line + strcspn(line, " ");
    rest += *rest == ' ';
    if (!strcmp(line, "register"))
        do_register();
    else if (!strncmp(line, "list", 4))
        do_list(rest);
    else if (!strncmp(line, "say ", 4))
        do_say(strtoull(rest, NULL, 10));
    else if (!strncmp(line, "take ", 5))
        do_take(rest);
    else if (!strncmp(line, "gone ", 5))
        side.gone(side.ctx, strtoull(rest, NULL, 10)), printf("ok\n");
    else if (!strcmp(line, "status"))
        do_status();
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const uint8_t blind[32] = { 1 };
    wg_config_t config = { .contract = contract, .max_age_s = 3600, .port = WG_PORT };
    const wg_owner_t owner = { sign, now_s, looked, NULL };
    char line[2048];
    err_t e;
    if (argc != 2 || secret_init() || wg_door_new(&config.door) || !(ecdsa = ecdsa_new(blind)))
        return 2;
    self = (uint8_t)atoi(argv[1]);
    if (wg_new(&wg, &e, &config))
        return 2;
    wg_side(wg, &side);
    if (wg_start(wg, &e, &owner))
        return 2;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        obey(line);
    }
    wg_stop(wg);
    wg_free(wg);
    wg_door_free(&config.door);
    ecdsa_free(ecdsa);
    return 0;
}
