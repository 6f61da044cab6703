#include "lightclient/ssz/ssz.h"
