#include "lightclient/networks.h"

static const lc_builtin_t builtin[] = {
    { "mainnet", &EVM_MAINNET, "https://www.lightclientdata.org" },
    { "sepolia", &EVM_SEPOLIA, NULL },
    { "hoodi", &EVM_HOODI, NULL },
};

/* clang-format off */
#define ROWS \
    { "paris", EVM_PARIS, LC_BELLATRIX, 0, 0, 0 }, \
    { "shanghai", EVM_SHANGHAI, LC_CAPELLA, 0, 0, 0 }, \
    { "cancun", EVM_CANCUN, LC_DENEB, 3, 6, 3338477 },   /* EIP-4844 */ \
    { "prague", EVM_PRAGUE, LC_ELECTRA, 6, 9, 5007716 }, /* EIP-7691 */ \
    { "osaka", EVM_OSAKA, LC_FULU, 0, 0, 0 }, \
    { "amsterdam", EVM_AMSTERDAM, LC_GLOAS, 0, 0, 0 },
/* clang-format on */

const lc_execution_fork_t lc_execution_forks[LC_EXECUTION_FORKS] = { ROWS };
_Static_assert(sizeof((const lc_execution_fork_t[]){ ROWS }) == sizeof lc_execution_forks,
               "each known fork has its row");
_Static_assert(LC_EXECUTION_FORKS == LC_FORKS - LC_BELLATRIX, "forks of consensus and execution come in pairs");

const lc_builtin_t *lc_builtin_find(const char *name)
{
    for (size_t i = 0; i < sizeof builtin / sizeof builtin[0]; i++)
        if (!strcmp(builtin[i].name, name))
            return &builtin[i];
    return NULL;
}
