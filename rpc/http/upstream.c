#include "rpc/http/upstream.h"
