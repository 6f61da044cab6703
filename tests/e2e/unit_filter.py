"""Runs the program under the system calls that its systemd unit leaves it: a call that is not among them ends it, as there.

usage: unit_filter.py UNIT PROGRAM; exits 77 where no systemd-analyze says what the sets of the unit's filter hold.
"""
import ctypes
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

NUMBERS = pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
READY_S, STAYS_S = 60, 3
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF: a word of the call, a jump, the verdict
ALLOW, KILL = 0x7FFF0000, 0x80000000


def sets():
    """What systemd means by each @name."""
    found, name = {}, None
    for line in subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout.splitlines():
        word = line.split("#")[0].strip()
        if line.startswith("@"):
            name = found.setdefault(word, set())
        elif word and name is not None:
            name.add(word)
    return found


def calls(word, known):
    return set().union(*(calls(w, known) for w in known[word])) if word.startswith("@") else {word}


def allowed(unit, known):
    """The names that the unit's lines leave, in their order; the first one says which kind the list is."""
    left = set()
    lines = re.findall(r"^SystemCallFilter=(.*)$", unit, re.M)
    assert lines and not lines[0].startswith("~"), "the unit has no list of what is allowed"
    assert not re.search(r"^SystemCallErrorNumber=", unit, re.M), "this test kills, as a unit without SystemCallErrorNumber does"
    for line in lines:
        named = set().union(*(calls(w, known) for w in line.lstrip("~").split()))
        left = left - named if line.startswith("~") else left | named
    return left | calls("@default", known)  # always added by systemd


def shut_in(numbers):
    """The filter as instructions, for the child between fork and exec."""
    code = [struct.pack("<HBBI", LOAD, 0, 0, 0)]
    for number in sorted(numbers):
        code += [struct.pack("<HBBI", EQUAL, 0, 1, number), struct.pack("<HBBI", RETURN, 0, 0, ALLOW)]
    code.append(struct.pack("<HBBI", RETURN, 0, 0, KILL))
    text = ctypes.create_string_buffer(b"".join(code))
    program = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(code), ctypes.addressof(text)))
    libc = ctypes.CDLL(None, use_errno=True)

    def apply():
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0):
            raise OSError(ctypes.get_errno(), "no filter")

    apply.kept = text
    return apply


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).status == 200
    except OSError:
        return False


def main():
    unit, program = pathlib.Path(sys.argv[1]).read_text(), sys.argv[2]
    if not shutil.which("systemd-analyze") or not NUMBERS.exists():
        print("it needs systemd-analyze and the kernel's headers")
        return 77
    table = dict(re.findall(r"#define __NR_(\w+) (\d+)", NUMBERS.read_text()))
    names = allowed(unit, sets())
    with tempfile.TemporaryDirectory(prefix="kettle-unit-") as folder:
        log, api = pathlib.Path(folder) / "log", free_port()
        command = [program, "run", "--development", "--tee", "simulator", "--state-dir", f"{folder}/state",
                   "--api-port", str(api), "--setup-port", str(free_port())]
        with log.open("wb") as out:
            node = subprocess.Popen(command, stdout=out, stderr=out, preexec_fn=shut_in({int(table[n]) for n in names if n in table}))
        end = time.monotonic() + READY_S
        while node.poll() is None and time.monotonic() < end and not answers(api):
            time.sleep(0.2)
        time.sleep(STAYS_S)
        alive = node.poll() is None and answers(api)
        if node.poll() is None:
            node.terminate()
        status = node.wait(30)
        if not alive or status:
            print(log.read_text(), f"the node ended with {status} under the filter of {sys.argv[1]}", sep="\n")
            return 1
    print(f"it starts, answers and stops with {len(names)} system calls")
    return 0


sys.exit(main())
