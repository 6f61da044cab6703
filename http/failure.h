/* failure.h - why a transfer came to nothing, in words that tell somebody what to mend. Private to http/.
 *
 * Floor:  2, http. Any thread.
 * Tests:  tests/unit/test_http_client.c, tests/unit/test_http_tls.c
 */
#ifndef HTTP_FAILURE_H
#define HTTP_FAILURE_H

#include <curl/curl.h>
#include <stdbool.h>

/* A sentence for curl's code, static text; it names neither host, path nor credentials, nor repeats a byte of the
 * server's.
 *   easy       of the transfer, which has CURLOPT_CERTINFO set
 *   said       what curl wrote to CURLOPT_ERRORBUFFER
 *   connected  the request was on its way */
const char *failure_text(CURL *easy, CURLcode code, const char *said, bool connected);

#endif
