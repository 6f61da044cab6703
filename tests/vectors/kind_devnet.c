/* devnet: recordings of local chains of real clients. */
#include "tests/vectors/devnet.h"

void vec_kind_devnet(vec_t *v)
{
    devnet_beacon(v);
    devnet_exec(v);
}
