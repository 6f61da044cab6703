"""Checks what hangs on the names of GET /metrics: each name in contrib/prometheus/alerts.yml and contrib/grafana/kettle.json is a family
of node/metrics.c, and each alert has its line in docs/operate.md.

usage: metrics.py ROOT
"""
import json
import pathlib
import re
import sys

FAMILY = re.compile(r'"((?:kettle|process)_[a-z_]+)"')
NAME = re.compile(r"\b(?:kettle|process)_[a-z_]+\b")
SUFFIX = re.compile(r"_(bucket|sum|count)$")


def main(root):
    families = set(FAMILY.findall((root / "node/metrics.c").read_text()))
    alerts = (root / "contrib/prometheus/alerts.yml").read_text()
    board = json.loads((root / "contrib/grafana/kettle.json").read_text())
    exprs = [t["expr"] for p in board["panels"] for t in p["targets"]]
    bad = [f"contrib: {name} is no family of node/metrics.c"
           for name in sorted(set(NAME.findall(alerts) + NAME.findall(" ".join(exprs)))) if SUFFIX.sub("", name) not in families]
    operate = (root / "docs/operate.md").read_text()
    names = re.findall(r"- alert: (\w+)", alerts)
    bad += [f"docs/operate.md: says nothing of the alert {a}" for a in names if f"`{a}`" not in operate]
    bad += [f"docs/operate.md: {a} is no alert" for a in re.findall(r"`(Kettle[A-Z]\w+)`", operate) if a not in names]
    print("\n".join(bad) or f"metrics: {len(families)} families, {len(names)} alerts, {len(exprs)} expressions")
    return bool(bad)


sys.exit(main(pathlib.Path(sys.argv[1])))
