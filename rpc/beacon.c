#include "rpc/beacon.h"
