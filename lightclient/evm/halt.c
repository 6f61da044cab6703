/* Why a call halted, in words. */
#include <stdio.h>

#include "lightclient/evm/evm.h"
#include "lightclient/evm/gas.h"

static const struct {
    const char *name;
    unsigned takes;
} opcodes[] = {
#define OP(byte, name, takes, gives, gas, fork) { #name, takes },
#define NONE(byte) { NULL, 0 },
#include "lightclient/evm/opcode.def"
#undef OP
#undef NONE
};
_Static_assert(sizeof opcodes / sizeof opcodes[0] == 256, "each byte has its row");

const char *evm_halt_name(evm_halt_t halt)
{
    static const char *const names[] = {
        [EVM_HALT_NONE] = "none",
        [EVM_HALT_OUT_OF_GAS] = "out of gas",
        [EVM_HALT_INVALID_OPCODE] = "invalid opcode",
        [EVM_HALT_STACK] = "stack underflow or overflow",
        [EVM_HALT_BAD_JUMP] = "invalid jump destination",
        [EVM_HALT_STATIC] = "write protection",
        [EVM_HALT_CREATE_COLLISION] = "contract address collision",
        [EVM_HALT_CODE_SIZE] = "max code size exceeded",
        [EVM_HALT_CODE_PREFIX] = "invalid code: must not begin with 0xef",
        [EVM_HALT_PRECOMPILE] = "precompile failed",
        [EVM_HALT_RETURN_DATA] = "return data out of bounds",
    };
    return (size_t)halt < sizeof names / sizeof names[0] ? names[halt] : "unknown";
}

void evm_halt_text(char out[EVM_HALT_TEXT_MAX], const evm_result_t *result)
{
    const unsigned takes = opcodes[result->halt_opcode].takes;
    const char *name = result->halt_opcode == 0xfe ? "INVALID" : opcodes[result->halt_opcode].name;
    if (result->halt == EVM_HALT_INVALID_OPCODE && name)
        snprintf(out, EVM_HALT_TEXT_MAX, "invalid opcode: %s", name);
    else if (result->halt == EVM_HALT_INVALID_OPCODE)
        snprintf(out, EVM_HALT_TEXT_MAX, "invalid opcode: opcode %#x not defined", result->halt_opcode);
    else if (result->halt == EVM_HALT_STACK && result->halt_stack < takes)
        snprintf(out, EVM_HALT_TEXT_MAX, "stack underflow (%u <=> %u)", result->halt_stack, takes);
    else if (result->halt == EVM_HALT_STACK)
        snprintf(out, EVM_HALT_TEXT_MAX, "stack limit reached %u (%u)", EVM_STACK_MAX, EVM_STACK_MAX - 1);
    else
        snprintf(out, EVM_HALT_TEXT_MAX, "%s", evm_halt_name(result->halt));
}
