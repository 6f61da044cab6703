#include "lightclient/consensus/store.h"

/* A committee that an update brings, proved and ready to be stored. */
typedef struct {
    hash32_t root;
    bls_point_t aggregate;
} learned_t;

static uint64_t period(const lc_network_t *net, uint64_t slot)
{
    return lc_period_of_slot(net, slot);
}

static const lc_layout_t *layout_at(const lc_network_t *net, uint64_t slot)
{
    return lc_layout(lc_fork_at_epoch(net, lc_epoch_of_slot(net, slot)));
}

uint32_t lc_participants(const lc_sync_aggregate_t *aggregate, uint32_t committee_size)
{
    uint32_t n = 0;
    for (size_t i = 0; i < committee_size / 8; i++)
        n += (uint32_t)__builtin_popcount(aggregate->bits[i]);
    return n;
}

static bool is_supermajority(uint32_t participants, uint32_t committee_size)
{
    return participants * 3 >= committee_size * 2;
}

static bool committee_eq(const lc_committee_t *a, const lc_committee_t *b, uint32_t committee_size)
{
    return !memcmp(a->pubkeys, b->pubkeys, committee_size * sizeof a->pubkeys[0]) &&
           !memcmp(&a->aggregate_pubkey, &b->aggregate_pubkey, sizeof a->aggregate_pubkey);
}

/* A header of an object; whose: "attested ", "finalized ", or nothing. */
static rc_t check_header(err_t *e, const lc_header_t *h, const lc_network_t *net, const char *whose)
{
    rc_t rc = lc_header_verify(h, net);
    if (rc == RC_MALFORMED)
        return err_set(e, rc, "the %sheader is in a form older than the fork at its slot", whose);
    if (rc && lc_header_of_own_payload(h, net))
        return err_set(e, rc, "the %sexecution block hash is the payload's own, not its parent's", whose);
    if (rc)
        return err_set(e, rc, "the %sexecution %s is not the one in the block", whose,
                       lc_header_by_hash(h) ? "block hash" : "header");
    return RC_OK;
}

/* Proves a committee under a state root and prepares it. */
static rc_t learn_committee(learned_t *out, err_t *e, const lc_committee_t *committee, uint32_t committee_size,
                            const hash32_t *state_root, uint64_t gindex, const hash32_t *branch, size_t branch_len)
{
    lc_committee_root(&out->root, committee, committee_size);
    rc_t rc = lc_branch_verify(state_root, &out->root, gindex, branch, branch_len);
    if (rc)
        return err_say(e, rc, "the sync committee is not the one in the state");
    rc = bls_pubkey_decode(&out->aggregate, &committee->aggregate_pubkey, true);
    return rc ? err_say(e, rc, "the sync committee's aggregate key is not a key") : RC_OK;
}

static void committee_set(lc_store_committee_t *out, const lc_committee_t *keys, const learned_t *learned)
{
    out->keys = *keys;
    out->root = learned->root;
    out->aggregate = learned->aggregate;
    out->known = true;
}

rc_t lc_store_init(lc_store_t *out, err_t *e, const lc_network_t *net, const hash32_t *trusted_root,
                   const lc_bootstrap_t *b)
{
    const lc_beacon_t *beacon = &b->header.beacon;
    hash32_t root;
    learned_t learned;
    lc_beacon_root(&root, beacon);
    if (!hash32_eq(&root, trusted_root))
        return err_say(e, RC_REFUSED, "the header is not that of the trusted checkpoint");
    rc_t rc = check_header(e, &b->header, net, "");
    if (rc)
        return rc;
    rc = learn_committee(&learned, e, &b->committee, net->preset.committee_size, &beacon->state_root,
                         layout_at(net, beacon->slot)->current_committee_gindex, b->committee_branch,
                         b->committee_branch_len);
    if (rc)
        return rc;
    memset(out, 0, sizeof *out);
    out->network = net;
    out->finalized_header = b->header;
    out->optimistic_header = b->header;
    committee_set(&out->current_sync_committee, &b->committee, &learned);
    return RC_OK;
}

/* True when this update would teach the store the committee of the next period. */
static bool brings_next_committee(const lc_store_t *s, const lc_update_t *u)
{
    return !s->next_sync_committee.known && u->has_committee &&
           period(s->network, u->attested_header.beacon.slot) == period(s->network, s->finalized_header.beacon.slot);
}

