#include "tee/provider/open.h"

#include <stdio.h>
#include <unistd.h>

#include "base/crypto/hash.h"
#include "base/crypto/secret.h"
#include "tee/provider/configfs.h"
#include "tee/provider/dstack.h"
#if TEE_SIMULATOR
#include "tee/sim/sim.h"
#endif

#define PATH_LEN_MAX 512u

/* root: where it is looked for when it is no longer there; NULL: it is not. */
static rc_t open_agent(tee_provider_t *out, err_t *e, const tee_open_t *o, const char *at, dstack_api_t api,
                       const char *root)
{
    const char *agent = dstack_is_url(at)     ? "a simulator of dstack's guest agent"
                        : api == DSTACK_TAPPD ? "dstack's older agent"
                                              : "dstack's guest agent";
    const char *later = dstack_is_url(at) || dstack_is_socket(at) ? "" : ", which is not there yet: waited for";
    rc_t rc = dstack_open(out, at, api, root, o->timeout_ms);
    if (rc)
        return err_say(e, rc, "out of memory");
    snprintf(out->where, sizeof out->where, "%s at %.100s%s", agent, at, later);
    return RC_OK;
}

/* The socket or URL that is given, or the first of the well-known sockets. An agent that was asked for may come later
 * than this program. RC_UNSUPPORTED: it was not, and none is there; or it cannot be one. */
static rc_t open_dstack(tee_provider_t *out, err_t *e, const tee_open_t *o)
{
    char path[DSTACK_PATH_MAX];
    const char *root = o->root ? o->root : "";
    dstack_api_t api;
    size_t from = 0;
    if (o->socket && o->socket[0]) {
        size_t n = strlen(o->socket), tail = strlen("tappd.sock");
        bool tappd = n >= tail && !strcmp(o->socket + n - tail, "tappd.sock");
        if (!dstack_is_url(o->socket) && !dstack_is_socket(o->socket) && access(o->socket, F_OK) == 0)
            return err_set(e, RC_UNSUPPORTED, "%s is not a Unix socket", o->socket);
        return open_agent(out, e, o, o->socket, tappd ? DSTACK_TAPPD : DSTACK_AGENT, NULL);
    }
    if (dstack_find(path, &api, &from, root))
        return open_agent(out, e, o, path, api, root);
    if (strcmp(o->which, "auto") != 0) {
        snprintf(path, sizeof path, "%s" DSTACK_FIRST_PLACE, root);
        return open_agent(out, e, o, path, DSTACK_AGENT, root);
    }
    return err_say(e, RC_UNSUPPORTED,
                   "none of dstack's sockets is there: /var/run/dstack.sock, /var/run/tappd.sock and so on");
}

static rc_t open_tdx(tee_provider_t *out, err_t *e, const tee_open_t *o)
{
    char dir[PATH_LEN_MAX];
    snprintf(dir, sizeof dir, "%s" CONFIGFS_TSM_DIR, o->root ? o->root : "");
    rc_t rc = configfs_open(out, e, dir, NULL);
    if (!rc)
        snprintf(out->where, sizeof out->where, "the kernel's configfs-tsm at %.150s", dir);
    return rc;
}

#if TEE_SIMULATOR
static rc_t open_simulator(tee_provider_t *out, err_t *e, const tee_open_t *o)
{
    hash32_t seed;
    if (o->seed)
        sha256(&seed, view_str(o->seed));
    else
        secret_random(seed.b, sizeof seed.b);
    rc_t rc =
        o->image ? tee_simulator_open_image(out, e, seed.b, view_str(o->image)) : tee_simulator_open(out, e, seed.b);
    secret_wipe(&seed, sizeof seed);
    if (!rc && !o->seed)
        out->seal_key = NULL; /* another one next time */
    if (!rc)
        snprintf(out->where, sizeof out->where, "SIMULATED: its quotes prove nothing; for development only");
    return rc;
}
#else
static rc_t open_simulator(tee_provider_t *out, err_t *e, const tee_open_t *o)
{
    (void)out, (void)o;
    return err_say(e, RC_UNSUPPORTED, "this build has no simulated TEE (meson option simulator)");
}
#endif

static rc_t open_auto(tee_provider_t *out, err_t *e, const tee_open_t *o)
{
    err_t first, second;
    rc_t rc = open_dstack(out, &first, o);
    if (rc && (rc != RC_UNSUPPORTED || (o->socket && o->socket[0])))
        return err_say(e, rc, first.text);
    if (rc)
        rc = open_tdx(out, &second, o);
    return rc ? err_set(e, rc, "no TEE found (%.90s; %.90s); the simulator must be asked for by name: --tee simulator",
                        first.text, second.text)
              : RC_OK;
}

rc_t tee_open(tee_provider_t *out, err_t *e, const tee_open_t *o)
{
    static const struct {
        const char *word;
        rc_t (*open)(tee_provider_t *out, err_t *e, const tee_open_t *o);
    } rows[] = {
#define TEE_KIND(word, type, byte, name, open) { word, open },
#include "tee/kinds.def"
#undef TEE_KIND
        { "auto", open_auto },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(o->which, rows[i].word))
            return rows[i].open(out, e, o);
    return err_set(e, RC_MALFORMED, "\"%s\" is not the name of a TEE provider", o->which);
}
