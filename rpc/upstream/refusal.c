#include "rpc/upstream/refusal.h"

#include <stddef.h>
#include <strings.h>

#define MESSAGE_SEEN 512u /* characters of a message that are looked at */

/* Whether a text has one of these words, which end with NULL, in any case. */
static bool says(view_t text, const char *const *words)
{
    for (; *words; words++) {
        const size_t n = strlen(*words);
        for (size_t at = 0; at + n <= text.n && at < MESSAGE_SEEN; at++)
            if (!strncasecmp((const char *)text.p + at, *words, n))
                return true;
    }
    return false;
}

static const char *const LOST[] = { "not found", "not be found", NULL };
static const char *const METHOD[] = { "method", NULL };

/* Of the batch, whatever the code and whoever else is told so: of its size, or that of its answer. */
static bool is_batch(view_t text)
{
    static const char *const batch[] = { "batch", NULL };
    static const char *const words[] = { "limit",     "large",       "size",          "many",
                                         "more than", "not allowed", "not supported", "unsupported",
                                         "disabled",  "maximum",     "exceed",        NULL };
    static const char *const answer[] = { "response too large", "response size", "response is too", NULL };
    static const char *const pace[] = { "rate limit", "ratelimit", "per second", "throttl", "try again", NULL };
    return (says(text, batch) && says(text, words) && !says(text, pace)) || says(text, answer);
}

static bool is_busy(int64_t code, view_t text)
{
    static const char *const words[] = { "rate limit",      "ratelimit",     "too many requests",
                                         "limit exceeded",  "request limit", "compute units",
                                         "over capacity",   "exceeded its",  "throttl",
                                         "try again later", "temporar",      "please retry",
                                         "timed out",       "timeout",       NULL };
    return code == 429 || code == -32005 || code == -32029 || says(text, words);
}

static bool is_late(int64_t code, view_t text)
{
    static const char *const block[] = { "block", "header", NULL };
    static const char *const words[] = { "header not found",          "unknown block",
                                         "block not found",           "for hash not found",
                                         "resource not found",        "cannot find block",
                                         "could not find block",      "no block found",
                                         "block is not available",    "missing block",
                                         "not yet available",         "unknown header",
                                         "after last accepted block", NULL };
    const bool named = says(text, LOST) && says(text, block) && !says(text, METHOD); /* "block 123 not found" */
    return code == -32001 || says(text, words) || (named && code != -32601);
}

refusal_t refusal_of_error(int64_t code, view_t message, bool whole)
{
    static const char *const funds[] = { "insufficient funds", "insufficient balance", NULL };
    static const char *const keys[] = { "too many slots",
                                        "too many keys",
                                        "too many storage",
                                        "number of keys",
                                        "number of slots",
                                        "storage keys exceed",
                                        NULL };
    static const char *const method[] = {
        "method not",  "not supported",   "unsupported", "does not exist", "not available",
        "not allowed", "not whitelisted", "not enabled", "upgrade",        "plan",
        NULL
    };
    static const char *const depth[] = { "pruned", "pruning", "proof window", "block is too old", "archive", NULL };
    static const char *const state[] = { "missing trie node",
                                         "state is not available",
                                         "state not available",
                                         "state unavailable",
                                         "no state available",
                                         "historical state",
                                         "no state found",
                                         "layer stale",
                                         NULL };
    static const char *const form[] = {
        "invalid argument",  "invalid param", "invalid block",   "unmarshal",  "must be a", "hex string",
        "expected a string", "invalid type",  "failed to parse", "missing 0x", NULL
    };
    if (!whole && says(message, keys))
        return REFUSAL_KEYS;
    if (is_batch(message))
        return REFUSAL_BATCH;
    if (is_busy(code, message))
        return REFUSAL_BUSY;
    if (whole)
        return REFUSAL_BATCH;
    if (is_late(code, message))
        return REFUSAL_LATE;
    if (says(message, depth))
        return REFUSAL_DEPTH;
    if (says(message, state))
        return REFUSAL_STATE;
    if (says(message, funds))
        return REFUSAL_FUNDS;
    if (code == -32601 || code == -32004 || says(message, method) || (says(message, METHOD) && says(message, LOST)))
        return REFUSAL_METHOD;
    return code == -32602 || says(message, form) ? REFUSAL_FORM : REFUSAL_OTHER;
}

refusal_t refusal_of_status(int status)
{
    switch (status) {
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
    case 520: /* to 530: a front that does not reach what is behind it */
    case 521:
    case 522:
    case 523:
    case 524:
    case 529:
    case 530: return REFUSAL_BUSY;
    default: return status >= 400 ? REFUSAL_BATCH : REFUSAL_OTHER;
    }
}

bool refusal_of_transaction(view_t message)
{
    static const char *const words[] = {
        "nonce too low",    "nonce too high",      "already known",        "already in the",
        "already imported", "known transaction",   "insufficient funds",   "intrinsic gas",
        "gas limit",        "underpriced",         "insufficient balance", "max fee per gas",
        "priority fee",     "replacement gas too", "block base fee",       NULL
    };
    return says(message, words);
}

const char *refusal_text(refusal_t r)
{
    switch (r) {
    case REFUSAL_NONE:
    case REFUSAL_OTHER: break;
    case REFUSAL_BATCH: return ", the batch is not taken as it is";
    case REFUSAL_BUSY: return ", it was asked too often";
    case REFUSAL_LATE: return ", it does not know the block";
    case REFUSAL_METHOD: return ", it does not serve the method";
    case REFUSAL_FORM: return ", it does not take a block's hash";
    case REFUSAL_KEYS: return ", too many slots of one account";
    case REFUSAL_FUNDS: return ", the sender cannot pay";
    case REFUSAL_STATE:
    case REFUSAL_DEPTH: return ", it keeps no state that old";
    }
    return "";
}
