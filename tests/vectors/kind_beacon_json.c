#include "tests/vectors/vec.h"
void vec_kind_beacon_json(vec_t *v) { (void)v; }
