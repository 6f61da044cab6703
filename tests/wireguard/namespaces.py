#!/usr/bin/env python3
"""Four nodes' WireGuard (tests/wireguard/node.c), each in a network namespace of its own on one bridge, once with wireguard-go and once
with the kernel's own: they reach each other at 10.0.1.x over UDP; who leaves the list is cut within a second; who says another's address is
refused; a machine on which something else has a part of 10.0.1.0/24 is refused, with what has it; the private key is in no command line,
environment, log or file; and in the end nothing is left of key and address. What comes of the chain and of attested connections
the test says. Needs root, /dev/net/tun and Debian's wireguard-go: without them it is skipped, with the reason; so is the kernel's part
where the kernel has no WireGuard.

usage: namespaces.py PROGRAM
"""
import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
PREFIX = f"kw{os.getpid() % 10000}"
SOCKETS = "/var/run/wireguard"
PORT = 7


def sh(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def skip(reason):
    print(f"wireguard: skipped: {reason}")
    sys.exit(SKIPPED)


def fail(text):
    raise SystemExit(f"wireguard: {text}")


# ---- what runs inside a namespace ----


def echo(ip, word):
    """Answers datagrams with a word of its own, until it is ended."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((ip, PORT))
    print("up", flush=True)
    while True:
        data, sender = s.recvfrom(2048)
        s.sendto(data + word.encode(), sender)


def ping(ip, seconds):
    """The word of who answers at an address; nothing: nobody does."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(0.2)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            s.sendto(b"who ", (ip, PORT))
            print(s.recv(2048).decode().removeprefix("who "))
            return
        except OSError:
            time.sleep(0.05)
    print("")


# ---- outside ----


class Node:
    """A namespace with a cable to the bridge, sockets of its own in SOCKETS, and the program in it."""

    def __init__(self, program, number, hub, logs, with_go):
        self.number, self.address = number, f"192.0.2.{number}"
        self.space = f"{PREFIX}n{number}"
        self.helpers, self.go = [], None
        sh("ip", "netns", "add", self.space)
        sh("ip", "-n", self.space, "link", "set", "lo", "up")
        sh("ip", "link", "add", "up0", "netns", self.space, "type", "veth", "peer", "name", f"p{number}", "netns", hub)
        sh("ip", "-n", self.space, "addr", "add", f"{self.address}/24", "dev", "up0")
        sh("ip", "-n", self.space, "link", "set", "up0", "up")
        sh("ip", "-n", hub, "link", "set", f"p{number}", "master", "br0", "up")
        self.log = open(logs / f"node{number}", "w+", encoding="utf-8")
        inside = f"mkdir -p {SOCKETS} && mount -t tmpfs none {SOCKETS} && exec {program} {number}"
        command = ["ip", "netns", "exec", self.space, "unshare", "-m", "sh", "-c", inside]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.told = []
        self.tell("status")
        self.enter = ["nsenter", "-t", str(self.process.pid), "-m", "-n"]
        if with_go:
            env = dict(os.environ, LOG_LEVEL="error", WG_PROCESS_FOREGROUND="1")
            self.go = subprocess.Popen([*self.enter, "wireguard-go", "-f", "kettle-wg0"], env=env, stdout=self.log, stderr=self.log)
            self.until(lambda: self.run("sh", "-c", f"ls {SOCKETS}").strip(), "wireguard-go's socket")

    def run(self, *command):
        return sh(*self.enter, *command)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.told.append(self.process.stdout.readline().rstrip("\n"))
        return self.told[-1]

    def status(self):
        return json.loads(self.tell("status"))

    def until(self, holds, what, seconds=5.0):
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > seconds:
                fail(f"node {self.number}: {what}: not within {seconds} s; {self.told[-1] if self.told else ''}")
            time.sleep(0.02)
        return time.monotonic() - began

    def allowed(self):
        """What the interface itself says of its peers: address to public key."""
        rows = self.run("wg", "show", "kettle-wg0", "allowed-ips").split("\n")
        return {row.split("\t")[1]: row.split("\t")[0] for row in rows if "\t" in row and "(none)" not in row}

    def inside(self, *args):
        return [*self.enter, sys.executable, __file__, *args]

    def serve(self):
        helper = subprocess.Popen(self.inside("--echo", f"10.0.1.{self.number}", f"node{self.number}"), stdout=subprocess.PIPE, text=True)
        self.helpers.append(helper)
        if helper.stdout.readline() != "up\n":
            fail(f"node {self.number}: has not its address")

    def ping(self, number, seconds=5):
        return sh(*self.inside("--ping", f"10.0.1.{number}", str(seconds))).strip()

    def stop(self):
        for helper in self.helpers:
            helper.kill()
            helper.wait()
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(timeout=20)

    def close(self):
        self.stop()
        if self.go:
            self.go.terminate()
            self.go.wait()
        self.log.close()
        subprocess.run(["ip", "netns", "del", self.space], check=False)


def exchange(a, b, line):
    for one, other in ((a, b), (b, a)):
        said = one.tell(f"say {line}")
        if not said.startswith("message "):
            fail(f"node {one.number} says {said!r}")
        if other.tell(f"take {line} {one.number} {one.address} {said.split()[1]}") != "ok":
            fail(f"node {other.number}: {other.told[-1]}")


def expect(what, got, want):
    if got != want:
        fail(f"{what}: {got!r}, not {want!r}")


def check_peers(nodes):
    """Three members reach each other, each at its own address."""
    for node in nodes:
        expect("register", node.tell("register"), "ready")
    for node in nodes:
        node.tell("list 1.1 2.2 3.3")
        node.until(lambda n=node: n.status()["address"], "its address")
        node.serve()
    for a, b in ((0, 1), (0, 2), (1, 2)):
        exchange(nodes[a], nodes[b], 10 * (a + 1) + b + 1)
    for node in nodes:
        others = {f"10.0.1.{n.number}/32": n.status()["public_key"] for n in nodes if n is not node}
        node.until(lambda n=node, o=others: n.allowed() == o, "its peers")
    for a in nodes:
        for b in nodes:
            if a is not b:
                expect(f"ping {a.number} -> {b.number}", a.ping(b.number), f"node{b.number}")


def check_foreign(nodes):
    """Node 3, told another list, says 2's address."""
    one, two, three = nodes
    before = one.allowed()
    three.tell("list 1.1 2.3")
    said = three.tell("say 13").split()
    expect("node 3 speaks", said[0], "message")
    expect("node 1 hears", one.tell(f"take 13 3 {three.address} {said[1]}"), "ok")
    one.until(lambda: any(r["address"] == "10.0.1.2" for r in one.status()["refused"]), "the refusal")
    expect("node 1's peers", one.allowed(), {k: v for k, v in before.items() if k != "10.0.1.3/32"})
    expect("ping 1 -> 2", one.ping(2), "node2")
    three.tell("list 1.1 2.2 3.3")
    said = three.tell("say 13").split()
    expect("node 1 hears", one.tell(f"take 13 3 {three.address} {said[1]}"), "ok")
    one.until(lambda: one.allowed() == before, "node 3 is back")


def check_cut(nodes):
    """Node 3 is no member any more."""
    for node in nodes:
        node.tell("list 1.1 2.2")
    took = max(nodes[k].until(lambda n=nodes[k]: list(n.allowed()) == [f"10.0.1.{3 - n.number}/32"], "3 is cut", 1.0) for k in (0, 1))
    nodes[2].until(lambda: nodes[2].status()["address"] is None, "3 has no address", 1.0)
    expect("ping 1 -> 3", nodes[0].ping(3, 1), "")
    expect("ping 1 -> 2", nodes[0].ping(2), "node2")
    nodes[0].tell("gone 12")
    nodes[0].until(lambda: nodes[0].allowed() == {}, "2's connection is over", 1.0)
    return took


def check_overlap(node):
    """A machine whose network is not free."""
    node.run("ip", "route", "add", "10.0.1.0/25", "dev", "up0")
    expect("register", node.tell("register"), "hindered 10.0.1.0/24 is not free on this machine: route 10.0.1.0/25 of up0")
    node.run("ip", "route", "del", "10.0.1.0/25", "dev", "up0")
    node.run("ip", "link", "add", "down0", "type", "veth", "peer", "name", "down1")
    node.run("ip", "addr", "add", "10.0.1.9/32", "dev", "down0")
    answer = node.tell("register")
    if not answer.startswith("hindered 10.0.1.0/24 is not free on this machine: ") or "10.0.1.9/32 of down0" not in answer:
        fail(f"register: {answer}")
    node.run("ip", "link", "del", "down0")
    node.run("ip", "route", "add", "blackhole", "10.0.0.0/16")
    expect("register", node.tell("register"), "hindered 10.0.1.0/24 is not free on this machine: route 10.0.0.0/16")
    node.run("ip", "route", "del", "blackhole", "10.0.0.0/16")
    node.run("ip", "route", "add", "default", "dev", "up0")
    node.run("ip", "route", "add", "10.0.2.0/24", "dev", "up0")
    expect("register", node.tell("register"), "ready")


def check_secret(nodes, logs):
    """Private keys are where the interface has them, and nowhere else."""
    keys = [n.run("wg", "show", "kettle-wg0", "private-key").strip() for n in nodes]
    words = [w for k in keys for w in (k.encode(), base64.b64decode(k).hex().encode(), base64.b64decode(k))]
    places = [p for d in pathlib.Path("/proc").iterdir() if d.name.isdigit() for p in (d / "cmdline", d / "environ")]
    places += list(logs.iterdir())
    for n in nodes:
        if any(w.decode() in line for line in n.told for w in words[:2]):
            fail("a private key was told")
    for place in places:
        try:
            found = any(w in place.read_bytes() for w in words)
        except OSError:
            continue
        if found:
            fail(f"a private key is in {place}")
    return len(places)


def check_end(nodes):
    for node in nodes:
        enter = ["ip", "netns", "exec", node.space]
        node.stop()
        if node.go:
            expect("address at the end", sh(*enter, "ip", "-4", "-o", "addr", "show", "kettle-wg0").strip(), "")
        elif "kettle-wg0" in sh(*enter, "ip", "link"):
            fail("the interface is still there")


def run(program, with_go):
    logs = pathlib.Path(tempfile.mkdtemp(prefix="kettle-wg-"))
    hub, nodes = f"{PREFIX}hub", []
    sh("ip", "netns", "add", hub)
    try:
        sh("ip", "-n", hub, "link", "add", "name", "br0", "type", "bridge")
        sh("ip", "-n", hub, "link", "set", "br0", "up")
        for number in range(1, 5):
            nodes.append(Node(program, number, hub, logs, with_go))
        check_overlap(nodes[3])
        check_peers(nodes[:3])
        check_foreign(nodes[:3])
        places = check_secret(nodes[:3], logs)
        took = check_cut(nodes[:3])
        check_end(nodes[:3])
        kind = "wireguard-go" if with_go else "the kernel's"
        print(f"wireguard: {kind}: three members reach each other; one is cut after {took * 1000:.0f} ms; keys in none of {places} places")
    finally:
        for node in nodes:
            node.close()
        subprocess.run(["ip", "netns", "del", hub], check=False)
        shutil.rmtree(logs)


def has_kernel_wireguard():
    space = f"{PREFIX}try"
    sh("ip", "netns", "add", space)
    tried = subprocess.run(["ip", "-n", space, "link", "add", "try0", "type", "wireguard"], capture_output=True, check=False)
    sh("ip", "netns", "del", space)
    return tried.returncode == 0


def main():
    if sys.argv[1] == "--echo":
        echo(sys.argv[2], sys.argv[3])
    if sys.argv[1] == "--ping":
        return ping(sys.argv[2], float(sys.argv[3]))
    if os.geteuid() != 0:
        skip("not root")
    if subprocess.run(["ip", "netns", "list"], capture_output=True, check=False).returncode:
        skip("no network namespaces here")
    if not os.path.exists("/dev/net/tun"):
        skip("no /dev/net/tun")
    for name in ("wireguard-go", "wg", "nsenter"):
        if not shutil.which(name):
            skip(f"no {name}: apt-get install wireguard-go wireguard-tools util-linux")
    run(sys.argv[1], True)
    if has_kernel_wireguard():
        run(sys.argv[1], False)
    else:
        print("wireguard: the kernel's: left out, this kernel has no WireGuard")
    return None


main()
