#include "lightclient/consensus/sync.h"

#include <stdlib.h>

#define AGE_EPOCHS_DEFAULT 256u /* MIN_VALIDATOR_WITHDRAWABILITY_DELAY of both presets' configurations */
#define RETRY_MIN_MS 200u
#define BACKOFF_MAX_MS 30000u
#define STALLED_SLOTS 8u       /* a head this old is asked for once a slot only */
#define STALLED_TRIES 3u       /* updates that fail so often in a row are not to be had */
#define CAUTIOUS_COUNT 8u      /* updates per request after the first failure; then one by one */
#define FINALITY_LAG_EPOCHS 2u /* the finalized checkpoint of a healthy chain is this many epochs old */

/* One kind of want. */
typedef struct {
    bool out;          /* given out and not yet answered */
    uint64_t given_ms; /* when */
    uint64_t due_ms;   /* not to be given out before */
    uint32_t tries;    /* in a row that failed or brought nothing new */
} job_t;

enum { JOB_BOOTSTRAP, JOB_UPDATE, JOB_FINALITY, JOB_OPTIMISTIC, JOBS };

struct lc_sync {
    lc_sync_config_t config;
    const lc_network_t *network;
    bool bootstrapped;
    bool polled; /* inputs before the first poll are a replay */
    uint64_t checkpoint_period;
    lc_seen_t seen;
    uint64_t basis_slot; /* trusted: the checkpoint's, then the newest head's at which clock and chain agreed */
    bool agreed;         /* they did, since the bootstrap */
    uint64_t
        unknown_period; /* of whoever signed the newest update, if they are not known yet, whatever the clock says */
    lc_head_t latest, finalized;
    job_t jobs[JOBS];
    uint32_t count_max; /* updates per request, lowered by failures */
    uint64_t last_now_ms;
    const char *ahead; /* name of a fork that the chain is in and the schedule is not */
    lc_store_t store;
    union { /* decoded input */
        lc_bootstrap_t bootstrap;
        lc_update_t update;
    } scratch;
};

lc_sync_t *lc_sync_new(const lc_sync_config_t *config)
{
    lc_sync_t *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->config = *config;
    s->network = config->network;
    s->count_max = LC_UPDATES_PER_REQUEST_MAX;
    return s;
}

void lc_sync_free(lc_sync_t *s)
{
    free(s);
}

/* ---- what the store and the clock say ---- */

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t slot_ms(const lc_sync_t *s)
{
    return s->network->seconds_per_slot * 1000;
}

/* The slot that it is at least. */
static uint64_t slot_now(const lc_sync_t *s, uint64_t now_ms)
{
    return max_u64(lc_slot_at(s->network, now_ms), s->seen.slot);
}

/* The clock is behind what was signed. */
static bool clock_is_behind(const lc_sync_t *s, uint64_t now_ms)
{
    return now_ms < lc_slot_start_ms(s->network, s->seen.slot);
}

static uint64_t store_period(const lc_sync_t *s)
{
    return lc_period_of_slot(s->network, s->store.finalized_header.beacon.slot);
}

/* The last period whose signatures can be checked. */
static uint64_t known_period(const lc_sync_t *s)
{
    return store_period(s) + (s->store.next_sync_committee.known ? 1 : 0);
}

static lc_state_t state_at(const lc_sync_t *s, uint64_t current_slot)
{
    if (!s->bootstrapped)
        return LC_STATE_NEW;
    return lc_period_of_slot(s->network, current_slot) > known_period(s) ? LC_STATE_SYNCING : LC_STATE_FOLLOWING;
}

/* ---- inputs ---- */

uint64_t lc_checkpoint_bound_ms(const lc_network_t *net, uint64_t age_max_s)
{
    uint64_t epochs = net->checkpoint_age_epochs ? net->checkpoint_age_epochs : net->min_withdrawability_delay;
    epochs = epochs ? epochs : AGE_EPOCHS_DEFAULT;
    uint64_t seconds = age_max_s, epoch_s = net->preset.slots_per_epoch * net->seconds_per_slot;
    if (!seconds)
        seconds = epochs > UINT64_MAX / 1000 / epoch_s ? UINT64_MAX / 1000 : epochs * epoch_s;
    return seconds > UINT64_MAX / 1000 ? UINT64_MAX : seconds * 1000;
}

static bool too_old(const lc_sync_t *s, uint64_t slot, uint64_t now_ms)
{
    uint64_t at = lc_slot_start_ms(s->network, slot);
    return now_ms > at && now_ms - at > lc_checkpoint_bound_ms(s->network, s->config.checkpoint_age_max_s);
}

