"""Checks the tables of docs/operate.md: each event that the program logs has its line, as has each state, and no line is of another one.

usage: events.py ROOT
"""
import pathlib
import re
import sys

TOPS = ("base", "http", "lightclient", "node", "overlay", "rpc", "tee")
CALL = re.compile(r'(?:log_write|persist_tell)\(\s*[^;"]*?"([a-z-]+)"')
EMIT = re.compile(r'emit\(LOG_\w+, "([a-z]+)"')
NAMES = re.compile(r"`([a-z-]+)`")


def section(text, heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.M | re.S).group(1)


def rows(text):
    return {name for cell in re.findall(r"^\| (`[^|]*) \|", text, re.M) for name in NAMES.findall(cell)}


def main(root):
    text = "\n".join(p.read_text() for top in TOPS for p in sorted((root / top).rglob("*.c")))
    events = set(CALL.findall(text)) | set(EMIT.findall(text))
    names = re.search(r"node_state_name\(node_state_t \w+\)\n\{(.*?)^\}", text, re.M | re.S)
    states = set(re.findall(r'case \w+: return "([a-z-]+)"', names.group(1)))
    operate = (root / "docs/operate.md").read_text()
    logged, told = rows(section(operate, "The log")), rows(section(operate, "States"))
    bad = [f"docs/operate.md: no line of the event {e}" for e in sorted(events - logged)]
    bad += [f"docs/operate.md: {e} is no event" for e in sorted(logged - events - states)]
    bad += [f"docs/operate.md: {s} is not in one of state and table" for s in sorted(states ^ told)]
    print("\n".join(bad) or f"events: {len(events)} events, {len(states)} states")
    return bool(bad) or not events or not states


sys.exit(main(pathlib.Path(sys.argv[1])))
