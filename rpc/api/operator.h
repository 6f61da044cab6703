/* operator.h - commands of a node's operator, signed by the key that the configuration names (operator_key).
 *
 * The header "Kettle-Operator: SIGNATURE" (65 bytes as hex: r, s, v) is over SHA-256 of
 *
 *     "kettle-operator/1", zeros up to 32 bytes
 *     method, a space, path with its query as sent         POST /v1/providers
 *     one byte 0a
 *     the node's public key, 33 bytes                      of /v1/status: made anew at each start
 *     counter, not_after: 8 bytes each, big endian
 *     SHA-256 of the body; of nothing for GET
 *
 * Counter and not_after (Unix seconds) are members of the body, of a GET parameters of the query. So nothing that was
 * signed does anything on another node, after a restart, twice, behind a later command, or after ten minutes.
 *
 * Spec:   issue 19, item 2
 * Floor:  3, rpc/api. No I/O, clock or thread.
 * Tests:  tests/unit/test_operator.c, tests/fuzz/fuzz_operator.c
 */
#ifndef RPC_API_OPERATOR_H
#define RPC_API_OPERATOR_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

#define OPERATOR_AHEAD_S 600u            /* how far not_after may lie ahead of what time it is at least */
#define OPERATOR_BODY_MAX (64u << 10)    /* bytes of a command's body */
#define OPERATOR_NUMBER_MAX (1ull << 53) /* of counter and not_after: JSON readers of all languages agree below it */
#define OPERATOR_KEY_LEN 33u

/* What is wrong with a command: e's code. */
enum {
    OPERATOR_NO_KEY = 1,    /* no operator_key is configured */
    OPERATOR_FORM,          /* no signature, or counter or not_after is missing or no number */
    OPERATOR_BAD_SIGNATURE, /* another key's, over something else, or for another node or an earlier start of it */
    OPERATOR_EXPIRED,
    OPERATOR_TOO_FAR, /* not_after lies too far ahead */
    OPERATOR_REPLAYED /* the counter is not above that of the last command */
};

/* One node's state of it. */
typedef struct {
    bool has_key;
    uint8_t key[OPERATOR_KEY_LEN], node[OPERATOR_KEY_LEN];
    uint64_t counter; /* of the last command that was taken; 0: none was */
} operator_t;

/* A command as it came. */
typedef struct {
    const char *method, *path, *query; /* query without its '?'; empty: there is none */
    const char *signature;             /* text of the header; empty: there is none */
    view_t body;
} operator_command_t;

/* What is signed: for whoever signs. */
typedef struct {
    uint64_t counter, not_after_s;
} operator_terms_t;
void operator_digest(hash32_t *out, const uint8_t node[OPERATOR_KEY_LEN], const operator_command_t *c,
                     const operator_terms_t *terms);

/* Takes a command: its counter counts from now on.
 *   now_s  Unix seconds: what time it is at least
 * RC_MALFORMED (OPERATOR_FORM), RC_REFUSED, RC_REPLAY: o is as before; e's code says why, as above. RC_NOMEM. */
NODISCARD rc_t operator_take(operator_t *o, err_t *e, const operator_command_t *c, uint64_t now_s);

#endif
