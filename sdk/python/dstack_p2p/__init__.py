"""Peers of a cluster, as the node beside this program proves them: the DStack P2P SDK's three calls.

    sdk = DStackP2PSDK("0x…", "tls")
    await sdk.register()
    peers = await sdk.get_peers()
    await sdk.monitor_peers(callback)

The node (kettle run, with the key `membership`) holds the key, sends the transactions and reads the list on state that it proved;
this package only speaks to it, HTTP over the Unix socket KETTLE_P2P_SOCKET (/run/kettle/p2p.sock). Standard library only, Python
3.9 or newer. A list that cannot be had is a P2PError, never an empty list.
"""

import asyncio
import inspect
import json
import logging
import os
import re
from typing import Any, Awaitable, Callable, Dict, List, Optional, Tuple, TypeVar, Union

__all__ = ["DStackP2PSDK", "P2PError"]

SOCKET = "/run/kettle/p2p.sock"
MODES = ("tls", "wireguard")
ANSWER_MAX = 1 << 20  # bytes, head included
PEERS_MAX = 1024
PEER_MAX = 253  # characters
WAIT_S = 60  # the node answers a question for changes after so long without one
ANSWER_S = 30.0
REGISTER_S = 600.0  # two transactions and their receipts
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # after failures in a row

Callback = Union[Callable[[List[str]], None], Callable[[List[str]], Awaitable[None]]]

_logger = logging.getLogger(__name__)
_T = TypeVar("_T")


class P2PError(Exception):
    """The node is not there, refuses, or answers what it must not."""


class DStackP2PSDK:
    """One cluster, named by its contract and mode."""

    def __init__(self, nft_contract_address: str, mode: str) -> None:
        """
        Args:
            nft_contract_address: the contract of members, as the node is configured with it
            mode: 'tls' or 'wireguard', likewise
        ValueError: neither can be one. Whether they are the node's own, the first call tells, with a ValueError too.
        """
        if not re.fullmatch("0x[0-9a-fA-F]{40}", nft_contract_address):
            raise ValueError(f"not an address: {nft_contract_address!r}")
        if mode not in MODES:
            raise ValueError(f"mode must be 'tls' or 'wireguard', not {mode!r}")
        self._contract = nft_contract_address.lower()
        self._mode = mode
        self._checked = False

    async def register(self) -> bool:
        """Registers this instance, and keeps it registered. False: the log says why."""
        try:
            await self._check()
            answer = await self._known(_ask("POST", "/v1/p2p/register", REGISTER_S))
            if answer.get("registered") is not True:
                raise P2PError("the node does not say that it registered")
        except P2PError as error:
            _logger.error("not registered: %s", error)
            return False
        return True

    async def get_peers(self) -> List[str]:
        """The endpoints of the active peers, in order of their tokens. P2PError: there is no list."""
        await self._check()
        return (await self._known(_peers()))[0]

    async def monitor_peers(self, callback: Callback) -> None:
        """Calls callback (a function or a coroutine function) with the list, then again with each other list, until it is
        cancelled. What callback raises is logged; while there is no list, it is not called."""
        await self._check()
        known: Optional[List[str]] = None
        cursor: Optional[str] = None
        failures = 0
        while True:
            try:
                await self._check()
                peers, cursor = await self._known(_peers(cursor))
                failures = 0
            except P2PError as error:
                pause = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
                _logger.warning("no list of peers, again in %g s: %s", pause, error)
                failures += 1
                cursor = None
                await asyncio.sleep(pause)
                continue
            if peers != known:
                known = peers
                await _call(callback, list(peers))

    async def _known(self, question: Awaitable[_T]) -> _T:
        """Its answer. Behind one that fails another node may answer on the socket: the next call asks whether it is ours."""
        try:
            return await question
        except P2PError:
            self._checked = False
            raise

    async def _check(self) -> None:
        if self._checked:
            return
        status = await _ask("GET", "/v1/p2p/status", ANSWER_S)
        contract, mode = status.get("contract"), status.get("mode")
        if not isinstance(contract, str) or not isinstance(mode, str):
            raise P2PError("the node does not say which contract it follows")
        if contract.lower() != self._contract or mode != self._mode:
            raise ValueError(f"the node follows {contract} in mode {mode!r}, not {self._contract} in mode {self._mode!r}")
        self._checked = True


