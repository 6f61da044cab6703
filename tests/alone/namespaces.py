#!/usr/bin/env python3
"""Five nodes of examples/attested_chat.c, each in a network namespace of its own on one bridge: one is cut off, noticed by silence,
and on its return hears what was spread meanwhile; one that is behind a masquerading router joins, is heard, and hears; and another reaches
that one through a relay, whose memory and log have nothing of what they say to each other. Needs root and `ip` (the router also
`nft`): without them it is skipped, with the reason.

usage: namespaces.py PROGRAM
"""
import os
import pathlib
import secrets
import shutil
import subprocess
import sys
import threading
import time

PROGRAM = sys.argv[1]
PREFIX = f"kt{os.getpid() % 10000}"
SKIPPED = 77
NODES = 5


def sh(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def skip(reason):
    print(f"namespaces: skipped: {reason}")
    sys.exit(SKIPPED)


class Net:
    """Namespaces and a bridge in a namespace, all removed at the end."""

    def __init__(self):
        self.made = []
        self.hub = self.add("hub")
        sh("ip", "-n", self.hub, "link", "add", "name", "br0", "type", "bridge")
        sh("ip", "-n", self.hub, "link", "set", "br0", "up")

    def add(self, name):
        sh("ip", "netns", "add", f"{PREFIX}{name}")
        self.made.append(f"{PREFIX}{name}")
        sh("ip", "-n", self.made[-1], "link", "set", "lo", "up")
        return self.made[-1]

    def join(self, space, address):
        """A cable from a namespace to the bridge; its end there."""
        port = f"p{address.split('.')[3]}"
        sh("ip", "link", "add", f"{PREFIX}a", "netns", space, "type", "veth", "peer", "name", port, "netns", self.hub)
        sh("ip", "-n", space, "link", "set", f"{PREFIX}a", "name", "up0")
        sh("ip", "-n", space, "addr", "add", f"{address}/24", "dev", "up0")
        sh("ip", "-n", space, "link", "set", "up0", "up")
        sh("ip", "-n", self.hub, "link", "set", port, "master", "br0", "up")
        return port

    def cut(self, port, cut):
        sh("ip", "-n", self.hub, "link", "set", port, "down" if cut else "up")

    def behind_nat(self, inside, router):
        """A private network behind a router that masquerades."""
        sh("ip", "link", "add", "in0", "netns", inside, "type", "veth", "peer", "name", "in1", "netns", router)
        sh("ip", "-n", inside, "addr", "add", "192.168.7.2/24", "dev", "in0")
        sh("ip", "-n", router, "addr", "add", "192.168.7.1/24", "dev", "in1")
        sh("ip", "-n", inside, "link", "set", "in0", "up")
        sh("ip", "-n", router, "link", "set", "in1", "up")
        sh("ip", "-n", inside, "route", "add", "default", "via", "192.168.7.1")
        sh("ip", "netns", "exec", router, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        rules = (
            "add table ip n\n"
            "add chain ip n c { type nat hook postrouting priority 100; }\n"
            'add rule ip n c oifname "up0" masquerade\n'
        )
        subprocess.run(["ip", "netns", "exec", router, "nft", "-f", "-"], input=rules, text=True, check=True)

    def close(self):
        for space in self.made:
            subprocess.run(["ip", "netns", "del", space], check=False)


class Node:
    def __init__(self, space, listen, *peer, relay=""):
        env = dict(os.environ, CHAT_SIMULATOR="one word", CHAT_RELAY=relay)
        command = ["ip", "netns", "exec", space, PROGRAM, listen, *peer]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait(self, begins, ends="", seconds=60, since=0):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in list(self.lines[since:]):
                if line.startswith(begins) and line.endswith(ends):
                    return line
            time.sleep(0.05)
        raise SystemExit(f"namespaces: no line {begins!r} .. {ends!r} in {self.lines}")

    def wait_other(self, begins, but, seconds=60):
        """A line that begins so, and is another one."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in list(self.lines):
                if line.startswith(begins) and line != but:
                    return line
            time.sleep(0.05)
        raise SystemExit(f"namespaces: no line {begins!r} but {but!r} in {self.lines}")

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def holds(self, text):
        """Whether a text is anywhere in the memory of the program, or in what it printed."""
        bytes_, base = text.encode(), f"/proc/{self.process.pid}"
        with open(f"{base}/maps", encoding="ascii") as maps, open(f"{base}/mem", "rb") as memory:
            for line in maps:
                ends, permissions = line.split()[:2]
                begin, end = (int(x, 16) for x in ends.split("-"))
                if not permissions.startswith("rw"):
                    continue
                try:
                    memory.seek(begin)
                    if bytes_ in memory.read(end - begin):
                        return True
                except (OSError, ValueError):  # what the kernel keeps for itself, and locked pages of keys
                    continue
        return any(text in line for line in self.lines)

    def kill(self):
        self.process.kill()
        self.process.wait()


def cut_and_return(net, nodes, ports):
    """The last node is cut off until its peers notice; what they spread meanwhile it hears once it is back."""
    lost, others = nodes[-1], nodes[:-1]
    began, marks = time.monotonic(), [len(node.lines) for node in nodes]
    net.cut(ports[-1], True)
    others[0].wait("left ", since=marks[0])
    lost.wait("left ", since=marks[-1])
    noticed = time.monotonic() - began
    others[0].say("! while you were away")
    for node, mark in zip(others[1:], marks[1:]):
        node.wait("spread ", ": ! while you were away", since=mark)
    back, mark = time.monotonic(), len(lost.lines)
    net.cut(ports[-1], False)
    lost.wait("came ", since=mark, seconds=90)
    lost.wait("spread ", ": ! while you were away", since=mark)
    print(f"namespaces: cut off: noticed after {noticed:.1f} s, heard everything {time.monotonic() - back:.1f} s after its return")


def through_a_router(net, nodes, processes):
    router, inside = net.add("router"), net.add("inside")
    net.join(router, "10.77.0.99")
    net.behind_nat(inside, router)
    node = Node(inside, "/ip4/192.168.7.2/udp/4001/quic-v1", "/ip4/10.77.0.1/udp/4001/quic-v1", relay="use")
    processes.append(node)
    node.wait("key ")
    node.wait("came ")
    time.sleep(1)
    node.say("! from inside")
    for other in nodes:
        other.wait("spread ", ": ! from inside")
    nodes[1].say("! from outside")
    node.wait("spread ", ": ! from outside")
    print("namespaces: a node behind a masquerading router joined, was heard, and hears")
    return node


def through_a_relay(net, relay, inside, processes):
    """Another node reaches the one behind the router; the relay is between them and reads nothing."""
    way = inside.wait("reached /ip4/10.77.0.1/").split()[1]
    space = net.add("n6")
    net.join(space, "10.77.0.6")
    caller = Node(space, "/ip4/10.77.0.6/udp/4001/quic-v1", "/ip4/10.77.0.1/udp/4001/quic-v1", way)
    processes.append(caller)
    caller.wait("key ")
    of_relay = inside.wait("came ")
    came = caller.wait_other("came ", of_relay)
    texts = [f"{word} {secrets.token_hex(16)}" for word in ("asked", "answered")]
    caller.say(f"@{came.split()[1].rstrip(':')} {texts[0]}")
    asker = inside.wait("said ", f": {texts[0]}").split()[1].rstrip(":")
    inside.say(f"@{asker} {texts[1]}")
    caller.wait("said ", f": {texts[1]}")
    for text in texts:
        if not caller.holds(text) or not inside.holds(text):
            raise SystemExit("namespaces: what was said is not even in the memory of the two ends: the search is of no use")
        if relay.holds(text):
            raise SystemExit("namespaces: the relay has read what was said through it")
    print("namespaces: reached through a relay, whose memory and log have nothing of what was said")


def main():
    if os.geteuid():
        skip("not root")
    if not shutil.which("ip"):
        skip("there is no ip (iproute2)")
    if subprocess.run(["ip", "netns", "add", f"{PREFIX}try"], capture_output=True, check=False).returncode:
        skip("network namespaces are not permitted here")
    sh("ip", "netns", "del", f"{PREFIX}try")
    net, nodes, ports, processes = Net(), [], [], []
    try:
        for i in range(1, NODES + 1):
            space = net.add(f"n{i}")
            ports.append(net.join(space, f"10.77.0.{i}"))
            listen = f"/ip4/10.77.0.{i}/{'tcp/4001' if i % 2 == 0 else 'udp/4001/quic-v1'}"
            first = [] if i == 1 else ["/ip4/10.77.0.1/udp/4001/quic-v1"]
            nodes.append(Node(space, listen, *first, relay="serve" if i == 1 else ""))
            processes.append(nodes[-1])
            nodes[-1].wait("key ")
        if len({node.wait("key ") for node in nodes}) != 1:
            raise SystemExit("namespaces: not one key")
        cut_and_return(net, nodes, ports)
        if shutil.which("nft"):
            inside = through_a_router(net, nodes, processes)
            through_a_relay(net, nodes[0], inside, processes)
        else:
            print("namespaces: behind a router: skipped: there is no nft (nftables)")
    finally:
        for node in processes:
            node.kill()
        net.close()
    print("namespaces: ok")


pathlib.Path(PROGRAM).resolve(strict=True)
main()
