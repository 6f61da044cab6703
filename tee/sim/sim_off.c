#include "tee/tee.h"

rc_t tee_simulator_open(tee_provider_t *out, const uint8_t seed[32], const char **why)
{
    (void)out;
    (void)seed;
    *why = "this build has no simulated TEE (meson option simulator)";
    return RC_UNSUPPORTED;
}
