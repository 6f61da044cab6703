"""Prints the list of JSON-RPC methods for docs/rpc.md, made of the table's rows.

usage: methods.py rpc/api/methods.def
"""
import re
import sys

ROW = re.compile(r"^METHOD\((\w+), (\d+), (\d+), ([\w |]+), (\d+)\)$", re.M)


def bound(wants):
    if "FORWARDS" in wants:
        return "forwarded, then proofs" if "WANTS_STATE" in wants else "forwarded"
    return "proofs" if "WANTS_STATE" in wants else "verified head" if "WANTS_HEAD" in wants else "configuration"


def page(text):
    yield "| method | parameters | rests on | round trips to a provider |"
    yield "|---|---|---|---|"
    for name, least, most, wants, trips in ROW.findall(text):
        yield f"| `{name}` | {least if least == most else least + ' to ' + most} | {bound(wants)} | {trips} |"


if __name__ == "__main__":
    table = open(sys.argv[1]).read()
    if len(ROW.findall(table)) != len(re.findall(r"^METHOD", table, re.M)):
        sys.exit("methods.py: a row that it cannot read")
    print("\n".join(page(table)))
