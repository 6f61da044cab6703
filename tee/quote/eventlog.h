/* eventlog.h - event logs of dstack guests: digests recomputed, registers replayed, identity events taken out.
 *
 * Spec:   tee-facts section 12; RFC 8785 for version 2 preimages
 * Floor:  3, tee/quote. Pure; events in the arena.
 * Tests:  tests/unit/test_eventlog.c, tests/fuzz/fuzz_eventlog.c, vectors kind tdx
 */
#ifndef TEE_QUOTE_EVENTLOG_H
#define TEE_QUOTE_EVENTLOG_H

#include "base/arena.h"
#include "base/bytes.h"
#include "tee/fault.h"
#include "tee/tee.h"

#define EVENTLOG_EVENTS_MAX 4096u
#define EVENTLOG_RUNTIME 0x08000001u /* event type of events that the guest measures into RTMR3 */

typedef struct {
    unsigned imr; /* 0 to 3 */
    uint32_t type;
    uint8_t digest[48]; /* of runtime events recomputed, never the log's */
    view_t name;
    view_t payload; /* of runtime events, decoded from hex; of others empty: nothing vouches for it */
} event_t;

typedef struct {
    const event_t *events;
    size_t count;
    size_t ready; /* index of system-ready in events; count when there is none */
} eventlog_t;

/* Parses a log and replays it against the quote's four registers (48 bytes each): a register without any event must be
 * all zero. out written only on RC_OK. E_EVENTLOG, E_LIMIT, E_NOMEM. */
NODISCARD rc_t eventlog_verify(eventlog_t *out, err_t *e, arena_t *a, view_t json, const uint8_t *const rtmr[4]);

/* The payload of the one runtime event of this name before system-ready (or of that itself). RC_OK only if there is
 * exactly one in the whole log; else E_EVENT_REQUIRED (none, or it stands after system-ready) or E_EVENTLOG (two). */
NODISCARD rc_t eventlog_identity(view_t *payload, err_t *e, const eventlog_t *log, const char *name);

/* RTMR replay of runtime events alone, for those who make them: reg = SHA-384(reg || digest of the event, version
 * 1). */
void eventlog_extend(uint8_t reg[48], const char *name, view_t payload);

#endif
