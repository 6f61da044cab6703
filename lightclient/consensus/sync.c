#include "lightclient/consensus/sync.h"
