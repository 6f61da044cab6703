#include "lightclient/mpt/mpt.h"
