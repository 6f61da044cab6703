#include "node/query/flight_work.h"

#include "lightclient/exec/receipt.h"

#define BATCH_BODY_MAX ((size_t)12 << 20)  /* bytes of the answer to one, */
#define STATE_BODY_MAX ((size_t)9 << 20)   /* ... without a block in it: four of them go side by side, */
#define BATCH_BODY_MIN ((size_t)64 << 10)  /* ... of the smallest, */
#define PATH_BODY_MAX ((size_t)40 << 10)   /* ... and more for each account and slot of a proof, */
#define OTHER_BODY_MAX ((size_t)320 << 10) /* ... and for code or a hint, */
#define HASH_TEXT ((size_t)72)             /* ... and for a transaction of the block whose header is asked for */
#define WIDE_BODY ((size_t)1 << 20)        /* an answer that may be longer is long */

/* How many transactions a block may have whose header is asked for: their hashes are in the answer. The limit of gas
 * of the block that it is asked at may have been twice as high, or is not known. */
static size_t transactions_of(const need_t *need)
{
    const uint64_t limit = need->kind == NEED_HEADER ? need->block->env.gas_limit : 0;
    return limit && limit < EX_BLOCK_GAS_MAX / 2 ? (size_t)(2 * limit / EX_TX_GAS_MIN) : EX_RECEIPTS_MAX;
}

/* How long the answer to a need may be; usual: as blocks mostly are. */
static size_t body_max_of(const need_t *need, bool usual)
{
    switch (need->kind) {
    case NEED_PROOF: return (1 + need->slot_count) * PATH_BODY_MAX;
    case NEED_BLOCK:
    case NEED_RECEIPTS:
    case NEED_CHANGES: return BATCH_BODY_MAX;
    case NEED_HEADER:
    case NEED_HEAD: return OTHER_BODY_MAX + (usual ? 0 : transactions_of(need) * HASH_TEXT);
    case NEED_HINT:
    case NEED_CODE:
    case NEED_HEAD_BYTES:
    case NEED_SEND:
    case NEED_WHERE: break;
    }
    return OTHER_BODY_MAX;
}

static size_t body_of(const batch_t *b, bool usual)
{
    size_t n = BATCH_BODY_MIN, most = STATE_BODY_MAX;
    for (size_t i = 0; i < b->count && n < BATCH_BODY_MAX; i++) {
        const size_t more = body_max_of(b->needs[i], usual);
        n += more;
        most = more == BATCH_BODY_MAX ? BATCH_BODY_MAX : most;
    }
    return n < most ? n : most;
}

/* How long the answer about one block may be that is longer than blocks mostly are. Logs take most: an empty one some
 * 370 characters for 379 gas, of which a fifth may have been given back. */
size_t batch_tall_max(const need_t *need)
{
    const uint64_t gas = need->gas ? need->gas : 2 * need->block->env.gas_limit;
    if (need->kind == NEED_BLOCK)
        return JR_BODY_MAX;
    if (need->kind != NEED_RECEIPTS)
        return 0;
    return gas < JR_RECEIPTS_MAX / 3 * 2 ? (size_t)(gas + gas / 2) : JR_RECEIPTS_MAX;
}

size_t batch_body_max(const batch_t *b)
{
    return b->tall ? batch_tall_max(b->needs[0]) : body_of(b, false);
}

bool batch_is_wide(const batch_t *b)
{
    return body_of(b, true) > WIDE_BODY;
}

/* Whether the answers of an honest endpoint may be longer together than those of a batch may be. */
bool batch_may_be_too_long(const batch_t *b)
{
    size_t n = BATCH_BODY_MIN;
    for (size_t i = 0; i < b->count; i++)
        n += body_max_of(b->needs[i], false);
    return n > batch_body_max(b);
}
