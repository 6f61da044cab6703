#include "base/rc.h"

const char *rc_name(rc_t rc)
{
    switch (rc) {
    case RC_OK: return "ok";
    case RC_MALFORMED: return "malformed";
    case RC_LIMIT: return "over a limit";
    case RC_REFUSED: return "refused";
    case RC_REPLAY: return "replayed";
    case RC_NEED_DATA: return "needs data";
    case RC_UNSUPPORTED: return "unsupported";
    case RC_NOMEM: return "out of memory";
    case RC_IO: return "input/output error";
    case RC_TIMEOUT: return "timed out";
    case RC_BUG: return "internal error";
    }
    return "unknown result";
}
