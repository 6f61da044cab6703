"""One script for the specification's three calls in every language, against a node that this test plays; and the programs of
examples/p2p against servers that it plays as well.

    python3 tests/sdk/test_p2p_clients.py [python] [c] [go] [rust] [examples]     without arguments: c, examples

C: of build/ or $KETTLE_BUILD. Go and Rust: compiled here. What cannot be had is left out and named; closes on "N passed, N failed".
"""
import asyncio
import glob
import http.server
import json
import logging
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

from test_p2p import CONTRACT, FOUR, Node, ROOT, http as answer

MAX = 1 << 20
BUILD = pathlib.Path(os.environ.get("KETTLE_BUILD") or ROOT / "build")


def run(*command, **more):
    subprocess.run(command, check=True, timeout=600, **more)


def python(_):
    return [sys.executable, str(ROOT / "examples/p2p/peers.py")]


def c(_):
    program = BUILD / "sdk/c/p2p-peers"
    return [str(program)] if program.exists() else f"{program} is not built"


def go(folder):
    found = shutil.which("go") or next(iter(sorted(glob.glob("/usr/lib/go*/bin/go"))), None)
    if not found:
        return "no go (Debian: golang-go)"
    env = {**os.environ, "GOCACHE": f"{folder}/cache", "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GO111MODULE": "on"}
    run(found, "vet", "./...", cwd=ROOT / "sdk/go", env=env)
    run(found, "build", "-o", f"{folder}/peers", "./peers", cwd=ROOT / "sdk/go", env=env)
    return [f"{folder}/peers"]


def rust(folder):
    found = shutil.which("rustc")
    if not found:
        return "no rustc"
    common = [found, "--edition", "2021", "-D", "warnings"]
    run(*common, "--crate-type", "rlib", "--out-dir", folder, str(ROOT / "sdk/rust/dstack_p2p.rs"))
    run(*common, "--extern", f"dstack_p2p={folder}/libdstack_p2p.rlib", "-o", f"{folder}/peers", str(ROOT / "examples/p2p/peers.rs"))
    return [f"{folder}/peers"]


