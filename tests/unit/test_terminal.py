"""Escape sequences, line ends and bidirectional marks in every foreign field: `kettle verify`, `quote`, `measure`, `peers` and `order`
are run with a pseudo-terminal as their output, over input whose every string, member name and error body tries to move the cursor, to end
the line, or to turn the text around.

usage: test_terminal.py KETTLE DATA CORPUS [ATTESTATION NONCE POLICY]
DATA: tests/data. CORPUS: tests/fuzz/corpus. ATTESTATION ...: of a live node, so that the steps behind the quote are reached too.
"""
import copy
import http.server
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile
import threading
import tty

MARK = "FORGED"
EVIL = f"x\x1b[2J\x1b]0;t\x07\r\nok   {MARK} all holds\n\u009b1;1H\u202e\u2066\u2028y\x00\x7f"
RAW = EVIL.encode() + b"\xff\x9b2J\xc2"
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
KEY = "0x" + "02" * 33

# What a node answers at /v1/peers and /v1/keys, a row of each kind.
PEERS = {
    "members": [{"peer": "16Uiu2", "address": "/ip4/192.0.2.1/tcp/1", "state": "attested", "trouble": "none", "dialled": True, "holds_key": True,
                 "finalized_slot": 1}],
    "addresses": [{"address": "/dns4/a/tcp/1", "source": "setup", "trouble": "refused", "connected": False, "failures": 1}],
    "refused": [{"address": "/ip4/192.0.2.1/tcp/1", "code": "E_MEASUREMENT", "reason": "other image", "times": 1, "seconds_ago": 1}],
    "banned": [{"peer": "16Uiu2", "reason": "lied", "seconds_left": 1}, {"host": "192.0.2.1", "reason": "lied", "seconds_left": 1}],
}
KEYS = {"signers": {"keys": [KEY], "threshold": 1}, "cluster_statement": {"kettle": "cluster-statement/1"}, "generations": [{"proof": "0x00"}]}


def on_terminal(args):
    """Runs a program with a terminal as its standard output and error. Gives its exit status and the bytes that reached the terminal."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    child = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave)
    os.close(slave)
    out = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the last writer has closed
            break
        if not part:
            break
        out += part
    os.close(master)
    return child.wait(), out


def fault_of(status, out):
    """What is wrong with the bytes on a terminal; None: nothing."""
    if status not in (0, 1, 2, 3):
        return f"exit status {status}"
    try:
        text = out.decode()
    except UnicodeDecodeError as e:
        return f"no UTF-8: {e}"
    found = CONTROL.search(text)
    if found:
        return f"U+{ord(found.group()):04X} reached the terminal"
    if re.search(rf"^(ok|FAIL)?\s*{MARK}", text, re.M):
        return "a line was forged"
    return None if text else "nothing was printed"


def spoilt(value, evil=EVIL):
    """Copies of a JSON value, each with one text spoilt, or one member's name, or one member more, however deep."""
    if isinstance(value, str):
        yield evil if value.startswith("0x") else value + evil
    elif isinstance(value, dict):
        for key, member in value.items():
            for bad in spoilt(member, evil):
                yield {**value, key: bad}
            yield {(evil if name == key else name): x for name, x in value.items()}
        yield {**value, evil: 1}
    elif isinstance(value, list) and value:
        for i in {0, len(value) - 1}:
            for bad in spoilt(value[i], evil):
                yield value[:i] + [bad] + value[i + 1:]


class Hostile(http.server.BaseHTTPRequestHandler):
    """A server whose every answer is foreign text: the status stands in the path."""

    body = RAW

    def do_GET(self):
        status = int(self.path.split("/")[1])
        self.send_response(status, "x\x1b[2J")
        self.send_header("content-length", str(len(self.body)))
        self.send_header("location", "/200/\x1b[2J")
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


class Cases:
    def __init__(self, program, folder):
        self.program, self.folder, self.count, self.bad = program, pathlib.Path(folder), 0, []

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode())
        return str(path)

    def run(self, what, *args):
        status, out = on_terminal([self.program, *args])
        fault = fault_of(status, out)
        self.count += 1
        if fault:
            self.bad.append(f"{what}: {fault}: kettle {' '.join(args)}\n{out!r}")
        return status, out


def attestations(data, corpus):
    """Attestations that parse; their quotes are real, and of somebody else."""
    least = json.loads((corpus / "attestation/full").read_text())
    least["quote"] = "0x" + (data / "tdx/quote.bin").read_bytes().hex()
    least["event_log"] = (corpus / "eventlog/dstack.json").read_text()
    least["unbound"] = {"provider": "dstack", "vm_config": "{}"}
    return least


def of_attestation(c, attestation, nonce, policy, exhaustive):
    for i, bad in enumerate(spoilt(attestation)):
        kept = c.file("attestation.json", bad)
        c.run("verify", "verify", "--policy", policy, "--nonce", nonce, "--network", "any", *(["--json"] if i % 2 else []), kept)
        if exhaustive:
            c.run("quote", "quote", *(["--json"] if i % 2 else []), kept)
    log = json.loads(attestation.get("event_log") or "[]")
    for bad in spoilt(log[-1:]):
        kept = c.file("attestation.json", {**attestation, "event_log": json.dumps(log[:-1] + bad)})
        c.run("event log", "verify", "--policy", policy, "--nonce", nonce, "--network", "any", kept)
        c.run("event log", "quote", kept)
        c.run("event log", "measure", "--memory", "3G", "--rtmr0", "00" * 48, "--firmware", kept, "--kernel", kept, "--initrd", kept, "--cmdline",
              "x", "--evidence", kept)


