#include "tee/tee.h"

rc_t tee_simulator_open(tee_provider_t *out, err_t *e, const uint8_t seed[32])
{
    (void)out;
    (void)seed;
    return err_say(e, RC_UNSUPPORTED, "this build has no simulated TEE (meson option simulator)");
}
