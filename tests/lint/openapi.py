"""Checks openapi.yaml against the tables of node/routes.c and node/p2p/daemon.c, both ways: each route but /rpc is
described, and each description is of a route.
A route "/v1/block/*" is /v1/block/{block}; one with "/" behind it is the same without.

usage: openapi.py ROOT
"""
import pathlib
import re
import sys

ROUTE = re.compile(r'^    \{ "([A-Z]+)", "([^"]+)",', re.M)
PATH = re.compile(r"^  (/\S*):$")
METHOD = re.compile(r"^    (get|post|put|delete):$")


def main(root):
    tables = "".join((root / name).read_text() for name in ("node/routes.c", "node/p2p/daemon.c"))
    routes = {(m.replace("ANY", "GET"), p.rstrip("/") or "/") for m, p in ROUTE.findall(tables) if p != "/rpc"}
    described, path = {}, None
    for line in (root / "openapi.yaml").read_text().splitlines():
        if line == "components:":
            break
        if m := PATH.match(line):
            path = m[1]
        elif m := METHOD.match(line):
            described[m[1].upper(), re.sub(r"\{.*", "*", path)] = path
    bad = [f"openapi.yaml: does not describe {m} {p} (and tests/e2e/lib/conform.mjs holds its answers against that)"
           for m, p in sorted(routes - set(described))]
    bad += [f"openapi.yaml: {m} {described[m, p]} is no route" for m, p in sorted(set(described) - routes)]
    print("\n".join(bad) or f"openapi: {len(routes)} routes")
    return bool(bad)


sys.exit(main(pathlib.Path(sys.argv[1])))