static rc_t checkpoint_too_old(err_t *e)
{
    return err_say(e, RC_LIMIT, "the checkpoint is older than the weak-subjectivity bound");
}

static void see(lc_sync_t *s, uint64_t slot, uint32_t participants)
{
    if (slot > s->seen.slot)
        s->seen = (lc_seen_t){ slot, participants };
}

/* Whether the basis of trust is too old after all: by what was signed, or by the clock as long as the two never
 * agreed. */
static bool basis_too_old(const lc_sync_t *s, uint64_t now_ms)
{
    if (s->config.replay_is_trusted && !s->polled)
        return false;
    return too_old(s, s->basis_slot, lc_slot_start_ms(s->network, s->seen.slot)) ||
           (!s->agreed && too_old(s, s->basis_slot, now_ms));
}

static void forget(lc_sync_t *s)
{
    s->bootstrapped = false;
    s->latest.valid = s->finalized.valid = false;
}

/* light-client/p2p-interface.md: an object's form is that of the fork at its attested header's slot, at a bootstrap's
 * header's. Who hands it on names the form by that slot. An older form is refused by what it cannot prove. */
static rc_t check_form(const lc_sync_t *s, err_t *e, lc_fork_t fork, uint64_t slot)
{
    const lc_fork_t due = lc_fork_at_epoch(s->network, lc_epoch_of_slot(s->network, slot));
    if (fork <= due || lc_same_form(fork, due))
        return RC_OK;
    return err_set(e, RC_REFUSED, "in the form of %s, and its header is of %s", lc_fork_name(fork), lc_fork_name(due));
}

static rc_t input_bootstrap(lc_sync_t *s, unsigned *moved, err_t *e, lc_fork_t fork, view_t ssz, uint64_t now_ms)
{
    const lc_bootstrap_t *b = &s->scratch.bootstrap;
    if (s->bootstrapped)
        return err_say(e, RC_REPLAY, "there is a bootstrap already");
    rc_t rc = lc_bootstrap_decode(&s->scratch.bootstrap, s->network, fork, ssz);
    if (rc)
        return err_say(e, rc, "the bootstrap is not well-formed");
    rc = check_form(s, e, fork, b->header.beacon.slot);
    if (rc)
        return rc;
    rc = lc_store_init(&s->store, e, s->network, &s->config.checkpoint, b);
    if (rc)
        return rc;
    bool replay = s->config.replay_is_trusted && !s->polled;
    if (!replay && too_old(s, b->header.beacon.slot, max_u64(now_ms, lc_slot_start_ms(s->network, s->seen.slot))))
        return checkpoint_too_old(e);
    see(s, b->header.beacon.slot, 0); /* the operator trusts it, so its slot has come */
    s->bootstrapped = true;
    s->agreed = false;
    s->unknown_period = 0;
    s->basis_slot = b->header.beacon.slot;
    s->checkpoint_period = store_period(s);
    memset(s->jobs, 0, sizeof s->jobs);
    *moved = LC_BOOTSTRAPPED;
    return RC_OK;
}

/* Saves a signature check: whether an update can move nothing, if it is what it says. */
static bool brings_nothing(const lc_sync_t *s, lc_kind_t kind, const lc_update_t *u)
{
    bool head = !s->latest.valid || u->attested_header.beacon.slot > s->latest.header.beacon.slot;
    bool finality =
        u->has_finality && (!s->finalized.valid || u->finalized_header.beacon.slot > s->finalized.header.beacon.slot);
    return kind != LC_UPDATE && !head && !finality;
}

static void set_head(lc_head_t *out, const lc_header_t *header, const hash32_t *root, const lc_verdict_t *verdict,
                     const lc_update_t *u)
{
    out->valid = true;
    out->whole = !lc_header_by_hash(header);
    out->header = *header;
    out->beacon_root = *root;
    out->participants = verdict->participants;
    out->signature_slot = u->signature_slot;
}

/* Whether the update's finalized header is the store's: newer ones the store has just taken, an older one is history.
 * The checkpoint itself counts once an update shows it. */
static bool is_finalized(const lc_sync_t *s, const lc_verdict_t *verdict, const lc_update_t *u)
{
    hash32_t root;
    if (u->finalized_header.beacon.slot == 0)
        return false;
    lc_beacon_root(&root, &s->store.finalized_header.beacon);
    return hash32_eq(&root, &verdict->finalized_root);
}

