/* A configuration is accepted or refused with a reason, never half read, and never past a measured file that lets nothing
 * in. */
#include <stdlib.h>

#include "node/config/config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    config_t *c = NULL;
    err_t e;
    view_t text = { data, len };
    rc_t rc = config_read(&c, &e, (view_t){ NULL, 0 }, text, true);
    if ((rc == RC_OK) != (c != NULL) || (rc && !e.text[0]))
        abort();
    if (c && (!c->execution_rpc.count || !c->consensus_rpc.count || !c->chain.count || !c->network.seconds_per_slot))
        abort();
    config_free(c);
    if (config_is_complete(text) != (rc == RC_OK) && rc != RC_MALFORMED) /* setup_may_set is known to a base only */
        abort();
    if (config_read(&c, &e, view_str("{\"setup_may_set\":[]}"), text, false) == RC_OK)
        abort();
    return 0;
}
