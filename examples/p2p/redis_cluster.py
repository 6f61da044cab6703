"""Has a Redis Cluster's node meet each peer of the cluster, as they come: CLUSTER MEET, to the Redis at AT.

    PYTHONPATH=sdk/python python3 examples/p2p/redis_cluster.py CONTRACT tls|wireguard [AT, 127.0.0.1:6379]
"""
import asyncio
import socket
import sys
from urllib.parse import urlsplit

from dstack_p2p import DStackP2PSDK


def address(peer: str) -> str:
    """Redis takes only an IP address: of a gateway's name, the one that it has."""
    return socket.gethostbyname(urlsplit(peer).hostname or "") if "://" in peer else peer


def command(*words: str) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words)


async def cluster_meet_all(at: str, peers: list[str]) -> None:
    host, _, port = at.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for peer in peers:
            writer.write(command("CLUSTER", "MEET", address(peer), "6379"))
            answer = await reader.readline()
            if answer != b"+OK\r\n":
                raise OSError(f"CLUSTER MEET {peer}: {answer.decode(errors='replace').strip()}")
    finally:
        writer.close()


async def main(contract: str, mode: str, at: str = "127.0.0.1:6379") -> None:
    async def update_redis_cluster(peers: list[str]) -> None:
        await cluster_meet_all(at, peers)
        print(f"met {len(peers)} peers", flush=True)

    sdk = DStackP2PSDK(contract, mode)
    if not await sdk.register():
        sys.exit("not registered")
    await sdk.monitor_peers(update_redis_cluster)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