async def _call(callback: Callback, peers: List[str]) -> None:
    try:
        result = callback(peers)
        if inspect.isawaitable(result):
            await result
    except Exception:  # the caller's own: its next list comes all the same
        _logger.exception("the callback for peers failed")


async def _peers(after: Optional[str] = None) -> Tuple[List[str], str]:
    """A list and the place behind it; with a place: when another list is there, or after WAIT_S."""
    path = "/v1/p2p/peers" if after is None else f"/v1/p2p/peers?after={after}&wait_s={WAIT_S}"
    answer = await _ask("GET", path, ANSWER_S if after is None else WAIT_S + ANSWER_S)
    peers, cursor = answer.get("peers"), answer.get("cursor")
    if not isinstance(peers, list) or len(peers) > PEERS_MAX:
        raise P2PError("the node's list of peers is none")
    for peer in peers:
        if not isinstance(peer, str) or not re.fullmatch(f"[!-~]{{1,{PEER_MAX}}}", peer):
            raise P2PError("a peer in the node's list is none")
    if not isinstance(cursor, str) or not re.fullmatch("[0-9A-Za-z_-]{1,128}", cursor):
        raise P2PError("the node's list of peers has no place")
    return peers, cursor


async def _ask(method: str, path: str, limit_s: float) -> Dict[str, Any]:
    """One question to the node; the object that it answers with status 200."""
    socket = os.environ.get("KETTLE_P2P_SOCKET") or SOCKET
    try:
        raw = await asyncio.wait_for(_exchange(socket, method, path), limit_s)
    except asyncio.TimeoutError:
        raise P2PError(f"{socket}: no answer within {limit_s:g} s") from None
    except (OSError, ValueError) as error:
        raise P2PError(f"{socket}: {error}") from None
    status, body = _parse(raw)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise P2PError(f"status {status} with a body that is no JSON") from None
    if not isinstance(answer, dict):
        raise P2PError(f"status {status} with a body that is no object")
    if status != 200:
        raise P2PError(f"{answer.get('detail') or answer.get('title') or 'refused'} (status {status})")
    return answer


async def _exchange(socket: str, method: str, path: str) -> bytes:
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        head = f"{method} {path} HTTP/1.1\r\nHost: kettle\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode("ascii"))
        await writer.drain()
        raw = await reader.read(ANSWER_MAX + 1)
        while len(raw) <= ANSWER_MAX and (more := await reader.read(ANSWER_MAX + 1 - len(raw))):
            raw += more
        return raw
    finally:
        writer.close()


def _parse(raw: bytes) -> Tuple[int, bytes]:
    """Status and body of a whole HTTP/1.1 answer that has a Content-Length."""
    if len(raw) > ANSWER_MAX:
        raise P2PError(f"an answer of more than {ANSWER_MAX} bytes")
    head, end, body = raw.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    status = re.fullmatch(rb"HTTP/1\.[01] ([0-9]{3})(?: [ -~]*)?", first)
    lengths = [value.strip() for name, colon, value in (field.partition(b":") for field in fields)
               if colon and name.lower() == b"content-length"]
    if not end or not status or len(lengths) != 1 or not re.fullmatch(rb"[0-9]{1,7}", lengths[0]):
        raise P2PError("an answer that is no HTTP with a length")
    if int(lengths[0]) != len(body):
        raise P2PError(f"an answer that ends early or late: {len(body)} bytes of {int(lengths[0])}")
    return int(status[1]), body
