/* What endpoints say of forks to come. A claim is a sentence of printable characters, whatever the answer was. */
#include <stdlib.h>

#include "lightclient/networks.h"
#include "rpc/upstream/claims.h"
#include "tests/fuzz/fuzz.h"

static void check(bool claims, const char *text)
{
    size_t n = 0;
    while (claims && text[n] >= ' ' && text[n] <= '~')
        n++;
    if (claims && (n == 0 || text[n]))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char text[CL_TEXT_MAX] = "";
    check(cl_of_spec(text, lc_network_find("sepolia"), view_of(data, len)), text);
    check(cl_of_config(text, lc_builtin_find("sepolia")->execution, 0, view_of(data, len)), text);
    return 0;
}
