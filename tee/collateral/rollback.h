/* rollback.h - memory of the newest collateral that was accepted, so that older cannot come back.
 *
 * Spec:   tee-facts section 4.3
 * Floor:  3, tee/collateral. A value: whoever holds it locks it and keeps it.
 * Tests:  tests/unit/test_rollback.c
 */
#ifndef TEE_COLLATERAL_ROLLBACK_H
#define TEE_COLLATERAL_ROLLBACK_H

#include "tee/collateral/tcb.h"
#include "tee/x509/chain.h"

#define ROLLBACK_ROWS_MAX 64u /* platforms, and as many issuers; the least recently used row goes first */

typedef struct {
    struct {
        uint8_t fmspc[6];
        uint32_t evaluation_number, qe_evaluation_number;
        int64_t issue_date, qe_issue_date;
        uint64_t used; /* counts up; 0: the row is free */
    } platforms[ROLLBACK_ROWS_MAX];
    struct {
        chain_crl_t crl;
        uint64_t used;
    } issuers[ROLLBACK_ROWS_MAX];
    uint64_t clock;
} rollback_t;

#define ROLLBACK_CODE_MAX 8192u /* bytes of an encoded memory, at most */

/* Writes a memory for the disk: a head with the layout's version, the clock, each row that is in use. Returns the
 * bytes, which lie in out. */
view_t rollback_encode(uint8_t out[ROLLBACK_CODE_MAX], const rollback_t *m);

/* Reads one back. out written only on RC_OK. RC_MALFORMED: it is none, or of another version's layout. */
NODISCARD rc_t rollback_decode(rollback_t *out, err_t *e, view_t code);

/* RC_OK when nothing is older than what is remembered. Changes nothing. E_ROLLBACK. */
NODISCARD rc_t rollback_check(const rollback_t *m, err_t *e, const tcb_info_t *info, const qe_identity_t *identity,
                              const chain_crl_t *root_crl, const chain_crl_t *pck_crl);

/* Remembers what was accepted. */
void rollback_accept(rollback_t *m, const tcb_info_t *info, const qe_identity_t *identity, const chain_crl_t *root_crl,
                     const chain_crl_t *pck_crl);

#endif
