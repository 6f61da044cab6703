/* A peer on an attested connection, or on one whose attestation is not over or fails, opens a stream of one of a member's
 * protocols and says what the input says, in pieces. First byte: bits 0 and 1 which protocol, 2 before attestation, 3 not
 * admitted. Whatever it says, the member keeps its key and its cluster, and who is not admitted gets nothing. */
#include "tests/fuzz/unchecked.h"

#include "tests/unit/join_world.h"

#include "overlay/flood_wire.h"
#include "tests/fuzz/fuzz.h"

static member_t founder, guest;

static void net_data(void *ctx, net_stream_t *s, view_t bytes)
{
    (void)ctx;
    net_consumed(s, bytes.n);
}

static bool stream_gone;

static void net_gone(void *ctx, net_stream_t *s, rc_t why)
{
    (void)ctx, (void)s, (void)why;
    stream_gone = true;
}

static void speak(net_conn_t *c, uint8_t first, view_t in)
{
    static const char *const names[] = { STATE_PROTOCOL, KEYSHARE_PROTOCOL, FLOOD_PROTOCOL, JOIN_ATTEST_PROTOCOL };
    static net_protocol_t p;
    const size_t half = in.n ? in.p[0] % (in.n + 1) : 0;
    net_stream_t *s;
    p = (net_protocol_t){ .name = names[first % 4], .data = net_data, .closed = net_gone };
    stream_gone = false;
    if (!net_is_open(c) || net_open(c, &s, &p, NULL))
        return;
    if (net_write(s, view_of(in.p, half)))
        return;
    run_members(30);
    if (!guest.closed && !stream_gone && net_write(s, view_of(in.p + half, in.n - half)))
        return;
    run_members(50);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const hash32_t setup = { { 0x77 } };
    uint8_t before[33], after[33];
    err_t e;
    if (!len || len > 65536)
        return 0;
    if (!world.ecdsa)
        world_open(); /* once: a simulator is slow to make */
    world.verdict = TEE_OK;
    member_count = 0;
    if (memory_new(&net_world, 1, &fair_net))
        abort();
    member_new(&founder, "founder");
    member_new(&guest, "guest");
    member_start(&founder);
    member_start(&guest);
    if (join_found(founder.join, &e, &setup))
        abort();
    const hash32_t g = join_newest(founder.join)->entry.g;
    keyring_pubkey(founder.ring, before);
    if (data[0] & 8)
        world.verdict = E_TCB_STATUS;
    net_conn_t *c = dial_member(&guest, 1);
    run_members(data[0] & 4 ? 25 : 200);
    if (!guest.closed)
        speak(c, data[0], view_of(data + 1, len - 1));
    run_members(100);
    keyring_pubkey(founder.ring, after);
    if (memcmp(before, after, 33) != 0 || !hash32_eq(&g, &join_newest(founder.join)->entry.g))
        abort();
    if ((data[0] & 8) && (founder.released || founder.delivered))
        abort();
    member_stop(&founder);
    member_stop(&guest);
    memory_free(net_world);
    return 0;
}
