#include "rpc/http/server.h"
