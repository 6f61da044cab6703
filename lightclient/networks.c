#include "lightclient/networks.h"

/* clang-format off */
#define DEPOSITS_MAINNET { { 0x00, 0x00, 0x00, 0x00, 0x21, 0x9a, 0xb5, 0x40, 0x35, 0x6c, \
                             0xbb, 0x83, 0x9c, 0xbe, 0x05, 0x30, 0x3d, 0x77, 0x05, 0xfa } }
#define DEPOSITS_SEPOLIA { { 0x7f, 0x02, 0xc3, 0xe3, 0xc9, 0x8b, 0x13, 0x30, 0x55, 0xb8, \
                             0xb3, 0x48, 0xb2, 0xac, 0x62, 0x56, 0x69, 0xed, 0x29, 0x5d } }
/* clang-format on */

static const lc_builtin_t builtin[] = {
    { "mainnet", &EVM_MAINNET, "https://www.lightclientdata.org", 0xf0afd0e3, DEPOSITS_MAINNET },
    { "sepolia", &EVM_SEPOLIA, NULL, 0xb96cbd13, DEPOSITS_SEPOLIA },
    { "hoodi", &EVM_HOODI, NULL, 0xbef71d30, DEPOSITS_MAINNET },
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
