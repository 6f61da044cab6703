#!/usr/bin/env python3
"""Prints what an attacker may try on the overlay, with the test that shows what comes of it (attacks.txt), and checks that each of
these tests is there and runs.

usage: attacks.py ROOT
"""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
bad, shown, missing, section = [], 0, [], ""


def runs(program, test):
    """Whether a unit test of this name is defined, and on the list that its program runs."""
    path = root / "tests/unit" / f"test_{program}.c"
    if not path.exists() or not re.search(rf"^  +'{program}': \[", (root / "tests/unit/meson.build").read_text(), re.M):
        return False
    text = path.read_text()
    return f"START_TEST({test})" in text and test in text[text.rindex("int main("):]


def check(words, where):
    if where == "sim":
        return True  # tests/overlay/scenario.c prints its own
    program, _, test = (part.strip() for part in where.partition(":"))
    if program == "netns":
        text = (root / "tests/alone/namespaces.py").read_text()
        return f"def {test}(" in text and len(re.findall(rf"\b{test}\(", text)) > 1
    if program == "e2e":
        named = re.search(rf'^const SCENARIOS = .*"{test}"', (root / "tests/e2e/main.mjs").read_text(), re.M)
        return named is not None and (root / f"tests/e2e/{test}.mjs").exists()
    if program == "fuzz":
        return (root / "tests/fuzz" / f"fuzz_{test}.c").exists()
    return runs(program, test)


for line in (root / "tests/overlay/attacks.txt").read_text().splitlines():
    if line.startswith("["):
        section = line.strip("[]")
    if not line or line[0] in "#[":
        continue
    words, _, where = (part.strip() for part in line.partition(" | "))
    if where.startswith("-"):
        missing.append(f"{section}: {words}: {where[1:].strip()}")
        continue
    shown += 1
    print(f"{section}: {words}\n    {where}")
    bad += [f"{section}: {words}: no test {w.strip()}" for w in where.split(",") if not check(words, w.strip())]
print(f"{shown} shown; without a test:")
print("\n".join("    " + m for m in missing))
if bad:
    print("\n".join(bad))
sys.exit(1 if bad else 0)
