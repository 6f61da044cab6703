/* What stands in the place of kettle in the image of tests/image/run: it tries what nobody may do in the image, with the rights that
 * kettle has, and then is kettle. Each line of it is "probe: WHAT: refused" or "probe: WHAT: DONE". */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static void report(const char *what, int done)
{
    const int fault = errno;
    printf("probe: %s: %s%s%s\n", what, done ? "DONE" : "refused", done ? "" : ", ", done ? "" : strerror(fault));
}

static int opens(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static int loads_module(void)
{
    const int fd = open("/lib/modules/configfs.ko", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && !syscall(SYS_finit_module, fd, "", 0);
}

static void try_all(void)
{
    const struct timeval past = { 86400, 0 };
    report("load a module", loads_module());
    report("write /dev/mem", opens("/dev/mem", O_RDWR));
    report("kexec", !syscall(SYS_kexec_load, 0, 0, NULL, 0));
    report("trace process 1", !ptrace(PTRACE_ATTACH, 1, NULL, NULL));
    report("read the memory of process 1", opens("/proc/1/mem", O_RDONLY));
    report("set where cores go", opens("/proc/sys/kernel/core_pattern", O_WRONLY));
    report("press a magic key", opens("/proc/sysrq-trigger", O_WRONLY));
    report("bind a driver", opens("/sys/bus/pci/rescan", O_WRONLY));
    report("mount", !mount("none", "/tmp", "tmpfs", 0, NULL));
    report("make / writable", !mount(NULL, "/", NULL, MS_REMOUNT, NULL));
    report("write to /", opens("/written", O_WRONLY | O_CREAT));
    report("set the clock back", !settimeofday(&past, NULL));
    report("make a user namespace", !syscall(SYS_unshare, 0x10000000));
}

/* The ports of one table that are in state LISTEN (0A), or open (07): says them, or whether one of kettle's
 * for HTTP is among them. */
static bool list_ports(const char *path, bool say)
{
    char line[256];
    unsigned port, state;
    bool found = false;
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &port, &state) == 2 && (state == 10 || state == 7)) {
            found |= port == 40080 || port == 3032;
            if (say)
                printf("probe: port: %u %s\n", port, path + sizeof "/proc/net");
        }
    if (f)
        fclose(f);
    return found;
}

/* At most for two minutes: emulated machines are slow. */
static void wait_for_kettle(void)
{
    for (unsigned i = 0; i < 120; i++) {
        sleep(1);
        if (list_ports("/proc/net/tcp", false) || list_ports("/proc/net/tcp6", false))
            break;
    }
    sleep(1); /* the other one is opened at the same time */
}

static void tell_state(void)
{
    static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6" };
    char line[256];
    FILE *f = fopen("/proc/meminfo", "re");
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "MemTotal", 8) || !strncmp(line, "MemAvailable", 12))
            printf("probe: memory: %s", line);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        (void)list_ports(tables[i], true);
    puts("probe: end");
}

int main(int argc, char **argv)
{
    char *with_simulator[16] = { NULL };
    static char tee[] = "--tee", simulator[] = "simulator";
    try_all();
    fflush(stdout);
    if (!fork()) {
        wait_for_kettle();
        tell_state();
        return 0;
    }
    for (int i = 0; i < argc && i < 12; i++)
        with_simulator[i] = argv[i];
    with_simulator[argc] = tee;
    with_simulator[argc + 1] = simulator;
    execv("/usr/bin/kettle.real", with_simulator);
    return 126;
}
