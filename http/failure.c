#include "http/failure.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/calendar.h"
#include "base/os/clock.h"

/* ---- certificates ---- */

/* A field of the certificate that the server showed first; empty: it showed none. */
static const char *field_of(const struct curl_certinfo *certs, const char *name)
{
    const size_t n = strlen(name);
    for (const struct curl_slist *s = certs && certs->num_of_certs > 0 ? certs->certinfo[0] : NULL; s; s = s->next)
        if (!strncasecmp(s->data, name, n) && s->data[n] == ':')
            return s->data + n + 1;
    return "";
}

/* A date of a certificate as Unix seconds, as curl writes it: "2026-11-29 13:30:00 GMT". False: there is none. */
static bool date_of(int64_t *out, const struct curl_certinfo *certs, const char *name)
{
    char text[] = "0000-00-00T00:00:00Z";
    const char *said = field_of(certs, name);
    if (strlen(said) < 19)
        return false;
    memcpy(text, said, 10);
    memcpy(text + 11, said + 11, 8);
    return time_read(out, view_str(text));
}

static const char *of_certificate(CURL *easy, const char *said)
{
    struct curl_certinfo *certs = NULL;
    int64_t from, until;
    const int64_t now = (int64_t)(clock_system_ms() / 1000);
    (void)curl_easy_getinfo(easy, CURLINFO_CERTINFO, &certs);
    if (strstr(said, "expiration") || (date_of(&until, certs, "Expire date") && until < now))
        return "the server's certificate has expired";
    if (strstr(said, "not activated") || (date_of(&from, certs, "Start date") && from > now))
        return "the server's certificate is not valid yet: a wrong clock?";
    if (strstr(said, "does not match"))
        return "the server's certificate is of another name";
    if (*field_of(certs, "Subject") && !strcmp(field_of(certs, "Subject"), field_of(certs, "Issuer")))
        return "the server's certificate is self-signed: ca_file can name it";
    return "the server's certificate is of an issuer that is not trusted: ca_file can name it";
}

/* ---- the way to the server ---- */

static const char *of_connecting(CURL *easy)
{
    long why = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &why);
    switch (why) {
    case ECONNREFUSED: return "nothing listens there: connection refused";
    case ENETUNREACH:
    case EHOSTUNREACH: return "there is no way to the host";
    case EACCES:
    case EPERM: return "this machine does not allow the connection";
    case ENOENT: return "the socket does not exist";
    default: return "no connection";
    }
}

static const char *of_timeout(CURL *easy, bool connected)
{
    curl_off_t name_us = 0;
    long port = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &name_us);
    (void)curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &port);
    if (connected)
        return "timed out before the answer was complete";
    if (port > 0)
        return "timed out in the TLS handshake: is it a port for http?";
    return name_us ? "timed out while connecting" : "timed out while asking DNS for the host's address";
}

const char *failure_text(CURL *easy, CURLcode code, const char *said, bool connected)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return "DNS has no address of the host";
    case CURLE_COULDNT_RESOLVE_PROXY: return "DNS has no address of the proxy";
    case CURLE_COULDNT_CONNECT: return of_connecting(easy);
    case CURLE_OPERATION_TIMEDOUT: return of_timeout(easy, connected);
    case CURLE_PEER_FAILED_VERIFICATION: return of_certificate(easy, said);
    case CURLE_SSL_CACERT_BADFILE: return "the file of trusted certificates cannot be read";
    case CURLE_SSL_CONNECT_ERROR:
        return strstr(said, "unexpected TLS packet") || strstr(said, "record packet")
                   ? "no TLS on this port: is it one for http?"
                   : "the TLS handshake failed";
    case CURLE_FILESIZE_EXCEEDED: return "the answer is larger than allowed";
    case CURLE_OUT_OF_MEMORY: return "out of memory";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY: return "the answer is not HTTP";
    case CURLE_GOT_NOTHING: return "the server closed the connection without an answer";
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return "the connection broke off";
    case CURLE_PARTIAL_FILE: return "the answer breaks off";
    default: return curl_easy_strerror(code);
    }
}
