#include "node/chain/age.h"

/* Milliseconds since a slot began. */
static uint64_t since(const lc_network_t *net, uint64_t slot, uint64_t now_ms)
{
    uint64_t at = lc_slot_start_ms(net, slot);
    return now_ms > at ? now_ms - at : 0;
}

age_t age_of_heads(uint64_t *age_ms, const lc_network_t *net, const lc_head_t *latest, const lc_head_t *finalized,
                   uint64_t now_ms, uint64_t quiet_ms)
{
    const uint64_t slot_ms = net->seconds_per_slot * 1000;
    *age_ms = since(net, latest->header.beacon.slot, now_ms);
    if (*age_ms < quiet_ms)
        *age_ms = quiet_ms;
    if (*age_ms > AGE_HEAD_MAX_SLOTS * slot_ms)
        return AGE_HEAD_STALE;
    if (lc_header_by_hash(&latest->header)) {
        const uint64_t at = latest->header.execution.timestamp * 1000;
        *age_ms = now_ms > at ? now_ms - at : 0;
        if (*age_ms > AGE_HEAD_MAX_SLOTS * slot_ms)
            return AGE_EXECUTION_STALE;
    }
    if (!finalized)
        return AGE_FRESH;
    *age_ms = since(net, finalized->header.beacon.slot, now_ms);
    return *age_ms > AGE_FINALIZED_MAX_EPOCHS * net->preset.slots_per_epoch * slot_ms ? AGE_FINALIZED_STALE : AGE_FRESH;
}

bool age_lags(const lc_network_t *net, lc_kind_t kind, const lc_head_t *head, uint64_t now_ms)
{
    uint64_t most = kind == LC_FINALITY ? AGE_LAG_EPOCHS * net->preset.slots_per_epoch : AGE_LAG_SLOTS;
    return head->valid && lc_slot_at(net, now_ms) > head->header.beacon.slot + most;
}
