"""Has this instance registered, or prints the cluster's peers, a list on a line.

    PYTHONPATH=sdk/python python3 examples/p2p/peers.py CONTRACT tls|wireguard register|peers|watch [LISTS]

Status 0: done; 1: the node is not there, or refuses; 2: it follows another contract, or in another mode.
"""
import asyncio
import sys

from dstack_p2p import DStackP2PSDK, P2PError


async def run(contract: str, mode: str, what: str, lists: int) -> int:
    sdk = DStackP2PSDK(contract, mode)
    if what == "register":
        return 0 if await sdk.register() else 1
    if what == "peers":
        print(" ".join(await sdk.get_peers()))
        return 0
    enough = asyncio.Event()

    def changed(peers: list[str]) -> None:
        nonlocal lists
        print(" ".join(peers), flush=True)
        lists -= 1
        if not lists:
            enough.set()

    watching = asyncio.ensure_future(sdk.monitor_peers(changed))
    waiting = asyncio.ensure_future(enough.wait())
    await asyncio.wait({watching, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if watching.done():
        await watching
    watching.cancel()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(run(*sys.argv[1:4], int(sys.argv[4]) if len(sys.argv) > 4 else 0)))
    except P2PError as error:
        sys.exit(f"{error}")
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
