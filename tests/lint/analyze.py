#!/usr/bin/env python3
"""The static analyzer of clang over the folders that take bytes of strangers off a socket; what it finds is an error.

usage: analyze.py BUILD [FOLDER ...]      BUILD: a build folder (compile_commands.json); FOLDER: others than those below
What it finds wrongly stands in WRONG, with the reason, and has to be found: a row that nothing matches is an error, too.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("http",)
ANALYZE = ["--analyze", "--analyzer-output", "text", "-Wno-everything", "-fno-color-diagnostics"]
FOUND = re.compile(r"^(?:\.\./)?(?P<file>[^:\n]+):(?P<line>\d+):\d+: warning: .*\[(?P<checker>[\w.]+)\]$", re.M)
FILLED = "getsockname fills what is read, by the family that is looked at first"
REFERENCES = "the analyzer takes the last reference for gone: it does not follow atomic counters"
WRONG = {  # (file, function, checker): why
    ("http/listen.c", "listen_open", "core.CallAndMessage"): FILLED,
    ("http/websocket.c", "attend_all", "unix.Malloc"): REFERENCES,
    ("http/waiting.c", "hs_answer", "unix.Malloc"): REFERENCES,
}


def sources(build, folders):
    """Each file once, with its command for the analyzer."""
    seen = {}
    for row in json.loads((build / "compile_commands.json").read_text()):
        path = (pathlib.Path(row["directory"]) / row["file"]).resolve()
        if path.suffix != ".c" or not path.is_relative_to(ROOT):
            continue
        name = str(path.relative_to(ROOT))
        if name in seen or not any(name.startswith(f"{folder}/") for folder in folders):
            continue
        words = [w for w in shlex.split(row["command"]) if w.startswith(("-I", "-D", "-isystem", "-std="))]
        seen[name] = ["clang", *words, *ANALYZE, row["file"]]
    return seen


def function_at(name, line):
    """The function that a line is in: its head stands in column 0 before a '{' there."""
    lines = (ROOT / name).read_text().splitlines()
    start = max((i for i in range(min(line, len(lines))) if lines[i] == "{"), default=0)
    heads = [re.search(r"(\w+)\(", text) for text in lines[:start] if re.match(r"[A-Za-z]", text) and "(" in text]
    return heads[-1][1] if heads and heads[-1] else ""


def analyze(build, name, command):
    done = subprocess.run(command, cwd=build, capture_output=True, text=True, check=False)
    found = [(m["file"], int(m["line"]), m["checker"]) for m in FOUND.finditer(done.stderr)]
    if done.returncode and not found:
        found = [(name, 0, "cannot be compiled")]
    return found, done.stderr


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not shutil.which("clang"):
        print("skipped: clang is not installed")
        return 77
    build, folders = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:] or FOLDERS
    files, matched, bad = sources(build, folders), set(), 0
    if not files:
        sys.exit("analyze: no source was found")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as crew:
        for found, text in crew.map(lambda item: analyze(build, *item), files.items()):
            news = []
            for file, line, checker in found:
                row = (file, function_at(file, line), checker)
                matched.add(row)
                news += [] if row in WRONG else [f"{file}:{line}: {checker}, in {row[1]}"]
            if news:
                bad += len(news)
                print("\n".join(news), text, sep="\n")
    stale = [row for row in WRONG if row[0] in files and row not in matched]
    for row in stale:
        print(f"analyze: {' '.join(row)}: stands in the table, and is not found")
    print(f"analyze: {len(files)} files, {bad} findings, {len(matched & set(WRONG))} that are wrong")
    return 1 if bad or stale else 0


sys.exit(main())