/* Moves the heads that are signed: only by two thirds of a committee, and only forward. */
static unsigned move_heads(lc_sync_t *s, const lc_update_t *u, const lc_verdict_t *verdict)
{
    unsigned moved = 0;
    if (!verdict->supermajority)
        return 0;
    if (!s->latest.valid || u->attested_header.beacon.slot > s->latest.header.beacon.slot) {
        set_head(&s->latest, &u->attested_header, &verdict->attested_root, verdict, u);
        moved |= LC_MOVED_HEAD;
    }
    if (u->has_finality && is_finalized(s, verdict, u) &&
        (!s->finalized.valid || u->finalized_header.beacon.slot > s->finalized.header.beacon.slot)) {
        set_head(&s->finalized, &u->finalized_header, &verdict->finalized_root, verdict, u);
        moved |= LC_MOVED_FINALIZED;
    }
    return moved;
}

/* Whether the update in scratch, which was refused, is signed under the version of a later fork. */
static rc_t look_ahead(lc_sync_t *s, err_t *e, rc_t rc, uint64_t now_ms)
{
    const uint64_t slot = slot_now(s, now_ms) + LC_SLOTS_AHEAD;
    const char *ahead = lc_store_signed_ahead(&s->store, &s->scratch.update, slot);
    if (!ahead)
        return rc;
    s->ahead = ahead;
    return err_set(e, RC_UNSUPPORTED,
                   "2/3 of the sync committee signed under the version of %s, which by this schedule has not begun",
                   ahead);
}

void lc_sync_look_ahead(lc_sync_t *s, lc_kind_t kind, lc_fork_t fork, view_t ssz, uint64_t now_ms)
{
    err_t e;
    if (s->bootstrapped && !lc_update_decode(&s->scratch.update, s->network, fork, kind, ssz))
        (void)look_ahead(s, &e, RC_OK, now_ms);
}

/* The head is of this moment by the clock, which is therefore right. */
static void note_agreement(lc_sync_t *s, uint64_t now_ms)
{
    uint64_t head = s->latest.header.beacon.slot, slot = lc_slot_at(s->network, now_ms);
    if (!s->latest.valid || head > slot + LC_SLOTS_AHEAD || head + LC_IN_STEP_SLOTS < slot)
        return;
    s->agreed = true;
    s->basis_slot = max_u64(s->basis_slot, head);
}

/* An update whose signature slot has not come by the clock: its signers tell whether the clock is wrong. RC_OK: it is,
 * and the slot has come. The signature slot itself is not signed, the header's slot is. */
static rc_t check_future(lc_sync_t *s, err_t *e, const lc_update_t *u, uint64_t now_ms)
{
    lc_verdict_t verdict;
    uint64_t attested = u->attested_header.beacon.slot;
    if (attested <= slot_now(s, now_ms) && u->signature_slot - attested > s->network->preset.slots_per_epoch)
        return err_say(e, RC_REFUSED, "the signature slot lies in the future");
    rc_t rc = lc_store_check(&s->store, &verdict, e, u, UINT64_MAX);
    if (rc)
        return rc;
    if (verdict.supermajority)
        see(s, attested, verdict.participants);
    if (u->signature_slot > slot_now(s, now_ms) + LC_SLOTS_AHEAD)
        return err_say(e, RC_NEED_DATA, "the signature slot lies in the future of this machine's clock");
    return RC_OK;
}

static rc_t input_update(lc_sync_t *s, unsigned *moved, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz,
                         uint64_t now_ms)
{
    lc_verdict_t verdict;
    lc_update_t *u = &s->scratch.update;
    if (!s->bootstrapped)
        return err_say(e, RC_NEED_DATA, "there is no bootstrap yet");
    rc_t rc = lc_update_decode(u, s->network, fork, kind, ssz);
    if (rc)
        return err_say(e, rc, "the update is not well-formed");
    if (brings_nothing(s, kind, u))
        return err_say(e, RC_REPLAY, "not newer than what is known");
    uint64_t was_known = known_period(s), was_period = store_period(s);
    rc = check_form(s, e, fork, u->attested_header.beacon.slot);
    if (!rc && u->signature_slot > slot_now(s, now_ms) + LC_SLOTS_AHEAD)
        rc = check_future(s, e, u, now_ms);
    if (!rc)
        rc = lc_store_process(&s->store, &verdict, e, u, slot_now(s, now_ms) + LC_SLOTS_AHEAD);
    if (!rc && verdict.supermajority)
        see(s, u->attested_header.beacon.slot, verdict.participants);
    if (basis_too_old(s, now_ms)) {
        forget(s);
        return checkpoint_too_old(e);
    }
    if (rc == RC_REFUSED || rc == RC_MALFORMED)
        return look_ahead(s, e, rc, now_ms);
    if (rc)
        return rc;
    *moved = move_heads(s, u, &verdict);
    note_agreement(s, now_ms);
    if (known_period(s) != was_known || store_period(s) != was_period)
        *moved |= LC_MOVED_PERIOD;
    return RC_OK;
}

