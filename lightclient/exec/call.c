#include "lightclient/exec/call.h"
