"""Checks every public header: it compiles alone, begins with a purpose comment, and documents each prototype.

usage: headers.py ROOT CC
"""
import pathlib
import re
import subprocess
import sys

root, cc = pathlib.Path(sys.argv[1]), sys.argv[2]
bad = []
for top in ("base", "lightclient", "http", "tee", "overlay", "rpc", "node"):
    for path in sorted((root / top).rglob("*.h")):
        rel = path.relative_to(root)
        text = path.read_text()
        if not text.startswith("/* " + path.name):
            bad.append(f"{rel}: does not begin with '/* {path.name} - what it is'")
        run = subprocess.run([cc, "-std=gnu11", "-fsyntax-only", "-x", "c", "-I", str(root), str(path)], capture_output=True, text=True)
        if run.returncode:
            bad.append(f"{rel}: does not compile alone: {run.stderr.splitlines()[0]}")
        lines = text.splitlines()
        documented = False  # inside a run of prototypes that a comment introduces
        for i, line in enumerate(lines):
            if line.strip().endswith("*/"):
                documented = True
            elif not line.strip():
                documented = False
            elif re.match(r"^(NODISCARD )?[a-z_0-9]+( [a-z_0-9*]+)* \*?[a-z_0-9]+\(", line) and not documented:
                if not line.startswith(("typedef", "static")) and "/*" not in line:
                    bad.append(f"{rel}:{i + 1}: prototype without a comment: {line.strip()[:70]}")
print("\n".join(bad) or "headers: ok")
sys.exit(1 if bad else 0)
