#include "node/cli/results.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"

#define OUTPUT_MAX ((size_t)1 << 20) /* bytes of the results as JSON */

bool step(results_t *r, const char *name, bool ok, const char *code, const char *fmt, ...)
{
    va_list ap;
    r->failed |= !ok;
    if (r->count == RESULTS_STEPS_MAX) {
        r->failed = true;
        return ok;
    }
    r->steps[r->count].name = name;
    r->steps[r->count].ok = ok;
    r->steps[r->count].code = ok ? NULL : code;
    va_start(ap, fmt);
    vsnprintf(r->steps[r->count].detail, sizeof r->steps[r->count].detail, fmt, ap);
    va_end(ap);
    r->count++;
    return ok;
}

bool step_failed(results_t *r, const char *name, const char *code, const err_t *e)
{
    return step(r, name, false, code, "%s%s%s", e->field, e->field[0] ? ": " : "", e->text);
}

bool step_unreached(results_t *r, const char *name, const err_t *e)
{
    const bool failed = r->failed;
    step_failed(r, name, NULL, e);
    r->failed = failed;
    r->unreached = true;
    return false;
}

static void print_text(const results_t *r, bool holds)
{
    for (size_t i = 0; i < r->count; i++) {
        const char *code = r->steps[i].code;
        say(stdout, "%-4s %-12s %s%s%s", r->steps[i].ok ? "ok" : "FAIL", r->steps[i].name, code ? code : "",
            code ? ": " : "", r->steps[i].detail);
    }
    say(stdout, "%s",
        holds       ? "all holds"
        : r->failed ? "DOES NOT HOLD"
                    : "NOT CHECKED: something could not be fetched");
}

static void put_known(jw_t *w, const char *key, const char *text)
{
    if (text[0])
        jw_str(w, key, text);
    else
        jw_null(w, key);
}

static bool print_json(const results_t *r, bool holds)
{
    jw_t w = jw_of(NULL, OUTPUT_MAX);
    err_t e;
    jw_indent(&w, 2);
    jw_object(&w, NULL);
    jw_bool(&w, "holds", holds);
    put_known(&w, "pubkey", r->pubkey);
    put_known(&w, "setup", r->setup);
    jw_array(&w, "steps");
    for (size_t i = 0; i < r->count; i++) {
        jw_object(&w, NULL);
        jw_str(&w, "step", r->steps[i].name);
        jw_bool(&w, "ok", r->steps[i].ok);
        put_known(&w, "code", r->steps[i].code ? r->steps[i].code : "");
        jw_str(&w, "detail", r->steps[i].detail);
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    const view_t text = jw_done(&w);
    const bool ok = text.p && !command_write(&e, NULL, text) && !command_write(&e, NULL, view_str("\n"));
    jw_free(&w);
    return ok;
}

int results_print(const results_t *r, bool as_json)
{
    const bool holds = !r->failed && !r->unreached && r->count;
    bool printed = true;
    if (as_json)
        printed = print_json(r, holds);
    else
        print_text(r, holds);
    if (fflush(stdout) || !printed)
        return COMMAND_FAILED;
    return holds ? COMMAND_DONE : r->failed ? COMMAND_FAILED : COMMAND_UNREACHED;
}