class Script(unittest.IsolatedAsyncioTestCase):
    """What a client does: its program's output and status, 0 done, 1 failed, 2 another cluster."""
    command, truncations = [], True

    async def asyncSetUp(self):
        logging.disable(logging.CRITICAL)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.node, path = Node(), f"{folder.name}/p2p.sock"
        self.env = {**os.environ, "KETTLE_P2P_SOCKET": path, "PYTHONPATH": str(ROOT / "sdk/python")}
        server = await asyncio.start_unix_server(self.node.serve, path)
        self.addAsyncCleanup(server.wait_closed)
        self.addCleanup(server.close)

    async def started(self, *args, contract=CONTRACT, mode="wireguard"):
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*self.command, contract, mode, *args, env=self.env, stdout=pipe, stderr=pipe)

    async def gives(self, status, out, *args, said="", **more):
        child = await self.started(*args, **more)
        stdout, stderr = await asyncio.wait_for(child.communicate(), 120)
        self.assertEqual((child.returncode, stdout.decode()), (status, out), stderr.decode())
        self.assertIn(said, stderr.decode())

    async def test_register(self):
        await self.gives(0, "", "register")
        self.assertEqual(self.node.asked, ["GET /v1/p2p/status", "POST /v1/p2p/register"])
        for refusal in (answer({"detail": "no token"}, "409 Conflict"), answer({"registered": False}), answer({}),
                        answer({"registered": "true"}), answer({"registered": 1}), answer([]), b""):
            self.node.registered = refusal
            await self.gives(1, "", "register")
        self.node.registered = answer({"detail": "this node's address has no token"}, "409 Conflict")
        await self.gives(1, "", "register", said="this node's address has no token (status 409)")

    async def test_peers(self):
        await self.gives(0, " ".join(FOUR) + "\n", "peers")
        self.node.peers = []
        await self.gives(0, "\n", "peers")
        self.node.peers = ["https://abc-s.dstack.example"]
        self.node.status = {"contract": CONTRACT.upper().replace("0X", "0x"), "mode": "tls"}
        await self.gives(0, "https://abc-s.dstack.example\n", "peers", mode="tls")

    async def test_another_cluster(self):
        for contract, mode in ((CONTRACT[:-1] + "4", "wireguard"), (CONTRACT, "tls"), ("0x123", "wireguard"), (CONTRACT[2:], "tls"),
                               (CONTRACT + "0", "tls"), (CONTRACT, "TLS"), (CONTRACT, "")):
            for what in ("register", "peers", "watch"):
                await self.gives(2, "", what, contract=contract, mode=mode)
        for status in ({}, {"contract": CONTRACT}, {"mode": "wireguard"}, {"contract": 7, "mode": "wireguard"}):
            self.node.status = status
            await self.gives(1, "", "peers")

    async def test_another_cluster_on_the_same_socket(self):
        child = await self.started("watch", "5")
        self.assertEqual(await asyncio.wait_for(child.stdout.readline(), 60), (" ".join(FOUR) + "\n").encode())
        self.node.status, self.node.raw["/v1/p2p/peers"] = {"contract": CONTRACT[:-1] + "4", "mode": "wireguard"}, answer({}, "502 X")
        self.assertEqual(await asyncio.wait_for(child.wait(), 60), 2)

    async def test_an_error_is_no_list(self):
        for raw, said in ((answer({"detail": "execution_rpc[0]: a false proof"}, "502 Bad Gateway"), "a false proof (status 502)"),
                          (answer({"title": "Too old"}, "504 X"), "Too old (status 504)"), (answer({}, "500 X"), "refused"),
                          (answer(b"x", "500 X"), "500"), (b"", "")):
            self.node.raw["/v1/p2p/peers"] = raw
            await self.gives(1, "", "peers", said=said)
        self.env["KETTLE_P2P_SOCKET"] += "x"
        await self.gives(1, "", "peers")

    async def test_what_is_no_list(self):
        good = {"peers": FOUR, "cursor": "v1"}
        bad = [{**good, member: value} for member, value in (
            ("peers", None), ("peers", "10.0.1.1"), ("peers", {"0": "a"}), ("peers", [1]), ("peers", [None]), ("peers", [""]),
            ("peers", ["a b"]), ("peers", ["a\n"]), ("peers", ["a\0"]), ("peers", ["é"]), ("peers", ["a" * 254]),
            ("peers", ["a"] * 1025), ("cursor", None), ("cursor", ""), ("cursor", "a b"), ("cursor", "a&b=c"),
            ("cursor", "a" * 129), ("cursor", 7))]
        bodies = [json.dumps(body).encode() for body in bad]
        bodies += [b"", b"[]", b"7", b"null", b"{", b"\xff", b"[" * 100000, b'{"peers":[]}', b'{"peers":[],"cursor":"v1"}x',
                   b'{"peers":[,],"cursor":"v1"}', b'{"peers":["\xff"],"cursor":"v1"}', b'{"peers":["\\ud800"],"cursor":"v1"}']
        for body in bodies:
            self.node.raw["/v1/p2p/peers"] = answer(body)
            await self.gives(1, "", "peers")
        self.node.raw["/v1/p2p/peers"] = answer({"peers": ["a" * 253] * 1024, "cursor": "_-" * 64, "more": [1.5e3, {"x": None}]})
        await self.gives(0, " ".join(["a" * 253] * 1024) + "\n", "peers")
        self.node.raw["/v1/p2p/peers"] = answer(b' {"peers" : [ "\\u0061\\/b" ] ,\n"cursor":"v1"}\t')
        await self.gives(0, "a/b\n", "peers")

    async def test_what_is_no_answer_of_http(self):
        body = b'{"peers":[],"cursor":"v1"}'
        for head in (b"", b"HTTP/2 200 OK\r\nContent-Length: 26", b"HTTP/1.1 200 OK", b"HTTP/1.1 20 OK\r\nContent-Length: 26",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\nContent-Length: 26", b"HTTP/1.1 200 OK\r\nContent-Length: 25",
                     b"HTTP/1.1 200 OK\r\nContent-Length: -26", b"HTTP/1.1 200 OK\r\nContent-Length: +26",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 26x", b"HTTP/1.1 200 OK\r\nContent-Length: 26 26",
                     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"200\r\nContent-Length: 26"):
            self.node.raw["/v1/p2p/peers"] = head + b"\r\n\r\n" + body
            await self.gives(1, "", "peers")
        self.node.raw["/v1/p2p/peers"] = answer(b" " * MAX)
        await self.gives(1, "", "peers")
        self.node.raw["/v1/p2p/peers"] = b"HTTP/1.0 200\r\ncontent-length:26\r\n\r\n" + body
        await self.gives(0, "\n", "peers")

    async def test_every_truncation(self):
        whole = answer({"peers": FOUR[:1], "cursor": "v1"})
        for n in range(len(whole)) if self.truncations else ():
            self.node.raw["/v1/p2p/peers"] = whole[:n]
            await self.gives(1, "", "peers")
        self.node.raw["/v1/p2p/peers"] = whole + b"x"
        await self.gives(1, "", "peers")

    async def test_the_first_list_and_each_other_one(self):
        child = await self.started("watch", "5")

        def line():
            return asyncio.wait_for(child.stdout.readline(), 60)
        self.assertEqual((await line()).decode().split(), FOUR)
        for peers in (FOUR[:3], ["10.0.1.2", "10.0.1.1"], []):
            self.node.set_peers(list(self.node.peers))  # the same list once more: nobody is told
            self.node.set_peers(peers)
            self.assertEqual((await line()).decode().split(), peers)
        self.node.raw["/v1/p2p/peers"] = answer({"detail": "too old"}, "503 X")  # an error is told to nobody, and ends nothing
        self.node.set_peers([])
        asked = len(self.node.asked)
        while len(self.node.asked) <= asked:
            await asyncio.sleep(0.02)
        del self.node.raw["/v1/p2p/peers"]
        self.node.set_peers(FOUR[:1])
        self.assertEqual((await line()).decode().split(), FOUR[:1])
        self.assertEqual(await asyncio.wait_for(child.wait(), 60), 0)
        self.assertTrue(any("after=v" in question and "wait_s=60" in question for question in self.node.asked))


