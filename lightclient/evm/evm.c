#include "lightclient/evm/evm.h"
