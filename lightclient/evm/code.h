/* code.h - code prepared for the interpreter: padded copy, map of jump destinations; EIP-7702 designators.
 *
 * Floor:  2, evm. No I/O, clock, thread or global state.
 * Tests:  tests/unit/test_evm.c
 */
#ifndef EVM_CODE_H
#define EVM_CODE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/rc.h"

/* Zero bytes (STOP) after the code: a PUSH32 at its very end reads inside, running off the end stops, and the map is
 * made from whole blocks of 64. */
#define EVM_CODE_PAD 64u

typedef struct evm_code {
    struct evm_code *next; /* of the state's list */
    hash32_t hash;         /* of the bytes; zero for init code, where nobody asks for it */
    size_t len;            /* without the padding */
    const uint8_t *bytes;  /* padded */
    const uint64_t *dests; /* bit i: byte i is a JUMPDEST that is no push data */
} evm_code_t;

/* The code of accounts that have none. */
extern const evm_code_t CODE_NONE;

/* Bytes that code_prepare needs for a code of len bytes: the map, then the padded copy. A multiple of 16. */
size_t code_room(size_t len);

/* Copies code into room (code_room(code.n) bytes, aligned to 8) and maps its jump destinations. */
void code_prepare(evm_code_t *out, void *room, view_t code);

static inline bool code_is_dest(const evm_code_t *code, uint64_t at)
{
    return at < code->len && (code->dests[at / 64] >> at % 64 & 1);
}

#define DELEGATION_LEN 23u /* bytes: 0xef0100 and an address */

/* Whether code is an EIP-7702 designator; *target is then the address. */
bool code_delegation(addr_t *target, view_t code);

/* The designator of target. */
void code_delegate(uint8_t out[DELEGATION_LEN], const addr_t *target);

#endif
