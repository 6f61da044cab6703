#include "node/tpod/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os/clock.h"
#include "overlay/tpod/check.h"
#include "overlay/tpod/text.h"

#define FDS_MAX (TPOD_KEYS_MAX + TPOD_SECRETS_MAX)
#define FIRST_FD 3
#define FREE_FD 64 /* above all that the program is given: no dup2 takes another's place */
#define INPUT_MAX ((size_t)8 << 20)

/* What the program is given beside its input. */
typedef struct {
    int fds[FDS_MAX], input, output[2];
    size_t n;
    rc_t rc;
} given_t;

/* ---- what it is given ---- */

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

/* A file in memory with these bytes, which nobody can change; -1: there is none. */
static int sealed(const char *name, view_t bytes)
{
    const int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    const int fd = made < 0 ? -1 : fcntl(made, F_DUPFD_CLOEXEC, FREE_FD);
    size_t at = 0;
    close_fd(made);
    while (fd >= 0 && at < bytes.n) {
        const ssize_t n = write(fd, bytes.p + at, bytes.n - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (fd >= 0 && (at < bytes.n || fcntl(fd, F_ADD_SEALS, seals) || lseek(fd, 0, SEEK_SET))) {
        close_fd(fd);
        return -1;
    }
    return fd;
}

/* In the place of a key, or of a secret that stands in the request; a CID is none. */
static void hide(void *ctx, jw_t *w, const char *key, view_t secret)
{
    given_t *g = ctx;
    view_t content = secret;
    if (!strcmp(key, "cid") && tpod_inline(&content, secret) == RC_NEED_DATA) {
        jw_text(w, key, secret);
        return;
    }
    const int fd = g->n < FDS_MAX ? sealed(key, content) : -1;
    if (fd < 0) {
        g->rc = RC_IO;
        return;
    }
    jw_object(w, key);
    jw_u64(w, "fd", FIRST_FD + g->n);
    jw_end(w);
    g->fds[g->n++] = fd;
}

static view_t input_of(given_t *g, arena_t *a, const tpod_provision_request_t *request, const peerid_t *client)
{
    char peer[PEERID_TEXT_MAX + 1];
    tpod_provision_request_t r = *request;
    tpod_pod_t pod = *request->pod;
    tpod_replicas_t replicas = tpod_replicas(&pod);
    jw_t w = jw_of(a, INPUT_MAX);
    pod.replicas = &replicas;
    r.pod = &pod;
    peerid_text(peer, client);
    jw_object(&w, NULL);
    jw_str(&w, "tpod", "provision/1");
    jw_str(&w, "client", peer);
    tpod_put_json(&w, "request", &TPOD_PROVISION_REQUEST, &r, hide, g);
    jw_end(&w);
    return jw_done(&w);
}

static rc_t prepare(given_t *g, err_t *e, arena_t *a, const tpod_provision_request_t *request, const peerid_t *client)
{
    const view_t input = input_of(g, a, request, client);
    if (g->rc)
        return err_say(e, RC_IO, "no file in memory for a key");
    if (!input.p)
        return err_say(e, RC_LIMIT, "the request does not fit into the program's input");
    g->input = sealed("request", input);
    if (g->input < 0 || pipe2(g->output, O_CLOEXEC))
        return err_say(e, RC_IO, "no descriptor is free");
    return RC_OK;
}

/* ---- the process ---- */

#define LOOK_MS 200u /* between looks at whether it is to end */

/* Until when it may run. */
typedef struct {
    const hook_limits_t *limits;
    uint64_t until_ms;
} time_left_t;

/* RC_TIMEOUT: it is to end; e says why. */
static rc_t check_time(err_t *e, const time_left_t *t)
{
    const hook_limits_t *l = t->limits;
    if (l->stops && l->stops(l->ctx))
        return err_say(e, RC_TIMEOUT, "the provider's program was ended: the provider stops");
    return clock_monotonic_ms() < t->until_ms ? RC_OK : err_say(e, RC_TIMEOUT, "the provider's program took too long");
}

static int add_files(posix_spawn_file_actions_t *actions, const given_t *g)
{
    int bad = posix_spawn_file_actions_adddup2(actions, g->input, 0);
    if (!bad)
        bad = posix_spawn_file_actions_adddup2(actions, g->output[1], 1);
    for (size_t i = 0; !bad && i < g->n; i++)
        bad = posix_spawn_file_actions_adddup2(actions, g->fds[i], FIRST_FD + (int)i);
    return bad ? bad : posix_spawn_file_actions_addclosefrom_np(actions, FIRST_FD + (int)g->n);
}

/* A group of its own, so that it ends with all that it started; no signal is blocked or ignored. */
static int set_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    const int flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    return posix_spawnattr_setflags(attributes, (short)flags) || posix_spawnattr_setsigmask(attributes, &none) ||
           posix_spawnattr_setsigdefault(attributes, &all);
}

static int start(pid_t *pid, const char *const *argv, const given_t *g)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *const environment[] = { path, NULL };
    char *words[HOOK_WORDS_MAX + 1] = { NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    for (size_t i = 0; i < HOOK_WORDS_MAX && argv[i]; i++)
        words[i] = (char *)(uintptr_t)argv[i]; /* not written to */
    if (posix_spawn_file_actions_init(&actions))
        return ENOMEM;
    if (posix_spawnattr_init(&attributes)) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int bad = add_files(&actions, g);
    if (!bad)
        bad = set_signals(&attributes);
    if (!bad)
        bad = posix_spawn(pid, words[0], &actions, &attributes, words, environment);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return bad;
}

/* All that it prints, until it closes its output. */
static rc_t read_output(view_t *out, err_t *e, arena_t *a, int fd, const time_left_t *t)
{
    uint8_t *bytes = arena_alloc(a, HOOK_ANSWER_MAX + 1);
    size_t n = 0;
    if (!bytes)
        return err_say(e, RC_NOMEM, "out of memory");
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        const rc_t rc = check_time(e, t);
        if (rc)
            return rc;
        if (poll(&p, 1, LOOK_MS) <= 0)
            continue;
        const ssize_t got = read(fd, bytes + n, HOOK_ANSWER_MAX + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_say(e, RC_IO, "the program's output cannot be read");
        n += (size_t)got;
        if (n > HOOK_ANSWER_MAX)
            return err_say(e, RC_LIMIT, "the provider's program says too much");
        if (!got)
            break;
    }
    *out = view_of(bytes, n);
    return RC_OK;
}

/* Waits for its end; what it left behind is ended too. */
static rc_t wait_for(err_t *e, pid_t pid, const time_left_t *t, rc_t so_far)
{
    int status = 0;
    pid_t ended = 0;
    while (!so_far && (ended = waitpid(pid, &status, WNOHANG)) == 0 && !(so_far = check_time(e, t)))
        (void)poll(NULL, 0, 10);
    (void)kill(-pid, SIGKILL);
    while (ended != pid && (ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
        ;
    if (so_far)
        return so_far;
    if (WIFEXITED(status) && !WEXITSTATUS(status))
        return RC_OK;
    if (WIFEXITED(status))
        return err_set(e, RC_IO, "the provider's program ended with status %d", WEXITSTATUS(status));
    return err_say(e, RC_IO, "the provider's program was ended");
}

/* ---- its answer ---- */

static rc_t read_answer(tpod_provision_response_t *out, err_t *e, arena_t *a, view_t text)
{
    tpod_provision_response_t r;
    jo_doc_t doc;
    const jo_t o = jo_open(&doc, e, text, HOOK_ANSWER_MAX, JO_STRICT);
    tpod_get_json(&r, a, &TPOD_PROVISION_RESPONSE, &o);
    const rc_t rc = jo_done(&o);
    jo_close(&doc);
    if (!rc)
        *out = r;
    return err_before(e, rc, "the answer of the provider's program: ");
}

static rc_t run(view_t *text, err_t *e, arena_t *a, const char *const *argv, given_t *g, const time_left_t *t)
{
    pid_t pid;
    const int bad = start(&pid, argv, g);
    if (bad)
        return err_set(e, RC_IO, "%s: %s", argv[0], strerror(bad));
    close_fd(g->output[1]);
    g->output[1] = -1;
    return wait_for(e, pid, t, read_output(text, e, a, g->output[0], t));
}

rc_t hook_run(tpod_provision_response_t *out, err_t *e, arena_t *a, const char *const *argv,
              const tpod_provision_request_t *request, const peerid_t *client, const hook_limits_t *limits)
{
    given_t g = { .input = -1, .output = { -1, -1 } };
    view_t text;
    rc_t rc = prepare(&g, e, a, request, client);
    if (!rc)
        rc = run(&text, e, a, argv, &g, &(time_left_t){ limits, clock_monotonic_ms() + limits->time_max_ms });
    for (size_t i = 0; i < g.n; i++)
        close_fd(g.fds[i]);
    close_fd(g.input);
    close_fd(g.output[0]);
    close_fd(g.output[1]);
    return rc ? rc : read_answer(out, e, a, text);
}
