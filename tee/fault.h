/* fault.h - why evidence was refused: one stable code for each reason, and a sentence.
 *
 * A function of tee/ that can fail for the input's sake fills an err_t with a code and returns the code's rc; e may be
 * NULL, and is left as it is on RC_OK. The numbers travel in REJECT messages of mutual attestation: they are never
 * reused.
 *
 * Floor:  3, tee. No heap, I/O, clock or thread.
 */
#ifndef TEE_FAULT_H
#define TEE_FAULT_H

#include "base/err.h"

typedef enum {
    TEE_OK = 0,
#define FAULT(number, name, rc, text) name = number,
#include "tee/fault.def"
#undef FAULT
} tee_code_t;

/* Fills e (NULL is allowed) with the code, its rc and a sentence; why NULL: the code's own. Returns the rc. */
rc_t tee_fail(err_t *e, tee_code_t code, const char *why);

/* Turns what the JSON reader found (base/json.h), its code one of these by jo_code, into such a fault: one sentence
 * with the member's path, E_LIMIT for what is too large and E_NOMEM for want of memory. Returns the rc. */
rc_t tee_fail_json(err_t *e, const err_t *found);

/* "E_TRUNCATED", ...; "TEE_OK"; "E_UNKNOWN" for a number that no code has. */
const char *tee_code_name(unsigned code);

#endif
