"""Checks the length of functions in product code: 95 of 100 have at most 30 lines, and one more than 60 (the interpreter's loop).

usage: functions.py ROOT
"""
import pathlib
import re
import sys

TOPS = ("base", "lightclient", "http", "tee", "rpc", "overlay", "node")
LONG_MAX, USUAL_MAX = 60, 30
EXEMPT = {("lightclient/evm/interp.c", "vm_run")}
HEAD = re.compile(r"^(?:static |inline |__attribute__\(\([^)]*\)\) |NODISCARD )*[A-Za-z_][\w *]*?\*?(\w+)\(")


def functions(path):
    """(name, first line, lines) of each function: with this project's formatter a body is between '{' and '}' in column 0."""
    lines = path.read_text().splitlines()
    start = 0
    for i, line in enumerate(lines):
        if line == "{":
            first = i
            while first > start and lines[first - 1].strip() and not lines[first - 1].rstrip().endswith((";", "}", "*/")):
                first -= 1
            match = HEAD.match(lines[first])
            end = lines.index("}", i)
            yield (match.group(1) if match else lines[first]), first + 1, end - first + 1
            start = end + 1


def main(root):
    found = [(n, path.relative_to(root), name, at) for top in TOPS for path in sorted((root / top).rglob("*.c"))
             for name, at, n in functions(path)]
    bad = [f"{path}:{at}: {name} has {n} lines" for n, path, name, at in found if n > LONG_MAX and (str(path), name) not in EXEMPT]
    lengths = sorted(n for n, *_ in found)
    p95 = lengths[len(lengths) * 95 // 100]
    if p95 > USUAL_MAX:
        bad.append(f"95 of 100 functions have up to {p95} lines, which is more than {USUAL_MAX}")
    median = lengths[len(lengths) // 2]
    print("\n".join(bad) or f"functions: {len(lengths)}, median {median} lines, 95 of 100 up to {p95}")
    return 1 if bad else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
