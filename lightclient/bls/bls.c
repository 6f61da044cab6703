#include "lightclient/bls/bls.h"
