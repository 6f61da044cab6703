/* Whatever an endpoint answers and refuses, in whatever order: a need that is asked again whenever the machine says so is asked
 * at most CAP_TRIES_MAX times, and what is learned stays in its range. */
#include <stdlib.h>

#include "rpc/upstream/capability.h"
#include "rpc/upstream/refusal.h"
#include "tests/fuzz/fuzz.h"

static void check(const cap_t *c)
{
    if (c->batch < 1 || c->batch > CAP_BATCH_MAX || c->good > CAP_BATCH_MAX || c->form.funds > FUNDS_NOBODY)
        abort();
    if (c->probe >= CAP_BATCH_MAX || (c->mute && !c->form.no_hint) || (c->probe && !c->settling && c->batch == 1))
        abort();
    if (c->unread > 4 || c->unknown > 8 || c->tried > c->batch || (c->busy_of && c->fits >= c->busy_of))
        abort();
    if ((c->gap && c->reach >= c->gap) || (c->keys && c->keys_good > c->keys) || !cap_reaches(c, c->newest))
        abort();
}

/* One need in a batch of so many, each answer to which a byte decides. */
static void ask(cap_t *c, size_t elements, bool hint, const uint8_t **at, const uint8_t *end)
{
    for (unsigned tries = 1;; tries++) {
        const cap_form_t form = c->form;
        const uint8_t what = *at < end ? *(*at)++ : 0;
        bool again = false;
        if (tries > CAP_TRIES_MAX)
            abort();
        if (what % 8 == 4 && elements > 1) { /* so many were answered */
            const size_t given = what / 8 % elements;
            again = cap_cut(c, elements, given) != CAP_FAILS;
            elements -= given;
            elements = elements > c->batch ? c->batch : elements;
            hint = false;
        } else if (what % 4 == 0) { /* refused as a whole */
            const cap_next_t next = cap_refused(c, elements, hint);
            again = next != CAP_FAILS;
            if (next == CAP_APART)
                elements = what & 16 ? 1 : elements - 1, hint = elements == 1;
            else if (next == CAP_SMALLER)
                elements = elements > c->batch ? c->batch : elements - 1;
        } else {
            cap_answered(c, elements, hint && elements == 1);
            if (what % 4 == 1)
                again = cap_refused_form(c, &form);
            if (what % 4 == 2 && hint)
                again = cap_refused_funds(c, &form);
            if (what == 7)
                cap_refused_hint(c);
        }
        check(c);
        if (!again)
            return;
    }
}

/* A proof of so many slots, in pieces as the machine says: it ends, refused with one slot or given. */
static void pieces(cap_t *c, size_t slots, const uint8_t **at, const uint8_t *end)
{
    size_t most = slots;
    for (unsigned asked = 0; slots; asked++) {
        const size_t n = cap_slots(c, most) < slots ? cap_slots(c, most) : slots;
        const bool given = *at + 1 < end && *(*at)++ % 4;
        if (asked > 64 + 7 || !n)
            abort();
        cap_keys(c, n, given);
        check(c);
        if (!given && n == 1)
            return;
        if (given)
            slots -= n;
        else
            most = n / 2;
    }
}

/* So many, refused as too often however few there are: soon it is one alone, and then as before. */
static void busy(cap_t *c, size_t elements)
{
    for (unsigned tries = 0; elements > 1; tries++) {
        if (tries > CAP_TRIES_MAX)
            abort();
        cap_busy(c, elements);
        check(c);
        elements = elements < c->batch ? elements : c->batch;
    }
    cap_busy(c, elements);
    if (c->tried)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const uint8_t *at = data, *end = data + len;
    cap_t c;
    cap_init(&c);
    (void)refusal_of_error(len ? data[0] : 0, view_of(data, len), len % 2);
    while (at < end) {
        const size_t elements = 1u + (size_t)*at % c.batch;
        const bool hint = *at & 128;
        if (elements % 4 == 1)
            cap_state(&c, *at, hint);
        if (elements % 4 == 2)
            pieces(&c, 1u + *at % 64u, &at, end);
        if (elements % 8 == 7)
            cap_busy(&c, 1u + *at % 16u);
        if (elements % 16 == 13)
            busy(&c, elements);
        if (elements % 4 == 3)
            cap_by_hash(&c, *at & 1, *at & 2);
        if (elements % 16 == 3 && cap_guess_numbers(&c) && (c.knows || !c.form.by_number))
            abort();
        if (elements % 8 == 3)
            cap_other_branch(&c);
        if (elements % 8 == 3 && c.guess && c.form.by_number)
            abort();
        if (elements % 8 == 4)
            cap_read_hint(&c, *at % 32u, elements % 32u);
        if (elements % 16 == 12 && !cap_plain(&c)) {
            cap_misread(&c);
            if (!c.plain || c.plain > 16384)
                abort();
        }
        if (elements % 8 == 5)
            cap_gave_hint(&c, &c.form);
        if (elements % 8 == 6 && cap_route(&c, *at % CAP_ROUTES) != ROUTE_SSZ)
            cap_json(&c, *at % CAP_ROUTES, hint);
        if (*at == 255)
            cap_unanswered(&c);
        check(&c);
        at++;
        ask(&c, elements, hint, &at, end);
    }
    return 0;
}
