"""Checks that what house.md calls a seam exists once: one error type, one JSON reader and writer, one map, one worker, one file
reader, one calendar. A second one, or the old way beside the new one, is found by what it would have to use.

usage: seams.py ROOT
"""
import pathlib
import re
import sys

import layers

# what may be used where: (what it would be, pattern, files that may)
ONCE = [
    ("a second error type", r"\bchar \*(why|said|reason), size_t|\bconst char \*\*(why|text)\b|"
     r"\btee_fault_t\b|\bconfig_error_t\b", ()),
    ("a second JSON parser or printer", r"\bjson_(load|dump|pack|unpack)\w*\(|\bjson_t\b", ("base/json",)),
    ("a second hash table", r"\bsiphash\(", ("base/siphash.h", "base/map.",)),
    ("a second worker", r"\bpthread_create\(", ("base/os/worker.c", "http/serve.c", "node/query/pool.c")),
    ("a wait on the real clock", r"\bCLOCK_REALTIME\b", ("base/os/clock.c",)),
    ("a second file reader", r"(?<![.>\w])(fopen|fread|openat|open)\(", ("base/os/file.c", "base/os/persist.c", "base/os/harden.c", "tee/provider/configfs.c")),
    ("a second calendar", r"\b(gmtime|gmtime_r|timegm|mktime|strptime|strftime)\(", ()),
    ("base64 by hand", r"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef", ()),
    ("a grant to give a key away", r"\bkey_grant_make\(", ("base/crypto/keyring.", "tee/channel/mattest.c")),
    ("a way to take a key out of all nodes", r"\bkeyring_(split|keep)\(", ("base/crypto/keyring.", "node/cluster/recover.c")),
    ("a struct written to disk as it lies in memory", r"view_of\(&\w+, sizeof", ()),
]


def main(root):
    bad = []
    for top in layers.TOPS:
        for path in sorted((root / top).rglob("*.[ch]")):
            rel, code = str(path.relative_to(root)), layers.COMMENT.sub("", path.read_text())
            own = set(re.findall(r"^static [\w *]*?\*?(\w+)\(", code, re.M))
            for what, pattern, allowed in ONCE:
                if rel.startswith(allowed):
                    continue
                for m in re.finditer(pattern, code):
                    if m.group(0).rstrip("(") not in own:
                        bad.append(f"{rel}:{code.count(chr(10), 0, m.start()) + 1}: {what}: {m.group(0)}")
    print("\n".join(bad) or "seams: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
