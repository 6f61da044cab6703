"""Checks every public header: it compiles alone, begins with a purpose comment, and documents each prototype.

usage: headers.py ROOT CC...
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

root, cc = pathlib.Path(sys.argv[1]), sys.argv[2:]
bad = []


def compiled(path):
    """What the compiler says of the header alone; an object is made, so that a compiler cache can answer."""
    with tempfile.TemporaryDirectory() as folder:
        command = cc + ["-std=gnu11", "-x", "c", "-I", str(root), "-c", str(path), "-o", folder + "/h.o"]
        return subprocess.run(command, capture_output=True, text=True)


for top in ("base", "lightclient", "http", "tee", "overlay", "rpc", "node"):
    headers = sorted((root / top).rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(compiled, headers))
    for path, run in zip(headers, runs):
        rel = path.relative_to(root)
        text = path.read_text()
        if not text.startswith("/* " + path.name):
            bad.append(f"{rel}: does not begin with '/* {path.name} - what it is'")
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
