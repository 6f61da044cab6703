/* Commands of an operator as they come: "M" (GET) or other, then lines: path, query, signature, and the body. Properties:
 * nobody can sign, so nothing is taken and the state stays as it was; each refusal has its code. */
#include <stdlib.h>
#include <string.h>

#include "rpc/api/operator.h"
#include "tests/fuzz/fuzz.h"

/* The public key of the secret 1. */
static const uint8_t KEY[OPERATOR_KEY_LEN] = { 0x02, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0,
                                               0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d,
                                               0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *copy = malloc(len + 1), *line[3], *at = copy;
    operator_t o = { .has_key = true, .counter = 5 };
    err_t e = { .rc = RC_OK };
    if (!copy)
        return 0;
    memcpy(copy, data, len);
    copy[len] = '\0';
    const char *method = len && *at++ == 'M' ? "GET" : "POST";
    for (size_t i = 0; i < 3; i++) {
        line[i] = at;
        char *end = len ? strchr(at, '\n') : NULL;
        if (!end) {
            free(copy);
            return 0;
        }
        *end = '\0';
        at = end + 1;
    }
    memcpy(o.key, KEY, sizeof o.key);
    memcpy(o.node, KEY, sizeof o.node);
    const operator_command_t c = { method, line[0], line[1], line[2],
                                   view_of((const uint8_t *)at, len - (size_t)(at - copy)) };
    const rc_t rc = operator_take(&o, &e, &c, 1800000000);
    if (!rc || o.counter != 5 || (rc != RC_NOMEM && !e.code))
        abort();
    free(copy);
    return 0;
}
