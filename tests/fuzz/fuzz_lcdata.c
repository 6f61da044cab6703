/* Questions and answers about light-client data: within their bounds, inside the input, and the same when written again. */
#include <stdlib.h>
#include <string.h>

#include "overlay/lcdata.h"
#include "tests/fuzz/fuzz.h"

static void check_want(view_t in)
{
    uint8_t buf[LCDATA_WANT_MAX];
    lcdata_want_t want, again;
    wr_t w = wr_of(buf, sizeof buf);
    if (lcdata_want_read(&want, in))
        return;
    lcdata_want_write(&w, &want);
    if (w.bad || lcdata_want_read(&again, wr_view(&w)) || again.kind != want.kind || again.count != want.count ||
        again.period != want.period || !hash32_eq(&again.root, &want.root) || !want.count ||
        want.count > LCDATA_COUNT_MAX)
        abort();
}

static void check_answer(view_t in)
{
    static uint8_t buf[LCDATA_ANSWER_MAX];
    lcdata_answer_t a, again;
    wr_t w = wr_of(buf, sizeof buf);
    if (lcdata_answer_read(&a, in))
        return;
    lcdata_answer_write(&w, &a);
    if (w.bad || a.count > LCDATA_OBJECTS_MAX || a.why.n > LCDATA_WHY_MAX || lcdata_answer_read(&again, wr_view(&w)) ||
        again.count != a.count || !view_eq(again.why, a.why))
        abort();
    for (size_t i = 0; i < a.count; i++)
        if (a.objects[i].n > LCDATA_OBJECT_MAX || !view_eq(a.objects[i], again.objects[i]) ||
            (a.objects[i].n && (a.objects[i].p < in.p || a.objects[i].p + a.objects[i].n > in.p + in.n)))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    check_want(view_of(in, len));
    check_answer(view_of(in, len));
    return 0;
}
