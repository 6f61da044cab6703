#include "node/query/statements_shown.h"

#include <stdio.h>

#include "base/hex.h"
#include "base/os/clock.h"

#define RUN_MAX_MS 5000u /* of the judgement on what was made */
#define INLINE "evidence=inline"
#define CHECKPOINT "checkpoint=0x"
#define PARAMS_MAX 80u

/* ---- what is asked for ---- */

/* Whether one parameter begins with this. */
static bool begins(view_t part, const char *with)
{
    const size_t n = strlen(with);
    return part.n >= n && !memcmp(part.p, with, n);
}

/* The next of the parameters between '&'; false: no more. */
static bool next_part(view_t *part, const char **at)
{
    if (!**at)
        return false;
    const size_t n = strcspn(*at, "&");
    *part = view_of(*at, n);
    *at += n + ((*at)[n] == '&');
    return true;
}

bool statements_wants_shown(const char *query)
{
    view_t part;
    while (next_part(&part, &query))
        if (begins(part, "evidence="))
            return true;
    return false;
}

static rc_t take_checkpoint(shown_t *s, err_t *e, view_t part)
{
    const size_t prefix = strlen(CHECKPOINT) - 2;
    s->has_checkpoint = !hex_decode_exact(s->checkpoint.b, 32, (const char *)part.p + prefix, part.n - prefix);
    return s->has_checkpoint ? RC_OK : err_in(e, RC_MALFORMED, "checkpoint", "must be 32 bytes of hex with 0x");
}

rc_t statements_take_shown(work_t *w, err_t *e, const char *query)
{
    const bool shows = w->route == STATEMENTS_EVIDENCE || statements_wants_shown(query);
    char *rest = arena_alloc(w->arena, strlen(query) + 1);
    w->shown = arena_calloc(w->arena, 1, sizeof *w->shown);
    size_t n = 0;
    view_t part;
    rc_t rc = RC_OK;
    if (!rest || !w->shown)
        return err_say(e, RC_NOMEM, "out of memory");
    while (!rc && next_part(&part, &query)) {
        if (shows && begins(part, CHECKPOINT))
            rc = take_checkpoint(w->shown, e, part);
        else if (begins(part, "evidence=") && !view_eq(part, view_str(INLINE)))
            rc = err_in(e, RC_MALFORMED, "evidence", "must be inline");
        else if (!begins(part, "evidence=")) {
            if (n)
                rest[n++] = '&';
            memcpy(rest + n, part.p, part.n);
            n += part.n;
        }
    }
    rest[n] = 0;
    w->query = rest;
    if (!rc && w->route == STATEMENTS_EVIDENCE && n)
        rc = err_in(e, RC_MALFORMED, "query", "has an unknown parameter");
    return rc;
}

/* ---- what was signed ---- */

/* What the statement names by a hash alone. */
static view_t request_of(const work_t *w)
{
    const question_t *q = &w->question;
    char hex[65], *text;
    if (q->what.kind == STATEMENT_CALL)
        return q->overrides;
    if (q->what.kind == STATEMENT_LOGS)
        return q->criteria;
    if (q->what.kind != STATEMENT_RPC || !(text = arena_alloc(w->arena, PARAMS_MAX)))
        return view_of(NULL, 0);
    hex_encode(hex, view_of(q->tx_hash.b, sizeof q->tx_hash.b));
    return view_of(text, (size_t)snprintf(text, PARAMS_MAX, "[\"0x%s\"]", hex));
}

void statements_remember(work_t *w, view_t answer)
{
    const statements_config_t *k = &w->owner->config;
    const said_entry_t entry = { .answer = answer,
                                 .request = request_of(w),
                                 .beacon_root = w->head.beacon_root,
                                 .participants = w->head.participants,
                                 .finalized = w->head.finalized };
    hash32_t id;
    if (!k->objects)
        return;
    statement_digest(&id, &w->statement);
    said_note(k->said, &id, &entry);
    w->shown->entry = entry;
}

/* ---- from there to evidence ---- */

static rc_t expired(err_t *e, const char *text)
{
    return err_code(e, err_say(e, RC_REFUSED, text), EVIDENCE_EXPIRED);
}

/* One object of the light client, copied. */
static bool get_object(view_t *out, const work_t *w, const lc_want_t *want)
{
    view_t found[LCDATA_OBJECTS_MAX];
    if (!objects_get(w->owner->config.objects, found, w->arena, want))
        return false;
    *out = found[0];
    return true;
}

static rc_t find_bootstrap(work_t *w, err_t *e)
{
    shown_t *s = w->shown;
    if (!s->has_checkpoint && !objects_checkpoint(w->owner->config.objects, &s->checkpoint))
        return expired(e, "this node has no checkpoint yet");
    const lc_want_t want = { .kind = LC_BOOTSTRAP, .block_root = s->checkpoint };
    if (get_object(&s->grounds.consensus.bootstrap, w, &want))
        return RC_OK;
    return err_code(e, err_in(e, RC_REFUSED, "checkpoint", "is none from which this node can show the chain"),
                    UNKNOWN_CHECKPOINT);
}