/* Slots and periods: order, no skipped period, relevance. */
static rc_t check_slots(const lc_store_t *s, err_t *e, const lc_update_t *u, uint64_t current_slot)
{
    const lc_network_t *net = s->network;
    uint64_t attested = u->attested_header.beacon.slot;
    uint64_t store_period = period(net, s->finalized_header.beacon.slot),
             signed_period = period(net, u->signature_slot);
    if (u->signature_slot > current_slot)
        return err_say(e, RC_REFUSED, "the signature slot lies in the future");
    if (u->signature_slot <= attested)
        return err_say(e, RC_REFUSED, "the signature slot is not after the attested header");
    if (attested < u->finalized_header.beacon.slot)
        return err_say(e, RC_REFUSED, "the finalized header is newer than the attested one");
    if (signed_period < store_period)
        return err_say(e, RC_REPLAY, "older than the period of the finalized header");
    if (signed_period > store_period + (s->next_sync_committee.known ? 1 : 0))
        return err_say(e, RC_NEED_DATA, "signed by the committee of a period that is not known yet");
    if (attested <= s->finalized_header.beacon.slot && !brings_next_committee(s, u))
        return err_say(e, RC_REPLAY, "not newer than the finalized header");
    return RC_OK;
}

static rc_t check_finality(const lc_store_t *s, hash32_t *finalized_root, err_t *e, const lc_update_t *u)
{
    const lc_beacon_t *attested = &u->attested_header.beacon;
    memset(finalized_root, 0, sizeof *finalized_root);
    if (!u->has_finality) /* the decoder has seen that finalized_header is zero */
        return RC_OK;
    if (u->finalized_header.beacon.slot == 0) { /* the genesis checkpoint's root is zero */
        if (!lc_header_is_zero(&u->finalized_header))
            return err_say(e, RC_REFUSED, "a finalized header at genesis must be empty");
    } else {
        rc_t rc = check_header(e, &u->finalized_header, s->network, "finalized ");
        if (rc)
            return rc;
        lc_beacon_root(finalized_root, &u->finalized_header.beacon);
    }
    rc_t rc =
        lc_branch_verify(&attested->state_root, finalized_root, layout_at(s->network, attested->slot)->finalized_gindex,
                         u->finality_branch, u->finality_branch_len);
    return rc ? err_say(e, rc, "the finalized header is not the one in the attested state") : RC_OK;
}

static rc_t check_committee(const lc_store_t *s, learned_t *learned, err_t *e, const lc_update_t *u)
{
    const lc_network_t *net = s->network;
    const lc_beacon_t *attested = &u->attested_header.beacon;
    const lc_store_committee_t *next = &s->next_sync_committee;
    uint32_t size = net->preset.committee_size;
    uint64_t gindex = layout_at(net, attested->slot)->next_committee_gindex;
    if (!u->has_committee)
        return RC_OK;
    bool same = next->known && committee_eq(&u->next_sync_committee, &next->keys, size);
    if (next->known && !same && period(net, attested->slot) == period(net, s->finalized_header.beacon.slot))
        return err_say(e, RC_REFUSED, "the next sync committee is another one than is known");
    if (!same)
        return learn_committee(learned, e, &u->next_sync_committee, size, &attested->state_root, gindex,
                               u->committee_branch, u->committee_branch_len);
    learned->root = next->root;
    learned->aggregate = next->aggregate;
    rc_t rc =
        lc_branch_verify(&attested->state_root, &next->root, gindex, u->committee_branch, u->committee_branch_len);
    return rc ? err_say(e, rc, "the sync committee is not the one in the state") : RC_OK;
}

/* Whether the current committee is that of the update's signature slot, whose period is known; else the next one is. */
static bool signed_by_current(const lc_store_t *s, const lc_update_t *u)
{
    return period(s->network, u->signature_slot) == period(s->network, s->finalized_header.beacon.slot);
}

/* Whether the committee of the update's signature slot signed this root. */
static rc_t verify_signature(const lc_store_t *s, const lc_update_t *u, const hash32_t *signing_root)
{
    const lc_store_committee_t *signers =
        signed_by_current(s, u) ? &s->current_sync_committee : &s->next_sync_committee;
    return bls_committee_verify(&signers->aggregate, signers->keys.pubkeys, s->network->preset.committee_size,
                                signers->decoded, u->sync_aggregate.bits, signing_root, u->sync_aggregate.signature);
}

/* Keeps what the verification of a valid update has decoded; not of one that teaches a period on the way to the head,
 * whose committee signs nothing else that is seen here. */
static void remember_keys(lc_store_t *s, const lc_update_t *u)
{
    if (u->has_committee)
        return;
    lc_store_committee_t *signers = signed_by_current(s, u) ? &s->current_sync_committee : &s->next_sync_committee;
    bls_remember(signers->decoded, signers->keys.pubkeys, s->network->preset.committee_size, u->sync_aggregate.bits);
}

