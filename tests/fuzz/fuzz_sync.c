/* The sync machine under arbitrary sequences of inputs, failures and clock steps. What holds: a refused input leaves
 * the store byte-identical; heads never go back in slot and rest on two thirds of the committee; wants stay within
 * their bounds; the machine is never told to wake in the past. Input: records of kind (1 byte: 0 poll, 1..4 as
 * lc_kind_t, 5 every want failed), fork (1), seconds of clock (2), length of the object (2), object. */
#include <stdlib.h>

#include "lightclient/consensus/sync.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/lc_fixture.h"

static lc_store_t before;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_head(const lc_head_t *was, const lc_head_t *is, uint32_t committee_size)
{
    require(!was->valid || is->valid);
    if (!is->valid)
        return;
    require(!was->valid || is->header.beacon.slot >= was->header.beacon.slot);
    require(is->participants * 3 >= committee_size * 2 && is->participants <= committee_size);
    require(is->signature_slot > is->header.beacon.slot);
}

static void input(lc_sync_t *s, const lc_network_t *net, lc_kind_t kind, lc_fork_t fork, view_t ssz, uint64_t now_ms)
{
    lc_head_t latest, finalized, latest_after, finalized_after;
    unsigned moved = 0;
    err_t e = { 0 };
    const lc_store_t *store = lc_sync_store(s);
    if (store)
        before = *store;
    lc_sync_latest(s, &latest);
    lc_sync_finalized(s, &finalized);
    rc_t rc = lc_sync_input(s, &moved, &e, kind, fork, ssz, now_ms);
    lc_sync_latest(s, &latest_after);
    lc_sync_finalized(s, &finalized_after);
    require(rc == RC_OK || (e.rc == rc && e.text[0] && !moved));
    require(rc == RC_OK || !store || !memcmp(&before, store, sizeof before));
    check_head(&latest, &latest_after, net->preset.committee_size);
    check_head(&finalized, &finalized_after, net->preset.committee_size);
}

static size_t poll_wants(lc_sync_t *s, lc_want_t *wants, uint64_t now_ms)
{
    uint64_t wake = 0;
    size_t n = lc_sync_poll(s, wants, 4, &wake, now_ms);
    require(n <= 4 && wake >= now_ms);
    for (size_t i = 0; i < n; i++)
        if (wants[i].kind == LC_UPDATE)
            require(wants[i].count >= 1 && wants[i].count <= LC_UPDATES_PER_REQUEST_MAX);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    lc_network_t net = fx_minimal_fulu();
    lc_sync_config_t config = { .network = &net,
                                .checkpoint = fx_hash(FX_FULU_CHECKPOINT_8),
                                .checkpoint_age_max_s = 3600 };
    lc_sync_t *s = lc_sync_new(&config);
    rd_t r = rd_of(view_of(data, len));
    lc_want_t wants[4];
    lc_progress_t progress;
    size_t given = 0;
    while (s && r.n >= 6) {
        uint8_t kind = rd_u8(&r);
        lc_fork_t fork = (lc_fork_t)(rd_u8(&r) % (LC_FORKS + 1));
        uint64_t now_ms = net.genesis_time * 1000 + rd_u16le(&r) * 1000u;
        size_t n = rd_u16le(&r);
        view_t ssz = rd_take(&r, n < r.n ? n : r.n);
        if (kind == 0)
            given = poll_wants(s, wants, now_ms);
        else if (kind <= 4)
            input(s, &net, (lc_kind_t)kind, fork, ssz, now_ms);
        else
            for (size_t i = 0; i < given; i++)
                lc_sync_failed(s, &wants[i], now_ms);
        lc_sync_progress(s, &progress, now_ms);
        require(progress.periods_done <= progress.periods_total);
    }
    lc_sync_free(s);
    return 0;
}
