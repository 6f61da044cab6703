/* releases.c - the log of key releases: our entries go to all, those of the others are kept. File "releases" of the
 * state directory: entries, one after the other; verified when read, and then of nobody whom we attested. */
#include <stdlib.h>

#include "base/os/file.h"
#include "base/os/log.h"
#include "base/os/persist.h"
#include "node/cluster/parts.h"
#include "overlay/releases.h"

#define WRITE_MS 5000u                        /* between two writes of the file */
#define TELL_MS (FLOOD_KEEP_MS / 10 * 9)      /* ours are told anew before what goes to all is forgotten */
#define FILE_MAX (RELEASES_MAX * RELEASE_LEN) /* bytes */

static const char FILE_NAME[] = "releases";

/* ---- the file ---- */

static void read_file(cluster_t *c)
{
    view_t kept = { NULL, 0 };
    bool found = false;
    err_t e;
    if (!c->with.state_dir)
        return;
    rc_t rc = persist_read(&kept, &found, &e, c->with.state_dir, FILE_NAME, FILE_MAX);
    if (!rc && found && kept.n)
        rc = releases_take(c->releases, &e, NULL, kept, false);
    if (rc)
        log_write(LOG_WARN, "state", "the kept log of releases is not used: %s%s%s", e.field, e.field[0] ? ": " : "",
                  e.text);
    file_free(kept);
    c->releases_kept = releases_arrived(c->releases);
}

static void write_file(cluster_t *c, uint64_t now_ms)
{
    err_t e;
    const uint64_t arrived = releases_arrived(c->releases);
    if (!c->with.state_dir || arrived == c->releases_kept || now_ms < c->releases_write_ms)
        return;
    uint8_t *buf = malloc(FILE_MAX);
    wr_t w = wr_of(buf, buf ? FILE_MAX : 0);
    releases_write(&w, c->releases);
    const rc_t rc =
        w.bad ? err_say(&e, RC_NOMEM, "out of memory") : persist_write(&e, c->with.state_dir, FILE_NAME, wr_view(&w));
    if (persist_tell(&c->releases_told, "state", "releases are not kept: ", rc, &e))
        c->releases_kept = arrived;
    c->releases_write_ms = now_ms + WRITE_MS;
    free(buf);
}

/* ---- ours, and what others say ---- */

static rc_t sign(void *ctx, uint8_t out[64], const hash32_t *digest)
{
    return keyring_sign(ctx, out, NULL, digest);
}

rc_t given_open(cluster_t *c)
{
    releases_config_t config = { .sign = sign, .sign_ctx = (void *)(uintptr_t)c->with.node_key, .ecdsa = c->ecdsa };
    memcpy(config.self, c->with.node_pubkey, sizeof config.self);
    const rc_t rc = releases_new(&c->releases, &config);
    if (!rc)
        read_file(c);
    return rc;
}

/* Tells all the newest of ours. */
static void tell(cluster_t *c, uint64_t newest)
{
    const size_t max = RELEASES_TOLD_MAX * RELEASE_LEN;
    uint8_t *buf = malloc(max);
    wr_t w = wr_of(buf, buf ? max : 0);
    err_t e;
    releases_write_own(&w, c->releases, newest);
    if (!w.bad && w.n && join_publish(c->join, &e, FLOOD_RELEASE, wr_view(&w)))
        log_write(LOG_DEBUG, "cluster", "the log of releases is told later: %s", e.text);
    free(buf);
}

void given_key(cluster_t *c, const join_member_t *to, const key_name_t *name)
{
    const entry_proof_t *newest = join_newest(c->join);
    release_t r = { .name = *name,
                    .is_draft = !newest || key_name_cmp(&newest->entry.entry.name, name) != 0,
                    .platform = to->platform,
                    .measurement = to->measurement,
                    .order_version = join_order(c->join)->id.version };
    err_t e;
    memcpy(r.receiver, to->static_key, sizeof r.receiver);
    pthread_mutex_lock(&c->lock);
    r.slot = c->head;
    pthread_mutex_unlock(&c->lock);
    if (releases_add(c->releases, &e, &r))
        log_write(LOG_ERROR, "cluster", "a release is not in the log: %s", e.text);
    else
        tell(c, 1);
}

static bool is_attested(cluster_t *c, const uint8_t key[33])
{
    const size_t n = join_members(c->join, c->seen, CLUSTER_MEMBERS_MAX);
    for (size_t i = 0; i < n; i++)
        if (c->seen[i].static_key && memcmp(c->seen[i].static_key, key, 33) == 0)
            return true;
    return false;
}

void given_heard(cluster_t *c, const flood_message_t *m)
{
    err_t e;
    if (memcmp(m->author, c->with.node_pubkey, sizeof m->author) == 0)
        return;
    if (releases_take(c->releases, &e, m->author, m->payload, is_attested(c, m->author)))
        log_write(LOG_DEBUG, "cluster", "an entry of the log of releases is not taken: %s", e.text);
}

void given_turn(cluster_t *c, uint64_t now_ms)
{
    if (now_ms >= c->releases_tell_ms) {
        c->releases_tell_ms = now_ms + TELL_MS;
        tell(c, RELEASES_TOLD_MAX);
    }
    write_file(c, now_ms);
}

/* ---- GET /v1/keys/releases ---- */

static void put_release(jw_t *w, const releases_t *l, size_t i)
{
    const release_signed_t *s = releases_at(l, i);
    const release_t *r = &s->release;
    uint8_t buf[RELEASE_LEN];
    wr_t bytes = wr_of(buf, sizeof buf);
    release_write(&bytes, s);
    jw_object(w, NULL);
    jw_hex(w, "giver", view_of(r->giver, sizeof r->giver));
    jw_u64(w, "number", r->number);
    jw_u64(w, "slot", r->slot);
    jw_object(w, "generation");
    jw_u64(w, "version", r->name.version);
    jw_u64(w, "index", r->name.index);
    jw_hex(w, "order", view_of(r->name.order.b, 32));
    jw_end(w);
    jw_bool(w, "draft", r->is_draft);
    jw_hex(w, "receiver", view_of(r->receiver, sizeof r->receiver));
    jw_hex(w, "platform", view_of(r->platform.b, 32));
    jw_hex(w, "measurement", view_of(r->measurement.b, 32));
    jw_u64(w, "order_version", r->order_version);
    jw_bool(w, "contradicted", releases_contradicted(l, i));
    jw_hex(w, "entry", wr_view(&bytes));
    jw_end(w);
}

static rc_t put_releases(cluster_t *c, err_t *e, const void *arg)
{
    jw_t *w = (jw_t *)(uintptr_t)arg;
    (void)e;
    jw_object(w, NULL);
    jw_u64(w, "dropped", releases_dropped(c->releases));
    jw_array(w, "releases");
    for (size_t i = 0; i < releases_count(c->releases); i++)
        put_release(w, c->releases, i);
    jw_end(w);
    jw_end(w);
    return RC_OK;
}

rc_t cluster_releases(cluster_t *c, err_t *e, jw_t *w)
{
    return call_on_loop(c, e, put_releases, w);
}