/* ---- when to ask ---- */

static uint64_t backoff_ms(const lc_sync_t *s, uint32_t tries)
{
    uint64_t base = min_u64(max_u64(slot_ms(s) / 6, RETRY_MIN_MS), 2000);
    return min_u64(base << min_u64(tries, 8), BACKOFF_MAX_MS);
}

/* When a slot's sync messages are due: its block, which carries the signatures on its parent, has arrived nearly
 * everywhere. */
static uint64_t due_in(const lc_sync_t *s, uint64_t slot)
{
    const lc_network_t *net = s->network;
    uint64_t at = lc_slot_start_ms(net, slot);
    uint32_t part = lc_layout(lc_fork_at_epoch(net, lc_epoch_of_slot(net, slot)))->due_part;
    return at > UINT64_MAX - slot_ms(s) ? at : at + slot_ms(s) / part;
}

/* After an answer: the next slot once the head rests on a block of this one, else a little later. */
static void plan_optimistic(lc_sync_t *s, uint64_t now_ms)
{
    job_t *job = &s->jobs[JOB_OPTIMISTIC];
    uint64_t slot = slot_now(s, now_ms), head = s->latest.valid ? s->latest.signature_slot : 0;
    uint64_t retry = max_u64(slot_ms(s) / 6, RETRY_MIN_MS);
    if (clock_is_behind(s, now_ms)) { /* it says nothing of when the next slot begins */
        job->due_ms = now_ms + slot_ms(s);
        return;
    }
    if (head >= slot) {
        job->due_ms = due_in(s, head + 1);
        return;
    }
    if (slot - head > STALLED_SLOTS)
        retry = max_u64(slot_ms(s), RETRY_MIN_MS);
    uint64_t due = due_in(s, slot), next = due_in(s, slot + 1), again = now_ms + retry;
    job->due_ms = again < due ? due : again > lc_slot_start_ms(s->network, slot + 1) && again < next ? next : again;
}

/* The finalized header of a healthy chain moves once an epoch: the epoch's first block attests it, the second one
 * carries the signatures. Servers hold it back for some epochs of a new period; that only means asking again, each time
 * after twice as long. */
static void plan_finality(lc_sync_t *s, uint64_t now_ms)
{
    job_t *job = &s->jobs[JOB_FINALITY];
    uint64_t per_epoch = s->network->preset.slots_per_epoch, slot = slot_now(s, now_ms);
    uint64_t epoch = slot / per_epoch, known = s->finalized.valid ? s->finalized.header.beacon.slot / per_epoch : 0;
    uint64_t next_epoch = (epoch + 1) * per_epoch + 1;
    if (clock_is_behind(s, now_ms)) {
        job->due_ms = now_ms + per_epoch * slot_ms(s);
        return;
    }
    if (s->finalized.valid && known + FINALITY_LAG_EPOCHS >= epoch) {
        job->tries = 0;
        job->due_ms = due_in(s, next_epoch);
        return;
    }
    uint64_t wait = max_u64(per_epoch / 8, 1) << min_u64(job->tries++, 3);
    job->due_ms = due_in(s, min_u64(slot + wait, next_epoch));
}

/* While following, the next committee is wanted some time before the period ends: ever sooner as the end comes near. */
static void plan_next_committee(lc_sync_t *s, uint64_t now_ms)
{
    const lc_preset_t *p = &s->network->preset;
    uint64_t slot = slot_now(s, now_ms), slots = p->slots_per_epoch * p->epochs_per_period;
    uint64_t left = slots - slot % slots;
    s->jobs[JOB_UPDATE].due_ms = now_ms + max_u64(left / 4, max_u64(p->slots_per_epoch / 4, 1)) * slot_ms(s);
}

