#include "lightclient/rlp/rlp.h"
