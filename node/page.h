/* page.h - GET /: the page for people (node/page/index.html) and the verifier that it loads, /kettle-verify.mjs
 * (sdk/js): both inside the program, so that the page asks nobody but the node. A strict content security policy: its
 * own style and script by their hashes, the verifier by its origin.
 *
 * Floor:  5, node. Any thread.
 * Tests:  tests/unit/test_page.c, tests/sdk/page.mjs
 */
#ifndef NODE_PAGE_H
#define NODE_PAGE_H

#include "http/message.h"

/* Made by node/page/embed.py. */
extern const unsigned char PAGE_HTML[], PAGE_MODULE[];
extern const size_t PAGE_HTML_LEN, PAGE_MODULE_LEN;
extern const char PAGE_POLICY[];

/* Answers a request to "/" or "/kettle-verify.mjs". flags: HS_SIMULATED, HS_DEVELOPMENT. */
void page_get(hs_response_t *r, const hs_request_t *request, unsigned flags);

#endif