static void plan_updates(lc_sync_t *s, bool progress, uint64_t now_ms)
{
    job_t *job = &s->jobs[JOB_UPDATE];
    if (progress) {
        job->tries = 0;
        job->due_ms = now_ms;
        s->count_max = (uint32_t)min_u64(2 * (uint64_t)s->count_max, LC_UPDATES_PER_REQUEST_MAX);
    } else if (state_at(s, slot_now(s, now_ms)) == LC_STATE_FOLLOWING) {
        plan_next_committee(s, now_ms);
    } else if (job->due_ms <= now_ms) {
        job->due_ms = now_ms + backoff_ms(s, job->tries++);
    }
}

static size_t job_of(lc_kind_t kind)
{
    return kind == LC_BOOTSTRAP  ? JOB_BOOTSTRAP
           : kind == LC_UPDATE   ? JOB_UPDATE
           : kind == LC_FINALITY ? JOB_FINALITY
                                 : JOB_OPTIMISTIC;
}

/* An answer arrived that blames nobody: ends the want and plans the next one. */
static void plan(lc_sync_t *s, lc_kind_t kind, unsigned moved, uint64_t now_ms)
{
    job_t *job = &s->jobs[job_of(kind)];
    job->out = false;
    if (kind == LC_UPDATE) {
        plan_updates(s, moved & LC_MOVED_PERIOD, now_ms);
    } else if (kind == LC_FINALITY) {
        plan_finality(s, now_ms);
    } else if (kind == LC_OPTIMISTIC) {
        job->tries = 0;
        plan_optimistic(s, now_ms);
    }
}

/* The chain may be periods ahead of a clock that is behind: what shows it is not proven, and worth a request. */
static void note_unknown(lc_sync_t *s, rc_t rc, uint64_t now_ms)
{
    uint64_t period = lc_period_of_slot(s->network, s->scratch.update.signature_slot);
    if (rc == RC_OK || rc == RC_REPLAY)
        s->unknown_period = 0;
    if (rc != RC_NEED_DATA || !s->bootstrapped || period <= known_period(s))
        return;
    if (!s->unknown_period)
        s->jobs[JOB_UPDATE].due_ms = now_ms;
    s->unknown_period = period;
}

static rc_t input(lc_sync_t *s, unsigned *moved, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz, uint64_t now_ms)
{
    if ((unsigned)fork >= LC_FORKS)
        return err_say(e, RC_MALFORMED, "unknown fork");
    return kind == LC_BOOTSTRAP ? input_bootstrap(s, moved, e, fork, ssz, now_ms)
                                : input_update(s, moved, e, kind, fork, ssz, now_ms);
}

rc_t lc_sync_offer(lc_sync_t *s, unsigned *moved, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz, uint64_t now_ms)
{
    unsigned changed = 0;
    const rc_t rc = input(s, &changed, e, kind, fork, ssz, now_ms);
    if (rc == RC_OK && changed && s->polled)
        plan(s, kind, changed, now_ms);
    if (rc == RC_OK)
        *moved = changed;
    return rc;
}

rc_t lc_sync_input(lc_sync_t *s, unsigned *moved, err_t *e, lc_kind_t kind, lc_fork_t fork, view_t ssz, uint64_t now_ms)
{
    unsigned changed = 0;
    const rc_t rc = input(s, &changed, e, kind, fork, ssz, now_ms);
    if (kind == LC_FINALITY || kind == LC_OPTIMISTIC)
        note_unknown(s, rc, now_ms);
    if (s->polled && (rc == RC_OK || rc == RC_REPLAY))
        plan(s, kind, changed, now_ms);
    if (rc == RC_OK)
        *moved = changed;
    return rc;
}

void lc_sync_failed(lc_sync_t *s, const lc_want_t *want, uint64_t now_ms)
{
    job_t *job = &s->jobs[job_of(want->kind)];
    if (!job->out)
        return;
    job->out = false;
    job->due_ms = now_ms + backoff_ms(s, job->tries++);
    if (want->kind != LC_UPDATE)
        return;
    s->count_max = want->count > CAUTIOUS_COUNT ? CAUTIOUS_COUNT : 1;
    if (state_at(s, slot_now(s, now_ms)) == LC_STATE_FOLLOWING)
        plan_next_committee(s, now_ms);
}

/* ---- asking ---- */

static bool wanted(const lc_sync_t *s, size_t job, lc_state_t state)
{
    switch (job) {
    case JOB_BOOTSTRAP: return state == LC_STATE_NEW;
    case JOB_UPDATE:
        return state == LC_STATE_SYNCING || (state == LC_STATE_FOLLOWING && (!s->store.next_sync_committee.known ||
                                                                             s->unknown_period > known_period(s)));
    case JOB_OPTIMISTIC: /* if there are no updates up to the clock's period, the clock may be ahead: the head tells */
        return state == LC_STATE_FOLLOWING || (state == LC_STATE_SYNCING && s->jobs[JOB_UPDATE].tries >= STALLED_TRIES);
    default: return state == LC_STATE_FOLLOWING;
    }
}

