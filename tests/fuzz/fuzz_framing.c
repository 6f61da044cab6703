/* Fuzz target: the checks of a request's frame. The input is its lines: method, target, version, then "name:value". What
 * is accepted has one Host at most, one length or coding at most, and no character that could end a line. */
#include <stdlib.h>
#include <strings.h>

#include "http/framing.h"
#include "tests/fuzz/fuzz.h"

static view_t line_of(view_t *rest)
{
    const uint8_t *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    const size_t n = end ? (size_t)(end - rest->p) : rest->n;
    const view_t line = view_of(rest->p, n);
    *rest = view_of(rest->p + n + (end != NULL), rest->n - n - (end != NULL));
    return line;
}

static char *text_of(view_t v)
{
    char *text = calloc(1, v.n + 1);
    if (v.n)
        memcpy(text, v.p, v.n);
    return text;
}

static bool is(view_t v, const char *word)
{
    return v.n == strlen(word) && !strncasecmp((const char *)v.p, word, v.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    view_t rest = view_of(data, len);
    char *method = text_of(line_of(&rest)), *target = text_of(line_of(&rest)), *version = text_of(line_of(&rest));
    framing_t f = { 0 };
    unsigned hosts = 0, bodies = 0;
    bool control = false;
    int status;
    while (rest.n) {
        const view_t line = line_of(&rest);
        const uint8_t *colon = line.n ? memchr(line.p, ':', line.n) : NULL;
        if (!colon)
            continue;
        const view_t name = view_of(line.p, (size_t)(colon - line.p));
        const view_t value = view_of(colon + 1, line.n - name.n - 1);
        framing_field(&f, name, value);
        hosts += is(name, "host");
        bodies += is(name, "content-length") || is(name, "transfer-encoding");
        for (size_t i = 0; i < line.n; i++)
            control |= line.p[i] == '\r' || !line.p[i];
    }
    const char *fault = framing_fault(&status, &f, method, target, version);
    if (!fault && (hosts > 1 || bodies > 1 || control || strpbrk(target, "\r\t ") || f.bad_length))
        abort();
    if (fault && status != 400 && status != 505)
        abort();
    free(method);
    free(target);
    free(version);
    return 0;
}
