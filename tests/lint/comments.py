"""Checks what comments name: the Floor and Tests lines of every header, and every path in any comment or document, must exist.

usage: comments.py ROOT
"""
import pathlib
import re
import sys

import layers

COMMENT = re.compile(r"/\*.*?\*/", re.S)
FLOOR = re.compile(r"^ \* Floor: +(\d), ([\w/]+)", re.M)
TOPS = "base|lightclient|http|tee|rpc|overlay|node|tests|tools|docs|examples|contrib|sdk|meta-dstack-patch"
PATH = re.compile(rf"(?<![\w./-])((?:{TOPS})/[\w./*-]*\w\*?)")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs")


def exists(root, name):
    name = name.rstrip(".")
    return "NAME" in name or any((root / n).exists() for n in (name, name + ".c", name + ".h", name.rstrip("*"))) or (
        "*" in name and any(root.glob(name)))


def check_floor(root, path, text):
    rel = path.relative_to(root)
    floor, room = layers.ROOMS[str(rel.parent)][0], str(rel.parent).removeprefix("lightclient/")
    found = FLOOR.search(text)
    if not found:
        yield f"{rel}: no line '* Floor:  {floor}, {room}'"
    elif (int(found[1]), found[2]) != (floor, room):
        yield f"{rel}: says floor {found[1]}, {found[2]}; it is {floor}, {room}"


def main(root):
    bad = []
    for top in layers.TOPS:
        for path in sorted((root / top).rglob("*.[ch]")):
            text = path.read_text()
            if path.suffix == ".h":
                bad += check_floor(root, path, text)
            for comment in COMMENT.findall(text):
                bad += [f"{path.relative_to(root)}: names {p}, which does not exist" for p in PATH.findall(comment) if not exists(root, p)]
    for name in DOCUMENTS:
        for path in [root / name] if (root / name).is_file() else sorted((root / name).rglob("*.*")):
            bad += [f"{path.relative_to(root)}: names {p}, which does not exist" for p in PATH.findall(path.read_text())
                    if not exists(root, p)]
    print("\n".join(bad) or "comments: ok")
    return 1 if bad else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
