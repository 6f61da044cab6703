#include "base/os/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONFIGFS_TSM "/sys/kernel/config/tsm"

/* Sanitizers run a program that knows the names of addresses, and trace their own threads to find leaks. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif

static rc_t failed(err_t *e, const char *what)
{
    return err_set(e, RC_IO, "%s: %s", what, strerror(errno));
}

rc_t harden_process(err_t *e)
{
    const struct rlimit none = { 0, 0 };
    if (setrlimit(RLIMIT_CORE, &none))
        return failed(e, "RLIMIT_CORE");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
        return failed(e, "PR_SET_DUMPABLE");
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? failed(e, "PR_SET_NO_NEW_PRIVS") : RC_OK;
}

rc_t harden_can_lock(err_t *e, size_t n)
{
    struct rlimit r = { 0, 0 };
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return err_say(e, RC_NOMEM, "out of memory");
    const int refused = mlock(p, n) ? errno : 0;
    munmap(p, n);
    if (!refused)
        return RC_OK;
    (void)getrlimit(RLIMIT_MEMLOCK, &r);
    return err_set(e, RC_IO, "memory cannot be locked, so that keys could be swapped out: %s (RLIMIT_MEMLOCK is %llu)",
                   strerror(refused), (unsigned long long)r.rlim_cur);
}

/* ---- system calls ---- */

/* File systems; other namespaces and handles of files; the kernel, its modules and keys; other processes; the clock;
 * what others rely on; what is never used. Those that the library does not know are passed over. */
static const char *const FORBIDDEN[] = { "mount",
                                         "umount2",
                                         "pivot_root",
                                         "chroot",
                                         "open_tree",
                                         "move_mount",
                                         "fsopen",
                                         "fsconfig",
                                         "fsmount",
                                         "fspick",
                                         "mount_setattr",
                                         "swapon",
                                         "swapoff",
                                         "quotactl",
                                         "quotactl_fd",
                                         "acct",
                                         "setns",
                                         "unshare",
                                         "name_to_handle_at",
                                         "open_by_handle_at",
                                         "kexec_load",
                                         "kexec_file_load",
                                         "init_module",
                                         "finit_module",
                                         "delete_module",
                                         "reboot",
                                         "bpf",
                                         "perf_event_open",
                                         "userfaultfd",
                                         "lookup_dcookie",
                                         "syslog",
                                         "iopl",
                                         "ioperm",
                                         "modify_ldt",
                                         "vhangup",
                                         "add_key",
                                         "request_key",
                                         "keyctl",
                                         "process_vm_readv",
                                         "process_vm_writev",
                                         "pidfd_getfd",
                                         "kcmp",
                                         "process_madvise",
                                         "settimeofday",
                                         "clock_settime",
                                         "clock_adjtime",
                                         "adjtimex",
                                         "sethostname",
                                         "setdomainname",
                                         "personality",
                                         "io_uring_setup",
                                         "io_uring_enter",
                                         "io_uring_register",
                                         "nfsservctl",
                                         "uselib",
                                         "_sysctl" };

static const char *const UNLESS_INSTRUMENTED[] = { "execve", "execveat", "ptrace" };

/* Flags of clone that make namespaces. */
static const uint64_t NEW_WORLDS[] = { CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                       CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET };

static bool forbid(scmp_filter_ctx filter, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int call = seccomp_syscall_resolve_name(names[i]);
        if (call != __NR_SCMP_ERROR && call >= 0 && seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0))
            return false;
    }
    return true;
}

/* clone for threads alone; clone3, whose flags no filter can read, is as in a kernel that has it not. */
static bool forbid_namespaces(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof NEW_WORLDS / sizeof NEW_WORLDS[0]; i++)
        if (seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, NEW_WORLDS[i], NEW_WORLDS[i])))
            return false;
    const int clone3 = seccomp_syscall_resolve_name("clone3");
    return clone3 < 0 || !seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
}

rc_t harden_calls(err_t *e)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return err_say(e, RC_NOMEM, "out of memory");
    const size_t always = sizeof FORBIDDEN / sizeof FORBIDDEN[0],
                 usually = sizeof UNLESS_INSTRUMENTED / sizeof UNLESS_INSTRUMENTED[0];
    const bool set = !seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) &&
                     !seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) && forbid(filter, FORBIDDEN, always) &&
                     (INSTRUMENTED || forbid(filter, UNLESS_INSTRUMENTED, usually)) && forbid_namespaces(filter) &&
                     !seccomp_load(filter);
    seccomp_release(filter);
    return set ? RC_OK : err_say(e, RC_UNSUPPORTED, "no filter of system calls could be set");
}

/* ---- files ---- */

#define BELOW_FOLDER                                                                                                   \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                  \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define SOCKETS (LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_SOCK)
#define NOWHERE                                                                                                        \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK |                       \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define TRUNCATE (1ull << 14) /* from version 3 on; not in every system's header */

/* Allows what the rules handle below a folder, if it is there. */
static bool allow(int rules, const char *folder, uint64_t access)
{
    const int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return errno == ENOENT || errno == EACCES || errno == ENOTDIR;
    const struct landlock_path_beneath_attr row = { .allowed_access = access, .parent_fd = at };
    const bool added = !syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &row, 0);
    close(at);
    return added;
}

rc_t harden_files(err_t *e, const char *folder)
{
    const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return err_say(e, RC_UNSUPPORTED, "this kernel has no Landlock: files are not shut off");
    const uint64_t below = BELOW_FOLDER | (version >= 3 ? TRUNCATE : 0);
    const struct landlock_ruleset_attr handled = { .handled_access_fs = below | NOWHERE };
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0)
        return failed(e, "landlock_create_ruleset");
    if (folder)
        (void)mkdir(folder, 0700); /* whoever writes there says what is wrong with it */
    (void)mkdir(HARDEN_SOCKETS, 0750);
    const bool set = (!folder || allow(rules, folder, below)) && allow(rules, CONFIGFS_TSM, below) &&
                     allow(rules, HARDEN_SOCKETS, SOCKETS) && allow(rules, "/dev", LANDLOCK_ACCESS_FS_WRITE_FILE) &&
                     !syscall(SYS_landlock_restrict_self, rules, 0);
    const rc_t rc = set ? RC_OK : failed(e, "landlock");
    close(rules);
    return rc;
}
