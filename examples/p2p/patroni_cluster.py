"""Lets a PostgreSQL cluster's members replicate from each other, as they come: Patroni's pg_hba, by its REST API.

    PYTHONPATH=sdk/python python3 examples/p2p/patroni_cluster.py CONTRACT wireguard [URL, http://127.0.0.1:8008]
"""
import asyncio
import json
import sys
import urllib.request

from dstack_p2p import DStackP2PSDK

OWN_RULES = ["local all all peer", "host all all 127.0.0.1/32 scram-sha-256"]


def ask(url: str, method: str, body: object = None) -> None:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30):
        pass


def update_cluster_members(url: str, peers: list[str]) -> None:
    rules = [f"host replication,postgres all {peer}/32 scram-sha-256" for peer in peers]
    ask(f"{url}/config", "PATCH", {"postgresql": {"pg_hba": OWN_RULES + rules}})
    ask(f"{url}/reload", "POST")


async def main(contract: str, mode: str, url: str = "http://127.0.0.1:8008") -> None:
    async def update_patroni_cluster(peers: list[str]) -> None:
        await asyncio.to_thread(update_cluster_members, url, peers)
        print(f"{len(peers)} members may replicate", flush=True)

    sdk = DStackP2PSDK(contract, mode)
    if not await sdk.register():
        sys.exit("not registered")
    await sdk.monitor_peers(update_patroni_cluster)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
