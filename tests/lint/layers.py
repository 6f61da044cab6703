"""Checks the floors: each folder includes only from the folders listed for it, and each outside library has one door.

usage: layers.py ROOT
"""
import pathlib
import re
import sys

LC = "lightclient/"
MAY = {  # folder: what it may include besides itself, base and base/crypto
    "base": [],
    "base/crypto": [],
    LC + "rlp": [],
    LC + "ssz": [],
    LC + "bls": [],
    LC + "mpt": [LC + "rlp"],
    LC + "evm": [LC + "rlp", LC + "bls"],
    LC + "evm/bn254": [],
    LC + "evm/precompile": [LC + "evm", LC + "evm/bn254", LC + "bls"],
    LC + "consensus": [LC + "ssz", LC + "bls"],
    LC + "exec": [LC + "evm", LC + "mpt", LC + "rlp"],
    "tee": [],
    "tee/provider": ["tee", "rpc/http"],
    "overlay": ["tee"],
    "rpc": [LC + "consensus", LC + "exec", LC + "evm", LC + "mpt"],
    "rpc/http": ["rpc"],
    "node": ["*"],
}
DOORS = {  # header: folders or files that may include it
    r"curl/": ["rpc/http/client.c"],
    r"zlib": ["rpc/http/client.c"],
    r"microhttpd": ["rpc/http/server.c", "rpc/http/reply."],
    r"blst": [LC + "bls/"],
    r"secp256k1": ["base/crypto/"],
    r"sodium": ["base/crypto/"],
    r"nettle/": ["base/crypto/", "tee/"],
    r"gmp": ["base/crypto/"],
    r"jansson": ["base/json.h", "tee/", "rpc/", "node/"],
    r"gnutls": ["tee/", "rpc/http/tls.c"],
    r"lmdb": ["node/"],
}
PURE = ["base", LC + "rlp", LC + "ssz", LC + "bls", LC + "mpt", LC + "evm", LC + "consensus", LC + "exec"]
IMPURE = re.compile(r"#include <(sys/socket|netinet|pthread|time|sys/time|unistd|fcntl|stdio|sys/random|threads)")


def folder_of(path):
    return str(path.parent)


def check(root):
    bad = []
    for folder in MAY:
        for path in sorted((root / folder).glob("*.[ch]")):
            rel = path.relative_to(root)
            text = path.read_text()
            for inc in re.findall(r'#include "([^"]+)"', text):
                target = str(pathlib.PurePath(inc).parent)
                if not (root / inc).exists():
                    bad.append(f"{rel}: includes {inc}, which is not there (paths start at the root)")
                elif "*" not in MAY[folder] and target not in (folder, "base", "base/crypto", *MAY[folder]):
                    bad.append(f"{rel}: {folder} may not include {inc}")
                elif folder == "base" and target == "base/crypto":
                    bad.append(f"{rel}: base may not include base/crypto")
            for inc in re.findall(r"#include <([^>]+)>", text):
                for lib, places in DOORS.items():
                    if inc.startswith(lib) and not any(str(rel).startswith(p) for p in places):
                        bad.append(f"{rel}: <{inc}> may be included only in {', '.join(places)}")
            if any(folder == p or folder.startswith(p + "/") for p in PURE):
                for m in IMPURE.findall(text):
                    bad.append(f"{rel}: <{m}...> has no place below the I/O line")
    known = set(MAY)
    for top in ("base", "lightclient", "tee", "overlay", "rpc", "node"):
        for path in (root / top).rglob("*.[ch]"):
            if folder_of(path.relative_to(root)) not in known:
                bad.append(f"{path.relative_to(root)}: its folder has no row in layers.py")
    return bad


problems = check(pathlib.Path(sys.argv[1]))
print("\n".join(problems) or "layers: ok")
sys.exit(1 if problems else 0)