static rc_t check_signature(const lc_store_t *s, err_t *e, const hash32_t *attested_root, const lc_update_t *u)
{
    hash32_t signing_root;
    lc_signing_root(&signing_root, s->network, attested_root, u->signature_slot);
    rc_t rc = verify_signature(s, u, &signing_root);
    return rc ? err_say(e, rc, "the sync committee's signature does not verify") : RC_OK;
}

/* Under a version that is not the one in force as well, as a configuration can have it. */
static bool signed_only_under(const lc_store_t *s, const lc_update_t *u, const hash32_t *root, const uint8_t version[4])
{
    const uint64_t slot = u->signature_slot ? u->signature_slot - 1 : 0;
    hash32_t signing_root;
    if (!memcmp(version, lc_fork_version(s->network, lc_epoch_of_slot(s->network, slot)), 4))
        return false;
    lc_signing_root_under(&signing_root, s->network, root, version);
    return verify_signature(s, u, &signing_root) == RC_OK;
}

/* Whether a committee is known that could have signed the update. */
static bool knows_signers(const lc_store_t *s, const lc_update_t *u)
{
    const uint64_t known = period(s->network, s->finalized_header.beacon.slot),
                   at = period(s->network, u->signature_slot);
    return at == known || (at == known + 1 && s->next_sync_committee.known);
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* Whether an epoch has not come in the one after `epoch` either: signature slots are not signed, so an update of a fork
 * that has just begun can be told under an earlier slot, to a clock that is a little behind. */
static bool far_ahead(uint64_t fork_epoch, uint64_t epoch)
{
    return fork_epoch > epoch && fork_epoch - epoch > 1;
}

const char *lc_store_signed_ahead(const lc_store_t *s, const lc_update_t *u, uint64_t current_slot)
{
    const lc_network_t *net = s->network;
    const uint64_t signed_in = later(u->signature_slot ? u->signature_slot - 1 : 0, u->attested_header.beacon.slot),
                   epoch = lc_epoch_of_slot(net, later(signed_in, current_slot));
    hash32_t root;
    if (!is_supermajority(lc_participants(&u->sync_aggregate, net->preset.committee_size),
                          net->preset.committee_size) ||
        !knows_signers(s, u))
        return NULL;
    lc_beacon_root(&root, &u->attested_header.beacon);
    for (size_t f = 0; f < LC_FORKS; f++)
        if (far_ahead(net->fork_epoch[f], epoch) && signed_only_under(s, u, &root, net->fork_version[f]))
            return lc_fork_name((lc_fork_t)f);
    for (size_t i = 0; i < net->unknown_count; i++)
        if (far_ahead(net->unknown_forks[i].epoch, epoch) &&
            signed_only_under(s, u, &root, net->unknown_forks[i].version))
            return net->unknown_forks[i].name;
    return NULL;
}

/* validate_light_client_update */
static rc_t validate(const lc_store_t *s, lc_verdict_t *verdict, learned_t *learned, err_t *e, const lc_update_t *u,
                     uint64_t current_slot)
{
    verdict->participants = lc_participants(&u->sync_aggregate, s->network->preset.committee_size);
    verdict->supermajority = is_supermajority(verdict->participants, s->network->preset.committee_size);
    if (verdict->participants < LC_MIN_PARTICIPANTS)
        return err_say(e, RC_REFUSED, "nobody signed");
    rc_t rc = check_slots(s, e, u, current_slot);
    if (rc)
        return rc;
    rc = check_header(e, &u->attested_header, s->network, "attested ");
    if (rc)
        return rc;
    rc = check_finality(s, &verdict->finalized_root, e, u);
    if (!rc)
        rc = check_committee(s, learned, e, u);
    if (rc)
        return rc;
    lc_beacon_root(&verdict->attested_root, &u->attested_header.beacon);
    return check_signature(s, e, &verdict->attested_root, u);
}

/* Whether the update proves a committee that is relevant for its signers, for is_better_update. */
static bool relevant_committee(const lc_network_t *net, const lc_update_t *u)
{
    return u->has_committee && period(net, u->attested_header.beacon.slot) == period(net, u->signature_slot);
}

/* Finality within the attested header's period. */
static bool committee_finality(const lc_network_t *net, const lc_update_t *u)
{
    return period(net, u->finalized_header.beacon.slot) == period(net, u->attested_header.beacon.slot);
}

bool lc_update_is_better(const lc_network_t *net, const lc_update_t *a, const lc_update_t *b)
{
    uint32_t size = net->preset.committee_size;
    uint32_t a_n = lc_participants(&a->sync_aggregate, size), b_n = lc_participants(&b->sync_aggregate, size);
    bool a_super = is_supermajority(a_n, size), b_super = is_supermajority(b_n, size);
    if (a_super != b_super)
        return a_super;
    if (!a_super && a_n != b_n)
        return a_n > b_n;
    if (relevant_committee(net, a) != relevant_committee(net, b))
        return relevant_committee(net, a);
    if (a->has_finality != b->has_finality)
        return a->has_finality;
    if (a->has_finality && committee_finality(net, a) != committee_finality(net, b))
        return committee_finality(net, a);
    if (a_n != b_n)
        return a_n > b_n;
    if (a->attested_header.beacon.slot != b->attested_header.beacon.slot)
        return a->attested_header.beacon.slot < b->attested_header.beacon.slot;
    return a->signature_slot < b->signature_slot;
}

/* apply_light_client_update. False: the next committee is not known, and the update is of another period. */
static bool apply(lc_store_t *s, const lc_update_t *u, const learned_t *learned)
{
    uint64_t store_period = period(s->network, s->finalized_header.beacon.slot);
    uint64_t finalized_period = period(s->network, u->finalized_header.beacon.slot);
    if (!s->next_sync_committee.known) {
        if (finalized_period != store_period)
            return false;
        if (u->has_committee)
            committee_set(&s->next_sync_committee, &u->next_sync_committee, learned);
    } else if (finalized_period == store_period + 1) {
        s->current_sync_committee = s->next_sync_committee;
        s->next_sync_committee.known = false;
        if (u->has_committee)
            committee_set(&s->next_sync_committee, &u->next_sync_committee, learned);
        s->previous_max_active_participants = s->current_max_active_participants;
        s->current_max_active_participants = 0;
    }
    if (u->finalized_header.beacon.slot > s->finalized_header.beacon.slot) {
        s->finalized_header = u->finalized_header;
        if (s->finalized_header.beacon.slot > s->optimistic_header.beacon.slot)
            s->optimistic_header = s->finalized_header;
    }
    return true;
}

static uint64_t safety_threshold(const lc_store_t *s)
{
    uint64_t a = s->previous_max_active_participants, b = s->current_max_active_participants;
    return (a > b ? a : b) / 2;
}

/* Keeps the update for a force update; what it does not have is not copied. */
static void keep_best(lc_store_t *s, const lc_update_t *u, const learned_t *learned)
{
    if (s->has_best_valid_update && !lc_update_is_better(s->network, u, &s->best_valid_update))
        return;
    s->has_best_valid_update = true;
    s->best_valid_update = *u;
    s->best_committee_root = learned->root;
    s->best_committee_aggregate = learned->aggregate;
}

rc_t lc_store_process(lc_store_t *s, lc_verdict_t *verdict, err_t *e, const lc_update_t *u, uint64_t current_slot)
{
    const lc_network_t *net = s->network;
    lc_verdict_t v;
    learned_t learned = { 0 };
    rc_t rc = validate(s, &v, &learned, e, u, current_slot);
    if (rc)
        return rc;
    remember_keys(s, u);
    keep_best(s, u, &learned);
    if (v.participants > s->current_max_active_participants)
        s->current_max_active_participants = v.participants;
    if (v.participants > safety_threshold(s) && u->attested_header.beacon.slot > s->optimistic_header.beacon.slot)
        s->optimistic_header = u->attested_header;
    bool finalizes_next_committee =
        !s->next_sync_committee.known && u->has_committee && u->has_finality && committee_finality(net, u);
    bool newer = u->finalized_header.beacon.slot > s->finalized_header.beacon.slot;
    if (v.supermajority && (newer || finalizes_next_committee) && apply(s, u, &learned))
        s->has_best_valid_update = false;
    *verdict = v;
    return RC_OK;
}

rc_t lc_store_check(const lc_store_t *s, lc_verdict_t *verdict, err_t *e, const lc_update_t *u, uint64_t current_slot)
{
    lc_verdict_t v;
    learned_t learned = { 0 };
    rc_t rc = validate(s, &v, &learned, e, u, current_slot);
    if (!rc)
        *verdict = v;
    return rc;
}

bool lc_store_force_update(lc_store_t *s, uint64_t current_slot)
{
    const lc_preset_t *p = &s->network->preset;
    uint64_t timeout = p->slots_per_epoch * p->epochs_per_period; /* UPDATE_TIMEOUT */
    lc_update_t *best = &s->best_valid_update;
    learned_t learned = { s->best_committee_root, s->best_committee_aggregate };
    if (!s->has_best_valid_update || current_slot <= s->finalized_header.beacon.slot + timeout)
        return false;
    if (best->finalized_header.beacon.slot <= s->finalized_header.beacon.slot)
        best->finalized_header = best->attested_header;
    if (!apply(s, best, &learned))
        return false;
    s->has_best_valid_update = false;
    return true;
}
