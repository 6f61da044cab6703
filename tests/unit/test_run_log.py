"""The log of `kettle run`: JSON unless asked, or on a terminal, text with date and zone; SIGUSR1 turns debug lines on and off, SIGHUP nothing.

usage: test_run_log.py KETTLE
"""
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time

LIMIT_S = 60
TEXT = re.compile(r"^(?:\x1b\[\d+m)?\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ (?:\x1b\[\d+m)?(?:error|warn|info|debug)")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


class Run:
    """The program with its log on a pipe or a terminal."""

    def __init__(self, kettle, *options, terminal=False):
        self.read, write = pty.openpty() if terminal else os.pipe()
        ports = ["--setup-port", free_port(), "--api-port", free_port()]
        self.child = subprocess.Popen([kettle, "run", "--development", "--tee", "simulator", *ports, *options], stdin=subprocess.DEVNULL, stderr=write)
        os.close(write)
        self.said = b""

    def more(self):
        try:
            part = os.read(self.read, 65536)
        except OSError:  # the terminal's last writer has closed
            part = b""
        self.said += part
        return part

    def until(self, text):
        end = time.monotonic() + LIMIT_S
        while text not in self.said:
            left = end - time.monotonic()
            assert left > 0 and select.select([self.read], [], [], left)[0] and self.more(), f"no {text!r} in {self.said!r}"

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        while self.more():
            pass
        assert self.child.wait(LIMIT_S) == 0
        return self.said.decode().splitlines()


def main(kettle):
    run = Run(kettle)
    run.until(b"waiting for POST /setup")
    run.child.send_signal(signal.SIGHUP)
    run.child.send_signal(signal.SIGUSR1)
    run.until(b"from now on with debug lines")
    for line in run.end():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", json.loads(line)["ts"]), line

    for options, terminal in ((["--log-format", "text"], False), ([], True)):
        run = Run(kettle, *options, terminal=terminal)
        run.until(b"waiting for POST /setup")
        for line in run.end():
            assert TEXT.match(line), line
        assert (b"\x1b[" in run.said) == terminal, run.said  # colours are for terminals

    run = Run(kettle, "--log-format", "json", terminal=True)
    run.until(b"waiting for POST /setup")
    assert all(json.loads(line)["level"] for line in run.end())

    run = Run(kettle, "--log-level", "warn")
    run.until(b"SIMULATED")
    run.child.send_signal(signal.SIGUSR1)
    run.until(b"from now on with debug lines")
    run.child.send_signal(signal.SIGUSR1)
    run.until(b"from now on without debug lines")
    assert not any("SIGTERM" in line for line in run.end()), run.said  # told at level info
    print("run_log: ok")


main(sys.argv[1])
