/* What a process gives up: dumps, privileges, system calls, files. Each is tried in a child. What this machine cannot
 * show is skipped, with the reason. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os/harden.h"
#include "tests/unit/unit.h"

#define SKIPPED 77

/* Sanitizers make mlock do nothing, and run and trace programs themselves. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#else
#define INSTRUMENTED 0
#endif

/* How a child that does this ends; -1: there was none. Also outside of tests. */
static int in_child(int (*body)(const void *ctx), const void *ctx)
{
    int status = 0;
    const pid_t child = fork();
    if (!child)
        _exit(body(ctx));
    return child > 0 && waitpid(child, &status, 0) == child ? status : -1;
}

static bool ended(int status, int with)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == with;
}

/* ---- dumps and privileges ---- */

static int crash(const void *ctx)
{
    const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
    struct rlimit r = { 1, 1 };
    (void)ctx;
    (void)setrlimit(RLIMIT_CORE, &all);
    if (harden_process(NULL) || getrlimit(RLIMIT_CORE, &r) || r.rlim_cur || r.rlim_max)
        return 1;
    signal(SIGABRT, SIG_DFL);
    abort();
}

START_TEST(a_process_that_crashes_leaves_no_core)
{
    const int status = in_child(crash, NULL);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ck_assert(!WCOREDUMP(status));
}
END_TEST

static int look_at_privileges(const void *ctx)
{
    (void)ctx;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) || harden_process(NULL))
        return 1;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 2;
}

START_TEST(a_process_gets_no_new_privileges_and_is_nobodys_to_trace)
{
    ck_assert(ended(in_child(look_at_privileges, NULL), 0));
}
END_TEST

/* ---- memory ---- */

static int lock_too_much(const void *ctx)
{
    const struct rlimit none = { 0, 0 };
    err_t e;
    (void)ctx;
    if (INSTRUMENTED || setrlimit(RLIMIT_MEMLOCK, &none) || (geteuid() == 0 && setuid(65534)))
        return SKIPPED;
    return harden_can_lock(&e, 4096) == RC_IO && strstr(e.text, "RLIMIT_MEMLOCK is 0") ? 0 : 1;
}

START_TEST(memory_that_cannot_be_locked_is_told)
{
    ck_assert(ended(in_child(lock_too_much, NULL), 0));
    ck_assert_int_eq(harden_can_lock(NULL, 4096), RC_OK);
}
END_TEST

/* ---- system calls ---- */

typedef struct {
    long number;
    long first; /* argument; the others are zero, so that the kernel would refuse it */
} forbidden_t;

static int make_call(const void *ctx)
{
    const forbidden_t *f = ctx;
    if (harden_process(NULL) || harden_calls(NULL))
        return SKIPPED;
    (void)syscall(f->number, f->first, 0, 0, 0, 0);
    return 1;
}

static void *in_thread(void *ctx)
{
    return ctx;
}

/* What a node does all the time. */
static int live_on(const void *ctx)
{
    pthread_t thread;
    void *got = NULL;
    char word[8] = "";
    int mine = 7, pair[2];
    (void)ctx;
    if (harden_process(NULL) || harden_calls(NULL))
        return SKIPPED;
    if (pthread_create(&thread, NULL, in_thread, &mine) || pthread_join(thread, &got) || got != &mine)
        return 1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || write(pair[0], "word", 4) != 4 || read(pair[1], word, 4) != 4)
        return 2;
    const int file = open("/dev/null", O_WRONLY | O_CLOEXEC);
    free(malloc((size_t)8 << 20));
    return file < 0 || socket(AF_INET, SOCK_DGRAM, 0) < 0 ? 3 : 0;
}

START_TEST(a_call_that_a_node_never_needs_kills_it)
{
    static const forbidden_t rows[] = {
        { SYS_mount, 0 },
        { SYS_umount2, 0 },
        { SYS_pivot_root, 0 },
        { SYS_chroot, 0 },
        { SYS_setns, -1 },
        { SYS_unshare, 0 },
        { SYS_open_by_handle_at, -1 },
        { SYS_kexec_load, 0 },
        { SYS_init_module, 0 },
        { SYS_finit_module, -1 },
        { SYS_delete_module, 0 },
        { SYS_reboot, 0 },
        { SYS_bpf, -1 },
        { SYS_perf_event_open, 0 },
        { SYS_userfaultfd, -1 },
        { SYS_keyctl, -1 },
        { SYS_add_key, 0 },
        { SYS_process_vm_readv, -1 },
        { SYS_process_vm_writev, -1 },
        { SYS_swapon, 0 },
        { SYS_settimeofday, 0 },
        { SYS_personality, 0xffffffff },
        { SYS_iopl, 0 },
        { SYS_clone, CLONE_NEWUSER },
        { SYS_clone, CLONE_NEWNS | CLONE_NEWPID },
#if !INSTRUMENTED
        { SYS_execve, 0 },
        { SYS_execveat, -1 },
        { SYS_ptrace, -1 },
#endif
    };
    const int alive = in_child(live_on, NULL);
    ck_assert_msg(ended(alive, 0), "status %x", (unsigned)alive);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int status = in_child(make_call, &rows[i]);
        ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "call %ld: status %x", rows[i].number,
                      (unsigned)status);
    }
}
END_TEST

