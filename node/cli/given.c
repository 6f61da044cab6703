#include "node/cli/given.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/os/file.h"

#define SETUP_MAX ((size_t)64 << 10)
#define FILE_MAX ((size_t)16 << 10)
#define PATH_LEN_MAX 1024u

const char *const GIVEN_ENVIRONMENT[] = { "DSTACK_SIMULATOR_ENDPOINT",
                                          "STATE_DIRECTORY",
                                          "CREDENTIALS_DIRECTORY",
                                          "KETTLE_NETWORK",
                                          "KETTLE_EXECUTION_RPC",
                                          "KETTLE_EXECUTION_RPC_FILE",
                                          "KETTLE_CONSENSUS_RPC",
                                          "KETTLE_CHECKPOINT",
                                          "KETTLE_PEERS",
                                          "KETTLE_PORT",
                                          "KETTLE_LISTEN",
                                          NULL };

typedef char *env_fn(const char *name);

static const char *either(const char *option, env_fn *env, const char *name)
{
    const char *variable = option ? option : env(name);
    return variable && variable[0] ? variable : NULL;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static view_t trimmed(view_t text)
{
    while (text.n && is_space(text.p[text.n - 1]))
        text.n--;
    while (text.n && is_space(text.p[0]))
        text = view_of(text.p + 1, text.n - 1);
    return text;
}

/* The list that commas make of a text, without the white space around each. */
static void put_list(jw_t *w, const char *key, view_t text)
{
    jw_array(w, key);
    while (text.n) {
        const uint8_t *comma = memchr(text.p, ',', text.n);
        const size_t n = comma ? (size_t)(comma - text.p) : text.n;
        jw_text(w, NULL, trimmed(view_of(text.p, n)));
        text = view_of(text.p + n + (comma != NULL), text.n - n - (comma != NULL));
    }
    jw_end(w);
}

/* The file that has the URLs: said so, or the credential of that name, if it is there. NULL also where the URLs are
 * given: by the option, or by the variable when no option names a file. */
static const char *file_of(char path[PATH_LEN_MAX], const given_t *g, env_fn *env)
{
    if (g->execution_rpc || (!g->execution_rpc_file && either(NULL, env, "KETTLE_EXECUTION_RPC")))
        return NULL;
    const char *said = either(g->execution_rpc_file, env, "KETTLE_EXECUTION_RPC_FILE");
    const char *credentials = env("CREDENTIALS_DIRECTORY");
    if (said || !credentials || snprintf(path, PATH_LEN_MAX, "%s/execution_rpc", credentials) >= (int)PATH_LEN_MAX)
        return said;
    return access(path, F_OK) ? NULL : path;
}

/* A checkpoint that is no text but an object is taken as it is: it has to be one. */
static rc_t check_checkpoint(err_t *e, const char *text)
{
    jo_doc_t doc;
    if (!text || text[0] != '{')
        return RC_OK;
    const jo_t o = jo_open(&doc, e, view_str(text), SETUP_MAX, JO_LENIENT);
    const rc_t rc = jo_rc(&o);
    jo_close(&doc);
    return err_before(e, rc, "checkpoint: ");
}

/* One line of URLs, as a file has them. What is wrong is said of the file, and never with its bytes. */
static rc_t read_secret(view_t *out, err_t *e, const char *file)
{
    const char *why = NULL;
    rc_t rc = err_before(e, file_read(out, e, file, FILE_MAX, FILE_REGULAR), "execution_rpc_file: ");
    if (rc)
        return rc;
    const view_t text = trimmed(*out);
    if (!text.n)
        why = "is empty";
    for (size_t i = 0; i < text.n && !why; i++)
        if (text.p[i] == '\n')
            why = "has more than one line: several URLs are one line, with commas";
        else if ((text.p[i] < ' ' && text.p[i] != '\t') || text.p[i] > '~')
            why = "has a byte that is in no URL (a byte order mark, a NUL, a letter outside ASCII)";
    if (!why)
        return RC_OK;
    file_free(*out);
    *out = view_of(NULL, 0);
    return err_set(e, RC_REFUSED, "execution_rpc_file: %s %s", file, why);
}

static void put_checkpoint(jw_t *w, const char *text)
{
    if (text && text[0] == '{')
        jw_raw(w, "checkpoint", view_str(text));
    else if (text)
        jw_str(w, "checkpoint", text);
}

/* The overlay's port; 0: none is given. */
static rc_t read_port(uint64_t *out, err_t *e, const char *text)
{
    char *end = NULL;
    *out = 0;
    if (!text)
        return RC_OK;
    *out = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || *out < 1 || *out > 65535)
        return err_say(e, RC_MALFORMED, "port: must be between 1 and 65535");
    return RC_OK;
}

/* whole: nothing else is to come, so that peers and port are none and 4001 where they are not given. */
static void put_all(jw_t *w, const given_t *g, uint64_t port, view_t secret, bool whole)
{
    const bool none = !g->peers || !strcmp(g->peers, "none");
    jw_object(w, NULL);
    if (g->peers || whole)
        put_list(w, "peers", none ? view_of(NULL, 0) : view_str(g->peers));
    if (port || whole)
        jw_u64(w, "port", port ? port : 4001);
    if (g->execution_rpc || secret.p)
        put_list(w, "execution_rpc", g->execution_rpc ? view_str(g->execution_rpc) : trimmed(secret));
    if (g->consensus_rpc)
        put_list(w, "consensus_rpc", view_str(g->consensus_rpc));
    if (g->network)
        jw_str(w, "network", g->network);
    put_checkpoint(w, g->checkpoint);
    jw_end(w);
}

static bool is_empty(const given_t *g)
{
    return !g->network && !g->execution_rpc && !g->consensus_rpc && !g->checkpoint && !g->peers && !g->port;
}

rc_t given_setup(view_t *out, err_t *e, const given_t *given, char *(*env)(const char *name), bool alone)
{
    char path[PATH_LEN_MAX];
    view_t secret = { NULL, 0 };
    given_t g = { .network = either(given->network, env, "KETTLE_NETWORK"),
                  .execution_rpc = either(given->execution_rpc, env, "KETTLE_EXECUTION_RPC"),
                  .consensus_rpc = either(given->consensus_rpc, env, "KETTLE_CONSENSUS_RPC"),
                  .checkpoint = either(given->checkpoint, env, "KETTLE_CHECKPOINT"),
                  .peers = either(given->peers, env, "KETTLE_PEERS"),
                  .port = either(given->port, env, "KETTLE_PORT") };
    uint64_t port;
    const char *file = file_of(path, given, env);
    *out = view_of(NULL, 0);
    if (file)
        g.execution_rpc = NULL;
    rc_t rc = check_checkpoint(e, g.checkpoint);
    if (!rc)
        rc = read_port(&port, e, g.port);
    if (!rc && given->execution_rpc && given->execution_rpc_file)
        rc = err_say(e, RC_MALFORMED, "--execution-rpc and --execution-rpc-file are both given");
    if (!rc && file)
        rc = read_secret(&secret, e, file);
    if (rc || (!secret.p && is_empty(&g)))
        return rc;
    jw_t w = jw_of(NULL, SETUP_MAX);
    put_all(&w, &g, port, secret, alone && (g.execution_rpc || secret.p) && (g.checkpoint || g.peers));
    const view_t text = jw_done(&w);
    if (text.p)
        *out = file_dup(text);
    if (!out->p)
        rc = err_say(e, w.rc ? w.rc : RC_NOMEM,
                     "what the command line and the environment give cannot be written as JSON");
    jw_free(&w);
    file_free(secret);
    return rc;
}
