"""sdk/python/dstack_p2p against a node that this test plays: the three calls, what the node may answer and what not, and the usage
blocks of the specification ($KETTLE_SEEDS or ../shared/seeds beside the checkout; left out when they are not there).

    python3 -m unittest tests/sdk/test_p2p.py        or this file itself, which closes on "N passed, N failed"
"""
import ast
import asyncio
import inspect
import json
import logging
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import types
import typing
import unittest
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "sdk/python"))
import dstack_p2p  # noqa: E402
from dstack_p2p import DStackP2PSDK, P2PError  # noqa: E402

CONTRACT = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
FOUR = ["10.0.1.1", "10.0.1.2", "10.0.1.3", "10.0.1.4"]
SEEDS = pathlib.Path(os.environ.get("KETTLE_SEEDS") or ROOT.parent / "shared/seeds")


def http(body, status="200 OK"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw


class Node:
    """Answers on a Unix socket. A question for changes waits until there is one; `raw` is said instead of any answer."""

    def __init__(self):
        self.status = {"contract": CONTRACT.lower(), "mode": "wireguard"}
        self.registered = http({"registered": True})
        self.peers, self.version, self.raw = list(FOUR), 1, {}
        self.asked, self.changed = [], asyncio.Event()

    def set_peers(self, peers):
        self.peers, self.version = peers, self.version + 1
        self.changed.set()
        self.changed = asyncio.Event()

    async def serve(self, reader, writer):
        line = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode()
        self.asked.append(line.removesuffix(" HTTP/1.1"))
        writer.write(await self.answer(*line.split(" ")[:2]))
        writer.close()

    async def answer(self, method, path):
        path, _, query = path.partition("?")
        if path in self.raw:
            return self.raw[path]
        if (method, path) == ("GET", "/v1/p2p/status"):
            return http(self.status)
        if (method, path) == ("POST", "/v1/p2p/register"):
            return self.registered
        if query:
            after, wait = re.fullmatch(r"after=v(\d+)&wait_s=(\d+)", query).groups()
            if int(after) == self.version:
                try:
                    await asyncio.wait_for(self.changed.wait(), min(float(wait), 0.2))
                except asyncio.TimeoutError:
                    pass
        return http({"peers": self.peers, "cursor": f"v{self.version}", "block": "0x10", "age_s": 12})


class Against(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        logging.disable(logging.CRITICAL)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = f"{folder.name}/p2p.sock"
        self.node = Node()
        server = await asyncio.start_unix_server(self.node.serve, self.path)
        self.addAsyncCleanup(server.wait_closed)
        self.addCleanup(server.close)
        for patch in (mock.patch.dict(os.environ, {"KETTLE_P2P_SOCKET": self.path}),
                      mock.patch.object(dstack_p2p, "PAUSES_S", (0.01,))):
            patch.start()
            self.addCleanup(patch.stop)
        self.sdk = DStackP2PSDK(CONTRACT, "wireguard")

    async def until(self, condition):
        for _ in range(3000):
            if condition():
                return
            await asyncio.sleep(0.01)
        self.fail("it did not come about")

    async def watched(self, callback):
        task = asyncio.ensure_future(self.sdk.monitor_peers(callback))
        self.addCleanup(task.cancel)
        return task


class Calls(Against):
    async def test_the_interface_is_the_specification_s(self):
        def names(function):
            return list(inspect.signature(function).parameters)
        self.assertEqual(names(DStackP2PSDK), ["nft_contract_address", "mode"])
        self.assertEqual(names(self.sdk.register), [])
        self.assertEqual(names(self.sdk.get_peers), [])
        self.assertEqual(names(self.sdk.monitor_peers), ["callback"])
        self.assertIs(typing.get_type_hints(DStackP2PSDK.register)["return"], bool)
        self.assertEqual(typing.get_type_hints(DStackP2PSDK.get_peers)["return"], typing.List[str])
        public = [name for name in vars(DStackP2PSDK) if not name.startswith("_")]
        self.assertEqual(public, ["register", "get_peers", "monitor_peers"])

    async def test_three_lines(self):
        self.assertIs(await self.sdk.register(), True)
        self.assertEqual(await self.sdk.get_peers(), FOUR)
        self.assertEqual(await self.sdk.get_peers(), FOUR)
        self.assertEqual(self.node.asked, ["GET /v1/p2p/status", "POST /v1/p2p/register",
                                           "GET /v1/p2p/peers", "GET /v1/p2p/peers"])

    async def test_an_empty_list_of_the_node_is_one(self):
        self.node.peers = []
        self.assertEqual(await self.sdk.get_peers(), [])

    async def test_neither_contract_nor_mode_may_be_another_than_the_node_s(self):
        for contract, mode in ((CONTRACT[:-1] + "4", "wireguard"), (CONTRACT, "tls")):
            sdk = DStackP2PSDK(contract, mode)
            for call in (sdk.register, sdk.get_peers, lambda sdk=sdk: sdk.monitor_peers(print)):
                with self.assertRaises(ValueError):
                    await call()
        self.assertEqual(set(self.node.asked), {"GET /v1/p2p/status"})
        for contract, mode in (("0x123...", "tls"), (CONTRACT[2:], "tls"), (CONTRACT + "0", "tls"), (CONTRACT + "\n", "tls"),
                               (CONTRACT, "TLS"), (CONTRACT, "")):
            with self.assertRaises(ValueError):
                DStackP2PSDK(contract, mode)

    async def test_behind_an_error_the_node_is_asked_again_which_one_it_is(self):
        for call in (self.sdk.get_peers, lambda: self.sdk.monitor_peers(print)):
            self.node.status["mode"] = "wireguard"
            self.node.raw.clear()
            await self.sdk.get_peers()
            self.node.raw["/v1/p2p/peers"] = http({}, "502 Bad Gateway")
            with self.assertRaises(P2PError):
                await self.sdk.get_peers()
            self.node.raw.clear()
            self.node.status["mode"] = "tls"
            with self.assertRaises(ValueError):
                await call()

    async def test_register_is_false_when_the_node_refuses(self):
        for answer in (http({"detail": "no token"}, "409 Conflict"), http({"registered": False}), http({}), http([]), b""):
            self.node.registered = answer
            self.assertIs(await self.sdk.register(), False)

    async def test_an_error_is_no_empty_list(self):
        self.node.raw["/v1/p2p/peers"] = http({"detail": "execution_rpc[0]: a false proof"}, "502 Bad Gateway")
        with self.assertRaisesRegex(P2PError, r"execution_rpc\[0\]: a false proof \(status 502\)"):
            await self.sdk.get_peers()
        with mock.patch.dict(os.environ, {"KETTLE_P2P_SOCKET": self.path + "x"}), self.assertRaises(P2PError):
            await self.sdk.get_peers()
        with mock.patch.dict(os.environ, {"KETTLE_P2P_SOCKET": self.path + "x"}):
            self.assertIs(await DStackP2PSDK(CONTRACT, "tls").register(), False)


class Answers(Against):
    async def refused(self, raw, path="/v1/p2p/peers"):
        self.node.raw[path] = raw
        with self.assertRaises(P2PError, msg=raw[:200]):
            await self.sdk.get_peers()
        del self.node.raw[path]

    async def test_every_truncation_is_refused(self):
        whole = http({"peers": FOUR[:1], "cursor": "v1"})
        self.node.raw["/v1/p2p/peers"] = whole
        self.assertEqual(await self.sdk.get_peers(), FOUR[:1])
        for n in range(len(whole)):
            await self.refused(whole[:n])
        await self.refused(whole + b"x")

    async def test_what_is_no_list_is_refused(self):
        good = {"peers": FOUR, "cursor": "v1"}
        for member, value in (("peers", None), ("peers", "10.0.1.1"), ("peers", {"0": "a"}), ("peers", [1]), ("peers", [""]),
                              ("peers", ["a b"]), ("peers", ["a\n"]), ("peers", ["é"]), ("peers", ["a" * 254]),
                              ("peers", ["a"] * 1025), ("cursor", None), ("cursor", ""), ("cursor", "a b"), ("cursor", "a&b=c"),
                              ("cursor", "a" * 129), ("cursor", 7)):
            await self.refused(http({**good, member: value}))
        for body in (b"", b"[]", b"7", b"null", b"{", b"\xff", b"[" * 100000, b'{"peers":[]}'):
            await self.refused(http(body))
        self.node.raw["/v1/p2p/peers"] = http({"peers": ["a" * 253] * 1024, "cursor": "_-" * 64})
        self.assertEqual(len(await self.sdk.get_peers()), 1024)

    async def test_what_is_no_answer_of_http_is_refused(self):
        body = b'{"peers":[],"cursor":"v1"}'
        for head in (b"", b"HTTP/2 200 OK\r\nContent-Length: 26", b"HTTP/1.1 200 OK", b"HTTP/1.1 20 OK\r\nContent-Length: 26",
                     b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\nContent-Length: 26", b"HTTP/1.1 200 OK\r\nContent-Length: 25",
                     b"HTTP/1.1 200 OK\r\nContent-Length: -26", b"HTTP/1.1 200 OK\r\nContent-Length: +26",
                     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"200\r\nContent-Length: 26"):
            await self.refused(head + b"\r\n\r\n" + body)
        await self.refused(http(b" " * (1 << 20)))
        self.node.raw["/v1/p2p/peers"] = b"HTTP/1.0 200\r\ncontent-length:26\r\n\r\n" + body
        self.assertEqual(await self.sdk.get_peers(), [])

    async def test_a_node_that_says_nothing_is_waited_for_so_long(self):
        async def never(*_):
            await asyncio.sleep(3600)
        with mock.patch.object(dstack_p2p, "ANSWER_S", 0.05), mock.patch.object(self.node, "answer", never):
            with self.assertRaisesRegex(P2PError, "no answer within"):
                await self.sdk.get_peers()

    async def test_a_status_without_contract_or_mode_is_refused(self):
        for status in ({}, {"contract": CONTRACT}, {"mode": "tls"}, {"contract": 7, "mode": "tls"}):
            await self.refused(http(status), "/v1/p2p/status")


class Monitor(Against):
    async def test_the_first_list_and_each_other_one_are_told_once(self):
        plain, awaited = [], []

        async def later(peers):
            await asyncio.sleep(0)
            awaited.append(peers)
        task = await self.watched(plain.append)
        other = await self.watched(later)
        await self.until(lambda: plain == [FOUR] and awaited == [FOUR])
        for peers in (FOUR[:3], FOUR[:3], ["10.0.1.2", "10.0.1.1"], ["10.0.1.1", "10.0.1.2"], []):
            self.node.set_peers(peers)
            await self.until(lambda peers=peers: plain[-1] == peers and awaited[-1] == peers)
        await self.until(lambda: sum("after=v6" in line for line in self.node.asked) >= 4)  # nothing new, twice each
        self.assertEqual(plain, [FOUR, FOUR[:3], ["10.0.1.2", "10.0.1.1"], ["10.0.1.1", "10.0.1.2"], []])
        self.assertEqual(awaited, plain)
        self.assertFalse(task.done() or other.done())
        for end in (task, other):
            end.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await end

    async def test_what_the_callback_raises_or_does_with_its_list_is_its_own(self):
        told = []

        def bad(peers):
            told.append(list(peers))
            peers.clear()
            raise RuntimeError("the application's own")

        async def worse(peers):
            bad(peers)
        for callback in (bad, worse):
            told.clear()
            self.node.set_peers(list(FOUR))
            task = await self.watched(callback)
            await self.until(lambda: told == [FOUR])
            self.node.set_peers(FOUR[:1])
            await self.until(lambda: told == [FOUR, FOUR[:1]])
            self.assertFalse(task.done())
            task.cancel()

    async def test_an_error_is_told_to_nobody_and_ends_nothing(self):
        told = []
        task = await self.watched(told.append)
        await self.until(lambda: told == [FOUR])
        self.node.raw["/v1/p2p/peers"] = http({"detail": "too old"}, "503 Service Unavailable")
        for peers in (FOUR, FOUR[:2]):  # the question that waits is answered first, then the list is another one
            self.node.set_peers(peers)
            asked = len(self.node.asked)
            await self.until(lambda asked=asked: len(self.node.asked) > asked + 3)
        self.assertEqual(told, [FOUR])
        del self.node.raw["/v1/p2p/peers"]
        await self.until(lambda: told == [FOUR, FOUR[:2]])
        self.assertFalse(task.done())


def usage_blocks():
    found = [path for path in SEEDS.glob("003*") if path.is_file()] if SEEDS.is_dir() else []
    blocks = re.findall(r"```python\n(.*?)```", found[0].read_text(), re.S) if found else []
    return [block for block in blocks if "sdk = DStackP2PSDK(" in block]


@unittest.skipUnless(usage_blocks(), f"no specification in {SEEDS}")
class Usage(Against):
    """The specification's own code, with the contract's address in the place of "0x123..."."""

    async def run_block(self, block):
        mode = re.search(r'DStackP2PSDK\("0x123\.\.\.", "(\w+)"\)', block)[1]
        self.node.status["mode"] = mode
        patroni = types.SimpleNamespace(update_cluster_members=mock.Mock(), reload_config=mock.Mock())
        names = {"DStackP2PSDK": DStackP2PSDK, "patroni": patroni, "redis_client": mock.Mock(), "kafka_config": {}}
        code = compile(block.replace("0x123...", CONTRACT), "usage", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        task = asyncio.ensure_future(eval(code, names))  # a block with monitor_peers ends only when it is cancelled
        self.addCleanup(task.cancel)
        return task, names

    async def test_the_six_blocks_run(self):
        blocks = usage_blocks()
        self.assertEqual(len(blocks), 6)
        for block in blocks:
            task, names = await self.run_block(block)
            if "monitor_peers" not in block:
                await asyncio.wait_for(task, 10)
                self.assertEqual(names["peers"], FOUR)
                continue
            members = [f"postgres://postgres@{peer}:5432/postgres" for peer in FOUR]
            if "patroni" in block:
                await self.until(lambda: names["patroni"].reload_config.called)
                names["patroni"].update_cluster_members.assert_called_once_with(members)
            elif "redis" in block:
                await self.until(lambda: names["redis_client"].cluster_meet_all.called)
                names["redis_client"].cluster_meet_all.assert_called_once_with([f"{peer}:6379" for peer in FOUR])
            else:
                await self.until(lambda: names["kafka_config"])
                self.assertEqual(names["kafka_config"], {"bootstrap.servers": ",".join(f"{peer}:9092" for peer in FOUR)})
            self.assertFalse(task.done())
            task.cancel()


class Types(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mypy"), "mypy is not installed")
    def test_mypy_finds_nothing(self):
        run = subprocess.run(["mypy", "--strict", "--cache-dir=/dev/null", str(ROOT / "sdk/python/dstack_p2p")],
                             capture_output=True, text=True, timeout=300)
        self.assertEqual((run.returncode, run.stderr), (0, ""), run.stdout)

    def test_only_the_standard_library_is_imported(self):
        tree = ast.parse(pathlib.Path(dstack_p2p.__file__).read_text())
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        self.assertLessEqual(names, set(sys.stdlib_module_names))


if __name__ == "__main__":
    result = unittest.TextTestRunner(stream=sys.stderr).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"]))
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad - len(result.skipped)} passed, {bad} failed")
    sys.exit(1 if bad or not result.testsRun else 0)