/* ---- files ---- */

/* Makes a file of one byte. */
static bool can_make(const char *folder, const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written = fd >= 0 && write(fd, "x", 1) == 1;
    if (fd >= 0)
        close(fd);
    return written;
}

static bool can_read(const char *path)
{
    char c;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool got = fd >= 0 && read(fd, &c, 1) == 1;
    if (fd >= 0)
        close(fd);
    return got;
}

/* Makes a socket with a name, and removes it. */
static bool can_listen(const char *folder)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%.80s/harden-%d", folder, (int)getpid());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool made = fd >= 0 && bind(fd, (const struct sockaddr *)(const void *)&at, sizeof at) == 0;
    if (fd >= 0)
        close(fd);
    return made && unlink(at.sun_path) == 0;
}

/* ctx: a folder with the file `old`; the state goes below it. */
static int use_files(const void *ctx)
{
    char state[100], from[120], to[120], old[120];
    snprintf(state, sizeof state, "%s/state", (const char *)ctx);
    snprintf(old, sizeof old, "%s/old", (const char *)ctx);
    if (harden_process(NULL) || harden_files(NULL, state))
        return SKIPPED;
    snprintf(from, sizeof from, "%s/a", state);
    snprintf(to, sizeof to, "%s/b", state);
    if (!can_make(state, "a") || rename(from, to) || !can_read(to) || unlink(to))
        return 1;
    if (can_make(ctx, "new") || can_make(ctx, "old") || unlink(old) == 0 || rmdir(state) == 0)
        return 2;
    if (!can_read(old) || !can_make("/dev", "null"))
        return 3;
    if (!can_listen(state) || can_listen(ctx))
        return 5;
    if (access(HARDEN_SOCKETS, W_OK) == 0 && (!can_listen(HARDEN_SOCKETS) || can_make(HARDEN_SOCKETS, "file")))
        return 6;
    char *const none[] = { NULL };
    return execve("/bin/true", none, none) == -1 && errno == EACCES ? 0 : 4;
}

START_TEST(files_are_written_in_the_state_directory_alone_and_none_is_run)
{
    char folder[] = "/tmp/kettle-harden-XXXXXX", path[120];
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert(can_make(folder, "old"));
    const int status = in_child(use_files, folder);
    ck_assert_msg(ended(status, 0), "status %x", (unsigned)status);
    static const char *const made[] = { "state/a", "state", "old", "new" };
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, made[i]);
        (void)remove(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* ---- what this machine can show ---- */

static int set_calls(const void *ctx)
{
    (void)ctx;
    return harden_process(NULL) || harden_calls(NULL) ? SKIPPED : 0;
}

static int set_files(const void *ctx)
{
    (void)ctx;
    return harden_process(NULL) || harden_files(NULL, NULL) ? SKIPPED : 0;
}

static int can_be_without_memory(const void *ctx)
{
    (void)ctx;
    return INSTRUMENTED || (geteuid() == 0 && setuid(65534)) ? SKIPPED : 0;
}

/* Runs a test, or tells why not. Its exit status. */
static int run_if(int (*can)(const void *ctx), const char *why, const TTest *test)
{
    const TTest *const tests[] = { test };
    if (ended(in_child(can, NULL), SKIPPED)) {
        printf("skipped: %s: %s\n", test->name, why);
        return SKIPPED;
    }
    return unit_run("harden", NULL, NULL, tests, 1);
}

int main(void)
{
    int skipped = 0, failed = UNIT_RUN("harden", a_process_that_crashes_leaves_no_core,
                                       a_process_gets_no_new_privileges_and_is_nobodys_to_trace);
    const int ends[] = {
        run_if(can_be_without_memory, "sanitizers lock nothing, or this user cannot become another one",
               memory_that_cannot_be_locked_is_told),
        run_if(set_calls, "this kernel has no filters of system calls", a_call_that_a_node_never_needs_kills_it),
        run_if(set_files, "this kernel has no Landlock",
               files_are_written_in_the_state_directory_alone_and_none_is_run),
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        skipped |= ends[i] == SKIPPED;
        failed |= ends[i] && ends[i] != SKIPPED;
    }
    return failed ? EXIT_FAILURE : skipped ? SKIPPED : EXIT_SUCCESS;
}
