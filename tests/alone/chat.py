#!/usr/bin/env python3
"""Three nodes of examples/attested_chat.c in a row on loopback: all get the key, each hears its neighbours' lines, what is spread
reaches all, and who has another word is not admitted.

usage: chat.py PROGRAM
"""
import os
import subprocess
import sys
import threading
import time

PROGRAM = sys.argv[1]


class Node:
    def __init__(self, word, listen, *peer):
        env = dict(os.environ, CHAT_SIMULATOR=word)
        self.process = subprocess.Popen([PROGRAM, listen, *peer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.lines = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait(self, begins, ends="", seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in list(self.lines):
                if line.startswith(begins) and line.endswith(ends):
                    return line
            time.sleep(0.02)
        raise SystemExit(f"chat: no line {begins!r} .. {ends!r} in {self.lines}")

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def stop(self):
        self.process.stdin.close()
        if self.process.wait(timeout=30):
            raise SystemExit(f"chat: exit status {self.process.returncode}")


def address(node):
    return node.wait("listening ").split()[1]


ada = Node("one word", "/ip4/127.0.0.1/udp/0/quic-v1")
bob = Node("one word", "/ip4/127.0.0.1/tcp/0", address(ada))
cyd = Node("one word", "/ip4/127.0.0.1/udp/0/quic-v1", address(bob))
eve = Node("another", "/ip4/127.0.0.1/udp/0/quic-v1", address(ada))
keys = {node.wait("key ") for node in (ada, bob, cyd)}
if len(keys) != 1:
    raise SystemExit(f"chat: {keys}")
bob.wait("came ")
cyd.wait("came ")
ada.wait("came ")
time.sleep(0.3)
bob.say("good morning")
ada.wait("said ", ": good morning")
cyd.wait("said ", ": good morning")
ada.say("! to everybody")
author = ada.wait("spread ", ": ! to everybody")
for node in (bob, cyd):
    if node.wait("spread ", ": ! to everybody") != author:
        raise SystemExit("chat: another author")
if any(line.startswith(("key", "came", "said", "spread")) for line in eve.lines):
    raise SystemExit(f"chat: a stranger was admitted: {eve.lines}")
for node in (cyd, bob, ada, eve):
    node.stop()
print("chat: ok")
