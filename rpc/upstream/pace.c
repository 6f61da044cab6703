#include "rpc/upstream/pace.h"

void pace_took(pace_t *p, uint32_t ms)
{
    const uint32_t r = ms < PACE_MAX_MS ? ms : PACE_MAX_MS;
    if (!p->known || p->at_least) {
        *p = (pace_t){ .known = true, .mean_8 = 8 * r, .stray_4 = 2 * r };
        return;
    }
    const uint32_t mean = p->mean_8 / 8, off = r > mean ? r - mean : mean - r;
    p->stray_4 = p->stray_4 - p->stray_4 / 4 + off;
    p->mean_8 = p->mean_8 - p->mean_8 / 8 + r;
}

void pace_lasts(pace_t *p, uint32_t ms)
{
    const bool first = !p->known || p->at_least;
    if (ms <= pace_mean_ms(p) || (first && ms < PACE_LASTS_MS))
        return;
    pace_took(p, ms);
    p->at_least = first;
}

uint32_t pace_mean_ms(const pace_t *p)
{
    return p->mean_8 / 8;
}

uint32_t pace_usual_ms(const pace_t *p)
{
    return p->mean_8 / 8 + p->stray_4;
}
