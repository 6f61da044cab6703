"""Checks the house: every folder stands on a floor and includes only from the rooms listed for it, none of them above it;
files make no circle; below the I/O line no file does I/O; each outside library has one door.

usage: layers.py ROOT
"""
import pathlib
import re
import sys

LC = "lightclient/"
# room: (floor, what it may include besides itself, base and base/crypto). The floors of CONTRIBUTING.md are the same rows.
ROOMS = {
    "base": (1, []),
    "base/crypto": (1, []),
    "base/os": (1, []),
    LC + "rlp": (2, []),
    LC + "ssz": (2, []),
    LC + "bls": (2, []),
    LC + "mpt": (2, [LC + "rlp"]),
    LC + "evm": (2, [LC + "rlp", LC + "bls"]),
    LC + "evm/bn254": (2, []),
    LC + "evm/precompile": (2, [LC + "evm", LC + "evm/bn254", LC + "bls"]),
    LC + "consensus": (2, [LC + "ssz", LC + "bls"]),
    LC + "exec": (2, [LC + "evm", LC + "mpt", LC + "rlp"]),
    "lightclient": (2, [LC + "consensus", LC + "evm"]),
    "http": (2, ["base/os"]),
    "tee": (3, []),
    "tee/quote": (3, ["tee"]),
    "tee/x509": (3, ["tee", "tee/quote"]),
    "tee/collateral": (3, ["tee", "tee/quote", "tee/x509"]),
    "tee/verify": (3, ["tee", "tee/quote", "tee/x509", "tee/collateral", "tee/measure"]),
    "tee/channel": (3, ["tee", "tee/verify"]),
    "tee/measure": (3, ["tee", "tee/quote"]),
    "tee/sim": (3, ["tee", "tee/quote", "tee/x509", "tee/collateral"]),
    "tee/provider": (3, ["tee", "tee/quote", "tee/x509", "tee/sim", "http", "base/os"]),
    "rpc/upstream": (3, [LC + "consensus", LC + "exec", LC + "evm", LC + "mpt", LC + "rlp", "http"]),
    "rpc/api": (3, [LC + "consensus", LC + "exec", LC + "evm", LC + "mpt", LC + "rlp", "rpc/upstream"]),
    "rpc/members": (3, [LC + "exec", LC + "evm", LC + "mpt", LC + "rlp"]),
    "overlay/wire": (4, ["tee/x509"]),
    "overlay/tpod": (4, ["overlay/wire", "overlay/net", "tee", "tee/verify"]),
    "overlay/net": (4, ["overlay/wire", "base/os"]),
    "overlay": (4, ["overlay/wire", "overlay/net", "tee", "tee/channel", "tee/verify"]),
    "overlay/host": (4, ["overlay", "overlay/net", "overlay/wire", "tee", "tee/quote", "tee/verify", "base/os"]),
    "node": (5, ["*"]),
    "node/cli": (5, ["*"]),
    "node/config": (5, ["*"]),
    "node/setup": (5, ["*"]),
    "node/chain": (5, ["*"]),
    "node/query": (5, ["*"]),
    "node/evidence": (5, ["*"]),
    "node/cluster": (5, ["*"]),
    "node/p2p": (5, ["*"]),
    "node/tpod": (5, ["*"]),
}
TOPS = ("base", "lightclient", "http", "tee", "rpc", "overlay", "node")
DOORS = {  # header: folders or files that may include it
    r"curl/": ["http/transfer.", "http/failure.", "http/url.c", "http/client.c"],
    r"zlib": ["http/transfer.", "http/gzip.c"],
    r"microhttpd": ["http/serve.c", "http/server_state.h", "http/waiting.c", "http/reply.", "http/gaps.c"],
    r"wslay": ["http/wsframe.c"],
    r"blst": [LC + "bls/"],
    r"secp256k1": ["base/crypto/"],
    r"sodium": ["base/crypto/"],
    r"nettle/": ["base/crypto/"],
    r"gmp": ["base/crypto/"],
    r"jansson": ["base/json"],
    r"gnutls": ["tee/x509/", "tee/sim/", "tee/provider/ratls_make.c", "http/tls.c", "overlay/net/quic"],
    r"ngtcp2": ["overlay/net/quic"],
    r"lmdb": ["node/"],
    r"seccomp": ["base/os/harden.c"],
    r"linux/genetlink": ["node/p2p/wg_netlink.c"],
    r"linux/netlink": ["node/p2p/wg_netlink.c", "node/p2p/wg_door.c"],
    r"linux/rtnetlink": ["node/p2p/wg_netlink.c"],
    r"linux/wireguard": ["node/p2p/wg_netlink.c"],
}
DOES_IO = ("base/os", "http", "tee/provider", "overlay/net", "overlay/host", "node")  # rooms (and what is below them) that may do I/O
IO_HEADER = re.compile(r"#include <(sys/socket|sys/stat|netinet/\w+|netdb|poll|sys/epoll|unistd|fcntl|dirent|sys/random|threads)\.h>")
IO_CALL = re.compile(r"(?<![\w.>])(fopen|fdopen|freopen|printf|fprintf|vfprintf|puts|fputs|open|openat|read|write|socket|connect|getenv|"
                     r"secure_getenv|time|clock|clock_gettime|gettimeofday|getrandom|rand|random|usleep|nanosleep|pthread_create|"
                     r"exit|abort|system|popen)\s*\(")
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)


