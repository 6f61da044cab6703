/* init.c - process 1 of the image: mounts, modules, the network, then kettle, and power off when it ends.
 *
 * There is nothing else: no shell, no login, no other program. What it says goes to the console, which the host reads.
 * kettle runs without any capability, so what is closed here (modules, kexec, mounts, tracing, the clock) stays closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "meta-dstack-patch/image/network.h"

#define MODULES "/lib/modules/list"
#define LEASE_WAIT_S 15 /* how long the start waits for an address; it is asked for until there is one */
#define PLAIN ((unsigned long)MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define HIDE "hidepid=invisible"
#define LOCKED_MAX ((rlim_t)64 << 20)

static void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("init: ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    fflush(stdout);
    va_end(arguments);
}

static void power_off(void)
{
    say("powering off");
    sync();
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

static void must(int failed, const char *what)
{
    if (!failed)
        return;
    say("%s: %s", what, strerror(errno));
    power_off();
}

static void mount_all(void)
{
    const unsigned long plain = PLAIN;
    must(mount("proc", "/proc", "proc", plain, HIDE), "mount /proc");
    must(mount("sysfs", "/sys", "sysfs", plain, NULL), "mount /sys");
    if (mount("dev", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755") && errno != EBUSY)
        must(1, "mount /dev");
    must(mount("run", "/run", "tmpfs", plain, "mode=0755,size=64m"), "mount /run");
    must(mount("tmp", "/tmp", "tmpfs", plain, "mode=0700,size=16m"), "mount /tmp");
    must(mkdir("/run/kettle", 0700), "mkdir /run/kettle");
}

/* A driver of a device that is not there says so; the image has those of more than one platform. */
static void load_module(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd < 0, path);
    if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
        say("%s: %s", path, strerror(errno));
    close(fd);
}

static void load_modules(void)
{
    char line[256];
    FILE *f = fopen(MODULES, "re");
    must(!f, MODULES);
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        load_module(line);
    }
    fclose(f);
    if (mount("config", "/sys/kernel/config", "configfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
        say("mount configfs: %s", strerror(errno)); /* quotes of dstack's agent go without */
}

static void write_setting(const char *name, const char *value)
{
    char path[128];
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    const size_t n = strlen(value);
    must(fd < 0 || write(fd, value, n) != (ssize_t)n, path);
    close(fd);
}

/* What this kernel has to do no more, and what a fault ends with. */
static void close_doors(void)
{
    static const char *const settings[][2] = {
        { "kernel/kexec_load_disabled", "1" },
        { "kernel/unprivileged_bpf_disabled", "1" },
        { "user/max_user_namespaces", "0" },
        { "kernel/yama/ptrace_scope", "3" },
        { "kernel/core_pattern", "|/none" },
        { "fs/suid_dumpable", "0" },
        { "kernel/panic_on_oops", "1" },
        { "kernel/panic", "1" },
        { "kernel/sysrq", "0" },
        { "kernel/dmesg_restrict", "1" },
        { "kernel/kptr_restrict", "2" },
        { "kernel/perf_event_paranoid", "3" },
        { "kernel/modules_disabled", "1" }, /* the last: it cannot be undone */
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        write_setting(settings[i][0], settings[i][1]);
    /* kettle has user 0, whose files these are: configfs, where quotes come from, gives new ones to no other. */
    must(mount(NULL, "/proc", NULL, MS_REMOUNT | MS_RDONLY | PLAIN, HIDE), "make /proc read-only");
    must(mount(NULL, "/sys", NULL, MS_REMOUNT | MS_RDONLY | PLAIN, NULL), "make /sys read-only");
    must(mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY | MS_NODEV | MS_NOSUID, NULL), "make / read-only");
}

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };
    const struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
    for (unsigned long c = 0; !prctl(PR_CAPBSET_READ, c, 0, 0, 0) || prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1; c++)
        must(prctl(PR_CAPBSET_DROP, c, 0, 0, 0), "drop a capability");
    must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs");
    must((int)syscall(SYS_capset, &header, none), "drop all capabilities");
}

static void become_kettle(void)
{
    static char words[][32] = { "/usr/bin/kettle", "run",         "--config",    "/etc/kettle/kettle.json",
                                "--state-dir",     "/run/kettle", "LANG=C.UTF-8" };
    char *const arguments[] = { words[0], words[1], words[2], words[3], words[4], words[5], NULL };
    char *const environment[] = { words[6], NULL };
    const struct rlimit no_core = { 0, 0 }, locked = { LOCKED_MAX, LOCKED_MAX }, files = { 65536, 65536 };
    setsid();
    umask(0077);
    must(setrlimit(RLIMIT_CORE, &no_core) || setrlimit(RLIMIT_MEMLOCK, &locked) || setrlimit(RLIMIT_NOFILE, &files),
         "set limits");
    drop_capabilities();
    execve(arguments[0], arguments, environment);
    _exit(127);
}

/* A child that keeps the lease; what it tells first, or how long it may take, ends the wait. */
static pid_t start_network(void)
{
    int told[2];
    must(pipe2(told, O_CLOEXEC), "pipe");
    const pid_t child = fork();
    must(child < 0, "fork");
    if (!child) {
        close(told[0]);
        network_keep(told[1]);
        _exit(1);
    }
    close(told[1]);
    if (!network_wait(told[0], LEASE_WAIT_S))
        say("no address after %d s; it is asked for further", LEASE_WAIT_S);
    close(told[0]);
    return child;
}

static void say_end(int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
        say("kettle cannot be started");
    else if (WIFEXITED(status))
        say("kettle ended with status %d", WEXITSTATUS(status));
    else
        say("kettle was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

int main(void)
{
    if (getpid() != 1) {
        fputs("init: is process 1 of the image, and nothing else\n", stderr);
        return 1;
    }
    mount_all();
    load_modules();
    reboot(RB_DISABLE_CAD);
    network_open();
    pid_t network = start_network();
    close_doors();
    say("starting kettle");
    const pid_t kettle = fork();
    must(kettle < 0, "fork");
    if (!kettle)
        become_kettle();
    for (;;) {
        int status;
        const pid_t ended = wait(&status);
        if (ended == kettle) {
            say_end(status);
            power_off();
        } else if (ended == network) {
            say("the network's process ended; it is started again");
            sleep(1);
            network = start_network();
        }
    }
}
