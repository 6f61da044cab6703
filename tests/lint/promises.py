"""Checks the table of promises in docs/threat-model.md: each test that it names is there.

A row ends with a file and the names of tests in it, all in backticks: START_TEST(name), which is run, in C; elsewhere a part of a sentence
on a line that begins a test, or of the file's own description.

usage: promises.py ROOT
"""
import pathlib
import re
import sys

HEADING = "## Each promise"
NAME = re.compile(r"`([^`]+)`")
BEGINS = re.compile(r'\btest\(|^"""', re.M)


def is_there(path, text, name):
    if path.suffix == ".c":
        return f"START_TEST({name})" in text and len(re.findall(rf"\b{re.escape(name)}\b", text)) > 1
    return any(name in line and BEGINS.search(line) for line in text.splitlines())


def check(root, document):
    table = document.partition(HEADING)[2]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    if len(rows) < 10:
        yield "docs/threat-model.md: has no table of promises"
    for row in rows:
        file, *names = NAME.findall(row.rstrip(" |").rpartition(" | ")[2]) or [""]
        path = root / file
        if not file or not path.is_file():
            yield f"docs/threat-model.md: names {file or 'no file'}, which does not exist: {row}"
            continue
        text = path.read_text()
        if not names:
            yield f"docs/threat-model.md: names no test of {file}"
        for name in names:
            if not is_there(path, text, name):
                yield f"docs/threat-model.md: {file} has no test {name}"


def self_test(root):
    """A missing file, a missing test, one that is only defined, and a row without a test are found."""
    here = "tests/unit/test_tee.c"
    rows = ["| a | `tests/unit/nowhere.c` `x` |", f"| b | `{here}` `no_such_test` |", f"| c | `{here}` |", "| d | nothing |"]
    found = list(check(root, "\n".join([HEADING, "| promise | shown by |", "|---|---|", *rows, *["| e | `README.md` `x` |"] * 8])))
    assert len(found) == len(rows) + 8, found


def main(root):
    self_test(root)
    bad = list(check(root, (root / "docs/threat-model.md").read_text()))
    print("\n".join(bad) or "promises: ok")
    return 1 if bad else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
