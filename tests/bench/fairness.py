#!/usr/bin/env python3
"""What the turns and shares of clients cost: instructions of a GET of /block, of a kept and of a fresh POST /call, counted by
valgrind's callgrind, and how many of them are spent for fairness. Fails where that is 3 % or more.

usage: fairness.py BENCH (build/bench, best of a release build)
Each route is asked in two runs of different length, by 16 connections of eight clients; what one run has more than the other belongs to
its requests. Counted are the threads of the server and of the engine, and as fairness all of the files and functions below, by source
line, so that what the compiler has inlined counts where it is written, with everything that they call.
"""
import glob
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = ("http/share.c", "http/clients.c", "http/budget.c", "node/query/flight_turns.c")
FUNCTIONS = {  # of other files
    "http/serve.c": ("client_at", "set_named", "asker", "conn_body_gone", "evict_holder", "body_room", "holder", "evict", "conn_uncount"),
    "http/waiting.c": ("has_share", "queue_yield", "has_left", "held", "is_over", "holds_most", "defer_yield"),
    "node/query/flight.c": ("use_of", "flights_may_ask"),
}
ROUTES = {"/block": ("block", 400, 1600), "a kept /call": ("kept", 400, 1600), "a fresh /call": ("fresh", 100, 300)}  # in two runs
NOT_SERVER = ("drive", "answer_late", "on_batch")  # in the threads of the bench itself
MOST = 0.03
COST = re.compile(r"^(\d+) (\d+)$")


def lines_of(path, names):
    """The lines of functions: a body is between '{' and '}' in column 0."""
    found, lines = set(), (ROOT / path).read_text().splitlines()
    for name in names:
        heads = [i for i, line in enumerate(lines) if re.match(rf"^[A-Za-z].*\b{name}\(", line) and not line.endswith(";")]
        if len(heads) != 1:
            sys.exit(f"fairness: {path} has no function {name}, or several")
        found |= set(range(heads[0] + 1, lines.index("}", heads[0]) + 2))
    return found


class Counted:
    """What callgrind has written of a thread."""

    def __init__(self, text, shares):
        self.all = self.fair = 0
        self.names = set()
        here = ""  # the file that lines are of
        callee = calls = None
        for line in text.splitlines():
            key, _, value = line.partition("=")
            if key in ("fl", "fi", "fe"):
                here = self.place(value)
            elif key == "fn":
                self.names.add(value)
                callee = here  # a callee of no other file is of this one
            elif key in ("cfi", "cfl"):
                callee = self.place(value)
            elif key == "calls":
                calls = callee or here
            elif match := COST.match(line):
                at, cost = int(match[1]), int(match[2])
                if calls is None:
                    self.all += cost
                    self.fair += cost if shares(here, at) else 0
                elif shares(here, at) and not shares(calls, None):
                    self.fair += cost
                calls, callee = None, None

    @staticmethod
    def place(path):
        return path.split("/../")[-1].removeprefix("../").removeprefix(f"{ROOT}/")


def run(bench, route, requests, shares):
    """Instructions of the server and, of these, for fairness."""
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "out")
        options = ["--separate-threads=yes", "--compress-strings=no", "--compress-pos=no", f"--callgrind-out-file={out}"]
        environment = {**os.environ, "KETTLE_BENCH_COUNTED": f"{route} {requests}"}
        subprocess.run(["valgrind", "--tool=callgrind", *options, bench, "counted"], check=True, env=environment,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        threads = [Counted(pathlib.Path(path).read_text(errors="replace"), shares) for path in sorted(glob.glob(out + "*-*"))]
    served = [t for t in threads if not t.names & set(NOT_SERVER)]
    if not served or len(threads) == len(served):
        sys.exit("fairness: the threads are not those that were to be counted")
    return sum(t.all for t in served), sum(t.fair for t in served)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    functions = {path: lines_of(path, names) for path, names in FUNCTIONS.items()}

    def shares(path, line):
        return path in FILES or line in functions.get(path, ())

    worst = 0.0
    for name, (route, few, many) in ROUTES.items():
        (all_few, fair_few), (all_many, fair_many) = (run(sys.argv[1], route, n, shares) for n in (few, many))
        each, fair = (all_many - all_few) / (many - few), (fair_many - fair_few) / (many - few)
        worst = max(worst, fair / each)
        print(f"  {name:14} {each:10.0f} instructions each, {fair:7.0f} for fairness: {100 * fair / each:.2f} %")
    print(f"fairness {100 * worst:.2f} % {worst / MOST:.3f} of-3-%")
    return 1 if worst >= MOST else 0


sys.exit(main())
