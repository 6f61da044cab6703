#include "tests/overlay/share_world.h"

#include <stdio.h>

#include "tests/overlay/no_runner.h"
#include "tests/unit/join_world.h"

static const hash32_t setup_hash = { { 0x77 } };
static const uint8_t signer[32] = { [31] = 9 };
static const char policy_text[] = "the policy of an order";
static const memory_faults_t rough = { .delay_min_ms = 1, .delay_max_ms = 80 };

static member_t holder, joiner, other;
static uint8_t cluster[33];
static char *broken_at;

static void breaks(const char *text)
{
    if (!broken_at[0])
        snprintf(broken_at, 256, "%s", text);
}

/* ---- members ---- */

static void released(void *ctx, const join_member_t *to, const key_name_t *name)
{
    (void)name;
    ((member_t *)ctx)->released++;
    if (to->phase != JOIN_PEER)
        breaks("a key goes out on a connection that is not attested itself");
}

static void make(member_t *m, const char *word)
{
    member_new(m, word);
    m->config.released = released;
    m->config.rules.threshold = m->config.rules.signer_count = 1;
    if (ecdsa_pubkey(world.ecdsa, m->config.rules.signers[0], signer))
        abort();
    member_start(m);
}

static void found(member_t *m)
{
    err_t e;
    if (join_found(m->join, &e, &setup_hash))
        abort();
    keyring_pubkey(m->ring, cluster);
}

static void begin(uint64_t seed)
{
    members_open(seed, &rough);
    make(&holder, "holder");
    make(&joiner, "joiner");
}

static void want(member_t *m)
{
    err_t e;
    if (join_want(m->join, &e, cluster))
        breaks("a key cannot be wanted");
}

static bool signs_with(const member_t *m, const hash32_t *order)
{
    join_keys_t keys;
    join_keys(m->join, &keys);
    return keys.is_in_use && hash32_eq(&keys.in_use.order, order);
}

static void kill_member(member_t *m)
{
    memory_leave(net_world, m->net);
    member_stop(m);
}

/* An order whose only maker is the holder. */
static order_signed_t order_of(uint64_t version)
{
    order_signed_t o = { .order = { .version = version, .maker_count = 1 }, .signature_count = 1 };
    memcpy(o.order.cluster, cluster, 33);
    memcpy(o.order.makers[0], holder.id.who.key.b, 33);
    o.text = view_str(policy_text);
    sha256(&o.order.policy, o.text);
    o.id.version = version;
    order_digest(&o.id.digest, &o.order);
    if (ecdsa_pubkey(world.ecdsa, o.signatures[0].key, signer) ||
        ecdsa_sign(world.ecdsa, o.signatures[0].signature, NULL, &o.id.digest, signer))
        abort();
    return o;
}

static void take(member_t *m, const order_signed_t *o, const policy_t *policy)
{
    if (join_set_order(m->join, o, policy))
        abort();
}

/* ---- scenes ---- */

/* What the joiner sends after its own CONFIRM may come before that: on the first connection it gets there, all the same. */
static void early(uint64_t seed)
{
    begin(seed);
    found(&holder);
    want(&joiner);
    (void)dial_member(&joiner, 1);
    run_members(6000);
    if (!holds_key(&joiner) || joiner.closed || holder.closed)
        breaks("who was a little early gets no key on its first connection");
    members_close();
}

/* Another policy is in force at the holder when the joiner, which says that it runs that order too, asks. */
static void excluded(uint64_t seed)
{
    begin(seed);
    found(&holder);
    (void)dial_member(&joiner, 1);
    run_members(3000);
    const order_signed_t o = order_of(1);
    take(&joiner, &o, world.policy);
    take(&holder, &o, world.next); /* admits it no more */
    want(&joiner);
    run_members(4000);
    if (holds_key(&joiner))
        breaks("who the order in force excludes gets the key");
    members_close();
}

/* A member that was away while a newer generation came, and wanted nothing when it attested, asks for it. */
static void newer(uint64_t seed)
{
    begin(seed);
    found(&holder);
    (void)dial_member(&joiner, 1);
    run_members(2000);
    want(&joiner);
    run_members(2000);
    net_close(net_first(joiner.net), NET_BYE, "away");
    run_members(500);
    const order_signed_t o = order_of(1);
    take(&holder, &o, world.policy);
    take(&joiner, &o, world.policy);
    join_head(holder.join, 100);
    run_members(GEN_FIRST_WAIT_MS + 1000); /* the holder alone makes it */
    join_head(holder.join, 104);
    (void)dial_member(&joiner, 1);
    run_members(8000);
    join_head(joiner.join, 104);
    if (!signs_with(&joiner, &o.id.digest))
        breaks("a member that was away never gets the newer key");
    members_close();
}

/* The joiner and another one connect before either has the key; the other gets it, and who gave it dies. */
static void passed_on(uint64_t seed)
{
    begin(seed);
    make(&other, "other");
    (void)dial_member(&joiner, 3);
    run_members(2000);
    found(&holder);
    (void)dial_member(&other, 1);
    want(&other);
    run_members(3000);
    kill_member(&holder);
    want(&joiner);
    run_members(6000);
    if (!holds_key(&joiner))
        breaks("who got the key late does not pass it on");
    members_close();
}

/* Two connections to the holder, one of them not attested yet, when the joiner asks. */
static void two_lines(uint64_t seed)
{
    begin(seed);
    found(&holder);
    (void)dial_member(&joiner, 1);
    run_members(2000);
    joiner.deaf = true; /* its quote for the second one takes a while */
    (void)dial_member(&joiner, 1);
    run_members(400);
    want(&joiner);
    run_members(1500);
    if (!holder.released)
        breaks("a request is not answered");
    joiner.deaf = false;
    run_members(500);
    if (!holds_key(&joiner))
        breaks("the answer does not come where it was asked for");
    members_close();
}

/* An attested member of another cluster is there, too. */
static void two_clusters(uint64_t seed)
{
    begin(seed);
    make(&other, "other");
    found(&other);
    found(&holder);
    (void)dial_member(&joiner, 3);
    run_members(2000);
    (void)dial_member(&joiner, 1);
    want(&joiner);
    run_members(6000);
    if (!holds_key(&joiner))
        breaks("another cluster's member keeps a joiner out");
    members_close();
}

void share_run(char broken[256], uint64_t seed)
{
    static void (*const scenes[])(uint64_t) = { early, excluded, newer, passed_on, two_lines, two_clusters };
    broken_at = broken;
    broken[0] = 0;
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0] && !broken[0]; i++)
        scenes[i](seed);
}
