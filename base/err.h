/* err.h - what went wrong, in one form for the whole program: who is at fault, a stable code, where, and a sentence.
 *
 *     if (port > 65535)
 *         return err_in(e, RC_MALFORMED, "port", "must be between 1 and 65535, not %llu", port);
 *     ...
 *     return err_under(e, policy_read(&p, e, text), "policy");       // field "tcb.accept" becomes "policy.tcb.accept"
 *     return err_before(e, bn_fetch(&u, e, url), "%s: ", origin);   // text "timeout" becomes "https://node: timeout"
 *
 * A text is set where the failure is found, never in advance. e may be NULL everywhere: the text is dropped, the rc
 * goes its way. Every function returns the rc that it was given. Texts and fields may be made of foreign bytes: what
 * does not fit is cut between characters, and control characters and invalid UTF-8 become '?'.
 *
 * Floor:  1, base. No heap, I/O, clock or thread.
 * Tests:  tests/unit/test_err.c
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdint.h>

#include "base/rc.h"

typedef struct {
    rc_t rc;
    uint16_t code;  /* stable number within a subsystem (tee/fault.def, an errno); 0: none */
    char field[64]; /* path of the member at fault: "policy.images[0].mrtd"; empty: the whole, or no input at all */
    char text[240]; /* a sentence without a capital or a full stop, for people */
} err_t;

/* Nothing is wrong. */
void err_clear(err_t *e);

/* --- finding a failure: replaces all that e held before --- */

/* Fills e. */
rc_t err_say(err_t *e, rc_t rc, const char *text);
__attribute__((format(printf, 3, 4))) rc_t err_set(err_t *e, rc_t rc, const char *fmt, ...);

/* The same, at a member of the input. */
__attribute__((format(printf, 4, 5))) rc_t err_in(err_t *e, rc_t rc, const char *field, const char *fmt, ...);

/* --- passing it on: these do nothing when rc is RC_OK --- */

/* Gives the failure its subsystem's code. */
rc_t err_code(err_t *e, rc_t rc, uint16_t code);

/* What failed was read as a part of something greater: "x" becomes "outer.x", "[3]" becomes "outer[3]", "" becomes
 * "outer". */
rc_t err_under(err_t *e, rc_t rc, const char *outer);

/* Puts context (an endpoint, a path) before the text. */
__attribute__((format(printf, 3, 4))) rc_t err_before(err_t *e, rc_t rc, const char *fmt, ...);

#endif
