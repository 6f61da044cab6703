/* fault.h - why evidence was refused: one stable code for each reason, and a sentence.
 *
 * A function of tee/ that can fail for the input's sake fills a tee_fault_t and returns the code's rc. The numbers travel in
 * REJECT messages of mutual attestation: they are never reused.
 *
 * Floor:  3, tee. No heap, I/O, clock or thread.
 */
#ifndef TEE_FAULT_H
#define TEE_FAULT_H

#include <stdint.h>

#include "base/rc.h"

typedef enum {
    TEE_OK = 0,
#define FAULT(number, name, rc, text) name = number,
#include "tee/fault.def"
#undef FAULT
} tee_code_t;

typedef struct {
    tee_code_t code;
    const char *why; /* a sentence, static storage: what exactly; never NULL once a function failed */
} tee_fault_t;

/* Fills f and returns the rc of the code. why NULL: the code's own sentence. */
rc_t tee_fail(tee_fault_t *f, tee_code_t code, const char *why);

/* "E_TRUNCATED", ...; "TEE_OK"; "E_UNKNOWN" for a number that no code has. */
const char *tee_code_name(unsigned code);

#endif
