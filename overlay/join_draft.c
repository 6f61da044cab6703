/* join_draft.c - drafts of a new generation: from a maker whom the order names to each member that the draft lists. */
#include <stdlib.h>

#include "base/crypto/secret.h"
#include "overlay/join_parts.h"

/* ---- ours ---- */

void draft_due(session_t *s, const key_name_t *name, view_t entry)
{
    draft_t *d = entry.n <= ENTRY_MAX ? malloc(sizeof *d) : NULL;
    if (!d)
        return; /* it gets the draft on the next connection */
    d->name = *name;
    d->n = entry.n;
    memcpy(d->entry, entry.p, entry.n);
    free(s->draft);
    s->draft = d;
    draft_try(s);
}

void draft_try(session_t *s)
{
    if (!s->draft || s->busy || s->drafting || !session_is_peer(s) || !s->state.has_ephemeral)
        return;
    job_t *job = job_new(s, JOB_RELEASE);
    if (!job)
        return;
    job->draft = true;
    job->name = s->draft->name;
    s->drafting = true;
    job_post(job);
}

/* Seals and sends a draft that was granted. */
static rc_t give(session_t *s, const job_t *job)
{
    key_grant_t grant = job->grant;
    entry_signed_t entry;
    keyshare_t *m = calloc(1, sizeof *m);
    net_stream_t *stream;
    err_t e;
    rc_t rc = m ? entry_read(&entry, &e, view_of(s->draft->entry, s->draft->n)) : RC_NOMEM;
    if (!rc) {
        memcpy(m->id, entry.g.b, sizeof m->id);
        m->draft = true;
        m->entry = view_of(s->draft->entry, s->draft->n);
        rc = key_seal(s, m, &grant, s->state.ephemeral);
    }
    if (!rc)
        rc = net_open(s->conn, &stream, &s->join->protocols[JOIN_KEYSHARE], &s->gave);
    if (!rc) {
        s->gave.stream = stream;
        rc = key_write(stream, m);
        if (rc)
            lane_reset(&s->gave);
    }
    free(m);
    return rc;
}

void draft_released(session_t *s, const job_t *job)
{
    const join_config_t *c = &s->join->config;
    bool changed = false;
    rc_t rc = RC_OK;
    s->drafting = false;
    if (job->rc && job->e.code != E_KEY_RELEASE && job->e.code != E_EXPIRED) {
        session_refuse(s, NET_BYE_POLICY, &job->e);
        return;
    }
    if (!s->draft || key_name_cmp(&s->draft->name, &job->name) != 0) {
        if (!job->rc)
            mattest_unreleased(s->m, &job->name, true);
        return; /* there is another one by now */
    }
    changed = job->policy != c->policy || !session_is_peer(s) || !s->state.has_ephemeral; /* while it was judged */
    if (!job->rc)
        rc = changed ? RC_REFUSED : give(s, job);
    if (!job->rc && !rc && c->released) {
        join_member_t to;
        session_member(s, &to);
        c->released(c->ctx, &to, &job->name);
    }
    if (!job->rc && rc)
        mattest_unreleased(s->m, &job->name, true);           /* draft_try gives it once it can */
    if (job->rc || (!changed && (!rc || rc == RC_REFUSED))) { /* its key is not held any more */
        free(s->draft);
        s->draft = NULL;
    }
    if (job->rc || rc)
        session_trouble(s, job->rc ? job->rc : rc, "the draft of a new key could not be given to this peer");
}

/* ---- the peer's ---- */

void draft_fill(session_t *s, state_t *out)
{
    const join_t *j = s->join;
    uint8_t random[X25519_LEN];
    if (!j->order.order.maker_count)
        return; /* nobody makes a key under this order */
    if (!s->draft_key) {
        j->config.random(j->config.ctx, random, sizeof random);
        const rc_t rc = key_ephemeral_new(&s->draft_key, random);
        secret_wipe(random, sizeof random);
        if (rc)
            return; /* the next state has one */
    }
    out->has_ephemeral = true;
    memcpy(out->ephemeral, key_ephemeral_pubkey(s->draft_key), sizeof out->ephemeral);
}

static rc_t take(session_t *s, box_texts_t *texts, err_t *e, const keyshare_t *m)
{
    entry_signed_t entry;
    key_box_t box;
    rc_t rc = entry_read(&entry, e, m->entry);
    if (!rc && memcmp(m->id, entry.g.b, sizeof m->id) != 0)
        rc = err_say(e, RC_REFUSED, "a draft whose id is not its entry's");
    if (!rc && !s->draft_key)
        rc = err_say(e, RC_REFUSED, "a draft, and no key was named for it");
    if (rc)
        return rc;
    rc = key_box(&box, s, texts, s->draft_key, m);
    rc = rc ? err_say(e, rc, "a draft that is too long")
            : gen_draft(s->join->gen, e, s->static_key, m->entry, m->sealed, &box);
    if (!rc) { /* it is for one draft: our next state names another */
        key_ephemeral_free(s->draft_key);
        s->draft_key = NULL;
    }
    return rc;
}

void draft_take(session_t *s, const keyshare_t *m)
{
    box_texts_t *texts = malloc(sizeof *texts);
    err_t e;
    const rc_t rc = texts ? take(s, texts, &e, m) : err_say(&e, RC_NOMEM, "out of memory");
    free(texts);
    if (rc && rc != RC_REPLAY)
        session_trouble(s, rc, e.text);
    spread_pump(s->join);
}
