"""The test of layers.py itself: a house in a temporary folder is sound, and each kind of violation planted in it is found.

usage: test_layers.py ROOT
"""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(sys.argv[1]) / "tests" / "lint"))
import layers  # noqa: E402

SOUND = {
    "base/bytes.h": "",
    "base/crypto/hash.c": '#include <nettle/sha2.h>\n#include "base/bytes.h"\n',
    "base/os/clock.c": '#include <time.h>\nvoid f(void) { clock_gettime(0, 0); }\n',
    "lightclient/rlp/rlp.c": '#include "base/bytes.h"\n/* it does not open("a file") */\nconst char *s = "read(me)";\n',
    "http/client.c": "#include <curl/curl.h>\n",
    "rpc/api/v1.c": '#include "base/bytes.h"\n',
    "node/node.c": '#include "http/client.h"\n#include "base/bytes.h"\n',
    "http/client.h": "",
}
PLANTED = [  # what, file, text, a part of what must be said
    ("an arrow up", "lightclient/rlp/up.c", '#include "http/client.h"\n#include "node/node.h"\n', "an arrow up: floor 2 includes node/node.h"),
    ("a room that is not listed", "lightclient/rlp/side.c", '#include "http/client.h"\n', "lightclient/rlp may not include http/client.h"),
    ("base on its crypto", "base/low.c", '#include "base/crypto/hash.h"\n', "base may not include base/crypto"),
    ("a file that is not there", "rpc/api/gone.c", '#include "base/gone.h"\n', "which is not there"),
    ("a folder without a row", "tee/attic/a.c", "\n", "its folder has no row"),
    ("a library by another door", "rpc/api/door.c", "#include <curl/curl.h>\n", "<curl/curl.h> may be included only in http/"),
    ("a system header of I/O", "rpc/api/io.c", "#include <fcntl.h>\n", "<fcntl.h> has no place below the I/O line"),
    ("a call that does I/O", "tee/verify/io.c", "int f(void) { return open(\"x\", 0); }\n", "open() has no place below the I/O line"),
    ("the clock", "lightclient/exec/late.c", "long f(void) { return time(0); }\n", "time() has no place below the I/O line"),
    ("Ethereum in the overlay", "overlay/wire/chain.c", '#include "lightclient/rlp/rlp.h"\n', "overlay/wire may not include lightclient/rlp/rlp.h"),
    ("a socket in the wire", "overlay/wire/io.c", "#include <sys/socket.h>\n", "<sys/socket.h> has no place below the I/O line"),
    ("the environment", "base/env.c", "char *f(void) { return getenv(\"A\"); }\n", "getenv() has no place below the I/O line"),
]
CIRCLE = {"rpc/api/a.h": "", "rpc/api/b.h": "", "rpc/api/a.c": '#include "rpc/api/b.h"\n', "rpc/api/b.c": '#include "rpc/api/a.h"\n'}


def build(files):
    root = pathlib.Path(tempfile.mkdtemp(prefix="layers-"))
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def main():
    bad = [f"the sound house: {p}" for p in layers.check(build(SOUND))]
    for what, name, text, said in PLANTED:
        files = dict(SOUND, **{name: text, "base/crypto/hash.h": "", "node/node.h": "", "lightclient/rlp/rlp.h": ""})
        if not any(p.startswith(name) and said in p for p in layers.check(build(files))):
            bad.append(f"{what}, planted in {name}, was not found")
    circle = layers.check(build(dict(SOUND, **CIRCLE)))
    if circle != ["a circle of files: rpc/api/a, rpc/api/b"]:
        bad.append(f"a circle of files: found {circle}")
    print("\n".join(bad) or f"test_layers: {len(PLANTED) + 1} kinds of violation found")
    return 1 if bad else 0


sys.exit(main())
