/* url.h - what may be asked, and what of a URL people may see.
 *
 * Floor:  2, http. Any thread.
 * Tests:  tests/unit/test_http_client.c, tests/fuzz/fuzz_url.c
 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/rc.h"

/* RC_OK when url is an http or https URL with a host that the client would ask; RC_MALFORMED otherwise. */
NODISCARD rc_t hc_url_check(const char *url);

/* "scheme://host:port" of a URL for logs and errors: no credentials, path or query (providers put keys there). */
void hc_url_origin(char *out, size_t cap, const char *url);

/* The host of a URL that hc_url_check takes, in small letters and without a dot at its end; empty: it does not fit, or
 * there is no such URL. */
void hc_url_host(char *out, size_t cap, const char *url);

/* What is asked of a server: its URL with a path, which may have a query of its own, in front of the URL's query (keys
 * of some providers stand there). Cut at cap bytes. */
void hc_url_join(char *out, size_t cap, const char *base, const char *path);

/* Whether a request to one URL may go on to another that its answer names: an http or https URL, not from https to
 * http, and not from a host out in the world to one of this machine or its network. */
bool hc_url_may_follow(const char *from, const char *to);

/* Whether an answer with that status, after so many redirects that were followed, leads on: a GET by 301, 302, 303, 307
 * and 308, a POST by the last two, HC_REDIRECTS_MAX times at most. */
bool hc_url_follows(const char *from, const char *to, long status, bool post, unsigned hops);

#endif
