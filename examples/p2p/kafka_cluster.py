"""Keeps bootstrap.servers of a Kafka client's properties at those peers whose broker answers (ApiVersions, version 0).

    PYTHONPATH=sdk/python python3 examples/p2p/kafka_cluster.py CONTRACT tls|wireguard FILE [PORT, 9092]
"""
import asyncio
import os
import struct
import sys
from urllib.parse import urlsplit

from dstack_p2p import DStackP2PSDK

KEY = "bootstrap.servers="
PATIENCE_S = 5.0
ID = 7  # of the question, and of its answer


async def answers(host: str, port: int) -> bool:
    """Whether there is a broker."""
    question = struct.pack(">hhih", 18, 0, ID, 2) + b"p2"
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), PATIENCE_S)
        try:
            writer.write(struct.pack(">i", len(question)) + question)
            _, correlation, error = struct.unpack(">iih", await asyncio.wait_for(reader.readexactly(10), PATIENCE_S))
            return bool(correlation == ID and error == 0)
        finally:
            writer.close()
    except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
        return False


def write(file: str, servers: str) -> None:
    lines = []
    if os.path.exists(file):
        with open(file, encoding="utf-8") as old:
            lines = [line for line in old.read().splitlines() if not line.startswith(KEY)]
    with open(f"{file}.new", "w", encoding="utf-8") as new:
        new.write("\n".join([*lines, KEY + servers]) + "\n")
    os.replace(f"{file}.new", file)  # whole, at once


async def main(contract: str, mode: str, file: str, port: str = "9092") -> None:
    async def update_kafka_config(peers: list[str]) -> None:
        hosts = [urlsplit(peer).hostname or "" if "://" in peer else peer for peer in peers]
        there = await asyncio.gather(*(answers(host, int(port)) for host in hosts))
        brokers = [f"{host}:{port}" for host, good in zip(hosts, there) if good]
        write(file, ",".join(brokers))
        print(f"{len(brokers)} of {len(peers)} peers are brokers", flush=True)

    sdk = DStackP2PSDK(contract, mode)
    if not await sdk.register():
        sys.exit("not registered")
    await sdk.monitor_peers(update_kafka_config)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
