#include "http/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/message.h"

#define URL_MAX 4096u

static bool scheme_known(const char *s)
{
    return strcasecmp(s, "http") == 0 || strcasecmp(s, "https") == 0;
}

rc_t hc_url_check(const char *url)
{
    rc_t rc = RC_MALFORMED;
    char *scheme = NULL, *host = NULL;
    CURLU *u;
    if (!url || strnlen(url, URL_MAX + 1) > URL_MAX)
        return RC_MALFORMED;
    u = curl_url();
    if (!u)
        return RC_NOMEM;
    if (!curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) &&
        !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) && !curl_url_get(u, CURLUPART_HOST, &host, 0) &&
        scheme_known(scheme) && host[0])
        rc = RC_OK;
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(u);
    return rc;
}

void hc_url_origin(char *out, size_t cap, const char *url)
{
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *u = NULL;
    if (!cap)
        return;
    if (hc_url_check(url) == RC_OK)
        u = curl_url();
    if (u && !curl_url_set(u, CURLUPART_URL, url, 0) && !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) &&
        !curl_url_get(u, CURLUPART_HOST, &host, 0) && !curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT))
        snprintf(out, cap, "%s://%s:%s", scheme, host, port);
    else
        snprintf(out, cap, "invalid URL");
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
}

void hc_url_host(char *out, size_t cap, const char *url)
{
    char *host = NULL;
    CURLU *u = hc_url_check(url) == RC_OK ? curl_url() : NULL;
    if (cap)
        out[0] = '\0';
    if (u && !curl_url_set(u, CURLUPART_URL, url, 0) && !curl_url_get(u, CURLUPART_HOST, &host, 0) &&
        strlen(host) < cap)
        for (size_t i = 0; i == 0 || host[i - 1]; i++)
            out[i] = (char)tolower((unsigned char)host[i]);
    const size_t n = cap ? strlen(out) : 0;
    if (n && out[n - 1] == '.') /* "a.example." is a.example */
        out[n - 1] = '\0';
    curl_free(host);
    curl_url_cleanup(u);
}

void hc_url_join(char *out, size_t cap, const char *base, const char *path)
{
    size_t n = strcspn(base, "?#");
    const char *query = base[n] == '?' ? base + n + 1 : "";
    while (n && base[n - 1] == '/')
        n--;
    snprintf(out, cap, "%.*s%s%s%s", (int)n, base, path, !*query ? "" : strchr(path, '?') ? "&" : "?", query);
}

/* Whether a host, as curl writes it, is of this machine or a private network. Names are not resolved here. */
static bool is_near(const char *host)
{
    struct in_addr four;
    if (host[0] == '[' || strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &four) != 1)
        return false;
    const uint32_t at = ntohl(four.s_addr);
    return at >> 24 == 127 || at >> 24 == 10 || at >> 24 == 0 || at >> 20 == 0xac1 || at >> 16 == 0xc0a8 ||
           at >> 16 == 0xa9fe || at >> 28 >= 14;
}

bool hc_url_may_follow(const char *from, const char *to)
{
    char a[320], b[320]; /* a host has at most 255 characters */
    if (hc_url_check(from) || hc_url_check(to))
        return false;
    hc_url_origin(a, sizeof a, from);
    hc_url_origin(b, sizeof b, to);
    if (strncmp(a, "https:", 6) == 0 && strncmp(b, "https:", 6) != 0)
        return false;
    char *host_a = strchr(a, '/') + 2, *host_b = strchr(b, '/') + 2;
    if (!strrchr(host_a, ':') || !strrchr(host_b, ':'))
        return false;
    *strrchr(host_a, ':') = *strrchr(host_b, ':') = '\0';
    return is_near(host_a) || !is_near(host_b);
}

bool hc_url_follows(const char *from, const char *to, long status, bool post, unsigned hops)
{
    const bool any = status == 307 || status == 308;
    const bool get = !post && (status == 301 || status == 302 || status == 303);
    return (any || get) && hops < HC_REDIRECTS_MAX && hc_url_may_follow(from, to);
}
