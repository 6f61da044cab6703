"""Checks every public header: it compiles alone, begins with a purpose comment, and documents each prototype.

A header that its own .c file includes first, before anything else, was compiled alone by the build; the others are compiled here.
The build defines _GNU_SOURCE, which who includes a header need not: so those of a folder are compiled together without it, too.

usage: headers.py ROOT BUILD CC...
"""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

import layers

PROTOTYPE = re.compile(r"^(NODISCARD )?[a-z_0-9]+( [a-z_0-9*]+)* \*?[a-z_0-9]+\(")
COMMENTS = re.compile(r"(\s|/\*.*?\*/|//[^\n]*\n)*", re.S)


def built_files(build):
    """The files that the build compiles, whole paths."""
    commands = json.loads((build / "compile_commands.json").read_text())
    return {str((pathlib.Path(c["directory"]) / c["file"]).resolve()) for c in commands}


def built_alone(root, header, built):
    """Whether the build compiled it with nothing before it."""
    own = header.with_suffix(".c")
    if str(own.resolve()) not in built:
        return False
    text = own.read_text()
    return text[COMMENTS.match(text).end():].startswith(f'#include "{header.relative_to(root)}"\n')


def compiled(root, cc, headers):
    """What the compiler has against these, included in this order; empty when nothing."""
    text = "".join(f'#include "{h.relative_to(root)}"\n' for h in headers)
    run = subprocess.run(cc + ["-std=gnu11", "-x", "c", "-fsyntax-only", "-I", str(root), "-"], input=text, capture_output=True, text=True)
    return run.stderr.splitlines()[0] if run.returncode else ""


def check_text(rel, text):
    if not text.startswith("/* " + rel.name):
        yield f"{rel}: does not begin with '/* {rel.name} - what it is'"
    documented = False  # inside a run of prototypes that a comment introduces
    for i, line in enumerate(text.splitlines()):
        if line.strip().endswith("*/"):
            documented = True
        elif not line.strip():
            documented = False
        elif PROTOTYPE.match(line) and not documented and not line.startswith(("typedef", "static")) and "/*" not in line:
            yield f"{rel}:{i + 1}: prototype without a comment: {line.strip()[:70]}"


def check(root, built, cc):
    headers = [h for top in layers.TOPS for h in sorted((root / top).rglob("*.h"))]
    bad = [p for h in headers for p in check_text(h.relative_to(root), h.read_text())]
    alone = [[h] for h in headers if not built_alone(root, h, built)]
    folders = {}
    for h in headers:
        folders.setdefault(h.parent, []).append(h)
    groups = alone + list(folders.values())
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        said = list(pool.map(lambda g: compiled(root, cc, g), groups))
    for group, text in zip(groups, said):
        if text:
            what = "does not compile alone" if len(group) == 1 else "its headers do not compile together without _GNU_SOURCE"
            bad.append(f"{(group[0] if len(group) == 1 else group[0].parent).relative_to(root)}: {what}: {text}")
    return bad


def main():
    problems = check(pathlib.Path(sys.argv[1]), built_files(pathlib.Path(sys.argv[2])), sys.argv[3:])
    print("\n".join(problems) or "headers: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