class Examples(Script):
    """The specification's three applications: what their servers are told."""
    command = [sys.executable]

    def setUp(self):
        self.names = {name for name in dir(Script) if name.startswith("test_")}
        if self._testMethodName in self.names:
            self.skipTest("of a client")

    async def runs(self, program, mode, *args):
        self.node.status["mode"] = mode
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(sys.executable, str(ROOT / f"examples/p2p/{program}.py"), CONTRACT, mode, *args,
                                                     env=self.env, stdout=pipe)
        self.addAsyncCleanup(child.wait)
        self.addCleanup(child.kill)
        return lambda: asyncio.wait_for(child.stdout.readline(), 60)

    async def serve(self, handle, port=0, host="127.0.0.1"):
        server = await asyncio.start_server(handle, host, port)
        self.addAsyncCleanup(server.wait_closed)
        self.addCleanup(server.close)
        return server.sockets[0].getsockname()[1]

    async def test_example_redis(self):
        met = []

        async def redis(reader, writer):
            while head := await reader.readline():
                words = []
                for _ in range(int(head[1:])):
                    size = int((await reader.readline())[1:])
                    words.append((await reader.readexactly(size + 2))[:-2].decode())
                met.append(words)
                writer.write(b"+OK\r\n")
            writer.close()
        line = await self.runs("redis_cluster", "wireguard", f"127.0.0.1:{await self.serve(redis)}")
        self.assertEqual(await line(), b"met 4 peers\n")
        self.assertEqual(met, [["CLUSTER", "MEET", peer, "6379"] for peer in FOUR])
        self.node.set_peers(FOUR[:1])
        self.assertEqual(await line(), b"met 1 peers\n")
        self.assertEqual(met[4:], [["CLUSTER", "MEET", FOUR[0], "6379"]])

    async def test_example_patroni(self):
        told = []

        class Patroni(http.server.BaseHTTPRequestHandler):
            def take(self):
                told.append((self.command, self.path, self.rfile.read(int(self.headers.get("Content-Length") or 0))))
                self.send_response(202 if self.path == "/reload" else 200)
                self.end_headers()
            do_PATCH = do_POST = take

            def log_message(self, *_):
                pass
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Patroni)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        line = await self.runs("patroni_cluster", "wireguard", f"http://127.0.0.1:{server.server_port}")
        self.assertEqual(await line(), b"4 members may replicate\n")
        self.assertEqual([(method, path) for method, path, _ in told], [("PATCH", "/config"), ("POST", "/reload")])
        rules = json.loads(told[0][2])["postgresql"]["pg_hba"]
        self.assertEqual(rules[2:], [f"host replication,postgres all {peer}/32 scram-sha-256" for peer in FOUR])

    async def test_example_kafka(self):
        async def broker(reader, writer):
            size, = struct.unpack(">i", await reader.readexactly(4))
            key, version, correlation, n = struct.unpack(">hhih", (await reader.readexactly(size))[:10])
            self.assertEqual((key, version, n, size), (18, 0, 2, 12))
            writer.write(struct.pack(">iihi", 10, correlation, 0, 0))
            writer.close()

        async def other(_, writer):
            writer.write(b"SSH-2.0-OpenSSH\r\n")
            writer.close()
        port = await self.serve(broker, host="127.0.0.1")
        await self.serve(broker, port, "127.0.0.2")
        await self.serve(other, port, "127.0.0.3")
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "client.properties"
            file.write_text("acks=all\nbootstrap.servers=old:9092\n")
            self.node.peers = [f"https://127.0.0.{n}" for n in (1, 2, 3, 4)]
            line = await self.runs("kafka_cluster", "tls", str(file), str(port))
            self.assertEqual(await line(), b"2 of 4 peers are brokers\n")
            self.assertEqual(file.read_text(), f"acks=all\nbootstrap.servers=127.0.0.1:{port},127.0.0.2:{port}\n")


def cases(name, folder):
    """The script for a language, or why there is none."""
    if name == "examples":
        return Examples
    command = {"python": python, "c": c, "go": go, "rust": rust}[name](folder)
    if isinstance(command, str):
        return command
    return type(name, (Script,), {"command": command, "truncations": name != "python"})


def main(names):
    suite, missing = unittest.TestSuite(), []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            os.mkdir(f"{folder}/{name}")
            made = cases(name, f"{folder}/{name}")
            if isinstance(made, str):
                missing.append(f"{name}: {made}")
            else:
                suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(made))
        result = unittest.TextTestRunner(stream=sys.stderr).run(suite)
    bad = len(result.failures) + len(result.errors)
    for reason in missing:
        print(f"skipped: {reason}")
    if result.testsRun:
        print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed")
    return 1 if bad or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["c", "examples"]))