/* The objects that show the head, and where it is final only as an ancestor, the one it is an ancestor of. */
static rc_t find_head(work_t *w, err_t *e)
{
    objects_t *o = w->owner->config.objects;
    shown_t *s = w->shown;
    const said_entry_t *at = &s->entry;
    const held_head_t *f = &w->known.finalized;
    lc_kind_t kind;
    grounds_t *g = &s->grounds;
    g->consensus.finalized = at->finalized && objects_show(o, &g->consensus.head, &g->consensus.kind, w->arena,
                                                           &at->beacon_root, true, at->participants);
    if (g->consensus.finalized)
        return RC_OK;
    if (!objects_show(o, &g->consensus.head, &g->consensus.kind, w->arena, &at->beacon_root, false, at->participants))
        return expired(e, "the head that it rests on is not kept any more: ask the same again");
    if (at->finalized && !(w->known.has_finalized && objects_show(o, &g->consensus.finality, &kind, w->arena,
                                                                  &f->beacon_root, true, f->participants)))
        return expired(e, "nothing that is kept shows that its head is final: ask the same again");
    return at->finalized && kind != LC_FINALITY ? expired(e, "no finality update is kept: ask a little later") : RC_OK;
}

static rc_t find_updates(work_t *w, err_t *e)
{
    shown_t *s = w->shown;
    uint64_t first, last;
    rc_t rc = retrace_periods(&first, &last, e, &s->config, &s->grounds);
    if (rc || last <= first)
        return rc;
    const size_t count = last - first > GROUNDS_UPDATES_MAX ? 0 : (size_t)(last - first);
    view_t *updates = arena_calloc(w->arena, count, sizeof *updates);
    if (!updates)
        return err_say(e, RC_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++) {
        const lc_want_t want = { .kind = LC_UPDATE, .period = first + i, .count = 1 };
        if (!get_object(&updates[i], w, &want))
            return expired(e, "the updates from the checkpoint on are not kept any more: name a newer one");
    }
    if (!count)
        return expired(e, "the checkpoint is too old: name a newer one");
    s->grounds.consensus.updates = (grounds_list_t){ updates, count };
    return RC_OK;
}

/* All but what is to be proven. */
static rc_t gather(work_t *w, err_t *e)
{
    const statements_config_t *k = &w->owner->config;
    shown_t *s = w->shown;
    grounds_t *g = &s->grounds;
    if (!k->objects)
        return expired(e, "this node gives no evidence");
    if (!s->entry.answer.n && !said_get(k->said, &s->entry, w->arena, &w->statement_id))
        return expired(e, "no such statement is kept any more: ask the same again");
    rc_t rc = statement_read(&g->statement, e, w->arena, s->entry.answer);
    if (rc)
        return rc;
    statement_digest(&g->id, &g->statement);
    g->setup = k->setup_text;
    g->request = s->entry.request;
    g->answer = s->entry.answer;
    rc = find_bootstrap(w, e);
    if (!rc)
        rc = find_head(w, e);
    s->config = (retrace_config_t){ .network = k->network, .chain = k->chain, .checkpoint = s->checkpoint };
    return rc ? rc : find_updates(w, e);
}

/* What this node made is wrong: with its code, for whoever reads the answer. */
static rc_t failed(err_t *e, rc_t rc)
{
    const err_t why = *e;
    if (rc != RC_REFUSED || !why.code || why.code >= GROUNDS_CODES)
        return rc;
    (void)err_set(e, rc, "%s: %s%s%s", grounds_code_word(why.code), why.field, why.field[0] ? ": " : "", why.text);
    return err_code(e, rc, EVIDENCE_FAILED);
}

rc_t statements_show(work_t *w, query_t **out, err_t *e)
{
    shown_t *s = w->shown;
    rc_t rc = gather(w, e);
    if (!rc)
        rc = failed(e, retrace_new(&s->retrace, e, &s->config, &s->grounds));
    return rc ? rc : failed(e, retrace_record(s->retrace, out, e));
}

static bool is_over(void *ctx)
{
    const shown_t *s = ctx;
    return clock_monotonic_ms() > s->end_ms;
}

rc_t statements_shown(work_t *w, view_t *file, err_t *e)
{
    const statements_config_t *k = &w->owner->config;
    shown_t *s = w->shown;
    s->end_ms = clock_monotonic_ms() + RUN_MAX_MS;
    retrace_limit(s->retrace, is_over, s);
    rc_t rc = failed(e, retrace_run(s->retrace, e, true));
    if (rc)
        return rc;
    rc = retrace_file(file, w->arena, s->retrace);
    if (rc)
        return err_say(e, rc, rc == RC_LIMIT ? "its evidence is too long" : "out of memory");
    hs_shared_t *kept = s->has_checkpoint ? NULL : hs_shared_new(200, NULL, *file, k->flags);
    if (kept)
        said_put_file(k->said, &s->grounds.id, kept, file->n);
    hs_shared_unref(kept);
    return RC_OK;
}
