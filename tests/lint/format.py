"""Checks that the formatter would change no C file (clang-format 14, .clang-format), and that no line of product code is longer
than 120 columns, and no C file than 1,000 lines.

usage: format.py ROOT     exit 77 (skipped) when clang-format is not installed
"""
import pathlib
import shutil
import subprocess
import sys

import layers

COLUMNS = 120
LINES = 1000


def main(root):
    product = [p for top in layers.TOPS for p in sorted((root / top).rglob("*.[ch]"))]
    tests = [p for top in ("tests", "examples", "meta-dstack-patch") for p in sorted((root / top).rglob("*.[ch]")) if "node_modules" not in p.parts]
    bad = [f"{p.relative_to(root)}:{i}: {len(line)} columns" for p in product
           for i, line in enumerate(p.read_text().splitlines(), 1) if len(line) > COLUMNS]
    bad += [f"{p.relative_to(root)}: {n} lines" for p in product + tests if (n := len(p.read_text().splitlines())) > LINES]
    tool = next((t for t in ("clang-format-14", "clang-format") if shutil.which(t)), None)
    if tool:
        run = subprocess.run([tool, "--dry-run", "-Werror", *map(str, product + tests)], capture_output=True, text=True)
        bad += [line for line in run.stderr.splitlines() if "error:" in line]
    print("\n".join(bad) or ("format: ok" if tool else "format: clang-format is not installed"))
    return 1 if bad else 0 if tool else 77


sys.exit(main(pathlib.Path(sys.argv[1])))
