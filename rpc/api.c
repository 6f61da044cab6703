#include "rpc/api.h"
