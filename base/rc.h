/* rc.h - the one result type of the program; its ranges say who is at fault.
 *
 * Floor:  1, base. No heap, I/O, clock or thread.
 */
#ifndef BASE_RC_H
#define BASE_RC_H

#define NODISCARD __attribute__((warn_unused_result))

typedef enum {
    RC_OK = 0, /* for a verifier: proved, not merely "ran" */

    /* 16..31: the input is at fault; blame or drop whoever sent it. */
    RC_MALFORMED = 16, /* does not parse */
    RC_LIMIT,          /* larger, deeper or more than its named maximum */
    RC_REFUSED,        /* parses, but a check failed */
    RC_REPLAY,         /* seen before, or older than what is known */

    /* 32..47: nobody is at fault. */
    RC_NEED_DATA = 32, /* supply what the out-parameter lists, then go on */
    RC_UNSUPPORTED,    /* this build cannot answer (for instance a block of a newer fork) */

    /* 48..63: this machine; retry or stop, blame no peer. */
    RC_NOMEM = 48,
    RC_IO,
    RC_TIMEOUT,
    RC_BUG
} rc_t;

/* True when rc accuses whoever sent the input. */
static inline int rc_blames_input(rc_t rc)
{
    return rc >= 16 && rc < 32;
}

/* Short lower-case English name, for logs and errors: "malformed", "refused", ... Static storage. */
const char *rc_name(rc_t rc);

#endif