static lc_want_t want_of(const lc_sync_t *s, size_t job, uint64_t current_slot)
{
    static const lc_kind_t kinds[JOBS] = { LC_BOOTSTRAP, LC_UPDATE, LC_FINALITY, LC_OPTIMISTIC };
    lc_want_t want = { .kind = kinds[job] };
    if (job == JOB_BOOTSTRAP)
        want.block_root = s->config.checkpoint;
    if (job == JOB_UPDATE) {
        /* From the period whose update brings the next committee, up to the current one: its update may exist already.
         */
        uint64_t current = lc_period_of_slot(s->network, current_slot);
        want.period = known_period(s);
        want.count = (uint32_t)min_u64(s->count_max, current >= want.period ? current - want.period + 1 : 1);
    }
    return want;
}

/* The clock went back, or the edge lost a want: nothing may wait for ever. */
static void mend_times(lc_sync_t *s, uint64_t now_ms)
{
    for (size_t i = 0; i < JOBS; i++) {
        job_t *job = &s->jobs[i];
        if (now_ms < s->last_now_ms) {
            bool was_set = s->last_now_ms - now_ms > slot_ms(s); /* then all that was planned was planned wrongly */
            job->due_ms = min_u64(job->due_ms, was_set ? now_ms : now_ms + slot_ms(s));
            job->given_ms = min_u64(job->given_ms, now_ms);
        }
        if (job->out && now_ms - job->given_ms >= LC_WANT_TIMEOUT_MS)
            job->out = false;
    }
    s->last_now_ms = now_ms;
}

/* Where a trusted replay led is a checkpoint like any other: it may not be too old. */
static void end_replay(lc_sync_t *s)
{
    if (!s->polled && s->bootstrapped && s->config.replay_is_trusted)
        s->basis_slot = max_u64(s->basis_slot, s->store.finalized_header.beacon.slot);
    s->polled = true;
}

size_t lc_sync_poll(lc_sync_t *s, lc_want_t *out, size_t cap, uint64_t *wake_ms, uint64_t now_ms)
{
    size_t n = 0;
    mend_times(s, now_ms);
    end_replay(s);
    if (s->bootstrapped && basis_too_old(s, now_ms))
        forget(s);
    uint64_t slot = slot_now(s, now_ms), wake = now_ms + slot_ms(s);
    lc_state_t state = state_at(s, slot);
    for (size_t i = 0; i < JOBS; i++) {
        job_t *job = &s->jobs[i];
        if (job->out || !wanted(s, i, state))
            continue;
        if (job->due_ms <= now_ms && n < cap) {
            out[n++] = want_of(s, i, slot);
            job->out = true;
            job->given_ms = now_ms;
        } else {
            wake = min_u64(wake, max_u64(job->due_ms, now_ms));
        }
    }
    *wake_ms = wake;
    return n;
}

/* ---- what is known ---- */

void lc_sync_latest(const lc_sync_t *s, lc_head_t *out)
{
    *out = s->latest;
}

void lc_sync_finalized(const lc_sync_t *s, lc_head_t *out)
{
    *out = s->finalized;
}

void lc_sync_progress(const lc_sync_t *s, lc_progress_t *out, uint64_t now_ms)
{
    uint64_t slot = slot_now(s, now_ms), current = lc_period_of_slot(s->network, slot);
    memset(out, 0, sizeof *out);
    out->state = state_at(s, slot);
    out->current_slot = slot;
    if (out->state == LC_STATE_NEW)
        return;
    out->periods_total = current > s->checkpoint_period ? current - s->checkpoint_period : 0;
    out->periods_done = out->state == LC_STATE_FOLLOWING ? out->periods_total : known_period(s) - s->checkpoint_period;
    out->finalized_slot = s->store.finalized_header.beacon.slot;
    out->optimistic_slot = s->latest.valid ? s->latest.header.beacon.slot : 0;
}

const char *lc_sync_ahead(const lc_sync_t *s)
{
    return s->ahead;
}

void lc_sync_seen(const lc_sync_t *s, lc_seen_t *out)
{
    *out = s->seen;
}

const lc_store_t *lc_sync_store(const lc_sync_t *s)
{
    return s->bootstrapped ? &s->store : NULL;
}