def of_policy(c, corpus, attestation, nonce):
    kept = c.file("attestation.json", attestation)
    for name in ("events.json", "full.json"):
        for bad in spoilt(json.loads((corpus / "policy" / name).read_text())):
            c.run("policy", "verify", "--policy", c.file("policy.json", bad), "--nonce", nonce, "--network", "any", kept)


def of_statements(c, corpus):
    for name in ("call", "account", "storage", "block", "checkpoint"):
        for bad in spoilt(json.loads((corpus / "statement" / name).read_text())):
            kept = c.file("statement.json", bad)
            c.run("statement", "verify", "--statement", kept, "--signer", KEY[:42], "--chain-id", "1", "--max-age", "any", "--request", "any")
    for kind in ("cluster", "node"):
        for path in (corpus / "setup_statement").glob(f"{kind}*"):
            for bad in spoilt(json.loads(path.read_text())):
                c.run("setup statement", "quote", c.file("statement.json", bad))


def of_answers(c, corpus, attestation, nonce, policy):
    """Answers of the prototype's routes, of dstack's agent, and bytes that are none."""
    kept = c.file("attestation.json", attestation)
    for bad in spoilt({"signature": "00", "blocknum": "1", "response": {"Success": "0x"}}):
        body = c.file("answer.json", json.dumps(bad))
        c.run("block, call", "verify", "--policy", policy, "--nonce", nonce, "--network", "any", "--block", body, "--call", body, kept)
    for path in sorted((corpus / "dstack").iterdir()):
        c.run("dstack", "quote", str(path))
    for bad in spoilt(json.loads((corpus / "dstack/agent").read_text())):
        c.run("dstack", "quote", c.file("agent.json", bad))
    for raw in (RAW, b'"' + RAW + b'"', b"{" + RAW, b'{"' + RAW.replace(b'"', b"") + b'":1}', json.dumps(json.dumps({EVIL: 1})).encode()):
        path = c.file("raw", raw)
        c.run("bytes", "quote", path)
        c.run("bytes", "verify", "--policy", policy, path)
        c.run("bytes", "verify", "--policy", path, path)
        c.run("bytes", "verify", "--policy", policy, "--collateral", path, "--nonce", nonce, kept)
        c.run("bytes", "verify", "--statement", path, "--signer", KEY[:42], "--chain-id", "1", "--max-age", "any", "--request", "any")


def of_metadata(c):
    image = c.folder / "image"
    image.mkdir()
    for bad in spoilt({"bios": "ovmf.fd", "kernel": "bzImage", "initrd": "initramfs", "cmdline": "x"}):
        (image / "metadata.json").write_bytes(json.dumps(bad, ensure_ascii=False).encode())
        c.run("metadata", "measure", "--memory", "3G", "--rtmr0", "00" * 48, "--image", str(image))


def of_server(c, policy):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    shown = b""
    follow = ["verify", "--follow", "--pubkey", KEY, "--setup-hash", "00" * 32]
    for status in (200, 302, 404, 500, 503):
        url = f"http://127.0.0.1:{server.server_port}/{status}"
        for args in (["quote", url], ["verify", "--policy", policy, url], ["verify", "--json", "--policy", policy, url],
                     ["verify", "--statement", url, "--signer", KEY[:42], "--chain-id", "1", "--max-age", "any", "--request", "any"],
                     ["peers", url], [*follow, url], ["order", "prepare", "--policy", policy, "--node", url]):
            shown += c.run(f"HTTP {status}", *args)[1]
    url = f"http://127.0.0.1:{server.server_port}/200"
    for i, bad in enumerate(spoilt(PEERS)):
        Hostile.body = json.dumps(bad, ensure_ascii=False).encode()
        shown += c.run("peers", "peers", *(["--json"] if i % 8 == 7 else []), url)[1]
    for bad in spoilt(KEYS):
        Hostile.body = json.dumps(bad, ensure_ascii=False).encode()
        c.run("keys", *follow, url)
        c.run("keys", "order", "prepare", "--policy", policy, "--node", url)
    Hostile.body = RAW
    server.shutdown()
    if MARK.encode() not in shown:
        c.bad.append("no error body was shown at all: this test shows nothing")


def self_test():
    for bad in (b"a\x1b[2J\n", b"ok   FORGED\n", b"\xff\n", "\u202e\n".encode(), "\u009b\n".encode(), b"a\rb\n", b""):
        assert fault_of(0, bad), bad
    assert not fault_of(0, b"ok   policy x FORGED\n") and fault_of(-11, b"x")
    status, out = on_terminal([sys.executable, "-c", "import sys; print(sys.stdout.isatty(), '\\x1b[2J')"])
    assert (status, out) == (0, b"True \x1b[2J\n"), out


def main(program, data, corpus, attestation=None, nonce=None, policy=None):
    data, corpus = pathlib.Path(data), pathlib.Path(corpus)
    self_test()
    with tempfile.TemporaryDirectory() as folder:
        c = Cases(program, folder)
        live = attestation is not None
        judged = json.loads(pathlib.Path(attestation).read_text()) if live else attestations(data, corpus)
        nonce = nonce or "00" * 32
        policy = policy or str(corpus / "policy/full.json")
        of_policy(c, corpus, copy.deepcopy(judged), nonce)
        of_attestation(c, judged, nonce, policy, not live)
        if not live:
            of_statements(c, corpus)
            of_answers(c, corpus, judged, nonce, policy)
            of_metadata(c)
            of_server(c, policy)
    print("\n".join(c.bad) or f"terminal: {c.count} runs, nothing foreign reached the terminal")
    return 1 if c.bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
