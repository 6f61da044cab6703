"""What programs need beside themselves, from unpacked packages: their libraries and loader, certificates, the files that libc asks for."""
import os

from . import cpio, elf

LIBRARIES = ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu", "lib64", "usr/lib64")


def certificates(tree):
    """What update-ca-certificates makes of the package: all that it has, in the order of their names."""
    folder = tree / "usr/share/ca-certificates/mozilla"
    found = sorted(folder.glob("*.crt"), key=lambda path: path.name.encode())
    if len(found) < 50:
        raise ValueError(f"ca-certificates: only {len(found)} certificates")
    return b"".join(path.read_bytes() for path in found)


def files(tree, programs, config):
    """{path: (mode, contents)}. programs: {path: bytes}; config: what is measured as kettle's configuration."""

    def find(name):
        for folder in LIBRARIES:
            if (tree / folder / name).exists():
                return (tree / folder / name).read_bytes()
        raise ValueError(f"{name}: in no package of the lock: run meta-dstack-patch/image/lock")

    found = {path: (cpio.PROGRAM, data) for path, data in programs.items()}
    for name, data in elf.closure(programs.values(), find).items():
        found["lib/x86_64-linux-gnu/" + name] = (cpio.PROGRAM, data)
    for loader in {elf.interpreter(data) for data in programs.values()}:
        found[loader.lstrip("/")] = (cpio.PROGRAM, find(os.path.basename(loader)))
    return found | {
        "etc/kettle/kettle.json": (cpio.FILE, config),
        "etc/ssl/certs/ca-certificates.crt": (cpio.FILE, certificates(tree)),
        "etc/nsswitch.conf": (cpio.FILE, b"passwd: files\ngroup: files\nhosts: files dns\n"),
        "etc/hosts": (cpio.FILE, b"127.0.0.1 localhost\n::1 localhost\n"),
        "etc/passwd": (cpio.FILE, b"root:x:0:0:root:/run/kettle:/none\n"),
        "etc/group": (cpio.FILE, b"root:x:0:\n"),
    }