def includes(text):
    return re.findall(r'#include "([^"]+)"', text)


def check_includes(root, rel, text):
    floor, may = ROOMS[str(rel.parent)]
    for inc in includes(text):
        target = str(pathlib.PurePath(inc).parent)
        if not (root / inc).exists():
            yield f"{rel}: includes {inc}, which is not there (paths start at the root)"
        elif target not in ROOMS:
            yield f"{rel}: includes {inc}, whose folder has no row in layers.py"
        elif ROOMS[target][0] > floor:
            yield f"{rel}: an arrow up: floor {floor} includes {inc} of floor {ROOMS[target][0]}"
        elif str(rel.parent) == "base" and target == "base/crypto":
            yield f"{rel}: base may not include base/crypto"
        elif "*" not in may and target not in (str(rel.parent), "base", "base/crypto", *may):
            yield f"{rel}: {rel.parent} may not include {inc}"


def check_doors(rel, text):
    for inc in re.findall(r"#include <([^>]+)>", text):
        for lib, places in DOORS.items():
            if inc.startswith(lib) and not any(str(rel).startswith(p) for p in places):
                yield f"{rel}: <{inc}> may be included only in {', '.join(places)}"


def check_io(rel, text):
    room = str(rel.parent)
    if any(room == r or room.startswith(r + "/") for r in DOES_IO):
        return
    for m in IO_HEADER.findall(text):
        yield f"{rel}: <{m}.h> has no place below the I/O line"
    code = COMMENT.sub("", text)
    own = set(re.findall(r"^static [\w *]*?\*?(\w+)\(", code, re.M))  # a static function of that name is not the library's
    for m in set(IO_CALL.findall(code)) - own:
        yield f"{rel}: {m}() has no place below the I/O line"


def circles(graph):
    """The strongly connected groups of more than one node (Tarjan)."""
    index, low, stack, found = {}, {}, [], []

    def visit(u):
        index[u] = low[u] = len(index)
        stack.append(u)
        for v in sorted(graph.get(u, ())):
            if v not in index:
                visit(v)
                low[u] = min(low[u], low[v])
            elif v in stack:
                low[u] = min(low[u], index[v])
        if low[u] == index[u]:
            group = []
            while not group or group[-1] != u:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for u in sorted(graph):
        if u not in index:
            visit(u)
    return found


def check(root):
    bad, graph = [], {}
    for top in TOPS:
        for path in sorted((root / top).rglob("*.[ch]")):
            rel, text = path.relative_to(root), path.read_text()
            if str(rel.parent) not in ROOMS:
                bad.append(f"{rel}: its folder has no row in layers.py")
                continue
            bad += check_includes(root, rel, text)
            bad += check_doors(rel, text)
            bad += check_io(rel, text)
            unit = str(rel.with_suffix(""))  # a .c and its .h are one
            graph.setdefault(unit, set()).update(u for i in includes(text) if (u := str(pathlib.PurePath(i).with_suffix(""))) != unit)
    bad += [f"a circle of files: {', '.join(group)}" for group in circles(graph)]
    return bad


if __name__ == "__main__":
    problems = check(pathlib.Path(sys.argv[1]))
    print("\n".join(problems) or "layers: ok")
    sys.exit(1 if problems else 0)
