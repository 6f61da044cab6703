#include "tee/provider/open.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/crypto/secret.h"
#include "tee/provider/configfs.h"
#include "tee/provider/dstack.h"

#define PATH_LEN_MAX 512u

static const struct {
    const char *path;
    dstack_api_t api;
} sockets[] = { { "/var/run/dstack.sock", DSTACK_AGENT }, { "/var/run/tappd.sock", DSTACK_TAPPD } };

static bool is_socket(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISSOCK(s.st_mode);
}

static rc_t open_socket(tee_provider_t *out, const tee_open_t *o, const char *path, dstack_api_t api, char *said,
                        size_t cap)
{
    rc_t rc = dstack_open(out, path, api, o->timeout_ms);
    snprintf(said, cap, rc ? "out of memory" : "%s at %s",
             api == DSTACK_TAPPD ? "dstack's older agent" : "dstack's guest agent", path);
    return rc;
}

/* The socket that is given, which must be there, or the first of the well-known ones. RC_UNSUPPORTED: none. */
static rc_t open_dstack(tee_provider_t *out, const tee_open_t *o, char *said, size_t cap)
{
    char path[PATH_LEN_MAX];
    if (o->socket && o->socket[0]) {
        size_t n = strlen(o->socket), tail = strlen("tappd.sock");
        bool tappd = n >= tail && !strcmp(o->socket + n - tail, "tappd.sock");
        if (is_socket(o->socket))
            return open_socket(out, o, o->socket, tappd ? DSTACK_TAPPD : DSTACK_AGENT, said, cap);
        snprintf(said, cap, "%s is not a Unix socket", o->socket);
        return RC_UNSUPPORTED;
    }
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
        snprintf(path, sizeof path, "%s%s", o->root ? o->root : "", sockets[i].path);
        if (is_socket(path))
            return open_socket(out, o, path, sockets[i].api, said, cap);
    }
    snprintf(said, cap, "neither %s nor %s is there", sockets[0].path, sockets[1].path);
    return RC_UNSUPPORTED;
}

static rc_t open_tdx(tee_provider_t *out, const tee_open_t *o, char *said, size_t cap)
{
    char dir[PATH_LEN_MAX];
    err_t e;
    snprintf(dir, sizeof dir, "%s" CONFIGFS_TSM_DIR, o->root ? o->root : "");
    rc_t rc = configfs_open(out, &e, dir, NULL);
    if (rc)
        snprintf(said, cap, "%s", e.text);
    else
        snprintf(said, cap, "the kernel's configfs-tsm at %.150s", dir);
    return rc;
}

static rc_t open_auto(tee_provider_t *out, const tee_open_t *o, char *said, size_t cap)
{
    char first[200], second[200];
    rc_t rc = open_dstack(out, o, first, sizeof first);
    if (!rc || rc != RC_UNSUPPORTED || (o->socket && o->socket[0])) {
        snprintf(said, cap, "%s", first);
        return rc;
    }
    rc = open_tdx(out, o, second, sizeof second);
    if (rc)
        snprintf(said, cap, "no TEE found (%s; %s); the simulator must be asked for by name", first, second);
    else
        snprintf(said, cap, "%s", second);
    return rc;
}

static rc_t open_simulator(tee_provider_t *out, const tee_open_t *o, char *said, size_t cap)
{
    uint8_t seed[32];
    err_t e;
    (void)o;
    secret_random(seed, sizeof seed);
    rc_t rc = tee_simulator_open(out, &e, seed);
    secret_wipe(seed, sizeof seed);
    snprintf(said, cap, "%s", rc ? e.text : "SIMULATED: its quotes prove nothing; for development only");
    return rc;
}

rc_t tee_open(tee_provider_t *out, const tee_open_t *o, char *said, size_t cap)
{
    static const struct {
        const char *which;
        rc_t (*open)(tee_provider_t *out, const tee_open_t *o, char *said, size_t cap);
    } rows[] = {
        { "auto", open_auto }, { "dstack", open_dstack }, { "tdx", open_tdx }, { "simulator", open_simulator }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(o->which, rows[i].which))
            return rows[i].open(out, o, said, cap);
    snprintf(said, cap, "\"%s\" is not the name of a TEE provider", o->which);
    return RC_MALFORMED;
}

bool tee_is(const tee_provider_t *p, const char *which)
{
    static const struct {
        const char *name, *which;
    } rows[] = {
        { "dstack", "dstack" }, { "tappd", "dstack" }, { "configfs-tsm", "tdx" }, { "simulator", "simulator" }
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (!strcmp(p->name, rows[i].name))
            return !strcmp(which, "auto") || !strcmp(which, rows[i].which);
    return false;
}
