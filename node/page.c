#include "node/page.h"

#include <string.h>

void page_get(hs_response_t *r, const hs_request_t *request, unsigned flags)
{
    const bool is_page = strcmp(request->path, "/") == 0;
    const view_t body = is_page ? view_of(PAGE_HTML, PAGE_HTML_LEN) : view_of(PAGE_MODULE, PAGE_MODULE_LEN);
    const char *type = is_page ? "text/html; charset=utf-8" : "text/javascript; charset=utf-8";
    hs_shared_t *s = hs_shared_static(200, type, body, flags | (is_page ? 0u : (unsigned)HS_CORS));
    if (s && (!hs_shared_header(s, "Referrer-Policy", "no-referrer") ||
              (is_page && !hs_shared_header(s, "Content-Security-Policy", PAGE_POLICY)))) {
        hs_shared_unref(s);
        s = NULL;
    }
    r->shared = s;
    if (!s)
        hs_problem(r, 503, "out-of-memory", "out of memory");
}
