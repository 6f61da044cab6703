#include "rpc/http/client.h"
